/* SPDX-License-Identifier: MIT */
/*
 * Names: the grammar at its bounds, every byte of it, and channels that come
 * back as they went in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "shared/base/id.h"

#define W32 "abcdefghijklmnopqrstuvwxyz012345"

static void
test_word(void **state)
{
	(void)state;
	assert_false(id_is_word(STR_NONE));
	assert_false(id_is_word(STR_LIT("")));
	assert_true(id_is_word(STR_LIT("a")));
	assert_true(id_is_word(STR_LIT("A-z_09")));
	assert_true(id_is_word(STR_LIT(W32)));
	assert_false(id_is_word(STR_LIT(W32 "x")));
	for (int c = 0; c < 256; c++) {
		char s[2] = {'a', (char)c};
		bool want = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			    (c >= 'a' && c <= 'z') || c == '_' || c == '-';

		assert_int_equal(id_is_word(str_n(s, 2)), want);
		assert_int_equal(
		    id_is_cid(str_n(s, 2)), c >= 0x21 && c <= 0x7e);
	}
}

static void
test_cid(void **state)
{
	(void)state;
	assert_false(id_is_cid(STR_LIT("")));
	assert_true(id_is_cid(STR_LIT("!")));
	assert_true(id_is_cid(STR_LIT(W32 W32)));
	assert_false(id_is_cid(STR_LIT(W32 W32 "x")));
}

static void
test_group(void **state)
{
	(void)state;
	assert_true(id_is_group(STR_LIT("g0")));
	assert_true(id_is_group(STR_LIT("g0123456789abcdef")));
	assert_true(id_is_group(STR_LIT("g0123456789abcdef0123456789abcde")));
	assert_false(id_is_group(STR_LIT("g0123456789abcdef0123456789abcdef")));
	assert_false(id_is_group(STR_LIT("g")));
	assert_false(id_is_group(STR_LIT("g0G")));
	assert_false(id_is_group(STR_LIT("gA")));
	assert_false(id_is_group(STR_LIT("h0")));
	assert_false(id_is_group(STR_NONE));
}

static void
test_make(void **state)
{
	struct chan_name c = chan_room(STR_LIT("1001"));

	(void)state;
	assert_string_equal(c.s, "r:1001");
	assert_int_equal(c.len, 6);
	c = chan_user(STR_LIT(W32));
	assert_string_equal(c.s, "u:" W32);
	c = chan_pair(STR_LIT("b"), STR_LIT("a"));
	assert_string_equal(c.s, "p:a:b");
	c = chan_pair(STR_LIT("a"), STR_LIT("b"));
	assert_string_equal(c.s, "p:a:b");
	/* bytewise: capitals and digits come first, and a prefix before all */
	c = chan_pair(STR_LIT("a"), STR_LIT("B"));
	assert_string_equal(c.s, "p:B:a");
	c = chan_pair(STR_LIT("ab"), STR_LIT("a"));
	assert_string_equal(c.s, "p:a:ab");
	c = chan_pair(STR_LIT("a"), STR_LIT("a"));
	assert_string_equal(c.s, "p:a:a");
	c = chan_pair(STR_LIT(W32), STR_LIT(W32));
	assert_int_equal(c.len, CHAN_MAX);
	assert_string_equal(c.s, "p:" W32 ":" W32);
	/* too long a name is cut, never written beyond the struct */
	c = chan_room(STR_LIT(W32 W32 W32));
	assert_int_equal(c.len, CHAN_MAX);
	assert_int_equal(c.s[CHAN_MAX], '\0');
}

static void
test_parse(void **state)
{
	static const char *const good[] = {
	    "r:1", "u:a-b", "p:a:b", "p:a:a", "c:", "r:" W32, "p:" W32 ":" W32};
	static const char *const bad[] = {"", "r", "r:", "u:", "p:", "p:a",
	    "p:a:", "p::a", "p:b:a", "p:a:b:c", "p:a:b:", "c:x", "x:1", "r 1",
	    "r:a b", "r:a:b", "u:ä", "R:1", "r:" W32 "x", "p:" W32 ":" W32 "x",
	    "r:a\n"};
	struct chan_name c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		memset(&c, 0xff, sizeof c);
		assert_int_equal(chan_parse(str_of(good[i]), &c), OK);
		assert_string_equal(c.s, good[i]);
		assert_true(str_eqc(chan_str(&c), good[i]));
		assert_int_equal(chan_kind(chan_str(&c)), good[i][0]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(chan_parse(str_of(bad[i]), &c), ERR_INVALID);
	assert_int_equal(chan_parse(STR_NONE, &c), ERR_INVALID);
	assert_int_equal(chan_parse(str_n("r:a\0b", 5), &c), ERR_INVALID);
}

static void
test_parts(void **state)
{
	(void)state;
	assert_true(str_eqc(chan_id(STR_LIT("r:1001")), "1001"));
	assert_true(str_eqc(chan_id(STR_LIT("u:x")), "x"));
	assert_false(str_is_set(chan_id(STR_LIT("c:"))));
	assert_true(str_eqc(chan_peer(STR_LIT("p:a:b"), STR_LIT("a")), "b"));
	assert_true(str_eqc(chan_peer(STR_LIT("p:a:b"), STR_LIT("b")), "a"));
	assert_true(str_eqc(chan_peer(STR_LIT("p:a:a"), STR_LIT("a")), "a"));
	assert_false(str_is_set(chan_peer(STR_LIT("r:a"), STR_LIT("a"))));
	assert_int_equal(chan_kind(STR_NONE), CHAN_CLUSTER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_word),
	    cmocka_unit_test(test_cid),
	    cmocka_unit_test(test_group),
	    cmocka_unit_test(test_make),
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
