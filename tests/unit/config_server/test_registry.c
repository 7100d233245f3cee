/* SPDX-License-Identifier: MIT */
/*
 * The table of servers: numbers for ever, one process a name, states by the
 * clock, who is active, who is next.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "config_server/registry.h"
#include "shared/proc/clock.h"

static struct registry reg;
static char last_kind[32], last_srv[64];
static unsigned n_events;
static int64_t now_ms;
static int link_a, link_b, link_c;

static void
on_event(void *arg, const char *kind, const char *srv, const char *detail)
{
	(void)arg;
	assert_non_null(detail);
	n_events++;
	snprintf(last_kind, sizeof last_kind, "%s", kind);
	snprintf(last_srv, sizeof last_srv, "%s", srv);
}

static void
pass(int64_t ms)
{
	now_ms += ms;
	clock_test_set(1000000 + now_ms, now_ms);
}

static int
setup(void **state)
{
	(void)state;
	now_ms = 1000;
	pass(0);
	n_events = 0;
	last_kind[0] = '\0';
	registry_init(&reg, on_event, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	registry_fini(&reg);
	clock_test_set(0, 0);
	return 0;
}

static struct registry_joined
join(const char *name, int role, uint32_t node, uint32_t inc, void *link)
{
	struct registry_joined done;
	struct f_join f = {.name = str_of(name),
	    .role = (uint8_t)role,
	    .node_no = node,
	    .inc = inc,
	    .weight = 1};

	registry_join(&reg, &f, link, &done);
	return done;
}

static struct registry_server *
joined(const char *name, int role, uint32_t node, uint32_t inc, void *link)
{
	struct registry_joined done = join(name, role, node, inc, link);

	assert_non_null(done.server);
	return done.server;
}

static void
beat(struct registry_server *s, uint32_t conns)
{
	struct f_beat b = {.state = 1, .conns = conns};

	registry_beat(&reg, s, &b);
}

static void
test_numbers(void **state)
{
	(void)state;
	assert_int_equal(joined("a", ROLE_MSG, 0, 1, &link_a)->t.node_no, 1);
	assert_int_equal(joined("b", ROLE_MSG, 0, 1, &link_b)->t.node_no, 2);
	/* again, a later process of the same name */
	registry_unlink(&reg, registry_find(&reg, STR_LIT("a")), &link_a);
	assert_int_equal(joined("a", ROLE_MSG, 0, 2, &link_a)->t.node_no, 1);
	/* one that brings its own: kept, and never given to another */
	assert_int_equal(joined("c", ROLE_MSG, 9, 1, &link_c)->t.node_no, 9);
	assert_int_equal(joined("d", ROLE_MSG, 0, 1, NULL)->t.node_no, 10);
	/* the list is by number */
	assert_string_equal(reg.list[2]->t.name, "c");
	assert_string_equal(reg.list[3]->t.name, "d");
}

/* topology.db is lost or old: who knows his number keeps it */
static void
test_brought_back(void **state)
{
	struct topology_server old = {
	    .name = "b", .role = ROLE_MSG, .node_no = 7, .state = "up"};

	(void)state;
	assert_int_equal(registry_restore(&reg, &old, 0, 1), 0);
	assert_int_equal(joined("a", ROLE_MSG, 5, 1, &link_a)->t.node_no, 5);
	assert_int_equal(joined("b", ROLE_MSG, 6, 1, &link_b)->t.node_no, 6);
	assert_string_equal(last_kind, "join");
	/* the number of another: only the newcomer gets a new one */
	assert_int_equal(joined("c", ROLE_MSG, 5, 1, &link_c)->t.node_no, 8);
	assert_int_equal(registry_find(&reg, STR_LIT("a"))->t.node_no, 5);
	/* out of range */
	assert_int_equal(
	    joined("d", ROLE_MSG, UINT32_MAX, 1, NULL)->t.node_no, 9);
	assert_int_equal(
	    joined("e", ROLE_MSG, REGISTRY_NODE_MAX, 1, NULL)->t.node_no,
	    REGISTRY_NODE_MAX);
	assert_int_equal(joined("f", ROLE_MSG, 0, 1, NULL)->t.node_no,
	    1); /* the top is taken: the lowest free */
}

