/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * The HTTP interface: the examples of shared/HTTP.md as they stand there, and
 * what they promise: a cid counts across servers and restarts, a kick reaches
 * every server, nothing without the key.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Cluster, fetch, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

const PATIENCE = 20000;
const KEY = 'the-key-of-the-back-end';
const page = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))),
    'shared', 'HTTP.md');
let c, amy, bob;

const call = (m, method, path, body, key = KEY) => fetch(m.ports.direct, path,
    { method, body: body === undefined ? undefined : typeof body === 'string' ?
    body : JSON.stringify(body), ms: 15000,
    headers: key ? { authorization: `Bearer ${key}` } : {} });
const get = (path, m = c.msgs[0]) => call(m, 'GET', path);
const send = (body, m = c.msgs[0]) => call(m, 'POST', '/v1/send', body);
const kick = (body, m = c.msgs[0]) => call(m, 'POST', '/v1/kick', body);

before(async () => {
	c = new Cluster({ msgs: 2, proxies: 2 });
	writeFileSync(join(c.dir, 'api.key'), `${KEY}\n`, { mode: 0o600 });
	c.configure({ msg_server: { api_key_file: join(c.dir, 'api.key') },
	    proxy_server: { presence_grace: 200 } });
	await c.up();
	amy = await Client.login(c.msgs[0].ws, 'Amy', '12', { uid: 'amy' });
	await amy.cmd({ cmd: 'join', rid: '7' });
	bob = await Client.login(c.msgs[1].ws, 'Bob', '12', { uid: 'bob' });
	await until('all is known everywhere', async () => {
		const { json } = await get('/v1/rooms/12/users', c.msgs[1]);
		const rooms = (await get('/v1/users/amy/rooms')).json;
		return json.count === 2 && rooms.count === 2;
	}, PATIENCE);
});
after(async () => {
	amy?.drop();
	bob?.drop();
	await c?.stop();
});

/* the same keys and types, whatever the values; lists by their members */
function
alike(got, want, at = '')
{
	if (Array.isArray(want)) {
		assert.ok(Array.isArray(got), `${at}: ${JSON.stringify(got)}`);
		assert.equal(got.length > 0, want.length > 0, `${at}: members`);
		for (let i = 0; i < Math.min(got.length, want.length); i++)
			alike(got[i], want[i], `${at}[${i}]`);
	} else if (want !== null && typeof want === 'object') {
		assert.deepEqual(Object.keys(got).sort(),
		    Object.keys(want).sort(), `${at}: keys`);
		for (const k of Object.keys(want))
			alike(got[k], want[k], `${at}.${k}`);
	} else {
		assert.equal(typeof got, typeof want, at);
	}
}

const shell = script => new Promise(resolve => {
	const p = spawn('sh', ['-c', script], { env: { ...process.env, KEY,
	    AT: `127.0.0.1:${c.msgs[0].ports.direct}`, no_proxy: '*' },
	    stdio: ['ignore', 'pipe', 'pipe'] });
	let out = '', err = '';
	p.stdout.on('data', b => { out += b; });
	p.stderr.on('data', b => { err += b; });
	p.on('close', code => resolve({ code, out, err }));
});

