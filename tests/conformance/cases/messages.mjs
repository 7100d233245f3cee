/* SPDX-License-Identifier: MIT */
/* Groups 5 and 7: fragmentation and the closing handshake. */
import { add, sleep } from '../suite.mjs';
import { BIN, CLOSE, CONT, PING, PONG, TEXT, closeFrame, every, fragments,
    frame } from '../wire.mjs';

/* All at once, frame by frame, or octet by octet. */
const ways = ['in one segment', 'frame by frame', 'octet by octet'];
async function
deliver(t, frames, way)
{
	if (way === 0)
		t.send(...frames);
	else if (way === 1)
		for (const f of frames) {
			t.send(f);
			await sleep(2);
		}
	else
		await t.main.chop(Buffer.concat(frames), 1);
}

const half = m => [m.from + Math.floor((m.to - m.from) / 2)];

add('5.1', 'ping in fragments', async t => {
	t.send(frame(PING, 'frag', { fin: false }), frame(CONT, 'ment'));
	await t.fails(1002);
});
add('5.2', 'unfinished pong', async t => {
	t.send(frame(PONG, 'frag', { fin: false }), frame(CONT, 'ment'));
	await t.fails(1002);
});
ways.forEach((how, w) => {
	add(`5.${3 + w}`, `text in two fragments, ${how}`, async t => {
		const m = t.msg('fragment1fragment2');
		await deliver(t, fragments(TEXT, m.buf, half(m)), w);
		await t.got(m);
		await t.bye();
	});
	add(`5.${6 + w}`, `ping between two fragments, ${how}`, async t => {
		const m = t.msg('fragment1fragment2');
		const [a, b] = fragments(TEXT, m.buf, half(m));
		await deliver(t, [a, frame(PING, 'between'), b], w);
		await t.pong('between');
		await t.got(m);
		await t.bye();
	});
	add(`5.${9 + w}`, `finished continuation of nothing, ${how}`, async t => {
		await deliver(t, [frame(CONT, 'nothing before'),
		    frame(TEXT, t.msg('hello').buf)], w);
		await t.fails(1002);
	});
	add(`5.${12 + w}`, `unfinished continuation of nothing, ${how}`, async t => {
		await deliver(t, [frame(CONT, 'nothing before', { fin: false }),
		    frame(TEXT, t.msg('hello').buf)], w);
		await t.fails(1002);
	});
});
add('5.15', 'a stray continuation after a fragmented text', async t => {
	const m = t.msg('fragment1fragment2');
	t.send(...fragments(TEXT, m.buf, half(m)),
	    frame(CONT, 'fragment3', { fin: false }),
	    frame(TEXT, t.msg('fragment4').buf));
	await t.fails(1002, { before: m });
});
[false, true].forEach((fin, i) => {
	add(`5.${16 + i}`, `stray ${fin ? '' : 'un'}finished continuation before ` +
	    'a fragmented text, twice', async t => {
		const m = t.msg('fragment2fragment3');
		for (let k = 0; k < 2; k++)
			t.send(frame(CONT, 'fragment1', { fin }),
			    ...fragments(TEXT, m.buf, half(m)));
		await t.fails(1002);
	});
});
add('5.18', 'second fragment with opcode text', async t => {
	const m = t.msg('fragment1fragment2'), [cut] = half(m);
	t.send(frame(TEXT, m.buf.subarray(0, cut), { fin: false }),
	    frame(TEXT, m.buf.subarray(cut)));
	await t.fails(1002);
});
[0, 1].forEach(w => {
	add(`5.${19 + w}`, `five fragments, two pings, a pause, ${ways[w]}`,
	    async t => {
		const m = t.msg('fragment1fragment2fragment3fragment4fragment5');
		const f = fragments(TEXT, m.buf,
		    [0, 9, 18, 27].map(n => m.from + n + 9));
		await deliver(t, [f[0], f[1], frame(PING, 'pongme 1')], w);
		await t.pong('pongme 1');
		await sleep(1000);
		await deliver(t, [f[2], f[3], frame(PING, 'pongme 2'), f[4]], w);
		await t.pong('pongme 2');
		await t.got(m);
		await t.bye();
	});
});
add('5.21', 'second fragment with opcode binary', async t => {
	t.send(frame(TEXT, 'a', { fin: false }), frame(BIN, 'b'));
	await t.fails([1002, 1003]);
});
add('5.22', 'first fragment and all between empty', async t => {
	const m = t.msg('empty around');
	t.send(frame(TEXT, '', { fin: false }), frame(CONT, '', { fin: false }),
	    frame(CONT, m.buf, { fin: false }), frame(CONT, '', { fin: false }),
	    frame(CONT, ''));
	await t.got(m);
	await t.bye();
});
add('5.23', 'a pong between two fragments', async t => {
	const m = t.msg('fragment1fragment2');
	const [a, b] = fragments(TEXT, m.buf, half(m));
	t.send(a, frame(PONG, 'nobody asked'), b);
	await t.got(m);
	await t.bye();
});
add('5.24', 'two fragmented texts after each other', async t => {
	for (const s of ['first of two', 'second of two']) {
		const m = t.msg(s);
		t.send(...fragments(TEXT, m.buf, every(m.buf.length, 10)));
		await t.got(m);
	}
	await t.bye();
});
add('5.25', 'a fragmented text inside another', async t => {
	t.send(frame(TEXT, 'a', { fin: false }), frame(TEXT, 'b', { fin: false }));
	await t.fails(1002);
});
add('5.26', 'as many fragments as are allowed', async t => {
	const n = Math.min(t.frags, 64), m = t.msg('x'.repeat(n));
	const cuts = every(m.to, 1, m.from).slice(0, n - 1);
	const f = fragments(TEXT, m.buf, cuts);
	t.send(...f);
	await t.got(m);
	await t.bye();
});
add('5.27', 'one fragment more than is allowed', async t => {
	const m = t.msg('x'.repeat(t.frags + 8));
	t.send(...fragments(TEXT, m.buf, every(m.to, 1, m.from).slice(0, t.frags)));
	await t.fails(1008);
}, { mode: 'chat' });
add('5.28', 'empty fragments count too', async t => {
	const f = [frame(TEXT, '', { fin: false })];
	for (let i = 0; i < t.frags; i++)
		f.push(frame(CONT, '', { fin: false }));
	t.send(...f);
	await t.fails(1008);
}, { mode: 'chat' });
add('5.29', 'an unfinished Close', async t => {
	t.send(frame(CLOSE, Buffer.from([3, 232]), { fin: false }));
	await t.fails(1002);
});
add('5.30', 'the fragments of a text together over the limit', async t => {
	const n = Math.ceil((t.max + 1) / 8);
	const f = [];
	for (let i = 0; i < 8; i++)
		f.push(frame(i ? CONT : TEXT, Buffer.alloc(n, 0x20),
		    { fin: i === 7 }));
	t.send(...f);
	await t.fails(1009);
}, { mode: 'chat' });

