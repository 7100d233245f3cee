/* SPDX-License-Identifier: MIT */
/* JSON: what must be refused is refused; what is written can be read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "shared/proto/json.h"

static int
read_err(struct str text)
{
	int err = 12345;
	json_t *v = json_read(text, &err);

	assert_int_equal(v == NULL, err != 0);
	json_decref(v);
	return err;
}

static void
test_refused(void **state)
{
	static const char *const t[] = {"", " ", "{", "}", "[1,]", "{\"a\":1,}",
	    "{'a':1}", "{a:1}", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}",
	    "{\"x\":{\"b\":1,\"b\":1}}", "{} x", "{}{}", "[] ]", "01", "+1",
	    "1.", ".5", "NaN", "Infinity", "1e400", "9223372036854775808",
	    "-9223372036854775809", "tru", "nul", "\"a", "\"\\x\"",
	    "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\u12\"",
	    "\"\n\"", "\"\t\"", "\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"",
	    "\"\xf4\x90\x80\x80\"", "\"\xe4\xbd\"", "\xef\xbb\xbf{}",
	    "/* c */ {}", "{}//", "{\"\\u0000\":1}", "{\"a\" 1}", "{\"a\":}",
	    "{1:2}", "[1 2]"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(t); i++) {
		if (read_err(str_of(t[i])) != ERR_PROTO)
			fail_msg("taken: %s", t[i]);
	}
	assert_int_equal(read_err(STR_NONE), ERR_PROTO);
	/* NUL ends nothing */
	assert_int_equal(read_err(str_n("{}\0", 3)), ERR_PROTO);
	assert_int_equal(read_err(str_n("{\"a\":\"\0\"}", 9)), ERR_PROTO);
	assert_int_equal(read_err(str_n("\0", 1)), ERR_PROTO);
}

static void
test_taken(void **state)
{
	static const char *const t[] = {"{}", "[]", " {} \r\n\t", "null",
	    "true", "0", "-0", "1.5e3", "\"\"", "9223372036854775807",
	    "-9223372036854775808", "\"\\ud83d\\ude00\"",
	    "\"\xf0\x9f\x98\x80\"", "\"\x7f\"", "\"\\/\\b\\f\\n\\r\\t\"",
	    "[[],{},[{}]]"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(t); i++) {
		if (read_err(str_of(t[i])) != 0)
			fail_msg("refused: %s", t[i]);
	}
}

static int
nested(char open, char close, size_t n)
{
	char text[200001];

	memset(text, open, n);
	memset(text + n, close, n);
	return read_err(str_n(text, 2 * n));
}

static void
test_depth(void **state)
{
	struct buf b;
	int i;

	(void)state;
	assert_int_equal(nested('[', ']', 16), 0);
	assert_int_equal(nested('[', ']', 17), ERR_LIMIT);
	assert_int_equal(nested('[', ']', 100000), ERR_LIMIT);
	assert_int_equal(nested('{', '}', 17), ERR_LIMIT);
	/* breadth is not depth */
	buf_init(&b, 1 << 20);
	buf_putc(&b, '[');
	for (i = 0; i < 1000; i++)
		buf_puts(&b, "[{\"a\":[]}],");
	buf_puts(&b, "0]");
	assert_int_equal(read_err(buf_str(&b)), 0);
	buf_fini(&b);
	/* brackets in strings do not count, however the string is dressed up */
	assert_int_equal(
	    read_err(STR_LIT("[\"[[[[[[[[[[[[[[[[[[[[[[{{{{\"]")), 0);
	assert_int_equal(
	    read_err(STR_LIT("[\"\\\"[[[[[[[[[[[[[[[[[[[[[[\\\\\"]")), 0);
	assert_int_equal(
	    read_err(STR_LIT("[\"\\\\\",[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]")),
	    ERR_LIMIT);
	assert_int_equal(read_err(STR_LIT("]]]]]]]]]]]]]]]]]]]]")), ERR_PROTO);
}

