/* SPDX-License-Identifier: MIT */
/*
 * The relay (msg_server/relay.h) on real links to two proxies that the test
 * plays: who is followed, and what is sent again in which order when that
 * changes.
 */
#include "tests/unit/msg_server/follow/relay_fixture.h"

/* --- who is followed ---------------------------------------------------- */

static void
test_order_at_a_promotion(void **state)
{
	(void)state;
	make_active(&px[0], 1);
	open_channel("r:12");
	SAID(&px[0], "sub r:12|");
	subbed(&px[0], 10, EP_1);
	FX_WAIT(&fx, 2000, chan.state == CHANNEL_LIVE);
	append(&a[0], "c0");
	append(&a[1], "c1");
	assert_int_equal(ask_read(&a[2]), 0);
	SAID(&px[0], "app c0|app c1|read r:12|");
	lose(&px[0]);
	FX_WAIT(&fx, 2000, !relay_has_active(r));
	append(&a[3], "c3");
	assert_int_equal(ask_who(&a[4]), 0);
	fx_spin(&fx);
	make_active(&px[1], 2);
	append(&a[5], "c5");
	SAID(&px[1],
	    "sub r:12 9f3a01c2 10|app c0|app c1|app c3|read r:12|who|app c5|");
	assert_int_equal(
	    a[0].done + a[1].done + a[2].done + a[3].done + a[4].done, 0);
	/* one it had stored before, as a repeat; in the order of its own */
	for (unsigned i = 4; i < 8; i++)
		ack(&px[1], px[1].req[i], i);
	FX_WAIT(&fx, 2000, a[5].done);
	assert_int_equal(a[0].done, 1);
	assert_int_equal(a[0].seq, 4);
	assert_int_equal(a[1].seq, 5);
	assert_int_equal(a[3].seq, 6);
	assert_int_equal(relay_unacked(r), 0);
}

static void
test_lower_gen_is_not_followed(void **state)
{
	(void)state;
	make_active(&px[0], 5);
	says_active(&px[1], 4, EP_1, true);
	append(&a[0], "c0");
	SAID(&px[0], "app c0|");
	assert_true(said(&px[1], ""));
	/* neither when the other is gone: it would be an old log */
	lose(&px[0]);
	FX_WAIT(&fx, 2000, !relay_has_active(r));
	says_active(&px[1], 4, EP_1, true);
	fx_spin(&fx);
	assert_false(relay_has_active(r));
	assert_int_equal(relay_gen(r), 5);
	make_active(&px[1], 6);
	SAID(&px[1], "app c0|");
}

/* the directory was lost: an empty log counts from 1 again */
static void
test_log_begun_anew(void **state)
{
	(void)state;
	make_active(&px[0], 7);
	open_channel("r:12");
	SAID(&px[0], "sub r:12|");
	subbed(&px[0], 10, EP_1);
	FX_WAIT(&fx, 2000, chan.state == CHANNEL_LIVE);
	append(&a[0], "c0");
	SAID(&px[0], "app c0|");
	/* not while there is one that is known */
	says_active(&px[1], 1, EP_2, true);
	fx_spin(&fx);
	assert_int_equal(relay_gen(r), 7);
	lose(&px[0]);
	SAID(&px[1], "sub r:12 9f3a01c2 10|app c0|");
	assert_int_equal(relay_gen(r), 1);
	assert_string_equal(relay_ep(r), EP_2);
	subbed(&px[1], 3, EP_2);
	FX_WAIT(&fx, 2000, n_gaps == 1);
	assert_int_equal(chan.last, 3);
	/* the old one wakes: dead it is */
	px[0].shut = false;
	FX_WAIT(&fx, 5000, px[0].ups == 2);
	says_active(&px[0], 7, EP_1, true);
	fx_spin(&fx);
	assert_int_equal(relay_gen(r), 1);
	assert_true(said(&px[0], ""));
	lose(&px[1]);
	FX_WAIT(&fx, 2000, !relay_has_active(r));
	says_active(&px[0], 7, EP_1, true);
	fx_spin(&fx);
	assert_false(relay_has_active(r));
	/* but somebody may have put it back */
	says_active(&px[0], 8, EP_1, true);
	SAID(&px[0], "sub r:12 00000001 3|app c0|");
	assert_int_equal(relay_gen(r), 8);
}

/* of two with one gen the first is kept, until it goes */
static void
test_equal_gen(void **state)
{
	(void)state;
	make_active(&px[0], 5);
	says_active(&px[1], 5, EP_1, true);
	fx_spin(&fx);
	append(&a[0], "c0");
	SAID(&px[0], "app c0|");
	assert_true(said(&px[1], ""));
	lose(&px[0]);
	SAID(&px[1], "app c0|");
}

static void
test_flip(void **state)
{
	(void)state;
	make_active(&px[0], 5);
	append(&a[0], "c0");
	assert_int_equal(ask_read(&a[1]), 0);
	SAID(&px[0], "app c0|read r:12|");
	says_active(&px[0], 5, EP_1, false);
	FX_WAIT(&fx, 2000, !relay_has_active(r));
	/* late words of one that is not active are not heard */
	ack(&px[0], px[0].req[7], 1);
	fx_spin(&fx);
	assert_int_equal(a[0].done, 0);
	make_active(&px[0], 5);
	SAID(&px[0], "app c0|read r:12|");
	/* both askings are answered: told once */
	ack(&px[0], px[0].req[7], 1);
	ack(&px[0], px[0].req[7], 1);
	page(&px[0], px[0].rid, 200);
	page(&px[0], px[0].rid, 200);
	FX_WAIT(&fx, 2000, a[0].done && a[1].done);
	fx_spin(&fx);
	assert_int_equal(a[0].done + a[1].done, 2);
	/* a higher gen of the same one is a promotion too */
	append(&a[2], "c2");
	SAID(&px[0], "app c2|");
	make_active(&px[0], 6);
	SAID(&px[0], "app c2|");
}

