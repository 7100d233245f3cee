/* SPDX-License-Identifier: MIT */
/*
 * struct blob: finished bytes, immutable, reference-counted. The only counted
 * type of the program: one encoded frame is shared by all its recipients.
 * Not atomic: blobs live on the event loop's thread.
 */
#ifndef SHARED_BASE_BLOB_H
#define SHARED_BASE_BLOB_H

#include <stdint.h>

#include "shared/base/buf.h"

struct blob {
	uint32_t refs;
	uint32_t len;
	uint8_t bytes[];
};

/* one reference, owned by the caller; dies on OOM (sizes are bounded before) */
struct blob *blob_new(const void *p, size_t len);
/* uninitialised bytes, to be filled before it is shared */
struct blob *blob_alloc(size_t len);
/* copies what b holds into a fresh blob and empties b */
struct blob *blob_take(struct buf *b);

static inline struct blob *
blob_ref(struct blob *b)
{
	b->refs++;
	return b;
}

void blob_unref(struct blob *b); /* NULL is fine */

#endif
