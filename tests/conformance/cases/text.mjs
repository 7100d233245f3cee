/* SPDX-License-Identifier: MIT */
/* Group 6: what is UTF-8 and what is not, and when the server says so. */
import { add, sleep } from '../suite.mjs';
import { CONT, TEXT, every, fragments, frame } from '../wire.mjs';

const hex = s => Buffer.from(s.replaceAll(' ', ''), 'hex');
const euro = 'Hello-µ@ßöäüàá-UTF-8!!';
const kosme = Buffer.from('κόσμε'.normalize('NFC').replace('ό', '\u1f79'));

/* Empty texts: in chat mode the frame must still be JSON, the msg a text. */
const none = t => t.chat ? '.' : '';

add('6.1.1', 'empty text', async t => {
	await t.says(none(t));
	await t.bye();
});
add('6.1.2', 'three empty fragments', async t => {
	if (!t.chat) {
		t.send(frame(TEXT, '', { fin: false }),
		    frame(CONT, '', { fin: false }), frame(CONT));
		await t.got(t.msg(''));
		return t.bye();
	}
	const m = t.msg(none(t));
	t.send(frame(TEXT, '', { fin: false }), frame(CONT, m.buf, { fin: false }),
	    frame(CONT));
	await t.got(m);
	await t.bye();
});
add('6.1.3', 'an empty fragment on each side', async t => {
	const m = t.msg('middle frame payload');
	t.send(frame(TEXT, '', { fin: false }), frame(CONT, m.buf, { fin: false }),
	    frame(CONT));
	await t.got(m);
	await t.bye();
});
add('6.2.1', 'multi-byte text whole', async t => {
	await t.says(euro);
	await t.bye();
});
add('6.2.2', 'multi-byte text cut between code points', async t => {
	const m = t.msg(euro);
	t.send(...fragments(TEXT, m.buf, [m.from + 8]));
	await t.got(m);
	await t.bye();
});
add('6.2.3', 'multi-byte text, one octet a fragment', async t => {
	const m = t.msg(euro);
	t.send(...fragments(TEXT, m.buf, every(m.to, 1, m.from - 1)));
	await t.got(m);
	await t.bye();
});
add('6.2.4', 'multi-byte text cut inside every code point', async t => {
	const m = t.msg('κόσμε 林小雨 😀');
	const cuts = [];
	for (let i = m.from; i < m.to; i++)
		if ((m.buf[i] & 0xc0) === 0x80)
			cuts.push(i);
	t.send(...fragments(TEXT, m.buf, cuts));
	await t.got(m);
	await t.bye();
});
for (let n = 1; n < 8; n++)
	add(`6.2.${n + 4}`, `multi-byte text in segments of ${n}`, async t => {
		const m = t.msg('aκόσμε 林小雨 😀'.repeat(3));
		await t.main.chop(frame(TEXT, m.buf), n);
		await t.got(m);
		await t.bye();
	});

const surrogate = hex('cebae1bdb9cf83cebcceb5 eda080 656469746564');
add('6.3.1', 'an encoded surrogate, whole', async t => {
	t.send(frame(TEXT, t.msg(surrogate).buf));
	await t.fails(1007);
});
add('6.3.2', 'an encoded surrogate, one octet a fragment', async t => {
	const m = t.msg(surrogate);
	t.send(...fragments(TEXT, m.buf, every(m.to, 1, m.from - 1)));
	await t.fails(1007);
});

/* The bad part comes second; the rest is never sent: fail fast. */
const parts = [hex('cebae1bdb9cf83cebcceb5'), hex('f4908080'),
    hex('656469746564')];
add('6.4.1', 'bad from the second fragment on', async t => {
	const m = t.msg(Buffer.concat(parts));
	const a = m.from + parts[0].length, b = a + 4;
	const f = fragments(TEXT, m.buf, [a, b]);
	t.send(f[0]);
	await sleep(50);
	t.send(f[1]);
	await sleep(50);
	t.send(f[2]);
	await t.fails(1007);
});
add('6.4.2', 'bad inside the second fragment', async t => {
	const m = t.msg(Buffer.concat(parts)), a = m.from + parts[0].length + 1;
	const f = fragments(TEXT, m.buf, [a, a + 1]);
	for (const x of f) {
		t.send(x);
		await sleep(50);
	}
	await t.fails(1007);
});
add('6.4.3', 'fail fast: the second of three fragments is enough', async t => {
	const m = t.msg(Buffer.concat(parts)), a = m.from + parts[0].length;
	const f = fragments(TEXT, m.buf, [a, a + 4]);
	t.send(f[0], f[1]);
	await t.fails(1007);
});
add('6.4.4', 'fail fast: the bad octet inside one frame is enough', async t => {
	const m = t.msg(Buffer.concat(parts)), f = frame(TEXT, m.buf);
	const head = f.length - m.buf.length;
	t.send(f.subarray(0, head + m.from + parts[0].length + 4));
	await t.fails(1007);
});
add('6.4.5', 'fail fast: F4 90 itself is already too much', async t => {
	const m = t.msg(Buffer.concat(parts)), f = frame(TEXT, m.buf);
	const head = f.length - m.buf.length;
	t.send(f.subarray(0, head + m.from + parts[0].length + 2));
	await t.fails(1007);
});
add('6.4.6', 'a code point cut at the end of the message', async t => {
	t.send(frame(TEXT, Buffer.concat([t.msg('x').buf, hex('e6 9e')])));
	await t.fails(1007);
});
add('6.4.7', 'a code point cut at the end of the last fragment', async t => {
	t.send(frame(TEXT, t.msg('x').buf, { fin: false }),
	    frame(CONT, hex('e6 9e')));
	await t.fails(1007);
});

