/* SPDX-License-Identifier: MIT */
/*
 * One raw TCP connection to the server under test and the queue of what came
 * back, in order.  It answers the server's own pings and does nothing else by
 * itself: no Close is returned, no FIN is sent unless a case says so.
 */
import net from 'node:net';
import { randomBytes } from 'node:crypto';
import { FrameReader, acceptKey, closeFrame, frame, PONG } from './wire.mjs';

export let PATIENCE = 3000;	/* ms a server has to react */
let ENTRY = 6000;		/* ms in which a busy machine lets one in */

/* more, where a machine has much to do beside */
export function
patience(ms)
{
	PATIENCE = ms;
	ENTRY = 2 * ms;
}

export class Fail extends Error {}

export class Peer {
	constructor(sock)
	{
		this.sock = sock;
		this.raw = Buffer.alloc(0);	/* before the upgrade */
		this.reader = null;
		this.events = [];
		this.waiting = null;
		this.ended = false;
		this.closed = false;
		sock.setNoDelay(true);
		sock.on('data', b => this.data(b));
		sock.on('end', () => this.put({ type: 'end' }));
		sock.on('error', e => this.put({ type: 'reset', why: e.code }));
		sock.on('close', () => {
			this.closed = true;
			this.put({ type: 'gone' });
		});
	}

	static open(target, patience = ENTRY)
	{
		return new Promise((resolve, reject) => {
			const sock = net.connect({ host: target.host,
			    port: target.port, allowHalfOpen: true });
			const timer = setTimeout(() => {
				sock.destroy();
				reject(new Fail('no TCP connection in time'));
			}, patience);
			sock.once('error', e => {
				clearTimeout(timer);
				reject(new Fail(`connect: ${e.code}`));
			});
			sock.once('connect', () => {
				clearTimeout(timer);
				sock.removeAllListeners('error');
				resolve(new Peer(sock));
			});
		});
	}

	data(bytes)
	{
		if (!this.reader) {
			this.raw = Buffer.concat([this.raw, bytes]);
			this.wake();
			return;
		}
		try {
			for (const ev of this.reader.push(bytes)) {
				if (ev.type === 'ping')
					this.send(frame(PONG, ev.payload));
				else
					this.put(ev);
			}
		} catch (e) {
			this.put({ type: 'bad', why: e.message });
		}
	}

	put(ev)
	{
		if (ev.type === 'end')
			this.ended = true;
		/* After FIN or RST the rest says nothing new. */
		if ((ev.type === 'gone' || ev.type === 'reset') && this.over)
			return;
		if (['end', 'reset', 'gone'].includes(ev.type))
			this.over = true;
		ev.at = Date.now();
		this.events.push(ev);
		this.wake();
	}

	wake()
	{
		this.waiting?.();
	}

	changed(ms)
	{
		return new Promise(resolve => {
			const done = () => {
				clearTimeout(timer);
				this.waiting = null;
				resolve();
			};
			const timer = setTimeout(done, Math.max(0, ms));
			this.waiting = done;
		});
	}

	/* The next event, or {type: 'silence'} after ms. */
	async next(ms = PATIENCE)
	{
		const until = Date.now() + ms;
		while (!this.events.length) {
			if (Date.now() >= until)
				return { type: 'silence' };
			await this.changed(until - Date.now());
		}
		return this.events.shift();
	}

	/* False where the server has already hung up. */
	send(...bufs)
	{
		if (this.sock.destroyed || this.sock.writableEnded)
			return false;
		this.sock.write(bufs.length === 1 ? bufs[0] : Buffer.concat(bufs));
		return true;
	}

	/* Pieces of n bytes, each a write of its own, gap ms apart. */
	async chop(buf, n, gap = 0)
	{
		for (let i = 0; i < buf.length; i += n) {
			if (!this.send(buf.subarray(i, i + n)))
				return;
			await new Promise(r => gap ? setTimeout(r, gap) : setImmediate(r));
		}
	}

