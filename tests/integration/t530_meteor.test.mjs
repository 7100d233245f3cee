/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * ChatMeteor's clients: the recorded conversation, its HTTP calls, and what no
 * recording shows - two servers, groups of people who come later, a second
 * socket of one user anywhere, other people's dialects, limits.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { Cluster, fetch, until } from '../lib/cluster.mjs';
import { load, replayOld } from '../lib/replay_old.mjs';
import { Meteor, call, cors } from '../lib/meteor.mjs';

const file = name => new URL(`../dialect/meteor/${name}.jsonl`,
    import.meta.url);
const conf = o => ({ msg_server: { dialects: ['meteor', 'cchat'], ...o } });
const start = (o = {}) => Cluster.start({ ...o, conf: conf(o.set) });
const port = m => m.ports.direct;

const once = 'a user is listed once, whatever sockets he has';
const stale = 'a socket that closes takes nothing from a newer one of its user';
const counter = 'users counts members, not requests';
const order = 'until it is known which is the newest both hear';
const since = 'the order is that of binding';
const body = (message, data) => ({ body: JSON.stringify({ code: 200, message,
    data }) });
const list = (...ids) => body('获取在线用户列表成功', ids);
const group = { group_id: 'fd0164', group_name: 'dns交流群', users: '9',
    created_at: '1795196797', updated_at: '1795196797' };

const deviations = [
	{ who: 'H', t: 2.287, http: body('获取群组列表成功', [group]), why: counter },
	{ who: 'H', t: 2.288, http: body('获取群组列表成功', [group]), why: counter },
	{ who: 'H', t: 4.055, http: list('1', '2', '3', '77'), why: once },
	{ who: 'A', after: 3.801, optional: true, why: order, frame: { type: 'ws',
	    category: 'single', args: { from_user: '2',
	    message: 'which socket gets this' } } },
	{ who: 'A2', after: 4.361, why: stale, frame: { type: 'ws',
	    category: 'single', args: { from_user: '2', message: 'after A closed' } } },
	{ who: 'H', t: 4.614, http: body('获取用户在线状态成功', { online: true }),
	    why: stale },
	{ who: 'H', t: 4.867, http: list('3', '77', '1', '22'), why: since },
];

test('chatmeteor-basic', async () => {
	const c = await start({ msgs: 1, strict: true });
	try {
		await replayOld(load(file('chatmeteor-basic')), { deviations,
		    kinds: [{ name: 'time', match: /^\d{10}$/ }],
		    headers: Object.keys(cors), url: () => c.msgs[0].ws,
		    http: () => port(c.msgs[0]) });
	} finally {
		await c.stop();
	}
});

