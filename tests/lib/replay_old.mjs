/* SPDX-License-Identifier: MIT */
/*
 * Plays a recorded conversation of one of the older systems against a server
 * and compares: who hears what, in which order, with which keys and types.
 * What differs from one run to the next - times, numbers of connections - is a
 * kind of placeholder that the caller names; a name is bound at its first
 * sight, one to one, and is put into what is sent later.  Everything else is
 * as recorded, but for the deviations a caller names, each with its reason.
 *
 * kinds: [{ name, match, bind, keys }]
 *   match  RegExp for a whole string, or function(value) for anything else
 *   bind   the same recorded value stands for the same value that came, and
 *          another for another; else anything that matches will do
 *   keys   only as the value of these keys (default: wherever it stands, also
 *          as the name of a member)
 * deviations: [{ who, why, ... }], of one of these forms
 *   t, change   what `who` hears at the record of that time, made of what was
 *               recorded (function of the frame)
 *   t, missing  what was recorded there does not come
 *   after, frame  one more frame, once the record of that time was played;
 *               optional: it need not come; many: it may come again
 *   t, http     status, headers or body instead of the recorded ones
 * In a deviation's frame a value of a kind that was recorded stands for what
 * it is bound to.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import { Player } from './player.mjs';

export { load } from './player.mjs';

/* What recorded values stand for in this run. */
export class Names {
	constructor(kinds)
	{
		this.kinds = kinds ?? [];
		this.got = this.kinds.map(() => new Map());
		this.was = this.kinds.map(() => new Map());
	}

	find(value, key)
	{
		return this.kinds.findIndex(k => (!k.keys || k.keys.includes(key)) &&
		    (k.match instanceof RegExp ? typeof value === 'string' &&
		    k.match.test(value) : k.match(value)));
	}

	/* Null where got may stand for want, undefined where neither is of a kind. */
	differs(want, got, key, learn)
	{
		const i = this.find(want, key);
		if (i < 0)
			return undefined;
		const k = this.kinds[i];
		if (typeof want !== typeof got || this.find(got, key) !== i)
			return `is ${JSON.stringify(got)}, not a ${k.name}`;
		if (!k.bind)
			return null;
		const has = this.got[i].get(want), back = this.was[i].get(got);
		if (has === undefined && back === undefined) {
			learn.push([i, want, got]);
			return null;
		}
		if (has === got)
			return null;
		return `is ${JSON.stringify(got)}, that is ` +
		    `${back ?? 'nobody'}; recorded ${want}, that is ${has}`;
	}

	learn(list)
	{
		for (const [i, want, got] of list) {
			this.got[i].set(want, got);
			this.was[i].set(got, want);
		}
	}

	/* A recorded text with what its names stand for now. */
	put(text)
	{
		this.kinds.forEach((k, i) => {
			if (!k.bind)
				return;
			for (const [want, got] of this.got[i])
				text = typeof want === 'string' ?
				    text.replaceAll(want, got) : text.replace(
				    new RegExp(`("(?:${(k.keys ?? []).join('|')})"` +
				    `\\s*:\\s*)${want}(?!\\d)`, 'g'), `$1${got}`);
		});
		return text;
	}
}

const type = v => v === null ? 'null' : Array.isArray(v) ? 'list' : typeof v;

/* Null where got is want, values of a kind apart; else what differs. */
function
compare(want, got, names, key, at, learn)
{
	const kind = names.differs(want, got, key, learn);
	if (kind !== undefined)
		return kind === null ? null : `${at} ${kind}`;
	if (type(want) !== type(got))
		return `${at} is a ${type(got)}, recorded a ${type(want)}`;
	if (type(want) === 'list') {
		if (want.length !== got.length)
			return `${at} has ${got.length}, recorded ${want.length}`;
		for (let i = 0; i < want.length; i++) {
			const why = compare(want[i], got[i], names, key,
			    `${at}[${i}]`, learn);
			if (why)
				return why;
		}
		return null;
	}
	if (type(want) !== 'object')
		return want === got ? null : `${at} is ${JSON.stringify(got)}, ` +
		    `recorded ${JSON.stringify(want)}`;
	return members(want, got, names, at, learn);
}

