/* SPDX-License-Identifier: MIT */
/*
 * Draining: see drain.h. A list of session numbers in the order of their
 * slots and three places in it that move on with time: told, slot reached,
 * waited for long enough. Knows sessions, not sockets.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "msg_server/door/front.h"
#include "msg_server/drain.h"
#include "msg_server/move_key.h"
#include "msg_server/reply.h"
#include "shared/base/digest.h"
#include "shared/proc/clock.h"
#include "shared/proc/daemon.h"
#include "shared/proc/log.h"
#include "shared/proto/json.h"

enum {
	DRAIN_TICK_MS = 20,
	DRAIN_LEAD_MS = 2000,  /* `move` comes so long before its slot */
	DRAIN_LATE_MS = 5000,  /* after its slot a client is closed */
	DRAIN_BUSY_MS = 11000, /* for an answer; the relay gives 503 at 10 s */
	DRAIN_BUSY_SOON_MS = 3000,
	DRAIN_HEARD_MS = 500,
	DRAIN_END_MS = 1000,  /* for the last bytes of all */
	DRAIN_KEY_MS = 60000, /* life of a key behind its slot: clocks differ */
	DRAIN_ASK_MS = 300,   /* for a request on a connection just taken */
	DRAIN_ALONE_MS = 1000,	/* nobody is heard of: longer than a takeover */
	DRAIN_RETRY_MS = 500,	/* closed in its slot: back after 0..this */
	DRAIN_SPREAD_MS = 2000, /* closed with all others: at least 0..this */
	DRAIN_SPREAD_MAX_MS = 20000,
	DRAIN_TARGETS_MAX = 64
};

struct drain_target {
	char name[ID_MAX + 1];
	uint32_t n; /* sent there */
};

struct drain_busy {
	uint64_t cn;
	int64_t until_ms;
};

struct drain {
	struct server *srv;
	enum drain_pace pace;
	bool must_end;	/* told by a signal: not to be aborted */
	bool reopening; /* aborted, and a listener is not open yet */
	bool ending, said;
	uint64_t job;
	uint32_t rate;
	int64_t within_ms, begun_ms, hurry_ms, end_ms;
	int64_t heard_ms; /* when a proxy or the config_server was there last */
	int64_t step_us;
	uint64_t *cn; /* owned, n: who goes, in the order of slots */
	size_t n, told, gone, late;
	struct drain_busy *busy; /* owned, n_busy: about to be closed */
	size_t n_busy;
	struct drain_target target[DRAIN_TARGETS_MAX];
	unsigned n_targets;
	uint32_t n_sent;
	struct timer tick;
};

/* --- where to ----------------------------------------------------------- */

static bool
drain_is_peer(const struct drain *d, const struct topology_server *t)
{
	return t->role == ROLE_MSG && strcmp(t->name, d->srv->set.name) != 0;
}

/* is there anybody to go to? One who is late may only be slow to say */
static bool
drain_has_peers(const struct drain *d)
{
	const struct topology_server *all;
	size_t i, n;

	all = topology_servers(d->srv->topology, &n);
	for (i = 0; i < n; i++)
		if (drain_is_peer(d, &all[i]) &&
		    (strcmp(all[i].state, "up") == 0 ||
			strcmp(all[i].state, "late") == 0))
			return true;
	return false;
}

static struct drain_target *
drain_target(struct drain *d, const char *name)
{
	unsigned i;

	for (i = 0; i < d->n_targets; i++)
		if (strcmp(d->target[i].name, name) == 0)
			return &d->target[i];
	if (d->n_targets == DRAIN_TARGETS_MAX)
		return NULL;
	str_copy(d->target[i].name, sizeof d->target[i].name, str_of(name));
	d->n_targets++;
	return &d->target[i];
}

