/* SPDX-License-Identifier: MIT */
/*
 * Groups 1 to 4: sizes, length encodings, masks, ping and pong, reserved bits
 * and opcodes.
 */
import { add } from '../suite.mjs';
import { BIN, CLOSE, CONT, PING, PONG, TEXT, closeFrame, frame } from '../wire.mjs';

const sizes = [0, 125, 126, 127, 128, 65535, 65536];

/*
 * In chat mode the size is the frame's, and the least is a message of one
 * character; the text inside stays a message.
 */
const sized = (t, n) => t.chat ?
    (n < 80 ? t.msg('.') : t.msg('*'.repeat(Math.min(40, n - 80)), { size: n })) :
    t.msg('', { size: n });

sizes.forEach((n, i) => {
	add(`1.1.${i + 1}`, `text of ${n} bytes`, async t => {
		const m = sized(t, n);
		t.send(frame(TEXT, m.buf));
		await t.got(m);
		await t.bye();
	});
	add(`1.2.${i + 1}`, `binary of ${n} bytes`, async t => {
		const b = Buffer.alloc(n, 0xfe);
		t.send(frame(BIN, b));
		if (t.chat)
			return t.fails(1003);
		await t.binaryGot(b);
		await t.bye();
	});
});
add('1.1.8', 'text of 65536 bytes in chops of 997', async t => {
	const m = sized(t, 65536);
	await t.main.chop(frame(TEXT, m.buf), 997);
	await t.got(m);
	await t.bye();
});
add('1.2.8', 'binary of 65536 bytes in chops of 997', async t => {
	const b = Buffer.alloc(65536, 0xfe);
	await t.main.chop(frame(BIN, b), 997);
	if (t.chat)
		return t.fails(1003);
	await t.binaryGot(b);
	await t.bye();
});
add('1.1.9', 'text of 3 KiB, octet by octet in the head', async t => {
	const m = sized(t, 3000), f = frame(TEXT, m.buf);
	await t.main.chop(f.subarray(0, 20), 1, 2);
	t.send(f.subarray(20));
	await t.got(m);
	await t.bye();
});
add('1.1.10', 'twenty texts in one segment come back in order', async t => {
	const ms = Array.from({ length: 12 }, (_, i) => t.msg(`no ${i}`));
	t.send(...ms.map(m => frame(TEXT, m.buf)));
	for (const m of ms)
		await t.got(m);
	await t.bye();
});

[[0, 16], [5, 16], [125, 16], [0, 64], [125, 64], [126, 64], [65535, 64]]
    .forEach(([n, form], i) => {
	add(`1.6.${i + 1}`, `length ${n} in ${form} bits`, async t => {
		t.send(frame(TEXT, Buffer.alloc(n, 0x20), { form }));
		await t.fails([1002]);
	});
});
[[2n ** 63n - 1n, '63 bits'], [2n ** 63n, 'the sign bit'],
    [2n ** 64n - 1n, 'all ones'], [2n ** 40n, '1 TiB'],
    [2n ** 32n, '4 GiB'], [2n ** 32n + 5n, '4 GiB and 5']]
    .forEach(([n, what], i) => {
	add(`1.6.${i + 8}`, `a declared length of ${what}`, async t => {
		t.send(frame(TEXT, 'hello', { declare: n }));
		await t.fails([1002, 1009]);
	});
});
[16, 64].forEach((form, i) => {
	add(`1.6.${i + 14}`, `ping of 4 bytes, length in ${form} bits`, async t => {
		t.send(frame(PING, 'ping', { form }));
		await t.fails([1002]);
	});
});
add('1.6.16', 'shortest 16 and 64 bit forms are taken', async t => {
	await t.says('x'.repeat(10), t.chat ? { size: 126 } : undefined);
	await t.says('y', { size: 65536 });
	await t.bye();
});

