/* SPDX-License-Identifier: MIT */
/*
 * A non-blocking byte stream: reading into the net's shared buffer, a queue
 * of blob references out, death in the net's turn. It knows no formats and no
 * limits: bounding the queue is the owner's business (conn_queued).
 *
 *	conn_send -> queue, dirty -> [turn] conn_flush -> sendmsg
 *	             all taken: at rest; else blocked: EV_WRITE armed, and a
 *	             writable socket makes the connection dirty again
 */
#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shared/net/conn_priv.h"
#include "shared/proc/clock.h"

enum { CONN_IOV_MAX = 64, CONN_SEND = MSG_NOSIGNAL | MSG_DONTWAIT };

static const double conn_linger_s = 3.;
static const int64_t conn_linger_max_ms = 120000;

/* Between conn_finish and the end; instead of the ops, which it keeps. */
struct conn_linger {
	ev_timer timer;
	struct conn *c;
	const struct conn_ops *ops;
	int64_t since_ms;
	uint32_t queued; /* at the last look */
};

static void conn_on_io(struct ev_loop *loop, ev_io *w, int revents);

/* ---- events ----------------------------------------------------------- */

/* arms the watcher for what the flags ask for */
static void
conn_arm(struct conn *c)
{
	struct ev_loop *loop = conn_net(c)->loop;
	int want = 0;

	if (c->io.fd < 0)
		return;
	if (!c->closed && !c->ended && (!c->paused || c->finishing))
		want |= EV_READ;
	if (!c->closed && c->blocked)
		want |= EV_WRITE;
	if (ev_is_active(&c->io) ? (c->io.events & (EV_READ | EV_WRITE)) == want
				 : want == 0)
		return;
	ev_io_stop(loop, &c->io);
	if (want != 0) {
		ev_io_modify(&c->io, want);
		ev_io_start(loop, &c->io);
	}
}

static void
conn_mark_dirty(struct conn *c)
{
	if (c->dirty)
		return;
	c->dirty = 1;
	c->next = conn_net(c)->dirty;
	conn_net(c)->dirty = c;
}

static void
conn_unmark_dirty(struct conn *c)
{
	struct conn **p;

	if (!c->dirty)
		return;
	for (p = &conn_net(c)->dirty; *p != c; p = &(*p)->next)
		;
	*p = c->next;
	c->dirty = 0;
}

static void
conn_inter(struct conn *c)
{
	c->next = conn_net(c)->dead;
	conn_net(c)->dead = c;
}

/* reading or writing failed: nothing will ever go through again */
static void
conn_fail(struct conn *c, int err)
{
	c->ended = 1;
	c->blocked = 0;
	conn_arm(c);
	if (!c->finishing)
		c->ops->on_end(c, err);
	conn_close(c);
}

static void
conn_on_readable(struct conn *c)
{
	struct net *net = conn_net(c);
	ssize_t n;

	n = recv(c->io.fd, net->recv, sizeof(net->recv), MSG_DONTWAIT);
	if (n > 0) {
		net->bytes_in += (uint64_t)n;
		if (!c->finishing)
			c->ops->on_data(c, net->recv, (size_t)n);
	} else if (n == 0) {
		c->ended = 1;
		conn_arm(c);
		if (!c->finishing)
			c->ops->on_end(c, 0);
		else if (c->out == NULL)
			conn_close(c);
	} else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
		conn_fail(c, errno);
	}
}

/*
 * No time for this one in this turn. The socket stays readable, so that the
 * next turn hears of it again.
 */
static bool
conn_pass_over(struct conn *c)
{
	struct net_lane *l = &conn_net(c)->lane[c->settled];

	if (c->urgent)
		return false;
	if (!net_lane_take(l, c->round)) {
		conn_net(c)->passed++;
		return true;
	}
	c->round = l->round % NET_ROUNDS;
	return false;
}

static void
conn_on_io(struct ev_loop *loop, ev_io *w, int revents)
{
	struct conn *c = container_of(w, struct conn, io);

	(void)loop;
	if (revents & EV_ERROR) {
		conn_fail(c, EBADF);
		return;
	}
	if (revents & EV_WRITE)
		conn_mark_dirty(c);
	if ((revents & EV_READ) && !conn_pass_over(c))
		conn_on_readable(c);
}

/* ---- writing ---------------------------------------------------------- */

/* what is behind the last queued byte of a finishing connection */
static void
conn_flushed_finish(struct conn *c)
{
	struct conn_linger *l = c->linger;

	if (c->ended || shutdown(c->io.fd, SHUT_WR) != 0) {
		conn_close(c);
		return;
	}
	ev_timer_stop(conn_net(c)->loop, &l->timer);
	ev_timer_set(&l->timer, conn_linger_s, 0.);
	ev_timer_start(conn_net(c)->loop, &l->timer);
}

