/* SPDX-License-Identifier: MIT */
/*
 * The judge's word on who came and went (newUser, offline): a part of
 * judge.mjs, which gathers what this reads.
 *
 * An `offline` needs an absence longer than the grace, a `newUser` an arrival
 * after such a one (or the first); each explains one.  What was news when a
 * proxy fell may be told once more by the one that takes over; and when all of
 * them fell while somebody was away, even for a moment, nobody is left who knew
 * that he had been there; nor that it was no news when they fell, one after the
 * other, within ten seconds of his return (GUARANTEES.md says both).
 */
const SLACK = 1500;	/* ms by which two clocks of one event may differ */
const NEW_MS = 10000;	/* a return is not old news before */
const AGAIN = 8000;	/* a takeover so long after an event may tell it again */

/* "uid rid" -> [[from, to]]: when he was there, on whatever socket */
function
spansOf(here)
{
	const spans = new Map();
	for (const [key, list] of here) {
		const sorted = list.map(([a, b]) => [a, b ?? Infinity])
		    .sort((x, y) => x[0] - y[0]);
		const out = [];
		for (const x of sorted)
			if (out.length && x[0] <= out[out.length - 1][1])
				out[out.length - 1][1] = Math.max(x[1],
				    out[out.length - 1][1]);
			else
				out.push([...x]);
		spans.set(key, out);
	}
	return spans;
}

export function
checkPresence(j)
{
	const grace = j.meta.grace - SLACK;
	const spans = spansOf(j.here);
	for (const { kind, r, n, since } of j.changes) {
		const list = spans.get(`${r.uid} ${r.rid}`) ?? [];
		let ok = 0;
		list.forEach(([a, b], i) => {
			const prev = i ? list[i - 1][1] : -Infinity;
			const next = list[i + 1]?.[0] ?? Infinity;
			const at = kind === 'came' ? a : b + grace;
			const again = j.faults.filter(t => t > at - SLACK &&
			    t < at + AGAIN && t < r.t).length;
			const forgot = j.falls.filter(t => t > prev - SLACK &&
			    t < a + NEW_MS && t < r.t).length > 1;
			if (kind === 'came') {
				if ((a - prev >= grace || forgot) && a <= r.t + SLACK &&
				    a >= since - j.meta.grace)
					ok += 1 + again;
			} else if (Math.min(next, r.t) - b >= grace &&
			    Math.min(next, r.t) >= since - j.meta.grace)
				ok += 1 + again;
		});
		if (n > ok)
			j.say('presence', `${kind === 'came' ? 'newUser' :
			    'offline'} of ${r.uid} in ${r.rid}, told to session ` +
			    `${r.s}`, r);
	}
}
