/* SPDX-License-Identifier: MIT */
/* needs: node */
/*
 * The tester, tested: the strict reference passes everything, and each single
 * fault planted in it is noticed by the group of cases that is meant to.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bugs } from './reference.mjs';
import { run } from './run.mjs';

/* A process of its own: some faults take it down. */
async function
reference(mode, bug = '')
{
	const p = spawn(process.execPath, [fileURLToPath(new URL(
	    'reference.mjs', import.meta.url)), mode, bug, '0'],
	    { stdio: ['ignore', 'ignore', 'pipe'] });
	const exit = once(p, 'exit');
	let said = '';
	for await (const chunk of p.stderr) {
		said += chunk;
		const m = /listening on [\d.]+:(\d+)/.exec(said);
		if (m) {
			p.stderr.on('data', () => {}).resume();
			return { url: `ws://127.0.0.1:${m[1]}/ws`,
			    stop: () => (p.kill('SIGKILL'), exit) };
		}
	}
	throw new Error(`the reference does not start: ${said}`);
}

for (const mode of ['echo', 'chat'])
	test(`the strict reference passes every ${mode} case`, async () => {
		const s = await reference(mode);
		try {
			const r = await run({ url: s.url, mode, patience: 30000 });
			assert.deepEqual(r.failed, []);
			assert.ok(r.passed > 500, `only ${r.passed} cases ran`);
		} finally {
			await s.stop();
		}
	});

describe('planted faults', { concurrency: 3 }, () => {
	for (const [bug, group] of Object.entries(bugs))
		test(`caught: ${bug}`, async () => {
			const s = await reference('chat', bug);
			try {
				const r = await run({ url: s.url, mode: 'chat', group,
				    first: true });
				assert.ok(r.failed.length > 0,
				    `group ${group} passes with ${bug}`);
			} finally {
				await s.stop();
			}
		});
});
