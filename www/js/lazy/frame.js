/* SPDX-License-Identifier: MIT */
/*
 * What the buttons of the frame do: the panel of people, the way back to the
 * list, leaving a conversation, dialogs.  Fetched with what comes after the
 * first paint, so that it is there when the line is not.
 */
import { address, LIST, WIDE } from '../chat.js';
import { $, attr } from '../dom.js';
import { t } from '../i18n.js';

/** @typedef {import('../chat.js').Chat} Chat */

let going = false;	/* pressed twice before we were here, it is one way */
/** The list of a phone has an address of its own. @param {Chat} app */
export const toList = (app) => {
	if (going || location.hash === LIST)
		return;
	if (history.state?.list) {
		going = true;
		addEventListener('popstate', () => { going = false; }, { once: true });
		return history.back();
	}
	history.pushState(null, '', LIST);
	app.route();
};

/**
 * Out of a room, or a private chat off the list.
 * @param {Chat} app @param {import('../conv.js').Conv} c
 * @param {boolean} [refused] Back leads not there again
 */
export const close = (app, c, refused) => {
	const { store } = app;
	if (store.convs.get(c.key) !== c ||
		(!c.dm && store.sorted().rooms.length < 2))
		return;
	const here = c === app.conv;
	store.drop(c.key);
	const to = store.sorted().rooms[0]?.key ?? '1';
	if (here && refused)
		history.replaceState(history.state, '', address(to));
	if (here)
		app.open(to);
	if (c === app.room)
		app.room = null;
};

/** @param {Chat} app @param {boolean} [on] */
export const togglePeople = (app, on = !app.peopleOpen()) => {
	if (matchMedia(WIDE).matches) {
		app.panel = on;
		$('chat-view').classList.toggle('nopeople', !on);
		attr($('toggle-people'), 'aria-expanded', String(on));
	} else {
		app.layer(on ? 'people' : '');
	}
	if (on)
		app.late((r) => r.people.draw());
	else if ($('aside').contains(document.activeElement))
		$('toggle-people').focus();
};

/**
 * @param {Chat} app @param {string} which switcher, shortcuts, settings, readers
 * @param {...any} more
 */
export const dialog = async (app, which, ...more) => {
	if (app.modal)
		return;
	app.modal = true;
	try {
		/** @type {any} */
		const make = which === 'settings' ? await import('./settings.js')
			: await import('./dialogs.js');
		app.modal = make[which]({
			app, store: app.store,
			open: (/** @type {string} */ k) => app.open(k),
			done: () => { app.modal = null; },
		}, ...more);
	} catch {
		app.modal = null;
		app.toast(t('login.network'), 'bad');
	}
};

/** To the end of the conversation; it is read then. @param {Chat} app */
export const latest = (app) => {
	app.log.end();
	if (app.conv)
		app.store.seen(app.conv);
};
