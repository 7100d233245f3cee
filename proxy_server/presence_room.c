/* SPDX-License-Identifier: MIT */
/*
 * What a room is told: changes gathered until the end of the turn (small
 * rooms) or for a second (big ones), and put into ROOM frames. A standby
 * gathers too but tells nobody; what it has is forgotten after a few seconds,
 * so that after a promotion only what the dead one may have kept to itself is
 * told.
 */
#include <stdlib.h>

#include "proxy_server/presence_priv.h"
#include "shared/proc/clock.h"

enum {
	PRESENCE_BATCH_MS = 1000,
	PRESENCE_STALE_MS = 4000,   /* a hung one is replaced by then */
	PRESENCE_MARGIN_MS = 300,   /* it may have heard of it later than we */
	PRESENCE_CHANGES_MAX = 1024 /* then a batch goes out early */
};

static void
presence_change_free(struct pres_room *room, struct pres_change *c)
{
	DL_DELETE(room->changes, c);
	room->n_changes--;
	free(c->name);
	free(c->avatar);
	free(c);
}

void
presence_forget_changes(struct presence *pr, struct pres_room *room)
{
	if (room->changes == NULL)
		return;
	while (room->changes != NULL)
		presence_change_free(room, room->changes);
	DL_DELETE2(pr->dirty, room, prev_dirty, next_dirty);
}

static bool
presence_is_big(const struct pres_room *room)
{
	return room->n_members > PRESENCE_BIG;
}

/*
 * Removes what the new change makes untrue before anybody heard it. True: the
 * new one is not to be told either.
 */
static bool
presence_cancel(
    struct pres_room *room, enum pres_change_kind *kind, const char *uid)
{
	struct pres_change *c, *tmp;
	bool was_in = false;

	DL_FOREACH_SAFE (room->changes, c, tmp) {
		if (strcmp(c->uid, uid) != 0)
			continue;
		if (*kind == CHANGE_OUT) {
			was_in = was_in || c->kind == CHANGE_IN;
			presence_change_free(room, c);
		} else if (c->kind == CHANGE_OUT) {
			*kind = CHANGE_AGAIN;
			presence_change_free(room, c);
		}
	}
	return was_in;
}

static void presence_tell(struct presence *pr, struct pres_room *room);

void
presence_change(struct presence *pr, struct pres_room *room,
    enum pres_change_kind kind, const struct pres_user *user, uint64_t cn)
{
	bool was_dirty = room->changes != NULL;
	const struct pres_session *s;
	struct pres_change *c;

	if (presence_cancel(room, &kind, user->uid)) {
		if (room->changes == NULL)
			DL_DELETE2(pr->dirty, room, prev_dirty, next_dirty);
		return;
	}
	c = xcalloc(1, sizeof *c);
	c->kind = kind;
	c->cn = cn;
	c->at_ms = clock_mono_ms();
	HASH_FIND(hh, pr->sessions, &cn, sizeof cn, s);
	c->num_rid = s != NULL && s->num_rid;
	str_copy(c->uid, sizeof c->uid, str_of(user->uid));
	c->name = user->name ? xstrdup(user->name) : NULL;
	c->avatar = user->avatar ? xstrdup(user->avatar) : NULL;
	DL_APPEND(room->changes, c);
	room->n_changes++;
	if (!was_dirty)
		DL_APPEND2(pr->dirty, room, prev_dirty, next_dirty);
	if (room->n_changes >= PRESENCE_CHANGES_MAX) {
		if (pr->active)
			presence_tell(pr, room);
		presence_forget_changes(pr, room);
	}
}

static void
presence_tell_frame(
    struct presence *pr, struct pres_room *room, struct f_room *f)
{
	if (f->n_in + f->n_out > 0)
		pr->ops->on_room(pr->arg, str_of(room->rid), f);
	f->n_in = f->n_out = 0;
}

static void
presence_tell(struct presence *pr, struct pres_room *room)
{
	static struct f_room f; /* large, and this runs on one thread */
	struct room_user *u;
	struct pres_change *c;

	memset(&f, 0, sizeof f);
	f.count = room->n_members;
	f.big = presence_is_big(room);
	DL_FOREACH (room->changes, c) {
		if (f.big && c->kind == CHANGE_AGAIN)
			continue;
		u = c->kind == CHANGE_OUT ? &f.out[f.n_out++] : &f.in[f.n_in++];
		u->cn = c->cn;
		u->uid = str_of(c->uid);
		u->name = str_of(c->name);
		u->avatar = str_of(c->avatar);
		u->again = c->kind == CHANGE_AGAIN;
		u->num_rid = c->num_rid;
		if (f.n_in == ARRAY_LEN(f.in) || f.n_out == ARRAY_LEN(f.out))
			presence_tell_frame(pr, room, &f);
	}
	presence_tell_frame(pr, room, &f);
	room->told_ms = clock_mono_ms();
}

/* a standby: what the active one has told by now */
static void
presence_drop_told(struct presence *pr, struct pres_room *room, int64_t until)
{
	while (room->changes != NULL && room->changes->at_ms < until)
		presence_change_free(room, room->changes);
	if (room->changes != NULL)
		return;
	DL_DELETE2(pr->dirty, room, prev_dirty, next_dirty);
	presence_room_rest(pr, room);
}

void
presence_flush(struct presence *pr)
{
	int64_t now = clock_mono_ms(), until = now - PRESENCE_STALE_MS, heard;
	struct pres_room *room, *tmp;

	/* after a promotion: first everybody subscribes */
	if (pr->active && now < pr->quiet_until_ms)
		return;
	if (!pr->active && pr->ops->on_heard != NULL) {
		heard = pr->ops->on_heard(pr->arg);
		if (heard - PRESENCE_MARGIN_MS > until)
			until = heard - PRESENCE_MARGIN_MS;
	}
	DL_FOREACH_SAFE2(pr->dirty, room, tmp, next_dirty)
	{
		if (!pr->active) {
			presence_drop_told(pr, room, until);
			continue;
		}
		if (presence_is_big(room) &&
		    now - room->told_ms < PRESENCE_BATCH_MS)
			continue;
		presence_tell(pr, room);
		presence_forget_changes(pr, room);
		presence_room_rest(pr, room);
	}
}
