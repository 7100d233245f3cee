/* SPDX-License-Identifier: MIT */
/*
 * The table of tests/bench/targets.sh: each target with what was measured,
 * met or missed. A figure that is not there is said to be not there.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fill, median, short } from './page.mjs';

const [, , here, from] = process.argv;
const doc = join(here, 'doc');
mkdirSync(doc, { recursive: true });
if (from)
	copyFileSync(from, join(doc, 'targets.jsonl'));
const read = name => !existsSync(join(doc, name)) ? [] :
    readFileSync(join(doc, name), 'utf8').split('\n').filter(Boolean)
    .map(JSON.parse);
const lines = read('targets.jsonl'), peers = read('peers.jsonl');
const of = (scene, key, list = lines) => median(list.filter(l =>
    l.scene === scene).map(l => l[key]));
const limit = k => median(lines.filter(l => l.joined === k)
    .map(l => l.deliveries_per_cpu_s));
const per = (scene, key = 'deliveries_per_cpu_s') => of(scene, key);
const over = (a, b) => a && b ? a / b : undefined;
const people = n => read('growth.jsonl').find(l => l.scene === 'connections' &&
    l.connections === n);
const million = read('million.jsonl').at(-1);
const perMessage = scene => (of(scene, 'cpu_share') -
    of(scene, 'msg_cpu_share')) / of(scene, 'messages_per_s') * 1e6;
const f2 = v => v === undefined ? 'not measured' : v.toFixed(2);
const ms = v => v === undefined ? 'not measured' : `${short(v)} ms`;

/* [number, what, must, what was measured, is it met] */
const checks = [];
const check = (n, what, must, figures) => {
	const known = figures.filter(([v]) => v !== undefined && !Number.isNaN(v));
	const met = known.every(([, , ok]) => ok);
	checks.push([n, what, must, figures.map(([v, text]) =>
	    v === undefined || Number.isNaN(v) ? 'not measured' : text)
	    .join('; '), !known.length ? '-' : !met ? 'missed' :
	    known.length < figures.length ? 'in part' : 'met']);
};
const atLeast = (v, min, text = `${f2(v)} ×`) => [v, text, v >= min];
const atMost = (v, max, text) => [v, text ?? ms(v), v <= max];

const k1 = limit(1);
check(1, '1 room × 1000, window 4, per CPU-s', '≥ 2.3 × limit, ≥ 1 × ref batch', [
    atLeast(over(per('A'), k1), 2.3),
    atLeast(over(per('A'), per('refA')), 1, `${f2(over(per('A'),
	per('refA')))} × ref batch`)]);
check(2, 'the same, window 16', '≥ 6 × limit', [
    atLeast(over(per('A16'), k1), 6)]);
check(3, '100 rooms × 10, window 2', '≥ 1 × limit; msg_server ≥ 0.9 × ref batch',
    [atLeast(over(per('B'), k1), 1),
    atLeast(over(per('B', 'deliveries_per_msg_cpu_s'), per('refB')), 0.9,
	`msg_server ${f2(over(per('B', 'deliveries_per_msg_cpu_s'),
	per('refB')))} × ref batch`)]);
check(4, '1 room × 100, window 8', '≥ 4 × limit, ≥ 1 × ref batch', [
    atLeast(over(per('C'), k1), 4),
    atLeast(over(per('C'), per('refC')), 1, `${f2(over(per('C'),
	per('refC')))} × ref batch`)]);
check(6, 'against others in the first', 'nchan 2.5, libwebsockets 2.5, nats 3 ×',
    [['nchan', 2.5], ['lws', 2.5], ['nats', 3]].map(([p, min]) => {
	const v = over(of('ours-A', 'deliveries_per_cpu_s', peers),
	    of(`${p}-A`, 'deliveries_per_cpu_s', peers));
	return atLeast(v, min, `${p} ${f2(v)} ×`);
    }));
check(7, '1 × 1000 at 100 messages/s', '≤ 30 % of a core, p50 4.5, p99 9 ms', [
    [of('rate1', 'cpu_share'), `${((of('rate1', 'cpu_share') ?? 0) * 100)
	.toFixed(0)} %`, of('rate1', 'cpu_share') <= 0.3],
    atMost(of('rate1', 'p50_ms'), 4.5), atMost(of('rate1', 'p99_ms'), 9)]);
