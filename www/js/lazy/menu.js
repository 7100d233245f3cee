/* SPDX-License-Identifier: MIT */
/*
 * What a reader can do with a message: tools over the row under the mouse, a
 * menu for the other button and the keyboard (Enter, m, Shift+F10), a sheet
 * after a long press.  Fetched when a hand first comes near the log, which
 * hands its events to hear().
 */
import { attr, h, icon, ICONS } from '../dom.js';
import { rest, t } from '../i18n.js';
import { isGroup } from '../conv.js';
import { reactions } from '../items.js';

await rest();

/** @typedef {import('../conv.js').Item} Item */
/** @typedef {[name: string, icon: string, act: () => void, key?: string]} Choice */

Object.assign(ICONS, {
	reply: 'M10 6 4 12l6 6M4.5 12H15a5 5 0 0 1 5 5v1.5',
	dots: 'M5.5 12h.1M12 12h.1M18.5 12h.1',
	copy: 'M8.5 8.5h11v11h-11zM5 15.5H4.5v-11h11V5',
	edit: 'M4.5 19.5l1-4.2L16 4.8l3.2 3.2L8.7 18.5z',
	undo: 'M8 5 4 9l4 4M4.5 9H14a5.5 5.5 0 0 1 0 11H8',
	at: 'M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M15.5 8.5v5c0 1.4 1 2.2 2.2 2.2 1.6 0 2.8-1.4 2.8-3.7A8.5 8.5 0 1 0 16.5 19',
	talk: 'M4 5h16v11H10l-4.5 4v-4H4z',
});

const QUICK = ['👍', '❤️', '😂', '🎉', '👀', '🙏'];
const PRESS = 450;	/* ms: a long press */
const SLIP = 10;	/* px: a press that moves is none */
const PHONE = '(max-width: 719.9px)';

/** Also where there is no clipboard (plain http). @param {string} s */
const copy = async (s) => {
	try {
		await navigator.clipboard.writeText(s);
		return true;
	} catch {
		const el = h('textarea', { class: 'sr', value: s });
		const before = document.activeElement;
		document.body.append(el);
		el.select();
		const ok = document.execCommand('copy');
		el.remove();
		/** @type {any} */ (before)?.focus({ preventScroll: true });
		return ok;
	}
};

export class Menu {
	/** @type {Item|null} whose row has the tools */ #it = null;
	/** @type {HTMLDialogElement|null} */ #box = null;

