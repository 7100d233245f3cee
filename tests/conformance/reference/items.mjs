/* SPDX-License-Identifier: MIT */
/*
 * What the reference server's small chat does beside talking: who types, who
 * has read, and what changes what was said.  One process, kept in memory for
 * as long as the room has people.
 */
import { FrameConn } from './frames.mjs';

const TYPING_MS = 3000;
const COMMANDS = new Map([['typing', 'typing'], ['mark', 'mark'],
    ['getMarks', 'getMarks'], ['getHistory', 'getHistory'], ['edit', 'change'],
    ['recall', 'change'], ['react', 'change'], ['title', 'change']]);

/* A uid or rid as a string, or null. */
export function
id(x)
{
	if (typeof x === 'number')
		return Number.isSafeInteger(x) && x >= 0 ? String(x) : null;
	return typeof x === 'string' && /^[A-Za-z0-9_-]{1,32}$/.test(x) ? x : null;
}

/* Text of so many bytes at most that is shown in one line. */
const line = (x, most) => typeof x === 'string' &&
    Buffer.byteLength(x) <= most &&
    !/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(x);

export class ItemsConn extends FrameConn {
	/* what was said where: {seq, items, done} */
	log(conv)
	{
		let l = this.w.logs.get(conv);
		if (!l)
			this.w.logs.set(conv, l = { seq: 0, items: [],
			    done: new Map() });
		return l;
	}

	/* [conversation, its keys as its people see it] or an error's number */
	where(o)
	{
		const rid = id(o.rid), tid = id(o.tid);
		if (!rid && !tid)
			return 400;
		if (tid)
			return [`@${[tid, this.me.uid].sort().join('@')}`, { tid }];
		return this.rooms.has(rid) ? [rid, { rid }] : 403;
	}

	of(uid)
	{
		const all = [...this.w.rooms.values()].flatMap(r => [...r]);
		return new Set(all.filter(c => c.me?.uid === uid));
	}

	/* to all of a conversation, each with his own name of it */
	tell(keys, o, others)
	{
		if (keys.rid) {
			for (const c of this.w.rooms.get(keys.rid) ?? [])
				if ((c.v2 || this.bug('items-to-v1')) &&
				    !(others && c.me.uid === this.me.uid))
					c.json({ ...o, ...keys });
			return;
		}
		for (const c of this.of(keys.tid))
			if (c.v2)
				c.json({ ...o, tid: this.me.uid });
		for (const c of others ? [] : this.of(this.me.uid))
			if (c.v2)
				c.json({ ...o, ...keys });
	}

	/* uids a message calls, or null */
	called(at)
	{
		if (at === undefined || this.bug('at-unchecked'))
			return at;
		if (!Array.isArray(at) || at.length > 50 || !at.every(id))
			return null;
		return [...new Set(at.map(id))];
	}

	/* true: it was one of these commands */
	item(o)
	{
		const fn = COMMANDS.get(o.cmd);
		if (!fn || !this.v2)
			return false;
		const w = this.where(o);
		if (w === 400)
			this.error(400, 'rid or tid', o.cid);
		else
			this[fn](o, w === 403 ? null : w);
		return true;
	}

	ok(o, more)
	{
		if (o.cid)
			this.json({ cmd: 'ok', cid: o.cid, ...more });
	}

	typing(o, w)
	{
		const on = o.on ?? true, now = Date.now();
		if (typeof on !== 'boolean')
			return this.error(400, 'on', o.cid);
		if (!w && !this.bug('typing-outside'))
			return this.error(403, 'not in there', o.cid);
		const [conv, keys] = w ?? [o.rid, { rid: o.rid }];
		const who = `${this.me.uid} ${conv}`;
		if (!on || now - (this.w.typed.get(who) ?? 0) >= TYPING_MS ||
		    this.bug('typing-each')) {
			this.w.typed.set(who, on ? now : 0);
			this.tell(keys, { cmd: 'typing', ...this.me, on }, true);
		}
		this.ok(o);
	}

	mark(o, w)
	{
		if (!w)
			return this.error(403, 'not in there', o.cid);
		this.w.marks.set(`${this.me.uid} ${w[0]}`, o.read);
		if (w[1].tid)
			this.tell(w[1], { cmd: 'mark', uid: this.me.uid,
			    read: o.read }, true);
		this.ok(o);
	}

	getMarks(o, w)
	{
		if (!Number.isSafeInteger(o.seq) || !w || w[1].rid)
			return this.error(400, 'seq; rooms keep none', o.cid);
		const { tid } = w[1];
		const read = this.w.marks.get(`${tid} ${w[0]}`) >= o.seq ? [tid] : [];
		this.json({ cmd: 'getMarks', cid: o.cid, tid, seq: o.seq,
		    nread: read.length, read });
	}

	getHistory(o, w)
	{
		if (!w)
			return this.error(403, 'not in there', o.cid);
		const { items, seq } = this.log(w[0]);
		this.json({ cmd: 'getHistory', cid: o.cid, ...w[1], first: 1,
		    last: seq, more: false, list: items });
	}

	/* What is wrong with the keys of a change: a number, or 0. */
	wrong(o, w)
	{
		if (o.cmd !== 'title' && !(Number.isSafeInteger(o.ref) && o.ref > 0))
			return 400;
		if (o.cmd === 'edit' && typeof o.msg !== 'string')
			return 400;
		if (o.cmd === 'edit' && Buffer.byteLength(o.msg) > 4096)
			return 413;
		if (o.cmd === 'react' && !(o.emo && line(o.emo, 32)))
			return 400;
		if (o.cmd === 'title' && !line(o.title, 128))
			return 400;
		if (!w || o.cmd === 'title')
			return 403;
		const it = this.log(w[0]).items.find(x => x.seq === o.ref &&
		    x.cmd === 'message');
		if (!it)
			return 404;
		if (o.cmd !== 'react' && it.uid !== this.me.uid &&
		    !this.bug('edit-any'))
			return 403;
		return it.gone && o.cmd !== 'recall' ? 409 : 0;
	}

	change(o, w)
	{
		const l = w && this.log(w[0]), who = `${this.me.uid} ${o.cid}`;
		if (o.cid && l?.done.has(who) && !this.bug('edit-twice'))
			return this.ok(o, { ...l.done.get(who), dup: true });
		const code = this.wrong(o, w);
		if (code)
			return this.error(code, o.cmd, o.cid);
		const it = { cmd: o.cmd, ref: o.ref, uid: this.me.uid,
		    name: this.me.name, seq: ++l.seq, ts: Date.now(),
		    ...(o.cmd === 'edit' ? { msg: o.msg } : {}),
		    ...(o.cmd === 'react' ? { emo: o.emo, on: o.on ?? true } : {}) };
		if (o.cmd === 'recall' && !this.bug('recall-keeps'))
			for (const x of l.items)
				if (x.seq === o.ref || (x.cmd === 'edit' &&
				    x.ref === o.ref)) {
					delete x.msg;
					x.gone = 'recall';
				}
		l.items.push(it);
		l.done.set(who, { ...w[1], seq: it.seq });
		this.tell(w[1], it, false);
		this.ok(o, { ...w[1], seq: it.seq });
	}
}
