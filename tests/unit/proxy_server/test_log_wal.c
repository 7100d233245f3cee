/* SPDX-License-Identifier: MIT */
/*
 * The WAL in two halves: when each is due, that a commit between them loses
 * nothing when the power goes, that the bound holds when there are no halves,
 * and a file that is as long as it gets.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>

#include "proxy_server/log_wal.h"
#include "shared/base/map.h"
#include "tests/unit/proxy_server/log_fixture.h"

enum { PAGE = LOG_WAL_PAGE, VAL = 10 * PAGE, KEYS = 40 };

struct wal {
	struct fix f;
	struct logdb db;
	struct log_wal w;
	int64_t now;
	unsigned commits;
};

static void
open_db(struct wal *t, enum log_sync sync)
{
	bool fresh;

	assert_int_equal(logdb_open(&t->db, t->f.dir, sync, &fresh), 0);
	log_wal_init(&t->w, &t->db, sync);
}

static int
setup(void **state)
{
	struct wal *t = calloc(1, sizeof *t);

	fix_init(&t->f);
	t->now = 1000;
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct wal *t = *state;

	log_wal_fini(&t->w);
	logdb_close(&t->db);
	fix_fini(&t->f);
	free(t);
	return 0;
}

static int64_t
size_of(struct wal *t, const char *name)
{
	char path[128];
	struct stat st;

	fix_path(&t->f, name, path);
	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

/* commit number n: some ten pages under one of KEYS keys */
static void
commit(struct wal *t)
{
	static char val[VAL + 1];
	char key[16];

	snprintf(key, sizeof key, "k%u", t->commits % KEYS);
	memset(val, 'a' + (int)(t->commits % 26), VAL);
	snprintf(val, 12, "%010u", t->commits);
	val[10] = ' ';
	t->commits++;
	assert_int_equal(logdb_begin(&t->db), 0);
	assert_int_equal(logdb_meta_set(&t->db, key, val), 0);
	assert_int_equal(logdb_commit(&t->db), 0);
}

/* everything that was committed is in the file that is open now */
static void
check_all(struct wal *t)
{
	static char val[VAL + 1];

	assert_int_equal(logdb_check(&t->db), 0);
	for (unsigned n = t->commits - KEYS; n < t->commits; n++) {
		char key[16];

		snprintf(key, sizeof key, "k%u", n % KEYS);
		assert_int_equal(
		    logdb_meta_get(&t->db, key, val, sizeof val), 0);
		assert_int_equal(atoi(val), n);
		assert_int_equal(strlen(val), VAL);
		assert_int_equal(val[VAL - 1], 'a' + (int)(n % 26));
	}
}

static void
step(struct wal *t)
{
	assert_int_equal(log_wal_step(&t->w, t->now, 0), 0);
}

/* commits until the first half is done */
static void
to_copied(struct wal *t)
{
	while (t->w.phase == LOG_WAL_CALM) {
		assert_true(t->db.wal_frames < LOG_WAL_START + 100);
		commit(t);
		step(t);
	}
	assert_int_equal(t->w.phase, LOG_WAL_PINNED);
	commit(t);
	step(t);
	assert_int_equal(t->w.phase, LOG_WAL_COPIED);
}

static void
test_halves(void **state)
{
	struct wal *t = *state;
	int64_t before;
	uint64_t frames;

	open_db(t, LOG_SYNC_FULL);
	before = size_of(t, "messages.db");
	assert_int_equal(log_wal_wait_ms(&t->w), -1);
	commit(t);
	step(t);
	assert_int_equal(log_wal_wait_ms(&t->w), LOG_WAL_IDLE_MS);
	while (t->db.wal_frames < LOG_WAL_START) {
		assert_int_equal(t->w.phase, LOG_WAL_CALM);
		commit(t);
		step(t);
	}
	/* nothing is copied before the next commit */
	assert_int_equal(t->w.phase, LOG_WAL_PINNED);
	step(t);
	assert_int_equal(t->w.phase, LOG_WAL_PINNED);
	assert_int_equal(size_of(t, "messages.db"), before);
	commit(t);
	step(t);
	assert_int_equal(t->w.phase, LOG_WAL_COPIED);
	assert_int_equal(t->w.parts, 1);
	assert_true(size_of(t, "messages.db") > before + KEYS * VAL / 2);
	/* it goes on behind what is there, as that is not safe yet */
	frames = t->db.wal_frames;
	commit(t);
	step(t);
	assert_true(t->db.wal_frames > frames);
	assert_int_equal(t->w.wholes, 0);
	assert_int_equal(log_wal_wait_ms(&t->w), LOG_WAL_OUT_MS);
	t->now += LOG_WAL_OUT_MS;
	step(t);
	assert_int_equal(t->w.phase, LOG_WAL_CALM);
	assert_int_equal(t->w.wholes, 1);
	assert_int_equal(log_wal_wait_ms(&t->w), -1);
	/* and begins anew, as it is now */
	commit(t);
	step(t);
	assert_true(t->db.wal_frames < 100);
	check_all(t);
	/* all of it once more */
	to_copied(t);
	assert_int_equal(t->w.parts, 2);
}

