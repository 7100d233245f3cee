/* SPDX-License-Identifier: MIT */
/* What a room gathers between two flushes, and who gets what of it; turn.h. */
#include <stdlib.h>

#include "msg_server/follow/replay.h"
#include "msg_server/follow/turn.h"
#include "msg_server/server.h"
#include "shared/net/timer.h"
#include "shared/proc/clock.h"
#include "shared/proto/ws.h"

enum {
	TURN_CLASSES = DIALECT_MAX * 2,
	TURN_SPARE = 256,	    /* kept for reuse */
	TURN_KEEP = 8192,	    /* of an encoding buffer */
	TURN_FRAME_MAX = 512 * 1024 /* one event */
};

/* the frames of one (dialect, level) */
struct turn_class {
	struct buf bytes; /* as others see them, one behind the other */
	struct buf self;  /* as their senders do: of those who are here */
	uint32_t end[TURN_ITEMS], self_end[TURN_ITEMS];
	unsigned frames;    /* in bytes: some say nothing in it */
	struct blob *block; /* all of bytes, once it is being given */
};

struct turn {
	struct turn *prev, *next; /* turns.waiting, or next spare */
	struct room *room;
	uint64_t senders[4]; /* bits of users who may have sent something */
	unsigned n;
	uint32_t bytes;
	struct {
		uint64_t seq, cn;
		const struct user *sender; /* with sessions here, or NULL;
					      compared, never looked into */
	} item[TURN_ITEMS];
	struct turn_class *class[TURN_CLASSES]; /* owned; NULL: not met */
};

/* of a server */
struct turns {
	struct net_turn turn;
	struct timer timer;
	struct server *srv;
	struct turn *waiting, *spare;
	unsigned n_spare;
	const struct dialect *dialect[DIALECT_MAX];
	struct buf text, self; /* an item as others, and as its sender see it */
};

static unsigned
turn_class_of(const struct session *s)
{
	return s->dialect->index * 2u + (s->level > 1);
}

/* one of 256 bits; two users may share one, so it only says "perhaps" */
static unsigned
turn_bit(const struct user *u)
{
	return (unsigned)(((uintptr_t)u >> 4) * 0x9E3779B97F4A7C15ULL >> 56);
}

static bool
turn_may_be_sender(const struct turn *t, const struct user *u)
{
	unsigned bit = turn_bit(u);

	return t->senders[bit / 64] >> bit % 64 & 1;
}

/* --- made and put away -------------------------------------------------- */

static void
turn_free(struct turn *t)
{
	for (unsigned k = 0; k < TURN_CLASSES; k++)
		if (t->class[k]) {
			buf_fini(&t->class[k] -> bytes);
			buf_fini(&t->class[k] -> self);
			free(t->class[k]);
		}
	free(t);
}

static struct turn *
turn_begin(struct turns *ts, struct room *room)
{
	struct turn *t = ts->spare;

	if (t) {
		ts->spare = t->next;
		ts->n_spare--;
	} else {
		t = xcalloc(1, sizeof *t);
	}
	t->room = room;
	DL_APPEND(ts->waiting, t);
	room->turn = t;
	return t;
}

static void
turn_empty(struct buf *b)
{
	if (b->cap > TURN_KEEP)
		buf_fini(b);
	else
		buf_reset(b);
}

/* out of the list; its bytes go, its memory waits for the next room */
static void
turn_put(struct turns *ts, struct turn *t)
{
	for (unsigned k = 0; k < TURN_CLASSES; k++) {
		struct turn_class *c = t->class[k];

		if (!c)
			continue;
		blob_unref(c->block);
		c->block = NULL;
		c->frames = 0;
		turn_empty(&c->bytes);
		turn_empty(&c->self);
	}
	if (ts->n_spare == TURN_SPARE) {
		turn_free(t);
		return;
	}
	t->n = 0;
	t->bytes = 0;
	memset(t->senders, 0, sizeof t->senders);
	t->room = NULL;
	t->next = ts->spare;
	ts->spare = t;
	ts->n_spare++;
}

static struct turn *
turn_take(struct room *room)
{
	struct turn *t = room->turn;

	room->turn = NULL;
	DL_DELETE(relay_server(room->channel.relay)->turns->waiting, t);
	return t;
}

/* --- in ----------------------------------------------------------------- */

static struct turn_class *
turn_class(struct turn *t, unsigned k)
{
	struct turn_class *c = t->class[k];

	if (!c) {
		c = t->class[k] = xcalloc(1, sizeof *c);
		buf_init(&c->bytes, TURN_BYTES + 2 * TURN_FRAME_MAX);
		buf_init(&c->self, TURN_BYTES + 2 * TURN_FRAME_MAX);
	}
	return c;
}

/* text as a frame behind what is in b; false: it says nothing */
static bool
turn_add(struct buf *b, const struct buf *text)
{
	if (buf_len(text) == 0 || !buf_ok(text))
		return false;
	ws_put_header(b, buf_len(text));
	buf_put(b, buf_p(text), buf_len(text));
	return true;
}

