/* SPDX-License-Identifier: MIT */
/*
 * needs: node
 *
 * The tables of targets.sh and peers.sh, and the ends of all such scripts, of
 * planted lines: what is missed says missed, what lost a message counts for
 * nothing and says so, and what was not measured is not made up.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync,
    writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { table as peersTable } from './peers.mjs';
import { table as targetsTable } from './targets.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const line = (scene, more) => ({ scene, status: 0, ...more });
const cpu = (scene, v, more) => line(scene, { deliveries_per_cpu_s: v,
	...more });

/* lines with which every target is met, by the least */
const met = () => [
	...[1, 3, 8, 16].map(k => cpu('limit', k * 1000, { joined: k })),
	cpu('A', 2300), cpu('refA', 2300), cpu('A16', 6000),
	cpu('B', 1000, { deliveries_per_msg_cpu_s: 1800 }), cpu('refB', 2000),
	cpu('C', 4000), cpu('refC', 4000),
	line('rate1', { cpu_share: 0.3, p50_ms: 4.5, p99_ms: 9 }),
	line('rate2', { p50_ms: 1.2, p99_ms: 6 }),
	line('rate2off', { p50_ms: 0.35, p99_ms: 1.5 }),
	line('deaf', { p99_ms: 13.5 }),
	line('stall', { msg_rss_half: 100, msg_rss_end: 105,
	    msg_rss_per_stalled: 2048 }),
	line('idle', { msg_anon_per_conn: 523 }),
	line('storm', { logins_per_s: 25000, logins_per_cpu_s: 60000 }),
	line('join', { cpu_s: 0.35, told: 499500 }),
	line('log', { messages_per_s: 50000, p99_ms: 15, cpu_share: 1,
	    msg_cpu_share: 0.6 }),
	line('log200', { messages_per_s: 50000, p99_ms: 60, cpu_share: 2,
	    msg_cpu_share: 0.6 }),
	line('local', { p50_ms: 1 }), line('remote', { p50_ms: 1.0999 }),
	line('history-file', { p50_ms: 0.5, pages_per_s: 20000 }),
	line('history-memory', { p50_ms: 0.5, pages_per_s: 20000 }),
];
const others = () => ({
	peers: [
		...['A', 'B', 'C'].map(s => cpu(`ours-${s}`, 100)),
		cpu('swoole-A', 35), cpu('swoole-B', 71), cpu('swoole-C', 22),
		cpu('workerman-A', 28), cpu('nchan-A', 40), cpu('lws-A', 40),
		cpu('ws-A', 25), cpu('nats-A', 33),
	],
	growth: [line('connections', { connections: 100000, failed: 0, gone: 0,
		rss_held: 60e6, anon_held: 5e7, talk_p99_ms: 20 }),
	    line('connections', { connections: 1000, failed: 9, gone: 9,
		rss_held: 60e9, anon_held: 6e10, talk_p99_ms: 20e3 })],
	million: [line('million', { connections: 1e6, failed: 0, gone: 0,
		rss_held: 2e9, reached: 1e6 })],
});
const verdict = (n, lines, more = others(), nth = 0) =>
    targetsTable(lines, more).rows.filter(r => r[0] === String(n))[nth];

test('every target has its row, and the least is enough', () => {
	const { rows, wrong } = targetsTable(met(), others());
	assert.deepEqual([...new Set(rows.map(r => Number(r[0])))],
	    [...Array(18).keys()].map(i => i + 1));
	assert.deepEqual(rows.filter(r => r[4] !== 'met'), []);
	assert.deepEqual(wrong, []);
	assert.ok(rows.every(r => r.every(c => !/NaN|undefined/.test(c))));
});

