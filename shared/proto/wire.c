/* SPDX-License-Identifier: MIT */
/*
 * Little-endian fields with an error that sticks. No meaning here: what fields
 * a frame has and what they may hold is frames.c.
 */
#include <endian.h>
#include <string.h>

#include "shared/proto/wire.h"

enum { WIRE_STR_MAX = 0xfffe, WIRE_STR_ABSENT = 0xffff };
#define WIRE_BYTES_ABSENT UINT32_MAX

void
wire_read(struct wire *w, const void *p, size_t n)
{
	w->p = p;
	w->end = w->p + n;
	w->bad = false;
}

/* the next n bytes, or NULL and bad */
static const uint8_t *
wire_take(struct wire *w, size_t n)
{
	const uint8_t *p = w->p;

	if (w->bad || (size_t)(w->end - p) < n) {
		w->bad = true;
		return NULL;
	}
	w->p += n;
	return p;
}

/* n is a constant where these two are used: one load, one store */
static inline uint64_t
wire_int(struct wire *w, unsigned n)
{
	const uint8_t *p = wire_take(w, n);
	uint64_t v = 0;

	if (p == NULL)
		return 0;
	memcpy(&v, p, n);
	return le64toh(v);
}

uint8_t
wire_u8(struct wire *w)
{
	return (uint8_t)wire_int(w, 1);
}

uint16_t
wire_u16(struct wire *w)
{
	return (uint16_t)wire_int(w, 2);
}

uint32_t
wire_u32(struct wire *w)
{
	return (uint32_t)wire_int(w, 4);
}

uint64_t
wire_u64(struct wire *w)
{
	return wire_int(w, 8);
}

static struct str
wire_span(struct wire *w, size_t n)
{
	const uint8_t *p = wire_take(w, n);

	return p != NULL ? str_n(p, n) : STR_NONE;
}

struct str
wire_str(struct wire *w)
{
	uint16_t n = wire_u16(w);

	if (w->bad || n == WIRE_STR_ABSENT)
		return STR_NONE;
	return wire_span(w, n);
}

struct str
wire_bytes(struct wire *w)
{
	uint32_t n = wire_u32(w);

	if (w->bad || n == WIRE_BYTES_ABSENT)
		return STR_NONE;
	return wire_span(w, n);
}

int
wire_end(const struct wire *w)
{
	return w->bad || w->p != w->end ? ERR_PROTO : 0;
}

static inline void
wire_put_int(struct buf *b, uint64_t v, unsigned n)
{
	v = htole64(v);
	buf_put(b, &v, n);
}

void
wire_put_u8(struct buf *b, uint8_t v)
{
	wire_put_int(b, v, 1);
}

void
wire_put_u16(struct buf *b, uint16_t v)
{
	wire_put_int(b, v, 2);
}

void
wire_put_u32(struct buf *b, uint32_t v)
{
	wire_put_int(b, v, 4);
}

void
wire_put_u64(struct buf *b, uint64_t v)
{
	wire_put_int(b, v, 8);
}

void
wire_put_str(struct buf *b, struct str s)
{
	if (s.len > WIRE_STR_MAX) {
		b->failed = true;
		return;
	}
	wire_put_u16(b, str_is_set(s) ? (uint16_t)s.len : WIRE_STR_ABSENT);
	buf_putstr(b, s);
}

void
wire_put_bytes(struct buf *b, struct str s)
{
	if (s.len >= WIRE_BYTES_ABSENT) {
		b->failed = true;
		return;
	}
	wire_put_u32(b, str_is_set(s) ? (uint32_t)s.len : WIRE_BYTES_ABSENT);
	buf_putstr(b, s);
}
