/* SPDX-License-Identifier: MIT */
/*
 * One WebSocket: conn + ws + session in one allocation; where bytes become
 * commands. Created by the upgrade, it lives until conn's on_dead.
 */
#ifndef MSG_SERVER_CLIENT_H
#define MSG_SERVER_CLIENT_H

#include "msg_server/server.h"

/* httpd's on_upgrade: Origin, limits, 101; true when it took the connection (or answered a refusal itself) */
bool client_on_upgrade(struct httpd *h, struct httpd_conn *c, const struct http_request *rq, struct str rest);
/* the session has logged in: leaves the not-logged-in list, starts pings */
void client_logged_in(struct session *s);
/* all clients: close 4200 (drain, stop) */
void client_close_all(struct server *srv, unsigned code, const char *why);

#endif
