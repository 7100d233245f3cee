/* SPDX-License-Identifier: MIT */
/*
 * The HTTP door (msg_server/door/api.h): who may ask and who may speak, what
 * goes to the proxies and to the log, and answers that come late. httpd and
 * relay are fakes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "msg_server/door/api_priv.h"
#include "msg_server/push/api_credentials.h"
#include "msg_server/upload/upload.h"
#include "shared/proto/json.h"

static struct server srv;
static struct {
	int status;
	char body[4096];
} answer;
static bool is_there; /* the connection, when an answer comes */
static struct addr peer;
static struct f_who who;
static char arg[64], next[64];
static struct relay_who *who_call;
static struct f_append ap;
static char chan[CHAN_MAX + 1], cid[CID_MAX + 1];
static struct relay_append *append_call, *append_calls[256];
static unsigned appends;
static int relay_err;
static struct httpd_conn *const conn = (struct httpd_conn *)&answer;

/* files that messages name are upload/'s; see test_message */
void
uploads_keep(struct server *server, struct str url)
{
	(void)server;
	assert_true(url.len > 0);
}

void
httpd_reply(struct httpd_conn *c, int status, const char *type, struct str body,
    const char *extra)
{
	assert_ptr_equal(c, conn);
	assert_int_equal(answer.status, 0);
	assert_string_equal(type, "application/json");
	assert_non_null(strstr(extra, "Cache-Control: no-store\r\n"));
	answer.status = status;
	str_copy(answer.body, sizeof answer.body, body);
}

void
httpd_error(struct httpd_conn *c, int status, const char *text)
{
	assert_ptr_equal(c, conn);
	assert_int_equal(answer.status, 0);
	answer.status = status;
	str_copy(answer.body, sizeof answer.body, str_of(text));
}

uint64_t
httpd_id(const struct httpd_conn *c)
{
	(void)c;
	return 77;
}

struct httpd_conn *
httpd_find(struct httpd *h, uint64_t id)
{
	assert_ptr_equal(h, &srv.httpd);
	assert_int_equal(id, 77);
	return is_there ? conn : NULL;
}

const struct addr *
httpd_peer(const struct httpd_conn *c)
{
	(void)c;
	return &peer;
}

uint64_t
topology_ver(const struct topology *t)
{
	(void)t;
	return 5;
}

/* its own tests are elsewhere */
bool
api_credentials(struct server *server, struct httpd_conn *c,
    const struct http_request *request, struct str text)
{
	(void)server;
	(void)c;
	(void)request;
	(void)text;
	return false;
}

void
api_groups(struct server *server, struct httpd_conn *c,
    const struct http_request *request, struct str path, struct str text)
{
	(void)server;
	(void)c;
	(void)request;
	(void)path;
	(void)text;
}

uint64_t
relay_gen(const struct relay *r)
{
	(void)r;
	return 3;
}

int
relay_who(struct relay *r, const struct f_who *w, struct relay_who *call)
{
	(void)r;
	if (relay_err)
		return relay_err;
	who = *w;
	str_copy(arg, sizeof arg, w->arg);
	str_copy(next, sizeof next, w->next);
	who_call = call;
	return 0;
}

int
relay_append(struct relay *r, const struct f_append *f, struct relay_append *c)
{
	(void)r;
	if (relay_err)
		return relay_err;
	ap = *f;
	str_copy(chan, sizeof chan, f->chan);
	str_copy(cid, sizeof cid, f->item.cid);
	append_call = c;
	append_calls[appends++ % 256] = c;
	return 0;
}

static struct f_kick kick;
static char kick_uid[64], kick_text[128];
static unsigned kicks;

void
relay_kick(struct relay *r, const struct f_kick *f)
{
	(void)r;
	kicks++;
	kick = *f;
	str_copy(kick_uid, sizeof kick_uid, f->uid);
	str_copy(kick_text, sizeof kick_text, f->text);
}

static int
setup(void **state)
{
	(void)state;
	memset(&srv, 0, sizeof srv);
	srv.set.msg_max = 4096;
	srv.next_cid = 9;
	srv.node_no = 1;
	relay_err = 0;
	is_there = true;
	who_call = NULL;
	append_call = NULL;
	kicks = appends = 0;
	return addr_parse(STR_LIT("127.0.0.1:1"), &peer);
}

