/* SPDX-License-Identifier: MIT */
/*
 * Exact timers for few objects, a wheel of one-second slots for many. The
 * wheel counts turns of its own tick, not the clock: a process that was
 * stopped for a minute does not find all its sessions overdue.
 */
#include <string.h>

#include "shared/net/timer.h"

static void
timer_on_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct timer *t = container_of(w, struct timer, w);

	(void)loop;
	(void)revents;
	if (!ev_is_active(w))
		t->net->timers--;
	t->fn(t->arg);
}

void
timer_init(struct timer *t, struct net *net, void (*fn)(void *), void *arg)
{
	memset(t, 0, sizeof(*t));
	t->net = net;
	t->fn = fn;
	t->arg = arg;
	ev_timer_init(&t->w, timer_on_due, 0., 0.);
}

void
timer_set(struct timer *t, int64_t ms, int64_t repeat_ms)
{
	if (!ev_is_active(&t->w))
		t->net->timers++;
	ev_timer_stop(t->net->loop, &t->w);
	/* the loop's cached time may be old: a timer must not fire early */
	ev_now_update(t->net->loop);
	ev_timer_set(&t->w, (double)ms / 1000., (double)repeat_ms / 1000.);
	ev_timer_start(t->net->loop, &t->w);
}

void
timer_stop(struct timer *t)
{
	if (t->net == NULL)
		return;
	if (ev_is_active(&t->w))
		t->net->timers--;
	ev_timer_stop(t->net->loop, &t->w);
}

bool
timer_is_set(const struct timer *t)
{
	return ev_is_active(&t->w);
}

static void
wheel_link(struct wheel_entry **head, struct wheel_entry *e)
{
	e->next = *head;
	e->prevp = head;
	if (e->next != NULL)
		e->next->prevp = &e->next;
	*head = e;
}

static void
wheel_on_tick(void *arg)
{
	struct wheel *w = arg;
	struct wheel_entry *e, *next, *due = NULL;

	w->now++;
	for (e = w->slot[w->now % WHEEL_SLOTS]; e != NULL; e = next) {
		next = e->next;
		if (e->due != w->now)
			continue;
		wheel_cancel(e);
		wheel_link(&due, e);
	}
	/* from a list of their own: fn may set and cancel whatever it likes */
	while ((e = due) != NULL) {
		wheel_cancel(e);
		w->fn(e, w->arg);
	}
}

void
wheel_init(struct wheel *w, struct net *net,
    void (*fn)(struct wheel_entry *, void *), void *arg)
{
	memset(w, 0, sizeof(*w));
	w->fn = fn;
	w->arg = arg;
	timer_init(&w->tick, net, wheel_on_tick, w);
	timer_set(&w->tick, 1000, 1000);
}

void
wheel_set(struct wheel *w, struct wheel_entry *e, uint32_t seconds)
{
	wheel_cancel(e);
	/* the tick under way is partly over: one more, never early */
	e->due = w->now + seconds + 1;
	wheel_link(&w->slot[e->due % WHEEL_SLOTS], e);
}

void
wheel_cancel(struct wheel_entry *e)
{
	if (e->prevp == NULL)
		return;
	*e->prevp = e->next;
	if (e->next != NULL)
		e->next->prevp = e->prevp;
	e->next = NULL;
	e->prevp = NULL;
}

void
wheel_fini(struct wheel *w)
{
	size_t i;

	timer_stop(&w->tick);
	for (i = 0; i < WHEEL_SLOTS; i++) {
		while (w->slot[i] != NULL)
			wheel_cancel(w->slot[i]);
	}
}
