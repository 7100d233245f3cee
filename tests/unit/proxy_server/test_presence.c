/* SPDX-License-Identifier: MIT */
/*
 * Who is there and who is told: coming and going, lost links, snapshots, big
 * rooms, standbys.
 */
#include "proxy_server/presence_priv.h"
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
	TOLD("12=1 +amy?;");
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
	TOLD("12=4 +amy? +dan +bob?;");
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
	TOLD("12=2 +bob?;"); /* no news, and its server is to know that */
	pass(GRACE);
	TOLD("12=1 -amy;");
}

/* a server says itself what its people have been told of */
static void
test_first_snapshot(void **state)
{
	struct pres_node *n3 = presence_node(pr, 3, "ms3");

	(void)state;
	presence_begin(pr, n3);
	put(n3, 1, "amy", "12", NULL, true);
	put(n3, 2, "bob", "12", NULL, false);
	presence_end(pr, n3);
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
	/* further devices: version 1 sees each login */
	put(n2, 1, "x1", "12", NULL, false);
	pass(1000);
	TOLD("12=110! +x1*;");
}

static void
ask_list(const char *rid)
{
	struct f_who who = {.what = WHO_ROOM, .arg = str_of(rid)};
	struct f_whois answer;
	struct buf json;

	buf_init(&json, 1 << 20);
	presence_who(pr, &who, &json, &answer);
	buf_fini(&json);
}

/* somebody has a list with one in it whose coming and going nobody is told */
static void
test_list_in_between(void **state)
{
	char uid[16];

	(void)state;
	put(n1, 1, "amy", "13", NULL, false);
	TOLD("13=1 +amy;");
	for (unsigned i = 0; i <= PRESENCE_BIG; i++) {
		snprintf(uid, sizeof uid, "u%u", i);
		put(n1, 10 + i, uid, "12", NULL, false);
	}
	presence_tick(pr);
	pass(1000);
	told[0] = '\0';
	put(n1, 1000, "x", "12", NULL, false);
	TOLD("12=102! +x;");
	put(n1, 1001, "y", "12", NULL, false);
	gone(n1, 1001, PRES_BYE, false);
	pass(1000);
	TOLD(""); /* nobody knows of him */
	put(n1, 1002, "y", "12", NULL, false);
	TOLD("12=103! +y;");
	put(n1, 1003, "z", "12", NULL, false);
	ask_list("12");
	gone(n1, 1003, PRES_BYE, false);
	TOLD("");
	pass(1000);
	TOLD("12=103!m;");
	pass(1000);
	TOLD("");
	/* a list without one who is back before it was told that he went */
	gone(n1, 1000, PRES_BYE, false);
	TOLD("12=102! -x;");
	gone(n1, 1002, PRES_BYE, false);
	ask_list("12");
	put(n1, 1004, "y", "12", NULL, false);
	pass(1000);
	TOLD("12=102!m +y*;");
	/* small ones, within a turn */
	put(n1, 1, "amy", NULL, "13", false);
	ask_list("13");
	put(n1, 1, "amy", "13", NULL, false);
	TOLD("13=1m +amy*;");
	put(n1, 2, "bob", "14", NULL, false);
	ask_list("14");
	gone(n1, 2, PRES_BYE, false);
	TOLD("14=0m;");
}

/* a server died with a thousand in a big room, who come back elsewhere */
static void
test_thousands_are_back(void **state)
{
	char uid[16];

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(uid, sizeof uid, "u%u", i);
		put(n1, i, uid, "12", NULL, false);
	}
	pass(2000);
	presence_lost(pr, n1);
	told[0] = '\0', n_told = 0;
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(uid, sizeof uid, "u%u", i);
		put(n2, i, uid, "12", NULL, false);
		if (i == 2500) /* somebody new among them */
			put(n2, 9999, "new", "12", NULL, false);
	}
	pass(2000);
	assert_in_range(n_told, 3000 / 64, 3000 / 64 + 8);
	assert_null(strstr(told, "m ")); /* no list is asked for */
	told[0] = '\0';
}

static unsigned n_plain, n_rest, names_plain, names_rest;
static uint32_t last_count;
static bool last_more;

static void
on_room_storm(void *arg, struct str rid, struct f_room *f)
{
	(void)arg;
	(void)rid;
	assert_true(f->big);
	if (f->rest) {
		n_rest++;
		names_rest += f->n_in + f->n_out;
	} else {
		n_plain++;
		names_plain += f->n_in + f->n_out;
		last_count = f->count;
		last_more = f->more;
	}
}

