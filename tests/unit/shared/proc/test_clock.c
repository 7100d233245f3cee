/* SPDX-License-Identifier: MIT */
/* The clocks run, and a test can turn them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "shared/proc/clock.h"

static void
test_real(void **state)
{
	int64_t a = clock_mono_us(), b, wall = (int64_t)time(NULL);

	(void)state;
	do
		b = clock_mono_us();
	while (b == a);
	assert_true(b > a);
	assert_true(clock_mono_ms() >= a / 1000);
	assert_in_range(clock_wall_ms(), (wall - 1) * 1000, (wall + 60) * 1000);
}

static void
test_turned(void **state)
{
	(void)state;
	clock_test_set(1700000000123, 5000);
	assert_int_equal(clock_wall_ms(), 1700000000123);
	assert_int_equal(clock_mono_ms(), 5000);
	assert_int_equal(clock_mono_us(), 5000000);
	assert_int_equal(clock_mono_us(), 5000000);
	clock_test_set(0, 0);
	assert_true(clock_wall_ms() != 1700000000123);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_real),
	    cmocka_unit_test(test_turned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
