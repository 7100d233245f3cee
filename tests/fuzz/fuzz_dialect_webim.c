/* SPDX-License-Identifier: MIT */
/*
 * What comes from PHPWebIM's clients: frames into the dialect (a command or
 * an answer, never both; a frame may be without any), and forms and cookies of
 * its long poll. An image that was let in comes out as two addresses.
 */
#include <stdlib.h>

#include "msg_server/dialect/webim_priv.h"
#include "msg_server/door/webim/comet.h"
#include "shared/base/utf8.h"
#include "shared/proto/http.h"
#include "tests/fuzz/fuzz.h"

static void
check_json(struct str text, const char *cmd)
{
	json_t *obj;
	int err;

	obj = json_read(text, &err);
	check(json_is_object(obj) && str_eqc(json_str(obj, "cmd"), cmd));
	json_decref(obj);
}

/* as it would be given to somebody else */
static void
say(const struct command *c)
{
	struct item it = {.kind = ITEM_MESSAGE,
	    .flags = c->type == MSG_PIC ? ITEM_F_PIC : 0,
	    .cn = 1,
	    .body = c->msg};
	struct event ev = {.kind = EVENT_ITEM, .item = &it};
	struct buf out;

	buf_init(&out, 65536);
	dialect_webim.encode(&ev, 1, VIEW_OTHER, &out);
	check(buf_ok(&out));
	check_json(buf_str(&out), "fromMsg");
	buf_fini(&out);
}

static void
greet(const struct command *c)
{
	struct event ev = {.kind = EVENT_NEW_USER,
	    .cn = 1,
	    .name = c->name,
	    .avatar = c->avatar};
	struct buf out;

	buf_init(&out, 65536);
	dialect_webim_2014.encode(&ev, 1, VIEW_OTHER, &out);
	check(buf_ok(&out));
	check_json(buf_str(&out), "newUser");
	/* it goes into HTML as it is */
	check(memchr(buf_p(&out), '<', buf_len(&out)) == NULL);
	check(memchr(buf_p(&out), '\'', buf_len(&out)) == NULL);
	buf_reset(&out);
	dialect_webim_2014.also(&ev, 1, VIEW_OTHER, &out);
	check_json(buf_str(&out), "fromMsg");
	buf_fini(&out);
}

static void
on_command(void *arg, const struct command *c)
{
	struct str url, thumb;

	++*(unsigned *)arg;
	check(!str_is_set(c->rid) && !str_is_set(c->uid) && c->tid.len == 0);
	check(c->name.len <= NAME_MAX_BYTES && c->avatar.len <= AVATAR_MAX);
	check(c->name.len == 0 || utf8_valid(c->name.p, c->name.len));
	if (c->kind == CMD_LOGIN) {
		check(c->level == 1 && c->moves);
		greet(c);
	} else if (c->kind == CMD_MESSAGE) {
		check(c->level == 1 && c->msg.len > 0);
		check(c->msg.len <= WEBIM_MSG_MAX && c->to_cn <= 1ULL << 53);
		check(utf8_valid(c->msg.p, c->msg.len));
		if (c->type == MSG_PIC)
			check(webim_image(c->msg, &url, &thumb));
		say(c);
	} else {
		check(c->level == 2 && (c->kind == CMD_GET_ONLINE ||
					   c->kind == CMD_GET_HISTORY));
	}
}

static void
decode(const uint8_t *data, size_t size)
{
	struct dialect_ctx ctx = {0};
	struct buf err;
	unsigned n = 0;

	buf_init(&err, 65536);
	dialect_webim.decode(&ctx, str_n(data, size), on_command, &n, &err);
	check(buf_ok(&err) && n + (buf_len(&err) > 0) <= 1);
	if (buf_len(&err) > 0)
		check_json(buf_str(&err), "error");
	buf_fini(&err);
	dialect_webim.guess(str_n(data, size));
	dialect_webim_2019.at_open(str_n(data, size), STR_NONE);
}

static void
form(const uint8_t *data, size_t size)
{
	static const char *const keys[] = {
	    "type", "session_id", "message", "time"};
	struct str body = str_n(data, size), v;
	struct buf b;
	size_t i;

	for (i = 0; i < ARRAY_LEN(keys); i++) {
		buf_init(&b, 4096);
		if (http_query(body, keys[i], &b))
			check(memchr(buf_p(&b), '\0', buf_len(&b)) == NULL);
		/* an encoded frame is one like others */
		if (i == 2)
			decode(buf_p(&b), buf_len(&b));
		buf_fini(&b);
	}
	v = comet_cookie(body, "session_key");
	check(v.len <= size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (utf8_valid(data, size))
		decode(data, size);
	form(data, size);
	return 0;
}
