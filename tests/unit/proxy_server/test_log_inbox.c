/* SPDX-License-Identifier: MIT */
/*
 * What stands beside the items: records that only grow, one record read in the
 * writer's order, and a user's conversations (log_inbox.h): which, in what
 * order, how many unread, page by page, and that a page has bounds.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proxy_server/log_inbox.h"
#include "shared/base/map.h"
#include "tests/unit/proxy_server/log_fixture.h"

static struct inbox_entry entries[INBOX_MAX];

/* --- records that only grow ---------------------------------------------- */

static void
expect_d(struct fix *f, const char *val)
{
	struct fix_result *r = fix_get(f, "u:1001", "d");

	assert_int_equal(r->code, 200);
	assert_int_equal(r->n_states, val != NULL);
	assert_string_equal(r->val, val != NULL ? val : "");
}

static void
test_raise(void **state)
{
	struct fix *f = *state;
	char ep[EP_LEN + 1];

	strcpy(ep, f->ep);
	expect_d(f, NULL);
	assert_false(fix_raise(f, "u:1001", "d", 31, ep)->dup);
	expect_d(f, "31");
	/* late, or the same again: nothing changes */
	assert_true(fix_raise(f, "u:1001", "d", 30, ep)->dup);
	assert_true(fix_raise(f, "u:1001", "d", 31, ep)->dup);
	assert_true(fix_raise(f, "u:1001", "d", 0, ep)->dup);
	expect_d(f, "31");
	assert_false(fix_raise(f, "u:1001", "d", 32, ep)->dup);
	/* numbers, not texts */
	assert_false(fix_raise(f, "u:1001", "d", 100, ep)->dup);
	assert_true(fix_raise(f, "u:1001", "d", 99, ep)->dup);
	/* of another history */
	assert_true(fix_raise(f, "u:1001", "d", 500, "00000000")->dup);
	expect_d(f, "100");
	/* others are others */
	assert_int_equal(fix_get(f, "u:1002", "d")->n_states, 0);
	assert_int_equal(fix_get(f, "u:1001", "k:12")->n_states, 0);
	fix_close(f);
	fix_open(f);
	expect_d(f, "100");
	assert_true(fix_raise(f, "u:1001", "d", 100, f->ep)->dup);
	assert_false(fix_raise(f, "u:1001", "d", 101, f->ep)->dup);
	/* what is no number is overtaken by any */
	assert_int_equal(fix_set(f, "u:1001", "d", "x"), 0);
	assert_false(fix_raise(f, "u:1001", "d", 1, f->ep)->dup);
	expect_d(f, "1");
}

/* a number of an item: of one that is there */
static void
test_raise_of(void **state)
{
	struct fix *f = *state;
	struct f_raise raise = {.chan = STR_LIT("u:1001"),
	    .key = STR_LIT("k:12"),
	    .n = 1,
	    .ep = str_of(f->ep),
	    .of = STR_LIT("r:12")};
	struct f_append a = fix_append("r:12", "1002", "a1", "hi");

	/* a conversation without a word */
	assert_true(fix_raise_as(f, &raise)->dup);
	assert_int_equal(fix_get(f, "u:1001", "k:12")->n_states, 0);
	assert_int_equal(fix_do(f, &a)->code, 200);
	raise.n = 2;
	assert_true(fix_raise_as(f, &raise)->dup);
	raise.n = INT64_MAX;
	assert_true(fix_raise_as(f, &raise)->dup);
	assert_int_equal(fix_get(f, "u:1001", "k:12")->n_states, 0);
	raise.n = 1;
	assert_false(fix_raise_as(f, &raise)->dup);
	assert_string_equal(fix_get(f, "u:1001", "k:12")->val, "1");
}

static void
say(struct fix *f, const char *from, const char *to, unsigned n)
{
	struct chan_name pair = chan_pair(str_of(from), str_of(to));
	char u0[80], u1[80], cid[32];
	static unsigned serial;

	snprintf(u0, sizeof u0, "u:%s", from);
	snprintf(u1, sizeof u1, "u:%s", to);
	for (unsigned i = 0; i < n; i++) {
		struct f_append a = fix_append(pair.s, from, NULL, "psst");

		snprintf(cid, sizeof cid, "c%u", serial++);
		a.item.cid = str_of(cid);
		a.to[0] = str_of(u0);
		a.to[1] = str_of(u1);
		a.n_to = 2;
		assert_int_equal(fix_send(f, &a), 0);
	}
}

static void
talk(struct fix *f, const char *rid, const char *from, unsigned n)
{
	char chan[80], cid[32];
	static unsigned serial;

	snprintf(chan, sizeof chan, "r:%s", rid);
	for (unsigned i = 0; i < n; i++) {
		struct f_append a = fix_append(chan, from, NULL, "hi");

		snprintf(cid, sizeof cid, "t%u", serial++);
		a.item.cid = str_of(cid);
		assert_int_equal(fix_send(f, &a), 0);
	}
}

