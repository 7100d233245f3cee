/* SPDX-License-Identifier: MIT */
/*
 * Uploads in memory: shared, bounded, and never one that is too long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "msg_server/upload/hot.h"

static struct hot *h;
static int fd;

static int
setup(void **state)
{
	static char bytes[HOT_FILE_MAX + 1];
	char path[] = "test_hot-XXXXXX";

	(void)state;
	h = hot_new();
	fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	memset(bytes, 'x', sizeof bytes);
	assert_int_equal(write(fd, bytes, sizeof bytes), sizeof bytes);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	hot_free(h);
	hot_free(NULL);
	close(fd);
	return 0;
}

/* file number i, of that size: bytes of another one here, all the same */
static struct blob *
get(unsigned i, uint64_t size)
{
	uint8_t sum[SHA256_LEN] = {(uint8_t)i, (uint8_t)(i >> 8)};
	struct name n;

	name_make(&n, sum, kind_by_ext(STR_LIT("png")));
	return hot_get(h, &n, fd, size);
}

static void
test_shared(void **state)
{
	struct blob *b = get(1, 1000);

	(void)state;
	assert_non_null(b);
	assert_int_equal(b->len, 1000);
	assert_int_equal(b->bytes[999], 'x');
	assert_int_equal(b->refs, 1);
	assert_ptr_equal(get(1, 1000), b);
	assert_ptr_not_equal(get(2, 1000), b);
	assert_int_equal(hot_bytes(h), 2000);
	/* another length than it had is no file of ours */
	assert_null(get(1, 999));
	assert_non_null(get(3, HOT_FILE_MAX));
	assert_null(get(4, HOT_FILE_MAX + 1));
	assert_null(get(5, 0));
	/* shorter than it says */
	assert_int_equal(ftruncate(fd, 10), 0);
	assert_null(get(6, 11));
	assert_non_null(get(6, 10));
}

static void
test_bound(void **state)
{
	unsigned i, n = HOT_TOTAL_MAX / HOT_FILE_MAX;
	struct blob *b[HOT_TOTAL_MAX / HOT_FILE_MAX];

	(void)state;
	for (i = 0; i < n; i++) {
		b[i] = blob_ref(get(i, HOT_FILE_MAX));
		assert_non_null(b[i]);
	}
	assert_int_equal(hot_bytes(h), HOT_TOTAL_MAX);
	/* all of them are on their way to somebody */
	assert_null(get(100, 1));
	assert_ptr_equal(get(0, HOT_FILE_MAX), b[0]);
	/* two are not any more: the one unasked for longer leaves */
	blob_unref(b[0]);
	blob_unref(b[1]);
	assert_non_null(get(100, 1));
	assert_int_equal(hot_bytes(h), HOT_TOTAL_MAX - HOT_FILE_MAX + 1);
	assert_ptr_equal(get(0, HOT_FILE_MAX), b[0]);
	for (i = 2; i < n; i++)
		blob_unref(b[i]);
	/* and no more than so many, however short */
	for (i = 200; i < 200 + 2 * HOT_N_MAX; i++)
		assert_non_null(get(i, 1));
	assert_true(hot_bytes(h) <= HOT_N_MAX);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
	    T(test_shared), T(test_bound)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
