/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/* cchatctl: one command starts a whole cluster, keeps it up and stops it. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync,
    writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { build, fetch, freePort, until, www } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

const program = join(build, 'config_server', 'cchatctl');
const dirs = [];
const temp = () => {
	const d = mkdtempSync(join(tmpdir(), 'cchat-test-'));
	dirs.push(d);
	return join(d, 'data');
};

/* {code, out, err, json} of one call */
const ctl = (data, verb, ...args) => {
	const r = spawnSync(program, [verb, ...args, '--data', data],
	    { encoding: 'utf8', timeout: 60000,
	    env: { ...process.env, NO_COLOR: '1' } });
	let json;
	try {
		json = JSON.parse(r.stdout);
	} catch { /* not every answer is JSON */ }
	return { code: r.status, out: r.stdout, err: r.stderr, json };
};

after(() => {
	for (const d of dirs) {
		ctl(join(d, 'data'), 'stop');
		rmSync(d, { recursive: true, force: true });
	}
});

const alive = pid => existsSync(`/proc/${pid}`);
const any = '127.0.0.1:0';
/* the public port is shared: it must be one number for all */
const ports = async () => ['--listen', `127.0.0.1:${await freePort()}`,
    '--direct', any, '--admin', any, '--link-listen', any, '--proxy-admin',
    any, '--config-server', any];
const status = data => ctl(data, 'status', '--json').json;
const pids = data => status(data).servers.map(s => s.pid);

