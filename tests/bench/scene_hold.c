/* SPDX-License-Identifier: MIT */
/*
 * Connect storm and idle: opens rooms x members connections and logs each in
 * as fast as it goes with `opening` under way, waits until nothing is said
 * any more, then holds them. Pings are answered. The memory of a connection
 * is what the servers grew by from before the first to after the hold.
 */
#include <stdio.h>

#include "tests/bench/cchat.h"
#include "tests/bench/engine.h"
#include "tests/bench/report.h"
#include "tests/bench/scene.h"

/* who came in is told once a second, so a second without a word is not the end
 */
enum { HOLD_QUIET_US = 1500000, HOLD_MOST_US = 110000000 };

struct hold {
	struct tally login; /* connect to logged in */
	uint64_t told;	    /* frames that answer nothing: newUser, ... */
	uint64_t errors;
	int64_t heard_us;
};

static void
hold_on_open(struct engine *e, struct bconn *c)
{
	char frame[512];

	engine_send(e, c, frame,
	    cchat_login(frame, e->o, cchat_uid(e->o, c->index),
		c->index / e->o->members));
}

static void
hold_on_frame(struct engine *e, struct bconn *c, const char *p, size_t n)
{
	struct hold *h = e->user;

	h->heard_us = e->now_us;
	switch (cchat_said(p, n)) {
	case CCHAT_LOGIN:
		tally_latency(&h->login, (uint64_t)(e->now_us - c->opened_us));
		engine_ready(e, c);
		break;
	case CCHAT_ERROR:
		if (h->errors++ < 3)
			fprintf(stderr, "cchat_bench: the server says %.*s\n",
			    (int)(n > 300 ? 300 : n), p);
		break;
	default:
		h->told++;
	}
}

static void
hold_report(const struct options *o, const struct engine *e,
    const struct hold *h, const struct usage u[3], double in_s)
{
	size_t n = e->n_conns;
	double ready = (double)(e->ready + e->gone);

	report_begin(o);
	report_int("connections", n, "");
	report_int("rooms", o->rooms, "");
	report_int("level", o->level, "");
	report_num("logins_per_s", ready / in_s, "");
	/* work that follows the last login is part of the storm */
	report_cpu(o, &u[0], &u[1], ready, "logins");
	if (o->n_pids > 0)
		report_num("cpu_s", u[1].cpu - u[0].cpu, "all servers");
	report_latency(&h->login);
	if (o->n_pids > 0 && ready > 0) {
		report_num("rss_per_conn",
		    ((double)u[2].rss - (double)u[0].rss) / ready, "bytes");
		report_num("msg_rss_per_conn",
		    ((double)u[2].msg_rss - (double)u[0].msg_rss) / ready,
		    "bytes");
		report_num("msg_anon_per_conn",
		    ((double)u[2].msg_anon - (double)u[0].msg_anon) / ready,
		    "bytes, the heap");
		if (u[2].at_us - u[1].at_us > 1000000)
			report_num("idle_cpu_share",
			    (u[2].cpu - u[1].cpu) * 1e6 /
				(double)(u[2].at_us - u[1].at_us),
			    "of one core, holding");
	}
	report_int("told", h->told, "frames beside the login");
	report_int("failed", e->failed + (n - e->opened), "");
	report_int("gone", e->gone, "");
	report_int("errors", h->errors, "");
	report_end();
}

int
scene_hold(const struct options *o)
{
	struct engine e;
	struct hold h = {0};
	struct usage u[3];
	size_t n = (size_t)o->rooms * o->members;
	int64_t end, in;

	engine_init(&e, o, n);
	e.user = &h;
	e.on_open = hold_on_open;
	e.on_frame = hold_on_frame;
	usage_read(o, &u[0]);
	end = u[0].at_us + HOLD_MOST_US;
	while (e.ready + e.gone + e.failed < n && engine_clock_us() < end) {
		engine_open(&e, n, o->opening);
		engine_turn(&e, 10000);
	}
	h.heard_us = in = engine_clock_us();
	while (engine_clock_us() - h.heard_us < HOLD_QUIET_US &&
	       engine_clock_us() < end)
		engine_turn(&e, 20000);
	usage_read(o, &u[1]);
	end = u[1].at_us + (int64_t)(o->hold * 1e6);
	while (engine_clock_us() < end)
		engine_turn(&e, 50000);
	usage_read(o, &u[2]);
	hold_report(o, &e, &h, u, (double)(in - u[0].at_us) / 1e6);
	n = e.failed + e.gone + (n - e.opened);
	engine_fini(&e);
	return n > 0 ? 3 : 0;
}
