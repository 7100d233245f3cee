/* SPDX-License-Identifier: MIT */
/*
 * What not every chat wants: all of a history, read marks, who types, whom
 * it watches, whether it is away.  cchat.js fetches this module when the
 * first of them is wanted.  It knows no sockets: it has `ask`, and is told
 * when a line is there.
 */
import { CChatError } from './link.js';
import { name, PAGE, paged, str } from './session.js';

/** @typedef {import('./link.js').Frame} Frame */
/** @typedef {import('./cchat.js').CChat} CChat */
/** @typedef {{rid?: string, tid?: string}} Target */
/** @typedef {() => object|null} Line the present one, logged in and synced */

const TYPING = 3000;	/* between two of a conversation, ms */

/* Something the server forgets with every line: said again on the next. */
class Wish {
	/** @type {Frame|null} */ #keys = null;
	/** @type {object|null} */ #said = null;
	/** @type {{resolve: Function, reject: Function}[]} */ #wait = [];

	/** @param {CChat} chat @param {Line} line @param {string} cmd */
	constructor(chat, line, cmd) {
		this.chat = chat;
		this.line = line;
		this.cmd = cmd;
	}

	/** @param {Frame} keys @returns {Promise<void>} when the server has it */
	set(keys) {
		if (this.chat.state === 'idle' || this.chat.state === 'closed')
			return Promise.reject(new CChatError('closed'));
		this.#keys = keys;
		this.#said = null;
		return new Promise((resolve, reject) => {
			this.#wait.push({ resolve, reject });
			this.say();
		});
	}

	say() {
		const keys = this.#keys, line = this.line();
		if (!keys || !line || this.#said === line)
			return;
		this.#said = line;
		/* a newer wish answers for the older one */
		this.chat.ask(this.cmd, keys).then(
			() => keys === this.#keys && this.#done(),
			(e) => keys === this.#keys && this.#refused(e));
	}

	/** @param {import('./cchat.js').CChatError} e */
	#refused(e) {
		if (e.code === 'offline')
			return;		/* on the next line */
		const soon = e.code === 'timeout' ? 1000 : e.retry ?? -1;
		if (soon < 0)
			return this.end(e);
		setTimeout(() => { this.#said = null; this.say(); }, soon);
	}

	#done() {
		for (const w of this.#wait.splice(0))
			w.resolve();
	}

	/** @param {Error} err nothing is wished any more */
	end(err) {
		this.#keys = null;
		for (const w of this.#wait.splice(0))
			w.reject(err);
	}
}

export class Asks {
	/** @type {Map<string, any>} */ #marks = new Map();
	/** @type {Map<string, any>} */ #typed = new Map();
	/** @type {Wish} */ #watch;
	/** @type {Wish} */ #status;

	/** @param {CChat} chat @param {Line} line */
	constructor(chat, line) {
		this.chat = chat;
		this.line = line;
		this.#watch = new Wish(chat, line, 'watch');
		this.#status = new Wish(chat, line, 'status');
	}

	/** A line is there: what it has not heard is said. */
	again() {
		this.#marks.forEach((m) => this.#mark(m));
		this.#status.say();
		this.#watch.say();
	}

	/** @param {Error} err */
	end(err) {
		this.#marks.forEach((m) => { m.want = 0; });
		this.#marks.clear();
		this.#typed.forEach((t) => clearTimeout(t.timer));
		this.#typed.clear();
		this.#status.end(err);
		this.#watch.end(err);
	}

	/**
	 * @param {Target} of
	 * @param {{from?: number, reverse?: boolean, items?: boolean}} opt
	 */
	async *pages(of, opt) {
		const back = !!opt.reverse;
		let at = back ? opt.from === undefined ? undefined : opt.from + 1
			: Math.max(0, (opt.from ?? 1) - 1);
		for (;;) {
			const p = await this.chat.history(of, at === undefined ? { limit: PAGE }
				: { [back ? 'before' : 'after']: at, limit: PAGE });
			const got = opt.items ? p.items : p.msgs;
			yield* back ? got.reverse() : got;
			const end = back ? p.from : p.to;
			if (!p.more || !end || (at !== undefined &&
			    (back ? end >= at : end <= at)))
				return;
			at = end;
		}
	}

	/** @param {Target} of @param {number} read */
	mark(of, read) {
		const conv = of.tid ? `@${of.tid}` : str(of.rid);
		const m = this.#marks.get(conv) ?? { of, done: 0, want: 0, timer: 0 };
		this.#marks.set(conv, m);
		m.want = Math.max(m.want, read);
		this.#mark(m);
	}

	#mark(/** @type {any} */ m) {
		if (m.timer || m.want <= m.done || this.chat.state !== 'online')
			return;
		const n = m.done = m.want;
		m.timer = setTimeout(() => { m.timer = 0; this.#mark(m); }, 1000);
		/* lost with the line: again after the next login */
		this.chat.ask('mark', { ...name(m.of), read: n }).catch((e) => {
			m.done = e.code === 'offline' ? 0 : m.done; });
	}

	/** @param {Target} of @param {number} seq @param {number} max */
	async marks(of, seq, max) {
		const { all, f } = await paged(this.chat, 'getMarks', { ...name(of), seq },
			'read', max);
		return { nread: f.nread ?? all.length, nrecv: f.nrecv ?? 0,
			read: all.map(str) };
	}

	/** @param {Target} of @param {boolean} on */
	typing(of, on) {
		const conv = of.tid ? `@${of.tid}` : str(of.rid);
		const t = this.#typed.get(conv) ?? { of, said: false, want: false, timer: 0 };
		t.want = on;
		if (t.timer || (!on && !t.said))
			return;
		this.#typed.set(conv, t);
		this.#type(conv, t);
	}

	#type(/** @type {string} */ conv, /** @type {any} */ t) {
		t.said = t.want;
		t.timer = setTimeout(() => {
			if (t.said && !t.want)
				this.#type(conv, t);
			else
				this.#typed.delete(conv);
		}, TYPING);
		this.chat.ask('typing', { ...name(t.of), on: t.said }).catch(() => {});
	}

	/** @param {string[]} uids */
	watch(uids) { return this.#watch.set({ uids }); }

	/** @param {string} st */
	status(st) { return this.#status.set({ st }); }
}
