/* SPDX-License-Identifier: MIT */
/*
 * Group H: the handshake and the HTTP front.  A refusal is one complete
 * response that ends the connection; what follows in the segment is not read.
 */
import { randomBytes } from 'node:crypto';
import { Fail, PATIENCE, add, sleep } from '../suite.mjs';
import { check101 } from '../peer.mjs';
import { CLOSE, PING, TEXT, closeFrame, frame } from '../wire.mjs';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const bare = { bare: true }, chat = { bare: true, mode: 'chat' };

/* The request as pieces, for a case to bend. */
function
request(t, o = {})
{
	const h = [
		['Host', `${t.target.host}:${t.target.port}`],
		['Upgrade', 'websocket'],
		['Connection', 'Upgrade'],
		['Sec-WebSocket-Key', KEY],
		['Sec-WebSocket-Version', '13'],
	].filter(([n]) => !(o.without ?? []).includes(n))
	    .map(([n, v]) => [n, o.set?.[n] ?? v]);
	const lines = h.map(([n, v]) => `${n}: ${v}`).concat(o.more ?? []);
	return `${o.line ?? `GET ${t.target.path} HTTP/1.1`}\r\n` +
	    `${lines.join('\r\n')}\r\n\r\n`;
}

const bytes = s => Buffer.from(s, 'latin1');

async function
takes(t, text, key = KEY)
{
	const p = await t.peer({ raw: true });
	p.send(bytes(text));
	const r = await p.response();
	if (!r)
		throw new Fail(p.over ? 'closed without an answer' : 'no answer');
	check101(r, key);
	p.upgraded(r.used);
	t.main = p;
	p.send(frame(PING, 'up?'));
	await t.pong('up?');
	await t.bye();
}

async function
refuses(t, text, status, o = {})
{
	const p = await t.peer({ raw: true });
	p.send(Buffer.isBuffer(text) ? text : bytes(text));
	const r = await p.response(o.ms);
	if (!r) {
		if (p.over && o.drop)
			return;
		throw new Fail(p.over ? 'closed without an answer' : 'no answer');
	}
	if (![].concat(status).includes(r.status))
		throw new Fail(`status ${r.status} where ${status} was due`);
	if (!r.headers.has('content-length'))
		throw new Fail('a refusal without Content-Length');
	if (o.plain && !/\bclose\b/i.test(r.headers.get('connection') ?? ''))
		return;	/* not an upgrade: the connection may go on */
	if (!/\bclose\b/i.test(r.headers.get('connection') ?? ''))
		throw new Fail('a refusal without Connection: close');
	if (status === 426 && r.headers.get('sec-websocket-version') !== '13')
		throw new Fail('426 without Sec-WebSocket-Version: 13');
	const until = Date.now() + PATIENCE;
	while (!p.over && Date.now() < until)
		await p.changed(until - Date.now());
	if (!p.over)
		throw new Fail('the connection stays open after the refusal');
	if (p.events.some(e => e.type === 'reset'))
		throw new Fail('a reset instead of FIN after the refusal');
	if (p.raw.length > r.used)
		throw new Fail('more bytes behind the refusal');
}

const ok = (id, what, o) => add(`H.1.${id}`, what,
    t => takes(t, typeof o === 'function' ? o(t) : request(t, o)), bare);
const no = (id, what, o, status = 400, x = bare) => add(`H.${id}`, what,
    t => refuses(t, typeof o === 'function' ? o(t) : request(t, o), status), x);

/* --- good requests ------------------------------------------------------ */

ok(1, 'a plain upgrade', {});
ok(2, 'header names in another case', t => request(t)
    .replace('Upgrade:', 'UPGRADE:').replace('Connection:', 'connection:')
    .replace('Sec-WebSocket-Key', 'sec-websocket-KEY')
    .replace('Host', 'hOST'));
ok(3, 'Upgrade: WebSocket', { set: { Upgrade: 'WebSocket' } });
ok(4, 'Connection: keep-alive, Upgrade',
    { set: { Connection: 'keep-alive, Upgrade' } });
ok(5, 'Connection: upgrade', { set: { Connection: 'upgrade' } });
ok(6, 'no blank after the colons', t => request(t).replaceAll(': ', ':'));
ok(7, 'blanks and tabs around the values', t => request(t)
    .replaceAll(': ', ':  \t ').replaceAll('\r\nC', ' \t\r\nC'));
ok(8, 'unknown headers', { more: ['X-Odd: a, b;c="d"', 'Accept-Language: zh',
    'Pragma: no-cache', 'Cookie: a=b; c=d'] });
