/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Uploads: what they are judged by, where they lie, how they are given back,
 * how long they stay; two msg_servers that share a folder, one of them killed.
 */
import assert from 'node:assert/strict';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readdirSync, symlinkSync, utimesSync,
    writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Cluster, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { sip } from '../lib/sip.mjs';
import { ask, gif, jpeg, m4a, mp3, ogg, png, Slow, wav, webm, webp } from '../lib/media.mjs';

const PATIENCE = 30000, KIB = 1024, MIB = 1024 * 1024;
const API_KEY = 'the-key-of-the-back-end';
const HASH = /^\/u\/[0-9a-f]{64}\.[a-z0-9]+/;

let c, folder, amy, bob, api, people = 0;
const settings = { upload_pic: 64, upload_audio: 32, upload_file: 512,
    upload_day: 2, uploads_at_once: 8 };
const conf = more => c.configure({ msg_server: { ...settings,
    trusted_proxies: ['127.0.0.1'], origins: ['http://elsewhere.example'],
    api_key_file: api, ...more } });
const port = (i = 0) => c.msgs[i].ports.direct;
const post = (body, type, o = {}) => ask(o.port ?? port(), 'POST',
    `/v1/upload${o.query ?? ''}`, { authorization: `Bearer ${o.key ?? amy.me.up.key}`,
    ...type ? { 'content-type': type } : {}, ...o.headers }, body);
const get = (url, headers, method = 'GET', at = port()) =>
    ask(at, method, url, headers);
const metric = async (name, i = 0) => Number(new RegExp(
    `^cchat_${name.replace(/[{}]/g, '\\$&')} (\\d+)`, 'm').exec(
    (await c.msgs[i].fetch('/metrics')).body)[1]);
const temps = of => readdirSync(folder).filter(f => f.startsWith(`.up.${of}.`));
const fileOf = url => join(folder, url.slice(3).replace(/\?.*/, ''));
/* somebody new, who has uploaded nothing yet */
const somebody = async (i = 0) => {
	const uid = `u${++people}`;
	const who = await Client.login(c.msgs[i].ws, uid, '12', { uid });
	who.drop();
	return who.me.up.key;
};

async function
reload(more = {})
{
	conf(more);
	for (const m of c.msgs) {
		const { count } = (await m.fetch('/reloads')).json;
		m.signal('SIGHUP');
		await until('it has read its settings', async () =>
		    (await m.fetch('/reloads')).json.count > count, PATIENCE);
	}
}

before(async () => {
	c = new Cluster({ msgs: 2 });
	api = join(c.dir, 'api.key');
	writeFileSync(api, `${API_KEY}\n`, { mode: 0o600 });
	conf({});
	folder = join(c.data, 'uploads');
	await c.up();
	amy = await Client.login(c.msgs[0].ws, 'Amy', '12', { uid: 'amy' });
	bob = await Client.login(c.msgs[1].ws, 'Bob', '12', { uid: 'bob' });
});
after(async () => {
	amy?.drop();
	bob?.drop();
	await c?.stop();
});

test('the login answer has url, key and bounds; version 1 has none', async () => {
	const { up } = amy.me;
	assert.deepEqual({ ...up, key: '' }, { url: '/v1/upload', key: '',
	    pic: 64 * KIB, audio: 32 * KIB, file: 512 * KIB });
	/* its page may go there: as a socket, and as what is brought */
	await until('each knows of the other', async () => {
		const csp = (await get('/')).headers['content-security-policy'];
		return c.msgs.every(m => ['ws', 'http'].every(scheme =>
		    new RegExp(`connect-src [^;]* ${scheme}://127\\.0\\.0\\.1:` +
		    `${m.ports.direct}[ ;]`).test(csp)));
	}, PATIENCE);
	const old = await Client.login(c.msgs[0].ws, 'old', '12', { v: 1, uid: '77' });
	assert.equal(old.me.up, undefined);
	old.drop();
});

