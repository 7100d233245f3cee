/* SPDX-License-Identifier: MIT */
/*
 * Bytes of a day by user and address. See quota.h.
 */
#include <stdlib.h>
#include <string.h>

#include "msg_server/upload/quota.h"
#include "shared/base/map.h"

struct quota_user {
	UT_hash_handle hh; /* by key */
	char key[QUOTA_KEY_MAX];
	uint64_t used;
	uint32_t since_s;
	unsigned busy;
};

struct quota {
	struct quota_user *users; /* owned */
	uint32_t swept_s;
};

struct quota *
quota_new(void)
{
	return xcalloc(1, sizeof(struct quota));
}

static void
quota_drop(struct quota *q, struct quota_user *u)
{
	HASH_DEL(q->users, u);
	free(u);
}

void
quota_free(struct quota *q)
{
	struct quota_user *u, *next;

	if (q == NULL)
		return;
	HASH_ITER (hh, q->users, u, next)
		quota_drop(q, u);
	free(q);
}

static bool
quota_is_over(const struct quota_user *u, uint32_t now_s)
{
	return now_s - u->since_s >= QUOTA_DAY_S;
}

/* of a full table; once a second at most, as it looks at all of it */
static void
quota_sweep(struct quota *q, uint32_t now_s)
{
	struct quota_user *u, *next;

	if (q->swept_s == now_s)
		return;
	q->swept_s = now_s;
	HASH_ITER (hh, q->users, u, next)
		if (u->busy == 0 && (u->used == 0 || quota_is_over(u, now_s)))
			quota_drop(q, u);
	if (HASH_COUNT(q->users) < QUOTA_MAX)
		return;
	HASH_ITER (hh, q->users, u, next)
		if (u->busy == 0 && u->used < QUOTA_LITTLE)
			quota_drop(q, u);
}

static struct quota_user *
quota_find(struct quota *q, struct str key)
{
	struct quota_user *u;

	HASH_FIND(hh, q->users, key.p, key.len, u);
	return u;
}

int
quota_take(struct quota *q, struct str key, uint64_t n, uint64_t max,
    unsigned at_once, uint32_t now_s, uint32_t *wait_s)
{
	struct quota_user *u;

	*wait_s = 0;
	if (key.len >= QUOTA_KEY_MAX)
		return ERR_FULL;
	u = quota_find(q, key);
	if (u != NULL && quota_is_over(u, now_s)) {
		u->used = 0;
		u->since_s = now_s;
	}
	if (u != NULL && at_once > 0 && u->busy >= at_once)
		return ERR_BUSY;
	if (n > max || (u != NULL && u->used > max - n)) {
		*wait_s = u != NULL ? QUOTA_DAY_S - (now_s - u->since_s)
				    : QUOTA_DAY_S;
		return ERR_LIMIT;
	}
	if (u == NULL) {
		if (HASH_COUNT(q->users) >= QUOTA_MAX)
			quota_sweep(q, now_s);
		if (HASH_COUNT(q->users) >= QUOTA_MAX)
			return ERR_FULL;
		u = xcalloc(1, sizeof *u);
		str_copy(u->key, sizeof u->key, key);
		u->since_s = now_s;
		HASH_ADD_KEYPTR(hh, q->users, u->key, key.len, u);
	}
	u->used += n;
	u->busy++;
	return 0;
}

void
quota_end(struct quota *q, struct str key, uint64_t back)
{
	struct quota_user *u = quota_find(q, key);

	if (u == NULL)
		return;
	if (u->busy > 0)
		u->busy--;
	/* a day that has begun since then has none of them */
	u->used -= back < u->used ? back : u->used;
}

unsigned
quota_count(const struct quota *q)
{
	return HASH_COUNT(q->users);
}
