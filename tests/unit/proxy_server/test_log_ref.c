/* SPDX-License-Identifier: MIT */
/*
 * Items that mean another one (log_ref.h): who may, and that a recall leaves no
 * word of the message nor of any of its edits, in rows, in memory, in the
 * inbox, in the file's bytes; with keep_days 0, too.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy_server/log_ref.h"
#include "shared/base/map.h"
#include "tests/unit/proxy_server/log_fixture.h"

static struct item items[FIX_PAGE_MAX];

static void
start(struct fix *f, int64_t keep_days)
{
	fix_init(f);
	f->set.recent_bytes = 8 * 1024 * 1024;
	f->set.keep_days = keep_days;
	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
}

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	start(f, 90);
	*state = f;
	return 0;
}

static int
setup_unkept(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	start(f, 0);
	*state = f;
	return 0;
}

/* code of one of a kind, by uid, that means ref */
static unsigned
means(struct fix *f, const char *chan, uint8_t kind, const char *uid,
    uint64_t ref, const char *text)
{
	struct f_append a = fix_append(chan, uid, NULL, text);

	a.item.kind = kind;
	a.item.ref = ref;
	if (chan[0] == 'p') {
		a.to[a.n_to++] = STR_LIT("u:1001");
		a.to[a.n_to++] = STR_LIT("u:1002");
	}
	return fix_do(f, &a)->code;
}

static unsigned
said(struct fix *f, const char *uid, const char *text)
{
	return means(f, "r:1", ITEM_MESSAGE, uid, 0, text);
}

/* the whole of a channel, from wherever a READ of it comes */
static unsigned
all(struct fix *f, const char *chan)
{
	struct f_read q = {.rid = 1, .chan = str_of(chan), .n = FIX_PAGE_MAX};

	return fix_read(f, &q, items).n_items;
}

static bool
is_gone(const struct item *it)
{
	return (it->flags & ITEM_F_GONE) && !str_is_set(it->body) &&
	       !(it->flags & ITEM_F_AT) && !str_is_set(it->at);
}

/* both: rows, and memory alone */
static void
test_judge(void **state)
{
	struct fix *f = *state;

	/* a channel nobody has spoken in */
	assert_int_equal(means(f, "r:9", ITEM_REACT, "1001", 1, "+1"), 404);
	said(f, "1001", "one");
	said(f, "1002", "two");
	assert_int_equal(means(f, "r:1", ITEM_EDIT, "1001", 1, "uno"), 200);
	assert_int_equal(means(f, "r:1", ITEM_REACT, "1002", 1, "+1"), 200);
	/* his own alone */
	assert_int_equal(means(f, "r:1", ITEM_EDIT, "1001", 2, "dos"), 403);
	assert_int_equal(means(f, "r:1", ITEM_RECALL, "1001", 2, NULL), 403);
	assert_int_equal(means(f, "r:1", ITEM_RECALL, NULL, 2, NULL), 403);
	/* what is there, and a message */
	assert_int_equal(means(f, "r:1", ITEM_EDIT, "1001", 0, "x"), 404);
	assert_int_equal(means(f, "r:1", ITEM_EDIT, "1001", 3, "x"), 404);
	assert_int_equal(means(f, "r:1", ITEM_REACT, "1001", 4, "x"), 404);
	assert_int_equal(means(f, "r:1", ITEM_REACT, "1001", 5, "x"), 404);
	assert_int_equal(
	    means(f, "r:1", ITEM_REACT, "1001", UINT64_MAX, "x"), 404);
	/* of this channel */
	assert_int_equal(means(f, "r:2", ITEM_REACT, "1001", 1, "x"), 404);
	assert_int_equal(means(f, "r:1", ITEM_RECALL, "1001", 1, NULL), 200);
	assert_int_equal(means(f, "r:1", ITEM_EDIT, "1001", 1, "x"), 409);
	assert_int_equal(means(f, "r:1", ITEM_REACT, "1002", 1, "x"), 409);
	assert_int_equal(means(f, "r:1", ITEM_RECALL, "1001", 1, NULL), 200);
	/* one, two, edit, react, recall, recall: what is refused has no place
	 */
	assert_int_equal(all(f, "r:1"), 6);
}

