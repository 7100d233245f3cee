/* SPDX-License-Identifier: MIT */
/* needs: node */
/* The SDK against a socket the test holds: order, once, again, and back-off. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EP, head, item, make, online, priv, seqs } from './chat.mjs';
import { Clock } from './clock.mjs';
import { FakeSocket, settle, until } from './fake.mjs';

test('login: what is sent, what comes back', async () => {
	const { chat } = make();
	const done = chat.login({ name: '林小雨', dev: 'web-1' });
	const f = FakeSocket.last().welcome({ 1: head(3) }, { token: 'tok' });
	const { cid, ...rest } = f;
	assert.equal(typeof cid, 'string');
	assert.deepEqual(rest, { cmd: 'login', v: 2, name: '林小雨', rid: '1',
	    dev: 'web-1' });
	const ok = await done;
	assert.equal(ok.token, 'tok');
	assert.equal(ok.again, false);
	assert.deepEqual(chat.me, { uid: '1001', name: '林小雨' });
	assert.equal(chat.state, 'online');
	chat.close();
	assert.equal(FakeSocket.last().of('bye').length, 1);
	assert.equal(chat.state, 'closed');
});

test('login refused: rejects, and no socket more', async () => {
	const { chat } = make();
	const done = chat.login({ name: 'Amy' });
	const s = FakeSocket.last();
	s.open();
	s.give({ cmd: 'error', errCode: 403, errMsg: 'no', cid: s.sent[0].cid });
	await assert.rejects(done, e => e.code === 403);
	assert.equal(chat.state, 'closed');
	assert.equal(FakeSocket.sockets.length, 1);
	/* and once more with the same object */
	const again = chat.login({ name: 'Amy' });
	FakeSocket.last().welcome();
	await again;
	chat.close();
});

test('nobody there: rejects; with persist it goes on', async () => {
	const { chat } = make();
	const done = chat.login({ name: 'Amy' });
	FakeSocket.last().drop();
	await assert.rejects(done, e => e.code === 'network');

	const b = make({ backoff: [2, 4] });
	const later = b.chat.login({ name: 'Amy', persist: true });
	FakeSocket.last().drop();
	await until('a second try', () => FakeSocket.sockets.length === 3);
	FakeSocket.last().welcome();
	await later;
	b.chat.close();
});

test('closed at once, and in again: the first login has no say', async () => {
	const { chat } = make();
	const first = chat.login({ name: 'Amy', rid: '1' });
	const s = FakeSocket.last();
	chat.close();
	await assert.rejects(first, e => e.code === 'closed');
	const second = chat.login({ name: 'Amy', rid: '2' });
	s.open();
	assert.deepEqual(s.sent, []);
	FakeSocket.last().welcome({ 2: head(1) });
	assert.equal((await second).rid, '2');
	assert.deepEqual(chat.rooms, ['2']);
});

test('refused on the way back: busy is tried again, the rest is final',
    async () => {
	const { chat, heard, s } = await online(undefined, { backoff: [1, 1] });
	s.drop();
	let t = await until('a new socket', () => FakeSocket.sockets[1]);
	t.open();
	t.give({ cmd: 'error', errCode: 503, errMsg: 'busy', retry: 5,
	    cid: t.sent[0].cid });
	t = await until('another', () => FakeSocket.sockets[2]);
	t.open();
	t.give({ cmd: 'error', errCode: 401, errMsg: 'token expired',
	    cid: t.sent[0].cid });
	assert.equal(chat.state, 'closed');
	assert.deepEqual(heard.close.at(-1), { code: 401, reason: 'token expired',
	    final: true });
});

test('twice is once; what was there before the login is not handed out',
    async () => {
	const { chat, heard, s } = await online();
	s.give(item(10), item(11), item(11), item(12), item(11));
	assert.deepEqual(seqs(heard), [11, 12]);
	chat.close();
});