/* busy: first halves until little is left, but not for ever */
static void
test_rounds(void **state)
{
	struct wal *t = *state;

	open_db(t, LOG_SYNC_FULL);
	to_copied(t);
	for (unsigned round = 2; round <= LOG_WAL_ROUNDS; round++) {
		while (t->db.wal_frames <= t->w.copied + LOG_WAL_REST) {
			commit(t);
			step(t);
			assert_int_equal(t->w.phase, LOG_WAL_COPIED);
		}
		t->now += LOG_WAL_OUT_MS;
		step(t);
		assert_int_equal(t->w.phase, LOG_WAL_PINNED);
		commit(t);
		step(t);
		assert_int_equal(t->w.phase, LOG_WAL_COPIED);
		assert_int_equal(t->w.parts, round);
	}
	assert_int_equal(t->w.wholes, 0);
	while (t->db.wal_frames <= t->w.copied + LOG_WAL_REST) {
		commit(t);
		step(t);
	}
	t->now += LOG_WAL_OUT_MS;
	step(t);
	assert_int_equal(t->w.wholes, 1);
	assert_true(t->db.wal_frames < LOG_WAL_FRAMES + 100);
	check_all(t);
}

/* the clock stands still: the bound holds nevertheless */
static void
bounded(struct wal *t, uint64_t bound)
{
	uint64_t most = 0;

	while (t->w.wholes < 3) {
		commit(t);
		step(t);
		if (most < t->db.wal_frames)
			most = t->db.wal_frames;
		assert_true(most < bound + 100);
	}
	assert_true(most >= bound);
	check_all(t);
}

static void
test_bound(void **state)
{
	struct wal *t = *state;

	open_db(t, LOG_SYNC_FULL);
	bounded(t, LOG_WAL_FRAMES);
	assert_true(t->w.parts > 0);
}

static void
test_bound_normal(void **state)
{
	struct wal *t = *state;

	open_db(t, LOG_SYNC_NORMAL);
	bounded(t, LOG_WAL_FRAMES);
	assert_int_equal(t->w.parts, 0);
	assert_false(log_wal_may_grow(&t->w));
}

static void
test_bound_off(void **state)
{
	struct wal *t = *state;

	open_db(t, LOG_SYNC_OFF);
	bounded(t, LOG_WAL_OFF);
	assert_int_equal(t->w.parts, 0);
}

/* somebody reads what was there: the WAL can't begin anew, and is not worked at
 * with each commit */
static void
test_reader(void **state)
{
	struct wal *t = *state;
	struct logdb reader;
	uint64_t wholes;

	open_db(t, LOG_SYNC_FULL);
	commit(t);
	step(t);
	assert_int_equal(logdb_open_reader(&reader, t->f.dir), 0);
	assert_int_equal(logdb_pin(&reader), 0);
	while (t->db.wal_frames < LOG_WAL_FRAMES + 2 * LOG_WAL_STEP) {
		commit(t);
		step(t);
	}
	wholes = t->w.wholes;
	assert_in_range(wholes, 2, 3);
	logdb_unpin(&reader);
	logdb_close(&reader);
	while (t->w.wholes == wholes) {
		commit(t);
		step(t);
	}
	commit(t);
	step(t);
	assert_true(t->db.wal_frames < 100);
	check_all(t);
}

static void
test_idle(void **state)
{
	struct wal *t = *state;

	open_db(t, LOG_SYNC_FULL);
	assert_int_equal(log_wal_step(&t->w, t->now, LOG_WAL_IDLE_MS), 0);
	assert_int_equal(t->w.wholes, 0);
	commit(t);
	assert_int_equal(log_wal_step(&t->w, t->now, LOG_WAL_IDLE_MS - 1), 0);
	assert_int_equal(t->w.wholes, 0);
	assert_int_equal(log_wal_step(&t->w, t->now, LOG_WAL_IDLE_MS), 0);
	assert_int_equal(t->w.wholes, 1);
	assert_int_equal(log_wal_step(&t->w, t->now, LOG_WAL_IDLE_MS), 0);
	assert_int_equal(t->w.wholes, 1);
	/* as many frames as the time before are another matter all the same */
	commit(t);
	assert_int_equal(log_wal_step(&t->w, t->now, LOG_WAL_IDLE_MS), 0);
	assert_int_equal(t->w.wholes, 2);
	/* silence between the halves ends with the second */
	while (t->w.phase != LOG_WAL_PINNED) {
		commit(t);
		step(t);
	}
	assert_int_equal(log_wal_step(&t->w, t->now, LOG_WAL_IDLE_MS), 0);
	assert_int_equal(t->w.phase, LOG_WAL_CALM);
	assert_int_equal(t->w.wholes, 3);
	commit(t);
	step(t);
	assert_true(t->db.wal_frames < 100);
}

