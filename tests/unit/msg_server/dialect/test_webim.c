/* SPDX-License-Identifier: MIT */
/*
 * The dialect of PHPWebIM's pages: which commands their frames are, at the
 * bounds and beyond, and what each event is in the words of three years.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "msg_server/dialect/number.h"
#include "msg_server/dialect/webim_priv.h"

static struct command got;
static char got_name[128], got_msg[2048], got_avatar[512];
static unsigned n_got;
static struct buf answer;

static void
on_command(void *arg, const struct command *c)
{
	(void)arg;
	n_got++;
	got = *c;
	str_copy(got_name, sizeof got_name, c->name);
	str_copy(got_msg, sizeof got_msg, c->msg);
	str_copy(got_avatar, sizeof got_avatar, c->avatar);
}

/* "": a command; "-": nothing at all; else the answer */
static const char *
feed(const char *frame)
{
	struct dialect_ctx ctx = {0};

	n_got = 0;
	buf_reset(&answer);
	dialect_webim.decode(&ctx, str_of(frame), on_command, NULL, &answer);
	assert_int_equal(n_got + (buf_len(&answer) > 0) <= 1, 1);
	buf_putc(&answer, '\0');
	if (n_got > 0)
		return "";
	return buf_len(&answer) > 1 ? (const char *)buf_p(&answer) : "-";
}

static const char *
message(const char *members, size_t n, const char *end)
{
	static char frame[4096];
	size_t at = (size_t)snprintf(frame, sizeof frame,
	    "{\"cmd\":\"message\",%s,\"data\":\"", members);

	memset(frame + at, 'x', n);
	snprintf(frame + at + n, sizeof frame - at - n, "%s\"}", end);
	return frame;
}

#define TOO_LONG                                                           \
	"{\"cmd\":\"error\",\"code\":102,\"msg\":\"message max length is " \
	"1024\"}"
#define INVALID "{\"cmd\":\"error\",\"code\":101,\"msg\":\"invalid command\"}"

static void
test_message(void **state)
{
	(void)state;
	assert_string_equal(feed(message("\"channal\":0", 1024, "")), "");
	assert_int_equal(got.kind, CMD_MESSAGE);
	assert_int_equal(got.level, 1);
	assert_int_equal(got.msg.len, 1024);
	assert_true(got.to_cn == 0 && !str_is_set(got.rid));
	assert_string_equal(feed(message("\"channal\":0", 1025, "")), TOO_LONG);
	/* bytes, not characters */
	assert_string_equal(feed(message("\"channal\":\"0\"", 1021, "林")), "");
	assert_string_equal(
	    feed(message("\"channal\":0", 1022, "林")), TOO_LONG);
	assert_string_equal(feed(message("\"from\":7", 1, "")), "");
	assert_string_equal(feed(message("\"channal\":2", 1, "")), "-");
	assert_string_equal(feed(message("\"channal\":0", 0, "")), INVALID);
	assert_string_equal(feed("{\"cmd\":\"message\",\"data\":12}"), "");
	assert_string_equal(got_msg, "12");
	assert_string_equal(feed("{\"cmd\":\"message\",\"data\":[]}"), INVALID);
}

static void
test_private(void **state)
{
	(void)state;
	assert_string_equal(
	    feed(message("\"channal\":1,\"to\":\"4294967297\"", 1, "")), "");
	assert_true(got.to_cn == 4294967297);
	assert_string_equal(
	    feed(message("\"channal\":\"1\",\"to\":9007199254740992", 1, "")),
	    "");
	assert_true(got.to_cn == 1ULL << 53);
	/* nobody has such a number, and who has none hears nothing */
	assert_string_equal(
	    feed(message("\"channal\":1,\"to\":9007199254740993", 1, "")), "-");
	assert_string_equal(
	    feed(message("\"channal\":1,\"to\":\"0\"", 1, "")), "-");
	assert_string_equal(
	    feed(message("\"channal\":1,\"to\":\"82365b3cf7aab2e1\"", 1, "")),
	    "-");
	assert_string_equal(feed(message("\"channal\":1", 1, "")), "-");
}

static void
test_image(void **state)
{
	struct str url, thumb;

	(void)state;
#define IMAGE(json) \
	feed("{\"cmd\":\"message\",\"type\":\"image\",\"data\":\"" json "\"}")
	assert_string_equal(
	    IMAGE("{\\\"url\\\":\\\"/a.png\\\",\\\"thumb\\\":\\\"/b.png\\\"}"),
	    "");
	assert_int_equal(got.type, MSG_PIC);
	assert_string_equal(got_msg, "/a.png#thumb=/b.png");
	assert_true(webim_image(str_of(got_msg), &url, &thumb));
	assert_true(str_eqc(url, "/a.png") && str_eqc(thumb, "/b.png"));
	assert_string_equal(IMAGE("{\\\"url\\\":\\\"http://h/a\\\"}"), "");
	assert_string_equal(got_msg, "http://h/a");
	assert_true(webim_image(str_of(got_msg), &url, &thumb));
	assert_true(str_eq(url, thumb));
	assert_string_not_equal(IMAGE("x"), "");
	assert_string_not_equal(IMAGE("{\\\"url\\\":\\\"a.png\\\"}"), "");
	assert_string_not_equal(IMAGE("{\\\"url\\\":\\\"//h/a\\\"}"), "");
	assert_string_not_equal(IMAGE("{\\\"url\\\":\\\"/a'\\\"}"), "");
	assert_false(webim_image(STR_LIT("/a#thumb=x"), &url, &thumb));
	assert_false(webim_image(STR_LIT("data:x"), &url, &thumb));
}

