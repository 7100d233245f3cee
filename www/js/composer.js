/* SPDX-License-Identifier: MIT */
/*
 * The field where messages are written: Enter and the input methods, drafts,
 * limits, and the doors of what is fetched when it is first used: completion
 * and commands (lazy/complete.js, lazy/commands.js), editing and quoting
 * (lazy/write.js), emoji, files and voices (lazy/upload.js, lazy/voice.js).
 */
import { $, attr, fill, h, text } from './dom.js';
import { rest, t } from './i18n.js';
import { dict, local } from './prefs.js';

/** @typedef {import('./conv.js').Conv} Conv */
/** @typedef {import('./conv.js').Item} Item */
/**
 * @typedef {object} Acts
 * @property {any} chat the SDK
 * @property {import('./store.js').Store} store
 * @property {(c: Conv, s: string) => void} send
 * @property {() => {uid: string, name: string}[]} people who may be named
 * @property {() => void} drafted the pencils in the list
 * @property {(key: string, name?: string) => void} open
 * @property {(c: Conv) => void} close
 * @property {() => void} end to the newest message
 */

const IME = 100;	/* ms after compositionend in which Enter is its own */
const CHARS = 8000;	/* of a message; the server's bound is in bytes */
const PASTE = 4000;	/* so many pasted at once may be code */
const DRAFTS = 50;
const CODE = /:[a-z0-9+-]{2,20}:/;

const bytes = new TextEncoder();

export class Composer {
	/** @type {Conv|null} */ c = null;
	/** @type {Item|null} being edited */ item = null;
	#composing = false;
	#composed = 0;
	#busy = false;	/* sending waits for something */
	/** @type {any} */ #saver = 0;
	/** @type {Set<string>} */ #dirty = new Set();
	/** @type {Record<string, string>} */ #drafts = dict(local.get('drafts'));
	/* modules, once they are here */
	/** @type {any} */ emoji = null;
	/** @type {any} */ #help = null;

