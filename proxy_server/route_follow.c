/* SPDX-License-Identifier: MIT */
/*
 * Who follows which channel: SUB and UNSUB, the touches they cost the log, and
 * links that come back from behind. What goes out to them is route.c.
 */
#include <stdlib.h>

#include "proxy_server/route_priv.h"

enum {
	ROUTE_RETRY_MS = 50,
	ROUTE_TOUCH_MAX = 8192 /* under way: leaves the queue to appends */
};

static void route_on_timer(void *arg);

struct route *
route_new(struct proxy *p)
{
	struct route *r = xcalloc(1, sizeof *r);

	r->proxy = p;
	r->follows_max = ROUTE_FOLLOWS_MAX;
	r->memory_max = ROUTE_MEMORY_MAX;
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

struct channel *
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
		if (peer->n_follows >= r->follows_max ||
		    r->memory >= r->memory_max)
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

void
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

void
route_trimmed(struct route *r, struct str chan, uint64_t first)
{
	struct channel *c = route_find(r, chan);
	struct f_subbed out;
	struct follow *f;

	if (c == NULL || first <= c->first)
		return;
	c->first = first;
	memset(&out, 0, sizeof out);
	out.ep = str_of(r->proxy->ep);
	out.head = c->head;
	out.first = first;
	DL_FOREACH (c->follows, f) {
		/* who is behind gets one anyhow */
		if (!f->live || f->behind || !linkconn_has_credit(&f->peer->lc))
			continue;
		out.ch = f->ch;
		put_subbed(peer_out(f->peer), &out);
	}
}
