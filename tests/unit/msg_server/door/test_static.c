/* SPDX-License-Identifier: MIT */
/*
 * The page (msg_server/door/static.h) from a folder made for the test: what is
 * served, what is not, and with which headers. httpd is a fake that keeps the
 * one answer.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "msg_server/door/static.h"

static struct {
	int status;
	char type[64], extra[4096];
	char body[4096];
	size_t len;
} answer;
static char dir[64];
static struct statics *page;

static void
keep(int status, const char *type, const void *p, size_t n, const char *extra)
{
	assert_int_equal(answer.status, 0); /* exactly one answer */
	answer.status = status;
	snprintf(answer.type, sizeof answer.type, "%s", type);
	snprintf(answer.extra, sizeof answer.extra, "%s", extra);
	answer.len = n;
	memcpy(answer.body, p, n < sizeof answer.body ? n : sizeof answer.body);
}

void
httpd_reply(struct httpd_conn *c, int status, const char *type, struct str body,
    const char *extra)
{
	(void)c;
	keep(status, type, body.p, body.len, extra);
}

void
httpd_reply_blob(struct httpd_conn *c, int status, const char *type,
    struct blob *body, const char *extra)
{
	(void)c;
	keep(status, type, body->bytes, body->len, extra);
}

void
httpd_error(struct httpd_conn *c, int status, const char *msg)
{
	(void)c;
	keep(status, "", msg, strlen(msg), "");
}

static void
put(const char *name, const void *p, size_t n)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void
folder(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void
take(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(remove(path), 0);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/cchat-static-XXXXXX");
	assert_non_null(mkdtemp(dir));
	put("index.html", "<p>", 3);
	folder("js");
	put("js/a.js", "let a", 5);
	put("js/a.js.gz", "GZ", 2);
	put("js/local.mk", "no", 2);
	put(".secret.html", "no", 2);
	page = statics_load(dir);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = {"index.html", "js/a.js",
	    "js/a.js.gz", "js/local.mk", ".secret.html", "js"};
	size_t i;

	(void)state;
	statics_free(page);
	for (i = 0; i < ARRAY_LEN(files); i++)
		take(files[i]);
	return rmdir(dir);
}

static int
get(const char *path, const char *field, const char *value)
{
	struct http_request rq = {.method = HTTP_GET_M, .path = str_of(path)};

	if (field != NULL) {
		rq.fields[0].name = str_of(field);
		rq.fields[0].value = str_of(value);
		rq.n_fields = 1;
	}
	memset(&answer, 0, sizeof answer);
	statics_reply(page, NULL, &rq, STR_LIT(" ws://b:1"));
	return answer.status;
}

static void
test_files(void **state)
{
	(void)state;
	assert_int_equal(statics_count(page), 2);
	assert_int_equal(get("/", NULL, NULL), 200);
	assert_string_equal(answer.type, "text/html; charset=utf-8");
	assert_memory_equal(answer.body, "<p>", 3);
	assert_int_equal(get("/index.html", NULL, NULL), 200);
	assert_int_equal(get("/js/a.js", NULL, NULL), 200);
	assert_string_equal(answer.type, "text/javascript; charset=utf-8");
	assert_null(strstr(answer.extra, "Content-Encoding"));
	assert_non_null(strstr(answer.extra, "Vary: Accept-Encoding"));
}

static void
test_what_is_not_served(void **state)
{
	static const char *const paths[] = {"/js/local.mk", "/.secret.html",
	    "/js/a.js.gz", "/js", "/js/", "//index.html", "/../index.html",
	    "/js/../index.html", "/index.html/", "/%69ndex.html", "/x", ""};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(paths); i++)
		assert_int_equal(get(paths[i], NULL, NULL), 404);
	assert_int_equal(get("/ws", NULL, NULL), 426);
	assert_non_null(strstr(answer.extra, "Sec-WebSocket-Version: 13\r\n"));
}

static void
test_methods(void **state)
{
	struct http_request rq = {.path = STR_LIT("/")};

	(void)state;
	for (int m = HTTP_GET_M; m <= HTTP_OTHER_M; m++) {
		rq.method = (enum http_method)m;
		memset(&answer, 0, sizeof answer);
		statics_reply(page, NULL, &rq, STR_NONE);
		assert_int_equal(answer.status,
		    m == HTTP_GET_M || m == HTTP_HEAD_M ? 200 : 405);
	}
	assert_non_null(strstr(answer.extra, "Allow: GET, HEAD\r\n"));
}

