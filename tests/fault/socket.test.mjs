/* SPDX-License-Identifier: MIT */
/* needs: node modules */
/* The socket of the people, against a server that is not ours. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { Socket, frameOf, framesOf } from './socket.mjs';

let server, url;

before(async () => {
	server = new WebSocketServer({ port: 0, host: '127.0.0.1',
	    perMessageDeflate: false });
	await once(server, 'listening');
	url = `ws://127.0.0.1:${server.address().port}/ws`;
});
after(() => server.close());

const pair = async o => {
	const s = new Socket(url, o);
	const [[ws, rq]] = await Promise.all([once(server, 'connection'),
	    once(s, 'open')]);
	ws.on('error', () => {});
	return { s, ws, rq };
};
/* once() would throw at an `error` */
const gone = s => new Promise(r => s.on('close', (code, why) =>
    r([code, why])));
/* what a raw server answers to whatever comes */
const raw = async answer => {
	const srv = net.createServer(c => {
		c.on('error', () => {});
		c.once('data', d => answer(c, d.toString()));
	}).listen(0, '127.0.0.1');
	await once(srv, 'listening');
	const s = new Socket(`ws://127.0.0.1:${srv.address().port}/`, { ms: 300 });
	const end = gone(s);
	const [e] = await once(s, 'error');
	await end;
	srv.close();
	return e.message;
};

test('text of every length goes both ways', async () => {
	const { s, ws } = await pair();
	for (const n of [0, 1, 125, 126, 127, 65535, 65536, 200000]) {
		const text = 'é'.repeat(n >> 1) + 'x'.repeat(n & 1);
		s.send(text);
		const [d] = await once(ws, 'message');
		assert.equal(d.toString(), text);
		ws.send(text);
		const [back] = await once(s, 'message');
		assert.equal(back, text);
	}
	s.terminate();
});
test('the origin is said', async () => {
	const { s, rq } = await pair({ origin: 'http://a.example' });
	assert.equal(rq.headers.origin, 'http://a.example');
	s.terminate();
});
test('fragments, with a ping between them', async () => {
	const { s, ws } = await pair();
	const pong = once(ws, 'pong');
	ws.send('one ', { fin: false });
	ws.ping('p');
	ws.send('two', { fin: true });
	assert.equal((await once(s, 'message'))[0], 'one two');
	assert.equal((await pong)[0].toString(), 'p');
	s.terminate();
});
test('the server\'s close has its code and reason', async () => {
	const { s, ws } = await pair();
	ws.close(4200, 'retry=50');
	assert.deepEqual(await once(s, 'close'), [4200, 'retry=50']);
	assert.ok(!s.open);
});
test('our close is answered', async () => {
	const { s, ws } = await pair();
	s.close(1000);
	const [code] = await once(ws, 'close');
	assert.equal(code, 1000);
});
test('a cut is 1006', async () => {
	const { s, ws } = await pair();
	ws.terminate();
	assert.equal((await once(s, 'close'))[0], 1006);
});
test('paused, nothing is read', async () => {
	const { s, ws } = await pair();
	let n = 0;
	s.on('message', () => n++);
	s.pause();
	for (let i = 0; i < 100; i++)
		ws.send('x');
	await new Promise(r => ws.ping('', false, r));
	assert.equal(n, 0);
	s.resume();
	await once(ws, 'pong');
	assert.equal(n, 100);
	s.terminate();
});
test('what is no WebSocket is said so', async () => {
	assert.match(await raw(c => c.end('HTTP/1.1 404 Not Found\r\n\r\n')),
	    /404/);
	assert.match(await raw(c => c.end('HTTP/1.1 101 Yes\r\n' +
	    'Sec-WebSocket-Accept: AAAA\r\n\r\n')), /Accept/);
	assert.match(await raw(c => c.write('x'.repeat(20000))), /no HTTP/);
	assert.match(await raw(() => {}), /no answer/);
	const s = new Socket('ws://127.0.0.1:1/');
	const [e] = await once(s, 'error');
	assert.equal(e.code, 'ECONNREFUSED');
});
test('frames against the rules end it', async () => {
	const { s, ws } = await pair();
	s.on('error', () => {});
	ws._socket.write(frameOf(1, Buffer.from('masked')));
	assert.equal((await gone(s))[0], 1006);
});
test('frames cut anywhere are put together', () => {
	const all = Buffer.concat(['a', 'b'.repeat(300)].map(t =>
	    frameOf(1, Buffer.from(t))));
	for (let i = 0; i <= all.length; i++) {
		const one = framesOf(all.subarray(0, i));
		const two = framesOf(Buffer.concat([one.rest, all.subarray(i)]));
		assert.deepEqual([...one.list, ...two.list].map(f =>
		    f.data.toString()), ['a', 'b'.repeat(300)]);
		assert.equal(two.rest.length, 0);
	}
});
