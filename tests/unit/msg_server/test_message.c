/* SPDX-License-Identifier: MIT */
/*
 * message (msg_server/cmd/cmd_message.c): the order of checks, each rate and
 * bound at its limit and one beyond, what goes to the log and what the sender
 * is told when it has answered. Log, rooms and answers are fakes.
 */
#include "msg_server/upload/upload.h"
#include "tests/unit/msg_server/asker_fixture.h"

static char msg[8192];
/* the last append, and what was told */
static struct f_append ap;
static char chan[CHAN_MAX + 1], cid[CID_MAX + 1], to[2][CHAN_MAX + 1];
static struct relay_append *call[80];
static unsigned n_calls;
static int append_err;
static struct event ok;
static char mid_chan[CHAN_MAX + 1];

int
relay_append(struct relay *r, const struct f_append *f, struct relay_append *c)
{
	unsigned i;

	(void)r;
	if (append_err)
		return append_err;
	ap = *f;
	str_copy(chan, sizeof chan, f->chan);
	str_copy(cid, sizeof cid, f->item.cid);
	for (i = 0; i < f->n_to; i++)
		str_copy(to[i], sizeof to[i], f->to[i]);
	call[n_calls++] = c;
	return 0;
}

int
relay_who(struct relay *r, const struct f_who *who, struct relay_who *asked)
{
	(void)r;
	(void)who;
	(void)asked;
	return ERR_BUSY;
}

void
reply_event(struct session *session, const struct event *ev)
{
	assert_ptr_equal(session, &s);
	if (ev->kind == EVENT_ERROR) {
		asker_told(ev->code, ev->retry_ms, ev->v1_text);
		return;
	}
	assert_int_equal(ev->kind, EVENT_OK);
	ok = *ev;
	str_copy(mid_chan, sizeof mid_chan, ev->chan);
	code = 200;
}

static char kept[64]; /* the url that uploads_keep() was told last */

void
uploads_keep(struct server *server, struct str url)
{
	(void)server;
	str_copy(kept, sizeof kept, url);
}

static int64_t base;

static void
seconds(double t)
{
	clock_test_set(1763660000000, base + (int64_t)(t * 1000));
}

