/* SPDX-License-Identifier: MIT */
/*
 * Bodies and answers in pieces: a taker that takes, holds, refuses, loses; a
 * source that has much, nothing for a while, or breaks; readers who do not.
 */
#define HTTPD_FIXTURE_HEAD on_head
#include "shared/svc/httpd.h"

static void on_head(
    struct httpd *, struct httpd_conn *, const struct http_request *);

#include "tests/unit/shared/svc/httpd_fixture.h"

static struct {
	struct httpd_conn *c;
	uint64_t bytes, id, hold_at, refuse_at;
	unsigned pieces, ends, losts;
	size_t largest;
	bool later;
} in;

static struct {
	uint64_t at, len;
	unsigned reads, closes, nothing;
	bool breaks;
} out;

static void
sink_on_body(struct httpd_conn *c, void *arg, const uint8_t *p, size_t n)
{
	assert_ptr_equal(arg, &in);
	assert_true(n > 0 && n <= HTTPD_PIECE);
	assert_int_equal(in.ends + in.losts, 0);
	assert_true(p[0] == 'b' && memcmp(p, p + 1, n - 1) == 0);
	in.bytes += n;
	in.pieces++;
	if (n > in.largest)
		in.largest = n;
	if (in.hold_at > 0 && in.bytes >= in.hold_at)
		httpd_hold(c);
	if (in.refuse_at > 0 && in.bytes >= in.refuse_at)
		httpd_error(c, 415, "not that");
}

static void
sink_on_end(struct httpd_conn *c, void *arg)
{
	assert_ptr_equal(arg, &in);
	in.ends++;
	in.id = httpd_id(c);
	if (!in.later)
		httpd_reply(c, 200, "text/plain", STR_LIT("taken"), "");
}

static void
sink_on_lost(void *arg)
{
	assert_ptr_equal(arg, &in);
	in.losts++;
	in.c = NULL;
}

static const struct httpd_sink sink = {sink_on_body, sink_on_end, sink_on_lost};

static long
source_read(void *arg, uint8_t *p, size_t n)
{
	assert_ptr_equal(arg, &out);
	assert_true(n > 0 && n <= HTTPD_PIECE);
	assert_int_equal(out.closes, 0);
	out.reads++;
	if (out.nothing > 0) {
		out.nothing--;
		return 0;
	}
	if (out.breaks && out.at > 0)
		return -1;
	memset(p, 's', n);
	out.at += n;
	return (long)n;
}

static void
source_close(void *arg)
{
	assert_ptr_equal(arg, &out);
	out.closes++;
}

static const struct httpd_source source = {source_read, source_close};

static void
on_head(struct httpd *hd, struct httpd_conn *c, const struct http_request *rq)
{
	assert_ptr_equal(hd, &h);
	if (str_eqc(rq->path, "/no"))
		httpd_error(c, 403, "no");
	if (str_eqc(rq->path, "/source"))
		httpd_reply_source(
		    c, 200, "text/plain", out.len, &source, &out, "X: 1\r\n");
	if (!str_eqc(rq->path, "/sink"))
		return;
	in.c = c;
	httpd_stream(c, &sink, &in);
}

static int
set_up_here(void **state)
{
	memset(&in, 0, sizeof in);
	memset(&out, 0, sizeof out);
	return set_up(state);
}

/* so many bytes and more have come, whatever they are */
static bool
read_bytes(size_t n)
{
	fx_read(client, &got, &eof);
	return buf_len(&got) >= n;
}

static void
post(const char *path, size_t n, const char *more)
{
	char head[256];

	snprintf(head, sizeof head,
	    "POST %s HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n%s\r\n", path,
	    n, more);
	fx_write(client, head);
}

