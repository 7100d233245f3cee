/* SPDX-License-Identifier: MIT */
/*
 * Broken runs for the test of the judge: one run in which all is right, made
 * here without any server, and each bug planted into a copy of it.
 *
 * ann, bob and dan talk in room 1, ann and cyd in room 2, ann and bob in
 * private; eve is there with version 1, in room 1.  Halfway a fault, for which
 * bob is asked to move and comes back on another socket; and fay, of version 1,
 * comes at last and finds what ann had said to her.  In room 3, and in private
 * with dan, ann changes and recalls what she has said, others react, and each
 * tries what he may not; no other bug is planted there.
 */
import { bodyOf } from './deeds.mjs';
import { pairOf } from './people.mjs';

const EP = 'aaaaaaaa';
const OTHER = 'bbbbbbbb';

export function
goodRun(over = {})
{
	const out = [];
	let t = 1000, s = 0, n = 0;
	const people = {}, heads = new Map(), useq = {}, log = [];
	const titles = new Map();
	const rec = r => out.push({ ...r, t: t += 7 });
	const rooms = { ann: ['1', '2', '3'], bob: ['1', '3'], cyd: ['2'],
	    dan: ['1', '3'], eve: ['1', '3'], fay: ['1'] };
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
			    n: had < head ? head - had : 0, full: true,
			    ...titles.has(conv) && { title: titles.get(conv) } });
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
		if (p.v === 1 && (m.from === uid || m.cmd || m.gone))
			return;
		const r = { k: 'recv', s: p.s, conv: m.conv, from: m.from,
		    name: `N-${m.from}`, ...told(m) };
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
	/* cmd, ref: of a change; no: the code it is refused with */
	const act = (uid, to, f, no) => {
		const p = people[uid], cid = `c${++n}`, pair = !!people[to];
		const conv = pair ? pairOf(uid, to) : to;
		const m = { conv, from: uid, cid, body: bodyOf(f), u: {},
		    ...f.cmd !== 'message' && { cmd: f.cmd },
		    ...f.ref && { ref: f.ref } };
		rec({ k: 'send', s: p.s, c: p.c, uid, v: p.v, cid, conv,
		    body: m.body, cmd: m.cmd, ref: m.ref });
		if (no) {
			rec({ k: 'err', s: p.s, cid, code: no, final: true });
			return 0;
		}
		m.seq = (heads.get(conv) ?? 0) + 1;
		heads.set(conv, m.seq);
		if (pair)
			for (const x of [uid, to])
				m.u[x] = ++useq[x];
		log.push(m);
		for (const x of f.cmd === 'recall' ? log : [])
			if (x.conv === conv && (x.cmd ? x.cmd === 'edit' &&
			    x.ref === f.ref : x.seq === f.ref))
				x.gone = 'recall';
		if (f.cmd === 'title')
			titles.set(conv, f.title);
		if (p.v === 2)
			rec({ k: 'ack', s: p.s, uid, cid, conv, seq: m.seq, ep: EP });
		for (const x of names)
			if (people[x].s && (pair ? [uid, to].includes(x) :
			    rooms[x].includes(to)))
				hear(x, m);
		return m.seq;
	};
	const say = (uid, to) => act(uid, to, { cmd: 'message',
	    msg: `text ${n + 1}` });
	const told = m => ({ cmd: m.cmd, ref: m.ref, ...m.gone ?
	    { gone: m.gone } : { body: m.body } });
	const page = (uid, conv) => rec({ k: 'page', s: people[uid].s, conv, ep: EP,
	    first: 1, last: heads.get(conv), asked: t, list: log.filter(m =>
	    m.conv === conv).map(m => ({ seq: m.seq, uid: m.from, ...told(m) })) });
	const edit = (uid, to, ref, no) => act(uid, to, { cmd: 'edit', ref,
	    msg: `now ${n}` }, no);
	const react = (uid, to, ref, on, no) => act(uid, to, { cmd: 'react', ref,
	    emo: '+1', on }, no);
	const recall = (uid, to, ref, no) => act(uid, to, { cmd: 'recall', ref }, no);
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
	const one = say('ann', '3'), two = say('ann', '3'), psst = say('ann', 'dan');
	const late = say('ann', 'fay');
	edit('ann', '3', one);
	react('bob', '3', one, true);
	react('bob', '3', one, false);
	react('dan', '3', two, true);
	act('ann', '3', { cmd: 'title', title: 'Tea' });
	edit('ann', 'dan', psst);
	react('dan', 'ann', psst, true);
	recall('ann', 'dan', psst);
	page('dan', '3');
	page('dan', pairOf('ann', 'dan'));
	recall('ann', 'fay', late);
	t += 10000;
	rec({ k: 'fault', i: 0, kinds: ['term-msg'], at: ['ms1'] });
	rec({ k: 'move', s: people.bob.s, in: 5 });
	t += 5000;
	rec({ k: 'shut', s: people.bob.s, code: 4200 });
	people.bob.s = 0;
	const three = say('ann', '3');
	edit('ann', '3', three);
	recall('ann', '3', three);
	recall('ann', '3', one);
	recall('ann', '3', one);
	edit('ann', '3', one, 409);
	react('dan', '3', one, true, 409);
	react('dan', '3', two, false);
	act('ann', '3', { cmd: 'title', title: 'Coffee' });
	page('dan', '3');
	round();
	login('bob');
	edit('bob', '3', two, 403);
	recall('bob', '3', two, 403);
	edit('ann', '3', one + 400, 404);
	page('bob', '3');
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
		    ...told(m) });
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
const PAIR = 'p:ann:bob', ASIDE = 'p:ann:dan';

