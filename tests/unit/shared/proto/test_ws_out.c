/* SPDX-License-Identifier: MIT */
/* WebSocket output: frames as built, and the answer to the upgrade. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "shared/proto/ws.h"

static void
test_frames_out(void **state)
{
	struct blob *b;
	struct buf h;
	char *big = calloc(1, 70000), reason[200];

	(void)state;
	b = ws_text("hi", 2);
	assert_int_equal(b->len, 4);
	assert_memory_equal(b->bytes, "\x81\x02hi", 4);
	blob_unref(b);
	b = ws_text(NULL, 0);
	assert_int_equal(b->len, 2);
	blob_unref(b);
	b = ws_text(big, 126);
	assert_int_equal(b->len, 4 + 126);
	assert_memory_equal(b->bytes, "\x81\x7e\x00\x7e", 4);
	blob_unref(b);
	b = ws_text(big, 70000);
	assert_int_equal(b->len, 10 + 70000);
	assert_memory_equal(
	    b->bytes, "\x81\x7f\x00\x00\x00\x00\x00\x01\x11\x70", 10);
	blob_unref(b);
	free(big);
	buf_init(&h, 64);
	ws_put_header(&h, 125);
	ws_put_header(&h, 65535);
	ws_put_header(&h, 65536);
	assert_int_equal(buf_len(&h), 2 + 4 + 10);
	assert_memory_equal(buf_p(&h), "\x81\x7d\x81\x7e\xff\xff\x81\x7f", 8);
	buf_fini(&h);
	b = ws_ping();
	assert_int_equal(b->len, 2);
	assert_memory_equal(b->bytes, "\x89\x00", 2);
	blob_unref(b);
	b = ws_close(0, NULL);
	assert_int_equal(b->len, 2);
	assert_memory_equal(b->bytes, "\x88\x00", 2);
	blob_unref(b);
	b = ws_close(4103, "login timeout");
	assert_memory_equal(b->bytes, "\x88\x0f\x10\x07login timeout", 17);
	blob_unref(b);
	b = ws_close(1000, NULL);
	assert_int_equal(b->len, 4);
	blob_unref(b);
	/* 123 bytes of reason at most, never half a character */
	memset(reason, 'r', 122);
	strcpy(reason + 122, "\xc3\xa9tail");
	b = ws_close(1000, reason);
	assert_int_equal(b->len, 4 + 122);
	assert_int_equal(b->bytes[1], 124);
	blob_unref(b);
}

static const char handshake[] =
    "GET /chat HTTP/1.1\r\nHost: chat.example\r\n"
    "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n";

/* the handshake with one piece of it exchanged */
static int
upgrade(const char *from, const char *to, struct buf *out)
{
	char text[1024];
	const char *why = "unset", *at = strstr(handshake, from);
	struct http_request rq;
	int status;

	assert_non_null(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - handshake),
	    handshake, to, at + strlen(from));
	assert_int_equal(
	    http_parse((const uint8_t *)text, strlen(text), &rq), 0);
	status = ws_upgrade(&rq, out, &why);
	if (status == 0)
		assert_null(why);
	else
		assert_true(strlen(why) > 5);
	assert_int_equal(buf_len(out) > 0, status == 0);
	return status;
}

static void
test_upgrade(void **state)
{
	static const struct {
		const char *from, *to;
		int status;
	} t[] = {
	    {"GET", "POST", 405},
	    {"HTTP/1.1", "HTTP/1.0", 400},
	    {"Upgrade: WebSocket\r\n", "", 400},
	    {"WebSocket\r\n", "h2c\r\n", 400},
	    {"WebSocket\r\n", "websockets\r\n", 400},
	    {"keep-alive, Upgrade", "keep-alive", 400},
	    {"keep-alive, Upgrade", "Upgraded", 400},
	    {"Version: 13", "Version: 8", 426},
	    {"Version: 13", "Version: 14", 426},
	    {"Version: 13", "Version: 13, 8", 426},
	    {"Version: 13", "Version:", 426},
	    {"Sec-WebSocket-Version: 13\r\n", "", 426},
	    {"Sec-WebSocket-Version: 13\r\n",
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n",
		426},
	    {"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400},
	    {"dGhlIHNhbXBsZSBub25jZQ==", "", 400},
	    {"dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ", 400},
	    {"dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j====", 400},
	    {"dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZ!==", 400},
	    {"dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQAA==", 400},
	    {"Sec-WebSocket-Version",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Version",
		400},
	    {"Sec-WebSocket-Version",
		"Content-Length: 4\r\nSec-WebSocket-Version", 400},
	    {"Sec-WebSocket-Version",
		"Content-Length: 0\r\nSec-WebSocket-Version", 0},
	    {"Sec-WebSocket-Version",
		"Sec-WebSocket-Extensions: permessage-deflate\r\n"
		"Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Version",
		0},
	};
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(upgrade("GET", "GET", &out), 0);
	/* the example of RFC 6455 section 1.3 */
	assert_true(str_eqc(buf_str(&out),
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
	for (i = 0; i < ARRAY_LEN(t); i++) {
		buf_reset(&out);
		if (upgrade(t[i].from, t[i].to, &out) != t[i].status)
			fail_msg("not %d: %s -> %s", t[i].status, t[i].from,
			    t[i].to);
	}
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_frames_out),
	    cmocka_unit_test(test_upgrade),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
