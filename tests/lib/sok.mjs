/* SPDX-License-Identifier: MIT */
/*
 * Clients and back ends of the sok push framework for the process tests: a
 * socket that logs in by its query, a back end that pushes by UDP, and the
 * credentials of both.  play() plays a transcript of tests/dialect/sok.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { Cluster, fetch } from './cluster.mjs';

const PATIENCE = 60000;
export const API_KEY = '0123456789abcdef-sok';

/* As the framework's clients make it: + / = are - _ , */
export const accessToken = (uid, token, source = 'app') =>
    Buffer.from(`${uid}.${token}.${source}`).toString('base64')
    .replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, ',');

/* A cluster with listeners for all that sok has. */
export async function
sokCluster(o = {})
{
	const dir = mkdtempSync(join(tmpdir(), 'cchat-sok-'));
	const key = join(dir, 'api.key');
	writeFileSync(key, `${API_KEY}\n`);
	return Cluster.start({ ...o, conf: { ...o.conf, msg_server: {
		listeners: ['127.0.0.1:0 sok', '127.0.0.1:0 push'],
		udp_push: '127.0.0.1:0', api_key_file: key,
		udp_push_peers: ['127.0.0.2 123456', '127.0.0.3 s/e"c'],
		...o.conf?.msg_server } } });
}

export const credentials = (msg, uid, o = {}) => fetch(msg.ports.public,
    `/v1/users/${uid}/credentials${o.query ?? ''}`, {
	method: o.method ?? 'PUT',
	headers: { authorization: `Bearer ${o.key ?? API_KEY}` },
	body: o.method ? undefined : JSON.stringify({ source: o.source ?? 'app',
	    token: o.token ?? `t-${uid}`, expires: o.expires }),
});

/* Lets uids in, each with the token t-UID for its source app. */
export async function
letIn(msg, ...uids)
{
	for (const uid of uids) {
		const r = await credentials(msg, uid);
		assert.equal(r.status, 200, r.body);
	}
}

export class Sok {
	/* query: as it is, without '?'; null: none at all */
	constructor(port, query, path = '/')
	{
		this.frames = [];
		this.seen = [];
		this.ws = new WebSocket(`ws://127.0.0.1:${port}${path}` +
		    (query === null ? '' : `?${query}`), { perMessageDeflate: false });
		this.ws.on('message', (d, binary) => {
			assert.ok(!binary);
			this.frames.push(d.toString());
			this.seen.push(d.toString());
			this.wake?.();
		});
		this.ws.on('error', () => {});
		this.gone = new Promise(r => this.ws.on('close', (code, why) => {
			this.closed = { code, why: why.toString() };
			this.wake?.();
			r(this.closed);
		}));
		this.opened = new Promise(r => this.ws.on('open', r));
	}

	/*
	 * A client that is in; o.source, o.token, o.device.  30 s of silence end
	 * one: it says `ping`, which nothing answers; o.silent: it does not.
	 */
	static async login(port, uid, o = {})
	{
		const c = new Sok(port, `access_token=${accessToken(uid,
		    o.token ?? `t-${uid}`, o.source ?? 'app')}` +
		    (o.device ? `&token=${o.device}` : ''));
		c.hello = await c.next();
		assert.equal(c.hello.code, 200, JSON.stringify(c.hello));
		c.device = c.hello.data.token;
		if (!o.silent) {
			const timer = setInterval(() => c.send('ping'), 5000);
			timer.unref();
			c.gone.then(() => clearInterval(timer));
		}
		return c;
	}

	/* The next frame, as text. */
	async text(ms = PATIENCE)
	{
		const end = Date.now() + ms;
		while (!this.frames.length) {
			if (this.closed)
				throw new Error(`closed ${this.closed.code} ` +
				    `${this.closed.why}; had ${this.seen.join(' ')}`);
			if (Date.now() >= end)
				throw new Error(`no frame within ${ms} ms; had ` +
				    this.seen.join(' '));
			await new Promise(r => {
				const t = setTimeout(r, end - Date.now());
				this.wake = () => { clearTimeout(t); r(); };
			});
		}
		return this.frames.shift();
	}

	async next(ms)
	{
		return JSON.parse(await this.text(ms));
	}

	send(o)
	{
		this.ws.send(typeof o === 'string' ? o : JSON.stringify(o));
	}

	say(to_uid, value)
	{
		this.send({ to_uid, type: 'chat', content: { type: 'text', value } });
	}

