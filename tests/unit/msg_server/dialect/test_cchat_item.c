/* SPDX-License-Identifier: MIT */
/*
 * The cchat dialect: at, edit, recall, react, title and what comes of them, at
 * each limit and one beyond; and that level 1 and the older dialects have no
 * word for any of it.
 */
#include "tests/unit/msg_server/cchat_fixture.h"

static char text[8192];

static void
refused(const char *json, const char *why)
{
	char want[256];

	snprintf(want, sizeof want,
	    "{\"cmd\":\"error\",\"errCode\":400,\"errMsg\":\"%s\","
	    "\"cid\":\"c\"}",
	    why);
	assert_string_equal(decode(json), want);
}

/* a command of level 2 with a cid */
static const char *
with(const char *cmd, const char *rest)
{
	snprintf(
	    text, sizeof text, "{\"cmd\":\"%s\",\"cid\":\"c\",%s}", cmd, rest);
	return text;
}

/* n uids of a list, each of len characters */
static const char *
called(unsigned n, unsigned len)
{
	char list[4096] = "";
	size_t at = 0;

	for (unsigned i = 0; i < n; i++)
		at += (size_t)snprintf(list + at, sizeof list - at,
		    "%s\"%0*u\"", i > 0 ? "," : "", (int)len, i);
	snprintf(text, sizeof text,
	    "{\"cmd\":\"message\",\"type\":\"text\",\"rid\":\"12\",\"cid\":"
	    "\"c\",\"msg\":\"hi\",\"at\":[%s]}",
	    list);
	return text;
}

static void
test_at(void **state)
{
	static const char *const bad[] = {"\"1002\"", "{}", "[\"\"]",
	    "[\"a b\"]", "[null]", "[1.5]", "[-7]", "[[]]", "[\"a,b\"]",
	    "[\"\\u0000\"]", "true", "7"};
	char rest[128];

	(void)state;
	level(2);
	assert_string_equal(decode(called(2, 4)), "");
	assert_true(str_eqc(got.at, "0000,0001"));
	assert_true(str_eqc(got.msg, "hi"));
	/* numbers are uids, too; once is enough */
	assert_string_equal(
	    decode(with("message", "\"type\":\"text\",\"rid\":\"12\",\"msg\":"
				   "\"hi\",\"at\":[7,\"8\",\"7\",8,9]")),
	    "");
	assert_true(str_eqc(got.at, "7,8,9"));
	/* none */
	assert_string_equal(decode(called(0, 4)), "");
	assert_false(str_is_set(got.at));
	assert_string_equal(
	    decode(with("message",
		"\"type\":\"text\",\"rid\":\"12\",\"msg\":\"\",\"at\":null")),
	    "");
	assert_false(str_is_set(got.at));
	/* the most there can be, and one beyond */
	assert_string_equal(decode(called(AT_MAX, ID_MAX)), "");
	assert_int_equal(got.at.len, AT_BYTES);
	refused(called(AT_MAX + 1, 2), "at is a list of 50 uids");
	refused(called(1, ID_MAX + 1), "bad uid in at");
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(rest, sizeof rest,
		    "\"type\":\"text\",\"rid\":\"1\",\"msg\":\"\",\"at\":%s",
		    bad[i]);
		assert_non_null(strstr(decode(with("message", rest)), "400"));
	}
	/* level 1 knows no such key */
	level(1);
	assert_string_equal(decode("{\"cmd\":\"message\",\"type\":\"text\","
				   "\"rid\":\"1\",\"msg\":\"hi\","
				   "\"at\":[\"1\"]}"),
	    "");
	assert_false(str_is_set(got.at));
}

