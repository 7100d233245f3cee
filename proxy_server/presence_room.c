/* SPDX-License-Identifier: MIT */
/*
 * What a room is told: changes gathered until the end of the turn (small
 * rooms) or for a second (big ones), and put into ROOM frames. A standby
 * gathers too but tells nobody; what it has is forgotten after a few seconds.
 * After a promotion the last seconds are told in a way that lets those who
 * heard the dead one tell what is news to them (frames.h, `unsure`, `maybe`).
 */
#include <stdlib.h>

#include "proxy_server/presence_priv.h"
#include "shared/proc/clock.h"

enum {
	PRESENCE_BATCH_MS = 1000,
	PRESENCE_STALE_MS = 6000, /* a hung one is replaced by then */
	/*
	 * A batch, and what was on its way. Not what an active one may have
	 * kept to itself while a server came to it (peer.h): who looks that far
	 * back sees people come whom it met as it started itself
	 * (t409_rolling).
	 */
	PRESENCE_MARGIN_MS = 2000,
	PRESENCE_DOUBT_MS = 10000,   /* beyond the grace after a promotion */
	PRESENCE_CHANGES_MAX = 1024, /* then the oldest go out early */
	PRESENCE_KEPT_MAX = 8192     /* then a standby forgets the oldest */
};

static void
presence_change_free(
    struct presence *pr, struct pres_news *news, struct pres_change *c)
{
	DL_DELETE(news->changes, c);
	news->n_changes--;
	pr->n_changes--;
	presence_card_drop(pr, c->card);
	slab_put(&pr->slab, c, sizeof *c);
}

static bool
presence_is_big(const struct pres_room *room)
{
	return room->n_members > PRESENCE_BIG;
}

static struct pres_news *
presence_news(struct presence *pr, struct pres_room *room)
{
	if (room->news == NULL) {
		room->news = slab_get(&pr->slab, sizeof *room->news);
		room->news->room = room;
	}
	return room->news;
}

void
presence_news_free(struct presence *pr, struct pres_room *room)
{
	slab_put(&pr->slab, room->news, sizeof *room->news);
	room->news = NULL;
}

void
presence_forget_changes(struct presence *pr, struct pres_room *room)
{
	struct pres_news *news = room->news;

	while (news->changes != NULL)
		presence_change_free(pr, news, news->changes);
	news->asked = news->cut = false;
	DL_DELETE(pr->dirty, news);
	/* a big one remembers when it was told */
	if (!presence_is_big(room))
		presence_news_free(pr, room);
}

bool
presence_is_doubtful(const struct presence *pr)
{
	return !pr->active || clock_mono_ms() - pr->promoted_ms <
				  pr->grace_ms + PRESENCE_DOUBT_MS;
}

/* ---- gathering -------------------------------------------------------- */

/*
 * Takes back what the new change makes untrue before anybody heard it: of one
 * user there is one coming or going, beside version 1's repeated logins.
 * others: there may be any of his. False: there is nothing to tell.
 */
static bool
presence_merge(struct presence *pr, struct pres_news *news,
    struct pres_change *new, bool others)
{
	struct pres_change *first = others ? news->changes : NULL, *c, *tmp;

	new->before = new->kind != CHANGE_IN;
	if (new->kind == CHANGE_AGAIN)
		return true;
	DL_FOREACH_SAFE (first, c, tmp) {
		if (c->card != new->card &&
		    strcmp(c->card->text, new->card->text) != 0)
			continue;
		if (new->kind == CHANGE_BACK && c->kind != CHANGE_OUT)
			return false; /* he is said to be there already */
		if (c->kind != CHANGE_AGAIN) {
			new->before = c->before;
			new->doubt = new->doubt || c->doubt;
		} else if (new->kind != CHANGE_OUT) {
			continue;
		}
		/* the list that somebody has tells of what now never was */
		news->cut = news->cut || news->asked;
		presence_change_free(pr, news, c);
	}
	/* where nobody else can have told, nobody need hear of a round trip */
	if (new->doubt || new->kind == CHANGE_BACK ||
	    new->before != (new->kind != CHANGE_OUT))
		return true;
	if (new->kind == CHANGE_IN)
		new->kind = CHANGE_AGAIN;
	return new->kind == CHANGE_AGAIN;
}

/* news waits: not all are there who are to hear it */
static bool
presence_is_quiet(const struct presence *pr, int64_t now)
{
	return now < pr->quiet_until_ms ||
	       (pr->ops->on_coming != NULL && pr->ops->on_coming(pr->arg));
}

static void presence_spill(struct presence *pr, struct pres_room *room);

