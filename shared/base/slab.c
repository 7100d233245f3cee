/* SPDX-License-Identifier: MIT */
/*
 * Chunks are aligned to their size, so an object's is found by its address; in
 * front of each is its head. Objects that were never used are not written to,
 * those put back are chained through their first word. See slab.h.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "shared/base/err.h"
#include "shared/base/slab.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLAB_LARGEST = 0 };
#else
enum { SLAB_LARGEST = SLAB_MAX };
#endif

struct slab_chunk {
	struct slab_chunk *prev, *next; /* of those with room */
	void *back;			/* objects put back */
	uint32_t size;
	uint32_t used; /* objects that are out */
	uint32_t made; /* ever: those behind have not been touched */
	uint32_t most; /* fit in */
};

static unsigned
slab_class(size_t n)
{
	return (unsigned)((n + SLAB_STEP - 1) / SLAB_STEP) - 1;
}

/* the kernel puts one mapping next to the other, so mostly the first is good */
static struct slab_chunk *
slab_map(void)
{
	const int prot = PROT_READ | PROT_WRITE;
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	size_t off;
	char *p = mmap(NULL, SLAB_CHUNK, prot, flags, -1, 0);

	if (p != MAP_FAILED && ((uintptr_t)p & (SLAB_CHUNK - 1)) == 0)
		return (struct slab_chunk *)(void *)p;
	if (p != MAP_FAILED)
		munmap(p, SLAB_CHUNK);
	p = mmap(NULL, 2 * SLAB_CHUNK, prot, flags, -1, 0);
	if (p == MAP_FAILED)
		/* as loud as xmalloc */
		return xmalloc(SIZE_MAX / 2);
	off = (SLAB_CHUNK - ((uintptr_t)p & (SLAB_CHUNK - 1))) % SLAB_CHUNK;
	if (off > 0)
		munmap(p, off);
	munmap(p + off + SLAB_CHUNK, SLAB_CHUNK - off);
	return (struct slab_chunk *)(void *)(p + off);
}

static void
slab_open(struct slab *s, struct slab_chunk *c)
{
	struct slab_chunk **at = &s->open[slab_class(c->size)];

	c->prev = NULL;
	c->next = *at;
	if (c->next != NULL)
		c->next->prev = c;
	*at = c;
}

static void
slab_close(struct slab *s, struct slab_chunk *c)
{
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		s->open[slab_class(c->size)] = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
}

static struct slab_chunk *
slab_chunk_new(struct slab *s, unsigned class)
{
	struct slab_chunk *c = slab_map();

	c->size = (class + 1) * SLAB_STEP;
	c->most = (SLAB_CHUNK - (uint32_t)sizeof *c) / c->size;
	s->bytes += SLAB_CHUNK;
	slab_open(s, c);
	return c;
}

void *
slab_get(struct slab *s, size_t n)
{
	struct slab_chunk *c;
	void *p;

	if (n > SLAB_LARGEST) {
		s->bytes += n;
		return xcalloc(1, n);
	}
	c = s->open[slab_class(n)];
	if (c == NULL)
		c = slab_chunk_new(s, slab_class(n));
	p = c->back;
	if (p != NULL) {
		memcpy(&c->back, p, sizeof c->back);
		memset(p, 0, c->size);
	} else {
		p = (char *)c + sizeof *c + (size_t)c->made++ * c->size;
	}
	if (++c->used == c->most)
		slab_close(s, c);
	return p;
}

void
slab_put(struct slab *s, void *p, size_t n)
{
	struct slab_chunk *c;

	if (p == NULL)
		return;
	if (n > SLAB_LARGEST) {
		s->bytes -= n;
		free(p);
		return;
	}
	c = (struct slab_chunk *)((uintptr_t)p & ~(uintptr_t)(SLAB_CHUNK - 1));
	if (c->used-- == c->most)
		slab_open(s, c);
	if (c->used == 0 && (c->prev != NULL || c->next != NULL)) {
		slab_close(s, c);
		s->bytes -= SLAB_CHUNK;
		munmap(c, SLAB_CHUNK);
		return;
	}
	memcpy(p, &c->back, sizeof c->back);
	c->back = p;
}

void
slab_fini(struct slab *s)
{
	struct slab_chunk *c;

	for (unsigned i = 0; i < SLAB_MAX / SLAB_STEP; i++) {
		c = s->open[i];
		if (c == NULL || c->used > 0)
			continue;
		slab_close(s, c);
		s->bytes -= SLAB_CHUNK;
		munmap(c, SLAB_CHUNK);
	}
}
