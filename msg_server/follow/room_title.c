/* SPDX-License-Identifier: MIT */
/* Titles of rooms, in a table of their own. See room_title.h. */
#include "msg_server/follow/room_title.h"

#include <stdlib.h>

#include "msg_server/server.h"
#include "shared/base/utf8.h"

struct title {
	struct table_link by_rid; /* server->titles */
	char rid[ID_MAX + 1];
	char text[]; /* NUL-terminated */
};

static struct title *
title_of(const struct table_link *e)
{
	return container_of(
	    (struct table_link *)(uintptr_t)e, struct title, by_rid);
}

static struct str
title_key(const struct table_link *e)
{
	return str_of(title_of(e)->rid);
}

static struct title *
title_find(const struct server *srv, struct str rid)
{
	struct table_link *e = table_find(&srv->titles, rid, title_key);

	return e != NULL ? title_of(e) : NULL;
}

struct str
room_title(const struct server *srv, struct str rid)
{
	struct title *t = title_find(srv, rid);

	return t != NULL ? str_of(t->text) : STR_NONE;
}

void
room_title_set(struct server *srv, struct str rid, struct str title)
{
	struct title *t = title_find(srv, rid);

	if (t != NULL) {
		table_del(&srv->titles, &t->by_rid, title_key);
		free(t);
	}
	/* a state has no checksum */
	if (title.len == 0 || title.len > TITLE_MAX ||
	    !utf8_valid(title.p, title.len))
		return;
	t = xcalloc(1, sizeof *t + title.len + 1);
	str_copy(t->rid, sizeof t->rid, rid);
	str_copy(t->text, title.len + 1, title);
	table_add(&srv->titles, &t->by_rid, title_key);
}

void
room_title_on_item(struct server *srv, struct str rid, const struct item *it,
    const struct state_rec *states, unsigned n_states)
{
	if (it->kind == ITEM_TITLE &&
	    !(it->flags & (ITEM_F_GONE | ITEM_F_LOST)))
		room_title_set(srv, rid, it->body);
	for (unsigned i = 0; i < n_states; i++)
		if (str_eqc(states[i].key, "t"))
			room_title_set(srv, rid, states[i].val);
}
