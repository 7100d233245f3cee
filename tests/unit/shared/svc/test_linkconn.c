/* SPDX-License-Identifier: MIT */
/*
 * Links over socket pairs with a real loop: hello, deadlines, silence, credit
 * both ways, counted items, and an end that comes exactly once.
 */
#include "tests/unit/shared/net/fixture.h"

#include "shared/proc/clock.h"
#include "shared/proto/wire.h"
#include "shared/svc/linkconn.h"

struct end {
	struct linkconn lc;
	int ups, downs, deads, credits, n_frames;
	uint64_t bytes;
	uint32_t last; /* number in the last UNSUB frame */
	bool in_order, late;
	int err;
	char why[200];
};

static const uint8_t key_a[32] = {1}, key_b[32] = {2};

static struct end *
end_of(struct linkconn *lc)
{
	struct end *e = lc->arg;

	if (e->downs > 0)
		e->late = true;
	return e;
}

static void
end_on_up(struct linkconn *lc)
{
	end_of(lc)->ups++;
}

static int
end_on_frame(struct linkconn *lc, uint8_t type, uint8_t flags, struct str body)
{
	struct end *e = end_of(lc);
	uint32_t n;

	(void)flags;
	e->n_frames++;
	e->bytes += body.len;
	if (type == F_UNSUB) {
		assert_int_equal(get_unsub(body, &n), 0);
		if (n != e->last + 1)
			e->in_order = false;
		e->last = n;
	}
	return type == F_KICK ? ERR_STALE : 0;
}

static void
end_on_credit(struct linkconn *lc)
{
	end_of(lc)->credits++;
}

static void
end_on_down(struct linkconn *lc, int err, const char *why)
{
	struct end *e = end_of(lc);

	e->downs++;
	e->err = err;
	str_copy(e->why, sizeof e->why, str_of(why));
}

static void
end_on_dead(struct linkconn *lc)
{
	((struct end *)lc->arg)->deads++;
}

static const struct linkconn_ops end_ops = {
    .on_up = end_on_up,
    .on_frame = end_on_frame,
    .on_credit = end_on_credit,
    .on_down = end_on_down,
    .on_dead = end_on_dead,
};

static void
end_open(struct end *e, struct fx *fx, int fd, bool dialed, const uint8_t *key)
{
	struct link_id id = {.role = dialed ? ROLE_MSG : ROLE_PROXY,
	    .name = "n1",
	    .cluster = "c1",
	    .node_no = 1,
	    .inc = 1};

	memset(e, 0, sizeof *e);
	e->in_order = true;
	linkconn_open(&e->lc, fx->net, fd, dialed, &id, key, &end_ops, e);
}

static void
pair(struct end *a, struct end *b, struct fx *fx, const uint8_t *key)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	end_open(a, fx, fd[0], true, key_a);
	end_open(b, fx, fd[1], false, key);
}

static void
pair_up(struct end *a, struct end *b, struct fx *fx)
{
	pair(a, b, fx, key_a);
	FX_WAIT(fx, 2000, a->ups == 1 && b->ups == 1);
	assert_true(linkconn_has_credit(&a->lc));
}

static void
over(struct end *a, struct end *b, struct fx *fx)
{
	linkconn_close(&a->lc, 0, "over", 0);
	FX_WAIT(fx, 5000, a->deads == 1 && b->deads == 1);
	assert_int_equal(a->downs, 1);
	assert_int_equal(b->downs, 1);
	assert_false(a->late || b->late);
	fx_fini(fx);
	clock_test_set(0, 0);
}

static void
test_up_and_over(void **state)
{
	struct fx fx;
	struct end a, b;

	(void)state;
	fx_init(&fx);
	pair_up(&a, &b, &fx);
	assert_string_equal(a.lc.link.peer.name, "n1");
	/* what is in out when it ends still arrives */
	put_unsub(linkconn_out(&a.lc), 1);
	linkconn_close(&a.lc, 0, "over", 0);
	linkconn_close(&a.lc, ERR_IO, "again", 500);
	assert_int_equal(a.downs, 1);
	FX_WAIT(&fx, 2000, b.downs == 1);
	assert_int_equal(b.n_frames, 1);
	assert_int_equal(b.err, ERR_EOF);
	over(&a, &b, &fx);
}

static void
test_order(void **state)
{
	struct fx fx;
	struct end a, b;
	struct buf frame;
	struct blob *blob;

	(void)state;
	fx_init(&fx);
	pair_up(&a, &b, &fx);
	for (uint32_t i = 1; i <= 300; i++) {
		if (i % 3 == 0) {
			buf_init(&frame, 100);
			put_unsub(&frame, i);
			blob = blob_take(&frame);
			assert_true(linkconn_send(&a.lc, blob));
			blob_unref(blob);
			buf_fini(&frame);
		} else {
			put_unsub(linkconn_out(&a.lc), i);
		}
	}
	FX_WAIT(&fx, 2000, b.n_frames == 300);
	assert_true(b.in_order);
	over(&a, &b, &fx);
}

