/* SPDX-License-Identifier: MIT */
/*
 * The dialect of workerman-chat: what its frames become, what is none of its
 * frames, and each of its answers byte by byte as it was recorded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "msg_server/dialect/dialect.h"
#include "shared/proc/clock.h"

static const uint64_t cn_a = 1ULL << 32 | 1, cn_b = 2ULL << 32 | 7;

#define ID_A "7f00000108fd00000001"
#define ID_B "7f00000108fe00000007"
#define TIME "2026-11-21 01:40:49"
#define TS   1795225249000

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
	got.name = keep(2, cmd->name);
	got.note = keep(3, cmd->note);
}

static unsigned
decode_n(struct str text)
{
	struct buf err;

	n_got = 0;
	buf_init(&err, 1024);
	dialect_workerman.decode(&ctx, text, on_command, &got, &err);
	/* it has no words for a refusal */
	assert_int_equal(buf_len(&err), 0);
	buf_fini(&err);
	return n_got;
}

static unsigned
decode(const char *text)
{
	return decode_n(str_of(text));
}

static void
says(const struct event *ev, enum view view, const char *want)
{
	struct buf all;

	buf_init(&all, 1024 * 1024);
	dialect_workerman.encode(ev, 1, view, &all);
	if (!str_eqc(buf_str(&all), want))
		fail_msg("%.*s is not\n%s", STR_ARG(buf_str(&all)), want);
	buf_fini(&all);
}

static void
test_guess(void **state)
{
	static const char *const mine[] = {
	    "{\"type\":\"login\",\"client_name\":\"a\",\"room_id\":1}",
	    "{\"type\":\"say\"}", "{\"type\":\"pong\"}"};
	static const char *const not_mine[] = {"", "x", "[]", "0", "{}",
	    "{\"type\":\"ping\"}", "{\"type\":1}", "[\"login\"]",
	    "{\"cmd\":\"login\",\"type\":\"login\"}",
	    "{\"type\":\"login\",\"class\":\"x\"}",
	    "{\"type\":\"ws\",\"class\":\"setting\"}"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(mine); i++)
		assert_true(dialect_workerman.guess(str_of(mine[i])));
	for (i = 0; i < ARRAY_LEN(not_mine); i++)
		assert_false(dialect_workerman.guess(str_of(not_mine[i])));
}

static void
test_login(void **state)
{
	(void)state;
	assert_int_equal(
	    decode(
		"{\"type\":\"login\",\"client_name\":\"a<b>\",\"room_id\":3}"),
	    1);
	assert_int_equal(got.kind, CMD_LOGIN);
	assert_int_equal(got.level, 1);
	assert_true(got.moves);
	assert_false(got.no_room);
	assert_true(str_eqc(got.rid, "3"));
	assert_true(str_eqc(got.name, "a<b>"));
	assert_false(str_is_set(got.uid));
	assert_int_equal(ctx.level, 1);
	decode(
	    "{\"type\":\"login\",\"client_name\":\"a\",\"room_id\":\"r_2\"}");
	assert_true(str_eqc(got.rid, "r_2"));
	/* an empty room is the lobby, no name is a name */
	assert_int_equal(decode("{\"type\":\"login\",\"room_id\":\"\"}"), 1);
	assert_false(str_is_set(got.rid));
	assert_int_equal(got.name.len, 0);
	decode("{\"type\":\"login\",\"room_id\":0}");
	assert_true(str_eqc(got.rid, "0"));
}

