/* SPDX-License-Identifier: MIT */
/*
 * What the log promises of an append: one dense order per channel, the same
 * answer to a repeat, private messages with pointers, rights judged where the
 * order is made, touches true at their place, bounds.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/base/map.h"
#include "shared/proc/clock.h"
#include "tests/unit/proxy_server/log_fixture.h"

static int
teardown(void **state)
{
	fix_close(*state);
	clock_test_set(0, 0);
	fix_fini(*state);
	free(*state);
	return 0;
}

static void
reopen(struct fix *f)
{
	fix_close(f);
	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
}

static void
test_first(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "c1", "hello");
	int64_t before = clock_wall_ms();
	struct fix_result *r = fix_do(f, &a);

	assert_int_equal(f->gen, 1);
	assert_int_equal(strlen(f->ep), EP_LEN);
	assert_int_equal(r->code, 200);
	assert_false(r->dup);
	assert_int_equal(r->seq, 1);
	assert_int_equal(r->req, f->req);
	assert_int_equal(r->peer, f->peer);
	assert_in_range(r->ts, before, clock_wall_ms());
}

/* many channels at once: every one counts 1, 2, 3 in the order of sending */
static void
test_dense_order(void **state)
{
	enum { CHANS = 50, EACH = 60 };
	struct fix *f = *state;
	uint64_t head[CHANS] = {0};
	int64_t ts[CHANS] = {0};
	char chan[CHANS][16], cid[24];
	struct log_figures fig;

	for (int i = 0; i < CHANS; i++)
		snprintf(chan[i], sizeof chan[i], "r:%d", i);
	for (int n = 0; n < EACH; n++)
		for (int i = 0; i < CHANS; i++) {
			struct f_append a;

			snprintf(cid, sizeof cid, "%d", n);
			a = fix_append(chan[i], "1001", cid, cid);
			assert_int_equal(fix_send(f, &a), 0);
		}
	fix_wait_results(f, CHANS * EACH);
	for (unsigned k = 0; k < f->n_res; k++) {
		struct fix_result *r = &f->res[k];
		int i = atoi(r->chan.s + 2);

		assert_int_equal(r->req, k + 1);
		assert_int_equal(r->code, 200);
		assert_int_equal(r->seq, ++head[i]);
		assert_true(r->ts >= ts[i]);
		ts[i] = r->ts;
	}
	log_figures(f->log, &fig);
	assert_int_equal(fig.items, CHANS * EACH);
	assert_true(fig.commits < CHANS * EACH);
	assert_int_equal(fig.commits, fig.commit_us.n);
	assert_int_equal(fig.batch.n, fig.commits);
	assert_int_equal(fig.batch.sum_us, CHANS * EACH);
	assert_int_equal(fig.ack_us.n, CHANS * EACH);
	/* nobody has his ack before a commit has begun and ended */
	assert_true(fig.ack_us.sum_us >= fig.commit_us.sum_us);
	assert_int_equal(fig.queue_ops, 0);
	assert_int_equal(fig.queue_bytes, 0);
	/* a commit ends with a batch end, and takes no more than 1000 */
	assert_true(f->batch >= CHANS * EACH / 1000);
	assert_true(f->batch <= CHANS * EACH);
}

static void
test_repeat(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "c1", "hello");
	struct f_append b = fix_append("r:1", "1002", "c1", "other uid");
	struct f_append c = fix_append("r:2", "1001", "c1", "other room");
	struct f_append d = fix_append("r:1", "1001", NULL, "no cid");
	struct fix_result *r = fix_do(f, &a);
	int64_t ts = r->ts;
	struct log_figures fig;

	r = fix_do(f, &a);
	assert_int_equal(r->code, 200);
	assert_true(r->dup);
	assert_int_equal(r->seq, 1);
	assert_int_equal(r->ts, ts);
	assert_int_equal(r->req, 2);
	r = fix_do(f, &b);
	assert_false(r->dup);
	assert_int_equal(r->seq, 2);
	r = fix_do(f, &c);
	assert_false(r->dup);
	assert_int_equal(r->seq, 1);
	/* without a cid every append is a new one */
	assert_int_equal(fix_do(f, &d)->seq, 3);
	assert_int_equal(fix_do(f, &d)->seq, 4);
	log_figures(f->log, &fig);
	assert_int_equal(fig.dups, 1);
	/* the window is read back from the file */
	reopen(f);
	assert_int_equal(f->gen, 2);
	r = fix_do(f, &a);
	assert_true(r->dup);
	assert_int_equal(r->seq, 1);
	assert_int_equal(r->ts, ts);
	assert_int_equal(fix_do_touch(f, "r:1", false)->head, 4);
}

