/* SPDX-License-Identifier: MIT */
/*
 * The accepting end of links: who is there, and where each frame goes. Knows
 * neither channels nor people; route and presence do.
 */
#include "proxy_server/peer.h"

#include <stdlib.h>
#include <unistd.h>

#include "proxy_server/presence.h"
#include "proxy_server/route.h"
#include "shared/proc/clock.h"

enum {
	HELD_MAX_MS = 2000,    /* so long for a refused append to come again */
	RETRY_BUSY_MS = 200,   /* the log's queue is full */
	RETRY_WAITING_MS = 500 /* we are not the active one */
};

static struct log_limit peer_limit;

static struct peer *
peer_of(struct linkconn *lc)
{
	return container_of(lc, struct peer, lc);
}

struct peer *
peer_find(struct proxy *p, uint64_t id)
{
	struct peer *peer;

	HASH_FIND(hh, p->peers, &id, sizeof id, peer);
	return peer;
}

/* ---- the log's frames ------------------------------------------------- */

static void
peer_nak(struct peer *peer, uint64_t req)
{
	struct f_nak nak = {
	    .req = req,
	    .code = 503,
	    .retry_ms =
		proxy_is_active(peer->proxy) ? RETRY_BUSY_MS : RETRY_WAITING_MS,
	};

	put_nak(peer_out(peer), &nak);
	peer->proxy->stats[P_NAKS]++;
}

/* must this one wait for another that was refused before it? */
static bool
peer_is_behind(struct peer *peer, uint64_t req)
{
	bool again = req <= peer->last_req;

	peer->last_req = req;
	if (peer->held_req == 0)
		return false;
	/* it has been stored by another copy: nobody waits for ever */
	if (req > peer->held_req &&
	    (!again || clock_mono_ms() - peer->held_ms < HELD_MAX_MS))
		return true;
	peer->held_req = 0;
	return false;
}

static void
peer_refuse(struct peer *peer, uint64_t req)
{
	if (peer->held_req == 0) {
		peer->held_req = req;
		peer->held_ms = clock_mono_ms();
	}
	peer_nak(peer, req);
}

/* APPEND, SET and RAISE: down to the log */
static int
peer_submit(struct peer *peer, enum log_kind kind, struct str body)
{
	struct proxy *p = peer->proxy;
	struct log_op *op;
	int err;

	err = log_op_new(kind, peer->id, body, &op);
	if (err != 0)
		return err;
	if (kind == LOG_APPEND)
		p->stats[P_APPENDS]++;
	if ((kind == LOG_APPEND && peer_is_behind(peer, op->append.req)) ||
	    !proxy_is_active(p) || p->stopping || log_submit(p->log, op) != 0) {
		if (kind == LOG_APPEND)
			peer_refuse(peer, op->append.req);
		log_op_free(op);
	}
	return 0;
}

static int
peer_get(struct peer *peer, struct str body)
{
	struct proxy *p = peer->proxy;
	struct f_got got = {.code = 503};
	struct log_op *op;
	int err = log_op_new(LOG_GET, peer->id, body, &op);

	if (err != 0)
		return err;
	if (proxy_is_active(p) && !p->stopping && log_submit(p->log, op) == 0)
		return 0;
	got.rid = op->get.rid;
	put_got(peer_out(peer), &got);
	log_op_free(op);
	return 0;
}

static int
peer_inbox(struct peer *peer, struct str body)
{
	struct proxy *p = peer->proxy;
	struct f_inboxed none = {.code = 503};
	struct f_inbox f;
	struct buf *out;
	int err = ERR_BUSY;

	p->stats[P_INBOXES]++;
	if (proxy_is_active(p) && !p->stopping)
		err = log_inbox(p->log, peer->id, body);
	if (err != ERR_BUSY)
		return err;
	err = get_inbox(body, &f);
	if (err != 0)
		return err;
	none.rid = f.rid;
	out = peer_out(peer);
	put_inboxed_end(out, put_inboxed_begin(out, &none));
	return 0;
}

