/* SPDX-License-Identifier: MIT */
/*
 * Uploads, as anybody may bring them: the bytes of a file, what it is said to
 * be, its name, a path, a url, a key, a range. Whatever they are, sizes are
 * within their bounds, a name is a line without a path in it, and what names a
 * file is of the grammar.
 */
#include <stdlib.h>
#include <string.h>

#include "msg_server/upload/key.h"
#include "msg_server/upload/name.h"
#include "msg_server/upload/range.h"
#include "shared/base/utf8.h"
#include "tests/fuzz/fuzz.h"

static void
fuzz_file(const uint8_t *p, size_t n)
{
	static const char *const exts[] = {
	    "png", "jpg", "gif", "webp", "wav", "m4a", "bin"};
	const struct kind *k;
	uint32_t w, h;
	unsigned i;

	for (i = KIND_SAID_PIC; i <= KIND_SAID_BAD; i++) {
		k = kind_find((enum kind_said)i, p, n);
		check(k != NULL || i != KIND_SAID_NOTHING);
		check(k == NULL || i != KIND_SAID_PIC || k->class == KIND_PIC);
		check(k == NULL || i != KIND_SAID_AUDIO ||
		      k->class == KIND_AUDIO);
	}
	/* of any kind: the bytes may be judged by their first ones alone */
	for (i = 0; i < ARRAY_LEN(exts); i++) {
		k = kind_by_ext(str_of(exts[i]));
		if (kind_size(k, p, n, &w, &h)) {
			check(w > 0 && h > 0);
			check((uint64_t)w * h <= KIND_PIXELS_MAX);
		}
		check(kind_ms(k, p, n) == 0 || strcmp(exts[i], "wav") == 0);
	}
}

static void
fuzz_given(struct str s)
{
	char out[NAME_GIVEN_MAX + 1];
	struct name n;
	struct buf b;
	size_t i;

	if (!name_clean(s, out)) {
		check(out[0] == '\0');
		return;
	}
	check(out[0] != '\0' && out[0] != '.');
	check(strpbrk(out, "/\\\"<>:*?|\r\n") == NULL);
	check(utf8_valid(out, strlen(out)) && utf8_is_line(str_of(out)));
	memset(&n, 0, sizeof n);
	n.kind = kind_by_ext(STR_LIT("bin"));
	buf_init(&b, 4096);
	name_put_attachment(out, &n, &b);
	check(buf_ok(&b));
	for (i = 0; i + 2 < buf_len(&b); i++)
		check(buf_p(&b)[i] >= 0x20 && buf_p(&b)[i] < 0x7f);
	buf_fini(&b);
}

static void
fuzz_names(struct str s)
{
	struct name n;
	size_t i;

	if (!name_parse(s, &n) && !name_in_url(s, &n))
		return;
	check(strlen(n.file) == NAME_HASH_LEN + 1 + strlen(n.kind->ext));
	for (i = 0; n.file[i] != '\0'; i++)
		check((n.file[i] >= '0' && n.file[i] <= '9') ||
		      (n.file[i] >= 'a' && n.file[i] <= 'z') ||
		      (n.file[i] == '.' && i == NAME_HASH_LEN));
}

static void
fuzz_range(struct str s)
{
	static const uint64_t sizes[] = {0, 1, 100, UINT64_MAX};
	uint64_t from, len;
	unsigned i;

	for (i = 0; i < ARRAY_LEN(sizes); i++)
		switch (range_parse(s, sizes[i], &from, &len)) {
		case RANGE_ALL:
			check(from == 0 && len == sizes[i]);
			break;
		case RANGE_PART:
			check(from < sizes[i] && len > 0);
			check(len <= sizes[i] - from);
			break;
		case RANGE_NONE:
			break;
		}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[32] = {1, 2, 3};
	char uid[ID_MAX + 1];
	struct str s = str_n(data, size);

	fuzz_file(data, size);
	kind_said(s);
	fuzz_given(s);
	fuzz_names(s);
	fuzz_range(s);
	check(upload_key_check(key, "cchat", s, 1, uid) != 0);
	return 0;
}
