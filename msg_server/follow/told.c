/* SPDX-License-Identifier: MIT */
/*
 * 64-bit fingerprints of (room, user) and (room, session) in a ring, in the
 * order they were told, and an index into it by open addressing: 16 bytes an
 * entry where all is full. What is told again leaves a hole where it was. The
 * index knows where each of its entries belongs, so the ring is looked at for
 * what is found, not on the way there. Decides nothing: room.c does.
 */
#include <stdlib.h>

#include "msg_server/follow/told.h"
#include "shared/base/map.h"

enum { TOLD_FIRST = 64, TOLD_WHAT = 3 /* bits of an entry */ };
enum { TOLD_PLACE = 0xffff, TOLD_AHEAD = 8 };

struct told {
	uint64_t *ring;	 /* cap entries; what in the low bits; 0: a hole */
	uint32_t *index; /* 2 * cap; its mark, place in the ring + 1; 0: none */
	uint32_t cap;	 /* a power of two, TOLD_MAX at most; 0 at first */
	uint32_t oldest, next; /* both count on and on */
};

struct told *
told_new(void)
{
	return xcalloc(1, sizeof(struct told));
}

void
told_free(struct told *t)
{
	if (t == NULL)
		return;
	free(t->ring);
	free(t->index);
	free(t);
}

static uint64_t
told_key(uint32_t ch, const void *p, size_t n)
{
	return XXH3_64bits_withSeed(
	    p, n, map_seed ^ (uint64_t)ch * 0x9e3779b97f4a7c15ULL);
}

static uint64_t *
told_at(const struct told *t, uint32_t i)
{
	return &t->ring[i & (t->cap - 1)];
}

/* in the high half: all bits by which a place in the index is chosen */
static uint32_t
told_mark(uint64_t key)
{
	return (uint32_t)(key >> 2) << 16;
}

static uint32_t
told_home(const struct told *t, uint32_t mark)
{
	return mark >> 16 & (2 * t->cap - 1);
}

static uint64_t *
told_entry(const struct told *t, uint32_t slot)
{
	return &t->ring[(t->index[slot] & TOLD_PLACE) - 1];
}

/* where it is in the index, or where it would be */
static uint32_t
told_slot(const struct told *t, uint64_t key)
{
	uint32_t m = 2 * t->cap - 1, mark = told_mark(key);
	uint32_t i = told_home(t, mark);

	while (t->index[i] != 0 &&
	       ((t->index[i] ^ mark) > TOLD_PLACE ||
		   (*told_entry(t, i) | TOLD_WHAT) != (key | TOLD_WHAT)))
		i = (i + 1) & m;
	return i;
}

static void
told_forget(struct told *t, uint32_t slot)
{
	uint32_t m = 2 * t->cap - 1, hole = slot, i = slot, home;

	*told_entry(t, slot) = 0;
	/* those behind it must still be met on the way from their home */
	while (t->index[i = (i + 1) & m] != 0) {
		home = told_home(t, t->index[i]);
		if (((i - home) & m) < ((i - hole) & m))
			continue;
		t->index[hole] = t->index[i];
		hole = i;
	}
	t->index[hole] = 0;
}

static void
told_prefetch(const struct told *t, uint64_t key)
{
	__builtin_prefetch(&t->index[told_home(t, told_mark(key))]);
}

static void
told_forget_oldest(struct told *t)
{
	uint64_t entry = *told_at(t, t->oldest);

	/* nobody is to wait for that one when its turn comes */
	told_prefetch(t, *told_at(t, t->oldest + TOLD_AHEAD));
	__builtin_prefetch(told_at(t, t->oldest + 2 * TOLD_AHEAD));
	if (entry != 0)
		told_forget(t, told_slot(t, entry));
	t->oldest++;
}

/* slot: where it would be */
static void
told_append(struct told *t, uint32_t slot, uint64_t entry)
{
	uint32_t place = t->next++ & (t->cap - 1);

	t->index[slot] = told_mark(entry) | (place + 1);
	t->ring[place] = entry;
}

static void
told_grow(struct told *t)
{
	struct told was = *t;
	uint64_t entry;

	t->cap = was.cap > 0 ? was.cap * 2 : TOLD_FIRST;
	t->ring = xcalloc(t->cap, sizeof *t->ring);
	t->index = xcalloc(2UL * t->cap, sizeof *t->index);
	t->oldest = t->next = 0;
	for (; was.oldest != was.next; was.oldest++) {
		entry = *told_at(&was, was.oldest);
		if (entry != 0)
			told_append(t, told_slot(t, entry), entry);
	}
	free(was.ring);
	free(was.index);
}

static void
told_put(struct told *t, uint64_t key, enum told_what what)
{
	uint32_t slot;

	if (t->next - t->oldest == t->cap && t->cap < TOLD_MAX)
		told_grow(t);
	if (t->next - t->oldest == t->cap)
		told_forget_oldest(t);
	slot = told_slot(t, key);
	if (t->index[slot] != 0) {
		told_forget(t, slot);
		slot = told_slot(t, key);
	}
	told_append(t, slot, (key & ~(uint64_t)TOLD_WHAT) | what);
}

static enum told_what
told_look(const struct told *t, uint64_t key)
{
	uint32_t slot;

	if (t->cap == 0)
		return TOLD_NOTHING;
	slot = told_slot(t, key);
	if (t->index[slot] == 0)
		return TOLD_NOTHING;
	return *told_entry(t, slot) & TOLD_WHAT;
}

enum told_what
told_get(struct told *t, uint32_t ch, struct str uid)
{
	return told_look(t, told_key(ch, uid.p, uid.len));
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
	return told_look(t, told_key_session(ch, cn)) != TOLD_NOTHING;
}

void
told_set_session(struct told *t, uint32_t ch, uint64_t cn)
{
	told_put(t, told_key_session(ch, cn), TOLD_IN);
}

void
told_fetch(const struct told *t, uint32_t ch, struct str uid, uint64_t cn)
{
	if (t->cap == 0)
		return;
	told_prefetch(t, told_key(ch, uid.p, uid.len));
	told_prefetch(t, told_key_session(ch, cn));
}
