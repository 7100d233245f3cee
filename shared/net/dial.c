/* SPDX-License-Identifier: MIT */
/*
 * Outgoing connections that come back: connect, give up after 3 s, wait a
 * random while that grows, again. What is spoken on the connection is the
 * owner's business.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/digest.h"
#include "shared/net/dial.h"

enum { DIAL_BASE_MS = 50, DIAL_MAX_MS = 2000 };

static const double dial_connect_s = 3.;

static void dial_try(struct dial *d);

/* the attempt under way, if any, is over */
static void
dial_drop(struct dial *d)
{
	ev_timer_stop(d->net->loop, &d->timer);
	ev_io_stop(d->net->loop, &d->io);
	if (d->io.fd >= 0)
		close(d->io.fd);
	d->io.fd = -1;
}

/* full jitter: random in 0..min(max, base * 2^n) */
static void
dial_wait(struct dial *d)
{
	unsigned shift = d->tries < 16 ? d->tries : 16;
	int64_t cap = (int64_t)d->base_ms << shift;
	double ms;

	if (cap > d->max_ms)
		cap = d->max_ms;
	ms = (double)digest_random_below((uint64_t)cap + 1);
	d->tries++;
	ev_timer_stop(d->net->loop, &d->timer);
	ev_now_update(d->net->loop);
	ev_timer_set(&d->timer, ms / 1000., 0.);
	ev_timer_start(d->net->loop, &d->timer);
}

/*
 * A port nobody listens on may be picked as our own source port: the kernel
 * then connects the socket to itself.
 */
static bool
dial_is_self(int fd)
{
	struct sockaddr_storage a = {0}, b = {0};
	socklen_t na = sizeof(a), nb = sizeof(b);

	return getsockname(fd, (struct sockaddr *)&a, &na) == 0 &&
	       getpeername(fd, (struct sockaddr *)&b, &nb) == 0 && na == nb &&
	       a.ss_family != AF_UNIX && !memcmp(&a, &b, na);
}

static void
dial_connected(struct dial *d)
{
	int fd = d->io.fd, err = 0;
	socklen_t n = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0 || err != 0 ||
	    dial_is_self(fd)) {
		dial_drop(d);
		dial_wait(d);
		return;
	}
	d->io.fd = -1; /* stays open: it is the owner's now */
	ev_timer_stop(d->net->loop, &d->timer);
	d->connected = true;
	d->on_connect(d, fd);
}

static void
dial_on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)revents;
	ev_io_stop(loop, w);
	dial_connected(container_of(w, struct dial, io));
}

static void
dial_on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct dial *d = container_of(w, struct dial, timer);

	(void)loop;
	(void)revents;
	if (d->io.fd >= 0) {
		dial_drop(d); /* connect took too long */
		dial_wait(d);
	} else {
		dial_try(d);
	}
}

static void
dial_try(struct dial *d)
{
	int one = 1, fd = socket(d->addr.ss.ss_family,
			 SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		dial_wait(d);
		return;
	}
	/* fails on a unix socket, where it is not needed */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	/* a unix socket with a full backlog says EAGAIN: later */
	if (connect(fd, (const struct sockaddr *)&d->addr.ss, d->addr.len) !=
		0 &&
	    errno != EINPROGRESS) {
		close(fd);
		dial_wait(d);
		return;
	}
	/* even when connected at once, the owner hears of it from the loop */
	ev_io_set(&d->io, fd, EV_WRITE);
	ev_io_start(d->net->loop, &d->io);
	ev_now_update(d->net->loop);
	ev_timer_set(&d->timer, dial_connect_s, 0.);
	ev_timer_start(d->net->loop, &d->timer);
}

void
dial_start(struct dial *d, struct net *net, const struct addr *to,
    void (*on_connect)(struct dial *, int fd), void *arg)
{
	memset(d, 0, sizeof(*d));
	d->net = net;
	d->addr = *to;
	d->base_ms = DIAL_BASE_MS;
	d->max_ms = DIAL_MAX_MS;
	d->on_connect = on_connect;
	d->arg = arg;
	d->running = true;
	ev_io_init(&d->io, dial_on_writable, -1, EV_WRITE);
	ev_timer_init(&d->timer, dial_on_timer, 0., 0.);
	dial_try(d);
}

void
dial_done(struct dial *d)
{
	if (!d->running || !d->connected)
		return;
	d->connected = false;
	dial_wait(d);
}

void
dial_ok(struct dial *d)
{
	d->tries = 0;
}

void
dial_now(struct dial *d)
{
	if (!d->running || d->connected || d->io.fd >= 0)
		return;
	d->tries = 0;
	ev_timer_stop(d->net->loop, &d->timer);
	dial_try(d);
}

void
dial_stop(struct dial *d)
{
	if (!d->running)
		return;
	d->running = d->connected = false;
	dial_drop(d);
}
