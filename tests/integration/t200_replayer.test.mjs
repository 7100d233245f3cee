/* SPDX-License-Identifier: MIT */
/* needs: node modules */
/* The replayer, tested: the recorded server passes, a changed one does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { V1Server } from '../lib/v1server.mjs';
import { load, replay } from '../lib/replay.mjs';

const file = new URL('../dialect/cchat/cchat-basic.jsonl', import.meta.url);
/* The recording without its pauses; the rate limit is then off. */
const hasty = load(file).map(r => ({ ...r, t: 0 }))
    .filter(r => !/too fast|\\u9891\\u7387/.test(r.frame ?? ''));

async function
against(o, records)
{
	const s = await V1Server.listen(o);
	try {
		await replay(records, () => s.url, { patience: 500 });
	} finally {
		s.close();
	}
}

test('the recorded behaviour replays without a deviation', () =>
    against({}, load(file)));
test('a key too many is noticed', () => assert.rejects(
    against({ fault: 'extra key', interval: 0 }, hasty), /keys/));
test('an echo to the sender is noticed', () => assert.rejects(
    against({ fault: 'echo', interval: 0 }, hasty),
    /recorded/));
test('a missing rate limit is noticed', () => assert.rejects(
    against({ fault: 'no rate limit' },
    load(file).filter(r => r.t < 1.9)), /recorded|nothing came/));
