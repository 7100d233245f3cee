/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/* Programs, flags, exit codes, health pages: what an operator meets first. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Cluster, build, fetch, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

const programs = ['config_server', 'proxy_server', 'msg_server'];
const dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const ask = (program, ...args) => {
	const r = spawnSync(join(build, program, program), args,
	    { cwd: dir, encoding: 'utf8', timeout: 5000 });
	return { code: r.status, out: r.stdout, err: r.stderr };
};
const lines = s => s.trimEnd().split('\n');

for (const p of programs) {
	test(`${p} -V and -h`, () => {
		assert.match(ask(p, '-V').out, new RegExp(`${p}.*\\d`));
		const h = ask(p, '-h');
		assert.equal(h.code, 0);
		for (const flag of ['--listen', '--data', '--name', '--link-key']
		    .filter(f => p !== 'proxy_server' || f !== '--listen'))
			assert.match(h.out, new RegExp(flag));
	});
	test(`${p} --check prints the settings, and reads them again`, () => {
		const a = ask(p, '--check', '--data', dir);
		assert.equal(a.code, 0, a.err);
		const file = join(dir, `${p}.conf`);
		writeFileSync(file, a.out);
		const b = ask(p, '-c', file, '--check');
		assert.equal(b.code, 0, b.err);
		assert.equal(b.out, a.out);
	});
	test(`${p}: a mistake in the file is one line that names its place`, () => {
		const file = join(dir, 'bad.conf');
		for (const [text, want] of [
		    [`${p} {\n\tno_such_thing = 1\n}\n`, /bad\.conf:2: .*no_such_thing/],
		    [`${p} {\n\tname = "a"\n`, /bad\.conf:\d+: /],
		    [`nobody {\n}\n`, /bad\.conf:1: .*nobody/]]) {
			writeFileSync(file, text);
			const r = ask(p, '-c', file, '--check');
			assert.equal(r.code, 2, `${text} gave ${r.code}: ${r.err}`);
			assert.equal(lines(r.err).length, 1, r.err);
			assert.match(r.err, want);
		}
	});
	test(`${p}: an unknown flag, a bad address, a missing file`, () => {
		for (const args of [['--no-such-flag'], ['-c', join(dir, 'none')],
		    [p === 'proxy_server' ? '--link-listen' : '--listen', 'nowhere']]) {
			const r = ask(p, '--data', dir, ...args);
			assert.equal(r.code, 2, `${args} gave ${r.code}: ${r.err}`);
			assert.equal(lines(r.err).length, 1, r.err);
		}
	});
	test(`${p}: port in use is exit code 4 and one line`, async () => {
		const s = net.createServer();
		await new Promise(r => s.listen(0, '127.0.0.1', r));
		const d = mkdtempSync(join(dir, 'p'));
		for (const k of ['link.key', 'token.key'])
			writeFileSync(join(d, k), `${'ab'.repeat(32)}\n`,
			    { mode: 0o600 });
		/* the public port is shared by design; the direct one is not */
		const flag = { msg_server: '--direct', proxy_server: '--link-listen',
		    config_server: '--listen' }[p];
		const rest = p === 'msg_server' ? ['--listen', '127.0.0.1:0',
		    '--admin', '127.0.0.1:0'] : p === 'proxy_server' ?
		    ['--admin', '127.0.0.1:0'] : [];
		const r = ask(p, '--data', d, ...rest, flag,
		    `127.0.0.1:${s.address().port}`);
		s.close();
		assert.equal(r.code, 4, r.err);
		assert.match(lines(r.err).at(-1), /in use/i);
	});
	test(`${p}: a key others may read is refused`, () => {
		const d = mkdtempSync(join(dir, 'k'));
		const key = join(d, 'link.key');
		writeFileSync(key, `${'ab'.repeat(32)}\n`);
		chmodSync(key, 0o644);
		writeFileSync(join(d, 'token.key'), `${'ab'.repeat(32)}\n`,
		    { mode: 0o600 });
		const at = p === 'proxy_server' ? ['--link-listen', '127.0.0.1:0',
		    '--admin', '127.0.0.1:0'] : p === 'msg_server' ?
		    ['--listen', '127.0.0.1:0', '--direct', '127.0.0.1:0', '--admin',
		    '127.0.0.1:0'] : ['--listen', '127.0.0.1:0'];
		const r = ask(p, '--data', d, ...at);
		assert.equal(r.code, 2, `${r.code} ${r.err}`);
		assert.match(r.err, /link\.key/);
	});
}

describe('a running cluster', () => {
	let c;
	before(async () => { c = await Cluster.start({ msgs: 1 }); });
	after(() => c?.stop());

	test('health, readiness, status and metrics', async () => {
		const [m] = c.msgs, [p] = c.proxies;
		assert.equal((await fetch(m.ports.public, '/healthz')).status, 200);
		assert.equal((await fetch(m.ports.direct, '/healthz')).status, 200);
		for (const d of [m, p]) {
			assert.equal((await d.fetch('/healthz')).status, 200);
			assert.equal((await d.fetch('/readyz')).status, 200);
			const s = await d.fetch('/status');
			assert.equal(s.status, 200);
			assert.equal(s.json.name ?? s.json.id, d.name);
			const t = await d.fetch('/metrics');
			assert.match(t.headers['content-type'], /^text\/plain/);
			for (const line of lines(t.body).filter(l => l[0] !== '#'))
				assert.match(line,
				    /^[a-z_]+(\{[^}]*\})? -?[0-9.e+]+(nan)?$/i);
		}
		assert.equal((await c.config.fetch('/healthz')).status, 200);
		assert.equal((await c.config.fetch('/readyz')).status, 200);
	});
	test('status and metrics are not on the public port', async () => {
		for (const path of ['/status', '/metrics', '/readyz'])
			assert.equal((await fetch(c.msgs[0].ports.public, path))
			    .status, 404);
	});
	test('metrics count connections', async () => {
		const [m] = c.msgs;
		const n = async () => Number(/^\w*connections(?:\{[^}]*\})? (\d+)/m
		    .exec((await m.fetch('/metrics')).body)?.[1]);
		const was = await n();
		const a = await Client.login(m.ws, 'counted', '77');
		await until('one more', async () => await n() === was + 1);
		await a.bye();
		await until('one less', async () => await n() === was);
	});
	test('a second server of the same name does not start', () => {
		const [m] = c.msgs;
		const r = spawnSync(m.program, [...m.args, '--listen', '127.0.0.1:0',
		    '--direct', '127.0.0.1:0', '--admin', '127.0.0.1:0'],
		    { encoding: 'utf8', timeout: 5000 });
		assert.notEqual(r.status, 0);
		assert.notEqual(r.status, null, 'it runs');
	});
	test('stop is exit code 0, and clients are told to come back', async () => {
		const [m] = c.msgs;
		const a = await Client.login(m.ws, 'leaving', '78');
		const stopped = m.stop('SIGTERM');
		const r = await a.dies([4200, 1001]);
		assert.equal(r.code, 4200);
		assert.deepEqual(await stopped, { code: 0, signal: null });
		m.killed = true;
	});
});

test('who falls by himself is noticed, even if he was to end', async () => {
	const c = await Cluster.start({ msgs: 1 });
	c.msgs[0].killed = true;	/* as who is told to end */
	c.msgs[0].signal('SIGABRT');
	await c.msgs[0].exit;
	await assert.rejects(c.stop(), /had fallen/);
});