/* a touch is answered behind all that was sent before it */
static void
settle(struct fix *f)
{
	unsigned i;

	fix_touch(f, "r:settle", SUB_HEAD, NULL, false);
	do {
		fix_turn(f);
		for (i = f->n_res; i > 0 && f->res[i - 1].kind != LOG_TOUCH;)
			i--;
	} while (i == 0);
	f->n_res = 0;
}

/* "chan head read unread, ..." of a page */
static const char *
listed(const struct f_inboxed *in)
{
	static char text[8192];
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < in->n; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
		    "%s%.*s %u %u %u%s", i > 0 ? ", " : "",
		    STR_ARG(entries[i].chan), (unsigned)entries[i].head,
		    (unsigned)entries[i].read, entries[i].unread,
		    entries[i].has_last ? "" : " -");
	return text;
}

static struct f_inbox
ask(uint16_t n, const char *room0, const char *room1)
{
	struct f_inbox q = {.rid = 7,
	    .chan = STR_LIT("u:1001"),
	    .n = n,
	    .at = {.part = INBOX_ROOMS}};

	if (room0 != NULL)
		q.rooms[q.n_rooms++] = str_of(room0);
	if (room1 != NULL)
		q.rooms[q.n_rooms++] = str_of(room1);
	return q;
}

static void
test_parts(void **state)
{
	struct fix *f = *state;
	struct f_inbox q = ask(50, NULL, NULL);
	struct f_inboxed in = fix_inbox(f, &q, entries);
	struct f_append a;

	assert_int_equal(in.code, 200);
	assert_int_equal(in.next.part, 0);
	assert_true(str_eqc(in.ep, f->ep));
	assert_string_equal(listed(&in), "");
	/* a room without a word is there when he is in it */
	q = ask(50, "12", "13");
	in = fix_inbox(f, &q, entries);
	assert_string_equal(listed(&in), "r:12 0 0 0 -, r:13 0 0 0 -");
	talk(f, "12", "1002", 4);
	talk(f, "12", "1001", 2);
	talk(f, "14", "1002", 3);
	talk(f, "15", "1002", 3);
	say(f, "1002", "1001", 3);
	say(f, "1001", "1003", 2);
	say(f, "1003", "1002", 5);
	say(f, "1001", "1001", 1);
	settle(f);
	fix_raise(f, "u:1001", "k:12", 1, f->ep);
	fix_raise(f, "u:1001", "k:14", 2, f->ep);
	fix_raise(f, "u:1001", "k:16", 2, f->ep);
	fix_raise(f, "u:1001", "k:@1002", 2, f->ep);
	in = fix_inbox(f, &q, entries);
	assert_string_equal(listed(&in),
	    "r:12 6 1 3, r:13 0 0 0 -, p:1001:1001 1 0 0, p:1001:1003 2 0 0, "
	    "p:1001:1002 3 2 1, r:14 3 2 1");
	assert_int_equal(in.next.part, 0);
	/* the newest message, whole */
	assert_true(str_eqc(entries[4].last.body, "psst"));
	assert_true(str_eqc(entries[4].last.uid, "1002"));
	assert_int_equal(entries[4].last.seq, 3);
	/* a mark beyond what is there */
	fix_raise(f, "u:1001", "k:@1002", 99, f->ep);
	/* what was taken back is not to be read; nor is it the words' place */
	a = fix_append("r:14", "1002", "rc1", "");
	a.item.kind = ITEM_RECALL;
	a.item.ref = 3;
	assert_int_equal(fix_do(f, &a)->code, 200);
	q = ask(50, NULL, NULL);
	in = fix_inbox(f, &q, entries);
	assert_string_equal(listed(&in),
	    "p:1001:1001 1 0 0, p:1001:1003 2 0 0, p:1001:1002 3 3 0, "
	    "r:12 6 1 3, r:14 4 2 0");
	assert_int_equal(entries[4].last.seq, 3);
	assert_true(entries[4].last.flags & ITEM_F_GONE);
}

