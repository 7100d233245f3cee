/* SPDX-License-Identifier: MIT */
/*
 * WebSocket input: lengths and limits, half frames, what is held meanwhile and
 * what that costs, callbacks that stop.
 */
#include "tests/unit/shared/proto/ws_fixture.h"

static void
test_lengths(void **state)
{
	size_t n;

	(void)state;
	/* not the shortest form */
	for (n = 0; n < 126; n += 25) {
		header(FIN | TEXT, 0x80, 126, n);
		buf_put(&in, "mask", 4);
		while (buf_len(&in) < 8 + n)
			buf_putc(&in, 'x');
		check("V1002;");
	}
	header(FIN | TEXT, 0x80, 127, 65535);
	buf_put(&in, "maskxxxx", 8);
	check("V1002;");
	header(FIN | TEXT, 0x80, 127, 5);
	buf_put(&in, "maskhello", 9);
	check("V1002;");
	/* bit 63, all ones */
	header(FIN | TEXT, 0x80, 127, UINT64_C(1) << 63);
	buf_put(&in, "maskxxxx", 8);
	check("V1002;");
	header(FIN | TEXT, 0x80, 127, UINT64_MAX);
	buf_put(&in, "maskxxxx", 8);
	check("V1002;");
	/* no mask */
	header(FIN | TEXT, 0, 0, 5);
	buf_put(&in, "hello", 5);
	check("V1002;");
	header(FIN | PING, 0, 0, 0);
	check("V1002;");
	/* the limit */
	msg_max = 1000;
	fill(FIN | TEXT, 1000);
	frame(FIN | PING, "");
	assert_true(check("T#1000;P;"));
	fill(FIN | TEXT, 1001);
	check("V1009;");
	fill(TEXT, 500);
	fill(CONT, 500);
	frame(FIN | CONT, "");
	assert_true(check("T#1000;"));
	fill(TEXT, 500);
	fill(CONT, 500);
	frame(FIN | CONT, "x");
	check("V1009;");
	/* control frames do not count towards it */
	msg_max = 5;
	frame(TEXT, "abc");
	frame(FIN | PING, "a longer ping");
	frame(FIN | CONT, "de");
	assert_true(check("Pa longer ping;Tabcde;"));
	msg_max = 65536;
	/* declared 1 TiB: over at its first byte */
	header(FIN | TEXT, 0x80, 127, UINT64_C(1) << 40);
	buf_put(&in, "maskx", 5);
	check("V1009;");
	header(TEXT, 0x80, 127, (UINT64_C(1) << 63) - 1);
	buf_put(&in, "maskx", 5);
	check("V1009;");
	/* sums that would wrap */
	frame(TEXT, "abc");
	header(FIN | CONT, 0x80, 127, (UINT64_C(1) << 63) - 1);
	buf_put(&in, "maskx", 5);
	check("V1009;");
}

