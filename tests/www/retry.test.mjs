/* SPDX-License-Identifier: MIT */
/* needs: node */
/* How the SDK comes back and how long it tries: minutes of it, in no time,
 * by a clock that the test turns. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { head, item, make, online } from './chat.mjs';
import { Clock } from './clock.mjs';
import { FakeSocket, settle } from './fake.mjs';

const MIN = 60000;
let clock;
beforeEach(() => { clock = new Clock(); });
afterEach(() => clock.done());

const later = (s, cid, retry) => s.give({ cmd: 'error', errCode: 503,
    errMsg: 'busy', retry, cid });
/* What became of a promise, without waiting for it. */
const fate = p => {
	const o = { is: 'open' };
	p.then(v => { o.is = 'done'; o.v = v; }, e => { o.is = e.code; });
	return o;
};

test('22. an ack that never comes: failed 10 s later, again with the same cid',
    async () => {
	const { chat, heard, s } = await online();
	const p = chat.send({ rid: '1' }, 'x');
	const f = fate(p);
	/* the line is good: it answers pings */
	const alive = setInterval(() => s.give({ cmd: 'pong' }), 1000);
	await clock.pass(9900);
	assert.equal(f.is, 'open');
	await clock.pass(200);
	assert.equal(f.is, 'timeout');
	assert.deepEqual(heard.fail.map(e => e.cid), [p.cid]);
	const q = chat.send({ rid: '1' }, 'x', { cid: p.cid });
	assert.equal(q.cid, p.cid);
	s.give({ cmd: 'ok', cid: p.cid, seq: 11, dup: true });
	assert.equal((await q).seq, 11);
	assert.deepEqual(s.of('message').map(m => m.cid), [p.cid, p.cid]);
	clearInterval(alive);
	chat.close();
});

test('24. the line is down: pending for 5 minutes, then failed', async () => {
	const { chat, heard, s } = await online();
	const sent = fate(chat.send({ rid: '1' }, 'was on the way'));
	s.drop();
	await clock.pass(MIN);
	const typed = fate(chat.send({ rid: '1' }, 'typed a minute later'));
	await clock.pass(4 * MIN - 100);
	assert.deepEqual([sent.is, typed.is, heard.fail.length], ['open', 'open', 0]);
	await clock.pass(200);
	assert.deepEqual([sent.is, typed.is], ['timeout', 'open']);
	await clock.pass(MIN);
	assert.deepEqual([sent.is, typed.is], ['timeout', 'timeout']);
	assert.ok(FakeSocket.sockets.length > 10, 'it goes on trying');
	/* and who is back later has lost nothing that he was not told of */
	const p = chat.send({ rid: '1' }, 'now');
	FakeSocket.last().welcome({ 1: head(10) });
	assert.deepEqual(FakeSocket.last().of('message').map(m => m.cid), [p.cid]);
	chat.close();
});

test('24. back within 5 minutes: in order, each once, before what is new',
    async () => {
	const { chat, heard, s } = await online();
	const all = ['1', '2'].map(x => chat.send({ rid: '1' }, x));
	s.drop();
	all.push(chat.send({ rid: '1' }, '3'));
	await clock.pass(4 * MIN);
	const t = FakeSocket.last();
	t.welcome({ 1: head(10) });
	all.push(chat.send({ rid: '1' }, '4'));
	assert.deepEqual(t.of('message').map(m => m.msg), ['1', '2', '3', '4']);
	assert.deepEqual(t.of('message').map(m => m.cid), all.map(p => p.cid));
	all.forEach((p, i) => t.give({ cmd: 'ok', cid: p.cid, seq: 11 + i },
	    item(11 + i, { uid: '1001', cid: p.cid })));
	assert.deepEqual((await Promise.all(all)).map(a => a.seq), [11, 12, 13, 14]);
	await clock.pass(10 * MIN);
	assert.deepEqual([heard.fail.length, heard.ack.length, heard.message.length],
	    [0, 4, 4]);
	chat.close();
});

