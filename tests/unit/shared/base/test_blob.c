/* SPDX-License-Identifier: MIT */
/* struct blob: one allocation, counted; the sanitizers watch the last unref. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "shared/base/blob.h"

static void
test_refs(void **state)
{
	struct blob *b = blob_new("abc", 3), *same;

	(void)state;
	assert_int_equal(b->refs, 1);
	assert_int_equal(b->len, 3);
	assert_memory_equal(b->bytes, "abc", 3);
	same = blob_ref(b);
	assert_ptr_equal(same, b);
	assert_int_equal(b->refs, 2);
	blob_unref(same);
	assert_int_equal(b->refs, 1);
	assert_memory_equal(b->bytes, "abc", 3);
	blob_unref(b);
	blob_unref(NULL);
}

static void
test_empty(void **state)
{
	struct blob *b = blob_new(NULL, 0);

	(void)state;
	assert_int_equal(b->len, 0);
	blob_unref(b);
	b = blob_alloc(70000);
	assert_int_equal(b->len, 70000);
	memset(b->bytes, 1, 70000);
	blob_unref(b);
}

static void
test_take(void **state)
{
	struct buf buf;
	struct blob *b;

	(void)state;
	buf_init(&buf, 100);
	buf_puts(&buf, "head:body");
	buf_consume(&buf, 5);
	b = blob_take(&buf);
	assert_int_equal(b->len, 4);
	assert_memory_equal(b->bytes, "body", 4);
	assert_int_equal(buf_len(&buf), 0);
	/* the buffer writes on without touching the blob */
	buf_puts(&buf, "XXXXXXXXX");
	assert_memory_equal(b->bytes, "body", 4);
	blob_unref(b);
	buf_fini(&buf);
	b = blob_take(&buf);
	assert_int_equal(b->len, 0);
	blob_unref(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refs),
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
