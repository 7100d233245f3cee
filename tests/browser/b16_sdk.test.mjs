/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * page.md (d) 66 and 67: the SDK alone, on an empty page, in a worker, and in
 * node: one walk through all of it, three times.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import ws from 'ws';
import { Cluster } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { FaultProxy } from '../lib/faultproxy.mjs';
import { png } from '../lib/media.mjs';
import { MS, launch, wait } from './page.mjs';

let c, b, f, url, n = 0;
before(async () => {
	f = await FaultProxy.listen(() => c.msgs[0].ports.direct);
	url = `http://127.0.0.1:${f.port}/`;
	c = await Cluster.start({ msgs: 1, conf: { msg_server: {
	    origins: [url.slice(0, -1)] } } });
	b = await launch();
});
after(async () => {
	await b?.close();
	f?.close();
	await c?.stop();
});

/*
 * The steps.  Each is sent to where it runs, so it knows only its arguments:
 * t, what the steps before it left, and a.
 */
const steps = {
	async begin(t, a)
	{
		const { CChat } = await import(a.sdk);
		t.chat = new CChat({ backoff: [50, 300], ...t.more,
		    ...(a.url ? { url: a.url } : {}) });
		t.heard = [];
		t.items = [];
		t.states = [];
		t.synced = [];
		t.chat.on('message', m => t.heard.push([m.conv, m.seq, m.msg, m.mine]));
		t.chat.on('item', i => t.items.push([i.cmd, i.ref,
		    i.msg ?? i.emo ?? i.title ?? '', i.mine]));
		t.chat.on('state', s => t.states.push(s.state));
		t.chat.on('synced', s => t.synced.push(s.missed));
		t.chat.on('message', () => { throw new Error('a handler of no use'); });
		return [typeof document, t.chat.state];
	},
	async login(t, a)
	{
		const ok = await t.chat.login({ name: 'Ada', rid: a.rid });
		return { v: ok.v, me: t.chat.me, state: t.chat.state,
		    caps: [...t.chat.caps].sort(), token: typeof ok.token };
	},
	async say(t, a)
	{
		const all = await Promise.all(a.texts.map(x =>
		    t.chat.send({ rid: a.rid }, x)));
		return all.map(x => x.seq);
	},
	async pages(t, a)
	{
		const of = { rid: a.rid }, down = [], up = [];
		for await (const m of t.chat.historyAll(of))
			down.push(m.msg);
		for await (const m of t.chat.historyAll(of, { reverse: true }))
			up.push(m.msg);
		const p = await t.chat.history(of, { limit: 2 });
		return { down, up, last: p.msgs.map(m => m.msg), more: p.more };
	},
	async items(t, a)
	{
		const of = { rid: a.rid };
		const seqs = [await t.chat.edit(of, a.ref, 'changed'),
		    await t.chat.react(of, a.ref, '+1'),
		    await t.chat.recall(of, a.ref)].map(x => x.seq);
		/* that is for who is in charge of a room */
		const no = await t.chat.title(a.rid, 'X').catch(e => e.code);
		const all = await t.chat.history(of);
		return { seqs, no, cmds: all.items.map(i => i.cmd), gone:
		    all.msgs.find(m => m.seq === a.ref)?.gone };
	},
	async file(t, a)
	{
		const bytes = Uint8Array.from(atob(a.png), x => x.charCodeAt(0));
		const blob = new Blob([bytes], { type: 'image/png' });
		const seen = [];
		const got = await t.chat.sendFile({ rid: a.rid }, blob,
		    { name: 'dot.png', onprogress: x => seen.push(x) });
		return { seq: got.seq, first: seen[0], last: seen.at(-1) };
	},
	/* while the line is down */
	late(t, a)
	{
		t.late = a.texts.map(x => t.chat.send({ rid: a.rid }, x));
		return t.chat.state;
	},
	async resumed(t)
	{
		return (await Promise.all(t.late)).map(x => x.seq);
	},
	state(t)
	{
		return t.chat.state;
	},
	heard(t)
	{
		return { heard: t.heard, items: t.items, synced: t.synced };
	},
	end(t)
	{
		t.chat.close();
		return t.chat.state;
	},
};