/* the status, 0 when the answer is still to come, -1: not the API's path */
static int
ask(enum http_method m, const char *path, const char *query, const char *field,
    const char *value, const char *body)
{
	struct http_request rq = {
	    .method = m, .path = str_of(path), .query = str_of(query)};

	if (field != NULL) {
		rq.fields[0].name = str_of(field);
		rq.fields[0].value = str_of(value);
		rq.n_fields = 1;
	}
	memset(&answer, 0, sizeof answer);
	if (!api_request(&srv, conn, &rq, str_of(body)))
		return -1;
	return answer.status;
}

static int
get(const char *path)
{
	return ask(HTTP_GET_M, path, NULL, NULL, NULL, "");
}

static void
whois(unsigned code, const char *json)
{
	struct f_whois a = {.code = (uint16_t)code,
	    .count = 2,
	    .json = str_of(json),
	    .next = json[0] == '[' ? STR_LIT("a\"b") : STR_NONE};

	assert_non_null(who_call);
	memset(&answer, 0, sizeof answer);
	who_call->done(who_call, 200, &a);
	who_call = NULL;
}

static void
test_questions(void **state)
{
	(void)state;
	assert_int_equal(get("/"), -1);
	assert_int_equal(get("/v1"), -1);
	assert_int_equal(get("/v1/users/1001"), 0);
	assert_int_equal(who.what, WHO_USER);
	assert_string_equal(arg, "1001");
	whois(200, "{\"uid\":\"1001\"}");
	assert_string_equal(
	    answer.body, "{\"ver\":5,\"gen\":3,\"uid\":\"1001\"}");
	assert_int_equal(get("/v1/rooms/12"), 0);
	assert_int_equal(who.what, WHO_ROOM_INFO);
	whois(200, "{\"rid\":\"12\",\"gen\":4}");
	assert_string_equal(
	    answer.body, "{\"ver\":5,\"rid\":\"12\",\"gen\":4}");
	assert_int_equal(get("/v1/users/1001/rooms"), 0);
	assert_int_equal(who.what, WHO_USER);
	whois(200, "{\"uid\":\"1001\",\"rooms\":[\"7\",\"a\"]}");
	assert_string_equal(answer.body,
	    "{\"ver\":5,\"gen\":3,\"count\":2,\"list\":[\"7\",\"a\"]}");
	assert_int_equal(
	    ask(HTTP_GET_M, "/v1/online", "uids=a%2Cb", NULL, NULL, ""), 0);
	assert_int_equal(who.what, WHO_USERS);
	assert_string_equal(arg, "a,b");
	whois(200, "[]");
	assert_int_equal(get("/v1/rooms/12/users"), 0);
	assert_int_equal(who.what, WHO_ROOM);
	whois(404, "");
	assert_int_equal(answer.status, 404);
	assert_int_equal(
	    ask(HTTP_GET_M, "/v1/rooms", "limit=7&next=x", NULL, NULL, ""), 0);
	assert_int_equal(who.what, WHO_ROOMS);
	assert_int_equal(who.limit, 7);
	assert_string_equal(next, "x");
	whois(200, "[1,2]");
	assert_string_equal(answer.body,
	    "{\"ver\":5,\"gen\":3,\"count\":2,\"list\":[1,2],\"next\":"
	    "\"a\\\"b\"}");
}

static void
test_bad_questions(void **state)
{
	static const char *const paths[] = {"/v1/", "/v1/x", "/v1/users",
	    "/v1/users/", "/v1/users/a%20b", "/v1/users/1/x",
	    "/v1/users/1/rooms/2", "/v1/online/1", "/v1/rooms/",
	    "/v1/rooms/1/x"};
	static const char *const uids[] = {
	    "", "uids=", "uids=a,,b", "uids=a%20b", "uids=/"};
	char many[4 * 201 + 8] = "uids=";
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(paths); i++)
		assert_int_equal(get(paths[i]), 404);
	for (i = 0; i < ARRAY_LEN(uids); i++)
		assert_int_equal(
		    ask(HTTP_GET_M, "/v1/online", uids[i], NULL, NULL, ""),
		    400);
	for (i = 0; i < 200; i++)
		snprintf(many + 5 + 4 * i, 5, "%03zu,", i);
	many[5 + 4 * 200 - 1] = '\0';
	assert_int_equal(
	    ask(HTTP_GET_M, "/v1/online", many, NULL, NULL, ""), 0);
	whois(200, "[]");
	strcat(many, ",x");
	assert_int_equal(
	    ask(HTTP_GET_M, "/v1/online", many, NULL, NULL, ""), 400);
	assert_int_equal(
	    ask(HTTP_GET_M, "/v1/rooms", "limit=0", NULL, NULL, ""), 400);
	assert_int_equal(
	    ask(HTTP_GET_M, "/v1/rooms", "limit=1001", NULL, NULL, ""), 400);
	relay_err = ERR_BUSY;
	assert_int_equal(get("/v1/rooms"), 503);
}

