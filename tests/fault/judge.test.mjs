/* SPDX-License-Identifier: MIT */
/* needs: node modules */
/*
 * The judge of the fault runs, tested: a run in which all is right passes, and
 * each planted bug is called by its name.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROMISES, WRONG, judge } from './judge.mjs';
import { PLANTED, goodRun, plant } from './planted.mjs';
import { summary, text } from './report.mjs';

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
test('every word breaks one promise', () => {
	const words = Object.values(PROMISES).flatMap(([, ...list]) => list);
	assert.deepEqual(words.sort(), Object.keys(WRONG).sort());
});
test('a live cluster: what was trimmed is no loss, a restored backup is', () => {
	const head = (l, first) => l.flatMap(r => r.k !== 'log' ||
	    r.conv !== '1' || r.seq > 1 ? [r] : [{ ...r, k: 'head', first,
	    last: 99 }, r]);
	const cut = (l, n) => l.filter(r => r.k !== 'log' || r.conv !== '1' ||
	    r.seq >= n);
	const keeps = l => head(l, 3).filter(r => r.k !== 'log' ||
	    r.conv !== '1' || r.seq >= 3);
	assert.deepEqual(judge(keeps(goodRun({ live: true }))).wrong, []);
	/* our own clusters keep all */
	assert.ok(judge(keeps(goodRun())).count.log > 0);
	/* more is gone than the server says */
	assert.ok(judge(cut(keeps(goodRun({ live: true })), 5)).count.lost > 0);
	/* an older log in its place */
	const old = goodRun({ live: true }).flatMap(r => r.k !== 'log' ? [r] :
	    r.seq > 3 ? [] : [{ ...r, ep: 'bbbbbbbb' }]);
	assert.ok(judge(old).count.lost > 0);
});
test('a cluster that keeps nothing says so, and loses nothing', () => {
	const l = goodRun({ live: true }).filter(r => r.k !== 'log')
	    .map(r => r.k === 'ack' ? { ...r, kept: false } : r);
	const v = judge(l);
	assert.deepEqual(v.wrong, []);
	assert.ok(v.n.unkept);
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
	/* a recall goes or stays with what it took */
	const kept = l.slice(end).filter(r => r.k !== 'log' || r.seq <= 3 ||
	    (r.conv === 'p:ann:dan' && r.seq === 4))
	    .map(r => r.k === 'log' ? { ...r, ep: 'bbbbbbbb' } : r);
	assert.deepEqual(judge([...l.slice(0, end), ...told, ...kept]).wrong, []);
	/* the same without a word to the people */
	const silent = judge([...l.slice(0, end), ...l.slice(end)
	    .filter(r => r.k !== 'log' || r.seq <= 3)]);
	assert.ok(silent.count.lost > 0);
});
test('who was shown nothing is not told that all is well', () => {
	const run = { crowd: { ackMs: [], refusals: 0, silentMs: 0, outMs: 0 },
	    o: {}, stuck: [], resumes: new Map(), reconnects: 0, moves: 0,
	    received: 0 };
	const said = l => {
		const s = summary(run, judge(l));
		return [s.clean, text(s, (how, x) => x).trimEnd().split('\n').at(-1)];
	};
	assert.deepEqual(said(goodRun()), [true, 'clean']);
	assert.deepEqual(said([]),
	    [false, 'NOTHING SHOWN: no message was acked']);
});
