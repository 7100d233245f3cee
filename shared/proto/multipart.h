/* SPDX-License-Identifier: MIT */
/*
 * multipart/form-data (RFC 7578) as it comes, in pieces of any length; no
 * sockets. Nothing of a part's content is kept here: it is passed on in the
 * pieces it came in. Kept are the boundary and the head of one part.
 *
 * Strict where no browser is lax: the body begins with its first boundary,
 * lines end in CRLF, each part is named by one Content-Disposition, and no
 * part is within another. What stands behind the last boundary is ignored.
 *
 * Bounds: MULTIPART_BOUNDARY_MAX, MULTIPART_PARTS_MAX parts, for the head of
 * each MULTIPART_HEAD_MAX bytes and MULTIPART_LINES_MAX lines. How long
 * contents may be is the taker's question.
 */
#ifndef SHARED_PROTO_MULTIPART_H
#define SHARED_PROTO_MULTIPART_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/str.h"

enum {
	MULTIPART_BOUNDARY_MAX = 70, /* RFC 2046 5.1.1 */
	MULTIPART_PARTS_MAX = 16,
	MULTIPART_HEAD_MAX = 2048,
	MULTIPART_LINES_MAX = 16
};

enum multipart_state {
	MULTIPART_FIRST, /* of the first boundary */
	MULTIPART_BEHIND, /* a boundary: is it the last one? */
	MULTIPART_LAST, /* a dash of two */
	MULTIPART_LINE, /* a CR of the line's end */
	MULTIPART_HEAD,
	MULTIPART_CONTENT,
	MULTIPART_OVER
};

/* of a part; borrowed until the callback returns, as they came between their quotes */
struct multipart_part {
	struct str name;
	struct str file; /* absent: a field that is no file */
};

/* each may end it all: what is not 0 is what multipart_feed() returns, and m is not touched any more */
struct multipart_ops {
	int (*on_part)(void *arg, const struct multipart_part *part);
	int (*on_content)(void *arg, const uint8_t *p, size_t n);
	int (*on_part_end)(void *arg);
};

/* all its own memory; nothing to free */
struct multipart {
	const struct multipart_ops *ops;
	void *arg;
	enum multipart_state state;
	unsigned parts;
	size_t n_mark, matched; /* of mark, and how much of it was seen */
	size_t n_head;
	char mark[4 + MULTIPART_BOUNDARY_MAX]; /* CRLF "--" boundary */
	char head[MULTIPART_HEAD_MAX];
};

/* 0, or ERR_INVALID: no multipart/form-data, or no boundary as it may be */
int multipart_begin(struct multipart *m, struct str content_type,
    const struct multipart_ops *ops, void *arg) MUST_CHECK;
/* 0, ERR_PROTO, ERR_LIMIT, or what a callback said: then it is over */
int multipart_feed(struct multipart *m, const uint8_t *p, size_t n) MUST_CHECK;
/* its last boundary was seen */
bool multipart_is_whole(const struct multipart *m);

#endif
