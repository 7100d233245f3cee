/* SPDX-License-Identifier: MIT */
/*
 * The people of a fault run.  Each keeps its place in every conversation, sends
 * again what was not acked, comes back by itself, and writes down all it does
 * and sees; judge.mjs reads that.  Version 1 people have no places and no acks.
 */
import { WebSocket } from 'ws';

const now = () => performance.now();

export const pairOf = (a, b) => a < b ? `p:${a}:${b}` : `p:${b}:${a}`;

const LOGIN_MS = 6000;	/* for an answer, then another server is tried */
const SILENT_MS = 4000;	/* unanswered sends and no word: the wire is dead */
const UNACKED = 24;

let sessions = 0;

export class Person {
	/*
	 * world: {rec, urls(), serial()}.  o: {c, uid, v, rooms, friends, rng,
	 * batch}.
	 */
	constructor(world, o)
	{
		Object.assign(this, o);
		this.w = world;
		this.name = `N-${this.uid}`;
		this.pos = new Map();	/* rid or '@' -> [ep, seq] */
		this.unacked = new Map();	/* cid -> {frame, tries} */
		this.acks = new Map();	/* cid -> function */
		this.s = null;
		this.in = false;
		this.over = false;
		this.tries = 0;
		this.fails = 0;
		this.heard = 0;
		write(this, { k: 'who', c: this.c, uid: this.uid, v: this.v,
		    name: this.name });
	}

	get ready()
	{
		return this.in && this.ws.readyState === 1;
	}

	connect()
	{
		clearTimeout(this.retry);
		if (this.over)
			return;
		const urls = this.w.urls();
		const url = urls[(this.c + this.tries++) % urls.length];
		const ws = this.ws = new WebSocket(url, { perMessageDeflate: false,
		    handshakeTimeout: 3000 });
		this.url = url;
		this.in = false;
		this.s = null;
		this.joins = new Map();
		this.guard = setTimeout(() => this.abandon(ws), LOGIN_MS);
		ws.on('open', () => this.login(ws));
		ws.on('message', d => {
			const f = JSON.parse(d);
			for (const x of Array.isArray(f) ? f : [f])
				this.frame(ws, x);
		});
		ws.on('error', () => {});
		ws.on('close', () => this.closed(ws));
	}

	/* the socket is left as it is; what still comes from it is not ours */
	abandon(ws = this.ws)
	{
		if (ws !== this.ws)
			return;
		this.closed(ws);
		ws.terminate();
	}

	closed(ws)
	{
		if (ws !== this.ws)
			return;
		clearTimeout(this.guard);
		this.ws = null;
		if (this.s !== null)
			write(this, { k: 'shut', s: this.s });
		this.s = null;
		this.fails = this.in ? 0 : this.fails + 1;
		this.in = false;
		if (this.over || this.away)
			return;
		const ms = 10 + this.rng.next() * Math.min(500, 40 << this.fails);
		this.retry = setTimeout(() => this.connect(), ms);
	}

	login(ws)
	{
		if (ws !== this.ws)
			return;
		this.s = ++sessions;
		write(this, { k: 'open', s: this.s, c: this.c, uid: this.uid,
		    v: this.v });
		const f = { cmd: 'login', uid: this.uid, name: this.name,
		    rid: this.rooms[0] };
		if (this.v === 2) {
			f.v = 2;
			f.cid = `l${this.s}`;
			f.dev = `d${this.c}`;
			if (this.batch)
				f.caps = ['batch'];
			if (this.pos.size)
				f.pos = Object.fromEntries(this.pos);
		}
		ws.send(JSON.stringify(f));
	}

	/* where we stand now, as the answer says */
	place(conv, p)
	{
		const had = this.pos.get(conv);
		write(this, { k: 'in', s: this.s, conv, had: had ? [...had] : null, ep: p.ep,
		    seq: p.seq, from: p.from ?? null, n: p.n, full: p.full });
		if (!had)
			this.pos.set(conv, [p.ep, p.seq]);
		else if (had[0] !== p.ep)
			this.pos.set(conv, [p.ep, p.full ? p.seq :
			    (p.n ? p.from - 1 : p.seq)]);
		else if (!p.full)
			this.pos.set(conv, [p.ep, p.from - 1]);
	}

