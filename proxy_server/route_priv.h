/* SPDX-License-Identifier: MIT */
/*
 * The objects of route, shared by route.c (the way out) and route_follow.c
 * (who follows what).
 */
#ifndef PROXY_SERVER_ROUTE_PRIV_H
#define PROXY_SERVER_ROUTE_PRIV_H

#include "proxy_server/route.h"
#include "shared/base/map.h"
#include "shared/net/timer.h"

struct channel {
	UT_hash_handle hh; /* route->channels by name */
	struct follow *follows;
	uint64_t head, first; /* true while somebody is live */
	struct chan_name name;
};

/* one link follows one channel */
struct follow {
	UT_hash_handle hh; /* peer->follows by ch */
	struct channel *chan;
	struct peer *peer;
	struct follow *prev, *next;		  /* of the channel */
	struct follow *prev_behind, *next_behind; /* of the peer */
	struct follow *prev_retry, *next_retry;	  /* of the route */
	uint64_t from_seq;			  /* as asked */
	char ep[EP_LEN];
	uint32_t ch;
	unsigned live : 1, behind : 1, retry : 1, presence : 1, state : 1,
	    has_ep : 1;
};

struct route {
	struct proxy *proxy; /* borrowed */
	struct channel *channels;
	struct follow *retry; /* touches that wait for room in the log */
	struct timer timer;   /* while there are such */
	unsigned touching;    /* touches the log has not answered */
	bool trouble;	      /* the last one was refused */
	struct item_shared shared;
	size_t memory, memory_max; /* of channels and follows */
	uint32_t follows_max;	   /* of one link */
};

/* --- route_follow.c --- */
struct channel *route_find(struct route *r, struct str name);
/* a touch came back: from here on the channel is live on that link */
void route_touched(struct route *r, struct log_op *op);

#endif