/* The walk; `at` runs a step somewhere. */
async function
walk(at, a)
{
	const rid = `sdk${++n}`;
	const o = await Client.login(c.msgs[0].ws, 'Other', rid);
	await at('begin', a);
	const me = await at('login', { rid });
	assert.equal(me.v, 2);
	assert.equal(me.state, 'online');
	assert.match(me.me.uid, /^\d{16}$/);
	for (const cap of ['ack', 'history', 'marks', 'presence', 'join', 'edit',
	    'recall', 'react', 'title', 'typing', 'upload'])
		assert.ok(me.caps.includes(cap), `${cap} is missing`);
	assert.deepEqual(await at('say', { rid, texts: ['1', '2', '3'] }), [1, 2, 3]);
	for (const x of ['1', '2', '3'])
		await o.hear(x);
	await o.say(rid, '4');
	await wait('4 is there', async () => (await at('heard')).heard.length === 4);
	assert.deepEqual(await at('pages', { rid }), { down: ['1', '2', '3', '4'],
	    up: ['4', '3', '2', '1'], last: ['3', '4'], more: true });

	const items = await at('items', { rid, ref: 2 });
	assert.deepEqual(items, { seqs: [5, 6, 7], no: 403, gone: 'recall',
	    cmds: ['message', 'message', 'message', 'message', 'edit', 'react',
	        'recall'] });
	for (const cmd of ['edit', 'react', 'recall'])
		await o.next(cmd);

	const file = await at('file', { rid, png: png(3, 2).toString('base64') });
	assert.deepEqual(file, { seq: 8, first: 0, last: 1 });
	const pic = await o.next(m => m.cmd === 'message' && m.type === 'pic');
	assert.match(pic.msg, /^\/u\/[0-9a-f]{64}\.png\?w=3&h=2$/);

	/* a loss; meanwhile two are said there, two here */
	f.refuse(true);
	f.reset();
	await wait('it knows', async () => await at('state') === 'reconnecting');
	await o.say(rid, '9');
	await o.say(rid, '10');
	assert.equal(await at('late', { rid, texts: ['11', '12'] }), 'reconnecting');
	f.refuse(false);
	assert.deepEqual(await at('resumed'), [11, 12]);
	const { heard, items: got, synced } = await wait('all of it', async () => {
		const all = await at('heard');
		return all.heard.length === 9 ? all : null;
	});
	assert.deepEqual(heard.map(m => m[1]), [1, 2, 3, 4, 8, 9, 10, 11, 12]);
	assert.deepEqual(heard.filter(m => !m[3]).map(m => m[2]), ['4', '9', '10']);
	assert.deepEqual(got.map(i => i.slice(0, 2)), [['edit', 2], ['react', 2],
	    ['recall', 2]]);
	assert.equal(synced.at(-1), 2);
	assert.equal(await at('end'), 'closed');
	await o.bye();
}

/* As JSON sends it. */
const plain = v => v === undefined ? v : JSON.parse(JSON.stringify(v));
/* What is not there is a page of no policy of ours, and soon of no word. (One
 * that the test itself serves were none of this machine to Chromium, and so
 * might not speak with it.) */
const blank = async () => {
	const page = await (await b.newContext({ bypassCSP: true })).newPage();
	await page.goto(`${url}nothing`);
	await page.evaluate(() => document.body.replaceChildren());
	return page;
};
const inPage = page => async (name, a = {}) => plain(await page.evaluate(
    `(async () => { globalThis.t ??= {};
	return (${steps[name].toString().replace(/^(async )?(\w+)\(/,
	    '$1function $2(')})(globalThis.t, ${JSON.stringify(a)}); })()`));

test('66. an empty page: login, send, history, items, a file, resume',
    async () => {
	const page = await blank();
	await walk(inPage(page), { sdk: `${url}sdk/cchat.js` });
	await page.context().close();
});

test('66. what is loaded: two files at first, two for a login, the rest ' +
    'when wanted; one that fails is fetched again', async () => {
	const page = await blank(), at = inPage(page), got = [];
	page.on('request', r => {
		const m = /\/sdk\/(\w+)\.js$/.exec(r.url());
		if (m)
			got.push(m[1]);
	});
	let broken = true;
	await page.route('**/sdk/keep.js', r => broken ? r.abort() : r.continue());
	await at('begin', { sdk: `${url}sdk/cchat.js` });
	assert.deepEqual(got.splice(0).sort(), ['cchat', 'link']);
	await assert.rejects(at('login', { rid: 'lone' }), /keep\.js/);
	assert.equal(await at('state'), 'closed');
	broken = false;
	await at('login', { rid: 'lone' });
	assert.deepEqual([...new Set(got.splice(0))].sort(),
	    ['keep', 'session']);
	await at('say', { rid: 'lone', texts: ['x'] });
	assert.deepEqual(got, []);
	await at('pages', { rid: 'lone' });
	assert.deepEqual(got.splice(0), ['asks']);
	/* back after a loss with nothing to fetch */
	await page.route('**/sdk/*', r => r.abort());
	f.reset();
	await at('say', { rid: 'lone', texts: ['y'] });
	assert.deepEqual(got, []);
	await at('end');
	await page.context().close();
});

