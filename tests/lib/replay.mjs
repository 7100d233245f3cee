/* SPDX-License-Identifier: MIT */
/*
 * Plays a recorded conversation against a server and compares.  Drawn user
 * ids are placeholders, bound at their first sight; everything else - keys,
 * types, values, who hears what and in which order - has to be as recorded,
 * but for the deviations a caller names, each with its reason.
 */
import assert from 'node:assert/strict';
import { Player } from './player.mjs';

export { load } from './player.mjs';

const drawn = uid => /^[1-9]\d{6}$/.test(uid);

/* Null where got is want; else what differs. */
export function
differs(want, got, ids)
{
	const a = JSON.parse(want);
	let b;
	try {
		b = JSON.parse(got);
	} catch {
		return 'not JSON';
	}
	const ka = Object.keys(a).sort().join(), kb = Object.keys(b).sort().join();
	if (ka !== kb)
		return `keys ${kb}, recorded ${ka}`;
	for (const k of Object.keys(a)) {
		if (typeof a[k] !== typeof b[k])
			return `${k} is a ${typeof b[k]}, recorded ${typeof a[k]}`;
		let expected = a[k];
		if (k === 'uid' && drawn(a[k])) {
			if (!drawn(b[k]))
				return `uid ${b[k]} is not 1000000..9999999`;
			if (!ids.has(a[k]))
				ids.set(a[k], b[k]);
			expected = ids.get(a[k]);
		}
		if (JSON.stringify(expected) !== JSON.stringify(b[k]))
			return `${k} is ${JSON.stringify(b[k])}, recorded ` +
			    JSON.stringify(expected);
	}
	return null;
}

/*
 * records: of load(); server(url): where to connect instead; o.deviations:
 * [{who, after, frame, why, optional}], extra frames `who` may get (must get,
 * unless optional) once the record of time `after` was played.
 */
export async function
replay(records, server, o = {})
{
	const players = new Map(), ids = new Map(), used = new Set();
	const start = performance.now() / 1000;
	let clock = 0;

	const excused = (who, text) => {
		const d = (o.deviations ?? []).find(x => !used.has(x) &&
		    x.who === who && clock >= x.after &&
		    differs(JSON.stringify(x.frame), text, new Map()) === null);
		if (d)
			used.add(d);
		return d;
	};
	for (const [i, r] of records.entries()) {
		const at = `record ${i + 1} (${r.who} ${r.dir})`;
		const p = players.get(r.who);

		if (['open', 'send', 'close'].includes(r.dir)) {
			/* Gaps are part of the recording: the rate limit. */
			const wait = r.t - (performance.now() / 1000 - start);
			if (wait > 0)
				await new Promise(x => setTimeout(x, wait * 1000));
			clock = r.t;
		}
		if (r.dir === 'open') {
			const n = new Player(server(r.url));
			await n.opened;
			players.set(r.who, n);
		} else if (r.dir === 'send')
			p.ws.send(r.frame);
		else if (r.dir === 'recv') {
			for (;;) {
				const got = await p.next(o.patience ?? 3000);
				assert.ok(got !== null, `${at}: nothing came; recorded ` +
				    r.frame);
				const why = differs(r.frame, got, ids);
				if (why === null)
					break;
				if (!excused(r.who, got))
					assert.fail(`${at}: ${why}\n got ${got}\n ` +
					    `recorded ${r.frame}`);
			}
		} else if (r.dir === 'close') {
			/* Nobody may have heard more than was recorded. */
			await new Promise(x => setTimeout(x, 100));
			await p.settled();
			const after = clock;
			clock = Infinity;
			for (const extra of p.frames.splice(0))
				assert.ok(excused(r.who, extra),
				    `${r.who} got more than was recorded: ${extra}`);
			clock = after;
			p.ws.close();
			await p.gone;
		}
	}
	for (const [, p] of players)
		p.ws.terminate();
	for (const d of o.deviations ?? [])
		assert.ok(d.optional || used.has(d),
		    `a deviation did not happen: ${JSON.stringify(d)}`);
	return used;
}
