/* SPDX-License-Identifier: MIT */
/*
 * The gap rule: a followed channel delivers every item once and in order,
 * whatever links do. Between a SUBBED that shows a higher head (or an item
 * that skips) and the last page of the repair, live items are held (256 KiB)
 * or, beyond that, dropped: the log has them and the repair goes on until it
 * has met the live stream.
 */
#include <stdlib.h>

#include "msg_server/follow/recent.h"
#include "msg_server/follow/relay_priv.h"
#include "msg_server/server.h"
#include "shared/proc/clock.h"

static void channel_repair(struct channel *c);
static void channel_on_task(struct relay_task *t);
static void channel_on_page(struct relay_read *rd, unsigned code,
    const struct f_page *page, struct str items);

bool
channel_is_user(const struct channel *c)
{
	return c->name[0] == CHAN_USER;
}

struct chan_name
channel_copy_name(const struct channel *c)
{
	struct str id = str_of(channel_id(c));

	return channel_is_user(c) ? chan_user(id) : chan_room(id);
}

static const struct channel_ops *
channel_ops(const struct channel *c)
{
	return c->relay->channel_ops[channel_is_user(c)];
}

static uint64_t
channel_seq_of(const struct channel *c, const struct item *it)
{
	return channel_is_user(c) ? it->useq : it->seq;
}

static struct recent *
channel_recent(const struct channel *c)
{
	return c->relay->srv->recent;
}

void
channel_heard_first(struct channel *c, uint64_t first)
{
	if (first <= c->first)
		return;
	c->first = first;
	recent_trim(channel_recent(c), c, first);
}

/* --- its history -------------------------------------------------------- */

const char *
channel_ep(const struct channel *c)
{
	return c->ep_no > 0 ? c->relay->eps[c->ep_no - 1].ep : "";
}

static void
channel_set_ep(struct channel *c, struct str ep)
{
	struct relay *r = c->relay;
	uint32_t i, to = r->n_eps;

	if (str_eqc(ep, channel_ep(c)))
		return;
	if (c->ep_no > 0)
		r->eps[c->ep_no - 1].refs--;
	c->ep_no = 0;
	if (ep.len == 0)
		return;
	for (i = 0; i < r->n_eps; i++) {
		if (r->eps[i].refs == 0)
			to = i;
		else if (str_eqc(ep, r->eps[i].ep))
			break;
	}
	if (i == r->n_eps) {
		if (to == UINT16_MAX)
			return; /* so many can't be: it has none */
		if (to == r->n_eps)
			r->eps = xrealloc(r->eps, ++r->n_eps * sizeof *r->eps);
		i = to;
		r->eps[i].refs = 0;
		str_copy(r->eps[i].ep, sizeof r->eps[i].ep, ep);
	}
	r->eps[i].refs++;
	c->ep_no = i + 1;
}

/* --- what goes on ------------------------------------------------------- */

struct channel_busy *
channel_busy(struct channel *c)
{
	struct channel_busy *b = c->busy;

	if (b)
		return b;
	b = c->busy = slab_get(&c->relay->srv->slab, sizeof *b);
	b->channel = c;
	b->waits_end = &b->waits;
	b->repair.done = channel_on_page;
	b->task.fn = channel_on_task;
	buf_init(&b->held, CHANNEL_HELD_MAX);
	return b;
}

void
channel_rest(struct channel *c)
{
	struct channel_busy *b = c->busy;

	if (!b || b->waits || b->pages || buf_len(&b->held) || c->repairing ||
	    c->released || c->listed || c->task_on)
		return;
	buf_fini(&b->held);
	slab_put(&c->relay->srv->slab, b, sizeof *b);
	c->busy = NULL;
}

/* --- waiting ------------------------------------------------------------ */

static void
channel_schedule(struct channel *c, bool later)
{
	if (c->task_on)
		return;
	c->task_on = true;
	if (later)
		relay_retry(c->relay, &channel_busy(c)->task);
	else
		relay_later(c->relay, &channel_busy(c)->task);
}

static void
channel_unlist(struct channel *c)
{
	if (!c->listed)
		return;
	DL_DELETE(c->relay->waiting, c->busy);
	c->listed = false;
}

static void
channel_tell(struct channel *c, unsigned code)
{
	struct channel_busy *b = c->busy;
	struct channel_wait *w = b ? b->waits : NULL;

	if (!w)
		return;
	channel_unlist(c);
	b->waits = NULL;
	b->waits_end = &b->waits;
	while (w) {
		struct channel_wait *next = w->next;

		w->done(w, c, code);
		w = next;
	}
}

void
channel_wait(struct channel *c, struct channel_wait *w)
{
	struct channel_busy *b = channel_busy(c);

	w->next = NULL;
	w->since_ms = clock_mono_ms();
	*b->waits_end = w;
	b->waits_end = &w->next;
	if (c->state == CHANNEL_LIVE) {
		channel_schedule(c, false);
		return;
	}
	if (!c->listed) {
		DL_APPEND(c->relay->waiting, b);
		c->listed = true;
		relay_wake(c->relay);
	}
}

