/* SPDX-License-Identifier: MIT */
/*
 * One socket of a person, from its login to its end: the session `s` of the
 * records.  A person has one of them, or two while he moves.
 */
import { CHANGES, itemOf } from './deeds.mjs';
import { Socket } from './socket.mjs';

const now = () => performance.now();

const LOGIN_MS = 6000;	/* for an answer, then another server is tried */
const JOIN_MS = 200;

let sessions = 0;

const pairOf = (a, b) => a < b ? `p:${a}:${b}` : `p:${b}:${a}`;

export class Line {
	/* from: the key of a `move`, or null */
	constructor(person, url, from)
	{
		this.p = person;
		this.url = url;
		this.from = from;
		this.s = null;
		this.in = false;	/* logged in */
		this.gone = false;	/* what still comes is not ours */
		this.had = new Map();	/* the positions it came with */
		this.joins = new Map();	/* cid -> rid */
		this.asks = new Map();	/* cid -> function */
		const ws = this.ws = new Socket(url, { ms: 3000,
		    origin: person.w.origin?.(url) });
		this.guard = setTimeout(() => this.drop(), LOGIN_MS);
		ws.on('open', () => this.login());
		ws.on('message', text => {
			const f = JSON.parse(text);
			for (const x of Array.isArray(f) ? f : [f])
				this.frame(x);
		});
		ws.on('error', () => {});
		ws.on('close', (code, reason) => this.closed(code, reason));
	}

	write(r)
	{
		r.s = this.s;
		this.p.write(r);
	}

	send(f)
	{
		this.ws.send(JSON.stringify(f));
	}

	/* the socket is left as it is */
	drop()
	{
		if (!this.gone) {
			this.closed(0, '');
			this.ws.terminate();
		}
	}

	/* in good order */
	end(code = 1000)
	{
		if (!this.gone) {
			this.closed(0, '');
			this.ws.close(code);
		}
	}

	closed(code, reason)
	{
		if (this.gone)
			return;
		this.gone = true;
		clearTimeout(this.guard);
		clearTimeout(this.moving);
		for (const f of this.asks.values())
			f({ cmd: 'error', errCode: 0, errMsg: 'the line has ended' });
		if (this.s !== null)
			this.write({ k: 'shut', code });
		const wait = /\bretry=(\d+)/.exec(reason);
		this.p.lost(this, wait ? Number(wait[1]) : null);
	}

	login()
	{
		const { p } = this;
		if (this.gone)
			return;
		this.s = ++sessions;
		this.write({ k: 'open', c: p.c, uid: p.uid, v: p.v });
		const f = { cmd: 'login', uid: p.uid, name: p.name,
		    rid: p.rooms[0] };
		const token = p.w.token?.(p);
		if (token)
			f.token = token;
		if (p.v === 2) {
			f.v = 2;
			f.cid = `l${this.s}`;
			f.dev = `d${p.c}`;
			if (p.batch)
				f.caps = ['batch'];
			for (const [conv, at] of p.pos)
				this.had.set(conv, [...at]);
			if (this.had.size)
				f.pos = Object.fromEntries(this.had);
			if (this.from)
				f.from = this.from;
		}
		this.send(f);
	}

	/* where we stand now, as the answer says */
	place(conv, a)
	{
		const { pos } = this.p, had = this.had.get(conv) ?? null;
		const r = { k: 'in', conv, had, ep: a.ep, seq: a.seq,
		    from: a.from ?? null, n: a.n, full: a.full };
		if (a.title !== undefined)
			r.title = a.title;
		this.write(r);
		if (!had)
			pos.set(conv, [a.ep, a.seq]);
		else if (had[0] !== a.ep)
			pos.set(conv, [a.ep, a.full ? a.seq :
			    (a.n ? a.from - 1 : a.seq)]);
		else if (!a.full)
			pos.set(conv, [a.ep, a.from - 1]);
	}

	enter(rid)
	{
		const { p } = this;
		if (p.v === 1) {
			const f = { cmd: 'login', uid: p.uid, name: p.name, rid };
			const token = p.w.token?.(p);
			if (token)
				f.token = token;
			this.send(f);
			return;
		}
		const cid = `j${this.s}-${rid}`;
		this.joins.set(cid, rid);
		const f = { cmd: 'join', rid, cid };
		const had = p.pos.get(rid);
		if (had) {
			this.had.set(rid, [...had]);
			f.pos = had;
		}
		this.send(f);
	}

