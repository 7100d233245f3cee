/* SPDX-License-Identifier: MIT */
/*
 * Fan-out: who gets which item, in what order, and what becomes of a link that
 * takes nothing. A whole proxy on a log that the test plays.
 */
#include "tests/unit/proxy_server/fake_log.h"
#include "tests/unit/proxy_server/proxy_fixture.h"

#include "proxy_server/peer.h"
#include "proxy_server/presence.h"
#include "proxy_server/route_priv.h"

static int
setup(void **state)
{
	(void)state;
	pfix_begin();
	pfix_start(0, "proxy1");
	fake_activate(3, "0123abcd");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pfix_end();
	return 0;
}

static void
test_fan_out(void **state)
{
	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	ms_open(&m[2], "ms3", 3);
	ms_subbed(&m[0], 10, "r:12", 5);
	ms_subbed(&m[1], 20, "r:12", 5);
	ms_subbed(&m[2], 30, "r:13", 0);
	ms_append(&m[0], 1, "r:12", "hi", NULL, NULL);
	fake_commit(200, 6, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_ITEM] == 1 && m[1].n[F_ITEM] == 1);
	assert_int_equal(m[0].item.ch, 10);
	assert_int_equal(m[0].item.req, 1); /* its ack */
	assert_int_equal(m[0].item.gen, 3);
	assert_int_equal(m[0].got[0].seq, 6);
	assert_int_equal(m[0].got[0].ts, 6000);
	assert_int_equal(m[1].item.ch, 20);
	assert_int_equal(m[1].item.req, 0);
	fx_spin(&fx);
	assert_int_equal(m[2].n[F_ITEM], 0);
	assert_int_equal(m[0].n[F_ACK] + m[1].n[F_ACK], 0);

	/* of a channel that the appender does not follow: an ACK */
	ms_append(&m[2], 9, "r:12", "yo", NULL, NULL);
	fake_commit(200, 7, 0, 0, false);
	FX_WAIT(&fx, 2000, m[2].n[F_ACK] == 1 && m[1].n[F_ITEM] == 2);
	assert_int_equal(m[2].ack.req, 9);
	assert_int_equal(m[2].ack.seq, 7);
	assert_false(m[2].ack.dup);

	/* a repeat goes to nobody but its sender */
	ms_append(&m[0], 2, "r:12", "hi", NULL, NULL);
	fake_commit(200, 6, 0, 0, true);
	FX_WAIT(&fx, 2000, m[0].n[F_ACK] == 1);
	assert_true(m[0].ack.dup);
	assert_int_equal(m[0].ack.seq, 6);
	assert_int_equal(m[1].n[F_ITEM], 2);

	/* refused */
	ms_append(&m[0], 3, "r:12", "hi", NULL, NULL);
	fake_commit(403, 0, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_NAK] == 1);
	assert_int_equal(m[0].nak.req, 3);
	assert_int_equal(m[0].nak.code, 403);

	put_unsub(linkconn_out(&m[1].lc), 20);
	FX_WAIT(&fx, 2000, px[0].stats[P_FOLLOWS] == 2);
	ms_append(&m[0], 4, "r:12", "bye", NULL, NULL);
	fake_commit(200, 8, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_ITEM] == 3);
	assert_int_equal(m[1].n[F_ITEM], 2);
}

