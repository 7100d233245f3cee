/* SPDX-License-Identifier: MIT */
/* needs: node build */
/* The suite against msg_server: every case, slow ones too, no failure. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster } from '../lib/cluster.mjs';
import { run } from './run.mjs';

let c;
before(async () => { c = await Cluster.start({ msgs: 1 }); });
after(() => c?.stop());

const groups = { 'sizes, lengths and masks': '1', 'ping and pong': '2',
    'reserved bits': '3', 'reserved opcodes': '4', fragmentation: '5',
    'UTF-8': '6', closing: '7', limits: '9,10', floods: 'A',
    'handshake and HTTP': 'H', 'chat and JSON': 'J' };

for (const [what, group] of Object.entries(groups))
	test(`${group}: ${what}`, async t => {
		const r = await run({ url: c.msgs[0].ws, mode: 'chat', group,
		    slow: true, patience: 30000,
		    pid: c.msgs[0].sanitized ? undefined : c.msgs[0].pid });
		t.diagnostic(`${r.passed} passed, ${r.failed.length} failed`);
		assert.deepEqual(r.failed.map(f => `${f.id} ${f.title}: ${f.why}`),
		    []);
		assert.ok(r.passed > 0);
	});
