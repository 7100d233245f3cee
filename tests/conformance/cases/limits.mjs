/* SPDX-License-Identifier: MIT */
/*
 * Groups 9, 10 and A: sizes up to and over the limit, many round trips, and
 * floods.  In chat mode the limit is --max-msg (64 KiB after login, 4 KiB
 * before); in echo mode sizes above it are left out.
 */
import { readFileSync } from 'node:fs';
import { Fail, PATIENCE, add, sleep } from '../suite.mjs';
import { BIN, CONT, PING, TEXT, closeFrame, every, fragments, frame }
    from '../wire.mjs';

const K = 1024, M = K * K;
const label = n => n >= M ? `${n / M} MiB` : n >= K ? `${n / K} KiB` : `${n} B`;

/* A text of n bytes that the mode can carry. */
const sized = (t, n) => t.chat ? t.msg('s'.repeat(100), { size: n }) :
    t.msg('', { size: n });
const over = (t, n) => n > t.max;

[64 * K, 256 * K, M, 4 * M, 8 * M, 16 * M].forEach((n, i) => {
	const o = { limit: 30000, full: n > M };

	add(`9.1.${i + 1}`, `text of ${label(n)}`, async t => {
		if (t.chat && over(t, n)) {
			t.send(frame(TEXT, Buffer.alloc(n, 0x20)));
			return t.fails(1009);
		}
		const m = sized(t, n);
		t.send(frame(TEXT, m.buf));
		await t.got(m, 10000);
		await t.bye();
	}, o);
	add(`9.2.${i + 1}`, `binary of ${label(n)}`, async t => {
		const b = Buffer.alloc(n, 0xfe);
		t.send(frame(BIN, b));
		if (t.chat)
			return t.fails([1003, 1009]);
		await t.binaryGot(b, 10000);
		await t.bye();
	}, o);
});
[64, 256, K, 4 * K, 16 * K, 64 * K, 256 * K, M, 4 * M].forEach((n, i) => {
	add(`9.3.${i + 1}`, `4 MiB text in fragments of ${label(n)}`, async t => {
		const m = t.msg('', { size: 4 * M });
		t.send(...fragments(TEXT, m.buf, every(4 * M, n)));
		await t.got(m, 15000);
		await t.bye();
	}, { mode: 'echo', full: true, limit: 30000 });
	add(`9.4.${i + 1}`, `4 MiB binary in fragments of ${label(n)}`, async t => {
		const b = Buffer.alloc(4 * M, 0xfe);
		t.send(...fragments(BIN, b, every(4 * M, n)));
		await t.binaryGot(b, 15000);
		await t.bye();
	}, { mode: 'echo', full: true, limit: 30000 });
});
[64, 128, 256, 512, K, 2 * K].forEach((n, i) => {
	add(`9.5.${i + 1}`, `text in chops of ${n}`, async t => {
		const m = sized(t, Math.min(t.max, 256 * K));
		await t.main.chop(frame(TEXT, m.buf), n);
		await t.got(m, 10000);
		await t.bye();
	}, { limit: 30000 });
	add(`9.6.${i + 1}`, `binary in chops of ${n}`, async t => {
		const b = Buffer.alloc(Math.min(t.max, 256 * K), 0xfe);
		await t.main.chop(frame(BIN, b), n);
		if (t.chat)
			return t.fails(1003);
		await t.binaryGot(b, 10000);
		await t.bye();
	}, { limit: 30000 });
});
[0, 16, 64, 256, K, 4 * K].forEach((n, i) => {
	add(`9.7.${i + 1}`, `round trips of ${n} bytes`, async t => {
		/* As many as the server's send rate lets through at once. */
		const rounds = t.chat ? Math.min(t.opt.rounds,
		    (t.main.rate?.[1] ?? 20) - 2) : t.opt.rounds;
		for (let k = 0; k < rounds; k++) {
			const m = t.msg('r'.repeat(t.chat ? Math.max(1, n) : n));
			t.send(frame(TEXT, m.buf));
			await t.got(m, 3000);
		}
		await t.bye();
	}, { limit: 60000 });
	add(`9.8.${i + 1}`, `binary round trips of ${n} bytes`, async t => {
		const b = Buffer.alloc(n, 0xfe);
		for (let k = 0; k < t.opt.rounds; k++) {
			t.send(frame(BIN, b));
			await t.binaryGot(b, 3000);
		}
		await t.bye();
	}, { mode: 'echo', limit: 60000 });
});

