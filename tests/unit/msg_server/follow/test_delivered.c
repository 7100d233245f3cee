/* SPDX-License-Identifier: MIT */
/*
 * How far a user has been given his private traffic (follow/delivered.h): when
 * it is said, what counts, and what is said again.
 */
#include "tests/unit/shared/net/fixture.h"

/* behind it, as it has an `out` for all to see */
#include "msg_server/follow/delivered.h"
#include "tests/unit/msg_server/core_fixture.h"

static struct fx fx;
static struct fake a, b;
static struct model *m;

static int
setup(void **state)
{
	core_setup(state);
	fx_init(&fx);
	srv.net = fx.net;
	srv.delivered = delivered_new(&srv);
	n_raised = 0;
	raised[0] = '\0';
	relay.gen = 1;
	m = model_new("u:2", 10);
	fake_open(&a, 1);
	fake_open(&b, 2);
	a.weight = b.weight = 0;
	return 0;
}

static int
teardown(void **state)
{
	int r;

	fake_close(&a);
	fake_close(&b);
	r = core_teardown(state);
	delivered_free(srv.delivered);
	srv.delivered = NULL;
	fx_fini(&fx);
	return r;
}

/* f becomes a session of the user, from useq `from` on; UINT64_MAX: the head */
static void
enter(struct fake *f, uint64_t from)
{
	fake_join(f, m, from == UINT64_MAX ? NULL : m->ep,
	    from == UINT64_MAX ? 0 : from, false, NULL);
	model_subbed(m);
	run_tasks();
	while (asks) {
		model_answer(200);
		run_tasks();
	}
}

static void
item(void)
{
	m->sent = ++m->head;
	model_send(m, m->head);
}

static void
test_once_a_second(void **state)
{
	(void)state;
	enter(&a, 10);
	for (int i = 0; i < 5; i++)
		item();
	assert_int_equal(n_raised, 0);
	FX_WAIT(&fx, 3000, n_raised == 1);
	assert_string_equal(raised, "u:2 d=15 9f3a01c2");
	/* nothing new: not again */
	fx_run_for(&fx, 1200);
	assert_int_equal(n_raised, 1);
	/* at the end of a session at once */
	item();
	delivered_leave(&srv, &a.s);
	assert_int_equal(n_raised, 2);
	assert_string_equal(raised, "u:2 d=16 9f3a01c2");
}

static void
test_backlog(void **state)
{
	(void)state;
	enter(&a, 3);
	assert_int_equal(a.frames, 7);
	FX_WAIT(&fx, 3000, n_raised == 1);
	assert_string_equal(raised, "u:2 d=10 9f3a01c2");
}

/* what waits for him here or on the wire he has not */
static void
test_not_taken(void **state)
{
	(void)state;
	enter(&a, 10);
	a.weight = 100;
	item();
	fx_run_for(&fx, 1200);
	delivered_leave(&srv, &a.s);
	assert_int_equal(n_raised, 0);
	a.queued = 0;
	FX_WAIT(&fx, 3000, n_raised == 1);
	assert_string_equal(raised, "u:2 d=11 9f3a01c2");
	/* ended without order: it will be said by nobody */
	item();
	fake_close(&a);
	fx_run_for(&fx, 1200);
	assert_int_equal(n_raised, 1);
}

/* the furthest device counts; one that began at the head only from then on */
static void
test_devices(void **state)
{
	(void)state;
	enter(&b, UINT64_MAX);
	fx_run_for(&fx, 1200);
	delivered_leave(&srv, &b.s);
	assert_int_equal(n_raised, 0);
	a.weight = 100; /* takes nothing */
	enter(&a, 3);
	fx_run_for(&fx, 1200);
	assert_int_equal(n_raised, 0);
	item();
	FX_WAIT(&fx, 3000, n_raised == 1);
	assert_string_equal(raised, "u:2 d=11 9f3a01c2");
	a.queued = 0;
}

static void
test_proxies_change(void **state)
{
	(void)state;
	enter(&a, 10);
	linked = false;
	item();
	fx_run_for(&fx, 1200);
	assert_int_equal(n_raised, 0);
	linked = true;
	FX_WAIT(&fx, 3000, n_raised == 1);
	/* it may be lost with the proxy it was said to, also of one who left */
	item();
	delivered_leave(&srv, &a.s);
	fake_close(&a);
	assert_int_equal(n_raised, 2);
	relay.gen = 2;
	FX_WAIT(&fx, 3000, n_raised == 3);
	assert_string_equal(raised, "u:2 d=12 9f3a01c2");
}

static void
test_other_history(void **state)
{
	(void)state;
	enter(&a, 10);
	item();
	FX_WAIT(&fx, 3000, n_raised == 1);
	strcpy(m->ep, "00000001");
	m->head = 4;
	model_subbed(m);
	item();
	FX_WAIT(&fx, 3000, n_raised == 2);
	assert_string_equal(raised, "u:2 d=5 00000001");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_once_a_second),
	    T(test_backlog),
	    T(test_not_taken),
	    T(test_devices),
	    T(test_proxies_change),
	    T(test_other_history),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
