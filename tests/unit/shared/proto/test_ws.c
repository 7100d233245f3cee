/* SPDX-License-Identifier: MIT */
/*
 * WebSocket input, by the case families of reliability.md section 2. Every
 * stream is fed whole, byte by byte and in random pieces; the transcript must
 * be the same, and no parser may be left behind.
 */
#include "tests/unit/shared/proto/ws_fixture.h"

static void
test_framing(void **state)
{
	static const size_t sizes[] = {125, 126, 127, 128, 4082, 4083, 4084,
	    4088, 4096, 4097, 8192, 65535, 65536};
	char expect[64];
	size_t i;

	(void)state;
	frame(FIN | TEXT, "");
	assert_true(check("T;"));
	frame(FIN | TEXT, "hello");
	assert_true(check("Thello;"));
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		fill(FIN | TEXT, sizes[i]);
		frame(FIN | TEXT, "next");
		snprintf(expect, sizeof(expect), "T#%zu;Tnext;", sizes[i]);
		assert_true(check(expect));
	}
}

static void
test_many_frames(void **state)
{
	struct buf expect;
	int i;

	(void)state;
	buf_init(&expect, 1 << 20);
	for (i = 0; i < 1000; i++) {
		frame(FIN | TEXT, "abcdefg");
		buf_puts(&expect, "Tabcdefg;");
		if (i % 7 == 0) {
			frame(FIN | PING, "p");
			buf_puts(&expect, "Pp;");
		}
	}
	buf_putc(&expect, '\0');
	assert_true(check((const char *)buf_p(&expect)));
	buf_fini(&expect);
}

static void
test_binary(void **state)
{
	(void)state;
	frame(FIN | TEXT, "a");
	frame(FIN | BIN, "b");
	frame(FIN | TEXT, "c");
	check("Ta;V1003;");
	frame(FIN | BIN, "");
	check("V1003;");
	frame(BIN, "x");
	check("V1003;");
}

static void
test_ping(void **state)
{
	char full[126];
	char expect[160];
	int i;

	(void)state;
	frame(FIN | PING, "");
	assert_true(check("P;"));
	frame(FIN | PING, "hi \xff\xfe");
	assert_true(check("Phi \xff\xfe;"));
	memset(full, 'p', 125);
	full[125] = '\0';
	frame(FIN | PING, full);
	snprintf(expect, sizeof(expect), "P%s;", full);
	assert_true(check(expect));
	fill(FIN | PING, 126);
	check("V1002;");
	fill(FIN | PONG, 126);
	check("V1002;");
	frame(FIN | PONG, "");
	frame(FIN | PONG, "unasked");
	frame(FIN | PING, "x");
	assert_true(check("O;O;Px;"));
	for (i = 0; i < 10; i++) {
		char one[2] = {(char)('0' + i), 0};

		frame(FIN | PING, one);
	}
	assert_true(check("P0;P1;P2;P3;P4;P5;P6;P7;P8;P9;"));
}

static void
test_reserved_bits(void **state)
{
	unsigned rsv, op;

	(void)state;
	for (rsv = 1; rsv < 8; rsv++) {
		for (op = 0; op < 16; op++) {
			frame(FIN | TEXT, "ok");
			frame(FIN | rsv << 4 | op, "bad");
			frame(FIN | PING, "");
			check("Tok;V1002;");
		}
		frame(FIN | rsv << 4 | TEXT, "");
		check("V1002;");
	}
}

static void
test_opcodes(void **state)
{
	unsigned op;

	(void)state;
	for (op = 3; op < 16; op++) {
		if (op == CLOSE)
			op = 11;
		frame(FIN | op, "");
		frame(FIN | PING, "");
		check("V1002;");
		frame(FIN | TEXT, "ok");
		frame(FIN | op, "payload");
		frame(FIN | PING, "");
		check("Tok;V1002;");
		frame(op, "x");
		check("V1002;");
	}
}