/* of every uid another order of the servers, always the same one */
static uint64_t
drain_score(struct str uid, const char *name)
{
	uint64_t h = digest_crc32c(0, uid.p, uid.len);

	h = (h << 32 | digest_crc32c(7, name, strlen(name))) *
	    0x9e3779b97f4a7c15ULL;
	return (h ^ h >> 29) * 0xbf58476d1ce4e5b9ULL;
}

/* the direct URL of another server, or absent */
static struct str
drain_url(struct drain *d, struct str uid)
{
	const struct topology_server *all, *best = NULL;
	struct drain_target *t, *to = NULL;
	uint64_t sum = 0, score, top = 0;
	size_t i, n;

	all = topology_servers(d->srv->topology, &n);
	for (i = 0; i < n; i++)
		if (drain_is_peer(d, &all[i]) &&
		    strcmp(all[i].state, "up") == 0 &&
		    all[i].direct_url[0] != '\0')
			sum += all[i].weight;
	for (i = 0; i < n && sum > 0; i++) {
		if (!drain_is_peer(d, &all[i]) ||
		    strcmp(all[i].state, "up") != 0 ||
		    all[i].direct_url[0] == '\0')
			continue;
		t = drain_target(d, all[i].name);
		/* a quarter over its share, and one: it has its share */
		if (t == NULL ||
		    4 * sum * t->n >=
			5ULL * all[i].weight * (d->n_sent + 1) + 4 * sum)
			continue;
		score = drain_score(uid, all[i].name);
		if (best == NULL || score > top)
			best = &all[i], to = t, top = score;
	}
	if (best == NULL)
		return STR_NONE;
	to->n++;
	d->n_sent++;
	return str_of(best->direct_url);
}

/* --- letting one go ----------------------------------------------------- */

static int64_t
drain_slot_ms(const struct drain *d, size_t i)
{
	return d->begun_ms + (int64_t)i * d->step_us / 1000;
}

static void
drain_tell(struct drain *d, struct session *s, int64_t in_ms)
{
	struct server *srv = d->srv;
	struct move_claim claim = {.cn = s->cn,
	    .exp_ms = clock_wall_ms() + in_ms + DRAIN_LATE_MS + DRAIN_KEY_MS,
	    .away = s->away};
	char key[MOVE_KEY_MAX];
	struct event ev = {.kind = EVENT_MOVE, .in_ms = in_ms, .why = "drain"};

	move_key_make(
	    srv->link_key, srv->set.cluster, session_uid(s), &claim, key);
	ev.key = str_of(key);
	ev.url = drain_url(d, session_uid(s));
	srv->stats[S_MOVES]++;
	reply_event(s, &ev);
}

static bool
drain_is_busy(const struct session *s)
{
	return s->pending > 0 || s->asks > 0 || s->logging_in;
}

/*
 * To presence it has lost its link. That is said a tick before it is closed:
 * the next server must not be heard of before this one.
 */
static void
drain_say_gone(struct drain *d, struct session *s)
{
	struct f_pres pres;

	s->silent = 1;
	if (s->user == NULL)
		return;
	room_presence_fill(s, &pres);
	pres.op = PRES_GONE;
	relay_pres(d->srv->relay, &pres);
}

static void
drain_close(struct drain *d, struct session *s, int64_t spread_ms)
{
	s->silent = 1;
	d->srv->stats[S_DRAIN_CLOSED]++;
	session_close(s, 4200, d->pace == DRAIN_SLOTS ? "drain" : "going away",
	    1 + (int64_t)digest_random_below((uint64_t)spread_ms));
}

static void
drain_let_go(struct drain *d, struct session *s, int64_t now)
{
	d->busy[d->n_busy].cn = s->cn;
	d->busy[d->n_busy++].until_ms = now + DRAIN_BUSY_MS;
}

static struct session *
drain_session(struct drain *d, uint64_t cn)
{
	struct session *s = session_find(d->srv, cn);

	return s != NULL && session_is_open(s) ? s : NULL;
}

/* --- paces -------------------------------------------------------------- */

