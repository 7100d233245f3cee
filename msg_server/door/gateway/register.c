/* SPDX-License-Identifier: MIT */
/*
 * Who asks for the gateways of the cluster, and who announces one of its own.
 * The list itself is made from the topology each time it changes.
 */
#include <stdlib.h>
#include <unistd.h>

#include "msg_server/door/gateway/gateway_priv.h"
#include "msg_server/door/gateway/register.h"
#include "shared/proc/clock.h"

enum {
	REGISTER_TICK_MS = 1000,
	REGISTER_LIST_MAX = 256 * 1024,
	REGISTER_ADDRESS_MAX = 64,
	REGISTER_QUEUE_MAX = 2 * REGISTER_LIST_MAX /* it does not read */
};

struct register_conn {
	struct conn conn;
	struct registrar *r;
	struct register_conn *prev, *next;
	struct buf in;
	int64_t since_ms;
	char host[ADDR_TEXT_MAX];
	char address[REGISTER_ADDRESS_MAX + 1]; /* it is a gateway */
	bool known; /* it has shown the key, and said what it is */
	bool asks;
};

struct registrar {
	struct server *srv;
	struct listener listener;
	struct timer tick;
	struct register_conn *conns; /* list */
	uint32_t n_conns, n_foreign;
	struct buf list; /* the line that was last told */
};

static uint64_t *
register_stats(const struct registrar *r)
{
	return r->srv->gateway->stats;
}

/* --- the list --------------------------------------------------------------
 */

/* JSON text of addresses: the check for a second one is a look at the text */
static void
register_put(struct buf *out, const char *address)
{
	char text[ADDR_TEXT_MAX + 2];

	if (address[0] == '\0')
		return;
	snprintf(text, sizeof text, "\"%s\"", address);
	if (memmem(buf_p(out), buf_len(out), text, strlen(text)) != NULL)
		return;
	if (buf_p(out)[buf_len(out) - 1] != '[')
		buf_putc(out, ',');
	buf_puts(out, text);
}

static bool
register_lists(const struct topology_server *s)
{
	return s->role == ROLE_MSG &&
	       (!strcmp(s->state, "up") || !strcmp(s->state, "draining"));
}

static void
register_make(struct registrar *r, struct buf *out)
{
	const struct topology_server *all;
	struct register_conn *c;
	size_t i, n;

	buf_puts(out, "{\"event\":\"broadcast_addresses\",\"addresses\":[");
	if (r->srv->node_no != 0)
		register_put(out, gateway_address(r->srv));
	all = topology_servers(r->srv->topology, &n);
	for (i = 0; i < n; i++)
		if (register_lists(&all[i]))
			register_put(out, all[i].gate);
	DL_FOREACH (r->conns, c)
		register_put(out, c->address);
	buf_puts(out, "]}\n");
}

/* who asks again and again, and does not read, is let go */
static void
register_give(struct register_conn *c, const struct buf *list)
{
	if (conn_queued(&c->conn) > REGISTER_QUEUE_MAX) {
		register_stats(c->r)[GS_REG_BAD]++;
		conn_close(&c->conn);
		return;
	}
	conn_send_bytes(&c->conn, buf_p(list), buf_len(list));
}

/* what is new is told to all who have asked */
static void
register_tell(struct registrar *r)
{
	struct register_conn *c;
	struct buf list;

	buf_init(&list, REGISTER_LIST_MAX);
	register_make(r, &list);
	if (!buf_ok(&list) || str_eq(buf_str(&list), buf_str(&r->list))) {
		buf_fini(&list);
		return;
	}
	buf_fini(&r->list);
	r->list = list;
	DL_FOREACH (r->conns, c)
		if (c->asks && conn_is_open(&c->conn))
			register_give(c, &list);
}

void
register_on_topology(struct server *srv)
{
	if (srv->registrar != NULL)
		register_tell(srv->registrar);
}

/* --- lines -----------------------------------------------------------------
 */

static void
register_refuse(struct register_conn *c)
{
	register_stats(c->r)[GS_REG_BAD]++;
	conn_finish(&c->conn);
}

static void
register_bad(struct register_conn *c, struct str line)
{
	struct buf text;

	buf_init(&text, 2 * REGISTER_LINE_MAX);
	buf_printf(&text,
	    "Bad request for Register service. Request info(IP:%s, "
	    "Request Buffer:%.*s).\n",
	    c->host, STR_ARG(line));
	if (buf_ok(&text))
		conn_send_bytes(&c->conn, buf_p(&text), buf_len(&text));
	buf_fini(&text);
	register_refuse(c);
}

static bool
register_address_ok(struct str a)
{
	struct addr addr;
	size_t i;

	for (i = 0; i < a.len; i++)
		if (a.p[i] <= ' ' || a.p[i] >= 0x7f || a.p[i] == '"' ||
		    a.p[i] == '\\')
			return false;
	return a.len > 0 && a.len <= REGISTER_ADDRESS_MAX &&
	       addr_parse(a, &addr) == 0 && addr.ss.ss_family == AF_INET;
}

