/* SPDX-License-Identifier: MIT */
/*
 * Watched users (protocol.md 3, `watch`): whose coming and going a session
 * wants to hear of, whatever rooms they are in. One WATCH to the active proxy
 * for each user, however many sessions here watch him; its STATUS goes to all
 * of them, to each only when it is news to him. A new active one is asked
 * again of all, before anything else depends on it.
 *
 * Bounds: UIDS_MAX users a session (the dialect refuses more); WATCH_SEATS_MAX
 * for all sessions together: then watch_set says ERR_BUSY and the session keeps
 * what it had. Without an active proxy what is known is told, the rest later.
 */
#ifndef MSG_SERVER_FOLLOW_WATCH_H
#define MSG_SERVER_FOLLOW_WATCH_H

#include "msg_server/server.h"

enum { WATCH_SEATS_MAX = 500000 };

struct watch;

struct watch *watch_new(struct server *srv);
void watch_free(struct watch *w);
/* the session's list is this one now; none: it watches nobody */
int watch_set(struct server *srv, struct session *s, const struct str *uids,
    size_t n) MUST_CHECK;
/* tells the session what is known of those it watches, and what it missed */
void watch_greet(struct server *srv, struct session *s);
/* it ends */
void watch_leave(struct server *srv, struct session *s);
/* relay_ops */
void watch_on_status(struct server *srv, const struct f_status *status);
void watch_on_promoted(struct server *srv);
/* watched users; and places in sessions' lists */
void watch_count(const struct watch *w, uint64_t *users, uint64_t *seats);

#endif
