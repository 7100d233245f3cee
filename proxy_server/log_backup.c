/* SPDX-License-Identifier: MIT */
/*
 * The copy of a live messages.db. Belongs to the reader's thread. The source
 * connection holds its snapshot from the first step to the last, so the backup
 * never has to begin anew, however much is committed meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "proxy_server/log_backup.h"
#include "shared/base/str.h"
#include "shared/proc/clock.h"

enum {
	COPY_PAGES = 256,    /* a step */
	COPY_SYNC_STEPS = 16 /* then what is written goes to the disk, so that
				no commit waits behind all of it at the end */
};

struct log_copy {
	struct logdb src;
	sqlite3 *dst;
	sqlite3_backup *job;
	char path[4096], tmp[4096 + 4];
	int fd; /* of tmp, for syncs */
	unsigned steps;
	bool made; /* tmp is ours */
};

static int __attribute__((format(printf, 3, 4)))
log_copy_say(struct log_backup_done *done, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(done->why, sizeof done->why, fmt, ap);
	va_end(ap);
	done->err = err;
	return err;
}

static int
log_copy_errno(
    const struct log_copy *c, struct log_backup_done *done, const char *what)
{
	int e = errno;

	return log_copy_say(done,
	    e == EEXIST				       ? ERR_EXISTS
	    : e == ENOSPC || e == EDQUOT || e == EFBIG ? ERR_FULL
						       : ERR_IO,
	    "%s: can't %s: %s", c->tmp, what, strerror(e));
}

static int
log_copy_dst(const struct log_copy *c, struct log_backup_done *done, int rc)
{
	return log_copy_say(done,
	    (rc & 0xff) == SQLITE_FULL ? ERR_FULL : ERR_IO, "%s: %s", c->tmp,
	    sqlite3_errmsg(c->dst));
}

