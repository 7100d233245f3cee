/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Presence, exact: people of both versions come, go, vanish and change rooms by
 * a seed, on servers that are killed meanwhile, with proxies that are killed
 * and ended meanwhile.  Watchers keep a list from what they are told alone (and
 * ask for it where a page would: when they enter, and where `more` says so).
 * When all is quiet each list must be the room.
 *
 *	FLAP_SEED=7 FLAP_SECONDS=60 FLAP_CLIENTS=100
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { Cluster, sleep, until } from '../lib/cluster.mjs';
import { Rng } from '../fault/rng.mjs';

const seed = Number(process.env.FLAP_SEED ?? 1);
const seconds = Number(process.env.FLAP_SECONDS ?? 12);
const N = Number(process.env.FLAP_CLIENTS ?? 60);
const GRACE = 1000;
let c;
before(async () => {
	c = await Cluster.start({ msgs: 3, proxies: 2, conf: {
	    proxy_server: { presence_grace: GRACE } } });
});
after(() => c?.stop());

/* at most 200 are there, one page of it */
const online = async (x, rid) => {
	const a = await x.cmd({ cmd: 'getOnline', rid, limit: 200 });
	assert.equal(a.count, a.users.length);
	return { users: new Set(a.users.map(u => u.uid)), at: x.seen.indexOf(a) };
};

/* what a page knows of a room */
class Watcher {
	constructor(name, server, rid)
	{
		Object.assign(this, { name, server, rid, view: null, told: [] });
		this.uid = `77${name.length}${name.charCodeAt(0)}${server().name
		    .slice(2)}${rid}`;
	}

	async enter()
	{
		this.x = null;
		while (!this.over) {
			try {
				this.view = null;
				this.x = await Client.login(this.server().ws, this.name,
				    this.rid, { uid: this.uid, ms: 4000 });
				this.at = 0;
				await this.ask();
				break;
			} catch {	/* its server is down */
				await sleep(100);	/* tries again */
			}
		}
		this.x?.gone.then(() => this.over || this.enter());
	}

	async ask()
	{
		const { users, at } = await online(this.x, this.rid);
		this.at = at + 1;
		this.view = users;
	}

	/* what it was told since; true: not of all */
	read()
	{
		let more = false;
		for (; this.at < this.x.seen.length; this.at++) {
			const f = this.x.seen[this.at];
			if (f.rid !== this.rid)
				continue;
			if (f.cmd === 'newUser')
				this.put(f.uid, true);
			else if (f.cmd === 'offline')
				this.put(f.uid, false);
			else if (f.cmd === 'presence') {
				f.in?.forEach(u => this.put(u.uid, true));
				f.out?.forEach(u => this.put(u, false));
				more ||= f.more === true;
			}
		}
		return more;
	}

	put(uid, is)
	{
		this.told.push(`${is ? '+' : '-'}${uid}`);
		if (is)
			this.view.add(uid);
		else
			this.view.delete(uid);
	}

	async turn()
	{
		if (this.x && !this.x.closed && this.view && this.read())
			await this.ask().catch(() => {});
	}
}

class Flapper {
	constructor(i)
	{
		this.i = i;
		this.uid = `${50000 + i}`;
		this.v = i % 4 === 3 ? 1 : 2;
		this.rng = new Rng(seed, `flapper ${i}`);
		this.n = 0;
	}

	get in()
	{
		return this.x && !this.x.closed;
	}

	async run(end)
	{
		while (Date.now() < end) {
			await this.step().catch(() => { this.x?.drop(); this.x = null; });
			/* short of the grace, about it, and longer */
			await sleep(this.rng.pick([20, 100, 400, 900, 1100, 1500, 2500]));
		}
	}

