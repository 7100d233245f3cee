/* SPDX-License-Identifier: MIT */
/*
 * A WebSocket that goes nowhere: a test is its server.  Every socket the SDK
 * opens stands in `sockets`; `until` waits for what the SDK does next.
 */
export class FakeSocket {
	static sockets = [];
	static last() { return FakeSocket.sockets.at(-1); }
	static reset() { FakeSocket.sockets = []; }

	sent = [];
	constructor(url)
	{
		this.url = url;
		this.at = Date.now();
		FakeSocket.sockets.push(this);
	}

	/* ---- the SDK's side */
	send(text) { this.sent.push(JSON.parse(text)); }
	close(code) { this.closed = code ?? 1005; }

	/* ---- the test's side */
	open() { this.onopen?.({}); }
	give(...frames)
	{
		for (const f of frames)
			this.onmessage?.({ data: typeof f === 'string' ? f
			    : JSON.stringify(f) });
	}
	drop(code = 1006, reason = '') { this.onclose?.({ code, reason }); }
	of(cmd) { return this.sent.filter(f => f.cmd === cmd); }

	/* Opened and logged in as 1001, with the given positions. */
	welcome(pos = {}, more = {})
	{
		this.open();
		const f = this.of('login').at(-1);
		this.give({ cmd: 'login', uid: '1001', name: f.name, rid: f.rid, v: 2,
		    cid: f.cid, ping: 25, retry: { base: 500, max: 20000 }, alt: [],
		    limit: { msg: 4096, rate: [5, 20], rooms: 128 }, pos, ...more });
		return f;
	}
}

export const until = async (what, fn, ms = 15000) => {
	const end = Date.now() + ms;
	for (;;) {
		const v = fn();
		if (v)
			return v;
		if (Date.now() > end)
			throw new Error(`not within ${ms} ms: ${what}`);
		await new Promise(r => { setTimeout(r, 2); });
	}
};

/* Everything that is due has run. */
export const settle = () => new Promise(r => { setImmediate(r); });