/* 5,000 come in one second: all hear the count, version 1 every name */
static void
test_storm(void **state)
{
	struct presence_ops mine = ops;
	char uid[16];

	(void)state;
	for (unsigned i = 0; i <= PRESENCE_BIG; i++) {
		snprintf(uid, sizeof uid, "u%u", i);
		put(n1, i, uid, "12", NULL, true);
	}
	put(n1, 500, "x", "12", NULL, false);
	pass(0);
	mine.on_room = on_room_storm;
	pr->ops = &mine;
	n_plain = n_rest = names_plain = names_rest = 0;
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(uid, sizeof uid, "s%u", i);
		put(n1, 1000 + i, uid, "12", NULL, false);
	}
	pass(999);
	assert_int_equal(n_plain, 0);
	pass(1);
	assert_int_equal(n_plain, 1);
	assert_int_equal(names_plain, 64);
	assert_true(last_more);
	assert_int_equal(names_plain + names_rest, 5000);
	assert_int_equal(last_count, PRESENCE_BIG + 2 + 5000);
	/* and all go again */
	for (unsigned i = 0; i < 5000; i++)
		gone(n1, 1000 + i, PRES_BYE, false);
	pass(1000);
	assert_int_equal(n_plain, 2);
	assert_int_equal(last_count, PRESENCE_BIG + 2);
	assert_int_equal(names_plain + names_rest, 10000);
	/* the next one is an ordinary one */
	gone(n1, 500, PRES_BYE, false);
	pass(1000);
	assert_int_equal(n_plain, 3);
	assert_false(last_more);
	pr->ops = &ops;
}

/* a standby knows and says nothing; promoted, only what is fresh */
static void
test_standby(void **state)
{
	(void)state;
	presence_set_active(pr, false);
	put(n1, 1, "amy", "12", NULL, false);
	TOLD("");
	pass(6001);
	TOLD("");
	put(n1, 2, "bob", "12", NULL, false);
	pass(500);
	TOLD("");
	presence_set_active(pr, true);
	TOLD(""); /* first the servers come over */
	pass(1000);
	TOLD("12=2~ +bob;");
	pass(GRACE);
	TOLD("");
}

static void
promote(void)
{
	presence_set_active(pr, true);
	TOLD("");
	pass(1000);
}

/* what came and went at the end: whoever heard of it hears its end */
static void
test_promoted_round_trips(void **state)
{
	(void)state;
	put(n1, 9, "eve", "12", NULL, true);
	put(n1, 8, "dan", "12", NULL, true);
	TOLD("12=2 +eve +dan;");
	presence_set_active(pr, false);
	put(n1, 1, "amy", "12", NULL, false);
	gone(n1, 1, PRES_BYE, false); /* came and went */
	gone(n1, 9, PRES_BYE, false);
	put(n2, 2, "eve", "12", NULL, false); /* went and came */
	gone(n1, 8, PRES_BYE, false);
	promote();
	TOLD("12=1~ +eve*? -amy? -dan;");
}

/* the one before may have been quicker to say that he left */
static void
test_promoted_back(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	TOLD("12=1 +amy;");
	presence_set_active(pr, false);
	gone(n1, 1, PRES_GONE, true);
	pass(GRACE - 100);
	put(n2, 1, "amy", "12", NULL, false);
	promote();
	TOLD("12=1~ +amy?;");
	pass(GRACE * 2);
	TOLD("");
}

/* a standby that has lost a link: the active one had it all the time */
static void
test_promoted_without_link(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, true);
	put(n2, 1, "bob", "12", NULL, true);
	TOLD("12=2 +amy +bob;");
	presence_set_active(pr, false);
	presence_lost(pr, n1);
	pass(GRACE + 4000);
	promote();
	TOLD("");
	/* the server links to the new one within a grace from now */
	pass(GRACE - 2000);
	presence_begin(pr, n1);
	put(n1, 1, "amy", "12", NULL, true);
	presence_end(pr, n1);
	TOLD("12=2~ +amy?;"); /* nobody has heard that he left */
	pass(GRACE * 2);
	TOLD("");
	/* lost for long: he is forgotten without a word, and back without */
	presence_set_active(pr, false);
	presence_lost(pr, n1);
	pass(GRACE + 5000);
	promote();
	TOLD("");
	presence_begin(pr, n1);
	put(n1, 1, "amy", "12", NULL, true);
	presence_end(pr, n1);
	TOLD("");
	/* or he does not come */
	presence_set_active(pr, false);
	presence_lost(pr, n2);
	promote();
	pass(GRACE - 1000);
	TOLD("12=1~ -bob;");
}

/* what the active one lived to tell is not told again */
static void
test_standby_heard(void **state)
{
	(void)state;
	presence_set_active(pr, false);
	put(n1, 1, "amy", "12", NULL, false);
	pass(2500);
	heard = now;
	put(n1, 2, "bob", "12", NULL, false);
	pass(100);
	presence_set_active(pr, true);
	pass(1000);
	TOLD("12=2~ +bob;");
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
	    TEST(test_list_in_between),
	    TEST(test_thousands_are_back),
	    TEST(test_link_lost),
	    TEST(test_numbers_begin_anew),
	    TEST(test_snapshot_replaces),
	    TEST(test_first_snapshot),
	    TEST(test_cancelled),
	    TEST(test_big_room),
	    TEST(test_storm),
	    TEST(test_standby),
	    TEST(test_standby_heard),
	    TEST(test_promoted_round_trips),
	    TEST(test_promoted_back),
	    TEST(test_promoted_without_link),
	    TEST(test_foreign_session),
	    TEST(test_session_limits),
	    TEST(test_nothing_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
