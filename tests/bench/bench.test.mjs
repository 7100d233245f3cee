/* SPDX-License-Identifier: MIT */
/*
 * needs: node
 *
 * The load generator against a server that spoils deliveries and counts what
 * it did: both must come to the same numbers.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
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
	    { timeout: 120000 }, (err, out, stderr) => r({
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
			assert.ok(r.f.expected > 100 && r.f.deliveries_per_s > 100);
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

	const closing = ['fan', '--members=20', '--senders=4'];

	for (const [how, ...load] of [['a fixed rate', '--rate=1000'],
	    ['a closed window', '--window=4']])
		test(`who is closed owes nothing and is owed nothing: ${how}`,
		    async () => {
			const r = await against(['--close=30', '--closes=3', '--ok'],
			    ...closing, ...load);
			const { f, counts } = r;
			assert.equal(r.status, 3);
			assert.equal(f.lost, 0, JSON.stringify(f));
			assert.equal(f.gone, 3);
			assert.ok(f.unanswered >= 3 && f.cut_off >= 0);
			assert.equal(f.expected - 20 * f.unanswered - f.cut_off,
			    counts.delivered);
			/* the others go on, and at the full rate */
			assert.ok(f.sent > 40, `${f.sent} sent`);
			assert.equal(f.unsaid > 0, how === 'a fixed rate');
			assert.match(r.stderr,
			    /connection \d+ ended: closed by the server with 4102 flood/);
		});

	test('what was acked is owed, though its sender is closed', async () => {
		for (const load of ['--rate=1000', '--window=4']) {
			const r = await against(['--close=30', '--forget', '--ok'],
			    ...closing, load);
			assert.equal(r.counts.dropped, 20);
			/* his own copy he could not have had any more */
			assert.equal(r.f.lost, 19, JSON.stringify(r.f));
			assert.equal(r.f.gone, 1);
		}
	});

	test('a loss beside those who are closed is seen', async () => {
		const r = await against(['--close=30', '--closes=3', '--ok',
		    '--drop=37'], ...closing, '--rate=1000');
		const { lost, cut_off } = r.f, { dropped } = r.counts;
		/* at the end of one who is closed it can't be told from that */
		assert.ok(lost <= dropped && lost >= dropped - 3 && cut_off >= 0,
		    `${lost} of ${dropped}`);
		assert.ok(dropped > 50);
	});

	test('private pairs, and faults among them', async () => {
		const r = await against(['--drop=37', '--dup=41'], 'pairs',
		    '--rooms=20', '--rate=2000');
		agree(r);
		assert.ok(r.counts.dropped > 20 && r.counts.doubled > 20);
		assert.equal(r.status, 3);
	});

	test('who does not read is left out of the books', async () => {
		const r = await against(['--drop=97'], 'fan', '--members=40',
		    '--senders=4', '--stalled=100', '--rate=1000');
		/* four of forty; what they are given is on no list */
		assert.equal(r.f.expected, 36 * r.f.sent);
		assert.equal(r.counts.delivered, 40 * r.f.sent);
		assert.ok(r.f.lost > 0 && r.f.lost < r.counts.dropped);
	});

	test('connections come from many addresses', async () => {
		const server = await reference();
		const port = Number(server.at.split(':')[1]).toString(16)
		    .toUpperCase().padStart(4, '0');
		const done = run('idle', `--target=${server.at}`, '--rooms=10',
		    '--members=20', '--per-address=50', '--hold=3');
		const from = () => new Set(readFileSync('/proc/net/tcp', 'latin1')
		    .split('\n').map(l => l.trim().split(/\s+/))
		    .filter(l => l[2]?.endsWith(`:${port}`) && l[3] === '01')
		    .map(l => l[1].split(':')[0]));
		const end = Date.now() + 10000;
		while (from().size < 4 && Date.now() < end)
			await sleep(20);
		assert.deepEqual([...from()].sort(), ['0101007F', '0201007F',
		    '0301007F', '0401007F']);
		assert.equal((await done).status, 0);
		await server.stop();
	});

	test('a table for people, or the line for programs', async () => {
		const args = ['limit', '--members=50', '--joined=1',
		    '--seconds=0.1', '--warm=0'];
		const said = (...more) => new Promise(r => execFile(bench,
		    [...args, ...more], { timeout: 120000 }, (err, out) => r(out)));
		const both = await said(), table = await said('--table');
		assert.match(table, /^limit\n  members +50 sockets\n  joined +1/);
		assert.ok(!table.includes('{'));
		assert.equal(both.trim().split('\n').filter(l =>
		    l.startsWith('{')).length, 1);
		assert.match(both, /^limit\n/);
	});

	test('a lost message holds a closed window up, not for ever', async () => {
		const r = await against(['--drop=503'], 'fan', '--members=20',
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
		assert.ok(f.sent >= 200 && f.sent <= 601, `${f.sent} sent`);
		assert.ok(f.p90_ms > 150 && f.max_ms > 700, JSON.stringify(f));
	});

	test('idle holds what it opened; storm counts logins', async () => {
		const r = await against([], 'idle', '--rooms=20', '--members=10',
		    '--hold=0.2');
		assert.equal(r.status, 0, r.stderr);
		assert.equal(r.f.connections, 200);
		assert.equal(r.f.failed + r.f.gone, 0);
		assert.ok(r.f.logins_per_s > 5);
	});

	test('the workerman dialect', async () => {
		const r = await against(['--drop=97'], 'fan',
		    '--dialect=workerman', '--rooms=3', '--members=10',
		    '--senders=2', '--rate=1000');
		agree(r);
		assert.ok(r.counts.dropped > 20);
		assert.equal(r.f.dialect, 'workerman');
		assert.ok(r.f.expected > 1000 && r.f.p99_ms > 0);
	});

	test('the bare send loop in the same run, as a ratio', async () => {
		const r = await against([], 'fan', '--members=50', '--limit',
		    '--joined=1,4', '--seconds=1');
		assert.equal(r.status, 0, r.stderr);
		assert.ok(r.f.limit_k4_per_cpu_s > r.f.limit_k1_per_cpu_s);
		const ratio = r.f.deliveries_per_cpu_s / r.f.limit_k1_per_cpu_s;
		assert.ok(Math.abs(r.f.x_limit / ratio - 1) < 0.01);
	});

	const held = ['idle', '--rooms=40', '--members=5', '--workers=4',
	    '--hold=0.2', '--rate=400', '--seconds=0.5'];

	test('several processes hold; talk, and a word to each', async () => {
		const r = await against([], ...held, '--reach=1000');
		assert.equal(r.status, 0, r.stderr);
		const { f } = r;
		assert.deepEqual([f.connections, f.reach_sent, f.reached],
		    [200, 200, 200]);
		assert.ok(f.said >= 100 && f.said <= 300, `${f.said}`);
		assert.equal(f.expected, 5 * f.said);
		/* a private one goes to the sender, too */
		assert.equal(r.counts.delivered, f.expected + 400);
		assert.ok(f.talk_p99_ms > 0 && f.reach_p99_ms > 0);
		assert.ok(f.rss_held > 0 && f.anon_held > 0);
	});

	test('faults among these are counted', async () => {
		for (const fault of ['--drop=37', '--dup=37', '--swap=2']) {
			const r = await against([fault], ...held);
			assert.equal(r.status, 3, fault);
			assert.equal(r.f.lost, r.counts.dropped);
			assert.equal(r.f.doubled, r.counts.doubled);
			assert.ok(r.f.lost + r.f.doubled + r.f.out_of_order > 0, fault);
		}
	});

	test('there, too, who is closed owes and is owed nothing', async () => {
		for (const [lost, ...how] of [[0, '--ok'], [8, '--ok', '--forget']]) {
			const { status, f, counts, stderr } = await against(
			    ['--close=10', '--closes=2', ...how], ...held,
			    '--rate=1600');
			assert.equal(status, 3);
			assert.deepEqual([f.gone, f.lost, f.doubled], [2, lost, 0],
			    JSON.stringify(f));
			/* of what was acked his own copy is his no more */
			const own = lost / 4;
			assert.ok(f.unanswered >= 2 - own);
			assert.equal(f.cut_off, f.unanswered + own);
			assert.equal(f.expected, counts.delivered - own);
			assert.match(stderr, /with 4102 flood/);
		}
	});

	test('who was not reached is told', async () => {
		/* of the two copies of each, every second is the sender's */
		const r = await against(['--drop=41'], ...held.slice(0, 5),
		    '--reach=1000');
		assert.equal(r.status, 3);
		assert.ok(r.f.reached < 200 && r.f.reached > 190);
	});

	const drop = ['drop', '--rooms=4', '--members=20', '--rate=400',
	    '--seconds=0.3', '--away=0.3'];

	test('who is dropped comes back and has all', async () => {
		const r = await against(['--log'], ...drop);
		assert.equal(r.status, 0, r.stderr);
		assert.deepEqual([r.f.connections, r.f.dropped, r.f.back],
		    [88, 80, 80]);
		assert.equal(r.f.lost + r.f.doubled + r.f.out_of_order, 0);
		assert.ok(r.f.expected > 88 * 30, `${r.f.expected}`);
		/* away for 0.3 s, then at once or up to 0.5 s later */
		assert.ok(r.f.all_back_s >= 0.3 && r.f.back_p50_ms >= 300 &&
		    r.f.back_max_ms >= r.f.back_p50_ms);
		assert.ok(r.f.tries >= 1 && r.f.cpu_s >= 0 && r.f.disk_read >= 0);
		assert.ok(r.f.during_p99_ms > 0 && r.f.before_p99_ms > 0);
	});

	for (const fault of ['drop', 'dup', 'swap'])
		test(`faults among what was missed are counted: ${fault}`,
		    async () => {
			const r = await against(['--log', '--on-replay',
			    `--${fault}=17`], ...drop);
			assert.equal(r.f.back, 80);
			assert.equal(r.f.lost, r.counts.dropped);
			assert.equal(r.f.doubled, r.counts.doubled);
			assert.equal(r.f.out_of_order, r.counts.swapped);
			assert.ok(r.counts.dropped + r.counts.doubled +
			    r.counts.swapped > 20);
			assert.equal(r.status, 3);
		});

	test('an answer without all of it is told', async () => {
		const r = await against(['--log', '--short'], ...drop);
		assert.equal(r.f.cut_short, 80);
		assert.equal(r.status, 3);
	});

	test('a server is killed, its people go to the other', async () => {
		const a = await reference('--log'), b = await reference('--log');
		const r = await run(...drop, `--target=${a.at},${b.at}`,
		    `--pids=ms1=${a.pid},ms2=${b.pid}`, '--kill=ms1');
		assert.equal((await b.stop()).dropped, 0);
		assert.equal(r.status, 0, r.stderr);
		const f = r.lines[0];
		assert.deepEqual([f.by, f.dropped, f.back], ['kill', 80, 80]);
		assert.equal(f.lost + f.doubled + f.out_of_order, 0);
		assert.throws(() => process.kill(a.pid, 0), 'it was killed');
	});

	const stall = ['stall', '--rooms=1', '--members=20', '--senders=2',
	    '--stalled=100', '--rate=2000', '--hold=1', '--size=1000',
	    '--seconds=0.3'];

	test('who stops reading has all in the end', async () => {
		const r = await against(['--log'], ...stall);
		assert.equal(r.status, 0, r.stderr);
		assert.deepEqual([r.f.stalled, r.f.level], [2, 2]);
		assert.equal(r.f.lost + r.f.doubled + r.f.out_of_order, 0);
		assert.equal(r.f.expected, r.counts.delivered);
		assert.ok(r.f.sent >= 2600);
		assert.ok(r.f.caught_max_ms > 0 && r.f.during_p99_ms > 0);
	});

	test('faults are counted there, too, and memory that grows', async () => {
		const server = await reference('--log', '--drop=97', '--dup=89');
		const r = await run(...stall, `--target=${server.at}`, '--hold=2',
		    `--pids=ms1=${server.pid}`, '--size=4000');
		const counts = await server.stop();
		assert.equal(r.status, 3);
		const f = r.lines[0];
		assert.equal(f.lost, counts.dropped);
		assert.equal(f.doubled, counts.doubled);
		assert.ok(counts.dropped > 20 && counts.doubled > 20);
		/* the log it keeps, and the queues: 8 MB a second and more */
		assert.ok(f.msg_rss_growth > 4e6, `${f.msg_rss_growth}`);
		assert.ok(f.msg_rss_max >= f.msg_rss_end &&
		    f.msg_rss_end > f.msg_rss_before);
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
		    ['limit', '127.0.0.1:1', '--seconds=1'],
		    ['fan', '--target=nowhere'], ['limit', '--joined=0'],
		    ['drop', '--target=127.0.0.1:1', '--kill=ms9'],
		    ['drop', '--target=127.0.0.1:1', '--level=1'],
		    ['fan', '--target=127.0.0.1:1', '--dialect=morse'],
		    ['pairs', '--target=127.0.0.1:1', '--dialect=nats'],
		    ['idle', '--target=127.0.0.1:1', '--workers=2'],
		    ['fan', '--target=127.0.0.1:1', '--token-key=/dev/null']])
			assert.equal((await run(...args)).status, 2, args.join(' '));
	});
});