/* both in one commit: the second is judged by the first */
static void
test_at_once(void **state)
{
	struct fix *f = *state;
	struct f_append recall, edit;
	unsigned n;

	said(f, "1001", "one");
	recall = fix_append("r:1", "1001", "c1", NULL);
	recall.item.kind = ITEM_RECALL;
	recall.item.ref = 1;
	edit = fix_append("r:1", "1001", "c2", "uno");
	edit.item.kind = ITEM_EDIT;
	edit.item.ref = 1;
	n = f->n_res;
	assert_int_equal(fix_send(f, &recall), 0);
	assert_int_equal(fix_send(f, &edit), 0);
	fix_wait_results(f, n + 2);
	assert_int_equal(f->res[n].code, 200);
	assert_int_equal(f->res[n + 1].code, 409);
	/* the same recall again is the same one */
	assert_true(fix_do(f, &recall)->dup);
	assert_int_equal(fix_last(f)->seq, 2);
}

/* with keep_days 0 a recall that was not stored recalls nothing */
static void
test_refused_recall(void **state)
{
	struct fix *f = *state;
	struct f_append a = fix_append("r:1", "1001", "c1", NULL);

	said(f, "1001", "one");
	a.item.kind = ITEM_RECALL;
	a.item.ref = 1;
	a.need = STR_LIT("m:1001");
	assert_int_equal(fix_do(f, &a)->code, 403);
	assert_int_equal(means(f, "r:1", ITEM_EDIT, "1001", 1, "uno"), 200);
	/* nor does one with the cid of something else */
	a = fix_append("r:1", "1001", "c2", "two");
	assert_int_equal(fix_do(f, &a)->seq, 3);
	a.item.kind = ITEM_RECALL;
	a.item.ref = 1;
	assert_true(fix_do(f, &a)->dup);
	assert_int_equal(means(f, "r:1", ITEM_REACT, "1001", 1, "+1"), 200);
	assert_int_equal(all(f, "r:1"), 4);
	assert_true(str_eqc(items[0].body, "one"));
}

static void
expect_recalled(struct fix *f, const char *chan)
{
	static const uint8_t kinds[] = {ITEM_MESSAGE, ITEM_MESSAGE, ITEM_EDIT,
	    ITEM_EDIT, ITEM_REACT, ITEM_EDIT, ITEM_RECALL};

	assert_int_equal(all(f, chan), ARRAY_LEN(kinds));
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
		assert_int_equal(items[i].kind, kinds[i]);
	assert_true(is_gone(&items[0]));
	assert_true(is_gone(&items[2]));
	assert_true(is_gone(&items[5]));
	/* those of the other message stay, as does a reaction */
	assert_true(str_eqc(items[1].body, "other"));
	assert_true(str_eqc(items[3].body, "another"));
	assert_true(str_eqc(items[4].body, "+1"));
	assert_int_equal(items[6].ref, 1);
}

/* two messages, edited by turns, the first recalled */
static void
edit_and_recall(struct fix *f, const char *chan)
{
	struct f_append a = fix_append(chan, "1001", NULL, "SECRET-one");

	a.item.flags = ITEM_F_AT;
	a.item.at = STR_LIT("SECRET-you");
	if (chan[0] == 'p') {
		a.to[a.n_to++] = STR_LIT("u:1001");
		a.to[a.n_to++] = STR_LIT("u:1002");
	}
	assert_int_equal(fix_do(f, &a)->code, 200);
	assert_int_equal(means(f, chan, ITEM_MESSAGE, "1001", 0, "other"), 200);
	assert_int_equal(
	    means(f, chan, ITEM_EDIT, "1001", 1, "SECRET-two"), 200);
	assert_int_equal(means(f, chan, ITEM_EDIT, "1001", 2, "another"), 200);
	assert_int_equal(means(f, chan, ITEM_REACT, "1002", 1, "+1"), 200);
	assert_int_equal(
	    means(f, chan, ITEM_EDIT, "1001", 1, "SECRET-three"), 200);
	assert_int_equal(means(f, chan, ITEM_RECALL, "1001", 1, NULL), 200);
}

