/* SPDX-License-Identifier: MIT */
/*
 * Who is watched: what servers are told of users, when, and what a new active
 * proxy must not say.
 */
#include "tests/unit/proxy_server/presence_fixture.h"

static void
away(struct pres_node *n, unsigned i, const char *uid, bool is_away)
{
	struct f_pres f = {.op = PRES_SET,
	    .cn = cn(n, i),
	    .uid = str_of(uid),
	    .away = is_away};

	presence_put(pr, n, &f);
}

static int64_t
last_of(const char *uid)
{
	struct f_who who = {.what = WHO_USER, .arg = str_of(uid)};
	struct f_whois answer;
	struct buf json;
	const char *at;
	int64_t last = 0;

	buf_init(&json, 65536);
	presence_who(pr, &who, &json, &answer);
	buf_putc(&json, '\0');
	at = strstr((const char *)buf_p(&json), "\"last\":");
	if (at != NULL)
		last = strtoll(at + 7, NULL, 10);
	buf_fini(&json);
	return last;
}

static void
test_first_and_last_device(void **state)
{
	(void)state;
	watch(n2, "amy", NULL, false);
	NEWS("2:amy off;"); /* never seen */
	put(n1, 1, "amy", NULL, NULL, false);
	NEWS("2:amy on;");
	put(n2, 1, "amy", "12", NULL, false);
	gone(n1, 1, PRES_BYE, false);
	pass(GRACE * 2);
	NEWS("");
	gone(n2, 1, PRES_GONE, false);
	pass(GRACE - 1);
	NEWS("");
	pass(1);
	NEWS("2:amy off@;");
	assert_int_equal(last_of("amy"), now - GRACE);
}

static void
test_bye_is_at_once(void **state)
{
	(void)state;
	put(n1, 1, "amy", NULL, NULL, false);
	watch(n1, "amy", NULL, false);
	watch(n2, "amy", NULL, false);
	NEWS("1:amy on;2:amy on;");
	gone(n1, 1, PRES_BYE, false);
	NEWS("1:amy off@;2:amy off@;");
	watch(n2, NULL, "amy", false);
	put(n1, 2, "amy", NULL, NULL, false);
	NEWS("1:amy on;");
	/* gone and back in one turn, or within the grace */
	gone(n1, 2, PRES_BYE, false);
	put(n1, 3, "amy", NULL, NULL, false);
	NEWS("");
	gone(n1, 3, PRES_GONE, false);
	pass(GRACE - 1);
	put(n2, 3, "amy", NULL, NULL, false);
	pass(GRACE * 2);
	NEWS("");
}

/* away when all his sessions are */
static void
test_away(void **state)
{
	(void)state;
	put(n1, 1, "amy", NULL, NULL, false);
	put(n2, 1, "amy", NULL, NULL, false);
	watch(n1, "amy", NULL, false);
	NEWS("1:amy on;");
	away(n1, 1, "amy", true);
	NEWS("");
	away(n2, 1, "amy", true);
	NEWS("1:amy away;");
	/* he is what he was while he is held */
	gone(n1, 1, PRES_GONE, false);
	gone(n2, 1, PRES_GONE, false);
	pass(GRACE / 2);
	NEWS("");
	watch(n2, "amy", NULL, false);
	NEWS("2:amy away;");
	put(n2, 2, "amy", NULL, NULL, false);
	NEWS("1:amy on;2:amy on;");
	/* the session that is not away goes */
	away(n1, 3, "amy", true);
	gone(n2, 2, PRES_BYE, false);
	NEWS("1:amy away;2:amy away;");
}

/* a lost link takes what was watched over it, and holds its people */
static void
test_link_lost(void **state)
{
	struct presence_figures f;

	(void)state;
	put(n1, 1, "amy", NULL, NULL, false);
	watch(n2, "amy", NULL, false);
	watch(n1, "amy", NULL, false);
	NEWS("2:amy on;1:amy on;");
	presence_lost(pr, n1);
	presence_get_figures(pr, &f);
	assert_int_equal(f.watches, 1);
	pass(GRACE - 1);
	NEWS("");
	pass(1);
	NEWS("2:amy off@;");
	presence_lost(pr, n2);
	presence_get_figures(pr, &f);
	assert_int_equal(f.watches, 0);
}

