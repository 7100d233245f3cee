/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Groups: made and added to by REST and by ChatMeteor's API, on any server;
 * who is a member comes in, others do not; what is asked while servers are
 * killed is whole after it was asked again, and nobody is a member twice.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { Cluster, fetch, until } from '../lib/cluster.mjs';
import { Meteor, call } from '../lib/meteor.mjs';

const KEY = 'k'.repeat(32);
const range = (a, n) => Array.from({ length: n }, (_, i) => `m${a + i}`);

async function
start(o = {})
{
	const c = new Cluster({ proxies: o.proxies ?? 1, msgs: o.msgs ?? 2 });
	const key = join(c.data, 'api.key');
	writeFileSync(key, KEY, { mode: 0o600 });
	c.configure({ msg_server: { dialects: ['meteor', 'cchat'],
	    api_key_file: key, ...o.set } });
	await c.up();
	return c;
}

async function
rest(m, path, body)
{
	const r = await fetch(m.ports.direct, `/v1/${path}`, { ms: 15000,
	    method: body ? 'POST' : 'GET', body: body && JSON.stringify(body),
	    headers: { authorization: `Bearer ${KEY}` } });
	return { status: r.status, ...r.json };
}

async function
members(m, rid)
{
	const all = [];
	let next = '';
	do {
		const r = await rest(m, `groups/${rid}/users?limit=100${next &&
		    `&next=${next}`}`);
		assert.equal(r.status, 200, JSON.stringify(r));
		all.push(...r.list.map(u => u.uid));
		next = r.next ?? '';
	} while (next);
	return all;
}

describe('groups', () => {
	let c, a, b;
	before(async () => {
		c = await start();
		[a, b] = c.msgs;
	});
	after(() => c?.stop());

	test('made, added to and listed by REST', async () => {
		const made = await rest(a, 'groups', { name: 'dns', cid: 'c-1',
		    uids: range(1, 40) });
		assert.equal(made.status, 200, JSON.stringify(made));
		assert.match(made.rid, /^g[0-9a-f]{16}$/);
		assert.equal(made.n, 40);
		assert.deepEqual(made.new, range(1, 40));
		assert.equal(made.dup, false);
		/* the same again, at another server */
		const again = await rest(b, 'groups', { name: 'dns', cid: 'c-1',
		    uids: range(1, 40) });
		assert.deepEqual([again.status, again.rid, again.dup],
		    [200, made.rid, true]);
		const more = await rest(b, `groups/${made.rid}/users`,
		    { uids: [...range(39, 4), 7] });
		assert.deepEqual([more.status, more.n, more.new],
		    [200, 43, ['m41', 'm42', '7']]);
		assert.deepEqual((await members(a, made.rid)).sort(),
		    [...range(1, 42), '7'].sort());
		const one = await rest(a, `groups/${made.rid}`);
		assert.equal(one.name, 'dns');
		assert.equal(one.n, 43);
		assert.ok(one.updated >= one.created && one.gen > 0);
		const of = await rest(b, 'groups?uid=m41');
		assert.deepEqual(of.list, [{ rid: made.rid }]);
		await rest(a, 'groups', { name: 'alone', rid: 'gab', uids: ['m1'] });
		const all = await rest(a, 'groups');
		assert.deepEqual(all.list.map(g => [g.rid, g.name, g.n]).sort(),
		    [[made.rid, 'dns', 43], ['gab', 'alone', 1]].sort());
		assert.deepEqual((await rest(a, 'groups?active=1')).list
		    .map(g => g.rid), [made.rid]);
	});

	test('what is refused', async () => {
		const st = async (path, body) => (await rest(a, path, body)).status;
		assert.equal(await st('groups', { uids: ['a'] }), 400);
		assert.equal(await st('groups', { name: 'x'.repeat(129) }), 400);
		assert.equal(await st('groups', { name: 'x'.repeat(128),
		    rid: 'g128' }), 200);
		assert.equal(await st('groups', { name: 'x', rid: 'room' }), 400);
		assert.equal(await st('groups', { name: 'x', rid: 'g128' }), 409);
		assert.equal(await st('groups', { name: 'x', uids: ['a b'] }), 400);
		assert.equal(await st('groups', { name: 'x', by: 'a b' }), 400);
		assert.equal(await st('groups/g128/users', { uids: range(0, 201) }),
		    400);
		assert.equal(await st('groups/g128/users', { uids: range(0, 200) }),
		    200);
		assert.equal(await st('groups/g128/users', {}), 400);
		assert.equal(await st('groups/gbeef/users', { uids: ['a'] }), 404);
		assert.equal(await st('groups/gbeef'), 404);
		assert.equal(await st('groups/12'), 404);
		assert.equal(await st('groups/g128/people'), 404);
		assert.equal(await st('groups/g128', { uids: ['a'] }), 405);
		assert.equal(await st('groups?limit=0'), 400);
		assert.equal(await st('groups?uid=a/b'), 400);
		const open = await fetch(a.ports.direct, '/v1/groups');
		assert.equal(open.status, 401);
	});

	test('a group is its members alone: cchat joins, and is told', async () => {
		await rest(a, 'groups', { name: 'club', rid: 'gc1', uids: ['amy'] });
		const amy = await Client.login(a.ws, 'amy', '1', { uid: 'amy' });
		const bob = await Client.login(b.ws, 'bob', '1', { uid: 'bob' });
		await amy.cmd({ cmd: 'join', rid: 'gc1' });
		await assert.rejects(bob.cmd({ cmd: 'join', rid: 'gc1' }),
		    { errCode: 403 });
		await assert.rejects(bob.say('gc1', 'let me in'), { errCode: 403 });
		await assert.rejects(Client.login(b.ws, 'eve', 'gc1',
		    { uid: 'eve' }), { errCode: 403 });
		const ok = await amy.say('gc1', 'hello');
		/* made a member: both hear of it, he by his own channel */
		await rest(b, 'groups/gc1/users', { uids: ['bob'], by: 'amy' });
		const told = await bob.next('group');
		assert.deepEqual([told.op, told.rid, told.uids, told.by],
		    ['add', 'gc1', ['bob'], 'amy']);
		assert.ok(told.useq > 0);
		const item = await amy.next('group');
		assert.deepEqual([item.uids, item.seq], [['bob'], ok.seq + 1]);
		const joined = await bob.cmd({ cmd: 'join', rid: 'gc1' });
		const said = await bob.say('gc1', 'thank you');
		assert.equal(said.seq, item.seq + 1);
		/* and with a position, in the login */
		const eve = await Client.login(b.ws, 'bob', '1', { uid: 'bob',
		    pos: { gc1: [joined.pos.gc1.ep, 1] } });
		assert.equal(eve.me.pos.gc1.seq, said.seq);
		await eve.next(f => f.cmd === 'group' && f.seq === item.seq);
		await eve.hear('thank you');
		const page = await amy.history('gc1');
		assert.deepEqual(page.list.map(i => i.cmd),
		    ['group', 'message', 'group', 'message']);
		for (const x of [amy, bob, eve])
			x.drop();
	});

	test('a member who is there is in at once, and hears all since', async () => {
		const eve = await Meteor.open(a.ws, 'eve');
		const kim = await Meteor.open(b.ws, 'kim');
		await until('both are there', async () => (await call(a.ports.direct,
		    'single', 'onlineList')).data.filter(u =>
		    ['eve', 'kim'].includes(u)).length === 2, 15000);
		await rest(a, 'groups', { name: 'now', rid: 'ge1', uids: ['eve'] });
		eve.say('e1', 'anybody?');
		await rest(b, 'groups/ge1/users', { uids: ['kim'] });
		for (let i = 1; i <= 20; i++)
			eve.say('e1', i);
		kim.say('e1', 'here');
		for (const x of [eve, kim])
			await until(`${x.id} heard all`, () => x.heard('group')
			    .filter(m => m[0] === 'eve' && typeof m[1] === 'number')
			    .length === 20, 15000);
		await kim.message('here');
		await eve.message('here');
		/* what was said before she was a member is not hers, nor is anything
		 * heard twice */
		assert.ok(!kim.heard('group').some(m => m[1] === 'anybody?'));
		assert.equal(eve.got.length, 22);
		assert.equal(kim.got.length, 21);
		eve.close();
		kim.close();
	});
});

