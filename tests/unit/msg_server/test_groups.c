/* SPDX-License-Identifier: MIT */
/*
 * Changes of groups (msg_server/groups.h) against a log that judges need, deny
 * and if_key as the real one does, and that dies or is overtaken at every
 * step: what was begun is whole after it was asked for again, nobody is a
 * member twice, and the index tells the truth.
 */
#include "tests/unit/msg_server/groups_fixture.h"

/* --- tests --------------------------------------------------------------- */

static void
test_change(void **state)
{
	(void)state;
	assert_int_equal(change("gfd0164", NULL, 0, 1), 404);
	assert_int_equal(n_db, 0);
	assert_int_equal(change("gfd0164", "dns", 0, 6), 200);
	assert_int_equal(a.n, 6);
	assert_int_equal(a.n_fresh, 6);
	whole("gfd0164", 6);
	assert_int_equal(n_items, 1 + 6 + 1);
	assert_int_equal(change("gfd0164", "dns", 0, 7), 409);
	whole("gfd0164", 6);
	/* some are there */
	assert_int_equal(change("gfd0164", NULL, 4, 5), 200);
	assert_int_equal(a.n, 9);
	assert_int_equal(a.n_fresh, 3);
	assert_false(a.fresh[0] || a.fresh[1]);
	assert_true(a.fresh[2] && a.fresh[3] && a.fresh[4]);
	whole("gfd0164", 9);
	/* all are: nothing is said */
	n_items = 0;
	assert_int_equal(change("gfd0164", NULL, 0, 9), 200);
	assert_int_equal(a.n_fresh, 0);
	assert_int_equal(n_items, 0);
	/* a group whose id goes on */
	assert_int_equal(change("gfd016", NULL, 0, 1), 404);
	assert_int_equal(change("gfd016", "dns", 0, 0), 200);
	whole("gfd016", 0);
}

static void
test_many(void **state)
{
	(void)state;
	assert_int_equal(change("ga", "dns", 0, GROUP_UIDS), 200);
	assert_int_equal(a.n_fresh, GROUP_UIDS);
	whole("ga", GROUP_UIDS);
	/* 14, then 15 at a time, his own each, the index */
	assert_int_equal(n_items, 1 + (GROUP_UIDS - 14 + 14) / 15 + 200 + 1);
}

static void
test_twice_in_one(void **state)
{
	struct str uids[] = {STR_LIT("u00000"), STR_LIT("u00001"),
	    STR_LIT("u00000"), STR_LIT("u00001")};
	struct groups_change c = {.rid = STR_LIT("ga"),
	    .name = STR_LIT("dns"),
	    .uids = uids,
	    .n_uids = 4};

	(void)state;
	memset(&a, 0, sizeof a);
	a.call.done = on_changed;
	groups_change(&srv, &c, &a.call);
	run();
	assert_int_equal(a.code, 200);
	assert_int_equal(a.n, 2);
	assert_true(a.fresh[0] && a.fresh[1]);
	assert_false(a.fresh[2] || a.fresh[3]);
	whole("ga", 2);
}

/* whatever item is the last one: asked again it is whole, and only then there
 */
static void
test_cut_short(void **state)
{
	unsigned at, ends = 0;

	for (at = 1; ends == 0; at++) {
		setup(state);
		dies_at = at;
		if (change("ga", "dns", 0, 40) == 200) {
			ends = at;
			break;
		}
		assert_int_equal(a.code, 503);
		assert_null(find(STR_LIT("c:"), STR_LIT("grp:ga")));
		dies_at = 0;
		assert_int_equal(change("ga", "dns", 0, 40), 200);
		whole("ga", 40);
		/* each was told once */
		assert_int_equal(n_items <= 3 + 1 + 40 + 1, 1);
	}
	assert_int_equal(ends, 3 + 40 + 1 + 1);
	for (at = 1; at <= 2 + 20 + 1; at++) {
		setup(state);
		assert_int_equal(change("ga", "dns", 0, 20), 200);
		n_steps = n_items = 0;
		dies_at = at;
		assert_int_equal(change("ga", NULL, 20, 20), 503);
		dies_at = 0;
		assert_int_equal(change("ga", NULL, 20, 20), 200);
		whole("ga", 40);
	}
}

static void
somebody(void)
{
	begin(&other, "ga", NULL, 10, 20);
	run();
	assert_int_equal(other.code, 200);
}

/* another server changes the group between any two of our items */
static void
test_overtaken(void **state)
{
	(void)state;
	for (unsigned at = 0; at < 24; at++) {
		unsigned before;

		setup(state);
		assert_int_equal(change("ga", "dns", 0, 5), 200);
		before = n_steps;
		begin(&a, "ga", NULL, 5, 15);
		while (n_calls > 0 && n_steps < before + at)
			run();
		before_step = somebody;
		run();
		assert_int_equal(a.code, 200);
		if (before_step != NULL)
			somebody();
		before_step = NULL;
		whole("ga", 30);
	}
}

