/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * What comes with the chat and what when it is used (page.md c.18): hands
 * that are quicker than the line, and a fetch that fails once.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
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
const room = () => `first${++n}`;
const FAILED = /ERR_FAILED/;
/* Requests of these wait until the function that comes back is called. */
const hold = async (p, url) => {
	const held = [];
	let go = false;
	await p.page.route(url, r => go ? r.continue() : held.push(r));
	return { held, release: () => {
		go = true;
		for (const r of held.splice(0))
			r.continue();
	} };
};

test('a plain session: nothing of marks and uploads is fetched', async () => {
	const r = room(), a = await Client.login(ws, 'Ada', r);
	const p = await Person.join(b, url, 'Amy', { room: r });
	await a.say(r, 'plain');
	await p.sees('plain');
	await p.page.reload();
	await p.in();
	await p.sees('plain');
	assert.deepEqual(p.requests.filter(x =>
	    /\/sdk\/(asks|upload)\.js/.test(x)), []);
	assert.equal(p.tap.sent('login').length, 2);
	p.quiet();
	await p.close();
	await a.bye();
});

test('the line is dialled while the code of the chat is coming', async () => {
	const p = await Person.open(b, url);
	const chat = await hold(p, '**/js/chat.js');
	await p.page.locator('#name').fill('Amy');
	await p.page.locator('#room').fill(room());
	await p.page.locator('#join').click();
	await wait('a line', () => p.tap.sockets.length > 0);
	assert.equal(chat.held.length, 1);
	assert.deepEqual(p.tap.out, []);
	chat.release();
	await p.in();
	assert.equal(p.tap.sockets.length, 1);
	assert.equal(p.tap.sent('login').length, 1);
	p.quiet();
	await p.close();
});

test('edits and reactions that come before their module does are all done',
    async () => {
	const r = room(), a = await Client.login(ws, 'Ada', r);
	const p = await Person.open(b, url);
	const items = await hold(p, '**/js/items.js');
	await p.login('Amy', r);
	const { seq } = await a.say(r, 'one');
	const two = (await a.say(r, 'two')).seq;
	await p.sees('two');
	await a.cmd({ cmd: 'edit', rid: r, ref: seq, msg: 'one, first' });
	await wait('it is asked for', () => items.held.length > 0);
	await a.cmd({ cmd: 'edit', rid: r, ref: seq, msg: 'one, again' });
	await a.cmd({ cmd: 'react', rid: r, ref: seq, emo: '👍', on: true });
	await a.cmd({ cmd: 'recall', rid: r, ref: two });
	await a.say(r, 'behind them');
	await p.sees('behind them');
	await p.sees('one');
	items.release();
	const at = s => p.page.locator(`#log .m[data-seq="${s}"]`);
	await wait('the last edit', async () =>
	    await at(seq).locator('.text').innerText() === 'one, again');
	await at(seq).locator('.react[data-emo="👍"]').waitFor();
	await at(two).locator('.text.gone').waitFor();
	/* and a page of history has them at once */
	await p.page.reload();
	await p.in();
	await p.sees('one, again');
	await at(two).locator('.text.gone').waitFor();
	p.quiet();
	await p.close();
	await a.bye();
});

test('a fetch that fails is tried again: of what is said, of the frame',
    async () => {
	const r = room(), a = await Client.login(ws, 'Ada', r);
	const p = await Person.open(b, url);
	const left = { 'items.js': 2, 'folk.js': 1, 'more.css': 1 };
	await p.page.route(/items\.js|folk\.js|more\.css/, x => {
		const name = x.request().url().split('/').pop();
		return left[name]-- > 0 ? x.abort() : x.continue();
	});
	await p.login('Amy', r);
	const { seq } = await a.say(r, 'one');
	await p.sees('one');
	await a.cmd({ cmd: 'edit', rid: r, ref: seq, msg: 'one more' });
	await p.sees('one more');
	await p.peopleAre(['Ada', 'Amy']);
	assert.ok(Object.values(left).every(x => x < 0), JSON.stringify(left));
	p.quiet(FAILED);
	await p.close();
	await a.bye();
});

test('a button of the frame pressed before its code has come', async () => {
	const p = await Person.open(b, url);
	const frame = await hold(p, '**/js/lazy/frame.js');
	await p.login('Amy', room());
	await p.page.locator('#find').click();
	await wait('it is asked for', () => frame.held.length > 0);
	assert.equal(await p.page.locator('dialog[open]').count(), 0);
	frame.release();
	await p.page.locator('dialog#switcher[open]').waitFor();
	await p.page.keyboard.press('Escape');
	await p.page.locator('#toggle-people').click();
	await p.page.locator('#chat-view.nopeople').waitFor();
	p.quiet();
	await p.close();
});

test('read while asks.js cannot be had, and the line then lost: said on the ' +
    'next one', async () => {
	const r = room(), a = await Client.login(ws, 'Ada', r);
	const p = await Person.join(b, url, 'Amy', { room: r });
	await p.peopleAre(['Ada', 'Amy']);
	let broken = true;
	await p.page.route('**/sdk/asks.js', x => broken ? x.abort() : x.continue());
	await p.tell(a.uid);
	await a.cmd({ cmd: 'message', tid: p.uid, type: 'text', msg: 'for you' });
	await p.sees('for you');
	await wait('it is fetched in vain', () => p.errors.length > 0);
	assert.deepEqual(p.tap.sent('mark'), []);
	broken = false;
	await p.tap.cut();
	await wait('the mark', () => p.tap.sent('mark').some(f => f.tid === a.uid));
	p.quiet(FAILED);
	await p.close();
	await a.bye();
});

test('Back pressed twice before its code has come: the list, not out of here',
    async () => {
	const r = room();
	const p = await Person.open(b, url, { viewport: P, touch: true });
	/* there is a page before this one */
	await p.page.goto(`${url}?again`);
	const frame = await hold(p, '**/js/lazy/frame.js');
	await p.login('Amy', r);
	await p.page.locator('#back').click();
	await p.page.locator('#back').click();
	await wait('it is asked for', () => frame.held.length > 0);
	frame.release();
	const at = s => p.page.locator(`#chat-view[data-layer="${s}"]`).waitFor();
	await at('side');
	await p.conv(r).locator('a.go').click();
	await at('');
	assert.match(p.page.url(), /\?again#\/r\//);
	await p.page.locator('#back').click();
	await at('side');
	p.quiet();
	await p.close();
});

test('a language that is still coming when more words are wanted has those',
    async () => {
	const p = await Person.open(b, url);
	const zh = await hold(p, '**/i18n/zh.js');
	await p.page.locator('#login-lang').click();
	await wait('it is asked for', () => zh.held.length > 0);
	await p.login('Amy', room());
	await p.whole();
	zh.release();
	await p.page.locator('html[lang=zh-CN]').waitFor();
	await p.page.locator('#keys').click();
	await p.page.locator('dialog#shortcuts h2').filter({ hasText: '键盘快捷键' })
	    .waitFor();
	p.quiet();
	await p.close();
});
