/* SPDX-License-Identifier: MIT */
/*
 * SipHash-2-4 with 128 bits, as shared/base/sip.h: what the servers seal their
 * keys with (shared/base/seal.h). Written apart from it, to hold it to.
 */

/* key: 16 bytes or more, of which the first 16 count; both are Buffers */
export function
sip(key, text)
{
	const word = (b, i) => b.readBigUInt64LE(i);
	const u64 = n => BigInt.asUintN(64, n);
	const turn = (n, bits) => u64(n << bits) | n >> (64n - bits);
	const [k0, k1] = [word(key, 0), word(key, 8)];
	const v = [k0 ^ 0x736f6d6570736575n, k1 ^ 0x646f72616e646f6dn ^ 0xeen,
	    k0 ^ 0x6c7967656e657261n, k1 ^ 0x7465646279746573n];
	const mix = (a, b, bits) => {
		v[a] = u64(v[a] + v[b]);
		v[b] = turn(v[b], bits) ^ v[a];
	};
	const rounds = n => {
		for (; n > 0; n--) {
			mix(0, 1, 13n);
			v[0] = turn(v[0], 32n);
			mix(2, 3, 16n);
			mix(0, 3, 21n);
			mix(2, 1, 17n);
			v[2] = turn(v[2], 32n);
		}
	};
	const all = Buffer.concat([text, Buffer.alloc(8 - text.length % 8)]);
	all[all.length - 1] = text.length;
	for (let i = 0; i < all.length; i += 8) {
		v[3] ^= word(all, i);
		rounds(2);
		v[0] ^= word(all, i);
	}
	const out = Buffer.alloc(16);
	v[2] ^= 0xeen;
	rounds(4);
	out.writeBigUInt64LE(v[0] ^ v[1] ^ v[2] ^ v[3], 0);
	v[1] ^= 0xddn;
	rounds(4);
	out.writeBigUInt64LE(v[0] ^ v[1] ^ v[2] ^ v[3], 8);
	return out;
}
