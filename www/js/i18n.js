/* SPDX-License-Identifier: MIT */
/*
 * Words, dates and numbers in the reader's language.  Two modules of words a
 * language, the second with css/more.css for what is fetched after the first
 * paint; English comes along, and a test keeps their keys equal.
 */
import en from '../i18n/en.js';
import { attr, fill, h, icon, signal } from './dom.js';
import { local } from './prefs.js';

/** Which language; redraw when it changes. */
export const lang = signal('en');
/** @type {Record<string, Record<string, string>>} what has come, by module */
const got = { en };
/** @type {Record<string, string>} */ let words = en;
/** @type {Record<string, any>} */ let made = {};
let whole = false;

/** @param {string} file */
const get = async (file) =>
	got[file] ??= (await import(`../i18n/${file}.js`)).default;
/** @param {string} l */
const files = (l) => whole ? [l, `${l}-more`] : [l];

/**
 * Take over a language; false when nothing had to be waited for.
 * @param {string} [to] @returns {Promise<void>|false}
 */
export const setLang = (to) => {
	const l = to ?? local.get('lang') ??
		(/^zh/i.test(navigator.languages?.[0] ?? navigator.language) ? 'zh' : 'en');
	if (to)
		local.set('lang', to);
	if (files(l).some((f) => !got[f]))
		/* by then more of it may be wanted */
		return Promise.all(files(l).map(get))
			.then(() => { setLang(to); }, () => use('en'));
	use(l);
	return false;
};

/** @param {string} l */
const merge = (l) => words = { ...got[l], ...got[`${l}-more`] };
/** @param {string} l */
const use = (l) => {
	merge(l);
	made = {};
	document.documentElement.lang = l === 'zh' ? 'zh-CN' : 'en';
	lang.value = l;
	lang.touch();
};

/** @type {Promise<boolean>|null} */ let coming = null;
/**
 * The words and the look of what is fetched when it is used; whoever shows
 * such a thing awaits it.  False: not to be had now, the next one asks again.
 */
export const rest = () => coming ??= (async () => {
	try {
		whole = true;
		await Promise.all([new Promise((yes, no) => {
			const link = h('link', { rel: 'stylesheet', href: 'css/more.css',
				onload: yes, onerror: () => { link.remove(); no(); } });
			document.head.append(link);
		}), ...files(lang.value).map(get)]);
		merge(lang.value);
		return true;
	} catch {
		coming = null;
		return false;
	}
})();

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

/**
 * Words and icons where index.html wants them (data-t, data-i); a button with
 * an icon alone says its words as its name.
 */
export const label = () => {
	for (const el of /** @type {any} */ (document.querySelectorAll('[data-t]'))) {
		const { t: key, i } = el.dataset, bare = i && !el.matches('.plain');
		fill(el, i && icon(i), !bare && t(key));
		if (bare)
			for (const a of ['aria-label', 'title'])
				attr(el, a, t(key));
	}
};

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
