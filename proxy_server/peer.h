/* SPDX-License-Identifier: MIT */
/*
 * A link at its accepting end: a msg_server, a standby, the config_server or
 * cchatctl. Frames are taken apart here and handed on: to the log (APPEND, SET,
 * READ), to route (SUB, UNSUB, EPH), to presence (PRES, WHO). Answers come
 * later, so everybody behind remembers a peer's id, never its pointer.
 *
 * At most links_max connections, not yet up ones included. A msg_server that
 * links twice: the higher boot counter wins, of equals the newer link.
 */
#ifndef PROXY_SERVER_PEER_H
#define PROXY_SERVER_PEER_H

#include "proxy_server/proxy.h"
#include "shared/base/map.h"
#include "shared/base/table.h"
#include "shared/svc/linkconn.h"

enum { PEER_COMING_MS = 5000 };

struct follow_wait;
struct pres_node;

struct peer {
	struct linkconn lc;
	struct proxy *proxy; /* borrowed */
	uint64_t id;
	UT_hash_handle hh; /* proxy->peers by id */
	char from[ADDR_TEXT_MAX];
	int64_t since_ms; /* wall clock */
	bool was_up;
	bool told_active; /* what ACTIVE said last */
	int64_t awaited_us; /* a PING left behind it then; 0: nobody waits */
	/*
	 * The append that was refused for now; what its server had sent behind
	 * it is refused too until it comes again, so that nothing overtakes
	 * it. 0: none.
	 */
	uint64_t held_req, last_req;
	int64_t held_ms;
	/* route.c */
	struct table follows; /* owned, by ch */
	uint32_t sweep;	      /* of follows */
	uint32_t at;	      /* its place in route->links, when it follows */
	struct follow_wait *behind; /* list: live but not up to date */
	struct {
		uint32_t ch;
		uint64_t useq;
	} refs[TO_MAX]; /* of the private item under way */
	struct peer *next_ref;
	bool has_ref;
	/* presence.c; NULL unless a msg_server */
	struct pres_node *node;
};

/* listener callback, arg of the listener: struct proxy */
void peer_on_accept(struct listener *l, int fd, const struct addr *from);
/* the same without a listener */
void peer_open(struct proxy *p, int fd, const char *from);
struct peer *peer_find(struct proxy *p, uint64_t id);
static inline bool
peer_is_up(const struct peer *peer)
{
	return peer->lc.up;
}
static inline struct buf *
peer_out(struct peer *peer)
{
	return linkconn_out(&peer->lc);
}
/* ACTIVE to all links: the state of the log has changed */
void peer_tell_active(struct proxy *p);
/* is every msg_server that the topology has as up linked here? */
bool peer_all_linked(const struct proxy *p);
/*
 * Is a msg_server on its way here that has not said yet whom it follows? Its
 * SUBs lie before the answer to a PING behind ACTIVE; one without a link is
 * waited for after a promotion. For PEER_COMING_MS at most, then false.
 */
bool peer_are_coming(struct proxy *p);
/* answers one WHO, whatever link it came on */
int peer_who(struct proxy *p, struct linkconn *lc, struct str body);
/* hands a KICK to the msg_server of its session, or to all that have the uid */
int peer_kick(struct proxy *p, struct str body);
void peer_close_all(struct proxy *p, const char *why);

#endif
