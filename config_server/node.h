/* SPDX-License-Identifier: MIT */
/*
 * One daemon's link: the upgrade, JOIN and what follows. A node is owned by
 * the server's list and frees itself when its connection is dead.
 */
#ifndef CONFIG_SERVER_NODE_H
#define CONFIG_SERVER_NODE_H

#include "config_server/registry.h"
#include "shared/svc/httpd.h"
#include "shared/svc/linkconn.h"

enum { NODES_MAX = TOPOLOGY_SERVERS_MAX + 64 };

struct server;

struct node {
	struct linkconn lc;
	struct server *server;
	struct registry_server *s; /* borrowed; NULL before JOIN */
	struct node *next, *prev;
	struct addr peer;
	int64_t events_s; /* second of n_events */
	unsigned n_events;
	bool topo_due; /* the list of now has not been sent */
};

/* GET /link with Upgrade: cchat-link; false: too many, answer it as a request */
bool node_accept(struct server *s, struct httpd_conn *c, struct str rest);
/* sends the TOPO frame of now to all that wait for it and can take it */
void node_push(struct server *s);
/* the list is another one: everybody waits for it */
void node_mark_all(struct server *s);
void node_close_all(struct server *s);

#endif
