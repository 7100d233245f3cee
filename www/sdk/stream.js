/* SPDX-License-Identifier: MIT */
/*
 * How items are read, and one room as a stream: it hands out its items in
 * rising seq, each once.  What comes twice is dropped; what comes too early
 * is held back until the hole before it is fetched from history; what
 * history has not is named as a gap.
 */

/** @typedef {Record<string, any>} Frame */
/**
 * @typedef {object} Sink
 * @property {(after: number) => Promise<Frame[]>} fetch items after a seq,
 *   oldest first; rejects when there is no line
 * @property {(f: Frame) => void} deliver
 * @property {(from: number, to: number, why: string) => void} gap
 * @property {() => void} rewind too much is missing: resume from `seq`
 */

const HOLD = 2000;	/* items kept back while a hole is filled */
export const PAGE = 200;	/* items in one getHistory */

const DAYS = 8.64e15;	/* ms: as far as a Date goes, both ways */

/** A conversation as commands name it. @param {Frame} of @returns {Frame} */
export const name = (of) => of.tid ? { tid: of.tid } : { rid: of.rid };
/** @param {unknown} n @returns {n is number} */
export const isSeq = (n) => Number.isSafeInteger(n) &&
	/** @type {number} */ (n) > 0;
/** @param {unknown} v */
export const str = (v) => typeof v === 'string' ? v
	: typeof v === 'number' ? String(v) : '';
/** @param {unknown} v @returns {Frame[]} */
export const list = (v) => Array.isArray(v) ? v.filter((x) => x) : [];
/** @param {unknown} v items with a seq, oldest first */
export const items = (v) => list(v).filter((x) => isSeq(x.seq))
	.sort((a, b) => a.seq - b.seq);

/** Ids are strings to everybody above.  @param {Frame} f */
export const clean = (f) => {
	const o = { ...f };
	for (const k of ['uid', 'rid', 'tid', 'name', 'msg', 'emo', 'title'])
		if (k in o)
			o[k] = str(o[k]);
	return o;
};

/**
 * Name of an item's conversation: rid, or "@" and the peer.
 * @param {Frame} f @param {string} [me] my uid
 */
export const key = (f, me) => {
	const uid = str(f.uid), tid = str(f.tid);
	if (!tid)
		return str(f.rid);
	/* tid is the peer as I see him; version 1 puts the receiver there */
	return `@${uid && uid !== me ? uid : tid}`;
};

/**
 * An item as the program above sees it.
 * @param {Frame} f @param {string} [me] @returns {any}
 */
export const message = (f, me) => {
	const m = clean(f);
	m.conv = key(f, me);
	m.mine = m.uid !== '' && m.uid === me;
	m.name ??= '';
	m.ts = Number.isInteger(f.ts) && Math.abs(f.ts) <= DAYS ? f.ts : Date.now();
	if (m.cmd === 'message') {
		m.msg = str(f.msg);
		m.type = str(f.type) || 'text';
		if (m.at !== undefined)
			m.at = list(m.at).map(str);
	}
	return m;
};

export class Stream {
	/** @type {number|null} handed out up to here */ seq = null;
	ep = '';
	head = 0;	/* of the log at the last login or join */
	/** @type {{resolve: Function, reject: Function}[]} */ wait = [];
	/** @type {Frame[]} */ #hold = [];
	#want = 0;
	#filling = false;

	/** @param {string} rid @param {Sink} sink */
	constructor(rid, sink) {
		this.rid = rid;
		this.sink = sink;
	}

	/** @param {Frame} f an item with seq @returns {boolean} false: known */
	take(f) {
		if (this.seq != null && f.seq <= this.seq)
			return false;
		if (!this.#filling && (this.seq == null || f.seq === this.seq + 1)) {
			this.seq = f.seq;
			this.sink.deliver(f);
		} else if (this.#hold.push(f) > HOLD) {
			this.sink.rewind();
		} else {
			this.fill(0);
		}
		return true;
	}

	/** The server will replay from `seq`: what was held back comes again. */
	rest() {
		this.#hold = [];
		this.#want = 0;
	}

	/** Fetch up to `want`, then hand out what was held. @param {number} want */
	async fill(want) {
		this.#want = Math.max(this.#want, want);
		if (this.#filling)
			return;
		this.#filling = true;
		try {
			for (;;) {
				const at = this.seq ?? 0;
				this.#hold = this.#hold.filter((f) => f.seq > at)
					.sort((a, b) => a.seq - b.seq);
				const next = this.#hold[0]?.seq ?? this.#want + 1;
				if (at + 1 < next)
					await this.#fetch(at, next - 1);
				else if (this.#hold.length)
					this.#step(this.#hold.shift() ?? {});
				else
					return;
			}
		} catch {
			this.#hold = [];	/* offline: the resume brings it */
		} finally {
			this.#filling = false;
		}
	}

	/** @param {number} at @param {number} to */
	async #fetch(at, to) {
		const found = (await this.sink.fetch(at)).filter((f) => f.seq <= to);
		for (const f of found)
			this.#step(f);
		if (found.length)
			return;
		this.sink.gap(at + 1, to, 'lost');
		this.seq = Math.max(this.seq ?? 0, to);
	}

	/** @param {Frame} f */
	#step(f) {
		const at = this.seq ?? 0;
		if (f.seq <= at)
			return;
		if (f.seq > at + 1)
			this.sink.gap(at + 1, f.seq - 1, 'lost');
		this.seq = f.seq;
		this.sink.deliver(f);
	}
}
