/* SPDX-License-Identifier: MIT */
/*
 * The life of connections: closed, ended, finished, paused, handed over; and
 * that everybody dies exactly once.
 */
#include "tests/unit/shared/net/owner.h"

static void
test_close_in_data(void **state)
{
	struct fx fx;
	struct owner o;
	int peer;

	(void)state;
	fx_init(&fx);
	peer = owner_open(&fx, &o);
	o.on_data = ACT_CLOSE;
	fx_write(peer, "hello");
	shutdown(peer, SHUT_WR);
	fx_spin(&fx);
	assert_int_equal(o.deads, 1);
	assert_int_equal(o.ends, 0);
	assert_true(str_eqc(buf_str(&o.got), "hello"));
	assert_false(conn_is_open(&o.c));
	assert_false(conn_send_bytes(&o.c, "x", 1));
	assert_int_equal(fx.net->n_conns, 0);
	owner_end(&fx, &o, peer);
	fx_fini(&fx);
}

static void
test_close_by_others(void **state)
{
	struct fx fx;
	struct owner a, b, c;
	int pa, pb, pc;

	(void)state;
	fx_init(&fx);
	pa = owner_open(&fx, &a);
	pb = owner_open(&fx, &b);
	pc = owner_open(&fx, &c);
	/* a chain, each killed in the on_dead of the one before, all dirty */
	a.victim = &b;
	b.victim = &c;
	conn_send_bytes(&a.c, "1", 1);
	conn_send_bytes(&b.c, "2", 1);
	conn_send_bytes(&c.c, "3", 1);
	conn_close(&a.c);
	ev_run(fx.loop, EVRUN_NOWAIT);
	assert_int_equal(a.deads, 1);
	assert_int_equal(b.deads, 1);
	assert_int_equal(c.deads, 1);
	a.victim = b.victim = NULL;
	owner_end(&fx, &a, pa);
	owner_end(&fx, &b, pb);
	owner_end(&fx, &c, pc);
	fx_fini(&fx);
}

static void
test_end(void **state)
{
	struct fx fx;
	struct owner o;
	struct buf got;
	unsigned before;
	int peer, eof;

	(void)state;
	fx_init(&fx);
	buf_init(&got, 1 << 20);
	peer = owner_open(&fx, &o);
	fx_write(peer, "bye");
	shutdown(peer, SHUT_WR);
	FX_WAIT(&fx, 2000, o.ends > 0);
	assert_int_equal(o.end_err, 0);
	assert_true(str_eqc(buf_str(&o.got), "bye"));
	/* the owner left it open: it may still write, and the loop sleeps */
	before = ev_iteration(fx.loop);
	fx_run_for(&fx, 100);
	assert_true(ev_iteration(fx.loop) - before < 40);
	assert_int_equal(o.ends, 1);
	assert_true(conn_send_bytes(&o.c, "still", 5));
	fx_spin(&fx);
	fx_read(peer, &got, &eof);
	assert_true(str_eqc(buf_str(&got), "still"));
	/* nobody there any more: an error, and death without the owner's help
	 */
	close(peer);
	conn_send_bytes(&o.c, "void", 4);
	fx_spin(&fx);
	assert_int_equal(o.ends, 2);
	assert_int_equal(o.end_err, EPIPE);
	assert_int_equal(o.deads, 1);
	buf_fini(&got);
	owner_end(&fx, &o, -1);
	fx_fini(&fx);
}

