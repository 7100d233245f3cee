/* SPDX-License-Identifier: MIT */
/*
 * One connection that lasts: the socket under a CChat.  It dials, says the
 * login its owner gives it once the rest of the SDK is there (`ready`), asks
 * what has an answer, and lets go.  What comes in, when to try again, the
 * pulse of the line and the change to another are keep.js's.  It knows
 * nothing of rooms and messages.
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
 * @property {() => Promise<any>|null} ready null: all the SDK is here
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

/* Half a character (an emoji cut in two) is no Unicode: no server takes it. */
const whole = (/** @type {string} */ _, /** @type {any} */ v) =>
	typeof v === 'string' ? v.replace(/\p{Cs}/gu, '\ufffd') : v;

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

export class Link {
	/** @type {Sock|null} */ cur = null;	/* the socket in use */
	/** @type {Sock|null} */ next = null;	/* the one to replace it */
	/** @type {import('./cchat.js').ConnState} */ state = 'idle';
	/** @type {Map<string, Ask>} */ asks = new Map();
	/** @type {string[]} */ alt = [];
	/** @type {import('./keep.js').Keep|null} */ keep = null;
	/** @type {any} the next try */ bell;
	/** @type {any} */ beat;
	tries = 0;
	turn = 0;	/* which url is next */
	#count = 0;
	base = Math.random().toString(36).slice(2, 12);

	/** @param {any} o options @param {Owner} owner */
	constructor(o, owner) {
		this.o = o;
		this.owner = owner;
	}

	/** A fresh id for a command. */
	cid() { return `${this.base}-${(++this.#count).toString(36)}`; }

	get live() { return !!this.cur?.live; }

	/** @param {import('./cchat.js').ConnState} state @param {number} [at] */
	set(state, at) {
		this.state = state;
		this.owner.emit('state', { state, retryAt: at, tries: this.tries });
	}

	/** A new beginning: what an earlier login left is forgotten. */
	start() {
		this.tries = this.turn = 0;
		this.alt = [];
		this.keep = null;
		this.set('connecting');
		this.open();
	}

	/** @param {string} [url] @param {string} [key] given: make before break */
	open(url, key) {
		clearTimeout(this.bell);
		const all = [this.o.url, ...this.alt];
		/** @type {Sock} */
		const s = {
			to: url || all[this.turn++ % all.length], cid: this.cid(), key,
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
		s.ws.onopen = () => {
			const go = () => s.dead || this.put(this.owner.hello(s), s);
			const wait = this.owner.ready();
			if (wait)	/* nothing comes in before there is who takes it */
				wait.then(go, (e) => this.lost(s, 1006, String(e)));
			else
				go();
		};
		s.ws.onmessage = (/** @type {any} */ e) => this.keep?.data(s, e.data);
		s.ws.onclose = (/** @type {any} */ e) =>
			this.lost(s, e.code, e.reason || '');
		s.ws.onerror = () => {};	/* close follows */
	}

	/** @param {Sock|null} s let go of a socket; nobody is told */
	forget(s) {
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
		this.forget(s);
		if (s !== this.cur)
			return;		/* the new one failed: the old goes on */
		this.cur = null;
		this.#still();
		this.drop(new CChatError('offline', 'connection lost'));
		this.owner.down();
		const final = code >= 4000 && code < 4100;
		this.owner.emit('close', { code, reason, final });
		if (final || this.state === 'connecting')
			this.end(new CChatError(final ? code : 'network', reason));
		else if (this.keep)
			this.keep.again(code, reason);
		else		/* not even the rest of us could be fetched */
			this.wait(500 + this.o.random() * 1500);
	}

	#still() {
		clearTimeout(this.bell);
		clearInterval(this.beat);
	}

	/** @param {CChatError} err */
	drop(err) {
		for (const a of [...this.asks.values()])
			a.fail(err);
	}

	/** @param {CChatError} err no way back: everything that waits fails */
	end(err) {
		this.#still();
		this.forget(this.next);
		this.forget(this.cur);
		this.cur = null;
		this.drop(err);
		this.owner.end(err);
		this.set('closed');
	}

	/** Try now; if online, see whether the line is really alive. */
	retry() {
		if (this.live)
			this.keep?.look();
		else if (this.state === 'reconnecting' && !this.cur) {
			this.open();
			this.set('reconnecting');
		}
	}

	/** @param {number} ms until the next try */
	wait(ms) {
		this.bell = setTimeout(() => {
			this.open();
			this.set('reconnecting');
		}, ms);
		this.set('reconnecting', Date.now() + ms);
	}

	/** @param {Frame} f @param {Sock|null} [s] */
	put(f, s = this.cur) {
		this.owner.emit('frame', { dir: 'out', data: f });
		try {
			s?.ws.send(JSON.stringify(f, whole));
		} catch { /* closing: what matters is sent again */ }
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
}
