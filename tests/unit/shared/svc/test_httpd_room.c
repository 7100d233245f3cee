/* SPDX-License-Identifier: MIT */
/* The HTTP server when all its places are taken: who gives way, who is told. */
#include "tests/unit/shared/svc/httpd_fixture.h"

/* who opens connections and says nothing shuts out nobody but himself */
static void
test_silent_give_way(void **state)
{
	int fd[40], i, cut = 0, fresh;

	(void)state;
	for (i = 0; i < 40; i++) {
		fd[i] = dial_in();
		fx_spin(&fx);
	}
	assert_int_equal(h.conns, 8);
	assert_int_equal(h.evicted, 40 + 1 - 8);
	for (i = 0; i < 40; i++) {
		buf_reset(&got);
		fx_read(fd[i], &got, &eof);
		assert_int_equal(buf_len(&got), 0);
		cut += eof == 1;
	}
	assert_int_equal(cut, 40 - 8);
	buf_reset(&got);
	fresh = dial_in();
	close(client);
	client = fresh;
	fx_write(client, "GET /served HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 2000, read_has("/served"));
	for (i = 0; i < 40; i++)
		close(fd[i]);
	FX_WAIT(&fx, 2000, h.conns == 1);
}

/* those whose answer is on its way keep their places: the rest is told 503 */
static void
test_too_many(void **state)
{
	int fd[100], i, told = 0, cut = 0;

	(void)state;
	fx_write(client, "GET /later HTTP/1.1\r\n" HOST "\r\n");
	for (i = 0; i < 7; i++) {
		fd[i] = dial_in();
		fx_write(fd[i], "GET /later HTTP/1.1\r\n" HOST "\r\n");
	}
	FX_WAIT(&fx, 2000, n_later == 8);
	for (i = 7; i < 100; i++)
		fd[i] = dial_in();
	/* 8 served, 64 told so, the rest cut */
	assert_int_equal(h.conns, 8 + 64);
	fx_spin(&fx);
	for (i = 7; i < 100; i++) {
		buf_reset(&got);
		fx_read(fd[i], &got, &eof);
		told += has("HTTP/1.1 503 ");
		cut += eof == 1 && buf_len(&got) == 0;
	}
	assert_int_equal(told, 64);
	assert_int_equal(cut, 100 - 7 - 64);
	assert_int_equal(h.evicted, 0);
	for (i = 0; i < 100; i++)
		close(fd[i]);
}

/* nor does who asks for much and takes none of it */
static void
test_slow_give_way(void **state)
{
	int64_t now = clock_mono_ms();
	int fd[8], i;

	(void)state;
	clock_test_set(0, now);
	fx_write(client, "GET /big HTTP/1.1\r\n" HOST "\r\n");
	for (i = 0; i < 7; i++) {
		fd[i] = dial_in();
		fx_write(fd[i], "GET /big HTTP/1.1\r\n" HOST "\r\n");
	}
	FX_WAIT(&fx, 15000, n_requests == 8);
	fx_spin(&fx);
	/* for a while each of them may be one on a bad line */
	clock_test_set(0, now + 3000);
	fd[7] = dial_in();
	fx_spin(&fx);
	fx_read(fd[7], &got, &eof);
	assert_true(has("HTTP/1.1 503 "));
	assert_int_equal(h.evicted, 0);
	close(fd[7]);
	FX_WAIT(&fx, 15000, h.conns == 8);
	buf_reset(&got);
	clock_test_set(0, now + 7000);
	fd[7] = dial_in();
	fx_spin(&fx);
	assert_int_equal(h.evicted, 1);
	fx_write(fd[7], "GET /served HTTP/1.1\r\n" HOST "\r\n");
	close(client);
	client = fd[7];
	FX_WAIT(&fx, 15000, read_has("/served"));
	for (i = 0; i < 7; i++)
		close(fd[i]);
	FX_WAIT(&fx, 15000, h.conns == 1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    T(test_silent_give_way),
	    T(test_too_many),
	    T(test_slow_give_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