	/** @param {import('../log.js').Log} log */
	constructor(log) {
		this.log = log;
		/** @param {string} name @param {string} pic @param {(b: DOMRect) => void} fn */
		const tool = (name, pic, fn) => h('button', { type: 'button', class: 'tool',
			tabindex: -1, 'data-tool': name, onclick: (/** @type {any} */ e) =>
				fn(e.currentTarget.getBoundingClientRect()) }, icon(pic));
		this.tools = h('div', { class: 'tools' },
			tool('react', 'smile', (b) => this.#it && this.#picker(this.#it, b)),
			tool('quote', 'reply', () => this.#it && this.#quote(this.#it)),
			tool('more', 'dots', (b) => this.#it && this.open(this.#it, b)));
		log.box.addEventListener('pointerleave', () => this.#hide());
	}

	/** An event of the log. @param {any} e */
	hear(e) {
		/* keys may have waited for us: where those before them have led */
		const it = this.log.rows.of(e.type === 'keydown' ? document.activeElement : e.target);
		if (e.type === 'keydown')
			this.#key(e.key, it);
		else if (e.type === 'contextmenu')
			it && !this.#box && this.open(it, new DOMRect(e.clientX, e.clientY, 0, 0));
		else if (it && e.pointerType === 'touch')
			e.type === 'pointerdown' && this.#press(e, it);
		else if (e.type === 'pointerover' && !e.buttons)
			this.#over(it);
	}

	/* ---- mouse and finger ------------------------------------------ */

	/** @param {Item|null} it */
	#over(it) {
		const row = it && this.log.rows.at(it);
		if (!it || !row || it.gone || it.state === 'pending' || it.state === 'failed')
			return this.#hide();
		if (this.tools.parentElement === row)
			return;
		this.#it = it;
		const can = this.log.acts.can('react') && !!it.seq;
		for (const [b, key] of [[0, 'react'], [1, 'quote'], [2, 'more']]) {
			attr(this.tools.children[b], 'aria-label', t(`msg.${key}`));
			attr(this.tools.children[b], 'title', t(`msg.${key}`));
		}
		this.tools.children[0].hidden = !can;
		row.append(this.tools);
	}

	#hide() {
		this.tools.remove();
		this.#it = null;
	}

	/** @param {any} e @param {Item} it */
	#press(e, it) {
		/* nor is it one if the finger was lifted before we were here */
		if (e.target.closest('audio, a') || !e.target.hasPointerCapture(e.pointerId))
			return;
		const end = new AbortController();
		const timer = setTimeout(() => {
			end.abort();
			if (!this.#box)		/* the browser knows long presses, too */
				this.open(it);
		}, PRESS);
		end.signal.addEventListener('abort', () => clearTimeout(timer));
		const { signal } = end;
		for (const type of ['pointerup', 'pointercancel'])
			addEventListener(type, () => end.abort(), { signal });
		addEventListener('pointermove', (m) => {
			if (Math.hypot(m.clientX - e.clientX, m.clientY - e.clientY) > SLIP)
				end.abort();
		}, { signal });
	}

	/* ---- keys ------------------------------------------------------ */

	/** @param {string} key @param {Item|null} it */
	#key(key, it) {
		const all = this.log.conv?.items ?? [];
		const i = it ? all.indexOf(it) : all.indexOf(/** @type {any} */ (this.#lowest()));
		/** @type {Record<string, number>} */
		const to = { Home: 0, End: all.length - 1, ArrowUp: it ? i - 1 : i,
			ArrowDown: it ? i + 1 : i };
		if (key in to)
			return all[to[key]] && this.log.focus(all[to[key]]);
		if (it && key === 'r')
			this.#quote(it);
		else if (it && key === 'c')
			this.#copy(it);
		else if (it)
			this.open(it);
	}

	/* The lowest message in view. */
	#lowest() {
		const end = this.log.box.getBoundingClientRect().bottom;
		const rows = [...this.log.box.querySelectorAll('.m')];
		return this.log.rows.of(rows.findLast((r) => r.getBoundingClientRect().top < end - 8));
	}

	/* ---- the menu -------------------------------------------------- */

	/** @param {Item} it */
	#quote(it) {
		const c = this.log.conv;
		if (c && !it.gone)
			this.log.acts.quote(c, it);
	}

	/** @param {Item} it */
	async #copy(it) {
		if (it.gone)
			return;
		const s = it.type === 'text' ? it.msg : new URL(it.url ?? it.msg, location.href).href;
		this.log.acts.say(t(await copy(s) ? 'msg.copied' : 'msg.nocopy'));
	}

	/** @param {Item} it @param {string} emo */
	#react(it, emo) {
		const c = this.log.conv;
		const { acts } = this.log;
		const mine = reactions(it, acts.me()).find((r) => r.emo === emo)?.mine;
		if (c)
			acts.react(c, it, emo, !mine);
	}

