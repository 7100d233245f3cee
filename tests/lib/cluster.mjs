/* SPDX-License-Identifier: MIT */
/*
 * Real daemons for the process tests: started from a build directory
 * (CCHAT_BUILD, else the source tree), in a data directory of their own, on
 * ports the kernel picks.  Each listener's port is read from the line
 * `listening on ADDR:PORT (what)`; a restarted daemon gets its ports again.
 * Ends only what it started, by process id.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync,
    writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const build = resolve(process.env.CCHAT_BUILD ?? top);
export const www = join(top, 'www');

export const sleep = ms => new Promise(r => setTimeout(r, ms));

/*
 * Polls fn until it gives something true.  Throws when it does not come about;
 * ms says what it takes at most, and a busy machine gets a minute.
 */
export async function
until(what, fn, ms = 30000)
{
	ms = Math.max(ms, 60000);
	const end = performance.now() + ms;
	let last;
	for (;;) {
		try {
			const v = await fn();
			if (v)
				return v;
			last = v;
		} catch (e) {
			last = e.message;
		}
		if (performance.now() > end)
			throw new Error(`${what}: not within ${ms} ms` +
			    (last ? ` (${last})` : ''));
		await sleep(20);
	}
}

/* GET or POST; resolves to {status, headers, body, json}. */
export function
fetch(port, path, o = {})
{
	return new Promise((resolve, reject) => {
		const req = http.request({ host: o.host ?? '127.0.0.1', port, path,
		    method: o.method ?? 'GET', headers: o.headers, agent: false,
		    timeout: o.ms ?? 30000 }, res => {
			const parts = [];
			res.on('data', b => parts.push(b));
			res.on('end', () => {
				const body = Buffer.concat(parts).toString();
				let json;
				try {
					json = JSON.parse(body);
				} catch { /* not every answer is JSON */ }
				resolve({ status: res.statusCode, headers: res.headers,
				    body, json });
			});
			res.on('error', reject);
		});
		req.on('timeout', () => req.destroy(new Error('no answer')));
		req.on('error', reject);
		req.end(o.body);
	});
}

/*
 * A loopback address that no other test of this machine has: all of its ports
 * are free, and stay so, since the kernel gives none of them away.
 */
let loopbacks = 0;
export const loopback = () => `127.${100 + process.pid % 100}.` +
    `${1 + (process.pid / 100 | 0) % 250}.${++loopbacks}`;

const probe = port => new Promise((resolve, reject) => {
	const s = net.createServer().on('error', reject);
	s.listen(port, '127.0.0.1', () => {
		const got = s.address().port;
		s.close(() => resolve(got));
	});
});

/*
 * A port that is free now; for listeners that must be known beforehand.  It is
 * below those that the kernel gives to connections, and other tests look for
 * theirs elsewhere: nobody takes it meanwhile.
 */
let ports = 0;
export async function
freePort()
{
	const [lo] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
	    .split('\t').map(Number);
	const from = 10000, n = lo - from;
	for (let i = 0; n > 0 && i < n; i++) {
		const port = from + (process.pid * 37 + ports++) % n;
		try {
			return await probe(port);
		} catch (e) {
			if (e.code !== 'EADDRINUSE')
				throw e;
		}
	}
	return probe(0);
}

/* Lines no daemon may ever print. */
const ALARM = new RegExp('AddressSanitizer|ThreadSanitizer|LeakSanitizer|' +
    'MemorySanitizer|UndefinedBehavior|runtime error:|[Aa]ssertion|' +
    'stack smashing|double free|corrupted size|Segmentation fault');
/* Signals by which no daemon may end, whatever it was told meanwhile. */
const STRUCK = /^SIG(SEGV|BUS|ABRT|FPE|ILL|TRAP|SYS)$/;

export class Daemon {
	/* listeners: {flag: what}, in the order of the command line. */
	constructor(kind, name, dir, args, listeners)
	{
		this.kind = kind;
		this.name = name;
		this.dir = dir;
		this.args = args;
		this.listeners = listeners;
		this.ports = {};
		this.log = '';
		this.killed = false;
		this.struck = [];
	}

	get program()
	{
		return join(build, this.kind, this.kind);
	}

	get pid()
	{
		return this.proc?.pid;
	}

	get running()
	{
		return this.proc && !this.failed && this.proc.exitCode === null &&
		    this.proc.signalCode === null;
	}

	/*
	 * Resolves when every listener has been announced.  While a daemon was
	 * down, somebody else's connection may have been given its port by the
	 * kernel: it is waited for.
	 */
	async start()
	{
		for (const end = Date.now() + 60000; ;) {
			const from = this.log.length;
			try {
				return await this.launch();
			} catch (e) {
				await sleep(250);	/* its last words come, too */
				if (this.running || Date.now() > end ||
				    !this.log.slice(from).includes('address in use'))
					throw e;
			}
		}
	}

