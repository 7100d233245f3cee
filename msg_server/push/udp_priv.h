/* SPDX-License-Identifier: MIT */
/*
 * Inside of the UDP door, shared by udp.c (the way in, the answer, one
 * addressee) and udp_many.c (those who must be asked for first).
 */
#ifndef MSG_SERVER_PUSH_UDP_PRIV_H
#define MSG_SERVER_PUSH_UDP_PRIV_H

#include "msg_server/push/peers.h"
#include "msg_server/push/send.h"
#include "msg_server/push/udp.h"
#include "shared/net/dgram.h"
#include "shared/proc/log.h"
#include "shared/proto/json.h"

#define UDP_STATS(X)                                                        \
	X(MESSAGES, "udp_push_messages_total", "messages given to the log") \
	X(UNSTORED, "udp_push_unstored_total",                              \
	    "messages that the log did not take")                           \
	X(REFUSED, "udp_push_refused_total",                                \
	    "datagrams refused: not JSON, not allowed, nothing to do")      \
	X(SILENT, "udp_push_silent_total",                                  \
	    "datagrams refused without an answer, there were too many")

enum udp_stat {
#define X(name, text, help) U_##name,
	UDP_STATS(X)
#undef X
	    U_COUNT
};

/* an address of udp_push */
struct udp_door {
	struct dgram dgram;
	struct udp_push *u;
};

struct udp_push {
	struct server *srv;
	struct udp_door doors[UDP_DOORS];
	unsigned n_doors;
	struct push_peers peers;
	struct bucket refusals;
	struct log_limit limit;
	unsigned under_way;
	int64_t flood_ms; /* when there was no answer for one, last */
	uint64_t stats[U_COUNT];
};

struct udp_all;

/* a datagram whose answer is still to come */
struct udp_ask {
	struct udp_push *u;
	struct udp_door *door; /* where it came in */
	struct addr from;
	unsigned waiting;
	bool online, did;
};

struct udp_one {
	struct push_send send;
	struct udp_ask *ask;
	struct udp_all *all; /* or NULL */
};

/* --- udp.c --- */
/* something is under way for it; udp_end() when it is not any more */
void udp_begin(struct udp_ask *ask);
void udp_end(struct udp_ask *ask);
/* data to one user; all: whoever wants to know when it is over, or NULL.
 * False: there is nothing in it to give */
bool udp_give(struct udp_ask *ask, const json_t *data, struct str to, struct udp_all *all);

/* --- udp_many.c --- */
/* to all who are there */
void udp_everybody(struct udp_ask *ask, json_t *data);
/* to whoever's session that is */
void udp_to_session(struct udp_ask *ask, json_t *data, uint64_t cn);
/* one of the messages of udp_everybody() has come to its end */
void udp_all_on_end(struct udp_all *all);

#endif
