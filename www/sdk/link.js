/* SPDX-License-Identifier: MIT */
/*
 * One connection that lasts: the socket under a CChat, and what waits to go
 * out on it.  Link dials, says the login its owner gives it once the rest of
 * the SDK is there (`ready`), asks what has an answer, and lets go.  What
 * comes in, when to try again, the pulse of the line and the change to
 * another are keep.js's.  It knows nothing of rooms and messages.
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
		/** @type {any} a Sock, as yet neither live nor dead */
		const s = {
			to: url || all[this.turn++ % all.length], cid: this.cid(), key,
		};
		this.arm(s);
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

	/** So long has it until it is logged in. @param {any} s */
	arm(s) {
		clearTimeout(s.timer);
		s.timer = setTimeout(() => this.lost(s, 1006, 'no answer'),
			this.o.openTimeout);
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

/*
 * The messages on their way: kept in order until the server has stored each,
 * sent again with the same cid after every loss of the line, no faster than
 * the server allows.  The ack clock runs only while the message is on a
 * live line; another one, of minutes, from the first trouble it is in.
 * What is in a message, and when the line is up, others know.
 */
/**
 * @typedef {object} Send
 * @property {string} cid
 * @property {Frame} frame
 * @property {boolean} sent on the present line
 * @property {any} timer the ack clock
 * @property {any} trouble until it is given up: the line is down, or the
 *   server says "later"
 * @property {boolean} [late] it was given up, but for the try on the way
 * @property {any} promise
 * @property {Function} resolve
 * @property {Function} reject
 */
/**
 * @typedef {object} Way what the outbox asks of its owner
 * @property {() => string} state 'open' to send, 'hold' to wait, 'closed'
 * @property {(f: Frame) => boolean} put true: given away, no ack will come
 * @property {(type: string, e: any) => void} emit
 */

const WINDOW = 32;	/* on the way and not yet answered */

export class Outbox {
	/** @type {Map<string, Send>} */ #all = new Map();
	/** @type {[number, number]|null} */ #rate = null;
	/** @type {any} */ #pace;
	#tokens = 1;
	#filled = 0;
	#wait = 0;	/* the server asked for silence until then */

	/** @param {{queue: number, ackTimeout: number, retryFor: number}} o @param {Way} way */
	constructor(o, way) {
		this.o = o;
		this.way = way;
	}

	/** @param {[number, number]|null} rate messages/s and burst */
	limit(rate) {
		this.#rate = rate;
		this.#tokens = rate?.[1] ?? 1;
		this.#filled = Date.now();
	}

	/** @param {Frame} frame with its cid; a cid on the way is not doubled */
	send(frame) {
		const cid = frame.cid;
		const known = this.#all.get(cid);
		if (known)
			return known.promise;
		/** @type {any} */
		const e = { cid, frame, sent: false };
		e.promise = new Promise((resolve, reject) => {
			e.resolve = resolve;
			e.reject = reject;
		});
		e.promise.cid = cid;
		e.promise.catch(() => {});	/* `fail` tells it too */
		const no = this.way.state() === 'closed' ? 'closed'
			: this.#all.size >= this.o.queue ? 'queue' : '';
		if (no) {
			e.reject(new CChatError(no, '', { cid }));
		} else {
			this.#all.set(cid, e);
			this.flush();
			if (!e.sent)
				this.#trouble(e);
		}
		return e.promise;
	}

	/** It has so long from here. @param {Send} e */
	#trouble(e) {
		if (e.late)
			this.#late(e);
		else
			e.trouble ??= setTimeout(() => {
				e.trouble = null;
				e.late = e.sent;	/* on the way: the last try */
				/* else: is there trouble, or does it wait its turn? */
				if (!e.sent && (this.way.state() !== 'open' ||
				    Date.now() < this.#wait))
					this.#late(e);
			}, this.o.retryFor);
	}

	/** @param {string} cid @returns {boolean} it was waiting */
	cancel(cid) {
		const e = this.#all.get(cid);
		if (e)
			this.#fail(e, new CChatError('closed', 'cancelled', { cid }));
		return !!e;
	}

	/** In order, as fast as allowed, WINDOW unanswered at most. */
	flush() {
		clearTimeout(this.#pace);
		if (this.way.state() !== 'open')
			return;
		const now = Date.now();
		const rate = this.#rate;
		if (rate) {
			this.#tokens = Math.min(rate[1],
				this.#tokens + (now - this.#filled) / 1000 * rate[0]);
			this.#filled = now;
		}
		let busy = 0, pause = this.#wait - now;
		for (const e of [...this.#all.values()]) {
			if (e.sent) {
				busy++;
				continue;
			}
			if (busy++ >= WINDOW)
				return;		/* the next ack goes on */
			if (pause <= 0 && rate && this.#tokens < 1)
				pause = (1 - this.#tokens) / rate[0] * 1000;
			if (pause > 0) {
				this.#pace = setTimeout(() => this.flush(), pause + 1);
				return;
			}
			this.#tokens -= rate ? 1 : 0;
			this.#ship(e);
		}
	}

	/** @param {Send} e */
	#ship(e) {
		e.sent = true;
		e.timer = setTimeout(() => this.#late(e), this.o.ackTimeout);
		if (this.way.put(e.frame))
			this.acked(e.cid, {});
	}

	/** @param {Send} e */
	#late(e) {
		this.#fail(e, new CChatError('timeout', 'not acknowledged', { cid: e.cid }));
	}

	/** @param {Send} e @param {CChatError} error */
	#fail(e, error) {
		if (!this.#take(e.cid))
			return;
		e.reject(error);
		this.way.emit('fail', { cid: e.cid, error });
		this.flush();
	}

	/** Its end, one way or the other. @param {string} cid */
	#take(cid) {
		const e = this.#all.get(cid);
		clearTimeout(e?.timer);
		clearTimeout(e?.trouble);
		this.#all.delete(cid);
		return e;
	}

	/** @param {string} cid @param {Frame} f its `ok`, or the item itself */
	acked(cid, f) {
		const e = this.#take(cid);
		if (!e)
			return;
		const ack = { cid, seq: f.seq, mid: f.mid, ts: f.ts };
		e.resolve(ack);
		this.way.emit('ack', ack);
		this.flush();
	}

	/** @param {Frame} f an error frame @returns {boolean} it was for us */
	refused(f) {
		const e = this.#all.get(f.cid);
		if (!e)
			return false;
		if (!(f.retry >= 0)) {
			this.#fail(e, CChatError.from(f));
		} else {
			this.#hold(e);
			this.#wait = Date.now() + Math.min(f.retry, 30000);
			this.flush();
		}
		return true;
	}

	/** The line is gone: what was sent and not answered must go again. */
	down() {
		clearTimeout(this.#pace);
		this.#all.forEach((e) => this.#hold(e));
	}

	/** It must go again. @param {Send} e */
	#hold(e) {
		clearTimeout(e.timer);
		e.sent = false;
		this.#trouble(e);
	}

	/** @param {CChatError} err for good */
	end(err) {
		this.down();
		for (const e of [...this.#all.values()])
			this.#fail(e, err);
	}
}
