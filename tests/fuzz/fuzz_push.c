/* SPDX-License-Identifier: MIT */
/*
 * Access tokens and push objects from anywhere. A token that is taken has the
 * parts that it promises; a body that is stored can be read again, and what
 * is said of it to anybody is JSON, or a text.
 */
#include <stdlib.h>

#include "shared/base/utf8.h"
#include "shared/proto/push.h"
#include "tests/fuzz/fuzz.h"

static void
try_token(struct str text)
{
	struct push_token t;
	struct buf b;

	buf_init(&b, 1024);
	if (push_token_read(text, &b, &t) == 0)
		check(id_is_word(t.uid) && t.token.len > 0 &&
		      t.token.len <= PUSH_TOKEN_MAX && t.source.p != NULL);
	buf_fini(&b);
}

static void
try_say(struct str body, bool json, bool whole, bool unread)
{
	struct push_item it = {.body = body,
	    .kind = "text",
	    .json = json,
	    .whole = whole,
	    .uid = STR_LIT("1"),
	    .to_uid = STR_LIT("2"),
	    .ts = 1599877568123,
	    .seq = 7,
	    .unread = unread};
	struct buf b;
	json_t *obj;
	int err;

	buf_init(&b, 1 << 20);
	push_say(&it, &b);
	check(buf_ok(&b));
	obj = json_read(buf_str(&b), &err);
	check(json_is_object(obj) && json_object_get(obj, "id") != NULL &&
	      json_object_get(obj, "state") != NULL &&
	      json_object_get(obj, "content") != NULL);
	json_decref(obj);
	buf_fini(&b);
}

static void
try_object(struct str text)
{
	struct buf b, shown;
	json_t *obj;
	unsigned way;
	bool json;
	int err;

	obj = json_read(text, &err);
	if (obj == NULL)
		return;
	for (way = 0; way < 2; way++) {
		buf_init(&b, PUSH_BODY_MAX);
		if (push_body(obj, way == 1, &b, &json) == 0) {
			check(buf_len(&b) > 0 && buf_len(&b) <= PUSH_BODY_MAX);
			check(json || buf_len(&b) <= PUSH_TEXT_MAX);
			try_say(buf_str(&b), json, way == 1, false);
			try_say(buf_str(&b), json, way == 1, true);
			buf_init(&shown, 8 * PUSH_BODY_MAX);
			push_text(buf_str(&b), &shown);
			check(buf_ok(&shown) &&
			      utf8_valid(buf_p(&shown), buf_len(&shown)));
			buf_fini(&shown);
		}
		buf_fini(&b);
	}
	json_decref(obj);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_n(data, size);

	try_token(text);
	try_object(text);
	return 0;
}
