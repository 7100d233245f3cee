/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/* page.md (d) 28 to 30 and 32: the line, through a TCP fault proxy. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster, sleep } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { FaultProxy } from '../lib/faultproxy.mjs';
import { Person, launch, wait } from './page.mjs';

let c, b, f, url, ws, n = 0;
before(async () => {
	f = await FaultProxy.listen(() => c.msgs[0].ports.direct);
	url = `http://127.0.0.1:${f.port}/`;
	c = await Cluster.start({ msgs: 1, conf: { msg_server: { ping: 4,
	    origins: [url.slice(0, -1)] } } });
	ws = c.msgs[0].ws;
	b = await launch();
});
after(async () => {
	await b?.close();
	f?.close();
	await c?.stop();
});
const room = () => `line${++n}`;
const REFUSED = /ERR_(CONNECTION|EMPTY|SOCKET)|WebSocket/;

test('page 28: dropped and refused for 6 s: banner, try now, all caught up',
    async () => {
	const r = room();
	const p = await Person.join(b, url, 'Page', { room: r, tap: false });
	const a = await Client.login(ws, 'Other', r);
	await a.say(r, 'before');
	await p.sees('before');
	await p.whole();
	await p.listen('#toasts');
	/* when it was shown, and all it said */
	await p.page.evaluate(() => {
		const line = document.querySelector('#conn');
		const banner = document.querySelector('#banner');
		const w = globalThis.seen = { texts: [] };
		new MutationObserver(() => {
			if (line.dataset.state === 'reconnecting')
				w.since ??= performance.now();
		}).observe(line, { attributes: true });
		new MutationObserver(() => {
			if (banner.hidden)
				return;
			w.shown ??= performance.now();
			const s = banner.innerText;
			if (s !== w.texts.at(-1))
				w.texts.push(s);
		}).observe(banner, { attributes: true, subtree: true,
		    childList: true, characterData: true });
	});
	const t0 = performance.now();
	f.refuse(true);
	f.reset();
	const banner = p.page.locator('#banner');
	await banner.waitFor();
	const shown = await p.page.evaluate(() =>
	    globalThis.seen.shown - globalThis.seen.since);
	assert.ok(shown > 900, `banner after ${shown} ms`);
	/* a number that falls, of a wait that is over a second */
	await wait('a countdown', async () => {
		const { texts } = await p.page.evaluate(() => globalThis.seen);
		const n = texts.map(s => Number(/in (\d+) s/.exec(s)?.[1] ?? -1));
		if (!n.some((x, i) => i && x > 0 && n[i - 1] === x + 1))
			throw new Error(texts.join(' | '));
		return performance.now() - t0 > 6000;
	});
	for (let i = 1; i <= 4; i++)
		await a.say(r, `meanwhile ${i}`);
	/* while it waits for its next try: before anything else can happen */
	const now = await wait('a wait of over a second', () =>
	    p.page.evaluate(async () => {
		const b = document.querySelector('#banner');
		if (!(/in (\d+) s/.exec(b.innerText)?.[1] >= 2))
			return '';
		b.querySelector('[data-act=now]').click();
		for (let i = 0; i < 9; i++)
			await null;
		return b.innerText;
	}));
	assert.match(now, /Trying again…/);
	f.refuse(false);
	/* it may have come back at this very moment by itself */
	await p.page.evaluate(() =>
	    document.querySelector('#banner [data-act=now]')?.click());
	await banner.waitFor({ state: 'hidden' });
	await p.told('#toasts', /\b4 messages\b/);
	for (let i = 1; i <= 4; i++)
		await p.sees(`meanwhile ${i}`);
	assert.deepEqual(await p.texts(), ['before', ...[1, 2, 3, 4].map(i =>
	    `meanwhile ${i}`)]);
	p.quiet(REFUSED);
	await p.close();
	await a.bye();
});
test('page 29: tries grow apart, and fifty do not come back as one',
    async () => {
	const p = await Person.open(b, url, { tap: false });
	const r = room();
	/* the SDK of the page, fifty times; full jitter from 500 ms to 20 s */
	await p.page.evaluate(async rid => {
		const { CChat } = await import('/sdk/cchat.js');
		globalThis.all = await Promise.all(Array.from({ length: 50 },
		    async (_, i) => {
			const x = new CChat();
			x.tries = [];
			x.on('state', s => {
				if (s.state === 'online')
					x.back = performance.now();
				if (s.retryAt)
					x.tries.push(s.retryAt - Date.now());
			});
			await x.login({ name: `f${i}`, rid });
			return x;
		}));
	}, r);
	f.refuse(true);
	f.reset();
	/* the scene: no server, until each has tried a few times */
	const waits = await wait('tries of each', async () => {
		const all = await p.page.evaluate(() => globalThis.all.map(
		    x => x.tries));
		return all.every(w => w.length >= 3) && all;
	});
	for (const w of waits) {
		w.forEach((ms, i) => assert.ok(ms <= Math.min(20000,
		    500 * 2 ** i) + 50, `wait ${i} is ${ms} ms`));
	}
	const mean = i => {
		const all = waits.map(w => w[i]).filter(x => x !== undefined);
		return all.reduce((s, x) => s + x, 0) / all.length;
	};
	assert.ok(mean(1) > mean(0) * 1.2, 'waits do not grow');
	f.refuse(false);
	await wait('all are back', () => p.page.evaluate(() =>
	    globalThis.all.every(x => x.state === 'online')));
	/* and once more, all dropped in one moment, the line good */
	await p.page.evaluate(() => globalThis.all.forEach(x => { x.back = 0; }));
	f.reset();
	/* who was not 10 s online goes on with the wait he had: up to 20 s */
	await wait('all are back', () => p.page.evaluate(() =>
	    globalThis.all.every(x => x.back > 0)));
	const back = (await p.page.evaluate(() => globalThis.all.map(
	    x => x.back))).sort((x, y) => x - y);
	const most = Math.max(...back.map(t => back.filter(u => u >= t &&
	    u < t + 100).length));
	assert.ok(most < 50 && back.at(-1) - back[0] > 100,
	    `${most} within 100 ms`);
	await p.close();
});
test('page 30: a server that falls silent is left and found again',
    async () => {
	const r = room();
	const p = await Person.join(b, url, 'Page', { room: r, tap: false });
	const dials = f.accepted.length;
	f.blackhole(true);
	await wait('a new dial', () => f.accepted.length > dials);
	f.blackhole(false);
	f.reset();
	const a = await Client.login(ws, 'Other', r);
	await a.say(r, 'are you there?');
	await p.sees('are you there?');
	await p.say('yes');
	await a.hear('yes');
	await p.close();
	await a.bye();
});
test('page 32: a loss of under a second shows nothing', async () => {
	/* a first loss: the wait is at most 500 ms; a machine may be slower */
	let short = 0;
	for (let i = 0; i < 20 && short < 3; i++) {
		const r = room();
		const p = await Person.join(b, url, 'Page', { room: r, tap: false });
		const a = await Client.login(ws, 'Other', r);
		await p.page.evaluate(() => {
			globalThis.shown = 0;
			const line = document.querySelector('#conn');
			new MutationObserver(() => {
				const up = line.dataset.state === 'online';
				if (up)
					globalThis.lost = performance.now() - globalThis.since;
				else
					globalThis.since ??= performance.now();
			}).observe(line, { attributes: true });
			const look = () => {
				if (!document.querySelector('#banner').hidden ||
				    document.querySelector('#toasts .toast'))
					globalThis.shown++;
			};
			new MutationObserver(look).observe(document.body, {
			    subtree: true, childList: true, attributes: true });
		});
		f.reset();
		await a.say(r, 'after the cut');
		await p.sees('after the cut');
		/* a time in which no banner may show */
		await sleep(1200);
		const [lost, shown] = await p.page.evaluate(() =>
		    [globalThis.lost, globalThis.shown]);
		if (lost < 900) {
			short++;
			assert.equal(shown, 0);
		}
		assert.equal((await p.texts()).length, 1);
		p.quiet(REFUSED);
		await p.close();
		await a.bye();
	}
	assert.ok(short, 'no loss was short');
});