test('a hole is filled from history before what comes after it', async () => {
	const { chat, heard, s } = await online();
	s.give(item(11), item(14), item(15));
	assert.deepEqual(seqs(heard), [11]);
	const ask = await until('history', () => s.of('getHistory')[0]);
	assert.equal(ask.after, 11);
	assert.equal(ask.rid, '1');
	s.give(item(16));
	/* descending, and more than was missing: both are fine */
	s.give({ cmd: 'getHistory', cid: ask.cid, rid: '1', ep: EP, more: false,
	    list: [item(15), item(14), item(13), item(12)] });
	await settle();
	assert.deepEqual(seqs(heard), [11, 12, 13, 14, 15, 16]);
	assert.deepEqual(heard.gap, []);
	chat.close();
});

test('what history has not is named, and the rest goes on', async () => {
	const { chat, heard, s } = await online();
	s.give(item(14));
	const ask = await until('history', () => s.of('getHistory')[0]);
	s.give({ cmd: 'getHistory', cid: ask.cid, rid: '1', ep: EP, list: [item(13)] });
	await settle();
	assert.deepEqual(seqs(heard), [13, 14]);
	assert.deepEqual(heard.gap, [{ conv: '1', from: 11, to: 12, why: 'lost' }]);
	chat.close();
});

test('a gap of the server: fetched, else named', async () => {
	const { chat, heard, s } = await online();
	s.give({ cmd: 'gap', rid: '1', ep: EP, from: 11, to: 13, why: 'purge' },
	    item(14));
	const ask = await until('history', () => s.of('getHistory')[0]);
	s.give({ cmd: 'getHistory', cid: ask.cid, rid: '1', list: [] });
	await settle();
	assert.deepEqual(heard.gap.map(g => [g.from, g.to]), [[11, 13]]);
	assert.deepEqual(seqs(heard), [14]);
	chat.close();
});

test('a page may be short: the next one is fetched', async () => {
	const { chat, heard, s } = await online();
	s.give(item(14));
	let ask = await until('history', () => s.of('getHistory')[0]);
	s.give({ cmd: 'getHistory', cid: ask.cid, list: [item(11), item(12)], more: true });
	ask = await until('more', () => s.of('getHistory')[1]);
	assert.equal(ask.after, 12);
	s.give({ cmd: 'getHistory', cid: ask.cid, list: [item(13)] });
	await settle();
	assert.deepEqual(seqs(heard), [11, 12, 13, 14]);
	chat.close();
});

test('resume: positions are sent, the replay is handed out, then synced',
    async () => {
	const { chat, heard, s } = await online({ 1: head(10), '@': head(4) },
	    { backoff: [1, 1] });
	s.give(item(11), priv(5, 1));
	s.drop();
	const t = await until('a new socket', () => FakeSocket.sockets[1]);
	t.open();
	const f = t.sent[0];
	assert.deepEqual(f.pos, { 1: [EP, 11], '@': [EP, 5] });
	t.give({ cmd: 'login', uid: '1001', name: 'Amy', rid: '1', v: 2, cid: f.cid,
	    pos: { 1: { ep: EP, seq: 13, from: 12, n: 2, full: true },
	        '@': { ep: EP, seq: 6, from: 6, n: 1, full: true } } },
	item(12), item(13), priv(6, 2));
	assert.deepEqual(heard.synced.length, 1);
	t.give({ cmd: 'synced', cid: f.cid });
	assert.deepEqual(heard.synced[1], { missed: 3, full: true });
	assert.deepEqual(heard.message.map(m => [m.conv, m.seq, m.replay]),
	    [['1', 11, false], ['@7', 1, false], ['1', 12, true], ['1', 13, true],
	        ['@7', 2, true]]);
	chat.close();
});

test('another ep: reset, and from the new log on', async () => {
	const { chat, heard, s } = await online(undefined, { backoff: [1, 1] });
	s.drop();
	const t = await until('a new socket', () => FakeSocket.sockets[1]);
	t.welcome({ 1: { ep: '00000001', seq: 2, n: 0, full: true } });
	assert.deepEqual(heard.reset, [{ conv: '1', ep: '00000001' }]);
	t.give(item(2), item(3));
	assert.deepEqual(seqs(heard), [3]);
	chat.close();
});

