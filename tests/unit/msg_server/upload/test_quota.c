/* SPDX-License-Identifier: MIT */
/*
 * The table of who has uploaded how much: a day, at once, and its bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "msg_server/upload/quota.h"

static struct quota *q;
static uint32_t wait_s;

static int
setup(void **state)
{
	(void)state;
	q = quota_new();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	quota_free(q);
	quota_free(NULL);
	return 0;
}

static int
take(const char *key, uint64_t n, uint32_t now_s)
{
	return quota_take(q, str_of(key), n, 100, 2, now_s, &wait_s);
}

static void
test_a_day(void **state)
{
	(void)state;
	assert_int_equal(take("amy", 60, 1000), 0);
	quota_end(q, STR_LIT("amy"), 0);
	assert_int_equal(take("amy", 41, 1010), ERR_LIMIT);
	assert_int_equal(wait_s, QUOTA_DAY_S - 10);
	assert_int_equal(take("amy", 40, 1010), 0);
	assert_int_equal(take("amy", 1, 1010), ERR_LIMIT);
	/* what never came may come later */
	quota_end(q, STR_LIT("amy"), 30);
	assert_int_equal(take("amy", 30, 1011), 0);
	quota_end(q, STR_LIT("amy"), 0);
	assert_int_equal(take("bob", 100, 1011), 0);
	assert_int_equal(take("carol", 101, 1011), ERR_LIMIT);
	/* the next one */
	assert_int_equal(take("amy", 1, 1000 + QUOTA_DAY_S - 1), ERR_LIMIT);
	assert_int_equal(take("amy", 100, 1000 + QUOTA_DAY_S), 0);
	/* more than it had is given back to it: nothing is what it has then */
	quota_end(q, STR_LIT("amy"), 1000);
	quota_end(q, STR_LIT("nobody"), 1000);
	assert_int_equal(take("amy", 100, 1000 + QUOTA_DAY_S), 0);
	assert_int_equal(
	    take("amy", UINT64_MAX, 1000 + QUOTA_DAY_S), ERR_LIMIT);
}

static void
test_at_once(void **state)
{
	(void)state;
	assert_int_equal(take("amy", 1, 0), 0);
	assert_int_equal(take("amy", 1, 0), 0);
	assert_int_equal(take("amy", 1, 0), ERR_BUSY);
	/* also over midnight */
	assert_int_equal(take("amy", 1, QUOTA_DAY_S), ERR_BUSY);
	quota_end(q, STR_LIT("amy"), 0);
	assert_int_equal(take("amy", 1, 0), 0);
	/* no number: any */
	assert_int_equal(
	    quota_take(q, STR_LIT("amy"), 1, 100, 0, 0, &wait_s), 0);
}

static void
test_bound(void **state)
{
	char key[QUOTA_KEY_MAX + 1];
	unsigned i;

	(void)state;
	memset(key, 'k', sizeof key);
	assert_int_equal(
	    quota_take(q, str_n(key, QUOTA_KEY_MAX), 1, 100, 0, 0, &wait_s),
	    ERR_FULL);
	for (i = 0; i < QUOTA_MAX; i++) {
		snprintf(key, sizeof key, "u%u", i);
		assert_int_equal(take(key, 1, 10), 0);
		/* the first one goes on */
		if (i > 0)
			quota_end(q, str_of(key), 0);
	}
	assert_int_equal(take("more", 1, 20), ERR_FULL);
	assert_int_equal(quota_count(q), QUOTA_MAX);
	/* who is in it, is */
	assert_int_equal(take("u5", 1, 20), 0);
	quota_end(q, STR_LIT("u5"), 0);
	/* one who has nothing any more makes room */
	assert_int_equal(take("u7", 0, 21), 0);
	quota_end(q, STR_LIT("u7"), 1);
	assert_int_equal(take("more", 1, 21), 0);
	assert_int_equal(quota_count(q), QUOTA_MAX);
	/* and a day later all but those who are under way */
	assert_int_equal(take("yet another", 1, 21 + QUOTA_DAY_S), 0);
	assert_int_equal(quota_count(q), 3);
	assert_int_equal(take("u0", 1, 21 + QUOTA_DAY_S), 0);
	assert_int_equal(take("u0", 1, 21 + QUOTA_DAY_S), ERR_BUSY);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
	    T(test_a_day), T(test_at_once), T(test_bound)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
