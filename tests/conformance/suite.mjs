/* SPDX-License-Identifier: MIT */
/*
 * What a case sees: T, one connection to the server under test in echo or in
 * chat mode, and the list the case files add to.  In chat mode a text is the
 * `msg` of a message, and a second member of the room has to receive it.
 */
import { randomBytes } from 'node:crypto';
import { Fail, PATIENCE, Peer } from './peer.mjs';
import { PING, TEXT, closeFrame, frame, utf8 } from './wire.mjs';

export { Fail, PATIENCE };

export const cases = [];

/*
 * Adds a case.  o.mode: only in that mode.  o.bare: no connection is opened
 * for it.  o.slow: only with --slow.  o.alone: nothing runs beside it.
 * o.limit: ms it may take.
 */
export function
add(id, title, run, o = {})
{
	if (cases.some(k => k.id === id))
		throw new Error(`case ${id} twice`);
	cases.push({ id, title, run, ...o });
}

/* Frames a member of a room may get at any time. */
const CHATTER = new Set(['newUser', 'offline', 'presence', 'synced', 'ok',
    'login', 'status', 'mark', 'typing', 'notice', 'inbox', 'ping', 'move']);

let serial = 1000 + randomBytes(3).readUIntBE(0, 3) % 900000 * 1000;

export const freshRid = () => String(++serial);

export class T {
	constructor(opt)
	{
		this.opt = opt;
		this.chat = opt.mode === 'chat';
		this.target = opt.target;
		this.max = opt.maxMsg;
		this.frags = opt.maxFrags;
		this.peers = [];
		this.notes = [];
	}

	/* A connection of its own, upgraded unless told otherwise. */
	async peer(o = {})
	{
		const p = await Peer.open(this.target);
		this.peers.push(p);
		if (!o.raw)
			await p.handshake(this.target, o.extra);
		return p;
	}

	async start()
	{
		if (this.chat) {
			this.rid = freshRid();
			this.member = await this.person('member');
		}
		this.main = this.chat ? await this.person('speaker') :
		    await this.peer();
	}

	/* A peer logged in to this.rid (or o.rid), speaking version o.v (2). */
	async person(name, o = {})
	{
		const p = await this.peer();
		const login = { cmd: 'login', name, rid: o.rid ?? this.rid };
		if (o.uid)
			login.uid = o.uid;
		if (o.v !== 1)
			login.v = 2, login.cid = 'in';
		p.send(frame(TEXT, JSON.stringify(login)));
		const ans = await this.json(p, j => j.cmd === 'login' ||
		    j.cmd === 'error');
		if (ans.cmd === 'error')
			throw new Fail(`login refused: ${ans.errCode} ${ans.errMsg}`);
		p.uid = ans.uid;
		p.rate = ans.limit?.rate;
		return p;
	}

	/* The next JSON frame of p that want() takes; others are passed over. */
	async json(p, want, ms = PATIENCE)
	{
		const until = Date.now() + ms;
		for (;;) {
			const ev = await p.next(until - Date.now());
			if (ev.type !== 'text')
				throw new Fail(`${show(ev)} where JSON was due`);
			const j = parse(ev.text);
			if (want(j))
				return j;
		}
	}

	/*
	 * A text as it travels: {buf, from, to, text}; buf[from..to) is the text
	 * itself.  o.size makes the whole payload that long.
	 */
	msg(text, o = {})
	{
		const bytes = Buffer.isBuffer(text) ? text : null;
		const str = bytes ? utf8(bytes) : text;
		if (!this.chat) {
			const buf = bytes ?? Buffer.from(o.size === undefined ? text :
			    text.padEnd(o.size, '*'));
			return { buf, from: 0, to: buf.length, text: utf8(buf) };
		}
		const head = Buffer.from('{"cmd":"message","type":"text","rid":' +
		    `"${o.rid ?? this.rid}","msg":"`);
		const body = bytes ?? Buffer.from(JSON.stringify(text).slice(1, -1));
		const pad = o.size === undefined ? 0 :
		    o.size - head.length - body.length - 2;
		if (pad < 0)
			throw new Error(`no message fits ${o.size} bytes`);
		const tail = Buffer.from('"}' + ' '.repeat(pad));
		return { buf: Buffer.concat([head, body, tail]), from: head.length,
		    to: head.length + body.length, text: str };
	}

	send(...bufs)
	{
		this.main.send(...bufs);
	}

	/* The next event on the main connection that a case cares for. */
	async event(ms = PATIENCE)
	{
		const until = Date.now() + ms;
		for (;;) {
			const ev = await this.main.next(until - Date.now());
			if (!this.chat || ev.type !== 'text')
				return ev;
			const j = parse(ev.text);
			if (!CHATTER.has(j.cmd))
				return { ...ev, json: j };
		}
	}

	isEcho(ev, m)
	{
		return ev.type === 'text' && (this.chat ?
		    ev.json?.cmd === 'message' && ev.json.msg === m.text :
		    ev.text === m.text);
	}

