/* SPDX-License-Identifier: MIT */
/*
 * The register (setting `register`): where GatewayClients ask for the gateways
 * of the cluster. Lines of JSON, the key of the gateway (gateway.h):
 *
 *	{"event":"worker_connect","secret_key":K}  is answered with
 *	{"event":"broadcast_addresses","addresses":["IP:PORT",...]}, at once and,
 *	while connected, whenever they change
 *	{"event":"gateway_connect","address":A,"secret_key":K}: a gateway that is
 *	none of ours is in the list for as long as it stays connected
 *	{"event":"ping"}: nothing
 *
 * The addresses are the gateways of all msg_servers that are up or draining,
 * by the topology. Any other line, a wrong key, a line over REGISTER_LINE_MAX,
 * or nothing but pings within REGISTER_FIRST_S ends the connection; so does to
 * ask again and again and not to read what is answered. At most
 * REGISTER_CONNS_MAX of them; over it the newest is closed.
 */
#ifndef MSG_SERVER_DOOR_GATEWAY_REGISTER_H
#define MSG_SERVER_DOOR_GATEWAY_REGISTER_H

enum {
	REGISTER_LINE_MAX = 4096,
	REGISTER_CONNS_MAX = 1024,
	REGISTER_FIRST_S = 10,
	REGISTER_FOREIGN_MAX = 256 /* gateways that are none of ours */
};

struct server;

/* after gateway_open(); ends the program where it can't (exit codes 2 and 4) */
void register_open(struct server *srv);
void register_on_topology(struct server *srv);

#endif
