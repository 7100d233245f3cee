/* SPDX-License-Identifier: MIT */
/* A picture by itself, as large as the window allows; fetched when one is clicked. */
import { h, icon } from '../dom.js';
import { full, rest, t } from '../i18n.js';

await rest();

/** @param {string} src of our own @param {import('../conv.js').Item} it */
export const view = (src, it) => {
	const before = document.activeElement;
	const el = h('dialog', {
		id: 'viewer', class: 'viewer', 'aria-label': t('msg.view'),
		onkeydown: (/** @type {Event} */ e) => e.stopPropagation(),
		onclick: (/** @type {any} */ e) => {
			if (!e.target.closest('a, button, img'))
				el.close();
		},
		onclose: () => {
			el.remove();
			if (document.activeElement === document.body && before instanceof HTMLElement)
				before.focus({ preventScroll: true });
		},
	},
	h('div', { class: 'head' },
		h('span', { class: 'by', dir: 'auto' }, `${it.name} · ${full(it.ts)}`),
		h('a', { class: 'link', href: src, target: '_blank', rel: 'noopener noreferrer' },
			t('msg.whole')),
		h('button', { type: 'button', class: 'ib', 'aria-label': t('mem.close'),
			onclick: () => el.close() }, icon('close'))),
	h('img', { src, alt: t('msg.pic'), decoding: 'async' }));
	if (before instanceof HTMLElement)
		before.blur();	/* as in dialogs.js */
	document.body.append(el);
	el.showModal();
	return el;
};
