/* SPDX-License-Identifier: MIT */
/*
 * The gateway's listener and its connections: bytes become frames, frames
 * commands, and those that ask are answered. GatewayClient opens a connection
 * for each command and ends it as soon as it has written: what came before its
 * FIN counts. What the commands do is gateway_do.c and gateway_cmd.c.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "msg_server/dialect/number.h"
#include "msg_server/door/gateway/gateway_priv.h"
#include "msg_server/door/gateway/register.h"
#include "shared/proc/clock.h"
#include "shared/proc/stats.h"

enum {
	GATEWAY_TICK_MS = 1000,
	GATEWAY_SHARE = 16, /* frames of a connection in a turn, or more in: */
	GATEWAY_SHARE_US = 1000,
	GATEWAY_QUEUE_STOP = 1 << 20 /* its answers wait: it is not read */
};

struct gateway_conn {
	struct conn conn;
	struct gateway *g;
	struct gateway_conn *prev, *next;
	struct buf in; /* what is left of it */
	int64_t since_ms;
	bool known; /* has shown the key, or there is none */
	bool work;  /* there may be whole frames in it */
	bool paused;
};

static struct gateway *
gateway_of(const struct server *srv)
{
	return srv->gateway;
}

/* --- the key ---------------------------------------------------------------
 */

struct str
gateway_key(const struct server *srv)
{
	return str_of(gateway_of(srv)->key);
}

bool
gateway_key_is(const struct server *srv, struct str key)
{
	const char *own = gateway_of(srv)->key;
	size_t i, n = strlen(own);
	unsigned differ = n != key.len;

	for (i = 0; i < key.len; i++)
		differ |= (uint8_t)key.p[i] ^ (uint8_t)own[n > 0 ? i % n : 0];
	return differ == 0;
}

static void
gateway_load_key(struct gateway *g)
{
	const char *path = g->srv->set.gateway_key_file;
	char text[GATEWAY_KEY_MAX + 2];
	struct str key;
	ssize_t n;
	int fd;

	if (path[0] == '\0')
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fatal(EXIT_USAGE, "gateway_key_file: %s can't be read", path);
	n = read(fd, text, sizeof text);
	close(fd);
	key = str_n(text, n > 0 ? (size_t)n : 0);
	while (key.len > 0 && strchr("\r\n", key.p[key.len - 1]) != NULL)
		key.len--;
	if (key.len == 0 || key.len > GATEWAY_KEY_MAX ||
	    memchr(key.p, '\0', key.len) != NULL)
		fatal(EXIT_USAGE,
		    "gateway_key_file: %s has no key of 1 to %d bytes", path,
		    GATEWAY_KEY_MAX);
	str_copy(g->key, sizeof g->key, key);
}

void
gateway_need_key(const struct server *srv, const char *what, bool loopback)
{
	if (!loopback && gateway_of(srv)->key[0] == '\0')
		fatal(EXIT_USAGE,
		    "%s: an address that is no loopback needs "
		    "gateway_key_file",
		    what);
}

static bool
gateway_knows(struct gateway *g, const struct gateway_frame *f)
{
	int err;
	json_t *v = json_read(f->body, &err);
	struct str key = json_str(v, "secret_key");
	bool good = str_is_set(key) && gateway_key_is(g->srv, key);

	json_decref(v);
	return good;
}

/* --- frames ----------------------------------------------------------------
 */

static void
gateway_refuse(struct gateway_conn *c)
{
	c->g->stats[GS_REFUSED]++;
	log_limited(&c->g->limit, LOG_LEVEL_WARN,
	    "gateway: a back end without the right key is refused");
	conn_close(&c->conn);
}

static void
gateway_answer(struct gateway_conn *c, struct buf *text)
{
	struct blob *b;
	uint32_t len = htonl((uint32_t)buf_len(text));

	if (!buf_ok(text)) {
		c->g->stats[GS_BAD]++;
		log_limited(&c->g->limit, LOG_LEVEL_WARN,
		    "gateway: an answer over %d MiB, or of too much work, is "
		    "not "
		    "given",
		    GATEWAY_ANSWER_MAX >> 20);
		conn_close(&c->conn);
		return;
	}
	b = blob_alloc(sizeof len + buf_len(text));
	memcpy(b->bytes, &len, sizeof len);
	memcpy(b->bytes + sizeof len, buf_p(text), buf_len(text));
	conn_send(&c->conn, b);
	blob_unref(b);
}