void
channel_give_up(struct channel *c, int64_t since_ms)
{
	struct channel_busy *b = channel_busy(c);
	struct channel_wait *w;

	/* one at a time: who is told may wait again, at the end */
	while ((w = b->waits) && w->since_ms <= since_ms) {
		b->waits = w->next;
		if (!b->waits) {
			b->waits_end = &b->waits;
			channel_unlist(c);
		}
		w->done(w, c, 503);
	}
	channel_rest(c);
}

static void
channel_on_task(struct relay_task *t)
{
	struct channel *c = container_of(t, struct channel_busy, task)->channel;

	c->task_on = false;
	/* if it is not live, the next SUBBED does both */
	if (c->state == CHANNEL_LIVE) {
		channel_tell(c, 200);
		if (!c->repairing && c->head > c->last)
			channel_repair(c);
	}
	channel_rest(c);
}

/* --- what came too early ------------------------------------------------ */

static void
channel_unhold(struct channel *c)
{
	if (!c->busy)
		return;
	c->relay->held -= buf_len(&c->busy->held);
	buf_fini(&c->busy->held);
}

static void
channel_hold(struct channel *c, const struct item *it)
{
	struct buf *held = &channel_busy(c)->held;
	size_t was = buf_len(held);

	if (c->held_over)
		return;
	if (c->relay->held < RELAY_HELD_MAX && put_page_item(held, it) == OK) {
		c->relay->held += buf_len(held) - was;
		return;
	}
	channel_unhold(c);
	c->held_over = true;
}

/* --- subscribing -------------------------------------------------------- */

struct str
channel_key(const struct table_link *e)
{
	const struct channel *c = container_of(e, const struct channel, by_ch);

	return str_n((const char *)&c->ch, sizeof c->ch);
}

void
channel_open(struct channel *c, struct relay *r, const char *name,
    bool want_presence, const struct channel_ops *ops)
{
	memset(c, 0, sizeof *c);
	c->relay = r;
	c->name = name;
	r->channel_ops[channel_is_user(c)] = ops;
	c->presence = want_presence;
	c->ch = ++r->next_ch;
	table_add(&r->channels, &c->by_ch, channel_key);
	channel_subscribe(c);
}

void
channel_subscribe(struct channel *c)
{
	struct buf *out = relay_out(c->relay);
	struct f_sub f = {.ch = c->ch,
	    .chan = channel_name(c),
	    .from_seq = SUB_HEAD,
	    .want_state = channel_ops(c)->on_states != NULL,
	    .want_presence = c->presence};

	if (!out)
		return;
	if (c->ep_no > 0) {
		f.from_seq = c->last;
		f.ep = str_of(channel_ep(c));
	}
	put_sub(out, &f);
	if (c->state == CHANNEL_NEW)
		c->state = CHANNEL_ASKED;
}

void
channel_on_subbed(struct channel *c, const struct f_subbed *f)
{
	bool again = c->state == CHANNEL_LIVE, anew = false;

	if (again && !f->reset && str_eqc(f->ep, channel_ep(c))) {
		channel_heard_first(c, f->first);
		/* the log's word, also when an item told of more */
		if (f->head < c->head)
			channel_unhold(c);
		c->head = f->head > c->last ? f->head : c->last;
	} else {
		uint64_t was = c->last;

		anew = true;
		recent_forget(channel_recent(c), c);
		if (!str_eqc(f->ep, channel_ep(c)))
			c->first = 0;
		channel_heard_first(c, f->first);
		channel_set_ep(c, f->ep);
		c->last = c->head = f->head;
		channel_unhold(c);
		c->held_over = false;
		c->state = CHANNEL_LIVE;
		if (again)
			channel_ops(c)->on_gap(c, was + 1, f->head, true);
	}
	if (channel_ops(c)->on_states != NULL && (anew || f->n_states > 0))
		channel_ops(c)->on_states(c, f->states, f->n_states, anew);
	channel_tell(c, 200);
	if (!c->repairing && c->head > c->last)
		channel_repair(c);
	channel_rest(c);
}

/* --- items -------------------------------------------------------------- */

static void
channel_deliver(struct channel *c, const struct item *it, uint64_t seq,
    const struct state_rec *states, unsigned n_states)
{
	if (seq > c->last + 1) {
		/* a recall may be in what is gone */
		recent_forget(channel_recent(c), c);
		channel_ops(c)->on_gap(c, c->last + 1, seq - 1, false);
	}
	c->last = seq;
	if (c->head < seq)
		c->head = seq;
	recent_add(channel_recent(c), c, it, seq);
	channel_ops(c)->on_item(c, it, states, n_states);
}

void
channel_on_item(struct channel *c, const struct item *it, uint64_t seq,
    const struct state_rec *states, unsigned n_states)
{
	if (c->state != CHANNEL_LIVE || seq <= c->last)
		return;
	if (seq == c->last + 1) {
		channel_deliver(c, it, seq, states, n_states);
		return;
	}
	if (c->head < seq)
		c->head = seq;
	channel_hold(c, it);
	if (!c->repairing)
		channel_repair(c);
}

