/* SPDX-License-Identifier: MIT */
/*
 * Questions about groups: which records to ask for, what they say, and all of
 * them gathered. See groups.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/groups.h"
#include "msg_server/server.h"
#include "shared/proto/json.h"

/* --- what to ask -------------------------------------------------------- */

void
groups_ask_members(struct str rid, struct chan_name *chan, struct f_states *q)
{
	*chan = chan_room(rid);
	*q = (struct f_states){.chan = chan_str(chan),
	    .prefix = STR_LIT("m:"),
	    .n = STATES_PAGE_MAX};
}

void
groups_ask_of(struct str uid, struct chan_name *chan, struct f_states *q)
{
	*chan = chan_user(uid);
	*q = (struct f_states){.chan = chan_str(chan),
	    .prefix = STR_LIT("g:"),
	    .n = STATES_PAGE_MAX};
}

void
groups_ask_all(struct f_states *q)
{
	*q = (struct f_states){.chan = STR_LIT("c:"),
	    .prefix = STR_LIT("grp:"),
	    .n = STATES_PAGE_MAX};
}

void
groups_ask_one(struct str rid, char key[STATE_KEY_MAX + 1], struct f_states *q)
{
	snprintf(key, STATE_KEY_MAX + 1, "grp:%.*s", STR_ARG(rid));
	/* itself comes before all that only begin so */
	*q = (struct f_states){
	    .chan = STR_LIT("c:"), .prefix = str_of(key), .n = 1};
}

/* --- what they say ------------------------------------------------------ */

static struct str
group_key(const struct state_rec *rec, const char *prefix)
{
	size_t n = strlen(prefix);
	struct str id;

	if (!str_starts(rec->key, str_of(prefix)))
		return STR_NONE;
	id = str_n(rec->key.p + n, rec->key.len - n);
	return id_is_word(id) ? id : STR_NONE;
}

struct str
group_member_uid(const struct state_rec *rec)
{
	return group_key(rec, "m:");
}

struct str
group_of_rid(const struct state_rec *rec)
{
	struct str rid = group_key(rec, "g:");

	return str_is_set(rid) && id_is_group(rid) ? rid : STR_NONE;
}

bool
group_info_read(const struct state_rec *rec, struct group_info *g)
{
	struct str name;
	int64_t n;
	json_t *obj;
	int err;
	bool ok = false;

	memset(g, 0, sizeof *g);
	g->rid = group_key(rec, "grp:");
	if (!str_is_set(g->rid) || !id_is_group(g->rid) || rec->val.len == 0)
		return false;
	obj = json_read(rec->val, &err);
	name = json_str(obj, "name");
	if (name.len > 0 && name.len <= GROUP_NAME_MAX &&
	    json_int(obj, "created", &g->created) &&
	    json_int(obj, "updated", &g->updated) && json_int(obj, "n", &n) &&
	    n >= 0 && n <= UINT32_MAX) {
		g->n = (uint32_t)n;
		str_copy(g->name, sizeof g->name, name);
		ok = true;
	}
	json_decref(obj);
	return ok;
}

static unsigned
group_place(const struct state_rec *rec)
{
	struct str val = rec->val, role;
	uint64_t n;

	if (!str_next(&val, ' ', &role) || str_u64(val, &n) != 0 ||
	    n > UINT16_MAX)
		return 0;
	return (unsigned)n;
}

static int
group_compare(const void *x, const void *y)
{
	const struct state_rec *a = x, *b = y;
	unsigned pa, pb;

	if (a->rev != b->rev)
		return a->rev < b->rev ? 1 : -1;
	pa = group_place(a);
	pb = group_place(b);
	return pa == pb ? 0 : pa < pb ? 1 : -1;
}

void
group_sort_members(struct state_rec *recs, size_t n)
{
	qsort(recs, n, sizeof *recs, group_compare);
}

/* --- all of them -------------------------------------------------------- */

static void groups_list_ask(struct groups_list *l);

static void
groups_list_on_page(struct relay_states *call, unsigned code,
    const struct f_stated *f, struct str recs)
{
	struct groups_list *l = container_of(call, struct groups_list, states);
	struct state_rec rec;
	unsigned i;

	if (code != 200) {
		l->done(l, 503);
		return;
	}
	for (i = 0; i < f->n && l->n < l->max; i++) {
		if (frames_states_next(&recs, &rec) != 0)
			break;
		put_stated_rec(&l->recs, &rec);
		l->n++;
		str_copy(l->after, sizeof l->after, rec.key);
	}
	if (f->more && f->n > 0 && l->n < l->max)
		groups_list_ask(l);
	else
		l->done(l, 200);
}

static void
groups_list_on_later(struct relay_task *t)
{
	struct groups_list *l = container_of(t, struct groups_list, later);

	l->done(l, 503);
}

static void
groups_list_ask(struct groups_list *l)
{
	struct f_states q = {.chan = chan_str(&l->chan),
	    .prefix = str_of(l->prefix),
	    .n = STATES_PAGE_MAX};

	if (l->after[0] != '\0')
		q.after = str_of(l->after);
	l->states.done = groups_list_on_page;
	if (relay_states(l->srv->relay, &q, &l->states) == 0)
		return;
	l->later.fn = groups_list_on_later;
	relay_later(l->srv->relay, &l->later);
}

static void
groups_list_begin(struct server *srv, struct groups_list *l,
    struct chan_name chan, const char *prefix, unsigned max)
{
	l->srv = srv;
	l->chan = chan;
	l->n = 0;
	l->max = max;
	l->after[0] = '\0';
	str_copy(l->prefix, sizeof l->prefix, str_of(prefix));
	/* key, value, exp, rev */
	buf_init(&l->recs, max * (STATE_KEY_MAX + STATE_VAL_MAX + 24));
	groups_list_ask(l);
}

void
groups_list_members(struct server *srv, struct str rid, struct groups_list *l)
{
	groups_list_begin(srv, l, chan_room(rid), "m:", GROUP_MEMBERS);
}

void
groups_list_of(struct server *srv, struct str uid, struct groups_list *l)
{
	groups_list_begin(srv, l, chan_user(uid), "g:", GROUPS_OF_USER);
}

void
groups_list_all(struct server *srv, struct groups_list *l)
{
	struct chan_name c = {.len = 2, .s = "c:"};

	groups_list_begin(srv, l, c, "grp:", GROUPS_LISTED);
}

void
groups_list_end(struct groups_list *l)
{
	buf_fini(&l->recs);
}
