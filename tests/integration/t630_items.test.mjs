/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Lasting changes that are no messages: edit, recall, react, title, and whom a
 * message calls.  Over two msg_servers, live, in a replay and in the history,
 * in rooms, private conversations and groups, over the end of the active proxy;
 * who may, and that a recalled word is said to nobody again.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Client, newCid } from '../lib/client.mjs';
import { Cluster, fetch, until } from '../lib/cluster.mjs';
import { Page } from '../lib/webim.mjs';
import { Workerman } from '../lib/workerman.mjs';

const KEY = 'k'.repeat(32);
let c, rid = 100;
const room = () => String(++rid);
const conf = more => c.configure({ msg_server: { api_key_file:
    join(c.data, 'api.key'), ...more } });

before(async () => {
	c = new Cluster({ proxies: 2, msgs: 2 });
	writeFileSync(join(c.data, 'api.key'), KEY, { mode: 0o600 });
	conf({});
	await c.up();
});
after(() => c.stop());

const b64 = x => Buffer.from(JSON.stringify(x)).toString('base64url');
const token = claims => {
	const key = Buffer.from(readFileSync(join(c.data, 'token.key'), 'utf8')
	    .trim(), 'hex');
	const s = `${b64({ alg: 'HS256', typ: 'JWT' })}.` + b64({
	    exp: Math.floor(Date.now() / 1000) + 3600, ...claims });
	return `${s}.${createHmac('sha256', key).update(s).digest('base64url')}`;
};
const api = (method, path, body, at = 0) => fetch(c.msgs[at].ports.direct, path,
    { method, ms: 15000, body: JSON.stringify(body),
    headers: { authorization: `Bearer ${KEY}` } });
const login = (at, uid, r, o = {}) => Client.login(c.msgs[at].ws, `n-${uid}`, r,
    { uid, ...o });
const code = p => p.then(() => 0, e => e.errCode ?? e.message);
const leave = (...all) => Promise.all(all.map(x => x.bye()));
/* The item of that cmd that means ref. */
const item = (x, cmd, ref) => x.next(f => f.cmd === cmd && f.ref === ref);
/* What was said in r before has been told to all of them. */
const fence = async (from, of, ...all) => {
	const msg = `fence ${newCid()}`;
	await from.cmd({ cmd: 'message', type: 'text', ...of, msg });
	for (const x of all)
		await x.hear(msg);
};
const NEW = ['edit', 'recall', 'react', 'title'];
const figure = async name => {
	let sum = 0;
	for (const m of c.msgs)
		sum += Number(new RegExp(`^cchat_${name} (\\d+)`, 'm')
		    .exec((await m.fetch('/metrics')).body)[1]);
	return sum;
};

test('at: whom a message calls, live, in a replay, in the history', async () => {
	const r = room(), uids = Array.from({ length: 50 }, (x, i) =>
	    `${i}`.padStart(32, 'u'));
	const a = await login(0, 'at-a', r), b = await login(1, 'at-b', r);
	const old = await Client.login(c.msgs[1].ws, 'old', r, { v: 1 });
	const { ep } = b.me.pos[r];
	await a.say(r, 'psst', { at: ['at-b', 7, 'at-b', '8'] });
	assert.deepEqual((await b.hear('psst')).at, ['at-b', '7', '8']);
	assert.deepEqual((await a.hear('psst')).at, ['at-b', '7', '8']);
	await a.say(r, 'all of you', { at: uids });
	assert.deepEqual((await b.hear('all of you')).at, uids);
	await a.say(r, 'nobody', { at: [] });
	assert.ok(!Array.isArray((await b.hear('nobody')).at));
	assert.deepEqual(Object.keys(await old.hear('psst')),
	    ['cmd', 'type', 'uid', 'name', 'msg', 'rid']);
	for (const at of ['at-b', [''], ['a b'], [null], {}, [...uids, 'x'],
	    ['x'.repeat(33)]])
		assert.equal(await code(a.say(r, 'x', { at })), 400);
	const back = await login(0, 'at-c', r, { pos: { [r]: [ep, 0] } });
	assert.deepEqual((await back.hear('psst')).at, ['at-b', '7', '8']);
	const { list } = await back.history(r);
	assert.deepEqual(list.map(m => m.at), [['at-b', '7', '8'], uids,
	    undefined]);
	await a.cmd({ cmd: 'message', type: 'text', tid: 'at-b', msg: 'you',
	    at: ['at-b'] });
	assert.deepEqual((await b.hear('you')).at, ['at-b']);
	await leave(a, b, old, back);
});

