/* SPDX-License-Identifier: MIT */
/*
 * A fault run: people talk, things break, the judge reads what all wrote down.
 *
 *	node run.mjs --seed N --faults N --clients N --rate R [--kinds a,b]
 *	    [--power] [--sync full|normal|off] [--tmpfs MIB] [--keep DIR]
 *	    [--json FILE]
 *
 * CCHAT_BUILD names the build directory.  The same seed gives the same people,
 * the same plan and the same targets; what the kernel makes of it differs.
 * Exit code 1: a promise was broken; the records are kept then.
 */
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync }
    from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sleep, until } from '../lib/cluster.mjs';
import { Crowd } from './crowd.mjs';
import { FAULTS, plan } from './faults.mjs';
import { WRONG, judge } from './judge.mjs';
import { Rng } from './rng.mjs';
import { Site } from './site.mjs';

const now = () => performance.now();
const GRACE = 15000;
const STUCK_MS = 30000;

class Run {
	constructor(o)
	{
		this.o = o;
		this.records = [];
		this.recovery = new Map();	/* kind -> [ms] */
		this.times = [];	/* {t, name} of the faults */
		this.wrong = [];
		this.dir = o.keep ?? mkdtempSync(join(tmpdir(), 'cchat-fault-'));
		mkdirSync(this.dir, { recursive: true });
		this.file = createWriteStream(join(this.dir, 'records.jsonl'));
		this.lines = [];
	}

	say(s)
	{
		if (this.o.print)
			this.o.print(s);
		else
			process.stdout.write(`${s}\n`);
	}

	rec(r)
	{
		this.records.push(r);
		this.lines.push(JSON.stringify(r));
		if (this.lines.length >= 1000)
			this.flush();
	}

	flush()
	{
		if (this.lines.length)
			this.file.write(`${this.lines.join('\n')}\n`);
		this.lines = [];
	}

	note(r)
	{
		r.t = now();
		this.rec(r);
	}

	/* --- the people ------------------------------------------------------- */

	makePeople()
	{
		const { o } = this;
		const nRooms = Math.max(2, Math.ceil(o.clients / 6));
		this.crowd = new Crowd({ seed: o.seed, clients: o.clients,
		    rate: o.rate, uid: c => `${10000 + c}`,
		    changes: o.changes, titles: true,
		    rooms: Array.from({ length: nRooms }, (_, i) => `${i + 1}`) },
		    { rec: r => this.rec(r), urls: () => this.site.urls() });
		this.people = this.crowd.people;
		/* some come later, some go away for a while */
		this.late = this.people.filter((_, i) => i % 7 === 3);
		this.gadabouts = this.people.filter((_, i) => i % 10 === 4 ||
		    i === 11);
	}

	/* --- faults ------------------------------------------------------------ */

	/* fresh messages of some people; resolves to ms until all are acked */
	async probe(rng, begun = now())
	{
		const some = rng.shuffle(this.people.filter(p => p.v === 2 &&
		    !p.away && !p.slow && p.ready)).slice(0, 4);
		let timer;
		const stuck = new Promise(r => {
			timer = setTimeout(r, STUCK_MS, 'stuck');
		});
		const r = await Promise.race([stuck, Promise.all(some.map(p =>
		    p.say({ rid: p.rng.pick(p.rooms) })))]);
		clearTimeout(timer);
		if (r === 'stuck')
			this.fault('stuck', `no ack within ${STUCK_MS} ms`);
		return now() - begun;
	}

	fault(what, why)
	{
		this.wrong.push({ what, why, t: now() });
		this.say(`  ${what}: ${why}`);
	}

