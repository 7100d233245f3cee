/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * cchatctl verify: clean on a sound cluster, also while its servers are killed;
 * and with a liar between it and a server it says which promise was broken.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync,
    writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { frameOf, framesOf } from '../fault/socket.mjs';
import { Cluster, build, freePort, until } from '../lib/cluster.mjs';

const program = join(build, 'config_server', 'cchatctl');

/* one run: {code, out, err, json}; while(): what is done meanwhile */
const verify = async (c, flags, meanwhile) => {
	const p = spawn(program, ['verify', '--data', c.data ?? c.dir,
	    ...c.config ? ['--config-server', c.configAt] : [], ...flags],
	    { env: { ...process.env, NO_COLOR: '1' } });
	const r = { out: '', err: '' };
	p.stdout.on('data', d => { r.out += d; });
	p.stderr.on('data', d => { r.err += d; });
	const end = new Promise(done => p.on('close', code => done(code)));
	await meanwhile?.(p, r);
	r.code = await end;
	if (flags.includes('--json'))
		r.json = JSON.parse(r.out);
	return r;
};
const few = ['--clients', '14', '--rooms', '3', '--rate', '60'];
/* they are in, and something was said since */
const talking = async c => {
	const at = async () => (await (await c.active()).fetch('/status')).json;
	const { log: { items } } = await at();
	await until('they talk', async () => {
		const s = await at();
		return s.sessions >= 10 && s.log.items > items + 10;
	});
};
const broken = j => Object.entries(j.promises).filter(([, p]) => !p.kept)
    .map(([id]) => id);

describe('a sound cluster', () => {
	let c;
	before(async () => { c = await Cluster.start({ msgs: 2, proxies: 2 }); });
	after(() => c.stop());

	test('every promise is kept, and it is said', async () => {
		const r = await verify(c, [...few, '--seconds', '2']);
		assert.equal(r.code, 0, r.out + r.err);
		assert.match(r.out, /^servers +ws:/m);
		for (const g of ['G1', 'G2', 'G3', 'G4', 'G5'])
			assert.match(r.out, new RegExp(`^${g}  .* kept$`, 'm'));
		assert.match(r.out, /^acked +\d+ .*\(p50\).*\(p99\)/m);
		assert.match(r.out, /\nclean\n$/);
		assert.equal(r.err, '', 'progress is for a terminal');
		assert.ok(!r.out.includes('\x1b'));
		assert.ok(r.out.split('\n').every(l => l.length < 80), r.out);
	});

	test('nobody is left behind', () => until('all are gone', async () => {
		const all = await Promise.all(c.msgs.map(m => m.fetch('/status')));
		return all.every(s => s.json.connections === 0);
	}));

	test('through kill -9 of each role, and a hang', async () => {
		const r = await verify(c, [...few, '--seconds', '7', '--json'],
		    async () => {
			/* the pace of the operator */
			const pause = () => new Promise(f => setTimeout(f, 900));
			await talking(c);
			for (const pick of [() => c.msgs[0], () => c.active(),
			    () => c.config]) {
				const d = await pick();
				await d.kill();
				await pause();
				await d.start();
			}
			c.msgs[1].signal('SIGSTOP');
			await pause();
			c.msgs[1].signal('SIGCONT');
		});
		assert.equal(r.code, 0, r.out + r.err);
		assert.equal(r.json.clean, true);
		assert.ok(r.json.reconnects > 3, r.out);
		assert.ok(r.json.resumes > 3 && r.json.resumes_partial === 0);
		assert.ok(r.json.acked > 150);
		assert.ok(r.json.received > r.json.acked);
		assert.ok(r.json.no_ack_ms > 0);
		assert.ok(r.json.ack_ms.p50 <= r.json.ack_ms.max);
	});

	test('Ctrl-C ends the talk, and the verdict comes', async () => {
		const t0 = Date.now();
		const r = await verify(c, [...few, '--seconds', '600', '--json'],
		    async p => {
			await talking(c);
			p.kill('SIGINT');
		});
		assert.equal(r.code, 0, r.out + r.err);
		assert.ok(r.json.acked > 10 && r.json.seconds < 60);
		assert.ok(Date.now() - t0 < 120000);
	});
});

/*
 * A relay that changes what it passes on: down(frame, send) and up(frame,
 * send) see each JSON text; what they do not send is swallowed.
 */
class Liar {
	static async between(port, ways)
	{
		const l = new Liar();
		l.server = net.createServer(a => l.accept(a, port, ways));
		await new Promise(r => l.server.listen(0, '127.0.0.1', r));
		l.url = `ws://127.0.0.1:${l.server.address().port}/ws`;
		return l;
	}

