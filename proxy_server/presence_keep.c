/* SPDX-License-Identifier: MIT */
/*
 * The memory of presence: how users, rooms, members and sessions are found and
 * kept, small. What it means that one comes or goes is presence.c's.
 */
#include <stddef.h>
#include <stdlib.h>

#include "proxy_server/presence_priv.h"
#include "shared/proc/clock.h"

/* ---- users ------------------------------------------------------------ */

static struct pres_user *
keep_user(const struct table_link *e)
{
	return container_of(e, struct pres_user, by_uid);
}

struct str
presence_user_key(const struct table_link *e)
{
	const struct pres_card *c = keep_user(e)->card;

	return str_n(c->text, c->uid_len);
}

static size_t
keep_card_size(size_t uid, size_t name, size_t avatar)
{
	return offsetof(struct pres_card, text) + uid + name + avatar + 3;
}

static char *
keep_text(char *at, struct str s)
{
	if (s.len > 0)
		memcpy(at, s.p, s.len);
	return at + s.len + 1;
}

/* lengths are those that frames have: ID_MAX, NAME_MAX_BYTES, AVATAR_MAX */
static struct pres_card *
keep_card(
    struct presence *pr, struct str uid, struct str name, struct str avatar)
{
	struct pres_card *c =
	    slab_get(&pr->slab, keep_card_size(uid.len, name.len, avatar.len));

	c->refs = 1;
	c->uid_len = (uint8_t)uid.len;
	c->name_len = (uint16_t)name.len;
	c->avatar_len = (uint16_t)avatar.len;
	c->has_name = str_is_set(name);
	c->has_avatar = str_is_set(avatar);
	keep_text(keep_text(keep_text(c->text, uid), name), avatar);
	return c;
}

void
presence_card_drop(struct presence *pr, struct pres_card *c)
{
	pr->n_orphans -= c->orphan;
	if (--c->refs == 0)
		slab_put(&pr->slab, c,
		    keep_card_size(c->uid_len, c->name_len, c->avatar_len));
}

/* its user drops it; changes that have it keep it */
static void
keep_card_leave(struct presence *pr, struct pres_card *c)
{
	if (c->refs > 1) {
		c->orphan = true;
		pr->n_orphans += c->refs;
	}
	presence_card_drop(pr, c);
}

/*
 * His changes have his card, unless he has got another one since the first of
 * them. So nobody looks through the news of a room for each who comes to it.
 */
bool
presence_may_have_news(struct presence *pr, const struct pres_user *u)
{
	struct pres_card *c = u->card;

	if (pr->n_changes == 0)
		c->stale = false;
	return c->refs > 1 || c->stale;
}

struct pres_user *
presence_user(struct presence *pr, struct str uid)
{
	struct table_link *e = table_find(&pr->users, uid, presence_user_key);

	return e != NULL ? keep_user(e) : NULL;
}

struct pres_user *
presence_user_get(struct presence *pr, struct str uid)
{
	struct pres_user *u = presence_user(pr, uid);

	if (u != NULL)
		return u;
	u = slab_get(&pr->slab, sizeof *u);
	u->card = keep_card(pr, uid, STR_NONE, STR_NONE);
	u->card->stale = pr->n_orphans > 0;
	table_add(&pr->users, &u->by_uid, presence_user_key);
	return u;
}

void
presence_user_rest(struct presence *pr, struct pres_user *u)
{
	if (u->sessions != NULL || u->members != NULL || u->leave != NULL)
		return;
	table_del(&pr->users, &u->by_uid, presence_user_key);
	keep_card_leave(pr, u->card);
	slab_put(&pr->slab, u, sizeof *u);
}

/* is it news? and if not set: what it was */
static bool
keep_differs(struct str *now, const char *was)
{
	if (!str_is_set(*now)) {
		*now = str_of(was);
		return false;
	}
	return was == NULL || !str_eqc(*now, was);
}

