/* SPDX-License-Identifier: MIT */
/*
 * What the page knows: conversations and their messages and what is read;
 * people.js below it knows who is there.  It hears the SDK and keeps order;
 * it draws nothing.  Views watch `rows` (the list of conversations), `folk`
 * (people) and `onlog`.
 */
import { firstSeq, insert, isGroup, lastSeq, makeConv, recount, settle,
	shorten } from './conv.js';
import { signal } from './dom.js';
import { clean } from './format.js';
import { People } from './people.js';
import { dict, local, tab, tell } from './prefs.js';

/** @typedef {import('./conv.js').Item} Item */
/** @typedef {import('./conv.js').Conv} Conv */
/** @typedef {import('../sdk/cchat.js').CChat} CChat */

const KEEP = 5000;	/* messages of a conversation in memory */
const PAGE = 100;
const QUEUE = 50;	/* unsent ones that survive a reload */
const ROOMS = 128;
const RECENT = 5;	/* conversations that keep as many */
const IDLE = 500;	/* messages of the others */
const PATIENCE = 2000;	/* without what becomes of messages, ms */
const ASK = 30000;	/* who of the private chats is online, ms */

export class Store extends People {
	current = signal('');
	/** @type {(c: Conv, item?: Item) => void} */ onlog = () => {};
	/** @type {(c: Conv, item: Item) => void} a message came just now */
	onnew = () => {};
	/** Is the reader looking at the end of it? @type {(c: Conv) => boolean} */
	seeing = () => false;
	/** @type {Record<string, number>|null} bytes of an upload, by type */ most = null;
	/** @type {any} */ #saver = 0;
	/** @type {string} */ #user = '';

