/* SPDX-License-Identifier: MIT */
/*
 * A listening socket. Accepts at most `budget` (default 64) connections per
 * turn; on EMFILE/ENFILE/ENOBUFS/ENOMEM it gives up the spare descriptor to
 * take and close one connection, then rests 100 ms (reliability.md 3.2).
 * TCP sockets get SO_REUSEADDR; SO_REUSEPORT when asked; backlog 4096; and
 * TCP_NODELAY, which Linux hands on to what they accept.
 */
#ifndef SHARED_NET_LISTENER_H
#define SHARED_NET_LISTENER_H

#include <stdbool.h>

#include "shared/net/addr.h"
#include "shared/net/net.h"

struct listener {
	ev_io io;
	ev_timer rest;
	struct net *net;
	struct addr addr; /* as bound: a port of 0 is replaced */
	unsigned budget;
	uint64_t accepted, refused;
	/* owns fd from here on */
	void (*on_accept)(struct listener *, int fd, const struct addr *peer);
	void *arg;
};

/*
 * 0; ERR_INUSE, ERR_DENIED, ERR_INVALID, ERR_IO. Prints nothing: the caller
 * says "listening on ADDR:PORT (what)" through listener_announce().
 */
int listener_open(struct listener *l, struct net *net, struct str address,
    bool reuseport,
    void (*on_accept)(struct listener *, int, const struct addr *),
    void *arg) MUST_CHECK;
/* opens or ends the program: one clear line, exit code 4 in use, 2 bad address;
 * announces it */
void listener_open_or_die(struct listener *l, struct net *net,
    const char *address, bool reuseport, const char *what,
    void (*on_accept)(struct listener *, int, const struct addr *), void *arg);
void listener_announce(const struct listener *l, const char *what);
/* stop accepting; connections stay */
void listener_close(struct listener *l);
/*
 * The same, but those that wait to be accepted are taken first: a close would
 * reset them. What is left is a connection whose handshake is not over: the
 * kernel hands it to another listener of the port where
 * net.ipv4.tcp_migrate_req is 1.
 */
void listener_finish(struct listener *l);
/* listens again where it did before it was closed; errors as listener_open */
int listener_reopen(struct listener *l, bool reuseport) MUST_CHECK;

#endif