const verdict = (id, what, bytes, ok) => add(id, `${what}: ` +
    (ok ? 'taken' : '1007'), async t => {
	/* A raw control character is not JSON; there it travels escaped. */
	const m = t.msg(t.chat && ok && bytes.length === 1 && bytes[0] < 0x20 ?
	    bytes.toString() : bytes);
	t.send(frame(TEXT, m.buf));
	if (!ok)
		return t.fails(1007);
	await t.got(m);
	await t.bye();
});
const list = (group, what, rows) => rows.forEach(([bytes, ok], i) =>
    verdict(`6.${group}.${i + 1}`, `${what} ${bytes.toString('hex')
	.slice(0, 24)}`, bytes, ok));
const yes = s => [Buffer.isBuffer(s) ? s : hex(s), true];
const no = s => [Buffer.isBuffer(s) ? s : hex(s), false];
const cps = (...c) => Buffer.from(String.fromCodePoint(...c));

list(5, 'good text', [yes(kosme), yes(Buffer.from('hello$world')),
    yes(Buffer.from('hello¢world')), yes(Buffer.from('hello€world')),
    yes(Buffer.from('hello\u{24b62}world'))]);
list(6, 'prefix', Array.from(kosme, (_, i) => {
	const cut = kosme.subarray(0, i + 1);
	return [cut, [2, 5, 7, 9, 11].includes(i + 1)];
}));
list(7, 'first of its length', [yes('00'), yes('c280'), yes('e0a080'),
    yes('f0908080')]);
list(8, 'five and six bytes', [no('f888808080'), no('fc8480808080')]);
list(9, 'last of its length', [yes('7f'), yes('dfbf'), yes('efbfbf'),
    yes('f48fbfbf')]);
list(10, 'beyond U+10FFFF', [no('f7bfbfbf'), no('fbbfbfbfbf'),
    no('fdbfbfbfbfbf')]);
list(11, 'boundary', [yes('ed9fbf'), yes('ee8080'), yes('efbfbd'),
    yes('f48fbfbf'), no('f4908080')]);
list(12, 'stray continuation', [no('80'), no('bf'), no('80bf'), no('80bf80'),
    no('80bf80bf'), no('80bf80bf80'), no('80bf80bf80bf'),
    no(Buffer.from(Array.from({ length: 64 }, (_, i) => 0x80 + i)))]);
const lonely = (from, to) => {
	const out = [];
	for (let b = from; b <= to; b++)
		out.push(b, 0x20);
	return Buffer.from(out);
};
list(13, 'lonely start', [no(lonely(0xc0, 0xdf)), no(lonely(0xe0, 0xef)),
    no(lonely(0xf0, 0xf7)), no(lonely(0xf8, 0xfb)), no(lonely(0xfc, 0xfd))]);
const cut = ['c0', 'e080', 'f08080', 'f8808080', 'fc80808080', 'df', 'efbf',
    'f7bfbf', 'fbbfbfbf', 'fdbfbfbfbf'];
list(14, 'truncated', cut.map(no));
list(15, 'truncated, all together', [no(cut.join(''))]);
list(16, 'impossible byte', [no('fe'), no('ff'), no('fefeffff')]);
list(17, 'overlong slash', [no('c0af'), no('e080af'), no('f08080af'),
    no('f8808080af'), no('fc80808080af')]);
list(18, 'longest overlong', [no('c1bf'), no('e09fbf'), no('f08fbfbf'),
    no('f887bfbfbf'), no('fc83bfbfbfbf')]);
list(19, 'overlong NUL', [no('c080'), no('e08080'), no('f0808080'),
    no('f880808080'), no('fc8080808080')]);
list(20, 'surrogate', ['eda080', 'edadbf', 'edae80', 'edafbf', 'edb080',
    'edbe80', 'edbfbf'].map(no));
list(21, 'surrogate pair', ['eda080edb080', 'eda080edbfbf', 'edadbfedb080',
    'edadbfedbfbf', 'edae80edb080', 'edae80edbfbf', 'edafbfedb080',
    'edafbfedbfbf'].map(no));
const nonchars = [0xfffe, 0xffff];
for (let plane = 1; plane <= 16; plane++)
	nonchars.push(plane * 65536 + 0xfffe, plane * 65536 + 0xffff);
list(22, 'non-character', nonchars.map(c => yes(cps(c))));
list(23, 'special', [0xfff9, 0xfffa, 0xfffb, 0xfffc, 0xfffd, 0xfffe, 0xffff]
    .map(c => yes(cps(c))));
