/* SPDX-License-Identifier: MIT */
/*
 * needs: node build
 *
 * What a message and a login cost, in instructions of our own daemons
 * (callgrind; the kernel's are not in it): numbers that a loaded machine does
 * not change.  Compared with instr.json, which is changed by hand and with a
 * reason.  20 rooms of 10, 100 messages a second, so that each is alone; 20 a
 * second in a room of 200, for each of its members, where nothing else counts;
 * and logins into rooms of 10.
 *
 * The base is that of CFLAGS="-O2 -g" on Debian 12 (amd64); other builds are
 * skipped.  Without valgrind it is skipped too, but not where CI is set.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Cluster, build, until } from '../lib/cluster.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const base = JSON.parse(readFileSync(join(here, 'instr.json'), 'utf8'));
const run = promisify(execFile);
const MORE = 1.15;	/* beyond it something was made dearer */
const TRIES = 4;
const LESS = 0.75;	/* below it the base should be told */

function
whyNot()
{
	const make = readFileSync(join(build, 'Makefile'), 'utf8');
	const flags = /^CFLAGS = (.*)$/m.exec(make)?.[1] ?? '';
	if (process.arch !== 'x64' || !/-O2\b/.test(flags) ||
	    /^SAN_CFLAGS = *\S/m.test(make))
		return `the base is of another build than ${flags}`;
	try {
		execFileSync('valgrind', ['--version'], { stdio: 'ignore' });
	} catch {
		assert.ok(!process.env.CI, 'valgrind is missing');
		return 'no valgrind';
	}
	return false;
}

/* The daemon runs under callgrind, which counts when told so. */
class Counted {
	constructor(daemon, dir)
	{
		this.file = join(dir, `${daemon.name}.out`);
		this.dir = dir;
		this.d = daemon;
		daemon.args = ['-q', '--tool=callgrind', '--instr-atstart=no',
		    `--callgrind-out-file=${this.file}`, daemon.program,
		    ...daemon.args];
		Object.defineProperty(daemon, 'program', { value: 'valgrind' });
	}

	control(...args)
	{
		return run('callgrind_control', [...args, String(this.d.pid)],
		    { timeout: 20000 });
	}

	/* Instructions while fn runs. */
	async during(fn)
	{
		await this.control('--zero');
		await this.control('-i', 'on');
		await fn();
		await this.control('-i', 'off');
		await this.control('--dump');
		const name = readdirSync(this.dir).filter(f =>
		    f.startsWith(`${this.d.name}.out.`)).sort((a, b) =>
		    Number(a.split('.').pop()) - Number(b.split('.').pop())).pop();
		const said = readFileSync(join(this.dir, name), 'latin1');
		return Number(/^totals: (\d+)/m.exec(said)[1]);
	}
}

function
compare(t, what, n)
{
	const ratio = n / base[what];
	t.diagnostic(`${what}: ${Math.round(n)} instructions, ` +
	    `${ratio.toFixed(2)} of the base`);
	assert.ok(ratio < MORE, `${what} costs ${Math.round(n)} instructions, ` +
	    `${base[what]} was the base: see callgrind_annotate, or instr.json`);
	if (ratio < LESS)
		t.diagnostic(`${what}: the base in instr.json is out of date`);
}

test('instructions of a message and of a login', { skip: whyNot() },
    async t => {
	const dir = mkdtempSync(join(tmpdir(), 'cchat-instr-'));
	const c = await Cluster.start({ proxies: 0, msgs: 0,
	    conf: { msg_server: { conns_per_ip: 10000, conn_rate: 10000,
		conn_burst: 10000 } } });
	t.after(() => c.stop({ check: false }).finally(() =>
	    rmSync(dir, { recursive: true, force: true })));
	const px = new Counted(c.newProxy(), dir);
	const ms = new Counted(c.newMsg(), dir);
	await px.d.start();
	await ms.d.start();
	await ms.d.ready(30000);
	const bench = (...args) => run(join(build, 'tests/bench/cchat_bench'),
	    [...args, `--target=127.0.0.1:${ms.d.ports.direct}`, '--json'],
	    { timeout: 60000 }).catch(e => assert.fail(
	    `${e.message}${e.stdout}`));

	const both = async (...args) => {
		let said;
		let proxy;
		const msg = await ms.during(async () => {
			proxy = await px.during(async () => {
				said = await bench(...args);
			});
		});
		return { msg, proxy, sent: JSON.parse(said.stdout).sent };
	};
	const talk = (s, ...room) => both('fan', ...room, '--senders=2',
	    `--seconds=${s}`);
	/* a short and a long one: the difference has no logins in it */
	const each = async (...room) => {
		const short = await talk(1, ...room);
		const long = await talk(5, ...room);
		const n = long.sent - short.sent;
		return { msg: (long.msg - short.msg) / n,
		    proxy: (long.proxy - short.proxy) / n };
	};
	const come = () => both('storm', '--rooms=20', '--members=10');
	/*
	 * What a busy machine adds is turns of the loop that had no time left, never
	 * less: what is too much is counted again, and the least counts.
	 */
	const least = async (whats, count) => {
		let best;
		for (let i = 0; i < TRIES; i++) {
			const now = await count();
			best = best ? best.map((n, j) => Math.min(n, now[j])) : now;
			if (best.every((n, j) => n / base[whats[j]] < MORE))
				break;
		}
		whats.forEach((what, j) => compare(t, what, best[j]));
	};
	/* what is done once is done: the log's file has the size it will have */
	let size;
	await until('the log has its size', async () => {
		const before = size;
		await bench('fan', '--rooms=2', '--members=10', '--rate=100',
		    '--senders=2', '--seconds=1');
		size = statSync(join(c.data, 'messages.db-wal')).size;
		return size === before;
	}, 60000);
	await least(['message_msg', 'message_proxy'], async () => {
		const n = await each('--rooms=20', '--members=10', '--rate=100');
		return [n.msg, n.proxy];
	});
	/* so slowly that no two messages share a write */
	await least(['delivery_msg'], async () => [(await each('--rooms=1',
	    '--members=200', '--rate=20')).msg / 200]);
	/* the second storm: what is made once is made */
	await come();
	await least(['login_msg', 'login_proxy'], async () => {
		const n = await come();
		return [n.msg / 200, n.proxy / 200];
	});
});
