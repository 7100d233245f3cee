/* SPDX-License-Identifier: MIT */
/* needs: node modules build nginx */
/*
 * Two msg_servers behind nginx with the example of shared/nginx: the page and
 * chat over TLS, the address of who comes, a drain, a server that is gone.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Cluster, fetch, loopback, until } from '../lib/cluster.mjs';

/* of a certificate that the test makes for itself */
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
const { Client } = await import('../lib/client.mjs');

const PATIENCE = 20000;
const example = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))),
    'shared', 'nginx', 'cchat.conf');
const host = loopback(), port = 8443;
let c, nginx, log = '';
const url = (path = '/ws') => `wss://${host}:${port}${path}`;
const origin = () => `https://${host}:${port}`;
const enter = (name, o = {}) => Client.login(url(o.path), name, '1',
    { uid: name, origin: origin(), ...o });

const page = (path, headers = {}) => new Promise((resolve, reject) => {
	https.get({ host, port, path, headers, agent: false,
	    timeout: 10000 }, res => {
		let body = '';
		res.setEncoding('utf8');
		res.on('data', s => { body += s; });
		res.on('end', () => resolve({ status: res.statusCode, body }));
	}).on('error', reject);
});

/* nothing of the example but addresses and files is another here */
function
configure(dir, direct)
{
	let text = readFileSync(example, 'utf8');
	const put = (from, to) => {
		assert.ok(text.includes(from), `the example has no ${from}`);
		text = text.replaceAll(from, to);
	};

	put('listen 443 ssl', `listen ${host}:${port} ssl`);
	put('127.0.0.1:9511', `127.0.0.1:${direct[0]}`);
	put('127.0.0.1:9512', `127.0.0.1:${direct[1]}`);
	put('/etc/ssl/chat.example.org.pem', join(dir, 'cert.pem'));
	put('/etc/ssl/chat.example.org.key', join(dir, 'cert.key'));
	writeFileSync(join(dir, 'cchat.conf'), text);
	const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(x =>
	    `\t${x}_temp_path ${join(dir, x)};\n`).join('');
	writeFileSync(join(dir, 'nginx.conf'), 'daemon off;\n' +
	    `pid ${join(dir, 'nginx.pid')};\nerror_log stderr warn;\n` +
	    'worker_processes 1;\nevents { worker_connections 512; }\n' +
	    `http {\n\taccess_log off;\n${temp}` +
	    `\tinclude ${join(dir, 'cchat.conf')};\n}\n`);
}

before(async () => {
	c = new Cluster({ msgs: 2 });
	const dir = join(c.dir, 'nginx');
	mkdirSync(dir);
	execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes',
	    '-subj', '/CN=127.0.0.1', '-days', '2', '-keyout',
	    join(dir, 'cert.key'), '-out', join(dir, 'cert.pem')],
	    { stdio: 'ignore' });
	c.configure({ msg_server: { trusted_proxies: ['127.0.0.1'],
	    public_url: url(), conns_per_ip: 3 } });
	const make = c.newMsg.bind(c);
	c.newMsg = name => {
		const m = make(name);
		m.args.push('--direct-url', url(`/ms${c.msgs.length}/ws`));
		return m;
	};
	await c.up();
	configure(dir, c.msgs.map(m => m.ports.direct));
	nginx = spawn('nginx', ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e',
	    'stderr'], { stdio: ['ignore', 'ignore', 'pipe'] });
	nginx.stderr.on('data', b => { log += b; });
	nginx.on('error', e => { log += e.message; });
	await until('nginx answers', async () => {
		assert.equal(nginx.exitCode, null, log);
		return (await page('/healthz')).status === 200;
	}, PATIENCE).catch(e => { throw new Error(`${e.message}\n${log}`); });
});
after(async () => {
	if (nginx?.exitCode === null) {
		const gone = new Promise(r => nginx.on('exit', r));
		nginx.kill('SIGTERM');
		await gone;
	}
	await c?.stop();
});

