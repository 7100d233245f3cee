/* SPDX-License-Identifier: MIT */
/*
 * The life of a config_server and its turn of the loop:
 *
 *	frames, requests -> registry -> [turn] ver+1 -> topology.db
 *	                                             -> NAME.topology.json
 *	                                             -> TOPO to every link
 *
 * Decides nothing about servers: that is registry.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_server/api.h"
#include "config_server/drain.h"
#include "shared/proc/clock.h"
#include "shared/proc/daemon.h"
#include "shared/proc/log.h"
#include "shared/proto/json.h"

enum {
	SERVER_TICK_MS = 1000,
	SERVER_LOADS_S = 10,
	SERVER_HTTP_MAX = NODES_MAX + 1024,
	SERVER_STORE_RETRY_MS = 1000
};

void
server_event(
    struct server *s, const char *kind, const char *srv, const char *fmt, ...)
{
	char detail[REGISTRY_DETAIL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	log_info("%s %s: %s", kind, srv, detail);
	store_event(s->store, clock_wall_ms(), kind, srv, detail);
}

static void
server_on_event(
    void *arg, const char *kind, const char *srv, const char *detail)
{
	server_event(arg, kind, srv, "%s", detail);
}

/* ---- the turn --------------------------------------------------------- */

static int
server_store(struct server *s, bool loads)
{
	int64_t now = clock_mono_ms();
	int err;

	if (now < s->store_retry_ms)
		return store_error(s->store);
	err = store_flush(s->store, &s->registry, loads);
	if (err == 0)
		return 0;
	s->store_retry_ms = now + SERVER_STORE_RETRY_MS;
	if (err != ERR_BUSY) {
		s->stats[S_STORE_ERRORS]++;
		log_limited(&s->limit, LOG_LEVEL_ERR,
		    "topology.db can't be written: %s; going on in memory",
		    err_text(err));
	}
	return err;
}

int
server_flush(struct server *s)
{
	return server_store(s, false);
}

static void
server_make_topo(struct server *s)
{
	struct f_topo f = {.ver = s->registry.ver};
	struct buf json, frame;

	buf_init(&json, LINK_FRAME_MAX);
	buf_init(&frame, LINK_FRAME_MAX + 64);
	registry_write(&s->registry, s->set.cluster, &json);
	f.json = buf_str(&json);
	put_topo(&frame, &f);
	if (buf_ok(&json) && buf_ok(&frame) && buf_len(&frame) > 0) {
		blob_unref(s->topo);
		s->topo = blob_take(&frame);
		if (topology_save(s->cache, f.json) != 0)
			log_limited(&s->limit, LOG_LEVEL_WARN,
			    "can't write %s: %s", s->cache, strerror(errno));
	} else {
		log_limited(&s->limit, LOG_LEVEL_ERR,
		    "the list of servers is too long to be sent");
	}
	buf_fini(&json);
	buf_fini(&frame);
}

static void
server_on_turn(struct net_turn *turn)
{
	struct server *s = container_of(turn, struct server, turn);

	if (registry_commit(&s->registry)) {
		server_make_topo(s);
		node_mark_all(s);
	}
	(void)server_store(s, false);
	node_push(s);
}

static void
server_on_tick(void *arg)
{
	struct server *s = arg;
	struct f_beat beat = {.state = BEAT_UP, .conns = s->n_nodes};

	registry_beat(&s->registry, s->own, &beat);
	registry_tick(&s->registry);
	drain_on_tick(s);
	if (s->ticks++ % SERVER_LOADS_S == 0)
		(void)server_store(s, true);
}

/* ---- the port --------------------------------------------------------- */

static bool
server_on_ready(void *arg, struct buf *out)
{
	struct server *s = arg;
	bool stored = store_error(s->store) == 0;

	buf_printf(out,
	    "{\"ready\":%s,\"checks\":{\"listening\":true,\"store\":%s}}",
	    stored ? "true" : "false", stored ? "true" : "false");
	return stored;
}