/* a new active one that has not heard of somebody waits before it says so */
static void
test_promoted(void **state)
{
	(void)state;
	put(n1, 1, "amy", NULL, NULL, false);
	put(n2, 1, "bob", NULL, NULL, false);
	presence_set_active(pr, false);
	presence_lost(pr, n1); /* the active one had it */
	pass(GRACE + 5000);
	gone(n2, 1, PRES_BYE, false);
	presence_set_active(pr, true);
	watch(n2, "amy", NULL, true);
	watch(n2, "bob", NULL, true);
	watch(n2, "eve", NULL, true);
	watch(n2, "new", NULL, false);
	NEWS("2:bob off@;"); /* of him it knows */
	pass(2999);
	NEWS("");
	pass(1);
	NEWS("2:new off;"); /* a first question is not let wait */
	put(n1, 1, "amy", NULL, NULL, true);
	NEWS("2:amy on;");
	pass(GRACE - 3000);
	NEWS("2:eve off;");
	watch(n1, "zoe", NULL, true);
	NEWS("1:zoe off;");
}

/* the time is kept by standbys too, of so many users and not more */
static void
test_lasts(void **state)
{
	struct presence_figures f;
	char uid[16];

	(void)state;
	presence_set_active(pr, false);
	for (unsigned i = 0; i <= PRESENCE_LASTS_MAX; i++) {
		snprintf(uid, sizeof uid, "u%u", i);
		put(n1, 1, uid, NULL, NULL, false);
		gone(n1, 1, PRES_BYE, false);
	}
	presence_get_figures(pr, &f);
	assert_int_equal(f.lasts, PRESENCE_LASTS_MAX);
	assert_int_equal(f.users, 0);
	assert_int_equal(last_of("u0"), 0);
	assert_int_equal(last_of("u1"), now);
	put(n1, 1, "u1", NULL, NULL, false);
	presence_get_figures(pr, &f);
	assert_int_equal(f.lasts, PRESENCE_LASTS_MAX - 1);
}

static void
test_watch_limit(void **state)
{
	static char names[200][ID_MAX + 1];
	static struct f_watch f;
	struct presence_figures fig;

	(void)state;
	memset(&f, 0, sizeof f);
	for (unsigned i = 0; i < PRESENCE_WATCHES_MAX; i++) {
		snprintf(names[f.n_add], sizeof names[0], "u%u", i);
		f.add[f.n_add] = str_of(names[f.n_add]);
		if (++f.n_add == 200) {
			presence_watch(pr, n1, &f);
			f.n_add = 0;
		}
	}
	news[0] = '\0';
	presence_get_figures(pr, &fig);
	assert_int_equal(fig.watches, PRESENCE_WATCHES_MAX);
	assert_int_equal(fig.refused, 0);
	put(n2, 1, "amy", NULL, NULL, false);
	watch(n1, "amy", NULL, false);
	NEWS("1:amy on;"); /* told how it stands, and no more */
	gone(n2, 1, PRES_BYE, false);
	NEWS("");
	presence_get_figures(pr, &fig);
	assert_int_equal(fig.watches, PRESENCE_WATCHES_MAX);
	assert_int_equal(fig.refused, 1);
	/* there is room again */
	watch(n1, "amy", "u7", false);
	NEWS("1:amy off@;");
	put(n2, 1, "amy", NULL, NULL, false);
	NEWS("1:amy on;");
}

/* who is expected back on which seats is forgotten with the grace */
static void
test_owed_is_over(void **state)
{
	(void)state;
	put(n1, 1, "ann", "r1", NULL, false);
	put(n1, 2, "ann", "r1", NULL, false);
	put(n2, 1, "ann", "r1", NULL, false);
	pass(0);
	presence_lost(pr, n1);
	pass(10000);
	gone(n2, 1, PRES_GONE, false);
	put(n2, 1, "ann", "r1", NULL, false);
	pass(GRACE - 10000);
	told[0] = '\0';
	/* of the two on n1 none is expected any more, of n2 one */
	presence_lost(pr, n2);
	put(n2, 1, "ann", "r1", NULL, false);
	TOLD("r1=1 +ann?;");
	put(n2, 2, "ann", "r1", NULL, false);
	TOLD("r1=1 +ann*;");
}

/* of whom a server takes all devices along nothing is known but what was */
static void
test_link_lost_state(void **state)
{
	struct f_pres f = {.op = PRES_SET, .level = 2};
	char uid[8], want[1024] = "";

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		snprintf(uid, sizeof uid, "u%02u", i);
		f.uid = f.name = str_of(uid);
		for (unsigned dev = 0; dev < 2; dev++) {
			f.cn = cn(n1, 2 * i + dev + 1);
			f.away = dev;
			presence_put(pr, n1, &f);
		}
		watch(n2, uid, NULL, false);
		snprintf(want + strlen(want), sizeof want - strlen(want),
		    "2:%s on;", uid);
	}
	NEWS(want);
	presence_lost(pr, n1);
	NEWS("");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_first_and_last_device),
	    TEST(test_link_lost_state),
	    TEST(test_owed_is_over),
	    TEST(test_bye_is_at_once),
	    TEST(test_away),
	    TEST(test_link_lost),
	    TEST(test_promoted),
	    TEST(test_lasts),
	    TEST(test_watch_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
