/* SPDX-License-Identifier: MIT */
/*
 * A connection without a socket: what is queued is there for its owner until
 * he takes it, as if for a peer who reads when he likes.
 */
#include "tests/unit/shared/net/owner.h"

struct taker {
	struct conn c;
	bool takes; /* in on_flush */
	unsigned flushes, drains, deads;
	char got[64];
};

static void
taker_take(struct taker *t)
{
	struct str s;

	while (str_is_set(s = conn_peek(&t->c))) {
		strncat(t->got, s.p, s.len);
		conn_take(&t->c, s.len);
	}
}

static void
taker_on_flush(struct conn *c)
{
	struct taker *t = container_of(c, struct taker, c);

	t->flushes++;
	if (t->takes)
		taker_take(t);
}

static void
taker_on_drain(struct conn *c)
{
	container_of(c, struct taker, c)->drains++;
}

static void
taker_on_dead(struct conn *c)
{
	container_of(c, struct taker, c)->deads++;
}

static const struct conn_ops taker_ops = {.on_flush = taker_on_flush,
    .on_drain = taker_on_drain,
    .on_dead = taker_on_dead};

static void
taker_open(struct fx *fx, struct taker *t)
{
	memset(t, 0, sizeof *t);
	conn_open_queue(&t->c, fx->net, &taker_ops);
	assert_int_equal(fx->net->n_conns, 1);
}

static void
taker_end(struct fx *fx, struct taker *t)
{
	conn_close(&t->c);
	net_flush(fx->net);
	assert_int_equal(t->deads, 1);
	assert_int_equal(fx->net->n_conns, 0);
	assert_int_equal(fx->net->queued, 0);
}

static void
test_taken_at_once(void **state)
{
	struct fx fx;
	struct taker t;

	(void)state;
	fx_init(&fx);
	taker_open(&fx, &t);
	t.takes = true;
	assert_false(str_is_set(conn_peek(&t.c)));
	conn_send_bytes(&t.c, "ab", 2);
	conn_send_bytes(&t.c, "c", 1);
	net_flush(fx.net);
	assert_string_equal(t.got, "abc");
	assert_false(t.c.blocked);
	assert_int_equal(t.flushes, 1);
	conn_send_bytes(&t.c, "d", 1);
	net_flush(fx.net);
	assert_string_equal(t.got, "abcd");
	/* it was never blocked, so there was nothing to drain */
	assert_int_equal(t.drains, 0);
	taker_end(&fx, &t);
	fx_fini(&fx);
}

static void
test_waits(void **state)
{
	struct fx fx;
	struct taker t;

	(void)state;
	fx_init(&fx);
	taker_open(&fx, &t);
	conn_send_bytes(&t.c, "abc", 3);
	net_flush(fx.net);
	assert_true(t.c.blocked);
	assert_int_equal(conn_queued(&t.c), 3);
	/* more of it is no news */
	conn_send_bytes(&t.c, "de", 2);
	net_flush(fx.net);
	assert_int_equal(t.flushes, 1);
	assert_true(str_eqc(conn_peek(&t.c), "abc"));
	conn_take(&t.c, 2);
	assert_true(str_eqc(conn_peek(&t.c), "c"));
	assert_int_equal(conn_queued(&t.c), 3);
	net_flush(fx.net);
	assert_int_equal(t.drains, 0);
	taker_take(&t);
	assert_string_equal(t.got, "cde");
	assert_int_equal(t.drains, 0); /* not inside of the taking */
	net_flush(fx.net);
	assert_int_equal(t.drains, 1);
	assert_false(t.c.blocked);
	taker_end(&fx, &t);
	fx_fini(&fx);
}

static void
test_pause_and_finish(void **state)
{
	struct fx fx;
	struct taker t;

	(void)state;
	fx_init(&fx);
	taker_open(&fx, &t);
	conn_pause(&t.c);
	conn_resume(&t.c);
	conn_settle(&t.c);
	conn_send_bytes(&t.c, "abc", 3);
	net_flush(fx.net);
	assert_true(conn_drop_queue(&t.c) == 3);
	conn_send_bytes(&t.c, "last", 4);
	/* nobody is there to wait for */
	conn_finish(&t.c);
	assert_false(conn_is_open(&t.c));
	taker_end(&fx, &t);
	fx_fini(&fx);
}

static void
test_close_in_flush_queue(void **state)
{
	struct fx fx;
	struct taker t;

	(void)state;
	fx_init(&fx);
	taker_open(&fx, &t);
	conn_send_bytes(&t.c, "abc", 3);
	taker_end(&fx, &t);
	assert_int_equal(t.flushes, 0);
	fx_fini(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_taken_at_once),
	    cmocka_unit_test(test_waits),
	    cmocka_unit_test(test_pause_and_finish),
	    cmocka_unit_test(test_close_in_flush_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
