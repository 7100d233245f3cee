/* SPDX-License-Identifier: MIT */
/* Error codes: every code has its text, strangers too; the x-allocators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <stdlib.h>

#include "shared/base/err.h"

static void
test_texts(void **state)
{
	static const int codes[] = {
#define X(name, value, text) value,
	    ERR_TABLE(X)
#undef X
	};

	(void)state;
	assert_string_equal(err_text(OK), "ok");
	assert_string_equal(err_text(ERR_UTF8), "invalid UTF-8");
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		assert_string_not_equal(err_text(codes[i]), "unknown error");
		assert_int_equal(codes[i], -(int)i);
	}
	assert_string_equal(err_text(1), "unknown error");
	assert_string_equal(err_text(-1000), "unknown error");
}

static void
test_alloc(void **state)
{
	char *p = xmalloc(0), *q;
	static const char zero[64];

	(void)state;
	assert_non_null(p);
	p = xrealloc(p, 16);
	memcpy(p, "fifteen letters", 16);
	p = xrealloc(p, 1024);
	assert_string_equal(p, "fifteen letters");
	q = xstrdup(p);
	assert_string_equal(q, p);
	free(q);
	free(p);
	q = xcalloc(8, 8);
	assert_memory_equal(q, zero, 64);
	free(q);
	q = xcalloc(0, 8);
	assert_non_null(q);
	free(q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_alloc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
