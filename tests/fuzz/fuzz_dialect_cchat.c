/* SPDX-License-Identifier: MIT */
/*
 * Frames of clients into the cchat dialect, on every level. Whatever comes:
 * a command or an answer, never both and never neither; the answer is JSON;
 * what a command carries keeps the grammar that the core relies on.
 */
#include <stdlib.h>

#include "msg_server/dialect/dialect.h"
#include "shared/base/utf8.h"
#include "tests/fuzz/fuzz.h"

static bool
is_word_or_none(struct str s)
{
	return !str_is_set(s) || id_is_word(s);
}

static void
on_command(void *arg, const struct command *c)
{
	struct str at = c->at, uid;
	size_t i;

	++*(unsigned *)arg;
	check(c->kind < CMD_COUNT && (c->level == 1 || c->level == 2));
	check(is_word_or_none(c->rid) && is_word_or_none(c->uid) &&
	      is_word_or_none(c->dev));
	check(c->tid.len == 0 || id_is_word(c->tid));
	check(!str_is_set(c->cid) || id_is_cid(c->cid));
	check(c->name.len <= NAME_MAX_BYTES);
	if (c->name.len > 0)
		check(utf8_valid(c->name.p, c->name.len) &&
		      memchr(c->name.p, '\0', c->name.len) == NULL);
	check(c->avatar.len <= AVATAR_MAX);
	check(c->msg.len == 0 || utf8_valid(c->msg.p, c->msg.len));
	check(c->level == 2 || c->msg.len <= 1024);
	check(c->limit <= 200 && c->n_pos <= POS_MAX && c->n_uids <= UIDS_MAX);
	for (i = 0; i < c->n_pos; i++)
		check(
		    c->pos[i].ep.len == EP_LEN &&
		    (str_eqc(c->pos[i].rid, "@") || id_is_word(c->pos[i].rid)));
	for (i = 0; i < c->n_uids; i++)
		check(id_is_word(c->uids[i]));
	if (c->kind == CMD_MESSAGE || c->kind == CMD_TYPING ||
	    c->kind == CMD_GET_MARKS)
		check(str_is_set(c->rid) || c->tid.len > 0);
	if (c->kind == CMD_EDIT || c->kind == CMD_RECALL ||
	    c->kind == CMD_REACT)
		check(c->ref > 0 && (str_is_set(c->rid) || c->tid.len > 0));
	if (c->kind == CMD_REACT)
		check(c->emo.len > 0 && c->emo.len <= EMO_MAX &&
		      utf8_is_line(c->emo));
	if (c->kind == CMD_TITLE)
		check(str_is_set(c->title) && c->title.len <= TITLE_MAX &&
		      utf8_is_line(c->title) && str_is_set(c->rid));
	check(c->at.len <= AT_BYTES);
	while (str_next(&at, ',', &uid))
		check(id_is_word(uid));
	if (c->kind == CMD_GET_MARKS)
		check(c->seq > 0 && is_word_or_none(c->next));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dialect_ctx ctx = {0};
	unsigned level, n;
	struct buf err;
	json_t *obj;
	int e;

	for (level = 0; level < 3; level++) {
		ctx.level = (uint8_t)level;
		ctx.in = level > 0;
		n = 0;
		buf_init(&err, 65536);
		dialect_cchat.decode(
		    &ctx, str_n(data, size), on_command, &n, &err);
		check(buf_ok(&err) && n + (buf_len(&err) > 0) == 1);
		if (buf_len(&err) > 0) {
			obj = json_read(buf_str(&err), &e);
			check(json_is_object(obj) &&
			      str_eqc(json_str(obj, "cmd"), "error"));
			json_decref(obj);
		}
		buf_fini(&err);
	}
	dialect_cchat.guess(str_n(data, size));
	return 0;
}
