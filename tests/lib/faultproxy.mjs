/* SPDX-License-Identifier: MIT */
/*
 * A TCP relay that misbehaves on command, between any two of our processes or
 * between a browser and a server.
 */
import net from 'node:net';

export class FaultProxy {
	/* target: a port, or a function giving one. */
	static listen(target, port = 0)
	{
		const f = new FaultProxy(target);
		return new Promise((resolve, reject) => {
			f.server = net.createServer({ allowHalfOpen: true },
			    s => f.accept(s));
			f.server.on('error', reject);
			f.server.listen(port, '127.0.0.1', () => {
				f.port = f.server.address().port;
				resolve(f);
			});
		});
	}

	constructor(target)
	{
		this.target = target;
		this.pairs = new Set();
		this.refusing = false;	/* new connections are reset */
		this.holding = false;	/* nothing passes, nothing closes */
		this.wait = 0;	/* ms every piece is late */
		this.corrupt = 0;	/* one byte in so many is changed */
		this.bytes = 0;
		this.accepted = [];	/* times of connection attempts */
	}

	accept(a)
	{
		this.accepted.push(performance.now());
		a.on('error', () => {});
		if (this.refusing) {
			a.resetAndDestroy();
			return;
		}
		const port = typeof this.target === 'function' ? this.target() :
		    this.target;
		const b = net.connect({ port, host: '127.0.0.1',
		    allowHalfOpen: true });
		const pair = { a, b, held: [] };
		this.pairs.add(pair);
		const gone = () => {
			this.pairs.delete(pair);
			if (!this.holding) {
				a.destroy();
				b.destroy();
			}
		};
		for (const [x, y] of [[a, b], [b, a]]) {
			x.setNoDelay(true);
			x.on('error', () => (x === b && !this.holding ?
			    a.resetAndDestroy() : gone()));
			x.on('close', gone);
			x.on('end', () => this.pass(pair, () => y.end()));
			x.on('data', d => this.pass(pair, () => {
				this.bytes += d.length;
				if (this.corrupt)
					for (let i = 0; i < d.length; i++)
						if (Math.random() * this.corrupt < 1)
							d[i] ^= 1 << Math.random() * 8;
				if (!y.destroyed)
					y.write(d);
			}));
		}
	}

	pass(pair, fn)
	{
		if (this.holding)
			pair.held.push(fn);
		else if (this.wait)
			setTimeout(fn, this.wait);
		else
			fn();
	}

	/* Cuts every connection with RST. */
	reset()
	{
		for (const p of [...this.pairs]) {
			p.a.resetAndDestroy();
			p.b.resetAndDestroy();
		}
	}

	/* While on, bytes are kept; off lets them through. */
	blackhole(on)
	{
		this.holding = on;
		if (!on)
			for (const p of this.pairs) {
				const held = p.held;
				p.held = [];
				held.forEach(fn => fn());
			}
	}

	refuse(on)
	{
		this.refusing = on;
	}

	delay(ms)
	{
		this.wait = ms;
	}

	close()
	{
		this.holding = false;
		this.server.close();
		for (const p of this.pairs) {
			p.a.destroy();
			p.b.destroy();
		}
	}
}
