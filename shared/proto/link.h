/* SPDX-License-Identifier: MIT */
/*
 * The link protocol between our own daemons (wire.md): frames
 *
 *   u32 len (of what follows, <= 1 MiB) | u8 type | u8 flags | u16 stream (0) |
 * fields | u32 crc32c of type..fields
 *
 * and the hello: HELLO both ways, then PROVE both ways (HMAC-SHA-256 by the
 * shared key over "link-v1", role, names, incs and both nonces, direction
 * included, so nothing can be reflected), then the link is up. Sans I/O: fed
 * bytes, gives bytes through ops->send. What frames mean is frames.h.
 *
 * Errors end the link: the caller's on_down gets the reason; an ERROR frame is
 * sent first where that makes sense. Wrong proof: the close waits 100 ms (done
 * by svc/linkconn).
 */
#ifndef SHARED_PROTO_LINK_H
#define SHARED_PROTO_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/blob.h"
#include "shared/base/id.h"

enum {
	LINK_FRAME_MAX = 1024 * 1024,
	LINK_VERSION = 1,
	LINK_NONCE = 32,
	LINK_HEAD = 8 /* len, type, flags, stream */
};

enum link_role { ROLE_MSG = 1, ROLE_PROXY = 2, ROLE_CONFIG = 3, ROLE_CTL = 4 };
const char *link_role_text(
    enum link_role role); /* "msg", "proxy", "config", "ctl" */

enum frame_type {
	F_HELLO = 1,
	F_PROVE = 2,
	F_ACTIVE = 3,
	F_PING = 4,
	F_PONG = 5,
	F_CREDIT = 6,
	F_ERROR = 7,
	F_APPEND = 10,
	F_ACK = 11,
	F_NAK = 12,
	F_SUB = 20,
	F_SUBBED = 21,
	F_UNSUB = 22,
	F_ITEM = 23,
	F_READ = 24,
	F_PAGE = 25,
	F_SET = 26,
	F_STATE = 27,
	F_RAISE = 28,
	F_GET = 29,
	F_EPH = 30,
	F_GOT = 31,
	F_INBOX = 32,
	F_INBOXED = 33,
	F_STATES = 34,
	F_STATED = 35,
	F_PRES_BEGIN = 40,
	F_PRES = 41,
	F_PRES_END = 42,
	F_ROOM = 43,
	F_WHO = 44,
	F_WHOIS = 45,
	F_WATCH = 46,
	F_STATUS = 47,
	F_KICK = 50,
	F_JOIN = 60,
	F_BEAT = 61,
	F_TOPO = 62,
	F_REPORT = 63,
	F_JOB = 64,
	F_JOINED = 65,
	F_EVENT = 66
};

enum { FRAME_OPTIONAL = 0x80 }; /* flags bit 7: may be ignored when unknown */

/* who one end is */
struct link_id {
	enum link_role role;
	char name[ID_MAX + 1];
	char cluster[ID_MAX + 1];
	uint32_t node_no; /* 0: not known yet */
	uint32_t inc;	  /* boot counter */
};

enum link_state { LINK_HELLO, LINK_PROVE, LINK_UP, LINK_DEAD };

struct link;

struct link_ops {
	/* bytes for the peer, in order */
	void (*send)(struct link *, struct blob *);
	/* proofs are good both ways: link->peer is filled */
	void (*on_up)(struct link *);
	/* a frame behind the hello; body borrowed until return; 0, or an error
	 * that ends the link */
	int (*on_frame)(
	    struct link *, uint8_t type, uint8_t flags, struct str body);
};

struct link {
	const struct link_ops *ops;
	void *arg;
	enum link_state state;
	struct link_id self, peer;
	uint8_t key[32], nonce[LINK_NONCE], peer_nonce[LINK_NONCE];
	bool dialed; /* we opened the connection: direction in the proof */
	struct buf
	    in; /* bytes of a frame that is not whole yet; empty at rest */
};

/* sends HELLO at once */
void link_start(struct link *l, const struct link_id *self,
    const uint8_t key[32], bool dialed, const struct link_ops *ops, void *arg);
/* 0, or ERR_PROTO, ERR_LIMIT, ERR_CORRUPT (crc), ERR_DENIED (proof),
 * ERR_VERSION, ERR_FOREIGN (cluster) or what on_frame returned */
int link_feed(struct link *l, const uint8_t *p, size_t n) MUST_CHECK;
void link_fini(struct link *l);

/*
 * Building a frame: link_begin, wire_put_* the fields, link_end. Several frames
 * may follow each other in one buf; link_end returns ERR_LIMIT (and cuts the
 * frame off again) when it is too big.
 */
size_t link_begin(struct buf *b, uint8_t type, uint8_t flags);
int link_end(struct buf *b, size_t mark);

#endif
