/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * Settings and keys read again while people chat: what may change does, at once
 * and for those who are connected; a mistake changes nothing; logs are opened
 * anew; nobody is disconnected.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync,
    rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { build, Cluster, loopback, until, www } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

const PATIENCE = 20000;
const b64 = x => Buffer.from(JSON.stringify(x)).toString('base64url');
const token = (key, uid) => {
	const s = `${b64({ alg: 'HS256', typ: 'JWT' })}.` + b64({ sub: uid,
	    name: uid, exp: Math.floor(Date.now() / 1000) + 3600 });
	return `${s}.${createHmac('sha256', key).update(s).digest('base64url')}`;
};
const newKey = path => {
	const key = randomBytes(32);
	writeFileSync(path, `${key.toString('hex')}\n`, { mode: 0o600 });
	return key;
};
const newsOf = async d => (await d.fetch('/reloads')).json;

/* SIGHUP, and its answer once it has read everything again */
async function
reload(d)
{
	const { count } = await newsOf(d);
	d.signal('SIGHUP');
	return until(`${d.name} has read its settings`, async () => {
		const news = await newsOf(d);
		return news.count > count && news;
	}, PATIENCE);
}

describe('a daemon at a SIGHUP', () => {
	let c, a, key, newest, log;
	const conf = more => c.configure({ msg_server: { auth: 'token', allow_no_origin: 'yes',
	    api_key_file: join(c.dir, 'api.key'), log_file: log, ...more },
	    proxy_server: { disk_warn: 0 } });

	before(async () => {
		c = new Cluster({ msgs: 1 });
		log = join(c.dir, 'ms.log');
		writeFileSync(join(c.dir, 'api.key'), 'first-key-0123456\n',
		    { mode: 0o600 });
		key = newKey(join(c.data, 'token.key'));
		conf({});
		await c.up();
		a = await Client.login(c.msgs[0].ws, 'amy', '1',
		    { token: token(key, 'amy') });
	});
	after(() => c?.stop());

	test('nothing new is nothing new', async () => {
		const news = await reload(c.msgs[0]);
		assert.deepEqual([news.changed, news.later, news.error],
		    [[], [], undefined]);
		await a.say('1', 'still here');
	});

	test('another rate holds for those who are connected', async () => {
		for (let i = 0; i < 10; i++)
			await a.say('1', `fast ${i}`);
		conf({ send_rate: 1, send_burst: 2 });
		const news = await reload(c.msgs[0]);
		assert.deepEqual(news.changed.sort(), ['send_burst', 'send_rate']);
		const codes = await Promise.all([...Array(10)].map((_, i) =>
		    a.say('1', `slow ${i}`).then(() => 200, e => e.errCode)));
		assert.ok(codes.includes(429), `${codes}`);
		conf({});
		await reload(c.msgs[0]);
		for (let i = 0; i < 10; i++)
			await a.say('1', `fast again ${i}`);
	});

	test('a mistake in the file changes nothing, and is said', async () => {
		const good = readFileSync(c.confFile, 'utf8');
		for (const [bad, why] of [['msg_server {\n\tsend_rat = 1\n}\n',
		    /no such setting 'send_rat'/],
		    ['msg_server {\n\tmsg_max = 0\n}\n', /msg_max/],
		    ['msg_server {\n\tmsg_max = 99\n', /never closed/]]) {
			writeFileSync(c.confFile, bad);
			const news = await reload(c.msgs[0]);
			assert.match(news.error, why);
			assert.match(news.error, /cchat\.conf:\d/);
			assert.deepEqual(news.changed, []);
			assert.match((await c.msgs[0].fetch('/metrics')).body,
			    /^cchat_settings_mistake 1$/m);
		}
		assert.match(readFileSync(log, 'utf8'),
		    /error msg_server ms1: settings: .*send_rat/);
		await a.say('1', 'x'.repeat(100));
		writeFileSync(c.confFile, good);
		assert.equal((await reload(c.msgs[0])).error, undefined);
	});

	test('what takes a restart is named, and stays', async () => {
		conf({ recent_mib: 7, v1_interval: 9 });
		const news = await reload(c.msgs[0]);
		assert.deepEqual(news.changed, ['v1_interval']);
		assert.deepEqual(news.later, ['recent_mib']);
		assert.match(readFileSync(log, 'utf8'),
		    /at the next start: recent_mib$/m);
		conf({});
		await reload(c.msgs[0]);
	});

	test('a new token key, with the old one good for a while', async () => {
		const old = join(c.dir, 'old.key');
		const login = k => Client.login(c.msgs[0].ws, 'bob', '1',
		    { token: token(k, 'bob') });

		copyFileSync(join(c.data, 'token.key'), old);
		const fresh = newKey(join(c.data, 'token.key'));
		newest = fresh;
		await assert.rejects(login(fresh), /401|4003|403/);
		conf({ token_key_old: old });
		assert.deepEqual((await reload(c.msgs[0])).changed.sort(),
		    ['token_key', 'token_key_old']);
		for (const k of [fresh, key])
			await (await login(k)).bye();
		conf({});
		await reload(c.msgs[0]);
		await (await login(fresh)).bye();
		await assert.rejects(login(key), /401|4003|403/);
		/* who came with it stays */
		await a.say('1', 'my token was of the old key');

		writeFileSync(join(c.data, 'token.key'), 'no key\n');
		assert.match((await reload(c.msgs[0])).error,
		    /token key .*not 64 hex digits/);
		await (await login(fresh)).bye();
		writeFileSync(join(c.data, 'token.key'),
		    `${fresh.toString('hex')}\n`);
		assert.equal((await reload(c.msgs[0])).error, undefined);
	});

	test('a new key of the HTTP interface', async () => {
		const ask = async k => (await c.msgs[0].constructor.prototype
		    .fetch.call({ ports: { http: c.msgs[0].ports.public } },
		    '/v1/rooms', { headers: { authorization: `Bearer ${k}` } }))
		    .status;

		assert.equal(await ask('first-key-0123456'), 200);
		assert.equal(await ask('second-key-012345'), 401);
		writeFileSync(join(c.dir, 'api.key'), 'second-key-012345\n');
		assert.deepEqual((await reload(c.msgs[0])).changed,
		    ['api_key_file']);
		assert.equal(await ask('first-key-0123456'), 401);
		assert.equal(await ask('second-key-012345'), 200);
	});

	test('a log that was moved away is begun anew', async () => {
		const was = `${log}.1`;

		renameSync(log, was);
		const end = readFileSync(was).length;
		await reload(c.msgs[0]);
		assert.match(readFileSync(log, 'utf8'), /settings are read again/);
		assert.equal(readFileSync(was).length, end);
		/* the terminal had the lines of the start, and no more */
		assert.match(c.msgs[0].log, /listening on .* \(public\)/);
		assert.ok(!c.msgs[0].log.includes('settings are read'));
	});

	test('proxy_server and config_server, too', async () => {
		c.configure({ msg_server: { auth: 'token', allow_no_origin: 'yes' },
		    proxy_server: { disk_warn: 1048576, keep_days: 7 } });
		const px = await reload(c.proxies[0]);
		assert.deepEqual([px.changed, px.later],
		    [['disk_warn'], ['keep_days']]);
		/* less is free than a TiB: that is an alarm, not an outage */
		await until('the alarm', async () => (await c.proxies[0]
		    .fetch('/readyz')).json.checks.disk === 'low', PATIENCE);
		assert.equal((await c.proxies[0].fetch('/readyz')).status, 200);
		assert.match((await c.proxies[0].fetch('/metrics')).body,
		    /^cchat_proxy_disk_low 1$/m);
		assert.match(c.proxies[0].log, /warn .*MiB left on the disk.*disk_warn/);
		await a.say('1', 'taken, all the same');
		c.configure({ msg_server: { auth: 'token', allow_no_origin: 'yes' },
		    proxy_server: { disk_warn: 0 },
		    config_server: { log_level: 'debug' } });
		await reload(c.proxies[0]);
		await until('its end', async () => (await c.proxies[0]
		    .fetch('/readyz')).json.checks.disk === 'ok', PATIENCE);
		assert.deepEqual((await reload(c.config)).changed, ['log_level']);
	});

	test('a new key of the links is for links to come', async () => {
		newKey(join(c.data, 'link.key'));
		for (const d of [c.config, c.proxies[0], c.msgs[0]])
			assert.ok((await reload(d)).changed.includes('link_key'));
		await a.say('1', 'over the links of before');
		/* who comes anew has the new one, and they meet */
		const ms2 = await c.newMsg().start();
		await ms2.ready();
		const b = await Client.login(ms2.ws, 'bea', '1',
		    { token: token(newest, 'bea') });
		await b.say('1', 'over a link of now');
		await a.hear('over a link of now', PATIENCE);
		await b.bye();
		await c.proxies[0].kill();
		await c.proxies[0].start();
		await c.msgs[0].ready(PATIENCE);
		await a.say('1', 'over the new link', { ms: PATIENCE });
	});

	test('all the while nobody was disconnected', () => {
		assert.equal(a.closed, null);
		assert.equal(a.seen.filter(f => f.cmd === 'login').length, 1);
	});
});