test('each kind is known by its bytes, kept by its content, given back', async () => {
	const key = await somebody();
	const all = [[png(40, 30), 'image/png', 'pic', 'png', '?w=40&h=30'],
	    [jpeg(400, 300), 'image/jpeg', 'pic', 'jpg', '?w=400&h=300'],
	    [jpeg(400, 300, 6), 'image/jpeg', 'pic', 'jpg', '?w=300&h=400'],
	    [gif(7, 9), 'image/gif', 'pic', 'gif', '?w=7&h=9'],
	    [webp(1600, 1067), 'image/webp', 'pic', 'webp', '?w=1600&h=1067'],
	    [webm(2000), 'audio/webm;codecs=opus', 'audio', 'webm', '?ms=1600',
	        'audio/webm'],
	    [ogg(2000), 'audio/ogg', 'audio', 'ogg', '?ms=1600'],
	    [m4a(2000), 'audio/mp4;codecs=opus', 'audio', 'm4a', '?ms=1600',
	        'audio/mp4'],
	    [mp3(2000), 'audio/mpeg', 'audio', 'mp3', '?ms=1600'],
	    [wav(1500), 'audio/wav', 'audio', 'wav', '?ms=1500'],
	    [Buffer.from('%PDF-1.7'), 'application/pdf', 'file', 'bin',
	        '?name=a%20b.pdf', 'application/octet-stream'],
	    /* a picture that is to be a file is one; so is a film */
	    [png(3, 3), 'application/octet-stream', 'file', 'bin', '?name=a%20b.pdf'],
	    [m4a(9), 'video/mp4', 'file', 'bin', '?name=a%20b.pdf',
	        'application/octet-stream'],
	    /* said to be nothing: as it looks */
	    [png(5, 4), '', 'pic', 'png', '?w=5&h=4', 'image/png'],
	    /* the right class is enough */
	    [gif(3, 2), 'image/png', 'pic', 'gif', '?w=3&h=2', 'image/gif']];

	for (const [bytes, said, type, ext, query, mime] of all) {
		const r = await post(bytes, said, { key,
		    headers: { 'x-cchat-name': 'a%20b.pdf' },
		    query: type === 'audio' && ext !== 'wav' ? '?ms=1600' : '' });
		const what = `${said} ${r.status} ${r.body}`;
		assert.equal(r.status, 200, what);
		const hash = createHash('sha256').update(bytes).digest('hex');
		assert.equal(r.json.url, `/u/${hash}.${ext}${query}`, what);
		assert.deepEqual([r.json.type, r.json.mime, r.json.bytes],
		    [type, mime ?? said, bytes.length], what);
		if (type === 'pic')
			assert.equal(`?w=${r.json.w}&h=${r.json.h}`, query);
		const st = lstatSync(fileOf(r.json.url));
		assert.equal(st.mode & 0o777, 0o600, 'nobody has sent it');
		/* by the other server, as both have one folder */
		const g = await get(r.json.url, {}, 'GET', port(1));
		assert.equal(g.status, 200);
		assert.ok(g.body.equals(bytes), what);
		assert.equal(g.headers['content-type'], mime ?? said);
		assert.equal(g.headers['x-content-type-options'], 'nosniff');
		assert.equal(g.headers['content-security-policy'],
		    "default-src 'none'; sandbox");
		assert.match(g.headers['cache-control'], /immutable/);
		assert.equal(g.headers['referrer-policy'], 'no-referrer');
		assert.match(g.headers['content-disposition'], type === 'file' ?
		    /^attachment; filename="a b\.pdf"; filename\*=UTF-8''a%20b\.pdf$/ :
		    /^inline$/);
	}
});

test('the same content is the same file', async () => {
	const key = await somebody(), other = await somebody(1);
	const whole = () => readdirSync(folder).filter(f => !/^\.up\./.test(f)).length;
	const n = whole();
	const bytes = png(11, 12);
	const [a, b] = await Promise.all([post(bytes, 'image/png', { key }),
	    post(bytes, 'image/png', { key: other, port: port(1) })]);
	assert.equal(a.json.url, b.json.url);
	assert.equal(whole(), n + 1);
	/* a key of one server is good at every other */
	assert.equal((await post(bytes, 'image/png', { key, port: port(1) }))
	    .status, 200);
});

