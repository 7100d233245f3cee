/* SPDX-License-Identifier: MIT */
/*
 * Every daemon's side of the config_server's link, and the list it keeps.
 *
 *	dial -> GET /link, Upgrade -> 101 -> linkconn -> JOIN -> JOINED, TOPO
 *	            (t->head)                 (t->lc)     BEAT every second
 *
 * One of head and lc is alive at a time; when it is dead the dial goes on. The
 * list is parsed and written in topology_json.c. Nothing here judges the list.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/proc/clock.h"
#include "shared/proc/log.h"
#include "shared/proto/http.h"
#include "shared/proto/json.h"
#include "shared/svc/topology.h"

enum {
	TOPOLOGY_UPGRADE_MS = 3000,
	TOPOLOGY_BEAT_MS = 1000,
	TOPOLOGY_HEAD_MAX = 8192,
	TOPOLOGY_JSON_MAX = LINK_FRAME_MAX,
	TOPOLOGY_EVENT_MAX = 256
};

struct topology {
	struct net *net;
	const struct topology_ops *ops;
	void *arg;
	char *config_addr, *cache; /* NULL: stand-alone; path of the file */
	struct link_id self;
	struct f_join join; /* its strings are owned here */
	uint8_t key[32];
	struct addr addr; /* of the config_server */
	struct dial dial;
	struct conn head;   /* until the 101 answer */
	struct buf head_in; /* of the answer */
	struct linkconn lc; /* after it */
	struct timer timer; /* first news, then deadline and beats */
	int64_t head_since_ms;
	struct topology_server *servers; /* owned, n_servers */
	size_t n_servers;
	uint64_t ver, gen;
	char active[ID_MAX + 1];
	struct buf json;	     /* the list as it lies on disk */
	uint32_t node_no, node_next; /* of this process; to ask for at a join */
	struct f_report report;
	char report_ep[EP_LEN + 1];
	struct log_limit limit;
	bool has_report, alone_said;
	bool started, head_live, link_live, joined, freeing;
};

/* ---- the list --------------------------------------------------------- */

static void
topology_take(struct topology *t, struct topology_server *list, size_t n,
    uint64_t ver, const char *active, uint64_t gen)
{
	free(t->servers);
	t->servers = list;
	t->n_servers = n;
	t->ver = ver;
	t->gen = gen;
	memcpy(t->active, active, sizeof(t->active));
}

/* parses json and makes it the list of the cluster */
static int
topology_accept(struct topology *t, struct str json)
{
	struct topology_server *list =
	    xcalloc(TOPOLOGY_SERVERS_MAX, sizeof(*list));
	char active[ID_MAX + 1] = "";
	uint64_t ver, gen;
	size_t n;
	int err;

	err = topology_parse(
	    json, list, TOPOLOGY_SERVERS_MAX, &n, &ver, active, &gen);
	if (err != 0) {
		free(list);
		return err;
	}
	list = xrealloc(list, (n > 0 ? n : 1) * sizeof(*list));
	topology_take(t, list, n, ver, active, gen);
	return 0;
}

static uint32_t
topology_own_node(const struct topology *t)
{
	for (size_t i = 0; i < t->n_servers; i++)
		if (!strcmp(t->servers[i].name, t->self.name) &&
		    t->servers[i].role == t->self.role)
			return t->servers[i].node_no;
	return 0;
}

/* ---- the file --------------------------------------------------------- */

/* a data directory may have served another cluster before */
static bool
topology_is_of(const struct topology *t, struct str json)
{
	json_t *root;
	bool same;
	int err;

	root = json_read(json, &err);
	same = str_eqc(json_str(root, "cluster"), t->self.cluster);
	json_decref(root);
	return same;
}

