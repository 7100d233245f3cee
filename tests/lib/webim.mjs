/* SPDX-License-Identifier: MIT */
/*
 * Clients as PHPWebIM's page has them, by WebSocket and by its long poll, and
 * the replay of its recorded conversations.
 *
 * In a replay the numbers of sessions, the ids of polls and times are
 * placeholders, bound at their first sight; keys, types, values, who hears
 * what and the order of frames of one cmd have to be as recorded. A deviation
 * is a change of a record, made before it is compared, with its reason; each
 * has to be needed.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import { WebSocket } from 'ws';

const PATIENCE = 60000;
const LONG_GAP = 2;

/* POST of a form, or GET without one; resolves to {status, headers, body}. */
export function
ask(port, path, form, o = {})
{
	return new Promise((resolve, reject) => {
		const body = form && new URLSearchParams(form).toString();
		const req = http.request({ host: '127.0.0.1', port, path,
		    agent: o.agent ?? false, method: form ? 'POST' : 'GET',
		    headers: { ...form && {
			'content-type': 'application/x-www-form-urlencoded',
			'content-length': Buffer.byteLength(body) },
			...o.headers } }, res => {
			const parts = [];
			res.on('data', b => parts.push(b));
			res.on('end', () => resolve({ status: res.statusCode,
			    headers: res.headers,
			    body: Buffer.concat(parts).toString() }));
			res.on('error', reject);
		});
		req.setTimeout(o.ms ?? 60000,
		    () => req.destroy(new Error(`no answer to ${path}`)));
		req.on('error', reject);
		o.onrequest?.(req);
		req.end(body ?? undefined);
	});
}

/*
 * A form as a browser sends it: parts of {name, value} or {name, file, bytes,
 * type, head}: [body, its Content-Type].
 */
export function
form(parts, boundary = '----WebKitFormBoundaryhOOvZYYsGZFHZL4k')
{
	const body = parts.flatMap(p => [`--${boundary}\r\n`, p.head ??
	    `Content-Disposition: form-data; name="${p.name}"` +
	    (p.file === undefined ? '\r\n' : `; filename="${p.file}"\r\n` +
	    `Content-Type: ${p.type ?? 'image/png'}\r\n`), '\r\n',
	    p.bytes ?? p.value ?? '', '\r\n']).map(x => Buffer.from(x));
	return [Buffer.concat([...body, Buffer.from(`--${boundary}--\r\n`)]),
	    `multipart/form-data; boundary=${boundary}`];
}

/* that of 2016, as Flash's SWFUpload sent it: a head of its own, fields around */
export function
flash(bytes, file = 'a.png')
{
	const [body, type] = form([{ name: 'Filename', value: file },
	    { name: 'uid', value: '0' }, { name: 'post', value: '1' },
	    { name: 'PHPSESSID', value: '0' },
	    { name: 'Filedata', file, bytes, type: 'application/octet-stream' },
	    { name: 'Upload', value: 'Submit Query' }],
	    '----------KM7ae0Ef1KM7GI3Ij5GI3ei4gL6gL6');
	/* Flash ended without a line */
	return [body.subarray(0, body.length - 2), type];
}

/* Frames as they come, and expectations that wait for them. */
class Frames {
	constructor()
	{
		this.queue = [];
		this.seen = [];
		this.waiters = new Set();
	}

	frame(text)
	{
		const f = JSON.parse(text);
		this.seen.push(f);
		this.queue.push(f);
		this.turn();
	}

	turn()
	{
		for (const w of [...this.waiters])
			w();
	}

	/* the first one not taken yet that want() likes, or of that cmd */
	async next(want, ms = PATIENCE)
	{
		const like = typeof want === 'string' ? f => f.cmd === want : want;
		const end = Date.now() + ms;
		for (;;) {
			const i = this.queue.findIndex(f => like(f));
			if (i >= 0)
				return this.queue.splice(i, 1)[0];
			if (Date.now() >= end || this.over)
				throw new Error(`no frame like ${want}; got ` +
				    JSON.stringify(this.seen.slice(-6)));
			await new Promise(r => {
				const go = () => {
					clearTimeout(t);
					this.waiters.delete(go);
					r();
				};
				const t = setTimeout(go, end - Date.now());
				this.waiters.add(go);
			});
		}
	}

	async login(name, avatar = 'a.png')
	{
		this.send({ cmd: 'login', name, avatar });
		this.me = await this.next('login');
		this.fd = this.me.fd;
		return this.me;
	}

	/* says it to all, or to the session of number `to` */
	say(data, to, type = 'text')
	{
		this.send(to === undefined ?
		    { cmd: 'message', from: this.fd, channal: 0, data, type } :
		    { cmd: 'message', from: this.fd, to: String(to), channal: 1,
			data, type });
	}

