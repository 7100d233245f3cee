/* SPDX-License-Identifier: MIT */
/*
 * The judge's word on edits, recalls, reactions and titles: a part of
 * judge.mjs, which holds them to the places of the one order as it does
 * messages.  Here is what they mean: who may, whose words are gone for whom,
 * what the reactions and the title are in the end.
 *
 * Recalls and reactions have no text of their own, so one is known by the place
 * of its ack.  A recall is known to a session that was given the item; to a page
 * or a replay, when its place is not beyond what that says is there; to the
 * page that is asked for by who has the ack.
 */
const V1_MS = 15000;	/* for a recall to get to a server that was cut off */

/* is its text no other's? */
const repeats = it => it.cmd === 'recall' || it.cmd === 'react';
/* the message whose words it has; null: it has none */
const wordsOf = it => it.gone ? null : it.cmd === undefined ? it.seq :
    it.cmd === 'edit' ? it.ref : null;

export class Items {
	constructor(j)
	{
		this.j = j;
		this.same = new Map();	/* conv uid body -> [send] of those */
		this.recalls = new Map();	/* conv ep ref -> seq of the first */
		this.useqs = new Map();	/* uid conv ep ref -> useq of it */
		this.ackedAt = new Map();	/* conv ep ref -> its first ack's t */
		this.shown = [];	/* words, and the head that came with them */
		this.v1 = [];
		this.refusals = new Map();	/* cid -> {r, send}, for good */
		this.titles = [];
		this.lastOf = new Map();	/* client conv ref uid emo -> seq */
	}

	/* --- what comes in ------------------------------------------------------ */

	send(r)
	{
		if (!repeats(r))
			return;
		const key = `${r.conv} ${r.uid} ${r.body}`;
		if (!this.same.has(key))
			this.same.set(key, []);
		this.same.get(key).push(r);
	}

	/* whose it is, as far as it can be known yet */
	sent(place, conv, from, it)
	{
		const { j } = this;
		if (!repeats(it))
			return j.sends.get(it.body);
		const at = j.cids.get(j.places_acked.get(place));
		return at?.body === it.body ? at :
		    this.same.get(`${conv} ${from} ${it.body}`)?.at(-1) ??
		    j.sends.get(it.body);
	}

	isCid(r)
	{
		const x = this.j.cids.get(r.cid);
		return x !== undefined && x.uid === r.from && x.conv === r.conv &&
		    (r.gone !== undefined || x.body === r.body);
	}

	recall(key, seq)
	{
		this.recalls.set(key, Math.min(seq, this.recalls.get(key) ??
		    Infinity));
	}

	acked(r)
	{
		const { j } = this, sent = j.cids.get(r.cid);
		const place = `${r.conv} ${r.ep} ${r.seq}`;
		if (!j.places_acked.has(place))
			j.places_acked.set(place, r.cid);
		if (sent?.cmd !== 'recall')
			return;
		const key = `${r.conv} ${r.ep} ${sent.ref}`;
		this.recall(key, r.seq);
		if (!this.ackedAt.has(key))
			this.ackedAt.set(key, r.t);
		const { told } = j.sessions.get(r.s);
		if (!told.has(key))
			told.set(key, r.t);
	}

	/* refused for good; true: it may be right, the log will tell */
	refused(r)
	{
		const send = this.j.cids.get(r.cid);
		if (!send || send.cmd === undefined || send.cmd === 'title' ||
		    ![403, 404, 409].includes(r.code))
			return false;
		this.refusals.set(r.cid, { r, send });
		return true;
	}

	/* s is told its place */
	placed(s, r)
	{
		s.heads.set(r.conv, { ep: r.ep, seq: r.seq });
		if (r.conv !== '@')
			this.titles.push(r);
	}

	heard(s, ep, r)
	{
		const { j } = this, pair = r.conv.startsWith('p:');
		if (r.cmd === 'react') {
			const [, ref, emo] = r.body.split(' ');
			this.lastOf.set(`${s.client.c} ${r.conv} ${ref} ${r.from} ` +
			    emo, { ep, seq: r.seq, body: r.body });
		}
		if (r.cmd === 'recall') {
			const key = `${r.conv} ${ep} ${r.ref}`;
			this.recall(key, r.seq);
			s.recalled.add(key);
			const mine = `${s.client.uid} ${key}`;
			if (pair)
				this.useqs.set(mine, Math.min(r.useq,
				    this.useqs.get(mine) ?? Infinity));
			return;
		}
		const ref = wordsOf(r);
		if (r.gone && r.body !== undefined)
			j.say('words', `"${r.body}" beside gone, ${r.seq} of ` +
			    r.conv, r);
		if (ref === null)
			return;
		const key = `${r.conv} ${ep} ${ref}`;
		if (s.recalled.has(key))
			j.say('words', `${r.seq} of ${r.conv}, "${r.body}", to ` +
			    `${s.client.uid} (${s.s}), who has had the recall`, r);
		const head = s.heads.get(pair ? '@' : r.conv);
		if (head?.ep === ep && (pair ? r.useq : r.seq) <= head.seq)
			this.shown.push({ key, head: head.seq,
			    uid: pair ? s.client.uid : null, r });
	}

