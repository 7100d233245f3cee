/* SPDX-License-Identifier: MIT */
/*
 * Bodies and answers in pieces: a body goes to its sink as it comes, an answer
 * is read from its source as the peer takes it. See httpd.h. What stands
 * before and behind them is httpd.c's.
 *
 * A source is read once in a turn of the loop, for one piece, and only when
 * the kernel has taken all of the piece before; so many answers go forward
 * side by side, and nobody else waits for more than a piece of each.
 */
#include <stdlib.h>

#include "shared/proc/clock.h"
#include "shared/svc/httpd_priv.h"

enum {
	HTTPD_AGAIN_MS = 2, /* a source that has nothing is asked again */
	HTTPD_SLOW_S = 5    /* nothing of its answer taken: may give way */
};

/* ---- in --------------------------------------------------------------- */

void
httpd_put_continue(struct httpd_conn *c, const struct http_request *rq)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (!c->continued && rq->minor == 1 &&
	    str_is_set(http_field(rq, "expect")))
		conn_send_bytes(&c->conn, go_on, sizeof(go_on) - 1);
	c->continued = true;
}

/* how long until the next byte, and until the next of the pace */
static void
httpd_pace(struct httpd_conn *c)
{
	int64_t now = clock_mono_ms();
	int64_t ms = c->since_ms + HTTPD_STREAM_MS +
		     (int64_t)(c->passed * 1000 / HTTPD_STREAM_RATE) - now;

	if (c->held) {
		c->deadline_ms = 0;
		return;
	}
	httpd_deadline(c, ms < HTTPD_QUIET_MS ? ms : HTTPD_QUIET_MS);
}

void
httpd_stream(struct httpd_conn *c, const struct httpd_sink *sink, void *arg)
{
	c->sink = sink;
	c->arg = arg;
}

void
httpd_hold(struct httpd_conn *c)
{
	if (c->held || c->state != HTTPD_STREAM)
		return;
	c->held = true;
	c->since_ms -= clock_mono_ms(); /* how long ago it began */
	c->deadline_ms = 0;
	conn_pause(&c->conn);
}

void
httpd_go_on(struct httpd_conn *c)
{
	if (!c->held)
		return;
	c->held = false;
	c->since_ms += clock_mono_ms();
	if (c->state != HTTPD_STREAM)
		return;
	httpd_pace(c);
	conn_resume(&c->conn);
}

void
httpd_lose(struct httpd_conn *c)
{
	const struct httpd_sink *sink = c->sink;
	const struct httpd_source *source = c->source;

	c->sink = NULL;
	c->source = NULL;
	c->held = false;
	if (sink != NULL && c->state == HTTPD_STREAM)
		sink->on_lost(c->arg);
	if (source == NULL)
		return;
	DL_DELETE2(c->h->senders, c, send_prev, send_next);
	source->close(c->arg);
}

/* the whole body is there */
static void
httpd_end_body(struct httpd_conn *c)
{
	const struct httpd_sink *sink = c->sink;

	c->sink = NULL;
	c->held = false;
	c->state = HTTPD_BUSY;
	c->deadline_ms = 0;
	sink->on_end(c, c->arg);
}

size_t
httpd_feed(struct httpd_conn *c, const uint8_t *p, size_t n)
{
	struct httpd *h = c->h;

	if (n > c->left)
		n = (size_t)c->left;
	c->left -= n;
	c->passed += n;
	h->current = c;
	if (n > 0)
		c->sink->on_body(c, c->arg, p, n);
	if (c->state == HTTPD_STREAM && c->left == 0)
		httpd_end_body(c);
	h->current = NULL;
	if (c->state == HTTPD_STREAM)
		httpd_pace(c);
	else
		httpd_await_answer(c);
	return n;
}

