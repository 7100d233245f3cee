/* SPDX-License-Identifier: MIT */
/*
 * Backups made while the log goes on, refusals, and the way back: what a
 * restored log is, and that it is known to be another history.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy_server/log_backup.h"
#include "shared/base/map.h"
#include "shared/proc/clock.h"
#include "tests/unit/proxy_server/log_fixture.h"

static struct item items[FIX_PAGE_MAX];

/* n more items of `size` bytes; waits for the answers */
static void
fill(struct fix *f, const char *chan, unsigned n, size_t size)
{
	unsigned had = f->n_res;
	char *text = calloc(1, size + 1);

	memset(text, 'z', size);
	for (unsigned i = 0; i < n; i++) {
		struct f_append a = fix_append(chan, "1001", NULL, text);

		assert_int_equal(fix_send(f, &a), 0);
		if (i % 100 == 99)
			fix_wait_results(f, had + i + 1);
	}
	fix_wait_results(f, had + n);
	free(text);
}

static int
backup_wait(struct fix *f, unsigned n)
{
	int64_t end = clock_mono_ms() + 60000;

	while (f->n_backups < n) {
		assert_true(clock_mono_ms() < end);
		fix_turn(f);
	}
	return f->backup.err;
}

static int
backup(struct fix *f, const char *name, char path[128])
{
	unsigned n = f->n_backups;

	fix_path(f, name, path);
	assert_int_equal(log_backup(f->log, 99, path), 0);
	return backup_wait(f, n + 1);
}

static bool
is_there(struct fix *f, const char *name)
{
	char path[128];

	fix_path(f, name, path);
	return access(path, F_OK) == 0;
}

/* another log with that file as its messages.db */
static void
open_copy(struct fix *f, struct fix *g, const char *name)
{
	char to[128], from[128];

	memset(g, 0, sizeof *g);
	fix_init(g);
	fix_path(g, "messages.db", to);
	fix_path(f, name, from);
	assert_int_equal(rename(from, to), 0);
	fix_open(g);
}

static void
test_online(void **state)
{
	struct fix *f = *state, g;
	struct f_read q = {.rid = 1, .chan = STR_LIT("r:1"), .n = 1000};
	unsigned had, heads, reads = 0;
	char path[128], ep[EP_LEN + 1];
	struct stat st;
	struct f_page p;

	fill(f, "r:1", 50, 10);
	fill(f, "r:2", 600, 20000);
	fix_path(f, "copy", path);
	had = f->n_res;
	assert_int_equal(log_backup(f->log, 99, path), 0);
	assert_int_equal(log_backup(f->log, 98, path), ERR_BUSY);
	/* commits and reads go on between its steps */
	for (unsigned i = 0; f->n_backups == 0; i++) {
		struct f_append a = fix_append("r:3", "1001", NULL, "more");

		assert_true(i < 100000);
		assert_int_equal(fix_send(f, &a), 0);
		fix_wait_results(f, had + i + 1);
		if (i % 4 == 0 && f->n_backups == 0) {
			assert_int_equal(fix_read(f, &q, items).n_items, 50);
			reads += f->n_backups == 0;
		}
	}
	assert_int_equal(f->backup.err, 0);
	assert_true(reads > 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(f->backup.bytes, st.st_size);
	assert_true(f->backup.channels >= 2 && f->backup.channels <= 3);
	assert_true(f->backup.items >= 650);
	assert_false(is_there(f, "copy.tmp"));
	assert_false(is_there(f, "copy.tmp-wal"));
	heads = f->n_res - had;
	/* what goes on is the same history */
	assert_int_equal(fix_do_touch(f, "r:3", false)->head, heads);
	memcpy(ep, f->ep, sizeof ep);

	open_copy(f, &g, "copy");
	assert_int_equal(g.state, LOG_ACTIVE);
	assert_string_not_equal(g.ep, ep);
	assert_true(g.gen > f->gen);
	p = fix_read(&g, &q, items);
	assert_int_equal(p.n_items, 50);
	q.chan = STR_LIT("r:2");
	assert_int_equal(fix_read(&g, &q, items).head, 600);
	memcpy(ep, g.ep, sizeof ep);
	fix_close(&g);
	/* once only */
	fix_open(&g);
	assert_string_equal(g.ep, ep);
	fix_fini(&g);
}

static void
test_refusals(void **state)
{
	struct fix *f = *state, g;
	char path[128];
	int fd;

	fill(f, "r:1", 5, 10);
	assert_int_equal(log_backup(f->log, 99, "relative"), ERR_INVALID);
	assert_int_equal(backup(f, "messages.db", path), ERR_EXISTS);
	fix_path(f, "half.tmp", path);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "mine", 4), 4);
	close(fd);
	assert_int_equal(backup(f, "half", path), ERR_EXISTS);
	assert_true(is_there(f, "half.tmp"));
	assert_int_equal(backup(f, "no/such/dir", path), ERR_IO);
	assert_int_equal(backup(f, "good", path), 0);
	assert_int_equal(backup(f, "good", path), ERR_EXISTS);
	assert_non_null(strstr(f->backup.why, "good"));
	assert_true(is_there(f, "good"));
	/* the log has taken no harm */
	fill(f, "r:1", 5, 10);
	assert_int_equal(fix_last(f)->seq, 10);
	/* one that waits for the lock has nothing to copy */
	memset(&g, 0, sizeof g);
	fix_init(&g);
	g.set.dir = f->dir;
	fix_start(&g);
	assert_true(fix_wait_state(&g, LOG_WAITING));
	assert_int_equal(backup(&g, "standby", path), ERR_AGAIN);
	assert_false(is_there(&g, "standby"));
	fix_fini(&g);
	/* an end in the middle leaves nothing behind */
	fix_path(f, "cut", path);
	assert_int_equal(log_backup(f->log, 99, path), 0);
	fix_close(f);
	assert_false(is_there(f, "cut.tmp"));
}

