/* SPDX-License-Identifier: MIT */
/*
 * Who is watched, and what the watchers' servers are told: on, away, off. A
 * user without sessions is held for the grace as a member of a room is; when
 * he left is remembered in memory, by standbys too. Rooms are
 * presence_room.c's.
 */
#include <stddef.h>
#include <stdlib.h>

#include "proxy_server/presence_priv.h"
#include "shared/proc/clock.h"

enum { WATCH_SETTLE_MS = 3000 /* in it every living server links to us */ };

static struct pres_watch *
watch_find(struct presence *pr, struct str uid)
{
	struct pres_watch *w;

	HASH_FIND(hh, pr->watches, uid.p, uid.len, w);
	return w;
}

static uint8_t
watch_status(struct presence *pr, struct str uid)
{
	const struct pres_user *u = presence_user(pr, uid);

	return u != NULL ? u->st : STATUS_OFF;
}

static void
watch_touch(struct presence *pr, const char *uid)
{
	struct pres_watch *w = watch_find(pr, str_of(uid));

	if (w == NULL || w->dirty)
		return;
	w->dirty = true;
	DL_APPEND2(pr->dirty_watches, w, prev_dirty, next_dirty);
}

/* ---- when they left --------------------------------------------------- */

static struct str
last_key(const struct table_link *e)
{
	return str_of(container_of(e, const struct pres_last, by_uid)->uid);
}

static size_t
last_size(size_t uid)
{
	return offsetof(struct pres_last, uid) + uid + 1;
}

static struct pres_last *
last_find(struct presence *pr, struct str uid)
{
	struct table_link *e = table_find(&pr->lasts, uid, last_key);

	return e != NULL ? container_of(e, struct pres_last, by_uid) : NULL;
}

static void
last_forget(struct presence *pr, struct pres_last *l)
{
	table_del(&pr->lasts, &l->by_uid, last_key);
	DL_DELETE(pr->lasts_old, l);
	slab_put(&pr->slab, l, last_size(strlen(l->uid)));
}

static void
last_remember(struct presence *pr, const char *uid, int64_t ms, bool doubt)
{
	struct pres_last *l = last_find(pr, str_of(uid));

	if (l != NULL)
		last_forget(pr, l);
	if (pr->lasts.n >= PRESENCE_LASTS_MAX)
		last_forget(pr, pr->lasts_old);
	l = slab_get(&pr->slab, last_size(strlen(uid)));
	l->ms = ms;
	l->doubt = doubt;
	strcpy(l->uid, uid);
	table_add(&pr->lasts, &l->by_uid, last_key);
	DL_APPEND(pr->lasts_old, l);
}

int64_t
presence_last(struct presence *pr, struct str uid)
{
	const struct pres_last *l = last_find(pr, uid);

	return l != NULL ? l->ms : 0;
}

/* ---- users ------------------------------------------------------------ */

void
presence_judge(struct presence *pr, struct pres_user *u)
{
	uint8_t st = u->n_away == u->n_sessions ? STATUS_AWAY : STATUS_ON;

	if (st == u->st)
		return;
	u->st = st;
	watch_touch(pr, presence_uid(u));
}

static void
watch_unhold(struct presence *pr, struct pres_user *u)
{
	struct pres_leave *l = u->leave;

	DL_DELETE(pr->leaving[l->by_link], l);
	slab_put(&pr->slab, l, sizeof *l);
	u->leave = NULL;
}

static void
watch_off(
    struct presence *pr, struct pres_user *u, bool by_link, int64_t last_ms)
{
	u->st = STATUS_OFF;
	last_remember(pr, presence_uid(u), last_ms, !pr->active && by_link);
	watch_touch(pr, presence_uid(u));
}

