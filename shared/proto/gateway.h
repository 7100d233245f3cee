/* SPDX-License-Identifier: MIT */
/*
 * The frames that a GatewayClient of PHP sends to a gateway: 28 bytes of head,
 * big-endian, then ext_len bytes of ext, then the body. Answers to questions
 * are no frames: 4 bytes of length and PHP's serialize (php.h).
 *
 *	0 length of all   4 cmd   5 local ip   9 port   11 client ip   15 port
 *	17 connection   21 flag   22 gateway port   24 length of ext
 *
 * Only what a gateway reads is kept here: a GatewayClient leaves the addresses
 * 0. The original takes frames of 10 MiB; here GATEWAY_FRAME_MAX.
 */
#ifndef SHARED_PROTO_GATEWAY_H
#define SHARED_PROTO_GATEWAY_H

#include <stdint.h>

#include "shared/base/buf.h"

enum { GATEWAY_HEAD = 28, GATEWAY_FRAME_MAX = 1 << 20 };

enum gateway_cmd {
	GATEWAY_SEND_TO_ONE = 5,
	GATEWAY_SEND_TO_ALL = 6,
	GATEWAY_KICK = 7,
	GATEWAY_DESTROY = 8,
	GATEWAY_UPDATE_SESSION = 9,
	GATEWAY_ALL_SESSIONS = 10,
	GATEWAY_IS_ONLINE = 11,
	GATEWAY_BIND_UID = 12,
	GATEWAY_UNBIND_UID = 13,
	GATEWAY_SEND_TO_UID = 14,
	GATEWAY_IDS_OF_UID = 15,
	GATEWAY_IDS_OF_UIDS = 16,
	GATEWAY_JOIN_GROUP = 20,
	GATEWAY_LEAVE_GROUP = 21,
	GATEWAY_SEND_TO_GROUP = 22,
	GATEWAY_SESSIONS_OF_GROUP = 23,
	GATEWAY_COUNT_OF_GROUP = 24,
	GATEWAY_SELECT = 25,
	GATEWAY_GROUPS = 26,
	GATEWAY_UNGROUP = 27,
	GATEWAY_COUNT_OF_GROUPS = 28,
	GATEWAY_WORKER = 200,
	GATEWAY_PING = 201,
	GATEWAY_CLIENT = 202,
	GATEWAY_GET_SESSION = 203,
	GATEWAY_SET_SESSION = 204
};

enum {
	GATEWAY_SCALAR = 1, /* flag: the body is text; else serialize's */
	GATEWAY_RAW = 2     /* the body is a WebSocket frame already */
};

struct gateway_frame {
	uint32_t len; /* of all */
	uint8_t cmd, flag;
	uint32_t connection;
	struct str ext, body;
};

/*
 * The first frame of n bytes; its strings point into them. ERR_AGAIN: there is
 * more to come; ERR_LIMIT: it is too long; ERR_PROTO: lengths that can't be.
 */
int gateway_parse(const uint8_t *p, size_t n, struct gateway_frame *f) MUST_CHECK;
/* the same as a GatewayClient writes it */
void gateway_put(struct buf *out, const struct gateway_frame *f);
/*
 * The body as text: of one that is no scalar what serialize says, absent for
 * null. ERR_PROTO: an array, or no serialize. tmp holds numbers.
 */
int gateway_body(const struct gateway_frame *f, char tmp[24], struct str *out) MUST_CHECK;

#endif
