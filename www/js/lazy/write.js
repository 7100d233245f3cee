/* SPDX-License-Identifier: MIT */
/*
 * What others put into the composer: a name, a quotation, a message to be
 * written anew, a long paste that may be code.
 */
import { $, fill, h, icon } from '../dom.js';
import { has, rest, t } from '../i18n.js';
import '../items.js';	/* to edit wants it, line or none */

/** @typedef {import('../composer.js').Composer} Composer */
/** @typedef {import('../conv.js').Conv} Conv */
/** @typedef {import('../conv.js').Item} Item */

const CHARS = 500;	/* of a quotation */
const LINES = 8;

/** @param {Composer} composer @param {string} name */
export const mention = (composer, name) => {
	const { el } = composer;
	composer.insert(`${/\S$/.test(el.value.slice(0, el.selectionStart)) ? ' ' : ''}@${name} `);
};

/** @param {Composer} composer @param {Conv} c @param {Item} it */
export const quote = (composer, c, it) => {
	if (c !== composer.c)
		return;
	const s = it.type === 'text' ? it.msg : t(`msg.${it.type}`);
	composer.el.setSelectionRange(0, 0);
	composer.insert(`${s.slice(0, CHARS).trim().split('\n').slice(0, LINES)
		.map((l) => `> ${l}`).join('\n')}\n`);
	composer.el.setSelectionRange(composer.el.value.length, composer.el.value.length);
};

/** What says that one is edited. @param {Composer} composer */
export const bar = async (composer) => {
	await rest();
	fill($('editing'), icon('pencil'), h('span', null, t('comp.editing')),
		h('button', { type: 'button', class: 'link', 'data-act': 'cancel',
			onclick: () => composer.cancel() }, t('comp.cancel')));
	$('editing').hidden = !composer.item;
};

/** @param {Composer} composer @param {Conv} c @param {Item} it */
export const edit = (composer, c, it) => {
	if (c !== composer.c || !it.seq)
		return;
	composer.item = it;
	composer.el.value = it.msg;
	bar(composer);
	composer.changed();
	composer.el.focus();
	composer.el.setSelectionRange(it.msg.length, it.msg.length);
};

/** @param {Composer} composer @param {Conv} c @param {string} s */
export const change = async (composer, c, s) => {
	const it = composer.item;
	if (!it)
		return;
	if (it.gone)	/* meanwhile, elsewhere: what was written stays */
		return composer.note(t('msg.gone'));
	try {
		if (s !== it.msg)
			await composer.acts.store.change(c, it, { cmd: 'edit', msg: s });
		if (composer.item === it)
			composer.cancel();
	} catch (e) {
		const { code, message } = /** @type {any} */ (e);
		if (composer.item === it)
			composer.note(has(`err.${code}`) ? t(`err.${code}`) : message);
	}
};

/** @param {Composer} composer @param {string} s what was pasted */
export const pasted = async (composer, s) => {
	await rest();
	composer.note(t('comp.long', { n: s.length }), t('comp.code'), () => {
		const at = composer.el.value.indexOf(s);
		if (at >= 0)
			composer.el.setSelectionRange(at, at + s.length);
		composer.insert(`\`\`\`\n${s.replace(/\n$/, '')}\n\`\`\`\n`);
	});
};
