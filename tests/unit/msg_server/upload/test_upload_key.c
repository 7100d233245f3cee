/* SPDX-License-Identifier: MIT */
/*
 * The key of uploads: of one user of one cluster, until it is too old.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "msg_server/upload/key.h"

static const uint8_t key[32] = {7}, other[32] = {8};
static const int64_t exp_ms = 1763660000000;
static char uid[ID_MAX + 1], text[UPLOAD_KEY_MAX];

static int
check(const char *k)
{
	return upload_key_check(key, "cchat", str_of(k), exp_ms - 1, uid);
}

static void
test_good(void **state)
{
	static const char *const uids[] = {
	    "1001", "a", "A-_z", "abcdefghijklmnopqrstuvwxyz012345"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(uids); i++) {
		upload_key_make(key, "cchat", str_of(uids[i]), exp_ms, text);
		assert_int_equal(check(text), OK);
		assert_string_equal(uid, uids[i]);
		assert_int_equal(
		    upload_key_check(key, "cchat", str_of(text), exp_ms, uid),
		    ERR_TIMEOUT);
	}
}

static void
test_bad(void **state)
{
	static const char *const bad[] = {"", ".", "1001", "1001.", ".AAAA",
	    "1001.AAAA", "1001.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a b.AAAA"};
	char bent[UPLOAD_KEY_MAX];
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(check(bad[i]), ERR_DENIED);
	assert_int_equal(
	    upload_key_check(key, "cchat", STR_NONE, 0, uid), ERR_DENIED);
	upload_key_make(key, "cchat", STR_LIT("1001"), exp_ms, text);
	assert_int_equal(
	    upload_key_check(other, "cchat", str_of(text), 0, uid), ERR_DENIED);
	assert_int_equal(
	    upload_key_check(key, "other", str_of(text), 0, uid), ERR_DENIED);
	/* no character of it can be another one, nor be missing */
	n = strlen(text);
	for (i = 0; i < n; i++) {
		memcpy(bent, text, n + 1);
		bent[i] = bent[i] == 'B' ? 'C' : 'B';
		assert_int_equal(check(bent), ERR_DENIED);
		memmove(bent + i, text + i + 1, n - i);
		assert_int_equal(check(bent), ERR_DENIED);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good), cmocka_unit_test(test_bad)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
