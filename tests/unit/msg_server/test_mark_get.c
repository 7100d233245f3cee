/* SPDX-License-Identifier: MIT */
/*
 * getMarks (msg_server/cmd/cmd_mark_get.c): what is asked of the log for a
 * pair and for a group, a page as it is answered, and what is refused. Log,
 * rooms and answers are fakes.
 */
#include "tests/unit/msg_server/asker_fixture.h"
#include <stdio.h>

static struct relay_get *get;
static struct relay_states *states;
static char asked[256], told[8192];
static int err;

int
relay_get(struct relay *r, const struct f_get *f, struct relay_get *call)
{
	(void)r;
	snprintf(asked, sizeof asked, "%.*s %.*s", STR_ARG(f->chan),
	    STR_ARG(f->key));
	get = err ? NULL : call;
	return err;
}

int
relay_states(
    struct relay *r, const struct f_states *f, struct relay_states *call)
{
	(void)r;
	snprintf(asked, sizeof asked, "%.*s %.*s>%.*s %u", STR_ARG(f->chan),
	    STR_ARG(f->prefix), STR_ARG(f->after), f->n);
	states = err ? NULL : call;
	return err;
}

void
reply_event(struct session *session, const struct event *ev)
{
	assert_ptr_equal(session, &s);
	assert_true(str_eqc(ev->cid, "k1"));
	if (ev->kind == EVENT_ERROR) {
		code = ev->code;
		return;
	}
	assert_int_equal(ev->kind, EVENT_MARKS);
	code = 200;
	snprintf(told, sizeof told, "%.*s@%.*s %u: %u %.*s next %.*s upto %u",
	    STR_ARG(ev->rid), STR_ARG(ev->tid), (unsigned)ev->seq, ev->count,
	    STR_ARG(ev->list), STR_ARG(ev->next), (unsigned)ev->read);
}