static void
test_members(void **state)
{
	static const char text[] =
	    "{\"s\":\"a\\u0000b\",\"e\":\"\",\"i\":-7,\"r\":1.0,\"t\":true,"
	    "\"f\":false,\"n\":null,\"o\":{},\"big\":9223372036854775807}";
	char tmp[24];
	int err;
	int64_t n = 42;
	json_t *v = json_read(str_of(text), &err);

	(void)state;
	assert_non_null(v);
	assert_int_equal(err, 0);
	assert_true(str_eq(json_str(v, "s"), str_n("a\0b", 3)));
	assert_true(str_is_set(json_str(v, "e")));
	assert_int_equal(json_str(v, "e").len, 0);
	assert_false(str_is_set(json_str(v, "i")));
	assert_false(str_is_set(json_str(v, "none")));
	assert_false(str_is_set(json_str(NULL, "s")));
	assert_false(str_is_set(json_str(json_object_get(v, "s"), "s")));
	assert_true(json_int(v, "i", &n));
	assert_int_equal(n, -7);
	assert_false(json_int(v, "r", &n));
	assert_false(json_int(v, "s", &n));
	assert_false(json_int(v, "none", &n));
	assert_int_equal(n, -7);
	assert_true(json_bool(v, "t", false));
	assert_false(json_bool(v, "f", true));
	assert_true(json_bool(v, "n", true));
	assert_false(json_bool(v, "none", false));
	assert_true(str_eqc(json_id(v, "i", tmp), "-7"));
	assert_true(str_eqc(json_id(v, "big", tmp), "9223372036854775807"));
	assert_true(str_eq(json_id(v, "s", tmp), str_n("a\0b", 3)));
	assert_false(str_is_set(json_id(v, "r", tmp)));
	assert_false(str_is_set(json_id(v, "o", tmp)));
	assert_false(str_is_set(json_id(v, "none", tmp)));
	json_decref(v);
}

static void
test_write(void **state)
{
	struct buf b;
	struct jw w;

	(void)state;
	buf_init(&b, 4096);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_cstr(&w, "a", "x");
	jw_arr(&w, "l");
	jw_int(&w, NULL, 1);
	jw_obj(&w, NULL);
	jw_obj_end(&w);
	jw_arr(&w, NULL);
	jw_arr_end(&w);
	jw_str(&w, NULL, STR_LIT(""));
	jw_arr_end(&w);
	jw_obj(&w, "o");
	jw_bool(&w, "t", true);
	jw_bool(&w, "f", false);
	jw_null(&w, "n");
	jw_obj_end(&w);
	jw_raw(&w, "raw", STR_LIT("[1,2]"));
	jw_int(&w, "min", INT64_MIN);
	jw_obj_end(&w);
	assert_true(str_eqc(buf_str(&b),
	    "{\"a\":\"x\",\"l\":[1,{},[],\"\"],\"o\":{\"t\":true,\"f\":false,"
	    "\"n\":null},\"raw\":[1,2],\"min\":-9223372036854775808}"));
	assert_int_equal(read_err(buf_str(&b)), 0);
	buf_fini(&b);
}

static void
test_reals(void **state)
{
	static const struct {
		double v;
		const char *text;
	} t[] = {
	    {0, "0"},
	    {1, "1"},
	    {-1.5, "-1.5"},
	    {0.125, "0.125"},
	    {1234567.8914, "1234567.891"},
	    {100, "100"},
	    {0.0004, "0"},
	    {1e15, "1e+15"},
	    {NAN, "null"},
	    {INFINITY, "null"},
	};
	struct buf b;
	struct jw w;
	size_t i;

	(void)state;
	buf_init(&b, 4096);
	for (i = 0; i < ARRAY_LEN(t); i++) {
		buf_reset(&b);
		jw_init(&w, &b);
		jw_real(&w, NULL, t[i].v);
		assert_true(str_eqc(buf_str(&b), t[i].text));
		assert_int_equal(read_err(buf_str(&b)), 0);
	}
	buf_fini(&b);
}

static void
test_strings(void **state)
{
	char all[0x80];
	struct buf b;
	json_t *v;
	int i, err;

	(void)state;
	buf_init(&b, 4096);
	json_put_string(&b, STR_LIT("a\"b\\c\b\f\n\r\t\x01\x1f/\x7f"));
	assert_true(str_eqc(
	    buf_str(&b), "\"a\\\"b\\\\c\\b\\f\\n\\r\\t\\u0001\\u001f/\x7f\""));
	/* every ASCII character comes back, NUL too */
	for (i = 0; i < 0x80; i++)
		all[i] = (char)i;
	buf_reset(&b);
	json_put_string(&b, str_n(all, sizeof(all)));
	v = json_read(buf_str(&b), &err);
	assert_non_null(v);
	assert_int_equal(json_string_length(v), sizeof(all));
	assert_memory_equal(json_string_value(v), all, sizeof(all));
	json_decref(v);
	/* beyond ASCII nothing is touched */
	buf_reset(&b);
	json_put_string(&b, STR_LIT("\xe4\xbd\xa0\xe5\xa5\xbd"));
	assert_true(str_eqc(buf_str(&b), "\"\xe4\xbd\xa0\xe5\xa5\xbd\""));
	buf_reset(&b);
	json_put_string(&b, STR_NONE);
	assert_true(str_eqc(buf_str(&b), "\"\""));
	buf_fini(&b);
	/* over the buffer's bound: failed, nothing half written is used */
	buf_init(&b, 8);
	json_put_string(&b, STR_LIT("0123456789"));
	assert_false(buf_ok(&b));
	buf_fini(&b);
}

