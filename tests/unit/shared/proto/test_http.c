/* SPDX-License-Identifier: MIT */
/*
 * HTTP heads: each case is parsed whole and byte by byte, which must come to
 * the same. The refused ones are those of reliability.md 3.6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "shared/proto/http.h"

#define HOST "Host: chat.example\r\n"
#define END  "\r\n"

/* whole and byte by byte: the same end, and rq as parsed from the whole */
static int
parse(struct str text, struct http_request *rq)
{
	struct http_request one;
	int err, err1 = ERR_AGAIN;
	size_t n;

	/* a head must not need a byte behind it */
	for (n = 0; n <= text.len && err1 == ERR_AGAIN; n++)
		err1 = http_parse((const uint8_t *)text.p, n, &one);
	err = http_parse((const uint8_t *)text.p, text.len, rq);
	assert_int_equal(err1, err);
	assert_int_equal(one.status, rq->status);
	if (err == 0) {
		assert_int_equal(one.head_len, rq->head_len);
		assert_int_equal(n - 1, rq->head_len);
	}
	if (err == 0 || err == ERR_AGAIN)
		assert_int_equal(rq->status, 0);
	else
		assert_true(rq->status >= 400);
	return err;
}

static void
test_refused(void **state)
{
	static const struct {
		const char *text;
		int status;
	} t[] = {
	    /* line ends */
	    {"GET / HTTP/1.1\n" HOST END, 400},
	    {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
	    {"GET / HTTP/1.1\r\n" HOST "\n", 400},
	    {"GET / HTTP/1.1\r" HOST END, 400},
	    {"GET / HTTP/1.1\r\nX:\rY: b\r\n" HOST END, 400},
	    {"\r\nGET / HTTP/1.1\r\n" HOST END, 400},
	    {"\r\n\r\n", 400},
	    /* the request line */
	    {"GET  / HTTP/1.1\r\n" HOST END, 400},
	    {"GET /  HTTP/1.1\r\n" HOST END, 400},
	    {" GET / HTTP/1.1\r\n" HOST END, 400},
	    {"GET\t/ HTTP/1.1\r\n" HOST END, 400},
	    {"GET / HTTP/1.1 \r\n" HOST END, 400},
	    {"GET /\r\n" HOST END, 400},
	    {"GET HTTP/1.1\r\n" HOST END, 400},
	    {"/ HTTP/1.1\r\n" HOST END, 400},
	    {"G@T / HTTP/1.1\r\n" HOST END, 400},
	    {"GET /\xc3\xa9 HTTP/1.1\r\n" HOST END, 400},
	    {"GET /\x7f HTTP/1.1\r\n" HOST END, 400},
	    {"GET /\x01 HTTP/1.1\r\n" HOST END, 400},
	    {"GET x HTTP/1.1\r\n" HOST END, 400},
	    {"GET * HTTP/1.1\r\n" HOST END, 400},
	    {"GET http://chat.example/ HTTP/1.1\r\n" HOST END, 400},
	    {"CONNECT a:443 HTTP/1.1\r\n" HOST END, 400},
	    {"FROBNICATE / HTTP/1.1\r\n" HOST END, 501},
	    {"get / HTTP/1.1\r\n" HOST END, 501},
	    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
	    /* versions */
	    {"GET / HTTP/1.2\r\n" HOST END, 505},
	    {"GET / HTTP/0.9\r\n" HOST END, 505},
	    {"GET / HTTP/2.0\r\n" HOST END, 505},
	    {"GET / HTTP/9.9\r\n" HOST END, 505},
	    {"GET / http/1.1\r\n" HOST END, 400},
	    {"GET / HTTP/1.10\r\n" HOST END, 400},
	    {"GET / HTTP/11\r\n" HOST END, 400},
	    {"GET / HTTPS/1.1\r\n" HOST END, 400},
	    /* fields */
	    {"GET / HTTP/1.1\r\n" HOST "X : y\r\n" END, 400},
	    {"GET / HTTP/1.1\r\n" HOST " X: y\r\n" END, 400},
	    {"GET / HTTP/1.1\r\n" HOST "X: y\r\n folded\r\n" END, 400},
	    {"GET / HTTP/1.1\r\n" HOST "X: y\r\n\tfolded\r\n" END, 400},
	    {"GET / HTTP/1.1\r\n" HOST "X y\r\n" END, 400},
	    {"GET / HTTP/1.1\r\n" HOST ": y\r\n" END, 400},
	    {"GET / HTTP/1.1\r\n" HOST "X(a): y\r\n" END, 400},
	    {"GET / HTTP/1.1\r\n" HOST "X\xc3\xa9: y\r\n" END, 400},
	    {"GET / HTTP/1.1\r\n" HOST "X: \x01\r\n" END, 400},
	    {"GET / HTTP/1.1\r\n" HOST "X: \x7f\r\n" END, 400},
	    /* Host */
	    {"GET / HTTP/1.1\r\n" END, 400},
	    {"GET / HTTP/1.1\r\n" HOST HOST END, 400},
	    {"GET / HTTP/1.0\r\n" HOST HOST END, 400},
	    {"GET / HTTP/1.1\r\n" HOST "hOST: other\r\n" END, 400},
	    {"GET / HTTP/1.1\r\nHost: a, b\r\n" END, 400},
	    {"GET / HTTP/1.1\r\nHost: a/b\r\n" END, 400},
	    {"GET / HTTP/1.1\r\nHost: u@a\r\n" END, 400},
	    {"GET / HTTP/1.1\r\nHost:\r\n" END, 400},
	    /* lengths */
	    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n"
	     "Content-Length: 5\r\n" END,
		400},
	    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n"
	     "Content-Length: 6\r\n" END,
		400},
	    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n" END, 400},
	    {"POST / HTTP/1.1\r\n" HOST "Content-Length: -5\r\n" END, 400},
	    {"POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n" END, 400},
	    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n" END, 400},
	    {"POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n" END, 400},
	    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 5 5\r\n" END, 400},
	    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" END,
		501},
	    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
	     "Content-Length: 5\r\n" END,
		400},
	    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n"
	     "Transfer-Encoding: chunked\r\n" END,
		400},
	    {"POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n" END,
		400},
	    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n" END,
		400},
	    {"GET / HTTP/1.1\r\n" HOST "Expect: 200-maybe\r\n" END, 417},
	    /* other protocols */
	    {"\x16\x03\x01\x02", 400},
	    {"SSH-2.0-x\r\n", 400},
	    {"{\"cmd\":\"login\"}\r\n", 400},
	};
	struct http_request rq;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(t); i++) {
		if (parse(str_of(t[i].text), &rq) != ERR_PROTO ||
		    rq.status != t[i].status)
			fail_msg("status %d, not %d: %s", rq.status,
			    t[i].status, t[i].text);
	}
	/* NUL, anywhere */
	assert_int_equal(
	    parse(str_n("GET /\0 HTTP/1.1\r\n" HOST END, 17), &rq), ERR_PROTO);
	assert_int_equal(
	    parse(str_n("GET / HTTP/1.1\r\nA\0: b\r\n\r\n", 26), &rq),
	    ERR_PROTO);
	assert_int_equal(
	    parse(str_n("GET / HTTP/1.1\r\nA: b\0\r\n\r\n", 26), &rq),
	    ERR_PROTO);
	/* a length no machine has */
	assert_int_equal(
	    parse(STR_LIT("POST / HTTP/1.1\r\n" HOST
			  "Content-Length: 99999999999999999999\r\n" END),
		&rq),
	    rq.status == 413 ? ERR_LIMIT : ERR_PROTO);
	assert_true(rq.status == 413 || rq.status == 400);
}

