#!/usr/bin/env node
/* SPDX-License-Identifier: MIT */
/*
 * A strict server that passes every case, to test the tester: as an echo
 * server or as a small chat (login, message, leave; one process, nothing
 * stored).  `bug` plants one fault by name; bugs lists them.  It shares
 * nothing with the tester but the table of close codes.
 */
import net from 'node:net';
import { createHash, randomInt } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { closeCodeOk } from './wire.mjs';

/* Fault -> the group of cases that has to notice it. */
export const bugs = {
	'mask-not-required': '1.7', 'mask-restarts': '1.8', 'long-form': '1.6',
	'rsv1': '3', 'opcode-ignored': '4', 'control-long': '2',
	'control-fragmented': '5', 'pong-cut': '2', 'pong-last-only': '2',
	'pong-for-pong': '2', 'stray-continuation': '5', 'nested-message': '5',
	'fragments-uncounted': '5', 'empty-fragments-free': '5',
	'utf8-none': '6', 'utf8-late': '6', 'utf8-surrogates': '6',
	'utf8-per-fragment': '6', 'noncharacters-refused': '6',
	'close-one-byte': '7', 'close-1005': '7', 'close-reason-unchecked': '7',
	'close-reason-per-chunk': '7', 'close-not-echoed': '7',
	'close-no-fin': '7', 'close-rst': '7', 'pong-after-close': '7',
	'text-after-close': '7', 'limit-off-by-one': '9', 'limit-per-frame': '9',
	'prelogin-limit': '9', 'binary-taken': '1.2', 'early-frame-lost': 'H',
	'upgrade-substring': 'H', 'version-8': 'H', 'version-400': 'H',
	'key-unchecked': 'H', 'no-host': 'H', 'http10': 'H', 'double-blank': 'H',
	'bare-lf': 'H', 'folding': 'H', 'body-ignored': 'H', 'stays-open': 'H',
	'pipelined': 'H', 'head-endless': 'H', 'origin-prefix': 'H',
	'extension-taken': 'H', 'crash-non-object': 'J', 'duplicate-keys': 'J',
	'depth': 'J', 'lone-surrogate': 'J', 'foreign-room': 'J',
	'sender-spoof': 'J', 'private-leak': 'J', 'proxy-tap': 'J',
	'proxy-forge': 'J', 'debug-leak': 'J', 'nul-cuts': 'J',
	'keys-to-v1': 'J', 'uid-stolen': 'J', 'rid-unchecked': 'J',
	'name-unchecked': 'J', 'msg-limit': 'J', 'leave-deaf': 'J',
	'error-then-silence': 'J', 'prefix-command': 'J',
};

const CSP = "default-src 'none'";
const LOGGED_IN = 65536, BEFORE = 4096, FRAGMENTS = 64;

export function
listen({ mode = 'echo', bug = '', port = 0, max } = {})
{
	const rooms = new Map();	/* rid -> Set of Conn */
	const taps = new Set();
	const world = { mode, bug: name => bug === name, rooms, taps, max };
	const conns = new Set();
	const server = net.createServer({ allowHalfOpen: true }, sock => {
		const c = new Conn(world, sock);
		conns.add(c);
		sock.on('close', () => {
			conns.delete(c);
			c.leaveAll();
		});
	});
	return new Promise(resolve => server.listen(port, '127.0.0.1', () =>
	    resolve({
		port: server.address().port,
		url: `ws://127.0.0.1:${server.address().port}/ws`,
		close() {
			server.close();
			for (const c of conns)
				c.sock.destroy();
		},
	})));
}

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

class Conn {
	constructor(world, sock)
	{
		this.w = world;
		this.bug = world.bug;
		this.sock = sock;
		this.buf = Buffer.alloc(0);
		this.state = 'http';
		this.rooms = new Map();
		sock.setNoDelay(true);
		sock.on('error', () => sock.destroy());
		sock.on('end', () => sock.end());
		sock.on('data', b => this.data(b));
		this.timer = setTimeout(() => this.state === 'http' ?
		    this.respond(408, 'Request Timeout') : sock.destroy(), 5000);
	}

