/* SPDX-License-Identifier: MIT */
/*
 * Questions about people, answered from memory in the JSON that clients and
 * operators see (protocol.md, getOnline; features.md 5.8). Lists run by name;
 * the cursor is the last name given.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proxy_server/presence_priv.h"
#include "shared/proc/clock.h"
#include "shared/proto/json.h"
#include "shared/proto/link.h"

enum {
	WHO_LIMIT = 100,
	WHO_LIMIT_MAX = 1000,
	WHO_UIDS_MAX = 200,
	WHO_JSON_MAX = LINK_FRAME_MAX - 16384 /* leaves room for one more */
};

/*
 * The `cap` smallest names above a cursor, out of an unsorted crowd: a heap
 * with the largest on top, so that a page costs n log(page), not a sort of all.
 */
struct who_pick {
	const char *name; /* == (const char *)object + offset, unique */
	void *object;
};

struct who_page {
	struct who_pick *heap;
	size_t n, cap;
	struct str after;
	bool more; /* something was left out */
};

static void
who_sift_down(struct who_page *pg, size_t i)
{
	struct who_pick *h = pg->heap, tmp;
	size_t kid;

	while ((kid = 2 * i + 1) < pg->n) {
		if (kid + 1 < pg->n && strcmp(h[kid + 1].name, h[kid].name) > 0)
			kid++;
		if (strcmp(h[kid].name, h[i].name) <= 0)
			return;
		tmp = h[i];
		h[i] = h[kid];
		h[kid] = tmp;
		i = kid;
	}
}

static void
who_offer(struct who_page *pg, const char *name, void *object)
{
	struct who_pick *h = pg->heap, tmp;
	size_t i, up;

	if (str_is_set(pg->after) && str_cmp(str_of(name), pg->after) <= 0)
		return;
	if (pg->n == pg->cap) {
		pg->more = true;
		if (strcmp(name, h[0].name) >= 0)
			return;
		h[0].name = name;
		h[0].object = object;
		who_sift_down(pg, 0);
		return;
	}
	i = pg->n++;
	h[i].name = name;
	h[i].object = object;
	while (i > 0 && strcmp(h[up = (i - 1) / 2].name, h[i].name) < 0) {
		tmp = h[i];
		h[i] = h[up];
		h[up] = tmp;
		i = up;
	}
}

