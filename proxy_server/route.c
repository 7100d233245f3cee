/* SPDX-License-Identifier: MIT */
/*
 * Channels, their followers, and the way of a committed record out to them.
 * Order comes from the log alone: records arrive in commit order and leave in
 * it. Stores nothing and reads nothing back.
 */
#include "proxy_server/route.h"

#include <stdlib.h>

#include "shared/proc/stats.h"

enum {
	ROUTE_RETRY_MS = 50,
	ROUTE_TOUCH_MAX = 8192,	  /* under way: leaves the queue to appends */
	ROUTE_SHARED_KEEP = 65536 /* of the encoding buffer, at rest */
};

struct channel {
	UT_hash_handle hh; /* route->channels by name */
	struct follow *follows;
	uint64_t head, first; /* true while somebody is live */
	struct chan_name name;
};

/* one link follows one channel */
struct follow {
	UT_hash_handle hh; /* peer->follows by ch */
	struct channel *chan;
	struct peer *peer;
	struct follow *prev, *next;		  /* of the channel */
	struct follow *prev_behind, *next_behind; /* of the peer */
	struct follow *prev_retry, *next_retry;	  /* of the route */
	uint64_t from_seq;			  /* as asked */
	char ep[EP_LEN];
	uint32_t ch;
	unsigned live : 1, behind : 1, retry : 1, presence : 1, state : 1,
	    has_ep : 1;
};

struct route {
	struct proxy *proxy; /* borrowed */
	struct channel *channels;
	struct follow *retry; /* touches that wait for room in the log */
	struct timer timer;   /* while there are such */
	unsigned touching;    /* touches the log has not answered */
	bool trouble;	      /* the last one was refused */
	struct item_shared shared;
	size_t memory;
};

static void route_on_timer(void *arg);

struct route *
route_new(struct proxy *p)
{
	struct route *r = xcalloc(1, sizeof *r);

	r->proxy = p;
	timer_init(&r->timer, p->net, route_on_timer, r);
	buf_init(&r->shared.bytes, LINK_FRAME_MAX);
	return r;
}

void
route_free(struct route *r)
{
	if (r == NULL)
		return;
	timer_stop(&r->timer);
	buf_fini(&r->shared.bytes);
	free(r);
}

/* ---- channels and follows --------------------------------------------- */

static struct channel *
route_find(struct route *r, struct str name)
{
	struct channel *c;

	HASH_FIND(hh, r->channels, name.p, name.len, c);
	return c;
}

static struct channel *
route_channel(struct route *r, struct str name)
{
	struct channel *c = route_find(r, name);

	if (c != NULL)
		return c;
	c = xcalloc(1, sizeof *c);
	c->name.len = (uint8_t)name.len;
	memcpy(c->name.s, name.p, name.len);
	HASH_ADD_KEYPTR(hh, r->channels, c->name.s, c->name.len, c);
	r->memory += sizeof *c;
	r->proxy->stats[P_CHANNELS]++;
	return c;
}

static struct follow *
route_follow(struct peer *peer, uint32_t ch)
{
	struct follow *f;

	HASH_FIND(hh, peer->follows, &ch, sizeof ch, f);
	return f;
}

static void
route_caught_up(struct follow *f)
{
	if (f->behind)
		DL_DELETE2(f->peer->behind, f, prev_behind, next_behind);
	f->behind = 0;
}

static void
route_unfollow(struct route *r, struct follow *f)
{
	struct channel *c = f->chan;

	route_caught_up(f);
	if (f->retry)
		DL_DELETE2(r->retry, f, prev_retry, next_retry);
	DL_DELETE(c->follows, f);
	HASH_DEL(f->peer->follows, f);
	f->peer->n_follows--;
	free(f);
	r->memory -= sizeof *f;
	r->proxy->stats[P_FOLLOWS]--;
	if (c->follows == NULL) {
		HASH_DEL(r->channels, c);
		free(c);
		r->memory -= sizeof *c;
		r->proxy->stats[P_CHANNELS]--;
	}
}

void
route_drop(struct route *r, struct peer *peer)
{
	struct follow *f, *tmp;

	HASH_ITER (hh, peer->follows, f, tmp)
		route_unfollow(r, f);
}

/* ---- SUB -------------------------------------------------------------- */

