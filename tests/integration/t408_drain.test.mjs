/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * A msg_server that drains: who goes when and where to, that presence says
 * nothing of it, what breaks it off and what makes it quick.
 */
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { Client } from '../lib/client.mjs';
import { Cluster, sleep, until } from '../lib/cluster.mjs';
import { CChat } from '../../www/sdk/cchat.js';

const ms = () => performance.now();
const retry = r => Number(/retry=(\d+)/.exec(r.reason)?.[1]);

/* SIGTERM; resolves to {code, signal, ms} */
async function
drain(d, sig = 'SIGTERM')
{
	const t = ms();
	d.killed = true;	/* that it ends is no surprise */
	d.signal(sig);
	const r = await d.exit;
	return { ...r, ms: ms() - t };
}

async function
back(d)
{
	await d.start();
	await d.ready();
}

/* the two servers know of each other that they are up */
const known = c => until('the servers know each other', async () => {
	for (const [i, m] of c.msgs.entries()) {
		const a = await Client.login(m.ws, 'probe', 'probe');
		await a.bye();
		if (a.me.alt?.length !== c.msgs.length - 1)
			throw new Error(`${m.name}: ${a.me.alt}`);
	}
	return true;
});

async function
metric(d, name)
{
	const r = await d.fetch('/metrics');
	return Number(new RegExp(`^cchat_${name} (\\d+)`, 'm').exec(r.body)?.[1] ??
	    new RegExp(`^${name}(?:{[^}]*})? (\\d+)`, 'm').exec(r.body)?.[1]);
}

test('slots, and where to', async t => {
	const c = await Cluster.start({ conf: { msg_server: { drain_rate: 20 } } });
	t.after(() => c.stop());
	await known(c);
	const [a, b] = c.msgs, v2 = [], v1 = [];
	for (let i = 0; i < 10; i++)
		v2.push(await Client.login(a.ws, `new${i}`, '1'));
	for (let i = 0; i < 4; i++)
		v1.push(await Client.login(a.ws, `old${i}`, '1', { v: 1,
		    uid: `90${i}` }));
	const idle = await Client.open(a.ws);
	const t0 = ms();
	a.killed = true;
	a.signal('SIGTERM');
	const gone = v1.map(x => x.dies(4200, 3000).then(r => ({ ...r,
	    at: ms() - t0 })));
	assert.equal((await idle.dies(4200, 3000)).code, 4200);
	/* the last one does not go for the present: until he is sent, five
	 * seconds after his slot, there is somebody to ask */
	const last = v2.pop();
	const moved = v2.map(x => x.follow());
	const r = await until('not ready', async () => {
		const x = await a.fetch('/readyz');
		return x.status === 503 && x;
	}, 5000);
	assert.equal(r.json.state, 'draining');
	assert.equal((await a.fetch('/healthz')).status, 200);
	const s = (await a.fetch('/status')).json;
	assert.equal(s.state, 'draining');
	assert.equal(s.drain.pace, 'slots');
	await assert.rejects(Client.open(a.ws), /ECONNREFUSED/);
	await until('the other one is told', async () =>
	    (await c.config.fetch('/v1/servers')).body.includes('draining'), 5000);
	moved.push(last.follow());
	const ins = [];
	for (const m of await Promise.all(moved)) {
		assert.equal(m.moved.url, b.ws);
		assert.equal(m.moved.why, 'drain');
		ins.push(m.moved.in);
	}
	/* 50 ms apart, in the order in which they had come */
	for (let i = 1; i < ins.length; i++)
		assert.ok(ins[i] > ins[i - 1], `${ins}`);
	const apart = (ins.at(-1) - ins[0]) / (ins.length - 1);
	assert.ok(Math.abs(apart - 50) < 30, `${ins}`);
	const times = [];
	for (const g of await Promise.all(gone)) {
		assert.ok(retry(g) >= 1, g.reason);
		times.push(g.at);
	}
	assert.ok(times[0] > 400 && times[3] < 15000, `${times}`);
	const e = await a.exit;
	assert.deepEqual(e, { code: 0, signal: null });
	assert.ok(ms() - t0 < 20000, `${ms() - t0} ms`);
	t.diagnostic(`14 clients at 20/s: ${(ms() - t0).toFixed(0)} ms`);
});

