/* SPDX-License-Identifier: MIT */
/*
 * The gateway: where the GatewayClient library of PHP back ends comes in
 * (setting `gateway`; protocol: shared/proto/gateway.h). A gateway answers for
 * the sessions of its own msg_server alone, as GatewayClient asks all gateways
 * that the register (register.h) names. client_id is dialect/number.h's.
 *
 * A group is a room: its members are who is in the room here, and those a back
 * end has put into a group of that name; who is put into one whose name is an
 * open room's comes into the room, too, as anybody comes. The uids of bindUid are the back end's own and
 * no uids of ours. Kept beside the sessions, for those that have any of it:
 * bound uid, groups, session array (people.h, with its bounds).
 *
 * Connections: GATEWAY_CONNS_MAX, 10 s to show the key where there is one;
 * a frame that is too long or none ends them; before the key is shown one of
 * GATEWAY_KEY_FRAME is too long. A command that names more than GATEWAY_SET_MAX
 * sessions, one as often as it is named, is not done. A turn of the loop gives all of
 * them together GATEWAY_TURN_US. A push is never queued beyond the bound where
 * a session lags (256 KiB): it is skipped and counted.
 */
#ifndef MSG_SERVER_DOOR_GATEWAY_GATEWAY_H
#define MSG_SERVER_DOOR_GATEWAY_GATEWAY_H

#include <stdbool.h>

#include "shared/base/buf.h"

enum {
	GATEWAY_CONNS_MAX = 1024,
	GATEWAY_AUTH_S = 10,
	GATEWAY_TURN_US = 4000,
	GATEWAY_ANSWER_MAX = 16 << 20, /* bytes of an answer; over it: closed */
	GATEWAY_KEY_MAX = 256,
	GATEWAY_KEY_FRAME = 4096, /* bytes of a frame from who has not shown the key */
	GATEWAY_SET_MAX = 1 << 20 /* sessions one command names, each time it does */
};

struct server;
struct session;

/* by the settings; ends the program where it can't (exit codes 2 and 4) */
void gateway_open(struct server *srv);
/* the servers of the cluster, or ours: their numbers and the register */
void gateway_on_topology(struct server *srv);
/* "IP:PORT", "" without one */
const char *gateway_address(const struct server *srv);
/* of the setting gateway_key_file, "" without; both doors have it */
struct str gateway_key(const struct server *srv);
/* is that it? in the same time, whatever it is */
bool gateway_key_is(const struct server *srv, struct str key);
/* the key that is known; ends the program: ADDR is no loopback and there is no key */
void gateway_need_key(const struct server *srv, const char *what, bool loopback);
void gateway_metrics(const struct server *srv, struct buf *out);

#endif
