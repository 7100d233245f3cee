/* SPDX-License-Identifier: MIT */
/* needs: node modules */
/*
 * www/strip.awk takes the comments out of what is sent: that nothing else
 * goes with them, in every file that is shipped, and that no comment is there
 * which it doesn't know.  page.md (d) 68.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync,
    statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import ts from 'typescript';

const top = fileURLToPath(new URL('../../', import.meta.url));
const build = process.env.CCHAT_BUILD ?? top;
const read = f => readFileSync(resolve(top, f), 'utf8');
const words = read('www/local.mk').replace(/\\\n/g, ' ').split('\n')
    .filter(l => /^www_(page|sdk) [=+]/.test(l)).join(' ').split(/\s+/);
const shipped = words.filter(w => w.startsWith('www/'));
const of = ext => shipped.filter(f => f.endsWith(ext));

const strip = (text, html = false) => {
	const r = spawnSync(process.env.AWK ?? 'awk', [...html ? ['-v', 'html=1'] :
	    [], '-f', join(top, 'www/strip.awk')], { input: text,
	    encoding: 'utf8' });
	assert.equal(r.status, 0, r.stderr);
	return r.stdout;
};

/* every token of a program, comments among them; what TypeScript's parser says */
const tokens = (text, name = 'x.js') => {
	const src = ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true,
	    ts.ScriptKind.JS);
	assert.deepEqual(src.parseDiagnostics.map(d => d.messageText), [], name);
	const out = [];
	const walk = n => {
		/* JSDoc hangs in the tree, too */
		if (n.kind >= ts.SyntaxKind.FirstJSDocNode &&
		    n.kind <= ts.SyntaxKind.LastJSDocNode)
			return;
		const kids = n.getChildren(src);
		if (!kids.length && n.kind !== ts.SyntaxKind.SyntaxList)
			out.push({ kind: n.kind, text: n.getText(src),
			    before: text.slice(n.getFullStart(), n.getStart(src)) });
		kids.forEach(walk);
	};
	walk(src);
	return out;
};
const emit = text => ts.transpileModule(text, { compilerOptions: {
    target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022,
    removeComments: true } }).outputText.replace(/^\s*\n/gm, '');
/* where a line begins matters to a program: every token says whether it does */
const sense = text => tokens(text).map((x, i) =>
    `${i && /\n/.test(x.before) ? '\n' : ''}${x.text}`);

/* CSS: strings, words, blanks (as one) and all else, comments left out */
const css = text => [...text.matchAll(
    /\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\s+|[\w-]+|[^]/g)]
    .map(m => m[0]).filter(x => !x.startsWith('/*'))
    .map(x => /^\s/.test(x) ? ' ' : x)
    .filter((x, i, all) => x !== ' ' || (i && all[i - 1] !== ' '))
    .join('\u0000').trim();
/* HTML: comments out, blanks as one */
const html = text => text.replace(/<!--[\s\S]*?-->/g, ' ')
    .replace(/\s+/g, ' ').replace(/> </g, '><').trim();

test('the lists name what lies in www, and nothing is forgotten', () => {
	const there = dir => readdirSync(join(top, dir), { withFileTypes: true })
	    .flatMap(e => e.isDirectory() ? there(`${dir}/${e.name}`) :
	    [`${dir}/${e.name}`]);
	const all = there('www').filter(f => /\.(js|css|html|svg|d\.ts)$/.test(f));
	assert.deepEqual([...shipped].sort().filter(f => !f.endsWith('.md')),
	    all.sort());
	for (const ext of ['.js', '.css', '.html'])
		assert.ok(of(ext).length > 0, ext);
});

test('what strip.awk does', () => {
	for (const [from, to] of [
		['/* a */\nx\n', 'x\n'],
		['x; /* a */\n', 'x;\n'],
		['\t/* a\n b\n c */\n\tx\n', '\tx\n'],
		['a/* b */c /* d */ e\n', 'a c e\n'],
		['f(/* a\n*/ b)\n', 'f(\nb)\n'],
		['/** @type {x} */ let a;\n', 'let a;\n'],
		['\n\nx\n\n', '\n\nx\n\n'],
		['a /* b **/ c\n', 'a c\n'],
		['/*/ a */b\n', 'b\n'],
		['', ''],
	])
		assert.equal(strip(from), to, from);
	assert.equal(strip('<!doctype html>\n<!-- a\nb -->\n<p>x<!-- c -->y\n',
	    true), '<!doctype html>\n<p>x y\n');
	assert.equal(strip('<p>a/* b */\n', true), '<p>a/* b */\n');
});

