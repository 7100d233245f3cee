/* SPDX-License-Identifier: MIT */
/*
 * Inside of an HTTP connection, shared by httpd.c (its course), httpd_stream.c
 * (bodies and answers in pieces) and httpd_find.c (what its owner may know of
 * it, now and later).
 */
#ifndef SHARED_SVC_HTTPD_PRIV_H
#define SHARED_SVC_HTTPD_PRIV_H

#include "shared/base/map.h"
#include "shared/svc/httpd.h"

enum httpd_state {
	HTTPD_IDLE,
	HTTPD_HEAD,
	HTTPD_BODY,
	HTTPD_STREAM, /* the body goes to a sink */
	HTTPD_BUSY,
	HTTPD_SEND, /* the answer comes from a source */
	HTTPD_DONE
};

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
	bool held; /* by its sink */
	/* STREAM and SEND: what comes to, or from where; and how much there is left */
	const struct httpd_sink *sink;
	const struct httpd_source *source;
	void *arg;
	uint64_t left, passed;
	int64_t since_ms;			      /* STREAM: from when on its pace counts */
	struct httpd_conn *send_prev, *send_next; /* of h->senders */
};

/* --- httpd.c --- */
/* from now on */
void httpd_deadline(struct httpd_conn *c, int64_t ms);
/* the answer is queued: back to the start, or to the end */
void httpd_replied(struct httpd_conn *c);
/* the body is whole and on_end was asked: an answer that is not there comes later */
void httpd_await_answer(struct httpd_conn *c);

/* --- httpd_stream.c --- */
/* asks nothing, or takes nothing of its answer */
bool httpd_may_give_way(const struct httpd_conn *c);
/* "100 Continue", where it was asked for */
void httpd_put_continue(struct httpd_conn *c, const struct http_request *rq);
/* on_head: was it dealt with? Then *used is what it took of p */
bool httpd_offer(struct httpd_conn *c, const struct http_request *rq, const uint8_t *p, size_t n, size_t *used);
/* a piece for the sink: how much of it was for it */
size_t httpd_feed(struct httpd_conn *c, const uint8_t *p, size_t n);
/* the sink hears that there will be no more; nothing where there is none */
void httpd_lose(struct httpd_conn *c);
/* one more piece of each source */
void httpd_pump(struct httpd *h);
/* the peer has taken what was queued */
void httpd_drained(struct httpd_conn *c);

#endif
