/* SPDX-License-Identifier: MIT */
/*
 * What one login is in: its rooms and private conversations, how far each
 * was handed out, what is missing, what a replay brings.  Items go to the
 * program in rising seq, each once (Stream), and settle what the outbox
 * holds.  What a program asks for at once (history, people, inbox) is here,
 * too.  cchat.js fetches this module while the first line is dialled.
 */
import { CChatError } from './link.js';

/** @typedef {import('./link.js').Frame} Frame */
/** @typedef {import('./link.js').Sock} Sock */
/** @typedef {import('./cchat.js').CChat} CChat */
/**
 * @typedef {object} Sink
 * @property {(after: number) => Promise<Frame[]>} fetch items after a seq,
 *   oldest first; rejects when there is no line
 * @property {(f: Frame) => void} deliver
 * @property {(from: number, to: number, why: string) => void} gap
 * @property {() => void} rewind too much is missing: resume from `seq`
 */

/**
 * @typedef {object} Kit what the parts of one chat share
 * @property {any} chat @property {any} o its options
 * @property {import('./link.js').Link} link
 * @property {import('./link.js').Outbox} out
 * @property {any} up where this login may upload to
 * @property {any} first the promise of login() @property {any} asks
 */
const HOLD = 2000;	/* items kept back while a hole is filled */
export const PAGE = 200;	/* items in one getHistory */
const DAYS = 8.64e15;	/* ms: as far as a Date goes, both ways */
const SYNC = 5000;	/* a lost `synced` holds the queue no longer, ms */
const REWIND = 30000;	/* between two logins that only fill a hole, ms */

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

/*
 * One room as a stream: what comes twice is dropped; what comes too early
 * is held back until the hole before it is fetched from history; what
 * history has not is named as a gap.
 */
class Stream {
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

export class Session {
	/** @type {Map<string, Stream>} */ rooms = new Map();
	/** @type {any} */ #priv = { ep: '', seq: null };
	/** @type {Map<string, number>} */ #peers = new Map();
	/** @type {Set<string>} */ syncs = new Set();
	/** @type {any} */ #patience;
	#missed = 0;
	#rewound = 0;
	#whole = true;

	/** @param {Kit} kit @param {any} who */
	constructor(kit, who) {
		this.kit = kit;
		this.chat = kit.chat;
		this.who = who;
		for (const [key, p] of Object.entries(who.pos ?? {})) {
			const e = key === '@' ? this.#priv : this.#room(key);
			[e.ep, e.seq] = /** @type {any} */ (p);
		}
		this.#room(who.rid);
	}

	/** @param {string} type @param {any} e */
	#emit(type, e) { this.chat.emit(type, e); }

	/** Positions, of all or of these. @returns {Record<string, [string, number]>} */
	pos(keys = [...this.rooms.keys(), '@']) {
		return Object.fromEntries(keys.flatMap((k) => {	/* also "__proto__" */
			const e = k === '@' ? this.#priv : this.rooms.get(k);
			return e?.ep && e.seq != null ? [[k, [e.ep, e.seq]]] : [];
		}));
	}

	/** @param {Sock} s @returns {Frame} the login */
	hello(s) {
		const { name, rid, token, dev, uid } = this.who;
		const pos = this.pos();	/* a room named is entered again */
		return {
			cmd: 'login', v: 2, name, rid, dev, cid: s.cid,
			...(uid ? { uid } : {}), ...(token ? { token } : {}),
			...(Object.keys(pos).length ? { pos } : {}),
			...(s.key ? { from: s.key } : {}),
		};
	}

