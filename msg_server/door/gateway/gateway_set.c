/* SPDX-License-Identifier: MIT */
/*
 * Which sessions a command is about: all, those of a uid, of a group. A group
 * is a room and whoever back ends have put into a group of that name.
 */
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/door/gateway/gateway_priv.h"

bool
gateway_is_empty(struct str s)
{
	return s.len == 0 || str_eqc(s, "0");
}

struct str
gateway_json_name(const json_t *v, char tmp[24])
{
	if (json_is_string(v))
		return str_n(json_string_value(v), json_string_length(v));
	if (!json_is_integer(v))
		return STR_NONE;
	snprintf(tmp, 24, "%lld", (long long)json_integer_value(v));
	return str_of(tmp);
}

/* --- sets ------------------------------------------------------------------
 */

void
gateway_set_fini(struct gateway_set *set)
{
	free(set->s);
	memset(set, 0, sizeof *set);
}

void
gateway_set_add(struct gateway_set *set, struct session *s)
{
	if (set->n == GATEWAY_SET_MAX) {
		set->over = true;
		return;
	}
	if (set->n == set->cap) {
		set->cap = set->cap > 0 ? set->cap * 2 : 16;
		set->s = xrealloc(set->s, set->cap * sizeof *set->s);
	}
	set->s[set->n++] = s;
}

static int
gateway_set_cmp(const void *a, const void *b)
{
	const struct session *x = *(struct session *const *)a;
	const struct session *y = *(struct session *const *)b;

	return (x->cn > y->cn) - (x->cn < y->cn);
}

static void
gateway_set_sort_from(struct gateway_set *set, uint32_t from)
{
	uint32_t i, n = from;

	if (set->n - from < 2)
		return;
	qsort(set->s + from, set->n - from, sizeof *set->s, gateway_set_cmp);
	for (i = from; i < set->n; i++)
		if (n == from || set->s[n - 1] != set->s[i])
			set->s[n++] = set->s[i];
	set->n = n;
}

void
gateway_set_sort(struct gateway_set *set)
{
	gateway_set_sort_from(set, 0);
}

/* --- sessions --------------------------------------------------------------
 */

static struct session *
gateway_open_one(struct gateway *g, uint64_t cn)
{
	struct session *s = session_find(g->srv, cn);

	return s != NULL && session_is_open(s) ? s : NULL;
}

struct session *
gateway_session(struct gateway *g, uint64_t connection)
{
	if (connection > UINT32_MAX)
		return NULL;
	return gateway_open_one(
	    g, (uint64_t)g->srv->node_no << 32 | connection);
}

void
gateway_set_all(struct gateway *g, struct gateway_set *set)
{
	struct session *s, *next;

	SESSION_EACH(&g->srv->sessions, s, next)
	{
		if (session_is_open(s))
			gateway_set_add(set, s);
	}
	gateway_set_sort(set);
}

static void
gateway_set_ties(
    struct gateway *g, const struct people_name *name, struct gateway_set *set)
{
	struct people_tie *t;
	struct session *s;

	if (name == NULL)
		return;
	DL_FOREACH (name->ties, t) {
		s = gateway_open_one(g, t->person->cn);
		if (s != NULL)
			gateway_set_add(set, s);
	}
}

void
gateway_set_uid(struct gateway *g, struct str uid, struct gateway_set *set)
{
	gateway_set_ties(g, people_uid(&g->people, uid), set);
}

static struct str
gateway_room_key(const struct table_link *e)
{
	return str_of(room_rid(container_of(e, const struct room, by_rid)));
}

static bool
gateway_is_member(const struct member *m)
{
	return !m->cursor.waiting && session_is_open(m->session);
}

void
gateway_set_group(struct gateway *g, struct str group, struct gateway_set *set)
{
	struct table_link *e =
	    table_find(&g->srv->rooms, group, gateway_room_key);
	struct room *room = e ? container_of(e, struct room, by_rid) : NULL;
	uint32_t i, from = set->n;

	for (i = 0; room != NULL && i < room->n_members && !set->over; i++)
		if (gateway_is_member(room->members[i]))
			gateway_set_add(set, room->members[i]->session);
	gateway_set_ties(g, people_group(&g->people, group), set);
	gateway_set_sort_from(set, from);
}

/* --- groups ----------------------------------------------------------------
 */

static bool
gateway_in_room(struct session *s, struct str group)
{
	struct member *m;

	for (m = s->members; m != NULL; m = m->next_of_session)
		if (gateway_is_member(m) && str_eqc(group, room_rid(m->room)))
			return true;
	return false;
}

/* those of s->members run newest first */
static bool
gateway_rooms_of(struct member *m, void (*fn)(void *, struct str), void *arg)
{
	bool some = false;

	if (m == NULL)
		return false;
	/* as deep as one may be in rooms: rooms_max */
	some = gateway_rooms_of(m->next_of_session, fn, arg);
	if (!gateway_is_member(m))
		return some;
	fn(arg, str_of(room_rid(m->room)));
	return true;
}

bool
gateway_groups_of(struct gateway *g, struct session *s,
    void (*fn)(void *, struct str), void *arg)
{
	struct person *who = people_find(&g->people, s->cn);
	bool some = gateway_rooms_of(s->members, fn, arg);
	struct people_tie *t;

	if (who == NULL)
		return some;
	for (t = who->groups; t != NULL; t = t->next_of_person)
		if (!gateway_in_room(s, people_text(t->name)))
			fn(arg, people_text(t->name));
	return some || who->was_in_group;
}

static bool
gateway_has_members(const struct room *room)
{
	uint32_t i;

	for (i = 0; i < room->n_members; i++)
		if (gateway_is_member(room->members[i]))
			return true;
	return false;
}

/* 1 before 2 before 10 */
static int
gateway_rid_cmp(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t m = strlen(x), n = strlen(y);

	return m != n ? (m > n) - (m < n) : strcmp(x, y);
}

void
gateway_groups(struct gateway *g, void (*fn)(void *, struct str), void *arg)
{
	const struct table *rooms = &g->srv->rooms;
	const char **rid = xcalloc(rooms->n + 1UL, sizeof *rid);
	struct people_name *name, *tmp;
	struct table_link *e, *next;
	struct gateway_set set = {0};
	size_t i, n = 0;

	TABLE_EACH(rooms, e, next, gateway_room_key)
	if (gateway_has_members(container_of(e, struct room, by_rid)))
		rid[n++] = gateway_room_key(e).p;
	if (n > 1)
		qsort(rid, n, sizeof *rid, gateway_rid_cmp);
	for (i = 0; i < n; i++)
		fn(arg, str_of(rid[i]));
	free(rid);
	HASH_ITER (hh, g->people.groups, name, tmp) {
		e = table_find(rooms, people_text(name), gateway_room_key);
		if (e != NULL &&
		    gateway_has_members(container_of(e, struct room, by_rid)))
			continue;
		set.n = 0;
		gateway_set_ties(g, name, &set);
		if (set.n > 0)
			fn(arg, people_text(name));
	}
	gateway_set_fini(&set);
}
