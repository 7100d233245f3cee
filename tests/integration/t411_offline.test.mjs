/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Private messages to the absent are there at their next login, and all
 * devices of a user see what was sent and received: version 1 by the position
 * the log keeps for him, version 2 by its own and by `inbox`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

const RID = '5';

const withCluster = (o, fn) => async () => {
	const c = await Cluster.start({ msgs: 2, proxies: 1, ...o });
	try {
		await fn(c);
	} finally {
		await c.stop();
	}
};
const v1 = (c, i, uid, o = {}) => Client.login(c.msgs[i].ws, `n${uid}`, RID,
    { v: 1, uid, ...o });
const v2 = (c, i, uid, o = {}) => Client.login(c.msgs[i].ws, `n${uid}`, RID,
    { uid, ...o });
const whisper = (from, tid, msg) => from.cmd({ cmd: 'message', type: 'text',
    rid: RID, tid, msg });
/* Private messages a client has got, in order. */
const got = x => x.seen.filter(f => f.cmd === 'message' && f.tid !== undefined)
    .map(f => f.msg);
const names = (p, n) => Array.from({ length: n }, (_, i) => `${p}${i + 1}`);
/* A figure of all msg_servers together. */
const figure = async (c, name) => {
	let sum = 0;
	for (const m of c.msgs.filter(x => x.running)) {
		const { body } = await m.fetch('/metrics');
		sum += Number(new RegExp(`^cchat_${name} (\\d+)`, 'm').exec(body)[1]);
	}
	return sum;
};

test('version 1: what was said to the absent comes first, once',
    withCluster({}, async c => {
	const amy = await v2(c, 0, '1001');
	for (const m of names('early ', 3))
		await whisper(amy, '1002', m);
	/* he was never here before */
	const bob = await v1(c, 1, '1002');
	await bob.hear('early 3');
	assert.deepEqual(got(bob), names('early ', 3));
	assert.deepEqual(bob.seen.find(f => f.msg === 'early 1'), { cmd: 'message',
	    type: 'text', uid: '1001', name: 'n1001', msg: 'early 1', rid: RID,
	    tid: '1002' });
	assert.equal(bob.seen[0].cmd, 'login');
	await whisper(amy, '1002', 'live');
	await bob.hear('live');
	await bob.bye();
	for (const m of names('away ', 3))
		await whisper(amy, '1002', m);
	/* back on the other server */
	const again = await v1(c, 0, '1002');
	await again.hear('away 3');
	await whisper(amy, '1002', 'live again');
	await again.hear('live again');
	assert.deepEqual(got(again), [...names('away ', 3), 'live again']);
	await again.bye();
	const third = await v1(c, 1, '1002');
	await whisper(amy, '1002', 'end');
	await third.hear('end');
	assert.deepEqual(got(third), ['end']);
	assert.equal(await figure(c, 'msg_waited_total'), 2);
	/* who gives no uid has nothing to wait for */
	const some = await Client.login(c.msgs[0].ws, 'some', RID, { v: 1 });
	await some.none(f => f.cmd === 'message');
	for (const x of [amy, third, some])
		await x.bye();
}));
