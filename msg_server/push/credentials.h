/* SPDX-License-Identifier: MIT */
/*
 * Credentials of a user of the sok framework: one token for each source (app,
 * pc, weixin ...) he logs in from. They lie in the log beside his traffic, as
 * one state record (CREDENTIALS_KEY of u:<uid>): a JSON object
 *
 *	{"app":["<digest>",<expires>], ...}
 *
 * of CREDENTIALS_MAX sources at most. expires is in unix seconds, 0: never.
 * What is kept of a token is HMAC-SHA-256 under the uid, so nobody who reads
 * the data can log in with what he finds, and no answer gives a token back.
 * They come by PUT /v1/users/UID/credentials (api_credentials.h).
 */
#ifndef MSG_SERVER_PUSH_CREDENTIALS_H
#define MSG_SERVER_PUSH_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/id.h"

#define CREDENTIALS_KEY "c"

enum { CREDENTIALS_MAX = 8, CREDENTIAL_DIGEST = 43 };

struct credential {
	char source[ID_MAX + 1];
	char digest[CREDENTIAL_DIGEST + 1]; /* base64url */
	int64_t expires;
};

struct credentials {
	struct credential list[CREDENTIALS_MAX];
	unsigned n;
};

/* of a state record's value, absent: none; ERR_INVALID: it is no such value */
int credentials_read(struct str val, struct credentials *c) MUST_CHECK;
/* the value, appended to out; at most STATE_VAL_MAX bytes */
void credentials_write(const struct credentials *c, struct buf *out);
/* a new token for that source, or another one; ERR_LIMIT: too many sources */
int credentials_set(struct credentials *c, struct str uid, struct str source,
    struct str token, int64_t expires) MUST_CHECK;
/* false: there was none */
bool credentials_drop(struct credentials *c, struct str source);
/* only that source's is left, if it is there */
void credentials_keep(struct credentials *c, struct str source);
/* the source whose token that is, whatever its expiry; NULL: none */
const struct credential *credentials_match(
    const struct credentials *c, struct str uid, struct str token);
/* does it count at that time (unix seconds)? */
bool credential_is_live(const struct credential *c, int64_t now);

#endif
