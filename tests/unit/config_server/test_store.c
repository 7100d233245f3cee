/* SPDX-License-Identifier: MIT */
/*
 * topology.db: what is written comes back; what is broken, foreign, newer or
 * read-only is refused with one line and is not touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_server/schema.h"
#include "config_server/store.h"

static char dir[64], path[96], err[512];
static struct registry reg;

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/cchat-store-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/topology.db", dir);
	registry_init(&reg, NULL, NULL);
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	registry_fini(&reg);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static struct store *
opened(void)
{
	struct store *st = store_open(dir, "cchat", err, sizeof err);

	if (st == NULL)
		fail_msg("%s", err);
	return st;
}

static void
refused(const char *why)
{
	assert_null(store_open(dir, "cchat", err, sizeof err));
	if (strstr(err, why) == NULL || strstr(err, path) == NULL ||
	    strchr(err, '\n') != NULL)
		fail_msg("'%s' does not say '%s'", err, why);
}

static struct registry_server *
server(const char *name, int role)
{
	struct registry_joined done;
	struct f_join f = {.name = str_of(name),
	    .role = (uint8_t)role,
	    .inc = 3,
	    .weight = 2,
	    .cap = 100,
	    .link = STR_LIT("127.0.0.1:9600"),
	    .version = STR_LIT("1.2"),
	    .public_url = STR_LIT("ws://a/ws"),
	    .gate = STR_LIT("10.0.0.1:2300")};

	registry_join(&reg, &f, &reg, &done);
	assert_non_null(done.server);
	return done.server;
}

static int64_t
query(const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *s;
	int64_t v;

	assert_int_equal(
	    sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), 0);
	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	v = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return v;
}

static void
exec(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), 0);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void
test_round_trip(void **state)
{
	struct f_beat beat = {.state = 1, .conns = 7, .loop_us = 1500};
	struct f_report report = {
	    .gen = 9, .ep = STR_LIT("9f3a01c2"), .active = true};
	struct registry_server *s;
	struct store *st;

	(void)state;
	st = opened();
	s = server("p1", ROLE_PROXY);
	registry_beat(&reg, s, &beat);
	registry_report(&reg, s, &report);
	server("ms1", ROLE_MSG);
	assert_true(registry_commit(&reg));
	assert_int_equal(store_flush(st, &reg, true), 0);
	assert_false(s->dirty);
	assert_false(reg.meta_dirty);
	store_close(st);
	registry_fini(&reg);
	registry_init(&reg, NULL, NULL);
	st = opened();
	assert_int_equal(store_load(st, &reg), 0);
	store_close(st);
	assert_int_equal(reg.n, 2);
	assert_int_equal(reg.ver, 1);
	assert_int_equal(reg.next_node, 3);
	assert_int_equal(reg.gen, 9);
	assert_string_equal(reg.active, "p1");
	assert_string_equal(reg.ep, "9f3a01c2");
	s = registry_find(&reg, STR_LIT("p1"));
	assert_int_equal(s->t.node_no, 1);
	assert_int_equal(s->t.role, ROLE_PROXY);
	assert_int_equal(s->t.inc, 3);
	assert_int_equal(s->t.weight, 2);
	assert_int_equal(s->cap, 100);
	assert_string_equal(s->t.link, "127.0.0.1:9600");
	assert_string_equal(s->t.public_url, "ws://a/ws");
	assert_string_equal(s->t.gate, "10.0.0.1:2300");
	assert_string_equal(s->t.version, "1.2");
	assert_false(s->dirty);
	/* anybody may look, in the words of the API */
	assert_int_equal(query("SELECT conns FROM v_servers WHERE id='p1'"), 7);
	assert_int_equal(query("SELECT count(*) FROM v_load"), 2);
	assert_int_equal(query("SELECT count(*) FROM v_next"), 1);
	assert_int_equal(query("SELECT count(*) FROM v_jobs"), 0);
	assert_int_equal(query("SELECT count(*) FROM v_problems"), 0);
	assert_int_equal(query("SELECT 1000 * loop_ms FROM v_load"), 1500);
	assert_int_equal(query("PRAGMA application_id"), SCHEMA_APPLICATION_ID);
}

