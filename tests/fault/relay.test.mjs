/* SPDX-License-Identifier: MIT */
/* needs: node */
/*
 * The wire of the fault runs leaves nothing behind: what it has cut is closed,
 * in whatever state it was, so that a run comes to its end.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { Relay } from './relay.mjs';

const MS = 15000;
let server, relay, peers = [];

before(async () => {
	server = net.createServer({ allowHalfOpen: true }, s => {
		s.on('error', () => {});
		s.on('data', d => s.write(d));
		peers.push(s);
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	relay = await Relay.listen(() => server.address().port);
});
after(() => {
	relay.close();
	server.close();
	for (const s of peers)
		s.destroy();
});

/* once() would throw at an `error` */
const gone = s => new Promise(r => s.on('close', r));
/* {c: the client, p: the relay's two ends} of a wire that has passed something */
const wire = async () => {
	const c = net.connect(relay.port, '127.0.0.1');
	c.on('error', () => {});
	c.write('here');
	await once(c, 'data');
	c.resume();
	return { c, p: [...relay.pairs].pop() };
};
const none = () => new Promise((resolve, reject) => {
	const end = performance.now() + MS;
	const t = setInterval(() => {
		if (relay.socks.size && performance.now() < end)
			return;
		clearInterval(t);
		relay.socks.size ? reject(new Error('a socket is left')) : resolve();
	}, 10);
});

test('what passes passes', async () => {
	const { c } = await wire();
	const end = gone(c);
	c.end();
	peers.at(-1).end();
	await end;
	await none();
});
test('a reset reaches both ends', async () => {
	const { c } = await wire();
	const ends = [gone(c), gone(peers.at(-1))];
	relay.reset();
	await Promise.all(ends);
	await none();
});
test('reset in the moment in which it ends', async () => {
	const { c, p } = await wire();
	p.b.end();
	relay.reset();
	await none();
	c.destroy();
});
test('reset while much waits for one who does not read', async () => {
	const { c, p } = await wire();
	peers.at(-1).pause();
	c.pause();
	p.b.write(Buffer.alloc(8 << 20));
	p.b.end();
	relay.reset();
	await none();
	c.destroy();
});
test('an end that vanishes in a hole: closed with the relay', async () => {
	const { c } = await wire();
	relay.hole('*', true);
	const end = gone(c);
	c.resetAndDestroy();
	await end;
	relay.close();
	await none();
	assert.equal(relay.socks.size, 0);
});
