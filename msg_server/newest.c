/* SPDX-License-Identifier: MIT */
/*
 * Who gives way to whom, by the order in which it comes back. See newest.h.
 */
#include <inttypes.h>
#include <stdio.h>

#include "msg_server/newest.h"
#include "msg_server/server.h"

enum { NEWEST_EPH = 4 };

void
newest_say(struct server *srv, struct session *s)
{
	char body[24];
	struct f_eph eph = {.kind = NEWEST_EPH};

	if (s->user == NULL || !dialect_has(s->dialect, DIALECT_NEWEST))
		return;
	snprintf(body, sizeof body, "%" PRIu64, s->cn);
	eph.chan = channel_name(&s->user->channel);
	eph.uid = session_uid(s);
	eph.body = str_of(body);
	relay_eph(srv->relay, &eph);
}

/* it is not the newest any more: out of all rooms, and deaf (user.c) */
static void
newest_pass(struct server *srv, struct session *s)
{
	s->passed = 1;
	while (s->members != NULL) {
		struct chan_name room =
		    channel_copy_name(&s->members->room->channel);

		room_leave(srv, s, chan_id(chan_str(&room)));
	}
}

void
newest_on_eph(struct server *srv, struct channel *c, const struct f_eph *eph)
{
	struct session *s, *next;
	struct user *u;
	uint64_t cn;

	if (eph->kind != NEWEST_EPH || !channel_is_user(c) ||
	    str_u64(eph->body, &cn) != 0)
		return;
	u = container_of(c, struct user, channel);
	for (s = u->sessions; s != NULL; s = next) {
		next = s->next_of_user;
		if (!dialect_has(s->dialect, DIALECT_NEWEST))
			continue;
		if (s->cn == cn)
			s->said = 1;
		else if (s->said && !s->passed)
			newest_pass(srv, s);
	}
}
