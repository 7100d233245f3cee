/* SPDX-License-Identifier: MIT */
/*
 * Who reads and who types, in words of level 2: mark, getMarks, typing. The
 * commands of these names are cchat_v2.c's.
 */
#include "msg_server/dialect/cchat_priv.h"

static void
cchat_mark(struct jw *w, const struct event *ev)
{
	cchat_begin(w, "mark", STR_NONE);
	cchat_conversation(w, ev);
	jw_str(w, "uid", ev->uid);
	if (ev->read > 0)
		jw_int(w, "read", (int64_t)ev->read);
	if (ev->recv > 0)
		jw_int(w, "recv", (int64_t)ev->recv);
	jw_obj_end(w);
}

static void
cchat_marks(struct jw *w, const struct event *ev)
{
	cchat_begin(w, "getMarks", ev->cid);
	cchat_conversation(w, ev);
	jw_int(w, "seq", (int64_t)ev->seq);
	jw_int(w, "nread", ev->count);
	if (ev->read > 0)
		jw_int(w, "upto", (int64_t)ev->read);
	jw_raw(w, "read", ev->list);
	if (str_is_set(ev->next))
		jw_str(w, "next", ev->next);
	jw_obj_end(w);
}

static void
cchat_typing(struct jw *w, const struct event *ev)
{
	cchat_begin(w, "typing", STR_NONE);
	cchat_conversation(w, ev);
	jw_str(w, "uid", ev->uid);
	jw_str(w, "name", ev->name);
	jw_bool(w, "on", ev->on);
	jw_obj_end(w);
}

void
cchat_encode_seen(struct jw *w, const struct event *ev)
{
	if (ev->kind == EVENT_TYPING)
		cchat_typing(w, ev);
	else if (ev->kind == EVENT_MARKS)
		cchat_marks(w, ev);
	else
		cchat_mark(w, ev);
}
