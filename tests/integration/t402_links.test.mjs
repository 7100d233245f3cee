/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/* Links and sockets that misbehave, by a fault proxy in between. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster, sleep, until } from '../lib/cluster.mjs';
import { Client, History, Walker } from '../lib/client.mjs';
import { FaultProxy } from '../lib/faultproxy.mjs';

let c, direct;
before(async () => {
	c = await Cluster.start({ msgs: 1, proxies: 1 });
	direct = c.msgs[0].ports.direct;
});
after(() => c?.stop());

/* n times text, below the 2000 a second that a room takes. */
async function
flood(who, rid, text, n)
{
	for (let i = 0; i < n; i += 50) {
		await Promise.all(Array.from({ length: 50 }, () =>
		    who.say(rid, text)));
		/* a pace below the rate of a room */
		await sleep(30);
	}
}

test('sockets reset again and again: nothing lost, nothing doubled',
    async () => {
	const f = await FaultProxy.listen(direct);
	const h = new History(), url = `ws://127.0.0.1:${f.port}/ws`;
	const people = await Promise.all([0, 1, 2].map(i =>
	    new Walker(`r${i}`, '21', [url], h).start()));
	const waits = [];
	for (let i = 0; i < 40; i++) {
		for (const p of people)
			waits.push(p.say(`${p.name} ${i}`));
		/* a pace */
		await sleep(25);
		if (i % 5 === 4)
			f.reset();
	}
	await Promise.race([Promise.all(waits), sleep(15000).then(() => {
		throw new Error('sends without an answer');
	})]);
	await until('all have all', () => people.every(p => h.got.some(g =>
	    g.who === p.name && g.seq === 120)));
	h.check('21', people.map(p => p.name));
	assert.ok(people.some(p => p.drops > 3));
	assert.ok(h.resumes.every(r => r.full === true));
	await Promise.all(people.map(p => p.stop()));
	f.close();
});
test('a client behind a slow line holds nobody up', async () => {
	const f = await FaultProxy.listen(direct);
	const slow = await Client.login(`ws://127.0.0.1:${f.port}/ws`, 'slow', '22');
	const a = await Client.login(c.msgs[0].ws, 'amy', '22');
	const b = await Client.login(c.msgs[0].ws, 'bob', '22');
	f.blackhole(true);
	const before = c.msgs[0].rss;
	const text = 'x'.repeat(4000);
	await flood(a, '22', text, 1500);
	await b.next(m => m.seq === 1500, 20000);
	assert.ok(c.msgs[0].rss - before < c.msgs[0].mib(64), 'memory for one who does not read');
	assert.equal(slow.closed, null);
	f.blackhole(false);
	await slow.next(m => m.seq === 1500, 20000);
	assert.deepEqual(slow.seen.filter(m => m.cmd === 'message')
	    .map(m => m.seq), Array.from({ length: 1500 }, (_, i) => i + 1));
	await Promise.all([slow, a, b].map(x => x.bye()));
	f.close();
});
test('a client that does not read lags, and catches up', async () => {
	const slow = await Client.login(c.msgs[0].ws, 'slow', '23');
	const a = await Client.login(c.msgs[0].ws, 'amy', '23');
	slow.ws._socket.pause();
	const text = 'y'.repeat(4000), before = c.msgs[0].rss;
	await flood(a, '23', text, 3000);
	assert.ok(c.msgs[0].rss - before < c.msgs[0].mib(64));
	slow.ws._socket.resume();
	await slow.next(m => m.seq === 3000, 20000);
	assert.deepEqual(slow.seen.filter(m => m.cmd === 'message')
	    .map(m => m.seq), Array.from({ length: 3000 }, (_, i) => i + 1));
	await Promise.all([slow.bye(), a.bye()]);
});
