/* SPDX-License-Identifier: MIT */
/*
 * The storm: everybody but `stay` of each room loses his connection in the
 * same moment, by a reset of his own side or because his msg_server is killed,
 * and comes back as the protocol says: after a random part of 500 ms, twice
 * that after each failure, at most 20 s; with his position, until `synced`.
 * Those who stay speak on and are watched.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/digest.h"
#include "tests/bench/crowd.h"
#include "tests/bench/metrics.h"
#include "tests/bench/report.h"
#include "tests/bench/scene.h"
#include "tests/bench/usage.h"

enum { DROP_BASE_US = 500000, DROP_MAX_US = 20000000, DROP_MOST_S = 100 };

struct drop {
	struct options o; /* without the server that is killed */
	int victim;	  /* its pid; 0: none */
	int64_t cut_us;
	size_t n, back; /* of those who were cut off */
	uint64_t tries;
	struct tally latency; /* from the cut to `synced` */
	struct tally login;   /* from the last dial to `synced` */
	size_t next;	      /* where the look for who is due goes on */
};

static bool
drop_is_cut(const struct crowd *w, const struct bconn *c)
{
	return c->member >= w->o->stay;
}

static void
drop_wait(struct crowd_one *p, int64_t now)
{
	uint64_t most = DROP_BASE_US;

	most <<= p->tries < 6 ? p->tries : 6;
	if (most > DROP_MAX_US)
		most = DROP_MAX_US;
	p->due_us = now + 1 + (int64_t)digest_random_below((uint32_t)most);
}

static void
drop_on_gone(struct engine *e, struct bconn *c)
{
	struct crowd *w = e->user;
	struct drop *d = w->user;
	struct crowd_one *p = &w->ones[c->index];
	int64_t now;

	if (d->cut_us == 0 || !drop_is_cut(w, c))
		return;
	if (p->back_us != 0) {
		/* he was back and is gone again */
		p->back_us = 0;
		d->back--;
	}
	now = engine_clock_us();
	if (p->tries == 0)
		now += (int64_t)(w->o->away * 1e6);
	drop_wait(p, now);
	p->tries++;
}

static void
drop_on_synced(struct crowd *w, struct bconn *c, struct crowd_one *p)
{
	struct drop *d = w->user;

	if (d->cut_us == 0 || !drop_is_cut(w, c) || p->back_us != 0)
		return;
	p->back_us = w->e.now_us;
	tally_latency(&d->latency, (uint64_t)(p->back_us - d->cut_us));
	tally_latency(&d->login, (uint64_t)(p->back_us - c->opened_us));
	d->back++;
}

/* dials who is due; all are back */
static bool
drop_is_over(struct crowd *w)
{
	struct drop *d = w->user;
	int64_t now = engine_clock_us();
	struct crowd_one *p;
	size_t i;

	for (i = 0; i < w->e.n_conns && d->back < d->n; i++) {
		p = &w->ones[i];
		if (p->due_us == 0 || p->due_us > now)
			continue;
		p->due_us = 0;
		d->tries++;
		engine_again(&w->e, &w->e.conns[i]);
	}
	return d->back == d->n;
}

static void
drop_cut(struct crowd *w)
{
	struct drop *d = w->user;
	struct bconn *c;
	size_t i;

	d->cut_us = w->e.glanced_us = engine_clock_us();
	w->e.hush = d->victim != 0;
	w->e.blind_us = 0;
	w->phase = CROWD_DURING;
	w->talking = true;
	if (d->victim != 0)
		kill(d->victim, SIGKILL);
	for (i = 0; i < w->e.n_conns; i++) {
		c = &w->e.conns[i];
		if (!drop_is_cut(w, c))
			continue;
		d->n++;
		if (d->victim != 0) {
			/* the kernel tells them; they go elsewhere */
			c->target =
			    1 + c->index % (uint32_t)(w->o->n_targets - 1);
			continue;
		}
		engine_cut(&w->e, c);
		drop_wait(&w->ones[i], d->cut_us + (int64_t)(w->o->away * 1e6));
		w->ones[i].tries = 1;
	}
}

