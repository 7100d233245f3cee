/* SPDX-License-Identifier: MIT */
/*
 * Sorts what perf saw of the servers (tests/bench/profile.sh) into what the
 * time of a delivery, or of a login, is spent on, as shares and microseconds:
 * kernel time by the system call it is in, the program's by the module, which
 * is the first word of a function's name.
 */
import { createReadStream, existsSync, readFileSync,
    writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fill } from './page.mjs';

/* by the names on the stack, all of them in a row; the first row that fits */
const KERNEL = [
	['kernel: receiving for the other end, inside send()', /sys_(send|write)/,
	    /net_rx_action|__local_bh_enable_ip|do_softirq/],
	['kernel: send()', /sys_(send|write)/],
	['kernel: recv()', /sys_(recv|read)/],
	['kernel: epoll, clock', /sys_epoll|sys_clock|sys_timer/],
	['kernel: the disk', /sys_(fdatasync|fsync|pwrite|pread|openat|fcntl)/],
	['kernel: threads', /sys_futex/],
	['kernel: connections', /sys_(accept|close|setsockopt|shutdown)/],
	['kernel: from one process to another', /finish_task_switch|schedule/],
];

/* by the first word of the function */
const OURS = [
	['what goes out: a turn, its blocks, its queues', ['turn', 'session',
	    'conn', 'blob', 'client', 'net', 'reply', 'fanout']],
	['encoding for clients', ['cchat', 'dialect', 'encode', 'jw', 'json',
	    'utf8', 'buf', 'str']],
	['what comes in: handshakes, frames, commands', ['ws', 'fast', 'http',
	    'httpd', 'listener', 'login', 'cmd', 'command', 'mask',
	    'gate', 'bucket', 'pick']],
	['rooms, order and positions', ['room', 'channel', 'replay', 'recent',
	    'delivered', 'user', 'item', 'relay', 'watch', 'state']],
	['links between servers', ['link', 'linkconn', 'frames', 'f', 'peer',
	    'route', 'wire', 'fields', 'upstream', 'proxy']],
	['the log', ['log', 'logdb', 'writer', 'reader', 'op', 'ring', 'window',
	    'chan', 'chans']],
	['who is where', ['presence', 'keep', 'status']],
	['tables, memory, digests', ['table', 'map', 'digest', 'xmalloc',
	    'xrealloc', 'xcalloc', 'slab', 'pool', 'XXH3', 'id']],
];

/* frames: [{sym, dso}], the leaf first */
export function
where(frames)
{
	const leaf = frames[0], names = frames.map(f => f.sym).join(' ');
	if (!leaf)
		return 'other';
	if (/kernel|vmlinux|\.ko/.test(leaf.dso)) {
		for (const [what, ...all] of KERNEL)
			if (all.every(re => re.test(names)))
				return what;
		return 'kernel: other';
	}
	if (/sqlite/.test(leaf.dso))
		return 'SQLite';
	if (/libev/.test(leaf.dso) || /^ev_|^epoll_poll/.test(leaf.sym))
		return 'the event loop';
	if (!/(msg|proxy|config)_server$/.test(leaf.dso))
		return 'libc and other libraries';
	const word = leaf.sym.split('_')[0];
	return OURS.find(([, words]) => words.includes(word))?.[0] ??
	    'other of ours';
}

/* perf script's text, line by line: Map of program → Map of what → samples */
export function
sorter()
{
	const counts = new Map();
	let comm, frames = [];
	const done = () => {
		if (comm === undefined)
			return;
		const what = where(frames);
		const of = counts.get(comm) ?? new Map();
		of.set(what, (of.get(what) ?? 0) + 1);
		counts.set(comm, of);
		comm = undefined;
		frames = [];
	};
	return { counts, line(s) {
		const f = /^\s+[0-9a-f]+ (.*) \((.*)\)$/.exec(s);
		if (f) {
			frames.push({ sym: f[1].replace(/\+0x.*/, ''), dso: f[2] });
		} else if (s.trim() !== '') {
			done();
			comm = s.trim().split(/\s+/)[0];
		} else {
			done();
		}
	}, end: done };
}

/*
 * rows of the table; scenes: [{scene, per_cpu_s, of, counts: {comm: {what:
 * n}}}]; of: what there are so many of, deliveries where it is not said
 */
export function
table(scenes)
{
	const all = s => Object.values(s.counts).flatMap(Object.values)
	    .reduce((a, b) => a + b, 0);
	const keys = new Map();
	for (const s of scenes)
		for (const [comm, of] of Object.entries(s.counts))
			for (const [what, n] of Object.entries(of)) {
				const k = `${comm}\t${what}`;
				keys.set(k, (keys.get(k) ?? 0) + n / all(s));
			}
	const row = (name, what, n) => [name, what, ...scenes.flatMap(s => [
	    `${(100 * n(s) / all(s)).toFixed(1)} %`,
	    s.per_cpu_s ? (n(s) / all(s) * 1e6 / s.per_cpu_s).toFixed(3) : ''])];
	const rows = [['server', 'what', ...scenes.flatMap(s => [s.scene,
	    `${s.scene}: µs of a ${s.of ?? 'delivery'}`])]];
	const list = [...keys].sort((a, b) => b[1] - a[1]);
	/* what is little everywhere is one line */
	const little = k => scenes.every(s => {
		const [comm, what] = k.split('\t');
		return (s.counts[comm]?.[what] ?? 0) / all(s) < 0.01;
	});
	for (const [k] of list.filter(([x]) => !little(x))) {
		const [comm, what] = k.split('\t');
		rows.push(row(comm, what, s => s.counts[comm]?.[what] ?? 0));
	}
	rows.push(row('all', 'less than 1 % each', s => list.filter(([x]) =>
	    little(x)).reduce((a, [k]) => {
		const [comm, what] = k.split('\t');
		return a + (s.counts[comm]?.[what] ?? 0);
	}, 0)));
	rows.push(row('all', 'together', all));
	return rows;
}

async function
main(here, lines, ...stacks)
{
	const said = readFileSync(lines, 'utf8').split('\n').filter(Boolean)
	    .map(JSON.parse);
	const scenes = [];
	for (const arg of stacks) {
		const [scene, file] = arg.split('=');
		const s = sorter();
		for await (const l of createInterface({
		    input: createReadStream(file, 'latin1') }))
			s.line(l);
		s.end();
		const own = said.find(l => l.scene === scene);
		scenes.push({ scene, ...own?.logins_per_cpu_s ?
		    { per_cpu_s: own.logins_per_cpu_s, of: 'login' } :
		    { per_cpu_s: own?.deliveries_per_cpu_s },
		    counts: Object.fromEntries([...s.counts].map(([k, v]) =>
		    [k, Object.fromEntries(v)])) });
	}
	const rows = table(scenes);
	console.log(rows.map(r => r.join('\t')).join('\n'));
	const wrong = said.filter(l => l.status !== 0).map(l => l.scene);
	if (wrong.length) {
		console.error(`profile.sh: not clean: ${wrong.join(' ')}`);
		process.exit(3);
	}
	if (process.env.SHOW)
		return;
	writeFileSync(join(here, 'doc', 'profile.jsonl'), scenes.map(s =>
	    `${JSON.stringify(s)}\n`).join(''));
	if (existsSync(join(here, 'README.md')))
		fill(join(here, 'README.md'), 'profile', rows);
}

if (process.argv[1]?.endsWith('profile.mjs'))
	await main(...process.argv.slice(2));