static void
test_room(void **state)
{
	struct fix *f = *state;
	char path[128];

	fix_close(f);
	f->set.disk_min = INT64_MAX / 2;
	fix_open(f);
	assert_int_equal(backup(f, "copy", path), ERR_FULL);
	assert_non_null(strstr(f->backup.why, "disk_min"));
	assert_false(is_there(f, "copy"));
	assert_false(is_there(f, "copy.tmp"));
}

static void
test_restore(void **state)
{
	struct fix *f = *state;
	struct log_restored done;
	char path[128], bad[128], wal[160], ep[EP_LEN + 1];
	uint64_t gen;
	int fd;

	fill(f, "r:1", 30, 100);
	assert_int_equal(backup(f, "good", path), 0);
	fill(f, "r:1", 20, 100);
	memcpy(ep, f->ep, sizeof ep);
	gen = f->gen;
	assert_int_equal(log_restore(f->dir, "test", path, &done), ERR_BUSY);
	fix_close(f);

	/* what is no backup of ours leaves all as it was */
	fix_path(f, "bad", bad);
	assert_int_equal(log_restore(f->dir, "test", bad, &done), ERR_NOTFOUND);
	assert_int_equal(
	    log_restore(f->dir, "other", path, &done), ERR_FOREIGN);
	assert_non_null(strstr(done.why, "cluster test"));
	fix_copy(f, "good", "bad");
	assert_int_equal(truncate(bad, 9000), 0);
	assert_int_equal(log_restore(f->dir, "test", bad, &done), ERR_CORRUPT);
	fix_copy(f, "good", "bad");
	fd = open(bad, O_RDWR);
	assert_int_equal(pwrite(fd, "\0\0\0\177", 4, 60), 4);
	close(fd);
	assert_int_equal(log_restore(f->dir, "test", bad, &done), ERR_VERSION);
	fix_copy(f, "good", "bad");
	fd = open(bad, O_RDWR);
	for (int i = 0; i < 400; i++)
		assert_int_equal(pwrite(fd, "rubbish!", 8, 4096 + i * 8), 8);
	close(fd);
	assert_int_equal(log_restore(f->dir, "test", bad, &done), ERR_CORRUPT);
	fix_copy(f, "good", "bad");
	snprintf(wal, sizeof wal, "%s-wal", bad);
	fd = open(wal, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "mine", 4), 4);
	close(fd);
	assert_int_equal(log_restore(f->dir, "test", bad, &done), ERR_INVALID);
	assert_false(is_there(f, "messages.db-restore"));
	fix_open(f);
	assert_string_equal(f->ep, ep);
	assert_int_equal(fix_do_touch(f, "r:1", false)->head, 50);
	fix_close(f);

	/* the way back */
	assert_int_equal(log_restore(f->dir, "test", path, &done), 0);
	assert_int_equal(done.channels, 1);
	assert_int_equal(done.items, 30);
	assert_true(done.aside[0] == '/' && access(done.aside, F_OK) == 0);
	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
	assert_string_not_equal(f->ep, ep);
	assert_true(f->gen > gen);
	assert_int_equal(fix_do_touch(f, "r:1", false)->head, 30);
	fill(f, "r:1", 1, 10);
	fix_close(f);

	/* and forth: what was moved aside is whole */
	str_copy(bad, sizeof bad, str_of(done.aside));
	memcpy(ep, f->ep, sizeof ep);
	assert_int_equal(log_restore(f->dir, "test", bad, &done), 0);
	fix_open(f);
	assert_string_not_equal(f->ep, ep);
	assert_int_equal(fix_do_touch(f, "r:1", false)->head, 50);
	fix_close(f);

	/* after a crash the WAL goes with its database */
	fix_copy(f, "good", "messages.db-wal");
	assert_int_equal(log_restore(f->dir, "test", path, &done), 0);
	snprintf(wal, sizeof wal, "%.120s-wal", done.aside);
	assert_int_equal(access(wal, F_OK), 0);
	assert_false(is_there(f, "messages.db-wal"));
	fix_open(f);
	assert_int_equal(fix_do_touch(f, "r:1", false)->head, 30);
}

/* into a directory that has nothing yet */
static void
test_restore_fresh(void **state)
{
	struct fix *f = *state, g;
	struct log_restored done;
	char path[128];

	fill(f, "r:1", 3, 100);
	assert_int_equal(backup(f, "good", path), 0);
	memset(&g, 0, sizeof g);
	fix_init(&g);
	assert_int_equal(log_restore(g.dir, "test", path, &done), 0);
	assert_string_equal(done.aside, "");
	fix_open(&g);
	assert_int_equal(g.state, LOG_ACTIVE);
	assert_string_not_equal(g.ep, f->ep);
	assert_int_equal(fix_do_touch(&g, "r:1", false)->head, 3);
	fix_fini(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, fix_setup_open, fix_teardown)
	    T(test_online),
	    T(test_refusals),
	    T(test_room),
	    T(test_restore),
	    T(test_restore_fresh),
#undef T
	};

	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
