/* SPDX-License-Identifier: MIT */
/*
 * What the tests on a real loop share: a loop and a net, waiting for a
 * condition with a deadline, and a raw peer that reads and writes without
 * struct conn.
 */
#ifndef TESTS_UNIT_SHARED_NET_FIXTURE_H
#define TESTS_UNIT_SHARED_NET_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>
#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/net/net.h"

struct fx {
	struct ev_loop *loop;
	struct net *net;
	ev_timer tick; /* wakes the loop, so that a deadline can be judged */
	unsigned ticks;
};

/* what does not come about within that will not: a test that is right never
 * waits so long, however little of the processor it is given */
enum { FX_TICK_MS = 10, FX_PATIENCE_MS = 30000 };

static inline int64_t
fx_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* user and system time of this process, in ms */
static inline int64_t
fx_cpu_ms(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000 +
	       (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1000;
}

static inline void
fx_on_tick(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	container_of(w, struct fx, tick)->ticks++;
}

static inline void
fx_init(struct fx *fx)
{
	fx->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	assert_non_null(fx->loop);
	fx->net = net_new(fx->loop);
	fx->ticks = 0;
	ev_timer_init(
	    &fx->tick, fx_on_tick, FX_TICK_MS / 1000., FX_TICK_MS / 1000.);
	ev_timer_start(fx->loop, &fx->tick);
}

static inline void
fx_fini(struct fx *fx)
{
	net_flush(fx->net);
	assert_int_equal(fx->net->n_conns, 0);
	assert_int_equal(fx->net->queued, 0);
	net_free(fx->net);
	ev_timer_stop(fx->loop, &fx->tick);
	ev_loop_destroy(fx->loop);
}

static inline int64_t
fx_patience(int64_t ms)
{
	return ms > FX_PATIENCE_MS ? ms : FX_PATIENCE_MS;
}

/* the loop ran for a good part of that time */
static inline bool
fx_had(unsigned ticks, int64_t ms)
{
	return ticks > ms / FX_TICK_MS / 4;
}

/*
 * Turns the loop until cond holds; fails the test when it does not come about.
 * `ms` is what a healthy one may take; the patience is longer, and time in
 * which we had no processor does not count.
 */
#define FX_WAIT(fx, ms, cond)                                             \
	do {                                                              \
		int64_t fx_most = fx_patience(ms);                        \
		int64_t fx_end = fx_ms() + fx_most;                       \
		unsigned fx_from = (fx)->ticks;                           \
		while (!(cond)) {                                         \
			if (fx_ms() > fx_end &&                           \
			    fx_had((fx)->ticks - fx_from, fx_most))       \
				fail_msg("waited in vain for %s", #cond); \
			ev_run((fx)->loop, EVRUN_ONCE);                   \
		}                                                         \
	} while (0)

/* a few turns without waiting for anything */
static inline void
fx_spin(struct fx *fx)
{
	int i;

	for (i = 0; i < 4; i++)
		ev_run(fx->loop, EVRUN_NOWAIT);
}

/* turns the loop for that long; while we had no processor nothing came about,
 * so that time alone does not count */
static inline void
fx_run_for(struct fx *fx, int ms)
{
	int64_t end = fx_ms() + ms;
	unsigned from = fx->ticks;

	while (fx_ms() < end || (int)(fx->ticks - from) * FX_TICK_MS < ms)
		ev_run(fx->loop, EVRUN_ONCE);
}

/* what can be read from fd now; -1 in *eof: not yet, 1: end, errno else */
static inline void
fx_read(int fd, struct buf *out, int *eof)
{
	uint8_t p[65536];
	ssize_t n;

	*eof = -1;
	while ((n = recv(fd, p, sizeof(p), MSG_DONTWAIT)) > 0)
		buf_put(out, p, (size_t)n);
	if (n == 0)
		*eof = 1;
	else if (errno != EAGAIN)
		*eof = errno;
}

static inline void
fx_write(int fd, const char *s)
{
	assert_int_equal(
	    send(fd, s, strlen(s), MSG_NOSIGNAL), (ssize_t)strlen(s));
}

static inline unsigned
fx_count(const struct buf *b, const char *text)
{
	const uint8_t *p = buf_p(b), *end = p + buf_len(b);
	unsigned n = 0;

	while ((p = memmem(p, (size_t)(end - p), text, strlen(text))) != NULL) {
		n++;
		p++;
	}
	return n;
}

#endif
