/* SPDX-License-Identifier: MIT */
/*
 * GET /connections?after=ID&limit=N on the admin listener: who is connected to
 * this server, by rising number, N at most 1000 (100); `next` is where the next
 * page begins, absent at the end.
 *
 *	{"count":2,"list":[{"id":"4294967297","uid":"1001","name":"Li",
 *	 "dialect":"cchat","v":2,"addr":"192.0.2.7:4711","since":MS,"rooms":1,
 *	 "queued":0,"state":"in"}],"next":"4294967297"}
 *
 * state: login (not yet logged in), in, away, behind (is given what it has
 * missed), closing. addr is whom a trusted proxy saw, where there is one. One
 * page costs a look at each connection and a name for each one listed; nobody
 * is kept from coming or going between two pages.
 */
#ifndef MSG_SERVER_DOOR_CONNECTIONS_H
#define MSG_SERVER_DOOR_CONNECTIONS_H

#include "msg_server/server.h"

/* an admin's on_other: true when it was that path, and is answered */
bool connections_request(void *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body);

#endif