describe('on two servers', () => {
	let c, a, b;
	const open = [];
	const meteor = async (m, id, o) => {
		const x = await Meteor.open(m.ws, id, o);
		open.push(x);
		if (id !== undefined)
			await there(m, id);
		return x;
	};
	/* Everybody may be asked for; who is said to be there is reached. */
	const there = (m, id, is = true) => until(`${id} is ${is ? '' : 'not '}there`,
	    async () => (await call(port(m), 'single', 'online', { user_id: id }))
	    .data.online === is, 15000);
	before(async () => {
		c = await start({ msgs: 2 });
		[a, b] = c.msgs;
	});
	after(async () => {
		for (const x of open)
			x.close();
		await c?.stop();
	});

	test('messages stay what they were, across servers', async () => {
		const x = await meteor(a, 11), y = await meteor(b, '12');
		const say = ['text', 12345, -0.5, true, [1, { a: null }], { 'ü/': '/' },
		    '你好 <b>&</b> "\\/\u0001 😀'];
		for (const m of say)
			x.to(y.id, m);
		await until('all came', () => y.got.length === say.length, 15000);
		assert.deepEqual(y.heard('single'), say.map(m => ['11', m]));
		assert.match(y.raw.at(-1), /\\u4f60.*<\\\/b>.*\\ud83d\\ude00/);
		assert.ok(y.raw.every(r => /^[\x20-\x7e]*$/.test(r)));
		/* he has not heard himself */
		x.to(11, 'myself');
		await x.message('myself');
		assert.equal(x.got.length, 1);
	});

	test('what was said to who was away comes with his bind', async () => {
		const x = await meteor(a, 21);
		for (const m of ['one', 2, 'three'])
			x.to(22, m);
		/* his own, behind them, has been stored */
		x.to(21, 'stored');
		await x.message('stored');
		const y = await meteor(b, 22);
		await y.message('three');
		assert.deepEqual(y.heard('single'),
		    [['21', 'one'], ['21', 2], ['21', 'three']]);
	});

	test('of two sockets the newest hears, wherever it is', async () => {
		const x = await meteor(a, 31), old = await meteor(a, 32);
		const near = await meteor(a, 33), far = await meteor(b, 34);
		let n = 0;
		/* said to 32, and heard by both servers: who has heard it there? */
		const hearers = async (...all) => {
			const tag = `t${++n}`;
			for (const id of [32, 33, 34])
				x.to(id, tag);
			await near.message(tag);
			await far.message(tag);
			return all.filter(p => p.got.some(
			    f => f.args.message === tag));
		};
		await call(port(a), 'group', 'create',
		    { group_name: 'two sockets', users: [31, 32] });
		const id = createHash('md5').update('two sockets').digest('hex')
		    .slice(0, 6);
		assert.deepEqual(await hearers(old), [old]);
		const fresh = await meteor(b, 32);
		/* until its order has come round, both do */
		const only = p => until('one alone hears', async () => {
			const who = await hearers(old, fresh);
			return who.length === 1 && who[0] === p;
		}, 20000);
		await only(fresh);
		const was = old.got.length;
		x.say(id, 'to the group');
		await fresh.message('to the group');
		/* the old one still speaks as him */
		old.to(31, 'old');
		old.say(id, 'old, to the group');
		await x.message('old');
		await fresh.message('old, to the group');
		assert.deepEqual(await hearers(old, fresh), [fresh]);
		assert.equal(old.got.length, was);
		assert.deepEqual((await call(port(b), 'single', 'onlineList')).data
		    .filter(u => u === '32'), ['32']);
		/* to bind again takes it back */
		old.bind(32);
		await only(old);
	});

	test('who binds to another id is another', async () => {
		const x = await meteor(a, 41), y = await meteor(b, 42);
		await call(port(a), 'group', 'create',
		    { group_name: 'of 43', users: ['43'] });
		y.bind('43');
		await there(a, 43);
		await there(a, 42, false);
		x.to(43, 'to the new one');
		await y.message('to the new one');
		y.to(41, 'of the new one');
		assert.equal((await x.message('of the new one')).args.from_user, '43');
		/* his groups are those of the new one */
		const id = createHash('md5').update('of 43').digest('hex').slice(0, 6);
		y.say(id, 'mine');
		await y.message('mine');
	});

	test('a bind comes into all of his groups', async () => {
		for (let i = 0; i < 140; i++) {
			const r = await call(port(a), 'group', 'create',
			    { group_name: `many ${i}`, users: [51, '52'] });
			assert.equal(r.code, 200, JSON.stringify(r));
		}
		const ids = (await call(port(b), 'single', 'group', { user_id: 51 }))
		    .data;
		assert.equal(ids.length, 140);
		const x = await meteor(a, 51), y = await meteor(b, 52);
		/* 64 may be on their way at a time */
		for (const [i, id] of ids.entries()) {
			x.say(id, `in ${id}`);
			if (i % 50 === 49)
				await until('these came', () => x.got.length === i + 1,
				    20000);
		}
		for (const p of [x, y])
			await until('all came', () => p.got.length === 140, 20000);
		assert.deepEqual(new Set(y.got.map(f => f.args.from_group)),
		    new Set(ids));
	});

	test('groups are rooms of cchat, for members', async () => {
		await call(port(a), 'group', 'create',
		    { group_name: 'mixed', users: ['61', 'amy'] });
		const id = createHash('md5').update('mixed').digest('hex').slice(0, 6);
		const x = await meteor(a, 61);
		const amy = await Client.login(b.ws, 'amy', '1', { uid: 'amy' });
		await amy.cmd({ cmd: 'join', rid: `g${id}` });
		x.say(id, '<b>你好</b>');
		const f = await amy.hear('<b>你好</b>');
		assert.deepEqual([f.uid, f.rid], ['61', `g${id}`]);
		await amy.say(`g${id}`, 'hi / ho');
		assert.equal((await x.message('hi / ho')).args.from_user, 'amy');
		amy.drop();
	});

	test('what may not be is dropped, and the client stays', async () => {
		const x = await meteor(a, 71), y = await meteor(b, 72);
		const stranger = await meteor(a);
		stranger.to(72, 'unbound');
		stranger.bind('a b');
		stranger.bind('');
		stranger.to(72, 'still unbound');
		x.to(72, 'x'.repeat(8192));
		x.to(72, 'y'.repeat(8193));
		x.to('', 'nobody');
		x.to('a/b', 'nobody');
		for (const m of ['', 0, '0', null, false, [], {}])
			x.to(72, m);
		x.say('zzzzzz', 'no such group');
		x.say('fffff0', 'no such group');
		x.say('', 'no group');
		for (const f of ['', '[]', 'x', '{"type":"http"}', '{"type":"ws",' +
		    '"class":"user","method":"delete","args":{}}'])
			x.ws.send(f);
		x.to(72, 'last');
		await y.message('last');
		await Promise.all([x, stranger].map(p => p.settled()));
		assert.deepEqual(y.heard('single').map(m => m[1].slice(0, 8)),
		    ['xxxxxxxx', 'last']);
		assert.deepEqual([x.got, stranger.got], [[], []]);
		assert.ok(!x.closed && !stranger.closed);
	});

	test('who closes is gone at once', async () => {
		const x = await meteor(a, 81);
		x.ws.close();
		await there(b, 81, false);
	});

	test('the HTTP API: any path, any method, one shape', async () => {
		const ask = (method, path, body) => fetch(port(a), path,
		    { method, body });
		for (const [method, path] of [['GET', '/'], ['GET', '/api/x?y'],
		    ['OPTIONS', '/'], ['PUT', '/a'], ['POST', '/'], ['DELETE', '/z'],
		    ['POST', '/index.html']]) {
			if (method === 'GET' && path === '/')
				continue;	/* there is a page */
			const r = await ask(method, path);
			assert.equal(r.status, 200, `${method} ${path}`);
			for (const [k, v] of Object.entries(cors))
				assert.equal(r.headers[k], v, `${method} ${k}`);
			assert.deepEqual(r.json, { code: 400,
			    message: 'The type can not be null' });
		}
		const page = await ask('GET', '/index.html');
		assert.match(page.body, /<html/i);
		const said = async body => (await ask('POST', '/',
		    JSON.stringify(body))).body;
		assert.equal(await said({ type: 'ws', class: 'a', method: 'b' }), '');
		const fail = async (body, code, message) => assert.deepEqual(
		    JSON.parse(await said(body)), { code, message });
		await fail({ type: 'http' }, 400, 'The class can not be null');
		await fail({ type: 'http', class: 'group' }, 400,
		    'The method can not be null');
		await fail({ type: 'http', class: 'user', method: 'x' }, 404,
		    'no such class and method');
		const http = (cls, method, args) => ({ type: 'http', class: cls, method,
		    args });
		const missing = k => `Argument is not valid: missing ${k}`;
		await fail(http('group', 'create', {}), 400, missing('group_name'));
		await fail(http('group', 'create', { group_name: 'x' }), 400,
		    missing('users'));
		await fail(http('group', 'create', { group_name: 'x', users: [] }),
		    400, missing('users'));
		await fail(http('group', 'create', { group_name: 'x', users: 1 }), 400,
		    'Argument is not valid: users is not array');
		await fail(http('group', 'users', {}), 400, missing('group_id'));
		await fail(http('single', 'group', { user_id: 0 }), 400,
		    missing('user_id'));
		for (const id of ['ffffff', 'zzzzzz', 'x'.repeat(40), ['a'], true]) {
			await fail(http('group', 'users', { group_id: id }), 500,
			    'Group is not exists');
			await fail(http('group', 'append', { group_id: id, users: [1] }),
			    500, 'Group is not exists');
		}
	});

	test('bounds of what it changes', async () => {
		const create = (group_name, users) => call(port(a), 'group', 'create',
		    { group_name, users });
		const many = n => Array.from({ length: n }, (_, i) => i + 1000);
		assert.equal((await create('n'.repeat(129), [1])).code, 400);
		assert.equal((await create('n'.repeat(128), [1])).code, 200);
		assert.equal((await create('users 201', many(201))).code, 400);
		assert.equal((await create('users 200', many(200))).code, 200);
		assert.equal((await create('users 200', [1])).message,
		    'Group has already exists');
		assert.equal((await create('odd', [1, 'a b'])).code, 400);
		const none = await call(port(a), 'group', 'append',
		    { group_id: createHash('md5').update('users 200').digest('hex')
		    .slice(0, 6), users: 'x' });
		assert.deepEqual([none.code, none.data], [200, []]);
	});
});

