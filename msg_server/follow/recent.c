/* SPDX-License-Identifier: MIT */
/*
 * Items lie here as they stand in a PAGE, one allocation each, in a table per
 * channel that is indexed by the low bits of their number: the window from
 * `low` to `top` slides up with the channel and may grow downwards by pages.
 */
#include "msg_server/follow/recent.h"

#include <stdlib.h>

#include "msg_server/follow/channel.h"
#include "shared/base/map.h"
#include "shared/proto/link.h"

enum {
	RECENT_CAP_FIRST = 16,
	RECENT_SHARE = 8, /* one channel has at most 1/8 of the memory */
	RECENT_COST = 48  /* of an allocation and its frame's, about */
};

struct recent_item {
	uint64_t cn;
	struct blob *made; /* one reference, or NULL */
	uint32_t len;	   /* of bytes */
	uint32_t body;	   /* bytes of the body */
	uint16_t uid_at, key;
	uint8_t uid_len;
	char bytes[];
};

struct recent_chan {
	struct recent_chan *prev, *next; /* LRU, most recent at the end */
	struct channel *channel;	 /* borrowed: it forgets us first */
	struct recent_item **slot;	 /* owned; cap, a power of two */
	uint32_t cap, n;
	uint64_t low, top; /* what is here is in low .. top-1 */
	size_t bytes;
};

struct recent {
	struct recent_chan *lru;
	size_t bytes, max;
	struct buf scratch;
};

struct recent *
recent_new(size_t max)
{
	struct recent *r = xcalloc(1, sizeof *r);

	r->max = max;
	buf_init(&r->scratch, LINK_FRAME_MAX);
	return r;
}

void
recent_free(struct recent *r)
{
	if (r == NULL)
		return;
	while (r->lru != NULL)
		recent_forget(r, r->lru->channel);
	buf_fini(&r->scratch);
	free(r);
}

size_t
recent_bytes(const struct recent *r)
{
	return r != NULL ? r->bytes : 0;
}

/* --- places ------------------------------------------------------------- */

static struct recent_item **
recent_slot(const struct recent_chan *rc, uint64_t seq)
{
	return &rc->slot[seq & (rc->cap - 1)];
}

static size_t
recent_cost(const struct recent_item *ri)
{
	return sizeof *ri + ri->len + RECENT_COST +
	       (ri->made != NULL ? ri->made->len : 0);
}

static void
recent_account(
    struct recent *r, struct recent_chan *rc, size_t more, size_t less)
{
	rc->bytes = rc->bytes + more - less;
	r->bytes = r->bytes + more - less;
}

static struct recent_item *
recent_find(const struct recent_chan *rc, uint64_t seq)
{
	if (rc->n == 0 || seq < rc->low || seq >= rc->top)
		return NULL;
	return *recent_slot(rc, seq);
}

static void
recent_drop(struct recent *r, struct recent_chan *rc, uint64_t seq)
{
	struct recent_item **slot = recent_slot(rc, seq);

	if (*slot == NULL)
		return;
	recent_account(r, rc, 0, recent_cost(*slot));
	blob_unref((*slot)->made);
	free(*slot);
	*slot = NULL;
	rc->n--;
}

static void
recent_drop_below(struct recent *r, struct recent_chan *rc, uint64_t seq)
{
	while (rc->n > 0 && rc->low < seq)
		recent_drop(r, rc, rc->low++);
	if (rc->n == 0)
		rc->low = rc->top = 0;
}

void
recent_forget(struct recent *r, struct channel *c)
{
	struct recent_chan *rc = c->recent;

	if (r == NULL || rc == NULL)
		return;
	recent_drop_below(r, rc, rc->top);
	c->recent = NULL;
	DL_DELETE(r->lru, rc);
	r->bytes -= rc->bytes;
	free(rc->slot);
	free(rc);
}

void
recent_trim(struct recent *r, struct channel *c, uint64_t first)
{
	if (r != NULL && c->recent != NULL)
		recent_drop_below(r, c->recent, first);
}

static void
recent_use(struct recent *r, struct recent_chan *rc)
{
	if (rc->next == NULL)
		return;
	DL_DELETE(r->lru, rc);
	DL_APPEND(r->lru, rc);
}

static void
recent_grow(struct recent *r, struct recent_chan *rc, uint64_t span)
{
	uint32_t cap = rc->cap > 0 ? rc->cap : RECENT_CAP_FIRST;
	struct recent_item **slot;

	while (cap < span)
		cap *= 2;
	if (cap == rc->cap)
		return;
	slot = xcalloc(cap, sizeof *slot);
	for (uint64_t seq = rc->low; rc->n > 0 && seq < rc->top; seq++)
		slot[seq & (cap - 1)] = *recent_slot(rc, seq);
	recent_account(r, rc, cap * sizeof *slot, rc->cap * sizeof *slot);
	free(rc->slot);
	rc->slot = slot;
	rc->cap = cap;
}

