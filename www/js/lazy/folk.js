/* SPDX-License-Identifier: MIT */
/*
 * The people of the room.  Ten thousand of them are a few dozen nodes: only
 * rows that are seen are drawn, by key, so that the scroll and the focus stay
 * when somebody comes or goes.
 */
import { $, attr, fill, h, list, text } from '../dom.js';
import { collate, t } from '../i18n.js';
import { avatar } from '../row.js';
import { dot } from '../side.js';

/** @typedef {import('../conv.js').Conv} Conv */
/** @typedef {import('../conv.js').Person} Person */

/* height of a row, px; css/app.css has the same */
const PHONE = matchMedia('(max-width: 719.9px)');
const rowHeight = () => PHONE.matches ? 46 : 38;
const SPARE = 10;	/* rows drawn beyond what is seen */

/** What a name looks like: the same for two that the eye takes for one. */
const look = (/** @type {string} */ name) =>
	name.normalize('NFKC').toLowerCase().replace(/[\s\u200b-\u200f\u2060\ufeff]/g, '');

/** @param {import('../chat.js').Chat} app */
export const peopleList = (app) => {
	const { store } = app;
	const box = $('people');
	const field = $('find-people');
	/** @type {(Person | string)[]} */ let rows = [];
	/** @type {Conv|null} */ let conv = null;
	/** @type {Map<string, number>} people who look the same */ let same = new Map();
	let at = '';	/* whose row the Tab key goes to */
	let due = false, stale = false;
	const pad = h('div', { class: 'pad' });
	const rowsEl = h('div', { class: 'rows', role: 'list' });
	fill(box, pad, rowsEl);

	/** @param {Person|string} p */
	const make = (p) => typeof p === 'string'
		? h('div', { class: 'head', role: 'listitem' })
		: h('div', { class: 'person', role: 'listitem', 'data-uid': p.uid },
			h('button', { type: 'button', class: 'go', onclick: () => {
				if (p.uid !== store.me.uid)
					app.open(`@${p.uid}`, p.name);
			} }, h('span', { class: 'who' }), h('span', { class: 'title', dir: 'auto' }),
			h('span', { class: 'tail' }),
			p.uid === store.me.uid ? h('span', { class: 'you' }) : null));
	/** @param {any} el @param {Person|string} p */
	const update = (el, p) => {
		attr(el, 'aria-setsize', rows.length);
		attr(el, 'aria-posinset', rows.indexOf(p, from) + 1);
		if (typeof p === 'string')
			return text(el, p);
		const who = el.querySelector('.who');
		el.classList.toggle('away', !p.on);
		if (who.dataset.is !== `${p.on}${p.name}`) {
			who.dataset.is = `${p.on}${p.name}`;
			fill(who, avatar(p.uid, p.name, 'sm'), dot(p.on));
		}
		text(el.querySelector('.title'), p.name);
		text(el.querySelector('.tail'), (same.get(look(p.name)) ?? 0) > 1
			? `#${p.uid.slice(-4)}` : '');
		const you = el.querySelector('.you');
		if (you)
			text(you, t('mem.you'));
		attr(el.firstChild, 'title', you ? null : t('mem.tell', { name: p.name }));
		attr(el.firstChild, 'tabindex', p.uid === at ? '0' : '-1');
	};
	/** @param {Person|string} p */
	const key = (p) => typeof p === 'string' ? p : p.uid;
	let from = 0;
	const paint = () => {
		const ROW = rowHeight();
		from = Math.max(0, Math.floor(box.scrollTop / ROW) - SPARE);
		const n = Math.ceil((box.clientHeight || 800) / ROW) + 2 * SPARE;
		const seen = rows.slice(from, from + n);
		if (!seen.some((p) => key(p) === at))
			at = /** @type {Person|undefined} */ (seen.find((p) =>
				typeof p !== 'string'))?.uid ?? '';
		const had = rowsEl.contains(document.activeElement);
		pad.style.setProperty('height', `${from * ROW}px`);
		rowsEl.style.setProperty('margin-bottom',
			`${Math.max(0, rows.length - from - n) * ROW}px`);
		list(rowsEl, seen, key, make, update);
		if (had && document.activeElement === document.body)
			box.focus({ preventScroll: true });	/* its row is far away now */
	};
	const sort = () => {
		if (!conv)
			return;
		stale = false;
		const q = field.value.trim().toLowerCase();
		const all = [...conv.people.values()]
			.filter((p) => !q || p.name.toLowerCase().includes(q));
		same = new Map();
		for (const p of all)
			same.set(look(p.name), (same.get(look(p.name)) ?? 0) + 1);
		const by = collate();
		/** @param {Person} a @param {Person} b */
		const order = (a, b) => by(a.name, b.name) || (a.uid < b.uid ? -1 : 1);
		const on = all.filter((p) => p.on).sort(order);
		const off = all.filter((p) => !p.on).sort(order);
		rows = [];
		if (on.length)
			rows.push(t('mem.on', { n: q ? on.length : Math.max(on.length, conv.count) }), ...on);
		if (off.length)
			rows.push(t('mem.off', { n: off.length }), ...off);
		if (!rows.length)
			rows.push(t('act.none'));
		paint();
	};
	/* at most once a frame, and not where nobody sees it */
	const soon = () => {
		if (due)
			return;
		due = true;
		requestAnimationFrame(() => {
			due = false;
			if (stale)
				sort();
			else
				paint();
		});
	};
	const draw = () => {
		stale = true;
		if (box.getClientRects().length)
			soon();
	};
	field.addEventListener('input', () => {
		box.scrollTop = 0;
		sort();
	});
	box.addEventListener('scroll', soon, { passive: true });
	/* up and down in the list; the Tab key leaves it */
	const move = (/** @type {KeyboardEvent} */ e) => {
		const here = rows.findIndex((p) => key(p) === at);
		const by = { ArrowDown: 1, ArrowUp: -1, Home: -here,
			End: rows.length - 1 - here }[e.key];
		if (by === undefined || e.altKey || e.ctrlKey || e.metaKey)
			return;
		e.preventDefault();
		const step = e.key === 'ArrowUp' || e.key === 'End' ? -1 : 1;
		let to = here + by;
		if (e.target === field)
			to = 0;
		while (typeof rows[to] === 'string')
			to += step;
		const p = rows[to];
		if (!p || typeof p === 'string')
			return step < 0 ? field.focus() : undefined;
		at = p.uid;
		const top = to * rowHeight();
		if (top < box.scrollTop)
			box.scrollTop = top;
		else if (top + rowHeight() > box.scrollTop + box.clientHeight)
			box.scrollTop = top + rowHeight() - box.clientHeight;
		paint();
		rowsEl.querySelector(`[data-uid="${p.uid}"] .go`)
			?.focus({ preventScroll: true });
	};
	box.addEventListener('keydown', move);
	field.addEventListener('keydown', (/** @type {KeyboardEvent} */ e) => {
		if (e.key === 'ArrowDown')
			move(e);
	});
	new ResizeObserver(draw).observe(box);
	return {
		draw,
		/** @param {Conv} c */
		show(c) {
			if (c === conv)
				return;
			conv = c;
			field.value = '';
			box.scrollTop = 0;
			sort();
		},
	};
};