	async suffer(kinds, i)
	{
		const rng = new Rng(this.o.seed, `fault ${i}`);
		const list = kinds.map(k => ({ k, f: FAULTS[k] }));
		for (const x of list) {
			x.at = await x.f.aim(this.site, rng, this.people);
			x.ms = x.f.hold(rng);
		}
		const ms = Math.max(...list.map(x => x.ms));
		const self = list.every(x => x.f.from === 'hit');
		this.note({ k: 'fault', i, kinds, at: list.map(x => x.at.name) });
		const t0 = now();
		this.site.all.forEach(d => { d.mayExit = new Set(); });
		for (const x of list)
			if (x.f.exits !== undefined)
				(x.at.d ?? x.at).mayExit.add(x.f.exits);
		const hits = await Promise.all(list.map(x => x.f.hit(this.site, x.at,
		    rng)));
		/* what takes long to happen says itself when it had */
		const begun = Math.max(...hits.map(x => typeof x === 'number' ? x :
		    t0));
		const early = self ? this.probe(rng, begun) : null;
		await sleep(ms);
		for (const x of list)
			await x.f.heal(this.site, x.at);
		await this.site.ensureUp();
		const healed = now() - t0;
		const took = await (early ?? this.probe(rng));
		this.note({ k: 'healed', i, ms: Math.round(took) });
		const name = kinds.length > 1 ? 'two at once' : kinds[0];
		if (!this.recovery.has(name))
			this.recovery.set(name, []);
		this.recovery.get(name).push(took);
		this.times.push({ t: t0, name });
		const loss = list.map(x => x.at.loss).find(Boolean);
		this.say(`${String(i + 1).padStart(4)} ${kinds.join(' + ').padEnd(28)}` +
		    ` ${list.map(x => x.at.name + (x.at.peer && x.at.peer !== '*' ?
		    `-${x.at.peer}` : '')).join(', ').padEnd(18)}` +
		    ` lasted ${String(Math.round(healed)).padStart(5)} ms, sends ` +
		    `work ${String(Math.round(took)).padStart(5)} ms after the ` +
		    `${self ? 'hit' : 'end'}` +
		    (loss ? ` (${loss.writes - loss.kept} of ${loss.writes} writes ` +
		    'lost)' : ''));
		/* the standby stands by again, and people talk in peace */
		await this.site.whole();
		await sleep(rng.int(50, 250));
	}

	/* --- the end ------------------------------------------------------------ */

	async quiet()
	{
		this.crowd.hush();
		this.site.heal();
		await this.site.ensureUp();
		await this.site.whole();
		for (const p of this.people) {
			p.slowly(false);
			p.comeBack();
		}
		for (const why of (await this.crowd.settled(30000)).slice(0, 5))
			this.fault('stuck', why);
		for (const why of (await this.crowd.lastRound(15000)).slice(0, 5))
			this.fault('stuck', why);
	}

	async go()
	{
		const o = this.o;
		this.note({ k: 'meta', sync: o.sync, grace: GRACE, seed: o.seed });
		this.site = await Site.open({ msgs: o.msgs, proxies: 2, sync: o.sync,
		    tmpfs: o.tmpfs });
		const t0 = now();
		try {
			const kinds = this.kinds();
			this.makePeople();
			for (const p of this.people)
				if (!this.late.includes(p))
					p.connect();
			await until('people are in', () => this.people.every(p =>
			    p.ready || this.late.includes(p)), 20000);
			this.crowd.talk();
			await sleep(500);
			const rng = new Rng(o.seed, 'plan');
			const list = plan(rng, o.faults, kinds);
			for (const [i, k] of list.entries()) {
				this.society(i, list.length);
				await this.suffer(k, i);
			}
			this.talked = now() - t0;
			await this.quiet();
			await this.crowd.readLogs((what, why) => this.fault(what, why));
			this.note({ k: 'end' });
		} catch (e) {
			this.fault('run', e.stack);
		} finally {
			this.crowd?.stop();
			this.wrong.push(...this.site.crashes.map(why => ({ what: 'crash',
			    why, t: 0 })));
			await this.site.stop({ check: false, keep: true });
			this.wrong.push(...this.site.alarms().map(why => ({ what: 'alarm',
			    why, t: 0 })));
			this.flush();
			await new Promise(r => this.file.end(r));
			if (this.wrong.length)
				for (const d of this.site.all)
					writeFileSync(join(this.dir, `${d.name}.log`), d.log);
			await this.site.close();
		}
		return this.verdict(now() - t0);
	}

	kinds()
	{
		const { o } = this;
		let list = o.kinds ?? (o.power ? ['power-loss'] : Object.keys(FAULTS));
		for (const k of list)
			if (!FAULTS[k])
				throw new Error(`no fault ${k}; there are ` +
				    Object.keys(FAULTS).join(' '));
		if (!this.site.shim) {
			this.say('no shim.so: faults of disk, clock and power are left out');
			list = list.filter(k => !FAULTS[k].shim);
		}
		return list;
	}

	/* comings and goings between the faults */
	society(i, n)
	{
		this.late.forEach((p, k) => {
			if (!p.line && !p.away &&
			    i >= (k + 1) * n / (this.late.length + 1) && !p.came) {
				p.came = true;
				p.connect();
			}
		});
		if (this.o.faults < 50)
			return;
		this.gadabouts.forEach((p, k) => {
			if ((i + k * 5) % 30 === 10 && !p.slow)
				p.leave();
			if ((i + k * 5) % 30 === 25 && p.away)
				p.comeBack();
		});
	}

