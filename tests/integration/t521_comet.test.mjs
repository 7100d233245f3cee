/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * PHPWebIM's long poll: the recorded conversation, of 2016; that of 2019,
 * with its cookie; and the bounds of both.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { Cluster, until } from '../lib/cluster.mjs';
import { load } from '../lib/replay.mjs';
import { Comet, Page, ask, replay } from '../lib/webim.mjs';

const start = (words, conf, o) => Cluster.start({ msgs: 1, ...o, conf: {
    msg_server: { dialects: words, ...conf } } });

const deviations = [
	{ why: 'the recorded server had run before: it had a history',
	    change: r => {
		if (!r.body?.includes('\\"cmd\\":\\"getHistory\\"'))
			return undefined;
		r.body = '{"success":1,"data":"{\\"cmd\\":\\"getHistory\\",' +
		    '\\"history\\":[]}"}';
		return r;
	    } },
	{ why: 'a plain GET is one of the page', change: r => r.who === 'X' &&
	    r.path === '/' ? null : undefined },
	{ why: 'a session outlives the connection of its last poll, by ' +
	    'comet_keep: nobody is told it left, and what it says is heard',
	    change: r => {
		if (r.dir === 'recv' && r.frame.includes('"offline"'))
			return null;
		if (r.t <= 5.163 || r.who !== 'C')
			return undefined;
		if (r.path === '/sub')
			return null;
		if (r.status === 403) {
			r.status = 404;
			r.body = '<h1>Channel Not Found</h1>';
		}
		return r;
	    } },
];

test('the recorded conversation', async () => {
	const c = await start(['webim'], {}, { strict: true });
	try {
		await replay(load(new URL(
		    '../dialect/webim/phpwebim-2016-comet.jsonl', import.meta.url)),
		    { port: c.msgs[0].ports.public, deviations });
	} finally {
		await c.stop();
	}
});

describe('beside WebSockets', () => {
	let c, port, ws;
	before(async () => {
		c = await start(['webim', 'webim2019', 'cchat'], { lobby: '7',
		    comet_keep: 5, login_timeout: 600 });
		port = c.msgs[0].ports.public;
		ws = `ws://127.0.0.1:${port}`;
	});
	after(() => c?.stop());

	for (const year of [2016, 2019])
		test(`of ${year}: all that is said, in order`, async () => {
			const p = await Page.login(ws, 'page');
			const k = await Comet.open(port, { year });
			await k.login('comet <b>', 'c.png');
			assert.equal(typeof k.fd, year === 2019 ? 'string' : 'number');
			const came = await p.next('newUser');
			assert.equal(String(came.fd), String(k.fd));
			await p.next(f => f.from === 0);
			/* one answer each, and none is lost between two polls */
			for (let i = 0; i < 40; i++)
				p.say(`m${i}`);
			for (let i = 0; i < 40; i++)
				assert.equal((await k.next('fromMsg')).data, `m${i}`);
			k.say('from comet');
			assert.equal(String((await p.hear('from comet')).from),
			    String(k.fd));
			p.say('psst', k.fd);
			assert.equal((await k.hear('psst')).to, String(k.fd));
			k.say('back', p.fd);
			await p.hear('back');
			const amy = await Client.login(ws, 'amy', '7');
			await amy.say('7', 'from CChat');
			await k.hear('from CChat');
			await amy.bye();
			await k.send({ cmd: 'getHistory' });
			assert.ok((await k.next('getHistory')).history
			    .some(e => e.msg.data === 'from comet'));
			k.stop();
			p.say('the last');
			assert.equal((await p.next('offline')).data, 'comet下线了');
			await p.bye();
		});

	test('what one has no session for', async () => {
		const deny = { status: 403, body: '<h1>Access Deny.</h1>' };
		const is = async (path, form, o, want = deny) => {
			const { status, body } = await ask(port, path, form, o);
			assert.deepEqual({ status, body }, want);
		};
		await is('/', { type: 'pub', session_id: 'x', message: '{}' });
		await is('/', { type: 'sub' });
		await is('/', { type: 'connect', session_id: '0'.repeat(32) });
		await is('/', { nothing: '' });
		await is('/websocket/sub?time=1', null);
		await is('/websocket/pub', { message: '{}' },
		    { headers: { cookie: `session_key=${'0'.repeat(32)}` } });
		/* not from a page of somebody else's */
		await is('/', { type: 'connect' },
		    { headers: { origin: 'http://evil.example' } });
		const k = await Comet.open(port);
		await is('/', { type: 'nope', session_id: k.id }, {},
		    { status: 404, body: '<h1>Channel Not Found</h1>' });
		/* what is no frame is no command either */
		await is('/', { type: 'pub', session_id: k.id, message: '' }, {},
		    { status: 400, body: '<h1>Bad Message.</h1>' });
		await is('/', { type: 'pub', session_id: k.id,
		    message: 'x'.repeat(4097) }, {},
		    { status: 413, body: '<h1>Bad Message.</h1>' });
		await k.send({ cmd: 'nope' });
		assert.equal((await k.next('error')).code, 102);
		await is('/', { type: 'pub', session_id: k.id,
		    message: `"${'x'.repeat(4094)}"` }, {},
		    { status: 200, body: '{"success":1}' });
		assert.equal((await k.next('error')).code, 101);
		k.stop();
	});

	test('a poll that nobody waits for any more takes no text', async () => {
		const p = await Page.login(ws, 'page');
		const id = JSON.parse((await ask(port, '/',
		    { type: 'connect' })).body).session_id;
		const sub = o => ask(port, '/', { type: 'sub', session_id: id }, o);
		const data = async r => JSON.parse(JSON.parse((await r).body).data);
		await ask(port, '/', { type: 'pub', session_id: id,
		    message: '{"cmd":"login","name":"comet","avatar":"c.png"}' });
		assert.equal((await data(sub())).cmd, 'login');
		await p.next(f => f.from === 0);
		let req;
		const gone = sub({ onrequest: r => { req = r; } })
		    .catch(() => null);
		await new Promise(r => req.on('finish', r));
		const closed = new Promise(r => req.on('close', r));
		req.destroy();
		await Promise.all([gone, closed]);
		p.say('kept');
		/* the request of the one that left may be read after this one's,
		 * which ends it in vain; a text is not lost by that */
		const text = await until('kept', async () => {
			const { success, data } = JSON.parse((await sub()).body);
			return success === 1 && JSON.parse(data);
		});
		assert.equal(text.data, 'kept');
		await p.bye();
	});
});

