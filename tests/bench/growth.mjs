/* SPDX-License-Identifier: MIT */
/*
 * Fits and charts of tests/bench/growth.sh: takes its lines into
 * doc/growth.jsonl, fits cost = a * n^b to each axis (least squares of the
 * logarithms), draws doc/growth_*.svg and writes the table between the
 * markers of README.md.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart } from './chart.mjs';
import { fill, median } from './page.mjs';

/*
 * What is fitted, from `over` on, where fixed costs no longer count, and once
 * more from `upper` on.
 */
export const AXES = {
	members: { what: 'members of one room', file: 'growth_members',
	    x: l => l.members, fits: {
		'processor time of a message (µs)': l =>
		    l.scene === 'members' && l.deliveries_per_cpu_s &&
		    1e6 * l.members / l.deliveries_per_cpu_s,
		'of the bare send loop (µs)': l =>
		    l.scene === 'members-limit' &&
		    1e6 * l.members / l.deliveries_per_cpu_s,
	    }, upper: 300, over: 10 },
	connections: { what: 'people who are logged in', file: 'growth_people',
	    x: l => l.connections, fits: {
		'processor time of the logins (s)': l =>
		    l.scene === 'connections-logins' && l.login_cpu_s,
		'of a server without log, relay and tables (s)': l =>
		    l.scene === 'connections-ref' && l.login_cpu_s,
		'user-space memory they took (MiB)': l =>
		    l.scene === 'connections' && l.rss_per_conn *
		    l.connections / 1048576,
	    }, from: { 'user-space memory they took (MiB)': 3000 },
	    over: 1000 },
	rooms: { what: 'rooms with people', file: 'growth_rooms',
	    x: l => l.rooms, fits: {
		'processor time of all logins (s)': l => l.cpu_s || undefined,
		'processor time of a message (µs)': l => l.cpu_us_per_message,
	    }, over: 1000 },
};

/* {a, b, r2} of y = a * x^b */
export function
fit(points)
{
	const n = points.length;
	if (n < 3)
		return undefined;
	const p = points.map(([x, y]) => [Math.log(x), Math.log(y)]);
	const mean = i => p.reduce((s, q) => s + q[i], 0) / n;
	const mx = mean(0), my = mean(1);
	const sum = (i, j) => p.reduce((s, q) => s + (q[i] - (i ? my : mx)) *
	    (q[j] - (j ? my : mx)), 0);
	const b = sum(0, 1) / sum(0, 0);
	const r2 = sum(1, 1) === 0 ? 1 : sum(0, 1) ** 2 / (sum(0, 0) * sum(1, 1));
	return { a: Math.exp(my - b * mx), b, r2 };
}

const lines = file => !existsSync(file) ? [] : readFileSync(file, 'utf8')
    .split('\n').filter(Boolean).map(JSON.parse);

/* [[x, median y]] of an axis' lines */
export function
points(list, x, y)
{
	const by = new Map();
	for (const l of list.filter(m => y(m) > 0))
		by.set(x(l), [...by.get(x(l)) ?? [], y(l)]);
	return [...by].map(([k, v]) => [k, median(v)]).sort((p, q) => p[0] - q[0]);
}

function
main(here, from)
{
	const doc = join(here, 'doc'), file = join(doc, 'growth.jsonl');
	mkdirSync(doc, { recursive: true });
	const fresh = from ? lines(from) : [];
	const all = [...lines(file).filter(l =>
	    !fresh.some(f => f.scene === l.scene)), ...fresh];
	writeFileSync(file, all.map(l => `${JSON.stringify(l)}\n`).join(''));
	const rows = [['what grows', 'cost', 'from', 'to', 'exponent', 'r²',
	    'runs']];
	for (const [name, a] of Object.entries(AXES)) {
		const ours = all.filter(l => l.scene.split('-')[0] === name);
		const list = ours.filter(l => l.status === 0);
		const series = [];
		for (const [cost, y] of Object.entries(a.fits)) {
			const p = points(list, a.x, y);
			const over = a.from?.[cost] ?? a.over;
			series.push({ name: cost, points: p, from: over,
			    fit: fit(p.filter(([x]) => x >= over)) });
			for (const from of a.upper ? [over, a.upper] : [over]) {
				const part = p.filter(([x]) => x >= from);
				const f = fit(part);
				if (f)
					rows.push([a.what, cost, part[0][0],
					    part.at(-1)[0], f.b.toFixed(2),
					    f.r2.toFixed(3), Math.min(...part.map(
					    ([x]) => list.filter(l => a.x(l) === x &&
					    y(l) > 0).length))]);
			}
		}
		if (list.length < ours.length) {
			console.error(`growth.sh: ${ours.length - list.length} runs ` +
			    `of ${name} were not clean, and are left out`);
			process.exitCode = 3;
		}
		if (series.some(s => s.points.length))
			writeFileSync(join(doc, `${a.file}.svg`), chart({ x: a.what,
			    series }));
	}
	console.log(rows.map(r => r.join('\t')).join('\n'));
	fill(join(here, 'README.md'), 'growth', rows);
}

if (process.argv[1] === import.meta.filename ||
    process.argv[1]?.endsWith('growth.mjs'))
	main(process.argv[2], process.argv[3]);
