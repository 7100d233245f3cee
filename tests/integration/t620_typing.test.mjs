/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Who types and who has read: typing reaches the others on all servers, not
 * its own user, not version 1, and is bounded; getMarks and marks in private
 * conversations and in groups, over two servers, devices, and a takeover.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { Cluster, fetch, until } from '../lib/cluster.mjs';

const KEY = 'k'.repeat(32);

async function
start(o = {})
{
	const c = new Cluster({ proxies: o.proxies ?? 1, msgs: 2 });
	const key = join(c.data, 'api.key');
	writeFileSync(key, KEY, { mode: 0o600 });
	c.configure({ msg_server: { api_key_file: key, ...o.msg },
	    proxy_server: o.proxy ?? {} });
	await c.up();
	return c;
}

/* A figure of all daemons of a list together. */
async function
figure(list, name)
{
	let sum = 0;
	for (const d of list) {
		const { body } = await d.fetch('/metrics');
		const m = new RegExp(`^cchat_${name} (\\d+)`, 'm').exec(body);
		assert.ok(m, `${d.name} has no ${name}`);
		sum += Number(m[1]);
	}
	return sum;
}

async function
group(m, rid, uids)
{
	const add = { cid: `c-${rid}`, name: 'team', rid, uids: uids.slice(0, 200) };
	for (let i = 0; i < uids.length; i += 200) {
		const body = i === 0 ? add : { uids: uids.slice(i, i + 200) };
		const r = await fetch(m.ports.direct,
		    `/v1/groups${i === 0 ? '' : `/${rid}/users`}`, { ms: 15000,
		    method: 'POST', body: JSON.stringify(body),
		    headers: { authorization: `Bearer ${KEY}` } });
		assert.equal(r.status, 200, r.body);
	}
}

const login = (m, uid, rid, o = {}) => Client.login(m.ws, `n-${uid}`, rid,
    { uid, ...o });
const types = x => x.seen.filter(f => f.cmd === 'typing');
const leave = (...all) => Promise.all(all.flat().map(x => x.bye()));
/* Nothing more is under way: what was said in rid before has been told. */
const fence = async (rid, from, ...all) => {
	const msg = `fence ${Math.random()}`;
	await from.say(rid, msg);
	for (const x of all.flat())
		await x.hear(msg);
};
/* Says it until somebody hears: it is told at most once, after 3 s again. */
const repeat = async (what, say, heard) => {
	let due = 0;
	await until(what, async () => {
		if (Date.now() >= due) {
			await say();
			due = Date.now() + 3500;
		}
		return heard();
	}, 30000);
};
/*
 * Two servers hear of a room each on its own: with a word from there, each is
 * known to follow.
 */
const meet = async (rid, ...all) => {
	for (const x of all)
		await fence(rid, x, all.filter(y => y !== x && y.me.v === 2));
};

