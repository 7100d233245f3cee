/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Who does not read, in a room of 2,000 messages a second: the others lose
 * nothing and wait for nobody, the server keeps no more than a queue for him,
 * and when he reads again he gets all of it in order, whatever died meanwhile.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { Cluster, until } from '../lib/cluster.mjs';
import { Client, newCid } from '../lib/client.mjs';

const RATE = 2000, SECONDS = 3, ALL = RATE * SECONDS;
const PAD = 'x'.repeat(3000);	/* more than sockets hold, all together */

let c, growth;	/* MiB; without a bound it would be more */
before(async () => {
	c = await Cluster.start({ msgs: 1, proxies: 2 });
	/* a sanitizer keeps what is freed for a while */
	growth = readFileSync(`/proc/${c.msgs[0].pid}/maps`, 'latin1')
	    .includes('libasan') ? 512 : 96;
});
after(() => c?.stop());

/*
 * A WebSocket on bare TCP: between stop() and go() nothing is read, by
 * nobody, and the kernel's window fills up.
 */
class Bare {
	static open(port, o)
	{
		const b = new Bare();
		b.frames = [];
		b.rest = Buffer.alloc(0);
		b.head = false;
		b.s = net.connect(port, '127.0.0.1');
		b.s.on('data', d => b.data(d));
		b.s.on('error', () => {});
		b.s.on('close', () => { b.closed = true; });
		b.s.write('GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n' +
		    'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
		    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
		    '\r\n');
		b.send(o);
		return until('logged in', () => b.frames.some(f =>
		    f.cmd === (o.v ? 'synced' : 'login')) && b);
	}

	send(o)
	{
		const p = Buffer.from(JSON.stringify(o)), mask = randomBytes(4);
		assert.ok(p.length < 126 + 65536);
		const h = p.length < 126 ? Buffer.from([0x81, 0x80 | p.length]) :
		    Buffer.from([0x81, 0xfe, p.length >> 8, p.length & 255]);
		for (let i = 0; i < p.length; i++)
			p[i] ^= mask[i & 3];
		this.s.write(Buffer.concat([h, mask, p]));
	}

	data(d)
	{
		this.rest = this.rest.length ? Buffer.concat([this.rest, d]) : d;
		if (!this.head) {
			const end = this.rest.indexOf('\r\n\r\n');
			if (end < 0)
				return;
			this.head = true;
			this.rest = this.rest.subarray(end + 4);
		}
		let at = 0;
		for (const b = this.rest;;) {
			let n = b[at + 1], head = 2;
			if (n === 126)
				n = b.length >= at + 4 ? b.readUInt16BE(at + 2) : NaN,
				head = 4;
			if (!(b.length >= at + head + n))
				break;
			if ((b[at] & 15) === 1)
				this.frames.push(JSON.parse(b.subarray(at + head,
				    at + head + n).toString()));
			else if ((b[at] & 15) === 8)
				this.code = b.readUInt16BE(at + head);
			at += head + n;
		}
		this.rest = this.rest.subarray(at);
	}

	get messages()
	{
		return this.frames.filter(f => f.cmd === 'message');
	}

	stop() { this.s.pause(); }
	go() { this.s.resume(); }
}

/* Counts what it hears; keeps no frames. */
class Ear {
	static async open(name, rid, o = {})
	{
		const e = new Ear();
		e.numbers = [];
		e.waits = [];
		e.gaps = 0;
		e.c = await Client.login(c.msgs[0].ws, name, rid, { ...o,
		    onframe: f => e.frame(f) });
		return e;
	}

	frame(f)
	{
		if (f.cmd === 'gap')
			this.gaps++;
		if (f.cmd !== 'message')
			return;
		const [n, t] = f.msg.split(' ');
		this.numbers.push(Number(n));
		this.waits.push(performance.now() - Number(t));
		this.c?.queue.splice(0);
		this.c?.seen.splice(0);
	}
}

/* Says ALL messages in RATE a second by some mouths; {seq: number} of acks. */
async function
flood(name, rid, to = {})
{
	const at = new Map(), mouths = [];
	let said = 0;
	for (let i = 0; i < 8; i++) {
		const m = { open: new Map() };
		m.c = await Client.login(c.msgs[0].ws, `${name}${i}`, rid, {
		    onframe: f => {
			if (f.cmd === 'ok' && m.open.has(f.cid)) {
				at.set(f.useq ?? f.seq, m.open.get(f.cid).n);
				m.open.delete(f.cid);
			} else if (f.cmd === 'error' && m.open.has(f.cid))
				m.c.send(m.open.get(f.cid).f);
			m.c?.queue.splice(0);
			m.c?.seen.splice(0);
		} });
		mouths.push(m);
	}
	const start = performance.now();
	while (said < ALL) {
		const due = Math.min(ALL, (performance.now() - start) * RATE / 1000);
		for (const m of mouths.slice(said % 8).concat(mouths))
			if (said < due && m.open.size < 48) {
				const cid = newCid(), n = said++;
				const f = { cmd: 'message', type: 'text', rid, cid, ...to,
				    msg: `${n} ${performance.now()} ${PAD}` };
				m.open.set(cid, { n, f });
				m.c.send(f);
			}
		await new Promise(r => setTimeout(r, 2));
	}
	await until('all answered', () => mouths.every(m => !m.open.size), 30000);
	await Promise.all(mouths.map(m => m.c.bye()));
	return at;
}