/* what came while the repair was on its way; stops at a hole */
static void
channel_replay_held(struct channel *c)
{
	struct channel_busy *b = c->busy;
	struct buf held;
	struct str rest;
	struct item it;

	c->held_over = false;
	if (!b)
		return;
	held = b->held;
	rest = buf_str(&held);
	c->relay->held -= buf_len(&held);
	buf_init(&b->held, CHANNEL_HELD_MAX);
	while (rest.len && frames_page_next(&rest, &it) == OK) {
		uint64_t seq = channel_seq_of(c, &it);

		if (seq == c->last + 1)
			channel_deliver(c, &it, seq, NULL, 0);
		else if (seq > c->last)
			break;
	}
	buf_fini(&held);
}

/* a page that a cursor has read may reach beyond where the channel is */
static void
channel_repair_from_recent(struct channel *c)
{
	struct recent_item *ri;
	struct item it;

	while (c->last < c->head &&
	       (ri = recent_at(channel_recent(c), c, c->last + 1)) != NULL &&
	       recent_get(ri, &it))
		channel_deliver(c, &it, c->last + 1, NULL, 0);
}

static void
channel_repair(struct channel *c)
{
	struct f_read rd = {
	    .chan = channel_name(c), .n = PAGE_MAX, .max_bytes = 512 * 1024};
	uint64_t was = c->last;

	if (c->repairing)
		return;
	c->relay->srv->stats[S_REPAIRS]++;
	channel_repair_from_recent(c);
	if (c->last > was)
		channel_replay_held(c);
	if (c->last == c->head)
		return;
	rd.from = c->last + 1;
	if (relay_read(c->relay, &rd, &channel_busy(c)->repair) != OK) {
		channel_schedule(c, true);
		return;
	}
	c->repairing = true;
	c->busy->repair_from = rd.from;
}

static void
channel_take_page(struct channel *c, unsigned code, const struct f_page *page,
    struct str items)
{
	uint64_t was = c->last;
	struct item it;

	if (code != 200) {
		channel_schedule(c, true);
		return;
	}
	if (!str_eqc(page->ep, channel_ep(c))) {
		/* of another history: a SUBBED tells or has told of it */
		if (c->head > c->last)
			channel_schedule(c, true);
		return;
	}
	channel_heard_first(c, page->first);
	if (c->busy->repair_from > c->last + 1) {
		/* asked of the history before, answered of this one */
		if (c->head > c->last)
			channel_repair(c);
		return;
	}
	for (unsigned i = 0; i < page->n_items; i++) {
		if (frames_page_next(&items, &it) != OK)
			break;
		uint64_t seq = channel_seq_of(c, &it);
		if (seq > c->last)
			channel_deliver(c, &it, seq, NULL, 0);
	}
	if (!page->more && page->head > c->last) {
		/* the rest up to the head is gone by retention */
		recent_forget(channel_recent(c), c);
		channel_ops(c)->on_gap(c, c->last + 1, page->head, false);
		c->last = page->head;
	}
	if (c->head < page->head)
		c->head = page->head;
	channel_replay_held(c);
	if (c->head <= c->last)
		return;
	if (c->last > was)
		channel_repair(c);
	else
		channel_schedule(c, true); /* not in the log yet */
}

static void
channel_on_page(struct relay_read *rd, unsigned code, const struct f_page *page,
    struct str items)
{
	struct channel *c =
	    container_of(rd, struct channel_busy, repair)->channel;

	c->repairing = false;
	channel_take_page(c, code, page, items);
	channel_rest(c);
}

/* --- leaving ------------------------------------------------------------ */

void
channel_release(struct channel *c)
{
	if (c->released)
		return;
	c->released = true;
	wheel_set(&c->relay->wheel, &channel_busy(c)->idle, CHANNEL_IDLE_S);
}

void
channel_keep(struct channel *c)
{
	if (!c->released)
		return;
	c->released = false;
	wheel_cancel(&c->busy->idle);
	channel_rest(c);
}

static void
channel_forget(struct channel *c)
{
	if (c->busy)
		wheel_cancel(&c->busy->idle);
	channel_unlist(c);
	recent_forget(channel_recent(c), c);
	table_del(&c->relay->channels, &c->by_ch, channel_key);
	channel_unhold(c);
	channel_set_ep(c, STR_LIT(""));
	slab_put(&c->relay->srv->slab, c->busy, sizeof *c->busy);
	channel_ops(c)->on_idle(c); /* frees it */
}

void
channel_drop(struct channel *c)
{
	channel_tell(c, 503);
	channel_forget(c);
}

void
channel_expire(struct channel *c)
{
	struct buf *out = relay_out(c->relay);

	if (c->repairing || c->task_on ||
	    (c->busy && (c->busy->waits || c->busy->pages))) {
		/* somebody still comes back to this memory */
		wheel_set(&c->relay->wheel, &channel_busy(c)->idle, 1);
		return;
	}
	if (out && c->state != CHANNEL_NEW)
		put_unsub(out, c->ch);
	channel_forget(c);
}
