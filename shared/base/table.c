/* SPDX-License-Identifier: MIT */
/*
 * Chains of elements in an array of buckets, at most TABLE_LOAD elements a
 * bucket on average. No hash is kept: growing and going through ask for the
 * keys again. See table.h.
 */
#include <stdlib.h>

#include "shared/base/err.h"
#include "shared/base/map.h"
#include "shared/base/table.h"

enum { TABLE_FIRST = 8, TABLE_LOAD = 2 };

static struct table_link **
table_bucket(const struct table *t, struct str k)
{
	return &t->bucket[XXH3_64bits_withSeed(k.p, k.len, map_seed) & t->mask];
}

static void
table_grow(struct table *t, struct str (*key)(const struct table_link *))
{
	struct table_link **was = t->bucket, **to, *e, *next;
	uint32_t i, n = was != NULL ? t->mask + 1 : 0;
	uint32_t most = n > 0 ? n * 2 : TABLE_FIRST;

	t->bucket = xcalloc(most, sizeof *t->bucket);
	t->mask = most - 1;
	for (i = 0; i < n; i++) {
		for (e = was[i]; e != NULL; e = next) {
			next = e->next;
			to = table_bucket(t, key(e));
			e->next = *to;
			*to = e;
		}
	}
	free(was);
}

void
table_add(struct table *t, struct table_link *e,
    struct str (*key)(const struct table_link *))
{
	struct table_link **to;

	if (t->bucket == NULL ||
	    (t->n / TABLE_LOAD > t->mask && t->mask < UINT32_MAX / 2))
		table_grow(t, key);
	to = table_bucket(t, key(e));
	e->next = *to;
	*to = e;
	t->n++;
}

struct table_link *
table_find(const struct table *t, struct str k,
    struct str (*key)(const struct table_link *))
{
	struct table_link *e;

	if (t->n == 0)
		return NULL;
	for (e = *table_bucket(t, k); e != NULL; e = e->next)
		if (str_eq(key(e), k))
			return e;
	return NULL;
}

void
table_del(struct table *t, struct table_link *e,
    struct str (*key)(const struct table_link *))
{
	struct table_link **p = table_bucket(t, key(e));

	while (*p != e)
		p = &(*p)->next;
	*p = e->next;
	e->next = NULL;
	if (--t->n > 0)
		return;
	free(t->bucket);
	t->bucket = NULL;
	t->mask = 0;
}

static struct table_link *
table_from(const struct table *t, uint64_t i)
{
	for (; i <= t->mask; i++)
		if (t->bucket[i] != NULL)
			return t->bucket[i];
	return NULL;
}

struct table_link *
table_first(const struct table *t)
{
	return t->n > 0 ? table_from(t, 0) : NULL;
}

struct table_link *
table_any(const struct table *t, uint32_t *at)
{
	if (t->n == 0)
		return NULL;
	for (*at &= t->mask; t->bucket[*at] == NULL;)
		*at = (*at + 1) & t->mask;
	return t->bucket[*at];
}

struct table_link *
table_next(const struct table *t, const struct table_link *e,
    struct str (*key)(const struct table_link *))
{
	if (e->next != NULL)
		return e->next;
	return table_from(
	    t, (uint64_t)(table_bucket(t, key(e)) - t->bucket) + 1);
}
