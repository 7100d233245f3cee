/* SPDX-License-Identifier: MIT */
/*
 * A voice message: press to begin, press again to send; Escape or the cross
 * forgets it.  The microphone is let go in every case.  Where there is none
 * to be had (the page came by plain http), a file is asked for instead.
 */
import { $, h, icon, text } from '../dom.js';
import { rest, t } from '../i18n.js';
import { ask, put } from './upload.js';

await rest();

/** @typedef {import('../composer.js').Composer} Composer */

const SHORT = 600;	/* ms: nothing was said */
const LONG = 60000;
const RATE = 32000;	/* bits a second */
const TYPES = ['audio/mp4;codecs=opus', 'audio/webm;codecs=opus', 'audio/mp4', 'audio/webm'];

/** @param {number} ms */
const clock = (ms) => `${Math.floor(ms / 60000)}:${String(Math.floor(ms / 1000) % 60)
	.padStart(2, '0')}`;

/** @param {string} key for those who do not see it */
const say = (key) => $('said').append(h('div', null, t(key)));

let busy = false;

/** @param {Composer} composer */
export const record = async (composer) => {
	const c = composer.c;
	const { current } = composer.acts.store;
	const type = globalThis.MediaRecorder && TYPES.find((x) => MediaRecorder.isTypeSupported(x));
	if (!navigator.mediaDevices?.getUserMedia || !type)
		return ask(composer, { accept: 'audio/\u002a', capture: 'user' });
	if (busy || !c)
		return;
	busy = true;
	/** @type {MediaStream} */ let stream;
	try {
		stream = await navigator.mediaDevices.getUserMedia({ audio: true });
	} catch (e) {
		busy = false;
		/* there is no microphone at all */
		if (/** @type {any} */ (e)?.name === 'NotFoundError')
			return ask(composer, { accept: 'audio/\u002a', capture: 'user' });
		return composer.note(t('voice.denied'));
	}
	const rec = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: RATE });
	/** @type {Blob[]} */ const parts = [];
	let begun = performance.now(), kept = true, ms = 0;
	const box = $('composer').querySelector('.box');
	const time = h('time', { 'aria-live': 'off' }, '0:00');
	/** @param {boolean} keep */
	const stop = (keep) => {
		if (rec.state === 'inactive')
			return;
		kept = keep;
		ms = performance.now() - begun;
		rec.stop();
	};
	const row = h('div', { class: 'rec', role: 'group', 'aria-label': t('voice.on') },
		h('b'), time,
		h('button', { type: 'button', class: 'ib', 'data-act': 'cancel',
			'aria-label': t('comp.cancel'), title: t('comp.cancel'),
			onclick: () => stop(false) }, icon('close')),
		h('button', { type: 'button', class: 'send', 'data-act': 'stop',
			'aria-label': t('voice.stop'), title: t('voice.stop'),
			onclick: () => stop(true) }, icon('send')));
	/** @param {KeyboardEvent} e */
	const key = (e) => {
		if (e.key !== 'Escape')
			return;
		e.preventDefault();
		e.stopPropagation();
		stop(false);
	};
	const tick = setInterval(() => {
		const now = performance.now() - begun;
		text(time, clock(now));
		if (now >= LONG)
			stop(true);
	}, 200);
	rec.onstart = () => { begun = performance.now(); };
	rec.ondataavailable = (e) => { if (e.data.size) parts.push(e.data); };
	rec.onerror = () => stop(false);
	/* also when the microphone is pulled out */
	rec.onstop = () => {
		busy = false;
		clearInterval(tick);
		for (const tr of stream.getTracks())
			tr.stop();
		document.removeEventListener('keydown', key, true);
		current.subs.delete(away);
		box.classList.remove('recording');
		row.remove();
		composer.draw();
		composer.el.focus();
		ms ||= performance.now() - begun;
		const mime = type.split(';')[0];
		if (kept && ms >= SHORT && parts.length) {
			say('voice.off');
			put(composer, c, { blob: new Blob(parts, { type: mime }), type: 'audio',
				name: `voice.${mime === 'audio/mp4' ? 'm4a' : 'webm'}`,
				ms: Math.round(ms) });
		} else {
			say('voice.cancelled');
		}
	};
	/* into another conversation: it is not sent there, nor by accident */
	const away = () => stop(false);
	document.addEventListener('keydown', key, true);
	current.subs.add(away);
	box.classList.add('recording');
	box.append(row);
	rec.start();
	say('voice.on');
	row.querySelector('[data-act=stop]').focus();
};
