/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Files that somebody takes away from under a running cluster: the log, its
 * lock, the directory's own database. What was acked stays, or all are told.
 */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Cluster, sleep, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { readLog } from '../lib/fire.mjs';

const RID = '1';

/* One who talks without a pause and never gives up. */
class Talker {
	constructor(who)
	{
		this.who = who;
		this.acked = new Map();
		this.worst = 0;	/* ms without an ack */
		this.on = true;
		this.last = performance.now();
		this.end = this.talk().catch(e => { this.why = e; });
	}

	async talk()
	{
		for (let i = 0; this.on; i++) {
			const msg = `says ${i}`, cid = `s${i}`;
			const end = Date.now() + 20000;
			for (;;) {
				try {
					const { seq } = await this.who.say(RID, msg,
					    { cid, ms: 20000 });
					this.acked.set(seq, msg);
					break;
				} catch (e) {
					if (e.errCode !== 503 || Date.now() > end)
						throw e;
				}
			}
			this.worst = Math.max(this.worst,
			    performance.now() - this.last);
			this.last = performance.now();
			/* a pace */
			await sleep(2);
		}
	}

	/* until n more are acked */
	more(n = 20)
	{
		const at = this.acked.size + n;
		return until(`${n} more acks`, () => this.acked.size >= at, 20000);
	}

	async stop()
	{
		this.on = false;
		await this.end;
		if (this.why)
			throw this.why;
	}
}

/* The log has what was acked, at its place, and no holes. */
async function
judge(url, acked)
{
	const log = await readLog(url, RID);
	assert.deepEqual(log.map(m => m.seq),
	    Array.from(log, (_, i) => i + 1));
	for (const [seq, msg] of acked)
		assert.equal(log[seq - 1]?.msg, msg, `acked at ${seq}`);
	assert.equal(new Set(log.map(m => m.msg)).size, log.length,
	    'something is there twice');
}

test('the log is lost with its lock: a new history, and all are told',
    async () => {
	const c = await Cluster.start({ msgs: 1, proxies: 1 });
	try {
		const amy = await Client.login(c.msgs[0].ws, 'amy', RID);
		for (const msg of ['one', 'two', 'three'])
			await amy.say(RID, msg);
		const { ep } = amy.me.pos[RID];
		const px = c.proxies[0];
		/* a second life, so that gen 1 is an old one */
		await px.kill();
		await px.start();
		await amy.say(RID, 'four');
		await px.kill();
		for (const f of readdirSync(c.data).filter(x =>
		    x.startsWith('messages.')))
			rmSync(join(c.data, f));
		await px.start();
		const ok = await amy.say(RID, 'anew', { ms: 10000 });
		assert.equal(ok.seq, 1);
		const gap = await amy.next('gap');
		assert.notEqual(gap.ep, ep);
		assert.equal(gap.why, 'lost');
		assert.equal((await amy.hear('anew')).seq, 1);
		const bob = await Client.login(c.msgs[0].ws, 'bob', RID,
		    { pos: { [RID]: [ep, 4] } });
		assert.equal(bob.me.pos[RID].full, false);
		assert.equal(bob.me.pos[RID].ep, gap.ep);
		assert.match(c.msgs[0].log, /a log of its own/);
		await amy.bye();
		await bob.bye();
	} finally {
		await c.stop();
	}
});

test('the lock is removed and a second proxy started: one writes, none is lost',
    async () => {
	const c = await Cluster.start({ msgs: 1, proxies: 1 });
	try {
		const amy = await Client.login(c.msgs[0].ws, 'amy', RID);
		const t = new Talker(amy);
		await t.more();
		const was = c.proxies[0];
		was.killed = true;	/* to end is what it has to do */
		rmSync(join(c.data, 'messages.lock'));
		const now = await c.newProxy().start();
		assert.deepEqual(await was.exit, { code: 1, signal: null }, was.log);
		assert.match(was.log, /taken it over/);
		await t.more();
		assert.equal((await c.active()).name, now.name);
		await t.stop();
		await judge(c.msgs[0].ws, t.acked);
		await amy.bye();
	} finally {
		await c.stop();
	}
});

for (const what of ['deleted', 'deleted with its list', 'an old copy'])
	test(`topology.db under traffic: ${what}`, async () => {
		const c = await Cluster.start({ msgs: 2, proxies: 2 });
		try {
			const at = join(c.data, 'topology.db');
			await c.config.stop('SIGTERM');
			copyFileSync(at, `${at}.old`);
			await c.config.start();
			for (const m of c.msgs)
				await m.ready();
			const was = await c.active();
			await was.kill();	/* the old copy knows another active */
			await was.start();
			await (await c.newMsg().start()).ready();
			const amy = await Client.login(c.msgs[0].ws, 'amy', RID);
			const bob = await Client.login(c.msgs[1].ws, 'bob', RID);
			const t = new Talker(amy);
			await t.more();
			const links = c.msgs.map(m => m.log.match(
			    /linked to proxy/g)?.length ?? 0);
			await c.config.kill();
			for (const f of readdirSync(c.data))
				if (f.startsWith('topology.db') && f !== 'topology.db.old')
					rmSync(join(c.data, f));
			if (what === 'deleted with its list')
				rmSync(join(c.data, 'cf1.topology.json'));
			if (what === 'an old copy')
				copyFileSync(`${at}.old`, at);
			await t.more();
			t.worst = 0;
			await c.config.start();
			assert.ok(existsSync(at));
			const names = [...c.proxies, ...c.msgs].map(d =>
			    d.name).sort();
			await until('all are known again', async () => {
				const r = await c.config.fetch('/v1/servers');
				const up = r.json.list.filter(s => s.state === 'up' &&
				    s.role !== 'config')
				    .map(s => s.id);
				assert.deepEqual(up.sort(), names);
				return true;
			}, 15000);
			await t.more(50);
			await t.stop();
			assert.deepEqual(c.msgs.map(m => m.log.match(
			    /linked to proxy/g)?.length ?? 0), links,
			    'links were given up and made again');
			assert.ok(t.worst < 10000, `no ack for ${t.worst} ms`);
			await bob.hear([...t.acked.values()].at(-1));
			await judge(c.msgs[1].ws, t.acked);
			await amy.bye();
			await bob.bye();
		} finally {
			await c.stop();
		}
	});
