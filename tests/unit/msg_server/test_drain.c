/* SPDX-License-Identifier: MIT */
/*
 * Draining (msg_server/drain.h) on a clock that the test turns: who has which
 * slot, who is waited for and how long, where people are sent, and what breaks
 * it off. Sessions are bare; what lies around them writes down what it is told.
 */
#include "tests/unit/shared/net/fixture.h"

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
	return str_of(s->user->uid);
}

struct session *
session_find(struct server *server, uint64_t cn)
{
	struct session *s;

	HASH_FIND(hh, server->sessions, &cn, sizeof cn, s);
	return s;
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

size_t
relay_unacked(const struct relay *r)
{
	(void)r;
	return unacked;
}

static void
on_quit(struct server *server)
{
	(void)server;
	n_quits++;
}

static void
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

static void
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
static struct person *
add(unsigned level)
{
	struct person *p = &who[n_people++];

	memset(p, 0, sizeof *p);
	p->move_in = -1;
	p->s.cn = 3ULL << 32 | n_people;
	p->s.level = (uint8_t)level;
	p->s.user = level > 0 ? &user : NULL;
	HASH_ADD(hh, srv.sessions, cn, sizeof p->s.cn, &p->s);
	srv.n_clients++;
	srv.stats[S_SESSIONS] += level > 0;
	return p;
}

static void
leave(struct person *p)
{
	HASH_DEL(srv.sessions, &p->s);
	srv.n_clients--;
	srv.stats[S_SESSIONS] -= p->s.user != NULL;
}

/* time passes, and those who were closed are gone */
static void
pass(int64_t ms)
{
	struct session *s, *next;

	now += ms;
	clock_test_set(now, now);
	fx_run_for(&fx, 45);
	HASH_ITER (hh, srv.sessions, s, next)
		if (person_of(s)->closed)
			leave(person_of(s));
}

static int
setup(void **state)
{
	(void)state;
	memset(&srv, 0, sizeof srv);
	n_people = n_quits = n_beats = 0;
	n_servers = unacked = 0;
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
	str_copy(user.uid, sizeof user.uid, STR_LIT("1001"));
	httpd_init(&srv.httpd, fx.net, &http_ops, &srv, 10, 1024);
	srv.drain = drain_new(&srv);
	add_server("ms1", "up", "ws://me/", 1);
	add_server("ms2", "up", "ws://two/", 1);
	return 0;
}

static int
teardown(void **state)
{
	struct session *s, *next;

	(void)state;
	HASH_ITER (hh, srv.sessions, s, next)
		HASH_DEL(srv.sessions, s);
	listener_close(&srv.public_listener);
	listener_close(&srv.direct_listener);
	drain_free(srv.drain);
	httpd_fini(&srv.httpd);
	fx_fini(&fx);
	clock_test_set(0, 0);
	return 0;
}

static void
job(uint64_t id, const char *kind, const char *args)
{
	struct f_job f = {.id = id, .kind = str_of(kind)};

	if (args != NULL)
		f.args = str_of(args);
	drain_job(srv.drain, &f);
}

static struct f_beat
beat(void)
{
	struct f_beat b = {0};

	drain_beat(srv.drain, &b);
	return b;
}

/* --- slots ---------------------------------------------------------------- */

static void
test_slots(void **state)
{
	struct person *p[6], *stranger;
	unsigned i;

	(void)state;
	assert_int_equal(beat().state, BEAT_UP);
	for (i = 0; i < 6; i++) /* 2, 2, 1, 2, 2, 1 */
		p[i] = add(i % 3 == 2 ? 1 : 2);
	stranger = add(0);
	drain_stop(srv.drain, DRAIN_SLOTS);
	assert_true(srv.draining);
	assert_int_equal(n_beats, 1);
	assert_true(stranger->closed);
	assert_int_equal(stranger->code, 4200);
	assert_int_equal(beat().state, BEAT_DRAINING);
	assert_int_equal(beat().left, 7);
	/* told long before: one every 100 ms */
	for (i = 0; i < 6; i++) {
		assert_int_equal(p[i]->move_in, i % 3 == 2 ? -1 : (int)i * 100);
		assert_false(p[i]->closed);
		if (p[i]->s.level > 1)
			assert_string_equal(p[i]->url, "ws://two/");
	}
	pass(199);
	assert_false(p[2]->closed);
	pass(1);
	assert_true(p[2]->closed);
	assert_in_range(p[2]->retry, 1, 500);
	assert_false(p[5]->closed);
	leave(p[0]); /* he has moved */
	pass(300);
	assert_true(p[5]->closed);
	assert_int_equal(beat().moved, 3);
	assert_int_equal(beat().left, 3);
	/* those who do not go: five seconds after their slots */
	pass(4599);
	assert_false(p[1]->closed);
	pass(1);
	assert_true(p[1]->closed);
	assert_false(p[3]->closed);
	pass(300);
	assert_true(p[3]->closed && p[4]->closed);
	pass(40);
	pass(40);
	assert_int_equal(n_quits, 1);
	assert_int_equal(n_beats, 2);
	assert_int_equal(srv.stats[S_MOVES], 4);
	assert_int_equal(srv.stats[S_DRAIN_CLOSED], 6);
}

/* many of them: `move` comes two seconds ahead, not all at once */
static void
test_told_in_time(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 100; i++)
		add(2);
	drain_stop(srv.drain, DRAIN_SLOTS);
	assert_int_equal(who[20].move_in, 2000);
	assert_int_equal(who[21].move_in, -1);
	pass(1000);
	assert_int_equal(who[30].move_in, 2000);
	assert_int_equal(who[31].move_in, -1);
}

