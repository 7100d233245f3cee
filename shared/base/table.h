/* SPDX-License-Identifier: MIT */
/*
 * An intrusive hash table for things there are many of: one pointer in each
 * element and half a pointer to a pointer beside it, where uthash (map.h) takes
 * 56 bytes; map.h is more convenient for the few.
 *
 * An element embeds struct table_link and finds its key through a function,
 * which is given to every call (always the same for one table). Keys are bytes
 * that stay as they are while the element is in; they may come from outside:
 * the hash is keyed like map.h's (map_init). Two elements never have the same
 * key: that is the caller's business.
 *
 * All zero is an empty table; an empty table holds no memory. It grows when it
 * is full (everything in it is moved then) and does not shrink before it is
 * empty. Elements are the caller's.
 */
#ifndef SHARED_BASE_TABLE_H
#define SHARED_BASE_TABLE_H

#include <stdint.h>

#include "shared/base/str.h"

struct table_link {
	struct table_link *next;
};

struct table {
	struct table_link **bucket; /* owned; mask + 1 of them, or NULL */
	uint32_t n;                 /* elements */
	uint32_t mask;
};

void table_add(struct table *t, struct table_link *e, struct str (*key)(const struct table_link *));
/* NULL: not there */
struct table_link *table_find(const struct table *t, struct str k, struct str (*key)(const struct table_link *));
/* one that is in it */
void table_del(struct table *t, struct table_link *e, struct str (*key)(const struct table_link *));

/*
 * In no order. While going through, the present element may be taken out when
 * the next one was asked for before, and nothing may be added:
 *	TABLE_EACH (&t, e, next, key)
 *		table_del(&t, e, key);
 */
struct table_link *table_first(const struct table *t);
/* one of them, whichever; to take all out, with or without pauses. *at is where
 * it looks first, and remembers: so all of it costs one way through */
struct table_link *table_any(const struct table *t, uint32_t *at);
struct table_link *table_next(const struct table *t, const struct table_link *e, struct str (*key)(const struct table_link *));

#define TABLE_EACH(t, e, after, key)                              \
	for ((e) = table_first(t);                                \
	     (e) && ((after) = table_next((t), (e), (key)), true); \
	     (e) = (after))

#endif
