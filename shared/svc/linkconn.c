/* SPDX-License-Identifier: MIT */
/*
 * A link over a connection: time, credit and counting around proto/link. Knows
 * neither who may link nor what the frames are about.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "shared/proc/clock.h"
#include "shared/svc/httpd.h"
#include "shared/svc/linkconn.h"

enum {
	LINK_TICK_MS = 500,
	LINK_HELLO_MS = 3000,
	LINK_PING_MS = 2000,
	LINK_SILENCE_MS = 6000,
	LINK_STUCK_MS = 12000, /* bytes come, but nothing of use */
	LINK_PAUSED_MS = 3000, /* a tick this late: it was we who stood still */
	LINK_DENY_MS = 100,
	LINK_FRAME_EXTRA = LINK_HEAD + 4, /* head and crc around a body */
	LINK_OUT_KEEP = 16384
};

static void linkconn_on_tick(void *arg);

/* ---- credit and counting ---------------------------------------------- */

static bool
linkconn_is_free(uint8_t type)
{
	return type <= F_ERROR && type >= F_HELLO && type != F_ACTIVE;
}

/* charges whole frames at p */
static void
linkconn_charge(struct linkconn *lc, const uint8_t *p, size_t n)
{
	size_t len;

	while (n >= LINK_FRAME_EXTRA) {
		len = 4 + (p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 |
			      (size_t)p[3] << 24);
		if (len > n)
			break;
		if (!linkconn_is_free(p[4]))
			lc->credit -= (int64_t)len;
		if (p[4] == F_ITEM)
			lc->items_sent++;
		p += len;
		n -= len;
	}
}

/* what was built in out since the last look */
static void
linkconn_count(struct linkconn *lc)
{
	size_t n = buf_len(&lc->out);

	if (n > lc->counted) {
		linkconn_charge(
		    lc, buf_p(&lc->out) + lc->counted, n - lc->counted);
		lc->counted = n;
	}
}

/* out becomes one blob of the connection's queue */
static void
linkconn_move_out(struct linkconn *lc)
{
	struct blob *b;

	linkconn_count(lc);
	lc->counted = 0;
	if (buf_len(&lc->out) == 0)
		return;
	b = blob_take(&lc->out);
	conn_send(&lc->conn, b);
	blob_unref(b);
	if (lc->out.cap > LINK_OUT_KEEP)
		buf_fini(&lc->out);
}

struct buf *
linkconn_out(struct linkconn *lc)
{
	linkconn_count(lc);
	conn_wake(&lc->conn);
	return &lc->out;
}

bool
linkconn_send(struct linkconn *lc, struct blob *frame)
{
	if (lc->down)
		return false;
	linkconn_move_out(lc);
	linkconn_charge(lc, frame->bytes, frame->len);
	conn_send(&lc->conn, frame);
	return lc->credit > 0;
}

void
linkconn_ping(struct linkconn *lc)
{
	struct f_ping ping;
	struct buf *out;

	if (!lc->up)
		return;
	out = linkconn_out(lc);
	ping.t = clock_mono_us();
	ping.items_sent = lc->items_sent;
	put_ping(out, F_PING, &ping);
	lc->pinged_ms = clock_mono_ms();
}

/* ---- the end ---------------------------------------------------------- */

void
linkconn_close(struct linkconn *lc, int err, const char *why, unsigned code)
{
	struct f_error f = {.code = (uint16_t)code, .text = str_of(why)};

	if (lc->down)
		return;
	lc->down = true;
	lc->up = false;
	lc->link.state = LINK_DEAD;
	timer_stop(&lc->timer);
	if (code != 0)
		put_error(&lc->out, &f);
	if (buf_ok(&lc->out) && (code != 0 || err == 0)) {
		linkconn_move_out(lc);
		conn_finish(&lc->conn);
	} else {
		conn_close(&lc->conn);
	}
	lc->ops->on_down(lc, err, why);
}

/* the code of the ERROR frame that tells the peer why */
static unsigned
linkconn_code(int err)
{
	switch (err) {
	case ERR_DENIED:
		return 403;
	case ERR_FOREIGN:
		return 421;
	case ERR_VERSION:
		return 426;
	case ERR_LIMIT:
		return 413;
	case ERR_BUSY:
		return 503;
	case ERR_EXISTS:
	case ERR_STALE:
		return 409;
	default:
		return 400;
	}
}

static const char *
linkconn_why(const struct linkconn *lc, int err)
{
	switch (err) {
	case ERR_DENIED:
		return "wrong link key";
	case ERR_FOREIGN:
		return "of another cluster";
	case ERR_VERSION:
		return "no common version of the link protocol";
	case ERR_CORRUPT:
		return "checksum of a frame is wrong";
	case ERR_LIMIT:
		return "frame or field over its limit";
	case ERR_PROTO:
		return lc->up ? "malformed frame" : "not a link of ours";
	default:
		return err_text(err);
	}
}

