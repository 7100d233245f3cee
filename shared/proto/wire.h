/* SPDX-License-Identifier: MIT */
/*
 * Binary fields of link frames and stored records: little-endian integers,
 * strings as u16 length + bytes, blobs as u32 length + bytes. Reader and writer
 * remember their first error: read ten fields, check once. A reader in error
 * returns zeros. Strings read point into the input.
 */
#ifndef SHARED_PROTO_WIRE_H
#define SHARED_PROTO_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/buf.h"

struct wire {
	const uint8_t *p, *end;
	bool bad;
};

void wire_read(struct wire *w, const void *p, size_t n);
uint8_t wire_u8(struct wire *w);
uint16_t wire_u16(struct wire *w);
uint32_t wire_u32(struct wire *w);
uint64_t wire_u64(struct wire *w);
struct str wire_str(struct wire *w);   /* u16 length; 0xffff = absent */
struct str wire_bytes(struct wire *w); /* u32 length; 0xffffffff = absent */
/* 0 when all was read without error and nothing is left over; else ERR_PROTO */
int wire_end(const struct wire *w) MUST_CHECK;

void wire_put_u8(struct buf *b, uint8_t v);
void wire_put_u16(struct buf *b, uint16_t v);
void wire_put_u32(struct buf *b, uint32_t v);
void wire_put_u64(struct buf *b, uint64_t v);
void wire_put_str(
    struct buf *b, struct str s); /* over 65534 bytes: b->failed */
void wire_put_bytes(struct buf *b, struct str s);

#endif