/* as fast as the time asks for; whoever is left then goes */
static void
test_within(void **state)
{
	unsigned i, n = 0;

	(void)state;
	for (i = 0; i < 10; i++)
		add(i < 9 ? 1 : 2);
	srv.set.drain_rate = 1;
	srv.set.drain_within = 4;
	drain_stop(srv.drain, DRAIN_SLOTS);
	pass(1000); /* slots in the first half of it */
	for (i = 0; i < 10; i++)
		n += who[i].closed;
	assert_int_equal(n, 6);
	pass(2999);
	assert_false(who[9].closed);
	assert_int_equal(drain_pace(srv.drain), DRAIN_SLOTS);
	pass(1);
	assert_true(who[9].closed);
}

static void
test_busy(void **state)
{
	struct person *a, *b, *c;

	(void)state;
	a = add(1);
	b = add(1);
	c = add(2);
	a->s.pending = 1;
	b->s.asks = 1;
	c->s.logging_in = 1;
	drain_stop(srv.drain, DRAIN_SLOTS);
	pass(300);
	assert_false(a->closed || b->closed);
	a->s.pending = 0;
	pass(1);
	assert_true(a->closed);
	assert_false(b->closed);
	pass(10899);
	assert_false(b->closed || c->closed);
	pass(200); /* it waits no longer than an answer can take */
	assert_true(b->closed);
	assert_false(c->closed);
	c->s.logging_in = 0;
	pass(1);
	assert_true(c->closed);
}

/* --- where to ------------------------------------------------------------- */

static void
test_spread(void **state)
{
	unsigned i, n[3] = {0};

	(void)state;
	add_server("ms3", "up", "ws://three/", 2);
	add_server("ms4", "draining", "ws://four/", 9);
	for (i = 0; i < 300; i++)
		add(2);
	srv.set.drain_rate = 100000;
	for (i = 0; i < 300; i++) {
		/* each a user of his own */
		static struct user users[300];

		who[i].s.user = &users[i];
		str_copy(users[i].uid, sizeof users[i].uid, STR_LIT("1001"));
	}
	drain_stop(srv.drain, DRAIN_SLOTS);
	for (i = 0; i < 300; i++) {
		n[0] += !strcmp(who[i].url, "ws://two/");
		n[1] += !strcmp(who[i].url, "ws://three/");
	}
	/* all of one uid: to one server, up to a quarter over its share */
	assert_int_equal(n[0] + n[1], 300);
	assert_true((n[0] >= 50 && n[0] <= 126) || n[1] >= 250);
	assert_true(n[0] <= 127 && n[1] <= 252);
}

static void
test_no_direct_url(void **state)
{
	struct person *p = add(2);

	(void)state;
	servers[1].direct_url[0] = '\0';
	drain_stop(srv.drain, DRAIN_SLOTS);
	assert_int_equal(p->move_in, 0);
	assert_string_equal(p->url, "");
	assert_int_equal(drain_pace(srv.drain), DRAIN_SLOTS);
}

static void
test_nowhere_to_go(void **state)
{
	struct person *a = add(2), *b = add(1), *c = add(2);

	(void)state;
	strcpy(servers[1].state, "down");
	c->s.pending = 1;
	drain_stop(srv.drain, DRAIN_SLOTS);
	assert_int_equal(drain_pace(srv.drain), DRAIN_AT_ONCE);
	assert_false(a->closed || b->closed);
	assert_int_equal(a->said_gone, 1);
	pass(1);
	assert_true(a->closed && b->closed);
	assert_in_range(a->retry, 1, 2000);
	assert_int_equal(a->move_in, -1);
	/* what is under way has three seconds */
	pass(2998);
	assert_false(c->closed);
	pass(1);
	assert_true(c->closed);
	unacked = 1;
	pass(1);
	pass(1);
	assert_int_equal(n_quits, 0);
	unacked = 0;
	pass(1);
	pass(1);
	assert_int_equal(n_quits, 1);
}