	heardV1(s, conv, r, sent)
	{
		if (conv.startsWith('p:'))
			this.v1.push({ s, conv, r, sent });
	}

	page(r)
	{
		const { j } = this, s = j.sessions.get(r.s);
		let due = r.list[0]?.seq;
		for (const it of r.list) {
			if (it.seq !== due++)
				j.say('hole', `${it.seq} in a page of ${r.conv}, due ` +
				    `is ${due - 1}`, r);
			j.authentic(r.conv, r.ep, it, it.uid, r);
			j.placed(r.conv, r.ep, it.seq, it, r);
			this.paged(s, it, r);
		}
	}

	paged(s, it, r)
	{
		const { j } = this, ref = wordsOf(it);
		if (it.gone && it.body !== undefined)
			j.say('words', `"${it.body}" beside gone, ${it.seq} of ` +
			    r.conv, r);
		if (it.cmd === 'recall')
			this.recall(`${r.conv} ${r.ep} ${it.ref}`, it.seq);
		if (ref === null)
			return;
		const key = `${r.conv} ${r.ep} ${ref}`;
		if (s.recalled.has(key) || s.told.get(key) < r.asked)
			j.say('words', `${it.seq} of ${r.conv}, "${it.body}", in a ` +
			    `page to ${s.client.uid} (${s.s}), who has had the ` +
			    'recall', r);
		this.shown.push({ key, head: r.last, uid: null, r });
	}

	/* --- what the log is held to ---------------------------------------------- */

	/* is that what was sent, though its words may be gone? */
	is(it, sent)
	{
		if (!it?.gone)
			return it?.body === sent.body;
		return it.cmd === sent.cmd && it.uid === sent.uid &&
		    it.ref === sent.ref;
	}

	/* the same of an ack in a history that was followed by `ep` */
	stands(sent, ack, log, ep)
	{
		return this.is(log?.get(ack.seq), sent) || (!repeats(sent) &&
		    this.j.bodies.has(`${ack.conv} ${ep} ${sent.body}`));
	}

	/* who sent what lies there; undefined: nobody knows */
	sentAt(conv, it)
	{
		const { j } = this, place = `${conv} ${it.ep} ${it.seq}`;
		const cid = j.places_acked.get(place);
		if (cid !== undefined)
			return j.cids.get(cid);
		return repeats(it) ? undefined :
		    j.sends.get(it.gone ? j.places.get(place) : it.body);
	}

	/* has there been more than one history? */
	get anew()
	{
		const { eps, ends } = this.j;
		return eps.size > 1 || [...ends.values()].some(e => !eps.has(e));
	}

	/* --- at the end ------------------------------------------------------------ */

	check()
	{
		const { j } = this;
		this.states = new Map();	/* conv ref uid emo -> {seq, body} */
		for (const [conv, log] of j.logs)
			this.checkLog(conv, log);
		this.checkShown();
		/* another history: who can say what was meant */
		if (this.anew)
			return;
		this.checkReactions();
		for (const x of this.refusals.values())
			if (!this.mayRefuse(x))
				j.say('refused', `${x.r.cid}, ${x.send.body} in ` +
				    `${x.send.conv}: ${x.r.code}`, x.r);
		for (const r of this.titles)
			this.checkTitle(r);
	}

	checkLog(conv, log)
	{
		const { j } = this, taken = new Map(), first = j.firsts.get(conv);
		const where = r => `${r.seq} of ${conv}, ${r.cmd} of ${r.ref}`;
		const n = new Map();
		for (const r of log.values()) {
			if (repeats(r))
				this.checkOnce(conv, r, n);
			if (r.ref === undefined || r.ref < (first ?? 1))
				continue;
			const m = log.get(r.ref);
			if (!m || m.cmd !== undefined || m.seq >= r.seq) {
				j.say('meant', where(r), r);
				continue;
			}
			if (r.cmd !== 'react' && m.uid !== r.uid)
				j.say('owner', `${where(r)} by ${r.uid}, it is of ` +
				    m.uid, r);
			if (r.cmd !== 'recall' && taken.has(r.ref))
				j.say('late', `${where(r)}, recalled at ` +
				    taken.get(r.ref), r);
			if (r.cmd === 'recall' && !taken.has(r.ref))
				taken.set(r.ref, r.seq);
			if (r.cmd === 'react' && r.body !== undefined) {
				const [, ref, emo] = r.body.split(' ');
				this.states.set(`${conv} ${ref} ${r.uid} ${emo}`, r);
			}
		}
		for (const r of log.values()) {
			const ref = r.cmd === 'edit' ? r.ref : r.seq;
			if (r.cmd !== undefined && r.cmd !== 'edit')
				continue;
			if (r.gone && !taken.has(ref))
				j.say('gone', `${r.seq} of ${conv}`, r);
			if (r.body !== undefined && taken.has(ref))
				j.say('words', `${r.seq} of ${conv}, "${r.body}", in ` +
				    `the end, recalled at ${taken.get(ref)}`, r);
		}
	}

