/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * page.md (d) 49, 56, 58, 59, 60: ten thousand people, dark from the first
 * frame on, the keyboard of a phone, a zoomed page, and a still one.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { LONG, P, Person, launch, wait } from './page.mjs';

const CROWD = 10000;
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
const room = () => `looks${++n}`;
const context = o => b.newContext({ locale: 'en-GB',
    viewport: { width: 1360, height: 860 }, ...o });

test('page 49: 10,000 people: few rows, in order, found; scroll and focus stay',
    async () => {
	const r = room();
	const p = await Person.open(b, url);
	const name = i => `User ${String(i * 7919 % CROWD).padStart(4, '0')}`;
	const users = Array.from({ length: CROWD }, (_, i) => ({ uid: `u${i}`,
	    name: name(i), st: 'on' }));
	p.tap.up = f => {
		if (f.cmd !== 'getOnline' || !f.rid)
			return f;
		p.tap.give({ cmd: 'getOnline', cid: f.cid, rid: f.rid,
		    count: CROWD, users });
		return null;
	};
	await p.login('Amy', r);
	const head = p.page.locator('#people .head').first();
	await head.filter({ hasText: '10,000 online' }).waitFor(LONG);
	const rows = () => p.page.locator('#people .person').count();
	const names = () => p.page.locator('#people .person .title').allInnerTexts();
	const box = p.page.locator('#people');
	assert.ok(await rows() <= 300, `${await rows()} rows`);
	const on = users.map(u => u.name).sort();
	const first = await names();
	assert.deepEqual(first, on.slice(0, first.length));
	/* to the very end, in leaps */
	let most = 0;
	await wait('the last one', async () => {
		await box.evaluate(el => { el.scrollTop += 40000; });
		await p.frames(2);
		most = Math.max(most, await rows());
		return (await names()).at(-1) === on.at(-1);
	});
	assert.ok(most <= 300, `${most} rows`);
	/* somebody in the middle has the focus while others come and go */
	await box.evaluate(el => { el.scrollTop = 38 * 3000; });
	await p.frames(3);
	const middle = p.page.locator('#people .person .go').nth(20);
	await middle.focus();
	const state = () => p.page.evaluate(() => [
	    document.activeElement.closest('.person')?.dataset.uid,
	    document.querySelector('#people').scrollTop]);
	const was = await state();
	const neighbour = await p.page.locator('#people .person').nth(19)
	    .getAttribute('data-uid');
	p.tap.give({ cmd: 'presence', rid: r, count: CROWD - 1, in: [],
	    out: [neighbour] });
	await p.page.locator('#sub').filter({ hasText: '9,999' }).waitFor(LONG);
	await p.page.locator(`#people .person:not(.away)[data-uid="${neighbour}"]`)
	    .waitFor({ state: 'detached', ...LONG });
	assert.deepEqual(await state(), was);
	/* far away from it, the focus is still in the list */
	await box.evaluate(el => { el.scrollTop = 0; });
	await wait('the first again', async () => (await names())[0] === on[0]);
	assert.equal(await p.page.evaluate(() => document.activeElement.id), 'people');
	/* who went is at the end, among those who are away */
	await p.page.locator('#find-people').fill('user');
	await box.evaluate(el => { el.scrollTop = el.scrollHeight; });
	await p.page.locator(`#people .person.away[data-uid="${neighbour}"]`)
	    .waitFor(LONG);
	/* found, and talked to */
	await p.page.locator('#find-people').fill('user 0777');
	const one = p.page.locator('#people .person');
	await wait('the one', async () => await one.count() === 1);
	await one.locator('.go').click();
	await p.page.locator('#title').filter({ hasText: 'User 0777' }).waitFor(LONG);
	p.quiet();
	await p.close();
});
test('names that look the same have a tail', async () => {
	const r = room();
	const p = await Person.join(b, url, 'Amy', { room: r });
	const all = [];
	for (const name of ['Bob', 'BOB', 'Cem'])
		all.push(await Client.login(ws, name, r));
	await p.peopleAre(['Amy', 'BOB', 'Bob', 'Cem']);
	const tail = x => p.page.locator(`.person[data-uid="${x.uid}"] .tail`)
	    .innerText();
	assert.equal(await tail(all[0]), `#${all[0].uid.slice(-4)}`);
	assert.equal(await tail(all[1]), `#${all[1].uid.slice(-4)}`);
	assert.equal(await tail(all[2]), '');
	await p.close();
	await Promise.all(all.map(x => x.bye()));
});

