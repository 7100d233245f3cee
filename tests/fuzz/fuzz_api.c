/* SPDX-License-Identifier: MIT */
/*
 * The HTTP door: any path, query and body, by somebody who has the key. Every
 * request has one answer, now or when the proxy and the log have theirs; what
 * goes to them is well-formed. httpd and relay are fakes.
 */
#include <stdlib.h>
#include <string.h>

#include "msg_server/door/api.h"
#include "msg_server/groups.h"
#include "msg_server/push/api_credentials.h"
#include "msg_server/upload/upload.h"
#include "shared/base/utf8.h"
#include "shared/proto/json.h"
#include "tests/fuzz/fuzz.h"

enum { FUZZ_CALLS = 2048 };

static struct server srv;
static int fuzz_answers;
static struct relay_append *fuzz_appends[FUZZ_CALLS];
static struct relay_who *fuzz_who;
static struct groups_call *fuzz_change;
static struct relay_states *fuzz_states;
static unsigned fuzz_fresh;
static size_t fuzz_n;
static bool fuzz_full;
static const char fuzz_conn;

/* files that messages name are upload/'s; see test_message */
void
uploads_keep(struct server *server, struct str url)
{
	(void)server;
	check(url.len > 0);
}

void
httpd_reply(struct httpd_conn *c, int status, const char *type, struct str body,
    const char *extra)
{
	json_t *v;
	int err;

	(void)type;
	(void)extra;
	check((const char *)c == &fuzz_conn && status == 200);
	v = json_read(body, &err);
	check(v != NULL);
	json_decref(v);
	fuzz_answers++;
}

void
httpd_error(struct httpd_conn *c, int status, const char *text)
{
	check((const char *)c == &fuzz_conn && status >= 400 && text[0]);
	fuzz_answers++;
}

uint64_t
httpd_id(const struct httpd_conn *c)
{
	(void)c;
	return 1;
}

struct httpd_conn *
httpd_find(struct httpd *h, uint64_t id)
{
	(void)h;
	(void)id;
	return (struct httpd_conn *)(uintptr_t)&fuzz_conn;
}

const struct addr *
httpd_peer(const struct httpd_conn *c)
{
	static const struct addr nobody;

	(void)c;
	return &nobody;
}

bool
api_credentials(struct server *server, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	(void)server;
	(void)c;
	(void)rq;
	(void)body;
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
	check(fuzz_change == NULL);
	fuzz_change = call;
	fuzz_fresh = q->n_uids;
}

int
relay_states(
    struct relay *r, const struct f_states *q, struct relay_states *call)
{
	(void)r;
	check(q->n > 0 && q->prefix.len > 0 && q->chan.len >= 2);
	if (fuzz_full)
		return ERR_BUSY;
	check(fuzz_states == NULL);
	fuzz_states = call;
	return 0;
}

void
relay_later(struct relay *r, struct relay_task *t)
{
	(void)r;
	(void)t;
	check(false); /* the door pages by itself */
}

uint64_t
topology_ver(const struct topology *t)
{
	(void)t;
	return 1;
}

uint64_t
relay_gen(const struct relay *r)
{
	(void)r;
	return 1;
}

int
relay_who(struct relay *r, const struct f_who *w, struct relay_who *call)
{
	(void)r;
	check(w->limit <= 1000 && w->arg.len <= 200 * (ID_MAX + 1));
	if (fuzz_full)
		return ERR_BUSY;
	check(fuzz_who == NULL);
	fuzz_who = call;
	return 0;
}

int
relay_append(struct relay *r, const struct f_append *f, struct relay_append *c)
{
	struct chan_name chan;

	(void)r;
	check(chan_parse(f->chan, &chan) == 0 && id_is_cid(f->item.cid));
	if (f->item.kind == ITEM_TITLE)
		check(f->item.body.len <= TITLE_MAX && f->n_states == 1 &&
		      utf8_is_line(f->item.body) &&
		      (!str_is_set(f->item.uid) || id_is_word(f->item.uid)));
	else
		check(f->item.body.len > 0 && id_is_word(f->item.uid));
	if (fuzz_full || fuzz_n == FUZZ_CALLS)
		return ERR_BUSY;
	fuzz_appends[fuzz_n++] = c;
	return 0;
}

