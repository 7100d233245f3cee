/* SPDX-License-Identifier: MIT */
/*
 * Cursors (msg_server/replay.h): joining, resuming, lagging, and what may
 * happen in between, case by case.
 */
#include "tests/unit/msg_server/follow/replay_fixture.h"

/* --- joining ------------------------------------------------------------ */

static void
test_join_live(void **state)
{
	struct model *m = model_new("r:12", 10);
	struct fake a, b;
	struct join *j;

	(void)state;
	make_live(&a, m);
	fake_open(&b, 2);
	j = enter(&b, m, NULL, 0, true);
	bring(m, 1); /* comes before the answer: is not part of it */
	assert_int_equal(b.frames, 0);
	run_tasks();
	assert_int_equal(j->joined, 1);
	assert_int_equal(j->synced, 1);
	assert_int_equal(j->res.head, 11);
	assert_true(j->res.full);
	bring(m, 3);
	assert_int_equal(a.frames, 4);
	assert_int_equal(b.frames, 3);
	free(j);
	fake_close(&a);
	fake_close(&b);
}

static void
test_resume_pages_up(void **state)
{
	struct model *m = model_new("r:12", 1000);
	struct fake a, b;
	struct join *j;

	(void)state;
	make_live(&a, m);
	fake_open(&b, 2);
	j = enter(&b, m, m->ep, 500, true);
	run_tasks();
	assert_int_equal(j->res.n, 500);
	assert_int_equal(j->res.from, 501);
	assert_true(j->res.full);
	bring(m, 10); /* live meanwhile: not before its turn */
	assert_int_equal(b.frames, 0);
	while (asks) {
		assert_int_equal(n_asks, 1);
		assert_int_equal(j->synced, 0);
		model_answer(200);
		drain(&b);
		bring(m, 1);
	}
	assert_int_equal(j->synced, 1);
	bring(m, 1);
	assert_int_equal(b.at[0].next, m->head + 1);
	free(j);
	fake_close(&a);
	fake_close(&b);
}

static void
test_resume_older_than_retention(void **state)
{
	struct model *m = model_new("r:12", 100);
	struct fake a, b;
	struct join *j;

	(void)state;
	m->first = 50;
	make_live(&a, m);
	fake_open(&b, 2);
	j = enter(&b, m, m->ep, 20, true);
	run_tasks();
	assert_false(j->res.full);
	assert_int_equal(j->res.from, 50);
	assert_int_equal(j->res.n, 51);
	/* and retention goes on before it is read */
	m->first = 60;
	while (asks)
		model_answer(20);
	assert_int_equal(b.at[0].gaps, 1);
	assert_int_equal(b.at[0].next, 101);
	free(j);
	fake_close(&b);
	/* what that page told is known to the next who comes */
	fake_open(&b, 2);
	j = enter(&b, m, m->ep, 55, true);
	run_tasks();
	assert_false(j->res.full);
	assert_int_equal(j->res.from, 60);
	assert_int_equal(j->res.n, 41);
	while (asks)
		model_answer(100);
	assert_int_equal(b.at[0].gaps, 0);
	assert_int_equal(b.at[0].next, 101);
	free(j);
	fake_close(&a);
	fake_close(&b);
}

static void
test_resume_of_another_history(void **state)
{
	struct model *m = model_new("r:12", 100);
	struct fake a, b;
	struct join *j;

	(void)state;
	make_live(&a, m);
	fake_open(&b, 2);
	j = enter(&b, m, "00000001", 20, true);
	run_tasks();
	assert_false(j->res.full);
	assert_string_equal(j->res.ep, m->ep);
	assert_int_equal(j->synced, 1);
	assert_null(asks);
	bring(m, 1);
	assert_int_equal(b.at[0].next, 102);
	free(j);
	fake_close(&a);
	fake_close(&b);
}

