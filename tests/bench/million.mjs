/* SPDX-License-Identifier: MIT */
/* What tests/bench/million.sh found, for people. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fill } from './page.mjs';

const l = JSON.parse(readFileSync(process.argv[2], 'utf8').trim()
    .split('\n').pop());
if (l.mode === 'broken') {
	console.log(`it ended with status ${l.status}; see bench.log (KEEP=dir)`);
	process.exit(1);
}
const mib = b => `${(b / 1048576).toFixed(0)} MiB`;
const of = l.connections;
const rows = [
	['people', `${of} on ${l.servers} msg_servers, rooms of ${l.members}`],
	['failed, gone', `${l.failed}, ${l.gone}`],
	['all in after', `${l.seconds_in?.toFixed(1)} s: ` +
	    `${l.logins_per_s?.toFixed(0)}/s, ` +
	    `${l.logins_per_cpu_s?.toFixed(0)} per CPU-s of all servers`],
	['user space', `${mib(l.rss_held)} RSS of all servers, ${mib(l.anon_held)}` +
	    ` of it heap; ${l.rss_per_conn?.toFixed(0)} bytes more a person, ` +
	    `${l.msg_rss_per_conn?.toFixed(0)} of them in the msg_servers`],
	['kernel', `${l.slab_per_person} bytes of slab a person (both ends)`],
	['idling', `${((l.idle_cpu_share ?? 0) * 100).toFixed(0)} % of one core`],
	['reached', `${l.reached} of ${l.reach_sent} by a private message, p50 ` +
	    `${l.reach_p50_ms} ms, p99 ${l.reach_p99_ms} ms, max ${l.reach_max_ms} ms`],
];
for (const [what, v] of rows)
	console.log(`${what.padEnd(14)} ${v}`);
fill(join(dirname(fileURLToPath(import.meta.url)), 'README.md'), 'million',
    [['what', 'figure'], ...rows]);
if (l.status !== 0)
	console.error('million.sh: not clean: somebody failed, went or was not ' +
	    'reached');
process.exit(l.status);
