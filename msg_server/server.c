/* SPDX-License-Identifier: MIT */
/*
 * Wiring: listeners, topology, relay, the admin questions, start and stop.
 * What the parts do is in the parts; nothing of the chat is here.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/client.h"
#include "msg_server/door/api.h"
#include "msg_server/door/connections.h"
#include "msg_server/door/front.h"
#include "msg_server/door/gateway/gateway.h"
#include "msg_server/door/gateway/register.h"
#include "msg_server/door/static.h"
#include "msg_server/drain.h"
#include "msg_server/follow/delivered.h"
#include "msg_server/follow/recent.h"
#include "msg_server/follow/told.h"
#include "msg_server/follow/typing.h"
#include "msg_server/follow/watch.h"
#include "msg_server/gate.h"
#include "msg_server/marks.h"
#include "msg_server/newest.h"
#include "msg_server/push/login.h"
#include "msg_server/push/udp.h"
#include "msg_server/upload/upload.h"
#include "shared/net/conn.h"
#include "shared/proc/clock.h"
#include "shared/proc/daemon.h"
#include "shared/proc/log.h"
#include "shared/proc/stats.h"
#include "shared/proto/ws.h"

enum {
	SERVER_PROXIES_MAX = 64,
	SERVER_HTTP_CONNS = 4096,
	SERVER_TICK_MS = 1000,
	SERVER_TRIM = 1000 /* clients that make the heap worth a look */
};

static const struct stat_def server_stat_defs[] = {
#define X(name, kind, text, help) {text, kind, help},
    SERVER_STATS(X)
#undef X
};

/* --- http --------------------------------------------------------------- */

static void
server_on_request(struct httpd *h, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	struct server *srv = h->arg;
	const struct door *door = front_door(srv, c);

	if (str_eqc(rq->path, "/healthz")) {
		httpd_reply(c, 200, "text/plain; charset=utf-8", STR_LIT("ok"),
		    API_HEADERS);
		return;
	}
	/* a WebSocket handshake gone wrong: what follows may be frames */
	if (str_is_set(http_field(rq, "upgrade")) || str_eqc(rq->path, "/ws"))
		httpd_last(c);
	if (http_has_token(http_field(rq, "upgrade"), "websocket"))
		httpd_error(c, 400, "not a WebSocket handshake");
	else if ((door == NULL || !door->on_request(srv, c, rq, body)) &&
		 !uploads_request(srv, c, rq) &&
		 !api_request(srv, c, rq, body)) {
		/* somebody edits the page and presses reload */
		if (statics_changed(srv->statics, rq->path, clock_mono_ms()))
			server_reload(srv);
		statics_reply(srv->statics, c, rq,
		    front_is_old(srv, c) ? STR_NONE : gate_sources(srv->gate));
	}
}

static void
server_on_head(
    struct httpd *h, struct httpd_conn *c, const struct http_request *rq)
{
	struct server *srv = h->arg;
	const struct door *door = front_door(srv, c);

	if (door == NULL || door->on_head == NULL || !door->on_head(srv, c, rq))
		uploads_on_head(h, c, rq);
}

static const struct httpd_ops server_http_ops = {
    .on_request = server_on_request,
    .on_upgrade = client_on_upgrade,
    .on_head = server_on_head};

/* --- topology ----------------------------------------------------------- */

static void
server_add_proxy(struct addr *list, size_t *n, const char *text)
{
	char have[ADDR_TEXT_MAX], want[ADDR_TEXT_MAX];
	struct addr a;
	size_t i;

	if (*n == SERVER_PROXIES_MAX || addr_parse(str_of(text), &a) != 0)
		return;
	addr_text(&a, want);
	for (i = 0; i < *n; i++) {
		addr_text(&list[i], have);
		if (strcmp(have, want) == 0)
			return;
	}
	list[(*n)++] = a;
}

