/* SPDX-License-Identifier: MIT */
/*
 * What comes from ChatMeteor's clients: frames into the dialect, and the body
 * of a call of its HTTP API, of which whatever it is answers once. A message
 * comes out as one frame, in which it is what it was.
 */
#include <stdlib.h>

#include "msg_server/door/meteor_priv.h"
#include "msg_server/door/static.h"
#include "shared/base/map.h"
#include "shared/base/utf8.h"
#include "shared/proc/log.h"
#include "tests/fuzz/fuzz.h"

/* --- the server behind the door ------------------------------------------ */

static struct server srv;
static unsigned n_replies;
static struct groups_call *change;
static struct groups_list *list;
static struct relay_who *asked;
static unsigned n_uids;

uint64_t
httpd_id(const struct httpd_conn *c)
{
	(void)c;
	return 1;
}

struct httpd_conn *
httpd_find(struct httpd *h, uint64_t id)
{
	(void)id;
	return (struct httpd_conn *)h;
}

void
httpd_reply(struct httpd_conn *c, int status, const char *type, struct str body,
    const char *extra)
{
	json_t *obj;
	int err;

	(void)c;
	(void)type;
	(void)extra;
	n_replies++;
	check(status == 200);
	if (body.len == 0)
		return;
	obj = json_read(body, &err);
	check(json_is_integer(json_object_get(obj, "code")));
	check(json_is_string(json_object_get(obj, "message")));
	json_decref(obj);
}

bool
statics_has(const struct statics *st, struct str path)
{
	(void)st;
	(void)path;
	return false;
}

void
groups_change(struct server *server, const struct groups_change *q,
    struct groups_call *call)
{
	(void)server;
	check(id_is_group(q->rid) && q->n_uids <= GROUP_UIDS);
	check(!str_is_set(q->name) ||
	      (q->name.len > 0 && q->name.len <= GROUP_NAME_MAX));
	for (unsigned i = 0; i < q->n_uids; i++)
		check(id_is_word(q->uids[i]));
	n_uids = q->n_uids;
	change = call;
}

static void
list_begin(struct groups_list *l, const char *prefix)
{
	buf_init(&l->recs, 4096);
	str_copy(l->prefix, sizeof l->prefix, str_of(prefix));
	l->n = 0;
	list = l;
}

void
groups_list_members(
    struct server *server, struct str rid, struct groups_list *l)
{
	struct state_rec rec = {
	    .key = STR_LIT("m:1"), .val = STR_LIT("member 0")};

	(void)server;
	check(id_is_group(rid));
	list_begin(l, "m:");
	put_stated_rec(&l->recs, &rec);
	l->n = 1;
}

void
groups_list_of(struct server *server, struct str uid, struct groups_list *l)
{
	(void)server;
	check(id_is_word(uid));
	list_begin(l, "g:");
}

void
groups_list_all(struct server *server, struct groups_list *l)
{
	(void)server;
	list_begin(l, "grp:");
}

void
groups_list_end(struct groups_list *l)
{
	buf_fini(&l->recs);
}

struct str
group_member_uid(const struct state_rec *rec)
{
	return str_n(rec->key.p + 2, rec->key.len - 2);
}

struct str
group_of_rid(const struct state_rec *rec)
{
	return rec->key;
}

bool
group_info_read(const struct state_rec *rec, struct group_info *g)
{
	(void)rec;
	(void)g;
	return false;
}

void
group_sort_members(struct state_rec *recs, size_t n)
{
	(void)recs;
	(void)n;
}

int
relay_who(struct relay *r, const struct f_who *who, struct relay_who *call)
{
	(void)r;
	check(who->what == WHO_ALL ||
	      (who->what == WHO_USERS && id_is_word(who->arg)));
	asked = call;
	return 0;
}

static struct relay_task *task;

void
relay_later(struct relay *r, struct relay_task *t)
{
	(void)r;
	task = t;
}

void
relay_retry(struct relay *r, struct relay_task *t)
{
	(void)r;
	(void)t;
	abort();
}

