/* SPDX-License-Identifier: MIT */
/* needs: node */
/* The parts of the page that need no browser: text, words, conversations. */
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { test } from 'node:test';
import { clean, hue, initials } from '../../www/js/format.js';
import { href, jumbo, scan } from '../../www/js/lazy/markup.js';
import { firstNew, firstSeq, insert, lastSeq, makeConv, recount, settle, shorten }
    from '../../www/js/conv.js';

const www = new URL('../../www/', import.meta.url);
const text = path => readFile(new URL(path, www), 'utf8');

/* The tree as a short string: <b:...> and the like. */
const show = nodes => nodes.map(n => n.t === 'text' ? n.v
    : `<${n.t}:${n.v ?? show(n.k)}>`).join('');
const names = (s, i) => s.startsWith('Ada', i) ? { n: 3, me: true } : null;
const fmt = s => show(scan(s, names));

test('format: emphasis, code, quotes', () => {
	for (const [s, want] of [
		['a*b*c', 'a*b*c'],
		['snake_case_name', 'snake_case_name'],
		['2 * 3 * 4', '2 * 3 * 4'],
		['**bold** *it* ~~no~~', '<b:bold> <i:it> <s:no>'],
		['他说**重要**的', '他说<b:重要>的'],
		['**a *b* c**', '<b:a <i:b> c>'],
		['**open', '**open'],
		['`a*b*` ``x`y``', '<code:a*b*> <code:x`y>'],
		['`open', '`open'],
		['```c\nint x;\n```', '<pre:int x;>'],
		['a\n```\nx\n```\nb', 'a<pre:x>b'],
		['```', '```'],
		['> q\n> r\ns', '<quote:q\nr>s'],
		['>no', '>no'],
		['hi @Ada! x@Ada', 'hi <at:@Ada>! x@Ada'],
		['@Bob', '@Bob'],
		['', ''],
	])
		assert.equal(fmt(s), want, s);
});

test('format: links, and only those we let through', () => {
	for (const [s, want] of [
		['https://x.org/a_(b)', '<a:https://x.org/a_(b)>'],
		['看 https://x.org/路径，好', '看 <a:https://x.org/路径>，好'],
		['(see http://x.org/).', '(see <a:http://x.org/>).'],
		['https://a.b/"onmouseover="x', '<a:https://a.b/>"onmouseover="x'],
		['https://x.org/<b>', '<a:https://x.org/><b>'],
		['mailto:a@b.org ok', '<a:mailto:a@b.org> ok'],
		['javascript:alert(1)', 'javascript:alert(1)'],
		['[x](javascript:alert(1))', '[x](javascript:alert(1))'],
		['data:text/html,x', 'data:text/html,x'],
		['xhttps://a.b', 'xhttps://a.b'],
		['https://', 'https://'],
		['http://[', 'http://['],
		['**https://a.b/**', '<b:<a:https://a.b/>>'],
	])
		assert.equal(fmt(s), want, s);
	for (const s of ['javascript:alert(1)', 'data:text/html,x', 'vbscript:x',
	    '//evil/x', 'file:///etc', 'blob:x', ' javascript:x'])
		assert.equal(href(s), '', s);
	assert.equal(href('tel:123'), 'tel:123');
});

