/* SPDX-License-Identifier: MIT */
/*
 * An intrusive hash table for things there are many of: 10 to 15 bytes for each
 * and nothing in it, where uthash (map.h) takes 56; map.h is more convenient
 * for the few.
 *
 * Among a hundred thousand each look at an element is a wait for memory, so
 * whoever is not in it is mostly known by one line of the table and no element,
 * and who is in it by his own.
 *
 * An element embeds struct table_link and finds its key through a function,
 * which is given to every call (always the same for one table). Keys are bytes
 * that stay as they are while the element is in; they may come from outside:
 * the hash is keyed like map.h's (map_init). Two elements never have the same
 * key: that is the caller's business.
 *
 * All zero is an empty table; an empty table holds no memory. It grows when
 * four fifths are taken, by as much again or, where that is many, by half
 * (everything in it is moved then), and does not shrink before it is empty.
 * Elements are the caller's.
 */
#ifndef SHARED_BASE_TABLE_H
#define SHARED_BASE_TABLE_H

#include <stdint.h>

#include "shared/base/str.h"

/* takes no room: it is the place by which the table knows the element */
struct table_link {
};

struct table {
	uintptr_t *slot; /* owned; cap of them, or NULL: see table.c */
	uint32_t n;      /* elements */
	uint32_t used;   /* slots that are not free: n and what was taken out */
	uint32_t cap;
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
