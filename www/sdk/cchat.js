/* SPDX-License-Identifier: MIT */
/*
 * The browser SDK of cchat: one class, no dependency, no DOM.  It runs in
 * browsers, workers and Node (22 as is; older ones get a WebSocket class by
 * option).  It logs in, comes back by itself, resumes where it was, sends
 * each message until the server has it, and hands out every conversation in
 * rising `seq`.  It draws nothing and stores nothing: see README.md.
 */

/** @typedef {Record<string, any>} Frame */

/** What went wrong; `retry` (ms) is there when a later try may succeed. */
export class CChatError extends Error {
	/**
	 * @param {number|string} code errCode of the server, or a word:
	 *   offline, timeout, closed, network, queue, state
	 * @param {string} [message]
	 * @param {{cid?: string, retry?: number, rid?: string}} [more]
	 */
	constructor(code, message, more) {
		super(message || String(code));
		this.name = 'CChatError';
		this.code = code;
		this.cid = more?.cid;
		this.retry = more?.retry;
		this.rid = more?.rid;
	}
}

const PAGE = 200;	/* items in one getHistory */
const HOLD = 2000;	/* items kept back while a hole is filled */
const WINDOW = 32;	/* messages on the way, not yet answered */
const PATIENCE = 60000;	/* how long a refused message is tried again, ms */
const STEADY = 10000;	/* so long online: the back-off starts anew, ms */

/** @param {unknown} n @returns {n is number} */
const isSeq = (n) => Number.isSafeInteger(n) && /** @type {number} */ (n) > 0;
/** @param {unknown} v */
const str = (v) => typeof v === 'string' ? v
	: typeof v === 'number' ? String(v) : '';
/** @param {number} bytes */
const hex = (bytes) => Array.from(
	globalThis.crypto?.getRandomValues?.(new Uint8Array(bytes)) ??
	Array.from({ length: bytes }, () => Math.random() * 256 | 0),
	(b) => b.toString(16).padStart(2, '0')).join('');
const home = () => {
	const l = globalThis.location;
	return l?.host ? `${l.protocol === 'https:' ? 'wss' : 'ws'}://${l.host}/ws`
		: '';
};

export class CChat {
	/** @type {import('./cchat.js').ConnState} */ #state = 'idle';
	/** @type {Map<string, Set<Function>>} */ #on = new Map();
	/** @type {any} */ #o;
	#base = hex(4);
	#count = 0;
	/** @type {any} */ #who = null;
	/** @type {any} */ #first = null;	/* the promise of login() */
	/** @type {any} */ #cur = null;		/* the socket in use */
	/** @type {any} */ #next = null;	/* the one that replaces it */
	/** @type {any} */ #bell = 0;		/* timer of the next try */
	/** @type {any} */ #beat = 0;
	/** @type {any} */ #pace = 0;
	#tries = 0;
	#turn = 0;				/* which url is next */
	/** @type {string[]} */ #alt = [];
	#syncing = '';
	#missed = 0;
	#whole = true;
	/** @type {Map<string, any>} */ #rooms = new Map();
	/** @type {any} */ #priv = { ep: '', seq: null };
	/** @type {Map<string, number>} */ #peers = new Map();
	/** @type {Map<string, any>} */ #out = new Map();	/* sends */
	/** @type {Map<string, any>} */ #asks = new Map();	/* requests */
	/** @type {Map<string, any>} */ #marks = new Map();
	/** @type {Set<string>} */ #lacks = new Set();
	#tokens = 1;
	#filled = 0;
	#wait = 0;

	/** Protocol version agreed at login: 0 before, then 1 or 2. */
	v = 0;
	/** @type {{uid: string, name: string}|null} */
	me = null;
	/** @type {{msg: number, rate: [number, number]|null, rooms: number}} */
	limit = { msg: 4096, rate: null, rooms: 128 };

	/** @param {import('./cchat.js').Options} [options] */
	constructor(options = {}) {
		this.#o = {
			ackTimeout: 10000, askTimeout: 10000, openTimeout: 10000,
			queue: 200, random: Math.random, ...options,
		};
		this.#o.WebSocket ??= globalThis.WebSocket;
		this.#o.url ||= home();
		if (!this.#o.WebSocket)
			throw new CChatError('state', 'no WebSocket class here');
		this.#retry = options.backoff ?? [500, 20000];
		this.#ping = options.heartbeat ?? 25000;
	}
	/** @type {[number, number]} */ #retry;
	/** @type {number} */ #ping;

