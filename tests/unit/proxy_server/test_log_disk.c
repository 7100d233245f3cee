/* SPDX-License-Identifier: MIT */
/*
 * A disk in trouble and what the log makes of it, over a VFS that fails when
 * told to; the floor of free space; and retention, which makes room.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy_server/log_dir.h"
#include "shared/base/map.h"
#include "shared/proc/clock.h"
#include "tests/unit/proxy_server/log_fixture.h"

/* --- the failing VFS: the real one, but for writes and syncs --- */

static atomic_int fail_write, fail_sync,
    fail_shm; /* what to return instead; 0: work */

struct shim {
	sqlite3_file base;
	sqlite3_io_methods io;
	sqlite3_file *real; /* behind this struct */
};

static struct rlimit fsize; /* as it was at the start */
static sqlite3_vfs *real_vfs, shim_vfs;

#define REAL(f) (((struct shim *)(f))->real)
#define PASS(name, params, args)                     \
	static int shim_##name params                \
	{                                            \
		return REAL(f)->pMethods->name args; \
	}
PASS(xRead, (sqlite3_file * f, void *p, int n, sqlite3_int64 at),
    (REAL(f), p, n, at))
PASS(xTruncate, (sqlite3_file * f, sqlite3_int64 n), (REAL(f), n))
PASS(xFileSize, (sqlite3_file * f, sqlite3_int64 *n), (REAL(f), n))
PASS(xLock, (sqlite3_file * f, int n), (REAL(f), n))
PASS(xUnlock, (sqlite3_file * f, int n), (REAL(f), n))
PASS(xCheckReservedLock, (sqlite3_file * f, int *n), (REAL(f), n))
PASS(xFileControl, (sqlite3_file * f, int op, void *p), (REAL(f), op, p))
PASS(xSectorSize, (sqlite3_file * f), (REAL(f)))
PASS(xDeviceCharacteristics, (sqlite3_file * f), (REAL(f)))
PASS(xShmLock, (sqlite3_file * f, int a, int b, int c), (REAL(f), a, b, c))
PASS(xShmUnmap, (sqlite3_file * f, int a), (REAL(f), a))

static int
shim_xShmMap(sqlite3_file *f, int a, int b, int c, void volatile **p)
{
	int rc = atomic_load(&fail_shm);

	return rc != 0 ? rc : REAL(f)->pMethods->xShmMap(REAL(f), a, b, c, p);
}

static void
shim_xShmBarrier(sqlite3_file *f)
{
	REAL(f)->pMethods->xShmBarrier(REAL(f));
}

static int
shim_xClose(sqlite3_file *f)
{
	return REAL(f)->pMethods->xClose(REAL(f));
}

static int
shim_xWrite(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	int rc = atomic_load(&fail_write);

	return rc != 0 ? rc : REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}

static int
shim_xSync(sqlite3_file *f, int flags)
{
	int rc = atomic_load(&fail_sync);

	return rc != 0 ? rc : REAL(f)->pMethods->xSync(REAL(f), flags);
}

static int
shim_open(
    sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct shim *s = (struct shim *)f;
	int rc;

	(void)vfs;
	s->real = (sqlite3_file *)(s + 1);
	s->base.pMethods = NULL;
	rc = real_vfs->xOpen(real_vfs, name, s->real, flags, out);
	if (rc != SQLITE_OK)
		return rc;
	s->io = (sqlite3_io_methods){
	    .iVersion = 2,
	    .xClose = shim_xClose,
	    .xRead = shim_xRead,
	    .xWrite = shim_xWrite,
	    .xTruncate = shim_xTruncate,
	    .xSync = shim_xSync,
	    .xFileSize = shim_xFileSize,
	    .xLock = shim_xLock,
	    .xUnlock = shim_xUnlock,
	    .xCheckReservedLock = shim_xCheckReservedLock,
	    .xFileControl = shim_xFileControl,
	    .xSectorSize = shim_xSectorSize,
	    .xDeviceCharacteristics = shim_xDeviceCharacteristics,
	    .xShmMap = shim_xShmMap,
	    .xShmLock = shim_xShmLock,
	    .xShmBarrier = shim_xShmBarrier,
	    .xShmUnmap = shim_xShmUnmap,
	};
	s->base.pMethods = &s->io;
	return SQLITE_OK;
}

static int
group_setup(void **state)
{
	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &fsize), 0);
	real_vfs = sqlite3_vfs_find(NULL);
	shim_vfs = *real_vfs;
	shim_vfs.zName = "shim";
	shim_vfs.xOpen = shim_open;
	shim_vfs.szOsFile = (int)sizeof(struct shim) + real_vfs->szOsFile;
	return sqlite3_vfs_register(&shim_vfs, 1);
}

