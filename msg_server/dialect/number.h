/* SPDX-License-Identifier: MIT */
/*
 * The numbers older systems name a connection by, made of our cn (node << 32
 * | counter, session.h) and read back from it:
 *
 *   uid        "fd-" and cn in lower-case hex: who brings none of his own
 *   client_id  workerman's 20 lower-case hex digits: IPv4 address (8) and port
 *              (4) of the node's gateway, the low half of cn (8)
 *
 * A node's gateway address is the one set with number_set_gate() (what a
 * GatewayClient connects to); without one, or when it was set for another
 * node, it is 127.0.0.1 and port 2300 + node, and where that is no port or is
 * another's, a number of class E (240.0.0.0/4, which no gateway has). So each
 * cn has one client_id and each client_id that we made one cn, as long as no
 * address changes hands. One table a process, at most NUMBER_GATES nodes: what
 * is beyond is as if it was not set.
 */
#ifndef MSG_SERVER_DIALECT_NUMBER_H
#define MSG_SERVER_DIALECT_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/str.h"

enum {
	NUMBER_UID_SIZE = 3 + 16 + 1,
	NUMBER_CLIENT_ID = 20, /* digits, without NUL */
	NUMBER_GATES = 256
};

/* NUL-terminated */
void number_uid(uint64_t cn, char out[NUMBER_UID_SIZE]);
/* false: not a uid as number_uid() makes them */
bool number_of_uid(struct str uid, uint64_t *cn);
/* "s-100000001", as CChat's clients and /v1 name a session; false: no such */
bool number_of_sid(struct str sid, uint64_t *cn);

/* ip in host order; port 0: the node has none (any more). An address belongs
 * to the node it was set for last. */
void number_set_gate(uint32_t node, uint32_t ip, uint16_t port);
/* the address in the client_ids of a node */
void number_gate(uint32_t node, uint32_t *ip, uint16_t *port);
/* whose address it is; false: nobody's whom we could name */
bool number_of_gate(uint32_t ip, uint16_t port, uint32_t *node);

/* NUL-terminated */
void number_client_id(uint64_t cn, char out[NUMBER_CLIENT_ID + 1]);
/* false: not 20 hex digits in lower case, or of no node */
bool number_of_client_id(struct str id, uint64_t *cn);

#endif
