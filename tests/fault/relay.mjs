/* SPDX-License-Identifier: MIT */
/*
 * The wire between two processes, and all that can happen to it: reset, black
 * hole (nothing passes, nothing closes), delay, changed bits.  A fault is set
 * on all connections or on those of one peer; links say their server's name in
 * the first frame, which is how they are told apart.
 */
import net from 'node:net';

/*
 * A reset, now.  resetAndDestroy() shuts down first; when that waits for a peer
 * who reads nothing and the socket is destroyed meanwhile, its handle is never
 * closed, and the process can't end.
 */
function
cut(s)
{
	if (!s.connecting && !s.writableEnded)
		s.resetAndClosing = true;
	s.destroy();
}

export class Relay {
	/* target(): the port to go to */
	static listen(target, names = [])
	{
		const r = new Relay(target, names);
		return new Promise((resolve, reject) => {
			r.server = net.createServer({ allowHalfOpen: true },
			    s => r.accept(s));
			r.server.on('error', reject);
			r.server.listen(0, '127.0.0.1', () => {
				r.port = r.server.address().port;
				resolve(r);
			});
		});
	}

	constructor(target, names)
	{
		this.target = target;
		this.names = names;
		this.pairs = new Set();
		this.socks = new Set();	/* also those whose other end is gone */
		this.holes = new Set();	/* names, or '*' */
		this.late = 0;
		this.flips = 0;
		this.flipped = 0;
	}

	get at()
	{
		return `127.0.0.1:${this.port}`;
	}

	accept(a)
	{
		const port = this.target();
		a.on('error', () => {});
		if (!port) {
			cut(a);
			return;
		}
		const b = net.connect({ port, host: '127.0.0.1',
		    allowHalfOpen: true });
		const pair = { a, b, name: null, ways: [] };
		this.pairs.add(pair);
		for (const [x, y] of [[a, b], [b, a]]) {
			const way = { x, y, queue: [], timer: null };
			pair.ways.push(way);
			this.socks.add(x);
			x.setNoDelay(true);
			x.on('data', d => {
				if (x === a && pair.name === null)
					pair.name = this.nameOf(d);
				this.push(pair, way, d);
			});
			x.on('end', () => this.push(pair, way, null));
			x.on('error', () => {
				cut(y);
				this.pairs.delete(pair);
			});
			x.on('close', () => {
				this.socks.delete(x);
				this.pairs.delete(pair);
				/* what waits for it to take more waits for ever */
				y.resume();
				if (!this.held(pair) && !way.queue.length &&
				    !y.destroyed && x.errored === null)
					y.end();
			});
			y.on('drain', () => x.resume());
		}
	}

	nameOf(d)
	{
		const s = d.toString('latin1', 0, 200);
		return this.names.find(n => s.includes(n)) ?? '?';
	}

	held(pair)
	{
		return this.holes.has('*') || this.holes.has(pair.name);
	}

	push(pair, way, d)
	{
		if (d && this.flips > 0 && d.length > 8) {
			this.flips--;
			this.flipped++;
			d = Buffer.from(d);
			d[Math.floor(d.length / 2)] ^= 0x10;
		}
		if (!way.queue.length && !this.late && !this.held(pair)) {
			this.write(way, d);
			return;
		}
		way.queue.push({ d, due: performance.now() + this.late });
		this.pump(pair, way);
	}

	pump(pair, way)
	{
		if (way.timer !== null || this.held(pair))
			return;
		while (way.queue.length) {
			const left = way.queue[0].due - performance.now();
			if (left > 1 && this.late) {
				way.timer = setTimeout(() => {
					way.timer = null;
					this.pump(pair, way);
				}, left);
				return;
			}
			this.write(way, way.queue.shift().d);
		}
	}

	write(way, d)
	{
		const { x, y } = way;
		if (y.destroyed)
			return;
		if (d === null)
			y.end();
		else if (!y.write(d) && y.writableLength > 1 << 20)
			x.pause();
	}

	reset(name = '*')
	{
		for (const p of [...this.pairs])
			if (name === '*' || p.name === name) {
				cut(p.a);
				cut(p.b);
				this.pairs.delete(p);
			}
	}

	hole(name, on)
	{
		if (on)
			this.holes.add(name);
		else
			this.holes.delete(name);
		this.pumpAll();
	}

	delay(ms)
	{
		this.late = ms;
		this.pumpAll();
	}

	corrupt(n)
	{
		this.flips = n;
	}

	pumpAll()
	{
		for (const p of this.pairs)
			for (const w of p.ways)
				this.pump(p, w);
	}

	heal()
	{
		this.holes.clear();
		this.flips = 0;
		this.delay(0);
	}

	close()
	{
		this.server.close();
		for (const s of this.socks)
			s.destroy();
	}
}
