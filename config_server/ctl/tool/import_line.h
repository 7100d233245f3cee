/* SPDX-License-Identifier: MIT */
/*
 * A line of a file of credentials, as `cchatctl import-credentials` takes it:
 *
 *	uid source token [expires]        blanks or tabs between them
 *	... think_serialize:a:1:{...}     a value of the framework's redis
 *
 * The latter is PHP's serialize() of array(source => array("uid" =>,
 * "token" =>, "expires" =>)), or of lists of the three in this order; what is
 * in front of it is not looked at. In quotes, as redis-cli shows a value, it
 * has escapes. expires is in unix seconds, 0 or absent: never. Empty lines and
 * those that begin with # say nothing.
 */
#ifndef CONFIG_SERVER_CTL_TOOL_IMPORT_LINE_H
#define CONFIG_SERVER_CTL_TOOL_IMPORT_LINE_H

#include "shared/base/str.h"

struct import_credential {
	struct str uid, source, token; /* borrowed; words, and 1 to 256 bytes */
	int64_t expires;
};

/*
 * Gives each credential of the line to one(). The number given, or
 * ERR_INVALID: it is none of these, and nothing was given.
 */
int import_line(struct str line, void (*one)(void *arg, const struct import_credential *), void *arg);

#endif