	/** @param {Sock} s @param {Frame} f the login reply */
	welcome(s, f) {
		const { chat, kit, who } = this;
		chat.v = f.v >= 2 ? 2 : 1;
		chat.me = { uid: str(f.uid), name: str(f.name) };
		if (typeof f.token === 'string')
			who.token = f.token;
		if (chat.v < 2)
			who.uid = chat.me.uid;	/* as the server drew it */
		const { msg, rate, rooms } = f.limit ?? {};
		chat.limit = {
			msg: msg > 0 ? msg : chat.v > 1 ? 4096 : 1024,
			rate: rate?.[0] > 0 && rate[1] >= 1 ? [rate[0], rate[1]]
				: chat.v > 1 ? null : [0.48, 1],
			rooms: rooms > 0 ? rooms : 128,
		};
		kit.out.limit(chat.limit.rate);
		kit.up = typeof f.up?.key === 'string' && str(f.up.url) ? f.up : null;
		this.#missed = 0;
		this.#whole = true;
		const room = this.#room(who.rid);
		if (this.#resume(f.pos))
			this.syncs.add(s.cid);
		const first = kit.first;
		kit.first = null;
		const ok = { ...clean(f), v: chat.v, again: !first };
		const all = [...this.rooms];	/* who hears of it may join more */
		this.#emit('login', ok);
		first?.resolve(ok);
		for (const [rid, r] of all)
			if (this.rooms.get(rid) !== r)
				continue;
			else if (r === room || Object.hasOwn(f.pos ?? {}, rid))
				this.#joined(r, null);
			else
				this.#join(rid, r);
		this.#patience = setTimeout(() => this.#synced(), SYNC);
		if (!this.syncs.size)
			this.#synced();
	}

	down() {
		clearTimeout(this.#patience);
		this.syncs.clear();
	}

	/** @param {any} err */
	end(err) {
		this.down();
		for (const r of this.rooms.values())
			this.#joined(r, err);
	}

	/* ---- rooms ----------------------------------------------------- */

	/** @param {string} rid @returns {Stream} */
	#room(rid) {
		const r = this.rooms.get(rid) ?? new Stream(rid, {
			fetch: (after) => this.chat.ask('getHistory', { rid, after, limit: PAGE })
				.then((/** @type {Frame} */ f) => items(f.list).map((i) => ({ rid, ...i })), (/** @type {any} */ e) => {
					if (e.code === 'offline' || e.code === 'closed')
						throw e;
					return [];	/* refused: it stays a hole */
				}),
			deliver: (f) => this.#deliver(f),
			gap: (from, to, why) =>
				this.#emit('gap', { conv: rid, from, to, why }),
			rewind: () => this.#rewind(),
		});
		this.rooms.set(rid, r);
		return r;
	}

	/** @param {string} rid */
	join(rid) {
		const fresh = !this.rooms.has(rid);
		const r = this.#room(rid);
		if (!fresh && !r.wait.length && this.chat.state === 'online')
			return Promise.resolve({ rid });
		return new Promise((resolve, reject) => {
			r.wait.push({ resolve, reject });
			if (this.kit.link.live && r.wait.length === 1)
				this.#join(rid, r);
		});
	}

	/** @param {string} rid */
	leave(rid) {
		this.rooms.delete(rid);
		if (rid === this.who.rid)	/* where the next login goes */
			this.who.rid = this.rooms.keys().next().value ?? '1';
	}

	/** @param {string} rid @param {Stream} r */
	#join(rid, r) {
		const { chat, kit: { link } } = this;
		if (chat.v < 2)
			return link.put({ cmd: 'login', name: this.who.name,
				uid: chat.me?.uid, rid });
		const pos = this.pos([rid]);
		const back = !!pos[rid];	/* the room has something to catch up */
		if (back)
			this.syncs.add(rid);
		const here = link.cur;
		const settle = () => {
			if (this.syncs.delete(rid) && !this.syncs.size)
				this.#synced();
		};
		link.ask('join', { rid, ...(back ? { pos } : {}) }, (f) => {
			if (this.#resume(f.pos) && back)
				this.syncs.add(f.cid);
			settle();
			this.#joined(r, null);
		}, (e) => {
			if (e.code === 'offline')
				return;		/* joined again with the next login */
			if (e.retry >= 0 || e.code === 'timeout') {
				setTimeout(() => here === link.cur &&
					this.rooms.get(rid) === r && this.#join(rid, r),
					e.retry || 1000);
				return;
			}
			this.rooms.delete(rid);
			settle();
			this.#joined(r, e);
			this.#emit('left', { rid, error: e });
		});
	}

	/** @param {Stream|undefined} r @param {any} err */
	#joined(r, err) {
		for (const w of r?.wait.splice(0) ?? [])
			if (err)
				w.reject(err);
			else
				w.resolve({ rid: r?.rid });
	}

	/* ---- what comes in --------------------------------------------- */

	/** @param {Frame} f */
	frame(f) {
		const { out } = this.kit;
		switch (f.cmd) {
		case 'error':
			if (!out.refused(f))
				this.#emit('error', CChatError.from(f));
			return;
		case 'ok':
			return out.acked(f.cid, f);
		case 'login':		/* version 1: one more room */
			return this.#joined(this.rooms.get(str(f.rid)), null);
		case 'synced':
			if (this.syncs.delete(f.cid) && !this.syncs.size)
				this.#synced();
			return;
		case 'gap':
			return this.#gap(f);
		case 'newUser': case 'offline': case 'presence': case 'status':
		case 'notice': case 'auth':
			return this.#emit(f.cmd, clean(f));
		case 'mark': case 'typing':
			return this.#emit(f.cmd,
				{ ...clean(f), conv: key(f, this.chat.me?.uid) });
		}
		if (isSeq(f.seq) || f.cmd === 'message')
			this.#item(f);
	}

