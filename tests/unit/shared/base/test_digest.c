/* SPDX-License-Identifier: MIT */
/* Digests against the vectors of their documents; encodings at every rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "shared/base/digest.h"

static void
hex_of(const void *p, size_t n, char *out, const char *want)
{
	digest_hex(p, n, out);
	assert_string_equal(out, want);
}

static void
test_sha1(void **state)
{
	uint8_t d[SHA1_LEN];
	char text[2 * SHA1_LEN + 1];
	static const char key[] = "dGhlIHNhbXBsZSBub25jZQ=="
				  "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

	(void)state;
	/* FIPS 180-4 */
	digest_sha1("abc", 3, d);
	hex_of(d, SHA1_LEN, text, "a9993e364706816aba3e25717850c26c9cd0d89d");
	digest_sha1("", 0, d);
	hex_of(d, SHA1_LEN, text, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	/* RFC 6455, 1.3 */
	digest_sha1(key, sizeof key - 1, d);
	digest_base64(d, SHA1_LEN, text);
	assert_string_equal(text, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

/* RFC 4231: test cases 1, 2 and 6 (a key longer than a block) */
static void
test_hmac(void **state)
{
	uint8_t key[131], d[HMAC_LEN];
	char text[2 * HMAC_LEN + 1];
	static const char six[] =
	    "Test Using Larger Than Block-Size Key - Hash Key First";

	(void)state;
	memset(key, 0x0b, 20);
	digest_hmac(key, 20, "Hi There", 8, d);
	hex_of(d, HMAC_LEN, text,
	    "b0344c61d8db38535ca8afceaf0bf12b"
	    "881dc200c9833da726e9376c2e32cff7");
	digest_hmac("Jefe", 4, "what do ya want for nothing?", 28, d);
	hex_of(d, HMAC_LEN, text,
	    "5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	digest_hmac(key, sizeof key, six, sizeof six - 1, d);
	hex_of(d, HMAC_LEN, text,
	    "60e431591ee0b67f0d8a26aacbf5b77f"
	    "8e0bc6213728c5140546040f0ee37f54");
}

/* bit by bit, as slow and as plain as the definition */
static uint32_t
crc_slow(const uint8_t *p, size_t n)
{
	uint32_t crc = 0xffffffff;

	while (n--) {
		crc ^= *p++;
		for (int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

static void
test_crc(void **state)
{
	uint8_t p[300];

	(void)state;
	assert_int_equal(digest_crc32c(0, "", 0), 0);
	assert_int_equal(digest_crc32c(0, "123456789", 9), 0xe3069283);
	/* RFC 3720, B.4 */
	memset(p, 0, 32);
	assert_int_equal(digest_crc32c(0, p, 32), 0x8a9136aa);
	memset(p, 0xff, 32);
	assert_int_equal(digest_crc32c(0, p, 32), 0x62a8ab43);
	for (int i = 0; i < 32; i++)
		p[i] = (uint8_t)i;
	assert_int_equal(digest_crc32c(0, p, 32), 0x46dd794e);
	/* every length and alignment, the way with and without SSE4.2 */
	for (size_t i = 0; i < sizeof p; i++)
		p[i] = (uint8_t)(i * 167 + 13);
	for (size_t from = 0; from < 9; from++)
		for (size_t n = 0; n + from < 100; n++) {
			uint32_t want = crc_slow(p + from, n);

			assert_int_equal(digest_crc32c(0, p + from, n), want);
			assert_int_equal(
			    digest_crc32c_plain(0, p + from, n), want);
		}
	/* continued in pieces */
	for (size_t cut = 0; cut <= sizeof p; cut += 7)
		assert_int_equal(digest_crc32c(digest_crc32c(0, p, cut),
				     p + cut, sizeof p - cut),
		    crc_slow(p, sizeof p));
}

static void
test_base64(void **state)
{
	static const struct {
		const char *in, *padded, *url;
	} t[] = {
	    {"", "", ""},
	    {"f", "Zg==", "Zg"},
	    {"fo", "Zm8=", "Zm8"},
	    {"foo", "Zm9v", "Zm9v"},
	    {"foob", "Zm9vYg==", "Zm9vYg"},
	    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
	    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
	    {"\xfb\xff\xfe", "+//+", "-__-"},
	};
	char text[64];
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		digest_base64(t[i].in, strlen(t[i].in), text);
		assert_string_equal(text, t[i].padded);
		buf_reset(&b);
		digest_base64url(t[i].in, strlen(t[i].in), &b);
		assert_true(str_eqc(buf_str(&b), t[i].url));
		buf_reset(&b);
		assert_int_equal(
		    digest_base64url_decode(str_of(t[i].url), &b), OK);
		assert_true(str_eqc(buf_str(&b), t[i].in));
	}
	buf_fini(&b);
}

static void
test_base64_bad(void **state)
{
	static const char *const bad[] = {"A", "AAAAA", "Zg==", "Zm8=", "+//+",
	    "Zm 9v", "Zm9v\n", "Zh", "Zm9", "Zm9vYh", "Z\xc3\xa4", "...."};
	struct buf b;

	(void)state;
	buf_init(&b, 3);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(
		    digest_base64url_decode(str_of(bad[i]), &b), ERR_INVALID);
		assert_int_equal(buf_len(&b), 0);
	}
	assert_int_equal(
	    digest_base64url_decode(str_n("Zm9\0", 4), &b), ERR_INVALID);
	assert_int_equal(digest_base64url_decode(STR_LIT("Zm9v"), &b), OK);
	buf_reset(&b);
	assert_int_equal(
	    digest_base64url_decode(STR_LIT("Zm9vYg"), &b), ERR_LIMIT);
	buf_fini(&b);
}

static void
test_hex(void **state)
{
	uint8_t out[4];
	char text[9];

	(void)state;
	hex_of("\x00\x7f\x80\xff", 4, text, "007f80ff");
	hex_of("", 0, text, "");
	assert_int_equal(digest_unhex(STR_LIT("007F80ff"), out, 4), OK);
	assert_memory_equal(out, "\x00\x7f\x80\xff", 4);
	assert_int_equal(digest_unhex(STR_LIT("007f80f"), out, 4), ERR_INVALID);
	assert_int_equal(
	    digest_unhex(STR_LIT("007f80ff0"), out, 4), ERR_INVALID);
	assert_int_equal(
	    digest_unhex(STR_LIT("007f80fg"), out, 4), ERR_INVALID);
	assert_int_equal(
	    digest_unhex(STR_LIT("0x7f80ff"), out, 4), ERR_INVALID);
	assert_int_equal(digest_unhex(STR_NONE, out, 0), OK);
}

static void
test_equal(void **state)
{
	(void)state;
	assert_true(digest_equal("abc", "abc", 3));
	assert_false(digest_equal("abc", "abd", 3));
	assert_true(digest_equal("a", "b", 0));
}

static void
test_random(void **state)
{
	uint8_t a[600] = {0}, b[600] = {0};
	unsigned seen[6] = {0};

	(void)state;
	digest_random(a, sizeof a);
	digest_random(b, sizeof b);
	assert_memory_not_equal(a, b, sizeof a);
	/* the tail is filled too: 64 zero bytes in a row do not happen */
	assert_memory_not_equal(a + 536, (uint8_t[64]){0}, 64);
	assert_true(digest_random_u64() != digest_random_u64());
	assert_int_equal(digest_random_below(0), 0);
	assert_int_equal(digest_random_below(1), 0);
	for (int i = 0; i < 6000; i++)
		seen[digest_random_below(6)]++;
	for (int i = 0; i < 6; i++)
		assert_in_range(seen[i], 700, 1300); /* ten sigma */
	assert_true(digest_random_below(UINT64_MAX) < UINT64_MAX);
	assert_int_equal(digest_jitter_below(0), 0);
	assert_int_equal(digest_jitter_below(1), 0);
	memset(seen, 0, sizeof seen);
	for (size_t i = 0; i < 6000; i++)
		seen[digest_jitter_below(6)]++;
	for (size_t i = 0; i < 6; i++)
		assert_in_range(seen[i], 700, 1300);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sha1),
	    cmocka_unit_test(test_hmac),
	    cmocka_unit_test(test_crc),
	    cmocka_unit_test(test_base64),
	    cmocka_unit_test(test_base64_bad),
	    cmocka_unit_test(test_hex),
	    cmocka_unit_test(test_equal),
	    cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