void
presence_user_name(struct presence *pr, struct pres_user *u, struct str name,
    struct str avatar)
{
	struct pres_card *old = u->card;
	bool differs = keep_differs(&name, presence_name(old));

	differs |= keep_differs(&avatar, presence_avatar(old));
	if (!differs)
		return;
	/* the key in the table is the new card's: the same bytes */
	u->card = keep_card(pr, str_n(old->text, old->uid_len), name, avatar);
	u->card->stale = old->stale || old->refs > 1;
	keep_card_leave(pr, old);
}

/* ---- rooms ------------------------------------------------------------ */

static struct pres_room *
keep_room(const struct table_link *e)
{
	return container_of(e, struct pres_room, by_rid);
}

struct str
presence_room_key(const struct table_link *e)
{
	return str_of(keep_room(e)->rid);
}

static size_t
keep_room_size(size_t rid)
{
	return offsetof(struct pres_room, rid) + rid + 1;
}

struct pres_room *
presence_room(struct presence *pr, struct str rid)
{
	struct table_link *e = table_find(&pr->rooms, rid, presence_room_key);

	return e != NULL ? keep_room(e) : NULL;
}

uint32_t
presence_count(struct presence *pr, struct str rid)
{
	const struct pres_room *room = presence_room(pr, rid);

	return room != NULL ? room->n_members : 0;
}

struct pres_room *
presence_room_get(struct presence *pr, struct str rid)
{
	struct pres_room *room = presence_room(pr, rid);

	if (room != NULL)
		return room;
	room = slab_get(&pr->slab, keep_room_size(rid.len));
	memcpy(room->rid, rid.p, rid.len);
	table_add(&pr->rooms, &room->by_rid, presence_room_key);
	return room;
}

void
presence_room_rest(struct presence *pr, struct pres_room *room)
{
	if (room->n_members > 0 || presence_is_dirty(room))
		return;
	presence_news_free(pr, room);
	table_del(&pr->rooms, &room->by_rid, presence_room_key);
	slab_put(&pr->slab, room, keep_room_size(strlen(room->rid)));
}

/* another number of shares: there is never room for more than there are */
static void
keep_shares(struct presence *pr, struct pres_room *room, uint32_t n)
{
	uint32_t least = n < room->n_shares ? n : room->n_shares;
	struct pres_share *s =
	    n > 0 ? slab_get(&pr->slab, n * sizeof *s) : NULL;

	if (least > 0)
		memcpy(s, room->shares, least * sizeof *s);
	slab_put(&pr->slab, room->shares, room->n_shares * sizeof *s);
	room->shares = s;
	room->n_shares = n;
}

void
presence_share(
    struct presence *pr, struct pres_room *room, uint32_t node, int by)
{
	uint32_t i;

	for (i = 0; i < room->n_shares; i++)
		if (room->shares[i].node == node)
			break;
	if (i == room->n_shares) {
		keep_shares(pr, room, i + 1);
		room->shares[i].node = node;
		room->shares[i].nth = (uint32_t)pr->updates;
	}
	room->shares[i].n += (uint32_t)by;
	if (room->shares[i].n > 0)
		return;
	room->shares[i] = room->shares[room->n_shares - 1];
	keep_shares(pr, room, room->n_shares - 1);
}

void
presence_share_is_old(struct pres_room *room, uint32_t node)
{
	for (uint32_t i = 0; i < room->n_shares; i++)
		if (room->shares[i].node == node)
			room->shares[i].nth = 0;
}

/* ---- members ---------------------------------------------------------- */

struct pres_member *
presence_member(const struct pres_user *u, const struct pres_room *room)
{
	struct pres_member *m;

	for (m = u->members; m != NULL; m = m->next_of_user)
		if (m->room == room)
			return m;
	return NULL;
}

struct pres_member *
presence_member_new(
    struct presence *pr, struct pres_user *u, struct pres_room *room)
{
	struct pres_member *m = slab_get(&pr->slab, sizeof *m);