	async launch()
	{
		assert.ok(!this.running, `${this.name} runs already`);
		const args = [...this.args];
		for (const [flag, what] of Object.entries(this.listeners))
			args.push(flag, `127.0.0.1:${this.ports[what] ?? 0}`);
		const seen = this.log.length;
		this.killed = false;
		this.proc = spawn(this.program, args, { cwd: this.dir,
		    env: { ...process.env, ...this.env },
		    stdio: ['ignore', 'ignore', 'pipe'] });
		this.failed = null;
		this.exit = new Promise(r => {
			this.proc.on('exit', (code, signal) => {
				if (STRUCK.test(signal))
					this.struck.push(signal);
				r({ code, signal });
			});
			this.proc.on('error', e => {
				this.failed = e.message;
				r({ code: 127, signal: null });
			});
		});
		this.proc.stderr.setEncoding('utf8');
		this.proc.stderr.on('data', s => { this.log += s; });
		await until(`${this.name} listens`, () => {
			const said = this.log.slice(seen);
			if (!this.running && said.includes('address in use'))
				return true;
			if (!this.running)
				throw new Error(`it ended: ${this.failed ?? ''}`);
			for (const m of said.matchAll(
			    /listening on \S*:(\d+) \((\w+)[^)]*\)/g))
				this.ports[m[2]] = Number(m[1]);
			return Object.values(this.listeners).every(w =>
			    new RegExp(`listening on \\S*:\\d+ \\(${w}\\b`).test(said));
		}, 30000).catch(e => {
			throw new Error(`${e.message}\n${this.log.slice(seen)}`);
		});
		if (!this.running)
			throw new Error(`it ended\n${this.log.slice(seen)}`);
		return this;
	}

	signal(sig)
	{
		if (this.running)
			process.kill(this.proc.pid, sig);
	}

	/* kill -9, and wait until it is gone. */
	async kill()
	{
		this.killed = true;
		this.signal('SIGKILL');
		await this.exit;
	}

	/* A stop as an operator does it; resolves to {code, signal}. */
	async stop(sig = 'SIGINT')
	{
		if (!this.running)
			return this.exit;
		this.signal('SIGCONT');
		this.signal(sig);
		const timer = setTimeout(() => {
			this.log += 'TEST: does not stop, killed\n';
			this.stuck = true;
			this.signal('SIGKILL');
		}, 45000);
		const r = await this.exit;
		clearTimeout(timer);
		return r;
	}

	fetch(path, o)
	{
		return fetch(this.ports.admin ?? this.ports.http, path, o);
	}

	ready(ms = 30000)
	{
		return until(`${this.name} ready`, async () => {
			const r = await this.fetch('/readyz');
			if (r.status !== 200)
				throw new Error(r.body.trim());
			return true;
		}, ms).catch(e => {
			throw new Error(`${e.message}\n${this.log.slice(-3000)}`);
		});
	}

	/* Built with a sanitizer: memory and time are other figures then. */
	get sanitized()
	{
		return /lib[at]san|libubsan/.test(readFileSync(
		    `/proc/${this.pid}/maps`, 'latin1'));
	}

	/* A bound in MiB, wider where freed memory is kept back to find bugs. */
	mib(n)
	{
		return this.sanitized ? n + 400 : n;
	}

	/* MiB in memory. */
	get rss()
	{
		return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(
		    `/proc/${this.pid}/status`, 'latin1'))[1]) / 1024;
	}

	get fds()
	{
		return readdirSync(`/proc/${this.pid}/fd`).length;
	}

	/* Seconds of processor time used so far. */
	get cpu()
	{
		const f = readFileSync(`/proc/${this.pid}/stat`, 'latin1')
		    .replace(/^.*\) /, '').split(' ');
		return (Number(f[11]) + Number(f[12])) / 100;
	}

	get ws()
	{
		return `ws://127.0.0.1:${this.ports.direct ?? this.ports.public}/ws`;
	}

	get page()
	{
		return `http://127.0.0.1:${this.ports.direct ?? this.ports.public}/`;
	}
}

/* Settings that keep tests from waiting for what they do not test. */
export const quick = {
	msg_server: { v1_interval: 0, send_rate: 100000, send_burst: 100000,
	    uid_rate: 100000, frame_rate: 1000000, frame_burst: 1000000,
	    room_rate: 0, rooms_new: 0 },
};

