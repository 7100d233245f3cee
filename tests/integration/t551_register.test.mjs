/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * The register, where GatewayClients learn of the gateways: its lines as
 * recorded, the list as servers come and go, wrong keys, what is no request,
 * gateways of another system beside ours, and what it refuses to start with.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Cluster, build, until } from '../lib/cluster.mjs';

const MS = 20000;
const conf = (more = {}) => ({ msg_server: { gateway: '127.0.0.1:0',
    register: '127.0.0.1:0', ...more } });

class Line {
	static async open(m)
	{
		const l = new Line();
		l.text = '';
		l.s = net.connect(m.ports.register, '127.0.0.1');
		l.s.setEncoding('utf8');
		l.s.on('data', d => { l.text += d; });
		l.s.on('error', () => {});
		l.gone = new Promise(r => l.s.on('close', () => {
			l.closed = true;
			r(l.text);
		}));
		await new Promise(r => l.s.on('connect', r));
		return l;
	}

	get lines() { return this.text.split('\n').slice(0, -1); }
	send(v)
	{
		this.s.write(typeof v === 'string' ? v : `${JSON.stringify(v)}\n`);
	}

	ask(key = '')
	{
		this.send(`{"event":"worker_connect","secret_key":"${key}"}\n`);
		return until('an answer', () => this.lines[0], MS);
	}

	/* until the newest list is this one */
	list(what, want)
	{
		return until(what, () => {
			const last = JSON.parse(this.lines.at(-1)).addresses;
			return JSON.stringify([...last].sort()) ===
			    JSON.stringify([...want].sort());
		}, MS);
	}
}

const at = m => `127.0.0.1:${m.ports.gateway}`;
const metric = async (m, name) => Number(new RegExp(`^cchat_msg_${name} (\\d+)`,
    'm').exec((await m.fetch('/metrics')).body)[1]);

let c;
before(async () => { c = await Cluster.start({ msgs: 1, conf: conf() }); });
after(() => c?.stop());

test('the answer, byte for byte, and again when it changes', async () => {
	const [m1] = c.msgs, l = await Line.open(m1);
	assert.equal(await l.ask(), '{"event":"broadcast_addresses",' +
	    `"addresses":["${at(m1)}"]}`);
	const m2 = await c.newMsg().start();
	await m2.ready();
	await l.list('the second is in it', [at(m1), at(m2)]);
	/* the other one knows the same */
	const o = await Line.open(m2);
	await o.ask();
	await o.list('of the second, too', [at(m1), at(m2)]);
	await m2.kill();
	await l.list('the dead one is out of it', [at(m1)]);
	await m2.start();
	await m2.ready();
	await l.list('and in it again', [at(m1), at(m2)]);
	await m2.stop();
	await l.list('gone', [at(m1)]);
	c.msgs.pop();
	l.send({ event: 'ping' });
	l.s.end();
	for (const x of l.lines)
		assert.equal(JSON.parse(x).event, 'broadcast_addresses');
});

test('gateways of another system are in it while they are here', async () => {
	const [m] = c.msgs, l = await Line.open(m), g = await Line.open(m);
	await l.ask();
	g.send('{"event":"gateway_connect", "address":"10.1.2.3:2900", ' +
	    '"secret_key":""}\n');
	await l.list('it is in', [at(m), '10.1.2.3:2900']);
	const twice = await Line.open(m);
	twice.send({ event: 'gateway_connect', address: '10.1.2.3:2900',
	    secret_key: '' });
	twice.send({ event: 'worker_connect', secret_key: '' });
	await twice.list('once', [at(m), '10.1.2.3:2900']);
	g.s.end();
	twice.s.end();
	await l.list('it is out', [at(m)]);
	for (const address of [undefined, '', 'a"b:1', '10.1.2.3', 'host:80',
	    '10.1.2.3:2900 ', 7, '1'.repeat(65)]) {
		const b = await Line.open(m);
		b.send({ event: 'gateway_connect', address, secret_key: '' });
		assert.equal(await b.gone, '', String(address));
	}
	l.s.end();
});

