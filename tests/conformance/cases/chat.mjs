/* SPDX-License-Identifier: MIT */
/*
 * Group J: what a client can do with JSON.  After each piece of abuse the
 * same connection still speaks, and the room has heard nothing of it.
 */
import { Fail, PATIENCE, add, freshRid, parse, show, sleep } from '../suite.mjs';
import { TEXT, frame } from '../wire.mjs';

const chat = { mode: 'chat' };
const J = JSON.stringify;

const say = (p, x) => p.send(frame(TEXT, typeof x === 'string' ||
    Buffer.isBuffer(x) ? x : J(x)));

/* The error that answers; codes: which are right. */
async function
error(t, codes, p = t.main)
{
	const want = [].concat(codes);
	const until = Date.now() + PATIENCE;
	for (;;) {
		const ev = await p.next(until - Date.now());
		if (ev.type !== 'text')
			throw new Fail(`${show(ev)} where an error was due`);
		const j = parse(ev.text);
		if (j.cmd === 'message')
			throw new Fail(`delivered: ${ev.text.slice(0, 80)}`);
		if (j.cmd !== 'error')
			continue;
		if (typeof j.errCode !== 'number' || typeof j.errMsg !== 'string')
			throw new Fail(`not an error as documented: ${ev.text}`);
		if (!want.includes(j.errCode))
			throw new Fail(`error ${j.errCode} where ${want} was due`);
		return j;
	}
}

/* The connection still works and the member hears nothing else. */
async function
unharmed(t)
{
	await t.says('all is well');
}

const refused = (id, what, frameOf, codes = [101, 400]) => add(`J.${id}`, what,
    async t => {
	say(t.main, typeof frameOf === 'function' ? frameOf(t) : frameOf);
	await error(t, codes);
	await unharmed(t);
}, chat);

/* --- 1: not an object with a cmd ---------------------------------------- */

const broken = ['', ' ', 'null', 'true', '0', '1', '-1', '"text"', '[]', '[[]]',
    '[{"cmd":"login"}]', '{}', '{"cmd":null}', '{"cmd":1}', '{"cmd":[]}',
    '{"cmd":{}}', '{"cmd":""}', '{"cmd":true}', '{"CMD":"message"}', '{',
    '}', '{"cmd"', '{"cmd":"message"', '{"cmd":"message",}', "{'cmd':'x'}",
    '{cmd:"x"}', '{"cmd":"message"}x', '{"cmd":"message"} {}',
    '{"cmd":"message"}}', 'NaN', 'Infinity', '\ufeff{"cmd":"message"}',
    '{"cmd":"message"/*x*/}', '{"cmd":"a\u0001b"}', '{"cmd":"a\nb"}',
    '{"cmd":"a","n":01}', '{"cmd":"a","n":1.}', '{"cmd":"a","n":.5}',
    '{"cmd":"a","n":+1}', '{"cmd":"a","n":0x1}', '{"cmd":"\\x41"}',
    '{"cmd":"a","s":"\\u12"}', '{"cmd":"a","s":"\\ud800"}',
    '{"cmd":"a","s":"\\udc00\\ud800"}', '{"cmd":"a","s":"\\ud800x"}',
    '{"cmd":"a" "b":1}', '{"cmd":"a",,"b":1}', '{"cmd"::"a"}', 'undefined',
    '\u0000', '{"cmd":"a"}\u0000'];
broken.forEach((s, i) => {
	refused(`1.${i + 1}`, `${J(s.slice(0, 24))} after login`, s);
	add(`J.2.${i + 1}`, `${J(s.slice(0, 24))} before login`, async t => {
		const p = await t.peer();
		say(p, s);
		await error(t, 101, p);
		say(p, { cmd: 'login', name: 'late', rid: t.rid, v: 2 });
		await t.json(p, j => j.cmd === 'login');
	}, chat);
});

/* --- 3: depth and size -------------------------------------------------- */