/* he comes from a server that was quicker than this one */
static void
test_resume_ahead_of_us(void **state)
{
	struct model *m = model_new("r:12", 100);
	struct fake a, b;
	struct join *j;

	(void)state;
	make_live(&a, m);
	m->head = 105; /* on their way to us */
	fake_open(&b, 2);
	j = enter(&b, m, m->ep, 103, true);
	run_tasks();
	assert_int_equal(j->joined, 0);
	assert_int_equal(n_asks, 1);
	assert_null(room_member(&b.s, STR_LIT("12")));
	model_answer(1);
	assert_int_equal(j->joined, 1);
	assert_true(j->res.full);
	assert_int_equal(j->res.head, 103);
	assert_int_equal(j->synced, 1);
	for (uint64_t seq = 101; seq <= 105; seq++)
		model_send(m, seq);
	assert_int_equal(a.frames, 5);
	assert_int_equal(b.frames, 2);
	free(j);
	fake_close(&a);
	fake_close(&b);
}

static void
test_resume_ahead_of_the_log(void **state)
{
	struct model *m = model_new("r:12", 100);
	struct fake a, b, c, d;
	struct join *j, *k, *l;

	(void)state;
	make_live(&a, m);
	fake_open(&b, 2);
	fake_open(&c, 2);
	fake_open(&d, 2);
	j = enter(&b, m, m->ep, 1ULL << 50, true);
	k = enter(&c, m, m->ep, 101, true);
	l = enter(&d, m, m->ep, 101, true);
	run_tasks();
	model_answer(1);
	assert_false(j->res.full);
	assert_int_equal(j->res.head, 100);
	fake_close(&c); /* gone while the log is asked */
	assert_int_equal(k->lost, 1);
	model_answer(1);
	model_answer(0); /* no proxy */
	assert_int_equal(l->res.code, 503);
	assert_null(d.s.members);
	bring(m, 1);
	assert_int_equal(b.at[0].next, 102);
	free(j);
	free(k);
	free(l);
	fake_close(&a);
	fake_close(&b);
	fake_close(&d);
}

static void
test_refused_without_a_proxy(void **state)
{
	struct model *m = model_new("r:12", 1), *u = model_new("u:1001", 0);
	struct fake a;
	struct join *j, *k;

	(void)state;
	linked = false;
	fake_open(&a, 2);
	j = enter(&a, u, NULL, 0, true);
	k = enter(&a, m, NULL, 0, true);
	assert_null(room_member(&a.s, STR_LIT("12")));
	channel_give_up(model_channel(u), INT64_MAX);
	channel_give_up(model_channel(m), INT64_MAX);
	assert_int_equal(j->res.code, 503);
	assert_int_equal(k->res.code, 503);
	assert_null(a.s.user);
	assert_null(a.s.members);
	/* the next try finds the same channels */
	free(j);
	free(k);
	j = enter(&a, u, NULL, 0, true);
	linked = true;
	channel_subscribe(model_channel(u));
	model_subbed(u);
	assert_int_equal(j->synced, 1);
	free(j);
	fake_close(&a);
}

/* --- lagging ------------------------------------------------------------ */

static void
test_lag_and_back(void **state)
{
	struct model *m = model_new("r:12", 0);
	struct fake a, b;

	(void)state;
	make_live(&a, m);
	make_live(&b, m);
	run_tasks();
	b.weight = 4096;
	bring(m, 1000);
	assert_int_equal(a.frames, 1000);
	assert_true(b.most <= QUEUE_LAG + b.weight);
	assert_int_equal(srv.stats[S_LAGGED], 1);
	assert_null(asks); /* nothing is read for who can't take it */
	run_tasks();	   /* the look: still full */
	assert_null(asks);
	while (b.at[0].next <= m->head) {
		drain(&b);
		while (asks)
			model_answer(16);
		assert_true(b.most <= QUEUE_LAG + b.weight);
	}
	drain(&b);
	a.frames = b.frames = 0;
	bring(m, 5);
	assert_int_equal(a.frames, 5);
	assert_int_equal(b.frames, 5);
	fake_close(&a);
	fake_close(&b);
}

/* the kernel takes the full queue whole: nobody is told of a drain */
static void
test_lag_without_a_drain(void **state)
{
	struct model *m = model_new("r:12", 0);
	struct fake a;

	(void)state;
	make_live(&a, m);
	a.weight = 40000;
	bring(m, 10);
	assert_true(a.at[0].next <= 8);
	a.queued = 0;
	a.weight = 100;
	run_tasks();
	assert_int_equal(n_asks, 1);
	model_answer(200);
	assert_int_equal(a.at[0].next, 11);
	assert_null(asks);
	fake_close(&a);
}