test('full:false names what is no longer kept', async () => {
	const { chat, heard, s } = await online(undefined, { backoff: [1, 1] });
	s.drop();
	const t = await until('a new socket', () => FakeSocket.sockets[1]);
	const f = t.welcome({ 1: { ep: EP, seq: 30, from: 30, n: 1, full: false } });
	t.give(item(30), { cmd: 'synced', cid: f.cid });
	assert.deepEqual(heard.gap, [{ conv: '1', from: 11, to: 29,
	    why: 'retention' }]);
	assert.deepEqual(heard.synced[1], { missed: 1, full: false });
	chat.close();
});

test('a hole in the private stream: back to the position, by a new login',
    async () => {
	const { chat, heard, s } = await online({ 1: head(0), '@': head(4) },
	    { backoff: [1, 1] });
	s.give(priv(7, 2));
	assert.deepEqual(heard.message, []);
	const t = await until('a new socket', () => FakeSocket.sockets[1]);
	t.open();
	assert.deepEqual(t.sent[0].pos['@'], [EP, 4]);
	chat.close();
});

test('several rooms on a socket, entered again after a loss', async () => {
	const { chat, s } = await online(undefined, { backoff: [1, 1] });
	const joined = chat.join('dev');
	let ask = s.of('join')[0];
	s.give({ cmd: 'ok', cid: ask.cid, rid: 'dev', pos: { dev: head(2) } },
	    { cmd: 'synced', cid: ask.cid });
	await joined;
	const lone = chat.join('new');
	ask = s.of('join')[1];
	s.give({ cmd: 'ok', cid: ask.cid, rid: 'new', pos: {} });
	await lone;
	assert.deepEqual(chat.rooms, ['1', 'dev', 'new']);
	s.drop();
	const t = await until('a new socket', () => FakeSocket.sockets[1]);
	/* those with a position by the login, the other by join */
	const f = t.welcome({ 1: head(10), dev: head(2) });
	assert.deepEqual(f.pos, { 1: [EP, 10], dev: [EP, 2] });
	assert.deepEqual(t.of('join').map(j => j.rid), ['new']);
	chat.leave('dev').catch(() => {});	/* no answer comes */
	assert.deepEqual(chat.rooms, ['1', 'new']);
	chat.close();
});

test('a room that is entered on hearing of the login is asked for once', async () => {
	const { chat } = make();
	let joined;
	chat.on('login', () => { joined = chat.join('dev'); });
	const done = chat.login({ name: 'Amy' });
	const s = FakeSocket.last();
	s.welcome({ 1: head(0) });
	await done;
	assert.equal(s.of('join').length, 1);
	s.give({ cmd: 'ok', cid: s.of('join')[0].cid, rid: 'dev',
	    pos: { dev: head(0) } });
	await joined;
	assert.deepEqual(chat.rooms, ['1', 'dev']);
});

test('a room that is refused is told and left', async () => {
	const { chat, heard, s } = await online();
	const joined = chat.join('g1');
	s.give({ cmd: 'error', errCode: 403, errMsg: 'no', cid: s.of('join')[0].cid });
	await assert.rejects(joined, e => e.code === 403);
	assert.equal(heard.left[0].rid, 'g1');
	assert.deepEqual(chat.rooms, ['1']);
	chat.close();
});

test('send: ok resolves; the item with the cid is my own', async () => {
	const { chat, heard, s } = await online();
	const sent = chat.send({ rid: '1' }, 'hi');
	const m = s.of('message')[0];
	assert.equal(m.cid, sent.cid);
	s.give({ cmd: 'ok', cid: m.cid, rid: '1', seq: 11, mid: 'r:1/11', ts: 5 });
	assert.deepEqual(await sent, { cid: m.cid, seq: 11, mid: 'r:1/11', ts: 5 });
	s.give(item(11, { uid: '1001', cid: m.cid }));
	assert.equal(heard.message.length, 1);
	assert.equal(heard.message[0].mine, true);
	assert.equal(heard.ack.length, 1);
	chat.close();
});