static void
test_private(void **state)
{
	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	ms_open(&m[2], "ms3", 3);
	ms_subbed(&m[0], 1, "u:amy", 10);
	ms_subbed(&m[1], 5, "u:bob", 20);
	ms_subbed(&m[2], 7, "u:amy", 10);
	ms_subbed(&m[2], 8, "u:bob", 20);
	ms_append(&m[0], 1, "p:amy:bob", "psst", "u:amy", "u:bob");
	fake_commit(200, 3, 11, 21, false);
	FX_WAIT(&fx, 2000,
	    m[0].n[F_ITEM] == 1 && m[1].n[F_ITEM] == 1 && m[2].n[F_ITEM] == 1);
	assert_int_equal(m[0].item.ch, 0);
	assert_int_equal(m[0].item.req, 1);
	assert_int_equal(m[0].item.n_refs, 2);
	assert_int_equal(m[0].item.refs[0].ch, 1);
	assert_int_equal(m[0].item.refs[0].useq, 11);
	assert_int_equal(m[0].item.refs[1].ch, 0); /* bob is not there */
	assert_int_equal(m[1].item.refs[0].ch, 0);
	assert_int_equal(m[1].item.refs[1].ch, 5);
	assert_int_equal(m[1].item.refs[1].useq, 21);
	assert_int_equal(m[2].item.refs[0].ch, 7);
	assert_int_equal(m[2].item.refs[1].ch, 8);
	assert_int_equal(m[2].got[0].seq, 3);
	/* nobody follows either of them there: ACK, with the sender's place */
	put_unsub(linkconn_out(&m[0].lc), 1);
	FX_WAIT(&fx, 2000, px[0].stats[P_FOLLOWS] == 3);
	ms_append(&m[0], 2, "p:amy:bob", "psst", "u:amy", "u:bob");
	fake_commit(200, 4, 12, 22, false);
	FX_WAIT(&fx, 2000, m[0].n[F_ACK] == 1 && m[2].n[F_ITEM] == 2);
	assert_int_equal(m[0].ack.useq, 12);
	assert_int_equal(m[0].n[F_ITEM], 1);
	/* with himself */
	ms_append(&m[2], 1, "p:amy:amy", "note", "u:amy", NULL);
	fake_commit(200, 1, 13, 0, false);
	FX_WAIT(&fx, 2000, m[2].n[F_ITEM] == 3);
	assert_int_equal(m[2].item.n_refs, 1);
}

/* SUBBED stands at one point of the order: nothing earlier comes live */
static void
test_sub_in_order(void **state)
{
	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	ms_append(&m[1], 1, "r:12", "before", NULL, NULL);
	ms_sub(&m[0], 1, "r:12");
	ms_append(&m[1], 2, "r:12", "after", NULL, NULL);
	fake_commit(200, 1, 0, 0, false);
	fake_commit(200, 1, 0, 0, false); /* the touch: head 1 */
	fake_commit(200, 2, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_ITEM] == 1);
	assert_int_equal(m[0].n[F_SUBBED], 1);
	assert_int_equal(m[0].subbed.head, 1);
	assert_int_equal(m[0].got[0].seq, 2);
}

static void
test_sub_answers(void **state)
{
	struct f_sub f = {.ch = 1,
	    .chan = STR_LIT("r:12"),
	    .from_seq = 9,
	    .ep = STR_LIT("0123abcd"),
	    .want_state = true};

	(void)state;
	ms_open(&m[0], "ms1", 1);
	put_sub(linkconn_out(&m[0].lc), &f);
	FX_WAIT(&fx, 2000, fake.n == 1);
	fake_commit(200, 9, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_SUBBED] == 1);
	assert_false(m[0].subbed.reset);
	assert_int_equal(m[0].subbed.n_states, 2);
	/* above the head, or of another history: start again */
	put_sub(linkconn_out(&m[0].lc), &f);
	FX_WAIT(&fx, 2000, fake.n == 1);
	fake_commit(200, 8, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_SUBBED] == 2);
	assert_true(m[0].subbed.reset);
	f.ep = STR_LIT("ffffffff");
	put_sub(linkconn_out(&m[0].lc), &f);
	FX_WAIT(&fx, 2000, fake.n == 1);
	fake_commit(200, 9, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_SUBBED] == 3);
	assert_true(m[0].subbed.reset);
	/* gone before the answer: none */
	put_sub(linkconn_out(&m[0].lc), &f);
	put_unsub(linkconn_out(&m[0].lc), 1);
	FX_WAIT(&fx, 2000, fake.n == 1 && px[0].stats[P_FOLLOWS] == 0);
	fake_commit(200, 9, 0, 0, false);
	fx_spin(&fx);
	assert_int_equal(m[0].n[F_SUBBED], 3);
	/* a number serves one channel at a time */
	ms_subbed(&m[0], 1, "r:12", 9);
	f.chan = STR_LIT("r:13");
	put_sub(linkconn_out(&m[0].lc), &f);
	FX_WAIT(&fx, 2000, m[0].downs == 1);
}

