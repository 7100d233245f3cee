/* SPDX-License-Identifier: MIT */
/*
 * Answers to one session: an event, encoded by its dialect, framed, queued.
 * Handlers call these and nothing lower.
 */
#ifndef MSG_SERVER_REPLY_H
#define MSG_SERVER_REPLY_H

#include "msg_server/event.h"
#include "msg_server/session.h"

void reply_event(struct session *s, const struct event *ev);
void reply_ok(struct session *s, struct str cid); /* nothing without cid */
/* v1_code/v1_text for level 1 sessions, code/why for level 2 */
void reply_error(struct session *s, struct str cid, unsigned code, const char *why, int64_t retry_ms,
    unsigned v1_code, const char *v1_text);

#endif