async function
metric(name)
{
	const { body } = await c.msgs[0].fetch('/metrics');
	const m = new RegExp(`^\\w*${name} (\\d+)`, 'm').exec(body);
	assert.ok(m, `a metric ${name}`);
	return Number(m[1]);
}

/* All numbers once, and in one order for all. */
function
same(what, numbers, order)
{
	assert.equal(numbers.length, order.length, `${what}: as many`);
	for (let i = 0; i < order.length; i++)
		if (numbers[i] !== order[i])
			assert.fail(`${what}: ${numbers[i]} at ${i}, ` +
			    `not ${order[i]}`);
}

const number = f => Number(f.msg.split(' ')[0]);

test('a room: those who do not read, and the others', async () => {
	const port = c.msgs[0].ports.direct;
	const slow = await Bare.open(port, { cmd: 'login', v: 2, name: 'slow',
	    rid: '7', cid: 'a' });
	const old = await Bare.open(port, { cmd: 'login', name: 'oldie',
	    rid: '7' });
	const ears = [await Ear.open('amy', '7'), await Ear.open('bob', '7')];
	slow.stop();
	old.stop();
	const before = c.msgs[0].rss, lag = await metric('msg_lag_total');
	const t0 = performance.now();
	const at = await flood('m', '7');
	/* who waits for a slow one waits until the flood is over, however long
	 * that takes here */
	const few = Math.max(2000, (performance.now() - t0) / 4);
	const order = [...at].sort((a, b) => a[0] - b[0]).map(x => x[1]);

	assert.equal(order.length, ALL);
	await until('the others have all', () => ears.every(e =>
	    e.numbers.length >= ALL), 30000);
	for (const e of ears) {
		same('one who reads', e.numbers, order);
		assert.equal(e.gaps, 0);
		assert.ok(e.waits.sort((a, b) => a - b)[Math.floor(ALL * .99)] <
		    few, 'one who reads waits for no other');
	}
	assert.ok(await metric('msg_lag_total') >= lag + 2, 'both lag');
	assert.ok(await metric('msg_queued_bytes') < 1024 * 1024);
	assert.ok(c.msgs[0].rss - before < growth,
	    `${c.msgs[0].rss - before} MiB for two who do not read`);
	assert.ok(!slow.closed && !old.closed);

	slow.go();
	old.go();
	await until('both have all', () => slow.messages.length >= ALL &&
	    old.messages.length >= ALL, 15000);
	same('version 2', slow.messages.map(number), order);
	same('version 1', old.messages.map(number), order);
	const first = slow.messages[0].seq;
	slow.messages.forEach((m, i) => assert.equal(m.seq, first + i));
	assert.equal(slow.frames.filter(f => f.cmd === 'gap').length, 0);
	assert.ok(old.frames.every(f => f.seq === undefined &&
	    ['login', 'message', 'newUser'].includes(f.cmd)));

	/* and from here on live again */
	const last = await ears[0].c.say('7', `${ALL} 0 the end`);
	await until('live again', () => slow.messages.at(-1).seq === last.seq &&
	    number(old.messages.at(-1)) === ALL);
	for (const b of [slow, old])
		b.s.destroy();
	await Promise.all(ears.map(e => e.c.bye()));
});

test('a private conversation with one who does not read', async () => {
	const slow = await Bare.open(c.msgs[0].ports.direct, { cmd: 'login', v: 2,
	    uid: '4711', name: 'slow', rid: '8', cid: 'a' });
	const device = await Ear.open('slow', '8', { uid: '4711' });
	slow.stop();
	const before = c.msgs[0].rss, lag = await metric('msg_lag_total');
	await flood('p', '9', { tid: '4711' });
	await until('his other device has all', () =>
	    device.numbers.length >= ALL, 30000);
	assert.ok(await metric('msg_lag_total') > lag, 'he lags');
	assert.ok(c.msgs[0].rss - before < growth);
	assert.ok(!slow.closed);
	slow.go();
	await until('he has all', () => slow.messages.length >= ALL, 15000);
	same('he', slow.messages.map(number), device.numbers);
	slow.messages.forEach((m, i) => assert.equal(m.useq, i + 1));
	assert.equal(new Set(device.numbers).size, ALL);
	slow.s.destroy();
	await device.c.bye();
});

test('the active proxy dies while one does not read', async () => {
	const slow = await Bare.open(c.msgs[0].ports.direct, { cmd: 'login', v: 2,
	    name: 'slow', rid: '11', cid: 'a' });
	const ear = await Ear.open('amy', '11');
	slow.stop();
	const lag = await metric('msg_lag_total');
	const flooded = flood('k', '11');
	await until('it is under way', () => ear.numbers.length > ALL / 2, 60000);
	await (await c.active()).kill();
	const at = await flooded;
	const order = [...at].sort((a, b) => a[0] - b[0]).map(x => x[1]);
	await until('she has all', () => ear.numbers.length >= ALL, 30000);
	same('one who reads', ear.numbers, order);
	assert.ok(await metric('msg_lag_total') > lag, 'he lags');
	slow.go();
	await until('he has all', () => slow.messages.length >= ALL, 15000);
	same('he', slow.messages.map(number), order);
	slow.messages.forEach((m, i) => assert.equal(m.seq, i + 1));
	assert.ok(slow.frames.every(f => f.cmd !== 'gap'));
	slow.s.destroy();
	await ear.c.bye();
});
