/* SPDX-License-Identifier: MIT */
/*
 * messages.db as a file: made, checked, opened, brought up to date, closed.
 * What is in it is log_sqlite_row.c's. A new file is made under another name
 * and renamed when it is whole, so that an empty or half-made messages.db is
 * never ours: it is damage, and said to be.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy_server/log_sqlite.h"
#include "shared/proc/clock.h"

static const char *const logdb_sql[SQL_N] = {
#define X(name, sql) [SQL_##name] = sql,
    LOGDB_SQL(X)
#undef X
};

static const char logdb_schema[] =
    "CREATE TABLE meta(k TEXT PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID;"
    "CREATE TABLE chan(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " head INTEGER NOT NULL DEFAULT 0, first INTEGER NOT NULL DEFAULT 1,"
    " last_ts INTEGER NOT NULL DEFAULT 0,"
    " keep_days INTEGER, keep_items INTEGER) STRICT;"
    "CREATE TABLE item(chan INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " ts INTEGER NOT NULL, kind INTEGER NOT NULL, flags INTEGER NOT NULL,"
    " uid TEXT, cid TEXT, cn INTEGER, name TEXT, avatar TEXT,"
    " ref INTEGER, pchan INTEGER, rid TEXT, body BLOB,"
    " crc INTEGER NOT NULL, at TEXT, PRIMARY KEY(chan, seq))"
    " STRICT, WITHOUT ROWID;"
    "CREATE INDEX item_edit ON item(chan, ref) WHERE kind=2;"
    "CREATE TABLE state(chan INTEGER NOT NULL, key TEXT NOT NULL, val BLOB,"
    " rev INTEGER NOT NULL, exp INTEGER, PRIMARY KEY(chan, key))"
    " STRICT, WITHOUT ROWID;";

/* logdb_steps[v] brings version v+1 to v+2; an index reads all rows once */
static const char *const logdb_steps[LOGDB_VERSION - 1] = {
    "ALTER TABLE item ADD COLUMN at TEXT;"
    "CREATE INDEX item_edit ON item(chan, ref) WHERE kind=2;",
};

const char *
logdb_sql_text(enum logdb_sql which)
{
	return logdb_sql[which];
}

void
logdb_init(void)
{
	/* counting its memory costs SQLite a lock per allocation */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_initialize();
}

static int __attribute__((format(printf, 3, 4)))
logdb_say(struct logdb *db, int err, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(db->why, sizeof db->why, "%s: ", db->path);

	va_start(ap, fmt);
	if (n >= 0 && n < (int)sizeof db->why)
		vsnprintf(db->why + n, sizeof db->why - (size_t)n, fmt, ap);
	va_end(ap);
	return err;
}

int
logdb_fail(struct logdb *db, int rc, const char *doing)
{
	/* what we found ourselves is not in the connection */
	const char *text = db->db != NULL && sqlite3_errcode(db->db) != 0
			       ? sqlite3_errmsg(db->db)
			       : sqlite3_errstr(rc);

	switch (rc & 0xff) {
	case SQLITE_FULL:
		return logdb_say(db, ERR_FULL, "no space left on the disk");
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return logdb_say(db, ERR_BUSY, "locked by another program");
	case SQLITE_ERROR: /* of our statements, on a file that we made */
	case SQLITE_CORRUPT:
		return logdb_say(db, ERR_CORRUPT,
		    "the database is corrupt (%s): restore it from a backup",
		    text);
	case SQLITE_NOTADB:
		return logdb_say(
		    db, ERR_FOREIGN, "not a database of this program");
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN:
		return logdb_say(
		    db, ERR_READONLY, "can't be written (%s)", text);
	case SQLITE_IOERR:
		/*
		 * A quota or a size limit, which is a full disk to us; SQLite
		 * tells ENOSPC alone. What was not written was not promised.
		 */
		if (rc == SQLITE_IOERR_SHMSIZE)
			return logdb_say(
			    db, ERR_FULL, "no space left on the disk");
		if (rc == SQLITE_IOERR_WRITE)
			return logdb_say(db, ERR_FULL,
			    "a write failed (no space left in a quota?)");
		/* fall through */
	default:
		return logdb_say(
		    db, ERR_IO, "can't %s: %s (%d)", doing, text, rc);
	}
}

