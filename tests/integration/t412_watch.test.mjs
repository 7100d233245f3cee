/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * watch and status: one sees whom he watches come, go and be away, wherever
 * they are connected, through deaths of msg_servers and proxies, and never
 * hears of an absence that was none.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { Cluster, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { CChat } from '../../www/sdk/cchat.js';

const grace = 1500;
let c, serial = 0;
before(async () => {
	c = await Cluster.start({ msgs: 2, proxies: 2, conf: {
	    proxy_server: { presence_grace: grace } } });
});
after(() => c?.stop());

const room = () => `w${++serial}`;
const uid = () => `watch-${process.pid}-${++serial}`;
const of = u => f => f.cmd === 'status' && f.uid === u;
const login = (m, u, o = {}) => Client.login(c.msgs[m].ws, 'p', o.rid ?? room(),
    { uid: u, ...o });
const code = p => p.then(() => 0, e => e.errCode ?? e);
const watch = (x, ...uids) => x.cmd({ cmd: 'watch', uids });

test('ok, then one status of each, then every change', async () => {
	const [amy, bob, never] = [uid(), uid(), uid()];
	const b = await login(1, bob);
	const w = await login(0);
	await watch(w, amy, bob, never);
	const first = {};
	for (let i = 0; i < 3; i++) {
		const f = await w.next('status');
		first[f.uid] = f;
	}
	assert.deepEqual(Object.fromEntries(Object.entries(first)
	    .map(([u, f]) => [u, f.st])),
	    { [amy]: 'off', [bob]: 'on', [never]: 'off' });
	assert.equal(first[never].last, undefined);
	assert.ok(w.seen.findIndex(f => f.cmd === 'ok') <
	    w.seen.findIndex(f => f.cmd === 'status'));
	const a = await login(1, amy);
	assert.equal((await w.next(of(amy))).st, 'on');
	const t0 = Date.now();
	a.send({ cmd: 'bye' });
	let off = await w.next(of(amy));
	assert.equal(off.st, 'off');
	assert.ok(Math.abs(off.last - t0) < 30000, `last ${off.last - t0}`);
	/* at once: sooner than the grace, at least one time of a few */
	for (let i = 0, took = Date.now() - t0; took >= grace; i++) {
		assert.ok(i < 5, `told after ${took} ms`);
		const again = await login(1, amy);
		assert.equal((await w.next(of(amy))).st, 'on');
		const t1 = Date.now();
		again.send({ cmd: 'bye' });
		off = await w.next(of(amy));
		took = Date.now() - t1;
	}
	/* another list in its place: those in both are told again, too */
	await watch(w, amy, amy);
	assert.deepEqual({ ...await w.next(of(amy)) },
	    { cmd: 'status', uid: amy, st: 'off', last: off.last });
	b.send({ cmd: 'bye' });
	await w.none('status', grace);
	/* and none at all */
	await watch(w);
	const a2 = await login(0, amy);
	await w.none('status', 300);
	await Promise.all([w, a2].map(x => x.bye()));
});

test('first and last device; the grace; who is back within it never left',
    async () => {
	const amy = uid();
	const w = await login(0);
	await watch(w, amy);
	await w.next(of(amy));
	let n = 3;
	const a1 = await login(0, amy), a2 = await login(1, amy);
	assert.equal((await w.next(of(amy))).st, 'on');
	a1.send({ cmd: 'bye' });
	await w.none('status', 300);
	const t0 = performance.now();
	a2.drop();
	const a3 = await login(0, amy);
	const inTime = performance.now() - t0 < grace / 2;
	a3.drop();
	let off = await w.next(of(amy));
	if (!inTime) {
		/* on a very slow machine he was gone, came, and is gone again */
		await w.none(() => false, 2 * grace);
		const all = w.seen.filter(of(amy));
		n = all.length;
		off = all.at(-1);
	}
	assert.equal(off.st, 'off');
	assert.ok(performance.now() - t0 >= grace - 50);
	assert.ok(Date.now() - off.last >= grace - 100, 'when he left');
	assert.equal(w.seen.filter(of(amy)).length, n);
	await w.bye();
});

test('away, when all his devices are; getOnline shows it', async () => {
	const amy = uid(), r = room();
	const a1 = await login(0, amy, { rid: r });
	const a2 = await login(1, amy, { rid: r });
	const w = await login(1, undefined, { rid: r });
	await watch(w, amy);
	assert.equal((await w.next(of(amy))).st, 'on');
	await a1.cmd({ cmd: 'status', st: 'away' });
	await w.none('status', 200);
	await a2.cmd({ cmd: 'status', st: 'away' });
	assert.equal((await w.next(of(amy))).st, 'away');
	const on = await w.cmd({ cmd: 'getOnline', rid: r });
	assert.deepEqual(on.users.find(u => u.uid === amy),
	    { uid: amy, name: 'p', st: 'away', dev: 2 });
	await a1.cmd({ cmd: 'status', st: 'on' });
	assert.equal((await w.next(of(amy))).st, 'on');
	assert.equal(await code(a1.cmd({ cmd: 'status', st: 'off' })), 400);
	await Promise.all([a1, a2, w].map(x => x.bye()));
});

test('bounds: 200 uids; lists alone; version 2 alone', async () => {
	const w = await login(0);
	const many = Array.from({ length: 201 }, (_, i) => `m${i}`);
	assert.equal(await code(watch(w, ...many)), 400);
	await w.none('status');
	await watch(w, ...many.slice(1));
	for (let i = 0; i < 200; i++)
		await w.next('status');
	for (const uids of [undefined, 'amy', {}, [1], ['a b'], [''], [null]])
		assert.equal(await code(w.cmd({ cmd: 'watch', uids })), 400,
		    JSON.stringify(uids));
	await w.none('status', 100);
	const v1 = await Client.login(c.msgs[0].ws, 'old', '77', { v: 1 });
	v1.send({ cmd: 'watch', uids: ['m1'] });
	assert.equal((await v1.next('error')).errCode, 102);
	const m = (await c.msgs[0].fetch('/metrics')).body;
	assert.match(m, /^cchat_msg_watched 200$/m);
	await Promise.all([w, v1].map(x => x.bye()));
	await until('all are let go', async () => /^cchat_msg_watched 0$/m.test(
	    (await c.msgs[0].fetch('/metrics')).body));
});

test('a msg_server dies: off after the grace, for those who do not come back',
    async () => {
	const [amy, bob] = [uid(), uid()];
	await login(1, amy);
	await login(1, bob);
	const w = await login(0);
	await watch(w, amy, bob);
	await w.next(of(amy));
	await w.next(of(bob));
	const t0 = performance.now();
	await c.msgs[1].kill();
	const a2 = await login(0, amy);
	if (performance.now() - t0 < grace / 2) {
		assert.equal((await w.next('status')).uid, bob);
		await w.none('status', grace);
	} else
		await w.next(of(bob));
	await c.msgs[1].start();
	await c.msgs[1].ready();
	await Promise.all([w, a2].map(x => x.bye()));
});

test('the SDK says its list again, and that it is away, to the next server',
    async t => {
	const [amy, eve] = [uid(), uid()];
	const a = await login(0, amy);
	const chat = new CChat({ url: c.msgs[1].ws, WebSocket, backoff: [20, 200] });
	t.after(() => chat.close());
	const heard = [];
	chat.on('status', f => heard.push([f.uid, f.st]));
	await chat.login({ name: 'eve', uid: eve, rid: room() });
	await chat.watch([amy]);
	await chat.status('away');
	await until('amy is on', () => heard.length === 1);
	await watch(a, eve);
	await until('away', async () => (await a.next(of(eve))).st === 'away');
	await c.msgs[1].kill();
	await until('online elsewhere', () => chat.state === 'online');
	await until('told again', () => heard.length === 2);
	a.send({ cmd: 'bye' });
	await until('amy is off', () => heard.length === 3);
	assert.deepEqual(heard, [[amy, 'on'], [amy, 'on'], [amy, 'off']]);
	const b = await login(0);
	await watch(b, eve);
	await until('away there, too', async () =>
	    (await b.next(of(eve), grace + 4000)).st === 'away');
	await c.msgs[1].start();
	await c.msgs[1].ready();
	await b.bye();
});

test('the active proxy dies: nothing is told but what happens', async () => {
	const [amy, bob, eve, dan] = [uid(), uid(), uid(), uid()];
	const a = await login(0, amy), b = await login(1, bob);
	const d = await login(1, dan);
	const w = await login(1);
	await watch(w, amy, bob, eve, dan);
	for (const u of [amy, bob, eve, dan])
		await w.next(of(u));
	d.send({ cmd: 'bye' });
	const left = await w.next(of(dan));
	const active = await c.active();
	b.drop(); /* his grace runs over the takeover */
	await active.kill();
	await a.say(a.me.rid, 'still here');
	assert.equal((await w.next('status', grace * 2 + 4000)).uid, bob);
	await w.none('status', grace);
	/* what the new one tells from now on, and when he left, it knew */
	const e = await login(0, eve);
	assert.equal((await w.next('status')).uid, eve);
	const w2 = await login(0);
	await watch(w2, dan, amy);
	const seen = await w2.next(of(dan));
	assert.equal(seen.st, 'off');
	assert.ok(Math.abs(seen.last - left.last) < 1000, 'the same time');
	assert.equal((await w2.next(of(amy))).st, 'on');
	await active.start();
	await until('a standby again', async () =>
	    (await active.fetch('/readyz')).status === 200);
	await Promise.all([a, e, w, w2].map(x => x.bye()));
});