test('nobody in the room hears of it', async t => {
	const c = await Cluster.start({ conf: { msg_server: { drain_rate: 100 } } });
	t.after(() => c.stop());
	await known(c);
	const [a, b] = c.msgs;
	const w1 = await Client.login(b.ws, 'watch1', '1', { v: 1, uid: '801' });
	const w2 = await Client.login(b.ws, 'watch2', '1', { uid: '802' });
	const mover = await Client.login(a.ws, 'mover', '1', { uid: '803' });
	const lazy = await Client.login(a.ws, 'lazy', '1', { uid: '804' });
	const old = await Client.login(a.ws, 'old', '1', { v: 1, uid: '805' });
	/* a user with two devices, one on each */
	const twin = await Client.login(a.ws, 'twin', '1', { v: 1, uid: '806' });
	await Client.login(b.ws, 'twin', '1', { v: 1, uid: '806' });
	const thief = await Client.login(a.ws, 'thief', '1', { uid: '807' });
	await w1.next(f => f.cmd === 'newUser' && f.uid === '807');
	await w2.next(f => f.cmd === 'newUser' && f.uid === '807');
	for (const w of [w1, w2]) {
		await w.settle();
		w.queue.length = 0;
	}
	/* an answer that is due is given, whoever is asked to go */
	const say = Array.from({ length: 20 }, (_, i) => mover.say('1', `m${i}`));
	const t0 = ms();
	a.killed = true;
	a.signal('SIGTERM');
	const [n] = await Promise.all([mover.follow(), ...say]);
	await old.dies(4200);
	await twin.dies(4200);
	const again = [await Client.login(b.ws, 'old', '1', { v: 1, uid: '805' }),
		await Client.login(b.ws, 'twin', '1', { v: 1, uid: '806' })];
	/* a key is good for its own user alone, and bad ones do no harm */
	const f = await thief.next('move');
	for (const [uid, from] of [['808', f.key], ['809', 'x'.repeat(44)],
		['810', 'no key']])
		await (await Client.open(b.ws)).login(`bad${uid}`, '1', { uid, from });
	for (const uid of ['808', '809', '810']) {
		await w1.next(x => x.cmd === 'newUser' && x.uid === uid);
		await w2.next(x => x.cmd === 'newUser' && x.uid === uid);
	}
	thief.send({ cmd: 'bye' });
	await w2.next(x => x.cmd === 'offline' && x.uid === '807');
	/* who does not go is sent: five seconds after his slot */
	const r = await lazy.dies(4200, 8000);
	assert.ok(ms() - t0 > 4500 && ms() - t0 < 30000, `${ms() - t0}`);
	assert.ok(retry(r) >= 1);
	const late = await Client.login(b.ws, 'lazy', '1', { uid: '804' });
	assert.deepEqual(await a.exit, { code: 0, signal: null });
	await n.say('1', 'here I am');
	await w1.hear('here I am');
	await w2.hear('here I am');
	/* no news may come, not in the next batch either */
	await sleep(1200);
	for (const w of [w1, w2])
		await w.none(x => x.cmd === 'newUser' || x.cmd === 'offline');
	const o = await w2.online('1');
	assert.deepEqual(o.users.filter(u => /80[1-6]/.test(u.uid)).map(u => u.dev),
	    [1, 1, 1, 1, 1, 2]);
	assert.equal(await metric(b, 'msg_moved_logins_total'), 1);
	assert.equal(await metric(b, 'msg_move_keys_refused_total'), 3);
	assert.ok(again && late);
});