	/* What the server had to say before now is here. */
	settled()
	{
		return new Promise((yes, no) => {
			const t = setTimeout(() => no(new Error('no pong')), PATIENCE);
			this.ws.once('pong', () => { clearTimeout(t); yes(); });
			this.ws.ping();
		});
	}

	close()
	{
		this.ws.close();
		return this.gone;
	}
}

/* A back end at an address of its own; ask() takes one answer at a time. */
export class Backend {
	static async open(port, from = '127.0.0.1')
	{
		const b = new Backend();
		b.port = port;
		b.answers = [];
		b.sock = createSocket('udp4');
		b.sock.on('message', m => {
			b.answers.push(m.toString());
			b.wake?.();
		});
		await new Promise(r => b.sock.bind(0, from, r));
		return b;
	}

	send(o)
	{
		this.sock.send(typeof o === 'string' || Buffer.isBuffer(o) ? o :
		    JSON.stringify(o), this.port, '127.0.0.1');
	}

	async answer(ms = PATIENCE)
	{
		const end = Date.now() + ms;
		while (!this.answers.length) {
			if (Date.now() >= end)
				throw new Error(`no answer within ${ms} ms`);
			await new Promise(r => {
				const t = setTimeout(r, end - Date.now());
				this.wake = () => { clearTimeout(t); r(); };
			});
		}
		return this.answers.shift();
	}

	ask(o)
	{
		this.send(o);
		return this.answer();
	}

	close()
	{
		this.sock.close();
	}
}

/*
 * Plays a transcript: one JSON object a line, {who, dir, ...}:
 *	open  query (null: none), path	send  frame	recv  frame
 *	close code			udp   from, frame, answer
 *	put   uid, source, token	http  path, from, status, body
 * In what is received "<id>", "<time>", "<device>", "<n>" stand for what only
 * the server knows; the rest is equal byte for byte.
 */
export async function
play(file, msg)
{
	const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
	const who = {}, backends = {};
	const same = (got, want, where) => {
		const marks = { '"<id>"': '\\d{14,15}', '"<time>"': '\\d{10}',
		    '<device>': '[0-9a-f]{32}', '<n>': '\\d{4}',
		    '<time>': '\\d{10}' };
		let re = want.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
		for (const [mark, like] of Object.entries(marks))
			re = re.replaceAll(mark, like);
		assert.match(got, new RegExp(`^${re}$`), where);
	};
	for (const [i, text] of lines.entries()) {
		const l = JSON.parse(text), where = `${file}:${i + 1}`;
		const c = who[l.who];
		if (l.dir === 'put') {
			const r = await credentials(msg, l.uid, l);
			assert.equal(r.status, 200, where);
		} else if (l.dir === 'open') {
			who[l.who] = new Sok(msg.ports.sok, l.query, l.path);
			await who[l.who].opened;
		} else if (l.dir === 'send') {
			c.send(l.frame);
		} else if (l.dir === 'recv') {
			same(await c.text(), l.frame, where);
		} else if (l.dir === 'close') {
			if (l.code === undefined)
				await c.close();
			else
				assert.equal((await c.gone).code, l.code, where);
			assert.deepEqual(c.frames, [], where);
		} else if (l.dir === 'udp') {
			const b = backends[l.from] ??=
			    await Backend.open(msg.ports.UDP, l.from);
			same(await b.ask(l.frame), l.answer, where);
		} else if (l.dir === 'http') {
			const r = await fetch(msg.ports[l.port], l.path,
			    { method: l.method });
			assert.equal(r.status, l.status, where);
			same(r.body, l.body, where);
		} else {
			assert.fail(`${where}: what is "${l.dir}"?`);
		}
	}
	for (const c of Object.values(who)) {
		if (!c.closed) {
			await c.settled();
			await c.close();
		}
		assert.deepEqual(c.frames, [], 'frames nobody expected');
	}
	for (const b of Object.values(backends))
		b.close();
	return lines.length;
}

/* A UDP socket whose owner stands still: what is thrown at it nobody reads. */
export async function
nobody()
{
	const child = spawn(process.execPath, ['-e', `
	    const s = require('node:dgram').createSocket('udp4');
	    s.bind(0, '127.0.0.1', () => {
		require('node:fs').writeSync(1, \`\${s.address().port}\\n\`);
		process.kill(process.pid, 'SIGSTOP');
	    });`], { stdio: ['ignore', 'pipe', 'inherit'] });
	const port = await new Promise(r => child.stdout.once('data',
	    d => r(Number(d.toString()))));
	return { child, port };
}
