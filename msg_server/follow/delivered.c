/* SPDX-License-Identifier: MIT */
/*
 * The list of users to whom something is being given, looked at once a
 * second. One stays on it until all his sessions are level and have all, and
 * for a while longer, as what was told to a proxy that died may be lost.
 */
#include "msg_server/follow/delivered.h"
#include "msg_server/follow/replay.h"
#include "shared/base/map.h"
#include "shared/proc/clock.h"

enum {
	DELIVERED_MS = 1000,
	DELIVERED_KEEP_MS = 10000 /* so long it may be told in vain */
};

struct delivered {
	struct server *srv;
	struct user *list; /* borrowed */
	struct timer timer;
	uint64_t gen; /* whom it was told */
};

/* false: it is behind, or something waits for it */
static bool
delivered_has(const struct session *s, uint64_t *useq)
{
	const struct cursor *cur = &s->priv;

	if (!s->given)
		return true;
	if ((cur->follow && cur->follow->waiting) || !session_has_all(s))
		return false;
	if (cur->pos > *useq)
		*useq = cur->pos;
	return cur->live;
}

static void
delivered_tell(struct server *srv, struct user *u)
{
	struct f_raise f = {.chan = channel_name(&u->channel),
	    .key = STR_LIT(DELIVERED_KEY),
	    .n = u->at.useq,
	    .ep = str_of(u->channel.ep)};

	/* without an active proxy it is tried again */
	if (u->channel.ep[0] == '\0' || u->at.useq <= u->at.told ||
	    !relay_raise(srv->relay, &f))
		return;
	u->at.told = u->at.useq;
	u->at.told_ms = clock_mono_ms();
	srv->stats[S_DELIVERED]++;
}

/* true: nothing more to be expected of him now */
static bool
delivered_look(struct server *srv, struct user *u)
{
	bool all = true;

	for (const struct session *s = u->sessions; s; s = s->next_of_user)
		if (!delivered_has(s, &u->at.useq))
			all = false;
	delivered_tell(srv, u);
	return all && u->at.useq <= u->at.told &&
	       clock_mono_ms() - u->at.told_ms > DELIVERED_KEEP_MS;
}

void
delivered_forget(struct server *srv, struct user *u)
{
	if (!u->at.listed)
		return;
	DL_DELETE2(srv->delivered->list, u, at.prev, at.next);
	u->at.listed = false;
}

static void
delivered_on_timer(void *arg)
{
	struct delivered *d = arg;
	uint64_t gen = relay_gen(d->srv->relay);
	struct user *u, *next;

	DL_FOREACH_SAFE2(d->list, u, next, at.next)
	{
		if (gen != d->gen)
			u->at.told = 0;
		if (delivered_look(d->srv, u))
			delivered_forget(d->srv, u);
	}
	d->gen = gen;
	if (d->list == NULL)
		timer_stop(&d->timer);
}

void
delivered_note(struct server *srv, struct user *u)
{
	struct delivered *d = srv->delivered;

	if (d == NULL || u->at.listed)
		return;
	if (d->list == NULL)
		d->gen = relay_gen(srv->relay);
	DL_APPEND2(d->list, u, at.prev, at.next);
	u->at.listed = true;
	if (!timer_is_set(&d->timer))
		timer_set(&d->timer, DELIVERED_MS, DELIVERED_MS);
}

void
delivered_leave(struct server *srv, struct session *s)
{
	struct user *u = s->user;

	if (u == NULL || !s->given)
		return;
	delivered_has(s, &u->at.useq);
	delivered_tell(srv, u);
	/* it may have been told in vain */
	delivered_note(srv, u);
}

void
delivered_reset(struct user *u)
{
	u->at.useq = u->at.told = 0;
}

struct delivered *
delivered_new(struct server *srv)
{
	struct delivered *d = xcalloc(1, sizeof *d);

	d->srv = srv;
	timer_init(&d->timer, srv->net, delivered_on_timer, d);
	return d;
}

void
delivered_free(struct delivered *d)
{
	if (d == NULL)
		return;
	timer_stop(&d->timer);
	free(d);
}