static int
peer_states(struct peer *peer, struct str body)
{
	struct proxy *p = peer->proxy;
	struct f_stated none = {.code = 503};
	struct f_states f;
	struct buf *out;
	int err = ERR_BUSY;

	p->stats[P_STATES]++;
	if (proxy_is_active(p) && !p->stopping)
		err = log_states(p->log, peer->id, body);
	if (err != ERR_BUSY)
		return err;
	err = get_states(body, &f);
	if (err != 0)
		return err;
	none.rid = f.rid;
	out = peer_out(peer);
	put_stated_end(out, put_stated_begin(out, &none));
	return 0;
}

static int
peer_read(struct peer *peer, struct str body)
{
	struct proxy *p = peer->proxy;
	struct f_page page;
	struct f_read rd;
	struct buf *out;
	int err = get_read(body, &rd);

	if (err != 0)
		return err;
	p->stats[P_READS]++;
	if (proxy_is_active(p) && !p->stopping &&
	    log_read(p->log, peer->id, &rd) == 0)
		return 0;
	memset(&page, 0, sizeof page);
	page.rid = rd.rid;
	page.code = 503;
	out = peer_out(peer);
	put_page_end(out, put_page_begin(out, &page), &page);
	return 0;
}

/* ---- people ----------------------------------------------------------- */

int
peer_who(struct proxy *p, struct linkconn *lc, struct str body)
{
	struct f_whois answer;
	struct f_who who;
	struct buf json;
	int err = get_who(body, &who);

	if (err != 0)
		return err;
	p->stats[P_WHOS]++;
	buf_init(&json, LINK_FRAME_MAX);
	presence_who(p->presence, &who, &json, &answer);
	put_whois(linkconn_out(lc), &answer);
	buf_fini(&json);
	return 0;
}

int
peer_kick(struct proxy *p, struct str body)
{
	struct f_kick kick;
	struct peer *peer, *tmp;
	uint32_t node;
	int err = get_kick(body, &kick);

	if (err != 0)
		return err;
	HASH_ITER (hh, p->peers, peer, tmp) {
		if (peer->node == NULL)
			continue;
		node = presence_node_no(peer->node);
		if (kick.cn != 0
			? (uint32_t)(kick.cn >> 32) == node
			: presence_node_has(p->presence, peer->node, kick.uid))
			put_kick(peer_out(peer), &kick);
	}
	return 0;
}

static int
peer_presence(struct peer *peer, uint8_t type, struct str body)
{
	struct presence *pr = peer->proxy->presence;
	struct f_pres pres;
	int err;

	if (type != F_PRES) {
		if (body.len > 0)
			return ERR_PROTO;
		if (type == F_PRES_BEGIN)
			presence_begin(pr, peer->node);
		else
			presence_end(pr, peer->node);
		return 0;
	}
	err = get_pres(body, &pres);
	if (err != 0)
		return err;
	presence_put(pr, peer->node, &pres);
	return 0;
}

static int
peer_watch(struct peer *peer, struct str body)
{
	static struct f_watch watch; /* large, and this runs on one thread */
	int err = get_watch(body, &watch);

	if (err != 0)
		return err;
	presence_watch(peer->proxy->presence, peer->node, &watch);
	return 0;
}

/* ---- frames ----------------------------------------------------------- */

/* of a msg_server: everything */
static int
peer_on_msg(struct peer *peer, uint8_t type, struct str body)
{
	struct proxy *p = peer->proxy;

	switch (type) {
	case F_APPEND:
		return peer_submit(peer, LOG_APPEND, body);
	case F_SET:
		return peer_submit(peer, LOG_SET, body);
	case F_RAISE:
		return peer_submit(peer, LOG_RAISE, body);
	case F_GET:
		return peer_get(peer, body);
	case F_INBOX:
		return peer_inbox(peer, body);
	case F_STATES:
		return peer_states(peer, body);
	case F_SUB:
		return route_sub(p->route, peer, body);
	case F_UNSUB:
		return route_unsub(p->route, peer, body);
	case F_READ:
		return peer_read(peer, body);
	case F_EPH:
		return route_eph(p->route, body);
	case F_PRES_BEGIN:
	case F_PRES:
	case F_PRES_END:
		return peer_presence(peer, type, body);
	case F_WATCH:
		return peer_watch(peer, body);
	case F_WHO:
		return peer_who(p, &peer->lc, body);
	case F_KICK:
		return peer_kick(p, body);
	default:
		return ERR_PROTO;
	}
}

