/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a message after it was sent: edits, recalls, reactions.
 * Each is an item with a seq of its own that names its message by `ref`.  Of
 * two that speak of the same thing the higher seq counts, so it does not
 * matter in which order pages of history bring them.  store.js fetches this
 * module with the first of them.  What is said of a
 * message that is not here yet is kept for it, within bounds.  What I asked
 * for and nobody has confirmed yet is a `hope` on top: without it the message
 * is as it was.
 */
import { clean } from './format.js';
import * as self from './items.js';

/** @typedef {import('./conv.js').Item} Item */
/** @typedef {import('./conv.js').Conv} Conv */
/** @typedef {{seq: number, on: boolean, name: string}} Vote */
/**
 * @typedef {object} Change what later items say of a message
 * @property {number} seq of the edit that counts, 0 without
 * @property {string} [msg] its text
 * @property {number} [ts] its time
 * @property {boolean} [gone] it was recalled
 * @property {Map<string, Map<string, Vote>>} emo by reaction and uid
 */
/** @typedef {{msg?: string, gone?: boolean, emo?: Map<string, boolean>}} Hope */
/** @typedef {{emo: string, n: number, mine: boolean, names: string[]}} React */

const LATER = 2000;	/* messages not here that something is known of */
const KINDS = 24;	/* reactions of a message */
const WHO = 500;	/* people of a reaction */

/** @param {Conv} c @param {number} ref @param {Change} ch */
export const keep = (c, ref, ch) => {
	c.later.set(ref, ch);
	if (c.later.size > LATER)
		c.later.delete(c.later.keys().next().value ?? 0);
};

/** Bring a message in step with what is known of it. @param {Item} it */
export const show = (it) => {
	const { ch, hope } = it;
	if (ch?.gone || it.gone) {	/* nothing of it is left */
		it.gone ||= 'recall';
		it.msg = '';
		it.at = false;
		it.drop?.();
		it.first = it.ch = it.hope = it.edited = it.url = undefined;
		return;
	}
	const msg = hope?.msg ?? ch?.msg;
	if (msg !== undefined)
		it.first ??= it.msg;
	it.msg = msg ?? it.first ?? it.msg;
	it.edited = hope?.msg !== undefined ? Date.now() : ch?.ts;
};

/** A message has come: is something known of it? @param {Conv} c @param {Item} it */
export const adopt = (c, it) => {
	const ch = it.seq && c.later.get(it.seq);
	if (ch) {
		c.later.delete(it.seq ?? 0);
		it.ch = ch;
	}
	if (ch || it.gone)
		show(it);
};

/**
 * Take in an edit, recall or reaction.
 * @param {Conv} c @param {any} m from the SDK
 * @returns {Item|null} the message it changed, if that is here
 */
export const apply = (c, m) => {
	const { ref, cmd } = m;
	if (!Number.isSafeInteger(ref) || ref < 1 || !['edit', 'recall', 'react'].includes(cmd))
		return null;
	c.becomes = self;
	const it = c.seqs.get(ref);
	/** @type {Change} */
	const ch = (it ? it.ch : c.later.get(ref)) ?? { seq: 0, emo: new Map() };
	if (cmd === 'recall') {
		ch.gone = true;
		ch.msg = undefined;
		ch.emo.clear();
	} else if (ch.gone || it?.gone) {
		return null;
	} else if (cmd === 'edit') {
		if (typeof m.msg !== 'string' || !(m.seq > ch.seq))
			return null;
		ch.seq = m.seq;
		ch.msg = m.msg;
		ch.ts = Number.isSafeInteger(m.ts) ? m.ts : Date.now();
	} else if (!vote(ch, m)) {
		return null;
	}
	if (!it) {
		keep(c, ref, ch);
		return null;
	}
	it.ch = ch;
	show(it);
	return it;
};

/** @param {Change} ch @param {any} m */
const vote = (ch, m) => {
	const emo = clean(m.emo, '').slice(0, 32);
	const all = ch.emo.get(emo) ?? new Map();
	const was = all.get(m.uid);
	if (!emo || was?.seq > m.seq || (!was && all.size >= WHO) ||
		(!ch.emo.has(emo) && ch.emo.size >= KINDS))
		return false;
	all.set(m.uid, { seq: m.seq, on: m.on !== false, name: clean(m.name, m.uid) });
	ch.emo.set(emo, all);
	return true;
};

/**
 * Show at once what was asked for; the function that comes back takes it off.
 * @param {Item} it @param {any} m as apply() has it, without a seq
 */
export const wish = (it, m) => {
	/** @type {Hope} */ const hope = it.hope ??= {};
	if (m.cmd === 'edit')
		hope.msg = m.msg;
	else if (m.cmd === 'recall')
		hope.gone = true;
	else
		(hope.emo ??= new Map()).set(m.emo, m.on);
	show(it);
	return () => {
		if (it.gone)
			return;
		if (m.cmd === 'edit' && hope.msg === m.msg)
			hope.msg = undefined;
		else if (m.cmd === 'recall')
			hope.gone = undefined;
		else if (hope.emo?.get(m.emo) === m.on)
			hope.emo?.delete(m.emo);
		show(it);
	};
};

/**
 * Ask for it, and show it meanwhile.
 * @param {import('./store.js').Store} store @param {Conv} c @param {Item} it
 * @param {any} m
 */
export const change = async (store, c, it, m) => {
	const { chat, me } = store, of = store.target(c), ref = it.seq;
	if (!ref || it.gone)
		return;
	const undo = wish(it, m);
	store.onlog(c, it);
	try {
		const a = await (m.cmd === 'edit' ? chat.edit(of, ref, m.msg)
			: m.cmd === 'recall' ? chat.recall(of, ref)
			: chat.react(of, ref, m.emo, m.on));
		apply(c, { ts: Date.now(), ...m, ...a, cmd: m.cmd, ref, uid: me.uid,
			name: me.name });
	} finally {
		undo();
		store.onlog(c, it);
	}
};

/** The reactions of a message, first come first. @param {Item} it @param {string} me */
export const reactions = (it, me) => {
	/** @type {React[]} */ const out = [];
	const emos = new Set([...it.ch?.emo.keys() ?? [], ...it.hope?.emo?.keys() ?? []]);
	for (const emo of emos) {
		const all = it.ch?.emo.get(emo) ?? new Map();
		const mine = it.hope?.emo?.get(emo) ?? !!all.get(me)?.on;
		const names = [...all].filter(([uid, v]) => v.on && uid !== me)
			.map(([, v]) => v.name);
		const n = names.length + +mine;
		if (n)
			out.push({ emo, n, mine, names });
	}
	return out;
};
