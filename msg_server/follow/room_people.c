/* SPDX-License-Identifier: MIT */
/*
 * What the members of a room are told of people coming and going, and of whom
 * they were told already when a new active proxy says it again.
 */
#include "msg_server/dialect/number.h"
#include "msg_server/follow/fanout.h"
#include "msg_server/follow/replay.h"
#include "msg_server/follow/room_priv.h"
#include "msg_server/follow/told.h"
#include "msg_server/follow/turn.h"
#include "msg_server/server.h"
#include "shared/proc/clock.h"

enum {
	/* a new active proxy may hold one so much longer than the one before */
	ROOM_HELD_MS = 10000,
	/* what two servers hear of a thing apart, when they have time */
	ROOM_SKEW_MS = 50
};

/* --- people ------------------------------------------------------------- */

/* who is to hear of a change */
enum room_ear {
	EAR_V1 = 1, /* version 1: each login */
	EAR_V2 = 2, /* version 2: users */
	EAR_OLD = 4 /* dialects that hear of users, each by himself */
};

static enum room_ear
room_ear(const struct session *s)
{
	if (s->level > 1)
		return EAR_V2;
	return dialect_has(s->dialect, DIALECT_HEARS_OUT) ? EAR_OLD : EAR_V1;
}

static void
room_tell(
    struct room *room, const struct event *ev, uint64_t except, unsigned ears)
{
	struct fanout f;

	turn_give(room);
	fanout_begin(&f, ev);
	for (uint32_t i = room->n_members; i-- > 0;) {
		struct session *s = room->members[i]->session;

		if (s->cn == except || !s->level || !(ears & room_ear(s)) ||
		    !session_is_open(s) || session_queued(s) > QUEUE_LAG)
			continue; /* who lags gets the list when he asks */
		if (room->members[i]->cursor.waiting)
			continue; /* not told that he is in */
		fanout_send(&f, s, VIEW_OTHER);
	}
	fanout_end(&f);
}

/* those of ours whose coming this was are told of from now on */
static void
room_mark_told(struct server *srv, struct room *room, struct str uid)
{
	struct user *u = user_find(srv, uid);
	struct member *m;

	for (struct session *s = u ? u->sessions : NULL; s;
	     s = s->next_of_user) {
		m = room_member_any(s, str_of(room_rid(room)));
		if (m)
			m->told = true;
	}
}

/*
 * Of a time when nobody here was in the room, who could be told. The age is
 * by one who heard of it on its way: what was about when ours came, and before
 * the old active fell, that one has told or had in the list it gave.
 */
static bool
room_is_before_us(struct server *srv, const struct room *room,
    const struct f_room *f, const struct room_user *u)
{
	int64_t at = clock_mono_ms() - u->age, here = room->entered_ms;

	if (at < srv->promoted_ms)
		here += ROOM_SKEW_MS;
	return f->unsure && (!room->entered_ms || at < here);
}

/*
 * Whoever entered just before the active proxy fell may have a list from it
 * that the new one knows nothing of, and here nobody has heard of that user.
 */
static bool
room_is_riddle(struct server *srv, const struct room *room,
    const struct f_room *f, const struct room_user *u, enum told_what was)
{
	return f->unsure && was == TOLD_NOTHING && room->entered_ms &&
	       srv->promoted_ms &&
	       room->entered_ms > srv->promoted_ms - ROOM_HELD_MS && u->maybe;
}

/* is it news to version 2, where `now` is how it is said to be? */
static bool
room_is_news(const struct f_room *f, const struct room_user *u,
    enum told_what was, enum told_what now)
{
	if (u->maybe)
		return was != TOLD_NOTHING && was != now;
	return !u->again && !(f->unsure && was == now);
}

/* and to version 1, which sees each login? */
static bool
room_is_login(struct server *srv, const struct channel *c,
    const struct f_room *f, const struct room_user *u, enum told_what was)
{
	if (u->maybe && !u->again)
		return was == TOLD_OUT;
	return !(f->unsure && told_session(srv->told, c->ch, u->cn));
}

