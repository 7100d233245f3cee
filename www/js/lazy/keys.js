/* SPDX-License-Identifier: MIT */
/*
 * The keyboard: moving between conversations and parts of the page.  What
 * belongs to one field, dialog or message is heard there, and comes here
 * only when it was not taken.
 */
import { $ } from '../dom.js';
import { opt } from '../prefs.js';
import { latest } from './frame.js';

/** @typedef {import('../chat.js').Chat} Chat */

/** @param {Chat} app @param {number} by @param {boolean} unread only those */
const step = (app, by, unread) => {
	const { rooms, dms } = app.store.sorted();
	const all = [...rooms, ...dms];
	const here = all.findIndex((c) => c === app.conv);
	for (let n = 1; n <= all.length; n++) {
		const c = all[(here + by * n + all.length * 2) % all.length];
		if (!unread || c.unread)
			return app.open(c.key);
	}
};

/** Where the focus is of parts that follow each other: side, log, field, people. */
/** @param {number} by */
const region = (by) => {
	const parts = ['side', 'logbox', 'composer', 'aside']
		.map($).filter((el) => el.getClientRects().length && !el.inert);
	const here = parts.findIndex((el) => el.contains(document.activeElement));
	const to = parts[(here + by + parts.length) % parts.length];
	/** @type {Record<string, string>} */
	const first = { side: '[aria-current=page]', logbox: '#log', composer: '#text',
		aside: '#find-people' };
	(to.querySelector(first[to.id]) ?? to.querySelector('button'))?.focus();
};

/** @param {Chat} app @param {KeyboardEvent} e */
export const key = (app, e) => {
	const cmd = e.ctrlKey || e.metaKey;
	const typing = e.target instanceof HTMLElement &&
		/^(INPUT|TEXTAREA|SELECT|AUDIO)$/.test(e.target.tagName);
	if (e.isComposing || e.defaultPrevented || app.modal ||
		document.querySelector('dialog[open]'))
		return;
	if (cmd && !e.shiftKey && !e.altKey && e.key.toLowerCase() === 'k')
		app.dialog('switcher');
	else if (cmd && !e.altKey && e.key === '.')
		app.togglePeople();
	else if (cmd && !e.altKey && e.key === ',')
		app.dialog('settings');
	else if (e.altKey && !cmd && /^Arrow(Up|Down)$/.test(e.key))
		step(app, e.key === 'ArrowUp' ? -1 : 1, e.shiftKey);
	else if ((cmd && e.key === 'End') ||
		(e.key === 'Escape' && !$('chat-view').dataset.layer))
		latest(app);
	else if (e.key === 'Escape')
		app.togglePeople(false);
	else if (e.key === 'F6')
		region(e.shiftKey ? -1 : 1);
	else if (e.key === '?' && !typing && !cmd && opt('letters'))
		app.dialog('shortcuts');
	else if (!typing && !cmd && !e.altKey && e.key.length === 1 && e.key !== ' ' &&
		$('log').contains(/** @type {Node} */ (e.target)))
		return $('text').focus();	/* and the letter goes there */
	else
		return;
	e.preventDefault();
};
