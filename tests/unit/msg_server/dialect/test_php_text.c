/* SPDX-License-Identifier: MIT */
/*
 * Texts as PHP writes them (msg_server/dialect/php_text.h): what is expected
 * here is what PHP 8.2 says to the same input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "msg_server/dialect/php_text.h"

struct pair {
	struct str in;
	const char *out;
};

#define PAIR(in, out)            \
	{                        \
		STR_LIT(in), out \
	}

static void
all(void (*f)(struct buf *, struct str), const struct pair *p, size_t n)
{
	struct buf b;
	size_t i;

	for (i = 0; i < n; i++) {
		buf_init(&b, 1024);
		f(&b, p[i].in);
		if (!str_eqc(buf_str(&b), p[i].out))
			fail_msg("%zu: got %.*s, not %s", i,
			    STR_ARG(buf_str(&b)), p[i].out);
		buf_fini(&b);
	}
}

static void
test_json(void **state)
{
	static const struct pair pairs[] = {
	    PAIR("", "\"\""),
	    PAIR("a\"b\\c/d", "\"a\\\"b\\\\c\\/d\""),
	    PAIR("\b\f\n\r\t\x01\x1f\x7f",
		"\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\""),
	    PAIR("\0a", "\"\\u0000a\""),
	    PAIR("é你", "\"\\u00e9\\u4f60\""),
	    PAIR("\u2028\uffff", "\"\\u2028\\uffff\""),
	    PAIR("😀", "\"\\ud83d\\ude00\""),
	    PAIR("\U0010ffff", "\"\\udbff\\udfff\""),
	};

	(void)state;
	all(php_text_json, pairs, ARRAY_LEN(pairs));
}

/* never sent by anybody who checks his input: no byte of it is read twice */
static void
test_json_broken(void **state)
{
	static const struct pair pairs[] = {
	    PAIR("\xff", "\"\\ufffd\""),
	    PAIR("\xc3", "\"\\ufffd\""),
	    PAIR("a\xe4\xbdz", "\"a\\ufffd\\ufffdz\""),
	    PAIR("\xf0\x9f\x98", "\"\\ufffd\\ufffd\\ufffd\""),
	    PAIR("\xc1\x81", "\"\\ufffd\\ufffd\""),
	};

	(void)state;
	all(php_text_json, pairs, ARRAY_LEN(pairs));
}

static void
test_member(void **state)
{
	struct buf b;
	struct jw w;

	(void)state;
	buf_init(&b, 1024);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_cstr(&w, "type", "x");
	php_text_member(&w, "a", STR_LIT("/"));
	php_text_member(&w, "b", STR_LIT("你"));
	jw_int(&w, "c", 1);
	jw_arr(&w, "d");
	php_text_member(&w, NULL, STR_LIT("1"));
	php_text_member(&w, NULL, STR_LIT("2"));
	jw_arr_end(&w);
	jw_obj_end(&w);
	assert_true(str_eqc(buf_str(&b),
	    "{\"type\":\"x\",\"a\":\"\\/\",\"b\":\"\\u4f60\",\"c\":1,"
	    "\"d\":[\"1\",\"2\"]}"));
	buf_fini(&b);
}

static void
test_html(void **state)
{
	static const struct pair pairs[] = {
	    PAIR("", ""),
	    PAIR("plain 你 / \n", "plain 你 / \n"),
	    PAIR("<a href='x'>\"&amp;&</a>",
		"&lt;a href=&#039;x&#039;&gt;&quot;&amp;amp;&amp;&lt;/a&gt;"),
	};

	(void)state;
	all(php_text_html, pairs, ARRAY_LEN(pairs));
}

static void
test_nl2br(void **state)
{
	static const struct pair pairs[] = {
	    PAIR("", ""),
	    PAIR("a\nb", "a<br />\nb"),
	    PAIR("a\r\nb", "a<br />\r\nb"),
	    PAIR("a\n\rb", "a<br />\n\rb"),
	    PAIR("\n", "<br />\n"),
	    PAIR("\r\r", "<br />\r<br />\r"),
	    PAIR("\n\n\r\r\n", "<br />\n<br />\n\r<br />\r\n"),
	    PAIR("x\r", "x<br />\r"),
	};

	(void)state;
	all(php_text_nl2br, pairs, ARRAY_LEN(pairs));
}

static void
test_strip_tags(void **state)
{
	static const struct pair pairs[] = {
	    PAIR("bob<i>x</i>", "bobx"),
	    PAIR("a < b", "a < b"),
	    PAIR("a<b", "a"),
	    PAIR("<b a=\"<\">z", "z"),
	    PAIR("<!--<x>-->y", "y"),
	    PAIR("<b'>'>c", "c"),
	    PAIR("a<?php '>' ?>b", "ab"),
	    PAIR("<script>x</script>", "x"),
	    PAIR("1<2>3", "13"),
	    PAIR("<>x", "x"),
	    PAIR("<\tx>", "<\tx>"),
	    PAIR("a<!DOCTYPE x>b", "ab"),
	    PAIR("a\0b", "ab"),
	    PAIR("\0<b>", ""),
	};

	(void)state;
	all(php_text_strip_tags, pairs, ARRAY_LEN(pairs));
}

/* the bounds of the header: every character at its longest */
static void
test_growth(void **state)
{
	char in[64];
	struct buf b;

	(void)state;
	memset(in, '\x01', sizeof in);
	buf_init(&b, 6 * sizeof in + 2);
	php_text_json(&b, str_n(in, sizeof in));
	assert_true(buf_ok(&b));
	assert_int_equal(buf_len(&b), 6 * sizeof in + 2);
	buf_fini(&b);
	memset(in, '"', sizeof in);
	buf_init(&b, 6 * sizeof in);
	php_text_html(&b, str_n(in, sizeof in));
	assert_true(buf_ok(&b));
	assert_int_equal(buf_len(&b), 6 * sizeof in);
	buf_fini(&b);
	memset(in, '\n', sizeof in);
	buf_init(&b, 7 * sizeof in);
	php_text_nl2br(&b, str_n(in, sizeof in));
	assert_true(buf_ok(&b));
	assert_int_equal(buf_len(&b), 7 * sizeof in);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_json),
	    cmocka_unit_test(test_json_broken),
	    cmocka_unit_test(test_member),
	    cmocka_unit_test(test_html),
	    cmocka_unit_test(test_nl2br),
	    cmocka_unit_test(test_strip_tags),
	    cmocka_unit_test(test_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