describe('a cluster that is left running', () => {
	const data = temp();
	let args;

	test('start -d returns when all are ready', async () => {
		args = ['--www', www, ...await ports()];
		const r = ctl(data, 'start', '-d', ...args);
		assert.equal(r.code, 0, r.err);
		assert.match(r.out, /cchat is up .* http:\/\/127\.0\.0\.1:\d+\//);
		assert.ok(!r.out.includes('\x1b'), 'colours only on a terminal');
		const s = status(data);
		assert.deepEqual(s.servers.map(x => x.name),
		    ['config', 'proxy1', 'proxy2', 'ms1', 'ms2']);
		assert.ok(s.servers.every(x => x.ready && x.restarts === 0));
		assert.equal(s.servers.filter(x => x.active).length, 1);
		assert.equal(new Set(pids(data)).size, 5);
		for (const key of ['link.key', 'token.key'])
			assert.match(readFileSync(join(data, key), 'utf8'),
			    /^[0-9a-f]{64}\n$/);
	});

	test('the page and chat are there', async () => {
		const s = status(data);
		const page = await fetch(new URL(s.page).port, '/');
		assert.equal(page.status, 200);
		assert.match(page.body, /<html/);
		const c = await Promise.all(s.servers.filter(x => x.direct)
		    .map((x, i) => Client.login(`ws://${x.direct}/ws`,
		    `user${i}`, '12', { uid: `10${i}` })));
		await until('two in the room', () =>
		    ctl(data, 'room', '12', '--json').json?.users === 2);
		assert.deepEqual(ctl(data, 'room', '12', '--json').json.members,
		    { ms1: 1, ms2: 1 });
		assert.match(ctl(data, 'rooms').out, /^12 +2 +ms1: 1, ms2: 1$/m);
		assert.match(ctl(data, 'where', '100').out, /100 \(user0\): online/);
		assert.match(ctl(data, 'where', '100').out, /^ms1 /m);
		assert.match(ctl(data, 'where', '999').out, /999: offline/);
		for (const x of c)
			x.ws.terminate();
	});

	test('questions, for people and for programs', () => {
		const servers = ctl(data, 'servers', '--json').json;
		assert.equal(servers.list.length, 5);
		assert.ok(servers.list.every(s => s.state === 'up'));
		assert.match(ctl(data, 'servers').out, /^NAME +ROLE +STATE/);
		assert.equal(ctl(data, 'load', '--json').json.list.length, 5);
		assert.match(ctl(data, 'next', '1001', '--json').json.url, /^ws:/);
		const check = ctl(data, 'check');
		assert.equal(check.code, 0, check.out);
		const kinds = ctl(data, 'events', '--json').json.list
		    .map(e => e.kind);
		assert.equal(kinds.filter(k => k === 'join').length, 5);
		assert.ok(kinds.includes('active'));
		assert.match(ctl(data, 'status').out, /^proxy\d +proxy_server +active/m);
	});

	test('what is killed is started again', async () => {
		for (const name of ['config', 'proxy1', 'ms1']) {
			const was = status(data).servers.find(s => s.name === name);
			process.kill(was.pid, 'SIGKILL');
			await until(`${name} again`, () => {
				const s = status(data).servers
				    .find(x => x.name === name);
				return s.ready && s.pid !== was.pid &&
				    s.restarts === 1 && s.listen === was.listen &&
				    s.direct === was.direct;
			}, 15000);
		}
		assert.equal(ctl(data, 'status').code, 0);
		await until('sound again', () => ctl(data, 'check').code === 0, 15000);
	});

	test('a second one does not start in the same place', () => {
		const r = ctl(data, 'start', '-d');
		assert.equal(r.code, 1);
		assert.match(r.err, /^cchatctl: a cluster runs already in .*\n$/);
	});

	test('a taken port is named, with its setting', async () => {
		const taken = new URL(status(data).page).host;
		for (const [flag, setting] of [['--listen', 'listen'],
		    ['--config-server', 'config_server'], ['--admin', 'admin']]) {
			const r = ctl(temp(), 'start', '-d', ...await ports(), flag, taken);
			assert.equal(r.code, 4, r.err);
			assert.match(r.err, new RegExp(`^cchatctl: ${taken} is in ` +
			    `use.*${flag} ADDR:PORT \\(setting ${setting}\\)\n$`));
		}
	});

	test('restart replaces every process, one after the other', () => {
		const was = status(data);
		const r = ctl(data, 'restart');
		assert.equal(r.code, 0, r.err);
		const names = r.out.match(/^\S+(?= +is back)/gm);
		assert.deepEqual(names.slice(0, 2), ['ms1', 'ms2']);
		/* the active proxy_server once, behind its standby */
		const active = was.servers.find(s => s.active).name;
		assert.deepEqual(names.slice(2), ['proxy1', 'proxy2']
		    .sort((a, b) => (a === active) - (b === active)).concat('config'));
		const now = status(data);
		assert.equal(now.pid, was.pid);
		for (const s of now.servers) {
			const old = was.servers.find(x => x.name === s.name);
			assert.ok(s.ready && s.pid !== old.pid, s.name);
			assert.deepEqual([s.listen, s.direct, s.restarts],
			    [old.listen, old.direct, old.restarts]);
		}
	});

	test('restart ID replaces one; of one that is none it says so', () => {
		const was = status(data);
		assert.match(ctl(data, 'restart', 'ms2').out, /^ms2 +is back after /);
		const now = status(data);
		assert.deepEqual(now.servers.filter((s, i) =>
		    s.pid !== was.servers[i].pid).map(s => s.name), ['ms2']);
		assert.equal(ctl(data, 'restart', 'nobody').code, 1);
		assert.equal(ctl(data, 'restart', 'ms1', 'ms2').code, 2);
		const r = ctl(data, 'start', 'ms1');
		assert.equal(r.code, 1);
		assert.match(r.err, /^cchatctl: ms1 runs already/);
	});

	test('a name where none is taken is no wish for all', () => {
		const was = status(data);
		for (const verb of ['stop', 'status', 'servers', 'load', 'rooms',
		    'check', 'jobs', 'verify']) {
			const r = ctl(data, verb, 'ms1');
			assert.equal(r.code, 2, verb);
			assert.match(r.err, /^cchatctl: .*see \w+ -h|^cchatctl: .*takes/);
		}
		assert.equal(status(data).pid, was.pid);
	});

	test('restart with other settings stops and starts all', () => {
		const was = status(data);
		const r = ctl(data, 'restart', ...args, '--msg', '1');
		assert.equal(r.code, 0, r.err);
		const now = status(data);
		assert.equal(now.page, was.page);
		assert.ok(now.detached);
		assert.notEqual(now.pid, was.pid);
		assert.deepEqual(now.servers.map(x => x.name),
		    ['config', 'proxy1', 'proxy2', 'ms1']);
	});

	test('stop ends all, msg_servers first', () => {
		const all = pids(data);
		const r = ctl(data, 'stop');
		assert.equal(r.code, 0, r.err);
		assert.ok(all.every(p => !alive(p)));
		assert.equal(ctl(data, 'status').code, 3);
		assert.equal(ctl(data, 'status', '--json').json.running, false);
		assert.equal(ctl(data, 'stop').code, 3);
		/* the config_server saw the links of the others end before its own */
		assert.match(readFileSync(join(data, 'log', 'config.log'), 'utf8'),
		    /ms1: link ended[^]*proxy\d: link ended[^]*stopping\n[^]*$/);
	});
});

describe('a cluster in the foreground', () => {
	const start = async (data, ...more) => {
		const p = spawn(program, ['start', '--data', data, '--www', www,
		    '--msg', '1', '--proxy', '1', ...await ports(), ...more],
		    { stdio: ['ignore', 'pipe', 'pipe'] });
		p.text = '';
		p.stdout.on('data', b => { p.text += b; });
		p.stderr.on('data', b => { p.text += b; });
		p.end = new Promise(r => p.on('exit', (code, signal) =>
		    r({ code, signal })));
		await until('up', () => p.text.includes('stop with Ctrl-C'), 30000)
		    .catch(e => { throw new Error(`${e.message}\n${p.text}`); });
		return p;
	};

	test('Ctrl-C stops it; its lines carry names', async () => {
		const data = temp();
		const p = await start(data);
		const all = pids(data);
		assert.equal(all.length, 3);
		assert.match(p.text, /^ms1 +\| .*listening on/m);
		p.kill('SIGINT');
		assert.deepEqual(await p.end, { code: 0, signal: null });
		assert.ok(all.every(x => !alive(x)));
	});

	test('when it is killed, nothing is left behind', async () => {
		const data = temp();
		const p = await start(data);
		const all = pids(data);
		p.kill('SIGKILL');
		await p.end;
		await until('all gone', () => all.every(x => !alive(x)), 15000);
		assert.equal(ctl(data, 'status').code, 3);
		const again = await start(data);
		again.kill('SIGTERM');
		await again.end;
	});

	test('one that ends at once is tried less and less often', async () => {
		const data = temp();
		const p = await start(data);
		let was = status(data).servers.find(s => s.name === 'ms1');
		const gaps = [];
		for (let i = 0; i < 3; i++) {
			const at = Date.now();
			process.kill(was.pid, 'SIGKILL');
			await until('again', () => {
				const s = status(data).servers.find(x => x.name === 'ms1');
				const ok = s.pid > 0 && s.pid !== was.pid;
				was = ok ? s : was;
				return ok;
			}, 15000);
			gaps.push(Date.now() - at);
		}
		assert.ok(gaps[0] >= 200 && gaps[1] >= 400 && gaps[2] >= 800,
		    `${gaps}`);
		p.kill('SIGTERM');
		assert.equal((await p.end).code, 0);
	});
});

describe('mistakes', () => {
	test('no verb, an unknown one, an unknown flag, a missing word', () => {
		const run = (...args) => {
			const r = spawnSync(program, args, { encoding: 'utf8' });
			return { code: r.status, err: r.stderr, out: r.stdout };
		};
		assert.equal(run().code, 2);
		assert.equal(run('dance').code, 2);
		assert.match(run('dance').err, /^cchatctl: no such verb 'dance'.*\n$/);
		assert.equal(run('start', '--no-such', 'x').code, 2);
		assert.equal(run('start', '--msg', '65').code, 2);
		assert.equal(run('start', '--proxy', '0').code, 2);
		assert.equal(run('where').code, 2);
		assert.equal(run('where', 'a/b').code, 2);
		assert.equal(run('events', '--since', 'x').code, 2);
		assert.equal(run('events', '--limit', '0').code, 2);
		assert.equal(run('rooms', '--limit', 'x').code, 2);
		assert.equal(run('drain').code, 2);
		assert.equal(run('drain', 'ms1', '--rate', '0').code, 2);
		assert.equal(run('drain', 'ms1', '--within', '"').code, 2);
		assert.equal(run('undrain', 'a', 'b').code, 2);
		assert.equal(run('jobs', 'ms1').code, 2);
		assert.equal(run('-h').code, 0);
		for (const verb of ['start', 'stop', 'restart', 'status', 'backup',
		    'restore', 'servers', 'load', 'where', 'room', 'rooms', 'next', 'events', 'check',
		    'forget', 'drain', 'undrain', 'jobs']) {
			const r = run(verb, '-h');
			assert.equal(r.code, 0);
			assert.match(r.out, new RegExp(`^Usage: cchatctl ${verb}`));
		}
		assert.match(run('-V').out, /^cchatctl \(cchat\) \d/);
	});

	test('nobody there', async () => {
		const r = ctl(temp(), 'servers', '--config-server',
		    `127.0.0.1:${await freePort()}`);
		assert.equal(r.code, 3);
		assert.match(r.err, /^cchatctl: no config_server answers at .*\n$/);
	});

	test('data that cannot be used ends it with 5 and one line', async () => {
		const data = temp();
		mkdirSync(data, { mode: 0o700 });
		writeFileSync(join(data, 'topology.db'), 'no database at all, sorry');
		const r = ctl(data, 'start', '-d', ...await ports());
		assert.equal(r.code, 5, r.err);
		assert.match(r.err, /^cchatctl: config: .*topology\.db can't be used: .*\n$/);
		assert.equal(ctl(data, 'status').code, 3);
	});

	test('an address that answers something else', async () => {
		const s = net.createServer(c => c.end('hello\r\n'));
		await new Promise(r => s.listen(0, '127.0.0.1', r));
		const at = `127.0.0.1:${s.address().port}`;
		const p = spawn(program, ['servers', '--config-server', at],
		    { stdio: ['ignore', 'ignore', 'pipe'] });
		let err = '';
		p.stderr.on('data', b => { err += b; });
		const code = await new Promise(r => p.on('close', r));
		s.close();
		assert.equal(code, 1);
		assert.match(err, /^cchatctl: .*protocol violation\n$/);
	});
});