/* nobody's socket: the owner has taken what he can now */
static void
conn_flush_queue(struct conn *c, bool was_blocked)
{
	c->blocked = c->out != NULL;
	if (c->blocked && !was_blocked)
		c->out->progress_s = (uint32_t)(clock_mono_ms() / 1000);
	else if (was_blocked && !c->blocked && c->ops->on_drain != NULL)
		c->ops->on_drain(c);
}

void
conn_flush(struct conn *c)
{
	struct iovec iov[CONN_IOV_MAX];
	struct msghdr msg = {.msg_iov = iov};
	struct conn_queue *q;
	bool was_blocked = c->blocked, progress = false;
	size_t total;
	uint32_t i;
	ssize_t n;

	if (c->closed) {
		conn_inter(c);
		return;
	}
	if (!c->finishing && c->ops->on_flush != NULL) {
		bool dirty;

		c->ops->on_flush(c);
		dirty = c->dirty;
		conn_unmark_dirty(c); /* its conn_send is served right here */
		if (c->closed) {
			if (dirty)
				conn_inter(c);
			return;
		}
		if (c->io.fd < 0) {
			conn_flush_queue(c, was_blocked);
			return;
		}
	}
	c->blocked = 0;
	while ((q = c->out) != NULL) {
		msg.msg_iovlen = q->n < CONN_IOV_MAX ? q->n : CONN_IOV_MAX;
		total = 0;
		for (i = 0; i < msg.msg_iovlen; i++) {
			struct blob *b = q->item[q->head + i];
			size_t off = i == 0 ? q->off : 0;

			iov[i].iov_base = b->bytes + off;
			iov[i].iov_len = b->len - off;
			total += iov[i].iov_len;
		}
		n = msg.msg_iovlen == 1
			? send(c->io.fd, iov[0].iov_base, total, CONN_SEND)
			: sendmsg(c->io.fd, &msg, CONN_SEND);
		conn_net(c)->writes++;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
			conn_net(c)->send_fails++;
			conn_fail(c, errno);
			return;
		}
		if (n > 0) {
			conn_net(c)->bytes_out += (uint64_t)n;
			progress = true;
			conn_queue_taken(c, (size_t)n);
		}
		if (n < 0 || (size_t)n < total) {
			c->blocked = 1;
			break;
		}
	}
	if (c->blocked) {
		if (progress || !was_blocked)
			c->out->progress_s = (uint32_t)(clock_mono_ms() / 1000);
		if (!was_blocked)
			conn_arm(c);
		return;
	}
	if (was_blocked)
		conn_arm(c);
	if (c->finishing)
		conn_flushed_finish(c);
	else if (was_blocked && c->ops->on_drain != NULL)
		c->ops->on_drain(c);
}

bool
conn_send(struct conn *c, struct blob *b)
{
	if (c->closed || c->finishing)
		return false;
	if (b->len == 0)
		return true;
	conn_queue_push(c, b);
	/* a blocked one waits for EV_WRITE: trying now would only give EAGAIN
	 */
	if (!c->blocked)
		conn_mark_dirty(c);
	return true;
}

void
conn_wake(struct conn *c)
{
	if (!c->closed && !c->finishing && !c->blocked)
		conn_mark_dirty(c);
}

bool
conn_send_bytes(struct conn *c, const void *p, size_t n)
{
	struct blob *b;
	bool ok;

	if (c->closed || c->finishing)
		return false;
	b = blob_new(p, n);
	ok = conn_send(c, b);
	blob_unref(b);
	return ok;
}

bool
conn_is_taken(const struct conn *c)
{
	int unacked = 0;

	/* what is no socket has nobody to ask: what it took, it has */
	return c->out == NULL &&
	       (ioctl(c->io.fd, SIOCOUTQ, &unacked) != 0 || unacked == 0);
}

/* ---- life ------------------------------------------------------------- */

void
conn_open(struct conn *c, struct net *net, int fd, const struct conn_ops *ops)
{
	memset(c, 0, sizeof(*c));
	c->ops = ops;
	ev_io_init(&c->io, conn_on_io, fd, EV_READ);
	c->io.data = net;
	ev_io_start(net->loop, &c->io);
	net->n_conns++;
}

void
conn_open_queue(struct conn *c, struct net *net, const struct conn_ops *ops)
{
	memset(c, 0, sizeof(*c));
	c->ops = ops;
	ev_io_init(&c->io, conn_on_io, -1, 0);
	c->io.data = net;
	net->n_conns++;
}

