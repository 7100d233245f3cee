/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * page.md (d) 5, 6, 31, 47, 50, 51, 54: what the frame of the page says of
 * logins, of the line, of who types, and to a screen reader; the switcher.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Cluster, fetch, sleep } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { FaultProxy } from '../lib/faultproxy.mjs';
import { LONG, Person, launch, wait } from './page.mjs';

const KEY = 'the-key-of-the-back-end';
const REFUSED = /ERR_|WebSocket|Failed to load/;
let c, b, f, url, far, ws, n = 0;
before(async () => {
	f = await FaultProxy.listen(() => c.msgs[0].ports.direct);
	far = `http://127.0.0.1:${f.port}/`;
	c = new Cluster({ msgs: 1 });
	writeFileSync(join(c.dir, 'api.key'), `${KEY}\n`, { mode: 0o600 });
	c.configure({ msg_server: { api_key_file: join(c.dir, 'api.key'),
	    origins: [far.slice(0, -1)] } });
	await c.up();
	url = c.msgs[0].page;
	ws = c.msgs[0].ws;
	b = await launch();
});
after(async () => {
	await b?.close();
	f?.close();
	await c?.stop();
});
const room = () => `shell${++n}`;
const focus = p => p.page.evaluate(() => document.activeElement.id);

test('page 5: a login that is refused: words, Join again, no tries', async () => {
	const p = await Person.open(b, url);
	p.tap.down = x => x.cmd === 'login' ? { cmd: 'error', errCode: 403,
	    errMsg: 'no entry', cid: x.cid } : null;
	await p.page.locator('#name').fill('Amy');
	await p.page.locator('#name').press('Enter');
	const alert = p.page.locator('[role=alert]#login-error');
	/* before, a slow one is told to wait */
	await alert.filter({ hasText: 'does not let you in' }).waitFor(LONG);
	await p.page.locator('#join:enabled').waitFor(LONG);
	const dials = p.tap.opens.length;
	/* a time in which nobody may dial */
	await sleep(3000);
	assert.equal(p.tap.opens.length, dials);
	p.tap.down = x => x;
	await p.page.locator('#join').click();
	await p.in();
	assert.equal(await alert.isVisible(), false);
	p.quiet();
	await p.close();
});
test('page 6: a server that cannot be reached: words, and Join again works',
    async () => {
	/* gone before the chat's own code was fetched, and after */
	for (const late of [false, true]) {
		const p = await Person.open(b, far, { tap: false });
		if (late) {
			await p.page.locator('#name').pressSequentially('Amy');
			await p.page.waitForFunction(() => performance
			    .getEntriesByName(`${location.origin}/js/side.js`).length,
			    null, LONG);
		}
		f.refuse(true);
		f.reset();
		await p.page.locator('#name').fill('Amy');
		await p.page.locator('#join').click();
		const alert = p.page.locator('#login-error');
		await alert.filter({ hasText: 'cannot be reached' }).waitFor(LONG);
		f.refuse(false);
		await p.page.locator('#join').click();
		await p.in();
		p.quiet(REFUSED);
		await p.close();
	}
});
test('page 6: a server that is silent: said long before the try is given up',
    async () => {
	const p = await Person.open(b, url);
	p.tap.up = () => null;
	await p.page.locator('#name').fill('Amy');
	await p.page.locator('#join').click();
	/* the try itself ends after 10 s, in other words */
	await p.page.locator('#login-error').filter({ hasText: 'does not answer' })
	    .waitFor(LONG);
	await p.page.locator('#join:enabled').waitFor(LONG);
	p.tap.up = x => x;
	await p.page.locator('#join').click();
	await p.in();
	/* the first try is let go: one session, one login that was answered */
	assert.equal(p.tap.in.filter(x => x.cmd === 'login').length, 1);
	p.quiet();
	await p.close();
});
test('page 31: close codes without a way back: their panels, and no dial',
    async () => {
	for (const [code, why, says] of [[4001, 'banned', /banned/],
	    [4003, 'token', /token/], [4004, 'elsewhere', /somewhere else/],
	    [4005, 'kicked', /Reason: too loud/]]) {
		const r = room();
		const p = await Person.join(b, url, 'Amy', { room: r });
		await p.say('stays');
		await p.page.locator('#log .mark.sent').waitFor(LONG);
		const dials = p.tap.opens.length;
		const { status } = await fetch(c.msgs[0].ports.direct, '/v1/kick', {
		    method: 'POST', headers: { authorization: `Bearer ${KEY}` },
		    body: JSON.stringify({ uid: p.uid, code, why: 'too loud' }) });
		assert.equal(status, 200);
		const panel = p.page.locator(`#final[data-why=${why}]`);
		await panel.waitFor(LONG);
		assert.match(await panel.innerText(), says);
		/* the log is still there, the field is not for now */
		await p.sees('stays');
		assert.equal(await p.page.locator('#composer').evaluate(el => el.inert),
		    true);
		assert.equal(await p.page.evaluate(() =>
		    document.activeElement.dataset.act), 'again');
		/* a time in which nobody may dial */
		await sleep(1500);
		assert.equal(p.tap.opens.length, dials);
		assert.equal(await p.page.locator('#banner').isVisible(), false);
		await p.page.locator('#final [data-act=again]').click();
		await p.page.locator('#login-view:not([hidden])').waitFor(LONG);
		p.quiet();
		await p.close();
	}
});
test('page 31: 1012 with a time: not before it, and a restart is told',
    async () => {
	const p = await Person.join(b, url, 'Amy', { room: room() });
	await p.whole();
	await p.listen('#banner');
	const dials = p.tap.opens.length, t0 = performance.now();
	await p.tap.cut(1012, '{"retry":3000}');
	await p.told('#banner', /restarting/);
	await wait('a dial', () => p.tap.opens.length > dials);
	assert.ok(p.tap.opens[dials] - t0 >= 2900, 'before the server said');
	await p.page.locator('#banner').waitFor({ state: 'hidden', ...LONG });
	await p.say('back');
	await p.page.locator('#log .mark.sent').waitFor(LONG);
	p.quiet();
	await p.close();
});
test('the banner of a browser without a network', async () => {
	const p = await Person.join(b, url, 'Amy', { room: room() });
	/* a banner cannot be fetched any more then */
	await p.whole();
	await p.listen('#toasts');
	p.tap.refusing = true;
	await p.context.setOffline(true);
	await p.tap.cut();
	const banner = p.page.locator('#banner');
	await banner.filter({ hasText: 'offline' }).waitFor(LONG);
	await p.say('waits');
	await p.page.locator('#log .m[data-state=pending]').waitFor(LONG);
	p.tap.refusing = false;
	await p.context.setOffline(false);
	/* nobody has pressed anything */
	await banner.waitFor({ state: 'hidden', ...LONG });
	await p.page.locator('#log .mark.sent').waitFor(LONG);
	await p.told('#toasts', /Back online/);
	await p.close();
});
test('page 50: who is typing, and not for ever', async () => {
	const r = room();
	const p = await Person.join(b, url, 'Amy', { room: r });
	const bob = await Client.login(ws, 'Bob', r);
	await p.peopleAre(['Amy', 'Bob']);
	/* all that the line ever said, in order, however late we look */
	await p.page.evaluate(() => {
		const el = document.querySelector('#typing');
		globalThis.lines = [];
		new MutationObserver(() => {
			const s = el.classList.contains('on') ? el.innerText.trim() : '';
			if (s !== (globalThis.lines.at(-1) ?? ''))
				globalThis.lines.push(s);
		}).observe(el, { subtree: true, childList: true, attributes: true,
		    characterData: true });
	});
	const lines = () => p.page.evaluate(() => globalThis.lines);
	const are = (...want) => wait(`the line says ${want.join(', ')}`,
	    async () => {
		const now = (await lines()).join('|');
		if (now !== want.join('|'))
			throw new Error(now);
		return true;
	});
	const a = 'Bob is typing…', ab = 'Bob and Cem are typing…';
	/* a real one; nothing follows: forgotten after six seconds */
	bob.send({ cmd: 'typing', rid: r, on: true });
	await are(a, '');
	/* and one that ends with what was typed */
	bob.send({ cmd: 'typing', rid: r, on: true });
	await wait('typing', async () => (await lines()).length === 3);
	await bob.say(r, 'it is said');
	await are(a, '', a, '');
	const type = (uid, name, on = true, rid = r) => ({ cmd: 'typing', rid, uid,
	    name, on });
	/* in one frame each: what is drawn between is seen */
	const give = x => p.tap.give(x);
	await p.page.evaluate(() => { globalThis.lines = []; });
	give(type(bob.uid, 'Bob'));
	give(type('1002', 'Cem'));
	give(type('1003', 'D\u202ea\u0007n'));	/* not as he came */
	give(type('1002', 'Cem', false));
	give(type('1003', 'Dan', false));
	give(type(p.uid, 'Amy'));
	give(type('1004', 'Eve', true, 'elsewhere'));
	give(type(bob.uid, 'Bob', false));
	await are(a, ab, 'Several people are typing…', 'Bob and Dan are typing…', a,
	    '');
	p.quiet();
	await p.close();
	await bob.bye();
});
test('page 47: who of a group has read a message of mine', async () => {
	const r = `ga${++n}`;
	const p = await Person.join(b, url, 'Amy', { room: room() });
	const bob = await Client.login(ws, 'Bob', room());
	const cat = await Client.login(ws, 'Cat', room());
	const made = await fetch(c.msgs[0].ports.direct, '/v1/groups', {
	    method: 'POST', headers: { authorization: `Bearer ${KEY}` },
	    body: JSON.stringify({ cid: `c-${r}`, name: 'team', rid: r,
	    uids: [p.uid, bob.uid, cat.uid] }) });
	assert.equal(made.status, 200, made.body);
	for (const x of [bob, cat])
		await x.cmd({ cmd: 'join', rid: r });
	await p.page.keyboard.press('Control+k');
	await p.page.locator('dialog#switcher').waitFor(LONG);
	await p.page.keyboard.type(r);
	await p.page.keyboard.press('Enter');
	await p.conv(r).locator('a.go[aria-current=page]').waitFor(LONG);
	await p.peopleAre(['Amy', 'Bob', 'Cat']);
	await p.say('who reads this?');
	await p.page.locator('#log .mark.sent').waitFor(LONG);
	const { seq } = await bob.hear('who reads this?');
	await bob.cmd({ cmd: 'mark', rid: r, read: seq });
	await p.row('who reads this?').click({ button: 'right' });
	await p.page.locator('[role=menuitem][data-act=readers]').click();
	const who = p.page.locator('dialog#readers .choice .title');
	await who.first().waitFor(LONG);
	assert.deepEqual(await who.allInnerTexts(), ['Bob']);
	await p.page.keyboard.press('Escape');
	await p.page.locator('dialog').first().waitFor({ state: 'detached', ...LONG });
	/* and what I read of others is told */
	const said = await cat.say(r, 'and this?');
	await p.sees('and this?');
	await bob.next(f => f.cmd === 'mark' && f.uid === p.uid && f.read >= said.seq);
	p.quiet();
	await p.close();
	await bob.bye();
	await cat.bye();
});
test('page 51: the switcher: two letters and Enter; unread ones come first',
    async () => {
	const home = room(), other = `zebra${n}`;
	const p = await Person.join(b, url, 'Amy', { room: home });
	const a = await Client.login(ws, 'Bob', other);
	const box = p.page.locator('dialog#switcher');
	const open = async () => {
		await p.page.keyboard.press('Control+k');
		await box.waitFor(LONG);
	};
	const here = k => p.page.locator(`.conv[data-conv="${k}"] ` +
	    'a.go[aria-current=page]').waitFor(LONG);
	await open();
	await p.page.keyboard.type(other);
	await p.page.keyboard.press('Enter');
	await here(other);
	/* two letters; the dialog is gone, the field has the focus */
	await open();
	await p.page.keyboard.type('sh');
	await p.page.keyboard.press('Enter');
	await here(home);
	await box.waitFor({ state: 'detached', ...LONG });
	assert.equal(await focus(p), 'text');
	await a.say(other, 'look here');
	await p.conv(other).locator('.badge').filter({ hasText: '1' }).waitFor(LONG);
	await open();
	assert.equal(await box.locator('[role=option]').first()
	    .getAttribute('data-key'), other);
	await p.page.keyboard.press('Escape');
	await box.waitFor({ state: 'detached', ...LONG });
	assert.equal(await focus(p), 'text');
	/* and the key for the next one that is unread */
	await p.page.keyboard.press('Alt+Shift+ArrowDown');
	await here(other);
	await p.sees('look here');
	p.quiet();
	await p.close();
	await a.bye();
});
test('page 54: what comes is said once, what is old is not', async () => {
	const r = room();
	const a = await Client.login(ws, 'Bob', r);
	for (let i = 0; i < 120; i++)
		await a.say(r, `old ${i}`);
	const p = await Person.join(b, url, 'Amy', { room: r });
	const said = () => p.page.locator('#said > *').allInnerTexts();
	await p.sees('old 119');
	/* older ones are fetched, sleeping ones wake */
	await p.page.locator('#log').hover();
	await wait('the first one', async () => {
		await p.page.locator('#log').evaluate(el => { el.scrollTop = 0; });
		return await p.row('old 0').count() === 1;
	});
	await p.page.keyboard.press('Control+End');
	await p.say('my own');
	await p.page.locator('#log .mark.sent').waitFor(LONG);
	assert.deepEqual(await said(), []);
	await a.say(r, 'hello there');
	await wait('it is said', async () => (await said()).length);
	assert.deepEqual(await said(), ['Bob: hello there']);
	/* twenty in one frame: counted, in one sentence */
	const { seq } = p.tap.in.findLast(x => x.cmd === 'message');
	p.tap.give(Array.from({ length: 20 }, (_, i) => ({ cmd: 'message',
	    type: 'text', uid: a.uid, name: 'Bob', rid: r, msg: `many ${i + 1}`,
	    seq: seq + i + 1, mid: `r:${r}/${seq + i + 1}`, ts: Date.now() })));
	await p.sees('many 20');
	await wait('they are said', async () => (await said()).length > 1);
	/* a time in which more could be said */
	await sleep(1500);
	const now = await said();
	assert.equal(now.length, 2, now.join(' | '));
	assert.match(now[1], /^20 new messages in /);
	p.quiet();
	await p.close();
	await a.bye();
});