test('a little less is missed, in each row and each of its figures', () => {
	const worse = { deliveries_per_cpu_s: 0.9, deliveries_per_msg_cpu_s: 0.9,
		logins_per_s: 0.9, logins_per_cpu_s: 0.9, messages_per_s: 0.9,
		pages_per_s: 0.9, told: 0.9, connections: 0.9 };
	const rivals = /^(limit|ref|swoole|workerman|nchan|lws|ws|nats)/;
	/* what others are measured by, or what is a name and no figure */
	const not = new Set(['rate1 p99_ms', 'stall msg_rss_half',
		'stall msg_rss_per_stalled', 'connections anon_held', 'million rss_held',
		'million reached',
		'local p50_ms', 'log200 p99_ms', 'log200 msg_cpu_share',
		'log200 cpu_share', 'log msg_cpu_share',
		'connections connections']);
	let tried = 0;
	const spoil = (lines, build) => lines.forEach((l, i) => {
		for (const key of Object.keys(l)) {
			if (typeof l[key] !== 'number' || key === 'status' ||
			    key === 'joined' || rivals.test(l.scene) ||
			    not.has(`${l.scene} ${key}`) ||
			    l.connections === 1000)
				continue;
			const bad = lines.map(m => ({ ...m }));
			bad[i][key] = key in worse ? l[key] * worse[key] :
			    l[key] * 1.2 + 1;
			const { rows } = build(bad);
			assert.ok(rows.some(r => r[4] === 'missed'),
			    `${l.scene} ${key}`);
			tried++;
		}
	});
	spoil(met(), bad => targetsTable(bad, others()));
	for (const key of ['peers', 'growth', 'million'])
		spoil(others()[key], bad => targetsTable(met(), { ...others(),
			[key]: bad }));
	assert.ok(tried > 35, `${tried} figures`);
	/* and they are better when the others are slower */
	const slow = met().map(l => l.scene === 'refC' ?
	    { ...l, deliveries_per_cpu_s: 4001 } : l);
	assert.equal(verdict(4, slow)[4], 'missed');
});

test('a lost message makes a row invalid, and its figure counts for nothing',
    () => {
	const lines = [...met(), cpu('A', 99e9, { status: 3, lost: 1 })];
	assert.equal(verdict(1, lines)[4], 'invalid: A');
	assert.ok(verdict(1, lines)[3].startsWith('2.30 ×'));
	assert.equal(verdict(4, lines)[4], 'met');
	assert.deepEqual(targetsTable(lines, others()).wrong, ['A']);
	/* of what a figure is set against as well, and of the others' files */
	assert.equal(verdict(9, [...met(), line('rate1', { status: 124,
		mode: 'broken' })])[4], 'invalid: rate1');
	const more = others();
	more.peers.push(cpu('lws-A', 1, { status: 3 }));
	assert.equal(verdict(6, met(), more)[4], 'invalid: lws-A');
	assert.equal(verdict(5, met(), more)[4], 'met');
	more.million[0].status = 3;
	assert.match(verdict(14, met(), more)[4], /^invalid/);
	/* a run of another scene than that of its name */
	assert.equal(verdict(1, [...met(), cpu('A', 99e9, { members: 100 })])[4],
	    'invalid: A');
	assert.equal(verdict(1, [...met(), cpu('A', 99e9, { rooms: 1,
		members: 1000 })])[4], 'met');
	/* a run that is nothing but lost ones */
	const none = met().map(l => l.scene === 'C' ? { ...l, status: 3 } : l);
	assert.equal(verdict(4, none)[3], 'not measured; not measured');
});

test('what was not measured is said to be not measured', () => {
	const { rows } = targetsTable([], {});
	assert.ok(rows.every(r => r[4] === '-' && /^(not measured(; )?)+$/
	    .test(r[3])), rows.map(r => r.join('\t')).join('\n'));
	const more = others();
	more.peers = more.peers.filter(l => !l.scene.startsWith('swoole-B'));
	assert.equal(verdict(5, met(), more)[4], 'in part');
});

test('medians, and uWebSockets in the place of ref batch', () => {
	const lines = [...met(), cpu('A', 1), cpu('A', 9e9),
	    cpu('uwsA', 2301), cpu('uwsB', 1), cpu('uwsC', 1)];
	const row = verdict(1, lines);
	assert.equal(row[4], 'missed');
	assert.ok(row[2].includes('1 × uWebSockets') &&
	    row[3].includes('2.30 ×; 1.00 × uWebSockets'), row.join('\t'));
	assert.ok(verdict(15, met().map(l => l.scene === 'remote' ?
	    { ...l, p50_ms: 0.5 } : l))[3].startsWith('− 500'));
});

