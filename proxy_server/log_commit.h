/* SPDX-License-Identifier: MIT */
/*
 * One commit of the log: operations in their order against an open messages.db.
 * Here an append gets its number: window, crc, need/deny/if_rev, seq, row,
 * states, pointers (design.md section 2). The transaction begins with the first
 * operation that writes; what comes before it reads in one of its own.
 *
 *   log_commit_begin, log_commit_op ..., then log_commit_end or log_commit_undo
 *
 * A refusal (400, 403, 404, 409, 413) is a result, not an error. After an error
 * nothing of the commit is stored, and what memory knew of the channels it
 * had changed is forgotten. Belongs to the writer's thread.
 */
#ifndef PROXY_SERVER_LOG_COMMIT_H
#define PROXY_SERVER_LOG_COMMIT_H

#include "proxy_server/log_chan.h"

struct log_commit {
	struct logdb *db;	 /* borrowed */
	struct log_chans *chans; /* borrowed */
	struct log_chan *dirty;	 /* those whose counters changed */
	int64_t now, steady;	 /* wall and steady clock, ms */
	int64_t jump_ms; /* by which the wall clock has jumped ahead lately */
	bool begun;	 /* a transaction is open */
	bool reading;	 /* or one that only reads */
	char ep[EP_LEN + 1];
	uint64_t gen; /* ours: a commit under another one fails (ERR_STALE) */
	bool keep_nothing; /* keep_days 0: no rows of items */
	bool restored; /* somebody is ahead of us in our own history: an older
			  copy came back */
	/* of this commit */
	unsigned items, dups, refused;
	size_t bytes;
};

void log_commit_begin(struct log_commit *cm, int64_t now);
/* fills op's results; an error is the database's */
int log_commit_op(struct log_commit *cm, struct log_op *op) MUST_CHECK;
/* counters and COMMIT; after an error log_commit_undo() is the caller's */
int log_commit_end(struct log_commit *cm) MUST_CHECK;
void log_commit_undo(struct log_commit *cm);

#endif
