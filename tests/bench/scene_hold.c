/* SPDX-License-Identifier: MIT */
/*
 * Connect storm and idle: `workers` processes open rooms x members
 * connections and log each in as fast as it goes with `opening` under way in
 * each process, wait until nothing is said any more, then hold them. Pings
 * are answered. Then, if asked, `rate` messages a second go to rooms drawn by
 * lot for `seconds`, and everybody gets one private message. The memory of a
 * connection is what the servers grew by from before the first to after the
 * hold; the processor time of the logins is without what the servers took for
 * nobody, for `warm` seconds before. One process may open only so many
 * descriptors, hence several.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/err.h"
#include "tests/bench/engine.h"
#include "tests/bench/hold.h"
#include "tests/bench/report.h"
#include "tests/bench/scene.h"

/* who came in is told once a second, so a second without a word is not the end
 */
enum { HOLD_QUIET_US = 1500000, HOLD_POLL_US = 2000, HOLD_DRAIN_US = 20000000 };

/* readings: with nobody, before, all in, held, talked, reached */
enum {
	AT_REST,
	AT_START,
	AT_IN,
	AT_HELD,
	AT_TALKED,
	AT_REACHED,
	HOLD_READINGS
};

struct hold {
	const struct options *o;
	struct hold_share *share;
	pid_t *pid;
	struct usage u[HOLD_READINGS];
	double self[HOLD_READINGS];
	int64_t in_us;
};

