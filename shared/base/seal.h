/* SPDX-License-Identifier: MIT */
/*
 * Sealed words: what a server gives a client to show to any other server of
 * the cluster, and nobody keeps (the key of a `move`, that of uploads). A body
 * of a few bytes and a MAC over it, the cluster and the user, in base64url,
 *
 *	BASE64URL(body; MAC, SEAL_MAC bytes)
 *
 * with a key drawn from the link key, which all servers of the cluster share,
 * for that one purpose: no other MAC under the link key can be one of these.
 * What the body says, until when it is good and for what, is the caller's.
 *
 * Each login has one made, so the MAC is SipHash-2-4 with 128 bits (sip.h),
 * under 16 bytes of HMAC-SHA-256(link key, purpose): to seal what one of us has
 * not sealed is to guess 128 bits, online, and even who had such a key would
 * have neither the link key nor another purpose's.
 *
 * The keys drawn last are kept: of the loop's thread alone, as digest.h.
 */
#ifndef SHARED_BASE_SEAL_H
#define SHARED_BASE_SEAL_H

#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/str.h"

enum {
	SEAL_MAC = 16,
	SEAL_BODY_MAX = 32,
	/* of the longest body, with the NUL; SEAL_TEXT(n) of n bytes */
	SEAL_TEXT_MAX = ((SEAL_BODY_MAX + SEAL_MAC) * 8 + 5) / 6 + 1
};
#define SEAL_TEXT(n) ((((n) + SEAL_MAC) * 8 + 5) / 6 + 1)

struct seal {
	const uint8_t *link_key; /* 32 bytes */
	const char *purpose;	 /* at most SEAL_PURPOSE_MAX, as "cchat move 2" */
	const char *cluster;
	struct str uid;
};
enum { SEAL_PURPOSE_MAX = 31 };

/* the sealed text of n bytes, 1..SEAL_BODY_MAX, with a NUL: SEAL_TEXT(n) bytes */
void seal_put(const struct seal *s, const uint8_t *body, size_t n, char *out);
/* 0 and the n bytes; ERR_DENIED: not sealed like this */
int seal_get(const struct seal *s, struct str text, uint8_t *body, size_t n) MUST_CHECK;

#endif
