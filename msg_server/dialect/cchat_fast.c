/* SPDX-License-Identifier: MIT */
/*
 * The one frame that comes all the time: a message of level 2, an object of
 * nothing but strings without escapes. It is read in place, without a tree.
 * Whatever is not exactly that, or not in order, is left to cchat_v2.c, which
 * also has the words for it; so this file refuses nothing and decides nothing
 * that is not decided there.
 */
#include "msg_server/dialect/cchat_priv.h"
#include "shared/base/utf8.h"

struct fast {
	const char *p, *end;
	struct str cmd, type, rid, tid, cid, msg; /* absent: STR_NONE */
};

static char
fast_peek(struct fast *f)
{
	while (f->p < f->end && (*f->p == ' ' || *f->p == '\n' ||
				    *f->p == '\r' || *f->p == '\t'))
		f->p++;
	return f->p < f->end ? *f->p : '\0';
}

static bool
fast_take(struct fast *f, char c)
{
	if (fast_peek(f) != c)
		return false;
	f->p++;
	return true;
}

static bool
fast_string(struct fast *f, struct str *out)
{
	size_t n;

	if (!fast_take(f, '"'))
		return false;
	n = json_plain(str_n(f->p, (size_t)(f->end - f->p)));
	*out = str_n(f->p, n);
	f->p += n;
	return fast_take(f, '"') && out->p + n + 1 == f->p;
}

static struct str *
fast_member(struct fast *f, struct str key)
{
	if (str_eqc(key, "cmd"))
		return &f->cmd;
	if (str_eqc(key, "type"))
		return &f->type;
	if (str_eqc(key, "rid"))
		return &f->rid;
	if (str_eqc(key, "cid"))
		return &f->cid;
	if (str_eqc(key, "msg"))
		return &f->msg;
	if (str_eqc(key, "tid"))
		return &f->tid;
	return NULL;
}

/* no key twice, none but ours, nothing behind the object */
static bool
fast_object(struct fast *f)
{
	struct str key, value, *member;

	if (!fast_take(f, '{'))
		return false;
	do {
		if (!fast_string(f, &key) || !fast_take(f, ':') ||
		    !fast_string(f, &value))
			return false;
		member = fast_member(f, key);
		if (member == NULL || str_is_set(*member))
			return false;
		*member = value;
	} while (fast_take(f, ','));
	return fast_take(f, '}') && fast_peek(f) == '\0' && f->p == f->end;
}

bool
cchat_fast(struct str text, struct command *cmd)
{
	struct fast f = {.p = text.p, .end = text.p + text.len};

	if (!fast_object(&f) || !str_eqc(f.cmd, "message") ||
	    !str_eqc(f.type, "text") || !str_is_set(f.msg) ||
	    !utf8_valid(f.msg.p, f.msg.len))
		return false;
	if (str_is_set(f.cid) && !id_is_cid(f.cid))
		return false;
	/* "" is level 1's way to say: to the room */
	if (f.tid.len == 0)
		f.tid = STR_NONE;
	if ((str_is_set(f.rid) && !id_is_word(f.rid)) ||
	    (str_is_set(f.tid) && !id_is_word(f.tid)) ||
	    (!str_is_set(f.rid) && !str_is_set(f.tid)))
		return false;
	memset(cmd, 0, sizeof *cmd);
	cmd->kind = CMD_MESSAGE;
	cmd->level = 2;
	cmd->type = MSG_TEXT;
	cmd->cid = f.cid;
	cmd->rid = f.rid;
	cmd->tid = f.tid;
	cmd->msg = f.msg;
	return true;
}