static void
test_names(void **state)
{
	char text[400], name[200];
	size_t i;

	(void)state;
#define NAME(s) "{\"type\":\"login\",\"room_id\":1,\"client_name\":" s "}"
	decode(NAME("123"));
	assert_true(str_eqc(got.name, "123"));
	decode(NAME("true"));
	assert_true(str_eqc(got.name, "1"));
	decode(NAME("null"));
	assert_int_equal(got.name.len, 0);
	decode(NAME("\" a\\u202eb\\n \""));
	assert_true(str_eqc(got.name, "ab"));
	/* 32 characters pass, one more is cut */
	for (i = 0; i <= 33; i++)
		name[i] = 'x';
	name[32] = '\0';
	snprintf(text, sizeof text, NAME("\"%s\""), name);
	decode(text);
	assert_int_equal(got.name.len, 32);
	name[32] = 'x';
	name[33] = '\0';
	snprintf(text, sizeof text, NAME("\"%s\""), name);
	decode(text);
	assert_int_equal(got.name.len, 32);
	/* 64 bytes pass; what is beyond is cut between two characters */
	for (i = 0; i < 32; i++)
		memcpy(name + 2 * i, "é", 2);
	name[64] = '\0';
	snprintf(text, sizeof text, NAME("\"%s\""), name);
	decode(text);
	assert_int_equal(got.name.len, 64);
	for (i = 0; i < 22; i++)
		memcpy(name + 3 * i, "你", 3);
	name[66] = '\0';
	snprintf(text, sizeof text, NAME("\"%s\""), name);
	decode(text);
	assert_int_equal(got.name.len, 63);
}

/* dropped without a word */
static void
test_is_dropped(void **state)
{
	static const char *const texts[] = {"", "x", "{", "[]", "0", "null",
	    "{}", "{\"type\":\"nope\"}", "{\"type\":1}", "{\"type\":\"ping\"}",
	    "{\"type\":\"login\",\"client_name\":\"a\"}",
	    "{\"type\":\"login\",\"client_name\":\"a\",\"room_id\":null}",
	    "{\"type\":\"login\",\"client_name\":\"a\",\"room_id\":[1]}",
	    "{\"type\":\"login\",\"client_name\":\"a\",\"room_id\":1.5}",
	    "{\"type\":\"login\",\"client_name\":\"a\",\"room_id\":\"a b\"}",
	    "{\"type\":\"login\",\"client_name\":\"a\",\"room_id\":"
	    "\"123456789012345678901234567890123\"}",
	    "{\"type\":\"login\",\"client_name\":[\"a\"],\"room_id\":1}",
	    "{\"type\":\"login\",\"client_name\":\"a\\u0000b\",\"room_id\":1}",
	    "{\"type\":\"login\",\"client_name\":\"a\\b\",\"room_id\":abc}",
	    "{\"type\":\"say\"}", "{\"type\":\"say\",\"to_client_id\":1}",
	    "{\"type\":\"say\",\"to_client_id\":\"all\",\"content\":[]}",
	    "{\"type\":\"say\",\"to_client_id\":\"all\",\"content\":{}}",
	    "{\"type\":\"say\",\"to_client_id\":"
	    "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\",\"content\":\"x\"}"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(texts); i++)
		if (decode(texts[i]) != 0)
			fail_msg("a command: %s", texts[i]);
}

static void
test_say(void **state)
{
	static const char *const pairs[][2] = {{"\"x\"", "x"}, {"123", "123"},
	    {"1.5", "1.5"}, {"2.0", "2"}, {"true", "1"}, {"false", ""},
	    {"null", ""}, {"\"\"", ""}, {"\"<b>\\n\"", "<b>\n"}};
	char text[200];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(pairs); i++) {
		snprintf(text, sizeof text,
		    "{\"type\":\"say\",\"to_client_id\":\"all\",\"content\":%"
		    "s}",
		    pairs[i][0]);
		assert_int_equal(decode(text), 1);
		assert_int_equal(got.kind, CMD_MESSAGE);
		assert_int_equal(got.type, MSG_TEXT);
		assert_true(
		    str_is_set(got.msg) && str_eqc(got.msg, pairs[i][1]));
		/* to the room of the last login */
		assert_false(str_is_set(got.rid) || str_is_set(got.tid));
		assert_false(str_is_set(got.note));
		assert_true(got.to_cn == 0);
	}
	assert_int_equal(
	    decode("{\"type\":\"say\",\"to_client_id\":\"all\"}"), 1);
	assert_int_equal(got.msg.len, 0);
	assert_int_equal(decode("{\"type\":\"pong\"}"), 1);
	assert_int_equal(got.kind, CMD_PONG);
}

