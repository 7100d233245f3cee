/* SPDX-License-Identifier: MIT */
/*
 * Who a client is (protocol.md section 8). open mode: uids that the server
 * draws are the decimals 10^15..2^53-1 and are taken only with their token; any
 * other uid is a claim. token mode: every login needs the site's JWT. One
 * token form: JWT, algorithm pinned (HS256; EdDSA with a public key), claims
 * sub, name, exp (needed in token mode), optional rooms, dev, adm; skew 60 s.
 */
#ifndef MSG_SERVER_AUTH_H
#define MSG_SERVER_AUTH_H

#include "shared/base/id.h"
#include "shared/base/buf.h"

enum auth_mode { AUTH_OPEN, AUTH_TOKEN };

struct auth {
	enum auth_mode mode;
	uint8_t key[2][32]; /* two may be live at once */
	unsigned n_keys;
};

struct auth_claims {
	char uid[ID_MAX + 1];
	char name[NAME_MAX_BYTES + 1]; /* "" when absent */
	char dev[ID_MAX + 1];
	int64_t exp_ms; /* 0: never */
	bool adm;
	bool has_rooms; /* then only these: rids with a blank behind each */
	char rooms[1024];
};

/* 0; ERR_DENIED (bad form, signature or algorithm); ERR_TIMEOUT (expired) */
int auth_verify(const struct auth *a, struct str token, int64_t now_ms, struct auth_claims *out) MUST_CHECK;
void auth_mint(const struct auth *a, const struct auth_claims *claims, struct buf *out);
/* a drawn uid: decimal in 10^15..2^53-1 (level 2) or 1000000..9999999 (level 1, as recorded) */
void auth_draw_uid(unsigned level, char out[ID_MAX + 1]);
/* is it in the range that needs its token, or a session's own (fd-...), which nobody may claim? */
bool auth_uid_is_drawn(struct str uid);

#endif
