/* SPDX-License-Identifier: MIT */
/*
 * Immutable counted bytes, shared by all recipients of a frame. See blob.h.
 * No atomics: one thread owns them all.
 */
#include "shared/base/blob.h"

#include <stdlib.h>

struct blob *
blob_alloc(size_t len)
{
	struct blob *b = xmalloc(sizeof *b + len);

	b->refs = 1;
	b->len = (uint32_t)len;
	return b;
}

struct blob *
blob_new(const void *p, size_t len)
{
	struct blob *b = blob_alloc(len);

	if (len)
		memcpy(b->bytes, p, len);
	return b;
}

struct blob *
blob_take(struct buf *b)
{
	struct blob *blob = blob_new(buf_p(b), buf_len(b));

	buf_reset(b);
	return blob;
}

void
blob_unref(struct blob *b)
{
	if (b && --b->refs == 0)
		free(b);
}
