/* SPDX-License-Identifier: MIT */
/*
 * One process of an idle run: its part of the connections, room by room, so
 * what is said in a room is heard in one process. A private message goes to
 * somebody half the run away, who is in another process and, as rooms go
 * round the servers, on another server.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "shared/base/digest.h"
#include "shared/base/err.h"
#include "tests/bench/cchat.h"
#include "tests/bench/engine.h"
#include "tests/bench/hold.h"

/* in the place of a room's number of a message */
#define HOLD_PRIVATE UINT32_MAX

enum { HOLD_FLYING = 32, HOLD_AGAIN_US = 1000000, HOLD_STUCK_US = 5000000 };

struct worker {
	const struct options *o;
	struct hold_share *share;
	struct hold_part *p;
	struct engine e;
	uint32_t *nth;	    /* of a room: its messages so far */
	uint32_t *acked;    /* ... and the highest that was */
	struct stream *got; /* of a connection */
	bool *reached;
	uint64_t due; /* of this phase */
	uint64_t asked, answered, answered_then;
	int64_t answered_us;
	uint32_t *again; /* who was told to try again */
	uint32_t n_again, cap_again;
	int64_t again_us;
	int64_t since_us;
	enum hold_phase phase;
	char *text, *frame;
};

static uint32_t
worker_total(const struct options *o)
{
	return o->rooms * o->members;
}

static void
worker_on_open(struct engine *e, struct bconn *c)
{
	engine_login(e, c, cchat_uid(e->o, e->first + c->index));
}

static void
worker_on_text(struct worker *w, struct bconn *c, const struct stamp *st)
{
	struct hold_part *p = w->p;
	uint64_t us = (uint64_t)w->e.now_us - st->at_us;

	if (st->tag != w->o->tag) {
		p->talk.foreign++;
	} else if (st->n != HOLD_PRIVATE) {
		if (st->sender != c->room)
			p->talk.foreign++;
		else if (tally_arrival(&p->talk, &w->got[c->index], st->n) !=
			 ARRIVED_AGAIN)
			tally_latency(&p->talk, us);
	} else if (st->sender == w->e.first + c->index) {
		/* the copy that a sender gets of his own */
		w->answered++;
	} else {
		if (w->reached[c->index])
			p->reach.again++;
		else
			tally_latency(&p->reach, us);
		p->reached += !w->reached[c->index];
		w->reached[c->index] = true;
	}
}

/* "busy, try again": he does, when the others have had their turn */
static bool
worker_is_busy(struct worker *w, const struct bconn *c, const char *p, size_t n)
{
	if (w->phase != HOLD_REACH ||
	    memmem(p, n, "\"errCode\":503", 13) == NULL)
		return false;
	w->answered++;
	w->p->busy++;
	if (w->n_again == w->cap_again) {
		w->cap_again = w->cap_again * 2 + 64;
		w->again = xrealloc(w->again, w->cap_again * sizeof(*w->again));
	}
	w->again[w->n_again++] = c->index;
	w->again_us = w->e.now_us + HOLD_AGAIN_US;
	return true;
}

static void
worker_on_ok(struct worker *w, const struct bconn *c, const char *p, size_t n)
{
	uint32_t sender, num, room = c->index / w->o->members;

	if (cchat_answers(p, n, w->o, &sender, &num) && num != HOLD_PRIVATE &&
	    sender == w->e.first + c->index && num > w->acked[room])
		w->acked[room] = num;
}

static void
worker_on_frame(struct engine *e, struct bconn *c, const char *p, size_t n)
{
	struct worker *w = e->user;
	struct stamp st;
	const char *at = p;
	bool any = false;

	w->p->heard_us = e->now_us;
	while ((at = tally_scan(at, n - (size_t)(at - p), &st)) != NULL) {
		worker_on_text(w, c, &st);
		any = true;
	}
	if (any)
		return;
	switch (e->o->dialect->said(p, n)) {
	case CCHAT_LOGIN:
		tally_latency(
		    &w->p->login, (uint64_t)(e->now_us - c->opened_us));
		engine_ready(e, c);
		break;
	case CCHAT_ERROR:
		if (worker_is_busy(w, c, p, n))
			break;
		if (w->p->errors++ < 3)
			fprintf(stderr, "cchat_bench: the server says %.*s\n",
			    (int)(n > 300 ? 300 : n), p);
		break;
	case CCHAT_OK:
		worker_on_ok(w, c, p, n);
		w->p->told++;
		break;
	default:
		w->p->told++;
	}
}