	loggedIn(f)
	{
		if (this.v === 2)
			for (const [conv, p] of Object.entries(f.pos ?? {}))
				this.place(conv, p);
		else
			write(this, { k: 'in', s: this.s, conv: this.rooms[0] });
		const missing = this.rooms.filter(r => this.v === 2 ?
		    !f.pos?.[r] : r !== this.rooms[0]);
		for (const rid of missing)
			if (this.v === 2)
				this.join(rid);
			else
				this.ws.send(JSON.stringify({ cmd: 'login',
				    uid: this.uid, name: this.name, rid }));
		clearTimeout(this.guard);
		this.in = true;
		this.heard = now();
		this.blocked = new Set(missing);
		this.resend();
	}

	join(rid)
	{
		const cid = `j${this.s}-${rid}`;
		this.joins.set(cid, rid);
		const f = { cmd: 'join', rid, cid };
		const had = this.pos.get(rid);
		if (had)
			f.pos = had;
		this.ws.send(JSON.stringify(f));
	}

	resend()
	{
		for (const u of this.unacked.values())
			if (!this.blocked.has(u.frame.rid))
				this.put(u);
	}

	put(u)
	{
		u.at = now();
		u.tries++;
		this.ws.send(JSON.stringify(u.frame));
	}

	frame(ws, f)
	{
		if (ws !== this.ws || this.s === null)
			return;
		this.heard = now();
		switch (f.cmd) {
		case 'login':
			if (!this.in)
				this.loggedIn(f);
			else if (this.v === 1)
				write(this, { k: 'in', s: this.s, conv: f.rid + '' });
			break;
		case 'message':
			this.message(f);
			break;
		case 'gap':
			this.gap(f);
			break;
		case 'newUser':
		case 'offline':
			write(this, { k: f.cmd === 'offline' ? 'went' : 'came',
			    s: this.s, rid: `${f.rid}`, uid: f.uid });
			break;
		case 'ok':
			this.ok(f);
			break;
		case 'error':
			this.error(ws, f);
			break;
		case 'ping':
			ws.send('{"cmd":"pong"}');
			break;
		}
	}

	message(f)
	{
		const pair = f.tid !== undefined && f.tid !== '';
		const conv = !pair ? `${f.rid}` : this.v === 2 ?
		    pairOf(this.uid, f.tid) : 'p:';
		const r = { k: 'recv', s: this.s, conv, from: f.uid, name: f.name,
		    body: f.msg };
		if (this.v === 2) {
			r.seq = f.seq;
			if (pair)
				r.useq = f.useq;
			if (f.cid !== undefined)
				r.cid = f.cid;
			const p = this.pos.get(pair ? '@' : conv);
			if (p)
				p[1] = pair ? f.useq : f.seq;
		}
		write(this, r);
	}

	gap(f)
	{
		const conv = f.tid === '@' ? '@' : `${f.rid}`;
		write(this, { k: 'gap', s: this.s, conv, ep: f.ep, from: f.from,
		    to: f.to, why: f.why });
		this.pos.set(conv, [f.ep, f.to]);
	}

	ok(f)
	{
		const rid = this.joins.get(f.cid);
		if (rid !== undefined) {
			this.joins.delete(f.cid);
			const p = f.pos?.[rid] ?? f.pos;
			this.place(rid, p);
			this.blocked.delete(rid);
			for (const u of this.unacked.values())
				if (u.frame.rid === rid)
					this.put(u);
			return;
		}
		const u = this.unacked.get(f.cid);
		if (!u)
			return;
		this.unacked.delete(f.cid);
		write(this, { k: 'ack', s: this.s, uid: this.uid, cid: f.cid,
		    conv: u.conv, seq: f.seq, dup: f.dup,
		    ep: this.pos.get(u.frame.tid ? '@' : u.conv)?.[0] });
		this.w.acked(u);
		this.acks.get(f.cid)?.();
		this.acks.delete(f.cid);
	}

