/* SPDX-License-Identifier: MIT */
/* Log lines can not be forged or flooded; counters render. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "shared/base/err.h"
#include "shared/base/str.h"
#include "shared/proc/clock.h"
#include "shared/proc/log.h"
#include "shared/proc/stats.h"

static char text[65536];

/* what the lines written by fn look like */
static void
capture(void (*fn)(void))
{
	int fds[2], saved = dup(2);
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	fflush(stderr);
	dup2(fds[1], 2);
	close(fds[1]);
	fn();
	dup2(saved, 2);
	close(saved);
	n = read(fds[0], text, sizeof text - 1);
	close(fds[0]);
	text[n > 0 ? n : 0] = '\0';
}

static void
say_evil(void)
{
	log_info("name=%s", "a\nfake line\x1b[31m\x7f");
	log_info("bytes=%s", "\xff\xfe");
	log_info("name=%s", "\xe6\x9e\x97");
}

static void
test_escapes(void **state)
{
	(void)state;
	log_init("msg_server ms1", LOG_LEVEL_INFO);
	capture(say_evil);
	assert_non_null(strstr(text, "msg_server ms1: name=a\\x0afake line"
				     "\\x1b[31m\\x7f\n"));
	assert_non_null(strstr(text, "bytes=\\xff\\xfe\n"));
	assert_non_null(strstr(text, "name=\xe6\x9e\x97\n"));
	unsigned lines = 0;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 3);
}

static void
say_long(void)
{
	char big[5000];

	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	errno = ENOENT;
	log_info("%s", big);
	assert_int_equal(errno, ENOENT);
	log_debug("not shown");
}

static void
test_cut_and_level(void **state)
{
	(void)state;
	capture(say_long);
	assert_in_range(strlen(text), 900, 1030);
	assert_null(strstr(text, "not shown"));
}

static struct log_limit limit;

static void
say_often(void)
{
	clock_test_set(1, 5000);
	for (int i = 0; i < 50; i++)
		log_limited(&limit, LOG_LEVEL_WARN, "again");
	clock_test_set(1, 6000);
	log_limited(&limit, LOG_LEVEL_WARN, "again");
	clock_test_set(0, 0);
}

static void
test_limit(void **state)
{
	unsigned n = 0;

	(void)state;
	capture(say_often);
	for (const char *p = text; (p = strstr(p, ": again\n")); p++)
		n++;
	assert_int_equal(n, 11);
	assert_non_null(strstr(text, "40 similar lines left out"));
}

static void
test_histogram(void **state)
{
	struct histogram h = {{0}, 0, 0};
	struct buf b;

	(void)state;
	assert_int_equal(histogram_quantile(&h, 0.5), 0);
	for (int i = 0; i < 99; i++)
		histogram_add(&h, 100);
	histogram_add(&h, 1000000);
	histogram_add(&h, UINT64_MAX / 4);
	histogram_add(&h, 0);
	assert_int_equal(histogram_quantile(&h, 0.5), 128);
	assert_true(histogram_quantile(&h, 0.999) >= 1000000);
	buf_init(&b, 65536);
	histogram_render(&b, "commit_seconds", "time of a commit", &h);
	buf_putc(&b, '\0');
	assert_non_null(strstr((const char *)buf_p(&b),
	    "cchat_commit_seconds_bucket{le=\"+Inf\"} 102\n"));
	assert_non_null(strstr((const char *)buf_p(&b),
	    "# TYPE cchat_commit_seconds histogram\n"));
	buf_fini(&b);
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
	stats_render(&b, defs, values, 2);
	stats_render_process(&b);
	buf_putc(&b, '\0');
	const char *s = (const char *)buf_p(&b);
	assert_non_null(strstr(s, "# TYPE cchat_msg_connections gauge\n"
				  "cchat_msg_connections 3\n"));
	assert_non_null(
	    strstr(s, "cchat_msg_frames_in_total 18446744073709551615\n"));
	assert_non_null(strstr(s, "cchat_process_resident_bytes "));
	buf_fini(&b);
}

static void
test_levels(void **state)
{
	enum log_level l;

	(void)state;
	assert_true(log_level_parse("debug", &l));
	assert_int_equal(l, LOG_LEVEL_DEBUG);
	assert_false(log_level_parse("loud", &l));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_escapes),
	    cmocka_unit_test(test_cut_and_level), cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_histogram), cmocka_unit_test(test_render),
	    cmocka_unit_test(test_levels)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