struct str
conn_peek(const struct conn *c)
{
	const struct conn_queue *q = c->out;

	if (q == NULL)
		return STR_NONE;
	return str_n(
	    q->item[q->head]->bytes + q->off, q->item[q->head]->len - q->off);
}

void
conn_take(struct conn *c, size_t n)
{
	conn_queue_taken(c, n);
	if (c->out != NULL)
		c->out->progress_s = (uint32_t)(clock_mono_ms() / 1000);
	else if (c->blocked)
		conn_mark_dirty(c); /* on_drain comes in its turn */
}

static int
conn_priority(const struct conn *c)
{
	return c->urgent ? EV_MAXPRI : c->settled ? EV_MAXPRI - 1 : 0;
}

static void
conn_prefer(struct conn *c)
{
	int active = ev_is_active(&c->io);

	if (active)
		ev_io_stop(conn_net(c)->loop, &c->io);
	ev_set_priority(&c->io, conn_priority(c));
	if (active)
		ev_io_start(conn_net(c)->loop, &c->io);
}

void
conn_urgent(struct conn *c)
{
	c->urgent = 1;
	conn_prefer(c);
}

void
conn_settle(struct conn *c)
{
	if (c->settled || c->closed)
		return;
	c->settled = 1;
	c->round = conn_net(c)->lane[1].round % NET_ROUNDS;
	conn_prefer(c);
}

void
conn_move(struct conn *dst, struct conn *src, const struct conn_ops *ops)
{
	struct net *net = conn_net(src);
	struct conn **p;
	bool dirty = src->dirty;

	conn_unmark_dirty(src);
	ev_io_stop(net->loop, &src->io);
	*dst = *src;
	if (dst->finishing && !dst->closed) {
		dst->linger->c = dst;
		dst->linger->ops = ops;
	} else {
		dst->ops = ops;
	}
	/* the watcher was copied and is stopped: the kernel knows it as it is,
	 * and an ev_io_init() would only tell it once more */
	if (dst->closed) {
		/* it died in the same turn: dst is what the graveyard buries */
		for (p = &net->dead; *p != NULL; p = &(*p)->next) {
			if (*p == src) {
				*p = dst;
				break;
			}
		}
	}
	if (dirty)
		conn_mark_dirty(dst);
	conn_arm(dst);

	src->io.fd = -1;
	src->out = NULL;
	src->closed = 1; /* whatever is still said to it goes nowhere */
}

static void
conn_on_linger(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct conn_linger *l = container_of(w, struct conn_linger, timer);
	struct conn *c = l->c;

	(void)revents;
	if (c->out == NULL || conn_queued(c) == l->queued ||
	    clock_mono_ms() - l->since_ms > conn_linger_max_ms) {
		conn_close(c);
		return;
	}
	l->queued = conn_queued(c);
	ev_timer_set(w, conn_linger_s, 0.);
	ev_timer_start(loop, w);
}

void
conn_finish(struct conn *c)
{
	struct conn_linger *l;

	if (c->closed || c->finishing)
		return;
	if (c->io.fd < 0) {
		conn_close(c);
		return;
	}
	c->finishing = 1;
	l = xcalloc(1, sizeof(*l));
	l->c = c;
	l->ops = c->ops;
	l->queued = conn_queued(c);
	l->since_ms = clock_mono_ms();
	c->linger = l;
	ev_timer_init(&l->timer, conn_on_linger, conn_linger_s, 0.);
	ev_timer_start(conn_net(c)->loop, &l->timer);
	conn_arm(c);
	if (!c->blocked)
		conn_mark_dirty(c);
}

void
conn_close(struct conn *c)
{
	struct conn_linger *l;

	if (c->closed)
		return;
	c->closed = 1;
	ev_io_stop(conn_net(c)->loop, &c->io);
	if (c->finishing) {
		l = c->linger;
		c->ops = l->ops;
		ev_timer_stop(conn_net(c)->loop, &l->timer);
		free(l);
	}
	conn_queue_drop_all(c);
	/* a dirty one dies when its turn to be written comes */
	if (!c->dirty)
		conn_inter(c);
}

void
conn_bury(struct conn *c)
{
	if (c->io.fd >= 0)
		close(c->io.fd);
	c->io.fd = -1;
	conn_net(c)->n_conns--;
	c->ops->on_dead(c);
}

void
conn_pause(struct conn *c)
{
	c->paused = 1;
	if (!c->closed)
		conn_arm(c);
}

void
conn_resume(struct conn *c)
{
	c->paused = 0;
	if (!c->closed)
		conn_arm(c);
}