ok(9, 'a query', t => request(t, { line: `GET ${t.target.path}?a=b&c=%20 ` +
    'HTTP/1.1' }));
ok(10, 'Connection as a long list', { set: { Connection:
    'a,b , c,keep-alive,\tUpgrade ,d' } });
add('H.1.11', 'another key', t => {
	const key = randomBytes(16).toString('base64');
	return takes(t, request(t, { set: { 'Sec-WebSocket-Key': key } }), key);
}, bare);
add('H.1.12', 'the head octet by octet', async t => {
	const p = t.main = await t.peer({ raw: true });
	await p.chop(bytes(request(t)), 1);
	const r = await p.response();
	check101(r ?? { status: 'missing' }, KEY);
	p.upgraded(r.used);
	await t.bye();
}, bare);
for (const n of [1, 2, 3])
	add(`H.1.${12 + n}`, `the head in two, ${n} before its end`, async t => {
		const p = t.main = await t.peer({ raw: true });
		const b = bytes(request(t));
		p.send(b.subarray(0, b.length - n));
		await sleep(30);
		p.send(b.subarray(b.length - n));
		const r = await p.response();
		check101(r ?? { status: 'missing' }, KEY);
		p.upgraded(r.used);
		await t.bye();
	}, bare);
add('H.1.16', 'a frame in the segment of the request', async t => {
	const p = t.main = await t.peer({ raw: true });
	p.send(Buffer.concat([bytes(request(t)), frame(PING, 'early')]));
	const r = await p.response();
	check101(r ?? { status: 'missing' }, KEY);
	p.upgraded(r.used);
	await t.pong('early');
	await t.bye();
}, bare);
add('H.1.17', 'half a frame in the segment of the request', async t => {
	const p = t.main = await t.peer({ raw: true }), f = frame(PING, 'early');
	p.send(Buffer.concat([bytes(request(t)), f.subarray(0, 5)]));
	await sleep(30);
	p.send(f.subarray(5));
	const r = await p.response();
	check101(r ?? { status: 'missing' }, KEY);
	p.upgraded(r.used);
	await t.pong('early');
	await t.bye();
}, bare);
add('H.1.18', 'a bad frame in the segment of the request', async t => {
	const p = t.main = await t.peer({ raw: true });
	p.send(Buffer.concat([bytes(request(t)),
	    frame(TEXT, 'x', { mask: false })]));
	const r = await p.response();
	check101(r ?? { status: 'missing' }, KEY);
	p.upgraded(r.used);
	await t.fails(1002);
}, bare);
ok(19, 'permessage-deflate offered, and not taken', { more:
    ['Sec-WebSocket-Extensions: x-unknown; a=1'] });
add('H.1.20', 'permessage-deflate is not taken', t => takes(t, request(t,
    { more: ['Sec-WebSocket-Extensions: permessage-deflate; ' +
    'client_max_window_bits'] })), chat);
add('H.1.21', 'path /', t => takes(t, request(t, { line: 'GET / HTTP/1.1' })),
    chat);
add('H.1.22', 'a subprotocol offered, and not taken', t => takes(t, request(t,
    { more: ['Sec-WebSocket-Protocol: wamp'] })), chat);

/* --- headers missing or wrong ------------------------------------------- */

no('2.1', 'no Host', { without: ['Host'] });
no('2.2', 'two equal Hosts', t => request(t, { more:
    [`Host: ${t.target.host}:${t.target.port}`] }));
no('2.3', 'two Hosts', { more: ['Host: other.example'] });
add('H.2.4', 'no Upgrade', t => refuses(t, request(t,
    { without: ['Upgrade'] }), [400, 404, 426], { plain: true }), bare);
['websockets', 'xwebsocket', 'web socket', 'h2c', 'websocket/13x y']
    .forEach((v, i) => no(`2.${5 + i}`, `Upgrade: ${v}`,
    { set: { Upgrade: v } }, [400, 404, 426]));
/* Without the token `upgrade` the request is a plain one, for no such page. */
add('H.2.10', 'no Connection', t => refuses(t, request(t,
    { without: ['Connection'] }), [400, 404, 426], { plain: true }), bare);
['keep-alive', 'notupgrade', 'upgrade-x', 'up grade', 'close']
    .forEach((v, i) => add(`H.2.${11 + i}`, `Connection: ${v}`, t =>
    refuses(t, request(t, { set: { Connection: v } }), [400, 404, 426],
    { plain: true }), bare));
