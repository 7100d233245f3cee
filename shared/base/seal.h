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
 * The key drawn last is kept: of the loop's thread alone, as digest.h.
 */
#ifndef SHARED_BASE_SEAL_H
#define SHARED_BASE_SEAL_H

#include "shared/base/buf.h"

enum { SEAL_MAC = 16, SEAL_BODY_MAX = 32 };

struct seal {
	const uint8_t *link_key; /* 32 bytes */
	const char *purpose;	 /* at most SEAL_PURPOSE_MAX, as "cchat move 1" */
	const char *cluster;
	struct str uid;
};
enum { SEAL_PURPOSE_MAX = 31 };

/* appends the sealed text of n bytes, 1..SEAL_BODY_MAX */
void seal_put(const struct seal *s, const uint8_t *body, size_t n, struct buf *out);
/* 0 and the n bytes; ERR_DENIED: not sealed like this */
int seal_get(const struct seal *s, struct str text, uint8_t *body, size_t n) MUST_CHECK;

#endif
