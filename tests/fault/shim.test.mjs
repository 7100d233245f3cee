/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Power loss, as the shim makes it: it does lose what was not fsynced, or the
 * runs with sync=full would prove nothing; and then clients are told.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build } from '../lib/cluster.mjs';
import { run } from './run.mjs';
import { shimFile } from './shim.mjs';

const lose = (t, sync, faults) => run({ seed: 5, faults, clients: 8, rate: 150,
    power: true, sync, print: s => t.diagnostic(s) });

test('there is a shim', () => assert.ok(shimFile(build)));
test('sync=full: nothing acked is lost, the history stays', async t => {
	const r = await lose(t, 'full', 6);
	assert.ok(r.clean);
	assert.equal(r.eps, 1);
	assert.equal(r.fell, 0);
});
test('sync=normal: acked messages are lost, and everybody is told', async t => {
	const r = await lose(t, 'normal', 4);
	assert.ok(r.clean);
	assert.ok(r.eps > 1, 'the history has a new name');
	assert.ok(r.fell > 0, 'the shim loses nothing');
});
