/* SPDX-License-Identifier: MIT */
/*
 * Files as people upload them, made here: the smallest that are what they
 * say, filled up to any length where their form allows it. And the ways to
 * bring them: whole, or slowly by hand.
 */
import http from 'node:http';
import net from 'node:net';
import { deflateSync } from 'node:zlib';
import { until } from './cluster.mjs';

const PATIENCE = 60000;

const be16 = n => Buffer.from([n >> 8, n & 255]);
const be32 = n => { const b = Buffer.alloc(4); b.writeUInt32BE(n); return b; };
const le16 = n => Buffer.from([n & 255, n >> 8]);
const le32 = n => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };

function
crc32(b)
{
	let c = ~0;
	for (const x of b) {
		c ^= x;
		for (let i = 0; i < 8; i++)
			c = c >>> 1 ^ (c & 1 ? 0xedb88320 : 0);
	}
	return ~c >>> 0;
}

/* a picture by PNG's colour type and rows; extra: bytes of a chunk of no
 * meaning */
export function
pngOf(w, h, type, rows, extra = 0)
{
	const chunk = (name, data) => {
		const b = Buffer.concat([Buffer.from(name), data]);
		return Buffer.concat([be32(data.length), b, be32(crc32(b))]);
	};
	return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'),
	    chunk('IHDR', Buffer.concat([be32(w), be32(h),
	    Buffer.from([8, type, 0, 0, 0])])),
	    ...extra ? [chunk('teSt', Buffer.alloc(extra, 7))] : [],
	    chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

/* a grey one, all black */
export const png = (w, h, extra) =>
    pngOf(w, h, 0, Buffer.alloc(h * (w + 1)), extra);

/* its head alone; turn: how it lies, as Exif says (6: on its side) */
export function
jpeg(w, h, turn = 1)
{
	const seg = (m, data) => Buffer.concat([Buffer.from([255, m]),
	    be16(data.length + 2), data]);
	const exif = Buffer.concat([Buffer.from('Exif\0\0MM\0*'), be32(8), be16(1),
	    be16(0x112), be16(3), be32(1), be16(turn), be16(0), be32(0)]);
	return Buffer.concat([Buffer.from([255, 0xd8]),
	    seg(0xe0, Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1')),
	    seg(0xe1, exif), seg(0xc0, Buffer.concat([Buffer.from([8]), be16(h),
	    be16(w), Buffer.from([1, 1, 17, 0])])), Buffer.from([255, 0xd9])]);
}

export const gif = (w, h) => Buffer.concat([Buffer.from('GIF89a'), le16(w),
    le16(h), Buffer.from([0, 0, 0, 0x3b])]);

export function
webp(w, h)
{
	const b = Buffer.concat([Buffer.from('VP8X'), le32(10), le32(0),
	    le32(w - 1).subarray(0, 3), le32(h - 1).subarray(0, 3)]);
	return Buffer.concat([Buffer.from('RIFF'), le32(b.length + 4),
	    Buffer.from('WEBP'), b]);
}

export const webm = n => Buffer.concat([Buffer.from(
    '1a45dfa39f4286810142f7810142f2810442f381084282847765626d', 'hex'),
    Buffer.alloc(n, 1)]);
export const ogg = n => Buffer.concat([Buffer.from('OggS\0\x02'),
    Buffer.alloc(n, 2)]);
export const m4a = n => Buffer.concat([be32(24), Buffer.from('ftypM4A '),
    be32(0), Buffer.from('M4A isom'), Buffer.alloc(n, 3)]);
export const mp3 = n => Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\0'),
    Buffer.alloc(n, 4)]);
/* ms of silence, 8000 bytes a second */
export function
wav(ms)
{
	const data = Buffer.alloc(ms * 8, 128);
	return Buffer.concat([Buffer.from('RIFF'), le32(36 + data.length),
	    Buffer.from('WAVEfmt '), le32(16), le16(1), le16(1), le32(8000),
	    le32(8000), le16(1), le16(8), Buffer.from('data'), le32(data.length),
	    data]);
}

/* one request; resolves to {status, headers, body: Buffer, json} */
export function
ask(port, method, path, headers = {}, body)
{
	return new Promise((resolve, reject) => {
		const req = http.request({ host: '127.0.0.1', port, method, path,
		    headers, agent: false, timeout: PATIENCE });
		let answered = false;
		req.on('response', res => {
			const parts = [];
			answered = true;
			res.on('data', b => parts.push(b));
			res.on('error', reject);
			res.on('end', () => {
				const all = Buffer.concat(parts);
				let json;
				try {
					json = JSON.parse(all.toString());
				} catch { /* not every answer is JSON */ }
				resolve({ status: res.statusCode, headers: res.headers,
				    body: all, json });
			});
		});
		req.on('timeout', () => req.destroy(new Error('no answer')));
		/* refused early: the rest of the body could not be sent */
		req.on('error', e => answered || reject(e));
		req.end(body);
	});
}

/* an upload by hand, of which the body comes later, or never */
export class Slow {
	/* bytes of any kind; got: what is said to them */
	static open(port, text)
	{
		const s = new Slow();
		s.got = '';
		s.sock = net.connect(port, '127.0.0.1');
		s.sock.on('data', b => { s.got += b.toString('latin1'); });
		s.sock.on('error', () => {});
		s.gone = new Promise(r => s.sock.on('close', () => {
			s.closed = true;
			r();
		}));
		s.sock.write(text);
		return s;
	}

	static begin(port, key, n, headers = '')
	{
		return Slow.open(port, `POST /v1/upload HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
		    `Authorization: Bearer ${key}\r\nContent-Length: ${n}\r\n` +
		    `Content-Type: application/x\r\n${headers}\r\n`);
	}

	write(b)
	{
		this.sock.write(b);
	}

	answer(what = 'HTTP/1.1 ')
	{
		return until(`an answer (${what})`, () => this.got.includes(what),
		    PATIENCE);
	}

	end()
	{
		this.sock.destroy();
		return this.gone;
	}
}
