/* SPDX-License-Identifier: MIT */
/* Who is owed what when connections end or messages are refused; scene_fan.h.
 */
#include <stdio.h>

#include "shared/base/err.h"
#include "tests/bench/cchat.h"
#include "tests/bench/scene_fan.h"

bool
fan_is_here(const struct fan *f, uint32_t r, uint32_t s)
{
	return f->e.conns[r * f->o->members + s].state == CONN_READY;
}

void
fan_has(struct fan *f, uint32_t r, struct fan_sender *from, uint32_t n)
{
	struct fan_room *room = &f->rooms[r];
	uint32_t *missing = &from->missing[n % FAN_RING];

	if (from->n - n >= FAN_RING || *missing == 0 || --*missing > 0)
		return;
	room->flying--;
	room->moved_us = f->e.now_us;
}

void
fan_answered(struct fan_sender *from, uint32_t n)
{
	if (n > from->answered && n <= from->n)
		from->answered = n;
}

/* of a sender, as one reader has heard him */
static uint32_t
fan_highest(const struct bconn *c, uint32_t s)
{
	return c->streams[s].next > 0 ? c->streams[s].next - 1 : 0;
}

/* level 1 does not hear itself */
static bool
fan_reads(const struct fan *f, const struct bconn *c, uint32_t s)
{
	return !c->deaf && (f->o->level > 1 || c->member != s);
}

void
fan_gone(struct fan *f, struct bconn *c)
{
	struct fan_room *room = &f->rooms[c->room];
	struct fan_sender *own = &f->senders[c->room * f->o->senders];
	uint32_t s, n;

	for (s = 0; s < f->o->senders; s++)
		for (n = fan_highest(c, s) + 1;
		     fan_reads(f, c, s) && n <= own[s].n; n++)
			fan_has(f, c->room, &own[s], n);
	room->live -= !c->deaf && room->live > 0;
	if (c->member < f->o->senders) {
		own += c->member;
		for (n = own->answered + 1; n <= own->n; n++) {
			if (own->n - n >= FAN_RING)
				continue;
			room->flying -= own->missing[n % FAN_RING] > 0;
			own->missing[n % FAN_RING] = 0;
		}
	}
}

void
fan_refused(struct fan *f, const struct bconn *c, const char *p, size_t n)
{
	static unsigned shown;
	struct fan_sender *from;
	uint32_t sender, num;

	if (shown++ < 3)
		fprintf(stderr, "cchat_bench: the server says %.*s\n",
		    (int)(n > 300 ? 300 : n), p);
	if (c->state != CONN_READY)
		return;
	f->refused++;
	if (!cchat_answers(p, n, f->o, &sender, &num) ||
	    sender != c->room * f->o->senders + c->member) {
		f->refused_some++;
		return;
	}
	from = &f->senders[sender];
	if ((from->n_refused & (from->n_refused - 1)) == 0)
		from->refused = xrealloc(from->refused,
		    (from->n_refused * 2 + 1) * sizeof(*from->refused));
	from->refused[from->n_refused++] = num;
}

void
fan_acked(struct fan *f, const struct bconn *c, const char *p, size_t n)
{
	uint32_t sender, num;

	f->oks++;
	if (cchat_answers(p, n, f->o, &sender, &num) &&
	    sender == c->room * f->o->senders + c->member)
		fan_answered(&f->senders[sender], num);
}

/* what a reader does not have of a sender, and is not owed */
static void
fan_excuse_reader(struct fan *f, const struct bconn *c,
    const struct fan_sender *from, uint32_t s, uint32_t owed)
{
	bool gone = c->state != CONN_READY;
	uint32_t i, high = gone ? fan_highest(c, s) : owed;

	if (owed > high)
		f->cut_off += owed - high;
	for (i = 0; i < from->n_refused; i++)
		f->not_owed += from->refused[i] <= high;
}

/* those that nobody is owed, without the refused */
static uint64_t
fan_unanswered(const struct fan_sender *from, uint32_t owed)
{
	uint32_t i, n = from->n - owed;

	for (i = 0; i < from->n_refused; i++)
		n -= from->refused[i] > owed && n > 0;
	return n;
}

void
fan_excuse(struct fan *f)
{
	uint32_t r, s, m, owed;
	const struct fan_sender *from;
	const struct bconn *c;

	for (r = 0; r < f->o->rooms; r++)
		for (s = 0; s < f->o->senders; s++) {
			from = &f->senders[r * f->o->senders + s];
			owed = fan_is_here(f, r, s) ? from->n : from->answered;
			f->unanswered += fan_unanswered(from, owed);
			f->not_owed +=
			    (uint64_t)(from->n - owed) * f->rooms[r].readers;
			for (m = 0; m < f->o->members; m++) {
				c = &f->e.conns[r * f->o->members + m];
				if (fan_reads(f, c, s))
					fan_excuse_reader(f, c, from, s, owed);
			}
		}
	f->not_owed += f->refused_some * f->rooms[0].readers;
}
