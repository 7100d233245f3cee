/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * drain, undrain and jobs: what an operator types and sees.  The servers that
 * are drained are of this test, and do what it says; in the end it is a whole
 * cluster of this machine, with people in it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { CChat } from '../../www/sdk/cchat.js';
import { build, Cluster, freePort, sleep, until } from '../lib/cluster.mjs';
import { Node } from '../lib/node.mjs';

const program = join(build, 'config_server', 'cchatctl');
let c, one, two, at, key;
const nodes = [];

/* a call that may last: {out, err} grow, end gives the exit code */
const call = (...args) => {
	const p = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
	const r = { out: '', err: '' };
	p.stdout.on('data', b => { r.out += b; });
	p.stderr.on('data', b => { r.err += b; });
	r.end = new Promise(done => p.on('close', code => {
		r.code = code;
		done(r);
	}));
	return r;
};
const begin = (...args) => call(...args, '--config-server', at, '--data',
    join(c.dir, 'none'));
const ctl = (...args) => begin(...args).end;
const json = async (...args) => JSON.parse((await ctl(...args, '--json')).out);
const get = async path => (await c.config.fetch(path)).json;
const post = (path, body, headers = {}) => c.config.fetch(path,
    { method: 'POST', body, headers: { 'Content-Type': 'application/json',
    ...headers } });
const node = async (name, more) => {
	const n = await Node.join({ at, key, name, ...more });
	nodes.push(n);
	return n;
};
const known = (name, o) => until(`${name} is ${JSON.stringify(o)}`,
    async () => {
	const s = await get(`/v1/servers/${name}`);
	return Object.entries(o).every(([k, v]) => s[k] === v);
}, 15000);

before(async () => {
	c = new Cluster({ conf: {} });
	await c.newConfig().start();
	at = c.configAt;
	key = Buffer.from(readFileSync(join(c.data, 'link.key'), 'utf8').trim(),
	    'hex');
	one = await node('ms1');
	two = await node('ms2');
	await node('px1', { role: 2 });
	one.say({ conns: 40 });
	two.say({ conns: 3 });
	await known('ms1', { conns: 40, state: 'up' });
	await known('ms2', { conns: 3 });
});
after(async () => {
	for (const n of nodes)
		n.socket?.destroy();
	await c?.stop();
});

test('nothing was ever drained', async () => {
	assert.match((await ctl('jobs')).out, /^no server was ever drained$/m);
	assert.deepEqual((await json('jobs')).list, []);
	const r = await ctl('undrain', 'ms1');
	assert.equal(r.code, 1);
	assert.match(r.err, /^cchatctl: it is not being drained \(409\)\n$/);
});

test('what cannot be drained, and why', async () => {
	for (const [name, why] of [['px1', /only msg_servers are drained/],
	    ['cf1', /only msg_servers are drained/], ['ms9', /no such server/]]) {
		const r = await ctl('drain', name);
		assert.equal(r.code, 1);
		assert.match(r.err, why);
		assert.equal(r.out, '');
	}
	const r = await ctl('drain', 'ms1', '--within', '5y');
	assert.equal(r.code, 1);
	assert.match(r.err, /within: seconds, or as 30s, 10m, 2h/);
	/* not from a page in somebody's browser */
	assert.equal((await post('/v1/servers/ms1/drain', '{}',
	    { Origin: 'http://127.0.0.1' })).status, 403);
	assert.equal((await post('/v1/servers/ms1/drain', '{}',
	    { 'Content-Type': 'text/plain' })).status, 415);
	assert.deepEqual(one.jobs, []);
});

test('undrain: clients are taken again', async () => {
	const d = begin('drain', 'ms1', '--rate', '5', '--within', '10m');
	await until('the job', () => one.jobs.length === 1);
	assert.equal(one.jobs[0].kind, 'drain');
	assert.deepEqual(one.jobs[0].args,
	    { rate: 5, within_ms: 600000, inc: 1 });
	/* nobody is sent there, from this moment on */
	assert.equal((await json('next', 'u1')).id, 'ms2');
	await until('told to all', () => two.topo.servers.find(s =>
	    s.name === 'ms1').state === 'draining');
	one.say({ state: 2, job: one.jobs[0].id, left: 30, moved: 10 });
	await until('seen', () => /10 of 40 clients moved, 30 left/.test(d.out));
	assert.match((await ctl('servers')).out, /^ms1 +msg +draining /m);
	const again = await ctl('drain', 'ms1');
	assert.equal(again.code, 1);
	assert.match(again.err, /it is draining already: job 1 \(409\)/);
	assert.match((await ctl('undrain', 'ms1')).out,
	    /^ms1 takes clients again; 10 had moved, 30 stay$/m);
	await until('the abort', () => one.jobs.at(-1).kind === 'abort');
	assert.equal(one.jobs.at(-1).id, 1);
	one.say({ state: 1, job: 0, left: 0, moved: 0, conns: 30 });
	await known('ms1', { state: 'up' });
	await d.end;
	assert.equal(d.code, 1);
	assert.match(d.err,
	    /^cchatctl: the drain of ms1 was ended after .*: 10 moved, 30 left\n$/);
	assert.match((await ctl('jobs')).out, /^ *1 +ms1 +aborted +10 +30 +5 /m);
	one.jobs.length = 0;
});

