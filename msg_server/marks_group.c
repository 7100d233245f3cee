/* SPDX-License-Identifier: MIT */
/*
 * Read marks of groups, as the others in it see them: the record k:<uid> of
 * r:<rid>, beside that of the user himself. Whoever follows the group hears
 * when one has risen; in a group of at most `marks_max` members the sessions
 * are told. How many there are is in n of r:<rid>, asked for when nobody knows.
 */
#include <stdlib.h>

#include "msg_server/follow/fanout.h"
#include "msg_server/follow/room_priv.h"
#include "msg_server/marks.h"

/* a mark that waits for the size of its group */
struct group_mark {
	struct relay_get get;
	struct server *srv;
	uint64_t read;
	char rid[ID_MAX + 1], uid[ID_MAX + 1];
};

static void
marks_tell_group(
    struct server *srv, struct room *room, struct str uid, uint64_t read)
{
	struct event ev = {.kind = EVENT_MARK,
	    .rid = str_of(room_rid(room)),
	    .uid = uid,
	    .read = read};
	struct fanout f;

	if (room->people > (uint64_t)srv->set.marks_max)
		return;
	fanout_begin(&f, &ev);
	for (uint32_t i = room->n_members; i-- > 0;) {
		struct member *m = room->members[i];
		struct session *s = m->session;

		/* his own hear it by his own channel; who lags may ask */
		if (s->level > 1 && !m->cursor.waiting && m->cursor.live &&
		    session_is_open(s) && !str_eq(uid, session_uid(s)))
			fanout_send(&f, s, VIEW_OTHER);
	}
	fanout_end(&f);
}

static void
marks_on_size(struct relay_get *get, unsigned code, const struct f_got *got)
{
	struct group_mark *g = container_of(get, struct group_mark, get);
	struct room *room = room_find(g->srv, str_of(g->rid));
	uint64_t n;

	if (room != NULL && code == 200 && str_u64(got->val, &n) == 0 &&
	    n > 0 && n <= UINT32_MAX) {
		room->people = (uint32_t)n;
		marks_tell_group(g->srv, room, str_of(g->uid), g->read);
	}
	free(g);
}

static void
marks_ask_size(
    struct server *srv, struct room *room, struct str uid, uint64_t read)
{
	struct f_get get = {
	    .chan = channel_name(&room->channel), .key = STR_LIT("n")};
	struct group_mark *g = xcalloc(1, sizeof *g);

	g->get.done = marks_on_size;
	g->srv = srv;
	g->read = read;
	str_copy(g->uid, sizeof g->uid, uid);
	str_copy(g->rid, sizeof g->rid, str_of(room_rid(room)));
	if (relay_get(srv->relay, &get, &g->get) != 0)
		free(g);
}

void
marks_on_group(
    struct server *srv, struct channel *c, struct str uid, uint64_t read)
{
	struct room *room = room_of(c);

	if (srv->set.marks_max == 0 || !id_is_group(str_of(room_rid(room))))
		return;
	if (room->people > 0)
		marks_tell_group(srv, room, uid, read);
	else
		marks_ask_size(srv, room, uid, read);
}