static void
drain_by_slots(struct drain *d, int64_t now)
{
	struct session *s;
	size_t i;

	while (d->told < d->n &&
	       drain_slot_ms(d, d->told) - now <= DRAIN_LEAD_MS) {
		int64_t in_ms = drain_slot_ms(d, d->told) - now;

		s = drain_session(d, d->cn[d->told++]);
		if (s != NULL && s->user != NULL && s->level > 1)
			drain_tell(d, s, in_ms > 0 ? in_ms : 0);
	}
	while (d->gone < d->n && drain_slot_ms(d, d->gone) <= now) {
		s = drain_session(d, d->cn[d->gone++]);
		if (s != NULL && (s->level < 2 || s->user == NULL))
			drain_let_go(d, s, now);
	}
	while (d->late < d->n &&
	       drain_slot_ms(d, d->late) + DRAIN_LATE_MS <= now) {
		s = drain_session(d, d->cn[d->late++]);
		if (s != NULL && s->level > 1 && s->user != NULL)
			drain_let_go(d, s, now);
	}
	for (i = 0; i < d->n_busy;) {
		s = drain_session(d, d->busy[i].cn);
		if (s != NULL && drain_is_busy(s) &&
		    now < d->busy[i].until_ms) {
			i++;
			continue;
		}
		if (s != NULL && !s->silent) {
			drain_say_gone(d, s);
			i++;
			continue;
		}
		if (s != NULL)
			drain_close(d, s, DRAIN_RETRY_MS);
		d->busy[i] = d->busy[--d->n_busy];
	}
}

static void
drain_all(struct drain *d, int64_t now)
{
	int64_t spread = (int64_t)d->srv->sessions.n * 1000 / d->rate;
	bool wait =
	    d->pace == DRAIN_AT_ONCE && now - d->hurry_ms < DRAIN_BUSY_SOON_MS;
	struct session *s, *next;

	/* what was said here is heard here, too */
	if (wait && now - d->hurry_ms < DRAIN_HEARD_MS &&
	    relay_unacked(d->srv->relay) > 0)
		return;
	if (spread < DRAIN_SPREAD_MS)
		spread = DRAIN_SPREAD_MS;
	if (spread > DRAIN_SPREAD_MAX_MS)
		spread = DRAIN_SPREAD_MAX_MS;
	SESSION_EACH(&d->srv->sessions, s, next)
	{
		if (!session_is_open(s) || (wait && drain_is_busy(s)))
			continue;
		if (s->silent || d->pace == DRAIN_NOW)
			drain_close(d, s, spread);
		else
			drain_say_gone(d, s);
	}
}

static void
drain_hurry(struct drain *d, enum drain_pace pace)
{
	if (pace <= d->pace)
		return;
	d->pace = pace;
	d->hurry_ms = clock_mono_ms();
	drain_all(d, d->hurry_ms);
}

/* nobody is here any more: the last bytes, the last word, the end */
static void
drain_end(struct drain *d, int64_t now)
{
	struct server *srv = d->srv;
	int64_t waited;

	if (!d->ending) {
		/* who was accepted last of all has not asked yet */
		if (d->pace == DRAIN_SLOTS && srv->httpd.conns > 0 &&
		    now - d->begun_ms < DRAIN_ASK_MS)
			return;
		d->ending = true;
		d->end_ms = now;
		httpd_stop(&srv->httpd);
		return;
	}
	waited = now - d->end_ms;
	if (d->said) {
		timer_stop(&d->tick);
		log_info("drained: %zu clients", d->n);
		srv->on_quit(srv);
		return;
	}
	if (d->pace != DRAIN_NOW &&
	    ((relay_unacked(srv->relay) > 0 && waited < DRAIN_BUSY_SOON_MS) ||
		((srv->n_dying > 0 || srv->httpd.conns > 0 ||
		     srv->net->queued > 0) &&
		    waited < DRAIN_END_MS)))
		return;
	d->said = true;
	topology_beat_now(srv->topology);
}