test('what is not what it is said to be', async () => {
	const key = await somebody();
	for (const [bytes, said] of [[Buffer.from('<svg/>'), 'image/svg+xml'],
	    [Buffer.from('<html>'.repeat(20)), 'image/png'], [ogg(99), 'image/png'],
	    [png(2, 2), 'audio/ogg'], [Buffer.from('x'), 'audio/wav'],
	    [Buffer.from('x'), 'nonsense'],
	    /* its first bytes alone are not enough */
	    [png(1, 1).subarray(0, 20), 'image/png'], [jpeg(0, 5), 'image/jpeg'],
	    [png(40000, 1).fill(255, 20, 24), 'image/png']]) {
		const r = await post(bytes, said, { key });
		assert.equal(r.status, 415, `${said} ${r.body}`);
		assert.equal(r.json.error.code, 415);
	}
	assert.ok(await metric('msg_uploads_refused_total{why="type"}') >= 9);
	assert.deepEqual(temps('ms1'), []);
});

test('bounds of each class, and one byte more', async () => {
	const sized = n => Buffer.concat([ogg(0), Buffer.alloc(n - 6)]);
	for (const [kib, said, make] of [[32, 'audio/ogg', sized],
	    [512, 'application/zip', n => randomBytes(n)]]) {
		const key = await somebody();
		const full = make(kib * KIB);
		const r = await post(full, said, { key });
		assert.equal(r.status, 200, `${said}: ${r.body}`);
		assert.ok((await get(r.json.url)).body.equals(full));
		assert.equal((await post(make(kib * KIB + 1), said, { key }))
		    .status, 413);
	}
	const key = await somebody(), base = png(4, 4, 1).length - 1;
	assert.equal((await post(png(4, 4, 64 * KIB - base), 'image/png', { key }))
	    .status, 200);
	const over = png(4, 4, 64 * KIB - base + 1);
	assert.equal((await post(over, 'image/png', { key })).status, 413);
	/* that it is a picture is known by its bytes alone */
	assert.equal((await post(over, '', { key })).status, 413);
	/* far beyond: said before a byte is read, and heard */
	const r = await post(Buffer.alloc(8 * MIB), 'application/zip', { key });
	assert.equal(r.status, 413);
	assert.equal(r.headers.connection, 'close');
});

test('only with a key', async () => {
	const link = Buffer.from(readFileSync(join(c.data, 'link.key'), 'utf8')
	    .trim(), 'hex');
	const mint = (uid, exp, cluster = 'cchat', secret = link) => {
		const own = createHmac('sha256', secret).update('cchat upload 2\0');
		const e = Buffer.alloc(8);
		e.writeBigUInt64BE(BigInt(exp));
		const mac = sip(own.digest(), Buffer.concat([
		    Buffer.from(`${cluster}\0${uid}\0`), e]));
		return `${uid}.${Buffer.concat([e, mac]).toString('base64url')}`;
	};
	const soon = Date.now() + 3600e3;
	const bytes = png(6, 6);
	const [uid, mac] = amy.me.up.key.split('.');
	const wrong = [`bob.${mac}`, uid, `${uid}.`, `${uid}.${mac}A`, 'x'.repeat(9000),
	    mint('amy', Date.now() - 1), mint('amy', soon, 'other'),
	    mint('amy', soon, 'cchat', randomBytes(32)), `${API_KEY}x`, '', '..'];
	for (const key of wrong) {
		const r = await post(bytes, 'image/png', { key });
		assert.equal(r.status, key.length > 4096 ? 431 : 401,
		    `${key.slice(0, 80)}: ${r.body}`);
	}
	assert.equal((await ask(port(), 'POST', '/v1/upload', {}, bytes)).status, 401);
	assert.equal((await ask(port(), 'POST', '/v1/upload', { authorization:
	    `Basic ${amy.me.up.key}` }, bytes)).status, 401);
	/* what is good: one of ours made here, a login token, a back end's key */
	const drawn = await Client.login(c.msgs[0].ws, 'Drawn', '12');
	for (const key of [mint('amy', soon), drawn.token, API_KEY])
		assert.equal((await post(bytes, 'image/png', { key })).status, 200);
	drawn.drop();
	/* about a day */
	const exp = Number(Buffer.from(mac, 'base64url').readBigUInt64BE());
	assert.ok(Math.abs(exp - Date.now() - 86400e3) < 3600e3);
});

