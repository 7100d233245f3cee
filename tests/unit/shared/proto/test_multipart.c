/* SPDX-License-Identifier: MIT */
/*
 * Forms in pieces of every length: what of them is which part's, and what is
 * no form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shared/base/buf.h"
#include "shared/proto/multipart.h"

#define TYPE "multipart/form-data; boundary=XY-Z"

/* what was heard, as text: <name|file>content; */
struct heard {
	struct buf b;
	int stop_at; /* bytes of content after which it is refused; 0: never */
	int got;
	unsigned calls; /* of on_content */
	bool over;
};

static int
on_part(void *arg, const struct multipart_part *part)
{
	struct heard *h = arg;

	assert_false(h->over);
	buf_putc(&h->b, '<');
	buf_putstr(&h->b, part->name);
	if (str_is_set(part->file)) {
		buf_putc(&h->b, '|');
		buf_putstr(&h->b, part->file);
	}
	buf_putc(&h->b, '>');
	return OK;
}

static int
on_content(void *arg, const uint8_t *p, size_t n)
{
	struct heard *h = arg;

	assert_false(h->over);
	assert_true(n > 0);
	buf_put(&h->b, p, n);
	h->got += (int)n;
	h->calls++;
	h->over = h->stop_at > 0 && h->got >= h->stop_at;
	return h->over ? ERR_DENIED : OK;
}

static int
on_part_end(void *arg)
{
	struct heard *h = arg;

	assert_false(h->over);
	buf_putc(&h->b, ';');
	return OK;
}

static const struct multipart_ops ops = {on_part, on_content, on_part_end};

/* by pieces of `piece` bytes; whole: was that all? */
static int
feed(struct heard *h, const char *s, size_t len, size_t piece, bool *whole)
{
	struct multipart m;
	size_t n;
	int err;

	buf_reset(&h->b);
	h->got = 0;
	h->calls = 0;
	h->over = false;
	assert_int_equal(multipart_begin(&m, STR_LIT(TYPE), &ops, h), OK);
	for (err = OK; len > 0 && err == OK; s += n, len -= n) {
		n = len < piece ? len : piece;
		err = multipart_feed(&m, (const uint8_t *)s, n);
	}
	*whole = multipart_is_whole(&m);
	return err;
}

static void
expect(const char *s, size_t len, int want, bool whole, const char *text)
{
	struct heard h = {.stop_at = 0};
	size_t piece;
	bool is_whole;

	buf_init(&h.b, 65536);
	for (piece = 1; piece <= len + 1; piece++) {
		assert_int_equal(feed(&h, s, len, piece, &is_whole), want);
		assert_int_equal(is_whole, whole);
		if (text == NULL)
			continue;
		buf_putc(&h.b, '\0');
		assert_string_equal((const char *)buf_p(&h.b), text);
	}
	buf_fini(&h.b);
}

#define FORM(s, text)  expect((s), sizeof(s) - 1, OK, true, (text))
#define PART(s, text)  expect((s), sizeof(s) - 1, OK, false, (text))
#define BAD(s)	       expect((s), sizeof(s) - 1, ERR_PROTO, false, NULL)
#define DISPO(more)    "Content-Disposition: form-data; name=\"a\"" more "\r\n"
#define ONE(more, val) "--XY-Z\r\n" DISPO(more) "\r\n" val "\r\n--XY-Z--"

static void
test_parts(void **state)
{
	(void)state;
	FORM("--XY-Z--", "");
	FORM(ONE("", "v"), "<a>v;");
	FORM(ONE("", ""), "<a>;");
	FORM(ONE("; filename=\"b.png\"", "v") "\r\n", "<a|b.png>v;");
	FORM(
	    ONE("; filename=\"\"", "v") "\r\nwhatever\r\n--XY-Z\r\n", "<a|>v;");
	FORM("--XY-Z\r\nX: 1\r\ncontent-disposition:form-data;NAME=a; "
	     "filename=b\r\n"
	     "Content-Type: image/png\r\n\r\n1\r\n--XY-Z\r\n" DISPO(
		 "") "\r\n2"
		     "\r\n--XY-Z--\r\n",
	    "<a|b>1;<a>2;");
	/* quotes within a name */
	FORM(ONE("; filename=\"a\\\"; name=\\\"b\"; filename*=UTF-8''c", "v"),
	    "<a|a\\\"; name=\\\"b>v;");
	FORM(ONE("; filename=\"../../x\"", "v"), "<a|../../x>v;");
}