static void
test_wrong_key(void **state)
{
	struct fx fx;
	struct end a, b;
	int64_t t0 = fx_ms();

	(void)state;
	fx_init(&fx);
	pair(&a, &b, &fx, key_b);
	FX_WAIT(&fx, 2000, a.downs == 1 && b.downs == 1);
	assert_true(fx_ms() - t0 >= 90); /* who guesses waits */
	assert_int_equal(a.ups + b.ups, 0);
	assert_true(a.err == ERR_DENIED || b.err == ERR_DENIED);
	assert_non_null(
	    strstr(a.err == ERR_DENIED ? a.why : b.why, "wrong link key"));
	over(&a, &b, &fx);
}

static void
test_no_hello(void **state)
{
	struct fx fx;
	struct end a;
	int fd[2];

	(void)state;
	fx_init(&fx);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	clock_test_set(1000000, 1000000);
	end_open(&a, &fx, fd[0], false, key_a);
	fx_run_for(&fx, 600);
	assert_int_equal(a.downs, 0);
	clock_test_set(1003000, 1003000);
	FX_WAIT(&fx, 2000, a.downs == 1);
	assert_int_equal(a.err, ERR_TIMEOUT);
	close(fd[1]);
	FX_WAIT(&fx, 5000, a.deads == 1);
	clock_test_set(0, 0);
	fx_fini(&fx);
}

