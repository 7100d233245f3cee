/* SPDX-License-Identifier: MIT */
/*
 * Listening: the budget of a turn, errors of bind, and a full descriptor
 * table, which must cost neither the processor nor the listener.
 */
#include "tests/unit/shared/net/fixture.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

#include "shared/net/listener.h"

enum { FDS_MAX = 256, MANY = 60 };

static int taken[FDS_MAX];
static unsigned n_taken;
static bool close_on_accept;

static void
on_accept(struct listener *l, int fd, const struct addr *peer)
{
	int nodelay = 0;
	socklen_t len = sizeof(nodelay);

	if (peer->ss.ss_family == AF_INET) {
		assert_int_equal(
		    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len),
		    0);
		assert_int_equal(nodelay, 1);
	}
	assert_ptr_equal(l->arg, &n_taken);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(addr_is_loopback(peer));
	assert_true(n_taken < FDS_MAX);
	taken[n_taken++] = fd;
	if (close_on_accept)
		listener_close(l);
}

static void
close_taken(void)
{
	while (n_taken > 0)
		close(taken[--n_taken]);
}

static int
connect_to(const struct addr *a)
{
	int fd = socket(
	    a->ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (connect(fd, (const struct sockaddr *)&a->ss, a->len) != 0)
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

/* the kernel may take its time even here: until n wait to be accepted */
static void
wait_queued(struct listener *l, unsigned n)
{
	int64_t end = fx_ms() + FX_PATIENCE_MS;
	struct tcp_info info;
	socklen_t len;

	do {
		assert_true(fx_ms() < end);
		memset(&info, 0, sizeof(info));
		len = sizeof(info);
		assert_int_equal(
		    getsockopt(l->io.fd, IPPROTO_TCP, TCP_INFO, &info, &len),
		    0);
	} while (info.tcpi_unacked < n);
}

static void
test_accept(void **state)
{
	struct fx fx;
	struct listener l;
	int fd[5];
	size_t i;

	(void)state;
	fx_init(&fx);
	assert_int_equal(listener_open(&l, fx.net, STR_LIT("127.0.0.1:0"),
			     false, on_accept, &n_taken),
	    0);
	assert_true(addr_port(&l.addr) != 0);
	assert_int_equal(l.budget, 64);
	l.budget = 2;
	for (i = 0; i < 5; i++)
		fd[i] = connect_to(&l.addr);
	wait_queued(&l, 5);
	while (n_taken == 0) /* it may wake for the tick alone */
		ev_run(fx.loop, EVRUN_ONCE);
	assert_int_equal(n_taken, 2); /* the rest waits for its turn */
	FX_WAIT(&fx, 2000, n_taken == 5);
	assert_int_equal(l.accepted, 5);
	close_taken();
	for (i = 0; i < 5; i++)
		close(fd[i]);
	listener_close(&l);
	listener_close(&l);
	fx_fini(&fx);
}

static void
test_close_in_accept(void **state)
{
	struct fx fx;
	struct listener l;
	int a, b;

	(void)state;
	fx_init(&fx);
	assert_int_equal(listener_open(&l, fx.net, STR_LIT("127.0.0.1:0"),
			     false, on_accept, &n_taken),
	    0);
	a = connect_to(&l.addr);
	b = connect_to(&l.addr);
	close_on_accept = true;
	FX_WAIT(&fx, 2000, n_taken == 1);
	fx_spin(&fx);
	assert_int_equal(n_taken, 1);
	close_on_accept = false;
	close_taken();
	close(a);
	close(b);
	fx_fini(&fx);
}

/* 0: it has been taken; ECONNRESET: reset */
static int
reset_of(int fd)
{
	char c;

	if (recv(fd, &c, 1, MSG_DONTWAIT) < 0 && errno != EAGAIN)
		return errno;
	return 0;
}

/* who waited when it was closed is reset; when it was finished, he is in */
static void
test_finish(void **state)
{
	struct fx fx;
	struct listener l;
	struct addr was;
	int fd[100];
	unsigned i;

	(void)state;
	fx_init(&fx);
	assert_int_equal(listener_open(&l, fx.net, STR_LIT("127.0.0.1:0"), true,
			     on_accept, &n_taken),
	    0);
	was = l.addr;
	for (i = 0; i < 100; i++)
		fd[i] = connect_to(&l.addr);
	wait_queued(&l, 100);
	listener_finish(&l);
	assert_int_equal(n_taken, 100);
	assert_int_equal(l.accepted, 100);
	for (i = 0; i < 100; i++) {
		assert_int_equal(reset_of(fd[i]), 0);
		close(fd[i]);
	}
	close_taken();
	listener_finish(&l);
	/* and again, at the same place */
	assert_int_equal(listener_reopen(&l, true), 0);
	assert_int_equal(addr_port(&l.addr), addr_port(&was));
	for (i = 0; i < 100; i++)
		fd[i] = connect_to(&l.addr);
	wait_queued(&l, 100);
	listener_close(&l);
	for (i = 0; i < 100; i++) {
		FX_WAIT(&fx, 2000, reset_of(fd[i]) == ECONNRESET);
		close(fd[i]);
	}
	assert_int_equal(l.accepted, 100);
	fx_fini(&fx);
}

static void
test_errors(void **state)
{
	struct fx fx;
	struct listener l, m, n;
	char text[ADDR_TEXT_MAX];

	(void)state;
	fx_init(&fx);
	assert_int_equal(listener_open(&l, fx.net, STR_LIT("127.0.0.1:0"),
			     false, on_accept, &n_taken),
	    0);
	addr_text(&l.addr, text);
	assert_int_equal(
	    listener_open(&m, fx.net, str_of(text), false, on_accept, &n_taken),
	    ERR_INUSE);
	listener_close(&m); /* of one that never opened: nothing happens */
	listener_close(&l);
	assert_int_equal(listener_open(&l, fx.net, STR_LIT("nonsense"), false,
			     on_accept, &n_taken),
	    ERR_INVALID);
	assert_int_equal(listener_open(&l, fx.net, STR_LIT("192.0.2.1:0"),
			     false, on_accept, &n_taken),
	    ERR_INVALID);
	/* two on one port when both ask for it, as the msg_servers do */
	assert_int_equal(listener_open(&l, fx.net, STR_LIT("127.0.0.1:0"), true,
			     on_accept, &n_taken),
	    0);
	addr_text(&l.addr, text);
	assert_int_equal(
	    listener_open(&m, fx.net, str_of(text), true, on_accept, &n_taken),
	    0);
	assert_int_equal(
	    listener_open(&n, fx.net, str_of(text), false, on_accept, &n_taken),
	    ERR_INUSE);
	listener_close(&l);
	listener_close(&m);
	fx_fini(&fx);
}

static void
test_unix(void **state)
{
	struct fx fx;
	struct listener l, m;
	char dir[] = "/tmp/cchat-listener-XXXXXX", path[64];
	struct addr a;
	struct stat st;
	int fd;

	(void)state;
	fx_init(&fx);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "unix:%s/s", dir);
	assert_int_equal(
	    listener_open(&l, fx.net, str_of(path), false, on_accept, &n_taken),
	    0);
	/* alive: in use */
	assert_int_equal(
	    listener_open(&m, fx.net, str_of(path), false, on_accept, &n_taken),
	    ERR_INUSE);
	a = l.addr;
	fd = connect_to(&a);
	/* and whoever looked whether it is alive was accepted, too */
	FX_WAIT(&fx, 2000, n_taken == 2);
	close_taken();
	close(fd);
	/* its owner died without tidying: the file is no obstacle */
	ev_io_stop(fx.loop, &l.io);
	close(l.io.fd);
	assert_int_equal(stat(path + 5, &st), 0);
	assert_int_equal(
	    listener_open(&m, fx.net, str_of(path), false, on_accept, &n_taken),
	    0);
	listener_close(&m);
	assert_int_equal(stat(path + 5, &st), -1);
	assert_int_equal(rmdir(dir), 0);
	fx_fini(&fx);
}

static void
test_no_descriptors(void **state)
{
	struct fx fx;
	struct listener l;
	struct rlimit old, low;
	int fd[MANY], fill[FDS_MAX], eof[MANY] = {0};
	unsigned i, n_fill = 0, gone, turns, rests;
	struct buf got;
	int64_t cpu, began;

	(void)state;
	fx_init(&fx);
	buf_init(&got, 4096);
	assert_int_equal(listener_open(&l, fx.net, STR_LIT("127.0.0.1:0"),
			     false, on_accept, &n_taken),
	    0);
	for (i = 0; i < MANY; i++)
		fd[i] = connect_to(&l.addr);
	wait_queued(&l, MANY);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = 128;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	while (n_fill < FDS_MAX && (fill[n_fill] = dup(0)) >= 0)
		n_fill++;
	assert_int_equal(errno, EMFILE);

	cpu = fx_cpu_ms();
	began = fx_ms();
	turns = ev_iteration(fx.loop);
	fx_run_for(&fx, 550);
	/* one each 100 ms, and at rest between: a spinning loop would use all
	 * the time there was */
	rests = (unsigned)(fx_ms() - began) / 100;
	assert_true(fx_cpu_ms() - cpu < 150 + 10 * rests);
	assert_true(ev_iteration(fx.loop) - turns < 150 + 30 * rests);
	assert_int_equal(n_taken, 0);
	assert_in_range(l.refused, 2, rests + 2);
	assert_true(fx.net->spare_fd >= 0);
	/* those refused see the end of the connection, not silence */
	do {
		ev_run(fx.loop, EVRUN_ONCE);
		for (i = gone = 0; i < MANY; i++) {
			fx_read(fd[i], &got, &eof[i]);
			gone += eof[i] != -1;
		}
		assert_true(gone <= l.refused);
		assert_true(fx_ms() - began < FX_PATIENCE_MS);
	} while (gone < l.refused);
	FX_WAIT(&fx, 2000, ev_is_active(&l.rest));
	assert_true(l.refused < MANY);

	while (n_fill > 0)
		close(fill[--n_fill]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	/* a spare one that could not be had again then is had again now */
	close(fx.net->spare_fd);
	fx.net->spare_fd = -1;
	FX_WAIT(&fx, 2000, fx.net->spare_fd >= 0);
	FX_WAIT(&fx, 2000, n_taken + l.refused == MANY);
	assert_int_equal(l.accepted, n_taken);
	close_taken();
	for (i = 0; i < MANY; i++)
		close(fd[i]);
	buf_fini(&got);
	listener_close(&l);
	fx_fini(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_accept),
	    cmocka_unit_test(test_close_in_accept),
	    cmocka_unit_test(test_finish),
	    cmocka_unit_test(test_errors),
	    cmocka_unit_test(test_unix),
	    cmocka_unit_test(test_no_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
