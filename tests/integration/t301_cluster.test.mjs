/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/* People on different msg_servers, and what the directory says of them. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cluster, until } from '../lib/cluster.mjs';
import { Client, newCid } from '../lib/client.mjs';

let c, one, two, rid = 300;
before(async () => {
	c = await Cluster.start({ msgs: 2, proxies: 2 });
	[one, two] = c.msgs.map(m => m.ws);
});
after(() => c?.stop());
const room = () => String(++rid);
const leave = (...cs) => Promise.all(cs.map(x => x.bye()));

test('room chat both ways', async () => {
	const r = room();
	const a = await Client.login(one, 'amy', r);
	const b = await Client.login(two, 'bob', r);
	assert.equal(a.me.srv, 'ms1');
	assert.equal(b.me.srv, 'ms2');
	assert.equal((await a.next('newUser')).uid, b.uid);
	const ok = await a.say(r, 'over there?');
	assert.equal((await b.hear('over there?')).seq, ok.seq);
	await b.say(r, 'here');
	await a.hear('here');
	await leave(a, b);
});
test('the disk is told of by who writes to it', async () => {
	const active = await c.active();
	for (const p of c.proxies)
		assert.equal((await p.fetch('/metrics')).body
		    .includes('cchat_proxy_disk_free_bytes '), p === active);
});

test('both see one order', async () => {
	const r = room();
	const a = await Client.login(one, 'amy', r);
	const b = await Client.login(two, 'bob', r);
	/* a session may have 64 unanswered */
	for (let n = 0; n < 200; n += 50)
		await Promise.all([a, b].flatMap((x, k) => Array.from({ length: 50 },
		    (_, i) => x.say(r, `${k} ${n + i}`))));
	for (const x of [a, b])
		await x.next(f => f.cmd === 'message' && f.seq === 400);
	const list = x => x.seen.filter(f => f.cmd === 'message')
	    .map(f => `${f.seq} ${f.uid} ${f.msg}`);
	assert.deepEqual(list(a), list(b));
	assert.deepEqual(a.seen.filter(f => f.cmd === 'message')
	    .map(f => f.seq), Array.from({ length: 400 }, (_, i) => i + 1));
	/* each sender's own order is kept */
	for (const k of ['0', '1'])
		assert.deepEqual(list(a).map(s => s.split(' ').slice(2))
		    .filter(([w]) => w === k).map(([, i]) => Number(i)),
		    Array.from({ length: 200 }, (_, i) => i));
	await leave(a, b);
});
test('private messages across servers and devices', async () => {
	const r = room();
	const a = await Client.login(one, 'amy', r);
	const b1 = await Client.login(one, 'bob', room());
	const b2 = await Client.login(two, 'bob', room(), { token: b1.token });
	const eve = await Client.login(two, 'eve', r);
	assert.equal(b2.uid, b1.uid);
	await a.say(r, 'psst', { tid: b1.uid });
	const x = await b1.hear('psst'), y = await b2.hear('psst');
	assert.equal(x.useq, y.useq);
	await b2.say(r, 'what?', { tid: a.uid });
	await a.hear('what?');
	await b1.hear('what?');
	await eve.none(f => f.cmd === 'message', 50);
	await leave(a, b1, b2, eve);
});
test('the people list is the cluster\'s', async () => {
	const r = room();
	const a = await Client.login(one, 'amy', r);
	const b = await Client.login(two, 'bob', r);
	for (const x of [a, b]) {
		/* each server says it on a link of its own: in its time */
		const l = await until('both are there', async () => {
			const all = await x.online(r);
			return all.count === 2 && all;
		});
		assert.deepEqual(l.users.map(u => u.name).sort(), ['amy', 'bob']);
	}
	/* a second device of bob elsewhere changes nothing but `dev` */
	const b2 = await Client.login(one, 'bob', r, { token: b.token });
	const l = await a.online(r);
	assert.equal(l.count, 2);
	assert.equal(l.users.find(u => u.uid === b.uid).dev, 2);
	b.send({ cmd: 'bye' });
	await a.none('offline', 100);
	b2.send({ cmd: 'bye' });
	const off = await a.next('offline', 20000);
	assert.equal(off.uid, b.uid);
	assert.equal((await a.online(r)).count, 1);
	await leave(a, b, b2);
});
test('a token of one server is good at the other', async () => {
	const r = room();
	const a = await Client.login(one, 'amy', r);
	const a2 = await Client.login(two, 'amy', r, { token: a.token });
	assert.equal(a2.uid, a.uid);
	const cid = newCid();
	const x = await a.say(r, 'once', { cid });
	const y = await a2.say(r, 'once', { cid });
	assert.equal(y.seq, x.seq);
	assert.equal(y.dup, true);
	await leave(a, a2);
});
test('a late joiner on the other server reads all', async () => {
	const r = room();
	const a = await Client.login(one, 'amy', r);
	for (let i = 1; i <= 10; i++)
		await a.say(r, `l${i}`);
	const late = await Client.login(two, 'late', r);
	const h = await late.history(r);
	assert.deepEqual(h.list.map(m => m.msg), Array.from({ length: 10 },
	    (_, i) => `l${i + 1}`));
	await leave(a, late);
});

