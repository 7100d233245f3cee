/* SPDX-License-Identifier: MIT */
/*
 * The way out of a client, and what waits: texts and frames during a login,
 * and everything that changes who is there until client_on_turn().
 */
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/client_priv.h"
#include "msg_server/follow/delivered.h"
#include "shared/proc/log.h"

/* --- the way out -------------------------------------------------------- */

bool
session_is_open(const struct session *s)
{
	const struct client *c = client_of(s);

	return !c->closing && conn_is_open(&c->conn);
}

bool
session_has_all(const struct session *s)
{
	const struct client *c = client_of(s);

	return session_is_open(s) && session_queued(s) == 0 &&
	       conn_is_taken(&c->conn);
}

uint32_t
session_queued(const struct session *s)
{
	const struct client *c = client_of(s);

	return conn_queued(&c->conn) +
	       (c->held ? client_hold_of(c)->bytes_out : 0);
}

void
session_refused(struct session *s)
{
	client_srv(client_of(s))->stats[S_DROPPED_IN]++;
}

static void
client_hold_out(struct client_hold *h, struct blob *frame)
{
	if (h->n_out == h->cap_out) {
		h->cap_out = h->cap_out > 0 ? h->cap_out * 2 : 8;
		h->out = xrealloc(h->out, h->cap_out * sizeof *h->out);
	}
	h->out[h->n_out++] = blob_ref(frame);
	h->bytes_out += frame->len;
}

void
session_send(struct session *s, struct blob *frame)
{
	session_send_block(s, frame, 1);
}

void
session_send_block(struct session *s, struct blob *frame, unsigned n)
{
	struct client *c = client_of(s);
	uint64_t queued;

	if (!session_is_open(s))
		return;
	queued = (uint64_t)session_queued(s) + frame->len;
	if (queued > CLIENT_QUEUE_MAX) {
		conn_drop_queue(&c->conn);
		session_close(s, 4202, "too much is waiting", 0);
		return;
	}
	client_srv(c)->stats[S_DELIVERIES] += n;
	if (c->held && client_hold_of(c)->holds_out)
		client_hold_out(client_hold_of(c), frame);
	else
		conn_send(&c->conn, frame);
	/*
	 * Who is paged stops above half of the bound and waits to be called
	 * back: also when the kernel takes it all at once.
	 */
	if (queued > CLIENT_QUEUE_STOP / 2 && !c->drain) {
		c->drain = 1;
		client_set_due(c);
	}
}

void
session_close(
    struct session *s, unsigned code, const char *why, int64_t retry_ms)
{
	struct client *c = client_of(s);
	struct blob *frame;
	char text[96];

	if (!session_is_open(s))
		return;
	if (retry_ms > 0)
		snprintf(text, sizeof text, "%s retry=%lld", why,
		    (long long)retry_ms);
	else
		snprintf(text, sizeof text, "%s", why);
	log_debug("session %llx closed: %u %s", (unsigned long long)s->cn, code,
	    text);
	delivered_leave(client_srv(c), s);
	frame = ws_close(code, text);
	conn_send(&c->conn, frame);
	blob_unref(frame);
	client_end(c);
	conn_finish(&c->conn);
}

void
session_cut(struct session *s, bool at_once)
{
	struct client *c = client_of(s);

	if (!session_is_open(s))
		return;
	delivered_leave(client_srv(c), s);
	client_end(c);
	if (at_once)
		conn_close(&c->conn);
	else
		conn_finish(&c->conn);
}

void
client_bye(struct session *s)
{
	client_of(s)->bye = 1;
	session_close(s, WS_CLOSE_NORMAL, "bye", 0);
}

/* the largest queues, largest first: how many there are */
static unsigned
client_largest(struct server *srv, struct client *top[CLIENT_RELIEF])
{
	struct session *s, *next;
	struct client *c;
	unsigned i, n = 0;
	uint32_t most;

	SESSION_EACH(&srv->sessions, s, next)
	{
		c = client_of(s);
		most = conn_queued(&c->conn);
		if (c->closing || most == 0 ||
		    (n == CLIENT_RELIEF &&
			most <= conn_queued(&top[n - 1]->conn)))
			continue;
		if (n < CLIENT_RELIEF)
			n++;
		for (i = n - 1; i > 0 && conn_queued(&top[i - 1]->conn) < most;
		     i--)
			top[i] = top[i - 1];
		top[i] = c;
	}
	return n;
}

void
client_relieve(struct server *srv)
{
	uint64_t bound = (uint64_t)srv->set.memory * 1024 * 1024 / 4;
	struct client *top[CLIENT_RELIEF];
	unsigned i, n;

	if (srv->net->queued <= bound)
		return;
	n = client_largest(srv, top);
	for (i = 0; i < n && srv->net->queued > bound; i++) {
		conn_drop_queue(&top[i]->conn);
		session_close(
		    &top[i]->session, 4202, "too much is waiting", 1000);
	}
}