/*
 * Every proxy there is, whatever the config_server thinks of it: its opinion
 * is no fence, and a dead one costs a dial every two seconds.
 */
static void
server_use_topology(struct server *srv)
{
	struct addr list[SERVER_PROXIES_MAX];
	const struct topology_server *all;
	size_t i, n_all, n = 0;

	for (i = 0; srv->set.proxies != NULL && srv->set.proxies[i] != NULL;
	     i++)
		server_add_proxy(list, &n, srv->set.proxies[i]);
	all = topology_servers(srv->topology, &n_all);
	for (i = 0; i < n_all; i++)
		if (all[i].role == ROLE_PROXY && all[i].link[0] != '\0')
			server_add_proxy(list, &n, all[i].link);
	relay_set_proxies(srv->relay, list, n);
	gate_refresh(srv->gate);
	gateway_on_topology(srv);
}

static void
server_on_joined(void *arg, uint32_t node_no)
{
	struct server *srv = arg;

	srv->node_no = srv->self.node_no = node_no;
	relay_set_self(srv->relay, &srv->self);
	log_info("node %u of cluster %s", node_no, srv->set.cluster);
}

static void
server_on_change(void *arg)
{
	struct server *srv = arg;

	/* the first one may come from inside of topology_new() */
	if (srv->topology != NULL) {
		server_use_topology(srv);
		drain_on_topology(srv->drain);
	}
}

static void
server_on_job(void *arg, const struct f_job *job)
{
	struct server *srv = arg;

	drain_job(srv->drain, job);
}

static void
server_on_beat(void *arg, struct f_beat *beat)
{
	struct server *srv = arg;
	int64_t now = clock_mono_ms(), ms = now - srv->last_beat_ms;

	beat->conns = srv->n_clients;
	beat->users = srv->users.n;
	beat->rooms = srv->rooms.n;
	beat->queue_kb = (uint32_t)(srv->net->queued / 1024);
	drain_beat(srv->drain, beat);
	beat->lag = (uint32_t)(srv->stats[S_LAGGED] - srv->last_lagged);
	beat->loop_us = srv->loop_us;
	srv->last_lagged = srv->stats[S_LAGGED];
	srv->loop_us = 0;
	if (srv->last_beat_ms != 0 && ms > 0) {
		beat->msgs_s = (uint32_t)((srv->stats[S_DELIVERIES] -
					      srv->last_deliveries) *
					  1000 / (uint64_t)ms);
		beat->out_kb_s =
		    (uint32_t)((srv->net->bytes_out - srv->last_bytes_out) *
			       1000 / 1024 / (uint64_t)ms);
	}
	srv->last_beat_ms = now;
	srv->last_deliveries = srv->stats[S_DELIVERIES];
	srv->last_bytes_out = srv->net->bytes_out;
}

static const struct topology_ops server_topology_ops = {
    .on_joined = server_on_joined,
    .on_change = server_on_change,
    .on_beat = server_on_beat,
    .on_job = server_on_job,
};

size_t
server_alt_urls(const struct server *srv, struct str *out, size_t max)
{
	const struct topology_server *all;
	size_t i, n_all, n = 0;

	all = topology_servers(srv->topology, &n_all);
	for (i = 0; i < n_all && n < max; i++)
		if (all[i].role == ROLE_MSG &&
		    strcmp(all[i].name, srv->set.name) != 0 &&
		    strcmp(all[i].state, "up") == 0 &&
		    all[i].direct_url[0] != '\0')
			out[n++] = str_of(all[i].direct_url);
	return n;
}

/* --- from the relay ----------------------------------------------------- */

