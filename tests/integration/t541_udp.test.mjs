/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * The UDP door under load: ten thousand pushes that are all delivered, and a
 * flood of bad ones beside which people go on chatting.  FLOOD_SECONDS sets
 * how long (3); what it measured is printed.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '../lib/client.mjs';
import { until } from '../lib/cluster.mjs';
import { Backend, Sok, letIn, nobody, sokCluster } from '../lib/sok.mjs';

const home = dirname(fileURLToPath(import.meta.url));
const SECONDS = Number(process.env.FLOOD_SECONDS ?? 3);
let c, m;

before(async () => {
	c = await sokCluster({ msgs: 1 });
	[m] = c.msgs;
});
after(() => c?.stop());

async function
metrics()
{
	const { body } = await m.fetch('/metrics', { ms: 20000 });
	const all = {};
	for (const [, k, v] of body.matchAll(/^cchat_udp_push_(\w+) (\d+)$/mg))
		all[k.replace(/_total$/, '')] = Number(v);
	return all;
}

test('10,000 pushes are delivered, each once', { timeout: 300000 },
    async t => {
	const N = 10000, AT_A_TIME = 40;
	await letIn(m, '7');
	const to = await Sok.login(m.ports.sok, '7');
	t.after(() => to.close());
	const b = await Backend.open(m.ports.UDP, '127.0.0.2');
	t.after(() => b.close());
	let sent = 0;
	const one = () => b.send({ sk: '123456', data: { to_uid: '7',
	    type: 'chat', n: sent++, content: 'push' } });
	while (sent < AT_A_TIME)
		one();
	for (let answered = 0; answered < N; answered++) {
		assert.equal(await b.answer(60000), '{"onLine":1}');
		if (sent < N)
			one();
	}
	const seen = new Set();
	for (let i = 0; i < N; i++)
		seen.add((await to.next(60000)).n);
	assert.equal(seen.size, N);
	await to.settled();
	assert.deepEqual(to.frames, []);
	const k = await metrics();
	assert.equal(k.messages, N);
	assert.equal(k.answered, N);
	assert.deepEqual([k.refused, k.unstored, k.under_way], [0, 0, 0]);
});

test('at most 1000 refusals a second are answered', { timeout: 60000 },
    async () => {
	const before = await metrics(), b = await Backend.open(m.ports.UDP);
	const began = Date.now();
	/* more than it may answer, less than the kernel has to drop */
	let after;
	for (let i = 1; i <= 60; i++) {
		for (let j = 0; j < 100; j++)
			b.send('garbage');
		after = await until('all are seen', async () => {
			const k = await metrics();
			return k.received + k.dropped >= before.received +
			    before.dropped + i * 100 ? k : null;
		}, 20000);
	}
	const s = (Date.now() - began) / 1000;
	const refused = after.refused - before.refused;
	const silent = after.silent - before.silent;
	assert.equal(refused, after.received - before.received);
	/* on a machine that took so long there were not too many */
	assert.ok(silent > 0 || s > 4, 'there were too many to answer');
	assert.ok(refused - silent <= 1000 * (s + 1), `${refused - silent}`);
	await until('the answers are here', () => b.answers.length ===
	    refused - silent, 20000);
	assert.ok(b.answers.every(a => a === '{"onLine":0}'));
	b.close();
	/* what was refused is said in the log, but not a line for each */
	const lines = m.log.split('\n').filter(l => /UDP push from/.test(l));
	assert.ok(lines.length > 0 && lines.length < 40 * (s + 1),
	    `${lines.length}`);
});

/* ms from saying to hearing it back, one message after the other */
async function
chat(amy, until)
{
	const ms = [];
	while (!until()) {
		const t = performance.now();
		await amy.say('1', `m${ms.length}`);
		ms.push(performance.now() - t);
	}
	ms.sort((a, b) => a - b);
	return { n: ms.length, p50: ms[Math.floor(ms.length / 2)].toFixed(2),
	    p99: ms[Math.floor(ms.length * 0.99)].toFixed(2) };
}

/* what chatting is like beside a flood to that port; what was thrown */
async function
flooded(amy, port, from, text)
{
	const child = spawn(process.execPath, [join(home,
	    '../lib/dgram_flood.mjs'), port, 100000, SECONDS, from, text],
	    { stdio: ['ignore', 'pipe', 'inherit'] });
	let out = '', over = false;
	child.stdout.on('data', d => { out += d; });
	child.on('exit', () => { over = true; });
	const ms = await chat(amy, () => over);
	return { ...ms, threw: JSON.parse(out) };
}

for (const [what, from, text] of [['no JSON', '127.0.0.1', 'garbage'],
    ['the wrong secret', '127.0.0.2', '{"sk":"wrong","data":{}}'],
    ['JSON with nothing to do', '127.0.0.1', '{"data":{"a":[1,2,{}]}}']])
	test(`people chat beside 100,000 a second of ${what}`,
	    { timeout: 120000 + 3 * SECONDS * 1000 }, async t => {
		const amy = await Client.login(m.ws, 'amy', '1');
		const end = Date.now() + SECONDS * 1000;
		const calm = await chat(amy, () => Date.now() > end);
		/* what throwing alone takes of the machine */
		const sink = await nobody();
		const there = await flooded(amy, sink.port, from, text);
		sink.child.kill('SIGKILL');
		const cpu = m.cpu, before = await metrics();
		const here = await flooded(amy, m.ports.UDP, from, text);
		const k = await metrics();
		t.diagnostic(JSON.stringify({ calm, there, here,
		    cpu: (m.cpu - cpu).toFixed(2),
		    received: k.received - before.received,
		    dropped: k.dropped - before.dropped,
		    answered: k.answered - before.answered }));
		assert.ok(here.n > 0);
		assert.ok(here.threw.sent > 1000);
		assert.equal(k.refused - before.refused,
		    k.received - before.received);
		assert.ok(k.answered - before.answered <=
		    1000 * (here.threw.seconds + 2));
		amy.ws.close();
	});
