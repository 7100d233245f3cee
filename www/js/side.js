/* SPDX-License-Identifier: MIT */
/*
 * The column of conversations with their badges.  Nodes are kept by key, so
 * focus and scroll stay when something changes.
 */
import { $, attr, fill, h, icon, list, text } from './dom.js';
import { num, t } from './i18n.js';
import { avatar } from './row.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./conv.js').Conv} Conv */

/** @param {boolean} on */
export const dot = (on) => h('span', { class: `dot ${on ? 'on' : 'off'}` },
	h('span', { class: 'sr' }, t(on ? 'mem.online' : 'mem.offline')));

/**
 * @param {Store} store
 * @param {{open(key: string): void, close(c: Conv): void,
 *   draft(key: string): string}} acts
 */
export const sideList = (store, acts) => {
	let alone = false;	/* the only room is not left */
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
		x.hidden = !c.dm && alone;
	};
	return () => {
		const { rooms, dms } = store.sorted();
		alone = rooms.length < 2;
		list($('rooms'), rooms, (c) => c, make, update);
		list($('dms'), dms, (c) => c, make, update);
		$('nodms').hidden = dms.length > 0;
	};
};
