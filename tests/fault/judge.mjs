/* SPDX-License-Identifier: MIT */
/*
 * The judge of a fault run: a pure function over what everybody wrote down.
 * Records, in the order of time (t in ms), by k:
 *
 *   meta  sync, grace, live         how the cluster was set; live: it is
 *                                   somebody's, who may do with it what he likes
 *   who   c, uid, v, name           a client; v: 1 or 2
 *   open  s, c                      its session s begins to log in
 *   in    s, conv, had, ep, seq, from, n, full, title   its place in conv ('@':
 *                                   all private ones; v1: conv alone)
 *   out   s, conv                   it has left the room
 *   shut  s, code                   the socket is gone; code: as the server said
 *   move  s, in                     he is told to open another in so many ms
 *   send  s, c, uid, v, cid, conv, body, cmd, ref   once, however often it goes
 *                                   out; cmd: it is no message; body: deeds.mjs
 *   ack   s, uid, cid, conv, seq, ep, kept
 *   err   cid, code, final
 *   recv  s, conv, seq, useq, from, name, cid, body, cmd, ref, gone   (v1: no
 *                                   seq, and private is conv 'p:')
 *   odd   s, cmd                    v1 is told what it does not know
 *   page  s, conv, ep, first, last, asked, list   of the history, meanwhile
 *   gap   s, conv, ep, from, to, why
 *   came, went  s, rid, uid         newUser, offline
 *   fault kinds                     what was done to the servers; 'seen': that
 *                                   something was, nobody knows what
 *   quiet                           faults are over; all must become level
 *   head  conv, ep, first, last     of the history as it stands at the end,
 *   log   conv, ep, seq, uid, body, cmd, ref, gone   and then its items
 *   end
 *
 * Private conversations are `p:UID:UID`.  judge() gives {wrong: [{what, why,
 * t}], n}: `what` is one of WRONG.
 */
import { checkDue } from './judge_due.mjs';
import { Items } from './judge_items.mjs';
import { checkV1 } from './judge_v1.mjs';
import { checkPresence } from './presence.mjs';

export const WRONG = {
	lost: 'an acked message is not where its ack said',
	doubled: 'a message stands or came twice',
	reorder: 'places went back',
	hole: 'places were left out and no gap said so',
	body: 'two bodies at one place',
	reused: 'two acks for one place',
	moved: 'two acks of one message differ',
	room: 'a message of a room he is not in',
	person: 'a private message to a third',
	forged: 'not the sender who sent it',
	unknown: 'a text nobody sent',
	cid: 'the cid of a message shown to another user',
	echo: 'version 1 got its own message back',
	order: 'sent after an ack, and yet before it in the log',
	ep: 'the history was changed for another without need',
	presence: 'newUser or offline of somebody who was there all the time',
	refused: 'refused for good',
	deaf: 'did not get what was due to him',
	absent: 'a private message of the time he was away is not there',
	cut: 'sent home before he could be at the server he was to move to',
	unacked: 'sent, all is quiet, and no ack',
	log: 'the log itself is not 1, 2, 3 ...',
	words: 'recalled words shown to who could know of the recall',
	gone: 'words are gone that nobody recalled',
	late: 'an edit or a reaction stands behind the recall',
	owner: 'edited or recalled by another',
	meant: 'an edit, recall or reaction of what is no message',
	react: 'the reactions are not as they were acked last',
	title: 'a title older than the place it is told with',
	unasked: 'version 1 was told what it does not know',
};

/* Which promise of GUARANTEES.md is broken when the judge says so. */
export const PROMISES = {
	G1: ['stored before said', 'lost'],
	G2: ['once', 'doubled', 'moved'],
	G3: ['one order', 'reorder', 'body', 'reused', 'order', 'log'],
	G4: ['no silent hole', 'hole', 'deaf', 'absent', 'cut', 'ep'],
	G5: ['only those it is for, only from whom it says', 'room', 'person',
	    'forged', 'unknown', 'cid', 'echo'],
	changes: ['who may change what was said; recalled is gone', 'words', 'gone',
	    'late', 'owner', 'meant', 'react', 'title', 'unasked'],
	answers: ['every message has its answer', 'unacked', 'refused'],
	presence: ['who came and went', 'presence'],
};

const MOVE_MS = 1000;	/* to open another socket, when asked to */
const FALLS = /^(kill|hang|stop|term)-(active|standby)|^link-hole|^fsync|^die/;

