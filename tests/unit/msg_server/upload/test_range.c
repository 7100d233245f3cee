/* SPDX-License-Identifier: MIT */
/*
 * The field Range, of files of several sizes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "msg_server/upload/range.h"

static void
test_range(void **state)
{
	static const struct {
		const char *field;
		uint64_t size;
		enum range r;
		uint64_t from, len;
	} t[] = {{"bytes=0-0", 100, RANGE_PART, 0, 1},
	    {"bytes=0-99", 100, RANGE_PART, 0, 100},
	    {"bytes=0-100", 100, RANGE_PART, 0, 100},
	    {"bytes= 5-9 ", 100, RANGE_PART, 5, 5},
	    {"bytes=99-", 100, RANGE_PART, 99, 1},
	    {"bytes=100-", 100, RANGE_NONE, 0, 0},
	    {"bytes=-1", 100, RANGE_PART, 99, 1},
	    {"bytes=-100", 100, RANGE_PART, 0, 100},
	    {"bytes=-101", 100, RANGE_PART, 0, 100},
	    {"bytes=-0", 100, RANGE_NONE, 0, 0},
	    {"bytes=0-", 0, RANGE_NONE, 0, 0},
	    {"bytes=-5", 0, RANGE_NONE, 0, 0},
	    {"bytes=7-18446744073709551615", 100, RANGE_PART, 7, 93},
	    {"bytes=18446744073709551615-", 100, RANGE_NONE, 0, 0},
	    {"bytes=18446744073709551616-", 100, RANGE_ALL, 0, 0},
	    {"bytes=9-8", 100, RANGE_ALL, 0, 0},
	    {"bytes=-", 100, RANGE_ALL, 0, 0}, {"bytes=", 100, RANGE_ALL, 0, 0},
	    {"bytes=1", 100, RANGE_ALL, 0, 0},
	    {"bytes=0-1,3-4", 100, RANGE_ALL, 0, 0},
	    {"bytes=+1-2", 100, RANGE_ALL, 0, 0},
	    {"bytes=1 -2", 100, RANGE_ALL, 0, 0},
	    {"pages=1-2", 100, RANGE_ALL, 0, 0}, {"", 100, RANGE_ALL, 0, 0}};
	uint64_t from, len;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(
		    range_parse(str_of(t[i].field), t[i].size, &from, &len),
		    t[i].r);
		if (t[i].r == RANGE_NONE)
			continue;
		assert_int_equal(from, t[i].from);
		assert_int_equal(
		    len, t[i].r == RANGE_ALL ? t[i].size : t[i].len);
	}
	assert_int_equal(range_parse(STR_NONE, 5, &from, &len), RANGE_ALL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_range)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
