/* SPDX-License-Identifier: MIT */
/*
 * SipHash-2-4 with 128 bits: what libcrypto's says, for each length and
 * wherever the text is cut; and that the key and each bit of the text count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include "shared/base/sip.h"

enum { TEXT = 100 };

static uint8_t key[SIP_KEY], text[TEXT];

static void
sip(const void *p, size_t n, uint8_t out[SIP_LEN])
{
	struct sip s;

	sip_begin(&s, key);
	sip_add(&s, p, n);
	sip_end(&s, out);
}

static void
theirs(const uint8_t *p, size_t n, uint8_t out[SIP_LEN])
{
	size_t size = SIP_LEN, len = 0;
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
	    OSSL_PARAM_construct_end()};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);

	assert_non_null(mac);
	assert_int_equal(EVP_MAC_init(ctx, key, sizeof key, params), 1);
	assert_int_equal(EVP_MAC_update(ctx, p, n), 1);
	assert_int_equal(EVP_MAC_final(ctx, out, &len, SIP_LEN), 1);
	assert_int_equal(len, SIP_LEN);
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

static int
setup(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)i;
	for (unsigned i = 0; i < TEXT; i++)
		text[i] = (uint8_t)i;
	return 0;
}

/* of nothing, with the key 00 01 .. 0f: as it was published */
static void
test_known(void **state)
{
	static const uint8_t want[SIP_LEN] = {0xa3, 0x81, 0x7f, 0x04, 0xba,
	    0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93};
	uint8_t got[SIP_LEN];

	(void)state;
	sip("", 0, got);
	assert_memory_equal(got, want, SIP_LEN);
}

static void
test_lengths(void **state)
{
	uint8_t want[SIP_LEN], got[SIP_LEN];

	(void)state;
	for (size_t n = 0; n <= TEXT; n++) {
		key[n % sizeof key] ^= (uint8_t)(n * 37 + 1);
		theirs(text, n, want);
		sip(text, n, got);
		assert_memory_equal(got, want, SIP_LEN);
	}
}

static void
test_pieces(void **state)
{
	uint8_t want[SIP_LEN], got[SIP_LEN];
	struct sip s;

	(void)state;
	for (size_t n = 0; n <= 40; n++) {
		sip(text, n, want);
		for (size_t a = 0; a <= n; a++)
			for (size_t b = a; b <= n; b++) {
				sip_begin(&s, key);
				sip_add(&s, text, a);
				sip_add(&s, text + a, b - a);
				sip_add(&s, text + b, n - b);
				sip_end(&s, got);
				assert_memory_equal(got, want, SIP_LEN);
			}
	}
}

static void
test_bits(void **state)
{
	uint8_t want[SIP_LEN], got[SIP_LEN];

	(void)state;
	sip(text, 30, want);
	for (unsigned i = 0; i < 30 * 8; i++) {
		text[i / 8] ^= (uint8_t)(1 << i % 8);
		sip(text, 30, got);
		assert_memory_not_equal(got, want, SIP_LEN);
		text[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (unsigned i = 0; i < sizeof key * 8; i++) {
		key[i / 8] ^= (uint8_t)(1 << i % 8);
		sip(text, 30, got);
		assert_memory_not_equal(got, want, SIP_LEN);
		key[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_known, setup),
	    cmocka_unit_test_setup(test_lengths, setup),
	    cmocka_unit_test_setup(test_pieces, setup),
	    cmocka_unit_test_setup(test_bits, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
