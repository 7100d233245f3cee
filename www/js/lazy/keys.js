/* SPDX-License-Identifier: MIT */
/*
 * The keyboard: moving between conversations, parts of the page and messages.
 * Single letters do something only in the log, and only while they are not
 * turned off.  What belongs to one field or dialog is heard there.
 */
import { $, attr } from '../dom.js';
import { opt } from '../prefs.js';

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
		app.latest();
	else if (e.key === 'Escape')
		app.togglePeople(false);
	else if (e.key === 'F6')
		region(e.shiftKey ? -1 : 1);
	else if (e.key === '?' && !typing && !cmd && opt('letters'))
		app.dialog('shortcuts');
	else if ($('log').contains(/** @type {Node} */ (e.target)) && !typing &&
		!cmd && !e.altKey)
		return inLog(app, e);
	else
		return;
	e.preventDefault();
};

/* ---- in the log -------------------------------------------------------- */

/** The row with the focus, or the one in whose place it goes. */
const rowOf = (/** @type {any} */ el) => el?.closest?.('#log .m') ?? null;

/** @param {any} row @returns {boolean} */
const to = (row) => {
	if (!row)
		return false;
	for (const el of $('log').querySelectorAll('.m[tabindex="0"]'))
		attr(el, 'tabindex', '-1');
	attr(row, 'tabindex', '0');
	row.focus({ preventScroll: true });
	row.scrollIntoView({ block: 'nearest' });
	return true;
};

/** The row before or after, in whichever chunk. @param {any} row @param {number} by */
const beside = (row, by) => {
	const all = [...$('log').querySelectorAll('.m')];
	return all[all.indexOf(row) + by];
};

/** @param {Chat} app @param {KeyboardEvent} e */
const inLog = (app, e) => {
	const row = rowOf(e.target);
	const own = e.target === row;	/* not a button or a link in it */
	if (e.key === 'ArrowUp' || e.key === 'ArrowDown') {
		const by = e.key === 'ArrowUp' ? -1 : 1;
		const next = row ? beside(row, by) : [...$('log').querySelectorAll('.m')]
			.findLast((el) => el.getBoundingClientRect().top <
				$('log').getBoundingClientRect().bottom);
		if (!to(next) && by > 0 && row)
			app.latest();
	} else if (e.key === 'Home') {
		$('log').scrollTop = 0;
		requestAnimationFrame(() => requestAnimationFrame(() =>
			to($('log').querySelector('.m'))));
	} else if (e.key === 'End') {
		app.latest();
		requestAnimationFrame(() => to([...$('log').querySelectorAll('.m')].at(-1)));
	} else if (own && row && (e.key === 'Enter' || e.key === 'ContextMenu')) {
		menu(row);
	} else if (own && row && opt('letters') && /^[rcm]$/.test(e.key)) {
		if (e.key === 'm')
			menu(row);
		else
			app.row(e.key === 'c' ? 'copy' : 'quote', row);
	} else if (e.key.length === 1 && e.key !== ' ') {
		return $('text').focus();	/* and the letter goes there */
	} else {
		return;
	}
	e.preventDefault();
};

/* The menu of a message hears `contextmenu`, as a mouse or a finger asks. */
/** @param {HTMLElement} row */
const menu = (row) => {
	const b = row.getBoundingClientRect();
	row.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true,
		cancelable: true, clientX: b.left + 60, clientY: b.top + 20 }));
};
