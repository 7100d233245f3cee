/* SPDX-License-Identifier: MIT */
/*
 * Who is typing, on its way out and in: an ephemeral (EPH, kind 1) to the
 * followers of a room or group, or to those of the peer of a private
 * conversation, which is kept nowhere and told at most once. Whoever hears of
 * it takes it back by himself after TYPING_SHOWN_MS: a client that vanishes
 * leaves no more than that.
 *
 * Of one user and conversation goes out, on this server, one `on` in
 * TYPING_MS (TYPING_SLACK_MS earlier when those before were not: clients count
 * time, too, and networks bend it), and one `off` for an `on` that is still
 * shown. Of a user in all conversations TYPING_RATE a second, TYPING_BURST at
 * once; TYPING_MAX entries at a time; none while a quarter of what the log may
 * owe us is owed. Beyond each of these it is dropped without a word, and
 * counted (msg_typing_dropped_total). Rooms that are too big for it the active
 * proxy knows (its setting typing_max, proxy_server/route.c).
 *
 * It is heard by sessions of version 2 but the typist's own, and by none whose
 * output waits (TYPING_QUEUE) or which is not level with the conversation:
 * under pressure this goes first. protocol.md 3, limits.md.
 */
#ifndef MSG_SERVER_FOLLOW_TYPING_H
#define MSG_SERVER_FOLLOW_TYPING_H

#include "msg_server/follow/relay.h"

struct session;
struct typing;

enum {
	TYPING_MS = 3000,
	TYPING_SLACK_MS = 500,
	TYPING_SHOWN_MS = 6000,
	TYPING_RATE = 5,
	TYPING_BURST = 20,
	TYPING_MAX = 16384,
	TYPING_QUEUE = 32768 /* bytes */
};

struct typing *typing_new(struct server *srv);
void typing_free(struct typing *t);
/* s is in room rid, or speaks with tid (set: private) */
void typing_say(struct server *srv, struct session *s, struct str rid, struct str tid, bool on);
/* relay_ops.on_eph; other kinds are not looked at */
void typing_on_eph(struct server *srv, struct channel *c, const struct f_eph *eph);

#endif
