/* SPDX-License-Identifier: MIT */
/*
 * WebSocket clients for the process tests.  Client is one socket with
 * expectations that wait; Walker comes back by itself after a loss, with its
 * positions and its unacked messages, as the page does; History is what all
 * of them saw, and the judge of it.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';

/* far longer than anything takes: a busy machine is no failure */
export const PATIENCE = 60000;
/* what is said to take seconds may take more; a short look stays one */
const patient = ms => ms < 3000 ? ms : Math.max(ms, PATIENCE);

/* those whose item comes back under the same name: `ok` is the answer */
const ITEMS = new Set(['message', 'edit', 'recall', 'react', 'title']);

let serial = 0;
export const newCid = () => `t${process.pid.toString(36)}-${(++serial)
    .toString(36)}`;

const brief = f => {
	const s = JSON.stringify(f);
	return s.length > 160 ? `${s.slice(0, 160)}...` : s;
};

export class Client {
	constructor(url, o = {})
	{
		this.o = o;
		this.queue = [];
		this.seen = [];
		this.waiters = new Set();
		this.closed = null;	/* {code, reason} */
		this.ws = new WebSocket(url, { perMessageDeflate: false,
		    origin: o.origin, handshakeTimeout: o.ms ?? PATIENCE,
		    headers: o.headers });
		this.ws.on('message', (data, binary) => this.frame(data, binary));
		this.ws.on('error', e => { this.error = e; });
		this.gone = new Promise(r => this.ws.on('close', (code, reason) => {
			this.closed = { code, reason: reason.toString() };
			this.turn();
			r(this.closed);
		}));
		this.opened = new Promise((resolve, reject) => {
			this.ws.on('open', () => resolve(this));
			this.ws.on('error', reject);
		});
		this.opened.catch(() => {});
	}

	static open(url, o)
	{
		return new Client(url, o).opened;
	}

	/*
	 * A logged in client.  o.v: 2 (default) or 1; o.uid, o.token, o.dev,
	 * o.pos, o.inbox, o.caps travel as given.
	 */
	static async login(url, name, rid, o = {})
	{
		const c = await Client.open(url, o);
		await c.login(name, rid, o);
		return c;
	}

	async login(name, rid, o = {})
	{
		const f = { cmd: 'login', name, rid };
		for (const k of ['uid', 'token', 'dev', 'pos', 'inbox', 'caps', 'from',
		    'avatar'])
			if (o[k] !== undefined)
				f[k] = o[k];
		const cid = newCid();
		if (o.v !== 1)
			f.v = 2, f.cid = cid;
		this.send(f);
		const a = await this.take(x => x.cmd === 'login' ||
		    x.cmd === 'error', o.ms);
		if (a.cmd === 'error')
			throw Object.assign(new Error(`login: ${a.errCode} ${a.errMsg}`),
			    { errCode: a.errCode, frame: a });
		this.me ??= a;
		this.uid ??= a.uid;
		this.name ??= a.name;
		this.token ??= a.token;
		return a;
	}

	frame(data, binary)
	{
		assert.ok(!binary, 'a binary frame from the server');
		let f = JSON.parse(data.toString());
		for (f of Array.isArray(f) ? f : [f]) {
			f = Object.assign(f);
			/* when it came; a message may have an `at` of its own */
			if (!Array.isArray(f.at))
				Object.defineProperty(f, 'at',
				    { value: performance.now() });
			this.seen.push(f);
			this.queue.push(f);
			this.o.onframe?.(f);
		}
		this.turn();
	}

	turn()
	{
		for (const w of [...this.waiters])
			w();
	}

	send(o)
	{
		this.ws.send(typeof o === 'string' || Buffer.isBuffer(o) ? o :
		    JSON.stringify(o));
	}

	/*
	 * The first frame not taken yet that want() likes; the others stay.  A
	 * string stands for that cmd.
	 */
	next(want, ms = PATIENCE)
	{
		return this.take(want, patient(ms));
	}

	/* The same within ms and no longer: who asks again after that. */
	take(want, ms = PATIENCE)
	{
		const like = typeof want === 'string' ? f => f.cmd === want : want;
		const stack = new Error('no such frame');
		return new Promise((resolve, reject) => {
			const look = () => {
				const i = this.queue.findIndex(f => like(f));
				if (i >= 0) {
					end();
					resolve(this.queue.splice(i, 1)[0]);
				} else if (this.closed) {
					end();
					fail(`closed ${this.closed.code} ` +
					    this.closed.reason);
				}
			};
			const fail = why => {
				stack.message = `no frame like ${want}: ${why}; got ` +
				    (this.seen.slice(-8).map(brief).join(' ') ||
				    'nothing');
				reject(stack);
			};
			const end = () => {
				clearTimeout(timer);
				this.waiters.delete(look);
			};
			const timer = setTimeout(() => {
				end();
				fail(`not within ${ms} ms`);
			}, ms);
			this.waiters.add(look);
			look();
		});
	}

