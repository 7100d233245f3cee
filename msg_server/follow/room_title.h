/* SPDX-License-Identifier: MIT */
/*
 * Titles of the rooms followed here, for the answers of login and join: state
 * `t` of r:<rid>, as SUBBED told it, and from then on as its items do. Few
 * rooms have one, so it is no field of struct room. Gone with the room; at
 * most TITLE_MAX bytes each.
 */
#ifndef MSG_SERVER_FOLLOW_ROOM_TITLE_H
#define MSG_SERVER_FOLLOW_ROOM_TITLE_H

#include "msg_server/follow/room.h"

/* absent: none, or the room is not followed; borrowed until the next item */
struct str room_title(const struct server *srv, struct str rid);
/* "" or absent: it has none now */
void room_title_set(struct server *srv, struct str rid, struct str title);
/* what an item, or states beside it, say of it */
void room_title_on_item(struct server *srv, struct str rid, const struct item *it, const struct state_rec *states, unsigned n_states);

#endif
