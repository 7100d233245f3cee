/* SPDX-License-Identifier: MIT */
/*
 * HTTP on connections: collects a request, hands it to the owner, sends what
 * is answered, and guards the time all that may take. Knows no paths.
 *
 *	IDLE -> HEAD -> BODY -> BUSY -> IDLE ...      kept alive
 *	                          \-> DONE            answered with close
 *
 * with STREAM for BODY, and SEND behind BUSY, where things come in pieces
 * (httpd_stream.c).
 * In BUSY the connection is paused: a pipelined request stays in the kernel, or
 * in `in` as far as it was read already.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/proc/clock.h"
#include "shared/svc/httpd_priv.h"

enum {
	HTTPD_HEAD_MS = 5000,
	HTTPD_BODY_MS = 10000,
	HTTPD_IDLE_MS = 15000,
	HTTPD_JANITOR_MS = 500,
	HTTPD_REFUSED_MAX = 64, /* over conns_max: those still being told 503 */
	HTTPD_LOOK_MAX = 256,	/* connections looked at for one to give way */
	HTTPD_OUT_MAX = 262144	/* unsent answers: no more requests till then */
};

static const struct conn_ops httpd_conn_ops;

static struct httpd_conn *
httpd_of(struct conn *c)
{
	return container_of(c, struct httpd_conn, conn);
}

void
httpd_deadline(struct httpd_conn *c, int64_t ms)
{
	c->deadline_ms = clock_mono_ms() + ms;
	if (!timer_is_set(&c->h->janitor))
		timer_set(&c->h->janitor, HTTPD_JANITOR_MS, HTTPD_JANITOR_MS);
}

static void
httpd_set_ready(struct httpd_conn *c, bool ready)
{
	if (c->is_ready == ready)
		return;
	c->is_ready = ready;
	c->h->n_ready += ready ? 1 : -1u;
}

static void
httpd_set_waiting(struct httpd_conn *c, bool waiting)
{
	if (c->is_waiting == waiting)
		return;
	c->is_waiting = waiting;
	if (waiting)
		HASH_ADD(hh, c->h->waiting, id, sizeof(c->id), c);
	else
		HASH_DELETE(hh, c->h->waiting, c);
}

/* out of all lists of h */
static void
httpd_unlink(struct httpd_conn *c)
{
	struct httpd *h = c->h;

	httpd_lose(c);
	httpd_set_ready(c, false);
	httpd_set_waiting(c, false);
	if (h->current == c)
		h->current = NULL;
	DL_DELETE(h->list, c);
	h->conns--;
}

static void
httpd_free(struct httpd_conn *c)
{
	buf_fini(&c->in);
	free(c);
}

/* ---- answers ---------------------------------------------------------- */

void
httpd_replied(struct httpd_conn *c)
{
	httpd_set_waiting(c, false);
	c->continued = c->held = false;
	if (!c->keep) {
		c->state = HTTPD_DONE;
		c->deadline_ms = 0;
		conn_finish(&c->conn);
		return;
	}
	c->state = HTTPD_IDLE;
	httpd_deadline(c, HTTPD_IDLE_MS);
	conn_resume(&c->conn);
	/* inside httpd_run the loop there goes on with what is buffered */
	if (c->h->current != c && buf_len(&c->in) > 0)
		httpd_set_ready(c, true);
}

void
httpd_reply(struct httpd_conn *c, int status, const char *type, struct str body,
    const char *extra)
{
	struct buf out;
	struct blob *b;

	/* before the end of its body: nobody reads the rest */
	if (c->state == HTTPD_STREAM) {
		c->sink = NULL;
		c->state = HTTPD_BUSY;
		c->keep = false;
	}
	if (c->state != HTTPD_BUSY)
		return;
	c->keep = c->keep && !c->h->stopping;
	buf_init(&out, SIZE_MAX / 2);
	http_put_head(&out, status, type, body.len, c->keep, extra);
	if (!c->is_head)
		buf_putstr(&out, body);
	b = blob_take(&out);
	conn_send(&c->conn, b);
	blob_unref(b);
	buf_fini(&out);
	httpd_replied(c);
}

void
httpd_reply_blob(struct httpd_conn *c, int status, const char *type,
    struct blob *body, const char *extra)
{
	struct buf out;

	if (c->state != HTTPD_BUSY)
		return;
	c->keep = c->keep && !c->h->stopping;
	buf_init(&out, HTTP_HEAD_MAX);
	http_put_head(&out, status, type, body->len, c->keep, extra);
	conn_send_bytes(&c->conn, buf_p(&out), buf_len(&out));
	buf_fini(&out);
	if (!c->is_head)
		conn_send(&c->conn, body);
	httpd_replied(c);
}

