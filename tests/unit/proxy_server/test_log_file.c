/* SPDX-License-Identifier: MIT */
/*
 * messages.db as it is found: new, clean, left by a crash, restored, cut off,
 * foreign, read-only, too new, of another cluster, locked; and the lock, handed
 * over when its holder is killed.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy_server/log_dir.h"
#include "shared/base/map.h"
#include "shared/proc/clock.h"
#include "tests/unit/proxy_server/log_fixture.h"

/* a closed log with n items in r:1 */
static void
make(struct fix *f, unsigned n)
{
	struct f_append a =
	    fix_append("r:1", "1001", NULL, "some text that takes room");

	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(fix_send(f, &a), 0);
	fix_wait_results(f, n);
	fix_close(f);
}

static void
expect_failed(struct fix *f, const char *text, int exit_code)
{
	fix_open(f);
	assert_int_equal(f->state, LOG_FAILED);
	assert_int_equal(f->exit_code, exit_code);
	if (strstr(f->why, text) == NULL)
		fail_msg("\"%s\" says nothing of \"%s\"", f->why, text);
	assert_null(strchr(f->why, '\n'));
	fix_close(f);
}

static void
overwrite(struct fix *f, const char *name, long at, const void *p, size_t n)
{
	char path[128];
	int fd;

	fix_path(f, name, path);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, p, n, at), n);
	close(fd);
}

static void
test_new(void **state)
{
	struct fix *f = *state;
	struct lock_holder h;
	char path[128], name[ID_MAX + 1], ep[EP_LEN + 1];
	int64_t end = clock_mono_ms() + 60000;
	uint64_t start;
	struct stat st;
	int pid;

	f->set.link = "127.0.0.1:9600";
	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
	assert_int_equal(f->gen, 1);
	assert_int_equal(strspn(f->ep, "0123456789abcdef"), EP_LEN);
	/* made when the news is out already */
	fix_path(f, "messages.reserve", path);
	while (stat(path, &st) != 0 || st.st_size != LOG_RESERVE) {
		assert_true(clock_mono_ms() < end);
		fix_turn(f);
	}
	/* the lock file says who */
	assert_int_equal(log_lock_holder(f->dir, &pid, &start, name), 0);
	assert_int_equal(pid, getpid());
	assert_int_equal(start, log_dir_start_time(getpid()));
	assert_true(start > 0);
	assert_string_equal(name, "px1");
	assert_int_equal(log_dir_holder(f->dir, &h), 0);
	assert_int_equal(h.gen, 1);
	assert_string_equal(h.ep, f->ep);
	assert_string_equal(h.link, "127.0.0.1:9600");
	/* a takeover is no new history */
	strcpy(ep, f->ep);
	fix_close(f);
	fix_open(f);
	assert_int_equal(f->gen, 2);
	assert_string_equal(f->ep, ep);
}

static void
test_schema(void **state)
{
	struct fix *f = *state;
	char path[128], mode[16] = "";
	sqlite3_stmt *st;
	sqlite3 *db;

	make(f, 1);
	fix_path(f, "messages.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
			     "SELECT "
			     "(SELECT application_id FROM "
			     "pragma_application_id),"
			     "(SELECT user_version FROM pragma_user_version),"
			     "(SELECT journal_mode FROM pragma_journal_mode),"
			     "(SELECT count(*) FROM pragma_table_list WHERE "
			     "strict AND name IN "
			     "('meta','chan','item','state')),"
			     "(SELECT v FROM meta WHERE k='clean')",
			     -1, &st, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int64(st, 0), 0x63636861);
	assert_int_equal(sqlite3_column_int64(st, 1), 2);
	str_copy(mode, sizeof mode,
	    str_of((const char *)sqlite3_column_text(st, 2)));
	assert_string_equal(mode, "wal");
	assert_int_equal(sqlite3_column_int64(st, 3), 4);
	assert_int_equal(sqlite3_column_int64(st, 4), 1);
	sqlite3_finalize(st);
	sqlite3_close(db);
}

static void
test_foreign(void **state)
{
	struct fix *f = *state;
	char path[128];
	struct stat st;

	overwrite(f, "messages.db", 0, "this is a letter to my aunt", 27);
	expect_failed(f, "not a database of this program", 5);
	/* left as it was */
	fix_path(f, "messages.db", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 27);
	unlink(path);
	fix_sql(f, "CREATE TABLE t(x); PRAGMA application_id=7;");
	expect_failed(f, "another program (application_id 0x00000007)", 5);
}

