/* SPDX-License-Identifier: MIT */
/*
 * The messages on their way: kept in order until the server has stored each,
 * sent again with the same cid after every loss of the line, no faster than
 * the server allows.  The ack clock runs only while the message is on a
 * live line; another one, of minutes, from the first trouble it is in.
 * What is in a message, and when the line is up, others know.
 */
import { CChatError } from './link.js';

/** @typedef {Record<string, any>} Frame */
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
