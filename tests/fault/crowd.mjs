/* SPDX-License-Identifier: MIT */
/*
 * The people of a run together: who they are, how they talk, when all have all
 * they can have, and what the logs say in the end.  A fault run (run.mjs) and
 * cchatctl verify (verify.mjs) share it.
 */
import { itemOf } from './deeds.mjs';
import { Person, pairOf } from './people.mjs';
import { Rng } from './rng.mjs';

const now = () => performance.now();
const sleep = ms => new Promise(r => setTimeout(r, ms));
const TURN_MS = 8;
const LOOK_MS = 500;

export class Crowd {
	/*
	 * o: seed, clients, rate, rooms (names), uid(c), v1 (every nth is of the
	 * old kind; 0: nobody), changes (the share of those who edit, recall and so
	 * on where others talk; 0), titles (anybody may give one).  w: {urls(), rec(r)} and what else a Person's
	 * world may have.
	 */
	constructor(o, w)
	{
		this.o = o;
		this.rec = w.rec;
		this.n = 0;	/* records */
		this.serial = 0;
		this.refusals = 0;
		this.acked = 0;
		this.ackMs = [];
		this.ackAt = null;
		this.silentMs = 0;	/* the longest time without any ack */
		this.outs = [];	/* times of version 2 without a socket */
		this.used = new Set();	/* conversations somebody spoke in */
		this.world = { ...w, rec: r => this.note(r),
			serial: p => `${o.seed}.${p.c}.${++this.serial}`,
			acked: u => this.gotAck(u),
			refused: () => this.refusals++,
			out: (ms, p) => {
				if (p.v === 2)
					this.outs.push({ at: now() - ms, ms });
			} };
		this.make();
	}

	note(r)
	{
		r.t ??= now();
		this.n++;
		if (r.k === 'send')
			this.used.add(r.conv);
		this.rec(r);
	}

	gotAck(u)
	{
		const t = now();
		this.acked++;
		if (!u.left)
			this.ackMs.push(t - u.since);
		if (this.ackAt !== null)
			this.silentMs = Math.max(this.silentMs, t - this.ackAt);
		if (this.talking)
			this.ackAt = t;
	}

	get outMs()
	{
		return this.outs.reduce((n, o) => Math.max(n, o.ms), 0);
	}

	make()
	{
		const { o } = this, rng = new Rng(o.seed, 'people');
		const v1 = o.v1 ?? 6;
		this.people = [];
		for (let c = 1; c <= o.clients; c++) {
			/* every ninth of version 2 is another's second device */
			const v = v1 && c % v1 === 0 ? 1 : 2;
			const twin = c % 9 === 0 && v === 2 ? this.people[c - 2] : null;
			const uid = twin && twin.v === 2 ? twin.uid : o.uid(c);
			const mine = rng.shuffle(o.rooms).slice(0, rng.int(1, 3));
			this.people.push(new Person(this.world, { c, uid, v,
			    rooms: mine, friends: [], batch: rng.chance(0.5),
			    rng: new Rng(o.seed, `person ${c}`),
			    deeds: o.changes && v === 2 && { titles: o.titles,
			    rng: new Rng(o.seed, `deeds ${c}`) } }));
		}
		/* version 1 is talked to as well; nobody talks to himself */
		const uids = [...new Set(this.people.map(p => p.uid))];
		for (const p of this.people)
			p.friends = rng.shuffle(uids).filter(u => u !== p.uid)
			    .slice(0, 3);
	}

	get ready()
	{
		return this.people.filter(p => p.ready).length;
	}

	talk()
	{
		const { people } = this, rng = new Rng(this.o.seed, 'talk');
		let at = now(), credit = 0, next = 0;
		this.ackAt = at;
		this.talking = setInterval(() => {
			const t = now();
			credit = Math.min(credit + (t - at) * this.o.rate / 1000,
			    Math.max(1, this.o.rate / 5));
			at = t;
			for (let miss = 0; credit >= 1 && miss < people.length;) {
				const p = people[next++ % people.length];
				if (!p.mayTalk) {
					miss++;
					continue;
				}
				miss = 0;
				credit--;
				if (p.deeds && rng.chance(this.o.changes))
					p.deeds.act();
				else
					p.say(p.someone(), rng.chance(0.1) ?
					    rng.int(1, 700) : 0);
			}
		}, TURN_MS);
		this.looking ??= setInterval(() => people.forEach(p => p.check()),
		    LOOK_MS);
	}

	hush()
	{
		clearInterval(this.talking);
		this.talking = null;
		if (this.ackAt !== null)
			this.silentMs = Math.max(this.silentMs, now() - this.ackAt);
		this.ackAt = null;
	}

	/* code: of a polite end, or nothing */
	stop(code)
	{
		this.hush();
		clearInterval(this.looking);
		for (const p of this.people)
			p.stop(code);
	}

	/* --- the end ------------------------------------------------------------ */

	/* who is not in, or waits for acks, after so long; none: all is well */
	async settled(ms)
	{
		for (const end = now() + ms; ; await sleep(20)) {
			const bad = this.people.filter(p => !p.ready ||
			    p.unacked.size);
			if (!bad.length || now() > end)
				return bad.map(p => `client ${p.c}: ` +
				    `${p.ready ? 'in' : 'out'}, ${p.unacked.size} open`);
		}
	}

	/* Everybody once more, everywhere; the list is that of settled(). */
	async lastRound(ms)
	{
		await this.level();
		this.note({ k: 'quiet' });
		for (const p of this.people) {
			for (const rid of p.rooms)
				p.say({ rid });
			/* within the burst that a session has */
			await sleep(this.o.pauseMs ?? 0);
		}
		for (const p of this.people) {
			for (const uid of p.friends)
				p.say({ uid });
			await sleep(this.o.pauseMs ?? 0);
		}
		const bad = await this.settled(ms);
		await this.level();
		return bad;
	}

	/* all have all, as far as they can know, and nothing comes any more */
	async level(ms = 15000)
	{
		for (const end = now() + ms; now() < end; await sleep(20)) {
			const head = new Map();
			for (const p of this.people)
				for (const [conv, [, seq]] of p.pos)
					if (conv !== '@')
						head.set(conv, Math.max(seq,
						    head.get(conv) ?? 0));
			if (this.people.every(p => [...p.pos].every(([conv, [, seq]]) =>
			    conv === '@' || seq === head.get(conv))))
				break;
		}
		for (let n = -1; n !== this.n && n < 1e9; await sleep(300))
			n = this.n;
	}

	/* fault(what, why): for a log that can't be read */
	async readLogs(fault)
	{
		const convs = new Map();
		for (const p of this.people) {
			if (p.v !== 2 || !p.ready)
				continue;
			for (const rid of p.rooms)
				convs.set(rid, [p, { rid }]);
			for (const q of this.people)
				if (q.uid !== p.uid)
					convs.set(pairOf(p.uid, q.uid), [p, { uid: q.uid }]);
		}
		for (const [conv, [p, to]] of convs) {
			if (!this.used.has(conv))
				continue;
			try {
				const h = await p.history(to);
				this.note({ k: 'head', conv, ep: h.ep, first: h.first,
				    last: h.last });
				for (const m of h.list)
					this.note({ k: 'log', conv, ep: h.ep, seq: m.seq,
					    uid: m.uid, ...itemOf(m) });
			} catch (e) {
				fault('log', `${conv}: ${e.message}`);
			}
		}
	}
}
