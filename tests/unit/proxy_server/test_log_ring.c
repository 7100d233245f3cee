/* SPDX-License-Identifier: MIT */
/*
 * Recent items from memory: the same bytes as from the file, for random items
 * and random questions; what makes them go; and keep_days 0, where they are
 * all there is.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proxy_server/log_priv.h"
#include "proxy_server/log_ring.h"
#include "shared/base/map.h"
#include "shared/proc/clock.h"
#include "tests/unit/proxy_server/log_fixture.h"

enum { MIB = 1024 * 1024 };

static struct item items[FIX_PAGE_MAX];
static unsigned seed;

static void
start(struct fix *f, size_t recent)
{
	fix_init(f);
	f->set.recent_bytes = recent;
	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
}

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	start(f, 8 * MIB);
	*state = f;
	return 0;
}

static unsigned
rnd(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

/* pages from memory so far */
static uint64_t
recent(struct fix *f)
{
	struct log_figures fig;

	log_figures(f->log, &fig);
	return fig.reads_recent;
}

/* the page from the file, whatever memory holds */
static struct f_page
read_file(struct fix *f, const struct f_read *q)
{
	uint64_t had = recent(f);
	struct f_page p;

	/* as if enough had been answered in this turn */
	f->log->ring_pages = LOG_RING_PAGES;
	p = fix_read(f, q, items);
	assert_int_equal(recent(f), had);
	return p;
}

/* asks both; true: memory had it all, and the bytes are the same */
static bool
same(struct fix *f, const struct f_read *q)
{
	uint64_t had = recent(f);
	struct blob *a;
	bool from_memory;

	fix_read(f, q, items);
	from_memory = recent(f) > had;
	a = blob_ref(f->page);
	read_file(f, q);
	assert_int_equal(a->len, f->page->len);
	if (memcmp(a->bytes, f->page->bytes, a->len) != 0)
		fail_msg("seed: %s %llu..%llu n %u back %d bytes %u", q->chan.p,
		    (unsigned long long)q->from, (unsigned long long)q->to,
		    q->n, q->back, q->max_bytes);
	blob_unref(a);
	return from_memory;
}

static const char *const rooms[] = {"r:1", "r:2", "r:lobby", "c:"};
static const char *const pairs[][3] = {
    {"p:1001:1002", "u:1001", "u:1002"},
    {"p:1001:1003", "u:1001", "u:1003"},
    {"p:1002:1003", "u:1002", "u:1003"},
};
static const char *const all[] = {"r:1", "r:2", "r:lobby", "c:", "p:1001:1002",
    "p:1001:1003", "p:1002:1003", "u:1001", "u:1002", "u:1003", "r:none"};

/* one random append */
static void
add(struct fix *f, unsigned text_max)
{
	static char text[20001], cid[24];
	unsigned len = rnd(8) ? rnd(200) : rnd(text_max), kind = rnd(12), i;
	struct f_append a;

	for (i = 0; i < len; i++)
		text[i] = (char)('a' + rnd(26));
	text[len] = '\0';
	snprintf(cid, sizeof cid, "c%u", rnd(4000));
	a = fix_append(rooms[rnd(4)], rnd(9) ? "1001" : NULL,
	    rnd(3) ? cid : NULL, rnd(9) ? text : NULL);
	if (!rnd(20))
		a.chan = STR_LIT("u:1002");
	else if (rnd(3) == 0) {
		const char *const *p = pairs[rnd(3)];

		a.chan = str_of(p[0]);
		a.n_to = 2;
		a.to[0] = str_of(p[1]);
		a.to[1] = str_of(p[2]);
		a.item.rid = rnd(2) ? STR_LIT("17") : STR_NONE;
	}
	a.item.name = rnd(5) ? STR_LIT("Zo\303\253") : STR_NONE;
	a.item.avatar = rnd(3) ? STR_LIT("") : STR_LIT("/a.png");
	a.item.cn = (uint64_t)rnd(1000000) << 20;
	a.item.flags = (uint16_t)(rnd(2) ? ITEM_F_JSON : 0);
	if (!rnd(4)) {
		a.item.flags |= ITEM_F_AT;
		a.item.at = rnd(2) ? STR_LIT("1002") : STR_LIT("1003,zo_e,7");
	}
	if (kind < 3) {
		a.item.kind = kind == 0 ? ITEM_RECALL : ITEM_EDIT;
		a.item.ref = 1 + rnd(60);
	}
	/* not stored, so not to be seen again */
	if (!rnd(4)) {
		a.item.pchan = STR_LIT("p:x:y");
		a.item.useq = 9;
		a.item.seq = 5;
	}
	assert_int_equal(fix_send(f, &a), 0);
}

