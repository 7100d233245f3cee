/* SPDX-License-Identifier: MIT */
/* Prometheus text: exactly what is scraped; histograms at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/err.h"
#include "shared/proc/stats.h"

static const char *
text_of(struct buf *b)
{
	buf_putc(b, '\0');
	assert_true(buf_ok(b));
	return (const char *)buf_p(b);
}

static void
test_render(void **state)
{
	static const struct stat_def defs[] = {
	    {"msg_connections", STAT_GAUGE, "open connections"},
	    {"msg_frames_in_total", STAT_COUNTER, "frames"}};
	uint64_t values[] = {3, UINT64_MAX};
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	stats_render(&b, defs, values, 0);
	assert_int_equal(buf_len(&b), 0);
	stats_render(&b, defs, values, 2);
	assert_string_equal(text_of(&b),
	    "# HELP cchat_msg_connections open connections\n"
	    "# TYPE cchat_msg_connections gauge\n"
	    "cchat_msg_connections 3\n"
	    "# HELP cchat_msg_frames_in_total frames\n"
	    "# TYPE cchat_msg_frames_in_total counter\n"
	    "cchat_msg_frames_in_total 18446744073709551615\n");
	buf_fini(&b);
}

static unsigned
open_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
test_process(void **state)
{
	unsigned long long resident, fds;
	FILE *f = fopen("/dev/null", "r");
	const char *s;
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	stats_render_process(&b);
	s = text_of(&b);
	s = strstr(s, "\ncchat_process_resident_bytes ");
	assert_non_null(s);
	resident = strtoull(strchr(s, ' '), NULL, 10);
	assert_true(resident > 100000);
	s = strstr(s, "\ncchat_process_open_fds ");
	assert_non_null(s);
	fds = strtoull(strchr(s, ' '), NULL, 10);
	assert_int_equal(fds, open_fds());
	assert_non_null(strstr(s, "\ncchat_process_cpu_seconds_total "));
	fclose(f);
	buf_reset(&b);
	stats_render_process(&b);
	s = strstr(text_of(&b), "\ncchat_process_open_fds ");
	assert_int_equal(strtoull(strchr(s, ' '), NULL, 10), fds - 1);
	buf_fini(&b);
}

/* bucket i holds what is under 2^i microseconds, the last one all the rest */
static void
test_buckets(void **state)
{
	static const struct {
		uint64_t us;
		unsigned bucket;
	} t[] = {{0, 0}, {1, 1}, {2, 2}, {3, 2}, {4, 3}, {1023, 10}, {1024, 11},
	    {(1ull << 30) - 1, 30}, {1ull << 30, 31}, {1ull << 31, 31},
	    {UINT64_MAX, 31}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct histogram h = {{0}, 0, 0};

		histogram_add(&h, t[i].us);
		assert_int_equal(h.bucket[t[i].bucket], 1);
		assert_int_equal(h.n, 1);
		assert_true(h.sum_us == t[i].us);
	}
}

static void
test_quantile(void **state)
{
	struct histogram h = {{0}, 0, 0};

	(void)state;
	assert_int_equal(histogram_quantile(&h, 0.5), 0);
	for (int i = 0; i < 99; i++)
		histogram_add(&h, 100);
	histogram_add(&h, 1000000);
	assert_int_equal(histogram_quantile(&h, 0), 128);
	assert_int_equal(histogram_quantile(&h, 0.5), 128);
	assert_int_equal(histogram_quantile(&h, 0.98), 128);
	assert_int_equal(histogram_quantile(&h, 0.99), 1 << 20);
	assert_int_equal(histogram_quantile(&h, 1), 1 << 20);
}

static void
test_histogram(void **state)
{
	struct histogram h = {{0}, 0, 0};
	const char *s, *p;
	unsigned long long last = 0;
	unsigned rows = 0;
	struct buf b;

	(void)state;
	for (uint64_t us = 1; us < 1ull << 40; us *= 3)
		histogram_add(&h, us);
	buf_init(&b, 65536);
	histogram_render(&b, "commit_seconds", "time of a commit", &h);
	s = text_of(&b);
	assert_true(!strncmp(s,
	    "# HELP cchat_commit_seconds time of a commit\n"
	    "# TYPE cchat_commit_seconds histogram\n",
	    83));
	assert_non_null(strstr(s, "_bucket{le=\"0.000001\"} 0\n"));
	assert_non_null(strstr(s, "_bucket{le=\"0.000002\"} 1\n"));
	assert_non_null(strstr(s, "_bucket{le=\"1.048576\"} 13\n"));
	assert_non_null(strstr(s, "_bucket{le=\"+Inf\"} 26\n"));
	assert_non_null(strstr(s, "cchat_commit_seconds_count 26\n"));
	assert_non_null(strstr(s, "cchat_commit_seconds_sum "));
	/* cumulative, so that a scraper's arithmetic holds */
	for (p = s; (p = strstr(p, "} ")); rows++, p++) {
		unsigned long long v = strtoull(p + 2, NULL, 10);

		assert_true(v >= last);
		last = v;
	}
	assert_int_equal(rows, 32);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_render),
	    cmocka_unit_test(test_process),
	    cmocka_unit_test(test_buckets),
	    cmocka_unit_test(test_quantile),
	    cmocka_unit_test(test_histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
