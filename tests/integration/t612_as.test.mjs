/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * `cchatctl start --as SYSTEM`: a cluster on the ports of an older system, for
 * its clients and back ends as they are. The ports are theirs, so each cluster
 * has a loopback address to itself.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { build, loopback, until, www } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

const PATIENCE = 20000;
const started = [];

const run = (args, o = {}) => {
	const r = spawnSync(join(build, 'config_server', 'cchatctl'), args,
	    { encoding: 'utf8', timeout: 60000,
	    env: { ...process.env, NO_COLOR: '1' }, ...o });
	return { code: r.status, out: r.stdout, err: r.stderr };
};

/* a cluster that stands where these systems stood */
function
start(as, ...more)
{
	const host = loopback();
	const dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
	const data = join(dir, 'data'), any = `${host}:0`;
	const r = run(['start', '-d', '--as', as, '--data', data, '--www', www,
	    '--listen', `${host}:9503`, '--direct', any, '--admin', any,
	    '--link-listen', any, '--proxy-admin', any, '--config-server', any,
	    '--msg', '2', '--proxy', '1', ...more]);

	started.push({ dir, data });
	assert.equal(r.code, 0, r.err);
	const status = JSON.parse(run(['status', '--json', '--data', data]).out);
	const listening = Object.fromEntries(status.servers.map(s => [s.name,
	    s.listening.map(l => l.replace(`${host}:`, ''))]));
	return { host, data, out: r.out, status, listening };
}

after(() => {
	for (const { dir, data } of started) {
		run(['stop', '--data', data]);
		rmSync(dir, { recursive: true, force: true });
	}
});

const has = (k, ...what) => {
	for (const ms of ['ms1', 'ms2'])
		for (const w of what)
			assert.ok(k.listening[ms].includes(w),
			    `${ms}: no ${w} in ${k.listening[ms]}`);
};

const ask = (host, port, path, o = {}) => new Promise((resolve, reject) => {
	const req = http.request({ host, port, path, method: o.method ?? 'GET',
	    headers: o.headers, agent: false, timeout: 10000 }, res => {
		let body = '';
		res.setEncoding('utf8');
		res.on('data', s => { body += s; });
		res.on('end', () => resolve({ status: res.statusCode, body,
		    headers: res.headers }));
	});
	req.on('timeout', () => req.destroy(new Error('no answer')));
	req.on('error', reject);
	req.end(o.body);
});

/* one line said, the first line heard */
const line = (host, port, said) => new Promise((resolve, reject) => {
	const s = net.connect(port, host);
	let got = '';

	s.setTimeout(10000, () => s.destroy(new Error('no line')));
	s.on('error', reject);
	s.on('connect', () => s.write(said));
	s.on('data', b => {
		got += b;
		if (!got.includes('\n'))
			return;
		s.destroy();
		resolve(got.split('\n')[0]);
	});
	s.on('close', () => reject(new Error(`closed: ${got}`)));
});

test('workerman', async () => {
	const k = start('workerman');

	has(k, '9503 (public)', '7272 (workerman)', '55151 (workerman)',
	    '1236 (register)');
	assert.ok(k.listening.ms1.includes('2300 (gateway)'));
	assert.ok(k.listening.ms2.includes('2301 (gateway)'));
	assert.match(k.out, new RegExp(`http://${k.host}:55151/`));
	const page = await ask(k.host, 55151, '/');
	assert.equal(page.status, 200);
	assert.match(page.body, /<html/);
	/* as its page does: opened from the page's port, no path */
	const c = await Client.open(`ws://${k.host}:7272`,
	    { origin: `http://${k.host}:55151` });
	c.send('{"type":"login","client_name":"Ann","room_id":"1"}');
	assert.equal((await c.next(f => f.type === 'login', PATIENCE))
	    .client_name, 'Ann');
	/* and one of ours in the same room hears it */
	const ours = await Client.login(`ws://${k.host}:9503/ws`, 'Bob', '1');
	c.send('{"type":"say","to_client_id":"all","content":"hello"}');
	await ours.hear('hello', PATIENCE);
	const told = await until('both gateways', async () => {
		const j = JSON.parse(await line(k.host, 1236,
		    '{"event":"worker_connect","secret_key":""}\n'));
		return j.addresses?.length === 2 && j;
	}, PATIENCE);
	assert.deepEqual([told.event, told.addresses.sort()],
	    ['broadcast_addresses', [`${k.host}:2300`, `${k.host}:2301`]]);
	c.drop();
	ours.drop();
});

test('webim', async () => {
	const k = start('webim');

	has(k, '9503 (public)', '8888 (webim)');
	assert.match(k.out, new RegExp(`http://${k.host}:8888/`));
	assert.equal((await ask(k.host, 8888, '/')).status, 200);
	const c = await Client.open(`ws://${k.host}:9503/`,
	    { origin: `http://${k.host}:8888` });
	c.send('{"cmd":"login","name":"Ann","avatar":"http://x.example/a.png"}');
	await c.next(f => f.cmd === 'login' && f.fd !== undefined, PATIENCE);
	/* and a cchat page is at home at the same port */
	const ours = await Client.login(`ws://${k.host}:9503/ws`, 'Bob', '1');
	await ours.bye();
	c.drop();
});

