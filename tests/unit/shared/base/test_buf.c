/* SPDX-License-Identifier: MIT */
/* struct buf: the bound, the sticky failure, cursors after consuming. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "shared/base/buf.h"

/* the sanitizers end the process where malloc would say no */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

const char *
__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void
test_bound(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	assert_true(buf_ok(&b));
	assert_int_equal(buf_len(&b), 0);
	assert_non_null(buf_p(&b));
	buf_put(&b, NULL, 0);
	assert_int_equal(buf_len(&b), 0);
	buf_put(&b, "abc", 3);
	buf_putc(&b, 'd');
	assert_true(buf_ok(&b));
	assert_true(str_eqc(buf_str(&b), "abcd"));
	/* nothing at all is written beyond, and the failure stays */
	buf_putc(&b, 'e');
	assert_false(buf_ok(&b));
	assert_true(str_eqc(buf_str(&b), "abcd"));
	buf_consume(&b, 4);
	buf_putc(&b, 'f');
	assert_false(buf_ok(&b));
	assert_int_equal(buf_len(&b), 0);
	buf_reset(&b);
	assert_true(buf_ok(&b));
	buf_puts(&b, "wxyz");
	assert_true(buf_ok(&b));
	assert_true(str_eqc(buf_str(&b), "wxyz"));
	buf_reset(&b);
	/* a write larger than the rest goes in whole or not at all */
	buf_puts(&b, "ab");
	buf_puts(&b, "cde");
	assert_false(buf_ok(&b));
	assert_true(str_eqc(buf_str(&b), "ab"));
	buf_fini(&b);
	assert_null(b.data);
	assert_int_equal(b.max, 4);
	buf_putstr(&b, STR_LIT("ok"));
	assert_true(str_eqc(buf_str(&b), "ok"));
	buf_fini(&b);
}

static void
test_none(void **state)
{
	struct buf b = {.max = 0};

	(void)state;
	buf_put(&b, "", 0);
	assert_true(buf_ok(&b));
	buf_put(&b, "a", 1);
	assert_false(buf_ok(&b));
	buf_fini(&b);
	buf_init(&b, SIZE_MAX);
	assert_null(buf_reserve(&b, SIZE_MAX / 2));
	assert_false(buf_ok(&b));
	buf_reset(&b);
	assert_null(buf_reserve(&b, SIZE_MAX - 1));
	assert_false(buf_ok(&b));
	buf_fini(&b);
}

static void
test_cursors(void **state)
{
	struct buf b;
	uint8_t *to;

	(void)state;
	buf_init(&b, 1000);
	buf_puts(&b, "hello world");
	buf_consume(&b, 6);
	assert_true(str_eqc(buf_str(&b), "world"));
	buf_truncate(&b, 100);
	assert_int_equal(buf_len(&b), 5);
	buf_truncate(&b, 2);
	assert_true(str_eqc(buf_str(&b), "wo"));
	to = buf_reserve(&b, 3);
	assert_non_null(to);
	memcpy(to, "rk!", 3);
	assert_true(str_eqc(buf_str(&b), "wo"));
	buf_added(&b, 2);
	assert_true(str_eqc(buf_str(&b), "work"));
	buf_consume(&b, 4);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(b.off, 0);
	buf_truncate(&b, 0);
	assert_int_equal(buf_len(&b), 0);
	buf_fini(&b);
}

/* consumed bytes do not count against max, and what is left is kept */
static void
test_stream(void **state)
{
	struct buf b;
	unsigned in = 0, out = 0;

	(void)state;
	buf_init(&b, 100);
	for (int round = 0; round < 2000; round++) {
		unsigned n = (unsigned)round * 7 % 41;

		while (n-- && buf_len(&b) < 100)
			buf_putc(&b, (char)(in++ % 251));
		assert_true(buf_ok(&b));
		for (n = (unsigned)round * 11 % 43; n-- && buf_len(&b);) {
			assert_int_equal(buf_p(&b)[0], out++ % 251);
			buf_consume(&b, 1);
		}
		assert_true(b.cap <= 256);
	}
	assert_int_equal(buf_len(&b), in - out);
	buf_fini(&b);
}

static void
test_printf(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 400);
	buf_printf(&b, "%s=%d", "x", 7);
	buf_printf(&b, "%s", "");
	assert_true(str_eqc(buf_str(&b), "x=7"));
	buf_printf(&b, "%0397d", 1); /* to the very bound */
	assert_true(buf_ok(&b));
	assert_int_equal(buf_len(&b), 400);
	assert_int_equal(buf_p(&b)[399], '1');
	buf_printf(&b, "%d", 1);
	assert_false(buf_ok(&b));
	assert_int_equal(buf_len(&b), 400);
	buf_reset(&b);
	buf_printf(&b, "%0401d", 1);
	assert_false(buf_ok(&b));
	assert_int_equal(buf_len(&b), 0);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bound),
	    cmocka_unit_test(test_none),
	    cmocka_unit_test(test_cursors),
	    cmocka_unit_test(test_stream),
	    cmocka_unit_test(test_printf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