class Judge {
	constructor()
	{
		this.wrong = [];
		this.count = {};
		this.meta = { sync: 'full', grace: 15000 };
		this.clients = new Map();
		this.sessions = new Map();
		this.sends = new Map();	/* body -> send */
		this.cids = new Map();
		this.acks = new Map();	/* cid -> first ack */
		this.places = new Map();	/* conv ep seq -> body */
		this.places_acked = new Map();
		this.bodies = new Map();	/* conv ep body -> seq */
		this.eps = new Set();
		this.logs = new Map();	/* conv -> Map seq -> record */
		this.ends = new Map();	/* conv -> ep of the log at the end */
		this.firsts = new Map();	/* conv -> where that log begins */
		this.high = new Map();	/* conv -> {ep, seq} acked so far */
		this.here = new Map();	/* uid rid -> [[from, to|null, s]] */
		this.changes = [];
		this.v1seen = [];
		this.faults = [];
		this.falls = [];	/* of proxies */
		this.fell = 0;	/* acked in a history that is over, and gone */
		this.items = new Items(this);
	}

	say(what, why, r)
	{
		this.count[what] = (this.count[what] ?? 0) + 1;
		if (this.count[what] <= 50)
			this.wrong.push({ what, why, t: r?.t ?? 0 });
	}

	/* how people are sent home after the end says nothing */
	take(r)
	{
		if (!this.ended)
			this[`on_${r.k}`]?.(r);
	}

	on_end(r)
	{
		this.ended = true;
		this.endedAt = r.t;
	}

	on_meta(r)
	{
		Object.assign(this.meta, r);
	}

	on_who(r)
	{
		/* due: conv -> {since, ep, got: Set of seq, gaps: []} */
		this.clients.set(r.c, { ...r, due: new Map() });
	}

	on_open(r)
	{
		this.sessions.set(r.s, { ...r, client: this.clients.get(r.c),
		    at: new Map(), pairs: new Map(), texts: new Set(), shut: 0,
		    news: new Map(), recalled: new Set(), told: new Map(),
		    heads: new Map() });
	}

	on_in(r)
	{
		const s = this.sessions.get(r.s), c = s.client;
		if (r.conv !== '@')
			this.enter(c.uid, r.conv, r);
		if (c.v === 1) {
			s.at.set(r.conv, { since: r.t });
			return;
		}
		this.eps.add(r.ep);
		this.items.placed(s, r);
		const same = r.had && r.had[0] === r.ep;
		let cur = r.seq;
		if (same && r.full) {
			cur = r.had[1];
			/* what he had is not to be sent again, nor less of it */
			if (r.n > 0 && r.from !== cur + 1)
				this.say('hole', `${c.uid} had ${cur} of ${r.conv}, is ` +
				    `given from ${r.from}`, r);
		} else if (!r.full)
			cur = r.n ? r.from - 1 : r.seq;
		s.at.set(r.conv, { ep: r.ep, cur, since: r.t });
		/* what must come from here on, and what need not */
		let due = c.due.get(r.conv);
		if (!due || !r.had)
			c.due.set(r.conv, due = { since: r.t, ep: r.ep, eps: new Set(),
			    got: new Set(), gaps: [] });
		if (due.ep !== r.ep || (r.had && !r.full)) {
			due.gaps.push({ ep: r.ep, all: due.ep !== r.ep,
			    to: cur, t: r.t });
			due.ep = r.ep;
		}
	}

	enter(uid, rid, r)
	{
		const key = `${uid} ${rid}`;
		if (!this.here.has(key))
			this.here.set(key, []);
		const list = this.here.get(key);
		/* others may hear of it before his answer has come through */
		if (!list.some(x => x[2] === r.s && x[1] === null))
			list.push([this.sessions.get(r.s).t, null, r.s]);
	}

	on_out(r)
	{
		const s = this.sessions.get(r.s);
		s.at.delete(r.conv);
		s.client.due.delete(r.conv);
		this.exit(s, r.conv, r.t);
	}

	/* a server that asks him to move waits until he can have done it */
	on_move(r)
	{
		const s = this.sessions.get(r.s);
		s.slot = r.t + r.in;
	}

	on_shut(r)
	{
		const s = this.sessions.get(r.s);
		s.shut = r.t;
		if (r.code === 4200 && s.slot !== undefined && this.polite &&
		    r.t < s.slot + MOVE_MS)
			this.say('cut', `${s.client.uid} (${r.s}) ${Math.round(r.t -
			    s.slot)} ms after he was to move`, r);
		for (const conv of s.at.keys())
			this.exit(s, conv, r.t);
	}

