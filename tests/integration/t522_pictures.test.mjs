/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Pictures of PHPWebIM's pages, which bring them in forms and have no key: who
 * it is is told by the address. What is answered, who sees them, and what is
 * not taken. Addresses are those a trusted proxy in front would name.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { Cluster, until } from '../lib/cluster.mjs';
import { Slow, ask, gif, jpeg, png, webp } from '../lib/media.mjs';
import { Comet, Page, flash, form } from '../lib/webim.mjs';

const PATIENCE = 30000, KIB = 1024;
const FAILED = '上传失败，请重新上传！ Error:';
const KINDS = /^\/u\/[0-9a-f]{64}\.(jpg|png|gif)\?w=\d+&h=\d+$/;

let c, port, ws, folder, n = 0;
const from = ip => ({ 'x-forwarded-for': ip });
/* an address where nobody was yet, and somebody who is there */
const place = () => `192.0.2.${++n}`;
const visitor = async (ip = place(), name = 'ann') => Object.assign(
    await Page.login(`${ws}/websocket`, name, 'a.png', { headers: from(ip) }),
    { ip });
const post = (path, [body, type], ip, headers) => ask(port, 'POST', path,
    { 'content-type': type, ...ip && from(ip), ...headers }, body);
const photo = (bytes, file = 'a.png', type) =>
    form([{ name: 'photo', file, bytes, type }]);
const metric = async name => Number(new RegExp(
    `^cchat_${name.replace(/[{}]/g, '\\$&')} (\\d+)`, 'm').exec(
    (await c.msgs[0].fetch('/metrics')).body)[1]);
/* one that comes too slowly, beside all others, and is given up after 10 s */
let slow;
const tooSlow = () => Number(!slow.got.includes('HTTP/1.1 408'));
const open = k => until(`${k} are under way`, async () =>
    await metric('msg_uploads_open') === k + tooSlow(), PATIENCE);
