/* SPDX-License-Identifier: MIT */
/*
 * Messages to rooms. Connection i sits in room i / members; the first members
 * of a room are its senders. With a closed window a room has `window`
 * messages under way: one is done when every reader of the room has it, and
 * then the next sender's turn comes. With a rate, message k is due at
 * start + k / rate whatever happened to those before, and its latency counts
 * from there. A private pair is a room of two whose messages name the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/err.h"
#include "tests/bench/cchat.h"
#include "tests/bench/engine.h"
#include "tests/bench/report.h"
#include "tests/bench/scene.h"
#include "tests/bench/scene_fan.h"

/* a disk or a machine may stand still for seconds: what has not come for
 * FAN_LOST_US will not */
enum { FAN_STUCK_US = 2000000, FAN_LOST_US = 5000000, FAN_QUIET_US = 300000 };

static void
fan_say(struct fan *f, uint32_t r, uint32_t s, int64_t at_us)
{
	const struct options *o = f->o;
	struct fan_room *room = &f->rooms[r];
	struct fan_sender *from = &f->senders[r * o->senders + s];
	struct bconn *c = &f->e.conns[r * o->members + s];
	struct stamp st = {o->tag, r * o->senders + s, 0, (uint64_t)at_us};
	uint32_t peer = 0;
	size_t n;

	if (!fan_is_here(f, r, s)) {
		f->unsaid++;
		return;
	}
	st.n = ++from->n;
	if (o->pairs)
		peer = cchat_uid(o, r * o->members + (s ^ 1));
	tally_text(f->text, o->size, &st);
	n = o->dialect->message(
	    f->frame, o, r, peer, st.sender, from->n, f->text);
	engine_send(&f->e, c, f->frame, n);
	from->missing[from->n % FAN_RING] = room->live;
	f->sent++;
	f->expected += room->readers;
	room->flying++;
}

static void
fan_pump(struct fan *f, uint32_t r)
{
	struct fan_room *room = &f->rooms[r];
	uint32_t absent = 0;

	while (
	    f->sending && room->flying < f->window && absent < f->o->senders) {
		if (fan_is_here(f, r, room->turn)) {
			fan_say(f, r, room->turn, engine_clock_us());
			absent = 0;
		} else {
			absent++;
		}
		room->turn = (room->turn + 1) % f->o->senders;
	}
}

static void
fan_arrived(struct fan *f, struct bconn *c, const struct stamp *st)
{
	uint32_t first = c->room * f->o->senders;
	struct fan_sender *from;

	if (st->tag != f->o->tag || st->sender < first ||
	    st->sender - first >= f->o->senders) {
		f->tally.foreign++;
		return;
	}
	from = &f->senders[st->sender];
	fan_answered(from, st->n);
	if (tally_arrival(&f->tally, &c->streams[st->sender - first], st->n) ==
	    ARRIVED_AGAIN)
		return;
	if (f->measuring)
		tally_latency(&f->tally, (uint64_t)f->e.now_us - st->at_us);
	fan_has(f, c->room, from, st->n);
	if (f->o->rate == 0)
		fan_pump(f, c->room);
}

static void
fan_on_gone(struct engine *e, struct bconn *c)
{
	struct fan *f = e->user;

	fan_gone(f, c);
	if (f->o->rate == 0)
		fan_pump(f, c->room);
}

static void
fan_on_open(struct engine *e, struct bconn *c)
{
	engine_login(e, c, cchat_uid(e->o, c->index));
}

static void
fan_on_frame(struct engine *e, struct bconn *c, const char *p, size_t n)
{
	struct fan *f = e->user;
	const char *at = p;
	struct stamp st;
	bool any = false;

	f->heard_us = e->now_us;
	while ((at = tally_scan(at, n - (size_t)(at - p), &st)) != NULL) {
		fan_arrived(f, c, &st);
		any = true;
	}
	if (any)
		return;
	switch (f->o->dialect->said(p, n)) {
	case CCHAT_LOGIN:
		engine_ready(e, c);
		break;
	case CCHAT_ERROR:
		fan_refused(f, c, p, n);
		break;
	case CCHAT_GAP:
		f->gaps++;
		break;
	case CCHAT_OK:
		fan_acked(f, c, p, n);
		break;
	case CCHAT_MESSAGE:
	case CCHAT_SYNCED:
	case CCHAT_OTHER:
		f->others++;
		break;
	}
}

