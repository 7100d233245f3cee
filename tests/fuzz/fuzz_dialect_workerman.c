/* SPDX-License-Identifier: MIT */
/*
 * Frames of clients into the workerman dialect: a command or nothing, never an
 * answer; what a command carries keeps the grammar that the core relies on,
 * and whatever a text is, what is said of it is JSON.
 */
#include <stdlib.h>

#include "msg_server/dialect/dialect.h"
#include "shared/base/utf8.h"
#include "tests/fuzz/fuzz.h"

static void
says(const struct event *ev, enum view view, const char *type)
{
	struct buf out;
	json_t *obj;
	int e;

	buf_init(&out, 16 * 1024 * 1024);
	dialect_workerman.encode(ev, 1, view, &out);
	check(buf_ok(&out));
	obj = json_read(buf_str(&out), &e);
	check(json_is_object(obj) && str_eqc(json_str(obj, "type"), type));
	json_decref(obj);
	buf_fini(&out);
}

static void
anything(const struct event *ev)
{
	struct buf out;

	buf_init(&out, 64 * 1024 * 1024);
	dialect_workerman.encode(ev, 1, VIEW_SELF, &out);
	check(buf_ok(&out));
	buf_fini(&out);
}

static void
on_command(void *arg, const struct command *c)
{
	struct item it = {.kind = ITEM_MESSAGE,
	    .cn = 1,
	    .ts = 1,
	    .uid = STR_LIT("fd-1"),
	    .name = c->name,
	    .body = c->msg};
	struct event ev = {
	    .kind = EVENT_ITEM, .item = &it, .cn = 1, .name = c->name};

	++*(unsigned *)arg;
	check(c->kind == CMD_LOGIN || c->kind == CMD_MESSAGE ||
	      c->kind == CMD_PONG);
	check(c->level == (c->kind == CMD_PONG ? 2 : 1));
	check(!str_is_set(c->rid) || id_is_word(c->rid));
	check(!str_is_set(c->tid) && !str_is_set(c->uid));
	check(c->name.len <= NAME_MAX_BYTES && utf8_count(c->name) <= 32);
	check(c->name.len == 0 || (utf8_valid(c->name.p, c->name.len) &&
				      str_chr(c->name, '\0') < 0));
	check(c->msg.len <= 8192 &&
	      (c->msg.len == 0 || utf8_valid(c->msg.p, c->msg.len)));
	check(c->note.len <= NOTE_MAX);
	check((c->to_cn != 0) == str_is_set(c->note));
	if (c->kind == CMD_LOGIN) {
		ev.kind = EVENT_LOGIN;
		says(&ev, VIEW_SELF, "login");
		ev.kind = EVENT_OFFLINE;
		says(&ev, VIEW_OTHER, "logout");
	} else if (c->kind == CMD_MESSAGE) {
		says(&ev, VIEW_OTHER, "say");
		ev.tid = STR_LIT("fd-1");
		says(&ev, VIEW_OTHER, "say");
		ev.kind = EVENT_OK;
		ev.note = c->note;
		if (c->to_cn != 0)
			says(&ev, VIEW_SELF, "say");
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event ev = {.kind = EVENT_LOGIN, .cn = 1};
	struct dialect_ctx ctx = {0};
	struct buf err;
	unsigned n = 0;

	buf_init(&err, 65536);
	dialect_workerman.decode(&ctx, str_n(data, size), on_command, &n, &err);
	check(n <= 1 && buf_len(&err) == 0);
	buf_fini(&err);
	dialect_workerman.guess(str_n(data, size));
	/* a list of people, a note: of our own, and yet never trusted */
	ev.list = str_n(data, size);
	anything(&ev);
	ev.kind = EVENT_OK;
	ev.note = str_n(data, size);
	if (utf8_valid(data, size))
		anything(&ev);
	return 0;
}