	/** @param {CChat} chat */
	constructor(chat) {
		super(chat);
		this.current.subs.add(() => this.#opened());
		chat.on('login', (l) => this.#login(l));
		chat.on('message', (m) => this.#message(m));
		chat.on('item', (m) => this.#change(m));
		chat.on('room', (r) => this.#titled(r.rid, r.title));
		chat.on('ack', (a) => this.#settle(a.cid, a));
		chat.on('fail', (e) => this.#settle(e.cid, null));
		chat.on('mark', (m) => this.#mark(m));
		chat.on('gap', (g) => this.#forget(g.conv));
		chat.on('reset', (r) => this.#forget(r.conv));
		chat.on('left', (e) => this.onrefused(e.rid, e.error));
		chat.on('synced', () => {
			this.#save();
			this.friends();
			for (const c of this.convs.values())
				if (!c.dm && c.people.size)
					this.people(c);
		});
	}

	/** @param {string} key @returns {Conv} */
	conv(key) {
		let c = this.convs.get(key);
		if (c)
			return c;
		c = makeConv(key);
		this.convs.set(key, c);
		if (c.dm)
			c.title = this.name(c.id) || c.title;
		else
			this.#titled(key, this.#titles.get(key) ?? '');
		this.rows.touch();
		return c;
	}

	/** @param {Conv} c */
	target(c) { return c.dm ? { tid: c.id } : { rid: c.id }; }

	/** Conversations as the list shows them. */
	sorted() {
		const all = [...this.convs.values()];
		return {
			rooms: all.filter((c) => !c.dm),
			dms: all.filter((c) => c.dm).sort((a, b) => b.time - a.time),
		};
	}

	/* ---- messages -------------------------------------------------- */

	/** @param {any} m @param {Partial<Item>} [more] @returns {Item} */
	#item(m, more) {
		const msg = m.msg ?? '';
		return {
			ord: m.seq ?? 0, seq: m.seq, cid: m.cid, uid: m.uid,
			name: clean(m.name, m.uid), type: m.type, msg, ts: m.ts,
			mine: m.mine, gone: m.gone, state: m.mine ? 'sent' : '',
			at: !m.mine && !m.gone && this.#atMe(m.at, msg), ...more,
		};
	}

	/** @param {unknown} at @param {string} msg */
	#atMe(at, msg) {
		if (Array.isArray(at) && at.map(String).includes(this.me.uid))
			return true;
		const s = msg.toLowerCase();
		for (let i = s.indexOf('@'); i >= 0; i = s.indexOf('@', i + 1))
			if (this.names(s, i + 1)?.me)
				return true;
		return false;
	}

	/** @param {Conv} c @param {Item} it */
	#insert(c, it) {
		insert(c, it);
		if (!it.name || it.mine)
			return;
		this.know(it.name);
		if (c.dm)
			c.title = it.name;
		else if (!c.people.has(it.uid))
			c.people.set(it.uid, { uid: it.uid, name: it.name, on: false });
	}

	/** @param {Conv} c @param {any} m @returns {Item|null} null: known */
	#put(c, m) {
		if (m.seq && c.seqs.has(m.seq))
			return null;
		const own = m.mine && m.cid ? c.cids.get(m.cid) : null;
		if (own) {
			this.#place(c, own, m);
			return null;
		}
		const it = this.#item(m);
		this.#insert(c, it);
		return it;
	}

	/** @param {Conv} c @param {Item} it @param {any} a my own one is stored */
	#place(c, it, a) {
		settle(c, it, a);
		this.onlog(c, it);
	}

	/** @param {any} m from the SDK */
	#message(m) {
		const c = this.conv(m.conv);
		const it = this.#put(c, m);
		if (c.dm)
			this.#save();
		if (!it)
			return;
		if (it.mine) {
			c.read = Math.max(c.read, it.seq ?? 0);
		} else if (!it.seq || it.seq > c.read) {
			c.unread++;
			if (it.at || c.dm)
				c.mention++;
			if (!m.replay)
				this.onnew(c, it);
		}
		this.onlog(c, it);
		this.trim(c);
		this.rows.touch();
		if (c.unread && this.seeing(c))
			this.seen(c);
	}

	/** Forget the far end of a very long conversation. @param {Conv} c */
	trim(c) {
		const max = this.#recent.includes(c.key) ? KEEP : IDLE;
		if (c.items.length < max * 1.1 ||
			!(this.seeing(c) || c.key !== this.current.value))
			return;
		shorten(c, max);
		this.onlog(c);
	}

	/* Of those that were not open for long, only the newest stay. */
	#opened() {
		const key = this.current.value;
		this.#recent = [key, ...this.#recent.filter((k) => k !== key)];
		for (const k of this.#recent.splice(RECENT)) {
			const c = this.convs.get(k);
			if (c && !c.unread)
				this.trim(c);
		}
	}
	/** @type {string[]} */ #recent = [];

	/* ---- what becomes of messages, titles -------------------------- */

	/** @param {any} m an item that is no message */
	#change(m) {
		const c = this.convs.get(m.conv);
		if (m.cmd === 'title')
			return this.#titled(m.conv, m.title);
		if (c)
			this.#apply(c, m);
	}

	/* What becomes of messages (items.js), once there is something of it. */
	/** @type {typeof import('./items.js')|null} */ #items = null;
	/** @type {Promise<typeof import('./items.js')>|null} */ #coming = null;
	#becomes() {
		return this.#coming ??= (async () => {
			for (;;) {
				try {
					return this.#items = await import('./items.js');
				} catch {	/* the line may be down: again */
					await new Promise((r) => setTimeout(r, 1000));
				}
			}
		})();
	}

	/** @param {Conv} c @param {any} m in the order in which they come */
	#apply(c, m) {
		if (!this.#items)
			return void this.#becomes().then(() => this.#apply(c, m));
		const it = this.#items.apply(c, m);
		if (it)
			this.onlog(c, it);
	}

	/** @param {string} rid @param {unknown} title untrusted, "" for none */
	#titled(rid, title) {
		const s = clean(title, '');
		const c = this.convs.get(rid);
		if (s)
			this.#titles.set(rid, s);
		else
			this.#titles.delete(rid);
		if (!c || c.dm || (!s && !c.named))
			return;
		c.title = s || c.id;
		c.named = !!s;
		this.rows.touch();
	}
	/** @type {Map<string, string>} of rooms, as the server tells */ #titles = new Map();

	/**
	 * An edit, a recall, a reaction: shown at once; taken back, and the
	 * promise rejected, if it is refused.
	 * @param {Conv} c @param {Item} it
	 * @param {{cmd: 'edit', msg: string}|{cmd: 'recall'}|
	 *   {cmd: 'react', emo: string, on: boolean}} m
	 */
	async change(c, it, m) {
		return (this.#items ?? await this.#becomes()).change(this, c, it, m);
	}

	/* ---- sending --------------------------------------------------- */

	/** @param {Conv} c @param {string} msg */
	send(c, msg) {
		const it = this.hold(c, { type: 'text', msg });
		this.ship(c, it);
		return it;
	}

	/** A row of my own that is not sent yet. @param {Conv} c @param {Partial<Item>} part */
	hold(c, part) {
		const it = this.#item({ ...this.me, mine: true, ts: Date.now(), ...part,
			cid: this.chat.cid() }, { ...part, state: 'pending' });
		this.#insert(c, it);
		this.onlog(c, it);
		this.rows.touch();
		return it;
	}

	/** Send what is held. @param {Conv} c @param {Item} it */
	ship(c, it) {
		const at = it.type === 'text' ? this.named(c, it.msg) : [];
		this.#keep({ key: c.key, cid: it.cid, type: it.type, msg: it.url ?? it.msg, at,
			ts: it.ts });
		this.#ship(c, it, at);
		this.rows.touch();
	}

	/** It can't be sent. @param {Conv} c @param {Item} it @param {string} why */
	fail(c, it, why) {
		Object.assign(it, { state: 'failed', why, progress: undefined });
		this.onlog(c, it);
	}

	/** @param {Conv} c @param {Item} it @param {string[]} [at] */
	#ship(c, it, at) {
		it.state = 'pending';
		this.onlog(c, it);
		this.chat.send(this.target(c), it.url ?? it.msg, { cid: it.cid, at, type: it.type })
			.catch(() => this.#settle(it.cid ?? '', null));
	}

	/** @param {Conv} c @param {Item} it */
	retry(c, it) {
		if (it.again)
			return it.again();
		this.#ship(c, it, it.type === 'text' ? this.named(c, it.msg) : []);
	}

	/** Nothing of it is shown any more; what is not sent stays. @param {Conv} c */
	clear(c) {
		c.read = Math.max(c.read, lastSeq(c));
		c.items = c.items.filter((i) => !i.seq);
		c.more = false;
		this.#count(c);
		this.onlog(c);
	}

	/** @param {Conv} c @param {Item} it */
	discard(c, it) {
		it.drop?.();
		c.items.splice(c.items.indexOf(it), 1);
		c.cids.delete(it.cid ?? '');
		this.#keep(null, it.cid);
		this.chat.cancel(it.cid ?? '');
		this.onlog(c);
	}

	/** @param {string} cid @param {any} ack null: it failed */
	#settle(cid, ack) {
		for (const c of this.convs.values()) {
			const it = c.cids.get(cid);
			if (!it || (!ack && it.state !== 'pending'))
				continue;
			if (ack) {
				this.#keep(null, cid);
				this.#place(c, it, ack);
				c.read = Math.max(c.read, ack.seq ?? 0);
			} else {
				it.state = 'failed';
				this.onlog(c, it);
			}
		}
	}

	/* The queue outlives a reload of the tab. */
	/** @param {any} entry @param {string} [cid] taken out */
	#keep(entry, cid) {
		const q = (tab.get('queue', []))
			.filter((/** @type {any} */ e) => e.cid !== cid);
		if (entry)
			q.push({ ...entry, uid: this.me.uid });
		tab.set('queue', q.length ? q.slice(-QUEUE) : null);
	}

	#restore() {
		for (const e of tab.get('queue', [])) {
			if (e.uid !== this.me.uid)
				continue;
			const c = this.conv(e.key);
			if (c.cids.has(e.cid))
				continue;
			const it = this.#item({ type: 'text', ...this.me, ...e, mine: true },
				{ state: 'pending', ord: 1e15 });
			this.#insert(c, it);
			this.#ship(c, it, e.at);
		}
	}

	/* ---- history --------------------------------------------------- */

	/**
	 * The newest page, once; then `loaded`.  With unread messages, enough to
	 * reach the first of them.
	 * @param {Conv} c
	 */
	async load(c) {
		if (c.loaded || c.loading)
			return;
		const first = firstSeq(c);
		await this.#page(c, first ? { before: first } : {});
		const top = () => c.from || firstSeq(c);
		for (let n = 0; c.loaded && c.read && c.more && top() > c.read + 1 && n < 5; n++)
			await this.#page(c, { before: top() });
		if (c.loaded && !c.read && !c.told)
			c.read = first ? first - 1 : lastSeq(c);
		this.#count(c);
	}

	/** One page more at the top. @param {Conv} c */
	async older(c) {
		const first = c.from || firstSeq(c);
		if (c.more && !c.loading && c.loaded)
			await this.#page(c, first ? { before: first } : {});
	}

	/** @param {Conv} c @param {Record<string, number>} where */
	async #page(c, where) {
		c.loading = true;
		c.failed = false;
		this.onlog(c);
		try {
			const p = await this.chat.history(this.target(c), { ...where, limit: PAGE });
			/* not drawn as they were, to be drawn anew the next moment */
			if (!this.#items && p.items.some((/** @type {any} */ m) => m.cmd !== 'message'))
				await Promise.race([this.#becomes(),
					new Promise((r) => setTimeout(r, PATIENCE))]);
			for (const m of p.items)
				if (m.cmd === 'message')
					this.#put(c, m);
				else
					this.#apply(c, m);
			c.from = p.from || c.from;
			c.more = p.more && p.from > 0;
			c.loaded = true;
		} catch {
			c.failed = true;
		}
		c.loading = false;
		this.onlog(c);
		this.rows.touch();
	}

	/* A hole or a new log: what is here may not fit together any more. */
	/** @param {string} key */
	#forget(key) {
		for (const c of this.convs.values()) {
			if (key === '@' ? !c.dm : c.key !== key)
				continue;
			for (const it of c.items)
				if (it.seq)
					c.cids.delete(it.cid ?? '');
			c.items = c.items.filter((i) => !i.seq);
			c.seqs.clear();
			c.later.clear();
			c.from = 0;
			c.loaded = false;
			c.more = true;
			this.onlog(c);
			if (c.key === this.current.value)
				this.load(c);
		}
	}

	/* ---- reading --------------------------------------------------- */

	/** @param {Conv} c */
	#count(c) {
		recount(c);
		this.rows.touch();
	}

	/** Read to its end. @param {Conv} c */
	seen(c) {
		const seq = lastSeq(c);
		if (c.unread || seq > c.read) {
			c.unread = c.mention = 0;
			this.rows.touch();
		}
		if (seq <= c.read)
			return;
		c.read = seq;
		if (c.dm || isGroup(c))
			this.chat.mark(this.target(c), seq);
		tell({ read: c.key, seq, uid: this.me.uid });
		this.#save();
	}

	/** Another tab or device has read it. @param {string} key @param {number} seq */
	readTo(key, seq) {
		const c = this.convs.get(key);
		if (!c || seq <= c.read)
			return;
		c.read = seq;
		this.#count(c);
	}

	/** @param {any} m */
	#mark(m) {
		const c = this.convs.get(m.conv);
		if (!c || !Number.isSafeInteger(m.read))
			return;
		if (m.uid === this.me.uid)
			return this.readTo(m.conv, m.read);
		if (m.read <= c.peer)
			return;
		const was = c.peer;
		c.peer = m.read;
		for (const it of c.items)
			if (it.mine && it.seq && it.seq > was && it.seq <= c.peer)
				this.onlog(c, it);
		this.#save();
	}

	/* ---- coming in, and what is remembered ------------------------- */

	/** What an earlier visit left of this user's streams. @param {string} uid */
	static pos(uid) { return uid ? local.get(`u.${uid}`)?.pos : undefined; }

	/** @param {any} l the login reply */
	#login(l) {
		this.most = l.up ?? null;
		const fresh = this.me.uid !== l.uid;
		this.me = { uid: l.uid, name: clean(l.name) };
		this.know(this.me.name);
		if (!fresh)
			return;
		this.#user = `u.${l.uid}`;
		const was = local.get(this.#user) ?? {};
		const read = dict(was.read);
		const here = this.conv(l.rid);
		here.read = read[l.rid] ?? 0;
		for (const d of was.dms ?? []) {
			const c = this.conv(`@${d.uid}`);
			Object.assign(c, { title: clean(d.name), read: d.read, peer: d.peer,
				time: d.time });
		}
		for (const rid of (was.rooms ?? []).slice(0, ROOMS))
			if (rid !== l.rid)
				this.enter(rid, read[rid] ?? 0);
		this.#restore();
		this.people(here);
		for (const c of this.sorted().dms.slice(0, 20))
			if (l.v > 1)
				this.load(c);
		setInterval(() => {
			if (!document.hidden && this.chat.state === 'online')
				this.friends();
		}, ASK);
		this.chat.inbox().then((all) => this.#inbox(all), () => {});
	}

	/** @param {Record<string, any>[]} all */
	#inbox(all) {
		for (const e of all) {
			if (!e.tid)
				continue;
			const c = this.conv(`@${e.tid}`);
			c.read = Math.max(c.read, +e.read || 0);
			c.told = e.unread > 0;
			if (!c.loaded)
				this.load(c);
			else
				this.#count(c);
		}
	}

	/** Go into one more room. @param {string} rid @param {number} [read] */
	enter(rid, read = 0) {
		const known = this.convs.has(rid);
		const c = this.conv(rid);
		if (known)
			return c;
		c.read = read;
		this.chat.join(rid).then(() => {
			this.load(c);
			this.people(c);
			this.#save();
		}, () => {});	/* `left` tells it */
		return c;
	}
	/** @type {(rid: string, e: any) => void} no way into a room */
	onrefused = (rid) => this.drop(rid);

	/** Out of a room, or a private conversation off the list. @param {string} key */
	drop(key) {
		const c = this.convs.get(key);
		if (!c)
			return;
		this.convs.delete(key);
		if (!c.dm) {
			for (const it of c.items)	/* what goes up has nowhere to go */
				it.drop?.();
			this.chat.leave(c.id).catch(() => {});
		}
		this.#save();
		this.rows.touch();
	}

	#save() {
		if (this.#saver || !this.#user)
			return;
		this.#saver = setTimeout(() => this.save(), 400);
	}

	save() {
		clearTimeout(this.#saver);
		this.#saver = 0;
		if (!this.#user || !local.get('id'))
			return;		/* not to be remembered here */
		const { rooms, dms } = this.sorted();
		const at = this.chat.pos['@'];
		local.set(this.#user, {
			rooms: rooms.map((c) => c.id),
			read: Object.fromEntries(rooms.map((c) => [c.id, c.read])),
			dms: dms.slice(0, 50).map((c) => ({ uid: c.id, name: c.title,
				read: c.read, peer: c.peer, time: c.time })),
			...(at ? { pos: { '@': at } } : {}),
		});
	}
}
