/* SPDX-License-Identifier: MIT */
/*
 * The field where messages are written: Enter and the input methods, drafts,
 * the limit of the server, completion of @names, the emoji picker's door.
 */
import { $, attr, fill, h, icon, text } from './dom.js';
import { t } from './i18n.js';
import { local } from './prefs.js';
import { avatar } from './row.js';

/** @typedef {import('./conv.js').Conv} Conv */
/** @typedef {{label: string, put: string, uid?: string, char?: string}} Choice */

const IME = 100;	/* ms after compositionend in which Enter is its own */
const ROWS = 7;

const bytes = new TextEncoder();

export class Composer {
	/** @type {Conv|null} */ #c = null;
	#composing = false;
	#composed = 0;
	/** @type {any} */ #saver = 0;
	/** @type {Choice[]} */ #choices = [];
	#choice = 0;
	#word = 0;	/* where the word to complete begins */
	/** @type {Record<string, string>} */ #drafts;
	/** @type {any} */ emoji = null;	/* the lazy module, once it is here */

	/**
	 * @param {{limit(): number, send(c: Conv, s: string): void,
	 *   people(): {uid: string, name: string}[], up(): void,
	 *   drafted(): void}} acts
	 */
	constructor(acts) {
		this.acts = acts;
		this.#drafts = local.get('drafts', {});
		this.el = $('text');
		this.list = $('complete');
		this.el.addEventListener('compositionstart', () => { this.#composing = true; });
		this.el.addEventListener('compositionend', () => {
			this.#composing = false;
			this.#composed = performance.now();
		});
		this.el.addEventListener('keydown', (/** @type {KeyboardEvent} */ e) => this.#key(e));
		this.el.addEventListener('input', () => this.changed());
		this.el.addEventListener('blur', () => setTimeout(() => this.#close(), 150));
		$('composer').addEventListener('submit', (/** @type {Event} */ e) => {
			e.preventDefault();
			this.submit();
		});
		$('smile').addEventListener('click', () => this.#picker());
		this.draw();
	}

	draw() {
		fill($('send'), icon('send'));
		attr($('send'), 'aria-label', t('comp.send'));
		attr($('send'), 'title', t('comp.send'));
		fill($('smile'), icon('smile'));
		attr($('smile'), 'aria-label', t('comp.emoji'));
		attr($('smile'), 'title', t('comp.emoji'));
		text($('hint'), t('comp.hint'));
		if (this.#c)
			this.#label(this.#c);
		this.#size();
	}

	/** @param {Conv} c */
	#label(c) {
		const s = t('comp.to', { name: c.title });
		attr(this.el, 'placeholder', s);
		attr(this.el, 'aria-label', s);
	}

	/** @param {Conv} c */
	show(c) {
		this.#c = c;
		this.el.value = this.#drafts[c.key] ?? '';
		this.#label(c);
		this.#close();
		this.#size();
	}

	/** @param {string} key */
	draft(key) { return this.#drafts[key] ?? ''; }

	/** Text came in from whichever source. */
	changed() {
		if (!this.#c)
			return;
		const had = !!this.#drafts[this.#c.key];
		if (this.el.value)
			this.#drafts[this.#c.key] = this.el.value;
		else
			delete this.#drafts[this.#c.key];
		clearTimeout(this.#saver);
		this.#saver = setTimeout(() => this.save(), 300);
		if (had !== !!this.el.value)
			this.acts.drafted();
		this.#size();
		this.#complete();
	}

	save() { local.set('drafts', this.#drafts); }

	/** Put text at the caret. @param {string} s @param {number} [from] */
	insert(s, from) {
		const { selectionStart: a, selectionEnd: b } = this.el;
		this.el.setRangeText(s, from ?? a, b, 'end');
		this.changed();
		this.el.focus();
	}

	/** Back into the field, if nothing is there. @param {string} s */
	restore(s) {
		if (this.el.value)
			return;
		this.el.value = s;
		this.changed();
	}

	#size() {
		this.el.style.setProperty('height', 'auto');
		this.el.style.setProperty('height', `${this.el.scrollHeight}px`);
		const max = this.acts.limit();
		const n = bytes.encode(this.el.value).length;
		const over = n > max;
		const count = $('count');
		count.hidden = n < max * 0.9;
		count.classList.toggle('over', over);
		if (!count.hidden)
			text(count, over ? t('comp.over', { n: n - max })
				: t('comp.left', { n: max - n }));
		$('send').disabled = over || !this.#ready();
	}

	/* Leading blanks stay, blank lines at the end go. */
	#ready() { return this.el.value.replace(/\s+$/, ''); }

	submit() {
		let s = this.#ready();
		if (!this.#c || !s || $('send').disabled)
			return;
		if (this.emoji)
			s = this.emoji.replace(s);
		this.el.value = '';
		this.changed();
		this.save();
		this.acts.send(this.#c, s);
		this.el.focus();
	}

	/** @param {KeyboardEvent} e */
	#key(e) {
		if (!this.list.hidden && this.#pick(e))
			return;
		if (e.key === 'ArrowUp' && !this.el.value && !e.altKey && !e.shiftKey) {
			e.preventDefault();
			this.acts.up();
		}
		if (e.key !== 'Enter' || this.#ime(e))
			return;
		const must = e.ctrlKey || e.metaKey;
		if (!must && (e.shiftKey || e.altKey || matchMedia('(pointer: coarse)').matches))
			return;
		e.preventDefault();
		this.submit();
	}

	/*
	 * An Enter that ends a composition is not for us.  Safari and some input
	 * methods report it just after compositionend, with keyCode 229; others
	 * report 229 for the Enter that should send: only time tells them apart.
	 */
	/** @param {KeyboardEvent} e */
	#ime(e) {
		return e.isComposing || this.#composing || (e.keyCode === 229 &&
			performance.now() - this.#composed < IME);
	}

	/* ---- completion ------------------------------------------------ */

	#complete() {
		const at = this.el.selectionStart;
		const head = this.el.value.slice(Math.max(0, at - 40), at);
		const m = /(?:^|[\s，。！？(（])([@:])([^\s@:]{0,32})$/.exec(head);
		const q = m?.[2].toLowerCase() ?? '';
		this.#choices = !m ? []
			: m[1] === '@' ? this.acts.people()
				.filter((p) => p.name.toLowerCase().includes(q))
				.sort((a, b) => +b.name.toLowerCase().startsWith(q) -
					+a.name.toLowerCase().startsWith(q))
				.slice(0, ROWS)
				.map((p) => ({ label: p.name, put: `@${p.name} `, uid: p.uid }))
			: q.length >= 2 ? (this.emoji?.find(q) ?? []).slice(0, ROWS)
				.map((/** @type {any} */ [char, name]) =>
					({ label: `:${name}:`, put: char, char })) : [];
		this.#word = at - (m ? m[2].length + 1 : 0);
		this.#choice = 0;
		this.#options();
	}

	#options() {
		const open = this.#choices.length > 0;
		this.list.hidden = !open;
		attr(this.el, 'aria-expanded', String(open));
		attr(this.el, 'aria-activedescendant', open ? `choice-${this.#choice}` : null);
		fill(this.list, this.#choices.map((x, i) => h('div', {
			role: 'option', id: `choice-${i}`, class: 'choice',
			'aria-selected': String(i === this.#choice),
			onmousedown: (/** @type {Event} */ e) => {
				e.preventDefault();
				this.#choice = i;
				this.#take();
			},
		}, x.uid ? avatar(x.uid, x.label, 'sm') : h('span', { class: 'emo' }, x.char),
		h('span', { dir: 'auto' }, x.label))));
	}

	#close() {
		this.#choices = [];
		this.#options();
	}

	#take() {
		const x = this.#choices[this.#choice];
		this.#choices = [];
		if (x)
			this.insert(x.put, this.#word);
		this.#close();
	}

	/** @param {KeyboardEvent} e @returns {boolean} it was for the list */
	#pick(e) {
		const n = this.#choices.length;
		if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
			this.#choice = (this.#choice + (e.key === 'ArrowDown' ? 1 : n - 1)) % n;
			this.#options();
		} else if (e.key === 'Tab' || (e.key === 'Enter' && !e.shiftKey && !this.#ime(e))) {
			this.#take();
		} else if (e.key === 'Escape') {
			this.#close();
		} else {
			return false;
		}
		e.preventDefault();
		e.stopPropagation();
		return true;
	}

	/* ---- emoji ----------------------------------------------------- */

	async load() {
		this.emoji ??= await import('./lazy/emoji.js').catch(() => null);
		return this.emoji;
	}

	async #picker() {
		const m = await this.load();
		m?.toggle($('emoji'), $('smile'), (/** @type {string} */ c) => this.insert(c));
	}
}