static void
test_edit(void **state)
{
	(void)state;
	level(2);
	assert_string_equal(
	    decode(with("edit", "\"rid\":12,\"ref\":852,\"msg\":\"hello\"")),
	    "");
	assert_int_equal(got.kind, CMD_EDIT);
	assert_int_equal(got.level, 2);
	assert_int_equal(got.ref, 852);
	assert_true(str_eqc(got.rid, "12"));
	assert_true(str_eqc(got.msg, "hello"));
	assert_true(str_eqc(got.cid, "c"));
	assert_string_equal(
	    decode(with("edit", "\"tid\":\"7\",\"ref\":1,\"msg\":\"\"")), "");
	assert_true(str_eqc(got.tid, "7"));
	assert_string_equal(
	    decode(with("edit",
		"\"rid\":\"1\",\"ref\":9007199254740992,\"msg\":\"x\"")),
	    "");
	refused(with("edit", "\"rid\":\"1\",\"ref\":1"), "msg must be a text");
	refused(with("edit", "\"rid\":\"1\",\"ref\":1,\"msg\":7"),
	    "msg must be a text");
	refused(
	    with("edit", "\"ref\":1,\"msg\":\"\""), "rid or tid is missing");
	refused(
	    with("edit", "\"rid\":\"a b\",\"ref\":1,\"msg\":\"\""), "bad rid");
}

static void
test_ref(void **state)
{
	static const char *const bad[] = {"0", "-1", "\"1\"", "1.5", "null",
	    "true", "[1]", "9007199254740993", "9223372036854775807"};
	char rest[128];

	(void)state;
	level(2);
	assert_string_equal(
	    decode(with("recall", "\"rid\":\"12\",\"ref\":3")), "");
	assert_int_equal(got.kind, CMD_RECALL);
	assert_int_equal(got.ref, 3);
	refused(
	    with("recall", "\"rid\":\"12\""), "ref is the seq of a message");
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(
		    rest, sizeof rest, "\"rid\":\"12\",\"ref\":%s", bad[i]);
		refused(with("recall", rest), "ref is the seq of a message");
	}
}

static const char *
reaction(const char *emo, const char *more)
{
	static char rest[256];

	snprintf(rest, sizeof rest, "\"rid\":\"12\",\"ref\":3,\"emo\":%s%s",
	    emo, more);
	return with("react", rest);
}

static void
test_react(void **state)
{
	static const char why[] = "emo has 1 to 32 bytes";
	static const char *const bad[] = {"\"\"", "7", "null", "\"a\\nb\"",
	    "\"\\u0000\"", "\"\\u007f\"", "\"\\u0085\"", "\"\\u202e\"",
	    "\"\\u2028\"", "\"123456789012345678901234567890123\"", "[\"+1\"]"};

	(void)state;
	level(2);
	assert_string_equal(decode(reaction("\"+1\"", "")), "");
	assert_int_equal(got.kind, CMD_REACT);
	assert_true(got.on);
	assert_true(str_eqc(got.emo, "+1"));
	assert_string_equal(decode(reaction("\"+1\"", ",\"on\":false")), "");
	assert_false(got.on);
	assert_string_equal(decode(reaction("\"+1\"", ",\"on\":null")), "");
	assert_true(got.on);
	/* 32 bytes; a family of four with joiners between is one */
	assert_string_equal(
	    decode(reaction("\"12345678901234567890123456789012\"", "")), "");
	assert_string_equal(
	    decode(reaction("\"\\ud83d\\udc68\\u200d\\ud83d\\udc69\\u200d"
			    "\\ud83d\\udc67\\u200d\\ud83d\\udc66\"",
		"")),
	    "");
	assert_int_equal(got.emo.len, 25);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		refused(reaction(bad[i], ""), why);
	refused(with("react", "\"rid\":\"12\",\"ref\":3"), why);
	refused(reaction("\"+1\"", ",\"on\":1"), "on is true or false");
	refused(with("react", "\"rid\":\"12\",\"emo\":\"+1\""),
	    "ref is the seq of a message");
}

