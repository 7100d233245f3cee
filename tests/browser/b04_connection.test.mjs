/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/* page.md (d) 28 to 30 and 32: the line, through a TCP fault proxy. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster, freePort, sleep, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { FaultProxy } from '../lib/faultproxy.mjs';
import { Person, launch } from './page.mjs';

let c, b, f, url, ws, n = 0;
before(async () => {
	const port = await freePort();
	c = await Cluster.start({ msgs: 1, conf: { msg_server: { ping: 4,
	    origins: [`http://127.0.0.1:${port}`] } } });
	f = await FaultProxy.listen(c.msgs[0].ports.direct, port);
	url = `http://127.0.0.1:${port}/`;
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
	const t0 = performance.now();
	f.refuse(true);
	f.reset();
	const banner = p.page.locator('#banner');
	await banner.waitFor({ timeout: 2000 });
	const shown = performance.now() - t0;
	assert.ok(shown > 500 && shown < 1900, `banner after ${shown} ms`);
	/* a number that falls */
	const seen = [];
	while (performance.now() - t0 < 6000) {
		seen.push(await banner.innerText());
		/* a pace */
		await sleep(100);
	}
	const numbers = seen.map(s => Number(/in (\d+) s/.exec(s)?.[1] ?? -1));
	assert.ok(numbers.some((x, i) => i && x > 0 && numbers[i - 1] === x + 1),
	    `no countdown in ${[...new Set(seen)]}`);
	for (let i = 1; i <= 4; i++)
		await a.say(r, `meanwhile ${i}`);
	/* while it waits for its next try */
	await until('a wait of over a second', async () => Number(/in (\d+) s/
	    .exec(await banner.innerText())?.[1] ?? 0) >= 2, 20000);
	f.refuse(false);
	const dials = f.accepted.length;
	const t1 = performance.now();
	await banner.locator('[data-act=now]').click();
	await until('a dial', () => f.accepted.length > dials, 1000);
	assert.ok(f.accepted[dials] - t1 < 350, 'try now is not at once');
	await banner.waitFor({ state: 'hidden' });
	const toast = p.page.locator('#toasts .toast');
	await toast.waitFor();
	assert.match(await toast.first().innerText(), /\b4 messages\b/);
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
	/* the scene: nine seconds without a server */
	await sleep(9000);
	const waits = await p.page.evaluate(() => globalThis.all.map(
	    x => x.tries));
	for (const w of waits) {
		assert.ok(w.length >= 2);
		w.forEach((ms, i) => assert.ok(ms <= Math.min(20000,
		    500 * 2 ** i) + 50, `wait ${i} is ${ms} ms`));
	}
	const mean = i => {
		const all = waits.map(w => w[i]).filter(x => x !== undefined);
		return all.reduce((s, x) => s + x, 0) / all.length;
	};
	assert.ok(mean(1) > mean(0) * 1.2, 'waits do not grow');
	f.refuse(false);
	await until('all are back', () => p.page.evaluate(() =>
	    globalThis.all.every(x => x.state === 'online')), 30000);
	/* and once more, all dropped in one moment, the line good */
	await p.page.evaluate(() => globalThis.all.forEach(x => { x.back = 0; }));
	f.reset();
	/* who was not 10 s online goes on with the wait he had: up to 20 s */
	await until('all are back', () => p.page.evaluate(() =>
	    globalThis.all.every(x => x.back > 0)), 25000);
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
	await until('a new dial', () => f.accepted.length > dials, 60000);
	f.blackhole(false);
	f.reset();
	const a = await Client.login(ws, 'Other', r);
	await a.say(r, 'are you there?');
	await p.sees('are you there?', { ms: 30000 });
	await p.say('yes');
	await a.hear('yes');
	await p.close();
	await a.bye();
});
test('page 32: a loss of under a second shows nothing', async () => {
	/* a first loss: the wait is at most 500 ms; a machine may be slower */
	for (let i = 0, short = 0; short < 3; i++) {
		assert.ok(i < 20, 'no loss was short');
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
});
