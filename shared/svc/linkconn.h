/* SPDX-License-Identifier: MIT */
/*
 * A link (proto/link) over a conn: handshake deadline 3 s, PING every 2 s,
 * dead after 6 s without a byte or 12 s without a whole frame or a PONG,
 * TCP_USER_TIMEOUT 6 s, byte credit 4 MiB each
 * way, 100 ms before closing on a wrong proof. Used by both ends: dialing
 * daemons (through net/dial) and accepting ones.
 *
 * Credit: the sender counts frame bytes behind the hello (PING, PONG, CREDIT,
 * ERROR are free) against what the peer granted; the receiver grants again when
 * half is used up, after handling. linkconn_send() queues always and returns
 * false when the peer has no credit left: the caller then stops producing (a
 * proxy stops fan-out to that link: catch-up; a msg_server holds new appends)
 * until on_credit.
 *
 * Output of a turn is one blob when gathered by the caller: build frames in
 * linkconn_out(), which is flushed into the conn before the net's flush. Over
 * LINK_OUT_MAX bytes that do not leave, the link is reset (ERR_LIMIT).
 *
 * Life: on_down is called exactly once, from a handler or timer, with the
 * reason; after it no callback comes; the memory is the owner's and may be
 * freed in on_dead.
 */
#ifndef SHARED_SVC_LINKCONN_H
#define SHARED_SVC_LINKCONN_H

#include "shared/net/conn.h"
#include "shared/net/timer.h"
#include "shared/proto/frames.h"
#include "shared/proto/link.h"

enum { LINK_CREDIT = 4 * 1024 * 1024, LINK_OUT_MAX = 64 * 1024 * 1024 };

struct httpd_conn;
struct linkconn;

struct linkconn_ops {
	void (*on_up)(struct linkconn *);
	/* every frame but HELLO, PROVE, PING, PONG, CREDIT, ERROR; 0 or an
	 * error that ends the link */
	int (*on_frame)(
	    struct linkconn *, uint8_t type, uint8_t flags, struct str body);
	void (*on_credit)(struct linkconn *); /* may be NULL */
	void (*on_down)(struct linkconn *, int err, const char *why);
	void (*on_dead)(struct linkconn *); /* last call */
};

struct linkconn {
	struct conn conn;
	struct link link;
	const struct linkconn_ops *ops;
	void *arg;
	struct timer timer; /* handshake, ping, silence, the 100 ms */
	struct buf out;	    /* frames of this turn */
	size_t counted;	    /* of out: charged to credit and items_sent */
	/* ITEM frames of this link; carried in PING */
	uint64_t items_sent, items_got;
	int64_t credit; /* bytes we may still send; below zero is a debt */
	uint32_t used;	/* what the peer sent since our last CREDIT */
	int64_t heard_ms, rtt_us;
	int64_t echoed_us; /* when the newest PING that was answered had left */
	int64_t opened_ms, ticked_ms, pinged_ms;
	int64_t whole_ms, ponged_ms; /* last whole frame, last PONG */
	int err; /* of a wrong proof, while the 100 ms last */
	char why[160];
	bool up, down;
};

/* takes fd; dialed: we opened it */
void linkconn_open(struct linkconn *lc, struct net *net, int fd, bool dialed,
    const struct link_id *self, const uint8_t key[32],
    const struct linkconn_ops *ops, void *arg);
/* takes over a live connection after an HTTP upgrade; rest: bytes already read
 * behind the head */
void linkconn_take(struct linkconn *lc, struct httpd_conn *from,
    struct str rest, const struct link_id *self, const uint8_t key[32],
    const struct linkconn_ops *ops, void *arg);
/* the dialing end of the same: `from` is a bare conn that has read the 101
 * answer; it is dead without on_dead */
void linkconn_adopt(struct linkconn *lc, struct conn *from, struct str rest,
    bool dialed, const struct link_id *self, const uint8_t key[32],
    const struct linkconn_ops *ops, void *arg);
/* where to build frames: they leave with this turn, in one blob. Not to be kept
 * across callbacks. */
struct buf *linkconn_out(struct linkconn *lc);
/* sends one shared, complete frame (fan-out); keeps the order with what is in
 * out; false: no credit left */
bool linkconn_send(struct linkconn *lc, struct blob *frame);
static inline bool
linkconn_has_credit(const struct linkconn *lc)
{
	return lc->up && lc->credit > 0;
}
/* a PING now, beside the regular ones (standbys ask every 500 ms); heard_ms
 * tells when anything came back */
void linkconn_ping(struct linkconn *lc);
/* ends it: on_down (if not yet) with err/why, then on_dead later; sends an
 * ERROR frame when code != 0 */
void linkconn_close(
    struct linkconn *lc, int err, const char *why, unsigned code);

#endif
