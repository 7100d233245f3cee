/* SPDX-License-Identifier: MIT */
/*
 * Connections over socket pairs with a real loop: what is written when, what
 * happens when the peer does not read, and that everybody dies exactly once.
 */
#include "tests/unit/shared/net/fixture.h"

#include <fcntl.h>

#include "shared/net/conn.h"

enum act { ACT_NONE, ACT_CLOSE, ACT_FINISH, ACT_SEND };

/* an owner that counts */
struct owner {
	struct conn c;
	struct buf got;
	int ends, end_err, deads, drains;
	bool late; /* something came after death or close */
	enum act on_data, on_end, on_drain, on_dead;
	struct owner *victim; /* closed by ours */
};

static void
owner_act(struct owner *o, enum act act)
{
	switch (act) {
	case ACT_NONE:
		break;
	case ACT_CLOSE:
		conn_close(&o->c);
		conn_close(&o->c);
		break;
	case ACT_FINISH:
		conn_finish(&o->c);
		break;
	case ACT_SEND:
		conn_send_bytes(&o->c, "more", 4);
		break;
	}
}

static struct owner *
owner_of(struct conn *c)
{
	struct owner *o = container_of(c, struct owner, c);

	if (o->deads > 0 || c->closed || c->finishing)
		o->late = true;
	return o;
}

static void
owner_on_data(struct conn *c, const uint8_t *p, size_t n)
{
	struct owner *o = owner_of(c);

	assert_true(n > 0);
	buf_put(&o->got, p, n);
	owner_act(o, o->on_data);
}

static void
owner_on_end(struct conn *c, int err)
{
	struct owner *o = owner_of(c);

	o->ends++;
	o->end_err = err;
	owner_act(o, o->on_end);
}

static void
owner_on_drain(struct conn *c)
{
	struct owner *o = owner_of(c);

	o->drains++;
	assert_int_equal(c->queued, 0);
	owner_act(o, o->on_drain);
}

static void
owner_on_dead(struct conn *c)
{
	struct owner *o = container_of(c, struct owner, c);

	o->deads++;
	assert_int_equal(c->io.fd, -1);
	if (o->victim != NULL) {
		conn_send_bytes(&o->victim->c, "x", 1);
		conn_close(&o->victim->c);
	}
}

static const struct conn_ops owner_ops = {
    .on_data = owner_on_data,
    .on_end = owner_on_end,
    .on_drain = owner_on_drain,
    .on_dead = owner_on_dead,
};

/* an owner on one end, the raw descriptor of the other */
static int
owner_open(struct fx *fx, struct owner *o)
{
	int fd[2];

	memset(o, 0, sizeof(*o));
	buf_init(&o->got, 1 << 26);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	conn_open(&o->c, fx->net, fd[0], &owner_ops);
	assert_true(fcntl(fd[0], F_GETFL) & O_NONBLOCK);
	return fd[1];
}

static void
owner_end(struct fx *fx, struct owner *o, int peer)
{
	conn_close(&o->c);
	net_flush(fx->net);
	assert_int_equal(o->deads, 1);
	assert_false(o->late);
	buf_fini(&o->got);
	if (peer >= 0)
		close(peer);
}

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
	assert_int_equal(o.c.queued, 9);
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

/* fills o's queue with `n` blobs of `size` bytes that can be told apart */
static void
send_pattern(struct owner *o, unsigned n, size_t size)
{
	struct blob *b;
	unsigned i;

	for (i = 0; i < n; i++) {
		b = blob_alloc(size);
		memset(b->bytes, (int)('a' + i % 26), size);
		assert_true(conn_send(&o->c, b));
		blob_unref(b);
	}
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
	assert_true(o.c.queued > 0);
	assert_true(o.c.progress_s > 0);
	writes = fx.net->writes;
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
	assert_true(o.c.queued > 0 && o.c.queued < 1000003);
	assert_int_equal(fx.net->queued, o.c.queued);
	assert_true(conn_send_bytes(&o.c, "end", 3));
	while (o.c.queued > 0) {
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
	start = fx_ms();
	conn_finish(&polite.c);
	conn_finish(&stuck.c);
	FX_WAIT(&fx, 10000, polite.deads + stuck.deads > 0);
	assert_in_range(fx_ms() - start, 2900, 6000);
	/* the stuck one made progress at first: one more round for it */
	FX_WAIT(&fx, 10000, polite.deads == 1 && stuck.deads == 1);
	assert_in_range(fx_ms() - start, 2900, 9000);
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

/* ---- handing over ------------------------------------------------------ */

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

/* ---- the turn ------------------------------------------------------------ */

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_gathered),
	    cmocka_unit_test(test_many_entries),
	    cmocka_unit_test(test_partial),
	    cmocka_unit_test(test_drop_queue),
	    cmocka_unit_test(test_close_in_data),
	    cmocka_unit_test(test_close_by_others),
	    cmocka_unit_test(test_end),
	    cmocka_unit_test(test_finish),
	    cmocka_unit_test(test_linger),
	    cmocka_unit_test(test_pause),
	    cmocka_unit_test(test_move),
	    cmocka_unit_test(test_move_odd),
	    cmocka_unit_test(test_turn),
	    cmocka_unit_test(test_flood_is_one_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
