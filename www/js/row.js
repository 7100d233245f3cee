/* SPDX-License-Identifier: MIT */
/*
 * One message as DOM, with what stands before it (a new day, the line of the
 * new ones).  The same rows serve rooms and private chats; bubbles are CSS.
 */
import { h, icon } from './dom.js';
import { hue, initials, jumbo, render, scan } from './format.js';
import { clock, day, dayOf, full, t } from './i18n.js';

/** @typedef {import('./conv.js').Item} Item */
/** @typedef {import('./conv.js').Conv} Conv */
/**
 * @typedef {object} Acts what a reader may do with a row
 * @property {import('./format.js').Names} names
 * @property {(c: Conv, it: Item) => void} retry
 * @property {(c: Conv, it: Item) => void} discard
 * @property {(it: Item) => void} tell
 */

const GROUP = 5 * 60000;	/* ms: later ones begin a new group */

/** @param {string} uid @param {string} name @param {string} [cls] */
export const avatar = (uid, name, cls) => h('span', {
	class: `av ${cls ?? ''}`, style: { '--h': String(hue(uid)) },
	'aria-hidden': 'true',
}, initials(name, cls === 'sm'));

/** @param {Item} it @param {Item|undefined} prev */
const follows = (it, prev) => !!prev && prev.uid === it.uid &&
	dayOf(prev.ts) === dayOf(it.ts) && it.ts - prev.ts <= GROUP;

/** @param {Conv} c @param {Item} it */
const mark = (c, it) => {
	if (!it.mine || it.state === 'failed' || it.gone)
		return null;
	const s = it.state === 'pending' ? 'pending'
		: c.dm && it.seq && it.seq <= c.peer ? 'read' : 'sent';
	const words = t(`msg.${s}`);
	return h('span', { class: `mark ${s}`, title: words },
		icon(s === 'pending' ? 'clock' : s === 'read' ? 'checks' : 'check'),
		h('span', { class: 'sr' }, words));
};

/** Own files are links or pictures of our own host; others are text. */
/** @param {Item} it @param {Acts} acts */
const body = (it, acts) => {
	if (it.gone)
		return h('div', { class: 'text gone' }, t('msg.gone'));
	if (it.type === 'pic' || it.type === 'audio' || it.type === 'file') {
		const u = own(it.msg);
		if (u && it.type === 'pic')
			return h('div', { class: 'text' }, h('img', { src: u, alt: '',
				width: 320, height: 200, loading: 'lazy', decoding: 'async' }));
		if (u && it.type === 'audio')
			return h('div', { class: 'text' },
				h('audio', { src: u, controls: true, preload: 'metadata' }));
		return h('div', { class: 'text', dir: 'auto' }, `${t('msg.file')}: ${it.msg}`);
	}
	return h('div', { class: jumbo(it.msg) ? 'text jumbo' : 'text', dir: 'auto' },
		render(scan(it.msg, acts.names), h));
};

/** An address on our own host, or "". @param {string} s */
const own = (s) => {
	if (!/^(https?:\/)?\/[^\s<>"'`]+$/.test(s))
		return '';
	try {
		const u = new URL(s, location.href);
		return u.origin === location.origin && /^https?:$/.test(u.protocol) &&
			!/\.svg$/i.test(u.pathname) ? u.href : '';
	} catch {
		return '';
	}
};

/** @param {Conv} c @param {Item} it @param {Item|undefined} prev */
const line = (c, it, prev) => {
	const out = [];
	if (!prev || dayOf(prev.ts) !== dayOf(it.ts))
		out.push(h('div', { class: 'sep', role: 'listitem' },
			h('span', null, day(it.ts))));
	if (c.divider && it.seq === c.divider)
		out.push(h('div', { class: 'sep new', role: 'listitem', 'data-new': true },
			h('span', null, t('log.new'))));
	return out;
};

/**
 * The row of a message; `before` are the separators that go before it.
 * @param {Conv} c @param {Item} it @param {Item|undefined} prev
 * @param {Acts} acts
 */
export const row = (c, it, prev, acts) => {
	const before = line(c, it, prev);
	const first = !!before.length || !follows(it, prev);
	const when = h('time', { datetime: new Date(it.ts).toISOString(),
		title: full(it.ts) }, clock(it.ts));
	const el = h('div', {
		class: `m${first ? ' first' : ''}${it.mine ? ' mine' : ''}${it.at ? ' hit' : ''}`,
		role: 'listitem', 'data-state': it.state || null, tabindex: -1,
		'data-seq': it.seq, 'data-cid': it.cid, 'data-uid': it.uid,
	},
	first ? avatar(it.uid, it.name) : h('span', { class: 'gut' }, when),
	h('div', { class: 'body' },
		first ? h('div', { class: 'who' },
			it.mine || c.dm
				? h('span', { class: 'name', dir: 'auto', style: { '--h': String(hue(it.uid)) } }, it.name)
				: h('button', {
					class: 'name', type: 'button', dir: 'auto',
					style: { '--h': String(hue(it.uid)) },
					title: t('mem.tell', { name: it.name }),
					onclick: () => acts.tell(it),
				}, it.name), when)
			: h('span', { class: 'sr' }, `${it.name}: `),
		h('div', { class: 'line' }, body(it, acts), mark(c, it)),
		it.state === 'failed' ? h('div', { class: 'fail' }, icon('warn'),
			h('span', null, t('msg.failed')),
			h('button', { type: 'button', class: 'link', 'data-act': 'retry',
				onclick: () => acts.retry(c, it) }, t('msg.retry')),
			h('button', { type: 'button', class: 'link', 'data-act': 'discard',
				onclick: () => acts.discard(c, it) }, t('msg.discard'))) : null));
	return { el, before };
};