test('format: no message takes long, and none is lost', () => {
	const all = t => t.map(n => n.v ?? all(n.k)).join('');
	let slow = 0;
	for (const p of ['`', '``a', '`a', '**a ', '~~a ', '*a *', '@', '@A', ':',
	    '*a', '**a**', '```a', '> ', 'http://', 'http://a)', '`a``b```c',
	    '*a* *', 'https://a.', '[', '(', '\n> *']) {
		const s = p.repeat(Math.ceil(16384 / p.length)).slice(0, 16384);
		/* the best of three, in processor time: others work here too */
		let best = Infinity;
		for (let i = 0; i < 3; i++) {
			const t0 = process.cpuUsage().user;
			scan(s, () => null);
			best = Math.min(best, process.cpuUsage().user - t0);
		}
		slow = Math.max(slow, best / 1000);
	}
	/* one regular expression for all of it took 3.9 s */
	assert.ok(slow < 500, `${slow} ms`);
	/* a fixed sequence of random ones: every letter comes out again */
	let seed = 7;
	const rnd = n => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n;
	const bits = ['*', '**', '`', '~~', '@Ada', 'a', ' ', '字', '_', '(', ')',
	    'https://x.y/', '\n', '.'];
	for (let i = 0; i < 2000; i++) {
		const s = Array.from({ length: rnd(60) }, () =>
		    bits[rnd(bits.length)]).join('');
		const left = x => x.replace(/[*`~\n]/g, '');
		assert.equal(left(all(scan(s, names))), left(s), JSON.stringify(s));
	}
	assert.equal(scan('x'.repeat(20000))[0].t, 'text');
});

test('names: cut, cleaned, initials, hues', () => {
	assert.equal(clean('a\u202eb\u0000c\u200b'), 'abc');
	assert.equal([...clean('x'.repeat(500))].length, 64);
	assert.equal(clean('\u202e', 'u1'), 'u1');
	assert.equal(clean(undefined, 'u1'), 'u1');
	for (const [n, want, small] of [['Ada Chen', 'AC', 'A'], ['林小雨', '小雨', '雨'],
	    ['bob', 'B', 'B'], ['😀', '😀', '😀'], ['', '?', '?']])
		assert.deepEqual([initials(n), initials(n, true)], [want, small], n);
	const hues = new Set();
	for (let i = 0; i < 500; i++)
		hues.add(hue(`10000000000${i}`));
	assert.equal(hues.size, 12);
	for (const [s, want] of [['👍', true], ['👍🔥❤️', true], ['👨‍👩‍👧', true],
	    ['👍👍👍👍', false], ['12', false], ['#', false], ['a👍', false]])
		assert.equal(jumbo(s), want, s);
});

const msg = (seq, o = {}) => ({ ord: seq, seq, uid: '7', name: 'Bob',
    type: 'text', msg: `m${seq}`, ts: seq, mine: false, state: '', ...o });
const own = cid => msg(0, { seq: undefined, cid, uid: '1', mine: true,
    state: 'pending', msg: cid });
const order = c => c.items.map(i => i.msg);

test('conversation: by seq, my own at the end until it is stored', () => {
	const c = makeConv('1');
	assert.deepEqual([c.dm, c.id, makeConv('@7').dm, makeConv('@7').id],
	    [false, '1', true, '7']);
	for (const n of [3, 1, 2])
		insert(c, msg(n));
	const a = own('a');
	insert(c, a);
	insert(c, msg(4));
	assert.deepEqual(order(c), ['m1', 'm2', 'm3', 'a', 'm4']);
	settle(c, a, { seq: 5, ts: 99 });
	assert.deepEqual(order(c), ['m1', 'm2', 'm3', 'm4', 'a']);
	assert.equal(a.state, 'sent');
	assert.deepEqual([firstSeq(c), lastSeq(c)], [1, 5]);
	/* stored before, and in the history already: no second row */
	const b = own('b');
	insert(c, b);
	insert(c, msg(6));
	settle(c, b, { seq: 6 });
	assert.deepEqual(order(c), ['m1', 'm2', 'm3', 'm4', 'a', 'm6']);
});

test('conversation: without seq (version 1) as it comes', () => {
	const c = makeConv('1');
	for (const m of ['x', 'y', 'z'])
		insert(c, msg(0, { seq: undefined, msg: m }));
	assert.deepEqual(order(c), ['x', 'y', 'z']);
});

test('conversation: what is new, and the far end forgotten', () => {
	const c = makeConv('1');
	for (let n = 1; n <= 10; n++)
		insert(c, msg(n, { mine: n === 9, at: n === 8 }));
	c.read = 6;
	recount(c);
	assert.deepEqual([c.unread, c.mention, firstNew(c)], [3, 1, 7]);
	c.read = 10;
	recount(c);
	assert.deepEqual([c.unread, firstNew(c)], [0, 0]);
	c.more = false;
	shorten(c, 4);
	assert.deepEqual([c.items.length, c.more, c.seqs.has(6), c.seqs.has(7)],
	    [4, true, false, true]);
});

test('no HTML sink in anything that is shipped', async () => {
	const bad = /\b(innerHTML|outerHTML|insertAdjacentHTML|DOMParser|srcdoc|createContextualFragment)\b|document\.write|\beval\(|new Function|setTimeout\(['"`]|setHTML/;
	for (const dir of ['js/', 'js/lazy/', 'sdk/', 'i18n/'])
		for (const f of await readdir(new URL(dir, www)))
			if (f.endsWith('.js'))
				assert.doesNotMatch(await text(dir + f), bad, dir + f);
	for (const f of ['index.html', 'sdk/example.html']) {
		const html = await text(f);
		assert.doesNotMatch(html, /\s(on\w+|style)=/, f);
		assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)/, f);
		assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//, f);
	}
});
