/* SPDX-License-Identifier: MIT */
/*
 * The admin listener every daemon has: GET /healthz (the loop turns: 200 "ok"), /readyz (200 or 503
 * and a JSON object that says what is missing), /status (JSON), /metrics
 * (Prometheus text), /process (what this process takes and does, for
 * cchatctl status), /reloads (how reading the settings again went). Loopback by default; Host must be the listener's
 * address, 127.0.0.1, [::1] or localhost, with or without port (DNS
 * rebinding), else 421; a numeric address will do when it listens on all.
 */
#ifndef SHARED_SVC_ADMIN_H
#define SHARED_SVC_ADMIN_H

#include "shared/svc/httpd.h"

struct admin {
	struct httpd httpd;
	struct listener listener;
	/* true when ready; appends the body, a JSON object {"ready":bool,"checks":{...}} either way */
	bool (*on_ready)(void *arg, struct buf *out);
	void (*on_status)(void *arg, struct buf *out);  /* a JSON object */
	void (*on_metrics)(void *arg, struct buf *out); /* lines; process lines are added */
	/* other paths (POST /drain ...): true when it answered; may be NULL */
	bool (*on_other)(void *arg, struct httpd_conn *c, const struct http_request *rq, struct str body);
	/* as in struct httpd_ops, Host checked; may be NULL */
	bool (*on_upgrade)(void *arg, struct httpd_conn *c, const struct http_request *rq, struct str rest);
	/* what was asked of this process so far; NULL: HTTP requests here and frames of links */
	uint64_t (*on_requests)(void *arg);
	void *arg;
	/* of /process: per second, over the last second */
	struct timer second;
	uint64_t requests, qps;
};

/* fill the callbacks first; opens `address` or ends the program, announces "(admin)" */
void admin_start(struct admin *a, struct net *net, const char *address);
/* the same for a listener that has more to answer (config_server) */
void admin_start_as(struct admin *a, struct net *net, const char *address, const char *what, unsigned conns_max);
void admin_stop(struct admin *a);
/* the answer to /healthz on any listener */
void admin_healthz(struct httpd_conn *c);

#endif
