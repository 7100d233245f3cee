/* SPDX-License-Identifier: MIT */
/*
 * A small HTTP/1.1 server on conn and proto/http: keep-alive, one request at a
 * time per connection (pipelined ones wait), bodies up to body_max, upgrade
 * handed over with the live connection. Timeouts (limits.md): head whole
 * within 5 s from its first byte or accept (408 / close), body within 10 s,
 * idle keep-alive 15 s. At most conns_max connections: over that the oldest
 * that is silent, or has taken nothing of its answer for 5 s, gives way; when
 * none is, 503 and close.
 *
 * A handler answers now (httpd_reply) or later: it keeps the request's id
 * (httpd_id), never its pointer, and calls httpd_find; an answer for a
 * connection that is gone finds NULL. Every request has an id of its own. The
 * request and its body are borrowed: they are gone when on_request returns.
 *
 * A body may be taken as it comes instead (on_head, httpd_stream): piece by
 * piece, of any length, with nothing of it kept here. Who gives it keeps to a
 * pace: HTTPD_STREAM_RATE bytes a second on average after the first 10 s, and
 * never HTTPD_QUIET_MS without a byte (408); a time in which its taker had
 * paused it does not count. An answer may go out in pieces, too, from a source
 * that is read as the peer takes it (httpd_reply_source): one piece is in
 * memory for each. Who takes nothing for HTTPD_STALL_MS is closed.
 */
#ifndef SHARED_SVC_HTTPD_H
#define SHARED_SVC_HTTPD_H

#include "shared/net/conn.h"
#include "shared/net/listener.h"
#include "shared/net/timer.h"
#include "shared/proto/http.h"

struct httpd;
struct httpd_conn;

struct httpd_ops {
	/* a whole request (body included); must reply now or later, exactly once */
	void (*on_request)(struct httpd *, struct httpd_conn *, const struct http_request *, struct str body);
	/*
	 * "Connection: upgrade" was asked for. Return true after taking the connection over with
	 * httpd_take(); false: it is handled as an ordinary request. A reply given in here (a refusal) ends
	 * the matter too, whatever is returned. No answer to an upgrade keeps the connection alive.
	 * `rest` are bytes behind the head. May be NULL.
	 */
	bool (*on_upgrade)(struct httpd *, struct httpd_conn *, const struct http_request *, struct str rest);
	/*
	 * The head is whole, and nothing of a body was looked at: it may be taken here with httpd_stream(), or
	 * be answered (a refusal: its body is not read, the connection closes). Else it is handled as an
	 * ordinary request. May be NULL.
	 */
	void (*on_head)(struct httpd *, struct httpd_conn *, const struct http_request *);
};

enum {
	HTTPD_PIECE = 65536, /* the largest piece, of either way */
	HTTPD_STREAM_RATE = 4096,
	HTTPD_STREAM_MS = 10000,
	HTTPD_QUIET_MS = 30000,
	HTTPD_STALL_MS = 60000
};

/* takes a body; may keep the connection's pointer until one of the last two, or its own answer */
struct httpd_sink {
	/* 1 to HTTPD_PIECE bytes, borrowed; may pause, may answer: then it gets no more */
	void (*on_body)(struct httpd_conn *, void *arg, const uint8_t *p, size_t n);
	/* that was all of it; must reply now or later, exactly once */
	void (*on_end)(struct httpd_conn *, void *arg);
	/* the rest of it will never come: what there is may go */
	void (*on_lost)(void *arg);
};

/* gives the bytes of an answer */
struct httpd_source {
	/* at most n bytes to p: how many; 0: none now, to be asked again in a moment; < 0: it is broken */
	long (*read)(void *arg, uint8_t *p, size_t n);
	/* the last call, whatever became of it */
	void (*close)(void *arg);
};

struct httpd {
	struct net *net;
	const struct httpd_ops *ops;
	void *arg;
	unsigned conns, conns_max;
	size_t body_max;
	struct httpd_conn *list;
	struct httpd_conn *waiting; /* map by request id: answers that come later */
	struct httpd_conn *current; /* inside on_request or on_upgrade */
	struct timer janitor;
	struct net_turn turn;
	struct timer pump;	   /* there is more to read from sources */
	struct httpd_conn *senders; /* those with a source */
	unsigned n_ready; /* connections with a pipelined request to look at */
	bool stopping;
	uint64_t next_id, requests, refused, evicted;
};

void httpd_init(struct httpd *h, struct net *net, const struct httpd_ops *ops, void *arg, unsigned conns_max, size_t body_max);
/* listener callback: pass it to listener_open with arg = struct httpd */
void httpd_on_accept(struct listener *l, int fd, const struct addr *peer);
/* the same for descriptors accepted elsewhere */
void httpd_accept(struct httpd *h, int fd, const struct addr *peer, void *tag);
const struct addr *httpd_peer(const struct httpd_conn *c);
/* what the accepting listener passed: listener->arg is struct httpd, so this is the listener itself, or tag */
void *httpd_tag(const struct httpd_conn *c);
uint64_t httpd_id(const struct httpd_conn *c);
struct httpd_conn *httpd_find(struct httpd *h, uint64_t id);
/*
 * While an answer is owed a connection is not read, so that its end is not
 * heard of: has the peer closed it? One system call.
 */
bool httpd_is_left(const struct httpd_conn *c);
/* the answer about to be given is the last one: the connection closes behind it */
void httpd_last(struct httpd_conn *c);
/* extra: complete field lines with CRLF or ""; HEAD requests get no body by themselves */
void httpd_reply(struct httpd_conn *c, int status, const char *type, struct str body, const char *extra);
/* a shared body (static files): head and body go out as two blobs, body is not copied */
void httpd_reply_blob(struct httpd_conn *c, int status, const char *type, struct blob *body, const char *extra);
/* {"error":{"code":status,"msg":msg}} */
void httpd_error(struct httpd_conn *c, int status, const char *msg);
/* with further field lines */
void httpd_error_with(struct httpd_conn *c, int status, const char *msg, const char *extra);
/* in on_head: the body goes to sink */
void httpd_stream(struct httpd_conn *c, const struct httpd_sink *sink, void *arg);
/* the body is read no further for now, but for what was read already; and on again */
void httpd_hold(struct httpd_conn *c);
void httpd_go_on(struct httpd_conn *c);
/* len bytes from a source; HEAD requests get none of them */
void httpd_reply_source(struct httpd_conn *c, int status, const char *type, uint64_t len,
    const struct httpd_source *source, void *arg, const char *extra);
/* too many sources are open: closes one whose peer has taken nothing for 5 s; false: there is none */
bool httpd_cut_slow(struct httpd *h);
/* in on_upgrade: the connection becomes dst's; the httpd_conn is gone after return of on_upgrade */
void httpd_take(struct httpd_conn *c, struct conn *dst, const struct conn_ops *ops);
/* stop: close idle connections, finish answers under way */
void httpd_stop(struct httpd *h);
/* close all and let go of the net; the memory of connections goes with the next turn */
void httpd_fini(struct httpd *h);

#endif
