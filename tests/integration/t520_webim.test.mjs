/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * PHPWebIM's clients by WebSocket: its recorded conversations, and what its
 * page relies on. The deviations are the faults of the original that are not
 * reproduced (dialects/phpwebim.md).
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cluster } from '../lib/cluster.mjs';
import { load } from '../lib/replay.mjs';
import { replay } from '../lib/webim.mjs';

const file = name => new URL(`../dialect/webim/${name}.jsonl`,
    import.meta.url);

/* a change of the frames that are received, deep within */
const received = fn => r => {
	if (r.dir !== 'recv')
		return undefined;
	const was = JSON.parse(r.frame), is = fn(structuredClone(was));
	if (is === undefined || JSON.stringify(is) === JSON.stringify(was))
		return undefined;
	r.frame = JSON.stringify(is);
	return r;
};

const honest = m => {
	if (m?.from !== 999)
		return m;
	const { extra, ...rest } = m;
	return { ...rest, from: 2, channal: 0 };
};

const ownNumber = { why: 'from is the number of who says it, channal a number, ' +
    'and members the page does not know are dropped',
	change: received(f => f.cmd === 'getHistory' ? { ...f,
	    history: f.history.map(e => ({ ...e, msg: honest(e.msg) })) } :
	    f.cmd === 'fromMsg' ? honest(f) : f) };

const escape = s => s.startsWith('<b>') ? s.replace(/<\/?b>/g, '')
    .replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/'/g, '&#039;') :
    s.replace(/&/g, '&amp;').replace(/'/g, '&#039;');

const walk = v => Array.isArray(v) ? v.map(walk) : v && typeof v === 'object' ?
    Object.fromEntries(Object.entries(v).map(([k, x]) => [k,
	['name', 'avatar'].includes(k) ? escape(x) : walk(x)])) : v;

const escaped = { why: 'names and avatars are escaped, as since 2016: the page ' +
    'puts them into HTML',
	change: received(f => f.cmd === 'fromMsg' && f.from === 0 ||
	    f.cmd === 'offline' ? { ...f, data: escape(f.data) } : walk(f)) };

describe('recorded conversations', () => {
	/* it took the original half a minute to see a socket closed; here none */
	const sooner = r => ({ ...r, t: r.t > 41 ? r.t - 29 : r.t });
	const run = (name, word, conf, deviations) => test(name, async () => {
		const c = await Cluster.start({ msgs: 1, strict: true, conf: {
		    msg_server: { dialects: [word, 'cchat'], ...conf } } });
		try {
			await replay(load(file(name)).map(sooner),
			    { port: c.msgs[0].ports.public, deviations });
		} finally {
			await c.stop();
		}
	});
	/* the classic has no limit of rate */
	run('phpwebim-2014-basic', 'webim2014', { v1_interval: 0 },
	    [ownNumber, escaped]);
	run('phpwebim-2016-basic', 'webim', {}, [ownNumber]);
});
