/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Clients of workerman-chat: its recorded conversations on two msg_servers,
 * and what no recording shows - rooms and private messages across servers, to
 * people of CChat and back, escapes, limits, what is dropped, the heartbeat.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cluster, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { load, replayOld } from '../lib/replay_old.mjs';
import { ID, TIME, Workerman } from '../lib/workerman.mjs';

const file = name => new URL(`../dialect/workerman/${name}.jsonl`,
    import.meta.url);
const kinds = [
	{ name: 'time', match: TIME },
	{ name: 'client_id', match: ID, bind: true },
];
const conf = o => ({ msg_server: { dialects: ['workerman', 'cchat'], ...o } });
const start = (o = {}) => Cluster.start({ msgs: 2, ...o, conf: conf(o.set) });
const LONG = 15000;
/* cchatctl would ask the same: dropped without a word, so far */
const dropped = async m => Number(/^cchat_msg_dropped_in_total (\d+)/m.exec(
    (await m.fetch('/metrics')).body)[1]);

const once = 'names are escaped once, not twice';
const unescape = s => s.replaceAll('&amp;', '&');
const single = f => ({ ...f, client_name: unescape(f.client_name) });
const ghost = 'who has gone to another room is no ghost in the old one';
const himself = 'who is in the room already is told of himself once';
const order = 'what one says to himself is heard once it is kept, after the echo';
const without = name => f => ({ ...f, client_list: Object.fromEntries(
    Object.entries(f.client_list).filter(e => e[1] !== name)) });

const recorded = {
	'workerman-chat-basic': [],
	'workerman-chat-rooms': [
		{ who: 'A', t: 2.066, missing: true, why: ghost },
		{ who: 'E', t: 2.066, change: without('alice2'), why: ghost },
		{ who: 'A', t: 2.316, missing: true, why: ghost },
		{ who: 'A', t: 2.567, missing: true, why: himself },
	],
	'workerman-chat-escape': [
		{ who: 'A', t: 0.065, change: single, why: once },
		{ who: 'B', t: 0.319, change: single, why: once },
		{ who: 'A', t: 0.32, change: single, why: once },
		{ who: 'A', t: 2.327, change: f => ({ ...f,
		    content: '<b>你对me说: </b>to myself' }), why: order },
		{ who: 'A', t: 2.327, change: f => ({ ...f,
		    content: '<b>对你说: </b>to myself' }), why: order },
	],
	'workerman-chat-errors': [
		{ who: 'A', t: 4.418, missing: true, why: himself },
	],
};

describe('recorded conversations', () => {
	for (const [name, deviations] of Object.entries(recorded))
		test(name, async () => {
			const c = await start({ strict: true });
			/* the first of each recording at one server, others between */
			let n = 0;
			try {
				await replayOld(load(file(name)), { kinds, deviations,
				    url: () => c.msgs[n++ % 2].ws });
			} finally {
				await c.stop();
			}
		});
});

