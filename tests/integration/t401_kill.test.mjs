/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * kill -9 under a running chat: everybody comes back by himself, nothing
 * acked is lost, nothing is doubled, all see one order.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, sleep, until } from '../lib/cluster.mjs';
import { Client, History, Walker } from '../lib/client.mjs';

const RID = '9';

/*
 * Six people on two servers talk while fault(cluster, chat) does its work;
 * then every record is judged.  chat.acked(n) waits for n more acks.
 */
async function
underFire(o, fault)
{
	const c = await Cluster.start({ msgs: 2, proxies: 2, ...o });
	try {
		const h = new History();
		const urls = c.msgs.map(m => m.ws);
		const people = await Promise.all(Array.from({ length: 6 }, (_, i) =>
		    new Walker(`w${i}`, RID, i % 2 ? urls : [...urls].reverse(), h)
		    .start()));
		let on = true, n = 0;
		const talk = people.map(async (p, k) => {
			const waits = [];
			while (on) {
				waits.push(p.say(`${p.name} says ${n++}`));
				/* a pace */
				await sleep(15 + k);
			}
			return Promise.all(waits);
		});
		const chat = { people, h, acked: (more, ms = 10000) => {
			const goal = h.acked.size + more;
			return until(`${more} more acks`, () => h.acked.size >= goal, ms);
		} };
		await chat.acked(60);
		await fault(c, chat);
		await chat.acked(60);
		on = false;
		await Promise.all(talk.map(t => Promise.race([t, sleep(15000)
		    .then(() => { throw new Error('sends without an answer'); })])));
		assert.equal(h.failed.size, 0, 'nothing is refused for good');
		const head = Math.max(...[...h.acked.values()].map(a => a.seq));
		await until('everyone has everything', () => people.every(p =>
		    h.got.some(g => g.who === p.name && g.seq === head)));
		const first = Math.max(...people.map(p => h.got.find(
		    g => g.who === p.name).seq));
		/* what came before the last one joined was not his to hear */
		for (const [cid, a] of h.acked)
			if (a.seq < first)
				h.acked.delete(cid);
		h.got = h.got.filter(g => g.seq >= first);
		h.check(RID, people.map(p => p.name));
		/* and the log itself says the same */
		const j = await Client.login(c.msgs.find(m => m.running).ws, 'judge',
		    RID);
		const log = [];
		for (let f = await j.history(RID, { limit: 200 });;
		    f = await j.history(RID, { limit: 200, before: log[0].seq })) {
			log.unshift(...f.list);
			if (!f.more)
				break;
		}
		assert.deepEqual(log.map(m => m.seq), Array.from(log,
		    (_, i) => i + log[0].seq));
		const bySeq = new Map(log.map(m => [m.seq, m.msg]));
		for (const [cid, a] of h.acked)
			assert.equal(bySeq.get(a.seq), h.sent.get(cid).msg);
		assert.equal(new Set(log.map(m => m.msg)).size, log.length,
		    'a text twice in the log');
		await j.bye();
		await Promise.all(people.map(p => p.stop()));
	} finally {
		await c.stop();
	}
}

/* ms without an ack around the fault. */
const pause = (h, t0) => {
	const after = [...h.acked.values()].map(a => a.t).filter(t => t > t0);
	return Math.min(...after) - t0;
};

