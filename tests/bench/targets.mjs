/* SPDX-License-Identifier: MIT */
/*
 * The table of tests/bench/targets.sh: each target with what was measured:
 * met, missed, `in part` if not all of it was measured, or `invalid` if a run
 * that it rests on was not clean: something was lost, doubled, out of order
 * or refused. Figures are those of clean runs; one that is not there is said
 * to be not there.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fill, median, short } from './page.mjs';

const f2 = v => v === undefined ? 'not measured' : v.toFixed(2);
const ms = v => v === undefined ? 'not measured' : `${short(v)} ms`;
const is = v => typeof v === 'number' && !Number.isNaN(v);
const over = (a, b) => is(a) && is(b) && b !== 0 ? a / b : undefined;

/* what the scenes are that end so, of ours and of all that they are beside */
const SHAPES = { A: [1, 1000], A16: [1, 1000], B: [100, 10], C: [1, 100],
	rate1: [1, 1000], deaf: [1, 1000], rate2: [100, 10], rate2off: [100, 10] };

/* a line of another scene than its name says is no figure of it */
const checked = l => {
	const name = /(A|A16|B|C|rate1|rate2|rate2off|deaf)$/.exec(l.scene)?.[1];
	if (!name)
		return l;
	const [rooms, members] = SHAPES[name];
	const same = (l.rooms ?? rooms) === rooms &&
	    (l.members ?? members) === members;
	return same ? l : { ...l, status: 4 };
};

/* a figure: value, text, is it good enough */
const atLeast = (v, min, text = `${f2(v)} ×`) => [v, text, v >= min];
const atMost = (v, max, text = ms(v)) => [v, text, v <= max];

/* medians of lines, which also know what they were asked for */
class Lines {
	constructor(lines = [])
	{
		this.lines = lines;
		this.asked = new Set();
	}
	some(scene, key, also = () => true)
	{
		this.asked.add(scene);
		return median(this.lines.filter(l => l.scene === scene &&
		    l.status === 0 && also(l)).map(l => l[key]));
	}
	has(scene) { return this.lines.some(l => l.scene === scene); }
	/* those that were not clean among what was asked for since the last */
	wrong()
	{
		const list = this.lines.filter(l => this.asked.has(l.scene) &&
		    l.status !== 0).map(l => l.scene);
		this.asked.clear();
		return list;
	}
}