describe('people', () => {
	let c, at;
	before(async () => {
		c = await start();
		at = c.msgs.map(m => m.ws);
	});
	after(() => c?.stop());

	test('rooms across servers; the list has himself last', async () => {
		const a = await Workerman.enter(at[0], 'amy', 21);
		const b = await Workerman.enter(at[1], 'bob', '21');
		const other = await Workerman.enter(at[1], 'olga', 22);
		await a.comes('bob', LONG);
		assert.deepEqual(b.me.client_list, { [a.id]: 'amy', [b.id]: 'bob' });
		assert.equal(Object.keys(b.me.client_list).at(-1), b.id);
		assert.deepEqual(a.people, b.people);
		a.say('hello <21>');
		for (const p of [a, b]) {
			const f = await p.hear('hello &lt;21&gt;', LONG);
			assert.deepEqual(Object.keys(f), ['type', 'from_client_id',
			    'from_client_name', 'to_client_id', 'content', 'time']);
			assert.equal(f.from_client_id, a.id);
			assert.equal(f.from_client_name, 'amy');
			assert.equal(f.to_client_id, 'all');
			assert.match(f.time, TIME);
		}
		/* what is no message in its words is none */
		b.say('');
		assert.equal((await a.hear('', LONG)).from_client_id, b.id);
		await other.none(f => f.type !== 'login');
		await b.bye();
		assert.equal((await a.goes('bob', LONG)).from_client_id, b.id);
		assert.deepEqual(a.people, { [a.id]: 'amy' });
		await Promise.all([a.bye(), other.bye()]);
	});

	test('a second login moves', async () => {
		const a = await Workerman.enter(at[0], 'amy', 23);
		const b = await Workerman.enter(at[1], 'bob', 23);
		const d = await Workerman.enter(at[1], 'dora', 24);
		await a.comes('bob', LONG);
		await a.enter('amelie', 24);
		await b.goes('amy', LONG);
		assert.equal((await d.comes('amelie', LONG)).client_id, a.id);
		b.say('to 23');
		await b.hear('to 23', LONG);
		a.say('to 24');
		assert.equal((await d.hear('to 24', LONG)).from_client_name, 'amelie');
		await a.hear('to 24', LONG);
		await a.none(f => f.content === 'to 23');
		/* in the same room again: known by another name */
		await a.enter('amy2', 24);
		await d.comes('amy2', LONG);
		assert.deepEqual(d.people, { [d.id]: 'dora', [a.id]: 'amy2' });
		await a.bye();
		await d.goes('amy2', LONG);
		assert.deepEqual(d.people, { [d.id]: 'dora' });
		await Promise.all([b.bye(), d.bye()]);
	});

	test('private, across servers and rooms', async () => {
		const a = await Workerman.enter(at[0], 'amy', 25);
		const b = await Workerman.enter(at[1], 'b<o>b', 26);
		a.say('psst\n', b.id, 'b<o>b');
		const got = await b.hear('<b>对你说: </b>psst<br />\n', LONG);
		assert.equal(got.from_client_id, a.id);
		assert.equal(got.to_client_id, b.id);
		const echo = await a.hear('<b>你对b&lt;o&gt;b说: </b>psst<br />\n', LONG);
		assert.equal(echo.to_client_id, b.id);
		assert.equal(echo.from_client_id, a.id);
		/* who has gone hears nothing, who is new neither */
		const was = b.id;
		await b.bye();
		const n = await Workerman.enter(at[1], 'new', 26);
		a.say('too late', was, 'bob');
		await a.hear('<b>你对bob说: </b>too late', LONG);
		await n.none('say');
		assert.notEqual(n.id, was);
		await Promise.all([a.bye(), n.bye()]);
	});

	test('with people of CChat', async () => {
		const a = await Workerman.enter(at[0], "a'my", 27);
		const b = await Client.login(at[1], 'bob <2>', '27', { uid: 'b-2' });
		const v1 = await Client.login(at[1], 'old', 27, { v: 1, uid: 1001 });
		const seen = await a.comes('bob &lt;2&gt;', LONG);
		assert.match(seen.client_id, ID);
		const old = await a.comes('old', LONG);
		/* plain among those who escape for themselves */
		a.say('<i>"x"</i> & \'');
		for (const p of [b, v1]) {
			const f = await p.next(x => x.cmd === 'message', LONG);
			assert.equal(f.msg, '<i>"x"</i> & \'');
			assert.equal(f.name, "a'my");
			assert.match(f.uid, /^fd-[1-9a-f][0-9a-f]*$/);
		}
		const who = b.seen.find(x => x.cmd === 'message');
		await b.say('27', '<i>"y"</i>\n&');
		const f = await a.hear('&lt;i&gt;&quot;y&quot;&lt;/i&gt;<br />\n&amp;', LONG);
		assert.equal(f.from_client_id, seen.client_id);
		assert.equal(f.from_client_name, 'bob &lt;2&gt;');
		/* in private, there and back, by what each of them has */
		a.say('are you there?', seen.client_id, 'bob');
		const m = await b.hear('are you there?', LONG);
		assert.equal(m.uid, who.uid);
		assert.equal(m.tid, who.uid);
		await a.hear('<b>你对bob说: </b>are you there?', LONG);
		await b.cmd({ cmd: 'message', type: 'text', tid: m.uid, msg: 'yes' });
		const yes = await a.hear('<b>对你说: </b>yes', LONG);
		assert.equal(yes.to_client_id, a.id);
		assert.equal(yes.from_client_id, seen.client_id);
		a.say('and you?', old.client_id, 'old');
		assert.equal((await v1.hear('and you?', LONG)).tid, '1001');
		/* its number is nobody's uid but its own */
		await assert.rejects(Client.login(at[0], 'liar', '27', { uid: who.uid }),
		    e => e.errCode === 401);
		b.send({ cmd: 'bye' });
		assert.equal((await a.goes('bob &lt;2&gt;', LONG)).from_client_id,
		    seen.client_id);
		/* edits and the like: it has no words for them, and is not troubled */
		await a.bye();
		await v1.bye();
	});

	test('who came back is found by what was known of him', async () => {
		const a = await Workerman.enter(at[0], 'amy', 29);
		const b = await Client.login(at[0], 'bob', '29', { uid: 'b-9' });
		const was = (await a.comes('bob', LONG)).client_id;
		/* within the grace: nobody is told, and he has another number */
		b.drop();
		const b2 = await Client.login(at[1], 'bob', '29', { uid: 'b-9' });
		await until('he is reached', async () => {
			a.say('again', was, 'bob');
			return b2.next(f => f.msg === 'again', 300).catch(() => false);
		}, LONG);
		assert.deepEqual(Object.keys(a.people).sort(), [a.id, was].sort());
		/* and by another device, when that one has gone */
		const b3 = await Client.login(at[0], 'bob', '29', { uid: 'b-9' });
		await b2.bye();
		a.say('over there', was, 'bob');
		await b3.hear('over there', LONG);
		await Promise.all([a.bye(), b3.bye()]);
	});

	test('a list with people of several devices has each once', async () => {
		const b = await Client.login(at[0], 'bob', '28', { uid: 'b-8' });
		const b2 = await Client.login(at[1], 'bob', '28', { uid: 'b-8' });
		const a = await Workerman.enter(at[1], 'amy', 28);
		assert.deepEqual(Object.values(a.me.client_list), ['bob', 'amy']);
		const at1 = Object.keys(a.me.client_list)[0];
		a.say('both', at1, 'bob');
		await b.hear('both', LONG);
		await b2.hear('both', LONG);
		await a.bye();
		await Promise.all([b.bye(), b2.bye()]);
	});
});

