/* SPDX-License-Identifier: MIT */
/*
 * What api.c (routes, most requests) and api_drain.c (drain jobs) share.
 */
#ifndef CONFIG_SERVER_API_PRIV_H
#define CONFIG_SERVER_API_PRIV_H

#include "config_server/api.h"

/* 200 with what is in out */
void api_reply(struct httpd_conn *c, struct buf *out);
/* a number from the query; def when absent; false: not a number or > max */
bool api_number(struct str query, const char *key, uint64_t def, uint64_t max, uint64_t *out);
bool api_limit(struct str query, uint64_t *limit);

void api_drain_get(struct server *s, struct httpd_conn *c, const struct http_request *rq, struct str id);
void api_drain_post(struct server *s, struct httpd_conn *c, const struct http_request *rq, struct str id, struct str body);
void api_drain_delete(struct server *s, struct httpd_conn *c, const struct http_request *rq, struct str id);
void api_jobs(struct server *s, struct httpd_conn *c, const struct http_request *rq, struct str id);

#endif
