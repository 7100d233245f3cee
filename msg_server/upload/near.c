/* SPDX-License-Identifier: MIT */
/*
 * Who is at an address: a table of sessions, and one of places, each with a
 * list of its sessions, the newest in front.
 */
#include <stdlib.h>

#include "msg_server/upload/near.h"
#include "shared/base/err.h"
#include "shared/base/map.h"
#include "shared/base/table.h"

struct near_place {
	struct table_link link;
	const void *place;
	struct near_one *list; /* owned */
};

struct near_one {
	struct table_link link;
	uint64_t cn;
	struct near_place *at;
	struct near_one *prev, *next;
};

struct near {
	struct table ones, places;
};

static struct str
near_cn(const struct table_link *e)
{
	const struct near_one *o = container_of(e, const struct near_one, link);

	return str_n((const char *)&o->cn, sizeof o->cn);
}

static struct str
near_key(const struct table_link *e)
{
	const struct near_place *p =
	    container_of(e, const struct near_place, link);

	return str_n((const char *)&p->place, sizeof p->place);
}

struct near *
near_new(void)
{
	return xcalloc(1, sizeof(struct near));
}

static struct near_one *
near_one_of(const struct near *n, uint64_t cn)
{
	struct table_link *e =
	    table_find(&n->ones, str_n((const char *)&cn, sizeof cn), near_cn);

	return e != NULL ? container_of(e, struct near_one, link) : NULL;
}

static struct near_place *
near_place_of(const struct near *n, const void *place)
{
	struct table_link *e = table_find(
	    &n->places, str_n((const char *)&place, sizeof place), near_key);

	return e != NULL ? container_of(e, struct near_place, link) : NULL;
}

void
near_add(struct near *n, uint64_t cn, const void *place)
{
	struct near_one *o = xcalloc(1, sizeof *o);
	struct near_place *p = near_place_of(n, place);

	if (p == NULL) {
		p = xcalloc(1, sizeof *p);
		p->place = place;
		table_add(&n->places, &p->link, near_key);
	}
	o->cn = cn;
	o->at = p;
	DL_PREPEND(p->list, o);
	table_add(&n->ones, &o->link, near_cn);
}

static void
near_drop(struct near *n, struct near_one *o)
{
	struct near_place *p = o->at;

	DL_DELETE(p->list, o);
	table_del(&n->ones, &o->link, near_cn);
	free(o);
	if (p->list != NULL)
		return;
	table_del(&n->places, &p->link, near_key);
	free(p);
}

void
near_del(struct near *n, uint64_t cn)
{
	struct near_one *o = near_one_of(n, cn);

	if (o != NULL)
		near_drop(n, o);
}

uint64_t
near_find(const struct near *n, const void *place)
{
	const struct near_place *p = near_place_of(n, place);

	return p != NULL ? p->list->cn : 0;
}

unsigned
near_count(const struct near *n)
{
	return n->ones.n;
}

void
near_free(struct near *n)
{
	struct table_link *e;
	uint32_t at = 0;

	if (n == NULL)
		return;
	while ((e = table_any(&n->ones, &at)) != NULL)
		near_drop(n, container_of(e, struct near_one, link));
	free(n);
}