const nest = (n, a, b) => `{"cmd":"message","type":"text","rid":"RID",` +
    `"msg":"deep","x":${a.repeat(n)}${b.repeat(n)}}`;
add('J.3.1', 'depth 16', async t => {
	say(t.main, nest(15, '[', ']').replace('RID', t.rid));
	await t.got({ text: 'deep' });
	await t.bye();
}, chat);
refused('3.2', 'depth 17', t => nest(16, '[', ']').replace('RID', t.rid));
refused('3.3', 'depth 17, objects', t => nest(16, '{"a":', '}')
    .replace('}}', '1}}').replace('RID', t.rid));
refused('3.4', 'depth 30000', t => nest(30000, '[', ']').replace('RID', t.rid));
refused('3.5', 'depth 60000, never closed', '['.repeat(60000));
refused('3.6', 'objects never closed', '{"a":'.repeat(12000));
add('J.3.7', 'three thousand unknown keys', async t => {
	const o = { cmd: 'message', type: 'text', rid: t.rid, msg: 'many keys' };
	for (let i = 0; i < 3000; i++)
		o[`k${i}`] = i;
	say(t.main, o);
	await t.got({ text: 'many keys' });
	await t.bye();
}, chat);
add('J.3.8', 'a key of 50000 bytes', async t => {
	say(t.main, { cmd: 'message', type: 'text', rid: t.rid, msg: 'long key',
	    ['k'.repeat(50000)]: 1 });
	await t.got({ text: 'long key' });
	await t.bye();
}, chat);
add('J.3.9', 'keys that mean something to a script', async t => {
	say(t.main, `{"cmd":"message","type":"text","rid":"${t.rid}",` +
	    '"msg":"proto","__proto__":{"admin":true},"constructor":1,"":2}');
	await t.got({ text: 'proto' });
	await t.bye();
}, chat);

/* --- 4: duplicate keys -------------------------------------------------- */

const dup = rest => t => `{"cmd":"message","type":"text","rid":"${t.rid}",` +
    `"msg":"one"${rest}}`;
refused('4.1', 'cmd twice', dup(',"cmd":"message"'));
refused('4.2', 'msg twice', dup(',"msg":"two"'));
refused('4.3', 'rid twice', dup(',"rid":"1"'));
refused('4.4', 'a key twice, once escaped', dup(',"\\u006dsg":"two"'));
refused('4.5', 'a key twice further in', dup(',"x":{"a":1,"a":2}'));
refused('4.6', 'an unknown key twice', dup(',"x":1,"x":1'));

/* --- 5: unknown and privileged commands --------------------------------- */

const odd = ['nope', 'cmd_login', '__proto__', 'constructor', 'toString',
    'login ', ' login', 'Login', 'LOGIN', 'mess', 'messages', 'message\u0000',
    'x'.repeat(1000), '../login', '%s%n', '登录', 'newUser', 'error', 'synced',
    'gap', 'append', 'ACTIVE'];
const inside = ['proxySet', 'proxyLogin', 'proxyMsg', 'debug'];
[...odd, ...inside].forEach((cmd, i) => {
	refused(`5.${i + 1}`, `cmd ${J(cmd.slice(0, 20))} after login`,
	    t => ({ cmd, rid: t.rid, uid: '1', name: 'x', msg: 'x', type: 'text' }),
	    102);
	add(`J.6.${i + 1}`, `cmd ${J(cmd.slice(0, 20))} before login`, async t => {
		const p = await t.peer();
		say(p, { cmd, rid: t.rid, uid: '1', name: 'x', msg: 'x',
		    type: 'text' });
		await error(t, 102, p);
		await unharmed(t);
	}, chat);
});

/* --- 7: types, in login and in messages --------------------------------- */