	accept(a, port, ways)
	{
		const b = net.connect(port, '127.0.0.1');
		const state = {};
		for (const [x, y, turn] of [[a, b, ways.up], [b, a, ways.down]]) {
			let rest = Buffer.alloc(0), head = true;
			x.on('error', () => y.destroy());
			x.on('close', () => y.destroy());
			x.on('data', d => {
				rest = Buffer.concat([rest, d]);
				if (head) {
					const end = rest.indexOf('\r\n\r\n');
					if (end < 0)
						return;
					/* the server knows itself by this name alone */
					y.write(rest.toString('latin1', 0, end + 4)
					    .replace(/127\.0\.0\.1:\d+/g,
					    `127.0.0.1:${port}`));
					rest = rest.subarray(end + 4);
					head = false;
				}
				const got = framesOf(rest);
				rest = got.rest;
				for (const f of got.list)
					this.pass(f, x === a, state, turn, y, a);
			});
		}
	}

	pass(f, masked, state, turn, y, client)
	{
		const put = (o, to = y, mask = masked) => {
			const b = frameOf(f.op, f.op === 1 && !Buffer.isBuffer(o) ?
			    Buffer.from(JSON.stringify(o)) : o);
			to.write(mask ? b : unmasked(b));
		};
		if (f.op !== 1 || !turn) {
			put(f.data);
			return;
		}
		for (const o of [JSON.parse(f.data)].flat())
			turn(o, put, state, x => put(x, client, false));
	}

	close()
	{
		this.server.close();
	}
}

/* the same frame as a server sends it */
function
unmasked(b)
{
	const { list: [f] } = framesOf(b);
	const n = f.data.length, head = n < 126 ? 2 : n < 65536 ? 4 : 10;
	const out = Buffer.concat([b.subarray(0, head), f.data]);
	out[1] &= 0x7f;
	return out;
}

/* every 40th message of a room, as counted by one connection */
const nth = (s, o) => o.cmd === 'message' && !o.tid && o.seq > 0 &&
    (s.n = (s.n ?? 0) + 1) % 40 === 20;

const LIES = {
	'an item is left out': { want: 'G4', ways: { down: (o, put, s) => {
		if (!nth(s, o))
			put(o);
	} } },
	'an item comes twice': { want: 'G2', ways: { down: (o, put, s) => {
		put(o);
		if (nth(s, o))
			put(o);
	} } },
	'two items change places': { want: 'G3', ways: { down: (o, put, s) => {
		if (s.kept && o.cmd === 'message' && o.rid === s.kept.rid &&
		    !o.tid) {
			put(o);
			put(s.kept);
			s.kept = null;
		} else if (!s.kept && nth(s, o)) {
			s.kept = o;
		} else {
			put(o);
		}
	} } },
	'an ok for what was never stored': { want: 'G1', ways: {
		up: (o, put, s, back) => {
			if (o.cmd !== 'message' || (s.m = (s.m ?? 0) + 1) % 9) {
				put(o);
				return;
			}
			back({ cmd: 'ok', cid: o.cid, rid: o.rid, seq: 9000 + s.m,
			    ts: Date.now() });
		} } },
	'a message of another room is shown': { want: 'G5', ways: {
		down: (o, put, s) => {
			put(o);
			if (nth(s, o))
				put({ ...o, rid: '77', seq: 1, cid: undefined });
		} } },
	'another sender is shown': { want: 'G5', ways: { down: (o, put, s) =>
		put(nth(s, o) ? { ...o, uid: '1001' } : o) } },
	'one comes who was there': { want: 'presence', ways: {
		down: (o, put, s) => {
			put(o);
			if (nth(s, o))
				put({ cmd: 'newUser', uid: o.uid, name: o.name,
				    rid: o.rid });
		} } },
};

describe('a liar in between', () => {
	let c;
	before(async () => { c = await Cluster.start({ msgs: 1, proxies: 1 }); });
	after(() => c.stop());

	for (const [lie, { want, ways }] of Object.entries(LIES))
		test(`${lie}: ${want}`, async () => {
			const l = await Liar.between(c.msgs[0].ports.direct, ways);
			const r = await verify(c, [...few, '--rate', '120',
			    '--seconds', '1', '--json', '--url', l.url]);
			l.close();
			assert.equal(r.code, 1, r.out + r.err);
			assert.ok(broken(r.json).includes(want), r.out);
			assert.ok(r.json.findings.length > 0);
		});

	test('the relay alone is no lie; and findings for people', async () => {
		let l = await Liar.between(c.msgs[0].ports.direct, {});
		const flags = [...few, '--seconds', '2', '--url'];
		assert.equal((await verify(c, [...flags, l.url])).code, 0);
		l.close();
		l = await Liar.between(c.msgs[0].ports.direct,
		    LIES['an item is left out'].ways);
		const r = await verify(c, [...flags, l.url, '--seed', '5']);
		l.close();
		assert.equal(r.code, 1);
		assert.match(r.out, /^G4 .* BROKEN  hole \d+/m);
		assert.match(r.out, /^hole +\d+ .*: \d+ after \d+$/m);
		assert.match(r.out, /^BROKEN; again with --seed 5,/m);
	});
});

