/* SPDX-License-Identifier: MIT */
/*
 * struct net: what all connections of one loop share: the receive buffer, the
 * list of connections with output of this turn, the graveyard. One per
 * process. The ev_prepare watcher runs once per loop turn, before the loop
 * sleeps: (1) the on_turn hooks, (2) one write per dirty connection, (3) the
 * dead are reaped.
 *
 * A turn reads for NET_TURN_US in each of two lanes; whom it did not come to is
 * read in a later one. So ten thousand who come at once make nobody else wait
 * for all of them: what is urgent (conn_urgent: links) is read first in each
 * turn, then who is in already (conn_settle), then who is on his way in, and
 * what was queued goes out after each. While a lane has more than a turn can
 * do, nobody in it is read twice before all who wait in it were read once:
 * turns belong to rounds. The dead, too, are buried a few in each turn.
 */
#ifndef SHARED_NET_NET_H
#define SHARED_NET_NET_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

enum {
	NET_RECV_SIZE = 65536,
	NET_TURN_US = 4000,
	NET_ROUNDS = 16
};

struct conn;
struct conn_queue;

/* those who wait for each other when there is no time for all */
struct net_lane {
	int64_t since_us; /* its first read in this turn */
	unsigned reads, passed;
	bool late;	/* no more of it in this turn */
	bool crowded;	/* the last turn passed somebody over */
	unsigned round; /* conn.round of those it has read */
};

/* embedded in its owner; runs each turn before the flush (e.g. fan-out of a
 * room's turn buffer) */
struct net_turn {
	void (*on_turn)(struct net_turn *);
	struct net_turn *next;
};

struct net {
	struct ev_loop *loop;
	void *owner; /* of the process: whoever has it all; may be NULL */
	ev_prepare prepare;
	ev_check check;
	struct net_lane lane[2]; /* by conn.settled */
	struct net_turn *turns;
	struct conn *dirty; /* singly linked through conn.next */
	struct conn *dead;
	struct conn_queue *free_queues; /* a few kept for reuse */
	unsigned n_free_queues;
	bool turning;	/* inside the turn: net_flush does nothing */
	ev_timer again; /* keeps the loop awake when a turn left work */
	int spare_fd;	/* given up to answer EMFILE */
	uint64_t bytes_in, bytes_out, writes, passed, n_conns;
	uint32_t write_ns; /* what a write costs of late, on average; who stood
			      still once hardly moves it */
	uint64_t queued; /* bytes in all output queues together */
	uint64_t send_fails; /* writes that the kernel refused for good */
	uint64_t frames;     /* of links (svc/linkconn.h), received */
	unsigned timers;     /* running (net/timer.h) */
	uint8_t recv[NET_RECV_SIZE];
};

struct net *net_new(struct ev_loop *loop);
void net_free(struct net *net);
void net_turn_add(struct net *net, struct net_turn *turn);
void net_turn_remove(struct net *net, struct net_turn *turn);
/* for conn.c: may one that was last read in `round` be read in this turn? */
bool net_lane_take(struct net_lane *l, unsigned round);
/* flush and reap now, for shutdown and tests; never from a callback */
void net_flush(struct net *net);

#endif