/* --- beginning and giving up -------------------------------------------- */

static void
drain_reopen(struct drain *d)
{
	struct server *srv = d->srv;

	if (fronts_reopen(srv) != 0)
		return;
	d->reopening = false;
	timer_stop(&d->tick);
	srv->draining = 0;
	srv->stats[S_DRAINING] = 0;
	log_info("drain aborted: %u connections stay", srv->n_clients);
	topology_beat_now(srv->topology);
}

/*
 * Told to end like everybody else, on a machine that goes down: what the
 * topology says is old, and who goes anywhere has no proxy there either.
 */
static void
drain_look_around(struct drain *d, int64_t now)
{
	if (topology_is_linked(d->srv->topology) ||
	    relay_has_active(d->srv->relay))
		d->heard_ms = now;
	if (d->pace != DRAIN_SLOTS || now - d->heard_ms < DRAIN_ALONE_MS)
		return;
	log_info("no proxy_server and no config_server: all clients go at "
		 "once");
	drain_hurry(d, DRAIN_AT_ONCE);
}

static void
drain_on_tick(void *arg)
{
	struct drain *d = arg;
	int64_t now = clock_mono_ms();

	if (d->reopening) {
		drain_reopen(d);
		return;
	}
	if (d->pace == DRAIN_SLOTS && now - d->begun_ms >= d->within_ms)
		drain_hurry(d, DRAIN_AT_ONCE);
	drain_look_around(d, now);
	if (d->pace == DRAIN_SLOTS)
		drain_by_slots(d, now);
	else
		drain_all(d, now);
	if (d->srv->n_clients == 0)
		drain_end(d, now);
}

