/* SPDX-License-Identifier: MIT */
/*
 * struct net: what all connections of one loop share: the receive buffer, the
 * list of connections with output of this turn, the graveyard. One per
 * process. The ev_prepare watcher runs once per loop turn, before the loop
 * sleeps: (1) the on_turn hooks, (2) one write per dirty connection, (3) the
 * dead are reaped.
 *
 * A turn reads for NET_TURN_US; whom it did not come to is read in a later
 * one. So ten thousand who come at once make nobody else wait for all of them:
 * what is urgent (conn_urgent: links) is read first in each turn, and what was
 * queued goes out after each. While there is more than a turn can do, nobody is
 * read twice before all who wait were read once: turns belong to rounds.
 */
#ifndef SHARED_NET_NET_H
#define SHARED_NET_NET_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

enum {
	NET_RECV_SIZE = 65536,
	NET_TURN_US = 4000
};

struct conn;
struct conn_queue;

/* embedded in its owner; runs each turn before the flush (e.g. fan-out of a
 * room's turn buffer) */
struct net_turn {
	void (*on_turn)(struct net_turn *);
	struct net_turn *next;
};

struct net {
	struct ev_loop *loop;
	ev_prepare prepare;
	ev_check check;
	int64_t turn_us; /* when events of this turn began to be handled */
	unsigned turn_reads, turn_passed;
	bool crowded;	/* the last turn passed somebody over */
	unsigned round; /* 0 or 1: conn.round of those it has read */
	struct net_turn *turns;
	struct conn *dirty; /* singly linked through conn.next_dirty */
	struct conn *dead;
	struct conn_queue *free_queues; /* a few kept for reuse */
	unsigned n_free_queues;
	bool turning;	/* inside the turn: net_flush does nothing */
	ev_timer again; /* keeps the loop awake when a turn left work */
	int spare_fd;	/* given up to answer EMFILE */
	uint64_t bytes_in, bytes_out, writes, passed, n_conns;
	uint32_t write_ns; /* what a write costs of late, on average */
	uint64_t queued; /* bytes in all output queues together */
	uint8_t recv[NET_RECV_SIZE];
};

struct net *net_new(struct ev_loop *loop);
void net_free(struct net *net);
void net_turn_add(struct net *net, struct net_turn *turn);
void net_turn_remove(struct net *net, struct net_turn *turn);
/* flush and reap now, for shutdown and tests; never from a callback */
void net_flush(struct net *net);

#endif