static struct f_read
question(const char *chan, unsigned head)
{
	static const uint32_t bytes[] = {0, 0, 0, 1, 100, 5000, 1 << 20};
	struct f_read q = {.rid = rnd(1000) + 1,
	    .chan = str_of(chan),
	    .from = rnd(3) ? rnd(head + 4) : 0,
	    .to = rnd(3) ? 0 : rnd(head + 4),
	    .n = (uint16_t)(rnd(2) ? 1 + rnd(30) : 1 + rnd(1000)),
	    .back = rnd(2),
	    .max_bytes = bytes[rnd(ARRAY_LEN(bytes))]};

	return q;
}

static void
compare(struct fix *f, unsigned rounds, unsigned *memory, unsigned *file)
{
	for (unsigned i = 0; i < rounds; i++) {
		struct f_read q = question(all[rnd(ARRAY_LEN(all))], 120);

		if (same(f, &q))
			++*memory;
		else
			++*file;
	}
}

static void
test_same_bytes(void **state)
{
	struct fix *f = *state;
	unsigned memory = 0, file = 0;

	for (int round = 0; round < 8; round++) {
		unsigned n = 10 + rnd(100), had = f->n_res;

		for (unsigned i = 0; i < n; i++)
			add(f, 20000);
		fix_wait_results(f, had + n);
		compare(f, 150, &memory, &file);
	}
	/* all is there: only what asks for nothing there goes to the file */
	assert_true(memory > 400);
	assert_true(file > 0);
}

/* little memory: channels and old items go, answers stay right */
static void
test_same_bytes_small(void **state)
{
	struct fix *f = *state;
	unsigned memory = 0, file = 0;
	struct log_figures fig;

	fix_fini(f);
	start(f, 128 * 1024);
	for (int round = 0; round < 12; round++) {
		unsigned n = 10 + rnd(100), had = f->n_res;

		for (unsigned i = 0; i < n; i++)
			add(f, 6000);
		fix_wait_results(f, had + n);
		compare(f, 100, &memory, &file);
		log_figures(f->log, &fig);
		assert_true(fig.recent_bytes > 0);
		assert_true(fig.recent_bytes <= 128 * 1024);
	}
	assert_true(memory > 100);
	assert_true(file > 200);
}

/* more than a frame holds: it ends at the same item, and stays whole */
static void
test_frame_limit(void **state)
{
	static char text[60001];
	struct fix *f = *state;
	struct f_read q = {.rid = 1,
	    .chan = STR_LIT("r:1"),
	    .from = 1,
	    .n = 1000,
	    .max_bytes = UINT32_MAX};

	fix_fini(f);
	start(f, 32 * 1024 * 1024);
	for (int i = 0; i < 30; i++) {
		struct f_append a;

		memset(text, 'y', sizeof text - 1);
		/* no two of a length: the last byte that fits is looked for */
		text[sizeof text - 1 - rnd(20000)] = '\0';
		a = fix_append("r:1", "1001", NULL, text);
		assert_int_equal(fix_send(f, &a), 0);
	}
	fix_wait_results(f, 30);
	for (q.from = 1; q.from <= 12; q.from++)
		assert_true(same(f, &q));
	q.back = true;
	for (q.from = 30; q.from > 18; q.from--)
		assert_true(same(f, &q));
}

/* what was there before this process is in the file alone; a failed commit,
 * a repeat and a refusal leave no trace */
static void
test_start(void **state)
{
	struct fix *f = *state;
	struct f_read q = {.rid = 1, .chan = STR_LIT("r:1"), .n = 5};
	struct f_append a = fix_append("r:1", "1001", "c1", "one");

	fix_do(f, &a);
	assert_true(same(f, &q));
	fix_close(f);
	fix_open(f);
	assert_false(same(f, &q));
	assert_true(fix_do(f, &a)->dup);
	a.item.cid = STR_LIT("c2");
	a.item.crc++;
	assert_int_equal(fix_do(f, &a)->code, 400);
	a.item.crc--;
	assert_int_equal(fix_do(f, &a)->seq, 2);
	/* from 2 on it is here: the newest yes, all of it no */
	assert_false(same(f, &q));
	q.from = 2;
	assert_true(same(f, &q));
	q = (struct f_read){
	    .rid = 1, .chan = STR_LIT("r:1"), .n = 1, .back = true};
	assert_true(same(f, &q));
	q.n = 2;
	assert_false(same(f, &q));
}

