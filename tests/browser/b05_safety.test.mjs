/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/* page.md (d) 33, 35 and 39: hostile content, headers, own requests only. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Cluster, fetch, sleep, www } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { Person, launch, refused, wait } from './page.mjs';

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
const walk = dir => readdirSync(dir, { withFileTypes: true })
    .flatMap(e => e.isDirectory() ? walk(join(dir, e.name)) :
    [join(dir, e.name)]);
const room = () => `safe${++n}`;

const hostile = ['<img src=x onerror=alert(1)>', '<script>alert(1)</script>',
    '<svg/onload=alert(1)>', '"onmouseover="alert(1)', "'><b>x</b>",
    '[x](javascript:alert(1))', 'javascript:alert(1)',
    'data:text/html,<script>alert(1)</script>', '&lt;b&gt;',
    'https://ok.example/"onmouseover="alert(1)', '${alert(1)}', '{{7*7}}',
    'vbscript:alert(1)', '<a href="javascript:alert(1)">x</a>',
    '`<img src=x>`', '**<img src=x>**', '```\n<script>alert(1)</script>\n```',
    '\u202e<b>', '__proto__', 'constructor'];

test('page 33: hostile text stays text', async () => {
	const r = room(), a = await Client.login(ws, '<b>Eve</b>', r);
	const p = await Person.open(b, url);
	/* in the title of a room and in errors too */
	p.tap.down = f => f.cmd === 'error' ?
	    { ...f, errCode: 499, errMsg: hostile[0] } : f.cmd === 'login' ?
	    { ...f, pos: { ...f.pos, [r]: { ...f.pos?.[r],
	    title: hostile[4] } } } : f;
	await p.login('<img src=x>', r);
	let alerts = 0;
	p.page.on('dialog', d => {
		alerts++;
		d.dismiss();
	});
	for (const s of hostile)
		await a.say(r, s);
	for (const type of ['pic', 'audio', 'file'])
		for (const s of hostile.slice(0, 8))
			await a.cmd({ cmd: 'message', type, rid: r, msg: s });
	await a.say(r, 'the end');
	await p.sees('the end');
	await p.whole();
	await p.listen('#toasts');
	p.tap.give({ cmd: 'newUser', uid: 'x1', name: '<svg/onload=alert(1)>',
	    rid: r });
	p.tap.give({ cmd: 'title', rid: r, uid: 'x1', title: hostile[1] });
	p.tap.give({ cmd: 'typing', rid: r, uid: 'x1', on: true,
	    name: hostile[3] });
	p.tap.give({ cmd: 'error', errCode: 499, errMsg: hostile[1] });
	p.tap.give({ cmd: 'notice', msg: hostile[2], level: 'info' });
	await p.told('#toasts', /./);
	/* a time in which nothing may run */
	await sleep(300);
	const found = await p.page.evaluate(() => {
		const out = { tags: 0, on: 0, hrefs: [], style: 0, shown: [] };
		for (const el of document.querySelectorAll('*')) {
			for (const at of el.attributes) {
				if (/^on/i.test(at.name))
					out.on++;
				if (at.name === 'href' && el.tagName === 'A' &&
				    !at.value.startsWith('#'))
					out.hrefs.push(el.href);
			}
		}
		const zones = '#log .text, #log .name, #people, #toasts, #title, ' +
		    '#sub, #dms, #rooms, #me-name, #banner, #said, #alert';
		for (const z of document.querySelectorAll(zones))
			out.tags += z.querySelectorAll('script, svg[onload], b > b, ' +
			    'iframe, object, embed, img, audio, a a').length;
		out.shown = [...document.querySelectorAll('#log .text')]
		    .map(e => e.innerText);
		return out;
	});
	assert.equal(found.tags, 0);
	assert.equal(found.on, 0);
	for (const h of found.hrefs)
		assert.match(h, /^(https?|mailto|tel):/);
	assert.equal(alerts, 0);
	for (const s of [0, 1, 2, 3, 5, 6, 7, 10, 11, 13].map(i => hostile[i]))
		assert.ok(found.shown.includes(s), `not shown as it is: ${s}`);
	p.quiet();
	await p.close();
	await a.bye();
});
test('page 38: names that turn the text round, wherever they are shown',
    async () => {
	const r = room(), p = await Person.join(b, url, 'Amy', { room: r });
	const name = `\u202egnp\u0007\u2066${'W'.repeat(500)}`;
	const shown = `gnp${'W'.repeat(61)}`;
	const from = { uid: 'x1', name, ts: Date.now() };
	const seq = p.tap.in.find(f => f.cmd === 'login').pos[r].seq;
	p.tap.give({ cmd: 'newUser', rid: r, ...from });
	p.tap.give({ cmd: 'message', type: 'text', rid: r, msg: 'in the room',
	    seq: seq + 1, ...from });
	p.tap.give({ cmd: 'message', type: 'text', tid: 'x1', msg: 'in private',
	    seq: 1, ...from });
	p.tap.give({ cmd: 'react', rid: r, ref: seq + 1, emo: '👍', on: true,
	    seq: seq + 2, ...from });
	await p.sees('in the room');
	await p.page.locator('#log .react').waitFor();
	await p.conv('@x1').waitFor();
	/* what is fetched late: people, who is typing */
	await p.page.locator('#people .person[data-uid=x1]').waitFor();
	p.tap.give({ cmd: 'typing', rid: r, on: true, ...from });
	await p.page.locator('#typing.on').waitFor();
	for (const at of ['#log .m .name', '#people .person[data-uid=x1] .title',
	    '.conv[data-conv="@x1"] .title'])
		assert.equal(await p.page.locator(at).first().textContent(), shown);
	const found = await p.page.evaluate(() => [document.title,
	    ...[...document.querySelectorAll('body, body *')].flatMap(el =>
	    [el.textContent, ...[...el.attributes].map(x => x.value)])]
	    .filter(x => /[\u202a-\u202e\u2066-\u2069\u0007]/.test(x)));
	assert.deepEqual(found, []);
	const wide = await p.page.evaluate(() => ['html', '#log', '#side',
	    '#people'].map(x => document.querySelector(x)).filter(el =>
	    el.scrollWidth > el.clientWidth).map(el => el.id || el.tagName));
	assert.deepEqual(wide, []);
	p.quiet();
	await p.close();
});
test('page 35: the header, exactly, on every file and every error page',
    { skip: process.env.CCHAT_MOCK && 'a server of the test' }, async () => {
	const { ports } = c.msgs[0];
	const policy = connect => 'default-src \'none\'; script-src \'self\'; ' +
	    'style-src \'self\'; img-src \'self\' data: blob:; ' +
	    'media-src \'self\' blob:; font-src \'self\'; connect-src ' +
	    `${connect}; manifest-src 'self'; worker-src 'self'; ` +
	    'base-uri \'none\'; form-action \'none\'; frame-ancestors ' +
	    '\'none\'; require-trusted-types-for \'script\'; trusted-types ' +
	    '\'none\'';
	const want = {
		'x-content-type-options': 'nosniff',
		'referrer-policy': 'no-referrer',
		'cross-origin-opener-policy': 'same-origin',
		'permissions-policy': 'microphone=(self), camera=(self), ' +
		    'geolocation=()',
		'cache-control': 'no-cache',
	};
	const files = walk(www).map(f => f.slice(www.length))
	    .filter(f => /\.(html|js|css|svg|png|webp|ts|md|json)$/.test(f));
	assert.ok(files.length > 20);
	for (const port of [ports.public, ports.direct])
		for (const [path, status, more] of [['/', 200],
		    ...files.map(f => [f, 200]), ['/nothing', 404],
		    ['/js/', 404], ['/%2e%2e/x', 404], ['/ws', 426],
		    ['/', 405, { method: 'POST', body: 'x' }],
		    ['/', 200, { method: 'HEAD' }],
		    ['/', 304, { headers: { 'if-none-match': '*' } }]]) {
			const r = await fetch(port, path, more);
			const at = `${port}${path} ${r.status}`;
			assert.equal(r.status, status, at);
			const csp = r.headers['content-security-policy'] ?? '';
			const [, connect] = /connect-src ([^;]*);/.exec(csp) ?? [];
			assert.equal(csp, policy(connect), at);
			/* own host, and the listeners of the cluster: as page and socket */
			const [self, ...sources] = connect.split(' ');
			assert.equal(self, '\'self\'', at);
			for (const x of sources)
				assert.match(x, /^(http|ws)s?:\/\/[\w.[\]:-]+$/, at);
			assert.ok(sources.some(x => x.endsWith(`:${ports.direct}`) &&
			    x.startsWith('ws://')), `${at}: ${connect}`);
			assert.equal(new Set(sources).size, sources.length, at);
			for (const [k, v] of Object.entries(want))
				if (k !== 'cache-control' || status === 200 ||
				    status === 304)
					assert.equal(r.headers[k], v, `${at}: ${k}`);
		}
});
test('page 35: a page that breaks the policy is seen by these tests',
    async () => {
	const p = await Person.open(b, url, { tap: false });
	const caught = await p.page.evaluate(() => {
		try {
			document.body.innerHTML = '<b>x</b>';
			return '';
		} catch (e) {
			return e.name;
		}
	});
	assert.equal(caught, 'TypeError');
	await wait('it is refused', () => refused.length > 0);
	await p.page.evaluate(() => {
		const i = document.createElement('img');
		i.src = 'http://127.0.0.1:1/x.png';
		document.body.append(i);
	});
	await wait('that, too', () => refused.some(x => x.includes('x.png')));
	await p.close();
	/* they were meant */
	refused.length = 0;
});
test('page 35: nothing inline, and no sink, in what is shipped', () => {
	const pages = walk(www).filter(f => f.endsWith('.html'));
	assert.ok(pages.length > 1);
	for (const name of pages) {
		const html = readFileSync(name, 'utf8')
		    .replace(/<!--.*?-->/gs, '');
		assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)/i, name);
		assert.doesNotMatch(html, /<style/i, name);
		assert.doesNotMatch(html, /\sstyle=/i, name);
		assert.doesNotMatch(html, /\son[a-z]+\s*=/i, name);
		assert.doesNotMatch(html, /(src|href)="?\s*(\w+:|\/\/)/i, name);
	}
	const sinks = new RegExp('innerHTML|outerHTML|insertAdjacentHTML|' +
	    'document\\.write|DOMParser|\\beval\\(|new Function|' +
	    'set(Timeout|Interval)\\([\'"`]|createContextualFragment|srcdoc');
	for (const file of walk(www).filter(f => /\.(js|html)$/.test(f)))
		assert.doesNotMatch(readFileSync(file, 'utf8'), sinks, file);
});
test('page 39: a whole session asks its own origin alone', async () => {
	const r = room();
	const p = await Person.join(b, url, 'Amy', { room: r, tap: false });
	const a = await Client.login(ws, 'Bob', r);
	await a.say(r, 'see https://elsewhere.example/x.png');
	await a.cmd({ cmd: 'message', type: 'pic', rid: r,
	    msg: 'https://elsewhere.example/y.png' });
	await a.cmd({ cmd: 'message', type: 'audio', rid: r,
	    msg: 'https://elsewhere.example/z.ogg' });
	await a.say(r, 'last');
	await p.sees('last');
	await p.page.locator('#smile').click();
	await p.page.locator('#emoji button.emo').first().click();
	await p.page.keyboard.press('Escape');
	await p.page.locator('#theme').click();
	await p.page.locator('#lang').click();
	await p.page.keyboard.press('Control+k');
	await p.page.locator('dialog#switcher input').waitFor();
	await p.page.keyboard.press('Escape');
	await p.tell(a.uid);
	await p.say('hi');
	await a.hear('hi');
	await p.page.reload();
	await p.in();
	const own = new URL(url).host;
	await wait('requests were seen', () => p.requests.length > 10);
	for (const r of p.requests) {
		const u = new URL(r);
		assert.ok(['blob:', 'data:'].includes(u.protocol) || u.host === own, r);
	}
	p.quiet();
	await p.close();
	await a.bye();
});
