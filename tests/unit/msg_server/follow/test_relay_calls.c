/* SPDX-License-Identifier: MIT */
/*
 * What the relay has asked (msg_server/relay.h): what waits and for how long,
 * what is held and sent again, the bounds; every question is answered once.
 */
#include "tests/unit/msg_server/follow/relay_fixture.h"

/* --- appends
 * ---------------------------------------------------------------------------
 */

static void
test_ack_by_item(void **state)
{
	static struct f_item f;

	(void)state;
	make_active(&px[0], 1);
	open_channel("u:1");
	SAID(&px[0], "sub u:1|");
	subbed(&px[0], 0, EP_1);
	FX_WAIT(&fx, 2000, chan.state == CHANNEL_LIVE);
	append(&a[0], "c0");
	assert_int_equal(append_to(&a[1], "p:1:2", "c1"), 0);
	SAID(&px[0], "app c0|app c1|");
	item(&px[0], 1, 999, 7, px[0].req[6]); /* just unsubscribed */
	f.gen = 1;
	f.req = px[0].req[7];
	f.chan = STR_LIT("p:1:2");
	f.refs[0].ch = chan.ch;
	f.refs[0].useq = 1;
	f.refs[1].useq = 9; /* not followed here */
	f.n_refs = 2;
	f.item.kind = ITEM_MESSAGE;
	f.item.seq = 30;
	f.item.ts = 5;
	f.item.uid = STR_LIT("1");
	f.item.body = STR_LIT("x");
	put_item(to(&px[0]), &f);
	FX_WAIT(&fx, 2000, a[1].done);
	assert_int_equal(a[0].code, 200);
	assert_int_equal(a[0].seq, 7);
	assert_int_equal(a[1].seq, 30);
	assert_int_equal(a[1].useq, 1);
	assert_int_equal(n_items, 1);
	assert_int_equal(chan.last, 1);
}

static void
test_naks(void **state)
{
	(void)state;
	make_active(&px[0], 1);
	append(&a[0], "c0");
	append(&a[1], "c1");
	append(&a[2], "c2");
	SAID(&px[0], "app c0|app c1|app c2|");
	nak(&px[0], px[0].req[5], 403, 0);
	nak(&px[0], px[0].req[6], 503, 5000); /* the disk is full */
	FX_WAIT(&fx, 2000, a[1].done);
	assert_int_equal(a[0].code, 403);
	assert_int_equal(a[1].code, 503);
	assert_int_equal(a[1].retry, 5000);
	assert_int_equal(relay_unacked(r), 1);
	nak(&px[0], 9999, 403, 0); /* of nothing */
	ack(&px[0], px[0].req[7], 1);
	FX_WAIT(&fx, 2000, a[2].done);
}

/* no room now: they wait and go again, in order, and nobody hears of it */
static void
test_busy(void **state)
{
	(void)state;
	turn_clock(1);
	make_active(&px[0], 1);
	for (unsigned i = 0; i < 4; i++) {
		char cid[4] = {'c', (char)('0' + i)};

		append(&a[i], cid);
	}
	SAID(&px[0], "app c0|app c1|app c2|app c3|");
	ack(&px[0], px[0].req[4], 1);
	nak(&px[0], px[0].req[5], 503, 200);
	nak(&px[0], px[0].req[6], 429, 0);
	ack(&px[0], px[0].req[7], 2); /* found room */
	FX_WAIT(&fx, 2000, a[3].done);
	append(&a[4], "c4"); /* behind those that wait */
	fx_run_for(&fx, 300);
	assert_true(said(&px[0], ""));
	turn_clock(201);
	SAID(&px[0], "app c1|app c2|app c4|");
	for (unsigned i = 5; i < 8; i++)
		ack(&px[0], px[0].req[i], i);
	FX_WAIT(&fx, 2000, a[4].done);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(a[i].done, 1);
		assert_int_equal(a[i].code, 200);
	}
}