static void
test_nearly(void **state)
{
	(void)state;
	FORM(ONE("", "\r"), "<a>\r;");
	FORM(ONE("", "\r\n"), "<a>\r\n;");
	FORM(ONE("", "\r\r\n-"), "<a>\r\r\n-;");
	FORM(ONE("", "\r\n--XY-"), "<a>\r\n--XY-;");
	FORM(ONE("", "\r\n--XY-\r\n--XY-z\r\n-XY-Z"),
	    "<a>\r\n--XY-\r\n--XY-z\r\n-XY-Z;");
	FORM(ONE("", "--XY-Z"), "<a>--XY-Z;");
}

/* whoever takes the content is called for pieces, whatever is in them */
static void
test_runs(void **state)
{
	static const char *const what[] = {"\r", "\r\n", "\r\n--XY-", "\rx"};
	struct heard h = {.stop_at = 0};
	size_t i, k, piece = 4096;
	bool whole;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	buf_init(&h.b, 1 << 20);
	for (i = 0; i < ARRAY_LEN(what); i++) {
		buf_reset(&b);
		buf_puts(&b, "--XY-Z\r\n" DISPO("") "\r\n");
		for (k = 0; k < 20000; k++)
			buf_puts(&b, what[i]);
		buf_puts(&b, "\r\n--XY-Z--");
		assert_int_equal(feed(&h, (const char *)buf_p(&b), buf_len(&b),
				     piece, &whole),
		    OK);
		assert_true(whole);
		assert_int_equal(h.got, 20000 * strlen(what[i]));
		/* one more where a piece ends in what may be a boundary */
		assert_in_range(h.calls, 1, 2 * (buf_len(&b) / piece + 1));
	}
	buf_fini(&b);
	buf_fini(&h.b);
}

static void
test_cut(void **state)
{
	static const char all[] = ONE("", "v");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof all - 1; i++)
		expect(all, i, OK, false, NULL);
	PART("--XY-Z\r\n" DISPO("") "\r\nv\r\n--XY-Z\r\n", "<a>v;");
	/* what may be its boundary is not given out */
	PART("--XY-Z\r\n" DISPO("") "\r\nv\r\n--XY-", "<a>v");
}

static void
test_bad(void **state)
{
	(void)state;
	BAD("\r\n" ONE("", "v"));
	BAD("x");
	BAD("--XY-Y\r\n");
	BAD("--XY-Z \r\n");
	BAD("--XY-Z\n");
	BAD("--XY-Z\rx");
	BAD("--XY-Z-x");
	BAD("--XY-Z\r\n\r\nv\r\n--XY-Z--");
	BAD("--XY-Z\r\nX: 1\r\n\r\nv");
	BAD("--XY-Z\r\n: 1\r\n\r\nv");
	BAD("--XY-Z\r\nnothing\r\n\r\nv");
	BAD("--XY-Z\r\n" DISPO("") DISPO("") "\r\nv");
	BAD("--XY-Z\r\n" DISPO("; name=\"b\"") "\r\nv");
	BAD("--XY-Z\r\n" DISPO("; filename=a; filename=b") "\r\nv");
	BAD("--XY-Z\r\n" DISPO("; filename=\"a") "\r\nv");
	BAD("--XY-Z\r\n" DISPO("; filename=\"a\\\"") "\r\nv");
	BAD("--XY-Z\r\n" DISPO(" x") "\r\nv");
	BAD("--XY-Z\r\n" DISPO("; x") "\r\nv");
	BAD("--XY-Z\r\n" DISPO("; filename=\"a\0b\"") "\r\nv");
	BAD("--XY-Z\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nv");
	BAD("--XY-Z\r\nContent-Disposition: form-data\r\n\r\nv");
}