static void
test_garbage(void **state)
{
	struct fx fx;
	struct end a;
	int fd[2];

	(void)state;
	fx_init(&fx);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	end_open(&a, &fx, fd[0], false, key_a);
	fx_write(fd[1], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	FX_WAIT(&fx, 2000, a.downs == 1);
	assert_int_equal(a.ups, 0);
	close(fd[1]);
	FX_WAIT(&fx, 5000, a.deads == 1);
	fx_fini(&fx);
}

/* pings keep it alive; when nothing comes back for 6 s it is dead */
static void
test_silence(void **state)
{
	struct fx fx;
	struct end a, b;
	int64_t now = 1000000;

	(void)state;
	fx_init(&fx);
	clock_test_set(now, now);
	pair_up(&a, &b, &fx);
	for (int i = 0; i < 5; i++) {
		int64_t before = a.lc.pinged_ms;

		now += 2500;
		clock_test_set(now, now);
		FX_WAIT(&fx, 2000, a.lc.pinged_ms != before);
		FX_WAIT(&fx, 2000, a.lc.heard_ms == now);
	}
	assert_int_equal(a.downs + b.downs, 0);
	conn_pause(&b.lc.conn); /* answers nothing any more */
	timer_stop(&b.lc.timer);
	for (int i = 0; i < 5 && a.downs == 0; i++) {
		int64_t before = a.lc.ticked_ms;

		now += 2500;
		clock_test_set(now, now);
		FX_WAIT(&fx, 2000, a.lc.ticked_ms != before);
	}
	assert_int_equal(a.downs, 1);
	assert_int_equal(a.err, ERR_TIMEOUT);
	conn_resume(&b.lc.conn);
	over(&a, &b, &fx);
}

/* the length of a frame was changed: bytes come, but no frame ends */
static void
test_stuck(void **state)
{
	static const uint8_t head[] = {0, 0, 0x0f, 0, F_TOPO, 0, 0, 0};
	struct fx fx;
	struct end a, b;
	int64_t now = 1000000;

	(void)state;
	fx_init(&fx);
	clock_test_set(now, now);
	pair_up(&a, &b, &fx);
	conn_send_bytes(&a.lc.conn, head, sizeof head);
	for (int i = 0; i < 6 && a.downs + b.downs == 0; i++) {
		int64_t was_a = a.lc.ticked_ms, was_b = b.lc.ticked_ms;

		now += 2500;
		clock_test_set(now, now);
		FX_WAIT(&fx, 2000, a.lc.ticked_ms != was_a || a.downs > 0);
		FX_WAIT(&fx, 2000, b.lc.ticked_ms != was_b || b.downs > 0);
		if (i < 3)
			assert_int_equal(a.downs + b.downs, 0);
	}
	FX_WAIT(&fx, 2000, a.downs == 1 && b.downs == 1);
	assert_true(a.err == ERR_TIMEOUT || b.err == ERR_TIMEOUT);
	over(&a, &b, &fx);
}

/* it was us who stood still: the other end gets its chance */
static void
test_own_pause(void **state)
{
	struct fx fx;
	struct end a, b;
	int64_t now = 1000000, before;

	(void)state;
	fx_init(&fx);
	clock_test_set(now, now);
	pair_up(&a, &b, &fx);
	conn_pause(&b.lc.conn);
	before = a.lc.ticked_ms;
	now += 60000;
	clock_test_set(now, now);
	FX_WAIT(&fx, 2000, a.lc.ticked_ms != before);
	fx_run_for(&fx, 600);
	assert_int_equal(a.downs, 0);
	conn_resume(&b.lc.conn);
	over(&a, &b, &fx);
}

static void
put_topo_of(struct buf *b, size_t n)
{
	static char text[100000];
	struct f_topo f = {.ver = 1, .json = str_n(text, n)};

	put_topo(b, &f);
}

static void
test_credit(void **state)
{
	struct fx fx;
	struct end ends[2];
	uint64_t sent;

	(void)state;
	fx_init(&fx);
	pair_up(&ends[0], &ends[1], &fx);
	for (int way = 0; way < 2; way++) {
		struct end *a = &ends[way], *b = &ends[!way];

		conn_pause(&b->lc.conn);
		sent = 0;
		while (linkconn_has_credit(&a->lc)) {
			put_topo_of(linkconn_out(&a->lc), 100000);
			(void)linkconn_out(&a->lc);
			sent += 100000;
		}
		assert_in_range(
		    sent, LINK_CREDIT - 200000, LINK_CREDIT + 100000);
		fx_spin(&fx);
		assert_false(linkconn_has_credit(&a->lc));
		assert_int_equal(a->credits, 0);
		conn_resume(&b->lc.conn);
		FX_WAIT(
		    &fx, 5000, a->credits > 0 && linkconn_has_credit(&a->lc));
		FX_WAIT(&fx, 5000, b->bytes >= sent);
		/* the small change is given back with the next half */
		FX_WAIT(&fx, 2000, a->lc.credit + b->lc.used == LINK_CREDIT);
	}
	over(&ends[0], &ends[1], &fx);
}

/* credit that was never taken */
static void
test_credit_forged(void **state)
{
	struct fx fx;
	struct end a, b;

	(void)state;
	fx_init(&fx);
	pair_up(&a, &b, &fx);
	put_credit(linkconn_out(&a.lc), 1000);
	FX_WAIT(&fx, 2000, b.downs == 1);
	assert_int_equal(b.err, ERR_PROTO);
	over(&a, &b, &fx);
}

static void
test_items_counted(void **state)
{
	struct f_item item = {.ch = 1, .item.kind = ITEM_MESSAGE};
	struct fx fx;
	struct end a, b;

	(void)state;
	fx_init(&fx);
	pair_up(&a, &b, &fx);
	for (int i = 0; i < 10; i++)
		put_item(linkconn_out(&a.lc), &item);
	linkconn_ping(&a.lc);
	FX_WAIT(&fx, 2000, b.lc.items_got == 10);
	assert_int_equal(a.lc.items_sent, 10);
	FX_WAIT(&fx, 2000, a.lc.rtt_us > 0);
	assert_int_equal(a.downs + b.downs, 0);
	/* one that never arrived */
	a.lc.items_sent++;
	linkconn_ping(&a.lc);
	FX_WAIT(&fx, 2000, b.downs == 1);
	assert_int_equal(b.err, ERR_PROTO);
	FX_WAIT(&fx, 2000, a.downs == 1);
	assert_non_null(strstr(a.why, "items were lost"));
	over(&a, &b, &fx);
}

static void
test_owner_refuses(void **state)
{
	struct f_kick kick = {.cn = 1};
	struct fx fx;
	struct end a, b;

	(void)state;
	fx_init(&fx);
	pair_up(&a, &b, &fx);
	put_kick(linkconn_out(&a.lc), &kick);
	put_unsub(linkconn_out(&a.lc), 1);
	FX_WAIT(&fx, 2000, a.downs == 1 && b.downs == 1);
	assert_int_equal(b.err, ERR_STALE);
	assert_int_equal(b.n_frames, 1); /* nothing behind it is handled */
	over(&a, &b, &fx);
}

/* nobody takes our bytes: a bound, not a heap without end */
static void
test_output_limit(void **state)
{
	struct fx fx;
	struct end a, b;

	(void)state;
	fx_init(&fx);
	pair_up(&a, &b, &fx);
	conn_pause(&b.lc.conn);
	timer_stop(&b.lc.timer);
	for (int i = 0; i < 800 && a.downs == 0; i++) {
		put_topo_of(linkconn_out(&a.lc), 100000);
		if (i % 16 == 0)
			fx_spin(&fx);
	}
	FX_WAIT(&fx, 3000, a.downs == 1);
	assert_int_equal(a.err, ERR_LIMIT);
	conn_resume(&b.lc.conn);
	over(&a, &b, &fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_up_and_over),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_wrong_key),
	    cmocka_unit_test(test_no_hello),
	    cmocka_unit_test(test_garbage),
	    cmocka_unit_test(test_silence),
	    cmocka_unit_test(test_stuck),
	    cmocka_unit_test(test_own_pause),
	    cmocka_unit_test(test_credit),
	    cmocka_unit_test(test_credit_forged),
	    cmocka_unit_test(test_items_counted),
	    cmocka_unit_test(test_owner_refuses),
	    cmocka_unit_test(test_output_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
