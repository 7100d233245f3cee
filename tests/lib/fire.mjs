/* SPDX-License-Identifier: MIT */
/*
 * A chat under fire: people who come back by themselves talk in rooms while a
 * fault does its work; then every record of every one of them is judged, and
 * the log is read and compared.
 */
import assert from 'node:assert/strict';
import { Client, History, Walker } from './client.mjs';
import { Cluster, sleep, until } from './cluster.mjs';

/* The whole log of a room, page by page. */
export async function
readLog(url, rid)
{
	const j = await Client.login(url, 'judge', rid);
	const log = [];
	for (let f = await j.history(rid, { limit: 200 });;
	    f = await j.history(rid, { limit: 200, before: log[0].seq })) {
		log.unshift(...f.list);
		if (!f.more)
			break;
	}
	await j.bye();
	return log;
}

/* Everybody in room rid has everything, once and in order; the log too. */
async function
judge(c, h, rid, people)
{
	const acked = [...h.acked].filter(([, a]) => a.rid === rid);
	const head = Math.max(...acked.map(([, a]) => a.seq));
	await until('everyone has everything', () => people.every(p =>
	    h.got.some(g => g.who === p.name && g.rid === rid && g.seq === head)),
	    15000);
	/* what came before the last one joined was not his to hear */
	const first = Math.max(...people.map(p => h.got.find(g =>
	    g.who === p.name && g.rid === rid).seq));
	const log = await readLog(c.msgs.find(m => m.running).ws, rid);
	assert.deepEqual(log.map(m => m.seq), Array.from(log,
	    (_, i) => i + log[0].seq));
	const bySeq = new Map(log.map(m => [m.seq, m.msg]));
	for (const [cid, a] of acked)
		assert.equal(bySeq.get(a.seq), h.sent.get(cid).msg,
		    `acked at ${a.seq}`);
	assert.equal(new Set(log.map(m => m.msg)).size, log.length,
	    'a text twice in the log');
	for (const [cid, a] of acked)
		if (a.seq < first)
			h.acked.delete(cid);
	h.got = h.got.filter(g => g.rid !== rid || g.seq >= first);
	h.check(rid, people.map(p => p.name));
}

/*
 * o: as for Cluster.start, and o.people (6), o.rooms (1), o.pace (15 ms between
 * two messages of one), o.urls(cluster): where people connect.  fault(c, chat):
 * chat.acked(n) waits for n more acks, chat.h are the records.
 */
export async function
underFire(o, fault)
{
	const c = await Cluster.start({ msgs: 2, proxies: 2, ...o });
	try {
		const h = new History();
		const urls = o.urls?.(c) ?? c.msgs.map(m => m.ws);
		const rooms = Array.from({ length: o.rooms ?? 1 }, (_, i) => `${9 + i}`);
		const people = await Promise.all(Array.from({ length: o.people ?? 6 },
		    (_, i) => new Walker(`w${i}`, rooms[i % rooms.length],
		    urls.map((_, k) => urls[(i + k) % urls.length]), h).start()));
		let on = true, n = 0;
		const talk = people.map(async (p, k) => {
			const waits = [];
			while (on) {
				waits.push(p.say(`${p.name} says ${n++}`));
				/* a pace, not the same for all */
				await sleep((o.pace ?? 15) + k);
			}
			return Promise.all(waits);
		});
		const chat = { people, h, acked: (more, ms) => {
			const goal = h.acked.size + more;
			return until(`${more} more acks`, () => h.acked.size >= goal, ms);
		} };
		await chat.acked(60);
		await fault(c, chat);
		await chat.acked(60);
		on = false;
		await Promise.all(talk.map(t => Promise.race([t, sleep(60000)
		    .then(() => { throw new Error('sends without an answer'); })])));
		assert.equal(h.failed.size, 0, 'something was refused for good');
		for (const rid of rooms)
			await judge(c, h, rid, people.filter(p => p.rid === rid));
		await Promise.all(people.map(p => p.stop()));
	} finally {
		await c.stop();
	}
}