static void
test_finish(void **state)
{
	struct fx fx;
	struct owner o;
	struct buf got;
	int peer, eof;

	(void)state;
	fx_init(&fx);
	buf_init(&got, 1 << 26);
	peer = owner_open(&fx, &o);
	send_pattern(&o, 30, 100000);
	conn_finish(&o.c);
	conn_finish(&o.c);
	assert_false(conn_send_bytes(&o.c, "late", 4));
	eof = -1;
	while (eof == -1) {
		assert_int_equal(o.deads, 0);
		/* what it says now is read and thrown away */
		(void)send(peer, "noise", 5, MSG_DONTWAIT | MSG_NOSIGNAL);
		fx_read(peer, &got, &eof);
		ev_run(fx.loop, EVRUN_ONCE);
	}
	assert_int_equal(eof, 1);
	assert_int_equal(buf_len(&got), 30 * 100000);
	fx_write(peer, "noise");
	fx_run_for(&fx, 50);
	assert_int_equal(o.deads, 0);
	close(peer);
	FX_WAIT(&fx, 2000, o.deads == 1);
	assert_int_equal(buf_len(&o.got), 0);
	assert_int_equal(o.ends, 0);
	assert_int_equal(o.drains, 0);
	owner_end(&fx, &o, -1);

	/* the peer said goodbye first: no lingering */
	peer = owner_open(&fx, &o);
	o.on_end = ACT_FINISH;
	o.on_data = ACT_SEND;
	fx_write(peer, "ask");
	shutdown(peer, SHUT_WR);
	FX_WAIT(&fx, 2000, o.deads == 1);
	buf_reset(&got);
	fx_read(peer, &got, &eof);
	assert_true(str_eqc(buf_str(&got), "more"));
	assert_int_equal(eof, 1);
	owner_end(&fx, &o, peer);

	/* a paused one must still notice the peer's end */
	peer = owner_open(&fx, &o);
	conn_pause(&o.c);
	conn_finish(&o.c);
	close(peer);
	FX_WAIT(&fx, 2000, o.deads == 1);
	buf_fini(&got);
	owner_end(&fx, &o, -1);
	fx_fini(&fx);
}

static void
test_linger(void **state)
{
	struct fx fx;
	struct owner polite, stuck;
	int p1, p2;
	int64_t start;

	(void)state;
	fx_init(&fx);
	p1 = owner_open(&fx, &polite); /* all is sent, the peer stays silent */
	p2 = owner_open(&fx, &stuck);  /* the peer takes nothing */
	send_pattern(&polite, 1, 10);
	send_pattern(&stuck, 10, 1000000);
	/* from the beginning of the turn, which may be long ago */
	start = fx_ms();
	ev_now_update(fx.loop);
	conn_finish(&polite.c);
	conn_finish(&stuck.c);
	FX_WAIT(&fx, 10000, polite.deads + stuck.deads > 0);
	assert_true(fx_ms() - start >= 2900);
	/* the stuck one made progress at first: one more round for it */
	FX_WAIT(&fx, 10000, polite.deads == 1 && stuck.deads == 1);
	owner_end(&fx, &polite, p1);
	owner_end(&fx, &stuck, p2);
	fx_fini(&fx);
}

static void
test_pause(void **state)
{
	struct fx fx;
	struct owner o;
	int peer;

	(void)state;
	fx_init(&fx);
	peer = owner_open(&fx, &o);
	conn_pause(&o.c);
	conn_pause(&o.c);
	fx_write(peer, "wait");
	fx_run_for(&fx, 30);
	assert_int_equal(buf_len(&o.got), 0);
	/* writing goes on */
	conn_send_bytes(&o.c, "x", 1);
	fx_spin(&fx);
	assert_int_equal(fx.net->bytes_out, 1);
	conn_resume(&o.c);
	FX_WAIT(&fx, 2000, buf_len(&o.got) == 4);
	assert_int_equal(fx.net->bytes_in, 4);
	conn_pause(&o.c);
	conn_close(&o.c);
	conn_resume(&o.c);
	fx_write(peer, "gone");
	fx_spin(&fx);
	assert_int_equal(buf_len(&o.got), 4);
	owner_end(&fx, &o, peer);
	fx_fini(&fx);
}

static struct owner *move_to;

static void
mover_on_data(struct conn *c, const uint8_t *p, size_t n)
{
	buf_put(&owner_of(c)->got, p, n);
	conn_send_bytes(c, "101", 3);
	conn_move(&move_to->c, c, &owner_ops);
	conn_send_bytes(&move_to->c, "!", 1);
}

static const struct conn_ops mover_ops = {
    .on_data = mover_on_data,
    .on_end = owner_on_end,
    .on_dead = owner_on_dead,
};