/* true: version 2 is to hear of it */
static bool
room_on_in(struct server *srv, struct room *room, const struct f_room *f,
    const struct room_user *u)
{
	struct channel *c = &room->channel;
	enum told_what was = told_get(srv->told, c->ch, u->uid);
	struct event ev = {.kind = EVENT_NEW_USER,
	    .rid = str_of(room_rid(room)),
	    .rid_is_num = u->num_rid,
	    .uid = u->uid,
	    .name = u->name,
	    .avatar = u->avatar,
	    .cn = u->cn};
	bool old = was == TOLD_NOTHING && room_is_before_us(srv, room, f, u);
	bool news = !old && room_is_news(f, u, was, TOLD_IN);
	uint64_t cn;

	if (!old && room_is_login(srv, c, f, u, was)) {
		room_tell(room, &ev, u->cn, EAR_V1);
		told_set_session(srv->told, c->ch, u->cn);
	}
	if (news)
		room_tell(
		    room, &ev, u->cn, f->big ? EAR_OLD : EAR_OLD | EAR_V2);
	else if (!old && u->again && number_of_uid(u->uid, &cn))
		room_tell(room, &ev, u->cn, EAR_OLD); /* by another name */
	told_set(srv->told, c->ch, u->uid, TOLD_IN);
	room_mark_told(srv, room, u->uid);
	return news;
}

static bool
room_on_out(struct server *srv, struct room *room, const struct f_room *f,
    const struct room_user *u)
{
	struct channel *c = &room->channel;
	struct event ev = {.kind = EVENT_OFFLINE,
	    .rid = str_of(room_rid(room)),
	    .uid = u->uid,
	    .name = u->name,
	    .avatar = u->avatar,
	    .cn = u->cn};
	enum told_what was = told_get(srv->told, c->ch, u->uid);
	bool news =
	    room_is_news(f, u, was, TOLD_OUT) &&
	    (was != TOLD_NOTHING || !room_is_before_us(srv, room, f, u));

	if (news)
		room_tell(
		    room, &ev, u->cn, f->big ? EAR_OLD : EAR_OLD | EAR_V2);
	told_set(srv->told, c->ch, u->uid, TOLD_OUT);
	return news;
}

void
room_on_people(struct server *srv, struct channel *c, const struct f_room *f)
{
	struct room *room = room_of(c);
	struct room_user in[ARRAY_LEN(f->in)], out[ARRAY_LEN(f->out)];
	struct event ev = {.kind = EVENT_PRESENCE,
	    .rid = str_of(room_rid(room)),
	    .count = f->count,
	    .more_people = f->more,
	    .in = in,
	    .out = out};

	for (unsigned i = 0; i < f->n_in; i++)
		told_fetch(srv->told, c->ch, f->in[i].uid, f->in[i].cn);
	for (unsigned i = 0;
	     f->unsure && i < f->n_in + f->n_out && !ev.more_people; i++) {
		const struct room_user *u =
		    i < f->n_in ? &f->in[i] : &f->out[i - f->n_in];

		ev.more_people = room_is_riddle(
		    srv, room, f, u, told_get(srv->told, c->ch, u->uid));
	}
	for (unsigned i = 0; i < f->n_in; i++)
		if (room_on_in(srv, room, f, &f->in[i]))
			in[ev.n_in++] = f->in[i];
	for (unsigned i = 0; i < f->n_out; i++)
		if (room_on_out(srv, room, f, &f->out[i]))
			out[ev.n_out++] = f->out[i];
	/* the rest of a big room's crowd is for version 1 alone */
	if (f->big && !f->rest && (ev.n_in + ev.n_out > 0 || ev.more_people))
		room_tell(room, &ev, 0, EAR_V2);
	if (f->big || !ev.more_people)
		return;
	/* in small ones each was told already: the list is to be asked for */
	ev.n_in = ev.n_out = 0;
	room_tell(room, &ev, 0, EAR_V2);
}