void
relay_kick(struct relay *r, const struct f_kick *k)
{
	(void)r;
	check((k->cn != 0) != id_is_word(k->uid));
	check(k->code >= 4000 && k->code <= 4299 && k->text.len <= 90);
}

static void
fuzz_settle_groups(uint8_t how)
{
	static const bool fresh[GROUP_UIDS] = {true, false, true};
	static const char info[] =
	    "{\"name\":\"x\",\"created\":1,\"updated\":2,\"n\":3}";
	struct groups_result res = {
	    .fresh = fresh, .n_fresh = fuzz_fresh > 0, .n = how};
	struct state_rec recs[] = {
	    {.key = STR_LIT("grp:gab"), .val = str_of(info)},
	    {.key = STR_LIT("g:gcd"), .val = STR_LIT("x")},
	    {.key = STR_LIT("m:amy"), .val = STR_LIT("member 1")},
	    {.key = STR_LIT("grp:no"), .val = STR_LIT("{")}};
	struct f_stated f = {
	    .code = 200, .count = how, .more = how & 8, .n = 4};
	unsigned code = how & 2 ? 404 : how & 4 ? 409 : how & 16 ? 503 : 200;
	struct groups_call *call = fuzz_change;
	struct relay_states *st = fuzz_states;
	struct buf b;

	fuzz_change = NULL;
	fuzz_states = NULL;
	if (call != NULL)
		call->done(call, code, "why", code == 200 ? &res : NULL);
	if (st == NULL)
		return;
	buf_init(&b, 4096);
	for (size_t i = 0; i < ARRAY_LEN(recs); i++)
		put_stated_rec(&b, &recs[i]);
	if (how & 16)
		st->done(st, 503, NULL, STR_NONE);
	else
		st->done(st, 200, &f, buf_str(&b));
	buf_fini(&b);
}

/* what the proxy and the log say; how: good, or not */
static void
fuzz_settle(uint8_t how)
{
	struct f_ack ack = {.seq = how, .ts = 1, .dup = (how & 1) != 0};
	struct f_whois a = {.code = how & 2 ? 404 : 200,
	    .count = how & 7,
	    .json = how & 1 ? STR_LIT("[\"a\",\"b b\",1,\"c\"]")
			    : STR_LIT("{\"rooms\":[\"7\"]}"),
	    .next = how & 8 ? STR_LIT("c") : STR_NONE};
	struct relay_who *w = fuzz_who;

	fuzz_settle_groups(how);
	fuzz_who = NULL;
	if (w != NULL)
		w->done(w, how & 4 ? 503 : 200, how & 4 ? NULL : &a);
	for (size_t i = 0; i < fuzz_n; i++)
		fuzz_appends[i]->done(fuzz_appends[i], how & 16 ? 503 : 200, 0,
		    how & 16 ? NULL : &ack);
	fuzz_n = 0;
}

/* path?query, a zero byte, the body; the first byte is how all goes */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request rq = {.n_fields = 1};
	struct str rest, path, query = STR_NONE, target;

	if (size < 2)
		return 0;
	srv.set.msg_max = 4096;
	strcpy(srv.api_key, "0123456789abcdef");
	rq.fields[0].name = STR_LIT("authorization");
	rq.fields[0].value = STR_LIT("Bearer 0123456789abcdef");
	rq.method = data[0] & 128  ? HTTP_PUT_M
		    : data[0] & 32 ? HTTP_POST_M
				   : HTTP_GET_M;
	fuzz_full = (data[0] & 64) != 0;
	rest = str_n((const char *)data + 1, size - 1);
	str_next(&rest, '\0', &target);
	str_next(&target, '?', &path);
	if (target.len > 0)
		query = target;
	rq.path = path;
	rq.query = query;
	fuzz_answers = 0;
	if (!api_request(
		&srv, (struct httpd_conn *)(uintptr_t)&fuzz_conn, &rq, rest))
		return 0;
	while (fuzz_answers == 0 &&
	       (fuzz_who != NULL || fuzz_n > 0 || fuzz_change != NULL ||
		   fuzz_states != NULL))
		fuzz_settle(data[0]);
	check(fuzz_answers == 1 && fuzz_who == NULL && fuzz_n == 0);
	return 0;
}
