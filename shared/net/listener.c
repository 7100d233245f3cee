/* SPDX-License-Identifier: MIT */
/*
 * Listening sockets: bind, accept a bounded number per turn, and survive
 * running out of descriptors without spinning: the waiting connection is taken
 * with the spare descriptor and closed, then accepting rests.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "shared/net/listener.h"
#include "shared/proc/log.h"

enum { LISTENER_BACKLOG = 4096, LISTENER_BUDGET = 64 };

static const double listener_rest_s = 0.1;

static void
listener_spare(struct net *net)
{
	if (net->spare_fd < 0)
		net->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* out of descriptors or memory: refuse one connection, then rest */
static void
listener_refuse(struct listener *l)
{
	static struct log_limit limit;
	struct net *net = l->net;
	int err = errno, fd;

	log_limited(&limit, LOG_LEVEL_WARN, "cannot accept: %s", strerror(err));
	if (net->spare_fd >= 0 && err == EMFILE) {
		close(net->spare_fd);
		net->spare_fd = -1;
		fd =
		    accept4(l->io.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			close(fd);
		listener_spare(net);
	}
	l->refused++;
	ev_io_stop(net->loop, &l->io);
	ev_timer_set(&l->rest, listener_rest_s, 0.);
	ev_timer_start(net->loop, &l->rest);
}

static void
listener_on_rest(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct listener *l = container_of(w, struct listener, rest);

	(void)revents;
	listener_spare(l->net);
	ev_io_start(loop, &l->io);
}

static void
listener_accept(struct listener *l, unsigned budget)
{
	struct addr peer;
	unsigned i;
	int fd;

	/* on_accept may close the listener */
	for (i = 0; i < budget && ev_is_active(&l->io); i++) {
		memset(&peer, 0, sizeof(peer));
		peer.len = sizeof(peer.ss);
		fd = accept4(l->io.fd, (struct sockaddr *)&peer.ss, &peer.len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			l->accepted++;
			l->on_accept(l, fd, &peer);
			continue;
		}
		switch (errno) {
		case EMFILE:
		case ENFILE:
		case ENOBUFS:
		case ENOMEM:
			listener_refuse(l);
			return;
		case EAGAIN:
			return;
		default:
			/* the fault of that connection: ECONNABORTED ... */
			break;
		}
	}
}

static void
listener_on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct listener *l = container_of(w, struct listener, io);

	(void)loop;
	(void)revents;
	listener_accept(l, l->budget);
}

/* a socket file whose owner is gone does not keep the address */
static bool
listener_is_stale(const struct addr *a)
{
	bool stale;
	int fd;

	if (a->ss.ss_family != AF_UNIX)
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)&a->ss, a->len) != 0 &&
		errno == ECONNREFUSED;
	close(fd);
	if (stale)
		stale =
		    unlink(((const struct sockaddr_un *)&a->ss)->sun_path) == 0;
	return stale;
}

static int
listener_bind(int fd, const struct addr *a)
{
	int r = bind(fd, (const struct sockaddr *)&a->ss, a->len);

	if (r != 0 && errno == EADDRINUSE) {
		if (listener_is_stale(a))
			r = bind(fd, (const struct sockaddr *)&a->ss, a->len);
		else
			errno = EADDRINUSE;
	}
	return r == 0 ? listen(fd, LISTENER_BACKLOG) : r;
}

static int
listener_error(int err)
{
	switch (err) {
	case EADDRINUSE:
		return ERR_INUSE;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_DENIED;
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
	case ENOENT:
	case ENOTDIR:
		return ERR_INVALID;
	default:
		return ERR_IO;
	}
}

int
listener_open(struct listener *l, struct net *net, struct str address,
    bool reuseport,
    void (*on_accept)(struct listener *, int, const struct addr *), void *arg)
{
	int fd, err, one = 1;

	memset(l, 0, sizeof(*l));
	l->net = net;
	l->budget = LISTENER_BUDGET;
	l->on_accept = on_accept;
	l->arg = arg;
	ev_timer_init(&l->rest, listener_on_rest, 0., 0.);
	err = addr_parse(address, &l->addr);
	if (err != 0)
		return err;
	fd = socket(l->addr.ss.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return listener_error(errno);
	if (l->addr.ss.ss_family != AF_UNIX) {
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (reuseport)
			(void)setsockopt(
			    fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
		/* once for all that are accepted */
		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	}
	if (listener_bind(fd, &l->addr) != 0) {
		err = listener_error(errno);
		close(fd);
		return err;
	}
	if (l->addr.ss.ss_family != AF_UNIX) {
		l->addr.len = sizeof(l->addr.ss);
		if (getsockname(fd, (struct sockaddr *)&l->addr.ss,
			&l->addr.len) != 0) {
			close(fd);
			return ERR_IO;
		}
	}
	ev_io_init(&l->io, listener_on_readable, fd, EV_READ);
	ev_io_start(net->loop, &l->io);
	return 0;
}

void
listener_open_or_die(struct listener *l, struct net *net, const char *address,
    bool reuseport, const char *what,
    void (*on_accept)(struct listener *, int, const struct addr *), void *arg)
{
	int err =
	    listener_open(l, net, str_of(address), reuseport, on_accept, arg);

	switch (err) {
	case 0:
		listener_announce(l, what);
		return;
	case ERR_INUSE:
		fatal(EXIT_ADDR_IN_USE,
		    "cannot listen on %s (%s): address in use", address, what);
	case ERR_INVALID:
		fatal(EXIT_USAGE,
		    "cannot listen on %s (%s): no such address here", address,
		    what);
	default:
		fatal(EXIT_FAILED, "cannot listen on %s (%s): %s", address,
		    what, err_text(err));
	}
}

void
listener_announce(const struct listener *l, const char *what)
{
	char text[ADDR_TEXT_MAX];

	addr_text(&l->addr, text);
	log_info("listening on %s (%s)", text, what);
}

void
listener_close(struct listener *l)
{
	/* never opened, or closed before */
	if (l->net == NULL || l->io.cb == NULL)
		return;
	ev_io_stop(l->net->loop, &l->io);
	ev_timer_stop(l->net->loop, &l->rest);
	close(l->io.fd);
	l->io.cb = NULL;
	if (l->addr.ss.ss_family == AF_UNIX)
		(void)unlink(
		    ((const struct sockaddr_un *)&l->addr.ss)->sun_path);
}

void
listener_finish(struct listener *l)
{
	if (l->net != NULL && l->io.cb != NULL)
		listener_accept(l, 2 * LISTENER_BACKLOG);
	listener_close(l);
}

int
listener_reopen(struct listener *l, bool reuseport)
{
	unsigned budget = l->budget;
	uint64_t accepted = l->accepted, refused = l->refused;
	char text[ADDR_TEXT_MAX];
	int err;

	addr_text(&l->addr, text);
	err = listener_open(
	    l, l->net, str_of(text), reuseport, l->on_accept, l->arg);
	l->budget = budget;
	l->accepted += accepted;
	l->refused += refused;
	return err;
}
