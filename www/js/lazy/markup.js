/* SPDX-License-Identifier: MIT */
/*
 * Markdown-lite: code, **bold**, *italic*, ~~strike~~, > quote, links and
 * @names.  A hand-written scanner, linear in the length of the message
 * whatever is in it: searches that failed once are not tried again.  `scan`
 * gives a tree and knows no DOM; `render` turns it into nodes.  What is a
 * mark at all, row.js knows too (MARKS): without one it does not ask here.
 */

/**
 * @typedef {{t: string, v?: string, k?: Tree[], me?: boolean}} Tree
 * t: text, code, pre, b, i, s, quote, a, at
 * @typedef {(text: string, i: number) => {n: number, me: boolean}|null} Names
 * finds a known name at a place: its length, and whether it is mine
 */

const MAX = 16384;	/* longer ones stay plain */
const DEPTH = 4;
const NAMES = 200;	/* look-ups of names in a message */
const STOP = /[\s<>"`|\\^{}\u0000-\u001f，。；：！？、（）【】《》「」“”‘’…]/;
const TRAIL = /[.,;:!?'*~_]/;
const WORD = /[A-Za-z0-9_]/;
const SPACE = /\s/;

/** @param {string} s @param {Names} [names] @returns {Tree[]} */
export const scan = (s, names) => {
	if (s.length > MAX)
		return [{ t: 'text', v: s }];
	const left = { n: NAMES };
	/** @type {Tree[]} */ const out = [];
	let at = 0;
	for (;;) {
		const open = s.indexOf('```', at);
		const close = open < 0 ? -1 : s.indexOf('```', open + 3);
		if (close < 0)
			break;
		const body = s.slice(open + 3, close)
			.replace(/^[\w+#-]{0,20}\n/, '').replace(/\n$/, '');
		if (body) {
			lines(s.slice(at, open).replace(/\n$/, ''), out, names, left);
			out.push({ t: 'pre', v: body });
			at = close + 3;
			if (s[at] === '\n')
				at++;
		} else {
			lines(s.slice(at, close + 3), out, names, left);
			at = close + 3;
		}
	}
	lines(s.slice(at), out, names, left);
	return out;
};

/**
 * @param {string} s @param {Tree[]} out @param {Names|undefined} names
 * @param {{n: number}} left
 */
const lines = (s, out, names, left) => {
	if (!s)
		return;
	/** @type {string[]} */ let run = [];
	let quote = false;
	const flush = () => {
		if (run.length) {
			const k = inline(run.join('\n'), 0, names, left);
			if (quote)
				out.push({ t: 'quote', k });
			else
				out.push(...k);
		}
		run = [];
	};
	for (const line of s.split('\n')) {
		const q = line.startsWith('> ') || line === '>';
		if (q !== quote)
			flush();
		quote = q;
		run.push(q ? line.slice(2) : line);
	}
	flush();
};

/**
 * @param {string} s @param {number} depth @param {Names|undefined} names
 * @param {{n: number}} left @returns {Tree[]}
 */
const inline = (s, depth, names, left) => {
	/** @type {Tree[]} */ const out = [];
	/** @type {Record<string, boolean>} */ const dead = {};
	let plain = 0, i = 0;
	/** @param {number} end @param {Tree} node @param {number} next */
	const push = (end, node, next) => {
		if (end > plain)
			out.push({ t: 'text', v: s.slice(plain, end) });
		out.push(node);
		plain = i = next;
	};
	while (i < s.length) {
		const c = s[i];
		const word = i > 0 && WORD.test(s[i - 1]);
		if (c === '`') {
			let n = 1;
			while (s[i + n] === '`')
				n++;
			const end = n > 3 || dead[`\`${n}`] ? -1 : ticks(s, i + n, n);
			if (end > i + n) {
				push(i, { t: 'code', v: s.slice(i + n, end) }, end + n);
			} else {
				dead[`\`${n}`] ||= n <= 3 && end < 0;
				i += n;
			}
		} else if ((c === '*' || (c === '~' && s[i + 1] === '~')) &&
			depth < DEPTH) {
			const d = c === '~' ? '~~' : s[i + 1] === '*' ? '**' : '*';
			const end = word || dead[d] || !s[i + d.length] ||
				SPACE.test(s[i + d.length]) ? -1 : closing(s, i + d.length, d);
			if (end > 0) {
				push(i, {
					t: d === '~~' ? 's' : d === '*' ? 'i' : 'b',
					k: inline(s.slice(i + d.length, end), depth + 1, names, left),
				}, end + d.length);
			} else {
				dead[d] ||= end === -2;
				i += d.length;
			}
		} else if ((c === 'h' || c === 'H' || c === 'm') && !word) {
			const end = link(s, i);
			if (end)
				push(i, { t: 'a', v: s.slice(i, end) }, end);
			else
				i++;
		} else if (c === '@' && !word && names && left.n > 0) {
			left.n--;
			const hit = names(s, i + 1);
			if (hit)
				push(i, { t: 'at', v: s.slice(i, i + 1 + hit.n), me: hit.me },
					i + 1 + hit.n);
			else
				i++;
		} else {
			i++;
		}
	}
	if (s.length > plain)
		out.push({ t: 'text', v: s.slice(plain) });
	return out;
};

/** End of a run of exactly n backticks, or -1. @param {string} s @param {number} from @param {number} n */
const ticks = (s, from, n) => {
	for (let i = from; (i = s.indexOf('`', i)) >= 0;) {
		let k = 1;
		while (s[i + k] === '`')
			k++;
		if (k === n)
			return i;
		i += k;
	}
	return -1;
};

/** Where d closes; -2 when nowhere after. @param {string} s @param {number} from @param {string} d */
const closing = (s, from, d) => {
	for (let i = from; (i = s.indexOf(d, i)) >= 0; i += d.length) {
		const long = d === '*' && s[i + 1] === '*';
		if (long) {
			i++;
			continue;
		}
		if (i > from && !SPACE.test(s[i - 1]) &&
			!WORD.test(s[i + d.length] ?? ' '))
			return i;
	}
	return -2;
};

/** End of the link that begins here, or 0. @param {string} s @param {number} i */
const link = (s, i) => {
	const head = /^(https?:\/\/|mailto:)/i.exec(s.slice(i, i + 8));
	if (!head)
		return 0;
	let end = i + head[0].length;
	const first = end;
	while (end < s.length && !STOP.test(s[end]))
		end++;
	const alone = !s.slice(i, end).includes('(');
	while (end > first && (TRAIL.test(s[end - 1]) || (alone && s[end - 1] === ')')))
		end--;
	return end > first && href(s.slice(i, end)) ? end : 0;
};

/** The address, if it is one we let through. @param {string} s */
export const href = (s) => {
	try {
		const u = new URL(s);
		return ['http:', 'https:', 'mailto:', 'tel:'].includes(u.protocol)
			? u.href : '';
	} catch {
		return '';
	}
};

/** One to three emoji and nothing else. @param {string} s */
export const jumbo = (s) => s.length < 40 &&
	/^(?:(?:\p{RI}{2}|\p{Emoji_Presentation}\p{EMod}?|\p{Emoji}\uFE0F)(?:\u200D(?:\p{Emoji_Presentation}|\p{Emoji}\uFE0F?)\p{EMod}?)*\s?){1,3}$/u
		.test(s);

/**
 * @param {Tree[]} tree
 * @param {(tag: string, props: any, ...kids: any[]) => any} h
 * @returns {any[]}
 */
export const render = (tree, h) => tree.map((n) => {
	switch (n.t) {
	case 'text': return n.v;
	case 'code': return h('code', null, n.v);
	case 'pre': return h('pre', { tabindex: 0 }, h('code', null, n.v));
	case 'at': return h('span', { class: n.me ? 'at me' : 'at' }, n.v);
	case 'a': return h('a', {
		href: href(n.v ?? ''), target: '_blank',
		rel: 'noopener noreferrer ugc',
	}, n.v);
	}
	const tag = { b: 'strong', i: 'em', s: 's', quote: 'blockquote' }[n.t] ?? 'span';
	return h(tag, null, render(n.k ?? [], h));
});
