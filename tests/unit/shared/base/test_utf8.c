/* SPDX-License-Identifier: MIT */
/* UTF-8: the families of RFC 3629 errors, whole and cut anywhere; names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shared/base/utf8.h"

#define S(text)                           \
	{                                 \
		"" text, sizeof(text) - 1 \
	}

static const struct str good[] = {
    S(""),
    S("hello"),
    S("\xc2\x80"),
    S("\xdf\xbf"),
    S("\xe0\xa0\x80"),
    S("\xed\x9f\xbf"),
    S("\xee\x80\x80"),
    S("\xef\xbf\xbd"),
    S("\xf0\x90\x80\x80"),
    S("\xf4\x8f\xbf\xbf"),
    S("\xef\xbf\xbe\xef\xbf\xbf"), /* non-characters are valid */
    S("0123456\xe4\xbd\xa0\xe5\xa5\xbd"
      "89abcdefghijk\xf0\x9f\x98\x80"),
};

static const struct str bad[] = {
    S("\x80"),
    S("\xbf"),
    S("\xc0\x80"),
    S("\xc1\xbf"),
    S("\xe0\x80\x80"),
    S("\xe0\x9f\xbf"),
    S("\xf0\x80\x80\x80"),
    S("\xf0\x8f\xbf\xbf"),
    S("\xed\xa0\x80"),
    S("\xed\xbf\xbf"),
    S("\xf4\x90\x80\x80"),
    S("\xf5"),
    S("\xfe"),
    S("\xff"),
    S("\xc2\x41"),
    S("\xe4\xbd\x41"),
    S("01234567\xc0\xaf"),
    S("\xf8\x88\x80\x80\x80"),
};

static const struct str cut[] = {
    S("\xc2"),
    S("\xe4"),
    S("\xe4\xbd"),
    S("\xf0"),
    S("\xf0\x9f"),
    S("\xf0\x9f\x98"),
    S("12345678\xf0\x9f\x98"),
};

static void
test_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(utf8_valid(good[i].p, good[i].len));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(utf8_valid(bad[i].p, bad[i].len));
	for (size_t i = 0; i < ARRAY_LEN(cut); i++) {
		struct utf8 u = {0};

		assert_true(
		    utf8_feed(&u, (const uint8_t *)cut[i].p, cut[i].len));
		assert_false(utf8_done(&u));
		assert_false(utf8_valid(cut[i].p, cut[i].len));
	}
}

/* the verdict is the same however the bytes are cut into two pieces */
static void
test_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
		bool want = i < ARRAY_LEN(good);
		struct str s = want ? good[i] : bad[i - ARRAY_LEN(good)];

		for (size_t k = 0; k <= s.len; k++) {
			struct utf8 u = {0};
			const uint8_t *p = (const uint8_t *)s.p;
			bool got = utf8_feed(&u, p, k) &&
				   utf8_feed(&u, p + k, s.len - k) &&
				   utf8_done(&u);

			assert_int_equal(got, want);
		}
	}
}

/* fail fast: the first byte that can't be valid is refused at once */
static void
test_fails_at_the_bad_byte(void **state)
{
	struct utf8 u = {0};

	(void)state;
	assert_true(utf8_feed(&u, (const uint8_t *)"\xf4", 1));
	assert_false(utf8_feed(&u, (const uint8_t *)"\x90", 1));
}

static void
test_counts(void **state)
{
	struct str s = STR_LIT("a\xe4\xbd\xa0\xf0\x9f\x98\x80");

	(void)state;
	assert_int_equal(utf8_count(s), 3);
	assert_int_equal(utf8_cut(s, 100), 8);
	assert_int_equal(utf8_cut(s, 7), 4);
	assert_int_equal(utf8_cut(s, 4), 4);
	assert_int_equal(utf8_cut(s, 3), 1);
	assert_int_equal(utf8_cut(s, 0), 0);
}

static void
check_name(struct str in, const char *want)
{
	struct buf b;

	buf_init(&b, 256);
	buf_puts(&b, "> ");
	assert_int_equal(utf8_clean_name(in, &b), OK);
	assert_int_equal(buf_len(&b), strlen(want) + 2);
	assert_memory_equal(buf_p(&b) + 2, want, strlen(want));
	buf_fini(&b);
}

static void
test_names(void **state)
{
	struct buf b;

	(void)state;
	check_name(STR_LIT("  amy  lee "), "amy  lee");
	check_name(STR_LIT("a\x01\x7f\xc2\x85z"), "az");
	check_name(STR_LIT("\xe2\x80\xae"
			   "evil\xe2\x81\xa6"),
	    "evil");
	check_name(STR_LIT("x\xe2\x80\x8by\xef\xbb\xbf"), "xy");
	check_name(STR_LIT(" \xe2\x80\x8b \xe2\x80\x8d "), "");
	check_name(STR_LIT("\xe6\x9e\x97\xe5\xb0\x8f\xe9\x9b\xa8"),
	    "\xe6\x9e\x97\xe5\xb0\x8f\xe9\x9b\xa8");
	buf_init(&b, 256);
	assert_int_equal(utf8_clean_name(STR_LIT("a\0b"), &b), ERR_UTF8);
	assert_int_equal(utf8_clean_name(STR_LIT("a\xff"), &b), ERR_UTF8);
	assert_int_equal(buf_len(&b), 0);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_pieces),
	    cmocka_unit_test(test_fails_at_the_bad_byte),
	    cmocka_unit_test(test_counts), cmocka_unit_test(test_names)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
