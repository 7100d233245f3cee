/* SPDX-License-Identifier: MIT */
/*
 * What the tests of login share (msg_server/cmd/cmd_login.c): fakes of rooms,
 * users, the log's answers and the way out. The test says when each part of a
 * login joins, is refused, is synced or lost, and reads what was told, in
 * order.
 */
#ifndef TESTS_UNIT_MSG_SERVER_LOGIN_FIXTURE_H
#define TESTS_UNIT_MSG_SERVER_LOGIN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "msg_server/client.h"
#include "msg_server/push/login.h"
#include "msg_server/cmd/asker.h"
#include "msg_server/follow/delivered.h"
#include "msg_server/groups.h"
#include "msg_server/inbox.h"
#include "msg_server/newest.h"
#include "msg_server/move_key.h"
#include "msg_server/upload/upload.h"
#include "shared/proc/clock.h"
#include "shared/proto/json.h"

enum { PARTS = 8 };

static struct server srv;
static struct session s;
static const struct dialect spoken = {.name = "spoken"};
static char user_name[CHAN_MAX + 1];
static struct user user;
static struct {
	struct follow_call *call;
	char rid[ID_MAX + 1], ep[EP_LEN + 1];
	uint64_t from;
} part[PARTS];
static unsigned n_parts, n_detached, n_bad_tokens;
static char told[1024]; /* what the client and the hold saw, in order */
static char token[2048];
static struct event_pos pos[PARTS];
static size_t n_pos;
static char server_name[] = "ms1", cluster[] = "cchat";
static bool expect_silent;

static void
tell(const char *word)
{
	strcat(told, word);
	strcat(told, " ");
}

/* --- fakes ---------------------------------------------------------------- */

static void
part_add(struct follow_call *call, struct str rid, struct str ep, uint64_t from)
{
	assert_true(n_parts < PARTS);
	str_copy(part[n_parts].rid, sizeof part[0].rid, rid);
	str_copy(part[n_parts].ep, sizeof part[0].ep, ep);
	part[n_parts].from = from;
	part[n_parts++].call = call;
}

void
user_attach(struct server *server, struct session *session, struct str uid,
    struct str ep, uint64_t from, struct follow_call *call)
{
	(void)server;
	snprintf(user_name, sizeof user_name, "u:%.*s", STR_ARG(uid));
	user.channel.name = user_name;
	session->user = &user;
	part_add(call, STR_LIT("@"), ep, from);
}

void
room_join(struct server *server, struct session *session, struct str rid,
    struct str ep, uint64_t from, bool silent, struct follow_call *call)
{
	(void)server;
	(void)session;
	assert_int_equal(silent, expect_silent);
	part_add(call, rid, ep, from);
}

void
groups_join(struct server *server, struct session *session, struct str rid,
    struct str ep, uint64_t from, bool silent, struct follow_call *call)
{
	room_join(server, session, rid, ep, from, silent, call);
}

static unsigned n_delivered; /* said at its end */

void
delivered_leave(struct server *server, struct session *session)
{
	(void)server;
	(void)session;
	n_delivered++;
}

void
newest_say(struct server *server, struct session *session)
{
	(void)server;
	(void)session;
}

static struct groups_follow *following; /* into all groups of his */

void
groups_follow(struct server *server, struct session *session,
    struct groups_follow *f)
{
	(void)server;
	(void)session;
	assert_null(following);
	following = f;
}

/* every part that has not ended is told so, as rooms do it */
void
room_detach(struct server *server, struct session *session, bool bye)
{
	unsigned i;

	(void)server;
	(void)bye;
	session->user = NULL;
	n_detached++;
	for (i = 0; i < n_parts; i++)
		if (part[i].call != NULL) {
			struct follow_call *call = part[i].call;

			part[i].call = NULL;
			call->on_lost(call);
		}
}

struct member *
room_member(struct session *session, struct str rid)
{
	(void)session;
	(void)rid;
	return NULL;
}

struct member *
room_home(struct session *session)
{
	(void)session;
	return NULL;
}

void
room_set_home(struct session *session, struct str rid)
{
	(void)session;
	(void)rid;
}

struct session_busy *
session_busy(struct session *session)
{
	static struct session_busy busy;

	assert_ptr_equal(session, &s);
	return &busy;
}

void
room_again(struct server *server, struct member *m)
{
	(void)server;
	(void)m;
}

void
room_leave(struct server *server, struct session *session, struct str rid)
{
	(void)server;
	(void)session;
	(void)rid;
}

void
reply_event(struct session *session, const struct event *ev)
{
	size_t i;

	assert_ptr_equal(session, &s);
	if (ev->kind == EVENT_LOGIN) {
		tell("login");
		str_copy(token, sizeof token, ev->token);
		n_pos = ev->n_pos;
		for (i = 0; i < n_pos; i++)
			pos[i] = ev->pos[i];
	} else if (ev->kind == EVENT_SYNCED) {
		tell("synced");
	} else if (ev->kind == EVENT_ERROR) {
		tell(ev->code == 503 ? "503" : "error");
	}
}

void
reply_error(struct session *session, struct str cid, unsigned code,
    const char *why, int64_t retry_ms, unsigned v1_code, const char *v1_text)
{
	char n[16];

	assert_ptr_equal(session, &s);
	(void)cid;
	(void)retry_ms;
	assert_non_null(why);
	assert_int_equal(v1_code, 50);
	assert_non_null(v1_text);
	snprintf(n, sizeof n, "%u", code);
	tell(n);
}

