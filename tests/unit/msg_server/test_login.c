/* SPDX-License-Identifier: MIT */
/*
 * login (msg_server/cmd/cmd_login.c): who is taken for whom, the order of the
 * answer, what was missed and `synced`, and every way in which it can fail.
 * Rooms, users and the way out are fakes: the test says when each part joins,
 * is refused, is synced or lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "msg_server/client.h"
#include "msg_server/cmd/asker.h"
#include "msg_server/inbox.h"
#include "msg_server/move_key.h"
#include "shared/proc/clock.h"
#include "shared/proto/json.h"

enum { PARTS = 8 };

static struct server srv;
static struct session s;
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
	str_copy(user.uid, sizeof user.uid, uid);
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

static void
tries_again(void)
{
	struct relay_task *t = again;

	again = NULL;
	t->fn(t);
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
	HASH_ADD(hh, srv.sessions, cn, sizeof s.cn, &s);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	/* whatever is still open ends with the session: nothing may leak */
	room_detach(&srv, &s, false);
	HASH_DEL(srv.sessions, &s);
	free(s.name);
	return 0;
}

/* --- the course ------------------------------------------------------------
 */

static void
test_level_2(void **state)
{
	struct pos_arg args[] = {{STR_LIT("12"), STR_LIT("9f3a01c2"), 845},
	    {STR_LIT("@"), STR_LIT("9f3a01c2"), 31},
	    {STR_LIT("lobby"), STR_LIT("00000000"), 3},
	    {STR_LIT("g4f2a1"), STR_LIT("00000000"), 3}};
	struct command c = command_of(2, "1001");

	(void)state;
	c.pos = args;
	c.n_pos = ARRAY_LEN(args);
	cmd_login(&srv, &s, &c);
	/* the user alone, with his position, before any room */
	assert_int_equal(n_parts, 1);
	assert_string_equal(user.uid, "1001");
	assert_int_equal(part[0].from, 31);
	assert_true(s.logging_in);
	joins(0, 200);
	/* then the named room, and those he has positions for; no group */
	assert_int_equal(n_parts, 3);
	assert_string_equal(part[1].rid, "12");
	assert_string_equal(part[1].ep, "9f3a01c2");
	assert_int_equal(part[1].from, 845);
	assert_string_equal(part[2].rid, "lobby");
	syncs(0);
	joins(2, 200);
	syncs(2);
	assert_string_equal(told, "( ");
	joins(1, 200);
	assert_string_equal(told, "( in login ) ");
	assert_false(s.logging_in);
	assert_int_equal(n_pos, 3);
	assert_true(str_eqc(pos[0].rid, "12"));
	assert_int_equal(pos[0].seq, 11);
	assert_true(str_eqc(pos[2].rid, "@"));
	/* one synced, when the last part is */
	syncs(1);
	assert_string_equal(told, "( in login ) synced ");
	assert_string_equal(token, "");
	assert_true(str_eqc(session_name(&s), "amy"));
}

static void
test_level_1(void **state)
{
	struct command c = command_of(1, "1001");

	(void)state;
	cmd_login(&srv, &s, &c);
	answers(200, 0, NULL);
	joins(0, 200);
	joins(1, 200);
	syncs(0);
	syncs(1);
	/* version 1 knows no synced */
	assert_string_equal(told, "( in login ) ");
	assert_int_equal(s.level, 1);
	assert_int_equal(s.ctx.level, 1);
}

