/* SPDX-License-Identifier: MIT */
/* Borrowed strings, names and channel names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shared/base/id.h"

static void
test_absent_and_empty(void **state)
{
	(void)state;
	assert_false(str_is_set(STR_NONE));
	assert_true(str_is_set(STR_LIT("")));
	assert_true(str_eq(STR_NONE, STR_LIT("")));
	assert_true(str_eqc(STR_LIT("ab"), "ab"));
	assert_false(str_eqc(STR_LIT("ab"), "abc"));
	assert_null(str_dup(STR_NONE));
}

static void
test_next(void **state)
{
	struct str s = STR_LIT("a,,b"), part;

	(void)state;
	assert_true(str_next(&s, ',', &part));
	assert_true(str_eqc(part, "a"));
	assert_true(str_next(&s, ',', &part));
	assert_int_equal(part.len, 0);
	assert_true(str_next(&s, ',', &part));
	assert_true(str_eqc(part, "b"));
	assert_false(str_next(&s, ',', &part));
}

static void
test_u64(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint64_t v;
	} cases[] = {
	    {"0", OK, 0},
	    {"18446744073709551615", OK, UINT64_MAX},
	    {"18446744073709551616", ERR_LIMIT, 0},
	    {"99999999999999999999", ERR_LIMIT, 0},
	    {"", ERR_INVALID, 0},
	    {"-1", ERR_INVALID, 0},
	    {"+1", ERR_INVALID, 0},
	    {" 1", ERR_INVALID, 0},
	    {"1x", ERR_INVALID, 0},
	    {"007", OK, 7},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t v = 0;

		assert_int_equal(
		    str_u64(str_of(cases[i].text), &v), cases[i].err);
		if (!cases[i].err)
			assert_true(v == cases[i].v);
	}
}

static void
test_text(void **state)
{
	char small[4];

	(void)state;
	assert_true(str_eqc(str_trim(STR_LIT(" \ta b\t ")), "a b"));
	assert_int_equal(str_trim(STR_LIT("   ")).len, 0);
	assert_true(str_ieq(STR_LIT("WebSocket"), STR_LIT("websocket")));
	assert_false(str_ieq(STR_LIT("a"), STR_LIT("ab")));
	assert_true(str_starts(STR_LIT("abc"), STR_LIT("ab")));
	assert_false(str_starts(STR_LIT("a"), STR_LIT("ab")));
	assert_true(str_cmp(STR_LIT("10"), STR_LIT("9")) < 0);
	assert_true(str_cmp(STR_LIT("a"), STR_LIT("ab")) < 0);
	str_copy(small, sizeof small, STR_LIT("abcdef"));
	assert_string_equal(small, "abc");
	assert_int_equal(str_chr(STR_LIT("a:b"), ':'), 1);
	assert_int_equal(str_chr(STR_NONE, ':'), -1);
}

#define W32 "abcdefghijklmnopqrstuvwxyz_-0123"

static void
test_words(void **state)
{
	(void)state;
	assert_false(id_is_word(STR_LIT("")));
	assert_true(id_is_word(STR_LIT("a")));
	assert_true(id_is_word(STR_LIT(W32)));
	assert_false(id_is_word(STR_LIT(W32 "x")));
	assert_false(id_is_word(STR_LIT("a b")));
	assert_false(id_is_word(STR_LIT("a:b")));
	assert_false(id_is_word(STR_LIT("\xe5\xb0\x8f")));
	assert_false(id_is_word(STR_LIT("a\0b")));
	assert_true(id_is_cid(STR_LIT(W32 W32)));
	assert_false(id_is_cid(STR_LIT(W32 W32 "x")));
	assert_false(id_is_cid(STR_LIT("a b")));
	assert_false(id_is_cid(STR_LIT("")));
	assert_true(id_is_group(STR_LIT("g4f2a1b7")));
	assert_false(id_is_group(STR_LIT("g")));
	assert_false(id_is_group(STR_LIT("general")));
}

static void
test_channels(void **state)
{
	struct chan_name c;

	(void)state;
	c = chan_pair(STR_LIT("9"), STR_LIT("10"));
	assert_string_equal(c.s, "p:10:9");
	c = chan_pair(STR_LIT("10"), STR_LIT("9"));
	assert_string_equal(c.s, "p:10:9");
	assert_true(str_eqc(chan_peer(chan_str(&c), STR_LIT("9")), "10"));
	assert_true(str_eqc(chan_peer(chan_str(&c), STR_LIT("10")), "9"));
	c = chan_pair(STR_LIT("7"), STR_LIT("7"));
	assert_true(str_eqc(chan_peer(chan_str(&c), STR_LIT("7")), "7"));
	c = chan_pair(STR_LIT(W32), STR_LIT(W32));
	assert_int_equal(c.len, CHAN_MAX);
	assert_int_equal(chan_parse(chan_str(&c), &c), OK);
	assert_true(str_eqc(chan_id(STR_LIT("r:12")), "12"));
	assert_int_equal(chan_kind(STR_LIT("u:1")), CHAN_USER);
}

static void
test_channel_grammar(void **state)
{
	static const char *const good[] = {
	    "r:1", "u:a-b_c", "p:1:2", "p:1:1", "c:"};
	static const char *const bad[] = {"", "r", "r:", "x:1", "r:a b", "p:1",
	    "p:2:1", "p:1:2:3", "p::1", "p:1:", "c:x", "r:" W32 "x",
	    "p:" W32 ":" W32 "x"};
	struct chan_name c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(chan_parse(str_of(good[i]), &c), OK);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(chan_parse(str_of(bad[i]), &c), ERR_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_absent_and_empty),
	    cmocka_unit_test(test_next), cmocka_unit_test(test_u64),
	    cmocka_unit_test(test_text), cmocka_unit_test(test_words),
	    cmocka_unit_test(test_channels),
	    cmocka_unit_test(test_channel_grammar)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
