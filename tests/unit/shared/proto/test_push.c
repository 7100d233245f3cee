/* SPDX-License-Identifier: MIT */
/*
 * Access tokens and push objects: what is taken, what is stored of it, and
 * what each side sees of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/digest.h"
#include "shared/proto/push.h"

static struct buf out;

static const char *
text(void)
{
	buf_putc(&out, '\0');
	return (const char *)buf_p(&out);
}

/* --- access tokens ------------------------------------------------------ */

static int
token(const char *s, struct push_token *t)
{
	buf_reset(&out);
	return push_token_read(str_of(s), &out, t);
}

static void
test_token(void **state)
{
	struct push_token t;

	(void)state;
	/* as the framework's README has it */
	assert_int_equal(token("MTIzNDU2LjEyMzQ1Ni5hcHA", &t), 0);
	assert_true(str_eqc(t.uid, "123456"));
	assert_true(str_eqc(t.token, "123456"));
	assert_true(str_eqc(t.source, "app"));
	/* padding in its three spellings, and a blank in front */
	assert_int_equal(token("YS5iLmM", &t), 0);
	assert_int_equal(token(" YS5iLmM= ", &t), 0);
	assert_int_equal(token("YS5iLmM,", &t), 0);
	assert_int_equal(token("MS50MS5hcHA=", &t), 0);
	assert_true(str_eqc(t.token, "t1"));
	/* + and / as they are, and as - and _ */
	assert_int_equal(token("dS4-Pz4_LnM", &t), 0);
	assert_true(str_eqc(t.token, ">?>?"));
	assert_int_equal(token("dS4+Pz4/LnM", &t), 0);
	assert_true(str_eqc(t.token, ">?>?"));
	/* "a.b.c.d" and "a.b." */
	assert_int_equal(token("YS5iLmMuZA", &t), 0);
	assert_true(str_eqc(t.source, "c"));
	assert_int_equal(token("YS5iLg", &t), 0);
	assert_true(str_eqc(t.source, ""));
}

static void
test_token_refused(void **state)
{
	/* nothing, no base64, "a.b", "a", ".b.c", "a..c", "a b.c.d" */
	static const char *const bad[] = {"", " ", "!", "====", "YS5i", "YQ",
	    "LmIuYw", "YS4uYw", "YSBiLmMuZA", "YS5i LmM", "YS5iLmM\n"};
	char plain[400], b64[600];
	struct push_token t;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(token(bad[i], &t), ERR_INVALID);
	/* the bounds: 256 bytes of secret, 32 of uid */
	for (i = PUSH_TOKEN_MAX; i <= PUSH_TOKEN_MAX + 1; i++) {
		snprintf(plain, sizeof plain, "u.%.*s.s", (int)i,
		    "0123456789abcdef0123456789abcdef0123456789abcdef"
		    "0123456789abcdef0123456789abcdef0123456789abcdef"
		    "0123456789abcdef0123456789abcdef0123456789abcdef"
		    "0123456789abcdef0123456789abcdef0123456789abcdef"
		    "0123456789abcdef0123456789abcdef0123456789abcdef"
		    "0123456789abcdef0123456789abcdef");
		digest_base64(plain, strlen(plain), b64);
		assert_int_equal(
		    token(b64, &t), i <= PUSH_TOKEN_MAX ? 0 : ERR_INVALID);
	}
	digest_base64("12345678901234567890123456789012.t.s", 36, b64);
	assert_int_equal(token(b64, &t), 0);
	digest_base64("123456789012345678901234567890123.t.s", 37, b64);
	assert_int_equal(token(b64, &t), ERR_INVALID);
}

/* --- objects ------------------------------------------------------------ */

static int
body(const char *object, bool whole, bool *json)
{
	int err;
	json_t *obj = json_read(str_of(object), &err);

	buf_reset(&out);
	err = push_body(obj, whole, &out, json);
	json_decref(obj);
	return err;
}

#define PLAIN(value)                           \
	"{\"to_uid\":\"7\",\"type\":\"chat\"," \
	"\"content\":{\"type\":\"text\",\"value\":" value "}}"

