/* SPDX-License-Identifier: MIT */
/*
 * A map of 64-bit fingerprints of (room, user) and (room, session), oldest
 * first; its memory is bounded by their number. Decides nothing: room.c does.
 */
#include <stdlib.h>

#include "msg_server/follow/told.h"
#include "shared/base/map.h"

struct told_entry {
	UT_hash_handle hh; /* told->map by key */
	struct told_entry *prev, *next;
	uint64_t key;
	enum told_what what;
};

struct told {
	struct told_entry *map, *oldest;
};

struct told *
told_new(void)
{
	return xcalloc(1, sizeof(struct told));
}

static void
told_forget(struct told *t, struct told_entry *e)
{
	HASH_DEL(t->map, e);
	DL_DELETE(t->oldest, e);
	free(e);
}

void
told_free(struct told *t)
{
	if (t == NULL)
		return;
	while (t->oldest != NULL)
		told_forget(t, t->oldest);
	free(t);
}

static uint64_t
told_key(uint32_t ch, const void *p, size_t n)
{
	return XXH3_64bits_withSeed(
	    p, n, map_seed ^ (uint64_t)ch * 0x9e3779b97f4a7c15ULL);
}

static struct told_entry *
told_find(struct told *t, uint64_t key)
{
	struct told_entry *e;

	HASH_FIND(hh, t->map, &key, sizeof key, e);
	return e;
}

static void
told_put(struct told *t, uint64_t key, enum told_what what)
{
	struct told_entry *e = told_find(t, key);

	if (e != NULL)
		told_forget(t, e);
	else if (HASH_COUNT(t->map) >= TOLD_MAX)
		told_forget(t, t->oldest);
	e = xcalloc(1, sizeof *e);
	e->key = key;
	e->what = what;
	HASH_ADD(hh, t->map, key, sizeof e->key, e);
	DL_APPEND(t->oldest, e);
}

enum told_what
told_get(struct told *t, uint32_t ch, struct str uid)
{
	const struct told_entry *e = told_find(t, told_key(ch, uid.p, uid.len));

	return e != NULL ? e->what : TOLD_NOTHING;
}

void
told_set(struct told *t, uint32_t ch, struct str uid, enum told_what what)
{
	told_put(t, told_key(ch, uid.p, uid.len), what);
}

/* no uid has a NUL in it */
static uint64_t
told_key_session(uint32_t ch, uint64_t cn)
{
	uint64_t k[2] = {0, cn};

	return told_key(ch, k, sizeof k);
}

bool
told_session(struct told *t, uint32_t ch, uint64_t cn)
{
	return told_find(t, told_key_session(ch, cn)) != NULL;
}

void
told_set_session(struct told *t, uint32_t ch, uint64_t cn)
{
	told_put(t, told_key_session(ch, cn), TOLD_IN);
}