test('what is no request ends the connection', async () => {
	const [m] = c.msgs, was = await metric(m, 'register_refused_total');
	let n = 0;
	for (const bad of ['x', '{', '{}', '[]', '7', '{"event":7}',
	    '{"event":""}', 'GET / HTTP/1.0', '']) {
		const l = await Line.open(m);
		l.send(`${bad}\n`);
		assert.match(await l.gone, /^Bad request for Register service\./);
		n++;
	}
	for (const bad of [{ event: 'nonsense' },
	    { event: 'worker_connect', secret_key: 'x' },
	    { event: 'gateway_connect', address: '1.2.3.4:5', secret_key: 'x' }]) {
		const l = await Line.open(m);
		l.send(bad);
		assert.equal(await l.gone, '');
		n++;
	}
	/* 4096 bytes of a line are taken, 4097 are not */
	const empty = JSON.stringify({ event: 'ping', x: '' }).length;
	const most = await Line.open(m);
	most.send({ event: 'ping', x: 'y'.repeat(4096 - empty) });
	assert.ok(await most.ask());
	most.s.end();
	const over = await Line.open(m);
	over.send({ event: 'ping', x: 'y'.repeat(4097 - empty) });
	assert.equal(await over.gone, '');
	assert.equal(await metric(m, 'register_refused_total') - was, n + 1);
	/* bytes one by one, and two lines at once */
	const slow = await Line.open(m);
	for (const ch of '{"event":"worker_connect"}\n')
		slow.send(ch);
	slow.send('{"event":"ping"}\n{"event":"worker_connect"}\n');
	await until('two answers', () => slow.lines.length === 2, MS);
	slow.s.end();
	/* who says nothing is not kept, nor who has nothing to say */
	const mute = await Line.open(m), idle = await Line.open(m);
	idle.send({ event: 'ping' });
	assert.equal(await mute.gone, '');
	assert.equal(await idle.gone, '');
});

test('who asks without end and does not read is let go', async () => {
	const [m] = c.msgs, was = await metric(m, 'register_refused_total');
	const l = await Line.open(m);
	const many = '{"event":"worker_connect"}\n'.repeat(5000);
	l.s.pause();
	await until('it is let go', async () => {
		/* about 5 MB of answers, more than the kernel takes in the end */
		for (let i = 0; i < 10 && !l.closed; i++)
			l.send(many);
		return await metric(m, 'register_refused_total') === was + 1;
	}, MS);
	l.s.destroy();
});

test('with a key', async () => {
	const k = new Cluster({ msgs: 1 });
	const file = join(k.data, 'gateway.key');
	writeFileSync(file, 's3cret\n', { mode: 0o600 });
	k.configure(conf({ gateway_key_file: file }));
	try {
		await k.up();
		for (const key of ['', 'wrong']) {
			const l = await Line.open(k.msgs[0]);
			l.send({ event: 'worker_connect', secret_key: key });
			assert.equal(await l.gone, '');
		}
		const l = await Line.open(k.msgs[0]);
		assert.ok((await l.ask('s3cret')).includes(at(k.msgs[0])));
		l.s.end();
	} finally {
		await k.stop();
	}
});

test('what a server refuses to start with', () => {
	const run = (...args) => spawnSync(join(build, 'msg_server',
	    'msg_server'), ['-c', c.confFile, '--data', c.data, '--link-key',
	    join(c.data, 'link.key'), '--token-key', join(c.data, 'token.key'),
	    '--name', 'bad', '--listen', '127.0.0.1:0', '--direct',
	    '127.0.0.1:0', '--admin', '127.0.0.1:0', '--config-server',
	    c.configAt, ...args], { encoding: 'utf8', timeout: 20000 });
	const file = join(c.data, 'some.key');
	for (const [text, ...args] of [
	    ['gateway: an address that is no loopback needs', '--gateway',
		'0.0.0.0:0'],
	    ['no IPv4 address', '--gateway', '[::1]:0'],
	    ['register: an address that is no loopback needs', '--register',
		'0.0.0.0:0'],
	    ['can\'t be read', '--gateway-key-file', join(c.data, 'none')]]) {
		const r = run(...args);
		assert.equal(r.status, 2, `${args}: ${r.stderr}`);
		assert.ok(r.stderr.includes(text) || args[1] === '0.0.0.0:0' &&
		    r.stderr.includes('no IPv4 address'), r.stderr);
	}
	for (const key of ['', '\n', 'x'.repeat(257), 'a\0b']) {
		writeFileSync(file, key);
		const r = run('--gateway-key-file', file);
		assert.equal(r.status, 2, r.stderr);
		assert.match(r.stderr, /no key of 1 to 256 bytes/);
	}
});
