/* SPDX-License-Identifier: MIT */
/* Cursors: joining, resuming and lagging are one mechanism; see replay.h. */
#include "msg_server/replay.h"
#include "msg_server/reply.h"
#include "msg_server/server.h"
#include "shared/proto/ws.h"

enum { REPLAY_ITEMS = 200, REPLAY_BYTES = 64 * 1024 };

/* one page on its way to one session; found again by number and name */
struct replay {
	struct relay_read read;
	struct relay_task again;
	struct server *srv;
	uint64_t cn;
	struct chan_name name;
};

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
	ev->ep = str_of(c->ep);
	*view = mine ? VIEW_SELF : VIEW_OTHER;
	if (!channel_is_user(c)) {
		ev->rid = chan_id(chan_str(&c->name));
		ev->chan = chan_str(&c->name);
		return;
	}
	ev->chan = it->pchan;
	ev->rid = it->rid;
	ev->useq = it->useq;
	struct str other = chan_peer(it->pchan, it->uid);
	if (s->level < 2 || mine)
		ev->tid = other;
	else
		ev->tid = it->uid;
}

static void
replay_send_item(
    struct session *s, const struct channel *c, const struct item *it)
{
	struct event ev;
	enum view view;
	struct buf text;

	if (s->level < 2 && it->cn == s->cn)
		return; /* version 1 is not echoed, per socket */
	replay_event(&ev, c, it, s, &view);
	buf_init(&text, LINK_FRAME_MAX);
	s->dialect->encode(&ev, s->level, view, &text);
	if (buf_len(&text) && buf_ok(&text)) {
		struct blob *b = ws_text(buf_p(&text), buf_len(&text));

		session_send(s, b);
		blob_unref(b);
	}
	buf_fini(&text);
}

void
replay_gap(struct session *s, struct channel *c, struct cursor *cur,
    uint64_t from, uint64_t to, bool reset)
{
	struct event ev = {.kind = EVENT_GAP,
	    .ep = str_of(c->ep),
	    .gap_from = from,
	    .gap_to = to,
	    .why = reset ? "lost" : "purge"};

	if (cur->follow && cur->follow->waiting)
		return; /* not told a position yet */
	if (!reset && to <= cur->pos)
		return;
	cur->pos = to;
	if (s->level < 2)
		return;
	if (channel_is_user(c))
		ev.tid = STR_LIT("@");
	else
		ev.rid = chan_id(chan_str(&c->name));
	reply_event(s, &ev);
}

/*
 * A full queue may go out whole with this turn's flush, and then no drain is
 * ever told. So somebody looks again: once; if it is full then, the kernel
 * took less than all of it and room_on_drain() will come.
 */
struct look {
	struct relay_task task;
	struct server *srv;
	uint64_t cn;
	struct chan_name name;
};

static void replay_on_look(struct relay_task *t);

static void
replay_look(struct server *srv, struct session *s, struct channel *c,
    struct cursor *cur)
{
	struct look *l;

	if (cur->look)
		return;
	cur->look = 1;
	l = xcalloc(1, sizeof *l);
	l->srv = srv;
	l->cn = s->cn;
	l->name = c->name;
	l->task.fn = replay_on_look;
	relay_retry(srv->relay, &l->task);
}

/* --- live ---------------------------------------------------------------- */

bool
replay_takes(struct server *srv, struct session *s, struct channel *c,
    struct cursor *cur, uint64_t seq)
{
	if (!cur->live || seq <= cur->pos || !session_is_open(s))
		return false;
	if (session_queued(s) > QUEUE_LAG) {
		cur->live = 0;
		srv->stats[S_LAGGED]++;
		replay_look(srv, s, c, cur);
		return false;
	}
	cur->pos = seq;
	return true;
}

/* --- paging ----------------------------------------------------------------
 */

static struct cursor *
replay_find(
    struct server *srv, struct session *s, struct str name, struct channel **c)
{
	struct member *m;

	if (chan_kind(name) == CHAN_USER) {
		if (!s->user)
			return NULL;
		*c = &s->user->channel;
		return &s->priv;
	}
	for (m = s->members; m; m = m->next_of_session)
		if (str_eq(chan_str(&m->room->channel.name), name)) {
			*c = &m->room->channel;
			return &m->cursor;
		}
	(void)srv;
	return NULL;
}

static void
replay_synced(struct session *s, struct cursor *cur)
{
	struct follow *f = cur->follow;

	if (!f)
		return;
	struct follow_call *call = f->call;
	cur->follow = NULL;
	free(f);
	if (call)
		call->on_synced(call, s);
}

static void
replay_on_again(struct relay_task *t)
{
	struct replay *rp = container_of(t, struct replay, again);
	struct session *s = session_find(rp->srv, rp->cn);
	struct channel *c;
	struct cursor *cur;

	if (s && (cur = replay_find(rp->srv, s, chan_str(&rp->name), &c))) {
		cur->reading = 0;
		replay_page(rp->srv, s, c, cur);
	}
	free(rp);
}

static void
replay_on_page(struct relay_read *rd, unsigned code, const struct f_page *page,
    struct str items)
{
	struct replay *rp = container_of(rd, struct replay, read);
	struct server *srv = rp->srv;
	struct session *s = session_find(srv, rp->cn);
	struct channel *c;
	struct cursor *cur =
	    s ? replay_find(srv, s, chan_str(&rp->name), &c) : NULL;
	struct item it;