static int
teardown(void **state)
{
	atomic_store(&fail_write, 0);
	atomic_store(&fail_sync, 0);
	atomic_store(&fail_shm, 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &fsize), 0);
	fix_close(*state);
	clock_test_set(0, 0);
	fix_fini(*state);
	free(*state);
	return 0;
}

static void
start(struct fix *f)
{
	struct f_append a = fix_append("r:1", "1001", "before", "x");

	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
	assert_int_equal(fix_do(f, &a)->seq, 1);
}

/* refused, told, and well again by itself; what was stored stays known */
static void
through_trouble(struct fix *f, void (*heal)(void), const char *text)
{
	struct f_append a = fix_append("r:1", "1001", "during", "x");
	struct f_append before = fix_append("r:1", "1001", "before", "x");
	struct f_read q = {.rid = 1, .chan = STR_LIT("r:1"), .n = 10};
	struct item items[10];
	char ep[EP_LEN + 1];
	unsigned n = f->n_res;

	strcpy(ep, f->ep);
	for (int i = 0; i < 10; i++)
		assert_int_equal(fix_send(f, &a), 0);
	fix_touch(f, "r:1", SUB_HEAD, NULL, true);
	fix_wait_results(f, n + 11);
	for (unsigned i = n; i < n + 10; i++) {
		assert_int_equal(f->res[i].code, 503);
		assert_int_equal(f->res[i].retry_ms, 5000);
		assert_false(f->res[i].dup);
	}
	if (f->state != LOG_DEGRADED)
		fail_msg("state %d: %s", f->state, f->why);
	/* where things stand is still told, and what there is can be read */
	assert_int_equal(f->res[n + 10].code, 200);
	assert_int_equal(f->res[n + 10].head, 1);
	if (strstr(f->why, text) == NULL)
		fail_msg("\"%s\" says nothing of \"%s\"", f->why, text);
	assert_int_equal(fix_read(f, &q, items).n_items, 1);
	assert_int_equal(fix_set(f, "r:1", "k", "v"), 0);
	assert_int_equal(fix_do(f, &before)->code, 503);
	heal();
	assert_true(fix_wait_state(f, LOG_ACTIVE));
	assert_int_equal(f->gen, 1);
	assert_string_equal(f->ep, ep);
	assert_int_equal(fix_do(f, &a)->seq, 2);
	assert_false(fix_last(f)->dup);
	assert_true(fix_do(f, &before)->dup);
	assert_int_equal(fix_do_touch(f, "r:1", true)->n_states, 0);
}

static void
heal_write(void)
{
	atomic_store(&fail_write, 0);
}

static void
test_full(void **state)
{
	struct fix *f = *state;
	char path[128];
	struct stat st;

	start(f);
	fix_path(f, "messages.reserve", path);
	assert_int_equal(stat(path, &st), 0);
	atomic_store(&fail_write, SQLITE_FULL);
	through_trouble(f, heal_write, "no space left");
	/* taken back when there was room again */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, LOG_RESERVE);
}

static void
heal_limit(void)
{
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &fsize), 0);
}

/* the kernel says no: a file may not grow (EFBIG, as with a quota) */
static void
test_size_limit(void **state)
{
	struct fix *f = *state;
	struct rlimit small;

	start(f);
	small = fsize;
	small.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	through_trouble(f, heal_limit, "a write failed");
}

static void
test_failed_sync(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "c", "x");

	start(f);
	atomic_store(&fail_sync, SQLITE_IOERR_FSYNC);
	assert_int_equal(fix_do(f, &a)->code, 503);
	assert_true(fix_wait_state(f, LOG_FAILED));
	assert_int_equal(f->exit_code, 1);
	assert_non_null(strstr(f->why, "messages.db"));
	assert_int_equal(fix_send(f, &a), ERR_BUSY);
	/* the next holder finds what had been acked */
	atomic_store(&fail_sync, 0);
	fix_close(f);
	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
	assert_int_equal(f->gen, 2);
	assert_true(fix_do_touch(f, "r:1", false)->head >= 1);
}

static void
test_failed_write(void **state)
{
	struct fix *f = *state;

	start(f);
	atomic_store(&fail_write, SQLITE_IOERR_WRITE);
	through_trouble(f, heal_write, "a write failed");
}

static void
test_full_at_start(void **state)
{
	struct fix *f = *state;

	atomic_store(&fail_write, SQLITE_FULL);
	fix_open(f);
	assert_int_equal(f->state, LOG_FAILED);
	assert_int_equal(f->exit_code, 1);
	assert_non_null(strstr(f->why, "no space left"));
	assert_null(strchr(f->why, '\n'));
	/* nothing half-made is left behind */
	fix_close(f);
	atomic_store(&fail_write, 0);
	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
	assert_int_equal(f->gen, 1);
}