	exit(s, rid, t)
	{
		for (const x of this.here.get(`${s.client.uid} ${rid}`) ?? [])
			if (x[2] === s.s && x[1] === null)
				x[1] = t;
	}

	on_send(r)
	{
		r.bound = this.high.get(r.conv);
		this.sends.set(r.body, r);
		this.items.send(r);
		this.cids.set(r.cid, r);
	}

	on_ack(r)
	{
		const first = this.acks.get(r.cid);
		if (first) {
			if (first.seq !== r.seq && first.ep === r.ep)
				this.say('moved', `${r.cid} at ${first.seq} and at ` +
				    `${r.seq} of ${r.conv}`, r);
			this.items.acked(r);
			return;
		}
		this.acks.set(r.cid, r);
		this.unkept ||= r.kept === false;
		const sent = this.cids.get(r.cid);
		if (!sent || sent.conv !== r.conv) {
			this.say('unknown', `ack of ${r.cid} for ${r.conv}`, r);
			return;
		}
		const place = `${r.conv} ${r.ep} ${r.seq}`;
		const other = this.places_acked.get(place);
		if (other)
			this.say('reused', `${place}: ${other} and ${r.cid}`, r);
		this.places_acked.set(place, r.cid);
		this.placed(r.conv, r.ep, r.seq, sent, r);
		this.items.acked(r);
		const b = sent.bound;
		if (b && b.ep === r.ep && b.seq >= r.seq)
			this.say('order', `${r.cid} at ${r.seq} of ${r.conv}, sent ` +
			    `after the ack of ${b.seq}`, r);
		const high = this.high.get(r.conv);
		if (!high || high.ep !== r.ep || high.seq < r.seq)
			this.high.set(r.conv, { ep: r.ep, seq: r.seq });
	}

	on_err(r)
	{
		if (r.final && !this.items.refused(r))
			this.say('refused', `${r.cid}: ${r.code} ${r.msg ?? ''}`, r);
	}

	/* everybody who speaks of a place must mean the same; it: {body, gone} */
	placed(conv, ep, seq, it, r)
	{
		const { body } = it;
		if (it.gone || body === undefined)
			return;
		const place = `${conv} ${ep} ${seq}`;
		const had = this.places.get(place);
		if (had === undefined)
			this.places.set(place, body);
		else if (had !== body)
			this.say('body', `${place}: "${had}" and "${body}"`, r);
		/* these have no text of their own: see Items */
		if (it.cmd === 'recall' || it.cmd === 'react')
			return;
		const text = `${conv} ${ep} ${body}`;
		const at = this.bodies.get(text);
		if (at === undefined)
			this.bodies.set(text, seq);
		else if (at !== seq)
			this.say('doubled', `"${body}" at ${at} and ${seq} of ${conv}`,
			    r);
	}

	/* the text is one that its sender sent there; ep: null for version 1 */
	authentic(conv, ep, it, from, r)
	{
		const place = `${conv} ${ep} ${it.seq}`;
		if (it.gone) {
			const was = this.sends.get(this.places.get(place));
			if (was && was.uid !== from)
				this.say('forged', `${place}, gone, is of ${was.uid}, ` +
				    `shown as of ${from}`, r);
			return was;
		}
		const sent = this.items.sent(place, conv, from, it);
		const body = it.body;
		if (!sent)
			this.say('unknown', `"${body}" in ${conv}`, r);
		else if (sent.conv !== conv)
			this.say(conv.startsWith('p:') || sent.conv.startsWith('p:') ?
			    'person' : 'room', `"${body}" of ${sent.conv} shown in ` +
			    conv, r);
		else if (sent.uid !== from)
			this.say('forged', `"${body}" is of ${sent.uid}, shown as ` +
			    `of ${from}`, r);
		return sent;
	}

