/* SPDX-License-Identifier: MIT */
/*
 * The dialect of ChatMeteor: what its frames become, what PHP calls empty, what
 * is none of its frames, and what its clients hear, byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "msg_server/dialect/dialect.h"
#include "msg_server/dialect/php_text.h"
#include "shared/proc/log.h"

static struct dialect_ctx ctx;
static struct command got;
static unsigned n_got;
static char kept[4][20000];

static struct str
keep(unsigned i, struct str s)
{
	if (!str_is_set(s))
		return STR_NONE;
	assert_true(s.len < sizeof kept[i]);
	memcpy(kept[i], s.p, s.len);
	return str_n(kept[i], s.len);
}

static void
on_command(void *arg, const struct command *cmd)
{
	assert_ptr_equal(arg, &got);
	n_got++;
	got = *cmd;
	got.rid = keep(0, cmd->rid);
	got.msg = keep(1, cmd->msg);
	got.uid = keep(2, cmd->uid);
	got.tid = keep(3, cmd->tid);
}

static unsigned
decode(const char *text)
{
	struct buf err;

	n_got = 0;
	buf_init(&err, 1024);
	dialect_meteor.decode(&ctx, str_of(text), on_command, &got, &err);
	/* whatever is wrong, its client hears nothing of it */
	assert_int_equal(buf_len(&err), 0);
	buf_fini(&err);
	return n_got;
}

#define WS(cls, method, args)                                         \
	"{\"type\":\"ws\",\"class\":\"" cls "\",\"method\":\"" method \
	"\",\"args\":" args "}"

static void
test_bind(void **state)
{
	(void)state;
	assert_int_equal(
	    decode(WS("setting", "bind", "{\"user_id\":\"1\"}")), 1);
	assert_int_equal(got.kind, CMD_LOGIN);
	assert_int_equal(got.level, 1);
	assert_true(got.no_room && str_eqc(got.uid, "1"));
	assert_int_equal(decode(WS("Setting", "BIND", "{\"user_id\":22}")), 1);
	assert_true(str_eqc(got.uid, "22"));
	assert_int_equal(
	    decode(WS("setting", "bind", "{\"user_id\":\"a b\"}")), 0);
	assert_int_equal(decode(WS("setting", "bind", "{\"user_id\":-1}")), 1);
	assert_int_equal(decode(WS("setting", "bind", "{\"user_id\":1.5}")), 0);
	assert_int_equal(
	    decode(WS("setting", "bind", "{\"user_id\":true}")), 0);
	assert_int_equal(decode(WS("setting", "bind",
			     "{\"user_id\":\"123456789012345678901234567890123"
			     "\"}")),
	    0);
}

static void
test_messages(void **state)
{
	(void)state;
	assert_int_equal(decode(WS("single", "send",
			     "{\"to_user\":\"2\",\"message\":\"<b>\\u4f60</b>/x"
			     "\"}")),
	    1);
	assert_int_equal(got.kind, CMD_MESSAGE);
	assert_true(str_eqc(got.tid, "2") && !str_is_set(got.rid));
	assert_true(str_eqc(got.msg, "<b>你</b>/x"));
	assert_false(got.msg_is_json);
	/* what is no text stays what it was */
	assert_int_equal(
	    decode(WS("single", "send", "{\"to_user\":2,\"message\":12345}")),
	    1);
	assert_true(str_eqc(got.msg, "12345") && got.msg_is_json);
	assert_int_equal(decode(WS("single", "send",
			     "{\"to_user\":2,\"message\":{\"nested\":[1, "
			     "\"x\"]}}")),
	    1);
	assert_true(str_eqc(got.msg, "{\"nested\":[1,\"x\"]}"));
	assert_int_equal(
	    decode(WS("single", "send", "{\"to_user\":2,\"message\":true}")),
	    1);
	assert_int_equal(decode(WS("group", "send",
			     "{\"group_id\":\"fd0164\",\"message\":\"hi\"}")),
	    1);
	assert_true(str_eqc(got.rid, "gfd0164") && !str_is_set(got.tid));
	assert_int_equal(decode(WS("group", "send",
			     "{\"group_id\":123456,\"message\":\"hi\"}")),
	    1);
	assert_true(str_eqc(got.rid, "g123456"));
	/* no group can be called so */
	assert_int_equal(decode(WS("group", "send",
			     "{\"group_id\":\"zzzzzz\",\"message\":\"hi\"}")),
	    0);
	assert_int_equal(decode(WS("group", "send",
			     "{\"group_id\":\"0123456789abcdef0123456789abcdef"
			     "\",\"message\":\"hi\"}")),
	    0);
}

