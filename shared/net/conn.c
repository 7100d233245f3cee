/* SPDX-License-Identifier: MIT */
/*
 * A non-blocking byte stream: reading into the net's shared buffer, a queue
 * of blob references out, death in the net's turn. It knows no formats and no
 * limits: bounding the queue is the owner's business (conn.queued).
 *
 *	conn_send -> queue, dirty -> [turn] conn_flush -> sendmsg
 *	             all taken: at rest; else blocked: EV_WRITE armed, and a
 *	             writable socket makes the connection dirty again
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shared/net/conn.h"
#include "shared/proc/clock.h"

enum {
	CONN_IOV_MAX = 64,
	CONN_QUEUE_FIRST = 8,	/* entries of a fresh queue */
	CONN_QUEUES_KEPT = 1024 /* spare ones of that size */
};

static const double conn_linger_s = 3.;
static const int64_t conn_linger_max_ms = 120000;

/* Entries item[head] .. item[head+n-1]; `off` bytes of the first are sent. */
struct conn_queue {
	struct conn_queue *next_free;
	uint32_t head, n, cap, off;
	struct blob *item[]; /* one reference each */
};

/* Between conn_finish and the end; hangs at io.data, so that others pay
 * nothing. */
struct conn_linger {
	ev_timer timer;
	struct conn *c;
	int64_t since_ms;
	uint32_t queued; /* at the last look */
};

static void conn_on_io(struct ev_loop *loop, ev_io *w, int revents);

/* ---- the queue -------------------------------------------------------- */

static struct conn_queue *
conn_queue_new(struct net *net)
{
	struct conn_queue *q = net->free_queues;

	if (q != NULL) {
		net->free_queues = q->next_free;
		net->n_free_queues--;
	} else {
		q = xmalloc(sizeof(*q) + CONN_QUEUE_FIRST * sizeof(q->item[0]));
		q->cap = CONN_QUEUE_FIRST;
	}
	q->next_free = NULL;
	q->head = q->n = q->off = 0;
	return q;
}

static void
conn_queue_free(struct net *net, struct conn_queue *q)
{
	if (q->cap != CONN_QUEUE_FIRST ||
	    net->n_free_queues >= CONN_QUEUES_KEPT) {
		free(q);
		return;
	}
	q->next_free = net->free_queues;
	net->free_queues = q;
	net->n_free_queues++;
}

void
conn_free_queues(struct net *net)
{
	struct conn_queue *q;

	while ((q = net->free_queues) != NULL) {
		net->free_queues = q->next_free;
		free(q);
	}
	net->n_free_queues = 0;
}

static void
conn_queue_push(struct conn *c, struct blob *b)
{
	struct conn_queue *q = c->out;

	if (q == NULL)
		q = c->out = conn_queue_new(c->net);
	if (q->head + q->n == q->cap) {
		if (q->head >= q->cap / 2) {
			memmove(q->item, q->item + q->head,
			    q->n * sizeof(q->item[0]));
			q->head = 0;
		} else {
			q->cap *= 2;
			q = c->out = xrealloc(
			    q, sizeof(*q) + q->cap * sizeof(q->item[0]));
		}
	}
	q->item[q->head + q->n++] = blob_ref(b);
	c->queued += b->len;
	c->net->queued += b->len;
}

static void
conn_queue_drop_all(struct conn *c)
{
	struct conn_queue *q = c->out;

	if (q == NULL)
		return;
	while (q->n > 0) {
		blob_unref(q->item[q->head++]);
		q->n--;
	}
	conn_queue_free(c->net, q);
	c->out = NULL;
	c->net->queued -= c->queued;
	c->queued = 0;
}

