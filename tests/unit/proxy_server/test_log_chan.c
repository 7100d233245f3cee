/* SPDX-License-Identifier: MIT */
/*
 * The writer's memory: windows at their bounds, forgotten and read again, and
 * cut when every channel is busy.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy_server/log_chan.h"
#include "shared/base/map.h"
#include "tests/unit/proxy_server/log_fixture.h"

struct mem {
	struct fix f;
	struct logdb db;
	struct log_chans cs;
};

static int
setup(void **state)
{
	struct mem *m = calloc(1, sizeof *m);
	bool fresh;

	fix_init(&m->f);
	assert_int_equal(logdb_open(&m->db, m->f.dir, LOG_SYNC_OFF, &fresh), 0);
	assert_true(fresh);
	log_chans_init(&m->cs);
	*state = m;
	return 0;
}

static int
teardown(void **state)
{
	struct mem *m = *state;

	log_chans_fini(&m->cs);
	assert_int_equal(m->cs.window_bytes, 0);
	logdb_close(&m->db);
	fix_fini(&m->f);
	free(m);
	return 0;
}

static struct window_key
key(uint64_t i)
{
	char cid[24];

	snprintf(cid, sizeof cid, "%" PRIu64, i);
	return log_chan_key(STR_LIT("1001"), str_of(cid));
}

static struct log_chan *
get(struct mem *m, const char *name)
{
	struct log_chan *c;

	assert_int_equal(log_chans_get(&m->cs, &m->db, str_of(name), &c), 0);
	return c;
}

/* a channel with n numbered entries, ts = seq */
static struct log_chan *
noted(struct mem *m, const char *name, uint64_t n)
{
	struct log_chan *c = get(m, name);

	for (uint64_t i = 1; i <= n; i++)
		log_chan_note(&m->cs, c, key(i), i, (int64_t)i, (int64_t)i);
	return c;
}

static void
expect(struct log_chan *c, uint64_t i, int64_t now, bool there)
{
	const struct window_entry *e = log_chan_seen(c, key(i), now);

	if (!there) {
		assert_null(e);
		return;
	}
	assert_non_null(e);
	assert_int_equal(e->seq, i);
	assert_int_equal(e->ts, i);
}

static void
test_items_bound(void **state)
{
	struct mem *m = *state;
	struct log_chan *c = noted(m, "r:1", LOG_WINDOW_ITEMS);

	expect(c, 1, 0, true);
	expect(c, LOG_WINDOW_ITEMS, 0, true);
	expect(c, LOG_WINDOW_ITEMS + 1, 0, false);
	log_chan_note(&m->cs, c, key(LOG_WINDOW_ITEMS + 1),
	    LOG_WINDOW_ITEMS + 1, LOG_WINDOW_ITEMS + 1, LOG_WINDOW_ITEMS + 1);
	expect(c, 1, 0, false);
	for (uint64_t i = 2; i <= LOG_WINDOW_ITEMS + 1; i++)
		expect(c, i, 0, true);
}

static void
test_time_bound(void **state)
{
	struct mem *m = *state;
	struct log_chan *c = noted(m, "r:1", 1000);

	expect(c, 500, 500 + LOG_WINDOW_MS, true);
	expect(c, 499, 500 + LOG_WINDOW_MS, false);
	expect(c, 500, 500 + LOG_WINDOW_MS, true);
	expect(c, 1000, 1001 + LOG_WINDOW_MS, false);
	/* and goes on from empty */
	log_chan_note(&m->cs, c, key(2000), 2000, 2000, 2000);
	expect(c, 2000, 2000, true);
}

/* unused channels lose their windows first, and nothing else */
static void
test_cold_first(void **state)
{
	struct mem *m = *state;
	struct log_chan *cold = noted(m, "r:cold", 1000);
	struct log_chan *hot;

	cold->has_window = true;
	cold->head = 1000;
	for (int i = 0; i < 1001; i++)
		log_chans_trim(&m->cs);
	hot = noted(m, "r:hot", 1000);
	hot->has_window = true;
	m->cs.window_max = m->cs.window_bytes - 1;
	log_chans_trim(&m->cs);
	assert_false(cold->has_window);
	assert_int_equal(cold->head, 1000);
	assert_true(hot->has_window);
	assert_int_equal(m->cs.window_cap, LOG_WINDOW_ITEMS);
	expect(hot, 1, 0, true);
}

static void
test_all_hot(void **state)
{
	struct mem *m = *state;
	struct log_chan *a = noted(m, "r:a", 4096), *b = noted(m, "r:b", 4096);
	struct log_chan *small = noted(m, "r:c", 5);

	a->has_window = b->has_window = small->has_window = true;
	m->cs.window_max = m->cs.window_bytes / 2;
	log_chans_trim(&m->cs);
	assert_true(m->cs.window_bytes <= m->cs.window_max);
	assert_true(a->has_window);
	/* the newest are kept, the small one is left alone */
	expect(a, 4096, 0, true);
	expect(a, 4096 - m->cs.window_cap + 1, 0, true);
	expect(a, 4096 - m->cs.window_cap, 0, false);
	expect(b, 4096, 0, true);
	expect(small, 1, 0, true);
	/* it stays that small while it is busy, and recovers */
	log_chan_note(&m->cs, a, key(4097), 4097, 4097, 4097);
	expect(a, 4097, 0, true);
	assert_true(m->cs.window_bytes <= m->cs.window_max);
	m->cs.window_max = LOG_WINDOW_BYTES;
	for (int i = 0; i < 20; i++)
		log_chans_trim(&m->cs);
	assert_int_equal(m->cs.window_cap, LOG_WINDOW_ITEMS);
}

