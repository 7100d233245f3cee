/* SPDX-License-Identifier: MIT */
/*
 * Medians of the JSON lines of tests/bench/run.sh by scene, and the ratio of
 * deliveries per CPU-second to the bare send loop of the same runs.
 */
import { readFileSync } from 'node:fs';
import { median as middle, short } from './page.mjs';

const lines = readFileSync(process.argv[2], 'utf8').trim().split('\n')
    .map(JSON.parse);
const scenes = new Map();
for (const l of lines) {
	const name = l.joined ? `limit k=${l.joined}` : l.scene;
	scenes.set(name, [...scenes.get(name) ?? [], l]);
}

const median = (list, key) => middle(list.map(l => l[key]));

const one = median(scenes.get('limit k=1') ?? [], 'deliveries_per_cpu_s');
const row = cells => console.log(cells.map((c, i) =>
    i ? String(c).padStart(9) : c.padEnd(11)).join(' '));

row(['scene', 'n', 'deliv/s', '/CPU-s', 'x limit', 'msg/CPU-s', 'x limit',
    'p50 ms', 'p99 ms', 'cpu', 'per read', 'wrong']);
for (const [name, list] of scenes) {
	const cpu = median(list, 'deliveries_per_cpu_s');
	const msg = median(list, 'deliveries_per_msg_cpu_s');
	const wrong = list.filter(l => l.status !== 0).length;
	if (!name.startsWith('limit') && !list.some(l => 'deliveries_per_s' in l))
		continue;
	const ratio = v => v && one ? (v / one).toFixed(2) : '';
	row([name, list.length, short(median(list, 'deliveries_per_s')),
	    short(cpu), ratio(cpu), short(msg), ratio(msg),
	    short(median(list, 'p50_ms')), short(median(list, 'p99_ms')),
	    short(median(list, 'cpu_share')), short(median(list, 'per_read')),
	    wrong || '']);
}

const held = [...scenes].filter(([, list]) => list.some(l => 'logins_per_s' in l));
if (held.length)
	row(['scene', 'n', 'conns', 'logins/s', '/CPU-s', 'CPU-s', 'p99 ms',
	    'RSS/conn', 'ms RSS', 'ms heap', 'told', 'wrong']);
for (const [name, list] of held)
	row([name, list.length, ...['connections', 'logins_per_s',
	    'logins_per_cpu_s', 'cpu_s', 'p99_ms', 'rss_per_conn',
	    'msg_rss_per_conn', 'msg_anon_per_conn', 'told'].map(k =>
	    short(median(list, k))), list.filter(l => l.status).length || '']);

const back = [...scenes].filter(([, list]) => list.some(l => 'dropped' in l));
if (back.length)
	row(['scene', 'n', 'dropped', 'back', 'all s', 'p50 ms', 'p99 ms', 'CPU-s',
	    'disk B', 'log file', 'log mem', 'recent', 'stay p99', 'before',
	    'stay max', 'lost', 'wrong']);
for (const [name, list] of back)
	row([name, list.length, ...['dropped', 'back', 'all_back_s', 'back_p50_ms',
	    'back_p99_ms', 'cpu_s', 'disk_read', 'log_file_reads',
	    'log_memory_reads', 'recent_hits', 'during_p99_ms', 'before_p99_ms',
	    'during_max_ms', 'lost'].map(k => short(median(list, k))),
	    list.filter(l => l.status).length || '']);

const deaf = [...scenes].filter(([, list]) => list.some(l => 'hold' in l));
if (deaf.length)
	row(['scene', 'n', 'stalled', 'sent', 'caught ms', 'RSS MiB', 'half', 'end',
	    'max', 'p99 ms', 'before', 'after', 'lost', 'wrong']);
const mib = v => v === undefined ? '' : (v / 1048576).toFixed(1);
for (const [name, list] of deaf)
	row([name, list.length, ...['stalled', 'sent', 'caught_max_ms'].map(k =>
	    short(median(list, k))), ...['before', 'half', 'end', 'max'].map(k =>
	    mib(median(list, `msg_rss_${k}`))), ...['during_p99_ms',
	    'before_p99_ms', 'after_p99_ms', 'lost'].map(k =>
	    short(median(list, k))), list.filter(l => l.status).length || '']);