static void
linkconn_fail(struct linkconn *lc, int err)
{
	if (lc->down)
		return;
	if (err == ERR_DENIED && !lc->up) {
		/* who guesses waits */
		lc->err = err;
		conn_pause(&lc->conn);
		timer_set(&lc->timer, LINK_DENY_MS, 0);
		return;
	}
	linkconn_close(lc, err, linkconn_why(lc, err), linkconn_code(err));
}

/* ---- time ------------------------------------------------------------- */

static void
linkconn_on_tick(void *arg)
{
	struct linkconn *lc = arg;
	int64_t now = clock_mono_ms();

	if (lc->err != 0) {
		linkconn_close(lc, lc->err, linkconn_why(lc, lc->err),
		    linkconn_code(lc->err));
		return;
	}
	/* bytes may be waiting that we had no chance to read */
	if (now - lc->ticked_ms > LINK_PAUSED_MS)
		lc->heard_ms = lc->whole_ms = lc->ponged_ms = now;
	lc->ticked_ms = now;
	if (!lc->up) {
		if (now - lc->opened_ms >= LINK_HELLO_MS)
			linkconn_close(
			    lc, ERR_TIMEOUT, "no hello within 3 s", 408);
		return;
	}
	if (now - lc->heard_ms >= LINK_SILENCE_MS) {
		linkconn_close(lc, ERR_TIMEOUT, "silent for 6 s", 0);
		return;
	}
	/* a length that was changed on the way swallows all that follows */
	if (now - lc->whole_ms >= LINK_STUCK_MS ||
	    now - lc->ponged_ms >= LINK_STUCK_MS) {
		linkconn_close(
		    lc, ERR_TIMEOUT, "no answer to pings for 12 s", 0);
		return;
	}
	if (!buf_ok(&lc->out)) {
		linkconn_close(lc, ERR_LIMIT, "output over its limit", 0);
		return;
	}
	if (now - lc->pinged_ms >= LINK_PING_MS)
		linkconn_ping(lc);
}

/* ---- from proto/link -------------------------------------------------- */

static void
linkconn_on_send(struct link *l, struct blob *b)
{
	struct linkconn *lc = l->arg;

	conn_send(&lc->conn, b);
}

static void
linkconn_on_up(struct link *l)
{
	struct linkconn *lc = l->arg;

	lc->up = true;
	lc->credit = LINK_CREDIT;
	lc->heard_ms = lc->pinged_ms = clock_mono_ms();
	lc->whole_ms = lc->ponged_ms = lc->heard_ms;
	lc->ops->on_up(lc);
}

static int
linkconn_on_ping(struct linkconn *lc, struct str body)
{
	struct f_ping ping;
	int err = get_ping(body, &ping);

	if (err != 0)
		return err;
	if (ping.items_sent != lc->items_got) {
		linkconn_close(
		    lc, ERR_PROTO, "items were lost on the link", 400);
		return 0;
	}
	ping.items_sent = lc->items_got;
	put_ping(linkconn_out(lc), F_PONG, &ping);
	return 0;
}

static int
linkconn_on_credit(struct linkconn *lc, struct str body)
{
	uint32_t bytes;
	int err = get_credit(body, &bytes);

	if (err != 0)
		return err;
	linkconn_count(lc);
	/* nobody gives back more than was taken */
	if (bytes > LINK_CREDIT + LINK_FRAME_MAX ||
	    lc->credit + bytes > LINK_CREDIT)
		return ERR_PROTO;
	lc->credit += bytes;
	if (lc->credit > 0 && lc->ops->on_credit != NULL)
		lc->ops->on_credit(lc);
	return 0;
}

static int
linkconn_on_error(struct linkconn *lc, struct str body)
{
	struct f_error f;
	int err = get_error(body, &f);

	if (err != 0)
		return err;
	snprintf(lc->why, sizeof lc->why, "the other end says: %.*s",
	    STR_ARG(f.text));
	linkconn_close(lc, f.code == 403 ? ERR_DENIED : ERR_EOF, lc->why, 0);
	return 0;
}

/* frames of the owner, and what they cost */
static int
linkconn_on_other(
    struct linkconn *lc, uint8_t type, uint8_t flags, struct str body)
{
	int err;

	conn_net(&lc->conn)->frames++;
	if (type == F_ITEM)
		lc->items_got++;
	err = lc->ops->on_frame(lc, type, flags, body);
	if (err != 0 || lc->down)
		return err;
	lc->used += (uint32_t)(body.len + LINK_FRAME_EXTRA);
	if (lc->used >= LINK_CREDIT / 2) {
		put_credit(linkconn_out(lc), lc->used);
		lc->used = 0;
	}
	return 0;
}