	/** @param {Acts} acts */
	constructor(acts) {
		this.acts = acts;
		this.el = $('text');
		/** @type {(name: string, fn: (e: any) => void, el?: any) => void} */
		const on = (name, fn, el = this.el) => el.addEventListener(name, fn);
		on('compositionstart', () => { this.#composing = true; });
		on('compositionend', () => {
			this.#composing = false;
			this.#composed = performance.now();
			this.changed();
		});
		on('keydown', (e) => this.#key(e));
		on('input', () => { this.changed(); this.#typing(); });
		/* not if one is back by then */
		on('blur', () => setTimeout(() => document.activeElement !== this.el &&
			this.#help?.close(), 150));
		on('paste', (e) => this.#paste(e));
		on('submit', (e) => { e.preventDefault(); this.submit(); }, $('composer'));
		on('click', () => this.#picker(), $('smile'));
		on('click', () => this.#media('upload').then((m) => m?.choose(this)), $('attach'));
		on('click', () => this.#media('voice').then((m) => m?.record(this)), $('mic'));
		for (const name of ['dragenter', 'dragover', 'dragleave', 'drop'])
			on(name, (e) => this.#drag(e), $('main'));
		acts.chat.on('caps', () => this.#size());
		/* another tab has written */
		on('storage', (e) => e.key === 'cc.drafts' && this.#others(), globalThis);
		this.draw();
	}

	draw() {
		text($('hint'), t(local.get('enter') === 'line' ? 'comp.hint.ctrl' : 'comp.hint'));
		if (this.c)
			this.#label(this.c);
		if (this.item)
			this.#write((m) => m.bar(this));
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
		this.item = null;
		$('editing').hidden = true;
		this.c = c;
		this.el.value = this.draft(c.key);
		this.#label(c);
		this.#help?.close();
		this.note();
		this.#size();
	}

	/* ---- drafts ---------------------------------------------------- */

	/** @param {string} key */
	draft(key) { return this.#drafts[key] ?? ''; }

	/** Text came in from whichever source. */
	changed() {
		if (!this.c)
			return;
		if (!this.item)
			this.#keep(this.c.key, this.el.value);
		this.note();
		this.#size();
		this.#complete();
	}

	/** @param {string} key @param {string} s */
	#keep(key, s) {
		const had = !!this.#drafts[key];
		delete this.#drafts[key];
		if (s)
			this.#drafts[key] = s;
		this.#dirty.add(key);
		clearTimeout(this.#saver);
		this.#saver = setTimeout(() => this.save(), 300);
		if (had !== !!s)
			this.acts.drafted();
	}

	/* Other tabs keep theirs in the same place. */
	save() {
		if (!this.#dirty.size)
			return;
		const all = dict(local.get('drafts'));
		for (const key of this.#dirty) {
			delete all[key];
			if (this.#drafts[key])
				all[key] = this.#drafts[key];
		}
		this.#dirty.clear();
		local.set('drafts', Object.fromEntries(Object.entries(all).slice(-DRAFTS)));
	}

	#others() {
		this.#drafts = dict(local.get('drafts'));
		this.acts.drafted();
		if (!this.c || this.item || document.hasFocus())
			return;
		this.el.value = this.draft(this.c.key);
		this.#size();
	}

	/* ---- what others put in ---------------------------------------- */

	/** Put text at the caret. @param {string} s @param {number} [from] */
	insert(s, from) {
		const { selectionStart: a, selectionEnd: b } = this.el;
		this.el.setRangeText(s, from ?? a, b, 'end');
		this.changed();
		this.#typing();
		this.el.focus();
	}

	/** Back into the field, if nothing is there. @param {string} s */
	restore(s) {
		if (this.el.value)
			return;
		this.el.value = s;
		this.changed();
	}

	/** Name somebody. @param {string} name */
	mention(name) { this.#write((m) => m.mention(this, name)); }

	/** Answer with its words above. @param {Conv} c @param {Item} it */
	quote(c, it) { this.#write((m) => m.quote(this, c, it)); }

	/** Write a message of one's own anew. @param {Conv} c @param {Item} it */
	edit(c, it) { this.#write((m) => m.edit(this, c, it)); }

	/** @param {(m: any) => void} fn */
	#write(fn) { return this.#lazy('write').then((m) => m && fn(m)); }

	/** No more editing: the draft is there again. */
	cancel() {
		if (!this.c)
			return;
		this.show(this.c);
		this.el.focus();
	}

	/* ---- limits, notes --------------------------------------------- */

	/**
	 * A line under the field: what is wrong with what was written, or what
	 * may be done with it.
	 * @param {string} [s] @param {string} [label] @param {() => void} [fn]
	 */
	note(s, label, fn) {
		const el = $('note');
		if (!s && el.hidden)
			return;
		fill(el, s, label ? h('button', { type: 'button', class: 'link',
			onclick: () => { this.note(); fn?.(); } }, label) : null);
		el.hidden = !s;
	}

	#size() {
		const { el } = this;
		el.style.setProperty('height', 'auto');
		el.style.setProperty('height', `${el.scrollHeight}px`);
		const s = el.value;
		const max = this.acts.chat.limit.msg;
		const chars = s.length > CHARS ? [...s].length : s.length;
		const size = s.length * 3 > max * 0.9 ? bytes.encode(s).length : 0;
		/* the nearer of the two bounds is told */
		const [left, full, unit] = chars / CHARS > size / max
			? [CHARS - chars, CHARS, 'char'] : [max - size, max, 'byte'];
		const count = $('count');
		count.hidden = left > full * 0.1;
		count.classList.toggle('over', left < 0);
		if (!count.hidden)
			rest().then(() => text(count, t(`comp.${left < 0 ? 'over' : 'left'}.${unit}`,
				{ n: Math.abs(left) })));
		$('send').disabled = left < 0 || !this.#ready();
		const up = this.up && !this.item;
		$('attach').hidden = !up;
		$('mic').hidden = !up || !!s;
		$('send').hidden = !$('mic').hidden;
	}

	/** Files can be sent. */
	get up() { return !!this.acts.chat.caps?.has('upload'); }

	/* ---- sending --------------------------------------------------- */

	/* Leading blanks stay, blank lines at the end go. */
	#ready() { return this.el.value.replace(/\s+$/, ''); }

	/** Sends; where something must be fetched for it, the text waits. */
	async submit() {
		if (!this.c || this.#busy || $('send').disabled)
			return;
		this.#busy = true;
		try {
			await this.#submit(this.c);
		} finally {
			this.#busy = false;
		}
	}

	/** @param {Conv} c */
	async #submit(c) {
		if (CODE.test(this.el.value) && !this.emoji)
			await this.load();
		const m = !this.item && /^\/[^/]/.test(this.el.value)
			? await this.#lazy('commands') : null;
		let s = this.#ready();
		if (!s || c !== this.c)
			return;
		s = this.emoji?.replace(s) ?? s;
		if (this.item)
			return this.#write((m) => m.change(this, c, s));
		if (s[0] === '/')	/* "" if done, or refused in #note */
			s = s[1] === '/' ? s.slice(1) : await m?.run(this, c, s);
		if (!s)
			return;
		this.empty();
		this.acts.send(c, s);
	}

	/** The text is used up. */
	empty() {
		this.el.value = '';
		this.changed();
		this.save();
		this.el.focus();
	}

	/* Somebody writes; the SDK keeps it from being said too often. */
	#typing() {
		const { chat, store } = this.acts;
		if (this.c && !this.item && this.el.value[0] !== '/' && chat.caps?.has('typing'))
			chat.typing(store.target(this.c), !!this.el.value);
	}

	/* ---- keys ------------------------------------------------------ */

	/** @param {KeyboardEvent} e */
	#key(e) {
		if (e.isComposing || this.#composing || this.#help?.key(e))
			return;
		if (e.key === 'ArrowUp' && !this.el.value && !e.altKey && !e.shiftKey) {
			e.preventDefault();
			this.#up();
		} else if (e.key === 'Escape' && this.item) {
			e.preventDefault();
			e.stopPropagation();
			this.cancel();
		}
		if (e.key !== 'Enter' || this.ime(e))
			return;
		const must = e.ctrlKey || e.metaKey;
		if (!must && (e.shiftKey || e.altKey || local.get('enter') === 'line' ||
			matchMedia('(pointer: coarse)').matches))
			return;
		e.preventDefault();
		this.submit();
	}

	/**
	 * An Enter that ends a composition is not for us.  Safari and some input
	 * methods report it just after compositionend, with keyCode 229; others
	 * report 229 for the Enter that should send: only time tells them apart.
	 * @param {KeyboardEvent} e
	 */
	ime(e) {
		return e.keyCode === 229 && performance.now() - this.#composed < IME;
	}

	/* The last one again: send it, or write it anew; else into the log. */
	#up() {
		const { chat, store } = this.acts;
		const c = this.c;
		const failed = c?.items.findLast((i) => i.state === 'failed');
		const last = c?.items.findLast((i) => i.mine && i.seq && !i.gone && i.type === 'text');
		if (c && failed)
			store.retry(c, failed);
		else if (c && last && chat.caps?.has('edit'))
			this.edit(c, last);
		else
			$('log').focus();
	}

	#complete() {
		if (this.#composing)
			return;
		const head = this.el.value.slice(0, this.el.selectionStart);
		if (this.#help)
			this.#help.look(head);
		else if (/[@:#]\S*$|^\/\w*$/.test(head))
			this.load().then(() => this.#help?.look(
				this.el.value.slice(0, this.el.selectionStart)));
	}

	/* ---- what is fetched when it is used --------------------------- */

	/** @param {string} name @returns {Promise<any>} null: it can't be had */
	#lazy(name) {
		return import(`./lazy/${name}.js`).catch(() => {
			this.note(t('login.network'));
			return null;
		});
	}

	/** Emoji and completion. */
	async load() {
		if (!this.#help) {
			const [e, m] = await Promise.all([this.#lazy('emoji'), this.#lazy('complete')]);
			this.emoji ??= e;
			if (m)
				this.#help ??= new m.Complete(this);
		}
		return this.emoji;
	}

	async #picker() {
		const m = await this.load();
		m?.toggle($('emoji'), $('smile'), (/** @type {string} */ c) => this.insert(c));
	}

	/** @param {'upload'|'voice'} name */
	async #media(name) { return this.up && this.c ? this.#lazy(name) : null; }

	/** @param {ClipboardEvent} e */
	#paste(e) {
		const c = this.c;
		const files = [...e.clipboardData?.files ?? []];
		const s = e.clipboardData?.getData('text/plain') ?? '';
		if (files.length && this.up && c) {
			e.preventDefault();
			this.#media('upload').then((m) => m?.send(this, c, files));
		} else if (s.length > PASTE && !s.includes('```')) {
			this.#write((m) => m.pasted(this, s));
		}
	}

	/* A file that is dropped never takes the place of the page. */
	/** @param {DragEvent} e */
	#drag(e) {
		const c = this.c;
		if (!e.dataTransfer?.types.includes('Files'))
			return;
		e.preventDefault();
		e.dataTransfer.dropEffect = this.up ? 'copy' : 'none';
		const files = [...e.dataTransfer.files];
		const over = e.type !== 'drop' && !(e.type === 'dragleave' &&
			!(e.relatedTarget instanceof Node && $('main').contains(e.relatedTarget)));
		if (e.type !== 'dragover')
			this.#media('upload').then((m) => {
				m?.over(over, c?.title);
				if (e.type === 'drop' && c)
					m?.send(this, c, files);
			});
	}
}
