/* SPDX-License-Identifier: MIT */
/*
 * Draining (msg_server/drain.h): who has which slot, who is waited for and how
 * long, and where people are sent.
 */
#include "tests/unit/msg_server/drain_fixture.h"

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

/* the machine goes down, and nobody says that the others go as well */
static void
test_alone(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 40; i++)
		add(2);
	drain_stop(srv.drain, DRAIN_SLOTS);
	linked = false; /* one of both is enough */
	pass(2000);
	active = false; /* a takeover is no reason */
	pass(999);
	active = true;
	pass(20);
	active = false;
	pass(999);
	assert_int_equal(drain_pace(srv.drain), DRAIN_SLOTS);
	assert_false(who[39].closed);
	pass(1);
	assert_int_equal(drain_pace(srv.drain), DRAIN_AT_ONCE);
	pass(20);
	for (i = 0; i < 40; i++)
		assert_true(who[i].closed);
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
		users[i].channel.name = "u:1001";
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

/* what is on its way to the log is waited for before anybody is closed */
static void
test_what_was_said(void **state)
{
	struct person *a = add(2), *b = add(2);

	(void)state;
	unacked = 1;
	drain_stop(srv.drain, DRAIN_AT_ONCE);
	pass(499);
	assert_false(a->closed || b->closed);
	assert_int_equal(a->said_gone, 0);
	unacked = 0;
	pass(1);
	assert_true(a->closed && b->closed);
}

static void
test_what_takes_too_long(void **state)
{
	struct person *a = add(2);

	(void)state;
	unacked = 1;
	drain_stop(srv.drain, DRAIN_AT_ONCE);
	pass(499);
	assert_int_equal(a->said_gone, 0);
	pass(1);
	assert_true(a->closed);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_slots),
	    T(test_told_in_time),
	    T(test_within),
	    T(test_alone),
	    T(test_busy),
	    T(test_spread),
	    T(test_no_direct_url),
	    T(test_nowhere_to_go),
	    T(test_what_was_said),
	    T(test_what_takes_too_long),
	    T(test_left_alone),
	    T(test_haste),
	};

	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
