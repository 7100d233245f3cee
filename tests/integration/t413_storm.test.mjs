/* SPDX-License-Identifier: MIT */
/* needs: node build */
/*
 * Many who lose their connection at once and come back with their positions,
 * by a reset and because their msg_server is killed; and some who stop
 * reading: the scenes drop and stall of the load generator in small, against
 * real servers, with recent items in memory and without. Nothing is lost,
 * doubled or out of order, and with the memory nothing is asked of the log.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { build, Cluster } from '../lib/cluster.mjs';

const bench = join(build, 'tests/bench/cchat_bench');

function
run(c, ...args)
{
	const at = what => c.msgs.map(m => `127.0.0.1:${m.ports[what]}`);
	const all = [...c.proxies, ...c.msgs];
	return new Promise(r => execFile(bench, [...args, '--json',
	    `--target=${at('direct')}`,
	    `--pids=${all.map(d => `${d.name}=${d.pid}`)}`,
	    `--admins=${all.map(d => `${d.name}=127.0.0.1:${d.ports.admin}`)}`],
	    { timeout: 240000 }, (err, out, stderr) => r({
		status: err ? err.code ?? err.signal : 0, stderr,
		f: out.trim() ? JSON.parse(out) : {},
	    })));
}

/* all that was said against it: a busy server asks to come again */
const isBusy = ({ status, f, stderr }) => status === 3 && f.errors > 0 &&
    stderr.trim().split('\n').every(l => /"errCode":503,.*"retry":\d+/.test(l));

const none = r => {
	const { status, f, stderr } = r;
	if (!isBusy(r))
		assert.equal(status, 0, stderr + JSON.stringify(f));
	assert.deepEqual([f.lost, f.doubled, f.out_of_order, f.gaps, f.cut_short],
	    [0, 0, 0, 0, 0]);
};

const drop = ['drop', '--rooms=10', '--members=40', '--rate=300',
    '--seconds=0.5', '--away=1'];

for (const recent_mib of [32, 0])
	test(`a storm of 400, recent_mib ${recent_mib}`, async () => {
		const c = await Cluster.start({ msgs: 2,
		    conf: { msg_server: { recent_mib } } });
		const pages = f => [f.recent_hits > 0, f.recent_misses > 0,
		    f.log_file_reads + f.log_memory_reads > 0];
		try {
			for (const more of [[], ['--kill=ms1']]) {
				c.msgs[0].killed = more.length > 0;
				const r = await run(c, ...drop, ...more);
				none(r);
				assert.deepEqual([r.f.dropped, r.f.back], [400, 400]);
				/* missed 30 each */
				assert.ok(r.f.expected > 400 * 30);
				assert.deepEqual(pages(r.f), recent_mib ?
				    [true, false, false] : [false, true, true],
				    JSON.stringify(r.f));
			}
		} finally {
			await c.stop();
		}
	});

test('two who do not read for twelve seconds', async () => {
	const c = await Cluster.start({ msgs: 1 });
	try {
		const r = await run(c, 'stall', '--rooms=1', '--members=30',
		    '--senders=19', '--stalled=100', '--rate=250', '--hold=12',
		    '--size=3500', '--seconds=0.5');
		none(r);
		assert.deepEqual([r.f.stalled, r.f.level, r.f.gone], [2, 2, 0]);
		assert.ok(r.f.lagged >= 2, JSON.stringify(r.f));
		/*
		 * What was said is 10 MB for each, of which the kernel takes some; a
		 * queue is 256 KiB. A sanitizer keeps what is freed, 256 MiB of it.
		 */
		assert.ok(r.f.msg_rss_growth < 4e6 || c.msgs[0].sanitized,
		    JSON.stringify(r.f));
	} finally {
		await c.stop();
	}
});