/* one a page: the same, in the same order */
static void
test_pages(void **state)
{
	struct fix *f = *state;
	struct f_inbox q = ask(1, "12", "13");
	struct f_inboxed in;
	char key[STATE_KEY_MAX + 1], all[1024] = "", peer[16];
	unsigned pages = 0;

	talk(f, "12", "1002", 4);
	for (int i = 0; i < 5; i++) {
		snprintf(peer, sizeof peer, "20%d", i);
		say(f, peer, "1001", 3);
	}
	/* the first of them once more: he is the newest now */
	say(f, "200", "1001", 1);
	settle(f);
	fix_raise(f, "u:1001", "k:@203", 1, f->ep);
	fix_raise(f, "u:1001", "k:13", 1, f->ep);
	for (int i = 30; i < 34; i++) {
		snprintf(peer, sizeof peer, "k:%d", i);
		talk(f, peer + 2, "1002", 1);
		settle(f);
		fix_raise(f, "u:1001", peer, 1, f->ep);
	}
	do {
		in = fix_inbox(f, &q, entries);
		assert_int_equal(in.code, 200);
		assert_true(in.n <= 1);
		strcat(strcat(all, listed(&in)), in.n > 0 ? ", " : "");
		q.at = in.next;
		if (str_is_set(in.next.key)) {
			str_copy(key, sizeof key, in.next.key);
			q.at.key = str_of(key);
		}
		assert_true(++pages < 20);
	} while (q.at.part != 0);
	assert_string_equal(all,
	    "r:12 4 0 4, r:13 0 0 0 -, p:1001:200 4 0 4, p:1001:204 3 0 3, "
	    "p:1001:203 3 1 2, p:1001:202 3 0 3, p:1001:201 3 0 3, "
	    "r:30 1 1 0, r:31 1 1 0, r:32 1 1 0, r:33 1 1 0, ");
}

/* who writes between two pages is not passed over, nor there twice */
static void
test_pages_meanwhile(void **state)
{
	struct fix *f = *state;
	struct f_inbox q = ask(1, NULL, NULL);
	struct f_inboxed in;

	say(f, "201", "1001", 3);
	say(f, "202", "1001", 3);
	say(f, "203", "1001", 3);
	settle(f);
	in = fix_inbox(f, &q, entries);
	assert_string_equal(listed(&in), "p:1001:203 3 0 3");
	q.at = in.next;
	/* one who is still to come, one who was here, a newcomer */
	say(f, "201", "1001", 1);
	say(f, "203", "1001", 1);
	say(f, "204", "1001", 1);
	settle(f);
	in = fix_inbox(f, &q, entries);
	assert_string_equal(listed(&in), "p:1001:202 3 0 3");
	q.at = in.next;
	in = fix_inbox(f, &q, entries);
	assert_string_equal(listed(&in), "p:1001:201 4 0 4");
	q.at = in.next;
	in = fix_inbox(f, &q, entries);
	assert_string_equal(listed(&in), "");
	assert_int_equal(in.next.part, 0);
}

/* many words of one: others are found behind them, counting has an end */
static void
test_bounds(void **state)
{
	struct fix *f = *state;
	struct f_inbox q = ask(50, NULL, NULL);
	struct f_inboxed in;

	say(f, "1004", "1001", 1);
	say(f, "1003", "1001", 1);
	say(f, "1002", "1001", INBOX_UNREAD + 500);
	say(f, "1002", "1001", INBOX_WINDOW - INBOX_UNREAD - 501);
	settle(f);
	in = fix_inbox(f, &q, entries);
	assert_string_equal(
	    listed(&in), "p:1001:1002 4999 0 1000, p:1001:1003 1 0 1");
	assert_int_equal(in.next.part, 0);
	/* beyond the window he is known by his mark alone */
	fix_raise(f, "u:1001", "k:@1004", 1, f->ep);
	fix_raise(f, "u:1001", "k:@1003", 1, f->ep);
	in = fix_inbox(f, &q, entries);
	assert_string_equal(listed(&in),
	    "p:1001:1002 4999 0 1000, p:1001:1003 1 1 0, p:1001:1004 1 1 0");
	/* his own words are read */
	say(f, "1001", "1002", 10);
	settle(f);
	in = fix_inbox(f, &q, entries);
	assert_int_equal(entries[0].unread, 990);
}

/* cursors that no server of ours gave */
static void
test_odd_cursors(void **state)
{
	struct fix *f = *state;
	struct f_inbox q = ask(2, NULL, NULL);
	static const uint64_t at[][2] = {{0, 0}, {1, 0}, {3, 2}, {0, 99},
	    {98, 99}, {INT64_MAX, INT64_MAX}, {5, INT64_MAX}};

	say(f, "1002", "1001", 5);
	say(f, "1003", "1001", 5);
	settle(f);
	for (uint8_t part = INBOX_ROOMS; part <= INBOX_MARKS; part++)
		for (size_t i = 0; i < ARRAY_LEN(at); i++) {
			q.at = (struct f_inbox_at){.part = part,
			    .lo = at[i][0],
			    .hi = at[i][1],
			    .key = STR_LIT("zzz")};
			assert_int_equal(fix_inbox(f, &q, entries).code, 200);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, fix_setup_open, fix_teardown)
	    T(test_raise),
	    T(test_raise_of),
	    T(test_parts),
	    T(test_pages),
	    T(test_pages_meanwhile),
	    T(test_bounds),
	    T(test_odd_cursors),
#undef T
	};

	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