test('requests of other forms', async () => {
	const key = { authorization: `Bearer ${await somebody()}` };
	const p = port(), host = `Host: 127.0.0.1:${p}\r\n`;
	const raw = async text => {
		const s = Slow.open(p, text);
		await s.answer();
		s.end();
		return Number(s.got.slice(9, 12));
	};
	const bearer = `Authorization: ${key.authorization}\r\n`;
	assert.equal(await raw(`POST /v1/upload HTTP/1.1\r\n${host}${bearer}\r\n`), 411);
	assert.equal(await raw(`POST /v1/upload HTTP/1.1\r\n${host}${bearer}` +
	    'Content-Length: 0\r\n\r\n'), 400);
	assert.equal(await raw(`POST /v1/upload HTTP/1.1\r\n${host}${bearer}` +
	    'Transfer-Encoding: chunked\r\n\r\n'), 501);
	for (const m of ['GET', 'PUT', 'DELETE', 'HEAD']) {
		const r = await ask(p, m, '/v1/upload', key);
		assert.equal(r.status, 405, m);
		assert.equal(r.headers.allow, 'POST, OPTIONS');
	}
	assert.equal((await ask(p, 'POST', '/u/x', key)).status, 405);
});

test('pages of our origins may, others not', async () => {
	const key = await somebody(), bytes = png(8, 8);
	for (const origin of [`http://127.0.0.1:${port(0)}`,
	    `http://127.0.0.1:${port(1)}`, 'http://elsewhere.example']) {
		const pre = await ask(port(), 'OPTIONS', '/v1/upload', { origin,
		    'access-control-request-method': 'POST' });
		assert.equal(pre.status, 204, origin);
		assert.equal(pre.headers['access-control-allow-origin'], origin);
		assert.match(pre.headers['access-control-allow-headers'],
		    /Authorization.*Content-Type.*X-CChat-Name/);
		const r = await post(bytes, 'image/png', { key, headers: { origin } });
		assert.equal(r.status, 200);
		assert.equal(r.headers['access-control-allow-origin'], origin);
		/* what went wrong can be read, too */
		const bad = await post(bytes, 'audio/ogg', { key, headers: { origin } });
		assert.equal(bad.headers['access-control-allow-origin'], origin);
	}
	for (const origin of ['http://evil.example', 'null',
	    'http://elsewhere.example.evil.example'])
		for (const m of ['OPTIONS', 'POST']) {
			const r = await ask(port(), m, '/v1/upload', { origin,
			    authorization: `Bearer ${key}` }, m === 'POST' ? bytes : '');
			assert.equal(r.status, 403, `${m} ${origin}`);
			assert.equal(r.headers['access-control-allow-origin'], undefined);
		}
});

