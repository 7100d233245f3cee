/* SPDX-License-Identifier: MIT */
/*
 * Inside of an HTTP connection, shared by httpd.c (its course) and
 * httpd_find.c (what its owner may know of it, now and later).
 */
#ifndef SHARED_SVC_HTTPD_PRIV_H
#define SHARED_SVC_HTTPD_PRIV_H

#include "shared/base/map.h"
#include "shared/svc/httpd.h"

enum httpd_state { HTTPD_IDLE, HTTPD_HEAD, HTTPD_BODY, HTTPD_BUSY, HTTPD_DONE };

struct httpd_conn {
	struct conn conn;
	struct httpd *h;
	struct httpd_conn *prev, *next; /* of h->list */
	UT_hash_handle hh;		/* of h->waiting, while is_waiting */
	enum httpd_state state;
	uint64_t id;	     /* of the request under way */
	int64_t deadline_ms; /* monotonic; 0: none */
	struct buf in;	     /* an incomplete request, or pipelined ones */
	struct addr peer;
	void *tag;
	bool keep, is_head, is_waiting, is_ready, continued;
};

#endif