/* asks the log where the channel stands; ERR_BUSY: not now */
static int
route_touch(struct route *r, struct follow *f)
{
	struct f_sub sub = {
	    .ch = f->ch,
	    .chan = chan_str(&f->chan->name),
	    .from_seq = f->from_seq,
	    .ep = f->has_ep ? str_n(f->ep, EP_LEN) : STR_NONE,
	    .want_state = f->state,
	    .want_presence = f->presence,
	};
	struct log_op *op;
	struct buf b;
	int err;

	if (r->touching >= ROUTE_TOUCH_MAX)
		return ERR_BUSY;
	buf_init(&b, 1024);
	put_sub(&b, &sub);
	err = log_op_new(LOG_TOUCH, f->peer->id,
	    str_n(buf_p(&b) + LINK_HEAD, buf_len(&b) - LINK_HEAD - 4), &op);
	buf_fini(&b);
	if (err == 0) {
		err = log_submit(r->proxy->log, op);
		if (err != 0)
			log_op_free(op);
		else
			r->touching++;
	}
	return err;
}

static void
route_retry_later(struct route *r, struct follow *f)
{
	if (f->retry)
		return;
	f->retry = 1;
	DL_APPEND2(r->retry, f, prev_retry, next_retry);
	if (!timer_is_set(&r->timer))
		timer_set(&r->timer, ROUTE_RETRY_MS, 0);
}

static void
route_retry(struct route *r)
{
	struct follow *f;

	while ((f = r->retry) != NULL && route_touch(r, f) == 0) {
		f->retry = 0;
		DL_DELETE2(r->retry, f, prev_retry, next_retry);
	}
	if (r->retry != NULL && !timer_is_set(&r->timer))
		timer_set(&r->timer, ROUTE_RETRY_MS, 0);
}

static void
route_on_timer(void *arg)
{
	struct route *r = arg;

	/* a standby asks when it is promoted: route_log_changed */
	if (proxy_is_active(r->proxy))
		route_retry(r);
}

void
route_log_changed(struct route *r)
{
	if (proxy_is_active(r->proxy))
		route_retry(r);
}

void
route_batch_end(struct route *r)
{
	/* in trouble the timer asks, not every commit that fails */
	if (r->retry != NULL && !r->trouble && !r->proxy->stopping)
		route_retry(r);
}

int
route_sub(struct route *r, struct peer *peer, struct str body)
{
	struct f_sub sub;
	struct follow *f;
	int err = get_sub(body, &sub);

	if (err != 0)
		return err;
	f = route_follow(peer, sub.ch);
	if (f != NULL && !str_eq(chan_str(&f->chan->name), sub.chan))
		return ERR_PROTO;
	if (f == NULL) {
		if (peer->n_follows >= ROUTE_FOLLOWS_MAX ||
		    r->memory >= ROUTE_MEMORY_MAX)
			return ERR_LIMIT;
		f = xcalloc(1, sizeof *f);
		f->ch = sub.ch;
		f->peer = peer;
		f->chan = route_channel(r, sub.chan);
		DL_APPEND(f->chan->follows, f);
		HASH_ADD(hh, peer->follows, ch, sizeof f->ch, f);
		peer->n_follows++;
		r->memory += sizeof *f;
		r->proxy->stats[P_FOLLOWS]++;
	}
	f->from_seq = sub.from_seq;
	f->presence = sub.want_presence;
	f->state = sub.want_state;
	f->has_ep = str_is_set(sub.ep);
	if (f->has_ep)
		memcpy(f->ep, sub.ep.p, EP_LEN);
	if (route_touch(r, f) != 0)
		route_retry_later(r, f);
	return 0;
}

int
route_unsub(struct route *r, struct peer *peer, struct str body)
{
	struct follow *f;
	uint32_t ch;
	int err = get_unsub(body, &ch);

	if (err != 0)
		return err;
	f = route_follow(peer, ch);
	if (f != NULL)
		route_unfollow(r, f);
	return 0;
}