/* [number, what, must, figures], of the lines of targets.sh and of the others */
function
targets(t, peers, growth, million)
{
	const cpu = 'deliveries_per_cpu_s';
	const per = (scene, key = cpu) => t.some(scene, key);
	const limit = () => t.some('limit', cpu, l => l.joined === 1);
	const beside = t.has('uwsA') ? 'uws' : 'ref';
	const them = beside === 'uws' ? 'uWebSockets' : 'ref batch';
	const to = (v, scene) => over(v, per(`${beside}${scene}`));
	const rest = (scene, min, what = '') => {
		const v = to(per(scene, what ? 'deliveries_per_msg_cpu_s' : cpu),
		    scene);
		return atLeast(v, min, `${what}${f2(v)} × ${them}`);
	};
	const we = (peer, scene, min, name) => {
		const v = over(peers.some(`ours-${scene}`, cpu),
		    peers.some(`${peer}-${scene}`, cpu));
		return atLeast(v, min, `${name} ${f2(v)} ×`);
	};
	const people = key => growth.some('connections', key,
	    l => l.connections === 100000);
	const million1 = key => million.some('million', key);
	/* each as a function: it is called when its row is looked at */
	return [
	    [1, '1 room × 1000, window 4, per CPU-s',
		`≥ 2.3 × limit, ≥ 1 × ${them}`, () => [
		atLeast(over(per('A'), limit()), 2.3), rest('A', 1)]],
	    [2, 'the same, window 16', '≥ 6 × limit', () => [
		atLeast(over(per('A16'), limit()), 6)]],
	    [3, '100 rooms × 10, window 2',
		`≥ 1 × limit; msg_server ≥ 0.9 × ${them}`, () => [
		atLeast(over(per('B'), limit()), 1), rest('B', 0.9, 'msg_server ')]],
	    [4, '1 room × 100, window 8', `≥ 4 × limit, ≥ 1 × ${them}`, () => [
		atLeast(over(per('C'), limit()), 4), rest('C', 1)]],
	    [5, 'against CChat on swoole (no store, no relay)',
		'A 2.8, B 1.4, C 4.5 ×', () => [we('swoole', 'A', 2.8, 'A'),
		we('swoole', 'B', 1.4, 'B'), we('swoole', 'C', 4.5, 'C')]],
	    [6, 'against others in the first', 'workerman-chat 3.5, nchan 2.5, ' +
		'libwebsockets 2.5, Node ws 4, nats 3 ×', () => [
		we('workerman', 'A', 3.5, 'workerman-chat'),
		we('nchan', 'A', 2.5, 'nchan'), we('lws', 'A', 2.5, 'libwebsockets'),
		we('ws', 'A', 4, 'Node ws'), we('nats', 'A', 3, 'nats')]],
	    [7, '1 × 1000 at 100 messages/s',
		'≤ 30 % of a core, p50 4.5, p99 9 ms', () => {
		const share = per('rate1', 'cpu_share');
		return [atMost(share, 0.3, `${((share ?? 0) * 100).toFixed(0)} %`),
		    atMost(per('rate1', 'p50_ms'), 4.5),
		    atMost(per('rate1', 'p99_ms'), 9)];
	    }],
	    [8, '100 × 10 at 2000 messages/s, sync=full', 'p50 1.2, p99 6 ms',
		() => [atMost(per('rate2', 'p50_ms'), 1.2),
		atMost(per('rate2', 'p99_ms'), 6)]],
	    [8, 'the same, sync=off', 'p50 0.35, p99 1.5 ms', () => [
		atMost(per('rate2off', 'p50_ms'), 0.35),
		atMost(per('rate2off', 'p99_ms'), 1.5)]],
	    [9, 'p99 beside 1 % stalled readers; what one of them takes',
		'≤ 1.5 × without; bounded', () => {
		const v = over(per('deaf', 'p99_ms'), per('rate1', 'p99_ms'));
		const grows = over(per('stall', 'msg_rss_end'),
		    per('stall', 'msg_rss_half'));
		const each = per('stall', 'msg_rss_per_stalled');
		return [atMost(v, 1.5, `${f2(v)} ×`), atMost(grows, 1.05,
		    `${short((each ?? 0) / 1024)} KiB, ` +
		    `${f2((grows - 1) * 100)} % more in the second half`)];
	    }],
	    [10, 'memory of an idle user in the msg_server', '≤ 523 B', () => [
		atMost(per('idle', 'msg_anon_per_conn'), 523,
		    `${short(per('idle', 'msg_anon_per_conn'))} B; ` +
		    `${short(per('idle', 'rss_per_conn'))} B in all servers`)]],
	    [11, 'connect and log in, rooms of 10', '≥ 25k/s, ≥ 60k per CPU-s',
		() => [atLeast(per('storm', 'logins_per_s'), 25000,
		    `${short(per('storm', 'logins_per_s'))}/s`),
		atLeast(per('storm', 'logins_per_cpu_s'), 60000,
		    `${short(per('storm', 'logins_per_cpu_s'))} per CPU-s`)]],
	    [12, '1000 logins into one room, every newUser delivered',
		'≤ 0.35 CPU-s', () => [
		atMost(per('join', 'cpu_s'), 0.35, `${f2(per('join', 'cpu_s'))} CPU-s`),
		atLeast(per('join', 'told'), 499500,
		    `${short(per('join', 'told'))} delivered`)]],
	    [13, 'idle 100,000 on six msg_servers',
		'none failed, ≤ 60 MB, 20 messages/s p99 ≤ 20 ms', () => {
		const bad = people('failed') + people('gone');
		return [atMost(bad, 0, `${bad} failed`),
		atMost(people('rss_held'), 60e6,
		    `${((people('rss_held') ?? 0) / 1e6).toFixed(0)} MB, ` +
		    `${((people('anon_held') ?? 0) / 1e6).toFixed(0)} of it heap`),
		atMost(people('talk_p99_ms'), 20)];
	    }],
	    [14, 'idle 1,000,000',
		'held, none failed (ambition: ≤ 0.5 GB, all reached)', () => {
		const bad = million1('failed') + million1('gone');
		return [atLeast(million1('connections'), 1e6,
		    `${million1('connections')} held`),
		atMost(bad, 0, `${bad} failed, ` +
		    `${((million1('rss_held') ?? 0) / 1e9).toFixed(2)} GB, ` +
		    `${million1('reached')} reached`)];
	    }],
	    [15, 'from one msg_server to another, beside local', 'p50 + 100 µs',
		() => {
		const us = (per('remote', 'p50_ms') - per('local', 'p50_ms')) * 1e3;
		return [atMost(us, 100,
		    `${us < 0 ? '−' : '+'} ${short(Math.abs(us))} µs`)];
	    }],
	    [16, 'proxy_server, CPU of a message, log included', '≤ 8 µs', () => {
		const us = scene => over((per(scene, 'cpu_share') -
		    per(scene, 'msg_cpu_share')) * 1e6,
		    per(scene, 'messages_per_s'));
		return [atMost(us('log'), 8, `${short(us('log'))} µs; ` +
		    `in 200 rooms ${short(us('log200'))} µs`)];
	    }],
	    [17, 'durable messages a second, sync=full', '≥ 50k/s, p99 ≤ 15 ms',
		() => [atLeast(per('log', 'messages_per_s'), 50000,
		    `${short(per('log', 'messages_per_s'))}/s`),
		atMost(per('log', 'p99_ms'), 15)]],
	    /* as many wait as can: 3200 at once, p99 is what that takes */
	    [17, 'the same in 200 rooms, 16 under way in each', '≥ 50k/s',
		() => [atLeast(per('log200', 'messages_per_s'), 50000,
		    `${short(per('log200', 'messages_per_s'))}/s, p99 ` +
		    ms(per('log200', 'p99_ms')))]],
	    [18, 'the last 50 of a room, 1,000,000 messages in 10,000 rooms',
		'p50 ≤ 0.5 ms, 20k/s (ambition: 50k/s from memory)', () => [
		atMost(per('history-file', 'p50_ms'), 0.5, 'from the file ' +
		    ms(per('history-file', 'p50_ms'))),
		atLeast(per('history-file', 'pages_per_s'), 20000,
		    `${short(per('history-file', 'pages_per_s'))}/s`),
		atMost(per('history-memory', 'p50_ms'), 0.5, 'from memory ' +
		    ms(per('history-memory', 'p50_ms'))),
		atLeast(per('history-memory', 'pages_per_s'), 20000,
		    `${short(per('history-memory', 'pages_per_s'))}/s`)]],
	];
}

