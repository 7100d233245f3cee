/* SPDX-License-Identifier: MIT */
/*
 * Draining by a job of the config_server (msg_server/drain.h): what it asks
 * for, and what breaks it off.
 */
#include "tests/unit/msg_server/drain_fixture.h"

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
	const struct CMUnitTest tests[] = {
	    T(test_job),
	    T(test_bad_args),
	    T(test_abort),
	};

	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
