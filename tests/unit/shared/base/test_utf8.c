/* SPDX-License-Identifier: MIT */
/*
 * UTF-8: the kinds of cases of Autobahn's group 6, each fed whole, byte by
 * byte and in two pieces; an oracle over all short sequences; counting, cutting
 * and the cleaning of names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "shared/base/err.h"
#include "shared/base/utf8.h"

struct sample {
	const char *text;
	size_t len;
	long bad;  /* index of the first byte that must be refused; -1: good */
	bool open; /* ends inside a code point */
};

#define GOOD(s)                             \
	{                                   \
		s, sizeof(s) - 1, -1, false \
	}
#define HALF(s)                            \
	{                                  \
		s, sizeof(s) - 1, -1, true \
	}
#define BAD(s, at)                          \
	{                                   \
		s, sizeof(s) - 1, at, false \
	}

static const struct sample samples[] = {
    GOOD(""),
    GOOD("a"),
    GOOD("Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-"
	 "8"),
    GOOD("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"),
    GOOD("eight bytes and \xe4\xbd\xa0 more than eight behind it"),
    /* first and last of each length */
    GOOD(""),
    {"\0", 1, -1, false},
    GOOD("\xc2\x80"),
    GOOD("\xe0\xa0\x80"),
    GOOD("\xf0\x90\x80\x80"),
    GOOD("\x7f"),
    GOOD("\xdf\xbf"),
    GOOD("\xef\xbf\xbf"),
    GOOD("\xf4\x8f\xbf\xbf"),
    /* around the surrogates; replacement character; non-characters are fine */
    GOOD("\xed\x9f\xbf"),
    GOOD("\xee\x80\x80"),
    GOOD("\xef\xbf\xbd"),
    GOOD("\xef\xbf\xbe"),
    GOOD("\xf0\x9f\xbf\xbe\xf3\xbf\xbf\xbf"),
    GOOD("\xf0\x9f\x98\x80\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80"),
    /* left half */
    HALF("\xc2"),
    HALF("\xe0\xa0"),
    HALF("\xe2"),
    HALF("\xf0\x90\x80"),
    HALF("abcdefgh\xf4\x8f"),
    /* beyond U+10FFFF, five and six bytes */
    BAD("\xf4\x90\x80\x80", 1),
    BAD("\xf5\x80\x80\x80", 0),
    BAD("\xf7\xbf\xbf\xbf", 0),
    BAD("\xf8\x88\x80\x80\x80", 0),
    BAD("\xfc\x84\x80\x80\x80\x80", 0),
    BAD("\xfb\xbf\xbf\xbf\xbf", 0),
    BAD("\xfe", 0),
    BAD("\xff", 0),
    /* lonely and missing continuations */
    BAD("\x80", 0),
    BAD("\xbf", 0),
    BAD("a\x80", 1),
    BAD("12345678\x80", 8),
    BAD("\xc2 ", 1),
    BAD("\xe0\xa0 ", 2),
    BAD("\xf0\x90\x80 ", 3),
    BAD("\xc2\xc2", 1),
    BAD("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
	"edited",
	12),
    /* overlong */
    BAD("\xc0\xaf", 0),
    BAD("\xc1\xbf", 0),
    BAD("\xe0\x80\xaf", 1),
    BAD("\xe0\x9f\xbf", 1),
    BAD("\xf0\x80\x80\xaf", 1),
    BAD("\xf0\x8f\xbf\xbf", 1),
    BAD("\xc0\x80", 0),
    BAD("\xe0\x80\x80", 1),
    /* surrogates, alone and in pairs */
    BAD("\xed\xa0\x80", 1),
    BAD("\xed\xad\xbf", 1),
    BAD("\xed\xae\x80", 1),
    BAD("\xed\xb0\x80", 1),
    BAD("\xed\xbf\xbf", 1),
    BAD("\xed\xa0\x80\xed\xb0\x80", 1),
};

