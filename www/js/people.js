/* SPDX-License-Identifier: MIT */
/*
 * Who is there: the people of each room and the peers of private chats, as
 * the server tells of them, and the names that "@" may mean.  Store is made
 * on top of it; the views ask store.name(), isOn(), names(), people().
 */
import { signal } from './dom.js';
import { clean } from './format.js';

/** @typedef {import('./conv.js').Conv} Conv */
/** @typedef {import('./conv.js').Person} Person */
/** @typedef {import('../sdk/cchat.js').CChat} CChat */

export class People {
	/** @type {Map<string, Conv>} */ convs = new Map();
	rows = signal(0);
	folk = signal(0);
	me = { uid: '', name: '' };
	/** @type {Map<string, boolean>} peers I share no room with */ #friends = new Map();
	/** @type {Set<string>} lower-case names for names() */ #known = new Set();
	/** @type {Set<string>} */ #asking = new Set();

	/** @param {CChat} chat */
	constructor(chat) {
		this.chat = chat;
		chat.on('newUser', (u) => this.#person(u.rid, u, true));
		chat.on('offline', (u) => this.#person(u.rid, u, false));
		chat.on('presence', (p) => this.#presence(p));
	}

	/** The name somebody goes by, as far as known. @param {string} uid */
	name(uid) {
		for (const c of this.convs.values())
			if (c.people.has(uid))
				return c.people.get(uid)?.name ?? '';
		return '';
	}

	/** @param {string} uid */
	isOn(uid) {
		for (const c of this.convs.values())
			if (c.people.get(uid)?.on)
				return true;
		return this.#friends.get(uid) ?? false;
	}

	/** Ask for the peers of private chats that no room tells of. */
	async friends() {
		const uids = [...this.convs.values()].filter((c) => c.dm && c.id !== this.me.uid)
			.sort((a, b) => b.time - a.time).slice(0, 100).map((c) => c.id);
		if (!uids.length || this.chat.v < 2)
			return;
		try {
			for (const u of await this.chat.users(uids))
				this.#friends.set(u.uid, u.st !== 'off');
		} catch { /* the next time */ }
		this.rows.touch();
	}

	/**
	 * A name after "@": its length, and whether it means me.
	 * @param {string} s @param {number} i
	 */
	names(s, i) {
		const rest = s.slice(i, i + 64).toLowerCase();
		const mine = [this.me.name.toLowerCase(), '我', 'me', '所有人', 'all']
			.find((n) => n && rest.startsWith(n) && this.#ends(rest, n));
		if (mine)
			return { n: mine.length, me: true };
		for (let n = Math.min(rest.length, 32); n > 0; n--)
			if (this.#known.has(rest.slice(0, n)) &&
				this.#ends(rest, rest.slice(0, n)))
				return { n, me: false };
		return null;
	}

	/**
	 * Whom of a conversation a text names, uids; of names that begin alike
	 * the longest.
	 * @param {Conv} c @param {string} msg
	 */
	named(c, msg) {
		/** @type {string[]} */ const at = [];
		let tries = 100;
		for (let i = msg.indexOf('@'); i >= 0 && tries--; i = msg.indexOf('@', i + 1)) {
			const rest = msg.slice(i + 1, i + 65).toLowerCase();
			const all = [...c.people.values()].filter(({ uid, name }) => name &&
				uid !== this.me.uid && rest.startsWith(name.toLowerCase()) &&
				this.#ends(rest, name.toLowerCase()));
			const n = Math.max(...all.map((p) => p.name.length));
			at.push(...all.filter((p) => p.name.length === n).map((p) => p.uid));
		}
		return [...new Set(at)].slice(0, 50);
	}

	/** @param {string} rest @param {string} n */
	#ends(rest, n) {
		return !/[a-z0-9_]/.test(n[n.length - 1]) ||
			!/[a-z0-9_]/.test(rest[n.length] ?? ' ');
	}

	/** A name has been seen. @param {string} name */
	know(name) { this.#known.add(name.toLowerCase()); }

	/** @param {Conv} c ask who is there */
	async people(c) {
		try {
			const { users, count } = await this.chat.online(c.id);
			for (const p of c.people.values())
				p.on = false;
			for (const u of users)
				this.#meet(c, u, u.st !== 'off');
			c.count = Math.max(count, users.length);
		} catch {
			/* version 1: only those who are seen to come */
			if (this.chat.v === 1)
				this.#meet(c, this.me, true);
			c.count = [...c.people.values()].filter((p) => p.on).length;
		}
		this.folk.touch();
		this.rows.touch();
	}

	/** @param {Conv} c @param {any} u @param {boolean} on */
	#meet(c, u, on) {
		const p = c.people.get(u.uid);
		const name = clean(u.name, p?.name ?? u.uid);
		if (p)
			Object.assign(p, { name, on });
		else
			c.people.set(u.uid, { uid: u.uid, name, on });
		this.know(name);
		const dm = this.convs.get(`@${u.uid}`);
		if (dm)
			dm.title = name;
		return !!p?.on;
	}

	/** @param {string} rid @param {any} u @param {boolean} on */
	#person(rid, u, on) {
		const c = this.convs.get(rid);
		if (!c || c.dm)
			return;
		const was = c.people.get(u.uid)?.on ?? false;
		this.#friends.delete(u.uid);
		this.#meet(c, u, on);
		c.count += +on - +was;
		this.folk.touch();
		this.rows.touch();
	}

	/** @param {any} p */
	#presence(p) {
		const c = this.convs.get(String(p.rid));
		if (!c)
			return;
		for (const u of Array.isArray(p.in) ? p.in : [])
			this.#meet(c, { ...u, uid: String(u.uid) }, true);
		for (const uid of Array.isArray(p.out) ? p.out : []) {
			const was = c.people.get(String(uid));
			if (was)
				was.on = false;
		}
		c.count = p.count ?? c.count;
		if (p.more)
			this.#askLater(c);
		this.folk.touch();
		this.rows.touch();
	}

	/** The list is asked for, but not by all at once. @param {Conv} c */
	#askLater(c) {
		if (!c.people.size || this.#asking.has(c.key))
			return;
		this.#asking.add(c.key);
		setTimeout(() => {
			this.#asking.delete(c.key);
			if (this.convs.get(c.key) === c)
				this.people(c);
		}, 2000 + Math.random() * 8000);
	}
}
