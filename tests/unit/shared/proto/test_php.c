/* SPDX-License-Identifier: MIT */
/*
 * PHP's serialize(): what is read and refused, the rule of array keys, the
 * merge of two arrays, what is written, and each bound at it and one beyond.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/map.h"
#include "shared/proto/php.h"

/* reads and writes: the same bytes, or those of `want` */
static void
test_same(const char *text, const char *want)
{
	struct php p;
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(php_parse(&p, str_of(text)), 0);
	php_write(&p, &out);
	if (!str_eqc(buf_str(&out), want != NULL ? want : text))
		fail_msg("%s came out as %.*s", text, STR_ARG(buf_str(&out)));
	php_fini(&p);
	buf_fini(&out);
}

static void
test_values(void **state)
{
	(void)state;
	test_same("N;", NULL);
	test_same("b:0;", NULL);
	test_same("b:1;", NULL);
	test_same("i:0;", NULL);
	test_same("i:-9223372036854775808;", NULL);
	test_same("i:9223372036854775807;", NULL);
	test_same("i:+7;", "i:7;");
	test_same("i:-0;", "i:0;");
	test_same("d:1.5;", NULL);
	test_same("d:-0;", NULL);
	test_same("d:1.0E+25;", NULL);
	test_same("d:.5;", NULL);
	test_same("d:-INF;", NULL);
	test_same("d:NAN;", NULL);
	test_same("s:0:\"\";", NULL);
	test_same("s:6:\"\xe4\xb8\xad\xe6\x96\x87\";", NULL);
	test_same(
	    "s:5:\"a\";b:\";", NULL); /* the length counts, not the quote */
	test_same("a:0:{}", NULL);
	test_same(
	    "a:2:{s:7:\"room_id\";i:1;s:11:\"client_name\";s:5:\"userB\";}",
	    NULL);
	test_same("a:1:{i:7;a:1:{s:3:\"uid\";N;}}", NULL);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = {"", "N", "N:", "N;N;", "b:2;", "b:;",
	    "i:;", "i:1", "i:1.5;", "i:- 1;", "i:9223372036854775808;",
	    "i:-9223372036854775809;", "i:1 ;", "d:;", "d:.;", "d:1e;",
	    "d:1.5.5;", "d:0x10;", "d:INFINITY;", "d:-;", "s:1:\"\";",
	    "s:2:\"a\";", "s:1:\"a\"", "s:1:a;", "s:-1:\"\";",
	    "s:4294967297:\"a\";", "s:99999999999999999999:\"a\";", "a:1:{}",
	    "a:0:{", "a:0:{i:0;}", "a:1:{i:0;}", "a:1:{N;i:0;}",
	    "a:1:{d:1;i:0;}", "a:1:{b:1;i:0;}", "a:1:{i:0;i:0;};", "a:-1:{}",
	    "O:8:\"stdClass\":0:{}", "C:1:\"A\":0:{}", "E:3:\"A:B\";",
	    "a:2:{i:0;i:1;i:1;R:2;}", "r:1;", "S:1:\"a\";", "x:1;"};
	struct php p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (php_parse(&p, str_of(bad[i])) != ERR_PROTO)
			fail_msg("%s was taken", bad[i]);
}

