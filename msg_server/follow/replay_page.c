/* SPDX-License-Identifier: MIT */
/*
 * Paging cursors up: from recent items in memory, in turn, or by reads of the
 * log that are shared; see replay.h. Joining, lagging and holes are replay.c's.
 */
#include "msg_server/follow/recent.h"
#include "msg_server/follow/replay_priv.h"
#include "msg_server/server.h"
#include "shared/proto/ws.h"

enum {
	REPLAY_ITEMS = 200,
	REPLAY_BYTES = 64 * 1024,
	REPLAY_PAGES = 0x3fff, /* what a cursor remembers of a page's number */
	REPLAY_ROUND = 1000,   /* items from memory in one round of tasks */
	REPLAY_AGAIN = 3       /* reads of one page, when recalls overtake it */
};

/* a page one session waits for; its cursor is found again by number and name */
struct replay {
	struct relay_task task;
	struct replay *next; /* of the same page, or of those to be served */
	struct server *srv;
	uint64_t cn, from;
	struct chan_name name;
};

/* one read of the log, for all whose cursors stand where it will reach */
struct replay_page {
	struct relay_read read;
	struct replay_page *prev, *next; /* of its channel */
	struct channel *channel;	 /* kept as long as it has pages */
	uint64_t from;
	uint32_t erased;
	unsigned reads;
	struct replay *waiting, **waiting_end; /* who asked for it first */
};

/* those whose next page is in memory, in turn: see replay_on_serve() */
struct replay_line {
	struct relay_task task;
	struct server *srv;
	struct replay *first, **end;
	bool on;
};

/* --- frames ------------------------------------------------------------- */

static struct blob *
replay_frame(
    const struct session *s, const struct channel *c, const struct item *it)
{
	struct event ev;
	enum view view;
	struct buf text;
	struct blob *b = NULL;

	replay_event(&ev, c, it, s, &view);
	ev.missed = true;
	buf_init(&text, LINK_FRAME_MAX);
	s->dialect->encode(&ev, s->level, view, &text);
	if (buf_len(&text) && buf_ok(&text))
		b = ws_text(buf_p(&text), buf_len(&text));
	buf_fini(&text);
	return b;
}

bool
replay_is_echo(const struct session *s, const struct item *it)
{
	return it->cn == s->cn && session_is_silent_to_itself(s) &&
	       str_eq(session_uid(s), it->uid);
}

static void
replay_send_item(
    struct session *s, const struct channel *c, const struct item *it)
{
	struct blob *b;

	if (replay_is_echo(s, it))
		return;
	b = replay_frame(s, c, it);
	if (b)
		session_send(s, b);
	blob_unref(b);
}

/* what a frame made for s depends on, of all that may be said of one item */
static unsigned
replay_key(const struct session *s, bool mine)
{
	return 1u + s->dialect->index * 4u + (s->level > 1) * 2u + mine;
}

static void
replay_send_recent(struct server *srv, struct session *s, struct channel *c,
    struct recent_item *ri)
{
	unsigned key = replay_key(s, str_eq(session_uid(s), recent_uid(ri)));
	struct item it;
	struct blob *b;

	if (recent_cn(ri) == s->cn && session_is_silent_to_itself(s))
		return;
	b = recent_made(ri, key);
	if (b) {
		session_send(s, b);
		return;
	}
	if (!recent_get(ri, &it))
		return;
	b = replay_frame(s, c, &it);
	if (!b)
		return;
	recent_make(srv->recent, c, ri, key, b);
	session_send(s, b);
	blob_unref(b);
}

/* --- paging ------------------------------------------------------------- */

struct cursor *
replay_find(struct session *s, struct str name, struct channel **c)
{
	struct member *m;

	/* it may have become somebody else's meanwhile */
	if (s->user && str_eqc(name, s->user->channel.name)) {
		*c = &s->user->channel;
		return &s->priv;
	}
	for (m = s->members; m; m = m->next_of_session)
		if (str_eqc(name, m->room->channel.name)) {
			*c = &m->room->channel;
			return &m->cursor;
		}
	return NULL;
}

static void
replay_synced(struct session *s, struct cursor *cur)
{
	struct follow_call *call;
	struct follow *f;

	while ((f = replay_take_follow(s, cur))) {
		call = f->call;
		free(f);
		if (call)
			call->on_synced(call, s);
	}
}

/* level: live from here on; true when it needs a page */
static bool
replay_needs_page(
    struct session *s, const struct channel *c, struct cursor *cur)
{
	if (cur->live || cur->waiting)
		return false;
	if (cur->pos < c->last)
		return true;
	cur->live = true;
	replay_synced(s, cur);
	return false;
}