static void
register_gateway(struct register_conn *c, struct str address)
{
	struct registrar *r = c->r;

	if (!register_address_ok(address) ||
	    (c->address[0] == '\0' && r->n_foreign == REGISTER_FOREIGN_MAX)) {
		register_refuse(c);
		return;
	}
	c->known = true;
	r->n_foreign += c->address[0] == '\0';
	str_copy(c->address, sizeof c->address, address);
	register_tell(r);
}

static void
register_worker(struct register_conn *c)
{
	struct registrar *r = c->r;

	c->known = c->asks = true;
	register_stats(r)[GS_ASKED]++;
	register_give(c, &r->list);
}

static void
register_event(struct register_conn *c, const json_t *v)
{
	struct str event = json_str(v, "event"),
		   key = json_str(v, "secret_key");
	bool gateway = str_eqc(event, "gateway_connect");

	if (str_eqc(event, "ping"))
		return;
	if (!gateway && !str_eqc(event, "worker_connect")) {
		register_refuse(c);
		return;
	}
	if (!gateway_key_is(c->r->srv, key)) {
		log_limited(&c->r->srv->gateway->limit, LOG_LEVEL_WARN,
		    "register: %s has not the right key", c->host);
		register_refuse(c);
	} else if (gateway) {
		register_gateway(c, json_str(v, "address"));
	} else {
		register_worker(c);
	}
}

static void
register_line(struct register_conn *c, struct str line)
{
	json_t *v;
	int err;

	v = json_read(line, &err);
	if (json_str(v, "event").len == 0)
		register_bad(c, line);
	else
		register_event(c, v);
	json_decref(v);
}

static void
register_on_data(struct conn *conn, const uint8_t *p, size_t n)
{
	struct register_conn *c =
	    container_of(conn, struct register_conn, conn);
	struct str rest;
	long at;

	buf_put(&c->in, p, n);
	while (conn_is_open(conn) && !conn->finishing) {
		rest = buf_str(&c->in);
		at = str_chr(rest, '\n');
		if (at > REGISTER_LINE_MAX || !buf_ok(&c->in) ||
		    (at < 0 && rest.len > REGISTER_LINE_MAX)) {
			register_refuse(c);
			break;
		}
		if (at < 0)
			break;
		register_line(c, str_n(rest.p, (size_t)at));
		buf_consume(&c->in, (size_t)at + 1);
	}
	if (buf_len(&c->in) == 0)
		buf_fini(&c->in);
}

/* --- connections -----------------------------------------------------------
 */

static void
register_on_end(struct conn *conn, int err)
{
	if (err == 0)
		conn_finish(conn);
}

static void
register_on_dead(struct conn *conn)
{
	struct register_conn *c =
	    container_of(conn, struct register_conn, conn);
	struct registrar *r = c->r;
	bool gateway = c->address[0] != '\0';

	DL_DELETE(r->conns, c);
	r->n_conns--;
	r->n_foreign -= gateway;
	buf_fini(&c->in);
	free(c);
	if (gateway)
		register_tell(r);
}

static const struct conn_ops register_conn_ops = {
    .on_data = register_on_data,
    .on_end = register_on_end,
    .on_dead = register_on_dead,
};

static void
register_on_accept(struct listener *l, int fd, const struct addr *peer)
{
	struct registrar *r = l->arg;
	struct register_conn *c;

	if (r->n_conns >= REGISTER_CONNS_MAX) {
		register_stats(r)[GS_REG_BAD]++;
		close(fd);
		return;
	}
	c = xcalloc(1, sizeof *c);
	c->r = r;
	c->since_ms = clock_mono_ms();
	addr_host(peer, c->host);
	buf_init(&c->in, REGISTER_LINE_MAX + NET_RECV_SIZE);
	DL_APPEND(r->conns, c);
	r->n_conns++;
	conn_open(&c->conn, r->srv->net, fd, &register_conn_ops);
}

static void
register_on_tick(void *arg)
{
	struct registrar *r = arg;
	int64_t late = clock_mono_ms() - REGISTER_FIRST_S * 1000;
	struct register_conn *c;

	DL_FOREACH (r->conns, c)
		if (!c->known && c->since_ms < late && conn_is_open(&c->conn) &&
		    !c->conn.finishing)
			register_refuse(c);
}

void
register_open(struct server *srv)
{
	struct registrar *r;

	if (srv->set.register_at[0] == '\0')
		return;
	r = xcalloc(1, sizeof *r);
	r->srv = srv;
	buf_init(&r->list, REGISTER_LIST_MAX);
	timer_init(&r->tick, srv->net, register_on_tick, r);
	listener_open_or_die(&r->listener, srv->net, srv->set.register_at, true,
	    "register", register_on_accept, r);
	gateway_need_key(srv, "register", addr_is_loopback(&r->listener.addr));
	timer_set(&r->tick, REGISTER_TICK_MS, REGISTER_TICK_MS);
	srv->registrar = r;
}