/* where level 1 goes on is what the log knows */
static void
test_level_1_from(void **state)
{
	static const struct {
		const char *val;
		uint64_t from;
	} is[] = {{NULL, 0}, {"12", 12}, {"31", 31}, {"32", 31}, {"x", 0}};
	struct command c = command_of(1, "1001");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(is); i++) {
		cmd_login(&srv, &s, &c);
		assert_string_equal(asked.chan, "u:1001");
		assert_string_equal(asked.key, "d");
		assert_int_equal(n_parts, 0);
		/* no second one meanwhile */
		told[0] = '\0';
		cmd_login(&srv, &s, &c);
		assert_string_equal(told, "409 ");
		answers(200, 31, is[i].val);
		assert_int_equal(n_parts, 1);
		assert_string_equal(part[0].ep, "9f3a01c2");
		assert_int_equal(part[0].from, is[i].from);
		room_detach(&srv, &s, false);
		n_parts = 0;
		s.level = 0;
		s.ctx.in = s.logging_in = 0;
		told[0] = '\0';
	}
	/* the log can't say */
	cmd_login(&srv, &s, &c);
	answers(503, 0, NULL);
	assert_string_equal(told, "( drop 503 ");
	assert_int_equal(s.level, 0);
	assert_int_equal(s.logging_in, 0);
	/* a drawn uid has nothing that waits, level 2 has its own position */
	c.uid = STR_NONE;
	cmd_login(&srv, &s, &c);
	assert_null(asked.call);
	assert_int_equal(n_parts, 1);
	assert_string_equal(part[0].ep, "");
	/* gone before the answer */
	room_detach(&srv, &s, false);
	s.level = s.ctx.in = s.logging_in = 0;
	c.uid = STR_LIT("1001");
	cmd_login(&srv, &s, &c);
	HASH_DEL(srv.sessions, &s);
	answers(200, 31, "3");
	HASH_ADD(hh, srv.sessions, cn, sizeof s.cn, &s);
	assert_int_equal(n_parts, 1);
	/* too many questions: again in a while, for a while */
	n_parts = 0;
	s.level = s.ctx.in = s.logging_in = 0;
	full = true;
	cmd_login(&srv, &s, &c);
	assert_null(asked.call);
	tries_again();
	full = false;
	tries_again();
	answers(200, 31, "3");
	assert_int_equal(part[0].from, 3);
	room_detach(&srv, &s, false);
	s.level = s.ctx.in = s.logging_in = 0;
	full = true;
	told[0] = '\0';
	clock_test_set(clock_wall_ms(), clock_mono_ms());
	cmd_login(&srv, &s, &c);
	clock_test_set(clock_wall_ms(), clock_mono_ms() + 20000);
	tries_again();
	clock_test_set(0, 0);
	assert_string_equal(told, "( drop 503 ");
	/* and nobody is left to be told */
	told[0] = '\0';
	cmd_login(&srv, &s, &c);
	HASH_DEL(srv.sessions, &s);
	tries_again();
	HASH_ADD(hh, srv.sessions, cn, sizeof s.cn, &s);
	assert_string_equal(told, "( ");
	full = false;
}

static void
test_inbox(void **state)
{
	struct command c = command_of(2, "1001");

	(void)state;
	c.inbox = true;
	cmd_login(&srv, &s, &c);
	joins(0, 200);
	joins(1, 200);
	syncs(1);
	syncs(0);
	assert_string_equal(told, "( in login ) synced inbox ");
	assert_int_equal(n_inboxes, 1);
}

/* a further login joins a further room and changes nobody */
static void
test_again(void **state)
{
	struct command c = command_of(1, "1001");

	(void)state;
	cmd_login(&srv, &s, &c);
	answers(200, 0, NULL);
	joins(0, 200);
	syncs(0);
	joins(1, 200);
	syncs(1);
	told[0] = '\0';
	c.rid = STR_LIT("13");
	c.name = STR_LIT("amy2");
	c.uid = STR_LIT("1002");
	cmd_login(&srv, &s, &c);
	assert_int_equal(n_parts, 3);
	/* no third one while it is under way */
	cmd_login(&srv, &s, &c);
	assert_string_equal(told, "409 ");
	joins(2, 200);
	syncs(2);
	assert_string_equal(told, "409 login ) ");
	assert_true(str_eqc(session_name(&s), "amy"));
	assert_string_equal(user.uid, "1001");
	/* and one that fails leaves him where he is */
	told[0] = '\0';
	c.rid = STR_LIT("14");
	cmd_login(&srv, &s, &c);
	joins(3, 503);
	assert_string_equal(told, "503 ) ");
	assert_int_equal(n_detached, 0);
	assert_int_equal(s.level, 1);
}

/* --- failures ---------------------------------------------------------------
 */

static void
nobody(void)
{
	assert_false(s.logging_in);
	assert_int_equal(s.level, 0);
	assert_int_equal(s.ctx.in, 0);
	assert_null(s.name);
	assert_null(s.user);
}

static void
test_no_log_for_the_user(void **state)
{
	struct command c = command_of(2, "1001");

	(void)state;
	cmd_login(&srv, &s, &c);
	joins(0, 503);
	/* the error goes out, what was held does not */
	assert_string_equal(told, "( drop 503 ");
	assert_int_equal(n_parts, 1);
	nobody();
	/* and he may try again */
	told[0] = '\0';
	n_parts = 0;
	cmd_login(&srv, &s, &c);
	joins(0, 200);
	joins(1, 200);
	assert_string_equal(told, "( in login ) ");
}