static void
test_jobs(void **state)
{
	struct store *st = opened();
	struct job *job;

	(void)state;
	(void)jobs_add(&reg.jobs, "ms1", 3, 50, 600000, 10);
	job = jobs_add(&reg.jobs, "ms2", 4, 200, 30000, 10);
	assert_int_equal(store_flush(st, &reg, false), 0);
	assert_false(job->dirty);
	jobs_progress(job, 4, 8);
	assert_int_equal(store_flush(st, &reg, false), 0);
	jobs_end(job, JOB_FAILED);
	assert_int_equal(store_flush(st, &reg, false), 0);
	store_close(st);
	assert_int_equal(query("SELECT count(*) FROM v_jobs"), 2);
	assert_int_equal(
	    query("SELECT count(*) FROM v_jobs WHERE server='ms1' AND"
		  " state='running' AND left=10 AND moved=0 AND t1 IS NULL"),
	    1);
	assert_int_equal(
	    query("SELECT count(*) FROM v_jobs WHERE server='ms2' AND"
		  " state='failed' AND left=4 AND moved=8 AND total=12"
		  " AND t1 >= t0"),
	    1);
	registry_fini(&reg);
	registry_init(&reg, NULL, NULL);
	/* views of an older version are made anew, and a column it lacks */
	exec("ALTER TABLE server DROP COLUMN gate");
	exec("DROP VIEW v_jobs; CREATE VIEW v_jobs AS SELECT id FROM job");
	st = opened();
	assert_int_equal(store_load(st, &reg), 0);
	assert_int_equal(reg.jobs.n, 2);
	job = jobs_running(&reg.jobs, "ms1");
	assert_int_equal(job->rate, 50);
	assert_int_equal(job->within_ms, 600000);
	assert_int_equal(job->inc, 3);
	assert_int_equal(job->left, 10);
	job = jobs_newest(&reg.jobs, "ms2");
	assert_int_equal(job->state, JOB_FAILED);
	assert_true(job->t1 >= job->t0 && job->t0 > 0);
	assert_int_equal(jobs_add(&reg.jobs, "ms3", 1, 1, 1, 0)->id, 3);
	/* the oldest that ended go, running ones stay */
	reg.jobs.trim = 2;
	assert_int_equal(store_flush(st, &reg, false), 0);
	assert_int_equal(reg.jobs.trim, 0);
	store_close(st);
	assert_int_equal(query("SELECT count(*) FROM v_jobs"), 2);
	assert_int_equal(query("SELECT min(id) FROM v_jobs"), 1);
}

/* two names change their numbers in one flush */
static void
test_swap(void **state)
{
	struct registry_server *a, *b;
	struct store *st = opened();

	(void)state;
	a = server("a", ROLE_MSG);
	b = server("b", ROLE_MSG);
	assert_int_equal(store_flush(st, &reg, false), 0);
	a->t.node_no = 2;
	b->t.node_no = 1;
	a->dirty = b->dirty = true;
	assert_int_equal(store_flush(st, &reg, false), 0);
	store_close(st);
	assert_int_equal(query("SELECT node_no FROM server WHERE name='a'"), 2);
	assert_int_equal(query("SELECT node_no FROM server WHERE name='b'"), 1);
}

static void
test_forget(void **state)
{
	struct store *st = opened();

	(void)state;
	server("a", ROLE_MSG);
	assert_int_equal(store_flush(st, &reg, false), 0);
	assert_int_equal(store_forget(st, "a"), 0);
	store_close(st);
	registry_fini(&reg);
	registry_init(&reg, NULL, NULL);
	st = opened();
	assert_int_equal(store_load(st, &reg), 0);
	store_close(st);
	assert_int_equal(reg.n, 0);
	assert_int_equal(reg.next_node, 2); /* the number stays taken */
}

struct seen {
	unsigned n;
	int64_t first, last;
	char kind[33];
};

static void
on_row(void *arg, const struct store_row *row)
{
	struct seen *s = arg;

	if (s->n++ == 0)
		s->first = row->id;
	assert_true(s->n == 1 || row->id > s->last);
	s->last = row->id;
	str_copy(s->kind, sizeof s->kind, row->kind);
}

static struct seen
events(struct store *st, int64_t since, unsigned limit, bool more)
{
	struct seen s = {0};
	bool is;

	assert_int_equal(store_events(st, since, limit, on_row, &s, &is), 0);
	assert_int_equal(is, more);
	return s;
}

static void
test_events(void **state)
{
	struct store *st = opened();
	struct seen s;
	char kind[32];
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		snprintf(kind, sizeof kind, "k%d", i);
		store_event(st, i, kind, "", "");
	}
	assert_int_equal(events(st, 0, 10, false).n, 0); /* not flushed */
	assert_int_equal(store_flush(st, &reg, false), 0);
	s = events(st, 0, 3, true);
	assert_int_equal(s.n, 3);
	s = events(st, s.last, 2, false);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.kind, "k4");
	assert_int_equal(events(st, s.last, 2, false).n, 0);
	/* more than can wait: the oldest go */
	for (i = 0; i < STORE_PENDING_MAX + 10; i++) {
		snprintf(kind, sizeof kind, "n%d", i);
		store_event(st, i, kind, "", "");
	}
	assert_int_equal(store_flush(st, &reg, false), 0);
	s = events(st, s.last, 2000, false);
	assert_int_equal(s.n, STORE_PENDING_MAX);
	assert_string_equal(s.kind, kind);
	store_close(st);
	/* only the newest are kept */
	exec("UPDATE sqlite_sequence SET seq = 200000; DELETE FROM events"
	     " WHERE id > 3; INSERT INTO events VALUES (99999,1,'x','','')");
	st = opened();
	store_event(st, 1, "new", "", "");
	assert_int_equal(store_flush(st, &reg, false), 0);
	s = events(st, 0, 10, false);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.kind, "new");
	store_close(st);
}

