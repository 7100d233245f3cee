/* SPDX-License-Identifier: MIT */
/*
 * The client protocol (version 2 and 1) in one process and in memory, with
 * the page beside it: what the process and browser tests are themselves tried
 * on (CCHAT_MOCK=1), without a daemon.  Several Mock servers share a World.
 */
import http from 'node:http';
import { randomBytes, randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer } from 'ws';

export const CSP = "default-src 'none'; script-src 'self'; " +
    "style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; " +
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; " +
    "worker-src 'self'; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'none'; require-trusted-types-for 'script'; " +
    "trusted-types 'none'";

const types = { '.html': 'text/html; charset=utf-8', '.css': 'text/css',
    '.js': 'text/javascript', '.svg': 'image/svg+xml',
    '.webmanifest': 'application/manifest+json' };

const idOk = x => typeof x === 'string' && /^[A-Za-z0-9_-]{1,32}$/.test(x);
const idOf = x => Number.isSafeInteger(x) && x >= 0 ? String(x) : x;

export class World {
	constructor()
	{
		this.ep = randomBytes(4).toString('hex');
		this.channels = new Map();	/* name -> [items] */
		this.acks = new Map();	/* channel uid cid -> ok */
		this.sessions = new Set();
		this.tokens = new Map();	/* token -> uid */
		this.leaving = new Map();	/* uid rid -> timer */
		this.grace = 300;
	}

	channel(name)
	{
		if (!this.channels.has(name))
			this.channels.set(name, []);
		return this.channels.get(name);
	}

	inRoom(rid)
	{
		return [...this.sessions].filter(s => s.rooms.has(rid));
	}

	of(uid)
	{
		return [...this.sessions].filter(s => s.uid === uid);
	}
}

class Session {
	constructor(server, ws)
	{
		this.server = server;
		this.w = server.world;
		this.ws = ws;
		this.rooms = new Set();
		this.v = 1;
		ws.on('error', () => {});
		ws.on('message', (d, binary) => binary ? ws.close(1003) :
		    this.frame(d.toString()));
		ws.on('close', () => this.gone());
	}

	send(o)
	{
		this.ws.send(JSON.stringify(o));
	}

	error(code, text, cid, more)
	{
		this.send({ cmd: 'error', errCode: code, errMsg: text,
		    ...(cid !== undefined && this.v === 2 ? { cid } : {}), ...more });
	}

	gone(now)
	{
		if (!this.w.sessions.delete(this))
			return;
		for (const rid of this.rooms)
			this.offline(rid, now);
	}

	offline(rid, now)
	{
		const { w, uid, name } = this;
		const still = () => w.inRoom(rid).some(s => s.uid === uid);
		const say = () => {
			w.leaving.delete(`${uid} ${rid}`);
			if (!still())
				for (const s of w.inRoom(rid))
					if (s.v === 2)
						s.send({ cmd: 'offline', uid, name, rid });
		};
		if (now)
			return say();
		clearTimeout(w.leaving.get(`${uid} ${rid}`));
		w.leaving.set(`${uid} ${rid}`, setTimeout(say, w.grace).unref());
	}

	frame(text)
	{
		let o;
		try {
			o = JSON.parse(text);
		} catch { /* 101 below */ }
		if (!o || typeof o.cmd !== 'string' || !o.cmd)
			return this.error(101, '无效的命令[1]');
		const f = `on_${o.cmd}`;
		if (!['login', 'message', 'ping', 'bye', 'join', 'leave',
		    'getHistory', 'getOnline', 'mark'].includes(o.cmd) ||
		    (this.v === 1 && this.uid && !['login', 'message']
		    .includes(o.cmd)))
			return this.error(102, '无效的命令[2]', o.cid);
		this[f](o);
	}

	/* The pos entry of a stream, and the items that follow it. */
	resume(channel, pos, key)
	{
		const all = this.w.channel(channel), seq = all.length;
		const p = { ep: this.w.ep, seq, n: 0, full: true };
		if (!pos || pos[0] !== this.w.ep)
			return { p, items: [] };
		const items = all.slice(pos[1]);
		p.n = items.length;
		if (items.length)
			p.from = pos[1] + 1;
		return { p, items, key };
	}