bool
uploads_login(struct server *server, struct str uid, struct upload_login *out)
{
	(void)server;
	(void)uid;
	(void)out;
	return false;
}

void
session_close(
    struct session *session, unsigned code, const char *why, int64_t retry_ms)
{
	assert_ptr_equal(session, &s);
	assert_int_equal(code, 4200);
	assert_non_null(why);
	assert_true(retry_ms > 0);
	tell("4200");
}

void
client_hold(struct session *session)
{
	assert_ptr_equal(session, &s);
	tell("(");
}

void
client_logged_in(struct session *session)
{
	assert_ptr_equal(session, &s);
	tell("in");
}

void
client_release(struct session *session)
{
	assert_ptr_equal(session, &s);
	tell(")");
}

void
client_hold_drop(struct session *session)
{
	assert_ptr_equal(session, &s);
	tell("drop");
}

void
client_token_failed(struct session *session)
{
	assert_ptr_equal(session, &s);
	n_bad_tokens++;
}

/* a login by credentials comes here a second time, proven */
void
push_login(struct server *server, struct session *session,
    const struct command *cmd)
{
	(void)server;
	(void)session;
	(void)cmd;
	tell("credentials");
}

/* where he was, as the log would say */
static struct {
	struct relay_get *call;
	char chan[CHAN_MAX + 1], key[8];
} asked;
static unsigned n_inboxes;
static bool full; /* of questions */
static struct relay_task *again;

void
relay_retry(struct relay *r, struct relay_task *t)
{
	(void)r;
	assert_null(again);
	again = t;
}

int
relay_get(struct relay *r, const struct f_get *get, struct relay_get *call)
{
	(void)r;
	if (full)
		return ERR_BUSY;
	assert_null(asked.call);
	asked.call = call;
	str_copy(asked.chan, sizeof asked.chan, get->chan);
	str_copy(asked.key, sizeof asked.key, get->key);
	return 0;
}

int
relay_who(struct relay *r, const struct f_who *who, struct relay_who *call)
{
	(void)r;
	(void)who;
	(void)call;
	return ERR_BUSY;
}

void
inbox_ask(struct server *server, struct session *session, struct str cid,
    const struct f_inbox_at *at)
{
	(void)server;
	(void)cid;
	assert_ptr_equal(session, &s);
	assert_null(at);
	n_inboxes++;
	tell("inbox");
}

size_t
server_alt_urls(const struct server *server, struct str *out, size_t max)
{
	(void)server;
	(void)out;
	(void)max;
	return 0;
}

/* --- the test's hand ------------------------------------------------------ */

static void
joins(unsigned i, unsigned code)
{
	struct follow_result res = {.code = code, .head = 10 + i, .full = true};
	struct follow_call *call = part[i].call;

	assert_non_null(call);
	strcpy(res.ep, "9f3a01c2");
	if (code != 200) {
		part[i].call = NULL;
		if (i == 0)
			s.user = NULL; /* as user_attach undoes itself */
	}
	call->on_joined(call, &s, &res);
}

static void
answers(unsigned code, uint64_t head, const char *val)
{
	struct relay_get *call = asked.call;
	struct f_got got = {.code = (uint16_t)code,
	    .ep = STR_LIT("9f3a01c2"),
	    .head = head,
	    .first = 1,
	    .val = str_of(val)};

	assert_non_null(call);
	asked.call = NULL;
	call->done(call, code, code == 200 ? &got : NULL);
}

static void
syncs(unsigned i)
{
	struct follow_call *call = part[i].call;

	part[i].call = NULL;
	call->on_synced(call, &s);
}

static struct command
command_of(unsigned level, const char *uid)
{
	struct command c = {.kind = CMD_LOGIN,
	    .level = level,
	    .rid = STR_LIT("12"),
	    .name = STR_LIT("amy")};

	if (uid != NULL)
		c.uid = str_of(uid);
	if (level > 1)
		c.cid = STR_LIT("c1");
	return c;
}

static int
setup(void **state)
{
	(void)state;
	memset(&srv, 0, sizeof srv);
	memset(&s, 0, sizeof s);
	memset(part, 0, sizeof part);
	n_parts = n_detached = n_bad_tokens = 0;
	told[0] = token[0] = '\0';
	n_pos = 0;
	n_inboxes = 0;
	srv.auth.n_keys = 1;
	memset(srv.auth.key[0], 7, 32);
	srv.set.name = server_name;
	srv.set.cluster = cluster;
	expect_silent = false;
	s.cn = 1ULL << 32 | 9;
	s.dialect = &spoken;
	table_add(&srv.sessions, &s.by_cn, session_key);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	/* whatever is still open ends with the session: nothing may leak */
	room_detach(&srv, &s, false);
	table_del(&srv.sessions, &s.by_cn, session_key);
	session_drop_strings(&s);
	return 0;
}

static void
nobody(void)
{
	assert_false(s.logging_in);
	assert_int_equal(s.level, 0);
	assert_int_equal(s.ctx.in, 0);
	assert_null(s.name);
	assert_null(s.user);
}

#endif
