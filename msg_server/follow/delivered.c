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
	DELIVERED_KEEP_MS = 10000, /* so long it may be told in vain */
	DELIVERED_ROOMS_S = 60	   /* what he opened counts so long */
};

struct delivered {
	struct server *srv;
	struct user_busy *list; /* of users, borrowed */
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
	if (cur->waiting || !session_has_all(s))
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
	    .n = u->busy->at.useq,
	    .ep = str_of(channel_ep(&u->channel))};

	/* without an active proxy it is tried again */
	if (u->channel.ep_no == 0 || u->busy->at.useq <= u->told ||
	    !relay_raise(srv->relay, &f))
		return;
	u->told = u->busy->at.useq;
	u->busy->at.told_ms = clock_mono_ms();
	srv->stats[S_DELIVERED]++;
}

/* true: nothing more to be expected of him now */
static bool
delivered_look(struct server *srv, struct user *u)
{
	struct delivering *at = &u->busy->at;
	bool all = true;

	for (const struct session *s = u->sessions; s; s = s->next_of_user)
		if (!delivered_has(s, &at->useq))
			all = false;
	delivered_tell(srv, u);
	return all && at->useq <= u->told &&
	       clock_mono_ms() - at->told_ms > DELIVERED_KEEP_MS;
}

void
delivered_forget(struct server *srv, struct user *u)
{
	if (!u->busy || !u->busy->at.listed)
		return;
	DL_DELETE2(srv->delivered->list, u->busy, at.prev, at.next);
	u->busy->at.listed = false;
}

/* he has been silent for so long that nothing is lost with it */
static void
delivered_rest(struct user *u)
{
	const struct user_busy *b = u->busy;
	int64_t now = clock_mono_ms();

	/* a bucket leaks 1 in 1000 a millisecond at least */
	if ((uint32_t)now - b->send.t_ms < b->send.milli ||
	    (b->n_made + b->n_back > 0 &&
		(uint32_t)(now / 1000) - b->made_s < DELIVERED_ROOMS_S))
		return;
	free(u->busy);
	u->busy = NULL;
}

static void
delivered_on_timer(void *arg)
{
	struct delivered *d = arg;
	uint64_t gen = relay_gen(d->srv->relay);
	struct user_busy *b, *next;

	DL_FOREACH_SAFE2(d->list, b, next, at.next)
	{
		struct user *u = b->at.user;

		if (gen != d->gen)
			u->told = 0;
		if (!delivered_look(d->srv, u))
			continue;
		delivered_forget(d->srv, u);
		delivered_rest(u);
	}
	d->gen = gen;
	if (d->list == NULL)
		timer_stop(&d->timer);
}

void
delivered_note(struct server *srv, struct user *u)
{
	struct delivered *d = srv->delivered;
	struct user_busy *b;

	if (d == NULL || (u->busy && u->busy->at.listed))
		return;
	b = user_busy(u);
	if (b->at.useq < u->told)
		b->at.useq = u->told;
	if (d->list == NULL)
		d->gen = relay_gen(srv->relay);
	DL_APPEND2(d->list, b, at.prev, at.next);
	b->at.listed = true;
	if (!timer_is_set(&d->timer))
		timer_set(&d->timer, DELIVERED_MS, DELIVERED_MS);
}

void
delivered_leave(struct server *srv, struct session *s)
{
	struct user *u = s->user;

	if (u == NULL || !s->given)
		return;
	if (user_busy(u)->at.useq < u->told)
		u->busy->at.useq = u->told;
	delivered_has(s, &u->busy->at.useq);
	delivered_tell(srv, u);
	/* it may have been told in vain */
	delivered_note(srv, u);
}

void
delivered_reset(struct user *u)
{
	u->told = 0;
	if (u->busy)
		u->busy->at.useq = 0;
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
