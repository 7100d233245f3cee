/* SPDX-License-Identifier: MIT */
/* needs: node modules */
/* The judge of the failure tests, tested: every kind of wrong is noticed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { History } from '../lib/client.mjs';

/* Two people, five messages, all right; then change() breaks something. */
function
judged(change)
{
	const h = new History();
	for (let i = 1; i <= 5; i++) {
		h.sent.set(`c${i}`, { rid: '1', msg: `m${i}`, t: i });
		h.acked.set(`c${i}`, { rid: '1', seq: i, t: i + 0.5 });
		for (const who of ['a', 'b'])
			h.got.push({ who, rid: '1', seq: i, uid: 'u', msg: `m${i}`,
			    t: i + 0.6 });
	}
	change(h);
	h.check('1', ['a', 'b']);
}
const of = (h, who) => h.got.filter(g => g.who === who);

test('what is right passes', () => judged(() => {}));
const wrong = {
	'an acked message lost for one': h => {
		h.got = h.got.filter(g => g.who !== 'b' || g.seq !== 5);
	},
	'a hole in the middle': h => {
		h.got = h.got.filter(g => g.who !== 'b' || g.seq !== 3);
	},
	'a message twice, at one place': h => h.got.push({ ...of(h, 'a')[4] }),
	'a message twice, at two places': h => {
		for (const who of ['a', 'b'])
			h.got.push({ ...of(h, who)[0], seq: 6 });
	},
	'two orders': h => {
		const [x, y] = of(h, 'b').slice(1, 3);
		[x.msg, y.msg] = [y.msg, x.msg];
	},
	'going back': h => {
		const i = h.got.indexOf(of(h, 'a')[2]);
		h.got.splice(i, 0, { ...of(h, 'a')[0] });
	},
	'an ack with another place': h => { h.acked.get('c2').seq = 3; },
	'another sender at a place': h => { of(h, 'b')[1].uid = 'x'; },
};
for (const [what, change] of Object.entries(wrong))
	test(`noticed: ${what}`, () => assert.throws(() => judged(change)));