/*
 * {rows, wrong}: rows of the table without its head, wrong: the scenes that
 * were not clean. Each list is that of the lines of a file of doc/.
 */
export function
table(lines, { peers = [], growth = [], million = [] } = {})
{
	lines = lines.map(checked);
	const from = [lines, peers.map(checked), growth, million].map(l =>
	    new Lines(l));
	const rows = targets(...from).map(([n, what, must, measure]) => {
		for (const l of from)
			l.asked.clear();
		const figures = measure();
		const wrong = from.flatMap(l => l.wrong());
		const known = figures.filter(([v]) => is(v));
		const now = figures.map(([v, text]) => is(v) ? text :
		    'not measured').join('; ');
		return [String(n), what, must, now,
		    wrong.length ? `invalid: ${[...new Set(wrong)].join(', ')}` :
		    !known.length ? '-' : !known.every(([, , ok]) => ok) ? 'missed' :
		    known.length < figures.length ? 'in part' : 'met'];
	});
	return { rows, wrong: lines.filter(l => l.status !== 0)
	    .map(l => l.scene) };
}

function
main(here, from)
{
	const doc = join(here, 'doc');
	mkdirSync(doc, { recursive: true });
	if (from)
		copyFileSync(from, join(doc, 'targets.jsonl'));
	const read = name => !existsSync(join(doc, name)) ? [] :
	    readFileSync(join(doc, name), 'utf8').split('\n').filter(Boolean)
	    .map(JSON.parse);
	const lines = read('targets.jsonl');
	const { rows, wrong } = table(lines, { peers: read('peers.jsonl'),
		growth: read('growth.jsonl'), million: read('million.jsonl') });
	/* those of the scene that has as many as all that are compared */
	const runs = lines.filter(l => l.scene === 'A').length;
	const all = [['#', 'measure', 'must', `now (${runs} runs)`, ''], ...rows];
	const limit = k => median(lines.filter(l => l.joined === k &&
	    l.status === 0).map(l => l.deliveries_per_cpu_s));
	console.log(all.map(r => r.join('\t')).join('\n'));
	console.log(`limit, per CPU-s: ${[1, 3, 8, 16].map(k =>
	    `k=${k} ${short(limit(k))}`).join(', ')}`);
	fill(join(here, 'README.md'), 'targets', all);
	fill(join(here, 'README.md'), 'limit', [['messages joined per send()',
	    'deliveries per CPU-s', '× one each'], ...[1, 3, 8, 16].map(k =>
	    [String(k), short(limit(k)), f2(over(limit(k), limit(1)))])]);
	if (wrong.length) {
		console.error(`targets.sh: not clean: ${wrong.join(' ')}`);
		process.exit(3);
	}
}

if (process.argv[1]?.endsWith('targets.mjs'))
	main(process.argv[2], process.argv[3]);
