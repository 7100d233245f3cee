/* SPDX-License-Identifier: MIT */
/* The emoji picker and the names of emoji; fetched when it is first needed. */
import { attr, fill, h } from '../dom.js';
import { rest, t } from '../i18n.js';
import { local } from '../prefs.js';

await rest();

const TABLE = `👍 thumbsup yes +1|👎 thumbsdown no -1|👌 ok|👏 clap|🙏 pray thanks|💪 strong|👋 wave hi|🙌 raised|☝️ up point|🤝 handshake deal|✌️ peace|🤞 luck
😄 smile happy|😂 joy tears|🤣 rofl|😉 wink|😊 blush|😍 love eyes|😘 kiss|🥰 adore|😁 grin|😆 laugh|🙂 slight|🙃 upside|🤔 think hmm|😐 neutral|😅 sweat|😢 cry|😭 sob|😠 angry|😱 scream|😎 cool|😪 sleepy|😴 sleep|😷 mask sick|🤒 fever|🤓 nerd|🤡 clown|👻 ghost|🤖 robot|😇 angel|🤗 hug|🙄 roll|😬 grimace|🥳 party|🤯 mindblown|😤 huff|🥺 please|😋 yum|😜 tongue|🤫 quiet|🫡 salute
❤️ heart|🧡 orange|💛 yellow|💚 green|💙 blue|💜 purple|🖤 black|💔 broken|🔥 fire|✨ sparkles|⭐ star|🎉 tada party|🎂 cake|🎁 gift|🚀 rocket ship|💯 100|✅ done check|❌ x wrong|⚠️ warning|❓ question|❗ bang|💡 idea|🐛 bug|🔧 wrench fix|🔒 lock|🔑 key|📌 pin|📎 clip|📷 camera|📞 phone|💻 laptop|📈 up chart|📉 down chart|⏰ alarm|⏳ wait|☕ coffee|🍵 tea|🍺 beer|🍜 noodles ramen|🍚 rice|🥟 dumpling|🍎 apple|🍉 melon|🌶️ hot chili|🐱 cat|🐶 dog|🐼 panda|🐉 dragon|🌸 blossom|🌙 moon|☀️ sun|🌧️ rain|⚡ zap|🌈 rainbow|👀 eyes look|🧧 redpacket`;

/** @type {[string, string, string][]} character, first name, all names */
const ALL = TABLE.split(/[|\n]/).map((e) => {
	const [c, ...names] = e.trim().split(' ');
	return [c, names[0], names.join(' ')];
});
const BY = new Map();
for (const [c, , names] of ALL)
	for (const n of names.split(' '))
		if (!BY.has(n))
			BY.set(n, c);
const USUAL = ['👍', '🎉', '❤️', '😂', '👀', '🙏'];

/** Emoji whose name has this in it. @param {string} q */
export const find = (q) => ALL.filter(([, , names]) => names.includes(q))
	.sort((a, b) => +b[1].startsWith(q) - +a[1].startsWith(q));

/**
 * `:tada:` becomes the character, but not in code, nor within a word, a time
 * or an address: `a::ok::b`, `2001:db8::100:1`.
 * @param {string} s
 */
export const replace = (s) => s.split(/(```[\s\S]*?```|`[^`\n]*`)/).map((part, i) =>
	i % 2 ? part : part.replace(/(?<![\w:/])(?::[a-z0-9+-]{2,20}:)+(?![\w:/])/g, (run) =>
		run.replace(/:([^:]+):/g, (all, n) => BY.get(n) ?? all))).join('');

/**
 * Where a key leads among the cells: by what is seen, the rows are uneven.
 * @param {HTMLElement} box @param {HTMLElement} from @param {string} key
 * @returns {HTMLElement|undefined}
 */
const step = (box, from, key) => {
	const all = /** @type {HTMLElement[]} */ ([...box.querySelectorAll('button.emo')]);
	const i = all.indexOf(from);
	if (key === 'Home' || key === 'End')
		return all.at(key === 'Home' ? 0 : -1);
	if (key === 'ArrowLeft' || key === 'ArrowRight')
		return all[Math.max(0, i + (key === 'ArrowRight' ? 1 : -1))];
	const a = from.getBoundingClientRect();
	const down = key === 'ArrowDown' ? 1 : -1;
	return all.map((el) => ({ el, r: el.getBoundingClientRect() }))
		.filter(({ r }) => (r.top - a.top) * down > 4)
		.sort((x, y) => (x.r.top - y.r.top) * down ||
			Math.abs(x.r.left - a.left) - Math.abs(y.r.left - a.left))[0]?.el;
};

/**
 * Open or close the picker.
 * @param {HTMLElement} box @param {HTMLElement} opener
 * @param {(c: string) => void} put
 */
export const toggle = (box, opener, put) => {
	const close = () => {
		box.hidden = true;
		attr(opener, 'aria-expanded', 'false');
		document.removeEventListener('pointerdown', away);
		box.removeEventListener('focusout', left);
	};
	/** @param {PointerEvent} e */
	const away = (e) => {
		if (e.target instanceof Node && !box.contains(e.target) && !opener.contains(e.target))
			close();
	};
	if (!box.hidden)
		return close();
	/** @param {string} c */
	const pick = (c) => {
		const last = [c, ...local.get('emoji', USUAL)
			.filter((/** @type {string} */ x) => x !== c)];
		local.set('emoji', last.slice(0, 8));
		close();
		put(c);
	};
	/** @param {string} c @param {string} name */
	const cell = (c, name) => h('button', { type: 'button', class: 'emo', title: `:${name}:`,
		'aria-label': name, onclick: () => pick(c) }, c);
	const grid = h('div', { class: 'emos' });
	/** @param {string} q */
	const show = (q) => fill(grid, find(q).map(([c, n]) => cell(c, n)));
	const field = h('input', { type: 'search', placeholder: ':tada:', class: 'field',
		'aria-label': t('comp.search'), oninput: () => show(field.value.replace(/:/g, '')
			.toLowerCase()) });
	show('');
	fill(box, field, h('div', { class: 'emos last' }, local.get('emoji', USUAL)
		.map((/** @type {string} */ c) => cell(c, ALL.find((e) => e[0] === c)?.[1] ?? c))), grid);
	box.onkeydown = (e) => {
		const from = /** @type {HTMLElement} */ (e.target);
		if (e.isComposing)
			return;
		if (e.key === 'Escape') {
			e.stopPropagation();
			close();
			opener.focus();
		} else if (from === field ? e.key === 'ArrowDown' : /^(Arrow|Home$|End$)/.test(e.key)) {
			e.preventDefault();
			const to = from === field ? box.querySelector('button') : step(box, from, e.key);
			(to ?? (e.key === 'ArrowUp' ? field : null))?.focus();
		} else if (e.key === 'Enter' && from === field) {
			e.preventDefault();
			grid.querySelector('button')?.click();
		}
	};
	/* Tab out of it closes it */
	const left = (/** @type {FocusEvent} */ e) => {
		if (e.relatedTarget instanceof Node && !box.contains(e.relatedTarget) &&
			!opener.contains(e.relatedTarget))
			close();
	};
	box.addEventListener('focusout', left);
	attr(box, 'role', 'dialog');
	attr(box, 'aria-label', t('comp.emoji'));
	box.hidden = false;
	attr(opener, 'aria-expanded', 'true');
	document.addEventListener('pointerdown', away);
	field.focus();
};
