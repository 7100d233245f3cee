/* SPDX-License-Identifier: MIT */
/*
 * inbox (msg_server/inbox.h, cmd/cmd_inbox.c): what is asked of the log, what
 * of the answer a session may see, and cursors that come back from clients.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "msg_server/cmd/asker.h"
#include "msg_server/follow/replay.h"
#include "msg_server/inbox.h"

static struct server srv;
static struct session s;
static struct user user;
static struct room rooms[3];
static char room_names[3][CHAN_MAX + 1];
static struct member members[3];
static struct f_inbox asked;
static struct relay_inbox *call;
static bool busy;
static char told[1024];

int
relay_inbox(struct relay *r, const struct f_inbox *in, struct relay_inbox *c)
{
	(void)r;
	if (busy)
		return ERR_BUSY;
	assert_null(call);
	asked = *in;
	call = c;
	return 0;
}

void
reply_event(struct session *session, const struct event *ev)
{
	struct str rest = ev->page;
	struct inbox_entry e;
	size_t n;

	assert_ptr_equal(session, &s);
	if (ev->kind == EVENT_ERROR) {
		snprintf(told, sizeof told, "%u", ev->code);
		return;
	}
	assert_int_equal(ev->kind, EVENT_INBOX);
	assert_true(str_eqc(ev->uid, "1001"));
	n = (size_t)snprintf(told, sizeof told, "%.*s:", STR_ARG(ev->cid));
	for (size_t i = 0; i < ev->n_items; i++) {
		assert_int_equal(frames_inbox_next(&rest, &e), 0);
		n += (size_t)snprintf(
		    told + n, sizeof told - n, " %.*s", STR_ARG(e.chan));
	}
	assert_int_equal(rest.len, 0);
	snprintf(told + n, sizeof told - n, " next %.*s", STR_ARG(ev->next));
}

void
reply_error(struct session *session, struct str cid, unsigned code,
    const char *why, int64_t retry_ms, unsigned v1_code, const char *v1_text)
{
	(void)cid;
	(void)why;
	(void)retry_ms;
	(void)v1_code;
	(void)v1_text;
	assert_ptr_equal(session, &s);
	snprintf(told, sizeof told, "%u", code);
}

struct member *
room_member(struct session *session, struct str rid)
{
	struct member *m;

	for (m = session->members; m != NULL; m = m->next_of_session)
		if (str_eqc(rid, room_rid(m->room)))
			return m;
	return NULL;
}

struct member *
room_home(struct session *session)
{
	(void)session;
	return NULL;
}

static void
join(unsigned i, const char *rid)
{
	snprintf(room_names[i], sizeof room_names[i], "r:%s", rid);
	rooms[i].channel.name = room_names[i];
	members[i] = (struct member){
	    .session = &s, .room = &rooms[i], .next_of_session = s.members};
	s.members = &members[i];
}

static int
setup(void **state)
{
	(void)state;
	memset(&srv, 0, sizeof srv);
	memset(&s, 0, sizeof s);
	s.cn = 7;
	s.level = 2;
	s.user = &user;
	user.channel.name = "u:1001";
	table_add(&srv.sessions, &s.by_cn, session_key);
	session_set_strings(&s, STR_LIT("amy"), STR_NONE, STR_NONE);
	busy = false;
	call = NULL;
	told[0] = '\0';
	join(0, "lobby");
	join(1, "12");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (srv.sessions.n > 0)
		table_del(&srv.sessions, &s.by_cn, session_key);
	session_drop_strings(&s);
	return 0;
}

static void
run(const char *next)
{
	struct command cmd = {.kind = CMD_INBOX,
	    .cid = STR_LIT("i1"),
	    .level = 2,
	    .next = str_of(next)};

	cmd_inbox(&srv, &s, &cmd);
}

/* the log's answer: these channels */
static void
answer(const char *const *chans, unsigned n, struct f_inbox_at next)
{
	struct f_inboxed f = {.code = 200,
	    .ep = STR_LIT("9f3a01c2"),
	    .next = next,
	    .n = (uint16_t)n};
	struct relay_inbox *c = call;
	struct buf b;

	buf_init(&b, 65536);
	for (unsigned i = 0; i < n; i++)
		put_inboxed_entry(
		    &b, &(struct inbox_entry){.chan = str_of(chans[i])});
	call = NULL;
	c->done(c, 200, &f, buf_str(&b));
	buf_fini(&b);
}

