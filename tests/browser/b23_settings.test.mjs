/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * page.md c.4, c.8, c.13: what a reader may choose and that it is kept;
 * notifications, asked for from a button only; a token that names its bearer.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Cluster, fetch } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { LONG, Person, launch, wait } from './page.mjs';

const KEY = 'the-key-of-the-back-end';
let c, b, url, ws, n = 0;
before(async () => {
	c = new Cluster({ msgs: 1 });
	writeFileSync(join(c.dir, 'api.key'), `${KEY}\n`, { mode: 0o600 });
	c.configure({ msg_server: { api_key_file: join(c.dir, 'api.key') } });
	await c.up();
	url = c.msgs[0].page;
	ws = c.msgs[0].ws;
	b = await launch();
});
after(async () => {
	await b?.close();
	await c?.stop();
});
const room = () => `set${++n}`;
const context = () => b.newContext({ locale: 'en-GB',
    viewport: { width: 1360, height: 860 } });
const set = (p, k) => p.page.locator(`dialog#settings [data-set=${k}]`);
const open = async p => {
	await p.page.locator('#me').click();
	await p.page.locator('dialog#settings').waitFor(LONG);
};
const shut = async p => {
	await p.page.keyboard.press('Escape');
	await p.page.locator('dialog#settings').waitFor({ state: 'detached', ...LONG });
};