static void
topology_load(struct topology *t)
{
	uint8_t chunk[4096];
	struct buf in;
	ssize_t n;
	int fd;

	fd = open(t->cache, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	buf_init(&in, TOPOLOGY_JSON_MAX);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_put(&in, chunk, (size_t)n);
	close(fd);
	if (n < 0 || !buf_ok(&in) || !topology_is_of(t, buf_str(&in)) ||
	    topology_accept(t, buf_str(&in)) != 0)
		log_warn("%s is not usable, waiting for the config_server",
		    t->cache);
	else
		buf_putstr(&t->json, buf_str(&in));
	buf_fini(&in);
	t->node_no = t->node_next = topology_own_node(t);
}

static void
topology_keep(struct topology *t, struct str json)
{
	if (str_eq(buf_str(&t->json), json))
		return;
	if (topology_save(t->cache, json) != 0) {
		log_limited(&t->limit, LOG_LEVEL_WARN, "can't write %s: %s",
		    t->cache, strerror(errno));
		return;
	}
	buf_reset(&t->json);
	buf_putstr(&t->json, json);
}

/* ---- frames ----------------------------------------------------------- */

static void
topology_send_report(struct topology *t)
{
	t->report.ep = t->report_ep[0] ? str_of(t->report_ep) : STR_NONE;
	put_report(linkconn_out(&t->lc), &t->report);
}

static void
topology_beat(struct topology *t)
{
	struct f_beat beat = {.state = 1};

	if (t->ops->on_beat != NULL)
		t->ops->on_beat(t->arg, &beat);
	put_beat(linkconn_out(&t->lc), &beat);
}

static void
topology_number(struct topology *t, uint32_t node_no)
{
	if (t->node_no == node_no)
		return;
	t->node_next = node_no;
	if (t->node_no != 0) {
		/* sessions carry the old number: it is kept until we end */
		log_warn("node number %u belongs to another server now; "
			 "%u from the next start on",
		    t->node_no, node_no);
		return;
	}
	t->node_no = node_no;
	t->ops->on_joined(t->arg, node_no);
}

static int
topology_on_joined(struct topology *t, struct str body)
{
	struct f_joined f;
	int err = get_joined(body, &f);

	if (err != 0)
		return err;
	if (f.node_no == 0)
		return ERR_PROTO;
	dial_ok(&t->dial);
	t->joined = true;
	log_info("joined config_server %s, node %u", t->config_addr, f.node_no);
	topology_number(t, f.node_no);
	if (t->has_report)
		topology_send_report(t);
	topology_beat(t);
	return 0;
}

static int
topology_on_topo(struct topology *t, struct str body)
{
	struct f_topo f;
	int err = get_topo(body, &f);

	if (err == 0)
		err = topology_accept(t, f.json);
	if (err != 0)
		return err;
	topology_keep(t, f.json);
	if (t->ops->on_change != NULL)
		t->ops->on_change(t->arg);
	return 0;
}

static int
topology_on_frame(
    struct linkconn *lc, uint8_t type, uint8_t flags, struct str body)
{
	struct topology *t = lc->arg;
	struct f_job job;
	int err;

	switch (type) {
	case F_JOINED:
		return topology_on_joined(t, body);
	case F_TOPO:
		return topology_on_topo(t, body);
	case F_JOB:
		err = get_job(body, &job);
		if (err == 0 && t->ops->on_job != NULL)
			t->ops->on_job(t->arg, &job);
		return err;
	default:
		if (t->ops->on_frame != NULL)
			return t->ops->on_frame(t->arg, lc, type, body);
		return flags & FRAME_OPTIONAL ? 0 : ERR_PROTO;
	}
}

static void
topology_on_up(struct linkconn *lc)
{
	struct topology *t = lc->arg;

	if (lc->link.peer.role != ROLE_CONFIG) {
		linkconn_close(lc, ERR_PROTO, "not a config_server", 400);
		return;
	}
	t->join.node_no = t->node_next;
	put_join(linkconn_out(lc), &t->join);
}

static void
topology_on_down(struct linkconn *lc, int err, const char *why)
{
	struct topology *t = lc->arg;

	if (t->freeing)
		return;
	t->alone_said |= t->joined;
	if (t->joined)
		log_warn("config_server %s lost (%s), working on without it",
		    t->config_addr, why);
	else
		log_limited(&t->limit, LOG_LEVEL_WARN,
		    "config_server %s: %s (%s)", t->config_addr, why,
		    err_text(err));
	t->joined = false;
}

static void topology_free_now(struct topology *t);

static void
topology_on_dead(struct linkconn *lc)
{
	struct topology *t = lc->arg;

	t->link_live = t->joined = false;
	if (t->freeing)
		topology_free_now(t);
	else
		dial_done(&t->dial);
}

static const struct linkconn_ops topology_link_ops = {
    .on_up = topology_on_up,
    .on_frame = topology_on_frame,
    .on_down = topology_on_down,
    .on_dead = topology_on_dead,
};

/* ---- the upgrade ------------------------------------------------------ */

static void
topology_head_data(struct conn *c, const uint8_t *p, size_t n)
{
	struct topology *t = container_of(c, struct topology, head);
	struct http_response rs;
	struct str rest;
	int err;

	buf_put(&t->head_in, p, n);
	if (!buf_ok(&t->head_in)) {
		conn_close(c);
		return;
	}
	err =
	    http_parse_response(buf_p(&t->head_in), buf_len(&t->head_in), &rs);
	if (err == ERR_AGAIN)
		return;
	if (err != 0 || rs.status != 101) {
		log_limited(&t->limit, LOG_LEVEL_WARN,
		    "%s does not answer as a config_server (status %d)",
		    t->config_addr, err == 0 ? rs.status : 0);
		conn_close(c);
		return;
	}
	rest = str_n(buf_p(&t->head_in) + rs.head_len,
	    buf_len(&t->head_in) - rs.head_len);
	t->head_live = false;
	t->link_live = true;
	t->self.node_no = t->node_next;
	linkconn_adopt(
	    &t->lc, c, rest, true, &t->self, t->key, &topology_link_ops, t);
	buf_fini(&t->head_in);
}

static void
topology_head_end(struct conn *c, int err)
{
	(void)err;
	conn_close(c);
}

static void
topology_head_dead(struct conn *c)
{
	struct topology *t = container_of(c, struct topology, head);

	t->head_live = false;
	buf_fini(&t->head_in);
	if (t->freeing)
		topology_free_now(t);
	else
		dial_done(&t->dial);
}

static const struct conn_ops topology_head_ops = {
    .on_data = topology_head_data,
    .on_end = topology_head_end,
    .on_dead = topology_head_dead,
};

static void
topology_on_connect(struct dial *d, int fd)
{
	struct topology *t = d->arg;
	char text[512];
	int n;

	n = snprintf(text, sizeof(text),
	    "GET /link HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\n"
	    "Upgrade: cchat-link\r\n\r\n",
	    t->dial.addr.ss.ss_family == AF_UNIX ? "localhost"
						 : t->config_addr);
	buf_init(&t->head_in, TOPOLOGY_HEAD_MAX + NET_RECV_SIZE);
	t->head_live = true;
	t->head_since_ms = clock_mono_ms();
	conn_open(&t->head, t->net, fd, &topology_head_ops);
	conn_send_bytes(&t->head, text, (size_t)n);
}

/* ---- life ------------------------------------------------------------- */

static void
topology_start(struct topology *t)
{
	t->started = true;
	if (t->node_no != 0)
		t->ops->on_joined(t->arg, t->node_no);
	if (t->n_servers > 0 && t->ops->on_change != NULL)
		t->ops->on_change(t->arg);
	if (t->config_addr == NULL)
		return;
	t->head_since_ms = clock_mono_ms();
	dial_start(&t->dial, t->net, &t->addr, topology_on_connect, t);
}

static void
topology_on_timer(void *arg)
{
	struct topology *t = arg;
	int64_t now = clock_mono_ms();

	if (!t->started) {
		topology_start(t);
		return;
	}
	if (t->joined) {
		t->alone_said = false;
		topology_beat(t);
		return;
	}
	if (t->head_live && now - t->head_since_ms > TOPOLOGY_UPGRADE_MS)
		conn_close(&t->head);
	if (!t->alone_said && !t->link_live &&
	    now - t->head_since_ms > TOPOLOGY_UPGRADE_MS &&
	    t->config_addr != NULL) {
		t->alone_said = true;
		log_warn("no config_server at %s; %s", t->config_addr,
		    t->node_no != 0 ? "working with the topology on disk"
				    : "waiting to join");
	}
}

static void
topology_copy_join(struct topology *t, const struct f_join *join)
{
	struct str *s[] = {&t->join.name, &t->join.version, &t->join.link,
	    &t->join.admin, &t->join.public_url, &t->join.direct_url,
	    &t->join.gate};

	if (join != NULL)
		t->join = *join;
	t->join.name = str_of(t->self.name);
	t->join.role = t->self.role;
	t->join.inc = t->self.inc;
	if (t->join.weight == 0)
		t->join.weight = 1;
	if (!str_is_set(t->join.version))
		t->join.version = str_of(PACKAGE_VERSION);
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		if (str_is_set(*s[i]))
			*s[i] = str_n(str_dup(*s[i]), s[i]->len);
}

void
topology_set_key(struct topology *t, const uint8_t key[32])
{
	memcpy(t->key, key, sizeof(t->key));
}

struct topology *
topology_new(struct net *net, const char *config_addr, const char *dir,
    const struct link_id *self, const struct f_join *join,
    const uint8_t key[32], const struct topology_ops *ops, void *arg)
{
	struct topology *t = xcalloc(1, sizeof(*t));
	char path[PATH_MAX];

	t->net = net;
	t->ops = ops;
	t->arg = arg;
	t->self = *self;
	memcpy(t->key, key, sizeof(t->key));
	topology_copy_join(t, join);
	buf_init(&t->json, TOPOLOGY_JSON_MAX);
	snprintf(path, sizeof(path), "%s/%s.topology.json", dir, self->name);
	t->cache = xstrdup(path);
	if (config_addr != NULL && config_addr[0] != '\0') {
		t->config_addr = xstrdup(config_addr);
		if (addr_parse(str_of(config_addr), &t->addr) != 0)
			fatal(EXIT_USAGE,
			    "config_server: '%s' is not an address",
			    config_addr);
		topology_load(t);
	} else {
		t->node_no = t->node_next = self->node_no;
	}
	timer_init(&t->timer, net, topology_on_timer, t);
	/* the owner gets the pointer before the first callback */
	timer_set(&t->timer, 0, TOPOLOGY_BEAT_MS);
	return t;
}

static void
topology_free_now(struct topology *t)
{
	struct str s[] = {t->join.name, t->join.version, t->join.link,
	    t->join.admin, t->join.public_url, t->join.direct_url,
	    t->join.gate};

	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		free((void *)(uintptr_t)s[i].p);
	buf_fini(&t->json);
	buf_fini(&t->head_in);
	free(t->servers);
	free(t->config_addr);
	free(t->cache);
	free(t);
}

void
topology_free(struct topology *t)
{
	if (t == NULL)
		return;
	t->freeing = true;
	timer_stop(&t->timer);
	if (t->started && t->config_addr != NULL)
		dial_stop(&t->dial);
	/* a live connection has the last word: it frees in the net's turn */
	if (t->link_live)
		linkconn_close(&t->lc, 0, "stopping", 0);
	else if (t->head_live)
		conn_close(&t->head);
	else
		topology_free_now(t);
}

uint32_t
topology_node(const struct topology *t)
{
	return t->node_no;
}

uint64_t
topology_ver(const struct topology *t)
{
	return t->ver;
}

const struct topology_server *
topology_servers(const struct topology *t, size_t *n)
{
	*n = t->n_servers;
	return t->servers;
}

const char *
topology_active(const struct topology *t, uint64_t *gen)
{
	if (gen != NULL)
		*gen = t->gen;
	return t->active;
}

bool
topology_is_linked(const struct topology *t)
{
	return t->joined;
}

void
topology_beat_now(struct topology *t)
{
	if (t->joined)
		topology_beat(t);
}

void
topology_report(struct topology *t, uint64_t gen, struct str ep, bool active)
{
	str_copy(t->report_ep, sizeof(t->report_ep), ep);
	t->report.gen = gen;
	t->report.active = active;
	t->has_report = true;
	if (t->joined)
		topology_send_report(t);
}

void
topology_event(struct topology *t, const char *kind, const char *fmt, ...)
{
	char text[TOPOLOGY_EVENT_MAX];
	struct f_event f;
	va_list ap;

	if (!t->joined)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f.kind = str_of(kind);
	f.detail = str_of(text);
	put_event(linkconn_out(&t->lc), &f);
}