static void
test_length(void **state)
{
	static char text[9000];
	int n;

	(void)state;
	for (unsigned len = 8190; len <= 8194; len++) {
		n = snprintf(text, sizeof text,
		    "{\"type\":\"ws\",\"class\":\"single\",\"method\":\"send\","
		    "\"args\":{\"to_user\":1,\"message\":\"");
		memset(text + n, 'x', len);
		strcpy(text + n + len, "\"}}");
		assert_int_equal(decode(text), len <= 8192);
	}
}

static void
test_empty(void **state)
{
	static const char *const empty[] = {
	    "\"\"", "0", "\"0\"", "null", "false", "[]", "{}", "0.0", "-0.0"};
	static const char *const full[] = {"\"00\"", "\" \"", "1", "true",
	    "[0]", "{\"a\":0}", "\"0.0\"", "-1"};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(empty) + ARRAY_LEN(full); i++) {
		bool is = i < ARRAY_LEN(empty);
		const char *v = is ? empty[i] : full[i - ARRAY_LEN(empty)];

		snprintf(text, sizeof text,
		    WS("single", "send", "{\"to_user\":1,\"message\":%s}"), v);
		assert_int_equal(decode(text), !is);
	}
	assert_int_equal(decode(WS("single", "send", "{\"to_user\":1}")), 0);
	assert_int_equal(decode(WS("single", "send", "{\"message\":1}")), 0);
	assert_int_equal(decode(WS("setting", "bind", "{}")), 0);
	assert_int_equal(decode(WS("setting", "bind", "7")), 0);
	assert_true(php_is_empty(NULL));
}