describe('bounds', () => {
	let c, port;
	before(async () => {
		c = await start(['webim'], { comet_max: 2, comet_poll: 1,
		    comet_keep: 4, login_timeout: 600 });
		port = c.msgs[0].ports.public;
	});
	after(() => c?.stop());
	const post = form => ask(port, '/', form);

	test('a poll ends in vain, a newer one ends an older', async () => {
		const k = JSON.parse((await post({ type: 'connect' })).body).session_id;
		const vain = '{"success":0,"text":"timeout"}';
		assert.equal((await post({ type: 'sub', session_id: k })).body, vain);
		const older = post({ type: 'sub', session_id: k });
		const newer = until('the older poll ends', async () => {
			const r = await post({ type: 'sub', session_id: k });
			return r.body === vain;
		});
		assert.equal((await older).body, vain);
		await newer;
		/* nobody polls any more */
		await until('the session ends', async () => (await post(
		    { type: 'nope', session_id: k })).status === 403);
	});
	test('so many sessions, and then room again', async () => {
		const ids = [];
		for (let i = 0; i < 2; i++) {
			const r = await until('room', async () => {
				const x = await post({ type: 'connect' });
				return x.status === 200 && x;
			});
			ids.push(JSON.parse(r.body).session_id);
		}
		const r = await post({ type: 'connect' });
		assert.equal(r.status, 503);
		assert.equal(r.headers['retry-after'], '1');
		await until('room', async () =>
		    (await post({ type: 'connect' })).status === 200);
	});
});

test('more than its queue holds waits in the log, and all comes', async () => {
	const c = await start(['webim', 'cchat'], { comet_keep: 60 });
	const N = 400, pad = 'x'.repeat(1000);
	try {
		const { port, ws } = { port: c.msgs[0].ports.public,
		    ws: `ws://127.0.0.1:${c.msgs[0].ports.public}` };
		const k = await Comet.open(port, { still: true });
		await k.send({ cmd: 'login', name: 'comet', avatar: '' });
		const amy = await Client.login(ws, 'amy', '1');
		for (let i = 0; i < N; i += 50)
			await Promise.all(Array.from({ length: 50 }, (_, j) =>
			    amy.say('1', `${i + j} ${pad}`.slice(0, 1000))));
		const m = (await c.msgs[0].fetch('/metrics')).body;
		assert.match(m, /msg_lag_total\S* 1\n/);
		assert.ok(Number(/msg_queued_bytes\S* (\d+)/.exec(m)[1]) <
		    300 * 1024);
		k.loop();
		for (let i = 0; i < N; i++)
			assert.equal(parseInt((await k.next(f => f.from > 0)).data),
			    i, `after ${i} of ${N}`);
		await amy.bye();
		k.stop();
	} finally {
		await c.stop();
	}
});

test('a drain ends them, and a server with them stops', async () => {
	const c = await start(['webim'], {});
	const k = await Comet.open(c.msgs[0].ports.public);
	await k.login('comet');
	assert.equal((await c.msgs[0].fetch('/metrics')).body.match(
	    /^\w*msg_comet_sessions\S* (\d+)$/m)[1], '1');
	await c.stop();
	await until('its poll is denied', () => k.denied);
});
