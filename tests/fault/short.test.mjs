/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * A short fault run, every kind of fault once; the long ones are run by hand
 * (run.mjs).  A broken promise names its seed and keeps its records.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULTS } from './faults.mjs';
import { run } from './run.mjs';

const seed = Number(process.env.FAULT_SEED ?? 7);

test('every fault once, and no promise broken', async t => {
	const r = await run({ seed, faults: Object.keys(FAULTS).length,
	    clients: 15, rate: 150, print: s => t.diagnostic(s) });
	assert.deepEqual(r.wrong.slice(0, 5), [], `seed ${r.seed}, ${r.dir}`);
	assert.ok(r.acked > 500, `${r.acked} acked`);
	assert.ok(r.changes > 30, `${r.changes} edits, recalls and so on`);
});
