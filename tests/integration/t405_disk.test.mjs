/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * The disk under a running chat: below its floor, really full, and one whose
 * fsync fails. Senders are told and when to come back, history goes on, what
 * was acked is there once, and all is well again by itself.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, statfsSync, statSync,
    writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Cluster, build, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { readLog } from '../lib/fire.mjs';
import { Control, Disk, ERRNO, shimFile } from '../fault/shim.mjs';

const RID = '1';
const MIB = 1 << 20;

/* A cluster whose data lies on a disk of its own, where we may mount one. */
class OnDisk extends Cluster {
	async begin(mib, conf)
	{
		this.mounted = mib > 0 && this.mount(mib);
		this.configure({ ...conf, proxy_server: { ...conf?.proxy_server,
		    ...this.floor?.() } });
		try {
			await this.up();
		} catch (e) {
			await this.end(false);
			throw e;
		}
		return this;
	}

	mount(mib)
	{
		const keys = ['link.key', 'token.key'].map(k => [join(this.data, k),
		    readFileSync(join(this.data, k))]);
		const r = spawnSync('mount', ['-t', 'tmpfs', '-o',
		    `size=${mib}m,mode=0700`, 'none', this.data]);
		if (r.status === 0)
			for (const [f, b] of keys)
				writeFileSync(f, b, { mode: 0o600 });
		return r.status === 0;
	}

	get free()
	{
		const s = statfsSync(this.data);
		return s.bavail * s.bsize;
	}

	get filler()
	{
		return join(this.data, 'filler');
	}

	/* takes so many bytes, without writing them where that can be */
	take(bytes)
	{
		const r = spawnSync('fallocate', ['-l', String(bytes), this.filler]);
		assert.equal(r.status, 0, String(r.stderr));
	}

	/* takes all there is */
	fill()
	{
		const fd = openSync(this.filler, 'a');
		try {
			for (const size of [MIB, 65536, 4096])
				for (;;)
					writeSync(fd, Buffer.alloc(size, 0x78));
		} catch (e) {
			assert.equal(e.code, 'ENOSPC');
		} finally {
			closeSync(fd);
		}
	}

	async end(check = true)
	{
		try {
			await this.stop({ check, keep: true });
		} finally {
			if (this.mounted)
				spawnSync('umount', ['-l', this.data]);
			rmSync(this.dir, { recursive: true, force: true });
		}
	}
}

const ready = async p => (await p.fetch('/readyz')).status;

/* Sends until one is refused for the disk; that error. */
async function
untilRefused(c, acked, ms = 20000)
{
	const end = Date.now() + ms;
	for (let i = 0; Date.now() < end; i++) {
		const msg = `fills ${i} ${'x'.repeat(900)}`;
		try {
			const ok = await c.say(RID, msg, { cid: `f${i}` });
			acked.set(ok.seq, msg);
		} catch (e) {
			return { e, msg, cid: `f${i}` };
		}
	}
	throw new Error('nothing was refused');
}

/* The log has what was acked, once, at its place, and no holes. */
async function
judge(url, acked)
{
	const log = await readLog(url, RID);
	assert.deepEqual(log.map(m => m.seq),
	    Array.from(log, (_, i) => i + 1));
	const at = new Map(log.map(m => [m.seq, m.msg]));
	for (const [seq, msg] of acked)
		assert.equal(at.get(seq), msg, `acked at ${seq}`);
	assert.equal(new Set(log.map(m => m.msg)).size, log.length,
	    'something is there twice');
	assert.equal(log.length, acked.size);
}