static void
server_on_kick(struct server *srv, const struct f_kick *kick)
{
	struct session *s, *next;
	struct user *u;
	char why[96];

	str_copy(why, sizeof why, kick->text);
	if (kick->cn != 0) {
		s = session_find(srv, kick->cn);
		if (s != NULL && kick->code == PUSH_REPLACED)
			push_replaced(s);
		else if (s != NULL)
			session_close(s, kick->code, why, 0);
		return;
	}
	u = user_find(srv, kick->uid);
	for (s = u != NULL ? u->sessions : NULL; s != NULL; s = next) {
		next = s->next_of_user;
		session_close(s, kick->code, why, 0);
	}
}

static void
server_on_promoted(struct server *srv)
{
	srv->promoted_ms = clock_mono_ms();
	watch_on_promoted(srv);
}

static void
server_on_eph(struct server *srv, struct channel *c, const struct f_eph *eph)
{
	marks_on_eph(srv, c, eph);
	newest_on_eph(srv, c, eph);
	typing_on_eph(srv, c, eph);
}

static const struct relay_ops server_relay_ops = {
    .on_room = room_on_people,
    .on_eph = server_on_eph,
    .on_state = marks_on_state,
    .on_kick = server_on_kick,
    .on_status = watch_on_status,
    .on_promoted = server_on_promoted,
    .on_snapshot = room_snapshot,
};

/* --- admin -------------------------------------------------------------- */

static const char *
server_state(const struct server *srv)
{
	return srv->draining ? "draining" : "up";
}

static uint64_t
server_on_requests(void *arg)
{
	const struct server *srv = arg;

	return srv->stats[S_FRAMES_IN] + srv->httpd.requests +
	       srv->admin.httpd.requests;
}

static bool
server_on_ready(void *arg, struct buf *out)
{
	struct server *srv = arg;
	bool joined = srv->node_no != 0, relay = relay_has_active(srv->relay);
	bool ready = joined && relay && !srv->draining;

	buf_printf(out,
	    "{\"ready\":%s,\"state\":\"%s\",\"checks\":{\"joined\":%s,"
	    "\"proxy\":%s,\"running\":%s}}",
	    ready ? "true" : "false", server_state(srv),
	    joined ? "true" : "false", relay ? "true" : "false",
	    srv->draining ? "false" : "true");
	return ready;
}

static void
server_on_status(void *arg, struct buf *out)
{
	struct server *srv = arg;

	buf_printf(out,
	    "{\"name\":\"%s\",\"role\":\"msg\",\"version\":\"%s\","
	    "\"node\":%u,\"inc\":%u,\"uptime_s\":%lld,\"state\":\"%s\",",
	    srv->set.name, PACKAGE_VERSION, srv->node_no, srv->inc,
	    (long long)(clock_mono_ms() - srv->started_ms) / 1000,
	    server_state(srv));
	buf_printf(out,
	    "\"public\":\"%s\",\"direct\":\"%s\",\"connections\":%u,"
	    "\"max_connections\":%u,\"not_logged_in\":%u,\"sessions\":%llu,"
	    "\"users\":%u,\"rooms\":%u,\"queue_kb\":%llu,"
	    "\"topology\":{\"ver\":%llu,\"linked\":%s},\"relay\":{",
	    srv->public_url, srv->direct_url, srv->n_clients, srv->max_clients,
	    srv->n_not_logged_in, (unsigned long long)srv->stats[S_SESSIONS],
	    srv->users.n, srv->rooms.n,
	    (unsigned long long)srv->net->queued / 1024,
	    (unsigned long long)topology_ver(srv->topology),
	    topology_is_linked(srv->topology) ? "true" : "false");
	relay_status(srv->relay, out);
	buf_putc(out, '}');
	drain_status(srv->drain, out);
	buf_putc(out, '}');
}

