/* SPDX-License-Identifier: MIT */
/*
 * What can happen.  aim() says to whom, before anything happens; hit() does
 * it; heal() ends it.  `from`: when the clock of the recovery starts: with the
 * hit, where the cluster must help itself, or with the end of what lasts.
 */
import { sleep, until } from '../lib/cluster.mjs';
import { ERRNO } from './shim.mjs';

const hold = (lo, hi) => rng => rng.int(lo, hi);
const proxies = s => s.proxies;
const standby = async s => {
	const a = await s.active();
	return s.proxies.find(p => p !== a) ?? a;
};

const aims = {
	active: s => s.active(),
	standby,
	msg: (s, rng) => rng.pick(s.msgs),
	config: s => s.config,
	any: (s, rng) => rng.pick(s.all),
};

const kills = role => ({
	aim: aims[role], from: 'hit', hold: hold(0, 600),
	hit: async (s, d) => {
		await d.kill();
		return performance.now();
	},
	heal: async (s, d) => d.running || d.start(),
});

const stops = (role, lo, hi, from) => ({
	aim: aims[role], from, hold: hold(lo, hi),
	hit: (s, d) => {
		d.killed = true;
		d.signal('SIGSTOP');
	},
	heal: (s, d) => d.signal('SIGCONT'),
});

/*
 * It ends by itself, in order, and nobody is worse off.  `proc`: the process
 * that was told; another fault may have killed it, and started the next.
 */
const ENDS_MS = 40000;
const ended = async (s, d, proc) => {
	if (d.proc !== proc)
		return;
	d.signal('SIGCONT');
	await until(`${d.name} ends`, () => !d.running || d.proc !== proc,
	    ENDS_MS).catch(e => {
		s.crashes.push(`${e.message}\n${d.log.slice(-2000)}`);
		return d.kill();
	});
};
const terms = role => ({
	aim: aims[role], from: 'hit', hold: hold(0, 600), exits: 0,
	hit: (s, d) => {
		d.told = d.proc;
		d.signal('SIGTERM');
		return performance.now();
	},
	heal: async (s, d) => {
		await ended(s, d, d.told);
		if (!d.running)
			await d.start();
	},
});

/* a fault of the wire in front of a server, for all or for one peer of it */
const wires = (role, from, h, hit) => ({
	aim: async (s, rng) => {
		const d = await aims[role](s, rng);
		return { name: d.name, n: rng.next(), peer: role === 'active' &&
		    rng.chance(0.5) ? rng.pick(s.msgs).name : '*' };
	},
	from, hold: h, hit: (s, d) => hit(s.wire(d), d.peer, d.n),
	heal: (s, d) => s.wire(d).heal(),
});

/* exits: the process is to end by itself, with that code */
const shims = (h, from, hit, exits) => ({
	shim: true, aim: aims.active, from, hold: h, exits,
	hit: (s, d, rng) => hit(s.control(d), rng),
	heal: (s, d) => s.control(d).heal(),
});

const dies = where => ({
	shim: true, aim: aims.active, from: 'hit', hold: hold(0, 500),
	/* somewhere in the next commits */
	hit: async (s, d, rng) => {
		s.control(d).die(where, rng.int(1, 12));
		await Promise.race([d.exit, sleep(3000)]);
		return performance.now();
	},
	heal: (s, d) => s.control(d).heal(),
});

