/* SPDX-License-Identifier: MIT */
/*
 * What a standby does while its log waits for the lock: it links to the holder
 * (whom the lock file names), pings every 500 ms, and when nothing has come
 * back for 3 s by its own clock, kills that very process, so that the kernel
 * hands the lock over (design.md section 3). A process that dies by itself
 * needs none of this.
 *
 * Silence counts only while a connection stands or is being made good again,
 * and never over a time in which this process itself stood still. Killed is
 * the process with the pid and start time of the lock file, by pidfd. Where it
 * may not be signalled, that is said once and the standby stays one.
 */
#ifndef PROXY_SERVER_STANDBY_H
#define PROXY_SERVER_STANDBY_H

#include <stdint.h>

#include "shared/net/net.h"
#include "shared/proto/link.h"

enum { STANDBY_SILENCE_MS = 3000 };

struct standby;

/* watches nobody yet; dir, self and key are copied */
struct standby *standby_new(struct net *net, const char *dir,
    const struct link_id *self, const uint8_t key[32]);
/* of links from now on */
void standby_set_key(struct standby *s, const uint8_t key[32]);
void standby_free(struct standby *s); /* NULL is fine */
/* on: the log is LOG_WAITING; off: it is anything else. Idempotent; NULL is
 * fine. */
void standby_watch(struct standby *s, bool on);
/*
 * When the holder last gave a sign of life, by the monotonic clock; 0: not
 * watched or never heard. What it had to tell before that, it has told.
 */
int64_t standby_heard_ms(const struct standby *s); /* NULL is fine */
/* is the link to the holder up? for /readyz */
bool standby_is_linked(const struct standby *s);

#endif
