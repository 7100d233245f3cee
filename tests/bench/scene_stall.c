/* SPDX-License-Identifier: MIT */
/*
 * Some of the members stop reading, for longer than a ping period, while the
 * room goes on at a fixed rate; then they read on. What the msg_servers grow
 * by meanwhile, what the others feel, and whether and how soon those who were
 * deaf have everything in order.
 */
#include <stdio.h>
#include <stdlib.h>

#include "shared/base/err.h"
#include "tests/bench/crowd.h"
#include "tests/bench/metrics.h"
#include "tests/bench/report.h"
#include "tests/bench/scene.h"
#include "tests/bench/usage.h"

enum { STALL_SAMPLES = 64, STALL_CATCH_S = 300 };

struct stall {
	struct options o;
	size_t n, level; /* of those who were deaf */
	bool *is_level;
	int64_t heard_us; /* they read again */
	struct tally caught;
	uint64_t rss[STALL_SAMPLES];
	size_t n_rss;
	size_t last_gone;
};

static bool
stall_is_deaf(const struct stall *st, const struct crowd *w, size_t i)
{
	uint32_t every = st->o.stalled > 0 ? 1000 / st->o.stalled : 0;

	return every > 0 && w->e.conns[i].member >= w->senders &&
	       i % every == every - 1;
}

/* who had to catch up has come to where the room is */
static bool
stall_is_over(struct crowd *w)
{
	struct stall *st = w->user;
	int64_t now = engine_clock_us();
	struct bconn *c;
	size_t i;

	for (i = 0; i < w->e.n_conns; i++) {
		c = &w->e.conns[i];
		if (!stall_is_deaf(st, w, i) || st->is_level[i] ||
		    w->ones[i].stream.next + 2 <
			w->heads[c->room] - (uint64_t)st->o.rate / 50)
			continue;
		st->is_level[i] = true;
		st->level++;
		tally_latency(&st->caught, (uint64_t)(now - st->heard_us));
	}
	return st->level == st->n;
}

static void
stall_turn(struct crowd *w, bool deaf)
{
	struct stall *st = w->user;
	size_t i;

	for (i = 0; i < w->e.n_conns; i++)
		if (stall_is_deaf(st, w, i))
			engine_deaf(&w->e, &w->e.conns[i], deaf);
}

static void
stall_hold(struct crowd *w)
{
	struct stall *st = w->user;
	double each = st->o.hold / STALL_SAMPLES;
	struct usage u;

	while (st->n_rss < STALL_SAMPLES) {
		crowd_run(w, each, NULL);
		usage_read(&st->o, &u);
		st->rss[st->n_rss++] = u.msg_rss;
	}
}

/* growth of the second half of the stall: a queue that fills once is flat */
static void
stall_report_rss(const struct stall *st, const struct usage u[3])
{
	uint64_t max = 0, half = st->rss[STALL_SAMPLES / 2],
		 end = st->rss[STALL_SAMPLES - 1];
	size_t i;

	for (i = 0; i < st->n_rss; i++)
		if (st->rss[i] > max)
			max = st->rss[i];
	report_int("msg_rss_before", u[0].msg_rss, "bytes");
	report_int("msg_rss_half", half, "bytes, in the middle of the stall");
	report_int("msg_rss_end", end, "bytes, at its end");
	report_int("msg_rss_max", max, "bytes");
	report_int("msg_rss_after", u[2].msg_rss, "bytes, all caught up");
	report_num("msg_rss_growth", (double)end - (double)half,
	    "bytes in its second half");
	report_num("msg_rss_per_stalled",
	    ((double)max - (double)u[0].msg_rss) / (double)st->n, "bytes");
}

static int
stall_report(struct crowd *w, struct stall *st, const struct usage u[3],
    const struct metrics m[2])
{
	const struct options *o = &st->o;
	int status;

	report_begin(o);
	report_int("connections", w->e.n_conns, "");
	report_int("stalled", st->n, "");
	report_num("hold", o->hold, "seconds");
	report_num("rate", o->rate, "messages/s");
	report_int("level", st->level, "have caught up");
	report_latency_of("caught_", &st->caught);
	if (o->n_pids > 0) {
		report_cpu(o, &u[0], &u[1], 0, "");
		report_int("disk_read", u[2].disk - u[0].disk, "bytes");
		stall_report_rss(st, u);
	}
	metrics_report(&m[0], &m[1]);
	report_int("gone", w->e.gone, "connections");
	status = crowd_report(w);
	report_end();
	return w->e.gone > 0 || st->level < st->n ? 3 : status;
}

int
scene_stall(const struct options *given)
{
	struct stall *st = xcalloc(1, sizeof *st);
	struct crowd *w = xcalloc(1, sizeof *w);
	struct usage u[3];
	struct metrics m[2];
	size_t i;
	int status;

	st->o = *given;
	if (st->o.rate == 0)
		st->o.rate = 2000;
	if (st->o.stalled == 0)
		st->o.stalled = 10;
	if (st->o.senders > st->o.members)
		st->o.senders = st->o.members;
	crowd_init(w, &st->o, st->o.members, st->o.senders);
	w->user = st;
	st->is_level = xcalloc(w->e.n_conns, sizeof *st->is_level);
	for (i = 0; i < w->e.n_conns; i++) {
		w->ones[i].watched = !stall_is_deaf(st, w, i);
		st->n += !w->ones[i].watched;
	}
	if (st->n == 0) {
		fprintf(stderr, "cchat_bench: nobody is stalled\n");
		return 2;
	}
	crowd_gather(w);
	crowd_run(w, st->o.warm, NULL);
	w->phase = CROWD_BEFORE;
	crowd_run(w, st->o.seconds, NULL);
	metrics_read(&st->o, NULL, &m[0]);
	usage_read(&st->o, &u[0]);
	w->phase = CROWD_DURING;
	stall_turn(w, true);
	stall_hold(w);
	usage_read(&st->o, &u[1]);
	w->phase = CROWD_AFTER;
	st->heard_us = engine_clock_us();
	stall_turn(w, false);
	crowd_run(w, STALL_CATCH_S, stall_is_over);
	usage_read(&st->o, &u[2]);
	metrics_read(&st->o, NULL, &m[1]);
	crowd_run(w, 1, NULL);
	crowd_drain(w);
	status = stall_report(w, st, u, m);
	free(st->is_level);
	free(st);
	crowd_fini(w);
	free(w);
	return status;
}