/* the log has no room, or trouble: the proxy asks again by itself */
static void
test_sub_retried(void **state)
{
	struct f_sub f = {
	    .ch = 1, .chan = STR_LIT("r:12"), .from_seq = SUB_HEAD};

	(void)state;
	ms_open(&m[0], "ms1", 1);
	fake.busy = true;
	put_sub(linkconn_out(&m[0].lc), &f);
	FX_WAIT(&fx, 2000, px[0].stats[P_FOLLOWS] == 1);
	fx_run_for(&fx, 120);
	assert_int_equal(fake.n, 0);
	fake.busy = false;
	FX_WAIT(&fx, 2000, fake.n == 1);
	fake_commit(503, 0, 0, 0, false);
	FX_WAIT(&fx, 2000, fake.n == 1);
	fake_commit(200, 4, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_SUBBED] == 1);
	assert_int_equal(m[0].subbed.head, 4);
}

/* a link may follow so much and no more; so may all together */
static void
test_follow_limits(void **state)
{
	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	px[0].route->follows_max = 3;
	for (uint32_t i = 1; i <= 3; i++)
		ms_subbed(&m[0], i, i == 1 ? "r:1" : i == 2 ? "r:2" : "r:3", 0);
	ms_subbed(&m[0], 3, "r:3", 0); /* again is not one more */
	/* there is one for everybody who is logged in: nothing else is kept */
	assert_in_range(sizeof(struct follow), 1, 40);
	assert_int_equal(px[0].route->memory,
	    3 * (sizeof(struct follow) + offsetof(struct channel, name) + 3));
	put_sub(linkconn_out(&m[0].lc),
	    &(struct f_sub){
		.ch = 4, .chan = STR_LIT("r:4"), .from_seq = SUB_HEAD});
	FX_WAIT(&fx, 2000, m[0].downs == 1);
	assert_int_equal(px[0].stats[P_FOLLOWS], 0);
	assert_int_equal(px[0].route->memory, 0);
	ms_subbed(&m[1], 1, "r:1", 0);
	px[0].route->memory_max = px[0].route->memory;
	put_sub(linkconn_out(&m[1].lc),
	    &(struct f_sub){
		.ch = 2, .chan = STR_LIT("r:2"), .from_seq = SUB_HEAD});
	FX_WAIT(&fx, 2000, m[1].downs == 1);
	px[0].route->memory_max = ROUTE_MEMORY_MAX;
}

/* everybody subscribes at once: appends still find room in the log's queue */
static void
test_sub_storm(void **state)
{
	struct f_sub f = {.from_seq = SUB_HEAD};
	char chan[32];

	(void)state;
	ms_open(&m[0], "ms1", 1);
	for (f.ch = 1; f.ch <= 9000; f.ch++) {
		snprintf(chan, sizeof chan, "r:%u", f.ch);
		f.chan = str_of(chan);
		put_sub(linkconn_out(&m[0].lc), &f);
	}
	FX_WAIT(&fx, 5000, px[0].stats[P_FOLLOWS] == 9000);
	assert_int_equal(fake.n, 8192);
	ms_append(&m[0], 1, "r:5", "in between", NULL, NULL);
	for (unsigned i = 0; i < 8192; i++)
		fake_commit(200, 0, 0, 0, false);
	/* those that waited stand behind it now */
	assert_int_equal(fake.n, 1 + 9000 - 8192);
	while (fake.n > 0)
		fake_commit(200, 1, 0, 0, false);
	FX_WAIT(&fx, 5000, m[0].n[F_SUBBED] == 9000);
	assert_int_equal(m[0].n[F_ITEM], 1);
	assert_int_equal(m[0].n[F_NAK], 0);
}

/*
 * A link that takes nothing is not waited for: the others get everything, it
 * gets the head when it is back, and live items only after that.
 */
static void
test_behind(void **state)
{
	static char body[60000];
	uint64_t seq = 0;
	unsigned i;

	(void)state;
	memset(body, 'x', sizeof body - 1);
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	ms_subbed(&m[0], 1, "r:12", 0);
	ms_subbed(&m[1], 2, "r:12", 0);
	ms_subbed(&m[1], 3, "r:13", 40);
	conn_pause(&m[1].lc.conn);
	for (i = 0; i < 100; i++) {
		ms_append(&m[0], i + 1, "r:12", body, NULL, NULL);
		fake_commit(200, ++seq, 0, 0, false);
	}
	FX_WAIT(&fx, 5000, m[0].n[F_ITEM] == 100);
	assert_int_equal(px[0].stats[P_BEHIND], 1);
	conn_resume(&m[1].lc.conn);
	FX_WAIT(&fx, 5000, m[1].n[F_SUBBED] == 3);
	assert_int_equal(m[1].subbed.ch, 2);
	assert_int_equal(m[1].subbed.head, 100); /* it reads (n, 100] itself */
	assert_true(m[1].n[F_ITEM] < 100);
	i = (unsigned)m[1].n[F_ITEM];
	ms_append(&m[0], 200, "r:12", "live", NULL, NULL);
	fake_commit(200, ++seq, 0, 0, false);
	FX_WAIT(&fx, 5000, m[1].n[F_ITEM] == (int)i + 1);
	assert_int_equal(m[1].item.item.seq, 101);
	assert_int_equal(m[1].n[F_SUBBED], 3); /* r:13 was never behind */
}