static void
test_bounds(void **state)
{
	struct heard h = {.stop_at = 0};
	bool whole;
	struct buf b;
	int i;

	(void)state;
	buf_init(&b, 65536);
	buf_init(&h.b, 65536);
	for (i = 0; i < MULTIPART_PARTS_MAX; i++)
		buf_puts(&b, "--XY-Z\r\n" DISPO("") "\r\nv\r\n");
	buf_puts(&b, "--XY-Z");
	assert_int_equal(
	    feed(&h, (const char *)buf_p(&b), buf_len(&b), 7, &whole), OK);
	buf_puts(&b, "\r\n");
	assert_int_equal(
	    feed(&h, (const char *)buf_p(&b), buf_len(&b), 7, &whole),
	    ERR_LIMIT);
	/* a head of that many bytes, and one more */
	for (i = 0; i < 2; i++) {
		size_t n;

		buf_reset(&b);
		buf_puts(&b, "--XY-Z\r\n");
		n = buf_len(&b);
		buf_puts(&b, DISPO("") "X: ");
		while (buf_len(&b) - n + 4 < MULTIPART_HEAD_MAX + (size_t)i)
			buf_putc(&b, 'y');
		buf_puts(&b, "\r\n\r\nv");
		assert_int_equal(
		    feed(&h, (const char *)buf_p(&b), buf_len(&b), 11, &whole),
		    i == 0 ? OK : ERR_LIMIT);
	}
	/* of so many lines */
	for (i = 0; i < 2; i++) {
		int k;

		buf_reset(&b);
		buf_puts(&b, "--XY-Z\r\n" DISPO(""));
		for (k = 1; k < MULTIPART_LINES_MAX + i; k++)
			buf_puts(&b, "X: 1\r\n");
		buf_puts(&b, "\r\n");
		assert_int_equal(
		    feed(&h, (const char *)buf_p(&b), buf_len(&b), 3, &whole),
		    i == 0 ? OK : ERR_LIMIT);
	}
	buf_fini(&b);
	buf_fini(&h.b);
}

static void
test_refused(void **state)
{
	struct heard h = {.stop_at = 2};
	bool whole;

	(void)state;
	buf_init(&h.b, 1024);
	assert_int_equal(
	    feed(&h, ONE("", "vv"), sizeof(ONE("", "vv")) - 1, 1, &whole),
	    ERR_DENIED);
	assert_int_equal(h.got, 2);
	/* in what was taken for a boundary */
	assert_int_equal(
	    feed(&h, ONE("", "v\r\n--x"), sizeof(ONE("", "v\r\n--x")) - 1,
		sizeof("--XY-Z\r\n" DISPO("") "\r\nv\r\n--") - 1, &whole),
	    ERR_DENIED);
	assert_int_equal(h.got, 5);
	buf_fini(&h.b);
}

static void
test_type(void **state)
{
	static const char *const good[] = {TYPE,
	    "Multipart/Form-Data;boundary=x",
	    "multipart/form-data; charset=utf-8; boundary=\"x:y\"",
	    "multipart/form-data ; boundary=----WebKitFormBoundary"};
	static const char *const bad[] = {"", "multipart/form-data",
	    "multipart/mixed; boundary=x", "multipart/form-data; boundary=",
	    "multipart/form-data; boundary=\"\"",
	    "multipart/form-data; boundary=\"x", "text/plain; boundary=x",
	    "multipart/form-data; boundary=a b",
	    "multipart/form-data; boundary=x; boundary=y",
	    "multipart/form-data; boundary=\"a\r\"",
	    "multipart/form-data, boundary=x",
	    "multipart/form-datax; boundary=x"};
	char text[128];
	struct multipart m;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(
		    multipart_begin(&m, str_of(good[i]), &ops, NULL), OK);
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
		    multipart_begin(&m, str_of(bad[i]), &ops, NULL),
		    ERR_INVALID);
	assert_int_equal(
	    multipart_begin(&m, STR_NONE, &ops, NULL), ERR_INVALID);
	for (i = MULTIPART_BOUNDARY_MAX; i <= MULTIPART_BOUNDARY_MAX + 1; i++) {
		snprintf(text, sizeof text,
		    "multipart/form-data; boundary=%0*d", (int)i, 7);
		assert_int_equal(multipart_begin(&m, str_of(text), &ops, NULL),
		    i == MULTIPART_BOUNDARY_MAX ? OK : ERR_INVALID);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parts),
	    cmocka_unit_test(test_nearly),
	    cmocka_unit_test(test_runs),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
