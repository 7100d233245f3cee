/* SPDX-License-Identifier: MIT */
/*
 * What the admin listener tells of a proxy_server: ready or not and why,
 * status as JSON, figures for Prometheus. Reads, changes nothing.
 */
#include <unistd.h>

#include "proxy_server/peer.h"
#include "proxy_server/presence.h"
#include "proxy_server/proxy.h"
#include "shared/proc/clock.h"
#include "shared/proc/stats.h"
#include "shared/proto/json.h"

enum { STATUS_SETTLE_MS = 1000 /* to link, and for what was on its way */ };

static const char *
status_log_text(enum log_state state)
{
	switch (state) {
	case LOG_WAITING:
		return "waiting";
	case LOG_ACTIVE:
		return "active";
	case LOG_DEGRADED:
		return "degraded";
	case LOG_FAILED:
		return "failed";
	}
	return "?";
}

static const char *
status_role_text(const struct proxy *p)
{
	return proxy_is_active(p) ? "active" : "standby";
}

/*
 * Ready: it stores, or it waits for somebody known who does. A standby without
 * a holder of the lock is on its way to be active.
 */
bool
status_ready(void *arg, struct buf *out)
{
	struct proxy *p = arg;
	char holder[ID_MAX + 1] = "";
	struct log_figures f;
	uint64_t start;
	int pid;
	bool held, ready;
	struct jw w;

	held = log_lock_holder(p->set.data, &pid, &start, holder) == 0;
	ready = !p->stopping &&
		(p->state == LOG_ACTIVE ||
		    (p->state == LOG_WAITING && held && pid != getpid()));
	jw_init(&w, out);
	jw_obj(&w, NULL);
	jw_bool(&w, "ready", ready);
	jw_obj(&w, "checks");
	jw_cstr(&w, "log", status_log_text(p->state));
	jw_cstr(&w, "role", status_role_text(p));
	if (held)
		jw_cstr(&w, "active", holder);
	if (p->why[0] != '\0')
		jw_cstr(&w, "why", p->why);
	if (p->log != NULL && proxy_is_active(p)) {
		log_figures(p->log, &f);
		jw_cstr(&w, "disk",
		    p->state == LOG_DEGRADED ? "trouble"
		    : f.disk_low	     ? "low"
					     : "ok");
	}
	jw_bool(&w, "config_server",
	    p->topology != NULL && topology_is_linked(p->topology));
	jw_bool(&w, "stopping", p->stopping);
	jw_obj_end(&w);
	jw_obj_end(&w);
	return ready;
}

/*
 * Does a standby know of people what the active one knows? Who is linked it
 * knows at once; who left just before it began is held for the grace.
 */
static bool
status_is_settled(const struct proxy *p)
{
	if (proxy_is_active(p))
		return true;
	if (clock_mono_ms() - p->started_ms <
	    p->set.presence_grace + STATUS_SETTLE_MS)
		return false;
	return peer_all_linked(p);
}