	/* Nothing that want() likes arrives before a ping comes back. */
	async none(want, ms = 0)
	{
		const like = typeof want === 'string' ? f => f.cmd === want : want;
		if (ms)
			await new Promise(r => setTimeout(r, ms));
		await this.settle();
		const f = this.queue.find(x => like(x));
		assert.equal(f, undefined, `not due: ${brief(f ?? {})}`);
	}

	/* All that the server sent before has been read. */
	settle()
	{
		return new Promise((resolve, reject) => {
			const tag = randomBytes(4);
			const on = data => {
				if (!data.equals(tag))
					return;
				clearTimeout(timer);
				this.ws.off('pong', on);
				resolve();
			};
			const timer = setTimeout(() => {
				this.ws.off('pong', on);
				reject(new Error('no pong'));
			}, PATIENCE);
			this.ws.on('pong', on);
			this.ws.ping(tag);
		});
	}

	/* A command with a cid; resolves to its answer, throws its error. */
	async cmd(o, ms = PATIENCE)
	{
		const cid = o.cid ?? newCid();
		this.send({ ...o, cid });
		const a = await this.take(f => f.cid === cid &&
		    ['ok', 'error', ITEMS.has(o.cmd) ? 'ok' : o.cmd]
		    .includes(f.cmd), ms);
		if (a.cmd === 'error')
			throw Object.assign(new Error(`${o.cmd}: ${a.errCode} ` +
			    a.errMsg), { errCode: a.errCode, retry: a.retry, frame: a });
		return a;
	}

	/* Says msg in a room; resolves to the ok of version 2. */
	say(rid, msg, o = {})
	{
		return this.cmd({ cmd: 'message', type: 'text', rid, msg, ...o },
		    o.ms);
	}

	/* The message with that text. */
	hear(msg, ms)
	{
		return this.next(f => f.cmd === 'message' && f.msg === msg, ms);
	}

	history(rid, o = {})
	{
		return this.cmd({ cmd: 'getHistory', rid, ...o });
	}

	online(rid, o = {})
	{
		return this.cmd({ cmd: 'getOnline', rid, ...o });
	}

	/* Close with a code within ms. */
	async dies(codes, ms = PATIENCE)
	{
		let timer;
		ms = patient(ms);
		const r = await Promise.race([this.gone, new Promise((_, no) => {
			timer = setTimeout(() => no(new Error(
			    `not closed within ${ms} ms`)), ms);
		})]).finally(() => clearTimeout(timer));
		assert.ok([].concat(codes).includes(r.code),
		    `closed with ${r.code} ${r.reason}, not ${codes}`);
		return r;
	}

	/*
	 * Waits for `move` and does what it asks: the new socket first, then this
	 * one ends.  Resolves to the new client; its `moved` is the frame.
	 */
	async follow(o = {})
	{
		const f = await this.next('move', o.ms);
		await new Promise(r => setTimeout(r, f.in));
		const c = await Client.login(f.url ?? this.ws.url, this.name,
		    this.me.rid, { uid: this.uid, token: this.token, from: f.key,
		    pos: o.pos });
		this.ws.close(1000);
		return Object.assign(c, { moved: f });
	}

	async bye()
	{
		if (this.closed)
			return;
		this.ws.close(1000);
		const timer = setTimeout(() => this.ws.terminate(), 2000);
		await this.gone;
		clearTimeout(timer);
	}

	drop()
	{
		this.ws.terminate();
	}
}

/* What every client sent, was promised and received. */
export class History {
	constructor()
	{
		this.sent = new Map();	/* cid -> {rid, msg, t} */
		this.acked = new Map();	/* cid -> {rid, seq, ep, t} */
		this.failed = new Map();	/* cid -> error frame */
		this.got = [];	/* {who, rid, seq, uid, cid, msg, t} */
		this.resumes = [];
	}

