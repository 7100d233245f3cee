/* SPDX-License-Identifier: MIT */
/*
 * The people of a fault run.  Each keeps its place in every conversation, sends
 * again what was not acked, comes back by itself, goes where it is told to move
 * (the new socket first, then the old one ends), and writes down all it does
 * and sees; judge.mjs reads that.  Version 1 people have no places and no acks.
 */
import { Deeds, bodyOf } from './deeds.mjs';
import { Line } from './line.mjs';

const now = () => performance.now();

export const pairOf = (a, b) => a < b ? `p:${a}:${b}` : `p:${b}:${a}`;

const SILENT_MS = 4000;	/* unanswered sends and no word: the wire is dead */
const UNACKED = 24;
const AGAIN_MS = 2000;	/* the longest pause before a refused one goes out */
const PAGES = 150;	/* of history that may be asked for at once */

export class Person {
	/*
	 * world: {rec, urls(), serial(), acked(u), refused(f)} and, where wanted,
	 * token(person), origin(url), v1Ms, out(ms, person).
	 * o: {c, uid, v, rooms, friends, rng, batch} and, where he is to do more
	 * than talk, deeds: {rng, titles}.
	 */
	constructor(world, o)
	{
		Object.assign(this, o);
		this.w = world;
		this.deeds = o.deeds ? new Deeds(this, o.deeds) : null;
		this.name = `N-${this.uid}`;
		this.pos = new Map();	/* rid or '@' -> [ep, seq] */
		this.unacked = new Map();	/* cid -> {frame, conv, since ...} */
		this.acks = new Map();	/* cid -> function */
		this.blocked = new Set();	/* rooms not joined yet */
		this.line = null;
		this.next = null;	/* the socket he moves to */
		this.over = false;
		this.tries = 0;
		this.fails = 0;
		this.heard = 0;
		this.outSince = null;
		this.rate = null;	/* as the server says */
		this.msgMax = 1000;
		this.credit = 0;
		this.creditAt = this.saidAt = -Infinity;
		this.write({ k: 'who', c: this.c, uid: this.uid, v: this.v,
		    name: this.name });
	}

	write(r)
	{
		r.t = now();
		this.w.rec(r);
	}

	get ready()
	{
		return this.line !== null && this.line.in && this.line.ws.open;
	}

	/* --- coming and going ---------------------------------------------------- */

	connect()
	{
		clearTimeout(this.retry);
		if (this.over || this.line)
			return;
		const urls = this.w.urls();
		if (!urls.length) {
			this.again(500);
			return;
		}
		this.line = new Line(this, urls[(this.c + this.tries++) %
		    urls.length], null);
	}

	again(ms)
	{
		clearTimeout(this.retry);
		this.retry = setTimeout(() => this.connect(), ms);
	}

	/* a line has ended; wait: as the server wishes, in ms, or null */
	lost(line, wait)
	{
		if (line === this.next) {
			this.next = null;
			return;
		}
		if (line !== this.line)
			return;
		/* the one he was moving to is now his only one */
		this.line = this.next;
		this.next = null;
		this.fails = line.in ? 0 : this.fails + 1;
		if (line.in && !this.away)
			this.outSince = now();
		if (this.over || this.away || this.line)
			return;
		this.again(10 + this.rng.next() * Math.min(500, 40 << this.fails) +
		    Math.min(wait ?? 0, 3000));
	}

	/* frame `move`, its time has come */
	move(line, f)
	{
		if (line !== this.line || !this.ready || this.next || this.over)
			return;
		this.next = new Line(this, f.url ?? line.url, f.key ?? null);
	}

	/* the answer to a login has come */
	loggedIn(line, f)
	{
		if (line === this.next) {
			const old = this.line;
			this.line = line;
			this.next = null;
			this.write({ k: 'moved', s: line.s, old: old.s });
			old.end();
		}
		if (this.outSince !== null)
			this.w.out?.(now() - this.outSince, this);
		this.outSince = null;
		this.rate = f.limit?.rate ?? this.rate;
		this.msgMax = f.limit?.msg ?? this.msgMax;
		const missing = this.rooms.filter(r => this.v === 2 ?
		    !f.pos?.[r] : r !== this.rooms[0]);
		this.blocked = new Set(this.v === 2 ? missing : []);
		for (const rid of missing)
			line.enter(rid);
		this.heard = now();
		for (const u of this.unacked.values())
			if (!this.blocked.has(u.frame.rid))
				this.put(u);
	}

	entered(rid)
	{
		this.blocked.delete(rid);
		for (const u of this.unacked.values())
			if (u.frame.rid === rid)
				this.put(u);
	}

	vanish()
	{
		this.next?.drop();
		this.line?.drop();
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
		this.connect();
	}

	stop(code)
	{
		this.over = true;
		clearTimeout(this.retry);
		for (const l of [this.next, this.line])
			if (code)
				l?.end(code);
			else
				l?.drop();
	}

	/* looks at the wire as a page does; call it now and then */
	check()
	{
		if (!this.ready || this.slow)
			return;
		const t = now();
		for (const u of this.unacked.values())
			if (t - u.at > SILENT_MS && t - this.heard > SILENT_MS) {
				this.vanish();
				return;
			}
	}