	/** @param {Item} it @returns {Choice[]} */
	#choices(it) {
		const { acts, conv: c } = this.log;
		/** @type {Choice[]} */ const out = [];
		if (!c || it.gone)
			return out;
		out.push(['quote', 'reply', () => this.#quote(it), 'R'],
			[it.type === 'text' ? 'copy' : 'link', 'copy', () => this.#copy(it), 'C']);
		if (it.mine && it.seq && it.type === 'text' && acts.can('edit'))
			out.push(['edit', 'edit', () => acts.edit(c, it)]);
		if (it.mine && it.seq && acts.can('recall'))
			out.push(['recall', 'undo', () => acts.recall(c, it)]);
		if (it.mine && it.seq && isGroup(c) && acts.can('marks'))
			out.push(['readers', 'people', () => acts.readers(c, it)]);
		if (!it.mine) {
			out.push(['mention', 'at', () => acts.mention(it.name)]);
			if (!c.dm)
				out.push(['tell', 'talk', () => acts.tell(it)]);
		}
		return out;
	}

	/** @param {Item} it @param {DOMRect} [by] where it is asked for */
	open(it, by) {
		const all = this.#choices(it);
		if (!all.length)
			return;
		const emo = it.seq && this.log.acts.can('react') ? h('div', { class: 'quick' },
			QUICK.map((x) => h('button', { type: 'button', class: 'emo', 'aria-label':
				`${t('msg.react')} ${x}`, onclick: () => {
				el.close();
				this.#react(it, x);
			} }, x)),
			h('button', { type: 'button', class: 'emo', 'data-act': 'emoji',
				'aria-label': t('msg.emoji'), title: t('msg.emoji'), onclick: () => {
					el.close();
					this.#picker(it, by);
				} }, icon('plus'))) : null;
		const el = this.#dialog(it, t('msg.more'), by, [emo, h('div', { role: 'menu' },
			all.map(([name, pic, act, key]) => h('button', {
				type: 'button', role: 'menuitem', class: 'choice', 'data-act': name,
				onclick: () => {
					el.close();
					act();
				},
			}, icon(pic), h('span', { dir: 'auto' }, name === 'tell'
				? t('mem.tell', { name: it.name }) : t(`msg.${name}`)),
			key ? h('kbd', null, key) : null)))]);
		el.addEventListener('keydown', (/** @type {KeyboardEvent} */ e) => step(el, e));
	}

	/** All the emoji there are. @param {Item} it @param {DOMRect} [by] */
	async #picker(it, by) {
		const m = await import('./emoji.js').catch(() => null);
		if (!m)
			return;
		const box = h('div', { class: 'emoji', hidden: true });
		const el = this.#dialog(it, t('msg.react'), by, [box]);
		m.toggle(box, el, (/** @type {string} */ x) => {
			el.close();
			this.#react(it, x);
		});
	}

	/**
	 * At its tool, or its row, or on a phone at the lower edge.
	 * @param {Item} it @param {string} label @param {DOMRect|undefined} by @param {any[]} kids
	 */
	#dialog(it, label, by, kids) {
		const near = by ?? (this.log.rows.at(it) ?? this.log.box).getBoundingClientRect();
		/** @type {any} the finger that opened it does nothing when it is lifted */
		let down = null;
		/** @type {any} */ const had = document.activeElement === document.body ? null
			: document.activeElement;
		const el = this.#box = h('dialog', { id: 'menu', class: 'menu', 'aria-label': label,
			onkeydown: (/** @type {Event} */ e) => e.stopPropagation(),
			onpointerdown: (/** @type {Event} */ e) => { down = e.target; },
			onclose: () => {
				el.remove();
				if (this.#box === el)
					this.#box = null;
				if (document.activeElement === document.body)
					(had?.isConnected ? had : this.log.rows.at(it))?.focus(
						{ preventScroll: true });
			} }, kids);
		el.addEventListener('click', (/** @type {MouseEvent} */ e) => {
			if (e.detail && !down)
				e.stopPropagation();
			else if (e.target === el && down === el)
				el.close();
		}, true);
		this.#hide();
		had?.blur();	/* as in dialogs.js: we bring it back, with its caret */
		document.body.append(el);
		/** @type {any} */ (el).showModal();
		if (!matchMedia(PHONE).matches)
			requestAnimationFrame(() => {
				const { width, height } = el.getBoundingClientRect();
				const left = !near.width ? near.left
					: near.width < 80 ? near.right - width : near.left + 68;
				const x = Math.min(left, innerWidth - width - 8);
				const y = near.bottom + 4 + height > innerHeight - 8
					? near.top - height - 4 : near.bottom + 4;
				el.style.setProperty('left', `${Math.max(8, x)}px`);
				el.style.setProperty('top', `${Math.max(8, y)}px`);
			});
		return /** @type {HTMLDialogElement} */ (el);
	}
}

/** Arrows in the menu. @param {Element} el @param {KeyboardEvent} e */
const step = (el, e) => {
	const emo = [...el.querySelectorAll('.quick button')];
	const all = [...el.querySelectorAll('[role=menuitem]')];
	const at = /** @type {Element} */ (document.activeElement);
	const i = all.indexOf(at), j = emo.indexOf(at);
	/** @type {Record<string, any>} */
	const to = {
		ArrowDown: j >= 0 ? all[0] : all[(i + 1) % all.length],
		ArrowUp: i > 0 ? all[i - 1] : i === 0 && emo.length ? emo[0] : all.at(-1),
		ArrowRight: j >= 0 ? emo[(j + 1) % emo.length] : null,
		ArrowLeft: j >= 0 ? emo.at(j - 1) : null,
		Home: all[0], End: all.at(-1),
	};
	if (!(e.key in to))
		return;
	e.preventDefault();
	to[e.key]?.focus();
};