	m->user = u;
	m->room = room;
	DL_APPEND(room->members, m);
	room->n_members++;
	m->next_of_user = u->members;
	u->members = m;
	return m;
}

static struct pres_absence **
keep_list(struct presence *pr, const struct pres_absence *a)
{
	return a->held ? &pr->held[a->by_link] : &pr->owed;
}

static void
keep_absence_free(struct presence *pr, struct pres_absence *a)
{
	DL_DELETE(*keep_list(pr, a), a);
	a->member->absence = NULL;
	slab_put(&pr->slab, a, sizeof *a);
}

void
presence_member_free(struct presence *pr, struct pres_member *m)
{
	struct pres_user *u = m->user;
	struct pres_room *room = m->room;
	struct pres_member **at = &u->members;

	if (m->absence != NULL)
		keep_absence_free(pr, m->absence);
	DL_DELETE(room->members, m);
	room->n_members--;
	/* the newest is first, and goes first with its session */
	while (*at != m)
		at = &(*at)->next_of_user;
	*at = m->next_of_user;
	slab_put(&pr->slab, m, sizeof *m);
	presence_room_rest(pr, room);
	presence_user_rest(pr, u);
}

/* it is in no list when this returns */
static struct pres_absence *
keep_absence(struct presence *pr, struct pres_member *m)
{
	struct pres_absence *a = m->absence;

	if (a != NULL) {
		DL_DELETE(*keep_list(pr, a), a);
		return a;
	}
	a = m->absence = slab_get(&pr->slab, sizeof *a);
	a->member = m;
	return a;
}

void
presence_hold(
    struct presence *pr, struct pres_member *m, bool by_link, int64_t due_ms)
{
	struct pres_absence *a = keep_absence(pr, m);

	a->held = true;
	a->by_link = by_link;
	a->due_ms = due_ms;
	DL_APPEND(pr->held[by_link], a);
}

void
presence_owe(struct presence *pr, struct pres_member *m, int64_t until)
{
	struct pres_absence *a = keep_absence(pr, m);

	/* what is over is not owed anew */
	if (clock_mono_ms() >= a->owed_ms)
		a->n_owed = 0;
	a->n_owed++;
	a->owed_ms = a->due_ms = until;
	DL_APPEND(*keep_list(pr, a), a);
}

void
presence_unhold(struct presence *pr, struct pres_member *m)
{
	struct pres_absence *a = keep_absence(pr, m);

	a->held = a->by_link = false;
	a->due_ms = presence_due(pr, false);
	DL_APPEND(pr->owed, a);
}

void
presence_absence_rest(struct presence *pr, struct pres_member *m)
{
	if (m->absence != NULL && !m->absence->held && m->absence->n_owed == 0)
		keep_absence_free(pr, m->absence);
}

void
presence_owed_tick(struct presence *pr, int64_t now)
{
	while (pr->owed != NULL && pr->owed->due_ms <= now)
		keep_absence_free(pr, pr->owed);
}

/* ---- sessions and their seats ----------------------------------------- */

static struct pres_session *
keep_session(const struct table_link *e)
{
	return container_of(e, struct pres_session, by_cn);
}

static struct str
keep_session_key(const struct table_link *e)
{
	const struct pres_session *s = keep_session(e);

	return str_n((const char *)&s->cn, sizeof s->cn);
}

static size_t
keep_session_size(size_t dev)
{
	return offsetof(struct pres_session, dev) + dev + 1;
}

struct pres_session *
presence_session(struct pres_node *n, uint64_t cn)
{
	uint32_t low = (uint32_t)cn;
	struct table_link *e;

	e = table_find(&n->sessions, str_n((const char *)&low, sizeof low),
	    keep_session_key);
	return e != NULL ? keep_session(e) : NULL;
}

struct pres_session *
presence_any_session(struct pres_node *n)
{
	struct table_link *e = table_any(&n->sessions, &n->sweep);

	return e != NULL ? keep_session(e) : NULL;
}