static void
test_no_log_for_the_room(void **state)
{
	struct pos_arg args[] = {{STR_LIT("lobby"), STR_LIT("00000000"), 3}};
	struct command c = command_of(2, "1001");

	(void)state;
	c.pos = args;
	c.n_pos = 1;
	cmd_login(&srv, &s, &c);
	joins(0, 200);
	joins(1, 503);
	assert_string_equal(told, "( drop 503 ");
	assert_int_equal(n_detached, 1);
	nobody();
}

/* a room beside the named one that can't be had is left out */
static void
test_a_room_beside(void **state)
{
	struct pos_arg args[] = {{STR_LIT("lobby"), STR_LIT("00000000"), 3}};
	struct command c = command_of(2, "1001");

	(void)state;
	c.pos = args;
	c.n_pos = 1;
	cmd_login(&srv, &s, &c);
	joins(0, 200);
	syncs(0);
	joins(1, 200);
	syncs(1);
	joins(2, 403);
	/* the last part has ended: synced right behind the answer */
	assert_string_equal(told, "( in login ) synced ");
	assert_int_equal(n_pos, 2);
}

static void
test_lost_on_the_way(void **state)
{
	struct command c = command_of(2, "1001");

	(void)state;
	cmd_login(&srv, &s, &c);
	room_detach(&srv, &s, false);
	assert_string_equal(told, "( ");
	n_parts = 0;
	s.logging_in = 0;
	cmd_login(&srv, &s, &c);
	joins(0, 200);
	room_detach(&srv, &s, false);
	assert_string_equal(told, "( ( ");
}

/* --- who --------------------------------------------------------------------
 */

static const char *
attempt(unsigned level, const char *uid, const char *with)
{
	struct command c = command_of(level, uid);

	told[0] = '\0';
	if (with != NULL)
		c.token = str_of(with);
	cmd_login(&srv, &s, &c);
	if (asked.call != NULL)
		answers(200, 7, "3");
	if (s.user != NULL) {
		assert_int_equal(n_parts, 1);
		joins(0, 200);
		joins(1, 200);
		syncs(0);
		syncs(1);
		/* out again, for the next one */
		room_detach(&srv, &s, false);
		n_parts = 0;
		s.level = 0;
		s.ctx.in = 0;
		return "";
	}
	return told;
}

static const char *
minted(const char *uid, const char *name, int64_t exp_ms)
{
	static char text[4096];
	struct auth_claims c = {.exp_ms = exp_ms};
	struct buf b;

	str_copy(c.uid, sizeof c.uid, str_of(uid));
	str_copy(c.name, sizeof c.name, str_of(name));
	buf_init(&b, 4096);
	auth_mint(&srv.auth, &c, &b);
	str_copy(text, sizeof text, buf_str(&b));
	buf_fini(&b);
	return text;
}

static void
test_open_mode(void **state)
{
	int64_t now = clock_wall_ms();
	char mine[2048];

	(void)state;
	/* a claim is honoured, but not to what the server draws */
	assert_string_equal(attempt(2, "amy", NULL), "");
	assert_string_equal(attempt(2, "1000000000000001", NULL), "401 ");
	assert_string_equal(attempt(1, "1000000000000001", NULL), "401 ");
	/* drawn, with the token for the next time */
	assert_string_equal(attempt(2, NULL, NULL), "");
	assert_true(auth_uid_is_drawn(str_of(user.uid)));
	assert_true(token[0] != '\0');
	strcpy(mine, token);
	strcpy(told, user.uid);
	assert_string_equal(attempt(2, NULL, mine), "");
	assert_string_equal(token, ""); /* still young: not renewed */
	assert_string_equal(attempt(2, user.uid, mine), "");
	assert_string_equal(attempt(2, "1000000000000001", mine), "401 ");
	/* level 1 draws seven digits and gets no token */
	assert_string_equal(attempt(1, NULL, NULL), "");
	assert_int_equal(strlen(user.uid), 7);
	assert_string_equal(token, "");
	/* renewed in the second half of its life */
	assert_string_equal(
	    attempt(2, NULL, minted("1000000000000001", "", now + 86400000)),
	    "");
	assert_true(token[0] != '\0');
	assert_int_equal(n_bad_tokens, 1);
	assert_string_equal(
	    attempt(2, NULL, minted("1000000000000001", "", now - 61000)),
	    "401 ");
	assert_int_equal(n_bad_tokens, 1); /* old is not false */
	assert_string_equal(attempt(2, NULL, "x.y.z"), "401 ");
	assert_int_equal(n_bad_tokens, 2);
}

