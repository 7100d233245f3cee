/* SPDX-License-Identifier: MIT */
/* What a reader may choose, kept on this device; fetched when first opened. */
import { $, attr, fill, h, text } from '../dom.js';
import { lang, rest, setLang, t } from '../i18n.js';
import { local, opt, setOpt, theme } from '../prefs.js';
import { dialog } from './dialogs.js';
import { on, possible, tone, turnOn } from './notify.js';

await rest();

/** @typedef {import('./dialogs.js').Door} Door */

/** @param {Door} door */
export const settings = (door) => {
	const { app } = door;
	const body = h('div', { class: 'set' });

	/** @param {string} k @param {boolean} is @param {(on: boolean) => void} fn */
	const check = (k, is, fn) => h('label', { class: 'check' },
		h('input', { type: 'checkbox', 'data-set': k, checked: is,
			onchange: (/** @type {any} */ e) => fn(e.target.checked) }),
		h('span', null, t(`set.${k}`)));
	/**
	 * @param {string} k @param {string[]} of @param {string} is
	 * @param {(v: string) => void} fn
	 */
	const choice = (k, of, is, fn) => {
		const el = h('select', { class: 'field', id: `set-${k}`, 'data-set': k,
			onchange: () => fn(el.value) },
		of.map((v) => h('option', { value: v, selected: v === is },
			t(`set.${k}.${v}`))));
		el.value = is;
		return h('div', { class: 'pick' },
			h('label', { for: `set-${k}` }, t(`set.${k}`)), el);
	};
	const draw = () => {
		const focus = /** @type {any} */ (document.activeElement)?.dataset?.set;
		const bell = h('button', { type: 'button', class: 'link', 'data-set': 'notify',
			disabled: !possible(), onclick: async () => {
				if (on())
					setOpt('notify', false);
				else if (!await turnOn())
					local.set('offered', 1);
				draw();
			} }, t(on() ? 'notify.off' : 'notify.on'));
		const why = !possible() ? 'notify.https'
			: Notification.permission === 'denied' ? 'notify.denied' : '';
		fill(body,
			h('p', { class: 'mut', dir: 'auto' },
				`${app.store.me.name} · ${app.store.me.uid}`),
			choice('lang', ['en', 'zh'], lang.value, (v) => setLang(v)),
			choice('theme', ['auto', 'light', 'dark'], local.get('theme') ?? 'auto',
				(v) => theme(v)),
			choice('bubbles', ['dm', 'all', 'none'], opt('bubbles'), (v) => {
				setOpt('bubbles', v);
				app.bubbles();
			}),
			check('ctrl', local.get('enter') === 'line', (yes) => {
				local.set('enter', yes ? 'line' : null);
				app.composer.draw();
			}),
			check('letters', opt('letters'), (yes) => setOpt('letters', yes)),
			check('sound', opt('sound'), (yes) => {
				setOpt('sound', yes);
				if (yes)
					tone();
			}),
			h('div', { class: 'pick' }, h('span', null, t('notify.title')), bell,
				why ? h('p', { class: 'mut' }, t(why)) : null));
		text(head, t('app.set'));
		text(done, t('mem.close'));
		attr(el, 'aria-label', t('app.set'));
		if (focus)
			body.querySelector(`[data-set="${focus}"]`)?.focus();
	};
	const head = h('h2');
	const done = h('button', { type: 'button', class: 'btn', onclick: () => el.close() });
	const el = dialog('settings', t('app.set'), door, [head, body, done]);
	draw();
	$('set-lang').focus();
	/* the words of this dialog, too, when the language changes */
	lang.subs.add(draw);
	el.addEventListener('close', () => lang.subs.delete(draw));
	return el;
};
