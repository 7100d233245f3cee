/* SPDX-License-Identifier: MIT */
/*
 * Items lie here as they stand in a PAGE, one allocation each, and in a ring
 * of pointers per channel: cheap to add, cheap to drop in front, found by
 * their number.
 */
#include "proxy_server/log_ring.h"

#include <stdlib.h>

#include "proxy_server/log_page.h"
#include "proxy_server/log_ref.h"
#include "shared/base/map.h"
#include "shared/proto/link.h"

enum {
	RING_CAP_FIRST = 8,
	RING_SHARE = 8, /* one channel has at most 1/8 of the memory */
	RING_COST = 32	/* of an allocation and its place, about */
};

struct ring_item {
	uint32_t len;
	uint32_t body : 31;   /* length of that of the item */
	uint32_t leaving : 1; /* its recall is on its way */
	uint8_t bytes[];
};

struct ring_chan {
	UT_hash_handle hh;
	struct ring_chan *prev, *next; /* LRU, most recent at the end */
	struct chan_name name;
	uint64_t head, first;
	struct ring_item **slot; /* owned, cap of them (a power of two) */
	uint32_t cap, at, n;	 /* the oldest is slot[at], number head-n+1 */
	uint32_t n_edits;	 /* among them */
	size_t bytes;
};

struct log_ring {
	struct ring_chan *map, *lru;
	size_t bytes, max;
	bool only;
	struct buf scratch;
};

struct log_ring *
log_ring_new(size_t max, bool only)
{
	struct log_ring *r = xcalloc(1, sizeof *r);

	r->max = max;
	r->only = only;
	buf_init(&r->scratch, LINK_FRAME_MAX);
	return r;
}

static size_t
ring_cost(const struct ring_item *it)
{
	return sizeof *it + it->len + RING_COST;
}

static void
ring_account(struct log_ring *r, struct ring_chan *c, size_t more, size_t less)
{
	c->bytes = c->bytes + more - less;
	r->bytes = r->bytes + more - less;
}

static void
ring_drop_oldest(struct log_ring *r, struct ring_chan *c)
{
	struct ring_item *it = c->slot[c->at];

	ring_account(r, c, 0, ring_cost(it));
	c->n_edits -= item_packed_kind(it->bytes) == ITEM_EDIT;
	free(it);
	c->at = (c->at + 1) & (c->cap - 1);
	c->n--;
}

static void
ring_forget(struct log_ring *r, struct ring_chan *c)
{
	while (c->n > 0)
		ring_drop_oldest(r, c);
	HASH_DEL(r->map, c);
	DL_DELETE(r->lru, c);
	r->bytes -= c->bytes;
	free(c->slot);
	free(c);
}

void
log_ring_clear(struct log_ring *r)
{
	while (r->lru != NULL)
		ring_forget(r, r->lru);
}

void
log_ring_free(struct log_ring *r)
{
	if (r == NULL)
		return;
	log_ring_clear(r);
	buf_fini(&r->scratch);
	free(r);
}

static struct ring_chan *
ring_find(const struct log_ring *r, struct str name)
{
	struct ring_chan *c;

	HASH_FIND(hh, r->map, name.p, name.len, c);
	return c;
}

static void
ring_use(struct log_ring *r, struct ring_chan *c)
{
	if (c->next == NULL)
		return;
	DL_DELETE(r->lru, c);
	DL_APPEND(r->lru, c);
}

/* the item with that number, or NULL */
static struct ring_item **
ring_at(const struct ring_chan *c, uint64_t seq)
{
	uint64_t oldest = c->head - c->n + 1;

	if (c->n == 0 || seq < oldest || seq > c->head)
		return NULL;
	return &c->slot[(c->at + (uint32_t)(seq - oldest)) & (c->cap - 1)];
}

/* ---- in --------------------------------------------------------------- */

static struct ring_item *
ring_pack(struct log_ring *r, const struct item *it)
{
	struct ring_item *ri;

	buf_reset(&r->scratch);
	if (put_page_item(&r->scratch, it) != 0)
		return NULL; /* larger than any page */
	ri = xmalloc(sizeof *ri + buf_len(&r->scratch));
	ri->len = (uint32_t)buf_len(&r->scratch);
	ri->body = (uint32_t)it->body.len & INT32_MAX;
	ri->leaving = 0;
	memcpy(ri->bytes, buf_p(&r->scratch), ri->len);
	return ri;
}

static bool
ring_unpack(const struct ring_item *ri, struct item *it)
{
	struct str rest = str_n(ri->bytes, ri->len);

	return frames_page_next(&rest, it) == 0;
}

