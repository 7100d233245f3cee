/* SPDX-License-Identifier: MIT */
/*
 * A WebSocket client of our own, so that the people of a fault run also run
 * where nothing but node is installed (cchatctl verify).  ws and wss, text
 * frames, no extensions.  Events: open, message(text), close(code, reason),
 * error(e), which is always followed by close.
 */
import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const HEAD_MAX = 16 << 10;
const FRAME_MAX = 16 << 20;
const OP = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/* A frame as a client sends it: masked. */
export function
frameOf(op, data)
{
	const n = data.length;
	const head = n < 126 ? 2 : n < 65536 ? 4 : 10;
	const b = Buffer.allocUnsafe(head + 4 + n);
	const mask = randomBytes(4);
	b[0] = 0x80 | op;
	if (head === 2) {
		b[1] = 0x80 | n;
	} else if (head === 4) {
		b[1] = 0x80 | 126;
		b.writeUInt16BE(n, 2);
	} else {
		b[1] = 0x80 | 127;
		b.writeBigUInt64BE(BigInt(n), 2);
	}
	mask.copy(b, head);
	for (let i = 0; i < n; i++)
		b[head + 4 + i] = data[i] ^ mask[i & 3];
	return b;
}

/* The frames at the beginning of b, and what is left. */
export function
framesOf(b)
{
	const list = [];
	let at = 0;
	for (;;) {
		const left = b.length - at;
		if (left < 2)
			break;
		let n = b[at + 1] & 0x7f, head = 2;
		if (n === 126) {
			if (left < 4)
				break;
			n = b.readUInt16BE(at + 2);
			head = 4;
		} else if (n === 127) {
			if (left < 10)
				break;
			n = Number(b.readBigUInt64BE(at + 2));
			head = 10;
		}
		if (n > FRAME_MAX)
			throw new Error(`a frame of ${n} bytes`);
		const masked = (b[at + 1] & 0x80) !== 0;
		const body = at + head + (masked ? 4 : 0);
		if (b.length < body + n)
			break;
		let data = b.subarray(body, body + n);
		if (masked) {
			const mask = b.subarray(body - 4, body);
			data = Buffer.from(data).map((x, i) => x ^ mask[i & 3]);
		}
		list.push({ fin: (b[at] & 0x80) !== 0, rsv: b[at] & 0x70,
		    op: b[at] & 0x0f, masked, data });
		at = body + n;
	}
	return { list, rest: b.subarray(at) };
}

export class Socket extends EventEmitter {
	/* o.ms: for the handshake; o.origin; o.ca */
	constructor(url, o = {})
	{
		super();
		const u = new URL(url);
		const secure = u.protocol === 'wss:';
		if (!secure && u.protocol !== 'ws:')
			throw new Error(`${url}: ws://... or wss://...`);
		const port = Number(u.port) || (secure ? 443 : 80);
		const host = u.hostname.replace(/^\[|\]$/g, '');
		this.state = 'opening';
		this.rest = Buffer.alloc(0);
		this.parts = [];
		this.code = 1006;
		this.reason = '';
		const key = randomBytes(16).toString('base64');
		this.expect = createHash('sha1').update(key + GUID)
		    .digest('base64');
		const hello = () => this.tcp.write(
		    `GET ${u.pathname}${u.search} HTTP/1.1\r\nHost: ${u.host}\r\n` +
		    'Upgrade: websocket\r\nConnection: Upgrade\r\n' +
		    `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n` +
		    `${o.origin ? `Origin: ${o.origin}\r\n` : ''}\r\n`);
		this.tcp = secure ?
		    tls.connect({ host, port, servername: net.isIP(host) ? '' : host,
		    ca: o.ca }, hello) :
		    net.connect({ host, port }, hello);
		this.tcp.setNoDelay(true);
		this.tcp.on('data', d => this.take(d));
		this.tcp.on('error', e => this.emit('error', e));
		this.tcp.on('end', () => this.tcp.end());
		this.tcp.on('close', () => this.over());
		this.guard = setTimeout(() => this.fail('no answer'), o.ms ?? 5000);
	}

	get open()
	{
		return this.state === 'open';
	}

	take(d)
	{
		this.rest = this.rest.length ? Buffer.concat([this.rest, d]) : d;
		try {
			if (this.state === 'opening' && !this.answer())
				return;
			const { list, rest } = framesOf(this.rest);
			this.rest = rest;
			for (const f of list)
				if (this.state !== 'closed')
					this.frame(f);
		} catch (e) {
			this.fail(e.message);
		}
	}

	/* false: not all of it is there */
	answer()
	{
		const end = this.rest.indexOf('\r\n\r\n');
		if (end < 0) {
			if (this.rest.length > HEAD_MAX)
				throw new Error('no HTTP');
			return false;
		}
		const head = this.rest.toString('latin1', 0, end);
		if (!/^HTTP\/1\.1 101 /.test(head))
			throw new Error(head.split('\r\n')[0].slice(0, 80));
		const accept = /^sec-websocket-accept: *(\S+) *$/im.exec(head);
		if (accept?.[1] !== this.expect)
			throw new Error('a wrong Sec-WebSocket-Accept');
		this.rest = this.rest.subarray(end + 4);
		this.state = 'open';
		clearTimeout(this.guard);
		this.emit('open');
		return true;
	}

	frame(f)
	{
		if (f.rsv || f.masked || f.op > 7 && !f.fin)
			throw new Error('a frame against the rules');
		switch (f.op) {
		case OP.ping:
			this.tcp.write(frameOf(OP.pong, f.data));
			return;
		case OP.pong:
			this.emit('pong', f.data);
			return;
		case OP.close:
			if (f.data.length >= 2) {
				this.code = f.data.readUInt16BE(0);
				this.reason = f.data.toString('utf8', 2);
			} else {
				this.code = 1005;
			}
			if (this.state === 'open')
				this.tcp.end(frameOf(OP.close, f.data.subarray(0, 2)));
			this.state = 'closed';
			return;
		case OP.text:
		case OP.more:
			if ((f.op === OP.more) !== this.parts.length > 0)
				throw new Error('a fragment out of place');
			if (!f.fin) {
				this.parts.push(f.data);
				return;
			}
			if (this.parts.length) {
				f.data = Buffer.concat([...this.parts, f.data]);
				this.parts = [];
			}
			this.emit('message', f.data.toString());
			return;
		default:
			throw new Error(`a frame of kind ${f.op}`);
		}
	}

	send(text)
	{
		if (this.open)
			this.tcp.write(frameOf(OP.text, Buffer.from(text)));
	}

	/* in good order; the server ends the connection, or we do after 1 s */
	close(code = 1000)
	{
		if (!this.open) {
			this.terminate();
			return;
		}
		const b = Buffer.alloc(2);
		b.writeUInt16BE(code);
		this.state = 'closing';
		this.tcp.write(frameOf(OP.close, b));
		this.guard = setTimeout(() => this.terminate(), 1000);
	}

	terminate()
	{
		this.tcp.destroy();
	}

	fail(why)
	{
		if (this.state === 'closed')
			return;
		this.state = 'closed';
		this.emit('error', new Error(why));
		this.tcp.destroy();
	}

	over()
	{
		clearTimeout(this.guard);
		this.state = 'closed';
		this.emit('close', this.code, this.reason);
	}

	pause()
	{
		this.tcp.pause();
	}

	resume()
	{
		this.tcp.resume();
	}
}