test('names are text and no paths; no path reaches another file', async () => {
	const key = await somebody();
	const named = async name => (await post(randomBytes(20), 'application/zip',
	    { key, headers: { 'x-cchat-name': encodeURIComponent(name) } })).json;
	for (const [name, want] of [['../../etc/passwd', 'passwd'],
	    ['C:\\a\\b.txt', 'b.txt'], ['.hidden', 'hidden'], ['a"b;c', 'a_b;c'],
	    ['\u202egpj.exe', 'gpj.exe'], ['年报 2026.pdf', '年报 2026.pdf'],
	    ['..', undefined], ['a\nb', 'ab'],
	    [`${'x'.repeat(300)}.pdf`, `${'x'.repeat(101)}...${'x'.repeat(12)}.pdf`]])
		assert.equal((await named(name)).name, want, name);
	const { url } = await named('年报 "a".pdf');
	const g = await get(url);
	assert.equal(g.headers['content-disposition'],
	    'attachment; filename="__ _a_.pdf"; ' +
	    "filename*=UTF-8''%E5%B9%B4%E6%8A%A5%20_a_.pdf");
	/* what is asked for at the time is cleaned as well */
	assert.match((await get(`${url.replace(/\?.*/, '')}?name=%22%0d%0aX-Evil:%201`))
	    .headers['content-disposition'], /^attachment; filename="[^"\r\n]*";/);

	writeFileSync(join(folder, 'secret'), 'no');
	const link = `${'ab'.repeat(32)}.png`;
	symlinkSync(join(c.data, 'link.key'), join(folder, link));
	const plain = url.replace(/\?.*/, '');
	for (const path of ['/u/', '/u/secret', '/u/../link.key', '/u/%2e%2e/link.key',
	    `/u/${link}`, '/u/.', '/u/..', `${plain}/`, `${plain}x`, `/u${plain}`,
	    plain.toUpperCase(), plain.replace('.bin', '.exe'), plain.slice(0, -4),
	    plain.replace('.bin', '.'), `/u//${plain.slice(3)}`,
	    `/u/${'0'.repeat(64)}.png`, plain.replace('.', '%2e'), `${plain}%00`])
		assert.equal((await get(path)).status, 404, path);
});

test('HEAD, 304 and ranges', async () => {
	const key = await somebody();
	const bytes = wav(2000), n = bytes.length;
	const { url } = (await post(bytes, 'audio/wav', { key })).json;
	const h = await get(url, {}, 'HEAD');
	assert.deepEqual([h.status, h.headers['content-length'], h.body.length,
	    h.headers['accept-ranges']], [200, String(n), 0, 'bytes']);
	const etag = h.headers.etag;
	const not = await get(url, { 'if-none-match': `"x", ${etag}` });
	assert.deepEqual([not.status, not.body.length, not.headers.etag],
	    [304, 0, etag]);
	assert.equal((await get(url, { 'if-none-match': '"x"' })).status, 200);
	for (const [range, from, to] of [['bytes=0-0', 0, 1], ['bytes=10-19', 10, 20],
	    ['bytes=100-', 100, n], ['bytes=-7', n - 7, n], ['bytes=5-99999999', 5, n],
	    ['bytes=-99999999', 0, n]]) {
		const r = await get(url, { range });
		assert.equal(r.status, 206, range);
		assert.ok(r.body.equals(bytes.subarray(from, to)), range);
		assert.equal(r.headers['content-range'], `bytes ${from}-${to - 1}/${n}`);
		assert.equal(r.headers['content-length'], String(to - from));
	}
	for (const range of [`bytes=${n}-`, 'bytes=-0', 'bytes=99999999-'])
		assert.deepEqual((r => [r.status, r.headers['content-range']])(
		    await get(url, { range })), [416, `bytes */${n}`], range);
	/* none, or more than one: all of it */
	for (const range of ['bytes=3-1', 'bytes=a-b', 'lines=1-2', 'bytes=0-1,3-4',
	    'bytes=-', 'bytes=99999999999999999999-'])
		assert.equal((await get(url, { range })).status, 200, range);
	assert.equal((await get(url, { range: 'bytes=0-1', 'if-range': '"old"' }))
	    .status, 200);
	assert.equal((await get(url, { range: 'bytes=0-1', 'if-range': etag }))
	    .status, 206);
});

