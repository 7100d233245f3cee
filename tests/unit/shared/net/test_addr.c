/* SPDX-License-Identifier: MIT */
/* Addresses: what is taken, what is refused, and that text comes back equal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "shared/net/addr.h"

static void
test_round_trip(void **state)
{
	static const struct {
		const char *in, *out, *host;
		uint16_t port;
		bool loopback;
	} t[] = {
	    {"127.0.0.1:9503", "127.0.0.1:9503", "127.0.0.1", 9503, true},
	    {"localhost:80", "127.0.0.1:80", "127.0.0.1", 80, true},
	    {"0.0.0.0:0", "0.0.0.0:0", "0.0.0.0", 0, false},
	    {"192.0.2.7:65535", "192.0.2.7:65535", "192.0.2.7", 65535, false},
	    {"[::1]:9503", "[::1]:9503", "::1", 9503, true},
	    {"[2001:db8::5]:1", "[2001:db8::5]:1", "2001:db8::5", 1, false},
	    {"[::ffff:127.0.0.9]:5", "[::ffff:127.0.0.9]:5", "::ffff:127.0.0.9",
		5, true},
	    {"unix:/run/x.sock", "unix:/run/x.sock", "/run/x.sock", 0, true},
	};
	char text[ADDR_TEXT_MAX];
	struct addr a;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(addr_parse(str_of(t[i].in), &a), 0);
		addr_text(&a, text);
		assert_string_equal(text, t[i].out);
		addr_host(&a, text);
		assert_string_equal(text, t[i].host);
		assert_int_equal(addr_port(&a), t[i].port);
		assert_int_equal(addr_is_loopback(&a), t[i].loopback);
	}
}

static void
test_refused(void **state)
{
	static const char *const t[] = {"", ":", "9503", ":9503", "127.0.0.1",
	    "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1: 1",
	    "127.0.0.1:9503x", "127.0.0.1:000001", "127.0.0:1", "1.2.3.4.5:1",
	    "example.net:80", "::1:9503", "[::1:9503", "[]:1", "[::1]",
	    "[::1]:", "[fe80::1%lo]:1", "[127.0.0.1]:1", "unix:", "256.0.0.1:1",
	    "[:1", "]:1"};
	char path[200] = "unix:/";
	struct addr a;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(addr_parse(str_of(t[i]), &a), ERR_INVALID);
	assert_int_equal(addr_parse(STR_NONE, &a), ERR_INVALID);
	assert_int_equal(
	    addr_parse(str_n("127.0.0.1\0:1", 12), &a), ERR_INVALID);
	/* sun_path: 107 bytes and a NUL */
	memset(path + 6, 'x', 106);
	assert_int_equal(addr_parse(str_n(path, 5 + 107), &a), 0);
	path[112] = 'x';
	assert_int_equal(addr_parse(str_n(path, 5 + 108), &a), ERR_INVALID);
}

static void
key_of(const char *text, uint8_t key[16])
{
	struct addr a;

	assert_int_equal(addr_parse(str_of(text), &a), 0);
	addr_key(&a, key);
}

static void
test_key(void **state)
{
	uint8_t a[16], b[16];

	(void)state;
	key_of("192.0.2.7:1", a);
	key_of("192.0.2.7:2", b);
	assert_memory_equal(a, b, 16);
	key_of("[::ffff:192.0.2.7]:2", b);
	assert_memory_equal(a, b, 16);
	key_of("192.0.2.8:1", b);
	assert_memory_not_equal(a, b, 16);
	/* one /64 is one visitor */
	key_of("[2001:db8:0:1::1]:1", a);
	key_of("[2001:db8:0:1:ffff::2]:1", b);
	assert_memory_equal(a, b, 16);
	key_of("[2001:db8:0:2::1]:1", b);
	assert_memory_not_equal(a, b, 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
