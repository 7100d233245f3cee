/* SPDX-License-Identifier: MIT */
/*
 * The chat behind the login: puts store, log, composer and columns together
 * and follows the address (#/r/<rid>, #/u/<uid>).  What the first paint does
 * without comes late (`late`): banner and toasts, keys, people, typing, and
 * most of what the frame's buttons do.
 */
import { $, attr, effect, fill, h, icon, text } from './dom.js';
import { Composer } from './composer.js';
import { firstNew } from './conv.js';
import { has, lang, rest, setLang, t } from './i18n.js';
import { Log } from './log.js';
import { dark, hear, opt, theme } from './prefs.js';
import { avatar } from './row.js';
import { sideList } from './side.js';
import { Store } from './store.js';

export { Store };

/** @typedef {import('./conv.js').Conv} Conv */
/** @typedef {import('./conv.js').Item} Item */

export const WIDE = '(min-width: 1100px)';
const PHONE = '(max-width: 719.9px)';
export const LIST = '#/';
/** @param {string} key of a conversation */
export const address = (key) => key[0] === '@' ? `#/u/${key.slice(1)}` : `#/r/${key}`;
/** @param {string} hash @returns {string} key, or "" */
const keyOf = (hash) => {
	const m = /^#\/([ru])\/([\w-]{1,32})$/.exec(hash);
	return !m ? '' : m[1] === 'u' ? `@${m[2]}` : m[2];
};

/**
 * @typedef {object} Rest what comes after the first paint
 * @property {import('./lazy/line.js').Line} line
 * @property {typeof import('./lazy/line.js').toast} toast
 * @property {import('./lazy/heard.js').Heard} heard
 * @property {ReturnType<typeof import('./lazy/folk.js').peopleList>} people
 * @property {typeof import('./lazy/keys.js').key} key
 * @property {typeof import('./lazy/frame.js')} frame
 */

/** @param {Chat} app @returns {Promise<Rest>} */
const fetchRest = async (app) => {
	for (;;) {
		try {
			const [line, heard, folk, keys, frame] = await Promise.all([
				import('./lazy/line.js'), import('./lazy/heard.js'),
				import('./lazy/folk.js'), import('./lazy/keys.js'),
				import('./lazy/frame.js'),
				rest().then((ok) => ok || Promise.reject(ok))]);
			return { line: new line.Line(app), toast: line.toast,
				heard: new heard.Heard(app), people: folk.peopleList(app),
				key: keys.key, frame };
		} catch {	/* the line may be down: it comes with the line */
			await new Promise((r) => setTimeout(r, 1000));
		}
	}
};