static void
test_room(void **state)
{
	struct fix *f = *state;

	edit_and_recall(f, "r:1");
	expect_recalled(f, "r:1");
	if (f->set.keep_days == 0)
		return;
	/* from the rows */
	fix_close(f);
	fix_open(f);
	expect_recalled(f, "r:1");
}

static void
test_private(void **state)
{
	struct fix *f = *state;

	edit_and_recall(f, "p:1001:1002");
	expect_recalled(f, "p:1001:1002");
	expect_recalled(f, "u:1001");
	expect_recalled(f, "u:1002");
	assert_int_equal(items[6].useq, 7);
	if (f->set.keep_days == 0)
		return;
	fix_close(f);
	fix_open(f);
	expect_recalled(f, "u:1002");
}

static bool
file_has(struct fix *f, const char *name, const char *text)
{
	char path[128], *bytes;
	struct stat st;
	bool has;
	int fd;

	fix_path(f, name, path);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	assert_int_equal(fstat(fd, &st), 0);
	bytes = xmalloc((size_t)st.st_size + 1);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	has = memmem(bytes, (size_t)st.st_size, text, strlen(text)) != NULL;
	free(bytes);
	return has;
}

/* not only not shown: once what was written is where it belongs, it is gone */
static void
test_bytes(void **state)
{
	struct fix *f = *state;
	struct f_append a;
	static char large[9000];

	edit_and_recall(f, "r:1");
	/* and one of several pages */
	memset(large, 'x', sizeof large - 1);
	memcpy(large + 8000, "SECRET-four", 11);
	assert_int_equal(means(f, "r:1", ITEM_MESSAGE, "1001", 0, large), 200);
	a = fix_append("r:1", "1001", NULL, NULL);
	a.item.kind = ITEM_RECALL;
	a.item.ref = 8;
	assert_int_equal(fix_do(f, &a)->seq, 9);
	fix_close(f);
	assert_true(file_has(f, "messages.db", "another"));
	assert_false(file_has(f, "messages.db", "SECRET"));
	assert_false(file_has(f, "messages.db-wal", "SECRET"));
	fix_open(f);
}

static void
test_edits_max(void **state)
{
	struct fix *f = *state;
	char text[16];

	said(f, "1001", "one");
	said(f, "1001", "two");
	for (unsigned i = 0; i < LOG_EDITS_MAX; i++) {
		snprintf(text, sizeof text, "edit %u", i);
		assert_int_equal(
		    means(f, "r:1", ITEM_EDIT, "1001", 1, text), 200);
	}
	assert_int_equal(means(f, "r:1", ITEM_EDIT, "1001", 1, "x"), 409);
	assert_int_equal(means(f, "r:1", ITEM_EDIT, "1001", 2, "x"), 200);
	assert_int_equal(means(f, "r:1", ITEM_RECALL, "1001", 1, NULL), 200);
	assert_int_equal(all(f, "r:1"), LOG_EDITS_MAX + 4);
	for (unsigned i = 0; i < LOG_EDITS_MAX; i++)
		assert_true(is_gone(&items[2 + i]));
	assert_true(str_eqc(items[LOG_EDITS_MAX + 2].body, "x"));
}

/* one more recall of the same looks for nothing: it had no more words */
static void
test_again(void **state)
{
	struct fix *f = *state;
	struct chan_row chan;
	struct logdb db;
	bool fresh, again;

	said(f, "1001", "one");
	said(f, "1001", "two");
	assert_int_equal(means(f, "r:1", ITEM_EDIT, "1001", 1, "uno"), 200);
	assert_int_equal(means(f, "r:1", ITEM_EDIT, "1001", 2, "dos"), 200);
	assert_int_equal(means(f, "r:1", ITEM_RECALL, "1001", 1, NULL), 200);
	assert_int_equal(means(f, "r:1", ITEM_RECALL, "1001", 1, NULL), 200);
	assert_int_equal(all(f, "r:1"), 6);
	assert_true(is_gone(&items[0]) && is_gone(&items[2]));
	assert_false(is_gone(&items[1]) || is_gone(&items[3]));
	fix_close(f);
	assert_int_equal(logdb_open(&db, f->dir, LOG_SYNC_OFF, &fresh), 0);
	assert_int_equal(logdb_chan_get(&db, STR_LIT("r:1"), &chan), 0);
	assert_int_equal(logdb_begin(&db), 0);
	assert_int_equal(log_ref_erase(&db, chan.id, 1, &again), 0);
	assert_true(again);
	assert_int_equal(log_ref_erase(&db, chan.id, 2, &again), 0);
	assert_false(again);
	assert_int_equal(logdb_item_erase(&db, chan.id, 4), 1);
	assert_int_equal(log_ref_erase(&db, chan.id, 99, &again), 0);
	assert_false(again);
	assert_int_equal(logdb_commit(&db), 0);
	logdb_close(&db);
	fix_open(f);
	assert_int_equal(all(f, "r:1"), 6);
	assert_true(is_gone(&items[1]) && is_gone(&items[3]));
}

