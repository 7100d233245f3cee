/* SPDX-License-Identifier: MIT */
/* needs: node */
/* What the SDK asks for, beside messages, and what it says again by itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EP, item, make, online, priv } from './chat.mjs';
import { FakeSocket, until } from './fake.mjs';

test('requests: answer, error, silence, and 102 is remembered', async () => {
	const { chat, s } = await online(undefined, { askTimeout: 500 });
	const h = chat.history({ tid: '7' }, { limit: 2 });
	const f = await until('a question', () => s.of('getHistory')[0]);
	assert.deepEqual([f.tid, f.limit, f.rid], ['7', 2, undefined]);
	s.give({ cmd: 'getHistory', cid: f.cid, tid: '7', ep: EP, more: true,
	    list: [priv(9, 5), { cmd: 'edit', tid: '7', ref: 1, seq: 4, uid: '7' },
	        { ...priv(7, 3), uid: '1001' }, 'junk', null, { seq: 'x' }] });
	const page = await h;
	assert.deepEqual(page.msgs.map(m => [m.seq, m.conv, m.mine]),
	    [[3, '@7', true], [5, '@7', false]]);
	assert.deepEqual([page.from, page.to, page.more], [3, 5, true]);
	await assert.rejects(chat.ask('search', {}), e => e.code === 'timeout');
	const two = chat.inbox();
	await until('a page', () => s.of('inbox')[0]);
	s.give({ cmd: 'inbox', cid: s.of('inbox')[0].cid, next: '2.3.9.',
	    list: [{ tid: '7', unread: 1 }] });
	await until('the next page', () => s.of('inbox').length === 2);
	assert.equal(s.of('inbox')[1].next, '2.3.9.');
	s.give({ cmd: 'inbox', cid: s.of('inbox')[1].cid, list: [{ rid: '1' }] });
	assert.deepEqual((await two).map(e => e.tid ?? e.rid), ['7', '1']);
	s.sent.length = 0;
	const inbox = chat.inbox();
	await until('asked', () => s.of('inbox')[0]);
	s.give({ cmd: 'error', errCode: 102, errMsg: '?', cid: s.of('inbox')[0].cid });
	assert.deepEqual(await inbox, []);
	assert.deepEqual(await chat.inbox(), []);
	assert.equal(s.of('inbox').length, 1);
	s.drop();
	await assert.rejects(chat.history({ rid: '1' }), e => e.code === 'offline');
	chat.close();
});

test('historyAll pages to the end', async () => {
	const { chat, s } = await online();
	const got = (async () => {
		const out = [];
		for await (const m of chat.historyAll({ rid: '1' }))
			out.push(m.seq);
		return out;
	})();
	let f = await until('a page', () => s.of('getHistory')[0]);
	assert.equal(f.after, 0);
	s.give({ cmd: 'getHistory', cid: f.cid, list: [item(1), item(2)], more: true });
	f = await until('the next', () => s.of('getHistory')[1]);
	assert.equal(f.after, 2);
	s.give({ cmd: 'getHistory', cid: f.cid, list: [item(3)], more: false });
	assert.deepEqual(await got, [1, 2, 3]);
	chat.close();
});

test('marks go at most once a second, the highest', async () => {
	const { chat, s } = await online(undefined, { backoff: [1, 1] });
	for (const n of [3, 5, 4, 9])
		chat.mark({ tid: '7' }, n);
	await until('a mark', () => s.of('mark')[0]);
	assert.deepEqual(s.of('mark').map(m => m.read), [3]);
	s.give({ cmd: 'ok', cid: s.of('mark')[0].cid });
	await until('the last', () => s.of('mark').length === 2);
	assert.equal(s.of('mark')[1].read, 9);
	/* what the line took away is said again, and no more than that */
	chat.mark({ tid: '7' }, 12);
	await until('12', () => s.of('mark').length === 3);
	s.drop();
	const t = await until('a new socket', () => FakeSocket.sockets[1]);
	t.welcome();
	assert.deepEqual(t.of('mark').map(m => m.read), []);
	await until('12 again', () => t.of('mark').length === 1);
	t.give({ cmd: 'ok', cid: t.of('mark')[0].cid });
	const marks = [];
	chat.on('mark', m => marks.push(m));
	t.give({ cmd: 'mark', tid: '7', uid: '7', read: 4 },
	    { cmd: 'mark', tid: '7', uid: '1001', read: 9 });
	assert.deepEqual(marks.map(m => [m.conv, m.uid, m.read]),
	    [['@7', '7', 4], ['@7', '1001', 9]]);
	chat.close();
});

const answer = (s, cmd, n, f = { cmd: 'ok' }) =>
	s.give({ ...f, cid: s.of(cmd)[n].cid });