describe('cchatctl reload', () => {
	const dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
	const data = join(dir, 'data'), file = join(dir, 'cchat.conf');
	const ctl = (verb, ...args) => {
		const r = spawnSync(join(build, 'config_server', 'cchatctl'),
		    [verb, ...args, '--data', data], { encoding: 'utf8',
		    timeout: 60000, cwd: dir,
		    env: { ...process.env, NO_COLOR: '1' } });
		let json;
		try {
			json = JSON.parse(r.stdout);
		} catch { /* not every answer is JSON */ }
		return { code: r.status, out: r.stdout, err: r.stderr, json };
	};
	let a;

	after(async () => {
		a?.drop();
		ctl('stop');
		rmSync(dir, { recursive: true, force: true });
	});

	test('of all, and of one', async () => {
		const host = loopback(), any = `${host}:0`;

		assert.equal(ctl('reload').code, 3);
		writeFileSync(file, 'msg_server {\n\tmsg_max = 100\n}\n');
		const r = ctl('start', '-d', '-c', 'cchat.conf', '--www', www,
		    '--listen', `${host}:9503`, '--direct', any,
		    '--admin', any, '--link-listen', any, '--proxy-admin', any,
		    '--config-server', any);
		assert.equal(r.code, 0, r.err);
		const { servers } = ctl('status', '--json').json;
		a = await Client.login(`ws://${servers.find(s =>
		    s.name === 'ms1').direct}/ws`, 'amy', '1');
		await assert.rejects(a.say('1', 'x'.repeat(101)), /413/);
		writeFileSync(file, 'msg_server {\n\tmsg_max = 200\n}\n');
		const one = ctl('reload', 'ms2', '--json');
		assert.equal(one.code, 0, one.err);
		assert.deepEqual(one.json.list.map(s => [s.name, s.changed]),
		    [['ms2', ['msg_max']]]);
		await assert.rejects(a.say('1', 'x'.repeat(101)), /413/);
		const all = ctl('reload');
		assert.equal(all.code, 0, all.out);
		assert.match(all.out, /^ms1 +read +msg_max$/m);
		assert.match(all.out, /^ms2 +read +nothing new$/m);
		assert.match(all.out, /^proxy1 +read +nothing new$/m);
		await a.say('1', 'x'.repeat(101));
		assert.match(ctl('reload', 'ms9').err, /called ms9/);
	});

	test('a mistake is shown, and the exit code says so', () => {
		writeFileSync(file, 'msg_server {\n\tmsg_max = many\n}\n');
		const r = ctl('reload');
		assert.equal(r.code, 1);
		assert.match(r.out, /^ms1 +mistake +cchat\.conf:2: /m);
		assert.match(r.out, /^proxy1 +read +nothing new$/m);
		writeFileSync(file, 'msg_server {\n\tmsg_max = 200\n}\n');
		assert.equal(ctl('reload').code, 0);
	});

	test('logs that were moved away are begun anew', async () => {
		for (const name of ['ms1', 'cchatctl'])
			if (existsSync(join(data, 'log', `${name}.log`)))
				renameSync(join(data, 'log', `${name}.log`),
				    join(data, 'log', `${name}.old`));
		assert.equal(ctl('reload').code, 0);
		await until('a new log', () => readFileSync(
		    join(data, 'log', 'ms1.log'), 'utf8').includes('read again'),
		    PATIENCE);
		assert.ok(existsSync(join(data, 'log', 'cchatctl.log')));
		await a.say('1', 'still here');
		assert.equal(a.closed, null);
		assert.ok(ctl('status', '--json').json.servers.every(s =>
		    s.restarts === 0));
	});
});
