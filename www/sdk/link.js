/* SPDX-License-Identifier: MIT */
/*
 * One connection that lasts: the socket under a CChat.  It dials, says the
 * login its owner gives it, keeps the line alive with ping, comes back after
 * a loss by the rules of the protocol (close codes, retry=<ms>, full jitter,
 * alternative urls), changes servers by make before break, and matches
 * answers to commands by cid.  It knows nothing of rooms and messages.
 */

/** @typedef {Record<string, any>} Frame */
/**
 * @typedef {object} Sock one WebSocket and its state
 * @property {any} ws
 * @property {string} to its url
 * @property {string} cid of its login
 * @property {string} [key] of the `move` it answers
 * @property {boolean} live logged in
 * @property {boolean} dead let go
 * @property {number} heard time of the last frame
 * @property {number} ticked
 * @property {number} [steady] since when it is up
 * @property {any} timer until logged in
 * @property {any} probe until the pong
 */
/** @typedef {{cmd: string, done(f: Frame): void, fail(e: Error): void}} Ask */
/**
 * @typedef {object} Owner what the link calls
 * @property {(s: Sock) => Frame} hello the login frame
 * @property {(s: Sock, f: Frame) => void} welcome logged in
 * @property {(f: Frame) => void} frame any other frame
 * @property {() => void} down no line; what is not acked must go again
 * @property {(e: CChatError) => void} end there is no way back
 * @property {(type: string, e: any) => void} emit
 */

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

	/** @param {Frame} f an error frame */
	static from(f) {
		return new CChatError(f.errCode ?? 0, String(f.errMsg ?? ''),
			{ cid: f.cid, retry: f.retry, rid: f.rid && String(f.rid) });
	}
}

/* Who listens to what; a handler that throws stops nobody else. */
export class Events {
	/** @type {Map<string, Set<Function>>} */ #on = new Map();

	/**
	 * @param {string} type @param {Function} fn
	 * @param {{once?: boolean, signal?: AbortSignal}} [opt]
	 */
	on(type, fn, opt) {
		const set = this.#on.get(type) ?? new Set();
		this.#on.set(type, set);
		const off = () => { set.delete(call); };
		/** @param {any} e */
		const call = (e) => { if (opt?.once) off(); fn(e); };
		if (!opt?.signal?.aborted)
			set.add(call);
		opt?.signal?.addEventListener('abort', off, { once: true });
		return off;
	}