static void
test_taken(void **state)
{
	static const char text[] = "GET /a/b?x=1&y HTTP/1.1\r\n"
				   "host: chat.example:9503\r\n"
				   "Empty:\r\n"
				   "Padded: \t  v w \t \r\n"
				   "Latin: caf\xe9\r\n"
				   "Connection: keep-alive, Upgrade\r\n"
				   "Content-Length: 3\r\n"
				   "\r\n"
				   "abcGET";
	struct http_request rq;

	(void)state;
	assert_int_equal(parse(str_of(text), &rq), 0);
	assert_int_equal(rq.method, HTTP_GET_M);
	assert_int_equal(rq.minor, 1);
	assert_true(str_eqc(rq.target, "/a/b?x=1&y"));
	assert_true(str_eqc(rq.path, "/a/b"));
	assert_true(str_eqc(rq.query, "x=1&y"));
	assert_int_equal(rq.head_len, strlen(text) - 6);
	assert_int_equal(rq.body_len, 3);
	assert_true(rq.keep_alive);
	assert_true(rq.upgrade);
	assert_int_equal(rq.n_fields, 6);
	assert_true(str_eqc(http_field(&rq, "HOST"), "chat.example:9503"));
	assert_true(str_is_set(http_field(&rq, "empty")));
	assert_int_equal(http_field(&rq, "empty").len, 0);
	assert_true(str_eqc(http_field(&rq, "padded"), "v w"));
	assert_true(str_eqc(http_field(&rq, "latin"), "caf\xe9"));
	assert_false(str_is_set(http_field(&rq, "pad")));
	assert_int_equal(http_field_count(&rq, "host"), 1);
	assert_int_equal(http_field_count(&rq, "none"), 0);
	/* the words point into the text that was given */
	assert_ptr_equal(rq.target.p, text + 4);

	assert_int_equal(parse(STR_LIT("GET / HTTP/1.1\r\n" HOST END), &rq), 0);
	assert_false(str_is_set(rq.query));
	assert_false(rq.upgrade);
	assert_int_equal(rq.body_len, 0);
	assert_int_equal(
	    parse(STR_LIT("GET /? HTTP/1.1\r\n" HOST END), &rq), 0);
	assert_true(str_is_set(rq.query));
	assert_int_equal(rq.query.len, 0);
	assert_int_equal(
	    parse(STR_LIT("OPTIONS * HTTP/1.1\r\n" HOST END), &rq), 0);
	assert_int_equal(rq.method, HTTP_OPTIONS_M);
	assert_int_equal(
	    parse(STR_LIT("GET / HTTP/1.1\r\nHost: [::1]:80\r\n" END), &rq), 0);
	assert_int_equal(
	    parse(STR_LIT("POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n"
			  "Content-Length: 9\r\n" END),
		&rq),
	    0);
	/* upgrade with a body is the business of who upgrades */
	assert_int_equal(
	    parse(STR_LIT("GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\n"
			  "Upgrade: websocket\r\n"
			  "Content-Length: 4\r\n" END "body"),
		&rq),
	    0);
	assert_int_equal(rq.body_len, 4);
}