void
presence_user_left(struct presence *pr, struct pres_user *u, bool now,
    bool by_link, int64_t last_ms)
{
	struct pres_leave *l;

	if (now || pr->grace_ms == 0) {
		watch_off(pr, u, by_link, last_ms);
		return;
	}
	l = u->leave = slab_get(&pr->slab, sizeof *l);
	l->user = u;
	l->by_link = by_link;
	l->last_ms = last_ms;
	l->due_ms = presence_due(pr, by_link);
	DL_APPEND(pr->leaving[by_link], l);
}

void
presence_user_back(struct presence *pr, struct pres_user *u)
{
	struct pres_last *l = last_find(pr, str_of(presence_uid(u)));

	if (l != NULL)
		last_forget(pr, l);
	if (u->leave != NULL)
		watch_unhold(pr, u);
}

/* ---- watching --------------------------------------------------------- */

static void
watch_send(struct presence *pr, struct pres_node *n)
{
	if (n->news == NULL || n->news->n == 0)
		return;
	if (pr->ops->on_status != NULL)
		pr->ops->on_status(pr->arg, n, n->news);
	pr->told += n->news->n;
	n->news->n = 0;
}

/* uid stays where it is until the flush */
static void
watch_tell(struct presence *pr, struct pres_node *n, struct str uid, uint8_t st)
{
	struct status_rec *rec;

	if (n->news == NULL)
		n->news = xcalloc(1, sizeof *n->news);
	if (n->news->n == ARRAY_LEN(n->news->list))
		watch_send(pr, n);
	rec = &n->news->list[n->news->n++];
	rec->uid = uid;
	rec->st = st;
	rec->last = st == STATUS_OFF ? presence_last(pr, uid) : 0;
}

static void
watch_send_all(struct presence *pr)
{
	struct pres_node *n, *tmp;

	HASH_ITER (hh, pr->nodes, n, tmp)
		watch_send(pr, n);
}

/* what is to be told points into it: that goes out first */
static void
watch_drop(struct presence *pr, struct pres_interest *in)
{
	struct pres_watch *w = in->watch;

	DL_DELETE(w->interests, in);
	DL_DELETE2(in->node->interests, in, prev_of_node, next_of_node);
	in->node->n_interests--;
	pr->n_interests--;
	free(in);
	if (w->interests != NULL)
		return;
	if (w->dirty)
		DL_DELETE2(pr->dirty_watches, w, prev_dirty, next_dirty);
	HASH_DEL(pr->watches, w);
	free(w);
}

static struct pres_interest *
watch_interest(const struct pres_watch *w, const struct pres_node *n)
{
	struct pres_interest *in;

	if (w != NULL)
		DL_FOREACH (w->interests, in)
			if (in->node == n)
				return in;
	return NULL;
}

static struct pres_interest *
watch_add(struct presence *pr, struct pres_node *n, struct str uid)
{
	struct pres_watch *w = watch_find(pr, uid);
	struct pres_interest *in = watch_interest(w, n);

	if (in != NULL)
		return in;
	if (pr->n_interests >= PRESENCE_WATCHES_MAX) {
		pr->refused++;
		log_limited(&pr->limit, LOG_LEVEL_WARN,
		    "presence: more than %d users are watched",
		    PRESENCE_WATCHES_MAX);
		return NULL;
	}
	if (w == NULL) {
		w = xcalloc(1, sizeof *w);
		str_copy(w->uid, sizeof w->uid, uid);
		w->told = watch_status(pr, uid);
		HASH_ADD_KEYPTR(hh, pr->watches, w->uid, uid.len, w);
	}
	in = xcalloc(1, sizeof *in);
	in->watch = w;
	in->node = n;
	DL_APPEND(w->interests, in);
	DL_APPEND2(n->interests, in, prev_of_node, next_of_node);
	n->n_interests++;
	pr->n_interests++;
	return in;
}

