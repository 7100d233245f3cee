/* SPDX-License-Identifier: MIT */
/*
 * The WAL of messages.db, worked off beside the commits. A checkpoint copies
 * pages into the file and waits until the disk has them; with thousands of
 * pages that is the longest that anything here takes, and every append waits.
 * So with sync full it is done in two halves:
 *
 *   pinned   a second connection keeps a snapshot of the log as it is now, and
 *            the next commit is waited for
 *   copied   a checkpoint copies as far as the snapshot. As it is not all of
 *            the WAL, SQLite waits for no disk and does not begin the WAL anew;
 *            the pages are only handed to the disk
 *   done     LOG_WAL_OUT_MS later a whole checkpoint copies what was committed
 *            meanwhile and waits for the disk, which has done the most of it
 *
 * Nothing of this weakens a commit: until a whole checkpoint has had its fsync,
 * all is in the WAL, and a crash at any point is mended from there. All three
 * run on the writer's thread: two connections that write or checkpoint at the
 * same time may damage the file (Debian 12's SQLite).
 *
 * With sync normal or off, when nothing is to be done, and whenever the WAL
 * has reached its bound nevertheless, it is one whole checkpoint.
 *
 * When a log that is in use is idle, the WAL's file is also made as long as it
 * will get, once, with zeros: a commit that writes over what is there need not
 * wait for the length of the file as well (measured: half of a commit's time).
 */
#ifndef PROXY_SERVER_LOG_WAL_H
#define PROXY_SERVER_LOG_WAL_H

#include "proxy_server/log_sqlite.h"

enum {
	LOG_WAL_PAGE = 4096,
	LOG_WAL_HEAD = 32, LOG_WAL_FRAME_HEAD = 24, /* of the file, of a page in it */
	LOG_WAL_FRAMES = 16 * 1024 * 1024 / LOG_WAL_PAGE, /* the bound */
	LOG_WAL_START = LOG_WAL_FRAMES / 2, /* the two halves begin */
	LOG_WAL_OFF = 512, /* sync off: no disk is waited for, small ones do */
	LOG_WAL_STEP = 256, /* over the bound: tried again after so many */
	LOG_WAL_REST = 512, /* so many may be left for the second half */
	LOG_WAL_ROUNDS = 3, /* first halves at most, before it */
	LOG_WAL_OUT_MS = 20,
	LOG_WAL_IDLE_MS = 200, /* without a commit: all of it */
	LOG_WAL_USED = 256 /* commits: the file is made longer */
};

enum log_wal_phase { LOG_WAL_CALM, LOG_WAL_PINNED, LOG_WAL_COPIED };

struct log_wal {
	struct logdb *db; /* the writer's; borrowed */
	struct logdb pin; /* a reader's; opened when first needed */
	bool halves;	  /* sync is full */
	bool grown;	  /* or it can't be: the file is as long as it gets */
	uint64_t bound;	  /* frames */
	enum log_wal_phase phase;
	unsigned rounds;   /* first halves since the last whole one */
	uint64_t frames;   /* in the WAL when last looked */
	uint64_t copied;   /* of these */
	uint64_t mark;	   /* PINNED: where */
	uint64_t finished; /* db->wal_commits of the last whole checkpoint */
	int64_t copied_ms; /* COPIED: since */
	uint64_t parts, wholes; /* checkpoints so far */
};

void log_wal_init(struct log_wal *w, struct logdb *db, enum log_sync sync);
/* before the writer's connection is closed */
void log_wal_fini(struct log_wal *w);
/*
 * After each commit, and when there is none: idle_ms since the last one, 0
 * when more is waiting. An error is that of a checkpoint.
 */
int log_wal_step(struct log_wal *w, int64_t now, int64_t idle_ms) MUST_CHECK;
/* how long until the next call, when nothing comes; -1: as one likes */
int64_t log_wal_wait_ms(const struct log_wal *w);
/* is it worth it, and not done? */
bool log_wal_may_grow(const struct log_wal *w);
/* idle: one piece of the file more */
void log_wal_grow(struct log_wal *w);

#endif