static void
test_methods(void **state)
{
	static const struct {
		const char *name;
		enum http_method method;
	} t[] = {{"GET", HTTP_GET_M}, {"HEAD", HTTP_HEAD_M},
	    {"POST", HTTP_POST_M}, {"PUT", HTTP_PUT_M},
	    {"DELETE", HTTP_DELETE_M}, {"OPTIONS", HTTP_OPTIONS_M},
	    {"PATCH", HTTP_OTHER_M}, {"TRACE", HTTP_OTHER_M}};
	struct http_request rq;
	char text[100];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(t); i++) {
		snprintf(text, sizeof(text), "%s / HTTP/1.1\r\n" HOST END,
		    t[i].name);
		assert_int_equal(parse(str_of(text), &rq), 0);
		assert_int_equal(rq.method, t[i].method);
	}
}

static void
test_keep_alive(void **state)
{
	static const struct {
		const char *text;
		bool keep, upgrade;
	} t[] = {
	    {"GET / HTTP/1.1\r\n" HOST END, true, false},
	    {"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n" END, false,
		false},
	    {"GET / HTTP/1.1\r\n" HOST "Connection: x,CLOSE ,y\r\n" END, false,
		false},
	    {"GET / HTTP/1.1\r\n" HOST
	     "Connection: keep-alive\r\nConnection: close\r\n" END,
		false, false},
	    {"GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n" END, true,
		false},
	    {"GET / HTTP/1.0\r\n" END, false, false},
	    {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n" END, true, false},
	    {"GET / HTTP/1.1\r\n" HOST "Connection: xupgrade\r\n" END, true,
		false},
	    {"GET / HTTP/1.1\r\n" HOST
	     "Connection: keep-alive\r\nConnection: Upgrade\r\n" END,
		true, true},
	    {"GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n" END, true,
		false},
	};
	struct http_request rq;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(parse(str_of(t[i].text), &rq), 0);
		assert_int_equal(rq.keep_alive, t[i].keep);
		assert_int_equal(rq.upgrade, t[i].upgrade);
	}
}

