/* SPDX-License-Identifier: MIT */
/*
 * Names of uploads: the one under which it is kept, which is made of what is
 * in it, and the one its owner gave it, which is text and never a path.
 *
 *	HASH.EXT	SHA-256 in 64 small hex digits, and an end kind.h knows
 *
 * Nothing but that names a file, so that no request reaches another one.
 */
#ifndef MSG_SERVER_UPLOAD_NAME_H
#define MSG_SERVER_UPLOAD_NAME_H

#include "msg_server/upload/kind.h"
#include "shared/base/buf.h"
#include "shared/base/digest.h"

enum {
	NAME_HASH_LEN = 2 * SHA256_LEN,
	NAME_STORED_MAX = NAME_HASH_LEN + 6, /* with the NUL */
	NAME_GIVEN_MAX = 120		     /* bytes of a given one */
};

struct name {
	const struct kind *kind;
	char file[NAME_STORED_MAX];
};

void name_make(struct name *n, const uint8_t sum[SHA256_LEN], const struct kind *k);
/* all of s; false: it is none */
bool name_parse(struct str s, struct name *out);
/* the one in the url of a message: behind its last "/u/", up to a '?' or the end */
bool name_in_url(struct str url, struct name *out);

/*
 * A given name, percent-encoded as it came, as a line of text to be shown: its
 * last part alone, without what can't be in a name or turns text round; what is
 * too long loses its middle, so that its end stays. False: nothing is left.
 */
bool name_clean(struct str raw, char out[NAME_GIVEN_MAX + 1]);
/* appends it percent-encoded, with letters, digits, "-", "_" and "." as they are */
void name_escape(struct str s, struct buf *out);
/* "Content-Disposition: attachment..." of a given name, or without one; CRLF */
void name_put_attachment(const char *given, const struct name *n, struct buf *out);

#endif