test('a drain to its end, over a restart of the config_server', async () => {
	const d = begin('drain', 'ms1');
	await until('the job', () => one.jobs.length === 1);
	const { id } = one.jobs[0];
	assert.equal(id, 2);
	assert.ok(!d.out.includes('\r') && !d.out.includes('\x1b'));
	one.say({ state: 2, job: id, left: 20, moved: 10 });
	await until('10 moved', () => /^ms1: 10 of 30 clients moved/m.test(d.out));
	await until('kept', async () => (await get('/v1/servers/ms1/drain'))
	    .moved === 10);
	await c.config.kill();
	await c.config.start();
	/* the same process joins again, and is told again */
	await Promise.all([one, two].map(n => n.connect()));
	await until('told again', () => one.jobs.length === 2);
	assert.equal(one.jobs[1].id, id);
	await known('ms1', { state: 'draining', linked: true });
	one.say({ left: 0, moved: 30, conns: 0 });
	await until('30 moved', async () => (await get('/v1/servers/ms1/drain'))
	    .moved === 30);
	assert.equal((await get('/v1/servers/ms1/drain')).state, 'running');
	await one.end();
	await d.end;
	assert.equal(d.code, 0, d.err);
	assert.match(d.out,
	    /^ms1: drained in .*, 30 clients moved; its process has ended$/m);
	await known('ms1', { state: 'down' });
	assert.match((await ctl('jobs')).out, /^ *2 +ms1 +done +30 +0 +200 /m);
	assert.match((await ctl('drain', 'ms1')).err, /it is down \(409\)/);
	const kinds = (await json('events')).list.map(e => e.kind);
	for (const kind of ['drain_start', 'drain_abort', 'drain_done'])
		assert.ok(kinds.includes(kind), kind);
});

test('it died with clients', async () => {
	const r = await ctl('drain', 'ms2', '--no-wait');
	assert.equal(r.code, 0);
	assert.match(r.out, /^ms2: job 3, 3 clients, 200 a second, within 30 s/);
	await until('the job', () => two.jobs.length === 1);
	two.say({ state: 2, job: 3, left: 2, moved: 1 });
	await until('seen', async () => (await get('/v1/servers/ms2/drain'))
	    .moved === 1);
	await two.end();
	two.inc++;
	two.jobs.length = 0;
	two.beat = { conns: 0, state: 1, job: 0, left: 0, moved: 0 };
	await two.connect();
	const job = await until('failed', async () => {
		const j = await get('/v1/servers/ms2/drain');
		return j.state === 'failed' && j;
	});
	assert.equal(job.left, 2);
	await known('ms2', { state: 'up' });
	assert.deepEqual(two.jobs, []);	/* a new process owes nothing */
	assert.match((await ctl('jobs', '--limit', '1')).out,
	    /^ *3 +ms2 +failed [^]*\n\.\.\. and older ones\n$/m);
});

test('one that ends by itself is shown, and has no job', async () => {
	two.say({ state: 2, left: 2 });
	await known('ms2', { state: 'draining' });
	assert.match((await ctl('drain', 'ms2')).err, /it was told to end/);
	assert.match((await ctl('undrain', 'ms2')).err, /it was told to end/);
	assert.equal((await get('/v1/jobs')).list.length, 3);
	two.say({ left: 0 });
	await two.end();
	await known('ms2', { state: 'down' });
});

