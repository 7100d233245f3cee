/* SPDX-License-Identifier: MIT */
/*
 * What the tests of channels share: a fake relay that records subscriptions
 * and reads, a model of the log to answer them from, and a judge: items come
 * once and in order, and every hole is named.
 */
#ifndef TESTS_UNIT_MSG_SERVER_FOLLOW_CHANNEL_FIXTURE_H
#define TESTS_UNIT_MSG_SERVER_FOLLOW_CHANNEL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "msg_server/server.h"
#include "tests/unit/msg_server/follow/fake_relay.h"

/* --- the fake relay ----------------------------------------------------- */

static struct server server;
static struct f_read asked;
static char asked_chan[CHAN_MAX + 1];
static struct relay_read *reader;
static int read_err;

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

/* --- the model ---------------------------------------------------------- */

static uint64_t head, first, delivered, gaps, gap_items, resets;
static char ep[EP_LEN + 1];

static inline void
on_item(struct channel *c, const struct item *it, const struct state_rec *st,
    unsigned n)
{
	(void)st;
	(void)n;
	uint64_t seq = channel_is_user(c) ? it->useq : it->seq;

	assert_int_equal(seq, delivered + 1);
	delivered = seq;
}

static inline void
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

static inline void
on_idle(struct channel *c)
{
	(void)c;
	idled = true;
}

static const struct channel_ops ops = {on_item, on_gap, on_idle};

static inline void
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

static inline void
send_item(struct channel *c, uint64_t seq)
{
	struct item it;

	make_item(c, seq, &it);
	channel_on_item(c, &it, seq, NULL, 0);
}

static inline void
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
static inline void
answer_read(struct channel *c, unsigned n)
{
	struct relay_read *rd = reader;
	struct f_page page = {.code = 200, .ep = str_of(ep)};
	struct buf b;
	uint64_t seq = asked.from < first ? first : asked.from;

	assert_non_null(rd);
	/* live items may have come since it was asked */
	if (str_eqc(str_of(ep), channel_ep(c)) && !resets)
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

static inline void
fail_read(void)
{
	struct relay_read *rd = reader;

	reader = NULL;
	rd->done(rd, 503, NULL, STR_NONE);
}

static inline int
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

static inline int
teardown(void **state)
{
	(void)state;
	buf_fini(&out);
	free(relay.eps);
	relay.eps = NULL;
	return 0;
}

static inline void
open_live(struct channel *c, const char *name)
{
	channel_open(c, &relay, name, false, &ops);
	assert_int_equal(c->state, CHANNEL_ASKED);
	answer_sub(c, false);
	assert_int_equal(c->state, CHANNEL_LIVE);
	assert_int_equal(c->last, head);
}

static inline void
close_channel(struct channel *c)
{
	table_del(&relay.channels, &c->by_ch, channel_key);
	if (c->busy)
		buf_fini(&c->busy->held);
	slab_put(&server.slab, c->busy, sizeof *c->busy);
}

#endif
