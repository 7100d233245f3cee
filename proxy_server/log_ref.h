/* SPDX-License-Identifier: MIT */
/*
 * Items that mean another one: edit, recall and react name a message of their
 * channel by its seq (`ref`). Judged when such an item is about to get its
 * place, so that of two at once one comes second and is judged by the first:
 *
 *	404	there is no such message: beyond the head, passed by retention,
 *		damaged, or an item of another kind
 *	403	edit, recall: it is somebody else's
 *	409	edit, react: it was recalled; edit: LOG_EDITS_MAX times already
 *
 * A recall takes the words of the message and of all its edits, here the rows,
 * in log_ring.c and msg_server's recent.c those in memory: behind it nobody
 * is given them again. One of a message that was recalled before is stored
 * like any other, and looks for nothing: it costs what a message does.
 *
 * keep_days 0: there are no rows. log_ring_judge() says what memory knows when
 * the item is submitted, and the operation carries that verdict to here (op->
 * ref_code); what nobody holds any more is 404.
 */
#ifndef PROXY_SERVER_LOG_REF_H
#define PROXY_SERVER_LOG_REF_H

#include "proxy_server/log_sqlite.h"

enum { LOG_EDITS_MAX = 100 };

static inline bool
log_ref_is_one(const struct item *it)
{
	return it->kind == ITEM_EDIT || it->kind == ITEM_RECALL ||
	       it->kind == ITEM_REACT;
}

/* 200 or the code above: may `by` mean that item? */
uint16_t log_ref_code(const struct item *by, const struct item *meant);
/* the same by the rows of a channel, whose first is given */
int log_ref_judge(struct logdb *db, int64_t chan, uint64_t first,
    const struct item *by, uint16_t *code) MUST_CHECK;
/* within a write: the words of message ref and of its edits go; again: they
 * had, nothing was touched */
int log_ref_erase(struct logdb *db, int64_t chan, uint64_t ref,
    bool *again) MUST_CHECK;

#endif
