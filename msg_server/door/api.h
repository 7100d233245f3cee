/* SPDX-License-Identifier: MIT */
/*
 * The HTTP door (protocol.md section 9, shared/HTTP.md): what other programs
 * ask and say without a WebSocket.
 *
 *	GET /v1/users/UID /v1/users/UID/rooms /v1/rooms /v1/rooms/RID
 *	    /v1/rooms/RID/users /v1/online?uids=A,B    asked of the active proxy
 *	POST /v1/send       a message to a room, a user, some, or all
 *	PUT /v1/rooms/RID/title   what a room is called
 *	POST /v1/kick       closes a user's sessions, or one, wherever they are
 *
 * With api_key_file set every request needs "Authorization: Bearer KEY".
 * Without it POST is off, and questions are answered to loopback alone.
 */
#ifndef MSG_SERVER_DOOR_API_H
#define MSG_SERVER_DOOR_API_H

#include "msg_server/server.h"

/* of every answer that is no page */
#define API_HEADERS                                     \
	"Cache-Control: no-store\r\n"                   \
	"Content-Security-Policy: default-src 'none'; " \
	"frame-ancestors 'none'\r\n"

/* true: the path is the API's and was answered, or will be */
bool api_request(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body);
/* reads api_key_file, if one is set; ERR_CONF: why says what is wrong with it,
 * and the key is the one of before */
int api_load_key(struct server *srv, char *why, size_t size) MUST_CHECK;

#endif
