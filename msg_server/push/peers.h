/* SPDX-License-Identifier: MIT */
/*
 * Who may push (setting udp_push_peers): addresses, each with its secret, as
 * "IP SECRET". 127.0.0.1 and ::1 always may, without one. An address may be
 * named more than once; no other one of the loopback network is special.
 */
#ifndef MSG_SERVER_PUSH_PEERS_H
#define MSG_SERVER_PUSH_PEERS_H

#include "shared/net/addr.h"

enum { PUSH_PEERS_MAX = 256, PUSH_SECRET_MAX = 128 };

struct push_peer;

struct push_peers {
	struct push_peer *list; /* owned, as long as the process */
	unsigned n;
};

/* a NULL-ended list, or NULL; ends the program on an entry that is none */
void push_peers_read(struct push_peers *p, char **entries);
/* could these bytes be of one who may? Costs no reading of JSON */
bool push_peers_look(const struct push_peers *p, const struct addr *from, struct str bytes);
/* may that address, with that secret? Absent: none was named */
bool push_peers_may(const struct push_peers *p, const struct addr *from, struct str secret);

#endif