static void
server_on_metrics(void *arg, struct buf *out)
{
	static const struct stat_def more[] = {
	    {"msg_not_logged_in", STAT_GAUGE, "connections before login"},
	    {"msg_queued_bytes", STAT_GAUGE, "bytes waiting for clients"},
	    {"msg_bytes_in_total", STAT_COUNTER, "bytes received"},
	    {"msg_bytes_out_total", STAT_COUNTER, "bytes sent"},
	    {"msg_writes_total", STAT_COUNTER, "system calls that sent"},
	    {"msg_ws_parsers", STAT_GAUGE, "parsers inside of a message"},
	    {"msg_unacked", STAT_GAUGE, "appends the log has not answered"},
	    {"msg_recent_bytes", STAT_GAUGE, "memory of recent items"},
	    {"msg_proxy_active", STAT_GAUGE, "1 when there is an active proxy"},
	    {"msg_watched", STAT_GAUGE, "users that somebody here watches"},
	    {"msg_watches", STAT_GAUGE,
		"places in the lists of those who watch"},
	};
	struct server *srv = arg;
	uint64_t watched, watches;

	watch_count(srv->watch, &watched, &watches);
	uint64_t values[] = {srv->n_not_logged_in, srv->net->queued,
	    srv->net->bytes_in, srv->net->bytes_out, srv->net->writes,
	    ws_rx_live(), relay_unacked(srv->relay), recent_bytes(srv->recent),
	    relay_has_active(srv->relay), watched, watches};

	stats_render(out, server_stat_defs, srv->stats, S_COUNT);
	stats_render(out, more, values, ARRAY_LEN(more));
	gateway_metrics(srv, out);
	udp_push_metrics(srv->udp_push, out);
	uploads_metrics(srv, out);
}

/* --- start -------------------------------------------------------------- */

/* a ws URL of a bound address; "" when it is no address to go to */
static void
server_url(char *out, size_t size, const char *set, const struct listener *l)
{
	char text[ADDR_TEXT_MAX], host[ADDR_TEXT_MAX];

	addr_host(&l->addr, host);
	addr_text(&l->addr, text);
	if (set[0] != '\0')
		snprintf(out, size, "%s", set);
	else if (strcmp(host, "0.0.0.0") != 0 && strcmp(host, "::") != 0 &&
		 strncmp(text, "unix:", 5) != 0)
		snprintf(out, size, "ws://%s/ws", text);
	else
		out[0] = '\0';
}

static struct str
server_text(const char *s)
{
	return s[0] != '\0' ? str_of(s) : STR_NONE;
}

static void
server_join(struct server *srv)
{
	char admin[ADDR_TEXT_MAX];
	struct f_join join = {.name = str_of(srv->set.name),
	    .version = STR_LIT(PACKAGE_VERSION),
	    .role = ROLE_MSG,
	    .inc = srv->inc,
	    .weight = (uint32_t)srv->set.weight,
	    .cap = srv->max_clients,
	    .public_url = server_text(srv->public_url),
	    .direct_url = server_text(srv->direct_url),
	    .gate = server_text(gateway_address(srv))};

	addr_text(&srv->admin.listener.addr, admin);
	join.admin = str_of(admin);
	srv->topology =
	    topology_new(srv->net, srv->set.config_server, srv->set.data,
		&srv->self, &join, srv->link_key, &server_topology_ops, srv);
	server_use_topology(srv);
}

static void
server_on_turn(struct net_turn *turn)
{
	client_on_turn(container_of(turn, struct server, turn));
}

static void
server_on_wake(void *arg)
{
	(void)arg; /* the turn that follows does the work */
}

