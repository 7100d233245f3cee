/* SPDX-License-Identifier: MIT */
/* Dialling: attempts are counted, waits stay under their growing bound. */
#include "tests/unit/shared/net/fixture.h"

#include "shared/net/dial.h"
#include "shared/net/listener.h"

static int got_fd = -1;
static unsigned n_connects;

static void
on_connect(struct dial *d, int fd)
{
	assert_ptr_equal(d->arg, &got_fd);
	got_fd = fd;
	n_connects++;
}

static void
on_accept(struct listener *l, int fd, const struct addr *peer)
{
	(void)l;
	(void)peer;
	close(fd);
}

/* an address where nobody listens: bound, so that nobody else gets it */
static int
dead_address(struct addr *a)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(addr_parse(STR_LIT("127.0.0.1:0"), a), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a->ss, a->len), 0);
	assert_int_equal(
	    getsockname(fd, (struct sockaddr *)&a->ss, &a->len), 0);
	return fd;
}

static void
test_backoff(void **state)
{
	struct fx fx;
	struct dial d;
	struct addr a;
	double left, max_left = 0, cap;
	unsigned seen = 0;
	int fd, attempts = 0;
	int64_t end;

	(void)state;
	fx_init(&fx);
	fd = dead_address(&a);
	dial_start(&d, fx.net, &a, on_connect, &got_fd);
	assert_int_equal(d.base_ms, 50);
	assert_int_equal(d.max_ms, 2000);
	d.base_ms = 4;
	d.max_ms = 64;
	end = fx_ms() + FX_PATIENCE_MS;
	while (d.tries < 14 && fx_ms() < end) {
		if (d.tries != seen) {
			/* the wait that has just been drawn, of base * 2^n */
			cap = (seen < 4 ? 4 << seen : 64) / 1000.;
			left = ev_timer_remaining(fx.loop, &d.timer);
			assert_true(left <= cap + 0.001);
			if (left > max_left)
				max_left = left;
			attempts++;
			seen = d.tries;
		}
		ev_run(fx.loop, EVRUN_ONCE);
	}
	/* every attempt was refused, waited for and counted: no more, no less
	 */
	assert_int_equal(d.tries, 14);
	assert_true(attempts >= 10);
	/* of ten draws below 64 ms one is over 8, or chance is no chance */
	assert_true(max_left > 0.008);
	assert_int_equal(n_connects, 0);
	dial_stop(&d);
	dial_stop(&d);
	seen = d.tries;
	fx_run_for(&fx, 150);
	assert_int_equal(d.tries, seen);
	close(fd);
	fx_fini(&fx);
}

static void
test_connect(void **state)
{
	struct fx fx;
	struct listener l;
	struct dial d;
	struct addr a;
	char text[ADDR_TEXT_MAX];
	int fd;

	(void)state;
	fx_init(&fx);
	fd = dead_address(&a);
	addr_text(&a, text);
	dial_start(&d, fx.net, &a, on_connect, &got_fd);
	d.base_ms = 5;
	d.max_ms = 20;
	FX_WAIT(&fx, 3000, d.tries >= 3);
	close(fd);
	/* the server comes up: it is found without any help */
	assert_int_equal(
	    listener_open(&l, fx.net, str_of(text), false, on_accept, NULL), 0);
	FX_WAIT(&fx, 3000, n_connects == 1);
	assert_true(d.connected);
	assert_true(d.tries >= 3); /* until the handshake says so */
	dial_ok(&d);
	assert_int_equal(d.tries, 0);
	fx_run_for(&fx, 50);
	assert_int_equal(n_connects, 1);
	FX_WAIT(&fx, 3000, l.accepted == 1);

	/* lost: again; a second dial_done for the same loss is nothing */
	close(got_fd);
	dial_done(&d);
	dial_done(&d);
	assert_int_equal(d.tries, 1);
	FX_WAIT(&fx, 3000, n_connects == 2);
	close(got_fd);

	/* stopped while connected: the descriptor is the owner's, no new try */
	dial_stop(&d);
	dial_done(&d);
	fx_run_for(&fx, 60);
	assert_int_equal(n_connects, 2);
	listener_close(&l);
	fx_fini(&fx);
}

/* news that it is there again: the long wait is over */
static void
test_now(void **state)
{
	struct fx fx;
	struct listener l;
	struct dial d;
	struct addr a;
	char text[ADDR_TEXT_MAX];
	int fd;

	(void)state;
	fx_init(&fx);
	n_connects = 0;
	fd = dead_address(&a);
	addr_text(&a, text);
	dial_start(&d, fx.net, &a, on_connect, &got_fd);
	d.base_ms = d.max_ms = 1000000;
	FX_WAIT(&fx, 3000, d.tries == 1);
	close(fd);
	assert_int_equal(
	    listener_open(&l, fx.net, str_of(text), false, on_accept, NULL), 0);
	dial_now(&d);
	dial_now(&d); /* it is at it */
	FX_WAIT(&fx, 3000, n_connects == 1);
	dial_now(&d); /* it is connected */
	fx_run_for(&fx, 30);
	assert_int_equal(n_connects, 1);
	close(got_fd);
	dial_stop(&d);
	dial_now(&d);
	fx_run_for(&fx, 30);
	assert_int_equal(n_connects, 1);
	listener_close(&l);
	fx_fini(&fx);
}

static void
test_unix(void **state)
{
	struct fx fx;
	struct listener l;
	struct dial d;
	char dir[] = "/tmp/cchat-dial-XXXXXX", path[64];

	(void)state;
	fx_init(&fx);
	n_connects = 0;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "unix:%s/s", dir);
	assert_int_equal(
	    listener_open(&l, fx.net, str_of(path), false, on_accept, NULL), 0);
	dial_start(&d, fx.net, &l.addr, on_connect, &got_fd);
	FX_WAIT(&fx, 3000, n_connects == 1);
	close(got_fd);
	dial_stop(&d);
	fx_spin(&fx);
	listener_close(&l);
	rmdir(dir);
	fx_fini(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_backoff),
	    cmocka_unit_test(test_connect),
	    cmocka_unit_test(test_now),
	    cmocka_unit_test(test_unix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
