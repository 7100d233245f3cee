/* SPDX-License-Identifier: MIT */
/*
 * The message log.  Messages stand in chunks of 25; a chunk far from what is
 * seen sleeps: it keeps its height and has no rows.  Whatever changes, the
 * row in the middle of the view stays where it is (`keep`), or, when the
 * reader is at the end, the end does (`stick`).  Changes are gathered and
 * drawn once a frame; at the end nothing is measured for it: the observer of
 * sizes, which the browser asks when it has laid out anyway, goes after.
 */
import { $, attr, fill, h, icon } from './dom.js';
import { lang, t } from './i18n.js';
import { opt } from './prefs.js';
import { enrich, fit, poor } from './row.js';
import { Rows } from './rows.js';

/** @typedef {import('./conv.js').Item} Item */
/** @typedef {import('./conv.js').Conv} Conv */
/** @typedef {import('./rows.js').Chunk} Chunk */
/**
 * @typedef {object} View a conversation as it was drawn
 * @property {Conv} c
 * @property {HTMLElement} el
 * @property {HTMLElement} top what stands over the first message
 * @property {string} said what stands there
 * @property {Item[]} drawn
 * @property {Chunk[]} chunks
 * @property {number} at scrollTop when it was left
 * @property {boolean} stick
 * @property {number} divider as drawn
 * @property {Set<Item>} stale rows to draw anew
 * @property {boolean} placed the reader has been put somewhere
 */

const SIZE = 25;
const MARGIN = 1600;
const STICK = 48;
const OLDER = 900;
const LINE = 34;	/* first guess of a row's height, px */
const VIEWS = 5;
const WAIT = 2000;	/* ms that rows are held back for what draws them */
const AWAKE = 10;	/* chunks: more than the margins ever hold */

export class Log {
	/** @type {Map<string, View>} */ #views = new Map();
	/** @type {View|null} */ #v = null;
	/** @type {WeakMap<Element, Chunk>} */ #of = new WeakMap();
	#mean = LINE;
	#due = false;
	#last = 0;	/* scrollTop at the last event */
	#news = 0;

	/**
	 * @param {HTMLElement} box the scroller
	 * @param {import('./row.js').Acts & {older(c: Conv): void, seen(): void}} acts
	 */
	constructor(box, acts) {
		this.box = box;
		this.acts = acts;
		this.rows = new Rows(acts);
		this.pill = $('jump');
		this.pill.addEventListener('click', () => this.end());
		box.addEventListener('scroll', () => this.#scrolled(), { passive: true });
		this.eye = new IntersectionObserver((seen) => this.#look(seen),
			{ root: box, rootMargin: `${MARGIN}px 0px` });
		this.size = new ResizeObserver(() => {
			this.#hold();
			this.#more();
		});
		this.size.observe(box);
		/* a picture whose size nobody told takes its own when it is there */
		box.addEventListener('load', (e) => this.#loaded(e.target), true);
		for (const type of ['pointerover', 'pointerdown', 'contextmenu', 'keydown'])
			box.addEventListener(type, this.#near);
		document.addEventListener('visibilitychange', () => {
			if (!document.hidden)
				this.#flush();
		});
	}

	/* What can be done with a message is fetched when a hand comes near. */
	#near = (/** @type {any} */ e) => {
		const key = e.type === 'keydown';
		if (key ? !this.#ours(e) : e.type === 'contextmenu' && !this.#menus(e))
			return;
		if (key || e.type === 'contextmenu')
			e.preventDefault();
		this.#hands ??= import('./lazy/menu.js').then((m) => new m.Menu(this));
		this.#hands.then((m) => m.hear(e), () => { this.#hands = undefined; });
	};
	/** @type {Promise<any>|undefined} */ #hands;

	/** Not a menu of the browser's: of a link, of what is selected. @param {any} e */
	#menus(e) {
		return this.rows.of(e.target) && getSelection()?.isCollapsed &&
			!e.target.closest(e.pointerType === 'touch' ? 'a, audio' : 'a, audio, img');
	}

	/** A key that is for a message. @param {any} e */
	#ours(e) {
		const it = this.rows.of(e.target);
		if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest('audio'))
			return false;
		if (/^(Arrow(Up|Down)|Home|End)$/.test(e.key))
			return !e.shiftKey && (it || e.target === this.box);
		return it && (e.shiftKey ? e.key === 'F10' : e.key === 'ContextMenu' ||
			(e.key === 'Enter' && e.target.matches('.m')) ||
			(/^[mrc]$/.test(e.key) && opt('letters')));
	}

