/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/* cchatctl backup while people chat, and restore: what was, and said to be. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync,
    writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { build, fetch, freePort, until, www } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

const program = join(build, 'config_server', 'cchatctl');
const dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
const data = join(dir, 'data');
const file = join(dir, 'copy.db');

const ctl = (verb, ...args) => {
	const r = spawnSync(program, [verb, ...args, '--data', data],
	    { encoding: 'utf8', timeout: 60000, cwd: dir,
	    env: { ...process.env, NO_COLOR: '1' } });
	let json;
	try {
		json = JSON.parse(r.stdout);
	} catch { /* not every answer is JSON */ }
	return { code: r.status, out: r.stdout, err: r.stderr, json };
};

after(() => {
	ctl('stop');
	rmSync(dir, { recursive: true, force: true });
});

const any = '127.0.0.1:0';
const servers = () => ctl('status', '--json').json.servers;
const ws = () => `ws://${servers().find(s => s.direct).direct}/ws`;
const active = () => servers().find(s => s.active);
const port = s => Number(s.admin.split(':').pop());
const ep = async () => (await fetch(port(active()), '/status')).json.ep;
const start = async () => {
	const r = ctl('start', '-d', '--www', www, '--msg', '1', '--listen',
	    `127.0.0.1:${await freePort()}`, '--direct', any, '--admin', any,
	    '--link-listen', any, '--proxy-admin', any, '--config-server', any);
	assert.equal(r.code, 0, r.err);
};
const say = async texts => {
	const c = await Client.login(ws(), 'amy', '1');
	for (const t of texts)
		await c.say('1', t);
	await c.bye();
};
const history = async () => {
	const c = await Client.login(ws(), 'bob', '1');
	const h = await c.history('1');
	await c.bye();
	return h.list.map(x => x.msg);
};

test('nothing runs', async () => {
	const r = ctl('backup', file, '--proxy-admin',
	    `127.0.0.1:${await freePort()}`);
	assert.equal(r.code, 3, r.err);
	assert.equal(ctl('backup').code, 2);
	assert.equal(ctl('restore').code, 2);
	const none = ctl('restore', join(dir, 'none'));
	assert.equal(none.code, 1);
	assert.match(none.err, /none: No such file/);
});

test('a backup of a cluster that runs, and what is refused', async () => {
	await start();
	await say(['one', 'two', 'three']);
	const r = ctl('backup', 'copy.db');
	assert.equal(r.code, 0, r.err);
	assert.match(r.out, /copy\.db: \d+ bytes, \d+ channels/);
	assert.equal(statSync(file).mode & 0o777, 0o600);
	assert.match(r.out, new RegExp(`${statSync(file).size} bytes`));
	assert.ok(!existsSync(`${file}.tmp`));
	const again = ctl('backup', file);
	assert.equal(again.code, 1);
	assert.match(again.err, /copy\.db is there already/);
	const json = ctl('backup', join(dir, 'copy2.db'), '--json').json;
	assert.equal(json.bytes, statSync(join(dir, 'copy2.db')).size);
	const running = ctl('restore', file);
	assert.equal(running.code, 1);
	assert.match(running.err, /stop it first/);
});

test('no web page can ask for one', async () => {
	const p = port(active());
	const ask = (headers, body = `{"path":"${join(dir, 'page.db')}"}`) =>
	    fetch(p, '/backup', { method: 'POST', body, headers });
	assert.equal((await ask({ 'content-type': 'text/plain' })).status, 415);
	assert.equal((await ask({})).status, 415);
	assert.equal((await ask({ 'content-type': 'application/json',
	    origin: 'http://evil.example' })).status, 403);
	assert.equal((await ask({ 'content-type': 'application/json',
	    host: 'evil.example' })).status, 421);
	assert.equal((await fetch(p, '/backup')).status, 405);
	for (const bad of ['{}', '[]', 'x', '{"path":5}', '{"path":"a/b"}',
	    '{"path":""}', '{"path":"/a\\u0000b"}', ''])
		assert.equal((await ask({ 'content-type': 'application/json' },
		    bad)).status, 400, bad);
	assert.ok(!existsSync(join(dir, 'page.db')));
	const standby = servers().find(s => s.role === 'proxy' && !s.active);
	assert.equal((await fetch(port(standby), '/backup', { method: 'POST',
	    headers: { 'content-type': 'application/json' },
	    body: `{"path":"${join(dir, 'x')}"}` })).status, 409);
});

test('restore brings that moment back, as another history', async () => {
	await say(['four', 'five']);
	assert.deepEqual(await history(),
	    ['one', 'two', 'three', 'four', 'five']);
	const was = await ep();
	assert.equal(ctl('stop').code, 0);
	writeFileSync(join(dir, 'rubbish'), 'x'.repeat(9000));
	assert.equal(ctl('restore', join(dir, 'rubbish')).code, 5);
	const r = ctl('restore', 'copy.db');
	assert.equal(r.code, 0, r.err);
	assert.match(r.out, /restored .*copy\.db: \d+ channels/);
	assert.equal(readdirSync(data)
	    .filter(f => /^messages\.db-before-/.test(f)).length, 1);
	await start();
	assert.notEqual(await ep(), was);
	assert.deepEqual(await history(), ['one', 'two', 'three']);
	await say(['six']);
	await until('it goes on', async () => (await history()).length === 4);
});
