/* SPDX-License-Identifier: MIT */
/*
 * Broken runs for the test of the judge: one run in which all is right, made
 * here without any server, and each bug planted into a copy of it.
 *
 * ann, bob and dan talk in room 1, ann and cyd in room 2, ann and bob in
 * private; eve is there with version 1, in room 1.  Halfway a fault, for which
 * bob is asked to move and comes back on another socket; and fay, of version 1,
 * comes at last and finds what ann had said to her.
 */
import { pairOf } from './people.mjs';

const EP = 'aaaaaaaa';
const OTHER = 'bbbbbbbb';

export function
goodRun(over = {})
{
	const out = [];
	let t = 1000, s = 0, n = 0;
	const people = {}, heads = new Map(), useq = {}, log = [];
	const rec = r => out.push({ ...r, t: t += 7 });
	const rooms = { ann: ['1', '2'], bob: ['1'], cyd: ['2'], dan: ['1'],
	    eve: ['1'], fay: ['1'] };
	const names = Object.keys(rooms);
	rec({ k: 'meta', sync: 'full', grace: 15000, ...over });
	names.forEach((uid, c) => {
		people[uid] = { c, uid, v: 'eve fay'.includes(uid) ? 1 : 2, pos: {} };
		useq[uid] = 0;
		rec({ k: 'who', c, uid, v: people[uid].v, name: `N-${uid}` });
	});
	const login = uid => {
		const p = people[uid];
		p.s = ++s;
		rec({ k: 'open', s, c: p.c, uid, v: p.v });
		for (const conv of [...rooms[uid], ...p.v === 2 ? ['@'] : []]) {
			const head = conv === '@' ? useq[uid] : heads.get(conv) ?? 0;
			const had = p.pos[conv];
			rec(p.v === 1 ? { k: 'in', s, conv } : { k: 'in', s, conv,
			    had: had === undefined ? null : [EP, had], ep: EP,
			    seq: head, from: had < head ? had + 1 : null,
			    n: had < head ? head - had : 0, full: true });
			if (p.v === 2 && had === undefined)
				p.pos[conv] = head;
			for (const m of log)
				if (p.v === 1 ? m.conv === pairOf('ann', uid) :
				    had !== undefined && (conv === '@' ?
				    m.conv.split(':').includes(uid) && m.u[uid] > had :
				    m.conv === conv && m.seq > had))
					hear(uid, m);
		}
		for (const other of names)
			if (other !== uid && people[other].s && !p.told)
				for (const rid of rooms[uid])
					if (rooms[other].includes(rid) &&
					    people[other].v === 2)
						rec({ k: 'came', s: people[other].s, rid,
						    uid });
		p.told = true;
	};
	const hear = (uid, m) => {
		const p = people[uid];
		const pair = m.conv.startsWith('p:');
		if (p.v === 1 && m.from === uid)
			return;
		const r = { k: 'recv', s: p.s, conv: m.conv, from: m.from,
		    name: `N-${m.from}`, body: m.body };
		if (p.v === 1)
			return rec({ ...r, conv: pair ? 'p:' : m.conv });
		r.seq = m.seq;
		if (pair)
			r.useq = m.u[uid];
		if (m.from === uid)
			r.cid = m.cid;
		p.pos[pair ? '@' : m.conv] = pair ? m.u[uid] : m.seq;
		rec(r);
	};
	const say = (uid, to) => {
		const p = people[uid], cid = `c${++n}`, pair = !!people[to];
		const conv = pair ? pairOf(uid, to) : to;
		const m = { conv, from: uid, cid, body: `text ${n}`, u: {} };
		rec({ k: 'send', s: p.s, c: p.c, uid, v: p.v, cid, conv,
		    body: m.body });
		m.seq = (heads.get(conv) ?? 0) + 1;
		heads.set(conv, m.seq);
		if (pair)
			for (const x of [uid, to])
				m.u[x] = ++useq[x];
		log.push(m);
		if (p.v === 2)
			rec({ k: 'ack', s: p.s, uid, cid, conv, seq: m.seq, ep: EP });
		for (const x of names)
			if (people[x].s && (pair ? [uid, to].includes(x) :
			    rooms[x].includes(to)))
				hear(x, m);
	};
	const round = () => {
		for (const uid of names)
			for (const rid of rooms[uid])
				if (people[uid].s)
					say(uid, rid);
		say('ann', 'bob');
		if (people.bob.s)
			say('bob', 'ann');
	};
	names.filter(uid => uid !== 'fay').forEach(login);
	for (let i = 0; i < 4; i++)
		round();
	t += 10000;
	rec({ k: 'fault', i: 0, kinds: ['term-msg'], at: ['ms1'] });
	rec({ k: 'move', s: people.bob.s, in: 5 });
	t += 5000;
	rec({ k: 'shut', s: people.bob.s, code: 4200 });
	people.bob.s = 0;
	round();
	login('bob');
	round();
	say('ann', 'fay');
	t += 10000;
	login('fay');
	round();
	t += 12000;
	rec({ k: 'quiet' });
	round();
	for (const m of log)
		rec({ k: 'log', conv: m.conv, ep: EP, seq: m.seq, uid: m.from,
		    body: m.body });
	rec({ k: 'end' });
	for (const uid of names)
		rec({ k: 'shut', s: people[uid].s });
	return out;
}