const clean = async () => {
	await open(0);
	await until('nothing is left', () => readdirSync(folder)
	    .filter(f => f.startsWith('.up.')).length === tooSlow(), PATIENCE);
};
/* whole ones: what is under way has a name of its own */
const stored = () => readdirSync(folder).filter(f => !f.startsWith('.up.')).length;
/* a body by hand, said to be so long */
const raw = (ip, body, length = body.length, type = photo('')[1]) =>
    Slow.open(port, Buffer.concat([Buffer.from(
    `POST /upload HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
    `X-Forwarded-For: ${ip}\r\nContent-Type: ${type}\r\n` +
    `Content-Length: ${length}\r\n\r\n`), body]));

before(async () => {
	c = await Cluster.start({ msgs: 1, strict: true, conf: { msg_server: {
	    dialects: ['webim', 'webim2019', 'cchat'], lobby: '7',
	    trusted_proxies: ['127.0.0.1'], origins: ['http://im.example'],
	    upload_webim: 64, upload_day: 1, v1_interval: 0,
	    upload_orphans: 0 } } });
	port = c.msgs[0].ports.public;
	ws = `ws://127.0.0.1:${port}`;
	folder = join(c.data, 'uploads');
	const snail = await visitor();
	const [body] = photo(png(9, 9, 4000));
	slow = raw(snail.ip, body.subarray(0, 300), body.length);
});
after(() => c?.stop());

describe('answers', () => {
	test('of 2019: data is a text', async () => {
		const ann = await visitor();
		const bytes = png(40, 30);
		const r = await post('/upload', photo(bytes), ann.ip,
		    { origin: `http://127.0.0.1:${port}` });
		assert.equal(r.status, 200, r.body.toString());
		assert.equal(r.headers['content-type'], 'text/html; charset=utf-8');
		const file = `${createHash('sha256').update(bytes).digest('hex')}.png`;
		const url = `\\\\\\/u\\\\\\/${file}?w=40&h=30`;
		assert.equal(r.body.toString(), `{"data":"{\\"thumb\\":\\"${url}\\",` +
		    `\\"url\\":\\"${url}\\",\\"size\\":${bytes.length},` +
		    '\\"type\\":\\"png\\"}","code":0,"msg":""}');
		assert.deepEqual(JSON.parse(r.json.data), {
		    thumb: `/u/${file}?w=40&h=30`, url: `/u/${file}?w=40&h=30`,
		    size: bytes.length, type: 'png' });
		const g = await ask(port, 'GET', JSON.parse(r.json.data).url);
		assert.ok(g.body.equals(bytes));
		assert.equal(g.headers['content-type'], 'image/png');
		await ann.bye();
	});
	for (const path of ['/apps/upload.php', '/page/upload/'])
		test(`of 2016, at ${path}: the text itself`, async () => {
			const ann = await visitor();
			for (const [bytes, type] of [[png(3, 2), 'png'],
			    [jpeg(9, 8), 'jpg'], [gif(5, 6), 'gif']]) {
				const r = await post(path, flash(bytes, `x.${type}`),
				    ann.ip, { 'user-agent': 'Shockwave Flash' });
				assert.equal(r.status, 200, r.body.toString());
				assert.match(r.body.toString(), /^\{"thumb":"\\\/u\\\//);
				assert.match(r.json.url, KINDS);
				assert.deepEqual([r.json.thumb, r.json.size, r.json.type],
				    [r.json.url, bytes.length, type]);
			}
			await ann.bye();
		});
	test('what is no picture of the three', async () => {
		const ann = await visitor();
		for (const [bytes, file, type, what] of [
		    [Buffer.from('<html>'.repeat(20)), 'a.png', 'image/png', 'bin'],
		    [Buffer.from('<svg xmlns="x" onload="y()"/>'), 'a.svg',
		        'image/svg+xml', 'bin'], [Buffer.from('%PDF-1.7'), 'a.gif',
		        'image/gif', 'bin'], [webp(9, 9), 'a.jpg', 'image/jpeg', 'webp'],
		    [Buffer.alloc(0), 'a.png', 'image/png', 'bin']]) {
			const r = await post('/upload', photo(bytes, file, type), ann.ip);
			assert.equal(r.status, 200, file);
			assert.equal(r.body.toString().replace(/\\u[0-9a-f]{4}/g, 'x'),
			    '{"msg":"' + 'x'.repeat(11) + ` Error:File Type '${what}' ` +
			    'not allow upload!","data":[],"code":2}');
			assert.equal(r.json.msg,
			    `${FAILED}File Type '${what}' not allow upload!`);
			const old = await post('/apps/upload.php', flash(bytes, file),
			    ann.ip);
			assert.deepEqual([old.status, old.body.toString()], [200,
			    `${FAILED}File Type '${what}' not allow upload!false`]);
		}
		/* its head alone is one */
		assert.equal((await post('/upload', photo(png(4, 4).subarray(0, 20)),
		    ann.ip)).json.code, 2);
		await ann.bye();
		await clean();
	});
	test('no file', async () => {
		const ann = await visitor();
		for (const f of [form([]), form([{ name: 'photo', value: 'x' }]),
		    form([{ name: 'other', file: 'a.png', bytes: png(2, 2) }]),
		    form([{ name: 'photo', file: '', bytes: '' }]),
		    ['photo=x', 'application/x-www-form-urlencoded'],
		    ['', 'text/plain'], ['x', 'multipart/form-data'],
		    ['x', 'multipart/mixed; boundary=x'],
		    ['x', 'multipart/form-data; boundary="a b;"']]) {
			const r = await post('/upload', f, ann.ip);
			const what = `${f[1]} ${f[0]}`;
			assert.deepEqual([r.status, r.body.length], [403, 0], what);
			const old = await post('/apps/upload.php', f, ann.ip);
			assert.deepEqual([old.status, old.body.toString()],
			    [200, 'Bad Request\n'], what);
		}
		await ann.bye();
		await clean();
	});
	test('as large as it may be, and one byte more', async () => {
		const ann = await visitor();
		const base = png(4, 4, 1).length - 1;
		const sized = k => png(4, 4, k - base);
		assert.equal((await post('/upload', photo(sized(64 * KIB)), ann.ip))
		    .json.code, 0);
		for (const k of [64 * KIB + 1, 300 * KIB]) {
			const r = await post('/upload', photo(sized(k)), ann.ip);
			assert.deepEqual([r.status, r.json.code, r.json.msg], [200, 4,
			    `${FAILED}File size go beyond the max_size!`], `${k}`);
		}
		await ann.bye();
		await clean();
	});
});

describe('who', () => {
	const is = async (status, ip, headers) => {
		const r = await post('/upload', photo(png(2, 2)), ip, headers);
		assert.equal(r.status, status, r.body.toString());
		return r;
	};
	test('somebody of these pages has to be in, from there', async () => {
		const ip = place();
		await is(403, ip);
		assert.equal((await is(403, ip)).json.msg,
		    `${FAILED}nobody is logged in from there`);
		/* connected is not in, and of other systems is not of these pages */
		const p = await Page.open(`${ws}/`, { headers: from(ip) });
		const amy = await Client.login(ws, 'amy', '7', { uid: 'amy',
		    headers: from(ip) });
		await is(403, ip);
		await p.login('ann');
		await is(200, ip);
		await is(403, place());
		/* as long as he is */
		await p.bye();
		await until('he is gone', async () =>
		    (await post('/upload', photo(png(2, 2)), ip)).status === 403);
		amy.drop();
		/* a long poll is as good */
		const k = await Comet.open(port, { year: 2019, headers: from(ip) });
		await k.login('poll');
		await is(200, ip);
		k.stop();
	});
	test('pages of elsewhere may not', async () => {
		const ann = await visitor();
		for (const origin of ['http://evil.example', 'null'])
			await is(403, ann.ip, { origin });
		for (const origin of ['http://im.example', `http://127.0.0.1:${port}`])
			assert.equal((await is(200, ann.ip, { origin }))
			    .headers['access-control-allow-origin'], origin);
		assert.equal((await ask(port, 'GET', '/upload', from(ann.ip)))
		    .status, 404);
		await ann.bye();
	});
	test('who came last pays, and all of an address together', async () => {
		const ip = place(), first = await visitor(ip, 'first');
		const big = () => png(4, 4, 60 * KIB + ++n);
		/* 1 MiB a day for each: he has had his */
		let took = 0;
		const all = async () => {
			for (let i = 0; i < 40; i++) {
				const r = await post('/upload', photo(big()), ip);
				if (r.status !== 200) {
					assert.equal(r.status, 429);
					assert.ok(Number(r.headers['retry-after']) > 80000);
					assert.equal(r.json.msg,
					    `${FAILED}too much for one day`);
					return took;
				}
				took++;
			}
			throw new Error('no end');
		};
		const each = await all();
		assert.ok(each >= 14 && each <= 17, `${each}`);
		/* another one of that address has his own; and when he is gone, the
		 * first one is he who came last */
		const second = await visitor(ip, 'second');
		await is(200, ip);
		await second.bye();
		await until('the first pays', async () =>
		    (await post('/upload', photo(big()), ip)).status === 429);
		/* four of them are what an address may bring, whatever they are */
		for (let i = 0; i < 3; i++) {
			const p = await visitor(ip, `p${i}`);
			await all();
			await p.bye();
		}
		const last = await visitor(ip, 'last');
		await all();
		assert.ok(took >= 3 * each && took <= 4 * each + 4, `${took}`);
		await Promise.all([first.bye(), last.bye()]);
	});
	test('two at once', async () => {
		const ann = await visitor();
		const two = [1, 2].map(() => raw(ann.ip, Buffer.alloc(0), 5000));
		await open(2);
		assert.equal((await is(429, ann.ip)).json.code, 429);
		/* cut off: as if they had never been */
		await Promise.all(two.map(s => s.end()));
		await clean();
		await is(200, ann.ip);
		await ann.bye();
	});
});

describe('seen', () => {
	test('by each other, by CChat, and the other way round', async () => {
		const ann = await visitor();
		const bob = await Page.login(`${ws}/`, 'bob');
		const cat = await Comet.open(port);
		await cat.login('cat');
		const amy = await Client.login(ws, 'amy', '7', { uid: 'amy' });
		const r = await post('/upload', photo(jpeg(400, 300)), ann.ip);
		const { url } = JSON.parse(r.json.data);
		const file = join(folder, url.slice(3).replace(/\?.*/, ''));
		assert.equal(lstatSync(file).mode & 0o777, 0o600, 'not sent yet');
		/* as its page does: the answer's data is what is said */
		ann.say(r.json.data, undefined, 'image');
		for (const p of [bob, cat])
			assert.deepEqual(JSON.parse((await p.next(f =>
			    f.type === 'image')).data), { url, thumb: url });
		const pic = await amy.next(f => f.type === 'pic');
		assert.equal(pic.msg, url);
		assert.match(url, /\.jpg\?w=400&h=300$/);
		assert.equal(lstatSync(file).mode & 0o777, 0o640, 'kept');

		const mine = await ask(port, 'POST', '/v1/upload', { authorization:
		    `Bearer ${amy.me.up.key}`, 'content-type': 'image/png' },
		    png(20, 10));
		await amy.say('7', mine.json.url, { type: 'pic' });
		for (const p of [ann, bob, cat])
			assert.deepEqual(JSON.parse((await p.next(f =>
			    f.type === 'image' && f.data.includes('w=20'))).data),
			    { url: mine.json.url, thumb: mine.json.url });
		/* and who comes later reads both */
		const dan = await visitor();
		dan.send({ cmd: 'getHistory' });
		assert.deepEqual((await dan.next('getHistory')).history
		    .filter(e => e.type === 'image').map(e =>
		    JSON.parse(e.msg.data).url).slice(-2), [url, mine.json.url]);
		for (const u of [url, mine.json.url])
			assert.equal((await ask(port, 'GET', u)).status, 200);
		cat.stop();
		amy.drop();
		await Promise.all([ann.bye(), bob.bye(), dan.bye()]);
	});
});

describe('attacks', () => {
	let ann;
	before(async () => { ann = await visitor(); });
	after(() => ann?.bye());
	test('names are no paths', async () => {
		const before = stored(), bytes = png(7, 7);
		for (const file of ['../../etc/passwd', '/etc/passwd.png', '..\\x.png',
		    'a.php', 'x\0.png', '<img src=x onerror=y>.png', 'a%00.png',
		    '\\"; name=\\"x', 'x'.repeat(1500)]) {
			const r = await post('/upload', photo(bytes, file), ann.ip);
			const bad = file.includes('\0');
			assert.equal(r.status, bad ? 400 : 200, file);
			if (!bad)
				assert.match(JSON.parse(r.json.data).url,
				    /^\/u\/[0-9a-f]{64}\.png\?w=7&h=7$/, file);
		}
		assert.equal(stored(), before + 1);
		assert.ok(!existsSync(join(folder, 'passwd')));
	});
	test('forms that are none', async () => {
		const [good, type] = photo(png(2, 2)), two = { name: 'photo',
		    file: 'a.png', bytes: png(2, 2) };
		const [twice] = form([two, two]);
		const [thousand] = form(Array.from({ length: 1000 },
		    (_, i) => ({ name: `f${i}`, value: 'x' })));
		const [nested] = form([{ head: 'Content-Type: multipart/mixed\r\n' }]);
		const [long] = form([{ head: `X: ${'y'.repeat(4000)}\r\n` }]);
		const [many] = form([{ head: 'X: y\r\n'.repeat(17) }]);
		for (const [what, body] of Object.entries({ twice, thousand, nested,
		    long, many, cut: good.subarray(0, good.length - 6),
		    half: good.subarray(0, 200), noise: randomBytes(5000),
		    nothing: Buffer.alloc(0),
		    preamble: Buffer.concat([Buffer.from('hello\r\n'), good]) })) {
			const r = await post('/upload', [body, type], ann.ip);
			assert.deepEqual([r.status, r.json.code, r.json.data],
			    [400, 400, []], `${what}: ${r.body}`);
		}
		/* a boundary beyond what one may be, and one that is as long */
		for (const [k, status] of [[70, 200], [71, 403]])
			assert.equal((await post('/upload', form([two], 'x'.repeat(k)),
			    ann.ip)).status, status);
		await clean();
	});
	test('a boundary that nearly comes is content', async () => {
		const b = '----WebKitFormBoundaryhOOvZYYsGZFHZL4k';
		const near = Buffer.concat([png(2, 2), ...['\r', '\r\n', '\r\n--',
		    `\r\n--${b.slice(0, -1)}`, `\r\n\r\n--${b.slice(0, -1)}x\r\r\n-`]
		    .map(x => Buffer.from(x))]);
		const [body, type] = photo(near);
		/* in pieces of every length there is */
		for (const k of [1, 2, 3, 7, 64, 1 << 20]) {
			const s = raw(ann.ip, Buffer.alloc(0), body.length, type);
			for (let i = 0; i < body.length; i += k)
				s.write(body.subarray(i, i + k));
			await s.answer('"code":0');
			await s.end();
			assert.ok(s.got.includes(createHash('sha256').update(near)
			    .digest('hex')));
		}
	});
	test('huge: said before a byte is read', async () => {
		const s = raw(ann.ip, Buffer.alloc(0), 1 << 30);
		await s.answer('"code":4');
		await s.gone;
		assert.match(s.got, /^Connection: close/mi);
		assert.equal((await ask(port, 'POST', '/upload', from(ann.ip)))
		    .status, 403);
	});
	test('cut off, or too slow', async () => {
		const [body] = photo(png(9, 9, 4000));
		const cut = raw(ann.ip, body.subarray(0, 900), body.length);
		await open(1);
		await cut.end();
		await slow.answer('HTTP/1.1 408');
		await clean();
		/* those two, and the two that were cut before */
		assert.equal(await metric('msg_uploads_refused_total{why="lost"}'), 4);
		await slow.end();
	});
});

test('where it is off', async () => {
	const [body, type] = photo(png(2, 2));
	const tell = async (conf, words = ['webim']) => {
		const k = await Cluster.start({ msgs: 1, conf: { msg_server: {
		    dialects: words, ...conf } } });
		try {
			const p = conf.auth ? null : await Page.login(
			    `ws://127.0.0.1:${k.msgs[0].ports.public}`, 'ann');
			const all = [];
			for (const path of ['/upload', '/apps/upload.php'])
				all.push((await ask(k.msgs[0].ports.public, 'POST', path,
				    { 'content-type': type }, body)).status);
			await p?.bye();
			return all;
		} finally {
			await k.stop();
		}
	};
	const all = await Promise.all([tell({ auth: 'token' }),
	    tell({ uploads: 'off' }), tell({ upload_webim: 0 }),
	    /* a listener without that door knows no such path */
	    tell({}, ['cchat', 'webim'])]);
	assert.deepEqual(all, [[404, 404], [404, 404], [404, 404], [405, 405]]);
});
