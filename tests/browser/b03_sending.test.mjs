/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/* page.md (d) 19 to 25: sending. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster, sleep } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { LONG, Person, launch, wait } from './page.mjs';

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
const room = () => `send${++n}`;
const text = p => p.page.locator('#text');
const own = p => p.page.locator('#log .m.mine');

test('page 19: Enter sends; pending at once, no clock for 300 ms, then a ' +
    'check', async () => {
	const p = await Person.join(b, url, 'Sender', { room: room() });
	const held = [];
	p.tap.down = (f, s) => {
		if (f.cmd !== 'ok' && f.cmd !== 'message')
			return f;
		held.push(() => s.ws.send(JSON.stringify(f)));
		return null;
	};
	await text(p).fill('hello');
	/* what one frame after the key looks like, and when it was looked */
	const soon = await p.page.evaluate(async () => {
		const t = document.querySelector('#text');
		const t0 = performance.now();
		t.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter',
		    keyCode: 13, bubbles: true, cancelable: true }));
		const look = () => {
			const m = document.querySelector('#log .m.mine');
			const k = m?.querySelector('.mark');
			return { left: t.value, state: m?.dataset.state,
			    text: m?.querySelector('.text')?.innerText,
			    seen: k ? getComputedStyle(k).visibility !== 'hidden' &&
				Number(getComputedStyle(k).opacity) : 0,
			    wait: k?.getAnimations()[0]?.effect.getTiming().delay,
			    at: performance.now() - t0 };
		};
		const frame = () => new Promise(requestAnimationFrame);
		await frame();
		await frame();
		const all = [look()];
		await new Promise(r => setTimeout(r, 120));
		all.push(look());
		return all;
	});
	assert.equal(soon[0].left, '');
	assert.equal(soon[0].text, 'hello');
	assert.equal(soon[0].state, 'pending');
	assert.equal(soon[0].wait, 300);
	/* a machine may have been away for longer than that */
	for (const x of soon)
		assert.ok(!x.seen || x.at > 290, `a clock flashes at ${x.at}`);
	await wait('a clock', () => own(p).locator('.mark.pending').evaluate(k =>
	    getComputedStyle(k).visibility !== 'hidden' &&
	    Number(getComputedStyle(k).opacity) === 1));
	p.tap.down = f => f;
	held.forEach(fn => fn());
	const mark = own(p).locator('.mark.sent');
	await mark.waitFor();
	assert.equal(await mark.getAttribute('title'), 'Sent');
	assert.equal(await own(p).count(), 1);
	p.quiet();
	await p.close();
});
test('page 20: Shift+Enter is a line; blanks', async () => {
	const r = room(), p = await Person.join(b, url, 'Sender', { room: r });
	const a = await Client.login(ws, 'Other', r);
	await text(p).focus();
	await p.page.keyboard.type('  one');
	await p.page.keyboard.press('Shift+Enter');
	await p.page.keyboard.type('two');
	await p.page.keyboard.press('Shift+Enter');
	await p.page.keyboard.press('Shift+Enter');
	await p.page.keyboard.press('Enter');
	assert.equal((await a.next('message')).msg, '  one\ntwo');
	assert.equal(p.tap.sent('message').length, 1);
	p.quiet();
	await p.close();
	await a.bye();
});
test('page 21: the Enter of an input method sends nothing', async () => {
	const p = await Person.join(b, url, 'Sender', { room: room() });
	const key = o => text(p).evaluate((t, init) => t.dispatchEvent(
	    new KeyboardEvent('keydown', { key: 'Enter', bubbles: true,
	    cancelable: true, ...init })), o);
	const compose = type => text(p).evaluate((t, e) => t.dispatchEvent(
	    new CompositionEvent(e, { bubbles: true })), type);
	const count = async () => {
		/* a time in which nothing may be sent */
		await sleep(50);
		return p.tap.sent('message').length;
	};
	/* the clock of the page, turned by hand: 100 ms are soon over */
	await p.page.evaluate(() => {
		globalThis.at = performance.now();
		performance.now = () => globalThis.at;
	});
	await text(p).fill('你好');
	await key({ isComposing: true, keyCode: 229 });
	assert.equal(await count(), 0, 'isComposing');
	await compose('compositionstart');
	await key({ keyCode: 13 });
	assert.equal(await count(), 0, 'between start and end');
	await text(p).evaluate(t => {
		t.dispatchEvent(new CompositionEvent('compositionend',
		    { bubbles: true }));
		t.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter',
		    keyCode: 229, bubbles: true, cancelable: true }));
	});
	assert.equal(await count(), 0, '229 right after the end');
	/* the scene: 150 ms after the end of the composition */
	await p.page.evaluate(() => { globalThis.at += 150; });
	await key({ keyCode: 229 });
	await wait('229 later', () => p.tap.sent('message').length === 1);
	p.quiet();
	await p.close();
});
test('page 22: no ack: not sent after 10 s; retry has the same cid',
    async () => {
	const r = room(), p = await Person.join(b, url, 'Sender', { room: r });
	const a = await Client.login(ws, 'Other', r);
	p.tap.down = f => f.cmd === 'ok' || (f.cmd === 'message' && f.cid) ?
	    null : f;
	const t0 = performance.now();
	await p.say('lost ack');
	const fail = own(p).locator('.fail');
	await fail.waitFor(LONG);
	assert.ok(performance.now() - t0 > 9000, 'too early');
	assert.match(await fail.innerText(), /Not sent/);
	await own(p).locator('[data-act=discard]').waitFor();
	p.tap.down = f => f;
	await own(p).locator('[data-act=retry]').click();
	await own(p).locator('.mark.sent').waitFor();
	assert.equal(await own(p).count(), 1);
	const cids = new Set(p.tap.sent('message').map(f => f.cid));
	assert.equal(cids.size, 1);
	assert.ok(p.tap.sent('message').length >= 2);
	const h = await a.history(r);
	assert.deepEqual(h.list.map(m => m.msg), ['lost ack']);
	p.quiet();
	await p.close();
	await a.bye();
});
test('page 23: discard gives the text back', async () => {
	const p = await Person.join(b, url, 'Sender', { room: room() });
	p.tap.up = (f, s) => {
		if (f.cmd !== 'message')
			return f;
		s.ws.send(JSON.stringify({ cmd: 'error', errCode: 403,
		    errMsg: 'muted', cid: f.cid }));
		return null;
	};
	await p.say('first try');
	await own(p).locator('[data-act=discard]').click();
	await own(p).waitFor({ state: 'detached' });
	assert.equal(await text(p).inputValue(), 'first try');
	/* not over what is being written */
	await p.page.locator('#text').press('Enter');
	await own(p).locator('[data-act=discard]').waitFor();
	await text(p).fill('something else');
	await own(p).locator('[data-act=discard]').click();
	await own(p).waitFor({ state: 'detached' });
	assert.equal(await text(p).inputValue(), 'something else');
	p.quiet();
	await p.close();
});
test('page 24: three while the line is down: pending, then in order, once',
    async () => {
	const r = room(), p = await Person.join(b, url, 'Sender', { room: r });
	const a = await Client.login(ws, 'Other', r);
	p.tap.refusing = true;
	await p.tap.cut();
	for (const s of ['one', 'two', 'three'])
		await p.say(s);
	await wait('three rows', async () => await own(p).count() === 3);
	const until15 = performance.now() + 15000;
	while (performance.now() < until15) {
		assert.equal(await p.page.locator('#log .fail').count(), 0);
		/* a pace */
		await sleep(500);
	}
	assert.equal(await p.page.locator('#log .m[data-state=pending]').count(),
	    3);
	p.tap.refusing = false;
	/* the page may try at this very moment by itself */
	await p.page.evaluate(() =>
	    document.querySelector('#banner [data-act=now]')?.click());
	await p.say('four');
	await a.hear('four', 60000);
	assert.deepEqual((await a.history(r)).list.map(m => m.msg),
	    ['one', 'two', 'three', 'four']);
	await wait('all are sent', async () =>
	    await own(p).locator('.mark.sent').count() === 4);
	assert.deepEqual(await p.texts(), ['one', 'two', 'three', 'four']);
	await p.close();
	await a.bye();
});
test('page 25: a reload with two in the queue: sent after login, once',
    async () => {
	const r = room(), p = await Person.join(b, url, 'Sender', { room: r });
	const a = await Client.login(ws, 'Other', r);
	p.tap.refusing = true;
	await p.tap.cut();
	await p.say('kept one');
	await p.say('kept two');
	await p.page.reload();
	/* the scene: down for a while after the reload */
	await sleep(500);
	p.tap.refusing = false;
	await a.hear('kept two', 60000);
	await wait('both are sent', async () =>
	    await own(p).locator('.mark.sent').count() === 2);
	/* a time in which nothing may come twice */
	await sleep(300);
	assert.deepEqual((await a.history(r)).list.map(m => m.msg),
	    ['kept one', 'kept two']);
	await p.close();
	await a.bye();
});