	on_recv(r)
	{
		const s = this.sessions.get(r.s), c = s.client;
		if (c.v === 1) {
			this.v1(s, c, r);
			return;
		}
		const pair = r.conv.startsWith('p:');
		const at = s.at.get(pair ? '@' : r.conv);
		if (pair ? !r.conv.split(':').includes(c.uid) : !at) {
			this.say(pair ? 'person' : 'room', `${c.uid} gets "${r.body}" ` +
			    `of ${r.conv}`, r);
			return;
		}
		const sent = this.authentic(r.conv, at.ep, r, r.from, r);
		if (sent && r.name !== undefined &&
		    r.name !== this.clients.get(sent.c)?.name)
			this.say('forged', `"${r.body}" under the name ${r.name}`, r);
		if (r.cid !== undefined && (r.from !== c.uid ||
		    !this.items.isCid(r)))
			this.say('cid', `${c.uid} sees ${r.cid}`, r);
		this.step(at, pair ? r.useq : r.seq, `${c.uid} (${r.s}) ` +
		    (pair ? '@' : r.conv), r);
		if (pair) {
			const p = s.pairs.get(r.conv);
			if (p && p.ep === at.ep && r.seq <= p.seq)
				this.say(r.seq === p.seq ? 'doubled' : 'reorder',
				    `${c.uid} (${r.s}) ${r.conv}: ${r.seq} after ${p.seq}`,
				    r);
			else if (p && p.ep === at.ep && !p.gap && r.seq !== p.seq + 1)
				this.say('hole', `${c.uid} (${r.s}) ${r.conv}: ` +
				    `${r.seq} after ${p.seq}`, r);
			s.pairs.set(r.conv, { ep: at.ep, seq: r.seq, gap: false });
		}
		this.placed(r.conv, at.ep, r.seq, r, r);
		this.items.heard(s, at.ep, r);
		const due = c.due.get(pair ? '@' : r.conv);
		due?.got.add(pair ? `${r.conv} ${r.seq}` : r.seq);
	}

	step(at, seq, where, r)
	{
		if (seq <= at.cur) {
			this.say(seq === at.cur ? 'doubled' : 'reorder', `${where}: ` +
			    `${seq} after ${at.cur}`, r);
			return;
		}
		if (seq > at.cur + 1)
			this.say('hole', `${where}: ${seq} after ${at.cur}`, r);
		at.cur = seq;
	}

	/* at most once, in order, nothing of one's own */
	v1(s, c, r)
	{
		const sent = this.sends.get(r.body);
		const conv = r.conv === 'p:' ? sent?.conv ?? 'p:' : r.conv;
		if (conv.startsWith('p:') && !conv.split(':').includes(c.uid)) {
			this.say('person', `${c.uid} gets "${r.body}" of ${conv}`, r);
			return;
		}
		if (!conv.startsWith('p:') && !s.at.has(conv)) {
			this.say('room', `${c.uid} gets "${r.body}" of ${conv}`, r);
			return;
		}
		if (!this.authentic(conv, null, r, r.from, r))
			return;
		this.items.heardV1(s, conv, r, sent);
		if (sent.s === r.s)
			this.say('echo', `${c.uid} gets "${r.body}" back`, r);
		if (s.texts.has(r.body))
			this.say('doubled', `${c.uid} (${r.s}): "${r.body}"`, r);
		s.texts.add(r.body);
		this.v1seen.push({ s, conv, body: r.body, r });
	}

	on_gap(r)
	{
		const s = this.sessions.get(r.s), c = s.client;
		const at = s.at.get(r.conv);
		if (!at) {
			this.say('room', `${c.uid}: gap of ${r.conv}`, r);
			return;
		}
		this.eps.add(r.ep);
		const other = r.ep !== at.ep;
		if (!other && r.from > at.cur + 1)
			this.say('hole', `${c.uid} (${r.s}) ${r.conv}: gap from ` +
			    `${r.from} after ${at.cur}`, r);
		/* a gap in one history only makes sense where things can vanish */
		if (!other && this.meta.sync === 'full' && r.to >= r.from &&
		    !(this.meta.live && r.why === 'purge'))
			this.say('hole', `${c.uid} (${r.s}) ${r.conv}: gap ${r.from} ` +
			    `to ${r.to} in a log that keeps all`, r);
		at.ep = r.ep;
		at.cur = r.to;
		if (r.conv === '@')
			for (const p of s.pairs.values())
				p.gap = true;
		const due = c.due.get(r.conv);
		if (due) {
			due.gaps.push({ ep: r.ep, all: other, to: r.to, t: r.t });
			due.ep = r.ep;
		}
	}

	on_came(r)
	{
		this.people(r, 'came');
	}

	on_went(r)
	{
		this.people(r, 'went');
	}

	people(r, kind)
	{
		const s = this.sessions.get(r.s);
		if (s.client.v !== 2 || r.uid === s.client.uid)
			return;
		const key = `${kind} ${r.uid} ${r.rid}`;
		const n = (s.news.get(key) ?? 0) + 1;
		s.news.set(key, n);
		this.changes.push({ kind, r, n, since: s.at.get(r.rid)?.since ??
		    r.t });
	}

