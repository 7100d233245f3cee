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
	/** @param {string} prefix */
	clear(prefix) {
		try {
			for (const k of Object.keys(globalThis[where]))
				if (k.startsWith(`cc.${prefix}`))
					globalThis[where].removeItem(k);
		} catch { /* nothing was kept */ }
	},
});

/** Kept for ever. */
export const local = box('localStorage');
/** Kept for this tab, over reloads. */
export const tab = box('sessionStorage');

/** Other tabs of this browser; absent in some, then nobody is told. */
const channel = typeof BroadcastChannel === 'function'
	? new BroadcastChannel('cc') : null;
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
/** @param {string|null} [to] */
export const theme = (to) => {
	if (to)
		local.set('theme', to);
	const t = local.get('theme');
	if (t === 'dark' || t === 'light')
		document.documentElement.dataset.theme = t;
};

/** @param {number} bytes */
export const random = (bytes) => Array.from(
	crypto.getRandomValues(new Uint8Array(bytes)),
	(b) => b.toString(16).padStart(2, '0')).join('');
