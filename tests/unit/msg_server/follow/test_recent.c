/* SPDX-License-Identifier: MIT */
/*
 * Recent items (msg_server/follow/recent.h): what is kept and what goes, the
 * pages that come of it, and what must never come of it: another history, what
 * retention has taken, what was recalled.
 */
#include "tests/unit/msg_server/follow/replay_fixture.h"

static int
setup_recent(void **state)
{
	recent_max = 1 << 20;
	setup(state);
	recent_max = 0;
	return 0;
}

static struct channel *
live(struct fake *f, struct model *m)
{
	make_live(f, m);
	run_tasks();
	return model_channel(m);
}

static void
bring_kind(struct model *m, uint8_t kind, uint64_t ref, const char *body)
{
	struct item it;

	m->sent = ++m->head;
	model_item(m, m->head, &it);
	it.kind = kind;
	it.ref = ref;
	if (body)
		it.body = str_of(body);
	channel_on_item(model_channel(m), &it, m->head, NULL, 0);
}

/* numbers of a page's items, as "5 6 7 more" */
static const char *
page(struct channel *c, uint64_t from, unsigned n, bool back)
{
	static char text[512];
	struct f_read q = {.from = from, .n = (uint16_t)n, .back = back};
	struct f_page p;
	struct buf items;
	struct item it;
	size_t len = 0;

	buf_init(&items, 1 << 20);
	snprintf(text, sizeof text, "none");
	if (recent_page(srv.recent, c, &q, &p, &items)) {
		struct str rest = buf_str(&items);

		assert_string_equal(p.ep.p, channel_ep(c));
		assert_int_equal(p.code, 200);
		text[0] = '\0';
		for (unsigned i = 0; i < p.n_items; i++) {
			assert_int_equal(frames_page_next(&rest, &it), OK);
			len += (size_t)snprintf(text + len, sizeof text - len,
			    "%llu ", (unsigned long long)it.seq);
		}
		assert_int_equal(rest.len, 0);
		snprintf(text + len, sizeof text - len, "%llu-%llu%s",
		    (unsigned long long)p.first, (unsigned long long)p.head,
		    p.more ? " more" : "");
	}
	buf_fini(&items);
	return text;
}

static bool
has(struct channel *c, uint64_t seq)
{
	return recent_at(srv.recent, c, seq) != NULL;
}

/* --- pages ---------------------------------------------------------------- */

static void
test_pages(void **state)
{
	struct model *m = model_new("r:12", 10);
	struct fake a;
	struct channel *c = live(&a, m);

	(void)state;
	assert_string_equal(page(c, 0, 3, true), "none");
	bring(m, 5);
	assert_string_equal(page(c, 0, 3, true), "15 14 13 1-15 more");
	assert_string_equal(page(c, 14, 4, true), "14 13 12 11 1-15 more");
	assert_string_equal(page(c, 99, 1, true), "15 1-15 more");
	/* 10 is in the log alone */
	assert_string_equal(page(c, 0, 6, true), "none");
	assert_string_equal(page(c, 13, 9, false), "13 14 15 1-15");
	assert_string_equal(page(c, 12, 2, false), "12 13 1-15 more");
	assert_string_equal(page(c, 10, 2, false), "none");
	/* ahead of us there may be more: the log knows */
	assert_string_equal(page(c, 16, 2, false), "none");
	fake_close(&a);
}

static void
test_page_bytes(void **state)
{
	struct model *m = model_new("r:12", 0);
	struct fake a;
	struct channel *c = live(&a, m);
	char *big = xcalloc(1, 40001);

	(void)state;
	memset(big, 'x', 40000);
	bring_kind(m, ITEM_MESSAGE, 0, big);
	bring_kind(m, ITEM_MESSAGE, 0, big);
	free(big);
	assert_string_equal(page(c, 1, 9, false), "1 1-2 more");
	assert_string_equal(page(c, 0, 9, true), "2 1-2 more");
	fake_close(&a);
}

/* he was told of seq 12 by his ok; a page without it would be a lie */
static void
test_not_while_behind(void **state)
{
	struct model *m = model_new("r:12", 10);
	struct fake a;
	struct channel *c = live(&a, m);

	(void)state;
	bring(m, 1);
	m->head = 13;
	model_send(m, 13); /* 12 was lost on the way */
	assert_true(c->repairing);
	assert_string_equal(page(c, 0, 1, true), "none");
	model_answer(9);
	assert_string_equal(page(c, 0, 1, true), "13 1-13 more");
	fake_close(&a);
}

/* --- filling -------------------------------------------------------------- */

