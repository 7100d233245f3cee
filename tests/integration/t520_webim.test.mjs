/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * PHPWebIM's clients by WebSocket: its recorded conversations, and what its
 * page relies on. The deviations are the faults of the original that are not
 * reproduced (dialects/phpwebim.md).
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { Cluster, fetch } from '../lib/cluster.mjs';
import { load } from '../lib/replay.mjs';
import { Page, replay } from '../lib/webim.mjs';

const file = name => new URL(`../dialect/webim/${name}.jsonl`,
    import.meta.url);

/* a change of the frames that are received, deep within */
const received = fn => r => {
	if (r.dir !== 'recv')
		return undefined;
	const was = JSON.parse(r.frame), is = fn(structuredClone(was));
	if (is === undefined || JSON.stringify(is) === JSON.stringify(was))
		return undefined;
	r.frame = JSON.stringify(is);
	return r;
};

const honest = m => {
	if (m?.from !== 999)
		return m;
	const { extra, ...rest } = m;
	return { ...rest, from: 2, channal: 0 };
};

const ownNumber = { why: 'from is the number of who says it, channal a number, ' +
    'and members the page does not know are dropped',
	change: received(f => f.cmd === 'getHistory' ? { ...f,
	    history: f.history.map(e => ({ ...e, msg: honest(e.msg) })) } :
	    f.cmd === 'fromMsg' ? honest(f) : f) };

