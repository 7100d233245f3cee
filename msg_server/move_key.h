/* SPDX-License-Identifier: MIT */
/*
 * The key of a `move` (protocol.md section 3): what a draining server gives a
 * client to show at the login elsewhere, `"from":key`. It proves that the
 * session that logs in is the one that was sent, so that its coming is told to
 * nobody. 33 bytes in base64url: session number, time of expiry, flags, and a
 * MAC over these, the cluster and the uid with a key drawn from the link key,
 * which all servers of the cluster share. Nothing is remembered: within its
 * life the same user may show it again, any other user never.
 *
 * It gives no right to log in: a bad one makes an ordinary login.
 */
#ifndef MSG_SERVER_MOVE_KEY_H
#define MSG_SERVER_MOVE_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/str.h"

enum { MOVE_KEY_MAX = 45 }; /* with the NUL */

struct move_claim {
	uint64_t cn;	/* of the session that was sent */
	int64_t exp_ms; /* wall clock */
	bool away;	/* it had said that it is away */
};

void move_key_make(const uint8_t link_key[32], const char *cluster, struct str uid,
    const struct move_claim *claim, char out[MOVE_KEY_MAX]);
/* 0; ERR_DENIED: no key of this user and cluster; ERR_TIMEOUT: it was one */
int move_key_check(const uint8_t link_key[32], const char *cluster, struct str uid,
    int64_t now_ms, struct str key, struct move_claim *out) MUST_CHECK;

#endif
