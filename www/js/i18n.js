/* SPDX-License-Identifier: MIT */
/*
 * Words, dates and numbers in the reader's language.  One module of words a
 * language, fetched when it is used (English comes along); a test keeps
 * their keys equal.
 */
import en from '../i18n/en.js';
import { signal } from './dom.js';
import { local } from './prefs.js';

/** Which language; redraw when it changes. */
export const lang = signal('en');
/** @type {Record<string, string>} */ let words = en;
/** @type {Record<string, any>} */ let made = {};

/**
 * Take over a language; false when nothing had to be waited for.
 * @param {string} [to] @returns {Promise<void>|false}
 */
export const setLang = (to) => {
	const l = to ?? local.get('lang') ??
		(/^zh/i.test(navigator.languages?.[0] ?? navigator.language) ? 'zh' : 'en');
	if (to)
		local.set('lang', to);
	if (l === 'zh')
		return import('../i18n/zh.js').then((m) => use(l, m.default),
			() => use('en', en));
	use('en', en);
	return false;
};

/** @param {string} l @param {Record<string, string>} w */
const use = (l, w) => {
	words = w;
	made = {};
	document.documentElement.lang = l === 'zh' ? 'zh-CN' : 'en';
	lang.value = l;
	lang.touch();
};

/** @param {string} name @param {() => any} make */
const once = (name, make) => made[name] ??= make();
const tag = () => lang.value === 'zh' ? 'zh-CN' : 'en';

/**
 * The words for a key; {n} and the like are filled in.  With `n` the plural
 * form of the key is taken (`key.one`, `key.other`).
 * @param {string} key @param {Record<string, any>} [with_]
 */
export const t = (key, with_) => {
	let s = words[key];
	if (with_ && 'n' in with_ && s === undefined) {
		const rule = once('pl', () => new Intl.PluralRules(tag()));
		s = words[`${key}.${rule.select(with_.n)}`] ?? words[`${key}.other`];
	}
	return (s ?? key).replace(/\{(\w+)\}/g, (m, k) => {
		const v = with_?.[k];
		return v === undefined ? m : typeof v === 'number' ? num(v) : String(v);
	});
};
/** @param {string} key */
export const has = (key) => key in words;

/** @param {number} n @returns {string} */
export const num = (n) => once('n', () => new Intl.NumberFormat(tag())).format(n);
/** @param {number} ts @returns {string} */
export const clock = (ts) => once('t', () => new Intl.DateTimeFormat(tag(),
	{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })).format(ts);
/** @param {number} ts @returns {string} */
export const full = (ts) => once('f', () => new Intl.DateTimeFormat(tag(),
	{ dateStyle: 'full', timeStyle: 'medium' })).format(ts);
/** @param {number} ts */
export const dayOf = (ts) => new Date(ts).toDateString();
/** @param {number} ts @returns {string} */
export const day = (ts) => {
	const now = new Date();
	const d = new Date(ts);
	if (d.toDateString() === now.toDateString())
		return t('log.today');
	if (d.toDateString() === new Date(now.getFullYear(), now.getMonth(),
		now.getDate() - 1).toDateString())
		return t('log.yesterday');
	const year = d.getFullYear() !== now.getFullYear();
	return once(`d${year}`, () => new Intl.DateTimeFormat(tag(), {
		weekday: 'long', month: 'long', day: 'numeric',
		...(year ? { year: 'numeric' } : {}),
	})).format(ts);
};
/** Names sort as the language has it. @returns {(a: string, b: string) => number} */
export const collate = () => once('c', () =>
	new Intl.Collator(tag(), { numeric: true }).compare);