	error(ws, f)
	{
		const rid = this.joins.get(f.cid);
		if (!this.in && this.v === 2 && f.cid === `l${this.s}` ||
		    !this.in && this.v === 1) {
			this.w.refused(f);
			this.abandon(ws);
			return;
		}
		if (rid !== undefined) {
			setTimeout(() => ws === this.ws && this.join(rid), 200);
			return;
		}
		const u = this.unacked.get(f.cid);
		if (!u)
			return;
		const final = f.retry === undefined && f.errCode !== 503;
		write(this, { k: 'err', s: this.s, cid: f.cid, code: f.errCode,
		    msg: f.errMsg, final });
		this.w.refused(f);
		if (final) {
			this.unacked.delete(f.cid);
			return;
		}
		setTimeout(() => {
			if (this.ready && this.unacked.has(f.cid))
				this.put(u);
		}, Math.min(f.retry ?? 200, 400));
	}

	/* A new message to a room or a friend; resolves when it is acked. */
	say(to, pad = 0)
	{
		const cid = this.w.serial(this);
		const body = cid + (pad ? ` ${'.'.repeat(pad)}` : '');
		const frame = { cmd: 'message', type: 'text', msg: body };
		if (to.uid)
			frame.tid = to.uid;
		else
			frame.rid = to.rid;
		const conv = to.uid ? pairOf(this.uid, to.uid) : to.rid;
		write(this, { k: 'send', s: this.s, c: this.c, uid: this.uid,
		    v: this.v, cid, conv, body });
		if (this.v === 1) {
			frame.rid = to.rid ?? this.rooms[0];
			if (this.ready)
				this.ws.send(JSON.stringify(frame));
			return Promise.resolve();
		}
		frame.cid = cid;
		const u = { frame, conv, tries: 0, at: now(), since: now() };
		this.unacked.set(cid, u);
		if (this.ready && !this.blocked.has(frame.rid))
			this.put(u);
		return new Promise(r => this.acks.set(cid, r));
	}

	get mayTalk()
	{
		return this.ready && this.unacked.size < UNACKED && !this.slow;
	}

	someone()
	{
		return this.friends.length && this.rng.chance(0.25) ?
		    { uid: this.rng.pick(this.friends) } :
		    { rid: this.rng.pick(this.rooms) };
	}

	/* looks at the wire as a page does; call it now and then */
	check()
	{
		if (!this.ready || this.slow)
			return;
		const t = now();
		for (const u of this.unacked.values())
			if (t - u.at > SILENT_MS && t - this.heard > SILENT_MS) {
				this.abandon();
				return;
			}
	}

	/* reads nothing until told otherwise */
	slowly(on)
	{
		this.slow = on;
		if (this.ws?._socket)
			on ? this.ws._socket.pause() : this.ws._socket.resume();
		this.heard = now();
	}

	vanish()
	{
		if (this.ws)
			this.abandon();
	}

	leave()
	{
		this.away = true;
		for (const u of this.unacked.values())
			u.left = true;
		this.vanish();
		clearTimeout(this.retry);
	}

	comeBack()
	{
		this.away = false;
		if (!this.ws)
			this.connect();
	}

	stop()
	{
		this.over = true;
		clearTimeout(this.retry);
		clearTimeout(this.guard);
		this.ws?.terminate();
	}

	/* All of a conversation's log, oldest first; null when it went wrong. */
	async history(to)
	{
		const list = [];
		let before, ep;
		for (;;) {
			const cid = `h${this.w.serial(this)}`;
			const f = { cmd: 'getHistory', limit: 200, cid,
			    ...(to.uid ? { tid: to.uid } : { rid: to.rid }) };
			if (before)
				f.before = before;
			const a = await new Promise((resolve, reject) => {
				const ws = this.ws;
				const timer = setTimeout(() => reject(new Error(
				    'no history')), 10000);
				const on = d => {
					for (const x of [JSON.parse(d)].flat()) {
						if (x.cid !== cid)
							continue;
						clearTimeout(timer);
						ws.off('message', on);
						resolve(x);
					}
				};
				ws.on('message', on);
				ws.send(JSON.stringify(f));
			});
			if (a.cmd === 'error')
				throw new Error(`history: ${a.errCode} ${a.errMsg}`);
			ep = a.ep;
			list.unshift(...a.list);
			if (!a.more || !a.list.length)
				return { ep, list };
			before = a.list[0].seq;
		}
	}
}

function
write(p, r)
{
	r.t = now();
	p.w.rec(r);
}
