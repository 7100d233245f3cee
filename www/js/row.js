/* SPDX-License-Identifier: MIT */
/*
 * One message as DOM, with what stands before it (a new day, the line of the
 * new ones).  The same rows serve rooms and private chats; bubbles are CSS.
 * Pictures, voices and files are shown only from our own /u/, or from this
 * browser's memory while they go up; any other address is mere text.
 */
import { h, icon } from './dom.js';
import { clean, hue, initials, jumbo, render, scan } from './format.js';
import { clock, day, dayOf, full, t } from './i18n.js';
import { reactions } from './items.js';

/** @typedef {import('./conv.js').Item} Item */
/** @typedef {import('./conv.js').Conv} Conv */
/**
 * @typedef {object} Acts what a reader may do with a row
 * @property {import('./format.js').Names} names
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
const WIDE = 480;	/* a picture at most, px */
const HIGH = 400;

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

/* ---- pictures, voices, files ---------------------------------------- */

/**
 * Where it lies, or null: on our own host under /u/, or what goes up from
 * here just now.
 * @param {Item} it
 */
const place = (it) => {
	try {
		const here = it.mine && it.drop && it.msg.startsWith('blob:');
		const u = new URL(here ? it.msg : it.url ?? it.msg, location.href);
		return u.origin === location.origin && (here || (/^https?:$/.test(u.protocol) &&
			u.pathname.startsWith('/u/') && !/\.svg/i.test(u.pathname))) ? u : null;
	} catch {
		return null;
	}
};

/** Give a picture its room, before and whatever it loads. @param {any} img @param {number} w @param {number} height */
export const fit = (img, w, height) => {
	const known = w >= 1 && height >= 1 && w <= 2e4 && height <= 2e4;
	const [x, y] = known ? [w, height] : [320, 200];
	const by = Math.min(1, WIDE / x, HIGH / y);
	const size = [x, y].map((n) => Math.max(24, Math.round(n * by)));
	img.toggleAttribute('data-guess', !known);
	img.setAttribute('width', size[0]);
	img.setAttribute('height', size[1]);
	img.style.setProperty('aspect-ratio', size.join(' / '));
	return img;
};

/** @param {Item} it @param {Acts} acts */
const media = (it, acts) => {
	const u = place(it);
	const kind = t(`msg.${it.type}`);
	if (!u)
		return h('div', { class: 'text', dir: 'auto' }, `${kind}: ${it.msg}`);
	if (it.type === 'pic') {
		const q = u.searchParams;
		return h('button', {
			class: 'pic', type: 'button', 'data-act': 'view', 'aria-label': t('msg.view'),
			'data-src': u.href, onclick: () => import('./lazy/viewer.js').then(
				(m) => m.view(u.href, it), () => {}),
		}, fit(h('img', { src: u.href, alt: kind, loading: 'lazy', decoding: 'async' }),
			it.w || Number(q.get('w')), it.h || Number(q.get('h'))));
	}
	if (it.type === 'audio')
		return h('audio', { src: u.href, controls: true, preload: 'metadata',
			'data-src': u.href, 'aria-label': kind });
	const name = clean(it.file ?? u.searchParams.get('name'), kind);
	return h('a', { class: 'file', href: u.href, download: name, dir: 'auto',
		'data-src': u.href }, icon('file'), h('span', null, name));
};

/** @param {Item} it @param {Acts} acts */
const body = (it, acts) => {
	if (it.gone || it.hope?.gone)
		return h('div', { class: 'text gone' }, t('msg.gone'));
	if (it.type === 'pic' || it.type === 'audio' || it.type === 'file')
		return media(it, acts);
	return h('div', { class: jumbo(it.msg) ? 'text jumbo' : 'text', dir: 'auto' },
		render(scan(it.msg, acts.names), h));
};

/* ---- what became of it ---------------------------------------------- */

/** @param {Conv} c @param {Item} it @param {Acts} acts */
const chips = (c, it, acts) => {
	const all = it.gone || it.hope?.gone ? [] : reactions(it, acts.me());
	return all.length ? h('div', { class: 'reacts' }, all.map((r) => {
		const who = [...r.names.slice(0, 20), ...r.mine ? [t('mem.you')] : []].join(', ');
		return h('button', {
			type: 'button', class: 'react', dir: 'auto', 'data-emo': r.emo, title: who,
			'aria-pressed': String(r.mine), disabled: !acts.can('react'),
			'aria-label': t('msg.reacted', { emo: r.emo, n: r.n, who }),
			onclick: () => acts.react(c, it, r.emo, !r.mine),
		}, h('span', { class: 'emo' }, r.emo), ` ${r.n}`);
	})) : null;
};

/** @param {Conv} c @param {Item} it @param {Acts} acts */
const trouble = (c, it, acts) => it.state === 'failed' ? h('div', { class: 'fail' },
	icon('warn'), h('span', null, it.why ?? t('msg.failed')),
	h('button', { type: 'button', class: 'link', 'data-act': 'retry',
		onclick: () => acts.retry(c, it) }, t('msg.retry')),
	h('button', { type: 'button', class: 'link', 'data-act': 'discard',
		onclick: () => acts.discard(c, it) }, t('msg.discard')))
	: it.progress === undefined ? null : h('div', { class: 'going' },
		h('progress', { max: 1, value: it.progress, 'aria-label': t('msg.going') }),
		h('button', { type: 'button', class: 'link', 'data-act': 'discard',
			onclick: () => acts.discard(c, it) }, t('msg.stop')));

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
		chips(c, it, acts), trouble(c, it, acts)));
	return { el, before };
};