struct pres_session *
presence_session_alloc(
    struct presence *pr, struct pres_node *n, uint64_t cn, struct str dev)
{
	struct pres_session *s =
	    slab_get(&pr->slab, keep_session_size(dev.len));

	s->cn = (uint32_t)cn;
	s->node = n->at;
	if (dev.len > 0)
		memcpy(s->dev, dev.p, dev.len);
	table_add(&n->sessions, &s->by_cn, keep_session_key);
	pr->n_sessions++;
	return s;
}

void
presence_session_release(struct presence *pr, struct pres_session *s)
{
	DL_DELETE(s->user->sessions, s);
	table_del(
	    &presence_node_of(pr, s)->sessions, &s->by_cn, keep_session_key);
	pr->n_sessions--;
}

void
presence_session_free(struct presence *pr, struct pres_session *s)
{
	slab_put(&pr->slab, s, keep_session_size(strlen(s->dev)));
}

struct pres_session *
presence_session_dev(
    struct presence *pr, struct pres_session *s, struct str dev)
{
	struct pres_session *new;
	struct pres_node *n = presence_node_of(pr, s);

	if (!str_is_set(dev) || str_eqc(dev, s->dev))
		return s;
	new = slab_get(&pr->slab, keep_session_size(dev.len));
	memcpy(new, s, offsetof(struct pres_session, dev));
	if (dev.len > 0)
		memcpy(new->dev, dev.p, dev.len);
	DL_REPLACE_ELEM(s->user->sessions, s, new);
	table_del(&n->sessions, &s->by_cn, keep_session_key);
	table_add(&n->sessions, &new->by_cn, keep_session_key);
	presence_session_free(pr, s);
	return new;
}

struct pres_member **
presence_seats(struct pres_session *s)
{
	return s->n_seats == 1 ? &s->seat : s->seats;
}

/* how many n seats have room for */
static unsigned
keep_seats_cap(unsigned n)
{
	unsigned cap = 2;

	while (cap < n)
		cap *= 2;
	return cap;
}

static void
keep_seats_move(
    struct presence *pr, struct pres_session *s, unsigned from, unsigned to)
{
	struct pres_member **seats = slab_get(&pr->slab, to * sizeof *seats);

	memcpy(seats, s->seats, (from < to ? from : to) * sizeof *seats);
	slab_put(&pr->slab, s->seats, from * sizeof *seats);
	s->seats = seats;
}

void
presence_seat_add(
    struct presence *pr, struct pres_session *s, struct pres_member *m)
{
	struct pres_member *one = s->seat;
	unsigned cap;

	if (s->n_seats == 0) {
		s->seat = m;
	} else if (s->n_seats == 1) {
		s->seats = slab_get(&pr->slab, 2 * sizeof *s->seats);
		s->seats[0] = one;
		s->seats[1] = m;
	} else {
		cap = keep_seats_cap(s->n_seats);
		if (s->n_seats == cap)
			keep_seats_move(pr, s, cap, cap * 2);
		s->seats[s->n_seats] = m;
	}
	s->n_seats++;
}

void
presence_seat_del(struct presence *pr, struct pres_session *s, unsigned i)
{
	struct pres_member **seats = s->seats;
	unsigned cap;

	s->n_seats--;
	if (s->n_seats == 0) {
		s->seat = NULL;
		return;
	}
	for (; i < s->n_seats; i++)
		seats[i] = seats[i + 1];
	if (s->n_seats == 1) {
		s->seat = seats[0];
		slab_put(&pr->slab, seats, 2 * sizeof *seats);
		return;
	}
	cap = keep_seats_cap(s->n_seats + 1u);
	if (cap > keep_seats_cap(s->n_seats))
		keep_seats_move(pr, s, cap, cap / 2);
}

void
presence_keep_fini(struct presence *pr)
{
	free(pr->by_at);
	slab_fini(&pr->slab);
}
