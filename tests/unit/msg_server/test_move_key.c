/* SPDX-License-Identifier: MIT */
/*
 * Keys of `move`: good for one uid of one cluster until they are too old, and
 * no bit of them can be another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "msg_server/move_key.h"
#include "shared/base/digest.h"

static const uint8_t key[32] = {7}, other[32] = {8};
static const struct move_claim claim = {
    .cn = 3ULL << 32 | 0x10001, .exp_ms = 1700000000000, .away = true};

static int
check(const char *text, const char *uid, int64_t now, struct move_claim *out)
{
	return move_key_check(
	    key, "cchat", str_of(uid), now, str_of(text), out);
}

static void
test_good(void **state)
{
	struct move_claim got;
	char text[MOVE_KEY_MAX];

	(void)state;
	move_key_make(key, "cchat", STR_LIT("1001"), &claim, text);
	assert_int_equal(strlen(text), MOVE_KEY_MAX - 1);
	assert_int_equal(check(text, "1001", claim.exp_ms - 1, &got), 0);
	assert_true(got.cn == claim.cn);
	assert_true(got.exp_ms == claim.exp_ms);
	assert_true(got.away);
	assert_int_equal(check(text, "1001", claim.exp_ms, &got), ERR_TIMEOUT);
}

static void
test_of_others(void **state)
{
	struct move_claim got;
	char text[MOVE_KEY_MAX];
	int64_t now = claim.exp_ms - 1;

	(void)state;
	move_key_make(key, "cchat", STR_LIT("1001"), &claim, text);
	assert_int_equal(check(text, "1002", now, &got), ERR_DENIED);
	assert_int_equal(check(text, "100", now, &got), ERR_DENIED);
	assert_int_equal(check(text, "", now, &got), ERR_DENIED);
	assert_int_equal(move_key_check(key, "other", STR_LIT("1001"), now,
			     str_of(text), &got),
	    ERR_DENIED);
	assert_int_equal(move_key_check(other, "cchat", STR_LIT("1001"), now,
			     str_of(text), &got),
	    ERR_DENIED);
	/* where the name of the cluster ends and the uid begins is said */
	move_key_make(key, "cchat1", STR_LIT("001"), &claim, text);
	assert_int_equal(check(text, "1001", now, &got), ERR_DENIED);
}

/* any other character at any place, and any other length */
static void
test_bent(void **state)
{
	struct move_claim got;
	char text[MOVE_KEY_MAX], bent[MOVE_KEY_MAX + 2];
	unsigned i;

	(void)state;
	move_key_make(key, "cchat", STR_LIT("1001"), &claim, text);
	for (i = 0; i < MOVE_KEY_MAX - 1; i++) {
		memcpy(bent, text, sizeof text);
		bent[i] = bent[i] == 'A' ? 'B' : 'A';
		assert_int_equal(check(bent, "1001", 0, &got), ERR_DENIED);
		bent[i] = '*';
		assert_int_equal(check(bent, "1001", 0, &got), ERR_DENIED);
		bent[i] = '\0';
		assert_int_equal(check(bent, "1001", 0, &got), ERR_DENIED);
	}
	snprintf(bent, sizeof bent, "%sA", text);
	assert_int_equal(check(bent, "1001", 0, &got), ERR_DENIED);
	assert_int_equal(
	    move_key_check(key, "cchat", STR_LIT("1001"), 0, STR_NONE, &got),
	    ERR_DENIED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_of_others),
	    cmocka_unit_test(test_bent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
