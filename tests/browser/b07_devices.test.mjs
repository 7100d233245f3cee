/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * page.md (d): one person, several devices: what waited is in the list with
 * its number on a device that was never there, and read is read everywhere.
 */
import { after, before, test } from 'node:test';
import { Cluster } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { Person, launch, wait } from './page.mjs';

let c, b, url;
before(async () => {
	c = await Cluster.start({ msgs: 2 });
	url = c.msgs[0].page;
	b = await launch();
});
after(async () => {
	await b?.close();
	await c?.stop();
});

/* The same person in a browser that knows nothing of him. */
const device = async (token, at = url) => {
	const p = await Person.open(b, at, { path: `#token=${token}` });
	await p.login('Bea');
	return p;
};
const badge = (p, uid) => p.conv(`@${uid}`).locator('.badge');

test('what waited is on a device that was never there', async () => {
	const bea = await Client.login(c.msgs[0].ws, 'Bea', '1');
	await bea.bye();
	const amy = await Client.login(c.msgs[1].ws, 'Amy', '1');
	for (const msg of ['one', 'two', 'three'])
		await amy.cmd({ cmd: 'message', type: 'text', rid: '1',
		    tid: bea.uid, msg });
	const p = await device(bea.token);
	await badge(p, amy.uid).filter({ hasText: '3' }).waitFor();
	await p.conv(`@${amy.uid}`).getByText('Amy').first().waitFor();
	/* a second one, on the other server, beside it */
	const q = await device(bea.token, c.msgs[1].page);
	await badge(q, amy.uid).filter({ hasText: '3' }).waitFor();
	await p.go(`@${amy.uid}`);
	await p.sees('three');
	await wait('the mark is sent', () => p.tap.sent('mark')
	    .some(f => f.tid === amy.uid && f.read === 3));
	/* read here is read there, and Amy knows */
	await badge(q, amy.uid).filter({ hasText: '3' }).waitFor(
	    { state: 'detached' });
	await amy.next(f => f.cmd === 'mark' && f.tid === bea.uid &&
	    f.read === 3);
	await amy.cmd({ cmd: 'message', type: 'text', rid: '1', tid: bea.uid,
	    msg: 'four' });
	await badge(q, amy.uid).filter({ hasText: '1' }).waitFor();
	await wait('the mark of the fourth', () => p.tap.sent('mark')
	    .some(f => f.read === 4));
	/* and what is read is no news on a third */
	const r = await device(bea.token);
	await r.conv(`@${amy.uid}`).getByText('Amy').first().waitFor();
	await wait('nothing is new', async () =>
	    await badge(r, amy.uid).filter({ hasText: /[1-9]/ }).count() === 0);
	await r.go(`@${amy.uid}`);
	await r.sees('four');
	for (const x of [p, q, r]) {
		x.quiet();
		await x.close();
	}
	await amy.bye();
});