	/* m comes back: to the sender, and in chat mode to the member. */
	async got(m, ms = PATIENCE)
	{
		const ev = await this.event(ms);
		if (!this.isEcho(ev, m))
			throw new Fail(`${show(ev)} where ${show(m)} was due`);
		if (this.chat)
			await this.memberGot(m, ms);
	}

	async memberGot(m, ms = PATIENCE)
	{
		const j = await this.json(this.member, x => x.cmd === 'message', ms);
		if (j.msg !== m.text)
			throw new Fail('the member got another text: ' +
			    show({ text: String(j.msg) }));
		if (j.uid !== this.main.uid)
			throw new Fail('the message carries another uid');
	}

	async binaryGot(bytes, ms = PATIENCE)
	{
		const ev = await this.event(ms);
		if (ev.type !== 'binary' || !ev.payload.equals(bytes))
			throw new Fail(`${show(ev)} where the binary echo was due`);
	}

	/* Says text and sees it arrive. */
	async says(text, o)
	{
		const m = this.msg(text, o);
		this.send(frame(TEXT, m.buf));
		await this.got(m);
	}

	async pong(payload = '')
	{
		const want = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
		const ev = await this.event();
		if (ev.type !== 'pong')
			throw new Fail(`${show(ev)} where a pong was due`);
		if (!ev.payload.equals(want))
			throw new Fail('a pong with another payload');
	}

	/*
	 * The server has to fail the connection: Close with one of the codes,
	 * then the end of TCP.  o.before: a good message it must still have
	 * handled; o.maybe: one it may have; o.drop: no Close needed.
	 */
	async fails(codes, o = {})
	{
		const want = [].concat(codes);
		let first = o.before;
		const until = Date.now() + (o.ms ?? PATIENCE);
		for (;;) {
			const ev = await this.event(until - Date.now());
			if (first && !this.chat) {
				if (!this.isEcho(ev, first))
					throw new Fail(`${show(ev)} before the echo`);
				first = null;
				continue;
			}
			if ((o.before && this.chat && this.isEcho(ev, o.before)) ||
			    (o.maybe && this.isEcho(ev, o.maybe)))
				continue;
			if (o.drop && ['end', 'reset', 'gone'].includes(ev.type))
				return;
			if (ev.type !== 'close')
				throw new Fail(`${show(ev)} where Close ${want} was due`);
			if (!want.includes(ev.code))
				throw new Fail(`Close ${ev.code} where ${want} was due`);
			break;
		}
		await this.tcpEnd();
		if (o.before && this.chat)
			await this.memberGot(o.before);
	}

	async tcpEnd()
	{
		const ev = await this.main.next();
		if (ev.type !== 'end')
			throw new Fail(`${show(ev)} where the end of TCP was due`);
	}

	/* A clean goodbye; anything unread before the Close is a failure. */
	async bye(code = 1000, reason = '')
	{
		this.send(closeFrame(code, reason));
		await this.fails(code === undefined ? [1000, 1005] : [code, 1000]);
	}

	/* Nothing but chatter for ms. */
	async quiet(ms)
	{
		const ev = await this.event(ms);
		if (ev.type !== 'silence')
			throw new Fail(`${show(ev)} where nothing was due`);
	}

	/* The server answers a ping, so all before it has been read. */
	async ping(p = this.main)
	{
		const tag = randomBytes(6);
		p.send(frame(PING, tag));
		const until = Date.now() + PATIENCE;
		for (;;) {
			const ev = await p.next(until - Date.now());
			if (ev.type === 'pong' && ev.payload.equals(tag))
				return;
			if (ev.type !== 'text')
				throw new Fail(`${show(ev)} where a pong was due`);
		}
	}

	end()
	{
		for (const p of this.peers)
			p.bye();
	}
}

/* A frame from the server in chat mode: always one JSON object with a cmd. */
export function
parse(text)
{
	let j;
	try {
		j = JSON.parse(text);
	} catch {
		throw new Fail(`not JSON from the server: ${text.slice(0, 80)}`);
	}
	if (j === null || typeof j !== 'object' || Array.isArray(j) ||
	    typeof j.cmd !== 'string')
		throw new Fail(`not an object with a cmd: ${text.slice(0, 80)}`);
	return j;
}

export function
show(ev)
{
	if (ev.type === undefined || ev.type === 'text') {
		const s = ev.text ?? '';
		return `text ${JSON.stringify(s.slice(0, 70))} (${s.length})`;
	}
	if (ev.type === 'close')
		return `Close ${ev.code} ${JSON.stringify(ev.reason)}`;
	if (ev.type === 'bad')
		return `a wrong frame (${ev.why})`;
	if (ev.type === 'reset')
		return `a reset (${ev.why})`;
	return ev.type;
}

export const sleep = ms => new Promise(r => setTimeout(r, ms));