/* 8192 bytes pass, one more is dropped */
static void
test_say_limit(void **state)
{
	char text[9000];
	int n;

	(void)state;
	for (n = 8192; n <= 8193; n++) {
		snprintf(text, sizeof text,
		    "{\"type\":\"say\",\"to_client_id\":\"all\",\"content\":"
		    "\"%0*d\"}",
		    n, 0);
		assert_int_equal(decode(text), n == 8192);
	}
}

static void
echoed(unsigned code, const char *want)
{
	struct event ev = {.kind = code == 200 ? EVENT_OK : EVENT_ERROR,
	    .code = code,
	    .note = got.note,
	    .cn = cn_a,
	    .name = STR_LIT("al'ice"),
	    .ts = TS};

	says(&ev, VIEW_SELF, want);
}

#define SAY_TO(id, name)                           \
	"{\"type\":\"say\",\"to_client_id\":\"" id \
	"\",\"to_client_name\":\"" name "\",\"content\":\"a<b>\\n/c\"}"
#define ECHOED(id, name)                                                 \
	"{\"type\":\"say\",\"from_client_id\":\"" ID_A                   \
	"\",\"from_client_name\":\"al&#039;ice\",\"to_client_id\":\"" id \
	"\",\"content\":\"<b>\\u4f60\\u5bf9" name                        \
	"\\u8bf4: <\\/b>a&lt;b&gt;<br \\/>\\n\\/c\",\"time\":\"" TIME "\"}"

static void
test_private(void **state)
{
	char text[600];
	unsigned i;

	(void)state;
	assert_int_equal(decode(SAY_TO(ID_B, "b<o>b")), 1);
	assert_true(got.to_cn == cn_b);
	assert_true(str_eqc(got.msg, "a<b>\n/c"));
	echoed(200, ECHOED(ID_B, "b&lt;o&gt;b"));
	/* nobody has it: only the echo */
	echoed(404, ECHOED(ID_B, "b&lt;o&gt;b"));
	/* nobody could have it */
	decode(SAY_TO("nobody", ""));
	assert_true(got.to_cn == UINT64_MAX);
	clock_test_set(TS, 1);
	echoed(200, ECHOED("nobody", ""));
	decode(SAY_TO("", ""));
	assert_true(got.to_cn == UINT64_MAX);
	echoed(404, ECHOED("", ""));
	/* other refusals are not for its ears, nor what is no note */
	echoed(429, "");
	got.note = STR_LIT("\x05");
	echoed(200, "");
	got.note = STR_LIT("\x05\x01xx");
	echoed(200, "");
	clock_test_set(0, 0);
	/* 255 bytes of a name are echoed, the rest is cut */
	for (i = 255; i <= 256; i++) {
		snprintf(text, sizeof text,
		    "{\"type\":\"say\",\"to_client_id\":\"" ID_B
		    "\",\"to_client_name\":\"%0*d\",\"content\":\"x\"}",
		    i, 0);
		assert_int_equal(decode(text), 1);
		assert_int_equal(got.note.len, 2 + 20 + 255 + 1);
	}
}