static void
turn_put_frame(struct turns *ts, struct turn *t, unsigned i, unsigned k,
    const struct event *ev)
{
	struct turn_class *c = turn_class(t, k);

	/* met in the middle of a turn: nobody of it needs what was before */
	if (i > 0 && buf_len(&c->bytes) == 0) {
		memset(c->end, 0, i * sizeof c->end[0]);
		memset(c->self_end, 0, i * sizeof c->self_end[0]);
	}
	/* somebody who left had the turn as it was then */
	blob_unref(c->block);
	c->block = NULL;
	buf_reset(&ts->text);
	ts->dialect[k / 2]->encode(ev, k % 2 + 1, VIEW_OTHER, &ts->text);
	c->frames += turn_add(&c->bytes, &ts->text);
	c->end[i] = (uint32_t)buf_len(&c->bytes);
	c->self_end[i] = (uint32_t)buf_len(&c->self);
	if (t->bytes < c->end[i])
		t->bytes = c->end[i];
}

/* as the sockets of its sender see it; ts->text is how others do */
static void
turn_put_self(struct turns *ts, struct turn *t, unsigned i, unsigned k,
    const struct event *ev)
{
	const struct dialect *d = ts->dialect[k / 2];
	struct turn_class *c = t->class[k];

	buf_reset(&ts->self);
	if (d->own)
		d->own(ev, k % 2 + 1, buf_str(&ts->text), &ts->self);
	else
		d->encode(ev, k % 2 + 1, VIEW_SELF, &ts->self);
	turn_add(&c->self, &ts->self);
	c->self_end[i] = (uint32_t)buf_len(&c->self);
}

/* the classes of the sockets of a user */
static unsigned
turn_classes_of(const struct user *u)
{
	unsigned classes = 0;

	for (const struct session *s = u->sessions; s; s = s->next_of_user)
		if (s->dialect)
			classes |= 1u << turn_class_of(s);
	return classes;
}

void
turn_item(struct room *room, const struct item *it)
{
	struct server *srv = relay_server(room->channel.relay);
	struct turns *ts = srv->turns;
	struct turn *t = room->turn ? room->turn : turn_begin(ts, room);
	struct user *sender =
	    str_is_set(it->uid) ? user_find(srv, it->uid) : NULL;
	unsigned i = t->n++, self = 0;
	struct event ev;
	enum view view;

	if (sender && !sender->sessions)
		sender = NULL;
	t->item[i].seq = it->seq;
	t->item[i].cn = it->cn;
	t->item[i].sender = sender;
	replay_event(&ev, &room->channel, it, room->members[0]->session, &view);
	if (sender) {
		unsigned bit = turn_bit(sender);

		t->senders[bit / 64] |= (uint64_t)1 << bit % 64;
		self = turn_classes_of(sender);
	}
	for (unsigned k = 0; k < TURN_CLASSES; k++) {
		if (!(room->classes >> k & 1))
			continue;
		turn_put_frame(ts, t, i, k, &ev);
		if (self >> k & 1)
			turn_put_self(ts, t, i, k, &ev);
	}
	if (t->n == TURN_ITEMS || t->bytes > TURN_BYTES)
		turn_give(room);
	else if (ts->timer.net && !timer_is_set(&ts->timer))
		/* it may come from a hook behind ours, which stops it */
		timer_set(&ts->timer, 0, 0);
}

/* --- out ---------------------------------------------------------------- */

static struct str
turn_cut(const struct buf *b, const uint32_t end[], unsigned i)
{
	uint32_t at = i > 0 ? end[i - 1] : 0;

	return str_n(buf_p(b) + at, end[i] - at);
}

/* item i as this very session sees it, or nothing */
static struct str
turn_part(const struct turn *t, const struct turn_class *c, unsigned i,
    const struct session *s)
{
	if (!t->item[i].sender || t->item[i].sender != s->user)
		return turn_cut(&c->bytes, c->end, i);
	/* version 1 is not echoed, per socket (replay.h) */
	if (t->item[i].cn == s->cn && session_is_silent_to_itself(s))
		return STR_NONE;
	return turn_cut(&c->self, c->self_end, i);
}

/* what is after `pos`, as this very session sees it */
static void
turn_send_own(const struct turn *t, struct session *s, uint64_t pos)
{
	const struct turn_class *c = t->class[turn_class_of(s)];
	struct str part[TURN_ITEMS];
	unsigned n = 0;
	size_t len = 0;
	struct blob *b;

	for (unsigned i = 0; i < t->n; i++) {
		if (t->item[i].seq <= pos)
			continue;
		part[n] = turn_part(t, c, i, s);
		len += part[n].len;
		n += part[n].len > 0;
	}
	if (n == 0)
		return;
	b = blob_alloc(len);
	len = 0;
	for (unsigned i = 0; i < n; i++) {
		memcpy(b->bytes + len, part[i].p, part[i].len);
		len += part[i].len;
	}
	session_send_block(s, b, n);
	blob_unref(b);
}

