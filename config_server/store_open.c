/* SPDX-License-Identifier: MIT */
/*
 * Opening topology.db: is it there, ours, whole, writable, of this cluster and
 * not in use? Every answer is one line; nothing is written into a file before
 * it is known to be ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_server/schema.h"
#include "config_server/store_priv.h"

enum { STORE_LENGTH_MAX = 1 << 20, STORE_MAGIC = 16 };

static const char *const store_sql[] = {
#define X(name, sql) sql,
    STORE_STATEMENTS(X)
#undef X
};

static int64_t
store_pragma(sqlite3 *db, const char *sql, int *err)
{
	sqlite3_stmt *s = NULL;
	int64_t v = 0;
	int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);

	if (rc == SQLITE_OK) {
		rc = sqlite3_step(s);
		if (rc == SQLITE_ROW)
			v = sqlite3_column_int64(s, 0);
	}
	*err = store_err(rc);
	sqlite3_finalize(s);
	return v;
}

/* ---- opening ---------------------------------------------------------- */

/* what the file says about itself before SQLite touches it; *fresh: none */
static const char *
store_look(const char *path, bool *fresh)
{
	char magic[STORE_MAGIC];
	struct stat sb;
	ssize_t n;
	int fd;

	*fresh = false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		*fresh = errno == ENOENT;
		return *fresh ? NULL : strerror(errno);
	}
	n = fstat(fd, &sb) == 0 ? read(fd, magic, sizeof(magic)) : -1;
	close(fd);
	if (n < 0 || !S_ISREG(sb.st_mode))
		return "it is not a regular file";
	/* left by a first start that was cut short */
	*fresh = sb.st_size == 0;
	if (*fresh)
		return NULL;
	if ((size_t)n < sizeof(magic))
		return "it is truncated";
	if (memcmp(magic, "SQLite format 3", sizeof(magic)) != 0)
		return "it is not a database of config_server";
	/* asked explicitly: root would be let through */
	if (!(sb.st_mode & 0222))
		return "it is read-only";
	return NULL;
}

static const char *
store_why(int err)
{
	switch (err) {
	case ERR_BUSY:
		return "it is locked by another program";
	case ERR_FULL:
		return "the disk is full";
	case ERR_READONLY:
		return "it is read-only";
	case ERR_CORRUPT:
		return "it is corrupt";
	case ERR_FOREIGN:
		return "it is not a database of config_server";
	default:
		return "input/output error";
	}
}

static int
store_exec(sqlite3 *db, const char *sql)
{
	return store_err(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static const char *
store_create(sqlite3 *db, const char *cluster)
{
	char sql[256];
	int err;

	snprintf(sql, sizeof(sql),
	    "PRAGMA application_id = %d; PRAGMA user_version = %d;"
	    "INSERT INTO meta VALUES ('cluster', '%s');",
	    SCHEMA_APPLICATION_ID, SCHEMA_VERSION, cluster);
	err = store_exec(db, "BEGIN IMMEDIATE");
	if (err == 0)
		err = store_exec(db, schema_tables);
	if (err == 0)
		err = store_exec(db, schema_views);
	if (err == 0)
		err = store_exec(db, sql);
	if (err == 0)
		err = store_exec(db, "COMMIT");
	return err == 0 ? NULL : store_why(err);
}

static bool
store_is_sound(sqlite3 *db)
{
	sqlite3_stmt *s = NULL;
	const char *text;
	bool ok = false;

	if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &s, NULL) ==
		SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW) {
		text = (const char *)sqlite3_column_text(s, 0);
		ok = text != NULL && !strcmp(text, "ok");
	}
	sqlite3_finalize(s);
	return ok;
}

/* is an existing file ours, whole, and of this cluster? */
static const char *
store_judge(sqlite3 *db, const char *path, const char *cluster)
{
	char sql[160];
	int64_t app, version, pages, size;
	struct stat sb;
	int err;

	app = store_pragma(db, "PRAGMA application_id", &err);
	if (err != 0)
		return store_why(err);
	version = store_pragma(db, "PRAGMA user_version", &err);
	if (app != SCHEMA_APPLICATION_ID)
		return store_why(ERR_FOREIGN);
	if (version > SCHEMA_VERSION)
		return "it was written by a newer version of config_server";
	pages = store_pragma(db, "PRAGMA page_count", &err);
	size = store_pragma(db, "PRAGMA page_size", &err);
	if (stat(path, &sb) == 0 && sb.st_size < pages * size)
		return "it is truncated";
	if (!store_is_sound(db))
		return store_why(ERR_CORRUPT);
	/* messages.db has the same application_id */
	if (store_pragma(db,
		"SELECT count(*) FROM sqlite_schema"
		" WHERE name IN ('meta','server','events','load')",
		&err) != 4)
		return store_why(ERR_FOREIGN);
	snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM meta WHERE k = 'cluster' AND v = '%s'",
	    cluster);
	if (store_pragma(db, sql, &err) != 1)
		return "it belongs to another cluster";
	return NULL;
}

