/* SPDX-License-Identifier: MIT */
/*
 * Who came last to a place, with others coming and going in any order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "msg_server/upload/near.h"

static void
test_last(void **state)
{
	struct near *n = near_new();
	int here, there;

	(void)state;
	assert_int_equal(near_find(n, &here), 0);
	assert_int_equal(near_find(n, NULL), 0);
	near_add(n, 1, &here);
	near_add(n, 2, &there);
	near_add(n, 3, &here);
	near_add(n, 1ULL << 40, NULL);
	assert_int_equal(near_find(n, &here), 3);
	assert_int_equal(near_find(n, &there), 2);
	assert_int_equal(near_find(n, NULL), 1ULL << 40);
	/* an older one goes, the newest one goes, the last one */
	near_add(n, 4, &here);
	near_del(n, 3);
	assert_int_equal(near_find(n, &here), 4);
	near_del(n, 4);
	assert_int_equal(near_find(n, &here), 1);
	near_del(n, 1);
	near_del(n, 1);
	near_del(n, 77);
	assert_int_equal(near_find(n, &here), 0);
	assert_int_equal(near_find(n, &there), 2);
	assert_int_equal(near_count(n), 2);
	near_add(n, 5, &here);
	assert_int_equal(near_find(n, &here), 5);
	near_free(n);
	near_free(NULL);
}

static void
test_many(void **state)
{
	enum { MANY = 3000, PLACES = 37 };
	struct near *n = near_new();
	char place[PLACES];
	uint64_t i, p;

	(void)state;
	for (i = 1; i <= MANY; i++)
		near_add(n, i, &place[i % PLACES]);
	/* one out of two goes: all even ones */
	for (i = 2; i <= MANY; i += 2)
		near_del(n, i);
	assert_int_equal(near_count(n), MANY / 2);
	for (p = 0; p < PLACES; p++) {
		for (i = MANY; i % PLACES != p || i % 2 == 0; i--)
			;
		assert_int_equal(near_find(n, &place[p]), i);
	}
	for (i = MANY; i > 0; i--)
		near_del(n, i);
	assert_int_equal(near_count(n), 0);
	for (p = 0; p < PLACES; p++)
		assert_int_equal(near_find(n, &place[p]), 0);
	near_free(n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_last),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
