/* SPDX-License-Identifier: MIT */
/*
 * Digests, encodings, randomness over libcrypto. See digest.h. The contexts
 * are static: the loop's thread alone may hash, CRC and random are free.
 */
#include "shared/base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { HMAC_BLOCK = 64 /* of SHA-256 */ };

void
digest_sha1(const void *p, size_t n, uint8_t out[SHA1_LEN])
{
	static EVP_MD *md; /* fetched once: half the cost of a handshake */
	static EVP_MD_CTX *ctx;

	if (md == NULL) {
		md = EVP_MD_fetch(NULL, "SHA1", NULL);
		ctx = EVP_MD_CTX_new();
	}
	if (md == NULL || ctx == NULL || !EVP_DigestInit_ex(ctx, md, NULL) ||
	    !EVP_DigestUpdate(ctx, p, n) || !EVP_DigestFinal_ex(ctx, out, NULL))
		abort();
}

void
digest_md5(const void *p, size_t n, uint8_t out[MD5_LEN])
{
	unsigned len = MD5_LEN;

	if (!EVP_Digest(p, n, out, &len, EVP_md5(), NULL))
		abort();
}

static void
digest_sha256_two(EVP_MD_CTX *ctx, const EVP_MD *md, const void *a, size_t na,
    const void *b, size_t nb, uint8_t out[SHA256_LEN])
{
	if (!EVP_DigestInit_ex(ctx, md, NULL) ||
	    !EVP_DigestUpdate(ctx, a, na) || !EVP_DigestUpdate(ctx, b, nb) ||
	    !EVP_DigestFinal_ex(ctx, out, NULL))
		abort();
}

void
digest_hmac(const void *key, size_t key_len, const void *p, size_t n,
    uint8_t out[HMAC_LEN])
{
	static EVP_MD *md; /* HMAC() looks for it each time: most of its cost */
	static EVP_MD_CTX *ctx;
	uint8_t pad[2][HMAC_BLOCK] = {{0}}, inner[HMAC_LEN];

	if (md == NULL) {
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
		ctx = EVP_MD_CTX_new();
	}
	if (md == NULL || ctx == NULL)
		abort();
	if (key_len > HMAC_BLOCK)
		digest_sha256_two(ctx, md, key, key_len, "", 0, pad[0]);
	else if (key_len > 0)
		memcpy(pad[0], key, key_len);
	for (size_t i = 0; i < HMAC_BLOCK; i++) {
		pad[1][i] = pad[0][i] ^ 0x5c;
		pad[0][i] ^= 0x36;
	}
	digest_sha256_two(ctx, md, pad[0], HMAC_BLOCK, p, n, inner);
	digest_sha256_two(ctx, md, pad[1], HMAC_BLOCK, inner, HMAC_LEN, out);
	explicit_bzero(pad, sizeof pad);
}

struct digest *
digest_sha256_begin(void)
{
	static EVP_MD *md;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (md == NULL)
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (md == NULL || ctx == NULL || !EVP_DigestInit_ex(ctx, md, NULL))
		abort();
	return (struct digest *)ctx;
}

void
digest_add(struct digest *d, const void *p, size_t n)
{
	if (!EVP_DigestUpdate((EVP_MD_CTX *)d, p, n))
		abort();
}

void
digest_end(struct digest *d, uint8_t out[SHA256_LEN])
{
	if (!EVP_DigestFinal_ex((EVP_MD_CTX *)d, out, NULL))
		abort();
	digest_free(d);
}

void
digest_free(struct digest *d)
{
	EVP_MD_CTX_free((EVP_MD_CTX *)d);
}

/* --- CRC32C (Castagnoli, reflected 0x82f63b78) ---------------------------- */

static uint32_t digest_crc_table[8][256];

__attribute__((constructor)) static void
digest_crc_init(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
		digest_crc_table[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int t = 1; t < 8; t++) {
			uint32_t c = digest_crc_table[t - 1][i];

			digest_crc_table[t][i] =
			    digest_crc_table[0][c & 0xff] ^ c >> 8;
		}
}

