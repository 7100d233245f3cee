/* SPDX-License-Identifier: MIT */
/* needs: node */
/* Files of the SDK: what is posted, what becomes of errors, progress, abort. */
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { head, online } from './chat.mjs';
import { FakeSocket, until } from './fake.mjs';

let server, url, posts, answer;
const ok = { url: '/u/ab.png?w=2&h=1', type: 'pic', mime: 'image/png', bytes: 3,
    w: 2, h: 1 };
const up = { url: '/v1/upload', key: 'k1', pic: 100, audio: 50, file: 200 };
const png = new Blob(['png'], { type: 'image/png' });

before(async () => {
	server = http.createServer((q, a) => {
		const parts = [];
		q.on('data', b => parts.push(b)).on('end', () => {
			posts.push({ method: q.method, url: q.url, h: q.headers,
			    body: Buffer.concat(parts).toString() });
			answer(a, posts.length);
		});
	});
	await new Promise(r => { server.listen(0, '127.0.0.1', r); });
	url = `ws://127.0.0.1:${server.address().port}/ws`;
});
after(() => {
	server.closeAllConnections();
	server.close();
});
const give = (status, body, headers = {}) => a => {
	a.writeHead(status, headers);
	a.end(typeof body === 'string' ? body : JSON.stringify(body));
};
beforeEach(() => {
	posts = [];
	answer = give(200, ok);
});
const chat = (options = {}, more = { up }) =>
    online({ 1: head(10) }, { url, ...options }, {}, more);

test('upload: raw body, key, type, name; caps say it is there', async () => {
	const { chat: c } = await chat();
	assert.ok(c.caps.has('upload'));
	assert.equal(c.origin, new URL(url.replace('ws', 'http')).origin);
	const seen = [];
	const f = await c.upload(png, { name: '小 图.png',
	    onprogress: x => seen.push(x) });
	assert.deepEqual(f, ok);
	assert.deepEqual([seen[0], seen.at(-1)], [0, 1]);
	const [p] = posts;
	assert.deepEqual([p.method, p.url, p.body], ['POST', '/v1/upload', 'png']);
	assert.equal(p.h.authorization, 'Bearer k1');
	assert.equal(p.h['content-type'], 'image/png');
	assert.equal(p.h['x-cchat-name'], '%E5%B0%8F%20%E5%9B%BE.png');
	assert.equal(p.h['content-length'], '3');
	assert.equal(p.h.cookie, undefined);
	await c.upload(new Blob(['x']), { ms: 1600.4 });
	assert.equal(posts[1].url, '/v1/upload?ms=1600');
	assert.equal(posts[1].h['content-type'], 'application/octet-stream');
	assert.equal(posts[1].h['x-cchat-name'], undefined);
});

test('sendFile: the url goes as a message of its type, with one cid', async () => {
	const { chat: c, s } = await chat();
	const p = c.sendFile({ tid: '7' }, png, { cid: 'mine' });
	assert.equal(p.cid, 'mine');
	const m = await until('a message', () => s.of('message')[0], 15000);
	assert.deepEqual(m, { cmd: 'message', type: 'pic', msg: ok.url, tid: '7',
	    cid: 'mine' });
	s.give({ cmd: 'ok', cid: 'mine', seq: 4 });
	assert.equal((await p).seq, 4);
	/* a retry: the bytes again, and the same message */
	const q = c.sendFile({ rid: '1' }, png, { type: 'file' });
	const n = await until('another', () => s.of('message')[1], 15000);
	assert.deepEqual([n.type, n.cid], ['file', q.cid]);
	s.give({ cmd: 'error', errCode: 403, errMsg: 'muted', cid: q.cid });
	await assert.rejects(q, e => e.code === 403);
});

test('upload: what is refused here, and what the server says', async () => {
	const { chat: c } = await chat();
	await assert.rejects(c.upload(new Blob(['x'.repeat(101)], { type: 'image/png' })),
	    e => e.code === 413);
	await assert.rejects(c.upload(new Blob(['x'.repeat(51)], { type: 'audio/ogg' })),
	    e => e.code === 413);
	assert.equal(posts.length, 0, 'it was sent though it is too long');
	for (const code of [403, 411, 413, 415, 429, 507]) {
		answer = give(code, { error: { code, msg: 'no' } },
		    code === 429 ? { 'retry-after': '7' } : {});
		await assert.rejects(c.upload(png), e => e.name === 'CChatError' &&
		    e.code === code && e.message === 'no' &&
		    e.retry === (code === 429 ? 7000 : undefined), String(code));
	}
	/* some box between us */
	for (const [status, body] of [[502, '<html>'], [200, '<html>'],
	    [200, '{"url":7}'], [200, 'null'], [500, '{"error":"x"}']]) {
		answer = give(status, body);
		await assert.rejects(c.upload(png), e => e.code === status);
	}
	answer = a => a.destroy();
	await assert.rejects(c.upload(png), e => e.code === 'network');
	const d = (await chat({}, {})).chat;
	assert.ok(!d.caps.has('upload'));
	await assert.rejects(d.upload(png), e => e.code === 102);
});

