/* SPDX-License-Identifier: MIT */
/*
 * Forms as anybody may send them. The first line of the input is a
 * Content-Type, the rest a body, which comes once as a whole and once in
 * pieces of 1, 2, 3... bytes: both are heard as the same parts with the same
 * contents and end in the same way, bounds are kept, and nothing comes after
 * an end or a refusal.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/proto/multipart.h"
#include "tests/fuzz/fuzz.h"

struct heard {
	struct buf b;
	unsigned parts;
	uint64_t left; /* bytes of content until it is refused */
	bool in, refused;
};

static int
on_part(void *arg, const struct multipart_part *part)
{
	struct heard *h = arg;

	check(!h->in && !h->refused);
	check(++h->parts <= MULTIPART_PARTS_MAX);
	check(str_is_set(part->name) &&
	      part->name.len + part->file.len < MULTIPART_HEAD_MAX);
	check(memchr(part->name.p, '\0', part->name.len) == NULL);
	h->in = true;
	buf_putc(&h->b, 1);
	buf_putstr(&h->b, part->name);
	buf_putc(&h->b, 2);
	buf_putstr(&h->b, part->file);
	buf_putc(&h->b, 3);
	return OK;
}

static int
on_content(void *arg, const uint8_t *p, size_t n)
{
	struct heard *h = arg;

	check(h->in && !h->refused && n > 0);
	/* one way or the other, it is refused at the same byte */
	if (n > h->left) {
		buf_put(&h->b, p, (size_t)h->left);
		h->refused = true;
		return ERR_DENIED;
	}
	h->left -= n;
	buf_put(&h->b, p, n);
	return OK;
}

static int
on_part_end(void *arg)
{
	struct heard *h = arg;

	check(h->in && !h->refused);
	h->in = false;
	buf_putc(&h->b, 4);
	return OK;
}

static const struct multipart_ops ops = {on_part, on_content, on_part_end};

static int
hear(struct heard *h, struct str type, struct str body, bool pieces)
{
	struct multipart m;
	size_t n, k = 0;
	int err = multipart_begin(&m, type, &ops, h);

	check(err == OK || err == ERR_INVALID);
	while (err == OK && body.len > 0) {
		k = k % 97 + 1;
		n = pieces && k < body.len ? k : body.len;
		err = multipart_feed(&m, (const uint8_t *)body.p, n);
		check((err == ERR_DENIED) == h->refused);
		body.p += n;
		body.len -= n;
	}
	if (err == OK && multipart_is_whole(&m)) {
		check(!h->in);
		err = 1;
	}
	return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nl = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t n = nl != NULL ? (size_t)(nl - data) : size;
	struct str type = str_n(data, n);
	struct str body = nl != NULL ? str_n(nl + 1, size - n - 1) : STR_NONE;
	struct heard a = {.left = size > 200 && data[size / 2] % 8 == 0
				      ? size / 3
				      : UINT64_MAX};
	struct heard b = {.left = a.left};
	int x, y;

	buf_init(&a.b, 2 * size + 4096);
	buf_init(&b.b, 2 * size + 4096);
	x = hear(&a, type, body, false);
	y = hear(&b, type, body, true);
	check(x == y && a.parts == b.parts);
	check(buf_ok(&a.b) && str_eq(buf_str(&a.b), buf_str(&b.b)));
	buf_fini(&a.b);
	buf_fini(&b.b);
	return 0;
}