/* the same pair twice before the first one is committed */
static void
test_repeat_in_batch(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "x", "hello");

	for (int i = 0; i < 300; i++)
		assert_int_equal(fix_send(f, &a), 0);
	fix_wait_results(f, 300);
	for (unsigned i = 0; i < 300; i++) {
		assert_int_equal(f->res[i].seq, 1);
		assert_int_equal(f->res[i].dup, i > 0);
	}
	assert_int_equal(fix_do_touch(f, "r:1", false)->head, 1);
}

static void
test_repeat_after_window(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "x", "hello");
	int64_t now = 1800000000000;

	/* both clocks go on */
	fix_close(f);
	clock_test_set(now, now);
	fix_open(f);
	assert_int_equal(fix_do(f, &a)->seq, 1);
	fix_close(f);
	clock_test_set(now + 10 * 60 * 1000, now + 10 * 60 * 1000);
	fix_open(f);
	assert_true(fix_do(f, &a)->dup);
	fix_close(f);
	clock_test_set(now + 10 * 60 * 1000 + 1, now + 10 * 60 * 1000 + 1);
	fix_open(f);
	assert_false(fix_do(f, &a)->dup);
	assert_int_equal(fix_last(f)->seq, 2);
}

/* the wall clock jumps ahead by a day under a repeat, and a server falls */
static void
test_clock_ahead(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "x", "1");
	struct f_append b = fix_append("r:1", "1001", "y", "2");
	int64_t now = clock_wall_ms();

	assert_int_equal(fix_do(f, &a)->seq, 1);
	clock_test_set(now + 86400000, 0);
	assert_int_equal(fix_do(f, &b)->seq, 2);
	assert_true(fix_do(f, &a)->dup);
	fix_close(f);
	fix_open(f);
	assert_true(fix_do(f, &a)->dup);
	assert_true(fix_do(f, &b)->dup);
}

/* the wall clock jumps back by a day: ts does not */
static void
test_clock_back(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "x", "1");
	struct f_append b = fix_append("r:1", "1001", "y", "2");
	int64_t now = 1800000000000;

	fix_close(f);
	clock_test_set(now, 0);
	fix_open(f);
	assert_int_equal(fix_do(f, &a)->ts, now);
	fix_close(f);
	clock_test_set(now - 86400000, 0);
	fix_open(f);
	assert_int_equal(fix_do(f, &b)->ts, now);
	assert_int_equal(fix_last(f)->seq, 2);
	assert_true(fix_do(f, &a)->dup);
}

static void
test_private(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("p:1001:1002", "1001", "c1", "psst");
	struct f_append b = fix_append("p:1001:1003", "1001", "c1", "psst");
	struct f_append other = fix_append("r:1", "1001", "c9", "x");
	struct fix_result *r;

	a.n_to = b.n_to = 2;
	a.to[0] = b.to[0] = STR_LIT("u:1001");
	a.to[1] = STR_LIT("u:1002");
	b.to[1] = STR_LIT("u:1003");
	for (unsigned i = 1; i <= 3; i++) {
		char cid[8];

		snprintf(cid, sizeof cid, "c%u", i);
		a.item.cid = b.item.cid = str_of(cid);
		r = fix_do(f, &a);
		assert_int_equal(r->seq, i);
		assert_int_equal(r->useq[0], 2 * i - 1);
		assert_int_equal(r->useq[1], i);
		r = fix_do(f, &b);
		assert_int_equal(r->seq, i);
		assert_int_equal(r->useq[0], 2 * i);
		assert_int_equal(r->useq[1], i);
	}
	assert_int_equal(fix_do_touch(f, "u:1001", false)->head, 6);
	assert_int_equal(fix_do_touch(f, "u:1002", false)->head, 3);
	/* a repeat knows its numbers again, also from the file */
	reopen(f);
	a.item.cid = STR_LIT("c2");
	r = fix_do(f, &a);
	assert_true(r->dup);
	assert_int_equal(r->seq, 2);
	assert_int_equal(r->useq[0], 3);
	assert_int_equal(r->useq[1], 2);
	assert_int_equal(fix_do_touch(f, "u:1001", false)->head, 6);
	/* pointers lead to private conversations only */
	other.n_to = 1;
	other.to[0] = STR_LIT("u:1001");
	assert_int_equal(fix_do(f, &other)->code, 400);
}