static void
fill(struct channel *c, struct model *m, uint64_t from, uint64_t to,
    const char *ep, uint32_t erased)
{
	struct f_page p = {.code = 200, .ep = str_of(ep), .first = m->first};
	struct buf b;
	struct item it;

	buf_init(&b, 1 << 20);
	for (; from <= to; from++, p.n_items++) {
		model_item(m, from, &it);
		assert_int_equal(put_page_item(&b, &it), OK);
	}
	recent_fill(srv.recent, c, &p, buf_str(&b), erased);
	buf_fini(&b);
}

static void
test_fill_and_holes(void **state)
{
	struct model *m = model_new("r:12", 1000);
	struct fake a;
	struct channel *c = live(&a, m);

	(void)state;
	bring(m, 10);
	fill(c, m, 500, 510, m->ep, c->erased);
	assert_true(has(c, 505) && has(c, 1005) && !has(c, 700));
	assert_string_equal(page(c, 505, 20, false), "none");
	assert_string_equal(page(c, 505, 3, false), "505 506 507 1-1010 more");
	fill(c, m, 511, 1000, m->ep, c->erased);
	for (uint64_t seq = 500; seq <= 1010; seq++)
		assert_true(has(c, seq));
	/* of another history, or begun before a recall: not taken */
	fill(c, m, 400, 410, "00000000", c->erased);
	fill(c, m, 400, 410, m->ep, c->erased + 1);
	assert_false(has(c, 405));
	/* the older do not push out the newer */
	fill(c, m, 1, 3, m->ep, c->erased);
	bring(m, RECENT_SPAN - 100);
	assert_true(has(c, m->head) && !has(c, 1));
	fill(c, m, 1, 3, m->ep, c->erased);
	assert_false(has(c, 1));
	fake_close(&a);
}

/* a cursor's page reached further than the channel: no second read */
static void
test_repair_from_memory(void **state)
{
	struct model *m = model_new("r:12", 10);
	struct fake a, b;
	struct channel *c = live(&a, m);

	(void)state;
	fake_open(&b, 2);
	enter(&b, m, m->ep, 5, false);
	run_tasks();
	m->head = 13; /* 11 to 13 are in the log and lost on the link */
	model_answer(100);
	assert_int_equal(b.at[0].next, 14);
	assert_int_equal(a.at[0].next, 11);
	m->head = 14;
	model_send(m, 14);
	assert_null(asks);
	assert_int_equal(c->last, 14);
	assert_int_equal(a.at[0].next, 15);
	assert_int_equal(b.at[0].next, 15);
	fake_close(&a);
	fake_close(&b);
}

/* --- what must not come of it --------------------------------------------- */

static void
test_another_history(void **state)
{
	struct model *m = model_new("r:12", 10);
	struct fake a, b;
	struct channel *c = live(&a, m);

	(void)state;
	tell_bodies = true;
	bring(m, 10);
	assert_true(has(c, 15));
	snprintf(m->ep, sizeof m->ep, "11111111");
	model_subbed(m);
	assert_false(has(c, 15));
	bring(m, 2);
	fake_open(&b, 2);
	enter(&b, m, m->ep, 18, false);
	run_tasks();
	model_answer(9); /* 19 and on: the judge looks at the words */
	assert_int_equal(b.at[0].next, 23);
	fake_close(&a);
	fake_close(&b);
}

static void
test_retention(void **state)
{
	struct model *m = model_new("r:12", 10);
	struct fake a;
	struct channel *c = live(&a, m);

	size_t was;

	(void)state;
	bring(m, 10);
	was = recent_bytes(srv.recent);
	m->first = 15;
	model_subbed(m);
	assert_false(has(c, 14));
	assert_true(recent_bytes(srv.recent) < was); /* 11 to 14 are gone */
	assert_string_equal(page(c, 12, 2, false), "15 16 15-20 more");
	assert_string_equal(page(c, 16, 9, true), "16 15 15-20");
	assert_string_equal(page(c, 14, 9, true), "15-20");
	channel_heard_first(c, 19);
	assert_string_equal(page(c, 0, 9, true), "20 19 19-20");
	fill(c, m, 15, 18, m->ep, c->erased); /* read before it was gone */
	assert_false(has(c, 18));
	/* what came behind a hole: a recall may have been in it */
	m->first = m->head = 30;
	model_send(m, 30);
	model_answer(9);
	assert_false(has(c, 20));
	assert_true(has(c, 30));
	fake_close(&a);
}

