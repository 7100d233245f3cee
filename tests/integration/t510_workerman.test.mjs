/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Clients of workerman-chat: its recorded conversations on two msg_servers,
 * and what no recording shows - rooms and private messages across servers, to
 * people of CChat and back, escapes, limits, what is dropped, the heartbeat.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cluster, sleep, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { load, replayOld } from '../lib/replay_old.mjs';
import { ID, TIME, Workerman } from '../lib/workerman.mjs';

const file = name => new URL(`../dialect/workerman/${name}.jsonl`,
    import.meta.url);
const kinds = [
	{ name: 'time', match: TIME },
	{ name: 'client_id', match: ID, bind: true },
];
const conf = o => ({ msg_server: { dialects: ['workerman', 'cchat'], ...o } });
const start = (o = {}) => Cluster.start({ msgs: 2, ...o, conf: conf(o.set) });

const once = 'names are escaped once, not twice';
const unescape = s => s.replaceAll('&amp;', '&');
const single = f => ({ ...f, client_name: unescape(f.client_name) });
const ghost = 'who has gone to another room is no ghost in the old one';
const himself = 'who is in the room already is told of himself once';
const order = 'what one says to himself is heard once it is kept, after the echo';
const without = name => f => ({ ...f, client_list: Object.fromEntries(
    Object.entries(f.client_list).filter(e => e[1] !== name)) });

const recorded = {
	'workerman-chat-basic': [],
	'workerman-chat-rooms': [
		{ who: 'A', t: 2.066, missing: true, why: ghost },
		{ who: 'E', t: 2.066, change: without('alice2'), why: ghost },
		{ who: 'A', t: 2.316, missing: true, why: ghost },
		{ who: 'A', t: 2.567, missing: true, why: himself },
	],
	'workerman-chat-escape': [
		{ who: 'A', t: 0.065, change: single, why: once },
		{ who: 'B', t: 0.319, change: single, why: once },
		{ who: 'A', t: 0.32, change: single, why: once },
		{ who: 'A', t: 2.327, change: f => ({ ...f,
		    content: '<b>你对me说: </b>to myself' }), why: order },
		{ who: 'A', t: 2.327, change: f => ({ ...f,
		    content: '<b>对你说: </b>to myself' }), why: order },
	],
	'workerman-chat-errors': [
		{ who: 'A', t: 4.418, missing: true, why: himself },
	],
};

describe('recorded conversations', () => {
	for (const [name, deviations] of Object.entries(recorded))
		test(name, async () => {
			const c = await start({ strict: true });
			/* the first of each recording at one server, others between */
			let n = 0;
			try {
				await replayOld(load(file(name)), { kinds, deviations,
				    url: () => c.msgs[n++ % 2].ws });
			} finally {
				await c.stop();
			}
		});
});
