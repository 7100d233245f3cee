/* SPDX-License-Identifier: MIT */
/*
 * What the parts of a proxy_server are to each other: the log's reports reach
 * route and links, presence's changes reach route, the config_server hears who
 * is active; and the beginning and the end of all that.
 */
#include "proxy_server/proxy.h"

#include <stdio.h>
#include <stdlib.h>

#include "proxy_server/backup.h"
#include "proxy_server/peer.h"
#include "proxy_server/presence.h"
#include "proxy_server/route.h"
#include "proxy_server/standby.h"
#include "shared/proc/clock.h"
#include "shared/proc/conf_reload.h"
#include "shared/proc/daemon.h"
#include "shared/proto/json.h"

enum { PROXY_STOP_MS = 1000, PROXY_STOP_TICK_MS = 20, PROXY_MIB = 1024 * 1024 };

/* ---- from the log ----------------------------------------------------- */

static void
proxy_on_state(void *arg, enum log_state state, uint64_t gen, const char *ep,
    const char *why, int exit_code)
{
	struct proxy *p = arg;
	bool was_active = proxy_is_active(p);
	bool news = gen != p->gen || strcmp(ep ? ep : "", p->ep) != 0;

	p->state = state;
	if (ep != NULL && ep[0] != '\0') {
		p->gen = gen;
		str_copy(p->ep, sizeof p->ep, str_of(ep));
	}
	str_copy(p->why, sizeof p->why, str_of(why ? why : ""));
	standby_watch(p->standby, state == LOG_WAITING);
	switch (state) {
	case LOG_WAITING:
		log_info("log: standby, %s", p->why);
		return;
	case LOG_ACTIVE:
		log_info("log: active gen=%llu ep=%s",
		    (unsigned long long)p->gen, p->ep);
		break;
	case LOG_DEGRADED:
		log_err("log: degraded, %s", p->why);
		if (p->topology != NULL)
			topology_event(p->topology, "store", "%s", p->why);
		break;
	case LOG_FAILED:
		log_err("log: failed, %s", p->why);
		p->exit_code = exit_code != 0 ? exit_code : EXIT_FAILED;
		peer_tell_active(p);
		/* no callback of the log may close it */
		timer_set(&p->stop_timer, 0, 0);
		return;
	}
	if (was_active && !news)
		return;
	if (!was_active) {
		p->promoted_ms = clock_mono_ms();
		p->coming_until_ms = p->promoted_ms + PEER_COMING_MS;
	}
	presence_set_active(p->presence, true);
	peer_tell_active(p);
	route_log_changed(p->route);
	if (p->topology != NULL)
		topology_report(p->topology, p->gen, str_of(p->ep), true);
	daemon_notify("STATUS=active");
}

static void
proxy_on_done(void *arg, struct log_op *op)
{
	struct proxy *p = arg;

	route_done(p->route, op);
}

static void
proxy_on_batch_end(void *arg)
{
	struct proxy *p = arg;

	route_batch_end(p->route);
}

static void
proxy_on_page(void *arg, uint64_t id, struct blob *frame)
{
	struct peer *peer = peer_find(arg, id);

	if (peer != NULL)
		(void)linkconn_send(&peer->lc, frame);
}

static void
proxy_on_trimmed(void *arg, struct str chan, uint64_t first)
{
	struct proxy *p = arg;

	route_trimmed(p->route, chan, first);
}

static const struct log_ops proxy_log_ops = {
    .on_state = proxy_on_state,
    .on_done = proxy_on_done,
    .on_batch_end = proxy_on_batch_end,
    .on_page = proxy_on_page,
    .on_trimmed = proxy_on_trimmed,
    .on_backup = backup_on_done,
};

/* ---- from presence ---------------------------------------------------- */

static void
proxy_on_room(void *arg, struct str rid, struct f_room *room)
{
	struct proxy *p = arg;

	route_room(p->route, rid, room);
}

static void
proxy_on_status(
    void *arg, struct pres_node *node, const struct f_status *status)
{
	struct proxy *p = arg;
	struct peer *peer, *tmp;

	/* while a newer link of a server takes over, both are there */
	HASH_ITER (hh, p->peers, peer, tmp)
		if (peer->node == node && peer_is_up(peer))
			put_status(peer_out(peer), status);
}