describe('the directory', () => {
	const get = async path => {
		const r = await c.config.fetch(path);
		assert.match(r.headers['content-type'], /json/);
		return r;
	};

	test('/v1/servers names all, up, with one active proxy', async () => {
		const names = ['cf1', 'ms1', 'ms2', 'px1', 'px2'];
		const f = await until('all are up', async () => {
			const { json } = await get('/v1/servers');
			return names.every(n => json.list.some(s => (s.id ?? s.name) ===
			    n && s.state === 'up')) && json;
		});
		assert.equal(typeof f.ver, 'number');
		assert.equal(typeof f.gen, 'number');
		assert.equal(f.next, null);
		const by = Object.fromEntries(f.list.map(s => [s.id ?? s.name, s]));
		assert.equal(by.ms1.role, 'msg');
		assert.equal(by.px1.role, 'proxy');
		assert.notEqual(by.ms1.node, by.ms2.node);
		for (const [name, d] of [['ms1', c.msgs[0]], ['px1', c.proxies[0]]])
			assert.equal(by[name].admin, `127.0.0.1:${d.ports.admin}`);
	});
	test('/v1/users/UID: where is he', async () => {
		const r = room(), a = await Client.login(two, 'amy', r);
		const f = await until('he is there', async () => {
			const { json } = await get(`/v1/users/${a.uid}`);
			return json.online && json;
		});
		assert.equal(f.uid, a.uid);
		assert.equal(f.sessions.length, 1);
		assert.equal(f.sessions[0].srv, 'ms2');
		await leave(a);
		assert.equal((await get('/v1/users/nobody-of-this-name')).json
		    .online ?? false, false);
	});
	test('/v1/rooms and /v1/rooms/RID', async () => {
		const r = room();
		const a = await Client.login(one, 'amy', r);
		const b = await Client.login(two, 'bob', r);
		await a.say(r, 'x');
		const f = (await get(`/v1/rooms/${r}`)).json;
		assert.equal(f.rid, r);
		assert.equal(f.seq, 1);
		const { json } = await get('/v1/rooms?limit=1000');
		assert.ok(json.list.some(x => x.rid === r));
		await leave(a, b);
	});
	test('/v1/next names a server that is up', async () => {
		const { json } = await get('/v1/next');
		assert.ok(c.msgs.some(m => json.url.includes(`:${m.ports.direct}`) ||
		    json.url.includes(`:${m.ports.public}`)), json.url);
	});
	test('/v1/load, /v1/events, /v1/check', async () => {
		await until('a load line', async () =>
		    (await get('/v1/load')).json.list.some(l => (l.id ?? l.name) ===
		    'ms1'), 15000);
		const ev = (await get('/v1/events?since=0')).json.list;
		assert.ok(ev.length > 0);
		for (let i = 1; i < ev.length; i++)
			assert.ok(ev[i].id > ev[i - 1].id);
		const ck = (await get('/v1/check')).json;
		assert.deepEqual(ck.list, []);
	});
	test('errors have one shape', async () => {
		for (const path of ['/v1/nothing', '/v1/rooms/no%20such',
		    '/v1/servers?limit=0', '/v1/servers?limit=1001']) {
			const r = await get(path);
			assert.ok([400, 404].includes(r.status), `${path} ${r.status}`);
			assert.equal(r.json.error.code, r.status);
			assert.equal(typeof r.json.error.msg, 'string');
		}
	});
	test('paging', async () => {
		const seen = [];
		let next = '';
		do {
			const { json } = await get(`/v1/servers?limit=2${next}`);
			assert.ok(json.list.length <= 2);
			seen.push(...json.list.map(s => s.id ?? s.name));
			next = json.next && `&next=${encodeURIComponent(json.next)}`;
		} while (next && seen.length < 20);
		assert.deepEqual(seen.sort(), ['cf1', 'ms1', 'ms2', 'px1', 'px2']);
	});
});

test('a third msg_server joins a running cluster', async () => {
	const m = await c.newMsg('ms3').start();
	await m.ready();
	const r = room();
	const a = await Client.login(one, 'amy', r);
	const b = await Client.login(m.ws, 'bob', r);
	await b.say(r, 'i am new here');
	await a.hear('i am new here');
	await leave(a, b);
});