const values = { null: 'null', true: 'true', zero: '0', minus: '-1',
    fraction: '1.5', huge: '18446744073709551616', exponent: '1e999',
    empty: '""', blank: '" "', array: '[]', object: '{}', list: '["a"]',
    nul: '"a\\u0000b"', long: J('x'.repeat(200)), escape: '"\\u001b[31m"',
    path: '"../../x"', quote: '"a\'b\\"c"' };
const bad = new Set(['null', 'true', 'minus', 'fraction', 'huge', 'exponent',
    'empty', 'array', 'object', 'list', 'nul', 'long', 'path', 'quote', 'blank',
    'escape']);
/* Where a wrong value must be refused; elsewhere any answer will do. */
const must = {
	rid: bad,
	name: new Set(['null', 'true', 'empty', 'array', 'object', 'list', 'nul',
	    'long', 'blank']),
	uid: new Set(['minus', 'fraction', 'huge', 'nul', 'long', 'path', 'quote',
	    'escape', 'blank']),
	cid: new Set(['empty', 'array', 'object', 'list', 'nul', 'long', 'escape']),
};
let n = 0;
for (const key of ['name', 'rid', 'uid', 'v', 'cid', 'dev', 'token', 'pos',
    'inbox', 'caps', 'avatar'])
	for (const [what, lit] of Object.entries(values))
		add(`J.7.${++n}`, `login with ${key} ${what}`, async t => {
			const p = await t.peer();
			const o = { cmd: '"login"', name: '"typed"',
			    rid: J(freshRid()), v: '2', [key]: lit };
			say(p, `{${Object.entries(o).map(([k, v]) =>
			    `"${k}":${v}`).join()}}`);
			const j = await t.json(p, x => x.cmd === 'login' ||
			    x.cmd === 'error');
			if (must[key]?.has(what) && j.cmd !== 'error')
				throw new Fail(`taken: ${J(j).slice(0, 80)}`);
			if (j.cmd === 'error' && ![50, 101, 400, 401, 403, 404, 413]
			    .includes(j.errCode))
				throw new Fail(`error ${j.errCode}`);
			await t.ping(p);
			await unharmed(t);
		}, chat);
n = 0;
const mustMsg = {
	rid: bad,
	type: new Set(Object.keys(values)),
	msg: new Set(['null']),
	tid: new Set(['array', 'object', 'list', 'nul', 'long', 'path', 'quote',
	    'escape', 'blank', 'minus', 'fraction', 'huge']),
	cid: must.cid,
};
for (const key of ['type', 'msg', 'rid', 'tid', 'cid', 're', 'at'])
	for (const [what, lit] of Object.entries(values))
		add(`J.8.${++n}`, `message with ${key} ${what}`, async t => {
			const o = { cmd: '"message"', type: '"text"', msg: '"typed"',
			    rid: J(t.rid), [key]: lit };
			say(t.main, `{${Object.entries(o).map(([k, v]) =>
			    `"${k}":${v}`).join()}}`);
			if (mustMsg[key]?.has(what))
				await error(t, [50, 101, 400, 403, 404, 413]);
			await t.ping();
			await t.ping(t.member);
			t.main.events = t.main.events.filter(e => e.type !== 'text');
			if (!mustMsg[key]?.has(what)) {
				await sleep(30);
				t.member.events = t.member.events.filter(
				    e => e.type !== 'text');
				const m = t.msg(`after ${what}`);
				say(t.main, m.buf);
				for (let k = 0; k < 3; k++) {
					const j = await t.json(t.member,
					    x => x.cmd === 'message');
					if (j.msg === m.text)
						return;
				}
				throw new Fail('the next message is lost');
			}
			await unharmed(t);
		}, chat);
['cmd', 'type', 'msg', 'rid'].forEach((key, i) => refused(`8.${200 + i}`,
    `message without ${key}`, t => {
	const o = { cmd: 'message', type: 'text', msg: 'x', rid: t.rid };
	delete o[key];
	return o;
}, [50, 101, 400]));

/* --- 9: who may do what ------------------------------------------------- */

