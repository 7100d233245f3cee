/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * cchatctl import-credentials: a file of both forms into a running cluster;
 * whom it lets in, what it says of lines that are no good, and that no token
 * is told.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, until } from '../lib/cluster.mjs';
import { API_KEY, Sok, credentials, sokCluster } from '../lib/sok.mjs';

let c, m, key;

before(async () => {
	c = await sokCluster({ msgs: 1 });
	[m] = c.msgs;
	key = join(c.data, 'api.key');
	writeFileSync(key, `${API_KEY}\n`);
});
after(() => c?.stop());

/* resolves to {code, out, err} */
const ctl = (args, text) => new Promise(done => {
	const p = execFile(join(build, 'config_server/cchatctl'),
	    ['import-credentials', ...args], (e, out, err) =>
	    done({ code: e ? e.code : 0, out, err }));
	p.stdin.on('error', () => {});
	p.stdin.end(text ?? '');
});

const redis = (uid, source, token, expires) => 'think_serialize:a:1:{' +
    `s:${source.length}:"${source}";a:3:{s:3:"uid";s:${uid.length}:"${uid}";` +
    `s:5:"token";s:${token.length}:"${token}";s:7:"expires";i:${expires};}}`;

test('both forms let in, one by one', async () => {
	const file = join(c.dir, 'credentials');
	writeFileSync(file, ['# of the old system', '', '11 app word-secret',
	    '11 pc other-secret 1893456000',
	    `login12 ${redis('12', 'weixin', 'redis-secret', 1893456000)}`,
	    `"${redis('13', 'app', 'cli-secret', 0).replaceAll('"', '\\"')}"`,
	    ''].join('\n'));
	const r = await ctl([file, '--config-server', c.configAt, '--api-key',
	    key]);
	assert.deepEqual(r, { code: 0, out: '4 credentials set, 0 refused\n',
	    err: '' });
	for (const [uid, token] of [['11', 'word-secret'],
	    ['11', 'other-secret'], ['12', 'redis-secret'],
	    ['13', 'cli-secret']])
		await (await Sok.login(m.ports.sok, uid, { token })).close();
	const g = await credentials(m, '11', { method: 'GET' });
	assert.deepEqual(g.json.list, [{ source: 'app', expires: 0 },
	    { source: 'pc', expires: 1893456000 }]);
});

test('lines that are no good are named, the others are set', async () => {
	/* the key from the data directory, the server by its address */
	const r = await ctl(['-', '--data', c.data, '--url',
	    `127.0.0.1:${m.ports.public}`, '--json'], ['21 app good-secret',
	    '21 app', '22 a b secret', 'think_serialize:b:0;',
	    `22 ${'x'.repeat(33)} t`, '1000000000000000 app drawn-secret',
	    '23 app last-secret'].join('\n'));
	assert.equal(r.code, 1);
	assert.deepEqual(JSON.parse(r.out), { set: 2, refused: 5, lines: 7 });
	assert.deepEqual([...r.err.matchAll(/line (\d+)/g)].map(x => x[1]),
	    ['2', '3', '4', '5', '6']);
	assert.doesNotMatch(r.err + m.log, /-secret/);
	await (await Sok.login(m.ports.sok, '23',
	    { token: 'last-secret' })).close();
});

test('no file, no key, a wrong key, nobody there', async () => {
	const at = ['--url', `127.0.0.1:${m.ports.public}`];
	const wrong = join(c.dir, 'wrong.key');
	writeFileSync(wrong, 'fedcba9876543210\n');
	assert.equal((await ctl([])).code, 2);
	assert.equal((await ctl(['/nowhere', '--data', c.data])).code, 2);
	assert.equal((await ctl(['-', '--data', c.dir])).code, 2);
	let r = await ctl(['-', '--api-key', wrong, ...at],
	    '31 app a\n'.repeat(100));
	assert.equal(r.code, 1);
	/* not a hundred times */
	assert.ok(r.err.split('\n').length < 30, r.err);
	r = await ctl(['-', '--data', c.data, '--url', '127.0.0.1:1'],
	    '31 app a\n');
	assert.equal(r.code, 1);
	r = await ctl(['-', '--data', c.data, '--config-server',
	    '127.0.0.1:1'], '31 app a\n');
	assert.equal(r.code, 3);
	assert.deepEqual((await credentials(m, '31',
	    { method: 'GET' })).json.list, []);
});

test('while another proxy takes the log over', { timeout: 120000 },
    async () => {
	const own = await sokCluster({ msgs: 1, proxies: 2 });
	try {
		const [s] = own.msgs, file = join(own.dir, 'many'), k = join(own.dir,
		    'k');
		writeFileSync(k, `${API_KEY}\n`);
		writeFileSync(file, [...Array(300).keys()].map(i =>
		    `u${i} app token-${i}`).join('\n'));
		const run = ctl([file, '--api-key', k, '--url',
		    `127.0.0.1:${s.ports.public}`]);
		await until('it is at work', async () => (await credentials(s,
		    'u20', { method: 'GET' })).json.list?.length === 1, 30000);
		await (await own.active()).kill();
		assert.deepEqual(await run, { code: 0, err: '',
		    out: '300 credentials set, 0 refused\n' });
		for (const i of [0, 20, 150, 299])
			await (await Sok.login(s.ports.sok, `u${i}`,
			    { token: `token-${i}` })).close();
	} finally {
		await own.stop();
	}
});
