/* SPDX-License-Identifier: MIT */
/*
 * The chat in the corner of example.html, with nothing but the SDK: a room,
 * what was said before, pictures and files, who writes, what could not be
 * sent.  Copy it and make it yours.
 */
import { CChat } from './cchat.js';

const ROOM = { rid: 'support' };
/* a page of another origin names its server: { url: 'wss://chat.example/ws' } */
const chat = new CChat();

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);

/** @type {Map<string, HTMLElement>} rows by cid, until they have a seq */
const pending = new Map();
/** @type {Map<number, HTMLElement>} */
const rows = new Map();

/** @param {string} tag @param {string} [text] */
const el = (tag, text) => {
	const e = document.createElement(tag);
	if (text)
		e.textContent = text;
	return e;
};

/** What a message says: text, a picture, or a link. @param {any} m */
const content = (m) => {
	if (m.gone)
		return el('i', 'taken back');
	const url = m.type === 'text' ? null : new URL(m.msg, chat.origin);
	if (!url || url.origin !== chat.origin)	/* nobody's pictures but ours */
		return el('span', m.msg);
	if (m.type === 'pic') {
		const img = /** @type {HTMLImageElement} */ (el('img'));
		img.alt = `Picture of ${m.name}`;
		img.width = Number(url.searchParams.get('w')) || 320;
		img.height = Number(url.searchParams.get('h')) || 200;
		img.src = url.href;
		return img;
	}
	const a = /** @type {HTMLAnchorElement} */ (el('a',
		url.searchParams.get('name') || 'a file'));
	a.href = url.href;
	return a;
};

/** @param {any} m @returns {HTMLElement} */
const row = (m) => {
	const li = el('li');
	li.className = m.mine ? 'mine' : '';
	if (!m.mine)
		li.append(el('small', m.name));
	li.append(content(m));
	return li;
};

/** At the end, and in view if the end was. @param {HTMLElement} li */
const append = (li) => {
	const log = $('log');
	const end = log.scrollHeight - log.scrollTop - log.clientHeight < 48;
	log.append(li);
	if (end || li.className)
		log.scrollTop = log.scrollHeight;
};

/** A message, from history or live, once. @param {any} m */
const show = (m) => {
	if (m.conv !== ROOM.rid || rows.has(m.seq))
		return;
	const li = row(m), was = pending.get(m.cid);
	pending.delete(m.cid);
	rows.set(m.seq, li);
	if (was)
		was.replaceWith(li);
	else
		append(li);
};

/** What changes a message, later. @param {any} i */
const change = (i) => {
	const text = rows.get(i.ref)?.lastElementChild;
	if (i.conv !== ROOM.rid || !text)
		return;
	if (i.cmd === 'edit')
		text.replaceWith(el('span', i.msg));
	else if (i.cmd === 'recall')
		text.replaceWith(el('i', 'taken back'));
};

/**
 * Something of mine: a row at once, then what becomes of it.
 * @param {{type: string, msg: string}} m
 * @param {(cid: string) => Promise<unknown>} send
 */
const mine = (m, send, cid = chat.cid()) => {
	const li = row({ ...m, type: 'text', mine: true });
	li.className = 'mine pending';
	pending.set(cid, li);
	append(li);
	const go = () => {
		li.className = 'mine pending';
		send(cid).catch((err) => {
			const again = el('button', 'Try again');
			again.onclick = () => {
				again.remove();
				go();
			};
			li.className = 'mine failed';
			li.title = err.message;
			li.append(again);
		});
	};
	go();
};

chat.on('message', show);
chat.on('item', change);
chat.on('state', (s) => {
	$('state').textContent = s.state;
	$('state').dataset.state = s.state;
});
chat.on('close', (c) => { if (c.final) $('state').title = c.reason; });

/** @type {any} */ let still;
chat.on('typing', (t) => {
	clearTimeout(still);
	$('typing').textContent = t.on ? `${t.name} is writing …` : '';
	still = setTimeout(() => { $('typing').textContent = ''; }, 6000);
});

$('login').addEventListener('submit', async (/** @type {Event} */ e) => {
	e.preventDefault();
	try {
		await chat.login({ name: $('name').value, ...ROOM });
		const page = await chat.history(ROOM, { limit: 50 });
		page.msgs.forEach(show);
		page.items.forEach(change);
	} catch (err) {
		$('state').textContent = /** @type {Error} */ (err).message;
		return;
	}
	$('login').hidden = true;
	$('say').hidden = false;
	$('clip').hidden = !chat.caps.has('upload');
	$('text').focus();
});

$('text').addEventListener('input', () => chat.typing(ROOM, !!$('text').value));

$('say').addEventListener('submit', (/** @type {Event} */ e) => {
	e.preventDefault();
	const msg = $('text').value;
	$('text').value = '';
	if (msg.trim())
		mine({ type: 'text', msg }, (cid) => chat.send(ROOM, msg, { cid }));
});

$('file').addEventListener('change', () => {
	const [file] = $('file').files;
	$('file').value = '';
	if (file)
		mine({ type: 'file', msg: file.name }, (cid) =>
			chat.sendFile(ROOM, file, { cid, name: file.name }));
});