static void
test_items(void **state)
{
	struct item it = {.kind = ITEM_MESSAGE,
	    .ts = TS,
	    .uid = STR_LIT("fd-100000001"),
	    .cn = cn_a,
	    .name = STR_LIT("<你>"),
	    .body = STR_LIT("1 & 2\r\n/"),
	    .seq = 1};
	struct event ev = {.kind = EVENT_ITEM,
	    .item = &it,
	    .uid = it.uid,
	    .name = it.name,
	    .rid = STR_LIT("1")};
	struct buf own;

	(void)state;
#define FROM                                           \
	"{\"type\":\"say\",\"from_client_id\":\"" ID_A \
	"\",\"from_client_name\":\"&lt;\\u4f60&gt;\","
	says(&ev, VIEW_OTHER,
	    FROM "\"to_client_id\":\"all\",\"content\":"
		 "\"1 &amp; 2<br \\/>\\r\\n\\/\",\"time\":\"" TIME "\"}");
	/* his own is the same */
	buf_init(&own, 100);
	dialect_workerman.own(&ev, 1, STR_LIT("{}"), &own);
	assert_true(str_eqc(buf_str(&own), "{}"));
	buf_fini(&own);
	ev.tid = STR_LIT("fd-200000007");
	says(&ev, VIEW_OTHER,
	    FROM "\"to_client_id\":\"" ID_B
		 "\",\"content\":\"<b>\\u5bf9\\u4f60\\u8bf4: <\\/b>"
		 "1 &amp; 2<br \\/>\\r\\n\\/\",\"time\":\"" TIME "\"}");
	/* who said it has his note, but for what he tells himself */
	says(&ev, VIEW_SELF, "");
	ev.tid = it.uid;
	says(&ev, VIEW_SELF,
	    FROM "\"to_client_id\":\"" ID_A
		 "\",\"content\":\"<b>\\u5bf9\\u4f60\\u8bf4: <\\/b>"
		 "1 &amp; 2<br \\/>\\r\\n\\/\",\"time\":\"" TIME "\"}");
	ev.tid = STR_NONE;
	/* of a back end or a client of sok: its text */
	it.flags = ITEM_F_PUSH;
	it.body = STR_LIT("{\"to_uid\":\"7\",\"type\":\"chat\",\"content\":"
			  "{\"type\":\"text\",\"value\":\"<x>\"}}");
	says(&ev, VIEW_OTHER,
	    FROM "\"to_client_id\":\"all\",\"content\":\"&lt;x&gt;\","
		 "\"time\":\"" TIME "\"}");
	it.flags = ITEM_F_GONE;
	says(&ev, VIEW_OTHER, "");
	it.flags = ITEM_F_LOST;
	says(&ev, VIEW_OTHER, "");
	it.flags = 0;
	it.kind = ITEM_EDIT;
	says(&ev, VIEW_OTHER, "");
}

static void
test_people(void **state)
{
	struct event ev = {.kind = EVENT_NEW_USER,
	    .cn = cn_b,
	    .name = STR_LIT("bob<"),
	    .rid = STR_LIT("1")};

	(void)state;
	clock_test_set(TS, 1);
#define CAME                                                              \
	"{\"type\":\"login\",\"client_id\":\"" ID_B "\",\"client_name\":" \
	"\"bob&lt;\",\"time\":\"" TIME "\""
	says(&ev, VIEW_OTHER, CAME "}");
	ev.kind = EVENT_LOGIN;
	says(&ev, VIEW_SELF,
	    CAME ",\"client_list\":{\"" ID_B "\":\"bob&lt;\"}}");
	/* himself at the end, whatever the list has of him; no nonsense */
	ev.list =
	    STR_LIT("[{\"cn\":8589934599,\"uid\":\"x\",\"name\":\"old\"},7,"
		    "{\"cn\":-1,\"name\":\"y\"},"
		    "{\"cn\":4294967297,\"uid\":\"9\",\"name\":\"a'\"}]");
	says(&ev, VIEW_SELF,
	    CAME ",\"client_list\":{\"" ID_A "\":\"a&#039;\",\"" ID_B
		 "\":\"bob&lt;\"}}");
	ev.kind = EVENT_OFFLINE;
	says(&ev, VIEW_OTHER,
	    "{\"type\":\"logout\",\"from_client_id\":\"" ID_B
	    "\",\"from_client_name\":\"bob&lt;\",\"time\":\"" TIME "\"}");
	clock_test_set(0, 0);
}

static void
test_the_rest(void **state)
{
	struct event ev = {.kind = EVENT_PING};
	enum event_kind k;

	(void)state;
	says(&ev, VIEW_SELF, "{\"type\":\"ping\"}");
	ev.kind = EVENT_PUSH;
	ev.text = STR_LIT("as it is");
	says(&ev, VIEW_SELF, "as it is");
	/* what it has no words for */
	for (k = EVENT_PRESENCE; k <= EVENT_MOVE; k++)
		if (k != EVENT_LOGIN && k != EVENT_PING) {
			ev.kind = k;
			says(&ev, VIEW_SELF, "");
		}
}

static int
setup(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_guess),
	    cmocka_unit_test(test_login),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_is_dropped),
	    cmocka_unit_test(test_say),
	    cmocka_unit_test(test_say_limit),
	    cmocka_unit_test(test_private),
	    cmocka_unit_test(test_items),
	    cmocka_unit_test(test_people),
	    cmocka_unit_test(test_the_rest),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
