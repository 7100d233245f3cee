/* SPDX-License-Identifier: MIT */
/* The HTTP front of the reference server: one request, strictly, to a 101. */
import { createHash } from 'node:crypto';

const CSP = "default-src 'none'";

/* `frames` and `leaveAll` come with the classes that extend it. */
export class HttpConn {
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
}