test('a server that says "later" is believed for 5 minutes', async () => {
	const { chat, s } = await online();
	const p = chat.send({ rid: '1' }, 'x');
	const f = fate(p);
	const busy = () => {
		for (const m of s.of('message').splice(busy.seen))
			later(s, m.cid, 5000);
		busy.seen = s.of('message').length;
	};
	busy.seen = 0;
	for (let i = 0; i < 58; i++) {
		busy();
		await clock.pass(5000);
		s.give({ cmd: 'pong' });
	}
	assert.equal(f.is, 'open');
	assert.ok(s.of('message').length > 25, `${s.of('message').length} tries`);
	assert.equal(new Set(s.of('message').map(m => m.cid)).size, 1);
	for (let i = 0; i < 4; i++) {
		busy();
		await clock.pass(5000);
	}
	assert.equal(f.is, 'timeout');
	const n = s.of('message').length;
	await clock.pass(MIN);
	assert.equal(s.of('message').length, n);
	chat.close();
});

test('who only waits his turn is not given up', async () => {
	const { chat, s } = await online(undefined, { heartbeat: 1e9 }, {},
	    { limit: { msg: 4096, rate: [0.1, 1], rooms: 8 } });
	s.drop();
	const all = Array.from({ length: 50 }, (_, i) =>
	    fate(chat.send({ rid: '1' }, `${i}`)));
	await clock.pass(1000);
	const t = FakeSocket.last();
	t.welcome({ 1: head(10) }, { limit: { msg: 4096, rate: [0.1, 1], rooms: 8 } });
	for (let i = 0, n = 0; i < 60; i++) {
		for (const m of t.of('message').slice(n))
			t.give({ cmd: 'ok', cid: m.cid, seq: 11 + n++ });
		await clock.pass(10000);
	}
	assert.deepEqual(all.filter(f => f.is !== 'done'), []);
	assert.deepEqual(t.of('message').map(m => +m.msg), [...Array(50).keys()]);
	chat.close();
});

test('29. attempts: 0.5, 1, 2, 4 s at most, no wait above 20 s, growing',
    async () => {
	for (const [random, want] of [[1, [500, 1000, 2000, 4000, 8000, 16000,
	    20000, 20000]], [0.5, [250, 500, 1000, 2000, 4000, 8000, 10000, 10000]]]) {
		const { chat, s } = await online(undefined, { random: () => random });
		const times = [];
		let n = FakeSocket.sockets.length, t0 = clock.now;
		s.drop();
		while (times.length < want.length) {
			await clock.pass(10);
			if (FakeSocket.sockets.length === n)
				continue;
			n = FakeSocket.sockets.length;
			times.push(clock.now - t0);
			FakeSocket.last().drop();	/* refused at once */
			t0 = clock.now;
		}
		assert.deepEqual(times, want);
		chat.close();
	}
	/* ten seconds on a line, and the next loss begins anew */
	const { chat, heard, s } = await online(undefined, { random: () => 1 });
	s.drop();
	for (let i = 0; i < 5; i++) {
		await clock.pass(20000);
		FakeSocket.last().drop();
	}
	await clock.pass(20000);
	FakeSocket.last().welcome({ 1: head(10) });
	await clock.pass(16000);
	FakeSocket.last().drop();
	const st = heard.state.filter(e => e.retryAt).at(-1);
	assert.equal(st.retryAt - clock.now, 500);
	chat.close();
});

test('29. fifty that are dropped at once do not come back as one', async () => {
	/* random numbers, the same at each run */
	let seed = 1;
	const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) /
	    2 ** 32;
	const chats = [];
	for (let i = 0; i < 50; i++)
		chats.push(await online(undefined, { random }));
	const t0 = clock.now;
	const before = new Set(FakeSocket.sockets);
	for (const { s } of chats)
		s.drop(4200, 'going away');
	await clock.pass(1000);
	const back = FakeSocket.sockets.filter(x => !before.has(x))
	    .map(x => x.at - t0).sort((a, b) => a - b);
	assert.equal(back.length, 50);
	assert.ok(back.at(-1) <= 500, 'a server that goes wants them back soon');
	const most = Math.max(...back.map(t => back.filter(u => u >= t &&
	    u < t + 100).length));
	assert.ok(most <= 25, `${most} of 50 within 100 ms`);
	for (const { chat } of chats)
		chat.close();
});