/* what a room's people don't tell: where its log is */
static void
proxy_on_room_info(void *arg, struct str rid, struct buf *json)
{
	struct proxy *p = arg;
	struct chan_name name = chan_room(rid);
	uint64_t head;
	struct jw w;

	jw_init(&w, json);
	if (proxy_is_active(p))
		jw_cstr(&w, "owner", p->set.name);
	jw_int(&w, "gen", (int64_t)p->gen);
	jw_cstr(&w, "ep", p->ep);
	if (route_head(p->route, chan_str(&name), &head))
		jw_int(&w, "seq", (int64_t)head);
}

static int64_t
proxy_on_heard(void *arg)
{
	struct proxy *p = arg;

	return standby_heard_ms(p->standby);
}

static bool
proxy_on_coming(void *arg)
{
	return peer_are_coming(arg);
}

static const struct presence_ops proxy_presence_ops = {
    .on_heard = proxy_on_heard,
    .on_coming = proxy_on_coming,
    .on_status = proxy_on_status,
    .on_room = proxy_on_room,
    .on_room_info = proxy_on_room_info,
};

/* ---- from the topology ------------------------------------------------ */

static void
proxy_on_joined(void *arg, uint32_t node_no)
{
	struct proxy *p = arg;

	p->self.node_no = node_no;
	log_info("joined: node=%u", node_no);
}

static void
proxy_on_change(void *arg)
{
	(void)arg; /* links come to us, and standbys find us by the lock file */
}

static void
proxy_on_beat(void *arg, struct f_beat *beat)
{
	struct proxy *p = arg;
	uint64_t ms = (uint64_t)(clock_mono_ms() - p->beat_ms);
	struct presence_figures f;

	presence_get_figures(p->presence, &f);
	beat->conns = (uint32_t)p->stats[P_LINKS];
	beat->users = (uint32_t)f.users;
	beat->rooms = (uint32_t)f.rooms;
	beat->queue_kb = (uint32_t)(p->net->queued / 1024);
	if (ms > 0) {
		beat->msgs_s =
		    (uint32_t)((p->stats[P_APPENDS] - p->beat_appends) * 1000 /
			       ms);
		beat->out_kb_s =
		    (uint32_t)((p->net->bytes_out - p->beat_bytes) * 1000 /
			       1024 / ms);
	}
	p->beat_ms = clock_mono_ms();
	p->beat_appends = p->stats[P_APPENDS];
	p->beat_bytes = p->net->bytes_out;
}

static int
proxy_on_config_frame(
    void *arg, struct linkconn *lc, uint8_t type, struct str body)
{
	switch (type) {
	case F_WHO:
		return peer_who(arg, lc, body);
	case F_KICK:
		return peer_kick(arg, body);
	default:
		return ERR_PROTO;
	}
}

static const struct topology_ops proxy_topology_ops = {
    .on_joined = proxy_on_joined,
    .on_change = proxy_on_change,
    .on_beat = proxy_on_beat,
    .on_frame = proxy_on_config_frame,
};

/* ---- the beginning ---------------------------------------------------- */

static void proxy_on_stop_timer(void *arg);

void
proxy_init(struct proxy *p)
{
	p->started_ms = clock_mono_ms();
	p->self.role = ROLE_PROXY;
	str_copy(p->self.name, sizeof p->self.name, str_of(p->set.name));
	str_copy(
	    p->self.cluster, sizeof p->self.cluster, str_of(p->set.cluster));
	p->presence =
	    presence_new(p->net, p->set.presence_grace, &proxy_presence_ops, p);
	p->route = route_new(p);
	timer_init(&p->stop_timer, p->net, proxy_on_stop_timer, p);
}

/* the address that goes into the topology and the lock file */
static void
proxy_link_address(const struct proxy *p, char out[ADDR_TEXT_MAX])
{
	if (p->set.link_address[0] != '\0')
		str_copy(out, ADDR_TEXT_MAX, str_of(p->set.link_address));
	else
		addr_text(&p->listener.addr, out);
}

static void
proxy_open_log(struct proxy *p)
{
	char link[ADDR_TEXT_MAX];
	struct log_settings set = {
	    .dir = p->set.data,
	    .name = p->set.name,
	    .cluster = p->set.cluster,
	    .sync = (enum log_sync)p->set.sync,
	    .keep_days = p->set.keep_days,
	    .keep_items = p->set.keep_items,
	    .recent_bytes = LOG_RECENT_BYTES,
	    .disk_min = p->set.disk_min * PROXY_MIB,
	    .disk_warn = p->set.disk_warn * PROXY_MIB,
	    .link = link,
	};

	addr_text(&p->listener.addr, link);
	p->standby = standby_new(p->net, p->set.data, &p->self, p->key);
	p->log = log_open(p->loop, &set, &proxy_log_ops, p);
}

