/* SPDX-License-Identifier: MIT */
/*
 * The books of the load generator: stamps, streams and quantiles. What they
 * say about a whole server is tested in bench.test.mjs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/bench/tally.h"

static void
test_stamp_is_found_in_any_bytes(void **state)
{
	struct stamp st = {0xbeef, 123456, 4000000000U, 0xabcdef012345}, got;
	char p[200] = "~zz {\"msg\":\"~";
	const char *end;

	(void)state;
	tally_text(p + 40, 100, &st);
	memset(p + 13, ' ', 27);
	end = tally_scan(p, 140, &got);
	assert_ptr_equal(end, p + 40 + TALLY_LEN);
	assert_int_equal(got.tag, st.tag);
	assert_int_equal(got.sender, st.sender);
	assert_int_equal(got.n, st.n);
	assert_int_equal(got.at_us, st.at_us);
	assert_null(tally_scan(end, (size_t)(p + 140 - end), &got));
	assert_null(tally_scan(p, 40 + TALLY_LEN - 1, &got));
}

static void
test_a_stream_tells_late_from_again(void **state)
{
	struct tally t = {0};
	struct stream s = {0};

	(void)state;
	assert_int_equal(tally_arrival(&t, &s, 1), ARRIVED);
	assert_int_equal(tally_arrival(&t, &s, 4), ARRIVED);
	assert_int_equal(tally_arrival(&t, &s, 3), ARRIVED_LATE);
	assert_int_equal(tally_arrival(&t, &s, 3), ARRIVED_AGAIN);
	assert_int_equal(tally_arrival(&t, &s, 4), ARRIVED_AGAIN);
	assert_int_equal(tally_arrival(&t, &s, 5), ARRIVED);
	assert_int_equal(tally_arrival(&t, &s, 2), ARRIVED_LATE);
	assert_int_equal(tally_arrival(&t, &s, 1), ARRIVED_AGAIN);
	assert_int_equal(t.arrived, 5);
	assert_int_equal(t.late, 2);
	assert_int_equal(t.again, 3);
}

static void
test_holes_are_remembered_for_64_numbers(void **state)
{
	struct tally t = {0};
	struct stream s = {0};

	(void)state;
	tally_arrival(&t, &s, 1);
	/* 2..63 are missing, and 2 is 62 back */
	assert_int_equal(tally_arrival(&t, &s, 64), ARRIVED);
	assert_int_equal(tally_arrival(&t, &s, 2), ARRIVED_LATE);
	assert_int_equal(tally_arrival(&t, &s, 1), ARRIVED_AGAIN);
	assert_int_equal(tally_arrival(&t, &s, 63), ARRIVED_LATE);
	/* a jump past all that is remembered */
	assert_int_equal(tally_arrival(&t, &s, 1000), ARRIVED);
	assert_int_equal(tally_arrival(&t, &s, 937), ARRIVED_LATE);
	assert_int_equal(tally_arrival(&t, &s, 1000), ARRIVED_AGAIN);
	assert_int_equal(tally_arrival(&t, &s, 936), ARRIVED_AGAIN);
}

static void
test_quantiles_are_near(void **state)
{
	static struct tally t;
	uint64_t us;
	double q;

	(void)state;
	for (us = 1; us <= 100000; us++)
		tally_latency(&t, us);
	for (us = 10; us < 100; us += 10) {
		q = tally_quantile(&t, (double)us / 100);
		assert_true(q <= (double)us * 1000 + 1);
		assert_true(q >= (double)us * 1000 * (1 - 1.0 / 64) - 1);
	}
	assert_int_equal(t.max_us, 100000);
	tally_latency(&t, UINT64_MAX); /* goes to the last one */
	assert_int_equal(t.count, 100001);
	assert_int_equal(tally_quantile(&(struct tally){0}, .5), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_stamp_is_found_in_any_bytes),
	    cmocka_unit_test(test_a_stream_tells_late_from_again),
	    cmocka_unit_test(test_holes_are_remembered_for_64_numbers),
	    cmocka_unit_test(test_quantiles_are_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