/* What a disk in trouble is to people, and its end by fix(). */
async function
trouble(c, fix, make)
{
	const px = c.proxies[0], acked = new Map(), url = c.msgs[0].ws;
	const amy = await Client.login(url, 'amy', RID);
	const bob = await Client.login(url, 'bob', RID);
	for (const msg of ['one', 'two', 'three']) {
		acked.set((await amy.say(RID, msg)).seq, msg);
		await bob.hear(msg);
	}
	assert.equal(await ready(px), 200);
	await make();
	const refused = await untilRefused(amy, acked);
	assert.equal(refused.e.errCode, 503);
	assert.equal(refused.e.retry, 5000);

	/* said where operators look, with the reason */
	await until('readyz says so', async () => await ready(px) === 503);
	const { checks } = (await px.fetch('/readyz')).json;
	assert.equal(checks.log, 'degraded');
	assert.match(checks.why, /disk|space/);
	assert.match(px.log, /log: degraded/);
	assert.match((await px.fetch('/metrics')).body,
	    /^cchat_proxy_degraded 1$/m);

	/* everybody stays, reads, and may come in */
	assert.equal(amy.closed, null);
	assert.equal(bob.closed, null);
	const h = await bob.history(RID, { limit: 200 });
	assert.ok(h.list.length > 0);
	const eve = await Client.login(url, 'eve', RID);
	assert.ok((await eve.history(RID)).list.length > 0);
	await assert.rejects(eve.say(RID, 'me too'), { errCode: 503 });
	await eve.bye();

	/* and it ends by itself */
	fix();
	await until('ready again', async () => await ready(px) === 200, 10000);
	const ok = await until('sends are taken', () => amy.say(RID, refused.msg,
	    { cid: refused.cid }), 10000);
	acked.set(ok.seq, refused.msg);
	acked.set((await bob.say(RID, 'and on it goes')).seq, 'and on it goes');
	await amy.hear('and on it goes');
	await judge(url, acked);
	await amy.bye();
	await bob.bye();
	assert.equal(px.running, true);
}

test('the floor (disk_min): refused with a time, and over by itself',
    async () => {
	const c = new OnDisk({ msgs: 1, proxies: 1 });
	/* on a disk that others use too, far enough from what they take */
	c.floor = () => ({ disk_min: c.mounted ? 30 :
	    Math.floor(c.free / MIB) - 512 });
	await c.begin(96);
	try {
		await trouble(c, () => rmSync(c.filler),
		    () => c.take((c.mounted ? 60 : 1024) * MIB));
	} finally {
		await c.end();
	}
});

test('a full disk: refused with a time, and over by itself', async t => {
	const c = new OnDisk({ msgs: 1, proxies: 1 });
	await c.begin(40, { proxy_server: { disk_min: 0 } });
	try {
		if (!c.mounted)
			return t.skip('may not mount a tmpfs');
		await trouble(c, () => rmSync(c.filler), () => c.fill());
		/* the reserve is there again */
		assert.equal(statSync(join(c.data, 'messages.reserve')).size,
		    16 * MIB);
	} finally {
		await c.end();
	}
});

test('a full disk, and the proxy is killed in it', async t => {
	const c = new OnDisk({ msgs: 1, proxies: 2 });
	await c.begin(40, { proxy_server: { disk_min: 0 } });
	try {
		if (!c.mounted)
			return t.skip('may not mount a tmpfs');
		const acked = new Map(), url = c.msgs[0].ws;
		const amy = await Client.login(url, 'amy', RID);
		acked.set((await amy.say(RID, 'one')).seq, 'one');
		const was = await c.active();
		c.fill();
		const refused = await untilRefused(amy, acked);
		assert.equal(refused.e.errCode, 503);
		await was.kill();
		const now = await c.active();
		assert.notEqual(now.name, was.name);
		rmSync(c.filler);
		await until('ready again', async () => await ready(now) === 200,
		    10000);
		const ok = await until('sends are taken', () => amy.say(RID,
		    refused.msg, { cid: refused.cid }), 10000);
		acked.set(ok.seq, refused.msg);
		await judge(url, acked);
		await amy.bye();
	} finally {
		await c.end();
	}
});

