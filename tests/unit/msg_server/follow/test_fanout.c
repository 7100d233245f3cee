/* SPDX-License-Identifier: MIT */
/*
 * Fan-out (msg_server/fanout.h): one event is encoded once for each (dialect,
 * level, view) that somebody needs, and what says nothing in a dialect costs
 * nothing more.
 */
#include "tests/unit/msg_server/core_fixture.h"

static const struct dialect second = {
    .name = "second", .index = DIALECT_MAX - 1, .encode = fake_encode};

static void
test_once_for_each_view(void **state)
{
	enum { N = 60 };
	static struct fake f[N];
	struct event ev = {.kind = EVENT_NEW_USER, .uid = STR_LIT("7")};
	struct fanout fan;

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		fake_open(&f[i], 1 + i % 2);
		if (i % 3 == 0)
			f[i].s.dialect = &second;
	}
	fanout_begin(&fan, &ev);
	assert_int_equal(encoded, 0);
	for (unsigned i = 0; i < N; i++)
		fanout_send(&fan, &f[i].s, i % 5 ? VIEW_OTHER : VIEW_SELF);
	fanout_end(&fan);
	assert_int_equal(encoded, 2 * 2 * 2);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(f[i].frames, 1);
		assert_string_equal(f[i].last, "newUser 7");
		fake_close(&f[i]);
	}
}

static void
test_one_blob_for_all(void **state)
{
	struct event ev = {.kind = EVENT_NEW_USER, .uid = STR_LIT("7")};
	struct fake a, b;
	struct fanout fan;

	(void)state;
	fake_open(&a, 2);
	fake_open(&b, 2);
	fanout_begin(&fan, &ev);
	fanout_send(&fan, &a.s, VIEW_OTHER);
	struct blob *made = fan.made[0][1][VIEW_OTHER];
	assert_non_null(made);
	fanout_send(&fan, &b.s, VIEW_OTHER);
	assert_ptr_equal(fan.made[0][1][VIEW_OTHER], made);
	/* nobody kept it (the fake queues nothing): ours is the only one */
	assert_int_equal(made->refs, 1);
	fanout_end(&fan);
	fake_close(&a);
	fake_close(&b);
}

/* level 1 of the fake has no word for offline */
static void
test_nothing_to_say(void **state)
{
	static struct fake f[20];
	struct event ev = {.kind = EVENT_OFFLINE, .uid = STR_LIT("7")};
	struct fanout fan;

	(void)state;
	fanout_begin(&fan, &ev);
	for (unsigned i = 0; i < 20; i++) {
		fake_open(&f[i], 1);
		fanout_send(&fan, &f[i].s, VIEW_OTHER);
	}
	fanout_end(&fan);
	assert_int_equal(encoded, 1);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(f[i].frames, 0);
		fake_close(&f[i]);
	}
}

/* a text that does not fit is no frame, for nobody */
static void
encode_huge(
    const struct event *ev, unsigned level, enum view view, struct buf *b)
{
	static char big[4096];

	(void)ev;
	(void)level;
	(void)view;
	encoded++;
	for (unsigned i = 0; i < 200; i++)
		buf_put(b, big, sizeof big);
}

static void
test_too_big(void **state)
{
	static const struct dialect huge = {
	    .name = "huge", .index = 1, .encode = encode_huge};
	struct event ev = {.kind = EVENT_NOTICE};
	struct fanout fan;
	struct fake a;

	(void)state;
	fake_open(&a, 2);
	a.s.dialect = &huge;
	fanout_begin(&fan, &ev);
	fanout_send(&fan, &a.s, VIEW_OTHER);
	fanout_send(&fan, &a.s, VIEW_OTHER);
	fanout_end(&fan);
	assert_int_equal(encoded, 1);
	assert_int_equal(a.frames, 0);
	fake_close(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, core_setup, core_teardown)
	    T(test_once_for_each_view), T(test_one_blob_for_all),
	    T(test_nothing_to_say), T(test_too_big)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