static void
test_same_name(void **state)
{
	struct registry_joined done;
	struct registry_server *s;

	(void)state;
	s = joined("a", ROLE_MSG, 0, 5, &link_a);
	done = join("a", ROLE_MSG, 0, 5, &link_b);
	assert_null(done.server);
	assert_int_equal(done.code, 409);
	assert_string_equal(last_kind, "refused");
	assert_null(join("a", ROLE_MSG, 0, 4, &link_b).server);
	assert_null(join("a", ROLE_PROXY, 0, 9, &link_b).server);
	assert_ptr_equal(s->link, &link_a);
	/* the higher boot counter wins */
	done = join("a", ROLE_MSG, 0, 6, &link_b);
	assert_ptr_equal(done.server, s);
	assert_ptr_equal(done.replaced, &link_a);
	assert_ptr_equal(s->link, &link_b);
	/* the end of the old link means nothing any more */
	registry_unlink(&reg, s, &link_a);
	assert_ptr_equal(s->link, &link_b);
	/* not linked: whoever comes is it, also with a lost counter */
	registry_unlink(&reg, s, &link_b);
	assert_non_null(join("a", ROLE_MSG, 0, 1, &link_c).server);
}

static void
test_bad_join(void **state)
{
	struct registry_joined done;
	struct f_join f = {.name = STR_LIT("a"), .role = ROLE_MSG};
	char text[ADDR_TEXT_MAX + 1];

	(void)state;
	assert_null(join("a b", ROLE_MSG, 0, 1, NULL).server);
	assert_null(join("", ROLE_MSG, 0, 1, NULL).server);
	assert_null(join("a", ROLE_CTL, 0, 1, NULL).server);
	f.link = STR_LIT("127.0.0.1:1\n");
	registry_join(&reg, &f, NULL, &done);
	assert_null(done.server);
	assert_int_equal(done.code, 400);
	memset(text, 'x', sizeof text);
	f.link = str_n(text, ADDR_TEXT_MAX);
	registry_join(&reg, &f, NULL, &done);
	assert_null(done.server);
	f.link = str_n(text, ADDR_TEXT_MAX - 1);
	registry_join(&reg, &f, NULL, &done);
	assert_non_null(done.server);
	assert_int_equal(reg.n, 1);
}

static void
test_full(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i < TOPOLOGY_SERVERS_MAX; i++) {
		snprintf(name, sizeof name, "s%d", i);
		joined(name, ROLE_MSG, 0, 1, NULL);
	}
	assert_int_equal(join("more", ROLE_MSG, 0, 1, NULL).code, 503);
	assert_non_null(join("s5", ROLE_MSG, 0, 2, NULL).server);
}

static void
test_states(void **state)
{
	struct f_beat drain = {.state = 2};
	struct registry_server *s;

	(void)state;
	s = joined("a", ROLE_MSG, 0, 1, &link_a);
	assert_true(registry_commit(&reg));
	assert_int_equal(reg.ver, 1);
	pass(2999);
	registry_tick(&reg);
	assert_int_equal(s->state, STATE_UP);
	assert_false(registry_commit(&reg)); /* nothing changed */
	pass(1);
	registry_tick(&reg);
	assert_int_equal(s->state, STATE_LATE);
	assert_string_equal(s->t.state, "late");
	assert_string_equal(last_kind, "late");
	assert_true(registry_commit(&reg));
	n_events = 0;
	registry_tick(&reg);
	assert_int_equal(n_events, 0); /* said once */
	beat(s, 3);
	assert_int_equal(s->state, STATE_UP);
	assert_int_equal(s->since_ms, 1000000 + now_ms);
	registry_beat(&reg, s, &drain);
	assert_int_equal(s->state, STATE_DRAINING);
	pass(9999);
	registry_tick(&reg);
	assert_int_equal(s->state, STATE_LATE);
	pass(1);
	registry_tick(&reg);
	assert_int_equal(s->state, STATE_DOWN);
	assert_string_equal(last_kind, "down");
	/* silent for long before anybody looked: down at once */
	beat(s, 0);
	pass(60000);
	registry_tick(&reg);
	assert_int_equal(s->state, STATE_DOWN);
	/* a join is a beat */
	joined("a", ROLE_MSG, 0, 2, &link_a);
	assert_int_equal(s->state, STATE_UP);
}

