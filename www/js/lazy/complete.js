/* SPDX-License-Identifier: MIT */
/*
 * Completion in the composer: `@` people, `:` emoji, `#` rooms, `/` commands.
 * A listbox of its own; the focus stays in the field.
 */
import { $, attr, fill, h, icon } from '../dom.js';
import { rest, t } from '../i18n.js';
import { avatar } from '../row.js';

await rest();

/** @typedef {{label: string, put: string, face: any, more?: string}} Choice */

const ROWS = 7;
const BACK = 48;	/* characters before the caret that are looked at */

/** The commands; lazy/commands.js does what they say. */
export const COMMANDS = ['me', 'msg', 'join', 'leave', 'clear', 'shrug', 'help'];

export class Complete {
	/** @type {Choice[]} */ #all = [];
	#at = 0;
	#from = 0;	/* where the word to complete begins */

	/** @param {import('../composer.js').Composer} composer */
	constructor(composer) {
		this.composer = composer;
		this.list = $('complete');
		attr(this.list, 'aria-label', t('comp.choices'));
	}

	/** @param {string} head the text before the caret */
	look(head) {
		const m = /(?:^|[\s，。！？(（])([@:#])([^\s@:#]{0,32})$/.exec(head.slice(-BACK)) ??
			/^(\/)(\w{0,16})$/.exec(head);
		const q = m?.[2].toLowerCase() ?? '';
		this.#from = head.length - q.length - 1;
		this.#at = 0;
		this.#all = !m ? [] : m[1] === '@' ? this.#people(q)
			: m[1] === '#' ? this.#rooms(q)
			: m[1] === '/' ? this.#commands(q)
			: q.length > 1 ? this.#emoji(q) : [];
		this.#draw();
	}

	/** What begins with it comes first. @template T
	 * @param {T[]} all @param {(x: T) => string} name @param {string} q */
	#find(all, name, q) {
		return all.filter((x) => name(x).toLowerCase().includes(q))
			.sort((a, b) => +name(b).toLowerCase().startsWith(q) -
				+name(a).toLowerCase().startsWith(q)).slice(0, ROWS);
	}

	/** @param {string} q @returns {Choice[]} */
	#people(q) {
		return this.#find(this.composer.acts.people(), (p) => p.name, q).map((p) => ({
			label: p.name, put: `@${p.name} `, face: avatar(p.uid, p.name, 'sm') }));
	}

	/** @param {string} q @returns {Choice[]} */
	#rooms(q) {
		return this.#find(this.composer.acts.store.sorted().rooms, (c) => c.title, q)
			.map((c) => ({ label: c.title, put: `#${c.title} `, face: icon('hash') }));
	}

	/** @param {string} q @returns {Choice[]} */
	#commands(q) {
		return COMMANDS.filter((x) => x.startsWith(q)).map((x) => ({
			label: `/${x}`, put: `/${x} `, face: null, more: t(`cmd.${x}`) }));
	}

	/** @param {string} q @returns {Choice[]} */
	#emoji(q) {
		return (this.composer.emoji?.find(q) ?? []).slice(0, ROWS)
			.map((/** @type {[string, string]} */ [char, name]) => ({
				label: `:${name}:`, put: char, face: h('span', { class: 'emo' }, char) }));
	}

	#draw() {
		const { el } = this.composer;
		const open = this.#all.length > 0;
		this.list.hidden = !open;
		attr(el, 'aria-expanded', String(open));
		attr(el, 'aria-activedescendant', open ? `choice-${this.#at}` : null);
		fill(this.list, this.#all.map((x, i) => h('div', {
			role: 'option', id: `choice-${i}`, class: 'choice',
			'aria-selected': String(i === this.#at),
			onmousedown: (/** @type {Event} */ e) => {
				e.preventDefault();
				this.#take(i);
			},
		}, x.face, h('span', { dir: 'auto' }, x.label),
		x.more ? h('span', { class: 'mut' }, x.more) : null)));
	}

	close() {
		this.#all = [];
		this.#draw();
	}

	/** @param {number} i */
	#take(i) {
		const x = this.#all[i];
		this.close();
		if (x)
			this.composer.insert(x.put, this.#from);
		this.close();
	}

	/** @param {KeyboardEvent} e @returns {boolean} it was for the list */
	key(e) {
		const n = this.#all.length;
		if (!n)
			return false;
		if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
			this.#at = (this.#at + (e.key === 'ArrowDown' ? 1 : n - 1)) % n;
			this.#draw();
		} else if (e.key === 'Escape') {
			this.close();
		} else if ((e.key === 'Tab' && !e.shiftKey) || (e.key === 'Enter' && !e.shiftKey &&
			!e.ctrlKey && !e.metaKey && !this.composer.ime(e))) {
			/* a command that is written in full is given */
			if (e.key === 'Enter' && this.#all[this.#at].put.trim() ===
				this.composer.el.value && this.composer.el.value[0] === '/') {
				this.close();
				return false;
			}
			this.#take(this.#at);
		} else {
			return false;
		}
		e.preventDefault();
		e.stopPropagation();
		return true;
	}
}
