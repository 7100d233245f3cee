/* SPDX-License-Identifier: MIT */
/*
 * A door answers HTTP in the way of an older system (design.md section 4),
 * where that is asked for: at a listener whose first word is the door's name
 * (front.h). It is asked before /v1 and the page, after /healthz. It makes
 * commands of the same core; what it keeps is its own.
 */
#ifndef MSG_SERVER_DOOR_DOOR_H
#define MSG_SERVER_DOOR_DOOR_H

#include "shared/svc/httpd.h"

struct server;

struct door {
	const char *name;
	/* true: answered, now or later (httpd.h); false: not for it */
	bool (*on_request)(struct server *srv, struct httpd_conn *c,
	    const struct http_request *rq, struct str body);
	/* struct httpd_ops' on_head, before any other; true: dealt with; may be NULL */
	bool (*on_head)(struct server *srv, struct httpd_conn *c,
	    const struct http_request *rq);
};

/* all of them, NULL-ended */
extern const struct door *const doors[];
const struct door *door_by_name(struct str name);

#endif
