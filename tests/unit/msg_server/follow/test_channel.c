/* SPDX-License-Identifier: MIT */
/*
 * The gap rule (msg_server/channel.h) against a model of the log: whatever is
 * lost, doubled, late or reset on the way, items are delivered once, in
 * order, and every hole that can't be filled is named. The relay is a fake: it
 * records subscriptions and reads, and the test answers them when it likes.
 */
#include "tests/unit/msg_server/follow/channel_fixture.h"

/* --- cases -------------------------------------------------------------- */

static void
test_in_order_and_doubles(void **state)
{
	struct channel c;

	(void)state;
	open_live(&c, "r:12");
	send_item(&c, 11);
	send_item(&c, 11);
	send_item(&c, 5);
	send_item(&c, 12);
	assert_int_equal(delivered, 12);
	assert_null(reader);
	close_channel(&c);
}

static void
test_hole_is_read_back(void **state)
{
	struct channel c;

	(void)state;
	open_live(&c, "r:12");
	head = 14;
	send_item(&c, 13); /* 11, 12 lost on the way */
	send_item(&c, 14);
	assert_int_equal(delivered, 10);
	assert_string_equal(asked_chan, "r:12");
	answer_read(&c, 2); /* 11, 12; then 13 and 14 were held */
	assert_int_equal(delivered, 14);
	assert_null(reader);
	assert_int_equal(gaps, 0);
	close_channel(&c);
}

static void
test_user_channel_goes_by_useq(void **state)
{
	struct channel c;

	(void)state;
	open_live(&c, "u:1001");
	head = 12;
	send_item(&c, 12);
	answer_read(&c, 1);
	assert_int_equal(delivered, 12);
	close_channel(&c);
}

static void
test_head_at_subbed_shows_the_loss(void **state)
{
	struct channel c;

	(void)state;
	open_live(&c, "r:12");
	head = 13; /* three items while the link was down */
	channel_subscribe(&c);
	answer_sub(&c, false);
	assert_int_equal(delivered, 10);
	answer_read(&c, 2);
	answer_read(&c, 2);
	assert_int_equal(delivered, 13);
	close_channel(&c);
}

static void
test_retention_is_named(void **state)
{
	struct channel c;

	(void)state;
	open_live(&c, "r:12");
	head = 30;
	first = 21;
	send_item(&c, 30);
	answer_read(&c, 100);
	assert_int_equal(delivered, 30);
	assert_int_equal(gaps, 1);
	assert_int_equal(gap_items, 10);
	close_channel(&c);
}

static void
test_everything_gone(void **state)
{
	struct channel c;

	(void)state;
	open_live(&c, "r:12");
	head = 30;
	first = 31;
	send_item(&c, 30);
	answer_read(&c, 100);
	assert_int_equal(delivered, 30);
	assert_int_equal(gap_items, 20);
	close_channel(&c);
}

/* what is gone stays gone, whoever says late that it is there */
static void
test_first_only_rises(void **state)
{
	struct channel c;

	(void)state;
	open_live(&c, "r:12");
	head = 12;
	first = 8;
	send_item(&c, 12);
	answer_read(&c, 100);
	assert_int_equal(c.first, 8);
	first = 3;
	answer_sub(&c, false);
	assert_int_equal(c.first, 8);
	/* nor when the log has lost what we saw of it, and says so */
	head = 11;
	answer_sub(&c, true);
	assert_int_equal(resets, 1);
	assert_int_equal(c.first, 8);
	first = 9;
	answer_sub(&c, false);
	assert_int_equal(c.first, 9);
	/* another history has one of its own */
	str_copy(ep, sizeof ep, STR_LIT("00000002"));
	first = 1;
	answer_sub(&c, true);
	assert_int_equal(c.first, 1);
	close_channel(&c);
}

/* a page of this history that answers what was asked of the one before */
static void
test_first_of_a_page_of_before(void **state)
{
	struct channel c;

	(void)state;
	open_live(&c, "r:12");
	head = 12;
	send_item(&c, 12);
	str_copy(ep, sizeof ep, STR_LIT("00000002"));
	head = 5;
	answer_sub(&c, true);
	assert_int_equal(c.first, 1);
	first = 4;
	answer_read(&c, 100);
	assert_int_equal(c.first, 4);
	assert_int_equal(gaps, 0);
	close_channel(&c);
}

static void
test_other_history_resets(void **state)
{
	struct channel c;

	(void)state;
	open_live(&c, "r:12");
	str_copy(ep, sizeof ep, STR_LIT("00000001"));
	head = 3;
	channel_subscribe(&c);
	answer_sub(&c, true);
	assert_int_equal(resets, 1);
	assert_int_equal(c.last, 3);
	send_item(&c, 4);
	assert_int_equal(delivered, 4);
	close_channel(&c);
}

static void
test_failed_read_is_tried_again(void **state)
{
	struct channel c;

	(void)state;
	open_live(&c, "r:12");
	head = 12;
	send_item(&c, 12);
	fail_read();
	assert_null(reader);
	read_err = ERR_BUSY;
	run_tasks();
	read_err = OK;
	run_tasks();
	answer_read(&c, 5);
	assert_int_equal(delivered, 12);
	close_channel(&c);
}

static void
test_held_items_are_bounded(void **state)
{
	struct channel c;
	static char big[8192];
	struct item it;

	(void)state;
	open_live(&c, "r:12");
	memset(big, 'x', sizeof big);
	head = 200;
	for (uint64_t seq = 12; seq <= head; seq++) {
		make_item(&c, seq, &it);
		it.body = str_n(big, sizeof big);
		channel_on_item(&c, &it, seq, NULL, 0);
		assert_true(
		    !c.busy || buf_len(&c.busy->held) <= CHANNEL_HELD_MAX);
	}
	while (reader)
		answer_read(&c, 50);
	assert_int_equal(delivered, 200);
	close_channel(&c);
}

