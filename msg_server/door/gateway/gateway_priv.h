/* SPDX-License-Identifier: MIT */
/*
 * Inside of the gateway, for its files alone: gateway.c (connections),
 * gateway_cmd.c (questions), gateway_do.c (what changes sessions),
 * gateway_set.c (which sessions), gateway_push.c (what they are sent).
 */
#ifndef MSG_SERVER_DOOR_GATEWAY_GATEWAY_PRIV_H
#define MSG_SERVER_DOOR_GATEWAY_GATEWAY_PRIV_H

#include "msg_server/door/gateway/gateway.h"
#include "msg_server/door/gateway/people.h"
#include "msg_server/follow/fanout.h"
#include "msg_server/server.h"
#include "shared/net/conn.h"
#include "shared/proc/log.h"
#include "shared/proto/gateway.h"
#include "shared/proto/json.h"

#define GATEWAY_STATS(X)                                                       \
	X(CONNS, STAT_COUNTER, "msg_gateway_connections_total", "connections of GatewayClients") \
	X(REFUSED, STAT_COUNTER, "msg_gateway_refused_total", "of these refused: too many, no key in time, wrong key") \
	X(FRAMES, STAT_COUNTER, "msg_gateway_frames_total", "commands of GatewayClients") \
	X(BAD, STAT_COUNTER, "msg_gateway_bad_total", "commands that were malformed, unknown, or over a bound") \
	X(PUSHED, STAT_COUNTER, "msg_gateway_pushed_total", "messages of back ends queued to clients") \
	X(SKIPPED, STAT_COUNTER, "msg_gateway_skipped_total", "messages of back ends not given to a client that lags, or that has said nothing yet") \
	X(CUT, STAT_COUNTER, "msg_gateway_closed_total", "clients closed by back ends") \
	X(ASKED, STAT_COUNTER, "msg_register_asked_total", "lists of gateways given by the register") \
	X(REG_BAD, STAT_COUNTER, "msg_register_refused_total", "connections the register refused")

enum gateway_stat {
#define X(name, kind, text, help) GS_##name,
	GATEWAY_STATS(X)
#undef X
	GS_COUNT
};

struct gateway_conn;

struct gateway {
	struct server *srv;
	struct listener listener;
	struct gateway_conn *conns; /* list, oldest first */
	uint32_t n_conns;
	bool work; /* one of them has some */
	struct timer tick, again;
	struct net_turn turn;
	char address[ADDR_TEXT_MAX]; /* "": off */
	char key[GATEWAY_KEY_MAX + 1];
	struct people people;
	struct log_limit limit;
	uint64_t counted; /* sessions, by the command under way */
	uint64_t stats[GS_COUNT];
};

/* --- gateway_set.c: sessions, in the order of their numbers, each once --- */
struct gateway_set {
	struct session **s; /* owned */
	uint32_t n, cap;
	bool over; /* there were more than GATEWAY_SET_MAX: it is of no use */
};
void gateway_set_fini(struct gateway_set *set);
void gateway_set_add(struct gateway_set *set, struct session *s);
void gateway_set_all(struct gateway *g, struct gateway_set *set);
void gateway_set_group(struct gateway *g, struct str group, struct gateway_set *set);
/* in the order they were bound */
void gateway_set_uid(struct gateway *g, struct str uid, struct gateway_set *set);
void gateway_set_sort(struct gateway_set *set);
/* the one here with this number, if it is open */
struct session *gateway_session(struct gateway *g, uint64_t connection);
/* names of the groups of s, rooms first; true: it is or was in one */
bool gateway_groups_of(struct gateway *g, struct session *s, void (*fn)(void *arg, struct str group), void *arg);
/* of all sessions, rooms first */
void gateway_groups(struct gateway *g, void (*fn)(void *arg, struct str group), void *arg);
/* PHP's empty(): "" or "0" */
bool gateway_is_empty(struct str s);
/* a name in JSON: text, or an integer printed into tmp; absent: neither */
struct str gateway_json_name(const json_t *v, char tmp[24]);

/* --- gateway_push.c --- */
/* a message of a back end, to one or many */
struct gateway_push {
	struct gateway *g;
	struct event ev;
	struct fanout fan;
	struct blob *raw; /* a whole frame, for those who get it as it is */
};
/* false: it can't be sent to anybody, counted; then nothing to end */
bool gateway_push_begin(struct gateway_push *p, struct gateway *g, const struct gateway_frame *f);
void gateway_push_to(struct gateway_push *p, struct session *s);
void gateway_push_end(struct gateway_push *p);
/* is s of the dialect that is spoken like the original? */
bool gateway_is_workerman(const struct session *s);

/* --- gateway_array.c: the session array --- */
/* as serialize; borrowed until the next call; "" when there is none */
struct str gateway_array(struct gateway *g, struct session *s);
/* all of it, or merged into what there is; false: refused */
bool gateway_array_set(struct gateway *g, struct session *s, struct str text);
bool gateway_array_merge(struct gateway *g, struct session *s, struct str text);

/* --- gateway_do.c, gateway_cmd.c --- */
/* true: it was one of those that answer nothing */
bool gateway_do(struct gateway *g, const struct gateway_frame *f);
/* true: it was one of those that are answered; the answer is in out */
bool gateway_ask(struct gateway *g, const struct gateway_frame *f, struct buf *out);

#endif