add('J.9.1', 'proxySet does not tap the room', async t => {
	const p = await t.peer();
	say(p, { cmd: 'proxySet' });
	await error(t, 102, p);
	await t.says('secret');
	const ev = await p.next(100);
	if (ev.type !== 'silence')
		throw new Fail(`the tap hears ${show(ev)}`);
}, chat);
add('J.9.2', 'proxyLogin and proxyMsg forge nothing', async t => {
	const p = await t.peer();
	say(p, { cmd: 'proxyLogin', uid: '7', name: 'ghost', rid: t.rid });
	await error(t, 102, p);
	say(p, { cmd: 'proxyMsg', type: 'text', uid: '7', name: 'ghost',
	    rid: t.rid, msg: 'boo' });
	await error(t, 102, p);
	await unharmed(t);
	if (t.member.heard?.includes('ghost'))
		throw new Fail('the room saw a ghost');
}, chat);
add('J.9.3', 'debug leaks nothing', async t => {
	say(t.main, { cmd: 'debug' });
	const j = await error(t, 102);
	if (J(j).length > 300)
		throw new Fail('a long answer to debug');
}, chat);
add('J.9.4', 'a message cannot name another sender', async t => {
	say(t.main, { cmd: 'message', type: 'text', rid: t.rid, msg: 'forged',
	    uid: t.member.uid, name: 'member', seq: 99, ts: 1, mid: 'x' });
	const j = await t.json(t.member, x => x.cmd === 'message');
	if (j.uid !== t.main.uid || j.name !== 'speaker')
		throw new Fail(`sent as ${j.uid} ${j.name}`);
	if (j.seq === 99 || j.ts === 1)
		throw new Fail('seq or ts of the client are taken');
}, chat);
add('J.9.5', 'an outsider does not speak into a room', async t => {
	const p = await t.person('outsider', { rid: freshRid() });
	say(p, { cmd: 'message', type: 'text', rid: t.rid, msg: 'intruder' });
	await error(t, [50, 403, 404], p);
	await unharmed(t);
}, chat);
add('J.9.6', 'nobody speaks before login', async t => {
	const p = await t.peer();
	say(p, { cmd: 'message', type: 'text', rid: t.rid, msg: 'too early' });
	await error(t, [50, 401, 403], p);
	await unharmed(t);
}, chat);
add('J.9.7', 'a private message reaches the pair alone', async t => {
	const third = await t.person('third');
	say(t.main, { cmd: 'message', type: 'text', rid: t.rid, msg: 'for you',
	    tid: t.member.uid });
	const j = await t.json(t.member, x => x.cmd === 'message');
	if (j.msg !== 'for you' || j.uid !== t.main.uid)
		throw new Fail('another message');
	await t.json(t.main, x => x.cmd === 'message' && x.msg === 'for you');
	await t.says('for all');
	const k = await t.json(third, x => x.cmd === 'message');
	if (k.msg !== 'for all')
		throw new Fail('the third person reads private messages');
}, chat);
['msg', 'name', 'cid', 'x'].forEach((key, i) =>
	add(`J.9.${8 + i}`, `a lone surrogate in ${key} poisons nobody`,
	    async t => {
		const p = key === 'name' ? await t.peer() : t.main;
		const o = key === 'name' ?
		    { cmd: 'login', rid: t.rid, v: 2 } :
		    { cmd: 'message', type: 'text', rid: t.rid, msg: 'x' };
		delete o[key];
		say(p, J(o).replace(/}$/, `,"${key}":"a\\ud800b"}`));
		await error(t, [50, 101, 400], p);
		await unharmed(t);
	}, chat));
