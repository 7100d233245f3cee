/* SPDX-License-Identifier: MIT */
/*
 * The newest items of the channels in use, in memory (limits.md, "recent
 * items": 64 MiB, LRU by channel), so that a READ of what was just said costs
 * no SQL. Lives on the loop's thread alone: it is filled with committed
 * records in their order just before on_done, and asked inside log_read(); no
 * lock, and the writer's thread does nothing for it.
 *
 * A page comes from here only when the whole answer is here, and then has the
 * bytes that the reader would have sent: the range, `more`, tombstone rules
 * and limits are log_page.c's for both. In a u: channel lie pointers; what they
 * point to is looked up in its p: channel's ring at the time of the question,
 * so a recall is never missed. Anything else is the reader's.
 *
 * A channel's items are always the last ones, without a hole. They go: oldest
 * first beyond an eighth of the memory for one channel; all of the channel
 * used least recently when memory is full; by log_ring_trim() when retention
 * has raised `first`; all with log_ring_clear() when the history is another
 * (ep) or no longer ours. A recall takes the words here, too, of the message
 * and of its edits.
 *
 * keep_days 0 ("only"): the items are nowhere else. Then a channel's first is
 * the first one here, retention does not touch it, what a pointer led to and
 * is gone is a tombstone, and what nobody holds any more is lost. Who means
 * another item is judged by what is here when he is submitted; a message whose
 * recall is on its way counts as recalled until that has failed.
 */
#ifndef PROXY_SERVER_LOG_RING_H
#define PROXY_SERVER_LOG_RING_H

#include "proxy_server/log.h"

struct log_ring;

struct log_ring *log_ring_new(size_t max, bool only);
void log_ring_free(struct log_ring *r);
void log_ring_clear(struct log_ring *r);
/* an append that was stored, before on_done */
void log_ring_add(struct log_ring *r, const struct log_op *op);
/* "only": what log_ref.h says of the message that an append means, to be
 * stored in op->ref_code; and what becomes of it when that was not stored */
void log_ring_judge(struct log_ring *r, struct log_op *op);
void log_ring_refused(struct log_ring *r, const struct log_op *op);
/* retention: what is below first is not shown any more */
void log_ring_trim(struct log_ring *r, struct str chan, uint64_t first);
/* a PAGE frame, the caller's; NULL: ask the reader */
struct blob *log_ring_page(
    struct log_ring *r, const struct f_read *q, struct str ep);
/* "only": the first number that can be had; head is the channel's */
uint64_t log_ring_first(
    const struct log_ring *r, struct str chan, uint64_t head);
bool log_ring_is_only(const struct log_ring *r);
size_t log_ring_bytes(const struct log_ring *r);

#endif