	data(b)
	{
		if (this.state === 'http')
			this.http(b);
		else if (this.state === 'ws')
			this.frames(b);
	}

	/* --- HTTP --- */

	respond(status, text, extra = '', body = '')
	{
		if (this.state === 'done')
			return;
		const head = `HTTP/1.1 ${status} ${text}\r\n${extra}` +
		    `Content-Length: ${this.bug('pipelined') ? 0 :
			Buffer.byteLength(body)}\r\n` +
		    'X-Content-Type-Options: nosniff\r\n' +
		    `Content-Security-Policy: ${CSP}\r\nConnection: close\r\n\r\n`;
		this.state = 'done';
		clearTimeout(this.timer);
		if (this.bug('stays-open'))
			this.sock.write(head + body);
		else
			this.hangUp(Buffer.from(head + body));
	}

	/* FIN, then read and drop for a while: a reset would eat the answer. */
	hangUp(last)
	{
		if (this.bug('close-rst') && this.upgraded) {
			this.sock.write(last, () => this.sock.resetAndDestroy());
			return;
		}
		if (this.bug('close-no-fin') && this.upgraded) {
			this.sock.write(last);
			return;
		}
		this.sock.end(last);
		setTimeout(() => this.sock.destroy(), 3000).unref();
	}

	http(b)
	{
		this.buf = Buffer.concat([this.buf, b]);
		const s = this.buf.toString('latin1');
		const end = s.indexOf('\r\n\r\n');
		const nl = s.indexOf('\n');
		if (!this.bug('head-endless')) {
			if ((nl < 0 ? s.length : nl) > 4096)
				return this.respond(431, 'Too Large');
			if ((end < 0 ? s.length : end) > 8192)
				return this.respond(431, 'Too Large');
		}
		const lax = this.bug('bare-lf');
		if (!lax && (/[^\r]\n|^\n/.test(s.slice(0, end < 0 ? s.length : end)) ||
		    /\r[^\n]/.test(s.slice(0, end < 0 ? s.length : end))))
			return this.respond(400, 'Bad Request');
		const stop = lax && end < 0 ? s.indexOf('\n\n') : end;
		if (stop < 0) {
			if (/^[^A-Z]/.test(s))
				this.respond(400, 'Bad Request');
			return;
		}
		const rest = this.buf.subarray(stop + (stop === end ? 4 : 2));
		this.buf = Buffer.alloc(0);
		this.request(s.slice(0, stop).split(lax ? /\r?\n/ : '\r\n'), rest);
	}

	request(lines, rest)
	{
		const bad = () => this.respond(400, 'Bad Request');
		const sp = this.bug('double-blank') ? ' +' : ' ';
		const m = new RegExp(`^([A-Z]+)${sp}([\\x21-\\x7e]+)${sp}HTTP/(\\d)\\.` +
		    '(\\d)$').exec(lines[0]);
		if (!m)
			return bad();
		const [, method, target, major, minor] = m;
		if (major !== '1' || minor !== '1') {
			if (!(this.bug('http10') && minor === '0'))
				return this.respond(505, 'Version');
		}
		const h = new Map();
		if (lines.length > 65)
			return this.respond(431, 'Too Many');
		for (const line of lines.slice(1)) {
			if (this.bug('folding') && /^[ \t]/.test(line))
				continue;
			const f = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/
			    .exec(line);
			if (!f)
				return bad();
			const name = f[1].toLowerCase();
			if (h.has(name) && ['host', 'content-length', 'upgrade',
			    'sec-websocket-key', 'sec-websocket-version', 'origin',
			    'transfer-encoding'].includes(name))
				return bad();
			h.set(name, h.has(name) ? `${h.get(name)}, ${f[2]}` : f[2]);
		}
		if (!/^[!-~]+$/.test(h.get('host') ?? '') && !this.bug('no-host'))
			return bad();
		const cl = h.get('content-length');
		if (!this.bug('body-ignored') && (h.has('transfer-encoding') ||
		    (cl !== undefined && !(method !== 'GET' && cl === '0'))))
			return bad();
		if (!h.has('upgrade'))
			return this.plain(method, target, rest);
		this.upgrade(method, target, h, rest);
	}