	/* times without a socket that began in a fault of that name */
	outsOf(name)
	{
		return this.crowd.outs.filter(o => this.times
		    .filter(x => x.t <= o.at).pop()?.name === name).map(o => o.ms);
	}

	async verdict(ms)
	{
		const t0 = now();
		const v = judge(this.records);
		/* a run that broke off has no logs to be judged by */
		if (!this.wrong.some(w => w.what === 'run'))
			this.wrong.push(...v.wrong);
		const q = (a, p) => a.length ? Math.round(a[Math.min(a.length - 1,
		    Math.floor(a.length * p))]) : 0;
		const table = [];
		this.say(`\n${'sends work again after'.padEnd(24)}   n    p50    p95 ` +
		    '   max   ms without a socket, at most');
		for (const [k, a] of [...this.recovery].sort()) {
			a.sort((x, y) => x - y);
			const outs = this.outsOf(k).sort((x, y) => x - y);
			table.push({ kind: k, n: a.length, p50: q(a, 0.5), p95: q(a, 0.95),
			    max: q(a, 1), out: q(outs, 1) });
			this.say(`${k.padEnd(24)} ${String(a.length).padStart(3)} ` +
			    [0.5, 0.95, 1].map(p => String(q(a, p)).padStart(6)).join(' ') +
			    (outs.length ? String(q(outs, 1)).padStart(9) : ''));
		}
		const ackMs = this.crowd?.ackMs ?? [];
		ackMs.sort((x, y) => x - y);
		this.say(`\nseed ${this.o.seed}: ${this.o.faults} faults in ` +
		    `${Math.round((this.talked ?? ms) / 1000)} s (${Math.round(ms / 1000)} s in ` +
		    `all), ${this.o.clients} clients, ${v.n.sessions} sessions`);
		this.say(`${v.n.sent} sent (${v.n.changes} of them changes), ` +
		    `${v.n.acked} acked (p50 ` +
		    `${q(ackMs, 0.5)} p95 ${q(ackMs, 0.95)} max ` +
		    `${q(ackMs, 1)} ms), ${this.crowd?.refusals ?? 0} refused for a while, ` +
		    `${this.records.filter(r => r.k === 'recv').length} received, ` +
		    `${v.n.eps} ep (${v.n.fell} acked fell with an old one); judged in ${Math.round(now() - t0)} ms`);
		for (const w of this.wrong.slice(0, 30))
			this.say(`WRONG ${w.what}: ${w.why}`);
		const counts = { ...v.count };
		for (const w of this.wrong)
			if (!WRONG[w.what])
				counts[w.what] = (counts[w.what] ?? 0) + 1;
		const clean = !this.wrong.length;
		if (clean && !this.o.keep)
			rmSync(this.dir, { recursive: true, force: true });
		this.say(clean ? 'verdict: clean' : `verdict: BROKEN ` +
		    `${JSON.stringify(counts)}; records in ${this.dir}, again with ` +
		    `--seed ${this.o.seed}`);
		return { clean, wrong: this.wrong, counts, table, acked: v.n.acked,
		    sent: v.n.sent, changes: v.n.changes, eps: v.n.eps, fell: v.n.fell, seed: this.o.seed, dir: this.dir };
	}
}

export const run = o => new Run({ seed: 1, faults: 20, clients: 18, rate: 100,
    changes: 0.15, msgs: 2, sync: 'full', ...o }).go();

async function
main()
{
	const { values: a } = parseArgs({ options: {
		seed: { type: 'string', default: '1' },
		faults: { type: 'string', default: '20' },
		clients: { type: 'string', default: '18' },
		rate: { type: 'string', default: '100' },
		changes: { type: 'string', default: '0.15' },
		msgs: { type: 'string', default: '2' },
		kinds: { type: 'string' },
		power: { type: 'boolean' },
		sync: { type: 'string', default: 'full' },
		tmpfs: { type: 'string' },
		keep: { type: 'string' },
		json: { type: 'string' },
	} });
	const r = await run({ seed: Number(a.seed), faults: Number(a.faults),
	    clients: Number(a.clients), rate: Number(a.rate), msgs: Number(a.msgs),
	    changes: Number(a.changes), kinds: a.kinds?.split(','), power: a.power, sync: a.sync,
	    tmpfs: a.tmpfs && Number(a.tmpfs), keep: a.keep });
	if (a.json)
		writeFileSync(a.json, `${JSON.stringify({ ...r,
		    wrong: r.wrong.slice(0, 50) }, null, 1)}\n`);
	process.exit(r.clean ? 0 : 1);
}

if (process.argv[1] === new URL(import.meta.url).pathname)
	main().catch(e => {
		process.stderr.write(`${e.stack}\n`);
		process.exit(1);
	});