static uint32_t
server_apart(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

/*
 * Many have come or gone, and that is over: what their coming took of the heap
 * goes back to the kernel.
 */
static void
server_trim(struct server *srv)
{
	uint32_t n = srv->n_clients;
	bool storm = server_apart(n, srv->tick_clients) > 16 + n / 64;

	srv->tick_clients = n;
	if (storm || server_apart(n, srv->trim_clients) < SERVER_TRIM)
		return;
	srv->trim_clients = n;
	conn_free_queues(srv->net);
	malloc_trim(0);
}

/* once a second; its lateness is the worst turn of the loop */
static void
server_on_tick(void *arg)
{
	struct server *srv = arg;
	int64_t now = clock_mono_us();
	int64_t late = now - srv->tick_us - SERVER_TICK_MS * 1000;

	if (srv->tick_us != 0 && late > srv->loop_us)
		srv->loop_us = (uint32_t)late;
	srv->tick_us = now;
	client_relieve(srv);
	server_trim(srv);
}

static void
server_listen(struct server *srv)
{
	httpd_init(&srv->httpd, srv->net, &server_http_ops, srv,
	    SERVER_HTTP_CONNS, HTTP_BODY_MAX);
	uploads_open(srv);
	fronts_open(srv);
	srv->udp_push = udp_push_open(srv);
	server_url(srv->public_url, sizeof srv->public_url, srv->set.public_url,
	    &srv->public_listener);
	server_url(srv->direct_url, sizeof srv->direct_url, srv->set.direct_url,
	    &srv->direct_listener);
	gateway_open(srv);
	register_open(srv);
	srv->admin.on_ready = server_on_ready;
	srv->admin.on_status = server_on_status;
	srv->admin.on_metrics = server_on_metrics;
	srv->admin.on_requests = server_on_requests;
	srv->admin.on_other = connections_request;
	srv->admin.arg = srv;
	admin_start(&srv->admin, srv->net, srv->set.admin);
}

void
server_start(struct server *srv)
{
	srv->started_ms = clock_mono_ms();
	srv->net->owner = srv;
	srv->max_clients = settings_connections(&srv->set);
	srv->max_rooms = ROOMS_MAX;
	/* neither may be one of our last life: what came then is remembered */
	srv->next_session = srv->inc << 16 | 1;
	srv->next_cid = (uint64_t)clock_wall_ms();
	srv->self = (struct link_id){.role = ROLE_MSG, .inc = srv->inc};
	str_copy(srv->self.name, sizeof srv->self.name, str_of(srv->set.name));
	str_copy(srv->self.cluster, sizeof srv->self.cluster,
	    str_of(srv->set.cluster));
	if (srv->set.config_server[0] == '\0')
		srv->self.node_no = (uint32_t)srv->set.node;
	wheel_init(&srv->wheel, srv->net, client_on_deadline, srv);
	timer_init(&srv->wake, srv->net, server_on_wake, srv);
	timer_init(&srv->tick, srv->net, server_on_tick, srv);
	timer_set(&srv->tick, SERVER_TICK_MS, SERVER_TICK_MS);
	srv->turn.on_turn = server_on_turn;
	net_turn_add(srv->net, &srv->turn);
	srv->statics = statics_load(srv->set.www);
	srv->gate = gate_new(srv);
	srv->marks = marks_new(srv);
	srv->typing = typing_new(srv);
	srv->told = told_new();
	srv->watch = watch_new(srv);
	srv->delivered = delivered_new(srv);
	srv->recent = recent_new((size_t)srv->set.recent_mib << 20);
	srv->drain = drain_new(srv);
	srv->relay = relay_new(
	    srv, srv->net, &srv->self, srv->link_key, &server_relay_ops);
	server_listen(srv);
	server_join(srv);
}

void
server_reload(struct server *srv)
{
	struct statics *fresh = statics_load(srv->set.www);

	/* a folder that has vanished is no reason to show nothing */
	if (statics_count(fresh) == 0) {
		statics_free(fresh);
		return;
	}
	statics_free(srv->statics);
	srv->statics = fresh;
	log_info("the page is read again: %zu files", statics_count(fresh));
}

/* --- stop --------------------------------------------------------------- */

void
server_stop(struct server *srv)
{
	drain_stop(srv->drain, DRAIN_SLOTS);
}

void
server_hurry(struct server *srv, bool again)
{
	drain_stop(srv->drain, again ? DRAIN_NOW : DRAIN_AT_ONCE);
}
