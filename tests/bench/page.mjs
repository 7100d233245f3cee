/* SPDX-License-Identifier: MIT */
/* Medians, and tables between the markers of a markdown page. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export const median = list => {
	const v = list.filter(x => typeof x === 'number').sort((a, b) => a - b);
	const i = v.length >> 1;
	return !v.length ? undefined : v.length % 2 ? v[i] :
	    (v[i - 1] + v[i]) / 2;
};

/* 1234567 as people read it */
export const short = v => v === undefined || v === null ? '' :
    typeof v !== 'number' ? String(v) :
    Math.abs(v) >= 1e6 ? `${(v / 1e6).toFixed(2)}M` :
    Math.abs(v) >= 1e4 ? `${Math.round(v / 1e3)}k` :
    Math.abs(v) >= 100 ? v.toFixed(0) : Math.abs(v) >= 10 ? v.toFixed(1) :
    v.toFixed(2);

/* a text for the page between <!-- name --> and <!-- /name --> */
export function
put(page, name, text)
{
	if (!existsSync(page))
		return;
	const old = readFileSync(page, 'utf8');
	const from = `<!-- ${name} -->`, to = `<!-- /${name} -->`;
	const i = old.indexOf(from), j = old.indexOf(to);
	if (i < 0 || j < i)
		throw new Error(`${page} has no ${from}`);
	writeFileSync(page, `${old.slice(0, i + from.length)}\n${text}\n` +
	    old.slice(j));
}

/* rows, the first the head, as a table there */
export function
fill(page, name, rows)
{
	const line = r => `| ${r.join(' | ')} |`;
	put(page, name, [line(rows[0]), line(rows[0].map(() => '---')),
	    ...rows.slice(1).map(line)].join('\n'));
}
