/* SPDX-License-Identifier: MIT */
/* People who speak on and people who come back; see crowd.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/err.h"
#include "tests/bench/cchat.h"
#include "tests/bench/crowd.h"
#include "tests/bench/report.h"

enum { CROWD_QUIET_US = 500000, CROWD_GATHER_US = 100000000 };

static void
crowd_on_open(struct engine *e, struct bconn *c)
{
	struct crowd *w = e->user;
	struct crowd_one *p = &w->ones[c->index];
	uint32_t uid = cchat_uid(e->o, c->index);
	char frame[DIALECT_LOGIN_MAX];
	size_t n;

	if (p->known)
		n = cchat_resume(
		    frame, e->o, uid, c->room, w->ep, p->stream.next - 1);
	else
		n = cchat_login(frame, e->o, uid, c->room);
	engine_send(e, c, frame, n);
}

static void
crowd_on_login(struct crowd *w, struct bconn *c, const char *p, size_t n)
{
	struct crowd_one *one = &w->ones[c->index];
	struct cchat_pos pos;

	if (!cchat_pos(p, n, w->o, c->room, &pos)) {
		fprintf(stderr, "cchat_bench: no position in %.*s\n",
		    (int)(n > 300 ? 300 : n), p);
		exit(1);
	}
	if (w->ep[0] == '\0')
		strcpy(w->ep, pos.ep);
	if (!one->known) {
		one->known = true;
		one->first = pos.head;
		one->stream.next = (uint32_t)pos.head + 1;
		if (w->heads[c->room] < pos.head)
			w->heads[c->room] = pos.head;
	} else if (!pos.full || strcmp(pos.ep, w->ep) != 0) {
		w->cut_short++;
	}
	engine_ready(&w->e, c);
}

static void
crowd_on_message(struct crowd *w, struct bconn *c, const char *p, size_t n)
{
	struct crowd_one *one = &w->ones[c->index];
	uint64_t seq = cchat_seq(p, n);
	struct stamp st;

	if (seq == 0)
		return;
	if (seq > w->heads[c->room])
		w->heads[c->room] = seq;
	if (tally_arrival(&w->books, &one->stream, (uint32_t)seq) ==
		ARRIVED_AGAIN ||
	    !one->watched)
		return;
	if (tally_scan(p, n, &st) == NULL || st.tag != w->o->tag)
		w->books.foreign++;
	else
		tally_latency(
		    &w->latency[w->phase], (uint64_t)w->e.now_us - st.at_us);
}

static void
crowd_on_frame(struct engine *e, struct bconn *c, const char *p, size_t n)
{
	struct crowd *w = e->user;
	struct crowd_one *one = &w->ones[c->index];

	switch (cchat_said(p, n)) {
	case CCHAT_MESSAGE:
		w->heard_us = e->now_us;
		crowd_on_message(w, c, p, n);
		break;
	case CCHAT_LOGIN:
		crowd_on_login(w, c, p, n);
		break;
	case CCHAT_SYNCED:
		if (!one->synced) {
			one->synced = true;
			w->synced++;
		}
		if (w->on_synced != NULL)
			w->on_synced(w, c, one);
		break;
	case CCHAT_ERROR:
		if (w->errors++ < 3)
			fprintf(stderr, "cchat_bench: the server says %.*s\n",
			    (int)(n > 300 ? 300 : n), p);
		break;
	case CCHAT_GAP:
		w->gaps++;
		break;
	case CCHAT_OK:
	case CCHAT_OTHER:
		break;
	}
}

static void crowd_on_glance(struct engine *e);

void
crowd_init(struct crowd *w, const struct options *o, uint32_t members,
    uint32_t senders)
{
	size_t i, n = (size_t)o->rooms * members;

	if (o->level < 2) {
		fprintf(stderr, "cchat_bench: %s needs level 2\n", o->mode);
		exit(2);
	}
	*w = (struct crowd){.o = o, .members = members, .senders = senders};
	engine_init(&w->e, o, n);
	w->e.user = w;
	w->e.on_open = crowd_on_open;
	w->e.on_frame = crowd_on_frame;
	w->e.on_glance = crowd_on_glance;
	w->ones = xcalloc(n, sizeof *w->ones);
	w->heads = xcalloc(o->rooms, sizeof *w->heads);
	w->text = xmalloc(o->size);
	w->frame = xmalloc(o->size + 256);
	/* room by room comes in member by member, so who speaks is in first */
	for (i = 0; i < n; i++) {
		w->e.conns[i].room = (uint32_t)(i % o->rooms);
		w->e.conns[i].member = (uint32_t)(i / o->rooms);
	}
}