void
presence_change(struct presence *pr, struct pres_room *room,
    enum pres_change_kind kind, const struct pres_user *user, uint64_t cn,
    bool num_rid)
{
	struct pres_news *news = presence_news(pr, room);
	struct pres_change *c = slab_get(&pr->slab, sizeof *c);
	bool was_dirty = presence_is_dirty(room), others;

	c->kind = kind;
	c->cn = cn;
	c->at_ms = clock_mono_ms();
	c->nth = (uint32_t)pr->updates;
	c->doubt = presence_is_doubtful(pr);
	c->num_rid = num_rid;
	c->card = user->card;
	others = presence_may_have_news(pr, user);
	c->card->refs++;
	if (!presence_merge(pr, news, c, others)) {
		presence_card_drop(pr, c->card);
		slab_put(&pr->slab, c, sizeof *c);
		if (was_dirty && !presence_is_dirty(room))
			DL_DELETE(pr->dirty, news);
		return;
	}
	DL_APPEND(news->changes, c);
	news->n_changes++;
	pr->n_changes++;
	if (!was_dirty)
		DL_APPEND(pr->dirty, news);
	if (!pr->active) {
		if (news->n_changes > PRESENCE_KEPT_MAX)
			presence_change_free(pr, news, news->changes);
	} else if (news->n_changes >= PRESENCE_CHANGES_MAX) {
		presence_spill(pr, room);
	}
}

/* ---- telling ---------------------------------------------------------- */

static void
presence_put_change(struct f_room *f, const struct pres_change *c)
{
	bool out = c->kind == CHANGE_OUT;
	struct room_user *u = out ? &f->out[f->n_out++] : &f->in[f->n_in++];

	u->cn = c->cn;
	u->uid = str_n(c->card->text, c->card->uid_len);
	u->name = str_of(presence_name(c->card));
	u->avatar = str_of(presence_avatar(c->card));
	u->num_rid = c->num_rid;
	u->maybe = c->kind != CHANGE_AGAIN && c->before != out;
	/* he has come, if only back: version 1 sees each login */
	u->again =
	    c->kind == CHANGE_AGAIN || (c->kind == CHANGE_IN && c->before);
	f->unsure = f->unsure || c->doubt;
	u->nth = c->nth;
	u->at_ms = c->at_ms;
}

/* the order in which we heard of both, which no way to the server changes */
static uint32_t
presence_age(const struct room_user *u, const struct pres_share *share)
{
	if (share == NULL)
		return UINT32_MAX; /* nobody is there to hear of it */
	if (share->nth == 0)
		return (uint32_t)(clock_mono_ms() - u->at_ms);
	return (int32_t)(u->nth - share->nth) < 0 ? UINT32_MAX : 0;
}

void
presence_for(struct presence *pr, const struct pres_node *n, struct str rid,
    struct f_room *f)
{
	const struct pres_room *room = presence_room(pr, rid);
	const struct pres_share *share = NULL;

	if (!f->unsure || room == NULL)
		return;
	for (uint32_t i = 0; i < room->n_shares; i++)
		if (room->shares[i].node == n->at)
			share = &room->shares[i];
	for (unsigned i = 0; i < f->n_in; i++)
		f->in[i].age = presence_age(&f->in[i], share);
	for (unsigned i = 0; i < f->n_out; i++)
		f->out[i].age = presence_age(&f->out[i], share);
}

static bool
presence_frame_full(const struct f_room *f)
{
	return f->n_in == ARRAY_LEN(f->in) || f->n_out == ARRAY_LEN(f->out);
}

static void
presence_tell_frame(
    struct presence *pr, struct pres_room *room, struct f_room *f)
{
	if (f->n_in + f->n_out > 0 || f->more)
		pr->ops->on_room(pr->arg, str_of(room->rid), f);
	f->n_in = f->n_out = 0;
	f->unsure = false;
}

/* the oldest, all but `keep`; rest: in a big room for version 1 alone */
static void
presence_tell_some(
    struct presence *pr, struct pres_room *room, uint32_t keep, bool rest)
{
	static struct f_room f; /* large, and this runs on one thread */
	struct pres_change *c;
	uint32_t n = room->news->n_changes - keep;

	memset(&f, 0, sizeof f);
	f.count = room->n_members;
	f.big = presence_is_big(room);
	f.rest = f.big && rest;
	DL_FOREACH (room->news->changes, c) {
		if (n-- == 0)
			break;
		presence_put_change(&f, c);
		if (presence_frame_full(&f))
			presence_tell_frame(pr, room, &f);
	}
	f.more = room->news->cut && keep == 0;
	presence_tell_frame(pr, room, &f);
	while (room->news->n_changes > keep)
		presence_change_free(pr, room->news, room->news->changes);
}

