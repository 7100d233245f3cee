/* SPDX-License-Identifier: MIT */
/*
 * What the tests of draining (msg_server/drain.h) share: a clock that the test
 * turns, bare sessions, and what lies around them, which writes down what it
 * is told.
 */
#ifndef TESTS_UNIT_MSG_SERVER_DRAIN_FIXTURE_H
#define TESTS_UNIT_MSG_SERVER_DRAIN_FIXTURE_H

#include "tests/unit/shared/net/fixture.h"

#include "msg_server/door/door.h"
#include "msg_server/drain.h"
#include "msg_server/move_key.h"
#include "msg_server/reply.h"
#include "shared/proc/clock.h"
#include "shared/proto/json.h"

enum { PEOPLE = 2000, SERVERS = 4 };

struct person {
	struct session s;
	bool closed;
	unsigned said_gone;
	unsigned code;
	int64_t retry, closed_ms;
	int64_t move_in; /* -1: not told */
	char url[64];
};

static struct fx fx;
static struct server srv;
static struct user user;
static struct person who[PEOPLE];
static unsigned n_people, n_quits, n_beats;
static struct topology_server servers[SERVERS];
static size_t n_servers;
static size_t unacked;
static int64_t now;
static char me[] = "ms1", cluster[] = "cchat";

/* --- fakes ---------------------------------------------------------------- */

static struct person *
person_of(const struct session *s)
{
	return container_of(s, struct person, s);
}

bool
session_is_open(const struct session *s)
{
	return !person_of(s)->closed;
}

/* no doors here */
const struct door *
door_by_name(struct str name)
{
	(void)name;
	return NULL;
}

void
session_close(
    struct session *s, unsigned code, const char *why, int64_t retry_ms)
{
	struct person *p = person_of(s);

	assert_false(p->closed);
	assert_non_null(why);
	assert_true(s->silent);
	/* presence hears of it first, and once; not of strangers */
	if (drain_pace(srv.drain) != DRAIN_NOW)
		assert_int_equal(p->said_gone, s->user != NULL);
	p->closed = true;
	p->code = code;
	p->retry = retry_ms;
	p->closed_ms = now;
}

void
reply_event(struct session *s, const struct event *ev)
{
	struct person *p = person_of(s);
	struct move_claim claim;

	assert_int_equal(ev->kind, EVENT_MOVE);
	assert_int_equal(p->move_in, -1);
	assert_int_equal(move_key_check(srv.link_key, cluster, STR_LIT("1001"),
			     clock_wall_ms() + ev->in_ms, ev->key, &claim),
	    0);
	assert_true(claim.cn == s->cn);
	assert_int_equal(claim.away, s->away);
	p->move_in = ev->in_ms;
	str_copy(p->url, sizeof p->url, ev->url);
}

void
room_presence_fill(const struct session *s, struct f_pres *out)
{
	memset(out, 0, sizeof *out);
	out->cn = s->cn;
	out->silent = s->silent;
}

void
relay_pres(struct relay *r, const struct f_pres *pres)
{
	struct session *s = session_find(&srv, pres->cn);

	(void)r;
	assert_int_equal(pres->op, PRES_GONE);
	assert_true(pres->silent);
	assert_non_null(s);
	assert_false(person_of(s)->closed);
	person_of(s)->said_gone++;
}

struct str
session_uid(const struct session *s)
{
	return str_of(user_uid(s->user));
}

struct session *
session_find(struct server *server, uint64_t cn)
{
	struct table_link *e = table_find(&server->sessions,
	    str_n((const char *)&cn, sizeof cn), session_key);

	return e ? container_of(e, struct session, by_cn) : NULL;
}

const struct topology_server *
topology_servers(const struct topology *t, size_t *n)
{
	(void)t;
	*n = n_servers;
	return servers;
}

void
topology_beat_now(struct topology *t)
{
	(void)t;
	n_beats++;
}

static bool linked, active; /* to the config_server, to a proxy */