/* the kernel took n bytes */
static void
conn_queue_taken(struct conn *c, size_t n)
{
	struct conn_queue *q = c->out;
	size_t rest;

	c->queued -= (uint32_t)n;
	c->net->queued -= n;
	while (n > 0) {
		rest = q->item[q->head]->len - q->off;
		if (n < rest) {
			q->off += (uint32_t)n;
			return;
		}
		n -= rest;
		q->off = 0;
		blob_unref(q->item[q->head++]);
		q->n--;
	}
	if (q->n == 0) {
		conn_queue_free(c->net, q);
		c->out = NULL;
	}
}

/* ---- events ----------------------------------------------------------- */

/* arms the watcher for what the flags ask for */
static void
conn_arm(struct conn *c)
{
	struct ev_loop *loop = c->net->loop;
	int want = 0;

	if (!c->closed && !c->ended && (!c->paused || c->finishing))
		want |= EV_READ;
	if (!c->closed && c->blocked)
		want |= EV_WRITE;
	if (ev_is_active(&c->io) ? (c->io.events & (EV_READ | EV_WRITE)) == want
				 : want == 0)
		return;
	ev_io_stop(loop, &c->io);
	if (want != 0) {
		ev_io_set(&c->io, c->io.fd, want);
		ev_io_start(loop, &c->io);
	}
}

static void
conn_mark_dirty(struct conn *c)
{
	if (c->dirty)
		return;
	c->dirty = 1;
	c->next_dirty = c->net->dirty;
	c->net->dirty = c;
}

