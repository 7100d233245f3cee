/* SPDX-License-Identifier: MIT */
/*
 * Cursors (msg_server/replay.h) while a page is on its way: one that was read
 * before a recall and comes after it is given to nobody who could know better;
 * and who joins once more is told `synced` behind it.
 */
#include "tests/unit/msg_server/follow/replay_fixture.h"

/* the next item takes the words of item `seq` */
static void
recall(struct model *m, uint64_t seq)
{
	model_recall(m, seq, m->head + 1);
	bring(m, 1);
}

/* the oldest read is answered as the log stood `n` items ago */
static void
answer_late(struct model *m, uint64_t n)
{
	m->head -= n;
	model_answer(200);
	m->head += n;
}

static void
test_page_from_before(void **state)
{
	struct model *m = model_new("r:12", 100);
	struct fake a, b;

	(void)state;
	tell_bodies = true;
	make_live(&a, m);
	fake_open(&b, 2);
	enter(&b, m, m->ep, 50, false);
	run_tasks();
	assert_int_equal(n_asks, 1);
	recall(m, 60);
	/* the judge would find the words in it */
	answer_late(m, 1);
	assert_int_equal(b.frames, 0);
	assert_int_equal(n_asks, 1);
	model_answer(200);
	assert_int_equal(b.frames, 51);
	bring(m, 1);
	assert_int_equal(b.at[0].next, 103);
	fake_close(&a);
	fake_close(&b);
}

/* who comes after the recall has no part in a page from before it */
static void
test_page_not_shared(void **state)
{
	struct model *m = model_new("r:12", 100);
	struct fake a, b, c, d;

	(void)state;
	tell_bodies = true;
	make_live(&a, m);
	fake_open(&b, 2);
	enter(&b, m, m->ep, 50, false);
	run_tasks();
	recall(m, 60);
	fake_open(&c, 2);
	enter(&c, m, m->ep, 50, false);
	run_tasks();
	assert_int_equal(n_asks, 2);
	/* the newer page is his too who comes then */
	fake_open(&d, 2);
	enter(&d, m, m->ep, 55, false);
	run_tasks();
	assert_int_equal(n_asks, 2);
	answer_late(m, 1);
	model_answer(200);
	assert_int_equal(b.frames, 0);
	assert_int_equal(c.frames, 51);
	assert_int_equal(d.frames, 46);
	model_answer(200);
	assert_int_equal(b.frames, 51);
	assert_null(asks);
	fake_close(&a);
	fake_close(&b);
	fake_close(&c);
	fake_close(&d);
}

/* nobody is kept waiting by recalls without end */
static void
test_recall_after_recall(void **state)
{
	struct model *m = model_new("r:12", 100);
	unsigned reads = 0;
	struct fake a, b;

	(void)state;
	make_live(&a, m);
	fake_open(&b, 2);
	enter(&b, m, m->ep, 50, false);
	run_tasks();
	while (b.frames == 0 && reads < 50) {
		recall(m, 60 + reads);
		model_answer(10);
		reads++;
	}
	assert_int_equal(reads, 3);
	assert_int_equal(b.frames, 10);
	while (asks)
		model_answer(200);
	assert_int_equal(b.at[0].next, m->head + 1);
	fake_close(&a);
	fake_close(&b);
}

/* the answer that fails is no reason to read again at once */
static void
test_no_log(void **state)
{
	struct model *m = model_new("r:12", 100);
	struct fake a, b;

	(void)state;
	make_live(&a, m);
	fake_open(&b, 2);
	enter(&b, m, m->ep, 50, false);
	run_tasks();
	recall(m, 60);
	refuse_reads = 1;
	model_answer(200);
	refuse_reads = 0;
	assert_int_equal(b.frames, 51);
	assert_null(asks);
	fake_close(&a);
	fake_close(&b);
}

/* and what it brought all the same is kept for nobody who comes later */
static void
test_no_log_kept(void **state)
{
	struct model *m = model_new("r:12", 100);
	struct fake a, b, c;

	(void)state;
	make_live(&a, m);
	fake_open(&b, 2);
	enter(&b, m, m->ep, 50, false);
	run_tasks();
	recall(m, 60);
	refuse_reads = 1;
	answer_late(m, 1);
	refuse_reads = 0;
	tell_bodies = true;
	fake_open(&c, 2);
	enter(&c, m, m->ep, 50, false);
	run_tasks();
	while (asks) {
		model_answer(200);
		run_tasks();
	}
	assert_int_equal(b.at[0].next, 102);
	assert_int_equal(c.at[0].next, 102);
	fake_close(&a);
	fake_close(&b);
	fake_close(&c);
}

static int
setup_kept(void **state)
{
	int err;

	recent_max = 1 << 20;
	err = setup(state);
	recent_max = 0;
	return err;
}

/* `synced` is not said before what the first join has still to bring */
static void
test_joined_twice_behind(void **state)
{
	struct model *m = model_new("r:12", 100);
	struct join *j, *k[9];
	struct fake a, b;

	(void)state;
	make_live(&a, m);
	fake_open(&b, 2);
	j = enter(&b, m, m->ep, 50, true);
	run_tasks();
	for (unsigned i = 0; i < 9; i++)
		k[i] = fake_join(&b, m, NULL, 0, true, NULL);
	run_tasks();
	assert_int_equal(k[0]->res.from, 51);
	assert_int_equal(j->synced + k[0]->synced + k[6]->synced, 0);
	assert_int_equal(k[6]->res.code, 200);
	assert_int_equal(k[7]->res.code, 503); /* eight wait */
	model_answer(200);
	assert_int_equal(b.at[0].next, 101);
	assert_int_equal(j->synced + k[0]->synced + k[6]->synced, 3);
	free(j);
	for (unsigned i = 0; i < 9; i++)
		free(k[i]);
	/* who leaves meanwhile has lost them all */
	room_leave(&srv, &b.s, STR_LIT("12"));
	enter(&b, m, m->ep, 50, false);
	run_tasks();
	j = fake_join(&b, m, NULL, 0, true, NULL);
	run_tasks();
	assert_int_equal(j->joined, 1);
	fake_close(&b);
	assert_int_equal(j->lost, 1);
	free(j);
	model_answer(200);
	fake_close(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, core_teardown)
	    T(test_page_from_before), T(test_page_not_shared),
	    T(test_recall_after_recall), T(test_no_log),
	    cmocka_unit_test_setup_teardown(
		test_no_log_kept, setup_kept, core_teardown),
	    T(test_joined_twice_behind)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