static void
test_recall(void **state)
{
	struct model *m = model_new("r:12", 0);
	struct fake a, b;
	struct channel *c = live(&a, m);
	struct recent_item *ri;
	struct item it;
	uint32_t before = c->erased;

	(void)state;
	tell_bodies = true;
	bring(m, 3);
	/* a frame of it is made, too */
	fake_open(&b, 2);
	enter(&b, m, m->ep, 0, false);
	run_tasks();
	run_tasks();
	assert_int_equal(b.at[0].next, 4);
	fake_close(&b);
	bring_kind(m, ITEM_RECALL, 2, NULL);
	ri = recent_at(srv.recent, c, 2);
	assert_true(recent_get(ri, &it));
	assert_true(it.flags & ITEM_F_GONE);
	assert_int_equal(it.body.len, 0);
	for (unsigned key = 0; key < 64; key++)
		assert_null(recent_made(ri, key));
	assert_string_equal(page(c, 1, 4, false), "1 2 3 4 1-4");
	/* a page that began before it: not taken */
	recent_forget(srv.recent, c);
	fill(c, m, 1, 3, m->ep, before);
	assert_false(has(c, 2));
	/* a recall of itself or of what is to come means nothing */
	bring_kind(m, ITEM_RECALL, 5, NULL);
	bring_kind(m, ITEM_RECALL, 99, NULL);
	assert_true(has(c, 5));
	fake_close(&a);
}

static void
test_recall_private(void **state)
{
	struct model *m = model_new("u:1001", 0);
	struct fake a;
	struct channel *c;
	struct item it;

	(void)state;
	fake_open(&a, 2);
	enter(&a, m, NULL, 0, false);
	model_subbed(m);
	run_tasks();
	c = model_channel(m);
	bring(m, 3); /* 7, 14 and 21 of p:1:2 */
	bring_kind(m, ITEM_RECALL, 14, NULL);
	assert_true(recent_get(recent_at(srv.recent, c, 2), &it));
	assert_true(it.flags & ITEM_F_GONE);
	assert_true(recent_get(recent_at(srv.recent, c, 3), &it));
	assert_false(it.flags & ITEM_F_GONE);
	fake_close(&a);
}

static bool
gone(struct channel *c, uint64_t seq)
{
	struct item it;

	assert_true(recent_get(recent_at(srv.recent, c, seq), &it));
	assert_int_equal((it.flags & ITEM_F_GONE) != 0, it.body.len == 0);
	return it.flags & ITEM_F_GONE;
}

/* with a message its edits lose their words, those of others do not */
static void
test_recall_edits(void **state)
{
	static const char *const names[] = {"r:12", "u:1001"};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		struct model *m = model_new(names[i], 0);
		uint64_t by = i > 0 ? 7 : 1; /* of p:1:2 are 7, 14, .. */
		struct channel *c;
		struct fake a;

		fake_open(&a, 2);
		enter(&a, m, NULL, 0, false);
		model_subbed(m);
		run_tasks();
		c = model_channel(m);
		bring_kind(m, ITEM_MESSAGE, 0, "one");
		bring_kind(m, ITEM_MESSAGE, 0, "two");
		bring_kind(m, ITEM_EDIT, by, "uno");
		bring_kind(m, ITEM_EDIT, 2 * by, "dos");
		bring_kind(m, ITEM_EDIT, by, "un");
		bring_kind(m, ITEM_REACT, by, "+1");
		bring_kind(m, ITEM_RECALL, by, NULL);
		assert_true(gone(c, 1) && gone(c, 3) && gone(c, 5));
		assert_false(gone(c, 2) || gone(c, 4) || gone(c, 6));
		assert_string_equal(page(c, 1, 9, false),
		    i > 0 ? "7 14 21 28 35 42 49 1-7" : "1 2 3 4 5 6 7 1-7");
		fake_close(&a);
	}
}

/* --- memory --------------------------------------------------------------- */

static void
test_bounds(void **state)
{
	struct model *hot = model_new("r:12", 0), *m[4];
	struct fake a;
	struct channel *c = live(&a, hot), *o[4];

	(void)state;
	a.weight = 0;
	for (unsigned i = 0; i < 4; i++) {
		char name[8];

		snprintf(name, sizeof name, "r:%u", i + 1);
		m[i] = model_new(name, 0);
		fake_join(&a, m[i], NULL, 0, false, judge_joined);
		model_subbed(m[i]);
		run_tasks();
		o[i] = model_channel(m[i]);
		bring(m[i], 100);
	}
	bring(hot, 5000);
	/* one has at most an eighth, its newest */
	assert_true(has(c, 5000) && !has(c, 1));
	assert_true(recent_bytes(srv.recent) < (1 << 20) / 8 + 4 * 40000);
	for (unsigned i = 0; i < 4; i++)
		assert_true(has(o[i], 100));
	/* none is left when nobody follows (core_teardown) */
	fake_close(&a);
}