export class Chat {
	#started = false;
	/* made by start() */
	/** @type {Composer} */ composer = /** @type {any} */ (null);
	/** @type {Log} */ log = /** @type {any} */ (null);
	/** @type {() => void} */ side = () => {};
	/** @type {Promise<Rest>|null} */ #coming = null;
	/** The line as it is. */
	now = { state: 'idle', since: 0 };
	#queued = false;
	/** The people are shown where there is room. */
	panel = matchMedia(WIDE).matches;
	/** @type {any} the dialog that is open */ modal = null;
	/** @type {Conv|null} the room whose people are shown */ room = null;

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
		chat.on('close', (c) => this.#started && this.late((r) => r.line.closed(c)));
		chat.on('error', (e) => this.refused(e));
		chat.on('notice', (n) => this.toast(String(n.msg)));
		chat.on('fail', () => text($('alert'), t('msg.failed')));
		chat.on('typing', (e) => this.#coming?.then((r) => r.heard.typing(e)));
	}

	/**
	 * With what the first paint does without: banner, toasts, people, keys.
	 * @param {(r: Rest) => void} fn
	 */
	late(fn) {
		this.#coming ??= fetchRest(this).then((r) => {
			r.line.state(this.now);
			if (this.room)
				r.people.show(this.room);
			return r;
		});
		this.#coming.then(fn);
	}

	/** @param {string} s @param {string} [kind] @param {[string, () => void]} [act] */
	toast(s, kind, act) { this.late((r) => r.toast(s, kind, act)); }

	/** What the server did not want, in words. @param {any} e */
	refused(e) {
		this.late((r) => r.toast(has(`err.${e.code}`) ? t(`err.${e.code}`) : e.message,
			'bad'));
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
			people: () => [...(this.room?.people.values() ?? [])]
				.filter((p) => p.uid !== store.me.uid),
			drafted: () => store.rows.touch(),
			open: (key, name) => this.open(key, name),
			close: (c) => this.close(c),
			end: () => this.log.end(),
		});
		/** @param {Promise<void>} p */
		const no = (p) => { p.catch((e) => this.refused(e)); };
		this.log = new Log($('log'), {
			names: (s, i) => store.names(s, i),
			retry: (c, it) => store.retry(c, it),
			discard: (c, it) => {
				store.discard(c, it);
				if (c === this.conv && it.type === 'text')
					this.composer?.restore(it.msg);
				$('text').focus();
			},
			tell: (it) => this.open(`@${it.uid}`, it.name),
			me: () => store.me.uid,
			can: (what) => chat.caps.has(what),
			react: (c, it, emo, on) => no(store.change(c, it, { cmd: 'react', emo, on })),
			recall: (c, it) => no(store.change(c, it, { cmd: 'recall' })),
			edit: (c, it) => this.composer.edit(c, it),
			quote: (c, it) => this.composer.quote(c, it),
			mention: (name) => this.composer.mention(name),
			readers: (c, it) => this.dialog('readers', c, it.seq),
			say: (s) => this.toast(s),
			older: (c) => c.loaded ? store.older(c) : store.load(c),
			seen: () => {
				const c = this.conv;
				if (c && store.seeing(c))
					store.seen(c);
			},
		});
		this.side = sideList(store, {
			open: (k) => this.open(k),
			close: (c) => this.close(c),
			draft: (k) => this.composer?.draft(k) ?? '',
		});
		store.seeing = (c) => c.key === store.current.value && !document.hidden &&
			!!this.log.stick && !this.#covered();
		store.onlog = (c, it) => this.log.changed(c, it);
		store.onnew = (c, it) => this.late((r) => r.heard.message(c, it));
		store.onrefused = (rid, e) => {
			this.refused(e);
			const c = store.convs.get(rid);
			if (c)
				this.close(c, true);
		};
		this.#wire();
		effect([lang], () => this.#words());
		effect([store.rows, store.current, lang], () => {
			this.side();
			this.#title();
		});
		effect([store.folk, lang], () => this.#coming?.then((r) => r.people.draw()));
		effect([store.current, lang], () => this.#coming?.then((r) => r.heard.draw()));
		effect([lang], () => this.#coming?.then((r) => r.line.draw()));
		this.#arrive();
		setTimeout(() => this.late(() => {}), 1000);
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
		this.modal?.close?.();
		const to = address(key);
		if (location.hash !== to)	/* `list`: the entry before is the list */
			history.pushState({ list: location.hash === LIST }, '', to);
		this.route();
	}

	/*
	 * A phone shows the list or a conversation, so the list has an address
	 * of its own and Back leads to it; elsewhere it is always there.
	 */
	/** @returns {void} */
	route() {
		const key = keyOf(location.hash);
		if (!key && location.hash === LIST && matchMedia(PHONE).matches)
			return this.layer('side');
		if (!key) {
			history.replaceState(null, '',
				address(this.store.current.value || (this.chat.rooms[0] ?? '1')));
			return this.route();
		}
		if (key[0] !== '@' && !this.chat.rooms.includes(key))
			this.store.enter(key);
		this.#show(this.store.conv(key));
	}

	/* The first address: on a phone the list goes before it. */
	#arrive() {
		if (!matchMedia(PHONE).matches || history.state?.list || location.hash === LIST)
			return this.route();
		const key = keyOf(location.hash) || (this.chat.rooms[0] ?? '1');
		history.replaceState(null, '', LIST);
		this.open(key);
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
		this.layer('');
		this.log.show(c);
		this.bubbles();
		this.composer.show(c);
		if (!c.dm || !this.room) {
			this.room = c.dm ? this.store.sorted().rooms[0] ?? null : c;
			if (this.room)
				this.#coming?.then((r) => this.room && r.people.show(this.room));
		}
		if (!matchMedia('(pointer: coarse)').matches &&
			!document.querySelector('dialog[open]'))
			$('text').focus({ preventScroll: true });
		this.#load(c);
	}

	/** @param {Conv} c */
	async #load(c) {
		if (this.chat.state !== 'online' || c.loaded)
			return;
		await this.store.load(c);
		this.late(() => {});
		if (c.unread && !c.divider && c.loaded)
			c.divider = firstNew(c);
		this.log.changed(c);
	}

	/** @param {string} name which full-screen layer a phone shows */
	layer(name) {
		$('chat-view').dataset.layer = name;
		if (name === 'side' && this.#started)
			$('find').focus();
		$('shade').hidden = name !== 'people';
		attr($('toggle-people'), 'aria-expanded', String(this.peopleOpen()));
	}

	peopleOpen() {
		return matchMedia(WIDE).matches ? this.panel
			: $('chat-view').dataset.layer === 'people';
	}

	/* ---- words ----------------------------------------------------- */

	#words() {
		const { store } = this;
		const lobby = store.convs.get('1');
		if (lobby && !lobby.named)
			lobby.title = t('side.lobby');
		attr($('side'), 'aria-label', t('side.label'));
		attr($('aside'), 'aria-label', t('mem.label'));
		fill($('find'), icon('find'), h('span', null, t('side.find')),
			h('kbd', null, /Mac|iP/.test(navigator.platform) ? '⌘ K' : 'Ctrl K'));
		attr($('find-people'), 'placeholder', t('mem.find'));
		attr($('find-people'), 'aria-label', t('mem.find'));
		attr($('me'), 'title', t('app.set'));
		this.composer?.draw();
		this.log?.redraw();
		this.#me();
	}

	#me() {
		const { me } = this.store;
		fill($('me-av'), avatar(me.uid, me.name || '?', 'me'));
		text($('me-name'), me.name);
	}

	#title() {
		const { store } = this;
		const c = this.conv;
		const lobby = store.convs.get('1');
		if (lobby && !lobby.named && lobby.title === '1')
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
		const since = s.state === this.now.state ? this.now.since : Date.now();
		this.now = { ...s, since };
		attr($('conn'), 'data-state', s.state);
		attr($('conn'), 'aria-label', t(`conn.${s.state}`));
		attr($('conn'), 'title', t(`conn.${s.state}`));
		this.#coming?.then((r) => r.line.state(this.now));
		if (s.state === 'reconnecting' && this.#started)
			this.late(() => {});
		else if (s.state === 'online')
			queueMicrotask(() => this.#online());
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
		const queued = this.#queued;
		this.#coming?.then((r) => r.line.back(missed, queued));
		this.#queued = false;
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

	/* ---- hands ----------------------------------------------------- */

	#wire() {
		const { store } = this;
		/** @type {[string, (e: Event) => void][]} */
		const clicks = [
			['skip', (e) => { e.preventDefault(); $('text').focus(); }],
			['lang', () => setLang(lang.value === 'zh' ? 'en' : 'zh')],
			['theme', () => theme(dark() ? 'light' : 'dark')],
			['keys', () => this.dialog('shortcuts')],
			['me', () => this.dialog('settings')],
			['out', () => { this.chat.close(); this.acts.leave(true); }],
			['find', () => this.dialog('switcher')],
			['add-room', () => this.dialog('switcher')],
			['back', () => this.late((r) => r.frame.toList(this))],
			['toggle-people', () => this.togglePeople()],
			['people-close', () => this.togglePeople(false)],
			['shade', () => this.togglePeople(false)],
		];
		for (const [id, fn] of clicks)
			$(id).addEventListener('click', fn);
		addEventListener('hashchange', () => this.route());
		$('side').addEventListener('click', (/** @type {any} */ e) => {
			const a = e.target.closest?.('a.go');
			if (!a || e.ctrlKey || e.metaKey || e.shiftKey)
				return;
			e.preventDefault();
			this.open(keyOf(a.hash));
		});
		for (const type of ['online', 'offline'])	/* is the line alive? */
			addEventListener(type, () => this.chat.retry());
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
		/** @type {Rest['key']|null} */ let key = null;
		document.addEventListener('keydown', (e) => {
			if (key)
				return key(this, e);
			if (e.key === 'F6' || ((e.ctrlKey || e.metaKey) && /^[k.,]$/i.test(e.key)))
				e.preventDefault();
			this.late((r) => {	/* Ctrl, then K: two of them may wait */
				key = r.key;
				key(this, e.defaultPrevented ? new KeyboardEvent('keydown', e) : e);
			});
		});
		/* the keyboard of a phone takes from the height, never from the field */
		const view = globalThis.visualViewport;
		const fit = () => {
			if (!view || Math.abs(view.scale - 1) > 0.01)
				return;		/* the reader has zoomed */
			document.documentElement.style.setProperty('--vvh', `${view.height}px`);
			scrollTo(0, 0);
		};
		view?.addEventListener('resize', fit);
		view?.addEventListener('scroll', fit);
	}

	/** Bubbles or rows, as the reader has it. */
	bubbles() {
		const c = this.conv;
		const b = opt('bubbles');
		if (c)
			$('log').dataset.kind = b === 'all' || (b === 'dm' && c.dm) ? 'dm' : 'room';
	}

	/* ---- what the frame's buttons do (lazy/frame.js) ---------------- */

	/** @param {Conv} c @param {boolean} [refused] Back leads not there again */
	close(c, refused) { this.late((r) => r.frame.close(this, c, refused)); }

	/** @param {boolean} [on] */
	togglePeople(on) { this.late((r) => r.frame.togglePeople(this, on)); }

	/** @param {string} which @param {...any} more */
	dialog(which, ...more) { this.late((r) => r.frame.dialog(this, which, ...more)); }
}