test('edit, recall and react in a room, in one order, to version 2 alone',
    async () => {
	const r = room();
	const a = await login(0, 'amy', r), a2 = await login(1, 'amy', r);
	const b = await login(1, 'bob', r);
	const old = await Client.login(c.msgs[0].ws, 'old', r, { v: 1 });
	const { ep } = b.me.pos[r];
	const one = await a.say(r, 'SECRET one');
	const two = await b.say(r, 'two');
	const e = await a.cmd({ cmd: 'edit', rid: r, ref: one.seq,
	    msg: 'SECRET uno' });
	const x = await b.cmd({ cmd: 'react', rid: r, ref: one.seq, emo: '👍' });
	const off = await b.cmd({ cmd: 'react', rid: r, ref: one.seq, emo: '👍',
	    on: false });
	assert.deepEqual([one, two, e, x, off].map(f => f.seq), [1, 2, 3, 4, 5]);
	assert.deepEqual([e.rid, e.mid], [r, `r:${r}/3`]);
	for (const who of [a, a2, b]) {
		const f = await item(who, 'edit', 1);
		assert.deepEqual({ ...f, ts: 0 }, { cmd: 'edit', uid: 'amy',
		    name: 'n-amy', rid: r, ref: 1, msg: 'SECRET uno', seq: 3,
		    mid: `r:${r}/3`, ts: 0,
		    ...who !== b && { cid: f.cid } });
		const [on, gone] = [await item(who, 'react', 1),
		    await item(who, 'react', 1)];
		assert.deepEqual([on.uid, on.emo, on.on, on.seq],
		    ['bob', '👍', true, 4]);
		assert.deepEqual([gone.on, gone.seq], [false, 5]);
	}
	/* who may */
	const no = (who, f) => code(who.cmd({ rid: r, ref: 1, msg: 'x', emo: 'x',
	    ...f }));
	assert.equal(await no(b, { cmd: 'edit' }), 403);
	assert.equal(await no(b, { cmd: 'recall' }), 403);
	for (const cmd of ['edit', 'recall', 'react'])
		for (const ref of [3, 4, 99, 2 ** 53])
			assert.equal(await no(a, { cmd, ref }), 404, `${cmd} ${ref}`);
	for (const f of [{ cmd: 'edit', ref: 0 }, { cmd: 'recall', ref: '1' },
	    { cmd: 'react', emo: 'x'.repeat(33) }, { cmd: 'react', emo: '\n' },
	    { cmd: 'edit', msg: 7 }])
		assert.equal(await no(a, f), 400, JSON.stringify(f));
	assert.equal(await no(a, { cmd: 'edit', msg: 'x'.repeat(4097) }), 413);
	assert.equal(await code(a.cmd({ cmd: 'react', rid: '99999', ref: 1,
	    emo: 'x' })), 403);
	/* of another room's message he knows nothing */
	const other = room();
	await a.cmd({ cmd: 'join', rid: other });
	assert.equal(await no(a, { cmd: 'edit', rid: other }), 404);
	/* and back: the words of the message and of its edit go */
	const g = await a2.cmd({ cmd: 'recall', rid: r, ref: 1 });
	for (const who of [a, a2, b]) {
		const f = await item(who, 'recall', 1);
		assert.deepEqual([f.uid, f.seq, f.msg], ['amy', g.seq, undefined]);
	}
	assert.equal(await no(a, { cmd: 'edit' }), 409);
	assert.equal(await no(b, { cmd: 'react' }), 409);
	await fence(b, { rid: r }, a, b, old);
	for (const at of [0, 1]) {
		const back = await login(at, `back${at}`, r,
		    { pos: { [r]: [ep, 0] } });
		await back.next('synced');
		const { list } = await back.history(r);
		const all = back.seen.filter(f => f.seq > 0 && f.rid === r);
		for (const got of [all, list]) {
			assert.deepEqual(got.map(f => f.seq), [1, 2, 3, 4, 5, 6, 7]);
			assert.deepEqual(got.map(f => f.cmd), ['message', 'message',
			    'edit', 'react', 'react', 'recall', 'message']);
			assert.deepEqual(got.map(f => f.gone), ['recall', undefined,
			    'recall', undefined, undefined, undefined, undefined]);
			assert.equal(got[0].uid, 'amy');
		}
		assert.ok(!JSON.stringify(back.seen).includes('SECRET'));
		await back.bye();
	}
	/* version 1: two messages and the fence, in the documented words */
	const heard = old.seen.filter(f => f.cmd !== 'login' &&
	    f.cmd !== 'newUser');
	assert.deepEqual(heard.map(f => f.msg.split(' ')[0]),
	    ['SECRET', 'two', 'fence']);
	assert.ok(await figure('msg_edits_total') > 0);
	assert.ok(await figure('msg_recalls_total') > 0);
	assert.ok(await figure('msg_reacts_total') > 1);
	await leave(a, a2, b, old);
});