/* of a big room, beside its batch: who never left is news to nobody there */
static void
presence_tell_backs(struct presence *pr, struct pres_room *room)
{
	static struct f_room f;
	struct pres_change *c, *tmp;

	memset(&f, 0, sizeof f);
	f.count = room->n_members;
	f.big = f.rest = true;
	DL_FOREACH (room->news->changes, c) {
		if (c->kind != CHANGE_BACK || c->doubt)
			continue;
		presence_put_change(&f, c);
		if (presence_frame_full(&f))
			presence_tell_frame(pr, room, &f);
	}
	presence_tell_frame(pr, room, &f);
	DL_FOREACH_SAFE (room->news->changes, c, tmp)
		if (c->kind == CHANGE_BACK && !c->doubt)
			presence_change_free(pr, room->news, c);
}

/* too many: the oldest go. All hear of the newest, and of the count, in time */
static void
presence_spill(struct presence *pr, struct pres_room *room)
{
	if (room->news->n_changes < PRESENCE_KEPT_MAX &&
	    presence_is_quiet(pr, clock_mono_ms()))
		return;
	if (presence_is_big(room)) {
		presence_tell_backs(pr, room);
		if (!presence_is_dirty(room))
			DL_DELETE(pr->dirty, room->news);
		if (room->news->n_changes < PRESENCE_CHANGES_MAX / 2)
			return;
		room->news->cut = true;
	}
	presence_tell_some(pr, room, ARRAY_LEN(((struct f_room *)0)->in), true);
}

/* the batch of a big room: the newest to all, what does not fit to version 1 */
static void
presence_tell_big(struct presence *pr, struct pres_room *room)
{
	static struct f_room f;
	uint32_t n_in = 0, n_out = 0, n = 0;
	struct pres_change *c;

	presence_tell_backs(pr, room);
	/* from the newest backwards: how many fit into one frame */
	for (c = room->news->changes != NULL ? room->news->changes->prev : NULL;
	     c != NULL; c = c->prev) {
		if (c->kind == CHANGE_OUT)
			n_out++;
		else
			n_in++;
		if (n_in > ARRAY_LEN(f.in) || n_out > ARRAY_LEN(f.out))
			break;
		n++;
		if (c == room->news->changes)
			break;
	}
	if (n < room->news->n_changes) {
		room->news->cut = true;
		presence_tell_some(pr, room, n, true);
	}
	memset(&f, 0, sizeof f);
	f.count = room->n_members;
	f.big = true;
	f.more = room->news->cut;
	DL_FOREACH (room->news->changes, c)
		presence_put_change(&f, c);
	presence_tell_frame(pr, room, &f);
}

static void
presence_tell(struct presence *pr, struct pres_room *room)
{
	if (presence_is_big(room))
		presence_tell_big(pr, room);
	else
		presence_tell_some(pr, room, 0, false);
	room->news->told_ms = clock_mono_ms();
}

/* a standby: what the active one has told by now */
static void
presence_drop_told(struct presence *pr, struct pres_room *room, int64_t until)
{
	while (
	    room->news->changes != NULL && room->news->changes->at_ms < until)
		presence_change_free(pr, room->news, room->news->changes);
	if (room->news->changes != NULL)
		return;
	DL_DELETE(pr->dirty, room->news);
	presence_room_rest(pr, room);
}

/* what a standby keeps: what the active one may have kept to itself */
static int64_t
presence_stale(const struct presence *pr, int64_t now)
{
	int64_t heard =
	    pr->ops->on_heard != NULL ? pr->ops->on_heard(pr->arg) : 0;

	return heard > 0 ? heard - PRESENCE_MARGIN_MS : now - PRESENCE_STALE_MS;
}

void
presence_flush(struct presence *pr)
{
	int64_t now = clock_mono_ms(), until;
	struct pres_news *news, *tmp;
	struct pres_room *room;

	/* first everybody subscribes, after a promotion above all */
	if (pr->active && presence_is_quiet(pr, now))
		return;
	until = pr->active ? 0 : presence_stale(pr, now);
	DL_FOREACH_SAFE (pr->dirty, news, tmp) {
		room = news->room;
		if (!pr->active) {
			presence_drop_told(pr, room, until);
			continue;
		}
		if (presence_is_big(room) &&
		    now - room->news->told_ms < PRESENCE_BATCH_MS)
			continue;
		presence_tell(pr, room);
		presence_forget_changes(pr, room);
		presence_room_rest(pr, room);
	}
}