	on_login(o)
	{
		const v2 = o.v === 2;
		const name = String(o.name ?? '').replace(
		    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e]/g, '');
		const rid = idOf(o.rid);
		if (v2)
			this.v = 2;
		if (!name || [...name].length > 32)
			return this.error(v2 ? 400 : 50, '姓名不合法', o.cid);
		if (!idOk(rid))
			return this.error(v2 ? 400 : 50, '聊天室参数不正确', o.cid);
		let uid = o.token ? this.w.tokens.get(o.token) : idOf(o.uid);
		if (o.token && !uid)
			return this.error(401, 'token', o.cid);
		let token;
		if (!uid && v2) {
			uid = String(1e15 + randomInt(2 ** 47));
			token = `${randomBytes(12).toString('hex')}.a.b`;
			this.w.tokens.set(token, uid);
		}
		uid ||= String(randomInt(1000000, 10000000));
		this.uid ??= uid;
		this.name ??= name;
		this.w.sessions.add(this);
		const fresh = this.enter(rid);
		const room = this.resume(`r:${rid}`, o.pos?.[rid]);
		const priv = this.resume(`u:${this.uid}`, o.pos?.['@']);
		this.send({ cmd: 'login', uid: this.uid, name, rid: o.rid, ...(v2 ? {
		    v: 2, cid: o.cid, sid: 's-1', srv: this.server.name,
		    now: Date.now(), ping: 25, retry: { base: 500, max: 20000 },
		    limit: { msg: 4096, rate: [100000, 100000], rooms: 128 },
		    pos: { [rid]: room.p, '@': priv.p }, ...(token ? { token } : {}),
		} : {}) });
		if (v2) {
			for (const it of [...priv.items, ...room.items])
				this.item(it);
			this.send({ cmd: 'synced', cid: o.cid });
		}
		if (fresh)
			this.announce(rid, o.rid);
	}

	enter(rid)
	{
		const { w } = this;
		const late = w.leaving.get(`${this.uid} ${rid}`);
		clearTimeout(late);
		w.leaving.delete(`${this.uid} ${rid}`);
		const known = late || w.inRoom(rid).some(s => s.uid === this.uid);
		this.rooms.add(rid);
		return !known;
	}

	announce(rid, echo)
	{
		for (const s of this.w.inRoom(rid))
			if (s.uid !== this.uid)
				s.send({ cmd: 'newUser', uid: this.uid,
				    name: this.name, rid: s.v === 1 ? echo : rid });
	}

	on_join(o)
	{
		const rid = idOf(o.rid);
		if (!idOk(rid))
			return this.error(400, 'rid', o.cid);
		const fresh = this.enter(rid);
		const r = this.resume(`r:${rid}`, o.pos?.[rid]);
		this.send({ cmd: 'ok', cid: o.cid, rid, pos: { [rid]: r.p } });
		for (const it of r.items)
			this.item(it);
		this.send({ cmd: 'synced', cid: o.cid });
		if (fresh)
			this.announce(rid, rid);
	}

	on_leave(o)
	{
		const rid = idOf(o.rid);
		this.rooms.delete(rid);
		this.send({ cmd: 'ok', cid: o.cid, rid });
		this.offline(rid, true);
	}

	on_message(o)
	{
		const bad = this.v === 2 ? 400 : 50;
		if (!['text', 'audio', 'pic', ...(this.v === 2 ? ['file'] : [])]
		    .includes(o.type))
			return this.error(bad, '不支持的消息类型', o.cid);
		if (typeof o.msg !== 'string')
			return this.error(bad, '缺少消息内容', o.cid);
		if (Buffer.byteLength(o.msg) > (this.v === 2 ? 4096 : 1024))
			return this.error(this.v === 2 ? 413 : 50, '消息内容过长', o.cid);
		if (!this.uid)
			return this.error(50, '您已丢失登录信息', o.cid);
		const tid = idOf(o.tid) || null, rid = o.rid === undefined ? undefined :
		    idOf(o.rid);
		if (!tid && !this.rooms.has(rid))
			return this.error(this.v === 2 ? 403 : 50, '您不在该聊天室', o.cid);
		const pair = tid && [this.uid, tid].sort();
		const channel = tid ? `p:${pair.join(':')}` : `r:${rid}`;
		const key = `${channel} ${this.uid} ${o.cid}`;
		const before = o.cid && this.w.acks.get(key);
		if (before)
			return this.send({ ...before, dup: true });
		const log = this.w.channel(channel), seq = log.length + 1;
		const it = { uid: this.uid, name: this.name, type: o.type,
		    msg: o.msg, seq, mid: `${channel}/${seq}`, ts: Date.now(),
		    cid: o.cid, ...(tid ? { tid, rid } : { rid }),
		    ...(o.at ? { at: o.at } : {}), from: this };
		log.push(it);
		if (o.cid) {
			const ok = { cmd: 'ok', cid: o.cid, ...(tid ? { tid } : { rid }),
			    seq, mid: it.mid, ts: it.ts };
			this.w.acks.set(key, ok);
			if (this.v === 2)
				this.send(ok);
		}
		if (!tid) {
			for (const s of this.w.inRoom(rid))
				s.item(it);
			return;
		}
		for (const uid of new Set(pair)) {
			const box = this.w.channel(`u:${uid}`);
			box.push({ ...it, useq: box.length + 1 });
			for (const s of this.w.of(uid))
				s.item(box.at(-1));
		}
	}

	item(it)
	{
		const { from, cid, at, ...f } = it;
		if (this.v === 1) {
			if (from === this || (it.tid && it.uid === this.uid))
				return;
			const { seq, mid, ts, useq, ...old } = f;
			return this.send({ cmd: 'message', ...old });
		}
		this.send({ cmd: 'message', ...f, ...(at ? { at } : {}),
		    ...(it.uid === this.uid && cid ? { cid } : {}) });
	}

	on_getHistory(o)
	{
		const channel = o.tid ? `p:${[this.uid, idOf(o.tid)].sort()
		    .join(':')}` : `r:${idOf(o.rid)}`;
		const all = this.w.channels.get(channel) ?? [];
		const n = Math.min(o.limit ?? 50, 200);
		let a, b;
		if (o.after !== undefined)
			a = o.after, b = Math.min(all.length, a + n);
		else {
			b = o.around ? Math.min(all.length, o.around + (n >> 1)) :
			    Math.min(all.length, (o.before ?? Infinity) - 1);
			a = Math.max(0, b - n);
		}
		const list = all.slice(a, b).map(({ from, cid, ...it }) =>
		    ({ cmd: 'message', ...it,
		    ...(it.uid === this.uid && cid ? { cid } : {}) }));
		this.send({ cmd: 'getHistory', cid: o.cid,
		    ...(o.tid ? { tid: o.tid } : { rid: o.rid }), ep: this.w.ep,
		    first: all.length ? 1 : 0, last: all.length, list,
		    more: o.after !== undefined ? b < all.length : a > 0 });
	}

	on_getOnline(o)
	{
		const by = new Map();
		for (const s of this.w.inRoom(idOf(o.rid)))
			by.set(s.uid, { uid: s.uid, name: s.name, st: 'on',
			    dev: (by.get(s.uid)?.dev ?? 0) + 1 });
		const all = [...by.values()].sort((x, y) => x.uid < y.uid ? -1 : 1)
		    .filter(u => !o.next || u.uid > o.next);
		const users = all.slice(0, o.limit ?? 100);
		this.send({ cmd: 'getOnline', cid: o.cid, rid: idOf(o.rid),
		    count: by.size, users, ...(users.length < all.length ?
		    { next: users.at(-1).uid } : {}) });
	}

	on_mark(o)
	{
		if (o.cid)
			this.send({ cmd: 'ok', cid: o.cid });
		for (const uid of [this.uid, idOf(o.tid)])
			for (const s of this.w.of(uid))
				s.send({ cmd: 'mark', uid: this.uid, read: o.read,
				    ...(o.tid ? { tid: uid === this.uid ? o.tid :
				    this.uid } : { rid: o.rid }) });
	}

	on_ping(o)
	{
		this.send({ cmd: 'pong', t: o.t });
	}

	on_bye()
	{
		this.gone(true);
		this.ws.close(1000);
	}
}