no('2.16', 'no key', { without: ['Sec-WebSocket-Key'] });
[['', 'empty'], ['dGhlIHNhbXBsZSBub25j', '15 bytes'],
    ['dGhlIHNhbXBsZSBub25jZTE=', '17 bytes'], ['!'.repeat(22) + '==', 'no base64'],
    ['dGhlIHNhbXBsZSBub25jZQ', 'no padding'],
    ['dGhlIHNhbXBs ZSBub25jZQ==', 'a blank inside'],
    ['dGhlIHNhbXBsZSBub25jZQ==, x', 'a list']]
    .forEach(([v, what], i) => no(`2.${17 + i}`, `key: ${what}`, t =>
    request(t).replace(KEY, v)));
no('2.24', 'two keys', { more: [`Sec-WebSocket-Key: ${KEY}`] });
no('2.25', 'no version', { without: ['Sec-WebSocket-Version'] }, [400, 426]);
['8', '7', '0', '12', '14', '255'].forEach((v, i) => no(`2.${26 + i}`,
    `version ${v}`, { set: { 'Sec-WebSocket-Version': v } }, 426));
['13, 8', '013', '+13', '13x', '1 3', '-13', ''].forEach((v, i) =>
    no(`2.${32 + i}`, `version "${v}"`,
    t => request(t).replace('Version: 13', `Version: ${v}`), [400, 426]));
no('2.39', 'two versions', { more: ['Sec-WebSocket-Version: 13'] }, [400, 426]);
no('2.40', 'an empty Host', t => request(t).replace(/Host: .*\r\n/,
    'Host: \r\n'), 400, chat);
no('2.41', 'a Host with a blank', t => request(t).replace(/Host: .*\r\n/,
    'Host: a b\r\n'), 400, chat);

/* --- the request line --------------------------------------------------- */

const line = (id, what, fn, status = 400, x = bare) => add(`H.3.${id}`, what,
    t => refuses(t, request(t, { line: fn(t.target.path) }), status), x);
line(1, 'HTTP/1.0', p => `GET ${p} HTTP/1.0`, [400, 426, 505]);
line(2, 'HTTP/2.0', p => `GET ${p} HTTP/2.0`, [400, 505]);
line(3, 'HTTP/1.1 with a letter behind', p => `GET ${p} HTTP/1.1x`, [400, 505]);
line(4, 'HTTP/1.2', p => `GET ${p} HTTP/1.2`, [400, 505]);
line(5, 'http/1.1', p => `GET ${p} http/1.1`, [400, 505]);
line(6, 'no version', p => `GET ${p}`, [400, 505]);
line(7, 'POST', p => `POST ${p} HTTP/1.1`, [400, 404, 405]);
line(8, 'PUT', p => `PUT ${p} HTTP/1.1`, [400, 404, 405]);
line(9, 'get', p => `get ${p} HTTP/1.1`, [400, 405, 501]);
line(10, 'GETX', p => `GETX ${p} HTTP/1.1`, [400, 405, 501]);
line(11, 'two blanks before the target', p => `GET  ${p} HTTP/1.1`);
line(12, 'two blanks before the version', p => `GET ${p}  HTTP/1.1`);
line(13, 'a tab as a blank', p => `GET\t${p} HTTP/1.1`);
line(14, 'a blank in front', p => ` GET ${p} HTTP/1.1`);
line(15, 'a blank behind', p => `GET ${p} HTTP/1.1 `);
line(16, 'no target', () => 'GET  HTTP/1.1');
line(17, 'target without a slash', () => 'GET ws HTTP/1.1', [400, 404]);
line(18, 'a control character in the target', p => `GET ${p}\x01 HTTP/1.1`);
line(19, 'raw bytes above 127 in the target', p => `GET ${p}\xe9 HTTP/1.1`,
    400, chat);
line(20, 'DEL in the target', p => `GET ${p}\x7f HTTP/1.1`);
line(21, 'NUL in the target', p => `GET ${p}\0 HTTP/1.1`);
line(22, 'target *', () => 'GET * HTTP/1.1', [400, 404]);

/* --- header syntax ------------------------------------------------------ */

const head = (id, what, more, status = 400, x = bare) =>
    no(`4.${id}`, what, { more: [].concat(more) }, status, x);