test('the library moves: make before break', async t => {
	const c = await Cluster.start({ conf: { msg_server: { drain_rate: 10 } } });
	t.after(() => c.stop());
	await known(c);
	const [a, b] = c.msgs;
	/* every socket the library opens, with the times of its life */
	const socks = [];
	class Watched extends WebSocket {
		constructor(url)
		{
			super(url);
			const s = { url, opened: Infinity, closed: Infinity };
			socks.push(s);
			this.addEventListener('open', () => { s.opened = ms(); });
			this.addEventListener('close', () => { s.closed = ms(); });
		}
	}
	const chat = new CChat({ url: a.ws, WebSocket: Watched });
	t.after(() => chat.close?.());
	const got = [], states = [], talker = await Client.login(b.ws, 'talker', '1');
	chat.on('message', m => got.push(m.seq));
	await chat.login({ name: 'lib', rid: '1' });
	chat.on('state', e => states.push(e.state));
	for (let i = 0; i < 5; i++)
		await Client.login(a.ws, `x${i}`, '1', { v: 1 });
	let n = 0;
	const on = setInterval(() => talker.say('1', `${++n}`).catch(() => {}), 5);
	const sent = [];
	const mine = setInterval(() => sent.push(
	    chat.send({ rid: '1' }, `mine ${sent.length}`)), 20);
	a.killed = true;
	a.signal('SIGTERM');
	await until('it has moved', () => socks.length === 2 &&
	    socks[0].closed < Infinity);
	assert.deepEqual(await a.exit, { code: 0, signal: null });
	await sleep(200);	/* he talks on, on the new one */
	clearInterval(on);
	clearInterval(mine);
	await Promise.all(sent);
	assert.equal(socks[1].url, b.ws);
	assert.ok(socks[1].opened < socks[0].closed,
	    'the new socket was open before the old one was closed');
	assert.ok(!states.includes('reconnecting'), `${states}`);
	await until('all heard', () => got.length >= n + sent.length);
	assert.deepEqual(got, Array.from(got, (_, i) => got[0] + i));
	assert.equal(await metric(b, 'msg_moved_logins_total'), 1);
});

test('who waits for an answer gets it first', async t => {
	const c = await Cluster.start({ conf: { msg_server: {
	    drain_rate: 1000 } } });
	t.after(() => c.stop());
	await known(c);
	const [a] = c.msgs, [px] = c.proxies;
	const asks = { message: { type: 'text', msg: 'late', rid: '1' },
		getHistory: { rid: '1', after: 0 }, getOnline: { rid: '1' },
		join: { rid: 'another' }, inbox: {} };
	const all = [];
	for (const cmd of Object.keys(asks))
		all.push([cmd, await Client.login(a.ws, cmd, '1')]);
	await all[0][1].say('1', 'before');
	a.killed = true;
	a.signal('SIGTERM');
	const t0 = ms();
	/* nobody goes where `move` says; before they are closed they ask */
	await sleep(3500);
	px.signal('SIGSTOP');
	const answers = all.map(([cmd, x]) => x.cmd({ cmd, ...asks[cmd] })
	    .then(f => f.cmd, e => e.message));
	await sleep(2000);	/* the time has passed */
	px.signal('SIGCONT');
	assert.deepEqual(await Promise.all(answers),
	    all.map(([cmd]) => cmd === 'message' || cmd === 'join' ? 'ok' : cmd));
	for (const [cmd, x] of all)
		assert.equal((await x.dies(4200, 9000)).code, 4200, cmd);
	assert.deepEqual(await a.exit, { code: 0, signal: null });
	t.diagnostic(`all answered, ended after ${(ms() - t0).toFixed(0)} ms`);
});

test('out of a room before he was in: said so', async t => {
	const c = await Cluster.start({ msgs: 1 });
	t.after(() => c.stop());
	const x = await Client.login(c.msgs[0].ws, 'amy', '1');
	c.proxies[0].signal('SIGSTOP');
	const join = x.cmd({ cmd: 'join', rid: 'two' }).catch(e => e.errCode);
	await x.cmd({ cmd: 'leave', rid: 'two' });
	assert.equal(await join, 409);
	c.proxies[0].signal('SIGCONT');
});