static void
test_fragments(void **state)
{
	struct buf expect;
	unsigned i;

	(void)state;
	frame(PING, "a");
	check("V1002;");
	frame(PONG, "a");
	check("V1002;");
	frame(CLOSE, "");
	check("V1002;");
	frame(TEXT, "one ");
	frame(FIN | CONT, "two");
	assert_true(check("Tone two;"));
	frame(TEXT, "one ");
	frame(FIN | PING, "between");
	frame(FIN | CONT, "two");
	assert_true(check("Pbetween;Tone two;"));
	/* five fragments, two pings; the first pong does not wait for the end
	 */
	frame(TEXT, "1");
	frame(CONT, "2");
	frame(FIN | PING, "a");
	frame(CONT, "3");
	frame(CONT, "4");
	frame(FIN | PING, "b");
	frame(FIN | CONT, "5");
	assert_true(check("Pa;Pb;T12345;"));
	/* a continuation of nothing */
	for (i = 0; i < 2; i++) {
		frame(i ? FIN | CONT : CONT, "x");
		frame(FIN | TEXT, "after");
		check("V1002;");
	}
	frame(TEXT, "a");
	frame(FIN | CONT, "b");
	frame(FIN | CONT, "stray");
	check("Tab;V1002;");
	/* a new message inside a message */
	frame(TEXT, "a");
	frame(FIN | TEXT, "b");
	check("V1002;");
	frame(TEXT, "a");
	frame(TEXT, "b");
	check("V1002;");
	frame(TEXT, "a");
	frame(FIN | BIN, "b");
	check("V1002;");
	/* empty ones */
	frame(TEXT, "");
	frame(CONT, "");
	frame(FIN | CONT, "");
	assert_true(check("T;"));
	frame(TEXT, "");
	frame(CONT, "full");
	frame(FIN | CONT, "");
	assert_true(check("Tfull;"));
	/* 64 fragments are taken, the 65th is too many */
	buf_init(&expect, 4096);
	buf_putc(&expect, 'T');
	for (i = 0; i < 64; i++) {
		frame(i == 0 ? TEXT : i == 63 ? FIN | CONT : CONT, "f");
		buf_putc(&expect, 'f');
	}
	buf_puts(&expect, ";");
	buf_putc(&expect, '\0');
	assert_true(check((const char *)buf_p(&expect)));
	buf_fini(&expect);
	for (i = 0; i < 65; i++)
		frame(i == 0 ? TEXT : CONT, "");
	check("V1008;");
	/* the count begins anew with each message */
	for (i = 0; i < 100; i++)
		frame(i % 50 == 0    ? TEXT
		      : i % 50 == 49 ? FIN | CONT
				     : CONT,
		    "");
	assert_true(check("T;T;"));
}

static void
test_utf8(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} t[] = {
	    {"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", true},
	    {"\xf0\x9f\x98\x80", true},
	    {"\xc2\x80", true},
	    {"\xe0\xa0\x80", true},
	    {"\xf0\x90\x80\x80", true},
	    {"\xed\x9f\xbf\xee\x80\x80", true},
	    {"\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf", true},
	    {"\xf4\x8f\xbf\xbf", true},
	    {"\xef\xbb\xbf", true},
	    {"\x7f", true},
	    /* beyond, surrogates, five and six bytes */
	    {"\xf4\x90\x80\x80", false},
	    {"\xf7\xbf\xbf\xbf", false},
	    {"\xf8\x88\x80\x80\x80", false},
	    {"\xfc\x84\x80\x80\x80\x80", false},
	    {"\xed\xa0\x80", false},
	    {"\xed\xbf\xbf", false},
	    {"\xed\xa0\x80\xed\xb0\x80", false},
	    /* stray, lonely, truncated, impossible, overlong */
	    {"\x80", false},
	    {"\xbf\x80\xbf", false},
	    {"\xc3 ", false},
	    {"\xe0\xa0 ", false},
	    {"\xf0\x90\x80 ", false},
	    {"\xce", false},
	    {"\xe1\xbd", false},
	    {"\xf0\x9f\x98", false},
	    {"\xfe", false},
	    {"\xff", false},
	    {"\xc0\xaf", false},
	    {"\xc1\xbf", false},
	    {"\xe0\x80\xaf", false},
	    {"\xe0\x9f\xbf", false},
	    {"\xf0\x80\x80\xaf", false},
	    {"\xf0\x8f\xbf\xbf", false},
	};
	char expect[64];
	size_t i, k, n;

	(void)state;
	for (i = 0; i < ARRAY_LEN(t); i++) {
		n = strlen(t[i].text);
		snprintf(expect, sizeof(expect), t[i].ok ? "T%s;" : "V1007;",
		    t[i].text);
		frame(FIN | TEXT, t[i].text);
		check(expect);
		/* one octet in each fragment, with a ping inside a code point
		 */
		for (k = 0; k < n; k++)
			frame_n((k == 0 ? TEXT : CONT) | (k == n - 1 ? FIN : 0),
			    t[i].text + k, 1);
		check(expect);
		/* cut in two at every place */
		for (k = 0; k <= n; k++) {
			frame_n(TEXT, t[i].text, k);
			frame_n(FIN | CONT, t[i].text + k, n - k);
			check(expect);
		}
	}
	frame_n(TEXT, "\xce", 1);
	frame(FIN | PING, "\xff");
	frame_n(FIN | CONT, "\xba", 1);
	check("P\xff;T\xce\xba;");
}

