/* SPDX-License-Identifier: MIT */
/* Answers as JSON: shapes, pages, keys; what a proxy says is checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "config_server/api.h"
#include "shared/proto/json.h"

static struct registry reg;
static int some_link;

static int
setup(void **state)
{
	(void)state;
	registry_init(&reg, NULL, NULL);
	reg.ver = 5;
	reg.gen = 2;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	registry_fini(&reg);
	return 0;
}

static struct registry_server *
server(const char *name, int role)
{
	struct registry_joined done;
	struct f_join f = {.name = str_of(name),
	    .role = (uint8_t)role,
	    .weight = 1,
	    .direct_url = STR_LIT("ws://127.0.0.1:1/ws"),
	    .public_url = STR_LIT("ws://127.0.0.1:9503/ws")};

	registry_join(&reg, &f, &some_link, &done);
	assert_non_null(done.server);
	return done.server;
}

static json_t *
parsed(struct buf *out)
{
	int err;
	json_t *v = json_read(buf_str(out), &err);

	if (v == NULL)
		fail_msg("not JSON: %.*s", STR_ARG(buf_str(out)));
	buf_fini(out);
	return v;
}

static int64_t
num(const json_t *v, const char *key)
{
	int64_t n = -1;

	if (!json_int(v, key, &n))
		fail_msg("no %s", key);
	return n;
}

static const char *
text(const json_t *v, const char *key)
{
	const char *s = json_string_value(json_object_get(v, key));

	return s != NULL ? s : "(none)";
}

static void
test_servers(void **state)
{
	static const char *const keys[] = {"id", "role", "addr", "pub", "ver",
	    "state", "since", "beat_ms", "conns", "users", "rooms", "cap",
	    "load"};
	struct api_page page = {.limit = 100};
	struct buf out;
	json_t *v, *s;

	(void)state;
	server("ms1", ROLE_MSG)->load.conns = 7;
	buf_init(&out, 65536);
	api_put_servers(&out, &reg, &page);
	v = parsed(&out);
	assert_int_equal(num(v, "ver"), 5);
	assert_int_equal(num(v, "gen"), 2);
	assert_true(json_is_null(json_object_get(v, "next")));
	s = json_array_get(json_object_get(v, "list"), 0);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (json_object_get(s, keys[i]) == NULL)
			fail_msg("no %s", keys[i]);
	assert_string_equal(text(s, "id"), "ms1");
	assert_string_equal(text(s, "state"), "up");
	assert_int_equal(num(s, "conns"), 7);
	json_decref(v);
	/* the same list, other keys */
	buf_init(&out, 65536);
	api_put_load(&out, &reg, &page);
	v = parsed(&out);
	s = json_array_get(json_object_get(v, "list"), 0);
	assert_int_equal(num(s, "conns"), 7);
	assert_non_null(json_object_get(s, "out_kB_s"));
	json_decref(v);
}

static void
test_pages(void **state)
{
	struct api_page page = {.limit = 4};
	unsigned seen = 0, pages = 0;
	struct buf out;
	json_t *v;
	char name[32];

	(void)state;
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof name, "s%d", i);
		server(name, i % 2 ? ROLE_MSG : ROLE_PROXY);
	}
	do {
		buf_init(&out, 65536);
		api_put_servers(&out, &reg, &page);
		v = parsed(&out);
		seen += (unsigned)json_array_size(json_object_get(v, "list"));
		page.after = (uint32_t)atoi(text(v, "next"));
		json_decref(v);
		pages++;
	} while (page.after != 0 && pages < 10);
	assert_int_equal(seen, 8);
	assert_int_equal(pages, 2); /* a full last page has no next */
	page = (struct api_page){.limit = 100, .role = ROLE_MSG};
	buf_init(&out, 65536);
	api_put_servers(&out, &reg, &page);
	v = parsed(&out);
	assert_int_equal(json_array_size(json_object_get(v, "list")), 4);
	json_decref(v);
}

static void
test_next(void **state)
{
	struct buf out;
	json_t *v;

	(void)state;
	buf_init(&out, 65536);
	assert_false(api_put_next(&out, &reg, STR_NONE));
	assert_int_equal(buf_len(&out), 0);
	server("ms1", ROLE_MSG);
	server("ms2", ROLE_MSG)->load.conns = 3;
	assert_true(api_put_next(&out, &reg, STR_LIT("1001")));
	v = parsed(&out);
	assert_string_equal(text(v, "id"), "ms1");
	assert_string_equal(text(v, "url"), "ws://127.0.0.1:1/ws");
	assert_int_equal(json_array_size(json_object_get(v, "alt")), 1);
	assert_int_equal(num(json_object_get(v, "retry"), "base"), 500);
	assert_int_equal(num(json_object_get(v, "retry"), "max"), 20000);
	assert_int_equal(num(v, "ping"), 25);
	json_decref(v);
}

static void
test_check(void **state)
{
	struct buf out;
	json_t *v, *p;

	(void)state;
	buf_init(&out, 65536);
	api_put_check(&out, &reg, ERR_FULL);
	v = parsed(&out);
	p = json_array_get(json_object_get(v, "list"), 0);
	assert_string_equal(text(p, "kind"), "store");
	assert_int_equal(json_array_size(json_object_get(v, "list")), 3);
	json_decref(v);
}

static void
test_from_proxy(void **state)
{
	static const char *const bad[] = {"", "[]", "{", "{}x", "\"a\"", "1"};
	struct buf out;
	json_t *v;

	(void)state;
	buf_init(&out, 65536);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_not_equal(
		    api_put_object(&out, &reg, str_of(bad[i]), NULL), 0);
	assert_int_not_equal(
	    api_put_list(&out, &reg, STR_LIT("{}"), STR_NONE), 0);
	assert_int_equal(buf_len(&out), 0);
	/* one word said twice: once is heard */
	assert_int_equal(api_put_object(&out, &reg,
			     STR_LIT("{\"rid\":\"1\",\"gen\":9}"), "p1"),
	    0);
	v = parsed(&out);
	assert_int_equal(num(v, "gen"), 2);
	assert_string_equal(text(v, "rid"), "1");
	assert_string_equal(text(v, "owner"), "p1");
	json_decref(v);
	buf_init(&out, 65536);
	assert_int_equal(api_put_object(&out, &reg, STR_LIT("{}"), NULL), 0);
	json_decref(parsed(&out));
	buf_init(&out, 65536);
	assert_int_equal(api_put_list(&out, &reg, STR_LIT("[{\"rid\":\"1\"}]"),
			     STR_LIT("a\"b")),
	    0);
	v = parsed(&out);
	assert_string_equal(text(v, "next"), "a\"b");
	json_decref(v);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {T(test_servers), T(test_pages),
	    T(test_next), T(test_check), T(test_from_proxy)};

	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
