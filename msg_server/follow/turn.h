/* SPDX-License-Identifier: MIT */
/*
 * The turn buffer of a room (design.md 5): the items of one loop turn, encoded
 * once per (dialect, level) and joined to one block, of which each member gets
 * one reference: one queue entry, one write, however many items there were.
 * Who sent one of them (and so sees it with its cid, or not at all), and who
 * joined between two of them, gets bytes of his own.
 *
 *	turn_item()   from the channel, in order of seq
 *	[turn]        given to the members, then written by the net
 *
 * A room rests after it was given: for as long as those writes take (measured,
 * net.write_ns), at most the setting gather_us; what comes meanwhile waits and
 * goes out together. A room that was silent does not wait, nor does one whose
 * writes take less than TURN_REST_MIN_US.
 *
 * After the rest it may wait on, gather_us at most: while there are fewer items
 * than came together of late (room.together), as those who are answered
 * together speak together, and a half of them would keep on coming apart. All
 * of them: it is given at once. Not all: it is given then, and fewer are waited
 * for next time; a room whose items come one by one waits for nothing. So the
 * first item after a silence of rest and gather_us goes out in its own turn of
 * the loop, and none waits longer than the writes and 2 * gather_us.
 *
 * Cursors (session.h) move when the turn is given, not when the item comes:
 * until then a member stands in front of the turn, and one who joins or is
 * paged meanwhile stands in or behind it; each gets what is after his position
 * once. channel.last is ahead of the cursors by what waits here.
 *
 * Owned by the room, NULL at rest. Bounds: TURN_ITEMS items or TURN_BYTES
 * bytes, then it is given at once; a member whose queue is over its bound lags
 * as with single items (replay.h).
 */
#ifndef MSG_SERVER_FOLLOW_TURN_H
#define MSG_SERVER_FOLLOW_TURN_H

#include "msg_server/follow/room.h"

enum {
	TURN_ITEMS = 32,
	TURN_BYTES = 64 * 1024,
	TURN_REST_MIN_US = 100
};

/* a session is about to become a member: its dialect and level are needed */
void turn_enter(struct room *room, const struct session *s);
void turn_item(struct room *room, const struct item *it);
/* to all members now: what is said next must not overtake it */
void turn_give(struct room *room);
/* to him alone, who is about to leave */
void turn_give_one(struct room *room, struct member *m);
/* the room ends: nobody is in it */
void turn_drop(struct room *room);
/* the last room has ended */
void turn_end(struct server *srv);

#endif
