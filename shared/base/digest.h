/* SPDX-License-Identifier: MIT */
/*
 * Digests and encodings over libcrypto: SHA-1 (WebSocket accept key), SHA-256
 * (names of uploads), HMAC-SHA-256 (tokens, link proof), CRC32C (link frames, stored rows),
 * base64, base64url, hex, random bytes, constant-time compare.
 */
#ifndef SHARED_BASE_DIGEST_H
#define SHARED_BASE_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/buf.h"

#define SHA1_LEN 20
#define MD5_LEN	 16
#define HMAC_LEN 32
#define SHA256_LEN 32

void digest_sha1(const void *p, size_t n, uint8_t out[SHA1_LEN]);
/* names that older systems make of it, nothing that must be safe */
void digest_md5(const void *p, size_t n, uint8_t out[MD5_LEN]);
void digest_hmac(const void *key, size_t key_len, const void *p, size_t n,
    uint8_t out[HMAC_LEN]);
/* SHA-256 of bytes that come in pieces; ended by _end, or given up by _free */
struct digest;
struct digest *digest_sha256_begin(void);
void digest_add(struct digest *d, const void *p, size_t n);
void digest_end(struct digest *d, uint8_t out[SHA256_LEN]);
void digest_free(struct digest *d); /* NULL is fine */
/* crc of p..p+n continued from crc (0 to start); SSE4.2 when there is */
uint32_t digest_crc32c(uint32_t crc, const void *p, size_t n);
/* the same on any processor; here so that a test reaches it */
uint32_t digest_crc32c_plain(uint32_t crc, const void *p, size_t n);
bool digest_equal(const void *a, const void *b, size_t n);

/* NUL-terminated into out; out must hold 4*((n+2)/3)+1 */
void digest_base64(const void *p, size_t n, char *out);
/* unpadded, (8n+5)/6 bytes, which it returns; no NUL behind them */
size_t digest_base64url_text(const void *p, size_t n, char *out);
/* the same, appended to out */
void digest_base64url(const void *p, size_t n, struct buf *out);
/* strict: no padding, no other characters; ERR_INVALID; appended to out */
int digest_base64url_decode(struct str s, struct buf *out) MUST_CHECK;
/* out must hold 2n+1 */
void digest_hex(const void *p, size_t n, char *out);
/* strict lower/upper hex of exactly 2n characters */
int digest_unhex(struct str s, uint8_t *out, size_t n) MUST_CHECK;

void digest_random(void *p, size_t n); /* dies if the kernel has none */
uint64_t digest_random_u64(void);
/* uniform in 0..n-1 */
uint64_t digest_random_below(uint64_t n);
/*
 * In 0..n-1 (0 for n 0) without a system call: to spread things in time, for
 * nothing that anybody must not guess. n is small beside 2^64. One thread.
 */
uint64_t digest_jitter_below(uint64_t n);

#endif
