/* SPDX-License-Identifier: MIT */
/*
 * Bytes being written, up to a bound. See buf.h for the cursors. It knows
 * nothing of where the bytes come from or go to.
 */
#include "shared/base/buf.h"

#include <stdio.h>
#include <stdlib.h>

enum { BUF_FIRST = 256 };

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void
buf_fini(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void
buf_reset(struct buf *b)
{
	b->off = b->len = 0;
	b->failed = false;
}

uint8_t *
buf_reserve_slow(struct buf *b, size_t n)
{
	size_t live = b->len - b->off, want, cap;
	uint8_t *data;

	if (b->failed)
		return NULL;
	if (n > b->max || live > b->max - n) {
		b->failed = true;
		return NULL;
	}
	if (b->data && b->cap - b->len >= n)
		return b->data + b->len;
	if (b->off) {
		memmove(b->data, b->data + b->off, live);
		b->off = 0;
		b->len = live;
		if (b->cap - b->len >= n)
			return b->data + b->len;
	}
	want = live + n;
	cap = b->cap ? b->cap : BUF_FIRST;
	while (cap < want)
		cap = cap > SIZE_MAX / 2 ? want : cap * 2;
	if (cap > b->max && b->max >= want)
		cap = b->max;
	data = realloc(b->data, cap ? cap : 1);
	if (data == NULL) {
		b->failed = true;
		return NULL;
	}
	b->data = data;
	b->cap = cap;
	return b->data + b->len;
}

void
buf_put_slow(struct buf *b, const void *p, size_t n)
{
	uint8_t *to = buf_reserve(b, n);

	if (to == NULL)
		return;
	if (n)
		memcpy(to, p, n);
	b->len += n;
}

void
buf_puts(struct buf *b, const char *cstr)
{
	buf_put(b, cstr, strlen(cstr));
}

void
buf_putstr(struct buf *b, struct str s)
{
	buf_put(b, s.p, s.len);
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	char small[256];
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof small, fmt, ap);
	if (n < 0) {
		b->failed = true;
	} else if ((size_t)n < sizeof small) {
		buf_put(b, small, (size_t)n);
	} else {
		/* printed aside: its NUL must not count against max */
		char *text = xmalloc((size_t)n + 1);

		vsnprintf(text, (size_t)n + 1, fmt, again);
		buf_put(b, text, (size_t)n);
		free(text);
	}
	va_end(again);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void
buf_consume(struct buf *b, size_t n)
{
	b->off += n;
	if (b->off == b->len)
		b->off = b->len = 0;
}

void
buf_truncate(struct buf *b, size_t n)
{
	if (n < buf_len(b))
		b->len = b->off + n;
}