static void
test_bounds(void **state)
{
	char key[STATE_KEY_MAX + 1];

	(void)state;
	/* groups of a user */
	assert_int_equal(change("ga", "dns", 0, 1), 200);
	for (unsigned i = 0; i < GROUPS_OF_USER - 1; i++) {
		snprintf(key, sizeof key, "g:gb%05x", i);
		set(STR_LIT("u:u00001"), str_of(key), STR_LIT("member"), 1);
	}
	assert_int_equal(change("ga", NULL, 1, 1), 200);
	assert_int_equal(count("u:u00001", "g:"), GROUPS_OF_USER);
	assert_int_equal(change("gc", "dns", 1, 1), 403);
	assert_null(find(STR_LIT("c:"), STR_LIT("grp:gc")));
	/* where he is he stays */
	assert_int_equal(change("ga", NULL, 1, 2), 200);
	whole("ga", 3);
	/* members of a group */
	set(STR_LIT("r:ga"), STR_LIT("n"), STR_LIT("9998"), ++seq);
	assert_int_equal(change("ga", NULL, 2, 4), 403);
	assert_int_equal(change("ga", NULL, 2, 3), 200);
	assert_int_equal(a.n, GROUP_MEMBERS);
	assert_int_equal(change("ga", NULL, 5, 1), 403);
}

/* --- lists ---------------------------------------------------------------- */

static struct groups_list list;
static unsigned listed;

static void
on_list(struct groups_list *l, unsigned code)
{
	(void)l;
	assert_int_equal(code, 200);
	listed++;
}

static void
test_lists(void **state)
{
	static struct state_rec recs[4000];
	char uid[16];
	struct str rest;

	(void)state;
	listed = 0;
	for (unsigned i = 0; i < 2500; i += 125)
		assert_int_equal(
		    change("ga", i == 0 ? "dns" : NULL, i, 125), 200);
	list.done = on_list;
	groups_list_members(&srv, STR_LIT("ga"), &list);
	run();
	assert_int_equal(listed, 1);
	assert_int_equal(list.n, 2500);
	rest = buf_str(&list.recs);
	for (unsigned i = 0; i < list.n; i++)
		assert_int_equal(frames_states_next(&rest, &recs[i]), 0);
	/* the newest first, in each change from the last to the first */
	group_sort_members(recs, list.n);
	for (unsigned i = 0; i < list.n; i++) {
		snprintf(uid, sizeof uid, "u%05u", 2499 - i);
		assert_true(str_eqc(group_member_uid(&recs[i]), uid));
	}
	groups_list_end(&list);
	groups_list_of(&srv, STR_LIT("u00007"), &list);
	run();
	assert_int_equal(list.n, 1);
	rest = buf_str(&list.recs);
	assert_int_equal(frames_states_next(&rest, &recs[0]), 0);
	assert_true(str_eqc(group_of_rid(&recs[0]), "ga"));
	groups_list_end(&list);
	groups_list_all(&srv, &list);
	run();
	assert_int_equal(list.n, 1);
	groups_list_end(&list);
}

/* what damage, or another program, may have written */
static void
test_odd_records(void **state)
{
	static const char *const bad[][2] = {{"grp:ga", ""}, {"grp:ga", "{"},
	    {"grp:ga", "[]"}, {"grp:ga", "{\"name\":\"\"}"},
	    {"grp:ga", "{\"name\":\"x\",\"created\":1,\"updated\":1}"},
	    {"grp:ga", "{\"name\":\"x\",\"created\":1,\"updated\":1,\"n\":-1}"},
	    {"grp:x", "{\"name\":\"x\",\"created\":1,\"updated\":1,\"n\":1}"},
	    {"grp:", "{\"name\":\"x\",\"created\":1,\"updated\":1,\"n\":1}"}};
	struct group_info g;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct state_rec rec = {
		    .key = str_of(bad[i][0]), .val = str_of(bad[i][1])};

		assert_false(group_info_read(&rec, &g));
	}
	assert_false(str_is_set(
	    group_member_uid(&(struct state_rec){.key = STR_LIT("m:")})));
	assert_false(str_is_set(
	    group_member_uid(&(struct state_rec){.key = STR_LIT("m:a b")})));
	assert_false(str_is_set(
	    group_of_rid(&(struct state_rec){.key = STR_LIT("g:12")})));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup(t, setup)
	    T(test_change),
	    T(test_many),
	    T(test_twice_in_one),
	    T(test_cut_short),
	    T(test_overtaken),
	    T(test_bounds),
	    T(test_lists),
	    T(test_odd_records),
#undef T
	};

	map_init();
	json_init();
	srv.node_no = 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
