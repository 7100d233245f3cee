/* SPDX-License-Identifier: MIT */
/*
 * The cluster of a fault run: every daemon under the shim, and a relay of ours
 * on every wire: in front of each proxy's link, of each msg_server and of the
 * config_server.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster, build, until } from '../lib/cluster.mjs';
import { Relay } from './relay.mjs';
import { Control, Disk, shimFile } from './shim.mjs';

export class Site extends Cluster {
	/*
	 * o.msgs, o.proxies; o.sync; o.tmpfs: MiB of a small disk for the data,
	 * where mounting is allowed.
	 */
	static async open(o)
	{
		const s = new Site({ ...o, conf: {
			proxy_server: { sync: o.sync, disk_min: 1 },
			msg_server: { room_title: 'any' },
		} });
		try {
			await s.prepare();
			await s.up();
		} catch (e) {
			await s.close();
			throw e;
		}
		return s;
	}

	async prepare()
	{
		this.shim = shimFile(build);
		this.controls = new Map();
		this.wires = new Map();	/* daemon's name -> Relay */
		this.crashes = [];
		this.small = this.o.tmpfs ? this.mount(this.o.tmpfs) : false;
		this.disk = new Disk(this.data, join(this.dir, 'undo'));
		const names = [];
		for (let i = 1; i <= this.o.msgs; i++)
			names.push(`ms${i}`);
		for (let i = 1; i <= this.o.proxies; i++)
			names.push(`px${i}`);
		const port = (name, what) => () => this.all.find(d =>
		    d.name === name && d.running)?.ports[what];
		for (const n of names)
			this.wires.set(n, await Relay.listen(port(n,
			    n[0] === 'm' ? 'direct' : 'link'), names));
		this.wires.set('cf1', await Relay.listen(port('cf1', 'http'), names));
		this.configVia = this.wires.get('cf1').port;
	}

	/* a disk of our own, of so many MiB; false where we may not */
	mount(mib)
	{
		const keys = ['link.key', 'token.key'].map(k => [join(this.data, k),
		    readFileSync(join(this.data, k))]);
		const r = spawnSync('mount', ['-t', 'tmpfs', '-o',
		    `size=${mib}m,mode=0700`, 'none', this.data]);
		if (r.status !== 0)
			return false;
		for (const [f, b] of keys)
			writeFileSync(f, b, { mode: 0o600 });
		return true;
	}

	dress(d)
	{
		if (!this.shim)
			return d;
		const c = new Control(join(this.dir, `${d.name}.ctl`));
		this.controls.set(d.name, c);
		d.env = d.kind === 'proxy_server' ? this.disk.env(c, this.shim) :
		    { LD_PRELOAD: this.shim, CCHAT_SHIM_CTL: c.file };
		/* a sanitizer's library wants to be the first */
		d.env.ASAN_OPTIONS = `${process.env.ASAN_OPTIONS ?? ''}:` +
		    'verify_asan_link_order=0';
		return d;
	}

	newConfig()
	{
		return this.dress(super.newConfig());
	}

	newProxy()
	{
		const d = this.dress(super.newProxy());
		d.args.push('--link-address', this.wires.get(d.name).at);
		return d;
	}

	newMsg()
	{
		return this.dress(super.newMsg());
	}

	control(d)
	{
		return this.controls.get(d.name);
	}

	wire(d)
	{
		return this.wires.get(d.name);
	}

	/* half of the people by our wire, half straight */
	urls()
	{
		return this.msgs.flatMap(m => [
		    `ws://127.0.0.1:${this.wires.get(m.name).port}/ws`,
		    `ws://127.0.0.1:${m.ports.direct}/ws`]);
	}

	/* fills the small disk to the last block; the ballast's end heals it */
	fill(on)
	{
		const f = join(this.data, 'ballast');
		if (!on) {
			rmSync(f, { force: true });
			return;
		}
		const { bavail, bsize } = statfsSync(this.data);
		spawnSync('dd', ['if=/dev/zero', `of=${f}`, 'bs=64k',
		    `count=${Math.ceil(bavail * bsize / 65536) + 1}`]);
	}

	heal()
	{
		for (const c of this.controls.values())
			c.heal();
		for (const w of this.wires.values())
			w.heal();
		if (this.small)
			this.fill(false);
		for (const d of this.all)
			d.signal('SIGCONT');
	}

	/*
	 * Everybody runs again.  Killed is what we killed, or a standby; whoever
	 * ended in another way and was not meant to has crashed.
	 */
	async ensureUp()
	{
		for (const d of this.all) {
			if (!d.running) {
				const { code, signal } = await d.exit;
				if (signal !== 'SIGKILL' && !d.mayExit?.has(code))
					this.crashes.push(`${d.name}: ${signal ?? code}\n` +
					    d.log.slice(-2000));
				await d.start();
			}
		}
	}

	/* a drain job: did the config_server take it? null: no answer */
	async drain(d, method, o)
	{
		try {
			const r = await this.config.fetch(`/v1/servers/${d.name}/drain`,
			    { method, ms: 1000, body: o && JSON.stringify(o),
			    headers: { 'Content-Type': 'application/json' } });
			return r.status === 200 || r.status === 202;
		} catch {
			return null;
		}
	}

	/* one active, one standby that knows it, every link up */
	whole()
	{
		return until('the cluster is whole', async () => {
			await this.ensureUp();
			for (const p of this.proxies) {
				const r = await p.fetch('/readyz');
				if (r.status !== 200)
					throw new Error(`${p.name}: ${r.body.trim()}`);
			}
			for (const m of this.msgs) {
				const ready = await m.fetch('/readyz');
				if (ready.status !== 200)
					throw new Error(`${m.name}: ${ready.body.trim()}`);
				const { json } = await m.fetch('/status');
				const up = json.relay.links.filter(l => l.up).length;
				if (up < this.proxies.length)
					throw new Error(`${m.name}: ${up} links`);
			}
			return true;
		}, 15000);
	}

	async close(keep)
	{
		this.heal();
		await this.stop({ check: false, keep: true }).catch(() => {});
		for (const w of this.wires.values())
			w.close();
		for (const c of this.controls.values())
			c.close();
		if (this.small)
			spawnSync('umount', [this.data]);
		if (!keep)
			rmSync(this.dir, { recursive: true, force: true });
	}

	/* what no daemon may ever say */
	alarms()
	{
		const bad = /Sanitizer|runtime error:|[Aa]ssertion|double free|corrupted size|Segmentation/;
		return this.all.flatMap(d => [...d.struck, ...d.log.split('\n').filter(
		    l => bad.test(l)).slice(0, 3)].map(l => `${d.name}: ${l}`));
	}
}
