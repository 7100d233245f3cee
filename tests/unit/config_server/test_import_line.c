/* SPDX-License-Identifier: MIT */
/*
 * Lines of credentials: both forms, their bounds, and what is none of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "config_server/ctl/tool/import_line.h"

static char got[2048];

static void
on_one(void *arg, const struct import_credential *c)
{
	size_t n = strlen(got);

	assert_ptr_equal(arg, got);
	snprintf(got + n, sizeof got - n, "%.*s/%.*s/%.*s/%lld ",
	    STR_ARG(c->uid), STR_ARG(c->source), STR_ARG(c->token),
	    (long long)c->expires);
}

static int
line(const char *text)
{
	got[0] = '\0';
	return import_line(str_of(text), on_one, got);
}

static void
test_words(void **state)
{
	(void)state;
	assert_int_equal(line("7 app secret\n"), 1);
	assert_string_equal(got, "7/app/secret/0 ");
	assert_int_equal(line("  7\tapp   s:e/cret+== 1893456000 \r\n"), 1);
	assert_string_equal(got, "7/app/s:e/cret+==/1893456000 ");
	assert_int_equal(line(""), 0);
	assert_int_equal(line(" \r\n"), 0);
	assert_int_equal(line("# 7 app secret"), 0);
	assert_string_equal(got, "");
}

static void
test_words_refused(void **state)
{
	static const char *const bad[] = {"7", "7 app", "7 app t x",
	    "7 app t -1", "7 app t 1.5", "7 app t 1 2",
	    "7 app t 9223372036854775808", "a.b app t", "7 a,b t", "7 app a.b",
	    "123456789012345678901234567890123 app t"};
	char text[600];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(line(bad[i]), ERR_INVALID);
	for (i = 256; i <= 257; i++) {
		snprintf(text, sizeof text, "7 app %0*d", (int)i, 0);
		assert_int_equal(line(text), i == 256 ? 1 : ERR_INVALID);
	}
}

#define APP                                                          \
	"s:3:\"app\";a:3:{s:3:\"uid\";s:6:\"123456\";s:5:\"token\";" \
	"s:6:\"secret\";s:7:\"expires\";i:1893456000;}"
#define PC "s:2:\"pc\";a:3:{i:0;i:123456;i:1;s:2:\"t2\";i:2;s:1:\"0\";}"

static void
test_serialize(void **state)
{
	(void)state;
	assert_int_equal(line("think_serialize:a:1:{" APP "}\n"), 1);
	assert_string_equal(got, "123456/app/secret/1893456000 ");
	assert_int_equal(
	    line("login123456 think_serialize:a:2:{" APP PC "}"), 2);
	assert_string_equal(
	    got, "123456/app/secret/1893456000 123456/pc/t2/0 ");
	/* as redis-cli shows it */
	assert_int_equal(
	    line("1) \"think_serialize:a:1:{s:2:\\\"pc\\\";a:2:{s:3:\\\"uid"
		 "\\\";i:7;s:5:\\\"token\\\";s:4:\\\"a\\\\\\xc3\\xa9\\\";}}\""),
	    1);
	assert_string_equal(got, "7/pc/a\\\xc3\xa9/0 ");
	assert_int_equal(line("think_serialize:a:0:{}"), 0);
}

static void
test_serialize_refused(void **state)
{
	static const char *const bad[] = {
	    "think_serialize:", "think_serialize:b:0;", "think_serialize:a:1:{",
	    "think_serialize:a:1:{i:0;s:1:\"x\";}",
	    "think_serialize:a:1:{s:3:\"app\";s:1:\"x\";}",
	    "think_serialize:a:1:{s:3:\"app\";a:0:{}}",
	    "think_serialize:O:1:\"X\":0:{}", "\"think_serialize:a:0:{}",
	    "\"think_serialize:a:0:{}\\",
	    /* one of two is no good: neither is given */
	    "think_serialize:a:2:{" APP "s:1:\"x\";a:1:{i:0;i:1;}}"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(line(bad[i]), ERR_INVALID);
		assert_string_equal(got, "");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_words_refused),
	    cmocka_unit_test(test_serialize),
	    cmocka_unit_test(test_serialize_refused),
	};

	return cmocka_run_group_tests_name("import_line", tests, NULL, NULL);
}
