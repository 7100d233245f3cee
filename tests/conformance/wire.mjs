/* SPDX-License-Identifier: MIT */
/*
 * WebSocket frames as bytes: an encoder that can also say what is forbidden,
 * and a decoder that accepts nothing of the kind.  It has no socket and no
 * opinion on cases; peer.mjs feeds it, the case files use frame().
 */
import { createHash, randomBytes } from 'node:crypto';

export const CONT = 0, TEXT = 1, BIN = 2, CLOSE = 8, PING = 9, PONG = 10;

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/* Codes that may travel in a Close frame (RFC 6455 7.4 and the registry). */
export function
closeCodeOk(code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
	    (code >= 3000 && code <= 4999);
}

export function
acceptKey(key)
{
	return createHash('sha1').update(key + GUID).digest('base64');
}

/*
 * One frame.  o.fin, o.rsv (0-7), o.mask (true, false or four bytes),
 * o.form (7, 16 or 64: bits of the length field, shortest by default) and
 * o.declare (BigInt: a length that is not the payload's).
 */
export function
frame(opcode, payload = '', o = {})
{
	const body = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
	const len = o.declare ?? BigInt(body.length);
	const form = o.form ?? (len < 126n ? 7 : len < 65536n ? 16 : 64);
	const mask = o.mask === false ? null :
	    Buffer.isBuffer(o.mask) ? o.mask : randomBytes(4);
	const head = Buffer.alloc(form === 7 ? 2 : form === 16 ? 4 : 10);
	head[0] = (o.fin === false ? 0 : 0x80) | (o.rsv ?? 0) << 4 | opcode;
	head[1] = (mask ? 0x80 : 0) |
	    (form === 7 ? Number(len) : form === 16 ? 126 : 127);
	if (form === 16)
		head.writeUInt16BE(Number(len), 2);
	else if (form === 64)
		head.writeBigUInt64BE(len, 2);
	if (!mask)
		return Buffer.concat([head, body]);
	const masked = Buffer.allocUnsafe(body.length);
	for (let i = 0; i < body.length; i++)
		masked[i] = body[i] ^ mask[i & 3];
	return Buffer.concat([head, mask, masked]);
}

export function
closeFrame(code, reason = '', o = {})
{
	const r = Buffer.isBuffer(reason) ? reason : Buffer.from(reason);
	if (code === undefined)
		return frame(CLOSE, '', o);
	return frame(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 255]),
	    r]), o);
}

/* The text cut at the given offsets, as one frame each. */
export function
fragments(opcode, payload, cuts)
{
	const body = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
	const at = [0, ...cuts, body.length];
	const out = [];
	for (let i = 0; i + 1 < at.length; i++)
		out.push(frame(i ? CONT : opcode, body.subarray(at[i], at[i + 1]),
		    { fin: i + 2 === at.length }));
	return out;
}

/* Offsets that cut len bytes into pieces of n. */
export function
every(len, n, from = 0)
{
	const cuts = [];
	for (let i = from + n; i < len; i += n)
		cuts.push(i);
	return cuts;
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/* The string, or null where the bytes are not UTF-8. */
export function
utf8(bytes)
{
	try {
		return strict.decode(bytes);
	} catch {
		return null;
	}
}

/*
 * Decodes what a server sends and is a judge of it: push() returns events
 * {type: 'text'|'binary'|'ping'|'pong'|'close', ...} and throws an Error
 * naming the first rule the server broke.
 */
export class FrameReader {
	constructor()
	{
		this.buf = Buffer.alloc(0);
		this.parts = null;
		this.kind = 0;
		this.closed = false;
	}

	push(bytes)
	{
		const out = [];
		this.buf = this.buf.length ? Buffer.concat([this.buf, bytes]) : bytes;
		for (;;) {
			const ev = this.one();
			if (!ev)
				return out;
			if (ev !== true)
				out.push(ev);
		}
	}

	one()
	{
		const b = this.buf;
		if (b.length < 2)
			return null;
		if (this.closed)
			throw new Error('bytes after the Close frame');
		const fin = b[0] >> 7, rsv = b[0] >> 4 & 7, op = b[0] & 15;
		let len = b[1] & 127, at = 2;
		if (rsv)
			throw new Error(`reserved bits ${rsv} set`);
		if (b[1] & 128)
			throw new Error('a masked frame from the server');
		if (![CONT, TEXT, BIN, CLOSE, PING, PONG].includes(op))
			throw new Error(`reserved opcode ${op}`);
		if (op > 7 && (!fin || len > 125))
			throw new Error('a control frame too long or in fragments');
		if (len === 126) {
			if (b.length < 4)
				return null;
			len = b.readUInt16BE(2), at = 4;
			if (len < 126)
				throw new Error('length not in its shortest form');
		} else if (len === 127) {
			if (b.length < 10)
				return null;
			const big = b.readBigUInt64BE(2);
			if (big < 65536n || big > 1n << 40n)
				throw new Error('length not in its shortest form');
			len = Number(big), at = 10;
		}
		if (op === CONT && !this.parts)
			throw new Error('a continuation of nothing');
		if ((op === TEXT || op === BIN) && this.parts)
			throw new Error('a new message inside a fragmented one');
		if (b.length < at + len)
			return null;
		const body = b.subarray(at, at + len);
		this.buf = b.subarray(at + len);
		if (op === PING)
			return { type: 'ping', payload: body };
		if (op === PONG)
			return { type: 'pong', payload: body };
		if (op === CLOSE)
			return this.close(body);
		if (op !== CONT) {
			this.parts = [];
			this.kind = op;
		}
		this.parts.push(body);
		if (!fin)
			return true;
		const whole = Buffer.concat(this.parts);
		this.parts = null;
		if (this.kind === BIN)
			return { type: 'binary', payload: whole };
		const text = utf8(whole);
		if (text === null)
			throw new Error('a text that is not UTF-8');
		return { type: 'text', text };
	}

	close(body)
	{
		this.closed = true;
		if (!body.length)
			return { type: 'close', code: 1005, reason: '' };
		if (body.length === 1)
			throw new Error('a Close frame of one byte');
		const code = body.readUInt16BE(0), reason = utf8(body.subarray(2));
		if (!closeCodeOk(code))
			throw new Error(`a Close frame with code ${code}`);
		if (reason === null)
			throw new Error('a Close reason that is not UTF-8');
		return { type: 'close', code, reason };
	}
}
