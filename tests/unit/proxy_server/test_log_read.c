/* SPDX-License-Identifier: MIT */
/*
 * History: pages both ways with their limits, a user's inbox with the bodies
 * its pointers lead to, tombstones for what is damaged or gone, recalled
 * bodies, and that no statement ever scans a table.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy_server/log_sqlite.h"
#include "shared/base/digest.h"
#include "shared/base/map.h"
#include "tests/unit/proxy_server/log_fixture.h"

static struct item items[FIX_PAGE_MAX];

/* 1..n with bodies "1".."n" */
static void
fill(struct fix *f, const char *chan, unsigned n)
{
	unsigned had = f->n_res;
	char text[16];

	for (unsigned i = 1; i <= n; i++) {
		struct f_append a;

		snprintf(text, sizeof text, "%u", i);
		a = fix_append(chan, "1001", text, text);
		assert_int_equal(fix_send(f, &a), 0);
	}
	fix_wait_results(f, had + n);
}

/* reads and checks the seqs: `n` from `at` on, step +1 or -1 */
static void
expect(struct fix *f, struct f_read q, unsigned n, uint64_t at, bool more)
{
	struct f_page p;
	char text[24];

	q.rid = 77;
	q.chan = STR_LIT("r:1");
	p = fix_read(f, &q, items);
	assert_int_equal(p.code, 200);
	assert_true(str_eqc(p.ep, f->ep));
	assert_int_equal(p.first, 1);
	assert_int_equal(p.head, 10);
	assert_int_equal(p.n_items, n);
	assert_int_equal(p.more, more);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(items[i].seq, q.back ? at - i : at + i);
		snprintf(text, sizeof text, "%d", (int)items[i].seq);
		assert_true(str_eqc(items[i].body, text));
		assert_true(str_eqc(items[i].cid, text));
	}
}

static void
test_pages(void **state)
{
	struct fix *f = *state;

	fill(f, "r:1", 10);
#define Q(...) ((struct f_read){__VA_ARGS__})
	expect(f, Q(.from = 1, .n = 100), 10, 1, false);
	expect(f, Q(.from = 0, .n = 100), 10, 1, false);
	expect(f, Q(.from = 1, .n = 3), 3, 1, true);
	expect(f, Q(.from = 4, .n = 7), 7, 4, false);
	expect(f, Q(.from = 4, .n = 6), 6, 4, true);
	expect(f, Q(.from = 4, .to = 6, .n = 100), 3, 4, false);
	expect(f, Q(.from = 4, .to = 6, .n = 2), 2, 4, true);
	expect(f, Q(.from = 10, .n = 1), 1, 10, false);
	expect(f, Q(.from = 11, .n = 1), 0, 0, false);
	expect(f, Q(.from = 8, .to = 500, .n = 100), 3, 8, false);
	expect(f, Q(.from = 0, .n = 4, .back = true), 4, 10, true);
	expect(f, Q(.from = 6, .n = 4, .back = true), 4, 6, true);
	expect(f, Q(.from = 6, .n = 6, .back = true), 6, 6, false);
	expect(f, Q(.from = 6, .n = 100, .back = true), 6, 6, false);
	expect(f, Q(.from = 6, .to = 5, .n = 9, .back = true), 2, 6, false);
	expect(f, Q(.from = 99, .n = 1, .back = true), 1, 10, true);
	expect(f, Q(.from = 3, .to = 7, .n = 9, .back = true), 0, 0, false);
	/* bytes of bodies: "1".."9" are one each, "10" two */
	expect(f, Q(.from = 1, .n = 100, .max_bytes = 1), 1, 1, true);
	expect(f, Q(.from = 1, .n = 100, .max_bytes = 9), 9, 1, true);
	expect(f, Q(.from = 1, .n = 100, .max_bytes = 10), 9, 1, true);
	expect(f, Q(.from = 1, .n = 100, .max_bytes = 11), 10, 1, false);
	/* one item always comes, or nobody could go on */
	expect(f, Q(.from = 10, .n = 5, .max_bytes = 1), 1, 10, false);
#undef Q
}

