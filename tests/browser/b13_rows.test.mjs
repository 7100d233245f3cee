/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/* page.md (d) 34, and rows of pictures, voices and files (c.5, c.11). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { png } from '../lib/media.mjs';
import { P, Person, launch, wait } from './page.mjs';

let c, b, url, ws, n = 0;
before(async () => {
	c = await Cluster.start({ msgs: 1 });
	url = c.msgs[0].page;
	ws = c.msgs[0].ws;
	b = await launch();
});
after(async () => {
	await b?.close();
	await c?.stop();
});
const room = () => `row${++n}`;

/* Pictures under /u/ are served when go() is called. */
async function
pictures(p, w, h)
{
	let go;
	const open = new Promise(r => { go = r; });
	await p.page.route('**/u/*.png*', async route => {
		await open;
		await route.fulfill({ contentType: 'image/png', body: png(w, h) });
	});
	return go;
}
const send = (a, r, type, msg) => a.cmd({ cmd: 'message', type, rid: r, msg });
const size = async loc => {
	const { width, height } = await loc.boundingBox();
	return [Math.round(width), Math.round(height)];
};

test('page 34: addresses that are not ours: text, and no request', async () => {
	const r = room(), a = await Client.login(ws, 'Eve', r);
	const p = await Person.join(b, url, 'Amy', { room: r });
	const here = new URL(url).origin;
	const bad = ['https://evil.example/x.png', '//evil.example/x.png',
	    '/\\evil.example/x.png', 'javascript:alert(1)',
	    'data:image/svg+xml,<svg/>', 'data:image/png;base64,AAAA',
	    `blob:${here}/0b9c6f4e-0000-4000-8000-000000000000`,
	    '/js/main.js', '/u/../js/chat.js?x', '/u/x.svg', '/u/x.svg?w=1&h=1',
	    'http://', `${here}.evil.example/u/x.png`, 'ftp://evil.example/u/x.png',
	    'https://evil.example/u/x.png', '//evil.example/u/x.png?w=1&h=1',
	    here.replace(/\d+$/, '1/u/x.png'),
	    ' ', '\u202e/u/x.png?'];
	const before = p.requests.length;
	for (const type of ['pic', 'audio', 'file'])
		for (const s of bad)
			await send(a, r, type, s);
	await a.say(r, 'the end');
	await p.sees('the end');
	assert.equal(await p.page.locator('#log img, #log audio, #log .file, ' +
	    '#log a, #log [src], #log .pic').count(), 0);
	const shown = await p.texts();
	for (const [s, kind] of [[bad[0], 'Picture'], [bad[3], 'Voice message'],
	    [bad[4], 'Picture'], [bad[6], 'File'], [bad[7], 'File']])
		assert.ok(shown.includes(`${kind}: ${s}`), `${kind}: ${s}`);
	await p.frames(5);
	const asked = p.requests.slice(before).filter(u =>
	    !/^\/(js|i18n|css|sdk)\//.test(new URL(u).pathname) ||
	    new URL(u).origin !== here);
	assert.deepEqual(asked, []);
	p.quiet();
	await p.close();
	await a.bye();
});

test('a picture has its room before it comes, and a window of its own',
    async () => {
	const r = room(), a = await Client.login(ws, 'Ada', r);
	const p = await Person.open(b, url);
	const go = await pictures(p, 1600, 800);
	await p.login('Amy', r);
	await send(a, r, 'pic', '/u/a.png?w=1600&h=800');
	const img = p.page.locator('#log .pic img');
	await img.waitFor();
	assert.deepEqual(await size(img), [480, 240]);
	for (const [k, v] of [['loading', 'lazy'], ['decoding', 'async']])
		assert.equal(await img.getAttribute(k), v);
	go();
	await wait('it is there', () => img.evaluate(i => i.naturalWidth));
	assert.deepEqual(await size(img), [480, 240]);
	/* reactions leave the element as it is: nothing is fetched again */
	await img.evaluate(i => { i.same = true; });
	await a.cmd({ cmd: 'react', rid: r, ref: 1, emo: '👍', on: true });
	await p.page.locator('#log .react').waitFor();
	assert.equal(await img.evaluate(i => i.same), true);
	/* by key as by mouse; Esc leads back */
	await p.page.locator('#log .pic').focus();
	await p.page.keyboard.press('Enter');
	const big = p.page.locator('#viewer img');
	await big.waitFor();
	await wait('it is large', async () => (await size(big))[0] > 480);
	await p.page.keyboard.press('Escape');
	await p.page.locator('#viewer').waitFor({ state: 'detached' });
	assert.ok(await p.page.locator('#log .pic').evaluate(el =>
	    el === document.activeElement));
	p.quiet();
	await p.close();
	await a.bye();
});

