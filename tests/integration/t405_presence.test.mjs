/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Who is there, through deaths: who is back within the grace never left, who
 * is not is told once, and a new active proxy knows without telling.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

const grace = 1500;
let c, rid = 60;
before(async () => {
	c = await Cluster.start({ msgs: 2, proxies: 2, conf: {
	    proxy_server: { presence_grace: grace } } });
});
after(() => c?.stop());

const people = ['newUser', 'offline', 'presence'];
const told = f => people.includes(f.cmd);
const online = async (x, r) => (await x.cmd({ cmd: 'getOnline', rid: r }));

test('a clean logout is told at once, a lost socket after the grace',
    async () => {
	const r = String(++rid);
	const a = await Client.login(c.msgs[0].ws, 'amy', r);
	const b = await Client.login(c.msgs[1].ws, 'bob', r);
	const d = await Client.login(c.msgs[1].ws, 'dan', r);
	await a.next(f => f.cmd === 'newUser' && f.uid === b.uid);
	await a.next(f => f.cmd === 'newUser' && f.uid === d.uid);
	let t0 = performance.now();
	b.send({ cmd: 'bye' });
	assert.equal((await a.next('offline')).uid, b.uid);
	assert.ok(performance.now() - t0 < grace / 2);
	t0 = performance.now();
	d.drop();
	assert.equal((await a.next('offline', grace + 3000)).uid, d.uid);
	assert.ok(performance.now() - t0 >= grace - 50);
	assert.equal((await online(a, r)).count, 1);
	await a.bye();
});

test('back within the grace: he never left', async () => {
	const r = String(++rid);
	const a = await Client.login(c.msgs[0].ws, 'amy', r);
	const b = await Client.login(c.msgs[0].ws, 'bob', r);
	await a.next('newUser');
	b.drop();
	const b2 = await Client.login(c.msgs[1].ws, 'bob', r,
	    { token: b.token });
	assert.equal(b2.uid, b.uid);
	await a.none(told, grace * 2);
	assert.equal((await online(a, r)).count, 2);
	await Promise.all([a, b2].map(x => x.bye()));
});

test('the active proxy dies: nobody is told anything', async () => {
	const r = String(++rid);
	const a = await Client.login(c.msgs[0].ws, 'amy', r);
	const b = await Client.login(c.msgs[1].ws, 'bob', r);
	await a.next('newUser');
	await a.none(told, 1500); /* the standby has heard it is told */
	const active = await c.active();
	await active.kill();
	await a.say(r, 'still here');
	await b.hear('still here');
	await a.none(told, grace * 2);
	await b.none(told);
	assert.equal((await online(a, r)).count, 2);
	/* and changes are told by the new one */
	const d = await Client.login(c.msgs[1].ws, 'dan', r);
	assert.equal((await a.next('newUser')).uid, d.uid);
	d.send({ cmd: 'bye' });
	assert.equal((await a.next('offline')).uid, d.uid);
	await active.start();
	await until('a standby again', async () =>
	    (await active.fetch('/readyz')).status === 200);
	await Promise.all([a, b].map(x => x.bye()));
});

test('a msg_server dies: who comes back elsewhere is not told, who does not is',
    async () => {
	const r = String(++rid);
	const a = await Client.login(c.msgs[0].ws, 'amy', r);
	const b = await Client.login(c.msgs[1].ws, 'bob', r);
	const d = await Client.login(c.msgs[1].ws, 'dan', r);
	await a.next('newUser');
	await a.next('newUser');
	await c.msgs[1].kill();
	const b2 = await Client.login(c.msgs[0].ws, 'bob', r,
	    { token: b.token });
	assert.equal((await a.next(told, grace + 3000)).uid, d.uid);
	assert.equal(a.seen.filter(told).pop().cmd, 'offline');
	await a.none(told, grace);
	assert.equal((await online(a, r)).count, 2);
	await c.msgs[1].start();
	await c.msgs[1].ready();
	await Promise.all([a, b2].map(x => x.bye()));
});