/* Asks until it was done; 404 and 409 are answers, too. */
async function
insist(servers, path, body)
{
	let n = 0;
	return until(`${path} is done`, async () => {
		const m = servers[n++ % servers.length];
		if (!m.running)
			return null;
		const r = await rest(m, path, body).catch(() => ({ status: 0 }));
		return r.status && r.status !== 503 ? r : null;
	}, 30000);
}

async function
whole(c, rid, uids)
{
	const m = c.msgs.find(x => x.running);
	assert.deepEqual((await members(m, rid)).sort(), [...uids].sort());
	const one = await rest(m, `groups/${rid}`);
	assert.equal(one.n, uids.length);
	for (const uid of uids) {
		const of = await rest(m, `groups?uid=${uid}`);
		assert.deepEqual(of.list.filter(g => g.rid === rid), [{ rid }], uid);
	}
	/* each was made a member once, as the log tells it */
	const z = await Client.login(m.ws, 'zed', rid, { uid: uids[0] });
	const page = await z.history(rid, { limit: 200 });
	const made = page.list.flatMap(i => i.cmd === 'group' ? i.uids : []);
	assert.deepEqual(made.sort(), [...uids].sort());
	z.drop();
}

for (const [who, times] of [['active proxy', 4], ['msg_server', 4]])
	test(`kill -9 of the ${who} while groups are made`, async () => {
		const c = await start({ proxies: 2, msgs: 2 });
		try {
			for (let i = 0; i < times; i++) {
				const rid = `gd${i}`, [a, b] = c.msgs;
				const create = { name: 'dns', rid, cid: `c-${i}`,
				    uids: range(0, 60) };
				const victim = who === 'msg_server' ? a :
				    await c.active();
				const first = rest(a, 'groups', create)
				    .catch(() => null);
				/* a little later each time */
				for (let k = 0; k < i * 2; k++)
					await rest(b, `groups/${rid}`).catch(() => 0);
				await victim.kill();
				await first;
				await insist([b, a], 'groups', create);
				const second = rest(b, `groups/${rid}/users`,
				    { uids: range(50, 30) }).catch(() => null);
				await victim.start();
				await second;
				await insist([b], `groups/${rid}/users`,
				    { uids: range(50, 30) });
				await whole(c, rid, range(0, 80));
				for (const m of c.msgs)
					await m.ready();
				await until('a standby', async () => (await Promise.all(
				    c.proxies.map(p => p.fetch('/status'))))
				    .filter(s => s.status === 200).length === 2);
			}
		} finally {
			await c.stop();
		}
	});
