/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/* Origins, identities, tokens, and who may read what. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Cluster, fetch, sleep } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

let c, url, rid = 700;
before(async () => {
	c = await Cluster.start({ msgs: 2, conf: { msg_server: {
	    origins: ['https://chat.example'] } } });
	url = c.msgs[0].ws;
});
after(() => c?.stop());
const room = () => String(++rid);
const code = p => p.then(x => { x.drop?.(); return 0; },
    e => e.errCode ?? e.message);

const b64 = x => Buffer.from(typeof x === 'string' ? x : JSON.stringify(x))
    .toString('base64url');
const jwt = (key, claims, head = { alg: 'HS256', typ: 'JWT' }) => {
	const s = `${b64(head)}.${b64(claims)}`;
	return `${s}.${createHmac('sha256', key).update(s).digest('base64url')}`;
};
const tokenKey = () => Buffer.from(readFileSync(join(c.data, 'token.key'),
    'utf8').trim(), 'hex');

test('origins: own, the other servers\', the configured ones; no others',
    async () => {
	const ports = c.msgs.flatMap(m => [m.ports.public, m.ports.direct]);
	for (const o of [...ports.map(p => `http://127.0.0.1:${p}`),
	    'https://chat.example', undefined])
		await (await Client.open(url, { origin: o })).bye();
	for (const o of ['http://evil.example', 'null', 'https://chat.example.evil',
	    'http://chat.example', `http://127.0.0.1:${ports[0]}0`,
	    'http://127.0.0.1'])
		await assert.rejects(Client.open(url, { origin: o }), /403/, o);
});
test('a drawn uid needs its token, of this cluster, unchanged', async () => {
	const r = room(), a = await Client.login(url, 'amy', r);
	assert.equal(await code(Client.login(url, 'thief', r, { uid: a.uid })), 401);
	const bad = [a.token.slice(0, -2), `${a.token}x`, 'x', '...', '',
	    a.token.replace(/\.[^.]*$/, '.'),
	    jwt('another key', { sub: a.uid, exp: 4e9 }),
	    `${b64({ alg: 'none' })}.${b64({ sub: a.uid, exp: 4e9 })}.`,
	    jwt(tokenKey(), { sub: a.uid, exp: 1000 }),
	    jwt(tokenKey(), { sub: a.uid, exp: 4e9 }, { alg: 'none' }),
	    jwt(tokenKey(), { sub: a.uid, exp: 4e9 }, { alg: 'HS512' }),
	    jwt(tokenKey(), { sub: 'a b', exp: 4e9 }),
	    jwt(tokenKey(), { exp: 4e9 })];
	for (const token of bad) {
		const got = await code(Client.login(url, 'thief', r,
		    { uid: a.uid, token }));
		assert.notEqual(got, 0, `taken: ${token}`);
		assert.ok([400, 401, 403].includes(got) || /410[01]|4003/.test(got),
		    `${token}: ${got}`);
	}
	assert.equal(await code(Client.login(url, 'amy', r, { token: a.token })),
	    0);
	await a.bye();
});
test('a claimed uid is shared by who types it', async () => {
	const r = room();
	const a = await Client.login(url, 'amy', r, { uid: 'shared-1' });
	const b = await Client.login(url, 'amy', r, { uid: 'shared-1' });
	assert.equal(a.uid, b.uid);
	await a.say(r, 'x');
	await b.hear('x');
	await Promise.all([a.bye(), b.bye()]);
});
test('groups are for members', async () => {
	const a = await Client.login(url, 'amy', room());
	const got = await code(a.cmd({ cmd: 'join', rid: 'gdeadbeef' }));
	assert.ok([403, 404].includes(got), String(got));
	assert.ok([403, 404].includes(await code(a.history('gdeadbeef'))));
	assert.ok([403, 404].includes(await code(a.say('gdeadbeef', 'x'))));
	await a.bye();
});
test('nobody reads the private conversation of others', async () => {
	const r = room();
	const a = await Client.login(url, 'amy', r);
	const b = await Client.login(url, 'bob', r);
	const e = await Client.login(url, 'eve', r);
	await a.say(r, 'secret', { tid: b.uid });
	for (const x of [{ tid: a.uid }, { tid: b.uid },
	    { rid: `p:${a.uid}:${b.uid}` }, { rid: `@${b.uid}` },
	    { rid: `u:${b.uid}` }, { rid: 'c:' }]) {
		const f = await e.cmd({ cmd: 'getHistory', ...x })
		    .catch(() => ({ list: [] }));
		assert.deepEqual(f.list, [], JSON.stringify(x));
	}
	await Promise.all([a.bye(), b.bye(), e.bye()]);
});
test('security headers of the page', async () => {
	for (const path of ['/', '/js/main.js', '/healthz', '/nothing']) {
		const r = await fetch(c.msgs[0].ports.public, path);
		assert.equal(r.headers['x-content-type-options'], 'nosniff', path);
		assert.equal(r.headers['referrer-policy'], 'no-referrer', path);
		if (r.status === 200 && path !== '/healthz')
			assert.match(r.headers['content-security-policy'],
			    /default-src 'none'/, path);
		assert.equal(r.headers['access-control-allow-origin'], undefined);
	}
	const csp = (await fetch(c.msgs[0].ports.public, '/'))
	    .headers['content-security-policy'];
	for (const want of [/script-src 'self'/, /require-trusted-types-for 'script'/,
	    /frame-ancestors 'none'/, /base-uri 'none'/, /form-action 'none'/])
		assert.match(csp, want);
	assert.doesNotMatch(csp, /unsafe/);
});
test('the link port knows no stranger', async () => {
	const port = c.proxies[0].ports.link;
	for (const hello of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n',
	    Buffer.alloc(4096, 0xff), Buffer.from([255, 255, 255, 127, 1]),
	    Buffer.from([4, 0, 0, 0, 10, 0, 0, 0])]) {
		const s = net.connect(port, '127.0.0.1');
		s.on('error', () => {});
		let got = 0;
		s.on('data', b => { got += b.length; });
		s.write(hello);
		const ended = await Promise.race([new Promise(r =>
		    s.on('close', () => r(true)).on('end', () => r(true))),
		    sleep(15000).then(() => false)]);
		assert.ok(ended, 'a stranger is kept on the link port');
		assert.ok(got < 1024);
		s.destroy();
	}
	const a = await Client.login(url, 'amy', room());
	await a.say(a.me.rid, 'still works');
	await a.bye();
});
test('a daemon with another link key does not get in', async () => {
	const { mkdtempSync, writeFileSync } = await import('node:fs');
	const d = mkdtempSync(join(c.dir, 'alien'));
	writeFileSync(join(d, 'link.key'), `${'00'.repeat(32)}\n`, { mode: 0o600 });
	const m = c.newMsg('alien');
	c.msgs.pop();
	m.args = m.args.map(x => x === join(c.data, 'link.key') ?
	    join(d, 'link.key') : x === c.data ? d : x);
	try {
		await m.start();
		/* a time in which it may not get in */
		await sleep(1500);
		assert.notEqual((await m.fetch('/readyz')).status, 200);
		const { json } = await c.config.fetch('/v1/servers');
		assert.ok(!json.list.some(s => (s.id ?? s.name) === 'alien'));
		assert.match(m.log, /key|proof|proo?ve/i);
	} finally {
		await m.kill();
	}
});