export const FAULTS = {
	'kill-active': kills('active'),
	'kill-standby': kills('standby'),
	'kill-msg': kills('msg'),
	'kill-config': kills('config'),
	'term-active': terms('active'),
	'term-standby': terms('standby'),
	'term-msg': terms('msg'),
	'term-config': terms('config'),
	/* by a job of the config_server; some are thought better of */
	'drain-msg': {
		aim: (s, rng) => {
			const d = rng.pick(s.msgs);
			return { name: d.name, d, abort: rng.chance(0.4) };
		},
		from: 'hit', hold: hold(200, 2000), exits: 0,
		hit: async (s, a, rng) => {
			const t = performance.now();
			a.proc = a.d.proc;
			a.begun = await s.drain(a.d, 'POST', { rate: rng.int(6, 40),
			    within: '6s' });
			return t;
		},
		heal: async (s, a) => {
			/* one that hangs may take it when it goes on: not then */
			if (a.begun === null && s.config.running) {
				s.config.signal('SIGCONT');
				await until('a word on the drain', async () =>
				    await s.drain(a.d, 'DELETE') !== null)
				    .catch(() => {});
			}
			if (a.abort && a.begun && await s.drain(a.d, 'DELETE'))
				return;
			if (a.begun)
				await ended(s, a.d, a.proc);
			if (!a.d.running)
				await a.d.start();
		},
	},
	'hang-active': stops('active', 4500, 5000, 'hit'),
	'stop-standby': stops('standby', 500, 3000, 'hit'),
	'stop-msg': stops('msg', 500, 3500, 'heal'),
	'stop-config': stops('config', 500, 3000, 'hit'),
	'link-reset': wires('active', 'hit', hold(0, 100), (w, peer) =>
	    w.reset(peer)),
	'link-hole': wires('active', 'heal', hold(300, 2500), (w, peer) =>
	    w.hole(peer, true)),
	'link-delay': wires('active', 'heal', hold(800, 1500), (w, peer, n) =>
	    w.delay(20 + n * 400)),
	'link-corrupt': wires('active', 'hit', hold(300, 800), w =>
	    w.corrupt(3)),
	'config-hole': wires('config', 'hit', hold(500, 2000), w =>
	    w.hole('*', true)),
	'client-reset': wires('msg', 'hit', hold(0, 100), w => w.reset()),
	'client-hole': wires('msg', 'heal', hold(300, 3000), w =>
	    w.hole('*', true)),
	'client-delay': wires('msg', 'heal', hold(800, 1500), (w, peer, n) =>
	    w.delay(20 + n * 300)),
	'disk-full': {
		shim: true, aim: aims.active, from: 'heal', hold: hold(300, 2000),
		hit: (s, d) => s.small ? s.fill(true) :
		    s.control(d).failWrites(ERRNO.ENOSPC),
		heal: (s, d) => s.small ? s.fill(false) : s.control(d).heal(),
	},
	'write-fail': shims(hold(50, 300), 'heal', (c, rng) =>
	    c.failWrites(ERRNO.EIO, rng.int(1, 4))),
	'fsync-fail': shims(hold(300, 800), 'hit', c =>
	    c.failSyncs(ERRNO.EIO, 1), 1),
	'die-write': dies('write'),
	'die-fsync': dies('sync'),
	'die-fsynced': dies('synced'),
	'clock-jump': {
		shim: true, aim: (s, rng) => {
			const one = rng.pick(s.all), all = rng.chance(0.3);
			return { name: all ? 'all' : one.name,
			    all: all ? s.all : [one],
			    jump: rng.pick([1e3, 36e5, 864e5]) * rng.pick([-1, 1]) };
		},
		from: 'hit', hold: hold(500, 1500),
		hit: (s, d) => d.all.forEach(x =>
		    s.control(x).clock(d.jump)),
		heal: (s, d) => d.all.forEach(x =>
		    s.control(x).clock(0)),
	},
	'power-loss': {
		shim: true, alone: true, aim: s => ({ name: 'the log\'s machine',
		    all: proxies(s) }), from: 'hit', hold: hold(0, 0),
		hit: async (s, d, rng) => {
			/* at any moment of a commit, or of a checkpoint */
			const a = await s.active();
			if (rng.chance(0.8)) {
				s.control(a).die(rng.pick(['write', 'write', 'sync',
				    'synced']), rng.int(1, 40));
				await until('it dies', () => !a.running, 1500)
				    .catch(() => {});
			}
			await Promise.all(d.all.map(p => p.kill()));
			const t = performance.now();
			d.loss = s.disk.powerLoss(rng);
			d.all.forEach(p => s.control(p).heal());
			await Promise.all(d.all.map(p => p.start()));
			return t;
		},
		heal: () => {},
	},
	'slow-readers': {
		aim: (s, rng, people) => ({ name: 'some', some:
		    rng.shuffle(people).slice(0, people.length / 3) }),
		from: 'heal', hold: hold(500, 3000),
		hit: (s, d) => d.some.forEach(p => p.slowly(true)),
		heal: (s, d) => d.some.forEach(p => p.slowly(false)),
	},
	'vanishing': {
		aim: (s, rng, people) => ({ name: 'some', some:
		    rng.shuffle(people).slice(0, people.length / 2) }),
		from: 'hit', hold: hold(0, 100),
		hit: (s, d) => d.some.forEach(p => p.vanish()),
		heal: () => {},
	},
};

/*
 * The plan of a run, from its seed: every kind in turn, shuffled, and every
 * fourth time two at once.
 */
export function
plan(rng, n, kinds)
{
	const singles = kinds.filter(k => !FAULTS[k].alone);
	const out = [];
	let bag = [];
	while (out.length < n) {
		if (!bag.length)
			bag = rng.shuffle(kinds);
		const one = bag.pop();
		if (out.length % 4 === 3 && singles.length > 1 &&
		    !FAULTS[one].alone)
			out.push([one, rng.pick(singles.filter(k => k !== one))]);
		else
			out.push([one]);
	}
	return out;
}
