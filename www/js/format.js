/* SPDX-License-Identifier: MIT */
/* Names as they are shown: cleaned, as two letters, as a colour. */

/* Controls, and what turns the direction of the text round it. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
/** A name from the wire, fit to show. @param {unknown} s @param {string} [none] */
export const clean = (s, none = '?') =>
	Array.from(String(s ?? '').replace(UNSAFE, '').trim()).slice(0, 64).join('') || none;

/** @param {string} name @param {boolean} [small] */
export const initials = (name, small) => {
	const all = Array.from(name.trim());
	if (/[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/.test(name)) {
		const cjk = all.filter((c) => /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/.test(c));
		return cjk.slice(small ? -1 : -2).join('');
	}
	const parts = name.trim().split(/[\s._-]+/).filter(Boolean);
	const two = parts.length > 1 && !small
		? [...parts[0]][0] + [...parts[parts.length - 1]][0] : all[0] ?? '?';
	return two.toUpperCase();
};

/** One of 12 hues, by FNV-1a of the uid. @param {string} uid */
export const hue = (uid) => {
	let x = 0x811c9dc5;
	for (let i = 0; i < uid.length; i++)
		x = Math.imul(x ^ uid.charCodeAt(i), 0x01000193);
	x ^= x >>> 15;
	return (x >>> 0) % 12 * 30 + 15;
};
