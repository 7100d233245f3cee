/* SPDX-License-Identifier: MIT */
/*
 * The way of a committed record out to the links that follow its channel.
 * Order comes from the log alone: records arrive in commit order and leave in
 * it. Stores nothing and reads nothing back. Who follows is route_follow.c.
 */
#include <inttypes.h>
#include <stdio.h>

#include "proxy_server/presence.h"
#include "proxy_server/route_priv.h"

enum {
	ROUTE_SHARED_KEEP = 65536, /* of the encoding buffer, at rest */
	ROUTE_EPH_TYPING = 1,
	ROUTE_EPH_MARK = 2 /* "mark seen" */
};

/* ---- fan-out ---------------------------------------------------------- */

/* may an item go out on it? if not, it is behind from here on */
static bool
route_can_send(struct route *r, struct follow *f)
{
	if (!f->live || f->behind)
		return false;
	if (linkconn_has_credit(&route_peer(r, f)->lc))
		return true;
	route_fall_behind(r, f);
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
	LL_FOREACH (c->follows, f) {
		if (!route_can_send(r, f))
			continue;
		item->ch = f->ch;
		route_item(r, route_peer(r, f), item, op);
		told = told || route_peer(r, f)->id == op->peer;
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
		LL_FOREACH (c->follows, f) {
			if (!route_can_send(r, f))
				continue;
			peer = route_peer(r, f);
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
	    .unkept = (op->append.item.flags & ITEM_F_UNKEPT) != 0,
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

/* an ephemeral to those who follow; eph->ch is set here */
static void
route_tell(struct route *r, struct str to, struct f_eph *eph)
{
	struct channel *c = route_find(r, to);
	struct follow *f;

	if (c == NULL)
		return;
	r->proxy->stats[P_EPHS]++;
	LL_FOREACH (c->follows, f) {
		if (!f->live || !linkconn_has_credit(&route_peer(r, f)->lc))
			continue;
		eph->ch = f->ch;
		put_eph(peer_out(route_peer(r, f)), eph);
	}
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
	LL_FOREACH (c->follows, f) {
		if (!f->live || !linkconn_has_credit(&route_peer(r, f)->lc))
			continue;
		out.ch = f->ch;
		put_state(peer_out(route_peer(r, f)), &out);
	}
}

/*
 * What has grown: to its followers as any state, and to whom it is told as an
 * ephemeral of the channel's user. So nobody hears of a number that a greater
 * one, said elsewhere, has overtaken.
 */
static void
route_raised(struct route *r, struct log_op *op)
{
	const struct f_raise *f = &op->raise;
	struct channel *c = route_find(r, f->chan);
	struct f_state out = {.rec = {.key = f->key}};
	struct f_eph eph = {
	    .kind = ROUTE_EPH_MARK, .uid = chan_id(f->chan), .body = f->body};
	struct follow *fo;
	char val[24];

	if (op->code != 200 || op->dup)
		return;
	snprintf(val, sizeof val, "%" PRIu64, f->n);
	out.rec.val = str_of(val);
	if (c != NULL)
		LL_FOREACH (c->follows, fo) {
			if (!fo->live ||
			    !linkconn_has_credit(&route_peer(r, fo)->lc))
				continue;
			out.ch = fo->ch;
			put_state(peer_out(route_peer(r, fo)), &out);
		}
	if (str_is_set(f->tell))
		route_tell(r, f->tell, &eph);
}

static void
route_got(struct route *r, struct log_op *op)
{
	struct peer *peer = peer_find(r->proxy, op->peer);
	struct f_got got = {.rid = op->get.rid, .code = op->code};
	struct str rest = buf_str(&op->states);
	struct state_rec rec;

	if (peer == NULL)
		return;
	if (op->code == 200) {
		got.ep = str_of(r->proxy->ep);
		got.head = op->head;
		got.first = op->first;
		if (log_states_next(&rest, &rec) == 0)
			got.val = rec.val;
	}
	put_got(peer_out(peer), &got);
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
	case LOG_RAISE:
		route_raised(r, op);
		return;
	case LOG_GET:
		route_got(r, op);
		return;
	}
}

/* ---- what is not stored ----------------------------------------------- */

/* here alone it is known how many are in a room, on all servers */
static bool
route_is_crowd(struct route *r, struct str chan)
{
	int64_t max = r->proxy->set.typing_max;

	if (max > 0 && (chan_kind(chan) != CHAN_ROOM ||
			   presence_count(r->proxy->presence, chan_id(chan)) <=
			       (uint64_t)max))
		return false;
	r->proxy->stats[P_TYPING_DROPPED]++;
	return true;
}

int
route_eph(struct route *r, struct str body)
{
	struct f_eph eph;
	struct str to;
	int err = get_eph(body, &eph);

	if (err != 0)
		return err;
	if (!str_is_set(eph.chan))
		return ERR_PROTO;
	to = eph.chan;
	if (eph.kind == ROUTE_EPH_TYPING && route_is_crowd(r, to))
		return 0;
	eph.chan = STR_NONE;
	route_tell(r, to, &eph);
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
	LL_FOREACH (c->follows, f) {
		if (!f->presence)
			continue;
		room->ch = f->ch;
		presence_for(
		    r->proxy->presence, route_peer(r, f)->node, rid, room);
		put_room(peer_out(route_peer(r, f)), room);
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
	LL_FOREACH (c->follows, f) {
		if (f->live) {
			*head = c->head;
			return true;
		}
	}
	return false;
}