test('kill -9 of the active proxy: the standby takes over', () =>
    underFire({}, async (c, chat) => {
	const was = await c.active();
	const t0 = performance.now();
	await was.kill();
	await chat.acked(30);
	const now = await c.active();
	assert.notEqual(now.name, was.name);
	const ms = pause(chat.h, t0);
	assert.ok(ms < 2000, `no ack for ${Math.round(ms)} ms`);
	assert.ok(chat.people.every(p => p.drops === 0), 'no client was cut');
}));
test('kill -9 of the active proxy, and it comes back as the standby', () =>
    underFire({}, async (c, chat) => {
	const was = await c.active();
	await was.kill();
	await chat.acked(30);
	await was.start();
	await chat.acked(30);
	const next = await c.active();
	assert.notEqual(next.name, was.name);
	/* the scene: the standby has been one for a while */
	await sleep(300);
	await next.kill();
	await chat.acked(30);
	assert.equal((await c.active()).name, was.name);
}));
test('kill -9 of the only proxy: sends wait for its return', () =>
    underFire({ proxies: 1 }, async (c, chat) => {
	await c.proxies[0].kill();
	/* the scene: a second without any proxy */
	await sleep(1000);
	await c.proxies[0].start();
	await chat.acked(30);
}));
test('kill -9 of a msg_server: its people go to the other', () =>
    underFire({}, async (c, chat) => {
	const t0 = performance.now();
	await c.msgs[0].kill();
	await chat.acked(30);
	assert.ok(chat.people.filter(p => p.drops > 0).length >= 3);
	assert.ok(performance.now() - t0 < 10000);
	await c.msgs[0].start();
	await c.msgs[0].ready();
}));
test('kill -9 of the config_server: nobody notices', () =>
    underFire({}, async (c, chat) => {
	await c.config.kill();
	await chat.acked(100);
	assert.ok(chat.people.every(p => p.drops === 0));
	const x = await Client.login(c.msgs[0].ws, 'newcomer', RID);
	await x.bye();
	await c.config.start();
	await until('all registered again', async () => {
		const { json } = await c.config.fetch('/v1/servers');
		return ['ms1', 'ms2', 'px1', 'px2'].every(n => json.list.some(
		    s => (s.id ?? s.name) === n && s.state === 'up'));
	}, 15000);
}));
test('kill -9 of the active proxy while the config_server is down', () =>
    underFire({}, async (c, chat) => {
	await c.config.kill();
	const was = await c.active();
	await was.kill();
	await chat.acked(60);
	await c.config.start();
}));
test('a hung active proxy is replaced', () =>
    underFire({}, async (c, chat) => {
	const was = await c.active();
	const t0 = performance.now();
	was.killed = true;
	was.signal('SIGSTOP');
	await chat.acked(30, 15000);
	const ms = pause(chat.h, t0 + 50);
	assert.ok(ms < 6000, `no ack for ${Math.round(ms)} ms`);
	await was.exit;
	assert.notEqual((await c.active()).name, was.name);
}));
test('a stopped msg_server wakes up and is level again', () =>
    underFire({}, async (c, chat) => {
	c.msgs[0].signal('SIGSTOP');
	/* the scene: stopped for 1.5 s */
	await sleep(1500);
	c.msgs[0].signal('SIGCONT');
	await chat.acked(30);
}));
test('all proxies killed together, ten times', () =>
    underFire({}, async (c, chat) => {
	for (let i = 0; i < 10; i++) {
		await Promise.all(c.proxies.map(p => p.kill()));
		await Promise.all(c.proxies.map(p => p.start()));
		await chat.acked(5);
	}
}));
test('everything restarted: the history is there', async () => {
	const c = await Cluster.start({ msgs: 1, proxies: 1 });
	try {
		const a = await Client.login(c.msgs[0].ws, 'amy', RID);
		const { ep } = a.me.pos[RID];
		for (let i = 1; i <= 20; i++)
			await a.say(RID, `kept ${i}`);
		await a.bye();
		for (const d of [...c.msgs, ...c.proxies, c.config])
			await d.stop();
		await c.config.start();
		for (const d of [...c.proxies, ...c.msgs])
			await d.start();
		await c.msgs[0].ready();
		const b = await Client.login(c.msgs[0].ws, 'bob', RID);
		const h = await b.history(RID);
		assert.deepEqual(h.list.map(m => m.msg), Array.from({ length: 20 },
		    (_, i) => `kept ${i + 1}`));
		assert.equal(h.ep, ep, 'the same history');
		await b.bye();
	} finally {
		await c.stop();
	}
});