static void
test_headers(void **state)
{
	static const char csp[] =
	    "Content-Security-Policy: default-src 'none'; script-src 'self'; "
	    "style-src 'self'; img-src 'self' data: blob:; media-src 'self' "
	    "blob:; font-src 'self'; connect-src 'self' ws://b:1; "
	    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
	    "form-action 'none'; frame-ancestors 'none'; "
	    "require-trusted-types-for 'script'; trusted-types 'none'\r\n";
	static const char *const paths[] = {"/", "/js/a.js", "/none", "/ws"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(paths); i++) {
		get(paths[i], NULL, NULL);
		assert_non_null(strstr(answer.extra, csp));
		assert_non_null(strstr(answer.extra,
		    "Cross-Origin-Opener-Policy: same-origin\r\n"));
		assert_non_null(strstr(answer.extra,
		    "Permissions-Policy: microphone=(self), camera=(self), "
		    "geolocation=()\r\n"));
	}
	get("/", NULL, NULL);
	assert_non_null(strstr(answer.extra, "Cache-Control: no-cache\r\n"));
}

static void
test_etag(void **state)
{
	char etag[64], list[160], *p;

	(void)state;
	get("/", NULL, NULL);
	p = strstr(answer.extra, "ETag: ");
	assert_non_null(p);
	assert_int_equal(sscanf(p, "ETag: %63s", etag), 1);
	assert_int_equal(etag[0], '"');
	assert_int_equal(get("/", "if-none-match", etag), 304);
	assert_int_equal(answer.len, 0);
	assert_non_null(strstr(answer.extra, etag));
	assert_int_equal(get("/", "If-None-Match", "*"), 304);
	snprintf(list, sizeof list, "\"x\", W/%s", etag);
	assert_int_equal(get("/", "if-none-match", list), 304);
	assert_int_equal(get("/", "if-none-match", "\"x\""), 200);
	assert_int_equal(get("/js/a.js", "if-none-match", etag), 200);
}

static void
test_gzip(void **state)
{
	static const char *const yes[] = {"gzip", "br, gzip", "gzip;q=0.5",
	    "deflate, GZIP ;q=1", "identity;q=0, gzip"};
	static const char *const no[] = {
	    "br", "gzip;q=0", "gzip; q=0.000", "x-gzip", "identity", ""};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(yes); i++) {
		assert_int_equal(
		    get("/js/a.js", "accept-encoding", yes[i]), 200);
		assert_memory_equal(answer.body, "GZ", 2);
		assert_non_null(
		    strstr(answer.extra, "Content-Encoding: gzip\r\n"));
		assert_non_null(strstr(answer.extra, "-gz\"\r\n"));
	}
	for (i = 0; i < ARRAY_LEN(no); i++) {
		assert_int_equal(
		    get("/js/a.js", "accept-encoding", no[i]), 200);
		assert_memory_equal(answer.body, "let a", 5);
	}
}

static void
test_no_folder(void **state)
{
	struct statics *none = statics_load("/nonexistent/cchat");
	struct http_request rq = {.method = HTTP_GET_M, .path = STR_LIT("/")};

	(void)state;
	assert_int_equal(statics_count(none), 0);
	memset(&answer, 0, sizeof answer);
	statics_reply(none, NULL, &rq, STR_NONE);
	assert_int_equal(answer.status, 404);
	statics_free(none);
}

/* the time of a file's last change, to the nanosecond */
static void
age(const char *name, time_t sec, long nsec)
{
	struct timespec t[2] = {
	    {.tv_sec = sec, .tv_nsec = nsec}, {.tv_sec = sec, .tv_nsec = nsec}};
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

/* who edits a file is shown what he wrote, and not its old .gz */
static void
test_old_gz(void **state)
{
	static const struct {
		long file, gz;
		bool sent;
	} ages[] = {{0, 0, true}, {0, 1, true}, {1, 0, false}};
	struct statics *was = page;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(ages); i++) {
		age("js/a.js", 1000000, ages[i].file);
		age("js/a.js.gz", 1000000, ages[i].gz);
		page = statics_load(dir);
		assert_int_equal(
		    get("/js/a.js", "accept-encoding", "gzip"), 200);
		if (ages[i].sent) {
			assert_memory_equal(answer.body, "GZ", 2);
		} else {
			assert_memory_equal(answer.body, "let a", 5);
			assert_null(strstr(answer.extra, "Content-Encoding"));
			assert_null(strstr(answer.extra, "-gz\""));
		}
		statics_free(page);
	}
	page = was;
}

