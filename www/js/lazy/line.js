/* SPDX-License-Identifier: MIT */
/*
 * What the page says about its line: the banner that counts down to the next
 * try, the panel when there is no way back, and toasts.  Fetched once the
 * chat has been painted; chat.js tells it then what happened meanwhile.
 */
import { $, fill, h, icon, ICONS, text } from '../dom.js';
import { t } from '../i18n.js';

ICONS.again = 'M19.8 9.5A8.2 8.2 0 0 0 4.6 8.4M4.2 4v4.6h4.6M4.2 14.5a8.2 8.2 0 0 0 15.2 1.1M19.8 20v-4.6h-4.6';

const TROUBLE = 1000;	/* ms: shorter losses are not shown */
const STAY = 4000;	/* a toast, ms; with something to press longer */

/* Close codes and error codes that do not come back, and their words. */
/** @type {Record<string, string>} */
const WHY = { 401: 'token', 403: 'banned', 4001: 'banned', 4003: 'token',
	4004: 'elsewhere', 4005: 'kicked' };

/**
 * @param {string} s @param {string} [kind] "bad" for what went wrong
 * @param {[string, () => void]} [act] a button on it
 */
export const toast = (s, kind, act) => {
	/** @type {any} */ let timer;
	const gone = () => {
		clearTimeout(timer);
		if (el.contains(document.activeElement))
			$('text').focus();
		el.remove();
	};
	const start = () => {
		clearTimeout(timer);
		timer = setTimeout(gone, act ? STAY * 3 : STAY);
	};
	const hold = () => clearTimeout(timer);
	const el = h('div', { class: `toast ${kind ?? ''}`, onpointerenter: hold,
		onpointerleave: start, onfocusin: hold, onfocusout: start },
	h('span', null, s), act && h('button', { type: 'button', class: 'link',
		'data-act': 'toast', onclick: () => { gone(); act[1](); } }, act[0]),
	act && h('button', { type: 'button', class: 'ib', 'aria-label': t('mem.close'),
		onclick: gone }, icon('close')));
	$('toasts').append(el);
	start();
};

export class Line {
	#shown = false;
	#lost = false;	/* so long that it was shown */
	#at = 0;	/* time of the next try */
	#code = 0;
	/** @type {any} */ #trouble = 0;
	/** @type {any} */ #ticker = 0;

	/** @param {import('../chat.js').Chat} app */
	constructor(app) {
		this.app = app;
		for (const type of ['online', 'offline'])
			addEventListener(type, () => this.draw());
	}

	/** @param {{state: string, retryAt?: number, since: number}} s */
	state(s) {
		this.#at = s.retryAt ?? 0;
		if (s.state === 'reconnecting') {
			this.#trouble ||= setTimeout(() => {
				this.#lost = this.#shown = true;
				this.draw();
				this.#ticker = setInterval(() => this.draw(), 250);
			}, Math.max(0, TROUBLE - (Date.now() - s.since)));
		} else if (s.state !== 'connecting') {
			clearTimeout(this.#trouble);
			clearInterval(this.#ticker);
			this.#trouble = 0;
			this.#shown = false;
		}
		this.draw();
	}

	/** @param {{code: number|string, reason: string, final: boolean}} c */
	closed(c) {
		this.#code = Number(c.code);
		if (c.final)
			this.#final(c);
	}

	/** All is here again. @param {number} missed @param {boolean} queued */
	back(missed, queued) {
		if (this.#lost && (missed || queued))
			toast(missed ? t('conn.caught', { n: missed }) : t('conn.back'));
		this.#lost = false;
		this.#code = 0;
	}

	draw() {
		const b = $('banner');
		if (!this.#shown) {
			if (b.contains(document.activeElement))
				$('text').focus();
			b.hidden = true;
			text($('told'), '');
			return b.replaceChildren();
		}
		if (!b.firstChild)
			fill(b, icon('again', 'spin'), h('span'), h('span', { class: 'words' }),
				h('button', { type: 'button', class: 'link', 'data-act': 'now',
					onclick: () => this.app.chat.retry() }));
		const n = Math.max(0, Math.ceil((this.#at - Date.now()) / 1000));
		const what = !navigator.onLine ? 'offline'
			: this.#code === 1012 || this.#code === 4200 ? 'restart' : 'lost';
		const s = t(`conn.${what}`);
		text(b.children[1], s);
		text($('told'), s);	/* read out once, without the seconds */
		text(b.children[2], what === 'offline' ? ''
			: n ? t('conn.in', { n }) : t('conn.trying'));
		text(b.children[3], t('conn.now'));
		b.hidden = false;
	}

	/** @param {{code: number|string, reason: string}} c no way back */
	#final(c) {
		const why = WHY[c.code] ?? 'final';
		const told = Number(c.code) < 4000 ? '' : c.reason.replace(/\bretry=\d+/, '').trim();
		const again = h('button', { type: 'button', class: 'btn', 'data-act': 'again',
			onclick: () => this.app.acts.leave(why === 'token') }, t('conn.again'));
		fill($('final'), icon('warn'),
			h('div', { class: 'grow', role: 'alert' },
				h('strong', null, t(`conn.${why}`)),
				why === 'kicked' && told
					? h('div', { dir: 'auto' }, t('conn.why', { why: told })) : null),
			again);
		$('toasts').replaceChildren();
		$('final').dataset.why = why;
		$('final').hidden = false;
		$('composer').inert = true;
		again.focus();
	}
}