test('a second signal makes haste; SIGINT is quick; nobody to go to', async t => {
	const c = await Cluster.start({ conf: { msg_server: { drain_rate: 1 } } });
	t.after(() => c.stop());
	await known(c);
	const [a, b] = c.msgs;
	const five = async (m, o) => {
		const l = [];
		for (let i = 0; i < 5; i++)
			l.push(await Client.login(m.ws, `n${i}`, '1', o));
		return l;
	};
	/* slow, then now */
	let l = [...await five(a), ...await five(a, { v: 1 })];
	a.killed = true;
	a.signal('SIGTERM');
	await l[0].next('move');
	await sleep(300);	/* at one a second it has not ended by then */
	assert.ok(a.running);
	let r = await drain(a);
	assert.equal(r.code, 0);
	assert.ok(r.ms < 8000, `${r.ms}`);
	for (const x of l)
		await x.dies(4200);
	await back(a);
	await known(c);
	/* SIGINT: at once, but what is asked is answered */
	l = await five(a);
	const ok = l.map(x => x.say('1', 'last words'));
	r = await drain(a, 'SIGINT');
	assert.equal(r.code, 0);
	assert.ok(r.ms < 8000, `${r.ms}`);
	await Promise.all(ok);
	for (const x of l)
		assert.ok(retry(await x.dies(4200)) >= 1);
	/* the whole cluster is stopped: there is nowhere to go */
	await back(a);
	await known(c);
	l = [...await five(a), ...await five(b)];
	const both = await Promise.all([drain(a), drain(b)]);
	for (const x of both) {
		assert.equal(x.code, 0);
		assert.ok(x.ms < 8000, `${x.ms}`);
	}
	for (const x of l)
		await x.dies(4200);
	t.diagnostic(`both at once: ${both.map(x => x.ms.toFixed(0))} ms`);
	/* and a server that is alone */
	await back(a);
	l = await five(a);
	r = await drain(a);
	assert.equal(r.code, 0);
	assert.ok(r.ms < 8000, `${r.ms}`);
	await back(a);
	await back(b);
});

/* as when a machine goes down: nobody has anywhere to go, and nobody says so */
for (const first of [[], ['config']])
	test(`all are told to end at once${first.length ?
	    ', without a config_server' : ''}`, async t => {
		const c = await Cluster.start({ proxies: 2, conf: { msg_server: {
		    drain_rate: 2 } } });
		t.after(() => c.stop());
		await known(c);
		const all = [];
		for (let i = 0; i < 30; i++)
			all.push(await Client.login(c.msgs[i % 2].ws, `p${i}`, '1',
			    i % 3 ? {} : { v: 1, uid: `90${i}` }));
		if (first.length)
			await c.config.kill();
		const t0 = ms(), list = c.all.filter(d => d.running);
		for (const d of list) {
			d.killed = true;
			d.signal('SIGTERM');
		}
		const ends = await Promise.all(list.map(d => d.exit));
		t.diagnostic(`${list.length} servers ended in ` +
		    `${(ms() - t0).toFixed(0)} ms`);
		assert.ok(ends.every(e => e.code === 0), JSON.stringify(ends));
		assert.ok(ms() - t0 < 10000, `${ms() - t0} ms`);
		for (const x of all)
			assert.equal((await x.gone).code, 4200);
	});

