/* SPDX-License-Identifier: MIT */
/*
 * Names of uploads: the grammar of a kept one, and what is left of a given one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "msg_server/upload/name.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
test_stored(void **state)
{
	static const char *const bad[] = {"", ".", "..", HASH, HASH ".",
	    HASH ".exe", HASH ".svg", HASH ".PNG", HASH ".pngx", HASH ".png/",
	    HASH "/.png", HASH ".png ", "x" HASH ".png", "/" HASH ".png",
	    "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef."
	    "png",
	    "g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef."
	    "png",
	    "../"
	    "3456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.png",
	    ".up.ms1.1.0", ".gone." HASH ".png"};
	uint8_t sum[SHA256_LEN];
	struct name n;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(name_parse(str_of(bad[i]), &n));
	assert_true(name_parse(STR_LIT(HASH ".png"), &n));
	assert_string_equal(n.file, HASH ".png");
	assert_string_equal(n.kind->mime, "image/png");
	for (i = 0; i < sizeof sum; i++)
		sum[i] = (uint8_t)(i % 8 * 0x22 + 1);
	name_make(&n, sum, kind_by_ext(STR_LIT("webm")));
	assert_int_equal(strlen(n.file), NAME_HASH_LEN + 5);
	assert_true(name_parse(str_of(n.file), &n));
	assert_string_equal(n.kind->ext, "webm");
}

static void
test_in_url(void **state)
{
	static const char *const good[] = {"/u/" HASH ".png",
	    "/u/" HASH ".png?w=1&h=2", "https://h.example/u/" HASH ".png",
	    "/u/x/u/" HASH ".png?name=/u/y"};
	static const char *const bad[] = {"", "/u/", HASH ".png",
	    "u/" HASH ".png", "/u/" HASH ".png/", "?/u/" HASH ".png",
	    "hello /u/" HASH ".png now", "/v/" HASH ".png"};
	struct name n;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(good); i++) {
		memset(&n, 0, sizeof n);
		assert_true(name_in_url(str_of(good[i]), &n));
		assert_string_equal(n.file, HASH ".png");
	}
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(name_in_url(str_of(bad[i]), &n));
}

static void
test_given(void **state)
{
	static const struct {
		const char *raw, *clean;
	} t[] = {{"report.pdf", "report.pdf"}, {"a%20b.pdf", "a b.pdf"},
	    {"..%2F..%2Fetc%2Fpasswd", "passwd"}, {"C:%5Cx%5Cy.txt", "y.txt"},
	    {".bashrc", "bashrc"}, {"...", ""}, {"", ""}, {"%2F", ""},
	    {"a%00b", ""}, {"a%zz", ""}, {"%ff%fe", ""}, {"a%0d%0ab", "ab"},
	    {"%E2%80%AEgpj.exe", "gpj.exe"}, {"a%22b%3Cc%3E", "a_b_c_"},
	    {"%E5%B9%B4.pdf", "\xe5\xb9\xb4.pdf"}, {"a+b.txt", "a+b.txt"},
	    {" %20.%20x ", "x"}};
	char out[NAME_GIVEN_MAX + 1], raw[9 * 200 + 1];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(
		    name_clean(str_of(t[i].raw), out), t[i].clean[0] != '\0');
		assert_string_equal(out, t[i].clean);
	}
	/* too long by far: its end stays, and no character is cut in two */
	for (i = 0; i < 200; i++)
		memcpy(raw + 9 * i, "%E5%B9%B4", 10);
	assert_true(name_clean(str_of(raw), out));
	assert_true(strlen(out) <= NAME_GIVEN_MAX);
	assert_true(strlen(out) > NAME_GIVEN_MAX - 8);
	for (i = 0; out[i] != '.'; i += 3)
		assert_memory_equal(out + i, "\xe5\xb9\xb4", 3);
	assert_memory_equal(out + i, "...", 3);
	assert_int_equal((strlen(out) - i - 3) % 3, 0);
	memset(raw, 'x', sizeof raw - 1);
	assert_true(name_clean(str_n(raw, NAME_GIVEN_MAX), out));
	assert_int_equal(strlen(out), NAME_GIVEN_MAX);
	assert_null(strstr(out, "..."));
	assert_true(name_clean(str_n(raw, NAME_GIVEN_MAX + 1), out));
	assert_int_equal(strlen(out), NAME_GIVEN_MAX);
	assert_non_null(strstr(out, "..."));
}

static const char *
attachment(const char *given)
{
	static char text[2048];
	struct name n;
	struct buf b;

	assert_true(name_parse(STR_LIT(HASH ".bin"), &n));
	buf_init(&b, sizeof text);
	name_put_attachment(given, &n, &b);
	str_copy(text, sizeof text, buf_str(&b));
	buf_fini(&b);
	return text;
}

static void
test_attachment(void **state)
{
	(void)state;
	assert_string_equal(attachment(""),
	    "Content-Disposition: attachment; "
	    "filename=\"0123456789abcdef.bin\"\r\n");
	assert_string_equal(attachment("a b.pdf"),
	    "Content-Disposition: attachment; filename=\"a b.pdf\"; "
	    "filename*=UTF-8''a%20b.pdf\r\n");
	assert_string_equal(attachment("\xe5\xb9\xb4;%.x"),
	    "Content-Disposition: attachment; filename=\"___.x\"; "
	    "filename*=UTF-8''%E5%B9%B4%3B%25.x\r\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_stored),
	    cmocka_unit_test(test_in_url),
	    cmocka_unit_test(test_given),
	    cmocka_unit_test(test_attachment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
