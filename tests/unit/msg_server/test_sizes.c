/* SPDX-License-Identifier: MIT */
/*
 * What an idle user costs: the structs there is one of for each of them do
 * not grow unseen. Who needs another field for all of them pays for it here,
 * and looks first whether it can live where it is needed only (channel_busy,
 * user_busy, client_hold).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "msg_server/client_priv.h"
#include "msg_server/follow/room.h"

/* what n bytes of a slab are */
static size_t
slot(size_t n)
{
	return (n + 7) / 8 * 8;
}

static void
test_sizes(void **state)
{
	size_t name = sizeof "u:12345678", strings = 24, all;

	(void)state;
	if (sizeof(void *) != 8)
		return; /* the figures are those of LP64 */
	assert_int_equal(sizeof(struct table_link), 0);
	assert_in_range(sizeof(struct wheel_entry), 1, 24);
	assert_in_range(sizeof(struct conn), 1, 80);
	assert_in_range(sizeof(struct session), 1, 80);
	assert_in_range(sizeof(struct client), 1, 200);
	assert_in_range(sizeof(struct channel), 1, 64);
	assert_in_range(sizeof(struct member), 1, 40);
	assert_in_range(offsetof(struct user, name), 1, 92);
	assert_in_range(offsetof(struct room, name), 1, 120);
	all = sizeof(struct client) + slot(offsetof(struct user, name) + name) +
	      sizeof(struct member) + strings +
	      (slot(offsetof(struct room, name) + name) + 11 * sizeof(void *)) /
		  10;
	assert_in_range(all, 1, 390);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sizes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