static void
conn_unmark_dirty(struct conn *c)
{
	struct conn **p;

	if (!c->dirty)
		return;
	for (p = &c->net->dirty; *p != c; p = &(*p)->next_dirty)
		;
	*p = c->next_dirty;
	c->dirty = 0;
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
	struct net *net = c->net;
	ssize_t n;

	n = recv(c->io.fd, net->recv, sizeof(net->recv), 0);
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

/* has its lane had its time in this turn? */
static bool
conn_is_late(struct net_lane *l)
{
	int64_t now = clock_mono_us();

	if (l->reads == 0)
		l->since_us = now;
	else if (now - l->since_us >= NET_TURN_US)
		l->late = true;
	return l->late;
}

/*
 * No time for this one in this turn. The socket stays readable, so that the
 * next turn hears of it again.
 */
static bool
conn_pass_over(struct conn *c)
{
	struct net_lane *l = &c->net->lane[c->settled];

	if (c->urgent)
		return false;
	if ((l->crowded && c->round == l->round) || l->late ||
	    conn_is_late(l)) {
		l->passed++;
		c->net->passed++;
		return true;
	}
	c->round = l->round % NET_ROUNDS;
	l->reads++;
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
	struct conn_linger *l = c->io.data;

	if (c->ended || shutdown(c->io.fd, SHUT_WR) != 0) {
		conn_close(c);
		return;
	}
	ev_timer_stop(c->net->loop, &l->timer);
	ev_timer_set(&l->timer, conn_linger_s, 0.);
	ev_timer_start(c->net->loop, &l->timer);
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

	if (c->closed)
		return;
	if (c->ops->on_flush != NULL && !c->finishing) {
		c->ops->on_flush(c);
		conn_unmark_dirty(c); /* its conn_send is served right here */
		if (c->closed)
			return;
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
			? send(c->io.fd, iov[0].iov_base, total, MSG_NOSIGNAL)
			: sendmsg(c->io.fd, &msg, MSG_NOSIGNAL);
		c->net->writes++;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
			conn_fail(c, errno);
			return;
		}
		if (n > 0) {
			c->net->bytes_out += (uint64_t)n;
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
			c->progress_s = (uint32_t)(clock_mono_ms() / 1000);
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
	return c->queued == 0 &&
	       (ioctl(c->io.fd, SIOCOUTQ, &unacked) != 0 || unacked == 0);
}

size_t
conn_drop_queue(struct conn *c)
{
	struct conn_queue *q = c->out;
	uint32_t keep;
	size_t dropped = 0;

	if (q == NULL)
		return 0;
	keep = q->off > 0 ? 1 : 0;
	while (q->n > keep) {
		struct blob *b = q->item[q->head + --q->n];

		dropped += b->len;
		blob_unref(b);
	}
	c->queued -= (uint32_t)dropped;
	c->net->queued -= dropped;
	/* blocked stays as it is: on_drain then says that the kernel has room
	 */
	if (q->n == 0) {
		conn_queue_free(c->net, q);
		c->out = NULL;
	}
	return dropped;
}

/* ---- life ------------------------------------------------------------- */

void
conn_open(struct conn *c, struct net *net, int fd, const struct conn_ops *ops)
{
	int flags = fcntl(fd, F_GETFL), one = 1;

	if (flags >= 0 && !(flags & O_NONBLOCK))
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	/* fails on a unix socket, where it is not needed */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

	memset(c, 0, sizeof(*c));
	c->net = net;
	c->ops = ops;
	ev_io_init(&c->io, conn_on_io, fd, EV_READ);
	ev_io_start(net->loop, &c->io);
	net->n_conns++;
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
		ev_io_stop(c->net->loop, &c->io);
	ev_set_priority(&c->io, conn_priority(c));
	if (active)
		ev_io_start(c->net->loop, &c->io);
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
	c->round = c->net->lane[1].round % NET_ROUNDS;
	conn_prefer(c);
}

void
conn_move(struct conn *dst, struct conn *src, const struct conn_ops *ops)
{
	struct net *net = src->net;
	struct conn_linger *l = src->io.data;
	struct conn **p;
	bool dirty = src->dirty;

	conn_unmark_dirty(src);
	ev_io_stop(net->loop, &src->io);
	*dst = *src;
	dst->ops = ops;
	ev_io_init(&dst->io, conn_on_io, src->io.fd, 0);
	dst->io.data = l;
	ev_set_priority(&dst->io, conn_priority(dst));
	if (l != NULL)
		l->c = dst;
	if (dst->closed) {
		/* it died in the same turn: dst is what the graveyard buries */
		for (p = &net->dead; *p != NULL; p = &(*p)->next_dead) {
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
	src->io.data = NULL;
	src->out = NULL;
	src->queued = 0;
	src->closed = 1; /* whatever is still said to it goes nowhere */
}

static void
conn_on_linger(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct conn_linger *l = container_of(w, struct conn_linger, timer);
	struct conn *c = l->c;

	(void)revents;
	if (c->out == NULL || c->queued == l->queued ||
	    clock_mono_ms() - l->since_ms > conn_linger_max_ms) {
		conn_close(c);
		return;
	}
	l->queued = c->queued;
	ev_timer_set(w, conn_linger_s, 0.);
	ev_timer_start(loop, w);
}

void
conn_finish(struct conn *c)
{
	struct conn_linger *l;

	if (c->closed || c->finishing)
		return;
	c->finishing = 1;
	l = xcalloc(1, sizeof(*l));
	l->c = c;
	l->queued = c->queued;
	l->since_ms = clock_mono_ms();
	c->io.data = l;
	ev_timer_init(&l->timer, conn_on_linger, conn_linger_s, 0.);
	ev_timer_start(c->net->loop, &l->timer);
	conn_arm(c);
	if (!c->blocked)
		conn_mark_dirty(c);
}

void
conn_close(struct conn *c)
{
	struct conn_linger *l = c->io.data;

	if (c->closed)
		return;
	c->closed = 1;
	ev_io_stop(c->net->loop, &c->io);
	if (l != NULL) {
		ev_timer_stop(c->net->loop, &l->timer);
		free(l);
		c->io.data = NULL;
	}
	conn_queue_drop_all(c);
	c->next_dead = c->net->dead;
	c->net->dead = c;
}

void
conn_bury(struct conn *c)
{
	/* closed by another's on_dead after the flush of this round */
	conn_unmark_dirty(c);
	close(c->io.fd);
	c->io.fd = -1;
	c->net->n_conns--;
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
