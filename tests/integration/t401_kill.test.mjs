/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * kill -9 under a running chat: everybody comes back by himself, nothing
 * acked is lost, nothing is doubled, all see one order.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, sleep, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { underFire } from '../lib/fire.mjs';

const RID = '9';

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
	assert.ok(ms < 15000, `no ack for ${Math.round(ms)} ms`);
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
	await c.msgs[0].kill();
	await chat.acked(30);
	await until('its people have gone', () =>
	    chat.people.filter(p => p.drops > 0).length >= 3);
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
	assert.ok(ms < 30000, `no ack for ${Math.round(ms)} ms`);
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
