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

/* a full table, of n bytes each; u0 goes on */
static void
fill(uint64_t n, uint32_t now_s)
{
	char key[QUOTA_KEY_MAX];
	unsigned i;

	for (i = 0; quota_count(q) < QUOTA_MAX; i++) {
		snprintf(key, sizeof key, "u%u", i);
		assert_int_equal(
		    quota_take(q, str_of(key), n, 2 * n, 2, now_s, &wait_s), 0);
		if (i > 0)
			quota_end(q, str_of(key), 0);
	}
}

static int
take_much(const char *key, uint64_t n, uint32_t now_s)
{
	return quota_take(
	    q, str_of(key), n, 2 * (uint64_t)QUOTA_LITTLE, 2, now_s, &wait_s);
}

static void
test_bound(void **state)
{
	char key[QUOTA_KEY_MAX + 1];

	(void)state;
	memset(key, 'k', sizeof key);
	assert_int_equal(
	    quota_take(q, str_n(key, QUOTA_KEY_MAX), 1, 100, 0, 0, &wait_s),
	    ERR_FULL);
	fill(QUOTA_LITTLE, 10);
	assert_int_equal(take_much("more", 1, 20), ERR_FULL);
	assert_int_equal(quota_count(q), QUOTA_MAX);
	/* who is in it, is */
	assert_int_equal(take_much("u5", 1, 20), 0);
	quota_end(q, STR_LIT("u5"), 0);
	/* one who has nothing any more makes room */
	assert_int_equal(take_much("u7", 0, 21), 0);
	quota_end(q, STR_LIT("u7"), QUOTA_LITTLE);
	assert_int_equal(take_much("more", 1, 21), 0);
	assert_int_equal(quota_count(q), QUOTA_MAX);
	/* and a day later all but those who are under way */
	assert_int_equal(take_much("yet another", 1, 21 + QUOTA_DAY_S), 0);
	assert_int_equal(quota_count(q), 3);
	assert_int_equal(take_much("u0", 1, 21 + QUOTA_DAY_S), 0);
	assert_int_equal(take_much("u0", 1, 21 + QUOTA_DAY_S), ERR_BUSY);
}

/* many names with a byte each keep nobody out */
static void
test_little(void **state)
{
	(void)state;
	assert_int_equal(take_much("amy", QUOTA_LITTLE, 5), 0);
	quota_end(q, STR_LIT("amy"), 0);
	fill(1, 10);
	assert_int_equal(take_much("more", 1, 20), 0);
	/* who has brought much is still known, and who is under way */
	assert_int_equal(quota_count(q), 3);
	assert_int_equal(take_much("amy", QUOTA_LITTLE + 1, 20), ERR_LIMIT);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
	    T(test_a_day), T(test_at_once), T(test_bound), T(test_little)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