static int
log_copy_open_dst(struct log_copy *c, struct log_backup_done *done)
{
	struct stat st;
	int rc;

	if (lstat(c->path, &st) == 0)
		return log_copy_say(
		    done, ERR_EXISTS, "%s is there already", c->path);
	c->fd = open(
	    c->tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (c->fd < 0)
		return log_copy_errno(c, done, "create it");
	c->made = true;
	rc = sqlite3_open_v2(c->tmp, &c->dst,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
	    NULL);
	/* it has no past to go back to, and we sync it ourselves */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(c->dst,
		    "PRAGMA locking_mode=EXCLUSIVE;"
		    "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF;",
		    NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : log_copy_dst(c, done, rc);
}

/* a backup must not be what fills the disk of the log */
static int
log_copy_room(
    const struct log_copy *c, int64_t floor, struct log_backup_done *done)
{
	struct statvfs fs;
	struct stat st;
	int64_t room;

	if (stat(c->src.path, &st) < 0 || fstatvfs(c->fd, &fs) < 0)
		return log_copy_errno(c, done, "look at its disk");
	room = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	if (room - (int64_t)st.st_size >= floor)
		return 0;
	return log_copy_say(done, ERR_FULL,
	    "%s: %lld MiB are free there, the copy takes %lld and %lld have "
	    "to stay (disk_min)",
	    c->path, (long long)(room >> 20), (long long)(st.st_size >> 20),
	    (long long)(floor >> 20));
}

int
log_copy_begin(struct log_copy **out, const char *dir, const char *path,
    int64_t floor, struct log_backup_done *done)
{
	struct log_copy *c = xcalloc(1, sizeof *c);
	char ep[EP_LEN + 1];
	int err;

	*out = c;
	c->fd = -1;
	str_copy(c->path, sizeof c->path, str_of(path));
	snprintf(c->tmp, sizeof c->tmp, "%s.tmp", c->path);
	err = log_copy_open_dst(c, done);
	if (err != 0)
		return err;
	err = logdb_open_reader(&c->src, dir);
	if (err == 0)
		err = logdb_begin_read(&c->src);
	/* the snapshot begins with the first thing read */
	if (err == 0)
		err = logdb_meta_get(&c->src, "ep", ep, sizeof ep);
	if (err != 0)
		return log_copy_say(done, err, "%s", c->src.why);
	err = log_copy_room(c, floor, done);
	if (err != 0)
		return err;
	c->job = sqlite3_backup_init(c->dst, "main", c->src.db, "main");
	return c->job != NULL ? 0 : log_copy_dst(c, done, SQLITE_ERROR);
}

/* what a restored log is known by, and a file without companions */
static int
log_copy_mark(struct log_copy *c, struct log_backup_done *done)
{
	sqlite3_stmt *st = NULL;
	char sql[256];
	int rc;

	snprintf(sql, sizeof sql,
	    "PRAGMA journal_mode=DELETE; BEGIN;"
	    "INSERT OR REPLACE INTO meta(k,v) VALUES('backup','%lld');"
	    "INSERT OR REPLACE INTO meta(k,v) VALUES('clean','1'); COMMIT;",
	    (long long)clock_wall_ms());
	rc = sqlite3_exec(c->dst, sql, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(c->dst,
		    "SELECT count(*), coalesce(sum(head-first+1),0) FROM chan",
		    -1, &st, NULL);
	if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		done->channels = (uint64_t)sqlite3_column_int64(st, 0);
		done->items = (uint64_t)sqlite3_column_int64(st, 1);
	}
	if (st != NULL)
		rc = sqlite3_finalize(st);
	return rc == SQLITE_OK ? 0 : log_copy_dst(c, done, rc);
}

static int
log_copy_sync_dir(const char *path)
{
	char dir[4096];
	char *slash;
	int fd, r;

	str_copy(dir, sizeof dir, str_of(path));
	slash = strrchr(dir, '/');
	if (slash == NULL)
		return -1;
	slash[slash == dir ? 1 : 0] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -1 : fsync(fd);
	if (fd >= 0)
		close(fd);
	return r;
}

static int
log_copy_finish(struct log_copy *c, struct log_backup_done *done)
{
	struct stat st;
	int rc = sqlite3_backup_finish(c->job), err;

	c->job = NULL;
	if (rc != SQLITE_OK)
		return log_copy_dst(c, done, rc);
	/* the writer's WAL may begin anew from here on */
	logdb_close(&c->src);
	err = log_copy_mark(c, done);
	if (err != 0)
		return err;
	sqlite3_close(c->dst);
	c->dst = NULL;
	if (fsync(c->fd) < 0 || fstat(c->fd, &st) < 0)
		return log_copy_errno(c, done, "write it");
	/* as rename(), but never over another file */
	if (link(c->tmp, c->path) < 0) {
		if (errno == EEXIST)
			return log_copy_say(
			    done, ERR_EXISTS, "%s is there already", c->path);
		/* a file system without links */
		if (rename(c->tmp, c->path) < 0)
			return log_copy_errno(c, done, "rename it");
		c->made = false;
	}
	if (c->made)
		unlink(c->tmp);
	c->made = false;
	if (log_copy_sync_dir(c->path) < 0)
		return log_copy_errno(c, done, "write its directory");
	done->bytes = (uint64_t)st.st_size;
	return 0;
}

int
log_copy_step(struct log_copy *c, struct log_backup_done *done)
{
	int rc = sqlite3_backup_step(c->job, COPY_PAGES);

	switch (rc) {
	case SQLITE_DONE:
		return log_copy_finish(c, done);
	case SQLITE_OK:
		if (++c->steps % COPY_SYNC_STEPS == 0 && fdatasync(c->fd) < 0)
			return log_copy_errno(c, done, "write it");
		return ERR_AGAIN;
	default:
		return log_copy_say(done,
		    (rc & 0xff) == SQLITE_FULL ? ERR_FULL : ERR_IO,
		    "%s: can't copy: %s", c->tmp, sqlite3_errstr(rc));
	}
}

void
log_copy_end(struct log_copy *c)
{
	char path[sizeof c->tmp + 8];

	if (c == NULL)
		return;
	sqlite3_backup_finish(c->job);
	sqlite3_close(c->dst);
	logdb_close(&c->src);
	if (c->fd >= 0)
		close(c->fd);
	if (c->made) {
		unlink(c->tmp);
		snprintf(path, sizeof path, "%s-wal", c->tmp);
		unlink(path);
	}
	free(c);
}