/* a foreign reader holds the file: later, and nothing is lost */
static void
test_busy(void **state)
{
	struct store *st = opened();
	sqlite3 *db;

	(void)state;
	server("a", ROLE_MSG);
	assert_int_equal(sqlite3_open(path, &db), 0);
	assert_int_equal(
	    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), 0);
	assert_int_equal(store_flush(st, &reg, false), ERR_BUSY);
	assert_true(reg.list[0]->dirty);
	assert_int_equal(store_error(st), 0);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), 0);
	sqlite3_close(db);
	assert_int_equal(store_flush(st, &reg, false), 0);
	assert_false(reg.list[0]->dirty);
	store_close(st);
}

static void
test_two_users(void **state)
{
	struct store *st = opened();

	(void)state;
	refused("another config_server is using it");
	store_close(st);
	st = opened();
	store_close(st);
}

/* ---- files that can't be used ----------------------------------------- */

static off_t
filled(void)
{
	struct store *st = opened();
	struct stat sb;
	char name[32];

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "server%d", i);
		server(name, ROLE_MSG);
		store_event(st, 1, "kind", name, "some detail about it");
	}
	assert_int_equal(store_flush(st, &reg, true), 0);
	store_close(st);
	assert_int_equal(stat(path, &sb), 0);
	return sb.st_size;
}

static void
put(off_t at, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, p, n, at), (ssize_t)n);
	close(fd);
}

static void
test_corrupt(void **state)
{
	off_t size = filled(), at;
	char noise[4096];

	(void)state;
	memset(noise, 0xa5, sizeof noise);
	for (at = 4096; at + 4096 < size; at += 8192)
		put(at, noise, sizeof noise);
	refused("corrupt");
	refused("corrupt"); /* and refusing has changed nothing */
}

static void
test_truncated(void **state)
{
	off_t size = filled();

	(void)state;
	assert_int_equal(truncate(path, size - 4096), 0);
	refused("can't be used: it is ");
	assert_int_equal(truncate(path, size / 2 + 100), 0);
	refused("can't be used: it is ");
	assert_int_equal(truncate(path, 50), 0);
	refused("can't be used: it is ");
	assert_int_equal(truncate(path, 3), 0);
	refused("truncated");
	/* a first start that was cut short leaves an empty file */
	assert_int_equal(truncate(path, 0), 0);
	store_close(opened());
}

static void
test_foreign(void **state)
{
	static const char text[] = "this is a letter to my aunt, no database";

	(void)state;
	put(0, text, sizeof text);
	refused("not a database of config_server");
	unlink(path);
	exec("CREATE TABLE t (a)");
	refused("not a database of config_server");
	assert_int_equal(query("SELECT count(*) FROM sqlite_schema"), 1);
	/* the log of the messages has the same application_id */
	exec("PRAGMA application_id = 1667785825");
	refused("not a database of config_server");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	refused("can't be used");
	rmdir(path);
}

static void
test_newer(void **state)
{
	(void)state;
	store_close(opened());
	exec("PRAGMA user_version = 2");
	refused("newer version");
}

static void
test_other_cluster(void **state)
{
	(void)state;
	store_close(store_open(dir, "other", err, sizeof err));
	refused("another cluster");
}

static void
test_read_only(void **state)
{
	(void)state;
	store_close(opened());
	assert_int_equal(chmod(path, 0400), 0);
	refused("read-only");
	assert_int_equal(chmod(path, 0600), 0);
	store_close(opened());
}

/* the rules of the table hold against a row no registry would take */
static void
test_bad_rows(void **state)
{
	struct store *st;

	(void)state;
	store_close(opened());
	exec("INSERT INTO server (name, node_no, role, state, inc)"
	     " VALUES ('a b', 1, 'msg', 'up', 1)");
	st = opened();
	assert_int_equal(store_load(st, &reg), ERR_CORRUPT);
	store_close(st);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {T(test_round_trip), T(test_swap),
	    T(test_jobs), T(test_forget), T(test_events), T(test_busy),
	    T(test_two_users), T(test_corrupt), T(test_truncated),
	    T(test_foreign), T(test_newer), T(test_other_cluster),
	    T(test_read_only), T(test_bad_rows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