void
crowd_fini(struct crowd *w)
{
	engine_fini(&w->e);
	free(w->ones);
	free(w->heads);
	free(w->text);
	free(w->frame);
}

void
crowd_gather(struct crowd *w)
{
	int64_t end = engine_clock_us() + CROWD_GATHER_US;
	size_t n = w->e.n_conns;

	while (w->synced + w->e.gone + w->e.failed < n &&
	       engine_clock_us() < end) {
		engine_open(&w->e, n, w->o->opening);
		engine_turn(&w->e, 10000);
	}
	if (w->synced < n) {
		fprintf(
		    stderr, "cchat_bench: %zu of %zu are in\n", w->synced, n);
		exit(1);
	}
	w->start_us = engine_clock_us();
}

static void
crowd_say(struct crowd *w, uint32_t room, uint32_t s, int64_t at_us)
{
	struct bconn *c = &w->e.conns[s * w->o->rooms + room];
	struct stamp st = {w->o->tag, room * w->senders + s,
	    (uint32_t)++w->sent, (uint64_t)at_us};
	size_t n;

	tally_text(w->text, w->o->size, &st);
	n = cchat_message(w->frame, w->o, room, 0, st.sender, st.n, w->text);
	engine_send(&w->e, c, w->frame, n);
}

/* says what is due by the clock; when the next one is */
static int64_t
crowd_say_due(struct crowd *w, int64_t now)
{
	const struct options *o = w->o;
	int64_t next;

	for (;;) {
		next = w->start_us + (int64_t)((double)w->due * 1e6 / o->rate);
		if (next > now)
			return next;
		crowd_say(w, (uint32_t)(w->due % o->rooms),
		    (uint32_t)(w->due / o->rooms % w->senders), next);
		w->due++;
	}
}

static void
crowd_on_glance(struct engine *e)
{
	struct crowd *w = e->user;

	if (w->talking)
		crowd_say_due(w, e->glanced_us);
}

void
crowd_run(struct crowd *w, double seconds, bool (*done)(struct crowd *w))
{
	int64_t now, next, end = engine_clock_us() + (int64_t)(seconds * 1e6);

	w->talking = true;
	while ((now = engine_clock_us()) < end) {
		next = crowd_say_due(w, now);
		if (done != NULL && done(w))
			break;
		if (next > end)
			next = end;
		engine_turn(&w->e, next - now > 5000 ? 5000 : next - now);
	}
	w->talking = false;
}

void
crowd_drain(struct crowd *w)
{
	int64_t end = engine_clock_us() + 20000000;

	w->heard_us = engine_clock_us();
	while (engine_clock_us() - w->heard_us < CROWD_QUIET_US &&
	       engine_clock_us() < end)
		engine_turn(&w->e, 20000);
}

void
crowd_sum(const struct crowd *w, struct crowd_sums *s)
{
	uint64_t arrived = w->books.arrived, head, seen;
	size_t i;

	*s = (struct crowd_sums){0};
	for (i = 0; i < w->e.n_conns; i++) {
		head = w->heads[w->e.conns[i].room];
		seen = w->ones[i].stream.next - 1;
		if (!w->ones[i].known)
			continue;
		/* who is gone at the end is not owed what came after his last
		 */
		if (w->e.conns[i].state == CONN_GONE && seen < head) {
			s->cut_off += head - seen;
			head = seen;
		}
		s->expected += head - w->ones[i].first;
	}
	s->lost = s->expected > arrived ? s->expected - arrived : 0;
}

int
crowd_report(struct crowd *w)
{
	const struct tally *t = &w->books;
	struct crowd_sums s;

	crowd_sum(w, &s);
	report_latency_of("before_", &w->latency[CROWD_BEFORE]);
	report_latency_of("during_", &w->latency[CROWD_DURING]);
	report_latency_of("after_", &w->latency[CROWD_AFTER]);
	report_int("sent", w->sent, "messages");
	report_int("expected", s.expected, "deliveries");
	report_int("lost", s.lost, "");
	report_int("doubled", t->again, "");
	report_int("out_of_order", t->late, "");
	report_int("foreign", t->foreign, "");
	report_int("cut_off", s.cut_off, "deliveries of those who are gone");
	report_int("gaps", w->gaps, "");
	report_int("cut_short", w->cut_short, "answers without all of it");
	report_int("errors", w->errors, "");
	return s.lost || t->again || t->late || t->foreign || w->gaps ||
		       w->cut_short || w->errors
		   ? 3
		   : 0;
}
