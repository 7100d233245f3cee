/* SPDX-License-Identifier: MIT */
/*
 * struct proxy: everything a proxy_server process owns hangs here.
 *
 *	msg_server --link--> peer --APPEND--> log queue -> writer, commit
 *	                      ^                               |
 *	                      |  ITEM (fan-out), ACK          v
 *	                    route <---------- on_done, in commit order
 *
 *	msg_server --PRES--> presence --ROOM--> route --> links that follow
 *r:<rid>
 *
 * One loop, one thread here; the log has two of its own behind log.h.
 */
#ifndef PROXY_SERVER_PROXY_H
#define PROXY_SERVER_PROXY_H

#include "proxy_server/log.h"
#include "proxy_server/settings.h"
#include "shared/net/listener.h"
#include "shared/net/timer.h"
#include "shared/svc/admin.h"
#include "shared/svc/topology.h"

/*  name, kind, metric, help */
#define PROXY_STATS(X)                                                         \
	X(LINKS, STAT_GAUGE, "proxy_links", "links that are up")               \
	X(LINKS_TOTAL, STAT_COUNTER, "proxy_links_total",                      \
	    "links that came up")                                              \
	X(LINKS_LOST, STAT_COUNTER, "proxy_links_lost_total",                  \
	    "links that went down")                                            \
	X(LINKS_REFUSED, STAT_COUNTER, "proxy_links_refused_total",            \
	    "connections that did not become links")                           \
	X(APPENDS, STAT_COUNTER, "proxy_appends_total",                        \
	    "items asked to store")                                            \
	X(NAKS, STAT_COUNTER, "proxy_naks_total", "items refused")             \
	X(ACKS, STAT_COUNTER, "proxy_acks_total",                              \
	    "items acknowledged by a frame of their own")                      \
	X(FANOUT, STAT_COUNTER, "proxy_fanout_frames_total",                   \
	    "items sent to links")                                             \
	X(BEHIND, STAT_COUNTER, "proxy_behind_total",                          \
	    "channels of links that had to catch up from the log")             \
	X(CHANNELS, STAT_GAUGE, "proxy_channels", "channels somebody follows") \
	X(FOLLOWS, STAT_GAUGE, "proxy_follows", "channels followed, by link")  \
	X(READS, STAT_COUNTER, "proxy_reads_total", "pages of history asked")  \
	X(INBOXES, STAT_COUNTER, "proxy_inboxes_total",                        \
	    "pages of users' conversations asked")                             \
	X(STATES, STAT_COUNTER, "proxy_states_total",                          \
	    "pages of state records asked")                                    \
	X(EPHS, STAT_COUNTER, "proxy_ephemerals_total",                        \
	    "ephemeral frames relayed")                                        \
	X(TYPING_DROPPED, STAT_COUNTER, "proxy_typing_dropped_total",          \
	    "typing not told: the room is too big for it")                     \
	X(SESSIONS, STAT_GAUGE, "proxy_sessions", "sessions announced")        \
	X(USERS, STAT_GAUGE, "proxy_users", "users with a session")            \
	X(ROOMS, STAT_GAUGE, "proxy_rooms", "rooms with somebody in")          \
	X(WATCHED, STAT_GAUGE, "proxy_watched_users",                          \
	    "users watched, once for each msg_server that does")           \
	X(STATUS_TOLD, STAT_COUNTER, "proxy_status_told_total",                \
	    "states of watched users sent to msg_servers")                 \
	X(PRES, STAT_COUNTER, "proxy_presence_updates_total",                  \
	    "sessions announced, changed or gone")                             \
	X(PRES_REFUSED, STAT_COUNTER, "proxy_presence_refused_total",          \
	    "announcements over the limits")                                   \
	X(ROOM_FRAMES, STAT_COUNTER, "proxy_room_frames_total",                \
	    "changes of people sent to links")                                 \
	X(WHOS, STAT_COUNTER, "proxy_whos_total", "questions about people")

enum proxy_stat {
#define X(name, kind, metric, help) P_##name,
	PROXY_STATS(X)
#undef X
	    P_COUNT
};

struct peer;
struct route;
struct presence;
struct standby;

struct proxy {
	struct net *net;
	struct ev_loop *loop;
	struct settings set;
	struct link_id self;
	uint8_t key[32];
	uint64_t stats[P_COUNT];
	struct listener listener; /* links */
	struct admin admin;
	struct topology *topology;
	struct log *log;
	struct standby
	    *standby; /* watches the active one while the log waits */
	struct route *route;
	struct presence *presence;
	struct peer *peers; /* by id */
	uint64_t next_peer;
	unsigned n_peers;
	/* the log as last heard */
	enum log_state state;
	uint64_t gen;
	char ep[EP_LEN + 1];
	char why[200];
	int64_t started_ms, stopped_ms;
	int64_t promoted_ms;	 /* 0: never */
	int64_t coming_until_ms; /* until then peer_are_coming() looks */
	/* at the last beat, for rates */
	int64_t beat_ms;
	uint64_t beat_appends, beat_bytes;
	unsigned n_closing; /* links that are down but not yet freed */
	struct timer stop_timer;
	int exit_code;
	bool stopping;
	/* the end: the owner of the loop leaves it */
	void (*on_quit)(struct proxy *);
};

/*
 * After settings and net are set: key, inc, log, presence, route. Opens no
 * socket, so that tests can hand it links themselves.
 */
void proxy_init(struct proxy *p);
/* listeners and topology: from here on the world talks to it */
void proxy_open(struct proxy *p);
/* where the key of the links is */
void proxy_key_path(const struct proxy *p, char *out, size_t size);
/* SIGHUP: settings are read again, the log file is opened anew */
void proxy_reload(struct proxy *p);
/* SIGTERM: commits what is queued, acks, closes links, then on_quit */
void proxy_stop(struct proxy *p);
/* after the loop */
void proxy_fini(struct proxy *p);

/* is this the one that orders and stores now? */
static inline bool
proxy_is_active(const struct proxy *p)
{
	return p->state == LOG_ACTIVE || p->state == LOG_DEGRADED;
}

/* --- status.c: the admin listener --- */
bool status_ready(void *arg, struct buf *out);
void status_json(void *arg, struct buf *out);
void status_metrics(void *arg, struct buf *out);

#endif