static int
peer_on_frame(struct linkconn *lc, uint8_t type, uint8_t flags, struct str body)
{
	struct peer *peer = peer_of(lc);
	int err = ERR_PROTO;

	(void)flags;
	switch (lc->link.peer.role) {
	case ROLE_MSG:
		err = peer_on_msg(peer, type, body);
		break;
	case ROLE_CONFIG:
	case ROLE_CTL:
		if (type == F_WHO)
			err = peer_who(peer->proxy, lc, body);
		else if (type == F_KICK)
			err = peer_kick(peer->proxy, body);
		break;
	case ROLE_PROXY:
		/* a standby: its pings are answered by linkconn */
		break;
	}
	return err;
}

static void
peer_on_credit(struct linkconn *lc)
{
	struct peer *peer = peer_of(lc);

	if (peer->behind != NULL)
		route_on_credit(peer->proxy->route, peer);
}

/* ---- life ------------------------------------------------------------- */

static void
peer_put_active(struct peer *peer)
{
	struct proxy *p = peer->proxy;
	struct f_active f = {
	    .gen = p->gen,
	    .ep = p->ep[0] != '\0' ? str_of(p->ep) : STR_NONE,
	    .active = proxy_is_active(p) && !p->stopping,
	};
	bool news = f.active && !peer->told_active;

	/* to who is active now all is sent again, in order: nobody waits for
	   what was refused before */
	if (news)
		peer->held_req = 0;
	peer->told_active = f.active;
	put_active(peer_out(peer), &f);
	if (!news || peer->lc.link.peer.role != ROLE_MSG)
		return;
	peer->awaited_us = clock_mono_us();
	p->coming_until_ms = clock_mono_ms() + PEER_COMING_MS;
	linkconn_ping(&peer->lc);
}

void
peer_tell_active(struct proxy *p)
{
	struct peer *peer, *tmp;

	HASH_ITER (hh, p->peers, peer, tmp)
		if (peer_is_up(peer))
			peer_put_active(peer);
}

bool
peer_all_linked(const struct proxy *p)
{
	const struct topology_server *all = NULL;
	size_t n = 0, n_up = 0, n_linked = 0;
	const struct peer *peer;

	if (p->topology != NULL)
		all = topology_servers(p->topology, &n);
	for (size_t i = 0; i < n; i++)
		n_up +=
		    all[i].role == ROLE_MSG && strcmp(all[i].state, "up") == 0;
	for (peer = p->peers; peer != NULL; peer = peer->hh.next)
		n_linked +=
		    peer_is_up(peer) && peer->lc.link.peer.role == ROLE_MSG;
	return n_linked >= n_up;
}

static bool
peer_is_coming(const struct peer *peer, int64_t now)
{
	return peer->lc.echoed_us < peer->awaited_us &&
	       now < peer->awaited_us / 1000 + PEER_COMING_MS;
}

bool
peer_are_coming(struct proxy *p)
{
	int64_t now = clock_mono_ms();
	struct peer *peer, *tmp;

	if (now >= p->coming_until_ms)
		return false;
	HASH_ITER (hh, p->peers, peer, tmp)
		if (peer_is_coming(peer, now))
			return true;
	if (now < p->promoted_ms + PEER_COMING_MS && !peer_all_linked(p))
		return true;
	p->coming_until_ms = 0;
	return false;
}

