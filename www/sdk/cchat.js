/* SPDX-License-Identifier: MIT */
/*
 * The browser SDK of cchat: one class, no dependency, no DOM.  It runs in
 * browsers, workers and Node (22 as is; older ones get a WebSocket class by
 * option).  This is its face, with the line and what goes out on it
 * (link.js).  What a login needs beyond (session.js, keep.js) is fetched
 * while the first line is dialled, and the login is not sent before it is
 * there: no loss of the line has anything to fetch.  The rest (asks.js,
 * upload.js) comes when it is first wanted.
 * README.md is its manual, cchat.d.ts the list of its names.
 */
import { CChatError, Events, Link, Outbox } from './link.js';

export { CChatError };

/** @typedef {import('./link.js').Frame} Frame */
/** @typedef {{rid?: string, tid?: string}} Target */
/* what a server may have, and the command whose error 102 says it has not */
const CAPS = { ack: '', history: 'getHistory', typing: 'typing', marks: 'mark',
	edit: 'edit', recall: 'recall', react: 'react', title: 'title',
	upload: '', presence: 'getOnline', join: 'join' };

/** @type {Record<string, any>} the other modules, as they come */
const have = {};
/** @type {Record<string, () => Promise<any>>} */
const FILES = {
	session: () => import('./session.js'), keep: () => import('./keep.js'),
	asks: () => import('./asks.js'), upload: () => import('./upload.js'),
};
/** @param {string[]} names */
const load = (...names) => Promise.all(names.map(async (n) => {
	try {
		have[n] ??= await FILES[n]();
	} catch (e) {
		throw new CChatError('network', String(e));
	}
}));

export class CChat extends Events {
	/** @type {import('./session.js').Kit} */ #kit;
	/** @type {import('./session.js').Session|null} */ #in = null;
	/** @type {any} */ #who = null;
	/** @type {Set<string>} */ #lacks = new Set();
	/** @type {Function|undefined} login() was called */ #asked;

	/** Protocol version agreed at login: 0 before, then 1 or 2. */
	v = 0;
	/** @type {{uid: string, name: string}|null} */
	me = null;
	/** @type {{msg: number, rate: [number, number]|null, rooms: number}} */
	limit = { msg: 4096, rate: null, rooms: 128 };

	/** Fetch all of the SDK now; without it parts come when they are needed. */
	static load() { return load(...Object.keys(FILES)).then(() => {}); }