test('a picture for many at once is in memory once', async () => {
	const bytes = randomBytes(500 * KIB);
	const { url } = (await post(bytes, 'application/zip', { key: API_KEY })).json;
	const before = await metric('msg_upload_hot_bytes');
	const all = await Promise.all(Array.from({ length: 40 }, () => get(url)));
	assert.ok(all.every(r => r.status === 200 && r.body.equals(bytes)));
	const now = await metric('msg_upload_hot_bytes');
	assert.ok(now <= before + bytes.length && now >= bytes.length, `${now}`);
});

test('who asks slowly has it all the same, and another one does not wait', async () => {
	/* too large for the memory of what many ask for */
	const bytes = randomBytes(3 * MIB);
	await reload({ upload_file: 4096 });
	const { url } = (await post(bytes, 'application/zip', { key: API_KEY })).json;
	await reload();
	const sock = net.connect(port(), '127.0.0.1');
	const parts = [];
	sock.write(`GET ${url} HTTP/1.1\r\nHost: a\r\n\r\nGET ${url} HTTP/1.1\r\n` +
	    'Host: a\r\nConnection: close\r\n\r\n');
	sock.pause();
	for (let i = 0; i < 5; i++)
		assert.ok((await get(url)).body.equals(bytes));
	sock.on('data', b => parts.push(b));
	sock.resume();
	await new Promise(r => sock.on('close', r));
	const all = Buffer.concat(parts);
	/* two answers, one behind the other */
	assert.ok(all.indexOf(bytes) > 0);
	assert.ok(all.subarray(all.length - bytes.length).equals(bytes));
	assert.ok(all.length > 2 * bytes.length);
});

test('two of one user at once, and so many in all', async () => {
	const keys = [];
	for (let i = 0; i < 5; i++)
		keys.push(await somebody());
	const n = 300 * KIB, most = Buffer.alloc(n - 1, 65);
	const open = keys.slice(0, 4).flatMap(k => [Slow.begin(port(), k, n),
	    Slow.begin(port(), k, n)]);
	/* ahead of the pace that is asked of them */
	for (const [i, s] of open.entries())
		s.write(most.fill(i, 0, 8));
	await until('eight have begun', () => temps('ms1').length === 8, PATIENCE);
	const full = await post(png(2, 2), 'image/png', { key: keys[4] });
	assert.deepEqual([full.status, Number(full.headers['retry-after']) > 0],
	    [503, true]);
	await Promise.all([open.pop().end(), open.pop().end()]);
	await until('two are given up', () => temps('ms1').length === 6, PATIENCE);
	const third = await post(png(2, 2), 'image/png', { key: keys[0] });
	assert.deepEqual([third.status, Number(third.headers['retry-after']) > 0],
	    [429, true]);
	assert.equal((await post(png(2, 2), 'image/png', { key: keys[4] })).status, 200);
	/* the others can go on */
	for (const s of open)
		s.write('x');
	for (const s of open) {
		await s.answer(`"bytes":${n}`);
		await s.end();
	}
	assert.deepEqual(temps('ms1'), []);
	assert.ok(await metric('msg_uploads_refused_total{why="lost"}') >= 2);
	assert.ok(await metric('msg_uploads_refused_total{why="rate"}') >= 2);
});

test('no address has all the places', async () => {
	const keys = [];
	for (let i = 0; i < 3; i++)
		keys.push(await somebody());
	const from = { 'x-forwarded-for': '192.0.2.20' }, n = 300 * KIB;
	const open = keys.slice(0, 2).map(k => Slow.begin(port(), k, n,
	    'X-Forwarded-For: 192.0.2.20\r\n'));
	for (const s of open)
		s.write(Buffer.alloc(n - 1));
	await until('both have begun', () => temps('ms1').length === 2, PATIENCE);
	const bring = headers => post(png(3, 9), 'image/png', { key: keys[2], headers });
	assert.equal((await bring(from)).status, 429);
	assert.equal((await bring({ 'x-forwarded-for': '192.0.2.21' })).status, 200);
	await Promise.all(open.map(s => s.end()));
	await until('both are given up', () => temps('ms1').length === 0, PATIENCE);
	assert.equal((await bring(from)).status, 200);
});