bool
httpd_offer(struct httpd_conn *c, const struct http_request *rq,
    const uint8_t *p, size_t n, size_t *used)
{
	struct httpd *h = c->h;
	enum httpd_state state = c->state;
	bool keep = rq->keep_alive && rq->minor == 1 && !rq->upgrade;

	c->state = HTTPD_BUSY;
	c->keep = keep && rq->body_len == 0; /* a refused body is not read */
	c->is_head = rq->method == HTTP_HEAD_M;
	c->sink = NULL;
	c->held = false;
	c->id = ++h->next_id;
	h->current = c;
	h->ops->on_head(h, c, rq);
	h->current = NULL;
	*used = rq->head_len;
	if (c->state != HTTPD_BUSY) {
		h->requests++;
		return true;
	}
	if (c->sink == NULL) {
		c->state = state;
		return false;
	}
	h->requests++;
	c->keep = keep;
	c->state = HTTPD_STREAM;
	c->left = rq->body_len;
	c->passed = 0;
	c->since_ms = clock_mono_ms();
	if (n - rq->head_len < rq->body_len)
		httpd_put_continue(c, rq);
	*used += httpd_feed(c, p + rq->head_len, n - rq->head_len);
	return true;
}

/* ---- out -------------------------------------------------------------- */

void
httpd_reply_source(struct httpd_conn *c, int status, const char *type,
    uint64_t len, const struct httpd_source *source, void *arg,
    const char *extra)
{
	struct buf out;

	if (c->state != HTTPD_BUSY) {
		source->close(arg);
		return;
	}
	c->keep = c->keep && !c->h->stopping;
	buf_init(&out, HTTP_HEAD_MAX);
	http_put_head(&out, status, type, (size_t)len, c->keep, extra);
	conn_send_bytes(&c->conn, buf_p(&out), buf_len(&out));
	buf_fini(&out);
	if (c->is_head || len == 0) {
		source->close(arg);
		httpd_replied(c);
		return;
	}
	c->state = HTTPD_SEND;
	c->source = source;
	c->arg = arg;
	c->left = len;
	httpd_deadline(c, HTTPD_STALL_MS);
	conn_pause(&c->conn);
	DL_APPEND2(c->h->senders, c, send_prev, send_next);
	timer_set(&c->h->pump, 0, 0);
}

bool
httpd_may_give_way(const struct httpd_conn *c)
{
	if (c->conn.closed ||
	    (c->state >= HTTPD_BODY && c->state <= HTTPD_BUSY))
		return false;
	if (conn_queued(&c->conn) > 0)
		return c->conn.blocked &&
		       clock_mono_ms() / 1000 - conn_progress_s(&c->conn) >=
			   HTTPD_SLOW_S;
	return c->state != HTTPD_SEND;
}

bool
httpd_cut_slow(struct httpd *h)
{
	struct httpd_conn *c;

	DL_FOREACH2(h->senders, c, send_next)
	{
		if (!httpd_may_give_way(c))
			continue;
		h->evicted++;
		conn_close(&c->conn);
		return true;
	}
	return false;
}

void
httpd_drained(struct httpd_conn *c)
{
	if (c->state == HTTPD_SEND)
		timer_set(&c->h->pump, 0, 0);
}

/* one piece; the ms after which it has more to give, -1: when it is asked for
 */
static int
httpd_pump_one(struct httpd_conn *c)
{
	size_t want = c->left < HTTPD_PIECE ? (size_t)c->left : HTTPD_PIECE;
	struct blob *b;
	long n;

	if (c->conn.closed || c->conn.blocked)
		return -1;
	b = blob_alloc(want);
	n = c->source->read(c->arg, b->bytes, want);
	if (n > 0) {
		b->len = (uint32_t)n;
		conn_send(&c->conn, b);
		c->left -= (uint64_t)n;
		httpd_deadline(c, HTTPD_STALL_MS);
	}
	blob_unref(b);
	if (n == 0)
		return HTTPD_AGAIN_MS;
	/* the length was said: what is cut short must not look whole */
	if (n < 0)
		conn_close(&c->conn);
	if (n < 0 || c->left > 0)
		return n < 0 ? -1 : 0;
	httpd_lose(c);
	httpd_replied(c);
	return -1;
}

void
httpd_pump(struct httpd *h)
{
	struct httpd_conn *c, *next;
	int again = -1, ms;

	DL_FOREACH_SAFE2(h->senders, c, next, send_next)
	{
		ms = httpd_pump_one(c);
		if (ms >= 0 && (again < 0 || ms < again))
			again = ms;
	}
	if (again >= 0)
		timer_set(&h->pump, again, 0);
}