test('send: the item may come before its ok, or instead of it', async () => {
	const { chat, heard, s } = await online();
	const sent = chat.send({ tid: '7' }, 'hi');
	const { cid } = s.of('message')[0];
	s.give(priv(1, 1, { uid: '1001', tid: '7', cid }));
	assert.equal((await sent).seq, 1);
	assert.equal(heard.message[0].conv, '@7');
	s.give({ cmd: 'ok', cid, tid: '7', seq: 1 });
	assert.equal(heard.ack.length, 1);
	chat.close();
});

test('after a loss: in order, with the same cid, before what is new', async () => {
	const { chat, s } = await online(undefined, { backoff: [1, 1] });
	const all = ['a', 'b'].map(x => chat.send({ rid: '1' }, x));
	s.drop();
	all.push(chat.send({ rid: '1' }, 'c'));
	const t = await until('a new socket', () => FakeSocket.sockets[1]);
	const f = t.welcome({ 1: { ep: EP, seq: 11, from: 11, n: 1, full: true } });
	assert.deepEqual(t.of('message'), [], 'not before the replay is through');
	/* a had been stored: its item settles it, and it is not sent again */
	t.give(item(11, { uid: '1001', cid: all[0].cid }));
	t.give({ cmd: 'synced', cid: f.cid });
	all.push(chat.send({ rid: '1' }, 'd'));
	assert.deepEqual(t.of('message').map(m => m.msg), ['b', 'c', 'd']);
	assert.deepEqual(t.of('message').map(m => m.cid),
	    all.slice(1).map(p => p.cid));
	assert.equal((await all[0]).seq, 11);
	chat.close();
	await Promise.allSettled(all);
});

test('the ack clock: fails when online, not while the line is down', async () => {
	const { chat, heard, s } = await online(undefined,
	    { ackTimeout: 60, backoff: [150, 150] });
	const sent = chat.send({ rid: '1' }, 'x');
	s.drop();
	const t = await until('a new socket', () => FakeSocket.sockets[1]);
	assert.equal(heard.fail.length, 0, 'failed while the line was down');
	t.welcome({ 1: head(10) });
	await assert.rejects(sent, e => e.code === 'timeout');
	assert.equal(heard.fail[0].cid, sent.cid);
	/* again, by hand, with the same cid */
	chat.send({ rid: '1' }, 'x', { cid: sent.cid });
	assert.deepEqual(t.of('message').map(m => m.cid), [sent.cid, sent.cid]);
	chat.close();
});

test('an error with retry is tried again; without, it fails', async () => {
	const { chat, s } = await online();
	const soon = chat.send({ rid: '1' }, 'soon');
	s.give({ cmd: 'error', errCode: 429, errMsg: 'fast', retry: 5, cid: soon.cid });
	await until('again', () => s.of('message').length === 2);
	assert.equal(s.of('message')[1].cid, soon.cid);
	s.give({ cmd: 'ok', cid: soon.cid, seq: 11 });
	await soon;
	const never = chat.send({ rid: '1' }, 'never');
	s.give({ cmd: 'error', errCode: 403, errMsg: 'muted', cid: never.cid });
	await assert.rejects(never, e => e.code === 403);
	chat.close();
});

test('no faster than the server allows', async () => {
	const clock = new Clock();	/* or six of them may take 10 ms */
	try {
		const { chat, s } = await online(undefined, {}, {},
		    { limit: { msg: 4096, rate: [100, 3], rooms: 8 } });
		for (let i = 0; i < 6; i++)
			chat.send({ rid: '1' }, `${i}`);
		assert.equal(s.of('message').length, 3);
		await clock.pass(25);
		assert.ok(s.of('message').length < 6, 'three more take 30 ms');
		await clock.pass(25);
		assert.deepEqual(s.of('message').map(m => m.msg),
		    ['0', '1', '2', '3', '4', '5']);
		chat.close();
	} finally {
		clock.done();
	}
});

test('the queue has a bound', async () => {
	const { chat, s } = await online(undefined, { queue: 2, backoff: [999, 999] });
	s.drop();
	chat.send({ rid: '1' }, 'a');
	const b = chat.send({ rid: '1' }, 'b');
	await assert.rejects(chat.send({ rid: '1' }, 'c'), e => e.code === 'queue');
	assert.equal(chat.cancel(b.cid), true);
	await assert.rejects(b, e => e.code === 'closed');
	chat.close();
});

