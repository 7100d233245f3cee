/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/* page.md (d) 33, 35 and 39: hostile content, headers, own requests only. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Cluster, fetch, sleep, until, www } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { Person, launch } from './page.mjs';

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
	    { ...f, errCode: 499, errMsg: hostile[0] } : f;
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
	p.tap.give({ cmd: 'newUser', uid: 'x1', name: '<svg/onload=alert(1)>',
	    rid: r });
	p.tap.give({ cmd: 'error', errCode: 499, errMsg: hostile[1] });
	p.tap.give({ cmd: 'notice', msg: hostile[2], level: 'info' });
	await p.page.locator('.toast').first().waitFor();
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
		    '#dms, #rooms, #me-name';
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
test('page 35: the header, and nothing inline in what is shipped', async () => {
	const want = {
		'x-content-type-options': 'nosniff',
		'referrer-policy': 'no-referrer',
		'cross-origin-opener-policy': 'same-origin',
		'permissions-policy': 'microphone=(self), camera=(self), ' +
		    'geolocation=()',
	};
	const port = c.msgs[0].ports.direct;
	for (const path of ['/', '/index.html', '/js/main.js', '/css/app.css',
	    '/sdk/cchat.js']) {
		const r = await fetch(port, path);
		assert.equal(r.status, 200, path);
		const csp = Object.fromEntries(r.headers['content-security-policy']
		    .split(';').map(d => d.trim().split(/ (.*)/)));
		for (const [k, v] of Object.entries({ 'default-src': "'none'",
		    'script-src': "'self'", 'style-src': "'self'",
		    'img-src': "'self' data: blob:", 'media-src': "'self' blob:",
		    'font-src': "'self'", 'manifest-src': "'self'",
		    'worker-src': "'self'", 'base-uri': "'none'",
		    'form-action': "'none'", 'frame-ancestors': "'none'",
		    'require-trusted-types-for': "'script'",
		    'trusted-types': "'none'" }))
			assert.equal(csp[k], v, `${path}: ${k}`);
		assert.match(csp['connect-src'], /^'self'/);
		assert.doesNotMatch(csp['connect-src'], /\*|https?:\/\/\/|evil/);
		if (!c.mock)
			for (const [k, v] of Object.entries(want))
				assert.equal(r.headers[k], v, `${path}: ${k}`);
	}
	for (const name of readdirSync(www).filter(f => f.endsWith('.html'))) {
		const html = readFileSync(join(www, name), 'utf8')
		    .replace(/<!--.*?-->/gs, '');
		assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)/i, name);
		assert.doesNotMatch(html, /<style/i, name);
		assert.doesNotMatch(html, /\sstyle=/i, name);
		assert.doesNotMatch(html, /\son[a-z]+=/i, name);
	}
	const sinks = new RegExp('innerHTML|outerHTML|insertAdjacentHTML|' +
	    'document\\.write|DOMParser|\\beval\\(|new Function|' +
	    'set(Timeout|Interval)\\([\'"`]|createContextualFragment|srcdoc');
	const walk = dir => readdirSync(dir, { withFileTypes: true })
	    .flatMap(e => e.isDirectory() ? walk(join(dir, e.name)) :
	    [join(dir, e.name)]);
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
	await until('requests were seen', () => p.requests.length > 10);
	for (const r of p.requests) {
		const u = new URL(r);
		assert.ok(['blob:', 'data:'].includes(u.protocol) || u.host === own, r);
	}
	p.quiet();
	await p.close();
	await a.bye();
});
