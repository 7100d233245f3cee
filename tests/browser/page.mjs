/* SPDX-License-Identifier: MIT */
/*
 * A browser, people in it, and a tap on their WebSocket.  The hooks of the
 * page are those listed at the top of www/js/main.js.  Whatever the page
 * writes to its console as an error fails the test that calls quiet(); what
 * its CSP or Trusted Types refused fails the whole file (page.md (d) 35).
 *
 * To look for races: CCHAT_CPU=6 gives each page a sixth of the processor,
 * CCHAT_SLOW=400 lets each file of the page come up to 400 ms late, at random.
 * Every test of this folder passes with both, given time.
 */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import { sleep, until } from '../lib/cluster.mjs';

/* How long a test waits for what must come, ms: a busy machine is no failure. */
export const MS = 60000;
export const LONG = { timeout: MS };
/* The same, for what must become true. */
export const wait = (what, fn) => until(what, fn, MS);

export const D = { width: 1360, height: 860 };
export const P = { width: 390, height: 844 };

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-extensions',
    '--disable-dev-shm-usage'];

/* What a policy refused, in any page of this file. */
export const refused = [];
const POLICY = /Content.Security.Policy|Trusted ?(Type|HTML|Script)/i;
if (process.argv[1]?.endsWith('.test.mjs'))
	after(() => assert.deepEqual(refused, [], 'refused by CSP'));

/* A microphone that hums, and nobody asked. */
export const HUM = ['--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream'];

