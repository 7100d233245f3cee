/* SPDX-License-Identifier: MIT */
/*
 * What people do beside talking: they edit, recall and react to messages, give
 * rooms titles, try what they may not, say again what was acked, and read the
 * history.  A part of people.mjs; what becomes of it is in judge_items.mjs.
 */
const now = () => performance.now();

const OWN = 12;	/* of his messages that he may change */
const SEEN = 16;	/* of others', that he may react to */
const PAGE = 30;
const PAGE_MS = 10000;
const AGAIN = 0.04;	/* of what was acked is sent once more */
const EMOS = ['+1', '👍', 'ha'];

/* lasting changes that are no messages */
export const CHANGES = ['edit', 'recall', 'react', 'title'];

/* What a frame says, in one string; the judge compares these. */
export function
bodyOf(f)
{
	switch (f.cmd) {
	case 'edit':
		return `edit ${f.ref} ${f.msg}`;
	case 'recall':
		return `recall ${f.ref}`;
	case 'react':
		return `react ${f.ref} ${f.emo} ${f.on ?? true ? 'on' : 'off'}`;
	case 'title':
		return `title ${f.title}`;
	default:
		return f.msg;
	}
}

/* An item as it came, for a record: {body, cmd, ref, gone}. */
export function
itemOf(f)
{
	const r = {};
	if (f.cmd !== 'message') {
		r.cmd = f.cmd;
		if (f.ref !== undefined)
			r.ref = f.ref;
	}
	if (f.gone !== undefined)
		r.gone = f.gone;
	/* whose words are gone has none of them left */
	if (f.gone === undefined)
		r.body = bodyOf(f);
	else if (f.msg !== undefined || f.at !== undefined)
		r.body = `${f.msg}`;
	return r;
}

export class Deeds {
	/* o.titles: everybody may give any room one */
	constructor(person, o)
	{
		this.p = person;
		this.rng = o.rng;
		this.titles = o.titles;
		this.own = [];	/* {to, conv, ep, seq, gone}, acked */
		this.seen = [];
	}

	/* an item of a message has come */
	saw(conv, to, f, ep)
	{
		if (f.cmd !== 'message' || f.gone || f.uid === this.p.uid)
			return;
		this.seen.push({ to, conv, ep, seq: f.seq });
		if (this.seen.length > SEEN)
			this.seen.shift();
	}

	acked(u, ep, seq)
	{
		const { frame } = u, to = frame.tid ? { uid: frame.tid } :
		    { rid: frame.rid };
		if (frame.cmd === 'message') {
			this.own.push({ to, conv: u.conv, ep, seq, gone: false });
			if (this.own.length > OWN)
				this.own.shift();
		} else if (frame.cmd === 'recall') {
			const m = this.own.find(x => x.conv === u.conv &&
			    x.seq === frame.ref);
			if (m)
				m.gone = true;
		}
	}

	/* is it to be said once more, with the same cid? */
	again()
	{
		return this.rng.chance(AGAIN);
	}

	/* a message that still has its place, or nothing */
	pick(list)
	{
		if (!list.length)
			return null;
		const m = this.rng.pick(list);
		return this.p.pos.get(m.to.uid ? '@' : m.conv)?.[0] === m.ep ?
		    m : null;
	}

	/* One of them, or a message where there is nothing to change. */
	act()
	{
		const { p, rng } = this, n = rng.next();
		const mine = this.own.filter(m => !m.gone);
		if (p.v !== 2)
			return p.say(p.someone());
		if (n < 0.3)
			return this.change(this.pick(mine), 'edit');
		if (n < 0.42)
			return this.change(this.pick(mine), 'recall');
		if (n < 0.76)
			return this.change(this.pick([...this.seen, ...mine]),
			    'react');
		if (n < 0.84)
			return this.titles ? p.submit({ cmd: 'title',
			    title: `Tea ${p.w.serial(p)}` },
			    { rid: rng.pick(p.rooms) }) : this.look();
		if (n < 0.93)
			return this.look();
		/* what he may not: another's, what is recalled, what is none */
		if (n < 0.96)
			return this.change(this.pick(this.seen),
			    rng.pick(['edit', 'recall']));
		if (n < 0.99)
			return this.change(this.pick(this.own.filter(m => m.gone)),
			    rng.pick(['edit', 'react', 'recall']));
		return this.change(this.pick(this.own.map(m => ({ ...m,
		    seq: m.seq + rng.int(1, 9) }))), 'edit');
	}

	change(m, cmd)
	{
		const { p, rng } = this;
		if (!m)
			return p.say(p.someone());
		const f = { cmd, ref: m.seq };
		if (cmd === 'edit')
			f.msg = `${p.w.serial(p)} edited`;
		if (cmd === 'react') {
			f.emo = rng.pick(EMOS);
			f.on = rng.chance(0.6);
		}
		return p.submit(f, m.to);
	}

	/* A page of the history, from the end or from somewhere he knows. */
	async look()
	{
		const { p, rng } = this, line = p.line;
		const m = this.pick([...this.own, ...this.seen]);
		const to = m?.to ?? { rid: rng.pick(p.rooms) };
		const f = { cmd: 'getHistory', limit: PAGE,
		    cid: `h${p.w.serial(p)}`,
		    ...(to.uid ? { tid: to.uid } : { rid: to.rid }) };
		if (m && rng.chance(0.5))
			f.around = m.seq;
		if (!p.ready || p.blocked.has(f.rid))
			return;
		const asked = now();
		await line.ask(f, PAGE_MS, a => a.cmd === 'getHistory' &&
		    line.write({ k: 'page', conv: p.convOf(to), ep: a.ep,
		    first: a.first, last: a.last, asked, list: a.list.map(x => ({
		    seq: x.seq, uid: x.uid, ...itemOf(x) })) })).catch(() => {});
	}
}