	/** The reader is at the end. */
	get stick() { return !!this.#v?.stick; }

	/** @param {Conv} c */
	show(c) {
		const old = this.#v;
		if (old)
			this.#leave(old);
		let v = this.#views.get(c.key);
		if (v && v.c !== c)
			v = undefined;
		this.#views.delete(c.key);
		v ??= { c, el: h('div', { class: 'list', role: 'list' }),
			top: h('div', { class: 'top' }), said: '', drawn: [], chunks: [], at: 0,
			stick: true, divider: 0, placed: false, stale: new Set() };
		this.#views.set(c.key, v);
		const [far] = this.#views.values();
		if (this.#views.size > VIEWS && this.#views.delete(far.c.key))
			far.chunks.forEach((k) => this.rows.sleep(k));
		this.#v = v;
		this.#news = 0;
		this.box.dataset.kind = c.dm ? 'dm' : 'room';
		fill(this.box, v.top, v.el);
		this.size.observe(v.el);
		for (const k of v.chunks)
			this.eye.observe(k.el);
		const known = v.placed && !c.unread;
		if (!known)
			v.placed = false;
		this.#flush();
		if (known) {
			this.box.scrollTop = v.stick ? this.box.scrollHeight : v.at;
			this.#last = this.box.scrollTop;
		}
		this.#pill();
	}

	/** @param {View} v */
	#leave(v) {
		v.at = this.box.scrollTop;
		this.eye.disconnect();
		this.size.unobserve(v.el);
		v.c.divider = 0;
	}

	/** Draw everything anew, in another language say. */
	redraw() {
		const v = this.#v;
		this.#views.clear();
		if (!v)
			return;
		this.#views.set(v.c.key, v);
		this.#keep(() => {
			for (const k of v.chunks)
				if (k.awake)
					this.#build(v, k);
			if (!this.#wait(v))
				this.#top(v);
		});
		this.#pill();
	}