/* a client in many rooms that reads nothing must not drown in its pages */
static void
test_lag_in_many_rooms(void **state)
{
	struct model *m[6];
	struct fake a;
	unsigned i;

	(void)state;
	fake_open(&a, 2);
	for (i = 0; i < 6; i++) {
		char name[8];

		snprintf(name, sizeof name, "r:%u", i + 1);
		m[i] = model_new(name, 0);
		enter(&a, m[i], NULL, 0, false);
		model_subbed(m[i]);
	}
	a.weight = 4096;
	for (i = 0; i < 6; i++)
		bring(m[i], 200);
	a.most = 0;
	for (unsigned turn = 0; turn < 2000; turn++) {
		a.queued -= a.queued / 4;
		if (a.queued < QUEUE_LAG / 4)
			drain(&a);
		assert_true(n_asks <= 1); /* one page a session */
		while (asks)
			model_answer(16);
		bring(m[turn % 6], turn < 1000);
		run_tasks();
		assert_true(a.most <= QUEUE_LAG + a.weight);
	}
	for (i = 0; i < 6; i++)
		assert_int_equal(a.at[i].next, m[i]->head + 1);
	fake_close(&a);
}

/* one room that never ends being behind does not starve the others */
static void
test_pages_are_dealt_in_turn(void **state)
{
	struct model *busy = model_new("r:1", 100000),
		     *m = model_new("r:2", 900), *u = model_new("u:1001", 50);
	struct fake a;

	(void)state;
	fake_open(&a, 2);
	enter(&a, u, u->ep, 0, false);
	enter(&a, m, m->ep, 0, false);
	enter(&a, busy, busy->ep, 0, false);
	model_subbed(u);
	model_subbed(m);
	model_subbed(busy);
	for (unsigned i = 0; i < 12; i++) {
		a.queued = 0;
		model_answer(200);
	}
	assert_int_equal(a.at[m - models].next, 901);
	assert_int_equal(a.at[u - models].next, 51);
	assert_true(a.at[busy - models].next > 1000);
	fake_close(&a);
}

/* all queues together: who has more than his share lags */
static void
test_lag_for_all(void **state)
{
	struct model *m = model_new("r:12", 0);
	struct fake a, b;

	(void)state;
	make_live(&a, m);
	make_live(&b, m);
	run_tasks();
	b.queued = 100000;
	srv.n_clients = 5000; /* a share is 46,976 */
	net.queued = 224ULL * 1024 * 1024;
	bring(m, 1);
	assert_int_equal(b.frames, 1);
	net.queued++;
	bring(m, 1);
	assert_int_equal(a.frames, 2);
	assert_int_equal(b.frames, 1);
	srv.n_clients = 2;
	net.queued = 0;
	drain(&b);
	model_answer(200);
	assert_int_equal(b.frames, 2);
	fake_close(&a);
	fake_close(&b);
}

/* version 1 lags and comes back by the same way, without its own words */
static void
test_lag_of_version_1(void **state)
{
	struct model *m = model_new("r:12", 0);
	struct fake a, b;

	(void)state;
	make_live(&a, m);
	fake_open(&b, 1);
	enter(&b, m, NULL, 0, false);
	run_tasks();
	b.weight = 4096;
	bring(m, 300);
	while (b.at[0].next <= m->head) {
		drain(&b);
		while (asks)
			model_answer(16);
	}
	assert_int_equal(b.frames, 300);
	fake_close(&a);
	fake_close(&b);
}

/* --- races -------------------------------------------------------------- */

/* the page of a membership that is over is not the new one's */
static void
test_left_and_joined_again(void **state)
{
	struct model *m = model_new("r:12", 1000);
	struct fake a, b;

	(void)state;
	make_live(&a, m);
	fake_open(&b, 2);
	enter(&b, m, m->ep, 100, false);
	run_tasks();
	assert_int_equal(n_asks, 1);
	room_leave(&srv, &b.s, STR_LIT("12"));
	enter(&b, m, m->ep, 900, false);
	run_tasks();
	model_answer(200); /* of the first: 101.. */
	assert_int_equal(b.frames, 0);
	model_answer(200);
	assert_int_equal(b.at[0].next, 1001);
	bring(m, 1);
	fake_close(&a);
	fake_close(&b);
}

