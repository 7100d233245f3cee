/* SPDX-License-Identifier: MIT */
/*
 * PHP's serialize() of any bytes: strings are inside of the text, what is
 * written is read again and written alike, and a value merged into itself, or
 * into another, is one that can be read. The input is one value, or two with
 * a newline between them.
 */
#include <stdlib.h>

#include "shared/base/map.h"
#include "shared/proto/php.h"
#include "tests/fuzz/fuzz.h"

static void
fuzz_inside(struct str s, struct str text)
{
	if (str_is_set(s) && (s.p < text.p || s.p + s.len > text.p + text.len))
		abort();
}

static void
fuzz_tree(const struct php *p, struct str text)
{
	uint32_t i;

	if (p->n == 0 || p->n > PHP_NODES_MAX)
		abort();
	for (i = 0; i < p->n; i++) {
		fuzz_inside(p->node[i].s, text);
		fuzz_inside(p->node[i].key.s, text);
	}
}

/* what it says is read again, and says the same */
static void
fuzz_again(const struct php *p, struct buf *out)
{
	struct php again;
	struct buf twice;

	buf_reset(out);
	php_write(p, out);
	if (!buf_ok(out) || php_parse(&again, buf_str(out)) != 0)
		abort();
	buf_init(&twice, 4 * PHP_TEXT_MAX);
	php_write(&again, &twice);
	if (!str_eq(buf_str(out), buf_str(&twice)))
		abort();
	buf_fini(&twice);
	php_fini(&again);
}

static void
fuzz_merge(struct php *p, struct str text, struct str with)
{
	struct php other;
	struct buf out;
	int err;

	buf_init(&out, 4 * PHP_TEXT_MAX);
	if (php_parse(&other, text) != 0)
		abort();
	if (p->node[0].kind == PHP_ARRAY && php_merge(p, &other) == 0)
		fuzz_again(p, &out);
	php_fini(&other);
	if (php_parse(&other, with) == 0) {
		err = php_merge(p, &other);
		if (err != 0 && err != ERR_INVALID && err != ERR_LIMIT)
			abort();
		if (err == 0 && text.len + with.len < PHP_TEXT_MAX / 4)
			fuzz_again(p, &out);
		php_fini(&other);
	}
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_n(data, size), with = STR_NONE;
	long cut = str_chr(text, '\n');
	struct buf out;
	struct php p;

	if (map_seed == 0)
		map_init();
	if (cut >= 0) {
		with = str_n(text.p + cut + 1, text.len - (size_t)cut - 1);
		text.len = (size_t)cut;
	}
	if (php_parse(&p, text) != 0) {
		if (p.node != NULL || p.slot != NULL)
			abort();
		return 0;
	}
	fuzz_tree(&p, text);
	buf_init(&out, 4 * PHP_TEXT_MAX);
	if (size < PHP_TEXT_MAX / 4)
		fuzz_again(&p, &out);
	buf_fini(&out);
	fuzz_merge(&p, text, with);
	php_fini(&p);
	return 0;
}