static void
test_login(void **state)
{
	(void)state;
	assert_string_equal(feed("{\"cmd\":\"login\",\"name\":\"<b>x</b> & "
				 "\\u200by\",\"avatar\":\"c.png\"}"),
	    "");
	assert_int_equal(got.kind, CMD_LOGIN);
	assert_true(got.moves && got.level == 1 && !str_is_set(got.uid));
	assert_string_equal(got_name, "x & y");
	assert_string_equal(got_avatar, "c.png");
	assert_string_equal(
	    feed("{\"cmd\":\"LOGIN\",\"name\":7,\"avatar\":\"data:x\"}"), "");
	assert_string_equal(got_name, "7");
	assert_string_equal(got_avatar, "");
	assert_string_equal(feed("{\"cmd\":\"login\"}"), "");
	assert_string_equal(got_name, "");
}

static void
test_others(void **state)
{
	(void)state;
	assert_string_equal(feed("{\"cmd\":\"getOnline\"}"), "");
	assert_true(got.kind == CMD_GET_ONLINE && got.level == 2);
	assert_string_equal(feed("{\"cmd\":\"getHistory\"}"), "");
	assert_true(got.kind == CMD_GET_HISTORY && got.limit == 100);
	assert_string_equal(feed("{\"cmd\":\"join\"}"),
	    "{\"cmd\":\"error\",\"code\":102,\"msg\":\"command cmd_join no "
	    "support.\"}");
	assert_string_equal(feed("[]"), INVALID);
	assert_string_equal(feed("{\"cmd\":\"0\"}"), INVALID);
}

static bool
is_mine(const char *frame)
{
	return dialect_webim.guess(str_of(frame));
}

static void
test_guess(void **state)
{
	(void)state;
	assert_true(is_mine("{\"cmd\":\"login\",\"name\":1,\"avatar\":\"\"}"));
	assert_true(is_mine("{\"cmd\":\"message\",\"channal\":0}"));
	assert_false(is_mine("{\"cmd\":\"login\",\"name\":\"x\"}"));
	assert_false(
	    is_mine("{\"cmd\":\"login\",\"avatar\":\"/a\",\"rid\":\"1\"}"));
	assert_false(is_mine("{\"cmd\":\"login\",\"avatar\":\"/a\",\"v\":2}"));
	assert_false(is_mine("{\"cmd\":\"getOnline\"}"));
	assert_false(is_mine("\"avatar\""));
	assert_false(dialect_webim_2019.guess(
	    STR_LIT("{\"cmd\":\"login\",\"avatar\":\"\"}")));
	assert_true(
	    dialect_webim_2019.at_open(STR_LIT("/websocket"), STR_NONE));
	assert_false(dialect_webim_2019.at_open(STR_LIT("/"), STR_NONE));
}

static const char *
say(const struct dialect *d, const struct event *ev, enum view view)
{
	buf_reset(&answer);
	d->encode(ev, 1, view, &answer);
	buf_putc(&answer, '\0');
	return (const char *)buf_p(&answer);
}

static void
test_people_said(void **state)
{
	struct event ev = {.kind = EVENT_NEW_USER,
	    .cn = 258,
	    .name = STR_LIT("O'H <a\\b>"),
	    .avatar = STR_LIT("/\"")};

	(void)state;
	assert_string_equal(say(&dialect_webim, &ev, VIEW_OTHER),
	    "{\"cmd\":\"newUser\",\"fd\":258,\"name\":\"O&#039;H "
	    "&lt;a\\\\\\\\b&gt;\",\"avatar\":\"\\/&quot;\"}");
	assert_non_null(strstr(
	    say(&dialect_webim_2019, &ev, VIEW_OTHER), "\"fd\":\"258\""));
	ev.name = STR_LIT("<林>");
	buf_reset(&answer);
	dialect_webim.also(&ev, 1, VIEW_OTHER, &answer);
	assert_true(str_eqc(buf_str(&answer),
	    "{\"cmd\":\"fromMsg\",\"from\":0,\"channal\":0,\"data\":"
	    "\"&lt;\\u6797&gt;\\u4e0a\\u7ebf\\u4e86\"}"));
	buf_reset(&answer);
	dialect_webim_2014.also(&ev, 1, VIEW_OTHER, &answer);
	assert_true(str_eqc(buf_str(&answer),
	    "{\"cmd\":\"fromMsg\",\"from\":0,\"channal\":0,\"data\":"
	    "\"<\\u6797>\\u4e0a\\u7ebf\\u9e1f\\u3002\\u3002\"}"));
	ev.kind = EVENT_OFFLINE;
	assert_string_equal(say(&dialect_webim_2014, &ev, VIEW_OTHER),
	    "{\"cmd\":\"offline\",\"fd\":258,\"from\":0,\"channal\":0,\"data\":"
	    "\"<\\u6797>\\u4e0b\\u7ebf\\u4e86\\u3002\\u3002\"}");
	buf_reset(&answer);
	dialect_webim.also(&ev, 1, VIEW_OTHER, &answer);
	assert_int_equal(buf_len(&answer), 0);
}

