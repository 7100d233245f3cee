/* SPDX-License-Identifier: MIT */
/*
 * Desktop notifications and a tone, for private messages and mentions that
 * come while nobody looks.  Permission is only asked from a button, and only
 * offered once something came that was worth one.
 */
import { t } from '../i18n.js';
import { local, opt, setOpt } from '../prefs.js';

/** @typedef {import('../conv.js').Conv} Conv */
/** @typedef {import('../conv.js').Item} Item */

/** Browsers have them on https only. */
export const possible = () => globalThis.isSecureContext && 'Notification' in globalThis;
/** Turned on, and the browser lets us. */
export const on = () => possible() && opt('notify') && Notification.permission === 'granted';

/** From a button: ask the browser, and remember. @returns {Promise<boolean>} */
export const turnOn = async () => {
	const yes = possible() && await Notification.requestPermission() === 'granted';
	setOpt('notify', yes);
	return yes;
};

/** @type {AudioContext|null} */ let audio = null;

/** Two soft notes, no file. */
export const tone = () => {
	try {
		audio ??= new AudioContext();
		const gain = audio.createGain();
		gain.connect(audio.destination);
		for (const [i, hz] of [660, 880].entries()) {
			const o = audio.createOscillator();
			const at = audio.currentTime + i * 0.12;
			o.frequency.value = hz;
			o.connect(gain);
			o.start(at);
			o.stop(at + 0.1);
		}
		gain.gain.setValueAtTime(0.08, audio.currentTime);
		gain.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.3);
	} catch { /* no sound here */ }
};

/** @param {import('../chat.js').Chat} app @param {Conv} c @param {Item} it */
export const notify = (app, c, it) => {
	if (document.hasFocus() && !document.hidden)
		return offer(app);
	if (opt('sound'))
		tone();
	if (!on())
		return;
	const n = new Notification(c.dm ? it.name : `${it.name} · ${c.title}`, {
		body: it.type === 'text' ? it.msg.slice(0, 200) : t('msg.file'),
		tag: c.key, icon: 'icon.svg', lang: document.documentElement.lang });
	n.onclick = () => {
		n.close();
		globalThis.focus();
		app.open(c.key);
	};
};

/* Once, on this device. */
/** @param {import('../chat.js').Chat} app */
const offer = (app) => {
	if (!possible() || opt('notify') || local.get('offered') ||
		Notification.permission !== 'default')
		return;
	local.set('offered', 1);
	app.toast(t('notify.ask'), '', [t('notify.on'), turnOn]);
};
