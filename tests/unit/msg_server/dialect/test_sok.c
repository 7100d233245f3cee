/* SPDX-License-Identifier: MIT */
/*
 * The sok dialect by itself: what a handshake and each frame become, and what
 * each event looks like.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "msg_server/dialect/dialect.h"
#include "shared/proto/push.h"

static const struct dialect *const d = &dialect_sok;
static struct dialect_ctx ctx;
static struct command got;
static unsigned n_got;
static struct buf err, out;
static char uid[64], token[512], dev[512], tid[64], msg[32768];

static struct str
keep(char *to, size_t size, struct str s)
{
	if (!str_is_set(s))
		return STR_NONE;
	assert_true(s.len < size);
	str_copy(to, size, s);
	return str_of(to);
}

static void
on_command(void *arg, const struct command *c)
{
	assert_ptr_equal(arg, &got);
	n_got++;
	got = *c;
	got.uid = keep(uid, sizeof uid, c->uid);
	got.token = keep(token, sizeof token, c->token);
	got.dev = keep(dev, sizeof dev, c->dev);
	got.tid = keep(tid, sizeof tid, c->tid);
	got.msg = keep(msg, sizeof msg, c->msg);
}

static void
opened(const char *query)
{
	memset(&ctx, 0, sizeof ctx);
	n_got = 0;
	d->open(&ctx, STR_LIT("/"), query != NULL ? str_of(query) : STR_NONE,
	    on_command, &got, &err);
	assert_int_equal(n_got, 1);
	assert_int_equal(buf_len(&err), 0);
}

/* how many commands it became */
static unsigned
said(const char *text)
{
	n_got = 0;
	d->decode(&ctx, str_of(text), on_command, &got, &err);
	assert_int_equal(buf_len(&err), 0);
	return n_got;
}

static const char *
shown(const struct event *ev, enum view view)
{
	buf_reset(&out);
	d->encode(ev, 1, view, &out);
	buf_putc(&out, '\0');
	return (const char *)buf_p(&out);
}

static void
test_open(void **state)
{
	char query[1024], long_dev[300];
	unsigned n;

	(void)state;
	opened("access_token=MTIzNDU2LjEyMzQ1Ni5hcHA&token=device-0000001");
	assert_int_equal(got.kind, CMD_LOGIN);
	assert_true(got.by_credentials && got.no_room && !got.proven);
	assert_true(str_eqc(got.uid, "123456"));
	assert_true(str_eqc(got.token, "123456"));
	assert_true(str_eqc(got.dev, "device-0000001"));
	/* a device is named anew when it has no name, or a poor one */
	for (n = 9; n <= 257; n++) {
		if (n == 11)
			n = 256;
		memset(long_dev, 'd', n);
		long_dev[n] = '\0';
		snprintf(
		    query, sizeof query, "access_token=x&token=%s", long_dev);
		opened(query);
		assert_int_equal(
		    str_eqc(got.dev, long_dev), n >= 10 && n <= 256);
		if (n < 10 || n > 256)
			assert_int_equal(got.dev.len, 32);
	}
	opened("access_token=x&token=%00123456789");
	assert_int_equal(got.dev.len, 32);
	opened("access_token=x&token=%ff123456789");
	assert_int_equal(got.dev.len, 32);
	/* nobody: refused where the credentials are */
	opened("x=1");
	assert_true(got.by_credentials && !str_is_set(got.uid));
	opened("access_token=YS5i");
	assert_false(str_is_set(got.uid));
	/* nothing at all: out, without a word */
	opened(NULL);
	assert_int_equal(got.kind, CMD_BYE);
	opened("");
	assert_int_equal(got.kind, CMD_BYE);
}

static void
test_whose(void **state)
{
	(void)state;
	assert_true(d->at_open(STR_LIT("/"), STR_LIT("access_token=x")));
	assert_true(d->at_open(STR_LIT("/a"), STR_LIT("a=1&access_token=")));
	assert_false(d->at_open(STR_LIT("/"), STR_LIT("token=x")));
	assert_false(d->at_open(STR_LIT("/"), STR_NONE));
	assert_true(d->guess(
	    STR_LIT("{\"to_uid\":\"1\",\"type\":\"chat\",\"content\":\"x\"}")));
	assert_false(d->guess(STR_LIT("{\"cmd\":\"login\",\"name\":\"a\"}")));
	assert_false(d->guess(STR_LIT("{\"type\":\"login\"}")));
	assert_false(d->guess(STR_LIT("ping")));
}