/* a log of before, on a disk that is full by now: read, and written later */
static void
test_full_at_takeover(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "c", "x");
	struct f_read q = {.rid = 1, .chan = STR_LIT("r:1"), .n = 10};
	struct item items[10];
	char ep[EP_LEN + 1];

	start(f);
	strcpy(ep, f->ep);
	fix_close(f);
	for (int turn = 0; turn < 2; turn++) {
		atomic_store(&fail_write, SQLITE_FULL);
		fix_open(f);
		if (f->state != LOG_DEGRADED)
			fail_msg("state %d: %s", f->state, f->why);
		assert_non_null(strstr(f->why, "no space left"));
		assert_string_equal(f->ep, ep);
		assert_int_equal(f->gen, 2);
		assert_int_equal(fix_read(f, &q, items).n_items, 1);
		assert_int_equal(fix_do_touch(f, "r:1", false)->head, 1);
		assert_int_equal(fix_do(f, &a)->code, 503);
		if (turn == 0)
			fix_close(f); /* and the next one finds it so, too */
	}
	heal_write();
	assert_true(fix_wait_state(f, LOG_ACTIVE));
	assert_int_equal(f->gen, 2);
	assert_string_equal(f->ep, ep);
	assert_int_equal(fix_do(f, &a)->seq, 2);
	fix_close(f);
	fix_open(f);
	assert_int_equal(f->gen, 3);
	assert_string_equal(f->ep, ep);
}

/* not even room for the index of the WAL: it waits, and says why */
static void
test_full_at_opening(void **state)
{
	struct fix *f = *state;
	int64_t end = clock_mono_ms() + 60000;

	start(f);
	fix_close(f);
	atomic_store(&fail_shm, SQLITE_IOERR_SHMSIZE);
	fix_start(f);
	while (strstr(f->why, "no space left") == NULL) {
		assert_true(clock_mono_ms() < end);
		fix_turn(f);
	}
	assert_int_equal(f->state, LOG_WAITING);
	atomic_store(&fail_shm, 0);
	assert_true(fix_wait_state(f, LOG_ACTIVE));
	assert_int_equal(fix_do_touch(f, "r:1", false)->head, 1);
}

/* somebody knows more than the file, and the file can't be told */
static void
history_in_trouble(struct fix *f, bool degraded)
{
	struct f_append a = fix_append("r:1", "1001", "c", "x");
	struct f_read q = {.rid = 1, .chan = STR_LIT("r:1"), .n = 10};
	struct item items[10];
	char ep[EP_LEN + 1];

	start(f);
	strcpy(ep, f->ep);
	atomic_store(&fail_write, SQLITE_FULL);
	if (degraded) {
		assert_int_equal(fix_do(f, &a)->code, 503);
		assert_true(fix_wait_state(f, LOG_DEGRADED));
	}
	fix_touch(f, "r:1", 7, ep, false);
	fix_wait_results(f, f->n_res + 1);
	assert_true(fix_wait_state(f, LOG_DEGRADED));
	heal_write();
	assert_true(fix_wait_state(f, LOG_ACTIVE));
	assert_string_not_equal(f->ep, ep);
	assert_true(str_eqc(fix_read(f, &q, items).ep, f->ep));
	strcpy(ep, f->ep);
	fix_close(f);
	fix_open(f);
	assert_string_equal(f->ep, ep);
}

static void
test_history_while_full(void **state)
{
	history_in_trouble(*state, true);
}

static void
test_history_fills(void **state)
{
	history_in_trouble(*state, false);
}

static void
test_floor(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "c", "x");

	f->set.disk_min = INT64_MAX;
	fix_open(f);
	assert_true(fix_wait_state(f, LOG_DEGRADED));
	assert_non_null(strstr(f->why, "disk_min"));
	assert_int_equal(fix_do(f, &a)->code, 503);
	assert_int_equal(fix_last(f)->retry_ms, 5000);
}

/* --- retention --- */

static void
wait_first(struct fix *f, const char *chan, uint64_t first)
{
	int64_t end = clock_mono_ms() + 60000;

	while (fix_do_touch(f, chan, false)->first != first)
		assert_true(clock_mono_ms() < end);
}

