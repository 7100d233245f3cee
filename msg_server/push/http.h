/* SPDX-License-Identifier: MIT */
/*
 * The HTTP doors of the sok framework (door/door.h).
 *
 * `sok`, beside its WebSockets: a page that says hello to whatever is asked.
 *
 * `push`: GET /chat/send?to_uid=U&content=TEXT is a message, answered when the
 * log has it, in the framework's own page around a JSON object:
 *
 *	{"message":"send请求成功","code":200,"data":{"to_uid","type","uid",
 *	 "time","content":{"type","value"},"onLine"}}
 *
 * What the addressee is given is data without onLine, value being TEXT; in the
 * answer value is the query as JSON, without what is secret in it. Who asks
 * needs an access_token whose source is his and that has not ended; or the
 * secret (sk) of a udp_push_peers entry of his address; a program on 127.0.0.1
 * needs neither (uid names its sender). Else status and code are 441. A time
 * (unix seconds) that is over for 30 s, or no word for to_uid, or no content:
 * code 400. /favicon.ico is empty, any other path says hello.
 */
#ifndef MSG_SERVER_PUSH_HTTP_H
#define MSG_SERVER_PUSH_HTTP_H

#include "msg_server/door/door.h"

enum { PUSH_HTTP_LATE_S = 30 };

bool push_http_hello(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body);
bool push_http_request(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body);

#endif
