/* SPDX-License-Identifier: MIT */
/*
 * What is done with the WAL of messages.db: checkpoints, the snapshot that
 * bounds one, the pages on their way to the disk, the length of its file. When
 * it is done is log_wal.c's.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy_server/log_sqlite_priv.h"

enum { LOGDB_WAL_PIECE = 256 * 1024 };

int
logdb_checkpoint(struct logdb *db)
{
	int rc = sqlite3_wal_checkpoint_v2(
	    db->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

	/* BUSY: a reader stands in the way, the next one does the rest */
	return rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY
		   ? 0
		   : logdb_fail(db, rc, "checkpoint");
}

int
logdb_pin(struct logdb *pin)
{
	uint64_t gen;
	int err = logdb_begin_read(pin);

	/* the snapshot is taken with the first row that is read */
	if (err == 0)
		err = logdb_meta_get_u64(pin, "gen", &gen);
	return err;
}

void
logdb_unpin(struct logdb *pin)
{
	logdb_rollback(pin);
}

void
logdb_write_out(struct logdb *db)
{
	/* what goes wrong here is told by the fsync to come */
	if (db->has_fd)
		sync_file_range(db->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

bool
logdb_wal_grow(struct logdb *db, int64_t size)
{
	char path[sizeof db->path + 8];
	struct stat st = {0};
	int64_t n = 0;
	bool more = false;
	void *zero;
	int fd;

	snprintf(path, sizeof path, "%s-wal", db->path);
	/* SQLite's locks are on other files, and outlive the close of this */
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && st.st_size < size) {
		n = size - st.st_size;
		if (n > LOGDB_WAL_PIECE)
			n = LOGDB_WAL_PIECE;
		/* no frame is all zero: it ends where it ended before */
		zero = xcalloc(1, (size_t)n);
		more = pwrite(fd, zero, (size_t)n, st.st_size) == n &&
		       fdatasync(fd) == 0;
		free(zero);
		if (!more && ftruncate(fd, st.st_size) < 0)
			more = false;
	}
	close(fd);
	return more;
}
