/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * The sok push framework's clients and credentials: the transcripts, then what
 * takes two servers, a clock, another dialect or a bound.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readdirSync } from 'node:fs';
import http from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '../lib/client.mjs';
import { fetch, until } from '../lib/cluster.mjs';
import { API_KEY, Backend, Sok, accessToken, credentials, letIn, play,
    sokCluster } from '../lib/sok.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const transcripts = join(here, '../dialect/sok');
let c, m1, m2;

before(async () => {
	c = await sokCluster({ msgs: 2 });
	[m1, m2] = c.msgs;
});
after(() => c?.stop());

for (const file of readdirSync(transcripts).filter(f => /\.jsonl$/.test(f)))
	test(`transcript ${file}`, async () => {
		/* each in a history of its own: what one left unread stays its */
		const own = await sokCluster({ msgs: 1 });
		try {
			assert.ok(await play(join(transcripts, file),
			    own.msgs[0]) > 10);
		} finally {
			await own.stop();
		}
	});

test('who makes room is on another server', async () => {
	await letIn(m1, 'a1');
	await credentials(m1, 'a1', { source: 'pc', token: 'p' });
	const one = await Sok.login(m1.ports.sok, 'a1', { device: 'device-aaaa' });
	const pc = await Sok.login(m1.ports.sok, 'a1', { token: 'p' });
	const same = await Sok.login(m2.ports.sok, 'a1', { device: 'device-aaaa' });
	assert.equal(same.hello.message, '授权成功');
	const two = await Sok.login(m2.ports.sok, 'a1', { device: 'device-bbbb' });
	assert.match(two.hello.message, /已被您踢下线/);
	for (const gone of [one, same]) {
		assert.equal((await gone.next()).code, 441);
		assert.equal((await gone.gone).code, 4004);
	}
	await pc.settled();
	assert.equal(pc.closed, undefined);
	assert.deepEqual(pc.frames, []);
	await Promise.all([pc.close(), two.close()]);
});

test('one_per: a user, or nobody, makes room', async () => {
	for (const [one_per, codes] of [['user', [4004]], ['none', []]]) {
		const own = await sokCluster({ msgs: 1,
		    conf: { msg_server: { one_per } } });
		try {
			const [m] = own.msgs;
			await letIn(m, 'b1');
			await credentials(m, 'b1', { source: 'pc', token: 'p' });
			const app = await Sok.login(m.ports.sok, 'b1');
			const pc = await Sok.login(m.ports.sok, 'b1',
			    { token: 'p' });
			if (codes.length)
				assert.equal((await app.gone).code, codes[0]);
			else
				await app.settled();
			assert.equal(app.closed !== undefined, codes.length > 0);
			await pc.settled();
		} finally {
			await own.stop();
		}
	}
});

test('all sources and both servers hear it, the sender\'s others do not',
    async () => {
	await letIn(m1, 'c1', 'c2');
	await credentials(m1, 'c1', { source: 'pc', token: 'p' });
	await credentials(m1, 'c2', { source: 'pc', token: 'p' });
	const from = await Sok.login(m1.ports.sok, 'c1');
	const own = await Sok.login(m2.ports.sok, 'c1', { token: 'p' });
	const app = await Sok.login(m1.ports.sok, 'c2');
	const pc = await Sok.login(m2.ports.sok, 'c2', { token: 'p' });
	for (let i = 0; i < 50; i++)
		from.say('c2', `n${i}`);
	const ids = [];
	for (const to of [app, pc])
		for (let i = 0; i < 50; i++) {
			const f = await to.next();
			assert.equal(f.content.value, `n${i}`);
			ids.push(f.id);
		}
	/* an id is one message's, the same for each of his devices */
	assert.equal(new Set(ids).size, 50);
	assert.deepEqual(ids.slice(0, 50), ids.slice(50));
	await own.settled();
	assert.deepEqual(own.frames, []);
	for (const s of [from, own, app, pc])
		await s.close();
});

