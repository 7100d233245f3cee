/* SPDX-License-Identifier: MIT */
/*
 * The browser SDK of cchat: one class, no dependency, no DOM.  It runs in
 * browsers, workers and Node (22 as is; older ones get a WebSocket class by
 * option).  It logs in, comes back by itself (link.js), resumes where it
 * was, sends each message until the server has it, and hands out every
 * conversation in rising `seq`.  It draws nothing and stores nothing.  What is
 * asked for beside that (history, people, marks) comes with asks.js, late.
 * README.md is its manual, cchat.d.ts the list of its names.
 */
import { CChatError, Events, Link } from './link.js';
import { Outbox } from './outbox.js';
import { clean, isSeq, items, key, message, name, PAGE, Stream, str } from './stream.js';

export { CChatError };

/** @typedef {import('./link.js').Frame} Frame */
/** @typedef {{rid?: string, tid?: string}} Target */
const SYNC = 5000;	/* a lost `synced` holds the queue no longer, ms */
/* what a server may have, and the command whose error 102 says it has not */
const CAPS = { ack: '', history: 'getHistory', typing: 'typing', marks: 'mark',
	edit: 'edit', recall: 'recall', react: 'react', title: 'title',
	upload: 'upload', presence: 'getOnline', join: 'join' };

const home = () => {
	const l = globalThis.location;
	return l?.host && `${l.protocol === 'https:' ? 'wss' : 'ws'}://${l.host}/ws`;
};

export class CChat extends Events {
	/** @type {any} */ #o;
	/** @type {Link} */ #link;
	/** @type {Outbox} */ #out;
	/** @type {any} */ #who = null;
	/** @type {any} */ #first = null;	/* the promise of login() */
	/** @type {Set<string>} */ #syncs = new Set();
	/** @type {any} */ #patience;
	#missed = 0;
	#rewound = 0;
	#whole = true;
	/** @type {Map<string, Stream>} */ #rooms = new Map();
	/** @type {any} */ #priv = { ep: '', seq: null };
	/** @type {Map<string, number>} */ #peers = new Map();
	/** @type {import('./asks.js').Asks|null} */ #asks = null;
	/** @type {Promise<import('./asks.js').Asks>|null} */ #fetched = null;
	/** @type {Set<string>} */ #lacks = new Set();
	/** @type {any} */ #up = null;

	/** Protocol version agreed at login: 0 before, then 1 or 2. */
	v = 0;
	/** @type {{uid: string, name: string}|null} */
	me = null;
	/** @type {{msg: number, rate: [number, number]|null, rooms: number}} */
	limit = { msg: 4096, rate: null, rooms: 128 };

