/* SPDX-License-Identifier: MIT */
/*
 * How fast the chat page is, in the milliseconds that `make check` doesn't
 * judge: page.md c.18.  A page installed from the build (CCHAT_BUILD), served
 * by a real msg_server to headless Chromium.
 *
 *	node tests/bench/browser.mjs	[--write: into README.md]
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cluster, build } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { Person, launch } from '../browser/page.mjs';
import { fill, median } from './page.mjs';

const MANY = 10000;
const here = dirname(fileURLToPath(import.meta.url));
const rows = [['figure', 'budget', 'here']];
const row = (what, budget, got) => {
	rows.push([what, budget, got]);
	console.log(`${what}: ${got} (budget ${budget})`);
};
const ms = v => `${v < 10 ? v.toFixed(1) : Math.round(v)} ms`;

/* ---- a slow line: first paint, first message ---- */

const throttle = async page => {
	const cdp = await page.context().newCDPSession(page);
	await cdp.send('Network.enable');
	await cdp.send('Network.setCacheDisabled', { cacheDisabled: true });
	await cdp.send('Network.emulateNetworkConditions', { offline: false,
	    latency: 150, downloadThroughput: 1.6e6 / 8,
	    uploadThroughput: 1.6e6 / 8 });
};
const paint = async (b, url) => {
	const fcp = [];
	for (let i = 0; i < 5; i++) {
		const page = await b.newPage();
		await throttle(page);
		await page.goto(url);
		fcp.push(await page.evaluate(() => new Promise(done => {
			new PerformanceObserver(l => done(l.getEntries()[0].startTime))
			    .observe({ type: 'paint', buffered: true });
		})));
		await page.close();
	}
	row('first paint, 150 ms and 1.6 Mb/s', '1.0 s', ms(median(fcp)));
};
const slow = async (b, url) => {
	const p = await Person.join(b, url, 'Ada', { room: 'bench', tap: false });
	await p.sees('the last of them');
	await p.context.addInitScript(() => {
		const look = () => {
			if (document.querySelector('#log .m'))
				globalThis.firstMessage = performance.now();
			else
				requestAnimationFrame(look);
		};
		requestAnimationFrame(look);
	});
	await throttle(p.page);
	const first = [];
	let bytes = 0, requests = 0;
	for (let i = 0; i < 5; i++) {
		await p.page.reload();
		await p.page.waitForFunction(() => globalThis.firstMessage);
		const r = await p.page.evaluate(() => ({
			first: globalThis.firstMessage,
			got: performance.getEntriesByType('resource').concat(
			    performance.getEntriesByType('navigation'))
			    .filter(e => e.startTime < globalThis.firstMessage)
			    .map(e => e.encodedBodySize) }));
		first.push(r.first);
		requests = r.got.length;
		bytes = r.got.reduce((x, y) => x + y, 0);
	}
	row('first message there, by a reload', '1.5 s', ms(median(first)));
	row('fetched until then', '40 KB', `${(bytes / 1024).toFixed(1)} KB ` +
	    `in ${requests}`);
	await p.close();
};

/* ---- a long log, with no server behind it ---- */

