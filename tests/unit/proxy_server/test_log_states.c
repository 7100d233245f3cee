/* SPDX-License-Identifier: MIT */
/*
 * Pages of state records (log_states.h): which keys, in what order, from where
 * on, how many in all, and that a page has bounds.
 */
#include <stdio.h>

#include "proxy_server/log_states.h"
#include "shared/base/map.h"
#include "tests/unit/proxy_server/log_fixture.h"

static struct state_rec recs[STATES_PAGE_MAX];

/* one item with n states PREFIX000.. from `from` on */
static void
put(struct fix *f, const char *chan, const char *prefix, unsigned from,
    unsigned n, struct str val)
{
	struct f_append a = fix_append(chan, "1001", NULL, "");
	char keys[STATES_MAX][STATE_KEY_MAX + 1], cid[32];
	static unsigned serial;

	snprintf(cid, sizeof cid, "c%u", serial++);
	a.item.cid = str_of(cid);
	a.item.kind = ITEM_MEMBER;
	for (unsigned i = 0; i < n; i++) {
		snprintf(keys[i], sizeof keys[i], "%s%04u", prefix, from + i);
		a.states[a.n_states++] =
		    (struct state_rec){.key = str_of(keys[i]), .val = val};
	}
	assert_int_equal(fix_do(f, &a)->code, 200);
}

static struct f_states
ask(const char *chan, const char *prefix, uint16_t n)
{
	return (struct f_states){.rid = 7,
	    .chan = str_of(chan),
	    .prefix = str_of(prefix),
	    .n = n,
	    .count = true};
}

static void
test_prefix(void **state)
{
	struct fix *f = *state;
	struct f_states q = ask("r:12", "m:", 10);
	struct f_stated st = fix_states(f, &q, recs);

	/* no such channel */
	assert_int_equal(st.code, 200);
	assert_int_equal(st.n + st.count + st.more, 0);
	put(f, "r:12", "m:", 1, 3, STR_LIT("member 0"));
	put(f, "r:12", "l:", 1, 2, STR_LIT("x"));
	put(f, "r:12", "m;", 1, 2, STR_LIT("x"));
	put(f, "r:13", "m:", 1, 2, STR_LIT("x"));
	assert_int_equal(fix_set(f, "r:12", "m", "x"), 0);
	assert_int_equal(fix_set(f, "r:12", "m:", "itself"), 0);
	assert_int_equal(fix_set(f, "r:12", "m:\xef\xbf\xbf", "last"), 0);
	(void)fix_get(f, "r:12", "m");
	st = fix_states(f, &q, recs);
	assert_int_equal(st.code, 200);
	assert_true(str_eqc(st.ep, f->ep));
	assert_int_equal(st.n, 5);
	assert_int_equal(st.count, 5);
	assert_false(st.more);
	assert_true(str_eqc(recs[0].key, "m:"));
	assert_true(str_eqc(recs[1].key, "m:0001"));
	assert_true(str_eqc(recs[1].val, "member 0"));
	assert_int_equal(recs[1].rev, 1);
	assert_true(str_eqc(recs[3].key, "m:0003"));
	assert_true(str_eqc(recs[4].val, "last"));
	q.count = false;
	assert_int_equal(fix_states(f, &q, recs).count, 0);
	/* gone is gone */
	put(f, "r:12", "m:", 2, 1, STR_NONE);
	q.count = true;
	st = fix_states(f, &q, recs);
	assert_int_equal(st.n, 4);
	assert_int_equal(st.count, 4);
	assert_true(str_eqc(recs[2].key, "m:0003"));
}

/* all of them, once, over pages of any size */
static void
test_paged(void **state)
{
	struct fix *f = *state;
	char after[STATE_KEY_MAX + 1], want[16];

	for (unsigned i = 0; i < 160; i += 16)
		put(f, "r:12", "m:", i, 16, STR_LIT("member"));
	for (uint16_t n = 1; n <= 161; n += 40) {
		struct f_states q = ask("r:12", "m:", n);
		struct f_stated st;
		unsigned seen = 0;

		do {
			st = fix_states(f, &q, recs);
			assert_int_equal(st.count, 160);
			assert_true(st.n <= n);
			for (unsigned i = 0; i < st.n; i++) {
				snprintf(want, sizeof want, "m:%04u", seen++);
				assert_true(str_eqc(recs[i].key, want));
			}
			if (st.more) {
				str_copy(
				    after, sizeof after, recs[st.n - 1].key);
				q.after = str_of(after);
			}
		} while (st.more);
		assert_int_equal(seen, 160);
	}
}

/* by bytes: large values make short pages, and none gets lost */
static void
test_bytes(void **state)
{
	static char big[STATE_VAL_MAX];
	struct fix *f = *state;
	struct f_states q = ask("r:12", "m:", STATES_PAGE_MAX);
	struct f_stated st;
	char after[STATE_KEY_MAX + 1];

	memset(big, 'x', sizeof big);
	for (unsigned i = 0; i < 96; i += 16)
		put(f, "r:12", "m:", i, 16, str_n(big, sizeof big));
	st = fix_states(f, &q, recs);
	assert_true(st.more);
	assert_true(st.n >= 60 && st.n < 70);
	str_copy(after, sizeof after, recs[st.n - 1].key);
	q.after = str_of(after);
	assert_int_equal(fix_states(f, &q, recs).n, 96 - st.n);
}

/* what is acknowledged is in the next page, and after a restart too */
static void
test_fresh(void **state)
{
	struct fix *f = *state;
	struct f_states q = ask("u:1001", "g:", 1000);

	for (unsigned i = 0; i < 20; i++) {
		put(f, "u:1001", "g:g", i, 1, STR_LIT("member"));
		assert_int_equal(fix_states(f, &q, recs).n, i + 1);
	}
	fix_close(f);
	fix_open(f);
	assert_int_equal(fix_states(f, &q, recs).count, 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, fix_setup_open, fix_teardown)
	    T(test_prefix),
	    T(test_paged),
	    T(test_bytes),
	    T(test_fresh),
#undef T
	};

	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
