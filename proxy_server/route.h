/* SPDX-License-Identifier: MIT */
/*
 * Who follows which channel, and the fan-out of what was committed.
 *
 * A SUB goes through the log (touch), so that its answer stands at one point
 * of the commit order: head is true there, and every later item of the channel
 * goes out live. A link without credit is not waited for: its channels are
 * "behind", nothing of them is sent, and when credit returns each gets a
 * SUBBED with the head of now; the msg_server reads what it missed from the
 * log. So no queue grows for a slow link.
 *
 * An ITEM carries req when it goes to the link that appended it: that is its
 * ack. Otherwise (dup, not followed there, no credit) an ACK goes out.
 *
 * Bounds: ROUTE_FOLLOWS_MAX channels a link, ROUTE_MEMORY_MAX bytes in all;
 * beyond, the link that asks is closed with 413.
 */
#ifndef PROXY_SERVER_ROUTE_H
#define PROXY_SERVER_ROUTE_H

#include "proxy_server/log.h"
#include "proxy_server/peer.h"

enum { ROUTE_FOLLOWS_MAX = 1000000, ROUTE_MEMORY_MAX = 1024 * 1024 * 1024 };

struct route;

struct route *route_new(struct proxy *p);
void route_free(struct route *r);
int route_sub(struct route *r, struct peer *peer, struct str body) MUST_CHECK;
int route_unsub(struct route *r, struct peer *peer, struct str body) MUST_CHECK;
int route_eph(struct route *r, struct str body) MUST_CHECK;
/* an operation is committed or refused; in commit order */
void route_done(struct route *r, struct log_op *op);
/* all operations of a commit are done */
void route_batch_end(struct route *r);
/* the log is active, again or with another history: what waits is asked anew */
void route_log_changed(struct route *r);
/* retention has raised a channel's first: who follows it is told by a SUBBED,
 * so that a resume is answered with what there is */
void route_trimmed(struct route *r, struct str chan, uint64_t first);
void route_on_credit(struct route *r, struct peer *peer);
/* the link is gone: so are its follows */
void route_drop(struct route *r, struct peer *peer);
/* a change of people to the links that follow r:<rid> with presence */
void route_room(struct route *r, struct str rid, struct f_room *room);
/* newest seq of a channel somebody follows; false: not known here */
bool route_head(struct route *r, struct str chan, uint64_t *head);

#endif
