/* SPDX-License-Identifier: MIT */
/*
 * The part of the HTTP API that is about credentials (credentials.h):
 *
 *	PUT    /v1/users/UID/credentials  {"source":S,"token":T,"expires":N}
 *	GET    /v1/users/UID/credentials
 *	DELETE /v1/users/UID/credentials?source=S    without it: all of them
 *
 * PUT sets one source's token, or another one (expires: unix seconds; absent
 * or 0: never), and answers when the log has it. Answers name sources and when
 * they end, never a token: {"uid":U,"list":[{"source":S,"expires":N}],..}.
 * Two changes of one user at a time may undo each other: ask again then (409
 * when it was seen).
 */
#ifndef MSG_SERVER_PUSH_API_CREDENTIALS_H
#define MSG_SERVER_PUSH_API_CREDENTIALS_H

#include "msg_server/server.h"

/* who asks may; true: the path is one of these, and was answered or will be */
bool api_credentials(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body);

#endif
