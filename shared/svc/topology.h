/* SPDX-License-Identifier: MIT */
/*
 * The view of the cluster that every daemon keeps, and its client of the
 * config_server: joins (node number, topology), beats every second, takes TOPO
 * pushes, keeps the last one in DATA/NAME.topology.json and works on without
 * the config_server. Only a first join needs it: until a node number is known
 * topology_node() is 0 and on_joined has not been called.
 *
 * JSON, on the wire and on disk:
 * {"ver":7,"cluster":"cchat","servers":[{"name","node","role":"msg|proxy|config","state":"up|late|draining|down",
 *   "link","admin","public","direct","gate","version","inc","weight"}...],"active":{"name","gen"}}
 */
#ifndef SHARED_SVC_TOPOLOGY_H
#define SHARED_SVC_TOPOLOGY_H

#include "shared/net/dial.h"
#include "shared/svc/linkconn.h"

enum { TOPOLOGY_SERVERS_MAX = 1024 };

struct topology_server {
	char name[ID_MAX + 1];
	uint32_t node_no, inc, weight;
	enum link_role role;
	char state[12];
	char link[ADDR_TEXT_MAX], admin[ADDR_TEXT_MAX], public_url[ADDR_TEXT_MAX], direct_url[ADDR_TEXT_MAX], version[32];
	char gate[ADDR_TEXT_MAX]; /* where GatewayClients reach it; "": nowhere */
};

struct topology;

struct topology_ops {
	void (*on_joined)(void *arg, uint32_t node_no); /* once per process: from disk or from the config_server */
	void (*on_change)(void *arg);                   /* the list is another one now */
	void (*on_beat)(void *arg, struct f_beat *beat); /* fill the figures */
	void (*on_job)(void *arg, const struct f_job *job); /* may be NULL */
	/* frames the config_server sends beyond those (WHO); 0 or error; may be NULL */
	int (*on_frame)(void *arg, struct linkconn *, uint8_t type, struct str body);
};

/*
 * self: role, name, cluster, inc; join: addresses to tell. config_addr NULL or "": stand-alone, node_no given in self.
 * dir: data directory of the cache file.
 */
struct topology *topology_new(struct net *net, const char *config_addr, const char *dir, const struct link_id *self,
    const struct f_join *join, const uint8_t key[32], const struct topology_ops *ops, void *arg);
/* of links from now on; the one that is up stays */
void topology_set_key(struct topology *t, const uint8_t key[32]);
void topology_free(struct topology *t);
uint32_t topology_node(const struct topology *t);
uint64_t topology_ver(const struct topology *t);
const struct topology_server *topology_servers(const struct topology *t, size_t *n);
/* name of the active proxy as reported, "" when unknown */
const char *topology_active(const struct topology *t, uint64_t *gen);
bool topology_is_linked(const struct topology *t);
/*
 * A beat without waiting for the second, when linked: the last word of a server that has drained
 * (frames.h: state 2, left 0), before it ends. By it the config_server tells "done" from "died".
 */
void topology_beat_now(struct topology *t);
/* to the config_server when linked; dropped otherwise (REPORT is remembered and sent at the next join) */
void topology_report(struct topology *t, uint64_t gen, struct str ep, bool active);
void topology_event(struct topology *t, const char *kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* parsing and writing of the JSON above, also used by the config_server and cchatctl; ERR_PROTO */
int topology_parse(struct str json, struct topology_server *out, size_t max, size_t *n, uint64_t *ver, char active[ID_MAX + 1], uint64_t *gen) MUST_CHECK;
void topology_write(struct buf *out, const char *cluster, uint64_t ver, const struct topology_server *s, size_t n, const char *active, uint64_t gen);

/* writes the cache file: PATH.tmp, fsync, rename; ERR_IO with errno, ERR_INVALID */
int topology_save(const char *path, struct str json) MUST_CHECK;

#endif
