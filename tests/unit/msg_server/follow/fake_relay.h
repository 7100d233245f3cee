/* SPDX-License-Identifier: MIT */
/*
 * What all fake relays share: the link as the test has it, and tasks that run
 * when the test says so. What is asked of a relay, each fake records itself.
 */
#ifndef TESTS_UNIT_MSG_SERVER_FOLLOW_FAKE_RELAY_H
#define TESTS_UNIT_MSG_SERVER_FOLLOW_FAKE_RELAY_H

#include "msg_server/follow/relay_priv.h"

static struct relay relay;
static struct buf out; /* frames to the proxy; looked at by few */
static bool linked;

struct server *
relay_server(const struct relay *r)
{
	return r->srv;
}

struct buf *
relay_out(struct relay *r)
{
	(void)r;
	return linked ? &out : NULL;
}

void
relay_wake(struct relay *r)
{
	(void)r;
}

void
relay_later(struct relay *r, struct relay_task *t)
{
	t->next = NULL;
	*r->later_end = t;
	r->later_end = &t->next;
}

void
relay_retry(struct relay *r, struct relay_task *t)
{
	relay_later(r, t);
}

static inline void
run_tasks(void)
{
	struct relay_task *t = relay.later;

	relay.later = NULL;
	relay.later_end = &relay.later;
	while (t) {
		struct relay_task *next = t->next;

		t->fn(t);
		t = next;
	}
}

#endif
