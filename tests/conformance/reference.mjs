#!/usr/bin/env node
/* SPDX-License-Identifier: MIT */
/*
 * A strict server that passes every case, to test the tester: as an echo
 * server or as a small chat (login, message, leave, edits, marks; one process,
 * nothing stored).  `bug` plants one fault by name; bugs lists them.  It shares
 * nothing with the tester but the table of close codes.
 */
import net from 'node:net';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ChatConn } from './reference/chat.mjs';

/* Fault -> the group of cases that has to notice it. */
export const bugs = {
	'mask-not-required': '1.7', 'mask-restarts': '1.8', 'long-form': '1.6',
	'rsv1': '3', 'opcode-ignored': '4', 'control-long': '2',
	'control-fragmented': '5', 'pong-cut': '2', 'pong-last-only': '2',
	'pong-for-pong': '2', 'stray-continuation': '5', 'nested-message': '5',
	'fragments-uncounted': '5', 'empty-fragments-free': '5',
	'utf8-none': '6', 'utf8-late': '6', 'utf8-surrogates': '6',
	'utf8-per-fragment': '6', 'noncharacters-refused': '6',
	'close-one-byte': '7', 'close-1005': '7', 'close-reason-unchecked': '7',
	'close-reason-per-chunk': '7', 'close-not-echoed': '7',
	'close-no-fin': '7', 'close-rst': '7', 'pong-after-close': '7',
	'text-after-close': '7', 'limit-off-by-one': '9', 'limit-per-frame': '9',
	'prelogin-limit': '9', 'binary-taken': '1.2', 'early-frame-lost': 'H',
	'upgrade-substring': 'H', 'version-8': 'H', 'version-400': 'H',
	'key-unchecked': 'H', 'no-host': 'H', 'http10': 'H', 'double-blank': 'H',
	'bare-lf': 'H', 'folding': 'H', 'body-ignored': 'H', 'stays-open': 'H',
	'pipelined': 'H', 'head-endless': 'H', 'origin-prefix': 'H',
	'extension-taken': 'H', 'crash-non-object': 'J', 'duplicate-keys': 'J',
	'depth': 'J', 'lone-surrogate': 'J', 'foreign-room': 'J',
	'sender-spoof': 'J', 'private-leak': 'J', 'proxy-tap': 'J',
	'proxy-forge': 'J', 'debug-leak': 'J', 'nul-cuts': 'J',
	'keys-to-v1': 'J', 'uid-stolen': 'J', 'rid-unchecked': 'J',
	'name-unchecked': 'J', 'msg-limit': 'J', 'leave-deaf': 'J',
	'error-then-silence': 'J', 'prefix-command': 'J', 'typing-outside': 'J.12',
	'typing-each': 'J.12', 'items-to-v1': 'J.12', 'at-unchecked': 'J.13',
	'edit-any': 'J.13', 'edit-twice': 'J.13', 'recall-keeps': 'J.13',
};

export function
listen({ mode = 'echo', bug = '', port = 0, max } = {})
{
	const rooms = new Map();	/* rid -> Set of Conn */
	const taps = new Set();
	const world = { mode, bug: name => bug === name, rooms, taps, max,
	    logs: new Map(), typed: new Map(), marks: new Map() };
	const conns = new Set();
	const server = net.createServer({ allowHalfOpen: true }, sock => {
		const c = new ChatConn(world, sock);
		conns.add(c);
		sock.on('close', () => {
			conns.delete(c);
			c.leaveAll();
		});
	});
	return new Promise(resolve => server.listen(port, '127.0.0.1', () =>
	    resolve({
		port: server.address().port,
		url: `ws://127.0.0.1:${server.address().port}/ws`,
		close() {
			server.close();
			for (const c of conns)
				c.sock.destroy();
		},
	})));
}

if (process.argv[1] &&
    realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
	const [mode = 'echo', bug = '', port = '0'] = process.argv.slice(2);
	const s = await listen({ mode, bug, port: Number(port) });
	process.stderr.write(`listening on 127.0.0.1:${s.port} (public)\n`);
}