static void
server_on_status(void *arg, struct buf *out)
{
	struct server *s = arg;
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w, NULL);
	jw_cstr(&w, "id", s->set.name);
	jw_cstr(&w, "role", "config");
	jw_cstr(&w, "cluster", s->set.cluster);
	jw_cstr(&w, "version", PACKAGE_VERSION);
	jw_int(&w, "uptime_s", (clock_mono_ms() - s->started_ms) / 1000);
	jw_int(&w, "ver", (int64_t)s->registry.ver);
	jw_int(&w, "gen", (int64_t)s->registry.gen);
	jw_cstr(&w, "ep", s->registry.ep);
	jw_cstr(&w, "active", s->registry.active);
	jw_bool(&w, "active_linked", registry_active(&s->registry) != NULL);
	jw_int(&w, "servers", (int64_t)s->registry.n);
	jw_int(&w, "links", s->n_nodes);
	jw_cstr(&w, "store", err_text(store_error(s->store)));
	jw_obj_end(&w);
}

static void
server_on_metrics(void *arg, struct buf *out)
{
	static const struct stat_def defs[] = {
#define X(name, kind, text, help) {text, kind, help},
	    SERVER_STATS(X)
#undef X
	};
	struct server *s = arg;

	s->stats[S_LINKS] = s->n_nodes;
	s->stats[S_SERVERS] = s->registry.n;
	s->stats[S_SERVERS_UP] = 0;
	for (size_t i = 0; i < s->registry.n; i++)
		if (s->registry.list[i]->state == STATE_UP)
			s->stats[S_SERVERS_UP]++;
	s->stats[S_DRAINS] = jobs_count_running(&s->registry.jobs);
	s->stats[S_VER] = s->registry.ver;
	s->stats[S_GEN] = s->registry.gen;
	stats_render(out, defs, s->stats, S_COUNT);
}

static bool
server_on_other(void *arg, struct httpd_conn *c, const struct http_request *rq,
    struct str body)
{
	return api_request(arg, c, rq, body);
}

static bool
server_on_upgrade(void *arg, struct httpd_conn *c,
    const struct http_request *rq, struct str rest)
{
	return str_eqc(rq->path, "/link") && rq->method == HTTP_GET_M &&
	       http_has_token(http_field(rq, "upgrade"), "cchat-link") &&
	       node_accept(arg, c, rest);
}

/* ---- start ------------------------------------------------------------ */