	if (!cur) {
		free(rp);
		return;
	}
	if (code != 200) {
		/* no proxy now: the cursor stays where it is and asks again */
		rp->again.fn = replay_on_again;
		relay_retry(srv->relay, &rp->again);
		return;
	}
	cur->reading = 0;
	free(rp);
	if (page->first > cur->pos + 1)
		replay_gap(s, c, cur, cur->pos + 1, page->first - 1, false);
	for (unsigned i = 0; i < page->n_items; i++) {
		if (frames_page_next(&items, &it) != OK)
			break;
		uint64_t seq = channel_is_user(c) ? it.useq : it.seq;
		if (seq <= cur->pos)
			continue;
		if (seq > cur->pos + 1)
			replay_gap(s, c, cur, cur->pos + 1, seq - 1, false);
		cur->pos = seq;
		replay_send_item(s, c, &it);
	}
	if (!page->more && page->head > cur->pos)
		replay_gap(s, c, cur, cur->pos + 1, page->head, false);
	replay_page(srv, s, c, cur);
}

void
replay_page(struct server *srv, struct session *s, struct channel *c,
    struct cursor *cur)
{
	struct replay *rp;

	if (cur->live || cur->reading || (cur->follow && cur->follow->waiting))
		return;
	if (cur->pos >= c->last) {
		cur->live = 1;
		replay_synced(s, cur);
		return;
	}
	if (session_queued(s) > QUEUE_LAG / 2) {
		replay_look(srv, s, c, cur);
		return;
	}
	rp = xcalloc(1, sizeof *rp);
	rp->srv = srv;
	rp->cn = s->cn;
	rp->name = c->name;
	rp->read.done = replay_on_page;
	cur->reading = 1;
	struct f_read rd = {.chan = chan_str(&c->name),
	    .from = cur->pos + 1,
	    .n = REPLAY_ITEMS,
	    .max_bytes = REPLAY_BYTES};
	if (relay_read(srv->relay, &rd, &rp->read) != OK) {
		rp->again.fn = replay_on_again;
		relay_retry(srv->relay, &rp->again);
	}
}

static void
replay_on_look(struct relay_task *t)
{
	struct look *l = container_of(t, struct look, task);
	struct session *s = session_find(l->srv, l->cn);
	struct channel *c;
	struct cursor *cur;

	if (s && (cur = replay_find(l->srv, s, chan_str(&l->name), &c))) {
		/* still full: blocked, and a drain will be told */
		cur->look = 0;
		if (session_queued(s) <= QUEUE_LAG / 2)
			replay_page(l->srv, s, c, cur);
	}
	free(l);
}

/* --- following --------------------------------------------------------------
 */

static void
replay_fill(const struct follow *f, const struct channel *c,
    struct follow_result *res, uint64_t *pos)
{
	memset(res, 0, sizeof *res);
	res->code = 200;
	res->head = *pos = c->last;
	res->full = true;
	str_copy(res->ep, sizeof res->ep, str_of(c->ep));
	if (!f->ep[0])
		return;
	if (strcmp(f->ep, c->ep) || f->from > c->head) {
		/* another history: the client drops what it has */
		res->from = c->first;
		res->full = false;
		return;
	}
	if (f->from >= c->last) {
		*pos = f->from; /* our own view is repairing just now */
		return;
	}
	*pos = f->from;
	res->from = f->from + 1;
	if (res->from < c->first) {
		res->from = c->first;
		res->full = false;
		*pos = c->first - 1;
	}
	res->n = c->last - *pos;
}

static void
replay_on_channel(struct channel_wait *w, struct channel *c, unsigned code)
{
	struct follow *f = container_of(w, struct follow, wait);
	struct cursor *cur = f->cursor;
	struct follow_call *call = f->call;
	struct session *s = session_find(f->srv, f->cn);
	struct server *srv = f->srv;
	struct follow_result res;

	f->waiting = false;
	if (!cur || !s) {
		if (cur)
			cur->follow = NULL;
		free(f);
		if (call)
			call->on_lost(call);
		return;
	}
	const struct follow_ops *ops = f->ops;
	bool silent = f->silent;
	if (code != 200) {
		cur->follow = NULL;
		free(f);
		memset(&res, 0, sizeof res);
		res.code = code;
		ops->on_refused(srv, s, c);
		if (call)
			call->on_joined(call, s, &res);
		return;
	}
	struct chan_name name = c->name;
	uint64_t cn = s->cn;
	replay_fill(f, c, &res, &cur->pos);
	if (call)
		call->on_joined(call, s, &res);
	/* the answer may have ended the session, or its membership */
	s = session_find(srv, cn);
	if (!s || !(cur = replay_find(srv, s, chan_str(&name), &c)))
		return;
	ops->on_in(srv, s, c, silent);
	replay_page(srv, s, c, cur);
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
	f->waiting = true;
	f->wait.done = replay_on_channel;
	if (call)
		call->cn = s->cn;
	cur->follow = f;
	channel_wait(c, &f->wait);
}

void
replay_leave(struct cursor *cur)
{
	struct follow *f = cur->follow;

	if (!f)
		return;
	struct follow_call *call = f->call;
	cur->follow = NULL;
	f->cursor = NULL;
	f->call = NULL;
	if (!f->waiting)
		free(f);
	if (call)
		call->on_lost(call);
}