add('J.9.12', 'a drawn uid is not taken without its token', async t => {
	if (Number(t.main.uid) < 1e15)
		throw new Fail(`the server drew uid ${t.main.uid}`);
	const p = await t.peer();
	say(p, { cmd: 'login', name: 'thief', uid: t.main.uid, rid: t.rid, v: 2 });
	await error(t, [50, 401, 403], p);
	await unharmed(t);
}, chat);
add('J.9.13', 'after leave nothing is heard or said', async t => {
	say(t.member, { cmd: 'leave', rid: t.rid, cid: 'bye' });
	await t.json(t.member, j => j.cmd === 'ok' && j.cid === 'bye');
	const m = t.msg('behind your back');
	say(t.main, m.buf);
	await t.json(t.main, j => j.cmd === 'message' && j.msg === m.text);
	say(t.member, { cmd: 'message', type: 'text', rid: t.rid, msg: 'still?' });
	await error(t, [50, 403, 404], t.member);
}, chat);
add('J.9.14', 'an old client gets the documented keys alone', async t => {
	const p = await t.person('old', { v: 1 });
	say(t.main, { cmd: 'message', type: 'text', rid: t.rid, msg: 'keys',
	    cid: 'k1', at: [] });
	const j = await t.json(p, x => x.cmd === 'message');
	const keys = Object.keys(j).sort().join();
	if (keys !== 'cmd,msg,name,rid,type,uid')
		throw new Fail(`keys ${keys}`);
}, chat);
add('J.9.15', 'a name of markup travels as a name', async t => {
	const p = await t.person('<b>x</b>');
	say(p, { cmd: 'message', type: 'text', rid: t.rid, msg: 'hi' });
	const j = await t.json(t.member, x => x.cmd === 'message');
	if (typeof j.name !== 'string' || !j.name)
		throw new Fail('no name');
}, chat);
add('J.9.16', 'a third login of the same uid harms nobody', async t => {
	const a = await t.person('twin', { uid: 'twin-' + t.rid });
	const b = await t.person('twin', { uid: 'twin-' + t.rid });
	b.destroy();
	say(a, { cmd: 'message', type: 'text', rid: t.rid, msg: 'still a' });
	const j = await t.json(t.member, x => x.cmd === 'message');
	if (j.msg !== 'still a')
		throw new Fail('lost');
	const m = t.msg('to the twin');
	say(t.main, m.buf);
	await t.json(a, x => x.cmd === 'message' && x.msg === m.text);
}, chat);

/* --- 10: texts that must arrive exactly --------------------------------- */

const exact = ['a\u0000b', '\u0000', '😀', '\u2028\u2029', '\u007f', '\ufeff',
    'a\ufeffb', '%n%s%x%p', '</script><script>alert(1)</script>', '<b>&amp;</b>',
    '\u001b[31mred', 'a\r\nb', '\t', ' leading and trailing ', '"quoted"',
    'back\\slash', '/', '\u202eright to left', 'e' + '\u0301'.repeat(1000),
    '0', 'null', '{"cmd":"message"}', '𠀀𠀁', '\uffff', '林小雨', 'a'.repeat(4096),
    '界'.repeat(1365), '\b\f'];
exact.forEach((s, i) => add(`J.10.${i + 1}`, `exactly ${J(s.slice(0, 20))}`,
    async t => {
	await t.says(s);
	await t.bye();
}, chat));
add('J.10.40', 'escapes arrive as what they mean', async t => {
	say(t.main, `{"cmd":"message","type":"text","rid":"${t.rid}",` +
	    '"msg":"\\u0041\\/\\ud83d\\ude00\\u0000"}');
	await t.got({ text: 'A/😀\0' });
	await t.bye();
}, chat);
refused('10.41', '4097 bytes', t => ({ cmd: 'message', type: 'text',
    rid: t.rid, msg: 'a'.repeat(4097) }), 413);
refused('10.42', '4097 bytes, fewer characters', t => ({ cmd: 'message',
    type: 'text', rid: t.rid, msg: '界'.repeat(1366) }), 413);
