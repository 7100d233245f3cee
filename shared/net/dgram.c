/* SPDX-License-Identifier: MIT */
/*
 * Datagrams in, many at a time and never too many; see dgram.h. It knows no
 * format and no rights.
 */
#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/net/dgram.h"
#include "shared/proc/log.h"

struct dgram_room {
	struct mmsghdr msg[DGRAM_BUDGET];
	struct iovec iov[DGRAM_BUDGET];
	struct addr from[DGRAM_BUDGET];
	uint8_t bytes[];
};

/* one byte more than may come, to see that it was too many */
static struct dgram_room *
dgram_room_new(size_t size_max)
{
	struct dgram_room *r;
	size_t i, size = size_max + 1;

	r = xcalloc(1, sizeof *r + DGRAM_BUDGET * size);
	for (i = 0; i < DGRAM_BUDGET; i++) {
		r->iov[i].iov_base = r->bytes + i * size;
		r->iov[i].iov_len = size;
		r->msg[i].msg_hdr.msg_iov = &r->iov[i];
		r->msg[i].msg_hdr.msg_iovlen = 1;
		r->msg[i].msg_hdr.msg_name = &r->from[i].ss;
	}
	return r;
}

static void
dgram_give(struct dgram *d, unsigned i)
{
	struct dgram_room *r = d->room;
	size_t n = r->msg[i].msg_len;

	d->received++;
	if (n > d->size_max)
		d->cut++;
	r->from[i].len = r->msg[i].msg_hdr.msg_namelen;
	d->on_datagram(d, str_n(r->iov[i].iov_base, n), &r->from[i]);
}

static void
dgram_on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct dgram *d = container_of(w, struct dgram, io);
	struct dgram_room *r = d->room;
	int i, n;

	(void)revents;
	for (i = 0; i < DGRAM_BUDGET; i++)
		r->msg[i].msg_hdr.msg_namelen = sizeof r->from[i].ss;
	n = recvmmsg(w->fd, r->msg, DGRAM_BUDGET, MSG_DONTWAIT, NULL);
	for (i = 0; i < n; i++)
		dgram_give(d, (unsigned)i);
	if (n < DGRAM_BUDGET || d->paused)
		return;
	ev_io_stop(loop, &d->io);
	ev_timer_set(&d->rest, d->rest_ms / 1000., 0.);
	ev_timer_start(loop, &d->rest);
}

static void
dgram_on_rest(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct dgram *d = container_of(w, struct dgram, rest);

	(void)revents;
	ev_io_start(loop, &d->io);
}

static int
dgram_error(int err)
{
	switch (err) {
	case EADDRINUSE:
		return ERR_INUSE;
	case EACCES:
	case EPERM:
		return ERR_DENIED;
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return ERR_INVALID;
	default:
		return ERR_IO;
	}
}

static int
dgram_bind(int fd, struct addr *a)
{
	int one = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
	if (bind(fd, (const struct sockaddr *)&a->ss, a->len) != 0)
		return dgram_error(errno);
	a->len = sizeof a->ss;
	if (getsockname(fd, (struct sockaddr *)&a->ss, &a->len) != 0)
		return ERR_IO;
	return 0;
}

int
dgram_open(struct dgram *d, struct net *net, struct str address,
    size_t size_max,
    void (*on_datagram)(struct dgram *, struct str, const struct addr *))
{
	int fd, err;

	memset(d, 0, sizeof *d);
	err = addr_parse(address, &d->addr);
	if (err == 0 && d->addr.ss.ss_family == AF_UNIX)
		err = ERR_INVALID;
	if (err != 0)
		return err;
	fd = socket(
	    d->addr.ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return dgram_error(errno);
	err = dgram_bind(fd, &d->addr);
	if (err != 0) {
		close(fd);
		return err;
	}
	d->net = net;
	d->rest_ms = DGRAM_REST_MS;
	d->size_max = size_max < DGRAM_SIZE_MAX ? size_max : DGRAM_SIZE_MAX;
	d->on_datagram = on_datagram;
	d->room = dgram_room_new(d->size_max);
	ev_timer_init(&d->rest, dgram_on_rest, 0., 0.);
	ev_io_init(&d->io, dgram_on_readable, fd, EV_READ);
	ev_set_priority(&d->io, EV_MINPRI);
	ev_io_start(net->loop, &d->io);
	return 0;
}

void
dgram_open_or_die(struct dgram *d, struct net *net, const char *address,
    const char *what, size_t size_max,
    void (*on_datagram)(struct dgram *, struct str, const struct addr *))
{
	int err = dgram_open(d, net, str_of(address), size_max, on_datagram);
	char text[ADDR_TEXT_MAX];

	if (err == 0) {
		addr_text(&d->addr, text);
		log_info("listening on %s (%s)", text, what);
		return;
	}
	fatal(err == ERR_INUSE	   ? EXIT_ADDR_IN_USE
	      : err == ERR_INVALID ? EXIT_USAGE
				   : EXIT_FAILED,
	    "cannot listen on %s (%s): %s", address, what, err_text(err));
}

bool
dgram_send(struct dgram *d, struct str bytes, const struct addr *to)
{
	bool ok =
	    sendto(d->io.fd, bytes.p, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL,
		(const struct sockaddr *)&to->ss,
		to->len) == (ssize_t)bytes.len;

	if (ok)
		d->sent++;
	else
		d->unsent++;
	return ok;
}

void
dgram_pause(struct dgram *d)
{
	if (d->paused)
		return;
	d->paused = true;
	ev_io_stop(d->net->loop, &d->io);
	ev_timer_stop(d->net->loop, &d->rest);
}

void
dgram_resume(struct dgram *d)
{
	if (!d->paused)
		return;
	d->paused = false;
	ev_io_start(d->net->loop, &d->io);
}

uint64_t
dgram_dropped(const struct dgram *d)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof info;

	if (d->net == NULL ||
	    getsockopt(d->io.fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0)
		return 0;
	return info[SK_MEMINFO_DROPS];
}

void
dgram_close(struct dgram *d)
{
	if (d->net == NULL)
		return;
	ev_io_stop(d->net->loop, &d->io);
	ev_timer_stop(d->net->loop, &d->rest);
	close(d->io.fd);
	free(d->room);
	d->room = NULL;
	d->net = NULL;
}
