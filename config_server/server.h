/* SPDX-License-Identifier: MIT */
/*
 * struct server: everything a config_server process owns hangs here. Links
 * come in through node.c, questions through api.c (and ask.c, when the active
 * proxy must be asked); what changed in a turn of the loop is written
 * (store.h), kept beside it (NAME.topology.json) and pushed to all links at
 * the end of that turn.
 */
#ifndef CONFIG_SERVER_SERVER_H
#define CONFIG_SERVER_SERVER_H

#include "config_server/ask.h"
#include "config_server/node.h"
#include "config_server/registry.h"
#include "config_server/settings.h"
#include "config_server/store.h"
#include "shared/proc/log.h"
#include "shared/proc/stats.h"
#include "shared/svc/admin.h"

#define SERVER_STATS(X)                                                        \
	X(LINKS, STAT_GAUGE, "config_links", "links of daemons")               \
	X(SERVERS, STAT_GAUGE, "config_servers", "servers known")              \
	X(SERVERS_UP, STAT_GAUGE, "config_servers_up", "servers up")           \
	X(VER, STAT_GAUGE, "topology_ver", "version of the topology")          \
	X(GEN, STAT_GAUGE, "topology_gen", "highest gen reported")             \
	X(JOINS, STAT_COUNTER, "config_joins_total", "joins accepted")         \
	X(REFUSED, STAT_COUNTER, "config_joins_refused_total", "joins and links refused") \
	X(PUSHES, STAT_COUNTER, "config_pushes_total", "topologies sent")      \
	X(QUESTIONS, STAT_COUNTER, "config_questions_total", "questions passed to the active proxy") \
	X(DRAINS, STAT_GAUGE, "config_drains", "drain jobs running")           \
	X(DRAINS_ENDED, STAT_COUNTER, "config_drains_ended_total", "drain jobs done or aborted") \
	X(DRAINS_FAILED, STAT_COUNTER, "config_drains_failed_total", "drain jobs whose server died with clients left") \
	X(STORE_ERRORS, STAT_COUNTER, "store_errors_total", "failed writes of topology.db")

enum server_stat {
#define X(name, kind, text, help) S_##name,
	SERVER_STATS(X)
#undef X
	S_COUNT
};

struct server {
	struct net *net;
	struct settings set;
	struct admin http; /* the one port */
	struct link_id self;
	uint8_t key[32];
	struct registry registry;
	struct registry_server *own; /* our entry; borrowed from registry */
	struct store *store;
	struct node *nodes; /* list, owned */
	unsigned n_nodes;
	struct ask *asks; /* list, owned */
	unsigned n_asks;
	uint32_t next_ask;
	struct timer tick, ask_timer;
	struct net_turn turn;
	struct blob *topo; /* the TOPO frame of now */
	struct log_limit limit;
	uint64_t stats[S_COUNT];
	char *cache; /* path of NAME.topology.json */
	int64_t started_ms, store_retry_ms;
	int64_t refused_at_ms; /* strangers' events: few a minute */
	unsigned n_refused, ticks;
};

/* reads keys and data, opens the listener; ends the program when it can't */
void server_start(struct server *s, struct net *net);
/* where the key of the links is */
void server_key_path(const struct server *s, char *out, size_t size);
/* closes listener and links; the loop ends when they are gone */
void server_stop(struct server *s);
void server_free(struct server *s);
/* for the events table and the log */
void server_event(struct server *s, const char *kind, const char *srv, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* makes what is in memory visible to readers of the store; 0 or why not */
int server_flush(struct server *s);

#endif