static void
test_late(void **state)
{
	(void)state;
	get("/v1/rooms");
	memset(&answer, 0, sizeof answer);
	who_call->done(who_call, 503, NULL);
	assert_int_equal(answer.status, 503);
	get("/v1/rooms");
	is_there = false;
	whois(200, "[]");
	assert_int_equal(answer.status, 0);
}

/* without a key: loopback asks, nobody speaks */
static void
test_who_may(void **state)
{
	const char *send = "{\"uid\":\"bot\",\"rid\":\"1\",\"msg\":\"x\"}";

	(void)state;
	assert_int_equal(
	    ask(HTTP_POST_M, "/v1/send", NULL, NULL, NULL, send), 403);
	assert_int_equal(ask(HTTP_GET_M, "/v1/rooms", NULL, "X-Forwarded-For",
			     "127.0.0.1", ""),
	    403);
	assert_int_equal(addr_parse(STR_LIT("192.0.2.1:1"), &peer), 0);
	assert_int_equal(get("/v1/rooms"), 403);
	/* with one: who has it */
	strcpy(srv.api_key, "0123456789abcdef");
#define WITH(key) "Authorization", key
	assert_int_equal(
	    ask(HTTP_GET_M, "/v1/rooms", NULL, NULL, NULL, ""), 401);
	assert_int_equal(ask(HTTP_GET_M, "/v1/rooms", NULL,
			     WITH("Bearer 0123456789abcdeX"), ""),
	    401);
	assert_int_equal(ask(HTTP_GET_M, "/v1/rooms", NULL,
			     WITH("Bearer 0123456789abcde"), ""),
	    401);
	assert_int_equal(
	    ask(HTTP_GET_M, "/v1/rooms", NULL, WITH("0123456789abcdef"), ""),
	    401);
	assert_int_equal(ask(HTTP_GET_M, "/v1/rooms", NULL,
			     WITH("Bearer 0123456789abcdef"), ""),
	    0);
	whois(200, "[]");
	assert_int_equal(ask(HTTP_DELETE_M, "/v1/rooms", NULL,
			     WITH("Bearer 0123456789abcdef"), ""),
	    405);
#undef WITH
}

static int
post(const char *body)
{
	strcpy(srv.api_key, "0123456789abcdef");
	return ask(HTTP_POST_M, "/v1/send", NULL, "Authorization",
	    "Bearer 0123456789abcdef", body);
}

static void
test_send(void **state)
{
	struct f_ack ack = {.seq = 4, .ts = 99, .dup = true};

	(void)state;
	assert_int_equal(post("{\"uid\":\"bot\",\"name\":\"Bot\",\"rid\":\"1\","
			      "\"msg\":\"hi\",\"cid\":\"x\"}"),
	    0);
	assert_string_equal(chan, "r:1");
	assert_string_equal(cid, "x");
	assert_int_equal(ap.item.flags, 0);
	append_call->done(append_call, 200, 0, &ack);
	assert_string_equal(answer.body,
	    "{\"seq\":4,\"mid\":\"r:1/4\",\"ts\":99,\"dup\":true}");
	assert_int_equal(
	    post("{\"uid\":\"bot\",\"tid\":\"amy\",\"msg\":\"hi\"}"), 0);
	assert_string_equal(chan, "p:amy:bot");
	assert_int_equal(ap.n_to, 2);
	assert_int_equal(ap.item.flags, ITEM_F_AUTO_CID);
	assert_string_equal(cid, "~1.9");
	append_call->done(append_call, 503, 1000, NULL);
	assert_int_equal(answer.status, 503);
	post("{\"uid\":\"bot\",\"tid\":\"bot\",\"msg\":\"hi\"}");
	assert_int_equal(ap.n_to, 1);
	is_there = false;
	append_call->done(append_call, 200, 0, &ack);
	assert_int_equal(answer.status, 0);
}

