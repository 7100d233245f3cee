/* SPDX-License-Identifier: MIT */
/* Questions about people, and the JSON of their answers. */
#include <inttypes.h>

#include "tests/unit/proxy_server/presence_fixture.h"

#include "shared/proto/json.h"

static struct buf json;
static struct f_whois ans;
static char next[80];

static const char *
ask(enum who_what what, const char *arg, const char *from, uint16_t limit)
{
	struct f_who who = {.rid = 5,
	    .what = (uint8_t)what,
	    .arg = str_of(arg),
	    .next = str_of(from),
	    .limit = limit};
	json_t *v;
	int err;

	buf_fini(&json);
	buf_init(&json, 1 << 20);
	presence_who(pr, &who, &json, &ans);
	assert_int_equal(ans.rid, 5);
	str_copy(next, sizeof next, ans.next);
	if (ans.code != 200)
		return "";
	v = json_read(ans.json, &err);
	assert_non_null(v);
	json_decref(v);
	buf_putc(&json, '\0');
	return (const char *)buf_p(&json);
}

static void
test_get_online(void **state)
{
	(void)state;
	assert_string_equal(ask(WHO_ROOM, "12", NULL, 10), "[]");
	assert_int_equal(ans.count, 0);
	put(n1, 1, "cat", "12", NULL, false);
	put(n1, 2, "amy", "12", NULL, false);
	put(n2, 2, "amy", "12", NULL, false);
	put(n2, 3, "bob", "12", NULL, false);
	put(n2, 4, "dan", "13", NULL, false);
	assert_string_equal(ask(WHO_ROOM, "12", NULL, 2),
	    "[{\"uid\":\"amy\",\"name\":\"amy\",\"st\":\"on\",\"dev\":2},"
	    "{\"uid\":\"bob\",\"name\":\"bob\",\"st\":\"on\",\"dev\":1}]");
	assert_int_equal(ans.count, 3);
	assert_string_equal(next, "bob");
	assert_string_equal(ask(WHO_ROOM, "12", "bob", 2),
	    "[{\"uid\":\"cat\",\"name\":\"cat\",\"st\":\"on\",\"dev\":1}]");
	assert_string_equal(next, "");
	assert_string_equal(ask(WHO_USERS, "bob,zed,b/d,amy", NULL, 0),
	    "[{\"uid\":\"bob\",\"name\":\"bob\",\"st\":\"on\",\"dev\":1},"
	    "{\"uid\":\"zed\",\"st\":\"off\",\"dev\":0},"
	    "{\"uid\":\"amy\",\"name\":\"amy\",\"st\":\"on\",\"dev\":2}]");
	assert_int_equal(ans.count, 2);
}

static void
test_pages_are_whole(void **state)
{
	char uid[16], seen[256] = {0};
	json_t *list, *v;
	size_t i;
	unsigned n = 0;
	int err;

	(void)state;
	for (i = 0; i < 250; i++) {
		snprintf(uid, sizeof uid, "u%zu", (i * 77) % 250);
		put(n1, (unsigned)i, uid, "12", NULL, true);
	}
	ask(WHO_ROOM, "12", NULL, 40);
	for (;;) {
		list = json_read(str_of((const char *)buf_p(&json)), &err);
		json_array_foreach(list, i, v)
		{
			struct str s = json_str(v, "uid");
			unsigned k = (unsigned)strtoul(s.p + 1, NULL, 10);

			assert_int_equal(seen[k], 0);
			seen[k] = 1;
			n++;
		}
		json_decref(list);
		if (next[0] == '\0')
			break;
		ask(WHO_ROOM, "12", strcpy(uid, next), 40);
	}
	assert_int_equal(n, 250);
}

static void
test_away(void **state)
{
	struct f_pres f = {.op = PRES_SET,
	    .cn = cn(n1, 1),
	    .uid = STR_LIT("amy"),
	    .name = STR_LIT("Amy \"A\""),
	    .avatar = STR_LIT("/a.png"),
	    .away = true,
	    .n_add = 1,
	    .add = {STR_LIT("12")}};

	(void)state;
	presence_put(pr, n1, &f);
	assert_string_equal(ask(WHO_ROOM, "12", NULL, 10),
	    "[{\"uid\":\"amy\",\"name\":\"Amy \\\"A\\\"\",\"st\":\"away\","
	    "\"dev\":1,\"avatar\":\"/a.png\"}]");
	put(n2, 2, "amy", "12", NULL, false);
	assert_non_null(strstr(ask(WHO_ROOM, "12", NULL, 10), "\"st\":\"on\""));
}

static void
test_where(void **state)
{
	(void)state;
	put(n1, 255, "amy", "12", NULL, false);
	assert_string_equal(ask(WHO_USER, "amy", NULL, 0),
	    "{\"uid\":\"amy\",\"online\":true,\"name\":\"amy\",\"sessions\":["
	    "{\"srv\":\"ms1\",\"sid\":\"s-1000000ff\",\"dev\":\"web\","
	    "\"since\":1025000,\"v\":2,\"st\":\"on\"}],\"rooms\":[\"12\"],"
	    "\"last\":1025000}");
	assert_string_equal(ask(WHO_USER, "bob", NULL, 0),
	    "{\"uid\":\"bob\",\"online\":false,\"sessions\":[],\"rooms\":[]}");
	assert_string_equal(ask(WHO_USER, "b b", NULL, 0), "");
	assert_int_equal(ans.code, 404);
	assert_true(presence_node_has(pr, n1, STR_LIT("amy")));
	assert_false(presence_node_has(pr, n2, STR_LIT("amy")));
}