static int
linkconn_on_frame(struct link *l, uint8_t type, uint8_t flags, struct str body)
{
	struct linkconn *lc = l->arg;

	lc->whole_ms = lc->heard_ms;
	switch (type) {
	case F_PING:
		return linkconn_on_ping(lc, body);
	case F_PONG: {
		struct f_ping pong;
		int err = get_ping(body, &pong);

		if (err == 0) {
			lc->rtt_us = clock_mono_us() - pong.t;
			lc->echoed_us = pong.t;
			lc->ponged_ms = lc->heard_ms;
		}
		return err;
	}
	case F_CREDIT:
		return linkconn_on_credit(lc, body);
	case F_ERROR:
		return linkconn_on_error(lc, body);
	default:
		return linkconn_on_other(lc, type, flags, body);
	}
}

static const struct link_ops linkconn_link_ops = {
    .send = linkconn_on_send,
    .on_up = linkconn_on_up,
    .on_frame = linkconn_on_frame,
};

/* ---- from the connection ---------------------------------------------- */

static struct linkconn *
linkconn_of(struct conn *c)
{
	return container_of(c, struct linkconn, conn);
}

static void
linkconn_on_data(struct conn *c, const uint8_t *p, size_t n)
{
	struct linkconn *lc = linkconn_of(c);
	int err;

	if (lc->down || lc->err != 0)
		return;
	lc->heard_ms = clock_mono_ms();
	err = link_feed(&lc->link, p, n);
	if (err != 0)
		linkconn_fail(lc, err);
}

static void
linkconn_on_end(struct conn *c, int err)
{
	struct linkconn *lc = linkconn_of(c);

	if (err != 0)
		snprintf(lc->why, sizeof lc->why, "%s", strerror(err));
	else
		snprintf(lc->why, sizeof lc->why, "closed by the other end%s",
		    lc->up ? "" : " before it was up");
	if (lc->down)
		conn_close(c);
	else
		linkconn_close(lc, err != 0 ? ERR_IO : ERR_EOF, lc->why, 0);
}

static void
linkconn_on_flush(struct conn *c)
{
	struct linkconn *lc = linkconn_of(c);

	if (lc->down)
		return;
	if (!buf_ok(&lc->out) ||
	    conn_queued(&lc->conn) + buf_len(&lc->out) > LINK_OUT_MAX) {
		linkconn_close(lc, ERR_LIMIT, "output over its limit", 0);
		return;
	}
	linkconn_move_out(lc);
}

static void
linkconn_on_dead(struct conn *c)
{
	struct linkconn *lc = linkconn_of(c);

	timer_stop(&lc->timer);
	link_fini(&lc->link);
	buf_fini(&lc->out);
	lc->ops->on_dead(lc);
}

static const struct conn_ops linkconn_conn_ops = {
    .on_data = linkconn_on_data,
    .on_end = linkconn_on_end,
    .on_flush = linkconn_on_flush,
    .on_dead = linkconn_on_dead,
};

/* ---- the beginning ---------------------------------------------------- */

static void
linkconn_init(struct linkconn *lc, const struct linkconn_ops *ops, void *arg)
{
	memset(lc, 0, sizeof *lc);
	lc->ops = ops;
	lc->arg = arg;
	buf_init(&lc->out, LINK_OUT_MAX);
}

/* the connection is there: hello */
static void
linkconn_begin(struct linkconn *lc, bool dialed, struct str rest,
    const struct link_id *self, const uint8_t key[32])
{
	int ms = LINK_SILENCE_MS;

	/* fails on a unix socket, where the kernel loses nothing */
	(void)setsockopt(
	    lc->conn.io.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
	conn_urgent(&lc->conn);
	lc->opened_ms = lc->ticked_ms = lc->heard_ms = clock_mono_ms();
	timer_init(&lc->timer, conn_net(&lc->conn), linkconn_on_tick, lc);
	timer_set(&lc->timer, LINK_TICK_MS, LINK_TICK_MS);
	link_start(&lc->link, self, key, dialed, &linkconn_link_ops, lc);
	if (rest.len > 0)
		linkconn_on_data(&lc->conn, (const uint8_t *)rest.p, rest.len);
}

void
linkconn_open(struct linkconn *lc, struct net *net, int fd, bool dialed,
    const struct link_id *self, const uint8_t key[32],
    const struct linkconn_ops *ops, void *arg)
{
	linkconn_init(lc, ops, arg);
	conn_open(&lc->conn, net, fd, &linkconn_conn_ops);
	linkconn_begin(lc, dialed, STR_NONE, self, key);
}

void
linkconn_take(struct linkconn *lc, struct httpd_conn *from, struct str rest,
    const struct link_id *self, const uint8_t key[32],
    const struct linkconn_ops *ops, void *arg)
{
	linkconn_init(lc, ops, arg);
	httpd_take(from, &lc->conn, &linkconn_conn_ops);
	linkconn_begin(lc, false, rest, self, key);
}

void
linkconn_adopt(struct linkconn *lc, struct conn *from, struct str rest,
    bool dialed, const struct link_id *self, const uint8_t key[32],
    const struct linkconn_ops *ops, void *arg)
{
	linkconn_init(lc, ops, arg);
	conn_move(&lc->conn, from, &linkconn_conn_ops);
	linkconn_begin(lc, dialed, rest, self, key);
}
