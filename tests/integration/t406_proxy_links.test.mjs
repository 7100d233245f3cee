/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * The links between msg_servers and the proxy, by a fault proxy in between:
 * reset, garbled, slow, silent. Clients keep their sockets and miss nothing.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster, sleep, until } from '../lib/cluster.mjs';
import { Client, History, Walker } from '../lib/client.mjs';
import { FaultProxy } from '../lib/faultproxy.mjs';

let c, f, rid = 40;
before(async () => {
	f = await FaultProxy.listen(() => c.proxies[0].ports.link);
	/* the topology names the fault proxy */
	c = new Cluster({ msgs: 2, proxies: 1, conf: {
	    proxy_server: { link_address: `127.0.0.1:${f.port}` },
	    msg_server: { msg_max: 32768 } } });
	await c.up();
});
after(async () => {
	await c?.stop();
	f?.close();
});
const status = async () => (await c.proxies[0].fetch('/status')).json;
const metric = async name => {
	const r = await c.proxies[0].fetch('/metrics');
	return Number(new RegExp(`^cchat_${name} (\\d+)`, 'm')
	    .exec(r.body)[1]);
};

/* Two on each server talk while `fault` runs; then everything must be right. */
async function
talk(n, fault, pace = 20)
{
	const r = String(++rid), h = new History();
	const people = await Promise.all([0, 1, 2, 3].map(i =>
	    new Walker(`w${r}-${i}`, r, [c.msgs[i % 2].ws], h).start()));
	const waits = [];
	for (let i = 0; i < n; i++) {
		for (const p of people)
			waits.push(p.say(`${p.name} ${i}`));
		/* a pace */
		await sleep(pace);
		await fault(i);
	}
	let timer;
	await Promise.race([Promise.all(waits), new Promise((_, no) => {
		timer = setTimeout(() => no(new Error('sends without an answer')),
		    30000);
	})]);
	clearTimeout(timer);
	await until('all have all', () => people.every(p => h.got.some(g =>
	    g.who === p.name && g.seq === 4 * n)), 20000);
	h.check(r, people.map(p => p.name));
	assert.ok(people.every(p => p.drops === 0), 'sockets stay open');
	await Promise.all(people.map(p => p.stop()));
}

test('links reset again and again: nothing lost, nothing doubled',
    async () => {
	const lost = await metric('proxy_links_lost_total');
	await talk(60, i => i % 8 === 7 && f.reset());
	assert.ok(await metric('proxy_links_lost_total') >= lost + 8);
});

test('bytes changed on the way are seen by the checksum', async () => {
	const lost = await metric('proxy_links_lost_total');
	await talk(60, i => {
		f.corrupt = i < 50 ? 2000 : 0;
	});
	assert.ok(await metric('proxy_links_lost_total') > lost);
	await until('both links', async () => (await status()).links.length === 2);
});

test('a slow line', async () => {
	f.delay(60);
	await talk(30, () => {});
	f.delay(0);
});

test('a link that takes nothing is not waited for, and catches up',
    async () => {
	/* large ones: 4 MiB of credit go in seconds, before it is taken for dead */
	const r = String(++rid), text = 'x'.repeat(32000), n = 200;
	const a = await Client.login(c.msgs[0].ws, 'amy', r);
	const b = await Client.login(c.msgs[1].ws, 'bob', r);
	const behind = await metric('proxy_behind_total');
	/* the link of ms2: the one with bob's session on it */
	const from = (await status()).links.find(l => l.name === 'ms2').from;
	const port = Number(from.split(':').pop());
	const pair = [...f.pairs].find(p => p.b.localPort === port);
	pair.b.pause();
	for (let i = 0; i < n; i += 50)
		await Promise.all(Array.from({ length: 50 }, () =>
		    a.say(r, text)));
	await a.next(m => m.seq === n, 10000);
	assert.ok(await metric('proxy_behind_total') > behind);
	pair.b.resume();
	await b.next(m => m.seq === n, 20000);
	assert.deepEqual(b.seen.filter(m => m.cmd === 'message').map(m => m.seq),
	    Array.from({ length: n }, (_, i) => i + 1));
	await Promise.all([a, b].map(x => x.bye()));
});

test('silence: given up after 6 s, made anew, sends are not lost',
    async () => {
	const lost = await metric('proxy_links_lost_total');
	await talk(4, async i => {
		if (i !== 1)
			return;
		f.blackhole(true);
		await until('both ends give up', async () =>
		    await metric('proxy_links_lost_total') >= lost + 2, 12000);
		f.reset();
		f.blackhole(false);
	});
	await until('both links', async () => (await status()).links.length === 2);
});
