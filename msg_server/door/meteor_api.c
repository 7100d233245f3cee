/* SPDX-License-Identifier: MIT */
/*
 * ChatMeteor's HTTP API: {"type":"http","class":C,"method":M,"args":{..}} at
 * any path, answered 200 with {"code","message","data"}. See meteor_api.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/dialect/php_text.h"
#include "msg_server/door/door.h"
#include "msg_server/door/meteor_priv.h"
#include "msg_server/door/static.h"
#include "msg_server/groups.h"
#include "msg_server/server.h"
#include "shared/base/digest.h"
#include "shared/proc/clock.h"

enum {
	METEOR_ID = 6,	  /* hex digits of a group's */
	METEOR_RATE = 20, /* changes of groups a second, of all */
	METEOR_BURST = 200
};

static const char meteor_headers[] =
    "Access-Control-Allow-Origin: *\r\n"
    "Access-Control-Allow-Methods: POST, GET, OPTIONS, DELETE\r\n"
    "Access-Control-Allow-Headers: content-type\r\n"
    "Cache-Control: no-store\r\n";

static struct bucket meteor_bucket;
static unsigned meteor_gathering;

static void
meteor_reply(struct httpd_conn *c, struct str body)
{
	httpd_reply(c, 200, "application/json", body, meteor_headers);
}

void
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
	meteor_gathering -= m->gathers;
	json_decref(m->obj);
	buf_fini(&m->online);
	free(m);
}

/* what stands in out goes out, if anybody still waits; that was it */
void
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

void
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
bool
meteor_has(struct meteor_request *m, const char *key)
{
	if (!php_is_empty(json_object_get(m->args, key)))
		return true;
	meteor_missing(m, key);
	return false;
}

/* the group that is named; false: there can't be one, which was answered */
bool
meteor_rid(struct meteor_request *m)
{
	struct str id;
	char tmp[24];

	if (!meteor_has(m, "group_id"))
		return false;
	id = json_text(json_object_get(m->args, "group_id"), tmp);
	if (str_is_set(id) && id.len < ID_MAX) {
		m->rid[0] = 'g';
		str_copy(m->rid + 1, sizeof m->rid - 1, id);
		if (strlen(m->rid) == id.len + 1 && id_is_group(str_of(m->rid)))
			return true;
	}
	meteor_fail(m, 500, "Group is not exists");
	return false;
}

bool
meteor_uid(struct meteor_request *m, struct str *uid)
{
	if (!meteor_has(m, "user_id"))
		return false;
	*uid = json_text(json_object_get(m->args, "user_id"), m->user);
	return true;
}

bool
meteor_may_gather(struct meteor_request *m)
{
	if (meteor_gathering == METEOR_LISTS) {
		meteor_fail(m, 503, "too many lists at a time");
		return false;
	}
	meteor_gathering++;
	m->gathers = true;
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
	    json_text(json_object_get(m->args, "group_name"), tmp));
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
			jw_str(&w, NULL, json_text(v, m->user));
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
		uids[i] = json_text(json_array_get(users, i), tmp[i]);
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
	name = json_text(json_object_get(m->args, "group_name"), tmp);
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
		    php_is_class(class, meteor_calls[i].class) &&
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
	else if (php_is_empty(json_object_get(m->obj, "type")))
		meteor_fail(m, 400, "The type can not be null");
	else if (php_is_empty(json_object_get(m->obj, "class")))
		meteor_fail(m, 400, "The class can not be null");
	else if (php_is_empty(json_object_get(m->obj, "method")))
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
