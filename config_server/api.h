/* SPDX-License-Identifier: MIT */
/*
 * The questions of operators over HTTP (features.md 5.8, protocol.md 9): GET /v1/servers[/ID], /v1/load,
 * /v1/next, /v1/check, /v1/events, /v1/jobs, /v1/users/UID, /v1/rooms[/RID]. Lists are
 * {"ver","gen","list":[...],"next"}, 100 a page (limit <= 1000), `next` is null at the end and else the value
 * of next= (events: since=) for the following page.
 *
 * What changes something is for the machine itself (loopback) and not for web pages: 403 with any Origin,
 * 415 for a body that is not application/json.
 *	DELETE /v1/servers/ID		forgets one that is down (409: it is not)
 *	POST /v1/servers/ID/drain	{"rate":200,"within":"10m"}, both optional: 202 and the job; 404; 400:
 *					not a msg_server; 409: down, or draining (with the job's number)
 *	GET /v1/servers/ID/drain	the newest job of that server; 404
 *	DELETE /v1/servers/ID/drain	ends it, the server takes clients again: the job; 404; 409: none runs
 * A job: {"id","kind":"drain","server","state":"running|done|aborted|failed","left","moved","total","rate",
 * "within_ms","eta_ms","t0","t1"}; left and moved are clients, t1 is null while it runs. /v1/jobs lists the
 * newest first.
 */
#ifndef CONFIG_SERVER_API_H
#define CONFIG_SERVER_API_H

#include "config_server/server.h"

enum { API_PAGE = 100, API_PAGE_MAX = 1000, API_ANSWER_MAX = 4 << 20 };

/* true when the path is one of ours: it is answered, now or later */
bool api_request(struct server *s, struct httpd_conn *c, const struct http_request *rq, struct str body);

/* the body of a drain; 0: not given */
struct api_drain {
	uint32_t rate, within_ms;
};
/* NULL, or what is wrong with it */
const char *api_read_drain(struct str body, struct api_drain *out);
/* defaults (limits.md); a rate alone is kept to, however long it takes */
void api_fill_drain(struct api_drain *d, uint32_t clients);

/* which servers a list shows */
struct api_page {
	enum link_role role;  /* 0: all */
	uint32_t after;       /* node number; 0: from the start */
	unsigned limit;
};

/* The answers as JSON, appended; no sockets (api_view.c). */
void api_put_servers(struct buf *out, const struct registry *r, const struct api_page *page);
void api_put_load(struct buf *out, const struct registry *r, const struct api_page *page);
/* the version of its program is `version` here: `ver` is the topology's, as in all answers */
void api_put_server(struct buf *out, const struct registry *r, const struct registry_server *s, int64_t now_wall_ms);
void api_put_job(struct buf *out, const struct registry *r, const struct job *job, int64_t now_wall_ms);
/* those with an id below `below`, newest first */
void api_put_jobs(struct buf *out, const struct registry *r, uint64_t below, unsigned limit, int64_t now_wall_ms);
/* false: no msg_server is up, nothing appended */
bool api_put_next(struct buf *out, const struct registry *r, struct str uid);
/* store_err: what the store last failed with, 0 when well */
void api_put_check(struct buf *out, const struct registry *r, int store_err);
/* `json`, an object somebody else made, with our ver and gen; owner: the active proxy's name, or NULL. ERR_PROTO */
int api_put_object(struct buf *out, const struct registry *r, struct str json, const char *owner) MUST_CHECK;
/* a list somebody else made; next may be absent. ERR_PROTO: not a list */
int api_put_list(struct buf *out, const struct registry *r, struct str json, struct str next) MUST_CHECK;

#endif