/* --- closing ------------------------------------------------------------ */

add('7.1.1', 'a message, then Close', async t => {
	await t.says('hello');
	await t.bye();
});
add('7.1.2', 'two Close frames', async t => {
	t.send(closeFrame(1000), closeFrame(1000));
	await t.fails(1000);
});
add('7.1.3', 'a ping after Close gets no pong', async t => {
	t.send(closeFrame(1000), frame(PING, 'late'));
	await t.fails(1000);
});
add('7.1.4', 'a text after Close is ignored', async t => {
	t.send(closeFrame(1000), frame(TEXT, t.msg('late').buf));
	await t.fails(1000);
	if (!t.chat)
		return;
	/* the next thing the member hears is somebody else */
	const p = await t.person('third');
	const m = t.msg('after it');
	p.send(frame(TEXT, m.buf));
	const j = await t.json(t.member, x => x.cmd === 'message');
	if (j.msg !== m.text)
		throw new Error('a text after Close was handled');
});
add('7.1.5', 'Close inside a fragmented message', async t => {
	const m = t.msg('fragment1fragment2'), [a, b] =
	    fragments(TEXT, m.buf, half(m));
	t.send(a, closeFrame(1000), b);
	await t.fails(1000);
});
add('7.1.6', 'a large text, a text, Close and a ping back to back', async t => {
	const big = t.chat ? t.msg('big', { size: 60000 }) :
	    t.msg('', { size: Math.min(262144, t.max) });
	t.send(frame(TEXT, big.buf), frame(TEXT, t.msg('hello').buf),
	    closeFrame(1000), frame(PING, 'late'));
	for (;;) {
		const ev = await t.event();
		if (ev.type === 'pong')
			throw new Error('a pong after Close');
		if (ev.type === 'close')
			break;
		if (ev.type !== 'text')
			throw new Error(`${ev.type} instead of Close`);
	}
	await t.tcpEnd();
	if (t.chat)
		await t.memberGot(big);
});
add('7.1.7', 'a text and Close in one segment', async t => {
	const m = t.msg('last words');
	t.send(frame(TEXT, m.buf), closeFrame(1000));
	await t.fails(1000, { before: m });
});
add('7.1.8', 'garbage after Close', async t => {
	t.send(closeFrame(1000), Buffer.alloc(3000, 0xff));
	await t.fails(1000);
});
add('7.3.1', 'Close without payload', async t => {
	t.send(frame(CLOSE));
	await t.fails([1000, 1005]);
});
add('7.3.2', 'Close of one byte', async t => {
	t.send(frame(CLOSE, 'a'));
	await t.fails(1002);
});
add('7.3.3', 'Close of two bytes', t => t.bye(1000));
add('7.3.4', 'Close with a reason', t => t.bye(1000, 'Hello World!'));
add('7.3.5', 'Close with the longest reason',
    t => t.bye(1000, '*'.repeat(123)));
add('7.3.6', 'Close with a reason of 124 bytes', async t => {
	t.send(closeFrame(1000, '*'.repeat(124)));
	await t.fails(1002);
});
add('7.3.7', 'unmasked Close with a code', async t => {
	t.send(closeFrame(1001, 'x', { mask: false }));
	await t.fails(1002);
});

