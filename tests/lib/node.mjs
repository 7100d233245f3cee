/* SPDX-License-Identifier: MIT */
/*
 * A daemon as the config_server sees one: joins over the link protocol, beats,
 * is told the list and its jobs, and does nothing but what a test says.  For
 * the half of the work that is the config_server's.
 */
import { createHmac, randomBytes } from 'node:crypto';
import net from 'node:net';
import { until } from './cluster.mjs';

const HELLO = 1, PROVE = 2, PING = 4, PONG = 5, ERROR = 7, JOIN = 60,
    BEAT = 61, TOPO = 62, JOB = 64, JOINED = 65;

const table = Int32Array.from({ length: 256 }, (_, n) => {
	for (let i = 0; i < 8; i++)
		n = n & 1 ? n >>> 1 ^ 0x82f63b78 : n >>> 1;
	return n;
});
const crc32c = b => {
	let c = -1;
	for (const x of b)
		c = table[(c ^ x) & 255] ^ c >>> 8;
	return ~c >>> 0;
};

const u8 = v => Buffer.from([v]);
const u32 = v => { const b = Buffer.alloc(4); b.writeUInt32LE(v); return b; };
const u64 = v => {
	const b = Buffer.alloc(8);
	b.writeBigUInt64LE(BigInt(v));
	return b;
};
const str = s => {
	const b = Buffer.from(s ?? ''), n = Buffer.alloc(2);
	n.writeUInt16LE(s === undefined ? 0xffff : b.length);
	return Buffer.concat([n, b]);
};

export class Node {
	/* o: {at: 'HOST:PORT', key: Buffer, name, role (1 msg), inc (1)} */
	constructor(o)
	{
		Object.assign(this, { role: 1, inc: 1, cluster: 'cchat' }, o);
		this.jobs = [];		/* {id, kind, args} */
		this.beat = { conns: 0, state: 1, job: 0, left: 0, moved: 0 };
		this.topo = null;
	}

	/* Resolves when it has joined and said how it is. */
	static async join(o)
	{
		const n = new Node(o);
		await n.connect();
		return n;
	}

	async connect()
	{
		this.bytes = Buffer.alloc(0);
		this.joined = this.upgraded = this.ended = false;
		this.nonce = randomBytes(32);
		const [host, port] = this.at.split(':');
		this.socket = net.connect(Number(port), host);
		this.socket.on('error', () => {});
		this.socket.on('close', () => {
			this.ended = true;
			clearInterval(this.timer);
		});
		this.socket.on('data', b => this.read(b));
		this.socket.write(`GET /link HTTP/1.1\r\nHost: ${this.at}\r\n` +
		    'Connection: Upgrade\r\nUpgrade: cchat-link\r\n\r\n');
		await until(`${this.name} joins`, () => this.joined);
		this.timer = setInterval(() => this.say(), 500).unref();
		this.say();
	}

	get id()
	{
		return Buffer.concat([u8(this.role), str(this.name),
		    str(this.cluster), u32(0), u32(this.inc)]);
	}

	frame(type, ...fields)
	{
		const body = Buffer.concat([u8(type), u8(0), Buffer.alloc(2),
		    ...fields]);
		this.socket.write(Buffer.concat([u32(body.length + 4), body,
		    u32(crc32c(body))]));
	}

	read(b)
	{
		this.bytes = Buffer.concat([this.bytes, b]);
		if (!this.upgraded) {
			const end = this.bytes.indexOf('\r\n\r\n');
			if (end < 0)
				return;
			this.bytes = this.bytes.subarray(end + 4);
			this.upgraded = true;
			this.frame(HELLO, u8(1), u8(1), this.id, this.nonce);
		}
		while (this.bytes.length >= 4) {
			const n = this.bytes.readUInt32LE();
			if (this.bytes.length < 4 + n)
				return;
			const f = this.bytes.subarray(4, 4 + n - 4);
			this.bytes = this.bytes.subarray(4 + n);
			this.take(f[0], f.subarray(4));
		}
	}

	take(type, b)
	{
		if (type === HELLO) {
			const peer = b.subarray(2, b.length - 32);
			this.frame(PROVE, createHmac('sha256', this.key).update(
			    Buffer.concat([Buffer.from('link-v1d'), this.id, peer,
			    this.nonce, b.subarray(b.length - 32)])).digest());
		} else if (type === PROVE) {
			this.frame(JOIN, str(this.name), str('test'), u8(this.role),
			    u32(0), u32(this.inc), u32(1), u32(100), str(), str(),
			    str(), str(`ws://127.0.0.1:1/${this.name}`));
		} else if (type === JOINED) {
			this.joined = true;
		} else if (type === PING) {
			this.frame(PONG, b);
		} else if (type === TOPO) {
			this.topo = JSON.parse(b.subarray(12));
		} else if (type === ERROR) {
			this.why = b.subarray(4).toString();
		} else if (type === JOB) {
			const k = b.readUInt16LE(8);
			const args = b.subarray(10 + k + 4);
			this.jobs.push({ id: Number(b.readBigUInt64LE()),
			    kind: b.toString('utf8', 10, 10 + k),
			    args: args.length ? JSON.parse(args) : null });
		}
	}

	/* A beat, with these figures from now on. */
	say(o = {})
	{
		const v = Object.assign(this.beat, o);
		this.frame(BEAT, u32(v.conns), ...Array(7).fill(u32(0)),
		    u8(v.state), ...v.job || v.left || v.moved ?
		    [u64(v.job), u32(v.left), u32(v.moved)] : []);
	}

	/* The process ends: what it said last is heard first. */
	async end()
	{
		clearInterval(this.timer);
		this.socket.end();
		await until(`${this.name} is gone`, () => this.ended);
	}
}