static void
test_history_changes_under_the_active(void **state)
{
	(void)state;
	make_active(&px[0], 5);
	open_channel("r:12");
	SAID(&px[0], "sub r:12|");
	subbed(&px[0], 10, EP_1);
	append(&a[0], "c0");
	SAID(&px[0], "app c0|");
	says_active(&px[0], 5, EP_2, true);
	/* only where we stand is asked, nothing is sent twice */
	SAID(&px[0], "sub r:12 9f3a01c2 10|");
	assert_string_equal(relay_ep(r), EP_2);
	subbed(&px[0], 3, EP_2);
	FX_WAIT(&fx, 2000, n_gaps == 1);
	assert_int_equal(chan.last, 3);
	says_active(&px[0], 5, EP_2, true);
	fx_spin(&fx);
	assert_true(said(&px[0], ""));
}

static void
test_items_of_a_lower_gen(void **state)
{
	(void)state;
	make_active(&px[0], 4);
	make_active(&px[1], 5);
	/* the one of before: what is of its time is just late */
	item(&px[0], 5, 1, 1, 0);
	fx_spin(&fx);
	assert_int_equal(px[0].downs, 0);
	item(&px[0], 4, 1, 1, 0);
	FX_WAIT(&fx, 2000, px[0].downs == 1);
	/* and the active one itself */
	item(&px[1], 4, 1, 1, 0);
	FX_WAIT(&fx, 2000, px[1].downs == 1);
	FX_WAIT(&fx, 3000, px[0].ups == 2 && px[1].ups == 2);
}

static void
test_topology_changes(void **state)
{
	(void)state;
	make_active(&px[0], 4);
	says_active(&px[1], 4, EP_1, true);
	fx_spin(&fx);
	append(&a[0], "c0");
	SAID(&px[0], "app c0|");
	struct addr two[3] = {px[1].listener.addr, px[1].listener.addr};
	px[0].shut = true;
	relay_set_proxies(r, two, 2); /* one, named twice */
	/* who is not named any more stays as long as the link does */
	fx_spin(&fx);
	assert_int_equal(px[0].downs, 0);
	append(&a[1], "c1");
	SAID(&px[0], "app c1|");
	linkconn_close(&px[0].link->lc, ERR_EOF, "lost", 0);
	SAID(&px[1], "app c0|app c1|");
	assert_int_equal(px[1].ups, 1);
	assert_int_equal(px[1].downs, 0);
	px[0].shut = false;
	relay_set_proxies(r, two, 1);
	fx_spin(&fx);
	assert_int_equal(px[0].ups, 1);
	/* and is taken back */
	two[1] = px[0].listener.addr;
	relay_set_proxies(r, two, 2);
	FX_WAIT(&fx, 3000, px[0].ups == 2);
}

static void
test_not_a_proxy(void **state)
{
	(void)state;
	assert_false(relay_has_active(r));
	/* frames that no proxy sends end the link */
	put_unsub(to(&px[0]), 1);
	fx_spin(&fx);
	assert_int_equal(px[0].downs, 0); /* standby: not heard */
	make_active(&px[1], 1);
	put_unsub(to(&px[1]), 1);
	FX_WAIT(&fx, 2000, px[1].downs == 1);
}

/* --- channels
 * ---------------------------------------------------------------------------
 */

static void
test_unsubscribed(void **state)
{
	uint32_t was;

	(void)state;
	make_active(&px[0], 1);
	open_channel("r:12");
	SAID(&px[0], "sub r:12|");
	was = chan.ch;
	channel_release(&chan);
	channel_expire(&chan);
	assert_int_equal(idled, 1);
	open_channel("r:12");
	assert_true(chan.ch != was);
	SAID(&px[0], "unsub|sub r:12|");
	subbed(&px[0], 5, EP_1);
	/* of the old number: not ours any more */
	uint32_t now = px[0].ch;
	px[0].ch = was;
	subbed(&px[0], 9, EP_1);
	item(&px[0], 1, was, 10, 0);
	item(&px[0], 1, now, 6, 0);
	FX_WAIT(&fx, 2000, n_items == 1);
	assert_int_equal(chan.last, 6);
	assert_int_equal(px[0].downs, 0);
}

/* the end comes in the middle of everything */
static void
test_free_with_all_under_way(void **state)
{
	struct channel_wait w = {.done = on_wait};

	(void)state;
	waited = 0;
	make_active(&px[0], 1);
	open_channel("r:12");
	channel_wait(&chan, &w);
	append(&a[0], "c0");
	assert_int_equal(ask_read(&a[1]), 0);
	assert_int_equal(ask_who(&a[2]), 0);
	SAID(&px[0], "sub r:12|app c0|read r:12|who|");
	relay_free(r);
	r = NULL;
	assert_int_equal(a[0].code, 503);
	assert_int_equal(a[1].code, 503);
	assert_int_equal(a[2].code, 503);
	assert_int_equal(waited, 1);
	assert_int_equal(idled, 1);
	px[0].shut = px[1].shut = true;
	FX_WAIT(&fx, 2000, px[0].downs == 1 && px[1].downs == 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(test_order_at_a_promotion), T(test_lower_gen_is_not_followed),
	    T(test_log_begun_anew), T(test_equal_gen), T(test_flip),
	    T(test_history_changes_under_the_active),
	    T(test_items_of_a_lower_gen), T(test_topology_changes),
	    T(test_not_a_proxy), T(test_unsubscribed),
	    T(test_free_with_all_under_way)};

	log_init("test", LOG_LEVEL_ERR);
	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
