/* SPDX-License-Identifier: MIT */
/*
 * Frames of a GatewayClient: recorded ones, every cut of them, lengths that
 * can't be, the bound and one beyond, and bodies that are no text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/map.h"
#include "shared/proto/gateway.h"

/* bytes of a recorded line */
static size_t
unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;

	for (; hex[0] != '\0'; hex += 2)
		out[n++] = (uint8_t)(str_hex(hex[0]) << 4 | str_hex(hex[1]));
	return n;
}

static void
test_recorded(void **state)
{
	static const struct {
		const char *hex;
		uint8_t cmd;
		uint32_t connection;
		const char *ext, *body;
	} rows[] = {
	    {"0000001c0b0000000000000000000000000000000701000000000000",
		GATEWAY_IS_ONLINE, 7, "", ""},
	    {"0000001e0c00000000000000000000000000000007010000000000027531",
		GATEWAY_BIND_UID, 7, "u1", ""},
	    {"0000001e0600000000000000000000000000000000010000000000006869",
		GATEWAY_SEND_TO_ALL, 0, "", "hi"},
	};
	struct gateway_frame f;
	struct buf out;
	uint8_t p[64];
	size_t n, i, cut;

	(void)state;
	buf_init(&out, 1024);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		n = unhex(rows[i].hex, p);
		assert_int_equal(gateway_parse(p, n, &f), 0);
		assert_int_equal(f.len, n);
		assert_int_equal(f.cmd, rows[i].cmd);
		assert_int_equal(f.connection, rows[i].connection);
		assert_int_equal(f.flag, GATEWAY_SCALAR);
		assert_true(str_eqc(f.ext, rows[i].ext));
		assert_true(str_eqc(f.body, rows[i].body));
		buf_reset(&out);
		gateway_put(&out, &f);
		assert_int_equal(buf_len(&out), n);
		assert_memory_equal(buf_p(&out), p, n);
		for (cut = 0; cut < n; cut++)
			assert_int_equal(gateway_parse(p, cut, &f), ERR_AGAIN);
		/* what follows is the next one's */
		assert_int_equal(gateway_parse(p, sizeof p, &f), 0);
		assert_int_equal(f.len, n);
	}
	buf_fini(&out);
}

static void
test_lengths(void **state)
{
	uint8_t *p = calloc(1, GATEWAY_FRAME_MAX + 1);
	struct gateway_frame f;

	(void)state;
	assert_int_equal(gateway_parse(p, 4, &f), ERR_PROTO);
	p[3] = GATEWAY_HEAD - 1;
	assert_int_equal(gateway_parse(p, 4, &f), ERR_PROTO);
	p[3] = GATEWAY_HEAD;
	assert_int_equal(gateway_parse(p, GATEWAY_HEAD, &f), 0);
	p[27] = 1; /* ext beyond the end */
	assert_int_equal(gateway_parse(p, GATEWAY_HEAD, &f), ERR_PROTO);
	p[27] = 0;
	p[24] = 0xff;
	assert_int_equal(gateway_parse(p, GATEWAY_HEAD, &f), ERR_PROTO);
	p[24] = 0;
	memcpy(p, "\x00\x10\x00\x00", 4); /* 1 MiB */
	assert_int_equal(gateway_parse(p, GATEWAY_FRAME_MAX, &f), 0);
	assert_int_equal(f.body.len, GATEWAY_FRAME_MAX - GATEWAY_HEAD);
	assert_int_equal(
	    gateway_parse(p, GATEWAY_FRAME_MAX - 1, &f), ERR_AGAIN);
	p[3] = 1;
	assert_int_equal(gateway_parse(p, 4, &f), ERR_LIMIT);
	free(p);
}

static void
test_bodies(void **state)
{
	static const char *const rows[][2] = {{"N;", NULL}, {"i:-12;", "-12"},
	    {"d:1.5;", "1.5"}, {"b:1;", "1"}, {"b:0;", ""},
	    {"s:2:\"hi\";", "hi"}};
	struct gateway_frame f = {.flag = 0};
	char tmp[24];
	struct str s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		f.body = str_of(rows[i][0]);
		assert_int_equal(gateway_body(&f, tmp, &s), 0);
		assert_int_equal(str_is_set(s), rows[i][1] != NULL);
		if (rows[i][1] != NULL)
			assert_true(str_eqc(s, rows[i][1]));
	}
	f.body = STR_LIT("a:0:{}");
	assert_int_equal(gateway_body(&f, tmp, &s), ERR_PROTO);
	f.body = STR_LIT("hi");
	assert_int_equal(gateway_body(&f, tmp, &s), ERR_PROTO);
	f.flag = GATEWAY_SCALAR | GATEWAY_RAW;
	assert_int_equal(gateway_body(&f, tmp, &s), 0);
	assert_true(str_eqc(s, "hi"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_recorded),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_bodies),
	};

	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
