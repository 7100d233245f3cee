/* SPDX-License-Identifier: MIT */
/*
 * Commands of level 2 that become items: message, edit, recall, react, title.
 * Checked as cchat_v2.c does; what they mean is judged by the log.
 */
#include "msg_server/dialect/cchat_priv.h"
#include "shared/base/utf8.h"

static bool
cchat_at_has(struct str at, struct str uid)
{
	struct str one;

	while (str_next(&at, ',', &one))
		if (str_eq(one, uid))
			return true;
	return false;
}

/* "at":["1002",..]: each uid once, with commas between; an empty list is none
 */
static bool
cchat_at(struct cchat_frame *f)
{
	const json_t *list = json_object_get(f->obj, "at");
	struct str uid;
	char tmp[24];
	size_t i, n = json_array_size(list);

	if (list == NULL || json_is_null(list))
		return true;
	if (!json_is_array(list) || n > AT_MAX)
		return cchat_refuse(f, 400, "at is a list of 50 uids", NULL);
	for (i = 0; i < n; i++) {
		uid = json_text(json_array_get(list, i), tmp);
		if (!id_is_word(uid) ||
		    json_integer_value(json_array_get(list, i)) < 0)
			return cchat_refuse(f, 400, "bad uid in at", NULL);
		if (cchat_at_has(buf_str(&f->text), uid))
			continue;
		if (i > 0)
			buf_putc(&f->text, ',');
		buf_putstr(&f->text, uid);
	}
	if (n > 0)
		f->cmd.at = buf_str(&f->text);
	return true;
}

static bool
cchat_type(struct cchat_frame *f)
{
	static const char *const types[] = {
	    [MSG_TEXT] = "text",
	    [MSG_AUDIO] = "audio",
	    [MSG_PIC] = "pic",
	    [MSG_FILE] = "file",
	};
	struct str type = json_str(f->obj, "type");
	size_t i;

	for (i = 0; i < ARRAY_LEN(types); i++)
		if (str_eqc(type, types[i])) {
			f->cmd.type = (enum msg_type)i;
			return true;
		}
	return cchat_refuse(f, 400, "bad type", NULL);
}

static bool
cchat_message(struct cchat_frame *f)
{
	const json_t *msg = json_object_get(f->obj, "msg");
	int64_t re;

	if (!cchat_type(f))
		return false;
	if (!json_is_string(msg))
		return cchat_refuse(f, 400, "msg must be a text", NULL);
	f->cmd.msg = json_str(f->obj, "msg");
	if (json_int(f->obj, "re", &re) && re > 0 && re <= 1LL << 53)
		f->cmd.re = (uint64_t)re;
	return cchat_at(f) && cchat_v2_conversation(f);
}

/* --- what refers to a message ------------------------------------------- */

static bool
cchat_ref(struct cchat_frame *f)
{
	int64_t ref;

	if (!json_int(f->obj, "ref", &ref) || ref < 1 || ref > 1LL << 53)
		return cchat_refuse(
		    f, 400, "ref is the seq of a message", NULL);
	f->cmd.ref = (uint64_t)ref;
	return cchat_v2_conversation(f);
}

static bool
cchat_edit(struct cchat_frame *f)
{
	if (!json_is_string(json_object_get(f->obj, "msg")))
		return cchat_refuse(f, 400, "msg must be a text", NULL);
	f->cmd.msg = json_str(f->obj, "msg");
	return cchat_ref(f);
}

static bool
cchat_react(struct cchat_frame *f)
{
	const json_t *on = json_object_get(f->obj, "on");
	struct str emo = json_str(f->obj, "emo");

	if (emo.len == 0 || emo.len > EMO_MAX || !utf8_is_line(emo))
		return cchat_refuse(f, 400, "emo has 1 to 32 bytes", NULL);
	if (on != NULL && !json_is_null(on) && !json_is_boolean(on))
		return cchat_refuse(f, 400, "on is true or false", NULL);
	f->cmd.emo = emo;
	f->cmd.on = json_bool(f->obj, "on", true);
	return cchat_ref(f);
}

static bool
cchat_title(struct cchat_frame *f)
{
	struct str title = json_str(f->obj, "title");

	if (!str_is_set(title) || title.len > TITLE_MAX || !utf8_is_line(title))
		return cchat_refuse(
		    f, 400, "title is one line of 128 bytes", NULL);
	f->cmd.title = title;
	return cchat_v2_room(f);
}

bool
cchat_v2_item(struct cchat_frame *f)
{
	switch (f->cmd.kind) {
	case CMD_EDIT:
		return cchat_edit(f);
	case CMD_RECALL:
		return cchat_ref(f);
	case CMD_REACT:
		return cchat_react(f);
	case CMD_TITLE:
		return cchat_title(f);
	default:
		return cchat_message(f);
	}
}