/* who follows a channel hears what retention has left of it, once */
static void
test_trimmed(void **state)
{
	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	ms_subbed(&m[0], 1, "r:12", 50);
	ms_subbed(&m[0], 2, "r:13", 50);
	ms_subbed(&m[1], 3, "r:13", 50);
	ms_sub(&m[1], 4, "r:12"); /* not answered yet */
	FX_WAIT(&fx, 2000, fake.n == 1);
	fake.ops->on_trimmed(fake.arg, STR_LIT("r:12"), 31);
	fake.ops->on_trimmed(fake.arg, STR_LIT("r:12"), 20);
	fake.ops->on_trimmed(fake.arg, STR_LIT("r:14"), 20);
	FX_WAIT(&fx, 2000, m[0].n[F_SUBBED] == 3);
	assert_int_equal(m[0].subbed.ch, 1);
	assert_int_equal(m[0].subbed.head, 50);
	assert_int_equal(m[0].subbed.first, 31);
	assert_false(m[0].subbed.reset);
	assert_true(str_eqc(m[0].subbed.ep, "0123abcd"));
	fx_spin(&fx);
	assert_int_equal(m[0].n[F_SUBBED], 3);
	assert_int_equal(m[1].n[F_SUBBED], 1);
	fake_commit(200, 50, 0, 0, false);
	FX_WAIT(&fx, 2000, m[1].n[F_SUBBED] == 2);
}

static void
test_marks_and_ephemerals(void **state)
{
	struct f_set set = {.chan = STR_LIT("u:amy"),
	    .rec = {.key = STR_LIT("k:12"), .val = STR_LIT("7")}};
	struct f_eph eph = {.chan = STR_LIT("r:12"),
	    .kind = 1,
	    .uid = STR_LIT("amy"),
	    .body = STR_LIT("typing")};

	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	ms_subbed(&m[0], 1, "u:amy", 0);
	ms_subbed(&m[0], 2, "r:12", 0);
	ms_subbed(&m[1], 3, "r:12", 0);
	put_set(linkconn_out(&m[1].lc), &set);
	FX_WAIT(&fx, 2000, fake.n == 1);
	fake_commit(200, 0, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_STATE] == 1);
	assert_int_equal(m[0].state.ch, 1);
	assert_string_equal(m[0].text, "k:12");
	put_eph(linkconn_out(&m[0].lc), &eph);
	FX_WAIT(&fx, 2000, m[0].n[F_EPH] == 1 && m[1].n[F_EPH] == 1);
	assert_int_equal(m[1].eph.ch, 3);
	assert_string_equal(m[1].text, "typing");
	assert_int_equal(fake.n, 0);
	/* more people than are told of it; 0: nobody is, anywhere */
	for (unsigned i = 0; i < 2; i++) {
		struct f_pres f = {.op = PRES_SET,
		    .cn = 1ULL << 32 | (i + 1),
		    .uid = i ? STR_LIT("amy") : STR_LIT("bob"),
		    .name = STR_LIT("x"),
		    .level = 2,
		    .n_add = 1,
		    .add = {STR_LIT("12")}};

		put_pres(linkconn_out(&m[0].lc), &f);
	}
	FX_WAIT(&fx, 2000,
	    presence_count(px[0].presence, eph.chan) == 0 &&
		presence_count(px[0].presence, STR_LIT("12")) == 2);
	px[0].set.typing_max = 1;
	put_eph(linkconn_out(&m[0].lc), &eph);
	FX_WAIT(&fx, 2000, px[0].stats[P_TYPING_DROPPED] == 1);
	eph.kind = 2; /* is no typing */
	put_eph(linkconn_out(&m[0].lc), &eph);
	FX_WAIT(&fx, 2000, m[1].n[F_EPH] == 2);
	eph.kind = 1;
	px[0].set.typing_max = 2;
	put_eph(linkconn_out(&m[0].lc), &eph);
	FX_WAIT(&fx, 2000, m[1].n[F_EPH] == 3);
	px[0].set.typing_max = 0;
	put_eph(linkconn_out(&m[0].lc), &eph);
	eph.chan = STR_LIT("u:amy");
	put_eph(linkconn_out(&m[1].lc), &eph);
	FX_WAIT(&fx, 2000, px[0].stats[P_TYPING_DROPPED] == 3);
	px[0].set.typing_max = 1;
	put_eph(linkconn_out(&m[1].lc), &eph); /* of a pair: no crowd */
	FX_WAIT(&fx, 2000, m[0].n[F_EPH] == 4);
	assert_int_equal(m[1].n[F_EPH], 3);
	eph.chan = STR_LIT("r:99"); /* nobody there */
	put_eph(linkconn_out(&m[0].lc), &eph);
	fx_spin(&fx);
	assert_int_equal(m[0].downs, 0);
}

