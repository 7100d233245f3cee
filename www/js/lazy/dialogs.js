/* SPDX-License-Identifier: MIT */
/*
 * The quick switcher, the list of shortcuts, and who has read a message;
 * fetched when first opened.
 */
import { attr, fill, h, icon } from '../dom.js';
import { rest, t } from '../i18n.js';
import { avatar } from '../row.js';

await rest();

/**
 * @typedef {{app: import('../chat.js').Chat, store: import('../store.js').Store,
 *   open(key: string): void, done(): void}} Door
 * @typedef {{key: string, title: string, sub: string, uid?: string,
 *   unread?: number}} Hit
 */

const SHOW = 8;

/** @param {string} id @param {string} label @param {Door} door @param {any[]} kids */
export const dialog = (id, label, door, kids) => {
	/*
	 * The browser's own way back to a field leaves the caret behind, now and
	 * then: nothing could be typed.  So it has nowhere to go, and we do it.
	 */
	/** @type {any} */ const before = document.activeElement;
	before?.blur();
	const el = h('dialog', { id, class: 'dialog', 'aria-label': label }, kids);
	el.addEventListener('close', () => {
		el.remove();
		door.done();
		if (document.activeElement !== document.body)
			return;
		if (before?.isConnected)
			before.focus();
		if (document.activeElement === document.body)
			document.getElementById('text')?.focus();
	}, { once: true });
	el.addEventListener('click', (/** @type {Event} */ e) => {
		if (e.target === el)
			el.close();
	});
	document.body.append(el);
	el.showModal();
	return el;
};

/** @param {Door} door */
export const switcher = (door) => {
	const { store } = door;
	/** @type {Hit[]} */ let hits = [];
	let at = 0;
	const field = h('input', { class: 'field', type: 'text', role: 'combobox',
		'aria-expanded': 'true', 'aria-controls': 'hits', autocomplete: 'off',
		placeholder: t('side.find'), 'aria-label': t('side.find') });
	const box = h('div', { id: 'hits', role: 'listbox', class: 'hits' });

	/** @param {string} q @returns {Hit[]} */
	const find = (q) => {
		const { rooms, dms } = store.sorted();
		const low = q.toLowerCase();
		/** @type {Map<string, Hit>} */ const all = new Map();
		for (const c of [...rooms, ...dms])
			all.set(c.key, { key: c.key, title: c.title, unread: c.unread,
				sub: t(c.dm ? 'act.dm' : 'act.room'), uid: c.dm ? c.id : undefined });
		if (q)
			for (const c of rooms)
				for (const p of c.people.values())
					if (p.uid !== store.me.uid && !all.has(`@${p.uid}`))
						all.set(`@${p.uid}`, { key: `@${p.uid}`, title: p.name,
							sub: t('act.dm'), uid: p.uid });
		const out = [...all.values()].filter((x) => !q ||
			x.title.toLowerCase().includes(low) || x.key.toLowerCase() === low);
		out.sort((a, b) => Number((b.unread ?? 0) > 0) - Number((a.unread ?? 0) > 0) ||
			Number(b.title.toLowerCase().startsWith(low)) -
			Number(a.title.toLowerCase().startsWith(low)));
		const rid = q.replace(/^#/, '');
		const cut = out.slice(0, SHOW);
		if (/^[\w-]{1,32}$/.test(rid) && !store.convs.has(rid))
			cut.push({ key: rid, title: t('act.join', { name: rid }), sub: '' });
		return cut;
	};
	const draw = () => {
		fill(box, hits.map((x, i) => h('div', {
			role: 'option', id: `hit-${i}`, class: 'choice', 'data-key': x.key,
			'aria-selected': String(i === at), onclick: () => go(x),
		}, x.uid ? avatar(x.uid, x.title, 'sm') : icon(x.sub ? 'hash' : 'plus'),
		h('span', { class: 'title', dir: 'auto' }, x.title),
		h('span', { class: 'mut' }, x.unread ? t('side.unread', { n: x.unread }) : x.sub))));
		if (!hits.length)
			fill(box, h('p', { class: 'mut none' }, t('act.none')));
		attr(field, 'aria-activedescendant', hits.length ? `hit-${at}` : null);
		box.children[at]?.scrollIntoView({ block: 'nearest' });
	};
	const look = () => {
		hits = find(field.value.trim());
		at = 0;
		draw();
	};
	/** @param {Hit} x */
	const go = (x) => {
		el.close();
		el.dispatchEvent(new Event('close'));	/* now: keys follow at once */
		if (x.uid)
			store.conv(x.key).title = x.title;
		door.open(x.key);
	};
	field.addEventListener('input', look);
	field.addEventListener('keydown', (/** @type {KeyboardEvent} */ e) => {
		if (e.isComposing)
			return;
		if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
			e.preventDefault();
			at = (at + (e.key === 'ArrowDown' ? 1 : hits.length - 1)) % (hits.length || 1);
			draw();
		} else if (e.key === 'Enter' && hits[at]) {
			e.preventDefault();
			go(hits[at]);
		}
	});
	const el = dialog('switcher', t('side.find'), door, [field, box]);
	look();
	field.focus();
	return el;
};

/** @param {Door} door */
export const shortcuts = (door) => {
	/** @type {[string, string][]} */
	const all = [
		['Ctrl K', 'find'], ['Alt ↑ ↓', 'move'], ['Alt Shift ↑ ↓', 'unread'],
		['Esc', 'end'], ['Ctrl .', 'people'], ['F6', 'region'], ['↑', 'retry'],
		['Shift Enter', 'line'], ['?', 'list'], ['Ctrl ,', 'set'],
		['↑ ↓ Home End', 'rows'], ['Enter', 'menu'],
		['R', 'quote'], ['C', 'copy'],
	];
	const el = dialog('shortcuts', t('keys.title'), door, [
		h('h2', null, t('keys.title')),
		h('dl', null, all.flatMap(([k, name]) => [
			h('dt', null, k.split(' ').map((x) => h('kbd', null,
				x === 'Ctrl' && /Mac|iP/.test(navigator.platform) ? '⌘' : x))),
			h('dd', null, t(`keys.${name}`))])),
		h('button', { type: 'button', class: 'btn', onclick: () => el.close() },
			t('mem.close')),
	]);
	return el;
};

/**
 * Who has read a message of mine.
 * @param {Door} door @param {import('../conv.js').Conv} c @param {number} seq
 */
export const readers = (door, c, seq) => {
	const body = h('div', { class: 'hits' }, h('p', { class: 'mut none' }, '…'));
	const el = dialog('readers', t('msg.readers'), door, [h('h2', null, t('msg.readers')),
		body, h('button', { type: 'button', class: 'btn', onclick: () => el.close() },
			t('mem.close'))]);
	/** @type {any} */ const chat = door.app.chat;
	chat.marks(door.store.target(c), seq).then((/** @type {any} */ m) => {
		const n = m.nread ?? m.read?.length ?? 0;
		fill(body, h('p', { class: 'mut none' }, t(n ? 'read.by' : 'read.none', { n })),
			(m.read ?? []).slice(0, 200).map((/** @type {string} */ uid) => {
				const name = door.store.name(uid) || uid;
				return h('div', { class: 'choice', 'data-uid': uid },
					avatar(uid, name, 'sm'),
					h('span', { class: 'title', dir: 'auto' }, name));
			}));
	}, (/** @type {any} */ e) => {
		el.close();
		door.app.refused(e);
	});
	return el;
};
