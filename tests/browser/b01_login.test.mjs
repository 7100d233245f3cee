/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/* page.md (d) 1 to 4 and 7: coming in. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster, sleep, www } from '../lib/cluster.mjs';
import { V1Server } from '../lib/v1server.mjs';
import { Client } from '../lib/client.mjs';
import { Person, launch } from './page.mjs';

let c, b, url;
before(async () => {
	c = await Cluster.start({ msgs: 1 });
	url = c.msgs[0].page;
	b = await launch();
});
after(async () => {
	await b?.close();
	await c?.stop();
});

test('page 1: the name has the focus; an empty one is not sent', async () => {
	const p = await Person.open(b, url);
	const focused = () => p.page.evaluate(() => document.activeElement.id);
	await p.page.locator('#login-view:not([hidden])').waitFor();
	assert.equal(await focused(), 'name');
	await p.page.locator('#join').click();
	assert.equal(await focused(), 'name');
	await p.page.locator('#name').press('Enter');
	/* a time in which nothing may be sent */
	await sleep(200);
	assert.equal(await focused(), 'name');
	assert.deepEqual(p.tap.out, []);
	p.quiet();
	await p.close();
});
/* how fast it is: tests/bench/browser.mjs */
test('page 2: name and Enter: one login frame, and the log', async () => {
	const p = await Person.open(b, url);
	await p.page.locator('#name').fill('林小雨');
	await p.page.locator('#name').press('Enter');
	await p.in();
	const logins = p.tap.sent('login');
	assert.equal(logins.length, 1);
	const [f] = logins;
	assert.equal(f.v, 2);
	assert.equal(f.name, '林小雨');
	assert.equal(f.rid, '1');
	assert.equal(f.uid, undefined, 'a uid of its own making');
	assert.match(f.dev, /^[A-Za-z0-9_-]{1,32}$/);
	p.quiet();
	await p.close();
});
test('page 3: remembered or not', async () => {
	const p = await Person.join(b, url, 'Remember');
	const { uid } = p;
	p.tap.in.length = 0;
	await p.page.reload();
	await p.in();
	assert.equal(p.uid, uid, 'after a reload');
	/* another tab: the form, filled in */
	const q = await Person.open(b, url, { context: p.context });
	await q.page.locator('#login-view:not([hidden])').waitFor();
	assert.equal(await q.page.locator('#name').inputValue(), 'Remember');
	await q.page.locator('#join').click();
	await q.in();
	assert.equal(q.uid, uid, 'in another tab');
	await p.close();

	const r = await Person.open(b, url);
	await r.page.locator('#remember').uncheck();
	await r.login('Forget');
	const other = r.uid;
	r.tap.in.length = 0;
	await r.page.reload();
	await r.page.locator('#login-view:not([hidden])').waitFor();
	assert.equal(await r.page.locator('#name').inputValue(), '');
	await r.login('Forget');
	assert.notEqual(r.uid, other);
	await r.close();
});
test('page 4: room and token from the address, and gone from it', async () => {
	const p = await Person.open(b, url, { path: '?room=dev' });
	await p.page.locator('#login-view:not([hidden])').waitFor();
	assert.equal(await p.page.locator('#room').inputValue(), 'dev');
	await p.login('Amy');
	assert.equal(p.tap.sent('login')[0].rid, 'dev');
	await p.close();

	const q = await Person.open(b, url, { tap: false });
	await q.page.addInitScript(() => {
		const W = WebSocket;
		globalThis.dials = [];
		globalThis.WebSocket = class extends W {
			constructor(u, ...rest)
			{
				globalThis.dials.push([u, location.href]);
				super(u, ...rest);
			}
			send(s)
			{
				(globalThis.sent ??= []).push(s);
				super.send(s);
			}
		};
	});
	await q.page.goto('about:blank');
	await q.page.goto(`${url}#token=abc-secret&room=ops`);
	await q.page.locator('#name').fill('Amy');
	await q.page.locator('#join').click();
	await q.page.waitForFunction(() => globalThis.sent?.length);
	const seen = await q.page.evaluate(() => ({ dials: globalThis.dials,
	    first: JSON.parse(globalThis.sent[0]),
	    entries: performance.getEntries().map(e => e.name),
	    here: location.href }));
	assert.equal(seen.first.token, 'abc-secret');
	assert.equal(seen.first.rid, 'ops');
	for (const [u, href] of seen.dials) {
		assert.ok(!u.includes('abc-secret'), u);
		assert.ok(!href.includes('token'), href);
	}
	assert.ok(!seen.here.includes('abc-secret'));
	assert.ok(!q.requests.some(r => r.replace(/#.*/, '')
	    .includes('abc-secret')));
	for (const e of seen.entries.filter(x => x !== `${url}#token=abc-secret&` +
	    'room=ops'))
		assert.ok(!e.includes('abc-secret'), e);
	await q.close();
});
test('page 7: a plain CChat server: login, send, receive, in private',
    async () => {
	const s = await V1Server.listen({ www, interval: 0 });
	try {
		const p = await Person.open(b, s.page);
		await p.page.locator('#name').fill('Amy');
		await p.page.locator('#join').click();
		await p.page.locator('#chat-view[data-v="1"]').waitFor();
		const other = await Client.login(s.url, 'Bob', '1', { v: 1 });
		/* what such a server hasn't is not offered */
		for (const sel of ['#attach', '#mic', '#typing.on', '#banner',
		    '#final'])
			assert.ok(!await p.page.locator(sel).isVisible(), sel);
		await p.say('hello from the page');
		assert.deepEqual({ ...await other.hear('hello from the page') },
		    { cmd: 'message', type: 'text', uid: p.uid, name: 'Amy',
		    msg: 'hello from the page', rid: '1' });
		await p.sees('hello from the page');
		other.send({ cmd: 'message', type: 'text', msg: 'hi page', rid: '1' });
		await p.sees('hi page');
		await p.tell(other.uid);
		await p.say('psst');
		const m = await other.hear('psst');
		assert.equal(m.tid, other.uid);
		/* the menu of what I said, and of what I heard */
		const menu = async row => {
			await row.locator('.text').dispatchEvent('contextmenu',
			    { bubbles: true, clientX: 500, clientY: 300 });
			const items = p.page.locator('#menu [role=menuitem]');
			await items.first().waitFor();
			const all = await items.evaluateAll(list => list.map(
			    x => x.dataset.act));
			assert.equal(await p.page.locator('#menu .quick').count(), 0,
			    'reactions');
			await p.page.keyboard.press('Escape');
			await p.page.locator('#menu').waitFor({ state: 'detached' });
			return all;
		};
		assert.deepEqual(await menu(p.row('psst')), ['quote', 'copy']);
		await p.go('1');
		const heard = await menu(p.row('hi page'));
		assert.ok(heard.includes('quote'));
		for (const x of ['edit', 'recall', 'react'])
			assert.ok(!heard.includes(x), x);
		/* settings, switcher and emoji are the page's own */
		await p.page.locator('#me').click();
		await p.page.locator('dialog#settings').waitFor();
		await p.page.keyboard.press('Escape');
		await p.page.locator('#smile').click();
		await p.page.locator('#emoji button.emo').first().waitFor();
		await p.page.keyboard.press('Escape');
		await p.page.locator('#text').fill('typing, and nobody is told');
		await p.page.locator('#text').fill('');
		await p.conv(`@${other.uid}`).locator('a.go').click();
		/* the page paces itself for an old server */
		await sleep(600);
		other.send({ cmd: 'message', type: 'text', msg: 'yes?', rid: '1',
		    tid: p.uid });
		await p.sees('yes?');
		/* a time in which nothing unknown may be sent */
		await sleep(300);
		for (const f of p.tap.out)
			assert.ok(['login', 'message'].includes(f.cmd), f.cmd);
		assert.ok(!p.tap.in.some(f => f.cmd === 'error'));
		p.quiet();
		await p.close();
		await other.bye();
	} finally {
		s.close();
	}
});
