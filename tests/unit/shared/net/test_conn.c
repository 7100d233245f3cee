/* SPDX-License-Identifier: MIT */
/*
 * Connections over socket pairs with a real loop: what is read and written
 * when, and what happens when the peer does not read.
 */
#include <poll.h>

#include "tests/unit/shared/net/owner.h"

static void
test_gathered(void **state)
{
	struct fx fx;
	struct owner o;
	struct buf got;
	struct blob *b = blob_new("two", 3);
	int peer, eof;

	(void)state;
	fx_init(&fx);
	buf_init(&got, 1 << 20);
	peer = owner_open(&fx, &o);
	assert_null(o.c.out);
	assert_true(conn_send_bytes(&o.c, "one", 3));
	assert_true(conn_send(&o.c, b));
	assert_true(conn_send(&o.c, b));
	assert_int_equal(b->refs, 3);
	assert_int_equal(conn_queued(&o.c), 9);
	assert_int_equal(fx.net->queued, 9);
	/* nothing leaves before the turn */
	fx_read(peer, &got, &eof);
	assert_int_equal(buf_len(&got), 0);
	ev_run(fx.loop, EVRUN_NOWAIT);
	fx_read(peer, &got, &eof);
	assert_true(str_eqc(buf_str(&got), "onetwotwo"));
	assert_int_equal(fx.net->writes, 1);
	assert_int_equal(fx.net->bytes_out, 9);
	/* at rest again: no queue, no reference, no EV_WRITE, no drain */
	assert_null(o.c.out);
	assert_int_equal(b->refs, 1);
	assert_int_equal(o.c.io.events & EV_WRITE, 0);
	assert_int_equal(o.drains, 0);
	fx_spin(&fx);
	assert_int_equal(fx.net->writes, 1);
	blob_unref(b);
	buf_fini(&got);
	owner_end(&fx, &o, peer);
	fx_fini(&fx);
}

static void
test_many_entries(void **state)
{
	struct fx fx;
	struct owner o;
	struct buf got;
	int peer, eof, i;
	char digit;

	(void)state;
	fx_init(&fx);
	buf_init(&got, 1 << 20);
	peer = owner_open(&fx, &o);
	for (i = 0; i < 200; i++) {
		digit = (char)('0' + i % 10);
		assert_true(conn_send_bytes(&o.c, &digit, 1));
	}
	assert_true(conn_send_bytes(&o.c, "", 0));
	fx_spin(&fx);
	/* at most 64 to a write */
	assert_int_equal(fx.net->writes, 4);
	fx_read(peer, &got, &eof);
	assert_int_equal(buf_len(&got), 200);
	for (i = 0; i < 200; i++)
		assert_int_equal(buf_p(&got)[i], '0' + i % 10);
	buf_fini(&got);
	owner_end(&fx, &o, peer);
	fx_fini(&fx);
}

static void
test_partial(void **state)
{
	struct fx fx;
	struct owner o;
	struct buf got;
	int peer, eof;
	size_t i;
	uint64_t writes;

	(void)state;
	fx_init(&fx);
	buf_init(&got, 1 << 26);
	peer = owner_open(&fx, &o);
	o.on_drain = ACT_SEND;
	send_pattern(&o, 40, 50001);
	fx_spin(&fx);
	/* the kernel is full: EV_WRITE is armed, and nothing is tried meanwhile
	 */
	assert_true(o.c.blocked);
	assert_true(o.c.io.events & EV_WRITE);
	assert_true(conn_queued(&o.c) > 0);
	assert_true(conn_progress_s(&o.c) > 0);
	writes = fx.net->writes;
	assert_int_equal(writes, 1);
	assert_true(conn_send_bytes(&o.c, "tail", 4));
	fx_run_for(&fx, 50);
	assert_int_equal(fx.net->writes, writes);
	assert_int_equal(o.drains, 0);

	while (buf_len(&got) < 40 * 50001 + 8) {
		fx_read(peer, &got, &eof);
		assert_int_equal(eof, -1);
		ev_run(fx.loop, EVRUN_ONCE);
	}
	for (i = 0; i < 40 * 50001; i++)
		assert_int_equal(buf_p(&got)[i], 'a' + (int)(i / 50001 % 26));
	/* the word said on drain came behind all the rest, and there was one */
	assert_memory_equal(buf_p(&got) + 40 * 50001, "tailmore", 8);
	assert_int_equal(o.drains, 1);
	assert_false(o.c.io.events & EV_WRITE);
	assert_null(o.c.out);
	assert_int_equal(fx.net->queued, 0);
	buf_fini(&got);
	owner_end(&fx, &o, peer);
	fx_fini(&fx);
}

