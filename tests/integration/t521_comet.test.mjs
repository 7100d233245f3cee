/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * PHPWebIM's long poll: the recorded conversation, of 2016; that of 2019,
 * with its cookie; and the bounds of both.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { Cluster, until } from '../lib/cluster.mjs';
import { load } from '../lib/replay.mjs';
import { Comet, Page, ask, replay } from '../lib/webim.mjs';

const start = (words, conf, o) => Cluster.start({ msgs: 1, ...o, conf: {
    msg_server: { dialects: words, ...conf } } });

const deviations = [
	{ why: 'the recorded server had run before: it had a history',
	    change: r => {
		if (!r.body?.includes('\\"cmd\\":\\"getHistory\\"'))
			return undefined;
		r.body = '{"success":1,"data":"{\\"cmd\\":\\"getHistory\\",' +
		    '\\"history\\":[]}"}';
		return r;
	    } },
	{ why: 'a plain GET is one of the page', change: r => r.who === 'X' &&
	    r.path === '/' ? null : undefined },
	{ why: 'a session outlives the connection of its last poll, by ' +
	    'comet_keep: nobody is told it left, and what it says is heard',
	    change: r => {
		if (r.dir === 'recv' && r.frame.includes('"offline"'))
			return null;
		if (r.t <= 5.163 || r.who !== 'C')
			return undefined;
		if (r.path === '/sub')
			return null;
		if (r.status === 403) {
			r.status = 404;
			r.body = '<h1>Channel Not Found</h1>';
		}
		return r;
	    } },
];

test('the recorded conversation', async () => {
	const c = await start(['webim'], {}, { strict: true });
	try {
		await replay(load(new URL(
		    '../dialect/webim/phpwebim-2016-comet.jsonl', import.meta.url)),
		    { port: c.msgs[0].ports.public, deviations });
	} finally {
		await c.stop();
	}
});
