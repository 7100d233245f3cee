/* SPDX-License-Identifier: MIT */
/*
 * The chat behind the login: puts store, log, composer and columns together,
 * follows the address (#/r/<rid>, #/u/<uid>), shows the state of the line,
 * and hears the keyboard.
 */
import { $, attr, effect, fill, h, icon, logo, signal, text } from './dom.js';
import { Composer } from './composer.js';
import { firstNew } from './conv.js';
import { has, lang, setLang, t } from './i18n.js';
import { Log } from './log.js';
import { dark, hear, theme } from './prefs.js';
import { avatar } from './row.js';
import { peopleList, sideList } from './side.js';
import { Store } from './store.js';

export { Store };

/** @typedef {import('./conv.js').Conv} Conv */
/** @typedef {import('./conv.js').Item} Item */

const TROUBLE = 1000;	/* ms: shorter losses are not shown */
const WIDE = '(min-width: 1100px)';
const PHONE = '(max-width: 719.9px)';
const TONES = { 401: 'token', 403: 'banned', 4001: 'banned', 4003: 'token',
	4004: 'elsewhere', 4005: 'kicked' };

const LIST = '#/';
/** @param {string} key of a conversation */
const address = (key) => key[0] === '@' ? `#/u/${key.slice(1)}` : `#/r/${key}`;
/** @param {string} hash @returns {string} key, or "" */
const keyOf = (hash) => {
	const m = /^#\/([ru])\/([\w-]{1,32})$/.exec(hash);
	return !m ? '' : m[1] === 'u' ? `@${m[2]}` : m[2];
};

/** @param {string} name @param {string} key */
const button = (name, key) => {
	const el = $(name);
	attr(el, 'aria-label', t(key));
	attr(el, 'title', t(key));
	return el;
};

export class Chat {
	#started = false;
	/* made by start() */
	/** @type {Composer} */ composer = /** @type {any} */ (null);
	/** @type {Log} */ log = /** @type {any} */ (null);
	/** @type {() => void} */ side = () => {};
	/** @type {ReturnType<typeof peopleList>} */ people = /** @type {any} */ (null);
	#line = signal('');	/* state of the line, as it is shown */
	#at = 0;		/* time of the next try */
	/** @type {any} */ #trouble = 0;
	/** @type {any} */ #ticker = 0;
	#lost = false;
	#queued = false;
	#panel = matchMedia(WIDE).matches;
	/** @type {Map<string, {n: number, text: string}>} */ #unsaid = new Map();
	/** @type {any} */ #speaker = 0;
	/** @type {any} */ #modal = null;
	/** @type {Conv|null} the room whose people are shown */ #room = null;

	/**
	 * @param {import('../sdk/cchat.js').CChat} chat
	 * @param {{leave(forget: boolean): void}} acts
	 */
	constructor(chat, acts) {
		this.chat = chat;
		this.acts = acts;
		this.store = new Store(chat);
		chat.on('state', (s) => this.#state(s));
		chat.on('synced', (s) => this.#back(s.missed));
		chat.on('close', (c) => c.final && this.#final(TONES[
			/** @type {keyof TONES} */ (c.code)] ?? 'final'));
		chat.on('error', (e) => this.toast(has(`err.${e.code}`)
			? t(`err.${e.code}`) : e.message, 'bad'));
		chat.on('notice', (n) => this.toast(String(n.msg)));
		chat.on('fail', () => text($('alert'), t('msg.failed')));
	}