export class Cluster {
	/*
	 * o.msgs (2), o.proxies (1): how many.  o.conf: {section: {key: value}},
	 * beside or over `quick`; o.strict: without `quick`.  o.via: function
	 * (kind, port) giving another port to be reached by, for fault proxies.
	 */
	static async start(o = {})
	{
		if (process.env.CCHAT_MOCK)	/* trying a test without daemons */
			return (await import('./mock.mjs')).mockCluster(o, www);
		const c = new Cluster(o);
		try {
			await c.up();
		} catch (e) {
			await c.stop({ check: false });
			throw e;
		}
		return c;
	}

	constructor(o)
	{
		this.o = o;
		this.dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
		this.data = join(this.dir, 'data');
		mkdirSync(this.data, { mode: 0o700 });
		for (const key of ['link.key', 'token.key'])
			writeFileSync(join(this.data, key),
			    `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
		this.confFile = join(this.dir, 'cchat.conf');
		this.config = null;
		this.proxies = [];
		this.msgs = [];
		this.configure(o.conf ?? {});
	}

	configure(over)
	{
		const conf = {};
		for (const src of [this.o.strict ? {} : quick, over])
			for (const [section, keys] of Object.entries(src))
				Object.assign(conf[section] ??= {}, keys);
		const value = v => typeof v === 'string' ? JSON.stringify(v) :
		    Array.isArray(v) ? `{${v.map(value).join(', ')}}` : String(v);
		writeFileSync(this.confFile, Object.entries(conf).map(([s, keys]) =>
		    `${s} {\n${Object.entries(keys).map(([k, v]) =>
		    `\t${k} = ${value(v)}\n`).join('')}}\n`).join('') ||
		    '# nothing set\n');
	}

	get all()
	{
		return [this.config, ...this.proxies, ...this.msgs].filter(Boolean);
	}

	base(name)
	{
		return ['-c', this.confFile, '--data', this.data,
		    '--link-key', join(this.data, 'link.key'), '--name', name];
	}

	get configAt()
	{
		return `127.0.0.1:${this.configVia ?? this.config.ports.http}`;
	}

	newConfig()
	{
		this.config = new Daemon('config_server', 'cf1', this.dir,
		    this.base('cf1'), { '--listen': 'http' });
		return this.config;
	}

	newProxy(name = `px${this.proxies.length + 1}`)
	{
		const d = new Daemon('proxy_server', name, this.dir,
		    [...this.base(name), '--config-server', this.configAt],
		    { '--link-listen': 'link', '--admin': 'admin' });
		this.proxies.push(d);
		return d;
	}

	newMsg(name = `ms${this.msgs.length + 1}`)
	{
		const d = new Daemon('msg_server', name, this.dir,
		    [...this.base(name), '--config-server', this.configAt,
		    '--token-key', join(this.data, 'token.key'),
		    '--www', this.o.www ?? www],
		    { '--listen': 'public', '--direct': 'direct',
		    '--admin': 'admin' });
		this.msgs.push(d);
		return d;
	}

	async up()
	{
		await this.newConfig().start();
		for (let i = 0; i < (this.o.proxies ?? 1); i++)
			await this.newProxy().start();
		for (let i = 0; i < (this.o.msgs ?? 2); i++)
			await this.newMsg().start();
		for (const m of this.msgs)
			await m.ready();
	}

	/* The proxy that orders now, by what it says itself. */
	async active()
	{
		return until('an active proxy', async () => {
			for (const p of this.proxies.filter(x => x.running)) {
				const s = await p.fetch('/status');
				if (s.json?.active === true || s.json?.active === 1 ||
				    s.json?.role === 'active' ||
				    s.json?.state === 'active')
					return p;
			}
			return null;
		});
	}

	/* Ends everything; a daemon that broke a rule fails the test. */
	async stop({ check = true, keep = false } = {})
	{
		const wrong = [];
		for (const d of [...this.msgs, ...this.proxies, this.config]) {
			if (!d?.proc)
				continue;
			const was = d.running;
			const r = await d.stop();
			if (was && !d.killed && (r.signal || r.code !== 0))
				wrong.push(`${d.name} ended with ` +
				    `${r.signal ?? `code ${r.code}`}`);
			if (!was && !d.killed)
				wrong.push(`${d.name} had ended by itself`);
			if (d.struck.length)
				wrong.push(`${d.name} had fallen: ${d.struck}`);
			const alarm = d.log.split('\n').filter(l => ALARM.test(l));
			if (alarm.length)
				wrong.push(`${d.name}: ${alarm.slice(0, 3).join('\n')}`);
		}
		if (wrong.length && check)
			for (const d of this.all)
				process.stderr.write(`--- ${d.name}\n` +
				    `${d.log.slice(-6000)}\n`);
		if (!keep && existsSync(this.dir))
			rmSync(this.dir, { recursive: true, force: true });
		if (check)
			assert.deepEqual(wrong, []);
	}
}
