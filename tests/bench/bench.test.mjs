/* SPDX-License-Identifier: MIT */
/*
 * needs: node
 *
 * The load generator against a server that spoils deliveries and counts what
 * it did: both must come to the same numbers.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const build = process.env.CCHAT_BUILD ?? dirname(dirname(here));
const bench = join(build, 'tests/bench/cchat_bench');
const ref = join(build, 'tests/bench/bench_ref');

/* The reference server; stop() resolves to its counts. */
async function
reference(...args)
{
	const p = spawn(ref, args, { stdio: ['ignore', 'pipe', 'inherit'] });
	let said = '';
	let wake = () => {};
	p.stdout.setEncoding('utf8').on('data', s => { said += s; wake(); });
	const ended = new Promise(r => p.on('close', r));
	await new Promise(r => {
		wake = () => said.includes('\n') && r();
		wake();
	});
	return {
		pid: p.pid,
		at: /listening on (\S+)/.exec(said)[1],
		async stop()
		{
			p.kill('SIGTERM');
			await ended;
			return JSON.parse(said.trim().split('\n').pop());
		},
	};
}

/* One run of the tool: {status, lines}. */
function
run(...args)
{
	return new Promise(r => execFile(bench, [...args, '--json'],
	    { timeout: 30000 }, (err, out, stderr) => r({
		status: err ? err.code ?? err.signal : 0, stderr,
		lines: out.trim().split('\n').filter(Boolean).map(JSON.parse),
	    })));
}

async function
against(faults, ...args)
{
	const server = await reference(...faults);
	const r = await run(args[0], `--target=${server.at}`,
	    `--pids=ref=${server.pid}`, '--seconds=0.4', '--warm=0.1',
	    ...args.slice(1));
	const counts = await server.stop();
	assert.equal(r.lines.length, 1, r.stderr);
	return { ...r, f: r.lines[0], counts };
}

const agree = ({ f, counts }) => {
	assert.equal(f.expected, counts.delivered);
	assert.equal(f.lost, counts.dropped);
	assert.equal(f.doubled, counts.doubled);
	assert.equal(f.out_of_order, counts.swapped);
	assert.equal(f.foreign, 0);
};

/* mostly waiting, so beside each other */
describe('cchat_bench', { concurrency: 4 }, () => {
	test('the programs are built', () => {
		assert.ok(existsSync(bench) && existsSync(ref), `${bench}, ${ref}`);
	});

	for (const how of ['--batch', '--write'])
		test(`a server without faults has none (${how})`, async () => {
			const r = await against([how], 'fan', '--rooms=4', '--members=10',
			    '--senders=2', '--window=2');
			agree(r);
			assert.equal(r.status, 0, r.stderr);
			assert.ok(r.f.expected > 1000 && r.f.deliveries_per_s > 1000);
			assert.ok(r.f.p50_ms <= r.f.p99_ms && r.f.p99_ms <= r.f.max_ms);
			assert.ok(r.f.rss > 0);
		});

	for (const [what, ...faults] of [['lost', '--drop=97'],
	    ['doubled', '--dup=89'], ['out of order', '--swap=83'],
	    ['everything', '--drop=3001', '--dup=89', '--swap=83']])
		test(`counts agree at a fixed rate: ${what}`, async () => {
			const r = await against(faults, 'fan', '--rooms=2',
			    '--members=20', '--senders=1', '--rate=1000');
			agree(r);
			assert.ok(r.counts.dropped + r.counts.doubled +
			    r.counts.swapped > 50);
			assert.equal(r.status, 3);
		});

	test('a lost message holds a closed window up, not for ever', async () => {
		const r = await against(['--drop=2003'], 'fan', '--members=20',
		    '--senders=2', '--window=4', '--seconds=3');
		agree(r);
		assert.ok(r.counts.dropped >= 2, 'the window went on after a loss');
	});

	test('latency counts from when a message was due', async () => {
		const server = await reference();
		const done = run('fan', `--target=${server.at}`, '--members=10',
		    '--senders=1', '--rate=200', '--warm=0', '--seconds=3');
		/* the scene: the server sleeps in the middle of the run */
		await sleep(1500);
		process.kill(server.pid, 'SIGSTOP');
		await sleep(1000);
		process.kill(server.pid, 'SIGCONT');
		const { f } = (r => ({ f: r.lines[0] }))(await done);
		agree({ f, counts: await server.stop() });
		/* what was due meanwhile was sent late, and that is told */
		assert.ok(f.sent >= 400 && f.sent <= 601, `${f.sent} sent`);
		assert.ok(f.p90_ms > 150 && f.max_ms > 700, JSON.stringify(f));
	});

	test('idle holds what it opened; storm counts logins', async () => {
		const r = await against([], 'idle', '--rooms=20', '--members=10',
		    '--hold=0.2');
		assert.equal(r.status, 0, r.stderr);
		assert.equal(r.f.connections, 200);
		assert.equal(r.f.failed + r.f.gone, 0);
		assert.ok(r.f.logins_per_s > 100);
	});

	test('connections that are refused are counted as failed', async () => {
		const server = await reference();
		await server.stop();
		const r = await run('storm', `--target=${server.at}`, '--members=5');
		assert.equal(r.status, 3);
		assert.equal(r.lines[0].failed, 5);
	});

	test('limit measures each number of joined frames', async () => {
		const r = await run('limit', '--members=50', '--joined=1,4',
		    '--seconds=0.2', '--warm=0.1');
		assert.equal(r.status, 0, r.stderr);
		assert.deepEqual(r.lines.map(l => l.joined), [1, 4]);
		assert.equal(r.lines[0].ratio, 1);
		assert.ok(r.lines.every(l => l.deliveries_per_cpu_s > 0));
	});

	test('bad options are refused', async () => {
		for (const args of [['fly'], ['fan'], ['fan', '--rooms=0'],
		    ['fan', '--target=nowhere'], ['limit', '--joined=0']])
			assert.equal((await run(...args)).status, 2, args.join(' '));
	});
});