static void
test_need_deny(void **state)
{
	struct fix *f = *state;
	struct f_append join = fix_append("r:ga", "1001", "j", NULL);
	struct f_append say = fix_append("r:ga", "1001", "s", "hi");
	struct f_append mute = fix_append("r:ga", "9", "m", NULL);
	struct f_append ask = fix_append("r:ga", "1001", "q", "me?");

	say.need = STR_LIT("m:1001");
	say.deny = STR_LIT("u:1001");
	ask.need = STR_LIT("m:1001");
	ask.deny = STR_LIT("u:1001");
	assert_int_equal(fix_do(f, &say)->code, 403);
	assert_int_equal(fix_last(f)->retry_ms, 0);
	join.item.kind = ITEM_MEMBER;
	join.states[0] =
	    (struct state_rec){.key = STR_LIT("m:1001"), .val = STR_LIT("1")};
	join.n_states = 1;
	/* judged in the order of sending, within one commit too */
	assert_int_equal(fix_send(f, &join), 0);
	assert_int_equal(fix_send(f, &say), 0);
	mute.item.kind = ITEM_MOD;
	mute.states[0] =
	    (struct state_rec){.key = STR_LIT("u:1001"), .val = STR_LIT("1")};
	mute.n_states = 1;
	assert_int_equal(fix_send(f, &mute), 0);
	assert_int_equal(fix_send(f, &ask), 0);
	fix_wait_results(f, 5);
	assert_int_equal(f->res[1].seq, 1);
	assert_int_equal(f->res[2].code, 200);
	assert_int_equal(f->res[2].seq, 2);
	assert_int_equal(f->res[3].seq, 3);
	assert_int_equal(f->res[4].code, 403);
	/* what was stored once is answered so, muted or not */
	assert_int_equal(fix_do(f, &say)->code, 200);
	assert_true(fix_last(f)->dup);
	/* the mute runs out; a deleted key is no key */
	mute.item.cid = STR_LIT("m2");
	mute.states[0].exp = clock_wall_ms() - 1;
	assert_int_equal(fix_do(f, &mute)->code, 200);
	assert_int_equal(fix_do(f, &ask)->code, 200);
	join.item.cid = STR_LIT("j2");
	join.states[0].val = STR_NONE;
	assert_int_equal(fix_do(f, &join)->code, 200);
	ask.item.cid = STR_LIT("q2");
	assert_int_equal(fix_do(f, &ask)->code, 403);
	assert_int_equal(fix_do_touch(f, "r:ga", false)->head, 6);
}

static void
test_if_rev(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "t1", "title");

	a.item.kind = ITEM_TITLE;
	a.states[0] =
	    (struct state_rec){.key = STR_LIT("t"), .val = STR_LIT("one")};
	a.n_states = 1;
	a.if_key = STR_LIT("t");
	a.if_rev = 0; /* must not exist */
	assert_int_equal(fix_do(f, &a)->seq, 1);
	a.item.cid = STR_LIT("t2");
	assert_int_equal(fix_do(f, &a)->code, 409);
	a.if_rev = 1;
	assert_int_equal(fix_do(f, &a)->code, 200);
	assert_int_equal(fix_last(f)->seq, 2);
	a.item.cid = STR_LIT("t3");
	assert_int_equal(fix_do(f, &a)->code, 409);
	a.if_rev = 2;
	assert_int_equal(fix_do(f, &a)->seq, 3);
}

/* between two records it says what is true there */
static void
test_touch_in_order(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", NULL, "x");

	for (int i = 0; i < 200; i++) {
		a.states[0] = (struct state_rec){.key = STR_LIT("t")};
		a.states[0].val = str_of(i % 2 ? "odd" : "even");
		a.n_states = 1;
		assert_int_equal(fix_send(f, &a), 0);
		fix_touch(f, "r:1", SUB_HEAD, NULL, true);
	}
	fix_wait_results(f, 400);
	for (unsigned i = 0; i < 200; i++) {
		struct fix_result *t = &f->res[2 * i + 1];

		assert_int_equal(f->res[2 * i].seq, i + 1);
		assert_int_equal(t->kind, LOG_TOUCH);
		assert_int_equal(t->head, i + 1);
		assert_int_equal(t->first, 1);
		assert_int_equal(t->n_states, 1);
		assert_string_equal(t->val, i % 2 ? "odd" : "even");
	}
}

/* a look at what memory does not know, before, between and behind writes */
static void
test_touch_unknown(void **state)
{
	struct fix *f = *state;
	char t[16], to[16];

	for (int i = 0; i < 300; i++) {
		struct f_append a;

		snprintf(t, sizeof t, "r:t%d", i);
		snprintf(to, sizeof to, "r:a%d", i / 2);
		a = fix_append(to, "1001", NULL, "x");
		fix_touch(f, t, SUB_HEAD, NULL, false);
		if (i >= 100 && i < 200)
			assert_int_equal(fix_send(f, &a), 0);
		fix_touch(f, to, SUB_HEAD, NULL, false);
	}
	fix_wait_results(f, 700);
	for (unsigned i = 0, at = 0; i < 300; i++) {
		unsigned seq = i >= 100 && i < 200 ? i % 2 + 1 : 0;

		assert_int_equal(f->res[at].code, 200);
		assert_int_equal(f->res[at++].head, 0);
		if (seq > 0)
			assert_int_equal(f->res[at++].seq, seq);
		assert_int_equal(f->res[at++].head, seq);
	}
}

