/* SPDX-License-Identifier: MIT */
/*
 * The table of tests/bench/peers.sh: medians of deliveries per CPU-second, as
 * they are, to the bare send loop of the same scene, and ours to each. Runs in
 * which something was lost, doubled, out of order or refused count for
 * nothing; the last column has how many there were.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fill, median, short } from './page.mjs';

const NAMES = { ours: 'this project: log (sync=full) and relay',
	uws: 'uWebSockets', refbatch: 'ref batch: neither, one write a turn',
	refwrite: 'ref write: neither, one write a message',
	swoole: 'CChat on swoole', nchan: 'nchan (nginx)', nats: 'nats-server',
	lws: 'libwebsockets', ws: 'Node ws', workerman: 'workerman-chat' };

/* {rows, wrong}: all rows, and the scenes that were not clean */
export function
table(lines)
{
	const clean = lines.filter(l => l.status === 0);
	const of = (name, key) => median(clean.filter(l => l.scene === name &&
	    (l.joined ?? 1) === 1).map(l => l[key]));
	const cpu = 'deliveries_per_cpu_s';
	const here = lines.filter(l => /^[a-z0-9]+-[A-Z]$/.test(l.scene));
	const scenes = [...new Set(here.map(l => l.scene.split('-')[1]))];
	const names = new Set(here.map(l => l.scene.split('-')[0]));
	const ratio = (a, b) => a && b ? (a / b).toFixed(2) : '';
	const limit = s => of(`limit-${s}`, cpu);
	const row = (what, peer, key = cpu) => [what, ...scenes.flatMap(s => {
		const v = of(`${peer}-${s}`, key);
		return [short(v), ratio(v, limit(s)), ['ours', 'limit'].includes(
		    peer) ? '' : ratio(of(`ours-${s}`, cpu), v)];
	})];
	const wrong = lines.filter(l => l.status !== 0).map(l => l.scene);
	const runs = here.filter(l => l.scene === 'ours-A').length;
	const rows = [[`server (${runs} runs)`, ...scenes.flatMap(s => [
	    `${s}: deliveries per CPU-s`, '× limit', 'we are ×']), 'p50 ms (A)',
	    'p99 ms (A)', 'wrong']];
	names.delete('limit');
	rows.push([...row('the bare send loop, one each', 'limit'), '', '', '']);
	for (const peer of [...Object.keys(NAMES), ...names]) {
		if (!names.delete(peer))
			continue;
		rows.push([...row(NAMES[peer] ?? peer, peer),
		    short(of(`${peer}-A`, 'p50_ms')),
		    short(of(`${peer}-A`, 'p99_ms')),
		    String(wrong.filter(w => w.startsWith(`${peer}-`)).length || '')]);
		if (peer === 'ours')
			rows.push([...row('our msg_server alone', peer,
			    'deliveries_per_msg_cpu_s'), '', '', '']);
	}
	return { rows, wrong };
}

function
main(here, from)
{
	const file = join(here, 'doc', 'peers.jsonl');
	mkdirSync(join(here, 'doc'), { recursive: true });
	if (from)
		copyFileSync(from, file);
	const { rows, wrong } = table(!existsSync(file) ? [] :
	    readFileSync(file, 'utf8').split('\n').filter(Boolean)
	    .map(JSON.parse));
	console.log(rows.map(r => r.join('\t')).join('\n'));
	fill(join(here, 'README.md'), 'peers', rows);
	if (wrong.length) {
		console.error(`peers.sh: not clean: ${wrong.join(' ')}`);
		process.exit(3);
	}
}

if (process.argv[1]?.endsWith('peers.mjs'))
	main(process.argv[2], process.argv[3]);