add('J.10.43', 'an old client: 1024 bytes go, 1025 do not', async t => {
	const p = await t.person('old', { v: 1 });
	say(p, { cmd: 'message', type: 'text', rid: t.rid, msg: 'a'.repeat(1025) });
	await error(t, 50, p);
	say(p, { cmd: 'message', type: 'text', rid: t.rid, msg: 'a'.repeat(1024) });
	const j = await t.json(t.member, x => x.cmd === 'message');
	if (j.msg.length !== 1024)
		throw new Fail('another length');
}, chat);

/* --- 11: numbers where strings are usual -------------------------------- */

add('J.11.1', 'rid as a number', async t => {
	const p = await t.peer();
	say(p, { cmd: 'login', name: 'number', rid: Number(t.rid), v: 2 });
	const me = await t.json(p, j => j.cmd === 'login');
	say(p, { cmd: 'message', type: 'text', rid: Number(t.rid), msg: 'num' });
	const j = await t.json(t.member, x => x.cmd === 'message');
	if (j.rid !== t.rid || j.uid !== me.uid || typeof j.uid !== 'string')
		throw new Fail(`rid ${J(j.rid)} uid ${J(j.uid)}`);
}, chat);
add('J.11.2', 'uid as a number', async t => {
	const p = await t.peer();
	const uid = 100000 + Number(t.rid) % 800000;
	say(p, { cmd: 'login', name: 'number', uid, rid: t.rid, v: 2 });
	const me = await t.json(p, j => j.cmd === 'login');
	if (me.uid !== String(uid))
		throw new Fail(`uid ${J(me.uid)}`);
}, chat);

/* --- 12: who types and who has read ------------------------------------- */

add('J.12.1', 'typing reaches the others, once', async t => {
	say(t.member, { cmd: 'typing', rid: t.rid, on: true });
	say(t.member, { cmd: 'typing', rid: t.rid, on: true });
	const j = await t.json(t.main, x => x.cmd === 'typing');
	if (j.uid !== t.member.uid || j.rid !== t.rid || j.on !== true ||
	    j.name !== 'member')
		throw new Fail(`another typist: ${J(j)}`);
	/* the member's own words: what he says comes after what he did */
	say(t.member, { cmd: 'message', type: 'text', rid: t.rid, msg: 'typed' });
	const k = await t.json(t.main, x => x.cmd === 'typing' ||
	    x.cmd === 'message');
	if (k.cmd === 'typing')
		throw new Fail('told twice');
}, chat);
add('J.12.2', 'an outsider does not type into a room', async t => {
	const p = await t.person('outsider', { rid: freshRid() });
	say(p, { cmd: 'typing', rid: t.rid, on: true });
	await error(t, [403], p);
	await unharmed(t);
}, chat);
add('J.12.3', 'typing and its answer', async t => {
	say(t.main, { cmd: 'typing', tid: t.member.uid, cid: 'ty' });
	await t.json(t.main, x => x.cmd === 'ok' && x.cid === 'ty');
	const j = await t.json(t.member, x => x.cmd === 'typing');
	if (j.tid !== t.main.uid || j.rid !== undefined)
		throw new Fail(`not as private: ${J(j)}`);
}, chat);
add('J.12.4', 'an old client knows none of it, and hears none', async t => {
	const p = await t.person('old', { v: 1 });
	say(p, { cmd: 'typing', rid: t.rid, on: true });
	await error(t, 102, p);
	say(t.member, { cmd: 'typing', rid: t.rid, on: true });
	await t.json(t.main, x => x.cmd === 'typing');
	await t.says('after it');
	const j = await t.json(p, x => x.cmd !== 'newUser');
	if (j.cmd !== 'message')
		throw new Fail(`an old client got ${J(j)}`);
}, chat);
add('J.12.5', 'the peer has read, and says how far', async t => {
	say(t.main, { cmd: 'message', type: 'text', rid: t.rid, msg: 'read me',
	    tid: t.member.uid });
	const { seq } = await t.json(t.member, x => x.cmd === 'message');
	say(t.member, { cmd: 'mark', tid: t.main.uid, read: seq });
	await t.json(t.main, x => x.cmd === 'mark' && x.read === seq);
	say(t.main, { cmd: 'getMarks', tid: t.member.uid, seq, cid: 'gm' });
	const j = await t.json(t.main, x => x.cmd === 'getMarks');
	if (j.cid !== 'gm' || j.nread !== 1 || j.read[0] !== t.member.uid ||
	    j.seq !== seq)
		throw new Fail(`another answer: ${J(j)}`);
}, chat);
refused('12.6', 'typing where', { cmd: 'typing', on: true });
refused('12.7', 'typing on or off', t => ({ cmd: 'typing', rid: t.rid, on: 'no' }));
refused('12.8', 'marks of which message', t => ({ cmd: 'getMarks', rid: t.rid }));
refused('12.9', 'marks of an open room', t => ({ cmd: 'getMarks', rid: t.rid,
    seq: 1 }));

