/* SPDX-License-Identifier: MIT */
/*
 * CChat's public behaviour as it was recorded (the five documented messages,
 * its texts, its order of checks, and its oddities), with a directory of
 * static files beside it.  The page is tried against it, and the replayer is
 * tested on it.  o.fault plants one deviation.
 */
import http from 'node:http';
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer } from 'ws';

const types = { '.html': 'text/html; charset=utf-8', '.css': 'text/css',
    '.js': 'text/javascript', '.svg': 'image/svg+xml',
    '.webmanifest': 'application/manifest+json' };

const errors = { name: '缺少姓名参数', badName: '姓名不合法',
    rid: '缺少聊天室参数', badRid: '聊天室参数不正确', type: '不支持的消息类型',
    msg: '缺少消息内容', long: '消息内容过长', tid: '私信用户不正确',
    fast: '您发送消息的频率过快，请稍后再试', lost: '您已丢失登录信息' };

const empty = x => x === undefined || x === null || x === '' || x === '0' ||
    x === 0 || x === false;
const natural = x => (typeof x === 'number' && Number.isInteger(x) && x > 0) ||
    (typeof x === 'string' && /^ *[1-9]\d* *$/.test(x));

export class V1Server {
	static listen(o = {})
	{
		const s = new V1Server(o);
		return new Promise(r => s.http.listen(0, '127.0.0.1', () => {
			s.port = s.http.address().port;
			s.url = `ws://127.0.0.1:${s.port}/`;
			s.page = `http://127.0.0.1:${s.port}/`;
			r(s);
		}));
	}

	constructor(o)
	{
		this.o = o;
		this.frames = [];	/* all that clients sent */
		this.rooms = new Map();	/* rid -> Map uid -> socket */
		this.http = http.createServer((q, a) => this.file(q, a));
		this.wss = new WebSocketServer({ server: this.http,
		    perMessageDeflate: false });
		this.wss.on('connection', ws => {
			ws.on('error', () => {});
			ws.rids = new Map();
			ws.on('message', d => this.frame(ws, d.toString()));
			ws.on('close', () => this.left(ws));
		});
	}

	async file(q, a)
	{
		try {
			const path = normalize(new URL(q.url, 'http://x').pathname);
			const name = path === '/' ? '/index.html' : path;
			const body = await readFile(join(this.o.www, name));
			a.writeHead(200, { 'content-type': types[extname(name)] ??
			    'application/octet-stream', ...this.o.headers });
			a.end(body);
		} catch {
			a.writeHead(404);
			a.end();
		}
	}

	left(ws)
	{
		for (const [rid, uid] of ws.rids)
			this.rooms.get(rid)?.delete(uid);
	}

	send(ws, o)
	{
		const f = this.o.fault === 'extra key' ? { ...o, v: 1 } : o;
		ws.send(JSON.stringify(f));
	}

	error(ws, code, text)
	{
		this.send(ws, { cmd: 'error', errCode: code, errMsg: text });
	}

	frame(ws, s)
	{
		let o = null;
		this.frames.push(s);
		try {
			o = JSON.parse(s);
		} catch { /* 101 below */ }
		if (!o || typeof o !== 'object' || typeof o.cmd !== 'string' || !o.cmd)
			return this.error(ws, 101, '无效的命令[1]');
		if (o.cmd === 'login')
			this.login(ws, o);
		else if (o.cmd === 'message')
			this.message(ws, o);
		else
			this.error(ws, 102, '无效的命令[2]');
	}

	badRid(ws, rid)
	{
		if (rid === undefined || rid === null)
			this.error(ws, 50, errors.rid);
		else if (!natural(rid))
			this.error(ws, 50, errors.badRid);
		else
			return false;
		return true;
	}

	login(ws, o)
	{
		if (empty(o.name))
			return this.error(ws, 50, errors.name);
		const bytes = Buffer.byteLength(String(o.name));
		if (bytes < 2 || bytes > 16)
			return this.error(ws, 50, errors.badName);
		if (this.badRid(ws, o.rid))
			return;
		const name = String(o.name).replace(/<[^>]*>/g, '');
		const uid = empty(o.uid) ? String(randomInt(1000000, 10000000)) :
		    String(o.uid);
		const rid = String(o.rid).trim();
		ws.me ??= { uid, name };
		if (!this.rooms.has(rid))
			this.rooms.set(rid, new Map());
		this.rooms.get(rid).set(uid, ws);
		ws.rids.set(rid, uid);
		this.send(ws, { cmd: 'login', name, uid, rid: o.rid });
		for (const other of this.rooms.get(rid).values())
			if (other !== ws)
				this.send(other, { cmd: 'newUser', name, uid,
				    rid: o.rid });
	}

	message(ws, o)
	{
		if (!['text', 'audio', 'pic'].includes(o.type))
			return this.error(ws, 50, errors.type);
		if (o.msg === undefined || o.msg === null)
			return this.error(ws, 50, errors.msg);
		if (Buffer.byteLength(String(o.msg)) > 1024)
			return this.error(ws, 50, errors.long);
		if (!empty(o.tid) && !natural(o.tid))
			return this.error(ws, 50, errors.tid);
		if (this.badRid(ws, o.rid))
			return;
		const now = Math.floor(Date.now() / 1000);
		if ((ws.last ?? 0) > now - (this.o.interval ?? 2) &&
		    this.o.fault !== 'no rate limit')
			return this.error(ws, 50, errors.fast);
		ws.last = now;
		if (!ws.me?.name)
			return this.error(ws, 50, errors.lost);
		const rid = String(o.rid).trim();
		const doc = { cmd: 'message', type: o.type, uid: ws.me.uid,
		    name: ws.me.name, msg: o.msg, rid };
		if (o.tid !== undefined && o.tid !== null)
			doc.tid = String(o.tid);
		const room = this.rooms.get(rid) ?? new Map();
		if (!empty(o.tid)) {
			const to = room.get(String(o.tid).trim());
			if (to)
				this.send(to, doc);
			return;
		}
		for (const other of room.values())
			if (other !== ws || this.o.fault === 'echo')
				this.send(other, doc);
	}

	close()
	{
		this.http.close();
		for (const c of this.wss.clients)
			c.terminate();
		this.wss.close();
	}
}