	on_fault(r)
	{
		this.faults.push(r.t);
		/* with a server to go to, and all the time that he was promised */
		this.polite = r.kinds.length === 1 &&
		    /^(term|drain)-msg$/.test(r.kinds[0]);
		for (const k of r.kinds)
			if (k === 'power-loss' || k === 'seen')
				this.falls.push(r.t, r.t);
			else if (FALLS.test(k))
				this.falls.push(r.t);
	}

	on_healed()
	{
		this.polite = false;
	}

	on_quiet(r)
	{
		this.quiet = r.t;
	}

	/* what a site does not keep for ever may be gone from a log's beginning */
	on_head(r)
	{
		this.logs.set(r.conv, this.logs.get(r.conv) ?? new Map());
		this.ends.set(r.conv, this.ends.get(r.conv) ?? r.ep);
		this.firsts.set(r.conv, this.meta.live ? Math.max(1, r.first) : 1);
	}

	on_log(r)
	{
		if (!this.logs.has(r.conv))
			this.logs.set(r.conv, new Map());
		const log = this.logs.get(r.conv);
		const had = this.ends.get(r.conv);
		if (had && had !== r.ep)
			this.say('ep', `${r.conv}: ${had} and ${r.ep}`, r);
		this.ends.set(r.conv, r.ep);
		const due = log.size + (this.firsts.get(r.conv) ?? 1);
		if (due !== r.seq)
			this.say('log', `${r.conv}: ${r.seq} stands where ${due} is ` +
			    'due', r);
		log.set(r.seq, r);
		this.authentic(r.conv, r.ep, r, r.uid, r);
		this.placed(r.conv, r.ep, r.seq, r, r);
	}

	on_odd(r)
	{
		this.say('unasked', `${r.cmd} to session ${r.s}`, r);
	}

	on_page(r)
	{
		this.items.page(r);
	}

	/* --- at the end -------------------------------------------------------- */

	finish()
	{
		if (this.meta.sync === 'full' && this.eps.size > 1 &&
		    !this.meta.live)
			this.say('ep', [...this.eps].join(' '));
		this.checkAcks();
		checkDue(this);
		this.items.check();
		checkV1(this);
		checkPresence(this);
		return { wrong: this.wrong, count: this.count,
		    n: { sent: this.cids.size, sent_v1: [...this.cids.values()]
		    .filter(r => r.v === 1).length, acked: this.acks.size,
		    sessions: this.sessions.size, places: this.places.size,
		    eps: this.eps.size, fell: this.fell,
		    changes: [...this.cids.values()].filter(r => r.cmd).length,
		    unkept: !!this.unkept } };
	}

	checkAcks()
	{
		/* a cluster that keeps nothing says so with every ack; and what no
		   log could be read for is not judged by one */
		for (const [cid, a] of this.unkept || !this.logs.size ? [] :
		    this.acks) {
			const ep = this.ends.get(a.conv);
			const log = this.logs.get(a.conv);
			if (ep === undefined) {
				this.say('lost', `${cid}: no log of ${a.conv}`, a);
				continue;
			}
			const sent = this.cids.get(cid);
			/* another history: its acks fell with it, and people were told */
			if (a.ep !== ep) {
				if (sent && !this.items.stands(sent, a, log, ep)) {
					this.fell++;
					if (this.meta.live)
						this.say('lost', `${cid} of ${a.conv}: its ` +
						    'history was replaced by another', a);
				}
				continue;
			}
			if (a.seq < (this.firsts.get(a.conv) ?? 1))
				continue;
			if (sent && !this.items.is(log.get(a.seq), sent))
				this.say('lost', `${cid}: acked at ${a.seq} of ${a.conv}, ` +
				    `there is ${log.get(a.seq)?.body ??
				    log.get(a.seq)?.gone ?? 'nothing'}`, a);
		}
		for (const s of this.cids.values())
			if (s.v === 2 && !this.acks.has(s.cid) && this.quiet &&
			    !this.items.refusals.has(s.cid))
				this.say('unacked', `${s.cid} to ${s.conv}`, s);
	}

	get last()
	{
		if (this._last)
			return this._last;
		this._last = new Map();
		for (const s of this.sessions.values())
			if (!s.shut)
				this._last.set(s.c, s);
		return this._last;
	}
}

export function
judge(records)
{
	const j = new Judge();
	for (const r of records)
		j.take(r);
	return j.finish();
}