	/** Show the chat; called once the login is on its way or through. */
	start() {
		if (this.#started || this.chat.state === 'closed')
			return;
		this.#started = true;
		const { store, chat } = this;
		$('login-view').hidden = true;
		$('chat-view').hidden = false;
		this.composer = new Composer({
			chat, store,
			send: (c, s) => {
				this.#queued ||= chat.state !== 'online';
				store.send(c, s);
				this.log.end();
			},
			people: () => [...(this.#room?.people.values() ?? [])]
				.filter((p) => p.uid !== store.me.uid),
			drafted: () => store.rows.touch(),
			open: (key, name) => this.open(key, name),
			close: (c) => this.#close(c),
			end: () => this.log.end(),
		});
		this.log = new Log($('log'), {
			names: (s, i) => store.names(s, i),
			retry: (c, it) => store.retry(c, it),
			discard: (c, it) => {
				store.discard(c, it);
				if (c === this.conv)
					this.composer?.restore(it.msg);
				$('text').focus();
			},
			tell: (it) => this.open(`@${it.uid}`, it.name),
			older: (c) => c.loaded ? store.older(c) : store.load(c),
			seen: () => {
				const c = this.conv;
				if (c && store.seeing(c))
					store.seen(c);
			},
		});
		this.side = sideList(store, {
			open: (k) => this.open(k),
			close: (c) => this.#close(c),
			draft: (k) => this.composer?.draft(k) ?? '',
		});
		this.people = peopleList(store, (uid, name) => this.open(`@${uid}`, name));
		store.seeing = (c) => c.key === store.current.value && !document.hidden &&
			!!this.log.stick && !this.#covered();
		store.onlog = (c, it) => this.log.changed(c, it);
		store.onnew = (c, it) => this.#announce(c, it);
		store.onrefused = (rid, e) => {
			this.toast(has(`err.${e.code}`) ? t(`err.${e.code}`) : e.message, 'bad');
			const c = store.convs.get(rid);
			if (c)
				this.#close(c);
		};
		this.#wire();
		effect([lang], () => this.#words());
		effect([store.rows, store.current, lang], () => {
			this.side();
			this.#title();
		});
		effect([store.folk, lang], () => this.people.draw());
		effect([this.#line, lang], () => this.#banner());
		this.#arrive();
	}

	get started() { return this.#started; }
	get conv() { return this.store.convs.get(this.store.current.value); }

	#covered() {
		return matchMedia(PHONE).matches && $('chat-view').dataset.layer === 'side';
	}

	/* ---- where we are ---------------------------------------------- */

	/** @param {string} key @param {string} [name] */
	open(key, name) {
		if (name && key[0] === '@')
			this.store.conv(key).title = name;
		this.#modal?.close();
		const to = address(key);
		if (location.hash !== to)	/* `list`: the entry before is the list */
			history.pushState({ list: location.hash === LIST }, '', to);
		this.#route();
	}

	/*
	 * A phone shows the list or a conversation, so the list has an address
	 * of its own and Back leads to it; elsewhere it is always there.
	 */
	/** @returns {void} */
	#route() {
		const key = keyOf(location.hash);
		if (!key && location.hash === LIST && matchMedia(PHONE).matches)
			return this.#layer('side');
		if (!key) {
			history.replaceState(null, '', address(this.chat.rooms[0] ?? '1'));
			return this.#route();
		}
		if (key[0] !== '@' && !this.chat.rooms.includes(key))
			this.store.enter(key);
		this.#show(this.store.conv(key));
	}

	/* The first address: on a phone the list goes before it. */
	#arrive() {
		if (!matchMedia(PHONE).matches || history.state?.list || location.hash === LIST)
			return this.#route();
		const key = keyOf(location.hash) || (this.chat.rooms[0] ?? '1');
		history.replaceState(null, '', LIST);
		this.open(key);
	}

	#toList() {
		if (history.state?.list)
			return history.back();
		history.pushState(null, '', LIST);
		this.#route();
	}

	/** @param {Conv} c */
	async #show(c) {
		const { store } = this;
		if (store.current.value !== c.key || !c.divider) {
			c.divider = firstNew(c);
		}
		store.current.value = c.key;
		if (c.dm && !store.isOn(c.id))
			store.friends();
		this.#layer('');
		this.log.show(c);
		this.composer.show(c);
		if (!c.dm || !this.#room) {
			this.#room = c.dm ? this.store.sorted().rooms[0] ?? null : c;
			if (this.#room)
				this.people.show(this.#room);
		}
		if (!matchMedia('(pointer: coarse)').matches && !this.#modal)
			$('text').focus({ preventScroll: true });
		this.#load(c);
	}

	/** @param {Conv} c */
	async #load(c) {
		if (this.chat.state !== 'online' || c.loaded)
			return;
		await this.store.load(c);
		if (c.unread && !c.divider && c.loaded)
			c.divider = firstNew(c);
		this.log.changed(c);
	}

	/** @param {Conv} c */
	#close(c) {
		if (!c.dm && this.store.sorted().rooms.length < 2)
			return;
		const here = c === this.conv;
		this.store.drop(c.key);
		if (here)
			this.open(this.store.sorted().rooms[0]?.key ?? '1');
		if (c === this.#room)
			this.#room = null;
	}

	/** @param {string} name which full-screen layer a phone shows */
	#layer(name) {
		$('chat-view').dataset.layer = name;
		if (name === 'side' && this.#started)
			$('find').focus();
		$('shade').hidden = name !== 'people';
		attr($('toggle-people'), 'aria-expanded', String(this.#peopleOpen()));
	}

	#peopleOpen() {
		return matchMedia(WIDE).matches ? this.#panel
			: $('chat-view').dataset.layer === 'people';
	}

	/** @param {boolean} [on] */
	#people(on = !this.#peopleOpen()) {
		if (matchMedia(WIDE).matches) {
			this.#panel = on;
			$('chat-view').classList.toggle('nopeople', !on);
			attr($('toggle-people'), 'aria-expanded', String(on));
		} else {
			this.#layer(on ? 'people' : '');
		}
		if (on)
			this.people.draw();
		else if ($('aside').contains(document.activeElement))
			$('toggle-people').focus();
	}

	/* ---- words ----------------------------------------------------- */

	#words() {
		const { store } = this;
		const lobby = store.convs.get('1');
		if (lobby)
			lobby.title = t('side.lobby');
		fill($('brand-logo'), logo(28));
		attr($('side'), 'aria-label', t('side.label'));
		attr($('aside'), 'aria-label', t('mem.label'));
		text($('skip'), t('app.skip'));
		text($('cap-rooms'), t('side.rooms'));
		text($('cap-dms'), t('side.dms'));
		text($('cap-people'), t('mem.label'));
		text($('nodms'), t('side.none'));
		fill($('find'), icon('find'), h('span', null, t('side.find')),
			h('kbd', null, /Mac|iP/.test(navigator.platform) ? '⌘ K' : 'Ctrl K'));
		attr($('find-people'), 'placeholder', t('mem.find'));
		attr($('find-people'), 'aria-label', t('mem.find'));
		fill(button('add-room', 'side.add'), icon('plus'));
		fill(button('lang', 'app.lang'), icon('globe'));
		fill(button('theme', 'app.theme'), icon('moon'));
		fill(button('keys', 'app.keys'), icon('keys'));
		fill(button('out', 'app.out'), icon('out'));
		fill(button('back', 'side.back'), icon('back'));
		fill(button('toggle-people', 'mem.label'), icon('people'));
		fill(button('people-close', 'mem.close'), icon('back'));
		this.composer?.draw();
		this.log?.redraw();
		this.#me();
	}

	#me() {
		const { me } = this.store;
		fill($('me-av'), avatar(me.uid, me.name || '?', 'me'));
		text($('me-name'), me.name);
		attr($('me-name'), 'title', me.uid ? `${me.name} · ${me.uid}` : null);
	}

	#title() {
		const { store } = this;
		const c = this.conv;
		const lobby = store.convs.get('1');
		if (lobby && lobby.title === '1')
			lobby.title = t('side.lobby');
		if (!c)
			return;
		text($('title'), c.title);
		text($('sub'), c.dm ? t(store.isOn(c.id) ? 'mem.online' : 'mem.offline')
			: c.count ? t('mem.on', { n: c.count }) : '');
		if (this.composer)
			attr($('text'), 'placeholder', t('comp.to', { name: c.title }));
		let at = 0, some = false;
		for (const x of store.convs.values()) {
			at += x.mention;
			some ||= x.unread > 0;
		}
		document.title = `${at ? `(${at}) ` : some ? '• ' : ''}${c.title} · CChat`;
		const href = some ? 'icon-dot.svg' : 'icon.svg';
		if (!$('icon').href.endsWith(`/${href}`))
			$('icon').href = href;
	}

	/* ---- the line -------------------------------------------------- */

	/** @param {{state: string, retryAt?: number}} s */
	#state(s) {
		this.#at = s.retryAt ?? 0;
		attr($('conn'), 'data-state', s.state);
		attr($('conn'), 'aria-label', t(`conn.${s.state}`));
		attr($('conn'), 'title', t(`conn.${s.state}`));
		if (s.state === 'reconnecting') {
			this.#trouble ||= setTimeout(() => {
				this.#lost = true;
				this.#line.value = 'lost';
				this.#ticker = setInterval(() => this.#line.touch(), 250);
			}, TROUBLE);
			this.#line.touch();
		} else if (s.state === 'online') {
			clearTimeout(this.#trouble);
			clearInterval(this.#ticker);
			this.#trouble = 0;
			this.#line.value = 'on';
			queueMicrotask(() => this.#online());
		} else if (s.state === 'closed') {
			clearTimeout(this.#trouble);
			clearInterval(this.#ticker);
			this.#line.value = 'closed';
		}
	}

	#online() {
		$('chat-view').dataset.v = String(this.chat.v);
		if (!this.#started)
			return;
		this.#me();
		const c = this.conv;
		if (c)
			this.#load(c);
		this.composer?.draw();
	}

	/** @param {number} missed */
	#back(missed) {
		if (this.#lost && (missed || this.#queued))
			this.toast(missed ? t('conn.caught', { n: missed }) : t('conn.back'));
		this.#lost = this.#queued = false;
		/* a page of history that failed with the line comes now */
		for (const c of this.store.convs.values()) {
			if (!c.failed)
				continue;
			c.failed = false;
			if (!c.loaded)
				this.store.load(c);
			this.log?.changed(c);
		}
	}

	#banner() {
		const b = $('banner');
		const lost = this.#line.value === 'lost';
		b.hidden = !lost;
		if (!lost)
			return void b.replaceChildren();
		if (!b.firstChild)
			b.append(icon('again', 'spin'), h('span', { class: 'words' }),
				h('button', { type: 'button', class: 'link', 'data-act': 'now',
					onclick: () => this.chat.retry() }));
		const n = Math.ceil((this.#at - Date.now()) / 1000);
		text(b.children[1], n > 0 ? t('conn.lost', { n }) : t('conn.trying'));
		text(b.children[2], t('conn.now'));
	}

	/** @param {string} why no way back */
	#final(why) {
		if (!this.#started)
			return;
		const f = $('final');
		fill(f, icon('warn'), h('strong', { role: 'alert' }, t(`conn.${why}`)),
			h('button', { type: 'button', class: 'btn', onclick: () =>
				this.acts.leave(why === 'token') }, t('conn.again')));
		f.hidden = false;
		$('composer').inert = true;
	}

	/** @param {string} s @param {string} [kind] */
	toast(s, kind) {
		const el = h('div', { class: `toast ${kind ?? ''}` }, s);
		/** @type {any} */ let timer;
		const start = () => { timer = setTimeout(() => el.remove(), 4000); };
		el.addEventListener('pointerenter', () => clearTimeout(timer));
		el.addEventListener('pointerleave', start);
		$('toasts').append(el);
		start();
	}

	/* New messages are read out: one by one, or counted when many come. */
	/** @param {Conv} c @param {Item} it */
	#announce(c, it) {
		const u = this.#unsaid.get(c.key) ?? { n: 0, text: '' };
		u.n++;
		u.text = `${it.name}: ${it.msg.slice(0, 200)}`;
		this.#unsaid.set(c.key, u);
		this.#speaker ||= setTimeout(() => {
			for (const [key, { n, text: one }] of this.#unsaid) {
				const name = this.store.convs.get(key)?.title ?? '';
				$('said').append(h('div', null,
					n === 1 ? one : t('log.said', { n, name })));
			}
			this.#unsaid.clear();
			this.#speaker = 0;
			while ($('said').children.length > 20)
				$('said').firstChild.remove();
		}, 1000);
	}

	/* ---- hands ----------------------------------------------------- */

	#wire() {
		const { store } = this;
		/** @type {[string, () => void][]} */
		const clicks = [
			['lang', () => setLang(lang.value === 'zh' ? 'en' : 'zh')],
			['theme', () => theme(dark() ? 'light' : 'dark')],
			['keys', () => this.#dialog('shortcuts')],
			['out', () => { this.chat.close(); this.acts.leave(true); }],
			['find', () => this.#dialog('switcher')],
			['add-room', () => this.#dialog('switcher')],
			['back', () => this.#toList()],
			['toggle-people', () => this.#people()],
			['people-close', () => this.#people(false)],
			['shade', () => this.#people(false)],
		];
		for (const [id, fn] of clicks)
			$(id).addEventListener('click', fn);
		addEventListener('hashchange', () => this.#route());
		$('side').addEventListener('click', (/** @type {any} */ e) => {
			const a = e.target.closest?.('a.go');
			if (!a || e.ctrlKey || e.metaKey || e.shiftKey)
				return;
			e.preventDefault();
			this.open(keyOf(a.hash));
		});
		addEventListener('online', () => this.chat.retry());
		addEventListener('pagehide', () => { this.composer.save(); store.save(); });
		document.addEventListener('visibilitychange', () => {
			if (document.hidden)
				return;
			this.chat.retry();
			if (this.conv && store.seeing(this.conv))
				store.seen(this.conv);
		});
		hear((m) => {
			if (m?.uid === store.me.uid && m.read)
				store.readTo(String(m.read), Number(m.seq));
		});
		document.addEventListener('keydown', (e) => this.#key(e));
		$('log').addEventListener('keydown', (/** @type {KeyboardEvent} */ e) => {
			if (e.key.length === 1 && e.key !== ' ' && !e.ctrlKey && !e.metaKey && !e.altKey)
				$('text').focus();
		});
		const view = globalThis.visualViewport;
		view?.addEventListener('resize', () => {
			if (Math.abs(view.scale - 1) < 0.01)
				document.documentElement.style.setProperty('--vvh', `${view.height}px`);
		});
	}

	/** @param {KeyboardEvent} e */
	#key(e) {
		const cmd = e.ctrlKey || e.metaKey;
		const typing = e.target instanceof HTMLElement &&
			/^(INPUT|TEXTAREA)$/.test(e.target.tagName);
		if (e.isComposing || this.#modal)
			return;
		if (cmd && !e.shiftKey && !e.altKey && e.key.toLowerCase() === 'k')
			this.#dialog('switcher');
		else if (cmd && e.key === '.')
			this.#people();
		else if (e.altKey && !cmd && /^Arrow(Up|Down)$/.test(e.key))
			this.#step(e.key === 'ArrowUp' ? -1 : 1, e.shiftKey);
		else if ((cmd && e.key === 'End') || (e.key === 'Escape' && !$('chat-view').dataset.layer))
			this.log.end();
		else if (e.key === 'Escape')
			this.#people(false);
		else if (e.key === 'F6')
			this.#region(e.shiftKey ? -1 : 1);
		else if (e.key === '?' && !typing)
			this.#dialog('shortcuts');
		else
			return;
		e.preventDefault();
	}

	/** @param {number} by @param {boolean} unread only those */
	#step(by, unread) {
		const { rooms, dms } = this.store.sorted();
		const all = [...rooms, ...dms];
		const here = all.findIndex((c) => c === this.conv);
		for (let n = 1; n <= all.length; n++) {
			const c = all[(here + by * n + all.length * 2) % all.length];
			if (!unread || c.unread)
				return this.open(c.key);
		}
	}

	/** @param {number} by */
	#region(by) {
		const parts = [$('find'), $('log'), $('text'), $('find-people')]
			.filter((el) => el.offsetParent);
		const here = parts.findIndex((el) => el === document.activeElement ||
			(el !== $('text') && el.closest('nav, aside')?.contains(document.activeElement)));
		parts[(here + by + parts.length) % parts.length]?.focus();
	}

	/** @param {'switcher'|'shortcuts'} which */
	async #dialog(which) {
		if (this.#modal)
			return;
		const m = await import('./lazy/dialogs.js');
		this.#modal = m[which]({
			store: this.store,
			open: (k) => this.open(k),
			done: () => { this.#modal = null; },
		});
	}
}
