/* SPDX-License-Identifier: MIT */
/*
 * Who is taken for whom at login: claims, tokens, rooms of a token, keys of
 * another server's move, a drain under way. The course of it: test_login.c.
 */
#include "tests/unit/msg_server/login_fixture.h"

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
	assert_true(auth_uid_is_drawn(str_of(user_uid(&user))));
	assert_true(token[0] != '\0');
	strcpy(mine, token);
	strcpy(told, user_uid(&user));
	assert_string_equal(attempt(2, NULL, mine), "");
	assert_string_equal(token, ""); /* still young: not renewed */
	assert_string_equal(attempt(2, user_uid(&user), mine), "");
	assert_string_equal(attempt(2, "1000000000000001", mine), "401 ");
	/* level 1 draws seven digits and gets no token */
	assert_string_equal(attempt(1, NULL, NULL), "");
	assert_int_equal(strlen(user_uid(&user)), 7);
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
	assert_string_equal(user_uid(&user), "u7");
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
	assert_true(session_may_join(&s, STR_LIT("12")));
	session_set_rooms(&s, STR_LIT("12 lobby "));
	assert_true(session_may_join(&s, STR_LIT("12")));
	assert_true(session_may_join(&s, STR_LIT("lobby")));
	assert_false(session_may_join(&s, STR_LIT("1")));
	session_set_rooms(&s, STR_LIT(""));
	assert_false(session_may_join(&s, STR_LIT("12")));
	assert_true(str_eqc(session_name(&s), "amy"));
	session_set_rooms(&s, STR_NONE);
	assert_true(session_may_join(&s, STR_LIT("13")));
	/* a group is its members': that is judged as he comes in */
	assert_true(session_may_join(&s, STR_LIT("g4f2a1")));
	session_drop_strings(&s);
	c.rid = STR_LIT("g4f2a1");
	cmd_login(&srv, &s, &c);
	joins(0, 200);
	assert_string_equal(told, "( ");
	joins(1, 403);
	assert_string_equal(told, "( drop error ");
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