static char *
slurp(struct wal *t, const char *name, size_t *len)
{
	char path[128], *p;
	FILE *in;

	*len = (size_t)size_of(t, name);
	fix_path(&t->f, name, path);
	p = malloc(*len);
	in = fopen(path, "r");
	assert_non_null(in);
	assert_int_equal(fread(p, 1, *len, in), *len);
	fclose(in);
	return p;
}

static void
spill(struct wal *t, const char *name, const char *p, size_t len)
{
	char path[128];
	FILE *out;

	fix_path(&t->f, name, path);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(p, 1, len, out), len);
	fclose(out);
}

/*
 * The power goes after the first half: of the pages that were copied any may be
 * on the disk, or none, and the file may have its old length.
 */
static void
lose_power(struct wal *t, unsigned luck)
{
	size_t was_len, len, wal_len;
	char *was, *is, *wal;

	open_db(t, LOG_SYNC_FULL);
	for (unsigned i = 0; i < KEYS; i++)
		commit(t);
	assert_int_equal(log_wal_step(&t->w, t->now, LOG_WAL_IDLE_MS), 0);
	was = slurp(t, "messages.db", &was_len);
	to_copied(t);
	commit(t);
	step(t);
	is = slurp(t, "messages.db", &len);
	wal = slurp(t, "messages.db-wal", &wal_len);
	/* an orderly end, only to be let go of: it is undone below */
	log_wal_fini(&t->w);
	logdb_close(&t->db);
	for (size_t at = 0; at + PAGE <= len; at += PAGE)
		if (at < was_len && (luck == 0 || (luck == 2 && rand() & 1)))
			memcpy(is + at, was + at, PAGE);
	spill(t, "messages.db", is, luck == 0 ? was_len : len);
	spill(t, "messages.db-wal", wal, wal_len);
	free(was);
	free(is);
	free(wal);
	open_db(t, LOG_SYNC_FULL);
	check_all(t);
	commit(t);
	step(t);
	check_all(t);
}

static void
test_power_none(void **state)
{
	lose_power(*state, 0);
}

static void
test_power_all(void **state)
{
	lose_power(*state, 1);
}

static void
test_power_some(void **state)
{
	srand(7);
	lose_power(*state, 2);
}

static void
test_grow(void **state)
{
	struct wal *t = *state;
	int64_t longest = (int64_t)LOG_WAL_FRAMES * (PAGE + 24) + 32, size;
	size_t db_len, wal_len;
	char *db, *wal;

	open_db(t, LOG_SYNC_FULL);
	while (t->db.wal_commits < LOG_WAL_USED) {
		assert_false(log_wal_may_grow(&t->w));
		commit(t);
		step(t);
		t->now += LOG_WAL_OUT_MS;
	}
	size = size_of(t, "messages.db-wal");
	assert_true(size < longest);
	while (log_wal_may_grow(&t->w)) {
		log_wal_grow(&t->w);
		assert_true(size_of(t, "messages.db-wal") >= size);
		size = size_of(t, "messages.db-wal");
	}
	assert_int_equal(size, longest);
	/* it stays so, whatever is done with it */
	for (unsigned i = 0; i < 3 * LOG_WAL_FRAMES / 10; i++) {
		commit(t);
		step(t);
		t->now += LOG_WAL_OUT_MS / 4;
	}
	assert_true(t->w.wholes > 2);
	assert_int_equal(size_of(t, "messages.db-wal"), longest);
	/* and what is behind the last commit is nothing to who opens it */
	db = slurp(t, "messages.db", &db_len);
	wal = slurp(t, "messages.db-wal", &wal_len);
	log_wal_fini(&t->w);
	logdb_close(&t->db);
	spill(t, "messages.db", db, db_len);
	spill(t, "messages.db-wal", wal, wal_len);
	free(db);
	free(wal);
	open_db(t, LOG_SYNC_FULL);
	check_all(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	    T(test_halves),
	    T(test_rounds),
	    T(test_bound),
	    T(test_bound_normal),
	    T(test_bound_off),
	    T(test_reader),
	    T(test_idle),
	    T(test_power_none),
	    T(test_power_all),
	    T(test_power_some),
	    T(test_grow),
#undef T
	};

	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