static int
drain_by_age(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Who has a slot, in the order they came, and who goes at once: he has not
 * begun anything.
 */
static void
drain_collect(struct drain *d)
{
	struct server *srv = d->srv;
	size_t most = srv->sessions.n + 1;
	struct session *s, *next;

	d->cn = xrealloc(d->cn, most * sizeof *d->cn);
	d->busy = xrealloc(d->busy, most * sizeof *d->busy);
	d->n = d->told = d->gone = d->late = d->n_busy = 0;
	SESSION_EACH(&srv->sessions, s, next)
	{
		if (!session_is_open(s))
			continue;
		if (s->user != NULL)
			d->cn[d->n++] = s->cn;
		else
			drain_close(d, s, DRAIN_RETRY_MS);
	}
	qsort(d->cn, d->n, sizeof *d->cn, drain_by_age);
}

static void
drain_begin(struct drain *d, uint64_t job, int64_t rate, int64_t within_ms)
{
	struct server *srv = d->srv;
	int64_t room_us;

	d->job = job;
	d->rate = (uint32_t)rate;
	d->within_ms = within_ms;
	d->begun_ms = d->heard_ms = clock_mono_ms();
	d->pace = DRAIN_SLOTS;
	d->reopening = d->ending = d->said = false;
	d->n_targets = d->n_sent = 0;
	srv->draining = 1;
	srv->stats[S_DRAINING] = 1;
	fronts_finish(srv);
	drain_collect(d);
	/* the last slot leaves time for those who do not go by themselves */
	room_us = within_ms > 2 * DRAIN_LATE_MS
		      ? (within_ms - DRAIN_LATE_MS) * 1000
		      : within_ms * 500;
	d->step_us = 1000000 / rate;
	if (d->n > 0 && room_us / (int64_t)d->n < d->step_us)
		d->step_us = room_us / (int64_t)d->n;
	log_info("draining: %u connections, %zu logged in, job %" PRIu64,
	    srv->n_clients, d->n, job);
	daemon_notify("STATUS=draining");
	timer_set(&d->tick, DRAIN_TICK_MS, DRAIN_TICK_MS);
	topology_beat_now(srv->topology);
	drain_on_topology(d);
	if (d->pace == DRAIN_SLOTS)
		drain_by_slots(d, d->begun_ms);
}

void
drain_on_topology(struct drain *d)
{
	if (d->pace != DRAIN_SLOTS || drain_has_peers(d))
		return;
	log_info("no other msg_server is up: all clients go at once");
	drain_hurry(d, DRAIN_AT_ONCE);
}

void
drain_stop(struct drain *d, enum drain_pace pace)
{
	const struct settings *set = &d->srv->set;

	if (!d->must_end)
		daemon_notify("STOPPING=1");
	d->must_end = true;
	if (d->pace == DRAIN_OFF)
		drain_begin(d, 0, set->drain_rate, set->drain_within * 1000);
	drain_hurry(d, pace);
}

static int64_t
drain_arg(const json_t *args, const char *key, int64_t def, int64_t max)
{
	int64_t v;

	if (args == NULL || !json_int(args, key, &v))
		return def;
	return v < 1 ? 1 : v > max ? max : v;
}

static void
drain_abort(struct drain *d, uint64_t id)
{
	if (d->pace == DRAIN_OFF || d->job != id || d->must_end || d->ending) {
		log_info("job %" PRIu64 ": nothing to abort", id);
		return;
	}
	d->pace = DRAIN_OFF;
	d->job = 0;
	d->reopening = true;
	daemon_notify("STATUS=");
	drain_reopen(d);
}

void
drain_job(struct drain *d, const struct f_job *job)
{
	json_t *args = NULL;
	int err;

	if (str_eqc(job->kind, "abort")) {
		drain_abort(d, job->id);
		return;
	}
	if (!str_eqc(job->kind, "drain")) {
		log_warn("job %" PRIu64 ": unknown kind %.*s", job->id,
		    STR_ARG(job->kind));
		return;
	}
	if (d->pace != DRAIN_OFF)
		return; /* told again */
	if (str_is_set(job->args))
		args = json_read(job->args, &err);
	drain_begin(d, job->id,
	    drain_arg(args, "rate", JOB_RATE_DEF, JOB_RATE_MAX),
	    drain_arg(args, "within_ms", JOB_WITHIN_DEF_MS, JOB_WITHIN_MAX_MS));
	json_decref(args);
}

/* --- how far it is ------------------------------------------------------ */

static uint32_t
drain_moved(const struct drain *d)
{
	uint64_t here = d->srv->stats[S_SESSIONS];

	return here < d->n ? (uint32_t)(d->n - here) : 0;
}

void
drain_beat(const struct drain *d, struct f_beat *beat)
{
	beat->state = BEAT_UP;
	if (!d->srv->draining)
		return;
	beat->state = BEAT_DRAINING;
	beat->job = d->job;
	beat->left = d->srv->n_clients;
	beat->moved = drain_moved(d);
}

enum drain_pace
drain_pace(const struct drain *d)
{
	return d->pace;
}

void
drain_status(const struct drain *d, struct buf *json)
{
	static const char *const paces[] = {"off", "slots", "at once", "now"};

	if (d->pace == DRAIN_OFF)
		return;
	buf_printf(json,
	    ",\"drain\":{\"job\":%" PRIu64 ",\"pace\":\"%s\",\"left\":%u,"
	    "\"moved\":%u,\"waiting\":%zu}",
	    d->job, paces[d->pace], d->srv->n_clients, drain_moved(d),
	    d->n_busy);
}

struct drain *
drain_new(struct server *srv)
{
	struct drain *d = xcalloc(1, sizeof *d);

	d->srv = srv;
	d->rate = JOB_RATE_DEF;
	timer_init(&d->tick, srv->net, drain_on_tick, d);
	return d;
}

void
drain_free(struct drain *d)
{
	if (d == NULL)
		return;
	timer_stop(&d->tick);
	free(d->cn);
	free(d->busy);
	free(d);
}