test('only so many lists are gathered at a time', async () => {
	const c = await start({ msgs: 1 });
	try {
		const [m] = c.msgs, all = [];
		const ask = () => {
			for (let i = 0; i < 100; i++)
				all.push(call(port(m), 'group', 'list')
				    .then(r => r.message, e => e.message));
			return Promise.all(all);
		};
		c.proxies[0].signal('SIGSTOP');
		await until('it is too many', async () => (await ask())
		    .includes('too many lists at a time'), 60000);
		c.proxies[0].signal('SIGCONT');
		/* and when they are done there is room again */
		await until('a list', async () => (await call(port(m), 'group',
		    'list')).code === 200, 30000);
	} finally {
		c.proxies[0].signal('SIGCONT');
		await c.stop();
	}
});

test('where tokens are needed, it changes nothing and binds nobody', async () => {
	const c = await start({ msgs: 1, set: { auth: 'token',
	    allow_no_origin: 'yes' } });
	try {
		const [m] = c.msgs;
		const r = await call(port(m), 'group', 'create',
		    { group_name: 'x', users: [1] });
		assert.equal(r.code, 401);
		const x = await Meteor.open(m.ws, 1);
		x.to(1, 'hello');
		await x.settled();
		await x.settled();
		assert.deepEqual(x.got, []);
		x.close();
	} finally {
		await c.stop();
	}
});
