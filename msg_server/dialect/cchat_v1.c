/* SPDX-License-Identifier: MIT */
/*
 * The two commands of CChat version 1, checked in the order the original
 * checks them and refused in its words (dialects/cchat.md). PHP's idea of
 * "empty" and of an integer is kept where it was recorded; its bugs are not:
 * a bad uid is refused instead of answered with `false`, and a name of
 * nothing but tags is none.
 */
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/dialect/cchat_priv.h"
#include "msg_server/dialect/php_text.h"

/* PHP's empty(): absent, null, "", "0", 0, false, [] */
static bool
cchat_is_empty(const json_t *v)
{
	if (json_is_string(v))
		return json_string_length(v) == 0 ||
		       (json_string_length(v) == 1 &&
			   json_string_value(v)[0] == '0');
	if (json_is_number(v))
		return json_number_value(v) == 0;
	if (json_is_array(v))
		return json_array_size(v) == 0;
	return v == NULL || json_is_null(v) || json_is_false(v);
}

/* PHP's isset() */
static bool
cchat_is_set(const json_t *v)
{
	return v != NULL && !json_is_null(v);
}

/* a positive integer, as number or decimal string; canonical digits to tmp */
static bool
cchat_v1_id(const json_t *v, char tmp[24], struct str *out)
{
	struct str s;
	uint64_t n;

	if (json_is_integer(v)) {
		if (json_integer_value(v) <= 0)
			return false;
		n = (uint64_t)json_integer_value(v);
	} else if (json_is_string(v)) {
		s = str_n(json_string_value(v), json_string_length(v));
		while (s.len > 0 && memchr(" \t\n\r\v", s.p[0], 5) != NULL)
			s.p++, s.len--;
		while (
		    s.len > 0 && memchr(" \t\n\r\v", s.p[s.len - 1], 5) != NULL)
			s.len--;
		if (s.len > 1 && s.p[0] == '+')
			s.p++, s.len--;
		if (s.len == 0 || s.p[0] == '0' || str_u64(s, &n) != 0 ||
		    n > INT64_MAX)
			return false;
	} else {
		return false;
	}
	*out = str_n(
	    tmp, (size_t)snprintf(tmp, 24, "%llu", (unsigned long long)n));
	return true;
}

static bool
cchat_v1_rid(struct cchat_frame *f)
{
	const json_t *v = json_object_get(f->obj, "rid");

	if (!cchat_is_set(v))
		return cchat_refuse(f, 50, NULL, "缺少聊天室参数");
	if (!cchat_v1_id(v, f->rid, &f->cmd.rid))
		return cchat_refuse(f, 50, NULL, "聊天室参数不正确");
	f->cmd.rid_is_num = json_is_integer(v);
	return true;
}

static bool
cchat_v1_name(struct cchat_frame *f)
{
	const json_t *v = json_object_get(f->obj, "name");
	char tmp[24];
	struct str name = json_id(f->obj, "name", tmp);

	if (cchat_is_empty(v))
		return cchat_refuse(f, 50, NULL, "缺少姓名参数");
	if (name.len < 2 || name.len > 16 ||
	    memchr(name.p, '\0', name.len) != NULL)
		return cchat_refuse(f, 50, NULL, "姓名不合法");
	php_text_strip_tags(&f->text, name);
	if (buf_len(&f->text) == 0)
		return cchat_refuse(f, 50, NULL, "姓名不合法");
	f->cmd.name = buf_str(&f->text);
	return true;
}

bool
cchat_v1_login(struct cchat_frame *f)
{
	const json_t *uid = json_object_get(f->obj, "uid");

	if (!cchat_v1_name(f) || !cchat_v1_rid(f))
		return false;
	if (!cchat_is_empty(uid) && !cchat_v1_id(uid, f->uid, &f->cmd.uid))
		return cchat_refuse(f, 50, NULL, CCHAT_T_NEED_TOKEN);
	f->cmd.token = json_str(f->obj, "token");
	return true;
}

/* "msg is not escaped (a number stays a number)" */
static bool
cchat_v1_body(struct cchat_frame *f)
{
	const json_t *v = json_object_get(f->obj, "msg");
	char *text;

	if (!cchat_is_set(v))
		return cchat_refuse(f, 50, NULL, "缺少消息内容");
	if (json_is_string(v)) {
		f->cmd.msg = str_n(json_string_value(v), json_string_length(v));
	} else {
		text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
		if (text != NULL)
			buf_puts(&f->text, text);
		free(text);
		f->cmd.msg = buf_str(&f->text);
		f->cmd.msg_is_json = true;
	}
	if (f->cmd.msg.len > CCHAT_V1_MSG_MAX)
		return cchat_refuse(f, 50, NULL, "消息内容过长");
	return true;
}

bool
cchat_v1_message(struct cchat_frame *f)
{
	struct str type = json_str(f->obj, "type");
	const json_t *tid = json_object_get(f->obj, "tid");

	if (str_eqc(type, "text"))
		f->cmd.type = MSG_TEXT;
	else if (str_eqc(type, "audio"))
		f->cmd.type = MSG_AUDIO;
	else if (str_eqc(type, "pic"))
		f->cmd.type = MSG_PIC;
	else
		return cchat_refuse(f, 50, NULL, "不支持的消息类型");
	if (!cchat_v1_body(f))
		return false;
	if (!cchat_is_empty(tid)) {
		if (!cchat_v1_id(tid, f->tid, &f->cmd.tid))
			return cchat_refuse(f, 50, NULL, "私信用户不正确");
	} else if (cchat_is_set(tid)) {
		f->cmd.tid = STR_LIT("");
	}
	return cchat_v1_rid(f);
}
