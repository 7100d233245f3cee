/* SPDX-License-Identifier: MIT */
/*
 * How many items a second the log takes, by the number of appends that are
 * outstanding at any time (closed loop) and by the synchronous setting. Not
 * part of `make check`:
 *
 *	make tests/bench/bench_log && tests/bench/bench_log [DIR] [SECONDS]
 *	tests/bench/bench_log --history [DIR] [MESSAGES] [ROOMS]
 *
 * Items of 100 bytes in 100 rooms, each with a cid, through log_submit() and
 * back through on_done: what a proxy does but for the links.
 *
 * --history: how long the newest 50 items of a room take, and how many such
 * pages a second holds with 16 of them under way, as JSON lines: from the file
 * (rooms drawn by lot that memory has no longer, each read once before, so the
 * system has it in its cache), then from memory (a tenth of the rooms, where
 * the last tenth was said). 1,000,000 messages, 10,000 rooms. Status 3 when a
 * page was not whole, or did not come from there.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proxy_server/log.h"
#include "shared/base/digest.h"
#include "shared/base/err.h"
#include "shared/base/map.h"
#include "shared/proc/clock.h"
#include "shared/proto/link.h"

enum { ROOMS = 100, WINDOW_MAX = 1000 };
enum { PAGE_ITEMS = 50, PAGES_AHEAD = 16, PAGES_TIMED = 20000 };

struct bench {
	struct ev_loop *loop;
	struct log *log;
	uint64_t req, done, failed;
	int64_t sent_us[WINDOW_MAX * 2]; /* by req */
	struct histogram latency;
	bool active, stopping;
	struct buf frame;
	uint64_t first_room, rooms, in_a_row; /* where messages go */
	unsigned pages, broken;		      /* read */
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
	snprintf(chan, sizeof chan, "r:%" PRIu64,
	    b->first_room + b->req / b->in_a_row % b->rooms);
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
	struct f_page page;
	struct str rest;

	(void)peer;
	if (get_page(str_n((const char *)frame->bytes + LINK_HEAD,
			 frame->len - LINK_HEAD - 4),
		&page, &rest) != 0 ||
	    page.code != 200 || page.n_items != PAGE_ITEMS)
		b->broken++;
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

/* a log in a directory of its own, open; dir has 256 */
static void
bench_open(struct bench *b, const char *parent, char *dir, enum log_sync sync,
    size_t recent)
{
	struct log_settings set = {.dir = dir,
	    .name = "bench",
	    .cluster = "bench",
	    .sync = sync,
	    .recent_bytes = recent,
	    .keep_days = 90};

	snprintf(dir, 256, "%s/bench-log-XXXXXX", parent);
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		exit(1);
	}
	*b = (struct bench){.loop = ev_loop_new(EVBACKEND_EPOLL),
	    .rooms = ROOMS,
	    .in_a_row = 1};
	ev_ref(b->loop); /* for the log alone it would not wait, but spin */
	buf_init(&b->frame, LINK_FRAME_MAX);
	b->log = log_open(b->loop, &set, &bench_ops, b);
	while (!b->active)
		ev_run(b->loop, 0);
}

static void
bench_close(struct bench *b, const char *dir)
{
	b->stopping = true;
	log_close(b->log);
	buf_fini(&b->frame);
	ev_loop_destroy(b->loop);
	bench_clean(dir);
}

static void
bench_run(const char *parent, enum log_sync sync, int window, double seconds)
{
	static const char *const name[] = {"full", "normal", "off"};
	char dir[256];
	struct bench b;
	struct log_figures fig;
	ev_timer timer;
	int64_t t0;
	double s, cpu;

	bench_open(&b, parent, dir, sync, LOG_RECENT_BYTES);
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
	bench_close(&b, dir);
}

/* n messages to rooms, one after the other, as many under way as are waited
 * for elsewhere */
static void
bench_fill(struct bench *b, uint64_t first, uint64_t rooms, uint64_t n)
{
	uint64_t until = b->req + n;

	b->first_room = first;
	b->rooms = rooms;
	b->stopping = true; /* nothing is sent for what is done */
	while (b->done < until) {
		while (b->req < until && b->req - b->done < WINDOW_MAX)
			bench_send(b);
		ev_run(b->loop, EVRUN_ONCE);
	}
}

/* n pages of rooms by lot, so many at once; the time of each into us, if they
 * are read one by one */
static void
bench_pages(struct bench *b, const uint64_t *room, size_t rooms, unsigned n,
    unsigned ahead, double *us)
{
	struct f_read q = {.rid = 1, .n = PAGE_ITEMS, .back = true};
	unsigned asked = 0, was;
	char chan[24];
	int64_t t0 = 0;

	b->pages = 0;
	while (b->pages < n) {
		was = b->pages;
		while (asked < n && asked - b->pages < ahead) {
			snprintf(chan, sizeof chan, "r:%" PRIu64,
			    room[(size_t)random() % rooms]);
			q.chan = str_of(chan);
			t0 = clock_mono_us();
			asked++;
			if (log_read(b->log, 1, &q) != 0)
				abort();
		}
		while (b->pages == was)
			ev_run(b->loop, EVRUN_ONCE);
		if (us != NULL)
			us[b->pages - 1] = (double)(clock_mono_us() - t0);
	}
}