/* which process is to die, and a list of the others */
static void
drop_victim(struct drop *d)
{
	struct options *o = &d->o;
	size_t i, n = 0;

	if (o->kill[0] == '\0')
		return;
	for (i = 0; i < o->n_pids; i++) {
		if (strcmp(o->pid[i].name, o->kill) == 0)
			d->victim = o->pid[i].pid;
		else
			o->pid[n++] = o->pid[i];
	}
	o->n_pids = n;
	if (d->victim == 0 || o->n_targets < 2) {
		fprintf(stderr, "cchat_bench: --kill needs a name of --pids "
				"and a second target\n");
		exit(2);
	}
}

static void
drop_seat(struct crowd *w, const struct drop *d)
{
	struct bconn *c;
	size_t i;

	for (i = 0; i < w->e.n_conns; i++) {
		c = &w->e.conns[i];
		w->ones[i].watched = c->first = !drop_is_cut(w, c);
		if (d->victim == 0)
			continue;
		c->target = w->ones[i].watched
				? 1 + c->index % (uint32_t)(w->o->n_targets - 1)
				: 0;
	}
}

static int
drop_report(struct crowd *w, struct drop *d, const struct usage u[2],
    const struct metrics m[2])
{
	const struct options *o = &d->o;
	int status;

	report_begin(o);
	report_text("by", d->victim != 0 ? "kill" : "reset");
	report_int("connections", w->e.n_conns, "");
	report_int("dropped", d->n, "");
	report_int("back", d->back, "and synced");
	report_int("rooms", o->rooms, "");
	report_num("rate", o->rate, "messages/s");
	report_num("away_s", o->away, "before the first came back");
	report_num("all_back_s", (double)(u[1].at_us - d->cut_us) / 1e6,
	    "until all were synced");
	report_latency_of("back_", &d->latency);
	report_latency_of("login_", &d->login);
	report_num("tries", d->n > 0 ? (double)d->tries / (double)d->n : 0,
	    "dials for each");
	report_num("blind_ms", (double)w->e.blind_us / 1e3,
	    "longest time the bench did not look at those who stayed");
	report_num("self_cpu_share",
	    (u[1].self - u[0].self) * 1e6 / (double)(u[1].at_us - u[0].at_us),
	    "of one core");
	if (o->n_pids > 0) {
		report_num("cpu_s", u[1].cpu - u[0].cpu, "all servers");
		report_num("msg_cpu_s", u[1].msg_cpu - u[0].msg_cpu, "");
		report_int("disk_read", u[1].disk - u[0].disk, "bytes");
		report_int("msg_rss_before", u[0].msg_rss, "bytes");
		report_int("msg_rss", u[1].msg_rss, "bytes");
	}
	metrics_report(&m[0], &m[1]);
	status = crowd_report(w);
	report_end();
	return d->back < d->n ? 3 : status;
}

/* what came late because we asked for figures is nobody's latency */
static void
drop_catch_up(struct crowd *w)
{
	w->phase = CROWD_WARM;
	crowd_run(w, 0.2, NULL);
}

int
scene_drop(const struct options *given)
{
	struct drop *d = calloc(1, sizeof *d);
	struct crowd *w = calloc(1, sizeof *w);
	struct usage u[2];
	struct metrics m[2];
	const char *except;
	int status;

	if (d == NULL || w == NULL)
		return 1;
	d->o = *given;
	if (d->o.rate == 0)
		d->o.rate = 100;
	drop_victim(d);
	except = d->victim != 0 ? d->o.kill : NULL;
	crowd_init(w, &d->o, d->o.members + d->o.stay, 1);
	w->user = d;
	w->on_synced = drop_on_synced;
	w->e.on_gone = drop_on_gone;
	drop_seat(w, d);
	crowd_gather(w);
	crowd_run(w, d->o.warm, NULL);
	w->phase = CROWD_BEFORE;
	crowd_run(w, d->o.seconds, NULL);
	metrics_read(&d->o, except, &m[0]);
	usage_read(&d->o, &u[0]);
	drop_catch_up(w);
	drop_cut(w);
	crowd_run(w, DROP_MOST_S, drop_is_over);
	usage_read(&d->o, &u[1]);
	metrics_read(&d->o, except, &m[1]);
	drop_catch_up(w);
	w->phase = CROWD_AFTER;
	crowd_run(w, 1, NULL);
	crowd_drain(w);
	status = drop_report(w, d, u, m);
	crowd_fini(w);
	free(w);
	free(d);
	return status;
}