/* --- what waits for a login ------------------------------------------- */

static struct client_hold *
client_hold_get(struct client *c)
{
	struct client_busy *b = client_busy(c);

	if (b->hold == NULL) {
		b->hold = xcalloc(1, sizeof *b->hold);
		buf_init(&b->hold->in, CLIENT_HOLD_MAX);
		c->held = 1;
	}
	return b->hold;
}

void
client_hold_free(struct client *c)
{
	struct client_hold *h = client_hold_of(c);

	if (h == NULL)
		return;
	client_busy_of(c)->hold = NULL;
	c->held = 0;
	while (h->n_out > 0)
		blob_unref(h->out[--h->n_out]);
	free(h->out);
	buf_fini(&h->in);
	free(h);
}

void
client_hold(struct session *s)
{
	client_hold_get(client_of(s))->holds_out = true;
	client_asks(client_of(s), true);
}

void
client_release(struct session *s)
{
	struct client *c = client_of(s);
	struct client_hold *h = client_hold_of(c);
	uint32_t i, n;

	if (h == NULL)
		return;
	h->holds_out = false;
	h->bytes_out = 0;
	n = h->n_out;
	h->n_out = 0;
	for (i = 0; i < n; i++) {
		if (conn_queued(&c->conn) > CLIENT_QUEUE_STOP / 2)
			c->drain = 1;
		if (!c->closing)
			conn_send(&c->conn, h->out[i]);
		blob_unref(h->out[i]);
	}
	client_set_due(c); /* what it said meanwhile */
}

void
client_hold_drop(struct session *s)
{
	struct client *c = client_of(s);
	struct client_hold *h = client_hold_of(c);

	client_asks(c, false);
	if (h == NULL)
		return;
	h->holds_out = false;
	h->bytes_out = 0;
	while (h->n_out > 0)
		blob_unref(h->out[--h->n_out]);
	client_set_due(c);
}

bool
client_hold_text(struct client *c, struct str text)
{
	struct client_hold *h = client_hold_get(c);
	uint32_t len = (uint32_t)text.len;

	buf_put(&h->in, &len, sizeof len);
	buf_put(&h->in, text.p, text.len);
	if (!buf_ok(&h->in)) {
		session_close(&c->session, WS_CLOSE_POLICY,
		    "too much before the login is answered", 0);
		return false;
	}
	client_set_due(c);
	return true;
}

/* --- what waits for the turn ------------------------------------------- */

void
client_set_due(struct client *c)
{
	struct server *srv = client_srv(c);

	if (c->due)
		return;
	c->due = 1;
	client_busy(c)->next_due = srv->due;
	srv->due = c;
	if (!timer_is_set(&srv->wake))
		timer_set(&srv->wake, 0, 0);
}

void
client_unset_due(struct client *c)
{
	struct client **p = &client_srv(c)->due;

	if (!c->due)
		return;
	while (*p != c)
		p = &client_busy_of(*p)->next_due;
	*p = client_busy_of(c)->next_due;
	c->due = 0;
}

void
client_end(struct client *c)
{
	c->closing = 1;
	client_set_due(c);
}

/* texts that came during the login, in order, until one starts another */
static void
client_run_held(struct client *c)
{
	struct client_hold *h = client_hold_of(c);
	struct buf in;
	uint32_t len;

	if (h == NULL || h->holds_out || c->session.logging_in)
		return;
	in = h->in;
	buf_init(&h->in, CLIENT_HOLD_MAX);
	client_hold_free(c);
	while (buf_len(&in) > 0 && !c->closing) {
		if (c->session.logging_in) {
			/* the rest waits again */
			buf_fini(&client_hold_get(c)->in);
			client_hold_of(c)->in = in;
			return;
		}
		memcpy(&len, buf_p(&in), sizeof len);
		buf_consume(&in, sizeof len);
		client_text(c, str_n(buf_p(&in), len));
		buf_consume(&in, len);
	}
	buf_fini(&in);
}

static void
client_run_due(struct client *c)
{
	if (c->closing) {
		client_detach(c);
		return;
	}
	client_run_held(c);
	/* what a login holds back moves only with client_release() */
	if (c->held && client_hold_of(c)->holds_out)
		return;
	if (c->drain && !c->conn.blocked) {
		if (session_queued(&c->session) > CLIENT_QUEUE_STOP / 2) {
			client_set_due(c); /* after this turn's flush */
			return;
		}
		client_drained(c);
	}
	client_rest(c); /* who has just come in may be silent from now on */
}

void
client_on_turn(struct server *srv)
{
	struct client *list = srv->due, *c;

	srv->due = NULL;
	client_pace(srv);
	while ((c = list) != NULL) {
		list = client_busy_of(c)->next_due;
		c->due = 0;
		client_run_due(c);
	}
}