/* Delays the SDK announces, without waiting for them. */
async function
delays(n, random, code, reason)
{
	const { chat, heard, s } = await online(undefined, { random });
	const out = [], { now } = Date, at = now();
	Date.now = () => at;	/* what is left of a wait is all of it */
	s.drop(code, reason);
	for (let i = 0; i < n; i++) {
		const st = heard.state.filter(x => x.retryAt).at(-1);
		out.push(Math.round(st.wait / 10) * 10);
		if (i === n - 1)
			break;
		chat.retry();
		FakeSocket.last().drop(code, reason);
	}
	Date.now = now;
	chat.close();
	return out;
}

test('back-off: doubles from base to max, full jitter', async () => {
	assert.deepEqual(await delays(8, () => 1),
	    [500, 1000, 2000, 4000, 8000, 16000, 20000, 20000]);
	assert.deepEqual(await delays(3, () => 0), [0, 0, 0]);
	assert.deepEqual(await delays(3, () => 0.5), [250, 500, 1000]);
});

test('close codes: retry= is obeyed, 42xx at once, 40xx never', async () => {
	assert.deepEqual(await delays(1, () => 0, 4100, 'full retry=3000'), [3000]);
	assert.deepEqual(await delays(1, () => 0, 1012, '{"retry":3000}'), [3000]);
	assert.deepEqual(await delays(1, () => 1, 4200, 'going away'), [500]);
	for (const code of [4000, 4001, 4003, 4004, 4005, 4099]) {
		FakeSocket.reset();
		const { chat, heard, s } = await online();
		const lost = chat.send({ rid: '1' }, 'x');
		s.drop(code, 'banned');
		assert.equal(chat.state, 'closed');
		assert.deepEqual(heard.close, [{ code, reason: 'banned', final: true }]);
		await assert.rejects(lost, e => e.code === code);
		chat.retry();
		await settle();
		assert.equal(FakeSocket.sockets.length, 1);
	}
});

test('other urls are tried in turn', async () => {
	const { chat, s } = await online(undefined, { backoff: [1, 1] }, {},
	    { alt: ['wss://b/ws', 'javascript:alert(1)', 'ws://c/ws'] });
	s.drop();
	await until('the fourth', () => {
		if (FakeSocket.last() !== s && !FakeSocket.last().seen) {
			FakeSocket.last().seen = true;
			FakeSocket.last().drop();
		}
		return FakeSocket.sockets.length >= 5;
	});
	assert.deepEqual(FakeSocket.sockets.slice(1, 5).map(x => x.url),
	    ['ws://host/ws', 'wss://b/ws', 'ws://c/ws', 'ws://host/ws']);
	chat.close();
});

test('heartbeat: ping after silence; no pong, and the line is given up',
    async () => {
	const { chat, heard, s } = await online(undefined,
	    { heartbeat: 200, backoff: [1, 1] });
	await until('a ping', () => s.of('ping').length === 1);
	s.give({ cmd: 'pong', t: s.of('ping')[0].t });
	await until('another', () => s.of('ping').length === 2);
	await until('given up', () => FakeSocket.sockets.length === 2);
	assert.equal(heard.close[0].code, 4201);
	assert.notEqual(s.closed, undefined);
	FakeSocket.last().welcome();
	FakeSocket.last().give({ cmd: 'ping', t: 9 });
	assert.deepEqual(FakeSocket.last().of('pong'), [{ cmd: 'pong', t: 9 }]);
	chat.close();
});

test('move: the new socket is in before the old one goes', async () => {
	const { chat, heard, s } = await online();
	s.give({ cmd: 'move', url: 'wss://two/ws', in: 1, key: 'k1', why: 'drain' });
	const t = await until('the new one', () => FakeSocket.sockets[1]);
	assert.equal(t.url, 'wss://two/ws');
	assert.equal(s.closed, undefined);
	const sent = chat.send({ rid: '1' }, 'on the way');
	assert.equal(s.of('message').length, 1);
	s.give(item(11));
	const f = t.welcome({ 1: head(11) });
	assert.equal(f.from, 'k1');
	assert.deepEqual(f.pos, { 1: [EP, 11] });
	assert.equal(s.closed, 1000);
	assert.equal(t.of('message')[0].cid, sent.cid, 'sent again there');
	t.give(item(11), item(12));
	assert.deepEqual(seqs(heard), [11, 12]);
	assert.equal(heard.close.length, 0);
	chat.close();
	await Promise.allSettled([sent]);
});

