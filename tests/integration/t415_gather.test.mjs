/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * A room in which several speak at once gathers what they say (gather_us):
 * those who are answered together are written to together, in the order of the
 * log; a message after a silence waits for nothing, and with 0 none does.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, sleep, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

const GATHER_MS = 20, PEOPLE = 4, ROUNDS = 40;

async function
metric(c, name)
{
	const { body } = await c.msgs[0].fetch('/metrics');
	const m = new RegExp(`^\\w*${name} (\\d+)`, 'm').exec(body);
	assert.ok(m, `a metric ${name}`);
	return Number(m[1]);
}

async function
inRoom(t, gather_us)
{
	const c = await Cluster.start({ proxies: 1, msgs: 1, conf: {
	    msg_server: { gather_us, send_rate: 1000, send_burst: 1000,
		uid_rate: 1000 } } });
	t.after(() => c.stop());
	const people = [];
	for (let i = 0; i < PEOPLE; i++)
		people.push(await Client.login(c.msgs[0].ws, `p${i}`, '12',
		    { v: 2 }));
	return { c, people };
}

/*
 * Each round a burst of everybody, and one more as soon as the first of it is
 * heard: that one comes behind others, and alone.
 */
async function
talk(people)
{
	const said = [];

	for (let r = 0; r < ROUNDS; r++) {
		const round = people.map((p, i) => `${r}.${i}`);
		people.forEach((p, i) => p.send({ cmd: 'message', type: 'text',
		    rid: '12', msg: round[i], cid: `c${r}.${i}` }));
		await people[0].hear(round[0]);
		const more = people[1].say('12', `${r}.more`);
		await Promise.all(people.map(async p => {
			for (const m of round.slice(p === people[0] ? 1 : 0))
				await p.hear(m);
			await p.hear(`${r}.more`);
		}));
		assert.ok((await more).seq > 0);
		said.push(...round, `${r}.more`);
	}
	return said;
}

/* everything once, and all see the one order */
function
check(people, said)
{
	const seqs = p => p.seen.filter(f => f.cmd === 'message')
	    .map(f => f.seq);
	for (const p of people)
		assert.deepEqual(seqs(p), said.map((_, i) => i + 1));
}

test('a room in which several speak at once gathers', async t => {
	const { c, people } = await inRoom(t, GATHER_MS * 1000);
	const said = await talk(people);
	check(people, said);
	assert.ok(await metric(c, 'msg_turns_held_total') > 0);
	assert.ok(await metric(c, 'msg_turns_total') <
	    await metric(c, 'msg_items_in_total'));

	const held = await metric(c, 'msg_turns_held_total');
	for (let i = 0; i < 3; i++) {
		/* the scene: a silence, and then one alone */
		await sleep(3 * GATHER_MS);
		await people[i].say('12', `alone ${i}`);
		for (const p of people)
			await p.hear(`alone ${i}`);
	}
	assert.equal(await metric(c, 'msg_turns_held_total'), held);

	/* who goes while it gathers leaves nobody without */
	for (let i = 0; i < 8; i++)
		people[0].send({ cmd: 'message', type: 'text', rid: '12',
		    msg: `last ${i}`, cid: `l${i}` });
	await people[1].hear('last 0');
	await people[3].bye();
	for (const p of people.slice(0, 3))
		for (let i = p === people[1] ? 1 : 0; i < 8; i++)
			await p.hear(`last ${i}`);
	for (const p of people.slice(0, 3))
		await p.bye();
});

test('with 0 no room gathers', async t => {
	const { c, people } = await inRoom(t, 0);
	check(people, await talk(people));
	assert.equal(await metric(c, 'msg_turns_held_total'), 0);
	for (const p of people)
		await p.bye();
});

test('a server that is stopped says what was gathered', async t => {
	const { c, people } = await inRoom(t, GATHER_MS * 1000);
	await talk(people);
	const oks = [];
	for (let i = 0; i < 8; i++)
		oks.push(people[i % 2].say('12', `end ${i}`));
	const acked = Promise.all(oks);
	c.msgs[0].signal('SIGTERM');
	await acked;
	await until('all of it, for all', () => people.every(p =>
	    p.seen.filter(f => /^end/.test(f.msg ?? '')).length === 8), 10000);
});
