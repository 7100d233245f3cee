/* SPDX-License-Identifier: MIT */
/*
 * The judge's word on version 1, which has neither places nor acks: a part of
 * judge.mjs, which gathers what this reads.
 */

const AWAY_MS = 8000;	/* so long after a socket's end nobody thinks he is in */
const STAY_MS = 10000;	/* so long he must have stayed to have heard all */

/* In each session the messages of a conversation come in their order. */
function
order(j)
{
	const last = new Map();
	for (const { s, conv, body, r } of j.v1seen) {
		const ep = j.ends.get(conv);
		const seq = j.bodies.get(`${conv} ${ep} ${body}`);
		if (seq === undefined)
			continue;
		const key = `${s.s} ${conv}`;
		if (seq <= (last.get(key) ?? 0))
			j.say('reorder', `${s.client.uid} (v1, ${s.s}) ${conv}: ` +
			    `${seq} after ${last.get(key)}`, r);
		last.set(key, seq);
	}
}

/* What was sent after all had become quiet, on a socket open since. */
function
due(j, s)
{
	for (const [conv, log] of j.logs) {
		const pair = conv.startsWith('p:');
		if (pair ? !conv.split(':').includes(s.client.uid) :
		    !s.at.has(conv))
			continue;
		for (const r of log.values()) {
			const sent = !r.cmd && j.sends.get(r.body);
			if (sent && j.quiet && sent.t > j.quiet &&
			    s.t < j.quiet && sent.s !== s.s &&
			    !s.texts.has(r.body))
				j.say('deaf', `${s.client.uid} (v1) has no ` +
				    `${r.seq} of ${conv}`, r);
		}
	}
}

/*
 * What was said to him in private while he was away, surely, comes when he is
 * back.  One who has a device of version 2 too has heard it there.
 */
function
absent(j, c)
{
	const mine = [...j.sessions.values()].filter(s => s.c === c.c)
	    .sort((x, y) => x.t - y.t);
	if ([...j.clients.values()].some(o => o.uid === c.uid && o.c !== c.c))
		return;
	const heard = new Set(mine.flatMap(s => [...s.texts]));
	for (const [conv, log] of j.logs) {
		if (!conv.startsWith('p:') || !conv.split(':').includes(c.uid))
			continue;
		for (const r of log.values()) {
			/* what was recalled is not said to him */
			const sent = !r.cmd && !r.gone && j.sends.get(r.body);
			const ack = sent && j.acks.get(sent.cid);
			if (!ack || sent.uid === c.uid || heard.has(r.body))
				continue;
			const before = mine.filter(s => s.t <= ack.t);
			const next = mine[before.length];
			if (before.some(s => !s.shut || s.shut > sent.t - AWAY_MS) ||
			    !next || (next.shut || j.endedAt) - next.t < STAY_MS)
				continue;
			j.say('absent', `${c.uid} (v1) never gets ${r.seq} of ${conv}, ` +
			    `sent ${before.length ? 'while he was away' :
			    'before he first came'}`, r);
		}
	}
}

export function
checkV1(j)
{
	order(j);
	for (const s of j.sessions.values())
		if (s.client.v === 1 && !s.shut)
			due(j, s);
	for (const c of j.clients.values())
		if (c.v === 1)
			absent(j, c);
}
