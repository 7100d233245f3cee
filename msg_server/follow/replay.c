/* SPDX-License-Identifier: MIT */
/* Cursors: joining, resuming and lagging are one mechanism; see replay.h. */
#include "msg_server/follow/replay_priv.h"
#include "msg_server/reply.h"
#include "msg_server/server.h"

/* --- what an item looks like -------------------------------------------- */

void
replay_event(struct event *ev, const struct channel *c, const struct item *it,
    const struct session *s, enum view *view)
{
	bool mine = str_eq(session_uid(s), it->uid);

	memset(ev, 0, sizeof *ev);
	ev->kind = EVENT_ITEM;
	ev->item = it;
	ev->uid = it->uid;
	ev->name = it->name;
	ev->avatar = it->avatar;
	ev->seq = it->seq;
	ev->ts = it->ts;
	ev->ep = str_of(channel_ep(c));
	*view = mine ? VIEW_SELF : VIEW_OTHER;
	if (!channel_is_user(c)) {
		ev->rid = str_of(channel_id(c));
		ev->chan = channel_name(c);
		return;
	}
	ev->rid = it->rid;
	ev->useq = it->useq;
	if (!str_is_set(it->pchan)) {
		/* what concerns him alone: he is in a group now */
		ev->chan = channel_name(c);
		return;
	}
	ev->chan = it->pchan;
	struct str other = chan_peer(it->pchan, it->uid);
	if (s->level < 2 || mine)
		ev->tid = other;
	else
		ev->tid = it->uid;
}

void
replay_gap(struct session *s, struct channel *c, struct cursor *cur,
    uint64_t from, uint64_t to, bool reset)
{
	struct event ev = {.kind = EVENT_GAP,
	    .ep = str_of(channel_ep(c)),
	    .gap_from = from,
	    .gap_to = to,
	    .why = reset ? "lost" : "purge"};

	if (cur->waiting)
		return; /* not told a position yet */
	if (!reset && to <= cur->pos)
		return;
	if (!reset && from <= cur->pos)
		ev.gap_from = cur->pos + 1;
	cur->pos = to;
	if (s->level < 2)
		return;
	if (channel_is_user(c))
		ev.tid = STR_LIT("@");
	else
		ev.rid = str_of(channel_id(c));
	reply_event(s, &ev);
}

/* --- live --------------------------------------------------------------- */

/*
 * What may wait for one session before it lags. When all together come near
 * to the quarter of `memory` that they may have, it is an even share: so the
 * largest lag first, and client_relieve() finds nobody to end.
 */
static uint32_t
replay_bound(const struct server *srv)
{
	uint64_t all = (uint64_t)srv->set.memory * 1024 * 1024 / 4, share;

	all -= all / 8;
	if (srv->net->queued <= all || srv->n_clients == 0)
		return QUEUE_LAG;
	share = all / srv->n_clients;
	if (share < QUEUE_SHARE_MIN)
		return QUEUE_SHARE_MIN;
	return share < QUEUE_LAG ? (uint32_t)share : QUEUE_LAG;
}

bool
replay_takes(
    struct server *srv, struct session *s, struct cursor *cur, uint64_t seq)
{
	if (!cur->live || seq <= cur->pos || !session_is_open(s))
		return false;
	if (session_queued(s) > replay_bound(srv)) {
		cur->live = false;
		srv->stats[S_LAGGED]++;
		replay_look(srv, s);
		return false;
	}
	cur->pos = seq;
	return true;
}

/* --- looking ------------------------------------------------------------ */

/*
 * A full queue may go out whole with this turn's flush, and then no drain is
 * ever told. So somebody looks again: once; if it is full then, the kernel
 * took less than all of it and room_on_drain() will come.
 */
struct look {
	struct relay_task task;
	struct server *srv;
	uint64_t cn;
};

static void
replay_on_look(struct relay_task *t)
{
	struct look *l = container_of(t, struct look, task);
	struct session *s = session_find(l->srv, l->cn);

	if (s) {
		s->looking = 0;
		if (session_queued(s) <= QUEUE_LAG / 2)
			replay_next(l->srv, s);
	}
	free(l);
}

void
replay_look(struct server *srv, struct session *s)
{
	struct look *l;

	if (s->looking)
		return;
	s->looking = 1;
	l = xcalloc(1, sizeof *l);
	l->srv = srv;
	l->cn = s->cn;
	l->task.fn = replay_on_look;
	relay_retry(srv->relay, &l->task);
}

/* --- following ---------------------------------------------------------- */

/* did he see items that we have not heard of? */
static bool
replay_is_ahead(const struct follow *f, const struct channel *c)
{
	return f->ep[0] && !strcmp(f->ep, channel_ep(c)) && f->from > c->head &&
	       f->from > c->last;
}

static void
replay_fill(const struct follow *f, const struct channel *c,
    struct follow_result *res, uint64_t *pos)
{
	memset(res, 0, sizeof *res);
	res->code = 200;
	res->head = *pos = c->last;
	res->full = true;
	str_copy(res->ep, sizeof res->ep, str_of(channel_ep(c)));
	if (!f->ep[0])
		return;
	if (strcmp(f->ep, channel_ep(c)) ||
	    (replay_is_ahead(f, c) && !f->ahead)) {
		/* another history: the client drops what it has */
		res->from = c->first;
		res->full = false;
		return;
	}
	*pos = f->from;
	if (f->from >= c->last) {
		res->head = f->from; /* what he has comes here later */
		return;
	}
	res->from = f->from + 1;
	if (res->from < c->first) {
		res->from = c->first;
		res->full = false;
		*pos = c->first - 1;
	}
	res->n = c->last - *pos;
}