/* --- the bugs --------------------------------------------------------------- */

const find = (list, want, nth = 0) => list.filter(want)[nth];
const drop = (list, r) => list.splice(list.indexOf(r), 1)[0];
const after = (list, r, ...more) => list.splice(list.indexOf(r) + 1, 0,
    ...more.map(m => ({ ...m, t: r.t + 0.5 })));
const heard = (list, uid, conv, nth = 5) => find(list, r => r.k === 'recv' &&
    list.find(o => o.k === 'open' && o.s === r.s).uid === uid &&
    r.conv === conv, nth);
const inLog = (list, conv, seq) => find(list, r => r.k === 'log' &&
    r.conv === conv && r.seq === seq);
const logSize = (list, conv) => list.filter(r => r.k === 'log' &&
    r.conv === conv).length;
const sessionOf = (list, uid) => list.filter(r => r.k === 'open' &&
    r.uid === uid).pop().s;
const PAIR = 'p:ann:bob';

/* what: the word the judge must say; do: the bug */
export const PLANTED = [
	{ bug: 'the last acked message is not in the log', what: 'lost', do: l => {
		const last = l.filter(r => r.k === 'ack' && r.conv === '1').pop().seq;
		for (let n = logSize(l, '1'); n >= last; n--)
			drop(l, inLog(l, '1', n));
	} },
	{ bug: 'an ack before the commit: the log has another there', what: 'lost',
	    do: l => {
		inLog(l, '1', 3).body = inLog(l, '2', 1).body;
	} },
	{ bug: 'an acked private message is not in the log', what: 'lost', do: l => {
		drop(l, inLog(l, PAIR, logSize(l, PAIR)));
	} },
	{ bug: 'a private message lost for the one it was for', what: 'deaf',
	    do: l => {
		drop(l, l.filter(r => r.k === 'recv' && r.conv === PAIR &&
		    r.s === sessionOf(l, 'bob')).pop());
	} },
	{ bug: 'a message twice, live', what: 'doubled', do: l => {
		const r = heard(l, 'bob', '1');
		after(l, r, r);
	} },
	{ bug: 'a message twice, on two sockets of one client', what: 'doubled',
	    do: l => {
		const s = sessionOf(l, 'bob');
		const old = l.filter(r => r.k === 'recv' && r.conv === '1' &&
		    r.s === 2).pop();
		const first = l.find(r => r.k === 'recv' && r.conv === '1' &&
		    r.s === s);
		after(l, l[l.indexOf(first) - 1], { ...old, s });
	} },
	{ bug: 'the retry of a message stored again', what: 'doubled', do: l => {
		const r = inLog(l, '1', logSize(l, '1'));
		after(l, r, { ...inLog(l, '1', 2), seq: r.seq + 1 });
	} },
	{ bug: 'two messages in another order for one', what: 'reorder', do: l => {
		const a = drop(l, heard(l, 'dan', '1', 3));
		after(l, heard(l, 'dan', '1', 3), a);
	} },
	{ bug: 'two bodies change places for one', what: 'body', do: l => {
		const a = heard(l, 'dan', '1', 3), b = heard(l, 'dan', '1', 4);
		[a.body, b.body] = [b.body, a.body];
		[a.from, b.from] = [b.from, a.from];
		[a.name, b.name] = [b.name, a.name];
	} },
	{ bug: 'one message is left out, silently', what: 'hole', do: l => {
		drop(l, heard(l, 'dan', '1'));
	} },
	{ bug: 'a private message is left out, silently', what: 'hole', do: l => {
		drop(l, heard(l, 'ann', PAIR, 3));
	} },
	{ bug: 'the replay begins too late', what: 'hole', do: l => {
		const s = sessionOf(l, 'bob');
		const r = l.find(x => x.k === 'in' && x.s === s && x.conv === '1');
		r.from++;
		r.n--;
		drop(l, l.find(x => x.k === 'recv' && x.s === s &&
		    x.conv === '1'));
	} },
	{ bug: 'the last message never comes', what: 'deaf', do: l => {
		drop(l, l.filter(r => r.k === 'recv' && r.conv === '1' &&
		    r.s === 4).pop());
	} },
	{ bug: 'version 1 hears nothing after a fault', what: 'deaf', do: l => {
		const t = l.find(r => r.k === 'fault').t;
		for (const r of l.filter(x => x.k === 'recv' && x.s === 5 &&
		    x.t > t))
			drop(l, r);
	} },
	{ bug: 'what was said to the absent is not there', what: 'absent',
	    do: l => {
		drop(l, l.find(r => r.k === 'recv' && r.s === 7 &&
		    r.conv === 'p:'));
	} },
	{ bug: 'cut off before the time to move', what: 'cut', do: l => {
		l.find(r => r.k === 'move').in = 9000;
	} },
	{ bug: 'a gap where nothing was ever thrown away', what: 'hole', do: l => {
		const r = heard(l, 'dan', '1');
		after(l, r, { k: 'gap', s: r.s, conv: '1', ep: EP, from: r.seq + 1,
		    to: r.seq + 1 });
		drop(l, heard(l, 'dan', '1', 6));
	} },
	{ bug: 'a message of a room he is not in', what: 'room', do: l => {
		const r = heard(l, 'ann', '2', 1);
		after(l, r, { ...r, s: 4, cid: undefined });
	} },
	{ bug: 'a room\'s message shown in another', what: 'room', do: l => {
		heard(l, 'dan', '1').body = heard(l, 'ann', '2', 1).body;
	} },
	{ bug: 'a private message to a third', what: 'person', do: l => {
		const r = heard(l, 'ann', PAIR, 1);
		after(l, r, { ...r, s: 4, useq: 1, cid: undefined });
	} },
	{ bug: 'a private message to a third, of version 1', what: 'person',
	    do: l => {
		const r = heard(l, 'ann', PAIR, 1);
		after(l, r, { k: 'recv', s: 5, conv: 'p:', from: r.from,
		    name: r.name, body: r.body });
	} },
	{ bug: 'a private message shown in a room', what: 'person', do: l => {
		heard(l, 'dan', '1').body = heard(l, 'ann', PAIR, 1).body;
	} },
	{ bug: 'a forged sender', what: 'forged', do: l => {
		const r = heard(l, 'dan', '1', 1);
		r.from = r.from === 'ann' ? 'bob' : 'ann';
	} },
	{ bug: 'a forged name', what: 'forged', do: l => {
		heard(l, 'dan', '1', 1).name = 'N-root';
	} },
	{ bug: 'a changed text', what: 'unknown', do: l => {
		heard(l, 'dan', '1', 1).body += '!';
	} },
	{ bug: 'the cid of another shown', what: 'cid', do: l => {
		heard(l, 'dan', '1', 0).cid = 'c1';
	} },
	{ bug: 'version 1 gets its own back', what: 'echo', do: l => {
		const r = l.find(x => x.k === 'send' && x.s === 5);
		after(l, r, { k: 'recv', s: 5, conv: '1', from: 'eve',
		    name: 'N-eve', body: r.body });
	} },
	{ bug: 'version 1 in another order', what: 'reorder', do: l => {
		const a = drop(l, heard(l, 'eve', '1', 3));
		after(l, heard(l, 'eve', '1', 3), a);
	} },
	{ bug: 'one place given to two messages', what: 'reused', do: l => {
		const [a, b] = l.filter(r => r.k === 'ack' && r.conv === '1');
		b.seq = a.seq;
	} },
	{ bug: 'a retry acked at another place', what: 'moved', do: l => {
		const r = l.find(x => x.k === 'ack' && x.conv === '1');
		after(l, r, { ...r, seq: r.seq + 1 });
	} },
	{ bug: 'sent after an ack, placed before it', what: 'order', do: l => {
		const acks = l.filter(r => r.k === 'ack' && r.conv === '1');
		[acks[2].seq, acks[5].seq] = [acks[5].seq, acks[2].seq];
	} },
	{ bug: 'a stale history: an item of another ep', what: 'ep', do: l => {
		const s = sessionOf(l, 'bob');
		const r = l.find(x => x.k === 'in' && x.s === s && x.conv === '1');
		r.ep = OTHER;
	} },
	{ bug: 'a restored log under the old ep', what: 'body', do: l => {
		const r = inLog(l, '1', logSize(l, '1'));
		r.body = 'text 2';
		r.uid = l.find(x => x.k === 'send' && x.body === 'text 2').uid;
	} },
	{ bug: 'a hole in the log', what: 'log', do: l => {
		drop(l, inLog(l, '2', 2));
	} },
	{ bug: 'offline of one who is there', what: 'presence', do: l => {
		const r = heard(l, 'ann', '1');
		after(l, r, { k: 'went', s: r.s, rid: '1', uid: 'dan' });
	} },
	{ bug: 'offline of one who was back within the grace', what: 'presence',
	    do: l => {
		const r = l.filter(x => x.k === 'recv' && x.s === 1).pop();
		after(l, r, { k: 'went', s: 1, rid: '1', uid: 'bob' });
	} },
	{ bug: 'newUser again when a client comes back', what: 'presence', do: l => {
		const s = sessionOf(l, 'bob');
		const r = l.find(x => x.k === 'in' && x.s === s && x.conv === '1');
		after(l, r, { k: 'came', s: 1, rid: '1', uid: 'bob' });
	} },
	{ bug: 'newUser in a room he never entered', what: 'presence', do: l => {
		const r = heard(l, 'ann', '2');
		after(l, r, { k: 'came', s: 1, rid: '2', uid: 'dan' });
	} },
	{ bug: 'a message refused for good', what: 'refused', do: l => {
		const r = l.find(x => x.k === 'send');
		after(l, r, { k: 'err', s: r.s, cid: r.cid, code: 400,
		    final: true });
	} },
	{ bug: 'no ack, ever', what: 'unacked', do: l => {
		drop(l, l.find(r => r.k === 'ack'));
	} },
];

/* The run with that bug in it. */
export function
plant(p)
{
	const l = goodRun().map(r => ({ ...r }));
	p.do(l);
	return l;
}