static void
gateway_frame(struct gateway_conn *c, const struct gateway_frame *f)
{
	struct gateway *g = c->g;
	struct buf out;

	g->stats[GS_FRAMES]++;
	if (f->cmd == GATEWAY_CLIENT || f->cmd == GATEWAY_WORKER) {
		c->known = gateway_knows(g, f);
		if (!c->known)
			gateway_refuse(c);
		return;
	}
	if (!c->known) {
		gateway_refuse(c);
		return;
	}
	if (gateway_do(g, f))
		return;
	buf_init(&out, GATEWAY_ANSWER_MAX);
	if (gateway_ask(g, f, &out)) {
		gateway_answer(c, &out);
	} else {
		g->stats[GS_BAD]++;
		log_limited(&g->limit, LOG_LEVEL_WARN,
		    "gateway: no such command: %u", f->cmd);
	}
	buf_fini(&out);
}

/* frames of c until there is none, or it has had its share */
static void
gateway_run(struct gateway_conn *c)
{
	int64_t end = clock_mono_us() + GATEWAY_SHARE_US;
	struct gateway_frame f;
	unsigned n = 0;
	int err = 0;

	while (conn_is_open(&c->conn) &&
	       conn_queued(&c->conn) < GATEWAY_QUEUE_STOP &&
	       (n++ < GATEWAY_SHARE || clock_mono_us() < end)) {
		err = gateway_parse(buf_p(&c->in), buf_len(&c->in), &f);
		if (err != 0)
			break;
		gateway_frame(c, &f);
		buf_consume(&c->in, f.len);
	}
	if (err == ERR_AGAIN && !c->known &&
	    buf_len(&c->in) > GATEWAY_KEY_FRAME)
		gateway_refuse(c);
	if (err != 0 && err != ERR_AGAIN) {
		c->g->stats[GS_BAD]++;
		conn_close(&c->conn);
	}
	c->work = err == 0 && conn_is_open(&c->conn);
	if (buf_len(&c->in) == 0)
		buf_fini(&c->in);
}

/* while it has work it brings no more */
static void
gateway_set_paused(struct gateway_conn *c, bool paused)
{
	if (c->paused == paused)
		return;
	c->paused = paused;
	if (paused)
		conn_pause(&c->conn);
	else
		conn_resume(&c->conn);
}

/* true: there is work that can be done in the next turn */
static bool
gateway_work(struct gateway_conn *c, int64_t end)
{
	struct gateway *g = c->g;

	if (clock_mono_us() >= end) {
		gateway_set_paused(c, true);
		return true;
	}
	gateway_run(c);
	if (!conn_is_open(&c->conn))
		return false;
	gateway_set_paused(c, c->work);
	if (!c->work)
		return false;
	/* behind those who ask for less */
	DL_DELETE(g->conns, c);
	DL_APPEND(g->conns, c);
	return conn_queued(&c->conn) < GATEWAY_QUEUE_STOP;
}

/*
 * What came in this turn, in the order in which the connections came: who
 * changes something, hangs up and asks on a new connection is answered with
 * the change.
 */
static void
gateway_on_turn(struct net_turn *turn)
{
	struct gateway *g = container_of(turn, struct gateway, turn);
	int64_t end = clock_mono_us() + GATEWAY_TURN_US;
	struct gateway_conn *c, *next;
	uint32_t n = g->n_conns;
	bool more = false;

	if (!g->work)
		return;
	for (c = g->conns; c != NULL && n > 0; c = next, n--) {
		next = c->next;
		if (c->work && conn_is_open(&c->conn))
			more = gateway_work(c, end) || more;
	}
	g->work = more;
	if (more)
		timer_set(&g->again, 0, 0);
}

static void
gateway_on_again(void *arg)
{
	(void)arg; /* the turn that follows does the work */
}

/* --- connections -----------------------------------------------------------
 */

static void
gateway_on_data(struct conn *conn, const uint8_t *p, size_t n)
{
	struct gateway_conn *c = container_of(conn, struct gateway_conn, conn);

	buf_put(&c->in, p, n);
	if (!buf_ok(&c->in)) {
		c->g->stats[GS_BAD]++;
		conn_close(conn);
		return;
	}
	c->work = c->g->work = true;
}

static void
gateway_on_end(struct conn *conn, int err)
{
	if (err == 0)
		conn_finish(conn);
}

/* its answers are gone: on with what waits */
static void
gateway_on_drain(struct conn *conn)
{
	struct gateway_conn *c = container_of(conn, struct gateway_conn, conn);

	if (c->work) {
		c->g->work = true;
		timer_set(&c->g->again, 0, 0);
	}
}

static void
gateway_on_dead(struct conn *conn)
{
	struct gateway_conn *c = container_of(conn, struct gateway_conn, conn);

	DL_DELETE(c->g->conns, c);
	c->g->n_conns--;
	buf_fini(&c->in);
	free(c);
}

static const struct conn_ops gateway_conn_ops = {
    .on_data = gateway_on_data,
    .on_end = gateway_on_end,
    .on_drain = gateway_on_drain,
    .on_dead = gateway_on_dead,
};