static uint32_t
digest_crc_soft(uint32_t crc, const uint8_t *p, size_t n)
{
	while (n >= 8) {
		uint64_t v;

		memcpy(&v, p, 8);
		v ^= crc;
		crc = digest_crc_table[7][v & 0xff] ^
		      digest_crc_table[6][v >> 8 & 0xff] ^
		      digest_crc_table[5][v >> 16 & 0xff] ^
		      digest_crc_table[4][v >> 24 & 0xff] ^
		      digest_crc_table[3][v >> 32 & 0xff] ^
		      digest_crc_table[2][v >> 40 & 0xff] ^
		      digest_crc_table[1][v >> 48 & 0xff] ^
		      digest_crc_table[0][v >> 56];
		p += 8;
		n -= 8;
	}
	while (n--)
		crc = digest_crc_table[0][(crc ^ *p++) & 0xff] ^ crc >> 8;
	return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
digest_crc_hard(uint32_t crc, const uint8_t *p, size_t n)
{
	uint64_t c = crc;

	while (n >= 8) {
		uint64_t v;

		memcpy(&v, p, 8);
		c = __builtin_ia32_crc32di(c, v);
		p += 8;
		n -= 8;
	}
	crc = (uint32_t)c;
	while (n--)
		crc = __builtin_ia32_crc32qi(crc, *p++);
	return crc;
}
#endif

uint32_t
digest_crc32c(uint32_t crc, const void *p, size_t n)
{
	crc = ~crc;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return ~digest_crc_hard(crc, p, n);
#endif
	return ~digest_crc_soft(crc, p, n);
}

uint32_t
digest_crc32c_plain(uint32_t crc, const void *p, size_t n)
{
	return ~digest_crc_soft(~crc, p, n);
}

bool
digest_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

/* --- encodings ----------------------------------------------------------- */

void
digest_base64(const void *p, size_t n, char *out)
{
	EVP_EncodeBlock((unsigned char *)out, p, (int)n);
}

static const char digest_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t
digest_base64url_text(const void *p, size_t n, char *out)
{
	const uint8_t *s = p;
	char *to = out;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)s[i] << 16;
		size_t left = n - i;

		if (left > 1)
			v |= (uint32_t)s[i + 1] << 8;
		if (left > 2)
			v |= s[i + 2];
		*to++ = digest_url[v >> 18];
		*to++ = digest_url[v >> 12 & 63];
		if (left > 1)
			*to++ = digest_url[v >> 6 & 63];
		if (left > 2)
			*to++ = digest_url[v & 63];
	}
	return (size_t)(to - out);
}

void
digest_base64url(const void *p, size_t n, struct buf *out)
{
	uint8_t *to = n > 0 ? buf_reserve(out, (8 * n + 5) / 6) : NULL;

	if (to != NULL)
		buf_added(out, digest_base64url_text(p, n, (char *)to));
}

static int
digest_url_value(char c)
{
	const char *p = c ? strchr(digest_url, c) : NULL;

	return p ? (int)(p - digest_url) : -1;
}

int
digest_base64url_decode(struct str s, struct buf *out)
{
	uint32_t v = 0;
	unsigned bits = 0, spare = s.len % 4 == 2 ? 4 : s.len % 4 == 3 ? 2 : 0;

	if (s.len % 4 == 1)
		return ERR_INVALID;
	for (size_t i = 0; i < s.len; i++)
		if (digest_url_value(s.p[i]) < 0)
			return ERR_INVALID;
	/* left-over bits must be zero: one text per value */
	if (spare &&
	    (unsigned)digest_url_value(s.p[s.len - 1]) & ((1u << spare) - 1))
		return ERR_INVALID;
	for (size_t i = 0; i < s.len; i++) {
		v = v << 6 | (uint32_t)digest_url_value(s.p[i]);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_putc(out, (char)(v >> bits & 0xff));
		}
	}
	return buf_ok(out) ? OK : ERR_LIMIT;
}

void
digest_hex(const void *p, size_t n, char *out)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *s = p;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = hex[s[i] >> 4];
		out[2 * i + 1] = hex[s[i] & 15];
	}
	out[2 * n] = '\0';
}

int
digest_unhex(struct str s, uint8_t *out, size_t n)
{
	if (s.len != 2 * n)
		return ERR_INVALID;
	for (size_t i = 0; i < n; i++) {
		int hi = str_hex(s.p[2 * i]);
		int lo = str_hex(s.p[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return ERR_INVALID;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return OK;
}

/* --- randomness ---------------------------------------------------------- */

void
digest_random(void *p, size_t n)
{
	uint8_t *to = p;

	while (n) {
		ssize_t got = getrandom(to, n > 256 ? 256 : n, 0);

		if (got <= 0)
			abort();
		to += got;
		n -= (size_t)got;
	}
}

uint64_t
digest_random_u64(void)
{
	uint64_t v;

	digest_random(&v, sizeof v);
	return v;
}

uint64_t
digest_random_below(uint64_t n)
{
	uint64_t limit = n ? UINT64_MAX - UINT64_MAX % n : 0, v;

	if (n == 0)
		return 0;
	do
		v = digest_random_u64();
	while (v >= limit);
	return v % n;
}

/* splitmix64 */
uint64_t
digest_jitter_below(uint64_t n)
{
	static uint64_t state;
	uint64_t v;

	if (state == 0)
		state = digest_random_u64();
	v = state += 0x9e3779b97f4a7c15ULL;
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ULL;
	v = (v ^ v >> 27) * 0x94d049bb133111ebULL;
	v ^= v >> 31;
	return n > 0 ? v % n : 0;
}