describe('bounds', () => {
	let c, at, a, b;
	before(async () => {
		c = await start();
		at = c.msgs.map(m => m.ws);
		a = await Workerman.enter(at[0], 'amy', 31);
		b = await Workerman.enter(at[1], 'bob', 31);
	});
	after(async () => {
		await Promise.all([a, b].map(x => x?.bye()));
		await c?.stop();
	});

	/* what is sent is dropped and counted, and the next word is heard */
	const drops = async (p, m, frames) => {
		const was = await dropped(m);
		for (const f of frames)
			p.send(f);
		p.say('after it');
		await b.hear('after it', LONG);
		assert.equal(await dropped(m) - was, frames.length);
		assert.equal(p.closed, null);
	};
	const frame = o => JSON.stringify(o);

	test('a message has 8192 bytes at most', async () => {
		const text = 'é'.repeat(4096);
		a.say(text);
		await b.hear(text, LONG);
		await drops(a, c.msgs[0], [frame({ type: 'say', to_client_id: 'all',
		    content: `${text}x` })]);
		assert.ok(!b.seen.some(f => f.content?.length > 4096));
	});
	test('a name has 32 characters and 64 bytes, the rest is cut', async () => {
		for (const [name, cut] of [['x'.repeat(32), 32], ['x'.repeat(33), 32],
		    ['é'.repeat(32), 32], ['你'.repeat(21), 21], ['你'.repeat(22), 21]]) {
			const p = await Workerman.enter(at[0], name, 32);
			assert.equal(p.me.client_name, [...name].slice(0, cut).join(''));
			await p.bye();
		}
	});
	test('a room is a word of 1 to 32', async () => {
		for (const room of ['r'.repeat(32), 0, '_-', -1, 2147483648]) {
			const p = await Workerman.enter(at[0], 'x', room);
			p.say('here');
			await p.hear('here', LONG);
			await p.bye();
		}
		await drops(a, c.msgs[0], ['r'.repeat(33), 'a b', '你', 1.5, [], null]
		    .map(room_id => frame({ type: 'login', client_name: 'x', room_id })));
	});
	test('an empty room is the lobby', async () => {
		const p = await Workerman.enter(at[0], 'x', '');
		const q = await Workerman.enter(at[1], 'y', 1);
		assert.deepEqual(Object.values(q.me.client_list), ['x', 'y']);
		await Promise.all([p.bye(), q.bye()]);
	});
	test('what is none of its frames is dropped and counted', async () => {
		await drops(a, c.msgs[0], ['', 'x', '[]', '{}', '0', 'null', '"say"',
		    '{"type":"nope"}', '{"type":"ping"}', '{"type":1}',
		    '{"type":"say","type":"say"}', '{"cmd":"login"}',
		    frame({ type: 'say', content: 'x' }),
		    frame({ type: 'say', to_client_id: 'all', content: ['x'] }),
		    frame({ type: 'say', to_client_id: 'x'.repeat(65), content: 'x' }),
		    frame({ type: 'login', client_name: 'a\0b', room_id: 1 })]);
	});
	test('nothing is heard before a login', async () => {
		const was = await dropped(c.msgs[0]);
		const p = await Workerman.open(at[0]);
		p.say('before');
		await until('it is counted', async () =>
		    await dropped(c.msgs[0]) === was + 1, LONG);
		await p.enter('late', 31);
		p.say('now');
		await b.hear('now', LONG);
		assert.ok(!b.seen.some(f => f.content === 'before'));
		await p.bye();
	});
});

