/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * A picture that a page of PHPWebIM's kind brings is seen as one by another
 * such page and by our own, and ours by them: each loads it from its own
 * server. And the address of its page of 2019.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { Cluster, until, www as ours } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { ask, png } from '../lib/media.mjs';
import { Person, launch } from './page.mjs';

const LONG = 60000;
let c, b, dir, old;

before(async () => {
	/* both pages, from one folder: theirs is below /old */
	dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
	cpSync(ours, dir, { recursive: true });
	cpSync(fileURLToPath(new URL('./old/webim', import.meta.url)),
	    join(dir, 'old'), { recursive: true });
	c = await Cluster.start({ msgs: 1, www: dir, conf: { msg_server: {
	    dialects: ['cchat', 'webim'], lobby: '7',
	    listeners: ['127.0.0.1:0 webim webim2019'] } } });
	old = await until('it listens', () =>
	    /listening on \S*:(\d+) \(webim\)/.exec(c.msgs[0].log)?.[1]);
	b = await launch();
});
after(async () => {
	await b?.close();
	await c?.stop();
	rmSync(dir, { recursive: true, force: true });
});

const visit = async name => {
	const page = await (await b.newContext()).newPage();
	page.setDefaultTimeout(LONG);
	await page.goto(`http://127.0.0.1:${old}/old/main.html?name=${name}` +
	    '&avatar=/a.png');
	await page.locator('#people li').first().waitFor({ state: 'attached' });
	return page;
};
/* it is there, and it is a picture of that width */
const shown = (page, sel, w) => until(`a picture in ${sel}`, () => page.locator(sel)
    .evaluateAll((l, w) => l.some(i => i.complete && i.naturalWidth === w), w),
    LONG);
const pick = (page, buffer, name = '../a b.png') => page.locator('#photo')
    .setInputFiles({ name, mimeType: 'image/png', buffer });

test('theirs is seen by them and by us, and ours by them', async () => {
	const amy = await Person.join(b, c.msgs[0].page, 'Amy', { room: '7' });
	const bob = await visit('Bob'), cat = await visit('Cat');
	await until('they know of each other', async () =>
	    (await bob.locator('#people li').count()) >= 3, LONG);
	await pick(bob, png(41, 17));
	for (const p of [bob, cat])
		await shown(p, '#log img.said', 41);
	await shown(amy.page, '#log .m img', 41);
	/* ours, as our page sends one */
	const dan = await Client.login(c.msgs[0].ws, 'Dan', '7');
	const up = await ask(c.msgs[0].ports.direct, 'POST', '/v1/upload', {
	    authorization: `Bearer ${dan.me.up.key}`, 'content-type': 'image/png' },
	    png(43, 19));
	await dan.say('7', up.json.url, { type: 'pic' });
	for (const p of [bob, cat])
		await shown(p, '#log img.said', 43);
	await shown(amy.page, '#log .m img', 43);
	/* what is no picture is said to him alone */
	await pick(bob, Buffer.from('<script>hacked=1</script>'.repeat(9)));
	await bob.locator('#log', { hasText: 'not allow upload!' }).waitFor();
	assert.equal(await cat.locator('#log .one').count(),
	    await cat.locator('#log img.said').count() +
	    await cat.locator('#log .one', { hasText: '上线了' }).count());
	/* who comes later sees both */
	const eve = await visit('Eve');
	await shown(eve, '#log img.said', 41);
	await shown(eve, '#log img.said', 43);
	dan.drop();
	amy.quiet();
	await amy.close();
});

test('the page of 2019 is at /chatroom, and / leads there', async () => {
	const get = path => ask(old, 'GET', path);
	for (const path of ['/chatroom', '/page/chatroom/'])
		assert.equal((await get(path)).status, 404);
	assert.match((await get('/')).body.toString(), /login-view/);
	cpSync(join(dir, 'old', 'main.html'), join(dir, 'chatroom.html'));
	await until('it is there', async () =>
	    (await get('/chatroom')).status === 200, LONG);
	for (const path of ['/chatroom', '/page/chatroom/', '/chatroom?x=1'])
		assert.match((await get(path)).body.toString(), /id="photo"/);
	/* a page of the site's own stays at / */
	assert.match((await get('/')).body.toString(), /login-view/);
	renameSync(join(dir, 'index.html'), join(dir, 'ours.html'));
	const r = await until('it leads there', async () => {
		const x = await get('/');
		return x.status === 302 && x;
	}, LONG);
	assert.equal(r.headers.location, '/chatroom');
	/* with the other door it is no address at all */
	assert.equal((await ask(c.msgs[0].ports.direct, 'GET', '/chatroom')).status,
	    404);
	const page = await (await b.newContext()).newPage();
	await page.goto(`http://127.0.0.1:${old}/?name=Fay`);
	await until('in the room', () => /\/chatroom$/.test(page.url()), LONG);
});
