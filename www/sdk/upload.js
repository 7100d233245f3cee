/* SPDX-License-Identifier: MIT */
/*
 * One file to the server: POST of its bytes with the key of the login, as
 * far as possible with progress (XMLHttpRequest has it, fetch has not).
 * cchat.js fetches this module when the first file is sent.  What becomes of
 * the answer's url is not known here.
 */
import { CChatError } from './link.js';

/** @typedef {{url: string, key: string, pic: number, audio: number, file: number}} Up */
/**
 * @typedef {object} Opt
 * @property {string} [name] @property {AbortSignal} [signal]
 * @property {(part: number) => void} [onprogress] 0 to 1
 * @property {number} [ms] how long a sound is
 */
/** @typedef {{status: number, body: string, wait: string|null}} Answer */

const aborted = () => new CChatError('aborted', 'upload aborted');
const broken = () => new CChatError('network', 'upload failed');

/** @param {string} type a mime type @returns {'pic'|'audio'|'file'} */
const kind = (type) => /^image\/(png|jpeg|gif|webp)/.test(type) ? 'pic'
	: type.startsWith('audio/') ? 'audio' : 'file';

/**
 * @param {string} url @param {Record<string, string>} head @param {Blob} blob
 * @param {Opt} opt @returns {Promise<Answer>}
 */
const byXhr = (url, head, blob, opt) => new Promise((resolve, reject) => {
	const x = new XMLHttpRequest();
	x.open('POST', url);
	for (const [k, v] of Object.entries(head))
		x.setRequestHeader(k, v);
	const stop = () => x.abort();
	opt.signal?.addEventListener('abort', stop, { once: true });
	x.upload.onprogress = (e) => {
		if (e.lengthComputable && e.total)
			opt.onprogress?.(Math.min(1, e.loaded / e.total));
	};
	x.onload = () => resolve({ status: x.status, body: x.responseText,
		wait: x.getResponseHeader('retry-after') });
	x.onerror = () => reject(broken());
	x.onabort = () => reject(aborted());
	x.onloadend = () => opt.signal?.removeEventListener('abort', stop);
	x.send(blob);
});

/**
 * @param {typeof fetch} fetch @param {string} url @param {Opt} opt
 * @param {Record<string, string>} headers @param {Blob} body
 * @returns {Promise<Answer>}
 */
const byFetch = async (fetch, url, headers, body, opt) => {
	try {
		const r = await fetch(url, { method: 'POST', headers, body,
			signal: opt.signal ?? null, credentials: 'omit' });
		return { status: r.status, body: await r.text(),
			wait: r.headers.get('retry-after') };
	} catch {
		throw opt.signal?.aborted ? aborted() : broken();
	}
};

/** @param {Answer} a @returns {any} */
const parse = (a) => {
	/** @type {any} */ let f = null;
	try {
		f = JSON.parse(a.body);
	} catch { /* a page of some box between us */ }
	if (a.status === 200 && typeof f?.url === 'string')
		return f;
	const { code, msg } = f?.error ?? {};
	const wait = parseInt(a.wait ?? (a.status === 503 ? '1' : ''), 10);
	throw new CChatError(Number.isInteger(code) && code ? code : a.status,
		typeof msg === 'string' ? msg : `upload: ${a.status}`,
		{ retry: wait >= 0 ? wait * 1000 : undefined });
};

/**
 * @param {() => Up|null} up what the present login may @param {string} base
 * @param {Blob} blob @param {Opt} opt @param {typeof fetch} [fetch]
 * @returns {Promise<any>}
 */
export async function
upload(up, base, blob, opt, fetch) {
	const may = up();
	if (!may)
		throw new CChatError(102, 'no uploads here');
	const most = may[kind(blob.type)];
	if (most > 0 && blob.size > most)
		throw new CChatError(413, `more than ${most} bytes`);
	if (opt.signal?.aborted)
		throw aborted();
	opt.onprogress?.(0);
	const at = new URL(may.url, base);
	if (opt.ms)
		at.searchParams.set('ms', String(Math.round(opt.ms)));
	const url = at.href;
	/** @param {Up} u */
	const post = (u) => {
		/** @type {Record<string, string>} */
		const head = { authorization: `Bearer ${u.key}`,
			'content-type': blob.type || 'application/octet-stream' };
		if (opt.name)
			head['x-cchat-name'] = encodeURIComponent(opt.name);
		return fetch || !globalThis.XMLHttpRequest
			? byFetch(fetch ?? globalThis.fetch, url, head, blob, opt)
			: byXhr(url, head, blob, opt);
	};
	let a = await post(may);
	const now = up();
	if (a.status === 401 && now && now.key !== may.key)
		a = await post(now);	/* a new login came in between */
	const f = parse(a);
	opt.onprogress?.(1);
	return f;
}
