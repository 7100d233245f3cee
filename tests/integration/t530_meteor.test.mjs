/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * ChatMeteor's clients: the recorded conversation, its HTTP calls, and what no
 * recording shows - two servers, groups of people who come later, a second
 * socket of one user anywhere, other people's dialects, limits.
 */
import { test } from 'node:test';
import { Cluster } from '../lib/cluster.mjs';
import { load, replayOld } from '../lib/replay_old.mjs';
import { cors } from '../lib/meteor.mjs';

const file = name => new URL(`../dialect/meteor/${name}.jsonl`,
    import.meta.url);
const conf = o => ({ msg_server: { dialects: ['meteor', 'cchat'], ...o } });
const start = (o = {}) => Cluster.start({ ...o, conf: conf(o.set) });
const port = m => m.ports.direct;

const once = 'a user is listed once, whatever sockets he has';
const stale = 'a socket that closes takes nothing from a newer one of its user';
const counter = 'users counts members, not requests';
const since = 'the order is that of binding';
const body = (message, data) => ({ body: JSON.stringify({ code: 200, message,
    data }) });
const list = (...ids) => body('获取在线用户列表成功', ids);
const group = { group_id: 'fd0164', group_name: 'dns交流群', users: '9',
    created_at: '1795196797', updated_at: '1795196797' };

const deviations = [
	{ who: 'H', t: 2.287, http: body('获取群组列表成功', [group]), why: counter },
	{ who: 'H', t: 2.288, http: body('获取群组列表成功', [group]), why: counter },
	{ who: 'H', t: 4.055, http: list('1', '2', '3', '77'), why: once },
	{ who: 'A2', after: 4.361, why: stale, frame: { type: 'ws',
	    category: 'single', args: { from_user: '2', message: 'after A closed' } } },
	{ who: 'H', t: 4.614, http: body('获取用户在线状态成功', { online: true }),
	    why: stale },
	{ who: 'H', t: 4.867, http: list('3', '77', '1', '22'), why: since },
];

test('chatmeteor-basic', async () => {
	const c = await start({ msgs: 1, strict: true });
	try {
		await replayOld(load(file('chatmeteor-basic')), { deviations,
		    kinds: [{ name: 'time', match: /^\d{10}$/ }],
		    headers: Object.keys(cors), url: () => c.msgs[0].ws,
		    http: () => port(c.msgs[0]) });
	} finally {
		await c.stop();
	}
});