/* a mark that has risen: to his own devices and to whom it is told; one that
 * has not: to nobody */
static void
test_raise(void **state)
{
	struct f_raise raise = {.chan = STR_LIT("u:amy"),
	    .key = STR_LIT("k:@bob"),
	    .n = 31,
	    .ep = STR_LIT("0123abcd"),
	    .tell = STR_LIT("u:bob"),
	    .body = STR_LIT("@amy 31 0")};

	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	ms_subbed(&m[0], 1, "u:amy", 0);
	ms_subbed(&m[1], 3, "u:bob", 0);
	put_raise(linkconn_out(&m[1].lc), &raise);
	FX_WAIT(&fx, 2000, fake.n == 1);
	assert_int_equal(m[0].n[F_STATE] + m[1].n[F_EPH], 0);
	fake_commit(200, 0, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_STATE] == 1 && m[1].n[F_EPH] == 1);
	assert_int_equal(m[0].state.ch, 1);
	assert_string_equal(m[0].text, "k:@bob");
	assert_int_equal(m[1].eph.ch, 3);
	assert_int_equal(m[1].eph.kind, 2);
	assert_string_equal(m[1].text, "@amy 31 0");
	/* late, and refused */
	put_raise(linkconn_out(&m[0].lc), &raise);
	put_raise(linkconn_out(&m[0].lc), &raise);
	FX_WAIT(&fx, 2000, fake.n == 2);
	fake_commit(200, 0, 0, 0, true);
	fake_commit(503, 0, 0, 0, false);
	fx_spin(&fx);
	assert_int_equal(m[0].n[F_STATE], 1);
	assert_int_equal(m[1].n[F_EPH], 1);
	/* the position of the absent: nobody is told */
	raise.chan = STR_LIT("u:eve");
	raise.tell = raise.body = STR_NONE;
	put_raise(linkconn_out(&m[0].lc), &raise);
	FX_WAIT(&fx, 2000, fake.n == 1);
	fake_commit(200, 0, 0, 0, false);
	fx_spin(&fx);
	assert_int_equal(m[0].n[F_STATE], 1);
	assert_int_equal(m[0].downs + m[1].downs, 0);
}

static void
test_get_and_inbox(void **state)
{
	struct f_get get = {
	    .rid = 5, .chan = STR_LIT("u:amy"), .key = STR_LIT("d")};
	struct f_inbox inbox = {.rid = 6,
	    .chan = STR_LIT("u:amy"),
	    .n = 50,
	    .at = {.part = INBOX_ROOMS}};
	struct f_states states = {
	    .rid = 7, .chan = STR_LIT("r:12"), .prefix = STR_LIT("m:"), .n = 1};

	(void)state;
	ms_open(&m[0], "ms1", 1);
	put_get(linkconn_out(&m[0].lc), &get);
	FX_WAIT(&fx, 2000, fake.n == 1);
	fake_commit(200, 31, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_GOT] == 1);
	assert_int_equal(m[0].got_state.rid, 5);
	assert_int_equal(m[0].got_state.code, 200);
	assert_int_equal(m[0].got_state.head, 31);
	assert_false(str_is_set(m[0].got_state.val));
	put_inbox(linkconn_out(&m[0].lc), &inbox);
	put_states(linkconn_out(&m[0].lc), &states);
	FX_WAIT(&fx, 2000, fake.inboxes == 1 && fake.states == 1);
	/* not now: said at once, so that another is asked */
	fake.busy = true;
	put_get(linkconn_out(&m[0].lc), &get);
	put_inbox(linkconn_out(&m[0].lc), &inbox);
	put_states(linkconn_out(&m[0].lc), &states);
	FX_WAIT(&fx, 2000,
	    m[0].n[F_GOT] == 2 && m[0].n[F_INBOXED] == 1 &&
		m[0].n[F_STATED] == 1);
	assert_int_equal(m[0].stated.rid, 7);
	assert_int_equal(m[0].stated.code, 503);
	assert_int_equal(m[0].got_state.code, 503);
	assert_int_equal(m[0].inboxed.rid, 6);
	assert_int_equal(m[0].inboxed.code, 503);
	fake.busy = false;
	/* an answer for a link that has gone */
	put_get(linkconn_out(&m[0].lc), &get);
	FX_WAIT(&fx, 2000, fake.n == 1);
	ms_close(&m[0]);
	fake_commit(200, 31, 0, 0, false);
}