function
members(want, got, names, at, learn)
{
	const left = new Set(Object.keys(got));
	const known = k => {
		const i = names.find(k);
		if (i < 0 || !names.kinds[i].bind)
			return k;
		return names.got[i].get(k) ??
		    learn.find(l => l[0] === i && l[1] === k)?.[2];
	};
	const open = [];
	for (const k of Object.keys(want)) {
		const g = known(k);
		if (g === undefined) {
			open.push(k);
			continue;
		}
		if (!left.delete(g))
			return `${at} has no ${g}, has ${Object.keys(got)}`;
		const why = compare(want[k], got[g], names, k, `${at}.${k}`, learn);
		if (why)
			return why;
	}
	/* names not seen before: any member not taken that fits */
	for (const k of open) {
		let why = 'has none';
		const fit = [...left].find(g => {
			const l = [...learn];
			why = names.differs(k, g, undefined, l) ??
			    compare(want[k], got[g], names, k, `${at}.${k}`, l);
			if (why === null)
				learn.splice(0, learn.length, ...l);
			return why === null;
		});
		if (fit === undefined)
			return `${at} lacks ${k}: ${why}`;
		left.delete(fit);
	}
	return left.size ? `${at} has ${[...left]}, recorded only ` +
	    Object.keys(want) : null;
}

const json = text => {
	try {
		return { value: JSON.parse(text) };
	} catch {
		return null;
	}
};

/* Null where the text that came is the recorded one; else what differs. */
export function
differs(want, got, names)
{
	const a = json(want), b = json(got), learn = [];
	let why;
	if (a && b)
		why = compare(a.value, b.value, names, undefined, 'frame', learn);
	else
		why = want === got ? null : 'is another text';
	if (why === null)
		names.learn(learn);
	return why;
}

/* Resolves to {status, headers, body}. */
function
request(port, r)
{
	return new Promise((resolve, reject) => {
		const req = http.request({ host: '127.0.0.1', port, path: r.path,
		    method: r.method, agent: false, headers: { ...r.headers,
		    ...r.body === undefined || r.body === null ? {} :
		    { 'content-length': Buffer.byteLength(r.body) } } }, res => {
			const parts = [];
			res.on('data', b => parts.push(b));
			res.on('end', () => resolve({ status: res.statusCode,
			    headers: res.headers,
			    body: Buffer.concat(parts).toString() }));
			res.on('error', reject);
		});
		req.on('error', reject);
		req.end(r.body ?? undefined);
	});
}

/*
 * records: of load().  o.url(recorded url) and o.http(record): where to connect,
 * a port for HTTP; o.kinds, o.deviations; o.headers: names of the HTTP headers
 * that are compared; o.scale: how much faster than recorded (1); o.patience:
 * ms until what was recorded must be there (10000).
 */