/* a request with `n` fields besides Host, or a target, or a field of length n
 */
static int
sized(struct buf *b, unsigned fields, size_t target, size_t value,
    struct http_request *rq)
{
	size_t i;

	buf_reset(b);
	buf_puts(b, "GET /");
	for (i = 1; i < target; i++)
		buf_putc(b, 'a');
	buf_puts(b, " HTTP/1.1\r\n" HOST);
	for (i = 0; i < fields; i++)
		buf_puts(b, "a: b\r\n");
	if (value > 0) {
		buf_puts(b, "v:");
		for (i = 2; i < value; i++)
			buf_putc(b, 'v');
		buf_puts(b, "\r\n");
	}
	buf_puts(b, "\r\n");
	return parse(buf_str(b), rq);
}

static void
test_limits(void **state)
{
	struct http_request rq;
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 1 << 20);
	assert_int_equal(sized(&b, 63, 1, 0, &rq), 0);
	assert_int_equal(rq.n_fields, 64);
	assert_int_equal(sized(&b, 64, 1, 0, &rq), ERR_LIMIT);
	assert_int_equal(rq.status, 431);
	/* the request line: "GET " and " HTTP/1.1" are 13 bytes of it */
	assert_int_equal(sized(&b, 0, 4096 - 13, 0, &rq), 0);
	assert_int_equal(sized(&b, 0, 4096 - 12, 0, &rq), ERR_LIMIT);
	assert_int_equal(rq.status, 414);
	assert_int_equal(sized(&b, 0, 1, 4096, &rq), 0);
	assert_int_equal(sized(&b, 0, 1, 4097, &rq), ERR_LIMIT);
	assert_int_equal(rq.status, 431);
	/* the head: 8192 with the empty line */
	assert_int_equal(sized(&b, 0, 4083, 4050, &rq), 0);
	i = rq.head_len;
	assert_true(8192 - i < 46);
	assert_int_equal(sized(&b, 0, 4083, 4050 + (8192 - i), &rq), 0);
	assert_int_equal(rq.head_len, 8192);
	assert_int_equal(sized(&b, 0, 4083, 4051 + (8192 - i), &rq), ERR_LIMIT);
	assert_int_equal(rq.status, 431);
	/* a flood without an end is refused before the end */
	buf_reset(&b);
	buf_puts(&b, "GET /");
	for (i = 0; i < 5000; i++)
		buf_putc(&b, 'a');
	assert_int_equal(parse(buf_str(&b), &rq), ERR_LIMIT);
	assert_int_equal(rq.status, 414);
	buf_fini(&b);
}

static void
test_tokens(void **state)
{
	(void)state;
	assert_true(http_has_token(STR_LIT("upgrade"), "upgrade"));
	assert_true(http_has_token(STR_LIT("a, Upgrade ,b"), "upgrade"));
	assert_true(http_has_token(STR_LIT(",,\tupgrade"), "upgrade"));
	assert_false(http_has_token(STR_LIT("upgraded"), "upgrade"));
	assert_false(http_has_token(STR_LIT("not-upgrade"), "upgrade"));
	assert_false(http_has_token(STR_LIT("up grade"), "upgrade"));
	assert_false(http_has_token(STR_LIT(""), "upgrade"));
	assert_false(http_has_token(STR_NONE, "upgrade"));
}

