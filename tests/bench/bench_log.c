/* SPDX-License-Identifier: MIT */
/*
 * How many items a second the log takes, by the number of appends that are
 * outstanding at any time (closed loop) and by the synchronous setting. Not
 * part of `make check`:
 *
 *	make tests/bench/bench_log && tests/bench/bench_log [DIR] [SECONDS]
 *
 * and then how long a page of the newest 50 items of a room takes from memory
 * and from the file.
 *
 * Items of 100 bytes in 100 rooms, each with a cid, through log_submit() and
 * back through on_done: what a proxy does but for the links.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proxy_server/log.h"
#include "shared/base/digest.h"
#include "shared/base/map.h"
#include "shared/proc/clock.h"
#include "shared/proto/link.h"

enum { ROOMS = 100, WINDOW_MAX = 1000 };

struct bench {
	struct ev_loop *loop;
	struct log *log;
	uint64_t req, done, failed;
	int64_t sent_us[WINDOW_MAX * 2]; /* by req */
	struct histogram latency;
	bool active, stopping;
	struct buf frame;
	unsigned pages; /* read */
};

static void
bench_on_state(void *arg, enum log_state state, uint64_t gen, const char *ep,
    const char *why, int exit_code)
{
	struct bench *b = arg;

	(void)gen;
	(void)ep;
	b->active = state == LOG_ACTIVE;
	if (state == LOG_FAILED) {
		fprintf(stderr, "bench_log: %s\n", why);
		exit(exit_code);
	}
	ev_break(b->loop, EVBREAK_ALL);
}

static void
bench_send(struct bench *b)
{
	static char text[101];
	char chan[16], cid[24];
	struct f_append a = {.req = ++b->req,
	    .item = {.kind = ITEM_MESSAGE,
		.uid = STR_LIT("1001"),
		.cn = 1,
		.name = STR_LIT("Ann"),
		.avatar = STR_LIT("https://example.org/a.png")}};
	struct log_op *op;

	memset(text, 'x', 100);
	snprintf(chan, sizeof chan, "r:%d", (int)(b->req % ROOMS));
	snprintf(cid, sizeof cid, "c%" PRIu64, b->req);
	a.chan = str_of(chan);
	a.item.cid = str_of(cid);
	a.item.body = str_n(text, 100);
	a.item.crc = digest_crc32c(0, text, 100);
	buf_reset(&b->frame);
	put_append(&b->frame, &a);
	b->sent_us[b->req % ARRAY_LEN(b->sent_us)] = clock_mono_us();
	if (log_op_new(LOG_APPEND, 1,
		str_n(buf_p(&b->frame) + LINK_HEAD,
		    buf_len(&b->frame) - LINK_HEAD - 4),
		&op) != 0 ||
	    log_submit(b->log, op) != 0)
		abort();
}

static void
bench_on_done(void *arg, struct log_op *op)
{
	struct bench *b = arg;
	uint64_t at = op->append.req % ARRAY_LEN(b->sent_us);

	b->done++;
	b->failed += op->code != 200;
	histogram_add(
	    &b->latency, (uint64_t)(clock_mono_us() - b->sent_us[at]));
	if (!b->stopping)
		bench_send(b);
}

static void
bench_on_batch_end(void *arg)
{
	(void)arg;
}

static void
bench_on_page(void *arg, uint64_t peer, struct blob *frame)
{
	struct bench *b = arg;

	(void)peer;
	(void)frame;
	b->pages++;
	ev_break(b->loop, EVBREAK_ALL);
}

static const struct log_ops bench_ops = {
    .on_state = bench_on_state,
    .on_done = bench_on_done,
    .on_batch_end = bench_on_batch_end,
    .on_page = bench_on_page,
};

static void
bench_on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)w;
	(void)revents;
	ev_break(loop, EVBREAK_ALL);
}