static int
put_title(const char *path, const char *body)
{
	strcpy(srv.api_key, "0123456789abcdef");
	return ask(HTTP_PUT_M, path, NULL, "Authorization",
	    "Bearer 0123456789abcdef", body);
}

static void
test_title(void **state)
{
	static const char path[] = "/v1/rooms/12/title";
	struct f_ack ack = {.seq = 4, .ts = 99};

	(void)state;
	assert_int_equal(put_title(path, "{\"title\":\"Tea\"}"), 0);
	assert_string_equal(chan, "r:12");
	assert_int_equal(ap.item.kind, ITEM_TITLE);
	assert_false(str_is_set(ap.item.uid) || str_is_set(ap.need));
	assert_true(ap.n_states == 1 && str_eqc(ap.states[0].key, "t"));
	append_call->done(append_call, 200, 0, &ack);
	assert_string_equal(answer.body,
	    "{\"seq\":4,\"mid\":\"r:12/4\",\"ts\":99,\"dup\":false}");
	/* none; of a group that is not there */
	assert_int_equal(put_title("/v1/rooms/gab/title",
			     "{\"title\":\"\",\"uid\":\"bot\",\"cid\":\"x\"}"),
	    0);
	assert_string_equal(cid, "x");
	assert_true(str_eqc(ap.need, "n"));
	assert_false(str_is_set(ap.states[0].val));
	append_call->done(append_call, 403, 0, NULL);
	assert_int_equal(answer.status, 404);
	assert_int_equal(put_title(path, "{}"), 400);
	assert_int_equal(put_title(path, "{\"title\":\"a\\nb\"}"), 400);
	assert_int_equal(
	    put_title(path, "{\"title\":\"x\",\"uid\":\"a b\"}"), 400);
	assert_int_equal(put_title("/v1/rooms/a b/title", "{}"), 400);
	assert_int_equal(put_title("/v1/rooms/12/title/", "{}"), 405);
	assert_int_equal(ask(HTTP_POST_M, path, NULL, "Authorization",
			     "Bearer 0123456789abcdef", "{}"),
	    405);
	relay_err = ERR_BUSY;
	assert_int_equal(put_title(path, "{\"title\":\"x\"}"), 503);
}

