/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * page.md (d) 13 to 15: very long conversations.  The spec has milliseconds,
 * which are the machine's; here is counted what costs them: rows that stand
 * in the page, rows that are made, scroll positions that are written.  What
 * it took is said, not judged.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { Person, launch, wait } from './page.mjs';

const MANY = 10000;
let c, b, url, ws;
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

/* Counts what happens in #log, from before the page's own code runs. */
const counting = () => {
	const n = window.count = { writes: 0, made: 0, most: 0 };
	const d = Object.getOwnPropertyDescriptor(Element.prototype, 'scrollTop');
	Object.defineProperty(Element.prototype, 'scrollTop', { ...d, set(v) {
		n.writes += this.id === 'log';
		d.set.call(this, v);
	} });
	const rows = new WeakSet();
	new MutationObserver(all => {
		let some = false;
		for (const m of all)
			for (const el of m.addedNodes)
				if (el.nodeType === 1 && m.target.closest?.('#log')) {
					some = true;
					for (const m of el.matches('.m') ? [el] :
					    el.querySelectorAll('.m')) {
						n.made += !rows.has(m);
						rows.add(m);
					}
				}
		if (some)
			n.most = Math.max(n.most,
			    document.querySelectorAll('#log .m').length);
	}).observe(document, { childList: true, subtree: true });
};
const counts = p => p.page.evaluate(() => ({ ...window.count }));

/* A page whose room has MANY messages, as far as it knows. */
async function
long(r)
{
	const a = await Client.login(ws, 'Filler', r);
	await a.say(r, 'm1');
	const p = await Person.open(b, url);
	await p.page.addInitScript(counting);
	await p.page.reload();
	const noon = Date.now() - MANY * 60000;
	p.tap.down = f => {
		if (f.cmd === 'login' && f.pos?.[r])
			f.pos[r].seq = MANY;
		if (f.cmd === 'getHistory' && f.list?.length)
			f.list = Array.from({ length: MANY }, (_, i) => ({
				...f.list[0], seq: i + 1, mid: undefined,
				uid: `u${(i >> 3) % 5}`, name: `Name ${(i >> 3) % 5}`,
				ts: noon + i * 60000,
				msg: `m${i + 1} ${'word '.repeat(i * 7 % 30)}` }));
		return f;
	};
	const t0 = performance.now();
	await p.login('Reader', r);
	await p.page.locator(`#log .m[data-seq="${MANY}"]`).waitFor();
	return { p, a, ms: performance.now() - t0 };
}

test('page 13: 10,000 messages: few rows, when it opens and all the way',
    async t => {
	const { p, a, ms } = await long('long13');
	await p.frames(5);
	const open = await counts(p);
	t.diagnostic(`logged in and open in ${Math.round(ms)} ms, ` +
	    `${open.made} rows made`);
	assert.ok(open.made <= 450, `${open.made} rows to open`);
	assert.ok(open.most <= 300, `${open.most} rows at once`);
	/* who has the focus keeps it, and his row, however far away */
	await p.page.locator(`#log .m[data-seq="${MANY - 40}"]`).focus();
	/* to the top and back; wherever one stops, there are rows */
	const blank = await p.page.evaluate(async () => {
		const box = document.querySelector('#log');
		const frame = () => new Promise(requestAnimationFrame);
		const row = () => {
			const { left, top, width, height } = box.getBoundingClientRect();
			for (let y = -60; y <= 60; y += 12)
				if (document.elementFromPoint(left + width / 2,
				    top + height / 2 + y)?.closest('.m'))
					return true;
			return false;
		};
		let blank = 0;
		for (const by of [-9000, 9000])
			for (let i = 0; i < 30; i++) {
				box.scrollTop += by;
				let n = 0;
				do
					await frame();
				while (!row() && ++n < 600);
				blank += n >= 600;
			}
		return blank;
	});
	assert.equal(blank, 0);
	await p.page.locator('#log').evaluate(el => { el.scrollTop = 0; });
	await p.page.locator('#log .m[data-seq="1"]').waitFor();
	/* rows that wake on the way make the way longer */
	await wait('the end', () => p.page.locator('#log').evaluate(async el => {
		const frame = () => new Promise(requestAnimationFrame);
		el.scrollTop = el.scrollHeight;
		for (let i = 0; i < 3; i++)
			await frame();
		return el.scrollHeight - el.scrollTop - el.clientHeight <= 1;
	}));
	await p.page.locator(`#log .m[data-seq="${MANY}"]`).waitFor();
	assert.equal(await p.page.evaluate(() =>
	    document.activeElement.dataset.seq), String(MANY - 40));
	/* one more, and the oldest are left out of memory in the same frame */
	p.tap.give({ cmd: 'message', type: 'text', rid: 'long13', seq: MANY + 1,
	    uid: a.uid, name: 'Filler', ts: Date.now(), msg: 'one too many' });
	await p.page.locator(`#log .m[data-seq="${MANY + 1}"]`).waitFor();
	await wait('half are left', async () => await p.page.locator(
	    '#log .chunk').count() < 250);
	await p.frames(3);
	assert.ok(await p.page.locator('#log .chunk').count() >= 190);
	assert.ok(await p.page.locator('#log').evaluate(el =>
	    el.scrollHeight - el.scrollTop - el.clientHeight) <= 1);
	const { most } = await counts(p);
	t.diagnostic(`at most ${most} rows in the page`);
	assert.ok(most <= 300, `${most} rows at once`);
	p.quiet();
	await p.close();
	await a.bye();
});