head(1, 'a blank before the colon', 'X-A : b');
head(2, 'a folded line', ['X-A: b', ' c']);
head(3, 'a line that starts with a blank', ' X-A: b');
head(4, 'no name', ': b');
head(5, 'a blank in the name', 'X A: b');
head(6, 'no colon', 'X-A');
head(7, 'a control character in a value', 'X-A: b\x01c');
head(8, 'NUL in a value', 'X-A: b\0c');
head(9, 'a bare CR in a value', 'X-A: b\rc');
head(10, 'a bare LF ends a line', 'X-A: b\nX-B: c');
head(11, 'a byte above 127 in a name', 'X-\xe9: b');
head(12, 'parentheses in a name', 'X(A): b');
head(13, 'DEL in a value', 'X-A: b\x7f', 400, chat);
no('4.14', 'LF only', t => request(t).replaceAll('\r\n', '\n'));
no('4.15', 'CR only', t => request(t).replaceAll('\r\n', '\r') + '\r\n\r\n');
no('4.16', 'the request is binary', () => Buffer.alloc(300, 0x16).toString(
    'latin1') + '\r\n\r\n');
no('4.17', 'a TLS hello', () => '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03' +
    'x'.repeat(200) + '\r\n\r\n');

/* --- limits ------------------------------------------------------------- */

const pad = n => 'p'.repeat(n);
add('H.5.1', 'a request line of 4000 bytes', t => takes(t, request(t,
    { line: `GET ${t.target.path}?${pad(4000 - 15 - t.target.path.length)} ` +
    'HTTP/1.1' })), chat);
no('5.2', 'a request line of 4200 bytes', t => request(t,
    { line: `GET ${t.target.path}?${pad(4200)} HTTP/1.1` }), [414, 431], chat);
add('H.5.3', 'a head of 8000 bytes', t => takes(t, request(t, { more:
    [`X-A: ${pad(3800)}`, `X-B: ${pad(3900)}`] })), chat);
no('5.4', 'a head of 8300 bytes', { more: [`X-A: ${pad(4000)}`,
    `X-B: ${pad(4100)}`] }, 431, chat);
add('H.5.5', '64 headers', t => takes(t, request(t, { more:
    Array.from({ length: 59 }, (_, i) => `X-${i}: v`) })), chat);
no('5.6', '65 headers', { more: Array.from({ length: 60 },
    (_, i) => `X-${i}: v`) }, 431, chat);
no('5.7', '2000 headers', { more: Array.from({ length: 2000 },
    (_, i) => `X-${i}: v`) }, [400, 431]);
for (const [i, [name, what]] of [['Sec-WebSocket-Protocol', ' '],
    ['Sec-WebSocket-Extensions', '"'], ['Sec-WebSocket-Extensions', ';a="'],
    ['Connection', ','], ['Upgrade', ' ,']].entries())
	add(`H.5.${8 + i}`, `128 KiB of ${JSON.stringify(what)} in ${name}`,
	    async t => {
		const t0 = Date.now();
		await refuses(t, request(t, { more:
		    [`${name}: x${what.repeat(131072 / what.length)}`] }),
		    [400, 431], { drop: true });
		if (Date.now() - t0 > PATIENCE / 6)
			throw new Fail('the refusal took too long');
	}, bare);
add('H.5.13', 'a head without end', async t => {
	const p = await t.peer({ raw: true });
	p.send(bytes(`GET ${t.target.path} HTTP/1.1\r\nX-A: `));
	for (let i = 0; i < 64 && !p.over; i++) {
		p.send(bytes(pad(2048)));
		await sleep(2);
	}
	const r = await p.response();
	if (r ? r.status !== 431 && r.status !== 400 : !p.over)
		throw new Fail('a head without end is read on');
}, bare);

/* --- bodies, and requests behind a refusal ------------------------------ */

no('6.1', 'Content-Length: 5 on the upgrade', t => request(t,
    { more: ['Content-Length: 5'] }) + 'hello');
no('6.2', 'chunked on the upgrade', t => request(t,
    { more: ['Transfer-Encoding: chunked'] }) + '0\r\n\r\n', [400, 501]);
no('6.3', 'both on the upgrade', t => request(t, { more:
    ['Content-Length: 5', 'Transfer-Encoding: chunked'] }) + '0\r\n\r\n',
    [400, 501]);
['-1', '+5', '5, 5', '0x5', '5 5', '99999999999999999999', 'x', '']
    .forEach((v, i) => no(`6.${4 + i}`, `Content-Length: ${v}`,
    { more: [`Content-Length: ${v}`] }, [400, 413]));
