/* SPDX-License-Identifier: MIT */
/*
 * The relay's time: tasks of this turn and of the next tick, the tick that
 * runs while something has a deadline, channels that nobody needs any more.
 */
#include "msg_server/follow/relay_priv.h"
#include "shared/proc/clock.h"

void
relay_later(struct relay *r, struct relay_task *t)
{
	/* it may come from a hook behind ours: the loop must not sleep on it */
	if (!r->later && !r->closing)
		timer_set(&r->soon, 0, 0);
	t->next = NULL;
	*r->later_end = t;
	r->later_end = &t->next;
}

void
relay_retry(struct relay *r, struct relay_task *t)
{
	t->next = NULL;
	*r->retry_end = t;
	r->retry_end = &t->next;
	relay_wake(r);
}

static void
relay_run(struct relay_task **list, struct relay_task ***end)
{
	struct relay_task *t = *list;

	*list = NULL;
	*end = list;
	while (t) {
		struct relay_task *next = t->next;

		t->fn(t); /* may free t, may queue more for the next round */
		t = next;
	}
}

static void
relay_on_turn(struct net_turn *turn)
{
	struct relay *r = container_of(turn, struct relay, turn);

	/* what a task queues runs too, before the loop sleeps; bounded */
	for (int i = 0; r->later && i < 8; i++)
		relay_run(&r->later, &r->later_end);
	if (r->later)
		relay_wake(r);
}

void
relay_wake(struct relay *r)
{
	if (!timer_is_set(&r->tick) && !r->closing)
		timer_set(&r->tick, RELAY_TICK_MS, RELAY_TICK_MS);
}

static void
relay_on_soon(void *arg)
{
	(void)arg; /* the turn that follows does the work */
}

static void
relay_on_tick(void *arg)
{
	struct relay *r = arg;
	struct channel_busy *b, *next;
	int64_t now = clock_mono_ms();
	bool busy;

	relay_run(&r->retry, &r->retry_end);
	busy = calls_tick(r, now);
	DL_FOREACH_SAFE (r->waiting, b, next) {
		busy = true;
		channel_give_up(b->channel, now - RELAY_WAIT_MS);
	}
	if (!busy && !r->retry && !r->later)
		timer_stop(&r->tick);
}

static void
relay_on_idle(struct wheel_entry *e, void *arg)
{
	(void)arg;
	channel_expire(container_of(e, struct channel_busy, idle)->channel);
}

void
tasks_init(struct relay *r)
{
	r->later_end = &r->later;
	r->retry_end = &r->retry;
	r->turn.on_turn = relay_on_turn;
	net_turn_add(r->net, &r->turn);
	timer_init(&r->tick, r->net, relay_on_tick, r);
	timer_init(&r->soon, r->net, relay_on_soon, r);
	wheel_init(&r->wheel, r->net, relay_on_idle, r);
}

void
tasks_run_all(struct relay *r)
{
	/* whose tasks these are finds that nobody is left */
	relay_run(&r->later, &r->later_end);
	relay_run(&r->retry, &r->retry_end);
}

void
tasks_fini(struct relay *r)
{
	timer_stop(&r->tick);
	timer_stop(&r->soon);
	wheel_fini(&r->wheel);
	net_turn_remove(r->net, &r->turn);
}