static void
test_least_recently_used(void **state)
{
	enum { N = 9 };
	struct model *m[N];
	struct channel *c[N];
	struct fake a;
	char body[4001] = "";

	(void)state;
	memset(body, 'x', sizeof body - 1);
	fake_open(&a, 2);
	a.weight = 0;
	for (unsigned i = 0; i < N; i++) {
		char name[8];

		snprintf(name, sizeof name, "r:%u", i + 1);
		m[i] = model_new(name, 0);
		fake_join(&a, m[i], NULL, 0, false, judge_joined);
		model_subbed(m[i]);
		run_tasks();
		c[i] = model_channel(m[i]);
		for (unsigned k = 0; k < 100 && i < N - 1; k++)
			bring_kind(m[i], ITEM_MESSAGE, 0, body);
	}
	assert_true(has(c[0], 100)); /* and so used: 1 is now the oldest */
	for (unsigned k = 0; k < 100; k++)
		bring_kind(m[N - 1], ITEM_MESSAGE, 0, body);
	assert_true(has(c[0], 100));
	assert_true(has(c[N - 1], 100));
	assert_null(c[1]->recent); /* gone as a whole */
	assert_true(has(c[2], 100));
	assert_true(recent_bytes(srv.recent) <= 1 << 20);
	fake_close(&a);
}

static void
test_off(void **state)
{
	struct model *m = model_new("r:12", 0);
	struct fake a;
	struct channel *c = live(&a, m);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		recent_free(srv.recent);
		srv.recent = i ? NULL : recent_new(0);
		bring(m, 5);
		assert_false(has(c, m->head));
		assert_string_equal(page(c, 0, 3, true), "none");
	}
	fake_close(&a);
}

/* --- cursors -------------------------------------------------------------- */

/* many at one place: one read, or none, and one frame for all */
static void
test_one_page_for_all(void **state)
{
	enum { N = 50 };
	static struct fake f[N];
	struct model *m = model_new("r:12", 150);
	struct fake a;

	(void)state;
	live(&a, m);
	for (unsigned i = 0; i < N; i++) {
		fake_open(&f[i], 2);
		enter(&f[i], m, m->ep, 10 + i, false);
	}
	run_tasks();
	assert_int_equal(n_asks, 1);
	model_answer(200);
	assert_int_equal(srv.stats[S_RECENT_MISSES], 1);
	assert_int_equal(srv.stats[S_RECENT_SHARED], N - 1);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(f[i].at[0].next, 151);
		fake_close(&f[i]);
	}
	encoded = 0;
	for (unsigned i = 0; i < N; i++) {
		fake_open(&f[i], 2);
		enter(&f[i], m, m->ep, 10 + i, false);
	}
	for (unsigned i = 0; i < 20; i++)
		run_tasks();
	assert_null(asks);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(f[i].at[0].next, 151);
		fake_close(&f[i]);
	}
	assert_true(encoded <= 140);
	fake_close(&a);
}

/* one round gives a bounded number of items, and all have their turn */
static void
test_in_slices(void **state)
{
	enum { N = 30 };
	static struct fake f[N];
	struct model *m = model_new("r:12", 0);
	struct fake a;
	unsigned given, rounds = 0, before = 0;

	(void)state;
	live(&a, m);
	bring(m, 600);
	for (unsigned i = 0; i < N; i++) {
		fake_open(&f[i], 2);
		f[i].weight = 0;
		enter(&f[i], m, m->ep, 0, false);
	}
	for (given = 0; given < N * 600; before = given) {
		assert_true(rounds++ < 100);
		run_tasks();
		given = 0;
		for (unsigned i = 0; i < N; i++)
			given += f[i].frames;
		assert_true(given - before <= 1200);
		if (given == N * 200)
			for (unsigned i = 0; i < N; i++)
				assert_int_equal(f[i].frames, 200);
	}
	assert_null(asks);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(f[i].at[0].next, 601);
		fake_close(&f[i]);
	}
	fake_close(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup_recent, core_teardown)
	    T(test_pages), T(test_page_bytes), T(test_not_while_behind),
	    T(test_fill_and_holes), T(test_repair_from_memory),
	    T(test_another_history), T(test_retention), T(test_recall),
	    T(test_recall_private), T(test_bounds), T(test_least_recently_used),
	    T(test_recall_edits), T(test_bounds), T(test_least_recently_used),
	    T(test_off), T(test_one_page_for_all), T(test_in_slices)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