/* a refusal is on its way: its append does not go again before it is here */
static void
test_no_two_of_one(void **state)
{
	(void)state;
	turn_clock(1);
	make_active(&px[0], 1);
	append(&a[0], "c0");
	append(&a[1], "c1");
	append(&a[2], "c2");
	SAID(&px[0], "app c0|app c1|app c2|");
	nak(&px[0], px[0].req[5], 503, 200);
	fx_run_for(&fx, 50);
	turn_clock(201);
	SAID(&px[0], "app c0|");
	fx_run_for(&fx, 300);
	assert_true(said(&px[0], ""));
	nak(&px[0], px[0].req[5], 503, 200);
	nak(&px[0], px[0].req[6], 503, 200);
	fx_run_for(&fx, 50);
	turn_clock(201);
	SAID(&px[0], "app c1|app c2|");
	for (unsigned i = 5; i < 8; i++)
		ack(&px[0], px[0].req[i], i);
	FX_WAIT(&fx, 2000, a[0].done && a[1].done && a[2].done);
	assert_int_equal(relay_unacked(r), 0);
}

/* what waits to go again was stored after all */
static void
test_ack_of_what_is_held(void **state)
{
	(void)state;
	turn_clock(1);
	make_active(&px[0], 1);
	append(&a[0], "c0");
	append(&a[1], "c1");
	SAID(&px[0], "app c0|app c1|");
	nak(&px[0], px[0].req[6], 429, 100);
	ack(&px[0], px[0].req[6], 1);
	ack(&px[0], px[0].req[7], 2);
	FX_WAIT(&fx, 2000, a[1].done);
	assert_int_equal(a[0].done, 1);
	assert_int_equal(relay_unacked(r), 0);
	append(&a[2], "c2");
	SAID(&px[0], "app c2|");
}

static void
test_unanswered(void **state)
{
	(void)state;
	turn_clock(1);
	make_active(&px[0], 1);
	append(&a[0], "c0");
	SAID(&px[0], "app c0|");
	turn_clock(RELAY_ANSWER_MS - 1);
	fx_run_for(&fx, 300);
	assert_int_equal(a[0].done, 0);
	turn_clock(1);
	FX_WAIT(&fx, 2000, a[0].done);
	assert_int_equal(a[0].code, 503);
	assert_int_equal(a[0].retry, 1000);
	/* it stays: the client's repeat comes behind it */
	assert_int_equal(relay_unacked(r), 1);
	append(&a[1], "c0");
	SAID(&px[0], "app c0|");
	lose(&px[0]);
	FX_WAIT(&fx, 2000, !relay_has_active(r));
	make_active(&px[1], 2);
	SAID(&px[1], "app c0|app c0|");
	ack(&px[1], px[1].req[6], 1);
	ack(&px[1], px[1].req[7], 1);
	FX_WAIT(&fx, 2000, a[1].done);
	assert_int_equal(a[0].done, 1);
	assert_int_equal(a[1].code, 200);
	assert_int_equal(relay_unacked(r), 0);
}

static void
test_bounds(void **state)
{
	static struct ask many[RELAY_UNACKED_MAX + 1];

	(void)state;
	memset(many, 0, sizeof many);
	for (unsigned i = 0; i < RELAY_UNACKED_MAX; i++)
		assert_int_equal(append_to(&many[i], "r:12", "c"), 0);
	assert_int_equal(
	    append_to(&many[RELAY_UNACKED_MAX], "r:12", "c"), ERR_BUSY);
	make_active(&px[0], 1);
	FX_WAIT(&fx, 5000,
	    buf_len(&px[0].said) == RELAY_UNACKED_MAX * strlen("app c|"));
	for (unsigned i = 0; i < RELAY_UNACKED_MAX; i++)
		ack(&px[0], px[0].req[7] - i, i + 1);
	FX_WAIT(&fx, 5000, relay_unacked(r) == 0);
	for (unsigned i = 0; i < RELAY_UNACKED_MAX; i++) {
		assert_int_equal(many[i].done, 1);
		assert_int_equal(many[i].seq, RELAY_UNACKED_MAX - i);
	}
	assert_int_equal(append_to(&a[0], "r:12", "c"), 0);
	memset(many, 0, sizeof many);
	for (unsigned i = 0; i < RELAY_CALLS_MAX; i++)
		assert_int_equal(ask_read(&many[i]), 0);
	assert_int_equal(ask_read(&many[RELAY_CALLS_MAX]), ERR_BUSY);
	assert_int_equal(ask_who(&many[RELAY_CALLS_MAX]), ERR_BUSY);
}

