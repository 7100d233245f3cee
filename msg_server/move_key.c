/* SPDX-License-Identifier: MIT */
/*
 * Making and checking the keys of `move`. See move_key.h; who gets one is
 * drain.c's business, what it is worth cmd_login.c's.
 */
#include <endian.h>
#include <string.h>

#include "msg_server/move_key.h"
#include "shared/base/seal.h"

enum { MOVE_BODY = 17, MOVE_AWAY = 1 };

static struct seal
move_seal(const uint8_t link_key[32], const char *cluster, struct str uid)
{
	return (struct seal){link_key, "cchat move 2", cluster, uid};
}

_Static_assert(MOVE_KEY_MAX == SEAL_TEXT(MOVE_BODY), "room for it");

void
move_key_make(const uint8_t link_key[32], const char *cluster, struct str uid,
    const struct move_claim *claim, char out[MOVE_KEY_MAX])
{
	struct seal seal = move_seal(link_key, cluster, uid);
	uint64_t n[2] = {htobe64(claim->cn), htobe64((uint64_t)claim->exp_ms)};
	uint8_t body[MOVE_BODY];

	memcpy(body, n, sizeof n);
	body[16] = claim->away ? MOVE_AWAY : 0;
	seal_put(&seal, body, sizeof body, out);
}

int
move_key_check(const uint8_t link_key[32], const char *cluster, struct str uid,
    int64_t now_ms, struct str key, struct move_claim *out)
{
	struct seal seal = move_seal(link_key, cluster, uid);
	uint8_t body[MOVE_BODY];
	uint64_t n[2];

	if (key.len != MOVE_KEY_MAX - 1 ||
	    seal_get(&seal, key, body, sizeof body) != 0)
		return ERR_DENIED;
	memcpy(n, body, sizeof n);
	out->cn = be64toh(n[0]);
	out->exp_ms = (int64_t)be64toh(n[1]);
	out->away = (body[16] & MOVE_AWAY) != 0;
	return now_ms < out->exp_ms ? OK : ERR_TIMEOUT;
}
