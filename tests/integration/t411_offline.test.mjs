/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Private messages to the absent are there at their next login, and all
 * devices of a user see what was sent and received: version 1 by the position
 * the log keeps for him, version 2 by its own and by `inbox`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

const RID = '5';

const withCluster = (o, fn) => async () => {
	const c = await Cluster.start({ msgs: 2, proxies: 1, ...o });
	try {
		await fn(c);
	} finally {
		await c.stop();
	}
};
const v1 = (c, i, uid, o = {}) => Client.login(c.msgs[i].ws, `n${uid}`, RID,
    { v: 1, uid, ...o });
const v2 = (c, i, uid, o = {}) => Client.login(c.msgs[i].ws, `n${uid}`, RID,
    { uid, ...o });
const whisper = (from, tid, msg) => from.cmd({ cmd: 'message', type: 'text',
    rid: RID, tid, msg });
/* n messages, fifty at a time; what comes back of them is forgotten. */
const many = async (from, tid, n, text) => {
	for (let i = 0; i < n; i += 50) {
		await Promise.all(Array.from({ length: 50 }, (_, k) =>
		    whisper(from, tid, text(i + k))));
		from.queue.length = from.seen.length = 0;
	}
};
/* Private messages a client has got, in order. */
const got = x => x.seen.filter(f => f.cmd === 'message' && f.tid !== undefined)
    .map(f => f.msg);
const names = (p, n) => Array.from({ length: n }, (_, i) => `${p}${i + 1}`);
/* A figure of all msg_servers together. */
const figure = async (c, name) => {
	let sum = 0;
	for (const m of c.msgs.filter(x => x.running)) {
		const { body } = await m.fetch('/metrics');
		sum += Number(new RegExp(`^cchat_${name} (\\d+)`, 'm').exec(body)[1]);
	}
	return sum;
};

test('version 1: what was said to the absent comes first, once',
    withCluster({}, async c => {
	const amy = await v2(c, 0, '1001');
	for (const m of names('early ', 3))
		await whisper(amy, '1002', m);
	/* he was never here before */
	const bob = await v1(c, 1, '1002');
	await bob.hear('early 3');
	assert.deepEqual(got(bob), names('early ', 3));
	assert.deepEqual(bob.seen.find(f => f.msg === 'early 1'), { cmd: 'message',
	    type: 'text', uid: '1001', name: 'n1001', msg: 'early 1', rid: RID,
	    tid: '1002' });
	assert.equal(bob.seen[0].cmd, 'login');
	await whisper(amy, '1002', 'live');
	await bob.hear('live');
	await bob.bye();
	for (const m of names('away ', 3))
		await whisper(amy, '1002', m);
	/* back on the other server */
	const again = await v1(c, 0, '1002');
	await again.hear('away 3');
	await whisper(amy, '1002', 'live again');
	await again.hear('live again');
	assert.deepEqual(got(again), [...names('away ', 3), 'live again']);
	await again.bye();
	const third = await v1(c, 1, '1002');
	await whisper(amy, '1002', 'end');
	await third.hear('end');
	assert.deepEqual(got(third), ['end']);
	assert.equal(await figure(c, 'msg_waited_total'), 2);
	/* who gives no uid has nothing to wait for */
	const some = await Client.login(c.msgs[0].ws, 'some', RID, { v: 1 });
	await some.none(f => f.cmd === 'message');
	for (const x of [amy, third, some])
		await x.bye();
}));

/* An entry of an inbox by its name, "@uid" for a person. */
const entry = (list, name) => list.find(e => name[0] === '@' ?
    e.tid === name.slice(1) : e.rid === name);
const brief = e => e && [e.seq, e.read, e.unread, e.last?.msg ?? null];

test('version 2: starts at the head, the inbox tells the rest',
    withCluster({}, async c => {
	const amy = await v2(c, 0, '1001');
	for (const m of names('early ', 3))
		await whisper(amy, '1002', m);
	await amy.say(RID, 'all of you');
	const bob = await v2(c, 1, '1002', { inbox: true });
	const { list, cid, next } = await bob.next('inbox');
	assert.equal(cid, bob.me.cid);
	assert.equal(next, undefined);
	assert.deepEqual(brief(entry(list, '@1001')), [3, 0, 3, 'early 3']);
	assert.deepEqual(brief(entry(list, RID)), [1, 0, 1, 'all of you']);
	/* the shape of the history's items */
	const h = await bob.cmd({ cmd: 'getHistory', tid: '1001' });
	assert.deepEqual(entry(list, '@1001').last, h.list.at(-1));
	assert.equal(entry(list, '@1001').ep, h.ep);
	const order = bob.seen.map(f => f.cmd);
	assert.ok(order.indexOf('synced') < order.indexOf('inbox'));
	assert.deepEqual(got(bob), [], 'nothing is replayed without a position');
	await whisper(amy, '1002', 'live');
	await bob.hear('live');
	/* without asking for it nobody gets one */
	const plain = await v2(c, 0, '1003');
	await plain.next('synced');
	await plain.none('inbox');
	/* his own words are read words */
	await whisper(bob, '1001', 'answer');
	const again = await bob.cmd({ cmd: 'inbox' });
	assert.deepEqual(brief(entry(again.list, '@1001')), [5, 0, 4, 'answer']);
	for (const x of [amy, bob, plain])
		await x.bye();
}));

