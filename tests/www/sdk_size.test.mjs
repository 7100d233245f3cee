/* SPDX-License-Identifier: MIT */
/* needs: node modules */
/* What the SDK weighs, minified and as written: what `import { CChat }`
 * loads, what a login adds, and all of it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { test } from 'node:test';
import { build } from 'esbuild';

const sdk = fileURLToPath(new URL('../../www/sdk/', import.meta.url));
const gz = s => gzipSync(s, { level: 9 }).length;
/* what is fetched late stays outside, unless it is named here */
const min = async names => {
	const { outputFiles } = await build({
	    stdin: { contents: names.map(n => `export * from './${n}.js';`).join(''),
	        resolveDir: sdk },
	    bundle: true, minify: true, format: 'esm', target: 'es2022',
	    write: false, logLevel: 'silent', plugins: [{ name: 'late', setup(b) {
		b.onResolve({ filter: /./ }, a => a.kind === 'dynamic-import' ?
		    { path: a.path, external: true } : undefined);
	    } }] });
	return gz(outputFiles[0].contents);
};
/* as written, without its comments: that is what an installed page sends */
const bare = async n => {
	const s = await readFile(`${sdk}${n}.js`, 'utf8');
	return gz(s.replace(/\/\*[^]*?\*\//g, '').replace(/^[ \t]+|\n+(?=\n)/gm, ''));
};
const sum = async names => (await Promise.all(names.map(bare)))
    .reduce((a, b) => a + b, 0);

const entry = ['cchat', 'link'];
const login = [...entry, 'session', 'keep'];
const all = [...login, 'asks', 'upload'];

test('68. the SDK: what is loaded at once is 4 KB minified, 6 KB as written',
    async t => {
	const m = await min(['cchat']), w = await sum(entry);
	t.diagnostic(`import: ${m} bytes minified, ${w} as written`);
	assert.ok(m <= 4096, `${m} bytes minified and compressed`);
	assert.ok(w <= 6144, `${w} bytes as written and compressed`);
});

test('68. the SDK: with what a login fetches, and all of it', async t => {
	const a = await min(login), b = await min(all);
	t.diagnostic(`login: ${a} bytes minified, ${await sum(login)} as written`);
	t.diagnostic(`all: ${b} bytes minified, ${await sum(all)} as written`);
	assert.ok(a <= 7.8 * 1024, `${a} bytes after the login`);
	assert.ok(b <= 9.5 * 1024, `${b} bytes in all`);
});

test('68. what is loaded at once is these two files and no other', async () => {
	const at = new Set();
	const walk = async f => {
		if (at.has(f))
			return;
		at.add(f);
		for (const [, to] of (await readFile(`${sdk}${f}.js`, 'utf8')).matchAll(
		    /^(?:im|ex)port [^;]*?from '\.\/([\w.]+)\.js';/gm))
			await walk(to);
	};
	await walk('cchat');
	assert.deepEqual([...at].sort(), entry);
});
