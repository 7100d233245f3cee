/* SPDX-License-Identifier: MIT */
/*
 * One event to many sessions: encoded at most once per (dialect, level, view),
 * queued by reference. Lives on the stack during one event.
 */
#ifndef MSG_SERVER_FOLLOW_FANOUT_H
#define MSG_SERVER_FOLLOW_FANOUT_H

#include "msg_server/event.h"
#include "msg_server/session.h"

struct fanout {
	const struct event *ev;
	struct blob *made[DIALECT_MAX][2][VIEW_COUNT]; /* frames; NULL until first needed */
	uint8_t empty[DIALECT_MAX][2][VIEW_COUNT];     /* encoded to nothing */
	uint8_t dialects; /* so many of each table may be in use */
};

void fanout_begin(struct fanout *f, const struct event *ev);
void fanout_send(struct fanout *f, struct session *s, enum view view);
void fanout_end(struct fanout *f);

#endif