test('for programs: one answer, the last', async () => {
	one.inc++;
	one.beat = { conns: 1, state: 1, job: 0, left: 0, moved: 0 };
	await one.connect();
	await known('ms1', { state: 'up', conns: 1 });
	one.jobs.length = 0;
	const d = begin('drain', 'ms1', '--json');
	await until('the job', () => one.jobs.length === 1);
	one.say({ state: 2, job: one.jobs[0].id, left: 0, moved: 1 });
	await until('seen', async () => (await get('/v1/servers/ms1/drain'))
	    .moved === 1);
	await one.end();
	await d.end;
	assert.equal(d.code, 0);
	const job = JSON.parse(d.out);
	assert.deepEqual([job.state, job.moved, job.left, job.total],
	    ['done', 1, 0, 1]);
	assert.ok(job.t1 >= job.t0);
	const bad = await ctl('drain', 'ms1', '--json');
	assert.equal(bad.code, 1);
	assert.equal(JSON.parse(bad.out).error.code, 409);
});

/* people who talk all the time, by the library that pages use */
class Talker {
	constructor(url, name)
	{
		this.got = [];
		this.sent = 0;
		this.acked = [];
		this.chat = new CChat({ url, WebSocket });
		this.chat.on('message', m => this.got.push(m.seq));
		this.start = this.chat.login({ name, rid: '1' });
	}

	talk()
	{
		this.timer = setInterval(() => {
			const n = ++this.sent;
			this.chat.send({ rid: '1' }, `${n}`)
			    .then(m => this.acked.push(m.seq));
		}, 250);	/* the default rate is 5 a second */
	}

	async quiet()
	{
		clearInterval(this.timer);
		await until('all are acked', () =>
		    this.acked.length === this.sent, 20000);
	}
}

test('a cluster of this machine, with people in it', async t => {
	const dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
	const data = join(dir, 'data'), any = '127.0.0.1:0';
	const run = (...args) => call(...args, '--data', data).end;
	const status = async () => JSON.parse((await run('status', '--json')).out);
	const of = async name => (await status()).servers.find(s =>
	    s.name === name);
	t.after(async () => {
		await run('stop');
		rmSync(dir, { recursive: true, force: true });
	});
	const up = await run('start', '-d', '--listen',
	    `127.0.0.1:${await freePort()}`, '--direct', any, '--admin', any,
	    '--link-listen', any, '--proxy-admin', any, '--config-server', any);
	assert.equal(up.code, 0, up.err);
	const people = [];
	for (const s of (await status()).servers.filter(x => x.role === 'msg'))
		for (let i = 0; i < 3; i++)
			people.push(new Talker(`ws://${s.direct}/ws`, `u${i}`));
	t.after(() => people.forEach(p => p.chat.close?.()));
	await Promise.all(people.map(p => p.start));
	for (const p of people)
		p.talk();
	await until('ms1 has three', async () =>
	    JSON.parse((await run('load', '--json')).out).list.find(s =>
	    s.id === 'ms1').conns === 3, 10000);

	const was = await of('ms1');
	const d = await run('drain', 'ms1', '--within', '20s');
	assert.equal(d.code, 0, d.err);
	assert.match(d.out, /^ms1: drained in .*, 3 clients moved;/m);
	assert.match(d.out, /^start it again with: cchatctl start ms1$/m);
	assert.ok(!existsSync(`/proc/${was.pid}`));
	/* it stays down: far beyond the time a dead one is started again in */
	await sleep(600);
	const now = await of('ms1');
	assert.deepEqual([now.state, now.pid, now.exit, now.restarts],
	    ['drained', 0, 0, 0]);
	assert.equal((await run('status')).code, 1);

	const again = await run('start');
	assert.equal(again.code, 0, again.err);
	assert.match(again.out, /^ms1 +is up after /);
	assert.ok((await of('ms1')).ready);
	assert.match((await run('start')).err, /a cluster runs already/);

	const old = await status();
	const t0 = performance.now(), r = await run('restart');
	assert.equal(r.code, 0, r.err);
	/* the standby has just begun: it has to know who may be back */
	assert.ok(performance.now() - t0 > 10000);
	assert.doesNotMatch(r.err, /going on/);
	for (const s of (await status()).servers) {
		const o = old.servers.find(x => x.name === s.name);
		assert.ok(s.ready && s.pid !== o.pid && s.restarts === 0, s.name);
	}

	for (const p of people)
		await p.quiet();
	const total = people.reduce((n, p) => n + p.sent, 0);
	assert.ok(total > 20, `${total} messages`);
	assert.deepEqual(people.flatMap(p => p.acked).sort((a, b) => a - b),
	    Array.from({ length: total }, (_, i) => i + 1));
	/* each has every message, once and in order, from his first on */
	for (const p of people) {
		await until('all', () => p.got.at(-1) === total, 10000);
		assert.deepEqual(p.got, Array.from({ length: p.got.length },
		    (_, i) => p.got[0] + i));
	}
});
