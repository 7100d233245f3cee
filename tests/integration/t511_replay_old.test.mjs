/* SPDX-License-Identifier: MIT */
/* needs: node modules */
/*
 * The replayer of older systems' conversations, tested: a server that says
 * what was recorded passes, one that says anything else does not.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { Names, differs, replayOld } from '../lib/replay_old.mjs';

const kinds = [
	{ name: 'time', match: /^\d\d:\d\d$/ },
	{ name: 'id', match: /^[0-9a-f]{4}$/, bind: true },
	{ name: 'fd', match: Number.isInteger, keys: ['fd', 'to'], bind: true },
];
const say = o => JSON.stringify(o);

test('a frame is the recorded one, names and times apart', () => {
	const want = { id: 'aaaa', fd: 1, time: '10:00', n: 5, list: [{ to: 1 }],
	    people: { aaaa: 'amy', bbbb: 'bob' } };
	const good = { id: '0001', fd: 7, time: '23:59', n: 5, list: [{ to: 7 }],
	    people: { '0001': 'amy', '0002': 'bob' } };
	const all = new Names(kinds);
	assert.equal(differs(say(want), say(good), all), null);
	assert.equal(all.put('{"x":"bbbb","to": 1,"fd":11}'),
	    '{"x":"0002","to": 7,"fd":11}');
	const bad = [
		{ n: 6 }, { n: '5' }, { n: null }, { n: undefined }, { more: 1 },
		{ time: 'now' }, { time: 1 }, { id: '0002' }, { id: 'x' },
		{ fd: 8 }, { fd: '7' }, { list: [] }, { list: {} },
		{ list: [{ to: 8 }] }, { list: [{ to: 7 }, 1] },
		{ people: { '0001': 'amy' } },
		{ people: { '0001': 'amy', '0003': 'bob' } },
		{ people: { '0001': 'amy', '0002': 'eve' } },
		{ people: { '0001': 'amy', '0002': 'bob', '0003': 'eve' } },
	];
	for (const b of bad)
		assert.notEqual(differs(say(want), say({ ...good, ...b }), all),
		    null, say(b));
	/* what did not fit has taught nothing */
	const fresh = new Names(kinds);
	assert.notEqual(differs(say(want), say({ ...good, n: 6 }), fresh), null);
	assert.equal(fresh.put('aaaa'), 'aaaa');
	assert.equal(differs('plain', 'plain', all), null);
	assert.notEqual(differs('plain', 'other', all), null);
});

/* A server that answers each frame with these. */
async function
against(answers, records, o = {})
{
	const s = new WebSocketServer({ port: 0, host: '127.0.0.1' });
	await new Promise(r => s.on('listening', r));
	s.on('connection', ws => {
		const rest = [...answers];
		ws.on('message', () => {
			for (const a of rest.shift() ?? [])
				ws.send(typeof a === 'string' ? a : say(a));
		});
	});
	try {
		return await replayOld(records.map((r, i) => ({ t: i / 1000, who: 'A',
		    ...r, ...r.frame ? { frame: say(r.frame) } : {} })), { kinds,
		    url: () => `ws://127.0.0.1:${s.address().port}`,
		    patience: 300, ...o });
	} finally {
		for (const ws of s.clients)
			ws.terminate();
		s.close();
	}
}

const open = { dir: 'open' }, close = { dir: 'close' };
const send = { dir: 'send', frame: { hello: 1 } };
const recv = frame => ({ dir: 'recv', frame });
const one = [open, send, recv({ id: 'aaaa', x: 1 }), close];

test('a conversation as it was recorded', async () => {
	await against([[{ id: '0001', x: 1 }]], one);
});
test('another answer, none, one too many', async () => {
	for (const answers of [[[{ id: '0001', x: 2 }]], [],
	    [[{ id: '0001', x: 1 }, { x: 2 }]]])
		await assert.rejects(against(answers, one),
		    { code: 'ERR_ASSERTION' });
});
test('named deviations, and only those', async () => {
	const why = 'because';
	const d = o => ({ deviations: [{ who: 'A', why, ...o }] });
	await against([[{ x: 2 }]], one, d({ t: 0.002, change: f => ({ x: f.x + 1 }) }));
	await against([], one, d({ t: 0.002, missing: true }));
	await against([[{ y: 1 }, { id: '0001', x: 1 }]], one,
	    d({ after: 0, frame: { y: 1 } }));
	await against([[{ id: '0001', x: 1 }]], one,
	    d({ after: 0, optional: true, frame: { y: 1 } }));
	/* one that did not happen, or twice, or before its time */
	for (const [answers, o] of [
	    [[[{ id: '0001', x: 1 }]], { after: 0, frame: { y: 1 } }],
	    [[[{ y: 1 }, { y: 1 }, { id: '0001', x: 1 }]],
		{ after: 0, frame: { y: 1 } }],
	    [[[{ y: 1 }, { id: '0001', x: 1 }]], { after: 9, frame: { y: 1 } }]])
		await assert.rejects(against(answers, one, d(o)),
		    { code: 'ERR_ASSERTION' });
});
