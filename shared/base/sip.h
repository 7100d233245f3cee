/* SPDX-License-Identifier: MIT */
/*
 * SipHash-2-4 with 128 bits (Aumasson and Bernstein): a MAC for short texts,
 * for what is made so often that HMAC-SHA-256 would be felt (seal.h). It is a
 * pseudorandom function under a secret key of 128 bits: who has not the key
 * finds the tag of a text by guessing alone, 2^-128 a try, and the key by
 * trying 2^128. It is no hash: where the key is known it protects nothing.
 *
 * Text may come in pieces; they are one text, wherever it was cut. Allocates
 * nothing, keeps nothing behind sip_end().
 */
#ifndef SHARED_BASE_SIP_H
#define SHARED_BASE_SIP_H

#include <stddef.h>
#include <stdint.h>

enum { SIP_KEY = 16, SIP_LEN = 16 };

struct sip {
	uint64_t v[4];
	uint64_t tail; /* bytes that make no whole word yet, the first lowest */
	uint64_t n;    /* of all bytes */
};

void sip_begin(struct sip *s, const uint8_t key[SIP_KEY]);
void sip_add(struct sip *s, const void *p, size_t n);
void sip_end(struct sip *s, uint8_t out[SIP_LEN]);

#endif
