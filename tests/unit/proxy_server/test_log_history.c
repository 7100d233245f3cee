/* SPDX-License-Identifier: MIT */
/*
 * Who may write messages.db (proxy_server/log_history.h): the one whose gen is
 * in it, whatever became of the lock. And what its rows promise when they are
 * on their way out, or damaged.
 */
#include <sys/stat.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy_server/log_sqlite.h"
#include "shared/base/digest.h"
#include "shared/base/map.h"
#include "shared/proc/clock.h"
#include "tests/unit/proxy_server/log_fixture.h"

/* the lock file was removed, and somebody has locked a new one */
static void
test_taken_away(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", NULL, "x");

	fix_open(f);
	assert_int_equal(fix_do(f, &a)->seq, 1);
	fix_sql(f, "UPDATE meta SET v='2' WHERE k='gen'");
	assert_int_equal(fix_do(f, &a)->code, 503);
	assert_true(fix_wait_state(f, LOG_FAILED));
	assert_non_null(strstr(f->why, "taken it over"));
	assert_int_equal(f->exit_code, 1);
	fix_close(f);
	/* nothing to be written: he finds out by himself */
	fix_open(f);
	assert_int_equal(f->gen, 3);
	fix_sql(f, "UPDATE meta SET v='4' WHERE k='gen'");
	assert_true(fix_wait_state(f, LOG_FAILED));
	fix_close(f);
	fix_open(f);
	assert_int_equal(f->gen, 5);
	assert_int_equal(fix_do(f, &a)->seq, 2);
}

/* retention has passed it, and the next holder still knows it */
static void
test_repeat_of_the_trimmed(void **state)
{
	struct fix *f = *state;
	int64_t end = clock_mono_ms() + 60000;
	struct f_append a;
	char cid[16];

	f->set.keep_items = 5;
	f->set.trim_ms = 1;
	fix_open(f);
	for (unsigned i = 1; i <= 20; i++) {
		snprintf(cid, sizeof cid, "c%u", i);
		a = fix_append("r:1", "1001", cid, "x");
		assert_int_equal(fix_do(f, &a)->seq, i);
	}
	while (fix_do_touch(f, "r:1", false)->first != 16)
		assert_true(clock_mono_ms() < end);
	fix_close(f);
	fix_open(f);
	a = fix_append("r:1", "1001", "c1", "x");
	assert_int_equal(fix_do(f, &a)->seq, 1);
	assert_true(fix_last(f)->dup);
	assert_int_equal(fix_do_touch(f, "r:1", false)->head, 20);
}

/* a row whose number was damaged is lost, and no hole without end */
static void
test_moved_row(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", NULL, "x");
	struct f_read q = {.rid = 1, .chan = STR_LIT("r:1"), .n = 10};
	struct item items[10];

	fix_open(f);
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(fix_do(f, &a)->seq, i);
	fix_close(f);
	fix_sql(f, "UPDATE item SET seq=seq+(1<<40) WHERE seq=3");
	fix_open(f);
	assert_int_equal(fix_do_touch(f, "r:1", false)->head, 3);
	assert_int_equal(fix_do(f, &a)->seq, 4);
	assert_int_equal(fix_read(f, &q, items).n_items, 4);
	assert_int_equal(items[1].flags & ITEM_F_LOST, 0);
	assert_int_equal(items[2].seq, 3);
	assert_true(items[2].flags & ITEM_F_LOST);
	assert_int_equal(items[3].seq, 4);
	assert_int_equal(items[3].flags & ITEM_F_LOST, 0);
}

/* the WAL is worked off when nothing happens */
static void
test_checkpoint(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", NULL, "x");
	int64_t end = clock_mono_ms() + 60000;
	char path[128];
	struct stat st;

	fix_open(f);
	fix_path(f, "messages.db", path);
	for (int k = 0; k < 5000; k++)
		assert_int_equal(fix_send(f, &a), 0);
	fix_wait_results(f, 5000);
	do {
		assert_true(clock_mono_ms() < end);
		fix_turn(f);
		assert_int_equal(stat(path, &st), 0);
	} while (st.st_size < 100000);
	fix_path(f, "messages.db-wal", path);
	assert_int_equal(stat(path, &st), 0);
	fix_close(f);
	assert_int_equal(stat(path, &st), -1);
}

/* a row's checksum is the same for ever, or all that was stored is damaged */
static void
test_checksum(void **state)
{
	static const unsigned expect[] = {0x69afe786, 0x2a184bc9, 0x37364f78};
	static char avatar[256], name[900];
	struct fix *f = *state;
	struct item it = {.seq = 0x0102030405060709,
	    .ts = 1234567890123,
	    .kind = ITEM_MESSAGE,
	    .flags = 1,
	    .uid = STR_LIT("1001"),
	    .cid = STR_LIT("c-7"),
	    .cn = 0x100000002,
	    .name = STR_LIT("Ann"),
	    .avatar = str_n(avatar, sizeof avatar),
	    .ref = 3,
	    .rid = STR_LIT("1"),
	    .body = STR_LIT("text"),
	    .crc = digest_crc32c(0, "text", 4)};
	sqlite3_stmt *st;
	struct logdb db;
	bool fresh;

	memset(avatar, 'v', sizeof avatar);
	memset(name, 'b', sizeof name);
	assert_int_equal(logdb_open(&db, f->dir, LOG_SYNC_OFF, &fresh), 0);
	for (unsigned i = 0; i < ARRAY_LEN(expect); i++) {
		if (i == 1)
			it.avatar = it.cid = STR_NONE;
		if (i == 2) {
			it.name = str_n(name, sizeof name);
			it.avatar = str_n(name, 300);
		}
		assert_int_equal(
		    logdb_item_new(&db, 7, &it, i == 1 ? 9 : 0), 0);
		it.seq++;
	}
	assert_int_equal(
	    sqlite3_prepare_v2(
		db.db, "SELECT crc FROM item ORDER BY seq", -1, &st, NULL),
	    SQLITE_OK);
	for (unsigned i = 0; i < ARRAY_LEN(expect); i++) {
		assert_int_equal(sqlite3_step(st), SQLITE_ROW);
		assert_int_equal(sqlite3_column_int64(st, 0), expect[i]);
	}
	sqlite3_finalize(st);
	logdb_close(&db);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, fix_setup, fix_teardown)
	    T(test_taken_away),
	    T(test_repeat_of_the_trimmed),
	    T(test_moved_row),
	    T(test_checksum),
	    T(test_checkpoint),
#undef T
	};

	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