const escape = s => s.startsWith('<b>') ? s.replace(/<\/?b>/g, '')
    .replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/'/g, '&#039;') :
    s.replace(/&/g, '&amp;').replace(/'/g, '&#039;');

const walk = v => Array.isArray(v) ? v.map(walk) : v && typeof v === 'object' ?
    Object.fromEntries(Object.entries(v).map(([k, x]) => [k,
	['name', 'avatar'].includes(k) ? escape(x) : walk(x)])) : v;

const escaped = { why: 'names and avatars are escaped, as since 2016: the page ' +
    'puts them into HTML',
	change: received(f => f.from === 0 ?
	    { ...f, data: f.data.replace(/<[/]?b>/g, '') } : walk(f)) };

describe('recorded conversations', () => {
	/* it took the original half a minute to see a socket closed; here none */
	const sooner = r => ({ ...r, t: r.t > 41 ? r.t - 29 : r.t });
	const run = (name, word, conf, deviations) => test(name, async () => {
		const c = await Cluster.start({ msgs: 1, strict: true, conf: {
		    msg_server: { dialects: [word, 'cchat'], ...conf } } });
		try {
			await replay(load(file(name)).map(sooner),
			    { port: c.msgs[0].ports.public, deviations });
		} finally {
			await c.stop();
		}
	});
	/* the classic has no limit of rate */
	run('phpwebim-2014-basic', 'webim2014', { v1_interval: 0 },
	    [ownNumber, escaped]);
	run('phpwebim-2016-basic', 'webim', {}, [ownNumber]);
});

/* ids of sessions are numbers that a double holds */
const isFd = n => Number.isSafeInteger(n) && n > 0;

describe('beside CChat, on two servers', () => {
	let c, at;
	before(async () => {
		c = await Cluster.start({ msgs: 2, conf: { msg_server: {
		    dialects: ['cchat', 'webim'], lobby: '7' } } });
		at = i => `ws://127.0.0.1:${c.msgs[i].ports.direct}/`;
	});
	after(() => c?.stop());

	test('who has a cmd is CChat, but for the logins of this page', async () => {
		for (const f of [{ cmd: 'login', name: 'amy', rid: '7', avatar: '/a' },
		    { cmd: 'login', name: 'amy', rid: 7 }]) {
			const p = await Client.open(at(0));
			p.send(f);
			assert.equal((await p.next('login')).rid, f.rid);
			await p.bye();
		}
		const p = await Client.open(at(0));
		p.send({ cmd: 'login', name: 'amy', v: 2, cid: 'c', avatar: '/a' });
		assert.equal((await p.next('error')).errCode, 400);
		p.send({ cmd: 'getOnline' });
		assert.equal((await p.next('error')).errCode, 102);
		await p.bye();
	});

	test('rooms, people and history are the same', async () => {
		const amy = await Client.login(at(1), 'amy <b>', '7', { uid: 'amy' });
		const xdy = await Page.login(at(0), 'x<i>d</i>y & co', 'c.png');
		assert.ok(isFd(xdy.fd));
		assert.deepEqual(xdy.me, { cmd: 'login', fd: xdy.fd,
		    name: 'xdy &amp; co', avatar: 'c.png' });
		const came = await amy.next(f => f.cmd === 'newUser' &&
		    f.name === 'xdy & co');
		assert.match(came.uid, /^fd-[0-9a-f]+$/);
		assert.equal(parseInt(came.uid.slice(3), 16), xdy.fd);

		xdy.send({ cmd: 'getOnline' });
		const on = await xdy.next('getOnline');
		assert.deepEqual(on.list.map(p => p.name).sort(),
		    ['amy &lt;b&gt;', 'xdy &amp; co']);
		assert.deepEqual(on.users, on.list.map(p => String(p.fd)));
		const her = on.list.find(p => p.fd !== xdy.fd);

		await amy.say('7', '<b>to & all</b>');
		assert.deepEqual(await xdy.hear('<b>to & all</b>'), { cmd: 'fromMsg',
		    from: her.fd, channal: 0, data: '<b>to & all</b>', type: 'text' });
		xdy.say('to her', her.fd);
		const secret = await amy.next(f => f.msg === 'to her');
		assert.equal(secret.tid, came.uid);
		await amy.cmd({ cmd: 'message', tid: came.uid, type: 'text',
		    msg: 'to him' });
		assert.deepEqual(await xdy.hear('to him'), { cmd: 'fromMsg',
		    from: her.fd, to: String(xdy.fd), channal: 1, data: 'to him',
		    type: 'text' });
		xdy.say('{"url":"/u/1.jpg","thumb":"/u/1_t.jpg","x":1}', undefined,
		    'image');
		const pic = await amy.next(f => f.type === 'pic');
		assert.equal(pic.msg, '/u/1.jpg#thumb=/u/1_t.jpg');
		await amy.say('7', 'https://h/p.png', { type: 'pic' });
		assert.deepEqual(JSON.parse((await xdy.next(f => f.type === 'image'))
		    .data), { url: 'https://h/p.png', thumb: 'https://h/p.png' });
		await amy.say('7', 'javascript:alert(1)', { type: 'pic' });
		assert.equal((await xdy.hear('javascript:alert(1)')).type, 'text');

		xdy.send({ cmd: 'getHistory' });
		const h = (await xdy.next('getHistory')).history;
		assert.deepEqual(h.map(e => e.msg.data), ['<b>to & all</b>',
		    '{"url":"/u/1.jpg","thumb":"/u/1_t.jpg"}',
		    '{"url":"https://h/p.png","thumb":"https://h/p.png"}',
		    'javascript:alert(1)']);
		assert.deepEqual(h[0].user, { cmd: 'login', fd: her.fd,
		    name: 'amy &lt;b&gt;', avatar: '' });

		/* another name, and away */
		const zoe = await Page.login(at(1), 'zoe');
		await xdy.login('xdy2', '/b.png');
		assert.deepEqual(await zoe.next('newUser'), { cmd: 'newUser',
		    fd: xdy.fd, name: 'xdy2', avatar: '/b.png' });
		assert.equal((await zoe.next(f => f.from === 0)).data,
		    'xdy2上线了');
		await xdy.bye();
		assert.equal((await zoe.next('offline')).data, 'xdy2下线了');
		await zoe.bye();
		assert.equal((await amy.next('offline')).uid, came.uid);
		await amy.bye();
	});

	test('coming and going across servers, and private messages', async () => {
		const a = await Page.login(at(0), 'ann');
		const b = await Page.login(at(1), 'bob');
		assert.equal((await a.next('newUser')).fd, b.fd);
		assert.equal((await a.next(f => f.from === 0)).data, 'bob上线了');
		a.say('psst', b.fd);
		assert.deepEqual(await b.hear('psst'), { cmd: 'fromMsg', from: a.fd,
		    to: String(b.fd), channal: 1, data: 'psst', type: 'text' });
		/* to nobody: no answer, and nobody hears it */
		a.say('lost', 1);
		a.say('lost', 2 ** 52);
		a.say('all');
		await b.hear('all');
		assert.ok(![...a.seen, ...b.seen].some(f => f.data === 'lost' ||
		    f.cmd === 'error'));
		await a.bye();
		assert.deepEqual(await b.next('offline'), { cmd: 'offline', fd: a.fd,
		    from: 0, channal: 0, data: 'ann下线了' });
		await b.bye();
	});

	test('what is said before a login stays unsaid', async () => {
		const p = await Page.open(at(0));
		p.send({ cmd: 'message', from: 1, channal: 0, data: 'anon' });
		assert.deepEqual(await p.next('error'),
		    { cmd: 'error', code: 103, msg: 'log in first' });
		await p.bye();
	});
});

describe('answers and bounds', () => {
	let c, url;
	before(async () => {
		c = await Cluster.start({ msgs: 1, conf: { msg_server: {
		    dialects: ['webim', 'webim2019', 'cchat'], v1_interval: 2,
		    send_rate: 1, send_burst: 20 } } });
		url = `ws://127.0.0.1:${c.msgs[0].ports.public}`;
	});
	after(() => c?.stop());

	test('errors', async () => {
		const p = await Page.login(`${url}/any/path?x=1`, 'ann');
		const wrong = async (f, code, msg) => {
			p.send(f);
			assert.deepEqual(await p.next('error'),
			    { cmd: 'error', code, msg });
		};
		for (const f of ['', 'x', '[]', '{}', '{"cmd":""}', '{"cmd":0}'])
			await wrong(f, 101, 'invalid command');
		await wrong({ cmd: 'nope' }, 102, 'command cmd_nope no support.');
		/* bytes; judged before the rate */
		for (const data of ['x'.repeat(1025), `${'林'.repeat(341)}xy`])
			await wrong({ cmd: 'message', channal: 0, data }, 102,
			    'message max length is 1024');
		p.say(`${'林'.repeat(341)}x`);
		await wrong({ cmd: 'message', channal: 0, data: 'y' }, 104,
		    'over frequency limit');
		await p.bye();
	});
	test('one may come again twenty times at once, then less', async () => {
		const p = await Page.login(url, 'ann');
		for (let i = 0; i < 40; i++)
			p.send({ cmd: 'login', name: `ann${i}`, avatar: '' });
		assert.equal((await p.next('error')).code, 104);
		await p.next(f => f.name === 'ann19');
		await p.bye();
	});
	test('an image is two addresses, or none', async () => {
		const p = await Page.login(url, 'ann');
		for (const data of ['x', '[]', '{}', '{"url":1}', 'alert(1)',
		    '{"url":"javascript:x","thumb":"/t"}', '{"url":"//h/x"}',
		    '{"url":"/x","thumb":"/t\\" onerror=\\"x"}', '{"url":"/<b>"}']) {
			p.say(data, undefined, 'image');
			assert.equal((await p.next('error')).code, 103, data);
		}
		p.say('{"url":"/x"}', undefined, 'image');
		await p.settle();
		assert.equal(p.seen.filter(f => f.code === 103).length, 9);
		await p.bye();
	});
	test('a name is cut, an avatar dropped', async () => {
		const p = await Page.login(url, '林'.repeat(40), 'javascript:x');
		assert.equal(p.me.name, '林'.repeat(21));
		assert.equal(p.me.avatar, '');
		const q = await Page.login(url, 'x'.repeat(65), `/${'a'.repeat(255)}`);
		assert.equal(q.me.name, 'x'.repeat(32));
		assert.equal(q.me.avatar.length, 256);
		const r = await Page.login(url, 'a\\b', `/${'a'.repeat(256)}`);
		assert.equal(r.me.name, 'a\\\\b');
		assert.equal(r.me.avatar, '');
		await Promise.all([p.bye(), q.bye(), r.bye()]);
	});
	test('2019: at /websocket, and numbers are strings', async () => {
		const p = await Page.login(`${url}/websocket`, 'ann');
		assert.equal(typeof p.fd, 'string');
		const q = await Page.login(url, 'bob');
		assert.equal((await p.next('newUser')).fd, String(q.fd));
		q.say('psst', p.fd);
		assert.deepEqual(await p.hear('psst'), { cmd: 'fromMsg',
		    from: String(q.fd), to: p.fd, channal: 1, data: 'psst',
		    type: 'text' });
		await Promise.all([p.bye(), q.bye()]);
	});
	test('config.js says where the WebSocket is', async () => {
		const m = c.msgs[0];
		const get = (port, headers) => fetch(port, '/config.js', { headers });
		const host = `127.0.0.1:${m.ports.public}`;
		assert.equal((await get(m.ports.public)).body,
		    `var webim = {'server':'ws://${host}'}\n`);
		assert.equal((await get(m.ports.public, { host: 'im.example:81',
		    'x-forwarded-proto': 'https' })).body,
		    'var webim = {\'server\':\'wss://im.example:81\'}\n');
		for (const bad of ['x\'+y', 'x/y', 'x"', 'x\\'])
			assert.notEqual((await get(m.ports.public, { host: bad }))
			    .status, 200, bad);
	});
});

test('a hundred lines of history, the newest of them', async () => {
	const c = await Cluster.start({ msgs: 1,
	    conf: { msg_server: { dialects: ['webim2014'] } } });
	try {
		const p = await Page.login(`ws://127.0.0.1:${c.msgs[0].ports.public}`,
		    'ann');
		const q = await Page.login(`ws://127.0.0.1:${c.msgs[0].ports.public}`,
		    'bob');
		for (let i = 0; i < 101; i++) {
			p.say(`n${i}`);
			if (i % 20 === 0)
				await q.hear(`n${i}`);
		}
		q.send({ cmd: 'getHistory' });
		const h = (await q.next('getHistory')).history;
		assert.deepEqual(h.map(e => e.msg.data),
		    Array.from({ length: 100 }, (_, i) => `n${i + 1}`));
		assert.deepEqual(Object.keys(h[0]), ['user', 'msg', 'time']);
		await Promise.all([p.bye(), q.bye()]);
	} finally {
		await c.stop();
	}
});

test('with tokens: nobody comes in without one', async () => {
	const c = await Cluster.start({ msgs: 1,
	    conf: { msg_server: { dialects: ['webim'], auth: 'token',
		allow_no_origin: 'yes' } } });
	try {
		const p = await Page.open(`ws://127.0.0.1:${c.msgs[0].ports.public}`);
		p.send({ cmd: 'login', name: 'ann', avatar: 'a.png' });
		assert.equal((await p.next('error')).code, 103);
		await p.bye();
	} finally {
		await c.stop();
	}
});