static void
test_items_said(void **state)
{
	char uid[NUMBER_UID_SIZE];
	struct item it = {
	    .kind = ITEM_MESSAGE, .cn = 258, .body = STR_LIT("</")};
	struct event ev = {.kind = EVENT_ITEM, .item = &it};

	(void)state;
	assert_string_equal(say(&dialect_webim, &ev, VIEW_OTHER),
	    "{\"cmd\":\"fromMsg\",\"from\":258,\"channal\":0,\"data\":\"<\\/\","
	    "\"type\":\"text\"}");
	/* its page has shown it already */
	assert_string_equal(say(&dialect_webim, &ev, VIEW_SELF), "");
	number_uid(513, uid);
	ev.tid = str_of(uid);
	assert_string_equal(say(&dialect_webim_2019, &ev, VIEW_OTHER),
	    "{\"cmd\":\"fromMsg\",\"from\":\"258\",\"to\":\"513\",\"channal\":"
	    "1,"
	    "\"data\":\"<\\/\",\"type\":\"text\"}");
	ev.tid = STR_NONE;
	it.flags = ITEM_F_PIC;
	assert_non_null(
	    strstr(say(&dialect_webim, &ev, VIEW_OTHER), "\"type\":\"text\""));
	it.body = STR_LIT("/a");
	assert_string_equal(say(&dialect_webim, &ev, VIEW_OTHER),
	    "{\"cmd\":\"fromMsg\",\"from\":258,\"channal\":0,\"data\":"
	    "\"{\\\"url\\\":\\\"\\/a\\\",\\\"thumb\\\":\\\"\\/a\\\"}\","
	    "\"type\":\"image\"}");
	it.flags = ITEM_F_GONE;
	assert_string_equal(say(&dialect_webim, &ev, VIEW_OTHER), "");
	it.flags = 0;
	it.kind = ITEM_RECALL;
	assert_string_equal(say(&dialect_webim, &ev, VIEW_OTHER), "");
}

static void
test_answers_said(void **state)
{
	struct event ev = {.kind = EVENT_ERROR, .code = 429, .why = "x"};
	struct buf list;
	const char *said, *p;
	unsigned i, n = 0;

	(void)state;
	assert_string_equal(say(&dialect_webim, &ev, VIEW_SELF),
	    "{\"cmd\":\"error\",\"code\":104,\"msg\":\"over frequency "
	    "limit\"}");
	ev.code = 404;
	assert_string_equal(say(&dialect_webim, &ev, VIEW_SELF), "");
	ev.code = 503;
	assert_string_equal(say(&dialect_webim, &ev, VIEW_SELF),
	    "{\"cmd\":\"error\",\"code\":103,\"msg\":\"x\"}");
	ev = (struct event){.kind = EVENT_HISTORY};
	assert_string_equal(say(&dialect_webim, &ev, VIEW_SELF),
	    "{\"cmd\":\"getHistory\",\"history\":[]}");
	ev = (struct event){.kind = EVENT_ONLINE,
	    .list = STR_LIT("[{\"cn\":9,\"name\":\"<\"}]")};
	assert_string_equal(say(&dialect_webim, &ev, VIEW_SELF),
	    "{\"cmd\":\"getOnline\",\"users\":[\"9\"],\"list\":[{\"cmd\":"
	    "\"login\",\"fd\":9,\"name\":\"&lt;\",\"avatar\":\"\"}]}");
	/* all of them by number, a hundred by name */
	buf_init(&list, 65536);
	buf_putc(&list, '[');
	for (i = 1; i <= 101; i++)
		buf_printf(
		    &list, "%s{\"cn\":%u,\"name\":\"n\"}", i > 1 ? "," : "", i);
	buf_putc(&list, ']');
	ev.list = buf_str(&list);
	said = say(&dialect_webim, &ev, VIEW_SELF);
	for (p = said; (p = strstr(p, "\"fd\"")) != NULL; p++)
		n++;
	assert_int_equal(n, 100);
	assert_non_null(strstr(said, "\"100\",\"101\"]"));
	buf_fini(&list);
	ev = (struct event){.kind = EVENT_SYNCED};
	assert_string_equal(say(&dialect_webim, &ev, VIEW_SELF), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_message),
	    cmocka_unit_test(test_private),
	    cmocka_unit_test(test_image),
	    cmocka_unit_test(test_login),
	    cmocka_unit_test(test_others),
	    cmocka_unit_test(test_guess),
	    cmocka_unit_test(test_people_said),
	    cmocka_unit_test(test_items_said),
	    cmocka_unit_test(test_answers_said),
	};

	json_init();
	buf_init(&answer, 1 << 20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