test('the same in a private conversation: all devices, the absent, the inbox',
    async () => {
	const r = room(), P = { tid: 'pb' };
	const a = await login(0, 'pa', r), a2 = await login(1, 'pa', r);
	const b = await login(1, 'pb', r);
	const { ep } = b.me.pos['@'];
	const say = (who, tid, msg) => who.cmd({ cmd: 'message', type: 'text', tid,
	    msg });
	const one = await say(a, 'pb', 'SECRET one');
	await b.hear('SECRET one');
	await say(a, 'pb', 'two');
	const e = await a2.cmd({ cmd: 'edit', ...P, ref: one.seq,
	    msg: 'SECRET uno' });
	assert.deepEqual([e.seq, e.useq, e.tid], [3, 3, 'pb']);
	const seen = await item(b, 'edit', 1);
	assert.deepEqual([seen.tid, seen.uid, seen.msg, seen.useq],
	    ['pa', 'pa', 'SECRET uno', 3]);
	assert.equal((await item(a, 'edit', 1)).tid, 'pb');
	await b.cmd({ cmd: 'react', tid: 'pa', ref: 1, emo: '+1' });
	assert.equal((await item(a2, 'react', 1)).emo, '+1');
	const no = (who, f) => code(who.cmd({ ref: 1, msg: 'x', ...f }));
	assert.equal(await no(b, { cmd: 'edit', tid: 'pa' }), 403);
	assert.equal(await no(b, { cmd: 'recall', tid: 'pa' }), 403);
	/* the pair is the conversation: with another he has none */
	assert.equal(await no(a, { cmd: 'recall', tid: 'pc' }), 404);
	/* the last message, in the words it has now */
	await a.cmd({ cmd: 'edit', ...P, ref: 2, msg: 'two, edited' });
	const last = async who => (await who.cmd({ cmd: 'inbox' })).list
	    .find(x => x.tid !== undefined).last;
	assert.deepEqual([(await last(b)).msg, (await last(b)).seq],
	    ['two, edited', 2]);
	await b.bye();
	await a.cmd({ cmd: 'recall', ...P, ref: 1 });
	await item(a2, 'recall', 1);
	await a.cmd({ cmd: 'recall', ...P, ref: 2 });
	await fence(a, P, a, a2);
	/* who was away: as a device with a position, and as one of version 1 */
	const b2 = await login(0, 'pb', r, { pos: { '@': [ep, 0] } });
	await b2.next('synced');
	const got = b2.seen.filter(f => f.useq > 0);
	assert.deepEqual(got.map(f => f.useq), [1, 2, 3, 4, 5, 6, 7, 8]);
	assert.deepEqual(got.map(f => f.gone ?? f.cmd), ['recall', 'recall',
	    'recall', 'react', 'recall', 'recall', 'recall', 'message']);
	const { list } = await b2.cmd({ cmd: 'getHistory', tid: 'pa' });
	assert.equal(list.length, 8);
	assert.equal((await last(b2)).seq, 8);
	assert.ok(!/SECRET|edited/.test(JSON.stringify(b2.seen)));
	await leave(a, a2, b2);
});