/* rows of a channel, as another reader of the file sees them */
static int
rows(struct fix *f, const char *chan)
{
	char path[128];
	sqlite3_stmt *st;
	sqlite3 *db;
	int n;

	fix_path(f, "messages.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db,
		"SELECT count(*) FROM item JOIN chan ON chan.id=item.chan "
		"WHERE chan.name=?1",
		-1, &st, NULL),
	    SQLITE_OK);
	sqlite3_bind_text(st, 1, chan, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void
wait_rows(struct fix *f, const char *chan, int n)
{
	int64_t end = clock_mono_ms() + 60000;

	while (rows(f, chan) != n)
		assert_true(clock_mono_ms() < end);
}

static void
test_keep_items(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", NULL, "x");
	struct f_append b = fix_append("r:2", "1001", NULL, "x");
	struct f_read q = {.rid = 1, .chan = STR_LIT("r:1"), .n = 10};
	struct item items[10];
	struct f_page p;

	f->set.keep_items = 100;
	f->set.trim_ms = 1;
	fix_open(f);
	b.states[0] =
	    (struct state_rec){.key = STR_LIT("t"), .val = STR_LIT("title")};
	b.n_states = 1;
	fix_do(f, &b);
	for (int i = 0; i < 1700; i++)
		assert_int_equal(fix_send(f, &a), 0);
	fix_wait_results(f, 1701);
	wait_first(f, "r:1", 1601);
	/*
	 * Beyond the time of repeats. While it runs, a clock put ahead would
	 * let them stay.
	 */
	fix_close(f);
	clock_test_set(clock_wall_ms() + 11 * 60000, 0);
	fix_open(f);
	wait_rows(f, "r:1", 100);
	p = fix_read(f, &q, items);
	assert_int_equal(p.first, 1601);
	assert_int_equal(p.head, 1700);
	assert_int_equal(items[0].seq, 1601);
	assert_int_equal(items[0].flags, 0);
	/* numbers go on; others and states are left alone */
	assert_int_equal(fix_do(f, &a)->seq, 1701);
	assert_int_equal(fix_do_touch(f, "r:2", true)->first, 1);
	assert_int_equal(fix_last(f)->n_states, 1);
	assert_int_equal(rows(f, "r:2"), 1);
}

static void
test_keep_days(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", NULL, "x");
	const int64_t now = 1800000000000, day = 86400000;

	for (int i = 0; i < 3; i++) {
		clock_test_set(now + i * day, 0);
		fix_open(f);
		for (int k = 0; k < 600; k++)
			assert_int_equal(fix_send(f, &a), 0);
		fix_wait_results(f, 600);
		fix_close(f);
	}
	f->set.trim_ms = 1;
	f->set.keep_days = 3;
	clock_test_set(now + 3 * day, 0);
	fix_open(f);
	/* exactly three days old stays */
	wait_first(f, "r:1", 1);
	fix_close(f);
	clock_test_set(now + 3 * day + 1, 0);
	fix_open(f);
	wait_first(f, "r:1", 601);
	wait_rows(f, "r:1", 1200);
	fix_close(f);
	clock_test_set(now + 30 * day, 0);
	fix_open(f);
	wait_first(f, "r:1", 1801);
	wait_rows(f, "r:1", 0);
	assert_int_equal(fix_do(f, &a)->seq, 1801);
}

/* first has risen, the rows were still to go when the process died */
static void
test_interrupted(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", NULL, "x");
	struct f_read q = {.rid = 1, .chan = STR_LIT("r:1"), .n = 10};
	struct item items[10];
	char path[128];
	sqlite3 *db;

	fix_open(f);
	for (int k = 0; k < 30; k++)
		assert_int_equal(fix_send(f, &a), 0);
	fix_wait_results(f, 30);
	fix_close(f);
	fix_path(f, "messages.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, "UPDATE chan SET first=21", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	fix_open(f);
	assert_int_equal(fix_read(f, &q, items).n_items, 10);
	assert_int_equal(items[0].seq, 21);
	assert_int_equal(rows(f, "r:1"), 30);
	fix_close(f);
	f->set.trim_ms = 1;
	clock_test_set(clock_wall_ms() + 11 * 60000, 0);
	fix_open(f);
	wait_rows(f, "r:1", 10);
	assert_int_equal(fix_do_touch(f, "r:1", false)->first, 21);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, fix_setup, teardown)
	    T(test_full),
	    T(test_size_limit),
	    T(test_failed_sync),
	    T(test_failed_write),
	    T(test_full_at_start),
	    T(test_full_at_takeover),
	    T(test_full_at_opening),
	    T(test_history_while_full),
	    T(test_history_fills),
	    T(test_floor),
	    T(test_keep_items),
	    T(test_keep_days),
	    T(test_interrupted),
#undef T
	};

	map_init();
	return cmocka_run_group_tests(tests, group_setup, NULL);
}
