/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * The main job: two people on two msg_servers talk in a room and in private,
 * a third comes late and reads what was said, the people list follows, and a
 * reload keeps it all.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster } from '../lib/cluster.mjs';
import { Person, launch } from './page.mjs';

let c, b, amy, bob, late;
before(async () => {
	c = await Cluster.start({ msgs: 2, proxies: 2 });
	b = await launch();
});
after(async () => {
	await b?.close();
	await c?.stop();
});

test('two people log in on two servers and see each other', async () => {
	amy = await Person.join(b, c.msgs[0].page, 'Amy');
	bob = await Person.join(b, c.msgs[1].page, 'Bob');
	assert.notEqual(amy.url, bob.url);
	await amy.peopleAre(['Amy', 'Bob']);
	await bob.peopleAre(['Amy', 'Bob']);
});
test('the room, both ways', async () => {
	await amy.say('hello from the first server');
	await bob.sees('hello from the first server');
	await bob.say('你好 from the second');
	await amy.sees('你好 from the second');
	for (const p of [amy, bob])
		assert.deepEqual(await p.texts(), ['hello from the first server',
		    '你好 from the second']);
	await amy.page.locator('#log .m.mine .mark.sent').first().waitFor();
});
test('in private', async () => {
	await amy.tell(bob.uid);
	await amy.say('just you and me');
	const row = bob.conv(`@${amy.uid}`);
	await row.locator('.badge').filter({ hasText: '1' }).waitFor();
	await bob.go(`@${amy.uid}`);
	await bob.sees('just you and me');
	await bob.say('I can keep a secret');
	await amy.sees('I can keep a secret');
	await bob.go('1');
	await amy.go('1');
	for (const p of [amy, bob])
		assert.equal(await p.row('just you and me').count(), 0,
		    'the private words are not in the room');
});
test('a third comes late and reads the history, not the secrets', async () => {
	late = await Person.join(b, c.msgs[1].page, 'Late');
	await late.sees('hello from the first server');
	await late.sees('你好 from the second');
	assert.equal((await late.texts()).length, 2);
	assert.equal(await late.page.locator('#dms .conv').count(), 0);
	for (const p of [amy, bob, late])
		await p.peopleAre(['Amy', 'Bob', 'Late']);
	await late.say('what did I miss?');
	await amy.sees('what did I miss?');
	await bob.sees('what did I miss?');
});
test('who leaves is off the list', async () => {
	await late.page.locator('#out').click();
	await late.page.locator('#login-view:not([hidden])').waitFor();
	await amy.peopleAre(['Amy', 'Bob'], 20000);
	await bob.peopleAre(['Amy', 'Bob'], 20000);
});
test('a reload keeps it all', async () => {
	const { uid } = amy;
	amy.tap.in.length = 0;
	await amy.page.reload();
	await amy.in();
	assert.equal(amy.uid, uid, 'the same person');
	await amy.sees('hello from the first server');
	await amy.sees('你好 from the second');
	await amy.sees('what did I miss?');
	await amy.conv(`@${bob.uid}`).waitFor();
	await amy.go(`@${bob.uid}`);
	await amy.sees('just you and me');
	await amy.sees('I can keep a secret');
	await amy.go('1');
	await amy.peopleAre(['Amy', 'Bob']);
	await bob.say('welcome back');
	await amy.sees('welcome back');
});
test('nobody\'s console complained', () => {
	amy.quiet();
	bob.quiet();
	late.quiet();
});