/* the window takes seq in; false: it is too old */
static bool
recent_reach(struct recent *r, struct recent_chan *rc, uint64_t seq)
{
	if (rc->n > 0 && seq >= rc->low + RECENT_SPAN)
		recent_drop_below(r, rc, seq - RECENT_SPAN + 1);
	if (rc->n == 0) {
		rc->low = seq;
		rc->top = seq + 1;
	} else if (seq < rc->low) {
		/* the older never push out the newer */
		if (rc->top - seq > RECENT_SPAN ||
		    rc->bytes >= r->max / RECENT_SHARE)
			return false;
		recent_grow(r, rc, rc->top - seq);
		rc->low = seq;
		return true;
	}
	/* those left may begin far above the window's old end */
	while (rc->low < seq && *recent_slot(rc, rc->low) == NULL)
		rc->low++;
	recent_grow(r, rc, (seq >= rc->top ? seq + 1 : rc->top) - rc->low);
	if (seq >= rc->top)
		rc->top = seq + 1;
	return true;
}

/* the channel's oldest, then whole channels, the one in use never */
static void
recent_shrink(struct recent *r, struct recent_chan *rc)
{
	while (rc->bytes > r->max / RECENT_SHARE && rc->n > 0)
		recent_drop_below(r, rc, rc->low + 1);
	while (r->bytes > r->max && r->lru != rc)
		recent_forget(r, r->lru->channel);
}

/* --- in ----------------------------------------------------------------- */

static struct recent_item *
recent_pack(struct recent *r, const struct item *it)
{
	struct recent_item *ri;
	const char *uid = NULL;
	size_t i;

	buf_reset(&r->scratch);
	if (put_page_item(&r->scratch, it) != 0)
		return NULL;
	ri = xmalloc(sizeof *ri + buf_len(&r->scratch));
	*ri = (struct recent_item){.cn = it->cn,
	    .len = (uint32_t)buf_len(&r->scratch),
	    .body = (uint32_t)it->body.len};
	memcpy(ri->bytes, buf_p(&r->scratch), ri->len);
	if (it->uid.len > 0)
		uid = memmem(ri->bytes, ri->len, it->uid.p, it->uid.len);
	i = uid != NULL ? (size_t)(uid - ri->bytes) : 0;
	if (uid != NULL && i <= UINT16_MAX && it->uid.len <= UINT8_MAX) {
		ri->uid_at = (uint16_t)i;
		ri->uid_len = (uint8_t)it->uid.len;
	}
	return ri;
}

static struct recent_chan *
recent_chan_of(struct recent *r, struct channel *c)
{
	struct recent_chan *rc = c->recent;

	if (rc != NULL) {
		recent_use(r, rc);
		return rc;
	}
	rc = xcalloc(1, sizeof *rc);
	rc->channel = c;
	c->recent = rc;
	DL_APPEND(r->lru, rc);
	recent_account(r, rc, sizeof *rc, 0);
	return rc;
}

static void
recent_put(struct recent *r, struct recent_chan *rc, const struct item *it,
    uint64_t seq)
{
	struct recent_item *ri;

	if (!recent_reach(r, rc, seq) || *recent_slot(rc, seq) != NULL)
		return;
	ri = recent_pack(r, it);
	if (ri == NULL)
		return;
	*recent_slot(rc, seq) = ri;
	rc->n++;
	recent_account(r, rc, recent_cost(ri), 0);
	recent_shrink(r, rc);
}

/* the words of item seq are no more */
static void
recent_erase(struct recent *r, struct recent_chan *rc, uint64_t seq)
{
	struct item it;
	struct recent_item **slot, *ri = NULL;

	if (rc->n == 0 || seq < rc->low || seq >= rc->top)
		return;
	slot = recent_slot(rc, seq);
	if (*slot == NULL)
		return;
	if (recent_get(*slot, &it)) {
		item_erase(&it);
		ri = recent_pack(r, &it);
	}
	recent_drop(r, rc, seq);
	if (ri == NULL)
		return;
	*slot = ri;
	rc->n++;
	recent_account(r, rc, recent_cost(ri), 0);
}

/* is it message ref of that channel, or an edit of it? */
static bool
recent_is_meant(const struct recent_item *ri, struct str pchan, uint64_t ref)
{
	struct item it;

	return recent_get(ri, &it) && str_eq(it.pchan, pchan) &&
	       (it.kind == ITEM_EDIT ? it.ref : it.seq) == ref;
}

