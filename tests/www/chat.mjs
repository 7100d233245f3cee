/* SPDX-License-Identifier: MIT */
/* What the tests of the SDK share: a chat on a socket that the test holds. */
import { afterEach, beforeEach } from 'node:test';
import { CChat } from '../../www/sdk/cchat.js';
import { FakeSocket } from './fake.mjs';

/* All of it at once: a test then sees each answer in the same turn. */
await CChat.load();

export const EP = '9f3a01c2';
export const head = seq => ({ ep: EP, seq, n: 0, full: true });
export const item = (seq, o = {}) => ({ cmd: 'message', uid: '7', name: 'Bob',
    type: 'text', rid: '1', msg: `m${seq}`, seq, mid: `r:1/${seq}`, ts: seq,
    ...o });
export const priv = (useq, seq, o = {}) => ({ cmd: 'message', uid: '7', name: 'Bob',
    type: 'text', tid: '7', msg: `p${seq}`, seq, useq, ts: seq, ...o });

/* Timers of a chat that a failed test left open would keep node alive. */
const open = new Set();
afterEach(() => {
	for (const chat of open)
		chat.close();
	open.clear();
});

/* A chat that writes down what it hears. */
export function
make(options = {})
{
	const chat = new CChat({ url: 'ws://host/ws', WebSocket: FakeSocket,
	    random: () => 1, ...options });
	open.add(chat);
	const heard = { message: [], state: [], fail: [], ack: [], gap: [],
	    close: [], synced: [], reset: [], left: [], error: [], item: [] };
	for (const k of Object.keys(heard))
		chat.on(k, e => heard[k].push(k === 'state' && e.retryAt ?
		    { ...e, wait: e.retryAt - Date.now() } : e));
	return { chat, heard };
}

export async function
online(pos = { 1: head(10) }, options, who = {}, more)
{
	const c = make(options);
	const done = c.chat.login({ name: 'Amy', ...who });
	FakeSocket.last().welcome(pos, more);
	c.ok = await done;
	return { ...c, s: FakeSocket.last() };
}
export const seqs = heard => heard.message.map(m => m.seq);

beforeEach(() => FakeSocket.reset());
