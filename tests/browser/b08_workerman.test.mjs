/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * A page of workerman-chat against two msg_servers, served by them at one port
 * and connecting to another, as that system's does: inline script and all. What
 * others say can't become markup in it, whoever they are.
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { Cluster, loopback, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { launch } from './page.mjs';

const LONG = 60000;
const www = fileURLToPath(new URL('./old/workerman', import.meta.url));
const evil = '<img src=x onerror="window.hacked=1"><b>\'x\'</b>';
/* of an address of their own, these ports are nobody else's */
const web = 8101, chat = 8102;
let c, b, at, amy, bob;

class Visitor {
	static async join(name, room = 1)
	{
		const v = new Visitor();
		v.context = await b.newContext();
		v.page = await v.context.newPage();
		v.page.setDefaultTimeout(LONG);
		v.errors = [];
		v.page.on('dialog', d => d.accept(name));
		v.page.on('pageerror', e => v.errors.push(e.message));
		v.page.on('console', m => m.type() === 'error' &&
		    v.errors.push(m.text()));
		const r = await v.page.goto(`http://${at}:${web}/` +
		    `?port=${chat}&room_id=${room}`);
		assert.equal(r.status(), 200);
		await until(`${name} is in`, async () =>
		    (await v.people()).length > 0, LONG);
		return v;
	}

	people()
	{
		return this.page.locator('#people li').allTextContents();
	}

	/* The texts, as a reader sees them. */
	texts()
	{
		return this.page.locator('#log .one p').evaluateAll(l =>
		    l.map(e => e.innerText));
	}

	async say(text, whom = 'all')
	{
		await this.page.selectOption('#whom', whom);
		await this.page.fill('#text', text);
		await this.page.click('input[type=submit]');
	}

	sees(text)
	{
		return until(`sees ${text}`, async () => {
			const all = await this.texts();
			if (!all.includes(text))
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

	async quiet()
	{
		/* while the server was away there was nobody to dial */
		assert.deepEqual(this.errors.filter(e =>
		    !/^WebSocket connection to/.test(e)), []);
		assert.equal(await this.page.evaluate(() => window.hacked),
		    undefined);
		assert.equal(await this.page.locator('#log img, #people img')
		    .count(), 0);
	}
}

before(async () => {
	at = loopback();
	c = await Cluster.start({ msgs: 2, www, conf: { msg_server: {
	    dialects: ['cchat'], listeners: [`${at}:${web} workerman`,
	    `${at}:${chat} workerman`] } } });
	b = await launch();
});
after(async () => {
	await b?.close();
	await c?.stop();
});

test('people come in and see each other', async () => {
	amy = await Visitor.join('Amy');
	bob = await Visitor.join(evil.slice(0, 32));
	await amy.peopleAre('Amy', evil.slice(0, 32));
	await bob.peopleAre('Amy', evil.slice(0, 32));
	const other = await Visitor.join('Olga', 2);
	await other.peopleAre('Olga');
	await other.quiet();
	await other.context.close();
});
test('what is said is text, with its lines', async () => {
	await amy.say(`${evil}\n"two" & https://example.com/a?b=1`);
	for (const v of [amy, bob])
		await v.sees(`${evil}\n"two" & https://example.com/a?b=1`);
	await bob.say('你好 😀');
	await amy.sees('你好 😀');
});
test('in private, to who is picked from the list', async () => {
	const id = await bob.page.locator('#people li').first()
	    .getAttribute('id');
	await bob.say('psst <you>', id);
	await amy.sees('对你说: psst <you>');
	await bob.sees('你对Amy说: psst <you>');
	await bob.say('to all again');
	await amy.sees('to all again');
});
test('with somebody of CChat', async () => {
	const eve = await Client.login(c.msgs[0].ws, evil.slice(0, 32), '1');
	await eve.say('1', evil);
	await amy.sees(evil);
	await amy.say('<hello> "eve"');
	await eve.hear('<hello> "eve"', LONG);
	eve.send({ cmd: 'bye' });
	await amy.sees(`${evil.slice(0, 32)} went`);
});
test('a server goes: its page comes back by itself', async () => {
	for (const m of c.msgs) {
		await m.stop();
		await m.start();
		await m.ready();
	}
	await until('both are back', async () => {
		for (const v of [amy, bob])
			if ((await v.texts()).filter(t => t === 'you came in')
			    .length < 2)
				return false;
		return true;
	}, LONG);
	await amy.peopleAre('Amy', evil.slice(0, 32));
	await bob.say('and on we go');
	await amy.sees('and on we go');
});
test('one goes, the page says so; nothing was run or refused', async () => {
	await bob.quiet();
	await bob.context.close();
	await amy.sees(`${evil.slice(0, 32)} went`);
	await amy.peopleAre('Amy');
	await amy.quiet();
});