static void
ring_grow(struct log_ring *r, struct ring_chan *c)
{
	uint32_t cap = c->cap > 0 ? c->cap * 2 : RING_CAP_FIRST;
	struct ring_item **slot = xmalloc(cap * sizeof *slot);

	for (uint32_t i = 0; i < c->n; i++)
		slot[i] = c->slot[(c->at + i) & (c->cap - 1)];
	ring_account(r, c, cap * sizeof *slot, c->cap * sizeof *slot);
	free(c->slot);
	c->slot = slot;
	c->cap = cap;
	c->at = 0;
}

/* memory is full: who was used least recently goes, the user of now last */
static void
ring_shrink(struct log_ring *r, struct ring_chan *c)
{
	while (c->bytes > r->max / RING_SHARE && c->n > 0)
		ring_drop_oldest(r, c);
	while (r->bytes > r->max && r->lru != NULL && r->lru != c)
		ring_forget(r, r->lru);
}

static void
ring_put(struct log_ring *r, struct str name, uint64_t first,
    const struct item *it, uint64_t seq)
{
	struct ring_chan *c = ring_find(r, name);
	struct ring_item *ri = ring_pack(r, it);

	if (c != NULL && (ri == NULL || c->head + 1 != seq)) {
		/* what has a hole can't answer */
		ring_forget(r, c);
		c = NULL;
	}
	if (ri == NULL)
		return;
	if (c == NULL) {
		c = xcalloc(1, sizeof *c);
		str_copy(c->name.s, sizeof c->name.s, name);
		c->name.len = (uint8_t)name.len;
		c->head = seq - 1;
		HASH_ADD_KEYPTR(hh, r->map, c->name.s, c->name.len, c);
		DL_APPEND(r->lru, c);
		ring_account(r, c, sizeof *c, 0);
	} else
		ring_use(r, c);
	if (c->n == c->cap)
		ring_grow(r, c);
	c->slot[(c->at + c->n++) & (c->cap - 1)] = ri;
	c->n_edits += it->kind == ITEM_EDIT;
	c->head = seq;
	if (c->first < first)
		c->first = first;
	ring_account(r, c, ring_cost(ri), 0);
	ring_shrink(r, c);
}

/* as logdb_item_erase() does it to the row; false: the channel is gone */
static bool
ring_erase(struct log_ring *r, struct ring_chan *c, struct ring_item **slot)
{
	struct ring_item *ri = NULL;
	struct item it;

	if (ring_unpack(*slot, &it)) {
		item_erase(&it);
		ri = ring_pack(r, &it);
	}
	if (ri == NULL) {
		ring_forget(r, c);
		return false;
	}
	ring_account(r, c, ring_cost(ri), ring_cost(*slot));
	free(*slot);
	*slot = ri;
	return true;
}

static bool
ring_is_edit_of(const struct ring_item *ri, uint64_t ref)
{
	struct item it;

	return item_packed_kind(ri->bytes) == ITEM_EDIT &&
	       ring_unpack(ri, &it) && it.ref == ref;
}

/* the words of message ref and of its edits, which stand behind it */
static void
ring_recall(struct log_ring *r, struct str name, uint64_t ref)
{
	struct ring_chan *c = ring_find(r, name);
	struct ring_item **slot;
	uint64_t seq;

	if (c == NULL)
		return;
	slot = ring_at(c, ref);
	if (slot != NULL && !ring_erase(r, c, slot))
		return;
	if (c->n_edits == 0)
		return;
	seq = c->head - c->n + 1;
	for (seq = seq > ref ? seq : ref + 1; seq <= c->head; seq++) {
		slot = ring_at(c, seq);
		if (ring_is_edit_of(*slot, ref) && !ring_erase(r, c, slot))
			return;
	}
}

void
log_ring_add(struct log_ring *r, const struct log_op *op)
{
	const struct f_append *a = &op->append;
	struct item it = a->item;

	it.seq = op->seq;
	it.ts = op->ts;
	/* what the sender put here is not stored */
	it.pchan = STR_NONE;
	it.useq = 0;
	if (it.kind == ITEM_RECALL && !op->recalled)
		ring_recall(r, a->chan, it.ref);
	ring_put(r, a->chan, op->first, &it, op->seq);
	for (unsigned i = 0; i < a->n_to; i++) {
		struct item pointer = {.kind = ITEM_POINTER,
		    .seq = op->useq[i],
		    .ts = op->uts[i],
		    .ref = op->seq,
		    .pchan = a->chan};

		ring_put(r, a->to[i], op->ufirst[i], &pointer, op->useq[i]);
	}
}