/* a touch came back: from here on the channel is live on that link */
static void
route_touched(struct route *r, struct log_op *op)
{
	struct peer *peer = peer_find(r->proxy, op->peer);
	struct follow *f = peer ? route_follow(peer, op->sub.ch) : NULL;
	struct f_subbed out;
	struct str rest;

	r->touching--;
	r->trouble = op->code != 200;
	/* gone meanwhile, or its number serves another channel now */
	if (f == NULL || !str_eq(chan_str(&f->chan->name), op->sub.chan))
		return;
	if (op->code != 200) {
		route_retry_later(r, f);
		return;
	}
	memset(&out, 0, sizeof out);
	f->live = 1;
	route_caught_up(f);
	f->chan->head = op->head;
	f->chan->first = op->first;
	out.ch = f->ch;
	out.ep = str_of(r->proxy->ep);
	out.head = op->head;
	out.first = op->first;
	out.reset =
	    op->sub.from_seq != SUB_HEAD &&
	    (!str_eq(op->sub.ep, out.ep) || op->sub.from_seq > op->head);
	rest = buf_str(&op->states);
	while (out.n_states < ARRAY_LEN(out.states) &&
	       log_states_next(&rest, &out.states[out.n_states]) == 0)
		out.n_states++;
	out.more = op->more_states || rest.len > 0;
	put_subbed(peer_out(peer), &out);
}

/* where a channel that was left behind stands now; its reader does the rest */
void
route_on_credit(struct route *r, struct peer *peer)
{
	struct f_subbed out;
	struct follow *f;

	memset(&out, 0, sizeof out);
	out.ep = str_of(r->proxy->ep);
	while ((f = peer->behind) != NULL && linkconn_has_credit(&peer->lc)) {
		route_caught_up(f);
		out.ch = f->ch;
		out.head = f->chan->head;
		out.first = f->chan->first;
		put_subbed(peer_out(peer), &out);
	}
}

/* ---- fan-out ---------------------------------------------------------- */

/* may an item go out on it? if not, it is behind from here on */
static bool
route_can_send(struct route *r, struct follow *f)
{
	if (!f->live || f->behind)
		return false;
	if (linkconn_has_credit(&f->peer->lc))
		return true;
	f->behind = 1;
	DL_APPEND2(f->peer->behind, f, prev_behind, next_behind);
	r->proxy->stats[P_BEHIND]++;
	return false;
}

static void
route_item(struct route *r, struct peer *to, struct f_item *item,
    const struct log_op *op)
{
	if (buf_len(&r->shared.bytes) == 0)
		item_share(&r->shared, item);
	item->req = to->id == op->peer ? op->append.req : 0;
	put_item_shared(peer_out(to), &r->shared, item);
	r->proxy->stats[P_FANOUT]++;
}

/* r:, u: and c: channels; true when the appender got it, and so its ack */
static bool
route_fan_channel(struct route *r, const struct log_op *op, struct f_item *item)
{
	struct channel *c = route_find(r, op->append.chan);
	struct follow *f;
	bool told = false;

	if (c == NULL)
		return false;
	c->head = op->seq;
	DL_FOREACH (c->follows, f) {
		if (!route_can_send(r, f))
			continue;
		item->ch = f->ch;
		route_item(r, f->peer, item, op);
		told = told || f->peer->id == op->peer;
	}
	return told;
}

/*
 * A private item: its followers are those of the u: channels it has pointers
 * in. A link that follows both gets it once, with both positions.
 */
static bool
route_fan_pair(struct route *r, const struct log_op *op, struct f_item *item)
{
	struct peer *list = NULL, *peer;
	struct channel *c;
	struct follow *f;
	bool told = false;

	for (unsigned i = 0; i < op->append.n_to; i++) {
		c = route_find(r, op->append.to[i]);
		if (c == NULL)
			continue;
		c->head = op->useq[i];
		DL_FOREACH (c->follows, f) {
			if (!route_can_send(r, f))
				continue;
			peer = f->peer;
			if (!peer->has_ref) {
				memset(peer->refs, 0, sizeof peer->refs);
				peer->has_ref = true;
				peer->next_ref = list;
				list = peer;
			}
			peer->refs[i].ch = f->ch;
			peer->refs[i].useq = op->useq[i];
		}
	}
	item->chan = op->append.chan;
	item->n_refs = op->append.n_to;
	for (peer = list; peer != NULL; peer = peer->next_ref) {
		peer->has_ref = false;
		for (unsigned i = 0; i < item->n_refs; i++) {
			item->refs[i].ch = peer->refs[i].ch;
			item->refs[i].useq = op->useq[i];
		}
		route_item(r, peer, item, op);
		told = told || peer->id == op->peer;
	}
	return told;
}

