/* SPDX-License-Identifier: MIT */
/*
 * Fields: bytes on the wire, the first error that sticks, absent and empty.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "shared/proto/wire.h"

static void
test_integers(void **state)
{
	static const uint8_t want[] = {0x7f, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12,
	    0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01};
	struct buf b;
	struct wire w;

	(void)state;
	buf_init(&b, 100);
	wire_put_u8(&b, 0x7f);
	wire_put_u16(&b, 0x1234);
	wire_put_u32(&b, 0x12345678);
	wire_put_u64(&b, 0x0123456789abcdefULL);
	assert_int_equal(buf_len(&b), sizeof want);
	assert_memory_equal(buf_p(&b), want, sizeof want);

	wire_read(&w, buf_p(&b), buf_len(&b));
	assert_int_equal(wire_u8(&w), 0x7f);
	assert_int_equal(wire_u16(&w), 0x1234);
	assert_int_equal(wire_u32(&w), 0x12345678);
	assert_int_equal(wire_end(&w), ERR_PROTO); /* something is left */
	assert_true(wire_u64(&w) == 0x0123456789abcdefULL);
	assert_int_equal(wire_end(&w), 0);
	assert_int_equal(wire_u8(&w), 0);
	assert_int_equal(wire_end(&w), ERR_PROTO);
	buf_fini(&b);
}

static void
test_strings(void **state)
{
	struct buf b;
	struct wire w;
	struct str s;

	(void)state;
	buf_init(&b, 200);
	wire_put_str(&b, STR_LIT("hello"));
	wire_put_str(&b, STR_LIT(""));
	wire_put_str(&b, STR_NONE);
	wire_put_bytes(&b, STR_LIT("body"));
	wire_put_bytes(&b, STR_LIT(""));
	wire_put_bytes(&b, STR_NONE);
	wire_read(&w, buf_p(&b), buf_len(&b));
	assert_true(str_eqc(wire_str(&w), "hello"));
	s = wire_str(&w);
	assert_true(str_is_set(s) && s.len == 0);
	assert_false(str_is_set(wire_str(&w)));
	assert_true(str_eqc(wire_bytes(&w), "body"));
	s = wire_bytes(&w);
	assert_true(str_is_set(s) && s.len == 0);
	assert_false(str_is_set(wire_bytes(&w)));
	assert_int_equal(wire_end(&w), 0);
	buf_fini(&b);
}

/* a string that says it is longer than the rest */
static void
test_short(void **state)
{
	static const uint8_t str[] = {5, 0, 'a', 'b'};
	static const uint8_t bytes[] = {3, 0, 0, 0, 'a', 'b'};
	struct wire w;

	(void)state;
	wire_read(&w, str, sizeof str);
	assert_false(str_is_set(wire_str(&w)));
	assert_true(w.bad);
	assert_int_equal(wire_u8(&w), 0); /* the error sticks */
	wire_read(&w, bytes, sizeof bytes);
	assert_false(str_is_set(wire_bytes(&w)));
	assert_int_equal(wire_end(&w), ERR_PROTO);
	wire_read(&w, NULL, 0);
	assert_int_equal(wire_end(&w), 0);
	assert_int_equal(wire_u64(&w), 0);
	assert_int_equal(wire_end(&w), ERR_PROTO);
}

/* the longest string that fits, and one byte more */
static void
test_str_limit(void **state)
{
	static char text[65535];
	struct buf b;
	struct wire w;

	(void)state;
	memset(text, 'x', sizeof text);
	buf_init(&b, 200000);
	wire_put_str(&b, str_n(text, 65534));
	assert_true(buf_ok(&b));
	wire_read(&w, buf_p(&b), buf_len(&b));
	assert_int_equal(wire_str(&w).len, 65534);
	assert_int_equal(wire_end(&w), 0);
	wire_put_str(&b, str_n(text, 65535));
	assert_false(buf_ok(&b));
	buf_fini(&b);
}

/* no room: nothing is written, and the buf says so */
static void
test_full(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 6);
	wire_put_u32(&b, 1);
	wire_put_u32(&b, 2);
	assert_false(buf_ok(&b));
	assert_int_equal(buf_len(&b), 4);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_integers),
	    cmocka_unit_test(test_strings),
	    cmocka_unit_test(test_short),
	    cmocka_unit_test(test_str_limit),
	    cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
