/* SPDX-License-Identifier: MIT */
/* Maps: find, remove while iterating, and that the seed changes the hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <stdio.h>
#include <stdlib.h>

#include "shared/base/err.h"
#include "shared/base/map.h"

struct item {
	char name[16];
	unsigned n;
	UT_hash_handle hh;
};

static void
test_items(void **state)
{
	struct item *map = NULL, *it, *tmp;
	unsigned left = 0;

	(void)state;
	map_init();
	HASH_FIND(hh, map, "none", 4, it);
	assert_null(it);
	for (unsigned i = 0; i < 5000; i++) {
		it = xcalloc(1, sizeof *it);
		snprintf(it->name, sizeof it->name, "room-%u", i);
		it->n = i;
		HASH_ADD(hh, map, name, (unsigned)strlen(it->name), it);
	}
	assert_int_equal(HASH_COUNT(map), 5000);
	HASH_FIND(hh, map, "room-4711", 9, it);
	assert_non_null(it);
	assert_int_equal(it->n, 4711);
	HASH_FIND(hh, map, "room-5000", 9, it);
	assert_null(it);
	HASH_ITER (hh, map, it, tmp)
		if (it->n % 2) {
			HASH_DEL(map, it);
			free(it);
		}
	HASH_FIND(hh, map, "room-4711", 9, it);
	assert_null(it);
	HASH_ITER (hh, map, it, tmp) {
		left++;
		HASH_DEL(map, it);
		free(it);
	}
	assert_int_equal(left, 2500);
	assert_null(map);
}

static void
test_seed(void **state)
{
	unsigned a, b;
	uint64_t before;

	(void)state;
	map_init();
	before = map_seed;
	HASH_FUNCTION("user", 4, a);
	HASH_FUNCTION("user", 4, b);
	assert_int_equal(a, b);
	map_init();
	assert_true(map_seed != before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_items),
	    cmocka_unit_test(test_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