	/** Something of a conversation has changed. @param {Conv} c @param {Item} [it] */
	changed(c, it) {
		const of = this.#views.get(c.key);
		if (it && of?.c === c)
			of.stale.add(it);
		if (it?.gone)	/* at once, and wherever it stands */
			this.rows.wipe(it);
		if (c !== this.#v?.c || this.#due)
			return;
		this.#due = true;
		if (document.hidden)
			setTimeout(() => this.#flush(), 1000);
		else
			requestAnimationFrame(() => this.#flush());
	}

	/** Go to the newest message. */
	end() {
		const v = this.#v;
		if (!v)
			return;
		v.stick = true;
		this.#news = 0;
		this.#hold();
		this.#pill();
		this.acts.seen();
	}

	/* ---- drawing --------------------------------------------------- */

	#flush() {
		this.#due = false;
		const v = this.#v;
		if (!v || this.#wait(v))
			return;
		const had = v.chunks.length, { drawn } = v, n = drawn.length;
		const draw = () => {
			this.#match(v);
			if (v.divider !== v.c.divider)
				this.#divide(v);
			this.#top(v);
			this.#tire(v);
		};
		if (v.stick && v.placed)
			draw();
		else
			this.#keep(draw);
		v.stale.clear();
		if (!v.placed && v.c.loaded)
			this.#place(v);
		else if (!had)
			this.#hold();
		this.#pill();
		if (v.drawn === drawn && drawn.length === n)
			this.#more();	/* no size will change and ask it */
		if (v.stick)
			this.acts.seen();
	}

	/*
	 * A row has its size when it is drawn: if one needs what is not here yet,
	 * all wait for it.  Not for long: then they are drawn as plain text, and
	 * anew when it has come.
	 */
	/** @param {View} v */
	#wait(v) {
		if (this.#late || !poor(v.c.items))
			return false;
		if (!v.drawn.length)
			this.#top(v, true);
		this.#held ??= Promise.race([enrich(), new Promise((r) => setTimeout(r, WAIT))])
			.then((here) => {
				this.#late = true;
				this.#flush();
				if (!here)
					enrich().then(() => this.redraw());
			});
		return true;
	}
	/** @type {Promise<void>|undefined} */ #held;
	#late = false;

	/* Bring the chunks in step with the items: only what differs is drawn. */
	/** @param {View} v */
	#match(v) {
		const now = v.c.items, was = v.drawn;
		const far = was.indexOf(now[0]);	/* the oldest are left out */
		if (far > 0)
			this.#splice(v, 0, was.splice(0, far).length, []);
		let p = 0;
		while (p < was.length && p < now.length && was[p] === now[p])
			p++;
		let s = 0;
		while (s < was.length - p && s < now.length - p &&
			was[was.length - 1 - s] === now[now.length - 1 - s])
			s++;
		const cut = was.length - p - s;
		const mid = now.slice(p, now.length - s);
		for (const it of mid)	/* it is new as it is */
			v.stale.delete(it);
		if (p === was.length && mid.length) {
			was.push(...mid);
			this.#append(v, mid);
		} else if (cut || mid.length) {
			v.drawn = now.slice();
			if (s === was.length)
				this.#bring(v, 0, mid);
			else
				this.#splice(v, p, cut, mid);
		}
		for (const it of v.stale)
			this.#again(v, it);
	}

	/** @param {View} v @param {Item[]} items */
	#append(v, items) {
		const last = v.chunks.at(-1);
		const n = last ? Math.max(0, SIZE - last.items.length) : 0;
		if (last && n) {
			const part = items.slice(0, n);
			last.items.push(...part);
			if (last.awake)
				for (const it of part)
					this.rows.add(v.c, last, it, this.#prev(v, last, it));
			else
				this.#build(v, last);
		}
		this.#bring(v, v.chunks.length, items.slice(n));
		if (!v.stick && v.placed)
			this.#news += items.filter((it) => !it.mine).length;
	}

	/* New chunks.  Only what will be seen is built: the rest starts asleep. */
	/** @param {View} v @param {number} at @param {Item[]} items */
	#bring(v, at, items) {
		const next = v.chunks[at];
		/** @type {Chunk[]} */ const fresh = [];
		for (let i = 0; i < items.length; i += SIZE)
			fresh.push(this.#chunk(items.slice(i, i + SIZE)));
		v.chunks.splice(at, 0, ...fresh);
		for (const k of fresh)
			v.el.insertBefore(k.el, next?.el ?? null);
		fresh.forEach((k, n) => {
			if (n >= fresh.length - 4)
				this.#build(v, k);
			else
				this.#sleepAt(k, k.items.length * this.#mean);
			this.eye.observe(k.el);
		});
		/* its first row may have joined a group */
		if (fresh.length && next?.awake)
			this.#build(v, next);
	}

	/** @param {View} v @param {number} p @param {number} cut @param {Item[]} mid */
	#splice(v, p, cut, mid) {
		/** @type {Set<Chunk>} */ const touched = new Set();
		let base = 0, at = 0;
		/** @type {Item[]} what a chunk has no room for */ let over = [];
		v.chunks.forEach((k, n) => {
			const len = k.items.length;
			const end = n === v.chunks.length - 1;
			if ((cut || mid.length) && (p < base + len || (end && p <= base + len))) {
				const from = Math.max(0, p - base);
				const off = Math.min(cut, len - from);
				k.items.splice(from, off, ...mid);
				cut -= off;
				mid = [];
				if (k.items.length > 2 * SIZE) {
					over = k.items.splice(from);
					at = n + 1;
				}
				touched.add(k).add(v.chunks[n + 1]);
			}
			base += len;
		});
		this.#bring(v, at, over);
		v.chunks = v.chunks.filter((k) => {
			if (!k.items.length) {
				this.eye.unobserve(k.el);
				k.el.remove();
			}
			return k.items.length;
		});
		for (const k of v.chunks)
			if (touched.has(k) && k.awake)
				this.#build(v, k);
	}

	/** @param {Item[]} items @returns {Chunk} */
	#chunk(items) {
		const k = { el: h('section', { class: 'chunk' }), items, awake: false };
		this.#of.set(k.el, k);
		return k;
	}

