/* SPDX-License-Identifier: MIT */
/*
 * The verdict of tests/bench/soak.sh: how memory grows in the last quarter,
 * where caches have filled, and the slope of p99 over the second half.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync,
    writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { curve } from './chart.mjs';
import { fill, median, short } from './page.mjs';

/* {slope, mean} of y over x, least squares */
export function
line(points)
{
	const n = points.length;
	const mx = points.reduce((s, p) => s + p[0], 0) / n;
	const mean = points.reduce((s, p) => s + p[1], 0) / n;
	const xx = points.reduce((s, p) => s + (p[0] - mx) ** 2, 0);
	const xy = points.reduce((s, p) => s + (p[0] - mx) * (p[1] - mean), 0);
	return { slope: xx ? xy / xx : 0, mean };
}

function
main(here, from)
{
	const file = join(here, 'doc', 'soak.jsonl');
	mkdirSync(join(here, 'doc'), { recursive: true });
	if (from)
		copyFileSync(from, file);
	const all = !existsSync(file) ? [] : readFileSync(file, 'utf8')
	    .split('\n').filter(Boolean).map(JSON.parse);
	const list = all.filter(l => l.scene === 'soak' && l.mode === 'fan');
	if (list.length < 6)
		throw new Error(`${list.length} slices are too few`);
	/* a slice has a second before it, and gathers and empties its rooms */
	const minutes = list.reduce((s, l) => s + l.seconds + 2, 0) / 60;
	const at = i => (i + 0.5) * minutes / list.length;
	const half = list.map((l, i) => [l, at(i)]).slice(list.length >> 1);
	const of = key => {
		const { slope, mean } = line(half.map(([l, t]) => [t, l[key]]));
		const rest = list.slice(-Math.ceil(list.length / 4));
		return { mean, run: slope * minutes / mean,
		    rest: rest.at(-1)[key] / rest[0][key] - 1 };
	};
	const mib = v => `${(v / 1048576).toFixed(1)} MiB`;
	const pct = v => `${(v * 100).toFixed(1)} %`;
	const sum = key => list.reduce((s, l) => s + (l[key] ?? 0), 0);
	const rss = of('rss'), ms = of('msg_rss'), p99 = of('p99_ms');
	const rows = [['what', 'value'],
	    ['rate', `${short(list[0].rate)} messages/s, ` +
		`${short(list[0].rate * 10)} deliveries/s, ` +
		`${list.length} slices, ${minutes.toFixed(1)} minutes`],
	    ['messages, deliveries', `${sum('sent')}, ${sum('expected')}`],
	    ['lost, doubled, out of order', ['lost', 'doubled', 'out_of_order']
		.map(sum).join(', ')],
	    ['memory of all servers', `${mib(rss.mean)}, and ${pct(rss.rest)} ` +
		'more from the last quarter\'s first slice to its last'],
	    ['memory of the msg_servers', `${mib(ms.mean)}, ${pct(ms.rest)}`],
	    ['p50, p99', `${short(median(list.map(l => l.p50_ms)))} ms, ` +
		`${short(median(list.map(l => l.p99_ms)))} ms; p99 ` +
		`by slice from ${short(Math.min(...list.map(l => l.p99_ms)))} ` +
		`to ${short(Math.max(...list.map(l => l.p99_ms)))} ms, ` +
		`${pct(p99.run)} over a run of that length`]];
	console.log(rows.map(r => r.join('\t')).join('\n'));
	writeFileSync(join(here, 'doc', 'soak.svg'), curve({ x: 'minutes',
	    series: [
		{ name: 'memory of all servers (MiB)',
		    points: list.map((l, i) => [at(i), l.rss / 1048576]) },
		{ name: 'p99 (ms)',
		    points: list.map((l, i) => [at(i), l.p99_ms]) },
	    ] }));
	fill(join(here, 'README.md'), 'soak', rows);
	const wrong = all.filter(l => l.status !== 0);
	if (wrong.length) {
		console.error(`soak.sh: ${wrong.length} runs were not clean`);
		process.exit(3);
	}
}

if (process.argv[1]?.endsWith('soak.mjs'))
	main(process.argv[2], process.argv[3]);
