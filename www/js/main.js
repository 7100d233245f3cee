/* SPDX-License-Identifier: MIT */
/*
 * The door of the page: language, theme, the login form; behind it chat.js.
 *
 * Hooks for tests (stable names):
 *   #login #name #room #token #remember #join #login-error  the form
 *   #chat-view (not hidden = logged in), data-v on it = protocol version
 *   #rooms, #dms: .conv[data-conv="<rid>"|"@<uid>"], its a.go, .badge
 *       (.full = mentions), .x leaves or closes; a.go[aria-current=page]
 *   #title #sub  head of the conversation; #back #toggle-people
 *   #log: .m rows with data-seq, data-cid, data-uid, data-state
 *       ("" | pending | sent | failed); .first begins a group (avatar .av,
 *       .name, time); .text; .mark.pending|.sent|.read (title says it);
 *       .fail [data-act=retry|discard]; .sep day, .sep.new[data-new] the
 *       line of the new ones; .top[data-state=load|more|begin|empty|error],
 *       [data-act=older]; .chunk[style*=height] sleeps
 *       .text.gone was recalled; .edited (title: when); .react[data-emo]
 *       [aria-pressed]; .pic img, audio, a.file; .going [data-act=discard];
 *       .tools [data-tool=react|quote|more] under the mouse
 *   dialog#menu .quick .emo, [data-act=quote|copy|link|edit|recall|mention|
 *       tell|emoji]   dialog#viewer img
 *   #jump  pill (.full with a count)   #text #send #count  composer
 *   #complete [role=option]  #emoji button.emo  #smile  #note  .rec
 *   #editing [data-act=cancel]  #attach .take  #mic  .dropping  #files
 *   #people .person[data-uid] (.away = offline), .head, #find-people
 *   #banner [data-act=now]  #conn[data-state]  #toasts .toast  #final
 *   #said  live region   #lang #theme #keys #out  #find #add-room
 *   dialog#switcher input, [role=option]   dialog#shortcuts
 *   #me opens dialog#settings [data-set=...]   dialog#readers .choice
 *   #typing (.on)   #final[data-why] [data-act=again]   #told  state, read out
 */
import { $, attr, effect, text } from './dom.js';
import { has, label, lang, setLang, t } from './i18n.js';
import { dark, local, random, tab, theme } from './prefs.js';

/** @typedef {{name: string, token?: string, uid?: string}} Id */

/* A token in the address is taken out before anything else happens. */
const hash = new URLSearchParams(
	location.hash.startsWith('#/') ? '' : location.hash.slice(1));
const given = hash.get('token') ?? '';
const asked = hash.get('room') ?? new URLSearchParams(location.search).get('room');
if (given || hash.has('room'))
	history.replaceState(null, '', location.pathname + location.search);

/** Rooms are named by rid; the lobby has a name people can read. */
/** @param {string} s */
const ridOf = (s) => /^(lobby|大厅)?$/i.test(s.trim()) ? '1' : s.trim();
/** @param {string} rid */
const roomOf = (rid) => rid === '1' ? t('login.lobby') : rid;

/*
 * The chat's own code and the SDK, fetched when somebody is about to join;
 * all of it is named here, for what one module asks for by itself comes one
 * round trip later.  A fetch that failed is tried again the next time.
 */
const code = () => ({
	sdk: Promise.all([import('../sdk/cchat.js'), import('../sdk/link.js')]),
	chat: Promise.all([import('./chat.js'), import('../sdk/session.js'),
		import('../sdk/keep.js'), import('./store.js'), import('./log.js'),
		import('./row.js'), import('./composer.js'), import('./format.js'),
		import('./conv.js'), import('./people.js'),
		import('./rows.js'), import('./side.js')]),
});
/** @type {ReturnType<typeof code>|undefined} */ let coming;
const fetchCode = () => {
	const c = coming ??= code();
	Promise.all([c.sdk, c.chat]).catch(() => {
		if (coming === c)
			coming = undefined;
	});
	return c;
};

/** @param {string} [s] */
const error = (s) => {
	$('login-error').hidden = !s;
	text($('login-error'), s ?? '');
};

/** What the server said, in the reader's words. @param {any} e */
const reason = (e) => e.code === 403 ? t('login.refused') : has(`err.${e.code}`) ? t(`err.${e.code}`)
	: typeof e.code === 'number' && e.code >= 4000 ? t('conn.final')
	: !e.code || /^(network|timeout|closed)$/.test(e.code) ? t('login.network') : e.message;

let turn = 0;	/* which try to come in this is */
const PATIENCE = 2500;	/* without an answer so long, it is said, ms */

/** @param {boolean} on */
const busy = (on) => {
	$('join').disabled = on;
	text($('join'), t(on ? 'login.busy' : 'login.join'));
};

/**
 * @param {Id} id @param {string} rid
 * @param {{remember: boolean, persist?: boolean}} how
 */