test('upload: abort before, and in between; nothing is sent then', async () => {
	const { chat: c, s } = await chat();
	await assert.rejects(c.upload(png, { signal: AbortSignal.abort() }),
	    e => e.code === 'aborted');
	assert.equal(posts.length, 0);
	const ctl = new AbortController();
	answer = () => {};	/* no answer comes */
	const p = c.sendFile({ rid: '1' }, png, { signal: ctl.signal });
	await until('the bytes', () => posts.length === 1, 15000);
	ctl.abort();
	await assert.rejects(p, e => e.code === 'aborted');
	assert.equal(s.of('message').length, 0);
	/* and when only the message still waits */
	answer = give(200, ok);
	const late = new AbortController();
	const q = c.sendFile({ rid: '1' }, png, { signal: late.signal });
	await until('the message', () => s.of('message').length === 1, 15000);
	late.abort();
	await assert.rejects(q, e => e.code === 'closed');
});

test('upload: a key that a new login replaced is tried anew, once', async () => {
	const { chat: c, s } = await chat({ backoff: [1, 1] });
	const no = give(401, { error: { code: 401, msg: 'old' } });
	let held;
	answer = (a, n) => {
		if (n === 1)
			held = a;
		else
			give(200, ok)(a);
	};
	const p = c.upload(png);
	await until('the first', () => held, 15000);
	s.drop();
	const t = await until('a new socket', () => FakeSocket.sockets[1], 15000);
	t.welcome({ 1: head(10) }, { up: { ...up, key: 'k2' } });
	no(held);
	assert.deepEqual(await p, ok);
	assert.deepEqual(posts.map(x => x.h.authorization), ['Bearer k1', 'Bearer k2']);
	/* the same key: that is the answer */
	answer = no;
	await assert.rejects(c.upload(png), e => e.code === 401);
	assert.equal(posts.length, 3);
});

/* A page has XMLHttpRequest, and with it progress. */
test('upload: progress and abort by XMLHttpRequest', async () => {
	const all = [];
	globalThis.XMLHttpRequest = class {
		upload = {};
		head = {};
		constructor() { all.push(this); }
		open(...a) { this.opened = a; }
		setRequestHeader(k, v) { this.head[k] = v; }
		getResponseHeader() { return null; }
		send(b) { this.sent = b; }
		abort() { this.onabort(); this.onloadend(); }
		end(status, body) {
			this.status = status;
			this.responseText = JSON.stringify(body);
			this.onload();
			this.onloadend();
		}
	};
	try {
		const { chat: c } = await chat();
		const seen = [];
		const p = c.upload(png, { onprogress: x => seen.push(x) });
		const x = await until('a request', () => all[0], 15000);
		assert.deepEqual(x.opened, ['POST', `${c.origin}/v1/upload`]);
		assert.equal(x.head.authorization, 'Bearer k1');
		assert.equal(x.sent, png);
		x.upload.onprogress({ lengthComputable: true, loaded: 1, total: 4 });
		x.upload.onprogress({ lengthComputable: false, loaded: 2, total: 0 });
		x.upload.onprogress({ lengthComputable: true, loaded: 3, total: 4 });
		x.end(200, ok);
		assert.deepEqual(await p, ok);
		assert.deepEqual(seen, [0, 0.25, 0.75, 1]);
		const ctl = new AbortController();
		const q = c.upload(png, { signal: ctl.signal });
		await until('another', () => all[1], 15000);
		ctl.abort();
		await assert.rejects(q, e => e.code === 'aborted');
		const r = c.upload(png);
		(await until('a third', () => all[2], 15000)).onerror();
		await assert.rejects(r, e => e.code === 'network');
	} finally {
		delete globalThis.XMLHttpRequest;
	}
});