	/* as often as it was sent, and where its ack said */
	checkOnce(conv, r, n)
	{
		const { j } = this, key = `${conv} ${r.uid} ${r.body}`;
		const had = (n.get(key) ?? 0) + 1;
		const most = this.same.get(key)?.length ?? 0;
		n.set(key, had);
		if (had > most)
			j.say('doubled', `${r.body} of ${r.uid} stands ${had} times ` +
			    `in ${conv}, sent ${most} times`, r);
		else if (!this.anew && j.quiet &&
		    !j.places_acked.has(`${conv} ${r.ep} ${r.seq}`))
			j.say('doubled', `${r.body} of ${r.uid} at ${r.seq} of ` +
			    `${conv}, and no ack for that place`, r);
	}

	checkShown()
	{
		const { j } = this;
		for (const { key, head, uid, r } of this.shown) {
			const at = uid === null ? this.recalls.get(key) :
			    this.useqs.get(`${uid} ${key}`);
			if (at <= head)
				j.say('words', `${key} shown by who said that ${head} ` +
				    `is there; recalled at ${at}`, r);
		}
		for (const { s, conv, r } of this.v1) {
			const ep = j.ends.get(conv);
			const seq = j.bodies.get(`${conv} ${ep} ${r.body}`);
			if (this.ackedAt.get(`${conv} ${ep} ${seq}`) < s.t - V1_MS)
				j.say('words', `"${r.body}" of ${conv} to ` +
				    `${s.client.uid} (v1), who came after the recall`, r);
		}
	}

	/* the last ack of each reaction is what the log and everybody has */
	checkReactions()
	{
		const { j } = this, last = new Map();
		for (const a of j.acks.values()) {
			const sent = j.cids.get(a.cid);
			if (sent?.cmd !== 'react' || j.ends.get(a.conv) !== a.ep ||
			    a.seq < (j.firsts.get(a.conv) ?? 1))
				continue;
			const [, ref, emo] = sent.body.split(' ');
			const key = `${a.conv} ${ref} ${a.uid} ${emo}`;
			if ((last.get(key)?.seq ?? 0) < a.seq)
				last.set(key, { seq: a.seq, body: sent.body });
		}
		for (const [key, { seq, body }] of last)
			if (this.states.get(key)?.body !== body)
				j.say('react', `${body}, acked at ${seq}; the log ends ` +
				    `with ${this.states.get(key)?.body ?? 'nothing'}`);
		for (const [key, { seq, body }] of this.lastOf) {
			const [c, ...more] = key.split(' ');
			const due = this.states.get(more.join(' '));
			if (j.last.get(Number(c)) && due && due.seq !== seq)
				j.say('react', `client ${c} ends with ${body}, at ` +
				    `${seq}; the log with ${due.body}, at ${due.seq}`);
		}
	}

	mayRefuse({ r, send })
	{
		const { j } = this, log = j.logs.get(send.conv);
		const m = log?.get(send.ref);
		if (!log || (j.meta.live && send.ref < j.firsts.get(send.conv)))
			return true;
		switch (r.code) {
		case 403:
			return send.cmd !== 'react' && m && m.uid !== send.uid;
		case 409:
			return [...log.values()].some(x => x.cmd === 'recall' &&
			    x.ref === send.ref && this.sentAt(send.conv, x)?.t < r.t);
		default:
			/* it may have got its place a moment later */
			return !m || m.cmd !== undefined ||
			    !(j.acks.get(this.sentAt(send.conv, m)?.cid)?.t < send.t);
		}
	}

	/* that of its place, or one that was given since */
	checkTitle(r)
	{
		const { j } = this, log = j.logs.get(r.conv);
		if (!log || j.ends.get(r.conv) !== r.ep ||
		    (j.firsts.get(r.conv) ?? 1) > 1)
			return;
		let due = '';
		const may = new Set();
		for (const x of log.values())
			if (x.cmd === 'title' && x.seq <= r.seq)
				due = x.body;
			else if (x.cmd === 'title')
				may.add(x.body);
		const is = r.title === undefined ? '' : `title ${r.title}`;
		if (is !== due && !may.has(is))
			j.say('title', `"${is}" of ${r.conv} at ${r.seq}, due is ` +
			    `"${due}"`, r);
	}
}