static void
test_newer(void **state)
{
	struct fix *f = *state;

	make(f, 1);
	fix_sql(f, "PRAGMA user_version=3");
	expect_failed(f, "newer version (schema 3, this program knows 2)", 5);
}

static void
test_other_cluster(void **state)
{
	struct fix *f = *state;

	make(f, 1);
	f->set.cluster = "prod";
	expect_failed(f, "belongs to the cluster test, not to prod", 5);
	f->set.cluster = "test";
	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
}

static void
test_cut_off(void **state)
{
	static const long keep[] = {0, 10, 60, 4096, 20000};
	struct fix *f = *state;
	char path[128];

	make(f, 2000);
	fix_path(f, "messages.db", path);
	fix_copy(f, "messages.db", "whole");
	for (size_t i = 0; i < ARRAY_LEN(keep); i++) {
		fix_copy(f, "whole", "messages.db");
		assert_int_equal(truncate(path, keep[i]), 0);
		expect_failed(f, keep[i] == 0 ? "cut off" : "restore it", 5);
	}
	fix_copy(f, "whole", "messages.db");
	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
	assert_int_equal(fix_do_touch(f, "r:1", false)->head, 2000);
}

/* the database is gone but not its journal: no fresh start over that */
static void
test_missing(void **state)
{
	struct fix *f = *state;
	char path[128];

	overwrite(f, "messages.db-wal", 0, "x", 1);
	expect_failed(f, "missing, but its -wal", 5);
	fix_path(f, "messages.db-wal", path);
	assert_int_equal(unlink(path), 0);
	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
}

static void
test_corrupt_schema(void **state)
{
	struct fix *f = *state;
	char junk[2000];

	make(f, 10);
	memset(junk, 0x5a, sizeof junk);
	overwrite(f, "messages.db", 100, junk, sizeof junk);
	expect_failed(f, "corrupt", 5);
	assert_non_null(strstr(f->why, "restore it from a backup"));
}

/* the smallest damages: one byte of the header, a number that is none */
static void
test_corrupt_words(void **state)
{
	struct fix *f = *state;

	make(f, 3);
	fix_copy(f, "messages.db", "whole");
	overwrite(f, "messages.db", 47, "\x44", 1); /* the schema's format */
	expect_failed(f, "corrupt", 5);
	fix_copy(f, "whole", "messages.db");
	fix_sql(f, "UPDATE meta SET v='1x' WHERE k='gen'");
	expect_failed(f, "corrupt", 5);
}

static void
test_corrupt_counters(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "c", "x");

	make(f, 3);
	fix_sql(f, "UPDATE chan SET first=9");
	fix_open(f);
	assert_int_equal(fix_do(f, &a)->code, 503);
	assert_true(fix_wait_state(f, LOG_FAILED));
	assert_int_equal(f->exit_code, 5);
	assert_non_null(strstr(f->why, "corrupt"));
	fix_close(f);
	/* an ep that is none is drawn again */
	fix_sql(
	    f, "UPDATE chan SET first=1; UPDATE meta SET v='x' WHERE k='ep'");
	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
	assert_int_equal(strspn(f->ep, "0123456789abcdef"), EP_LEN);
	assert_int_equal(fix_do(f, &a)->seq, 4);
}

/* found only when it is read: the log ends then */
static void
test_corrupt_later(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "c", "x");
	char junk[4096], path[128];
	struct stat st;

	make(f, 2000);
	memset(junk, 0x5a, sizeof junk);
	fix_path(f, "messages.db", path);
	assert_int_equal(stat(path, &st), 0);
	/* all but the schema's and the tables' first pages */
	for (long at = 5L * 4096; at < st.st_size; at += 4096)
		overwrite(f, "messages.db", at, junk, sizeof junk);
	fix_open(f);
	if (f->state == LOG_ACTIVE) {
		assert_int_equal(fix_send(f, &a), 0);
		assert_true(fix_wait_state(f, LOG_FAILED));
		fix_wait_results(f, 1);
		assert_int_equal(f->res[0].code, 503);
	}
	assert_int_equal(f->state, LOG_FAILED);
	assert_int_equal(f->exit_code, 5);
	assert_non_null(strstr(f->why, "corrupt"));
	assert_int_equal(fix_send(f, &a), ERR_BUSY);
}