	plain(method, target, rest)
	{
		if (this.w.mode === 'chat' && target === '/ws')
			return this.respond(426, 'Upgrade Required');
		if (!['GET', 'HEAD'].includes(method))
			return this.respond(405, 'Method Not Allowed');
		if (target === '/healthz') {
			this.respond(200, 'OK', '', method === 'GET' ? 'ok\n' : '');
		} else
			this.respond(404, 'Not Found');
		void rest;
	}

	upgrade(method, target, h, rest)
	{
		const bad = () => this.respond(400, 'Bad Request');
		if (method !== 'GET')
			return this.respond(405, 'Method Not Allowed');
		const path = target.split('?')[0];
		if (!['/', '/ws'].includes(path))
			return this.respond(404, 'Not Found');
		const up = h.get('upgrade').toLowerCase();
		if (this.bug('upgrade-substring') ? !up.includes('websocket') :
		    !up.split(',').map(s => s.trim()).includes('websocket'))
			return bad();
		if (!(h.get('connection') ?? '').toLowerCase().split(',')
		    .map(s => s.trim()).includes('upgrade'))
			return bad();
		const key = h.get('sec-websocket-key') ?? '';
		if (!this.bug('key-unchecked') && (!/^[A-Za-z0-9+/]{22}==$/.test(key)))
			return bad();
		const version = h.get('sec-websocket-version') ?? '';
		if (version !== '13' && !(version === '8' && this.bug('version-8'))) {
			if (this.bug('version-400'))
				return bad();
			return this.respond(426, 'Upgrade Required',
			    'Sec-WebSocket-Version: 13\r\n',
			    this.bug('pipelined') && rest.length ?
			    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' : '');
		}
		const own = `http://${h.get('host')}`, origin = h.get('origin');
		if (origin !== undefined && (this.bug('origin-prefix') ?
		    !origin.startsWith(own) : origin !== own))
			return this.respond(403, 'Forbidden');
		const accept = createHash('sha1').update(key +
		    '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
		this.sock.write('HTTP/1.1 101 Switching Protocols\r\n' +
		    'Upgrade: websocket\r\nConnection: Upgrade\r\n' +
		    `Sec-WebSocket-Accept: ${accept}\r\n` +
		    (this.bug('extension-taken') && h.has('sec-websocket-extensions') ?
		    'Sec-WebSocket-Extensions: permessage-deflate\r\n' : '') +
		    '\r\n');
		clearTimeout(this.timer);
		this.state = 'ws';
		this.upgraded = true;
		this.resetMessage();
		this.total = 0;
		if (this.w.mode === 'chat')
			this.timer = setTimeout(() => this.me ||
			    this.fail(4103, 'login'), 10000);
		if (rest.length && !this.bug('early-frame-lost'))
			this.frames(rest);
	}

	/* --- frames --- */

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

	/* --- messages --- */

	message(text, body)
	{
		if (this.w.mode === 'echo')
			return this.out(text ? 1 : 2, body);
		this.chat(body.toString());
	}

	json(o)
	{
		this.out(1, Buffer.from(JSON.stringify(o)));
	}

	error(code, text, cid)
	{
		if (!this.bug('error-then-silence') || !this.mute)
			this.json({ cmd: 'error', errCode: code, errMsg: text,
			    ...(cid && this.v2 ? { cid } : {}) });
		this.mute = true;
	}

	chat(s)
	{
		let o;
		try {
			o = strictJson(s, this.bug);
		} catch {
			return this.error(101, '无效的命令[1]');
		}
		if (this.bug('crash-non-object') && o === null)
			setImmediate(() => { throw new Error('planted crash'); });
		if (o === null || typeof o !== 'object' || Array.isArray(o) ||
		    typeof o.cmd !== 'string' || !o.cmd)
			return this.error(101, '无效的命令[1]');
		const cmd = this.bug('prefix-command') &&
		    o.cmd.startsWith('message') ? 'message' : o.cmd;
		if (cmd === 'login')
			this.login(o);
		else if (cmd === 'message')
			this.say(o);
		else if (cmd === 'leave' && this.v2)
			this.leave(o);
		else if (cmd === 'proxySet' && this.bug('proxy-tap')) {
			this.w.taps.add(this);
			this.error(102, 'tap');
		} else if (cmd === 'proxyMsg' && this.bug('proxy-forge'))
			this.room(String(o.rid), { ...o, cmd: 'message' });
		else if (cmd === 'debug' && this.bug('debug-leak'))
			this.json({ cmd: 'debug', data1: [...this.w.rooms.keys()] });
		else
			this.error(102, '无效的命令[2]', o.cid);
	}

	room(rid, o, but)
	{
		for (const c of this.w.rooms.get(rid) ?? [])
			if (c !== but)
				c.json(o);
	}

	leaveAll()
	{
		clearTimeout(this.timer);
		this.w.taps.delete(this);
		for (const rid of this.rooms.keys()) {
			const r = this.w.rooms.get(rid);
			r?.delete(this);
			if (r && !r.size)
				this.w.rooms.delete(rid);
		}
	}

	login(o)
	{
		const v2 = o.v === 2, bad = v2 || this.v2 ? 400 : 50;
		const name = typeof o.name === 'string' ?
		    o.name.replace(/[\u0001-\u001f\u007f-\u009f\u202a-\u202e]/g, '')
			.trim() : '';
		if (!this.bug('name-unchecked') && (!name || name.includes('\0') ||
		    [...name].length > 32 || Buffer.byteLength(name) > 64))
			return this.error(bad, '姓名不合法', o.cid);
		const rid = id(o.rid);
		if (!rid && !this.bug('rid-unchecked'))
			return this.error(bad, '聊天室参数不正确', o.cid);
		if (o.cid !== undefined && !cidOk(o.cid))
			return this.error(bad, 'cid');
		let uid = o.uid === undefined || o.uid === '' || o.uid === null ?
		    null : id(o.uid);
		if (uid === null && o.uid !== undefined && o.uid !== '' &&
		    o.uid !== null)
			return this.error(bad, 'uid', o.cid);
		if (uid && /^\d{16}$/.test(uid) && !this.bug('uid-stolen'))
			return this.error(v2 ? 401 : 50, '该用户需要凭证', o.cid);
		if (!this.me) {
			uid ??= String(v2 ? 1e15 + randomInt(2 ** 47) :
			    randomInt(1000000, 10000000));
			this.me = { uid, name };
			this.v2 = v2;
		}
		if (rid) {
			this.rooms.set(rid, true);
			if (!this.w.rooms.has(rid))
				this.w.rooms.set(rid, new Set());
			this.w.rooms.get(rid).add(this);
		}
		this.json({ cmd: 'login', name, uid: this.me.uid, rid: o.rid,
		    ...(v2 ? { v: 2, cid: o.cid, sid: 's', pos: {},
			limit: { msg: 4096, rate: [100000, 100000] } } : {}) });
		this.room(rid, { cmd: 'newUser', name, uid: this.me.uid, rid: o.rid },
		    this);
	}

	say(o)
	{
		const bad = this.v2 ? 400 : 50;
		if (!['text', 'audio', 'pic'].includes(o.type))
			return this.error(bad, '不支持的消息类型', o.cid);
		if (typeof o.msg !== 'string')
			return this.error(bad, '缺少消息内容', o.cid);
		if (Buffer.byteLength(o.msg) > (this.v2 ? 4096 : 1024) &&
		    !this.bug('msg-limit'))
			return this.error(this.v2 ? 413 : 50, '消息内容过长', o.cid);
		const none = [undefined, null, ''].includes(o.tid);
		const tid = none ? null : id(o.tid), rid = id(o.rid);
		if (!none && !tid)
			return this.error(bad, '私信用户不正确', o.cid);
		if (!rid)
			return this.error(bad, '聊天室参数不正确', o.cid);
		if (o.cid !== undefined && !cidOk(o.cid))
			return this.error(bad, 'cid');
		if (!this.me)
			return this.error(50, '您已丢失登录信息', o.cid);
		if (!this.rooms.has(rid) && !this.bug('foreign-room'))
			return this.error(this.v2 ? 403 : 50, '您不在该聊天室', o.cid);
		const msg = this.bug('nul-cuts') ? o.msg.split('\0')[0] : o.msg;
		const doc = { cmd: 'message', type: o.type, uid: this.me.uid,
		    name: this.me.name, msg, rid,
		    ...(tid ? { tid } : {}) };
		if (this.bug('sender-spoof'))
			Object.assign(doc, { uid: o.uid ?? doc.uid,
			    name: o.name ?? doc.name });
		for (const t of this.w.taps)
			t.json(doc);
		for (const c of this.w.rooms.get(rid) ?? []) {
			if (tid && c !== this && c.me.uid !== tid &&
			    !this.bug('private-leak'))
				continue;
			if (c.v2 || this.bug('keys-to-v1'))
				c.json({ ...doc, seq: 1, mid: `r:${rid}/1`,
			    ts: Date.now() });
			else if (c !== this)
				c.json(doc);
		}
		if (o.cid && this.v2)
			this.json({ cmd: 'ok', cid: o.cid, rid, seq: 1 });
	}

	leave(o)
	{
		const rid = id(o.rid);
		this.rooms.delete(rid);
		if (!this.bug('leave-deaf'))
			this.w.rooms.get(rid)?.delete(this);
		this.json({ cmd: 'ok', cid: o.cid, rid });
	}
}

/* A uid or rid as a string, or null. */
function
id(x)
{
	if (typeof x === 'number')
		return Number.isSafeInteger(x) && x >= 0 ? String(x) : null;
	return typeof x === 'string' && /^[A-Za-z0-9_-]{1,32}$/.test(x) ? x : null;
}

const cidOk = x => typeof x === 'string' && /^[\x20-\x7e]{1,64}$/.test(x);

/* JSON.parse, and then no duplicate key, depth over 16 or lone surrogate. */
function
strictJson(s, bug)
{
	const stack = [];
	let key = null, depth = 0;
	for (const m of s.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs)) {
		const x = m[0];
		if (x === '{' || x === '[') {
			stack.push(x === '{' ? new Set() : null);
			if (++depth > 16 && !bug('depth'))
				throw new Error('too deep');
			if (depth > 5000)
				throw new Error('too deep');
		} else if (x === '}' || x === ']') {
			stack.pop();
			depth--;
		} else if (x[0] === '"')
			key = x;
		else if (x === ':') {
			const k = JSON.parse(key), seen = stack.at(-1);
			if (seen?.has(k) && !bug('duplicate-keys'))
				throw new Error('duplicate key');
			seen?.add(k);
		}
	}
	const o = JSON.parse(s);
	const walk = x => {
		if (typeof x === 'string' && !x.isWellFormed() &&
		    !bug('lone-surrogate'))
			throw new Error('lone surrogate');
		if (typeof x === 'number' && !Number.isFinite(x))
			throw new Error('too large');
		if (x && typeof x === 'object')
			for (const [k, v] of Object.entries(x)) {
				walk(k);
				walk(v);
			}
	};
	walk(o);
	return o;
}

if (process.argv[1] &&
    realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
	const [mode = 'echo', bug = '', port = '0'] = process.argv.slice(2);
	const s = await listen({ mode, bug, port: Number(port) });
	process.stderr.write(`listening on 127.0.0.1:${s.port} (public)\n`);
}