static void
test_bad_sends(void **state)
{
	static const char *const bad[] = {"", "x", "[]", "{}",
	    "{\"uid\":\"a b\",\"rid\":\"1\",\"msg\":\"x\"}",
	    "{\"uid\":\"a\",\"rid\":\"1\"}",
	    "{\"uid\":\"a\",\"rid\":\"1\",\"msg\":\"\"}",
	    "{\"uid\":\"a\",\"msg\":\"x\"}",
	    "{\"uid\":\"a\",\"rid\":\"/\",\"msg\":\"x\"}",
	    "{\"uid\":\"a\",\"tid\":\"/\",\"rid\":\"1\",\"msg\":\"x\"}",
	    "{\"uid\":\"a\",\"rid\":\"1\",\"msg\":\"x\",\"cid\":\"\"}"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(post(bad[i]), 400);
	relay_err = ERR_BUSY;
	assert_int_equal(
	    post("{\"uid\":\"a\",\"rid\":\"1\",\"msg\":\"x\"}"), 503);
	assert_null(append_call);
}

/* to some: one append for each, 64 at a time, and what became of each */
static void
test_many(void **state)
{
	struct f_ack ack = {.seq = 1};
	char body[4096] = "{\"uid\":\"bot\",\"msg\":\"x\",\"cid\":\"c\","
			  "\"uids\":[";
	size_t i, n = strlen(body);

	(void)state;
	for (i = 0; i < 200; i++)
		n += (size_t)snprintf(body + n, sizeof body - n, "%s\"u%zu\"",
		    i > 0 ? "," : "", i);
	snprintf(body + n, sizeof body - n, "]}");
	assert_int_equal(post(body), 0);
	assert_int_equal(appends, 64);
	assert_string_equal(chan, "p:bot:u63");
	assert_string_equal(cid, "c");
	assert_int_equal(ap.n_to, 1);
	for (i = 0; i < 200; i++) {
		assert_int_equal(answer.status, 0);
		ack.dup = i == 0;
		append_calls[i]->done(
		    append_calls[i], i == 1 ? 503 : 200, 0, &ack);
	}
	assert_int_equal(appends, 200);
	assert_string_equal(answer.body,
	    "{\"users\":200,\"stored\":199,\"dups\":1,\"failed\":1,"
	    "\"errors\":[{\"uid\":\"u1\",\"code\":503}]}");
}

static void
test_bad_many(void **state)
{
#define TO(what) "{\"uid\":\"bot\",\"msg\":\"x\"," what "}"
	static const char *const bad[] = {TO("\"uids\":[]"),
	    TO("\"uids\":\"a\""), TO("\"uids\":[1]"), TO("\"uids\":[\"a b\"]"),
	    TO("\"all\":false"), TO("\"all\":1"),
	    TO("\"all\":true,\"next\":\"\""), TO("\"all\":true,\"rid\":\"1\""),
	    TO("\"uids\":[\"a\"],\"tid\":\"1\""),
	    TO("\"rid\":\"1\",\"type\":\"film\"")};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(post(bad[i]), 400);
	assert_int_equal(appends, 0);
	/* nobody is there */
	assert_int_equal(post(TO("\"all\":true,\"next\":\"m\"")), 0);
	assert_int_equal(who.what, WHO_ALL);
	assert_string_equal(next, "m");
	whois(200, "[]");
	assert_non_null(strstr(answer.body, "\"users\":0,\"stored\":0"));
	/* no room for any: said, not waited for */
	assert_int_equal(post(TO("\"all\":true")), 0);
	relay_err = ERR_BUSY;
	whois(200, "[\"a\",\"b\"]");
	assert_non_null(strstr(answer.body,
	    "\"failed\":2,\"errors\":[{\"uid\":\"a\",\"code\":503}"));
#undef TO
}

static int
post_kick(const char *body)
{
	strcpy(srv.api_key, "0123456789abcdef");
	return ask(HTTP_POST_M, "/v1/kick", NULL, "Authorization",
	    "Bearer 0123456789abcdef", body);
}

static void
test_kick(void **state)
{
	static const char *const bad[] = {"", "[]", "{}", "{\"uid\":\"a b\"}",
	    "{\"sid\":\"x\"}", "{\"sid\":\"s-\"}", "{\"sid\":\"s-g\"}",
	    "{\"sid\":\"s-0\"}", "{\"sid\":\"s-11111111111111111\"}",
	    "{\"uid\":\"a\",\"sid\":\"s-1\"}", "{\"uid\":\"a\",\"code\":3999}",
	    "{\"uid\":\"a\",\"code\":4300}", "{\"uid\":\"a\",\"code\":\"x\"}",
	    "{\"uid\":\"a\",\"why\":1}"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(post_kick(bad[i]), 400);
	assert_int_equal(post_kick("{\"uid\":\"amy\"}"), 0);
	assert_int_equal(who.what, WHO_USER);
	assert_string_equal(arg, "amy");
	whois(200, "{}");
	assert_string_equal(answer.body, "{\"kicked\":2}");
	assert_int_equal(kicks, 1);
	assert_int_equal(kick.code, 4005);
	assert_string_equal(kick_uid, "amy");
	assert_string_equal(kick_text, "kicked");
	assert_int_equal(post_kick("{\"sid\":\"s-10000000a\",\"code\":4001,"
				   "\"why\":\"rude\"}"),
	    0);
	assert_int_equal(who.what, WHO_SESSION);
	assert_string_equal(arg, "4294967306");
	is_there = false;
	whois(200, "{}");
	assert_int_equal(kicks, 2);
	assert_int_equal(kick.cn, 0x10000000a);
	assert_int_equal(kick.code, 4001);
	assert_string_equal(kick_text, "rude");
	is_there = true;
	assert_int_equal(post_kick("{\"uid\":\"amy\"}"), 0);
	whois(404, "");
	assert_int_equal(answer.status, 404);
	assert_int_equal(kicks, 2);
	relay_err = ERR_BUSY;
	assert_int_equal(post_kick("{\"uid\":\"amy\"}"), 503);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_questions, setup),
	    cmocka_unit_test_setup(test_bad_questions, setup),
	    cmocka_unit_test_setup(test_late, setup),
	    cmocka_unit_test_setup(test_who_may, setup),
	    cmocka_unit_test_setup(test_send, setup),
	    cmocka_unit_test_setup(test_title, setup),
	    cmocka_unit_test_setup(test_bad_sends, setup),
	    cmocka_unit_test_setup(test_many, setup),
	    cmocka_unit_test_setup(test_bad_many, setup),
	    cmocka_unit_test_setup(test_kick, setup),
	};

	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
