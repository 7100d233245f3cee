/* SPDX-License-Identifier: MIT */
/*
 * A UDP socket that cannot take the loop: it is looked at after all streams of
 * a turn (the lowest priority), takes DGRAM_BUDGET datagrams in one recvmmsg(),
 * and rests for rest_ms when there were more: DGRAM_REST_MS, unless the owner
 * sets it otherwise at any time. What comes faster than that (32,000 a second)
 * waits in the kernel's buffer, and what has no room there the kernel drops:
 * dgram_dropped() counts it.
 *
 * Of a datagram longer than size_max the first size_max + 1 bytes are given, so
 * that its sender can be refused; counted (cut). Answers are one sendto() each;
 * one that the kernel has no room for now is gone, as any datagram may be:
 * counted (unsent).
 *
 * The owner embeds it. Several processes may share an address (SO_REUSEPORT).
 * dgram_pause() and dgram_resume() are for an owner who has enough to do;
 * on_datagram may call all of these but dgram_close().
 */
#ifndef SHARED_NET_DGRAM_H
#define SHARED_NET_DGRAM_H

#include "shared/net/addr.h"
#include "shared/net/net.h"

enum {
	DGRAM_BUDGET = 64,
	DGRAM_REST_MS = 2,
	DGRAM_SIZE_MAX = 65507
};

struct dgram_room;

struct dgram {
	struct net *net; /* NULL: never opened */
	ev_io io;
	ev_timer rest;
	struct addr addr; /* bound */
	struct dgram_room *room; /* owned: where they are received */
	size_t size_max;
	unsigned rest_ms; /* the owner's, too */
	bool paused;
	/* bytes and from are borrowed until it returns */
	void (*on_datagram)(struct dgram *, struct str bytes, const struct addr *from);
	uint64_t received, cut, sent, unsent;
};

/* 0, ERR_INUSE, ERR_INVALID, ERR_DENIED, ERR_IO; d is all zero or closed */
int dgram_open(struct dgram *d, struct net *net, struct str address, size_t size_max,
    void (*on_datagram)(struct dgram *, struct str, const struct addr *)) MUST_CHECK;
/* the same for a daemon's start: ends the program with one line, or says where
 * it listens */
void dgram_open_or_die(struct dgram *d, struct net *net, const char *address, const char *what,
    size_t size_max, void (*on_datagram)(struct dgram *, struct str, const struct addr *));
/* one answer; false: not sent */
bool dgram_send(struct dgram *d, struct str bytes, const struct addr *to);
void dgram_pause(struct dgram *d);
void dgram_resume(struct dgram *d);
/* datagrams the kernel had no room for, since it was opened */
uint64_t dgram_dropped(const struct dgram *d);
void dgram_close(struct dgram *d);

#endif