/* --- 13: what changes what was said -------------------------------------- */

/* The main one says it, and both have it; its place. */
const said = async (t, msg) => {
	const want = x => x.cmd === 'message' && x.msg === msg;
	say(t.main, { cmd: 'message', type: 'text', rid: t.rid, msg });
	await t.json(t.main, want);
	return (await t.json(t.member, want)).seq;
};
add('J.13.1', 'a message calls its readers', async t => {
	say(t.main, { cmd: 'message', type: 'text', rid: t.rid, msg: 'you two',
	    at: [t.member.uid, 7, t.member.uid] });
	const j = await t.json(t.member, x => x.cmd === 'message');
	if (J(j.at) !== J([t.member.uid, '7']))
		throw new Fail(`another at: ${J(j)}`);
}, chat);
add('J.13.2', 'edited, pressed, taken back, one after the other', async t => {
	const ref = await said(t, 'frist');
	const seen = [];
	for (const f of [{ cmd: 'edit', msg: 'first' },
	    { cmd: 'react', emo: '👍' }, { cmd: 'react', emo: '👍', on: false },
	    { cmd: 'recall' }]) {
		say(t.main, { ...f, rid: t.rid, ref, cid: `c-${seen.length}` });
		const ok = await t.json(t.main, x => x.cmd === 'ok');
		const j = await t.json(t.member, x => x.cmd === f.cmd);
		if (j.ref !== ref || j.uid !== t.main.uid || j.seq !== ok.seq ||
		    j.msg !== f.msg || j.emo !== f.emo || j.cid !== undefined ||
		    (f.emo && j.on !== (f.on ?? true)))
			throw new Fail(`another item: ${J(j)}`);
		seen.push(j.seq);
	}
	if (J(seen) !== J([ref + 1, ref + 2, ref + 3, ref + 4]))
		throw new Fail(`places ${seen}`);
	say(t.main, { cmd: 'getHistory', rid: t.rid, cid: 'h' });
	const { list } = await t.json(t.main, x => x.cmd === 'getHistory');
	const at = list.filter(x => x.seq >= ref);
	if (J(at.map(x => [x.cmd, x.gone ?? 0])) !== J([['message', 'recall'],
	    ['edit', 'recall'], ['react', 0], ['react', 0], ['recall', 0]]) ||
	    J(list).includes('frist') || J(list).includes('"first'))
		throw new Fail(`another history: ${J(list)}`);
}, chat);
add('J.13.3', 'nobody changes what another said', async t => {
	const ref = await said(t, 'mine');
	for (const cmd of ['edit', 'recall']) {
		say(t.member, { cmd, rid: t.rid, ref, msg: 'his', cid: cmd });
		await error(t, 403, t.member);
	}
	await unharmed(t);
}, chat);
add('J.13.4', 'what is not there, and what is no more', async t => {
	const ref = await said(t, 'once');
	for (const cmd of ['edit', 'recall', 'react']) {
		say(t.main, { cmd, rid: t.rid, ref: ref + 1000, msg: 'x', emo: 'x' });
		await error(t, 404);
	}
	say(t.main, { cmd: 'recall', rid: t.rid, ref });
	for (const x of [t.main, t.member])
		await t.json(x, y => y.cmd === 'recall');
	for (const cmd of ['edit', 'react']) {
		say(t.main, { cmd, rid: t.rid, ref, msg: 'x', emo: 'x' });
		await error(t, 409);
	}
	await unharmed(t);
}, chat);
add('J.13.5', 'an old client knows none of it, and hears none', async t => {
	const p = await t.person('old', { v: 1 });
	const ref = await said(t, 'for all');
	/* whatever comes to it until then */
	const old = want => t.json(p, x => {
		if (!['message', 'newUser', 'error'].includes(x.cmd) || x.ref ||
		    x.gone)
			throw new Fail(`an old client got ${J(x)}`);
		return want(x);
	});
	for (const f of [{ cmd: 'edit', msg: 'x' }, { cmd: 'react', emo: 'x' },
	    { cmd: 'recall' }, { cmd: 'title', title: 'x' }]) {
		say(p, { ...f, rid: t.rid, ref });
		await old(x => x.cmd === 'error' && x.errCode === 102);
		if (f.cmd === 'title')
			continue;
		say(t.main, { ...f, rid: t.rid, ref });
		for (const x of [t.main, t.member])
			await t.json(x, y => y.cmd === f.cmd);
	}
	await t.says('after it');
	await old(x => x.msg === 'after it');
}, chat);
add('J.13.6', 'the same cid is the same edit', async t => {
	const ref = await said(t, 'to be edited');
	const f = { cmd: 'edit', rid: t.rid, ref, msg: 'edited', cid: 'e-e' };
	say(t.main, f);
	const ok = await t.json(t.main, x => x.cmd === 'ok');
	say(t.main, f);
	const dup = await t.json(t.main, x => x.cmd === 'ok');
	if (dup.seq !== ok.seq || dup.dup !== true)
		throw new Fail(`${J(ok)}, then ${J(dup)}`);
}, chat);
const oddRefs = [0, -1, 1.5, '1', null, true, [], 2 ** 53 + 2, 1e300];
oddRefs.forEach((ref, i) => refused(`13.7.${i + 1}`, `recall of ${J(ref)}`,
    t => ({ cmd: 'recall', rid: t.rid, ref }), 400));
