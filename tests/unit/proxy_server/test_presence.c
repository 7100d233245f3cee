/* SPDX-License-Identifier: MIT */
/*
 * Who is there and who is told: coming and going, lost links, snapshots, big
 * rooms, standbys.
 */
#include "tests/unit/proxy_server/presence_fixture.h"

static void
test_in_and_out(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	put(n2, 1, "bob", "12", NULL, false);
	TOLD("12=2 +amy +bob;");
	gone(n1, 1, PRES_GONE, false);
	TOLD("");
	pass(GRACE - 1);
	TOLD("");
	pass(1);
	TOLD("12=1 -amy;");
	gone(n2, 1, PRES_BYE, false);
	TOLD("12=0 -bob;");
}

static void
test_devices(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	TOLD("12=1 +amy;");
	put(n2, 9, "amy", "12", NULL, false);
	TOLD("12=1 +amy*;");
	gone(n1, 1, PRES_BYE, false);
	pass(GRACE * 2);
	TOLD("");
	gone(n2, 9, PRES_BYE, false);
	TOLD("12=0 -amy;");
}

static void
test_leave_is_at_once(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	put(n1, 1, "amy", "13", NULL, false);
	TOLD("12=1 +amy;13=1 +amy;");
	put(n1, 1, "amy", NULL, "12", false);
	TOLD("12=0 -amy;");
	put(n1, 1, "amy", NULL, "12", false);
	TOLD("");
}

/* a session that went and came back: version 1 sees each login */
static void
test_back_within_grace(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	TOLD("12=1 +amy;");
	gone(n1, 1, PRES_GONE, false);
	pass(GRACE / 2);
	put(n2, 1, "amy", "12", NULL, false);
	TOLD("12=1 +amy*;");
	pass(GRACE * 2);
	TOLD("");
}

/* takeover by `move`: nobody is told anything */
static void
test_move(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	TOLD("12=1 +amy;");
	put(n2, 1, "amy", "12", NULL, true);
	gone(n1, 1, PRES_GONE, true);
	pass(GRACE * 2);
	TOLD("");
}

/* a silent coming is no way into a room unseen */
static void
test_move_into_another_room(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	TOLD("12=1 +amy;");
	put(n2, 1, "amy", "12", NULL, true);
	put(n2, 1, "amy", "13", NULL, true);
	TOLD("13=1 +amy;");
}

/* one of two devices is sent elsewhere: as silent as if it were the only one */
static void
test_one_of_two_is_sent_away(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	TOLD("12=1 +amy;");
	put(n2, 2, "amy", "12", NULL, false);
	TOLD("12=1 +amy*;");
	gone(n1, 1, PRES_GONE, true);
	TOLD("");
	put(n2, 3, "amy", "12", NULL, false);
	TOLD("");
	/* one was sent, one has come: the next is another device */
	put(n2, 4, "amy", "12", NULL, false);
	TOLD("12=1 +amy*;");
	gone(n2, 4, PRES_GONE, true);
	pass(GRACE);
	put(n2, 5, "amy", "12", NULL, false);
	TOLD("12=1 +amy*;");
}

static void
test_link_lost(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	put(n1, 2, "bob", "12", NULL, false);
	put(n1, 3, "eve", "12", NULL, false);
	TOLD("12=3 +amy +bob +eve;");
	presence_lost(pr, n1);
	TOLD("");
	pass(GRACE / 2);
	/* amy comes back there, bob elsewhere, eve does not; dan is new */
	presence_begin(pr, n1);
	put(n1, 1, "amy", "12", NULL, false);
	put(n1, 4, "dan", "12", NULL, false);
	presence_end(pr, n1);
	put(n2, 1, "bob", "12", NULL, false);
	TOLD("12=4 +dan;");
	pass(GRACE);
	TOLD("12=3 -eve;");
}

/* the server was restarted and counts from 1 again: other people */
static void
test_numbers_begin_anew(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	TOLD("12=1 +amy;");
	put(n1, 1, "bob", "12", NULL, false);
	TOLD("12=2 +bob;");
	pass(GRACE);
	TOLD("12=1 -amy;");
}

static void
test_snapshot_replaces(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	put(n1, 2, "bob", "12", NULL, false);
	TOLD("12=2 +amy +bob;");
	presence_begin(pr, n1); /* the same link, or one that took over */
	put(n1, 2, "bob", "12", NULL, false);
	presence_end(pr, n1);
	TOLD("");
	pass(GRACE);
	TOLD("12=1 -amy;");
}

/* what a server had announced before we came is old news */
static void
test_first_snapshot_is_silent(void **state)
{
	struct pres_node *n3 = presence_node(pr, 3, "ms3");

	(void)state;
	presence_begin(pr, n3);
	put(n3, 1, "amy", "12", NULL, false);
	presence_end(pr, n3);
	TOLD("");
	put(n3, 2, "bob", "12", NULL, false);
	TOLD("12=2 +bob;");
}

static void
test_cancelled(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	gone(n1, 1, PRES_BYE, false);
	TOLD(""); /* in and out in one turn */
	put(n1, 2, "bob", "12", NULL, false);
	TOLD("12=1 +bob;");
	gone(n1, 2, PRES_BYE, false);
	put(n1, 3, "bob", "12", NULL, false);
	TOLD("12=1 +bob*;"); /* out and in */
	put(n1, 4, "bob", "12", NULL, false);
	gone(n1, 4, PRES_BYE, false);
	gone(n1, 3, PRES_BYE, false);
	TOLD("12=0 -bob;");
}

