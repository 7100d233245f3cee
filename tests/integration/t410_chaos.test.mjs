/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Faults drawn at random, one after the other, under a chat in several rooms
 * on three msg_servers, three proxies and a directory.  CHAOS_S seconds (15)
 * with seed CHAOS_SEED (the time); a seed draws the same faults again.
 */
import { test } from 'node:test';
import { sleep } from '../lib/cluster.mjs';
import { underFire } from '../lib/fire.mjs';

const seconds = Number(process.env.CHAOS_S ?? 15);
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1e9);

function
dice(x)
{
	return n => {
		x = Math.imul(x ^ x >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
		x = Math.imul(x ^ x >>> 12, 0x297a2d39);
		return (x >>> 0) % n;
	};
}

test(`${seconds} s of faults, seed ${seed}`, async t => {
	const roll = dice(seed);
	await underFire({ msgs: 3, proxies: 3, people: 24, rooms: 4, pace: 60 },
	    async (c, chat) => {
		const doneBy = Date.now() + seconds * 1000;
		const count = {};
		while (Date.now() < doneBy) {
			const what = ['msg', 'proxy', 'active', 'config', 'stop msg',
			    'stop standby', 'both proxies', 'stop config'][roll(8)];
			count[what] = (count[what] ?? 0) + 1;
			const m = c.msgs[roll(c.msgs.length)];
			const p = c.proxies[roll(c.proxies.length)];
			const nap = roll(800);
			const again = async d => {
				await d.kill();
				/* the scene: gone for a while */
				await sleep(nap);
				await d.start();
			};
			const freeze = async d => {
				d.signal('SIGSTOP');
				/* the scene: stopped for a while */
				await sleep(nap);
				d.signal('SIGCONT');
			};
			if (what === 'msg')
				await again(m);
			else if (what === 'proxy')
				await again(p);
			else if (what === 'active')
				await again(await c.active());
			else if (what === 'config')
				await again(c.config);
			else if (what === 'stop msg')
				await freeze(m);
			else if (what === 'stop standby')
				await freeze(p);
			else if (what === 'stop config')
				await freeze(c.config);
			else
				await Promise.all(c.proxies.slice(0, 2).map(again));
			await chat.acked(20, 15000);
		}
		t.diagnostic(`${JSON.stringify(count)}, ${chat.h.acked.size} acks, ` +
		    `${chat.h.resumes.length} resumes`);
	});
});