no('6.12', 'two Content-Lengths', { more: ['Content-Length: 5',
    'Content-Length: 6'] });
no('6.13', 'Transfer-Encoding: identity', { more:
    ['Transfer-Encoding: identity'] }, [400, 501], chat);
/* A tunnel that only the proxy in between believes in must not carry this. */
no('6.14', 'a request behind a refused upgrade', t => request(t,
    { set: { 'Sec-WebSocket-Version': '8' } }) +
    'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n', 426);
no('6.15', 'a request behind a bad one', t => request(t,
    { without: ['Host'] }) + 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
no('6.16', 'a frame behind a refused upgrade', t => request(t,
    { without: ['Sec-WebSocket-Key'] }) + frame(PING, 'x').toString('latin1'));

/* --- time (slow) -------------------------------------------------------- */

/* Gone after at least min and at most max ms. */
async function
cutAfter(p, min, most)
{
	const max = Math.max(most, PATIENCE);
	const t0 = Date.now();
	while (!p.over && Date.now() - t0 < max)
		await p.changed(max - (Date.now() - t0));
	if (!p.over)
		throw new Fail(`still open after ${max} ms`);
	if (Date.now() - t0 < min)
		throw new Fail(`cut after only ${Date.now() - t0} ms`);
}
const slow = { bare: true, mode: 'chat', slow: true, limit: 20000 };
add('H.7.1', 'silence', async t =>
    cutAfter(await t.peer({ raw: true }), 3000, 8000), slow);
add('H.7.2', 'half a head', async t => {
	const p = await t.peer({ raw: true });
	p.send(bytes(request(t).slice(0, 60)));
	await cutAfter(p, 3000, 8000);
	if (p.raw.length && !/^HTTP\/1\.1 408 /.test(p.raw.toString('latin1')))
		throw new Fail('an answer other than 408');
}, slow);
add('H.7.3', 'a byte every 300 ms', async t => {
	const p = await t.peer({ raw: true }), b = bytes(request(t));
	const timer = setInterval(() => {
		const i = timer.at = (timer.at ?? -1) + 1;
		p.send(b.subarray(i, i + 1));
	}, 300);
	try {
		await cutAfter(p, 3000, 8000);
	} finally {
		clearInterval(timer);
	}
}, slow);
add('H.7.4', 'no login: Close 4103 after 10 s', async t => {
	t.main = await t.peer();
	const t0 = Date.now();
	const ev = await t.main.next(Math.max(14000, PATIENCE));
	if (ev.type !== 'close' || ev.code !== 4103)
		throw new Fail(`${ev.type} ${ev.code ?? ''} instead of Close 4103`);
	if (Date.now() - t0 < 7000)
		throw new Fail('cut too early');
	await t.tcpEnd();
}, slow);
add('H.7.5', 'pings are no login', async t => {
	t.main = await t.peer();
	const timer = setInterval(() => t.main.send(frame(PING)), 500);
	try {
		for (const until = Date.now() + Math.max(14000, PATIENCE);;) {
			const ev = await t.main.next(until - Date.now());
			if (ev.type === 'pong')
				continue;
			if (ev.type !== 'close' || ev.code !== 4103)
				throw new Fail(`${ev.type} instead of Close 4103`);
			break;
		}
	} finally {
		clearInterval(timer);
	}
}, slow);
add('H.7.6', 'a peer that never answers Close is let go', async t => {
	t.main = await t.peer();
	t.send(frame(CLOSE, 'a'));
	await t.fails(1002);
	const p = t.main, t0 = Date.now();
	const most = Math.max(10000, PATIENCE);
	while (!p.closed && Date.now() - t0 < most) {
		if (!p.send(Buffer.alloc(1000)))
			break;
		await sleep(100);
	}
	if (Date.now() - t0 >= most)
		throw new Fail('the half-closed connection is kept');
}, slow);

/* --- Origin ------------------------------------------------------------- */

const origin = (id, what, value, good) => add(`H.8.${id}`, what, t => {
	const v = value(`${t.target.host}:${t.target.port}`);
	const text = request(t, { more: [].concat(v).map(o => `Origin: ${o}`) });
	return good ? takes(t, text) : refuses(t, text, [400, 403]);
}, { bare: true, mode: 'chat' });
origin(1, 'the own origin', h => `http://${h}`, true);
origin(2, 'another', () => 'http://evil.example');
origin(3, 'null', () => 'null');
origin(4, 'own origin as a prefix', h => `http://${h}.evil.example`);
origin(5, 'own origin as a suffix', h => `http://evil.example/http://${h}`);
origin(6, 'own host, another port', h => `http://${h.split(':')[0]}:1`);
origin(7, 'own host, no port', h => `http://${h.split(':')[0]}`);
origin(9, 'own host behind an @', h => `http://${h}@evil.example`);
origin(10, 'evil behind an @', h => `http://evil.example@${h}`);
origin(11, 'own host, ftp', h => `ftp://${h}`);
origin(12, 'empty', () => '');
origin(13, 'own and another', h => [`http://${h}`, 'http://evil.example']);
origin(14, 'own with a path', h => `http://${h}/`);
origin(15, 'a list', h => `http://${h}, http://evil.example`);
origin(16, 'none at all', () => [], true);

/* --- plain HTTP --------------------------------------------------------- */

async function
get(t, text, ms)
{
	const p = await t.peer({ raw: true });
	p.send(bytes(text));
	const r = await p.response(ms);
	if (!r)
		throw new Fail(p.over ? 'closed without an answer' : 'no answer');
	return { ...r, peer: p };
}
const plain = (t, path, method = 'GET') => `${method} ${path} HTTP/1.1\r\n` +
    `Host: ${t.target.host}:${t.target.port}\r\n\r\n`;

add('H.9.1', 'GET /healthz', async t => {
	const r = await get(t, plain(t, '/healthz'));
	if (r.status !== 200)
		throw new Fail(`status ${r.status}`);
}, chat);
['/../../../../etc/passwd', '/..%2f..%2f..%2f..%2fetc/passwd',
    '/%2e%2e/%2e%2e/%2e%2e/etc/passwd', '//etc/passwd', '/./../etc/passwd',
    '/%00', '/%', '/%zz', '/js/../../../../etc/passwd', '/\\..\\..\\etc\\passwd',
    '/etc/passwd', '/.git/config'].forEach((path, i) =>
	add(`H.9.${2 + i}`, `GET ${path}`, async t => {
		const r = await get(t, plain(t, path));
		if (![400, 403, 404].includes(r.status))
			throw new Fail(`status ${r.status}`);
	}, chat));
['POST', 'PUT', 'DELETE', 'TRACE', 'CONNECT', 'PATCH', 'OPTIONS']
    .forEach((m, i) => add(`H.9.${20 + i}`, `${m} /`, async t => {
	const r = await get(t, plain(t, '/', m).replace('\r\n\r\n',
	    '\r\nContent-Length: 0\r\n\r\n'));
	if (![400, 403, 404, 405, 501].includes(r.status))
		throw new Fail(`status ${r.status}`);
}, chat));
add('H.9.30', 'HEAD / has no body', async t => {
	const p = await t.peer({ raw: true });
	p.send(bytes(plain(t, '/', 'HEAD')));
	await p.changed(PATIENCE);
	await sleep(50);
	const s = p.raw.toString('latin1');
	if (!/^HTTP\/1\.1 (200|404|405) /.test(s))
		throw new Fail(`answer ${JSON.stringify(s.slice(0, 40))}`);
	if (/^HTTP\/1\.1 200/.test(s) && !s.endsWith('\r\n\r\n'))
		throw new Fail('a body for HEAD');
}, chat);
add('H.9.31', 'security headers on every answer', async t => {
	for (const path of ['/', '/nowhere']) {
		const r = await get(t, plain(t, path));
		if (r.headers.get('x-content-type-options') !== 'nosniff')
			throw new Fail(`${path}: no X-Content-Type-Options: nosniff`);
		if (r.status === 200 && !r.headers.has('content-security-policy'))
			throw new Fail(`${path}: no Content-Security-Policy`);
		if (r.headers.has('access-control-allow-origin'))
			throw new Fail(`${path}: Access-Control-Allow-Origin`);
	}
}, chat);
add('H.9.32', 'two requests in one segment: two answers, in order',
    async t => {
	const p = await t.peer({ raw: true });
	p.send(bytes(plain(t, '/healthz') + plain(t, '/nowhere')));
	let codes = '';
	for (const end = Date.now() + PATIENCE; codes.length < 7 && !p.over &&
	    Date.now() < end;) {
		await p.changed(end - Date.now());
		codes = [...p.raw.toString('latin1')
		    .matchAll(/HTTP\/1\.1 (\d{3})/g)].map(m => m[1]).join();
	}
	if (codes !== '200,404' && !(codes === '200' && p.over))
		throw new Fail(`answers ${codes || 'none'}`);
}, chat);
