/* SPDX-License-Identifier: MIT */
/* needs: node */
/* What the SDK says and hears beside messages: edit, recall, react, title,
 * typing, who read; and what a server lacks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EP, head, item, make, online } from './chat.mjs';
import { Clock } from './clock.mjs';
import { FakeSocket, settle, until } from './fake.mjs';

const lacks = (s, cmd) => s.give({ cmd: 'error', errCode: 102, errMsg: '?',
    cid: s.of(cmd).at(-1).cid });

test('edit, recall, react, title: frames, ack, once more with the same cid',
    async () => {
	const { chat, s } = await online(undefined, { backoff: [1, 1] });
	const all = [chat.edit({ rid: '1' }, 7, 'new'), chat.recall({ tid: '9' }, 3),
	    chat.react({ rid: '1' }, 7, '+1'), chat.react({ rid: '1' }, 7, '+1', false),
	    chat.title('1', 'Lobby')];
	const said = s.sent.filter(f => f.cid && f.cmd !== 'login')
	    .map(({ cid, ...f }) => f);
	assert.deepEqual(said, [
	    { cmd: 'edit', rid: '1', ref: 7, msg: 'new' },
	    { cmd: 'recall', tid: '9', ref: 3 },
	    { cmd: 'react', rid: '1', ref: 7, emo: '+1', on: true },
	    { cmd: 'react', rid: '1', ref: 7, emo: '+1', on: false },
	    { cmd: 'title', rid: '1', title: 'Lobby' }]);
	s.give({ cmd: 'ok', cid: all[0].cid, rid: '1', seq: 11, ts: 4 });
	assert.equal((await all[0]).seq, 11);
	/* the line goes: the others go again, the same cids in the same order */
	s.drop();
	const t = await until('a new socket', () => FakeSocket.sockets[1]);
	t.welcome({ 1: head(10) });
	const again = t.sent.filter(f => f.cid && f.cmd !== 'login');
	assert.deepEqual(again.map(f => f.cid), all.slice(1).map(p => p.cid));
	/* its own item settles one, a refusal another */
	t.give({ cmd: 'recall', tid: '9', uid: '1001', ref: 3, seq: 4, useq: 1,
	    cid: all[1].cid, ts: 1 });
	assert.equal((await all[1]).seq, 4);
	t.give({ cmd: 'error', errCode: 404, errMsg: 'no', cid: all[2].cid });
	await assert.rejects(all[2], e => e.code === 404);
});

test('items are handed out in order, cleaned, and come with history',
    async () => {
	const { chat, heard, s } = await online();
	s.give(item(11, { at: ['7', 8], re: 3 }),
	    { cmd: 'edit', rid: '1', ref: 11, msg: 'x', uid: '7', name: 'Bob',
	        seq: 12, ts: 2 },
	    { cmd: 'edit', rid: '1', ref: 11, msg: 'x', uid: '7', seq: 12 },
	    { cmd: 'react', rid: '1', ref: 11, emo: '+1', on: true, uid: '1001',
	        name: 'Amy', seq: 13, ts: 3 },
	    { cmd: 'title', rid: '1', title: { a: 1 }, uid: '7', name: [], seq: 14 });
	assert.deepEqual(heard.message[0].at, ['7', '8']);
	assert.equal(heard.message[0].re, 3);
	assert.deepEqual(heard.item.map(i => [i.cmd, i.conv, i.ref, i.uid, i.name,
	    i.mine, i.seq]), [['edit', '1', 11, '7', 'Bob', false, 12],
	    ['react', '1', 11, '1001', 'Amy', true, 13],
	    ['title', '1', undefined, '7', '', false, 14]]);
	assert.equal(heard.item[2].title, '');
	const h = chat.history({ rid: '1' });
	const f = await until('a question', () => s.of('getHistory')[0]);
	s.give({ cmd: 'getHistory', cid: f.cid, rid: '1', ep: EP, more: false, list: [
	    { cmd: 'message', rid: '1', seq: 9, gone: 'recall', uid: '7', ts: 1 },
	    { cmd: 'recall', rid: '1', ref: 9, seq: 10, uid: '7', ts: 2 }, item(11)] });
	const page = await h;
	assert.deepEqual(page.items.map(i => [i.cmd, i.seq]),
	    [['message', 9], ['recall', 10], ['message', 11]]);
	assert.deepEqual(page.msgs.map(m => [m.gone, m.msg]),
	    [['recall', ''], [undefined, 'm11']]);
});

test('a command by ask(): its item is no answer, and is not lost', async () => {
	const { chat, heard, s } = await online();
	const p = chat.ask('edit', { rid: '1', ref: 3, msg: 'x' });
	const { cid } = s.of('edit')[0];
	s.give({ cmd: 'edit', rid: '1', ref: 3, msg: 'x', uid: '1001', name: 'Amy',
	    seq: 11, cid, ts: 1 }, { cmd: 'ok', cid, rid: '1', seq: 11 });
	assert.equal((await p).cmd, 'ok');
	assert.deepEqual(heard.item.map(i => i.seq), [11]);
	const list = chat.ask('search', { q: 'x' });
	s.give({ cmd: 'search', cid: s.of('search')[0].cid, list: [] });
	assert.deepEqual((await list).list, []);
});

