/* SPDX-License-Identifier: MIT */
/*
 * One message as DOM, with what stands before it (a new day, the line of the
 * new ones).  The same rows serve rooms and private chats; bubbles are CSS.
 * Plain text is drawn here; whatever is more is in lazy/rich.js, and rows
 * that are drawn without it are plain text, too.
 */
import { h, icon } from './dom.js';
import { hue, initials } from './format.js';
import { clock, day, dayOf, full, rest, t } from './i18n.js';

/** @typedef {import('./conv.js').Item} Item */
/** @typedef {import('./conv.js').Conv} Conv */
/**
 * @typedef {object} Acts what a reader may do with a row
 * @property {import('./lazy/markup.js').Names} names
 * @property {(c: Conv, it: Item) => void} retry
 * @property {(c: Conv, it: Item) => void} discard
 * @property {(it: Item) => void} tell open the private chat
 * @property {() => string} me my uid
 * @property {(what: 'edit'|'recall'|'react'|'marks') => boolean} can has the server it?
 * @property {(c: Conv, it: Item, emo: string, on: boolean) => void} react
 * @property {(c: Conv, it: Item) => void} edit
 * @property {(c: Conv, it: Item) => void} recall
 * @property {(c: Conv, it: Item) => void} quote
 * @property {(name: string) => void} mention
 * @property {(c: Conv, it: Item) => void} readers
 * @property {(s: string) => void} say a word to the reader
 */

const GROUP = 5 * 60000;	/* ms: later ones begin a new group */
const MEDIA = /^(pic|audio|file)$/;

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

/* ---- what is in it --------------------------------------------------- */

/* What may be more than its letters (lazy/markup.js), and emoji alone. */
const MARKS = /[`*@]|~~|^>|:\/\/|mailto:|^[\p{Emoji}\uFE0F\u200D\s]+$/imu;

/** @type {typeof import('./lazy/rich.js')|null} */ let rich = null;
/** @type {Promise<boolean>|null} */ let coming = null;

/** Are there rows that lazy/rich.js must be had for, and is not? @param {Item[]} items */
export const poor = (items) => !rich && items.some((it) => !it.gone &&
	(MEDIA.test(it.type) || it.ch?.emo.size || it.hope?.emo || MARKS.test(it.msg)));

/** Fetch it; true once it is here.  A line that is down is tried again. */
export const enrich = () => coming ??= (async () => {
	for (;;) {
		try {
			const [m, , ok] = await Promise.all([import('./lazy/rich.js'),
				import('./lazy/markup.js'), rest()]);
			if (ok) {
				rich = m;
				return true;
			}
		} catch { /* once more */ }
		await new Promise((r) => setTimeout(r, 1000));
	}
})();

/** Give a picture its room. @param {any} img @param {number} w @param {number} height */
export const fit = (img, w, height) => rich?.fit(img, w, height);

/** @param {Item} it @param {Acts} acts */
const body = (it, acts) => it.gone || it.hope?.gone
	? h('div', { class: 'text gone' }, t('msg.gone'))
	: MEDIA.test(it.type) ? rich?.media(it) ??
		h('div', { class: 'text', dir: 'auto' }, `${t(`msg.${it.type}`)}: ${it.msg}`)
	: rich?.words(it.msg, acts.names) ??
		h('div', { class: 'text', dir: 'auto' }, it.msg);

/** @param {Conv} c @param {Item} it @param {Acts} acts */
const trouble = (c, it, acts) => it.state === 'failed' && h('div', { class: 'fail' },
	icon('warn'), h('span', null, it.why ?? t('msg.failed')),
	['retry', 'discard'].map((act) => h('button', { type: 'button', class: 'link',
		'data-act': act, onclick: () => /** @type {any} */ (acts)[act](c, it) },
	t(`msg.${act}`))));

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
	const edited = it.edited && !it.gone && !it.hope?.gone;
	const el = h('div', {
		class: `m${first ? ' first' : ''}${it.mine ? ' mine' : ''}${it.at ? ' hit' : ''}`,
		role: 'listitem', 'data-state': it.state || null, tabindex: -1,
		'data-seq': it.seq, 'data-cid': it.cid, 'data-uid': it.uid,
		'data-type': it.gone ? null : it.type === 'text' ? null : it.type,
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
		h('div', { class: 'line' }, body(it, acts), edited ? h('span', { class: 'edited',
			title: full(it.edited ?? 0) }, t('msg.edited')) : null, mark(c, it)),
		...rich?.under(c, it, acts) ?? [], trouble(c, it, acts)));
	return { el, before };
};