const bad = Buffer.from('cebae1bdb9cf83cebcceb5eda08065646974656400', 'hex');
add('7.5.1', 'a reason that is not UTF-8', async t => {
	t.send(closeFrame(1000, bad));
	await t.fails([1002, 1007]);
});
add('7.5.2', 'a reason cut inside a code point', async t => {
	t.send(closeFrame(1000, Buffer.from('cebae1bd', 'hex')));
	await t.fails([1002, 1007]);
});
/* A decoder that restarts per segment errs in both directions here. */
const good = Buffer.from('κόσμε 林小雨 😀 ok');
for (let n = 1; n <= 8; n++) {
	add(`7.5.3.${n}`, `a good reason in segments of ${n}`, async t => {
		await t.main.chop(closeFrame(1000, good), n, 2);
		await t.fails(1000);
	});
	add(`7.5.4.${n}`, `a bad reason in segments of ${n}`, async t => {
		await t.main.chop(closeFrame(1000, bad), n, 2);
		await t.fails([1002, 1007]);
	});
}
[1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14].forEach((cut, i) => {
	add(`7.5.5.${i + 1}`, `a good reason, cut at ${cut}`, async t => {
		const f = closeFrame(3000, good);
		t.send(f.subarray(0, cut));
		await sleep(15);
		t.send(f.subarray(cut));
		await t.fails([3000, 1000]);
	});
	add(`7.5.6.${i + 1}`, `a bad byte first in the reason, cut at ${cut}`,
	    async t => {
		const f = closeFrame(1000, Buffer.concat([Buffer.from([0xff]),
		    Buffer.from('abcdefgh')]));
		t.send(f.subarray(0, cut));
		await sleep(15);
		t.send(f.subarray(cut));
		await t.fails([1002, 1007]);
	});
});
[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
    .forEach((code, i) => {
	add(`7.7.${i + 1}`, `Close ${code} is accepted`, t => t.bye(code));
});
add('7.7.14', 'a good code with a reason', t => t.bye(4321, '再见'));
[1012, 1013, 1014].forEach((code, i) => {
	add(`7.8.${i + 1}`, `Close ${code} gets Close, any verdict`, async t => {
		t.send(closeFrame(code));
		await t.fails([code, 1000, 1002]);
	});
});
[0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999].forEach((code, i) => {
	add(`7.9.${i + 1}`, `Close ${code} is refused`, async t => {
		t.send(closeFrame(code));
		await t.fails(1002);
	});
	add(`7.9.${i + 10}`, `Close ${code} with a reason is refused`, async t => {
		t.send(closeFrame(code, 'why not'));
		await t.fails(1002);
	});
});
add('7.9.19', 'Close 1015 is refused', async t => {
	t.send(closeFrame(1015));
	await t.fails(1002);
});
[5000, 65535].forEach((code, i) => {
	add(`7.13.${i + 1}`, `Close ${code}: Close, any verdict`, async t => {
		t.send(closeFrame(code));
		await t.fails([1000, 1002]);
	});
});
add('7.14.1', 'FIN without Close', async t => {
	t.main.sock.end();
	const ev = await t.event(2000);
	if (!['close', 'end', 'reset', 'gone'].includes(ev.type))
		throw new Error('the server does not see FIN');
});
add('7.14.2', 'FIN inside a frame', async t => {
	t.send(frame(TEXT, t.msg('cut off').buf).subarray(0, 12));
	await sleep(10);
	t.main.sock.end();
	const ev = await t.event(2000);
	if (!['close', 'end', 'reset', 'gone'].includes(ev.type))
		throw new Error('the server does not see FIN');
});
add('7.14.3', 'FIN inside a fragmented message', async t => {
	t.send(frame(TEXT, 'a', { fin: false }));
	await sleep(10);
	t.main.sock.end();
	const ev = await t.event(2000);
	if (!['close', 'end', 'reset', 'gone'].includes(ev.type))
		throw new Error('the server does not see FIN');
});
add('7.14.4', 'RST at once', async t => {
	t.main.sock.resetAndDestroy();
	await sleep(20);
});
add('7.14.5', 'RST with data on the way', async t => {
	t.send(frame(TEXT, t.msg('hello').buf), frame(PING, 'x'));
	t.main.sock.resetAndDestroy();
	await sleep(20);
});
/* An RST would throw away the Close that the client has not read yet. */
add('7.15.1', 'much data behind a bad frame: Close and FIN, no RST',
    async t => {
	t.send(frame(TEXT, 'x', { rsv: 2 }));
	for (let i = 0; i < 16; i++)
		t.send(Buffer.alloc(4096, i));
	await sleep(100);
	await t.fails(1002);
});
add('7.15.2', 'much data behind Close: Close and FIN, no RST', async t => {
	t.send(closeFrame(1000));
	for (let i = 0; i < 16; i++)
		t.send(Buffer.alloc(4096, i));
	await sleep(100);
	await t.fails(1000);
});
