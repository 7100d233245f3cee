/* SPDX-License-Identifier: MIT */
/*
 * ChatMeteor's HTTP API: {"type":"http","class":C,"method":M,"args":{..}} at
 * any path, answered 200 with {"code","message","data"}. See meteor_api.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/dialect/meteor.h"
#include "msg_server/dialect/php_text.h"
#include "msg_server/door/door.h"
#include "msg_server/door/meteor_api.h"
#include "msg_server/door/static.h"
#include "msg_server/groups.h"
#include "msg_server/server.h"
#include "shared/base/digest.h"
#include "shared/proc/clock.h"

enum {
	METEOR_ID = 6, /* hex digits of a group's */
	METEOR_ANSWER_MAX = 8 << 20,
	METEOR_ONLINE_MAX = 10000, /* users in one answer */
	METEOR_BIND_MS = 1000,	   /* so long a bind under way is waited for */
	METEOR_RATE = 20,	   /* changes of groups a second, of all */
	METEOR_BURST = 200
};

static const char meteor_headers[] =
    "Access-Control-Allow-Origin: *\r\n"
    "Access-Control-Allow-Methods: POST, GET, OPTIONS, DELETE\r\n"
    "Access-Control-Allow-Headers: content-type\r\n"
    "Cache-Control: no-store\r\n";

/* one request, from its question to its answer */
struct meteor_request {
	struct server *srv;
	uint64_t id; /* of the HTTP connection's request */
	struct groups_call change;
	struct groups_list list;
	struct relay_who who;
	struct relay_task again;
	int64_t since_ms;
	json_t *obj; /* owned; what came */
	const json_t *args;
	char rid[ID_MAX + 1], next[ID_MAX + 1];
	char user[24];	   /* a number, as text */
	struct buf online; /* "since uid\n" of each */
	unsigned n_online;
	bool active;
};

static struct bucket meteor_bucket;

static void
meteor_reply(struct httpd_conn *c, struct str body)
{
	httpd_reply(c, 200, "application/json", body, meteor_headers);
}

static void
meteor_head(struct jw *w, struct buf *out, unsigned code, const char *message)
{
	buf_init(out, METEOR_ANSWER_MAX);
	jw_init(w, out);
	jw_obj(w, NULL);
	jw_int(w, "code", code);
	php_text_member(w, "message", str_of(message));
}

static void
meteor_end(struct meteor_request *m)
{
	json_decref(m->obj);
	buf_fini(&m->online);
	free(m);
}

/* what stands in out goes out, if anybody still waits; that was it */
static void
meteor_finish(struct meteor_request *m, struct jw *w, struct buf *out)
{
	struct httpd_conn *c = httpd_find(&m->srv->httpd, m->id);

	jw_obj_end(w);
	if (c != NULL && buf_ok(out))
		meteor_reply(c, buf_str(out));
	else if (c != NULL)
		meteor_reply(
		    c, STR_LIT("{\"code\":500,\"message\":\"too long\"}"));
	buf_fini(out);
	meteor_end(m);
}

static void
meteor_fail(struct meteor_request *m, unsigned code, const char *message)
{
	struct buf out;
	struct jw w;

	meteor_head(&w, &out, code, message);
	meteor_finish(m, &w, &out);
}

static void
meteor_missing(struct meteor_request *m, const char *key)
{
	char why[80];

	snprintf(why, sizeof why, "Argument is not valid: missing %s", key);
	meteor_fail(m, 400, why);
}

/* --- arguments ----------------------------------------------------------- */

/* false: answered */
static bool
meteor_has(struct meteor_request *m, const char *key)
{
	if (!meteor_is_empty(json_object_get(m->args, key)))
		return true;
	meteor_missing(m, key);
	return false;
}