static void
test_query(void **state)
{
	static const struct {
		const char *query, *key, *value; /* NULL: false */
	} t[] = {
	    {"a=1&b=2", "a", "1"},
	    {"a=1&b=2", "b", "2"},
	    {"a=1&b=2", "c", NULL},
	    {"aa=1", "a", NULL},
	    {"a", "a", ""},
	    {"a=", "a", ""},
	    {"a=1=2", "a", "1=2"},
	    {"&&a=1&", "a", "1"},
	    {"a=x%20y+z%2B", "a", "x y z+"},
	    {"a=%e4%bd%A0", "a", "\xe4\xbd\xa0"},
	    {"a=%", "a", NULL},
	    {"a=%4", "a", NULL},
	    {"a=%zz", "a", NULL},
	    {"a=%00", "a", NULL},
	    {"a=1&a=2", "a", "1"},
	    {"", "a", NULL},
	};
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 64);
	for (i = 0; i < ARRAY_LEN(t); i++) {
		buf_reset(&b);
		buf_puts(&b, "<");
		assert_int_equal(http_query(str_of(t[i].query), t[i].key, &b),
		    t[i].value != NULL);
		/* appended, and nothing is left of what was malformed */
		assert_int_equal(buf_p(&b)[0], '<');
		buf_consume(&b, 1);
		assert_true(
		    str_eqc(buf_str(&b), t[i].value != NULL ? t[i].value : ""));
	}
	assert_false(http_query(STR_NONE, "a", &b));
	buf_reset(&b);
	assert_int_equal(http_unescape(STR_LIT("a+b%2fc"), &b), 0);
	assert_true(str_eqc(buf_str(&b), "a+b/c"));
	assert_int_equal(http_unescape(STR_LIT("a%0"), &b), ERR_INVALID);
	assert_int_equal(http_unescape(STR_LIT("%00"), &b), ERR_INVALID);
	assert_int_equal(http_unescape(str_n("a\0b", 3), &b), ERR_INVALID);
	assert_true(str_eqc(buf_str(&b), "a+b/c"));
	buf_fini(&b);
}

static bool
has(const struct buf *b, const char *text)
{
	return memmem(buf_p(b), buf_len(b), text, strlen(text)) != NULL;
}

static void
test_response(void **state)
{
	struct http_response rs;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	http_put_head(&b, 200, "text/plain", 5, true, "X-A: 1\r\n");
	buf_puts(&b, "hello");
	assert_int_equal(http_parse_response(buf_p(&b), buf_len(&b), &rs), 0);
	assert_int_equal(rs.status, 200);
	assert_int_equal(rs.body_len, 5);
	assert_int_equal(rs.head_len, buf_len(&b) - 5);
	assert_int_equal(rs.n_fields, 5);
	assert_false(has(&b, "Connection"));
	assert_int_equal(http_parse_response(buf_p(&b), 30, &rs), ERR_AGAIN);
	buf_reset(&b);
	http_put_head(&b, 404, NULL, 0, false, "");
	assert_true(str_eqc(buf_str(&b),
	    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
	    "Connection: close\r\nX-Content-Type-Options: nosniff\r\n"
	    "Referrer-Policy: no-referrer\r\n\r\n"));
	buf_reset(&b);
	http_put_head(&b, 204, NULL, 0, true, "");
	http_put_head(&b, 101, NULL, 0, false, "");
	assert_false(has(&b, "Content-Length"));
	assert_false(has(&b, "Connection"));
	assert_string_equal(
	    http_reason(431), "Request Header Fields Too Large");
	assert_string_equal(http_reason(799), "Unknown");
	buf_fini(&b);

#define RS(text) \
	http_parse_response((const uint8_t *)text, sizeof(text) - 1, &rs)
	assert_int_equal(RS("HTTP/1.1 204 No Content\r\n\r\n"), 0);
	assert_int_equal(rs.body_len, 0);
	assert_int_equal(RS("HTTP/1.1 200 OK\r\n\r\nabc"), 0);
	assert_int_equal(rs.body_len, -1);
	assert_int_equal(RS("HTTP/1.1 2000 OK\r\n\r\n"), ERR_PROTO);
	assert_int_equal(RS("HTTP/1.1 xx\r\n\r\n"), ERR_PROTO);
	assert_int_equal(RS("ICY 200 OK\r\n\r\n"), ERR_PROTO);
	assert_int_equal(RS("HTTP/1.1 200 OK\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n"),
	    ERR_PROTO);
	assert_int_equal(RS("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
			    "Content-Length: 2\r\n\r\n"),
	    ERR_PROTO);
	assert_int_equal(RS("HTTP/1.1 200 OK\r\nContent-Length: "
			    "9223372036854775808\r\n\r\n"),
	    ERR_PROTO);
#undef RS
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_taken),
	    cmocka_unit_test(test_methods),
	    cmocka_unit_test(test_keep_alive),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_tokens),
	    cmocka_unit_test(test_query),
	    cmocka_unit_test(test_response),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