describe('typing', () => {
	let c, a, b;
	before(async () => {
		c = await start({ proxy: { typing_max: 4 } });
		[a, b] = c.msgs;
	});
	after(() => c?.stop());

	test('to the others in the room, on all servers', async () => {
		const amy = [await login(a, 'amy', '61'), await login(b, 'amy', '61')];
		const bob = await login(a, 'bob', '61'), cat = await login(b, 'cat', '61');
		const old = await login(b, '1999', '61', { v: 1 });
		await meet('61', bob, cat, ...amy);
		const ok = await amy[0].cmd({ cmd: 'typing', rid: '61', on: true });
		assert.equal(ok.cmd, 'ok');
		const want = { cmd: 'typing', rid: '61', uid: 'amy', name: 'n-amy',
		    on: true };
		for (const x of [bob, cat])
			assert.deepEqual(await x.next('typing'), want);
		amy[0].send({ cmd: 'typing', rid: '61', on: false });
		for (const x of [bob, cat])
			assert.deepEqual(await x.next('typing'), { ...want, on: false });
		/* one is taken back once; without `on` it is on, and too soon */
		amy[0].send({ cmd: 'typing', rid: '61', on: false });
		amy[0].send({ cmd: 'typing', rid: '61' });
		await fence('61', amy[0], bob, cat, amy[1]);
		for (const x of [bob, cat])
			assert.equal(types(x).length, 2);
		/* his own devices, and version 1, hear nothing of it */
		for (const x of [...amy, old])
			assert.deepEqual(types(x), []);
		const h = await bob.history('61');
		assert.ok(h.list.every(f => f.cmd === 'message'), 'it is not kept');
		await leave(amy, bob, cat, old);
	});

	test('privately to the peer alone, on all his devices', async () => {
		const amy = [await login(a, 'amy', '62'), await login(b, 'amy', '62')];
		const bob = [await login(a, 'bob', '62'), await login(b, 'bob', '62')];
		const cat = await login(b, 'cat', '62');
		/* a private message first: who hears it is there */
		await amy[0].cmd({ cmd: 'message', type: 'text', tid: 'bob',
		    rid: '62', msg: 'hello' });
		for (const x of [...bob, amy[1]])
			await x.hear('hello');
		amy[0].send({ cmd: 'typing', tid: 'bob', rid: '62', on: true });
		for (const x of bob)
			assert.deepEqual(await x.next('typing'), { cmd: 'typing',
			    tid: 'amy', uid: 'amy', name: 'n-amy', on: true });
		/* nobody, and himself */
		await amy[0].cmd({ cmd: 'typing', tid: 'nobody', on: true });
		await amy[0].cmd({ cmd: 'typing', tid: 'amy', on: true });
		await amy[0].cmd({ cmd: 'message', type: 'text', tid: 'bob',
		    rid: '62', msg: 'fence' });
		for (const x of [...bob, amy[1]])
			await x.hear('fence');
		await fence('62', amy[0], cat);
		for (const x of [...amy, cat])
			assert.deepEqual(types(x), []);
		await leave(amy, bob, cat);
	});

	test('who is not in there is told so', async () => {
		const amy = await login(a, 'amy', '63');
		for (const rid of ['630', 'gabc']) {
			await assert.rejects(amy.cmd({ cmd: 'typing', rid, on: true }),
			    e => e.errCode === 403);
			await assert.rejects(amy.say(rid, 'x'), e => e.errCode === 403);
		}
		for (const bad of [{}, { rid: '63', on: 1 }, { rid: 'a b' },
		    { tid: 'a b' }])
			await assert.rejects(amy.cmd({ cmd: 'typing', ...bad }),
			    e => e.errCode === 400);
		const out = await Client.open(a.ws);
		await assert.rejects(out.cmd({ cmd: 'typing', rid: '63' }),
		    e => e.errCode === 401);
		const old = await login(a, '1999', '63', { v: 1 });
		old.send({ cmd: 'typing', rid: '63', on: true });
		assert.equal((await old.next('error')).errCode, 102);
		await leave(amy, old, out);
	});

	test('who hammers on it is heard once, and counted', async () => {
		const amy = await login(a, 'amy', '64'), bob = await login(b, 'bob', '64');
		await meet('64', amy, bob);
		const was = await figure(c.msgs, 'msg_typing_dropped_total');
		const said = await figure(c.msgs, 'msg_typing_total');
		/* one burst that is let in: less than frame_burst */
		for (let i = 0; i < 150; i++)
			amy.send({ cmd: 'typing', rid: '64', on: true });
		await bob.next('typing');
		await fence('64', amy, bob);
		/* a machine that is very slow may have let a second one pass */
		const told = types(bob).length;
		assert.ok(told <= 5, `${told} of 150`);
		assert.equal(await figure(c.msgs, 'msg_typing_total') - said, told);
		assert.equal(await figure(c.msgs, 'msg_typing_dropped_total') - was,
		    150 - told);
		/* and in many conversations: so many at once */
		for (let i = 0; i < 100; i++)
			amy.send({ cmd: 'typing', tid: `p${i}`, on: true });
		await amy.settle();
		assert.ok(await figure(c.msgs, 'msg_typing_dropped_total') - was >
		    150 - told, 'many conversations are bounded, too');
		await leave(amy, bob);
	});

	test('not in rooms above typing_max', async () => {
		const four = [];
		for (let i = 0; i < 4; i++)
			four.push(await login(c.msgs[i % 2], `f${i}`, '65'));
		const gone = () => figure(c.proxies, 'proxy_typing_dropped_total');
		await repeat('four are few',
		    () => four[0].cmd({ cmd: 'typing', rid: '65', on: true }),
		    () => four.slice(1).every(x => types(x).length > 0));
		const more = await login(b, 'f5', '65');
		await until('all five are known', async () =>
		    (await four[0].online('65')).count === 5);
		const was = await gone();
		const had = types(four[0]).length;
		await more.cmd({ cmd: 'typing', rid: '65', on: true });
		await until('it is dropped', async () => await gone() > was);
		await fence('65', more, four[0]);
		assert.equal(types(four[0]).length, had);
		await leave(four, more);
	});
});