test('watch: the list is said again on every line', async () => {
	const { chat, s } = await online(undefined, { backoff: [1, 1] });
	const heard = [];
	chat.on('status', f => heard.push([f.uid, f.st, f.last]));
	const uids = ['7', '8'];
	const done = chat.watch(uids);
	uids.push('not me');
	await until('a list', () => s.of('watch')[0]);
	assert.deepEqual(s.of('watch')[0].uids, ['7', '8']);
	answer(s, 'watch', 0);
	s.give({ cmd: 'status', uid: 7, st: 'off', last: 5 },
	    { cmd: 'status', uid: '8', st: 'on' });
	await done;
	assert.deepEqual(heard, [['7', 'off', 5], ['8', 'on', undefined]]);
	s.drop();
	const t = await until('a new socket', () => FakeSocket.sockets[1]);
	t.welcome();
	assert.deepEqual(t.of('watch').map(f => f.uids), [['7', '8']]);
	answer(t, 'watch', 0);
	/* a server is left for another: the new one knows no list */
	t.give({ cmd: 'move', url: 'wss://two/ws', in: 1, key: 'k' });
	const u = await until('the next', () => FakeSocket.sockets[2]);
	u.welcome();
	assert.deepEqual(u.of('watch').map(f => f.uids), [['7', '8']]);
	answer(u, 'watch', 0);
	/* nobody any more: nothing comes of the lists before */
	const none = chat.watch([]);
	await until('the empty list', () => u.of('watch')[1]);
	answer(u, 'watch', 1);
	await none;
	u.drop();
	const v = await until('the last', () => FakeSocket.sockets[3]);
	v.welcome();
	assert.deepEqual(v.of('watch').map(f => f.uids), [[]]);
	chat.close();
});

test('watch: offline it waits; not before what was missed is through',
    async () => {
	const { chat, s } = await online(undefined, { backoff: [1, 1] });
	s.drop();
	const done = chat.watch(['7']);
	const t = await until('a new socket', () => FakeSocket.sockets[1]);
	const f = t.welcome({ 1: { ep: EP, seq: 11, from: 11, n: 1, full: true } });
	assert.equal(t.of('watch').length, 0);
	t.give(item(11), { cmd: 'synced', cid: f.cid });
	await until('the list', () => t.of('watch')[0]);
	/* the line is lost before the answer: it is not answered yet */
	t.drop();
	const u = await until('another', () => FakeSocket.sockets[2]);
	u.welcome();
	answer(u, 'watch', 0);
	await done;
	chat.close();
});

test('watch: too fast is tried again, a refusal is told and final', async () => {
	const { chat, s } = await online(undefined, { backoff: [1, 1] });
	const soon = chat.watch(['7']);
	await until('a list', () => s.of('watch')[0]);
	answer(s, 'watch', 0, { cmd: 'error', errCode: 429, errMsg: 'fast', retry: 5 });
	await until('again', () => s.of('watch')[1]);
	answer(s, 'watch', 1);
	await soon;
	/* a newer list answers for the one before */
	const [a, b] = [chat.watch(['bad']), chat.watch(['bad', 'worse'])];
	await until('two', () => s.of('watch')[3]);
	answer(s, 'watch', 2);
	answer(s, 'watch', 3, { cmd: 'error', errCode: 400, errMsg: 'bad uid' });
	await assert.rejects(a, e => e.code === 400);
	await assert.rejects(b, e => e.code === 400);
	s.drop();
	const t = await until('a new socket', () => FakeSocket.sockets[1]);
	t.welcome();
	assert.equal(t.of('watch').length, 0);
	const last = chat.watch(['7']);
	await until('a list', () => t.of('watch')[0]);
	chat.close();
	await assert.rejects(last, e => e.code === 'closed' || e.code === 'offline');
	await assert.rejects(chat.watch(['7']), e => e.code === 'closed');
	/* who logs in anew begins anew */
	const again = chat.login({ name: 'Amy' });
	FakeSocket.last().welcome();
	await again;
	assert.equal(FakeSocket.last().of('watch').length, 0);
	chat.close();
});

test('status: said, and said again on the next line', async () => {
	const { chat, s } = await online(undefined, { backoff: [1, 1] });
	const done = chat.status('away');
	await until('it', () => s.of('status')[0]);
	assert.equal(s.of('status')[0].st, 'away');
	answer(s, 'status', 0);
	await done;
	s.drop();
	const t = await until('a new socket', () => FakeSocket.sockets[1]);
	t.welcome();
	assert.deepEqual(t.of('status').map(f => f.st), ['away']);
	chat.close();
});

test('version 1 has none of it', async () => {
	const { chat } = make();
	const done = chat.login({ name: 'Amy' });
	const s = FakeSocket.last();
	s.open();
	s.give({ cmd: 'login', uid: '1234567', name: 'Amy', rid: '1' });
	await done;
	await assert.rejects(chat.watch(['7']), e => e.code === 102);
	await assert.rejects(chat.status('away'), e => e.code === 102);
	await assert.rejects(chat.users(['7']), e => e.code === 102);
	assert.deepEqual(await chat.inbox(), []);
	assert.deepEqual(s.sent.map(f => f.cmd), ['login']);
	chat.close();
});
