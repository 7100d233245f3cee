/* SPDX-License-Identifier: MIT */
/*
 * A copy of messages.db made while the log goes on (SQLite's backup API, a
 * read-only connection of its own), and the way back from such a file.
 *
 * The copy is one moment: a read transaction is held until it is whole, so
 * that no commit has to wait; until then the WAL can't begin anew and grows.
 * It is made in steps, between which the reader's thread serves READs. FILE
 * appears when it is whole and synced, under FILE.tmp before that; nothing
 * that exists is overwritten. In its meta stands "backup", the time it was
 * made: who opens such a file as messages.db draws a new ep, because clients
 * have seen items that it does not hold (design.md section 2).
 *
 * log_restore() is for a stopped cluster: it takes the lock, so that no
 * proxy_server can be using the directory.
 */
#ifndef PROXY_SERVER_LOG_BACKUP_H
#define PROXY_SERVER_LOG_BACKUP_H

#include "proxy_server/log_sqlite.h"

struct log_copy;

/* path: absolute; floor: bytes that must stay free on its disk. ERR_EXISTS,
 * ERR_FULL, ERR_IO ... with the line for people in done */
int log_copy_begin(struct log_copy **out, const char *dir, const char *path,
    int64_t floor, struct log_backup_done *done) MUST_CHECK;
/*
 * About 1 MiB more. ERR_AGAIN: there is more to do; 0: FILE is there; else it
 * failed. After anything but ERR_AGAIN it is log_copy_end()'s turn.
 */
int log_copy_step(struct log_copy *c, struct log_backup_done *done) MUST_CHECK;
/* at any time; what is not whole is removed */
void log_copy_end(struct log_copy *c);

struct log_restored {
	char why[LOGDB_WHY]; /* after an error */
	char aside[4096];    /* where the file of before is now, or "" */
	uint64_t channels, items;
};

/*
 * Checks a copy of `file` (application_id, user_version, cluster, quick_check)
 * and puts it in the place of dir's messages.db. After an error the log of
 * before is where it was. ERR_BUSY: a proxy_server has the lock.
 */
int log_restore(const char *dir, const char *cluster, const char *file,
    struct log_restored *out) MUST_CHECK;

#endif
