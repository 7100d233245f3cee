/* SPDX-License-Identifier: MIT */
/*
 * needs: node
 *
 * What the growth, soak and target tables are made by: known laws must come
 * out of the fits, charts must be sound, and tables land in their page.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chart, curve } from './chart.mjs';
import { fit, points } from './growth.mjs';
import { fill, median, short } from './page.mjs';
import { sorter, table, where } from './profile.mjs';
import { line } from './soak.mjs';

test('a power law is found, and how well it fits', () => {
	const xs = [10, 30, 100, 300, 1000];
	const f = fit(xs.map(x => [x, 3 * x ** 1.25]));
	assert.ok(Math.abs(f.b - 1.25) < 1e-9 && Math.abs(f.a - 3) < 1e-9);
	assert.ok(f.r2 > 0.999999);
	const bad = fit(xs.map((x, i) => [x, x * (i % 2 ? 4 : 0.25)]));
	assert.ok(bad.r2 < 0.9, `${bad.r2}`);
	assert.equal(fit([[1, 1], [2, 2]]), undefined);
});

test('points are medians by n, without what was not measured', () => {
	const list = [[10, 5], [10, 7], [10, 90], [20, undefined], [5, 1]]
	    .map(([n, v]) => ({ n, v }));
	assert.deepEqual(points(list, l => l.n, l => l.v), [[5, 1], [10, 7]]);
	assert.equal(median([]), undefined);
	assert.equal(median([1, undefined, 4]), 2.5);
	assert.equal(short(1234567), '1.23M');
});

test('a slope', () => {
	const l = line([[0, 10], [1, 12], [2, 14]]);
	assert.ok(Math.abs(l.slope - 2) < 1e-9 && Math.abs(l.mean - 12) < 1e-9);
	assert.equal(line([[0, 3], [1, 3]]).slope, 0);
});

test('charts are whole, and stay on their sheet', () => {
	const p = [[10, 3], [100, 30], [1000, 299]];
	const o = { x: 'people & <rooms>', series: [
		{ name: 'one', points: p, fit: fit(p) },
		{ name: 'two', points: p.map(([x, y]) => [x, y * 2]) },
	] };
	for (const svg of [chart(o), curve(o)]) {
		const open = svg.match(/<(svg|style|text)\b/g).length;
		const shut = svg.match(/<\/(svg|style|text)>/g).length;
		assert.equal(open, shut);
		assert.ok(svg.includes('people &amp; &lt;rooms&gt;'));
		assert.ok(svg.includes('prefers-color-scheme:dark'));
		assert.ok(!/NaN|undefined|Infinity/.test(svg), svg);
		const all = [...svg.matchAll(/cx="([-\d.]+)" cy="([-\d.]+)"/g)];
		assert.equal(all.length, p.length + 1);
		for (const [, x, y] of all)
			assert.ok(+x >= 0 && +x <= 560 && +y >= 0 && +y <= 320);
	}
	assert.ok(chart(o).includes('n^1.00, r² 1.000'));
	/* the line is drawn over what was fitted, and no further */
	const line = from => /class="f d l0" d="M([\d.]+)/.exec(chart({ ...o,
	    series: [{ ...o.series[0], from }] }))[1];
	assert.ok(+line(100) > +line(0));
});

test('what perf saw is sorted by the call, and by the module', () => {
	const k = '[kernel.kallsyms]', ms = '/x/msg_server/msg_server';
	const of = (...f) => where(f.map(([sym, dso]) => ({ sym, dso })));
	assert.equal(of(['tcp_ack', k], ['__x64_sys_sendto', k], ['__send',
	    'libc.so.6']), 'kernel: send()');
	assert.match(of(['tcp_v4_rcv', k], ['net_rx_action', k],
	    ['__x64_sys_sendto', k]), /^kernel: receiving for the other end/);
	assert.equal(of(['x', k], ['__x64_sys_fdatasync', k]),
	    'kernel: the disk');
	assert.equal(of(['clear_page', k]), 'kernel: other');
	assert.match(of(['turn_give_to', ms]), /^what goes out/);
	assert.equal(of(['whatever', ms]), 'other of ours');
	assert.equal(of(['sqlite3Step', 'libsqlite3.so.0']), 'SQLite');
	assert.equal(of(['__send', 'libc.so.6']), 'libc and other libraries');

	const s = sorter();
	const seen = (comm, sym, dso) => ['', `${comm} `,
	    `\t  55aa ${sym} (${dso})`, '\t  1234 caller (/x/y)'];
	for (const l of [...seen('msg_server', 'turn_give_to+0x12', ms),
	    ...seen('msg_server', 'turn_item', ms),
	    ...seen('msg_server', '[unknown]', 'libev.so.4'),
	    ...seen('proxy_server', 'sqlite3Step', 'libsqlite3.so.0'), ''])
		s.line(l);
	s.end();
	const counts = Object.fromEntries([...s.counts].map(([c, v]) =>
	    [c, Object.fromEntries(v)]));
	const rows = table([{ scene: 'A', per_cpu_s: 250000, counts }]);
	assert.deepEqual(rows[1], ['msg_server',
	    'what goes out: a turn, its blocks, its queues', '50.0 %', '2.000']);
	assert.deepEqual(rows.at(-1), ['all', 'together', '100.0 %', '4.000']);
	assert.equal(rows.length, 6);
});

test('a table lands between its markers, and again in its place', () => {
	const dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
	const page = join(dir, 'p.md');
	writeFileSync(page, 'a\n<!-- t -->\n<!-- /t -->\nb\n');
	fill(page, 't', [['x', 'y'], ['1', '2']]);
	fill(page, 't', [['x', 'y'], ['3', '4']]);
	assert.equal(readFileSync(page, 'utf8'),
	    'a\n<!-- t -->\n| x | y |\n| --- | --- |\n| 3 | 4 |\n<!-- /t -->\nb\n');
	assert.throws(() => fill(page, 'other', [['x']]), /no <!-- other -->/);
	rmSync(dir, { recursive: true });
});