test('move to a server that is not there: the old one goes on', async () => {
	const { chat, s, heard } = await online();
	s.give({ cmd: 'move', url: 'wss://two/ws', in: 0, key: 'k', why: 'drain' });
	(await until('the new one', () => FakeSocket.sockets[1])).drop();
	s.give(item(11));
	assert.deepEqual(seqs(heard), [11]);
	assert.equal(chat.state, 'online');
	chat.close();
});

test('version 1: no cid, no ack, private by the sender, one in two seconds',
    async () => {
	const { chat, heard } = make();
	const done = chat.login({ name: 'Amy' });
	const s = FakeSocket.last();
	s.open();
	s.give({ cmd: 'login', uid: '1234567', name: 'Amy', rid: '1' });
	await done;
	assert.equal(chat.v, 1);
	assert.deepEqual(await chat.send({ tid: '7' }, 'psst', { at: ['7'] }).then(
	    a => a.seq), undefined);
	assert.deepEqual(s.of('message')[0], { cmd: 'message', rid: '1',
	    type: 'text', msg: 'psst', tid: '7' });
	chat.send({ rid: '1' }, 'too soon');
	assert.equal(s.of('message').length, 1);
	s.give({ cmd: 'message', type: 'text', uid: '7', name: 'Bob', msg: 'x',
	    rid: '1', tid: '1234567' }, { cmd: 'message', type: 'text', uid: '7',
	    name: 'Bob', msg: 'y', rid: '1', tid: '' });
	assert.deepEqual(heard.message.map(m => [m.conv, m.msg]),
	    [['@7', 'x'], ['1', 'y']]);
	await assert.rejects(chat.online('1'), e => e.code === 102);
	chat.mark({ tid: '7' }, 1);
	assert.deepEqual((await chat.history({ rid: '1' })).msgs, []);
	assert.deepEqual(new Set(s.sent.map(f => f.cmd)), new Set(['login', 'message']));
	chat.close();
	assert.equal(s.of('bye').length, 0);
});

test('a time that no clock has is now', async () => {
	const { chat, s } = await online();
	const at = [];
	chat.on('message', m => at.push(new Date(m.ts).toISOString()));
	const all = [8.64e15 + 1, -9e15, 2 ** 53 - 1, null, 'x', 1.5, {}, 1763660001200];
	all.forEach((ts, i) => s.give(item(11 + i, { ts })));
	assert.equal(at.length, all.length);
	assert.equal(at.pop(), '2025-11-20T17:33:21.200Z');
	for (const x of at)
		assert.ok(Math.abs(Date.parse(x) - Date.now()) < 60000, x);
	chat.close();
});
test('bad frames, thrown handlers and batches do no harm', async () => {
	const { chat, heard, s } = await online();
	let n = 0;
	const was = globalThis.reportError;
	globalThis.reportError = () => { n++; };
	chat.on('message', () => { throw new Error('handler'); });
	s.give('{', '7', 'null', '[]', '"x"', '{"cmd":7}', '{"cmd":"nonsense"}',
	    '{"cmd":"message","rid":"1","seq":-4,"uid":{},"name":[]}',
	    [item(11), null, item(12)]);
	globalThis.reportError = was;
	assert.deepEqual(seqs(heard).filter(x => x > 0), [11, 12]);
	assert.ok(n >= 2);
	const off = chat.on('notice', () => assert.fail('was taken off'));
	off();
	const ctl = new AbortController();
	chat.on('notice', () => assert.fail('was aborted'), { signal: ctl.signal });
	ctl.abort();
	let once = 0;
	chat.on('notice', () => { once++; }, { once: true });
	s.give({ cmd: 'notice', msg: 'a' }, { cmd: 'notice', msg: 'b' });
	assert.equal(once, 1);
	chat.close();
});
