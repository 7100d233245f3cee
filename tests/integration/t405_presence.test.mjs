/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Who is there, through deaths: who is back within the grace never left, who
 * is not is told once, and a new active proxy knows without telling.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster, sleep, until } from '../lib/cluster.mjs';
import { Client, PATIENCE } from '../lib/client.mjs';

const grace = 1500;
let c, rid = 60;
before(async () => {
	c = await Cluster.start({ msgs: 2, proxies: 2, conf: {
	    proxy_server: { presence_grace: grace } } });
	await all(0);
});
after(() => c?.stop());

const people = ['newUser', 'offline', 'presence'];
/* that the list is to be asked for tells of nobody */
const told = f => people.includes(f.cmd) && !(f.cmd === 'presence' &&
    f.more && !f.in.length && !f.out.length);
const online = async (x, r) => (await x.cmd({ cmd: 'getOnline', rid: r }));
const bye = (...list) => Promise.all(list.map(x => x.bye()));

/*
 * Both proxies are there, the standby is one that has people from each server,
 * and they know of n: on a busy machine a standby is behind, and dates what it
 * hears by then.
 */
const all = n => until(`all proxies know of ${n}`, async () => {
	const s = (await Promise.all(c.proxies.map(x => x.fetch('/status'))))
	    .map(x => x.json);
	return s.every(x => x.settled && x.sessions === n) &&
	    s.map(x => x.role).sort().join() === 'active,standby';
});

/* kill -9 of the active one; whatever comes of the test: others need two */
async function
killActive(t)
{
	const active = await c.active();
	t.after(() => active.running || active.start());
	await active.kill();
	return active;
}

/* in, as somebody gets in who asks again while no proxy is active */
async function
enter(url, name, r, o)
{
	const x = await Client.open(url, o);
	const end = performance.now() + PATIENCE;
	for (;;) {
		try {
			await x.login(name, r, o);
			return x;
		} catch (e) {
			if (e.errCode !== 503 || performance.now() > end)
				throw e;
		}
		await sleep(50);	/* as he is asked to */
	}
}

/*
 * What has to be done in a given time by this process, too, says nothing when
 * the machine was not quick enough: then fn gives false, and is done again.
 */
async function
timely(fn)
{
	for (let i = 0; i < 10; i++)
		if (await fn())
			return;
	throw new Error('never in time, ten times over');
}

/* a client as it sees the room: who came and went, in turn */
function
seats(x)
{
	const at = {};
	for (const f of x.seen.filter(told)) {
		assert.equal(f.cmd, at[f.uid] === 'newUser' ? 'offline' : 'newUser',
		    `${f.uid} ${f.name}`);
		at[f.uid] = f.cmd;
	}
	return at;
}

test('a clean logout is told at once, a lost socket after the grace',
    async () => {
	const r = String(++rid);
	const a = await Client.login(c.msgs[0].ws, 'amy', r);
	const b = await Client.login(c.msgs[1].ws, 'bob', r);
	const d = await Client.login(c.msgs[1].ws, 'dan', r);
	await a.next(f => f.cmd === 'newUser' && f.uid === b.uid);
	await a.next(f => f.cmd === 'newUser' && f.uid === d.uid);
	const t0 = performance.now();
	d.drop();
	b.send({ cmd: 'bye' });
	/* who went first is told last */
	assert.equal((await a.next('offline')).uid, b.uid);
	assert.equal((await a.next('offline')).uid, d.uid);
	assert.ok(performance.now() - t0 >= grace - 50);
	assert.equal((await online(a, r)).count, 1);
	await a.bye();
});

test('back within the grace: he never left', () => timely(async () => {
	const r = String(++rid);
	const a = await Client.login(c.msgs[0].ws, 'amy', r);
	const b = await Client.login(c.msgs[0].ws, 'bob', r);
	await a.next('newUser');
	const t0 = performance.now();
	b.drop();
	const b2 = await Client.login(c.msgs[1].ws, 'bob', r,
	    { token: b.token });
	if (performance.now() - t0 > grace / 2)
		return bye(a, b2), false;
	assert.equal(b2.uid, b.uid);
	await a.none(told, grace * 2);
	assert.equal((await online(a, r)).count, 2);
	await bye(a, b2);
	return true;
}));