export async function
replayOld(records, o)
{
	const names = new Names(o.kinds), players = new Map(), used = new Set();
	const asked = [], patience = o.patience ?? 10000;
	const start = performance.now() / 1000;
	let clock = 0;

	const planned = r => (o.deviations ?? []).find(d => d.t === r.t &&
	    d.who === r.who && !used.has(d));
	const excused = (who, text) => {
		const d = (o.deviations ?? []).find(x => x.after !== undefined &&
		    x.who === who && clock >= x.after && (x.many || !used.has(x)) &&
		    differs(JSON.stringify(x.frame), text, names) === null);
		if (d)
			used.add(d);
		return d;
	};
	const heard = async (r, at) => {
		const d = planned(r);
		if (d)
			used.add(d);
		if (d?.missing)
			return;
		const want = d ? JSON.stringify(d.change(JSON.parse(r.frame))) :
		    r.frame;
		for (;;) {
			const got = await players.get(r.who).next(patience);
			assert.ok(got !== null, `${at}: nothing came; due ${want}`);
			const why = differs(want, got, names);
			if (why === null)
				return;
			if (!excused(r.who, got))
				assert.fail(`${at}: ${why}\n got ${got}\n due ${want}`);
		}
	};
	const answered = (r, want, got, at) => {
		const d = planned(r);
		if (d)
			used.add(d);
		const due = { ...want, ...d?.http,
		    headers: { ...want.headers, ...d?.http?.headers } };
		assert.equal(got.status, due.status, `${at}: status, ${got.body}`);
		const why = differs(due.body ?? '', got.body, names);
		assert.equal(why, null, `${at}: ${why}\n got ${got.body}\n due ` +
		    due.body);
		for (const h of o.headers ?? [])
			assert.equal(got.headers[h], due.headers[h] ?? undefined,
			    `${at}: header ${h}`);
	};
	/* Nobody may have heard more than was recorded. */
	const quiet = async who => {
		const p = players.get(who);
		await new Promise(x => setTimeout(x, 100));
		await p.settled();
		const now = clock;
		clock = Infinity;
		for (const extra of p.frames.splice(0))
			assert.ok(excused(who, extra),
			    `${who} got more than was recorded: ${extra}`);
		clock = now;
	};

	for (const [i, r] of records.entries()) {
		const at = `record ${i + 1} (${r.t} ${r.who} ${r.dir})`;
		const p = players.get(r.who);

		if (['open', 'send', 'close', 'http', 'http-request']
		    .includes(r.dir)) {
			/* Gaps are part of the recording: what came of the last. */
			const wait = r.t / (o.scale ?? 1) -
			    (performance.now() / 1000 - start);
			if (wait > 0)
				await new Promise(x => setTimeout(x, wait * 1000));
			clock = r.t;
		}
		if (r.dir === 'open') {
			const n = new Player(o.url(r.url));
			await n.opened;
			players.set(r.who, n);
		} else if (r.dir === 'send') {
			p.ws.send(names.put(r.frame));
		} else if (r.dir === 'recv') {
			await heard(r, at);
		} else if (r.dir === 'close') {
			/* those who went at the same time hear of none of them */
			const all = records.slice(i).filter(x => x.t === r.t &&
			    x.dir === 'close').map(x => x.who);
			if (p.over)
				continue;
			for (const who of all)
				await quiet(who);
			for (const who of all) {
				players.get(who).over = true;
				players.get(who).ws.close();
			}
			await p.gone;
		} else if (r.dir === 'closed' && !p.closed) {
			await Promise.race([p.gone, new Promise(x =>
			    setTimeout(x, patience))]);
			assert.ok(p.closed, `${at}: it is still open`);
		} else if (r.dir === 'http') {
			const q = { ...r.request, path: names.put(r.request.path),
			    body: r.request.body && names.put(r.request.body) };
			answered(r, r.response, await request(o.http(r), q), at);
		} else if (r.dir === 'http-request') {
			asked.push({ path: r.path, answer: request(o.http(r), {
			    ...r, path: names.put(r.path),
			    body: r.body && names.put(r.body) }) });
		} else if (r.dir === 'http-response') {
			const q = asked.splice(asked.findIndex(
			    x => x.path === r.path), 1)[0];
			let timer;
			const got = await Promise.race([q.answer, new Promise((_, no) => {
				timer = setTimeout(() => no(new Error(
				    `${at}: no answer; due ${r.body}`)), patience);
			})]).finally(() => clearTimeout(timer));
			answered(r, r, got, at);
		}
	}
	for (const p of players.values())
		p.ws.terminate();
	for (const d of o.deviations ?? [])
		assert.ok(d.optional || used.has(d),
		    `a deviation did not happen: ${JSON.stringify(d)}`);
	return { names, used };
}