/* a page asked of the history before, answered of this one: no hole */
static void
test_history_changes_during_a_repair(void **state)
{
	struct channel c;

	(void)state;
	open_live(&c, "r:12");
	head = 13;
	send_item(&c, 13);
	str_copy(ep, sizeof ep, STR_LIT("00000001"));
	answer_read(&c, 5); /* quicker than the SUBBED */
	assert_int_equal(delivered, 10);
	run_tasks(); /* asked again from 11 */
	head = 3;
	answer_sub(&c, true);
	head = 20;
	send_item(&c, 20);
	answer_read(&c, 1000);
	assert_int_equal(delivered, 3);
	answer_read(&c, 1000);
	assert_int_equal(delivered, 20);
	assert_int_equal(gaps, 0);
	assert_int_equal(resets, 1);
	close_channel(&c);
}

/* what was heard of and is not in the log: patience, no hot loop */
static void
test_log_without_what_was_heard(void **state)
{
	struct channel c;

	(void)state;
	open_live(&c, "r:12");
	send_item(&c, 15);
	answer_read(&c, 100);
	assert_null(reader);
	run_tasks();
	answer_read(&c, 100);
	assert_null(reader);
	send_item(&c, 15);
	assert_true(relay.held > 0);
	channel_subscribe(&c); /* and the log's word ends it */
	answer_sub(&c, false);
	assert_int_equal(relay.held, 0);
	answer_read(&c, 100);
	run_tasks();
	assert_null(reader);
	head = 11;
	send_item(&c, 11);
	assert_int_equal(delivered, 11);
	close_channel(&c);
}

static void
test_held_by_all_is_bounded(void **state)
{
	struct channel c;

	(void)state;
	open_live(&c, "r:12");
	head = 13;
	send_item(&c, 12);
	assert_true(relay.held > 0);
	relay.held += RELAY_HELD_MAX;
	send_item(&c, 13);
	assert_int_equal(relay.held, RELAY_HELD_MAX);
	relay.held = 0;
	answer_read(&c, 1);
	answer_read(&c, 5);
	assert_int_equal(delivered, 13);
	close_channel(&c);
}

struct waiter {
	struct channel_wait w;
	unsigned code, calls;
};

static void
on_wait(struct channel_wait *w, struct channel *c, unsigned code)
{
	struct waiter *x = container_of(w, struct waiter, w);

	(void)c;
	x->code = code;
	x->calls++;
}

static void
test_waiting(void **state)
{
	struct channel c;
	struct waiter a = {.w.done = on_wait}, b = a, d = a;

	(void)state;
	linked = false;
	channel_open(&c, &relay, "r:12", false, &ops);
	assert_int_equal(c.state, CHANNEL_NEW);
	channel_wait(&c, &a.w);
	channel_give_up(&c, a.w.since_ms - 1);
	assert_int_equal(a.calls, 0); /* not yet */
	channel_give_up(&c, a.w.since_ms);
	assert_int_equal(a.code, 503);
	linked = true;
	channel_wait(&c, &b.w);
	channel_subscribe(&c);
	answer_sub(&c, false);
	assert_int_equal(b.code, 200);
	channel_wait(&c, &d.w); /* live: but never before we return */
	assert_int_equal(d.calls, 0);
	run_tasks();
	assert_int_equal(d.code, 200);
	assert_int_equal(a.calls + b.calls + d.calls, 3);
	close_channel(&c);
}

/* losses, doubles, delays, resets of the link at random: dense, in order,
 * complete */
static void
test_random(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 200; seed++) {
		struct channel c;

		teardown(NULL);
		setup(NULL);
		srand(seed);
		open_live(&c, seed % 2 ? "r:12" : "u:7");
		uint64_t sent = head;
		for (int i = 0; i < 400; i++) {
			switch (rand() % 8) {
			case 0:
			case 1:
			case 2:
				head += (unsigned)rand() % 3;
				break;
			case 3: /* the link brings what it has, with losses */
				while (sent < head) {
					sent++;
					if (rand() % 4)
						send_item(&c, sent);
				}
				break;
			case 4: /* an old one again */
				send_item(&c, 1 + (unsigned)rand() % head);
				break;
			case 5:
				if (reader)
					answer_read(
					    &c, 1 + (unsigned)rand() % 5);
				break;
			case 6:
				if (reader && rand() % 4 == 0)
					fail_read();
				run_tasks();
				break;
			case 7: /* link reset: what was under way is lost */
				sent = head;
				channel_subscribe(&c);
				answer_sub(&c, false);
				break;
			}
		}
		channel_subscribe(&c);
		answer_sub(&c, false);
		for (int i = 0; i < 1000 && delivered < head; i++) {
			if (reader)
				answer_read(&c, 7);
			run_tasks();
		}
		assert_int_equal(delivered, head);
		assert_int_equal(gaps, 0);
		close_channel(&c);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(test_in_order_and_doubles), T(test_hole_is_read_back),
	    T(test_user_channel_goes_by_useq),
	    T(test_head_at_subbed_shows_the_loss), T(test_retention_is_named),
	    T(test_everything_gone), T(test_first_only_rises),
	    T(test_first_of_a_page_of_before), T(test_other_history_resets),
	    T(test_failed_read_is_tried_again), T(test_held_items_are_bounded),
	    T(test_history_changes_during_a_repair),
	    T(test_log_without_what_was_heard), T(test_held_by_all_is_bounded),
	    T(test_waiting), T(test_random)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
