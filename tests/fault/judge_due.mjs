/* SPDX-License-Identifier: MIT */
/*
 * The judge's word on what was due, a part of judge.mjs, which gathers what
 * this reads: whoever was there, with a place, has everything sent since he
 * came, on whatever socket, but for what a gap named.
 */
function
dueOf(j, c, conv, pair, due)
{
	if (!j.last.get(c.c))
		return;	/* he went away in the end */
	for (const [seq, r] of j.logs.get(conv) ?? []) {
		if (due.got.has(pair ? `${conv} ${seq}` : seq))
			continue;
		const sent = j.items.sentAt(conv, r);
		if (!sent || sent.t < due.since)
			continue;
		if (due.gaps.some(g => g.all ? sent.t < g.t : !pair ?
		    seq <= g.to : sent.t < g.t))
			continue;
		j.say('deaf', `${c.uid} (client ${c.c}) has no ${seq} of ` +
		    `${conv}`, r);
	}
}

export function
checkDue(j)
{
	const convsOf = new Map();
	for (const conv of j.logs.keys())
		if (conv.startsWith('p:'))
			for (const uid of conv.split(':').slice(1))
				convsOf.set(uid, [...convsOf.get(uid) ?? [], conv]);
	for (const c of j.clients.values()) {
		if (c.v !== 2)
			continue;
		for (const [conv, due] of c.due)
			for (const of of conv === '@' ? convsOf.get(c.uid) ?? [] :
			    [conv])
				dueOf(j, c, of, conv === '@', due);
	}
}