/* rights are judged as somebody without root's */
static void
as_nobody(struct fix *f, const char *text)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (getuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(9);
		ev_loop_fork(f->loop);
		fix_open(f);
		if (f->state != LOG_FAILED || f->exit_code != 5 ||
		    strstr(f->why, text) == NULL) {
			fprintf(stderr, "# %d: %s\n", f->state, f->why);
			_exit(1);
		}
		log_close(f->log);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_read_only(void **state)
{
	struct fix *f = *state;
	char path[128];

	make(f, 1);
	fix_path(f, "messages.lock", path);
	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(chmod(path, 0666), 0);
	fix_path(f, "messages.db", path);
	assert_int_equal(chmod(path, 0444), 0);
	as_nobody(f, "messages.db: can't be written");
	fix_path(f, "messages.lock", path);
	assert_int_equal(chmod(path, 0444), 0);
	as_nobody(f, "messages.lock: Permission denied");
	assert_int_equal(chmod(f->dir, 0700), 0);
}

/* another copy of the past under a lock file that knows better */
static void
test_restored(void **state)
{
	struct fix *f = *state;
	char ep[EP_LEN + 1];

	make(f, 5);
	strcpy(ep, f->ep);
	fix_copy(f, "messages.db", "backup");
	make(f, 5);
	make(f, 5);
	assert_int_equal(f->gen, 3);
	assert_string_equal(f->ep, ep);
	fix_copy(f, "backup", "messages.db");
	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
	assert_int_equal(f->gen, 4);
	assert_string_not_equal(f->ep, ep);
	assert_int_equal(fix_do_touch(f, "r:1", false)->head, 5);
}

/* a copy of the same generation is known by a subscriber who is ahead of it */
static void
test_subscriber_ahead(void **state)
{
	struct fix *f = *state;
	char ep[EP_LEN + 1];
	unsigned n;

	make(f, 5);
	fix_open(f);
	strcpy(ep, f->ep);
	n = f->n_news;
	fix_touch(f, "r:1", 5, ep, false);
	fix_touch(f, "r:1", 99, "00000000", false);
	fix_touch(f, "r:1", SUB_HEAD, NULL, false);
	fix_wait_results(f, 3);
	assert_int_equal(f->n_news, n);
	fix_touch(f, "r:1", 6, ep, false);
	fix_wait_results(f, 4);
	assert_int_equal(f->n_news, n + 1);
	assert_int_equal(f->state, LOG_ACTIVE);
	assert_int_equal(f->gen, 2);
	assert_string_not_equal(f->ep, ep);
	/* it is kept */
	strcpy(ep, f->ep);
	fix_close(f);
	fix_open(f);
	assert_string_equal(f->ep, ep);
}

/* ep after an unclean end, by sync and by whether the machine went down */
static void
crash(struct fix *f, const char *boot, const char *sync, bool redrawn)
{
	char text[256], ep[EP_LEN + 1], now[BOOT_ID_LEN + 1];

	make(f, 1);
	strcpy(ep, f->ep);
	log_dir_boot_id(now);
	snprintf(text, sizeof text,
	    "UPDATE meta SET v=0 WHERE k='clean';"
	    "UPDATE meta SET v='%s' WHERE k='boot_id';"
	    "UPDATE meta SET v='%s' WHERE k='sync'",
	    boot != NULL ? boot : now, sync);
	fix_sql(f, text);
	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
	if (redrawn)
		assert_string_not_equal(f->ep, ep);
	else
		assert_string_equal(f->ep, ep);
	fix_close(f);
}

static void
test_unclean(void **state)
{
	static const char other[] = "0f0f0f0f-0000-0000-0000-000000000000";
	struct fix *f = *state;

	crash(f, NULL, "full", false);
	crash(f, NULL, "normal", false);
	crash(f, NULL, "off", false);
	crash(f, other, "full", false);
	crash(f, other, "normal", true);
	crash(f, other, "off", true);
}

static void
test_network_fs(void **state)
{
	char why[200];

	(void)state;
	assert_string_equal(log_dir_refuses(0x6969), "NFS");
	assert_string_equal(log_dir_refuses(0xff534d42), "CIFS");
	assert_string_equal(
	    log_dir_refuses((unsigned long)(int)0xff534d42), "CIFS");
	assert_string_equal(log_dir_refuses(0x01021997), "9p");
	assert_string_equal(log_dir_refuses(0x65735546), "FUSE");
	assert_null(log_dir_refuses(0xef53));	  /* ext */
	assert_null(log_dir_refuses(0x01021994)); /* tmpfs */
	assert_null(log_dir_refuses(0x794c7630)); /* overlay */
	assert_int_equal(log_dir_check("/nowhere", why, sizeof why), ERR_IO);
	assert_non_null(strstr(why, "/nowhere"));
}

/* an end before the lock is had, and one while waiting for it */
static void
test_close_waiting(void **state)
{
	struct fix *f = *state;
	struct fix g = *f;

	fix_start(f);
	fix_close(f);
	fix_open(f);
	fix_start(&g);
	assert_true(fix_wait_state(&g, LOG_WAITING));
	assert_non_null(strstr(g.why, "px1 (pid "));
	fix_close(&g);
	assert_int_equal(f->state, LOG_ACTIVE);
	free(g.res);
}

/* a child that holds the log, appends without end and says what is acked */
static pid_t
start_holder(struct fix *f, int *out)
{
	int p[2];
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		unsigned told = 0;

		close(p[0]);
		ev_loop_fork(f->loop);
		fix_open(f);
		for (unsigned i = 0;; i++) {
			struct f_append a;
			char cid[16];

			snprintf(cid, sizeof cid, "k%u", i);
			a = fix_append("r:1", "1001", cid, cid);
			if (fix_send(f, &a) != 0)
				_exit(3);
			if (i % 8 == 7)
				fix_turn(f);
			for (; told < f->n_res; told++)
				if (f->res[told].code != 200 ||
				    write(p[1], &f->res[told].seq, 8) != 8)
					_exit(4);
		}
	}
	close(p[1]);
	*out = p[0];
	return pid;
}