static void
test_lru(void **state)
{
	struct mem *m = *state;

	m->cs.max = 3;
	get(m, "r:1");
	get(m, "r:2");
	get(m, "r:3");
	get(m, "r:1");
	get(m, "r:4");
	log_chans_trim(&m->cs);
	assert_int_equal(m->cs.n, 3);
	assert_null(log_chans_find(&m->cs, STR_LIT("r:2")));
	assert_non_null(log_chans_find(&m->cs, STR_LIT("r:1")));
	assert_non_null(log_chans_find(&m->cs, STR_LIT("r:3")));
	assert_non_null(log_chans_find(&m->cs, STR_LIT("r:4")));
}

/* what nobody uses goes after a while; but not what the file has no more */
static void
test_rest(void **state)
{
	static const char *const names[] = {"r:kept", "r:cut", "r:used"};
	struct mem *m = *state;
	const int64_t t = 5 * LOG_WINDOW_MS;
	struct log_chan *c;

	m->cs.offset_ms = 0;
	log_chans_rest(&m->cs, t, t);
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		c = get(m, names[i]);
		c->first = i == 1 ? 2 : 1;
		log_chan_note(&m->cs, c, key(1), 1, 1, t);
		log_chan_note(&m->cs, c, key(2), 2, 2, t);
		c->has_window = true;
	}
	log_chans_rest(&m->cs, t + LOG_REST_MS - 1000, t + LOG_REST_MS);
	assert_int_equal(m->cs.n, 3);
	get(m, "r:used");
	log_chans_rest(&m->cs, t + LOG_REST_MS, t + LOG_REST_MS);
	assert_null(log_chans_find(&m->cs, STR_LIT("r:kept")));
	assert_non_null(log_chans_find(&m->cs, STR_LIT("r:used")));
	c = log_chans_find(&m->cs, STR_LIT("r:cut"));
	assert_non_null(c);
	expect(c, 1, t + LOG_REST_MS, true);
	/* until it is too old to be asked for */
	log_chans_rest(
	    &m->cs, t + LOG_WINDOW_MS + 1000, t + LOG_WINDOW_MS + 1000);
	assert_int_equal(m->cs.n, 0);
	assert_int_equal(m->cs.window_bytes, 0);
}

/* who would read it again would judge it by a clock that was put ahead */
static void
test_no_rest(void **state)
{
	struct mem *m = *state;
	const int64_t t = 5 * LOG_WINDOW_MS, day = 86400000;

	m->cs.offset_ms = 0;
	log_chans_rest(&m->cs, t, t);
	noted(m, "r:1", 2);
	log_chans_rest(&m->cs, t + 1000, t + 1000 + day);
	log_chans_rest(&m->cs, t + LOG_WINDOW_MS, t + LOG_WINDOW_MS + day);
	assert_int_equal(m->cs.n, 1);
	log_chans_rest(
	    &m->cs, t + LOG_WINDOW_MS + 1000, t + LOG_WINDOW_MS + 1000 + day);
	assert_int_equal(m->cs.n, 0);
}

/* nor is what was forgotten before lost to a repeat of the minutes after */
static void
test_ahead(void **state)
{
	struct mem *m = *state;
	const int64_t t = 5 * LOG_WINDOW_MS, day = 86400000;
	struct item it = {.kind = ITEM_MESSAGE,
	    .seq = 1,
	    .ts = t,
	    .uid = STR_LIT("1001"),
	    .cid = STR_LIT("1")};
	struct log_chan *c;
	int64_t id, now;

	m->cs.offset_ms = 0;
	assert_int_equal(log_chans_clock(&m->cs, t, t), 0);
	assert_int_equal(logdb_chan_new(&m->db, STR_LIT("r:1"), &id), 0);
	assert_int_equal(logdb_item_new(&m->db, id, &it, 0), 0);
	get(m, "r:1");
	log_chans_rest(&m->cs, t + LOG_REST_MS, t + LOG_REST_MS);
	assert_int_equal(m->cs.n, 0);
	now = t + LOG_REST_MS + 1000;
	assert_int_equal(log_chans_clock(&m->cs, now, now + day), day);
	c = get(m, "r:1");
	assert_int_equal(
	    log_chan_window(&m->cs, &m->db, c, now + day - LOG_WINDOW_MS, now),
	    0);
	assert_non_null(log_chan_seen(c, key(1), now));
	/* until nothing of before can be asked for */
	now += LOG_WINDOW_MS;
	assert_int_equal(log_chans_clock(&m->cs, now, now + day), 0);
	log_chans_forget(&m->cs, c);
	c = get(m, "r:1");
	assert_int_equal(
	    log_chan_window(&m->cs, &m->db, c, now + day - LOG_WINDOW_MS, now),
	    0);
	assert_null(log_chan_seen(c, key(1), now));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	    T(test_items_bound),
	    T(test_time_bound),
	    T(test_cold_first),
	    T(test_all_hot),
	    T(test_lru),
	    T(test_rest),
	    T(test_no_rest),
	    T(test_ahead),
#undef T
	};

	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
