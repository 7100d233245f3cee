/* SPDX-License-Identifier: MIT */
/*
 * The two columns beside the log: conversations with their badges, and the
 * people of the room.  Nodes are kept by key, so focus and scroll stay when
 * something changes.
 */
import { $, attr, fill, h, icon, list, text } from './dom.js';
import { collate, num, t } from './i18n.js';
import { avatar } from './row.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./conv.js').Conv} Conv */
/** @typedef {import('./conv.js').Person} Person */

/* height of a person, px; css/app.css has the same */
const PHONE = matchMedia('(max-width: 719.9px)');
const rowHeight = () => PHONE.matches ? 46 : 38;
const SPARE = 10;	/* rows drawn beyond what is seen */

/** @param {boolean} on */
const dot = (on) => h('span', { class: `dot ${on ? 'on' : 'off'}` },
	h('span', { class: 'sr' }, t(on ? 'mem.online' : 'mem.offline')));

/**
 * @param {Store} store
 * @param {{open(key: string): void, close(c: Conv): void,
 *   draft(key: string): string}} acts
 */
export const sideList = (store, acts) => {
	/** @param {Conv} c */
	const make = (c) => {
		const el = h('div', { class: 'conv', role: 'listitem', 'data-conv': c.key },
			h('a', { class: 'go', href: c.dm ? `#/u/${c.id}` : `#/r/${c.id}` },
				c.dm ? h('span', { class: 'who' }) : icon('hash'),
				h('span', { class: 'title', dir: 'auto' }),
				h('span', { class: 'draft', hidden: true }, '✎'),
				h('span', { class: 'badge', hidden: true })),
			h('button', { class: 'x', type: 'button', onclick: () => acts.close(c) },
				icon('close')));
		return el;
	};
	/** @param {any} el @param {Conv} c */
	const update = (el, c) => {
		const here = store.current.value === c.key;
		const [go, x] = el.children;
		attr(go, 'aria-current', here ? 'page' : null);
		el.classList.toggle('here', here);
		el.classList.toggle('unread', c.unread > 0);
		text(go.querySelector('.title'), c.title);
		if (c.dm) {
			const on = store.isOn(c.id);
			const who = go.querySelector('.who');
			if (who.dataset.is !== `${on}${c.title}`) {
				who.dataset.is = `${on}${c.title}`;
				fill(who, avatar(c.id, c.title, 'sm'), dot(on));
			}
		}
		const draft = go.querySelector('.draft');
		draft.hidden = here || !acts.draft(c.key);
		attr(draft, 'title', t('side.draft'));
		const badge = go.querySelector('.badge');
		const n = c.mention || c.unread;
		badge.hidden = !n;
		badge.classList.toggle('full', c.mention > 0);
		text(badge, n > 99 ? '99+' : n ? num(n) : '');
		attr(badge, 'aria-label', n ? t('side.unread', { n }) : null);
		const label = t(c.dm ? 'side.close' : 'side.leave', { name: c.title });
		attr(x, 'aria-label', label);
		attr(x, 'title', label);
		x.hidden = !c.dm && store.sorted().rooms.length < 2;
	};
	return () => {
		const { rooms, dms } = store.sorted();
		list($('rooms'), rooms, (c) => c, make, update);
		list($('dms'), dms, (c) => c, make, update);
		$('nodms').hidden = dms.length > 0;
	};
};

/**
 * The people of a room, drawn only where they are seen: ten thousand of them
 * are a few dozen nodes.
 * @param {Store} store @param {(uid: string, name: string) => void} tell
 */
export const peopleList = (store, tell) => {
	const box = $('people');
	const field = $('find-people');
	/** @type {(Person | string)[]} */ let rows = [];
	/** @type {Conv|null} */ let conv = null;
	/** @type {Map<string, number>} people of the same name */ let same = new Map();
	const pad = h('div', { class: 'pad' });
	const rowsEl = h('div', { class: 'rows', role: 'list' });
	fill(box, pad, rowsEl);

	/** @param {Person|string} p */
	const make = (p) => typeof p === 'string'
		? h('div', { class: 'head', role: 'listitem' })
		: h('div', { class: 'person', role: 'listitem', 'data-uid': p.uid },
			h('button', { type: 'button', class: 'go', onclick: () => {
				if (p.uid !== store.me.uid)
					tell(p.uid, p.name);
			} }, h('span', { class: 'who' }), h('span', { class: 'title', dir: 'auto' }),
			h('span', { class: 'tail' }),
			p.uid === store.me.uid ? h('span', { class: 'you' }) : null));
	/** @param {any} el @param {Person|string} p */
	const update = (el, p) => {
		if (typeof p === 'string')
			return text(el, p);
		const who = el.querySelector('.who');
		el.classList.toggle('away', !p.on);
		if (who.dataset.is !== `${p.on}${p.name}`) {
			who.dataset.is = `${p.on}${p.name}`;
			fill(who, avatar(p.uid, p.name, 'sm'), dot(p.on));
		}
		text(el.querySelector('.title'), p.name);
		text(el.querySelector('.tail'), (same.get(p.name) ?? 0) > 1
			? `#${p.uid.slice(-4)}` : '');
		const you = el.querySelector('.you');
		if (you)
			text(you, t('mem.you'));
		attr(el.firstChild, 'title', you ? null : t('mem.tell', { name: p.name }));
	};
	const paint = () => {
		const ROW = rowHeight();
		const from = Math.max(0, Math.floor(box.scrollTop / ROW) - SPARE);
		const n = Math.ceil((box.clientHeight || 800) / ROW) + 2 * SPARE;
		pad.style.setProperty('height', `${from * ROW}px`);
		list(rowsEl, rows.slice(from, from + n),
			(p) => typeof p === 'string' ? `#${rows.indexOf(p)}` : p.uid, make, update);
		rowsEl.style.setProperty('margin-bottom',
			`${Math.max(0, rows.length - from - n) * ROW}px`);
	};
	const draw = () => {
		if (!conv)
			return;
		const q = field.value.trim().toLowerCase();
		const all = [...conv.people.values()]
			.filter((p) => !q || p.name.toLowerCase().includes(q));
		same = new Map();
		for (const p of all)
			same.set(p.name, (same.get(p.name) ?? 0) + 1);
		const by = collate();
		/** @param {Person} a @param {Person} b */
		const order = (a, b) => by(a.name, b.name);
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
	field.addEventListener('input', () => {
		box.scrollTop = 0;
		draw();
	});
	let due = false;
	box.addEventListener('scroll', () => {
		if (due)
			return;
		due = true;
		requestAnimationFrame(() => { due = false; paint(); });
	}, { passive: true });
	return {
		draw,
		/** @param {Conv} c */
		show(c) {
			if (c === conv)
				return;
			conv = c;
			field.value = '';
			box.scrollTop = 0;
			draw();
		},
	};
};