/* those of the rooms, each read once, that are answered from memory, or not;
 * how many */
static size_t
bench_sort_out(struct bench *b, uint64_t first, uint64_t rooms, bool memory,
    uint64_t *room)
{
	struct log_figures was, is;
	uint64_t i;
	size_t n = 0;

	for (i = first; i < first + rooms; i++) {
		log_figures(b->log, &was);
		bench_pages(b, &i, 1, 1, 1, NULL);
		log_figures(b->log, &is);
		if ((is.reads_recent > was.reads_recent) == memory)
			room[n++] = i;
	}
	return n;
}

static int
bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int
bench_history_of(struct bench *b, const char *from, const uint64_t *room,
    size_t rooms, uint64_t messages)
{
	static double us[PAGES_TIMED];
	struct log_figures was, is;
	uint64_t file, memory;
	double s, cpu;
	int64_t t0;
	bool wrong;

	if (rooms == 0) {
		fprintf(stderr, "bench_log: no room is read from %s\n", from);
		return 3;
	}
	log_figures(b->log, &was);
	bench_pages(b, room, rooms, PAGES_TIMED, 1, us);
	qsort(us, PAGES_TIMED, sizeof us[0], bench_compare);
	cpu = bench_cpu_s();
	t0 = clock_mono_us();
	bench_pages(b, room, rooms, PAGES_TIMED, PAGES_AHEAD, NULL);
	s = (double)(clock_mono_us() - t0) / 1e6;
	cpu = bench_cpu_s() - cpu;
	log_figures(b->log, &is);
	file = is.reads - was.reads;
	memory = is.reads_recent - was.reads_recent;
	wrong = b->broken > 0 || (strcmp(from, "file") == 0 ? memory : file);
	printf("{\"scene\":\"history-%s\",\"status\":%d,\"mode\":"
	       "\"history\",\"messages\":%" PRIu64 ",\"rooms\":%zu"
	       ",\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"max_ms\":%.3f,"
	       "\"pages_per_s\":%.0f,\"cpu_us_per_page\":%.1f,"
	       "\"broken\":%u,\"from_file\":%" PRIu64
	       ",\"from_memory\":%" PRIu64 "}\n",
	    from, wrong ? 3 : 0, messages, rooms, us[PAGES_TIMED / 2] / 1e3,
	    us[PAGES_TIMED / 100 * 99] / 1e3, us[PAGES_TIMED - 1] / 1e3,
	    PAGES_TIMED / s, cpu * 1e6 / PAGES_TIMED, b->broken, file, memory);
	fflush(stdout);
	b->broken = 0;
	return wrong ? 3 : 0;
}

static int
bench_history(const char *parent, uint64_t messages, uint64_t rooms)
{
	uint64_t active = rooms / 10, last = messages / 10, *room;
	char dir[256];
	struct bench b;
	size_t n;
	int status;

	if (active == 0 || (messages - last) / rooms <= PAGE_ITEMS) {
		fprintf(stderr, "bench_log: too few messages a room\n");
		return 2;
	}
	/* 64 MiB for a million: holds the active rooms, and few others */
	bench_open(&b, parent, dir, LOG_SYNC_OFF, messages * 64);
	b.in_a_row = 10;
	bench_fill(&b, 0, rooms, messages - last);
	bench_fill(&b, 0, active, last);
	room = xcalloc(rooms, sizeof *room);
	n = bench_sort_out(&b, active, rooms - active, false, room);
	status = bench_history_of(&b, "file", room, n, messages);
	n = bench_sort_out(&b, 0, active, true, room);
	status |= bench_history_of(&b, "memory", room, n, messages);
	free(room);
	if (b.failed > 0) {
		fprintf(stderr, "bench_log: %" PRIu64 " appends failed\n",
		    b.failed);
		status = 3;
	}
	bench_close(&b, dir);
	return status;
}

int
main(int argc, char **argv)
{
	static const int windows[] = {1, 10, 100, 1000};
	bool history = argc > 1 && strcmp(argv[1], "--history") == 0;
	const char *dir;
	double seconds;

	map_init();
	argv += history;
	argc -= history;
	dir = argc > 1 ? argv[1] : "/tmp";
	if (history)
		return bench_history(dir,
		    argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000,
		    argc > 3 ? strtoull(argv[3], NULL, 10) : 10000);
	seconds = argc > 2 ? atof(argv[2]) : 3;
	printf("%-6s %6s %10s %8s %8s %9s %9s %7s\n", "sync", "window",
	    "items/s", "a commit", "cpu us", "p50 us <", "p99 us <", "failed");
	for (int sync = LOG_SYNC_FULL; sync <= LOG_SYNC_NORMAL; sync++)
		for (size_t i = 0; i < ARRAY_LEN(windows); i++)
			bench_run(
			    dir, (enum log_sync)sync, windows[i], seconds);
	return 0;
}
