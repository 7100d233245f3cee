/* SPDX-License-Identifier: MIT */
/*
 * Keeps a line: takes what comes in on it, feels its pulse (ping, and what it
 * means when no pong comes), knows when to try again after a loss (close
 * codes, retry=<ms>, full jitter), and changes to another server when the
 * present one asks for it, by make before break.  The sockets are link.js's.
 * It is there before the first login is sent, so that a loss never has to
 * fetch anything.
 */
import { CChatError } from './link.js';

/** @typedef {import('./link.js').Link} Link */
/** @typedef {import('./link.js').Sock} Sock */
/** @typedef {Record<string, any>} Frame */

const STEADY = 10000;	/* so long online: the back-off starts anew, ms */
const ASLEEP = 40000;	/* a timer this late: the machine slept, ms */

export class Keep {
	json = true;	/* the server knows ping (not so version 1) */

	/** @param {Link} link */
	constructor(link) {
		this.link = link;
		/** @type {[number, number]} */
		this.backoff = link.o.backoff ?? [500, 20000];
		/** @type {number} */
		this.ping = link.o.heartbeat ?? 25000;
	}

	/** @param {Sock} s @param {unknown} data */
	data(s, data) {
		const { link } = this;
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
			link.owner.emit('frame', { dir: 'in', data: one });
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
		const { link } = this;
		if (f.cmd === 'ping')
			return link.put({ cmd: 'pong', t: f.t }, s);
		if (f.cmd === 'move')
			return this.#move(s, f);
		const ask = link.asks.get(f.cid);
		if (ask && f.cmd === 'error')
			ask.fail(CChatError.from(f));
		else if (ask && (f.cmd === 'ok' || (f.cmd === ask.cmd &&
		    f.uid === undefined)))	/* an item is no answer */
			ask.done(f);
		else
			link.owner.frame(f);
	}

	/** @param {Sock} s @param {Frame} f an error instead of the login */
	#refused(s, f) {
		const { link } = this;
		if (s === link.next)
			link.forget(s);
		else if ((f.retry >= 0 || f.errCode === 503) &&
			link.state === 'reconnecting')
			link.lost(s, 4100, `retry=${f.retry ?? 1000}`);
		else {
			const err = CChatError.from(f);
			if (link.state === 'reconnecting')
				link.owner.emit('close', { code: err.code,
					reason: err.message, final: true });
			link.end(err);
		}
	}

	/** @param {Sock} s @param {Frame} f */
	#welcome(s, f) {
		const { link } = this;
		clearTimeout(s.timer);
		s.live = true;
		if (s === link.next) {
			const old = link.cur;
			link.next = null;
			link.cur = s;
			link.forget(old);
			link.drop(new CChatError('offline', 'moved'));
			link.owner.down();
		}
		this.#begin(s, f);
		link.set('online');
		link.owner.welcome(s, f);
	}

	/** @param {Sock} s logged in @param {Frame} f the reply */
	#begin(s, f) {
		const { link } = this;
		link.turn = 0;
		if (f.ping > 0 && !link.o.heartbeat)
			this.ping = f.ping * 1000;
		if (f.retry?.base > 0 && f.retry.max >= f.retry.base && !link.o.backoff)
			this.backoff = [f.retry.base, f.retry.max];
		if (Array.isArray(f.alt))
			link.alt = f.alt.filter((u) => /^wss?:\/\//.test(u));
		this.json = f.v >= 2;
		clearInterval(link.beat);
		s.ticked = Date.now();
		link.beat = setInterval(() => this.#tick(s),
			Math.max(5, Math.min(5000, this.ping / 4)));
	}

	/** After a loss. @param {number} code @param {string} reason */
	again(code, reason) {
		const { link } = this, [base, max] = this.backoff;
		const told = /\bretry\W{1,3}(\d{1,8})/.exec(reason);
		const rnd = link.o.random();
		let ms = rnd * Math.min(max, base * 2 ** Math.min(link.tries, 20));
		if (told)
			ms = +told[1] * (1 + rnd / 10);
		else if (code >= 4200 && code < 4300 && !link.tries)
			ms = rnd * base;	/* at once, but not all in one moment */
		link.tries++;
		link.wait(ms);
	}

	/** Is the line really alive? */
	look() {
		if (this.json)
			this.#probe(3000);
	}

	/** @param {Sock} s */
	#tick(s) {
		const now = Date.now();
		const slept = now - s.ticked > ASLEEP;
		s.ticked = now;
		if (s === this.link.cur && now - (s.steady ??= now) >= STEADY)
			this.link.tries = 0;
		if (!this.json || s.probe || s !== this.link.cur)
			return;
		if (slept)
			this.#probe(3000);
		else if (now - s.heard >= this.ping * 0.8)
			this.#probe(Math.min(10000, this.ping));
	}

	/** @param {number} patience ms */
	#probe(patience) {
		const { link } = this, s = link.cur;
		if (!s || s.probe)
			return;
		s.probe = setTimeout(() => link.lost(s, 4201, 'no pong'), patience);
		link.put({ cmd: 'ping', t: Date.now() }, s);
	}

	/** @param {Sock} s @param {Frame} f */
	#move(s, f) {
		const { link } = this;
		const url = /^wss?:\/\//.test(f.url) ? f.url : s.to;
		setTimeout(() => {
			if (link.cur === s && !link.next)
				link.open(url, f.key === undefined ? '' : String(f.key));
		}, Math.max(0, Math.min(+f.in || 0, 600000)));
		link.owner.emit('move', { url, in: f.in, why: f.why });
	}
}
