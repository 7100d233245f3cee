/* SPDX-License-Identifier: MIT */
/*
 * Of dialects with DIALECT_NEWEST a user has one session that hears, the one
 * that logged in last, on whatever server: the others may speak on as him,
 * but nothing comes to them any more. Each one that is in says so to all who
 * follow its user (EPH, kind 4); whoever has heard himself say it and then
 * hears another gives way. So the proxy's order decides between two who come
 * at once. An ephemeral that is lost leaves both hearing: nothing is missed.
 */
#ifndef MSG_SERVER_NEWEST_H
#define MSG_SERVER_NEWEST_H

#include "msg_server/follow/relay.h"

struct session;

/* s is in */
void newest_say(struct server *srv, struct session *s);
/* relay_ops.on_eph; other kinds are not looked at */
void newest_on_eph(struct server *srv, struct channel *c, const struct f_eph *eph);

#endif