	/** @param {View} v @param {Chunk} k @param {Item} it */
	#prev(v, k, it) {
		const i = k.items.indexOf(it);
		return i > 0 ? k.items[i - 1]
			: v.chunks[v.chunks.indexOf(k) - 1]?.items.at(-1);
	}

	/** Build the rows of a chunk. @param {View} v @param {Chunk} k */
	#build(v, k) { this.rows.build(v.c, k, this.#prev(v, k, k.items[0])); }

	/** One row anew. @param {View} v @param {Item} it */
	#again(v, it) {
		const at = this.rows.parent(it);
		const k = at && this.#of.get(at);
		if (k?.awake && v.chunks.includes(k))
			this.rows.again(v.c, it, this.#prev(v, k, it));
	}

	/** The line over the first new message moves. @param {View} v */
	#divide(v) {
		const both = [v.divider, v.c.divider];
		v.divider = v.c.divider;
		for (const k of v.chunks)
			if (k.awake && k.items.some((it) => it.seq && both.includes(it.seq)))
				this.#build(v, k);
	}

	/** What stands over the first message. @param {View} v @param {boolean} [wait] */
	#top(v, wait) {
		const { c } = v;
		const some = v.drawn.length > 0;
		const state = wait ? 'load' : c.failed ? 'error' : c.loading || !c.loaded ? 'load'
			: c.more ? 'more' : some ? 'begin' : 'empty';
		attr(this.box, 'aria-busy', String(wait || (!c.loaded && c.loading)));
		const said = [state, c.title, some, lang.value].join();
		if (said === v.said)
			return;
		v.said = said;
		fill(v.top, state === 'error' ? [h('span', null, t('log.error'), ' '),
			h('button', { class: 'link', type: 'button', 'data-act': 'older',
				onclick: () => this.acts.older(c) }, t('log.again'))]
			: state === 'load' && !some ? this.#bones()
			: state === 'load' ? t('log.older')
			: state === 'begin' ? t('log.begin', { name: c.title })
			: state === 'empty' ? h('div', { class: 'empty' },
				icon(c.dm ? 'people' : 'hash'),
				h('strong', null, t('log.empty', { name: c.title })),
				h('span', null, t(c.dm ? 'log.hint.dm' : 'log.hint'))) : null);
		v.top.dataset.state = state;
	}

	#bones() {
		return [7, 4, 6, 3, 5].map((n) => h('div', { class: 'bone' }, h('i'),
			h('div', null, h('b'), h('b', { style: { width: `${n * 10}%` } }))));
	}

	/* ---- where the reader is --------------------------------------- */

	/* To the first new message, or the end. */
	/** @param {View} v */
	#place(v) {
		v.placed = true;
		enrich();	/* somebody will need it */
		const k = v.c.divider && v.chunks.find((x) => x.items.some((it) =>
			it.seq === v.c.divider));
		if (!k) {
			v.stick = true;
			return this.#hold();
		}
		for (const x of [v.chunks[v.chunks.indexOf(k) - 1], k])
			if (x && !x.awake)
				this.#build(v, x);
		const sep = k.el.querySelector('[data-new]') ?? k.el;
		v.stick = false;
		this.box.scrollTop += sep.getBoundingClientRect().top -
			this.box.getBoundingClientRect().top - 80;
		this.#last = this.box.scrollTop;
		v.stick = this.#gap() <= STICK;
	}

	#gap() {
		const { scrollHeight, scrollTop, clientHeight } = this.box;
		return scrollHeight - scrollTop - clientHeight;
	}

	/* The end stays in view while the reader is there. */
	#hold() {
		if (!this.#v?.stick)
			return;
		if (this.#gap() > 0.5)	/* to write is to lay out again */
			this.box.scrollTop = this.box.scrollHeight;
		this.#last = this.box.scrollTop;
	}

	/** Change something without moving what is read. @param {() => void} fn */
	#keep(fn) {
		const v = this.#v;
		const a = v && !v.stick && v.placed ? this.rows.middle(this.box, v.chunks) : null;
		const was = a?.getBoundingClientRect().top ?? 0;
		fn();
		if (v?.stick)
			return this.#hold();
		const it = this.rows.of(a);
		const now = a?.isConnected ? a : it && this.rows.at(it);
		if (!now)
			return;
		const by = now.getBoundingClientRect().top - was;
		if (by)
			this.box.scrollTop += by;
		this.#last = this.box.scrollTop;
	}

	#scrolled() {
		const v = this.#v;
		if (!v)
			return;
		const at = this.box.scrollTop;
		if (this.#gap() <= STICK) {
			if (!v.stick)
				this.#news = 0;
			v.stick = true;
			this.acts.seen();
		} else if (at < this.#last) {
			v.stick = false;	/* only the reader goes up */
		}
		this.#last = at;
		this.#pill();
		this.#more();
	}

	#more() {
		const c = this.#v?.c;
		if (c && this.#v?.placed && c.more && c.loaded && !c.loading &&
			!c.failed && this.box.scrollTop < OLDER)
			this.acts.older(c);
	}

	#pill() {
		const far = !this.#v?.stick && (this.#news > 0 || this.#gap() > 300);
		if (this.pill.hidden === far)
			this.pill.hidden = !far;
		if (!far)
			return;
		const n = this.#news;
		this.pill.classList.toggle('full', n > 0);
		fill(this.pill, icon('down'), n ? t('log.count', { n }) : t('log.jump'));
	}

	/** @param {any} img */
	#loaded(img) {
		const it = img.hasAttribute?.('data-guess') && this.rows.of(img);
		if (!it)
			return;
		it.w = img.naturalWidth;
		it.h = img.naturalHeight;
		this.#keep(() => fit(img, it.w ?? 0, it.h ?? 0));
	}

	/* ---- one row --------------------------------------------------- */

	get conv() { return this.#v?.c ?? null; }

	/** Go to a message. @param {Item} it */
	focus(it) {
		const v = this.#v;
		const k = v?.chunks.find((x) => x.items.includes(it));
		if (!v || !k)
			return;
		if (!k.awake)
			this.#keep(() => this.#build(v, k));
		const el = this.rows.at(it);
		for (const x of v.el.querySelectorAll('.m[tabindex="0"]'))
			x.setAttribute('tabindex', '-1');
		el?.setAttribute('tabindex', '0');	/* Tab comes back to it */
		el?.focus({ preventScroll: true });
		el?.scrollIntoView({ block: 'nearest' });
	}

	/* ---- sleeping -------------------------------------------------- */

	/** @param {IntersectionObserverEntry[]} seen */
	#look(seen) {
		const v = this.#v;
		if (!v)
			return;
		/** @type {Chunk[]} */ const up = [];
		/** @type {{k: Chunk, px: number}[]} */ const down = [];
		for (const e of seen) {
			const k = this.#of.get(e.target);
			if (!k || !v.chunks.includes(k) || k.awake === e.isIntersecting)
				continue;
			if (e.isIntersecting)
				up.push(k);
			else if (k !== v.chunks.at(-1) && this.rows.idle(k))
				down.push({ k, px: e.target.getBoundingClientRect().height });
		}
		if (!up.length && !down.length)
			return;
		this.#keep(() => {
			for (const { k, px } of down) {
				this.#mean = (this.#mean * 7 + px / k.items.length) / 8;
				this.#sleepAt(k, px);
			}
			for (const k of up)
				this.#build(v, k);
			this.#tire(v);
		});
	}

	/* The observer is late when much comes at once: bound what is built. */
	/** @param {View} v */
	#tire(v) {
		const up = v.chunks.filter((k) => k.awake);
		if (up.length <= AWAKE || !v.placed)
			return;
		const at = v.stick ? null : this.rows.middle(this.box, v.chunks);
		const mid = v.stick ? v.chunks.length - 1
			: v.chunks.findIndex((k) => k.el.contains(at));
		const far = up.map((k) => ({ k, d: Math.abs(v.chunks.indexOf(k) - mid) }))
			.sort((a, b) => b.d - a.d).slice(0, up.length - AWAKE)
			.filter(({ k }) => k !== v.chunks.at(-1) && this.rows.idle(k))
			.map(({ k }) => ({ k, px: k.el.getBoundingClientRect().height }));
		for (const { k, px } of far)
			this.#sleepAt(k, px);
	}

	/** @param {Chunk} k @param {number} px */
	#sleepAt(k, px) {
		this.rows.sleep(k);
		k.el.style.setProperty('height', `${px}px`);
	}
}