describe('auth = token', () => {
	let k, at;
	before(async () => {
		k = await Cluster.start({ msgs: 1, conf: { msg_server:
		    { auth: 'token' } } });
		at = k.msgs[0].ws;
	});
	after(() => k?.stop());
	const key = () => Buffer.from(readFileSync(join(k.data, 'token.key'),
	    'utf8').trim(), 'hex');
	const exp = s => Math.floor(Date.now() / 1000) + s;
	const origin = () => `http://127.0.0.1:${k.msgs[0].ports.direct}`;

	test('only with a token, and only as whom it names', async () => {
		const o = () => ({ origin: origin() });
		assert.equal(await code(Client.login(at, 'amy', '1', o())), 401);
		assert.equal(await code(Client.login(at, 'amy', '1', { ...o(),
		    uid: '1001' })), 401);
		const token = jwt(key(), { sub: '1001', name: 'Amy', exp: exp(60) });
		const a = await Client.login(at, 'amy', '1', { ...o(), token });
		assert.equal(a.uid, '1001');
		await a.bye();
		assert.notEqual(await code(Client.login(at, 'amy', '1', { ...o(),
		    token, uid: '1002' })), 0);
	});
	test('expiry is enforced on the open socket', async () => {
		const token = jwt(key(), { sub: '1003', exp: exp(-58) });
		const a = await Client.login(at, 'amy', '1', { origin: origin(),
		    token });
		await a.dies(4101, 8000);
	});
	test('a client without an Origin stays out', async () => {
		await assert.rejects(Client.open(at), /403/);
	});
});