test('a picture of no known size moves nobody who reads elsewhere',
    async () => {
	const r = room(), a = await Client.login(ws, 'Ada', r);
	await send(a, r, 'pic', '/u/b.png');
	for (let i = 2; i <= 25; i++)
		await a.say(r, `m${i}`);
	const p = await Person.open(b, url);
	const go = await pictures(p, 300, 900);
	await p.login('Amy', r);
	await p.sees('m25');
	const img = p.page.locator('#log .pic img');
	await img.waitFor();
	assert.deepEqual(await size(img), [320, 200]);
	/* the picture just above what is read */
	const y = () => p.page.locator('#log .m[data-seq="14"]').evaluate(el =>
	    el.getBoundingClientRect().top);
	await p.page.locator('#log').evaluate(el => {
		const k = el.querySelector('.m[data-seq="3"]');
		el.scrollTop += k.getBoundingClientRect().top -
		    el.getBoundingClientRect().top;
	});
	await p.frames(3);
	const was = await y();
	go();
	await wait('its own size', async () =>
	    (await size(img)).join() === '133,400');
	await p.frames(3);
	assert.ok(Math.abs(await y() - was) <= 1, `${await y() - was} px`);
	p.quiet();
	await p.close();
	await a.bye();
});

test('voices and files; on a phone nothing is wider than the page',
    async () => {
	const r = room(), a = await Client.login(ws, 'Ada', r);
	await send(a, r, 'audio', '/u/c.m4a?ms=1600');
	await send(a, r, 'file', '/u/d.pdf?name=report%E2%80%AE%20final.pdf');
	await send(a, r, 'file', '/u/e.bin');
	await send(a, r, 'pic', '/u/a.png?w=4000&h=100');
	/* a reaction that is no emoji */
	const said = await a.say(r, 'look at this');
	await a.cmd({ cmd: 'react', rid: r, ref: said.seq, emo: 'W'.repeat(32),
	    on: true });
	const p = await Person.open(b, url, { viewport: P, touch: true });
	(await pictures(p, 4000, 100))();
	await p.page.route('**/u/c.m4a*', route => route.fulfill({ status: 404 }));
	await p.login('Amy', r);
	const voice = p.page.locator('#log audio');
	await voice.waitFor();
	assert.equal(await voice.getAttribute('preload'), 'metadata');
	assert.equal(await voice.getAttribute('aria-label'), 'Voice message');
	const file = p.page.locator('#log a.file');
	assert.deepEqual(await file.allInnerTexts(), ['report final.pdf', 'File']);
	assert.equal(await file.first().getAttribute('download'),
	    'report final.pdf');
	assert.match(await file.first().getAttribute('href'),
	    /^http:\/\/127\.0\.0\.1:\d+\/u\/d\.pdf\?/);
	await p.page.locator('#log .react').waitFor();
	const wide = await p.page.evaluate(() => [document.documentElement
	    .scrollWidth, document.querySelector('#log').scrollWidth,
	    innerWidth]);
	assert.ok(wide[0] <= wide[2] && wide[1] <= wide[2], wide.join());
	p.quiet(/404/);
	await p.close();
	await a.bye();
});

/* ---- what plain rows do without comes late, or not ---- */

/* A room with more than text; the number of its last message. */
async function
colours(r)
{
	const a = await Client.login(ws, 'Ada', r);
	for (let i = 1; i <= 20; i++)
		await a.say(r, `m${i}`);
	await send(a, r, 'pic', '/u/a.png?w=1600&h=800');
	const said = await a.say(r, 'a **bold** word\n> quoted\n```\ncode\n```');
	await a.cmd({ cmd: 'react', rid: r, ref: said.seq, emo: '👍', on: true });
	for (let i = 23; i <= 42; i++)
		await a.say(r, `m${i}`);
	return a;
}
/*
 * The page of who comes into it.  The log's patience ends when enough() is
 * called; `made` has, of each row ever drawn of the picture, whether it had one.
 */