static void
test_no_frames(void **state)
{
	static const char *const none[] = {"", "x", "[]", "1", "{}",
	    "{\"type\":\"ws\"}",
	    "{\"type\":\"http\",\"class\":\"setting\","
	    "\"method\":\"bind\",\"args\":{\"user_id\":1}}",
	    WS("", "bind", "{\"user_id\":1}"), WS("setting", "", "{}"),
	    WS("SETTING", "bind", "{\"user_id\":1}"),
	    WS("sEtting", "bind", "{\"user_id\":1}"),
	    WS("settin", "bind", "{\"user_id\":1}"),
	    WS("single", "bind", "{\"user_id\":1}"),
	    WS("group", "create", "{\"user_id\":1}"),
	    "{\"type\":\"ws\",\"class\":[],\"method\":{},\"args\":1}",
	    "{\"type\":\"ws\",\"class\":1,\"method\":2,\"args\":1}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_int_equal(decode(none[i]), 0);
	assert_true(dialect_meteor.guess(
	    str_of(WS("setting", "bind", "{\"user_id\":1}"))));
	assert_false(dialect_meteor.guess(STR_LIT("{\"cmd\":\"login\"}")));
	assert_false(dialect_meteor.guess(STR_LIT("{\"type\":\"login\"}")));
	assert_false(dialect_meteor.guess(STR_LIT("")));
}

/* --- out ----------------------------------------------------------------- */

static void
says(const struct event *ev, enum view view, const char *want)
{
	struct buf out;

	buf_init(&out, 1024 * 1024);
	dialect_meteor.encode(ev, 1, view, &out);
	if (!str_eqc(buf_str(&out), want))
		fail_msg("%.*s is not\n%s", STR_ARG(buf_str(&out)), want);
	buf_fini(&out);
}

static void
test_hears(void **state)
{
	struct item it = {.kind = ITEM_MESSAGE,
	    .uid = STR_LIT("1"),
	    .body = STR_LIT("hello, I am 1? <b>你好</b>/x")};
	struct event ev = {.kind = EVENT_ITEM,
	    .item = &it,
	    .uid = STR_LIT("1"),
	    .tid = STR_LIT("2")};

	(void)state;
	says(&ev, VIEW_OTHER,
	    "{\"type\":\"ws\",\"category\":\"single\",\"args\":{\"from_user\":"
	    "\"1\",\"message\":\"hello, I am 1? <b>\\u4f60\\u597d<\\/b>\\/x\"}"
	    "}");
	/* he has said it himself: only to himself does he hear it */
	says(&ev, VIEW_SELF, "");
	ev.tid = STR_LIT("1");
	it.body = STR_LIT("to myself");
	says(&ev, VIEW_SELF,
	    "{\"type\":\"ws\",\"category\":\"single\",\"args\":{\"from_user\":"
	    "\"1\",\"message\":\"to myself\"}}");
	ev.tid = STR_NONE;
	ev.rid = STR_LIT("gfd0164");
	says(&ev, VIEW_SELF,
	    "{\"type\":\"ws\",\"category\":\"group\",\"args\":{\"from_group\":"
	    "\"fd0164\",\"from_user\":\"1\",\"message\":\"to myself\"}}");
	/* by a back end */
	it.uid = STR_NONE;
	says(&ev, VIEW_OTHER,
	    "{\"type\":\"ws\",\"category\":\"group\",\"args\":{\"from_group\":"
	    "\"fd0164\",\"from_user\":\"\",\"message\":\"to myself\"}}");
}

/* JSON in the log, with texts in it that PHP writes otherwise */
static void
test_json(void **state)
{
	static const char *const pairs[][2] = {{"12345", "12345"},
	    {"{\"a/b\":[1,\"x/y\",\"\\\\\",\"\\\"/\"]}",
		"{\"a\\/b\":[1,\"x\\/y\",\"\\\\\",\"\\\"\\/\"]}"},
	    {"[\"你\",\"😀\",\"\\u0001\"]",
		"[\"\\u4f60\",\"\\ud83d\\ude00\",\"\\u0001\"]"},
	    {"[1,2.5,true,null,{}]", "[1,2.5,true,null,{}]"}, {"\"", "\""},
	    {"\"\\", "\"\\"}};
	struct item it = {
	    .kind = ITEM_MESSAGE, .uid = STR_LIT("1"), .flags = ITEM_F_JSON};
	struct event ev = {
	    .kind = EVENT_ITEM, .item = &it, .tid = STR_LIT("2")};
	char want[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		it.body = str_of(pairs[i][0]);
		snprintf(want, sizeof want,
		    "{\"type\":\"ws\",\"category\":\"single\",\"args\":{"
		    "\"from_user\":\"1\",\"message\":%s}}",
		    pairs[i][1]);
		says(&ev, VIEW_OTHER, want);
	}
}

/* what a back end has said to people of another system: its words */
static void
test_push(void **state)
{
	struct item it = {.kind = ITEM_MESSAGE,
	    .uid = STR_LIT("1"),
	    .flags = ITEM_F_JSON | ITEM_F_PUSH,
	    .body = STR_LIT("{\"type\":\"chat\",\"content\":\"a/b\","
			    "\"more\":1}")};
	struct event ev = {
	    .kind = EVENT_ITEM, .item = &it, .tid = STR_LIT("2")};

	(void)state;
	says(&ev, VIEW_OTHER,
	    "{\"type\":\"ws\",\"category\":\"single\",\"args\":{\"from_user\":"
	    "\"1\",\"message\":\"a\\/b\"}}");
}

static void
test_silent(void **state)
{
	struct item it = {
	    .kind = ITEM_MESSAGE, .uid = STR_LIT("1"), .body = STR_LIT("x")};
	struct event ev = {
	    .kind = EVENT_ITEM, .item = &it, .rid = STR_LIT("12")};

	(void)state;
	/* an open room is none of his */
	says(&ev, VIEW_OTHER, "");
	ev.rid = STR_LIT("gab");
	it.kind = ITEM_MEMBER;
	says(&ev, VIEW_OTHER, "");
	it.kind = ITEM_MESSAGE;
	it.flags = ITEM_F_GONE;
	says(&ev, VIEW_OTHER, "");
	it.flags = 0;
	for (int kind = EVENT_NEW_USER; kind <= EVENT_PUSH; kind++) {
		ev.kind = (enum event_kind)kind;
		says(&ev, VIEW_OTHER, "");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bind),
	    cmocka_unit_test(test_messages),
	    cmocka_unit_test(test_length),
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_no_frames),
	    cmocka_unit_test(test_hears),
	    cmocka_unit_test(test_json),
	    cmocka_unit_test(test_push),
	    cmocka_unit_test(test_silent),
	};

	log_init("test", LOG_LEVEL_ERR);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
