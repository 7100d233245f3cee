/* SPDX-License-Identifier: MIT */
/*
 * An outgoing connection that is made again whenever it is lost, with full
 * jitter between attempts: random in 0..min(max, base*2^n), base 50 ms, max 2 s
 * (limits.md). A connect attempt is given up after 3 s. dial_done() tells it
 * the connection (handed over by on_connect) has ended; dial_ok() resets the
 * back-off (call it after the handshake, not after connect).
 */
#ifndef SHARED_NET_DIAL_H
#define SHARED_NET_DIAL_H

#include <stdbool.h>

#include "shared/net/addr.h"
#include "shared/net/net.h"

struct dial {
	ev_io io;
	ev_timer timer;
	struct net *net;
	struct addr addr;
	unsigned tries;
	int base_ms, max_ms;
	bool running, connected;
	/* a connected, non-blocking descriptor, owned by the callee */
	void (*on_connect)(struct dial *, int fd);
	void *arg;
};

void dial_start(struct dial *d, struct net *net, const struct addr *to,
    void (*on_connect)(struct dial *, int fd), void *arg);
void dial_done(
    struct dial *d); /* the connection is gone: try again after back-off */
void dial_ok(struct dial *d);
/* there is reason to think that it will be heard now: the back-off is over */
void dial_now(struct dial *d);
void dial_stop(struct dial *d);

#endif