	/** @param {string} type @param {any} e */
	emit(type, e) {
		for (const fn of [...(this.#on.get(type) ?? [])]) {
			try {
				fn(e);
			} catch (err) {	/* must not stop the others */
				(globalThis.reportError ?? ((e) =>
					setTimeout(() => { throw e; })))(err);
			}
		}
	}
}

const STEADY = 10000;	/* so long online: the back-off starts anew, ms */
const ASLEEP = 40000;	/* a timer this late: the machine slept, ms */

/** @param {number} bytes */
const hex = (bytes) => Array.from(
	globalThis.crypto?.getRandomValues(new Uint8Array(bytes)) ??
	Array.from({ length: bytes }, () => Math.random() * 256 | 0),
	(b) => b.toString(16).padStart(2, '0')).join('');

export class Link {
	/** @type {Sock|null} */ cur = null;	/* the socket in use */
	/** @type {Sock|null} */ next = null;	/* the one to replace it */
	/** @type {import('./cchat.js').ConnState} */ state = 'idle';
	/** @type {Map<string, Ask>} */ asks = new Map();
	/** @type {string[]} */ alt = [];
	/** @type {any} */ #bell;
	/** @type {any} */ #beat;
	#tries = 0;
	#turn = 0;	/* which url is next */
	#count = 0;
	base = hex(4);
	json = true;	/* the server knows ping (not so version 1) */

	/** @param {any} o options @param {Owner} owner */
	constructor(o, owner) {
		this.o = o;
		this.owner = owner;
		/** @type {[number, number]} */
		this.backoff = o.backoff ?? [500, 20000];
		/** @type {number} */
		this.ping = o.heartbeat ?? 25000;
	}

	/** A fresh id for a command. */
	cid() { return `${this.base}-${(++this.#count).toString(36)}`; }

	get live() { return !!this.cur?.live; }

	/** @param {import('./cchat.js').ConnState} state @param {number} [at] */
	set(state, at) {
		this.state = state;
		this.owner.emit('state', { state, retryAt: at, tries: this.#tries });
	}

	/** A new beginning: what an earlier login left is forgotten. */
	start() {
		this.#tries = this.#turn = 0;
		this.alt = [];
		this.set('connecting');
		this.open();
	}

	/** @param {string} [url] @param {string} [key] given: make before break */
	open(url, key) {
		clearTimeout(this.#bell);
		const all = [this.o.url, ...this.alt];
		/** @type {Sock} */
		const s = {
			to: url || all[this.#turn++ % all.length], cid: this.cid(), key,
			live: false, dead: false, heard: 0, ticked: 0, probe: 0,
			timer: setTimeout(() => this.lost(s, 1006, 'no answer'),
				this.o.openTimeout),
			ws: null,
		};
		if (key === undefined)
			this.cur = s;
		else
			this.next = s;
		try {
			s.ws = new this.o.WebSocket(s.to);
		} catch (e) {
			setTimeout(() => this.lost(s, 1006, String(e)));
			return;
		}
		s.ws.onopen = () => this.put(this.owner.hello(s), s);
		s.ws.onmessage = (/** @type {any} */ e) => this.#data(s, e.data);
		s.ws.onclose = (/** @type {any} */ e) =>
			this.lost(s, e.code, e.reason || '');
		s.ws.onerror = () => {};	/* close follows */
	}

	/** @param {Sock|null} s let go of a socket; nobody is told */
	#forget(s) {
		if (!s || s.dead)
			return;
		s.dead = true;
		clearTimeout(s.timer);
		clearTimeout(s.probe);
		if (s === this.next)
			this.next = null;
		if (!s.ws)
			return;
		s.ws.onopen = s.ws.onmessage = s.ws.onclose = null;
		try {
			s.ws.close(1000);
		} catch { /* already gone */ }
	}

	/** @param {Sock} s @param {number} code @param {string} reason */
	lost(s, code, reason) {
		if (s.dead)
			return;
		this.#forget(s);
		if (s !== this.cur)
			return;		/* the new one failed: the old goes on */
		this.cur = null;
		this.#still();
		this.#drop(new CChatError('offline', 'connection lost'));
		this.owner.down();
		const final = code >= 4000 && code < 4100;
		this.owner.emit('close', { code, reason, final });
		if (final || this.state === 'connecting')
			this.end(new CChatError(final ? code : 'network', reason));
		else
			this.#again(code, reason);
	}

	#still() {
		clearTimeout(this.#bell);
		clearInterval(this.#beat);
	}

	/** @param {CChatError} err */
	#drop(err) {
		for (const a of [...this.asks.values()])
			a.fail(err);
	}

	/** @param {CChatError} err no way back: everything that waits fails */
	end(err) {
		this.#still();
		this.#forget(this.next);
		this.#forget(this.cur);
		this.cur = null;
		this.#drop(err);
		this.owner.end(err);
		this.set('closed');
	}

	/** @param {number} code @param {string} reason */
	#again(code, reason) {
		const [base, max] = this.backoff;
		const told = /\bretry\W{1,3}(\d{1,8})/.exec(reason);
		const rnd = this.o.random();
		let ms = rnd * Math.min(max, base * 2 ** Math.min(this.#tries, 20));
		if (told)
			ms = +told[1] * (1 + rnd / 10);
		else if (code >= 4200 && code < 4300 && !this.#tries)
			ms = rnd * base;	/* at once, but not all in one moment */
		this.#tries++;
		this.#bell = setTimeout(() => {
			this.open();
			this.set('reconnecting');
		}, ms);
		this.set('reconnecting', Date.now() + ms);
	}

	/** Try now; if online, see whether the line is really alive. */
	retry() {
		if (this.state === 'reconnecting' && !this.cur) {
			this.open();
			this.set('reconnecting');
		} else if (this.live && this.json)
			this.#probe(3000);
	}

	/** @param {Frame} f @param {Sock|null} [s] */
	put(f, s = this.cur) {
		this.owner.emit('frame', { dir: 'out', data: f });
		try {
			s?.ws.send(JSON.stringify(f));
		} catch { /* closing: what matters is sent again */ }
	}

	/** @param {Sock} s @param {unknown} data */
	#data(s, data) {
		s.heard = Date.now();
		clearTimeout(s.probe);
		s.probe = 0;
		/** @type {any} */ let f;
		try {
			f = JSON.parse(/** @type {string} */ (data));
		} catch {
			return;		/* one bad frame never breaks the loop */
		}
		for (const one of Array.isArray(f) ? f : [f]) {
			if (s.dead || !one || typeof one.cmd !== 'string')
				continue;
			this.owner.emit('frame', { dir: 'in', data: one });
			if (s.live)
				this.#frame(s, one);
			else if (one.cmd === 'error')
				this.#refused(s, one);
			else if (one.cmd === 'login' && (one.cid ?? s.cid) === s.cid)
				this.#welcome(s, one);
		}
	}

	/** @param {Sock} s @param {Frame} f */
	#frame(s, f) {
		if (f.cmd === 'ping')
			return this.put({ cmd: 'pong', t: f.t }, s);
		if (f.cmd === 'move')
			return this.#move(s, f);
		const ask = this.asks.get(f.cid);
		if (ask && f.cmd === 'error')
			ask.fail(CChatError.from(f));
		else if (ask && (f.cmd === 'ok' || f.cmd === ask.cmd))
			ask.done(f);
		else
			this.owner.frame(f);
	}

	/** @param {Sock} s @param {Frame} f an error instead of the login */
	#refused(s, f) {
		if (s === this.next)
			this.#forget(s);
		else if ((f.retry >= 0 || f.errCode === 503) &&
			this.state === 'reconnecting')
			this.lost(s, 4100, `retry=${f.retry ?? 1000}`);
		else {
			const err = CChatError.from(f);
			if (this.state === 'reconnecting')
				this.owner.emit('close', { code: err.code,
					reason: err.message, final: true });
			this.end(err);
		}
	}

	/** @param {Sock} s @param {Frame} f */
	#welcome(s, f) {
		clearTimeout(s.timer);
		s.live = true;
		if (s === this.next) {
			const old = this.cur;
			this.next = null;
			this.cur = s;
			this.#forget(old);
			this.#drop(new CChatError('offline', 'moved'));
			this.owner.down();
		}
		if (f.ping > 0 && !this.o.heartbeat)
			this.ping = f.ping * 1000;
		if (f.retry?.base > 0 && f.retry.max >= f.retry.base && !this.o.backoff)
			this.backoff = [f.retry.base, f.retry.max];
		if (Array.isArray(f.alt))
			this.alt = f.alt.filter((u) => /^wss?:\/\//.test(u));
		this.json = f.v >= 2;
		this.#turn = 0;
		clearInterval(this.#beat);
		s.ticked = Date.now();
		this.#beat = setInterval(() => this.#tick(s),
			Math.max(5, Math.min(5000, this.ping / 4)));
		this.set('online');
		this.owner.welcome(s, f);
	}

	/**
	 * Send a command and give its answer to `done`, in step with the frames
	 * around it.  @param {string} cmd @param {Frame} keys
	 * @param {(f: Frame) => void} done @param {(e: any) => void} fail
	 */
	ask(cmd, keys, done, fail) {
		if (!this.live || this.state !== 'online')
			return fail(new CChatError('offline', 'not connected'));
		const cid = this.cid();
		const end = () => {
			clearTimeout(timer);
			this.asks.delete(cid);
		};
		const timer = setTimeout(() => {
			end();
			fail(new CChatError('timeout', `no answer to ${cmd}`));
		}, this.o.askTimeout);
		this.asks.set(cid, {
			cmd,
			done: (f) => { end(); done(f); },
			fail: (e) => { end(); fail(e); },
		});
		this.put({ cmd, ...keys, cid });
	}

	/** @param {Sock} s */
	#tick(s) {
		const now = Date.now();
		const slept = now - s.ticked > ASLEEP;
		s.ticked = now;
		if (s === this.cur && now - (s.steady ??= now) >= STEADY)
			this.#tries = 0;
		if (!this.json || s.probe || s !== this.cur)
			return;
		if (slept)
			this.#probe(3000);
		else if (now - s.heard >= this.ping * 0.8)
			this.#probe(Math.min(10000, this.ping));
	}

	/** @param {number} patience ms */
	#probe(patience) {
		const s = this.cur;
		if (!s || s.probe)
			return;
		s.probe = setTimeout(() => this.lost(s, 4201, 'no pong'), patience);
		this.put({ cmd: 'ping', t: Date.now() }, s);
	}

	/** @param {Sock} s @param {Frame} f */
	#move(s, f) {
		const url = /^wss?:\/\//.test(f.url) ? f.url : s.to;
		setTimeout(() => {
			if (this.cur === s && !this.next)
				this.open(url, f.key === undefined ? '' : String(f.key));
		}, Math.max(0, Math.min(+f.in || 0, 600000)));
		this.owner.emit('move', { url, in: f.in, why: f.why });
	}
}