static void
test_touch_states(void **state)
{
	struct fix *f = *state;
	struct fix_result *r = fix_do_touch(f, "r:none", true);

	assert_int_equal(r->code, 200);
	assert_int_equal(r->head, 0);
	assert_int_equal(r->first, 1);
	assert_int_equal(r->n_states, 0);
	/* of all there are a title alone */
	assert_int_equal(fix_set(f, "r:1", "m:1001", "1"), 0);
	assert_int_equal(fix_set(f, "r:1", "zz", "1"), 0);
	assert_int_equal(fix_do_touch(f, "r:1", true)->n_states, 0);
	assert_int_equal(fix_set(f, "r:1", "t", "Tea"), 0);
	r = fix_do_touch(f, "r:1", true);
	assert_int_equal(r->n_states, 1);
	assert_string_equal(r->key, "t");
	assert_string_equal(r->val, "Tea");
	reopen(f);
	r = fix_do_touch(f, "r:1", true);
	assert_int_equal(r->n_states, 1);
	assert_int_equal(r->head, 0);
	r = fix_do_touch(f, "r:1", false);
	assert_int_equal(r->n_states, 0);
	assert_int_equal(fix_set(f, "r:1", "t", NULL), 0);
	assert_int_equal(fix_do_touch(f, "r:1", true)->n_states, 0);
}

static void
test_bad_body(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "c", "hello");

	a.item.crc ^= 1;
	assert_int_equal(fix_do(f, &a)->code, 400);
	a.item.crc ^= 1;
	assert_int_equal(fix_do(f, &a)->seq, 1);
}

static void
test_bad_frame(void **state)
{
	struct log_op *op = NULL;

	(void)state;
	assert_int_not_equal(
	    log_op_new(LOG_APPEND, 1, STR_LIT("rubbish"), &op), 0);
	assert_null(op);
	assert_int_not_equal(log_op_new(LOG_TOUCH, 1, STR_NONE, &op), 0);
	assert_int_not_equal(log_op_new(LOG_SET, 1, STR_LIT(""), &op), 0);
}

/*
 * What was taken is committed and answered, beyond the bound nothing is
 * taken. A foreign lock holds the writer up meanwhile.
 */
static void
test_queue_bound(void **state)
{
	enum { MANY = 70000 };
	struct fix *f = *state;
	static char text[4096];
	struct f_append a;
	unsigned taken = 0;
	char path[128];
	sqlite3 *other;
	struct log_figures fig;
	int err = 0;

	memset(text, 'x', sizeof text - 1);
	a = fix_append("r:1", "1001", NULL, text);
	fix_path(f, "messages.db", path);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	while (taken < MANY && (err = fix_send(f, &a)) == 0)
		taken++;
	assert_int_equal(err, ERR_BUSY);
	log_figures(f->log, &fig);
	assert_int_equal(fig.queue_ops, taken);
	assert_in_range(
	    fig.queue_bytes, 64 * 1024 * 1024 - 8192, 64 * 1024 * 1024);
	assert_int_equal(
	    sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	fix_wait_results(f, taken);
	assert_int_equal(f->res[taken - 1].seq, taken);
	assert_int_equal(fix_do(f, &a)->seq, taken + 1);
}

static void
test_close_commits(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", NULL, "bye");

	for (int i = 0; i < 2500; i++)
		assert_int_equal(fix_send(f, &a), 0);
	fix_close(f);
	/* no turn of the loop was needed */
	assert_int_equal(f->n_res, 2500);
	for (unsigned i = 0; i < 2500; i++) {
		assert_int_equal(f->res[i].code, 200);
		assert_int_equal(f->res[i].seq, i + 1);
	}
	assert_true(f->batch >= 3);
	fix_open(f);
	assert_int_equal(fix_do_touch(f, "r:1", false)->head, 2500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, fix_setup_open, teardown)
	    T(test_first),
	    T(test_dense_order),
	    T(test_repeat),
	    T(test_repeat_in_batch),
	    T(test_repeat_after_window),
	    T(test_clock_back),
	    T(test_clock_ahead),
	    T(test_private),
	    T(test_need_deny),
	    T(test_if_rev),
	    T(test_touch_in_order),
	    T(test_touch_unknown),
	    T(test_touch_states),
	    T(test_bad_body),
	    T(test_bad_frame),
	    T(test_queue_bound),
	    T(test_close_commits),
#undef T
	};

	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
