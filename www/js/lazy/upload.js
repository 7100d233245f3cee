/* SPDX-License-Identifier: MIT */
/*
 * Files on their way up: chosen, pasted, dropped, photographed or spoken.
 * Each has its row at once, showing what this browser has of it; pictures
 * are made smaller and lose what a camera wrote into them.  When the server
 * has the bytes, its address is sent as any other message.  A retry has the
 * same bytes and the same cid; what is up already is not sent up again.
 */
import { $, attr, fill, h, icon, ICONS } from '../dom.js';
import { has, num, rest, t } from '../i18n.js';

ICONS.photo = 'M4 7.5h3.5L9 5h6l1.5 2.5H20v11H4zM12 9.5a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4';

await rest();

/** @typedef {import('../composer.js').Composer} Composer */
/** @typedef {import('../conv.js').Conv} Conv */
/** @typedef {import('../conv.js').Item} Item */
/** @typedef {{blob: Blob, name: string, type: string, w?: number, h?: number, ms?: number}} Part */

const SIDE = 1600;	/* longest side of a picture, px */
const QUALITY = 0.85;
const MANY = 20;
const KEEP = 60000;	/* a preview lasts so long after, ms */
const SOURCE = 64 << 20;	/* bytes of a picture that may be made smaller */
const STALL = 60000;	/* ms without a byte: the line is dead */
const STEP = 100;	/* ms between two looks of a bar */

/** @param {number} n bytes */
const size = (n) => n >= 1 << 20 ? `${num(Math.round(n / (1 << 20) * 10) / 10)} MB`
	: `${num(Math.max(1, Math.round(n / 1024)))} KB`;

/** @param {Blob} f */
const kind = (f) => /^image\//.test(f.type) ? 'pic' : /^audio\//.test(f.type) ? 'audio' : 'file';

/* ---- pictures ------------------------------------------------------- */

/**
 * Is there more in it than the picture: where it was taken and by what?
 * And does it move?
 * @param {Blob} f
 */
const look = async (f) => {
	const s = new TextDecoder('latin1').decode(await f.arrayBuffer());
	return {
		tells: /Exif\0\0|eXIf|EXIF|http:\/\/ns\.adobe\.com\/xap|XMP |iTXt|tEXt|zTXt|Photoshop 3/.test(s),
		moves: f.type === 'image/gif' || /^RIFF....WEBPVP8X[^]{10,60}ANIM/.test(s) ||
			/^.PNG[^]*acTL[^]*IDAT/.test(s.slice(0, 1 << 16)),
	};
};

/** @param {ImageBitmap} bmp @param {number} w @param {number} height @param {string} type */
const encode = (bmp, w, height, type) => {
	if (typeof OffscreenCanvas === 'function') {
		const c = new OffscreenCanvas(w, height);
		c.getContext('2d')?.drawImage(bmp, 0, 0, w, height);
		return c.convertToBlob({ type, quality: QUALITY });
	}
	const c = h('canvas', { width: w, height });
	c.getContext('2d').drawImage(bmp, 0, 0, w, height);
	return new Promise((done) => c.toBlob(done, type, QUALITY));
};

/**
 * The picture as it is sent: at most SIDE, WebP (JPEG where there is no
 * encoder), or as it was if that is smaller and tells nothing.
 * @param {File} f @returns {Promise<Part>}
 */
const shrink = async (f) => {
	/** @type {Part} */ const as = { blob: f, name: f.name, type: 'pic' };
	const { tells, moves } = await look(f);
	const bmp = await createImageBitmap(f);
	const by = Math.min(1, SIDE / Math.max(bmp.width, bmp.height));
	const w = Math.max(1, Math.round(bmp.width * by));
	const height = Math.max(1, Math.round(bmp.height * by));
	if (moves) {
		Object.assign(as, { w: bmp.width, h: bmp.height });
	} else {
		let small = await encode(bmp, w, height, 'image/webp');
		if (small?.type !== 'image/webp')
			small = await encode(bmp, w, height, 'image/jpeg');
		const known = /^image\/(jpeg|png|webp)$/.test(f.type);
		if (small && (tells || !known || small.size < f.size))
			Object.assign(as, { blob: small, w, h: height,
				name: f.name.replace(/\.\w+$/, `.${small.type.slice(6)}`) });
		else
			Object.assign(as, { w: bmp.width, h: bmp.height });
	}
	bmp.close();
	return as;
};