static void
test_asked(void **state)
{
	(void)state;
	/* a room that he is only on his way into is none yet */
	join(2, "a");
	members[2].cursor.waiting = true;
	run(NULL);
	assert_true(str_eqc(asked.chan, "u:1001"));
	assert_int_equal(asked.n, INBOX_PAGE);
	assert_int_equal(asked.at.part, INBOX_ROOMS);
	assert_int_equal(asked.n_rooms, 2);
	assert_true(str_eqc(asked.rooms[0], "12"));
	assert_true(str_eqc(asked.rooms[1], "lobby"));
	answer(NULL, 0, (struct f_inbox_at){.part = 0});
	assert_string_equal(told, "i1: next ");
	assert_int_equal(srv.stats[S_INBOXES], 1);
}

/* rooms that are not his now, by his token or for members only */
static void
test_may_see(void **state)
{
	static const char *const chans[] = {
	    "r:lobby", "p:1001:1002", "r:99", "r:g1f", "r:secret", "u:1001"};

	(void)state;
	run(NULL);
	answer(chans, 6, (struct f_inbox_at){.part = 0});
	assert_string_equal(
	    told, "i1: r:lobby p:1001:1002 r:99 r:secret next ");
	session_set_rooms(&s, STR_LIT("99 "));
	run(NULL);
	answer(chans, 6, (struct f_inbox_at){.part = 0});
	assert_string_equal(told, "i1: r:lobby p:1001:1002 r:99 next ");
}

/* what was given comes back as it was */
static void
test_next(void **state)
{
	static const char *const bad[] = {"", "x", "1", "1.2", "0.0.0.",
	    "4.0.0.", "1.9.3.", "1.-1.3.", "1.0.9223372036854775808.", "1.0.x.",
	    "3.0.0.\xff"};
	struct f_inbox_at at = {
	    .part = INBOX_MARKS, .lo = 10, .hi = 9, .key = STR_LIT("k:@b_-")};

	(void)state;
	run(NULL);
	answer(NULL, 0, at);
	assert_string_equal(told, "i1: next 3.10.9.k:@b_-");
	run("3.10.9.k:@b_-");
	assert_int_equal(asked.at.part, INBOX_MARKS);
	assert_int_equal(asked.at.lo, 10);
	assert_int_equal(asked.at.hi, 9);
	assert_true(str_eqc(asked.at.key, "k:@b_-"));
	answer(NULL, 0, (struct f_inbox_at){.part = 0});
	run("2.0.0.");
	assert_false(str_is_set(asked.at.key));
	answer(NULL, 0, (struct f_inbox_at){.part = 0});
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		told[0] = '\0';
		run(bad[i]);
		assert_null(call);
		assert_string_equal(told, "400");
	}
}

/* the words of what was recalled meanwhile may be in it */
static void
test_recalled(void **state)
{
	static const char *const chans[] = {"r:12"};
	struct f_inbox_at end = {.part = 0};
	unsigned n;

	(void)state;
	run("3.10.9.k:@b_-");
	rooms[1].channel.erased++;
	answer(chans, 1, end);
	assert_string_equal(told, "");
	assert_int_equal(asked.at.part, INBOX_MARKS);
	assert_true(str_eqc(asked.at.key, "k:@b_-"));
	assert_int_equal(asked.n_rooms, 2);
	user.channel.erased++;
	answer(chans, 1, end);
	assert_string_equal(told, "");
	answer(chans, 1, end);
	assert_string_equal(told, "i1: r:12 next ");
	assert_int_equal(s.asks, 0);
	/* not for ever */
	told[0] = '\0';
	run(NULL);
	for (n = 0; call != NULL && n < 50; n++) {
		assert_string_equal(told, "");
		rooms[0].channel.erased++;
		answer(chans, 1, end);
	}
	assert_int_equal(n, 4);
	assert_string_equal(told, "503");
	/* and not where it can't be asked for */
	told[0] = '\0';
	run(NULL);
	rooms[0].channel.erased++;
	busy = true;
	answer(chans, 1, end);
	assert_string_equal(told, "503");
	assert_int_equal(s.asks, 0);
	assert_int_equal(srv.stats[S_INBOXES], 3);
}

static void
test_no_answer(void **state)
{
	struct relay_inbox *c;

	(void)state;
	busy = true;
	run(NULL);
	assert_string_equal(told, "503");
	busy = false;
	told[0] = '\0';
	run(NULL);
	c = call;
	call = NULL;
	c->done(c, 503, NULL, STR_NONE);
	assert_string_equal(told, "503");
	/* gone meanwhile */
	told[0] = '\0';
	run(NULL);
	table_del(&srv.sessions, &s.by_cn, session_key);
	answer(NULL, 0, (struct f_inbox_at){.part = 0});
	assert_string_equal(told, "");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_asked),
	    T(test_may_see),
	    T(test_next),
	    T(test_recalled),
	    T(test_no_answer),
	};
#undef T

	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