test('peers: ratios of clean runs, wrong ones counted', () => {
	const lines = [
		cpu('limit-A', 100, { joined: 1 }), cpu('limit-A', 900,
		    { joined: 8 }),
		cpu('ours-A', 300, { deliveries_per_msg_cpu_s: 330, p50_ms: 2,
		    p99_ms: 5 }),
		cpu('uws-A', 150), cpu('uws-A', 1, { status: 3, lost: 2 }),
		cpu('odd-A', 50), cpu('limit-B', 100, { joined: 1 }),
		cpu('ours-B', 50),
	];
	const { rows, wrong } = peersTable(lines);
	const of = name => rows.find(r => r[0] === name);
	assert.ok(rows.every(r => r.length === rows[0].length));
	assert.deepEqual(of('the bare send loop, one each').slice(1, 4),
	    ['100', '1.00', '']);
	assert.deepEqual(of('this project: log (sync=full) and relay').slice(1),
	    ['300', '3.00', '', '50.0', '0.50', '', '2.00', '5.00', '']);
	assert.deepEqual(of('our msg_server alone').slice(1, 4),
	    ['330', '3.30', '']);
	assert.deepEqual(of('uWebSockets').slice(1),
	    ['150', '1.50', '2.00', '', '', '', '', '', '1']);
	assert.deepEqual(of('odd').slice(1, 4), ['50.0', '0.50', '6.00']);
	assert.deepEqual(wrong, ['uws-A']);
});

test('the programs: a page is filled, and not clean is status 3', () => {
	const dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
	mkdirSync(join(dir, 'doc'));
	writeFileSync(join(dir, 'README.md'), ['targets', 'limit', 'peers',
	    'growth', 'soak'].map(n => `<!-- ${n} -->\n<!-- /${n} -->\n`).join(''));
	const plant = list => writeFileSync(join(dir, 'lines'), list.map(l =>
	    `${JSON.stringify(l)}\n`).join(''));
	const run = name => spawnSync(process.execPath, [join(here, name), dir,
		join(dir, 'lines')], { encoding: 'utf8' });
	plant(met());
	assert.equal(run('targets.mjs').status, 0);
	assert.match(readFileSync(join(dir, 'README.md'), 'utf8'),
	    /\| now \(1 runs\) \|[^]*\| 4 \| 1 room × 100, .* \| met \|\n/);
	plant([...met(), cpu('C', 1, { status: 3 })]);
	const bad = run('targets.mjs');
	assert.equal(bad.status, 3);
	assert.match(bad.stderr, /not clean: C/);
	assert.match(readFileSync(join(dir, 'README.md'), 'utf8'),
	    /\| 4 \| 1 room × 100, .* \| invalid: C \|\n/);
	plant(others().peers);
	assert.equal(run('peers.mjs').status, 0);
	plant([...others().peers, cpu('ws-A', 1, { status: 3 })]);
	assert.equal(run('peers.mjs').status, 3);
	const grown = [10, 100, 1000].map(n => cpu('members', 1e5,
	    { members: n }));
	plant(grown);
	assert.equal(run('growth.mjs').status, 0);
	plant([...grown, cpu('members', 1, { members: 10, status: 3 })]);
	const grew = run('growth.mjs');
	assert.equal(grew.status, 3);
	assert.match(grew.stderr, /1 runs of members were not clean/);
	assert.match(grew.stdout, /\t10\t1000\t1\.00\t1\.000\t1\n/);
	const slices = Array(8).fill(line('soak', { mode: 'fan', seconds: 5,
		rate: 10, sent: 50, expected: 500, lost: 0, doubled: 0,
		out_of_order: 0, rss: 1e6, msg_rss: 1e5, p50_ms: 1, p99_ms: 2 }));
	plant(slices);
	assert.equal(run('soak.mjs').status, 0);
	plant([...slices.slice(1), { ...slices[0], status: 3, lost: 2 }]);
	const soaked = run('soak.mjs');
	assert.equal(soaked.status, 3);
	assert.match(soaked.stdout, /out of order\t2, 0, 0/);
	rmSync(dir, { recursive: true });
});

test('a program of PEERS_DIR: its flags, its family, its end', () => {
	const dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
	/* says that it listens when its child is there; the child stays */
	writeFileSync(join(dir, 'one'), '#!/bin/sh\nsleep 60 &\n' +
	    'echo flags --level=1\necho listening on 127.0.0.1:9\nwait\n',
	    { mode: 0o755 });
	const out = execFileSync('sh', ['-euc', `
		here=${here} dir=${dir} started= PEERS_DIR=${dir}
		. ${here}/cluster.sh
		own_start one
		echo "$ownat"
		cluster_stop`], { encoding: 'utf8', timeout: 20000 });
	const m = /^--target=127\.0\.0\.1:9 --level=1 --pids=ms-1=(\d+),ms-2=(\d+)$/m
	    .exec(out);
	assert.ok(m, out);
	for (const pid of m.slice(1))
		assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' });
	rmSync(dir, { recursive: true });
});