static uint32_t
worker_highest(const struct worker *w, uint32_t index)
{
	return w->got[index].next > 0 ? w->got[index].next - 1 : 0;
}

/* he is not owed what came after his last */
static void
worker_on_gone(struct engine *e, struct bconn *c)
{
	struct worker *w = e->user;
	uint32_t said = w->nth[c->index / w->o->members];
	uint32_t has = worker_highest(w, c->index);

	/* level 1 does not hear itself */
	if (said <= has || (w->o->level < 2 && c->member == 0))
		return;
	w->p->cut_off += said - has;
	w->p->expected -= said - has;
}

/* nor is anybody what a speaker who is gone was never answered, if none has it
 */
static void
worker_excuse(struct worker *w)
{
	uint32_t r, k, known, first, m = w->o->members;

	for (r = 0; r < w->p->n / m; r++) {
		first = r * m;
		if (w->e.conns[first].state != CONN_GONE)
			continue;
		known = w->acked[r];
		for (k = first; k < first + m; k++)
			if (worker_highest(w, k) > known)
				known = worker_highest(w, k);
		w->p->unanswered += w->nth[r] - known;
		for (k = first; k < first + m; k++)
			if (w->e.conns[k].state == CONN_READY)
				w->p->expected -= w->nth[r] - known;
	}
}

static void
worker_say(
    struct worker *w, struct bconn *c, uint32_t peer, const struct stamp *st)
{
	size_t n;

	tally_text(w->text, w->o->size, st);
	n = w->o->dialect->message(w->frame, w->o, c->room,
	    peer == UINT32_MAX ? 0 : cchat_uid(w->o, peer),
	    w->e.first + c->index, st->n, w->text);
	engine_send(&w->e, c, w->frame, n);
}

/*
 * The first of a room drawn by lot: of two who speak at once nobody can say
 * whose word comes first.
 */
static void
worker_talk(struct worker *w, int64_t due_us)
{
	uint32_t room = (uint32_t)digest_random_below(w->p->n / w->o->members);
	uint32_t first = room * w->o->members, k, ready = 0;
	struct bconn *c = &w->e.conns[first];

	if (c->state != CONN_READY)
		return;
	for (k = first; k < first + w->o->members && k < w->p->n; k++)
		ready += w->e.conns[k].state == CONN_READY;
	w->p->said++;
	/* level 1 does not hear itself */
	w->p->expected += ready - (w->o->level < 2);
	worker_say(w, c, UINT32_MAX,
	    &(struct stamp){
		w->o->tag, c->room, ++w->nth[room], (uint64_t)due_us});
}

static void
worker_reach(struct worker *w, uint32_t i, int64_t due_us)
{
	uint32_t total = worker_total(w->o);
	struct bconn *c = &w->e.conns[i];
	uint32_t g = w->e.first + c->index, peer = (g + total / 2) % total;

	if (c->state != CONN_READY)
		return;
	w->asked++;
	worker_say(w, c, peer,
	    &(struct stamp){w->o->tag, g, HOLD_PRIVATE, (uint64_t)due_us});
}

/*
 * One to each, as fast as `reach` says, but a server that is behind is waited
 * for: it has a bound for what it may be told, and so has each of us.
 */