/* a session that failed to log in and is somebody else now */
static void
test_page_of_another_user(void **state)
{
	struct model *u = model_new("u:1001", 100),
		     *v = model_new("u:1002", 100);
	struct fake a, b, c;

	(void)state;
	make_live(&b, u);
	make_live(&c, v);
	fake_open(&a, 2);
	enter(&a, u, u->ep, 1, false);
	run_tasks();
	assert_int_equal(n_asks, 1);
	room_detach(&srv, &a.s, true);
	enter(&a, v, v->ep, 90, false);
	run_tasks();
	model_answer(200);
	assert_int_equal(a.frames, 0);
	model_answer(200);
	assert_int_equal(a.at[1].next, 101);
	/* live as that one, it is not so as the next until told */
	room_detach(&srv, &a.s, true);
	enter(&a, u, NULL, 0, false);
	a.frames = 0;
	bring(u, 1);
	assert_int_equal(a.frames, 0);
	run_tasks();
	bring(u, 1);
	assert_int_equal(a.frames, 1);
	fake_close(&a);
	fake_close(&b);
	fake_close(&c);
}

/* the log begins anew while a page is under way */
static void
test_other_history_while_paging(void **state)
{
	struct model *m = model_new("r:12", 1000);
	struct fake a, b;
	struct join *j;

	(void)state;
	make_live(&a, m);
	fake_open(&b, 2);
	j = enter(&b, m, m->ep, 100, true);
	run_tasks();
	str_copy(m->ep, sizeof m->ep, STR_LIT("00000001"));
	m->head = 400;
	/* the page is quicker than the SUBBED */
	model_answer(200);
	assert_int_equal(b.frames, 0);
	model_subbed(m);
	run_tasks();
	while (asks)
		model_answer(200);
	assert_int_equal(j->synced, 1);
	assert_int_equal(a.at[0].lost, 1);
	assert_int_equal(b.at[0].lost, 1);
	bring(m, 2);
	assert_int_equal(a.at[0].next, 403);
	assert_int_equal(b.at[0].next, 403);
	free(j);
	fake_close(&a);
	fake_close(&b);
}

static void
leave_at_once(struct join *j)
{
	room_leave(&srv, &j->who->s, STR_LIT("12"));
}

static void
test_closed_in_its_own_answer(void **state)
{
	struct model *m = model_new("r:12", 5);
	struct join *j;
	struct fake a;

	(void)state;
	fake_open(&a, 2);
	j = fake_join(&a, m, NULL, 0, true, leave_at_once);
	model_subbed(m);
	assert_int_equal(j->joined, 1);
	assert_int_equal(j->lost, 1);
	assert_int_equal(pres.n_add, 0); /* it was never in */
	assert_null(a.s.members);
	free(j);
	fake_close(&a);
}

static void
test_joined_twice(void **state)
{
	struct model *m = model_new("r:12", 5);
	struct join *j, *k, *l;
	struct fake a;

	(void)state;
	fake_open(&a, 2);
	j = enter(&a, m, NULL, 0, true);
	k = fake_join(&a, m, NULL, 0, true, NULL); /* the first is under way */
	run_tasks();
	assert_int_equal(k->res.code, 409);
	model_subbed(m);
	assert_int_equal(j->synced, 1);
	l = fake_join(&a, m, NULL, 0, true, NULL);
	run_tasks();
	assert_int_equal(l->res.code, 200);
	assert_int_equal(l->res.head, 5);
	assert_int_equal(l->synced, 1);
	free(j);
	free(k);
	free(l);
	fake_close(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, core_teardown)
	    T(test_join_live), T(test_resume_pages_up),
	    T(test_resume_older_than_retention),
	    T(test_resume_of_another_history), T(test_resume_ahead_of_us),
	    T(test_resume_ahead_of_the_log), T(test_refused_without_a_proxy),
	    T(test_lag_and_back), T(test_lag_without_a_drain),
	    T(test_lag_in_many_rooms), T(test_pages_are_dealt_in_turn),
	    T(test_lag_for_all), T(test_lag_of_version_1),
	    T(test_left_and_joined_again), T(test_page_of_another_user),
	    T(test_other_history_while_paging),
	    T(test_closed_in_its_own_answer), T(test_joined_twice)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
