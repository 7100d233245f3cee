/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/* limits.md, at the limit and one beyond, with the defaults in force. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster, sleep, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

let c, url, rid = 500;
before(async () => {
	c = await Cluster.start({ msgs: 1, strict: true });
	url = c.msgs[0].ws;
});
after(() => c?.stop());
const room = () => String(++rid);
const code = p => p.then(() => 0, e => e.errCode ?? e);

test('msg: 4096 bytes in version 2', async () => {
	const r = room(), a = await Client.login(url, 'amy', r);
	await a.say(r, 'x'.repeat(4096));
	assert.equal(await code(a.say(r, 'x'.repeat(4097))), 413);
	await a.say(r, '界'.repeat(1365));
	assert.equal(await code(a.say(r, '界'.repeat(1366))), 413);
	await a.bye();
});
test('name: 32 characters, 64 bytes', async () => {
	for (const [name, want] of [['x'.repeat(32), 0], ['x'.repeat(33), 400],
	    ['界'.repeat(21), 0], ['界'.repeat(22), 400], ['', 400], ['\u0001', 400],
	    ['a\0b', 400], ['\u202e\u200b', 400], ['x', 0]])
		assert.equal(await code(Client.login(url, name, room())
		    .then(x => x.bye())), want, JSON.stringify(name));
});
test('a name is cut of what cannot be seen', async () => {
	const a = await Client.login(url, 'a\u202eb\u0007c\u200b', room());
	assert.equal(a.me.name, 'abc');
	await a.bye();
});
test('rid, uid, dev: 32 of the alphabet; cid: 64 printable', async () => {
	const a = await Client.login(url, 'amy', room());
	for (const [bad, o] of [[0, { rid: 'r'.repeat(32) }],
	    [1, { rid: 'r'.repeat(33) }], [1, { rid: 'a b' }], [1, { rid: 'ä' }],
	    [1, { rid: '' }], [1, { rid: 'a/b' }],
	    [0, { uid: 'u'.repeat(32) }], [1, { uid: 'u'.repeat(33) }],
	    [1, { uid: 'a b' }], [1, { uid: 'a:b' }],
	    [0, { dev: 'd'.repeat(32) }], [1, { dev: 'd'.repeat(33) }]]) {
		const { rid: r = room(), ...rest } = o;
		const got = await code(Client.login(url, 'amy', r, rest)
		    .then(x => x.bye()));
		assert.equal(got, bad ? 400 : 0, JSON.stringify(o));
	}
	const r = a.me.rid;
	await a.say(r, 'x', { cid: '~'.repeat(64) });
	for (const cid of ['~'.repeat(65), 'ä', ''])
		a.send({ cmd: 'message', type: 'text', rid: r, msg: 'x', cid });
	for (let i = 0; i < 3; i++)
		assert.equal((await a.next('error')).errCode, 400);
	await a.bye();
});
test('rooms of a session: 128', async () => {
	const a = await Client.login(url, 'amy', 'many0');
	/* the frame rate lets 200 through at once; rooms created are 20 a minute */
	const others = await Promise.all(Array.from({ length: 8 }, (_, k) =>
	    Client.login(url, `maker${k}`, `many${k * 16 + 1}`)));
	for (const [k, o] of others.entries())
		for (let i = 2; i <= 16; i++)
			await o.cmd({ cmd: 'join', rid: `many${k * 16 + i}` });
	for (let i = 1; i < 128; i++)
		await a.cmd({ cmd: 'join', rid: `many${i}` });
	assert.equal(await code(a.cmd({ cmd: 'join', rid: 'many128' })), 403);
	await a.cmd({ cmd: 'leave', rid: 'many5' });
	await a.cmd({ cmd: 'join', rid: 'many128' });
	await Promise.all([a, ...others].map(x => x.bye()));
});
test('pos: 129 conversations, and none of them the room of the login', async () => {
	/* the most a login can bring, where the setting lets all of it in */
	const m = await Cluster.start({ msgs: 1, conf: {
		msg_server: { rooms_max: 300 } } });
	try {
		const pos = Object.fromEntries(Array.from({ length: 129 },
		    (_, k) => [`pos${k}`, ['00000000', 0]]));
		const a = await Client.login(m.msgs[0].ws, 'amy', 'own', { pos });
		assert.equal(Object.keys(a.me.pos).length, 129 + 2);
		assert.ok(a.me.pos['@'] && a.me.pos.own && a.me.pos.pos128);
		await a.next('synced');
		pos.more = ['00000000', 0];
		assert.equal(await code(Client.login(m.msgs[0].ws, 'amy', 'own',
		    { pos })), 400);
		await a.bye();
	} finally {
		await m.stop();
	}
});
test('send rate: a burst of 20, then 429 with retry, then 5 a second',
    async () => {
	const r = room(), a = await Client.login(url, 'amy', r);
	assert.deepEqual(a.me.limit.rate, [5, 20]);
	const codes = await Promise.all(Array.from({ length: 120 }, (_, i) =>
	    a.say(r, `m${i}`).then(() => 0, e => {
		assert.ok(e.retry > 0 && e.retry <= 5000, `retry ${e.retry}`);
		return e.errCode;
	})));
	const good = codes.filter(x => x === 0).length;
	/* five more for each second the machine took over it */
	assert.ok(good >= 20 && good <= 90, `${good} of 120 at once`);
	assert.deepEqual([...new Set(codes)].sort(), [0, 429]);
	/* the scene: two tokens more at 5 a second */
	await sleep(450);
	await a.say(r, 'later');
	await a.bye();
});
test('version 1: one message in two seconds, error 50', async () => {
	const r = room();
	const b = await Client.login(url, 'bob', r);
	const a = await Client.login(url, 'old', r, { v: 1 });
	a.send({ cmd: 'message', type: 'text', rid: r, msg: 'first' });
	a.send({ cmd: 'message', type: 'text', rid: r, msg: 'second' });
	await b.hear('first');
	const e = await a.next('error');
	assert.deepEqual({ ...e }, { cmd: 'error', errCode: 50,
	    errMsg: '您发送消息的频率过快，请稍后再试' });
	await b.none(f => f.msg === 'second');
	await Promise.all([a.bye(), b.bye()]);
});
test('frames: a flood of pings is slowed, and closed 4102 in the end',
    async () => {
	const r = room(), a = await Client.login(url, 'amy', r);
	const b = await Client.login(url, 'bob', r);
	const before = c.msgs[0].rss;
	let on = true;
	const pour = (async () => {
		while (on && !a.closed) {
			for (let i = 0; i < 200 && a.ws.bufferedAmount < 1 << 20; i++)
				a.ws.ping('x'.repeat(100));
			/* a pace */
			await sleep(5);
		}
	})();
	/* the others do not notice */
	for (let i = 0; i < 15; i++) {
		const t0 = performance.now();
		await b.say(r, `calm ${i}`);
		assert.ok(performance.now() - t0 < 15000, 'the room waits');
		/* a pace below the send rate */
		await sleep(220);
	}
	/* in the third pause */
	await a.dies(4102).finally(() => { on = false; });
	await pour;
	assert.ok(c.msgs[0].rss - before < c.msgs[0].mib(64));
	await b.bye();
});
test('getHistory: 200 at most', async () => {
	const r = room(), a = await Client.login(url, 'amy', r);
	assert.ok([0, 400].includes(await code(a.history(r, { limit: 201 }))));
	assert.equal(await code(a.history(r, { limit: -1 })), 400);
	assert.equal(await code(a.history(r, { limit: 'x' })), 400);
	await a.bye();
});
test('uids in one getOnline: 200', async () => {
	const r = room(), a = await Client.login(url, 'amy', r);
	const f = await a.online(r, { uids: Array(200).fill(a.uid) });
	assert.ok(f.users.some(u => u.uid === a.uid));
	assert.equal(await code(a.online(r, { uids: Array(201).fill(a.uid) })),
	    400);
	await a.bye();
});
test('rooms where nobody has spoken: 20 a minute and user', async () => {
	const a = await Client.login(url, 'amy', 'mine0');
	for (let i = 1; i < 20; i++)
		await a.cmd({ cmd: 'join', rid: `mine${i}` });
	const e = await a.cmd({ cmd: 'join', rid: 'mine20' }).catch(x => x);
	assert.equal(e.errCode, 429);
	assert.ok(e.retry > 0 && e.retry <= 60000);
	/* one that somebody else has opened is no new one */
	const b = await Client.login(url, 'bob', 'mine20');
	await a.cmd({ cmd: 'join', rid: 'mine20' });
	await Promise.all([a, b].map(x => x.bye()));
});
test('a room: room_rate a second, of all its people on all servers', async () => {
	const m = await Cluster.start({ msgs: 2, conf: {
		msg_server: { room_rate: 20 } } });
	try {
		const [a, b] = await Promise.all([0, 1].map(i =>
		    Client.login(m.msgs[i].ws, `p${i}`, 'fast')));
		/* 20 from one server fill it for the other */
		await Promise.all(Array.from({ length: 20 }, (_, i) =>
		    a.say('fast', `m${i}`)));
		await b.hear('m19');
		const codes = await Promise.all(Array.from({ length: 300 }, (_, i) =>
		    b.say('fast', `n${i}`).then(() => 0, e => {
			assert.ok(e.retry > 0 && e.retry <= 1000, `retry ${e.retry}`);
			return e.errCode;
		})));
		assert.ok(codes.filter(x => x === 429).length > 10, `${codes}`);
		/* and private messages are not the room's */
		await b.cmd({ cmd: 'message', type: 'text', tid: a.uid, msg: 'x' });
		await until('it goes on', () => b.say('fast', 'later'));
		await Promise.all([a, b].map(x => x.bye()));
	} finally {
		await m.stop();
	}
});
