/* SPDX-License-Identifier: MIT */
/*
 * Whose history messages.db is, and who may write it: gen (+1 at each takeover)
 * and ep (drawn anew only when the history is another one; design.md section
 * 2). Both lie in the file's meta rows, and in the lock file beside it, which
 * remembers what an older copy of messages.db has forgotten. Belongs to the
 * writer's thread; takes no lock and posts no news.
 *
 * A full disk is no reason to stand aside: gen and ep are drawn then, and
 * `unsaved` says that the file does not have them yet. Until log_history_save()
 * has worked nothing else may be committed.
 */
#ifndef PROXY_SERVER_LOG_HISTORY_H
#define PROXY_SERVER_LOG_HISTORY_H

#include "proxy_server/log_dir.h"
#include "proxy_server/log_sqlite.h"

struct log_history {
	struct logdb *db;		/* borrowed, as the next two */
	const struct log_settings *set;
	struct lock_holder *self;	/* its gen and ep are kept here */
	int64_t jump_ms; /* by which the wall clock has jumped ahead lately */
	char boot[BOOT_ID_LEN + 1];
	bool same_boot;
	bool redraw;  /* a new ep is due with the next save */
	bool unsaved; /* gen or ep are not in the file yet */
};

/*
 * gen +1, and a new ep where one is due. seen: what the last holder wrote into
 * the lock file. ERR_FULL or ERR_BUSY with `unsaved` set: save again later.
 * Other errors, and these without `unsaved`: the file can't be taken.
 */
int log_history_take(
    struct log_history *h, const struct lock_holder *seen) MUST_CHECK;
/* writes gen and ep (a new one, if redraw); the database's errors */
int log_history_save(struct log_history *h) MUST_CHECK;
/* ERR_STALE: another server has taken the file over; called within the
 * transaction that this is to fence, or without one */
int log_history_check(struct logdb *db, uint64_t gen) MUST_CHECK;

#endif