/** @param {File} f @returns {Promise<Part>} */
const prepare = async (f) => {
	try {
		return await shrink(f);
	} catch {	/* none, or none that this browser knows: as any file */
		return { blob: new Blob([f]), name: f.name, type: 'file' };
	}
};

/* ---- on the way ----------------------------------------------------- */

/** What went wrong, in words. @param {any} e @param {Part} p @param {number} most */
const words = (e, p, most) => e.code === 413
	? t('up.big', { name: p.name, size: size(p.blob.size), most: most ? size(most) : '?' })
	: e.code === 415 ? t('up.type') : e.code === 507 ? t('up.full')
	: e.code === 'network' || e.code === 'closed' || e.code === 'offline' ? t('up.network')
	: t('up.refused', { why: has(`err.${e.code}`) ? t(`err.${e.code}`) : e.message });

/** One after the other, so that they arrive as they were given. */
let line = Promise.resolve();

/**
 * Its row, its way up, its message.
 * @param {Composer} composer @param {Conv} c @param {Part} p
 * @param {() => Promise<Part>} [make] what is sent in its place
 * @returns {Promise<void>} it is up, or has failed
 */
export const put = (composer, c, p, make) => {
	const { chat, store, end } = composer.acts;
	const blob = URL.createObjectURL(p.blob);
	const it = store.hold(c, { type: p.type, msg: blob, file: p.name, w: p.w, h: p.h,
		ms: p.ms, progress: 0 });
	let stop = new AbortController();
	let dropped = false, stalled = false, told = 0;
	/** @type {any} */ let watch;
	/* the others wait for this one: it may not hang for ever */
	const tick = () => {
		clearTimeout(watch);
		watch = setTimeout(() => {
			stalled = true;
			stop.abort();
		}, STALL);
	};
	/** @param {number} f */
	const onprogress = (f) => {
		const now = performance.now();
		tick();
		if (dropped || stop.signal.aborted || (f < 1 && now - told < STEP))
			return;
		told = now;
		it.progress = f;
		store.onlog(c, it);
	};
	const ship = () => {
		it.progress = undefined;
		store.ship(c, it);
	};
	const go = async () => {
		if (dropped)
			return;
		Object.assign(it, { state: 'pending', why: undefined, progress: 0 });
		store.onlog(c, it);
		try {
			if (make)
				p = await make();
			make = undefined;
			Object.assign(it, { type: p.type, file: p.name, w: p.w, h: p.h });
			if (dropped)
				return;
			if (p.blob.size > (store.most?.[p.type] ?? Infinity))
				throw Object.assign(new Error(), { code: 413 });
			tick();
			const up = await chat.upload(p.blob, { name: p.name, onprogress,
				signal: stop.signal });
			it.type = up.type || it.type;
			it.url = p.ms && !/[?&]ms=/.test(up.url)
				? `${up.url}${up.url.includes('?') ? '&' : '?'}ms=${p.ms}` : up.url;
		} catch (e) {
			if (dropped)
				return;
			const why = words(stalled ? { code: 'network' } : e, p, store.most?.[p.type] ?? 0);
			store.fail(c, it, why);
			fill($('alert'), h('div', null, why));	/* said once each */
			return;
		} finally {
			clearTimeout(watch);
		}
		if (dropped)
			return;
		/* the same cid every time; a retry sends it once more */
		ship();
		tidy();
	};
	it.again = () => {
		if (it.url)
			return ship();
		stop = new AbortController();
		stalled = false;
		line = line.catch(() => {}).then(go);
	};
	it.drop = () => {
		dropped = true;
		stop.abort();
		setTimeout(() => URL.revokeObjectURL(blob), 1000);
	};
	/* Once it is sent, the server's is as good as ours. */
	const tidy = () => setTimeout(() => {
		if (dropped)
			return;
		if (it.state === 'pending' || it.state === 'failed')
			return void tidy();
		/* the server's picture is here before ours goes */
		const seen = it.type === 'pic' && it.url && !it.gone
			? h('img', { src: it.url }).decode().catch(() => {}) : null;
		Promise.resolve(seen).then(() => {
			it.again = it.drop = undefined;
			it.msg = it.gone ? '' : it.url ?? '';
			store.onlog(c, it);
			URL.revokeObjectURL(blob);
		});
	}, KEEP);
	end();
	return line = line.catch(() => {}).then(go);
};

