/* SPDX-License-Identifier: MIT */
/* What the reference server does with messages: echo, or a small chat; see
 * items.mjs for what changes them. */
import { randomInt } from 'node:crypto';
import { ItemsConn, id } from './items.mjs';

export class ChatConn extends ItemsConn {
	message(text, body)
	{
		if (this.w.mode === 'echo')
			return this.out(text ? 1 : 2, body);
		this.chat(body.toString());
	}

	json(o)
	{
		this.out(1, Buffer.from(JSON.stringify(o)));
	}

	error(code, text, cid)
	{
		if (!this.bug('error-then-silence') || !this.mute)
			this.json({ cmd: 'error', errCode: code, errMsg: text,
			    ...(cid && this.v2 ? { cid } : {}) });
		this.mute = true;
	}

	chat(s)
	{
		let o;
		try {
			o = strictJson(s, this.bug);
		} catch {
			return this.error(101, '无效的命令[1]');
		}
		if (this.bug('crash-non-object') && o === null)
			setImmediate(() => { throw new Error('planted crash'); });
		if (o === null || typeof o !== 'object' || Array.isArray(o) ||
		    typeof o.cmd !== 'string' || !o.cmd)
			return this.error(101, '无效的命令[1]');
		const cmd = this.bug('prefix-command') &&
		    o.cmd.startsWith('message') ? 'message' : o.cmd;
		if (cmd === 'login')
			this.login(o);
		else if (cmd === 'message')
			this.say(o);
		else if (cmd === 'leave' && this.v2)
			this.leave(o);
		else if (cmd === 'proxySet' && this.bug('proxy-tap')) {
			this.w.taps.add(this);
			this.error(102, 'tap');
		} else if (cmd === 'proxyMsg' && this.bug('proxy-forge'))
			this.room(String(o.rid), { ...o, cmd: 'message' });
		else if (cmd === 'debug' && this.bug('debug-leak'))
			this.json({ cmd: 'debug', data1: [...this.w.rooms.keys()] });
		else if (!this.item(o))
			this.error(102, '无效的命令[2]', o.cid);
	}

	room(rid, o, but)
	{
		for (const c of this.w.rooms.get(rid) ?? [])
			if (c !== but)
				c.json(o);
	}

	leaveAll()
	{
		clearTimeout(this.timer);
		this.w.taps.delete(this);
		for (const rid of this.rooms.keys()) {
			const r = this.w.rooms.get(rid);
			r?.delete(this);
			if (r && !r.size) {
				this.w.rooms.delete(rid);
				this.w.logs.delete(rid);
			}
		}
	}

	login(o)
	{
		const v2 = o.v === 2, bad = v2 || this.v2 ? 400 : 50;
		const name = typeof o.name === 'string' ?
		    o.name.replace(/[\u0001-\u001f\u007f-\u009f\u202a-\u202e]/g, '')
			.trim() : '';
		if (!this.bug('name-unchecked') && (!name || name.includes('\0') ||
		    [...name].length > 32 || Buffer.byteLength(name) > 64))
			return this.error(bad, '姓名不合法', o.cid);
		const rid = id(o.rid);
		if (!rid && !this.bug('rid-unchecked'))
			return this.error(bad, '聊天室参数不正确', o.cid);
		if (o.cid !== undefined && !cidOk(o.cid))
			return this.error(bad, 'cid');
		let uid = o.uid === undefined || o.uid === '' || o.uid === null ?
		    null : id(o.uid);
		if (uid === null && o.uid !== undefined && o.uid !== '' &&
		    o.uid !== null)
			return this.error(bad, 'uid', o.cid);
		if (uid && /^\d{16}$/.test(uid) && !this.bug('uid-stolen'))
			return this.error(v2 ? 401 : 50, '该用户需要凭证', o.cid);
		if (!this.me) {
			uid ??= String(v2 ? 1e15 + randomInt(2 ** 47) :
			    randomInt(1000000, 10000000));
			this.me = { uid, name };
			this.v2 = v2;
		}
		if (rid) {
			this.rooms.set(rid, true);
			if (!this.w.rooms.has(rid))
				this.w.rooms.set(rid, new Set());
			this.w.rooms.get(rid).add(this);
		}
		this.json({ cmd: 'login', name, uid: this.me.uid, rid: o.rid,
		    ...(v2 ? { v: 2, cid: o.cid, sid: 's', pos: {},
			limit: { msg: 4096, rate: [100000, 100000] } } : {}) });
		this.room(rid, { cmd: 'newUser', name, uid: this.me.uid, rid: o.rid },
		    this);
	}