test('66. a room is entered while the code for it is coming: nothing hangs',
    async () => {
	const page = await blank();
	page.setDefaultTimeout(MS);
	let go;
	const held = new Promise(on => { go = on; });
	await page.route('**/sdk/keep.js', async r => {
		await held;
		await r.continue();
	});
	await inPage(page)('begin', { sdk: `${url}sdk/cchat.js` });
	await page.evaluate(() => {
		const { chat } = globalThis.t;
		globalThis.done = Promise.all([chat.login({ name: 'Ada', rid: 'late1',
		    persist: true }), chat.join('late2')]).then(() => chat.rooms);
	});
	/* the page still answers when all but one is there */
	await page.waitForFunction(u => performance.getEntriesByName(u).length,
	    `${url}sdk/session.js`);
	await page.waitForFunction(() => new Promise(r => setTimeout(r, 50, true)));
	go();
	assert.deepEqual(await page.evaluate(() => globalThis.done),
	    ['late1', 'late2']);
	await inPage(page)('end');
	await page.context().close();
});

test('67. a worker: the same', async () => {
	const page = await blank();
	await page.evaluate(() => {
		const code = `const t = {};
onmessage = async ({ data: [id, code, a] }) => {
	try {
		const fn = Function('return ' + code)();
		postMessage([id, await fn(t, a)]);
	} catch (e) {
		postMessage([id, null, String(e)]);
	}
};`;
		const w = new Worker(URL.createObjectURL(new Blob([code],
		    { type: 'text/javascript' })), { type: 'module' });
		const wait = new Map();
		/* but for the handler that throws */
		w.onerror = e => /of no use/.test(e.message) || wait.forEach(
		    ([, no]) => no(new Error(e.message || 'it does not start')));
		w.onmessage = ({ data: [id, v, e] }) => {
			const [resolve, reject] = wait.get(id);
			e ? reject(new Error(e)) : resolve(v);
		};
		let n = 0;
		globalThis.step = (code, a) => new Promise((...p) => {
			wait.set(++n, p);
			w.postMessage([n, code, a]);
		});
	});
	await walk(async (name, a = {}) => plain(await page.evaluate(([code, x]) =>
	    globalThis.step(code, x), [steps[name].toString().replace(
	    /^(async )?(\w+)\(/, '$1function $2('), a])),
	    { sdk: `${url}sdk/cchat.js`, url: `${url.replace('http', 'ws')}ws` });
	await page.context().close();
});

test('67. node: the same, by its own WebSocket or one that is given',
    async () => {
	const t = { more: globalThis.WebSocket ? {} : { WebSocket: ws } };
	const was = globalThis.reportError;
	let thrown = 0;
	globalThis.reportError = () => { thrown++; };
	try {
		await walk(async (name, a = {}) => plain(await steps[name](t, a)),
		    { sdk: '../../www/sdk/cchat.js', url: `${url.replace('http', 'ws')}ws` });
	} finally {
		globalThis.reportError = was;
	}
	assert.equal(thrown, 9, 'a handler that throws is told of, and no more');
});

test('66. the example: a chat in the corner of a page', async () => {
	const o = await Client.login(c.msgs[0].ws, 'Helper', 'support');
	await o.say('support', 'How can I help?');
	const page = await (await b.newContext({ viewport: { width: 900,
	    height: 620 } })).newPage(), errors = [];
	page.setDefaultTimeout(MS);
	page.on('console', m => ['error', 'warning'].includes(m.type()) &&
	    errors.push(m.text()));
	page.on('pageerror', e => errors.push(e.message));
	await page.goto(`${url}sdk/example.html`);
	await page.locator('#name').fill('Ada');
	await page.locator('#login button').click();
	const li = text => page.locator('#log li', { hasText: text });
	await li('How can I help?').waitFor();
	await page.locator('#text').fill('It does not fit.');
	await page.keyboard.press('Enter');
	const mine = await o.hear('It does not fit.');
	await page.locator('#log li.mine:not(.pending)', { hasText: 'fit' }).waitFor();
	assert.equal(await li('It does not fit.').count(), 1);
	await page.locator('#file').setInputFiles({ name: 'fit.png',
	    mimeType: 'image/png', buffer: png(64, 40) });
	await page.locator('#log li.mine img[width="64"]').waitFor();
	assert.equal((await o.next(m => m.type === 'pic')).uid, mine.uid);
	const said = await o.say('support', 'We chaneg it');
	await o.cmd({ cmd: 'edit', rid: 'support', ref: said.seq, msg: 'We change it.' });
	await li('We change it.').waitFor();
	o.send({ cmd: 'typing', rid: 'support', on: true });
	await page.locator('#typing', { hasText: 'Helper is writing' }).waitFor();
	if (process.env.CCHAT_SHOTS)
		await page.screenshot({ path: `${process.env.CCHAT_SHOTS}/example.png` });
	assert.deepEqual(errors, []);
	await page.context().close();
	await o.bye();
});

test('67. no word of document or window in it', async () => {
	for (const x of ['cchat', 'link', 'session', 'keep', 'asks',
	    'upload']) {
		const code = (await readFile(new URL(`../../www/sdk/${x}.js`,
		    import.meta.url), 'utf8')).replace(/\/\*[^]*?\*\//g, '');
		assert.doesNotMatch(code, /\b(document|window|localStorage|navigator)\b/, x);
	}
});
