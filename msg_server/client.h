/* SPDX-License-Identifier: MIT */
/*
 * One WebSocket: conn + ws + session in one allocation; where bytes become
 * commands. Created by the upgrade, it lives until conn's on_dead.
 */
#ifndef MSG_SERVER_CLIENT_H
#define MSG_SERVER_CLIENT_H

#include "msg_server/server.h"

/* httpd's on_upgrade: Origin, limits, 101; true when it took the connection (or
 * answered a refusal itself) */
bool client_on_upgrade(struct httpd *h, struct httpd_conn *c,
    const struct http_request *rq, struct str rest);
/* the session has logged in: leaves the not-logged-in list, starts pings */
void client_logged_in(struct session *s);
/*
 * A login takes a few turns. client_hold: what is sent meanwhile waits (an
 * item must not overtake the login's answer), and what comes in waits too
 * (session.logging_in). client_logged_in ends the hold for the answer itself,
 * client_release lets go what waited behind it, client_hold_drop forgets it.
 */
void client_hold(struct session *s);
void client_release(struct session *s);
void client_hold_drop(struct session *s);
/* the expiry of its token is another one now */
void client_rearm(struct session *s);
/* a token that was no good: counted by address; closes 4001 when there were too
 * many */
void client_token_failed(struct session *s);
/* clean logout: presence drops without grace, close 1000 */
void client_bye(struct session *s);
/* the work of one loop turn that must not happen inside handlers */
void client_on_turn(struct server *srv);
/* a deadline of the wheel; arg is the server */
void client_on_deadline(struct wheel_entry *e, void *arg);
/* too much waits for all of them together: the largest queues go (limits.md) */
void client_relieve(struct server *srv);

#endif
