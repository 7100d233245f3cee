/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * page.md (d) 68, c.18 and c.20: what `make install` puts there, as a browser
 * gets it from a msg_server: compressed, in few requests, kept by its ETag;
 * and as its owner changes it, with an editor and the reload button.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync,
    writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Cluster, build, fetch } from '../lib/cluster.mjs';
import { Person, launch, wait } from './page.mjs';

let c, b, dir, www, url;
const configured = existsSync(join(build, 'Makefile'));
before(async () => {
	if (!configured)
		return;
	dir = mkdtempSync(join(tmpdir(), 'cchat-installed-'));
	const env = { ...process.env };
	for (const k of ['MAKEFLAGS', 'MFLAGS', 'MAKELEVEL', 'DESTDIR'])
		delete env[k];
	const r = spawnSync('make', ['-C', build, `DESTDIR=${dir}`,
	    'pkgdatadir=/share', 'install-nobase_dist_pkgdataDATA',
	    'install-data-hook'], { encoding: 'utf8', env });
	assert.equal(r.status, 0, r.stdout + r.stderr);
	www = join(dir, 'share/www');
	c = await Cluster.start({ msgs: 1, www });
	url = c.msgs[0].page;
	b = await launch();
});
after(async () => {
	await b?.close();
	await c?.stop();
	if (dir)
		rmSync(dir, { recursive: true, force: true });
});
const skip = !configured && 'not configured';
/* What a page has loaded since it was opened: path, coding, bytes. */
const loaded = p => p.page.evaluate(() => [...performance.getEntriesByType(
    'navigation'), ...performance.getEntriesByType('resource')]
    .filter(e => e.name.startsWith('http')).map(e => ({
    path: new URL(e.name).pathname, wire: e.encodedBodySize,
    plain: e.decodedBodySize })));

test('page 68: installed, it works, compressed, in twelve requests',
    { skip }, async () => {
	const p = await Person.open(b, url);
	await p.page.locator('#login-view:not([hidden])').waitFor();
	const first = await loaded(p);
	assert.ok(first.length <= 12, JSON.stringify(first));
	for (const { path, wire, plain } of first)
		assert.ok(wire < plain && wire === readFileSync(join(www,
		    `${path === '/' ? '/index.html' : path}.gz`)).length,
		    `${path}: ${wire} of ${plain}`);
	/* what is run has no comments, and is what was installed without them */
	const main = await fetch(c.msgs[0].ports.direct, '/js/main.js');
	assert.match(main.body, /SPDX-License-Identifier/);
	assert.doesNotMatch(await p.page.evaluate(async () =>
	    (await fetch('/js/main.js')).text()), /\/\*/);
	await p.login('Amy');
	await p.say('hello from an installed page');
	await p.sees('hello from an installed page');
	await p.page.locator('#smile').click();
	await p.page.locator('#emoji button.emo').first().waitFor();
	p.quiet();
	await p.close();
});
test('page 68: each text file has its .gz beside it', { skip }, () => {
	const walk = d => readdirSync(d, { withFileTypes: true }).flatMap(e =>
	    e.isDirectory() ? walk(join(d, e.name)) : [join(d, e.name)]);
	const all = walk(www);
	const plain = all.filter(f => !f.endsWith('.gz'));
	assert.ok(plain.length > 20);
	assert.deepEqual(plain.filter(f => !all.includes(`${f}.gz`)), []);
	assert.equal(all.length, 2 * plain.length);
});
test('page c.20: asked again, nothing comes but 304', { skip }, async () => {
	const port = c.msgs[0].ports.direct;
	for (const path of ['/', '/js/main.js', '/css/app.css', '/icon.svg'])
		for (const coding of ['gzip', 'identity']) {
			const headers = { 'accept-encoding': coding };
			const r = await fetch(port, path, { headers });
			assert.equal(r.headers['cache-control'], 'no-cache');
			assert.match(r.headers.etag, /^"[0-9a-f]{32}(-gz)?"$/);
			assert.equal(r.headers['content-encoding'],
			    coding === 'gzip' ? 'gzip' : undefined);
			const again = await fetch(port, path, { headers: { ...headers,
			    'if-none-match': r.headers.etag } });
			assert.equal(again.status, 304, `${path} ${coding}`);
			assert.equal(again.body, '');
		}
});
test('page (e) 2: change an installed file, press reload', { skip }, async () => {
	const p = await Person.open(b, url);
	await p.page.locator('#login-view:not([hidden])').waitFor();
	const file = join(www, 'i18n/en.js');
	const was = readFileSync(file, 'utf8');
	assert.match(was, /'Your name'/);
	writeFileSync(file, was.replace('\'Your name\'', '\'Who are you?\''));
	/* the server looks once a second at most */
	await wait('the new word', async () => {
		await p.page.reload();
		await p.page.locator('#login-view:not([hidden])').waitFor();
		return await p.page.locator('#l-name').innerText() ===
		    'Who are you?';
	});
	/* and the old .gz is not sent for it */
	const r = await fetch(c.msgs[0].ports.direct, '/i18n/en.js',
	    { headers: { 'accept-encoding': 'gzip' } });
	assert.equal(r.headers['content-encoding'], undefined);
	await p.login('Bob');
	await p.say('still here');
	await p.sees('still here');
	p.quiet();
	await p.close();
});