static struct ring_item *
ring_meant(const struct log_ring *r, const struct log_op *op)
{
	struct ring_chan *c = ring_find(r, op->append.chan);
	struct ring_item **slot =
	    c != NULL ? ring_at(c, op->append.item.ref) : NULL;

	return slot != NULL ? *slot : NULL;
}

void
log_ring_judge(struct log_ring *r, struct log_op *op)
{
	const struct item *by = &op->append.item;
	struct ring_item *ri;
	struct item meant;

	if (!log_ref_is_one(by))
		return;
	op->ref_code = 404;
	ri = ring_meant(r, op);
	if (ri == NULL || !ring_unpack(ri, &meant))
		return;
	if (ri->leaving)
		meant.flags |= ITEM_F_GONE;
	op->ref_code = log_ref_code(by, &meant);
	if (by->kind == ITEM_RECALL && op->ref_code == 200)
		ri->leaving = 1;
}

void
log_ring_refused(struct log_ring *r, const struct log_op *op)
{
	struct ring_item *ri;

	if (op->append.item.kind != ITEM_RECALL || op->ref_code != 200)
		return;
	ri = ring_meant(r, op);
	if (ri != NULL)
		ri->leaving = 0;
}

void
log_ring_trim(struct log_ring *r, struct str name, uint64_t first)
{
	struct ring_chan *c = r->only ? NULL : ring_find(r, name);

	if (c == NULL)
		return;
	if (c->first < first)
		c->first = first;
	while (c->n > 0 && c->head - c->n + 1 < first)
		ring_drop_oldest(r, c);
}

/* ---- out -------------------------------------------------------------- */

/* puts what the pointer leads to in its place; false: it is not here */
static bool
ring_follow(struct log_ring *r, struct item *it)
{
	struct item pointer = *it;
	struct ring_chan *c = ring_find(r, pointer.pchan);
	struct ring_item **slot = c != NULL ? ring_at(c, pointer.ref) : NULL;

	if (slot == NULL || !ring_unpack(*slot, it)) {
		if (!r->only)
			return false;
		*it = pointer;
		it->seq = pointer.ref;
		it->ref = 0;
		it->kind = ITEM_MESSAGE;
		it->flags = ITEM_F_LOST;
	} else
		ring_use(r, c);
	it->pchan = pointer.pchan;
	it->useq = pointer.seq;
	return true;
}

/* false: the whole answer is not here */
static bool
ring_fill(struct log_ring *r, struct ring_chan *c, struct page *p)
{
	uint64_t seq = p->from, step = p->back ? (uint64_t)-1 : 1;
	uint64_t end = p->to + step;
	struct ring_item **slot;
	struct item it;

	for (; seq != end; seq += step) {
		slot = ring_at(c, seq);
		if (slot == NULL) {
			/* it is there, and that is all to be said of it */
			p->f.more = p->f.n_items == p->n_max;
			return p->f.more;
		}
		/* nothing of it is another's: as it lies here */
		if (!p->in_user) {
			if (!log_page_add_packed(p,
				str_n((*slot)->bytes, (*slot)->len),
				(*slot)->body))
				break;
			continue;
		}
		if (!ring_unpack(*slot, &it))
			return false;
		if (!str_is_set(it.pchan))
			it.useq = it.seq;
		else if (!ring_follow(r, &it))
			return false;
		if (!log_page_add(p, &it))
			break;
	}
	return true;
}

struct blob *
log_ring_page(struct log_ring *r, const struct f_read *q, struct str ep)
{
	struct ring_chan *c = ring_find(r, q->chan);
	struct page p;
	bool there;

	if (c == NULL)
		return NULL;
	ring_use(r, c);
	log_page_init(&p, q);
	p.f.ep = ep;
	p.f.head = c->head;
	p.f.first = r->only ? c->head - c->n + 1 : c->first;
	log_page_begin(&p);
	/* beyond the head there may be what we have not yet been told of */
	there = log_page_range(&p, q) ? ring_fill(r, c, &p) : r->only;
	if (there)
		return log_page_end(&p);
	log_page_drop(&p);
	return NULL;
}

uint64_t
log_ring_first(const struct log_ring *r, struct str chan, uint64_t head)
{
	const struct ring_chan *c = ring_find(r, chan);

	return c != NULL ? c->head - c->n + 1 : head + 1;
}

bool
log_ring_is_only(const struct log_ring *r)
{
	return r->only;
}

size_t
log_ring_bytes(const struct log_ring *r)
{
	return r->bytes;
}
