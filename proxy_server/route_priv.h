/* SPDX-License-Identifier: MIT */
/*
 * The objects of route, shared by route.c (the way out) and route_follow.c
 * (who follows what).
 *
 * There is a channel for everybody who is logged in, and a follow by his
 * server: what one at rest needs is in them, what waits is in follow_wait,
 * which exists only meanwhile.
 */
#ifndef PROXY_SERVER_ROUTE_PRIV_H
#define PROXY_SERVER_ROUTE_PRIV_H

#include "proxy_server/route.h"
#include "shared/base/map.h"
#include "shared/base/slab.h"
#include "shared/base/table.h"
#include "shared/net/timer.h"

struct channel {
	struct table_link by_name; /* route->channels */
	struct follow *follows;
	uint64_t head, first; /* true while somebody is live */
	uint8_t len;
	char name[]; /* len bytes and no NUL */
};

/* one link follows one channel */
struct follow {
	struct table_link by_ch; /* peer->follows */
	struct channel *chan;
	struct follow *next;	  /* of the channel */
	struct follow_wait *wait; /* from SUB to SUBBED, and while behind */
	uint32_t ch;
	uint32_t link : 26; /* peer->at */
	uint32_t live : 1, behind : 1, presence : 1;
};

struct follow_wait {
	struct follow_wait *prev_behind, *next_behind; /* of the peer */
	struct follow_wait *prev_retry, *next_retry;   /* of the route */
	struct follow *follow;
	uint64_t from_seq; /* as asked */
	char ep[EP_LEN];
	bool has_ep, state, retry;
};

struct route {
	struct proxy *proxy; /* borrowed */
	struct table channels;	   /* by name */
	struct slab slab;	   /* of channels and follows */
	struct peer **links;	   /* owned: by peer->at, NULL where free */
	uint32_t n_links;	   /* room in it */
	struct follow_wait *retry; /* touches that wait for room in the log */
	struct timer timer;   /* while there are such */
	unsigned touching;    /* touches the log has not answered */
	bool trouble;	      /* the last one was refused */
	struct item_shared shared;
	size_t memory, memory_max; /* of channels and follows */
	uint32_t follows_max;	   /* of one link */
};

/* --- route_follow.c --- */
struct channel *route_find(struct route *r, struct str name);
/* it has missed something, and gets a SUBBED when there is credit again */
void route_fall_behind(struct route *r, struct follow *f);
static inline struct peer *
route_peer(const struct route *r, const struct follow *f)
{
	return r->links[f->link];
}
/* a touch came back: from here on the channel is live on that link */
void route_touched(struct route *r, struct log_op *op);

#endif