test('mark: monotone on all servers, known at the next login',
    withCluster({}, async c => {
	const amy = await v2(c, 0, '1001');
	const bob = [await v2(c, 0, '1002'), await v2(c, 1, '1002')];
	for (const m of names('m', 6))
		await whisper(amy, '1002', m);
	for (const m of names('r', 4))
		await amy.say(RID, m);
	bob[0].send({ cmd: 'mark', tid: '1001', read: 5 });
	for (const x of [...bob, amy]) {
		const f = await x.next('mark');
		assert.equal(f.read, 5);
		assert.equal(f.uid, '1002');
		assert.equal(f.tid, x === amy ? '1002' : '1001');
	}
	/* an older one, by the other server, is no news to anybody */
	bob[1].send({ cmd: 'mark', tid: '1001', read: 3 });
	bob[1].send({ cmd: 'mark', rid: RID, read: 2 });
	for (const x of bob) {
		const f = await x.next('mark');
		assert.deepEqual([f.rid, f.read], [RID, 2]);
	}
	for (const x of [...bob, amy])
		await x.none('mark');
	const third = await v2(c, 1, '1002', { inbox: true });
	const { list } = await third.next('inbox');
	assert.deepEqual(brief(entry(list, '@1001')), [6, 5, 1, 'm6']);
	assert.deepEqual(brief(entry(list, RID)), [4, 2, 2, 'r4']);
	for (const x of [...bob, amy, third])
		await x.bye();
}));

test('mark: of what is not there, or beyond its end, leaves no trace',
    withCluster({ msgs: 1 }, async c => {
	const amy = await v2(c, 0, '1001');
	const bob = await v2(c, 0, '1002');
	await whisper(amy, '1002', 'one');
	await amy.say(RID, 'two');
	for (const read of [2, 2 ** 53 - 1]) {
		await bob.cmd({ cmd: 'mark', tid: '1001', read });
		await bob.cmd({ cmd: 'mark', rid: RID, read });
	}
	for (let i = 0; i < 100; i++)
		bob.send({ cmd: 'mark', tid: `nobody${i}`, read: 1 });
	for (const x of [amy, bob])
		await x.none('mark', 1500);
	const { list } = await bob.cmd({ cmd: 'inbox' });
	assert.deepEqual(brief(entry(list, '@1001')), [1, 0, 1, 'one']);
	assert.deepEqual(brief(entry(list, RID)), [1, 0, 1, 'two']);
	assert.equal(list.length, 2);
	/* an honest one counts, once what was said before is forgotten */
	await until('it is told', async () => {
		await bob.cmd({ cmd: 'mark', tid: '1001', read: 1 });
		return amy.seen.some(f => f.cmd === 'mark');
	}, 15000);
	assert.equal((await amy.next('mark')).read, 1);
	for (const x of [amy, bob])
		await x.bye();
}));

test('inbox: pages of rooms and people', withCluster({ msgs: 1 }, async c => {
	const bob = await v2(c, 0, '1002');
	const people = names('p', 70);
	for (const p of people) {
		const x = await v2(c, 0, p);
		await whisper(x, '1002', `from ${p}`);
		await x.bye();
	}
	const seen = [];
	let next, pages = 0;
	do {
		const f = await bob.cmd({ cmd: 'inbox', next });
		assert.ok(f.list.length <= 50);
		seen.push(...f.list.map(e => e.rid ?? `@${e.tid}`));
		next = f.next;
		pages++;
	} while (next);
	assert.equal(pages, 2);
	assert.deepEqual(seen, [RID, ...people.reverse().map(p => `@${p}`)]);
	for (const bad of ['x', '9.0.0.', '1.9.3.', '2.x.3.', `2.0.0.${'a'.repeat(200)}`, 7])
		await assert.rejects(bob.cmd({ cmd: 'inbox', next: bad }),
		    e => e.errCode === 400);
	await bob.bye();
}));

