/* SPDX-License-Identifier: MIT */
/*
 * Inside of a room, shared by room.c (members, what comes from the log) and
 * room_people.c (what is told of people).
 */
#ifndef MSG_SERVER_FOLLOW_ROOM_PRIV_H
#define MSG_SERVER_FOLLOW_ROOM_PRIV_H

#include "msg_server/follow/room.h"

static inline struct room *
room_of(struct channel *c)
{
	return container_of(c, struct room, channel);
}

/* one that somebody here is in, or was of late; NULL: none */
struct room *room_find(struct server *srv, struct str rid);
/* also one that is on its way in; NULL: none */
struct member *room_member_any(struct session *s, struct str rid);

#endif
