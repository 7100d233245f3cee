/* SPDX-License-Identifier: MIT */
/*
 * getHistory (msg_server/cmd/cmd_get_history.c): what is asked of the log, and
 * a page that a recall has overtaken on its way: it is read again, and said to
 * nobody. Log, rooms, recent items and answers are fakes.
 */
#include <stdio.h>

#include "msg_server/follow/recent.h"
#include "tests/unit/msg_server/asker_fixture.h"

static struct room room;
static struct relay_read *call;
static char asked[128];
static unsigned n_asked, n_told, n_kept;
static int err;

int
relay_read(struct relay *r, const struct f_read *f, struct relay_read *c)
{
	(void)r;
	snprintf(asked, sizeof asked, "%.*s %llu%s%u", STR_ARG(f->chan),
	    (unsigned long long)f->from, f->back ? "<" : ">", f->n);
	call = err ? NULL : c;
	n_asked += !err;
	return err;
}

bool
recent_page(struct recent *r, struct channel *c, const struct f_read *q,
    struct f_page *page, struct buf *items)
{
	(void)r;
	(void)c;
	(void)q;
	(void)page;
	(void)items;
	return false;
}

void
recent_fill(struct recent *r, struct channel *c, const struct f_page *page,
    struct str items, uint32_t erased)
{
	(void)r;
	(void)page;
	(void)items;
	assert_int_equal(erased, c->erased);
	n_kept++;
}

const char *
channel_ep(const struct channel *c)
{
	(void)c;
	return "9f3a01c2";
}

void
channel_heard_first(struct channel *c, uint64_t first)
{
	(void)c;
	(void)first;
}

void
reply_event(struct session *session, const struct event *ev)
{
	assert_ptr_equal(session, &s);
	if (ev->kind == EVENT_ERROR) {
		asker_told(ev->code, ev->retry_ms, ev->v1_text);
		return;
	}
	assert_int_equal(ev->kind, EVENT_HISTORY);
	n_told++;
	code = 200;
}

static int
setup(void **state)
{
	(void)state;
	asker_setup();
	memset(&room, 0, sizeof room);
	room.channel.name = "r:12";
	member.room = &room;
	user.channel.name = "u:amy";
	user.channel.erased = 0;
	call = NULL;
	n_asked = n_told = n_kept = code = 0;
	err = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	asker_teardown();
	return 0;
}

static void
ask(const char *rid, const char *tid)
{
	struct command cmd = {.kind = CMD_GET_HISTORY,
	    .level = 2,
	    .cid = STR_LIT("h1"),
	    .rid = rid != NULL ? str_of(rid) : STR_NONE,
	    .tid = tid != NULL ? str_of(tid) : STR_NONE,
	    .has_before = true,
	    .before = 40,
	    .limit = 20};

	cmd_get_history(&srv, &s, &cmd);
}

static void
answer(unsigned n)
{
	struct f_page page = {
	    .code = 200, .ep = STR_LIT("9f3a01c2"), .first = 1, .head = 50};

	call->done(call, n, n == 200 ? &page : NULL, STR_NONE);
}

static void
test_page(void **state)
{
	(void)state;
	ask("12", NULL);
	assert_string_equal(asked, "r:12 39<20");
	answer(200);
	assert_int_equal(n_told, 1);
	assert_int_equal(n_kept, 1);
	assert_int_equal(n_asked, 1);
	ask(NULL, "bob");
	assert_string_equal(asked, "p:amy:bob 39<20");
	answer(200);
	assert_int_equal(n_told, 2);
	assert_int_equal(n_kept, 1);
	ask("12", NULL);
	answer(503);
	assert_int_equal(code, 503);
	err = ERR_BUSY;
	code = 0;
	ask("12", NULL);
	assert_int_equal(code, 503);
	assert_int_equal(s.asks, 0);
}

static void
test_recalled_meanwhile(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 2; pair++) {
		struct channel *c = pair ? &user.channel : &room.channel;

		n_asked = n_told = 0;
		ask(pair ? NULL : "12", pair ? "bob" : NULL);
		c->erased++;
		answer(200);
		assert_int_equal(n_told, 0);
		assert_int_equal(n_asked, 2);
		assert_string_equal(
		    asked, pair ? "p:amy:bob 39<20" : "r:12 39<20");
		assert_int_equal(s.asks, 1);
		answer(200);
		assert_int_equal(n_told, 1);
		assert_int_equal(n_asked, 2);
		assert_int_equal(s.asks, 0);
	}
}

/* recalls without end: not now, and never the words */
static void
test_recall_after_recall(void **state)
{
	(void)state;
	ask("12", NULL);
	for (unsigned n = 1; code == 0; n++) {
		assert_int_equal(n_asked, n);
		assert_true(n <= 4);
		room.channel.erased++;
		answer(200);
	}
	assert_int_equal(code, 503);
	assert_true(retry > 0);
	assert_int_equal(n_asked, 4);
	assert_int_equal(n_told, 0);
	/* nor when the log can't be asked again */
	code = 0;
	ask("12", NULL);
	room.channel.erased++;
	err = ERR_BUSY;
	answer(200);
	assert_int_equal(code, 503);
	assert_int_equal(s.asks, 0);
}

/* who is gone is told nothing, however often it was recalled */
static void
test_gone(void **state)
{
	(void)state;
	ask("12", NULL);
	table_del(&srv.sessions, &s.by_cn, session_key);
	room.channel.erased++;
	answer(200);
	assert_int_equal(n_told, 0);
	assert_int_equal(n_asked, 1);
	table_add(&srv.sessions, &s.by_cn, session_key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(test_page), T(test_recalled_meanwhile),
	    T(test_recall_after_recall), T(test_gone)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
