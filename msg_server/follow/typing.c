/* SPDX-License-Identifier: MIT */
/*
 * Who is typing. An entry lives while its user may not say it again, or while
 * what he said is shown; the timer runs only while there are entries.
 *
 * The body of such an ephemeral is "1 NAME" or "0 NAME".
 */
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/follow/fanout.h"
#include "msg_server/follow/room_priv.h"
#include "msg_server/follow/typing.h"
#include "msg_server/server.h"
#include "shared/proc/clock.h"

enum {
	TYPING_EPH = 1,
	TYPING_SWEEP_MS = 3000,
	TYPING_UNACKED = 1024 /* a quarter of what may be */
};

struct typist {
	UT_hash_handle hh;	  /* by key */
	int64_t next_ms;	  /* the next `on` is due */
	int64_t shown_ms;	  /* others see it until then; 0: they don't */
	char key[2 * ID_MAX + 4]; /* uid, blank, conversation */
};

struct typing {
	struct server *srv;
	struct typist *all; /* owned */
	struct timer timer;
};

static void
typing_on_timer(void *arg)
{
	struct typing *t = arg;
	struct typist *one, *next;
	int64_t now = clock_mono_ms();

	HASH_ITER (hh, t->all, one, next) {
		if (now < one->next_ms || now < one->shown_ms)
			continue;
		HASH_DEL(t->all, one);
		free(one);
	}
	if (t->all == NULL)
		timer_stop(&t->timer);
}

struct typing *
typing_new(struct server *srv)
{
	struct typing *t = xcalloc(1, sizeof *t);

	t->srv = srv;
	timer_init(&t->timer, srv->net, typing_on_timer, t);
	return t;
}

void
typing_free(struct typing *t)
{
	struct typist *one, *next;

	if (t == NULL)
		return;
	timer_stop(&t->timer);
	HASH_ITER (hh, t->all, one, next) {
		HASH_DEL(t->all, one);
		free(one);
	}
	free(t);
}

/* --- out ---------------------------------------------------------------- */

static struct typist *
typing_find(struct typing *t, struct session *s, struct str rid, struct str tid,
    char key[2 * ID_MAX + 4], unsigned *len)
{
	struct typist *one;

	*len = (unsigned)snprintf(key, 2 * ID_MAX + 4, "%.*s %s%.*s",
	    STR_ARG(session_uid(s)), str_is_set(tid) ? "@" : "",
	    STR_ARG(str_is_set(tid) ? tid : rid));
	HASH_FIND(hh, t->all, key, *len, one);
	return one;
}

static struct typist *
typing_add(struct typing *t, const char *key, unsigned len)
{
	struct typist *one = xcalloc(1, sizeof *one);

	memcpy(one->key, key, len);
	HASH_ADD(hh, t->all, key, len, one);
	if (!timer_is_set(&t->timer))
		timer_set(&t->timer, TYPING_SWEEP_MS, TYPING_SWEEP_MS);
	return one;
}

/* what it costs is known to be bounded; the conversation's turn first, so that
 * hammering on one costs nothing of the others' */
static bool
typing_may(struct server *srv, struct session *s, const struct typist *one)
{
	if (one != NULL && clock_mono_ms() < one->next_ms - TYPING_SLACK_MS)
		return false;
	if (one == NULL && HASH_COUNT(srv->typing->all) >= TYPING_MAX)
		return false;
	if (relay_unacked(srv->relay) > TYPING_UNACKED)
		return false;
	return bucket_take(
	    &user_busy(s->user)->typing, TYPING_RATE, TYPING_BURST, NULL);
}

static void
typing_tell(struct server *srv, struct session *s, struct str rid,
    struct str tid, bool on)
{
	struct chan_name chan =
	    str_is_set(tid) ? chan_user(tid) : chan_room(rid);
	char body[NAME_MAX_BYTES + 4];
	struct f_eph eph = {
	    .chan = chan_str(&chan), .kind = TYPING_EPH, .uid = session_uid(s)};

	snprintf(body, sizeof body, "%d %.*s", on, STR_ARG(session_name(s)));
	eph.body = str_of(body);
	relay_eph(srv->relay, &eph);
	srv->stats[S_TYPING]++;
}

void
typing_say(struct server *srv, struct session *s, struct str rid,
    struct str tid, bool on)
{
	struct typing *t = srv->typing;
	int64_t now = clock_mono_ms();
	char key[2 * ID_MAX + 4];
	struct typist *one;
	unsigned len;

	/* to himself: nobody is there who would hear it */
	if (s->user == NULL || str_eq(tid, session_uid(s)))
		return;
	one = typing_find(t, s, rid, tid, key, &len);
	if (!on) {
		if (one == NULL || now >= one->shown_ms)
			return; /* nobody sees it any more */
		one->shown_ms = 0;
		typing_tell(srv, s, rid, tid, false);
		return;
	}
	if (!typing_may(srv, s, one)) {
		srv->stats[S_TYPING_DROPPED]++;
		return;
	}
	if (one == NULL)
		one = typing_add(t, key, len);
	one->next_ms = (now > one->next_ms ? now : one->next_ms) + TYPING_MS;
	one->shown_ms = now + TYPING_SHOWN_MS;
	typing_tell(srv, s, rid, tid, true);
}

/* --- in ----------------------------------------------------------------- */

static bool
typing_hears(const struct session *s, const struct cursor *cursor)
{
	return s->level > 1 && !s->logging_in && !s->passed && cursor->live &&
	       !cursor->waiting && session_is_open(s) &&
	       session_queued(s) <= TYPING_QUEUE;
}

static void
typing_to_user(struct server *srv, struct channel *c, struct event *ev)
{
	struct user *u = user_find(srv, str_of(channel_id(c)));
	struct fanout f;

	if (u == NULL || str_eqc(ev->uid, user_uid(u)))
		return;
	ev->tid = ev->uid;
	fanout_begin(&f, ev);
	for (struct session *s = u->sessions; s != NULL; s = s->next_of_user)
		if (typing_hears(s, &s->priv))
			fanout_send(&f, s, VIEW_OTHER);
	fanout_end(&f);
}

static void
typing_to_room(struct channel *c, struct event *ev)
{
	struct room *room = room_of(c);
	struct fanout f;

	ev->rid = str_of(channel_id(c));
	fanout_begin(&f, ev);
	for (uint32_t i = room->n_members; i-- > 0;) {
		struct session *s = room->members[i]->session;

		if (typing_hears(s, &room->members[i]->cursor) &&
		    !str_eq(ev->uid, session_uid(s)))
			fanout_send(&f, s, VIEW_OTHER);
	}
	fanout_end(&f);
}

void
typing_on_eph(struct server *srv, struct channel *c, const struct f_eph *eph)
{
	struct event ev = {.kind = EVENT_TYPING, .uid = eph->uid};
	struct str name = eph->body, on;

	if (eph->kind != TYPING_EPH || !str_is_set(eph->uid) ||
	    !str_next(&name, ' ', &on) || !str_is_set(name) ||
	    name.len > NAME_MAX_BYTES)
		return;
	ev.on = str_eqc(on, "1");
	if (!ev.on && !str_eqc(on, "0"))
		return;
	ev.name = name;
	if (channel_is_user(c))
		typing_to_user(srv, c, &ev);
	else
		typing_to_room(c, &ev);
}
