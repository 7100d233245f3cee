/* SPDX-License-Identifier: MIT */
/*
 * The table of tests/bench/peers.sh: medians of deliveries per CPU-second, as
 * they are, to the bare send loop of the same scene, and ours to each.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fill, median, short } from './page.mjs';

const NAMES = { ours: 'this project: log (sync=full) and relay',
	refbatch: 'ref batch: neither, one write a turn',
	refwrite: 'ref write: neither, one write a message',
	nchan: 'nchan (nginx)', nats: 'nats-server', lws: 'libwebsockets',
	workerman: 'workerman-chat' };

const [, , here, from] = process.argv;
const file = join(here, 'doc', 'peers.jsonl');
mkdirSync(join(here, 'doc'), { recursive: true });
if (from)
	copyFileSync(from, file);
const lines = !existsSync(file) ? [] : readFileSync(file, 'utf8').split('\n')
    .filter(Boolean).map(JSON.parse);
const of = (name, key) => median(lines.filter(l => l.scene === name)
    .map(l => l[key]));
const scenes = [...new Set(lines.filter(l => !l.joined).map(l =>
    l.scene.split('-')[1]))];
const limit = s => median(lines.filter(l => l.scene === `limit-${s}` &&
    l.joined === 1).map(l => l.deliveries_per_cpu_s));

const rows = [['server', ...scenes.flatMap(s => [`${s}: deliveries per CPU-s`,
    '× limit', 'we are ×']), 'p50 ms (A)', 'p99 ms (A)', 'wrong']];
rows.push(['the bare send loop, one each', ...scenes.flatMap(s =>
    [short(limit(s)), '1.00', '']), '', '', '']);
for (const peer of new Set(lines.filter(l => !l.joined && l.scene.includes('-'))
    .map(l => l.scene.split('-')[0]).filter(p => p !== 'limit'))) {
	const own = lines.filter(l => l.scene.startsWith(`${peer}-`));
	rows.push([NAMES[peer] ?? peer, ...scenes.flatMap(s => {
		const v = of(`${peer}-${s}`, 'deliveries_per_cpu_s');
		const us = of(`ours-${s}`, 'deliveries_per_cpu_s');
		return [short(v), v && limit(s) ? (v / limit(s)).toFixed(2) : '',
		    peer !== 'ours' && v && us ? (us / v).toFixed(2) : ''];
	}), short(of(`${peer}-A`, 'p50_ms')), short(of(`${peer}-A`, 'p99_ms')),
	String(own.filter(l => l.status !== 0).length || '')]);
	const msg = scenes.map(s => of(`ours-${s}`, 'deliveries_per_msg_cpu_s'));
	if (peer === 'ours')
		rows.push(['our msg_server alone', ...scenes.flatMap((s, i) =>
		    [short(msg[i]), msg[i] && limit(s) ?
		    (msg[i] / limit(s)).toFixed(2) : '', '']), '', '', '']);
}
console.log(rows.map(r => r.join('\t')).join('\n'));
fill(join(here, 'README.md'), 'peers', rows);
