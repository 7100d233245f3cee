/* SPDX-License-Identifier: MIT */
/*
 * Seals: good for the link key, purpose, cluster, user and body they were made
 * with, whatever was sealed in between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "shared/base/seal.h"

enum { KEYS = 3, PURPOSES = 3, BODY = 5 };

static const uint8_t link_key[KEYS][32] = {{1}, {2}, {[31] = 1}};
static const char *const purpose[PURPOSES] = {"cchat a", "cchat b", "cchat "};
static const uint8_t body[BODY] = {1, 0, 3, 4, 255};

static struct seal
seal_of(unsigned k, unsigned p)
{
	return (struct seal){link_key[k], purpose[p], "cl", STR_LIT("1001")};
}

/* more keys than are kept, in turns */
static void
test_each_its_own(void **state)
{
	char text[KEYS][PURPOSES][SEAL_TEXT(BODY)];
	uint8_t got[BODY];
	unsigned i, j, n = KEYS * PURPOSES;

	(void)state;
	for (i = 0; i < n; i++) {
		struct seal s = seal_of(i / PURPOSES, i % PURPOSES);

		seal_put(&s, body, BODY, text[i / PURPOSES][i % PURPOSES]);
	}
	for (i = 0; i < n; i++) {
		struct seal s = seal_of(i / PURPOSES, i % PURPOSES);

		for (j = 0; j < n; j++) {
			const char *t = text[j / PURPOSES][j % PURPOSES];

			assert_int_equal(strlen(t), SEAL_TEXT(BODY) - 1);
			memset(got, 0, sizeof got);
			assert_int_equal(seal_get(&s, str_of(t), got, BODY),
			    i == j ? OK : ERR_DENIED);
			if (i == j)
				assert_memory_equal(got, body, BODY);
		}
	}
}

/* as long as may be; other lengths are none */
static void
test_lengths(void **state)
{
	uint8_t long_body[SEAL_BODY_MAX], got[SEAL_BODY_MAX];
	char text[SEAL_TEXT_MAX];
	struct seal s = seal_of(0, 0);
	size_t n;

	(void)state;
	memset(long_body, 0xa5, sizeof long_body);
	for (n = 1; n <= SEAL_BODY_MAX; n++) {
		seal_put(&s, long_body, n, text);
		assert_int_equal(strlen(text), SEAL_TEXT(n) - 1);
		assert_int_equal(seal_get(&s, str_of(text), got, n), OK);
		assert_memory_equal(got, long_body, n);
		if (n > 1)
			assert_int_equal(
			    seal_get(&s, str_of(text), got, n - 1), ERR_DENIED);
	}
}

/* what the cluster, the user and the body are is clear wherever they meet */
static void
test_seams(void **state)
{
	struct seal a = {link_key[0], "p", "cluster", STR_LIT("1")};
	struct seal b = {link_key[0], "p", "cluster1", STR_LIT("")};
	struct seal c = {link_key[0], "p", "cluster", STR_LIT("1\0")};
	uint8_t got[BODY];
	char text[SEAL_TEXT(BODY)];

	(void)state;
	seal_put(&a, body, BODY, text);
	assert_int_equal(seal_get(&a, str_of(text), got, BODY), OK);
	assert_int_equal(seal_get(&b, str_of(text), got, BODY), ERR_DENIED);
	assert_int_equal(seal_get(&c, str_of(text), got, BODY), ERR_DENIED);
	c.cluster = "";
	assert_int_equal(seal_get(&c, str_of(text), got, BODY), ERR_DENIED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_its_own),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_seams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