test('no // comment, and no mark of a comment in a string or a pattern', () => {
	for (const f of of('.js')) {
		const text = read(f);
		for (const x of [...tokens(text, f), { text: '',
		    before: /(?:\s|\/\*[\s\S]*?\*\/|\/\/.*)*$/.exec(text)[0] }]) {
			assert.ok(!x.text.includes('/*') && !x.text.includes('*/'),
			    `${f}: ${x.text.slice(0, 60)}`);
			assert.ok(!x.before.replace(/\/\*[\s\S]*?\*\//g, '')
			    .includes('//'), `${f}: a // comment: ${x.before}`);
		}
	}
	for (const f of of('.css'))
		for (const [s] of read(f).replace(/\/\*[\s\S]*?\*\//g, '')
		    .matchAll(/"[^"\n]*"|'[^'\n]*'|url\([^)]*\)/g))
			assert.doesNotMatch(s, /\/\*|\*\//, f);
	for (const f of of('.html'))
		assert.doesNotMatch(read(f).replace(/<!--[\s\S]*?-->/g, ''),
		    /<!--|-->|<(script|style)\b[^>]*>[^<]/, f);
});

test('stripped, every program, sheet and page means the same', () => {
	for (const f of of('.js')) {
		const text = read(f), less = strip(text);
		assert.ok(!less.includes('/*'), f);
		assert.deepEqual(sense(less), sense(text), f);
		assert.equal(emit(less), emit(text), f);
	}
	for (const f of of('.css')) {
		const less = strip(read(f));
		assert.ok(!less.includes('/*'), f);
		assert.equal(css(less), css(read(f)), f);
	}
	for (const f of of('.html')) {
		const less = strip(read(f), true);
		assert.ok(!less.includes('<!--'), f);
		assert.match(less, /^<!doctype html>\n/, f);
		assert.equal(html(less), html(read(f)), f);
	}
});

test('and these checks see what is wrong', () => {
	/* a line's end that matters; a comment that was none */
	assert.notDeepEqual(sense('a\n(b)\n'), sense('a (b)\n'));
	assert.notDeepEqual(sense('let s = "a";'), sense('let s = "";'));
	assert.notEqual(css('a b{}'), css('ab{}'));
	assert.notEqual(css('a{content:"x  y"}'), css('a{content:"x y"}'));
	assert.ok(tokens('let s = "/* x */";').some(x => x.text.includes('/*')));
	assert.ok(tokens('let s = /[/*]/;').some(x => x.text.includes('/*')));
});

/* ---- budgets of page.md c.18: bytes and requests ---- */

const KB = 1024;
/* As it is installed: gzip -9 of what strip.awk leaves. */
const sent = f => spawnSync('gzip', ['-9', '-n', '-c'], {
    input: /\.(js|css|html)$/.test(f) ? strip(read(f), f.endsWith('.html')) :
    read(f) }).stdout.length;
const sum = files => [...files].reduce((n, f) => n + sent(f), 0);
/* Fetched when it is first used, or (items.js) with the first of its kind. */
const LATER = /lazy\/|\/(upload|asks|items)\.js$/;
/* A module and all that it imports; with calls: what it fetches by name, too. */
const graph = (from, calls, at = new Set()) => {
	if (at.has(from))
		return at;
	at.add(from);
	const text = strip(read(from));
	for (const [, to] of text.matchAll(
	    /^(?:import|export)\b[^;]*?from '(\.[^']+)';/gm))
		graph(join(from, '..', to), calls, at);
	if (calls && !from.includes('/lazy/'))
		for (const [, to] of text.matchAll(/\bimport\('(\.[^']+)'\)/g))
			if (!LATER.test(to))
				graph(join(from, '..', to), calls, at);
	return at;
};
const index = read('www/index.html').replace(/<!--[\s\S]*?-->/g, '');
const linked = [...index.matchAll(/(?:href|src)="([\w/.-]+\.(?:js|css|svg))"/g)]
    .map(m => `www/${m[1]}`);

test('budget: the first screen asks at most twelve times', () => {
	const first = new Set(['www/index.html', ...linked,
	    ...graph('www/js/main.js')]);
	assert.ok(first.size <= 12, `${first.size}: ${[...first]}`);
	/* and is not made to wait for one that it knows late */
	assert.deepEqual([...index.matchAll(/modulepreload" href="([^"]+)"/g)]
	    .map(m => `www/${m[1]}`).sort(), [...graph('www/js/main.js')].sort());
	assert.ok(sum(first) <= 15 * KB, `${sum(first)} bytes`);
});

test('budget: login and chat, all that is fetched before the first message',
    () => {
	const all = new Set(['www/index.html', ...linked,
	    ...graph('www/js/main.js', true)]);
	for (const f of ['www/js/chat.js', 'www/js/log.js', 'www/sdk/session.js'])
		assert.ok(all.has(f), f);
	/* none that is found out late, in a module that imports it */
	const named = [...strip(read('www/js/main.js'))
	    .matchAll(/\bimport\('(\.[^']+)'\)/g)]
	    .map(m => join('www/js', m[1])).concat(linked);
	assert.deepEqual([...all].filter(f => f.endsWith('.js') &&
	    !named.includes(f)), []);
	/*
	 * c.18 has 40 KB for this.  The SDK that resumes, retries and moves is
	 * 11 KB of it, the log 7, the look 5.  What is used later comes then.
	 */
	assert.ok(sum(all) <= 46.5 * KB, `${sum(all)} bytes: ${[...all]
	    .map(f => `${f} ${sent(f)}`).join(', ')}`);
});

test('make install without node or network; each text file with its .gz',
    { skip: !existsSync(join(build, 'Makefile')) && 'not configured' }, () => {
	const dir = mkdtempSync(join(tmpdir(), 'cchat-shipped-'));
	try {
		/* who calls these is found out */
		const used = join(dir, 'used');
		mkdirSync(join(dir, 'bin'));
		for (const x of ['node', 'npm', 'npx', 'curl', 'wget'])
			writeFileSync(join(dir, 'bin', x),
			    `#!/bin/sh\necho ${x} >>'${used}'\nexit 1\n`, { mode: 0o755 });
		const env = { ...process.env,
		    PATH: `${join(dir, 'bin')}:${process.env.PATH}` };
		/* of the make above us, nothing */
		for (const k of ['MAKEFLAGS', 'MFLAGS', 'MAKELEVEL', 'DESTDIR'])
			delete env[k];
		const r = spawnSync('make', ['-C', build, `DESTDIR=${dir}/to`,
		    'pkgdatadir=/share', 'install-nobase_dist_pkgdataDATA',
		    'install-data-hook'], { encoding: 'utf8', env });
		assert.equal(r.status, 0, r.stdout + r.stderr);
		assert.ok(!existsSync(used), existsSync(used) && read(used));
		const to = f => join(dir, 'to/share', f);
		for (const f of shipped) {
			assert.equal(readFileSync(to(f), 'utf8'), read(f), f);
			const less = gunzipSync(readFileSync(to(`${f}.gz`)))
			    .toString();
			assert.equal(less, /\.(js|css|html)$/.test(f) ?
			    strip(read(f), f.endsWith('.html')) : read(f), f);
			const [a, b] = [to(f), to(`${f}.gz`)].map(
			    x => statSync(x, { bigint: true }).mtimeNs);
			assert.ok(b >= a, `${f}.gz is older than its file`);
		}
		/* the bytes are those of any other install */
		const sums = () => shipped.map(f => readFileSync(to(`${f}.gz`))
		    .toString('base64')).join();
		const before = sums();
		const again = spawnSync('make', ['-C', build, `DESTDIR=${dir}/to`,
		    'pkgdatadir=/share', 'install-data-hook'], { env });
		assert.equal(again.status, 0);
		assert.equal(sums(), before);
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
});