static void
test_half(void **state)
{
	size_t total, cut;
	struct ws ws;

	(void)state;
	/* cut anywhere: waits without an event, and the parser stays with it */
	fill(FIN | TEXT, 300);
	total = buf_len(&in);
	for (cut = 1; cut < total; cut++) {
		ws_init(&ws, msg_max);
		buf_reset(&script);
		ws_feed(&ws, buf_p(&in), cut, &ops, &script, NULL);
		assert_int_equal(buf_len(&script), 0);
		assert_non_null(ws.rx);
		assert_int_equal(ws_rx_live(), 1);
		ws_feed(
		    &ws, buf_p(&in) + cut, total - cut, &ops, &script, NULL);
		assert_true(str_eqc(buf_str(&script), "T#300;"));
		assert_null(ws.rx);
		assert_int_equal(ws_rx_live(), 0);
		/* dropped half way: nothing leaks */
		ws_feed(&ws, buf_p(&in), cut, &ops, &script, NULL);
		ws_fini(&ws);
		assert_int_equal(ws_rx_live(), 0);
	}
	buf_reset(&in);
	/* a message and a half, twenty times over: the sum stays right */
	for (cut = 0; cut < 20; cut++) {
		frame(FIN | TEXT, "whole");
		frame(TEXT, "ha");
		frame(FIN | CONT, "lf");
	}
	header(FIN | TEXT, 0x80, 126, 0x1234); /* a header and no more */
	assert_false(
	    check("Twhole;Thalf;Twhole;Thalf;Twhole;Thalf;Twhole;Thalf;"
		  "Twhole;Thalf;Twhole;Thalf;Twhole;Thalf;Twhole;Thalf;"
		  "Twhole;Thalf;Twhole;Thalf;Twhole;Thalf;Twhole;Thalf;"
		  "Twhole;Thalf;Twhole;Thalf;Twhole;Thalf;Twhole;Thalf;"
		  "Twhole;Thalf;Twhole;Thalf;Twhole;Thalf;Twhole;Thalf;"));
	frame(TEXT, "unfinished");
	assert_false(check(""));
}

/* several connections at once: contexts of the pool must not mix them up */
static void
test_many_connections(void **state)
{
	enum { N = 40 };
	struct ws ws[N];
	size_t off[N] = {0}, n, open = N;
	unsigned seed = 99, i;
	static struct buf got[N];

	(void)state;
	for (i = 0; i < 30; i++) {
		frame(TEXT, "some ");
		frame(FIN | PING, "ping");
		frame(FIN | CONT, "words");
	}
	for (i = 0; i < N; i++) {
		ws_init(&ws[i], msg_max);
		buf_init(&got[i], 1 << 16);
	}
	while (open > 0) {
		i = (unsigned)rand_r(&seed) % N;
		if (off[i] == buf_len(&in))
			continue;
		n = 1 + (size_t)rand_r(&seed) % 37;
		if (n > buf_len(&in) - off[i])
			n = buf_len(&in) - off[i];
		buf_reset(&script);
		ws_feed(&ws[i], buf_p(&in) + off[i], n, &ops, &script, NULL);
		buf_putstr(&got[i], buf_str(&script));
		off[i] += n;
		if (off[i] == buf_len(&in)) {
			assert_null(ws[i].rx);
			open--;
		}
	}
	assert_int_equal(ws_rx_live(), 0);
	for (i = 0; i < N; i++) {
		assert_int_equal(
		    buf_len(&got[i]), 30 * strlen("Pping;Tsome words;"));
		assert_true(str_eq(buf_str(&got[i]), buf_str(&got[0])));
		ws_fini(&ws[i]);
	}
	for (i = 0; i < N; i++)
		buf_fini(&got[i]);
	buf_reset(&in);
}

/* Bytes in use on the heap. Zero throughout under a sanitizer's allocator. */
static long
heap(void)
{
	return (long)mallinfo2().uordblks;
}

static void
test_memory(void **state)
{
	struct ws ws[50];
	struct blob *dirt;
	long before;
	size_t i;

	(void)state;
	dirt = blob_new("warm the pools", 4);
	blob_unref(dirt);
	/* 50 peers declare 16 MiB each and send 1000 bytes */
	header(TEXT, 0x80, 127, 16 << 20);
	buf_put(&in, "\0\0\0", 4);
	while (buf_len(&in) < 14 + 1000)
		buf_putc(&in, 'x');
	before = heap();
	for (i = 0; i < 50; i++) {
		ws_init(&ws[i], 16 << 20);
		ws_feed(&ws[i], buf_p(&in), buf_len(&in), &ops, &script, NULL);
		assert_false(ws[i].dead);
	}
	assert_int_equal(ws_rx_live(), 50);
	/* a context of 4.3 KB, the state and 2 KiB of text at most */
	assert_true(heap() - before < 50 * 8000);
	/* and with what has arrived it grows */
	for (i = 0; i < 100; i++)
		ws_feed(&ws[0], buf_p(&in) + 14, 1000, &ops, &script, NULL);
	assert_true(heap() - before < 50 * 8000 + 300000);
	for (i = 0; i < 50; i++)
		ws_fini(&ws[i]);
	assert_true(heap() - before < 10 * 4400);
	buf_reset(&in);
	/* between two fragments the text is kept, the context is not */
	before = heap();
	for (i = 0; i < 50; i++) {
		ws_init(&ws[i], 65536);
		frame(TEXT, "begun");
		ws_feed(&ws[i], buf_p(&in), buf_len(&in), &ops, &script, NULL);
		buf_reset(&in);
	}
	assert_true(heap() - before < 50 * 1200);
	for (i = 0; i < 50; i++)
		ws_fini(&ws[i]);
}