static void
recent_recall(struct recent *r, struct channel *c, const struct item *it)
{
	struct recent_chan *rc = c->recent;
	struct recent_item *ri;
	struct str pchan = channel_is_user(c) ? it->pchan : STR_NONE;
	uint64_t seq, from, to;

	if (rc == NULL || rc->n == 0)
		return;
	/* in a room the message has its place, and its edits stand behind it */
	from = channel_is_user(c) || it->ref < rc->low ? rc->low : it->ref;
	to = rc->top;
	for (seq = from; seq < to && rc->n > 0; seq++) {
		ri = recent_find(rc, seq);
		if (ri == NULL || (!channel_is_user(c) && seq != it->ref &&
				      item_packed_kind(ri->bytes) != ITEM_EDIT))
			continue;
		if (recent_is_meant(ri, pchan, it->ref))
			recent_erase(r, rc, seq);
	}
}

void
recent_add(
    struct recent *r, struct channel *c, const struct item *it, uint64_t seq)
{
	bool recall = it->kind == ITEM_RECALL;

	/* counted also where nothing is kept: pages are on their way */
	c->erased += recall;
	if (r == NULL || r->max == 0)
		return;
	if (recall)
		recent_recall(r, c, it);
	recent_put(r, recent_chan_of(r, c), it, seq);
}

void
recent_fill(struct recent *r, struct channel *c, const struct f_page *page,
    struct str items, uint32_t erased)
{
	struct item it;
	unsigned i;

	if (r == NULL || r->max == 0 || erased != c->erased ||
	    !str_eqc(page->ep, channel_ep(c)))
		return;
	for (i = 0; i < page->n_items; i++) {
		if (frames_page_next(&items, &it) != OK)
			return;
		uint64_t seq = channel_is_user(c) ? it.useq : it.seq;
		if (seq >= c->first && seq <= c->last + RECENT_SPAN / 2)
			recent_put(r, recent_chan_of(r, c), &it, seq);
	}
}

/* --- out ---------------------------------------------------------------- */

struct recent_item *
recent_at(struct recent *r, struct channel *c, uint64_t seq)
{
	if (r == NULL || c->recent == NULL || seq < c->first)
		return NULL;
	recent_use(r, c->recent);
	recent_shrink(r, c->recent); /* frames were made meanwhile */
	return recent_find(c->recent, seq);
}

bool
recent_page(struct recent *r, struct channel *c, const struct f_read *q,
    struct f_page *page, struct buf *items)
{
	uint64_t first = c->first > 0 ? c->first : 1, seq, step, end;
	uint32_t bytes = 0, most = q->max_bytes > 0 ? q->max_bytes : 64 * 1024;
	struct recent_item *ri;

	/* ahead of us there may be what he has sent himself */
	if (r == NULL || c->recent == NULL || c->state != CHANNEL_LIVE ||
	    c->repairing || c->head > c->last)
		return false;
	*page = (struct f_page){.code = 200,
	    .ep = str_of(channel_ep(c)),
	    .first = first,
	    .head = c->last};
	if (q->back) {
		seq = q->from == 0 || q->from > c->last ? c->last : q->from;
		step = (uint64_t)-1;
		end = first - 1;
		if (seq < first)
			return true;
	} else {
		seq = q->from < first ? first : q->from;
		step = 1;
		end = c->last + 1;
		if (seq > c->last)
			return false;
	}
	recent_use(r, c->recent);
	for (; seq != end; seq += step) {
		if (page->n_items == q->n) {
			page->more = true;
			break;
		}
		ri = recent_find(c->recent, seq);
		if (ri == NULL)
			return false;
		if (page->n_items > 0 && bytes + ri->body > most) {
			page->more = true;
			break;
		}
		bytes += ri->body;
		buf_put(items, ri->bytes, ri->len);
		page->n_items++;
	}
	return buf_ok(items);
}

bool
recent_get(const struct recent_item *ri, struct item *it)
{
	struct str rest = str_n(ri->bytes, ri->len);

	return frames_page_next(&rest, it) == OK;
}

uint32_t
recent_size(const struct recent_item *ri)
{
	return ri->body;
}

struct str
recent_uid(const struct recent_item *ri)
{
	return ri->uid_len > 0 ? str_n(ri->bytes + ri->uid_at, ri->uid_len)
			       : STR_NONE;
}

uint64_t
recent_cn(const struct recent_item *ri)
{
	return ri->cn;
}

struct blob *
recent_made(const struct recent_item *ri, unsigned key)
{
	return ri->key == key ? ri->made : NULL;
}

void
recent_make(struct recent *r, struct channel *c, struct recent_item *ri,
    unsigned key, struct blob *frame)
{
	size_t was = recent_cost(ri);

	blob_unref(ri->made);
	ri->made = blob_ref(frame);
	ri->key = (uint16_t)key;
	recent_account(r, c->recent, recent_cost(ri), was);
}
