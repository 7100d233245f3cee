/* SPDX-License-Identifier: MIT */
/*
 * Sessions (msg_server/session.h): packed strings, and buckets at their limit
 * and one beyond.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "msg_server/server.h"
#include "shared/proc/clock.h"

static void
test_strings(void **state)
{
	struct session s = {0};
	struct user u = {.channel.name = "u:1001"};

	(void)state;
	assert_false(str_is_set(session_name(&s)));
	assert_false(str_is_set(session_avatar(&s)));
	assert_false(str_is_set(session_uid(&s)));
	session_set_strings(
	    &s, STR_LIT("amy"), STR_LIT("/a.png"), STR_LIT("web"));
	assert_true(str_eqc(session_name(&s), "amy"));
	assert_true(str_eqc(session_avatar(&s), "/a.png"));
	assert_true(str_eqc(session_dev(&s), "web"));
	/* out of its own memory */
	session_set_strings(&s, session_name(&s), STR_NONE, session_avatar(&s));
	assert_true(str_eqc(session_name(&s), "amy"));
	assert_false(str_is_set(session_avatar(&s)));
	assert_true(str_eqc(session_dev(&s), "/a.png"));
	s.user = &u;
	assert_true(str_eqc(session_uid(&s), "1001"));
	session_drop_strings(&s);
}

static void
test_find(void **state)
{
	struct server srv = {0};
	struct session a = {.cn = 1ULL << 32 | 5}, b = {.cn = 2ULL << 32 | 5};

	(void)state;
	assert_null(session_find(&srv, a.cn));
	table_add(&srv.sessions, &a.by_cn, session_key);
	table_add(&srv.sessions, &b.by_cn, session_key);
	assert_ptr_equal(session_find(&srv, a.cn), &a);
	assert_ptr_equal(session_find(&srv, b.cn), &b);
	assert_null(session_find(&srv, 5));
	table_del(&srv.sessions, &a.by_cn, session_key);
	assert_null(session_find(&srv, a.cn));
	table_del(&srv.sessions, &b.by_cn, session_key);
}

static void
test_a_burst_then_the_rate(void **state)
{
	struct bucket b = {0};
	int64_t retry = 0;
	int i;

	(void)state;
	clock_test_set(1, 1000000);
	for (i = 0; i < 20; i++)
		assert_true(bucket_take(&b, 5, 20, &retry));
	assert_false(bucket_take(&b, 5, 20, &retry));
	assert_in_range(retry, 1, 201);
	/* exactly then it goes again, and only once */
	clock_test_set(1, 1000000 + retry);
	assert_true(bucket_take(&b, 5, 20, &retry));
	assert_false(bucket_take(&b, 5, 20, NULL));
	clock_test_set(1, 1000000 + 3600 * 1000);
	for (i = 0; i < 20; i++)
		assert_true(bucket_take(&b, 5, 20, &retry));
	assert_false(bucket_take(&b, 5, 20, &retry));
	clock_test_set(0, 0);
}

/* the low 32 bits of the clock run over every 49 days */
static void
test_the_clock_runs_over(void **state)
{
	struct bucket b = {0};
	int64_t retry;

	(void)state;
	clock_test_set(1, 0xffffff00LL);
	assert_true(bucket_take(&b, 1, 1, &retry));
	assert_false(bucket_take(&b, 1, 1, &retry));
	clock_test_set(1, 0xffffff00LL + 1000);
	assert_true(bucket_take(&b, 1, 1, &retry));
	clock_test_set(0, 0);
}

static void
test_the_largest_settings(void **state)
{
	struct bucket b = {0};
	uint32_t n = 0;

	(void)state;
	clock_test_set(1, 5000);
	while (n < 4000001 && bucket_take(&b, 1000000, 4000000, NULL))
		n++;
	assert_int_equal(n, 4000000);
	clock_test_set(0, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_strings),
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_a_burst_then_the_rate),
	    cmocka_unit_test(test_the_clock_runs_over),
	    cmocka_unit_test(test_the_largest_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