static void
status_put_links(const struct proxy *p, struct jw *w)
{
	const struct peer *peer;

	jw_arr(w, "links");
	for (peer = p->peers; peer != NULL; peer = peer->hh.next) {
		if (!peer_is_up(peer))
			continue;
		jw_obj(w, NULL);
		jw_cstr(w, "name", peer->lc.link.peer.name);
		jw_cstr(w, "role", link_role_text(peer->lc.link.peer.role));
		jw_int(w, "node", peer->lc.link.peer.node_no);
		jw_int(w, "inc", peer->lc.link.peer.inc);
		jw_cstr(w, "from", peer->from);
		jw_int(w, "since", peer->since_ms);
		jw_int(w, "channels", peer->follows.n);
		jw_bool(w, "behind", peer->behind != NULL);
		jw_int(w, "rtt_us", peer->lc.rtt_us);
		jw_int(w, "queued", conn_queued(&peer->lc.conn));
		jw_int(w, "credit", peer->lc.credit);
		jw_int(w, "items", (int64_t)peer->lc.items_sent);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void
status_put_log(const struct proxy *p, struct jw *w)
{
	struct log_figures f;

	if (p->log == NULL)
		return;
	log_figures(p->log, &f);
	jw_obj(w, "log");
	jw_cstr(w, "state", status_log_text(p->state));
	if (p->why[0] != '\0')
		jw_cstr(w, "why", p->why);
	jw_int(w, "items", (int64_t)f.items);
	jw_int(w, "commits", (int64_t)f.commits);
	jw_int(w, "bytes", (int64_t)f.bytes);
	jw_int(w, "dups", (int64_t)f.dups);
	jw_int(w, "refused", (int64_t)f.refused);
	jw_int(w, "reads", (int64_t)f.reads);
	jw_int(w, "reads_recent", (int64_t)f.reads_recent);
	jw_int(w, "recent_bytes", (int64_t)f.recent_bytes);
	jw_int(w, "queue_ops", (int64_t)f.queue_ops);
	jw_int(w, "queue_bytes", (int64_t)f.queue_bytes);
	jw_int(w, "wal_bytes", (int64_t)f.wal_bytes);
	jw_int(w, "disk_free", (int64_t)f.disk_free);
	jw_bool(w, "disk_low", f.disk_low != 0);
	jw_int(
	    w, "commit_p50_us", (int64_t)histogram_quantile(&f.commit_us, 0.5));
	jw_int(w, "commit_p99_us",
	    (int64_t)histogram_quantile(&f.commit_us, 0.99));
	jw_int(w, "ack_p50_us", (int64_t)histogram_quantile(&f.ack_us, 0.5));
	jw_int(w, "ack_p99_us", (int64_t)histogram_quantile(&f.ack_us, 0.99));
	jw_int(w, "checkpoint_p99_us",
	    (int64_t)histogram_quantile(&f.checkpoint_us, 0.99));
	jw_obj_end(w);
}

void
status_json(void *arg, struct buf *out)
{
	struct proxy *p = arg;
	struct presence_figures f;
	struct jw w;

	presence_get_figures(p->presence, &f);
	jw_init(&w, out);
	jw_obj(&w, NULL);
	jw_cstr(&w, "name", p->set.name);
	jw_cstr(&w, "program", "proxy_server");
	jw_cstr(&w, "version", PACKAGE_VERSION);
	jw_cstr(&w, "cluster", p->set.cluster);
	jw_int(&w, "node", p->self.node_no);
	jw_int(&w, "inc", p->self.inc);
	jw_int(&w, "uptime_s", (clock_mono_ms() - p->started_ms) / 1000);
	jw_cstr(&w, "role", status_role_text(p));
	jw_bool(&w, "settled", status_is_settled(p));
	jw_int(&w, "gen", (int64_t)p->gen);
	jw_cstr(&w, "ep", p->ep);
	jw_int(&w, "topology",
	    p->topology ? (int64_t)topology_ver(p->topology) : 0);
	jw_bool(&w, "config_server",
	    p->topology != NULL && topology_is_linked(p->topology));
	jw_int(&w, "channels", (int64_t)p->stats[P_CHANNELS]);
	jw_int(&w, "sessions", (int64_t)f.sessions);
	jw_int(&w, "users", (int64_t)f.users);
	jw_int(&w, "rooms", (int64_t)f.rooms);
	status_put_log(p, &w);
	status_put_links(p, &w);
	jw_obj_end(&w);
}

/*  metric, kind, member of struct log_figures, help */
#define STATUS_LOG(X)                                                      \
	X("proxy_items_total", STAT_COUNTER, items, "items stored")        \
	X("proxy_commits_total", STAT_COUNTER, commits, "commits")         \
	X("proxy_stored_bytes_total", STAT_COUNTER, bytes, "bytes stored") \
	X("proxy_dups_total", STAT_COUNTER, dups, "items that were there") \
	X("proxy_refused_total", STAT_COUNTER, refused,                    \
	    "operations that stored nothing")                              \
	X("proxy_reads_file_total", STAT_COUNTER, reads,                   \
	    "pages of history read from the file")                         \
	X("proxy_reads_memory_total", STAT_COUNTER, reads_recent,          \
	    "pages of history answered from memory")                       \
	X("proxy_recent_bytes", STAT_GAUGE, recent_bytes,                  \
	    "memory of recent items")                                      \
	X("proxy_read_items_total", STAT_COUNTER, read_items,              \
	    "items read from the file as history")                         \
	X("proxy_damaged_items_total", STAT_COUNTER, damaged,              \
	    "tombstones read for rows that are damaged or missing")        \
	X("proxy_queue_ops", STAT_GAUGE, queue_ops, "operations waiting")  \
	X("proxy_queue_bytes", STAT_GAUGE, queue_bytes, "bytes waiting")   \
	X("proxy_wal_bytes", STAT_GAUGE, wal_bytes, "size of the WAL")     \
	X("proxy_disk_free_bytes", STAT_GAUGE, disk_free, "free disk")     \
	X("proxy_disk_low", STAT_GAUGE, disk_low,                          \
	    "1: less free disk than disk_warn")

static const struct stat_def status_log_defs[] = {
#define X(metric, kind, member, help) {metric, kind, help},
    STATUS_LOG(X)
#undef X
};

static const struct stat_def status_defs[] = {
#define X(name, kind, metric, help) {metric, kind, help},
    PROXY_STATS(X)
#undef X
};

static const struct stat_def status_state_defs[] = {
    {"proxy_active", STAT_GAUGE, "1: orders and stores, 0: standby"},
    {"proxy_degraded", STAT_GAUGE, "1: takes nothing new, disk trouble"},
    {"proxy_gen", STAT_GAUGE, "generation of the active one"},
    {"proxy_link_queue_bytes", STAT_GAUGE, "bytes in all output queues"},
};

/* histogram_render is for times: this one counts operations */
static void
status_put_batch(struct buf *out, const struct histogram *h)
{
	static const char name[] = "cchat_proxy_commit_batch";
	uint64_t seen = 0;

	buf_printf(out,
	    "# HELP %s operations in a commit\n# TYPE %s histogram\n", name,
	    name);
	/* bucket i holds what is below 2^i; a commit takes 1000 at most */
	for (unsigned i = 0; i <= 10; i++) {
		seen += h->bucket[i];
		buf_printf(out, "%s_bucket{le=\"%u\"} %llu\n", name,
		    (1u << i) - 1, (unsigned long long)seen);
	}
	buf_printf(out,
	    "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %llu\n%s_count %llu\n", name,
	    (unsigned long long)h->n, name, (unsigned long long)h->sum_us, name,
	    (unsigned long long)h->n);
}

void
status_metrics(void *arg, struct buf *out)
{
	struct proxy *p = arg;
	struct presence_figures pf;
	struct log_figures f;
	uint64_t state[] = {proxy_is_active(p), p->state == LOG_DEGRADED,
	    p->gen, p->net->queued};

	presence_get_figures(p->presence, &pf);
	p->stats[P_SESSIONS] = pf.sessions;
	p->stats[P_USERS] = pf.users;
	p->stats[P_ROOMS] = pf.rooms;
	p->stats[P_WATCHED] = pf.watches;
	p->stats[P_STATUS_TOLD] = pf.told;
	p->stats[P_PRES] = pf.updates;
	p->stats[P_PRES_REFUSED] = pf.refused;
	stats_render(
	    out, status_state_defs, state, ARRAY_LEN(status_state_defs));
	stats_render(out, status_defs, p->stats, P_COUNT);
	if (p->log == NULL)
		return;
	log_figures(p->log, &f);
	{
		const uint64_t values[] = {
#define X(metric, kind, member, help) f.member,
		    STATUS_LOG(X)
#undef X
		};

		/* the disk, at the end, is looked at by who writes to it */
		stats_render(out, status_log_defs, values,
		    ARRAY_LEN(status_log_defs) - (state[0] != 0 ? 0 : 2));
	}
	histogram_render(out, "proxy_commit_seconds",
	    "from the begin of a commit to its end", &f.commit_us);
	histogram_render(out, "proxy_ack_seconds",
	    "from the arrival of an append to its ack, once it is stored",
	    &f.ack_us);
	histogram_render(out, "proxy_checkpoint_seconds",
	    "the commits waited so long while the WAL was worked off",
	    &f.checkpoint_us);
	status_put_batch(out, &f.batch);
}