check(8, '100 × 10 at 2000 messages/s, sync=full', 'p50 1.2, p99 6 ms', [
    atMost(of('rate2', 'p50_ms'), 1.2), atMost(of('rate2', 'p99_ms'), 6)]);
check(8, 'the same, sync=off', 'p50 0.35, p99 1.5 ms', [
    atMost(of('rate2off', 'p50_ms'), 0.35),
    atMost(of('rate2off', 'p99_ms'), 1.5)]);
check(9, 'p99 beside 1 % stalled readers', '≤ 1.5 × without', [
    atMost(over(of('deaf', 'p99_ms'), of('rate1', 'p99_ms')), 1.5,
	`${f2(over(of('deaf', 'p99_ms'), of('rate1', 'p99_ms')))} ×`)]);
check(10, 'memory of an idle user', '≤ 523 B', [
    atMost(of('idle', 'msg_anon_per_conn'), 523,
	`${short(of('idle', 'msg_anon_per_conn'))} B`)]);
check(11, 'connect and log in, rooms of 10', '≥ 25k/s, ≥ 60k per CPU-s', [
    atLeast(of('storm', 'logins_per_s'), 25000,
	`${short(of('storm', 'logins_per_s'))}/s`),
    atLeast(of('storm', 'logins_per_cpu_s'), 60000,
	`${short(of('storm', 'logins_per_cpu_s'))} per CPU-s`)]);
check(12, '1000 logins into one room', '≤ 0.35 CPU-s', [
    atMost(of('join', 'cpu_s'), 0.35, `${f2(of('join', 'cpu_s'))} CPU-s`)]);
const k100 = people(100000);
check(13, 'idle 100,000 on six msg_servers',
    'none failed, ≤ 60 MB, 20 messages/s p99 ≤ 20 ms', [
    atMost(k100 && k100.failed + k100.gone, 0, `${k100?.failed + k100?.gone} ` +
	'failed'),
    atMost(k100?.rss_held, 60e6, `${(k100?.rss_held / 1e6).toFixed(0)} MB`),
    atMost(k100?.talk_p99_ms, 20)]);
check(14, 'idle 1,000,000', 'held, none failed (ambition: ≤ 0.5 GB, all reached)',
    [atMost(million && (million.connections < 1e6 ? 1 : 0) + million.failed +
	million.gone, 0, `${million?.connections} held, ` +
	`${million?.failed + million?.gone} failed, ` +
	`${(million?.rss_held / 1e9).toFixed(2)} GB, ${million?.reached} reached`)]);
const hop = over(of('remote', 'p50_ms') - of('local', 'p50_ms'), 0.001);
check(15, 'from one msg_server to another, beside local', 'p50 + 100 µs', [
    atMost(hop, 100, `+ ${short(hop)} µs`)]);
check(16, 'proxy_server, CPU of a message, log included', '≤ 8 µs', [
    atMost(perMessage('log'), 8, `${short(perMessage('log'))} µs`)]);
check(17, 'durable messages a second, sync=full', '≥ 50k/s, p99 ≤ 15 ms', [
    atLeast(of('log', 'messages_per_s'), 50000,
	`${short(of('log', 'messages_per_s'))}/s`),
    atMost(of('log', 'p99_ms'), 15)]);
const wrong = lines.filter(l => l.status !== 0).map(l => l.scene);
const rows = [['#', 'measure', 'must', 'now', ''], ...checks];
console.log(rows.map(r => r.join('\t')).join('\n'));
if (wrong.length)
	console.log(`not clean: ${wrong.join(' ')}`);
console.log(`limit, per CPU-s: ${[1, 3, 8, 16].map(k =>
    `k=${k} ${short(limit(k))}`).join(', ')}`);
fill(join(here, 'README.md'), 'targets', rows);
fill(join(here, 'README.md'), 'limit', [['messages joined per send()',
    'deliveries per CPU-s', '× one each'], ...[1, 3, 8, 16].map(k =>
    [String(k), short(limit(k)), f2(over(limit(k), k1))])]);
