/* SPDX-License-Identifier: MIT */
/*
 * What the machine can do at most: this process holds `members` connections
 * to a child that only reads, and does nothing but send() the same bytes to
 * each in turn, k frames joined in one call. The processor time is this
 * process's own, softirq of the loopback included, as it is for a server.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/err.h"
#include "tests/bench/engine.h"
#include "tests/bench/report.h"
#include "tests/bench/scene.h"

enum { LIMIT_BUF = 1 << 18, LIMIT_SOCKETS = 1000 };

static void
limit_die(const char *what)
{
	fprintf(stderr, "cchat_bench: limit: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* the child: accepts n, then reads until it is ended */
static void
limit_reader(int listener, unsigned n)
{
	struct epoll_event ev[512] = {{.events = EPOLLIN}};
	int ep = epoll_create1(0), i, got;
	char *buf = xmalloc(LIMIT_BUF);

	while (n-- > 0) {
		ev[0] = (struct epoll_event){.events = EPOLLIN};
		ev[0].data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		if (ev[0].data.fd < 0 ||
		    epoll_ctl(ep, EPOLL_CTL_ADD, ev[0].data.fd, &ev[0]) < 0)
			limit_die("accept");
	}
	while ((got = epoll_wait(ep, ev, 512, -1)) >= 0 || errno == EINTR)
		for (i = 0; i < got; i++)
			if (recv(ev[i].data.fd, buf, LIMIT_BUF, 0) == 0)
				_exit(0);
	_exit(1);
}

static int
limit_listen(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*at = (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (struct sockaddr *)at, len) < 0 ||
	    listen(fd, 4096) < 0 ||
	    getsockname(fd, (struct sockaddr *)at, &len) < 0)
		limit_die("listen");
	return fd;
}

static int *
limit_connect(const struct options *o, const struct sockaddr_in *at)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	int *fd = xcalloc(o->members, sizeof(*fd)), on = 1;
	unsigned i;

	for (i = 0; i < o->members; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM, 0);
		from.sin_addr.s_addr = htonl(0x7f000101U + i / o->per_addr);
		if (fd[i] < 0)
			limit_die("socket");
		setsockopt(fd[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		setsockopt(
		    fd[i], IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
		if (bind(fd[i], (struct sockaddr *)&from, sizeof from) < 0 ||
		    connect(fd[i], (const struct sockaddr *)at, sizeof(*at)) <
			0)
			limit_die("connect");
	}
	return fd;
}

/* one measurement; frames sent */
static uint64_t
limit_send(const struct options *o, const int *fd, const char *p, size_t n,
    unsigned joined, double seconds)
{
	int64_t end = engine_clock_us() + (int64_t)(seconds * 1e6);
	uint64_t frames = 0;
	unsigned i;

	/* a socket whose reader is behind makes the sender wait, as the
	 * window of a client does to a server */
	while (engine_clock_us() < end)
		for (i = 0; i < o->members; i++) {
			if (send(fd[i], p, n, MSG_NOSIGNAL) != (ssize_t)n)
				limit_die("send");
			frames += joined;
		}
	return frames;
}

static void
limit_report(const struct options *o, const struct usage *a,
    const struct usage *b, unsigned joined, size_t frame, uint64_t frames,
    double *one)
{
	double s = (double)(b->at_us - a->at_us) / 1e6;
	double per_cpu = (double)frames / (b->self - a->self);

	report_begin(o);
	report_int("members", o->members, "sockets");
	report_int("joined", joined, "frames in a send");
	report_int("frame", frame, "bytes");
	report_num("deliveries_per_s", (double)frames / s, "");
	report_num("deliveries_per_cpu_s", per_cpu, "of the sender");
	report_num("cpu_share", (b->self - a->self) / s, "of one core");
	if (joined == 1)
		*one = per_cpu;
	if (*one > 0)
		report_num("ratio", per_cpu / *one, "to one frame a send");
	report_end();
}

/* every number of joined frames; without out: reports */
static void
limit_run(const struct options *o, double *out)
{
	struct sockaddr_in at;
	struct usage a, b;
	int listener = limit_listen(&at), *fd;
	/* a level 2 frame is longer than its text by about this */
	size_t i, frame = o->size + (o->level > 1 ? 136 : 70);
	char *p;
	double one = 0;
	uint64_t frames;
	pid_t reader = fork();

	if (reader < 0)
		limit_die("fork");
	if (reader == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		limit_reader(listener, o->members);
	}
	fd = limit_connect(o, &at);
	for (i = 0; i < o->n_joined; i++) {
		p = xcalloc(o->joined[i], frame);
		limit_send(o, fd, p, frame * o->joined[i], o->joined[i],
		    o->warm < 1 ? o->warm : 1);
		usage_read(o, &a);
		frames = limit_send(
		    o, fd, p, frame * o->joined[i], o->joined[i], o->seconds);
		usage_read(o, &b);
		if (out == NULL)
			limit_report(
			    o, &a, &b, o->joined[i], frame, frames, &one);
		else
			out[i] = (double)frames / (b.self - a.self);
		free(p);
	}
	kill(reader, SIGKILL);
	waitpid(reader, NULL, 0);
	for (i = 0; i < o->members; i++)
		close(fd[i]);
	free(fd);
	close(listener);
}

int
scene_limit(const struct options *o)
{
	limit_run(o, NULL);
	return 0;
}

void
limit_beside(const struct options *given, double per_cpu[8])
{
	struct options o = *given;

	/* its own processor time is all that is asked here */
	o.n_pids = 0;
	o.seconds = 0.5;
	o.warm = 0.2;
	if ((double)o.rooms * o.members < LIMIT_SOCKETS)
		o.members *= o.rooms;
	else
		o.members = LIMIT_SOCKETS;
	limit_run(&o, per_cpu);
}
