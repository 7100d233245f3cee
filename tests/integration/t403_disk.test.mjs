/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * A data directory that is no good: one clear line and exit code 5, nothing
 * overwritten; and a disk that fills up under a running chat.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, mkdtempSync, readFileSync,
    rmSync, truncateSync, writeFileSync, readdirSync, openSync, writeSync,
    closeSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Cluster, build } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

const dir = mkdtempSync(join(tmpdir(), 'cchat-test-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/* A data directory with a hundred messages in it, made by a real cluster. */
let good;
before(async () => {
	const c = await Cluster.start({ msgs: 1 });
	try {
		const a = await Client.login(c.msgs[0].ws, 'amy', '1');
		for (let i = 0; i < 100; i++)
			await a.say('1', `message ${i} ${'x'.repeat(200)}`);
		await a.bye();
		for (const d of [...c.msgs, ...c.proxies, c.config])
			await d.stop();
		good = join(dir, 'good');
		mkdirSync(good);
		for (const f of readdirSync(c.data, { withFileTypes: true }))
			if (f.isFile())
				copyFileSync(join(c.data, f.name), join(good, f.name));
		for (const d of c.all)
			d.killed = true;
	} finally {
		await c.stop();
	}
});

function
copy()
{
	const to = mkdtempSync(join(dir, 'd'));
	for (const f of readdirSync(good))
		copyFileSync(join(good, f), join(to, f));
	return to;
}

function
start(program, data)
{
	const at = program === 'config_server' ? ['--listen', '127.0.0.1:0'] :
	    ['--link-listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
	const r = spawnSync(join(build, program, program), ['--data', data,
	    '--name', 'px1', ...at], { encoding: 'utf8', timeout: 4000 });
	return { code: r.status, err: r.stderr, alive: r.error?.code ===
	    'ETIMEDOUT' };
}

const files = { proxy_server: 'messages.db', config_server: 'topology.db' };
const poke = (file, at, bytes) => {
	const fd = openSync(file, 'r+');
	writeSync(fd, bytes, 0, bytes.length, at);
	closeSync(fd);
};
const damage = {
	garbage: f => writeFileSync(f, Buffer.alloc(8192, 0x5a)),
	'another program\'s database': f => poke(f, 68,
	    Buffer.from([1, 2, 3, 4])),
	'a newer version': f => poke(f, 60, Buffer.from([0, 0, 0, 99])),
	'cut in half': f => truncateSync(f, readFileSync(f).length >> 1),
	'a directory in its place': f => {
		rmSync(f);
		mkdirSync(f);
	},
};

for (const [program, name] of Object.entries(files))
	for (const [what, harm] of Object.entries(damage))
		test(`${program}: ${what}`, () => {
			const d = copy(), f = join(d, name);
			for (const s of ['-wal', '-shm'])
				rmSync(f + s, { force: true });
			harm(f);
			const before = existsSync(f) && what !== 'a directory in its place' ?
			    readFileSync(f) : null;
			const r = start(program, d);
			assert.equal(r.code, 5, r.err);
			assert.ok(!r.alive);
			const said = r.err.split('\n').filter(l =>
			    l.includes(name) || / error /.test(l));
			assert.equal(said.length, 1, r.err);
			assert.match(said[0], new RegExp(name.replace('.', '\\.')));
			if (before)
				assert.ok(before.equals(readFileSync(f)),
				    'the file was written to');
		});
test('an untouched copy starts, and says nothing bad', () => {
	const r = start('proxy_server', copy());
	assert.ok(r.alive, `ended with ${r.code}: ${r.err}`);
});
test('rubbish behind the end of the WAL does no harm', () => {
	const d = copy();
	appendFileSync(join(d, 'messages.db-wal'), Buffer.alloc(5000, 0x77));
	const r = start('proxy_server', d);
	assert.ok(r.alive, `ended with ${r.code}: ${r.err}`);
});