test('the examples of HTTP.md', async () => {
	const text = readFileSync(page, 'utf8');
	const all = [...text.matchAll(
	    /^```sh\n([^]*?)^```\n```json\n([^]*?)^```\n/gm)];

	assert.ok(all.length >= 10, `only ${all.length} examples`);
	assert.equal([...text.matchAll(/^```sh$/gm)].length, all.length,
	    'an example without its answer');
	for (const [, script, want] of all) {
		if (script.includes('/users?limit=1'))
			await until('bob is gone', async () => (await get(
			    '/v1/rooms/12/users')).json.count === 1, 30000);
		const r = await shell(script);
		const what = `${script}\nanswered: ${r.out}${r.err}`;
		let got;
		assert.equal(r.code, 0, what);
		try {
			got = JSON.parse(r.out);
			alike(got, JSON.parse(want));
			if (got.error || got.users || got.kicked || got.mid)
				assert.deepEqual({ ...got, ts: 0 },
				    { ...JSON.parse(want), ts: 0 });
		} catch (e) {
			throw new Error(`${what}\n${e.message}`);
		}
	}
	for (const x of ['Tea is ready', 'Your parcel is here', 'The bus is late',
	    'We close at eight'])
		await amy.hear(x, PATIENCE);
	await amy.none('message');
	for (const x of ['Tea is ready', 'The bus is late', 'We close at eight'])
		await bob.next(f => f.msg === x, PATIENCE);
	assert.equal((await bob.dies(4005, PATIENCE)).reason, 'closing time');
	bob = await Client.login(c.msgs[1].ws, 'Bob', '12', { uid: 'bob' });
});

test('a cid counts at every server and after every restart', async () => {
	const room = { uid: 'bot', rid: '77', msg: 'once', cid: 'r-1' };
	const some = { uid: 'bot', uids: ['amy', 'bob', 'carol'], msg: 'each once',
	    cid: 'm-1' };
	const all = { uid: 'bot', all: true, msg: 'all once', cid: 'a-1' };
	const first = (await send(room)).json;

	assert.equal(first.dup, false);
	assert.deepEqual((await send(some)).json, { users: 3, stored: 3, dups: 0,
	    failed: 0, errors: [] });
	assert.deepEqual((await send(all)).json, { users: 2, stored: 2, dups: 0,
	    failed: 0, errors: [] });
	const again = async m => {
		const r = (await send(room, m)).json;
		assert.deepEqual([r.dup, r.seq, r.mid, r.ts],
		    [true, first.seq, first.mid, first.ts]);
		assert.equal((await send(some, m)).json.dups, 3);
		assert.equal((await send(all, m)).json.dups, 2);
	};
	await again(c.msgs[0]);
	await again(c.msgs[1]);
	/* the log changes its owner */
	const px = await c.active();
	await px.kill();
	await until('the standby orders', async () => (await send(room)).json.dup,
	    PATIENCE);
	await again(c.msgs[1]);
	await px.start();
	for (const p of [amy, bob]) {
		await p.hear('each once', PATIENCE);
		await p.hear('all once', PATIENCE);
		await p.none(f => f.cmd === 'message');
	}
	/* carol was away, and has what is for her */
	const carol = await Client.login(c.msgs[1].ws, 'Carol', '99',
	    { uid: 'carol', inbox: true });
	const pair = await carol.history(undefined, { tid: 'bot' });
	assert.deepEqual(pair.list.map(i => i.msg), ['each once']);
	await carol.bye();
});

test('a kick reaches every server', async () => {
	const on = m => Client.login(m.ws, 'Eve', '12', { uid: 'eve' });
	const three = [await on(c.msgs[0]), await on(c.msgs[1]),
	    await on(c.msgs[1])];
	let sessions;

	await until('three sessions', async () => {
		({ sessions } = (await get('/v1/users/eve')).json);
		return sessions.length === 3;
	}, PATIENCE);
	const one = sessions.find(s => s.srv === 'ms2').sid;
	assert.deepEqual((await kick({ sid: one, code: 4001, why: 'rude' })).json,
	    { kicked: 1 });
	const gone = await until('one is closed', () =>
	    three.find(x => x.closed), PATIENCE);
	assert.deepEqual(gone.closed, { code: 4001, reason: 'rude' });
	assert.ok(gone !== three[0], 'another than was meant');
	await until('two sessions', async () => (await get('/v1/users/eve')).json
	    .sessions.length === 2, PATIENCE);
	assert.deepEqual((await kick({ uid: 'eve' }, c.msgs[1])).json,
	    { kicked: 2 });
	for (const x of three.filter(x => x !== gone))
		await x.dies(4005, PATIENCE);
	await until('she is gone', async () => (await kick({ uid: 'eve' }))
	    .status === 404, PATIENCE);
	assert.equal((await kick({ sid: one })).status, 404);
	assert.equal((await kick({ uid: 'nobody' })).status, 404);
});

test('nothing without the key', async () => {
	const paths = ['/v1/rooms', '/v1/users/amy', '/v1/users/amy/rooms',
	    '/v1/online?uids=amy', '/v1/rooms/12/users'];

	for (const key of [null, 'x', `${KEY}x`, KEY.slice(0, -1)]) {
		for (const p of paths)
			assert.equal((await call(c.msgs[0], 'GET', p, undefined, key))
			    .status, 401);
		for (const p of ['/v1/send', '/v1/kick'])
			assert.equal((await call(c.msgs[0], 'POST', p,
			    { uid: 'amy', rid: '12', msg: 'in' }, key)).status, 401);
	}
	await amy.none(f => f.msg === 'in');
});

test('at the bounds, and one beyond', async () => {
	const uids = n => [...Array(n)].map((_, i) => `u${i}`);
	const msg = n => ({ uid: 'bot', rid: '78', msg: 'x'.repeat(n) });

	assert.equal((await send(msg(4096))).status, 200);
	assert.equal((await send(msg(4097))).status, 413);
	assert.equal((await send({ uid: 'bot', msg: 'x', uids: uids(200) }))
	    .json.stored, 200);
	assert.equal((await send({ uid: 'bot', msg: 'x', uids: uids(201) }))
	    .status, 400);
	assert.equal((await send({ ...msg(1), cid: 'c'.repeat(64) })).status, 200);
	assert.equal((await send({ ...msg(1), cid: 'c'.repeat(65) })).status, 400);
	assert.equal((await send({ ...msg(1), rid: 'r'.repeat(32) })).status, 200);
	assert.equal((await send({ ...msg(1), rid: 'r'.repeat(33) })).status, 400);
	assert.equal((await get(`/v1/online?uids=${uids(200)}`)).json.list.length,
	    200);
	assert.equal((await get(`/v1/online?uids=${uids(201)}`)).status, 400);
	assert.equal((await get('/v1/rooms?limit=1000')).status, 200);
	assert.equal((await get('/v1/rooms?limit=1001')).status, 400);
	assert.equal((await kick({ uid: 'nobody', why: 'x'.repeat(90) })).status,
	    404);
	assert.equal((await kick({ uid: 'nobody', why: 'x'.repeat(91) })).status,
	    400);
	for (const [method, path, status] of [['DELETE', '/v1/rooms', 405],
	    ['POST', '/v1/rooms', 405], ['GET', '/v1/send', 404],
	    ['PUT', '/v1/send', 405]])
		assert.equal((await call(c.msgs[0], method, path)).status, status,
		    `${method} ${path}`);
	assert.equal((await send('{"uid":"bot"')).status, 400);
	assert.equal((await send('x'.repeat(65537))).status, 413);
});

test('lists, page by page', async () => {
	const rooms = [];
	let next;

	do {
		const { json } = await get(`/v1/rooms?limit=1${
		    next ? `&next=${next}` : ''}`);
		assert.ok(json.list.length <= 1);
		rooms.push(...json.list.map(r => r.rid));
		next = json.next;
	} while (next);
	assert.deepEqual(rooms, [...new Set(rooms)].sort());
	assert.ok(rooms.includes('12') && rooms.includes('7'));
});