	get state() { return this.#state; }
	/** Rooms this session is in. */
	get rooms() { return [...this.#rooms.keys()]; }
	/** Positions, as `login({pos})` takes them after a restart. */
	get pos() { return this.#positions([...this.#rooms.keys(), '@']); }

	/* ---- events ---------------------------------------------------- */

	/**
	 * @param {string} type @param {Function} fn
	 * @param {{once?: boolean, signal?: AbortSignal}} [opt]
	 */
	on(type, fn, opt) {
		const set = this.#on.get(type) ?? new Set();
		this.#on.set(type, set);
		const off = () => { set.delete(call); };
		/** @param {any} e */
		const call = (e) => { if (opt?.once) off(); return fn(e); };
		if (!opt?.signal?.aborted)
			set.add(call);
		opt?.signal?.addEventListener('abort', off, { once: true });
		return off;
	}

	/** @param {string} type @param {any} e */
	#emit(type, e) {
		for (const fn of [...(this.#on.get(type) ?? [])]) {
			try {
				fn(e);
			} catch (err) {
				/* one bad handler must not stop the others */
				const g = /** @type {any} */ (globalThis);
				if (g.reportError)
					g.reportError(err);
				else
					setTimeout(() => { throw err; });
			}
		}
	}

	/** @param {any} state @param {number} [retryAt] */
	#set(state, retryAt) {
		this.#state = state;
		this.#emit('state', { state, retryAt, tries: this.#tries });
	}

	/* ---- coming and going ------------------------------------------ */

	/**
	 * Log in; resolves with the login reply.  `persist` keeps trying while
	 * the server cannot be reached, else the first failure rejects.
	 * @param {import('./cchat.js').Login} who
	 * @returns {Promise<any>}
	 */
	login(who) {
		if (this.#who && this.#state !== 'closed')
			return Promise.reject(new CChatError('state', 'logged in already'));
		this.#who = { dev: `js-${this.#base}`, ...who, rid: str(who.rid) || '1' };
		this.#rooms.clear();
		this.#peers.clear();
		this.#lacks.clear();
		this.#priv = { ep: '', seq: null };
		for (const [key, p] of Object.entries(who.pos ?? {})) {
			const e = key === '@' ? this.#priv : this.#room(key);
			[e.ep, e.seq] = p;
		}
		this.#room(this.#who.rid);
		this.#tries = this.#turn = 0;
		this.#alt = [];
		return new Promise((resolve, reject) => {
			this.#first = { resolve, reject };
			this.#set('connecting');
			this.#open();
		});
	}

	/** Try again now instead of waiting for the back-off to end. */
	retry() {
		if (this.#state === 'reconnecting' && !this.#cur)
			this.#open();
		else if (this.#cur?.live && this.v > 1)
			this.#probe(3000);
	}

	/** Leave for good: `bye`, so that others see it at once. */
	close() {
		const s = this.#cur;
		if (s?.live && this.v > 1)
			this.#put({ cmd: 'bye' });
		this.#forget(this.#next);
		this.#end(new CChatError('closed'));
		this.#who = this.me = null;
		return Promise.resolve();
	}

	/** New token on the open socket. @param {string} token */
	auth(token) {
		this.#who.token = token;
		return this.ask('auth', { token });
	}

	/** @param {string} [url] @param {string} [key] set: make before break */
	#open(url, key) {
		clearTimeout(this.#bell);
		const all = [this.#o.url, ...this.#alt];
		const to = url || all[this.#turn++ % all.length];
		/** @type {any} */
		const s = { live: false, cid: this.cid(), key, to };
		try {
			s.ws = new this.#o.WebSocket(to);
		} catch (e) {
			s.ws = { close() {} };
			setTimeout(() => this.#lost(s, 1006, String(e)));
		}
		s.timer = setTimeout(() => this.#lost(s, 1006, 'no answer'),
			this.#o.openTimeout);
		s.ws.onopen = () => this.#hello(s);
		s.ws.onmessage = (/** @type {any} */ e) => this.#data(s, e.data);
		s.ws.onclose = (/** @type {any} */ e) =>
			this.#lost(s, e.code, e.reason || '');
		s.ws.onerror = () => {};	/* close follows */
		if (key === undefined)
			this.#cur = s;
		else
			this.#next = s;
	}

	/** @param {any} s */
	#hello(s) {
		const { name, rid, token, dev, uid } = this.#who;
		/** @type {Frame} */
		const f = { cmd: 'login', v: 2, name, rid, dev, cid: s.cid };
		if (uid)
			f.uid = uid;
		if (token)
			f.token = token;
		const pos = this.#positions([rid, '@']);
		if (Object.keys(pos).length)
			f.pos = pos;
		if (s.key)
			f.from = s.key;
		this.#put(f, s);
	}

	/** @param {string[]} keys @returns {Record<string, [string, number]>} */
	#positions(keys) {
		/** @type {Record<string, [string, number]>} */
		const pos = {};
		for (const k of keys) {
			const e = k === '@' ? this.#priv : this.#rooms.get(k);
			if (e?.ep && e.seq != null)
				pos[k] = [e.ep, e.seq];
		}
		return pos;
	}

	/** @param {any} s let go of a socket without a word to anybody */
	#forget(s) {
		if (!s)
			return;
		clearTimeout(s.timer);
		s.ws.onopen = s.ws.onmessage = s.ws.onclose = null;
		s.dead = true;
		try {
			s.ws.close(1000);
		} catch { /* already gone */ }
		if (s === this.#next)
			this.#next = null;
	}

	/** @param {any} s @param {number} code @param {string} reason */
	#lost(s, code, reason) {
		if (s.dead)
			return;
		this.#forget(s);
		if (s !== this.#cur)
			return;		/* the new one failed: the old goes on */
		this.#cur = null;
		clearInterval(this.#beat);
		clearTimeout(this.#pace);
		this.#syncing = '';
		for (const a of [...this.#asks.values()])
			a.fail(new CChatError('offline', 'connection lost'));
		for (const e of this.#out.values()) {
			clearTimeout(e.timer);	/* the ack clock runs online only */
			e.sent = false;
		}
		const final = code >= 4000 && code < 4100;
		this.#emit('close', { code, reason, final });
		const stay = this.#who?.persist && !final;
		if (final || (this.#first && !stay))
			this.#end(new CChatError(final ? code : 'network', reason));
		else
			this.#again(code, reason);
	}

	/** @param {CChatError} err no way back: everything that waits fails */
	#end(err) {
		clearTimeout(this.#bell);
		clearTimeout(this.#pace);
		clearInterval(this.#beat);
		this.#forget(this.#cur);
		this.#cur = null;
		for (const a of [...this.#asks.values()])
			a.fail(err);
		for (const r of this.#rooms.values())
			this.#joined(r, err);
		for (const e of [...this.#out.values()])
			this.#fail(e, err);
		this.#first?.reject(err);
		this.#first = null;
		this.#set('closed');
	}

	/** @param {number} code @param {string} reason */
	#again(code, reason) {
		const [base, max] = this.#retry;
		const told = /\bretry\W{1,3}(\d{1,9})/.exec(reason);
		const rnd = this.#o.random();
		let ms = rnd * Math.min(max, base * 2 ** Math.min(this.#tries, 20));
		if (told)
			ms = +told[1] * (1 + rnd / 10);
		else if (code >= 4200 && code < 4300 && !this.#tries)
			ms = rnd * base;
		this.#tries++;
		this.#bell = setTimeout(() => this.#open(), ms);
		this.#set('reconnecting', Date.now() + ms);
	}

	/* ---- the wire -------------------------------------------------- */

	/** @param {Frame} f @param {any} [s] */
	#put(f, s = this.#cur) {
		this.#emit('frame', { dir: 'out', data: f });
		try {
			s.ws.send(JSON.stringify(f));
		} catch { /* closing: what matters is sent again */ }
	}

	/** @param {any} s @param {unknown} data */
	#data(s, data) {
		s.heard = Date.now();
		if (s.probe) {
			clearTimeout(s.probe);
			s.probe = 0;
		}
		/** @type {any} */ let f;
		try {
			f = JSON.parse(/** @type {string} */ (data));
		} catch {
			return;		/* one bad frame never breaks the loop */
		}
		for (const one of Array.isArray(f) ? f : [f]) {
			if (s.dead || !one || typeof one.cmd !== 'string')
				continue;
			this.#emit('frame', { dir: 'in', data: one });
			this.#frame(s, one);
		}
	}

	/** @param {any} s @param {Frame} f */
	#frame(s, f) {
		if (f.cmd === 'error')
			return this.#refused(s, f);
		if (f.cmd === 'login' && !s.live)
			return this.#welcome(s, f);
		if (!s.live)
			return;
		const ask = typeof f.cid === 'string' && this.#asks.get(f.cid);
		if (ask && (f.cmd === 'ok' || f.cmd === ask.cmd))
			return ask.done(f);
		switch (f.cmd) {
		case 'ok':
			return this.#acked(f.cid, f);
		case 'login':		/* version 1: one more room */
			return this.#joined(this.#rooms.get(str(f.rid)), null);
		case 'synced':
			return this.#synced(f.cid);
		case 'gap':
			return this.#gap(f);
		case 'ping':
			return this.#put({ cmd: 'pong', t: f.t }, s);
		case 'move':
			return this.#move(s, f);
		case 'newUser': case 'offline': case 'presence': case 'status':
		case 'notice': case 'auth':
			return this.#emit(f.cmd, this.#clean(f));
		case 'mark': case 'typing':
			return this.#emit(f.cmd, { ...this.#clean(f), conv: this.#key(f) });
		}
		if (isSeq(f.seq) || f.cmd === 'message')
			this.#item(f);
	}

	/** Ids are strings to everybody above. @param {Frame} f */
	#clean(f) {
		const o = { ...f };
		for (const k of ['uid', 'rid', 'tid', 'name'])
			if (k in o)
				o[k] = str(o[k]);
		return o;
	}

	/** @param {any} s @param {Frame} f the login reply */
	#welcome(s, f) {
		if (f.cid !== undefined && f.cid !== s.cid)
			return;
		clearTimeout(s.timer);
		s.live = true;
		if (s === this.#next) {		/* make before break */
			const old = this.#cur;
			this.#cur = s;
			this.#next = null;
			this.#forget(old);
			for (const e of this.#out.values()) {
				clearTimeout(e.timer);
				e.sent = false;
			}
			for (const a of [...this.#asks.values()])
				a.fail(new CChatError('offline', 'moved'));
		}
		this.v = f.v >= 2 ? 2 : 1;
		this.me = { uid: str(f.uid), name: str(f.name) };
		if (typeof f.token === 'string')
			this.#who.token = f.token;
		if (this.v < 2)
			this.#who.uid = this.me.uid;	/* as the server drew it */
		if (f.ping > 0 && !this.#o.heartbeat)
			this.#ping = f.ping * 1000;
		if (f.retry?.base > 0 && f.retry.max >= f.retry.base && !this.#o.backoff)
			this.#retry = [f.retry.base, f.retry.max];
		if (Array.isArray(f.alt))
			this.#alt = f.alt.filter((/** @type {any} */ u) =>
				/^wss?:\/\//.test(u));
		const rate = f.limit?.rate;
		this.limit = {
			msg: f.limit?.msg > 0 ? f.limit.msg : this.v > 1 ? 4096 : 1024,
			rate: rate?.[0] > 0 && rate[1] >= 1 ? [rate[0], rate[1]]
				: this.v > 1 ? null : [0.48, 1],
			rooms: f.limit?.rooms > 0 ? f.limit.rooms : 128,
		};
		this.#tokens = this.limit.rate?.[1] ?? 1;
		this.#filled = Date.now();
		this.#missed = 0;
		this.#whole = true;
		const room = this.#room(this.#who.rid);
		this.#resume(f.pos);
		this.#syncing = Object.values(f.pos ?? {}).some((p) =>
			/** @type {any} */ (p)?.n > 0) ? s.cid : '';
		s.sync = s.cid;
		this.#beat && clearInterval(this.#beat);
		s.ticked = Date.now();
		this.#beat = setInterval(() => this.#tick(s),
			Math.max(5, Math.min(5000, this.#ping / 4)));
		const tries = this.#tries;
		setTimeout(() => {
			if (this.#cur === s && this.#tries === tries)
				this.#tries = 0;
		}, STEADY);
		this.#turn = 0;
		const ok = { ...this.#clean(f), v: this.v, again: !this.#first };
		const first = this.#first;
		this.#first = null;
		this.#set('online');
		this.#emit('login', ok);
		first?.resolve(ok);
		this.#joined(room, null);
		for (const [rid, r] of this.#rooms)
			if (r !== room)
				this.#join(rid, r);
		if (!this.#syncing)
			this.#flush();
		else	/* a lost `synced` must not hold the queue for ever */
			setTimeout(() => this.#synced(s.cid), 5000);
	}

	/** @param {any} s @param {Frame} f an error frame */
	#refused(s, f) {
		const err = new CChatError(f.errCode ?? 0, str(f.errMsg),
			{ cid: f.cid, retry: f.retry, rid: f.rid && str(f.rid) });
		if (!s.live) {
			if (s === this.#next)
				return this.#forget(s);
			if (f.retry >= 0 && (!this.#first || this.#who.persist))
				return this.#lost(s, 4100, `retry=${f.retry}`);
			return this.#end(err);
		}
		const ask = this.#asks.get(f.cid);
		const e = this.#out.get(f.cid);
		if (ask) {
			if (err.code === 102)
				this.#lacks.add(ask.cmd);
			return ask.fail(err);
		}
		if (!e)
			return this.#emit('error', err);
		if (f.retry >= 0 && Date.now() - e.since < PATIENCE) {
			clearTimeout(e.timer);
			e.sent = false;
			this.#wait = Date.now() + Math.min(f.retry, 30000);
			return this.#flush();
		}
		this.#fail(e, err);
	}

	/* ---- requests -------------------------------------------------- */

	/** A fresh id for a command. */
	cid() { return `${this.#base}-${(++this.#count).toString(36)}`; }

	/**
	 * Any command that has an answer; rejects with a CChatError.  Commands
	 * a server answered with 102 once are not sent to it again.
	 * @param {string} cmd @param {Frame} keys @returns {Promise<Frame>}
	 */
	ask(cmd, keys) {
		if (this.#state !== 'online' || !this.#cur?.live)
			return Promise.reject(new CChatError('offline', 'not connected'));
		if (this.v < 2 || this.#lacks.has(cmd))
			return Promise.reject(new CChatError(102, `no ${cmd} here`));
		const cid = this.cid();
		return new Promise((resolve, reject) => {
			const end = () => {
				clearTimeout(timer);
				this.#asks.delete(cid);
			};
			const timer = setTimeout(() => {
				end();
				reject(new CChatError('timeout', `no answer to ${cmd}`));
			}, this.#o.askTimeout);
			this.#asks.set(cid, {
				cmd,
				/** @param {Frame} f */
				done: (f) => { end(); resolve(f); },
				/** @param {CChatError} e */
				fail: (e) => { end(); reject(e); },
			});
			this.#put({ cmd, ...keys, cid });
		});
	}

	/** @param {{rid?: string, tid?: string}} of */
	#name(of) { return of.tid ? { tid: of.tid } : { rid: of.rid }; }

	/**
	 * One page of history, oldest first.
	 * @param {{rid?: string, tid?: string}} of
	 * @param {{before?: number, after?: number, around?: number,
	 *   limit?: number}} [opt]
	 */
	async history(of, opt = {}) {
		if (this.v === 1)
			return { msgs: [], items: [], more: false, from: 0, to: 0 };
		const f = await this.ask('getHistory',
			{ ...this.#name(of), limit: 50, ...opt });
		const items = (Array.isArray(f.list) ? f.list : [])
			.filter((/** @type {any} */ i) => isSeq(i?.seq))
			.sort((/** @type {any} */ a, /** @type {any} */ b) => a.seq - b.seq)
			.map((/** @type {any} */ i) => this.#message({ ...this.#name(of), ...i }));
		return {
			items, msgs: items.filter((/** @type {any} */ i) => i.cmd === 'message'),
			more: !!f.more, ep: f.ep, first: f.first, last: f.last,
			from: items[0]?.seq ?? 0, to: items.at(-1)?.seq ?? 0,
		};
	}

	/**
	 * Everything, oldest first, page by page.
	 * @param {{rid?: string, tid?: string}} of @param {{from?: number}} [opt]
	 */
	async *historyAll(of, opt = {}) {
		let after = Math.max(0, (opt.from ?? 1) - 1);
		for (;;) {
			const p = await this.history(of, { after, limit: PAGE });
			yield* p.msgs;
			if (!p.more || p.to <= after)
				return;
			after = p.to;
		}
	}

	/**
	 * Who is in a room: all pages of getOnline, at most `max` people.
	 * @param {string} rid @param {number} [max]
	 */
	async online(rid, max = 10000) {
		/** @type {any[]} */ const users = [];
		let count = 0, next;
		do {
			/** @type {Frame} */
			const f = await this.ask('getOnline',
				{ rid, limit: PAGE, ...(next ? { next } : {}) });
			users.push(...(Array.isArray(f.users) ? f.users : [])
				.map((/** @type {any} */ u) => this.#clean(u)));
			count = f.count ?? users.length;
			next = f.next;
		} while (next && users.length < max);
		return { count, users };
	}

	/** Private conversations the server keeps; [] where it does not. */
	async inbox() {
		try {
			const f = await this.ask('inbox', {});
			return Array.isArray(f.list) ? f.list : [];
		} catch (e) {
			if (/** @type {CChatError} */ (e).code === 102)
				return [];
			throw e;
		}
	}

	/**
	 * Say how far a conversation was read; at most once a second each, and
	 * silently nothing where the server has no marks.
	 * @param {{rid?: string, tid?: string}} of @param {number} read
	 */
	mark(of, read) {
		const key = of.tid ? `@${of.tid}` : str(of.rid);
		const m = this.#marks.get(key) ?? { done: 0, want: 0, timer: 0 };
		this.#marks.set(key, m);
		m.want = Math.max(m.want, read);
		if (m.timer)
			return;
		const go = () => {
			m.timer = 0;
			if (m.want <= m.done)
				return;
			const n = m.want;
			this.ask('mark', { ...this.#name(of), read: n })
				.then(() => { m.done = Math.max(m.done, n); }, () => {});
			m.timer = setTimeout(go, 1000);
		};
		go();
	}

	/* ---- rooms ----------------------------------------------------- */

	/** @param {string} rid */
	#room(rid) {
		let r = this.#rooms.get(rid);
		if (!r)
			this.#rooms.set(rid, r = { rid, ep: '', seq: null, want: 0,
				hold: [], filling: false, wait: [] });
		return r;
	}

	/** Enter one more room (on this socket). @param {string} rid */
	join(rid) {
		if (!this.#who)
			return Promise.reject(new CChatError('state', 'log in first'));
		const known = this.#rooms.has(rid);
		const r = this.#room(rid);
		if (known && !r.wait.length && this.#state === 'online')
			return Promise.resolve({ rid });
		return new Promise((resolve, reject) => {
			r.wait.push({ resolve, reject });
			if (this.#cur?.live && r.wait.length === 1)
				this.#join(rid, r);
		});
	}

	/** @param {string} rid @param {any} r */
	#join(rid, r) {
		if (this.v < 2)
			return this.#put({ cmd: 'login', name: this.#who.name,
				uid: this.me?.uid, rid });
		const pos = this.#positions([rid]);
		const s = this.#cur;
		this.ask('join', { rid, ...(pos[rid] ? { pos } : {}) }).then((f) => {
			this.#resume(f.pos);
			this.#joined(r, null);
		}, (e) => {
			if (e.retry >= 0 || e.code === 'timeout')
				setTimeout(() => s === this.#cur && this.#rooms.get(rid) === r &&
					this.#join(rid, r), e.retry || 1000);
			else if (e.code !== 'offline') {
				this.#rooms.delete(rid);
				this.#joined(r, e);
				this.#emit('left', { rid, error: e });
			}
		});
	}

	/** @param {any} r @param {CChatError|null} err */
	#joined(r, err) {
		for (const w of r?.wait.splice(0) ?? [])
			if (err)
				w.reject(err);
			else
				w.resolve({ rid: r.rid });
	}

	/** @param {string} rid */
	async leave(rid) {
		this.#rooms.delete(rid);
		if (rid === this.#who?.rid)	/* where the next login goes */
			this.#who.rid = this.#rooms.keys().next().value ?? '1';
		await this.ask('leave', { rid });
	}

	/* ---- sending --------------------------------------------------- */

	/**
	 * Send; resolves with {cid, seq, mid, ts} once the server stored it.
	 * Offline it waits; every attempt has the same cid, so it cannot double.
	 * @param {{rid?: string, tid?: string}} to @param {string} msg
	 * @param {{type?: string, cid?: string, at?: string[], re?: number}} [opt]
	 * @returns {any}
	 */
	send(to, msg, opt = {}) {
		const cid = opt.cid ?? this.cid();
		const known = this.#out.get(cid);
		if (known)
			return known.promise;
		/** @type {any} */ const e = { cid, sent: false, since: 0, timer: 0 };
		e.promise = new Promise((resolve, reject) => {
			e.resolve = resolve;
			e.reject = reject;
		});
		e.promise.cid = cid;
		e.promise.catch(() => {});	/* `fail` tells it too */
		e.frame = { cmd: 'message', type: opt.type ?? 'text', msg,
			...this.#name(to), cid };
		if (opt.at?.length)
			e.frame.at = opt.at;
		if (opt.re)
			e.frame.re = opt.re;
		if (this.#out.size >= this.#o.queue || this.#state === 'closed') {
			e.reject(new CChatError(this.#state === 'closed' ? 'closed' : 'queue'));
			return e.promise;
		}
		this.#out.set(cid, e);
		this.#flush();
		return e.promise;
	}

	/** Forget a message that waits; false if it is not waiting. @param {string} cid */
	cancel(cid) {
		const e = this.#out.get(cid);
		if (e)
			this.#fail(e, new CChatError('closed', 'cancelled', { cid }));
		return !!e;
	}

	/* In order, as fast as the server allows, WINDOW unanswered at most. */
	#flush() {
		clearTimeout(this.#pace);
		if (this.#state !== 'online' || this.#syncing)
			return;
		const now = Date.now();
		const rate = this.limit.rate;
		if (rate) {
			this.#tokens = Math.min(rate[1],
				this.#tokens + (now - this.#filled) / 1000 * rate[0]);
			this.#filled = now;
		}
		let busy = 0, pause = this.#wait - now;
		for (const e of [...this.#out.values()]) {
			if (e.sent) {
				busy++;
				continue;
			}
			if (busy >= WINDOW)
				return;		/* the next ack goes on */
			if (pause <= 0 && rate && this.#tokens < 1)
				pause = (1 - this.#tokens) / rate[0] * 1000;
			if (pause > 0) {
				this.#pace = setTimeout(() => this.#flush(), pause + 1);
				return;
			}
			this.#tokens -= rate ? 1 : 0;
			busy++;
			this.#ship(e, now);
		}
	}

	/** @param {any} e @param {number} now */
	#ship(e, now) {
		e.sent = true;
		e.since ||= now;
		if (this.v < 2) {	/* no ids, no acks: given away is sent */
			const { cid, at, re, ...f } = e.frame;
			this.#put({ rid: this.#who.rid, ...f });
			return this.#acked(cid, {});
		}
		e.timer = setTimeout(() => this.#fail(e,
			new CChatError('timeout', 'not acknowledged', { cid: e.cid })),
			this.#o.ackTimeout);
		this.#put(e.frame);
	}

	/** @param {any} e @param {CChatError} err */
	#fail(e, err) {
		clearTimeout(e.timer);
		this.#out.delete(e.cid);
		e.reject(err);
		this.#emit('fail', { cid: e.cid, error: err });
		this.#flush();
	}

	/** @param {string} cid @param {Frame} f `ok`, or the item itself */
	#acked(cid, f) {
		const e = this.#out.get(cid);
		if (!e)
			return;
		clearTimeout(e.timer);
		this.#out.delete(cid);
		const ack = { cid, seq: f.seq, mid: f.mid, ts: f.ts };
		e.resolve(ack);
		this.#emit('ack', ack);
		this.#flush();
	}

	/* ---- what comes in --------------------------------------------- */

	/** Name of the conversation: rid, or "@" and the peer. @param {Frame} f */
	#key(f) {
		const uid = str(f.uid), tid = str(f.tid);
		if (!tid && f.useq === undefined)
			return str(f.rid);
		/* tid is the peer as I see him; version 1 puts the receiver there */
		return `@${uid && uid !== this.me?.uid ? uid : tid || uid}`;
	}

	/** @param {Frame} f @returns {any} */
	#message(f) {
		const m = this.#clean(f);
		m.conv = this.#key(f);
		m.mine = m.uid !== '' && m.uid === this.me?.uid;
		if (m.cmd === 'message') {
			m.msg = str(f.msg);
			m.type = str(f.type) || 'text';
			m.name ??= '';
			m.ts = Number.isSafeInteger(f.ts) ? f.ts : Date.now();
		}
		return m;
	}

	/** @param {Frame} f */
	#item(f) {
		if (this.v < 2)
			return this.#deliver(f);
		if (isSeq(f.useq)) {
			const at = this.#priv;
			if (at.seq != null && f.useq <= at.seq)
				return this.#acked(f.cid, f);
			if (at.seq != null && f.useq > at.seq + 1)
				return this.#rewind();
			at.seq = f.useq;
		}
		const key = this.#key(f);
		if (key[0] === '@') {
			const last = this.#peers.get(key) ?? 0;
			if (f.seq <= last)
				return this.#acked(f.cid, f);
			this.#peers.set(key, f.seq);
			return this.#deliver(f);
		}
		const r = this.#rooms.get(key);
		if (!r)
			return;		/* left: the rest of what was on the way */
		if (r.seq != null && f.seq <= r.seq)
			return this.#acked(f.cid, f);
		if (!r.filling && (r.seq == null || f.seq === r.seq + 1)) {
			r.seq = f.seq;
			return this.#deliver(f);
		}
		if (r.hold.push(f) > HOLD)
			return this.#rewind();
		this.#fill(r);
	}

	/** @param {Frame} f */
	#deliver(f) {
		const m = this.#message(f);
		if (m.mine)
			this.#acked(f.cid, f);
		if (this.#syncing && m.cmd === 'message' && !m.mine)
			this.#missed++;
		m.replay = !!this.#syncing;
		this.#emit(m.cmd === 'message' ? 'message' : 'item', m);
	}

	/* Something is missing that only a replay can bring: come in again. */
	#rewind() {
		if (this.#cur)
			this.#lost(this.#cur, 4201, 'hole in the stream');
	}

	/** @param {any} pos the map of a login or join reply */
	#resume(pos) {
		for (const [key, p] of Object.entries(pos ?? {})) {
			const e = key === '@' ? this.#priv : this.#rooms.get(key);
			if (!e || !p || !Number.isSafeInteger(p.seq))
				continue;
			const start = p.n > 0 && isSeq(p.from) ? p.from - 1 : p.seq;
			if (e.seq != null && e.ep && (e.ep !== p.ep || p.seq < e.seq)) {
				if (key === '@')
					this.#peers.clear();
				e.seq = null;
				this.#emit('reset', { conv: key, ep: p.ep });
			}
			e.ep = str(p.ep);
			if (e.hold) {
				e.hold = [];
				e.want = 0;
			}
			if (e.seq == null)
				e.seq = start;
			else if (p.full === false && p.from > e.seq + 1) {
				this.#whole = false;
				this.#emit('gap', { conv: key, from: e.seq + 1,
					to: p.from - 1, why: 'retention' });
				e.seq = p.from - 1;
			}
			e.head = p.seq;
		}
	}

	/** @param {string} [cid] */
	#synced(cid) {
		for (const r of this.#rooms.values())
			if (r.seq != null && r.head > r.seq)
				this.#fill(r, r.head);
		const s = this.#cur;
		if (!s || s.sync !== cid)
			return;		/* that of a join */
		s.sync = '';
		this.#syncing = '';
		this.#emit('synced', { missed: this.#missed, full: this.#whole });
		this.#flush();
	}

	/** @param {Frame} f */
	#gap(f) {
		if (!isSeq(f.to))
			return;
		const r = this.#rooms.get(str(f.rid));
		if (r)
			return void this.#fill(r, f.to);
		this.#priv.seq = Math.max(this.#priv.seq ?? 0, f.to);
		this.#emit('gap', { conv: '@', from: f.from, to: f.to, why: f.why });
	}

	/** Fetch what is missing up to `want`, then what was held back. */
	/** @param {any} r @param {number} [want] */
	async #fill(r, want = 0) {
		r.want = Math.max(r.want, want);
		if (r.filling)
			return;
		r.filling = true;
		try {
			for (;;) {
				r.hold = r.hold.filter((/** @type {any} */ f) => f.seq > r.seq)
					.sort((/** @type {any} */ a, /** @type {any} */ b) =>
						a.seq - b.seq);
				const next = r.hold[0]?.seq ?? r.want + 1;
				if (r.seq + 1 < next)
					await this.#fetch(r, next - 1);
				else if (!r.hold.length)
					return;
				else
					this.#step(r, r.hold.shift());
			}
		} catch {
			r.hold = [];	/* offline: the resume brings it */
		} finally {
			r.filling = false;
		}
	}

	/** @param {any} r @param {number} to */
	async #fetch(r, to) {
		const p = await this.ask('getHistory',
			{ rid: r.rid, after: r.seq, limit: PAGE }).catch((e) => {
			if (e.code === 'offline')
				throw e;
			return { list: [] };
		});
		const list = (Array.isArray(p.list) ? p.list : [])
			.filter((/** @type {any} */ f) => isSeq(f?.seq) && f.seq <= to)
			.sort((/** @type {any} */ a, /** @type {any} */ b) => a.seq - b.seq);
		for (const f of list)
			this.#step(r, { rid: r.rid, ...f });
		if (!list.length) {
			this.#emit('gap', { conv: r.rid, from: r.seq + 1, to, why: 'lost' });
			r.seq = to;
		}
	}

	/** @param {any} r @param {Frame} f */
	#step(r, f) {
		if (f.seq <= r.seq)
			return;
		if (f.seq > r.seq + 1)
			this.#emit('gap', { conv: r.rid, from: r.seq + 1, to: f.seq - 1,
				why: 'lost' });
		r.seq = f.seq;
		this.#deliver(f);
	}

	/* ---- staying alive --------------------------------------------- */

	/** @param {any} s */
	#tick(s) {
		const now = Date.now();
		const slept = now - s.ticked > 40000;
		s.ticked = now;
		if (this.v < 2 || s.probe || s !== this.#cur)
			return;
		if (slept)
			this.#probe(3000);
		else if (now - s.heard >= this.#ping * 0.8)
			this.#probe(Math.min(10000, this.#ping));
	}

	/** @param {number} patience ms */
	#probe(patience) {
		const s = this.#cur;
		if (s.probe)
			return;
		s.probe = setTimeout(() => this.#lost(s, 4201, 'no pong'), patience);
		this.#put({ cmd: 'ping', t: Date.now() }, s);
	}

	/** @param {any} s @param {Frame} f */
	#move(s, f) {
		const url = /^wss?:\/\//.test(f.url) ? f.url : s.to;
		setTimeout(() => {
			if (this.#cur === s && !this.#next)
				this.#open(url, str(f.key));
		}, Math.max(0, Math.min(+f.in || 0, 600000)));
		this.#emit('move', { url, in: f.in, why: f.why });
	}
}
