/* SPDX-License-Identifier: MIT */
/* struct str: absent against empty, cutting, numbers at the edge of 64 bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <stdlib.h>

#include "shared/base/str.h"

static void
test_absent(void **state)
{
	(void)state;
	assert_false(str_is_set(STR_NONE));
	assert_true(str_is_set(STR_LIT("")));
	assert_true(str_is_set(str_of("")));
	assert_false(str_is_set(str_of(NULL)));
	/* equal as bytes all the same */
	assert_true(str_eq(STR_NONE, STR_LIT("")));
	assert_int_equal(str_of(NULL).len, 0);
}

static void
test_compare(void **state)
{
	(void)state;
	assert_true(str_eq(STR_LIT("ab"), STR_LIT("ab")));
	assert_false(str_eq(STR_LIT("ab"), STR_LIT("abc")));
	assert_false(str_eq(STR_LIT("ab"), STR_LIT("aB")));
	assert_true(str_eqc(STR_LIT("ab"), "ab"));
	assert_true(str_eq(str_n("a\0b", 3), str_n("a\0b", 3)));
	assert_false(str_eq(str_n("a\0b", 3), str_n("a\0c", 3)));
	assert_int_equal(str_cmp(STR_LIT("a"), STR_LIT("a")), 0);
	assert_true(str_cmp(STR_LIT("a"), STR_LIT("b")) < 0);
	assert_true(str_cmp(STR_LIT("b"), STR_LIT("a")) > 0);
	assert_true(str_cmp(STR_LIT("a"), STR_LIT("aa")) < 0);
	assert_true(str_cmp(STR_LIT("aa"), STR_LIT("a")) > 0);
	assert_true(str_cmp(STR_NONE, STR_LIT("a")) < 0);
	assert_int_equal(str_cmp(STR_NONE, STR_LIT("")), 0);
	/* bytes, not chars: 0xff is above 'a' */
	assert_true(str_cmp(STR_LIT("\xff"), STR_LIT("a")) > 0);
	assert_true(str_ieq(STR_LIT("UpGrade"), STR_LIT("upgrade")));
	assert_false(str_ieq(STR_LIT("upgrade"), STR_LIT("upgrades")));
	assert_true(str_ieq(STR_NONE, STR_LIT("")));
	assert_true(str_starts(STR_LIT("r:x"), STR_LIT("r:")));
	assert_true(str_starts(STR_LIT("r:"), STR_LIT("r:")));
	assert_false(str_starts(STR_LIT("r"), STR_LIT("r:")));
	assert_true(str_starts(STR_LIT("r"), STR_NONE));
}

static void
test_cut(void **state)
{
	struct str s = STR_LIT("a,,b,"), part = STR_NONE;
	char buf[4];
	char *copy;

	(void)state;
	assert_true(str_next(&s, ',', &part));
	assert_true(str_eqc(part, "a"));
	assert_true(str_next(&s, ',', &part));
	assert_true(str_eqc(part, ""));
	assert_true(str_next(&s, ',', &part));
	assert_true(str_eqc(part, "b"));
	assert_true(str_next(&s, ',', &part));
	assert_true(str_eqc(part, ""));
	assert_false(str_next(&s, ',', &part));
	s = STR_LIT("");
	assert_true(str_next(&s, ',', &part));
	assert_int_equal(part.len, 0);
	assert_false(str_next(&s, ',', &part));

	assert_int_equal(str_chr(STR_LIT("abc"), 'c'), 2);
	assert_int_equal(str_chr(STR_LIT("abc"), 'd'), -1);
	assert_int_equal(str_chr(STR_NONE, 'd'), -1);
	assert_true(str_eqc(str_trim(STR_LIT(" \t a b\t ")), "a b"));
	assert_true(str_eqc(str_trim(STR_LIT(" \t ")), ""));
	assert_true(str_eqc(str_trim(STR_LIT("a\n")), "a\n"));

	copy = str_dup(STR_LIT("ab"));
	assert_string_equal(copy, "ab");
	free(copy);
	assert_null(str_dup(STR_NONE));
	str_copy(buf, sizeof buf, STR_LIT("abcdef"));
	assert_string_equal(buf, "abc");
	str_copy(buf, sizeof buf, STR_LIT("abc"));
	assert_string_equal(buf, "abc");
	str_copy(buf, sizeof buf, STR_NONE);
	assert_string_equal(buf, "");
	str_copy(buf, 1, STR_LIT("a"));
	assert_string_equal(buf, "");
}

static void
test_number(void **state)
{
	static const char *const bad[] = {
	    "", "-1", "+1", " 1", "1 ", "0x1", "1.0", "1e3", "a"};
	uint64_t v = 77;

	(void)state;
	assert_int_equal(str_u64(STR_LIT("0"), &v), OK);
	assert_int_equal(v, 0);
	assert_int_equal(str_u64(STR_LIT("007"), &v), OK);
	assert_int_equal(v, 7);
	assert_int_equal(str_u64(STR_LIT("18446744073709551615"), &v), OK);
	assert_true(v == UINT64_MAX);
	v = 77;
	assert_int_equal(
	    str_u64(STR_LIT("18446744073709551616"), &v), ERR_LIMIT);
	assert_int_equal(
	    str_u64(STR_LIT("99999999999999999999999"), &v), ERR_LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(str_u64(str_of(bad[i]), &v), ERR_INVALID);
	/* a letter is invalid even where the number before is too large */
	assert_int_equal(
	    str_u64(STR_LIT("99999999999999999999999x"), &v), ERR_INVALID);
	assert_int_equal(str_u64(STR_NONE, &v), ERR_INVALID);
	assert_int_equal(str_u64(str_n("1\0", 2), &v), ERR_INVALID);
	assert_int_equal(v, 77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_absent),
	    cmocka_unit_test(test_compare),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
