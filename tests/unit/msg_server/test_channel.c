/* SPDX-License-Identifier: MIT */
/*
 * The gap rule (msg_server/channel.h) against a model of the log: whatever is
 * lost, doubled, late or reset on the way, items are delivered once, in
 * order, and every hole that can't be filled is named. The relay is a fake: it
 * records subscriptions and reads, and the test answers them when it likes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "msg_server/relay_priv.h"
#include "msg_server/server.h"

/* --- the fake relay ----------------------------------------------------- */

static struct relay relay;
static struct server server;
static struct buf out;
static bool linked;
static struct f_read asked;
static char asked_chan[CHAN_MAX + 1];
static struct relay_read *reader;
static int read_err;

struct server *
relay_server(const struct relay *r)
{
	return r->srv;
}

struct buf *
relay_out(struct relay *r)
{
	(void)r;
	return linked ? &out : NULL;
}

void
relay_wake(struct relay *r)
{
	(void)r;
}

int
relay_read(struct relay *r, const struct f_read *rd, struct relay_read *call)
{
	(void)r;
	if (read_err)
		return read_err;
	assert_null(reader); /* one repair at a time */
	asked = *rd;
	str_copy(asked_chan, sizeof asked_chan, rd->chan);
	reader = call;
	return OK;
}

void
relay_later(struct relay *r, struct relay_task *t)
{
	t->next = NULL;
	*r->later_end = t;
	r->later_end = &t->next;
}

void
relay_retry(struct relay *r, struct relay_task *t)
{
	relay_later(r, t);
}

static void
run_tasks(void)
{
	struct relay_task *t = relay.later;

	relay.later = NULL;
	relay.later_end = &relay.later;
	while (t) {
		struct relay_task *next = t->next;

		t->fn(t);
		t = next;
	}
}

/* --- the model ---------------------------------------------------------- */

static uint64_t head, first, delivered, gaps, gap_items, resets;
static char ep[EP_LEN + 1];

static void
on_item(struct channel *c, const struct item *it, const struct state_rec *st,
    unsigned n)
{
	(void)st;
	(void)n;
	uint64_t seq = channel_is_user(c) ? it->useq : it->seq;

	assert_int_equal(seq, delivered + 1);
	delivered = seq;
}

static void
on_gap(struct channel *c, uint64_t from, uint64_t to, bool reset)
{
	(void)c;
	if (reset) {
		resets++;
		delivered = to;
		return;
	}
	assert_int_equal(from, delivered + 1);
	assert_true(to >= from);
	gaps++;
	gap_items += to - from + 1;
	delivered = to;
}

static bool idled;

static void
on_idle(struct channel *c)
{
	(void)c;
	idled = true;
}

static const struct channel_ops ops = {on_item, on_gap, on_idle};

static void
make_item(const struct channel *c, uint64_t seq, struct item *it)
{
	memset(it, 0, sizeof *it);
	it->kind = ITEM_MESSAGE;
	it->seq = seq;
	it->ts = 1;
	it->uid = STR_LIT("1");
	it->body = STR_LIT("x");
	if (channel_is_user(c)) {
		it->useq = seq;
		it->seq = seq * 7;
		it->pchan = STR_LIT("p:1:2");
	}
}

static void
send_item(struct channel *c, uint64_t seq)
{
	struct item it;

	make_item(c, seq, &it);
	channel_on_item(c, &it, seq, NULL, 0);
}

static void
answer_sub(struct channel *c, bool reset)
{
	static struct f_subbed f;

	f.ch = c->ch;
	f.ep = str_of(ep);
	f.head = head;
	f.first = first;
	f.reset = reset;
	channel_on_subbed(c, &f);
}

/* answers the read under way from the model, at most n items */
static void
answer_read(struct channel *c, unsigned n)
{
	struct relay_read *rd = reader;
	struct f_page page = {.code = 200, .ep = str_of(ep)};
	struct buf b;
	uint64_t seq = asked.from < first ? first : asked.from;

	assert_non_null(rd);
	/* live items may have come since it was asked */
	assert_true(asked.from <= c->last + 1);
	assert_false(asked.back);
	reader = NULL;
	page.first = first;
	page.head = head;
	buf_init(&b, 1 << 20);
	for (; seq <= head && page.n_items < n; seq++, page.n_items++) {
		struct item it;

		make_item(c, seq, &it);
		assert_int_equal(put_page_item(&b, &it), OK);
	}
	page.more = seq <= head;
	rd->done(rd, 200, &page, buf_str(&b));
	buf_fini(&b);
}

static void
fail_read(void)
{
	struct relay_read *rd = reader;

	reader = NULL;
	rd->done(rd, 503, NULL, STR_NONE);
}

static int
setup(void **state)
{
	(void)state;
	map_init();
	memset(&relay, 0, sizeof relay);
	relay.srv = &server;
	relay.later_end = &relay.later;
	buf_init(&out, 1 << 24);
	linked = true;
	reader = NULL;
	read_err = OK;
	idled = false;
	head = 10;
	first = 1;
	delivered = 10;
	gaps = gap_items = resets = 0;
	str_copy(ep, sizeof ep, STR_LIT("9f3a01c2"));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_fini(&out);
	return 0;
}

static void
open_live(struct channel *c, const char *name)
{
	struct chan_name n;

	assert_int_equal(chan_parse(str_of(name), &n), OK);
	channel_open(c, &relay, n, false, &ops);
	assert_int_equal(c->state, CHANNEL_ASKED);
	answer_sub(c, false);
	assert_int_equal(c->state, CHANNEL_LIVE);
	assert_int_equal(c->last, head);
}

static void
close_channel(struct channel *c)
{
	HASH_DELETE(hh, relay.channels, c);
	buf_fini(&c->held);
}

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
		assert_true(buf_len(&c.held) <= CHANNEL_HELD_MAX);
	}
	while (reader)
		answer_read(&c, 50);
	assert_int_equal(delivered, 200);
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
	struct chan_name n = chan_room(STR_LIT("12"));
	struct waiter a = {.w.done = on_wait}, b = a, d = a;

	(void)state;
	linked = false;
	channel_open(&c, &relay, n, false, &ops);
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
	    T(test_everything_gone), T(test_other_history_resets),
	    T(test_failed_read_is_tried_again), T(test_held_items_are_bounded),
	    T(test_waiting), T(test_random)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