static void
report(struct registry_server *s, uint64_t gen, const char *ep, bool active)
{
	struct f_report f = {.gen = gen, .ep = str_of(ep), .active = active};

	registry_report(&reg, s, &f);
}

static void
test_active(void **state)
{
	struct registry_server *p, *q, *m;

	(void)state;
	p = joined("p", ROLE_PROXY, 0, 1, &link_a);
	q = joined("q", ROLE_PROXY, 0, 1, &link_b);
	m = joined("m", ROLE_MSG, 0, 1, &link_c);
	assert_null(registry_active(&reg));
	report(m, 99, "aaaaaaaa", true); /* not its business */
	assert_string_equal(reg.active, "");
	report(p, 4, "9f3a01c2", true);
	report(q, 0, NULL, false);
	assert_ptr_equal(registry_active(&reg), p);
	assert_string_equal(reg.ep, "9f3a01c2");
	assert_string_equal(last_kind, "active");
	/* takeover while the old one is still linked */
	report(q, 5, "9f3a01c2", true);
	assert_ptr_equal(registry_active(&reg), q);
	assert_int_equal(reg.gen, 5);
	/* an older claim changes nothing */
	report(p, 4, "9f3a01c2", true);
	assert_ptr_equal(registry_active(&reg), q);
	/* q is gone, p has not taken over: nobody can be asked */
	report(p, 4, NULL, false);
	registry_unlink(&reg, q, &link_b);
	assert_null(registry_active(&reg));
	assert_string_equal(reg.active, "q"); /* as reported last */
	/* a new log begins at a lower gen: told, and followed */
	report(p, 1, "00000001", true);
	assert_ptr_equal(registry_active(&reg), p);
	assert_int_equal(reg.gen, 1);
	assert_string_equal(last_kind, "ep");
}

static void
test_next(void **state)
{
	struct registry_server *a, *b, *c, *d, *out[4];
	const char *first;

	(void)state;
	assert_int_equal(registry_next(&reg, STR_NONE, out, 4), 0);
	a = joined("a", ROLE_MSG, 0, 1, &link_a);
	b = joined("b", ROLE_MSG, 0, 1, &link_b);
	c = joined("c", ROLE_MSG, 0, 1, &link_c);
	d = joined("d", ROLE_MSG, 0, 1, &reg);
	joined("p", ROLE_PROXY, 0, 1, &now_ms);
	beat(a, 10);
	beat(b, 20);
	beat(c, 5);
	beat(d, 1);
	b->t.weight = 10;
	registry_unlink(&reg, d, &reg); /* its link is gone: not offered */
	assert_int_equal(registry_next(&reg, STR_LIT("u"), out, 4), 3);
	assert_ptr_equal(out[0], b); /* 20 / 10 */
	assert_ptr_equal(out[1], c);
	assert_ptr_equal(out[2], a);
	assert_int_equal(registry_next(&reg, STR_LIT("u"), out, 1), 1);
	/* equals: by the user, the same each time, not all to one */
	b->t.weight = 1;
	beat(a, 1);
	beat(b, 1);
	beat(c, 1);
	registry_next(&reg, STR_LIT("u1"), out, 4);
	first = out[0]->t.name;
	for (int i = 0; i < 20; i++) {
		registry_next(&reg, STR_LIT("u1"), out, 4);
		assert_string_equal(out[0]->t.name, first);
	}
	for (int i = 0, hits = 0; i < 64; i++) {
		char uid[16];

		snprintf(uid, sizeof uid, "u%d", i);
		registry_next(&reg, str_of(uid), out, 4);
		hits += out[0] == a;
		if (i == 63)
			assert_in_range(hits, 8, 40);
	}
	/* who was sent counts until the next beat tells of him */
	for (int i = 0; i < 30; i++) {
		registry_next(&reg, STR_NONE, out, 4);
		out[0]->sent++;
	}
	assert_int_equal(a->sent, 10);
	assert_int_equal(b->sent, 10);
	beat(a, 5);
	assert_int_equal(a->sent, 0);
	registry_next(&reg, STR_NONE, out, 4);
	assert_ptr_equal(out[0], a);
	/* late and draining ones are not offered */
	c->state = STATE_DRAINING;
	a->state = STATE_LATE;
	assert_int_equal(registry_next(&reg, STR_NONE, out, 4), 1);
	assert_ptr_equal(out[0], b);
}