/* the last of the others goes while we drain */
static void
test_left_alone(void **state)
{
	struct person *a = add(2);

	(void)state;
	drain_stop(srv.drain, DRAIN_SLOTS);
	strcpy(servers[1].state, "late"); /* it may only be slow */
	drain_on_topology(srv.drain);
	assert_false(a->closed);
	strcpy(servers[1].state, "draining");
	drain_on_topology(srv.drain);
	pass(1);
	assert_true(a->closed);
}

static void
test_haste(void **state)
{
	struct person *a = add(2), *b = add(1);

	(void)state;
	a->s.pending = b->s.pending = 1;
	drain_stop(srv.drain, DRAIN_AT_ONCE);
	pass(100);
	assert_false(a->closed || b->closed);
	drain_stop(srv.drain, DRAIN_NOW);
	assert_true(a->closed && b->closed);
	unacked = 1; /* not waited for any more */
	pass(1);
	pass(1);
	pass(1);
	assert_int_equal(n_quits, 1);
}

/* --- jobs ----------------------------------------------------------------- */

static void
test_job(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 9; i++)
		add(1);
	job(7, "dance", NULL);
	assert_int_equal(drain_pace(srv.drain), DRAIN_OFF);
	job(7, "drain", "{\"rate\":2,\"within_ms\":600000}");
	assert_int_equal(beat().job, 7);
	pass(1000);
	assert_true(who[2].closed);
	assert_false(who[3].closed);
	job(7, "drain", "{\"rate\":1000}"); /* told again */
	pass(10);
	assert_false(who[3].closed);
	/* a signal in the middle changes nothing but that it can't be aborted
	 */
	drain_stop(srv.drain, DRAIN_SLOTS);
	assert_false(who[3].closed);
	job(7, "abort", NULL);
	assert_int_equal(drain_pace(srv.drain), DRAIN_SLOTS);
}

static void
test_bad_args(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 300; i++)
		add(1);
	job(1, "drain", "{\"rate\":-5,\"within_ms\":\"long\"}");
	/* one a second at least, but in 30 s: 300 of them in 25 */
	pass(12500);
	assert_true(who[149].closed);
	assert_false(who[152].closed);
	assert_int_equal(beat().job, 1);
}

static void
on_accept(struct listener *l, int fd, const struct addr *peer)
{
	(void)l;
	(void)peer;
	close(fd);
}

static void
test_abort(void **state)
{
	struct addr was;
	struct person *a;

	(void)state;
	assert_int_equal(listener_open(&srv.public_listener, fx.net,
			     STR_LIT("127.0.0.1:0"), true, on_accept, NULL),
	    0);
	assert_int_equal(listener_open(&srv.direct_listener, fx.net,
			     STR_LIT("127.0.0.1:0"), false, on_accept, NULL),
	    0);
	was = srv.public_listener.addr;
	add(1);
	a = add(1);
	job(7, "drain", "{\"rate\":1}");
	pass(10);
	assert_true(who[0].closed);
	assert_null(srv.public_listener.io.cb);
	job(8, "abort", NULL);
	assert_int_equal(drain_pace(srv.drain), DRAIN_SLOTS);
	job(7, "abort", NULL);
	assert_int_equal(drain_pace(srv.drain), DRAIN_OFF);
	assert_false(srv.draining);
	assert_non_null(srv.public_listener.io.cb);
	assert_int_equal(addr_port(&srv.public_listener.addr), addr_port(&was));
	assert_int_equal(beat().state, BEAT_UP);
	assert_int_equal(beat().job, 0);
	pass(60000);
	assert_false(a->closed);
	assert_int_equal(n_quits, 0);
	/* and once more */
	job(9, "drain", NULL);
	pass(10);
	assert_true(a->closed);
	pass(10);
	pass(10);
	assert_int_equal(n_quits, 1);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_slots),
	    T(test_told_in_time),
	    T(test_within),
	    T(test_busy),
	    T(test_spread),
	    T(test_no_direct_url),
	    T(test_nowhere_to_go),
	    T(test_left_alone),
	    T(test_haste),
	    T(test_job),
	    T(test_bad_args),
	    T(test_abort),
	};
#undef T

	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
