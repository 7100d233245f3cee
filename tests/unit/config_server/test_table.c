/* SPDX-License-Identifier: MIT */
/* Tables of cchatctl: aligned by what a terminal shows, safe to print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_server/ctl/ctl_table.h"

static const char *const head[] = {"NAME", ">N", "WHAT", NULL};

static char *
printed(struct table *t, const char *none)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = tmpfile();

	assert_non_null(f);
	table_print(t, f, none);
	n = (size_t)ftell(f);
	rewind(f);
	text = calloc(1, n + 1);
	assert_int_equal(fread(text, 1, n, f), n);
	fclose(f);
	return text;
}

static void
test_width(void **state)
{
	(void)state;
	assert_int_equal(table_width(STR_LIT("")), 0);
	assert_int_equal(table_width(STR_LIT("amy")), 3);
	assert_int_equal(table_width(STR_LIT("张三")), 4);
	assert_int_equal(table_width(STR_LIT("ａ")), 2);
	assert_int_equal(table_width(STR_LIT("é")), 1);
	assert_int_equal(table_width(STR_LIT("e\xcc\x81")), 1);
	assert_int_equal(table_width(STR_LIT("\xf0\x9f\x98\x80")), 2);
	/* what is no UTF-8 counts byte by byte */
	assert_int_equal(table_width(STR_LIT("\xff\xe5\xbc")), 3);
	assert_int_equal(table_width(str_n("\xe5", 1)), 1);
}

static void
test_aligned(void **state)
{
	struct table t;
	char *text;

	(void)state;
	table_init(&t, head);
	table_put(&t, STR_LIT("张三"), TABLE_GREEN);
	table_putf(&t, TABLE_PLAIN, "%d", 5);
	table_put(&t, STR_LIT("x"), TABLE_PLAIN);
	table_put(&t, STR_LIT("robert"), TABLE_PLAIN);
	table_putf(&t, TABLE_PLAIN, "%d", 1234);
	table_put(&t, STR_LIT("y"), TABLE_PLAIN);
	text = printed(&t, "none");
	assert_string_equal(text, "NAME       N  WHAT\n"
				  "张三       5  x\n"
				  "robert  1234  y\n");
	free(text);
}

static void
test_empty(void **state)
{
	struct table t;
	char *text;

	(void)state;
	table_init(&t, head);
	text = printed(&t, "no servers");
	assert_string_equal(text, "no servers\n");
	free(text);
}

/* names come from people */
static void
test_hostile(void **state)
{
	struct table t;
	char *text;

	(void)state;
	table_init(&t, head);
	table_put(&t, STR_LIT("\033[2Ja\nb\x7f\xc2\x9b"), TABLE_PLAIN);
	table_put(&t, STR_LIT("\xff"), TABLE_PLAIN);
	table_put(&t, STR_LIT(""), TABLE_PLAIN);
	text = printed(&t, "none");
	assert_null(strchr(text, '\033'));
	assert_null(strchr(text, '\x7f'));
	assert_null(strstr(text, "\xc2\x9b"));
	assert_null(strchr(text, '\xff'));
	assert_non_null(strstr(text, "?[2Ja?b"));
	free(text);
}

static void
test_age(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} t[] = {{-5, "0 s"}, {999, "0 s"}, {119999, "119 s"},
	    {120000, "2 min"}, {7200000, "2 h"}, {172800000, "2 d"}};
	char age[32];

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		table_age(t[i].ms, age, sizeof age);
		assert_string_equal(age, t[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_width),
	    cmocka_unit_test(test_aligned), cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_hostile), cmocka_unit_test(test_age)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
