/* SPDX-License-Identifier: MIT */
/* Frames and messages of the reference server, decoded by a code of its own. */
import { closeCodeOk } from '../wire.mjs';
import { HttpConn } from './http.mjs';

const LOGGED_IN = 65536, BEFORE = 4096, FRAGMENTS = 64;

class Utf8 {
	constructor() { this.need = 0; this.lo = 0x80; this.hi = 0xbf; }

	/* False at the first octet that cannot be. */
	take(buf, lax)
	{
		for (const b of buf) {
			if (this.need) {
				if (b < this.lo || b > this.hi)
					return false;
				this.lo = 0x80, this.hi = 0xbf, this.need--;
			} else if (b < 0x80)
				continue;
			else if (b >= 0xc2 && b <= 0xdf)
				this.need = 1;
			else if (b >= 0xe0 && b <= 0xef) {
				this.need = 2;
				if (b === 0xe0)
					this.lo = 0xa0;
				if (b === 0xed && !lax)
					this.hi = 0x9f;
			} else if (b >= 0xf0 && b <= 0xf4) {
				this.need = 3;
				if (b === 0xf0)
					this.lo = 0x90;
				if (b === 0xf4)
					this.hi = 0x8f;
			} else
				return false;
		}
		return true;
	}
}

export class FrameConn extends HttpConn {
	resetMessage()
	{
		this.op = 0;
		this.parts = [];
		this.size = 0;
		this.count = 0;
		this.utf8 = new Utf8();
	}

	limit()
	{
		const n = this.w.max ?? (this.w.mode === 'echo' ? 1 << 24 :
		    this.me || this.bug('prelogin-limit') ? LOGGED_IN : BEFORE);
		return this.bug('limit-off-by-one') ? n + 1 : n;
	}

	frames(b)
	{
		this.fresh = b.length;
		this.buf = this.buf.length ? Buffer.concat([this.buf, b]) : b;
		while (this.state === 'ws' && this.step())
			;
		if (this.state === 'closing' && this.bug('text-after-close') &&
		    this.buf.length) {
			this.state = 'ws';
			while (this.step())
				;
			this.state = 'closing';
		}
	}

	step()
	{
		const b = this.buf;
		if (!this.f) {
			if (b.length < 2)
				return false;
			const f = { fin: b[0] >> 7, rsv: b[0] >> 4 & 7, op: b[0] & 15,
			    masked: b[1] >> 7, len: b[1] & 127, at: 0 };
			let need = 2 + (f.len === 126 ? 2 : f.len === 127 ? 8 : 0);
			const why = this.badHead(f);
			if (why)
				return this.fail(why);
			if (b.length < need + (f.masked ? 4 : 0))
				return false;
			if (f.len === 126) {
				f.len = b.readUInt16BE(2);
				if (f.len < 126 && !this.bug('long-form'))
					return this.fail(1002);
			} else if (f.len === 127) {
				const n = b.readBigUInt64BE(2);
				if ((n < 65536n && !this.bug('long-form')) || n >> 63n)
					return this.fail(1002);
				if (n > 1n << 40n)
					return this.fail(1009);
				f.len = Number(n);
			}
			if (f.masked) {
				f.mask = b.subarray(need, need + 4);
				need += 4;
			}
			if (f.op < 8) {
				if (f.op)
					this.op = f.op;
				const sum = this.bug('limit-per-frame') ? 0 : this.size;
				if (f.len + sum > this.limit())
					return this.fail(1009);
				if (f.len || !this.bug('empty-fragments-free'))
					this.count++;
				if (this.count > FRAGMENTS && this.w.mode === 'chat' &&
				    !this.bug('fragments-uncounted'))
					return this.fail(1008);
				if (this.op === 2 && this.w.mode === 'chat' &&
				    !this.bug('binary-taken'))
					return this.fail(1003);
				if (this.bug('utf8-per-fragment'))
					this.utf8 = new Utf8();
			}
			this.f = f;
			f.body = [];
			this.buf = b.subarray(need);
			return true;
		}
		const f = this.f, take = Math.min(this.buf.length, f.len - f.at);
		if (!take && f.at < f.len)
			return false;
		const piece = Buffer.from(this.buf.subarray(0, take));
		const shift = this.bug('mask-restarts') ? 0 : f.at;
		if (f.mask)
			for (let i = 0; i < take; i++)
				piece[i] ^= f.mask[i + shift & 3];
		this.buf = this.buf.subarray(take);
		f.at += take;
		f.body.push(piece);
		const text = f.op < 8 && this.op === 1;
		if (text && !this.bug('utf8-none') && !this.bug('utf8-late') &&
		    !this.utf8.take(piece, this.bug('utf8-surrogates')))
			return this.fail(1007);
		if (f.op === 8 && this.bug('close-reason-per-chunk') && f.at > 2 &&
		    !new Utf8().take(piece.subarray(2)))
			return this.fail(1007);
		if (f.at < f.len)
			return this.buf.length > 0;
		this.f = null;
		this.whole(f, Buffer.concat(f.body));
		return this.state === 'ws';
	}