	hear(data)
	{
		return this.next(f => f.cmd === 'fromMsg' && f.data === data);
	}
}

/* the page, by WebSocket */
export class Page extends Frames {
	static async open(url, o = {})
	{
		const p = new Page();
		p.ws = new WebSocket(url, { perMessageDeflate: false,
		    origin: o.origin, headers: o.headers });
		p.ws.on('message', d => p.frame(d.toString()));
		p.gone = new Promise(r => p.ws.on('close', (code, why) => {
			p.over = true;
			p.turn();
			r({ code, why: why.toString() });
		}));
		await new Promise((yes, no) => {
			p.ws.on('open', yes);
			p.ws.on('error', no);
		});
		return p;
	}

	static async login(url, name, avatar, o)
	{
		const p = await Page.open(url, o);
		await p.login(name, avatar);
		return p;
	}

	send(o)
	{
		this.ws.send(typeof o === 'string' ? o : JSON.stringify(o));
	}

	/* all that the server sent before is here */
	settle()
	{
		return new Promise(r => {
			this.ws.once('pong', r);
			this.ws.ping();
		});
	}

	async bye()
	{
		this.ws.close();
		await this.gone;
	}
}

/* the page, by long poll: of 2016, or of 2019 with its cookie */
export class Comet extends Frames {
	static async open(port, o = {})
	{
		const p = Object.assign(new Comet(), { port, o, polls: 0 });
		const r = await ask(port, o.year === 2019 ? '/websocket/connect' :
		    '/connect', { type: 'connect' }, o);
		assert.equal(r.status, 200, r.body);
		if (o.year === 2019)
			p.cookie = /^session_key=([0-9a-f]{32})/
			    .exec(r.headers['set-cookie'][0])[0];
		else
			p.id = JSON.parse(r.body).session_id;
		if (!o.still)	/* polls when it is told to */
			p.loop();
		return p;
	}

	request(type, more)
	{
		const headers = { ...this.o.headers,
		    ...this.cookie && { cookie: this.cookie } };
		if (this.o.year === 2019)
			return type === 'sub' ?
			    ask(this.port, '/websocket/sub?time=30', null,
				{ headers }) :
			    ask(this.port, '/websocket/pub', more, { headers });
		return ask(this.port, `/${type}`,
		    { type, session_id: this.id, ...more }, { headers });
	}

	async loop()
	{
		while (!this.over) {
			const r = await this.request('sub', { time: '80' })
			    .catch(e => ({ status: 0, body: e.message }));
			this.polls++;
			if (r.status !== 200) {
				this.over = true;
				this.denied = r;
				this.turn();
				return;
			}
			const a = JSON.parse(r.body);
			if (a.success)
				this.frame(a.data);
		}
	}

	send(o)
	{
		this.pubs = (this.pubs ?? Promise.resolve()).then(async () => {
			const r = await this.request('pub',
			    { message: JSON.stringify(o) });
			assert.equal(r.status, 200, r.body);
		});
		return this.pubs;
	}

	/* asks no more; what waits of it is let go */
	stop()
	{
		this.over = true;
	}
}

/* --- replay ---------------------------------------------------------------- */

/* what stands for a recorded number or id of a session, once it is known */
class Names {
	constructor()
	{
		this.of = new Map();
	}

	/* as recorded -> as here, of the same type, but for a poll's own fd */
	bind(was, is)
	{
		const key = String(was);
		if (!this.of.has(key))
			this.of.set(key, String(is));
		return this.of.get(key) === String(is);
	}

	get(was)
	{
		return this.of.get(String(was)) ?? String(was);
	}
}

const isId = s => /^[0-9a-f]{32}$/.test(s);

/* null where got is want; else what differs */
function
differs(want, got, names, path = '')
{
	const key = path.replace(/^.*[.]/, '');
	if (['fd', 'from', 'to', 'users[]'].includes(key) && want !== 0) {
		/* a poll's session is known by a number, not by its id */
		if (typeof want !== typeof got && !isId(String(want)))
			return `${path} is a ${typeof got}`;
		return names.bind(want, got) ? null :
		    `${path} is ${got}, recorded ${want} is ${names.get(want)}`;
	}
	if (key === 'time')
		return Number.isInteger(got) && Math.abs(got - Date.now() / 1000) <
		    3600 ? null : `${path} is ${got}`;
	if (Array.isArray(want)) {
		if (!Array.isArray(got) || got.length !== want.length)
			return `${path} is ${JSON.stringify(got)}`;
		for (const [i, v] of want.entries()) {
			const d = differs(v, got[i], names, `${path}[]`);
			if (d)
				return d;
		}
		return null;
	}
	if (want && typeof want === 'object') {
		const a = Object.keys(want).join(), b = Object.keys(got ?? {}).join();
		if (a !== b)
			return `${path} has ${b}, recorded ${a}`;
		for (const k of Object.keys(want)) {
			const d = differs(want[k], got[k], names, `${path}.${k}`);
			if (d)
				return d;
		}
		return null;
	}
	return Object.is(want, got) ? null : `${path} is ` +
	    `${JSON.stringify(got)}, recorded ${JSON.stringify(want)}`;
}

