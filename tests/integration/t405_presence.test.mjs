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
/* that the list is to be asked for tells of nobody */
const told = f => people.includes(f.cmd) && !(f.cmd === 'presence' &&
    f.more && !f.in.length && !f.out.length);
/* on a busy machine a standby is behind, and dates what it hears by then */
const known = n => until(`all proxies know of ${n}`, async () => {
	const up = c.proxies.filter(x => x.running);
	const s = await Promise.all(up.map(x => x.fetch('/status')));
	return s.every(x => x.json?.sessions === n);
});
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

test('the active proxy dies: nobody is told anything', async t => {
	const r = String(++rid);
	await known(0);
	const a = await Client.login(c.msgs[0].ws, 'amy', r);
	await known(1);
	const b = await Client.login(c.msgs[1].ws, 'bob', r);
	await a.next('newUser');
	await known(2);
	const active = await c.active();
	await active.kill();
	/* whatever comes of it: the tests that follow need two */
	t.after(() => active.running || active.start());
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

test('news of the last moment: told once, by whichever proxy, to both versions',
    async () => {
	/* joins and leaves run on while the active one is killed */
	const r = `${rid = rid + 1}`;
	const a = await Client.login(c.msgs[0].ws, 'amy', r);
	const old = await Client.login(c.msgs[0].ws, 'old', r, { v: 1 });
	await a.next('newUser');
	const people = [];
	const active = await c.active();
	for (let i = 0; i < 40; i++) {
		if (i === 20)
			active.signal('SIGKILL');
		people.push(Client.login(c.msgs[i % 2].ws, `p${i}`, r, { ms: 8000 })
		    .then(x => ({ x, i })));
		if (i % 4 === 3)
			await new Promise(f => setTimeout(f, 5));
	}
	active.killed = true;
	await active.exit;
	const all = await Promise.all(people);
	const gone = all.filter(p => p.i % 5 === 0);
	for (const { x } of gone)
		x.send({ cmd: 'bye' });
	await a.none(() => false, 3000);
	const at = {};
	for (const f of a.seen.filter(told)) {
		assert.equal(f.cmd, at[f.uid] === 'newUser' ? 'offline' : 'newUser',
		    `${f.uid} ${f.name}`);
		at[f.uid] = f.cmd;
	}
	/* who came and went before anybody could tell may be no news at all */
	for (const { x, i } of all)
		if (i % 5 || at[x.uid])
			assert.equal(at[x.uid], i % 5 ? 'newUser' : 'offline');
	const v1 = old.seen.filter(f => f.cmd === 'newUser').map(f => f.uid);
	assert.equal(new Set(v1).size, v1.length, 'told twice');
	assert.deepEqual(all.filter(p => p.i % 5 && !v1.includes(p.x.uid)), []);
	assert.equal((await online(a, r)).count, 2 + 40 - gone.length);
	await active.start();
	await until('a standby again', async () =>
	    (await active.fetch('/readyz')).status === 200);
	await Promise.all([a, old, ...all.map(p => p.x)].map(x => x.bye()));
});

test('a big room: one batch a second, the count exact, version 1 sees all',
    async () => {
	const r = `${rid = rid + 1}`;
	const a = await Client.login(c.msgs[0].ws, 'amy', r);
	const old = await Client.login(c.msgs[1].ws, 'old', r, { v: 1 });
	const crowd = await Promise.all(Array.from({ length: 110 }, (_, i) =>
	    Client.login(c.msgs[i % 2].ws, `c${i}`, r)));
	await until('it is a big one', () => a.seen.some(f =>
	    f.cmd === 'presence' && f.count === 112));
	const t0 = performance.now(), from = a.seen.length;
	const more = await Promise.all(Array.from({ length: 150 }, (_, i) =>
	    Client.login(c.msgs[i % 2].ws, `d${i}`, r)));
	await until('the count is exact', () => a.seen.some(f =>
	    f.cmd === 'presence' && f.count === 262));
	const batches = a.seen.slice(from).filter(f => f.cmd === 'presence');
	const s = (performance.now() - t0) / 1000;
	assert.ok(batches.length <= s + 2, `${batches.length} in ${s} s`);
	assert.ok(batches.every(f => f.in.length <= 64 && f.out.length <= 64));
	const names = batches.flatMap(f => f.in).length;
	assert.ok(names === 150 || batches.some(f => f.more),
	    'what is not listed is said');
	assert.equal(a.seen.slice(from).filter(f => f.cmd === 'newUser').length, 0);
	await until('version 1 was told of each', () =>
	    new Set(old.seen.filter(f => f.cmd === 'newUser').map(f => f.uid))
	    .size === 260);
	for (const x of more)
		x.send({ cmd: 'bye' });
	await until('the count is exact again', () =>
	    a.seen.filter(f => f.cmd === 'presence').pop().count === 112);
	await Promise.all([a, old, ...crowd, ...more].map(x => x.bye()));
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
