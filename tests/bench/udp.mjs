/* SPDX-License-Identifier: MIT */
/*
 * What bad UDP pushes cost those who chat: a cluster of one msg_server, fifty
 * people in a room of whom one says something every 20 ms, and the time until
 * the last has heard it; SECONDS without a flood, with one to a port where
 * nobody reads (what throwing takes of the machine), and with one to the UDP
 * door, three rounds of each, one after the other.
 *
 *	CCHAT_BUILD=BUILD node tests/bench/udp.mjs [SECONDS [RATE]]
 *
 * SECONDS: 10; RATE: 100,000 a second, from 127.0.0.2 with the wrong secret.
 * Prints a line for each: how many were thrown and received, refusals answered
 * a second (at most 1000 are), and percentiles in ms.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client } from '../lib/client.mjs';
import { nobody, sokCluster } from '../lib/sok.mjs';

const flooder = fileURLToPath(new URL('../lib/dgram_flood.mjs',
    import.meta.url));
const SECONDS = Number(process.argv[2] ?? 10);
const RATE = Number(process.argv[3] ?? 100000);
const PEOPLE = 50, EVERY_MS = 20, ROUNDS = 3;
const c = await sokCluster({ msgs: 1 });
const [m] = c.msgs;

const metrics = async () => Object.fromEntries([...(await m.fetch('/metrics',
    { ms: 20000 })).body.matchAll(/^cchat_udp_push_(\w+?)(?:_total)? (\d+)$/mg)]
    .map(([, k, v]) => [k, Number(v)]));

const people = [];
for (let i = 0; i < PEOPLE; i++)
	people.push(await Client.login(m.ws, `p${i}`, '1'));

const waiting = new Map();
for (const p of people)
	p.ws.on('message', d => {
		const w = waiting.get(/"msg":"(b\d+)"/.exec(d)?.[1]);
		if (w && ++w.heard === PEOPLE - 1)
			w.ms = performance.now() - w.at;
	});

let said = 0;

/* times until all have heard what is said while until() is not */
async function
chat(until)
{
	const mine = [];
	while (!until()) {
		const msg = `b${said++}`, w = { at: performance.now(), heard: 0 };
		waiting.set(msg, w);
		mine.push(w);
		people[said % PEOPLE].send({ cmd: 'message', type: 'text', rid: '1',
		    msg, cid: msg });
		await new Promise(r => setTimeout(r, EVERY_MS));
	}
	for (let i = 0; i < 500 && mine.some(w => w.ms === undefined); i++)
		await new Promise(r => setTimeout(r, 20));
	const all = mine.map(w => w.ms ?? Infinity).sort((a, b) => a - b);
	const at = q => all[Math.floor(all.length * q)].toFixed(1);
	return `${all.length} said  p50 ${at(0.5)}  p90 ${at(0.9)}  p99 ${at(0.99)}`;
}

async function
flooded(port)
{
	const child = spawn(process.execPath, [flooder, port, RATE, SECONDS,
	    '127.0.0.2', '{"sk":"wrong","data":{"to_uid":"1"}}'],
	    { stdio: ['ignore', 'pipe', 'inherit'] });
	let out = '', over = false;
	child.stdout.on('data', d => { out += d; });
	child.on('exit', () => { over = true; });
	const before = await metrics();
	const line = await chat(() => over);
	const after = await metrics(), k = n => after[n] - before[n];
	const t = out ? JSON.parse(out) : { sent: 0, seconds: SECONDS };
	return `${line}  thrown ${Math.round(t.sent / t.seconds)}/s received ` +
	    `${Math.round(k('received') / t.seconds)}/s answered ` +
	    `${Math.round((k('refused') - k('silent')) / t.seconds)}/s`;
}

const sink = await nobody();
try {
	for (let i = 0; i < ROUNDS; i++) {
		const end = Date.now() + SECONDS * 1000;
		console.log('calm     ', await chat(() => Date.now() > end));
		console.log('elsewhere', await flooded(sink.port));
		console.log('flood    ', await flooded(m.ports.UDP));
	}
} finally {
	sink.child.kill('SIGKILL');
	for (const p of people)
		p.ws.terminate();
	await c.stop();
}
