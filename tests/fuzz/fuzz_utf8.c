/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 of strangers: the first byte says where the rest is cut in two; both
 * ways must agree. What a cleaned name must not hold is not in it.
 */
#include <stdlib.h>

#include "shared/base/err.h"
#include "shared/base/utf8.h"
#include "tests/fuzz/fuzz.h"

#define MUST(x) ((x) ? (void)0 : abort())

static void
fuzz_name(struct str s, bool valid)
{
	struct buf once, twice;
	int err;

	buf_init(&once, s.len);
	buf_init(&twice, s.len);
	err = utf8_clean_name(s, &once);
	MUST(err == (valid && str_chr(s, '\0') < 0 ? OK : ERR_UTF8));
	MUST(buf_ok(&once) && buf_len(&once) <= s.len);
	MUST(err == OK || buf_len(&once) == 0);
	MUST(utf8_valid(buf_p(&once), buf_len(&once)));
	for (size_t i = 0; i < buf_len(&once); i++)
		MUST(buf_p(&once)[i] >= 0x20 && buf_p(&once)[i] != 0x7f);
	/* clean is clean */
	MUST(utf8_clean_name(buf_str(&once), &twice) == OK);
	MUST(str_eq(buf_str(&once), buf_str(&twice)));
	buf_fini(&once);
	buf_fini(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct utf8 u = {0};
	struct str s;
	size_t cut, n;
	bool valid;

	if (size == 0)
		return 0;
	cut = data[0] % size;
	s = str_n(data + 1, size - 1);
	valid = utf8_valid(s.p, s.len);
	MUST((utf8_feed(&u, (const uint8_t *)s.p, cut) &&
		 utf8_feed(&u, (const uint8_t *)s.p + cut, s.len - cut) &&
		 utf8_done(&u)) == valid);
	if (valid) {
		n = utf8_cut(s, cut);
		MUST(n <= cut && cut - n < 4);
		MUST(utf8_valid(s.p, n) && utf8_valid(s.p + n, s.len - n));
		MUST(
		    utf8_count(s) == utf8_count(str_n(s.p, n)) +
					 utf8_count(str_n(s.p + n, s.len - n)));
	}
	fuzz_name(s, valid);
	return 0;
}