static const char *
store_setup(sqlite3 *db)
{
	static const char pragmas[] =
	    "PRAGMA trusted_schema = OFF; PRAGMA journal_mode = TRUNCATE;"
	    "PRAGMA synchronous = FULL;";
	int err;

	sqlite3_extended_result_codes(db, 1);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, STORE_LENGTH_MAX);
	err = store_exec(db, pragmas);
	return err == 0 ? NULL : store_why(err);
}

/* what this version knows of a server and older ones did not */
static const char *
store_add_columns(sqlite3 *db)
{
	int err;

	if (store_pragma(db,
		"SELECT count(*) FROM pragma_table_info('server')"
		" WHERE name = 'gate'",
		&err) == 1)
		return NULL;
	if (err == 0)
		err = store_exec(db, schema_gate);
	return err == 0 ? NULL : store_why(err);
}

/* views are for people and other programs: those of this version */
static const char *
store_renew_views(sqlite3 *db)
{
	int err = 0;

	if (store_pragma(db,
		"SELECT count(*) FROM pragma_table_info('v_jobs')"
		" WHERE name = 'moved'",
		&err) == 1)
		return NULL;
	if (err == 0)
		err = store_exec(db, "BEGIN IMMEDIATE");
	if (err == 0)
		err = store_exec(db, schema_views);
	if (err == 0)
		err = store_exec(db, "COMMIT");
	return err == 0 ? NULL : store_why(err);
}

/* a write that changes nothing tells at start what would fail later */
static const char *
store_try_write(sqlite3 *db)
{
	int err;

	if (sqlite3_db_readonly(db, "main") == 1)
		return store_why(ERR_READONLY);
	err = store_exec(db, "BEGIN IMMEDIATE;"
			     "INSERT OR REPLACE INTO meta VALUES ('try', 1);"
			     "DELETE FROM meta WHERE k = 'try'; COMMIT");
	return err == 0 ? NULL : store_why(err);
}

static const char *
store_prepare(struct store *st)
{
	for (size_t i = 0; i < ST_COUNT; i++)
		if (sqlite3_prepare_v3(st->db, store_sql[i], -1,
			SQLITE_PREPARE_PERSISTENT, &st->stmt[i],
			NULL) != SQLITE_OK)
			return "its schema is not ours";
	return NULL;
}

static const char *
store_lock(struct store *st, const char *dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/topology.lock", dir);
	st->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (st->lock_fd < 0)
		return strerror(errno);
	if (flock(st->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return "another config_server is using it";
	return NULL;
}

static const char *
store_open_db(struct store *st, const char *path, const char *cluster)
{
	const char *why;
	bool fresh;
	int rc;

	why = store_look(path, &fresh);
	if (why != NULL)
		return why;
	rc = sqlite3_open_v2(path, &st->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		SQLITE_OPEN_PRIVATECACHE,
	    NULL);
	if (rc != SQLITE_OK)
		return store_why(store_err(rc));
	/* judged before setup writes anything into what may not be ours */
	if (!fresh)
		why = store_judge(st->db, path, cluster);
	if (why == NULL)
		why = store_setup(st->db);
	if (why == NULL && fresh)
		why = store_create(st->db, cluster);
	if (why == NULL)
		why = store_try_write(st->db);
	if (why == NULL)
		why = store_add_columns(st->db);
	if (why == NULL)
		why = store_renew_views(st->db);
	return why != NULL ? why : store_prepare(st);
}

struct store *
store_open(const char *dir, const char *cluster, char *err, size_t err_size)
{
	struct store *st = xcalloc(1, sizeof(*st));
	char path[PATH_MAX];
	const char *why;

	snprintf(path, sizeof(path), "%s/topology.db", dir);
	st->pending = xcalloc(STORE_PENDING_MAX, sizeof(*st->pending));
	why = store_lock(st, dir);
	if (why == NULL)
		why = store_open_db(st, path, cluster);
	if (why == NULL)
		return st;
	snprintf(err, err_size, "%s can't be used: %s", path, why);
	store_close(st);
	return NULL;
}

void
store_close(struct store *st)
{
	if (st == NULL)
		return;
	for (size_t i = 0; i < ST_COUNT; i++)
		sqlite3_finalize(st->stmt[i]);
	sqlite3_close(st->db);
	if (st->lock_fd >= 0)
		close(st->lock_fd);
	free(st->pending);
	free(st);
}