static void
test_token_mode(void **state)
{
	int64_t exp = clock_wall_ms() + 600000;

	(void)state;
	srv.auth.mode = AUTH_TOKEN;
	assert_string_equal(attempt(2, "amy", NULL), "401 ");
	assert_string_equal(attempt(2, NULL, NULL), "401 ");
	assert_string_equal(attempt(1, "1001", NULL), "401 ");
	assert_string_equal(attempt(2, NULL, minted("u7", "Site", exp)), "");
	assert_string_equal(user.uid, "u7");
	/* the site's name, whatever he types; and its end is ours */
	assert_true(str_eqc(session_name(&s), "Site"));
	assert_int_equal(s.exp_ms, exp / 1000 * 1000);
	assert_string_equal(token, "");
	assert_string_equal(attempt(1, "u7", minted("u7", "", exp)), "");
	assert_true(str_eqc(session_name(&s), "amy"));
}

static void
test_rooms_of_a_token(void **state)
{
	struct command c = command_of(2, NULL);

	(void)state;
	session_set_strings(&s, STR_LIT("amy"), STR_NONE, STR_NONE);
	assert_true(asker_may_join(&s, STR_LIT("12")));
	assert_false(asker_may_join(&s, STR_LIT("g12")));
	session_set_rooms(&s, STR_LIT("12 lobby "));
	assert_true(asker_may_join(&s, STR_LIT("12")));
	assert_true(asker_may_join(&s, STR_LIT("lobby")));
	assert_false(asker_may_join(&s, STR_LIT("1")));
	session_set_rooms(&s, STR_LIT(""));
	assert_false(asker_may_join(&s, STR_LIT("12")));
	assert_true(str_eqc(session_name(&s), "amy"));
	session_set_rooms(&s, STR_NONE);
	assert_true(asker_may_join(&s, STR_LIT("13")));
	/* a group is refused before anything is done */
	c.rid = STR_LIT("g4f2a1");
	cmd_login(&srv, &s, &c);
	assert_string_equal(told, "403 ");
	assert_int_equal(n_parts, 0);
	nobody();
}

/* another server has sent him: silent until he is in, and no longer */
static void
test_moved(void **state)
{
	static const struct move_claim claim = {
	    .cn = 77, .exp_ms = 4000000000000, .away = true};
	struct command c = command_of(2, "1001");
	char key[MOVE_KEY_MAX];

	(void)state;
	move_key_make(srv.link_key, cluster, STR_LIT("1001"), &claim, key);
	c.from_key = str_of(key);
	cmd_login(&srv, &s, &c);
	assert_true(s.silent);
	assert_true(s.away);
	expect_silent = true;
	joins(0, 200);
	joins(1, 200);
	assert_string_equal(told, "( in login ) ");
	assert_false(s.silent);
	assert_int_equal(srv.stats[S_MOVES_IN], 1);
	syncs(0);
	syncs(1);
}

/* of another user, too old, no key at all: an ordinary login */
static void
test_bad_keys(void **state)
{
	static const struct move_claim claim = {.cn = 77, .exp_ms = 1000};
	char key[3][MOVE_KEY_MAX] = {{0}, {0}, "xyz"};

	(void)state;
	move_key_make(srv.link_key, cluster, STR_LIT("1002"), &claim, key[0]);
	move_key_make(srv.link_key, cluster, STR_LIT("1001"), &claim, key[1]);
	for (unsigned i = 0; i < 3; i++) {
		struct command c = command_of(2, "1001");

		c.from_key = str_of(key[i]);
		cmd_login(&srv, &s, &c);
		assert_false(s.silent);
		joins(0, 503);
		told[0] = '\0';
		n_parts = 0;
	}
	assert_int_equal(srv.stats[S_MOVE_KEYS_BAD], 3);
	assert_int_equal(srv.stats[S_MOVES_IN], 0);
}

/* a drain has begun while he was connecting */
static void
test_draining(void **state)
{
	struct command c = command_of(2, "1001");

	(void)state;
	srv.draining = 1;
	cmd_login(&srv, &s, &c);
	assert_string_equal(told, "503 4200 ");
	assert_int_equal(n_parts, 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_level_2),
	    T(test_level_1),
	    T(test_level_1_from),
	    T(test_inbox),
	    T(test_again),
	    T(test_no_log_for_the_user),
	    T(test_no_log_for_the_room),
	    T(test_a_room_beside),
	    T(test_lost_on_the_way),
	    T(test_open_mode),
	    T(test_token_mode),
	    T(test_rooms_of_a_token),
	    T(test_moved),
	    T(test_bad_keys),
	    T(test_draining),
	};
#undef T

	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
