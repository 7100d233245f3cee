/* SPDX-License-Identifier: MIT */
/*
 * What this browser remembers.  Storage may be missing or full (private
 * windows): then things are forgotten and nothing breaks.  All keys begin
 * with "cc."; the theme lives here too.
 */

/** @param {'localStorage'|'sessionStorage'} where */
const box = (where) => ({
	/** @param {string} k @param {any} [none] @returns {any} */
	get(k, none = null) {
		try {
			const v = globalThis[where].getItem(`cc.${k}`);
			return v === null ? none : JSON.parse(v);
		} catch {
			return none;
		}
	},
	/** @param {string} k @param {any} v null forgets it */
	set(k, v) {
		try {
			if (v === null || v === undefined)
				globalThis[where].removeItem(`cc.${k}`);
			else
				globalThis[where].setItem(`cc.${k}`, JSON.stringify(v));
		} catch { /* forgotten */ }
	},
});

/** Kept for ever. */
export const local = box('localStorage');
/** Kept for this tab, over reloads. */
export const tab = box('sessionStorage');

/**
 * By the name of a room, which may be "constructor" or "__proto__".
 * @template T @param {Record<string, T>} [v] @returns {Record<string, T>}
 */
export const dict = (v) => Object.assign(Object.create(null), v);

/* What a reader may choose, and what holds until then. */
/** @type {Record<string, any>} */
const OPTS = { sound: false, notify: false, letters: true, bubbles: 'dm' };
/**
 * sound, notify, letters (single-letter keys in the log), bubbles: "dm" |
 * "all" | "none".
 * @param {string} k
 */
export const opt = (k) => local.get('opt', {})[k] ?? OPTS[k];
/** @param {string} k @param {any} v */
export const setOpt = (k, v) => local.set('opt', { ...local.get('opt', {}), [k]: v });

/** Other tabs of this browser; absent in some, then nobody is told. */
const channel = (() => {
	try {
		return new BroadcastChannel('cc');
	} catch {	/* not in this browser, or forbidden like the storage */
		return null;
	}
})();
/** @param {Record<string, any>} m */
export const tell = (m) => channel?.postMessage(m);
/** @param {(m: any) => void} fn */
export const hear = (fn) => {
	if (channel)
		channel.onmessage = (e) => fn(e.data);
};

/** @returns {boolean} */
export const dark = () => {
	const t = local.get('theme');
	return t ? t === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
};
/** @param {string} [to] "light", "dark", or "auto" as the system has it */
export const theme = (to) => {
	if (to)
		local.set('theme', to === 'auto' ? null : to);
	const t = local.get('theme');
	if (t === 'dark' || t === 'light')
		document.documentElement.dataset.theme = t;
	else
		delete document.documentElement.dataset.theme;
};

/** @param {number} bytes */
export const random = (bytes) => Array.from(
	crypto.getRandomValues(new Uint8Array(bytes)),
	(b) => b.toString(16).padStart(2, '0')).join('');