test('settings: language, theme, bubbles, Enter; kept over a reload', async () => {
	const r = room();
	const p = await Person.join(b, url, 'Amy', { room: r });
	await p.say('first');
	await p.page.locator('#log .mark.sent').waitFor(LONG);
	await open(p);
	await set(p, 'bubbles').selectOption('all');
	await p.page.locator('#log[data-kind=dm]').waitFor(LONG);
	await set(p, 'theme').selectOption('dark');
	await p.page.locator('html[data-theme=dark]').waitFor(LONG);
	await set(p, 'ctrl').check();
	await set(p, 'lang').focus();
	await set(p, 'lang').selectOption('zh');
	await p.page.locator('dialog#settings').filter({ hasText: '设置' }).waitFor(LONG);
	/* the choice was made here, the focus is still here */
	assert.equal(await p.page.evaluate(() => document.activeElement.dataset.set),
	    'lang');
	await shut(p);
	await p.page.reload();
	await p.in();
	await p.page.locator('#log[data-kind=dm]').waitFor(LONG);
	await p.page.locator('html[data-theme=dark][lang=zh-CN]').waitFor(LONG);
	/* Enter is a line now, with Ctrl it sends */
	await p.page.locator('#text').fill('one');
	await p.page.locator('#text').press('Enter');
	await p.page.keyboard.type('two');
	assert.equal(await p.page.locator('#text').inputValue(), 'one\ntwo');
	await p.page.locator('#text').press('Control+Enter');
	await wait('sent', () => p.tap.sent('message').some(f =>
	    f.msg === 'one\ntwo'));
	await open(p);
	await set(p, 'theme').selectOption('auto');
	await p.page.locator('html:not([data-theme])').waitFor(LONG);
	p.quiet();
	await p.close();
});
test('notifications: offered after the first private message, on by a button',
    async () => {
	const r = room(), cx = await context();
	/* the browser's own, without a desktop */
	await cx.addInitScript(() => {
		globalThis.notes = [];
		globalThis.asked = 0;
		globalThis.Notification = class {
			static permission = 'default';
			static async requestPermission() {
				globalThis.asked++;
				return globalThis.Notification.permission = 'granted';
			}
			constructor(title, o) {
				globalThis.notes.push(this);
				Object.assign(this, o, { title });
			}
			close() {}
		};
		globalThis.away = false;
		document.hasFocus = () => !globalThis.away;
	});
	const p = await Person.open(b, url, { context: cx });
	await p.login('Amy', r);
	const bob = await Client.login(ws, 'Bob', r);
	const notes = () => p.page.evaluate(() => globalThis.notes.map(x =>
	    [x.title, x.body, x.tag]));
	await bob.say(r, 'for all');
	await p.sees('for all');
	const offer = p.page.locator('#toasts [data-act=toast]');
	assert.equal(await offer.count(), 0);
	await bob.cmd({ cmd: 'message', type: 'text', tid: p.uid, msg: 'psst' });
	await offer.waitFor(LONG);
	assert.equal(await p.page.evaluate(() => globalThis.asked), 0);
	await offer.click();
	await wait('asked', () => p.page.evaluate(() => globalThis.asked === 1));
	/* who looks is not told; who does not look is told of what is his */
	await bob.cmd({ cmd: 'message', type: 'text', tid: p.uid, msg: 'seen' });
	await p.conv(`@${bob.uid}`).locator('.badge').filter({ hasText: '2' })
	    .waitFor(LONG);
	await p.page.evaluate(() => { globalThis.away = true; });
	await bob.say(r, 'for nobody');
	await bob.say(r, 'hello @Amy');
	await wait('a note', async () => (await notes()).length);
	await bob.cmd({ cmd: 'message', type: 'text', tid: p.uid, msg: 'come' });
	await wait('another', async () => (await notes()).length === 2);
	assert.deepEqual(await notes(), [[`Bob · ${r}`, 'hello @Amy', r],
	    ['Bob', 'come', `@${bob.uid}`]]);
	/* a click leads there */
	await p.page.evaluate(() => globalThis.notes[1].onclick());
	await p.conv(`@${bob.uid}`).locator('a.go[aria-current=page]').waitFor(LONG);
	/* and off again */
	await open(p);
	await set(p, 'notify').filter({ hasText: 'Turn off' }).click();
	await set(p, 'notify').filter({ hasText: 'Turn on' }).waitFor(LONG);
	p.quiet();
	await p.close();
	await bob.bye();
});
test('notifications: a page on plain http says why it has none', async () => {
	const cx = await context();
	await cx.addInitScript(() => Object.defineProperty(globalThis,
	    'isSecureContext', { value: false }));
	const p = await Person.open(b, url, { context: cx });
	await p.login('Amy', room());
	await open(p);
	await p.page.locator('dialog#settings').filter({ hasText: 'https' })
	    .waitFor(LONG);
	assert.equal(await set(p, 'notify').isEnabled(), false);
	p.quiet();
	await p.close();
});
test('a token that names its bearer: nobody is asked for a name', async () => {
	const part = o => Buffer.from(JSON.stringify(o)).toString('base64url');
	const token = `${part({ alg: 'HS256' })}.${part({ sub: '1', name: '林小雨' })}.x`;
	const p = await Person.open(b, url, { path: `#token=${token}` });
	await p.page.locator('#token').waitFor(LONG);
	assert.equal(await p.page.locator('#name').isVisible(), false);
	await p.page.locator('#join').click();
	await wait('a login', () => p.tap.sent('login').length);
	assert.equal(p.tap.sent('login')[0].name, '林小雨');
	/* this server does not know it: the token is where to look */
	await p.page.locator('#login-error').filter({ hasText: 'token' }).waitFor(LONG);
	await p.page.waitForFunction(() => document.activeElement.id === 'token',
	    null, LONG);
	await p.page.locator('#token').fill('');
	await p.page.locator('#name').waitFor(LONG);
	await p.close();
});
test('rooms: a title that changes, leaving, the last one stays', async () => {
	const r = room(), s = room();
	const p = await Person.join(b, url, 'Amy', { room: r });
	const bob = await Client.login(ws, 'Bob', r);
	assert.equal(await p.conv(r).locator('.x').isVisible(), false);
	const put = await fetch(c.msgs[0].ports.direct, `/v1/rooms/${r}/title`, {
	    method: 'PUT', headers: { authorization: `Bearer ${KEY}` },
	    body: JSON.stringify({ title: '开发讨论 dev', cid: `t-${r}` }) });
	assert.equal(put.status, 200, put.body);
	await p.conv(r).filter({ hasText: '开发讨论 dev' }).waitFor(LONG);
	await p.page.locator('#title').filter({ hasText: '开发讨论 dev' }).waitFor(LONG);
	assert.match(await p.page.title(), /开发讨论 dev · CChat/);
	/* a second one, by the button */
	await p.page.locator('#add-room').click();
	await p.page.locator('dialog#switcher').waitFor(LONG);
	await p.page.keyboard.type(s);
	await p.page.keyboard.press('Enter');
	await p.conv(s).locator('a.go[aria-current=page]').waitFor(LONG);
	assert.equal(await p.page.evaluate(() => document.activeElement.id), 'text');
	await p.conv(s).hover();
	await p.conv(s).locator('.x').click();
	await p.conv(s).waitFor({ state: 'detached', ...LONG });
	await p.conv(r).locator('a.go[aria-current=page]').waitFor(LONG);
	await wait('left', () => p.tap.sent('leave').some(f => f.rid === s));
	p.quiet();
	await p.close();
	await bob.bye();
});
test('rooms named like what every object has are rooms', async () => {
	const p = await Person.join(b, url, 'Amy', { room: 'constructor' });
	const text = p.page.locator('#text');
	for (const r of ['constructor', '__proto__', 'toString']) {
		await p.page.evaluate(x => { location.hash = `#/r/${x}`; }, r);
		await p.conv(r).locator('a.go[aria-current=page]').waitFor(LONG);
		assert.equal(await text.inputValue(), '', r);
		await p.say(`said in ${r}`);
		await p.row(`said in ${r}`).locator('.mark.sent').waitFor(LONG);
		await text.fill(`draft in ${r}`);
	}
	await p.page.reload();
	await p.in();
	for (const r of ['constructor', '__proto__', 'toString']) {
		await p.go(r);
		assert.equal(await text.inputValue(), `draft in ${r}`);
		await p.sees(`said in ${r}`);
	}
	p.quiet();
	await p.close();
});
test('a room that lets nobody in: a word, and back in the one before', async () => {
	const r = room();
	const p = await Person.join(b, url, 'Amy', { room: r });
	await p.page.evaluate(() => { location.hash = '#/r/gabc123'; });
	await p.page.locator('#toasts .toast.bad').waitFor(LONG);
	await p.conv('gabc123').waitFor({ state: 'detached', ...LONG });
	await p.conv(r).locator('a.go[aria-current=page]').waitFor(LONG);
	assert.equal(await p.page.evaluate(() => location.hash), `#/r/${r}`);
	/* what is written now goes where it says */
	await p.say('not into nowhere');
	await p.row('not into nowhere').locator('.mark.sent').waitFor(LONG);
	/* nor does Back lead there: its address is gone */
	await p.page.goBack();
	await p.conv(r).locator('a.go[aria-current=page]').waitFor(LONG);
	assert.equal(p.tap.sent('join').filter(f => f.rid === 'gabc123').length, 1);
	await p.close();
});
test('many rooms: all of them are there after a reload', async () => {
	const p = await Person.join(b, url, 'Amy', { room: room() });
	const all = Array.from({ length: 40 }, room);
	for (const r of all) {
		await p.page.evaluate(x => { location.hash = `#/r/${x}`; }, r);
		await p.conv(r).waitFor(LONG);
	}
	await wait('in all of them', () => {
		const asked = p.tap.sent('join').map(f => f.cid);
		return asked.length === all.length && asked.every(cid =>
		    p.tap.in.some(f => f.cid === cid && f.cmd !== 'error'));
	});
	await p.page.reload();
	await p.in();
	await wait('all in the list', async () =>
	    await p.page.locator('#rooms .conv').count() === 41);
	await p.close();
});
test('nothing may be kept here: the page works, and forgets', async () => {
	const cx = await context();
	await cx.addInitScript(() => {
		const no = () => { throw new DOMException('no', 'SecurityError'); };
		for (const k of ['localStorage', 'sessionStorage'])
			Object.defineProperty(globalThis, k, { get: no });
		globalThis.BroadcastChannel = function () { no(); };
	});
	const p = await Person.join(b, url, 'Amy', { context: cx, room: room() });
	await p.say('nothing is kept');
	await p.row('nothing is kept').locator('.mark.sent').waitFor(LONG);
	await p.page.locator('#theme').click();
	await p.page.locator('#smile').click();
	await p.page.locator('#emoji button.emo').first().click();
	await p.page.locator('#emoji').waitFor({ state: 'hidden', ...LONG });
	await p.page.reload();
	await p.page.locator('#login-view:not([hidden])').waitFor(LONG);
	assert.equal(await p.page.locator('#name').inputValue(), '');
	p.quiet();
	await p.close();
});