static void
hold_die(const char *what)
{
	fprintf(stderr, "cchat_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct hold_part *
hold_part(const struct hold *h, unsigned i)
{
	return &h->share->part[i];
}

/* whole rooms for each */
static void
hold_deal(struct hold *h)
{
	const struct options *o = h->o;
	uint32_t i, from, to;

	for (i = 0; i < o->workers; i++) {
		from = (uint32_t)((uint64_t)o->rooms * i / o->workers);
		to = (uint32_t)((uint64_t)o->rooms * (i + 1) / o->workers);
		hold_part(h, i)->first = from * o->members;
		hold_part(h, i)->n = (to - from) * o->members;
	}
}

static void
hold_start(struct hold *h)
{
	size_t size =
	    sizeof(*h->share) + h->o->workers * sizeof(h->share->part[0]);
	unsigned i;

	h->share = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (h->share == MAP_FAILED)
		hold_die("mmap");
	hold_deal(h);
	h->pid = xcalloc(h->o->workers, sizeof(*h->pid));
	for (i = 0; i < h->o->workers; i++) {
		h->pid[i] = fork();
		if (h->pid[i] < 0)
			hold_die("fork");
		if (h->pid[i] > 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hold_worker(h->o, h->share, hold_part(h, i));
		_exit(0);
	}
}

/* a worker that ended makes all figures wrong */
static void
hold_rest(struct hold *h)
{
	unsigned i;

	usleep(HOLD_POLL_US);
	for (i = 0; i < h->o->workers; i++)
		if (waitpid(h->pid[i], NULL, WNOHANG) != 0) {
			fprintf(stderr, "cchat_bench: worker %u ended\n", i);
			exit(1);
		}
}

static void
hold_read(struct hold *h, int which)
{
	unsigned i;

	usage_read(h->o, &h->u[which]);
	for (i = 0; i < h->o->workers; i++)
		h->self[which] += hold_part(h, i)->cpu;
	h->u[which].self = h->self[which];
}

static int64_t
hold_heard(const struct hold *h)
{
	int64_t last = 0;
	unsigned i;

	for (i = 0; i < h->o->workers; i++)
		if (hold_part(h, i)->heard_us > last)
			last = hold_part(h, i)->heard_us;
	return last;
}

static bool
hold_all(const struct hold *h, bool sent)
{
	unsigned i;

	for (i = 0; i < h->o->workers; i++)
		if (!atomic_load(
			sent ? &hold_part(h, i)->sent : &hold_part(h, i)->in))
			return false;
	return true;
}

static void
hold_phase(struct hold *h, enum hold_phase phase)
{
	atomic_store(&h->share->phase, phase);
}

/* until nothing has been heard for us, at most most_us */
static void
hold_quiet(struct hold *h, int64_t us, int64_t most_us)
{
	int64_t now, from = engine_clock_us();

	do {
		hold_rest(h);
		now = engine_clock_us();
	} while (now - from < us ||
		 (now - hold_heard(h) < us && now - from < most_us));
}

static void
hold_open(struct hold *h)
{
	int64_t end = h->u[AT_START].at_us + (int64_t)(h->o->most * 1e6);
	unsigned i;

	while (!hold_all(h, false) && engine_clock_us() < end)
		hold_rest(h);
	h->in_us = engine_clock_us();
	if (hold_all(h, false))
		for (i = h->in_us = 0; i < h->o->workers; i++)
			if (hold_part(h, i)->in_us > h->in_us)
				h->in_us = hold_part(h, i)->in_us;
	hold_phase(h, HOLD_IDLE);
	hold_quiet(h, HOLD_QUIET_US, HOLD_DRAIN_US);
	hold_read(h, AT_IN);
}

static void
hold_for(struct hold *h, double seconds)
{
	int64_t end = engine_clock_us() + (int64_t)(seconds * 1e6);

	while (engine_clock_us() < end)
		hold_rest(h);
}

static void
hold_reach(struct hold *h)
{
	int64_t end = engine_clock_us() + (int64_t)(h->o->most * 1e6);

	hold_phase(h, HOLD_REACH);
	while (!hold_all(h, true) && engine_clock_us() < end)
		hold_rest(h);
	hold_quiet(h, HOLD_QUIET_US, HOLD_DRAIN_US);
	hold_read(h, AT_REACHED);
}

static void
hold_add(struct tally *a, const struct tally *b)
{
	size_t i;

	a->arrived += b->arrived;
	a->late += b->late;
	a->again += b->again;
	a->foreign += b->foreign;
	a->count += b->count;
	if (b->max_us > a->max_us)
		a->max_us = b->max_us;
	for (i = 0; i < TALLY_BUCKETS; i++)
		a->bucket[i] += b->bucket[i];
}

static void
hold_sum(const struct hold *h, struct hold_part *sum)
{
	const struct hold_part *p;
	unsigned i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < h->o->workers; i++) {
		p = hold_part(h, i);
		sum->ready += p->ready;
		sum->gone += p->gone;
		sum->failed += p->failed;
		sum->told += p->told;
		sum->errors += p->errors;
		sum->said += p->said;
		sum->expected += p->expected;
		sum->reach_sent += p->reach_sent;
		sum->reached += p->reached;
		sum->busy += p->busy;
		sum->unanswered += p->unanswered;
		sum->cut_off += p->cut_off;
		hold_add(&sum->login, &p->login);
		hold_add(&sum->talk, &p->talk);
		hold_add(&sum->reach, &p->reach);
	}
}

/* what servers take with nobody is no part of a login */
static void
hold_rested(struct hold *h)
{
	usage_read(h->o, &h->u[AT_REST]);
	if (h->o->n_pids > 0)
		usleep((useconds_t)(h->o->warm * 1e6));
	usage_read(h->o, &h->u[AT_START]);
}

static double
hold_share_of(const struct hold *h, int from, int to)
{
	return (h->u[to].cpu - h->u[from].cpu) * 1e6 /
	       (double)(h->u[to].at_us - h->u[from].at_us);
}

static void
hold_report_logins(const struct hold *h)
{
	double s = (double)(h->u[AT_IN].at_us - h->u[AT_START].at_us) / 1e6;
	double cpu = h->u[AT_IN].cpu - h->u[AT_START].cpu;

	report_num("cpu_s", cpu, "all servers");
	if (h->o->warm > 0)
		report_num("login_cpu_s",
		    cpu - hold_share_of(h, AT_REST, AT_START) * s,
		    "without what they take with nobody");
}

static void
hold_report_memory(const struct hold *h, double ready)
{
	const struct usage *a = &h->u[AT_START], *b = &h->u[AT_HELD];

	if (h->o->n_pids == 0 || ready <= 0)
		return;
	report_num("rss_per_conn", ((double)b->rss - (double)a->rss) / ready,
	    "bytes, all servers");
	report_num("msg_rss_per_conn",
	    ((double)b->msg_rss - (double)a->msg_rss) / ready, "bytes");
	report_num("msg_anon_per_conn",
	    ((double)b->msg_anon - (double)a->msg_anon) / ready,
	    "bytes, the heap");
	report_int("rss_held", b->rss, "bytes, all servers");
	report_int("anon_held", b->anon, "bytes, their heap");
	report_int("anon_start", a->anon, "bytes, before");
	if (b->at_us - h->u[AT_IN].at_us > 1000000)
		report_num("idle_cpu_share", hold_share_of(h, AT_IN, AT_HELD),
		    "of one core, holding");
}

/* processor time beyond what idling takes, for each message */
static uint64_t
hold_report_talk(const struct hold *h, const struct hold_part *sum)
{
	double s = (double)(h->u[AT_TALKED].at_us - h->u[AT_HELD].at_us) / 1e6;
	uint64_t lost = sum->expected > sum->talk.arrived
			    ? sum->expected - sum->talk.arrived
			    : 0;
	double cpu = h->u[AT_TALKED].cpu - h->u[AT_HELD].cpu;

	report_num("rate", h->o->rate, "messages/s");
	report_int("said", sum->said, "messages");
	report_int("expected", sum->expected, "deliveries");
	report_latency_of("talk_", &sum->talk);
	if (h->o->n_pids > 0 && sum->said > 0) {
		report_num("talk_cpu_share", cpu / s, "of one core");
		if (h->u[AT_HELD].at_us - h->u[AT_IN].at_us > 1000000)
			cpu -= hold_share_of(h, AT_IN, AT_HELD) * s;
		report_num("cpu_us_per_message", cpu * 1e6 / (double)sum->said,
		    "without what idling takes");
	}
	report_int("lost", lost, "");
	report_int("doubled", sum->talk.again, "");
	report_int("out_of_order", sum->talk.late, "");
	report_int("foreign", sum->talk.foreign, "");
	report_int("unanswered", sum->unanswered, "messages of those gone");
	report_int("cut_off", sum->cut_off, "deliveries they missed");
	return lost + sum->talk.again + sum->talk.late + sum->talk.foreign;
}

static uint64_t
hold_report_reach(const struct hold_part *sum)
{
	report_int("reach_sent", sum->reach_sent, "private messages");
	report_int("reached", sum->reached, "");
	report_int("reach_busy", sum->busy, "were told to try again");
	report_int("reached_twice", sum->reach.again, "");
	report_latency_of("reach_", &sum->reach);
	return (sum->reach_sent > sum->reached ? sum->reach_sent - sum->reached
					       : 0) +
	       sum->reach.again;
}

static int
hold_report(const struct hold *h)
{
	const struct options *o = h->o;
	struct hold_part *sum = xmalloc(sizeof(*sum));
	uint64_t wrong = 0;
	double ready;

	hold_sum(h, sum);
	ready = (double)(sum->ready + sum->gone);
	report_begin(o);
	report_int("connections", (uint64_t)o->rooms * o->members, "");
	report_int("rooms", o->rooms, "");
	report_int("members", o->members, "");
	report_int("level", o->level, "");
	report_num(
	    "seconds_in", (double)(h->in_us - h->u[AT_START].at_us) / 1e6, "");
	report_num("logins_per_s",
	    ready * 1e6 / (double)(h->in_us - h->u[AT_START].at_us), "");
	/* work that follows the last login is part of the storm */
	report_cpu(o, &h->u[AT_START], &h->u[AT_IN], ready, "logins");
	if (o->n_pids > 0)
		hold_report_logins(h);
	report_latency(&sum->login);
	hold_report_memory(h, ready);
	report_int("told", sum->told, "frames beside the login");
	if (o->rate > 0)
		wrong += hold_report_talk(h, sum);
	if (o->reach > 0)
		wrong += hold_report_reach(sum);
	report_int("failed", sum->failed, "");
	report_int("gone", sum->gone, "");
	report_int("errors", sum->errors, "");
	report_end();
	wrong += sum->failed + sum->gone;
	free(sum);
	return wrong > 0 ? 3 : 0;
}

static void
hold_end(struct hold *h)
{
	int64_t end = engine_clock_us() + HOLD_DRAIN_US;
	unsigned i;

	hold_phase(h, HOLD_END);
	for (i = 0; i < h->o->workers; i++)
		while (!atomic_load(&hold_part(h, i)->done) &&
		       engine_clock_us() < end)
			usleep(HOLD_POLL_US);
}

int
scene_hold(const struct options *o)
{
	struct hold h = {.o = o};
	unsigned i;
	int status;

	hold_rested(&h);
	hold_start(&h);
	hold_open(&h);
	hold_for(&h, o->hold);
	hold_read(&h, AT_HELD);
	if (o->rate > 0) {
		hold_phase(&h, HOLD_TALK);
		hold_for(&h, o->seconds);
		hold_read(&h, AT_TALKED);
		hold_phase(&h, HOLD_IDLE);
		hold_quiet(&h, HOLD_QUIET_US, HOLD_DRAIN_US);
	}
	if (o->reach > 0)
		hold_reach(&h);
	hold_end(&h);
	status = hold_report(&h);
	for (i = 0; i < o->workers; i++)
		waitpid(h.pid[i], NULL, 0);
	free(h.pid);
	return status;
}
