/* SPDX-License-Identifier: MIT */
/*
 * Names of things (limits.md, design.md section 4) and of channels.
 *
 *   uid, rid, dev   [A-Za-z0-9_-]{1,32}
 *   cid             printable ASCII, 1..64
 *   group           a rid that begins with 'g' and goes on in hex digits
 *   channels        r:<rid>  p:<a>:<b> (a <= b bytewise)  u:<uid>  c:
 */
#ifndef SHARED_BASE_ID_H
#define SHARED_BASE_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/str.h"

enum {
	ID_MAX = 32,
	CID_MAX = 64,
	NAME_MAX_BYTES = 64,
	AVATAR_MAX = 256,
	CHAN_MAX = 2 + ID_MAX + 1 + ID_MAX, /* bytes, without NUL */
	EP_LEN = 8
};

bool id_is_word(struct str s); /* uid, rid, dev, server name */
bool id_is_cid(struct str s);
bool id_is_group(struct str rid);

/* a channel name, NUL-terminated for printing */
struct chan_name {
	uint8_t len;
	char s[CHAN_MAX + 1];
};

enum chan_kind {
	CHAN_ROOM = 'r',
	CHAN_PAIR = 'p',
	CHAN_USER = 'u',
	CHAN_CLUSTER = 'c'
};

struct chan_name chan_room(struct str rid);
struct chan_name chan_user(struct str uid);
struct chan_name chan_pair(
    struct str a, struct str b); /* order does not matter */
/* checks the grammar above; ERR_INVALID */
int chan_parse(struct str s, struct chan_name *out) MUST_CHECK;
enum chan_kind chan_kind(struct str name);
/* the rid of r:, the uid of u: */
struct str chan_id(struct str name);
/* the other one of the pair p:, as seen by uid */
struct str chan_peer(struct str name, struct str uid);

static inline struct str
chan_str(const struct chan_name *c)
{
	return str_n(c->s, c->len);
}

#endif
