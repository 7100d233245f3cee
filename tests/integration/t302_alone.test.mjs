/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/* Servers without their directory: the topology they keep, and stand-alone. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster, Daemon, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { FaultProxy } from '../lib/faultproxy.mjs';

let c, rid = 50;
before(async () => { c = await Cluster.start({ msgs: 2, proxies: 2 }); });
after(() => c?.stop());
const room = () => String(++rid);

test('without the config_server, restarted servers find each other',
    async () => {
	await c.config.kill();
	for (const d of [c.msgs[0], ...c.proxies]) {
		await d.kill();
		await d.start();
	}
	await c.msgs[0].ready();
	const r = room();
	const a = await Client.login(c.msgs[0].ws, 'amy', r);
	const b = await Client.login(c.msgs[1].ws, 'bob', r);
	await a.say(r, 'nobody to ask, and yet');
	await b.hear('nobody to ask, and yet');
	await a.bye();
	await b.bye();
	await c.config.start();
	await until('all are up again', async () => {
		const { json } = await c.config.fetch('/v1/servers');
		return ['ms1', 'ms2', 'px1', 'px2'].every(n => json.list.some(s =>
		    s.id === n && s.state === 'up'));
	}, 15000);
	const { json } = await c.config.fetch('/v1/servers');
	assert.equal(new Set(json.list.map(s => s.node)).size, json.list.length,
	    'a node number twice');
});
test('a name keeps its node number', async () => {
	const node = async name => (await c.config.fetch('/v1/servers')).json.list
	    .find(s => s.id === name).node;
	const was = await node('ms2');
	await c.msgs[1].kill();
	await c.msgs[1].start();
	await c.msgs[1].ready();
	assert.equal(await node('ms2'), was);
});
test('a server that is gone is late, then down, and back', async () => {
	const state = async () => (await c.config.fetch('/v1/servers')).json.list
	    .find(s => s.id === 'ms2').state;
	await c.msgs[1].kill();
	await until('it is missed', async () => ['late', 'down'].includes(
	    await state()), 6000);
	await until('it is down', async () => await state() === 'down', 15000);
	const next = await c.config.fetch('/v1/next');
	assert.equal(next.json.id, 'ms1');
	const check = (await c.config.fetch('/v1/check')).json;
	assert.ok(check.list.length > 0, 'nothing is wrong?');
	await c.msgs[1].start();
	await until('it is up', async () => await state() === 'up');
	const kinds = (await c.config.fetch('/v1/events?since=0&limit=1000')).json
	    .list.filter(e => e.srv === 'ms2').map(e => e.kind);
	assert.ok(kinds.includes('join'));
	assert.ok(kinds.some(k => /down|late|lost|leave/.test(k)), kinds.join());
});
test('through a link that is reset, stalls and lies', async () => {
	const proxy = await c.active();
	const f = await FaultProxy.listen(proxy.ports.link);
	/* stand-alone: a server that knows this one address only */
	const m = new Daemon('msg_server', 'solo', c.dir, [...c.base('solo'),
	    '--token-key', `${c.data}/token.key`, '--node', '900',
	    '--proxies', `127.0.0.1:${f.port}`], { '--listen': 'public',
	    '--direct': 'direct', '--admin': 'admin' });
	c.msgs.push(m);
	await m.start();
	await m.ready();
	const r = room();
	const a = await Client.login(m.ws, 'solo', r);
	const b = await Client.login(c.msgs[0].ws, 'bob', r);
	const heard = async n => {
		for (const x of [a, b])
			await x.next(k => k.cmd === 'message' && k.seq === n, 15000);
	};
	let n = 0;
	const both = async () => {
		/* sends of `a` may be answered 503 while the line is down */
		const cid = `k${n}`;
		await until('it is stored', () => a.say(r, `a${n}`, { cid }).then(
		    () => true), 15000);
		await b.say(r, `b${n}`);
		n++;
		await heard(2 * n);
	};
	await both();
	for (let i = 0; i < 10; i++) {
		f.reset();
		await both();
	}
	f.delay(150);
	await both();
	f.delay(0);
	f.blackhole(true);
	await b.say(r, 'while it was cut off');
	f.blackhole(false);
	await a.hear('while it was cut off', 10000);
	f.corrupt = 2000;
	const stop = Date.now() + 3000;
	let k = 0;
	while (Date.now() < stop)
		await b.say(r, `checked ${k++} ${'x'.repeat(500)}`);
	f.corrupt = 0;
	await a.next(x => x.msg?.startsWith(`checked ${k - 1} `), 20000);
	const list = x => x.seen.filter(y => y.cmd === 'message')
	    .map(y => `${y.seq} ${y.msg}`);
	assert.deepEqual(list(a), list(b));
	assert.deepEqual(a.seen.filter(y => y.cmd === 'message')
	    .map(y => y.seq), list(a).map((_, i) => i + 1));
	await a.bye();
	await b.bye();
	f.close();
});