export const launch = async (more = []) => {
	const b = await chromium.launch({ headless: true,
	    args: [...FLAGS, ...more],
	    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium' });
	const make = b.newContext.bind(b);
	if (CPU || SLOW)
		b.newContext = async o => hinder(await make(o));
	return b;
};

const CPU = Number(process.env.CCHAT_CPU ?? 0);
const SLOW = Number(process.env.CCHAT_SLOW ?? 0);
/* A context whose pages are slow, or get their files late. */
async function
hinder(context)
{
	if (SLOW)
		await context.route(/\.(js|css|svg)(\?.*)?$/, async route => {
			/* the scene: a slow line */
			await sleep(Math.random() * SLOW);
			await route.fallback().catch(() => {});
		});
	const make = context.newPage.bind(context);
	if (CPU)
		context.newPage = async () => {
			const page = await make();
			const cdp = await context.newCDPSession(page);
			await cdp.send('Emulation.setCPUThrottlingRate',
			    { rate: CPU });
			return page;
		};
	return context;
}

/*
 * Between page and server: `out` and `in` are the frames so far; up(f) and
 * down(f) may change a frame, or swallow it by returning null.
 */
export class Tap {
	out = [];
	in = [];
	sockets = [];
	opens = [];	/* times of dials */
	up = f => f;
	down = f => f;
	refusing = false;

	constructor(page)
	{
		this.page = page;
	}

	static async on(page)
	{
		const t = new Tap(page);
		await page.routeWebSocket(/\/ws(\?.*)?$/, ws => {
			t.opens.push(performance.now());
			if (t.refusing)
				return ws.close();
			const server = ws.connectToServer();
			const s = { ws, server };
			t.sockets.push(s);
			ws.onMessage(m => {
				const f = JSON.parse(m);
				t.out.push(f);
				const g = t.up(f, s);
				if (g)
					server.send(JSON.stringify(g));
			});
			server.onMessage(m => {
				const all = JSON.parse(m);
				for (const f of [].concat(all)) {
					t.in.push(f);
					const g = t.down(f, s);
					if (g)
						ws.send(JSON.stringify(g));
				}
			});
			ws.onClose((code, reason) => server.close({ code, reason }));
			server.onClose((code, reason) => ws.close({ code, reason }));
		});
		return t;
	}

	/* To the page, as if the server had sent it. */
	give(f)
	{
		this.sockets.at(-1).ws.send(JSON.stringify(f));
	}

	/* Ends the connection as the server would. */
	async cut(code = 4200, reason = '')
	{
		const s = this.sockets.at(-1);
		await s.server.close({ code: 1000 });
		await s.ws.close({ code, reason });
	}

	sent(cmd)
	{
		return this.out.filter(f => f.cmd === cmd);
	}
}

export class Person {
	/* o.viewport, o.locale, o.touch, o.tap, o.path, o.context (to share). */
	static async open(browser, url, o = {})
	{
		const p = new Person();
		p.url = url;
		p.context = o.context ?? await browser.newContext({
		    viewport: o.viewport ?? D, locale: o.locale ?? 'en-GB',
		    hasTouch: !!o.touch, isMobile: !!o.touch });
		p.page = await p.context.newPage();
		p.page.setDefaultTimeout(MS);
		p.errors = [];
		p.requests = [];
		p.page.on('console', m => {
			if (m.type() === 'error' || m.type() === 'warning')
				p.errors.push(m.text());
			if (POLICY.test(m.text()))
				refused.push(m.text());
		});
		p.page.on('pageerror', e => {
			p.errors.push(e.message);
			if (POLICY.test(e.message))
				refused.push(e.message);
		});
		p.page.on('request', r => p.requests.push(r.url()));
		p.page.on('websocket', w => p.requests.push(w.url()));
		if (o.tap !== false)
			p.tap = await Tap.on(p.page);
		await p.page.goto(url + (o.path ?? ''));
		return p;
	}

	static async join(browser, url, name, o = {})
	{
		const p = await Person.open(browser, url, o);
		await p.login(name, o.room);
		return p;
	}

	async login(name, room)
	{
		/* a token with a name in it asks for none */
		await this.page.locator('#login-view:not([hidden])').waitFor();
		if (!await this.page.locator('#name').isHidden())
			await this.page.locator('#name').fill(name);
		if (room)
			await this.page.locator('#room').fill(room);
		await this.page.locator('#join').click();
		await this.in();
		this.name = name;
		return this;
	}

	async in(ms = MS)
	{
		await this.page.locator('#chat-view:not([hidden])').waitFor(
		    { timeout: ms });
		await this.page.waitForFunction(() => ['empty', 'begin', 'more']
		    .includes(document.querySelector('#log .top')?.dataset.state),
		    null, { timeout: ms });
		return this;
	}

	get uid()
	{
		return this.tap.in.find(f => f.cmd === 'login')?.uid;
	}

	async say(text)
	{
		await this.page.locator('#text').fill(text);
		await this.page.locator('#text').press('Enter');
	}

	/* A row with exactly that text, once. */
	async sees(text, o = {})
	{
		const row = this.row(text);
		await row.first().waitFor({ timeout: o.ms ?? MS });
		assert.equal(await row.count(), 1, `"${text}" is there ` +
		    `${await row.count()} times`);
		return row;
	}

	row(text)
	{
		return this.page.locator('#log .m').filter({ has: this.page.locator(
		    '.text').getByText(text, { exact: true }) });
	}

	/* All texts of the log, in the order of the page. */
	texts()
	{
		return this.page.locator('#log .m .text').allInnerTexts();
	}

	people(off = false)
	{
		return this.page.locator(`#people .person${off ? '.away' :
		    ':not(.away)'} .title`).allInnerTexts();
	}

	async peopleAre(names, ms = MS)
	{
		const want = [...names].sort().join();
		await until(`people ${want}`, async () => {
			const now = (await this.people()).sort().join();
			if (now !== want)
				throw new Error(now);
			return true;
		}, ms);
	}

	conv(key)
	{
		return this.page.locator(`.conv[data-conv="${key}"]`);
	}

	async go(key)
	{
		await this.conv(key).locator('a.go').click();
		await this.page.locator(
		    `.conv[data-conv="${key}"] a.go[aria-current=page]`).waitFor();
	}

	async tell(uid)
	{
		await this.page.locator(`#people .person[data-uid="${uid}"] .go`)
		    .click();
		await this.conv(`@${uid}`).waitFor();
	}

	/* n animation frames have passed. */
	frames(n = 2)
	{
		return this.page.evaluate(k => new Promise(r => {
			const step = () => k-- ? requestAnimationFrame(step) : r();
			step();
		}), n);
	}

	/* What the first paint does without is here, too: keys, banner, people. */
	async whole()
	{
		await this.page.locator('#people .rows').waitFor({ state: 'attached' });
		return this;
	}

	/* What a wheel has scrolled has come to rest. */
	still(sel = '#log')
	{
		return this.page.evaluate(async s => {
			const el = document.querySelector(s);
			let at = el.scrollTop, since = performance.now();
			for (let n = 0; n < 20 || performance.now() < since + 300; n++) {
				await new Promise(requestAnimationFrame);
				if (el.scrollTop !== at)
					n = 0, since = performance.now();
				at = el.scrollTop;
			}
		}, sel);
	}

	/*
	 * From now on all is kept that an element says: a toast goes after four
	 * seconds, whoever looks.  told() waits for words that were ever there.
	 */
	listen(sel)
	{
		return this.page.evaluate(s => {
			const el = document.querySelector(s);
			const all = (globalThis.told ??= {})[s] = [];
			const look = () => {
				const now = el.hidden ? '' : el.innerText.trim();
				if (now !== (all.at(-1) ?? ''))
					all.push(now);
			};
			new MutationObserver(look).observe(el, { subtree: true,
			    childList: true, attributes: true, characterData: true });
			look();
		}, sel);
	}

	told(sel, words)
	{
		return wait(`${sel} says ${words}`, async () => {
			const all = await this.page.evaluate(s => globalThis.told[s], sel);
			const one = all.find(x => words.test(x));
			if (!one)
				throw new Error(all.join(' | '));
			return one;
		});
	}

	/* Nothing was complained of; what a test causes itself is excused. */
	quiet(...excused)
	{
		const bad = this.errors.filter(e => !excused.some(x => x.test(e)));
		assert.deepEqual(bad, []);
	}

	close()
	{
		return this.context.close();
	}
}