static void
test_rooms(void **state)
{
	(void)state;
	put(n1, 1, "amy", "b", NULL, false);
	put(n2, 1, "amy", "b", NULL, false);
	put(n2, 2, "bob", "a", NULL, false);
	put(n1, 3, "cat", "c", NULL, false);
	assert_string_equal(ask(WHO_ROOMS, NULL, NULL, 2),
	    "[{\"rid\":\"a\",\"users\":1,\"members\":{\"ms2\":1}},"
	    "{\"rid\":\"b\",\"users\":1,\"members\":{\"ms1\":1,\"ms2\":1}}]");
	assert_int_equal(ans.count, 3);
	assert_string_equal(next, "b");
	assert_string_equal(ask(WHO_ROOMS, "ms1", NULL, 0),
	    "[{\"rid\":\"b\",\"users\":1,\"members\":{\"ms1\":1,\"ms2\":1}},"
	    "{\"rid\":\"c\",\"users\":1,\"members\":{\"ms1\":1}}]");
	assert_string_equal(ask(WHO_ROOM_INFO, "b", NULL, 0),
	    "{\"rid\":\"b\",\"users\":1,\"members\":{\"ms1\":1,\"ms2\":1},"
	    "\"seq\":7}");
	assert_string_equal(ask(WHO_ALL, NULL, NULL, 2), "[\"amy\",\"bob\"]");
	assert_int_equal(ans.count, 3);
	assert_string_equal(next, "bob");
	assert_non_null(strstr(
	    ask(WHO_ALL, "since", NULL, 2), "[{\"uid\":\"amy\",\"since\":1"));
	assert_string_equal(next, "bob");
	assert_string_equal(ask(WHO_ALL, NULL, "bob", 2), "[\"cat\"]");
	assert_string_equal(next, "");
	assert_string_equal(ask(WHO_TOTALS, NULL, NULL, 0),
	    "{\"sessions\":4,\"users\":3,\"rooms\":3,"
	    "\"servers\":{\"ms1\":2,\"ms2\":2}}");
}

static const char *
whose(uint64_t number, enum who_what what)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, number);
	return ask(what, text, NULL, 1);
}

/* who came back is found by the number that others still have of him */
static void
test_whose(void **state)
{
	unsigned i;
	char uid[16];

	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	put(n1, 2, "fd-100000002", "12", NULL, false);
	assert_string_equal(whose(cn(n1, 1), WHO_WHOSE),
	    "{\"cn\":4294967297,\"uid\":\"amy\",\"name\":\"amy\"}");
	assert_string_equal(whose(cn(n2, 1), WHO_WHOSE), "");
	gone(n1, 1, PRES_GONE, false);
	gone(n1, 2, PRES_GONE, false);
	put(n2, 1, "amy", "12", NULL, false);
	assert_string_equal(
	    whose(cn(n1, 1), WHO_WHOSE), "{\"cn\":4294967297,\"uid\":\"amy\"}");
	assert_string_equal(whose(cn(n2, 1), WHO_WHOSE),
	    "{\"cn\":8589934593,\"uid\":\"amy\",\"name\":\"amy\"}");
	/* a session is one that is there; a person of one never comes back */
	assert_string_equal(whose(cn(n1, 1), WHO_SESSION), "");
	assert_string_equal(whose(cn(n1, 2), WHO_WHOSE), "");
	/* a number that comes again is whose it is now */
	put(n1, 1, "bob", "12", NULL, false);
	assert_string_equal(whose(cn(n1, 1), WHO_SESSION),
	    "{\"cn\":4294967297,\"uid\":\"bob\",\"name\":\"bob\"}");
	gone(n1, 1, PRES_GONE, false);
	assert_string_equal(
	    whose(cn(n1, 1), WHO_WHOSE), "{\"cn\":4294967297,\"uid\":\"bob\"}");
	/* as many are kept, and one more pushes out the oldest */
	for (i = 0; i < 32768 - 1; i++) {
		snprintf(uid, sizeof uid, "u%u", i);
		put(n1, 10 + i, uid, NULL, NULL, true);
		gone(n1, 10 + i, PRES_GONE, false);
	}
	assert_string_not_equal(whose(cn(n1, 1), WHO_WHOSE), "");
	put(n1, 9, "last", NULL, NULL, true);
	gone(n1, 9, PRES_GONE, false);
	assert_string_equal(whose(cn(n1, 1), WHO_WHOSE), "");
	assert_string_not_equal(whose(cn(n1, 10), WHO_WHOSE), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_get_online),
	    TEST(test_pages_are_whole),
	    TEST(test_away),
	    TEST(test_where),
	    TEST(test_rooms),
	    TEST(test_whose),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	buf_fini(&json);
	return rc;
}
