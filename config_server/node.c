/* SPDX-License-Identifier: MIT */
/*
 * The link of one daemon: it proves itself (svc/linkconn), joins, beats, is
 * told the list. What its words mean for the cluster is the registry's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_server/drain.h"
#include "config_server/server.h"
#include "shared/base/map.h"
#include "shared/proc/clock.h"
#include "shared/proc/log.h"

enum { NODE_EVENTS_S = 10, NODE_REFUSED_MIN = 10 };

static const char node_switch[] = "HTTP/1.1 101 Switching Protocols\r\n"
				  "Connection: Upgrade\r\n"
				  "Upgrade: cchat-link\r\n\r\n";

/* ---- frames ----------------------------------------------------------- */

static int
node_on_join(struct node *n, struct str body)
{
	struct server *s = n->server;
	const struct link_id *peer = &n->lc.link.peer;
	struct registry_joined done;
	struct f_joined joined;
	struct f_join f;
	int err = get_join(body, &f);

	if (err != 0)
		return err;
	/* the proof was about this name and no other */
	if (!str_eqc(f.name, peer->name) || f.role != peer->role ||
	    f.inc != peer->inc || n->s != NULL)
		return ERR_PROTO;
	registry_join(&s->registry, &f, n, &done);
	if (done.server == NULL) {
		s->stats[S_REFUSED]++;
		linkconn_close(&n->lc, ERR_DENIED, done.why, done.code);
		return 0;
	}
	if (done.replaced != NULL) {
		struct node *old = done.replaced;

		old->s = NULL;
		ask_node_gone(s, old);
		linkconn_close(&old->lc, ERR_STALE,
		    "a newer process of this name has joined", 409);
	}
	n->s = done.server;
	n->topo_due = true;
	s->stats[S_JOINS]++;
	joined.node_no = n->s->t.node_no;
	joined.ver = s->registry.ver + (s->registry.changed ? 1 : 0);
	put_joined(linkconn_out(&n->lc), &joined);
	drain_on_join(s, n);
	return 0;
}

static int
node_on_event(struct node *n, struct str body)
{
	int64_t second = clock_mono_ms() / 1000;
	struct f_event f;
	int err = get_event(body, &f);
	char kind[33];

	if (err != 0)
		return err;
	if (!id_is_word(f.kind))
		return ERR_PROTO;
	if (n->events_s != second) {
		n->events_s = second;
		n->n_events = 0;
	}
	if (n->n_events++ >= NODE_EVENTS_S)
		return 0;
	str_copy(kind, sizeof(kind), f.kind);
	server_event(n->server, kind, n->s->t.name, "%.*s", STR_ARG(f.detail));
	return 0;
}

static int
node_on_beat(struct node *n, struct str body)
{
	struct f_beat f;
	int err = get_beat(body, &f);

	if (err != 0)
		return err;
	registry_beat(&n->server->registry, n->s, &f);
	drain_on_beat(n->server, n, &f);
	return 0;
}

static int
node_on_report(struct node *n, struct str body)
{
	struct f_report f;
	int err = get_report(body, &f);

	if (err == 0)
		registry_report(&n->server->registry, n->s, &f);
	return err;
}

static int
node_on_whois(struct node *n, struct str body)
{
	struct f_whois f;
	int err = get_whois(body, &f);

	return err == 0 ? ask_answer(n->server, n, &f) : err;
}

static int
node_on_frame(struct linkconn *lc, uint8_t type, uint8_t flags, struct str body)
{
	struct node *n = lc->arg;

	if (type == F_JOIN)
		return node_on_join(n, body);
	/* a replaced one may still have something on the way */
	if (n->s == NULL)
		return lc->down ? 0 : ERR_PROTO;
	switch (type) {
	case F_BEAT:
		return node_on_beat(n, body);
	case F_REPORT:
		return node_on_report(n, body);
	case F_EVENT:
		return node_on_event(n, body);
	case F_WHOIS:
		return node_on_whois(n, body);
	default:
		return flags & FRAME_OPTIONAL ? 0 : ERR_PROTO;
	}
}