/* what a client of ours says instead: with our numbers */
function
translated(text, names)
{
	const f = JSON.parse(text);
	if (typeof f.to === 'string')
		f.to = names.get(f.to);
	return JSON.stringify(f);
}

/*
 * records: of a transcript; port, path: where; deviations: [{why, change(r)}]:
 * a change gives the record to compare with instead, null for none, or
 * undefined when it is not about that record.
 */
export async function
replay(records, o)
{
	const players = new Map(), names = new Names(), used = new Set();
	const polls = new Map();
	const origin = `http://127.0.0.1:${o.port}`;
	let before = 0;

	const changed = r => {
		for (const d of o.deviations ?? []) {
			const n = d.change(structuredClone(r));
			if (n === undefined)
				continue;
			used.add(d);
			if (n === null)
				return null;
			r = n;
		}
		return r;
	};
	const play = async (r, at) => {
		const p = players.get(r.who);
		if (r.dir === 'open')
			players.set(r.who, await Page.open(
			    `ws://127.0.0.1:${o.port}${o.path ?? '/'}`, { origin }));
		else if (r.dir === 'send')
			p.send(translated(r.frame, names));
		else if (r.dir === 'recv') {
			const want = JSON.parse(r.frame);
			const got = await p.next(want.cmd).catch(e => {
				throw new Error(`${at}: ${e.message}`);
			});
			assert.equal(differs(want, got, names), null,
			    `${at}: got ${JSON.stringify(got)}`);
		} else if (r.dir === 'close') {
			await p.settle();
			assert.deepEqual(p.queue, [], `${at}: more than recorded`);
			p.ws.close();
		} else if (r.dir === 'http-request') {
			const form = Object.fromEntries(new URLSearchParams(r.body));
			if (form.session_id)
				form.session_id = names.get(form.session_id);
			if (form.message?.startsWith('{'))
				form.message = translated(form.message, names);
			const list = polls.get(r.who + r.path) ?? [];
			polls.set(r.who + r.path, list);
			list.push(ask(o.port, r.path, r.method === 'POST' && form,
			    { headers: { origin } }));
		} else if (r.dir === 'http-response') {
			const a = await polls.get(r.who + r.path).shift();
			assert.equal(a.status, r.status, `${at}: ${a.body}`);
			assert.equal(a.headers['content-type'],
			    r.headers['content-type'], at);
			if (r.headers['access-control-allow-origin'])
				assert.equal(a.headers['access-control-allow-origin'],
				    origin, at);
			answered(r, a, at);
		}
	};
	/* the session_id is bound, a text within is compared as a frame */
	const answered = (r, a, at) => {
		if (!r.body.startsWith('{')) {
			assert.equal(a.body, r.body, at);
			return;
		}
		const want = JSON.parse(r.body), got = JSON.parse(a.body);
		if (want.session_id) {
			assert.match(got.session_id, /^[0-9a-f]{32}$/);
			ids.set(want.session_id, got.session_id);
			got.session_id = want.session_id;
		}
		if (want.data) {
			assert.equal(differs(JSON.parse(want.data),
			    JSON.parse(got.data), names), null, `${at}: ${a.body}`);
			got.data = want.data;
		}
		assert.deepEqual(got, want, at);
	};
	const ids = new Map();
	/* they went together: nobody heard of the others */
	const last = records.findLastIndex(r => !r.dir.startsWith('close'));
	for (const [i, was] of records.entries()) {
		const r = changed(was);
		if (r === null)
			continue;
		/* long gaps are part of the recording: the limit of rate */
		if (r.t - before >= LONG_GAP)
			await new Promise(x => setTimeout(x,
			    (r.t - before) * 1000));
		before = r.t;
		if (r.dir === 'http-request')
			for (const [a, b] of ids)
				r.body = r.body.replace(a, b);
		if (i > last && r.dir === 'close')
			continue;
		await play(r, `record ${i + 1} (${r.who} ${r.dir})`);
	}
	for (const [who, p] of players) {
		if (p.ws.readyState !== WebSocket.OPEN)
			continue;
		await p.settle();
		assert.deepEqual(p.queue, [], `${who}: more than recorded`);
	}
	for (const [, p] of players)
		p.ws.terminate();
	await Promise.all([...players.values()].map(p => p.gone));
	for (const d of o.deviations ?? [])
		assert.ok(used.has(d), `a deviation was not needed: ${d.why}`);
}
