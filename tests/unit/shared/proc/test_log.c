/* SPDX-License-Identifier: MIT */
/* Log lines can not be forged, flooded, mixed or cut in the middle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/err.h"
#include "shared/base/str.h"
#include "shared/proc/clock.h"
#include "shared/proc/log.h"
#include "tests/unit/shared/proc/child.h"

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
	log_info("%s", big);
	log_debug("not shown");
}

/* errno is kept even when there is nowhere to write */
static void
test_errno(void **state)
{
	int saved = dup(2);

	(void)state;
	close(2);
	errno = ENOENT;
	log_info("lost");
	if (dup2(saved, 2) < 0)
		abort();
	assert_int_equal(errno, ENOENT);
	close(saved);
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

/* every byte alone; half code points; C1, which a terminal obeys like ESC [ */
static void
say_bytes(void)
{
	char one[2] = "", half[64];

	for (int c = 1; c < 256; c++) {
		one[0] = (char)c;
		log_info("%s", one);
	}
	log_info("%s", "\xc2\x9b"
		       "31m|\xc2\xa0|\xe4\xbd|\xe4\xbd\xa0");
	snprintf(half, sizeof half, "%s", "ok \xf0\x9f\x98\x80 \xff end");
	log_info("%s", half);
}

static void
test_bytes(void **state)
{
	const char *p;
	unsigned lines = 0;

	(void)state;
	log_init("x", LOG_LEVEL_INFO);
	capture(say_bytes);
	for (p = text; *p; p++) {
		uint8_t c = (uint8_t)*p;

		lines += c == '\n';
		assert_true(c == '\n' || (c >= 0x20 && c != 0x7f));
	}
	assert_int_equal(lines, 257);
	assert_non_null(strstr(text, "x: \\x01\n"));
	assert_non_null(strstr(text, "x: \\xff\n"));
	assert_non_null(strstr(text, "x: ~\n"));
	assert_non_null(strstr(text, "\\xc2\\x9b31m|\xc2\xa0|\\xe4\\xbd|"
				     "\xe4\xbd\xa0\n"));
	/* one bad byte spoils nothing but itself */
	assert_non_null(strstr(text, "ok \xf0\x9f\x98\x80 \\xff end\n"));
}

static void
say_wide(void)
{
	char big[3000];

	for (size_t i = 0; i + 3 < sizeof big; i += 3)
		memcpy(big + i, "\xe4\xbd\xa0", 4);
	for (size_t k = 0; k < 4; k++)
		log_info("%.*s%s", (int)k, "xxx", big);
	memset(big, 1, sizeof big - 1);
	big[sizeof big - 1] = '\0';
	log_info("%s", big);
}

/* a cut falls between code points and between escapes */
static void
test_cut_wide(void **state)
{
	char *line, *rest = text;

	(void)state;
	capture(say_wide);
	for (int i = 0; i < 5; i++) {
		line = strsep(&rest, "\n");
		assert_non_null(rest);
		assert_in_range(strlen(line), 900, 1024);
		if (i < 4)
			assert_null(strstr(line, "\\x"));
		else
			assert_string_equal(
			    line + strlen(line) - 8, "\\x01\\x01");
	}
	assert_string_equal(rest, "");
}

static void
say_journal(void)
{
	struct stat st;
	char stream[64];

	fstat(2, &st);
	snprintf(stream, sizeof stream, "%llu:%llu",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init("ms1", LOG_LEVEL_DEBUG);
	log_err("a");
	log_warn("b");
	log_info("c");
	log_debug("d");
	/* inherited, but stderr goes elsewhere */
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_init("ms1", LOG_LEVEL_INFO);
	log_err("e");
	unsetenv("JOURNAL_STREAM");
}

static void
test_journal(void **state)
{
	static const char want[] =
	    "<3>ms1: a\n<4>ms1: b\n<6>ms1: c\n<7>ms1: d\n2";

	(void)state;
	capture(say_journal);
	assert_memory_equal(text, want, sizeof want - 1);
	assert_non_null(strstr(text, "Z error ms1: e\n"));
}

static void *
say_many(void *arg)
{
	for (int i = 0; i < 100; i++)
		log_info("thread %s says a whole line", (const char *)arg);
	return NULL;
}

static void
say_threads(void)
{
	pthread_t a, b;

	pthread_create(&a, NULL, say_many, (void *)(uintptr_t) "a");
	pthread_create(&b, NULL, say_many, (void *)(uintptr_t) "b");
	log_set_level(LOG_LEVEL_DEBUG);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	log_set_level(LOG_LEVEL_INFO);
}

static void
test_threads(void **state)
{
	char *line, *rest = text;
	unsigned n = 0;

	(void)state;
	capture(say_threads);
	while ((line = strsep(&rest, "\n")) && line[0]) {
		assert_true(strlen(line) > 40);
		assert_string_equal(
		    line + strlen(line) - 17, "says a whole line");
		n++;
	}
	assert_int_equal(n, 200);
}

static void
fatal_in_child(void *arg)
{
	log_init("prog", LOG_LEVEL_ERR);
	fatal(EXIT_DATA, "%s is %d", (const char *)arg, 7);
}

static void
test_fatal(void **state)
{
	(void)state;
	assert_int_equal(
	    child_run(fatal_in_child, (void *)(uintptr_t) "it"), EXIT_DATA);
	assert_string_equal(child_text, "prog: it is 7\n");
}

static void
test_levels(void **state)
{
	enum log_level l;

	(void)state;
	assert_true(log_level_parse("debug", &l));
	assert_int_equal(l, LOG_LEVEL_DEBUG);
	assert_true(log_level_parse("err", &l));
	assert_int_equal(l, LOG_LEVEL_ERR);
	assert_true(log_level_parse("error", &l));
	assert_int_equal(l, LOG_LEVEL_ERR);
	assert_false(log_level_parse("loud", &l));
	assert_false(log_level_parse("", &l));
}

static char log_path[] = "/tmp/cchat-log-XXXXXX";

static void
say_one(void)
{
	log_info("one");
}

static size_t
lines_of(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n = 0;
	int c;

	while (f != NULL && (c = fgetc(f)) != EOF)
		n += c == '\n';
	if (f != NULL)
		fclose(f);
	return n;
}

/* both while it starts, then the file alone, anew where it was moved away */
static void
test_file(void **state)
{
	char old[64];

	(void)state;
	close(mkstemp(log_path));
	snprintf(old, sizeof old, "%s.1", log_path);
	log_setup("msg_server ms1", "info", log_path);
	capture(say_one);
	assert_non_null(strstr(text, "one\n"));
	assert_int_equal(lines_of(log_path), 1);
	log_started();
	capture(say_one);
	assert_string_equal(text, "");
	assert_int_equal(lines_of(log_path), 2);

	assert_int_equal(rename(log_path, old), 0);
	capture(say_one);
	assert_int_equal(lines_of(old), 3);
	assert_int_equal(log_reopen(), 0);
	capture(say_one);
	assert_int_equal(lines_of(old), 3);
	assert_int_equal(lines_of(log_path), 1);

	/* no such folder: as before */
	assert_int_equal(log_file("/tmp/cchat-no-such-folder/x.log"), -1);
	assert_int_equal(errno, ENOENT);
	capture(say_one);
	assert_int_equal(lines_of(log_path), 2);
	assert_int_equal(log_file("-"), 0);
	capture(say_one);
	assert_non_null(strstr(text, "one\n"));
	assert_int_equal(lines_of(log_path), 2);
	unlink(log_path);
	unlink(old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_escapes),
	    cmocka_unit_test(test_cut_and_level), cmocka_unit_test(test_errno),
	    cmocka_unit_test(test_limit), cmocka_unit_test(test_bytes),
	    cmocka_unit_test(test_cut_wide), cmocka_unit_test(test_journal),
	    cmocka_unit_test(test_threads), cmocka_unit_test(test_fatal),
	    cmocka_unit_test(test_levels), cmocka_unit_test(test_file)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