	badHead(f)
	{
		if (f.rsv && !(f.rsv === 4 && this.bug('rsv1')))
			return 1002;
		if (!f.masked && !this.bug('mask-not-required'))
			return 1002;
		if (![0, 1, 2, 8, 9, 10].includes(f.op) &&
		    !this.bug('opcode-ignored'))
			return 1002;
		if (f.op > 7 && f.len > 125 && !this.bug('control-long'))
			return 1002;
		if (f.op > 7 && !f.fin && !this.bug('control-fragmented'))
			return 1002;
		if (f.op === 0 && !this.op && !this.bug('stray-continuation'))
			return 1002;
		if ((f.op === 1 || f.op === 2) && this.op &&
		    !this.bug('nested-message'))
			return 1002;
		return 0;
	}

	whole(f, body)
	{
		if (f.op === 9) {
			if (this.bug('pong-last-only') && this.buf.length > 1 &&
			    (this.buf[0] & 15) === 9)
				return;
			this.out(10, this.bug('pong-cut') ? body.subarray(0, 64) : body);
		} else if (f.op === 10) {
			if (this.bug('pong-for-pong'))
				this.out(10, body);
		} else if (f.op === 8) {
			this.peerClose(body);
		} else if (f.op < 3) {
			if (f.op === 0 && !this.op)
				return;
			this.parts.push(body);
			this.size += body.length;
			if (!f.fin)
				return;
			const text = this.op === 1, all = Buffer.concat(this.parts);
			const u = this.utf8;
			this.resetMessage();
			if (text && this.bug('utf8-late') && (!u.take(all) || u.need))
				return this.fail(1007);
			if (text && u.need && !this.bug('utf8-none'))
				return this.fail(1007);
			if (text && this.bug('noncharacters-refused') &&
			    /[\ufffe\uffff]/.test(all.toString()))
				return this.fail(1007);
			this.message(text, all);
		}
	}

	peerClose(body)
	{
		let code = 1000;
		if (body.length === 1 && !this.bug('close-one-byte'))
			return this.fail(1002);
		if (body.length > 1) {
			code = body.readUInt16BE(0);
			if (!closeCodeOk(code)) {
				if (!(code === 1005 && this.bug('close-1005')))
					return this.fail(1002);
				code = 1000;
			}
			const u = new Utf8();
			if (!this.bug('close-reason-unchecked') &&
			    !this.bug('close-reason-per-chunk') &&
			    (!u.take(body.subarray(2)) || u.need))
				return this.fail(1007);
		}
		if (this.bug('pong-after-close') && this.buf.length)
			this.out(10, Buffer.from('late'));
		if (this.bug('close-not-echoed')) {
			this.state = 'closing';
			this.sock.end();
			return;
		}
		this.fail(code);
	}

	fail(code, reason = '')
	{
		const r = Buffer.from(reason);
		this.state = 'closing';
		this.hangUp(this.raw(8, Buffer.concat([Buffer.from([code >> 8,
		    code & 255]), r])));
		return false;
	}

	raw(op, body)
	{
		const n = body.length;
		const head = n < 126 ? Buffer.from([0x80 | op, n]) : n < 65536 ?
		    Buffer.from([0x80 | op, 126, n >> 8, n & 255]) :
		    Buffer.concat([Buffer.from([0x80 | op, 127]),
		    (() => { const x = Buffer.alloc(8);
			x.writeBigUInt64BE(BigInt(n)); return x; })()]);
		return Buffer.concat([head, body]);
	}

	out(op, body)
	{
		/* A reader that does not read gets nothing more. */
		if (this.sock.writable && this.sock.writableLength < 1 << 18)
			this.sock.write(this.raw(op, body));
	}
}