	/*
	 * Throws unless: everything acked was received, once and at the acked
	 * place, by each of `everyone`; places rise without a hole for each; all
	 * agree on what stands at a place.
	 */
	check(rid, everyone)
	{
		const at = new Map(), wrong = [];
		for (const who of everyone) {
			let last = null;
			for (const g of this.got.filter(x => x.who === who &&
			    x.rid === rid)) {
				if (last !== null && g.seq !== last + 1)
					wrong.push(`${who}: ${g.seq} after ${last}`);
				last = g.seq;
				const had = at.get(g.seq);
				if (had && (had.msg !== g.msg || had.uid !== g.uid))
					wrong.push(`seq ${g.seq}: two contents`);
				at.set(g.seq, g);
			}
			const texts = new Map();
			for (const g of this.got.filter(x => x.who === who &&
			    x.rid === rid))
				texts.set(g.msg, (texts.get(g.msg) ?? 0) + 1);
			for (const [cid, a] of this.acked) {
				if (a.rid !== rid)
					continue;
				const s = this.sent.get(cid);
				const n = texts.get(s.msg) ?? 0;
				if (n !== 1)
					wrong.push(`${who}: acked "${s.msg}" ${n} times`);
				if (at.get(a.seq)?.msg !== s.msg)
					wrong.push(`acked seq ${a.seq} holds ` +
					    `${at.get(a.seq)?.msg}, not ${s.msg}`);
			}
			for (const [msg, n] of texts)
				if (n > 1)
					wrong.push(`${who}: "${msg}" ${n} times`);
		}
		assert.deepEqual(wrong.slice(0, 20), []);
	}
}

/*
 * A client that never gives up: url() names the server to try next.  It keeps
 * its place in each room by (ep, seq) and sends again what was not acked.
 */
export class Walker {
	constructor(name, rid, urls, history)
	{
		this.name = name;
		this.rid = rid;
		this.urls = urls;
		this.h = history;
		this.pos = null;
		this.unacked = new Map();
		this.waits = new Map();
		this.tries = 0;
		this.over = false;
		this.drops = 0;
		this.live = false;
	}

	async start()
	{
		await this.connect();
		return this;
	}

	async connect()
	{
		for (;;) {
			const url = this.urls[this.tries++ % this.urls.length];
			try {
				const c = await Client.open(url, { ms: 2000,
				    onframe: f => this.frame(f) });
				const before = this.pos;
				c.gone.then(() => this.lost(c));
				this.c = c;
				const a = await c.login(this.name, this.rid, {
				    token: this.token, ms: 4000,
				    pos: before ? { [this.rid]: before } : undefined });
				this.uid ??= a.uid;
				this.token ??= a.token;
				const p = a.pos?.[this.rid];
				if (before)
					this.h.resumes.push({ who: this.name, full: p?.full,
					    n: p?.n });
				if (p && !before)
					this.pos = [p.ep, p.seq];
				else if (p && p.ep !== before[0])
					throw new Error(`${this.name}: another ep`);
				this.live = true;
				for (const f of this.unacked.values())
					c.send(f);
				if (c.closed)
					this.lost(c);
				return;
			} catch (e) {
				this.c?.drop();
				if (this.over)
					return;
				this.last = e;
				await new Promise(r => setTimeout(r,
				    20 + Math.random() * 60));
			}
		}
	}

	lost(c)
	{
		if (this.over || c !== this.c || !this.live)
			return;
		this.live = false;
		this.drops++;
		this.connect();
	}

	frame(f)
	{
		if (f.cmd === 'message' && f.rid === this.rid && f.seq) {
			this.h.got.push({ who: this.name, rid: f.rid, seq: f.seq,
			    uid: f.uid, msg: f.msg, t: performance.now() });
			if (this.pos)
				this.pos[1] = f.seq;
		}
		if (!f.cid || !this.unacked.has(f.cid))
			return;
		if (f.cmd === 'ok') {
			this.h.acked.set(f.cid, { rid: this.rid, seq: f.seq,
			    t: performance.now() });
			this.done(f.cid, f);
		} else if (f.cmd === 'error') {
			/* Not a verdict: the same cid is tried again. */
			if (f.retry !== undefined || f.errCode === 503) {
				const again = this.unacked.get(f.cid);
				setTimeout(() => {
					if (this.live && this.unacked.has(f.cid))
						this.c.send(again);
				}, Math.min(f.retry ?? 200, 500));
			} else {
				this.h.failed.set(f.cid, f);
				this.done(f.cid, f);
			}
		}
	}

	done(cid, f)
	{
		this.unacked.delete(cid);
		this.waits.get(cid)?.(f);
		this.waits.delete(cid);
	}

	/* Resolves to the ok, however many connections that takes. */
	say(msg)
	{
		const cid = newCid();
		const f = { cmd: 'message', type: 'text', rid: this.rid, msg, cid };
		this.h.sent.set(cid, { rid: this.rid, msg, t: performance.now() });
		this.unacked.set(cid, f);
		const p = new Promise(r => this.waits.set(cid, r));
		if (this.live && this.c.ws.readyState === 1)
			this.c.send(f);
		return p;
	}

	async stop()
	{
		this.over = true;
		await this.c?.bye();
	}
}