/* looked at when a page is asked for, at most once a second */
static void
test_changed(void **state)
{
	struct str at = STR_LIT("/"), html = STR_LIT("/index.html");
	struct statics *st, *none = statics_load("/nonexistent/cchat");
	int64_t now = 5000;

	(void)state;
	age("js/a.js", 1000000, 0);
	st = statics_load(dir);
	assert_false(statics_changed(st, at, now));
	age("js/a.js", 1000000, 1);
	assert_false(statics_changed(st, at, now + 999));
	assert_false(statics_changed(st, STR_LIT("/js/a.js"), now += 1000));
	assert_false(statics_changed(st, STR_LIT(""), now));
	assert_true(statics_changed(st, html, now));
	assert_false(statics_changed(st, html, now));
	age("js/a.js", 1000000, 0);
	assert_false(statics_changed(st, at, now += 1000));
	/* the same time and another length; more; and less */
	put("js/a.js", "let ab", 6);
	age("js/a.js", 1000000, 0);
	assert_true(statics_changed(st, at, now += 1000));
	put("js/a.js", "let a", 5);
	age("js/a.js", 1000000, 0);
	assert_false(statics_changed(st, at, now += 1000));
	put("js/b.js", "", 0);
	assert_true(statics_changed(st, at, now += 1000));
	take("js/b.js");
	assert_false(statics_changed(st, at, now += 1000));
	statics_free(st);
	assert_false(statics_changed(none, at, now));
	statics_free(none);
}

/* a page of an older system: a .php without PHP, and headers of its own */
static void
test_old_page(void **state)
{
	struct http_request rq = {.method = HTTP_GET_M, .path = STR_LIT("/")};
	struct statics *was = page;

	(void)state;
	take("index.html");
	put("index.php", "<p>old", 6);
	put("secret.php", "<p><?php $key", 13);
	page = statics_load(dir);
	assert_int_equal(get("/", NULL, NULL), 200);
	assert_string_equal(answer.type, "text/html; charset=utf-8");
	assert_memory_equal(answer.body, "<p>old", 6);
	assert_int_equal(get("/index.php", NULL, NULL), 200);
	assert_int_equal(get("/secret.php", NULL, NULL), 404);
	memset(&answer, 0, sizeof answer);
	statics_reply(page, NULL, &rq, STR_NONE);
	assert_int_equal(answer.status, 200);
	assert_null(strstr(answer.extra, "Content-Security-Policy"));
	statics_free(page);
	/* index.html is the page where there are both */
	put("index.html", "<p>", 3);
	page = statics_load(dir);
	assert_int_equal(get("/", NULL, NULL), 200);
	assert_int_equal(answer.len, 3);
	statics_free(page);
	take("index.php");
	take("secret.php");
	page = was;
}

/* eight MiB in all, to the byte and one beyond */
static void
test_bound(void **state)
{
	char *big = calloc(1, STATIC_TOTAL_MAX + 1);
	struct statics *st;

	(void)state;
	put("js/big.css", big, STATIC_TOTAL_MAX - 3 - 5 - 2);
	st = statics_load(dir);
	assert_int_equal(statics_count(st), 3);
	statics_free(st);
	put("js/big.css", big, STATIC_TOTAL_MAX + 1);
	st = statics_load(dir);
	assert_int_equal(statics_count(st), 2);
	statics_free(st);
	take("js/big.css");
	free(big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_old_gz),
	    cmocka_unit_test(test_changed),
	    cmocka_unit_test(test_files),
	    cmocka_unit_test(test_what_is_not_served),
	    cmocka_unit_test(test_methods),
	    cmocka_unit_test(test_headers),
	    cmocka_unit_test(test_etag),
	    cmocka_unit_test(test_gzip),
	    cmocka_unit_test(test_no_folder),
	    cmocka_unit_test(test_old_page),
	    cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