	async step()
	{
		const { rng } = this;
		if (!this.in) {
			const up = c.msgs.filter(m => m.running);
			this.x = await Client.login(rng.pick(up).ws, `f${this.i}`, 'big',
			    { uid: this.uid, v: this.v, ms: 3000 });
			if (this.v === 2 && this.i % 2 === 0)
				await this.x.cmd({ cmd: 'join', rid: 'small' });
			this.n++;
			return;
		}
		const what = rng.int(0, 9);
		if (what < 4) {
			this.x.drop();
		} else if (what < 7) {
			this.x.send({ cmd: 'bye' });
			await this.x.gone;
		} else if (this.v === 2 && what < 9 && this.i % 2 === 0) {
			await this.x.cmd({ cmd: 'leave', rid: 'small' });
			await sleep(rng.pick([0, 30, 600]));	/* the pace */
			await this.x.cmd({ cmd: 'join', rid: 'small' });
		}
	}
}

/* nothing is done to it before the one before has healed */
const whole = () => until('the cluster is whole', async () => {
	for (const d of [...c.proxies, ...c.msgs]) {
		const r = await d.fetch('/readyz');
		if (r.status !== 200)
			throw new Error(`${d.name}: ${r.body.trim()}`);
	}
	return true;
}, 15000);

test('every list is the room, whatever came and went', async t => {
	const rng = new Rng(seed, 'faults');
	const watchers = [];
	for (const m of c.msgs)
		for (const rid of ['big', 'small'])
			watchers.push(new Watcher(`w-${rid}`, () => m, rid));
	await Promise.all(watchers.map(w => w.enter()));
	const end = Date.now() + seconds * 1000;
	const people = Array.from({ length: N }, (_, i) => new Flapper(i));
	const faults = [];
	const turns = setInterval(() => watchers.forEach(w => w.turn()), 50);
	t.after(() => clearInterval(turns));
	const runs = people.map(p => p.run(end));
	await sleep(1500);	/* some are in */
	while (Date.now() < end - 2500) {
		const what = rng.pick(['kill-msg', 'kill-active', 'term-active',
			'term-standby', 'kill-standby', 'term-msg']);
		const active = await c.active();
		const d = /msg/.test(what) ? rng.pick(c.msgs.slice(1)) :
		    /active/.test(what) ? active :
		    c.proxies.find(p => p !== active);
		if (process.env.FLAP_TALK)
			console.error(Date.now() % 100000, what, d.name);
		faults.push(`${what} ${d.name}`);
		d.killed = true;
		d.signal(/kill/.test(what) ? 'SIGKILL' : 'SIGTERM');
		await d.exit;
		await sleep(rng.pick([0, 0, 500, 1500]));	/* it is down */
		await d.start();
		await whole();
		await sleep(rng.pick([0, 100, 1000, 2000]));	/* the pace */
	}
	await Promise.all(runs);
	await whole();
	/* all graces, held ones too, and a batch */
	const wrong = [];
	const look = async () => {
		wrong.length = 0;
		for (const w of watchers) {
			await w.turn();
			const { users: really } = await online(w.x, w.rid);
			const should = new Set(people.filter(p => p.in && (w.rid ===
			    'big' || p.v === 2 && p.i % 2 === 0)).map(p => p.uid));
			for (const o of watchers)
				if (o.rid === w.rid)
					should.add(o.uid);
			const diff = (a, b) => [...a].filter(u => !b.has(u));
			for (const [what, list] of [['told, not there',
				diff(w.view, really)], ['there, not told',
				diff(really, w.view)], ['listed, not there',
				diff(really, should)], ['there, not listed',
				diff(should, really)]])
				if (list.length)
					wrong.push(`${w.server().name} ${w.rid}: ${what}: ` +
					    list.map(u => `${u} (${w.told.filter(x =>
					    x.slice(1) === u).slice(-6).join(' ')})`));
		}
		return !wrong.length;
	};
	const t0 = performance.now();
	await until('all lists are right', look, GRACE + 15000).catch(() => {});
	t.diagnostic(`seed ${seed}: ${people.reduce((n, p) => n + p.n, 0)} ` +
	    `logins; ${faults.join(', ')}; right after ` +
	    `${(performance.now() - t0).toFixed(0)} ms`);
	for (const w of watchers)
		w.over = true;
	clearInterval(turns);
	assert.deepEqual(wrong, []);
	for (const p of [...people, ...watchers])
		p.x?.drop();
});
