/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * A page of PHPWebIM's kind against two msg_servers, by WebSocket and, in a
 * browser that has none, by long poll, each served by the server itself with
 * the config.js it makes. What others say can't become markup in it, though it
 * puts names into HTML as they come and evaluates images.
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { Cluster, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { launch } from './page.mjs';

const LONG = 60000;
const www = fileURLToPath(new URL('./old/webim', import.meta.url));
const evil = '<img src=x onerror="window.hacked=1">\'x\'';
let c, b, amy, bob, cat;

class Visitor {
	static async join(at, name, poll)
	{
		const v = new Visitor();
		v.context = await b.newContext();
		v.page = await v.context.newPage();
		v.page.setDefaultTimeout(LONG);
		v.errors = [];
		v.page.on('pageerror', e => v.errors.push(e.message));
		if (poll)
			await v.page.addInitScript(() => { window.WebSocket = null; });
		await v.page.goto(`http://127.0.0.1:${c.msgs[at].ports.direct}/`);
		await v.page.fill('[name=name]', name);
		await v.page.fill('[name=avatar]', '/a.png');
		await v.page.click('button');
		await until(`${name} is in`, async () =>
		    (await v.people()).length > 0, LONG);
		return v;
	}

	people()
	{
		return this.page.locator('#people li span').allTextContents();
	}

	async all()
	{
		return this.page.locator('#log .one').evaluateAll(l => l.map(e =>
		    [...e.children].map(x => x.textContent)));
	}

	sees(who, text, how = '')
	{
		return until(`${who}: ${text}`, async () => {
			const all = await this.all();
			if (!all.some(a => a[0] === who && a[1] === how &&
			    a[2] === text))
				throw new Error(JSON.stringify(all.slice(-5)));
			return true;
		}, LONG);
	}

	peopleAre(...names)
	{
		return until(`people are ${names}`, async () => {
			const all = await this.people();
			if (all.sort().join() !== names.sort().join())
				throw new Error(JSON.stringify(all));
			return true;
		}, LONG);
	}

	async say(text, whom = 'all')
	{
		await this.page.selectOption('#whom', { label: whom });
		await this.page.fill('#text', text);
		await this.page.press('#text', 'Enter');
	}

	async quiet()
	{
		assert.deepEqual(this.errors, []);
		assert.equal(await this.page.evaluate(() => window.hacked),
		    undefined);
	}
}

before(async () => {
	c = await Cluster.start({ msgs: 2, www,
	    conf: { msg_server: { dialects: ['webim', 'cchat'],
	    comet_keep: 8 } } });
	b = await launch();
});
after(async () => {
	await b?.close();
	await c?.stop();
});

test('people come in, with a WebSocket and without one', async () => {
	amy = await Visitor.join(0, 'Amy');
	bob = await Visitor.join(1, 'Bob\'s "<b>&');
	cat = await Visitor.join(0, 'Cat', true);
	for (const v of [amy, bob, cat])
		await v.peopleAre('Amy', 'Bob\'s "&', 'Cat');
	await amy.sees('system', 'Cat上线了');
});
test('what is said is text', async () => {
	await amy.say(evil);
	for (const v of [bob, cat])
		await v.sees('Amy', evil.replace(' ', '&nbsp;'));
	await cat.say('你好 😀');
	for (const v of [amy, bob])
		await v.sees('Cat', '你好&nbsp;😀');
	await bob.say('psst', 'Cat');
	await cat.sees('Bob\'s "&', 'psst', 'secretly');
});
test('of CChat\'s people no name and no picture is markup', async () => {
	const eve = await Client.login(c.msgs[1].ws.replace(/ws$/, ''),
	    `<img src=x onerror=hacked=1>`, '1');
	for (const v of [amy, bob, cat])
		await until('eve is seen', async () => (await v.people())
		    .includes('<img src=x onerror=hacked=1>'), LONG);
	for (const msg of ['x");window.hacked=1;("', '/x" onerror="hacked=1',
	    'javascript:hacked=1', '({}).x=window.hacked=1'])
		await eve.say('1', msg, { type: 'pic' });
	await eve.say('1', '/pic.png', { type: 'pic' });
	for (const v of [amy, bob, cat])
		await until('the picture', () => v.page
		    .locator('#log img.said[src="/pic.png"]').count(), LONG);
	eve.send({ cmd: 'bye' });
	await eve.gone;
	await amy.page.evaluate(() =>
	    say('{"url":"/a.png","thumb":"/b.png"}', 'image'));
	for (const v of [bob, cat])
		await until('the other', () => v.page
		    .locator('#log a[href="/a.png"] img[src="/b.png"]').count(), LONG);
	for (const v of [amy, bob, cat])
		assert.ok(await v.page.locator('#log img').count() >= 1 &&
		    await v.page.locator('#log img:not(.said)').count() === 0);
});
test('who comes later reads it, who goes is gone', async () => {
	const dan = await Visitor.join(1, 'Dan');
	await dan.sees('before: Amy', evil.replace(' ', '&nbsp;'));
	await dan.quiet();
	await cat.quiet();
	await cat.context.close();
	await amy.sees('system', 'Cat下线了');
	await amy.peopleAre('Amy', 'Bob\'s "&', 'Dan');
	await dan.context.close();
	await amy.quiet();
	await bob.quiet();
});
