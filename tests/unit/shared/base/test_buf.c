/* SPDX-License-Identifier: MIT */
/* Buffers and blobs: bounds, cursors, sharing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shared/base/blob.h"

static void
test_empty(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_int_equal(buf_len(&b), 0);
	assert_non_null(buf_p(&b));
	assert_null(b.data); /* at rest it holds nothing */
	buf_put(&b, NULL, 0);
	assert_true(buf_ok(&b));
	buf_fini(&b);
}

static void
test_bound(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	buf_put(&b, "0123456789", 10);
	assert_true(buf_ok(&b));
	buf_put(&b, "x", 1);
	assert_false(buf_ok(&b));
	assert_int_equal(buf_len(&b), 10);
	buf_reset(&b);
	assert_true(buf_ok(&b));
	buf_put(&b, "01234567890", 11);
	assert_false(buf_ok(&b));
	assert_int_equal(buf_len(&b), 0);
	buf_reset(&b);
	assert_null(buf_reserve(&b, SIZE_MAX));
	buf_fini(&b);
	assert_int_equal(b.max, 10);
}

static void
test_failed_is_sticky(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_put(&b, "12345", 5);
	buf_put(&b, "1", 1); /* would fit, but the text has a hole now */
	assert_int_equal(buf_len(&b), 0);
	assert_false(buf_ok(&b));
	buf_fini(&b);
}

static void
test_cursors(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	for (int i = 0; i < 1000; i++) {
		buf_put(&b, "abcde", 5);
		assert_true(buf_ok(&b));
		buf_consume(&b, 2);
		assert_memory_equal(buf_p(&b), "cde", 3);
		buf_put(&b, "fg", 2); /* only fits once the front is reused */
		assert_true(buf_ok(&b));
		assert_int_equal(buf_len(&b), 5);
		assert_memory_equal(buf_p(&b), "cdefg", 5);
		buf_truncate(&b, 1);
		assert_int_equal(buf_len(&b), 1);
		buf_consume(&b, 1);
		assert_int_equal(b.off, 0);
	}
	buf_fini(&b);
}

static void
test_printf(void **state)
{
	struct buf b;
	char long_text[1000];

	(void)state;
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	buf_init(&b, 2000);
	buf_printf(&b, "%d:%s", 7, long_text);
	assert_int_equal(buf_len(&b), 2 + 999);
	buf_printf(&b, "%s", long_text);
	assert_false(buf_ok(&b) && buf_len(&b) != 2000);
	buf_fini(&b);
}

static void
test_blob(void **state)
{
	struct buf b;
	struct blob *x, *y;

	(void)state;
	buf_init(&b, 100);
	buf_puts(&b, "hello");
	x = blob_take(&b);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(x->len, 5);
	assert_memory_equal(x->bytes, "hello", 5);
	y = blob_ref(x);
	assert_ptr_equal(x, y);
	assert_int_equal(x->refs, 2);
	blob_unref(x);
	assert_memory_equal(y->bytes, "hello", 5);
	blob_unref(y);
	blob_unref(NULL);
	x = blob_new(NULL, 0);
	assert_int_equal(x->len, 0);
	blob_unref(x);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_bound),
	    cmocka_unit_test(test_failed_is_sticky),
	    cmocka_unit_test(test_cursors), cmocka_unit_test(test_printf),
	    cmocka_unit_test(test_blob)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