test('CChat\'s clients and sok\'s hear each other', async () => {
	await letIn(m1, 'd1');
	const sok = await Sok.login(m1.ports.sok, 'd1');
	const v2 = await Client.login(m2.ws, 'amy', '1', { uid: 'd2' });
	const v1 = await Client.login(m2.ws, 'bob', '1', { uid: '4711', v: 1 });
	sok.say('d2', 'hello <b>');
	sok.send({ to_uid: 'd2', type: 'chat', n: 1,
	    content: { type: 'image', value: 'http://h/p' } });
	sok.send({ to_uid: '4711', type: 'chat', n: 2, content: { a: [1] } });
	const f = await v2.next('message');
	assert.deepEqual([f.uid, f.tid, f.type, f.msg],
	    ['d1', 'd1', 'text', 'hello <b>']);
	assert.equal((await v2.next('message')).msg, 'http://h/p');
	assert.deepEqual(await v1.next('message'), { cmd: 'message', type: 'text',
	    uid: 'd1', name: 'd1', msg: '{"a":[1]}', rid: '1', tid: '4711' });
	const h = await v2.cmd({ cmd: 'getHistory', tid: 'd1' });
	assert.deepEqual(h.list.map(i => i.msg), ['hello <b>', 'http://h/p']);
	await v2.cmd({ cmd: 'message', type: 'text', tid: 'd1', msg: 'back/' });
	assert.deepEqual({ ...await sok.next(), id: 0 }, { to_uid: 'd1',
	    type: 'chat', content: { type: 'text', value: 'back/' }, uid: 'd2',
	    state: 1, id: 0 });
	/* rooms are none of its business */
	await v2.say('1', 'to the room');
	await sok.settled();
	assert.deepEqual(sok.frames, []);
	await sok.close();
	v1.ws.close();
	v2.ws.close();
});

test('a push finds who is on another server, and whose connection it is',
    async () => {
	await letIn(m1, 'k1', 'k2');
	const near = await Sok.login(m1.ports.sok, 'k1');
	const far = await Sok.login(m2.ports.sok, 'k2');
	const b = await Backend.open(m1.ports.UDP);
	const data = { type: 'chat', content: 'x' };
	/* servers do not hear of each other's people at once */
	await until('he is seen from here', async () => await b.ask({
	    means: 'is_on_line', to_uid: 'k2' }) === '{"onLine":1}', 15000);
	assert.equal(await b.ask({ data: { ...data, to_uid: 'k2' } }),
	    '{"onLine":1}');
	assert.equal((await far.next()).to_uid, 'k2');
	const r = await fetch(m1.ports.public, '/v1/users/k2', { headers: {
	    authorization: `Bearer ${API_KEY}` } });
	assert.match(r.json.sessions[0].dev, /^app-[0-9a-f]{16}$/);
	const fd = Number(BigInt(`0x${r.json.sessions[0].sid.slice(2)}`));
	for (const [means, key, value] of [['to_fd', 'to_fd', fd],
	    ['to_fd_all', 'fd_all', [fd, `${fd}`, 99]]]) {
		assert.equal(await b.ask({ means, data: { ...data,
		    [key]: value } }), '{"onLine":1}');
		for (let i = 0; i < (value.length ?? 2) - 1; i++)
			assert.deepEqual((await far.next())[key], value);
	}
	/* everybody is on both */
	assert.equal(await b.ask({ means: 'to_uid_all', data }), '{"onLine":1}');
	for (const s of [near, far]) {
		assert.equal((await s.next()).content, 'x');
		await s.settled();
		assert.deepEqual(s.frames, []);
		await s.close();
	}
	b.close();
});