test('full to the last byte: taken over, started anew, read all the while',
    async t => {
	const c = new OnDisk({ msgs: 1, proxies: 2 });
	await c.begin(40, { proxy_server: { disk_min: 0 } });
	try {
		if (!c.mounted)
			return t.skip('may not mount a tmpfs');
		const acked = new Map(), url = c.msgs[0].ws;
		const amy = await Client.login(url, 'amy', RID);
		acked.set((await amy.say(RID, 'one')).seq, 'one');
		const was = await c.active();
		c.fill();
		const refused = await untilRefused(amy, acked);
		/* the reserve, which was given up, too */
		await until('degraded', async () => await ready(was) === 503);
		c.fill();
		const reads = async () => {
			const now = await c.active();
			const eve = await until('a login', () => Client.login(url,
			    'eve', RID), 10000);
			assert.equal((await eve.history(RID, { limit: 200 }))
			    .list.at(-1).seq, acked.size);
			await assert.rejects(eve.say(RID, 'me too'),
			    { errCode: 503 });
			await eve.bye();
			assert.equal(await ready(now), 503);
			return now;
		};
		await was.kill();
		const next = await reads();
		assert.notEqual(next.name, was.name);
		/* an orderly end takes away the files beside messages.db */
		await next.stop('SIGTERM');
		c.fill();
		await next.start();
		/* not even to be opened: said, and no end */
		await until('the reason', async () => {
			const r = await next.fetch('/readyz');
			assert.equal(r.status, 503);
			assert.match(r.json.checks.why, /no space left/);
			return true;
		});
		rmSync(c.filler);
		await until('ready again', async () => await ready(next) === 200,
		    10000);
		const ok = await until('sends are taken', () => amy.say(RID,
		    refused.msg, { cid: refused.cid }), 10000);
		acked.set(ok.seq, refused.msg);
		await judge(url, acked);
		await amy.bye();
	} finally {
		await c.end();
	}
});

test('fsync fails: the active one ends with 1, the standby takes over',
    async t => {
	const so = shimFile(build);
	if (so === null)
		return t.skip('the shim is not built');
	const c = new OnDisk({ msgs: 1, proxies: 2 });
	const controls = new Map();
	const disk = new Disk(c.data, join(c.dir, 'undo'));
	const plain = c.newProxy;
	c.newProxy = function () {
		const d = plain.call(this);
		const control = new Control(join(c.dir, `${d.name}.ctl`));
		controls.set(d.name, control);
		d.env = { ...disk.env(control, so), ASAN_OPTIONS:
		    `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0` };
		return d;
	};
	await c.begin(0);
	try {
		const acked = new Map(), url = c.msgs[0].ws;
		const amy = await Client.login(url, 'amy', RID);
		let on = true;
		/* one that never gives up, as the SDK does */
		const say = async (cid, msg) => {
			const end = Date.now() + 20000;
			for (;;) {
				try {
					return (await amy.say(RID, msg, { cid })).seq;
				} catch (e) {
					assert.equal(e.errCode, 503);
					assert.ok(e.retry > 0 && Date.now() < end);
				}
			}
		};
		const talk = (async () => {
			for (let i = 0; on; i++)
				acked.set(await say(`s${i}`, `says ${i}`), `says ${i}`);
		})();
		await until('a few', () => acked.size > 20);
		const was = await c.active();
		was.killed = true;	/* to end is what it has to do */
		controls.get(was.name).failSyncs(ERRNO.EIO);
		const end = await was.exit;
		assert.deepEqual(end, { code: 1, signal: null }, was.log);
		assert.match(was.log, /log: failed, /);
		const now = await c.active();
		assert.notEqual(now.name, was.name);
		const n = acked.size;
		await until('it goes on', () => acked.size > n + 20, 15000);
		on = false;
		await talk;
		await judge(url, acked);
		await amy.bye();
	} finally {
		for (const x of controls.values())
			x.close();
		await c.end();
	}
});