/* --- what waits --------------------------------------------------------- */

static void
test_waits_without_an_active(void **state)
{
	struct channel_wait w = {.done = on_wait}, later = w;

	(void)state;
	waited = 0;
	turn_clock(1);
	open_channel("r:12");
	channel_wait(&chan, &w);
	assert_int_equal(ask_read(&a[0]), 0);
	assert_int_equal(ask_who(&a[1]), 0);
	turn_clock(1000);
	channel_wait(&chan, &later);
	turn_clock(RELAY_WAIT_MS - 1001);
	fx_run_for(&fx, 300);
	assert_int_equal(a[0].done + a[1].done + waited, 0);
	turn_clock(1);
	FX_WAIT(&fx, 2000, a[0].done && a[1].done && waited);
	assert_int_equal(a[0].code, 503);
	assert_int_equal(a[1].code, 503);
	assert_int_equal(waited_code, 503);
	/* who came later has time left */
	assert_int_equal(waited, 1);
	make_active(&px[0], 1);
	SAID(&px[0], "sub r:12|");
	subbed(&px[0], 4, EP_1);
	FX_WAIT(&fx, 2000, waited == 2);
	assert_int_equal(waited_code, 200);
}

/* a proxy about to stop can't read: the next one may */
static void
test_read_is_asked_again(void **state)
{
	(void)state;
	turn_clock(1);
	make_active(&px[0], 1);
	assert_int_equal(ask_read(&a[0]), 0);
	SAID(&px[0], "read r:12|");
	page(&px[0], px[0].rid, 503);
	SAID(&px[0], "read r:12|");
	page(&px[0], px[0].rid, 200);
	FX_WAIT(&fx, 2000, a[0].done);
	assert_int_equal(a[0].code, 200);
	/* but not for ever */
	assert_int_equal(ask_read(&a[1]), 0);
	SAID(&px[0], "read r:12|");
	turn_clock(RELAY_WAIT_MS);
	page(&px[0], px[0].rid, 503);
	FX_WAIT(&fx, 2000, a[1].done);
	assert_int_equal(a[1].code, 503);
}

/* thousands come back at once: answers never pile up on the link */
static void
test_answers_are_bounded(void **state)
{
	enum { N = RELAY_ANSWERS_BYTES / (512 * 1024) };
	struct f_read f = {.chan = STR_LIT("r:12"),
	    .from = 1,
	    .n = 10,
	    .max_bytes = 512 * 1024};
	static struct ask q[N + 2];
	struct buf want;

	(void)state;
	memset(q, 0, sizeof q);
	make_active(&px[0], 1);
	buf_init(&want, 65536);
	for (unsigned i = 0; i < N; i++)
		buf_puts(&want, "read r:12|");
	buf_putc(&want, '\0');
	for (unsigned i = 0; i < N + 2; i++) {
		q[i].read.done = on_read;
		assert_int_equal(relay_read(r, &f, &q[i].read), OK);
	}
	SAID(&px[0], (const char *)buf_p(&want));
	/* one answer, one more */
	page(&px[0], px[0].rid, 200);
	SAID(&px[0], "read r:12|");
	/* the next active one is asked all, within the same bound */
	lose(&px[0]);
	make_active(&px[1], 2);
	SAID(&px[1], (const char *)buf_p(&want));
	page(&px[1], px[1].rid, 200);
	SAID(&px[1], "read r:12|");
	buf_fini(&want);
}

/* one state record and a page of conversations: as reads, of whoever is
 * active; what only grows goes out or is refused */