describe('where tokens are needed, and the weaker clusters', () => {
	let c;
	before(async () => {
		c = await Cluster.start({ msgs: 1, proxies: 1, conf: {
			msg_server: { auth: 'token', send_rate: 5, send_burst: 20,
			    uid_rate: 10, v1_interval: 2 },
		} });
	});
	after(() => c.stop());

	test('the key of the data directory, within the limits', async () => {
		const r = await verify(c, [...few, '--seconds', '3', '--json']);
		assert.equal(r.code, 0, r.out + r.err);
		assert.ok(r.json.acked > 50);
		assert.ok(r.json.refused < r.json.sent / 10, r.out);
	});

	test('another key, or none, is one line', async () => {
		const dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
		const key = join(dir, 'k');
		writeFileSync(key, `${'ab'.repeat(32)}\n`);
		const bad = await verify(c, [...few, '--token-key', key]);
		const none = await verify(c, [...few, '--token-key',
		    join(dir, 'none')]);
		const own = await verify({ dir, config: c.config,
		    configAt: c.configAt }, few);
		rmSync(dir, { recursive: true });
		for (const r of [bad, none, own]) {
			assert.equal(r.code, 2, r.out + r.err);
			assert.match(r.err, /^cchatctl: verify: .*--token-key FILE\n$/);
			assert.equal(r.out, '');
		}
	});
});

describe('a cluster that keeps nothing', () => {
	let c;
	before(async () => {
		c = await Cluster.start({ msgs: 1, proxies: 1,
		    conf: { proxy_server: { keep_days: 0 } } });
	});
	after(() => c.stop());

	test('G1 is not judged, all else is', async () => {
		const r = await verify(c, [...few, '--seconds', '2']);
		assert.equal(r.code, 0, r.out + r.err);
		assert.match(r.out, /^G1 .*not judged: this cluster keeps nothing$/m);
		assert.match(r.out, /^G4 .* kept$/m);
	});
});

describe('mistakes', () => {
	const dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
	after(() => rmSync(dir, { recursive: true }));
	const run = (args, env) => spawnSync(program, ['verify', ...args],
	    { encoding: 'utf8', env: { ...process.env, ...env } });

	test('numbers out of bounds, unknown flags, words', () => {
		for (const args of [['--clients', '1'], ['--clients', 'x'],
		    ['--rate', '0'], ['--rate', '5001'], ['--seconds', '3601'],
		    ['--seconds', '3600', '--rate', '5000'], ['--rooms=0'],
		    ['--url', 'http://x/'], ['--seed'], ['word'], ['--no', 'x']]) {
			const r = run(args);
			assert.equal(r.status, 2, `${args}: ${r.stdout}${r.stderr}`);
			assert.match(r.stderr, /^cchatctl: .*\n$/, `${args}`);
		}
		assert.equal(run(['-h']).status, 0);
	});

	test('nothing runs', async () => {
		const at = `127.0.0.1:${await freePort()}`;
		let r = run(['--config-server', at]);
		assert.equal(r.status, 3, r.stderr);
		assert.match(r.stderr, /^cchatctl: verify: no config_server answers at .*\n$/);
		r = run(['--config-server', at, '--url', `ws://${at}/ws`]);
		assert.equal(r.status, 3, r.stderr);
		assert.match(r.stderr, /^cchatctl: verify: no msg_server lets us in .*\n$/);
	});

	test('no node, and one that is too old', () => {
		let r = run([], { PATH: dir });
		assert.equal(r.status, 2);
		assert.match(r.stderr, /^cchatctl: verify runs on node 18 or newer, and there is no node .*\n$/);
		mkdirSync(join(dir, 'bin'));
		writeFileSync(join(dir, 'bin', 'node'),
		    '#!/bin/sh\necho v12.22.9\n', { mode: 0o755 });
		symlinkSync('/bin/sh', join(dir, 'bin', 'sh'));
		r = run([], { PATH: join(dir, 'bin') });
		assert.equal(r.status, 2);
		assert.match(r.stderr, /^cchatctl: verify runs on node 18 or newer, not on v12\.22\.9\n$/);
	});
});

test('it is as new as what it judges by', () => {
	const text = readFileSync(new URL('../fault/verify.mjs', import.meta.url),
	    'utf8');
	/* what is installed stands alone */
	assert.ok(!/from '\.\.\//.test(text));
});