[[TEXT, 'text'], [BIN, 'binary'], [CONT, 'continuation'], [PING, 'ping'],
    [PONG, 'pong'], [CLOSE, 'close']].forEach(([op, what], i) => {
	add(`1.7.${i + 1}`, `unmasked ${what}`, async t => {
		t.send(frame(op, op === CLOSE ? Buffer.from([3, 232]) :
		    t.msg('hello').buf.subarray(0, op > 7 ? 10 : undefined),
		    { mask: false }));
		await t.fails(1002);
	});
});
add('1.7.7', 'unmasked text after a good one', async t => {
	const m = t.msg('good');
	t.send(frame(TEXT, m.buf), frame(TEXT, t.msg('bad').buf, { mask: false }),
	    frame(PING, 'no'));
	await t.fails(1002, { before: m });
});
add('1.7.8', 'empty unmasked text', async t => {
	t.send(frame(TEXT, '', { mask: false }), frame(PING, 'x'));
	await t.fails(1002);
});
add('1.8.1', 'a mask of zeros', async t => {
	const m = t.msg('zero mask');
	t.send(frame(TEXT, m.buf, { mask: Buffer.alloc(4) }));
	await t.got(m);
	await t.bye();
});
[1, 2, 3, 5, 7].forEach((n, i) => {
	add(`1.8.${i + 2}`, `the mask runs on over chops of ${n}`, async t => {
		const m = t.msg('unmasking must not start again per segment');
		await t.main.chop(frame(TEXT, m.buf), n);
		await t.got(m);
		await t.bye();
	});
});
add('1.8.7', 'a mask over a body of 9 KiB in three segments', async t => {
	const m = t.chat ? t.msg('m'.repeat(3001), { size: 9001 }) :
	    t.msg('m'.repeat(9001));
	await t.main.chop(frame(TEXT, m.buf), 4099, 5);
	await t.got(m);
	await t.bye();
});

/* --- ping and pong ------------------------------------------------------ */

const pings = [['empty', ''], ['text', 'Hello, world!'],
    ['binary', Buffer.from([0, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0, 0xff])],
    ['125 bytes', Buffer.alloc(125, 0xfe)]];

pings.forEach(([what, body], i) => {
	add(`2.${i + 1}`, `ping, ${what}`, async t => {
		t.send(frame(PING, body));
		await t.pong(body);
		await t.bye();
	});
});
add('2.5', 'ping of 126 bytes', async t => {
	t.send(frame(PING, Buffer.alloc(126, 0xfe)), frame(PING, 'x'));
	await t.fails(1002);
});
add('2.6', 'ping of 125 bytes, octet by octet', async t => {
	const body = Buffer.alloc(125, 0xfe);
	await t.main.chop(frame(PING, body), 1);
	await t.pong(body);
	await t.bye();
});
add('2.7', 'unsolicited empty pong', async t => {
	t.send(frame(PONG));
	await t.quiet(100);
	await t.bye();
});
add('2.8', 'unsolicited pong with payload', async t => {
	t.send(frame(PONG, 'nobody asked'));
	await t.quiet(100);
	await t.bye();
});
add('2.9', 'pong, then ping', async t => {
	t.send(frame(PONG, 'nobody asked'), frame(PING, 'asked'));
	await t.pong('asked');
	await t.bye();
});
add('2.10', 'ten pings', async t => {
	for (let i = 0; i < 10; i++)
		t.send(frame(PING, `p${i}`));
	for (let i = 0; i < 10; i++)
		await t.pong(`p${i}`);
	await t.bye();
});
add('2.11', 'ten pings, octet by octet', async t => {
	const all = [];
	for (let i = 0; i < 10; i++)
		all.push(frame(PING, `payload-${i}`));
	await t.main.chop(Buffer.concat(all), 1);
	for (let i = 0; i < 10; i++)
		await t.pong(`payload-${i}`);
	await t.bye();
});
add('2.12', 'pong of 126 bytes', async t => {
	t.send(frame(PONG, Buffer.alloc(126)));
	await t.fails(1002);
});
add('2.13', 'ping of 65536 bytes', async t => {
	t.send(frame(PING, Buffer.alloc(65536)));
	await t.fails(1002);
});
add('2.14', 'pong in fragments', async t => {
	t.send(frame(PONG, 'a', { fin: false }), frame(CONT, 'b'));
	await t.fails(1002);
});
add('2.15', 'ping with bytes that are not UTF-8', async t => {
	const body = Buffer.from([0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80]);
	t.send(frame(PING, body));
	await t.pong(body);
	await t.bye();
});