static void
gateway_on_accept(struct listener *l, int fd, const struct addr *peer)
{
	struct gateway *g = l->arg;
	struct gateway_conn *c;

	(void)peer;
	g->stats[GS_CONNS]++;
	if (g->n_conns >= GATEWAY_CONNS_MAX) {
		g->stats[GS_REFUSED]++;
		close(fd);
		return;
	}
	c = xcalloc(1, sizeof *c);
	c->g = g;
	c->since_ms = clock_mono_ms();
	c->known = g->key[0] == '\0';
	/* the rest of one frame, and all that one read can bring */
	buf_init(&c->in, GATEWAY_FRAME_MAX + NET_RECV_SIZE);
	DL_APPEND(g->conns, c);
	g->n_conns++;
	conn_open(&c->conn, g->srv->net, fd, &gateway_conn_ops);
	/* all of them are read in a turn, or one could overtake another */
	conn_urgent(&c->conn);
}

static void
gateway_on_tick(void *arg)
{
	struct gateway *g = arg;
	int64_t late = clock_mono_ms() - GATEWAY_AUTH_S * 1000;
	struct gateway_conn *c;

	DL_FOREACH (g->conns, c) {
		if (!c->known && c->since_ms < late && conn_is_open(&c->conn)) {
			g->stats[GS_REFUSED]++;
			conn_close(&c->conn);
		}
	}
}

/* --- the cluster -----------------------------------------------------------
 */

/* "IP:PORT" -> what is in a client_id; false: none */
static bool
gateway_parts(const char *text, uint32_t *ip, uint16_t *port)
{
	const struct sockaddr_in *in;
	struct addr a;

	if (text[0] == '\0' || addr_parse(str_of(text), &a) != 0 ||
	    a.ss.ss_family != AF_INET)
		return false;
	in = (const struct sockaddr_in *)(const void *)&a.ss;
	*ip = ntohl(in->sin_addr.s_addr);
	*port = addr_port(&a);
	return *ip != 0 && *port != 0;
}

static void
gateway_number(uint32_t node, const char *text)
{
	uint32_t ip = 0;
	uint16_t port = 0;

	if (!gateway_parts(text, &ip, &port))
		port = 0;
	if (node != 0)
		number_set_gate(node, ip, port);
}

void
gateway_on_topology(struct server *srv)
{
	const struct topology_server *all;
	size_t i, n;

	all = topology_servers(srv->topology, &n);
	for (i = 0; i < n; i++)
		if (all[i].role == ROLE_MSG && all[i].node_no != srv->node_no)
			gateway_number(all[i].node_no, all[i].gate);
	gateway_number(srv->node_no, gateway_address(srv));
	register_on_topology(srv);
}

/* what was said of a session goes with it */
static void
gateway_on_gone(struct server *srv, const struct session *s)
{
	people_forget(&gateway_of(srv)->people, s->cn);
}

const char *
gateway_address(const struct server *srv)
{
	return srv->gateway != NULL ? gateway_of(srv)->address : "";
}

void
gateway_metrics(const struct server *srv, struct buf *out)
{
	static const struct stat_def defs[] = {
#define X(name, kind, text, help) {text, kind, help},
	    GATEWAY_STATS(X)
#undef X
	};
	static const struct stat_def more[] = {
	    {"msg_gateway_clients", STAT_GAUGE,
		"connections of GatewayClients now"},
	    {"msg_gateway_bytes", STAT_GAUGE,
		"memory of uids, groups and session arrays of back ends"},
	};
	const struct gateway *g = gateway_of(srv);
	uint64_t values[] = {g->n_conns, g->people.bytes};

	stats_render(out, defs, g->stats, GS_COUNT);
	stats_render(out, more, values, ARRAY_LEN(more));
}

void
gateway_open(struct server *srv)
{
	struct gateway *g = xcalloc(1, sizeof *g);
	uint32_t ip;
	uint16_t port;

	g->srv = srv;
	srv->gateway = g;
	srv->on_gone = gateway_on_gone;
	gateway_load_key(g);
	timer_init(&g->tick, srv->net, gateway_on_tick, g);
	timer_init(&g->again, srv->net, gateway_on_again, g);
	g->turn.on_turn = gateway_on_turn;
	if (srv->set.gateway[0] == '\0')
		return;
	listener_open_or_die(&g->listener, srv->net, srv->set.gateway, false,
	    "gateway", gateway_on_accept, g);
	addr_text(&g->listener.addr, g->address);
	if (!gateway_parts(g->address, &ip, &port))
		fatal(EXIT_USAGE,
		    "gateway: '%s' is no IPv4 address that others could "
		    "connect to",
		    srv->set.gateway);
	gateway_need_key(srv, "gateway", addr_is_loopback(&g->listener.addr));
	timer_set(&g->tick, GATEWAY_TICK_MS, GATEWAY_TICK_MS);
	net_turn_add(srv->net, &g->turn);
}
