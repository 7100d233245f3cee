/* SPDX-License-Identifier: MIT */
/* needs: node modules */
/* Page and SDK hold up to strict types; so does a program that uses them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const top = fileURLToPath(new URL('../../', import.meta.url));
const tsc = (...args) => {
	const r = spawnSync(process.execPath, [join(top,
	    'tests/node_modules/typescript/bin/tsc'), ...args],
	    { encoding: 'utf8', cwd: top });
	return r.stdout + r.stderr;
};

test('JSDoc types of the page and the SDK, strict', () => {
	assert.equal(tsc('-p', 'www/tsconfig.json'), '');
});

test('cchat.d.ts, as a TypeScript program sees it', () => {
	const dir = mkdtempSync(join(tmpdir(), 'cchat-types-'));
	const options = ['--noEmit', '--strict', '--target', 'es2022', '--module',
	    'es2022', '--moduleResolution', 'bundler', '--lib', 'es2023,dom'];
	const check = body => {
		writeFileSync(join(dir, 'use.ts'), `import { CChat, CChatError, type
Message } from '${top}www/sdk/cchat.js';\n${body}`);
		return tsc(...options, join(dir, 'use.ts'));
	};
	try {
		assert.equal(check(`
export async function main(): Promise<void> {
	const chat = new CChat({ url: 'ws://host/ws', backoff: [1, 2] });
	const off: () => void = chat.on('message', m => {
		const s: string = m.msg;
		console.log(s, m.at?.length);
	});
	const ok = await chat.login({ name: 'Ada', rid: '1' });
	const ack = await chat.send({ rid: ok.rid }, 'hello');
	const seq: number | undefined = ack.seq;
	const cid: string = chat.send({ tid: '7' }, 'x').cid;
	for await (const m of chat.historyAll({ rid: '1' })) {
		const x: Message = m;
		console.log(x.seq, seq, cid);
	}
	try {
		await chat.join('x');
	} catch (e) {
		if (e instanceof CChatError)
			console.log(e.code, e.retry);
	}
	const { users } = await chat.online('1');
	chat.on('status', s => console.log(s.uid, s.st === 'away', s.last));
	await chat.watch(users.map(u => u.uid));
	await chat.status('away');
	console.log(users[0]?.name);
	off();
	chat.close();
}`), '');
		/* and what is wrong is seen */
		assert.match(check(`export const chat = new CChat();
chat.on('nonsense', () => {});`), /error TS/);
		assert.match(check(`export const chat = new CChat();
void chat.login({ rid: '1' });`), /error TS/);
		assert.match(check(`export const chat = new CChat();
void chat.status('asleep');`), /error TS/);
	} finally {
		rmSync(dir, { recursive: true });
	}
});