test('page 14: 400 frames of scrolling make each row about once', async t => {
	const { p, a } = await long('long14');
	await p.frames(5);
	const was = await counts(p);
	const STEP = 400;
	const { times, px } = await p.page.evaluate(async step => {
		const box = document.querySelector('#log');
		const times = [];
		let at = performance.now(), px = 0;
		for (let i = 0; i < 400; i++) {
			const by = i < 200 ? -step : step;
			box.scrollTop += by;
			await new Promise(requestAnimationFrame);
			times.push(performance.now() - at);
			at = performance.now();
			px += step;
		}
		return { times, px };
	}, STEP);
	times.sort((x, y) => x - y);
	t.diagnostic(`p50 ${times[200].toFixed(1)} p95 ${times[380].toFixed(1)} ` +
	    `ms, ${times.filter(x => x > 25).length} over 25 ms`);
	const now = await counts(p);
	const rows = await p.page.locator('#log').evaluate(el =>
	    el.querySelectorAll('.m').length / [...el.querySelectorAll('.chunk')]
	    .filter(k => k.firstChild).reduce((s, k) => s + k.offsetHeight, 0));
	const passed = px * rows;
	const made = now.made - was.made, writes = now.writes - was.writes - 400;
	t.diagnostic(`${Math.round(passed)} rows passed, ${made} made, ` +
	    `${writes} corrections`);
	assert.ok(made <= passed * 1.6 + 500, `${made} for ${passed}`);
	/* one correction for a chunk that wakes, at most */
	assert.ok(writes <= made / 25 + 20, `${writes} corrections`);
	assert.ok(now.most <= 300, `${now.most} rows at once`);
	p.quiet();
	await p.close();
	await a.bye();
});

test('page 15: 300 messages at once are one scroll', async t => {
	const r = 'long15', a = await Client.login(ws, 'Filler', r);
	for (let i = 1; i <= 40; i++)
		await a.say(r, `m${i}`);
	const p = await Person.open(b, url);
	await p.page.addInitScript(counting);
	await p.page.reload();
	await p.login('Reader', r);
	await p.page.locator('#log .m[data-seq="40"]').waitFor();
	await p.whole();	/* it might change the height of the log */
	await p.frames(5);
	const was = await counts(p);
	const t0 = performance.now();
	p.tap.give(Array.from({ length: 300 }, (_, i) => ({ cmd: 'message',
	    type: 'text', rid: r, seq: 41 + i, uid: a.uid, name: 'Filler',
	    ts: Date.now(), msg: `burst ${i + 1}` })));
	await p.page.locator('#log .m[data-seq="340"]').waitFor();
	t.diagnostic(`all there in ${Math.round(performance.now() - t0)} ms`);
	const end = () => p.page.locator('#log').evaluate(el =>
	    el.scrollHeight - el.scrollTop - el.clientHeight <= 1);
	await wait('the end', end);
	await p.frames(3);
	const now = await counts(p);
	/* one; a line that comes or goes under the log has one of its own */
	const writes = now.writes - was.writes;
	assert.ok(writes >= 1 && writes <= 3, `${writes} scroll positions`);
	t.diagnostic(`${writes} scroll position written`);
	assert.ok(now.made - was.made <= 300, `${now.made - was.made} rows made`);
	assert.ok(await end());
	/* the page answers */
	const people = p.page.locator('#toggle-people');
	const open = await people.getAttribute('aria-expanded');
	await people.click();
	await wait('the panel', async () =>
	    await people.getAttribute('aria-expanded') !== open);
	p.quiet();
	await p.close();
	await a.bye();
});

test('page c.18: one more at the end is one row made, and nothing measured',
    async () => {
	const r = 'long18', a = await Client.login(ws, 'Filler', r);
	for (let i = 1; i <= 150; i++)	/* more than a page: there are older ones */
		await a.say(r, `m${i}`);
	const p = await Person.open(b, url);
	await p.page.addInitScript(counting);
	await p.page.addInitScript(() => {
		/* what is asked of the log in the frame's own work, where the
		   answer costs a layout; after it the browser lays out anyway */
		let drawing = false;
		window.asked = [];
		const ask = (el, what) => {
			if (drawing && el.closest('#log'))
				window.asked.push(what);
		};
		for (const k of ['scrollTop', 'scrollHeight', 'clientHeight']) {
			const d = Object.getOwnPropertyDescriptor(Element.prototype, k);
			Object.defineProperty(Element.prototype, k, { ...d, get() {
				ask(this, k);
				return d.get.call(this);
			} });
		}
		const rect = Element.prototype.getBoundingClientRect;
		Element.prototype.getBoundingClientRect = function () {
			ask(this, 'rect');
			return rect.call(this);
		};
		const raf = requestAnimationFrame;
		window.requestAnimationFrame = fn => raf.call(window, now => {
			drawing = true;
			fn(now);
			drawing = false;
		});
	});
	await p.page.reload();
	await p.login('Reader', r);
	await p.page.locator('#log .m[data-seq="150"]').waitFor();
	await p.frames(5);
	const was = await counts(p);
	await p.page.evaluate(() => { window.asked.length = 0; });
	for (let i = 151; i <= 170; i++) {
		await a.say(r, `m${i}`);
		await p.page.locator(`#log .m[data-seq="${i}"]`).waitFor();
	}
	await p.frames(3);
	assert.equal((await counts(p)).made - was.made, 20);
	assert.deepEqual(await p.page.evaluate(() => window.asked), []);
	assert.ok(await p.page.locator('#log').evaluate(el =>
	    el.scrollHeight - el.scrollTop - el.clientHeight) <= 1);
	p.quiet();
	await p.close();
	await a.bye();
});