void
httpd_error(struct httpd_conn *c, int status, const char *msg)
{
	httpd_error_with(c, status, msg, "");
}

void
httpd_error_with(
    struct httpd_conn *c, int status, const char *msg, const char *extra)
{
	struct buf out;
	size_t i;

	/* msg is ours: no escaping beyond what a careless text may hold */
	buf_init(&out, 4096);
	buf_printf(&out, "{\"error\":{\"code\":%d,\"msg\":\"", status);
	for (i = 0; msg[i] != '\0'; i++) {
		if ((unsigned char)msg[i] < 0x20)
			continue;
		if (msg[i] == '"' || msg[i] == '\\')
			buf_putc(&out, '\\');
		buf_putc(&out, msg[i]);
	}
	buf_puts(&out, "\"}}");
	httpd_reply(c, status, "application/json", buf_str(&out), extra);
	buf_fini(&out);
}

/* what came is no request that can be answered and followed by another */
static void
httpd_refuse(struct httpd_conn *c, int status)
{
	c->h->refused++;
	c->state = HTTPD_BUSY;
	c->keep = false;
	httpd_error(c, status, http_reason(status));
}

/* ---- requests --------------------------------------------------------- */

/* true when the upgrade is dealt with; *taken: c is gone */
static bool
httpd_upgrade(struct httpd_conn *c, const struct http_request *rq,
    struct str rest, bool *taken)
{
	struct httpd *h = c->h;
	bool handled;

	c->state = HTTPD_BUSY;
	c->keep = false;
	c->is_head = rq->method == HTTP_HEAD_M;
	c->deadline_ms = 0;
	c->id = ++h->next_id;
	h->current = c;
	handled = h->ops->on_upgrade(h, c, rq, rest);
	*taken = h->current != c;
	h->current = NULL;
	if (*taken) {
		httpd_free(c);
		return true;
	}
	if (c->state != HTTPD_BUSY || c->conn.closed)
		return true;
	if (handled) {
		/* "handled" without taking or answering: later, by its id */
		httpd_set_waiting(c, true);
		conn_pause(&c->conn);
	}
	return handled;
}

static void
httpd_dispatch(
    struct httpd_conn *c, const struct http_request *rq, struct str body)
{
	struct httpd *h = c->h;

	c->state = HTTPD_BUSY;
	c->keep = rq->keep_alive && rq->minor == 1 && !rq->upgrade;
	c->is_head = rq->method == HTTP_HEAD_M;
	c->deadline_ms = 0;
	c->id = ++h->next_id;
	h->requests++;
	h->current = c;
	h->ops->on_request(h, c, rq, body);
	h->current = NULL;
	httpd_await_answer(c);
}

void
httpd_await_answer(struct httpd_conn *c)
{
	if (c->state == HTTPD_BUSY && !c->conn.closed) {
		httpd_set_waiting(c, true);
		conn_pause(&c->conn);
	}
}

/* the head is whole, its body is not: how long may that take? */
static void
httpd_await_body(struct httpd_conn *c, const struct http_request *rq)
{
	if (c->state != HTTPD_BODY) {
		c->state = HTTPD_BODY;
		httpd_deadline(c, HTTPD_BODY_MS);
	}
	httpd_put_continue(c, rq);
}

/*
 * Takes one request off p: the bytes used, 0 when it is not whole (or refused).
 * *taken: the connection has another owner and c is gone.
 */
static size_t
httpd_one(struct httpd_conn *c, const uint8_t *p, size_t n, bool *taken)
{
	struct httpd *h = c->h;
	struct http_request rq;
	size_t need;
	int err;

	if (c->state == HTTPD_STREAM)
		return httpd_feed(c, p, n);
	err = http_parse(p, n, &rq);
	if (err == ERR_AGAIN) {
		/* from its first byte on; the first one from accept on */
		if (c->state == HTTPD_IDLE) {
			c->state = HTTPD_HEAD;
			httpd_deadline(c, HTTPD_HEAD_MS);
		}
		return 0;
	}
	if (err != 0) {
		httpd_refuse(c, rq.status);
		return 0;
	}
	if (h->ops->on_head != NULL && !h->stopping && c->state != HTTPD_BODY &&
	    httpd_offer(c, &rq, p, n, &need))
		return need;
	if (rq.body_len > h->body_max) {
		httpd_refuse(c, 413);
		return 0;
	}
	if (rq.upgrade && h->ops->on_upgrade != NULL && !h->stopping &&
	    c->state != HTTPD_BODY &&
	    httpd_upgrade(
		c, &rq, str_n(p + rq.head_len, n - rq.head_len), taken))
		return *taken ? n : rq.head_len;
	if (c->state == HTTPD_BUSY) {
		c->state = HTTPD_HEAD; /* the upgrade was declined */
		httpd_deadline(c, HTTPD_HEAD_MS);
	}
	need = rq.head_len + (size_t)rq.body_len;
	if (n < need) {
		httpd_await_body(c, &rq);
		return 0;
	}
	httpd_dispatch(c, &rq, str_n(p + rq.head_len, (size_t)rq.body_len));
	return need;
}