const enter = async (id, rid, how) => {
	const mine = ++turn;
	busy(true);
	error();
	const device = local.get('dev') ?? `web-${random(4)}`;
	if (how.remember)
		local.set('dev', device);
	/* the try goes on, but Join begins another one */
	const slow = setTimeout(() => {
		error(t('login.slow'));
		busy(false);
	}, PATIENCE);
	/** @type {any} */ let app;
	try {
		const { sdk, chat: more } = fetchCode();
		const [{ CChat }] = await sdk;
		if (mine !== turn)
			return;
		last?.close();
		const chat = last = new CChat();
		chat.connect();
		const [{ Chat, Store }] = await more;
		if (mine !== turn)
			return;
		app = new Chat(chat, { leave });
		const login = () => chat.login({ name: id.name, rid, dev: device,
			token: id.token, uid: id.token ? undefined : id.uid,
			pos: Store.pos(id.uid ?? ''), persist: how.persist });
		if (how.remember)	/* so that the store may keep what it knows */
			local.set('id', { ...local.get('id'), name: id.name });
		else
			local.set('id', null);
		if (how.persist)
			setTimeout(() => app.start(), 300);
		const ok = await login().catch((e) => {
			if (e.code !== 401 || !id.token || given || mine !== turn)
				throw e;
			id.token = id.uid = undefined;	/* expired: come as a new one */
			return login();
		});
		if (how.remember) {
			/* uid goes with a token of the server's, or with version 1 */
			local.set('id', { name: id.name, uid: ok.uid,
				token: ok.token ?? id.token });
			local.set('room', rid);
			tab.set('live', { rid });
		}
		$('login-view').hidden = true;
		app.start();
		error();
	} catch (e) {
		if (mine !== turn)
			return;
		tab.set('live', null);
		if (app?.started) {	/* its page is no good for another one */
			tab.set('error', reason(e));
			return location.reload();
		}
		show();
		error(reason(e));
		at(id.token && /** @type {any} */ (e).code === 401 ? 'token' : 'name').focus();
	} finally {
		clearTimeout(slow);
	}
	busy(false);
};
/** @type {import('../sdk/cchat.js').CChat|undefined} the try before this one */ let last;

/** A field, or what stands in its place. @param {string} id */
const at = (id) => $(id).getClientRects().length ? $(id) : $('join');

/** Signed out, or sent away. @param {boolean} forget */
const leave = (forget) => {
	tab.set('live', null);
	tab.set('queue', null);
	if (forget) {
		const uid = local.get('id')?.uid;
		local.set('id', null);
		local.set('drafts', null);
		if (uid)
			local.set(`u.${uid}`, null);
	}
	location.hash = '';
	location.reload();
};

const words = () => {
	label();
	busy($('join').disabled);
	attr($('login'), 'aria-label', t('login.join'));
	if (/^(lobby|大厅)$/.test($('room').value))
		$('room').value = t('login.lobby');
};

/* A token may say who it is for: then nobody is asked for a name. */
const claim = () => {
	try {
		const part = $('token').value.trim().split('.')[1]
			.replace(/-/g, '+').replace(/_/g, '/');
		const { name } = JSON.parse(new TextDecoder().decode(
			Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
		return typeof name === 'string' ? [...name.trim()].slice(0, 32).join('') : '';
	} catch {
		return '';
	}
};
const named = () => {
	$('name').hidden = $('l-name').hidden = !!claim();
};

const show = () => {
	$('login-view').hidden = false;
	if (!document.activeElement || document.activeElement === document.body)
		at('name').focus();
};

const boot = () => {
	/** @type {Id|null} */ const id = local.get('id');
	const live = tab.get('live');
	const route = /^#\/r\/([\w-]{1,32})/.exec(location.hash);
	const rid = asked ?? route?.[1] ?? live?.rid ?? local.get('room') ?? '1';
	$('name').value = id?.name ?? '';
	$('room').value = roomOf(ridOf(rid));
	$('token').value = given;
	$('token-box').open = !!given;
	named();
	$('remember').checked = local.get('remember', true);
	effect([lang], words);
	$('login-lang').addEventListener('click', () =>
		setLang(lang.value === 'zh' ? 'en' : 'zh'));
	$('login-theme').addEventListener('click', () => theme(dark() ? 'light' : 'dark'));
	$('login').addEventListener('input', fetchCode, { once: true });
	$('token').addEventListener('input', named);
	$('login').addEventListener('submit', (/** @type {Event} */ e) => {
		e.preventDefault();
		const name = claim() || $('name').value.trim();
		const room = ridOf($('room').value);
		const bad = !name ? 'name' : !/^[\w-]{1,32}$/.test(room) ? 'room' : '';
		if (bad) {
			error(t(bad === 'name' ? 'login.noname' : 'login.badroom'));
			return $(bad).focus();
		}
		if ($('join').disabled)
			return;
		const remember = $('remember').checked;
		local.set('remember', remember ? null : false);
		const token = $('token').value.trim();
		const known = remember && !token ? local.get('id') : null;
		enter({ name, token: token || known?.token, uid: known?.uid }, room,
			{ remember });
	});
	if (live && id && !given && asked === null)	/* the tab was reloaded */
		enter({ ...id }, ridOf(rid), { remember: true, persist: true });
	else
		show();
	error(tab.get('error', ''));
	tab.set('error', null);
};

theme();
const wait = setLang();
if (wait)
	wait.then(boot);
else
	boot();	/* at once: the first field has the focus when the page is there */
