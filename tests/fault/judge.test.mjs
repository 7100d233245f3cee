/* SPDX-License-Identifier: MIT */
/* needs: node modules */
/*
 * The judge of the fault runs, tested: a run in which all is right passes, and
 * each planted bug is called by its name.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WRONG, judge } from './judge.mjs';
import { PLANTED, goodRun, plant } from './planted.mjs';

const table = [];

test('what is right passes', () => {
	const v = judge(goodRun());
	assert.deepEqual(v.wrong, []);
	assert.ok(v.n.acked > 30);
});
for (const p of PLANTED)
	test(`caught: ${p.bug}`, () => {
		const v = judge(plant(p));
		const words = [...new Set(v.wrong.map(w => w.what))];
		table.push([p.bug, words.includes(p.what) ? p.what : '-',
		    words.filter(w => w !== p.what).join(' ')]);
		assert.ok(words.includes(p.what), `${p.what} is not in ` +
		    JSON.stringify(v.wrong));
	});
test('the table', t => {
	t.diagnostic(`${'planted bug'.padEnd(54)} caught as (and as)`);
	for (const [bug, what, more] of table)
		t.diagnostic(`${bug.padEnd(54)} ${what}${more ? ` (${more})` : ''}`);
	assert.equal(table.length, PLANTED.length);
	/* there is a bug for every word the judge knows */
	const said = new Set(PLANTED.map(p => p.what));
	assert.deepEqual(Object.keys(WRONG).filter(w => !said.has(w)), []);
});
test('weaker logs: a new history that all were told of is no loss', () => {
	const l = goodRun({ sync: 'normal' }).map(r => ({ ...r }));
	/* the machine fell: nothing of the old log is left, all are told */
	const end = l.findIndex(r => r.k === 'log');
	const t = l[end].t - 1;
	const told = [...new Map(l.filter(r => r.k === 'in' && 'ep' in r)
	    .map(r => [`${r.s} ${r.conv}`, r])).values()]
	    .filter(r => !l.some(x => x.k === 'shut' && x.s === r.s))
	    .map(r => ({ k: 'gap', s: r.s, conv: r.conv, ep: 'bbbbbbbb', from: 1,
	    to: 0, t }));
	const kept = l.slice(end).filter(r => r.k !== 'log' || r.seq <= 3)
	    .map(r => r.k === 'log' ? { ...r, ep: 'bbbbbbbb' } : r);
	assert.deepEqual(judge([...l.slice(0, end), ...told, ...kept]).wrong, []);
	/* the same without a word to the people */
	const silent = judge([...l.slice(0, end), ...l.slice(end)
	    .filter(r => r.k !== 'log' || r.seq <= 3)]);
	assert.ok(silent.count.lost > 0);
});
