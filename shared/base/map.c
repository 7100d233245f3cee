/* SPDX-License-Identifier: MIT */
/*
 * The seed of all hash maps; the maps themselves are macros. See map.h.
 */
#include "shared/base/map.h"

#include "shared/base/digest.h"

uint64_t map_seed;

void
map_init(void)
{
	map_seed = digest_random_u64();
}