const long = async (b, url) => {
	const p = await Person.open(b, url, { tap: false });
	const cdp = await p.context.newCDPSession(p.page);
	const r = await p.page.evaluate(async many => {
		const { Log } = await import('/js/log.js');
		const { insert, makeConv } = await import('/js/conv.js');
		document.querySelector('#login-view').hidden = true;
		document.querySelector('#chat-view').hidden = false;
		const box = document.querySelector('#log');
		const none = () => {};
		const log = new Log(box, new Proxy({ names: () => null, me: () => '1',
		    can: () => false }, { get: (t, k) => t[k] ?? none }));
		const words = 'the proxy failover is in and nothing was lost 好的 **48k**'
		    .split(' ');
		const item = n => ({ ord: n, seq: n, uid: `u${n % 13 >> 1}`,
		    name: `Person ${n % 13 >> 1}`, type: 'text', ts: 1.7e12 + n * 9e4,
		    msg: Array.from({ length: 1 + n * 7 % 23 }, (_, i) =>
		    words[(n + i * i) % words.length]).join(' '), mine: false,
		    state: '' });
		const frame = () => new Promise(f => { requestAnimationFrame(f); });
		const make = (key, n) => {
			const c = makeConv(key);
			for (let i = 1; i <= n; i++)
				insert(c, item(i));
			c.loaded = true;
			c.more = false;
			return c;
		};
		const out = { open: [], append: [], frames: [], burst: [], rows: 0,
		    shift: 0 };
		const count = () => {
			out.rows = Math.max(out.rows, box.querySelectorAll('.m').length);
		};
		/* opened, and opened again when it has been left out of memory */
		for (let i = 0; i < 5; i++) {
			const c = make(`r${i}`, many);
			await frame();
			const t0 = performance.now();
			log.show(c);
			box.getBoundingClientRect();
			out.open.push(performance.now() - t0);
			await frame();
			await frame();
			count();
		}
		/* one more, 200 times: the frame's work up to its layout */
		const c = make('last', many);
		log.show(c);
		await frame();
		const add = n => new Promise(done => {
			let t0;
			requestAnimationFrame(() => { t0 = performance.now(); });
			for (let i = 0; i < n; i++) {
				const it = item(c.items.length + 1);
				insert(c, it);
				log.changed(c);
			}
			requestAnimationFrame(() => {
				box.scrollHeight;
				done(performance.now() - t0);
			});
		});
		for (let i = 0; i < 200; i++) {
			out.append.push(await add(1));
			await frame();
		}
		for (let i = 0; i < 5; i++) {
			out.burst.push(await add(300));
			await frame();
			await frame();
		}
		count();
		/* 400 frames up through it */
		const step = 90;
		let last = await frame();
		for (let i = 0; i < 400; i++) {
			box.scrollTop -= step;
			const now = await frame();
			out.frames.push(now - last);
			last = now;
			if (i % 10 === 0)
				count();
		}
		/* a row in view stays where it is while others wake above it */
		for (let i = 0; i < 100; i++) {
			const row = document.elementFromPoint(box.getBoundingClientRect()
			    .left + 200, innerHeight / 2)?.closest('.m');
			const y = row?.getBoundingClientRect().top;
			box.scrollTop -= 150;
			await frame();
			await frame();
			if (row?.isConnected)
				out.shift = Math.max(out.shift, Math.abs(
				    row.getBoundingClientRect().top - y - 150));
		}
		return out;
	}, MANY);
	const at = (list, f) => [...list].sort((x, y) => x - y)[Math.min(
	    list.length - 1, Math.floor(list.length * f))];
	row('10,000 messages opened', '150 ms', ms(median(r.open)));
	row('rows in the DOM, at most', '300', String(r.rows));
	row('one more appended, p99', '8 ms', ms(at(r.append, .99)));
	row('300 more in one frame', '300 ms', ms(median(r.burst)));
	row('400 frames of scrolling, p95', '20 ms', ms(at(r.frames, .95)));
	row('of them above 25 ms', '4', String(r.frames.filter(
	    x => x > 25).length));
	row('a row moved while others woke above it', '1 px',
	    `${r.shift.toFixed(1)} px`);
	await cdp.send('HeapProfiler.enable');
	await cdp.send('HeapProfiler.collectGarbage');
	const heap = await cdp.send('Runtime.getHeapUsage');
	row('heap, with six such logs', '40 MB each',
	    `${(heap.usedSize / 1e6).toFixed(1)} MB`);
	await p.close();
};

const dir = mkdtempSync(join(tmpdir(), 'cchat-bench-page-'));
const made = spawnSync('make', ['-C', build, `DESTDIR=${dir}`,
    'pkgdatadir=/share', 'install-nobase_dist_pkgdataDATA',
    'install-data-hook'], { encoding: 'utf8' });
assert.equal(made.status, 0, made.stderr);
const c = await Cluster.start({ msgs: 1, www: join(dir, 'share/www') });
const b = await launch();
try {
	const a = await Client.login(c.msgs[0].ws, 'Bob', 'bench');
	for (let i = 0; i < 150; i++)
		await a.say('bench', `line ${i} of what was said before`);
	await a.say('bench', 'the last of them');
	await paint(b, c.msgs[0].page);
	await slow(b, c.msgs[0].page);
	await long(b, c.msgs[0].page);
	await a.bye();
} finally {
	await b.close();
	await c.stop();
	rmSync(dir, { recursive: true, force: true });
}
if (process.argv.includes('--write'))
	fill(join(here, 'README.md'), 'browser', rows);
