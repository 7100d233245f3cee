/* SPDX-License-Identifier: MIT */
/*
 * What a row of plain text does without: marked words, pictures, voices,
 * files, reactions, how far an upload is.  row.js fetches it, and the log
 * waits for it before it draws the first row that needs it (log.js).
 * Pictures, voices and files are shown only from our own /u/, or from this
 * browser's memory while they go up; any other address is mere text.
 */
import { h, icon } from '../dom.js';
import { clean } from '../format.js';
import { t } from '../i18n.js';
import { reactions } from '../items.js';
import { jumbo, render, scan } from './markup.js';

/** @typedef {import('../conv.js').Item} Item */
/** @typedef {import('../conv.js').Conv} Conv */
/** @typedef {import('../row.js').Acts} Acts */

const WIDE = 480;	/* a picture at most, px */
const HIGH = 400;

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

/** Null: no address of ours. @param {Item} it */
export const media = (it) => {
	const u = place(it);
	const kind = t(`msg.${it.type}`);
	if (!u)
		return null;
	if (it.type === 'pic') {
		const q = u.searchParams;
		return h('button', {
			class: 'pic', type: 'button', 'data-act': 'view', 'aria-label': t('msg.view'),
			'data-src': u.href, onclick: () => import('./viewer.js').then(
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

/** @param {string} s @param {import('./markup.js').Names} names */
export const words = (s, names) => h('div', { class: jumbo(s) ? 'text jumbo' : 'text',
	dir: 'auto' }, render(scan(s, names), h));

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

/** What stands under it. @param {Conv} c @param {Item} it @param {Acts} acts */
export const under = (c, it, acts) => [chips(c, it, acts),
	it.state === 'failed' || it.progress === undefined ? null : h('div', { class: 'going' },
		h('progress', { max: 1, value: it.progress, 'aria-label': t('msg.going') }),
		h('button', { type: 'button', class: 'link', 'data-act': 'discard',
			onclick: () => acts.discard(c, it) }, t('msg.stop')))];