	frame(f)
	{
		if (this.gone || this.s === null)
			return;
		this.p.heard = now();
		switch (f.cmd) {
		case 'login':
			this.loggedIn(f);
			break;
		case 'message':
		case 'edit':
		case 'recall':
		case 'react':
		case 'title':
			this.item(f);
			break;
		case 'gap':
			this.gap(f);
			break;
		case 'newUser':
		case 'offline':
			this.write({ k: f.cmd === 'offline' ? 'went' : 'came',
			    rid: `${f.rid}`, uid: f.uid });
			break;
		case 'ok':
			this.ok(f);
			break;
		case 'error':
			this.error(f);
			break;
		case 'getHistory':
			this.answered(f);
			break;
		case 'move':
			this.write({ k: 'move', why: f.why, in: f.in });
			clearTimeout(this.moving);
			this.moving = setTimeout(() => this.p.move(this, f),
			    Math.min(f.in ?? 0, 600000));
			break;
		case 'ping':
			this.send({ cmd: 'pong' });
			break;
		}
	}

	loggedIn(f)
	{
		const { p } = this;
		if (this.in) {
			if (p.v === 1)
				this.write({ k: 'in', conv: `${f.rid}` });
			return;
		}
		if (p.v === 2)
			for (const [conv, a] of Object.entries(f.pos ?? {}))
				this.place(conv, a);
		else
			this.write({ k: 'in', conv: p.rooms[0] });
		clearTimeout(this.guard);
		this.in = true;
		p.loggedIn(this, f);
	}

	item(f)
	{
		const { p } = this;
		if (p.v === 1 && CHANGES.includes(f.cmd)) {
			this.write({ k: 'odd', cmd: f.cmd });
			return;
		}
		const pair = f.tid !== undefined && f.tid !== '';
		const conv = !pair ? `${f.rid}` : p.v === 2 ?
		    pairOf(p.uid, f.tid) : 'p:';
		const r = { k: 'recv', conv, from: f.uid, name: f.name,
		    ...itemOf(f) };
		if (p.v === 2) {
			r.seq = f.seq;
			if (pair)
				r.useq = f.useq;
			if (f.cid !== undefined)
				r.cid = f.cid;
			const at = p.pos.get(pair ? '@' : conv);
			if (at) {
				at[1] = Math.max(at[1], pair ? f.useq : f.seq);
				p.deeds?.saw(conv, pair ? { uid: f.tid } :
				    { rid: conv }, f, at[0]);
			}
		}
		this.write(r);
	}

	gap(f)
	{
		const conv = f.tid === '@' ? '@' : `${f.rid}`;
		this.write({ k: 'gap', conv, ep: f.ep, from: f.from, to: f.to,
		    why: f.why });
		this.p.pos.set(conv, [f.ep, f.to]);
	}

	ok(f)
	{
		const rid = this.joins.get(f.cid);
		if (rid === undefined) {
			this.p.acked(this, f);
			return;
		}
		this.joins.delete(f.cid);
		this.place(rid, f.pos?.[rid] ?? f.pos);
		this.p.entered(rid);
	}

	error(f)
	{
		const { p } = this;
		if (this.answered(f))
			return;
		if (!this.in && (p.v === 1 || f.cid === `l${this.s}`)) {
			p.w.refused(f);
			this.drop();
			return;
		}
		const rid = this.joins.get(f.cid);
		if (rid !== undefined) {
			this.joins.delete(f.cid);
			setTimeout(() => this.gone || this.enter(rid), JOIN_MS);
			return;
		}
		p.refused(this, f);
	}

	answered(f)
	{
		const done = this.asks.get(f.cid);
		done?.(f);
		return done !== undefined;
	}

	/*
	 * A question with a cid; resolves to its answer, also to an error.  saw()
	 * is called with it before anything that comes behind it is looked at.
	 */
	ask(f, ms, saw)
	{
		return new Promise((resolve, reject) => {
			const end = () => {
				clearTimeout(timer);
				this.asks.delete(f.cid);
			};
			const timer = setTimeout(() => {
				end();
				reject(new Error(`no answer to ${f.cmd}`));
			}, ms);
			this.asks.set(f.cid, a => {
				end();
				saw?.(a);
				resolve(a);
			});
			this.send(f);
		});
	}
}
