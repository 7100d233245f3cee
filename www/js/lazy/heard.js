/* SPDX-License-Identifier: MIT */
/*
 * What happens elsewhere, told: who is typing (a line under the log), what
 * has come in (to a screen reader, in few words), and what is for me alone
 * (lazy/notify.js, fetched with the first of them).
 */
import { $, h, text } from '../dom.js';
import { clean } from '../format.js';
import { has, t } from '../i18n.js';

/** @typedef {import('../conv.js').Conv} Conv */
/** @typedef {import('../conv.js').Item} Item */

const TYPING = 6000;	/* ms after the last word of it */
const PAUSE = 1000;	/* between two announcements, ms */
const SAID = 20;	/* announcements kept */

export class Heard {
	/** @type {Map<string, {n: number, it: Item}>} */ #unsaid = new Map();
	/** @type {any} */ #speaker = 0;
	/** @type {Map<string, Map<string, {name: string, timer: any}>>} */
	#typing = new Map();
	/** @type {Promise<any>|null} */ #notify = null;

	/** @param {import('../chat.js').Chat} app */
	constructor(app) {
		this.app = app;
	}

	/* ---- typing ---------------------------------------------------- */

	/** @param {{conv: string, uid: string, name?: string, on?: boolean}} e */
	typing(e) {
		const { store } = this.app;
		const uid = String(e.uid ?? '');
		if (!uid || uid === store.me.uid || !store.convs.has(e.conv))
			return;
		const all = this.#typing.get(e.conv) ?? new Map();
		this.#typing.set(e.conv, all);
		clearTimeout(all.get(uid)?.timer);
		all.delete(uid);
		if (e.on !== false)
			all.set(uid, {
				name: clean(e.name || store.name(uid), clean(uid)),
				timer: setTimeout(() => this.#stopped(e.conv, uid), TYPING),
			});
		this.draw();
	}

	/** @param {string} key @param {string} uid */
	#stopped(key, uid) {
		const all = this.#typing.get(key);
		clearTimeout(all?.get(uid)?.timer);
		if (all?.delete(uid))
			this.draw();
	}

	/** The line of the conversation that is shown. */
	draw() {
		const all = [...this.#typing.get(this.app.store.current.value)?.values() ?? []]
			.map((x) => x.name);
		const [a, b] = all;
		const s = !all.length ? ''
			: all.length === 1 ? t('typing.a', { a })
			: all.length === 2 ? t('typing.ab', { a, b }) : t('typing.many');
		text($('typing').lastChild, s);
		$('typing').classList.toggle('on', !!s);
	}

	/* ---- messages -------------------------------------------------- */

	/*
	 * New messages are read out: one by one, or counted when many come.
	 */
	/** @param {Conv} c @param {Item} it */
	message(c, it) {
		this.#stopped(c.key, it.uid);
		this.#unsaid.set(c.key, { n: (this.#unsaid.get(c.key)?.n ?? 0) + 1, it });
		this.#speaker ||= setTimeout(() => this.#speak(), PAUSE);
		if (it.at || c.dm)
			this.#mine(c, it);
	}

	#speak() {
		this.#speaker = 0;
		const box = $('said');
		/* one node a second, whatever has come */
		const lines = [...this.#unsaid].map(([key, { n, it }]) => n === 1
			? `${it.name}: ${it.gone ? t('msg.gone') : has(`msg.${it.type}`)
				? t(`msg.${it.type}`) : it.msg.slice(0, 200)}`
			: t('log.said', { n, name: this.app.store.convs.get(key)?.title ?? '' }));
		this.#unsaid.clear();
		box.append(h('div', null, lines.join('\n')));
		while (box.children.length > SAID)
			box.firstChild.remove();
	}

	/** @param {Conv} c @param {Item} it */
	#mine(c, it) {
		this.#notify ??= import('./notify.js').catch(() => this.#notify = null);
		this.#notify?.then((m) => m?.notify(this.app, c, it));
	}
}