test('30. a server that falls silent: left within 60 s, and found again',
    async () => {
	const { chat, heard } = await online();
	const t0 = clock.now;
	while (!heard.close.length && clock.now - t0 < MIN)
		await clock.pass(100);
	assert.equal(heard.close[0]?.code, 4201);
	assert.ok(clock.now - t0 > 20000, 'too soon');
	await clock.pass(1000);
	FakeSocket.last().welcome({ 1: head(10) });
	assert.equal(chat.state, 'online');
	/* one that answers is never left, nor asked more than needed */
	const s = FakeSocket.last(), n = s.of('ping').length;
	for (let i = 0; i < 600; i++) {
		await clock.pass(1000);
		const p = s.of('ping').at(-1);
		if (p && p !== s.seen)
			s.give({ cmd: 'pong', t: (s.seen = p).t });
	}
	assert.equal(FakeSocket.last(), s);
	assert.ok(s.of('ping').length - n <= 32, `${s.of('ping').length} pings`);
	chat.close();
});

test('31. retry= of a close is the wait; a final one ends it', async () => {
	const { chat, heard, s } = await online();
	const n = FakeSocket.sockets.length;
	s.drop(1012, '{"retry":3000}');
	await clock.pass(2990);
	assert.equal(FakeSocket.sockets.length, n);
	await clock.pass(510);
	assert.equal(FakeSocket.sockets.length, n + 1);
	FakeSocket.last().welcome({ 1: head(10) });
	FakeSocket.last().drop(4001, 'banned');
	await clock.pass(10 * MIN);
	assert.equal(FakeSocket.sockets.length, n + 1);
	assert.deepEqual(heard.close.at(-1), { code: 4001, reason: 'banned',
	    final: true });
	assert.equal(chat.state, 'closed');
});

test('timers of one that is closed are gone', async () => {
	const { chat } = make();
	const done = chat.login({ name: 'Amy' });
	FakeSocket.last().welcome({ 1: head(1) });
	await done;
	chat.typing({ rid: '1' });
	chat.mark({ rid: '1' }, 3);
	chat.send({ rid: '1' }, 'x').catch(() => {});
	await clock.settle();
	chat.close();
	const n = FakeSocket.last().sent.length;
	await clock.pass(10 * MIN);
	assert.equal(FakeSocket.last().sent.length, n);
	assert.equal(FakeSocket.sockets.length, 1);
});

test('dialled ahead: the login goes on the line that is there', async () => {
	const { chat, heard } = make();
	chat.connect();
	chat.connect();
	const s = FakeSocket.last();
	s.open();
	await settle();
	assert.deepEqual(s.sent, []);
	const done = chat.login({ name: 'Amy' });
	await settle();
	assert.equal(s.of('login').length, 1);
	s.onopen = null;	/* it is open already */
	s.welcome({ 1: head(10) });
	assert.equal((await done).uid, '1001');
	assert.equal(FakeSocket.sockets.length, 1);
	assert.deepEqual(heard.close, []);
});

test('dialled ahead: the login that comes late has all of its time', async () => {
	const { chat, heard } = make();
	chat.connect();
	const s = FakeSocket.last();
	s.open();
	await clock.pass(9000);
	const done = fate(chat.login({ name: 'Amy' }));
	await clock.pass(9000);
	assert.deepEqual([done.is, chat.state, s.of('login').length],
	    ['open', 'connecting', 1]);
	s.onopen = null;
	s.welcome({ 1: head(10) });
	await clock.settle();
	assert.deepEqual([done.is, heard.close], ['done', []]);
	/* who is not called is let go; a login nobody answers fails */
	const other = make().chat;
	other.connect();
	await clock.pass(10100);
	assert.equal(other.state, 'closed');
	const vain = fate(other.login({ name: 'Bob' }));
	await clock.pass(9900);
	assert.equal(vain.is, 'open');
	await clock.pass(200);
	assert.equal(vain.is, 'network');
});

test('dialled ahead, and lost: the login dials again; closed: it says nothing',
    async () => {
	const { chat } = make();
	chat.connect();
	FakeSocket.last().drop();
	const done = chat.login({ name: 'Amy' });
	assert.equal(FakeSocket.sockets.length, 2);
	FakeSocket.last().welcome({ 1: head(10) });
	await done;
	const other = make().chat;
	other.connect();
	const s = FakeSocket.last();
	s.open();
	other.close();
	await settle();
	assert.deepEqual([s.sent, s.closed, other.state], [[], 1000, 'closed']);
});