/**
 * @param {Composer} composer @param {Conv} c @param {File[]} files
 */
export const send = (composer, c, files) => {
	const { store } = composer.acts;
	/** @type {string[]} */ const no = [];
	if (files.length > MANY)
		no.push(t('up.many', { n: MANY }));
	for (const f of files.slice(0, MANY)) {
		const name = f.name.slice(0, 64);
		if (/^image\/svg/.test(f.type) || /\.svgz?$/i.test(f.name)) {
			no.push(t('up.svg', { name }));
			continue;
		}
		if (!f.size) {
			no.push(t('up.empty', { name }));
			continue;
		}
		const type = kind(f);
		const limit = store.most?.[type] ?? 0;
		if (limit && f.size > limit && (type !== 'pic' || f.size > SOURCE))
			no.push(t('up.big', { name, size: size(f.size), most: size(limit) }));
		else
			put(composer, c, { blob: f, name: f.name, type },
				type === 'pic' ? () => prepare(f) : undefined);
	}
	if (no.length)
		composer.note(no.join(' '));
};

/* ---- choosing, dropping --------------------------------------------- */

/**
 * @param {Composer} composer
 * @param {{accept?: string, capture?: string}} [how]
 */
export const ask = (composer, how = {}) => {
	const c = composer.c;
	document.querySelector('#files')?.remove();
	const el = h('input', { id: 'files', type: 'file', hidden: true, multiple: !how.capture,
		'aria-label': t('comp.attach'), ...how,
		onchange: () => {
			const files = [...el.files];
			el.remove();
			if (c)
				send(composer, c, files);
			composer.el.focus();
		},
		oncancel: () => el.remove() });
	$('composer').append(el);
	el.click();
};

/** The clip: on a phone it asks whether to take a photo. @param {Composer} composer */
export const choose = (composer) => {
	const box = $('composer').querySelector('.take');
	if (!matchMedia('(pointer: coarse)').matches)
		return ask(composer);
	if (box)
		return close();
	function close() {
		$('composer').querySelector('.take')?.remove();
		attr($('attach'), 'aria-expanded', null);
		document.removeEventListener('pointerdown', away);
	}
	/** @param {PointerEvent} e */
	function away(e) {
		if (!(e.target instanceof Element && e.target.closest('.take, #attach')))
			close();
	}
	/** @param {string} ic @param {string} key @param {any} how */
	const item = (ic, key, how) => h('button', { type: 'button', onclick: () => {
		close();
		ask(composer, how);
	} }, icon(ic), t(`up.${key}`));
	const el = h('div', { class: 'pop take', onkeydown: (/** @type {KeyboardEvent} */ e) => {
		if (e.key !== 'Escape')
			return;
		e.stopPropagation();
		close();
		$('attach').focus();
	} }, item('photo', 'photo', { accept: 'image/\u002a', capture: 'environment' }),
	item('clip', 'file', {}));
	$('composer').append(el);
	attr($('attach'), 'aria-expanded', 'true');
	document.addEventListener('pointerdown', away);
	el.firstElementChild?.focus();
};

/** What hovers over the log while a file does. @param {boolean} on @param {string} [name] */
export const over = (on, name) => {
	const was = $('main').querySelector('.dropping');
	if (!on)
		return was?.remove();
	const el = was ?? $('main').appendChild(h('div', { class: 'dropping' }));
	fill(el, icon('clip'), h('span', { dir: 'auto' }, t('up.drop', { name: name ?? '' })));
};
