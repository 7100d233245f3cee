/* SPDX-License-Identifier: MIT */
/* Digests against published vectors; encodings both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shared/base/digest.h"

static void
test_sha1(void **state)
{
	uint8_t d[SHA1_LEN];
	char text[64];

	(void)state;
	for (int i = 0; i < 2; i++) { /* the context is used again */
		digest_sha1("abc", 3, d);
		digest_hex(d, sizeof d, text);
		assert_string_equal(
		    text, "a9993e364706816aba3e25717850c26c9cd0d89d");
	}
	/* RFC 6455, 1.3 */
	digest_sha1(
	    "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 60,
	    d);
	digest_base64(d, sizeof d, text);
	assert_string_equal(text, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void
test_hmac(void **state)
{
	uint8_t d[HMAC_LEN];
	char text[80];

	(void)state;
	/* RFC 4231, case 2 */
	digest_hmac("Jefe", 4, "what do ya want for nothing?", 28, d);
	digest_hex(d, sizeof d, text);
	assert_string_equal(text, "5bdcc146bf60754e6a042426089575c7"
				  "5a003f089d2739839dec58b964ec3843");
}

static void
test_crc32c(void **state)
{
	uint8_t zeros[32] = {0}, rising[32];

	(void)state;
	for (int i = 0; i < 32; i++)
		rising[i] = (uint8_t)i;
	/* RFC 3720, B.4 */
	assert_int_equal(digest_crc32c(0, zeros, 32), 0x8a9136aa);
	assert_int_equal(digest_crc32c(0, rising, 32), 0x46dd794e);
	assert_int_equal(digest_crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(digest_crc32c(0, "", 0), 0);
	/* continued in pieces of every size */
	for (size_t k = 0; k <= 32; k++)
		assert_int_equal(digest_crc32c(digest_crc32c(0, rising, k),
				     rising + k, 32 - k),
		    0x46dd794e);
}

static void
test_base64url(void **state)
{
	struct buf a, b;
	uint8_t bytes[64];

	(void)state;
	buf_init(&a, 1000);
	buf_init(&b, 1000);
	for (size_t n = 0; n <= sizeof bytes; n++) {
		digest_random(bytes, n);
		buf_reset(&a);
		buf_reset(&b);
		digest_base64url(bytes, n, &a);
		assert_int_equal(digest_base64url_decode(buf_str(&a), &b), OK);
		assert_int_equal(buf_len(&b), n);
		if (n)
			assert_memory_equal(buf_p(&b), bytes, n);
	}
	static const char *const bad[] = {
	    "A", "AA=", "A+AA", "A/AA", "AB", "AAB", "A A ", "AAAAA"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
		    digest_base64url_decode(str_of(bad[i]), &b), ERR_INVALID);
	buf_fini(&a);
	buf_fini(&b);
}

static void
test_hex(void **state)
{
	uint8_t out[2];

	(void)state;
	assert_int_equal(digest_unhex(STR_LIT("aB09"), out, 2), OK);
	assert_int_equal(out[0] << 8 | out[1], 0xab09);
	assert_int_equal(digest_unhex(STR_LIT("aB0"), out, 2), ERR_INVALID);
	assert_int_equal(digest_unhex(STR_LIT("aB0g"), out, 2), ERR_INVALID);
	assert_int_equal(digest_unhex(STR_LIT("aB0900"), out, 2), ERR_INVALID);
}

static void
test_random(void **state)
{
	unsigned seen[3] = {0};

	(void)state;
	for (int i = 0; i < 3000; i++)
		seen[digest_random_below(3)]++;
	for (int i = 0; i < 3; i++)
		assert_in_range(seen[i], 800, 1200);
	assert_int_equal(digest_random_below(1), 0);
	assert_true(digest_equal("abc", "abc", 3));
	assert_false(digest_equal("abc", "abd", 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sha1),
	    cmocka_unit_test(test_hmac), cmocka_unit_test(test_crc32c),
	    cmocka_unit_test(test_base64url), cmocka_unit_test(test_hex),
	    cmocka_unit_test(test_random)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
