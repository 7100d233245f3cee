/* SPDX-License-Identifier: MIT */
/*
 * Time that a test turns by hand: timers and Date.now() of the whole process
 * until done().  pass(ms) runs what falls due, in order, and lets promises
 * settle after each.
 */
const real = { setTimeout, clearTimeout, setInterval, clearInterval,
    now: Date.now };

export class Clock {
	#now = 1e12;
	#due = [];
	#id = 0;

	constructor()
	{
		const at = (fn, ms, every) => {
			const t = { id: ++this.#id, fn, at: this.#now + (+ms || 0),
			    every, unref() { return t; }, ref() { return t; } };
			this.#due.push(t);
			return t;
		};
		const off = t => {
			this.#due = this.#due.filter(x => x !== t);
		};
		globalThis.setTimeout = (fn, ms, ...a) => at(() => fn(...a), ms, 0);
		globalThis.setInterval = (fn, ms, ...a) =>
		    at(() => fn(...a), ms, Math.max(1, ms));
		globalThis.clearTimeout = globalThis.clearInterval = off;
		Date.now = () => this.#now;
	}

	get now() { return this.#now; }

	/* Promises that are ready, and those behind them. */
	async settle()
	{
		for (let i = 0; i < 4; i++)
			await new Promise(r => { setImmediate(r); });
	}

	async pass(ms)
	{
		const end = this.#now + ms;
		await this.settle();
		for (;;) {
			const t = this.#due.filter(x => x.at <= end).sort((a, b) =>
			    a.at - b.at || a.id - b.id)[0];
			if (!t)
				break;
			this.#now = Math.max(this.#now, t.at);
			if (t.every)
				t.at += t.every;
			else
				this.#due.splice(this.#due.indexOf(t), 1);
			t.fn();
			await this.settle();
		}
		this.#now = end;
		await this.settle();
	}

	done()
	{
		const { now, ...timers } = real;
		Object.assign(globalThis, timers);
		Date.now = now;
	}
}
