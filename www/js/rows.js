/* SPDX-License-Identifier: MIT */
/*
 * Which element of the log shows which message: rows are made here, made
 * anew, and emptied when their message was taken back.  Whoever had the
 * focus in a row has it in the new one; what plays in it goes on.  Where
 * rows stand and what the reader sees of them is log.js.
 */
import { $ } from './dom.js';
import { row } from './row.js';

/** @typedef {import('./conv.js').Item} Item */
/** @typedef {import('./conv.js').Conv} Conv */
/** @typedef {{el: HTMLElement, items: Item[], awake: boolean}} Chunk */

export class Rows {
	/** @type {WeakMap<Item, HTMLElement>} */ #el = new WeakMap();
	/** @type {WeakMap<Element, Item>} */ #item = new WeakMap();

	/** @param {import('./row.js').Acts} acts */
	constructor(acts) {
		this.acts = acts;
	}

	/** The message a node belongs to. @param {any} node */
	of(node) {
		const el = node?.closest?.('.m');
		return el ? this.#item.get(el) ?? null : null;
	}

	/** The row of a message, if it is in the page. @param {Item} it */
	at(it) {
		const el = this.#el.get(it);
		return el?.isConnected ? el : null;
	}

	/** @param {Conv} c @param {Item} it @param {Item|undefined} prev */
	#make(c, it, prev) {
		const made = row(c, it, prev, this.acts);
		this.#el.set(it, made.el);
		this.#item.set(made.el, it);
		return made;
	}

	/** One more at the end of a chunk. @param {Conv} c @param {Chunk} k @param {Item} it @param {Item|undefined} prev */
	add(c, k, it, prev) {
		const { el, before } = this.#make(c, it, prev);
		k.el.append(...before, el);
	}

	/** All of a chunk. @param {Conv} c @param {Chunk} k @param {Item|undefined} prev */
	build(c, k, prev) {
		const had = this.#held(k.el);
		k.awake = true;
		k.el.style.removeProperty('height');
		k.el.replaceChildren();
		for (const it of k.items) {
			this.add(c, k, it, prev);
			prev = it;
		}
		had?.();
	}

	/**
	 * The row in the middle of the view.
	 * @param {HTMLElement} box @param {Chunk[]} chunks @returns {Element|null}
	 */
	middle(box, chunks) {
		const b = box.getBoundingClientRect();
		const above = (/** @type {Element} */ el) =>
			el.getBoundingClientRect().top <= b.top + b.height / 2;
		let lo = 0, hi = chunks.length - 1;
		while (lo < hi) {
			const m = (lo + hi + 1) >> 1;
			if (above(chunks[m].el))
				lo = m;
			else
				hi = m - 1;
		}
		const el = chunks[lo]?.el;
		if (!el)
			return null;
		const rows = [...el.children];
		const next = rows.findIndex((r) => !above(r));
		return rows.at(next > 0 ? next - 1 : next) ?? el;
	}

	/** Nobody is in it: no focus, no selection, nothing that plays. @param {Chunk} k */
	idle(k) {
		const sel = getSelection();
		return !k.el.contains(document.activeElement) &&
			![...k.el.querySelectorAll('audio')].some((a) => !a.paused) &&
			!(sel && !sel.isCollapsed && sel.containsNode(k.el, true));
	}

	/* What knows of a row keeps all of it in memory. */
	/** None of its rows is left. @param {Chunk} k */
	sleep(k) {
		k.awake = false;
		k.el.replaceChildren();
		for (const it of k.items)
			this.#el.delete(it);
	}

	/** One row anew. @param {Conv} c @param {Item} it @param {Item|undefined} prev */
	again(c, it, prev) {
		const old = this.#el.get(it);
		if (!old)
			return;
		const had = this.#held(old);
		const { el } = this.#make(c, it, prev);
		const was = old.querySelector('[data-src]'), is = el.querySelector('[data-src]');
		if (was && is && was.getAttribute('data-src') === is.getAttribute('data-src'))
			is.replaceWith(was);
		old.replaceWith(el);
		had?.();
	}

	/** The chunk element a message stands in. @param {Item} it */
	parent(it) { return this.#el.get(it)?.parentElement ?? null; }

	/** Out of sight nothing of it may stay either. @param {Item} it */
	wipe(it) {
		const el = this.#el.get(it);
		if (!el?.isConnected)
			el?.replaceChildren();
		$('said').replaceChildren();
	}

	/**
	 * Who has the focus in there; what comes back gives it to the new row.
	 * @param {Element} el
	 */
	#held(el) {
		const at = document.activeElement;
		const it = at && el.contains(at) && this.of(at);
		if (!it)
			return null;
		const { emo, act } = /** @type {HTMLElement} */ (at).dataset;
		return () => {
			const now = this.#el.get(it);
			const same = emo ? `[data-emo="${CSS.escape(emo)}"]`
				: act ? `[data-act="${act}"]` : '';
			const to = same ? now?.querySelector(same) : now;
			/** @type {any} */ (to ?? $('text')).focus({ preventScroll: true });
		};
	}
}