	/** @param {import('./cchat.js').Options} [options] */
	constructor(options = {}) {
		super();
		const o = this.#o = {
			ackTimeout: 10000, askTimeout: 10000, openTimeout: 10000,
			queue: 200, random: Math.random, ...options,
		};
		o.WebSocket ??= globalThis.WebSocket;
		o.url ||= home() || '';
		if (!o.WebSocket)
			throw new CChatError('state', 'no WebSocket class here');
		this.#link = new Link(o, {
			hello: (s) => this.#hello(s),
			welcome: (s, f) => this.#welcome(s, f),
			frame: (f) => this.#frame(f),
			down: () => this.#down(),
			end: (e) => this.#end(e),
			emit: (type, e) => this.emit(type, e),
		});
		this.#out = new Outbox(o, {
			state: () => !this.#who || this.state === 'closed' ? 'closed'
				: this.state !== 'online' || this.#syncs.size ? 'hold' : 'open',
			put: (f) => this.#send(f),
			emit: (type, e) => this.emit(type, e),
		});
	}

	get state() { return this.#link.state; }
	/** Rooms this session is in. */
	get rooms() { return [...this.#rooms.keys()]; }
	/** What this server has; empty where it knows version 1 only. */
	get caps() {
		return new Set(this.v < 2 ? [] : Object.entries(CAPS).filter(([, cmd]) =>
			cmd === 'upload' ? this.#up : !this.#lacks.has(cmd)).map(([c]) => c));
	}
	/** Where the server's own urls (`/u/...`) lie. */
	get origin() {
		return new URL(this.#link.cur?.to ?? this.#o.url).origin
			.replace(/^ws/, 'http');
	}
	/** Positions, as `login({pos})` takes them after a restart. */
	get pos() { return this.#positions([...this.#rooms.keys(), '@']); }

	/* ---- coming and going ------------------------------------------ */

	/**
	 * Log in; resolves with the login reply.  With `persist` a server that
	 * cannot be reached is tried again, else the first failure rejects.
	 * @param {import('./cchat.js').Login} who @returns {Promise<any>}
	 */
	login(who) {
		if (this.#who && this.state !== 'closed')
			return Promise.reject(new CChatError('state', 'logged in already'));
		this.#who = { dev: `js-${this.#link.base}`, ...who,
			rid: str(who.rid) || '1' };
		this.#rooms.clear();
		this.#peers.clear();
		this.#lacks.clear();
		this.#asks?.end(new CChatError('closed'));
		this.#priv = { ep: '', seq: null };
		for (const [key, p] of Object.entries(who.pos ?? {})) {
			const e = key === '@' ? this.#priv : this.#room(key);
			[e.ep, e.seq] = p;
		}
		this.#room(this.#who.rid);
		return new Promise((resolve, reject) => {
			this.#first = { resolve, reject };
			this.#link.start();
			if (who.persist)
				this.#link.set('reconnecting');
		});
	}

	/** Try again now instead of waiting for the back-off to end. */
	retry() { this.#link.retry(); }

	/** Leave for good: `bye`, so that others see it at once. */
	close() {
		if (this.#link.live && this.v > 1)
			this.#link.put({ cmd: 'bye' });
		this.#link.end(new CChatError('closed'));
		this.#who = this.me = null;
	}

	/** A new token, on the open socket. @param {string} token */
	auth(token) {
		this.#who.token = token;
		return this.ask('auth', { token });
	}

	/** @param {import('./link.js').Sock} s @returns {Frame} */
	#hello(s) {
		const { name, rid, token, dev, uid } = this.#who;
		const pos = this.pos;	/* a room named is entered again */
		return {
			cmd: 'login', v: 2, name, rid, dev, cid: s.cid,
			...(uid ? { uid } : {}), ...(token ? { token } : {}),
			...(Object.keys(pos).length ? { pos } : {}),
			...(s.key ? { from: s.key } : {}),
		};
	}

	/** @param {string[]} keys @returns {Record<string, [string, number]>} */
	#positions(keys) {
		/** @type {Record<string, [string, number]>} */ const pos = {};
		for (const k of keys) {
			const e = k === '@' ? this.#priv : this.#rooms.get(k);
			if (e?.ep && e.seq != null)
				pos[k] = [e.ep, e.seq];
		}
		return pos;
	}

	/** @param {import('./link.js').Sock} s @param {Frame} f the login reply */
	#welcome(s, f) {
		this.v = f.v >= 2 ? 2 : 1;
		this.me = { uid: str(f.uid), name: str(f.name) };
		if (typeof f.token === 'string')
			this.#who.token = f.token;
		if (this.v < 2)
			this.#who.uid = this.me.uid;	/* as the server drew it */
		const { msg, rate, rooms } = f.limit ?? {};
		this.limit = {
			msg: msg > 0 ? msg : this.v > 1 ? 4096 : 1024,
			rate: rate?.[0] > 0 && rate[1] >= 1 ? [rate[0], rate[1]]
				: this.v > 1 ? null : [0.48, 1],
			rooms: rooms > 0 ? rooms : 128,
		};
		this.#out.limit(this.limit.rate);
		this.#up = typeof f.up?.key === 'string' && str(f.up.url) ? f.up : null;
		this.#missed = 0;
		this.#whole = true;
		const first = this.#first;
		this.#first = null;
		const room = this.#room(this.#who.rid);
		if (this.#resume(f.pos))
			this.#syncs.add(s.cid);
		const ok = { ...clean(f), v: this.v, again: !first };
		this.emit('login', ok);
		first?.resolve(ok);
		for (const [rid, r] of this.#rooms)
			if (r === room || f.pos?.[rid])
				this.#joined(r, null);
			else
				this.#join(rid, r);
		this.#patience = setTimeout(() => this.#synced(), SYNC);
		if (!this.#syncs.size)
			this.#synced();
	}

	#down() {
		clearTimeout(this.#patience);
		this.#syncs.clear();
		this.#out.down();
	}

	/** @param {CChatError} err */
	#end(err) {
		this.#down();
		for (const r of this.#rooms.values())
			this.#joined(r, err);
		this.#out.end(err);
		this.#asks?.end(err);
		this.#first?.reject(err);
		this.#first = null;
	}

	/* ---- requests -------------------------------------------------- */

	/** A fresh id for a command. */
	cid() { return this.#link.cid(); }

	/**
	 * Any command that has an answer; rejects with a CChatError.  What a
	 * server answered with 102 once is not asked of it again.
	 * @param {string} cmd @param {Frame} keys @returns {Promise<Frame>}
	 */
	ask(cmd, keys) {
		return new Promise((resolve, reject) => {
			if (this.v === 1 || this.#lacks.has(cmd))
				return reject(new CChatError(102, `no ${cmd} here`));
			this.#link.ask(cmd, keys, resolve, (e) => {
				this.#lack(cmd, e);
				reject(e);
			});
		});
	}

	/** @param {string} cmd @param {any} e what it was answered */
	#lack(cmd, e) {
		if (e.code === 102 && !this.#lacks.has(cmd) && this.#lacks.add(cmd))
			this.emit('caps', { caps: this.caps });
	}

	/** @returns {Promise<import('./asks.js').Asks>} */
	#late() {
		/** @type {any} */ const me = this;
		const line = () => this.state === 'online' && !this.#syncs.size
			? this.#link.cur : null;
		return this.#fetched ??= import('./asks.js').then(
			(m) => this.#asks = new m.Asks(me, line), (e) => {
				this.#fetched = null;	/* the next one tries again */
				throw new CChatError('network', String(e));
			});
	}

	/** A page, oldest first. @param {Target} of @param {Frame} [opt] */
	async history(of, opt = {}) { return (await this.#late()).history(of, opt); }

	/** All of it, page by page. @param {Target} of @param {any} [opt] */
	async *historyAll(of, opt = {}) {
		yield* (await this.#late()).historyAll(of, opt);
	}

	/** Who is in a room. @param {string} rid */
	async online(rid, max = 10000) { return (await this.#late()).online(rid, max); }

	/** Which of these are online, anywhere. @param {string[]} uids */
	async users(uids) { return (await this.#late()).users(uids); }
	/** My conversations and what is unread; [] where no server keeps them. */
	async inbox(max = 200) { return (await this.#late()).inbox(max); }

	/** How far one was read. @param {Target} of @param {number} read */
	mark(of, read) {
		this.#late().then((a) => a.mark(of, read), () => {});
	}

	/** Who read it. @param {Target} of @param {number} seq */
	async marks(of, seq, max = 1000) {
		return (await this.#late()).marks(of, seq, max);
	}

	/** I am writing; call it at every key. @param {Target} to */
	typing(to, on = true) {
		if (this.caps.has('typing'))
			this.#late().then((a) => a.typing(to, on), () => {});
	}

	/** Hear `status` of these, not of those before. @param {string[]} uids */
	async watch(uids) {
		const own = [...uids];
		return (await this.#late()).watch(own);
	}

	/** Whether I am away; said again likewise. @param {'on'|'away'} st */
	async status(st) { return (await this.#late()).status(st); }

	/* ---- rooms ----------------------------------------------------- */

	/** @param {string} rid @returns {Stream} */
	#room(rid) {
		const r = this.#rooms.get(rid) ?? new Stream(rid, {
			fetch: (after) => this.ask('getHistory', { rid, after, limit: PAGE })
				.then((f) => items(f.list).map((i) => ({ rid, ...i })), (e) => {
					if (e.code === 'offline' || e.code === 'closed')
						throw e;
					return [];	/* refused: it stays a hole */
				}),
			deliver: (f) => this.#deliver(f),
			gap: (from, to, why) =>
				this.emit('gap', { conv: rid, from, to, why }),
			rewind: () => this.#rewind(),
		});
		this.#rooms.set(rid, r);
		return r;
	}

	/** Enter one more room, on this socket. @param {string} rid */
	join(rid) {
		const fresh = !this.#rooms.has(rid);
		if (!this.#who)
			return Promise.reject(new CChatError('state', 'log in first'));
		const r = this.#room(rid);
		if (!fresh && !r.wait.length && this.state === 'online')
			return Promise.resolve({ rid });
		return new Promise((resolve, reject) => {
			r.wait.push({ resolve, reject });
			if (this.#link.live && r.wait.length === 1)
				this.#join(rid, r);
		});
	}

	/** @param {string} rid @param {Stream} r */
	#join(rid, r) {
		if (this.v < 2)
			return this.#link.put({ cmd: 'login', name: this.#who.name,
				uid: this.me?.uid, rid });
		const pos = this.#positions([rid]);
		const back = !!pos[rid];	/* the room has something to catch up */
		if (back)
			this.#syncs.add(rid);
		const here = this.#link.cur;
		const settle = () => {
			if (this.#syncs.delete(rid) && !this.#syncs.size)
				this.#synced();
		};
		this.#link.ask('join', { rid, ...(back ? { pos } : {}) }, (f) => {
			if (back && this.#resume(f.pos))
				this.#syncs.add(f.cid);
			else if (!back)
				this.#resume(f.pos);
			settle();
			this.#joined(r, null);
		}, (e) => {
			if (e.code === 'offline')
				return;		/* joined again with the next login */
			if (e.retry >= 0 || e.code === 'timeout') {
				setTimeout(() => here === this.#link.cur &&
					this.#rooms.get(rid) === r && this.#join(rid, r),
					e.retry || 1000);
				return;
			}
			this.#rooms.delete(rid);
			settle();
			this.#joined(r, e);
			this.emit('left', { rid, error: e });
		});
	}

	/** @param {Stream|undefined} r @param {CChatError|null} err */
	#joined(r, err) {
		for (const w of r?.wait.splice(0) ?? [])
			if (err)
				w.reject(err);
			else
				w.resolve({ rid: r?.rid });
	}

	/** @param {string} rid */
	async leave(rid) {
		this.#rooms.delete(rid);
		if (rid === this.#who?.rid)	/* where the next login goes */
			this.#who.rid = this.rooms[0] ?? '1';
		await this.ask('leave', { rid });
	}

	/* ---- sending --------------------------------------------------- */

	/**
	 * Send; resolves with {cid, seq, mid, ts} once the server stored it.
	 * Offline it waits; every attempt has the same cid, so it cannot double.
	 * @param {Target} to @param {string} msg
	 * @param {{type?: string, cid?: string, at?: string[], re?: number}} [opt]
	 * @returns {any}
	 */
	send(to, msg, opt = {}) {
		const cid = opt.cid ?? this.cid();
		return this.#out.send({
			cmd: 'message', type: opt.type ?? 'text', msg, ...name(to), cid,
			...(opt.at?.length ? { at: opt.at } : {}),
			...(opt.re ? { re: opt.re } : {}),
		});
	}

	/** As messages go. @param {string} cmd @param {Target} of @param {Frame} keys */
	#act(cmd, of, keys) {
		const cid = keys.cid ?? this.cid();
		const no = this.v === 1 || this.#lacks.has(cmd);
		/** @type {any} */
		const p = no ? Promise.reject(new CChatError(102, `no ${cmd} here`, { cid }))
			: this.#out.send({ cmd, ...name(of), ...keys, cid });
		p.cid = cid;
		p.catch((/** @type {any} */ e) => this.#lack(cmd, e));
		return p;
	}

	/** @param {Target} of @param {number} ref @param {string} msg */
	edit(of, ref, msg) { return this.#act('edit', of, { ref, msg }); }
	/** @param {Target} of @param {number} ref */
	recall(of, ref) { return this.#act('recall', of, { ref }); }
	/** @param {Target} of @param {number} ref @param {string} emo */
	react(of, ref, emo, on = true) { return this.#act('react', of, { ref, emo, on }); }
	/** @param {string} rid @param {string} title */
	title(rid, title) { return this.#act('title', { rid }, { title }); }

	/** @param {Blob} blob @param {import('./upload.js').Opt} [opt] */
	async upload(blob, opt = {}) {
		const { upload } = await import('./upload.js').catch((e) => {
			throw new CChatError('network', String(e));
		});
		return upload(() => this.#up, this.origin, blob, opt, this.#o.fetch);
	}

	/** Upload, and say so. @param {Target} to @param {Blob} blob @param {any} [opt] */
	sendFile(to, blob, opt = {}) {
		const cid = opt.cid ?? this.cid();
		/** @type {any} */
		const p = this.upload(blob, { name: /** @type {any} */ (blob).name, ...opt })
			.then((f) => this.send(to, f.url, { cid, type: opt.type ?? f.type }));
		p.cid = cid;
		return p;
	}

	/** @param {Frame} f a message @returns {boolean} no ack will come */
	#send(f) {
		if (this.v > 1) {
			this.#link.put(f);
			return false;
		}
		if (f.cmd !== 'message')
			return this.#out.refused({ errCode: 102, cid: f.cid });
		const { cid, at, re, ...plain } = f;
		this.#link.put({ rid: this.#who.rid, ...plain });
		return true;
	}

	/** Forget a message that waits; false if none does. @param {string} cid */
	cancel(cid) { return this.#out.cancel(cid); }

	/* ---- what comes in --------------------------------------------- */

	/** @param {Frame} f */
	#frame(f) {
		switch (f.cmd) {
		case 'error':
			if (!this.#out.refused(f))
				this.emit('error', CChatError.from(f));
			return;
		case 'ok':
			return this.#out.acked(f.cid, f);
		case 'login':		/* version 1: one more room */
			return this.#joined(this.#rooms.get(str(f.rid)), null);
		case 'synced':
			if (this.#syncs.delete(f.cid) && !this.#syncs.size)
				this.#synced();
			return;
		case 'gap':
			return this.#gap(f);
		case 'newUser': case 'offline': case 'presence': case 'status':
		case 'notice': case 'auth':
			return this.emit(f.cmd, clean(f));
		case 'mark': case 'typing':
			return this.emit(f.cmd, { ...clean(f), conv: key(f, this.me?.uid) });
		}
		if (isSeq(f.seq) || f.cmd === 'message')
			this.#item(f);
	}

	/** @param {Frame} f in the order of its conversation, and once */
	#item(f) {
		if (this.v < 2)
			return this.#deliver(f);
		const at = this.#priv;
		if (isSeq(f.useq)) {
			if (at.seq != null && f.useq <= at.seq)
				return this.#out.acked(f.cid, f);
			if (at.seq != null && f.useq > at.seq + 1 &&
			    Date.now() - this.#rewound > 30000)
				return this.#rewind();
			at.seq = f.useq;
		}
		const conv = key(f, this.me?.uid);
		if (conv[0] === '@' && isSeq(f.seq)) {
			if (f.seq <= (this.#peers.get(conv) ?? 0))
				return this.#out.acked(f.cid, f);
			this.#peers.set(conv, f.seq);
		}
		if (conv[0] === '@' || isSeq(f.useq))
			return this.#deliver(f);
		const r = this.#rooms.get(conv);
		if (!r)
			return;		/* left: the rest of what was on the way */
		if (!isSeq(f.seq))
			this.#deliver(f);
		else if (!r.take(f))
			this.#out.acked(f.cid, f);
	}

	/** @param {Frame} f */
	#deliver(f) {
		const m = message(f, this.me?.uid);
		if (m.mine)
			this.#out.acked(f.cid, f);
		m.replay = this.#syncs.size > 0;
		if (m.replay && m.cmd === 'message' && !m.mine)
			this.#missed++;
		this.emit(m.cmd === 'message' ? 'message' : 'item', m);
	}

	/* Something is missing that only a replay can bring: come in again. */
	#rewind() {
		this.#rewound = Date.now();
		if (this.#link.cur)
			this.#link.lost(this.#link.cur, 4201, 'hole in the stream');
	}

	/**
	 * Take over the `pos` of a login or join reply.
	 * @param {Frame|undefined} pos @returns {boolean} items follow
	 */
	#resume(pos) {
		let follow = false;
		for (const [key, p] of Object.entries(pos ?? {})) {
			const e = key === '@' ? this.#priv : this.#rooms.get(key);
			if (!e || !p || !Number.isSafeInteger(p.seq))
				continue;
			if (p.title !== undefined)
				this.emit('room', { rid: key, title: str(p.title) });
			if (e.ep && e.ep !== p.ep) {	/* the log began anew */
				if (key === '@')
					this.#peers.clear();
				e.seq = null;
				this.emit('reset', { conv: key, ep: p.ep });
			}
			e.ep = str(p.ep);
			e.head = p.seq;
			e.rest?.();
			if (p.n > 0)
				follow = true;
			if (e.seq == null)
				e.seq = p.n > 0 && isSeq(p.from) ? p.from - 1 : p.seq;
			else if (p.full === false && p.from > e.seq + 1) {
				this.#whole = false;
				this.emit('gap', { conv: key, from: e.seq + 1,
					to: p.from - 1, why: 'retention' });
				e.seq = p.from - 1;
			}
		}
		return follow;
	}

	/* All replays are through: live from here. */
	#synced() {
		clearTimeout(this.#patience);
		this.#syncs.clear();
		for (const r of this.#rooms.values())
			if (r.seq != null && r.head > r.seq)
				r.fill(r.head);
		this.emit('synced', { missed: this.#missed, full: this.#whole });
		this.#missed = 0;
		this.#asks?.again();
		this.#out.flush();
	}

	/** @param {Frame} f the server names a hole */
	#gap(f) {
		if (!isSeq(f.to))
			return;
		const r = this.#rooms.get(str(f.rid));
		if (r)
			return void r.fill(f.to);
		this.#priv.seq = Math.max(this.#priv.seq ?? 0, f.to);
		this.emit('gap', { conv: '@', from: f.from, to: f.to, why: f.why });
	}
}
