/* SPDX-License-Identifier: MIT */
/*
 * The turn of the loop: hooks, one write per dirty connection, the graveyard.
 * Runs from ev_prepare, that is after all events of a turn were handled and
 * before the loop sleeps. Knows connections only by conn_flush and conn_bury.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/net/conn.h"
#include "shared/net/net.h"
#include "shared/proc/clock.h"

/*
 * Callbacks of a turn (a peer found dead while writing, on_dead) may queue and
 * close again; that is finished in the same turn, but not for ever.
 */
enum {
	NET_ROUNDS_MAX = 16,
	/* in one turn: ten thousand may end at once */
	NET_BURIALS = 256,
	NET_BURIALS_US = 2000,
	NET_MEASURED = 16,   /* writes in one go whose time means something */
	NET_WRITE_NS = 20000 /* a usual one */
};

/*
 * What n writes took goes into the average. Some of it may be no write's: who
 * was stopped in the middle, or not given the processor, would else believe for
 * long that all take as much, and rooms would rest for that. So one look makes
 * it half as much again; if they do take so long, the next ones agree.
 */
static void
net_measure(struct net *net, int64_t us, uint64_t n)
{
	uint64_t most = net->write_ns * 4ULL + NET_WRITE_NS;
	uint64_t ns = (uint64_t)us * 1000 / n;

	if (ns > most)
		ns = most;
	net->write_ns = (uint32_t)((net->write_ns * 7ULL + ns) / 8);
}

/* one write for each; what it took, where there were enough to tell */
static void
net_write_dirty(struct net *net)
{
	uint64_t writes = net->writes, n;
	int64_t began = clock_mono_us(), us;
	struct conn *c;

	while ((c = net->dirty) != NULL) {
		net->dirty = c->next;
		c->dirty = 0;
		conn_flush(c);
	}
	n = net->writes - writes;
	if (n < NET_MEASURED)
		return;
	us = clock_mono_us() - began;
	if (us < 0 || us > 1000000)
		return; /* it was we who stood still */
	net_measure(net, us, n);
}

static void
net_turn_run(struct net *net, unsigned burials)
{
	struct net_turn *t, *next;
	struct conn *c;
	int64_t began;
	int round;

	if (net->turning)
		return;
	net->turning = true;
	for (round = 0; round < NET_ROUNDS_MAX; round++) {
		for (t = net->turns; t != NULL; t = next) {
			next = t->next;
			t->on_turn(t);
		}
		if (net->dirty == NULL && (net->dead == NULL || burials == 0))
			break;
		if (net->dirty != NULL)
			net_write_dirty(net);
		began = clock_mono_us();
		for (; (c = net->dead) != NULL && burials > 0; burials--) {
			net->dead = c->next;
			conn_bury(c);
			if (burials <= NET_BURIALS &&
			    clock_mono_us() - began > NET_BURIALS_US)
				burials = 1; /* none after it */
		}
	}
	net->turning = false;
	if (net->dirty != NULL || net->dead != NULL) {
		ev_timer_set(&net->again, 0., 0.);
		ev_timer_start(net->loop, &net->again);
	}
}

static void
net_on_prepare(struct ev_loop *loop, ev_prepare *w, int revents)
{
	(void)loop;
	(void)revents;
	net_turn_run(container_of(w, struct net, prepare), NET_BURIALS);
}

bool
net_lane_take(struct net_lane *l, unsigned round)
{
	bool done = l->late || (l->crowded && round == l->round);
	int64_t now;

	if (!done) {
		now = clock_mono_us();
		if (l->reads == 0)
			l->since_us = now;
		done = l->late = now - l->since_us >= NET_TURN_US;
	}
	l->passed += done;
	l->reads += !done;
	return !done;
}

/* events have come, none is handled yet */
static void
net_on_check(struct ev_loop *loop, ev_check *w, int revents)
{
	struct net *net = container_of(w, struct net, check);
	struct net_lane *l;
	unsigned i;

	(void)loop;
	(void)revents;
	for (i = 0; i < ARRAY_LEN(net->lane); i++) {
		l = &net->lane[i];
		/* a crowd begins, or all of it were read in this round */
		if (l->passed > 0 && (!l->crowded || l->reads == 0))
			l->round = (l->round + 1) % NET_ROUNDS;
		l->crowded = l->passed > 0;
		l->reads = l->passed = 0;
		l->late = false;
	}
}

static void
net_on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
}

struct net *
net_new(struct ev_loop *loop)
{
	struct net *net = xcalloc(1, sizeof(*net));

	net->loop = loop;
	net->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ev_timer_init(&net->again, net_on_again, 0., 0.);
	ev_prepare_init(&net->prepare, net_on_prepare);
	ev_prepare_start(loop, &net->prepare);
	ev_check_init(&net->check, net_on_check);
	ev_set_priority(&net->check, EV_MAXPRI);
	ev_check_start(loop, &net->check);
	/* the turn alone must not keep a loop running that has nothing else */
	ev_unref(loop);
	ev_unref(loop);
	return net;
}

void
net_free(struct net *net)
{
	if (net == NULL)
		return;
	net_turn_run(net, UINT_MAX);
	ev_ref(net->loop);
	ev_ref(net->loop);
	ev_prepare_stop(net->loop, &net->prepare);
	ev_check_stop(net->loop, &net->check);
	ev_timer_stop(net->loop, &net->again);
	if (net->spare_fd >= 0)
		close(net->spare_fd);
	conn_free_queues(net);
	free(net);
}

void
net_turn_add(struct net *net, struct net_turn *turn)
{
	turn->next = net->turns;
	net->turns = turn;
}

void
net_turn_remove(struct net *net, struct net_turn *turn)
{
	struct net_turn **t;

	for (t = &net->turns; *t != NULL; t = &(*t)->next) {
		if (*t == turn) {
			*t = turn->next;
			return;
		}
	}
}

void
net_flush(struct net *net)
{
	net_turn_run(net, UINT_MAX);
}