/* the channel stands, and where he says he stands is known to be true or not */
static void
replay_enter(struct follow *f, struct session *s, unsigned code)
{
	struct cursor *cur = f->cursor;
	struct follow_call *call = f->call;
	struct channel *c = f->channel;
	struct server *srv = f->srv;
	const struct follow_ops *ops = f->ops;
	bool silent = f->silent;
	struct follow_result res;

	cur->waiting = false;
	/* who has a position in it says that he has been there before */
	if (code == 200 && ops->may_enter)
		code = ops->may_enter(srv, s, c, !strcmp(f->ep, channel_ep(c)));
	if (code != 200) {
		free(replay_take_follow(s, cur));
		memset(&res, 0, sizeof res);
		res.code = code;
		ops->on_refused(srv, s, c);
		if (call)
			call->on_joined(call, s, &res);
		return;
	}
	struct chan_name name = channel_copy_name(c);
	uint64_t cn = s->cn, pos;
	replay_fill(f, c, &res, &pos);
	cur->pos = pos;
	if (call)
		call->on_joined(call, s, &res);
	/* the answer may have ended the session, or its membership */
	s = session_find(srv, cn);
	if (!s || !replay_find(s, chan_str(&name), &c))
		return;
	ops->on_in(srv, s, c, silent);
	replay_next(srv, s);
}

/* the session of a follow, or NULL: it has left, and f is gone */
static struct session *
replay_follower(struct follow *f)
{
	struct session *s = f->cursor ? session_find(f->srv, f->cn) : NULL;

	/* whoever takes the cursor away (replay_leave) has told the call */
	if (!s)
		free(f);
	return s;
}

static void
replay_on_probe(struct relay_read *rd, unsigned code, const struct f_page *page,
    struct str items)
{
	struct follow *f = container_of(rd, struct follow, probe);
	struct session *s = replay_follower(f);

	(void)items;
	if (!s)
		return;
	if (code == 200)
		f->ahead = str_eqc(page->ep, f->ep) && page->head >= f->from;
	replay_enter(f, s, code);
}

static void
replay_on_channel(struct channel_wait *w, struct channel *c, unsigned code)
{
	struct follow *f = container_of(w, struct follow, wait);
	struct session *s = replay_follower(f);

	if (!s)
		return;
	if (code == 200 && replay_is_ahead(f, c)) {
		/*
		 * He comes from another server, which has heard of more, or
		 * from a history that is lost: the log knows.
		 */
		struct f_read rd = {.chan = channel_name(c),
		    .from = f->from,
		    .n = 1,
		    .max_bytes = 1};

		f->probe.done = replay_on_probe;
		if (relay_read(f->srv->relay, &rd, &f->probe) == OK)
			return;
		code = 503;
	}
	replay_enter(f, s, code);
}

void
replay_follow(struct server *srv, struct session *s, struct channel *c,
    struct cursor *cur, struct str ep, uint64_t from, bool silent,
    struct follow_call *call, const struct follow_ops *ops)
{
	struct follow *f = xcalloc(1, sizeof *f);

	f->srv = srv;
	f->channel = c;
	f->cursor = cur;
	f->call = call;
	f->cn = s->cn;
	f->from = from;
	str_copy(f->ep, sizeof f->ep, ep);
	f->silent = silent;
	f->ops = ops;
	f->wait.done = replay_on_channel;
	if (call)
		call->cn = s->cn;
	f->next = session_busy(s)->follows;
	s->busy->follows = f;
	cur->waiting = true;
	channel_wait(c, &f->wait);
}

struct follow *
replay_take_follow(struct session *s, const struct cursor *cur)
{
	struct follow **p, *f;

	if (!s->busy)
		return NULL;
	for (p = &s->busy->follows; (f = *p) && f->cursor != cur; p = &f->next)
		;
	if (f)
		*p = f->next;
	return f;
}

bool
replay_may_wait(const struct session *s, const struct cursor *cur)
{
	const struct follow *f = s->busy ? s->busy->follows : NULL;
	unsigned n = 0;

	for (; f; f = f->next)
		n += f->cursor == cur;
	return n < REPLAY_WAITS;
}

void
replay_wait_level(
    struct session *s, struct cursor *cur, struct follow_call *call)
{
	struct follow **p, *f;

	if (cur->live) {
		call->on_synced(call, s);
		return;
	}
	/* behind the others: they are told in turn */
	for (p = &session_busy(s)->follows; *p; p = &(*p)->next)
		;
	f = *p = xcalloc(1, sizeof *f);
	f->cursor = cur;
	f->call = call;
	f->cn = s->cn;
}

void
replay_leave(struct session *s, struct cursor *cur)
{
	bool waiting = cur->waiting;
	struct follow_call *call;
	struct follow *f;

	/* with a follow that is under way there is no other */
	cur->waiting = false;
	while ((f = replay_take_follow(s, cur))) {
		call = f->call;
		f->cursor = NULL;
		f->call = NULL;
		if (!waiting)
			free(f);
		if (call)
			call->on_lost(call);
	}
}
