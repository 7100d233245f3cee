/* SPDX-License-Identifier: MIT */
/*
 * The HTTP server over socket pairs with a real loop: answers now and later,
 * pipelining, limits, time, upgrade.
 */
#include "tests/unit/shared/svc/httpd_fixture.h"

static void
test_simple(void **state)
{
	(void)state;
	fx_write(client, "GET /one?x HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 2000, read_has("\r\n\r\n/one"));
	assert_true(has("HTTP/1.1 200 OK\r\n"));
	assert_true(has("Content-Length: 4\r\n"));
	assert_true(has("X-Content-Type-Options: nosniff\r\n"));
	assert_false(has("Connection: close"));
	/* the same connection again, byte by byte now */
	{
		const char *p = "GET /two HTTP/1.1\r\n" HOST "\r\n";

		for (; *p != '\0'; p++) {
			assert_int_equal(send(client, p, 1, 0), 1);
			ev_run(fx.loop, EVRUN_ONCE);
		}
	}
	FX_WAIT(&fx, 2000, read_has("\r\n\r\n/two"));
	assert_int_equal(h.requests, 2);
	assert_int_equal(h.conns, 1);
	/* and the last one */
	fx_write(
	    client, "GET /bye HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	FX_WAIT(&fx, 2000, read_eof());
	assert_true(has("/bye"));
	assert_true(has("Connection: close\r\n"));
	close(client);
	client = -1;
	FX_WAIT(&fx, 2000, h.conns == 0);
}

static void
test_body(void **state)
{
	char big[1001] = {0};

	(void)state;
	fx_write(client,
	    "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n");
	fx_spin(&fx);
	fx_write(client, "hello");
	fx_spin(&fx);
	assert_int_equal(n_requests, 0);
	fx_write(client, " worldGET /next HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 2000, read_has("/next"));
	assert_true(has("X-Echo: 1\r\n\r\nhello worldHTTP/1.1 200"));
	assert_false(has("twice")); /* the second answer was nobody's */

	/* asked whether to send it: told to */
	buf_reset(&got);
	fx_write(client,
	    "POST /echo HTTP/1.1\r\n" HOST
	    "Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n");
	FX_WAIT(&fx, 2000, read_has("HTTP/1.1 100 Continue\r\n\r\n"));
	memset(big, 'b', 1000);
	fx_write(client, big);
	FX_WAIT(&fx, 2000, read_has(big));
	assert_int_equal(count("100 Continue"), 1);

	/* one byte more than allowed is refused before it comes */
	buf_reset(&got);
	fx_write(client,
	    "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n");
	FX_WAIT(&fx, 2000, read_eof());
	assert_true(has("HTTP/1.1 413 "));
	assert_true(has("Connection: close\r\n"));
}

static void
test_head(void **state)
{
	(void)state;
	fx_write(client, "HEAD /12345 HTTP/1.1\r\n" HOST "\r\n"
			 "HEAD /blob HTTP/1.1\r\n" HOST "\r\n"
			 "GET /blob HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 2000, read_has("shared"));
	assert_true(has("Content-Length: 6\r\n"));
	assert_false(has("/12345"));
	assert_int_equal(count("shared"), 1);
	assert_int_equal(count("HTTP/1.1 200"), 3);
}

static void
test_garbage(void **state)
{
	static const struct {
		const char *text, *status;
	} t[] = {
	    {"\x16\x03\x01\x02\x03", "400"},
	    {"GET / HTTP/1.1\nHost: a\n\n", "400"},
	    {"GET / HTTP/1.1\r\n\r\n", "400"},
	    {"GET / HTTP/3.0\r\n", "505"},
	    {"POST / HTTP/1.1\r\n" HOST
	     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"501"},
	    {"POST / HTTP/1.1\r\n" HOST
	     "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
		"400"},
	};
	char status[32];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(t); i++) {
		buf_reset(&got);
		/* with more behind it: that must not be looked at */
		fx_write(client, t[i].text);
		fx_write(client, "GET /evil HTTP/1.1\r\n" HOST "\r\n");
		FX_WAIT(&fx, 2000, read_eof());
		snprintf(status, sizeof(status), "HTTP/1.1 %s ", t[i].status);
		assert_true(has(status));
		assert_int_equal(count("HTTP/1.1"), 1);
		assert_true(has("Connection: close\r\n"));
		assert_true(has("{\"error\":{\"code\":"));
		close(client);
		client = dial_in();
	}
	assert_int_equal(n_requests, 0);
	assert_int_equal(h.refused, ARRAY_LEN(t));
}

static void
test_pipelined(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		fx_write(client, "GET /p HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 2000,
	    (fx_read(client, &got, &eof), count("\r\n\r\n/p") == 100));
	assert_int_equal(n_requests, 100);
}

static void
test_later(void **state)
{
	struct httpd_conn *c;
	uint64_t first, before;

	(void)state;
	fx_write(client, "GET /later HTTP/1.1\r\n" HOST "\r\n"
			 "GET /later HTTP/1.1\r\n" HOST "\r\n"
			 "GET /now HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 2000, n_later == 1);
	before = fx.net->bytes_in;
	fx_write(client, "GET /tail HTTP/1.1\r\n" HOST "\r\n");
	fx_run_for(&fx, 30);
	/* one at a time: the others wait, and no more is read meanwhile */
	assert_int_equal(fx.net->bytes_in, before);
	assert_int_equal(n_later, 1);
	assert_int_equal(n_requests, 1);
	first = later_id[0];
	c = httpd_find(&h, first);
	assert_non_null(c);
	assert_false(httpd_is_left(c)); /* a request is behind it */
	httpd_reply(c, 200, NULL, STR_LIT("answer-1 "), "");
	/* nothing is handled inside the reply, and the id is used up */
	assert_int_equal(n_requests, 1);
	assert_null(httpd_find(&h, first));
	FX_WAIT(&fx, 2000, n_later == 2);
	assert_int_not_equal(later_id[1], first);
	assert_null(httpd_find(&h, first));
	httpd_reply(
	    httpd_find(&h, later_id[1]), 200, NULL, STR_LIT("answer-2 "), "");
	FX_WAIT(&fx, 2000, read_has("/tail"));
	assert_true(has("answer-1 HTTP/1.1"));
	assert_true(has("answer-2 HTTP/1.1"));

	/* the asker is gone before the answer: at the latest it finds out now
	 */
	fx_write(client, "GET /later HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 2000, n_later == 3);
	assert_false(httpd_is_left(httpd_find(&h, later_id[2])));
	close(client);
	client = -1;
	assert_true(httpd_is_left(httpd_find(&h, later_id[2])));
	fx_spin(&fx);
	c = httpd_find(&h, later_id[2]);
	if (c != NULL)
		httpd_reply(c, 200, NULL, STR_LIT("nobody"), "");
	FX_WAIT(&fx, 2000, h.conns == 0);
	assert_null(httpd_find(&h, later_id[2]));
	assert_null(httpd_find(&h, 0));
	assert_null(httpd_find(&h, 999999));
}

static void
test_half_closed(void **state)
{
	(void)state;
	/* asks, says it will say no more, and still gets the answers */
	fx_write(client, "GET /a HTTP/1.1\r\n" HOST "\r\n"
			 "GET /later HTTP/1.1\r\n" HOST "\r\n");
	shutdown(client, SHUT_WR);
	FX_WAIT(&fx, 2000, n_later == 1);
	fx_run_for(&fx, 30);
	httpd_reply(
	    httpd_find(&h, later_id[0]), 200, NULL, STR_LIT("late"), "");
	FX_WAIT(&fx, 2000, read_eof());
	assert_true(has("\r\n\r\n/aHTTP/1.1"));
	assert_true(has("\r\n\r\nlate"));
	FX_WAIT(&fx, 2000, h.conns == 0);
	close(client);
	/* says goodbye in the middle of a head */
	client = dial_in();
	fx_write(client, "GET / HT");
	shutdown(client, SHUT_WR);
	FX_WAIT(&fx, 2000, h.conns == 0);
}

#define UPGRADE "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

static void
test_upgrade(void **state)
{
	(void)state;
	fx_write(client, "GET /ws HTTP/1.1\r\n" HOST UPGRADE "rest");
	FX_WAIT(&fx, 2000, read_has("101"));
	assert_int_equal(n_taken, 1);
	assert_true(str_eqc(buf_str(&taker.got), "rest"));
	assert_int_equal(h.conns, 0);
	assert_int_equal(fx.net->n_conns, 1);
	fx_write(client, "frames");
	FX_WAIT(&fx, 2000, buf_len(&taker.got) == 10);
	close(client);
	FX_WAIT(&fx, 2000, taker.deads == 1);

	/* from the buffer: the head came in pieces */
	client = dial_in();
	buf_reset(&taker.got);
	fx_write(client, "GET /ws HTTP/1.1\r\n");
	fx_spin(&fx);
	fx_write(client, HOST UPGRADE "more");
	FX_WAIT(&fx, 2000, n_taken == 2);
	assert_true(str_eqc(buf_str(&taker.got), "more"));
	close(client);
	FX_WAIT(&fx, 2000, taker.deads == 2);

	/* refused: an answer, and the end, whatever comes behind */
	client = dial_in();
	buf_reset(&got);
	fx_write(client, "GET /refuse HTTP/1.1\r\n" HOST UPGRADE);
	fx_write(client, "GET /evil HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 2000, read_eof());
	assert_true(has("HTTP/1.1 426 Upgrade Required\r\n"));
	assert_true(has("\\\"13\\\""));
	assert_true(has("Connection: close\r\n"));
	assert_int_equal(count("HTTP/1.1"), 1);
	close(client);

	/* declined: an ordinary request, closed all the same; with a body too
	 */
	client = dial_in();
	buf_reset(&got);
	fx_write(client,
	    "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n" UPGRADE);
	fx_spin(&fx);
	fx_write(client, "hello");
	FX_WAIT(&fx, 2000, read_eof());
	assert_true(has("\r\n\r\nhello"));
	assert_true(has("Connection: close\r\n"));
}

/* the janitor looks every half second; the clock is turned, not waited for */
static void
later_by(int64_t ms)
{
	clock_test_set(
	    clock_wall_ms(), clock_mono_ms() + ms); /* stands still now */
}

static void
test_timeouts(void **state)
{
	int silent, slow, body, idle, busy, keep = client;

	(void)state;
	later_by(0); /* and we take none of it */
	silent = dial_in(), slow = dial_in(), body = dial_in();
	idle = dial_in(), busy = dial_in();
	fx_write(slow, "GET / HTTP/1.1\r\nHo");
	fx_write(
	    body, "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc");
	fx_write(idle, "GET /idle HTTP/1.1\r\n" HOST "\r\n");
	fx_write(busy, "GET /later HTTP/1.1\r\n" HOST "\r\n");
	fx_write(keep, "GET /keep HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 2000, n_requests == 3);
	assert_int_equal(h.conns, 6);

	later_by(4900);
	fx_run_for(&fx, 600);
	assert_int_equal(h.conns, 6);
	later_by(200); /* 5.1 s: no whole head */
	fx_run_for(&fx, 600);
	client = silent;
	FX_WAIT(&fx, 2000, read_eof());
	assert_int_equal(buf_len(&got), 0);
	client = slow;
	FX_WAIT(&fx, 2000, read_eof());
	assert_true(has("HTTP/1.1 408 "));
	buf_reset(&got);
	client = body;
	assert_false(read_eof());
	later_by(5000); /* 10.1 s: no whole body */
	FX_WAIT(&fx, 2000, read_eof());
	assert_true(has("HTTP/1.1 408 "));
	/* half a second before its end it asks again, and stays */
	later_by(4400);
	fx_write(keep, "GET /keep HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 2000, n_requests == 4);
	later_by(700); /* 15.2 s: nothing more was asked */
	client = idle;
	FX_WAIT(&fx, 2000, read_eof());
	client = keep;
	assert_false(read_eof());
	/* who waits for our answer is not to blame */
	client = busy;
	assert_false(read_eof());
	buf_reset(&got);
	httpd_reply(
	    httpd_find(&h, later_id[0]), 200, NULL, STR_LIT("at last"), "");
	FX_WAIT(&fx, 2000, read_has("at last"));
	close(silent);
	close(slow);
	close(body);
	close(idle);
	close(busy);
	client = keep;
}

static void
test_not_reading(void **state)
{
	size_t sent = 0;
	unsigned i;
	ssize_t n;

	(void)state;
	/* asks for megabytes a thousand times and reads none */
	for (i = 0; i < 1000; i++) {
		n = send(client, "GET /big HTTP/1.1\r\n" HOST "\r\n", 41,
		    MSG_DONTWAIT);
		if (n > 0)
			sent += (size_t)n;
		ev_run(fx.loop, EVRUN_NOWAIT);
	}
	assert_true(sent > 0);
	assert_true(n_requests < 5);
	assert_true(fx.net->queued < 4u << 20);
	/* then reads: gets what it asked for */
	while (n_requests < 20) {
		fx_read(client, &got, &eof);
		buf_reset(&got);
		ev_run(fx.loop, EVRUN_ONCE);
	}
}

static void
test_stop(void **state)
{
	int busy = dial_in(), idle = client, fresh;

	(void)state;
	fx_write(busy, "GET /later HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 2000, n_later == 1);
	httpd_stop(&h);
	client = idle;
	FX_WAIT(&fx, 2000, read_eof());
	close(idle);
	fresh = dial_in();
	client = fresh;
	FX_WAIT(&fx, 2000, read_eof());
	close(fresh);
	client = busy;
	httpd_reply(
	    httpd_find(&h, later_id[0]), 200, NULL, STR_LIT("done"), "");
	FX_WAIT(&fx, 2000, read_eof());
	assert_true(has("done"));
	assert_true(has("Connection: close\r\n"));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    T(test_simple),
	    T(test_body),
	    T(test_head),
	    T(test_garbage),
	    T(test_pipelined),
	    T(test_later),
	    T(test_half_closed),
	    T(test_upgrade),
	    T(test_timeouts),
	    T(test_not_reading),
	    T(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