static void
test_drop_queue(void **state)
{
	struct fx fx;
	struct owner o;
	struct buf got;
	size_t dropped, i;
	int peer, eof;

	(void)state;
	fx_init(&fx);
	buf_init(&got, 1 << 26);
	peer = owner_open(&fx, &o);
	assert_int_equal(conn_drop_queue(&o.c), 0);
	send_pattern(&o, 2, 10);
	assert_int_equal(conn_drop_queue(&o.c), 20);
	assert_null(o.c.out);
	fx_spin(&fx);
	assert_int_equal(fx.net->bytes_out, 0);

	/* blobs too big for one write: the first unsent one is half sent */
	send_pattern(&o, 20, 1000003);
	fx_spin(&fx);
	assert_true(o.c.blocked);
	dropped = conn_drop_queue(&o.c);
	assert_true(dropped > 0 && dropped % 1000003 == 0);
	assert_true(conn_queued(&o.c) > 0 && conn_queued(&o.c) < 1000003);
	assert_int_equal(fx.net->queued, conn_queued(&o.c));
	assert_true(conn_send_bytes(&o.c, "end", 3));
	while (conn_queued(&o.c) > 0) {
		fx_read(peer, &got, &eof);
		ev_run(fx.loop, EVRUN_ONCE);
	}
	fx_read(peer, &got, &eof);
	assert_int_equal(buf_len(&got), 20 * 1000003 - dropped + 3);
	for (i = 0; i < buf_len(&got) - 3; i++)
		assert_int_equal(buf_p(&got)[i], 'a' + (int)(i / 1000003 % 26));
	assert_memory_equal(buf_p(&got) + i, "end", 3);
	assert_int_equal(o.drains, 1);

	/* emptied while blocked: drain comes when the kernel has room */
	o.drains = 0;
	buf_reset(&got);
	send_pattern(&o, 1, 200);
	fx_spin(&fx);
	send_pattern(&o, 4000, 1024);
	fx_spin(&fx);
	assert_true(o.c.blocked);
	conn_drop_queue(&o.c);
	assert_int_equal(o.drains, 0);
	while (o.drains == 0) {
		fx_read(peer, &got, &eof);
		ev_run(fx.loop, EVRUN_ONCE);
	}
	buf_fini(&got);
	owner_end(&fx, &o, peer);
	fx_fini(&fx);
}

struct hook {
	struct net_turn turn;
	struct owner *o;
	int runs;
	bool say;
};

static void
hook_on_turn(struct net_turn *t)
{
	struct hook *h = container_of(t, struct hook, turn);

	h->runs++;
	if (h->say)
		conn_send_bytes(&h->o->c, "turn", 4);
	h->say = false;
}

static void
test_turn(void **state)
{
	struct fx fx;
	struct owner o;
	struct hook h = {.turn.on_turn = hook_on_turn, .o = &o, .say = true};
	struct buf got;
	int peer, eof, runs;

	(void)state;
	fx_init(&fx);
	buf_init(&got, 1 << 20);
	peer = owner_open(&fx, &o);
	net_turn_add(fx.net, &h.turn);
	conn_send_bytes(&o.c, "first ", 6);
	ev_run(fx.loop, EVRUN_NOWAIT);
	/* what the hook queued went out with the rest, in one write */
	fx_read(peer, &got, &eof);
	assert_true(str_eqc(buf_str(&got), "first turn"));
	assert_int_equal(fx.net->writes, 1);
	assert_true(h.runs > 0);
	net_turn_remove(fx.net, &h.turn);
	runs = h.runs;
	fx_spin(&fx);
	assert_int_equal(h.runs, runs);
	buf_fini(&got);
	owner_end(&fx, &o, peer);
	fx_fini(&fx);
}

static void
test_flood_is_one_read(void **state)
{
	struct fx fx;
	struct owner o;
	struct buf big;
	int peer;

	(void)state;
	fx_init(&fx);
	peer = owner_open(&fx, &o);
	buf_init(&big, 1 << 20);
	while (buf_len(&big) < 150000)
		buf_puts(&big, "0123456789");
	assert_true(
	    send(peer, buf_p(&big), buf_len(&big), MSG_DONTWAIT) > 100000);
	ev_run(fx.loop, EVRUN_NOWAIT);
	/* one recv a turn: nobody starves the others */
	assert_true(buf_len(&o.got) <= NET_RECV_SIZE);
	assert_true(buf_len(&o.got) > 0);
	buf_fini(&big);
	owner_end(&fx, &o, peer);
	fx_fini(&fx);
}

static void
stopped_on_flush(struct conn *c)
{
	(void)c;
	/* as one who is stopped, or for whom there is no processor */
	(void)poll(NULL, 0, 200);
}

static const struct conn_ops stopped_ops = {
    .on_data = owner_on_data,
    .on_end = owner_on_end,
    .on_flush = stopped_on_flush,
    .on_dead = owner_on_dead,
};

/* to stand still once in the middle of writing is no cost of a write */
static void
test_write_cost(void **state)
{
	enum { MANY = 17 };

	struct fx fx;
	struct owner o[MANY];
	int peer[MANY], i;

	(void)state;
	fx_init(&fx);
	for (i = 0; i < MANY; i++)
		peer[i] = owner_open(&fx, &o[i]);
	o[MANY / 2].c.ops = &stopped_ops;
	/* one that stood still for too long is not counted at all */
	do {
		fx.net->writes = 0;
		for (i = 0; i < MANY; i++)
			conn_send_bytes(&o[i].c, "x", 1);
		ev_run(fx.loop, EVRUN_NOWAIT);
		assert_int_equal(fx.net->writes, MANY);
	} while (fx.net->write_ns == 0);
	assert_in_range(fx.net->write_ns, 1, 100000);
	o[MANY / 2].c.ops = &owner_ops;
	for (i = 0; i < MANY; i++)
		owner_end(&fx, &o[i], peer[i]);
	fx_fini(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_gathered),
	    cmocka_unit_test(test_many_entries),
	    cmocka_unit_test(test_partial),
	    cmocka_unit_test(test_drop_queue),
	    cmocka_unit_test(test_turn),
	    cmocka_unit_test(test_flood_is_one_read),
	    cmocka_unit_test(test_write_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
