/* SPDX-License-Identifier: MIT */
/*
 * Who watches whom, both ways. What a user's state is the proxies say; here it
 * is remembered, so that the next watcher need not wait and no watcher hears
 * it twice. Knows no JSON and no links.
 */
#include <stdlib.h>

#include "msg_server/follow/fanout.h"
#include "msg_server/follow/replay.h"
#include "msg_server/follow/watch.h"
#include "msg_server/reply.h"

enum { WATCH_UNKNOWN = 255 };

struct watched {
	UT_hash_handle hh; /* watch->users by uid */
	struct watch_seat *seats;
	int64_t last;
	uint8_t st; /* enum user_status, or WATCH_UNKNOWN: not answered yet */
	char uid[ID_MAX + 1];
};

/* one session watches one user */
struct watch_seat {
	struct watch_seat *prev, *next; /* of the watched */
	struct watched *of;
	struct watcher *by;
	uint8_t told;
};

struct watcher {
	UT_hash_handle hh; /* watch->sessions by cn */
	uint64_t cn;
	size_t n;
	struct watch_seat seats[];
};

struct watch {
	struct server *srv;
	struct watched *users;
	struct watcher *sessions;
	size_t n_seats;
	struct f_watch out; /* being gathered */
};

struct watch *
watch_new(struct server *srv)
{
	struct watch *w = xcalloc(1, sizeof *w);

	w->srv = srv;
	return w;
}

static struct watcher *
watch_of(struct watch *w, const struct session *s)
{
	struct watcher *by;

	HASH_FIND(hh, w->sessions, &s->cn, sizeof s->cn, by);
	return by;
}

/* ---- to the proxy ------------------------------------------------------ */

static void
watch_flush(struct watch *w)
{
	if (w->out.n_add + w->out.n_del > 0)
		relay_watch(w->srv->relay, &w->out);
	w->out.n_add = w->out.n_del = 0;
}

static void
watch_ask(struct watch *w, const struct watched *u)
{
	w->out.add[w->out.n_add++] = str_of(u->uid);
	if (w->out.n_add == ARRAY_LEN(w->out.add))
		watch_flush(w);
}

/* whoever is unknown to the new one is not there, or not there yet */
static void
watch_ask_all(struct watch *w, bool again)
{
	struct watched *u, *tmp;

	w->out.again = again;
	HASH_ITER (hh, w->users, u, tmp)
		if ((u->st != WATCH_UNKNOWN) == again)
			watch_ask(w, u);
	watch_flush(w);
	w->out.again = false;
}

void
watch_on_promoted(struct server *srv)
{
	watch_ask_all(srv->watch, true);
	watch_ask_all(srv->watch, false);
}

/* ---- to the sessions --------------------------------------------------- */

static void
watch_event(const struct watched *u, struct event *ev)
{
	*ev = (struct event){.kind = EVENT_STATUS,
	    .uid = str_of(u->uid),
	    .status = u->st,
	    .ts = u->st == STATUS_OFF ? u->last : 0};
}

/* who lags is told when his queue is short again */
static bool
watch_may_tell(const struct session *s)
{
	return s != NULL && session_is_open(s) &&
	       session_queued(s) <= QUEUE_LAG;
}

static void
watch_tell(struct watch *w, struct watched *u)
{
	struct watch_seat *seat;
	struct session *s;
	struct fanout f;
	struct event ev;

	watch_event(u, &ev);
	fanout_begin(&f, &ev);
	DL_FOREACH (u->seats, seat) {
		if (seat->told == u->st)
			continue;
		s = session_find(w->srv, seat->by->cn);
		if (!watch_may_tell(s))
			continue;
		seat->told = u->st;
		fanout_send(&f, s, VIEW_OTHER);
	}
	fanout_end(&f);
}