	/** @param {import('./cchat.js').Options} [options] */
	constructor(options = {}) {
		super();
		const o = { WebSocket: globalThis.WebSocket, url: '', ackTimeout: 10000,
			askTimeout: 10000, openTimeout: 10000, retryFor: 300000,
			queue: 200, random: Math.random, ...options };
		const l = globalThis.location;
		if (l?.host)
			o.url ||= `${l.protocol === 'https:' ? 'wss' : 'ws'}://${l.host}/ws`;
		if (!o.WebSocket)
			throw new CChatError('state', 'no WebSocket class here');
		const emit = this.emit.bind(this);
		const kit = this.#kit = /** @type {any} */ ({ chat: this, o });
		kit.link = new Link(o, {
			ready: () => this.#ready(),
			hello: (/** @type {any} */ s) => /** @type {any} */ (this.#in).hello(s),
			welcome: (s, f) => this.#in?.welcome(s, f),
			frame: (f) => this.#in?.frame(f),
			down: () => {
				this.#in?.down();
				kit.out.down();
			},
			end: (e) => {
				this.#in?.end(e);
				kit.out.end(e);
				kit.asks?.end(e);
				kit.first?.reject(e);
				kit.first = null;
			},
			emit,
		});
		kit.out = new Outbox(o, {
			state: () => !this.#who || this.state === 'closed' ? 'closed'
				: this.state !== 'online' || this.#in?.syncs.size ? 'hold' : 'open',
			put: (f) => this.#put(f),
			emit,
		});
	}

	get state() { return this.#kit.link.state; }
	/** Rooms this session is in. */
	get rooms() { return [...this.#in?.rooms.keys() ?? []]; }
	/** Positions, as `login({pos})` takes them after a restart. */
	get pos() { return this.#in?.pos() ?? {}; }
	/** What this server has; empty where it knows version 1 only. */
	get caps() {
		return new Set(this.v < 2 ? [] : Object.entries(CAPS).filter(([c, cmd]) =>
			c === 'upload' ? this.#kit.up : !this.#lacks.has(cmd)).map(([c]) => c));
	}
	/** Where the server's own urls (`/u/...`) lie. */
	get origin() {
		return new URL(this.#kit.link.cur?.to ?? this.#kit.o.url).origin
			.replace(/^ws/, 'http');
	}

	/** @returns {Promise<any>|null} null: the login may go */
	#ready() {
		const { session, keep } = have, { link } = this.#kit;
		if (!session || !keep)
			return load('session', 'keep').then(() => this.#ready());
		if (!this.#who)		/* dialled ahead, or closed meanwhile */
			return new Promise((go) => { this.#asked = go; })
				.then(() => this.#ready());
		this.#in ??= new session.Session(this.#kit, this.#who);
		link.keep ??= new keep.Keep(link);
		return null;
	}

	/**
	 * Dial ahead of the first login(), which finds the line there.  Nothing
	 * comes of it if that fails: the login dials itself.
	 */
	connect() {
		if (this.state === 'idle')
			this.#kit.link.start();
	}

	/**
	 * Log in; resolves with the login reply.  With `persist` a server that
	 * cannot be reached is tried again, else the first failure rejects.
	 * @param {import('./cchat.js').Login} who @returns {Promise<any>}
	 */
	login(who) {
		const kit = this.#kit, { link } = kit;
		if (this.#who && this.state !== 'closed')
			return Promise.reject(new CChatError('state', 'logged in'));
		this.#who = { dev: `js-${link.base}`, ...who, rid: `${who.rid || 1}` };
		this.#in = null;
		this.#lacks.clear();
		kit.asks?.end(new CChatError('closed'));
		return new Promise((resolve, reject) => {
			kit.first = { resolve, reject };
			if (this.state !== 'connecting')
				link.start();
			link.arm(link.cur);	/* dialled ahead: from now */
			this.#asked?.();
			this.#ready()?.catch(() => {});
			if (who.persist)
				link.set('reconnecting');
		});
	}

	/** Try again now instead of waiting for the back-off to end. */
	retry() { this.#kit.link.retry(); }

	/** Leave for good: `bye`, so that others see it at once. */
	close() {
		const { link } = this.#kit;
		if (link.live && this.v > 1)
			link.put({ cmd: 'bye' });
		link.end(new CChatError('closed'));
		this.#who = this.me = null;
	}

	/** A new token, on the open socket. @param {string} token */
	auth(token) {
		this.#who.token = token;
		return this.ask('auth', { token });
	}

	/* ---- requests -------------------------------------------------- */

	/** A fresh id for a command. */
	cid() { return this.#kit.link.cid(); }

	/**
	 * Any command that has an answer; rejects with a CChatError.  What a
	 * server answered with 102 once is not asked of it again.
	 * @param {string} cmd @param {Frame} keys @returns {Promise<Frame>}
	 */
	ask(cmd, keys) {
		const no = this.#no(cmd);
		return this.#learn(cmd, no ? Promise.reject(no) : new Promise(
			(resolve, reject) => this.#kit.link.ask(cmd, keys, resolve, reject)));
	}

	/** @param {string} cmd @param {string} [cid] */
	#no(cmd, cid) {
		return this.v === 1 || this.#lacks.has(cmd)
			? new CChatError(102, `no ${cmd} here`, { cid }) : null;
	}

	/** @template T @param {string} cmd @param {T & Promise<any>} p its answer */
	#learn(cmd, p) {
		p.catch((e) => {
			if (e.code === 102 && !this.#lacks.has(cmd) && this.#lacks.add(cmd))
				this.emit('caps', { caps: this.caps });
		});
		return p;
	}

	/** @param {string} call of session.js or asks.js @param {any[]} args @returns {Promise<any>} */
	async #late(call, ...args) {
		await load('session');
		if (have.session[call])
			return have.session[call](this, ...args);
		await load('asks');
		const kit = this.#kit;
		kit.asks ??= new have.asks.Asks(this,
			() => this.state === 'online' && !this.#in?.syncs.size ? kit.link.cur : null);
		return kit.asks[call](...args);
	}

	/** A page, oldest first. @param {Target} of @param {Frame} [opt] */
	history(of, opt = {}) { return this.#late('history', of, opt); }

	/** Who is in a room. @param {string} rid */
	online(rid, max = 10000) { return this.#late('online', rid, max); }

	/** Which of these are online, anywhere. @param {string[]} uids */
	users(uids) { return this.#late('users', uids); }

	/** My conversations and what is unread; [] where no server keeps them. */
	inbox(max = 200) { return this.#late('inbox', max); }

	/** All of it, page by page. @param {Target} of @param {any} [opt] */
	async *historyAll(of, opt = {}) {
		yield* await this.#late('pages', of, opt);
	}

	/** How far one was read. @param {Target} of @param {number} read */
	mark(of, read) {
		/* no line to fetch asks.js on: when there is one */
		this.#late('mark', of, read).catch(() =>
			this.on('synced', () => this.mark(of, read), { once: true }));
	}

	/** Who read it. @param {Target} of @param {number} seq */
	marks(of, seq, max = 1000) { return this.#late('marks', of, seq, max); }

	/** I am writing; call it at every key. @param {Target} to */
	typing(to, on = true) {
		if (this.caps.has('typing'))
			this.#late('typing', to, on).catch(() => {});
	}

	/** Hear `status` of these, not of those before. @param {string[]} uids */
	watch(uids) { return this.#late('watch', [...uids]); }

	/** Whether I am away; said again likewise. @param {'on'|'away'} st */
	status(st) { return this.#late('status', st); }

	/* ---- rooms ----------------------------------------------------- */

	/** Enter one more room, on this socket. @param {string} rid @returns {Promise<any>} */
	join(rid) {
		if (!this.#who)
			return Promise.reject(new CChatError('state', 'log in first'));
		return this.#in?.join(rid) ?? load('session', 'keep').then(() => {
			this.#ready();
			return this.join(rid);
		});
	}

	/** @param {string} rid */
	async leave(rid) {
		this.#in?.leave(rid);
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
		const { type = 'text', at, re } = opt;
		return this.#act('message', to, { type, msg, ...(at?.length ? { at } : {}),
			...(re ? { re } : {}) }, opt.cid);
	}

	/**
	 * @param {string} cmd @param {Target} of @param {Frame} keys
	 * @param {string} [cid] @returns {any}
	 */
	#act(cmd, { rid, tid }, keys, cid = this.cid()) {
		const no = cmd === 'message' ? null : this.#no(cmd, cid);
		const f = { cmd, ...(tid ? { tid } : { rid }), ...keys, cid };
		const p = no ? Promise.reject(no) : this.#kit.out.send(f);
		return Object.assign(this.#learn(cmd, p), { cid });
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
		await load('upload');
		return have.upload.upload(() => this.#kit.up, this.origin, blob, opt,
			this.#kit.o.fetch);
	}

	/** Upload, and say so. @param {Target} to @param {Blob} blob @param {any} [opt] */
	sendFile(to, blob, opt = {}) {
		const { cid = this.cid(), type } = opt;
		opt.signal?.addEventListener('abort', () => this.cancel(cid));
		return Object.assign(this.upload(blob, { name: /** @type {any} */ (blob).name,
			...opt }).then((f) => this.send(to, f.url, { cid, type: type ?? f.type })),
		{ cid });
	}

	/** @param {Frame} f out of the outbox @returns {boolean} no ack will come */
	#put(f) {
		const { link, out } = this.#kit;
		const { cid, at, re, ...plain } = f;
		if (this.v > 1)
			link.put(f);
		else if (f.cmd === 'message')
			link.put({ rid: this.#who.rid, ...plain });
		else
			out.refused({ errCode: 102, cid });
		return this.v < 2;
	}

	/** Forget a message that waits; false if none does. @param {string} cid */
	cancel(cid) { return this.#kit.out.cancel(cid); }
}