test('version 1 that was away gets no recalled words, and nothing new',
    async () => {
	const r = room(), a = await login(0, 'ra', r);
	const v1 = { v: 1, uid: '7001' };
	let b = await Client.login(c.msgs[1].ws, 'bob', r, v1);
	const say = msg => a.cmd({ cmd: 'message', type: 'text', tid: '7001', msg });
	await say('first');
	await b.hear('first');
	await b.bye();
	const two = await say('SECRET');
	await a.cmd({ cmd: 'edit', tid: '7001', ref: two.seq, msg: 'SECRET too' });
	await say('third');
	await a.cmd({ cmd: 'recall', tid: '7001', ref: two.seq });
	await a.cmd({ cmd: 'react', tid: '7001', ref: 1, emo: 'x' });
	await say('last');
	b = await Client.login(c.msgs[0].ws, 'bob', r, v1);
	await b.hear('last');
	/* the first once more, perhaps: what was given counts after a second */
	assert.deepEqual(b.seen.filter(f => f.cmd === 'message')
	    .map(f => f.msg).filter(m => m !== 'first'), ['third', 'last']);
	assert.ok(!JSON.stringify(b.seen).includes('SECRET'));
	assert.ok(!b.seen.some(f => NEW.includes(f.cmd)));
	await leave(a, b);
});

test('the older dialects hear messages alone', async () => {
	const a = await login(0, 'oa', '1', { token: token({ sub: 'oa',
	    name: 'oa', adm: true }) });
	const w = await Workerman.enter(c.msgs[0].ws, 'wanda', 1);
	const p = await Page.login(c.msgs[0].ws, 'paula');
	const one = await a.say('1', 'SECRET');
	await a.cmd({ cmd: 'edit', rid: '1', ref: one.seq, msg: 'SECRET too' });
	await a.cmd({ cmd: 'react', rid: '1', ref: one.seq, emo: 'x' });
	await a.cmd({ cmd: 'title', rid: '1', title: 'SECRET title' });
	await a.cmd({ cmd: 'title', rid: '1', title: '' });
	await a.cmd({ cmd: 'recall', rid: '1', ref: one.seq });
	await a.say('1', 'the end');
	await w.hear('the end');
	await p.next(f => JSON.stringify(f).includes('the end'));
	for (const x of [w, p]) {
		assert.equal(x.seen.filter(f => JSON.stringify(f)
		    .includes('SECRET')).length, 1);
		assert.ok(!x.seen.some(f => NEW.includes(f.cmd ?? f.type)));
	}
	/* and their history has no recalled words */
	p.send({ cmd: 'getHistory' });
	const h = JSON.stringify(await p.next('getHistory'));
	assert.ok(h.includes('the end') && !h.includes('SECRET'), h);
	await leave(a, w, p);
});