/* n bytes of a body, as the other end takes them */
static void
body(size_t n)
{
	static char p[65536];
	ssize_t k;

	memset(p, 'b', sizeof p);
	while (n > 0) {
		k = send(client, p, n < sizeof p ? n : sizeof p,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (k > 0)
			n -= (size_t)k;
		ev_run(fx.loop, EVRUN_NOWAIT);
	}
}

static void
test_in(void **state)
{
	(void)state;
	/* far more than a body kept in memory may be, and the next one */
	post("/sink", 3000000, "");
	body(3000000);
	fx_write(client, "GET /next HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 30000, read_has("/next"));
	assert_int_equal(in.bytes, 3000000);
	assert_int_equal(in.ends, 1);
	assert_int_equal(in.losts, 0);
	assert_true(in.pieces > 40);
	assert_true(in.largest <= HTTPD_PIECE);
	assert_true(has("taken"));
	assert_int_equal(count("HTTP/1.1 200"), 2);
	assert_false(has("100 Continue"));
	assert_int_equal(h.conns, 1);
	/* other paths are as ever */
	buf_reset(&got);
	post("/echo", 4, "");
	body(4);
	FX_WAIT(&fx, 30000, read_has("bbbb"));
	/* all in one piece with its head, and nothing at all */
	buf_reset(&got);
	in.ends = 0;
	fx_write(client,
	    "POST /sink HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nbbb"
	    "POST /sink HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
	FX_WAIT(&fx, 30000, (read_has("x"), count("taken") == 2));
}

static void
test_continue(void **state)
{
	(void)state;
	post("/sink", 10, "Expect: 100-continue\r\n");
	FX_WAIT(&fx, 30000, read_has("HTTP/1.1 100 Continue\r\n\r\n"));
	body(5);
	body(5);
	FX_WAIT(&fx, 30000, read_has("taken"));
	assert_int_equal(count("100 Continue"), 1);
	/* who is refused is not told to go on */
	post("/no", 1000000, "Expect: 100-continue\r\n");
	FX_WAIT(&fx, 30000, read_eof());
	assert_true(has("HTTP/1.1 403 "));
	assert_true(has("Connection: close\r\n"));
	assert_int_equal(count("100 Continue"), 1);
}

static void
test_hold(void **state)
{
	size_t sent = 0;
	char p[4096];
	ssize_t n;

	(void)state;
	memset(p, 'b', sizeof p);
	in.hold_at = 1000;
	post("/sink", 10000000, "");
	/* until neither the kernel nor the server takes any more */
	do {
		n = send(client, p, sizeof p, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			sent += (size_t)n;
		fx_spin(&fx);
	} while (n > 0);
	assert_true(sent < 5000000);
	assert_true(in.bytes >= 1000 && in.bytes < 1000 + 2 * HTTPD_PIECE);
	/* it does not count as slow */
	clock_test_set(0, clock_mono_ms() + 10 * HTTPD_QUIET_MS);
	fx_run_for(&fx, 1200);
	assert_int_equal(in.losts, 0);
	in.hold_at = 0;
	httpd_go_on(in.c);
	body(10000000 - sent);
	FX_WAIT(&fx, 30000, read_has("taken"));
	assert_int_equal(in.bytes, 10000000);
}

static void
test_refused_amid(void **state)
{
	(void)state;
	in.refuse_at = 100;
	post("/sink", 1000000, "");
	fx_spin(&fx);
	send(client, "bbbbbbbbbbbbbbbbbbbb", 20, 0);
	fx_spin(&fx);
	assert_int_equal(in.bytes, 20);
	body(70000);
	FX_WAIT(&fx, 30000, read_eof());
	assert_true(has("HTTP/1.1 415 "));
	assert_true(has("Connection: close\r\n"));
	assert_int_equal(in.ends + in.losts, 0);
	/* with its last byte, too */
	close(client);
	client = dial_in();
	buf_reset(&got);
	in.bytes = 0;
	post("/sink", 100, "");
	body(100);
	FX_WAIT(&fx, 30000, read_eof());
	assert_true(has("HTTP/1.1 415 "));
	assert_int_equal(in.ends + in.losts, 0);
}

static void
test_later(void **state)
{
	struct httpd_conn *c;

	(void)state;
	in.later = true;
	post("/sink", 5, "");
	body(5);
	FX_WAIT(&fx, 30000, in.ends == 1);
	fx_write(client, "GET /next HTTP/1.1\r\n" HOST "\r\n");
	fx_spin(&fx);
	assert_int_equal(n_requests, 0);
	c = httpd_find(&h, in.id);
	assert_non_null(c);
	httpd_reply(c, 200, "text/plain", STR_LIT("at last"), "");
	FX_WAIT(&fx, 30000, read_has("/next"));
	assert_true(has("at last"));
	assert_int_equal(in.losts, 0);
}

static void
test_lost(void **state)
{
	(void)state;
	post("/sink", 1000, "");
	body(10);
	FX_WAIT(&fx, 30000, in.bytes == 10);
	close(client);
	client = -1;
	FX_WAIT(&fx, 30000, in.losts == 1);
	FX_WAIT(&fx, 30000, h.conns == 0);
	assert_int_equal(in.ends, 0);
}

static void
test_slow(void **state)
{
	int64_t now = clock_mono_ms();

	(void)state;
	clock_test_set(0, now);
	/* ten seconds, and so long again as its bytes allow */
	post("/sink", 1000000, "");
	body(10 * HTTPD_STREAM_RATE);
	FX_WAIT(&fx, 30000, in.bytes == 10 * HTTPD_STREAM_RATE);
	clock_test_set(0, now + HTTPD_STREAM_MS + 9000);
	fx_run_for(&fx, 1200);
	assert_int_equal(in.losts, 0);
	clock_test_set(0, now + HTTPD_STREAM_MS + 12000);
	FX_WAIT(&fx, 30000, read_eof());
	assert_true(has("HTTP/1.1 408 "));
	assert_int_equal(in.losts, 1);
	/* however much has come: not a byte for so long is too long */
	close(client);
	client = dial_in();
	buf_reset(&got);
	memset(&in, 0, sizeof in);
	post("/sink", 10000000, "");
	body(5000000);
	FX_WAIT(&fx, 30000, in.bytes == 5000000);
	clock_test_set(0, clock_mono_ms() + HTTPD_QUIET_MS + 1000);
	FX_WAIT(&fx, 30000, read_eof());
	assert_true(has("HTTP/1.1 408 "));
	assert_int_equal(in.losts, 1);
}

static void
test_out(void **state)
{
	const char *p;

	(void)state;
	out.len = 3000000;
	fx_write(client, "GET /source HTTP/1.1\r\n" HOST "\r\n"
			 "GET /next HTTP/1.1\r\n" HOST "\r\n");
	/* nobody reads: no more than the kernel takes, and a piece */
	fx_run_for(&fx, 100);
	assert_true(out.at < 1500000);
	assert_true(fx.net->queued <= 2 * HTTPD_PIECE);
	FX_WAIT(&fx, 30000, read_bytes(out.len));
	FX_WAIT(&fx, 30000, read_has("\r\n\r\n/next"));
	assert_int_equal(out.at, out.len);
	assert_int_equal(out.closes, 1);
	assert_true(has("Content-Length: 3000000\r\n"));
	assert_true(has("X: 1\r\n"));
	/* all of it, behind its head and before that of the next answer */
	p = memmem(buf_p(&got), buf_len(&got), "\r\n\r\nsss", 7);
	assert_non_null(p);
	assert_true(memcmp(p + 4, p + 5, 2999999) == 0);
	assert_memory_equal(p + 4 + 3000000, "HTTP/1.1 200", 12);
	assert_int_equal(h.conns, 1);
	assert_null(h.senders);
}

static void
test_out_head(void **state)
{
	(void)state;
	out.len = 3000000;
	fx_write(client, "HEAD /source HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 30000, read_has("Content-Length: 3000000\r\n"));
	FX_WAIT(&fx, 30000, read_has("\r\n\r\n"));
	assert_int_equal(out.reads, 0);
	assert_int_equal(out.closes, 1);
	/* nothing of nothing */
	out.len = out.closes = 0;
	fx_write(client, "GET /source HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 30000, read_has("Content-Length: 0\r\n"));
	assert_int_equal(out.reads, 0);
	assert_int_equal(out.closes, 1);
}

static void
test_out_pauses(void **state)
{
	(void)state;
	out.len = 200000;
	out.nothing = 5;
	fx_write(client, "GET /source HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 30000, read_bytes(200000) && out.closes == 1);
	assert_int_equal(out.closes, 1);
	assert_true(out.reads >= 5 + 4);
}

static void
test_out_breaks(void **state)
{
	(void)state;
	out.len = 3000000;
	out.breaks = true;
	fx_write(client, "GET /source HTTP/1.1\r\n" HOST "\r\n");
	/* cut short: it must not look whole */
	FX_WAIT(&fx, 30000, (fx_read(client, &got, &eof), eof > 0));
	assert_int_equal(out.closes, 1);
	FX_WAIT(&fx, 30000, h.conns == 0);
	/* the reader leaves */
	close(client);
	client = dial_in();
	memset(&out, 0, sizeof out);
	out.len = 30000000;
	fx_write(client, "GET /source HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 30000, out.at > 0);
	close(client);
	client = -1;
	FX_WAIT(&fx, 30000, out.closes == 1);
	FX_WAIT(&fx, 30000, h.conns == 0);
}

static void
test_out_stalls(void **state)
{
	int64_t now = clock_mono_ms();

	(void)state;
	clock_test_set(0, now);
	out.len = 30000000;
	fx_write(client, "GET /source HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 30000, out.at > 0);
	fx_spin(&fx);
	/* it takes some now and then */
	clock_test_set(0, now + HTTPD_STALL_MS - 5000);
	fx_read(client, &got, &eof);
	fx_run_for(&fx, 700);
	clock_test_set(0, now + HTTPD_STALL_MS + 5000);
	fx_run_for(&fx, 700);
	assert_int_equal(h.conns, 1);
	/* and then nothing */
	clock_test_set(0, now + 3 * HTTPD_STALL_MS);
	FX_WAIT(&fx, 30000, h.conns == 0);
	assert_int_equal(out.closes, 1);
}

/* who takes nothing loses his place to another, after a while */
static void
test_out_slow(void **state)
{
	int64_t now = clock_mono_ms();
	uint64_t was;

	(void)state;
	clock_test_set(0, now);
	assert_false(httpd_cut_slow(&h));
	out.len = 30000000;
	fx_write(client, "GET /source HTTP/1.1\r\n" HOST "\r\n");
	FX_WAIT(&fx, 30000, out.at > 0);
	do {
		was = out.at;
		fx_run_for(&fx, 100);
	} while (out.at != was);
	clock_test_set(0, now + 3000);
	assert_false(httpd_cut_slow(&h));
	clock_test_set(0, now + 7000);
	assert_true(httpd_cut_slow(&h));
	/* it goes only once */
	assert_false(httpd_cut_slow(&h));
	FX_WAIT(&fx, 30000, out.closes == 1 && h.conns == 0);
}

static void
test_end(void **state)
{
	int other = dial_in();

	(void)state;
	/* the server ends amid both */
	out.len = 30000000;
	fx_write(client, "GET /source HTTP/1.1\r\n" HOST "\r\n");
	fx_write(other,
	    "POST /sink HTTP/1.1\r\n" HOST "Content-Length: 1000\r\n\r\nbbb");
	FX_WAIT(&fx, 30000, out.at > 0 && in.bytes == 3);
	httpd_fini(&h);
	assert_int_equal(out.closes, 1);
	assert_int_equal(in.losts, 1);
	close(other);
	/* for tear_down */
	httpd_init(&h, fx.net, &ops, NULL, 8, 1000);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up_here, tear_down)
	static const struct CMUnitTest tests[] = {
	    T(test_in),
	    T(test_continue),
	    T(test_hold),
	    T(test_refused_amid),
	    T(test_later),
	    T(test_lost),
	    T(test_slow),
	    T(test_out),
	    T(test_out_head),
	    T(test_out_pauses),
	    T(test_out_breaks),
	    T(test_out_stalls),
	    T(test_out_slow),
	    T(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