test('two that change places at the end: what is far above stays as it is',
    async () => {
	const r = 'long19', a = await Client.login(ws, 'Filler', r);
	for (let i = 1; i <= 60; i++)
		await a.say(r, `m${i}`);
	const p = await Person.join(b, url, 'Reader', { room: r });
	await p.page.locator('#log .m[data-seq="60"]').waitFor();
	await p.whole();
	await p.frames(5);
	await p.page.evaluate(() => {
		window.first = document.querySelector('#log .m');
	});
	/* mine is on its way, theirs is stored before it */
	let mine;
	p.tap.up = f => f.cmd === 'message' ? (mine = f, null) : f;
	await p.say('mine');
	await wait('mine', () => mine);
	await a.say(r, 'theirs');
	await p.sees('theirs');
	assert.equal((await p.texts()).at(-1), 'theirs');
	p.tap.sockets.at(-1).server.send(JSON.stringify(mine));
	await wait('the order', async () => (await p.texts()).at(-1) === 'mine');
	assert.ok(await p.page.evaluate(() => window.first.isConnected));
	p.quiet();
	await p.close();
	await a.bye();
});

test('conversations that were left long ago keep no rows in memory', async () => {
	const rooms = Array.from({ length: 9 }, (_, i) => `left${i}`);
	for (const r of rooms) {
		const a = await Client.login(ws, 'Filler', r);
		for (let i = 1; i <= 30; i++)
			await a.say(r, `m${i}`);
		await a.bye();
	}
	const p = await Person.join(b, url, 'Reader', { room: rooms[0] });
	for (const r of rooms) {
		await p.page.evaluate(x => { location.hash = `#/r/${x}`; }, r);
		await p.conv(r).locator('a.go[aria-current=page]').waitFor();
		await p.page.locator('#log .m[data-seq="30"]').waitFor();
	}
	const cdp = await p.context.newCDPSession(p.page);
	const alive = async () => {	/* it collects garbage first */
		const { result } = await cdp.send('Runtime.evaluate',
		    { expression: 'HTMLDivElement.prototype' });
		const { objects } = await cdp.send('Runtime.queryObjects',
		    { prototypeObjectId: result.objectId, objectGroup: 'rows' });
		const { result: { value } } = await cdp.send('Runtime.callFunctionOn',
		    { objectId: objects.objectId, returnByValue: true,
		    functionDeclaration: 'function () { return this.filter(' +
		    'x => x.matches(".m")).length; }' });
		await cdp.send('Runtime.releaseObjectGroup', { objectGroup: 'rows' });
		return value;
	};
	/* five are kept as they were drawn */
	await wait('rows of five', async () => {
		const n = await alive();
		if (n > 170)
			throw new Error(`${n} rows`);
		assert.ok(n >= 30, `${n} rows`);
		return true;
	});
	p.quiet();
	await p.close();
});

test('in a hidden tab messages are drawn without frames', async () => {
	const r = 'long16', a = await Client.login(ws, 'Filler', r);
	const p = await Person.join(b, url, 'Reader', { room: r });
	await p.page.evaluate(() => {
		window.frame = window.requestAnimationFrame;
		window.requestAnimationFrame = () => 0;
		Object.defineProperty(document, 'hidden', { get: () => true,
		    configurable: true });
	});
	await a.say(r, 'while away');
	await wait('it is drawn', () => p.page.evaluate(() =>
	    !!document.querySelector('#log .m[data-seq="1"]')));
	assert.equal(await p.conv(r).locator('.badge').innerText(), '1');
	/* the tab is seen again: at once what came, and it is read */
	await a.say(r, 'just before');
	await wait('it is here', () => p.tap.in.some(f => f.seq === 2));
	await p.page.evaluate(() => {
		window.requestAnimationFrame = window.frame;
		delete document.hidden;
		document.dispatchEvent(new Event('visibilitychange'));
	});
	await p.page.locator('#log .m[data-seq="2"]').waitFor();
	await p.conv(r).locator('.badge').waitFor({ state: 'hidden' });
	p.quiet();
	await p.close();
	await a.bye();
});