	/*
	 * The response to an HTTP request: {status, reason, headers: Map, body}.
	 * Null where the server closed or stayed silent; this.over tells which.
	 */
	async response(ms = ENTRY)
	{
		const until = Date.now() + ms;
		for (;;) {
			const r = parseResponse(this.raw, this.over);
			if (r || Date.now() >= until)
				return r;
			if (this.over)
				return null;
			await this.changed(until - Date.now());
		}
	}

	/* From here on the bytes are frames. */
	upgraded(used)
	{
		const rest = this.raw.subarray(used);
		this.reader = new FrameReader();
		this.raw = Buffer.alloc(0);
		if (rest.length)
			this.data(rest);
	}

	/* The plain upgrade every case but H.* starts with. */
	async handshake(target, extra = '')
	{
		const key = randomBytes(16).toString('base64');
		this.send(Buffer.from(upgradeRequest(target, key, extra)));
		const r = await this.response();
		if (!r)
			throw new Fail('no answer to the handshake');
		check101(r, key);
		this.upgraded(r.used);
	}

	async bye()
	{
		if (this.reader && !this.over && !this.reader.closed)
			this.send(closeFrame(1000));
		this.sock.end();
		if (!this.closed)
			setTimeout(() => this.sock.destroy(), 300).unref();
	}

	destroy()
	{
		this.sock.destroy();
	}
}

export function
upgradeRequest(target, key, extra = '')
{
	return `GET ${target.path} HTTP/1.1\r\n` +
	    `Host: ${target.host}:${target.port}\r\n` +
	    'Upgrade: websocket\r\nConnection: Upgrade\r\n' +
	    `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n` +
	    `${extra}\r\n`;
}

export function
check101(r, key)
{
	const h = name => r.headers.get(name);
	if (r.status !== 101)
		throw new Fail(`status ${r.status}, not 101`);
	if ((h('upgrade') ?? '').toLowerCase() !== 'websocket')
		throw new Fail('101 without Upgrade: websocket');
	if (!(h('connection') ?? '').toLowerCase().split(',').map(s => s.trim())
	    .includes('upgrade'))
		throw new Fail('101 without Connection: Upgrade');
	if (h('sec-websocket-accept') !== acceptKey(key))
		throw new Fail('wrong Sec-WebSocket-Accept');
	if (h('sec-websocket-extensions') !== undefined)
		throw new Fail('an extension nobody asked for');
	if (h('sec-websocket-protocol') !== undefined)
		throw new Fail('a subprotocol nobody asked for');
	if (h('content-length') !== undefined ||
	    h('transfer-encoding') !== undefined)
		throw new Fail('101 with a body');
}

/* Null until the head and the announced body are there. */
function
parseResponse(raw, over)
{
	const end = raw.indexOf('\r\n\r\n');
	if (end < 0)
		return null;
	const lines = raw.subarray(0, end).toString('latin1').split('\r\n');
	const m = /^HTTP\/1\.1 ([1-5]\d\d) ([\x20-\x7e]*)$/.exec(lines[0]);
	if (!m)
		throw new Fail(`not a status line: ${JSON.stringify(lines[0])}`);
	const headers = new Map();
	for (const line of lines.slice(1)) {
		const h = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/
		    .exec(line);
		if (!h)
			throw new Fail(`not a header: ${JSON.stringify(line)}`);
		const name = h[1].toLowerCase();
		if (headers.has(name))
			throw new Fail(`header ${name} twice`);
		headers.set(name, h[2]);
	}
	const r = { status: Number(m[1]), reason: m[2], headers, used: end + 4,
	    body: Buffer.alloc(0) };
	if (r.status === 101)
		return r;
	const n = Number(headers.get('content-length') ?? 'NaN');
	if (Number.isNaN(n)) {
		if (!over)
			return null;
		r.body = raw.subarray(end + 4);
		return r;
	}
	if (raw.length < end + 4 + n)
		return null;
	r.body = raw.subarray(end + 4, end + 4 + n);
	r.used = end + 4 + n;
	return r;
}