export class Mock {
	static listen(o = {})
	{
		const m = new Mock(o);
		return new Promise(r => m.http.listen(o.port ?? 0, '127.0.0.1', () => {
			m.port = m.http.address().port;
			m.ports = { public: m.port, direct: m.port };
			m.ws = `ws://127.0.0.1:${m.port}/ws`;
			m.page = `http://127.0.0.1:${m.port}/`;
			r(m);
		}));
	}

	constructor(o)
	{
		this.o = o;
		this.name = o.name ?? 'ms1';
		this.world = o.world ?? new World();
		this.http = http.createServer((q, a) => this.file(q, a));
		this.wss = new WebSocketServer({ server: this.http,
		    perMessageDeflate: false });
		this.wss.on('connection', ws => new Session(this, ws));
	}

	async file(q, a)
	{
		try {
			const path = normalize(new URL(q.url, 'http://x').pathname);
			const name = path === '/' ? '/index.html' : path;
			const body = await readFile(join(this.o.www, name));
			a.writeHead(200, { 'content-type': types[extname(name)] ??
			    'application/octet-stream',
			    'content-security-policy': CSP });
			a.end(body);
		} catch {
			a.writeHead(404, { 'content-security-policy': CSP });
			a.end();
		}
	}

	get running() { return this.http.listening; }
	get rss() { return 0; }
	mib(n) { return n; }

	stop()
	{
		this.http.close();
		this.http.closeAllConnections?.();
		for (const c of this.wss.clients)
			c.terminate();
		this.wss.close();
	}
}

/* As Cluster.start() of cluster.mjs gives it, as far as clients can tell. */
export async function
mockCluster(o, www)
{
	const world = new World(), msgs = [];
	for (let i = 0; i < (o.msgs ?? 2); i++)
		msgs.push(await Mock.listen({ world, name: `ms${i + 1}`,
		    www: o.www ?? www }));
	return { msgs, proxies: [], world, mock: true,
	    async stop() { msgs.forEach(m => m.stop()); } };
}