bool
topology_is_linked(const struct topology *t)
{
	(void)t;
	return linked;
}

bool
relay_has_active(const struct relay *r)
{
	(void)r;
	return active;
}

size_t
relay_unacked(const struct relay *r)
{
	(void)r;
	return unacked;
}

static inline void
on_quit(struct server *server)
{
	(void)server;
	n_quits++;
}

static inline void
on_request(struct httpd *h, struct httpd_conn *c, const struct http_request *rq,
    struct str body)
{
	(void)h;
	(void)rq;
	(void)body;
	httpd_error(c, 404, "nothing here");
}

static const struct httpd_ops http_ops = {.on_request = on_request};

/* --- the test's hand ------------------------------------------------------ */

static inline void
add_server(
    const char *name, const char *state, const char *url, uint32_t weight)
{
	struct topology_server *t = &servers[n_servers++];

	memset(t, 0, sizeof *t);
	str_copy(t->name, sizeof t->name, str_of(name));
	str_copy(t->state, sizeof t->state, str_of(state));
	str_copy(t->direct_url, sizeof t->direct_url, str_of(url));
	t->role = ROLE_MSG;
	t->weight = weight;
}

/* level 0: not logged in */
static inline struct person *
add(unsigned level)
{
	struct person *p = &who[n_people++];

	memset(p, 0, sizeof *p);
	p->move_in = -1;
	p->s.cn = 3ULL << 32 | n_people;
	p->s.level = (uint8_t)level;
	p->s.user = level > 0 ? &user : NULL;
	table_add(&srv.sessions, &p->s.by_cn, session_key);
	srv.n_clients++;
	srv.stats[S_SESSIONS] += level > 0;
	return p;
}

static inline void
leave(struct person *p)
{
	table_del(&srv.sessions, &p->s.by_cn, session_key);
	srv.n_clients--;
	srv.stats[S_SESSIONS] -= p->s.user != NULL;
}

/* time passes, and those who were closed are gone */
static inline void
pass(int64_t ms)
{
	struct session *s, *next;

	now += ms;
	clock_test_set(now, now);
	fx_run_for(&fx, 90);
	SESSION_EACH (&srv.sessions, s, next)
		if (person_of(s)->closed)
			leave(person_of(s));
}

static inline int
setup(void **state)
{
	(void)state;
	memset(&srv, 0, sizeof srv);
	n_people = n_quits = n_beats = 0;
	n_servers = unacked = 0;
	linked = active = true;
	now = 1000000;
	clock_test_set(now, now);
	fx_init(&fx);
	map_init();
	srv.net = fx.net;
	srv.set.name = me;
	srv.set.cluster = cluster;
	srv.set.drain_rate = 10;
	srv.set.drain_within = 30;
	srv.on_quit = on_quit;
	user.channel.name = "u:1001";
	httpd_init(&srv.httpd, fx.net, &http_ops, &srv, 10, 1024);
	srv.drain = drain_new(&srv);
	add_server("ms1", "up", "ws://me/", 1);
	add_server("ms2", "up", "ws://two/", 1);
	return 0;
}

static inline int
teardown(void **state)
{
	struct session *s, *next;

	(void)state;
	SESSION_EACH (&srv.sessions, s, next)
		table_del(&srv.sessions, &s->by_cn, session_key);
	listener_close(&srv.public_listener);
	listener_close(&srv.direct_listener);
	drain_free(srv.drain);
	httpd_fini(&srv.httpd);
	fx_fini(&fx);
	clock_test_set(0, 0);
	return 0;
}

static inline void
job(uint64_t id, const char *kind, const char *args)
{
	struct f_job f = {.id = id, .kind = str_of(kind)};

	if (args != NULL)
		f.args = str_of(args);
	drain_job(srv.drain, &f);
}

static inline struct f_beat
beat(void)
{
	struct f_beat b = {0};

	drain_beat(srv.drain, &b);
	return b;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