static void
test_all_fields(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "c", "{\"a\":1}");
	struct f_read q = {.rid = 1, .chan = STR_LIT("r:1"), .n = 9};
	struct item *it = &items[0];

	a.item.flags = ITEM_F_JSON | ITEM_F_NUM_RID | ITEM_F_PIC | ITEM_F_AT;
	a.item.at = STR_LIT("1002,zo_e");
	a.item.cn = UINT64_MAX - 1;
	a.item.avatar = STR_LIT("/a.png");
	a.item.ref = 12345;
	a.item.rid = STR_LIT("7");
	fix_do(f, &a);
	a = (struct f_append){.chan = STR_LIT("r:1"),
	    .item = {.kind = ITEM_MOD, .body = STR_LIT("")}};
	fix_do(f, &a);
	assert_int_equal(fix_read(f, &q, items).n_items, 2);
	assert_int_equal(it->kind, ITEM_MESSAGE);
	assert_int_equal(
	    it->flags, ITEM_F_JSON | ITEM_F_NUM_RID | ITEM_F_PIC | ITEM_F_AT);
	assert_true(str_eqc(it->at, "1002,zo_e"));
	assert_int_equal(it->cn, UINT64_MAX - 1);
	assert_true(str_eqc(it->uid, "1001"));
	assert_true(str_eqc(it->name, "Ann"));
	assert_true(str_eqc(it->avatar, "/a.png"));
	assert_int_equal(it->ref, 12345);
	assert_true(str_eqc(it->rid, "7"));
	assert_false(str_is_set(it->pchan));
	assert_int_equal(it->useq, 0);
	assert_int_equal(it->ts, f->res[0].ts);
	assert_int_equal(it->crc, digest_crc32c(0, "{\"a\":1}", 7));
	it++;
	assert_false(str_is_set(it->uid));
	assert_false(str_is_set(it->cid));
	assert_false(str_is_set(it->name));
	assert_true(str_is_set(it->body));
	assert_int_equal(it->body.len, 0);
	assert_int_equal(it->flags, 0);
	/* what the row before had is not this one's */
	assert_false(str_is_set(it->at));
}

static void
test_empty(void **state)
{
	struct fix *f = *state;
	struct f_read q = {.rid = 5, .chan = STR_LIT("r:9"), .n = 10};
	struct f_page p = fix_read(f, &q, items);

	assert_int_equal(p.code, 200);
	assert_int_equal(p.n_items, 0);
	assert_int_equal(p.head, 0);
	assert_int_equal(p.first, 1);
	assert_false(p.more);
	q.back = true;
	assert_int_equal(fix_read(f, &q, items).n_items, 0);
}

/* the frame's limit ends a page, too */
static void
test_frame_limit(void **state)
{
	struct fix *f = *state;
	struct f_read q = {.rid = 5,
	    .chan = STR_LIT("r:1"),
	    .n = 1000,
	    .max_bytes = UINT32_MAX};
	static char text[60001];
	struct f_page p;
	uint64_t seen = 0;

	memset(text, 'y', sizeof text - 1);
	for (int i = 0; i < 30; i++) {
		struct f_append a = fix_append("r:1", "1001", NULL, text);

		assert_int_equal(fix_send(f, &a), 0);
	}
	fix_wait_results(f, 30);
	do {
		q.from = seen + 1;
		p = fix_read(f, &q, items);
		assert_true(p.n_items > 0 && p.n_items < 30);
		for (unsigned i = 0; i < p.n_items; i++) {
			assert_int_equal(items[i].seq, ++seen);
			assert_int_equal(items[i].body.len, 60000);
		}
	} while (p.more);
	assert_int_equal(seen, 30);
}