test('the active proxy dies: nobody is told anything', async t => {
	const r = String(++rid);
	await all(0);
	const a = await Client.login(c.msgs[0].ws, 'amy', r);
	await all(1);
	const b = await Client.login(c.msgs[1].ws, 'bob', r);
	await a.next('newUser');
	await all(2);
	const active = await killActive(t);
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
	await bye(a, b, d);
	await active.start();
	await all(0);
});

test('news of the last moment: told once, by whichever proxy, to both versions',
    async t => {
	/* joins and leaves run on while the active one is killed */
	const r = `${rid = rid + 1}`;
	await all(0);
	const a = await Client.login(c.msgs[0].ws, 'amy', r);
	const old = await Client.login(c.msgs[0].ws, 'old', r, { v: 1 });
	await a.next('newUser');
	await all(2);
	const coming = [];
	let killed;
	for (let i = 0; i < 40; i++) {
		if (i === 20)
			killed = killActive(t);
		coming.push(enter(c.msgs[i % 2].ws, `p${i}`, r));
		if (i % 4 === 3)
			await sleep(5);	/* not all in one go */
	}
	const active = await killed;
	const list = await Promise.all(coming);
	const stay = list.filter((x, i) => i % 5);
	const gone = list.filter((x, i) => i % 5 === 0);
	for (const x of gone)
		x.send({ cmd: 'bye' });
	const v1 = () => old.seen.filter(f => f.cmd === 'newUser')
	    .map(f => f.uid);
	await until('the count is right', async () =>
	    (await online(a, r)).count === 2 + stay.length);
	await until('a was told of each who is there, and of each end', () => {
		const at = seats(a);
		/* who came and went before anybody could tell may be no news */
		return stay.every(x => at[x.uid] === 'newUser') &&
		    gone.every(x => at[x.uid] !== 'newUser');
	});
	await until('so was version 1, of who is there', () =>
	    stay.every(x => v1().includes(x.uid)));
	/* and nothing is said again */
	await a.none(() => false, grace * 2);
	await old.settle();
	seats(a);
	assert.equal(new Set(v1()).size, v1().length, 'told twice');
	await bye(a, old, ...list);
	await active.start();
	await all(0);
});

/* it is waited for, as long as it has a link: five seconds at most */
test('a msg_server that stands still through a takeover misses nothing', t =>
    timely(async () => {
	const r = String(++rid);
	await all(0);
	const a = await Client.login(c.msgs[0].ws, 'amy', r);
	await all(1);
	const b = await Client.login(c.msgs[1].ws, 'bob', r);
	const old = await Client.login(c.msgs[1].ws, 'old', r, { v: 1 });
	await a.next('newUser');
	await a.next('newUser');
	await all(3);
	c.msgs[1].signal('SIGSTOP');
	t.after(() => c.msgs[1].signal('SIGCONT'));
	const t0 = performance.now();
	const active = await killActive(t);
	const d = await enter(c.msgs[0].ws, 'dan', r);
	await sleep(2000);	/* what is told in a second, it misses */
	c.msgs[1].signal('SIGCONT');
	const inTime = performance.now() - t0 < 4000;
	if (inTime) {
		for (const x of [a, b, old])
			assert.equal((await x.next(f => f.cmd === 'newUser' &&
			    f.uid === d.uid)).uid, d.uid);
		await b.none(() => false, grace);
		seats(b);
	}
	await bye(a, b, old, d);
	await active.start();
	await all(0);
	return inTime;
}));

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
	await bye(a, old, ...crowd, ...more);
});

test('a msg_server dies: who comes back elsewhere is not told, who does not is',
    () => timely(async () => {
	const r = String(++rid);
	const a = await Client.login(c.msgs[0].ws, 'amy', r);
	const b = await Client.login(c.msgs[1].ws, 'bob', r);
	const d = await Client.login(c.msgs[1].ws, 'dan', r);
	await a.next('newUser');
	await a.next('newUser');
	const t0 = performance.now();
	await c.msgs[1].kill();
	const b2 = await Client.login(c.msgs[0].ws, 'bob', r,
	    { token: b.token });
	const inTime = performance.now() - t0 < grace / 2;
	if (inTime) {
		assert.equal((await a.next(told)).uid, d.uid);
		assert.equal(a.seen.filter(told).pop().cmd, 'offline');
		await a.none(told, grace);
		assert.equal((await online(a, r)).count, 2);
	}
	await c.msgs[1].start();
	await c.msgs[1].ready();
	await bye(a, b2);
	return inTime;
}));
