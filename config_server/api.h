/* SPDX-License-Identifier: MIT */
/*
 * The questions of operators over HTTP (features.md 5.8, protocol.md 9): GET /v1/servers, /v1/load,
 * /v1/next, /v1/check, /v1/events, /v1/users/UID, /v1/rooms[/RID]; DELETE /v1/servers/ID forgets one that
 * is down. Lists are {"ver","gen","list":[...],"next"}, 100 a page (limit <= 1000), `next` is null at the end
 * and else the value of next= (events: since=) for the following page.
 */
#ifndef CONFIG_SERVER_API_H
#define CONFIG_SERVER_API_H

#include "config_server/server.h"

enum { API_PAGE = 100, API_PAGE_MAX = 1000, API_ANSWER_MAX = 4 << 20 };

/* true when the path is one of ours: it is answered, now or later */
bool api_request(struct server *s, struct httpd_conn *c, const struct http_request *rq);

/* which servers a list shows */
struct api_page {
	enum link_role role;  /* 0: all */
	uint32_t after;       /* node number; 0: from the start */
	unsigned limit;
};

/* The answers as JSON, appended; no sockets (api_view.c). */
void api_put_servers(struct buf *out, const struct registry *r, const struct api_page *page);
void api_put_load(struct buf *out, const struct registry *r, const struct api_page *page);
/* false: no msg_server is up, nothing appended */
bool api_put_next(struct buf *out, const struct registry *r, struct str uid);
/* store_err: what the store last failed with, 0 when well */
void api_put_check(struct buf *out, const struct registry *r, int store_err);
/* `json`, an object somebody else made, with our ver and gen; owner: the active proxy's name, or NULL. ERR_PROTO */
int api_put_object(struct buf *out, const struct registry *r, struct str json, const char *owner) MUST_CHECK;
/* a list somebody else made; next may be absent. ERR_PROTO: not a list */
int api_put_list(struct buf *out, const struct registry *r, struct str json, struct str next) MUST_CHECK;

#endif