static void
test_body(void **state)
{
	/* what is no more than a text, and what is */
	static const char *const objects[] = {
	    "{\"to_uid\":\"7\",\"type\":\"chat\",\"content\":\"hi\"}",
	    "{\"to_uid\":7,\"type\":\"chat\",\"content\":{\"type\":\"text\","
	    "\"value\":\"hi\"}}",
	    "{\"type\":\"chat\",\"to_uid\":\"7\",\"content\":{\"type\":"
	    "\"text\",\"value\":\"hi\"}}",
	    "{\"to_uid\":\"7\",\"type\":\"chat\",\"content\":{\"type\":"
	    "\"image\",\"value\":\"hi\"}}",
	    "{\"to_uid\":\"7\",\"type\":\"chat\",\"content\":{\"type\":"
	    "\"text\",\"value\":\"hi\"},\"x\":[1,2.5,null,\"\xe4\xbd\xa0\"]}",
	    PLAIN("3"),
	};
	bool json;
	size_t i;

	(void)state;
	assert_int_equal(body(PLAIN("\"\xe4\xbd\xa0 </b>\""), false, &json), 0);
	assert_false(json);
	assert_string_equal(text(), "\xe4\xbd\xa0 </b>");
	assert_int_equal(body(PLAIN("\"hi\""), true, &json), 0);
	assert_true(json);
	assert_string_equal(text(), PLAIN("\"hi\""));
	for (i = 0; i < ARRAY_LEN(objects); i++) {
		assert_int_equal(body(objects[i], false, &json), 0);
		assert_true(json);
		assert_string_equal(text(), objects[i]);
	}
}

static void
test_body_refused(void **state)
{
	static const char *const bad[] = {"[]", "1", "\"x\"", "{}",
	    "{\"to_uid\":\"7\",\"type\":\"chat\"}",
	    "{\"to_uid\":\"7\",\"type\":\"chat\",\"content\":\"\"}",
	    "{\"to_uid\":\"7\",\"type\":\"chat\",\"content\":{}}",
	    "{\"to_uid\":\"7\",\"type\":\"chat\",\"content\":[]}",
	    "{\"to_uid\":\"7\",\"type\":\"chat\",\"content\":null}",
	    "{\"to_uid\":\"7\",\"type\":\"chat\",\"content\":0}",
	    "{\"to_uid\":\"7\",\"type\":\"chat\",\"content\":\"0\"}",
	    "{\"to_uid\":\"7\",\"type\":\"chat\",\"content\":false}",
	    "{\"to_uid\":\"7\",\"type\":\"news\",\"content\":\"x\"}",
	    "{\"to_uid\":\"7\",\"type\":1,\"content\":\"x\"}",
	    "{\"to_uid\":\"7\",\"content\":\"x\"}"};
	bool json;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(body(bad[i], false, &json), ERR_INVALID);
	/* a back end has words of its own, but it has one */
	assert_int_equal(
	    body("{\"type\":\"news\",\"content\":\"x\"}", true, &json), 0);
	assert_int_equal(body("{\"type\":\"\",\"content\":\"x\"}", true, &json),
	    ERR_INVALID);
	assert_int_equal(body("{\"content\":\"x\"}", true, &json), ERR_INVALID);
}

static void
test_body_bounds(void **state)
{
	char *object = xcalloc(1, 3 * PUSH_BODY_MAX);
	char *fill = xcalloc(1, 2 * PUSH_BODY_MAX);
	size_t n, around;
	bool json;

	(void)state;
	for (n = PUSH_TEXT_MAX; n <= PUSH_TEXT_MAX + 1; n++) {
		memset(fill, 'a', n);
		snprintf(object, 3 * PUSH_BODY_MAX, PLAIN("\"%s\""), fill);
		assert_int_equal(body(object, false, &json),
		    n <= PUSH_TEXT_MAX ? 0 : ERR_LIMIT);
	}
	/* the same in content itself, and an object as large as it may be */
	snprintf(object, 3 * PUSH_BODY_MAX,
	    "{\"to_uid\":\"7\",\"type\":\"chat\",\"content\":\"%s\"}", fill);
	assert_int_equal(body(object, false, &json), ERR_LIMIT);
	snprintf(object, 3 * PUSH_BODY_MAX,
	    "{\"type\":\"chat\",\"content\":1,\"x\":\"\"}");
	around = strlen(object);
	for (n = PUSH_BODY_MAX; n <= PUSH_BODY_MAX + 1; n++) {
		memset(fill, 'a', n - around);
		fill[n - around] = '\0';
		snprintf(object, 3 * PUSH_BODY_MAX,
		    "{\"type\":\"chat\",\"content\":1,\"x\":\"%s\"}", fill);
		assert_int_equal(strlen(object), n);
		assert_int_equal(body(object, false, &json),
		    n <= PUSH_BODY_MAX ? 0 : ERR_LIMIT);
	}
	free(object);
	free(fill);
}

static void
shows(const char *object, const char *want)
{
	buf_reset(&out);
	push_text(str_of(object), &out);
	assert_string_equal(text(), want);
}

static void
test_text(void **state)
{
	(void)state;
	shows("{\"content\":{\"type\":\"text\",\"value\":\"a/b\"}}", "a/b");
	shows("{\"content\":\"plain\"}", "plain");
	shows("{\"content\":{\"type\":\"geo\",\"value\":[1,2]}}",
	    "{\"type\":\"geo\",\"value\":[1,2]}");
	shows("{\"content\":[1,\"x\"]}", "[1,\"x\"]");
	shows("{\"x\":1}", "{\"x\":1}");
	shows("no JSON", "no JSON");
}