test('caps: all of a version 2, less what it refused, none of version 1',
    async () => {
	const { chat, s } = await online();
	assert.ok(chat.caps.has('edit') && chat.caps.has('typing'));
	assert.ok(!chat.caps.has('upload'));
	const told = [];
	chat.on('caps', e => told.push([...e.caps]));
	const p = chat.react({ rid: '1' }, 7, '+1');
	lacks(s, 'react');
	await assert.rejects(p, e => e.code === 102);
	await until('told', () => told.length === 1);
	assert.ok(!chat.caps.has('react') && chat.caps.has('edit'));
	assert.ok(!told[0].includes('react'));
	const n = s.sent.length;
	await assert.rejects(chat.react({ rid: '1' }, 8, '+1'), e => e.code === 102);
	assert.equal(s.sent.length, n, 'asked once more');
	chat.typing({ rid: '1' });
	await until('typing', () => s.of('typing').length === 1);
	lacks(s, 'typing');
	await until('told', () => told.length === 2);
	chat.typing({ rid: '2' });
	await settle();
	assert.equal(s.of('typing').length, 1);

	const b = make();
	const done = b.chat.login({ name: 'Amy' });
	const t = FakeSocket.last();
	t.open();
	t.give({ cmd: 'login', uid: '1234567', name: 'Amy', rid: '1' });
	await done;
	assert.equal(b.chat.caps.size, 0);
	b.chat.typing({ rid: '1' });
	await assert.rejects(b.chat.edit({ rid: '1' }, 1, 'x'), e => e.code === 102);
	await assert.rejects(b.chat.upload(new Blob(['x'])), e => e.code === 102);
	assert.deepEqual(t.sent.map(f => f.cmd), ['login']);
});

test('room titles: with the login, with a join, live', async () => {
	const c = make();
	const rooms = [];
	c.chat.on('room', e => rooms.push(e));
	const done = c.chat.login({ name: 'Amy' });
	const s = FakeSocket.last();
	s.welcome({ 1: { ...head(3), title: '大厅' } });
	await done;
	const j = c.chat.join('dev');
	s.give({ cmd: 'ok', cid: s.of('join')[0].cid, rid: 'dev',
	    pos: { dev: { ...head(2), title: 'Dev' } } });
	await j;
	assert.deepEqual(rooms, [{ rid: '1', title: '大厅' }, { rid: 'dev', title: 'Dev' }]);
});

test('typing: one in three seconds, and what is heard', async () => {
	const { chat, s } = await online();
	chat.typing({ rid: '1' });	/* fetches what it needs */
	await until('the first', () => s.of('typing').length === 1);
	const clock = new Clock();
	for (let i = 0; i < 9; i++)
		chat.typing({ tid: '7' });
	await clock.settle();
	assert.deepEqual(s.of('typing').slice(1).map(f => [f.tid, f.on]),
	    [['7', true]]);
	chat.typing({ tid: '7' }, false);
	await clock.pass(2999);
	assert.equal(s.of('typing').length, 2);
	await clock.pass(1);
	assert.deepEqual(s.of('typing').slice(2).map(f => [f.tid, f.on]),
	    [['7', false]]);
	await clock.pass(3000);
	chat.typing({ tid: '7' });
	await clock.settle();
	assert.equal(s.of('typing').length, 4);
	const heard = [];
	chat.on('typing', e => heard.push([e.conv, e.uid, e.name, e.on]));
	s.give({ cmd: 'typing', tid: '7', uid: '7', name: 'Bob', on: true },
	    { cmd: 'typing', rid: '1', uid: '7', name: 'Bob', on: false });
	assert.deepEqual(heard, [['@7', '7', 'Bob', true], ['1', '7', 'Bob', false]]);
	chat.close();
	clock.done();
});

test('marks: who read, page by page', async () => {
	const { chat, s } = await online();
	const all = chat.marks({ rid: '1' }, 9);
	let f = await until('asked', () => s.of('getMarks')[0]);
	assert.deepEqual([f.rid, f.seq], ['1', 9]);
	s.give({ cmd: 'getMarks', cid: f.cid, rid: '1', seq: 9, nread: 3, nrecv: 4,
	    read: ['7', 8], next: '8' });
	f = await until('the next', () => s.of('getMarks')[1]);
	assert.equal(f.next, '8');
	s.give({ cmd: 'getMarks', cid: f.cid, rid: '1', seq: 9, nread: 3, nrecv: 4,
	    read: ['9'] });
	assert.deepEqual(await all, { nread: 3, nrecv: 4, read: ['7', '8', '9'] });
});

test('history backwards: newest first, page by page', async () => {
	const { chat, s } = await online();
	const got = (async () => {
		const out = [];
		for await (const m of chat.historyAll({ rid: '1' }, { reverse: true }))
			out.push(m.seq);
		return out;
	})();
	let f = await until('a page', () => s.of('getHistory')[0]);
	assert.deepEqual([f.before, f.after], [undefined, undefined]);
	s.give({ cmd: 'getHistory', cid: f.cid, list: [item(3), item(4)], more: true });
	f = await until('the next', () => s.of('getHistory')[1]);
	assert.equal(f.before, 3);
	s.give({ cmd: 'getHistory', cid: f.cid, list: [item(1), item(2)], more: false });
	assert.deepEqual(await got, [4, 3, 2, 1]);
});
