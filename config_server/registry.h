/* SPDX-License-Identifier: MIT */
/*
 * Who is in the cluster, in memory: no sockets, no database, time from
 * proc/clock. Links report to it (node.c), the store keeps it (store.c), the
 * API reads it (api.c).
 *
 * A name keeps its node number for ever. A daemon that knows its number keeps
 * it, whatever the registry remembers, unless another name holds it: then the
 * newcomer alone gets a new one (wire.md; topology.db may be lost or old).
 *
 * States: up; late 3 s and down 10 s after the last beat (limits.md); draining
 * as the daemon says, or as long as it has a drain job; one whose link ends
 * when it has said that nobody is left is down at once. `active` is what the proxies report, highest gen among
 * those linked; nothing here elects anybody.
 *
 * Pointers to servers stay valid until registry_forget() or registry_fini().
 */
#ifndef CONFIG_SERVER_REGISTRY_H
#define CONFIG_SERVER_REGISTRY_H

#include "config_server/jobs.h"
#include "shared/svc/topology.h"

enum {
	REGISTRY_LATE_MS = 3000,
	REGISTRY_DOWN_MS = 10000,
	REGISTRY_REFUSED_MS = 60000, /* between events about one refused name */
	REGISTRY_NODE_MAX = (1 << 21) - 1, /* cn stays below 2^53 */
	REGISTRY_DETAIL_MAX = 256
};

enum server_state { STATE_UP, STATE_LATE, STATE_DRAINING, STATE_DOWN };
const char *server_state_text(enum server_state state);

struct registry_server {
	struct topology_server t; /* name, numbers, addresses; t.state = text of state */
	enum server_state state;
	uint32_t cap;
	int64_t since_ms;  /* wall clock: in this state since */
	int64_t beat_ms;   /* monotonic: last beat, or when we began to wait */
	int64_t beat_wall_ms; /* wall clock of the last beat, 0: none yet */
	struct f_beat load;
	uint32_t sent;     /* clients told to go there since that beat */
	uint64_t job;      /* the running drain job of this process, 0: none; set by drain.c */
	void *link;        /* of the caller; NULL: not linked */
	uint64_t claim_gen; /* as reported on this link */
	bool claims;       /* says it is the active proxy */
	int64_t refused_ms; /* last event about a process that was not let in */
	bool dirty;        /* its row is to be written */
};

struct registry {
	struct registry_server **list; /* by node number */
	size_t n;
	uint64_t ver;
	uint32_t next_node;
	char active[ID_MAX + 1], ep[EP_LEN + 1];
	uint64_t gen;
	int64_t active_since_ms, refused_ms;
	struct jobs jobs;
	bool changed;      /* the list is another one: registry_commit() */
	bool meta_dirty;   /* active, ver or next_node are to be written */
	/* for the events table; detail may be "" */
	void (*on_event)(void *arg, const char *kind, const char *srv, const char *detail);
	void *arg;
};

struct registry_joined {
	struct registry_server *server; /* NULL: refused */
	void *replaced;   /* link of an older process of that name, to be closed */
	unsigned code;    /* refused: 400, 409, 503 */
	const char *why;
};

struct registry_problem {
	const char *kind, *srv;
	char detail[REGISTRY_DETAIL_MAX];
};

void registry_init(struct registry *r, void (*on_event)(void *, const char *, const char *, const char *), void *arg);
void registry_fini(struct registry *r);

/*
 * What was known before this start: servers wait as if they had just beaten.
 * ERR_EXISTS: the name is known (its number is kept) or another name holds the number; ERR_LIMIT.
 */
int registry_restore(struct registry *r, const struct topology_server *t, uint32_t cap, int64_t since_ms) MUST_CHECK;
void registry_restore_active(struct registry *r, const char *name, uint64_t gen, const char *ep, int64_t since_ms);

void registry_join(struct registry *r, const struct f_join *join, void *link, struct registry_joined *out);
void registry_beat(struct registry *r, struct registry_server *s, const struct f_beat *beat);
/* its state is looked at again: its job has begun or ended */
void registry_job(struct registry *r, struct registry_server *s, uint64_t job);
void registry_report(struct registry *r, struct registry_server *s, const struct f_report *report);
/* the link is gone; nothing when another link has taken its place */
void registry_unlink(struct registry *r, struct registry_server *s, const void *link);
/* once a second: late and down */
void registry_tick(struct registry *r);
/* forget one that is down; its number is not given again. ERR_NOTFOUND, ERR_BUSY (not down) */
int registry_forget(struct registry *r, const char *name) MUST_CHECK;
/* +1 when something changed since the last call: true */
bool registry_commit(struct registry *r);

/* the address to show: of the link, else direct, else admin */
const char *registry_addr(const struct registry_server *s);
struct registry_server *registry_find(const struct registry *r, struct str name);
/* the linked proxy that is active, or NULL */
struct registry_server *registry_active(const struct registry *r);
/*
 * msg_servers for a new client, best first: up, linked, least conns/weight, among equals by hash of
 * uid (absent: any). Returns how many of max were filled in. Conns are those of the last beat and
 * who was sent there since: the caller adds to out[0]->sent when it sends somebody, or all who ask
 * between two beats would go to one server.
 */
size_t registry_next(const struct registry *r, struct str uid, struct registry_server **out, size_t max);
/* what is wrong; returns how many of max */
size_t registry_check(const struct registry *r, struct registry_problem *out, size_t max);
/* the list in the form of svc/topology.h, appended */
void registry_write(const struct registry *r, const char *cluster, struct buf *out);

#endif