test('webim, by long poll: each request a connection of its own', async () => {
	const k = start('webim', '--msg', '0');

	assert.deepEqual(Object.keys(k.listening).filter(n => /^ms/.test(n)),
	    ['ms1']);
	const form = (fields) => ask(k.host, 9503, '/', { method: 'POST',
	    headers: { 'content-type': 'application/x-www-form-urlencoded' },
	    body: new URLSearchParams(fields).toString() });
	const id = JSON.parse((await form({ type: 'connect' })).body).session_id;
	for (let i = 0; i < 12; i++) {
		const r = await form({ type: 'pub', session_id: id,
		    message: '{"cmd":"getOnline"}' });
		assert.equal(r.status, 200, `${i}: ${r.body}`);
		/* who asks that often is told so, but it is he who is told */
		const got = await form({ type: 'sub', time: '60',
		    session_id: id });
		assert.equal(got.status, 200, `${i}: ${got.body}`);
		assert.equal(JSON.parse(got.body).success, 1);
	}
});

test('meteor', async () => {
	const k = start('meteor');

	has(k, '8000 (meteor)');
	const r = await ask(k.host, 8000, '/', { method: 'POST',
	    body: JSON.stringify({ type: 'http', class: 'group', method: 'list',
	    args: {} }) });
	assert.equal(r.status, 200);
	assert.equal(r.headers['access-control-allow-origin'], '*');
	assert.equal(JSON.parse(r.body).code, 200, r.body);
	const page = await ask(k.host, 8000, '/index.html');
	assert.match(page.body, /<html/);
});

/* the answer to a datagram, which is said again: either may be lost */
const said = (host, port, text) => new Promise((resolve, reject) => {
	const s = dgram.createSocket('udp4');
	const end = (fn, x) => {
		clearInterval(again);
		clearTimeout(late);
		s.close();
		fn(x);
	};
	const again = setInterval(() => s.send(text, port, host), 200);
	const late = setTimeout(() => end(reject, new Error(`${port} is silent`)),
	    PATIENCE);
	s.on('message', b => end(resolve, b.toString()));
	s.send(text, port, host);
});

test('sok', async () => {
	const k = start('sok');

	has(k, '9501 (sok)', '8880 (push)');
	assert.match((await ask(k.host, 9501, '/')).body, /^<h1>Hello /);
	assert.match((await ask(k.host, 8880, '/')).body, /^<h1>Hello sok/);
	const bound = readFileSync('/proc/net/udp', 'latin1');
	const hex = k.host.split('.').reverse().map(x => Number(x).toString(16)
	    .padStart(2, '0')).join('').toUpperCase();
	assert.match(bound, new RegExp(`${hex}:251E `), 'UDP 9502');
	/* the other one of its settings; both answer */
	for (const port of [9502, 9601])
		assert.equal(await said(k.host, port, '{"means":"is_on_line",' +
		    '"sk":"x","to_uid":"7"}'), '{"onLine":0}');
});

test('all of them at once, and beside cchat', async () => {
	const k = start('cchat,workerman,webim,meteor,sok');

	has(k, '9503 (public)', '7272 (workerman)', '55151 (workerman)',
	    '1236 (register)', '8888 (webim)', '8000 (meteor)', '9501 (sok)',
	    '8880 (push)');
	assert.match(k.out, new RegExp(`http://${k.host}:9503/`));
	const ours = await Client.login(`ws://${k.host}:9503/ws`, 'Bob', '1');
	await ours.bye();
	/* who is restarted has its ports again */
	const was = k.status.servers.find(s => s.name === 'ms2').pid;
	process.kill(was, 'SIGKILL');
	await until('its gateway again', () => {
		const s = JSON.parse(run(['status', '--json', '--data', k.data])
		    .out).servers.find(x => x.name === 'ms2');
		return s.ready && s.pid !== was &&
		    s.listening.includes(`${k.host}:2301 (gateway)`);
	}, PATIENCE);
});

test('what can not be', async () => {
	const dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
	const data = join(dir, 'data'), host = loopback();
	const bad = run(['start', '-d', '--as', 'workerman,slack', '--data',
	    data]);

	started.push({ dir, data });
	assert.equal(bad.code, 2);
	assert.match(bad.err, /'slack' is none of cchat, workerman, webim/);
	/* somebody has the port */
	const s = net.createServer();
	await new Promise(r => s.listen(7272, host, r));
	const used = run(['start', '-d', '--as', 'workerman', '--data', data,
	    '--listen', `${host}:9503`]);
	s.close();
	assert.equal(used.code, 4);
	assert.match(used.err, new RegExp(`${host}:7272, which --as opens, is in `));
});