/* --- reserved bits ------------------------------------------------------ */

for (let rsv = 1; rsv < 8; rsv++) {
	add(`3.${rsv}`, `reserved bits ${rsv} on ${['', 'text', 'a text after ' +
	    'a text', 'a text, frame by frame', 'a text, octet by octet',
	    'binary', 'ping', 'close'][rsv]}`, async t => {
		const m = t.msg('before');
		const bad = frame(rsv < 5 ? TEXT : rsv === 5 ? BIN :
		    rsv === 6 ? PING : CLOSE, rsv === 7 ? '' :
		    rsv === 6 ? 'ping' : t.msg('bad').buf, { rsv });
		if (rsv === 1 || rsv > 4) {
			t.send(bad);
			return t.fails(1002);
		}
		const all = [frame(TEXT, m.buf), bad, frame(PING, 'no')];
		if (rsv === 2)
			t.send(...all);
		else if (rsv === 3)
			all.forEach(f => t.send(f));
		else
			await t.main.chop(Buffer.concat(all), 1);
		await t.fails(1002, { before: m });
	});
	add(`3.${rsv + 7}`, `reserved bits ${rsv} on an empty frame`, async t => {
		t.send(frame(TEXT, '', { rsv }), frame(PING));
		await t.fails(1002);
	});
}
for (const rsv of [1, 2, 4])
	add(`3.${[, 15, 16, , 17][rsv]}`, `reserved bits ${rsv} on a continuation`,
	    async t => {
		const m = t.msg('two parts');
		t.send(frame(TEXT, m.buf.subarray(0, 5), { fin: false }),
		    frame(CONT, m.buf.subarray(5), { rsv }));
		await t.fails(1002);
	});

/* --- reserved opcodes --------------------------------------------------- */

[[3, 4, 5, 6, 7], [11, 12, 13, 14, 15]].forEach((ops, g) => {
	ops.forEach((op, i) => {
		const how = ['empty', 'with payload', 'after a text, before a ping',
		    'after a text, octet by octet', 'after a text, with payload'][i];
		add(`4.${g + 1}.${i + 1}`, `opcode ${op}, ${how}`, async t => {
			if (i === 0) {
				t.send(frame(op));
				return t.fails(1002);
			}
			if (i === 1) {
				t.send(frame(op, 'payload'));
				return t.fails(1002);
			}
			const m = t.msg('before');
			const all = Buffer.concat([frame(TEXT, m.buf),
			    frame(op, i === 4 ? 'payload' : ''), frame(PING)]);
			if (i === 3)
				await t.main.chop(all, 1);
			else
				t.send(all);
			await t.fails(1002, { before: m });
		});
	});
});
add('4.3.1', 'opcode 3 unfinished', async t => {
	t.send(frame(3, 'x', { fin: false }), frame(CONT, 'y'));
	await t.fails(1002);
});
add('4.3.2', 'opcode 11 with 126 bytes', async t => {
	t.send(frame(11, Buffer.alloc(126)));
	await t.fails(1002);
});
add('4.3.3', 'opcode 7 inside a fragmented text', async t => {
	t.send(frame(TEXT, 'a', { fin: false }), frame(7, 'b'), frame(CONT, 'c'));
	await t.fails(1002);
});