static void
test_title(void **state)
{
	static const char why[] = "title is one line of 128 bytes";
	static const char *const bad[] = {"7", "null", "\"a\\tb\"",
	    "\"\\u0000\"", "\"\\u2066x\"", "\"\\u061c\""};
	char title[TITLE_MAX + 2], rest[256];

	(void)state;
	level(2);
	assert_string_equal(
	    decode(with("title", "\"rid\":12,\"title\":\"\xe8\x8c\xb6\"")), "");
	assert_int_equal(got.kind, CMD_TITLE);
	assert_true(str_eqc(got.rid, "12"));
	assert_true(str_eqc(got.title, "\xe8\x8c\xb6"));
	assert_string_equal(
	    decode(with("title", "\"rid\":\"12\",\"title\":\"\"")), "");
	assert_true(str_is_set(got.title));
	assert_int_equal(got.title.len, 0);
	for (unsigned n = TITLE_MAX; n <= TITLE_MAX + 1; n++) {
		memset(title, 'x', n);
		title[n] = '\0';
		snprintf(rest, sizeof rest, "\"rid\":\"12\",\"title\":\"%s\"",
		    title);
		if (n == TITLE_MAX)
			assert_string_equal(decode(with("title", rest)), "");
		else
			refused(with("title", rest), why);
	}
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(
		    rest, sizeof rest, "\"rid\":\"12\",\"title\":%s", bad[i]);
		refused(with("title", rest), why);
	}
	refused(with("title", "\"rid\":\"12\""), why);
	refused(
	    with("title", "\"tid\":\"7\",\"title\":\"x\""), "rid is missing");
}

/* to level 1 they are no commands */
static void
test_level_1(void **state)
{
	static const char *const names[] = {"edit", "recall", "react", "title"};
	char json[128];

	(void)state;
	for (unsigned lvl = 0; lvl < 2; lvl++) {
		level(lvl);
		for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
			snprintf(json, sizeof json,
			    "{\"cmd\":\"%s\",\"rid\":\"12\",\"ref\":1}",
			    names[i]);
			assert_non_null(strstr(decode(json), "102"));
		}
	}
}

/* --- what they become --------------------------------------------------- */

static const char *
told(const struct item *it)
{
	struct event ev = {.kind = EVENT_ITEM,
	    .item = it,
	    .uid = it->uid,
	    .name = it->name,
	    .rid = STR_LIT("12"),
	    .chan = STR_LIT("r:12")};

	for (unsigned i = 0; dialects[i] != NULL; i++) {
		const struct dialect *old = dialects[i];

		if (it->kind == ITEM_MESSAGE && !(it->flags & ITEM_F_GONE))
			break;
		buf_reset(&out);
		old->encode(&ev, 1, VIEW_OTHER, &out);
		old->encode(&ev, 1, VIEW_SELF, &out);
		ev.missed = true;
		ev.tid = STR_LIT("1002");
		old->encode(&ev, 1, VIEW_OTHER, &out);
		ev.tid = STR_NONE;
		assert_int_equal(buf_len(&out), 0);
	}
	return encode(&ev, 2, VIEW_OTHER);
}