static void
test_recall(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("p:1001:1002", "1001", "c1", "secret");
	struct f_read q = {.rid = 1, .chan = STR_LIT("u:1002"), .n = 5};

	a.n_to = 2;
	a.to[0] = STR_LIT("u:1001");
	a.to[1] = STR_LIT("u:1002");
	fix_do(f, &a);
	assert_true(same(f, &q));
	fix_read(f, &q, items);
	assert_true(str_eqc(items[0].body, "secret"));
	a.item.kind = ITEM_RECALL;
	a.item.cid = STR_LIT("c2");
	a.item.ref = 1;
	a.item.body = STR_NONE;
	a.item.crc = 0;
	/* told to one of them only: the other must not see the words either */
	a.n_to = 1;
	assert_int_equal(fix_do(f, &a)->seq, 2);
	assert_true(same(f, &q));
	assert_int_equal(fix_read(f, &q, items).n_items, 1);
	assert_int_equal(items[0].flags, ITEM_F_GONE);
	assert_false(str_is_set(items[0].body));
	assert_int_equal(recent(f), 4);
}

static void
test_trim(void **state)
{
	struct fix *f = *state;
	struct f_read q = {.rid = 1, .chan = STR_LIT("r:1"), .n = 100};
	int64_t end = clock_mono_ms() + 60000;
	struct f_page p;
	uint64_t had;

	fix_close(f);
	f->set.keep_items = 10;
	f->set.trim_ms = 50;
	fix_open(f);
	for (int i = 0; i < 40; i++) {
		struct f_append a = fix_append("r:1", "1001", NULL, "x");

		fix_do(f, &a);
	}
	do {
		assert_true(clock_mono_ms() < end);
		p = fix_read(f, &q, items);
	} while (p.first != 31);
	assert_int_equal(items[0].seq, 31);
	while (f->trimmed != 31) {
		assert_true(clock_mono_ms() < end);
		fix_turn(f);
	}
	had = recent(f);
	assert_int_equal(fix_read(f, &q, items).n_items, 10);
	assert_int_equal(recent(f), had + 1);
	assert_true(same(f, &q));
}

/* a subscriber that is ahead: the history is another one, memory empty */
static void
test_ep(void **state)
{
	struct fix *f = *state;
	struct f_read q = {.rid = 1, .chan = STR_LIT("r:1"), .n = 100};
	struct f_append a = fix_append("r:1", "1001", NULL, "x");
	int64_t end = clock_mono_ms() + 60000;
	char ep[EP_LEN + 1];
	struct log_figures fig;

	fix_do(f, &a);
	assert_true(same(f, &q));
	memcpy(ep, f->ep, sizeof ep);
	fix_touch(f, "r:1", 50, ep, false);
	while (!strcmp(f->ep, ep)) {
		assert_true(clock_mono_ms() < end);
		fix_turn(f);
	}
	fix_wait_results(f, 2); /* the touch comes behind the news */
	log_figures(f->log, &fig);
	assert_int_equal(fig.recent_bytes, 0);
	assert_false(same(f, &q));
	assert_true(str_eqc(fix_read(f, &q, items).ep, f->ep));
	fix_do(f, &a);
	q.from = 2;
	assert_true(same(f, &q));
}

/* ---- keep_days 0 ------------------------------------------------------ */

static int
setup_only(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	fix_init(f);
	f->set.keep_days = 0;
	fix_open(f);
	*state = f;
	return 0;
}

static void
test_only(void **state)
{
	struct fix *f = *state;
	struct f_read q = {.rid = 1, .chan = STR_LIT("r:1"), .n = 100};
	struct f_append a;
	struct f_page p;
	char text[16];

	for (int i = 1; i <= 10; i++) {
		snprintf(text, sizeof text, "%d", i);
		a = fix_append("r:1", "1001", text, text);
		a.n_states = 1;
		a.states[0] = (struct state_rec){
		    .key = STR_LIT("t"), .val = str_of(text)};
		assert_int_equal(fix_do(f, &a)->seq, i);
	}
	/* repeats are known */
	assert_int_equal(fix_do(f, &a)->seq, 10);
	assert_true(fix_last(f)->dup);
	p = fix_read(f, &q, items);
	assert_int_equal(p.n_items, 10);
	assert_int_equal(p.first, 1);
	assert_int_equal(p.head, 10);
	for (int i = 1; i <= 10; i++) {
		snprintf(text, sizeof text, "%d", i);
		assert_true(str_eqc(items[i - 1].body, text));
		assert_int_equal(items[i - 1].flags, ITEM_F_UNKEPT);
	}
	assert_int_equal(fix_do_touch(f, "r:1", true)->first, 1);
	assert_int_equal(fix_last(f)->head, 10);
	assert_string_equal(fix_last(f)->val, "10");
	/* in the file: no rows */
	p = read_file(f, &q);
	assert_int_equal(p.n_items, 0);
	assert_int_equal(p.head, 10);
	assert_int_equal(p.first, 11);
	/* private ones through u: as well */
	a = fix_append("p:1001:1002", "1001", "p1", "psst");
	a.n_to = 2;
	a.to[0] = STR_LIT("u:1001");
	a.to[1] = STR_LIT("u:1002");
	fix_do(f, &a);
	q.chan = STR_LIT("u:1002");
	assert_int_equal(fix_read(f, &q, items).n_items, 1);
	assert_true(str_eqc(items[0].body, "psst"));
	assert_true(str_eqc(items[0].pchan, "p:1001:1002"));
	/* asked beyond the end: an empty page, with where things stand */
	q = (struct f_read){
	    .rid = 1, .chan = STR_LIT("r:1"), .from = 11, .n = 5};
	p = fix_read(f, &q, items);
	assert_int_equal(p.n_items, 0);
	assert_int_equal(p.first, 1);
	assert_int_equal(p.head, 10);
	/* numbers and states outlive the process, items do not */
	fix_close(f);
	fix_open(f);
	assert_int_equal(fix_do_touch(f, "r:1", true)->head, 10);
	assert_int_equal(fix_last(f)->first, 11);
	assert_string_equal(fix_last(f)->val, "10");
	a = fix_append("r:1", "1001", "n", "new");
	assert_int_equal(fix_do(f, &a)->seq, 11);
	q.from = 1;
	p = fix_read(f, &q, items);
	assert_int_equal(p.n_items, 1);
	assert_int_equal(p.first, 11);
	assert_int_equal(items[0].seq, 11);
}