/* --- what clients see --------------------------------------------------- */

static const char *
say(struct push_item it)
{
	it.uid = STR_LIT("2109323");
	it.to_uid = STR_LIT("123456");
	it.ts = 1599877568123;
	it.seq = 20007;
	if (it.kind == NULL)
		it.kind = "text";
	buf_reset(&out);
	push_say(&it, &out);
	return text();
}

#define BODY(s) .body = STR_LIT(s)

static void
test_say(void **state)
{
	struct push_item it;

	(void)state;
	/* the README's own example, but for the counter in id */
	it = (struct push_item){BODY("\xe6\x96\xb0\xe5\x86\x85\xe5\xae\xb9")};
	assert_string_equal(say(it),
	    "{\"to_uid\":\"123456\",\"type\":\"chat\",\"content\":{\"type\":"
	    "\"text\",\"value\":\"\xe6\x96\xb0\xe5\x86\x85\xe5\xae\xb9\"},"
	    "\"uid\":\"2109323\",\"state\":1,\"id\":15998775680007}");
	it = (struct push_item){BODY("http://h/p?\"\\\n\x01"), .kind = "pic"};
	assert_string_equal(say(it),
	    "{\"to_uid\":\"123456\",\"type\":\"chat\",\"content\":{\"type\":"
	    "\"pic\",\"value\":\"http:\\/\\/h\\/p?\\\"\\\\\\n\\u0001\"},"
	    "\"uid\":\"2109323\",\"state\":1,\"id\":15998775680007}");
	/* all its keys, in its order; the sender is who he is */
	it = (struct push_item){
	    BODY("{\"type\":\"chat\",\"uid\":\"forged\",\"x\":[1,2.5],"
		 "\"to_uid\":123456,\"content\":\"a/b\"}"),
	    .json = true};
	assert_string_equal(say(it),
	    "{\"type\":\"chat\",\"uid\":\"2109323\",\"x\":[1,2.5],"
	    "\"to_uid\":123456,\"content\":\"a\\/b\",\"state\":1,"
	    "\"id\":15998775680007}");
	/* of a back end: its own uid or none, its own id */
	it = (struct push_item){
	    BODY("{\"to_uid\":\"123456\",\"type\":\"chat\",\"uid\":1,\"time\":"
		 "\"1599877568\",\"content\":{\"a\":true}}"),
	    .json = true, .whole = true};
	assert_string_equal(say(it),
	    "{\"to_uid\":\"123456\",\"type\":\"chat\",\"uid\":1,\"time\":"
	    "\"1599877568\",\"content\":{\"a\":true},\"state\":1,"
	    "\"id\":15998775680007}");
	it = (struct push_item){
	    BODY(
		"{\"id\":\"k-1\",\"state\":0,\"type\":\"chat\",\"content\":1}"),
	    .json = true, .whole = true};
	assert_string_equal(say(it),
	    "{\"id\":\"k-1\",\"state\":1,\"type\":\"chat\",\"content\":1}");
}

static void
test_say_unread(void **state)
{
	struct push_item it = {BODY("a/b"), .unread = true};

	(void)state;
	assert_string_equal(say(it),
	    "{\"id\":15998775680007,\"to_uid\":\"123456\",\"uid\":\"2109323\","
	    "\"type\":\"chat\",\"state\":0,\"time\":1599877568,\"content\":"
	    "{\"type\":\"text\",\"value\":\"a\\/b\"}}");
	it = (struct push_item){
	    BODY("{\"id\":5,\"x\":1,\"type\":\"chat\",\"content\":[1]}"),
	    .json = true, .unread = true};
	assert_string_equal(say(it),
	    "{\"id\":5,\"to_uid\":\"123456\",\"uid\":\"2109323\","
	    "\"type\":\"chat\",\"state\":0,\"time\":1599877568,"
	    "\"content\":[1]}");
	/* what is no object becomes no bytes */
	it.body = STR_LIT("[1]");
	assert_string_equal(say(it), "");
	it.body = STR_LIT("{");
	assert_string_equal(say(it), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_token),
	    cmocka_unit_test(test_token_refused),
	    cmocka_unit_test(test_body),
	    cmocka_unit_test(test_body_refused),
	    cmocka_unit_test(test_body_bounds),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_say),
	    cmocka_unit_test(test_say_unread),
	};

	json_init();
	buf_init(&out, 1 << 20);
	return cmocka_run_group_tests_name("push", tests, NULL, NULL);
}