/* what retention has passed can't be meant any more, row or no row */
static void
test_passed(void **state)
{
	struct fix *f = *state;

	said(f, "1001", "one");
	said(f, "1001", "two");
	fix_close(f);
	fix_sql(f, "UPDATE chan SET first=2");
	fix_open(f);
	assert_int_equal(means(f, "r:1", ITEM_RECALL, "1001", 1, NULL), 404);
	assert_int_equal(means(f, "r:1", ITEM_RECALL, "1001", 2, NULL), 200);
}

static const struct item *
last_of(struct fix *f)
{
	static struct inbox_entry entries[50];
	struct f_inbox q = {.rid = 1,
	    .chan = STR_LIT("u:1001"),
	    .n = 50,
	    .at = {.part = INBOX_ROOMS},
	    .n_rooms = 1,
	    .rooms = {STR_LIT("1")}};
	struct f_inboxed in = fix_inbox(f, &q, entries);

	assert_int_equal(in.code, 200);
	assert_int_equal(in.n, 1);
	assert_true(entries[0].has_last);
	return &entries[0].last;
}

/* the last message of a conversation, in the words it has now */
static void
test_inbox(void **state)
{
	struct fix *f = *state;
	const struct item *it;

	said(f, "1001", "first");
	said(f, "1001", "last");
	means(f, "r:1", ITEM_EDIT, "1001", 1, "first, later");
	assert_true(str_eqc(last_of(f)->body, "last"));
	means(f, "r:1", ITEM_EDIT, "1001", 2, "edited");
	means(f, "r:1", ITEM_EDIT, "1001", 2, "edited again");
	means(f, "r:1", ITEM_REACT, "1001", 2, "+1");
	it = last_of(f);
	assert_int_equal(it->kind, ITEM_MESSAGE);
	assert_int_equal(it->seq, 2);
	assert_true(str_eqc(it->body, "edited again"));
	means(f, "r:1", ITEM_RECALL, "1001", 2, NULL);
	it = last_of(f);
	assert_int_equal(it->seq, 2);
	assert_true(is_gone(it));
}

/* a file of before: no `at`, no index */
static void
test_older_file(void **state)
{
	struct fix *f = *state;

	said(f, "1001", "one");
	fix_close(f);
	fix_sql(f, "DROP INDEX item_edit; ALTER TABLE item DROP COLUMN at;"
		   "PRAGMA user_version=1;");
	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
	assert_int_equal(means(f, "r:1", ITEM_EDIT, "1001", 1, "uno"), 200);
	assert_int_equal(means(f, "r:1", ITEM_RECALL, "1001", 1, NULL), 200);
	assert_int_equal(all(f, "r:1"), 3);
	assert_true(is_gone(&items[0]) && is_gone(&items[1]));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fix_teardown)
#define U(name) \
	cmocka_unit_test_setup_teardown(name, setup_unkept, fix_teardown)
	const struct CMUnitTest tests[] = {
	    T(test_judge),
	    U(test_judge),
	    T(test_at_once),
	    U(test_at_once),
	    U(test_refused_recall),
	    T(test_room),
	    U(test_room),
	    T(test_private),
	    U(test_private),
	    T(test_bytes),
	    T(test_edits_max),
	    T(test_again),
	    T(test_passed),
	    T(test_inbox),
	    T(test_older_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