static int
who_pick_cmp(const void *a, const void *b)
{
	const struct who_pick *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void
who_page_init(struct who_page *pg, const struct f_who *who)
{
	memset(pg, 0, sizeof *pg);
	pg->after = who->next;
	pg->cap = who->limit == 0	       ? WHO_LIMIT
		  : who->limit > WHO_LIMIT_MAX ? WHO_LIMIT_MAX
					       : who->limit;
	pg->heap = xmalloc(pg->cap * sizeof *pg->heap);
}

/* writes the page as an array; put() writes one object */
static void
who_page_write(struct who_page *pg, struct jw *w, const struct presence *pr,
    void (*put)(struct jw *, const struct presence *, void *),
    struct f_whois *answer)
{
	size_t i;

	qsort(pg->heap, pg->n, sizeof *pg->heap, who_pick_cmp);
	jw_arr(w, NULL);
	for (i = 0; i < pg->n && buf_len(w->out) < WHO_JSON_MAX; i++)
		put(w, pr, pg->heap[i].object);
	jw_arr_end(w);
	/* names live in the objects, which outlive the answer */
	if (i > 0 && (pg->more || i < pg->n))
		answer->next = str_of(pg->heap[i - 1].name);
	free(pg->heap);
}

/* ---- users ------------------------------------------------------------ */

static void
who_put_user(struct jw *w, const struct pres_user *u, uint32_t dev)
{
	const char *name = presence_name(u->card);
	const char *avatar = presence_avatar(u->card);

	jw_obj(w, NULL);
	jw_cstr(w, "uid", presence_uid(u));
	jw_cstr(w, "name", name ? name : "");
	jw_cstr(w, "st", u->st == STATUS_AWAY ? "away" : "on");
	jw_int(w, "dev", dev);
	if (avatar != NULL && avatar[0] != '\0')
		jw_cstr(w, "avatar", avatar);
	jw_obj_end(w);
}

static void
who_put_member(struct jw *w, const struct presence *pr, void *object)
{
	const struct pres_member *m = object;

	(void)pr;
	/* held: nobody was told that he left, so he is there */
	who_put_user(w, m->user, m->n_seats > 0 ? m->n_seats : 1);
}

/* getOnline of a room */
static void
who_room(struct presence *pr, const struct f_who *who, struct jw *w,
    struct f_whois *answer)
{
	struct pres_room *room = presence_room(pr, who->arg);
	struct who_page pg;
	struct pres_member *m;

	who_page_init(&pg, who);
	if (room != NULL) {
		answer->count = room->n_members;
		if (room->news != NULL)
			room->news->asked =
			    pr->active && room->news->changes != NULL;
		DL_FOREACH (room->members, m)
			who_offer(&pg, presence_uid(m->user), m);
	}
	who_page_write(&pg, w, pr, who_put_member, answer);
}

/* of his sessions one that is in the room; NULL: he is held */
static const struct pres_session *
who_seated(const struct pres_member *m)
{
	struct pres_session *s;
	unsigned i;

	DL_FOREACH (m->user->sessions, s)
		for (i = 0; i < s->n_seats; i++)
			if (presence_seats(s)[i] == m)
				return s;
	return NULL;
}

static void
who_put_person(struct jw *w, const struct presence *pr,
    const struct pres_user *u, const struct pres_session *s)
{
	const char *name = presence_name(u->card);
	const char *avatar = presence_avatar(u->card);

	jw_obj(w, NULL);
	jw_int(w, "cn", (int64_t)presence_cn(pr, s));
	jw_cstr(w, "uid", presence_uid(u));
	jw_cstr(w, "name", name ? name : "");
	if (avatar != NULL && avatar[0] != '\0')
		jw_cstr(w, "avatar", avatar);
	jw_obj_end(w);
}

static void
who_put_seated(struct jw *w, const struct presence *pr, void *object)
{
	const struct pres_member *m = object;

	who_put_person(w, pr, m->user, who_seated(m));
}

/* those of a room who are there with a session, which names them */
static void
who_people(struct presence *pr, const struct f_who *who, struct jw *w,
    struct f_whois *answer)
{
	struct pres_room *room = presence_room(pr, who->arg);
	struct who_page pg;
	struct pres_member *m;

	who_page_init(&pg, who);
	if (room != NULL) {
		answer->count = room->n_members;
		DL_FOREACH (room->members, m)
			if (m->n_seats > 0)
				who_offer(&pg, presence_uid(m->user), m);
	}
	who_page_write(&pg, w, pr, who_put_seated, answer);
}

/* whose session: nothing when there is none; gone: or was it? */
static void
who_session(bool gone, struct presence *pr, const struct f_who *who,
    struct jw *w, struct f_whois *answer)
{
	const struct pres_session *s = NULL;
	struct pres_node *n;
	uint64_t cn;
	uint32_t no;

	if (str_u64(who->arg, &cn) != 0)
		return;
	no = (uint32_t)(cn >> 32);
	HASH_FIND(hh, pr->nodes, &no, sizeof no, n);
	if (n != NULL)
		s = presence_session(n, cn);
	if (s != NULL) {
		answer->count = 1;
		who_put_person(w, pr, s->user, s);
	} else if (gone && str_is_set(presence_gone_uid(pr, cn))) {
		jw_obj(w, NULL);
		jw_int(w, "cn", (int64_t)cn);
		jw_str(w, "uid", presence_gone_uid(pr, cn));
		jw_obj_end(w);
	}
}

/* getOnline of named users: those not there say off */
static void
who_users(struct presence *pr, const struct f_who *who, struct jw *w,
    struct f_whois *answer)
{
	struct str rest = who->arg, uid;
	const struct pres_user *u;

	jw_arr(w, NULL);
	for (unsigned n = 0; n < WHO_UIDS_MAX && str_next(&rest, ',', &uid);
	     n++) {
		if (!id_is_word(uid))
			continue;
		u = presence_user(pr, uid);
		if (u != NULL && u->st != STATUS_OFF) {
			who_put_user(
			    w, u, u->n_sessions > 0 ? u->n_sessions : 1);
			answer->count++;
			continue;
		}
		jw_obj(w, NULL);
		jw_str(w, "uid", uid);
		jw_cstr(w, "st", "off");
		jw_int(w, "dev", 0);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

/* where is a user: /v1/users/UID */
static void
who_user(struct presence *pr, const struct f_who *who, struct jw *w,
    struct f_whois *answer)
{
	const struct pres_user *u = presence_user(pr, who->arg);
	struct pres_session *s;
	struct pres_member *m;
	const char *name;
	int64_t last;
	char sid[24];

	jw_obj(w, NULL);
	jw_str(w, "uid", who->arg);
	jw_bool(w, "online", u != NULL);
	if (u != NULL) {
		answer->count = u->n_sessions;
		name = presence_name(u->card);
		jw_cstr(w, "name", name ? name : "");
	}
	jw_arr(w, "sessions");
	if (u != NULL) {
		DL_FOREACH (u->sessions, s) {
			if (buf_len(w->out) >= WHO_JSON_MAX)
				break;
			snprintf(sid, sizeof sid, "s-%llx",
			    (unsigned long long)presence_cn(pr, s));
			jw_obj(w, NULL);
			jw_cstr(w, "srv", presence_node_of(pr, s)->name);
			jw_cstr(w, "sid", sid);
			jw_cstr(w, "dev", s->dev);
			jw_int(w, "since", s->since_ms);
			jw_int(w, "v", s->level);
			jw_cstr(w, "st", s->away ? "away" : "on");
			jw_obj_end(w);
		}
	}
	jw_arr_end(w);
	jw_arr(w, "rooms");
	if (u != NULL)
		for (m = u->members; m != NULL; m = m->next_of_user)
			jw_cstr(w, NULL, m->room->rid);
	jw_arr_end(w);
	last = u == NULL || (u->sessions == NULL && u->leave == NULL)
		   ? presence_last(pr, who->arg)
	       : u->sessions != NULL ? clock_wall_ms()
				     : u->leave->last_ms;
	if (last != 0)
		jw_int(w, "last", last);
	jw_obj_end(w);
}

static void
who_put_uid(struct jw *w, const struct presence *pr, void *object)
{
	(void)pr;
	jw_cstr(w, NULL, presence_uid(object));
}

/* and the time of the oldest of his sessions */
static void
who_put_since(struct jw *w, const struct presence *pr, void *object)
{
	const struct pres_user *u = object;
	struct pres_session *s;
	int64_t since = INT64_MAX;

	(void)pr;
	DL_FOREACH (u->sessions, s)
		if (s->since_ms < since)
			since = s->since_ms;
	jw_obj(w, NULL);
	jw_cstr(w, "uid", presence_uid(u));
	jw_int(w, "since", since);
	jw_obj_end(w);
}

/* everybody, whether in a room or not */
static void
who_all(struct presence *pr, const struct f_who *who, struct jw *w,
    struct f_whois *answer)
{
	struct table_link *e, *next;
	struct pres_user *u;
	struct who_page pg;

	who_page_init(&pg, who);
	TABLE_EACH(&pr->users, e, next, presence_user_key)
	{
		u = container_of(e, struct pres_user, by_uid);
		if (u->n_sessions == 0)
			continue;
		answer->count++;
		who_offer(&pg, presence_uid(u), u);
	}
	who_page_write(&pg, w, pr,
	    str_eqc(who->arg, "since") ? who_put_since : who_put_uid, answer);
}

/* ---- rooms ------------------------------------------------------------ */

/* how many seats each server has in it */
static void
who_put_shares(
    struct jw *w, const struct presence *pr, const struct pres_room *room)
{
	const struct pres_share *s = room->shares;

	for (uint32_t i = 0; i < room->n_shares; i++)
		jw_int(w, pr->by_at[s[i].node]->name, s[i].n);
}

static void
who_put_room(struct jw *w, const struct presence *pr, void *object)
{
	const struct pres_room *room = object;

	jw_obj(w, NULL);
	jw_cstr(w, "rid", room->rid);
	jw_int(w, "users", room->n_members);
	jw_obj(w, "members");
	who_put_shares(w, pr, room);
	jw_obj_end(w);
	jw_obj_end(w);
}

static bool
who_room_is_on(
    const struct presence *pr, const struct pres_room *room, struct str srv)
{
	for (uint32_t i = 0; i < room->n_shares; i++)
		if (str_eqc(srv, pr->by_at[room->shares[i].node]->name))
			return true;
	return false;
}

/* /v1/rooms, of one server when arg names it */
static void
who_rooms(struct presence *pr, const struct f_who *who, struct jw *w,
    struct f_whois *answer)
{
	struct table_link *e, *next;
	struct pres_room *room;
	struct who_page pg;

	who_page_init(&pg, who);
	TABLE_EACH(&pr->rooms, e, next, presence_room_key)
	{
		room = container_of(e, struct pres_room, by_rid);
		if (room->n_members == 0 ||
		    (who->arg.len > 0 && !who_room_is_on(pr, room, who->arg)))
			continue;
		answer->count++;
		who_offer(&pg, room->rid, room);
	}
	who_page_write(&pg, w, pr, who_put_room, answer);
}

/* /v1/rooms/RID */
static void
who_room_info(struct presence *pr, const struct f_who *who, struct jw *w,
    struct f_whois *answer)
{
	const struct pres_room *room = presence_room(pr, who->arg);
	struct buf more;

	jw_obj(w, NULL);
	jw_str(w, "rid", who->arg);
	jw_int(w, "users", room != NULL ? room->n_members : 0);
	jw_obj(w, "members");
	if (room != NULL) {
		answer->count = room->n_members;
		who_put_shares(w, pr, room);
	}
	jw_obj_end(w);
	if (pr->ops->on_room_info != NULL) {
		buf_init(&more, 4096);
		pr->ops->on_room_info(pr->arg, who->arg, &more);
		if (buf_ok(&more) && buf_len(&more) > 0) {
			buf_putc(w->out, ',');
			buf_putstr(w->out, buf_str(&more));
		}
		buf_fini(&more);
	}
	jw_obj_end(w);
}

static void
who_totals(struct presence *pr, struct jw *w, struct f_whois *answer)
{
	struct pres_node *n, *tmp;

	answer->count = pr->users.n;
	jw_obj(w, NULL);
	jw_int(w, "sessions", pr->n_sessions);
	jw_int(w, "users", pr->users.n);
	jw_int(w, "rooms", pr->rooms.n);
	jw_obj(w, "servers");
	HASH_ITER (hh, pr->nodes, n, tmp)
		jw_int(w, n->name, n->sessions.n);
	jw_obj_end(w);
	jw_obj_end(w);
}

void
presence_who(struct presence *pr, const struct f_who *who, struct buf *json,
    struct f_whois *answer)
{
	bool word = id_is_word(who->arg);
	struct jw w;

	memset(answer, 0, sizeof *answer);
	answer->rid = who->rid;
	answer->code = 200;
	jw_init(&w, json);
	switch ((enum who_what)who->what) {
	case WHO_ROOM:
		if (word)
			who_room(pr, who, &w, answer);
		break;
	case WHO_USER:
		if (word)
			who_user(pr, who, &w, answer);
		break;
	case WHO_ROOM_INFO:
		if (word)
			who_room_info(pr, who, &w, answer);
		break;
	case WHO_USERS:
		who_users(pr, who, &w, answer);
		break;
	case WHO_ROOMS:
		who_rooms(pr, who, &w, answer);
		break;
	case WHO_PEOPLE:
		if (word)
			who_people(pr, who, &w, answer);
		break;
	case WHO_SESSION:
	case WHO_WHOSE:
		who_session(who->what == WHO_WHOSE, pr, who, &w, answer);
		break;
	case WHO_ALL:
		who_all(pr, who, &w, answer);
		break;
	case WHO_TOTALS:
		who_totals(pr, &w, answer);
		break;
	}
	if (buf_len(json) == 0 || !buf_ok(json)) {
		answer->code = buf_ok(json) ? 404 : 503;
		answer->count = 0;
		answer->next = STR_NONE;
		answer->json = STR_NONE;
		return;
	}
	answer->json = buf_str(json);
}
