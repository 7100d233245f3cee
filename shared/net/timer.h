/* SPDX-License-Identifier: MIT */
/*
 * Timers for the floors above net, which do not see libev.
 *
 * struct timer: one-shot or repeating, exact (an ev_timer). For few objects.
 * struct wheel: one-second ticks for many objects (sessions): 64 slots, 24
 * bytes an entry, arming and cancelling O(1); fires 0..1 s late, never early.
 */
#ifndef SHARED_NET_TIMER_H
#define SHARED_NET_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/net/net.h"

struct timer {
	ev_timer w;
	struct net *net;
	void (*fn)(void *arg);
	void *arg;
};

void timer_init(
    struct timer *t, struct net *net, void (*fn)(void *), void *arg);
/* (re)arm: first after ms; then every repeat_ms (0: once) */
void timer_set(struct timer *t, int64_t ms, int64_t repeat_ms);
void timer_stop(struct timer *t);
bool timer_is_set(const struct timer *t);

enum { WHEEL_SLOTS = 64 };

struct wheel_entry {
	struct wheel_entry *next, **prevp; /* prevp NULL: not armed */
	uint32_t due;			   /* in ticks */
	uint32_t own; /* the owner's, who has something of 4 bytes */
};

struct wheel {
	struct timer tick;
	uint32_t now; /* ticks since start */
	struct wheel_entry *slot[WHEEL_SLOTS];
	void (*fn)(struct wheel_entry *,
	    void *arg); /* entry is disarmed before the call */
	void *arg;
};

void wheel_init(struct wheel *w, struct net *net,
    void (*fn)(struct wheel_entry *, void *), void *arg);
void wheel_set(struct wheel *w, struct wheel_entry *e, uint32_t seconds);
void wheel_cancel(struct wheel_entry *e);
void wheel_fini(struct wheel *w);

#endif
