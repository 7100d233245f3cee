/* SPDX-License-Identifier: MIT */
/*
 * The only place that makes DOM: elements, icons, keyed lists, and the small
 * signals that redraw them.  No HTML is ever parsed; text is always text.
 */

/** @typedef {Node|string|number|null|undefined|false} Kid */

/**
 * An element.  `on...` props are listeners, `style` an object set through
 * CSSOM (the page's CSP forbids the attribute), `value` and `checked` are
 * properties, false and null leave an attribute out.
 * @param {string} tag @param {Record<string, any>|null} [props]
 * @param {...(Kid|Kid[])} kids @returns {any}
 */
export const h = (tag, props, ...kids) => {
	const el = document.createElement(tag);
	for (const [k, v] of Object.entries(props ?? {})) {
		if (v === false || v === null || v === undefined)
			continue;
		if (k.startsWith('on'))
			el.addEventListener(k.slice(2), v);
		else if (k === 'style')
			for (const [p, x] of Object.entries(v))
				el.style.setProperty(p, x);
		else if (k === 'value' || k === 'checked')
			/** @type {any} */ (el)[k] = v;
		else
			el.setAttribute(k, v === true ? '' : String(v));
	}
	return add(el, kids);
};

/** @param {Element} el @param {any[]} kids */
const add = (el, kids) => {
	for (const kid of kids.flat())
		if (kid !== null && kid !== undefined && kid !== false && kid !== '')
			el.append(kid instanceof Node ? kid : String(kid));
	return el;
};

/** Replace what is in an element. @param {Element} el @param {...any} kids */
export const fill = (el, ...kids) => {
	el.replaceChildren();
	return add(el, kids);
};

/** @param {string} id @returns {any} */
export const $ = (id) => document.getElementById(id);

/* Own strokes on a 24 x 24 grid, 1.75 wide. */
/** Lazy modules add theirs. @type {Record<string, string>} */
export const ICONS = {
	hash: 'M9.5 4 7.5 20M16.5 4l-2 16M4.5 9h16M3.5 15h16',
	find: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.4 15.4 20.5 20.5',
	people: 'M9 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M2.5 20v-1.5a4.5 4.5 0 0 1 4.5-4.5h4a4.5 4.5 0 0 1 4.5 4.5V20M16 4.7a3.5 3.5 0 0 1 0 6.6M18 14.3a4.5 4.5 0 0 1 3.5 4.2V20',
	back: 'M14.5 5 7.5 12l7 7',
	smile: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17M8.5 14.5c.8 1.2 2 1.8 3.5 1.8s2.7-.6 3.5-1.8M9 9.5v.6M15 9.5v.6',
	clip: 'M19.5 11.2 11.8 19a4.7 4.7 0 0 1-6.7-6.7l8-8a3.1 3.1 0 0 1 4.5 4.5l-8 7.9a1.6 1.6 0 0 1-2.2-2.2l7.3-7.3',
	mic: 'M12 3.5a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0v-5a3 3 0 0 0-3-3M5.5 11a6.5 6.5 0 0 0 13 0M12 17.5v3M8.5 20.5h7',
	pencil: 'M4.5 19.5l1-4.2L16 4.8l3.2 3.2L8.7 18.5z',
	send: 'M20.5 3.5 10 14M20.5 3.5 14 20.5 10 14 3.5 10z',
	globe: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17M3.5 12h17M12 3.5c2.4 2.3 3.5 5.2 3.5 8.5s-1.1 6.2-3.5 8.5c-2.4-2.3-3.5-5.2-3.5-8.5S9.6 5.8 12 3.5',
	moon: 'M20.5 14.2A8.5 8.5 0 1 1 9.8 3.5a6.8 6.8 0 0 0 10.7 10.7z',
	keys: 'M3 6.5h18v11H3zM6.5 10h.1M10 10h.1M13.5 10h.1M17 10h.1M8 14h8',
	out: 'M10 4H5.5A1.5 1.5 0 0 0 4 5.5v13A1.5 1.5 0 0 0 5.5 20H10M15 8l4 4-4 4M19 12H9.5',
	plus: 'M12 5v14M5 12h14',
	close: 'M6 6l12 12M18 6 6 18',
	check: 'M4.5 12.5l4.5 4.5L19.5 6.5',
	checks: 'M2 13l4 4L15 7M11 16l1.2 1.2L22 7',
	clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 8v4.3l2.8 1.7',
	warn: 'M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.2',
	file: 'M6.5 3.5h7l4 4v13h-11zM13 3.5V8h4.5M9.5 12.5h5M9.5 16h5',
	down: 'M12 5v14M6 13l6 6 6-6',
};

/** @param {string} tag @param {Record<string, string>} props */
const svg = (tag, props) => {
	const el = document.createElementNS('http://www.w3.org/2000/svg', tag);
	for (const [k, v] of Object.entries(props))
		el.setAttribute(k, v);
	return el;
};
/** @param {string} name @param {string} [cls] */
export const icon = (name, cls = '') => {
	const el = svg('svg', { viewBox: '0 0 24 24', class: `i ${cls}`,
		'aria-hidden': 'true' });
	el.append(svg('path', { d: ICONS[name] ?? '' }));
	return el;
};

/**
 * A value that tells when it changes.  `touch` tells without a change, for
 * values changed in place.
 * @template T @param {T} v
 */
export const signal = (v) => {
	/** @type {Set<() => void>} */ const subs = new Set();
	const touch = () => { for (const fn of [...subs]) fn(); };
	return {
		get value() { return v; },
		set value(n) { if (n !== v) { v = n; touch(); } },
		touch, subs,
	};
};

/**
 * Run now, and at most once a microtask when one of the signals changes.
 * @param {{subs: Set<() => void>}[]} sigs @param {() => void} fn
 */
export const effect = (sigs, fn) => {
	let due = false;
	const kick = () => {
		if (due)
			return;
		due = true;
		queueMicrotask(() => { due = false; fn(); });
	};
	for (const s of sigs)
		s.subs.add(kick);
	fn();
};

/** @type {WeakMap<Element, Map<any, any>>} */
const lists = new WeakMap();
/**
 * Keep the children of an element in step with an array; nodes of known keys
 * stay, so focus and scroll do too.
 * @template T
 * @param {Element} parent @param {T[]} items @param {(x: T) => any} key
 * @param {(x: T) => any} make @param {(el: any, x: T) => void} [update]
 */
export const list = (parent, items, key, make, update) => {
	const old = lists.get(parent) ?? new Map();
	const now = new Map();
	for (const x of items)
		now.set(key(x), null);
	for (const [k, el] of old)
		if (!now.has(k))
			el.remove();
	const here = document.activeElement;
	/** @type {Element|null} */ let at = parent.firstElementChild;
	for (const x of items) {
		const k = key(x);
		const el = old.get(k) ?? make(x);
		now.set(k, el);
		update?.(el, x);
		if (el === at)
			at = at?.nextElementSibling ?? null;
		else
			parent.insertBefore(el, at);
	}
	if (here !== document.activeElement && here?.isConnected)
		/** @type {any} */ (here).focus({ preventScroll: true });	/* it was moved */
	lists.set(parent, now);
};

/** @param {any} el @param {string} k @param {any} v set only what differs */
export const attr = (el, k, v) => {
	if (v === false || v === null || v === undefined)
		el.removeAttribute(k);
	else if (el.getAttribute(k) !== String(v))
		el.setAttribute(k, String(v));
};

/** @param {any} el @param {string} s */
export const text = (el, s) => {
	if (el.textContent !== s)
		el.textContent = s;
};
