/* SPDX-License-Identifier: MIT */
/*
 * Who may write messages.db (proxy_server/log_history.h): the one whose gen is
 * in it, whatever became of the lock.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/base/map.h"
#include "tests/unit/proxy_server/log_fixture.h"

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	fix_init(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	fix_fini(*state);
	free(*state);
	return 0;
}

/* runs SQL on the file */
static void
sql(struct fix *f, const char *text)
{
	char path[128];
	sqlite3 *db;

	fix_path(f, "messages.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* the lock file was removed, and somebody has locked a new one */
static void
test_taken_away(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", NULL, "x");

	fix_open(f);
	assert_int_equal(fix_do(f, &a)->seq, 1);
	sql(f, "UPDATE meta SET v='2' WHERE k='gen'");
	assert_int_equal(fix_do(f, &a)->code, 503);
	assert_true(fix_wait_state(f, LOG_FAILED));
	assert_non_null(strstr(f->why, "taken it over"));
	assert_int_equal(f->exit_code, 1);
	fix_close(f);
	/* nothing to be written: he finds out by himself */
	fix_open(f);
	assert_int_equal(f->gen, 3);
	sql(f, "UPDATE meta SET v='4' WHERE k='gen'");
	assert_true(fix_wait_state(f, LOG_FAILED));
	fix_close(f);
	fix_open(f);
	assert_int_equal(f->gen, 5);
	assert_int_equal(fix_do(f, &a)->seq, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	    T(test_taken_away),
#undef T
	};

	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
