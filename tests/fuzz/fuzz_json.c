/* SPDX-License-Identifier: MIT */
/*
 * JSON of any bytes: never a crash; what is taken is no deeper than allowed;
 * what the writer makes of any valid text reads back as that text.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/base/utf8.h"
#include "shared/proto/json.h"
#include "tests/fuzz/fuzz.h"

static int
fuzz_depth(const json_t *v)
{
	int depth = 0, d;
	const char *key;
	json_t *child;
	size_t i;

	if (json_is_object(v)) {
		json_object_foreach((json_t *)v, key, child)
		{
			d = fuzz_depth(child);
			depth = d > depth ? d : depth;
		}
	} else if (json_is_array(v)) {
		json_array_foreach(v, i, child)
		{
			d = fuzz_depth(child);
			depth = d > depth ? d : depth;
		}
	} else {
		return 0;
	}
	return depth + 1;
}

static void
fuzz_writer(struct str text)
{
	struct buf b;
	struct jw w;
	json_t *v;
	int err;

	buf_init(&b, 1 << 24);
	jw_init(&w, &b);
	jw_arr(&w, NULL);
	jw_str(&w, NULL, text);
	jw_arr_end(&w);
	v = json_read(buf_str(&b), &err);
	if (v == NULL || json_array_size(v) != 1 ||
	    !str_eq(text, str_n(json_string_value(json_array_get(v, 0)),
			      json_string_length(json_array_get(v, 0)))))
		abort();
	json_decref(v);
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_n(data, size);
	char tmp[24];
	int err = 1;
	int64_t n;
	json_t *v;

	json_object_seed(1); /* the same run for the same input */
	v = json_read(text, &err);
	if ((v == NULL) == (err == 0))
		abort();
	if (v != NULL) {
		if (fuzz_depth(v) > JSON_DEPTH)
			abort();
		(void)json_str(v, "cmd");
		(void)json_id(v, "uid", tmp);
		(void)json_int(v, "seq", &n);
		(void)json_bool(v, "flag", false);
		json_decref(v);
	}
	if (utf8_valid(data, size))
		fuzz_writer(text);
	return 0;
}