static void
test_big_room(void **state)
{
	char uid[16];

	(void)state;
	for (unsigned i = 0; i < PRESENCE_BIG; i++) {
		snprintf(uid, sizeof uid, "u%u", i);
		put(n1, i, uid, "12", NULL, false);
	}
	presence_tick(pr);
	assert_int_equal(n_told, 2); /* 64 names a frame */
	assert_null(strchr(told, '!'));
	told[0] = '\0';
	n_told = 0;
	pass(1000);
	put(n1, 1000, "x0", "12", NULL, false);
	TOLD("12=101! +x0;");
	for (unsigned i = 1; i <= 9; i++) {
		snprintf(uid, sizeof uid, "x%u", i);
		put(n1, 1000 + i, uid, "12", NULL, false);
		pass(100);
		TOLD("");
	}
	pass(100);
	TOLD("12=110! +x1 +x2 +x3 +x4 +x5 +x6 +x7 +x8 +x9;");
	/* further devices are nobody's business in there */
	put(n2, 1, "x1", "12", NULL, false);
	pass(1000);
	TOLD("");
}

/* a standby knows and says nothing; promoted, only what is fresh */
static void
test_standby(void **state)
{
	(void)state;
	presence_set_active(pr, false);
	put(n1, 1, "amy", "12", NULL, false);
	TOLD("");
	pass(4000);
	TOLD("");
	put(n1, 2, "bob", "12", NULL, false);
	pass(500);
	TOLD("");
	presence_set_active(pr, true);
	TOLD(""); /* first the servers come over */
	pass(1000);
	TOLD("12=2 +bob;");
	pass(GRACE);
	TOLD("");
}

/* what the active one lived to tell is not told again */
static void
test_standby_heard(void **state)
{
	(void)state;
	presence_set_active(pr, false);
	put(n1, 1, "amy", "12", NULL, false);
	pass(500);
	heard = now;
	put(n1, 2, "bob", "12", NULL, false);
	pass(100);
	presence_set_active(pr, true);
	pass(1000);
	TOLD("12=2 +bob;");
	heard = 0;
}

static void
test_foreign_session(void **state)
{
	struct f_pres f = {.op = PRES_SET,
	    .cn = cn(n2, 5),
	    .uid = STR_LIT("amy"),
	    .n_add = 1,
	    .add = {STR_LIT("12")}};
	struct presence_figures fig;

	(void)state;
	presence_put(pr, n1, &f);
	TOLD("");
	presence_get_figures(pr, &fig);
	assert_int_equal(fig.sessions, 0);
	assert_int_equal(fig.refused, 1);
}

static void
test_session_limits(void **state)
{
	struct presence_figures fig;
	char rid[16];

	(void)state;
	for (unsigned i = 0; i <= PRESENCE_ROOMS_MAX; i++) {
		snprintf(rid, sizeof rid, "r%u", i);
		put(n1, 1, "amy", rid, NULL, true);
	}
	presence_get_figures(pr, &fig);
	assert_int_equal(fig.rooms, PRESENCE_ROOMS_MAX);
	assert_int_equal(fig.refused, 1);
	for (unsigned i = 0; i < PRESENCE_SESSIONS_MAX; i++)
		put(n2, i + 1, "bob", NULL, NULL, true);
	presence_get_figures(pr, &fig);
	assert_int_equal(fig.sessions, 1 + PRESENCE_SESSIONS_MAX);
	put(n2, PRESENCE_SESSIONS_MAX + 1, "bob", NULL, NULL, true);
	presence_get_figures(pr, &fig);
	assert_int_equal(fig.sessions, 1 + PRESENCE_SESSIONS_MAX);
	assert_int_equal(fig.refused, 2);
}

/* nothing is left of people who are gone */
static void
test_nothing_left(void **state)
{
	struct presence_figures fig;

	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	put(n1, 2, "amy", "13", NULL, false);
	put(n2, 1, "bob", "12", NULL, false);
	put(n2, 2, "eve", NULL, NULL, false);
	presence_lost(pr, n1);
	presence_lost(pr, n2);
	pass(GRACE);
	presence_tick(pr);
	presence_get_figures(pr, &fig);
	assert_int_equal(fig.sessions, 0);
	assert_int_equal(fig.users, 0);
	assert_int_equal(fig.rooms, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_in_and_out),
	    TEST(test_devices),
	    TEST(test_leave_is_at_once),
	    TEST(test_back_within_grace),
	    TEST(test_move),
	    TEST(test_move_into_another_room),
	    TEST(test_one_of_two_is_sent_away),
	    TEST(test_link_lost),
	    TEST(test_numbers_begin_anew),
	    TEST(test_snapshot_replaces),
	    TEST(test_first_snapshot_is_silent),
	    TEST(test_cancelled),
	    TEST(test_big_room),
	    TEST(test_standby),
	    TEST(test_standby_heard),
	    TEST(test_foreign_session),
	    TEST(test_session_limits),
	    TEST(test_nothing_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