/* The mean luminance of a picture, 0 to 255. */
const luminance = (page, png) => page.evaluate(async s => {
	const img = await createImageBitmap(await (await fetch(
	    `data:image/png;base64,${s}`)).blob());
	const el = new OffscreenCanvas(img.width, img.height);
	const g = el.getContext('2d');
	g.drawImage(img, 0, 0);
	const { data } = g.getImageData(0, 0, img.width, img.height);
	let sum = 0;
	for (let i = 0; i < data.length; i += 4)
		sum += .2126 * data[i] + .7152 * data[i + 1] + .0722 * data[i + 2];
	return sum / (data.length / 4);
}, png.toString('base64'));

test('page 56: dark from the first frame on; the choice is kept', async () => {
	const judge = await b.newPage();
	/* what each frame had, from the first on */
	const watch = () => {
		globalThis.grounds = new Set();
		const look = () => {
			const css = document.documentElement &&
			    getComputedStyle(document.documentElement);
			if (css)
				globalThis.grounds.add(css.backgroundColor);
			requestAnimationFrame(look);
		};
		requestAnimationFrame(look);
	};
	const grounds = p => p.page.evaluate(() => [...globalThis.grounds]);
	const DARK = 'rgb(15, 19, 17)';
	/* dark by the system */
	const cx = await context({ colorScheme: 'dark' });
	await cx.addInitScript(watch);
	const p = await Person.open(b, url, { context: cx });
	await p.page.locator('#login-view:not([hidden])').waitFor(LONG);
	await p.frames(3);
	assert.deepEqual(await grounds(p), [DARK]);
	const mean = await luminance(judge, await p.page.screenshot());
	assert.ok(mean < 60, `mean luminance ${mean}`);
	/* light by choice, and kept */
	await p.page.locator('#login-theme').click();
	await p.page.locator('html[data-theme=light]').waitFor(LONG);
	await p.page.reload();
	await p.page.locator('#login-view:not([hidden])').waitFor(LONG);
	assert.ok(await luminance(judge, await p.page.screenshot()) > 150);
	await p.close();
	/* dark by choice where the system is light: no frame is light */
	const cy = await context({ colorScheme: 'light' });
	await cy.addInitScript(watch);
	await cy.addInitScript(() => localStorage.setItem('cc.theme', '"dark"'));
	const q = await Person.open(b, url, { context: cy });
	await q.page.locator('#login-view:not([hidden])').waitFor(LONG);
	await q.frames(3);
	assert.deepEqual(await grounds(q), [DARK]);
	await q.close();
	await judge.close();
});
test('page 58: the keyboard of a phone: the field is above it, the end stays',
    async () => {
	const r = room(), a = await Client.login(ws, 'Bob', r);
	for (let i = 1; i <= 60; i++)
		await a.say(r, `line ${i}`);
	/* as iOS has it: only the visual viewport shrinks */
	const cx = await context({ viewport: P, hasTouch: true, isMobile: true });
	await cx.addInitScript(() => {
		const view = new EventTarget();
		Object.assign(view, { scale: 1, offsetTop: 0, height: innerHeight });
		Object.defineProperty(globalThis, 'visualViewport', { value: view });
		globalThis.keyboard = px => {
			view.height = innerHeight - px;
			view.dispatchEvent(new Event('resize'));
		};
	});
	const p = await Person.open(b, url, { context: cx });
	await p.login('Amy', r);
	await p.sees('line 60');
	const state = high => p.page.evaluate(h => {
		const log = document.querySelector('#log');
		const box = document.querySelector('#composer .box')
		    .getBoundingClientRect();
		return { seen: box.top >= 0 && box.bottom <= h && box.height > 0,
		    gap: Math.round(log.scrollHeight - log.scrollTop -
		    log.clientHeight), high: Math.round(log.clientHeight) };
	}, high);
	const full = await state(P.height);
	assert.ok(full.seen && full.gap <= 1, JSON.stringify(full));
	const settled = high => wait('the field is seen, the end too', async () => {
		const s = await state(high);
		if (!s.seen || s.gap > 1)
			throw new Error(JSON.stringify(s));
		return true;
	});
	await p.page.evaluate(() => globalThis.keyboard(300));
	await settled(P.height - 300);
	assert.ok((await state(P.height)).high <= full.high - 290);
	await p.page.evaluate(() => globalThis.keyboard(0));
	await settled(P.height);
	p.quiet();
	await p.close();
	/* as Android has it: the page itself becomes lower */
	const q = await Person.open(b, url, { viewport: P, touch: true });
	await q.login('Cem', r);
	await q.sees('line 60');
	await q.page.setViewportSize({ width: P.width, height: P.height - 300 });
	const low = await wait('lower', async () => {
		const s = await q.page.evaluate(() => {
			const log = document.querySelector('#log');
			const box = document.querySelector('#composer .box')
			    .getBoundingClientRect();
			return { seen: box.bottom <= innerHeight && box.top >= 0,
			    gap: log.scrollHeight - log.scrollTop - log.clientHeight };
		});
		return s.seen && s.gap <= 1.5;
	});
	assert.ok(low);
	await q.close();
	await a.bye();
});
test('page 59: 200 % zoom, and 320 px: nothing cut off, one way to scroll',
    async () => {
	for (const viewport of [{ width: 640, height: 430 },
	    { width: 320, height: 568 }]) {
		const r = room(), a = await Client.login(ws, 'Bob', r);
		await a.say(r, `https://example.org/${'very-long/'.repeat(30)}`);
		await a.say(r, '```\nint\nmain(void) { return printf("a long line of ' +
		    'code, longer than the page is wide\\n"); }\n```');
		const p = await Person.open(b, url, { viewport });
		const what = `${viewport.width} px`;
		/* what can be pressed is whole, or in something that scrolls up */
		const fits = async where => assert.deepEqual(await p.page.evaluate(() => {
			const out = [];
			const wide = document.documentElement.scrollWidth;
			if (wide > innerWidth)
				out.push(`the page is ${wide} px wide`);
			for (const el of document.querySelectorAll('#log, .scroll, dialog, ' +
			    '#login-view'))
				if (el.scrollWidth > el.clientWidth + 1)
					out.push(`${el.id || el.className} scrolls sideways`);
			for (const el of document.querySelectorAll('button, input, ' +
			    'textarea, select, a, h1, h2, label, p')) {
				const r = el.getBoundingClientRect();
				const s = getComputedStyle(el);
				if (!r.width || !r.height || s.visibility === 'hidden' ||
				    el.closest('.sr, .skip, pre'))
					continue;
				if (r.left < -1 || r.right > innerWidth + 1)
					out.push(`${el.id || el.className || el.tagName} ` +
					    `from ${r.left} to ${r.right}`);
			}
			return out;
		}), [], `${what}, ${where}`);
		await p.page.locator('#login-view:not([hidden])').waitFor(LONG);
		await fits('login');
		/* the last of the form can be got at */
		await p.page.locator('#login-theme').scrollIntoViewIfNeeded();
		await p.login('A name that is long', r);
		await p.page.locator('#log .m').nth(1).waitFor(LONG);
		await fits('chat');
		assert.ok(await p.page.locator('#log').evaluate(el =>
		    el.clientHeight) > 100, `${what}: no room for messages`);
		for (const key of ['Control+k', 'Control+,']) {
			await p.page.keyboard.press(key);
			await p.page.locator('dialog[open]').waitFor(LONG);
			await p.frames(2);
			await fits(key);
			await p.page.keyboard.press('Escape');
			await p.page.locator('dialog').waitFor({ state: 'detached', ...LONG });
		}
		await p.page.locator('#toggle-people').click();
		await p.page.locator('#people .person').first().waitFor(LONG);
		await fits('people');
		await p.page.locator('#people-close').click();
		await p.page.locator('#back').click();
		await p.page.locator('#find').waitFor(LONG);
		await fits('list');
		p.quiet();
		await p.close();
		await a.bye();
	}
});
test('page 60: where motion is not wanted, nothing moves', async () => {
	const moving = p => p.page.evaluate(() => document.getAnimations()
	    .filter(x => x.playState === 'running')
	    .map(x => x.animationName ?? x.transitionProperty));
	const visit = async (reducedMotion, check) => {
		const p = await Person.open(b, url,
		    { context: await context({ reducedMotion }) });
		await p.login('Amy', room());
		await p.say('hello');
		await p.page.locator('#log .mark.sent').waitFor(LONG);
		p.tap.give({ cmd: 'typing', rid: p.tap.out[0].rid, uid: '1002',
		    name: 'Bob', on: true });
		p.tap.refusing = true;
		await p.tap.cut();
		await p.page.locator('#banner:not([hidden])').waitFor(LONG);
		await p.say('waits');
		await p.page.locator('#log .m[data-state=pending]').waitFor(LONG);
		await check(p);
		await p.page.keyboard.press('Control+k');
		await p.page.locator('dialog#switcher').waitFor(LONG);
		await check(p);
		await p.close();
	};
	await visit('reduce', async p => assert.deepEqual(await moving(p), []));
	/* and the test can see what moves */
	await visit('no-preference', async p =>
	    assert.ok((await moving(p)).includes('spin')));
});