test('two devices see what was sent and received, one of them away',
    withCluster({}, async c => {
	const amy = await v2(c, 0, '1001');
	const phone = await v2(c, 0, '1002');
	let desk = await v1(c, 1, '1002');
	await whisper(amy, '1002', 'to both');
	await whisper(phone, '1001', 'from the phone');
	for (const x of [phone, desk]) {
		await x.hear('to both');
		await x.hear('from the phone');
	}
	desk.send({ cmd: 'message', type: 'text', rid: RID, tid: '1001',
	    msg: 'from the desk' });
	await phone.hear('from the desk');
	await desk.none(f => f.msg === 'from the desk');
	/* the desk is away: what the phone gets is had */
	await desk.bye();
	await whisper(amy, '1002', 'to the phone');
	await phone.hear('to the phone');
	await whisper(phone, '1001', 'phone again');
	await phone.hear('phone again');
	const pos = { '@': [phone.me.pos['@'].ep, phone.seen.findLast(
	    f => f.useq && f.cmd === 'message').useq] };
	await phone.bye();
	/* both are away */
	await whisper(amy, '1002', 'to nobody');
	desk = await v1(c, 1, '1002');
	await desk.hear('to nobody');
	assert.deepEqual(got(desk), ['to nobody']);
	/* the phone has a position of its own */
	const back = await v2(c, 1, '1002', { pos });
	await back.next('synced');
	assert.deepEqual(got(back), ['to nobody']);
	for (const x of [amy, desk, back])
		await x.bye();
}));

/* Seen twice is possible, not at all is not. */
const atLeast = (x, want) => {
	const have = got(x);
	assert.deepEqual([...new Set(have)].slice(-want.length), want);
};

test('kill -9 of the msg_server, of the proxy, and a takeover',
    withCluster({ proxies: 2 }, async c => {
	const amy = await v2(c, 0, '1001');
	let bob = await v1(c, 1, '1002');
	await whisper(amy, '1002', 'before');
	await bob.hear('before');
	await c.msgs[1].kill();
	for (const m of names('dead ', 3))
		await whisper(amy, '1002', m);
	await c.msgs[1].start();
	await c.msgs[1].ready();
	bob = await v1(c, 1, '1002');
	await bob.hear('dead 3');
	atLeast(bob, names('dead ', 3));
	await bob.bye();
	for (const m of names('kept ', 3))
		await whisper(amy, '1002', m);
	await (await c.active()).kill();
	await whisper(amy, '1002', 'kept 4');
	bob = await v1(c, 0, '1002');
	await bob.hear('kept 4');
	atLeast(bob, names('kept ', 4));
	/* what was told to the dead one is told again: in time, all are level */
	await whisper(amy, '1002', 'mid');
	await bob.hear('mid');
	await bob.bye();
	const { list } = await amy.cmd({ cmd: 'inbox' });
	assert.equal(entry(list, '@1002').last.msg, 'mid');
	for (const p of c.proxies.filter(x => !x.running))
		await p.start();
	for (const d of [...c.msgs, ...c.proxies])
		await d.kill();
	for (const d of [...c.proxies, ...c.msgs])
		await d.start();
	await c.msgs[0].ready();
	const some = await v2(c, 0, '1003');
	await whisper(some, '1002', 'after all');
	bob = await v1(c, 0, '1002');
	await bob.hear('after all');
	assert.ok(got(bob).length <= 2, `all at most: ${got(bob)}`);
	await bob.bye();
	await some.bye();
}));

test('a wire that is cut: what did not arrive waits',
    withCluster({ msgs: 1 }, async c => {
	const amy = await v2(c, 0, '1001');
	const bob = await v1(c, 0, '1002');
	await whisper(amy, '1002', 'heard');
	await bob.hear('heard');
	/* he reads no more, and what is sent lies in between */
	bob.ws._socket.pause();
	const big = 'x'.repeat(4000);
	await many(amy, '1002', 3000, i => `${i} ${big}`);
	await until('his position is said', async () =>
	    await figure(c, 'msg_delivered_total') >= 1);
	bob.drop();
	const again = await v1(c, 0, '1002');
	await again.hear(`2999 ${big}`, 15000);
	const n = got(again).filter(m => m !== 'heard').map(m => parseInt(m));
	assert.deepEqual(n, Array.from(n, (_, i) => n[0] + i), 'in order');
	assert.equal(n.at(-1), 2999);
	/* his machine may have taken some, which he did not read */
	assert.ok(n[0] * 4000 < 8 << 20, `what lay here is there: ${n[0]}`);
	await amy.bye();
	await again.bye();
}));

test('10,000 wait for version 1: all come, in order, memory bounded',
    withCluster({ msgs: 1 }, async c => {
	const amy = await v2(c, 0, '1001');
	await many(amy, '1002', 10000, i => `number ${i}`);
	const before = c.msgs[0].rss;
	const bob = await v1(c, 0, '1002');
	await until('all 10,000', () => got(bob).length >= 10000, 20000);
	await bob.settle();
	assert.deepEqual(got(bob), Array.from({ length: 10000 },
	    (_, i) => `number ${i}`));
	const grown = c.msgs[0].rss - before;
	assert.ok(grown < c.msgs[0].mib(40), `${Math.round(grown)} MiB`);
	await bob.bye();
	const again = await v1(c, 0, '1002');
	await whisper(amy, '1002', 'only this');
	await again.hear('only this');
	assert.deepEqual(got(again), ['only this']);
	await amy.bye();
	await again.bye();
}));