test('"Expect: 100-continue" is answered', async () => {
	const key = await somebody();
	const s = Slow.begin(port(), key, 5, 'Expect: 100-continue\r\n');
	await s.answer('HTTP/1.1 100 Continue\r\n\r\n');
	s.write('12345');
	await s.answer('"bytes":5');
	await s.end();
	/* a refusal comes instead, and the body need not be sent */
	const no = Slow.begin(port(), key, 99 * MIB, 'Expect: 100-continue\r\n');
	await no.answer('HTTP/1.1 413 ');
	assert.ok(!no.got.includes('100 Continue'));
	await no.end();
});

test('what a day may bring, of a user and of an address', async () => {
	const key = await somebody();
	const bring = (k, from) => post(randomBytes(500 * KIB), 'application/zip',
	    { key: k, headers: from ? { 'x-forwarded-for': from } : {} });
	for (let i = 0; i < 4; i++)
		assert.equal((await bring(key)).status, 200);
	const r = await bring(key);
	assert.equal(r.status, 429);
	const wait = Number(r.headers['retry-after']);
	assert.ok(wait > 86000 && wait <= 86400, `${wait} s`);
	/* four times as much of one address, whoever it is */
	for (let i = 0; i < 4; i++) {
		const k = await somebody();
		for (let j = 0; j < 4; j++)
			assert.equal((await bring(k, '192.0.2.9')).status, 200);
	}
	const k = await somebody();
	assert.equal((await bring(k, '192.0.2.9')).status, 429);
	assert.equal((await bring(k, '192.0.2.10')).status, 200);
	/* a back end is not counted */
	for (let i = 0; i < 6; i++)
		assert.equal((await bring(API_KEY)).status, 200);
});

test('a full folder, a full disk', async () => {
	const key = await somebody();
	const bring = n => post(randomBytes(n), 'application/zip', { key });
	await reload({ upload_total: 1 });
	/* a sweep has counted what is there */
	await until('it is known to be full', async () =>
	    await metric('msg_upload_dir_bytes') > MIB, PATIENCE);
	assert.equal((await bring(1000)).status, 507);
	await reload({ upload_free: 1 << 30 });
	assert.equal((await bring(1000)).status, 507);
	assert.ok(await metric('msg_uploads_refused_total{why="full"}') >= 2);
	await reload();
	assert.equal((await bring(1000)).status, 200);
});

test('a file stays for as long as messages speak of it', async () => {
	const key = await somebody();
	const bring = async (bytes, type) =>
	    (await post(bytes, type, { key })).json;
	const age = (url, s) => utimesSync(fileOf(url), Date.now() / 1000 - s,
	    Date.now() / 1000 - s);
	const mode = url => lstatSync(fileOf(url)).mode & 0o777;
	const sent = await bring(png(21, 21), 'image/png');
	const voice = await bring(wav(700), 'audio/wav');
	const orphan = await bring(png(22, 22), 'image/png');
	const young = await bring(png(23, 23), 'image/png');
	const text = await bring(png(24, 24), 'image/png');
	const rest = await bring(png(25, 25), 'image/png');
	await amy.cmd({ cmd: 'message', type: 'pic', rid: '12', msg: sent.url });
	await bob.hear(sent.url, PATIENCE);
	/* the other server keeps it as well, and a private message does */
	await bob.cmd({ cmd: 'message', type: 'audio', tid: 'amy', msg: voice.url });
	/* as does a back end */
	assert.equal((await ask(port(1), 'POST', '/v1/send', { authorization:
	    `Bearer ${API_KEY}` }, JSON.stringify({ uid: 'bot', rid: '12',
	    type: 'pic', msg: rest.url }))).status, 200);
	/* said in words it is none */
	await amy.cmd({ cmd: 'message', type: 'text', rid: '12', msg: text.url });
	assert.deepEqual([sent, voice, rest, orphan, text].map(x => mode(x.url)),
	    [0o640, 0o640, 0o640, 0o600, 0o600]);
	assert.ok(await metric('msg_uploads_kept_total') >= 1);
	for (const x of [sent, voice, rest, orphan, text])
		age(x.url, 3700);
	await reload();
	await until('orphans are gone', () => !existsSync(fileOf(orphan.url)) &&
	    !existsSync(fileOf(text.url)), PATIENCE);
	assert.equal((await get(orphan.url)).status, 404);
	for (const x of [sent, voice, rest, young])
		assert.equal((await get(x.url)).status, 200);
	/* brought again it is as new */
	await bring(png(22, 22), 'image/png');
	assert.equal((await get(orphan.url)).status, 200);
	/* and messages are not kept for ever */
	age(sent.url, 91 * 86400);
	age(voice.url, 89 * 86400);
	await reload();
	await until('it is as old as no message', () =>
	    !existsSync(fileOf(sent.url)), PATIENCE);
	assert.equal((await get(voice.url)).status, 200);
	/* said again: from now on */
	await amy.cmd({ cmd: 'message', type: 'audio', rid: '12', msg: voice.url });
	assert.ok(Date.now() / 1000 - lstatSync(fileOf(voice.url)).mtimeMs / 1000 < 3600);
	assert.ok(await metric('msg_uploads_collected_total') +
	    await metric('msg_uploads_collected_total', 1) >= 3);
});

