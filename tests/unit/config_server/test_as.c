/* SPDX-License-Identifier: MIT */
/* Ports of the older systems, as flags of a msg_server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "config_server/ctl/live/as.h"

static struct as_flags f;

static const char *
value(const char *flag)
{
	for (int i = 0; i < f.n; i++)
		if (!strcmp(f.flag[i], flag))
			return f.value[i];
	return "";
}

static void
test_flags(void **state)
{
	(void)state;
	as_flags("cchat", "0.0.0.0:9503", 0, &f);
	assert_string_equal(value("--dialects"), "cchat,webim,workerman");
	assert_int_equal(f.n, 1);

	as_flags("workerman", "0.0.0.0:9503", 2, &f);
	assert_string_equal(value("--listeners"),
	    "0.0.0.0:7272 workerman,0.0.0.0:55151 workerman");
	assert_string_equal(value("--register"), "0.0.0.0:1236");
	assert_string_equal(value("--gateway"), "0.0.0.0:2302");

	/* 9503 is the port of both: the first has its HTTP */
	as_flags("webim", "[::1]:9503", 0, &f);
	assert_string_equal(
	    value("--dialects"), "webim,webim2019,cchat,workerman");
	assert_string_equal(value("--listeners"), "[::1]:8888 webim webim2019");
	as_flags("cchat, webim", "127.0.0.1:80", 0, &f);
	assert_string_equal(value("--dialects"), "cchat,webim,workerman");
	assert_string_equal(value("--listeners"),
	    "127.0.0.1:9503 webim webim2019,127.0.0.1:8888 webim "
	    "webim2019");

	as_flags("meteor,sok", "127.0.0.1:9503", 0, &f);
	assert_string_equal(value("--listeners"),
	    "127.0.0.1:8000 meteor,127.0.0.1:9501 sok,127.0.0.1:8880 push");
	assert_string_equal(
	    value("--udp-push"), "127.0.0.1:9502,127.0.0.1:9601");
}

static void
test_words(void **state)
{
	static const char *const bad[] = {
	    "x", "cchat,x", "cchat,", ",cchat", "Sok", "cchat workerman"};
	char word[32];

	(void)state;
	assert_null(as_unknown("", word));
	assert_null(as_unknown("cchat", word));
	assert_null(as_unknown("cchat, workerman,webim,meteor , sok", word));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_non_null(as_unknown(bad[i], word));
	assert_string_equal(
	    as_unknown("a-word-that-is-longer-than-anybody-writes", word),
	    "a-word-that-is-longer-than-anyb");
}

static void
test_ports(void **state)
{
	char address[ADDR_TEXT_MAX], page[64];
	size_t n = 0;

	(void)state;
	assert_false(as_port("", "127.0.0.1:9503", 0, address));
	as_page("", "127.0.0.1:9503", page, sizeof page);
	assert_string_equal(page, "");
	while (
	    as_port("workerman,webim,meteor,sok", "127.0.0.1:9503", n, address))
		n++;
	assert_int_equal(n, 8);
	assert_true(as_port("workerman", "127.0.0.1:9503", 3, address));
	assert_string_equal(address, "127.0.0.1:2300");
	as_page("workerman,meteor", "127.0.0.1:9503", page, sizeof page);
	assert_string_equal(page, "127.0.0.1:55151");
	as_page("sok,meteor", "127.0.0.1:9503", page, sizeof page);
	assert_string_equal(page, "");
}

/* a long poll finds its session in one process only */
static void
test_servers(void **state)
{
	(void)state;
	assert_int_equal(as_servers(""), 2);
	assert_int_equal(as_servers("workerman,meteor"), 2);
	assert_int_equal(as_servers("webim"), 1);
	assert_int_equal(as_servers("sok, webim"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_flags),
	    cmocka_unit_test(test_words), cmocka_unit_test(test_ports),
	    cmocka_unit_test(test_servers)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