/* a link from the same server that is still there; false: ours must go */
static bool
peer_supersede(struct peer *peer)
{
	const struct link_id *me = &peer->lc.link.peer;
	struct peer *old, *tmp;

	HASH_ITER (hh, peer->proxy->peers, old, tmp) {
		const struct link_id *him = &old->lc.link.peer;

		if (old == peer || !peer_is_up(old) || him->role != me->role ||
		    strcmp(him->name, me->name) != 0)
			continue;
		if (him->inc > me->inc)
			return false;
		linkconn_close(
		    &old->lc, ERR_STALE, "superseded by a newer link", 409);
	}
	return true;
}

static void
peer_on_up(struct linkconn *lc)
{
	struct peer *peer = peer_of(lc);
	struct proxy *p = peer->proxy;
	const struct link_id *id = &lc->link.peer;

	if (id->role == ROLE_MSG && id->node_no == 0) {
		linkconn_close(lc, ERR_INVALID, "no node number", 400);
		return;
	}
	if (id->role == ROLE_MSG && !peer_supersede(peer)) {
		linkconn_close(lc, ERR_STALE,
		    "a later start of the same server is linked", 409);
		return;
	}
	peer->was_up = true;
	peer->since_ms = clock_wall_ms();
	p->stats[P_LINKS]++;
	p->stats[P_LINKS_TOTAL]++;
	log_info("link %s: up, %s node=%u inc=%u from=%s", id->name,
	    link_role_text(id->role), id->node_no, id->inc, peer->from);
	if (id->role == ROLE_MSG)
		peer->node = presence_node(p->presence, id->node_no, id->name);
	peer_put_active(peer);
}

static void
peer_on_down(struct linkconn *lc, int err, const char *why)
{
	struct peer *peer = peer_of(lc);
	struct proxy *p = peer->proxy;
	const char *name = lc->link.peer.name;

	HASH_DEL(p->peers, peer);
	p->n_peers--;
	p->n_closing++;
	route_drop(p->route, peer);
	if (peer->node != NULL)
		presence_lost(p->presence, peer->node);
	peer->node = NULL;
	if (name[0] == '\0')
		name = peer->from;
	if (peer->was_up) {
		p->stats[P_LINKS]--;
		p->stats[P_LINKS_LOST]++;
		log_limited(&peer_limit,
		    err == 0 ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
		    "link %s: down, %s", name, why);
	} else {
		p->stats[P_LINKS_REFUSED]++;
		log_limited(&peer_limit, LOG_LEVEL_WARN, "link %s: refused, %s",
		    name, why);
	}
}

static void
peer_on_dead(struct linkconn *lc)
{
	struct peer *peer = peer_of(lc);

	peer->proxy->n_closing--;
	free(peer);
}

static const struct linkconn_ops peer_ops = {
    .on_up = peer_on_up,
    .on_frame = peer_on_frame,
    .on_credit = peer_on_credit,
    .on_down = peer_on_down,
    .on_dead = peer_on_dead,
};

void
peer_open(struct proxy *p, int fd, const char *from)
{
	struct peer *peer;

	if (p->stopping || p->n_peers >= (unsigned)p->set.links_max) {
		p->stats[P_LINKS_REFUSED]++;
		log_limited(&peer_limit, LOG_LEVEL_WARN,
		    "link %s: refused, %u links are the limit", from,
		    p->n_peers);
		close(fd);
		return;
	}
	peer = xcalloc(1, sizeof *peer);
	peer->proxy = p;
	peer->id = ++p->next_peer;
	str_copy(peer->from, sizeof peer->from, str_of(from));
	HASH_ADD(hh, p->peers, id, sizeof peer->id, peer);
	p->n_peers++;
	linkconn_open(
	    &peer->lc, p->net, fd, false, &p->self, p->key, &peer_ops, NULL);
}

void
peer_on_accept(struct listener *l, int fd, const struct addr *from)
{
	char text[ADDR_TEXT_MAX];

	addr_text(from, text);
	peer_open(l->arg, fd, text);
}

void
peer_close_all(struct proxy *p, const char *why)
{
	struct peer *peer, *tmp;

	HASH_ITER (hh, p->peers, peer, tmp)
		linkconn_close(&peer->lc, 0, why, 0);
}