static int
setup(void **state)
{
	(void)state;
	asker_setup();
	user.channel.name = "u:amy";
	get = NULL;
	states = NULL;
	asked[0] = told[0] = '\0';
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
ask(const char *rid, const char *tid, uint64_t seq, const char *next)
{
	struct command c = {.kind = CMD_GET_MARKS,
	    .level = 2,
	    .cid = STR_LIT("k1"),
	    .rid = str_of(rid),
	    .tid = str_of(tid),
	    .seq = seq,
	    .next = str_of(next)};

	code = 0;
	told[0] = asked[0] = '\0';
	cmd_get_marks(&srv, &s, &c);
}

static void
answer_pair(unsigned n, const char *val)
{
	struct f_got got = {.code = 200, .val = str_of(val)};
	struct relay_get *call = get;

	assert_non_null(call);
	get = NULL;
	call->done(call, n, n == 200 ? &got : NULL);
}

/* a page of n members from `first` on: m<i> has read i */
static void
answer_group(unsigned n, unsigned first, bool more)
{
	struct f_stated f = {.code = 200, .n = (uint16_t)n, .more = more};
	struct relay_states *call = states;
	char key[STATE_KEY_MAX + 1], val[16];
	struct buf b;

	assert_non_null(call);
	states = NULL;
	buf_init(&b, 1 << 20);
	for (unsigned i = first; i < first + n; i++) {
		snprintf(key, sizeof key, i == 3 ? "k:amy" : "k:m%u", i);
		snprintf(val, sizeof val, i == 5 ? "x" : "%u", i);
		put_stated_rec(&b, &(struct state_rec){
				       .key = str_of(key), .val = str_of(val)});
	}
	call->done(call, 200, &f, buf_str(&b));
	buf_fini(&b);
}

static void
test_a_pair(void **state)
{
	(void)state;
	ask("12", "bob", 7, NULL);
	assert_string_equal(asked, "u:bob k:@amy");
	assert_int_equal(s.asks, 1);
	answer_pair(200, "7");
	assert_int_equal(s.asks, 0);
	assert_string_equal(told, "@bob 7: 1 [\"bob\"] next  upto 7");
	ask(NULL, "bob", 7, NULL);
	answer_pair(200, "6");
	assert_string_equal(told, "@bob 7: 0 [] next  upto 6");
	ask(NULL, "bob", 7, NULL);
	answer_pair(200, NULL);
	assert_string_equal(told, "@bob 7: 0 [] next  upto 0");
	ask(NULL, "bob", 7, NULL);
	answer_pair(200, "damaged");
	assert_string_equal(told, "@bob 7: 0 [] next  upto 0");
	ask(NULL, "bob", 7, NULL);
	answer_pair(503, NULL);
	assert_int_equal(code, 503);
}

static void
test_a_group(void **state)
{
	(void)state;
	ask("gab", NULL, 2, NULL);
	assert_string_equal(asked, "r:gab k:> 1000");
	/* 1 has not, 3 is who asks, 5 is damaged */
	answer_group(5, 1, false);
	assert_string_equal(told, "gab@ 2: 2 [\"m2\",\"m4\"] next  upto 0");
	ask("gab", NULL, 2, "m4");
	assert_string_equal(asked, "r:gab k:>k:m4 1000");
	/* the next page begins behind the last, whether he has read or not */
	answer_group(2, 4, true);
	assert_string_equal(told, "gab@ 2: 1 [\"m4\"] next m5 upto 0");
	ask("gab", NULL, 2, NULL);
	answer_group(0, 1, false);
	assert_string_equal(told, "gab@ 2: 0 [] next  upto 0");
	ask("gab", NULL, 1000, NULL);
	answer_group(1000, 1000, true);
	assert_non_null(strstr(told, "gab@ 1000: 1000 [\"m1000\",\"m1001\","));
}

/* the longest names there are: a page holds them all */
static void
test_a_full_page(void **state)
{
	struct f_stated f = {.code = 200, .n = 1000, .more = true};
	struct relay_states *call;
	char key[STATE_KEY_MAX + 1];
	struct buf b;

	(void)state;
	ask("gab", NULL, 1, NULL);
	call = states;
	buf_init(&b, 1 << 20);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(key, sizeof key, "k:%0*u", ID_MAX, i);
		put_stated_rec(&b, &(struct state_rec){.key = str_of(key),
				       .val = STR_LIT("1")});
	}
	call->done(call, 200, &f, buf_str(&b));
	buf_fini(&b);
	assert_int_equal(code, 200);
	assert_non_null(strstr(told, "gab@ 1: 1000 ["));
}

static void
test_refused(void **state)
{
	(void)state;
	ask("12", NULL, 1, NULL); /* an open room */
	assert_int_equal(code, 400);
	ask("gcd", NULL, 1, NULL); /* not in it */
	assert_int_equal(code, 403);
	assert_string_equal(asked, "");
	err = ERR_BUSY;
	ask("gab", NULL, 1, NULL);
	assert_int_equal(code, 503);
	ask(NULL, "bob", 1, NULL);
	assert_int_equal(code, 503);
	assert_int_equal(s.asks, 0);
	for (unsigned i = 0; i < 18; i++)
		ask(NULL, "bob", 1, NULL);
	assert_int_equal(code, 503);
	ask(NULL, "bob", 1, NULL); /* the 21st at once */
	assert_int_equal(code, 429);
	assert_string_equal(asked, "");
	assert_int_equal(srv.stats[S_GET_MARKS], 20);
}

/* gone before the answer: nobody is told, nothing is left */
static void
test_gone(void **state)
{
	(void)state;
	ask("gab", NULL, 1, NULL);
	ask(NULL, "bob", 1, NULL);
	table_del(&srv.sessions, &s.by_cn, session_key);
	answer_group(2, 1, false);
	answer_pair(200, "1");
	assert_int_equal(code, 0);
	table_add(&srv.sessions, &s.by_cn, session_key);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_a_pair),
	    T(test_a_group),
	    T(test_a_full_page),
	    T(test_refused),
	    T(test_gone),
	};
#undef T

	map_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
