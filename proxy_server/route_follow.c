/* SPDX-License-Identifier: MIT */
/*
 * Who follows which channel: SUB and UNSUB, the touches they cost the log, and
 * links that come back from behind. What goes out to them is route.c.
 */
#include <stddef.h>
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
	slab_fini(&r->slab);
	free(r->links);
	free(r);
}

/* ---- channels and follows --------------------------------------------- */

static void *
route_get(struct route *r, size_t n)
{
	r->memory += n;
	return slab_get(&r->slab, n);
}

static void
route_put(struct route *r, void *p, size_t n)
{
	if (p != NULL)
		r->memory -= n;
	slab_put(&r->slab, p, n);
}

static struct channel *
route_chan(const struct table_link *e)
{
	return container_of(e, struct channel, by_name);
}

static struct str
route_chan_name(const struct channel *c)
{
	return str_n(c->name, c->len);
}

static struct str
route_chan_key(const struct table_link *e)
{
	return route_chan_name(route_chan(e));
}

static size_t
route_chan_size(size_t name)
{
	return offsetof(struct channel, name) + name;
}

struct channel *
route_find(struct route *r, struct str name)
{
	struct table_link *e = table_find(&r->channels, name, route_chan_key);

	return e != NULL ? route_chan(e) : NULL;
}

static struct channel *
route_channel(struct route *r, struct str name)
{
	struct channel *c = route_find(r, name);

	if (c != NULL)
		return c;
	c = route_get(r, route_chan_size(name.len));
	c->len = (uint8_t)name.len;
	memcpy(c->name, name.p, name.len);
	table_add(&r->channels, &c->by_name, route_chan_key);
	r->proxy->stats[P_CHANNELS]++;
	return c;
}

static void
route_channel_rest(struct route *r, struct channel *c)
{
	if (c->follows != NULL)
		return;
	table_del(&r->channels, &c->by_name, route_chan_key);
	route_put(r, c, route_chan_size(c->len));
	r->proxy->stats[P_CHANNELS]--;
}

static struct follow *
route_of_ch(const struct table_link *e)
{
	return container_of(e, struct follow, by_ch);
}

static struct str
route_ch_key(const struct table_link *e)
{
	const struct follow *f = route_of_ch(e);

	return str_n((const char *)&f->ch, sizeof f->ch);
}

static struct follow *
route_follow(struct peer *peer, uint32_t ch)
{
	struct table_link *e = table_find(
	    &peer->follows, str_n((const char *)&ch, sizeof ch), route_ch_key);

	return e != NULL ? route_of_ch(e) : NULL;
}

/* a link that follows nothing yet gets its place */
static void
route_link(struct route *r, struct peer *peer)
{
	uint32_t at = 0;

	if (peer->follows.n > 0)
		return;
	while (at < r->n_links && r->links[at] != NULL)
		at++;
	if (at == r->n_links) {
		r->n_links++;
		r->links = xrealloc(r->links, r->n_links * sizeof *r->links);
	}
	r->links[at] = peer;
	peer->at = at;
}

static struct follow *
route_follow_new(
    struct route *r, struct peer *peer, uint32_t ch, struct str name)
{
	struct follow *f = route_get(r, sizeof *f);

	route_link(r, peer);
	f->ch = ch;
	f->link = peer->at;
	f->chan = route_channel(r, name);
	LL_PREPEND(f->chan->follows, f);
	table_add(&peer->follows, &f->by_ch, route_ch_key);
	r->proxy->stats[P_FOLLOWS]++;
	return f;
}

static struct follow_wait *
route_wait(struct route *r, struct follow *f)
{
	if (f->wait == NULL) {
		f->wait = route_get(r, sizeof *f->wait);
		f->wait->follow = f;
	}
	return f->wait;
}

/* what was asked: it may have to be asked again */
static void
route_remember(struct route *r, struct follow *f, const struct f_sub *sub)
{
	struct follow_wait *w = route_wait(r, f);

	w->from_seq = sub->from_seq;
	w->state = sub->want_state;
	w->has_ep = str_is_set(sub->ep);
	if (w->has_ep)
		memcpy(w->ep, sub->ep.p, EP_LEN);
}

static void
route_wait_free(struct route *r, struct follow *f)
{
	route_put(r, f->wait, sizeof *f->wait);
	f->wait = NULL;
}

void
route_fall_behind(struct route *r, struct follow *f)
{
	struct follow_wait *w = route_wait(r, f);

	f->behind = 1;
	DL_APPEND2(route_peer(r, f)->behind, w, prev_behind, next_behind);
	r->proxy->stats[P_BEHIND]++;
}

static void
route_caught_up(struct route *r, struct follow *f)
{
	if (f->behind)
		DL_DELETE2(route_peer(r, f)->behind, f->wait, prev_behind,
		    next_behind);
	f->behind = 0;
}

/* nothing waits; a SUB under way remembers itself what was asked */
static void
route_wait_rest(struct route *r, struct follow *f)
{
	if (f->wait != NULL && !f->wait->retry && !f->behind)
		route_wait_free(r, f);
}