test('a list of 200 is taken, of 201 it is not', async () => {
	const b = await Backend.open(m1.ports.UDP);
	await letIn(m1, 'l0');
	const to = await Sok.login(m1.ports.sok, 'l0');
	const many = n => b.ask({ means: 'to_uid_all', data: { type: 'chat', n,
	    content: 'x', uid_all: [...Array(n).keys()].map(i => `l${i}`) } });
	assert.equal(await many(201), '{"onLine":0}');
	assert.equal(await many(200), '{"onLine":1}');
	assert.equal((await to.next()).n, 200);
	/* and so it is with bytes */
	const one = n => {
		const d = { to_uid: 'l0', type: 'chat', content: 'x', x: '' };
		d.x = 'y'.repeat(n - JSON.stringify(d).length);
		return b.ask({ data: d });
	};
	assert.equal(await one(16384), '{"onLine":1}');
	assert.equal((await to.next()).to_uid, 'l0');
	assert.equal(await one(16385), '{"onLine":0}');
	const wrapped = n => b.ask(JSON.stringify({ pad: 'z'.repeat(n - 21 -
	    63), data: { to_uid: 'l0', type: 'chat', content: 'x' } })
	    .padEnd(n, '\n'));
	assert.equal(await wrapped(20480), '{"onLine":1}');
	assert.equal(await wrapped(20481), '{"onLine":0}');
	await to.close();
	b.close();
});

test('text of 8192 bytes passes, one more is dropped', async () => {
	await letIn(m1, 'e1', 'e2');
	const a = await Sok.login(m1.ports.sok, 'e1');
	const b = await Sok.login(m1.ports.sok, 'e2');
	a.say('e2', 'x'.repeat(8193));
	a.say('e2', 'y'.repeat(8192));
	a.send({ to_uid: 'e2', type: 'chat', content: 'z'.repeat(8193) });
	a.send({ to_uid: 'e2', type: 'chat', content: 1, x: 'x'.repeat(16384) });
	a.say('e2', 'end');
	assert.equal((await b.next()).content.value, 'y'.repeat(8192));
	assert.equal((await b.next()).content.value, 'end');
	await a.close();
	await b.close();
});

test('30 s of silence end it, a word does not', { timeout: 90000 },
    async () => {
	await letIn(m1, 'f1', 'f2');
	const silent = await Sok.login(m1.ports.sok, 'f1', { silent: true });
	const talks = await Sok.login(m1.ports.sok, 'f2');
	const since = Date.now();
	const end = await silent.gone;
	assert.equal(end.code, 4201);
	assert.ok(Date.now() - since > 28000, `${Date.now() - since} ms`);
	await talks.settled();
	assert.deepEqual(talks.seen.length, 1);	/* pings are not answered */
	await talks.close();
});

test('credentials: set, shown without tokens, taken away', async () => {
	const put = o => credentials(m1, 'g1', o);
	let r = await put({ source: 'app', token: 'secret-1', expires: 5 });
	assert.equal(r.status, 200);
	r = await put({ source: 'pc', token: 'secret-2' });
	assert.deepEqual(r.json.list, [{ source: 'app', expires: 5 },
	    { source: 'pc', expires: 0 }]);
	/* on any server, and never a token, as it is or digested */
	r = await credentials(m2, 'g1', { method: 'GET' });
	assert.deepEqual(r.json.list.map(x => x.source), ['app', 'pc']);
	assert.doesNotMatch(r.body, /secret|[A-Za-z0-9_-]{43}/);
	/* the end of a token is for pushes by HTTP; a socket was never asked */
	await (await Sok.login(m2.ports.sok, 'g1', { token: 'secret-1' })).close();
	r = await credentials(m1, 'g1', { method: 'DELETE', query: '?source=app' });
	assert.deepEqual(r.json.list, [{ source: 'pc', expires: 0 }]);
	assert.equal((await credentials(m1, 'g1', { method: 'DELETE',
	    query: '?source=app' })).status, 404);
	const no = new Sok(m2.ports.sok,
	    `access_token=${accessToken('g1', 'secret-1')}`);
	assert.equal((await no.next()).code, 401);
	r = await credentials(m1, 'g1', { method: 'DELETE' });
	assert.deepEqual(r.json.list, []);
	for (const m of c.msgs)
		assert.doesNotMatch(m.log, /secret-/);
});

