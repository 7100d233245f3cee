/* SPDX-License-Identifier: MIT */
/*
 * The way back from a backup. The file is copied into the data directory and
 * the copy is checked, so what goes live is what was checked. Runs alone, in a
 * process that serves nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proxy_server/log_backup.h"
#include "proxy_server/log_dir.h"
#include "shared/proc/clock.h"

enum { RESTORE_CHUNK = 1024 * 1024 };

static int __attribute__((format(printf, 3, 4)))
restore_say(struct log_restored *out, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out->why, sizeof out->why, fmt, ap);
	va_end(ap);
	return err;
}

static int
restore_write(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -1;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int
restore_copy(const char *from, const char *to, struct log_restored *out)
{
	uint8_t *chunk = xmalloc(RESTORE_CHUNK);
	struct stat st;
	ssize_t n = 0;
	int err = 0, to_fd, fd = open(from, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		err = restore_say(out, ERR_NOTFOUND, "%s: %s", from,
		    fd < 0 ? strerror(errno) : "not a file");
		if (fd >= 0)
			close(fd);
		free(chunk);
		return err;
	}
	unlink(to); /* of an attempt that was cut short */
	to_fd = open(
	    to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to_fd < 0)
		err = -1;
	while (err == 0 && (n = read(fd, chunk, RESTORE_CHUNK)) > 0)
		err = restore_write(to_fd, chunk, (size_t)n);
	if (err != 0 || n < 0 || fsync(to_fd) < 0)
		err = restore_say(out, errno == ENOSPC ? ERR_FULL : ERR_IO,
		    "can't copy %s to %s: %s", from, to, strerror(errno));
	if (to_fd >= 0)
		close(to_fd);
	close(fd);
	free(chunk);
	return err;
}

static int
restore_check(const char *path, const char *cluster, struct log_restored *out)
{
	char was[ID_MAX + 1] = "";
	struct logdb db;
	struct chan_row row = {0};
	int err = logdb_open_file(&db, path);

	if (err != 0)
		return restore_say(out, err, "%s", db.why);
	err = logdb_check(&db);
	if (err == 0)
		err = logdb_meta_get(&db, "cluster", was, sizeof was);
	if (err == ERR_NOTFOUND)
		err = 0;
	if (err == 0 && was[0] != '\0' && strcmp(was, cluster)) {
		snprintf(db.why, sizeof db.why,
		    "it belongs to the cluster %s, not to %.40s", was, cluster);
		err = ERR_FOREIGN;
	}
	while (err == 0 && (err = logdb_chan_next(&db, row.id, &row)) == 0) {
		out->channels++;
		out->items += row.head + 1 - row.first;
	}
	if (err == ERR_NOTFOUND)
		err = 0;
	/* a copy made by other means is an old one, too */
	if (err == 0)
		err = logdb_meta_set_u64(
		    &db, "backup", (uint64_t)clock_wall_ms());
	if (err == 0)
		err = logdb_meta_set_u64(&db, "clean", 1);
	if (err != 0)
		restore_say(out, err, "%s", db.why);
	logdb_close(&db);
	return err;
}

/*
 * The log of before gets another name; messages.db itself is replaced in one
 * step by the caller. After an orderly stop there is no WAL, and no moment at
 * which the directory is without a whole log.
 */
static int
restore_aside(const char *db, struct log_restored *out)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	char from[4096 + 8], to[4096 + 8], when[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm);
	for (int i = 0;; i++) {
		snprintf(out->aside, sizeof out->aside, "%.3900s-before-%s.%d",
		    db, when, i);
		snprintf(to, sizeof to, "%s-wal", out->aside);
		if (access(out->aside, F_OK) != 0 && access(to, F_OK) != 0)
			break;
	}
	/* beside another database it would be taken for that one's */
	snprintf(from, sizeof from, "%s-wal", db);
	if (rename(from, to) < 0 && errno != ENOENT)
		return -1;
	snprintf(from, sizeof from, "%s-shm", db);
	unlink(from); /* an index of that WAL */
	if (link(db, out->aside) < 0 && rename(db, out->aside) < 0) {
		if (errno != ENOENT)
			return -1;
		out->aside[0] = '\0';
	}
	return 0;
}

static int
restore_place(const char *dir, const char *cluster, const char *file,
    struct log_restored *out)
{
	char db[4096], copy[4096 + 16], wal[4096 + 8];
	struct stat st;
	int err, fd;

	if (snprintf(db, sizeof db, "%s/messages.db", dir) > 3800)
		return restore_say(out, ERR_INVALID, "%s: too long", dir);
	snprintf(copy, sizeof copy, "%s-restore", db);
	snprintf(wal, sizeof wal, "%.4000s-wal", file);
	if (stat(wal, &st) == 0 && st.st_size > 0)
		return restore_say(out, ERR_INVALID,
		    "%s is beside it: this is no backup, but a database that "
		    "was in use",
		    wal);
	err = restore_copy(file, copy, out);
	if (err == 0)
		err = restore_check(copy, cluster, out);
	if (err == 0 && (fd = open(copy, O_RDWR | O_CLOEXEC)) >= 0) {
		if (fsync(fd) < 0)
			err = restore_say(out, ERR_IO, "%s: %m", copy);
		close(fd);
	}
	if (err != 0) {
		unlink(copy);
		return err;
	}
	if (restore_aside(db, out) < 0 || rename(copy, db) < 0)
		return restore_say(out, ERR_IO, "%s: can't move it: %m", db);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		err = restore_say(out, ERR_IO, "%s: can't write it: %m", dir);
	if (fd >= 0)
		close(fd);
	return err;
}

static void
restore_on_wait(void *arg)
{
	(void)arg;
}

static bool
restore_stop(void *arg)
{
	(void)arg;
	return true;
}

int
log_restore(const char *dir, const char *cluster, const char *file,
    struct log_restored *out)
{
	int err, lock;

	memset(out, 0, sizeof *out);
	err = log_dir_check(dir, out->why, sizeof out->why);
	if (err == 0)
		err = log_dir_lock(dir, restore_on_wait, restore_stop, NULL,
		    &lock, out->why, sizeof out->why);
	if (err == ERR_AGAIN)
		return restore_say(out, ERR_BUSY,
		    "a proxy_server runs in %s: stop the cluster first", dir);
	if (err != 0)
		return err;
	logdb_init();
	err = restore_place(dir, cluster, file, out);
	close(lock);
	return err;
}
