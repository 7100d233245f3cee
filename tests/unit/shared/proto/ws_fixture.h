/* SPDX-License-Identifier: MIT */
/*
 * What the WebSocket tests share: building streams of frames, feeding them in
 * every way, and the transcript a stream must give:
 *
 *	T<text>;  P<ping payload>;  O;  C<code>;  V<code>;
 *
 * (text, ping, pong, the peer's Close, a violation; T#<length>; for a long one,
 * which is all 'x').
 */
#ifndef TESTS_UNIT_SHARED_PROTO_WS_FIXTURE_H
#define TESTS_UNIT_SHARED_PROTO_WS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "shared/proto/ws.h"

enum {
	FIN = 0x80,
	CONT = 0,
	TEXT = 1,
	BIN = 2,
	CLOSE = 8,
	PING = 9,
	PONG = 10
};

static struct buf in;	  /* the stream under construction */
static struct buf script; /* the transcript as it came */
static uint32_t msg_max = 65536;
static unsigned stop_after; /* callbacks till one returns false; 0: none does */
static unsigned frames;

/* ---- building streams ------------------------------------------------- */

static inline void
header(unsigned first, unsigned mask_bit, unsigned form, uint64_t len)
{
	uint8_t h[10] = {(uint8_t)first};
	unsigned i, n = form == 126 ? 2 : form == 127 ? 8 : 0;

	h[1] = (uint8_t)(mask_bit | (n ? form : len));
	for (i = 0; i < n; i++)
		h[2 + i] = (uint8_t)(len >> (8 * (n - 1 - i)));
	buf_put(&in, h, 2 + n);
}

/* a frame as a client sends it, with a mask that changes */
static inline void
frame_n(unsigned first, const void *p, size_t n)
{
	static uint8_t mask[4] = {0x12, 0x9c, 0xe7, 0x55};
	size_t i;

	header(first, 0x80, n < 126 ? 0 : n < 65536 ? 126 : 127, n);
	mask[0] = (uint8_t)(mask[0] * 5 + 1);
	mask[2] ^= mask[0];
	buf_put(&in, mask, 4);
	for (i = 0; i < n; i++)
		buf_putc(&in, (char)(((const uint8_t *)p)[i] ^ mask[i % 4]));
}

static inline void
frame(unsigned first, const char *s)
{
	frame_n(first, s, strlen(s));
}

static inline void
close_frame(unsigned code, const char *reason, size_t n)
{
	uint8_t p[256] = {(uint8_t)(code >> 8), (uint8_t)code};

	memcpy(p + 2, reason, n);
	frame_n(FIN | CLOSE, p, n + 2);
}

static inline void
fill(unsigned first, size_t n)
{
	char *p = malloc(n + 1);

	memset(p, 'x', n);
	frame_n(first, p, n);
	free(p);
}

/* ---- feeding ------------------------------------------------------------ */

static inline bool
go_on(void)
{
	return stop_after == 0 || --stop_after > 0;
}

static inline bool
on_text(void *arg, struct str text)
{
	assert_ptr_equal(arg, &script);
	assert_non_null(text.p);
	if (text.len > 100) {
		size_t i;

		for (i = 0; i < text.len; i++)
			assert_int_equal(text.p[i], 'x');
		buf_printf(&script, "T#%zu;", text.len);
	} else {
		buf_printf(&script, "T%.*s;", STR_ARG(text));
	}
	return go_on();
}

static inline bool
on_ping(void *arg, struct blob *pong)
{
	(void)arg;
	assert_int_equal(pong->bytes[0], 0x8a);
	assert_int_equal(pong->bytes[1], pong->len - 2);
	assert_int_equal(pong->refs, 1);
	buf_printf(&script, "P%.*s;", (int)pong->len - 2,
	    (const char *)pong->bytes + 2);
	return go_on();
}

static inline bool
on_pong(void *arg)
{
	(void)arg;
	buf_puts(&script, "O;");
	return go_on();
}

static inline void
on_close(void *arg, unsigned code, bool violation, struct blob *answer)
{
	unsigned echo = 0;

	(void)arg;
	assert_int_equal(answer->bytes[0], 0x88);
	assert_int_equal(answer->bytes[1], answer->len - 2);
	/* a bare code: reasons are never echoed */
	assert_int_equal(answer->len, 4);
	echo = (unsigned)answer->bytes[2] << 8 | answer->bytes[3];
	assert_int_equal(echo, code == 1005 ? 1000 : code);
	buf_printf(&script, "%c%u;", violation ? 'V' : 'C', code);
}

static const struct ws_ops ops = {
    .on_text = on_text,
    .on_ping = on_ping,
    .on_pong = on_pong,
    .on_close = on_close,
};

/*
 * Feeds `in` in pieces of up to `max` bytes (0: whole; drawn at random when
 * `seed` is not 0); true when nothing was held at the end.
 */
static inline bool
feed(size_t max, unsigned seed, const char *expect)
{
	struct ws ws;
	size_t off, n;
	bool rest, dead;

	ws_init(&ws, msg_max);
	buf_reset(&script);
	frames = 0;
	for (off = 0; off < buf_len(&in); off += n) {
		n = max == 0 ? buf_len(&in) : max;
		if (seed != 0)
			n = 1 + (size_t)rand_r(&seed) % max;
		if (n > buf_len(&in) - off)
			n = buf_len(&in) - off;
		ws_feed(&ws, buf_p(&in) + off, n, &ops, &script, &frames);
	}
	if (!str_eqc(buf_str(&script), expect))
		fail_msg("%.*s instead of %s (pieces of %zu)",
		    STR_ARG(buf_str(&script)), expect, max);
	/* after the end nothing comes any more */
	dead = ws.dead;
	if (dead)
		ws_feed(&ws, (const uint8_t *)"\x89\x80....", 6, &ops, &script,
		    &frames);
	assert_true(str_eqc(buf_str(&script), expect));
	rest = ws.rx == NULL;
	assert_int_equal(ws_rx_live(), rest ? 0 : 1);
	assert_true(rest || !dead);
	ws_fini(&ws);
	assert_int_equal(ws_rx_live(), 0);
	return rest;
}

/* every way of feeding; empties `in`; true when at rest at the end */
static inline bool
check(const char *expect)
{
	static unsigned seed = 7;
	unsigned i, stop = stop_after;
	bool rest = feed(0, 0, expect);

	for (i = 0; i < 8; i++) {
		stop_after = stop;
		/* sizes around wslay's buffer, and small ones */
		assert_int_equal(feed(i < 4 ? 20 : 9000, ++seed, expect), rest);
	}
	if (buf_len(&in) < 100000) {
		stop_after = stop;
		assert_int_equal(feed(1, 0, expect), rest);
		stop_after = stop;
		assert_int_equal(feed(4096, 0, expect), rest);
	}
	stop_after = 0;
	buf_reset(&in);
	return rest;
}

static inline int
set_up(void **state)
{
	(void)state;
	buf_init(&in, 1 << 24);
	buf_init(&script, 1 << 20);
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	buf_fini(&in);
	buf_fini(&script);
	return 0;
}

#endif
