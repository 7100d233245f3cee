/* SPDX-License-Identifier: MIT */
/*
 * What begins with a slash: done here, by the page.  A command that is not
 * one sends nothing and says so under the field.
 */
import { h } from '../dom.js';
import { rest, t } from '../i18n.js';
import { COMMANDS } from './complete.js';

await rest();

/** @typedef {import('../composer.js').Composer} Composer */
/** @typedef {import('../conv.js').Conv} Conv */

const RID = /^[\w-]{1,32}$/;

/**
 * Somebody by name, the longest that fits: names have blanks in them.
 * @param {Composer} composer @param {string} s "name text"
 */
const who = (composer, s) => {
	const { store } = composer.acts;
	/** @type {Map<string, string>} */ const all = new Map();
	for (const c of store.convs.values()) {
		if (c.dm)
			all.set(c.id, c.title);
		for (const p of c.people.values())
			all.set(p.uid, p.name);
	}
	const low = s.replace(/^@/, '').toLowerCase();
	const [best] = [...all].filter(([uid, name]) => uid !== store.me.uid &&
		low.startsWith(name.toLowerCase()) && !/\S/.test(low[name.length] ?? ' '))
		.sort((a, b) => b[1].length - a[1].length);
	return best && { uid: best[0], name: best[1],
		text: s.replace(/^@/, '').slice(best[1].length).trim() };
};

/** @param {Composer} composer */
const help = (composer) => {
	const el = h('dialog', { id: 'commands', class: 'dialog', 'aria-label': t('cmd.title') },
		h('h2', null, t('cmd.title')),
		h('dl', null, COMMANDS.flatMap((x) => [h('dt', null, h('kbd', null, `/${x}`)),
			h('dd', null, t(`cmd.${x}`))]),
		h('dt', null, h('kbd', null, '//')), h('dd', null, t('cmd.slash'))),
		h('button', { type: 'button', class: 'btn', onclick: () => el.close() },
			t('mem.close')));
	el.addEventListener('close', () => {
		el.remove();
		composer.el.focus();
	});
	document.body.append(el);
	el.showModal();
};

/**
 * @param {Composer} composer @param {Conv} c @param {string} line
 * @returns {string} what is to be sent, or ""
 */
export const run = (composer, c, line) => {
	const { acts } = composer;
	const [, name, rest] = /^\/(\S*)\s*([\s\S]*)$/.exec(line) ?? [line, '', ''];
	/** @param {string} key @param {Record<string, any>} [more] */
	const no = (key, more) => {
		composer.note(t(key, more));
		return '';
	};
	switch (name.toLowerCase()) {
	case 'me':
		return rest ? `*${acts.store.me.name.replaceAll('*', '')} ${rest}*`
			: no('cmd.short', { name });
	case 'shrug':
		return `${rest} ¯\\_(ツ)_/¯`.trim();
	case 'msg': {
		const to = who(composer, rest);
		if (!to)
			return no('cmd.nobody', { name: rest.split(/\s/)[0] });
		composer.empty();
		acts.open(`@${to.uid}`, to.name);
		if (to.text)
			acts.send(acts.store.conv(`@${to.uid}`), to.text);
		return '';
	}
	case 'join': {
		const rid = rest.trim().replace(/^#/, '');
		const known = acts.store.sorted().rooms.find((x) => x.title === rid)?.key ?? rid;
		if (!RID.test(known))
			return no('login.badroom');
		composer.empty();
		acts.open(known);
		return '';
	}
	case 'leave':
		if (!c.dm && acts.store.sorted().rooms.length < 2)
			return no('cmd.last');
		composer.empty();
		acts.close(c);
		return '';
	case 'clear':
		composer.empty();
		acts.store.clear(c);
		return '';
	case 'help':
		composer.empty();
		help(composer);
		return '';
	default:
		return no('cmd.unknown', { name: name.slice(0, 32) });
	}
};