static int64_t
worker_reach_due(struct worker *w, int64_t now)
{
	double rate = w->o->reach * w->p->n / worker_total(w->o);
	int64_t next;

	if (w->answered != w->answered_then) {
		w->answered_then = w->answered;
		w->answered_us = now;
	} else if (now - w->answered_us > HOLD_STUCK_US) {
		/* these are lost; the others are not to wait for them */
		w->asked = w->answered;
		w->answered_us = now;
	}
	while (w->asked < w->answered + HOLD_FLYING) {
		if (w->n_again > 0 && now >= w->again_us) {
			worker_reach(w, w->again[--w->n_again], now);
			continue;
		}
		if (w->due >= w->p->n) {
			if (w->n_again == 0)
				atomic_store(&w->p->sent, true);
			return 20000;
		}
		next = w->since_us + (int64_t)((double)w->due * 1e6 / rate);
		if (next > now)
			return next - now < 20000 ? next - now : 20000;
		w->p->reach_sent++;
		worker_reach(w, (uint32_t)w->due++, now);
	}
	return 5000;
}

/* says what is due; us until the next is */
static int64_t
worker_talk_due(struct worker *w, int64_t now)
{
	double rate = w->o->rate * w->p->n / worker_total(w->o);
	int64_t next;

	for (;;) {
		next = w->since_us + (int64_t)((double)w->due * 1e6 / rate);
		if (next > now)
			return next - now < 20000 ? next - now : 20000;
		worker_talk(w, next);
		w->due++;
	}
}

static int64_t
worker_due(struct worker *w, int64_t now)
{
	if (w->phase == HOLD_TALK && w->o->rate > 0)
		return worker_talk_due(w, now);
	if (w->phase == HOLD_REACH && w->o->reach > 0)
		return worker_reach_due(w, now);
	return 20000;
}

static void
worker_init(struct worker *w)
{
	const struct options *o = w->o;
	struct engine *e = &w->e;
	uint32_t i, g, n = w->p->n;

	engine_init(e, o, n);
	e->user = w;
	e->first = w->p->first;
	e->thrifty = true;
	e->on_open = worker_on_open;
	e->on_frame = worker_on_frame;
	e->on_gone = worker_on_gone;
	w->nth = xcalloc(n / o->members + 1, sizeof(*w->nth));
	w->acked = xcalloc(n / o->members + 1, sizeof(*w->acked));
	w->got = xcalloc(n, sizeof(*w->got));
	w->reached = xcalloc(n, sizeof(*w->reached));
	w->text = xmalloc(o->size);
	w->frame = xmalloc(o->size + DIALECT_MORE);
	for (i = 0; i < n; i++) {
		g = w->p->first + i;
		e->conns[i].room = g / o->members;
		e->conns[i].member = g % o->members;
		e->conns[i].target =
		    (uint32_t)((o->together ? g / o->members : g) %
			       o->n_targets);
	}
}

static void
worker_book(struct worker *w)
{
	struct hold_part *p = w->p;
	struct rusage ru;

	p->ready = w->e.ready;
	p->gone = w->e.gone;
	p->failed = w->e.failed;
	if (!atomic_load(&p->in) && p->ready + p->gone + p->failed >= p->n) {
		p->in_us = p->heard_us = engine_clock_us();
		atomic_store(&p->in, true);
	}
	getrusage(RUSAGE_SELF, &ru);
	p->cpu = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
		 (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

void
hold_worker(const struct options *o, struct hold_share *s, struct hold_part *p)
{
	struct worker w = {.o = o, .share = s, .p = p};
	enum hold_phase phase;
	int64_t wait;

	worker_init(&w);
	while ((phase = (enum hold_phase)atomic_load(&s->phase)) != HOLD_END) {
		if (phase != w.phase) {
			w.phase = phase;
			w.due = 0;
			w.since_us = engine_clock_us();
		}
		if (phase == HOLD_OPEN)
			engine_open(&w.e, p->n, o->opening);
		wait = worker_due(&w, engine_clock_us());
		engine_turn(&w.e, wait);
		worker_book(&w);
	}
	worker_excuse(&w);
	p->failed += p->n - w.e.opened;
	atomic_store(&p->done, true);
	engine_fini(&w.e);
}