	/** @param {Frame} f in the order of its conversation, and once */
	#item(f) {
		const { out } = this.kit, me = this.chat.me?.uid;
		if (this.chat.v < 2)
			return this.#deliver(f);
		const at = this.#priv;
		if (isSeq(f.useq)) {
			if (at.seq != null && f.useq <= at.seq)
				return out.acked(f.cid, f);
			if (at.seq != null && f.useq > at.seq + 1 &&
			    Date.now() - this.#rewound > REWIND)
				return this.#rewind();
			at.seq = f.useq;
		}
		const conv = key(f, me);
		if (conv[0] === '@' && isSeq(f.seq)) {
			if (f.seq <= (this.#peers.get(conv) ?? 0))
				return out.acked(f.cid, f);
			this.#peers.set(conv, f.seq);
		}
		if (conv[0] === '@' || isSeq(f.useq))
			return this.#deliver(f);
		const r = this.rooms.get(conv);
		if (!r)
			return;		/* left: the rest of what was on the way */
		if (!isSeq(f.seq))
			this.#deliver(f);
		else if (!r.take(f))
			out.acked(f.cid, f);
	}

	/** @param {Frame} f */
	#deliver(f) {
		const m = message(f, this.chat.me?.uid);
		if (m.mine)
			this.kit.out.acked(f.cid, f);
		m.replay = this.syncs.size > 0;
		if (m.replay && m.cmd === 'message' && !m.mine)
			this.#missed++;
		this.#emit(m.cmd === 'message' ? 'message' : 'item', m);
	}

	/* Something is missing that only a replay can bring: come in again. */
	#rewind() {
		const { link } = this.kit;
		this.#rewound = Date.now();
		if (link.cur)
			link.lost(link.cur, 4201, 'hole in the stream');
	}

	/**
	 * Take over the `pos` of a login or join reply.
	 * @param {Frame|undefined} pos @returns {boolean} items follow
	 */
	#resume(pos) {
		let follow = false;
		for (const [key, p] of Object.entries(pos ?? {})) {
			const e = key === '@' ? this.#priv : this.rooms.get(key);
			if (!e || !p || !Number.isSafeInteger(p.seq))
				continue;
			if (p.title !== undefined)
				this.#emit('room', { rid: key, title: str(p.title) });
			if (e.ep && e.ep !== p.ep) {	/* the log began anew */
				if (key === '@')
					this.#peers.clear();
				e.seq = null;
				this.#emit('reset', { conv: key, ep: p.ep });
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
				this.#emit('gap', { conv: key, from: e.seq + 1,
					to: p.from - 1, why: 'retention' });
				e.seq = p.from - 1;
			}
		}
		return follow;
	}

	/* All replays are through: live from here. */
	#synced() {
		clearTimeout(this.#patience);
		this.syncs.clear();
		for (const r of this.rooms.values())
			if (r.seq != null && r.head > r.seq)
				r.fill(r.head);
		this.#emit('synced', { missed: this.#missed, full: this.#whole });
		this.#missed = 0;
		this.kit.asks?.again();
		this.kit.out.flush();
	}

	/** @param {Frame} f the server names a hole */
	#gap(f) {
		if (!isSeq(f.to))
			return;
		const r = this.rooms.get(str(f.rid));
		if (r)
			return void r.fill(f.to);
		this.#priv.seq = Math.max(this.#priv.seq ?? 0, f.to);
		this.#emit('gap', { conv: '@', from: f.from, to: f.to, why: f.why });
	}
}

/* ---- what is asked for --------------------------------------------- */

/**
 * All the pages of an answer, up to `max` of what they list.
 * @param {CChat} chat @param {string} cmd @param {Frame} keys
 * @param {string} of @param {number} max
 */
export const paged = async (chat, cmd, keys, of, max) => {
	/** @type {any[]} */ const all = [];
	/** @type {Frame} */ let f = {};
	do {
		f = await chat.ask(cmd, f.next ? { ...keys, next: f.next } : keys);
		all.push(...list(f[of]));
	} while (f.next && all.length < max);
	return { all, f };
};

/** @param {CChat} chat @param {Frame} of @param {Frame} opt */
export const history = async (chat, of, opt) => {
	const f = chat.v === 1 ? {}
		: await chat.ask('getHistory', { ...name(of), limit: 50, ...opt });
	const all = items(f.list).map((i) => message({ ...name(of), ...i }, chat.me?.uid));
	return {
		items: all, msgs: all.filter((i) => i.cmd === 'message'),
		more: !!f.more, ep: str(f.ep), first: f.first, last: f.last,
		from: all[0]?.seq ?? 0, to: all.at(-1)?.seq ?? 0,
	};
};

/** @param {CChat} chat @param {string} rid @param {number} max */
export const online = async (chat, rid, max) => {
	const { all, f } = await paged(chat, 'getOnline', { rid, limit: PAGE }, 'users', max);
	return { count: f.count ?? all.length, users: all.map(clean) };
};

/** @param {CChat} chat @param {string[]} uids */
export const users = async (chat, uids) =>
	list((await chat.ask('getOnline', { uids: uids.slice(0, 200) })).users).map(clean);

/** @param {CChat} chat @param {number} max */
export const inbox = (chat, max) => paged(chat, 'inbox', {}, 'list', max)
	.then((p) => p.all, (e) => e.code === 102 ? [] : Promise.reject(e));