static void
turn_give_to(
    struct server *srv, struct turn *t, struct member *m, uint64_t last)
{
	struct session *s = m->session;
	uint64_t pos = m->cursor.pos;
	struct turn_class *c;

	if (!replay_takes(srv, s, &m->cursor, last))
		return;
	if (pos >= t->item[0].seq || turn_may_be_sender(t, s->user)) {
		turn_send_own(t, s, pos);
		return;
	}
	c = t->class[turn_class_of(s)];
	if (!c->block)
		c->block = blob_new(buf_p(&c->bytes), buf_len(&c->bytes));
	if (c->block->len > 0)
		session_send_block(s, c->block, c->frames);
}

/* until when it rests: its writes, which begin now, and as long again */
static void
turn_rest(struct server *srv, struct room *room)
{
	uint64_t cost = room->n_members * (uint64_t)srv->net->write_ns / 1000;
	uint64_t most = (uint64_t)srv->set.gather_us;
	uint64_t rest = cost < most ? cost : most;

	room->rest_us = clock_mono_us() +
			(rest < TURN_REST_MIN_US ? 0 : (int64_t)(cost + rest));
}

/*
 * Until when a turn is not given. Fewer than came together of late, right
 * after those: the others are on their way, and go out with them.
 */
static int64_t
turn_due(const struct server *srv, const struct turn *t)
{
	const struct room *room = t->room;

	if (t->n >= room->together)
		return room->rest_us;
	return room->rest_us + srv->set.gather_us;
}

/* how many to wait for next time: as many, or less if some did not come */
static void
turn_learn(struct room *room, unsigned n)
{
	if (n >= room->together)
		room->together = (uint8_t)n;
	else
		room->together = (uint8_t)((room->together + n) / 2);
}

void
turn_give(struct room *room)
{
	struct server *srv = relay_server(room->channel.relay);
	struct turn *t;

	if (!room->turn)
		return;
	t = turn_take(room);
	srv->stats[S_TURNS]++;
	/* downwards: a send may end a session, which shrinks the array later */
	for (uint32_t i = room->n_members; i-- > 0;)
		turn_give_to(srv, t, room->members[i], t->item[t->n - 1].seq);
	turn_learn(room, t->n);
	turn_put(srv->turns, t);
	turn_rest(srv, room);
}

void
turn_give_one(struct room *room, struct member *m)
{
	struct turn *t = room->turn;

	if (t && session_is_open(m->session))
		turn_give_to(relay_server(room->channel.relay), t, m,
		    t->item[t->n - 1].seq);
}

static void
turn_on_turn(struct net_turn *turn)
{
	struct turns *ts = container_of(turn, struct turns, turn);
	int64_t now, due, soon = INT64_MAX;
	struct turn *t, *next;

	timer_stop(&ts->timer);
	if (!ts->waiting)
		return;
	now = clock_mono_us();
	DL_FOREACH_SAFE (ts->waiting, t, next) {
		due = turn_due(ts->srv, t);
		if (due <= now)
			turn_give(t->room);
		else if (due < soon)
			soon = due;
	}
	if (soon == INT64_MAX)
		return;
	ts->srv->stats[S_TURNS_HELD]++;
	if (ts->timer.net)
		timer_set(&ts->timer, (soon - now + 999) / 1000, 0);
}

/* --- life --------------------------------------------------------------- */

static void
turn_on_timer(void *arg)
{
	(void)arg; /* the turn that follows does the work */
}

void
turn_enter(struct room *room, const struct session *s)
{
	struct server *srv = relay_server(room->channel.relay);
	struct turns *ts = srv->turns;

	if (!ts) {
		ts = srv->turns = xcalloc(1, sizeof *ts);
		ts->srv = srv;
		ts->turn.on_turn = turn_on_turn;
		net_turn_add(srv->net, &ts->turn);
		if (srv->net->loop)
			timer_init(&ts->timer, srv->net, turn_on_timer, ts);
		buf_init(&ts->text, TURN_FRAME_MAX);
		buf_init(&ts->self, TURN_FRAME_MAX);
	}
	ts->dialect[s->dialect->index] = s->dialect;
	room->classes |= (uint16_t)(1u << turn_class_of(s));
}

void
turn_drop(struct room *room)
{
	if (room->turn)
		turn_put(
		    relay_server(room->channel.relay)->turns, turn_take(room));
}

void
turn_end(struct server *srv)
{
	struct turns *ts = srv->turns;
	struct turn *t;

	if (!ts)
		return;
	srv->turns = NULL;
	while ((t = ts->spare)) {
		ts->spare = t->next;
		turn_free(t);
	}
	timer_stop(&ts->timer);
	net_turn_remove(srv->net, &ts->turn);
	buf_fini(&ts->text);
	buf_fini(&ts->self);
	free(ts);
}
