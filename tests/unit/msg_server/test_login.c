/* SPDX-License-Identifier: MIT */
/*
 * The course of a login: the order of the answer, what was missed and
 * `synced`, where level 1 goes on, and every way in which it can fail. Who is
 * taken for whom: test_login_who.c.
 */
#include "tests/unit/msg_server/login_fixture.h"

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
	assert_string_equal(user_uid(&user), "1001");
	assert_int_equal(part[0].from, 31);
	assert_true(s.logging_in);
	joins(0, 200);
	/* then the named room, and those he has positions for */
	assert_int_equal(n_parts, 4);
	assert_string_equal(part[1].rid, "12");
	assert_string_equal(part[1].ep, "9f3a01c2");
	assert_int_equal(part[1].from, 845);
	assert_string_equal(part[2].rid, "lobby");
	syncs(0);
	joins(2, 200);
	/* he is no member of it (any more): it is not in his answer */
	assert_string_equal(part[3].rid, "g4f2a1");
	joins(3, 403);
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

static void
tries_again(void)
{
	struct relay_task *t = again;

	again = NULL;
	t->fn(t);
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
	table_del(&srv.sessions, &s.by_cn, session_key);
	answers(200, 31, "3");
	table_add(&srv.sessions, &s.by_cn, session_key);
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
	table_del(&srv.sessions, &s.by_cn, session_key);
	tries_again();
	table_add(&srv.sessions, &s.by_cn, session_key);
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
	assert_string_equal(user_uid(&user), "1001");
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
	};
#undef T

	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
