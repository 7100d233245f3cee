/* SPDX-License-Identifier: MIT */
/* What `cchatctl verify` prints: its progress on a terminal, and its report. */
import { PROMISES, WRONG } from './judge.mjs';

const FINDINGS = 10;

const plain = process.env.NO_COLOR !== undefined && process.env.NO_COLOR !== '';
const paint = to => to.isTTY && !plain ? (code, s) => `\x1b[${code}m${s}\x1b[0m` :
    (_, s) => s;
const BOLD = 1, DIM = 2, RED = 31, GREEN = 32, YELLOW = 33;

const num = n => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');
const many = (n, one, more = `${one}s`) => `${num(n)} ${n === 1 ? one : more}`;
const time = ms => ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ?
    `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;

/* One line that is written over, on a terminal; nothing anywhere else. */
export class Progress {
	constructor(o, watch, crowd)
	{
		this.o = o;
		this.crowd = crowd;
		this.on = process.stderr.isTTY;
		const v1 = crowd.people.filter(p => p.v === 1).length;
		if (o.json)
			return;
		const c = paint(process.stdout);
		const put = (what, text) => process.stdout.write(
		    `${what.padEnd(14)}${text}\n`);
		put('load', c(BOLD, `${many(o.clients, 'client')} (${v1} of ` +
		    `version 1), ${many(o.rooms, 'room')}, ` +
		    `${many(o.rate, 'message')}/s, ${o.seconds} s`));
		put('seed', o.seed);
		watch.urls.forEach((u, i) => put(i ? '' : 'servers', c(DIM, u)));
	}

	say(s)
	{
		if (this.on && !this.o.json)
			process.stderr.write(`\r\x1b[K  ${s.slice(0,
			    Math.max(20, (process.stderr.columns || 80) - 3))}`);
	}

	show(t, v)
	{
		const { crowd } = this, all = crowd.people.length;
		const out = all - crowd.ready;
		this.say(`${Math.floor(t)} of ${this.o.seconds} s: ` +
		    `${num(crowd.serial)} sent, ${num(crowd.acked)} acked, ` +
		    `${num(v.received)} received` +
		    `${out ? `, ${out} of ${all} out` : ''}`);
	}

	clear()
	{
		if (this.on && !this.o.json)
			process.stderr.write('\r\x1b[K');
	}
}

const quantile = (a, p) => a.length ? a[Math.min(a.length - 1,
    Math.floor(a.length * p))] : 0;

/* all that is to be said, as one object: what --json prints */
export function
summary(run, v)
{
	const { crowd, o } = run, ms = crowd.ackMs.sort((x, y) => x - y);
	const round = x => Math.round(x * 10) / 10;
	const findings = [...run.stuck.map(why => ({ what: 'unacked', why })),
	    ...v.wrong.map(({ what, why }) => ({ what, why }))];
	const counts = { ...v.count };
	if (run.stuck.length)
		counts.unacked = (counts.unacked ?? 0) + run.stuck.length;
	/* what nobody tried is not said to be kept */
	const promises = Object.fromEntries(Object.entries(PROMISES)
	    .filter(([id, [, ...words]]) => id !== 'changes' || v.n.changes ||
	    words.some(w => counts[w]))
	    .map(([id, [text, ...words]]) => {
		const broken = Object.fromEntries(words.filter(w => counts[w])
		    .map(w => [w, counts[w]]));
		const judged = !(v.n.unkept && id === 'G1');
		return [id, { text, kept: !Object.keys(broken).length, judged,
		    broken }];
	}));
	/* who was shown nothing may not call it clean */
	const shown = v.n.acked > 0;
	const clean = shown && Object.values(promises).every(p => p.kept);
	const full = [...run.resumes.values()];
	return { clean, shown, seed: o.seed, clients: o.clients, rooms: o.rooms,
		rate: o.rate, seconds: round(run.talked ?? 0),
		sent: v.n.sent, sent_v1: v.n.sent_v1, acked: v.n.acked,
		received: run.received,
		refused: crowd.refusals, reconnects: run.reconnects - run.moves,
		moves: run.moves, resumes: full.length,
		resumes_partial: full.filter(x => !x).length,
		ack_ms: { p50: round(quantile(ms, 0.5)),
		    p95: round(quantile(ms, 0.95)),
		    p99: round(quantile(ms, 0.99)), max: round(quantile(ms, 1)) },
		no_ack_ms: Math.round(crowd.silentMs),
		no_socket_ms: Math.round(crowd.outMs),
		histories: v.n.eps, promises, findings: findings.slice(0, 100) };
}

const row = (what, n, more) => `${what.padEnd(14)}${num(n).padStart(9)}` +
    `${more ? `  ${more}` : ''}\n`;

export function
text(s, c)
{
	const a = s.ack_ms;
	let out = '\n';
	out += row('sent', s.sent, s.sent_v1 ? `${num(s.sent_v1)} of them by ` +
	    'version 1, which gets no acks' : '');
	out += row('acked', s.acked, `${time(a.p50)} (p50)  ${time(a.p95)} (p95)  ` +
	    `${time(a.p99)} (p99)  ${time(a.max)} (max)`);
	out += row('received', s.received);
	if (s.refused)
		out += row('refused', s.refused, 'for the moment (busy, too fast), ' +
		    'and sent again');
	out += row('reconnects', s.reconnects, s.resumes ? `resumed ` +
	    `${num(s.resumes)}${s.resumes_partial ? `, ${num(s.resumes_partial)} ` +
	    'of them told that something is gone' : ', all in full'}` : '');
	if (s.moves)
		out += row('moved', s.moves, 'to another server when told to, the ' +
		    'new socket first');
	out += `${'longest time'.padEnd(14)}${time(s.no_ack_ms).padStart(9)}  ` +
	    'without an ack';
	out += s.no_socket_ms ? `; ${time(s.no_socket_ms)} without a socket, of ` +
	    'one client\n\n' : '\n\n';
	for (const [id, p] of Object.entries(s.promises)) {
		const words = Object.entries(p.broken).map(([w, n]) => `${w} ${n}`);
		const name = (/^G\d/.test(id) ? `${id}  ` : '    ') + p.text;
		out += `${name.padEnd(51)}${!p.kept ? c(RED, `BROKEN  ${words
		    .join(', ')}`) : p.judged ? c(GREEN, 'kept') :
		    c(YELLOW, 'not judged: this cluster keeps nothing')}\n`;
	}
	if (s.histories > 1)
		out += `\nthe history got a new name ${s.histories - 1} times: a ` +
		    'restored backup, or a power loss where\nsync is not full\n';
	if (s.findings.length) {
		out += '\n';
		for (const f of s.findings.slice(0, FINDINGS))
			out += `${c(RED, f.what.padEnd(9))} ${f.why}\n` +
			    c(DIM, `${''.padEnd(10)}${WRONG[f.what] ?? ''}\n`);
		const n = Object.values(s.promises).flatMap(p =>
		    Object.values(p.broken)).reduce((x, y) => x + y, 0);
		if (n > FINDINGS)
			out += `... ${num(n - FINDINGS)} more\n`;
	}
	if (!s.shown && Object.values(s.promises).every(p => p.kept))
		return `${out}\n${c(RED, 'NOTHING SHOWN')}: no message was acked\n`;
	return `${out}\n${s.clean ? c(GREEN, 'clean') : c(RED, 'BROKEN')}` +
	    `${s.clean ? '' : `; again with --seed ${s.seed}, and --records FILE ` +
	    'keeps what everybody wrote down'}\n`;
}

/* prints it; true: every promise was kept */
export function
report(run, v)
{
	const s = summary(run, v);
	process.stdout.write(run.o.json ? `${JSON.stringify(s)}\n` :
	    text(s, paint(process.stdout)));
	return s.clean;
}