/* all whole requests in p; *taken as above; else the bytes used */
static size_t
httpd_run(struct httpd_conn *c, const uint8_t *p, size_t n, bool *taken)
{
	size_t used = 0, k;

	*taken = false;
	while (used < n && c->state < HTTPD_BUSY && !c->conn.closed &&
	       conn_queued(&c->conn) < HTTPD_OUT_MAX) {
		k = httpd_one(c, p + used, n - used, taken);
		if (k == 0 || *taken)
			break;
		used += k;
	}
	return used;
}

/* a peer that asks on without reading is not read either, until it has */
static void
httpd_settle(struct httpd_conn *c)
{
	if (c->state >= HTTPD_BUSY || c->held || c->conn.closed)
		return;
	if (conn_queued(&c->conn) >= HTTPD_OUT_MAX && buf_len(&c->in) > 0) {
		conn_pause(&c->conn);
		httpd_set_ready(c, true);
	} else {
		conn_resume(&c->conn);
	}
}

/* the same for what is buffered */
static void
httpd_run_buffered(struct httpd_conn *c)
{
	bool taken;
	size_t used = httpd_run(c, buf_p(&c->in), buf_len(&c->in), &taken);

	if (taken)
		return;
	buf_consume(&c->in, used);
	if (buf_len(&c->in) == 0)
		buf_fini(&c->in);
	httpd_settle(c);
}

static void
httpd_on_data(struct conn *conn, const uint8_t *p, size_t n)
{
	struct httpd_conn *c = httpd_of(conn);
	size_t used = 0;
	bool taken, direct = buf_len(&c->in) == 0;

	if (c->state == HTTPD_DONE)
		return;
	/* the usual request comes whole and is not copied */
	if (direct && c->state < HTTPD_BUSY) {
		used = httpd_run(c, p, n, &taken);
		if (taken || c->state == HTTPD_DONE)
			return;
	}
	if (used < n)
		buf_put(&c->in, p + used, n - used);
	if (!buf_ok(&c->in))
		conn_close(conn); /* cannot be: a head and a body fit */
	else if (!direct && c->state < HTTPD_BUSY)
		httpd_run_buffered(c);
	else
		httpd_settle(c);
}

static void
httpd_on_end(struct conn *conn, int err)
{
	/* never in BUSY, which is paused; answers may be queued still */
	if (err == 0)
		conn_finish(conn);
}

static void
httpd_on_drain(struct conn *conn)
{
	httpd_drained(httpd_of(conn));
}

static void
httpd_on_dead(struct conn *conn)
{
	struct httpd_conn *c = httpd_of(conn);

	httpd_unlink(c);
	httpd_free(c);
}

static const struct conn_ops httpd_conn_ops = {
    .on_data = httpd_on_data,
    .on_end = httpd_on_end,
    .on_drain = httpd_on_drain,
    .on_dead = httpd_on_dead,
};

/* ---- time ------------------------------------------------------------- */

static void
httpd_overdue(struct httpd_conn *c)
{
	/* an answer still going out is no idleness */
	if (c->state == HTTPD_IDLE && conn_queued(&c->conn) > 0 &&
	    clock_mono_ms() / 1000 - conn_progress_s(&c->conn) <
		HTTPD_IDLE_MS / 1000) {
		httpd_deadline(c, HTTPD_IDLE_MS);
		return;
	}
	if (c->state == HTTPD_SEND && conn_queued(&c->conn) > 0 &&
	    clock_mono_ms() / 1000 - conn_progress_s(&c->conn) <
		HTTPD_STALL_MS / 1000) {
		httpd_deadline(c, HTTPD_STALL_MS / 4);
		return;
	}
	c->deadline_ms = 0;
	if (c->state == HTTPD_STREAM) {
		httpd_lose(c);
		httpd_refuse(c, 408);
		return;
	}
	/* who said nothing is told nothing */
	if (c->state == HTTPD_IDLE || c->state == HTTPD_SEND ||
	    buf_len(&c->in) == 0)
		conn_close(&c->conn);
	else
		httpd_refuse(c, 408);
}

