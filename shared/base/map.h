/* SPDX-License-Identifier: MIT */
/*
 * Intrusive hash maps and lists: uthash and utlist, with a keyed hash (XXH3,
 * seed drawn at start), because names come from users. Include this, never
 * uthash.h. Elements embed UT_hash_handle; iteration with removal: HASH_ITER.
 */
#ifndef SHARED_BASE_MAP_H
#define SHARED_BASE_MAP_H

#include <stdint.h>
#include <xxhash.h>

extern uint64_t map_seed;

/* call once at start, before the first map is filled */
void map_init(void);

#define HASH_FUNCTION(keyptr, keylen, hashv)              \
	do {                                              \
		(hashv) = (unsigned)XXH3_64bits_withSeed( \
		    (keyptr), (keylen), map_seed);        \
	} while (0)

#include <uthash.h>
#include <utlist.h>

#endif
