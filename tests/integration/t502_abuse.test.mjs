/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/* Peers that want to use things up: bounded, and the others do not notice. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import net from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { after, before, test } from 'node:test';
import { Cluster, sleep, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

let c, m, rid = 800;
before(async () => {
	c = await Cluster.start({ msgs: 1 });
	m = c.msgs[0];
});
after(() => c?.stop());
const room = () => String(++rid);

const raw = port => new Promise((resolve, reject) => {
	const s = net.connect(port, '127.0.0.1', () => resolve(s));
	s.on('error', reject);
	s.on('data', () => {});
});
/*
 * A pair that talks while fn runs; no message may take over ms: less than those
 * who hold a place stay, and more than a machine takes that has others to serve.
 * One that is slow with each of them has more.
 */
async function
talking(fn, ms = 4000)
{
	const r = room();
	const a = await Client.login(m.ws, 'amy', r);
	const b = await Client.login(m.ws, 'bob', r);
	let on = true, n = 0;
	const waits = [], lag = monitorEventLoopDelay({ resolution: 10 });
	lag.enable();
	const talk = (async () => {
		while (on) {
			const t0 = performance.now(), text = `t${n++}`;
			await a.say(r, text);
			await b.hear(text);
			waits.push(performance.now() - t0);
			/* a pace */
			await sleep(20);
		}
	})();
	try {
		await fn();
	} finally {
		on = false;
		await talk;
	}
	waits.sort((x, y) => x - y);
	lag.disable();
	/* how long this process itself stood still is no fault of the server */
	const worst = waits.at(-1) - 2 * lag.max / 1e6;
	const usual = waits[waits.length >> 1];
	assert.ok(worst < Math.max(ms, 40 * usual), `a message took ` +
	    `${Math.round(worst)} ms, not ${Math.round(usual)} ms`);
	await Promise.all([a.bye(), b.bye()]);
	return n;
}

test('slowloris: 500 half heads, gone after their time', async () => {
	const before = m.fds, socks = [];
	await talking(async () => {
		for (let i = 0; i < 500; i++) {
			const s = await raw(m.ports.direct);
			s.on('error', () => {});
			s.write('GET /ws HTTP/1.1\r\nHost: x\r\nX-A: ');
			socks.push(s);
		}
		const drip = setInterval(() => socks.forEach(s => !s.destroyed &&
		    s.write('a')), 500);
		try {
			await until('all are gone', () => m.fds <= before + 4, 15000);
		} finally {
			clearInterval(drip);
		}
	});
	socks.forEach(s => s.destroy());
});
test('500 upgraded ones that never log in: closed, 4103', async () => {
	const before = m.fds;
	await talking(async () => {
		/* where this process is too slow to ask in time, some are cut */
		const cs = (await Promise.all(Array.from({ length: 500 }, () =>
		    Client.open(m.ws).catch(() => null)))).filter(Boolean);
		assert.ok(cs.length > 100, `${cs.length} are in`);
		await until('all are closed', () => cs.every(x => x.closed), 20000);
		for (const x of cs)
			assert.equal(x.closed.code, 4103);
	}, 9000);	/* they stay for ten seconds; 500 logins are work here, too */
	await until('descriptors are back', () => m.fds <= before + 2);
});
test('connect and reset, 2000 times', async () => {
	const before = m.fds;
	await talking(async () => {
		for (let i = 0; i < 2000; i++) {
			const s = await raw(m.ports.direct);
			s.on('error', () => {});
			if (i % 2)
				s.write('GET /ws HTTP/1.1\r\n');
			s.resetAndDestroy();
		}
	});
	await until('descriptors are back', () => m.fds <= before + 2);
});
test('half-closed peers are let go', async () => {
	const before = m.fds, socks = [];
	for (let i = 0; i < 100; i++) {
		const s = await new Promise(r => {
			const x = net.connect({ port: m.ports.direct,
			    host: '127.0.0.1', allowHalfOpen: true }, () => r(x));
		});
		s.on('error', () => {});
		s.resume();
		s.end('GET /ws HTTP/1.1\r\n');
		socks.push(s);
	}
	await until('all are gone', () => m.fds <= before + 2, 10000);
	socks.forEach(s => s.destroy());
});
test('EMFILE: no spinning, those inside are served, and it recovers',
    async () => {
	const r = room();
	const a = await Client.login(m.ws, 'amy', r);
	const b = await Client.login(m.ws, 'bob', r);
	const limit = n => {
		const x = spawnSync('prlimit', ['--pid', String(m.pid),
		    `--nofile=${n}:`], { encoding: 'utf8' });
		assert.equal(x.status, 0, x.stderr);
	};
	const soft = spawnSync('prlimit', ['--pid', String(m.pid), '--nofile',
	    '--output=SOFT', '--noheadings'], { encoding: 'utf8' }).stdout.trim();
	limit(m.fds + 10);
	const socks = [];
	try {
		for (let i = 0; i < 100; i++) {
			const s = net.connect(m.ports.direct, '127.0.0.1');
			s.on('error', () => {});
			s.on('data', () => {});
			socks.push(s);
		}
		/* the scene: the storm has arrived */
		await sleep(300);
		const cpu = m.cpu, t0 = performance.now();
		for (let i = 0; i < 10; i++) {
			await a.say(r, `still ${i}`);
			await b.hear(`still ${i}`);
			/* a pace */
			await sleep(100);
		}
		const s = (performance.now() - t0) / 1000;
		assert.ok(m.cpu - cpu < 0.3 + s / 10,
		    `spins: ${m.cpu - cpu} s of CPU in ${s} s`);
	} finally {
		limit(soft);
		socks.forEach(s => s.destroy());
	}
	await until('logins again', async () => {
		const x = await Client.login(m.ws, 'new', r);
		await x.bye();
		return true;
	}, 10000);
	await Promise.all([a.bye(), b.bye()]);
});
test('fragments without end, 20 peers', async () => {
	const before = m.rss;
	await talking(async () => {
		const cs = await Promise.all(Array.from({ length: 20 }, () =>
		    Client.open(m.ws)));
		for (const x of cs) {
			x.ws._socket.on('error', () => {});
			for (let i = 0; i < 100; i++)
				x.ws.send('', { fin: false });
		}
		await until('all are closed', () => cs.every(x => x.closed));
		for (const x of cs)
			assert.ok([1008, 1006].includes(x.closed.code),
			    `closed with ${x.closed.code}`);
	});
	assert.ok(m.rss - before < m.mib(32));
});
test('an idle server rests', async () => {
	/* let the work of the last test end */
	await sleep(500);
	const cpu = m.cpu, t0 = performance.now();
	/* the scene: two idle seconds */
	await sleep(2000);
	const s = (performance.now() - t0) / 1000;
	assert.ok(m.cpu - cpu < s / 20, `${m.cpu - cpu} s of CPU in ${s} s`);
});