void
watch_on_status(struct server *srv, const struct f_status *status)
{
	struct watch *w = srv->watch;
	struct watched *u;

	for (unsigned i = 0; i < status->n; i++) {
		struct str uid = status->list[i].uid;

		HASH_FIND(hh, w->users, uid.p, uid.len, u);
		if (u == NULL)
			continue;
		u->last = status->list[i].last;
		u->st = status->list[i].st;
		watch_tell(w, u);
	}
}

void
watch_greet(struct server *srv, struct session *s)
{
	struct watcher *by = watch_of(srv->watch, s);
	struct event ev;

	for (size_t i = 0; by != NULL && i < by->n; i++) {
		struct watch_seat *seat = &by->seats[i];

		if (seat->told == seat->of->st || !watch_may_tell(s))
			continue;
		seat->told = seat->of->st;
		watch_event(seat->of, &ev);
		reply_event(s, &ev);
	}
}

/* ---- lists ------------------------------------------------------------- */

/* whoever nobody watches any more goes into the next WATCH */
static void
watch_drop(struct watch *w, struct watcher *by)
{
	HASH_DEL(w->sessions, by);
	for (size_t i = 0; i < by->n; i++) {
		struct watched *u = by->seats[i].of;

		DL_DELETE(u->seats, &by->seats[i]);
		w->n_seats--;
		if (u->seats != NULL)
			continue;
		w->out.del[w->out.n_del++] = str_of(u->uid);
		if (w->out.n_del == ARRAY_LEN(w->out.del))
			watch_flush(w);
	}
	watch_flush(w);
	/* their names were in that frame */
	for (size_t i = 0; i < by->n; i++) {
		struct watched *u = by->seats[i].of;

		if (u->seats == NULL) {
			HASH_DEL(w->users, u);
			free(u);
		}
	}
	free(by);
}

static struct watched *
watch_user(struct watch *w, struct str uid)
{
	struct watched *u;

	HASH_FIND(hh, w->users, uid.p, uid.len, u);
	if (u != NULL)
		return u;
	u = xcalloc(1, sizeof *u);
	u->st = WATCH_UNKNOWN;
	str_copy(u->uid, sizeof u->uid, uid);
	HASH_ADD_KEYPTR(hh, w->users, u->uid, uid.len, u);
	watch_ask(w, u);
	return u;
}

int
watch_set(
    struct server *srv, struct session *s, const struct str *uids, size_t n)
{
	struct watch *w = srv->watch;
	struct watcher *old = watch_of(w, s), *by = NULL;

	if (w->n_seats + n > WATCH_SEATS_MAX)
		return ERR_BUSY;
	if (n > 0)
		by = xcalloc(1, sizeof *by + n * sizeof by->seats[0]);
	for (size_t i = 0; i < n; i++) {
		struct watched *u = watch_user(w, uids[i]);
		struct watch_seat *seat = &by->seats[by->n];

		if (u->seats != NULL && u->seats->prev->by == by)
			continue; /* named twice */
		seat->of = u;
		seat->by = by;
		seat->told = WATCH_UNKNOWN;
		DL_APPEND(u->seats, seat);
		by->n++;
	}
	if (by != NULL)
		w->n_seats += by->n;
	/* those in both lists are not let go in between */
	if (old != NULL)
		watch_drop(w, old);
	watch_flush(w);
	if (by != NULL) {
		by->cn = s->cn;
		HASH_ADD(hh, w->sessions, cn, sizeof by->cn, by);
	}
	return OK;
}

void
watch_leave(struct server *srv, struct session *s)
{
	struct watcher *by = watch_of(srv->watch, s);

	if (by != NULL)
		watch_drop(srv->watch, by);
}

void
watch_count(const struct watch *w, uint64_t *users, uint64_t *seats)
{
	*users = HASH_COUNT(w->users);
	*seats = w->n_seats;
}

void
watch_free(struct watch *w)
{
	struct watcher *by, *tmp;

	if (w == NULL)
		return;
	HASH_ITER (hh, w->sessions, by, tmp)
		watch_drop(w, by);
	free(w);
}