static void
test_takeover(void **state)
{
	struct fix *f = *state;
	uint64_t acked = 0, seq, head;
	int64_t t0;
	int out, status;
	pid_t pid = start_holder(f, &out);
	struct f_append a;
	struct item items[FIX_PAGE_MAX];
	struct f_read q = {.rid = 1, .chan = STR_LIT("r:1"), .n = 1};
	char cid[24];

	while (acked < 200 && read(out, &seq, 8) == 8)
		acked = seq;
	assert_int_equal(acked, 200);
	fix_start(f);
	assert_true(fix_wait_state(f, LOG_WAITING));
	t0 = clock_mono_ms();
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_true(fix_wait_state(f, LOG_ACTIVE));
	assert_true(clock_mono_ms() - t0 < 30000);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	while (read(out, &seq, 8) == 8) {
		assert_int_equal(seq, acked + 1);
		acked = seq;
	}
	close(out);
	assert_int_equal(f->gen, 2);
	head = fix_do_touch(f, "r:1", false)->head;
	assert_true(head >= acked);
	/* what was acked is there, and its repeat is known */
	q.from = q.to = acked;
	assert_int_equal(fix_read(f, &q, items).n_items, 1);
	snprintf(cid, sizeof cid, "k%d", (int)acked - 1);
	assert_true(str_eqc(items[0].cid, cid));
	assert_int_equal(items[0].flags & ITEM_F_LOST, 0);
	a = fix_append("r:1", "1001", cid, cid);
	assert_true(fix_do(f, &a)->dup);
	assert_int_equal(fix_last(f)->seq, acked);
	a = fix_append("r:1", "1001", "new", "new");
	assert_int_equal(fix_do(f, &a)->seq, head + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, fix_setup, fix_teardown)
	    T(test_new),
	    T(test_schema),
	    T(test_foreign),
	    T(test_newer),
	    T(test_other_cluster),
	    T(test_cut_off),
	    T(test_missing),
	    T(test_corrupt_schema),
	    T(test_corrupt_words),
	    T(test_corrupt_counters),
	    T(test_corrupt_later),
	    T(test_read_only),
	    T(test_restored),
	    T(test_subscriber_ahead),
	    T(test_unclean),
	    T(test_network_fs),
	    T(test_close_waiting),
	    T(test_takeover),
#undef T
	};

	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
