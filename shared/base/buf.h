/* SPDX-License-Identifier: MIT */
/*
 * struct buf: bytes being written; one owner; grows up to `max`.
 *
 *   data .. data+off     already consumed (buf_consume)
 *   data+off .. data+len readable: buf_p(), buf_len()
 *   data+len .. data+cap room
 *
 * A write that would pass `max` (or fails to allocate) writes nothing and sets
 * `failed`; later writes do nothing: write all, check buf_ok() once.
 * An all-zero struct buf with max set is a valid empty buffer; a buffer at
 * rest holds no memory after buf_fini().
 */
#ifndef SHARED_BASE_BUF_H
#define SHARED_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "shared/base/str.h"

struct buf {
	uint8_t *data; /* owned */
	size_t off, len, cap, max;
	bool failed;
};

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);  /* frees; usable again as empty, same max */
void buf_reset(struct buf *b); /* empty, keeps its memory, clears failed */

static inline const uint8_t *
buf_p(const struct buf *b)
{
	return b->data ? b->data + b->off : (const uint8_t *)"";
}

static inline size_t
buf_len(const struct buf *b)
{
	return b->len - b->off;
}

static inline bool
buf_ok(const struct buf *b)
{
	return !b->failed;
}

static inline struct str
buf_str(const struct buf *b)
{
	return str_n(buf_p(b), buf_len(b));
}

/* these two where there is no room yet, or none at all */
uint8_t *buf_reserve_slow(struct buf *b, size_t n);
void buf_put_slow(struct buf *b, const void *p, size_t n);

/* room for n more bytes, or NULL (and failed); follow with buf_added */
static inline uint8_t *
buf_reserve(struct buf *b, size_t n)
{
	/* cap is never more than max */
	if (b->failed || b->data == NULL || b->cap - b->len < n)
		return buf_reserve_slow(b, n);
	return b->data + b->len;
}

static inline void
buf_added(struct buf *b, size_t n)
{
	b->len += n;
}

static inline void
buf_put(struct buf *b, const void *p, size_t n)
{
	/* cap is never more than max */
	if (n == 0)
		return;
	if (b->failed || b->cap - b->len < n) {
		buf_put_slow(b, p, n);
		return;
	}
	memcpy(b->data + b->len, p, n);
	b->len += n;
}

static inline void
buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void buf_puts(struct buf *b, const char *cstr);
void buf_putstr(struct buf *b, struct str s);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* drop n readable bytes at the front; moves nothing until room is needed */
void buf_consume(struct buf *b, size_t n);
/* cut the readable part to its first n bytes */
void buf_truncate(struct buf *b, size_t n);

#endif