static struct replay *
replay_new(struct server *srv, struct session *s, const struct channel *c,
    uint64_t from)
{
	struct replay *rp = xcalloc(1, sizeof *rp);

	rp->srv = srv;
	rp->cn = s->cn;
	rp->from = from;
	rp->name = channel_copy_name(c);
	s->paging = 1;
	return rp;
}

static void
replay_on_again(struct relay_task *t)
{
	struct replay *rp = container_of(t, struct replay, task);
	struct session *s = session_find(rp->srv, rp->cn);

	if (s) {
		s->paging = 0;
		replay_next(rp->srv, s);
	}
	free(rp);
}

/* not now: in a while, whichever cursor it is for then */
static void
replay_again(struct replay *rp)
{
	rp->task.fn = replay_on_again;
	relay_retry(rp->srv->relay, &rp->task);
}

/* --- from memory -------------------------------------------------------- */

/* a page's worth, or up to a hole; items given */
static unsigned
replay_give_recent(struct server *srv, struct session *s, struct channel *c,
    struct cursor *cur)
{
	struct recent_item *ri;
	uint32_t bytes = 0;
	unsigned n = 0;

	while (n < REPLAY_ITEMS && cur->pos < c->last &&
	       session_queued(s) <= QUEUE_LAG / 2 &&
	       (ri = recent_at(srv->recent, c, cur->pos + 1))) {
		bytes += recent_size(ri);
		if (n > 0 && bytes > REPLAY_BYTES)
			break;
		cur->pos++;
		replay_send_recent(srv, s, c, ri);
		n++;
	}
	return n;
}

static unsigned
replay_serve(struct replay *rp)
{
	struct server *srv = rp->srv;
	struct session *s = session_find(srv, rp->cn);
	struct channel *c;
	struct cursor *cur;
	unsigned n = 0;

	if (s) {
		cur = replay_find(s, chan_str(&rp->name), &c);
		if (cur && !cur->live && !cur->waiting)
			n = replay_give_recent(srv, s, c, cur);
		if (n > 0)
			srv->stats[S_RECENT_HITS]++;
		s->paging = 0;
		replay_next(srv, s);
	}
	free(rp);
	return n;
}

/*
 * A storm of people who come back is served in slices, a page each in turn:
 * between two rounds the loop turns, and those who are in are not kept
 * waiting.
 */
static void
replay_on_serve(struct relay_task *t)
{
	struct replay_line *l = container_of(t, struct replay_line, task);
	struct replay *rp, *last = NULL;
	unsigned n = 0;

	/* who is served and needs more gets in line again, behind the last */
	for (rp = l->first; rp; rp = rp->next)
		last = rp;
	while (n < REPLAY_ROUND && last && (rp = l->first)) {
		l->first = rp->next;
		if (!l->first)
			l->end = &l->first;
		if (rp == last)
			last = NULL;
		n += replay_serve(rp);
	}
	l->on = l->first != NULL;
	if (l->on) {
		relay_later(l->srv->relay, &l->task);
		return;
	}
	l->srv->replays = NULL;
	free(l);
}

static void
replay_line_up(struct server *srv, struct session *s, const struct channel *c,
    struct cursor *cur)
{
	struct replay_line *l = srv->replays;
	struct replay *rp = replay_new(srv, s, c, cur->pos + 1);

	cur->page = ++s->page & REPLAY_PAGES;
	if (!l) {
		l = srv->replays = xcalloc(1, sizeof *l);
		l->srv = srv;
		l->end = &l->first;
		l->task.fn = replay_on_serve;
	}
	*l->end = rp;
	l->end = &rp->next;
	if (!l->on) {
		l->on = true;
		relay_later(srv->relay, &l->task);
	}
}

/* --- from the log ------------------------------------------------------- */

static void
replay_give(struct session *s, struct channel *c, struct cursor *cur,
    const struct f_page *page, struct str items)
{
	struct item it;

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
}

/* first: the page was read for this one, so it was asked for late enough */
static void
replay_on_answer(struct replay *rp, unsigned code, const struct f_page *page,
    struct str items, bool first)
{
	struct server *srv = rp->srv;
	struct session *s = session_find(srv, rp->cn);
	struct channel *c;
	struct cursor *cur;