static void
test_utf8_fails_fast(void **state)
{
	struct ws ws;

	(void)state;
	/* the bad byte is in the second of three: nobody waits for the third */
	frame(TEXT, "\xce\xba\xe1\xbd\xb9");
	frame(CONT, "\xf4\x90");
	check("V1007;");
	/* and not for the end of a frame either */
	ws_init(&ws, msg_max);
	buf_reset(&script);
	frame(FIN | TEXT, "good \xff and much more behind it");
	ws_feed(&ws, buf_p(&in), 6 + 5, &ops, &script, NULL);
	assert_true(str_eqc(buf_str(&script), ""));
	ws_feed(&ws, buf_p(&in) + 11, 1, &ops, &script, NULL);
	assert_true(str_eqc(buf_str(&script), "V1007;"));
	assert_true(ws.dead);
	ws_fini(&ws);
	buf_reset(&in);
}

static void
test_close(void **state)
{
	static const unsigned good[] = {1000, 1001, 1002, 1003, 1007, 1008,
	    1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999};
	static const unsigned bad[] = {0, 1, 999, 1004, 1005, 1006, 1015, 1016,
	    1100, 2000, 2999, 5000, 65535};
	char expect[32], reason[130];
	size_t i;

	(void)state;
	frame(FIN | CLOSE, "");
	check("C1005;");
	/* half a code; what an earlier frame left behind does not make it whole
	 */
	frame(FIN | PING, "\x03\xe8");
	frame_n(FIN | CLOSE, "\x03", 1);
	check("P\x03\xe8;V1002;");
	for (i = 0; i < ARRAY_LEN(good); i++) {
		close_frame(good[i], "", 0);
		frame(FIN | PING, "late");
		frame(FIN | TEXT, "late");
		snprintf(expect, sizeof(expect), "C%u;", good[i]);
		check(expect);
	}
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		close_frame(bad[i], "why", 3);
		check("V1002;");
	}
	memset(reason, 'r', sizeof(reason));
	close_frame(1000, reason, 123);
	check("C1000;");
	close_frame(1000, reason, 124);
	check("V1002;");
	close_frame(1000, "\xe4\xbd\xa0\xe5\xa5\xbd", 6);
	check("C1000;");
	close_frame(1000, "bad \xce\xba\xff", 7);
	check("V1007;");
	close_frame(1000, "\xce", 1);
	check("V1007;");
	/* in the middle of a message, and twice */
	frame(TEXT, "never ends");
	close_frame(1001, "", 0);
	close_frame(1000, "", 0);
	check("C1001;");
	fill(FIN | TEXT, 60000);
	frame(FIN | TEXT, "last");
	close_frame(1000, "", 0);
	frame(FIN | PING, "");
	check("T#60000;Tlast;C1000;");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_framing),
	    cmocka_unit_test(test_many_frames),
	    cmocka_unit_test(test_binary),
	    cmocka_unit_test(test_ping),
	    cmocka_unit_test(test_reserved_bits),
	    cmocka_unit_test(test_opcodes),
	    cmocka_unit_test(test_fragments),
	    cmocka_unit_test(test_utf8),
	    cmocka_unit_test(test_utf8_fails_fast),
	    cmocka_unit_test(test_close),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