test('a server killed in the middle of an upload', async () => {
	const [ms1, ms2] = c.msgs;
	const n = 400 * KIB;
	const here = Slow.begin(port(0), await somebody(0), n);
	const there = Slow.begin(port(1), await somebody(1), n);
	here.write(Buffer.alloc(n - 600, 'x'));
	there.write(Buffer.alloc(n - 600, 'x'));
	await until('both have begun', () => temps('ms1').length === 1 &&
	    temps('ms2').length === 1, PATIENCE);
	await ms2.kill();
	await there.gone;
	assert.equal(temps('ms2').length, 1, 'it had no time to clean up');
	await ms2.start();
	await ms2.ready();
	await until('what was left is gone', () => temps('ms2').length === 0, PATIENCE);
	/* of the other one nothing was taken away */
	assert.equal(temps('ms1').length, 1);
	here.write('y'.repeat(600));
	await here.answer(`"bytes":${n}`);
	await here.end();
	assert.ok(ms1.running);
	bob.drop();
	bob = await Client.login(c.msgs[1].ws, 'Bob', '12', { uid: 'bob' });
});

test('a body that does not come is given up', async () => {
	const s = Slow.begin(port(), await somebody(), 100000);
	s.write('x');
	await s.answer('HTTP/1.1 408 ');
	await s.gone;
	await until('nothing is left of it', () => temps('ms1').length === 0, PATIENCE);
});

describe('another host for uploads, or none', () => {
	let d;
	const start = async more => {
		d = new Cluster({ msgs: 1 });
		d.configure({ msg_server: { uploads: 'off', ...more } });
		await d.up();
		return Client.login(d.msgs[0].ws, 'Amy', '12', { uid: 'amy' });
	};
	after(() => d?.stop());

	test('off is off; another one is named', async () => {
		let who = await start({ upload_url: 'https://files.example/' });
		assert.equal(who.me.up.url, 'https://files.example/v1/upload');
		for (const path of ['/v1/upload', '/u/x.png'])
			assert.equal((await ask(d.msgs[0].ports.direct, 'POST', path,
			    { authorization: `Bearer ${who.me.up.key}` }, 'x')).status,
			    path === '/u/x.png' ? 405 : 404);
		who.drop();
		assert.ok(!existsSync(join(d.data, 'uploads')));
		d.configure({ msg_server: { uploads: 'off' } });
		await d.msgs[0].stop();
		await d.msgs[0].start();
		await d.msgs[0].ready();
		who = await Client.login(d.msgs[0].ws, 'Amy', '12', { uid: 'amy' });
		assert.equal(who.me.up, undefined);
		who.drop();
	});
});
