/* SPDX-License-Identifier: MIT */
/*
 * The field Range of a request (RFC 9110 section 14): which bytes of a file of
 * that size are asked for. One range of bytes is understood; anything else, and
 * what makes no sense, is as if it were absent.
 *
 *	bytes=FIRST-LAST	bytes=FIRST-	bytes=-LAST_SO_MANY
 */
#ifndef MSG_SERVER_UPLOAD_RANGE_H
#define MSG_SERVER_UPLOAD_RANGE_H

#include <stdint.h>

#include "shared/base/str.h"

enum range {
	RANGE_ALL,
	RANGE_PART, /* from < size, 0 < len <= size - from */
	RANGE_NONE  /* nothing of it is in the file: 416 */
};

enum range range_parse(struct str field, uint64_t size, uint64_t *from, uint64_t *len);

#endif