static void
test_items(void **state)
{
	struct item it = {.seq = 853,
	    .ts = 1763660001200,
	    .kind = ITEM_EDIT,
	    .ref = 852,
	    .uid = STR_LIT("1001"),
	    .name = STR_LIT("amy"),
	    .body = STR_LIT("hello")};

	(void)state;
#define HEAD "\"uid\":\"1001\",\"name\":\"amy\",\"rid\":\"12\","
#define TAIL "\"seq\":853,\"mid\":\"r:12/853\",\"ts\":1763660001200}"
	assert_string_equal(told(&it),
	    "{\"cmd\":\"edit\"," HEAD "\"ref\":852,\"msg\":\"hello\"," TAIL);
	it.kind = ITEM_REACT;
	it.body = STR_LIT("+1");
	assert_string_equal(told(&it),
	    "{\"cmd\":\"react\"," HEAD
	    "\"ref\":852,\"emo\":\"+1\",\"on\":true," TAIL);
	it.flags = ITEM_F_OFF;
	assert_string_equal(told(&it),
	    "{\"cmd\":\"react\"," HEAD
	    "\"ref\":852,\"emo\":\"+1\",\"on\":false," TAIL);
	it.flags = 0;
	it.kind = ITEM_RECALL;
	it.body = STR_NONE;
	assert_string_equal(
	    told(&it), "{\"cmd\":\"recall\"," HEAD "\"ref\":852," TAIL);
	it.kind = ITEM_TITLE;
	it.ref = 0;
	it.body = STR_LIT("Tea \"at\" five");
	assert_string_equal(told(&it),
	    "{\"cmd\":\"title\"," HEAD
	    "\"title\":\"Tea \\\"at\\\" five\"," TAIL);
	it.body = STR_LIT("");
	assert_string_equal(
	    told(&it), "{\"cmd\":\"title\"," HEAD "\"title\":\"\"," TAIL);
	/* an edit of what was recalled keeps its place, as the message does */
	it.kind = ITEM_EDIT;
	it.ref = 852;
	it.flags = ITEM_F_GONE;
	it.body = STR_NONE;
	assert_string_equal(told(&it),
	    "{\"cmd\":\"edit\"," HEAD "\"ref\":852,\"gone\":\"recall\"," TAIL);
	it.kind = ITEM_MESSAGE;
	it.ref = 0;
	assert_string_equal(told(&it),
	    "{\"cmd\":\"message\"," HEAD "\"gone\":\"recall\"," TAIL);
	it.flags = ITEM_F_AT;
	it.body = STR_LIT("hi");
	it.at = STR_LIT("1002,zoe");
	assert_string_equal(told(&it),
	    "{\"cmd\":\"message\"," HEAD "\"type\":\"text\",\"msg\":\"hi\","
	    "\"at\":[\"1002\",\"zoe\"]," TAIL);
	/* others have no words on any level */
	it.kind = ITEM_MOD;
	assert_string_equal(told(&it), "");
}

/* whatever stands in front, the sender's own has its cid at the end */
static void
test_own(void **state)
{
	struct item it = {.seq = 853,
	    .ts = 1,
	    .ref = 852,
	    .uid = STR_LIT("1001"),
	    .cid = STR_LIT("e1"),
	    .body = STR_LIT("x")};
	struct event ev = {.kind = EVENT_ITEM,
	    .item = &it,
	    .rid = STR_LIT("12"),
	    .chan = STR_LIT("r:12")};
	char other[512];
	struct buf own;

	(void)state;
	buf_init(&own, 4096);
	for (it.kind = ITEM_EDIT; it.kind <= ITEM_REACT; it.kind++) {
		snprintf(other, sizeof other, "%s", encode(&ev, 2, VIEW_OTHER));
		buf_reset(&own);
		d->own(&ev, 2, str_of(other), &own);
		buf_putc(&own, '\0');
		assert_string_equal(
		    (const char *)buf_p(&own), encode(&ev, 2, VIEW_SELF));
		assert_non_null(
		    strstr((const char *)buf_p(&own), ",\"cid\":\"e1\"}"));
	}
	buf_fini(&own);
}

/* the title of a room, where there is one */
static void
test_pos(void **state)
{
	struct event_pos pos[] = {{.rid = STR_LIT("12"),
				      .ep = STR_LIT("9f3a01c2"),
				      .seq = 5,
				      .full = true,
				      .title = STR_LIT("Tea")},
	    {.rid = STR_LIT("13"), .ep = STR_LIT("9f3a01c2"), .full = true}};
	struct event ev = {
	    .kind = EVENT_OK, .cid = STR_LIT("c"), .pos = pos, .n_pos = 2};

	(void)state;
	assert_string_equal(encode(&ev, 2, VIEW_SELF),
	    "{\"cmd\":\"ok\",\"cid\":\"c\",\"pos\":{\"12\":{\"ep\":"
	    "\"9f3a01c2\",\"seq\":5,\"n\":0,\"full\":true,\"title\":\"Tea\"},"
	    "\"13\":{\"ep\":\"9f3a01c2\",\"seq\":0,\"n\":0,\"full\":true}}}");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_at),
	    T(test_edit),
	    T(test_ref),
	    T(test_react),
	    T(test_title),
	    T(test_level_1),
	    T(test_items),
	    T(test_own),
	    T(test_pos),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