/* --- our limits, at and one over (chat) --------------------------------- */

const chat = { mode: 'chat' };

add('9.9.1', 'a frame of exactly the limit', async t => {
	const m = sized(t, t.max);
	t.send(frame(TEXT, m.buf));
	await t.got(m);
	await t.bye();
}, chat);
add('9.9.2', 'a frame one byte over the limit', async t => {
	t.send(frame(TEXT, sized(t, t.max + 1).buf));
	await t.fails(1009);
}, chat);
add('9.9.3', 'one over the limit is refused from its head', async t => {
	t.send(frame(TEXT, '{', { declare: BigInt(t.max + 1) }));
	await t.fails(1009);
}, chat);
add('9.9.4', 'exactly the limit in two fragments', async t => {
	const m = sized(t, t.max);
	t.send(...fragments(TEXT, m.buf, [t.max - 1]));
	await t.got(m);
	await t.bye();
}, chat);
add('9.9.5', 'one over the limit in two fragments', async t => {
	t.send(...fragments(TEXT, sized(t, t.max + 1).buf, [t.max]));
	await t.fails(1009);
}, chat);
add('9.9.6', 'before login: 4096 bytes are taken', async t => {
	const p = await t.peer();
	const j = JSON.stringify({ cmd: 'login', name: 'early', rid: t.rid, v: 2 });
	p.send(frame(TEXT, j + ' '.repeat(4096 - j.length)));
	await t.json(p, x => x.cmd === 'login');
}, chat);
add('9.9.7', 'before login: 4097 bytes are refused', async t => {
	t.main = await t.peer();
	const j = JSON.stringify({ cmd: 'login', name: 'early', rid: t.rid, v: 2 });
	t.send(frame(TEXT, j + ' '.repeat(4097 - j.length)));
	await t.fails(1009);
}, chat);
add('9.9.8', 'before login: 64 KiB declared cost a Close at once', async t => {
	t.main = await t.peer();
	t.send(frame(TEXT, '{', { declare: 65536n }));
	await t.fails(1009);
}, chat);
add('9.9.9', 'before login: fragments are summed', async t => {
	t.main = await t.peer();
	t.send(frame(TEXT, Buffer.alloc(4000, 0x20), { fin: false }),
	    frame(CONT, Buffer.alloc(97, 0x20)));
	await t.fails(1009);
}, chat);
add('9.9.10', 'a binary frame before login', async t => {
	t.main = await t.peer();
	t.send(frame(BIN, 'x'));
	await t.fails(1003);
}, chat);
add('10.1.1', '65536 bytes in fragments of 1300', async t => {
	const m = sized(t, 65536);
	t.send(...fragments(TEXT, m.buf, every(65536, 1300)));
	await t.got(m, 5000);
	await t.bye();
});

/* --- floods: bounded, and the others are still served ------------------- */

const rss = pid => Number(/VmRSS:\s+(\d+)/.exec(
    readFileSync(`/proc/${pid}/status`, 'latin1'))[1]) / 1024;