[['', 'empty'], ['x'.repeat(33), '33 bytes'], ['a\u0000b', 'U+0000'],
    ['\u202e', 'bidi'], [7, 'a number'], [null, 'null']].forEach(([emo, what],
    i) => refused(`13.8.${i + 1}`, `a reaction: ${what}`, t => ({ cmd: 'react',
    rid: t.rid, ref: 1, emo }), 400));
[['x'.repeat(129), '129 bytes'], ['a\nb', 'two lines'], [7, 'a number'],
    [undefined, 'none']].forEach(([title, what], i) => refused(`13.9.${i + 1}`,
    `a title: ${what}`, t => ({ cmd: 'title', rid: t.rid, title }), 400));
['x', {}, [''], ['a b'], [null], [-1], Array(51).fill('a')].forEach((at, i) =>
    refused(`13.10.${i + 1}`, `at: ${J(at).slice(0, 20)}`, t => ({
    cmd: 'message', type: 'text', rid: t.rid, msg: 'x', at }), 400));
refused('13.11', 'a title without leave', t => ({ cmd: 'title', rid: t.rid,
    title: 'mine' }), 403);
refused('13.12', 'a reaction where he is not', { cmd: 'react', rid: 'nowhere',
    ref: 1, emo: 'x' }, 403);
refused('13.13', 'an edit too long', t => ({ cmd: 'edit', rid: t.rid, ref: 1,
    msg: 'x'.repeat(4097) }), 413);
