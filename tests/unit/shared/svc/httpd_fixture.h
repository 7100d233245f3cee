/* SPDX-License-Identifier: MIT */
/*
 * A server of 8 places over socket pairs with a real loop, and one client:
 * what the tests of svc/httpd start from. Included once by each of them.
 */
#ifndef TESTS_UNIT_SHARED_SVC_HTTPD_FIXTURE_H
#define TESTS_UNIT_SHARED_SVC_HTTPD_FIXTURE_H

#include "tests/unit/shared/net/fixture.h"

#include "shared/proc/clock.h"
#include "shared/svc/httpd.h"

#define HOST "Host: chat.example\r\n"

static struct fx fx;
static struct httpd h;
static struct buf got;	      /* what the client has read */
static int client, eof;	      /* eof as fx_read gives it */
static uint64_t later_id[32]; /* requests to /later, unanswered */
static unsigned n_later, n_requests, n_taken;

static struct taker {
	struct conn c;
	struct buf got;
	int deads;
} taker;

static inline void
taker_on_data(struct conn *c, const uint8_t *p, size_t n)
{
	(void)c;
	buf_put(&taker.got, p, n);
}

static inline void
taker_on_end(struct conn *c, int err)
{
	(void)err;
	conn_close(c);
}

static inline void
taker_on_dead(struct conn *c)
{
	(void)c;
	taker.deads++;
}

static const struct conn_ops taker_ops = {
    .on_data = taker_on_data,
    .on_end = taker_on_end,
    .on_dead = taker_on_dead,
};

static inline void
on_request(struct httpd *hd, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	static char big[1 << 20];
	struct blob *b;

	assert_ptr_equal(hd, &h);
	assert_ptr_equal(httpd_find(hd, httpd_id(c)), c);
	n_requests++;
	if (str_eqc(rq->path, "/later")) {
		later_id[n_later++] = httpd_id(c);
	} else if (str_eqc(rq->path, "/blob")) {
		b = blob_new("shared", 6);
		httpd_reply_blob(c, 200, "text/css", b, "");
		blob_unref(b);
	} else if (str_eqc(rq->path, "/big")) {
		httpd_reply(c, 200, "text/plain", str_n(big, sizeof(big)), "");
	} else if (str_eqc(rq->path, "/echo")) {
		httpd_reply(c, 200, "text/plain", body, "X-Echo: 1\r\n");
		httpd_reply(c, 500, NULL, STR_LIT("twice"), "");
	} else {
		httpd_reply(c, 200, "text/plain", rq->path, "");
	}
}

static inline bool
on_upgrade(struct httpd *hd, struct httpd_conn *c,
    const struct http_request *rq, struct str rest)
{
	(void)hd;
	if (str_eqc(rq->path, "/refuse")) {
		httpd_error(c, 426, "version \"13\"");
		return true;
	}
	if (!str_eqc(rq->path, "/ws"))
		return false;
	httpd_take(c, &taker.c, &taker_ops);
	conn_send_bytes(&taker.c, "101", 3);
	buf_putstr(&taker.got, rest);
	n_taken++;
	return true;
}

static const struct httpd_ops ops = {
    .on_request = on_request,
    .on_upgrade = on_upgrade,
#ifdef HTTPD_FIXTURE_HEAD
    .on_head = HTTPD_FIXTURE_HEAD,
#endif
};

static inline int
start_with(unsigned conns_max)
{
	fx_init(&fx);
	httpd_init(&h, fx.net, &ops, NULL, conns_max, 1000);
	buf_init(&got, 1 << 26);
	memset(&taker, 0, sizeof(taker));
	buf_init(&taker.got, 1 << 16);
	taker.c.closed = 1;
	n_later = n_requests = n_taken = 0;
	return 0;
}

static inline int
dial_in(void)
{
	static const struct addr peer;
	static int tag;
	int fd[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	httpd_accept(&h, fd[0], &peer, &tag);
	return fd[1];
}

static inline int
set_up(void **state)
{
	(void)state;
	start_with(8);
	client = dial_in();
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	clock_test_set(0, 0);
	if (client >= 0)
		close(client);
	if (!taker.c.closed)
		conn_close(&taker.c);
	httpd_fini(&h);
	assert_int_equal(h.conns, 0);
	assert_null(h.list);
	assert_null(h.waiting);
	fx_fini(&fx);
	buf_fini(&got);
	buf_fini(&taker.got);
	return 0;
}

#define count(text) fx_count(&got, text)
#define has(text)   (count(text) > 0)

static inline bool
read_has(const char *text)
{
	fx_read(client, &got, &eof);
	return has(text);
}

static inline bool
read_eof(void)
{
	fx_read(client, &got, &eof);
	return eof == 1;
}

#endif
