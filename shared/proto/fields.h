/* SPDX-License-Identifier: MIT */
/*
 * Checked reading of frame fields, for frames*.c only: a wire reader that also
 * knows the grammar and limits of base/id.h and limits.md, and remembers the
 * first mistake: read all fields, ask fields_end() once. ERR_PROTO: a field is
 * missing, malformed or left over; ERR_LIMIT: longer or more than allowed.
 * After a mistake every field reads as zero or absent.
 */
#ifndef SHARED_PROTO_FIELDS_H
#define SHARED_PROTO_FIELDS_H

#include "shared/base/id.h"
#include "shared/proto/wire.h"

struct fields {
	struct wire w;
	int err;
};

void fields_init(struct fields *f, struct str body);
int fields_end(const struct fields *f) MUST_CHECK;
void fields_fail(struct fields *f, int err);

/* 0 or 1, nothing else */
bool fields_bool(struct fields *f);
/* lo..hi, else ERR_PROTO */
uint8_t fields_enum(struct fields *f, uint8_t lo, uint8_t hi);
/* a count: at most max, else ERR_LIMIT and 0 */
uint16_t fields_count(struct fields *f, uint16_t max);
/* any bytes, at most max; absent only when `opt` */
struct str fields_str(struct fields *f, size_t max, bool opt);
/* the same, u32 length */
struct str fields_bytes(struct fields *f, size_t max, bool opt);
/* valid UTF-8 */
struct str fields_text(struct fields *f, size_t max, bool opt);
/* uid, rid, dev, server name */
struct str fields_word(struct fields *f, bool opt);
struct str fields_cid(struct fields *f, bool opt);
/* a channel name; kind 0: any */
struct str fields_chan(struct fields *f, char kind, bool opt);
/* 8 hex digits */
struct str fields_ep(struct fields *f, bool opt);

#endif