/* ---- life ------------------------------------------------------------- */

static void
node_on_up(struct linkconn *lc)
{
	(void)lc; /* it joins or it asks nothing */
}

static void
node_on_credit(struct linkconn *lc)
{
	struct node *n = lc->arg;

	if (n->topo_due)
		node_push(n->server);
}

/* a stranger, or one of ours with a wrong key: seen in the events, few a minute
 */
static void
node_refused(struct node *n, const char *why)
{
	struct server *s = n->server;
	struct str name = str_of(n->lc.link.peer.name);
	char addr[ADDR_TEXT_MAX];

	if (clock_mono_ms() - s->refused_at_ms > 60000) {
		s->refused_at_ms = clock_mono_ms();
		s->n_refused = 0;
	}
	s->stats[S_REFUSED]++;
	if (s->n_refused++ >= NODE_REFUSED_MIN)
		return;
	addr_text(&n->peer, addr);
	server_event(s, "refused", id_is_word(name) ? name.p : "",
	    "link from %s: %s", addr, why);
}

static void
node_on_down(struct linkconn *lc, int err, const char *why)
{
	struct node *n = lc->arg;
	struct registry_server *rs = n->s;

	ask_node_gone(n->server, n);
	if (rs == NULL) {
		if (err == ERR_DENIED || err == ERR_FOREIGN ||
		    err == ERR_VERSION)
			node_refused(n, why);
		return;
	}
	n->s = NULL;
	registry_unlink(&n->server->registry, rs, n);
	log_info("%s: link ended (%s)", rs->t.name, why);
}

static void
node_on_dead(struct linkconn *lc)
{
	struct node *n = lc->arg;
	struct server *s = n->server;

	DL_DELETE(s->nodes, n);
	s->n_nodes--;
	free(n);
}

static const struct linkconn_ops node_ops = {
    .on_up = node_on_up,
    .on_frame = node_on_frame,
    .on_credit = node_on_credit,
    .on_down = node_on_down,
    .on_dead = node_on_dead,
};

/* between the HTTP head and the link nobody reads */
static void
node_no_data(struct conn *c, const uint8_t *p, size_t n)
{
	(void)c;
	(void)p;
	(void)n;
}

static void
node_no_end(struct conn *c, int err)
{
	(void)err;
	conn_close(c);
}

static const struct conn_ops node_bare_ops = {
    .on_data = node_no_data, .on_end = node_no_end};

bool
node_accept(struct server *s, struct httpd_conn *c, struct str rest)
{
	struct conn bare;
	struct node *n;

	if (s->n_nodes >= NODES_MAX)
		return false;
	n = xcalloc(1, sizeof(*n));
	n->server = s;
	n->peer = *httpd_peer(c);
	DL_APPEND(s->nodes, n);
	s->n_nodes++;
	/* the answer goes out before the first frame */
	httpd_take(c, &bare, &node_bare_ops);
	conn_send_bytes(&bare, node_switch, sizeof(node_switch) - 1);
	linkconn_adopt(
	    &n->lc, &bare, rest, false, &s->self, s->key, &node_ops, n);
	return true;
}

void
node_mark_all(struct server *s)
{
	struct node *n;

	DL_FOREACH (s->nodes, n)
		n->topo_due = n->s != NULL;
}

void
node_push(struct server *s)
{
	struct node *n;

	if (s->topo == NULL)
		return;
	DL_FOREACH (s->nodes, n) {
		if (!n->topo_due || n->s == NULL ||
		    !linkconn_has_credit(&n->lc))
			continue;
		n->topo_due = false;
		linkconn_send(&n->lc, s->topo);
		s->stats[S_PUSHES]++;
	}
}

void
node_close_all(struct server *s)
{
	struct node *n, *tmp;

	DL_FOREACH_SAFE (s->nodes, n, tmp)
		linkconn_close(&n->lc, 0, "config_server is stopping", 0);
}
