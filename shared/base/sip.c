/* SPDX-License-Identifier: MIT */
/*
 * SipHash-2-4 with 128 bits. See sip.h. Words are little-endian, as it wants.
 */
#include "shared/base/sip.h"

#include <endian.h>
#include <string.h>

static inline uint64_t
sip_turn(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void
sip_rounds(uint64_t v[4], unsigned n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = sip_turn(v[1], 13) ^ v[0];
		v[3] = sip_turn(v[3], 16) ^ v[2];
		v[0] = sip_turn(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = sip_turn(v[1], 17) ^ v[2];
		v[3] = sip_turn(v[3], 21) ^ v[0];
		v[2] = sip_turn(v[2], 32);
	}
}

static inline void
sip_word(struct sip *s, uint64_t m)
{
	s->v[3] ^= m;
	sip_rounds(s->v, 2);
	s->v[0] ^= m;
}

static uint64_t
sip_load(const uint8_t *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof w);
	return le64toh(w);
}

static void
sip_store(uint8_t *p, uint64_t w)
{
	w = htole64(w);
	memcpy(p, &w, sizeof w);
}

void
sip_begin(struct sip *s, const uint8_t key[SIP_KEY])
{
	uint64_t k[2] = {sip_load(key), sip_load(key + 8)};

	/* "somepseudorandomlygeneratedbytes"; 0xee: of 128 bits */
	s->v[0] = k[0] ^ 0x736f6d6570736575ULL;
	s->v[1] = k[1] ^ 0x646f72616e646f6dULL ^ 0xee;
	s->v[2] = k[0] ^ 0x6c7967656e657261ULL;
	s->v[3] = k[1] ^ 0x7465646279746573ULL;
	s->tail = s->n = 0;
}

void
sip_add(struct sip *s, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (; n > 0 && s->n % 8 != 0; n--) {
		s->tail |= (uint64_t)*b++ << s->n % 8 * 8;
		if (++s->n % 8 == 0) {
			sip_word(s, s->tail);
			s->tail = 0;
		}
	}
	for (; n >= 8; n -= 8, b += 8, s->n += 8)
		sip_word(s, sip_load(b));
	for (; n > 0; n--)
		s->tail |= (uint64_t)*b++ << s->n++ % 8 * 8;
}

void
sip_end(struct sip *s, uint8_t out[SIP_LEN])
{
	sip_word(s, s->tail | s->n << 56);
	s->v[2] ^= 0xee;
	sip_rounds(s->v, 4);
	sip_store(out, s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3]);
	s->v[1] ^= 0xdd;
	sip_rounds(s->v, 4);
	sip_store(out + 8, s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3]);
}