static void
test_said(void **state)
{
	static const char *const silence[] = {"", "x", "PING", "[]", "null",
	    "{}", "{\"to_uid\":\"7\"}", "{\"to_uid\":\"7\",\"type\":\"chat\"}",
	    "{\"to_uid\":\"7\",\"type\":\"x\",\"content\":\"x\"}",
	    "{\"to_uid\":\"\",\"type\":\"chat\",\"content\":\"x\"}",
	    "{\"to_uid\":null,\"type\":\"chat\",\"content\":\"x\"}",
	    "{\"to_uid\":\"7\",\"type\":\"chat\",\"content\":\"x\""};
	size_t i;

	(void)state;
	memset(&ctx, 0, sizeof ctx);
	assert_int_equal(said("{\"to_uid\":\"7\"}"), 1);
	assert_int_equal(got.kind, CMD_BYE); /* who is not in goes */
	ctx.in = 1;
	for (i = 0; i < ARRAY_LEN(silence); i++)
		assert_int_equal(said(silence[i]), 0);
	assert_int_equal(said("ping"), 1);
	assert_int_equal(got.kind, CMD_PONG);
	assert_int_equal(said("{\"to_uid\":\"7\",\"type\":\"chat\",\"content\":"
			      "{\"type\":\"text\",\"value\":\"a</b>\"}}"),
	    1);
	assert_int_equal(got.kind, CMD_MESSAGE);
	assert_true(str_eqc(got.tid, "7") && str_eqc(got.msg, "a</b>"));
	assert_false(got.msg_is_json || got.msg_is_push);
	assert_int_equal(
	    said("{\"to_uid\":7,\"type\":\"chat\",\"content\":\"x\"}"), 1);
	assert_true(got.msg_is_json && got.msg_is_push);
	assert_true(str_eqc(got.tid, "7"));
}

static void
test_events(void **state)
{
	struct item it = {.kind = ITEM_MESSAGE,
	    .uid = STR_LIT("2"),
	    .cn = 5,
	    .ts = 1599877568123,
	    .useq = 3,
	    .body = STR_LIT("hi")};
	struct event ev = {.kind = EVENT_ITEM,
	    .item = &it,
	    .uid = it.uid,
	    .tid = STR_LIT("1")};
	const char *live = "{\"to_uid\":\"1\",\"type\":\"chat\",\"content\":{"
			   "\"type\":\"text\",\"value\":\"hi\"},\"uid\":\"2\","
			   "\"state\":1,\"id\":15998775680003}";
	enum event_kind k;

	(void)state;
	assert_string_equal(shown(&ev, VIEW_OTHER), live);
	/* what he says to another is not for his own devices */
	assert_string_equal(shown(&ev, VIEW_SELF), "");
	ev.tid = it.uid;
	assert_non_null(strstr(shown(&ev, VIEW_SELF), "\"to_uid\":\"2\""));
	ev.tid = STR_LIT("1");
	ev.missed = true;
	assert_non_null(strstr(shown(&ev, VIEW_OTHER), "\"state\":0"));
	ev.missed = false;
	it.flags = ITEM_F_PIC;
	assert_non_null(
	    strstr(shown(&ev, VIEW_OTHER), "{\"type\":\"pic\",\"value\":"));
	it.flags = ITEM_F_GONE;
	assert_string_equal(shown(&ev, VIEW_OTHER), "");
	it.flags = 0;
	it.kind = ITEM_EDIT;
	assert_string_equal(shown(&ev, VIEW_OTHER), "");
	it.kind = ITEM_MESSAGE;
	/* of a room */
	ev.tid = STR_NONE;
	ev.rid = STR_LIT("1");
	assert_string_equal(shown(&ev, VIEW_OTHER), "");
	/* it has words for nothing else but its own */
	for (k = EVENT_NEW_USER; k <= EVENT_PUSH; k++) {
		ev = (struct event){.kind = k, .code = 503};
		if (k != EVENT_LOGIN)
			assert_string_equal(shown(&ev, VIEW_SELF), "");
	}
}

static void
test_answers(void **state)
{
	struct event ev = {.kind = EVENT_LOGIN, .note = STR_LIT("0dev/1")};

	(void)state;
	assert_string_equal(shown(&ev, VIEW_SELF),
	    "{\"message\":\"授权成功\",\"type\":\"login\",\"code\":200,"
	    "\"data\":{\"token\":\"dev\\/1\"}}");
	ev.note = STR_LIT("1dev");
	assert_string_equal(shown(&ev, VIEW_SELF),
	    "{\"message\":\"授权成功,该账号已在别处登录，已被您踢下线。\","
	    "\"type\":\"login\",\"code\":200,\"data\":{\"token\":\"dev\"}}");
	ev = (struct event){.kind = EVENT_ERROR, .code = 401};
	assert_string_equal(shown(&ev, VIEW_SELF),
	    "{\"message\":\"\\u6388\\u6743\\u5931\\u8d25\",\"code\":401,"
	    "\"data\":[]}");
	ev.code = 441;
	assert_string_equal(shown(&ev, VIEW_SELF),
	    "{\"message\":\"该账号已在别处登录，您被踢下线\",\"type\":"
	    "\"login\",\"code\":441,\"data\":[]}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_open),
	    cmocka_unit_test(test_whose),
	    cmocka_unit_test(test_said),
	    cmocka_unit_test(test_events),
	    cmocka_unit_test(test_answers),
	};

	json_init();
	buf_init(&err, 65536);
	buf_init(&out, 1 << 20);
	return cmocka_run_group_tests_name("sok", tests, NULL, NULL);
}