bool
bucket_take(struct bucket *b, uint32_t rate, uint32_t burst, int64_t *retry_ms)
{
	(void)b;
	(void)rate;
	(void)burst;
	(void)retry_ms;
	return true;
}

static void
request(const uint8_t *data, size_t size)
{
	static const unsigned codes[] = {200, 403, 404, 409, 503};
	struct http_request rq = {.method = HTTP_POST_M, .path = STR_LIT("/")};
	bool fresh[GROUP_UIDS];
	struct groups_result res = {.fresh = fresh};
	struct f_whois who = {.code = 200,
	    .json = STR_LIT("[{\"uid\":\"1\",\"since\":7},{\"uid\":2},3]")};
	unsigned code = codes[size % ARRAY_LEN(codes)];

	for (unsigned i = 0; i < GROUP_UIDS; i++)
		fresh[i] = i % 2 == 0;
	n_replies = 0;
	change = NULL;
	list = NULL;
	asked = NULL;
	check(door_meteor.on_request(
	    &srv, (struct httpd_conn *)&srv.httpd, &rq, str_n(data, size)));
	if (task != NULL) {
		struct relay_task *t = task;

		task = NULL;
		t->fn(t);
	}
	check(n_replies + (change != NULL) + (list != NULL) + (asked != NULL) ==
	      1);
	if (change != NULL)
		change->done(change, code, "why", code == 200 ? &res : NULL);
	else if (list != NULL)
		list->done(list, code == 200 ? 200 : 503);
	else if (asked != NULL)
		asked->done(asked, code == 200 ? 200 : 503, &who);
	check(n_replies == 1);
}

/* --- frames --------------------------------------------------------------- */

static void
on_command(void *arg, const struct command *c)
{
	struct item it = {.kind = ITEM_MESSAGE,
	    .flags = c->msg_is_json ? ITEM_F_JSON : 0,
	    .uid = STR_LIT("1"),
	    .body = c->msg};
	struct event ev = {
	    .kind = EVENT_ITEM, .item = &it, .rid = c->rid, .tid = c->tid};
	json_t *obj, *was;
	struct buf out;
	int err;

	check(++*(unsigned *)arg == 1);
	if (c->kind == CMD_LOGIN) {
		check(id_is_word(c->uid) && c->no_room && c->level == 1);
		return;
	}
	check(c->kind == CMD_MESSAGE && c->msg.len > 0 && c->msg.len <= 8192);
	check(str_is_set(c->tid) ? id_is_word(c->tid) : id_is_group(c->rid));
	check(utf8_valid(c->msg.p, c->msg.len));
	buf_init(&out, 1 << 20);
	dialect_meteor.encode(&ev, 1, VIEW_OTHER, &out);
	obj = json_read(buf_str(&out), &err);
	check(obj != NULL);
	for (size_t i = 0; i < buf_len(&out); i++)
		check(buf_p(&out)[i] < 0x80);
	if (c->msg_is_json) {
		was = json_loadb(c->msg.p, c->msg.len, JSON_DECODE_ANY, NULL);
		check(json_equal(was,
		    json_object_get(json_object_get(obj, "args"), "message")));
		json_decref(was);
	} else {
		was = json_object_get(json_object_get(obj, "args"), "message");
		check(str_eq(c->msg,
		    str_n(json_string_value(was), json_string_length(was))));
	}
	json_decref(obj);
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dialect_ctx ctx = {0};
	struct buf err;
	unsigned n = 0;

	if (srv.node_no == 0) {
		srv.node_no = 1;
		map_init();
		json_init();
		log_init("fuzz", LOG_LEVEL_ERR);
	}
	if (size < 1)
		return 0;
	if (data[0] == 'h') {
		request(data + 1, size - 1);
		return 0;
	}
	buf_init(&err, 1024);
	(void)dialect_meteor.guess(str_n(data + 1, size - 1));
	dialect_meteor.decode(
	    &ctx, str_n(data + 1, size - 1), on_command, &n, &err);
	check(buf_len(&err) == 0);
	buf_fini(&err);
	return 0;
}