/* Runs flood() while others log in; watches the memory where --pid is given. */
async function
besides(t, flood)
{
	const pid = t.opt.pid, before = pid ? rss(pid) : 0;
	let most = before, on = true;
	const running = flood().finally(() => { on = false; });
	while (on) {
		const p = await t.peer();
		if (t.chat) {
			const t0 = Date.now();
			p.send(frame(TEXT, JSON.stringify({ cmd: 'login', v: 2,
			    name: 'other', rid: t.rid })));
			await t.json(p, j => j.cmd === 'login');
			if (Date.now() - t0 > PATIENCE / 3)
				throw new Fail('a login took too long');
		} else
			await t.ping(p);
		p.bye();
		if (pid)
			most = Math.max(most, rss(pid));
		await sleep(50);
	}
	await running;
	if (most - before > 64)
		throw new Fail(`the server grew by ${Math.round(most - before)} MiB`);
}

/* Writes chunk over and over for ms, or until the server hangs up. */
async function
pour(p, chunk, ms)
{
	const until = Date.now() + ms;
	while (Date.now() < until && !p.over && !p.sock.destroyed) {
		if (p.sock.writableLength < 1 << 20)
			p.send(chunk);
		await sleep(1);
	}
}

const flood = { alone: true, limit: 20000 };

add('A.1', 'pings without reading the pongs', async t => {
	await besides(t, async () => {
		t.main.sock.pause();
		await pour(t.main, Buffer.concat(Array.from({ length: 400 },
		    () => frame(PING, Buffer.alloc(125)))), 2000);
	});
	t.main.destroy();
}, flood);
add('A.2', 'pings with reading', async t => {
	await besides(t, () => pour(t.main, Buffer.concat(Array.from({ length: 100 },
	    () => frame(PING, 'x'))), 2000));
	t.main.destroy();
}, flood);
add('A.3', 'fragments of one byte', async t => {
	await besides(t, async () => {
		t.send(frame(TEXT, ' ', { fin: false }));
		await pour(t.main, Buffer.concat(Array.from({ length: 500 },
		    () => frame(CONT, ' ', { fin: false }))), 1500);
	});
	if (t.chat)
		await t.fails([1008]);
	t.main.destroy();
}, flood);
add('A.4', 'empty fragments', async t => {
	await besides(t, async () => {
		t.send(frame(TEXT, '', { fin: false }));
		await pour(t.main, Buffer.concat(Array.from({ length: 1000 },
		    () => frame(CONT, '', { fin: false }))), 1500);
	});
	if (t.chat)
		await t.fails([1008]);
	t.main.destroy();
}, flood);
add('A.5', 'twenty declared lengths of 32 MiB cost nothing', async t => {
	const ps = [];
	const before = t.opt.pid ? rss(t.opt.pid) : 0;
	for (let i = 0; i < 20; i++) {
		const p = await t.peer();
		p.send(frame(BIN, 'x', { declare: 32n * 1048576n }));
		ps.push(p);
	}
	await sleep(200);
	if (t.opt.pid && rss(t.opt.pid) - before > 32)
		throw new Fail('memory for what was only declared');
	ps.forEach(p => p.destroy());
}, flood);
add('A.6', 'garbage instead of frames', async t => {
	for (let i = 0; i < 20; i++) {
		const p = await t.peer(), b = Buffer.alloc(2048);
		for (let k = 0; k < b.length; k++)
			b[k] = (k * 131 + i * 29 + 7) & 255;
		p.send(b);
		const ev = await p.next();
		if (ev.type === 'bad')
			throw new Fail(ev.why);
		if (ev.type === 'silence')
			throw new Fail('garbage is met with silence');
		p.destroy();
	}
}, flood);
add('A.7', 'a hundred connections that stop inside a head', async t => {
	for (let i = 0; i < 100; i++) {
		const p = await t.peer();
		p.send(frame(TEXT, t.msg('half').buf).subarray(0, 1 + i % 6));
	}
	await t.ping();
	await t.says('still here');
	await t.bye();
}, flood);
add('A.8', 'a hundred connections and RSTs', async t => {
	for (let i = 0; i < 100; i++) {
		const p = await t.peer();
		p.send(frame(TEXT, t.msg('x').buf), closeFrame(1000));
		p.sock.resetAndDestroy();
	}
	await t.says('still here');
	await t.bye();
}, flood);