test('a job: broken off, and done', async t => {
	const c = await Cluster.start();
	t.after(() => c.stop());
	await known(c);
	const [a] = c.msgs, old = [];
	const job = (method, o) => c.config.fetch('/v1/servers/ms1/drain', {
	    method, body: o && JSON.stringify(o),
	    headers: { 'Content-Type': 'application/json' } });
	for (let i = 0; i < 6; i++)
		old.push(await Client.login(a.ws, `old${i}`, '1', { v: 1 }));
	const v2 = await Client.login(a.ws, 'new', '1');
	assert.ok((await job('POST', { rate: 2, within: '10m' })).status < 300);
	await old[0].dies(4200);
	await v2.next('move');
	await assert.rejects(Client.open(a.ws), /ECONNREFUSED/);
	await until('one of seven', async () => (await job('GET')).json.moved > 0);
	assert.ok((await job('DELETE')).status < 300);
	await until('it takes clients', () => Client.login(a.ws, 'x', '1'));
	await until('it is up', async () => (await c.config.fetch(
	    '/v1/servers/ms1')).json.state === 'up');
	assert.equal((await a.fetch('/readyz')).status, 200);
	assert.equal((await a.fetch('/status')).json.drain, undefined);
	/* those who stayed talk as before */
	await v2.say('1', 'still here');
	await old[5].hear('still here');
	a.killed = true;
	assert.ok((await job('POST', { rate: 1000 })).status < 300);
	await old[5].dies(4200);
	assert.deepEqual(await a.exit, { code: 0, signal: null });
	const j = await until('it is done', async () => {
		const x = (await job('GET')).json;
		return x.state !== 'running' && x;
	});
	assert.equal(j.state, 'done');
	assert.equal(j.left, 0);
});

/* asks for /healthz on a connection of its own; resolves to how that ends */
const knock = (port, asked = () => {}) => new Promise(done => {
	const s = net.connect(port, '127.0.0.1'), t0 = ms();
	let text = '', slow = 0;
	s.setTimeout(60000, () => s.destroy(new Error('silent')));
	s.on('connect', () => {
		s.write('GET /healthz HTTP/1.1\r\nHost: x\r\n' +
		    'Connection: close\r\n\r\n', () => {
			slow = ms() - t0;
			asked();
		});
	});
	s.on('data', d => { text += d; });
	s.on('error', e => done(e.code ?? e.message));
	/* who takes his time to ask is not waited for */
	s.on('close', () => done(text.split(' ')[1] ??
	    (slow > 200 ? 'late' : 'nothing')));
});
const tally = list => list.reduce((n, x) => ({ ...n, [x]: (n[x] ?? 0) + 1 }), {});

test('the shared port: nobody is reset while one of two drains', async t => {
	const c = await Cluster.start({ msgs: 1 });
	t.after(() => c.stop());
	const b = c.newMsg();
	b.ports.public = c.msgs[0].ports.public;
	await back(b);
	await known(c);
	const port = b.ports.public, [a] = c.msgs;
	/* hundreds wait to be accepted when it is told to end */
	a.signal('SIGSTOP');
	const all = [];
	await Promise.all(Array.from({ length: 600 }, () => new Promise(asked =>
	    all.push(knock(port, asked)))));
	a.killed = true;
	a.signal('SIGTERM');
	a.signal('SIGCONT');
	const waited = tally(await Promise.all(all));
	t.diagnostic(`600 that waited, by their end: ${JSON.stringify(waited)}`);
	assert.deepEqual(waited, { 200: 600 });
	assert.deepEqual(await a.exit, { code: 0, signal: null });
	await back(a);
	/*
	 * And without end while one drains and comes back.  Between the last look
	 * and the close is a moment of microseconds in which one may come whom
	 * only the kernel could hand on (net.ipv4.tcp_migrate_req).
	 */
	const ends = [];
	let on = true;
	const loops = Array.from({ length: 16 }, async () => {
		while (on)
			ends.push(await knock(port));
	});
	for (let i = 0; i < 4; i++) {
		await sleep(200);	/* the pace of the scene */
		assert.equal((await drain(c.msgs[i % 2])).code, 0);
		await back(c.msgs[i % 2]);
	}
	on = false;
	await Promise.all(loops);
	const { ECONNRESET = 0, late = 0, ...rest } = tally(ends);
	t.diagnostic(`4 drains: ${JSON.stringify(rest)}, ${ECONNRESET} reset, ` +
	    `${late} late`);
	assert.deepEqual(Object.keys(rest), ['200']);
	assert.ok(ECONNRESET <= 4, `${ECONNRESET} reset`);
});
