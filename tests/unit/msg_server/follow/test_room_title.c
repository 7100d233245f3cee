/* SPDX-License-Identifier: MIT */
/* Titles of rooms (msg_server/follow/room_title.h): set, changed, taken away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "msg_server/follow/room_title.h"
#include "msg_server/server.h"

static struct server srv;

static void
expect(const char *rid, const char *title)
{
	struct str is = room_title(&srv, str_of(rid));

	if (title == NULL)
		assert_false(str_is_set(is));
	else
		assert_true(str_eqc(is, title));
}

static void
test_set(void **state)
{
	char rid[16], title[TITLE_MAX + 2];

	(void)state;
	expect("12", NULL);
	room_title_set(&srv, STR_LIT("12"), STR_NONE);
	room_title_set(&srv, STR_LIT("12"), STR_LIT("Tea"));
	room_title_set(&srv, STR_LIT("1"), STR_LIT("x"));
	expect("12", "Tea");
	expect("1", "x");
	room_title_set(&srv, STR_LIT("12"), STR_LIT("Coffee, to go"));
	expect("12", "Coffee, to go");
	room_title_set(&srv, STR_LIT("12"), STR_LIT(""));
	expect("12", NULL);
	/* the most there can be; what no server of ours has written is none */
	memset(title, 'x', sizeof title);
	room_title_set(&srv, STR_LIT("12"), str_n(title, TITLE_MAX));
	assert_int_equal(room_title(&srv, STR_LIT("12")).len, TITLE_MAX);
	room_title_set(&srv, STR_LIT("12"), str_n(title, TITLE_MAX + 1));
	expect("12", NULL);
	room_title_set(&srv, STR_LIT("12"), STR_LIT("\xff"));
	expect("12", NULL);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(rid, sizeof rid, "%u", i);
		room_title_set(&srv, str_of(rid), str_of(rid));
	}
	expect("777", "777");
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(rid, sizeof rid, "%u", i);
		room_title_set(&srv, str_of(rid), STR_NONE);
	}
	assert_int_equal(srv.titles.n, 0);
	assert_null(srv.titles.slot);
}

static void
test_items(void **state)
{
	struct item it = {.kind = ITEM_TITLE, .body = STR_LIT("Tea")};
	struct state_rec recs[] = {{.key = STR_LIT("n"), .val = STR_LIT("3")},
	    {.key = STR_LIT("t"), .val = STR_LIT("dns")}};

	(void)state;
	room_title_on_item(&srv, STR_LIT("12"), &it, NULL, 0);
	expect("12", "Tea");
	/* a row that is lost says nothing */
	it.flags = ITEM_F_LOST;
	it.body = STR_NONE;
	room_title_on_item(&srv, STR_LIT("12"), &it, NULL, 0);
	expect("12", "Tea");
	/* a group that is made */
	it = (struct item){.kind = ITEM_MEMBER, .body = STR_LIT("{}")};
	room_title_on_item(&srv, STR_LIT("12"), &it, recs, 1);
	expect("12", "Tea");
	room_title_on_item(&srv, STR_LIT("12"), &it, recs, 2);
	expect("12", "dns");
	it = (struct item){.kind = ITEM_TITLE, .body = STR_LIT("")};
	room_title_on_item(&srv, STR_LIT("12"), &it, NULL, 0);
	expect("12", NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_set),
	    cmocka_unit_test(test_items),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
