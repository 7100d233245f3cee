/* SPDX-License-Identifier: MIT */
/*
 * What ChatMeteor's HTTP API is asked: groups, their members, whose groups,
 * and who is there. See meteor_api.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/door/meteor_priv.h"
#include "shared/proc/clock.h"

enum { METEOR_BIND_MS = 3000 /* so long a bind under way is waited for */ };

/* --- lists --------------------------------------------------------------- */

/* all records of the list, one allocation; NULL: there are none */
static struct state_rec *
meteor_records(const struct groups_list *l)
{
	struct state_rec *recs;
	struct str rest = buf_str(&l->recs);
	unsigned i;

	if (l->n == 0)
		return NULL;
	recs = xcalloc(l->n, sizeof *recs);
	for (i = 0; i < l->n; i++)
		if (frames_states_next(&rest, &recs[i]) != 0)
			break;
	return recs;
}

static int
meteor_compare_groups(const void *a, const void *b)
{
	const struct group_info *x = a, *y = b;

	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return str_cmp(x->rid, y->rid);
}

static void
meteor_put_number(struct jw *w, const char *key, int64_t n)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, n);
	jw_cstr(w, key, text);
}

static void
meteor_on_groups(struct groups_list *l, unsigned code)
{
	struct meteor_request *m = container_of(l, struct meteor_request, list);
	struct state_rec *recs;
	struct group_info *g;
	struct buf out;
	struct jw w;
	unsigned i, n = 0;

	if (code != 200) {
		groups_list_end(l);
		meteor_fail(m, code, "no answer");
		return;
	}
	recs = meteor_records(l);
	g = xcalloc(l->n + 1, sizeof *g);
	for (i = 0; i < l->n; i++)
		n += group_info_read(&recs[i], &g[n]);
	qsort(g, n, sizeof *g, meteor_compare_groups);
	meteor_head(&w, &out, 200, "获取群组列表成功");
	jw_arr(&w, "data");
	for (i = 0; i < n; i++) {
		if (m->active && g[i].n < 2)
			continue;
		jw_obj(&w, NULL);
		jw_str(&w, "group_id", str_n(g[i].rid.p + 1, g[i].rid.len - 1));
		php_text_member(&w, "group_name", str_of(g[i].name));
		meteor_put_number(&w, "users", g[i].n);
		meteor_put_number(&w, "created_at", g[i].created / 1000);
		meteor_put_number(&w, "updated_at", g[i].updated / 1000);
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	free(recs);
	free(g);
	groups_list_end(l);
	meteor_finish(m, &w, &out);
}

void
meteor_list(struct meteor_request *m)
{
	if (!meteor_may_gather(m))
		return;
	m->active = !php_is_empty(json_object_get(m->args, "is_active"));
	m->list.done = meteor_on_groups;
	groups_list_all(m->srv, &m->list);
}

static void
meteor_on_ids(struct groups_list *l, unsigned code)
{
	struct meteor_request *m = container_of(l, struct meteor_request, list);
	bool members = l->prefix[0] == 'm';
	struct state_rec *recs;
	struct str id;
	struct buf out;
	struct jw w;
	unsigned i;

	if (code != 200 || (members && l->n == 0)) {
		groups_list_end(l);
		meteor_fail(m, code != 200 ? code : 500,
		    code != 200 ? "no answer" : "Group is not exists");
		return;
	}
	recs = meteor_records(l);
	if (recs != NULL)
		group_sort_members(recs, l->n);
	meteor_head(&w, &out, 200,
	    members ? "获取群组用户列表成功" : "获取用户所在的群组成功");
	jw_arr(&w, "data");
	for (i = 0; i < l->n; i++) {
		id = members ? group_member_uid(&recs[i])
			     : group_of_rid(&recs[i]);
		if (str_is_set(id))
			jw_str(&w, NULL,
			    members ? id : str_n(id.p + 1, id.len - 1));
	}
	jw_arr_end(&w);
	free(recs);
	groups_list_end(l);
	meteor_finish(m, &w, &out);
}

void
meteor_users(struct meteor_request *m)
{
	if (!meteor_rid(m) || !meteor_may_gather(m))
		return;
	m->list.done = meteor_on_ids;
	groups_list_members(m->srv, str_of(m->rid), &m->list);
}

void
meteor_group_of(struct meteor_request *m)
{
	struct str uid;
	struct buf out;
	struct jw w;

	if (!meteor_uid(m, &uid))
		return;
	if (!str_is_set(uid) || !id_is_word(uid)) {
		meteor_head(&w, &out, 200, "获取用户所在的群组成功");
		jw_arr(&w, "data");
		jw_arr_end(&w);
		meteor_finish(m, &w, &out);
		return;
	}
	if (!meteor_may_gather(m))
		return;
	m->list.done = meteor_on_ids;
	groups_list_of(m->srv, uid, &m->list);
}

/* --- who is there -------------------------------------------------------- */

static void
meteor_put_online(struct meteor_request *m, bool online)
{
	struct buf out;
	struct jw w;

	meteor_head(&w, &out, 200, "获取用户在线状态成功");
	jw_obj(&w, "data");
	jw_bool(&w, "online", online);
	jw_obj_end(&w);
	meteor_finish(m, &w, &out);
}

static void
meteor_on_online(
    struct relay_who *who, unsigned code, const struct f_whois *answer)
{
	struct meteor_request *m =
	    container_of(who, struct meteor_request, who);

	if (code != 200 || answer->code != 200)
		meteor_fail(m, 503, "no answer");
	else
		meteor_put_online(m, answer->count > 0);
}

struct meteor_seen {
	int64_t since;
	struct str uid;
};

static int
meteor_compare_seen(const void *a, const void *b)
{
	const struct meteor_seen *x = a, *y = b;

	if (x->since != y->since)
		return x->since < y->since ? -1 : 1;
	return str_cmp(x->uid, y->uid);
}

static void
meteor_put_all(struct meteor_request *m)
{
	struct meteor_seen *seen = xcalloc(m->n_online + 1, sizeof *seen);
	struct str rest = buf_str(&m->online), line, since;
	unsigned i, n = 0;
	uint64_t ms;
	struct buf out;
	struct jw w;

	while (n < m->n_online && str_next(&rest, '\n', &line)) {
		if (!str_next(&line, ' ', &since) || str_u64(since, &ms) != 0)
			continue;
		seen[n].since = (int64_t)ms;
		seen[n++].uid = line;
	}
	qsort(seen, n, sizeof *seen, meteor_compare_seen);
	meteor_head(&w, &out, 200, "获取在线用户列表成功");
	jw_arr(&w, "data");
	for (i = 0; i < n; i++)
		jw_str(&w, NULL, seen[i].uid);
	jw_arr_end(&w);
	free(seen);
	meteor_finish(m, &w, &out);
}

static void meteor_ask_all(struct meteor_request *m);

static void
meteor_on_all(
    struct relay_who *who, unsigned code, const struct f_whois *answer)
{
	struct meteor_request *m =
	    container_of(who, struct meteor_request, who);
	json_t *list, *u;
	int64_t since;
	struct str uid;
	size_t i;
	int err;

	if (code != 200 || answer->code != 200) {
		meteor_fail(m, 503, "no answer");
		return;
	}
	list = json_read(answer->json, &err);
	for (i = 0; i < json_array_size(list); i++) {
		u = json_array_get(list, i);
		uid = json_str(u, "uid");
		if (!str_is_set(uid) || !json_int(u, "since", &since) ||
		    m->n_online == METEOR_ONLINE_MAX)
			continue;
		buf_printf(
		    &m->online, "%" PRId64 " %.*s\n", since, STR_ARG(uid));
		m->n_online++;
	}
	json_decref(list);
	str_copy(m->next, sizeof m->next,
	    str_is_set(answer->next) ? answer->next : STR_LIT(""));
	if (m->next[0] != '\0' && m->n_online < METEOR_ONLINE_MAX)
		meteor_ask_all(m);
	else
		meteor_put_all(m);
}

static void
meteor_ask_all(struct meteor_request *m)
{
	struct f_who who = {
	    .what = WHO_ALL, .arg = STR_LIT("since"), .limit = 1000};

	if (m->next[0] != '\0')
		who.next = str_of(m->next);
	m->who.done = meteor_on_all;
	if (relay_who(m->srv->relay, &who, &m->who) != 0)
		meteor_fail(m, 503, "busy");
}

static void
meteor_ask_one(struct meteor_request *m)
{
	struct f_who who = {.what = WHO_USERS};
	struct str uid;

	if (!meteor_uid(m, &uid))
		return;
	if (!str_is_set(uid) || !id_is_word(uid)) {
		meteor_put_online(m, false);
		return;
	}
	who.arg = uid;
	m->who.done = meteor_on_online;
	if (relay_who(m->srv->relay, &who, &m->who) != 0)
		meteor_fail(m, 503, "busy");
}

/*
 * The page binds and asks at once, over two connections: a bind that has come
 * in the same turn, or is under way here, comes first.
 */
static void
meteor_when_bound(struct meteor_request *m)
{
	bool all = m->active;

	if ((m->srv->logging_in != NULL || m->srv->n_anew > 0) &&
	    clock_mono_ms() - m->since_ms < METEOR_BIND_MS)
		relay_retry(m->srv->relay, &m->again);
	else if (all)
		meteor_ask_all(m);
	else
		meteor_ask_one(m);
}

static void
meteor_on_again(struct relay_task *t)
{
	meteor_when_bound(container_of(t, struct meteor_request, again));
}

static void
meteor_ask(struct meteor_request *m, bool all)
{
	if (all && !meteor_may_gather(m))
		return;
	m->active = all;
	m->since_ms = clock_mono_ms();
	m->again.fn = meteor_on_again;
	relay_later(m->srv->relay, &m->again);
}

void
meteor_online(struct meteor_request *m)
{
	meteor_ask(m, false);
}

void
meteor_online_list(struct meteor_request *m)
{
	meteor_ask(m, true);
}
