/* SPDX-License-Identifier: MIT */
/*
 * Credentials: what is written can be read again, tokens are told apart
 * exactly, and none of them is in what is stored.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "msg_server/push/credentials.h"
#include "shared/proto/frames.h"
#include "shared/proto/json.h"

static const struct str uid = {"123456", 6};

static void
set(struct credentials *c, const char *source, const char *token, int64_t exp)
{
	assert_int_equal(
	    credentials_set(c, uid, str_of(source), str_of(token), exp), 0);
}

static const char *
match(const struct credentials *c, const char *token)
{
	const struct credential *one = credentials_match(c, uid, str_of(token));

	return one != NULL ? one->source : "";
}

static void
test_match(void **state)
{
	struct credentials c = {0};

	(void)state;
	assert_string_equal(match(&c, "t1"), "");
	set(&c, "app", "t1", 0);
	set(&c, "pc", "t2", 5);
	assert_string_equal(match(&c, "t1"), "app");
	assert_string_equal(match(&c, "t2"), "pc");
	assert_string_equal(match(&c, "T1"), "");
	assert_string_equal(match(&c, "t"), "");
	assert_string_equal(match(&c, "t1 "), "");
	assert_string_equal(match(&c, ""), "");
	/* another user's token is another one */
	assert_null(credentials_match(&c, STR_LIT("123457"), STR_LIT("t1")));
	set(&c, "app", "t3", 0);
	assert_int_equal(c.n, 2);
	assert_string_equal(match(&c, "t1"), "");
	assert_string_equal(match(&c, "t3"), "app");
	assert_true(credentials_drop(&c, STR_LIT("app")));
	assert_false(credentials_drop(&c, STR_LIT("app")));
	assert_string_equal(match(&c, "t3"), "");
	assert_string_equal(match(&c, "t2"), "pc");
}

static void
test_expiry(void **state)
{
	struct credential c = {.expires = 100};

	(void)state;
	assert_true(credential_is_live(&c, 99));
	assert_true(credential_is_live(&c, 100));
	assert_false(credential_is_live(&c, 101));
	c.expires = 0;
	assert_true(credential_is_live(&c, INT64_MAX));
}

static void
test_stored(void **state)
{
	struct credentials c = {0}, again;
	char source[ID_MAX + 1];
	struct buf b;
	unsigned i;

	(void)state;
	buf_init(&b, STATE_VAL_MAX);
	for (i = 0; i < CREDENTIALS_MAX; i++) {
		snprintf(source, sizeof source, "%032u", i);
		set(&c, source, i == 0 ? "the-secret" : source, INT64_MAX);
	}
	/* as many as may be, as long as they may be, are a state record */
	assert_int_equal(
	    credentials_set(&c, uid, STR_LIT("one-more"), STR_LIT("t"), 0),
	    ERR_LIMIT);
	set(&c, source, "changed", INT64_MAX);
	credentials_write(&c, &b);
	assert_true(buf_ok(&b));
	assert_null(memmem(buf_p(&b), buf_len(&b), "the-secret", 10));
	assert_int_equal(credentials_read(buf_str(&b), &again), 0);
	assert_int_equal(again.n, CREDENTIALS_MAX);
	assert_string_equal(
	    match(&again, "the-secret"), "00000000000000000000000000000000");
	assert_true(again.list[3].expires == INT64_MAX);
	buf_fini(&b);
}

static void
test_bad_values(void **state)
{
	static const char *const bad[] = {"", "[]", "1", "{\"app\":1}",
	    "{\"app\":[]}", "{\"app\":[\"short\",0]}",
	    "{\"a b\":[\"0123456789012345678901234567890123456789012\",0]}",
	    "{\"app\":[\"0123456789012345678901234567890123456789012\",\"0\"]"
	    "}"};
	struct credentials c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
		    credentials_read(str_of(bad[i]), &c), ERR_INVALID);
	assert_int_equal(credentials_read(STR_NONE, &c), 0);
	assert_int_equal(c.n, 0);
	assert_int_equal(credentials_read(STR_LIT("{}"), &c), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_match),
	    cmocka_unit_test(test_expiry),
	    cmocka_unit_test(test_stored),
	    cmocka_unit_test(test_bad_values),
	};

	json_init();
	return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}