static void
route_unfollow(struct route *r, struct follow *f)
{
	struct peer *peer = route_peer(r, f);
	struct channel *c = f->chan;

	route_caught_up(r, f);
	if (f->wait != NULL && f->wait->retry)
		DL_DELETE2(r->retry, f->wait, prev_retry, next_retry);
	route_wait_free(r, f);
	LL_DELETE(c->follows, f);
	table_del(&peer->follows, &f->by_ch, route_ch_key);
	if (peer->follows.n == 0)
		r->links[peer->at] = NULL;
	route_put(r, f, sizeof *f);
	r->proxy->stats[P_FOLLOWS]--;
	route_channel_rest(r, c);
}

void
route_drop(struct route *r, struct peer *peer)
{
	struct table_link *e;

	while ((e = table_any(&peer->follows, &peer->sweep)) != NULL)
		route_unfollow(r, route_of_ch(e));
}

/* ---- SUB -------------------------------------------------------------- */

/* asks the log where the channel stands; ERR_BUSY: not now */
static int
route_touch(struct route *r, struct follow *f, struct str body)
{
	struct log_op *op;
	int err;

	if (r->touching >= ROUTE_TOUCH_MAX)
		return ERR_BUSY;
	err = log_op_new(LOG_TOUCH, route_peer(r, f)->id, body, &op);
	if (err != 0)
		return err;
	err = log_submit(r->proxy->log, op);
	if (err != 0)
		log_op_free(op);
	else
		r->touching++;
	return err;
}

/* the same, from what is remembered of the SUB */
static int
route_touch_again(struct route *r, struct follow *f)
{
	struct f_sub sub = {
	    .ch = f->ch,
	    .chan = route_chan_name(f->chan),
	    .from_seq = f->wait->from_seq,
	    .ep = f->wait->has_ep ? str_n(f->wait->ep, EP_LEN) : STR_NONE,
	    .want_state = f->wait->state,
	    .want_presence = f->presence,
	};
	struct buf b;
	int err;

	buf_init(&b, 1024);
	put_sub(&b, &sub);
	err = route_touch(
	    r, f, str_n(buf_p(&b) + LINK_HEAD, buf_len(&b) - LINK_HEAD - 4));
	buf_fini(&b);
	return err;
}

static void
route_retry_later(struct route *r, struct follow *f)
{
	struct follow_wait *w = route_wait(r, f);

	if (w->retry)
		return;
	w->retry = true;
	DL_APPEND2(r->retry, w, prev_retry, next_retry);
	if (!timer_is_set(&r->timer))
		timer_set(&r->timer, ROUTE_RETRY_MS, 0);
}

static void
route_retry(struct route *r)
{
	struct follow_wait *w;

	while ((w = r->retry) != NULL && route_touch_again(r, w->follow) == 0) {
		w->retry = false;
		DL_DELETE2(r->retry, w, prev_retry, next_retry);
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
	if (f != NULL && !str_eq(route_chan_name(f->chan), sub.chan))
		return ERR_PROTO;
	if (f == NULL) {
		if (peer->follows.n >= r->follows_max ||
		    r->memory >= r->memory_max)
			return ERR_LIMIT;
		f = route_follow_new(r, peer, sub.ch, sub.chan);
	}
	f->presence = sub.want_presence;
	route_remember(r, f, &sub);
	if (route_touch(r, f, body) != 0)
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
	if (f == NULL || !str_eq(route_chan_name(f->chan), op->sub.chan))
		return;
	if (op->code != 200) {
		if (f->wait == NULL)
			route_remember(r, f, &op->sub);
		route_retry_later(r, f);
		return;
	}
	memset(&out, 0, sizeof out);
	f->live = 1;
	route_caught_up(r, f);
	route_wait_rest(r, f);
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
	out.more = rest.len > 0;
	put_subbed(peer_out(peer), &out);
}

/* where a channel that was left behind stands now; its reader does the rest */
void
route_on_credit(struct route *r, struct peer *peer)
{
	struct follow_wait *w;
	struct f_subbed out;
	struct follow *f;

	memset(&out, 0, sizeof out);
	out.ep = str_of(r->proxy->ep);
	while ((w = peer->behind) != NULL && linkconn_has_credit(&peer->lc)) {
		f = w->follow;
		route_caught_up(r, f);
		route_wait_rest(r, f);
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
	struct peer *peer;

	if (c == NULL || first <= c->first)
		return;
	c->first = first;
	memset(&out, 0, sizeof out);
	out.ep = str_of(r->proxy->ep);
	out.head = c->head;
	out.first = first;
	LL_FOREACH (c->follows, f) {
		/* who is behind gets one anyhow */
		peer = route_peer(r, f);
		if (!f->live || f->behind || !linkconn_has_credit(&peer->lc))
			continue;
		out.ch = f->ch;
		put_subbed(peer_out(peer), &out);
	}
}
