/* SPDX-License-Identifier: MIT */
/*
 * Chance that can be had again: the same seed and name give the same numbers,
 * however many others draw beside.
 */
export class Rng {
	constructor(seed, name = '')
	{
		let h = 2166136261;
		for (const c of `${seed}/${name}`)
			h = Math.imul(h ^ c.charCodeAt(0), 16777619);
		this.s = h >>> 0;
		for (let i = 0; i < 4; i++)
			this.next();
	}

	/* 0 <= x < 1 */
	next()
	{
		let t = this.s = this.s + 0x6d2b79f5 | 0;
		t = Math.imul(t ^ t >>> 15, t | 1);
		t ^= t + Math.imul(t ^ t >>> 7, t | 61);
		return ((t ^ t >>> 14) >>> 0) / 4294967296;
	}

	/* lo <= n <= hi */
	int(lo, hi)
	{
		return lo + Math.floor(this.next() * (hi - lo + 1));
	}

	pick(list)
	{
		return list[this.int(0, list.length - 1)];
	}

	chance(p)
	{
		return this.next() < p;
	}

	shuffle(list)
	{
		const a = [...list];
		for (let i = a.length - 1; i > 0; i--) {
			const k = this.int(0, i);
			[a[i], a[k]] = [a[k], a[i]];
		}
		return a;
	}
}