test('credentials: who may, what is refused, how many', async () => {
	assert.equal((await credentials(m1, 'h1', { key: 'wrong' })).status, 401);
	for (const bad of [{ source: 'a b' }, { source: '' }, { token: '' },
	    { token: 'a.b' }, { token: 'x'.repeat(257) }, { expires: -1 },
	    { expires: 'x' }])
		assert.equal((await credentials(m1, 'h1', bad)).status, 400,
		    JSON.stringify(bad));
	assert.equal((await credentials(m1, 'h1',
	    { token: 'x'.repeat(256) })).status, 200);
	await (await Sok.login(m1.ports.sok, 'h1',
	    { token: 'x'.repeat(256) })).close();
	for (let i = 1; i < 8; i++)
		assert.equal((await credentials(m1, 'h1',
		    { source: `${i}`.repeat(32) })).status, 200);
	assert.equal((await credentials(m1, 'h1', { source: 'n' })).status, 409);
	assert.equal((await credentials(m1, 'h1',
	    { source: '7'.repeat(32), token: 'new' })).status, 200);
	/* a source that is too long to be shown is a source all the same */
	const one = await Sok.login(m1.ports.sok, 'h1', { token: 'new' });
	const two = await Sok.login(m1.ports.sok, 'h1', { token: 'new' });
	assert.equal((await one.gone).code, 4004);
	await until('its device is shown', async () => {
		const r = await fetch(m1.ports.public, '/v1/users/h1', { headers: {
		    authorization: `Bearer ${API_KEY}` } });
		return r.json.sessions.length === 1 &&
		    /^[0-9a-f]{14}-[0-9a-f]{16}$/.test(r.json.sessions[0].dev);
	}, 15000);
	await two.close();
});

/* GET /chat/send from an address of this machine */
const chatSend = (query, from, headers) => new Promise((yes, no) =>
    http.get({ host: '127.0.0.1', port: m1.ports.push, localAddress: from,
    path: `/chat/send?to_uid=nobody&content=x${query}`, headers,
    agent: false }, res => {
	let body = '';
	res.on('data', d => { body += d; });
	res.on('end', () => yes({ status: res.statusCode, body }));
}).on('error', no));

test('/chat/send: who may without a token, and until when with one',
    async () => {
	assert.equal((await chatSend('', '127.0.0.1')).status, 200);
	/* who comes through a proxy of this machine is not of this machine */
	for (const name of ['x-forwarded-for', 'forwarded'])
		assert.equal((await chatSend('', '127.0.0.1',
		    { [name]: '10.0.0.1' })).status, 441);
	assert.equal((await chatSend('', '127.0.0.2')).status, 441);
	assert.equal((await chatSend('&sk=123457', '127.0.0.2')).status, 441);
	const r = await chatSend('&sk=123456', '127.0.0.2');
	assert.equal(r.status, 200);
	assert.doesNotMatch(r.body, /123456/);
	const soon = Math.floor(Date.now() / 1000);
	await credentials(m1, 'n1', { token: 't', expires: soon + 1000 });
	const token = `&access_token=${accessToken('n1', 't')}`;
	assert.equal((await chatSend(token, '127.0.0.2')).status, 200);
	await credentials(m1, 'n1', { token: 't', expires: soon - 2 });
	const over = await chatSend(token, '127.0.0.1');
	assert.equal(over.status, 441);
	assert.match(over.body, /授权失效或已过期/);
	/* 30 s old is not too old, 31 s is */
	const age = s => `&time=${Math.floor(Date.now() / 1000) - s}`;
	assert.equal((await chatSend(age(20), '127.0.0.1')).status, 200);
	assert.equal((await chatSend(age(31), '127.0.0.1')).status, 400);
});
