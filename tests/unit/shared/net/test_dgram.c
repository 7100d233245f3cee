/* SPDX-License-Identifier: MIT */
/*
 * Datagrams: whole ones and too long ones, answers, the budget of a turn, and
 * a flood, which must neither take the loop nor be kept in memory.
 */
#include "tests/unit/shared/net/fixture.h"

#include "shared/net/dgram.h"

enum { SIZE = 100, FLOOD = 5000, WAIT_MS = 20000 };

static struct dgram d;
static unsigned n_got, n_turn, most_turn;
static size_t last_len;
static char last[SIZE + 2];
static bool answers, pauses;

static void
on_datagram(struct dgram *dg, struct str bytes, const struct addr *from)
{
	assert_ptr_equal(dg, &d);
	assert_true(addr_is_loopback(from));
	assert_true(bytes.len <= SIZE + 1);
	n_got++;
	if (++n_turn > most_turn)
		most_turn = n_turn;
	last_len = bytes.len;
	memcpy(last, bytes.p, bytes.len);
	last[bytes.len] = '\0';
	if (answers)
		assert_true(dgram_send(dg, STR_LIT("answer"), from));
	if (pauses)
		dgram_pause(dg);
}

static void
on_turn(struct net_turn *t)
{
	(void)t;
	n_turn = 0;
}

static struct net_turn turn = {.on_turn = on_turn};

static int
sender(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&d.addr.ss, d.addr.len), 0);
	return fd;
}

static void
open_it(struct fx *fx)
{
	n_got = most_turn = n_turn = 0;
	answers = pauses = false;
	assert_int_equal(
	    dgram_open(&d, fx->net, STR_LIT("127.0.0.1:0"), SIZE, on_datagram),
	    0);
	net_turn_add(fx->net, &turn);
}

static void
close_it(struct fx *fx)
{
	net_turn_remove(fx->net, &turn);
	dgram_close(&d);
	dgram_close(&d); /* no harm */
}

static void
test_ask_and_answer(void **state)
{
	struct fx fx;
	char text[16] = "";
	ssize_t n = -1;
	int fd;

	(void)state;
	fx_init(&fx);
	open_it(&fx);
	fd = sender();
	answers = true;
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	FX_WAIT(&fx, WAIT_MS, n_got >= 1);
	assert_string_equal(last, "hello");
	FX_WAIT(&fx, WAIT_MS, (n = recv(fd, text, sizeof text, 0)) >= 0);
	assert_int_equal(n, 6);
	assert_memory_equal(text, "answer", 6);
	/* an empty one is one, too */
	assert_int_equal(send(fd, "", 0, 0), 0);
	FX_WAIT(&fx, WAIT_MS, n_got >= 2);
	assert_int_equal(last_len, 0);
	assert_int_equal(d.received, 2);
	assert_int_equal(d.sent, 2);
	close(fd);
	close_it(&fx);
	fx_fini(&fx);
}

static void
test_size(void **state)
{
	struct fx fx;
	char big[3 * SIZE];
	int fd;

	(void)state;
	fx_init(&fx);
	open_it(&fx);
	fd = sender();
	memset(big, 'x', sizeof big);
	assert_int_equal(send(fd, big, SIZE, 0), SIZE);
	FX_WAIT(&fx, WAIT_MS, n_got >= 1);
	assert_int_equal(last_len, SIZE);
	assert_int_equal(d.cut, 0);
	assert_int_equal(send(fd, big, sizeof big, 0), sizeof big);
	FX_WAIT(&fx, WAIT_MS, n_got >= 2);
	assert_int_equal(last_len, SIZE + 1);
	assert_int_equal(d.cut, 1);
	close(fd);
	close_it(&fx);
	fx_fini(&fx);
}

static void
test_flood(void **state)
{
	struct fx fx;
	unsigned i, was;
	int fd;

	(void)state;
	fx_init(&fx);
	open_it(&fx);
	fd = sender();
	for (i = 0; i < FLOOD; i++)
		assert_int_equal(send(fd, "{}", 2, 0), 2);
	/* until nothing comes any more; a busy kernel loses some on the way,
	 * and tells nobody of those */
	do {
		was = n_got;
		fx_run_for(&fx, 100);
	} while (n_got == 0 || n_got != was);
	/* what had no room in the socket is counted, and a turn has its bound
	 */
	assert_true(dgram_dropped(&d) > 0);
	assert_in_range(n_got + dgram_dropped(&d), FLOOD / 2, FLOOD);
	assert_int_equal(most_turn, DGRAM_BUDGET);
	close(fd);
	close_it(&fx);
	fx_fini(&fx);
}

static void
test_pause(void **state)
{
	struct fx fx;
	int fd, i;

	(void)state;
	fx_init(&fx);
	open_it(&fx);
	fd = sender();
	pauses = true;
	assert_int_equal(send(fd, "1", 1, 0), 1);
	FX_WAIT(&fx, WAIT_MS, n_got >= 1);
	assert_int_equal(send(fd, "2", 1, 0), 1);
	for (i = 0; i < 20; i++)
		ev_run(fx.loop, EVRUN_NOWAIT);
	assert_int_equal(n_got, 1);
	dgram_resume(&d);
	FX_WAIT(&fx, WAIT_MS, n_got >= 2);
	assert_string_equal(last, "2");
	close(fd);
	close_it(&fx);
	fx_fini(&fx);
}

static void
test_addresses(void **state)
{
	struct dgram e = {0};
	struct fx fx;

	(void)state;
	fx_init(&fx);
	assert_int_equal(
	    dgram_open(&e, fx.net, STR_LIT("nowhere"), SIZE, on_datagram),
	    ERR_INVALID);
	assert_int_equal(
	    dgram_open(&e, fx.net, STR_LIT("unix:/tmp/x"), SIZE, on_datagram),
	    ERR_INVALID);
	assert_int_equal(dgram_open(&e, fx.net, STR_LIT("203.0.113.1:9502"),
			     SIZE, on_datagram),
	    ERR_INVALID);
	assert_int_equal(dgram_dropped(&e), 0);
	dgram_close(&e);
	fx_fini(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ask_and_answer),
	    cmocka_unit_test(test_size),
	    cmocka_unit_test(test_flood),
	    cmocka_unit_test(test_pause),
	    cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests_name("dgram", tests, NULL, NULL);
}