/* by the letter, to compare with */
static void
put_slowly(struct buf *out, struct str v)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < v.len; i++) {
		unsigned char c = (unsigned char)v.p[i];
		const char *at =
		    c > 0 ? strchr("\"\"\\\\\bb\ff\nn\rr\tt", c) : NULL;

		if (at != NULL && c != 'b' && c != 'f' && c != 'n' &&
		    c != 'r' && c != 't')
			buf_printf(out, "\\%c", at[1]);
		else if (c < 0x20)
			buf_printf(out, "\\u%04x", c);
		else
			buf_putc(out, (char)c);
	}
	buf_putc(out, '"');
}

static void
test_any_string(void **state)
{
	static const char pick[] = {'"', '\\', '\0', '\n', 0x1f, 0x20, 0x21,
	    0x23, 0x5b, 0x5d, 0x7f, (char)0x80, (char)0x9f, (char)0xa0,
	    (char)0xa2, (char)0xdc, (char)0xff};
	struct buf a, b;
	char text[40];

	(void)state;
	srand(5);
	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	for (unsigned n = 0; n < 200000; n++) {
		size_t len = (size_t)rand() % 24, off = (size_t)rand() % 8;

		memset(text, 'x', sizeof text);
		for (unsigned i = 0; i < 3 && len > 0; i++)
			if (rand() % 2)
				text[off + (size_t)rand() % len] =
				    pick[(size_t)rand() % sizeof pick];
		buf_reset(&a);
		buf_reset(&b);
		json_put_string(&a, str_n(text + off, len));
		put_slowly(&b, str_n(text + off, len));
		if (!str_eq(buf_str(&a), buf_str(&b)))
			fail_msg("%.*s is not %.*s", (int)buf_len(&a),
			    (const char *)buf_p(&a), (int)buf_len(&b),
			    (const char *)buf_p(&b));
	}
	buf_fini(&a);
	buf_fini(&b);
}

static void
test_ints(void **state)
{
	const int64_t v[] = {0, 9, 10, -1, INT64_MAX, INT64_MIN, 1234567890123};
	struct buf b;
	struct jw w;

	(void)state;
	buf_init(&b, 4096);
	jw_init(&w, &b);
	jw_arr(&w, NULL);
	for (unsigned i = 0; i < ARRAY_LEN(v); i++)
		jw_int(&w, NULL, v[i]);
	jw_arr_end(&w);
	assert_true(
	    str_eqc(buf_str(&b), "[0,9,10,-1,9223372036854775807,"
				 "-9223372036854775808,1234567890123]"));
	buf_fini(&b);
}

/* every byte at every place, also behind bytes that look like it */
static void
test_plain(void **state)
{
	static const char quiet[] = {' ', '!', '#', '[', ']', '\x7f', '\x80',
	    '\xa2', '\xdc', '\x9f', '\xff'};
	char text[40];

	(void)state;
	for (unsigned at = 0; at < sizeof text; at++)
		for (unsigned c = 0; c < 256; c++)
			for (unsigned q = 0; q < sizeof quiet; q++) {
				size_t want = at;

				memset(text, quiet[q], sizeof text);
				text[at] = (char)c;
				if (c >= 0x20 && c != '"' && c != '\\')
					want = sizeof text;
				assert_int_equal(
				    json_plain(str_n(text, sizeof text)), want);
				assert_int_equal(
				    json_plain(str_n(text, at)), at);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_taken),
	    cmocka_unit_test(test_depth),
	    cmocka_unit_test(test_members),
	    cmocka_unit_test(test_write),
	    cmocka_unit_test(test_reals),
	    cmocka_unit_test(test_strings),
	    cmocka_unit_test(test_plain),
	    cmocka_unit_test(test_any_string),
	    cmocka_unit_test(test_ints),
	};

	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