/* position of the item in the sender's own u: channel */
static uint64_t
route_own_useq(const struct log_op *op)
{
	for (unsigned i = 0; i < op->append.n_to; i++)
		if (str_eq(chan_id(op->append.to[i]), op->append.item.uid))
			return op->useq[i];
	return 0;
}

static void
route_ack(struct route *r, struct peer *to, const struct log_op *op)
{
	struct f_ack ack = {
	    .req = op->append.req,
	    .seq = op->seq,
	    .ts = op->ts,
	    .useq = route_own_useq(op),
	    .dup = op->dup,
	};

	put_ack(peer_out(to), &ack);
	r->proxy->stats[P_ACKS]++;
}

static void
route_appended(struct route *r, struct log_op *op)
{
	struct peer *from = peer_find(r->proxy, op->peer);
	struct f_item item;
	bool told = false;

	if (op->code != 200) {
		struct f_nak nak = {
		    .req = op->append.req,
		    .code = op->code,
		    .retry_ms = op->retry_ms,
		};

		r->proxy->stats[P_NAKS]++;
		if (from != NULL)
			put_nak(peer_out(from), &nak);
		return;
	}
	if (!op->dup) {
		memset(&item, 0, sizeof item);
		item.gen = r->proxy->gen;
		item.item = op->append.item;
		item.item.seq = op->seq;
		item.item.ts = op->ts;
		item.n_states = op->append.n_states;
		for (unsigned i = 0; i < item.n_states; i++) {
			item.states[i] = op->append.states[i];
			item.states[i].rev = op->seq;
		}
		if (chan_kind(op->append.chan) == CHAN_PAIR) {
			item.chan = op->append.chan;
			told = route_fan_pair(r, op, &item);
		} else {
			told = route_fan_channel(r, op, &item);
		}
		if (r->shared.bytes.cap > ROUTE_SHARED_KEEP)
			buf_fini(&r->shared.bytes);
		else
			buf_reset(&r->shared.bytes);
	}
	if (from != NULL && !told)
		route_ack(r, from, op);
}

/* a mark: to those who follow; who has no credit reads it at the next SUB */
static void
route_set(struct route *r, struct log_op *op)
{
	struct channel *c = route_find(r, op->set.chan);
	struct f_state out = {.rec = op->set.rec};
	struct follow *f;

	if (c == NULL || op->code != 200)
		return;
	DL_FOREACH (c->follows, f) {
		if (!f->live || !linkconn_has_credit(&f->peer->lc))
			continue;
		out.ch = f->ch;
		put_state(peer_out(f->peer), &out);
	}
}

void
route_done(struct route *r, struct log_op *op)
{
	switch (op->kind) {
	case LOG_APPEND:
		route_appended(r, op);
		return;
	case LOG_TOUCH:
		route_touched(r, op);
		return;
	case LOG_SET:
		route_set(r, op);
		return;
	}
}

/* ---- what is not stored ----------------------------------------------- */

int
route_eph(struct route *r, struct str body)
{
	struct f_eph eph;
	struct channel *c;
	struct follow *f;
	int err = get_eph(body, &eph);

	if (err != 0)
		return err;
	if (!str_is_set(eph.chan))
		return ERR_PROTO;
	c = route_find(r, eph.chan);
	if (c == NULL)
		return 0;
	eph.chan = STR_NONE;
	r->proxy->stats[P_EPHS]++;
	DL_FOREACH (c->follows, f) {
		if (!f->live || !linkconn_has_credit(&f->peer->lc))
			continue;
		eph.ch = f->ch;
		put_eph(peer_out(f->peer), &eph);
	}
	return 0;
}

void
route_room(struct route *r, struct str rid, struct f_room *room)
{
	struct chan_name name = chan_room(rid);
	struct channel *c = route_find(r, chan_str(&name));
	struct follow *f;

	if (c == NULL)
		return;
	/* who waits for SUBBED too: people have no place in the log's order */
	DL_FOREACH (c->follows, f) {
		if (!f->presence)
			continue;
		room->ch = f->ch;
		put_room(peer_out(f->peer), room);
		r->proxy->stats[P_ROOM_FRAMES]++;
	}
}

bool
route_head(struct route *r, struct str chan, uint64_t *head)
{
	struct channel *c = route_find(r, chan);
	struct follow *f;

	if (c == NULL)
		return false;
	DL_FOREACH (c->follows, f) {
		if (f->live) {
			*head = c->head;
			return true;
		}
	}
	return false;
}