static int
setup(void **state)
{
	(void)state;
	asker_setup();
	n_calls = 0;
	append_err = 0;
	srv.set.v1_interval = 2;
	srv.next_cid = 7;
	memset(msg, 'x', sizeof msg);
	base = 1000000000;
	seconds(0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	asker_teardown();
	/* answers to who is gone are for nobody */
	code = 0;
	for (unsigned i = 0; i < n_calls; i++)
		if (call[i] != NULL)
			call[i]->done(call[i], 503, 1000, NULL);
	assert_int_equal(code, 0);
	return 0;
}

static unsigned
say(const char *rid, const char *tid, size_t len, const char *with_cid)
{
	struct command c = {.kind = CMD_MESSAGE,
	    .level = s.level > 1 ? 2 : 1,
	    .msg = str_n(msg, len),
	    .rid = str_of(rid),
	    .tid = str_of(tid),
	    .cid = str_of(with_cid)};

	code = 0;
	retry = 0;
	v1_text = NULL;
	cmd_message(&srv, &s, &c);
	return code;
}

static void
answer(unsigned i, unsigned n, uint32_t retry_ms, const struct f_ack *ack)
{
	struct relay_append *c = call[i];

	call[i] = NULL;
	code = 0;
	c->done(c, n, retry_ms, ack);
}

/* --- what goes to the log ------------------------------------------------ */

static void
test_to_a_room(void **state)
{
	(void)state;
	assert_int_equal(say("12", NULL, 2, "m-1"), 0);
	assert_string_equal(chan, "r:12");
	assert_string_equal(cid, "m-1");
	assert_int_equal(ap.item.kind, ITEM_MESSAGE);
	assert_int_equal(ap.item.flags, 0);
	assert_int_equal(ap.item.cn, s.cn);
	assert_int_equal(ap.n_to, 0);
	assert_true(str_eqc(ap.item.uid, "1001"));
	assert_int_equal(s.pending, 1);
	/* without a cid one is made, a new one each time */
	say("12", NULL, 2, NULL);
	assert_string_equal(cid, "~10000002a.7");
	assert_int_equal(ap.item.flags, ITEM_F_AUTO_CID);
	say("12", NULL, 2, NULL);
	assert_string_equal(cid, "~10000002a.8");
}

/* what was uploaded stays, if a message of its type speaks of it */
static void
test_of_a_file(void **state)
{
	static const enum msg_type types[] = {MSG_PIC, MSG_AUDIO, MSG_FILE};
	struct command c = {.kind = CMD_MESSAGE,
	    .level = 2,
	    .msg = STR_LIT("/u/x"),
	    .rid = STR_LIT("12")};
	unsigned i;

	(void)state;
	kept[0] = '\0';
	cmd_message(&srv, &s, &c);
	assert_string_equal(kept, "");
	for (i = 0; i < ARRAY_LEN(types); i++) {
		kept[0] = '\0';
		c.type = types[i];
		cmd_message(&srv, &s, &c);
		assert_string_equal(kept, "/u/x");
	}
	assert_int_equal(n_calls, 4);
}

static void
test_to_somebody(void **state)
{
	(void)state;
	/* no room is needed, and none is asked for */
	assert_int_equal(say("99", "1002", 2, "m-1"), 0);
	assert_string_equal(chan, "p:1001:1002");
	assert_int_equal(ap.n_to, 2);
	assert_string_equal(to[0], "u:1001");
	assert_string_equal(to[1], "u:1002");
	assert_true(str_eqc(ap.item.rid, "99"));
	/* to himself: once */
	assert_int_equal(say(NULL, "1001", 2, "m-2"), 0);
	assert_string_equal(chan, "p:1001:1001");
	assert_int_equal(ap.n_to, 1);
	/* level 1's empty tid is the room */
	assert_int_equal(say("12", "", 2, "m-3"), 0);
	assert_string_equal(chan, "r:12");
	assert_int_equal(ap.item.flags, ITEM_F_TID_EMPTY);
	assert_int_equal(ap.n_to, 0);
}

/* --- checks ----------------------------------------------------------------
 */

static void
test_checks(void **state)
{
	(void)state;
	assert_int_equal(say("13", NULL, 2, NULL), 403);
	assert_string_equal(v1_text, "您不在该聊天室");
	assert_int_equal(say("12", NULL, 4096, NULL), 0);
	assert_int_equal(say("12", NULL, 4097, NULL), 413);
	s.level = 0;
	s.user = NULL;
	assert_int_equal(say("12", NULL, 2, NULL), 401);
	assert_int_equal(n_calls, 1);
}

/* recorded: the clock is set before anything else is known */
static void
test_level_1_order(void **state)
{
	(void)state;
	s.level = 0;
	s.user = NULL;
	assert_int_equal(say("12", NULL, 2, NULL), 401);
	assert_string_equal(v1_text, "您已丢失登录信息");
	assert_int_equal(say("12", NULL, 2, NULL), 429);
	assert_string_equal(v1_text, "您发送消息的频率过快，请稍后再试");
	s.level = 1;
	s.user = &user;
	assert_int_equal(say("13", NULL, 2, NULL), 429);
	seconds(2);
	assert_int_equal(say("13", NULL, 2, NULL), 403);
	assert_int_equal(say("12", NULL, 2, NULL), 429);
	/* whole seconds count: 1.9 after x.9 is the next but one */
	seconds(3.9);
	assert_int_equal(say("12", NULL, 2, NULL), 429);
	seconds(4);
	assert_int_equal(say("12", NULL, 2, NULL), 0);
	srv.set.v1_interval = 0;
	assert_int_equal(say("12", NULL, 2, NULL), 0);
}

static void
test_session_rate(void **state)
{
	int i;

	(void)state;
	srv.set.uid_rate = 1000;
	for (i = 0; i < 20; i++)
		assert_int_equal(say("12", NULL, 2, "m"), 0);
	assert_int_equal(say("12", NULL, 2, "m"), 429);
	assert_in_range(retry, 1, 201);
	seconds(0.2);
	assert_int_equal(say("12", NULL, 2, "m"), 0);
	assert_int_equal(say("12", NULL, 2, "m"), 429);
}

/* all sessions of a user share his bucket */
static void
test_user_rate(void **state)
{
	int i;

	(void)state;
	srv.set.send_rate = srv.set.send_burst = 1000;
	for (i = 0; i < 20; i++)
		assert_int_equal(say("12", NULL, 2, "m"), 0);
	memset(&busy.send, 0, sizeof busy.send);
	assert_int_equal(say("12", NULL, 2, "m"), 429);
	seconds(0.1);
	assert_int_equal(say("12", NULL, 2, "m"), 0);
	assert_int_equal(say("12", NULL, 2, "m"), 429);
}

static void
test_pending(void **state)
{
	struct f_ack ack = {.seq = 1};
	int i;

	(void)state;
	srv.set.send_rate = srv.set.send_burst = srv.set.uid_rate = 1000;
	for (i = 0; i < 64; i++)
		assert_int_equal(say("12", NULL, 2, "m"), 0);
	assert_int_equal(say("12", NULL, 2, "m"), 503);
	assert_int_equal(retry, 1000);
	answer(0, 200, 0, &ack);
	assert_int_equal(say("12", NULL, 2, "m"), 0);
}

/* --- what the sender is told
 * -------------------------------------------------- */

static void
test_answers(void **state)
{
	struct f_ack ack = {.seq = 852, .ts = 1763660001200};

	(void)state;
	say("12", NULL, 2, "m-1");
	answer(0, 200, 0, &ack);
	assert_int_equal(code, 200);
	assert_int_equal(ok.seq, 852);
	assert_false(ok.dup);
	assert_string_equal(mid_chan, "r:12");
	assert_int_equal(s.pending, 0);
	say(NULL, "1002", 2, "m-2");
	ack.useq = 5;
	ack.dup = true;
	answer(1, 200, 0, &ack);
	assert_int_equal(ok.useq, 5);
	assert_true(ok.dup);
	assert_string_equal(mid_chan, "p:1001:1002");
	/* nothing without a cid, and nothing to level 1 */
	say("12", NULL, 2, NULL);
	answer(2, 200, 0, &ack);
	assert_int_equal(code, 0);
	s.level = 1;
	say("12", NULL, 2, NULL);
	answer(3, 200, 0, &ack);
	assert_int_equal(code, 0);
}

static void
test_refusals_of_the_log(void **state)
{
	(void)state;
	say("12", NULL, 2, "m-1");
	answer(0, 403, 0, NULL);
	assert_int_equal(code, 403);
	assert_string_equal(v1_text, "您已被禁言");
	assert_int_equal(retry, 0);
	say("12", NULL, 2, "m-2");
	answer(1, 503, 5000, NULL);
	assert_int_equal(code, 503);
	assert_int_equal(retry, 5000);
	assert_string_equal(v1_text, "服务器繁忙，请稍后再试");
	say("12", NULL, 2, "m-3");
	answer(2, 503, 0, NULL);
	assert_int_equal(retry, 1000);
	append_err = ERR_BUSY;
	assert_int_equal(say("12", NULL, 2, "m-4"), 503);
	assert_int_equal(s.pending, 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_to_a_room),
	    T(test_of_a_file),
	    T(test_to_somebody),
	    T(test_checks),
	    T(test_level_1_order),
	    T(test_session_rate),
	    T(test_user_rate),
	    T(test_pending),
	    T(test_answers),
	    T(test_refusals_of_the_log),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