static void
test_inbox(void **state)
{
	static const char *const pair[] = {"p:1001:1002", "p:1001:1003"};
	struct fix *f = *state;
	struct f_append a;
	struct f_read q = {.rid = 5, .chan = STR_LIT("u:1001"), .n = 100};
	struct f_page p;
	char text[16];

	for (unsigned i = 0; i < 6; i++) {
		snprintf(text, sizeof text, "m%u", i);
		a = fix_append(pair[i % 2], "1001", text, text);
		a.item.rid = STR_LIT("1");
		a.n_to = 2;
		a.to[0] = STR_LIT("u:1001");
		a.to[1] = i % 2 ? STR_LIT("u:1003") : STR_LIT("u:1002");
		assert_int_equal(fix_do(f, &a)->code, 200);
	}
	/* and one that lies in u: itself */
	a = fix_append("u:1001", NULL, NULL, "own");
	assert_int_equal(fix_do(f, &a)->seq, 7);
	p = fix_read(f, &q, items);
	assert_int_equal(p.n_items, 7);
	assert_int_equal(p.head, 7);
	for (unsigned i = 0; i < 6; i++) {
		snprintf(text, sizeof text, "m%u", i);
		assert_int_equal(items[i].useq, i + 1);
		assert_int_equal(items[i].seq, i / 2 + 1);
		assert_true(str_eqc(items[i].pchan, pair[i % 2]));
		assert_true(str_eqc(items[i].body, text));
		assert_true(str_eqc(items[i].uid, "1001"));
		assert_true(str_eqc(items[i].rid, "1"));
		assert_int_equal(items[i].kind, ITEM_MESSAGE);
		assert_int_equal(items[i].flags & ITEM_F_LOST, 0);
	}
	assert_int_equal(items[6].seq, 7);
	assert_int_equal(items[6].useq, 7);
	assert_false(str_is_set(items[6].pchan));
	q.back = true;
	q.n = 2;
	p = fix_read(f, &q, items);
	assert_int_equal(p.n_items, 2);
	assert_true(p.more);
	assert_int_equal(items[1].useq, 6);
	assert_true(str_eqc(items[1].body, "m5"));
	/* what a pointer leads to may be gone: its place stays */
	fix_sql(f, "DELETE FROM item WHERE seq=1 AND chan="
		   "(SELECT id FROM chan WHERE name='p:1001:1003')");
	q = (struct f_read){.rid = 5, .chan = STR_LIT("u:1001"), .n = 3};
	p = fix_read(f, &q, items);
	assert_int_equal(p.n_items, 3);
	assert_int_equal(items[1].useq, 2);
	assert_int_equal(items[1].seq, 1);
	assert_true(str_eqc(items[1].pchan, "p:1001:1003"));
	assert_int_equal(items[1].flags, ITEM_F_LOST);
	assert_false(str_is_set(items[1].body));
	assert_true(str_eqc(items[2].body, "m2"));
}

static void
test_tombstones(void **state)
{
	struct fix *f = *state;
	struct f_read q = {.rid = 5, .chan = STR_LIT("r:1"), .n = 100};
	struct log_figures fig;

	fill(f, "r:1", 10);
	fix_sql(f, "UPDATE item SET body=x'39' WHERE seq=4");
	/* whole, but not where it belongs */
	fix_sql(f, "DELETE FROM item WHERE seq=8");
	fix_sql(f, "UPDATE item SET seq=8 WHERE seq=3");
	fix_sql(f, "DELETE FROM item WHERE seq=6");
	fix_sql(f, "DELETE FROM item WHERE seq=10");
	fix_sql(f, "DELETE FROM item WHERE seq=1");
	for (int back = 0; back < 2; back++) {
		q.back = back == 1;
		assert_int_equal(fix_read(f, &q, items).n_items, 10);
		for (unsigned i = 0; i < 10; i++) {
			unsigned seq = back ? 10 - i : i + 1;
			bool lost = seq == 1 || seq == 3 || seq == 4 ||
				    seq == 6 || seq == 8 || seq == 10;

			assert_int_equal(items[i].seq, seq);
			assert_int_equal(
			    items[i].flags, lost ? ITEM_F_LOST : 0);
			assert_int_equal(str_is_set(items[i].body), !lost);
		}
		log_figures(f->log, &fig);
		assert_int_equal(fig.damaged, (unsigned)(back + 1) * 6);
	}
}

/*
 * Random damage to the closed file: whatever comes of it, no body is shown
 * that is not the right one.
 */
static void
test_flips(void **state)
{
	struct fix *f = *state;
	unsigned seed = fix_seed(), opened = 0, lost = 0;
	char path[128];
	struct stat st;

	fill(f, "r:1", 400);
	fix_close(f);
	fix_copy(f, "messages.db", "whole");
	fix_path(f, "messages.db", path);
	assert_int_equal(stat(path, &st), 0);
	for (int round = 0; round < 40; round++) {
		struct f_read q = {.rid = 1, .chan = STR_LIT("r:1"), .n = 1000};
		struct f_page p;
		char text[16];
		int fd;

		fix_copy(f, "whole", "messages.db");
		fd = open(path, O_RDWR);
		for (int i = 0; i < 4; i++) {
			uint8_t c;
			off_t at = rand_r(&seed) % st.st_size;

			assert_int_equal(pread(fd, &c, 1, at), 1);
			c ^= (uint8_t)(1 << rand_r(&seed) % 8);
			assert_int_equal(pwrite(fd, &c, 1, at), 1);
		}
		close(fd);
		fix_open(f);
		if (f->state == LOG_ACTIVE) {
			opened++;
			p = fix_read(f, &q, items);
			for (unsigned i = 0; i < p.n_items; i++) {
				snprintf(
				    text, sizeof text, "%d", (int)items[i].seq);
				if (items[i].flags & ITEM_F_LOST)
					lost++;
				else
					assert_true(
					    str_eqc(items[i].body, text));
			}
		} else {
			assert_int_equal(f->state, LOG_FAILED);
			assert_int_equal(f->exit_code, 5);
		}
		fix_close(f);
	}
	assert_true(opened > 0 && lost > 0);
}

