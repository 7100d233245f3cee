/* SPDX-License-Identifier: MIT */
/*
 * PHPWebIM's long poll: a session whose texts are fetched one by one over
 * HTTP, by browsers that have no WebSocket. It is a client like all others
 * (client_priv.h) but for its connection, which is a queue (conn_open_queue()):
 * lag, stalls and memory are judged as for a socket, and the session is in the
 * same lists. This module takes the texts out of the queue's frames.
 *
 * Of 2016: POST forms, whose field `type` says what is wanted (connect, pub,
 * sub) and `session_id` by whom. Of 2019: /websocket/connect, pub and sub, and
 * the cookie session_key, which is for those three paths alone. A session_id
 * is drawn and known to its client alone: to others he is a number.
 *
 * A session is in this process alone: servers that share a port would answer
 * another's polls with 403. `cchatctl start --as webim` starts one msg_server.
 *
 * Bounds: `comet_max` sessions; one poll of each waits, an older one is told
 * that there was nothing; for `comet_poll` seconds; `comet_keep` seconds
 * without a poll end the session. A text is out of the queue once it is given
 * as an answer: one that is lost on its way is lost, as it was with PHPWebIM.
 */
#ifndef MSG_SERVER_DOOR_WEBIM_COMET_H
#define MSG_SERVER_DOOR_WEBIM_COMET_H

#include "msg_server/server.h"

enum { COMET_ID_LEN = 32 };

/* a form, to whatever path: always answered, now or later */
void comet_request(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body);
/* below /websocket/: false when it is none of the three */
bool comet_request_2019(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body);
/* sessions there are */
unsigned comet_count(const struct server *srv);

/* value of `name` in a Cookie field; absent when it is not there */
struct str comet_cookie(struct str field, const char *name);

#endif
