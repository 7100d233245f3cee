/* SPDX-License-Identifier: MIT */
/*
 * Names of connections in older systems (msg_server/dialect/number.h): each
 * way and back, and what is no such name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "msg_server/dialect/number.h"
#include "shared/base/id.h"

static uint64_t
cn_of(uint32_t node, uint32_t low)
{
	return (uint64_t)node << 32 | low;
}

static void
test_uid(void **state)
{
	static const char *const bad[] = {"", "fd-", "fd-01", "fd-0", "fd-G",
	    "fd-A", "fd-10000000000000000", "FD-1", "fd_1", "x", "fd-1 ", "1"};
	char uid[NUMBER_UID_SIZE];
	uint64_t cn;
	size_t i;

	(void)state;
	number_uid(cn_of(1, 5), uid);
	assert_string_equal(uid, "fd-100000005");
	assert_true(id_is_word(str_of(uid)));
	assert_true(number_of_uid(str_of(uid), &cn));
	assert_int_equal(cn, cn_of(1, 5));
	number_uid(UINT64_MAX, uid);
	assert_string_equal(uid, "fd-ffffffffffffffff");
	assert_true(number_of_uid(str_of(uid), &cn));
	assert_true(cn == UINT64_MAX);
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(number_of_uid(str_of(bad[i]), &cn));
	assert_false(number_of_uid(STR_NONE, &cn));
	assert_false(number_of_uid(STR_LIT("fd-1\0"), &cn));
}

static void
test_sid(void **state)
{
	static const char *const bad[] = {"", "s-", "s-0", "s-01", "s-G", "s-A",
	    "s-10000000000000000", "S-1", "1", "fd-1", "s-1 "};
	uint64_t cn;
	size_t i;

	(void)state;
	assert_true(number_of_sid(STR_LIT("s-100000005"), &cn));
	assert_int_equal(cn, cn_of(1, 5));
	assert_true(number_of_sid(STR_LIT("s-ffffffffffffffff"), &cn));
	assert_true(cn == UINT64_MAX);
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(number_of_sid(str_of(bad[i]), &cn));
	assert_false(number_of_sid(STR_NONE, &cn));
}

static void
back(uint64_t cn, const char *id)
{
	char got[NUMBER_CLIENT_ID + 1];
	uint64_t n;

	number_client_id(cn, got);
	if (id != NULL)
		assert_string_equal(got, id);
	assert_true(number_of_client_id(str_of(got), &n));
	assert_true(n == cn);
}

static void
test_client_id(void **state)
{
	static const char *const bad[] = {"", "7f00000108fd0000000",
	    "7f00000108fd000000011", "7F00000108fd00000001",
	    "7f00000108fd0000000g", "0a00000108fd00000001",
	    "7f00000108fb00000001", "f100000008fd00000001"};
	uint64_t cn;
	size_t i;

	(void)state;
	back(cn_of(1, 1), "7f00000108fd00000001");
	back(cn_of(0, 7), "7f00000108fc00000007");
	back(cn_of(2, UINT32_MAX), "7f00000108feffffffff");
	/* the last node whose port is one, and those beyond */
	back(cn_of(63235, 1), "7f000001ffff00000001");
	back(cn_of(63236, 1), "f0000000f70400000001");
	back(cn_of(UINT32_MAX, 9), "f000ffffffff00000009");
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(number_of_client_id(str_of(bad[i]), &cn));
	assert_false(number_of_client_id(STR_NONE, &cn));
}

static void
test_gates(void **state)
{
	uint64_t cn;
	uint32_t node, ip;
	uint16_t port;

	(void)state;
	number_set_gate(3, 0x0a000002, 2900);
	back(cn_of(3, 1), "0a0000020b5400000001");
	number_gate(3, &ip, &port);
	assert_int_equal(ip, 0x0a000002);
	assert_int_equal(port, 2900);
	assert_true(number_of_gate(ip, port, &node));
	assert_int_equal(node, 3);
	/* the address of another node's gate is nobody else's */
	number_set_gate(5, 0x7f000001, 2301);
	back(cn_of(5, 1), "7f00000108fd00000001");
	back(cn_of(1, 1), "f0000000000100000001");
	/* it moves, and the old holder has his own again */
	number_set_gate(6, 0x7f000001, 2301);
	back(cn_of(6, 1), "7f00000108fd00000001");
	back(cn_of(5, 1), "7f0000010901"
			  "00000001");
	number_set_gate(6, 0, 0);
	back(cn_of(1, 1), "7f00000108fd00000001");
	/* an address of class E is no gateway's */
	number_set_gate(7, 0xf0000000, 2300);
	back(cn_of(7, 1), "7f000001090300000001");
	number_set_gate(3, 0, 0);
	assert_false(number_of_client_id(STR_LIT("0a0000020b5400000001"), &cn));
}

static void
test_table_is_bounded(void **state)
{
	uint32_t i, ip;
	uint16_t port;

	(void)state;
	for (i = 1; i <= NUMBER_GATES + 1; i++)
		number_set_gate(i, 0x0a000000 + i, 2300);
	number_gate(NUMBER_GATES, &ip, &port);
	assert_int_equal(ip, 0x0a000000 + NUMBER_GATES);
	number_gate(NUMBER_GATES + 1, &ip, &port);
	assert_int_equal(ip, 0x7f000001);
	back(cn_of(NUMBER_GATES + 1, 1), NULL);
	/* one that is in it may change all the same */
	number_set_gate(1, 0x0b000001, 2301);
	back(cn_of(1, 1), "0b00000108fd00000001");
	for (i = 1; i <= NUMBER_GATES + 1; i++)
		number_set_gate(i, 0, 0);
	back(cn_of(1, 1), "7f00000108fd00000001");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_uid),
	    cmocka_unit_test(test_sid),
	    cmocka_unit_test(test_client_id),
	    cmocka_unit_test(test_gates),
	    cmocka_unit_test(test_table_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