/* the first record of that kind about such a change; k send has no conv here */
const change = (list, k, cmd, uid, conv) => find(list, r => r.k === k &&
    (k === 'ack' ? list.find(x => x.k === 'send' && x.cid === r.cid).cmd :
    r.cmd) === cmd && (conv === undefined || r.conv === conv) &&
    (uid === undefined || r.s === sessionOf(list, uid)));
/* the first of those items whose words are gone has them again */
const spoken = (list, items, cmd) => {
	const it = items.find(x => x.gone && x.cmd === cmd);
	const { conv } = list.find(r => r === it || r.list?.includes(it));
	const had = list.find(r => r.k === 'recv' && r.conv === conv &&
	    r.seq === it.seq && !r.gone);
	delete it.gone;
	it.body = had.body;
};
/* the log's end has a change more, sent and acked as any other */
const added = (list, uid, conv, cmd, ref, body) => {
	const end = inLog(list, conv, logSize(list, conv)), s = 1, cid = 'late';
	const more = { uid, conv, cid, cmd, ref, body, s, seq: end.seq + 1, ep: EP };
	after(list, find(list, r => r.k === 'quiet'), { ...more, k: 'send', v: 2,
	    c: 0 });
	after(list, find(list, r => r.cid === cid), { ...more, k: 'ack' });
	after(list, end, { ...more, k: 'log' });
};

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
	/* --- edits, recalls, reactions, titles --- */
	{ bug: 'an acked edit is not in the log', what: 'lost', do: l => {
		Object.assign(change(l, 'log', 'edit'), { cmd: undefined,
		    ref: undefined, gone: undefined, body: 'text 3' });
	} },
	{ bug: 'the retry of a recall stored again', what: 'doubled', do: l => {
		const r = inLog(l, '3', logSize(l, '3'));
		after(l, r, { ...change(l, 'log', 'recall'), seq: r.seq + 1 });
	} },
	{ bug: 'the retry of a reaction stored where its ack is not',
	    what: 'doubled', do: l => {
		drop(l, change(l, 'ack', 'react'));
	} },
	{ bug: 'a reaction comes twice, live', what: 'doubled', do: l => {
		const r = change(l, 'recv', 'react');
		after(l, r, r);
	} },
	{ bug: 'a reaction and its end in another order for one',
	    what: 'reorder', do: l => {
		const a = drop(l, change(l, 'recv', 'react', 'dan'));
		after(l, change(l, 'recv', 'react', 'dan'), a);
	} },
	{ bug: 'an edit is left out, silently', what: 'hole', do: l => {
		drop(l, change(l, 'recv', 'edit', 'dan'));
	} },
	{ bug: 'an edit is left out of a page', what: 'hole', do: l => {
		const { list } = l.find(r => r.k === 'page');
		drop(list, list.find(x => x.cmd === 'edit'));
	} },
	{ bug: 'a private recall never comes', what: 'deaf', do: l => {
		drop(l, change(l, 'recv', 'recall', 'dan'));
	} },
	{ bug: 'the retry of a reaction acked at another place', what: 'moved',
	    do: l => {
		const r = change(l, 'ack', 'react');
		after(l, r, { ...r, seq: r.seq + 1 });
	} },
	{ bug: 'an edit shown with other words', what: 'unknown', do: l => {
		change(l, 'recv', 'edit', 'dan').body += '!';
	} },
	{ bug: 'a reaction turned round for one', what: 'body', do: l => {
		const r = change(l, 'recv', 'react', 'dan');
		r.body = r.body.replace('on', 'off');
	} },
	{ bug: 'an edit under another\'s name', what: 'forged', do: l => {
		change(l, 'recv', 'edit', 'dan').from = 'bob';
	} },
	{ bug: 'a recalled message under another\'s name', what: 'forged',
	    do: l => {
		l.find(r => r.k === 'log' && r.gone).uid = 'bob';
	} },
	{ bug: 'a private recall to a third', what: 'person', do: l => {
		const r = change(l, 'recv', 'recall', 'dan');
		after(l, r, { ...r, s: 2, useq: 1 });
	} },
	{ bug: 'the cid of a recall shown to others', what: 'cid', do: l => {
		change(l, 'recv', 'recall', 'dan').cid = change(l, 'send',
		    'recall').cid;
	} },
	{ bug: 'recalled words in a page, later', what: 'words', do: l => {
		spoken(l, l.filter(r => r.k === 'page').pop().list);
	} },
	{ bug: 'the words of its edit in a page, later', what: 'words',
	    do: l => {
		spoken(l, l.filter(r => r.k === 'page').pop().list, 'edit');
	} },
	{ bug: 'recalled words to who asked after the ok', what: 'words',
	    do: l => {
		/* a server that has not heard of the recall itself */
		const ok = change(l, 'ack', 'recall'), { list } = l.find(r =>
		    r.k === 'page' && r.conv === ASIDE);
		spoken(l, list);
		after(l, ok, { k: 'page', s: ok.s, conv: ASIDE, ep: EP, first: 1,
		    last: 3, asked: ok.t + 0.2, list: list.slice(0, 3) });
		drop(l, l.find(r => r.k === 'page' && r.last !== 3 &&
		    r.conv === ASIDE));
	} },
	{ bug: 'recalled words in the replay of one who was away', what: 'words',
	    do: l => {
		spoken(l, l.filter(r => r.k === 'recv' && r.gone));
	} },
	{ bug: 'recalled words in the log, in the end', what: 'words', do: l => {
		spoken(l, l.filter(r => r.k === 'log' && r.conv === ASIDE));
	} },
	{ bug: 'words beside gone', what: 'words', do: l => {
		l.find(r => r.k === 'recv' && r.gone).body = 'text 3';
	} },
	{ bug: 'recalled words to the absent of version 1', what: 'words',
	    do: l => {
		const r = l.find(x => x.k === 'recv' && x.s === 7);
		after(l, r, { k: 'recv', s: 7, conv: 'p:', from: 'ann',
		    name: 'N-ann', body: l.find(x => x.k === 'send' &&
		    x.conv === 'p:ann:fay').body });
	} },
	{ bug: 'words gone that nobody recalled', what: 'gone', do: l => {
		Object.assign(inLog(l, '3', 3), { gone: 'recall',
		    body: undefined });
	} },
	{ bug: 'a recall that took another message', what: 'gone', do: l => {
		const r = change(l, 'log', 'recall', undefined, '3');
		for (const x of l.filter(y => y.cmd === 'recall' &&
		    y.ref === r.ref && y.body === r.body)) {
			x.ref = 1;
			x.body = 'recall 1';
		}
	} },
	{ bug: 'an edit accepted behind the recall', what: 'late', do: l => {
		added(l, 'ann', '3', 'edit', 17, 'edit 17 late');
	} },
	{ bug: 'a reaction accepted behind the recall', what: 'late', do: l => {
		added(l, 'dan', '3', 'react', 17, 'react 17 +1 on');
	} },
	{ bug: 'another\'s message edited', what: 'owner', do: l => {
		added(l, 'bob', '3', 'edit', 18, 'edit 18 mine');
	} },
	{ bug: 'another\'s message recalled', what: 'owner', do: l => {
		added(l, 'bob', '3', 'recall', 18, 'recall 18');
	} },
	{ bug: 'an edit of an edit', what: 'meant', do: l => {
		added(l, 'ann', '3', 'edit', 19, 'edit 19 twice');
	} },
	{ bug: 'a reaction to what is not there yet', what: 'meant', do: l => {
		added(l, 'ann', '3', 'react', 900, 'react 900 +1 on');
	} },
	{ bug: 'the end of a reaction lost in the log', what: 'react', do: l => {
		const r = l.filter(x => x.k === 'log' && x.cmd === 'react').pop();
		r.body = r.body.replace('off', 'on');
	} },
	{ bug: 'one is left with another reaction', what: 'react', do: l => {
		drop(l, l.filter(r => r.k === 'recv' && r.cmd === 'react' &&
		    r.s === sessionOf(l, 'dan')).pop());
	} },
	{ bug: 'an older title for who comes back', what: 'title', do: l => {
		l.find(r => r.k === 'in' && r.s === sessionOf(l, 'bob') &&
		    r.conv === '3').title = 'Tea';
	} },
	{ bug: 'no title for who comes back', what: 'title', do: l => {
		delete l.find(r => r.k === 'in' && r.conv === '3' &&
		    r.s === sessionOf(l, 'bob')).title;
	} },
	{ bug: 'version 1 is told of a recall', what: 'unasked', do: l => {
		after(l, change(l, 'recv', 'recall'), { k: 'odd', s: 5,
		    cmd: 'recall' });
	} },
	{ bug: 'his own edit refused as another\'s', what: 'refused', do: l => {
		l.find(r => r.k === 'err' && r.code === 409).code = 403;
	} },
	{ bug: 'an edit refused for a recall that was none', what: 'refused',
	    do: l => {
		l.find(r => r.k === 'err' && r.code === 403).code = 409;
	} },
	{ bug: 'a reaction to a message refused as to none', what: 'refused',
	    do: l => {
		l.filter(r => r.k === 'err' && r.code === 409).pop().code = 404;
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
