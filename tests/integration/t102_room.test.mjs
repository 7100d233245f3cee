/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/* One msg_server: what people do with each other in version 2. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster, sleep } from '../lib/cluster.mjs';
import { Client, newCid } from '../lib/client.mjs';

let c, url, rid = 100;
before(async () => {
	c = await Cluster.start({ msgs: 1 });
	url = c.msgs[0].ws;
});
after(() => c?.stop());

const room = () => String(++rid);
const people = async (r, ...names) => Promise.all(names.map(n =>
    Client.login(url, n, r)));
const leave = (...cs) => Promise.all(cs.map(x => x.bye()));

test('login answers what the protocol names', async () => {
	const r = room(), [a] = await people(r, 'amy');
	const f = a.me;
	assert.equal(f.v, 2);
	assert.equal(f.name, 'amy');
	assert.equal(f.rid, r);
	assert.match(f.uid, /^\d{16}$/);
	assert.ok(Number(f.uid) >= 1e15 && Number.isSafeInteger(Number(f.uid)));
	assert.equal(typeof f.token, 'string');
	assert.equal(typeof f.sid, 'string');
	assert.equal(f.srv, 'ms1');
	assert.ok(Math.abs(f.now - Date.now()) < 60000);
	assert.equal(typeof f.ping, 'number');
	assert.equal(f.limit.msg, 4096);
	assert.equal(f.retry.base, 500);
	assert.equal(f.retry.max, 20000);
	assert.match(f.pos[r].ep, /^[0-9a-f]{8}$/);
	assert.equal(f.pos[r].seq, 0);
	assert.equal(f.pos[r].full, true);
	await leave(a);
});
test('two people talk both ways; ok, item and order', async () => {
	const r = room(), [a, b] = await people(r, 'amy', 'bob');
	const ok = await a.say(r, 'hello bob');
	assert.equal(ok.seq, 1);
	assert.equal(ok.mid, `r:${r}/1`);
	assert.ok(Math.abs(ok.ts - Date.now()) < 60000);
	const own = await a.hear('hello bob');
	assert.equal(own.cid, ok.cid, 'the sender\'s copy carries its cid');
	const got = await b.hear('hello bob');
	assert.deepEqual({ ...got }, { cmd: 'message', uid: a.uid, name: 'amy',
	    type: 'text', rid: r, msg: 'hello bob', seq: 1, mid: `r:${r}/1`,
	    ts: ok.ts });
	assert.equal((await b.say(r, 'hello amy')).seq, 2);
	assert.equal((await a.hear('hello amy')).uid, b.uid);
	await leave(a, b);
});
test('newUser once, offline after the grace', async () => {
	const r = room(), [a] = await people(r, 'amy');
	const [b] = await people(r, 'bob');
	const n = await a.next('newUser');
	assert.deepEqual([n.uid, n.name, n.rid], [b.uid, 'bob', r]);
	const b2 = await Client.login(url, 'bob', r, { uid: b.uid,
	    token: b.token });
	await a.none('newUser', 100);
	await b2.bye();
	await a.none('offline', 100);
	b.send({ cmd: 'bye' });
	const off = await a.next('offline', 20000);
	assert.equal(off.uid, b.uid);
	assert.equal(off.rid, r);
	await leave(a, b);
});
test('the people list follows', async () => {
	const r = room(), [a, b] = await people(r, 'amy', 'bob');
	let list = await a.online(r);
	assert.equal(list.count, 2);
	assert.deepEqual(list.users.map(u => u.name).sort(), ['amy', 'bob']);
	assert.deepEqual(list.users.map(u => u.st), ['on', 'on']);
	b.send({ cmd: 'bye' });
	await a.next(f => f.cmd === 'offline' && f.uid === b.uid, 20000);
	list = await a.online(r);
	assert.deepEqual(list.users.map(u => u.uid), [a.uid]);
	await leave(a, b);
});
test('many people: the list is paged', async () => {
	const r = room();
	const all = await people(r, ...Array.from({ length: 30 },
	    (_, i) => `p${i}`));
	const seen = new Set();
	let next, rounds = 0;
	do {
		const f = await all[0].online(r, { limit: 7, ...(next ? { next } :
		    {}) });
		assert.equal(f.count, 30);
		assert.ok(f.users.length <= 7);
		f.users.forEach(u => seen.add(u.uid));
		next = f.next;
	} while (next && ++rounds < 10);
	assert.equal(seen.size, 30);
	await leave(...all);
});
test('a private message reaches all devices of the two, nobody else',
    async () => {
	const r = room(), [a, b, third] = await people(r, 'amy', 'bob', 'eve');
	const b2 = await Client.login(url, 'bob', room(), { uid: b.uid,
	    token: b.token });
	const ok = await a.say(r, 'psst', { tid: b.uid });
	assert.equal(ok.tid ?? b.uid, b.uid);
	for (const x of [b, b2]) {
		const m = await x.hear('psst');
		assert.equal(m.uid, a.uid);
		assert.equal(typeof m.useq, 'number');
		assert.ok(m.seq >= 1);
	}
	const own = await a.hear('psst');
	assert.equal(own.tid, b.uid);
	await third.none(f => f.msg === 'psst', 50);
	/* the answer, in the same conversation */
	assert.equal((await b.say(r, 'yes?', { tid: a.uid })).seq, ok.seq + 1);
	await a.hear('yes?');
	const h = await a.cmd({ cmd: 'getHistory', tid: b.uid, limit: 10 });
	assert.deepEqual(h.list.map(m => m.msg), ['psst', 'yes?']);
	const g = await b.cmd({ cmd: 'getHistory', tid: a.uid, limit: 10 });
	assert.deepEqual(g.list.map(m => m.msg), ['psst', 'yes?']);
	await leave(a, b, b2, third);
});
test('a private message waits for who is away', async () => {
	const r = room(), [a, b] = await people(r, 'amy', 'bob');
	await a.say(r, 'first', { tid: b.uid });
	await b.hear('first');
	const { token, uid } = b;
	const at = b.seen.find(f => f.msg === 'first').useq;
	const ep = b.me.pos['@']?.ep ?? b.me.pos[r].ep;
	await b.bye();
	await a.say(r, 'while you were away', { tid: uid });
	const b2 = await Client.login(url, 'bob', r, { token,
	    pos: { '@': [ep, at] } });
	assert.equal(b2.uid, uid);
	assert.equal(b2.me.pos['@'].n, 1);
	await b2.hear('while you were away');
	await b2.next('synced');
	await b2.none(f => f.msg === 'first');
	await leave(a, b2);
});
test('who comes late reads the history', async () => {
	const r = room(), [a] = await people(r, 'amy');
	for (let i = 1; i <= 120; i++)
		await a.say(r, `line ${i}`);
	const [late] = await people(r, 'late');
	let h = await late.history(r);
	assert.equal(h.list.length, 50, 'the default page');
	assert.equal(h.list.at(-1).seq, 120);
	assert.equal(h.more, true);
	assert.equal(h.ep, late.me.pos[r].ep);
	const all = [...h.list];
	while (h.more) {
		h = await late.history(r, { before: all[0].seq, limit: 50 });
		all.unshift(...h.list);
	}
	assert.deepEqual(all.map(m => m.seq), Array.from({ length: 120 },
	    (_, i) => i + 1));
	assert.deepEqual(all.map(m => m.msg), all.map(m => `line ${m.seq}`));
	h = await late.history(r, { after: 100, limit: 5 });
	assert.deepEqual(h.list.map(m => m.seq), [101, 102, 103, 104, 105]);
	h = await late.history(r, { around: 60, limit: 11 });
	assert.ok(h.list.some(m => m.seq === 60));
	assert.ok(h.list.length <= 11);
	h = await late.history(r, { limit: 200 });
	assert.equal(h.list.length, 120);
	assert.equal(h.more, false);
	await assert.rejects(late.history(r, { limit: 201 }).then(f => {
		assert.ok(f.list.length <= 200);
		throw new Error('cut');
	}));
	await leave(a, late);
});
test('history of what does not exist is empty or 404', async () => {
	const r = room(), [a] = await people(r, 'amy');
	assert.deepEqual((await a.history(r)).list, []);
	await leave(a);
});
test('resume by position: the missed items, then synced, then live', async () => {
	const r = room(), [a, b] = await people(r, 'amy', 'bob');
	await a.say(r, 'one');
	await b.hear('one');
	const { ep } = b.me.pos[r], { token } = b;
	await b.bye();
	for (const s of ['two', 'three', 'four'])
		await a.say(r, s);
	const b2 = await Client.login(url, 'bob', r, { token,
	    pos: { [r]: [ep, 1] } });
	const p = b2.me.pos[r];
	assert.deepEqual([p.ep, p.seq, p.from, p.n, p.full], [ep, 4, 2, 3, true]);
	await b2.next('synced');
	assert.deepEqual(b2.seen.filter(f => f.cmd === 'message').map(f => f.seq),
	    [2, 3, 4]);
	const i = b2.seen.findIndex(f => f.cmd === 'synced');
	assert.ok(b2.seen.findIndex(f => f.msg === 'four') < i);
	await a.say(r, 'five');
	await b2.hear('five');
	assert.deepEqual(b2.seen.filter(f => f.cmd === 'message').map(f => f.seq),
	    [2, 3, 4, 5]);
	await leave(a, b2);
});
test('resume at the head, above it, and in another ep', async () => {
	const r = room(), [a] = await people(r, 'amy');
	await a.say(r, 'one');
	const { ep } = a.me.pos[r];
	for (const [pos, full] of [[[ep, 1], true],
	    [['00000000', 1], undefined]]) {
		const b = await Client.login(url, 'bob', r, { pos: { [r]: pos } });
		await b.next('synced');
		assert.equal(b.me.pos[r].ep, ep);
		if (full)
			assert.deepEqual([b.me.pos[r].n, b.me.pos[r].full], [0, true]);
		else
			assert.notEqual(b.me.pos[r].full && b.me.pos[r].from === 2,
			    true, 'another ep is no complete replay');
		await a.say(r, 'go');
		await b.hear('go');
		await b.bye();
	}
	await leave(a);
});
test('resume over many pages is complete and in order', async () => {
	const r = room(), [a] = await people(r, 'amy');
	const text = 'x'.repeat(500);
	let last;
	for (let i = 0; i < 700; i += 50) {
		last = (await Promise.all(Array.from({ length: 50 }, (_, k) =>
		    a.say(r, `${i + k} ${text}`)))).at(-1);
		await sleep(40);	/* a room takes 2000 a second */
	}
	assert.equal(last.seq, 700);
	const b = await Client.login(url, 'bob', r,
	    { pos: { [r]: [a.me.pos[r].ep, 0] } });
	await b.next('synced', 10000);
	assert.deepEqual(b.seen.filter(f => f.cmd === 'message').map(f => f.seq),
	    Array.from({ length: 700 }, (_, i) => i + 1));
	await leave(a, b);
});
test('a repeated cid gets the first answer and adds nothing', async () => {
	const r = room(), [a, b] = await people(r, 'amy', 'bob');
	const cid = newCid();
	const one = await a.say(r, 'once', { cid });
	const two = await a.say(r, 'once', { cid });
	assert.equal(two.seq, one.seq);
	assert.equal(two.ts, one.ts);
	assert.equal(two.dup, true);
	/* on another socket of the same user too */
	const a2 = await Client.login(url, 'amy', r, { token: a.token });
	assert.equal((await a2.say(r, 'once', { cid })).seq, one.seq);
	/* another user may use the same cid */
	assert.equal((await b.say(r, 'mine', { cid })).seq, one.seq + 1);
	await b.hear('mine');
	assert.equal(b.seen.filter(f => f.msg === 'once').length, 1);
	await leave(a, a2, b);
});
test('join and leave further rooms', async () => {
	const r = room(), s = room(), [a, b] = await people(r, 'amy', 'bob');
	const ok = await a.cmd({ cmd: 'join', rid: s });
	assert.equal(ok.rid ?? s, s);
	await b.cmd({ cmd: 'join', rid: s });
	await a.say(s, 'in the second room');
	assert.equal((await b.hear('in the second room')).rid, s);
	await b.cmd({ cmd: 'leave', rid: s });
	await a.say(s, 'you left');
	await b.none(f => f.msg === 'you left', 50);
	await assert.rejects(b.say(s, 'still there?'), /40[34]/);
	await leave(a, b);
});
test('audio, pic and file keep their type', async () => {
	const r = room(), [a, b] = await people(r, 'amy', 'bob');
	for (const type of ['audio', 'pic', 'file']) {
		await a.cmd({ cmd: 'message', type, rid: r,
		    msg: `https://files.example/${type}` });
		assert.equal((await b.hear(`https://files.example/${type}`)).type,
		    type);
	}
	await leave(a, b);
});
test('ping is answered with pong and its time', async () => {
	const [a] = await people(room(), 'amy');
	a.send({ cmd: 'ping', t: 12345 });
	assert.equal((await a.next('pong')).t, 12345);
	await leave(a);
});
test('a version 1 client in the same room', async () => {
	const r = room(), [a] = await people(r, 'amy');
	const old = await Client.login(url, 'old', r, { v: 1, uid: '1001' });
	assert.deepEqual({ ...old.me }, { cmd: 'login', name: 'old', uid: '1001',
	    rid: r });
	assert.equal((await a.next('newUser')).uid, '1001');
	await a.say(r, 'new to old');
	assert.deepEqual({ ...await old.hear('new to old') }, { cmd: 'message',
	    type: 'text', uid: a.uid, name: 'amy', msg: 'new to old', rid: r });
	old.send({ cmd: 'message', type: 'text', msg: 'old to new', rid: r });
	assert.equal((await a.hear('old to new')).seq, 2);
	await old.settle();
	await old.none(f => f.msg === 'old to new', 50);
	old.send({ cmd: 'message', type: 'text', msg: 'for amy', rid: r,
	    tid: a.uid });
	assert.equal((await a.hear('for amy')).uid, '1001');
	await leave(a, old);
});