	if (!s) {
		free(rp);
		return;
	}
	cur = replay_find(s, chan_str(&rp->name), &c);
	/* joined again elsewhere, or set back by another history */
	if (cur && (cur->waiting || cur->pos + 1 != rp->from))
		cur = NULL;
	if (cur && (code != 200 || !str_eqc(page->ep, channel_ep(c)))) {
		/* no proxy now, or a SUBBED tells of another history soon */
		replay_again(rp);
		return;
	}
	if (cur && (first || page->head >= rp->from))
		replay_give(s, c, cur, page, items);
	if (cur && first && cur->pos + 1 == rp->from && cur->pos < c->last) {
		replay_again(rp); /* not in the log yet */
		return;
	}
	free(rp);
	s->paging = 0;
	replay_next(srv, s);
}

static int
replay_read(struct replay_page *p)
{
	struct channel *c = p->channel;
	struct f_read rd = {.chan = channel_name(c),
	    .from = p->from,
	    .n = REPLAY_ITEMS,
	    .max_bytes = REPLAY_BYTES};

	if (relay_read(c->relay, &rd, &p->read) != OK)
		return ERR_BUSY; /* what there is is as old as it was */
	p->erased = c->erased;
	p->reads++;
	return OK;
}

static void
replay_on_page(struct relay_read *rd, unsigned code, const struct f_page *page,
    struct str items)
{
	struct replay_page *p = container_of(rd, struct replay_page, read);
	struct channel *c = p->channel;
	struct replay *rp = p->waiting, *next;
	bool first = true;

	/*
	 * It may have been read before a recall that was told here meanwhile.
	 * Who would be given it all the same has the recall still before him.
	 */
	if (code == 200 && p->erased != c->erased && p->reads < REPLAY_AGAIN &&
	    replay_read(p) == OK)
		return;
	DL_DELETE(c->busy->pages, p);
	channel_rest(c);
	if (code == 200) {
		recent_fill(
		    relay_server(c->relay)->recent, c, page, items, p->erased);
		if (str_eqc(page->ep, channel_ep(c)))
			channel_heard_first(c, page->first);
	}
	free(p);
	for (; rp; rp = next) {
		next = rp->next;
		replay_on_answer(rp, code, page, items, first);
		first = false;
	}
}

/* a page under way that will have item `from`, in all likelihood */
static struct replay_page *
replay_page_for(const struct channel *c, uint64_t from)
{
	struct replay_page *p = c->busy ? c->busy->pages : NULL;

	/* none from before a recall that he was told is there */
	DL_FOREACH (p, p)
		if (from >= p->from && from - p->from < REPLAY_ITEMS / 2 &&
		    p->erased == c->erased)
			return p;
	return NULL;
}

static void
replay_ask(struct server *srv, struct session *s, struct channel *c,
    struct cursor *cur)
{
	uint64_t from = cur->pos + 1;
	struct replay *rp = replay_new(srv, s, c, from);
	struct replay_page *p = replay_page_for(c, from);

	cur->page = ++s->page & REPLAY_PAGES;
	if (!p) {
		p = xcalloc(1, sizeof *p);
		p->channel = c;
		p->from = from;
		p->waiting_end = &p->waiting;
		p->read.done = replay_on_page;
		if (replay_read(p) != OK) {
			free(p);
			replay_again(rp);
			return;
		}
		srv->stats[S_RECENT_MISSES]++;
		DL_APPEND(channel_busy(c)->pages, p);
	} else {
		srv->stats[S_RECENT_SHARED]++;
	}
	*p->waiting_end = rp;
	p->waiting_end = &rp->next;
}

/* the session's pages since one of its own: numbers come again */
static unsigned
replay_waited(const struct session *s, const struct cursor *cur)
{
	return (s->page - cur->page) & REPLAY_PAGES;
}

void
replay_next(struct server *srv, struct session *s)
{
	struct cursor *best = NULL;
	struct channel *c = NULL;
	struct member *m, *next;

	if (s->user && replay_needs_page(s, &s->user->channel, &s->priv)) {
		best = &s->priv;
		c = &s->user->channel;
	}
	for (m = s->members; m; m = next) {
		next = m->next_of_session;
		if (!replay_needs_page(s, &m->room->channel, &m->cursor) ||
		    (best &&
			replay_waited(s, best) >= replay_waited(s, &m->cursor)))
			continue;
		best = &m->cursor;
		c = &m->room->channel;
	}
	if (!best || s->paging || !session_is_open(s))
		return;
	if (session_queued(s) > QUEUE_LAG / 2)
		replay_look(srv, s);
	else if (recent_at(srv->recent, c, best->pos + 1))
		replay_line_up(srv, s, c, best);
	else
		replay_ask(srv, s, c, best);
}