test('a repeat with the same cid is the same, at any server', async () => {
	const r = room(), a = await login(0, 'da', r), b = await login(1, 'da', r);
	await a.say(r, 'one');
	const all = [{ cmd: 'edit', ref: 1, msg: 'uno' },
	    { cmd: 'react', ref: 1, emo: '+1' }, { cmd: 'recall', ref: 1 }]
	    .map(f => ({ ...f, rid: r, cid: newCid() }));
	for (const f of all) {
		const was = await a.cmd(f), dup = await b.cmd(f);
		assert.deepEqual([dup.seq, dup.dup], [was.seq, true]);
	}
	/* what was stored was stored, whatever came after it */
	assert.deepEqual((await b.cmd(all[0])).seq, 2);
	assert.deepEqual((await a.history(r)).list.map(f => f.cmd),
	    ['message', 'edit', 'react', 'recall']);
	await leave(a, b);
});

test('kill -9 of the active proxy between an edit and its ok', async () => {
	const r = room(), a = await login(0, 'ka', r), b = await login(1, 'kb', r);
	const one = await a.say(r, 'one');
	for (const f of [{ cmd: 'edit', msg: 'uno' }, { cmd: 'react', emo: '+1' },
	    { cmd: 'recall' }]) {
		const cid = newCid(), px = await c.active();
		px.signal('SIGSTOP');
		const ok = a.cmd({ ...f, rid: r, ref: one.seq, cid });
		await px.kill();
		const { seq } = await ok;
		const again = await a.cmd({ ...f, rid: r, ref: one.seq, cid });
		assert.deepEqual([again.seq, again.dup], [seq, true]);
		assert.equal((await item(b, f.cmd, 1)).seq, seq);
		await px.start();
		await until('a standby', async () => (await px.fetch('/status'))
		    .status === 200);
	}
	const { list } = await b.history(r);
	assert.deepEqual(list.map(f => [f.seq, f.cmd, f.gone]), [
	    [1, 'message', 'recall'], [2, 'edit', 'recall'],
	    [3, 'react', undefined], [4, 'recall', undefined]]);
	await leave(a, b);
});

test('title: who may, to whom it is told, and where it stands', async () => {
	const r = room(), adm = token({ sub: 'boss', name: 'Boss', adm: true });
	const a = await login(0, 'ta', r), b = await login(1, 'tb', r);
	const boss = await login(1, 'boss', r, { token: adm });
	const old = await Client.login(c.msgs[0].ws, 'old', r, { v: 1 });
	assert.ok(!('title' in a.me.pos[r]));
	assert.equal(await code(a.cmd({ cmd: 'title', rid: r, title: 'x' })), 403);
	const title = `Tea, ${'茶'.repeat(41)}`;
	assert.equal(Buffer.byteLength(title), 128);
	const { seq } = await boss.cmd({ cmd: 'title', rid: r, title });
	for (const x of [a, b, boss]) {
		const f = await x.next('title');
		assert.deepEqual([f.rid, f.title, f.uid, f.seq],
		    [r, title, 'boss', seq]);
	}
	const pos = async at => {
		const x = await login(at, 'tx', r), y = await login(at, 'ty', '1');
		const { pos: j } = await y.cmd({ cmd: 'join', rid: r });
		await leave(x, y);
		assert.equal(x.me.pos[r].title, j[r].title);
		assert.equal('title' in x.me.pos[r], 'title' in j[r]);
		assert.ok(!('title' in x.me.pos['@']));
		return j[r].title;
	};
	assert.deepEqual([await pos(0), await pos(1)], [title, title]);
	for (const t of [`${title}x`, 7, null, 'a\nb', '\u202ex'])
		assert.equal(await code(boss.cmd({ cmd: 'title', rid: r,
		    title: t })), 400);
	assert.equal(await code(boss.cmd({ cmd: 'title', rid: '9999',
	    title: 'x' })), 403);
	/* a back end */
	const put = (path, body, at) => api('PUT', `/v1/rooms/${path}/title`, body,
	    at);
	const done = await put(r, { title: 'Coffee', cid: 'put-1' });
	assert.equal(done.status, 200, done.body);
	assert.equal(JSON.parse(done.body).mid, `r:${r}/${seq + 1}`);
	assert.deepEqual(JSON.parse((await put(r, { title: 'Coffee',
	    cid: 'put-1' }, 1)).body), { ...JSON.parse(done.body), dup: true });
	const told = await b.next('title');
	assert.deepEqual([told.title, 'uid' in told], ['Coffee', false]);
	assert.deepEqual([await pos(0), await pos(1)], ['Coffee', 'Coffee']);
	assert.equal((await put(r, { title: 'a\u0000' })).status, 400);
	assert.equal((await put(r, {})).status, 400);
	assert.equal((await put('a%20b', { title: 'x' })).status, 400);
	assert.equal((await put('g123', { title: 'x' })).status, 404);
	assert.equal((await api('POST', `/v1/rooms/${r}/title`, { title: 'x' }))
	    .status, 405);
	/* known also where nobody was in the room before, and after a kill */
	const px = await c.active();
	await px.kill();
	await px.start();
	assert.equal((await put(r, { title: 'Cocoa' })).status, 200);
	assert.deepEqual([await pos(1), await pos(0)], ['Cocoa', 'Cocoa']);
	/* none */
	await boss.cmd({ cmd: 'title', rid: r, title: '' });
	await a.next(f => f.cmd === 'title' && f.title === '');
	assert.deepEqual([await pos(0), await pos(1)], [undefined, undefined]);
	await fence(a, { rid: r }, old);
	assert.ok(!old.seen.some(f => f.cmd === 'title'));
	assert.ok(await figure('msg_titles_total') >= 5);
	const { list } = await a.history(r);
	assert.deepEqual(list.filter(f => f.cmd === 'title').map(f => f.title),
	    [title, 'Coffee', 'Cocoa', '']);
	await leave(a, b, boss, old);
});