/* a text, or a number as one */
static struct str
meteor_text(const json_t *v, char tmp[24])
{
	if (json_is_string(v))
		return str_n(json_string_value(v), json_string_length(v));
	if (!json_is_integer(v))
		return STR_NONE;
	snprintf(tmp, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	return str_of(tmp);
}

/* the group that is named; false: there can't be one, which was answered */
static bool
meteor_rid(struct meteor_request *m)
{
	struct str id;
	char tmp[24];

	if (!meteor_has(m, "group_id"))
		return false;
	id = meteor_text(json_object_get(m->args, "group_id"), tmp);
	if (str_is_set(id) && id.len < ID_MAX) {
		m->rid[0] = 'g';
		str_copy(m->rid + 1, sizeof m->rid - 1, id);
		if (strlen(m->rid) == id.len + 1 && id_is_group(str_of(m->rid)))
			return true;
	}
	meteor_fail(m, 500, "Group is not exists");
	return false;
}

static bool
meteor_uid(struct meteor_request *m, struct str *uid)
{
	if (!meteor_has(m, "user_id"))
		return false;
	*uid = meteor_text(json_object_get(m->args, "user_id"), m->user);
	return true;
}

/* --- changes ------------------------------------------------------------- */

static void
meteor_changed(struct meteor_request *m, unsigned code, const char *why)
{
	switch (code) {
	case 404:
		meteor_fail(m, 500, "Group is not exists");
		return;
	case 409:
		meteor_fail(m, 500, "Group has already exists");
		return;
	}
	meteor_fail(m, code, why);
}

static void
meteor_on_created(struct groups_call *call, unsigned code, const char *why,
    const struct groups_result *res)
{
	struct meteor_request *m =
	    container_of(call, struct meteor_request, change);
	char tmp[24];
	struct buf out;
	struct jw w;

	(void)res;
	if (code != 200) {
		meteor_changed(m, code, why);
		return;
	}
	meteor_head(&w, &out, 200, "创建群组成功");
	jw_obj(&w, "data");
	jw_cstr(&w, "group_id", m->rid + 1);
	php_text_member(&w, "group_name",
	    meteor_text(json_object_get(m->args, "group_name"), tmp));
	jw_obj_end(&w);
	meteor_finish(m, &w, &out);
}

static void
meteor_on_appended(struct groups_call *call, unsigned code, const char *why,
    const struct groups_result *res)
{
	struct meteor_request *m =
	    container_of(call, struct meteor_request, change);
	const json_t *users = json_object_get(m->args, "users"), *v;
	struct buf out;
	struct jw w;
	size_t i;

	if (code != 200) {
		meteor_changed(m, code, why);
		return;
	}
	meteor_head(&w, &out, 200, "加入群组成功");
	jw_arr(&w, "data");
	/* as they were sent: numbers stay numbers */
	for (i = 0; i < json_array_size(users); i++) {
		v = json_array_get(users, i);
		if (!res->fresh[i])
			continue;
		if (json_is_integer(v))
			jw_int(&w, NULL, json_integer_value(v));
		else
			jw_str(&w, NULL, meteor_text(v, m->user));
	}
	jw_arr_end(&w);
	meteor_finish(m, &w, &out);
}

static void
meteor_change(struct meteor_request *m, struct str name)
{
	const json_t *users = json_object_get(m->args, "users");
	size_t i, n = json_array_size(users);
	struct str uids[GROUP_UIDS];
	char tmp[GROUP_UIDS][24];
	struct groups_change q = {
	    .rid = str_of(m->rid), .name = name, .uids = uids};
	int64_t retry;

	if (n > GROUP_UIDS) {
		meteor_fail(m, 400, "Argument is not valid: users is too long");
		return;
	}
	for (i = 0; i < n; i++) {
		uids[i] = meteor_text(json_array_get(users, i), tmp[i]);
		if (!str_is_set(uids[i]) || !id_is_word(uids[i])) {
			meteor_fail(
			    m, 400, "Argument is not valid: users has no user");
			return;
		}
	}
	if (!bucket_take(&meteor_bucket, METEOR_RATE, METEOR_BURST, &retry)) {
		meteor_fail(m, 429, "too fast");
		return;
	}
	q.n_uids = (unsigned)n;
	groups_change(m->srv, &q, &m->change);
}

static void
meteor_create(struct meteor_request *m)
{
	const json_t *users = json_object_get(m->args, "users");
	uint8_t md5[MD5_LEN];
	char hex[2 * MD5_LEN + 1], tmp[24];
	struct str name;

	if (!meteor_has(m, "group_name") || !meteor_has(m, "users"))
		return;
	name = meteor_text(json_object_get(m->args, "group_name"), tmp);
	if (!str_is_set(name) || name.len > GROUP_NAME_MAX) {
		meteor_fail(m, 400, "Argument is not valid: group_name");
		return;
	}
	if (!json_is_array(users)) {
		meteor_fail(
		    m, 400, "Argument is not valid: users is not array");
		return;
	}
	digest_md5(name.p, name.len, md5);
	digest_hex(md5, MD5_LEN, hex);
	snprintf(m->rid, sizeof m->rid, "g%.*s", METEOR_ID, hex);
	m->change.done = meteor_on_created;
	meteor_change(m, name);
}

static void
meteor_append(struct meteor_request *m)
{
	struct buf out;
	struct jw w;

	if (!meteor_rid(m) || !meteor_has(m, "users"))
		return;
	if (!json_is_array(json_object_get(m->args, "users"))) {
		meteor_head(&w, &out, 200, "加入群组成功");
		jw_arr(&w, "data");
		jw_arr_end(&w);
		meteor_finish(m, &w, &out);
		return;
	}
	m->change.done = meteor_on_appended;
	meteor_change(m, STR_NONE);
}

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

static void
meteor_list(struct meteor_request *m)
{
	m->active = !meteor_is_empty(json_object_get(m->args, "is_active"));
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

static void
meteor_users(struct meteor_request *m)
{
	if (!meteor_rid(m))
		return;
	m->list.done = meteor_on_ids;
	groups_list_members(m->srv, str_of(m->rid), &m->list);
}

static void
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
 * The page binds and asks at once, over two connections: a bind that is under
 * way here comes first.
 */
static void
meteor_when_bound(struct meteor_request *m)
{
	bool all = m->active;

	if (m->srv->logging_in != NULL &&
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
	m->active = all;
	m->since_ms = clock_mono_ms();
	m->again.fn = meteor_on_again;
	meteor_when_bound(m);
}

static void
meteor_online(struct meteor_request *m)
{
	meteor_ask(m, false);
}

static void
meteor_online_list(struct meteor_request *m)
{
	meteor_ask(m, true);
}

/* --- the way in ---------------------------------------------------------- */

static const struct meteor_call {
	const char *class, *method;
	void (*fn)(struct meteor_request *);
} meteor_calls[] = {
    {"Group", "create", meteor_create},
    {"Group", "append", meteor_append},
    {"Group", "list", meteor_list},
    {"Group", "users", meteor_users},
    {"Single", "online", meteor_online},
    {"Single", "onlineList", meteor_online_list},
    {"Single", "group", meteor_group_of},
};

static void
meteor_dispatch(struct meteor_request *m)
{
	struct str class = json_str(m->obj, "class");
	struct str method = json_str(m->obj, "method");
	size_t i;

	m->args = json_object_get(m->obj, "args");
	for (i = 0; i < ARRAY_LEN(meteor_calls); i++)
		if (str_is_set(class) &&
		    meteor_is_class(class, meteor_calls[i].class) &&
		    str_ieq(method, str_of(meteor_calls[i].method))) {
			meteor_calls[i].fn(m);
			return;
		}
	meteor_fail(m, 404, "no such class and method");
}

static void
meteor_request(struct meteor_request *m, struct httpd_conn *c)
{
	if (m->srv->auth.mode == AUTH_TOKEN)
		meteor_fail(m, 401, "tokens are needed here");
	else if (meteor_is_empty(json_object_get(m->obj, "type")))
		meteor_fail(m, 400, "The type can not be null");
	else if (meteor_is_empty(json_object_get(m->obj, "class")))
		meteor_fail(m, 400, "The class can not be null");
	else if (meteor_is_empty(json_object_get(m->obj, "method")))
		meteor_fail(m, 400, "The method can not be null");
	else if (str_eqc(json_str(m->obj, "type"), "http"))
		meteor_dispatch(m);
	else {
		/* recorded: not a word */
		meteor_reply(c, STR_LIT(""));
		meteor_end(m);
	}
}

static bool
meteor_on_request(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	bool get = rq->method == HTTP_GET_M || rq->method == HTTP_HEAD_M;
	struct meteor_request *m;
	int err;

	if ((get && statics_has(srv->statics, rq->path)) ||
	    str_starts(rq->path, STR_LIT("/v1/")))
		return false;
	m = xcalloc(1, sizeof *m);
	m->srv = srv;
	m->id = httpd_id(c);
	buf_init(&m->online, METEOR_ONLINE_MAX * (ID_MAX + 24));
	m->obj = json_read(body, &err);
	meteor_request(m, c);
	return true;
}

const struct door door_meteor = {
    .name = "meteor", .on_request = meteor_on_request};
