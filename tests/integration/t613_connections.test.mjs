/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/* Who is connected, page by page, and what each process takes and does. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build, fetch, loopback, until, www } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

const PATIENCE = 20000, PEOPLE = 230;
const dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
const data = join(dir, 'data');
const host = loopback();
const people = [];
let ms1, ms2;

const ctl = (verb, ...args) => {
	const r = spawnSync(join(build, 'config_server', 'cchatctl'),
	    [verb, ...args, '--data', data], { encoding: 'utf8', timeout: 60000,
	    maxBuffer: 1 << 26, env: { ...process.env, NO_COLOR: '1' } });
	return { code: r.status, out: r.stdout, err: r.stderr };
};
const server = name => JSON.parse(ctl('status', '--json').out).servers
    .find(s => s.name === name);
const port = addr => Number(addr.split(':').pop());
const page = query => fetch(port(ms1.admin), `/connections${query}`,
    { host });

before(() => {
	const any = `${host}:0`;
	const r = ctl('start', '-d', '--www', www, '--listen', `${host}:9503`,
	    '--direct', any, '--admin', any, '--link-listen', any,
	    '--proxy-admin', any, '--config-server', any);

	assert.equal(r.code, 0, r.err);
	ms1 = server('ms1');
	ms2 = server('ms2');
});
after(() => {
	for (const p of people)
		p.drop();
	ctl('stop');
	rmSync(dir, { recursive: true, force: true });
});

test('nobody is connected', () => {
	assert.equal(ctl('connections').code, 0);
	assert.match(ctl('connections').out, /nobody is connected/);
	assert.equal(ctl('connections', '--json').out, '');
});

test('one of each kind', async () => {
	const t = Date.now();
	people.push(await Client.login(`ws://${ms1.direct}/ws`, '小明', '7',
	    { uid: 'ming' }));
	people.push(await Client.login(`ws://${ms1.direct}/ws`, 'old', 8,
	    { v: 1 }));
	people.push(await Client.open(`ws://${ms1.direct}/ws`));
	await people[0].cmd({ cmd: 'join', rid: '9' });
	const { json } = await page('');
	const [ming, old, silent] = json.list;

	assert.equal(json.count, 3);
	assert.equal(json.next, undefined);
	assert.deepEqual([ming.uid, ming.name, ming.dialect, ming.v, ming.rooms,
	    ming.state], ['ming', '小明', 'cchat', 2, 2, 'in']);
	assert.deepEqual([old.name, old.v, old.rooms], ['old', 1, 1]);
	assert.deepEqual([silent.uid, silent.dialect, silent.v, silent.state],
	    [undefined, undefined, 0, 'login']);
	for (const c of json.list) {
		assert.match(c.addr, /^127\.0\.0\.1:\d+$/);
		assert.ok(Math.abs(c.since - t) < 60000, `since ${c.since}`);
		assert.equal(c.queued, 0);
		assert.match(c.id, /^\d+$/);
	}
	await until('a table', () => /^ms1 +\d+ +ming +小明 +cchat +127\.0\.0\.1/m
	    .test(ctl('connections').out), PATIENCE);
	assert.match(ctl('connections', 'ms2').out, /nobody is connected/);
	people.pop().drop();
});

test('some hundred: every one of them once, whatever the page', async () => {
	for (let i = 0; i < PEOPLE; i++)
		people.push(await Client.open(`ws://${ms1.direct}/ws`));
	for (const limit of [7, 100, 1000]) {
		const ids = [];
		let next = '0', pages = 0;
		do {
			const { json } = await page(
			    `?after=${next}&limit=${limit}`);
			assert.ok(json.list.length <= limit);
			ids.push(...json.list.map(c => BigInt(c.id)));
			next = json.next;
			pages++;
		} while (next);
		assert.equal(ids.length, PEOPLE + 2);
		assert.ok(ids.every((x, i) => i === 0 || x > ids[i - 1]));
		assert.equal(pages, Math.ceil((PEOPLE + 2) / limit));
	}
	const lines = ctl('connections', 'ms1', '--json').out.trim().split('\n')
	    .map(l => JSON.parse(l));
	assert.equal(new Set(lines.map(c => c.id)).size, PEOPLE + 2);
	assert.ok(lines.every(c => c.server === 'ms1'));
	assert.equal(ctl('connections', '--limit', '5', '--json').out.trim()
	    .split('\n').length, 5);
});

test('what is no question', async () => {
	for (const q of ['?limit=0', '?limit=1001', '?limit=x', '?after=-1',
	    '?after=99999999999999999999'])
		assert.equal((await page(q)).status, 400, q);
	assert.equal((await fetch(port(ms1.admin), '/connections',
	    { host, method: 'POST' })).status, 405);
	/* of operators, not of the world */
	assert.equal((await fetch(port(ms1.listen), '/connections', { host }))
	    .status, 404);
	assert.equal(ctl('connections', 'nobody').code, 1);
	assert.equal(ctl('connections', '--limit', 'x').code, 2);
});

test('status: what each process takes and does', async () => {
	const was = server('ms1').process;

	assert.ok(was.connections >= PEOPLE);
	assert.ok(was.rss_kb > 1000 && was.timers > 0);
	assert.equal(was.send_failures, 0);
	await until('frames are counted, and by the second', async () => {
		for (let i = 0; i < 20; i++)
			people[0].send({ cmd: 'ping', t: i });
		await people[0].settle();
		const p = server('ms1').process;
		return p.requests >= was.requests + 20 && p.qps > 0;
	}, PATIENCE);
	assert.match(ctl('status').out,
	    /^NAME +ROLE +STATE +PID +UP +MEM MB +CONNS +FAILS +TIMERS +REQUESTS +QPS +RESTARTS +EXIT +ADMIN +LISTENING$/m);
	assert.match(ctl('status').out, /^ms1 .* 0 +- +127[.\d:]+ +127[.\d]+:9503 \(public\), /m);
	process.kill(ms2.pid, 'SIGKILL');
	await until('its end is told', () =>
	    /^ms2 .* 1 +signal 9 +127/m.test(ctl('status').out), PATIENCE);
});