struct sqlite3_stmt *
logdb_st(struct logdb *db, enum logdb_sql which, int *err)
{
	int rc;

	if (db->st[which] != NULL)
		return db->st[which];
	rc = sqlite3_prepare_v3(db->db, logdb_sql[which], -1,
	    SQLITE_PREPARE_PERSISTENT, &db->st[which], NULL);
	if (rc != SQLITE_OK) {
		*err = logdb_fail(db, rc, "prepare a statement");
		return NULL;
	}
	return db->st[which];
}

void
logdb_close(struct logdb *db)
{
	for (int i = 0; i < SQL_N; i++) {
		sqlite3_finalize(db->st[i]);
		db->st[i] = NULL;
	}
	sqlite3_close(db->db);
	db->db = NULL;
	/* not before: closing any descriptor of a file ends all locks on it */
	if (db->has_fd)
		close(db->fd);
	db->has_fd = false;
}

void
logdb_abandon(struct logdb *db)
{
	if (db->db != NULL)
		sqlite3_db_config(
		    db->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

static int
logdb_exec(struct logdb *db, const char *sql, const char *doing)
{
	int rc = sqlite3_exec(db->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : logdb_fail(db, rc, doing);
}

/* the one integer (or 0) that a PRAGMA answers */
static int
logdb_pragma(struct logdb *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(db->db, sql, -1, &st, NULL);

	*out = 0;
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(st);
		if (rc == SQLITE_ROW)
			*out = sqlite3_column_int64(st, 0);
		rc = sqlite3_finalize(st);
	}
	return rc == SQLITE_OK ? 0 : logdb_fail(db, rc, "read");
}

static int
logdb_on_wal(void *arg, sqlite3 *conn, const char *name, int frames)
{
	struct logdb *db = arg;

	(void)conn;
	(void)name;
	db->wal_frames = (uint64_t)frames;
	db->wal_commits++;
	return SQLITE_OK;
}

/* a connection with our settings; nothing of the file is read yet */
static int
logdb_connect(struct logdb *db, const char *path, int flags)
{
	int rc = sqlite3_open_v2(path, &db->db,
	    flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(db->db, 5000);
		sqlite3_limit(db->db, SQLITE_LIMIT_LENGTH, 1024 * 1024);
		rc = sqlite3_db_config(
		    db->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db->db,
		    "PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY;"
		    "PRAGMA cache_size=-16384;"
		    /* what is recalled or trimmed leaves no words behind */
		    "PRAGMA secure_delete=ON;",
		    NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return 0;
	rc = logdb_fail(db, rc, "open");
	logdb_close(db);
	return rc;
}

static int
logdb_sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		close(fd);
	return r;
}

static int
logdb_make(struct logdb *db, const char *dir)
{
	char tmp[sizeof db->path + 8], sql[256];
	struct stat st;
	int err;

	snprintf(tmp, sizeof tmp, "%s-wal", db->path);
	if (stat(tmp, &st) == 0 && st.st_size > 0)
		return logdb_say(db, ERR_CORRUPT,
		    "missing, but its -wal file is there: restore both or "
		    "remove that too");
	snprintf(tmp, sizeof tmp, "%s-new", db->path);
	unlink(tmp); /* of an attempt that a crash cut short */
	err =
	    logdb_connect(db, tmp, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	if (err != 0)
		return err;
	snprintf(sql, sizeof sql,
	    "PRAGMA page_size=4096; PRAGMA application_id=%d;"
	    "PRAGMA user_version=%d; BEGIN;",
	    LOGDB_APP_ID, LOGDB_VERSION);
	err = logdb_exec(db, sql, "create");
	if (err == 0)
		err = logdb_exec(db, logdb_schema, "create");
	if (err == 0)
		err = logdb_meta_set_u64(
		    db, "created", (uint64_t)clock_wall_ms());
	if (err == 0)
		err = logdb_meta_set_u64(db, "gen", 0);
	if (err == 0)
		err = logdb_exec(
		    db, "COMMIT; PRAGMA journal_mode=WAL;", "create");
	logdb_close(db);
	if (err == 0 && (rename(tmp, db->path) < 0 || logdb_sync_dir(dir) < 0))
		err = logdb_say(db, ERR_IO, "can't create: %m");
	if (err != 0)
		unlink(tmp);
	return err;
}

static uint32_t
logdb_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/*
 * The first 100 bytes (sqlite.org/fileformat2.html), before SQLite may touch
 * the file or its journal: a foreign file must come out as it went in.
 */
static int
logdb_head(struct logdb *db)
{
	uint8_t h[100];
	uint32_t version;
	ssize_t n;
	int fd = open(db->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	/* no room for one more file is our trouble, the rest is the file's */
	if (fd < 0)
		return logdb_say(db,
		    errno == EMFILE || errno == ENFILE || errno == ENOMEM
			? ERR_IO
			: ERR_READONLY,
		    "can't be written (%m)");
	n = pread(fd, h, sizeof h, 0);
	close(fd);
	if (n < 0)
		return logdb_say(db, ERR_IO, "can't be read: %m");
	if (n < 16 && memcmp(h, "SQLite format 3", (size_t)n) == 0)
		return logdb_say(db, ERR_CORRUPT,
		    "the database is cut off after %zd bytes: restore it "
		    "from a backup",
		    n);
	if (n < 16 || memcmp(h, "SQLite format 3", 16) != 0)
		return logdb_say(
		    db, ERR_FOREIGN, "not a database of this program");
	if (n < (ssize_t)sizeof h)
		return logdb_say(db, ERR_CORRUPT,
		    "the database is cut off after %zd bytes: restore it "
		    "from a backup",
		    n);
	if (logdb_be32(h + 68) != LOGDB_APP_ID)
		return logdb_say(db, ERR_FOREIGN,
		    "a database of another program (application_id 0x%08x)",
		    logdb_be32(h + 68));
	version = logdb_be32(h + 60);
	if (version > LOGDB_VERSION)
		return logdb_say(db, ERR_VERSION,
		    "written by a newer version (schema %" PRIu32
		    ", this program knows %d)",
		    version, LOGDB_VERSION);
	return 0;
}

/* is the file as long as it says? what is missing may still be in the WAL */
static int
logdb_length(struct logdb *db)
{
	int64_t pages, size;
	struct stat st;
	int err = logdb_pragma(db, "PRAGMA page_count", &pages);

	if (err == 0)
		err = logdb_pragma(db, "PRAGMA page_size", &size);
	if (err != 0)
		return err;
	for (int turn = 0; stat(db->path, &st) == 0; turn++) {
		if (st.st_size >= pages * size)
			return 0;
		if (turn > 0)
			return logdb_say(db, ERR_CORRUPT,
			    "the database is cut off (%" PRId64 " of %" PRId64
			    " bytes): restore it from a backup",
			    (int64_t)st.st_size, pages * size);
		err = logdb_checkpoint(db);
		if (err != 0)
			return err;
	}
	return logdb_say(db, ERR_IO, "can't be read: %m");
}

static int
logdb_migrate(struct logdb *db)
{
	int64_t version;
	char sql[64];
	int err = logdb_pragma(db, "PRAGMA user_version", &version);

	if (err == 0 && version < 1)
		return logdb_say(
		    db, ERR_FOREIGN, "not a database of this program");
	for (; err == 0 && version < LOGDB_VERSION; version++) {
		snprintf(sql, sizeof sql, "PRAGMA user_version=%" PRId64,
		    version + 1);
		err = logdb_exec(db, "BEGIN IMMEDIATE", "migrate");
		if (err == 0)
			err =
			    logdb_exec(db, logdb_steps[version - 1], "migrate");
		if (err == 0)
			err = logdb_exec(db, sql, "migrate");
		if (err == 0)
			err = logdb_exec(db, "COMMIT", "migrate");
	}
	return err;
}

/* every statement compiles: the schema is readable and what we think it is */
static int
logdb_prepare(struct logdb *db)
{
	int err = 0;

	for (int i = 0; i < SQL_N && err == 0; i++) {
		if (sqlite3_prepare_v3(db->db, logdb_sql[i], -1,
			SQLITE_PREPARE_PERSISTENT, &db->st[i],
			NULL) == SQLITE_OK)
			continue;
		err = logdb_fail(db, sqlite3_extended_errcode(db->db), "open");
	}
	return err;
}

int
logdb_open(struct logdb *db, const char *dir, enum log_sync sync, bool *fresh)
{
	static const char *const pragma[] = {
	    [LOG_SYNC_FULL] = "PRAGMA synchronous=FULL",
	    [LOG_SYNC_NORMAL] = "PRAGMA synchronous=NORMAL",
	    [LOG_SYNC_OFF] = "PRAGMA synchronous=OFF",
	};
	struct stat st;
	int err = 0;

	memset(db, 0, sizeof *db);
	if (snprintf(db->path, sizeof db->path, "%s/messages.db", dir) >=
	    (int)sizeof db->path - 8)
		return logdb_say(db, ERR_INVALID, "the path is too long");
	*fresh = stat(db->path, &st) < 0 && errno == ENOENT;
	if (*fresh)
		err = logdb_make(db, dir);
	if (err == 0)
		err = logdb_head(db);
	if (err == 0)
		err = logdb_connect(db, db->path, SQLITE_OPEN_READWRITE);
	if (err != 0)
		return err;
	db->fd = open(db->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	db->has_fd = db->fd >= 0;
	sqlite3_wal_hook(db->db, logdb_on_wal, db);
	/* no checkpoint but ours: the hook above took the automatic one's
	 * place. 17 MiB are more than log_wal_grow() makes of the file, or
	 * SQLite would cut that off each time the WAL begins anew */
	err = logdb_exec(db,
	    "PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=17825792;",
	    "open");
	if (err == 0)
		err = logdb_exec(db, pragma[sync], "open");
	if (err == 0)
		err = logdb_length(db);
	if (err == 0)
		err = logdb_migrate(db);
	if (err == 0)
		err = logdb_prepare(db);
	if (err != 0)
		logdb_close(db);
	return err;
}

int
logdb_open_beside(struct logdb *db, const struct logdb *of)
{
	int err;

	memset(db, 0, sizeof *db);
	memcpy(db->path, of->path, sizeof db->path);
	err = logdb_connect(db, db->path, SQLITE_OPEN_READONLY);
	if (err == 0)
		err = logdb_exec(db, "PRAGMA query_only=ON", "open");
	if (err != 0)
		logdb_close(db);
	return err;
}

int
logdb_open_reader(struct logdb *db, const char *dir)
{
	struct logdb of;

	snprintf(of.path, sizeof of.path, "%s/messages.db", dir);
	return logdb_open_beside(db, &of);
}

int
logdb_open_file(struct logdb *db, const char *path)
{
	int err;

	memset(db, 0, sizeof *db);
	str_copy(db->path, sizeof db->path, str_of(path));
	err = logdb_head(db);
	if (err == 0)
		err = logdb_connect(db, path, SQLITE_OPEN_READWRITE);
	if (err != 0)
		return err;
	/* one file, whole in itself */
	err = logdb_exec(db,
	    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE;",
	    "open");
	if (err == 0)
		err = logdb_migrate(db);
	if (err == 0)
		err = logdb_prepare(db);
	if (err != 0)
		logdb_close(db);
	return err;
}

int
logdb_check(struct logdb *db)
{
	sqlite3_stmt *st;
	int rc =
	    sqlite3_prepare_v2(db->db, "PRAGMA quick_check(1)", -1, &st, NULL);
	int err = 0;

	if (rc == SQLITE_OK) {
		if (sqlite3_step(st) == SQLITE_ROW &&
		    strcmp((const char *)sqlite3_column_text(st, 0), "ok"))
			err = logdb_say(db, ERR_CORRUPT,
			    "the database is corrupt (%s): restore it from a "
			    "backup",
			    sqlite3_column_text(st, 0));
		rc = sqlite3_finalize(st);
	}
	return err != 0 || rc == SQLITE_OK ? err : logdb_fail(db, rc, "check");
}
