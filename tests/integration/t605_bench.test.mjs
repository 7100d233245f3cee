/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * cchatctl bench: figures of a live cluster that can be right, within what
 * the servers allow and the verb's own bounds; and it tells what was refused.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Cluster, build, freePort, until } from '../lib/cluster.mjs';

const program = join(build, 'config_server', 'cchatctl');

const bench = (c, ...args) => new Promise(done => {
	const p = spawn(program, ['bench', ...args, '--data', c.data,
	    '--config-server', c.configAt], { timeout: 300000 });
	const r = { out: '', err: '' };
	p.stdout.on('data', d => { r.out += d; });
	p.stderr.on('data', d => { r.err += d; });
	p.on('close', code => {
		r.code = code;
		if (args.includes('--json'))
			r.lines = r.out.trim().split('\n').filter(Boolean)
			    .map(JSON.parse);
		done(r);
	});
});

describe('a sound cluster, with the limits it comes with', () => {
	let c;
	before(async () => {
		c = await Cluster.start({ msgs: 2, proxies: 1, conf: {
			msg_server: { send_rate: 5, send_burst: 20, uid_rate: 10,
			    frame_rate: 50, frame_burst: 200, conns_per_ip: 1000,
			    conn_rate: 100, conn_burst: 500, room_rate: 2000,
			    rooms_new: 20 },
		} });
	});
	after(() => c.stop());

	test('a table for people', async () => {
		const r = await bench(c, '--seconds', '1', '--members', '10');
		assert.equal(r.code, 0, r.out + r.err);
		assert.match(r.out, /^fan\n/);
		for (const k of ['deliveries_per_s', 'p50_ms', 'p90_ms', 'p99_ms',
		    'p999_ms', 'max_ms', 'lost', 'doubled', 'out_of_order'])
			assert.match(r.out, new RegExp(`^  ${k} +[0-9.e+]+`, 'm'));
		assert.ok(!r.out.includes('{') && r.err === '', r.err);
		assert.ok(r.out.split('\n').every(l => l.length < 80));
	});

	test('JSON lines; each delivery is booked', async () => {
		const r = await bench(c, '--json', '--rooms=4', '--members=20',
		    '--rate=60', '--seconds=2', '--ratio');
		assert.equal(r.code, 0, r.out + r.err);
		const [f] = r.lines;
		assert.equal(f.expected, f.sent * 20);
		/* and a second before that which is not measured */
		assert.ok(f.sent > 60 && f.sent <= 200, `${f.sent}`);
		assert.ok(f.limit_k16_per_cpu_s > f.limit_k1_per_cpu_s);
		assert.equal(f.lost + f.doubled + f.out_of_order + f.refused, 0);
	});

	test('idle: everybody is reached by a private message', async () => {
		const r = await bench(c, 'idle', '--json', '--rooms', '20',
		    '--members', '10', '--hold', '1', '--reach', '200');
		assert.equal(r.code, 0, r.out + r.err);
		const [f] = r.lines;
		assert.deepEqual([f.connections, f.reached, f.failed, f.gone],
		    [200, 200, 0, 0]);
		assert.ok(f.reach_p99_ms > 0);
	});

	test('pairs and a storm', async () => {
		const p = await bench(c, 'pairs', '--json', '--seconds=1');
		assert.equal(p.code, 0, p.out + p.err);
		assert.equal(p.lines[0].expected, p.lines[0].sent * 2);
		const s = await bench(c, 'storm', '--json');
		assert.equal(s.code, 0, s.out + s.err);
		assert.equal(s.lines[0].connections, 200);
		assert.ok(s.lines[0].logins_per_s > 0);
	});

	test('what the servers refuse is told, and is the exit code', async () => {
		/* above send_rate, below frame_rate: who floods is sent away */
		const r = await bench(c, '--json', '--rooms=1', '--members=5',
		    '--senders=1', '--rate=40', '--seconds=3');
		assert.equal(r.code, 1, r.out + r.err);
		const [f] = r.lines;
		assert.deepEqual([f.gone, f.lost], [0, 0], r.out + r.err);
		assert.ok(f.refused > 50 && f.refused < f.sent, r.out);
	});

	test('nobody is left behind', () => until('all are gone', async () => {
		const all = await Promise.all(c.msgs.map(m => m.fetch('/status')));
		return all.every(s => s.json.connections === 0);
	}));
});

describe('where tokens are needed', () => {
	let c, dir;
	before(async () => {
		c = await Cluster.start({ msgs: 1, proxies: 1,
		    conf: { msg_server: { auth: 'token' } } });
		dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
	});
	after(() => {
		rmSync(dir, { recursive: true });
		return c.stop();
	});
	const few = ['--json', '--rooms=2', '--members=5', '--seconds=1'];

	test('with the key of the data directory', async () => {
		const r = await bench(c, ...few);
		assert.equal(r.code, 0, r.out + r.err);
		assert.ok(r.lines[0].expected > 10);
	});

	test('with another nobody is let in', async () => {
		writeFileSync(join(dir, 'k'), `${'ab'.repeat(32)}\n`);
		const r = await bench(c, ...few, '--token-key', join(dir, 'k'));
		assert.equal(r.code, 1, r.out + r.err);
		assert.match(r.err, /the server says .*"errCode":401/);
		assert.equal(r.out, '');
	});
});

describe('mistakes', () => {
	const run = (...args) => spawnSync(program, ['bench', ...args],
	    { encoding: 'utf8' });

	test('numbers out of bounds, scenes and flags nobody knows', () => {
		for (const args of [['fly'], ['fan', 'pairs'], ['--rooms', '0'],
		    ['--rooms', '5001'], ['--members', 'x'],
		    ['--rooms=200', '--members=200'], ['--rate', '20001'],
		    ['--rate=20000', '--seconds=3600'], ['--seconds'],
		    ['--window=4', '--rate=5'], ['--url', 'http://x/'],
		    ['--url', 'wss://h:1/ws'], ['--dialect', 'nats'],
		    ['--dialect', 'workerman'],
		    ['--no', 'x']]) {
			const r = run(...args);
			assert.equal(r.status, 2, `${args}: ${r.stdout}${r.stderr}`);
			assert.match(r.stderr, /^cchatctl: .*\n$/, `${args}`);
		}
	});

	test('help', () => {
		const r = run('-h');
		assert.equal(r.status, 0);
		assert.match(r.stdout, /^Usage: cchatctl bench/);
		assert.ok(r.stdout.split('\n').every(l => l.length <= 80), r.stdout);
	});

	test('nothing runs', async () => {
		const at = `127.0.0.1:${await freePort()}`;
		const r = run('--config-server', at);
		assert.equal(r.status, 3, r.stderr);
		assert.match(r.stderr, /^cchatctl: .*\n$/);
	});

	test('limit needs no cluster', () => {
		const r = run('limit', '--json', '--members=20', '--rooms=1',
		    '--seconds=1');
		assert.equal(r.status, 0, r.stderr);
		const all = r.stdout.trim().split('\n').map(JSON.parse);
		assert.deepEqual(all.map(l => l.joined), [1, 3, 8, 16]);
	});
});
