/* SPDX-License-Identifier: MIT */
/*
 * Small objects there are very many of, without what malloc adds to each (a
 * header of 8 bytes, and up to 15 to fill up): sizes are rounded up to 8, no
 * more. Objects of one size lie together in chunks of SLAB_CHUNK bytes, which
 * the kernel gives page by page as they are used and which go back to it when
 * nothing in them is left; one that is empty is kept for each size.
 *
 * The caller remembers an object's size: slab_put() is told it. What is larger
 * than SLAB_MAX is malloc's after all. One thread; several slabs know nothing
 * of each other, and one for a whole module wastes least. All zero is an empty
 * slab; an empty slab holds next to nothing, and nothing after slab_fini().
 *
 * Out of memory it dies as xmalloc does (err.h). Under the address sanitizer
 * every object is malloc's, so that the sanitizer sees each.
 */
#ifndef SHARED_BASE_SLAB_H
#define SHARED_BASE_SLAB_H

#include <stddef.h>

enum { SLAB_CHUNK = 65536, SLAB_MAX = 512, SLAB_STEP = 8 };

struct slab_chunk;

struct slab {
	/* by size: those with room, the one to use first */
	struct slab_chunk *open[SLAB_MAX / SLAB_STEP];
	size_t bytes; /* of chunks, and of what malloc has */
};

/* n > 0 bytes, all zero, aligned to 8 */
void *slab_get(struct slab *s, size_t n);
/* p: of this slab and of this size, or NULL */
void slab_put(struct slab *s, void *p, size_t n);
/* everything was put back before; what is kept empty goes */
void slab_fini(struct slab *s);

#endif