static void
test_move(void **state)
{
	struct fx fx;
	struct owner src, dst, other;
	struct buf got;
	int peer, po, eof;

	(void)state;
	fx_init(&fx);
	buf_init(&got, 1 << 20);
	peer = owner_open(&fx, &src);
	po = owner_open(&fx, &other);
	src.c.ops = &mover_ops;
	memset(&dst, 0, sizeof(dst));
	buf_init(&dst.got, 1 << 20);
	move_to = &dst;
	fx_write(peer, "GET");
	fx_write(po, "x");
	other.on_data = ACT_SEND;
	FX_WAIT(&fx, 2000, buf_len(&src.got) > 0);
	fx_spin(&fx);
	fx_read(peer, &got, &eof);
	assert_true(str_eqc(buf_str(&got), "101!"));
	assert_int_equal(fx.net->n_conns, 2);
	/* src is dead to everybody */
	assert_false(conn_send_bytes(&src.c, "no", 2));
	conn_close(&src.c);
	memset(&src.c, 0x5a, sizeof(src.c));
	fx_write(peer, "frames");
	FX_WAIT(&fx, 2000, buf_len(&dst.got) == 6);
	assert_true(str_eqc(buf_str(&dst.got), "frames"));
	assert_int_equal(src.deads, 0);
	buf_fini(&src.got);
	buf_fini(&got);
	owner_end(&fx, &dst, peer);
	owner_end(&fx, &other, po);
	fx_fini(&fx);
}

static void
test_move_odd(void **state)
{
	struct fx fx;
	struct owner src, dst;
	struct buf got;
	int peer, eof;

	(void)state;
	fx_init(&fx);
	buf_init(&got, 1 << 26);
	/* closed before it is handed over: the new owner hears of the death */
	peer = owner_open(&fx, &src);
	memset(&dst, 0, sizeof(dst));
	conn_close(&src.c);
	conn_move(&dst.c, &src.c, &owner_ops);
	fx_spin(&fx);
	assert_int_equal(src.deads, 0);
	assert_int_equal(dst.deads, 1);
	buf_fini(&src.got);
	close(peer);

	/* with a half-sent queue */
	peer = owner_open(&fx, &src);
	send_pattern(&src, 3, 1000000);
	fx_spin(&fx);
	assert_true(src.c.blocked);
	memset(&dst, 0, sizeof(dst));
	conn_move(&dst.c, &src.c, &owner_ops);
	memset(&src.c, 0x5a, sizeof(src.c));
	while (buf_len(&got) < 3000000) {
		fx_read(peer, &got, &eof);
		ev_run(fx.loop, EVRUN_ONCE);
	}
	fx_spin(&fx);
	assert_int_equal(dst.drains, 1);
	buf_fini(&src.got);

	/* while it lingers */
	conn_finish(&dst.c);
	fx_spin(&fx);
	memset(&src, 0, sizeof(src));
	conn_move(&src.c, &dst.c, &owner_ops);
	memset(&dst.c, 0x5a, sizeof(dst.c));
	close(peer);
	FX_WAIT(&fx, 2000, src.deads == 1);
	assert_int_equal(fx.net->n_conns, 0);
	buf_fini(&got);
	fx_fini(&fx);
}

/* who is there does not wait until all who went are buried */
static void
test_many_ends(void **state)
{
	enum { N = 400 };
	struct owner *o = calloc(N, sizeof *o);
	int peer[N], deads, turns = 0;
	struct fx fx;

	(void)state;
	fx_init(&fx);
	for (int i = 0; i < N; i++)
		peer[i] = owner_open(&fx, &o[i]);
	for (int i = 0; i < N; i++)
		conn_close(&o[i].c);
	do {
		ev_run(fx.loop, EVRUN_NOWAIT);
		deads = 0;
		for (int i = 0; i < N; i++)
			deads += o[i].deads;
		assert_true(deads <= ++turns * 256);
	} while (deads < N && turns < N);
	assert_int_equal(deads, N);
	assert_int_equal(fx.net->n_conns, 0);
	for (int i = 0; i < N; i++)
		owner_end(&fx, &o[i], peer[i]);
	free(o);
	fx_fini(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_close_in_data),
	    cmocka_unit_test(test_close_by_others),
	    cmocka_unit_test(test_end),
	    cmocka_unit_test(test_finish),
	    cmocka_unit_test(test_linger),
	    cmocka_unit_test(test_pause),
	    cmocka_unit_test(test_move),
	    cmocka_unit_test(test_move_odd),
	    cmocka_unit_test(test_many_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