	/* reads nothing until told otherwise */
	slowly(on)
	{
		this.slow = on;
		if (on)
			this.line?.ws.pause();
		else
			this.line?.ws.resume();
		this.heard = now();
	}

	/* --- talking --------------------------------------------------------------- */

	put(u)
	{
		u.at = now();
		u.tries++;
		this.line.send(u.frame);
	}

	/* A new message to a room or a friend; resolves when it is acked. */
	say(to, pad = 0)
	{
		const cid = this.w.serial(this);
		const room = this.msgMax - cid.length - 1;
		const body = cid + (pad && room > 0 ?
		    ` ${'.'.repeat(Math.min(pad, room))}` : '');
		const frame = { cmd: 'message', type: 'text', msg: body };
		if (to.uid)
			frame.tid = to.uid;
		if (this.v === 2)
			return this.submit(frame, to, cid);
		this.sent(frame, this.convOf(to), cid);
		frame.rid = to.rid ?? this.rooms[0];
		if (this.ready)
			this.line.send(frame);
		return Promise.resolve();
	}

	sent(frame, conv, cid)
	{
		const r = { k: 'send', s: this.line?.s ?? null, c: this.c,
		    uid: this.uid, v: this.v, cid, conv, body: bodyOf(frame) };
		if (frame.cmd !== 'message') {
			r.cmd = frame.cmd;
			r.ref = frame.ref;
		}
		this.write(r);
		this.saidAt = now();
		this.credit--;
	}

	convOf(to)
	{
		return to.uid ? pairOf(this.uid, to.uid) : to.rid;
	}

	/* A new change, of whatever kind; resolves when it is acked. */
	submit(frame, to, cid = this.w.serial(this))
	{
		const conv = this.convOf(to);
		if (to.uid)
			frame.tid = to.uid;
		else
			frame.rid = to.rid;
		frame.cid = cid;
		this.sent(frame, conv, cid);
		const u = { frame, conv, tries: 0, at: now(), since: now() };
		this.unacked.set(cid, u);
		if (this.ready && !this.blocked.has(frame.rid))
			this.put(u);
		return new Promise(r => this.acks.set(cid, r));
	}

	/* within what the server has allowed, and a tenth below */
	get mayTalk()
	{
		if (!this.ready || this.unacked.size >= UNACKED || this.slow)
			return false;
		if (this.v === 1)
			return now() - this.saidAt >= (this.w.v1Ms ?? 0);
		if (!this.rate)
			return true;
		const t = now();
		this.credit = Math.min(this.credit + (t - this.creditAt) *
		    this.rate[0] * 0.9 / 1000, this.rate[1] / 2);
		this.creditAt = t;
		return this.credit >= 1;
	}

	someone()
	{
		return this.friends.length && this.rng.chance(0.25) ?
		    { uid: this.rng.pick(this.friends) } :
		    { rid: this.rng.pick(this.rooms) };
	}

	acked(line, f)
	{
		const u = this.unacked.get(f.cid);
		if (!u)
			return;
		const ep = this.pos.get(u.frame.tid ? '@' : u.conv)?.[0];
		this.unacked.delete(f.cid);
		this.write({ k: 'ack', s: line.s, uid: this.uid, cid: f.cid,
		    conv: u.conv, seq: f.seq, dup: f.dup, kept: f.kept, ep });
		if (u.again)
			return;
		this.w.acked(u);
		this.deeds?.acked(u, ep, f.seq);
		this.acks.get(f.cid)?.();
		this.acks.delete(f.cid);
		/* as one does who has lost the answer */
		if (this.deeds?.again() && this.mayTalk) {
			this.unacked.set(f.cid, u);
			u.again = true;
			u.since = now();
			this.credit--;
			this.put(u);
		}
	}

	refused(line, f)
	{
		const u = this.unacked.get(f.cid);
		if (!u)
			return;
		const final = f.retry === undefined && f.errCode !== 503;
		this.write({ k: 'err', s: line.s, cid: f.cid, code: f.errCode,
		    msg: f.errMsg, final });
		this.w.refused(f);
		if (final) {
			this.unacked.delete(f.cid);
			return;
		}
		setTimeout(() => {
			if (this.ready && this.unacked.has(f.cid) &&
			    !this.blocked.has(u.frame.rid))
				this.put(u);
		}, f.errCode === 429 ? Math.min(f.retry ?? 200, AGAIN_MS) :
		    Math.min(f.retry ?? 200, 400));
	}

	/* All of a conversation's log, oldest first. */
	async history(to)
	{
		const list = [];
		let before;
		for (let n = 0; ; n++) {
			const cid = `h${this.w.serial(this)}`;
			const f = { cmd: 'getHistory', limit: 200, cid,
			    ...(to.uid ? { tid: to.uid } : { rid: to.rid }) };
			if (before)
				f.before = before;
			/* the server bounds the frames of a second */
			if (n > PAGES)
				await new Promise(r => setTimeout(r, 30));
			if (!this.line)
				throw new Error('out while reading the history');
			const a = await this.line.ask(f, 10000);
			if (a.cmd === 'error')
				throw new Error(`history: ${a.errCode} ${a.errMsg}`);
			list.unshift(...a.list);
			if (!a.more || !a.list.length)
				return { ep: a.ep, first: a.first, last: a.last, list };
			before = a.list[0].seq;
		}
	}
}