static void
test_keys(void **state)
{
	static const char *const ints[] = {"0", "7", "-7", "42",
	    "9223372036854775807", "-9223372036854775808"};
	static const char *const texts[] = {"", "-", "-0", "00", "01", "-01",
	    "+1", "1 ", " 1", "1.0", "1e3", "0x1", "9223372036854775808",
	    "-9223372036854775809", "99999999999999999999", "u1"};
	char text[32];
	int64_t v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ints); i++) {
		assert_true(php_key_int(str_of(ints[i]), &v));
		snprintf(text, sizeof text, "%lld", (long long)v);
		assert_string_equal(text, ints[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (php_key_int(str_of(texts[i]), &v))
			fail_msg("'%s' is no integer key", texts[i]);
	/* a key written as text is the integer it looks like */
	test_same("a:1:{s:2:\"42\";i:1;}", "a:1:{i:42;i:1;}");
	test_same("a:1:{s:3:\"042\";i:1;}", NULL);
}

static void
test_doubled_key(void **state)
{
	(void)state;
	test_same("a:3:{s:1:\"a\";i:1;i:5;i:2;s:1:\"a\";i:3;}",
	    "a:2:{s:1:\"a\";i:3;i:5;i:2;}");
	test_same("a:2:{i:5;i:2;s:1:\"5\";i:3;}", "a:1:{i:5;i:3;}");
	/* the elements of the first are gone with it, the same keys too */
	test_same("a:2:{i:1;a:1:{i:7;i:1;}i:1;a:2:{i:8;N;i:7;i:9;}}",
	    "a:1:{i:1;a:2:{i:8;N;i:7;i:9;}}");
	test_same(
	    "a:2:{i:1;a:1:{i:7;i:1;}i:1;s:1:\"x\";}", "a:1:{i:1;s:1:\"x\";}");
}

static void
test_get(void **state)
{
	struct php p;
	uint32_t tags;

	(void)state;
	assert_int_equal(
	    php_parse(&p, STR_LIT("a:2:{i:7;s:1:\"x\";s:4:\"tags\";"
				  "a:1:{s:1:\"y\";b:1;}}")),
	    0);
	assert_true(str_eqc(p.node[php_get(&p, 0, STR_LIT("7"))].s, "x"));
	tags = php_get(&p, 0, STR_LIT("tags"));
	assert_int_equal(p.node[tags].kind, PHP_ARRAY);
	assert_int_equal(p.node[tags].n, 1);
	assert_int_equal(p.node[php_get(&p, tags, STR_LIT("y"))].i, 1);
	assert_int_equal(php_get(&p, tags, STR_LIT("7")), 0);
	assert_int_equal(php_get(&p, 0, STR_LIT("y")), 0);
	assert_int_equal(php_get(&p, 0, STR_NONE), 0);
	php_fini(&p);
	assert_int_equal(php_parse(&p, STR_LIT("i:1;")), 0);
	assert_int_equal(php_get(&p, 0, STR_LIT("7")), 0);
	php_fini(&p);
}

static void
test_merge(void **state)
{
	static const char *const rows[][3] = {
	    /* as recorded */
	    {"a:4:{s:7:\"room_id\";i:2;s:11:\"client_name\";s:5:\"userC\";"
	     "s:5:\"level\";i:3;s:4:\"tags\";a:3:{s:1:\"x\";d:1.5;s:1:\"y\";"
	     "b:1;s:1:\"z\";N;}}",
		"a:2:{s:5:\"level\";i:4;s:4:\"tags\";a:1:{s:1:\"x\";i:2;}}",
		"a:4:{s:7:\"room_id\";i:2;s:11:\"client_name\";s:5:\"userC\";"
		"s:5:\"level\";i:4;s:4:\"tags\";a:3:{s:1:\"x\";i:2;s:1:\"y\";"
		"b:1;s:1:\"z\";N;}}"},
	    {"a:0:{}", "a:1:{i:0;i:1;}", "a:1:{i:0;i:1;}"},
	    {"a:1:{i:0;i:1;}", "a:0:{}", "a:1:{i:0;i:1;}"},
	    {"a:1:{i:0;i:1;}", "a:1:{i:0;a:1:{i:0;i:2;}}",
		"a:1:{i:0;a:1:{i:0;i:2;}}"},
	    {"a:1:{i:0;a:1:{i:0;i:2;}}", "a:1:{i:0;N;}", "a:1:{i:0;N;}"},
	    {"a:1:{i:0;a:1:{i:0;i:2;}}", "a:1:{i:0;a:0:{}}",
		"a:1:{i:0;a:1:{i:0;i:2;}}"},
	};
	struct php p, with;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(php_parse(&p, str_of(rows[i][0])), 0);
		assert_int_equal(php_parse(&with, str_of(rows[i][1])), 0);
		assert_int_equal(php_merge(&p, &with), 0);
		buf_reset(&out);
		php_write(&p, &out);
		if (!str_eqc(buf_str(&out), rows[i][2]))
			fail_msg("%s and %s gave %.*s", rows[i][0], rows[i][1],
			    STR_ARG(buf_str(&out)));
		php_fini(&with);
		php_fini(&p);
	}
	assert_int_equal(php_parse(&p, STR_LIT("a:0:{}")), 0);
	assert_int_equal(php_parse(&with, STR_LIT("i:1;")), 0);
	assert_int_equal(php_merge(&p, &with), ERR_INVALID);
	assert_int_equal(php_merge(&with, &p), ERR_INVALID);
	php_fini(&with);
	php_fini(&p);
	buf_fini(&out);
}

/* arrays in arrays, and a list of n */
static void
test_put_deep(struct buf *b, int depth)
{
	buf_reset(b);
	for (int i = 0; i < depth; i++)
		buf_puts(b, i + 1 < depth ? "a:1:{i:0;" : "a:0:{");
	for (int i = 0; i < depth; i++)
		buf_puts(b, "}");
}

static void
test_put_list(struct buf *b, int from, int n)
{
	buf_reset(b);
	php_put_array(b, (size_t)n);
	for (int i = from; i < from + n; i++) {
		php_put_int(b, i);
		php_put_null(b);
	}
	php_put_array_end(b);
}

static void
test_bounds(void **state)
{
	struct php p, with;
	struct buf b, c;

	(void)state;
	buf_init(&b, PHP_TEXT_MAX + 64);
	buf_init(&c, PHP_TEXT_MAX + 64);
	test_put_deep(&b, PHP_DEPTH_MAX);
	assert_int_equal(php_parse(&p, buf_str(&b)), 0);
	php_fini(&p);
	test_put_deep(&b, PHP_DEPTH_MAX + 1);
	assert_int_equal(php_parse(&p, buf_str(&b)), ERR_LIMIT);

	/* the root counts, too */
	test_put_list(&b, 0, PHP_NODES_MAX - 1);
	assert_int_equal(php_parse(&p, buf_str(&b)), 0);
	assert_int_equal(p.n, PHP_NODES_MAX);
	test_put_list(&c, PHP_NODES_MAX - 2, 1);
	assert_int_equal(php_parse(&with, buf_str(&c)), 0);
	assert_int_equal(php_merge(&p, &with), 0);
	php_fini(&with);
	test_put_list(&c, PHP_NODES_MAX - 1, 1);
	assert_int_equal(php_parse(&with, buf_str(&c)), 0);
	assert_int_equal(php_merge(&p, &with), ERR_LIMIT);
	php_fini(&with);
	php_fini(&p);
	test_put_list(&b, 0, PHP_NODES_MAX);
	assert_int_equal(php_parse(&p, buf_str(&b)), ERR_LIMIT);
	/* a count that is a lie costs nothing */
	assert_int_equal(php_parse(&p, STR_LIT("a:16383:{i:0;N;}")), ERR_PROTO);

	buf_reset(&b);
	memset(buf_reserve(&c, PHP_TEXT_MAX), 'x', PHP_TEXT_MAX);
	php_put_str(&b, str_n(c.data, PHP_TEXT_MAX - 13));
	assert_int_equal(buf_len(&b), PHP_TEXT_MAX);
	assert_int_equal(php_parse(&p, buf_str(&b)), 0);
	php_fini(&p);
	buf_reset(&b);
	php_put_str(&b, str_n(c.data, PHP_TEXT_MAX - 12));
	assert_int_equal(php_parse(&p, buf_str(&b)), ERR_LIMIT);
	buf_fini(&c);
	buf_fini(&b);
}

static void
test_put(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	php_put_array(&b, 4);
	php_put_key(&b, STR_LIT("1"));
	php_put_str(&b, STR_LIT("1"));
	php_put_key(&b, STR_LIT("g1"));
	php_put_bool(&b, true);
	php_put_key(&b, STR_LIT("01"));
	php_put_bool(&b, false);
	php_put_key(&b, STR_LIT(""));
	php_put_null(&b);
	php_put_array_end(&b);
	assert_true(str_eqc(buf_str(&b),
	    "a:4:{i:1;s:1:\"1\";s:2:\"g1\";b:1;s:2:\"01\";b:0;s:0:\"\";N;}"));
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_doubled_key),
	    cmocka_unit_test(test_get),
	    cmocka_unit_test(test_merge),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_put),
	};

	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