async function
comes(r, answer)
{
	const p = await Person.open(b, url);
	await p.page.addInitScript(() => {
		const later = setTimeout;
		window.setTimeout = (fn, ms, ...more) => ms === 2000 ?
		    (window.enough = fn, 0) : later(fn, ms, ...more);
		window.made = [];
		new MutationObserver(() => {
			const m = document.querySelector('#log .m[data-seq="21"]');
			if (m && m !== window.last)
				window.made.push(!!m.querySelector('.pic'));
			window.last = m;
		}).observe(document, { childList: true, subtree: true });
	});
	await p.page.route('**/js/lazy/rich.js', answer);
	await p.page.route('**/u/*.png*', route => route.fulfill({
	    contentType: 'image/png', body: png(1600, 800) }));
	await p.page.reload();
	await p.page.locator('#name').fill('Amy');
	await p.page.locator('#room').fill(r);
	await p.page.locator('#join').click();
	return p;
}
const asked = p => wait('it is asked for', () => p.requests.some(u =>
    u.endsWith('/js/lazy/rich.js')));
/* Its size, and that of the row with marks and a reaction. */
const whole = async p => {
	await p.in();
	const img = p.page.locator('#log .pic img');
	await img.waitFor();
	assert.deepEqual(await size(img), [480, 240]);
	for (const el of ['strong', 'blockquote', 'pre', '.react'])
		await p.page.locator(`#log .m[data-seq="22"] ${el}`).waitFor();
};

test('rows wait for what draws them, and are right at once', async () => {
	const r = room(), a = await colours(r);
	let go;
	const open = new Promise(f => { go = f; });
	const p = await comes(r, async route => {
		await open;
		await route.continue();
	});
	await asked(p);
	await p.page.locator('#log .bone').first().waitFor();
	await a.say(r, 'm43');
	await wait('m43', () => p.tap.in.some(f => f.msg === 'm43'));
	await p.frames(5);
	assert.equal(await p.page.locator('#log .m').count(), 0);
	go();
	await p.sees('m43');
	await whole(p);
	assert.deepEqual(await p.page.evaluate(() => window.made), [true]);
	p.quiet();
	await p.close();
	await a.bye();
});

test('what draws them is too late: text, and nobody is moved when it comes',
    async () => {
	const r = room(), a = await colours(r);
	let go;
	const open = new Promise(f => { go = f; });
	const p = await comes(r, async route => {
		await open;
		await route.continue();
	});
	await asked(p);
	await wait('patience', () => p.page.evaluate(() => !!window.enough));
	await p.page.evaluate(() => window.enough());
	await p.in();
	await p.sees('m42');
	await p.sees('Picture: /u/a.png?w=1600&h=800');
	await p.sees('a **bold** word > quoted ``` code ```');
	assert.equal(await p.page.locator('#log :is(.pic, strong, .react)')
	    .count(), 0);
	/* what is written then is there as always */
	await p.say('mine');
	await p.sees('mine');
	/* who reads further down keeps his place: rows above grow */
	const row = p.page.locator('#log .m[data-seq="25"]');
	const y = () => row.evaluate(el => el.getBoundingClientRect().top);
	await p.page.locator('#log').evaluate(el => {
		el.scrollTop += el.querySelector('.m[data-seq="25"]')
		    .getBoundingClientRect().top - el.getBoundingClientRect().top -
		    el.clientHeight / 2 + 10;
	});
	await p.frames(3);
	const was = await y();
	go();
	await whole(p);
	await p.frames(3);
	assert.ok(Math.abs(await y() - was) <= 1, `${await y() - was} px`);
	p.quiet();
	await p.close();
	await a.bye();
});

test('what draws them fails at first: it is asked for again', async () => {
	const r = room(), a = await colours(r);
	let n = 0;
	const p = await comes(r, route => n++ < 2 ? route.abort() :
	    route.continue());
	await whole(p);
	await p.sees('m42');
	assert.ok(n >= 3, `${n} requests`);
	p.quiet(/ERR_FAILED/);
	await p.close();
	await a.bye();
});