static void
ms_pres(struct ms *s, uint64_t cn, const char *uid, const char *rid)
{
	struct f_pres f = {.op = PRES_SET,
	    .cn = cn,
	    .uid = str_of(uid),
	    .name = str_of(uid),
	    .n_add = 1,
	    .add = {str_of(rid)}};

	put_pres(linkconn_out(&s->lc), &f);
}

static void
test_people(void **state)
{
	struct f_who who = {
	    .rid = 4, .what = WHO_ROOM_INFO, .arg = STR_LIT("12")};
	struct f_kick kick = {
	    .cn = 2ULL << 32 | 9, .code = 4005, .text = STR_LIT("out")};

	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	for (int i = 0; i < 2; i++) {
		put_empty(linkconn_out(&m[i].lc), F_PRES_BEGIN);
		put_empty(linkconn_out(&m[i].lc), F_PRES_END);
		ms_subbed(&m[i], (uint32_t)(i + 1), "r:12", 5);
	}
	ms_pres(&m[0], 1ULL << 32 | 1, "amy", "12");
	/* the quiet second after the promotion is part of it */
	FX_WAIT(&fx, 4000, m[0].n[F_ROOM] == 1 && m[1].n[F_ROOM] == 1);
	assert_int_equal(m[1].room.ch, 2);
	assert_int_equal(m[1].room.count, 1);
	assert_string_equal(m[1].text, "amy");
	ms_pres(&m[1], 2ULL << 32 | 9, "bob", "12");
	FX_WAIT(&fx, 2000, m[0].n[F_ROOM] == 2);
	assert_string_equal(m[0].text, "bob");

	put_who(linkconn_out(&m[0].lc), &who);
	FX_WAIT(&fx, 2000, m[0].n[F_WHOIS] == 1);
	assert_string_equal(m[0].text,
	    "{\"rid\":\"12\",\"users\":2,\"members\":{\"ms1\":1,\"ms2\":1},"
	    "\"owner\":\"proxy1\",\"gen\":3,\"ep\":\"0123abcd\",\"seq\":5}");

	/* to the node of the session; by uid to where he is */
	put_kick(linkconn_out(&m[0].lc), &kick);
	FX_WAIT(&fx, 2000, m[1].n[F_KICK] == 1);
	assert_int_equal(m[1].kick.code, 4005);
	kick.cn = 0;
	kick.uid = STR_LIT("amy");
	put_kick(linkconn_out(&m[1].lc), &kick);
	FX_WAIT(&fx, 2000, m[0].n[F_KICK] == 1);
	assert_int_equal(m[1].n[F_KICK], 1);

	/* a dead server's people are gone after the grace (here none) */
	linkconn_close(&m[1].lc, 0, "over", 0);
	FX_WAIT(&fx, 2000, m[0].n[F_ROOM] == 3);
	assert_int_equal(m[0].room.n_out, 1);
	assert_int_equal(m[0].room.count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_fan_out),
	    TEST(test_private),
	    TEST(test_sub_in_order),
	    TEST(test_sub_answers),
	    TEST(test_sub_retried),
	    TEST(test_follow_limits),
	    TEST(test_sub_storm),
	    TEST(test_behind),
	    TEST(test_trimmed),
	    TEST(test_marks_and_ephemerals),
	    TEST(test_raise),
	    TEST(test_get_and_inbox),
	    TEST(test_people),
	};

	if (!pfix_main())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
