#!/usr/bin/env node
/* SPDX-License-Identifier: MIT */
/*
 * The command: judges a WebSocket server.  See usage() below; the cases are
 * in cases/, what they may use in suite.mjs.
 */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PATIENCE, Peer, patience } from './peer.mjs';
import { Fail, T, cases } from './suite.mjs';
import './cases/frames.mjs';
import './cases/messages.mjs';
import './cases/text.mjs';
import './cases/limits.mjs';
import './cases/http.mjs';
import './cases/chat.mjs';

const usage = `usage: run.mjs --url ws://HOST:PORT/PATH [options]
  --mode chat|echo  chat: a text is a message and a second member must get it
                    echo: every message comes back (default)
  --group 5,H.2     only cases whose number starts so
  --slow            also what takes over 5 s (time limits)
  --full            also messages of more than 1 MiB
  --max-msg N       the server's limit (chat 65536, echo 16777216)
  --max-frags N     fragments a message may have (64)
  --rounds N        round trips of 9.7 and 9.8 (chat: 18, echo: 200)
  --jobs N          cases at once (8)
  --pid N           watch the memory of this process under floods
  --patience MS     for each answer (3000)
  --quiet           name failures only
  --tap             print TAP
`;

export function
options(argv)
{
	const o = { mode: 'echo', group: [], jobs: 8, maxFrags: 64 };
	const names = { '--url': 'url', '--mode': 'mode', '--max-msg': 'maxMsg',
	    '--max-frags': 'maxFrags', '--rounds': 'rounds', '--jobs': 'jobs',
	    '--pid': 'pid', '--group': 'group', '--patience': 'patience' };
	for (let i = 0; i < argv.length; i++) {
		const a = argv[i], name = names[a];
		if (name && i + 1 < argv.length)
			o[name] = argv[++i];
		else if (['--slow', '--full', '--quiet', '--tap'].includes(a))
			o[a.slice(2)] = true;
		else
			throw new Error(`what is ${a}?`);
	}
	if (!o.url || !['chat', 'echo'].includes(o.mode))
		throw new Error('no --url, or a --mode that is neither');
	return o;
}

/*
 * Runs the cases o asks for; report(case, error or null) is called as each
 * ends.  Resolves to {passed, failed: [{id, title, why}], gone}.
 */
export async function
run(o, report = () => {})
{
	const u = new URL(o.url);
	const chat = o.mode === 'chat';
	const groups = [].concat(o.group ?? []).flatMap(g => g.split(','));
	const opt = { mode: o.mode, target: { host: u.hostname,
	    port: Number(u.port), path: u.pathname + u.search },
	    maxMsg: Number(o.maxMsg ?? (chat ? 65536 : 16777216)),
	    maxFrags: Number(o.maxFrags ?? 64),
	    rounds: Number(o.rounds ?? (chat ? 18 : 200)), pid: o.pid };
	const wanted = cases.filter(c => (!c.mode || c.mode === o.mode) &&
	    (!c.slow || o.slow) && (!c.full || o.full) &&
	    (!groups.length || groups.some(g => c.id === g ||
	    c.id.startsWith(`${g}.`))));
	const result = { passed: 0, failed: [], gone: false };
	patience(Number(o.patience ?? 3000));

	async function
	one(c)
	{
		const t = new T(opt);
		let why = null;
		try {
			await deadline((async () => {
				if (!c.bare)
					await t.start();
				await c.run(t);
			})(), Math.max(c.limit ?? 15000, 4 * PATIENCE));
		} catch (e) {
			why = e.message;
			if (!(e instanceof Fail) && o.trace)
				why = e.stack;
		}
		t.end();
		/* Whatever the case did, the next client is served. */
		try {
			const p = await Peer.open(opt.target);
			await p.handshake(opt.target);
			p.bye();
		} catch (e) {
			why = `${why ? why + '; ' : ''}then the server is dead: ` +
			    e.message;
			result.gone = /ECONNREFUSED/.test(e.message);
		}
		if (why)
			result.failed.push({ id: c.id, title: c.title, why });
		else
			result.passed++;
		report(c, why);
	}

	const queue = wanted.filter(c => !c.alone);
	await Promise.all(Array.from({ length: Number(o.jobs ?? 8) }, async () => {
		while (queue.length && !result.gone && !(o.first &&
		    result.failed.length))
			await one(queue.shift());
	}));
	for (const c of wanted.filter(x => x.alone))
		if (!result.gone && !(o.first && result.failed.length))
			await one(c);
	return result;
}

function
deadline(promise, ms)
{
	let timer;
	return Promise.race([promise, new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Fail('the case took too long')),
		    ms);
	})]).finally(() => clearTimeout(timer));
}

async function
main()
{
	let o;
	try {
		o = options(process.argv.slice(2));
	} catch (e) {
		process.stderr.write(`run.mjs: ${e.message}\n${usage}`);
		return 2;
	}
	let n = 0;
	const r = await run(o, (c, why) => {
		n++;
		if (o.tap)
			console.log(`${why ? 'not ' : ''}ok ${n} - ${c.id} ${c.title}` +
			    (why ? ` (${why})` : ''));
		else if (why || !o.quiet)
			console.log(`${why ? 'FAIL' : 'pass'}  ${c.id.padEnd(9)} ` +
			    `${c.title}${why ? `\n      ${why}` : ''}`);
	});
	if (o.tap)
		console.log(`1..${n}`);
	console.log(`${o.tap ? '# ' : ''}${r.passed} passed, ` +
	    `${r.failed.length} failed`);
	if (r.gone)
		console.log('# the server is gone');
	return r.failed.length || r.gone ? 1 : 0;
}

if (process.argv[1] &&
    realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
	process.exit(await main());