describe('as an operator sets it', () => {
	test('20 messages at once, then 5 a second', async () => {
		const c = await start({ msgs: 1, strict: true });
		try {
			const a = await Workerman.enter(c.msgs[0].ws, 'amy', 41);
			let sent = 150;
			for (let i = 0; i < sent; i++)
				a.say(`n${i}`);
			await a.hear('n19', LONG);
			await until('the rest is counted', async () =>
			    await dropped(c.msgs[0]) >= 100, LONG);
			/* and no longer, when it has waited */
			await until('heard again', () => {
				a.say(`later ${sent++}`);
				return a.hear(/^later/, 500).catch(() => false);
			}, LONG);
			await until('each is heard or counted', async () =>
			    a.seen.filter(f => f.type === 'say').length +
			    await dropped(c.msgs[0]) === sent, LONG);
			await a.bye();
		} finally {
			await c.stop();
		}
	});
	test('asked every while; silence ends nothing', async () => {
		const c = await start({ msgs: 1, set: { ping: 1 } });
		try {
			const a = await Workerman.enter(c.msgs[0].ws, 'silent', 42);
			const b = await Workerman.enter(c.msgs[0].ws, 'polite', 42);
			b.o.onframe = f => f.type === 'ping' &&
			    b.send('{"type":"pong"}');
			for (let i = 0; i < 4; i++) {
				const f = await a.next(x => x.type === 'ping', LONG);
				assert.deepEqual({ ...f }, { type: 'ping' });
			}
			await b.next(x => x.type === 'ping', LONG);
			b.say('still there?');
			await a.hear('still there?', LONG);
			a.say('yes');
			await b.hear('yes', LONG);
			/* an answer is heard, and says nothing */
			assert.equal(await dropped(c.msgs[0]), 0);
			assert.deepEqual(a.people, b.people);
			await Promise.all([a.bye(), b.bye()]);
		} finally {
			await c.stop();
		}
	});
	test('where a token is needed there is no way in for it', async () => {
		const c = await start({ msgs: 1, set: { auth: 'token',
		    login_timeout: 2 } });
		try {
			const a = await Workerman.open(c.msgs[0].ws, {
			    origin: c.msgs[0].page.slice(0, -1) });
			a.send('{"type":"login","client_name":"amy","room_id":1}');
			await a.dies(4103, LONG);
			assert.deepEqual(a.seen, []);
			assert.equal(await dropped(c.msgs[0]), 1);
		} finally {
			await c.stop();
		}
	});
	test('at one address with CChat: the first frame says', async () => {
		const c = await Cluster.start({ msgs: 1, conf: { msg_server: {
		    dialects: ['cchat', 'workerman'] } } });
		try {
			const url = c.msgs[0].ws;
			const w = await Workerman.open(url);
			const v1 = await Client.login(url, 'old', 43, { v: 1 });
			/* nothing before it has spoken */
			await w.settle();
			assert.deepEqual(w.seen, []);
			await w.enter('amy', 43);
			assert.deepEqual(Object.values(w.me.client_list),
			    ['old', 'amy']);
			w.say('hello');
			await v1.hear('hello', LONG);
			await Promise.all([w.bye(), v1.bye()]);
		} finally {
			await c.stop();
		}
	});
});

test('its recorded heartbeat, ten times as fast', async () => {
	const c = await start({ msgs: 1, set: { ping: 1 } });
	const r = load(file('workerman-chat-ping'));
	const find = (who, dir, what) => r.findIndex(x => x.who === who &&
	    x.dir === dir && x.frame?.includes(what));
	const put = (from, to) => r.splice(to, 0, ...r.splice(from, 1));

	/* two came in the same moment, and two went: here one by one */
	put(find('G', 'recv', '"login'), find('H', 'send', 'hank'));
	put(find('H', 'recv', 'logout'), r.findIndex(x => x.who === 'H' &&
	    x.dir === 'close'));
	const gina = '7f00000108fc00000008', hank = '7f00000108fc00000009';
	const time = '2026-11-21 01:41:52';
	const moment = 'who comes in the same moment is seen';
	/* each connection is asked by its own silence, not by one clock */
	const often = ['G', 'H'].map(who => ({ who, after: 0.1, many: true,
	    optional: true, frame: { type: 'ping' },
	    why: 'asked after its own silence, not by one clock' }));
	try {
		await replayOld(r, { kinds, scale: 10, url: () => c.msgs[0].ws,
		    deviations: [...often, { who: 'G', after: 0.003, why: moment,
		    frame: { type: 'login', client_id: hank,
		    client_name: 'hank', time } },
		    { who: 'H', t: 0.004, why: moment, change: f => ({ ...f,
		    client_list: { [gina]: 'gina', [hank]: 'hank' } }) }] });
	} finally {
		await c.stop();
	}
});
