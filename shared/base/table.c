/* SPDX-License-Identifier: MIT */
/*
 * Open addressing: an element is in the first free slot from its home on, where
 * homes rise with the hash, so growing goes once through old and new. A slot
 * has the element's address and, in the bits no address has, some of its hash,
 * so another's element is hardly ever looked at. What is taken out leaves GONE
 * (others are behind it) until all is put in anew; so nothing moves meanwhile,
 * and one may go through while taking out. See table.h.
 */
#include <stdlib.h>

#include "shared/base/err.h"
#include "shared/base/map.h"
#include "shared/base/table.h"

/* a sanitizer that looks for leaks must find addresses as they are */
#if UINTPTR_MAX < UINT64_MAX || defined(__SANITIZE_ADDRESS__)
#define TABLE_TAG(hash) ((uintptr_t)0)
#else
/* never 0, as the free and the gone have it */
#define TABLE_TAG(hash) ((uintptr_t)((hash)&0xffff) << 48 | (uintptr_t)1 << 48)
#endif

enum { TABLE_FIRST = 8, TABLE_SMALL = 4096, TABLE_AHEAD = 16 };
enum { TABLE_FREE, TABLE_GONE }; /* no element has these addresses */

static uint32_t
table_hash(struct str k)
{
	return (uint32_t)(XXH3_64bits_withSeed(k.p, k.len, map_seed) >> 32);
}

static uint32_t
table_home(const struct table *t, uint32_t hash)
{
	return (uint32_t)((uint64_t)hash * t->cap >> 32);
}

static uint32_t
table_after(const struct table *t, uint32_t i)
{
	return ++i == t->cap ? 0 : i;
}

static struct table_link *
table_at(uintptr_t slot)
{
	return (struct table_link *)(slot & ~TABLE_TAG(0xffff));
}

static void
table_put(struct table *t, struct table_link *e, uint32_t hash)
{
	uint32_t i = table_home(t, hash);

	while (t->slot[i] > TABLE_GONE)
		i = table_after(t, i);
	t->used += t->slot[i] == TABLE_FREE;
	t->slot[i] = (uintptr_t)e | TABLE_TAG(hash);
}

/* of the same size where that makes room for many */
static void
table_renew(struct table *t, struct str (*key)(const struct table_link *))
{
	const struct table was = *t;
	struct table_link *e;
	uint32_t i, ahead;

	if (t->cap == 0)
		t->cap = TABLE_FIRST;
	else if (t->n >= was.cap / 2)
		t->cap += t->cap < TABLE_SMALL ? t->cap : t->cap / 2;
	t->slot = xcalloc(t->cap, sizeof *t->slot);
	t->used = 0;
	for (i = 0; i < was.cap; i++) {
		ahead = i + TABLE_AHEAD;
		if (ahead < was.cap)
			__builtin_prefetch(table_at(was.slot[ahead]));
		if (was.slot[i] <= TABLE_GONE)
			continue;
		e = table_at(was.slot[i]);
		table_put(t, e, table_hash(key(e)));
	}
	free(was.slot);
}

void
table_add(struct table *t, struct table_link *e,
    struct str (*key)(const struct table_link *))
{
	if (t->used >= t->cap - t->cap / 5)
		table_renew(t, key);
	table_put(t, e, table_hash(key(e)));
	t->n++;
}

struct table_link *
table_find(const struct table *t, struct str k,
    struct str (*key)(const struct table_link *))
{
	struct table_link *e;
	uint32_t hash, i;
	uintptr_t tag;

	if (t->n == 0)
		return NULL;
	hash = table_hash(k);
	tag = TABLE_TAG(hash);
	for (i = table_home(t, hash); t->slot[i] != TABLE_FREE;
	     i = table_after(t, i)) {
		if (((t->slot[i] ^ tag) & TABLE_TAG(0xffff)) != 0 ||
		    t->slot[i] == TABLE_GONE)
			continue;
		e = table_at(t->slot[i]);
		if (str_eq(key(e), k))
			return e;
	}
	return NULL;
}

/* the slot of one that is in it */
static uint32_t
table_where(const struct table *t, const struct table_link *e,
    struct str (*key)(const struct table_link *))
{
	uint32_t hash = table_hash(key(e));
	uintptr_t slot = (uintptr_t)e | TABLE_TAG(hash);
	uint32_t i = table_home(t, hash);

	while (t->slot[i] != slot)
		i = table_after(t, i);
	return i;
}

void
table_del(struct table *t, struct table_link *e,
    struct str (*key)(const struct table_link *))
{
	uint32_t i = table_where(t, e, key);

	t->slot[i] = TABLE_GONE;
	if (--t->n == 0) {
		free(t->slot);
		*t = (struct table){0};
		return;
	}
	if (t->slot[table_after(t, i)] != TABLE_FREE)
		return;
	/* nobody is behind it, nor behind those gone before it */
	while (t->slot[i] == TABLE_GONE) {
		t->slot[i] = TABLE_FREE;
		t->used--;
		i = i > 0 ? i - 1 : t->cap - 1;
	}
}

static struct table_link *
table_from(const struct table *t, uint32_t i)
{
	for (; i < t->cap; i++)
		if (t->slot[i] > TABLE_GONE)
			return table_at(t->slot[i]);
	return NULL;
}

struct table_link *
table_first(const struct table *t)
{
	return table_from(t, 0);
}

struct table_link *
table_any(const struct table *t, uint32_t *at)
{
	if (t->n == 0)
		return NULL;
	if (*at >= t->cap)
		*at = 0;
	while (t->slot[*at] <= TABLE_GONE)
		*at = table_after(t, *at);
	return table_at(t->slot[*at]);
}

struct table_link *
table_next(const struct table *t, const struct table_link *e,
    struct str (*key)(const struct table_link *))
{
	return table_from(t, table_where(t, e, key) + 1);
}
