/* SPDX-License-Identifier: MIT */
/*
 * How far a user has been given his private traffic: the state record `d` of
 * u:<uid> (design.md section 2), a useq. A login of version 1, which knows no
 * positions, goes on behind it, so what came while nobody was there is there.
 *
 * A device has an item when nothing waits for it any more, neither in its queue
 * nor, unacknowledged, in the kernel; the furthest device of a user counts,
 * whatever its version. One that started at the head (version 2 without a
 * position) counts from its first item on: what is before it, its inbox told.
 *
 * Told to the log once a second at most, and when a session ends in order.
 * The writer keeps the greater number, so no server takes it back. What was
 * told while the active proxy went is told again. A msg_server that dies takes
 * up to a second with it: those items a version 1 client sees twice.
 */
#ifndef MSG_SERVER_FOLLOW_DELIVERED_H
#define MSG_SERVER_FOLLOW_DELIVERED_H

#include "msg_server/server.h"

#define DELIVERED_KEY "d"

struct delivered *delivered_new(struct server *srv);
void delivered_free(struct delivered *d);
/* a session of u is given something now or soon */
void delivered_note(struct server *srv, struct user *u);
/* a session is about to end in order: what it has is told at once */
void delivered_leave(struct server *srv, struct session *s);
/* the history is another one: what he has of it is not known */
void delivered_reset(struct user *u);
/* u goes away */
void delivered_forget(struct server *srv, struct user *u);

#endif
