/* SPDX-License-Identifier: MIT */
/* needs: node modules */
/* Page and SDK hold up to strict types; so does a program that uses them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/* A program that is right, lines that are wrong, and the README's samples, all
 * in one run of the compiler: it takes its time to start. */
const sdk = `${top}www/sdk/cchat.js`;
const RIGHT = `import { CChat, CChatError, type Message } from '${sdk}';
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
	const e: Promise<{ seq?: number }> = chat.edit({ rid: '1' }, 3, 'x');
	await chat.react({ rid: '1' }, 3, '+1', false);
	await chat.recall({ tid: '7' }, 3);
	await chat.title('1', 'Lobby');
	chat.typing({ rid: '1' });
	const { nread, read }: { nread: number; read: string[] } =
	    await chat.marks({ rid: '1' }, 3);
	const up = await chat.upload(new Blob(['x']), { name: 'x.txt',
	    onprogress: p => console.log(p.toFixed(2)) });
	const sent: string = chat.sendFile({ rid: '1' }, new Blob(['x'])).cid;
	if (chat.caps.has('edit'))
		console.log(up.url, up.type === 'pic', sent, e, nread, read);
	chat.on('item', i => console.log(i.cmd, i.ref?.toFixed(), i.emo, i.on));
	chat.on('typing', t => console.log(t.conv, t.name, t.on));
	for await (const i of chat.historyAll({ rid: '1' }, { items: true }))
		console.log(i.cmd);
	await CChat.load();
	console.log(users[0]?.name);
	off();
	chat.close();
}
`;
const WRONG = ["chat.on('nonsense', () => {});", "void chat.login({ rid: '1' });",
    "void chat.status('asleep');", "console.log(chat.caps.has('teleport'));",
    "void chat.react({ rid: '1' }, '3', 'x');", 'const n: number = chat.cid();'];
const MADE = `import { CChat } from '${sdk}';
declare const chat: CChat; declare function show(what: string, cid: string): void;
export {};
`;
const samples = [...readFileSync(join(top, 'www/sdk/README.md'), 'utf8').matchAll(
    /^```js\n([^]*?)^```/gm)].map(m => m[1]);

test('66. cchat.d.ts, as TypeScript programs and the README see it', () => {
	assert.ok(samples.length >= 8, `${samples.length} samples`);
	assert.ok(samples[0].trim().split('\n').length <= 11, 'ten lines will do');
	const dir = mkdtempSync(join(tmpdir(), 'cchat-types-'));
	try {
		const put = (name, text) => writeFileSync(join(dir, name), text);
		put('right.ts', RIGHT);
		put('ws.d.ts', "declare module 'ws' { export const WebSocket: unknown; }");
		WRONG.forEach((line, i) => put(`wrong${i}.ts`, MADE + line));
		/* chat and show are of another sample, where it does not say */
		samples.forEach((x, i) => put(`sample${i}.ts`, (/\bconst chat =/.test(x) ?
		    '' : MADE) + x.replace(/from '[./]*sdk\/cchat\.js'/,
		    `from '${sdk}'`)));
		put('tsconfig.json', JSON.stringify({ compilerOptions: { noEmit: true,
		    strict: true, target: 'es2022', module: 'es2022', types: [],
		    moduleResolution: 'bundler',
		    lib: ['es2023', 'dom', 'dom.iterable'] }, include: ['*.ts'] }));
		const said = tsc('-p', dir).split('\n').filter(x => /error TS/.test(x));
		assert.deepEqual(said.filter(x => !/wrong\d+\.ts/.test(x)), []);
		WRONG.forEach((line, i) => assert.ok(said.some(x =>
		    x.includes(`wrong${i}.ts(4,`)), `${line} is taken`));
	} finally {
		rmSync(dir, { recursive: true });
	}
});
