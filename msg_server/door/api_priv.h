/* SPDX-License-Identifier: MIT */
/*
 * Inside of the HTTP door: api.c (who may, routes) and what the routes lead to.
 * Each answers its request once, now or later.
 */
#ifndef MSG_SERVER_DOOR_API_PRIV_H
#define MSG_SERVER_DOOR_API_PRIV_H

#include "msg_server/door/api.h"
#include "shared/proto/json.h"

enum {
	API_LIMIT = 100,
	API_LIMIT_MAX = 1000,
	API_UIDS_MAX = 200,
	API_ANSWER_MAX = 4 << 20
};

/* the body as an object, to be released; NULL: 400 was answered */
json_t *api_body(struct httpd_conn *c, struct str body);
/* 200 with what is in out; 503 where that was too much for it */
void api_reply(struct httpd_conn *c, const struct buf *out);

/* what a request wants to be said; strings are borrowed from its body */
struct api_message {
	struct str uid, name, cid, body;
	uint16_t flags; /* of enum item_flags */
};

/* an error text, or NULL */
const char *api_read_message(const struct server *srv, const json_t *obj, struct api_message *m);
/* fills ap; the cid is the message's, or one of ours, written to cid */
void api_fill(struct server *srv, const struct api_message *m, struct f_append *ap, char cid[CID_MAX + 1]);

/* an item for chan, from a back end: appended, answered {"seq","mid","ts","dup"}
 * when it is stored; refused 404 when ap needs what chan does not have */
void api_put(struct server *srv, struct httpd_conn *c, const struct chan_name *chan, struct f_append *ap);

/* --- api_title.c: PUT /v1/rooms/RID/title; false: not that path --- */
bool api_title(struct server *srv, struct httpd_conn *c, const struct http_request *rq, struct str body);
/* --- api_groups.c: path behind /v1/, any method --- */
void api_groups(struct server *srv, struct httpd_conn *c, const struct http_request *rq, struct str path, struct str body);
/* --- api_ask.c: path behind /v1/ --- */
void api_get(struct server *srv, struct httpd_conn *c, const struct http_request *rq, struct str path);
/* --- api_send.c, api_many.c, api_kick.c --- */
void api_send(struct server *srv, struct httpd_conn *c, struct str body);
/* to uids, or all: obj has "uids" or "all" */
void api_send_many(struct server *srv, struct httpd_conn *c, const json_t *obj, const struct api_message *m);
void api_kick(struct server *srv, struct httpd_conn *c, struct str body);

#endif