static void
test_stop(void **state)
{
	(void)state;
	/* the second callback says stop: nothing comes after it */
	frame(FIN | TEXT, "1");
	frame(FIN | TEXT, "2");
	frame(FIN | TEXT, "3");
	stop_after = 2;
	check("T1;T2;");
	frame(FIN | PING, "1");
	frame(FIN | TEXT, "2");
	stop_after = 1;
	check("P1;");
	frame(FIN | PONG, "");
	frame(FIN | TEXT, "2");
	stop_after = 1;
	check("O;");
	frame(TEXT, "1");
	frame(FIN | CONT, "1");
	close_frame(1000, "", 0);
	stop_after = 1;
	check("T11;");
}

static struct ws *own;

static bool
on_text_fini(void *arg, struct str text)
{
	(void)arg;
	(void)text;
	ws_fini(own);
	return false;
}

static void
test_fini_inside(void **state)
{
	static const struct ws_ops deadly = {
	    .on_text = on_text_fini, .on_close = on_close};
	struct ws ws;

	(void)state;
	own = &ws;
	ws_init(&ws, msg_max);
	frame(TEXT, "a");
	frame(FIN | CONT, "b");
	frame(FIN | TEXT, "c");
	ws_feed(&ws, buf_p(&in), buf_len(&in), &deadly, NULL, NULL);
	assert_true(ws.dead);
	assert_int_equal(ws_rx_live(), 0);
	buf_reset(&in);
}

static void
test_frames_counted(void **state)
{
	struct ws ws;
	unsigned n = 5;

	(void)state;
	frame(TEXT, "a");
	frame(FIN | PING, "");
	frame(FIN | CONT, "b");
	frame(FIN | PONG, "");
	header(FIN | TEXT, 0x80, 0, 4);
	ws_init(&ws, msg_max);
	ws_feed(&ws, buf_p(&in), buf_len(&in), &ops, &script, &n);
	assert_int_equal(n, 5 + 4);
	ws_fini(&ws);
	buf_reset(&in);
}

static void
test_limit_raised(void **state)
{
	struct ws ws;

	(void)state;
	/* 4 KiB before login, 64 KiB after: between two fragments even */
	ws_init(&ws, 10);
	buf_reset(&script);
	frame(TEXT, "12345");
	ws_feed(&ws, buf_p(&in), buf_len(&in), &ops, &script, NULL);
	buf_reset(&in);
	ws.msg_max = 20;
	frame(FIN | CONT, "678901234567890");
	ws_feed(&ws, buf_p(&in), buf_len(&in), &ops, &script, NULL);
	assert_true(str_eqc(buf_str(&script), "T12345678901234567890;"));
	buf_reset(&in);
	ws_fini(&ws);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_half),
	    cmocka_unit_test(test_many_connections),
	    cmocka_unit_test(test_memory),
	    cmocka_unit_test(test_stop),
	    cmocka_unit_test(test_fini_inside),
	    cmocka_unit_test(test_frames_counted),
	    cmocka_unit_test(test_limit_raised),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