static bool
server_cache_read(const struct server *s, struct buf *out)
{
	json_t *root;
	bool same;
	int fd, err;
	ssize_t n;
	uint8_t chunk[4096];

	fd = open(s->cache, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_put(out, chunk, (size_t)n);
	close(fd);
	if (n < 0 || !buf_ok(out))
		return false;
	root = json_read(buf_str(out), &err);
	same = str_eqc(json_str(root, "cluster"), s->set.cluster);
	json_decref(root);
	return same;
}

/* a row of topology.db; the list beside it may have said it already */
static void
server_restore_row(struct registry *r, const struct registry_server *row)
{
	struct registry_server *s;
	int err = registry_restore(r, &row->t, row->cap, row->since_ms);

	s = registry_find(r, str_of(row->t.name));
	if (s == NULL || s->t.node_no != row->t.node_no)
		return;
	s->dirty = err != 0;
	s->cap = row->cap;
	s->since_ms = row->since_ms;
}

/*
 * topology.db may be lost, or an old copy put back: the list beside it, which
 * is never older than what the daemons have, fills what is missing.
 */
static void
server_restore(struct server *s, struct registry *db)
{
	struct topology_server *list =
	    xcalloc(TOPOLOGY_SERVERS_MAX, sizeof(*list));
	char active[ID_MAX + 1] = "";
	struct registry *r = &s->registry;
	uint64_t ver = 0, gen = 0;
	size_t n = 0, taken = 0, i;
	struct buf json;

	buf_init(&json, LINK_FRAME_MAX);
	if (!server_cache_read(s, &json) ||
	    topology_parse(buf_str(&json), list, TOPOLOGY_SERVERS_MAX, &n, &ver,
		active, &gen) != 0)
		n = 0;
	for (i = 0; ver > db->ver && i < n; i++)
		if (registry_restore(r, &list[i], 0, clock_wall_ms()) == 0 &&
		    registry_find(db, str_of(list[i].name)) == NULL)
			taken++;
	for (i = 0; i < db->n; i++)
		server_restore_row(r, db->list[i]);
	if (db->next_node > r->next_node)
		r->next_node = db->next_node;
	registry_restore_active(
	    r, db->active, db->gen, db->ep, db->active_since_ms);
	if (ver > db->ver)
		registry_restore_active(r, active, gen, r->ep, clock_wall_ms());
	r->ver = ver > db->ver ? ver : db->ver;
	if (taken > 0)
		server_event(s, "restored", s->set.name,
		    "%zu servers that topology.db did not know", taken);
	buf_fini(&json);
	free(list);
}

void
server_key_path(const struct server *s, char *out, size_t size)
{
	if (s->set.link_key[0] != '\0')
		snprintf(out, size, "%s", s->set.link_key);
	else
		snprintf(out, size, "%s/link.key", s->set.data);
}

static void
server_open_data(struct server *s)
{
	char text[PATH_MAX + 128];
	struct registry db;

	daemon_data_dir(s->set.data);
	daemon_pidfile(s->set.data, s->set.name);
	server_key_path(s, text, sizeof(text));
	daemon_key(text, "link key", s->key);
	s->store = store_open(s->set.data, s->set.cluster, text, sizeof(text));
	if (s->store == NULL)
		fatal(EXIT_DATA, "%s", text);
	snprintf(text, sizeof(text), "%s/%s.topology.json", s->set.data,
	    s->set.name);
	s->cache = xstrdup(text);
	registry_init(&s->registry, server_on_event, s);
	registry_init(&db, NULL, NULL);
	if (store_load(s->store, &db) != 0)
		fatal(EXIT_DATA, "%s/topology.db can't be used: it is corrupt",
		    s->set.data);
	server_restore(s, &db);
	s->registry.jobs = db.jobs;
	memset(&db.jobs, 0, sizeof(db.jobs));
	registry_fini(&db);
}

static void
server_join_self(struct server *s)
{
	char addr[ADDR_TEXT_MAX];
	struct registry_joined done;
	struct f_join f = {
	    .name = str_of(s->self.name),
	    .version = str_of(PACKAGE_VERSION),
	    .role = ROLE_CONFIG,
	    .inc = s->self.inc,
	    .weight = 1,
	};

	addr_text(&s->http.listener.addr, addr);
	f.link = f.admin = str_of(addr);
	registry_join(&s->registry, &f, s, &done);
	if (done.server == NULL)
		fatal(EXIT_USAGE, "name '%s': %s", s->self.name, done.why);
	s->own = done.server;
	s->self.node_no = s->own->t.node_no;
}

void
server_start(struct server *s, struct net *net)
{
	s->net = net;
	s->started_ms = clock_mono_ms();
	server_open_data(s);
	s->self.role = ROLE_CONFIG;
	str_copy(s->self.name, sizeof(s->self.name), str_of(s->set.name));
	str_copy(
	    s->self.cluster, sizeof(s->self.cluster), str_of(s->set.cluster));
	s->self.inc = daemon_incarnation(s->set.data, s->set.name);
	s->http.on_ready = server_on_ready;
	s->http.on_status = server_on_status;
	s->http.on_metrics = server_on_metrics;
	s->http.on_other = server_on_other;
	s->http.on_upgrade = server_on_upgrade;
	s->http.arg = s;
	admin_start_as(
	    &s->http, net, s->set.listen, "http, links", SERVER_HTTP_MAX);
	server_join_self(s);
	s->registry.changed = true;
	timer_init(&s->ask_timer, net, ask_on_timer, s);
	timer_init(&s->tick, net, server_on_tick, s);
	timer_set(&s->tick, SERVER_TICK_MS, SERVER_TICK_MS);
	s->turn.on_turn = server_on_turn;
	net_turn_add(net, &s->turn);
	daemon_notify("READY=1");
}

void
server_stop(struct server *s)
{
	daemon_notify("STOPPING=1");
	timer_stop(&s->tick);
	ask_free_all(s);
	admin_stop(&s->http);
	node_close_all(s);
}

void
server_free(struct server *s)
{
	net_turn_remove(s->net, &s->turn);
	(void)server_flush(s);
	registry_fini(&s->registry);
	store_close(s->store);
	blob_unref(s->topo);
	free(s->cache);
}