static void
fan_init(struct fan *f, const struct options *o)
{
	size_t i, n = (size_t)o->rooms * o->members;
	uint32_t deaf_every = o->stalled ? 1000 / o->stalled : 0;
	struct bconn *c;

	*f = (struct fan){.o = o};
	f->window = o->window * (o->window_each ? o->senders : 1);
	engine_init(&f->e, o, n);
	f->e.user = f;
	f->e.on_open = fan_on_open;
	f->e.on_frame = fan_on_frame;
	f->e.on_gone = fan_on_gone;
	f->rooms = xcalloc(o->rooms, sizeof(*f->rooms));
	f->senders =
	    xcalloc((size_t)o->rooms * o->senders, sizeof(*f->senders));
	for (i = 0; i < (size_t)o->rooms * o->senders; i++)
		f->senders[i].missing =
		    xcalloc(FAN_RING, sizeof(*f->senders[i].missing));
	for (i = 0; i < n; i++) {
		c = &f->e.conns[i];
		c->room = (uint32_t)(i / o->members);
		c->member = (uint32_t)(i % o->members);
		c->streams = xcalloc(o->senders, sizeof(*c->streams));
		c->deaf = deaf_every && c->member >= o->senders &&
			  i % deaf_every == deaf_every - 1;
		f->rooms[c->room].readers += !c->deaf;
	}
	/* level 1 does not hear itself */
	for (i = 0; i < o->rooms; i++) {
		f->rooms[i].readers -= o->level < 2;
		f->rooms[i].live = f->rooms[i].readers;
	}
	f->text = xmalloc(o->size);
	f->frame = xmalloc(o->size + DIALECT_MORE);
}

static void
fan_fini(struct fan *f)
{
	size_t i;

	for (i = 0; i < (size_t)f->o->rooms * f->o->senders; i++) {
		free(f->senders[i].missing);
		free(f->senders[i].refused);
	}
	free(f->senders);
	free(f->rooms);
	free(f->text);
	free(f->frame);
	engine_fini(&f->e);
}

/* everybody in, and nothing heard for a while */
static void
fan_gather(struct fan *f)
{
	int64_t end = engine_clock_us() + 60000000;
	size_t n = f->e.n_conns;

	while (f->e.ready + f->e.gone + f->e.failed < n &&
	       engine_clock_us() < end) {
		engine_open(&f->e, n, f->o->opening);
		engine_turn(&f->e, 10000);
	}
	f->heard_us = engine_clock_us();
	while (engine_clock_us() - f->heard_us < FAN_QUIET_US &&
	       engine_clock_us() < end)
		engine_turn(&f->e, 20000);
	if (f->e.ready < n) {
		fprintf(stderr,
		    "cchat_bench: %zu of %zu are in, %zu refused, %zu gone\n",
		    f->e.ready, n, f->e.failed, f->e.gone);
		exit(1);
	}
}

/* Messages that got lost must not stop a room for ever. */
static void
fan_release(struct fan *f, int64_t now)
{
	uint32_t r, s;
	struct fan_room *room;

	for (r = 0; r < f->o->rooms; r++) {
		room = &f->rooms[r];
		if (room->flying == 0 || now - room->moved_us < FAN_STUCK_US)
			continue;
		for (s = 0; s < f->o->senders; s++)
			memset(f->senders[r * f->o->senders + s].missing, 0,
			    FAN_RING * sizeof(uint32_t));
		f->released += room->flying;
		room->flying = 0;
		room->moved_us = now;
		if (f->o->rate == 0)
			fan_pump(f, r);
	}
}

struct fan_clock {
	int64_t start_us, checked_us;
	uint64_t due; /* messages of the fixed rate so far */
};

static void
fan_run(struct fan *f, struct fan_clock *k, double seconds)
{
	const struct options *o = f->o;
	int64_t now = engine_clock_us(), next;
	int64_t end = now + (int64_t)(seconds * 1e6);

	while ((now = engine_clock_us()) < end) {
		next = now + 50000;
		while (o->rate > 0) {
			next = k->start_us +
			       (int64_t)((double)k->due * 1e6 / o->rate);
			if (next > now)
				break;
			fan_say(f, (uint32_t)(k->due % o->rooms),
			    (uint32_t)(k->due / o->rooms % o->senders), next);
			k->due++;
		}
		if (next > end)
			next = end;
		engine_turn(&f->e, next - now > 50000 ? 50000 : next - now);
		if (now - k->checked_us > FAN_STUCK_US / 4) {
			k->checked_us = now;
			if (o->rate == 0)
				fan_release(f, now);
		}
	}
}

/* until all is here, or nothing comes any more */
static void
fan_drain(struct fan *f)
{
	int64_t end = engine_clock_us() + 60000000;

	f->sending = false;
	f->heard_us = engine_clock_us();
	while (f->tally.arrived < f->expected && engine_clock_us() < end &&
	       engine_clock_us() - f->heard_us < FAN_LOST_US)
		engine_turn(&f->e, 20000);
	/* what comes twice comes after the last of the expected */
	f->heard_us = engine_clock_us();
	while (engine_clock_us() - f->heard_us < FAN_QUIET_US &&
	       engine_clock_us() < end)
		engine_turn(&f->e, 20000);
}