static bool
has(const struct registry_problem *p, size_t n, const char *kind,
    const char *srv)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(p[i].kind, kind) && !strcmp(p[i].srv, srv))
			return true;
	return false;
}

static void
test_check(void **state)
{
	struct registry_problem p[16];
	struct registry_server *s;
	size_t n;

	(void)state;
	n = registry_check(&reg, p, 16);
	assert_true(has(p, n, "no_owner", ""));
	assert_true(has(p, n, "no_msg_server", ""));
	joined("m", ROLE_MSG, 0, 1, &link_a);
	report(joined("p", ROLE_PROXY, 0, 1, &link_b), 2, NULL, true);
	assert_int_equal(registry_check(&reg, p, 16), 0);
	report(joined("q", ROLE_PROXY, 0, 1, &link_c), 1, NULL, true);
	s = joined("old", ROLE_MSG, 0, 1, &reg);
	str_copy(s->t.version, sizeof s->t.version, STR_LIT("0.0.9"));
	s = joined("gone", ROLE_MSG, 0, 1, NULL);
	s->state = STATE_DOWN;
	joined("cut", ROLE_MSG, 0, 1, NULL);
	n = registry_check(&reg, p, 16);
	assert_true(has(p, n, "two_owners", "p"));
	assert_true(has(p, n, "version_mix", "old"));
	assert_true(has(p, n, "down", "gone"));
	assert_true(has(p, n, "dead_link", "cut"));
	assert_int_equal(n, 4);
	assert_int_equal(registry_check(&reg, p, 2), 2);
}

static void
test_forget(void **state)
{
	struct registry_server *s;

	(void)state;
	s = joined("a", ROLE_MSG, 0, 1, &link_a);
	joined("b", ROLE_MSG, 0, 1, &link_b);
	assert_int_equal(registry_forget(&reg, "x"), ERR_NOTFOUND);
	assert_int_equal(registry_forget(&reg, "a"), ERR_BUSY);
	registry_unlink(&reg, s, &link_a);
	assert_int_equal(registry_forget(&reg, "a"), ERR_BUSY);
	s->state = STATE_DOWN;
	assert_int_equal(registry_forget(&reg, "a"), 0);
	assert_int_equal(reg.n, 1);
	assert_int_equal(joined("c", ROLE_MSG, 0, 1, NULL)->t.node_no, 3);
}

static void
test_restore(void **state)
{
	struct topology_server t = {
	    .name = "a", .role = ROLE_MSG, .node_no = 3, .state = "late"};

	(void)state;
	assert_int_equal(registry_restore(&reg, &t, 7, 123), 0);
	assert_int_equal(reg.list[0]->state, STATE_LATE);
	assert_int_equal(reg.list[0]->since_ms, 123);
	assert_int_equal(registry_restore(&reg, &t, 7, 123), ERR_EXISTS);
	str_copy(t.name, sizeof t.name, STR_LIT("b"));
	assert_int_equal(registry_restore(&reg, &t, 7, 123), ERR_EXISTS);
	t.node_no = 0;
	assert_int_equal(registry_restore(&reg, &t, 7, 123), ERR_INVALID);
	/* it has the usual time to come back */
	str_copy(reg.list[0]->t.state, 12, STR_LIT("up"));
	reg.list[0]->state = STATE_UP;
	pass(2999);
	registry_tick(&reg);
	assert_int_equal(reg.list[0]->state, STATE_UP);
	registry_restore_active(&reg, "p", 5, "9f3a01c2", 1);
	registry_restore_active(&reg, "q", 4, "00000000", 1);
	assert_string_equal(reg.active, "p");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {T(test_numbers),
	    T(test_brought_back), T(test_same_name), T(test_bad_join),
	    T(test_full), T(test_states), T(test_active), T(test_next),
	    T(test_check), T(test_forget), T(test_restore)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