static double
bench_cpu_s(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	       (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

static void
bench_clean(const char *dir)
{
	char path[512];
	struct dirent *e;
	DIR *d = opendir(dir);

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		unlink(path);
	}
	closedir(d);
	rmdir(dir);
}

static void
bench_run(const char *parent, enum log_sync sync, int window, double seconds)
{
	static const char *const name[] = {"full", "normal", "off"};
	char dir[256];
	struct bench b = {.loop = ev_loop_new(EVBACKEND_EPOLL)};
	struct log_settings set = {.dir = dir,
	    .name = "bench",
	    .cluster = "bench",
	    .sync = sync,
	    .recent_bytes = LOG_RECENT_BYTES,
	    .keep_days = 90};
	struct log_figures fig;
	ev_timer timer;
	int64_t t0;
	double s, cpu;

	snprintf(dir, sizeof dir, "%s/bench-log-XXXXXX", parent);
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		exit(1);
	}
	buf_init(&b.frame, LINK_FRAME_MAX);
	b.log = log_open(b.loop, &set, &bench_ops, &b);
	ev_timer_init(&timer, bench_on_timer, 5., 0.);
	ev_timer_start(b.loop, &timer);
	while (!b.active)
		ev_run(b.loop, 0);
	ev_timer_stop(b.loop, &timer);
	cpu = bench_cpu_s();
	t0 = clock_mono_us();
	for (int i = 0; i < window; i++)
		bench_send(&b);
	ev_timer_init(&timer, bench_on_timer, seconds, 0.);
	ev_now_update(b.loop);
	ev_timer_start(b.loop, &timer);
	ev_run(b.loop, 0);
	s = (double)(clock_mono_us() - t0) / 1e6;
	cpu = bench_cpu_s() - cpu;
	log_figures(b.log, &fig);
	printf("%-6s %6d %10.0f %8.1f %8.2f %9" PRIu64 " %9" PRIu64 " %7" PRIu64
	       "\n",
	    name[sync], window, (double)b.done / s,
	    (double)fig.items / (double)(fig.commits ? fig.commits : 1),
	    cpu * 1e6 / (double)(b.done ? b.done : 1),
	    histogram_quantile(&b.latency, 0.5),
	    histogram_quantile(&b.latency, 0.99), b.failed);
	fflush(stdout);
	b.stopping = true;
	log_close(b.log);
	buf_fini(&b.frame);
	ev_loop_destroy(b.loop);
	bench_clean(dir);
}

/* one page after the other; recent 0: from the file */
static void
bench_reads(const char *parent, size_t recent)
{
	char dir[256], chan[16];
	struct bench b = {.loop = ev_loop_new(EVBACKEND_EPOLL)};
	struct log_settings set = {.dir = dir,
	    .name = "bench",
	    .cluster = "bench",
	    .sync = LOG_SYNC_NORMAL,
	    .recent_bytes = recent,
	    .keep_days = 90};
	struct f_read q = {.rid = 1, .n = 50, .back = true};
	enum { PAGES = 5000 };
	double cpu;
	int64_t t0;

	snprintf(dir, sizeof dir, "%s/bench-log-XXXXXX", parent);
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		exit(1);
	}
	buf_init(&b.frame, LINK_FRAME_MAX);
	b.log = log_open(b.loop, &set, &bench_ops, &b);
	while (!b.active)
		ev_run(b.loop, 0);
	b.stopping = true; /* nothing is sent for what is done */
	for (int i = 0; i < 100 * ROOMS; i++)
		bench_send(&b);
	while (b.done < 100 * ROOMS)
		ev_run(b.loop, EVRUN_ONCE);
	cpu = bench_cpu_s();
	t0 = clock_mono_us();
	for (unsigned i = 0; i < PAGES; i++) {
		snprintf(chan, sizeof chan, "r:%u", i % ROOMS);
		q.chan = str_of(chan);
		if (log_read(b.log, 1, &q) != 0)
			abort();
		while (b.pages <= i)
			ev_run(b.loop, EVRUN_ONCE);
	}
	printf("page of 50 from %s: %.1f us, cpu %.1f us\n",
	    recent ? "memory" : "the file",
	    (double)(clock_mono_us() - t0) / PAGES,
	    (bench_cpu_s() - cpu) * 1e6 / PAGES);
	log_close(b.log);
	buf_fini(&b.frame);
	ev_loop_destroy(b.loop);
	bench_clean(dir);
}

int
main(int argc, char **argv)
{
	static const int windows[] = {1, 10, 100, 1000};
	const char *dir = argc > 1 ? argv[1] : "/tmp";
	double seconds = argc > 2 ? atof(argv[2]) : 3;

	map_init();
	printf("%-6s %6s %10s %8s %8s %9s %9s %7s\n", "sync", "window",
	    "items/s", "a commit", "cpu us", "p50 us <", "p99 us <", "failed");
	for (int sync = LOG_SYNC_FULL; sync <= LOG_SYNC_NORMAL; sync++)
		for (size_t i = 0; i < ARRAY_LEN(windows); i++)
			bench_run(
			    dir, (enum log_sync)sync, windows[i], seconds);
	bench_reads(dir, 0);
	bench_reads(dir, LOG_RECENT_BYTES);
	return 0;
}