	say(o)
	{
		const bad = this.v2 ? 400 : 50;
		if (!['text', 'audio', 'pic'].includes(o.type))
			return this.error(bad, '不支持的消息类型', o.cid);
		if (typeof o.msg !== 'string')
			return this.error(bad, '缺少消息内容', o.cid);
		if (Buffer.byteLength(o.msg) > (this.v2 ? 4096 : 1024) &&
		    !this.bug('msg-limit'))
			return this.error(this.v2 ? 413 : 50, '消息内容过长', o.cid);
		const none = [undefined, null, ''].includes(o.tid);
		const tid = none ? null : id(o.tid), rid = id(o.rid);
		if (!none && !tid)
			return this.error(bad, '私信用户不正确', o.cid);
		if (!rid)
			return this.error(bad, '聊天室参数不正确', o.cid);
		if (o.cid !== undefined && !cidOk(o.cid))
			return this.error(bad, 'cid');
		if (!this.me)
			return this.error(50, '您已丢失登录信息', o.cid);
		if (!this.rooms.has(rid) && !this.bug('foreign-room'))
			return this.error(this.v2 ? 403 : 50, '您不在该聊天室', o.cid);
		const at = this.v2 ? this.called(o.at) : undefined;
		if (at === null)
			return this.error(400, 'at', o.cid);
		const conv = tid ? `@${[tid, this.me.uid].sort().join('@')}` : rid;
		const log = this.log(conv), seq = ++log.seq;
		const msg = this.bug('nul-cuts') ? o.msg.split('\0')[0] : o.msg;
		const doc = { cmd: 'message', type: o.type, uid: this.me.uid,
		    name: this.me.name, msg, rid,
		    ...(tid ? { tid } : {}) };
		if (this.bug('sender-spoof'))
			Object.assign(doc, { uid: o.uid ?? doc.uid,
			    name: o.name ?? doc.name });
		for (const t of this.w.taps)
			t.json(doc);
		const more = { seq, mid: `r:${rid}/${seq}`, ts: Date.now(),
		    ...(at ? { at } : {}) };
		log.items.push({ ...doc, ...more });
		for (const c of this.w.rooms.get(rid) ?? []) {
			if (tid && c !== this && c.me.uid !== tid &&
			    !this.bug('private-leak'))
				continue;
			if (c.v2 || this.bug('keys-to-v1'))
				c.json({ ...doc, ...more });
			else if (c !== this)
				c.json(doc);
		}
		if (o.cid && this.v2)
			this.json({ cmd: 'ok', cid: o.cid, rid, seq });
	}

	leave(o)
	{
		const rid = id(o.rid);
		this.rooms.delete(rid);
		if (!this.bug('leave-deaf'))
			this.w.rooms.get(rid)?.delete(this);
		this.json({ cmd: 'ok', cid: o.cid, rid });
	}
}

const cidOk = x => typeof x === 'string' && /^[\x20-\x7e]{1,64}$/.test(x);

/* JSON.parse, and then no duplicate key, depth over 16 or lone surrogate. */
function
strictJson(s, bug)
{
	const stack = [];
	let key = null, depth = 0;
	for (const m of s.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs)) {
		const x = m[0];
		if (x === '{' || x === '[') {
			stack.push(x === '{' ? new Set() : null);
			if (++depth > 16 && !bug('depth'))
				throw new Error('too deep');
			if (depth > 5000)
				throw new Error('too deep');
		} else if (x === '}' || x === ']') {
			stack.pop();
			depth--;
		} else if (x[0] === '"')
			key = x;
		else if (x === ':') {
			const k = JSON.parse(key), seen = stack.at(-1);
			if (seen?.has(k) && !bug('duplicate-keys'))
				throw new Error('duplicate key');
			seen?.add(k);
		}
	}
	const o = JSON.parse(s);
	const walk = x => {
		if (typeof x === 'string' && !x.isWellFormed() &&
		    !bug('lone-surrogate'))
			throw new Error('lone surrogate');
		if (typeof x === 'number' && !Number.isFinite(x))
			throw new Error('too large');
		if (x && typeof x === 'object')
			for (const [k, v] of Object.entries(x)) {
				walk(k);
				walk(v);
			}
	};
	walk(o);
	return o;
}
