/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a group, as level 2 hears of it: the items of its channel,
 * and those in a user's own that say that he is in it now. Their body is what
 * groups.c wrote: {"op":..,"uids":[..]}.
 */
#include "msg_server/dialect/cchat_priv.h"

void
cchat_encode_group(struct jw *w, const char *key, const struct event *ev)
{
	const struct item *it = ev->item;
	struct str b = it->body;

	jw_obj(w, key);
	jw_cstr(w, "cmd", "group");
	if (b.len > 2 && b.p[0] == '{' && b.p[b.len - 1] == '}') {
		buf_putc(w->out, ',');
		buf_putstr(w->out, str_n(b.p + 1, b.len - 2));
	}
	if (str_is_set(ev->rid))
		jw_str(w, "rid", ev->rid);
	if (str_is_set(it->uid))
		jw_str(w, "by", it->uid);
	jw_int(w, "seq", (int64_t)it->seq);
	cchat_mid(w, ev->chan, it->seq);
	jw_int(w, "ts", it->ts);
	if (it->useq > 0)
		jw_int(w, "useq", (int64_t)it->useq);
	jw_obj_end(w);
}