static void
httpd_janitor(void *arg)
{
	struct httpd *h = arg;
	struct httpd_conn *c, *next;
	int64_t now = clock_mono_ms();

	if (h->list == NULL) {
		timer_stop(&h->janitor);
		return;
	}
	DL_FOREACH_SAFE (h->list, c, next) {
		if (c->deadline_ms != 0 && now >= c->deadline_ms &&
		    !c->conn.closed)
			httpd_overdue(c);
	}
}

/* requests that waited in the buffer for an answer to the one before */
static void
httpd_on_turn(struct net_turn *turn)
{
	struct httpd *h = container_of(turn, struct httpd, turn);
	struct httpd_conn *c, *next;

	httpd_pump(h);
	if (h->n_ready == 0)
		return;
	DL_FOREACH_SAFE (h->list, c, next) {
		if (!c->is_ready || conn_queued(&c->conn) >= HTTPD_OUT_MAX)
			continue;
		httpd_set_ready(c, false);
		if (!c->conn.closed && c->state < HTTPD_BUSY)
			httpd_run_buffered(c);
	}
}

static void
httpd_on_pump(void *arg)
{
	(void)arg; /* the turn that follows does the work */
}

/* ---- life ------------------------------------------------------------- */

void
httpd_init(struct httpd *h, struct net *net, const struct httpd_ops *ops,
    void *arg, unsigned conns_max, size_t body_max)
{
	memset(h, 0, sizeof(*h));
	h->net = net;
	h->ops = ops;
	h->arg = arg;
	h->conns_max = conns_max;
	h->body_max = body_max;
	timer_init(&h->janitor, net, httpd_janitor, h);
	timer_init(&h->pump, net, httpd_on_pump, h);
	h->turn.on_turn = httpd_on_turn;
	net_turn_add(net, &h->turn);
}

void
httpd_on_accept(struct listener *l, int fd, const struct addr *peer)
{
	httpd_accept(l->arg, fd, peer, l);
}

/*
 * All places are taken: the oldest that asks nothing, or does not take what it
 * asked for, gives way, so whoever is silent on many connections shuts out
 * himself. True: a place is free.
 */
static bool
httpd_make_room(struct httpd *h)
{
	struct httpd_conn *c;
	unsigned looked = 0;

	DL_FOREACH (h->list, c) {
		if (++looked > HTTPD_LOOK_MAX)
			return false;
		if (!httpd_may_give_way(c))
			continue;
		h->evicted++;
		conn_close(&c->conn);
		return true;
	}
	return false;
}

void
httpd_accept(struct httpd *h, int fd, const struct addr *peer, void *tag)
{
	struct httpd_conn *c;
	bool room;

	if (h->stopping || h->conns >= h->conns_max + HTTPD_REFUSED_MAX) {
		h->refused++;
		close(fd);
		return;
	}
	room = h->conns < h->conns_max || httpd_make_room(h);
	c = xcalloc(1, sizeof(*c));
	c->h = h;
	c->peer = *peer;
	c->tag = tag;
	buf_init(&c->in, HTTP_HEAD_MAX + h->body_max + NET_RECV_SIZE);
	conn_open(&c->conn, h->net, fd, &httpd_conn_ops);
	DL_APPEND(h->list, c);
	h->conns++;
	c->state = HTTPD_HEAD;
	httpd_deadline(c, HTTPD_HEAD_MS);
	if (!room)
		httpd_refuse(c, 503);
}

void
httpd_take(struct httpd_conn *c, struct conn *dst, const struct conn_ops *ops)
{
	conn_move(dst, &c->conn, ops);
	httpd_unlink(c); /* httpd_upgrade sees that it is gone, and frees it */
}

void
httpd_stop(struct httpd *h)
{
	struct httpd_conn *c, *next;

	h->stopping = true;
	DL_FOREACH_SAFE (h->list, c, next) {
		if (c->state < HTTPD_BUSY && buf_len(&c->in) == 0)
			conn_finish(&c->conn);
	}
}

void
httpd_fini(struct httpd *h)
{
	struct httpd_conn *c, *next;

	h->stopping = true;
	DL_FOREACH_SAFE (h->list, c, next)
		conn_close(&c->conn);
	net_flush(h->net);
	timer_stop(&h->janitor);
	timer_stop(&h->pump);
	net_turn_remove(h->net, &h->turn);
}