static void
watch_ask(struct presence *pr, struct pres_node *n, struct str uid, bool again)
{
	struct pres_interest *in = watch_add(pr, n, uid);
	enum pres_wait wait = again ? WAIT_GRACE : WAIT_SHORT;
	const struct pres_last *l = last_find(pr, uid);
	uint8_t st = watch_status(pr, uid);

	if (in != NULL && st == STATUS_OFF && (l == NULL || l->doubt) &&
	    pr->active && wait > pr->settled) {
		in->wait = wait;
		return;
	}
	if (in != NULL)
		in->wait = WAIT_NOT;
	watch_tell(pr, n, in != NULL ? str_of(in->watch->uid) : uid, st);
}

void
presence_watch(
    struct presence *pr, struct pres_node *n, const struct f_watch *watch)
{
	struct pres_interest *in;

	presence_watch_flush(pr);
	for (unsigned i = 0; i < watch->n_del; i++) {
		in = watch_interest(watch_find(pr, watch->del[i]), n);
		if (in != NULL)
			watch_drop(pr, in);
	}
	for (unsigned i = 0; i < watch->n_add; i++)
		watch_ask(pr, n, watch->add[i], watch->again);
	/* one that was not taken in has its name in the frame alone */
	watch_send(pr, n);
}

void
presence_unwatch_all(struct presence *pr, struct pres_node *n)
{
	if (n->news != NULL)
		n->news->n = 0;
	while (n->interests != NULL)
		watch_drop(pr, n->interests);
}

void
presence_watch_flush(struct presence *pr)
{
	struct pres_interest *in;
	struct pres_watch *w;
	uint8_t st;

	if (pr->dirty_watches == NULL)
		return;
	while ((w = pr->dirty_watches) != NULL) {
		DL_DELETE2(pr->dirty_watches, w, prev_dirty, next_dirty);
		w->dirty = false;
		st = watch_status(pr, str_of(w->uid));
		/* gone and back in one turn: nothing has happened */
		if (st == w->told)
			continue;
		w->told = st;
		DL_FOREACH (w->interests, in) {
			in->wait = WAIT_NOT;
			watch_tell(pr, in->node, str_of(w->uid), st);
		}
	}
	watch_send_all(pr);
}

/* ---- time ------------------------------------------------------------- */

/* who is still unknown by now is not there */
static void
watch_settle(struct presence *pr, enum pres_wait upto)
{
	struct pres_watch *w, *tmp;
	struct pres_interest *in;

	pr->settled = upto;
	HASH_ITER (hh, pr->watches, w, tmp)
		DL_FOREACH (w->interests, in) {
			if (in->wait == WAIT_NOT || in->wait > upto)
				continue;
			in->wait = WAIT_NOT;
			watch_tell(pr, in->node, str_of(w->uid),
			    watch_status(pr, str_of(w->uid)));
		}
	watch_send_all(pr);
}

void
presence_watch_tick(struct presence *pr, int64_t now)
{
	struct pres_leave *l;
	struct pres_user *u;
	bool by_link;
	int64_t last;

	for (unsigned i = 0; i < ARRAY_LEN(pr->leaving); i++)
		while ((l = pr->leaving[i]) != NULL && l->due_ms <= now) {
			u = l->user;
			by_link = l->by_link;
			last = l->last_ms;
			watch_unhold(pr, u);
			watch_off(pr, u, by_link, last);
			presence_user_rest(pr, u);
		}
	if (!pr->active)
		return;
	if (pr->settled < WAIT_SHORT &&
	    now - pr->promoted_ms >= WATCH_SETTLE_MS)
		watch_settle(pr, WAIT_SHORT);
	if (pr->settled == WAIT_SHORT && now - pr->promoted_ms >= pr->grace_ms)
		watch_settle(pr, WAIT_GRACE);
}

void
presence_watch_fini(struct presence *pr)
{
	struct pres_user *u;

	for (unsigned i = 0; i < ARRAY_LEN(pr->leaving); i++)
		while (pr->leaving[i] != NULL) {
			u = pr->leaving[i]->user;
			watch_unhold(pr, u);
			presence_user_rest(pr, u);
		}
	while (pr->lasts_old != NULL)
		last_forget(pr, pr->lasts_old);
}
