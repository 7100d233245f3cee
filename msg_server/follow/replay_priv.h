/* SPDX-License-Identifier: MIT */
/*
 * Inside of cursors, shared by replay.c (joining, lagging, holes) and
 * replay_page.c (paging up from memory and from the log).
 */
#ifndef MSG_SERVER_FOLLOW_REPLAY_PRIV_H
#define MSG_SERVER_FOLLOW_REPLAY_PRIV_H

#include "msg_server/follow/replay.h"

/* the cursor of s in the channel of that name, and the channel; NULL: it has left */
struct cursor *replay_find(struct session *s, struct str name, struct channel **c);
/* takes what is not yet synced out of its session's list; NULL: there is none */
struct follow *replay_take_follow(struct session *s, const struct cursor *cur);
/* its queue is too long for a page: somebody looks again after the flush */
void replay_look(struct server *srv, struct session *s);

#endif