/* a log that kept and keeps no more: the old rows go; and back again */
static void
test_only_after_keeping(void **state)
{
	struct fix *f = *state;
	struct f_read q = {.rid = 1, .chan = STR_LIT("r:1"), .n = 100};
	struct f_append a = fix_append("r:1", "1001", NULL, "x");
	int64_t end = clock_mono_ms() + 60000;
	struct f_page p;

	for (int i = 0; i < 5; i++)
		fix_do(f, &a);
	fix_close(f);
	f->set.keep_days = 0;
	f->set.trim_ms = 50;
	fix_open(f);
	do {
		assert_true(clock_mono_ms() < end);
		p = read_file(f, &q);
	} while (p.first != 6);
	fix_do(f, &a);
	fix_do(f, &a);
	p = fix_read(f, &q, items);
	assert_int_equal(p.first, 6);
	assert_int_equal(p.n_items, 2);
	/* retention goes on, and leaves memory alone */
	for (int i = 0; i < 5; i++)
		fix_turn(f);
	assert_int_equal(fix_read(f, &q, items).n_items, 2);
	fix_close(f);
	f->set.keep_days = 90;
	fix_open(f);
	p = fix_read(f, &q, items);
	assert_int_equal(p.first, 8);
	assert_int_equal(p.n_items, 0);
	assert_int_equal(fix_do(f, &a)->seq, 8);
	p = fix_read(f, &q, items);
	assert_int_equal(p.n_items, 1);
	assert_int_equal(items[0].flags, 0);
}

/* what memory had to give up is lost, and said to be */
static void
test_only_full(void **state)
{
	struct fix *f = *state;
	struct f_read q = {.rid = 1, .chan = STR_LIT("u:1001"), .n = 1000};
	static char text[1001];
	struct f_append a;
	struct f_page p;

	fix_close(f);
	f->set.recent_bytes = 80000;
	fix_open(f);
	memset(text, 'x', 1000);
	for (int i = 0; i < 40; i++) {
		a = fix_append("p:1001:1002", "1001", NULL, text);
		a.n_to = 1;
		a.to[0] = STR_LIT("u:1001");
		fix_do(f, &a);
	}
	p = fix_read(f, &q, items);
	assert_int_equal(p.n_items, 40);
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(items[i].useq, i + 1);
		assert_int_equal(items[i].seq, i + 1);
		assert_int_equal(
		    str_is_set(items[i].body), !(items[i].flags & ITEM_F_LOST));
	}
	assert_int_equal(items[0].flags, ITEM_F_LOST);
	assert_int_equal(items[39].flags, ITEM_F_UNKEPT);
	q.chan = STR_LIT("p:1001:1002");
	p = fix_read(f, &q, items);
	assert_true(p.first > 1 && p.n_items == 41 - p.first);
	assert_int_equal(fix_do_touch(f, "p:1001:1002", false)->first, p.first);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t)	cmocka_unit_test_setup_teardown(t, setup, fix_teardown)
#define ONLY(t) cmocka_unit_test_setup_teardown(t, setup_only, fix_teardown)
	    T(test_same_bytes),
	    T(test_same_bytes_small),
	    T(test_frame_limit),
	    T(test_start),
	    T(test_recall),
	    T(test_trim),
	    T(test_ep),
	    ONLY(test_only),
	    T(test_only_after_keeping),
	    ONLY(test_only_full),
#undef T
#undef ONLY
	};

	map_init();
	seed = fix_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