static void
test_samples(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		const struct sample *s = &samples[i];
		const uint8_t *p = (const uint8_t *)s->text;
		struct utf8 u = {0};
		long at = -1;

		assert_int_equal(
		    utf8_valid(s->text, s->len), s->bad < 0 && !s->open);
		/* byte by byte: refused at the very byte */
		for (size_t k = 0; k < s->len && at < 0; k++)
			if (!utf8_feed(&u, p + k, 1))
				at = (long)k;
		assert_int_equal(at, s->bad);
		if (at < 0)
			assert_int_equal(utf8_done(&u), !s->open);
		/* two pieces, cut everywhere */
		for (size_t k = 0; k <= s->len; k++) {
			bool good;

			u = (struct utf8){0};
			good = utf8_feed(&u, p, k) &&
			       utf8_feed(&u, p + k, s->len - k);
			assert_int_equal(good, s->bad < 0);
		}
	}
}

/* RFC 3629, section 4, as a table: first byte, bounds of the second, length */
static bool
oracle(const uint8_t *p, size_t n)
{
	static const struct {
		uint8_t from, to, lo, hi;
		size_t len;
	} rows[] = {
	    {0x00, 0x7f, 0, 0, 1},
	    {0xc2, 0xdf, 0x80, 0xbf, 2},
	    {0xe0, 0xe0, 0xa0, 0xbf, 3},
	    {0xe1, 0xec, 0x80, 0xbf, 3},
	    {0xed, 0xed, 0x80, 0x9f, 3},
	    {0xee, 0xef, 0x80, 0xbf, 3},
	    {0xf0, 0xf0, 0x90, 0xbf, 4},
	    {0xf1, 0xf3, 0x80, 0xbf, 4},
	    {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	while (n) {
		size_t r = 0, len;

		while (r < ARRAY_LEN(rows) &&
		       (p[0] < rows[r].from || p[0] > rows[r].to))
			r++;
		if (r == ARRAY_LEN(rows) || rows[r].len > n)
			return false;
		len = rows[r].len;
		if (len > 1 && (p[1] < rows[r].lo || p[1] > rows[r].hi))
			return false;
		for (size_t k = 2; k < len; k++)
			if ((p[k] & 0xc0) != 0x80)
				return false;
		p += len;
		n -= len;
	}
	return true;
}

/* all of one to three bytes; of four every first two and edges of the rest */
static void
test_oracle(void **state)
{
	static const uint8_t edge[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0,
	    0xbf, 0xc0, 0xc2, 0xe1, 0xff};
	uint8_t p[4];
	unsigned wrong = 0;

	(void)state;
	for (unsigned v = 0; v < 1u << 24; v += v < 1u << 16 ? 1 : 3) {
		p[0] = (uint8_t)(v >> 16);
		p[1] = (uint8_t)(v >> 8);
		p[2] = (uint8_t)v;
		wrong += utf8_valid(p, 3) != oracle(p, 3);
		wrong += utf8_valid(p + 1, 2) != oracle(p + 1, 2);
		wrong += utf8_valid(p + 2, 1) != oracle(p + 2, 1);
	}
	for (unsigned v = 0xe000; v < 1u << 16; v++)
		for (size_t i = 0; i < ARRAY_LEN(edge); i++)
			for (size_t k = 0; k < ARRAY_LEN(edge); k++) {
				p[0] = (uint8_t)(v >> 8);
				p[1] = (uint8_t)v;
				p[2] = edge[i];
				p[3] = edge[k];
				wrong += utf8_valid(p, 4) != oracle(p, 4);
			}
	assert_int_equal(wrong, 0);
}

static void
test_count(void **state)
{
	struct str s = STR_LIT("a\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80");

	(void)state;
	assert_int_equal(utf8_count(STR_NONE), 0);
	assert_int_equal(utf8_count(s), 4);
	assert_int_equal(utf8_cut(s, 0), 0);
	assert_int_equal(utf8_cut(s, 1), 1);
	assert_int_equal(utf8_cut(s, 2), 1);
	assert_int_equal(utf8_cut(s, 3), 3);
	assert_int_equal(utf8_cut(s, 5), 3);
	assert_int_equal(utf8_cut(s, 6), 6);
	assert_int_equal(utf8_cut(s, 9), 6);
	assert_int_equal(utf8_cut(s, 10), 10);
	assert_int_equal(utf8_cut(s, 11), 10);
	assert_int_equal(utf8_cut(STR_NONE, 5), 0);
}

static void
clean(struct str in, const char *want)
{
	struct buf out;

	buf_init(&out, 256);
	buf_puts(&out, "> ");
	assert_int_equal(utf8_clean_name(in, &out), OK);
	assert_int_equal(buf_len(&out), strlen(want) + 2);
	assert_memory_equal(buf_p(&out) + 2, want, strlen(want));
	buf_fini(&out);
}

static void
test_clean(void **state)
{
	struct buf out;

	(void)state;
	clean(STR_NONE, "");
	clean(STR_LIT("Alice"), "Alice");
	clean(STR_LIT("  Alice B.  "), "Alice B.");
	clean(STR_LIT("   "), "");
	clean(STR_LIT("\t\n\x1b[31mred\x7f"), "[31mred");
	clean(STR_LIT("a\xc2\x80\xc2\x9f\xc2\xa0z"), "a\xc2\xa0z");
	/* bidi: LRM, RLM, embeddings, isolates, the Arabic letter mark */
	clean(STR_LIT("a\xe2\x80\x8e\xe2\x80\x8f"
		      "b\xe2\x80\xaa\xe2\x80\xae"
		      "c\xe2\x81\xa6\xe2\x81\xa9"
		      "d\xd8\x9c"
		      "e"),
	    "abcde");
	/* zero-width: ZWSP, ZWNJ, ZWJ, word joiner, byte order mark */
	clean(STR_LIT("a\xe2\x80\x8b\xe2\x80\x8c\xe2\x80\x8d"
		      "b\xe2\x81\xa0"
		      "c\xef\xbb\xbf"),
	    "abc");
	/* their neighbours stay */
	clean(STR_LIT("\xe2\x80\x8a|\xe2\x80\x90\xe2\x80\xa9\xe2\x80\xaf"
		      "\xe2\x81\xa5\xe2\x81\xaa"),
	    "\xe2\x80\x8a|\xe2\x80\x90\xe2\x80\xa9\xe2\x80\xaf"
	    "\xe2\x81\xa5\xe2\x81\xaa");
	clean(STR_LIT("\xe5\xbc\xa0\xe4\xb8\x89 \xf0\x9f\x98\x80"),
	    "\xe5\xbc\xa0\xe4\xb8\x89 \xf0\x9f\x98\x80");
	/* a blank that stands at the edge once the rest is cut */
	clean(STR_LIT("\x01 a \x01"), "a");

	buf_init(&out, 4);
	buf_puts(&out, ">");
	assert_int_equal(utf8_clean_name(STR_LIT("ab\xff"), &out), ERR_UTF8);
	assert_int_equal(utf8_clean_name(STR_LIT("ab\xe4"), &out), ERR_UTF8);
	assert_int_equal(utf8_clean_name(str_n("a\0b", 3), &out), ERR_UTF8);
	assert_true(str_eqc(buf_str(&out), ">"));
	assert_int_equal(utf8_clean_name(STR_LIT("abc"), &out), OK);
	assert_true(str_eqc(buf_str(&out), ">abc"));
	buf_reset(&out);
	assert_int_equal(utf8_clean_name(STR_LIT("abcde"), &out), ERR_LIMIT);
	buf_fini(&out);
}

static void
test_line(void **state)
{
	static const char *const bad[] = {"\n", "a\tb", "\x7f", "\xc2\x85",
	    "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xae", "\xe2\x81\xa6",
	    "\xd8\x9c", "x\xe2\x80\x8e"};

	(void)state;
	assert_true(utf8_is_line(STR_LIT("")));
	assert_true(utf8_is_line(STR_LIT("Tea at \xe8\x8c\xb6 +1")));
	/* joiners are parts of emoji */
	assert_true(utf8_is_line(STR_LIT("\xf0\x9f\x91\xa8\xe2\x80\x8d"
					 "\xf0\x9f\x91\xa9\xef\xb8\x8f")));
	assert_false(utf8_is_line(STR_LIT("a\0b")));
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(utf8_is_line(str_of(bad[i])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_line),
	    cmocka_unit_test(test_samples),
	    cmocka_unit_test(test_oracle),
	    cmocka_unit_test(test_count),
	    cmocka_unit_test(test_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