static void
proxy_open_topology(struct proxy *p)
{
	char link[ADDR_TEXT_MAX], admin[ADDR_TEXT_MAX];
	struct f_join join;

	proxy_link_address(p, link);
	addr_text(&p->admin.listener.addr, admin);
	memset(&join, 0, sizeof join);
	join.name = str_of(p->set.name);
	join.version = str_of(PACKAGE_VERSION);
	join.role = ROLE_PROXY;
	join.inc = p->self.inc;
	join.weight = 1;
	join.cap = (uint32_t)p->set.links_max;
	join.link = str_of(link);
	join.admin = str_of(admin);
	if (p->set.config_server[0] == '\0')
		p->self.node_no = (uint32_t)p->set.node;
	p->topology = topology_new(p->net, p->set.config_server, p->set.data,
	    &p->self, &join, p->key, &proxy_topology_ops, p);
}

void
proxy_open(struct proxy *p)
{
	p->self.inc = daemon_incarnation(p->set.data, p->set.name);
	listener_open_or_die(&p->listener, p->net, p->set.link_listen, false,
	    "link", peer_on_accept, p);
	p->admin.on_ready = status_ready;
	p->admin.on_status = status_json;
	p->admin.on_metrics = status_metrics;
	p->admin.on_other = backup_on_request;
	p->admin.arg = p;
	admin_start(&p->admin, p->net, p->set.admin);
	proxy_open_topology(p);
	proxy_open_log(p);
}

/* ---- the end ---------------------------------------------------------- */

/* links say goodbye; then, or when the time for it is over, the loop ends */
static void
proxy_on_stop_timer(void *arg)
{
	struct proxy *p = arg;

	if (!p->stopping) {
		/* the log has failed: go, and let a standby take over */
		proxy_stop(p);
		return;
	}
	if (p->n_closing == 0 ||
	    clock_mono_ms() - p->stopped_ms >= PROXY_STOP_MS) {
		timer_stop(&p->stop_timer);
		p->on_quit(p);
	}
}

void
proxy_key_path(const struct proxy *p, char *out, size_t size)
{
	if (p->set.link_key[0] != '\0')
		snprintf(out, size, "%s", p->set.link_key);
	else
		snprintf(out, size, "%s/link.key", p->set.data);
}

void
proxy_reload(struct proxy *p)
{
	char path[4096];

	if (conf_reload(&settings_program, &p->set) == OK && p->log != NULL)
		log_set_disk(p->log, p->set.disk_min * PROXY_MIB,
		    p->set.disk_warn * PROXY_MIB);
	proxy_key_path(p, path, sizeof path);
	if (conf_reload_key("link_key", path, "link key", p->key)) {
		if (p->standby != NULL)
			standby_set_key(p->standby, p->key);
		if (p->topology != NULL)
			topology_set_key(p->topology, p->key);
	}
	conf_reload_log(p->set.log_level, p->set.log_file);
	conf_reload_end();
}

void
proxy_stop(struct proxy *p)
{
	struct topology *t;

	if (p->stopping)
		return;
	p->stopping = true;
	p->stopped_ms = clock_mono_ms();
	daemon_notify("STOPPING=1");
	log_info("stopping");
	listener_close(&p->listener);
	/* commits what is queued: its acks go to the links from within */
	log_close(p->log);
	p->log = NULL;
	standby_free(p->standby);
	p->standby = NULL;
	if (p->topology != NULL && proxy_is_active(p))
		topology_report(p->topology, p->gen, str_of(p->ep), false);
	peer_close_all(p, "stopping");
	t = p->topology;
	p->topology = NULL;
	topology_free(t);
	timer_set(&p->stop_timer, 0, PROXY_STOP_TICK_MS);
}

void
proxy_fini(struct proxy *p)
{
	listener_close(&p->admin.listener);
	httpd_fini(&p->admin.httpd);
	net_flush(p->net);
	timer_stop(&p->stop_timer);
	route_free(p->route);
	presence_free(p->presence);
}
