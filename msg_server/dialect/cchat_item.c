/* SPDX-License-Identifier: MIT */
/*
 * Items as level 2 sees them, live, in a replay, in a page of history or as a
 * conversation's last one: protocol.md sections 2 and 4.
 */
#include "msg_server/dialect/cchat_priv.h"

const char *
cchat_type_text(const struct item *it, unsigned level)
{
	if (it->flags & ITEM_F_AUDIO)
		return "audio";
	if (it->flags & ITEM_F_PIC)
		return "pic";
	/* level 1 has no files: their URL is a text to it */
	if ((it->flags & ITEM_F_FILE) && level > 1)
		return "file";
	return "text";
}

void
cchat_mid(struct jw *w, struct str chan, uint64_t seq)
{
	char mid[CHAN_MAX + 24], *p = mid + sizeof mid;
	size_t n = chan.len <= CHAN_MAX ? chan.len : CHAN_MAX;

	do
		*--p = (char)('0' + seq % 10);
	while ((seq /= 10) > 0);
	*--p = '/';
	p -= n;
	if (n > 0)
		memcpy(p, chan.p, n);
	jw_str(w, "mid", str_n(p, (size_t)(mid + sizeof mid - p)));
}

/* words of a message; a non-string of an old client is a text to level 2 */
static void
cchat_put_message(struct jw *w, const struct item *it)
{
	struct str rest = it->at, uid;

	jw_cstr(w, "type", cchat_type_text(it, 2));
	if (it->ref > 0)
		jw_int(w, "re", (int64_t)it->ref);
	if (it->flags & ITEM_F_PUSH)
		cchat_put_push(w, it);
	else
		jw_str(w, "msg", it->body);
	if (!(it->flags & ITEM_F_AT))
		return;
	jw_arr(w, "at");
	while (str_next(&rest, ',', &uid))
		jw_str(w, NULL, uid);
	jw_arr_end(w);
}

static void
cchat_put_words(struct jw *w, const struct item *it)
{
	switch (it->kind) {
	case ITEM_MESSAGE:
		cchat_put_message(w, it);
		break;
	case ITEM_EDIT:
		jw_str(w, "msg", it->body);
		break;
	case ITEM_REACT:
		jw_str(w, "emo", it->body);
		jw_bool(w, "on", !(it->flags & ITEM_F_OFF));
		break;
	case ITEM_TITLE:
		jw_str(w, "title", it->body);
		break;
	default:
		break;
	}
}

/* NULL: there are no words for it */
static const char *
cchat_item_cmd(const struct item *it)
{
	switch (it->kind) {
	case ITEM_MESSAGE:
		return "message";
	case ITEM_EDIT:
		return "edit";
	case ITEM_RECALL:
		return "recall";
	case ITEM_REACT:
		return "react";
	case ITEM_TITLE:
		return "title";
	default:
		return NULL;
	}
}

void
cchat_encode_item(
    struct jw *w, const char *key, const struct event *ev, bool mine)
{
	const struct item *it = ev->item;
	const char *cmd = cchat_item_cmd(it);
	bool gone = it->flags & (ITEM_F_GONE | ITEM_F_LOST);

	if (it->kind == ITEM_MEMBER)
		cchat_encode_group(w, key, ev);
	if (cmd == NULL)
		return;
	jw_obj(w, key);
	jw_cstr(w, "cmd", cmd);
	if (str_is_set(it->uid))
		jw_str(w, "uid", it->uid);
	if (str_is_set(it->name))
		jw_str(w, "name", it->name);
	if (it->avatar.len > 0)
		jw_str(w, "avatar", it->avatar);
	cchat_conversation(w, ev);
	if (it->kind != ITEM_MESSAGE && it->ref > 0)
		jw_int(w, "ref", (int64_t)it->ref);
	if (gone)
		jw_cstr(w, "gone", it->flags & ITEM_F_LOST ? "lost" : "recall");
	else
		cchat_put_words(w, it);
	jw_int(w, "seq", (int64_t)it->seq);
	cchat_mid(w, ev->chan, it->seq);
	jw_int(w, "ts", it->ts);
	if (it->useq > 0)
		jw_int(w, "useq", (int64_t)it->useq);
	if (mine && str_is_set(it->cid) && !(it->flags & ITEM_F_AUTO_CID))
		jw_str(w, "cid", it->cid);
	jw_obj_end(w);
}

/* what cchat_encode_item() has more for its sender stands at the end */
void
cchat_own(
    const struct event *ev, unsigned level, struct str other, struct buf *out)
{
	const struct item *it = ev->item;

	if (level < 2 || other.len == 0 || !str_is_set(it->cid) ||
	    (it->flags & ITEM_F_AUTO_CID)) {
		buf_putstr(out, other);
		return;
	}
	buf_put(out, other.p, other.len - 1);
	buf_puts(out, ",\"cid\":");
	json_put_string(out, it->cid);
	buf_putc(out, '}');
}