static void
test_recall(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "r", NULL);
	struct f_read q = {.rid = 5, .chan = STR_LIT("r:1"), .n = 100};

	fill(f, "r:1", 3);
	a.item.kind = ITEM_RECALL;
	a.item.ref = 2;
	assert_int_equal(fix_do(f, &a)->seq, 4);
	assert_int_equal(fix_read(f, &q, items).n_items, 4);
	assert_int_equal(items[1].flags, ITEM_F_GONE);
	assert_false(str_is_set(items[1].body));
	assert_true(str_eqc(items[0].body, "1"));
	assert_true(str_eqc(items[2].body, "3"));
	assert_int_equal(items[3].kind, ITEM_RECALL);
	assert_true(str_eqc(items[1].uid, "1001"));
	/* nothing to recall; what is damaged is nobody's */
	a.item.cid = STR_LIT("r2");
	a.item.ref = 900;
	assert_int_equal(fix_do(f, &a)->code, 404);
	fix_sql(f, "UPDATE item SET name='Eve' WHERE seq=3");
	a.item.cid = STR_LIT("r3");
	a.item.ref = 3;
	assert_int_equal(fix_do(f, &a)->code, 404);
	assert_int_equal(fix_read(f, &q, items).n_items, 4);
	assert_int_equal(items[2].flags, ITEM_F_LOST);
	assert_int_equal(items[3].ref, 2);
}

/* before there is a log to read, and beyond what waits for it */
static void
test_not_now(void **state)
{
	struct fix *f = *state;
	struct fix g;
	struct f_read q = {.rid = 5, .chan = STR_LIT("r:1"), .n = 1};
	struct f_page p;

	memset(&g, 0, sizeof g);
	fix_init(&g);
	g.set.dir = f->dir;
	fix_start(&g);
	assert_true(fix_wait_state(&g, LOG_WAITING));
	p = fix_read(&g, &q, items);
	assert_int_equal(p.code, 503);
	assert_int_equal(p.n_items, 0);
	fix_fini(&g);
	q.chan = STR_LIT("nonsense");
	assert_int_not_equal(log_read(f->log, 1, &q), 0);
}

/* EXPLAIN QUERY PLAN of every statement: by key or by range, never a scan */
static void
test_plans(void **state)
{
	struct fix *f = *state;
	char path[128], text[1200];
	sqlite3 *db;
	unsigned searched = 0;

	fix_path(f, "messages.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (int i = 0; i < SQL_N; i++) {
		sqlite3_stmt *st;

		snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s",
		    logdb_sql_text((enum logdb_sql)i));
		if (sqlite3_prepare_v2(db, text, -1, &st, NULL) != SQLITE_OK)
			fail_msg("%s: %s", text, sqlite3_errmsg(db));
		while (sqlite3_step(st) == SQLITE_ROW) {
			const char *line =
			    (const char *)sqlite3_column_text(st, 3);

			if (strstr(line, "SCAN item") ||
			    strstr(line, "SCAN chan") ||
			    strstr(line, "SCAN state") ||
			    strstr(line, "SCAN meta") ||
			    strstr(line, "TEMP B-TREE"))
				fail_msg("%s: %s", text, line);
			searched += strstr(line, "SEARCH") != NULL;
		}
		sqlite3_finalize(st);
	}
	sqlite3_close(db);
	assert_true(searched >= 18);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, fix_setup_open, fix_teardown)
	    T(test_pages),
	    T(test_all_fields),
	    T(test_empty),
	    T(test_frame_limit),
	    T(test_inbox),
	    T(test_tombstones),
	    T(test_flips),
	    T(test_recall),
	    T(test_not_now),
	    T(test_plans),
#undef T
	};

	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