test('the page, and chat between the two servers', async () => {
	assert.match((await page('/')).body, /<html/);
	const a = await enter('amy', { path: '/ms1/ws' });
	const b = await enter('bob', { path: '/ms2/ws' });
	const d = await enter('dan');
	assert.equal(a.me.srv, 'ms1');
	assert.equal(b.me.srv, 'ms2');
	await a.say('1', 'through two doors');
	for (const x of [b, d])
		await x.hear('through two doors', PATIENCE);
	for (const x of [a, b, d])
		await x.bye();
	/* a page of somewhere else is not let in */
	await assert.rejects(enter('eve', { origin: 'https://evil.example' }),
	    /403/);
});

test('a file is brought and fetched through nginx', async () => {
	const a = await enter('amy', { path: '/ms1/ws' });
	/* far more than anything else may have; by whichever of the two */
	const bytes = randomBytes(3 << 20);
	const bring = (body, key) => new Promise((resolve, reject) => {
		const req = https.request({ host, port, path: a.me.up.url,
		    method: 'POST', agent: false, timeout: PATIENCE, headers: {
		    authorization: `Bearer ${key}`, origin: origin(),
		    'content-length': body.length,
		    'content-type': 'application/zip' } }, res => {
			let text = '';
			res.on('data', b => { text += b; });
			res.on('end', () => resolve({ status: res.statusCode, text }));
		});
		req.on('error', reject);
		req.end(body);
	});
	const r = await bring(bytes, a.me.up.key);
	assert.equal(r.status, 200, r.text);
	const { url: at } = JSON.parse(r.text);
	const got = await new Promise((resolve, reject) => https.get({ host, port,
	    path: at, agent: false, timeout: PATIENCE }, res => {
		const parts = [];
		res.on('data', b => parts.push(b));
		res.on('end', () => resolve(Buffer.concat(parts)));
	}).on('error', reject));
	assert.ok(got.equals(bytes));
	assert.equal((await bring(Buffer.from('x'), 'nothing')).status, 401);
	await a.bye();
});

test('whoever comes is who he is, not nginx', async () => {
	const from = { 'x-forwarded-for': '203.0.113.9' };
	const all = [];

	for (let i = 0; i < 3; i++)
		all.push(await enter(`p${i}`, { path: '/ms1/ws', headers: from }));
	await assert.rejects(enter('p4', { path: '/ms1/ws', headers: from }),
	    /429/);
	const { json } = await c.msgs[0].fetch('/connections');
	assert.deepEqual(json.list.map(x => x.addr),
	    Array(3).fill('203.0.113.9'));
	/* the same for another, and none without */
	all.push(await enter('q', { path: '/ms1/ws',
	    headers: { 'x-forwarded-for': '203.0.113.10' } }));
	for (const x of all)
		await x.bye();
	/* questions are free of a key for programs here, not for those there */
	assert.equal((await fetch(c.msgs[0].ports.direct, '/v1/rooms')).status,
	    200);
	assert.equal((await page('/v1/rooms')).status, 403);
});

test('a drain sends people to the other server through nginx', async () => {
	const a = await enter('amy', { path: '/ms1/ws' });
	const b = await enter('bob', { path: '/ms2/ws' });
	const r = await fetch(c.config.ports.http, '/v1/servers/ms1/drain',
	    { method: 'POST', body: '{"rate":100,"within":"20s"}',
	    headers: { 'content-type': 'application/json' } });

	assert.equal(r.status, 202, r.body);
	const move = a.follow({ ms: PATIENCE });
	const moved = await move;
	assert.equal(moved.moved.url, url('/ms2/ws'));
	assert.equal(moved.me.srv, 'ms2');
	await b.say('1', 'all here');
	await moved.hear('all here', PATIENCE);
	await c.msgs[0].exit;
	/* new ones find the other by themselves */
	for (let i = 0; i < 4; i++) {
		const x = await enter(`n${i}`);
		assert.equal(x.me.srv, 'ms2');
		await x.bye();
	}
	assert.equal((await page('/')).status, 200);
	await c.msgs[0].start();
	await c.msgs[0].ready();
	await until('both are in use again', async () => {
		const x = await enter('again');
		await x.bye();
		return x.me.srv === 'ms1';
	}, 30000);
	await moved.bye();
	await b.bye();
});

test('a server that dies: its people come back at once', async () => {
	const a = await enter('amy', { path: '/ms1/ws' });

	await c.msgs[0].kill();
	await a.dies([1005, 1006], PATIENCE);
	const back = await enter('amy', { token: a.token });
	assert.equal(back.me.srv, 'ms2');
	await back.bye();
});