static void
test_get_and_inbox(void **state)
{
	struct f_raise f = {
	    .chan = STR_LIT("u:1"), .key = STR_LIT("d"), .n = 4};
	struct f_got got = {
	    .code = 200, .ep = STR_LIT(EP_1), .head = 31, .first = 1};
	struct f_inboxed in = {.code = 503};
	struct buf *b;

	(void)state;
	assert_false(relay_raise(r, &f));
	make_active(&px[0], 1);
	assert_true(relay_raise(r, &f));
	SAID(&px[0], "raise d " EP_1 "|");
	assert_int_equal(ask_get(&a[0]), 0);
	SAID(&px[0], "get d|");
	got.rid = px[0].rid;
	put_got(to(&px[0]), &got);
	FX_WAIT(&fx, 2000, a[0].done);
	assert_int_equal(a[0].code, 200);
	assert_int_equal(a[0].seq, 31);
	assert_int_equal(ask_inbox(&a[1]), 0);
	SAID(&px[0], "inbox 0|");
	/* not now: asked again, without a word to the asker */
	in.rid = px[0].rid;
	b = to(&px[0]);
	put_inboxed_end(b, put_inboxed_begin(b, &in));
	SAID(&px[0], "inbox 0|");
	assert_int_equal(a[1].done, 0);
	in = (struct f_inboxed){.rid = px[0].rid,
	    .code = 200,
	    .ep = STR_LIT(EP_1),
	    .next = {.part = INBOX_PEERS, .lo = 7, .hi = 9}};
	b = to(&px[0]);
	put_inboxed_end(b, put_inboxed_begin(b, &in));
	FX_WAIT(&fx, 2000, a[1].done);
	assert_int_equal(a[1].code, 200);
	assert_int_equal(a[1].seq, 7);
	/* unanswered when all ends */
	assert_int_equal(ask_get(&a[2]), 0);
	assert_int_equal(ask_inbox(&a[3]), 0);
	SAID(&px[0], "get d|inbox 0|");
	relay_free(r);
	r = NULL;
	assert_int_equal(a[2].done + a[3].done, 2);
	assert_int_equal(a[2].code, 503);
	assert_int_equal(a[3].code, 503);
}

static struct state_rec stated[2];

static struct ask_states {
	struct relay_states states;
	unsigned done, code;
} as[2];

static void
on_stated(struct relay_states *x, unsigned code, const struct f_stated *f,
    struct str recs)
{
	struct ask_states *q = container_of(x, struct ask_states, states);

	assert_int_equal(f != NULL, code == 200);
	for (unsigned i = 0; f != NULL && i < f->n; i++)
		assert_int_equal(frames_states_next(&recs, &stated[i]), 0);
	assert_int_equal(recs.len, 0);
	q->done++;
	q->code = code;
	if (f != NULL)
		assert_true(str_eqc(stated[1].key, "g:gb"));
}

static int
ask_states(struct ask_states *q)
{
	struct f_states f = {
	    .chan = STR_LIT("u:1"), .prefix = STR_LIT("g:"), .n = 2};

	q->states.done = on_stated;
	return relay_states(r, &f, &q->states);
}

/* a page of state records: the same */
static void
test_states(void **state)
{
	struct f_stated f = {.code = 503};
	struct buf *b;
	size_t mark;

	(void)state;
	memset(as, 0, sizeof as);
	make_active(&px[0], 1);
	assert_int_equal(ask_states(&as[0]), 0);
	SAID(&px[0], "states g:|");
	f.rid = px[0].rid;
	b = to(&px[0]);
	put_stated_end(b, put_stated_begin(b, &f));
	SAID(&px[0], "states g:|");
	assert_int_equal(as[0].done, 0);
	f = (struct f_stated){
	    .rid = px[0].rid, .code = 200, .ep = STR_LIT(EP_1), .n = 2};
	b = to(&px[0]);
	mark = put_stated_begin(b, &f);
	put_stated_rec(b, &(struct state_rec){.key = STR_LIT("g:ga")});
	put_stated_rec(b, &(struct state_rec){.key = STR_LIT("g:gb")});
	put_stated_end(b, mark);
	FX_WAIT(&fx, 2000, as[0].done);
	assert_int_equal(as[0].code, 200);
	assert_int_equal(ask_states(&as[1]), 0);
	SAID(&px[0], "states g:|");
	relay_free(r);
	r = NULL;
	assert_int_equal(as[0].done + as[1].done, 2);
	assert_int_equal(as[1].code, 503);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(test_ack_by_item), T(test_naks), T(test_busy),
	    T(test_no_two_of_one), T(test_ack_of_what_is_held),
	    T(test_unanswered), T(test_bounds), T(test_waits_without_an_active),
	    T(test_read_is_asked_again), T(test_answers_are_bounded),
	    T(test_get_and_inbox), T(test_states)};

	log_init("test", LOG_LEVEL_ERR);
	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