describe('marks', () => {
	let c, a, b;
	before(async () => {
		c = await start({ proxies: 2, msg: { marks_max: 5 } });
		[a, b] = c.msgs;
		await group(a, 'ga1', ['amy', 'bob', 'cat']);
		await group(b, 'gb1', Array.from({ length: 1010 }, (_, i) =>
		    `u${i + 1000}`));
	});
	after(() => c?.stop());

	const whisper = (x, tid, msg) => x.cmd({ cmd: 'message', type: 'text',
	    rid: 'm1', tid, msg });
	const marks = (x, o) => x.cmd({ cmd: 'getMarks', ...o });

	test('private: how far the peer has read', async () => {
		const amy = await login(a, 'amy', 'm1'), bob = await login(b, 'bob', 'm1');
		for (const m of ['1', '2', '3'])
			await whisper(amy, 'bob', m);
		await bob.hear('3');
		const none = await marks(amy, { tid: 'bob', seq: 1 });
		assert.deepEqual([none.tid, none.seq, none.nread, none.read, none.upto],
		    ['bob', 1, 0, [], undefined]);
		bob.send({ cmd: 'mark', tid: 'amy', read: 2 });
		assert.deepEqual(await amy.next('mark'), { cmd: 'mark', tid: 'bob',
		    uid: 'bob', read: 2 });
		for (const [seq, read] of [[1, ['bob']], [2, ['bob']], [3, []]]) {
			const r = await marks(amy, { tid: 'bob', seq });
			assert.deepEqual([r.nread, r.read, r.upto, r.next],
			    [read.length, read, 2, undefined]);
		}
		/* what he has read of others is not amy's to know */
		const r = await marks(bob, { tid: 'amy', seq: 1 });
		assert.equal(r.nread, 0);
		await leave(amy, bob);
	});

	test('what is refused', async () => {
		const amy = await login(a, 'amy', 'm1');
		const no = (o, code) => assert.rejects(marks(amy, o),
		    e => e.errCode === code);
		await no({ rid: 'm1' }, 400);
		await no({ tid: 'bob', seq: 0 }, 400);
		await no({ tid: 'bob', seq: 'x' }, 400);
		await no({ tid: 'bob', seq: 1, next: 'a b' }, 400);
		await no({ seq: 1 }, 400);
		/* nobody keeps who is a member of an open room */
		await no({ rid: 'm1', seq: 1 }, 400);
		/* a group he is not in, and one he has not joined */
		await no({ rid: 'gb1', seq: 1 }, 403);
		await no({ rid: 'ga1', seq: 1 }, 403);
		await leave(amy);
	});

	test('a group tells the others, and who asks', async () => {
		const amy = await login(a, 'amy', 'ga1'), bob = await login(b, 'bob', 'ga1');
		const phone = await login(a, 'bob', 'ga1');
		const cat = await login(a, 'cat', 'ga1');
		await meet('ga1', amy, bob, cat);
		const { seq } = await amy.say('ga1', 'who reads this?');
		for (const x of [bob, phone, cat])
			await x.hear('who reads this?');
		bob.send({ cmd: 'mark', rid: 'ga1', read: seq });
		for (const x of [amy, cat, phone, bob])
			assert.deepEqual(await x.next('mark'), { cmd: 'mark',
			    rid: 'ga1', uid: 'bob', read: seq });
		let r = await marks(amy, { rid: 'ga1', seq });
		assert.deepEqual([r.nread, r.read, r.next], [1, ['bob'], undefined]);
		cat.send({ cmd: 'mark', rid: 'ga1', read: seq });
		await amy.next(f => f.cmd === 'mark' && f.uid === 'cat');
		r = await marks(amy, { rid: 'ga1', seq });
		assert.deepEqual([r.nread, r.read], [2, ['bob', 'cat']]);
		/* who asks is not in it himself */
		r = await marks(bob, { rid: 'ga1', seq });
		assert.deepEqual(r.read, ['cat']);
		assert.equal((await marks(amy, { rid: 'ga1', seq: seq + 1 })).nread, 0);
		/* one word, not two, for whoever has it by his own channel */
		await fence('ga1', amy, bob, phone, cat);
		for (const x of [bob, phone])
			assert.equal(x.seen.filter(f => f.cmd === 'mark' &&
			    f.uid === 'bob').length, 1);
		await leave(amy, bob, phone, cat);
	});

	test('a large one only who asks, in pages', async () => {
		const x = await login(a, 'u1000', 'gb1'), y = await login(b, 'u1001', 'gb1');
		const { seq } = await x.say('gb1', 'large');
		await y.hear('large');
		y.send({ cmd: 'mark', rid: 'gb1', read: seq });
		/* his own channel says it: it has risen */
		await y.next(f => f.cmd === 'mark' && f.rid === 'gb1');
		await until('it is asked for', async () =>
		    (await marks(x, { rid: 'gb1', seq })).nread === 1);
		await fence('gb1', y, x);
		assert.ok(!x.seen.some(f => f.cmd === 'mark'), 'nobody is told');
		await leave(x, y);
	});

	test('kept over a takeover, and told after it', async () => {
		const amy = await login(a, 'amy', 'ga1'), bob = await login(b, 'bob', 'ga1');
		await meet('ga1', amy, bob);
		const { seq } = await amy.say('ga1', 'before');
		const p = await whisper(amy, 'bob', 'before, privately');
		await bob.hear('before, privately');
		bob.send({ cmd: 'mark', rid: 'ga1', read: seq });
		bob.send({ cmd: 'mark', tid: 'amy', read: p.seq });
		await amy.next(f => f.cmd === 'mark' && f.rid && f.read === seq);
		await amy.next(f => f.cmd === 'mark' && f.tid && f.read === p.seq);
		await (await c.active()).kill();
		const q = await amy.cmd({ cmd: 'message', type: 'text', rid: 'ga1',
		    tid: 'bob', msg: 'after' }, 30000);
		await bob.hear('after', 30000);
		let r = await marks(amy, { rid: 'ga1', seq });
		assert.deepEqual(r.read, ['bob']);
		r = await marks(amy, { tid: 'bob', seq: p.seq });
		assert.deepEqual([r.read, r.upto], [['bob'], p.seq]);
		/* a mark is told at most once: a lost one is said again by the page */
		await repeat('the new one tells',
		    () => bob.cmd({ cmd: 'mark', tid: 'amy', read: q.seq }),
		    () => amy.seen.some(f => f.cmd === 'mark' && f.read === q.seq &&
			f.tid === 'bob'));
		await repeat('and of typing', () => bob.cmd({ cmd: 'typing',
		    rid: 'ga1', on: true }), () => types(amy).length > 0);
		await leave(amy, bob);
	});
});