/* beside what the bare send loop did a moment ago */
static void
fan_report_limit(const struct fan *f, double cpu, double msg_cpu, double work)
{
	const struct options *o = f->o;
	char key[64];
	size_t i;

	for (i = 0; i < o->n_joined; i++) {
		snprintf(key, sizeof key, "limit_k%u_per_cpu_s", o->joined[i]);
		report_num(key, f->limit[i], "deliveries");
	}
	if (o->joined[0] != 1 || cpu < 0.1 || work <= 0)
		return;
	report_num("x_limit", work / cpu / f->limit[0], "all servers");
	if (msg_cpu >= 0.1)
		report_num("msg_x_limit", work / msg_cpu / f->limit[0],
		    "msg_servers alone");
}

/* what the servers hold for it all, to be compared with idle's */
static void
fan_report_memory(const struct fan *f, const struct usage *a)
{
	double n = (double)f->e.n_conns;

	if (f->o->n_pids == 0)
		return;
	report_num("rss_per_conn", ((double)a->rss - (double)f->before.rss) / n,
	    "bytes");
	report_num("msg_rss_per_conn",
	    ((double)a->msg_rss - (double)f->before.msg_rss) / n, "bytes");
}

static int
fan_report(struct fan *f, const struct usage *a, const struct usage *b,
    uint64_t measured, uint64_t reads)
{
	const struct options *o = f->o;
	const struct tally *t = &f->tally;
	double s = (double)(b->at_us - a->at_us) / 1e6;
	uint64_t lost = f->expected - t->arrived, excused;

	fan_excuse(f);
	excused = f->cut_off + f->not_owed;
	lost = lost > excused ? lost - excused : 0;
	report_begin(o);
	report_int("rooms", o->rooms, "");
	report_int("members", o->members, "");
	report_int("senders", o->senders, "in each room");
	report_text("dialect", o->dialect->name);
	report_int("level", o->level, "");
	if (o->rate > 0)
		report_num("rate", o->rate, "messages/s asked");
	else
		report_int("window", f->window, "of a room");
	report_num("seconds", s, "measured");
	report_num("deliveries_per_s", (double)measured / s, "");
	report_num("messages_per_s",
	    (double)measured / s / (double)f->rooms[0].readers, "");
	report_cpu(o, a, b, (double)measured, "deliveries");
	if (o->limit)
		fan_report_limit(f, b->cpu - a->cpu, b->msg_cpu - a->msg_cpu,
		    (double)measured);
	report_latency(t);
	fan_report_memory(f, b);
	if (reads > 0)
		report_num(
		    "per_read", (double)measured / (double)reads, "deliveries");
	report_int("sent", f->sent, "messages");
	report_int("expected", f->expected, "deliveries");
	report_int("lost", lost, "");
	report_int("doubled", t->again, "");
	report_int("out_of_order", t->late, "");
	report_int("foreign", t->foreign, "");
	report_int("refused", f->refused, "messages");
	report_int("gaps", f->gaps, "");
	report_int("gone", f->e.gone, "connections");
	report_int("unanswered", f->unanswered, "messages of those");
	report_int("unsaid", f->unsaid, "that were due from them later");
	report_int("cut_off", f->cut_off, "deliveries they missed");
	report_end();
	return lost || t->again || t->late || t->foreign || f->refused ||
		       f->e.gone > 0
		   ? 3
		   : 0;
}

int
scene_fan(const struct options *o)
{
	struct fan *f = xmalloc(sizeof(*f));
	struct fan_clock k = {0};
	struct usage a, b;
	uint64_t before, reads;
	uint32_t r;
	int status;

	fan_init(f, o);
	if (o->limit)
		limit_beside(o, f->limit);
	usage_read(o, &f->before);
	fan_gather(f);
	f->sending = true;
	k.start_us = k.checked_us = engine_clock_us();
	for (r = 0; r < o->rooms && o->rate == 0; r++) {
		f->rooms[r].moved_us = k.start_us;
		fan_pump(f, r);
	}
	fan_run(f, &k, o->warm);
	f->measuring = true;
	before = f->tally.arrived;
	reads = f->e.reads;
	usage_read(o, &a);
	fan_run(f, &k, o->seconds);
	f->measuring = false;
	usage_read(o, &b);
	before = f->tally.arrived - before;
	reads = f->e.reads - reads;
	fan_drain(f);
	status = fan_report(f, &a, &b, before, reads);
	fan_fini(f);
	free(f);
	return status;
}
