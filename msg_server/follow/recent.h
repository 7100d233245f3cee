/* SPDX-License-Identifier: MIT */
/*
 * Recent items (limits.md: "msg_server 32 MiB, LRU by channel"): the newest
 * items of the channels that this server follows, so that who comes back, who
 * lags and who asks for history is served without a word to the log.
 *
 * Filled by what a channel delivers (recent_add) and by pages read of it
 * (recent_fill). A channel's items may have holes between them; the span from
 * its oldest to its newest is at most RECENT_SPAN numbers. Beyond an eighth of
 * the memory for one channel its oldest go; beyond all of it the channel used
 * least recently goes as a whole. Beside an item lies the frame that was last
 * made of it, so a thousand who stand at the same place cost one encoding.
 *
 * What is here is true because the channel is followed: everything that
 * changes it comes by the same stream, in order.
 *  - Another history (ep), or a hole that retention tore into the stream: the
 *    owner of the channel calls recent_forget.
 *  - `first` has risen (SUBBED, any page): recent_trim. Nothing below the first
 *    that was heard of is ever served.
 *  - A recall takes the words and the frame here as it does in the log, of the
 *    message and of all its edits (in a u: channel of those of the private
 *    conversation that it means). A page that was asked
 *    for before a recall was heard of may still have the words: channel.erased
 *    counts recalls (also where no memory is), recent_fill refuses a page that
 *    began under another count, and replays and histories read it once more. An edit is an item of its own and changes no other; whatever will
 *    change stored items in another way has to call recent_forget and count in
 *    channel.erased where it is delivered.
 *  - A channel that is not followed any more (30 s after its last follower) is
 *    forgotten: nobody would tell us.
 *
 * A NULL struct recent, or one of 0 bytes, holds nothing and answers nothing.
 */
#ifndef MSG_SERVER_FOLLOW_RECENT_H
#define MSG_SERVER_FOLLOW_RECENT_H

#include "shared/base/blob.h"
#include "shared/proto/frames.h"

enum { RECENT_SPAN = 16384 };

struct channel;
struct recent;
struct recent_item;

struct recent *recent_new(size_t max);
void recent_free(struct recent *r);
size_t recent_bytes(const struct recent *r);

/* --- by the channel --- */
/* delivered: the next in order, seq of the channel (useq for u:) */
void recent_add(struct recent *r, struct channel *c, const struct item *it, uint64_t seq);
/* items below first are not had any more */
void recent_trim(struct recent *r, struct channel *c, uint64_t first);
void recent_forget(struct recent *r, struct channel *c);

/* --- pages --- */
/* a page that was asked for when c->erased was `erased`; of another history: nothing is taken */
void recent_fill(struct recent *r, struct channel *c, const struct f_page *page, struct str items, uint32_t erased);
/*
 * The answer to q when all of it is here: fills page, appends n_items items to
 * `items` as a PAGE has them. False: ask the log.
 */
bool recent_page(struct recent *r, struct channel *c, const struct f_read *q, struct f_page *page, struct buf *items);

/* --- one by one --- */
/* NULL: not here. Valid until the next call of this or of anything above. */
struct recent_item *recent_at(struct recent *r, struct channel *c, uint64_t seq);
/* what it is; points into memory of the item */
bool recent_get(const struct recent_item *ri, struct item *it);
/* bytes of its body: for the bounds of a page */
uint32_t recent_size(const struct recent_item *ri);
/* whose it is */
struct str recent_uid(const struct recent_item *ri);
uint64_t recent_cn(const struct recent_item *ri);
/* the frame made before, under the same key; borrowed, NULL: none */
struct blob *recent_made(const struct recent_item *ri, unsigned key);
/* keeps a reference */
void recent_make(struct recent *r, struct channel *c, struct recent_item *ri, unsigned key, struct blob *frame);

#endif