test('title: a group\'s is its owner\'s', async () => {
	const g = await api('POST', '/v1/groups', { name: 'Tea', rid: 'g7ea',
	    uids: ['ga', 'gb'], by: 'ga' });
	assert.equal(g.status, 200, g.body);
	const a = await login(0, 'ga', 'g7ea'), b = await login(1, 'gb', 'g7ea');
	assert.equal(a.me.pos.g7ea.title, 'Tea');
	assert.equal(await code(b.cmd({ cmd: 'title', rid: 'g7ea', title: 'x' })),
	    403);
	await a.cmd({ cmd: 'title', rid: 'g7ea', title: 'Tea at five' });
	assert.equal((await b.next('title')).title, 'Tea at five');
	/* speaking of it is for members, as speaking in it is */
	const x = await login(0, 'gx', '1');
	for (const cmd of ['title', 'edit', 'recall', 'react'])
		assert.equal(await code(x.cmd({ cmd, rid: 'g7ea', title: 'x', ref: 1,
		    msg: 'x', emo: 'x' })), 403);
	const one = await b.cmd({ cmd: 'message', type: 'text', rid: 'g7ea',
	    msg: 'hi' });
	await a.cmd({ cmd: 'react', rid: 'g7ea', ref: one.seq, emo: '+1' });
	await item(b, 'react', one.seq);
	assert.equal((await api('PUT', '/v1/rooms/g7ea/title', { title: '' }))
	    .status, 200);
	assert.equal((await a.next(f => f.cmd === 'title' && !f.title)).rid,
	    'g7ea');
	await leave(a, b, x);
});

test('room_title = any: whoever is in the room, from the next reload on',
    async () => {
	const r = room(), a = await login(0, 'ya', r);
	const set = async (how, want) => {
		conf({ room_title: how });
		c.msgs[0].signal('SIGHUP');
		await until(`room_title = ${how}`, async () => await code(a.cmd({
		    cmd: 'title', rid: r, title: how })) === want);
	};
	await set('any', 0);
	assert.equal(await code(a.cmd({ cmd: 'title', rid: '999', title: 'x' })),
	    403);
	await set('adm', 403);
	await a.bye();
});
