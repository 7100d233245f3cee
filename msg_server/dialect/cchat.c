/* SPDX-License-Identifier: MIT */
/*
 * The CChat dialect: its five documented messages (level 1, exactly as
 * dialects/cchat.md recorded them) and our superset (level 2, protocol.md).
 * This file reads a frame as far as its command and decides its level; it
 * touches no room and judges no right.
 *
 * The level is that of the session's login. Before it a frame is level 1,
 * but for a login with "v":2, and for frames with a cid: those come from a
 * client that knows level 2 and is answered in it.
 */
#include "msg_server/dialect/cchat_priv.h"
#include "shared/proto/push.h"

struct cchat_name {
	const char *name;
	enum command_kind kind;
	unsigned level;
};

#define X(kind, name, handler, state, level) {name, kind, level},
static const struct cchat_name cchat_names[] = {COMMAND_TABLE(X)};
#undef X

bool
cchat_refuse(
    struct cchat_frame *f, unsigned code, const char *why, const char *v1_text)
{
	struct event ev = {.kind = EVENT_ERROR,
	    .cid = f->cid,
	    .code = code,
	    .why = why,
	    .v1_code = code == 101 || code == 102 ? code : 50,
	    .v1_text = v1_text};

	cchat_encode(&ev, f->level, VIEW_SELF, f->err);
	return false;
}

/* a first frame is read twice: here, and when it is decoded */
static bool
cchat_guess(struct str text)
{
	static const char head[] = "{\"cmd\":\"";
	json_t *obj;
	bool mine;
	int err;

	if (str_starts(text, str_of(head)) && text.len > sizeof head - 1 &&
	    text.p[sizeof head - 1] != '"')
		return true;
	obj = json_read(text, &err);
	mine =
	    obj != NULL && json_is_object(obj) && json_str(obj, "cmd").len > 0;
	json_decref(obj);
	return mine;
}

static const struct cchat_name *
cchat_find(struct str name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(cchat_names); i++)
		if (str_eqc(name, cchat_names[i].name))
			return &cchat_names[i];
	return NULL;
}

/* the level this frame is spoken in */
static unsigned
cchat_level(const struct dialect_ctx *ctx, const json_t *obj,
    const struct cchat_name *cmd)
{
	int64_t v;
	struct str cid;

	if (ctx->in)
		return ctx->level;
	if (cmd != NULL && cmd->kind == CMD_LOGIN)
		return json_int(obj, "v", &v) && v >= 2 ? 2 : 1;
	return cchat_v2_cid(obj, &cid) && str_is_set(cid) ? 2 : 1;
}

static bool
cchat_read(struct cchat_frame *f, const struct cchat_name *cmd)
{
	if (f->level == 2 && !cchat_v2_cid(f->obj, &f->cid))
		return cchat_refuse(f, 400, "bad cid", NULL);
	if (cmd == NULL || cmd->level > f->level)
		return cchat_refuse(f, 102, "unknown command", CCHAT_T_UNKNOWN);
	f->cmd.kind = cmd->kind;
	f->cmd.cid = f->cid;
	f->cmd.level = f->level;
	if (f->level == 2)
		return cchat_v2_command(f);
	if (cmd->kind == CMD_LOGIN)
		return cchat_v1_login(f);
	return cchat_v1_message(f);
}

void
cchat_put_push(struct jw *w, const struct item *it)
{
	struct buf text;

	buf_init(&text, 8 * PUSH_BODY_MAX);
	push_text(it->body, &text);
	jw_str(w, "msg", buf_str(&text));
	buf_fini(&text);
}

void
cchat_v1_msg(struct jw *w, const struct item *it)
{
	if (it->flags & ITEM_F_PUSH)
		cchat_put_push(w, it);
	else if (it->flags & ITEM_F_JSON)
		jw_raw(w, "msg", it->body);
	else
		jw_str(w, "msg", it->body);
}

static void
cchat_decode(struct dialect_ctx *ctx, struct str text,
    void (*emit)(void *arg, const struct command *), void *arg, struct buf *err)
{
	struct cchat_frame f;
	const struct cchat_name *cmd;
	struct str name;
	json_t *obj;
	int e;

	if (ctx->in && ctx->level == 2 && cchat_fast(text, &f.cmd)) {
		emit(arg, &f.cmd);
		return;
	}
	if (!ctx->in && cchat_fast_login(text, &f.cmd, f.pos)) {
		ctx->level = 2;
		ctx->rid_is_num = 0;
		emit(arg, &f.cmd);
		return;
	}
	/* the two arrays stay unset: their counts in cmd say what is in them */
	f.level = ctx->in ? ctx->level : 1;
	f.cid = STR_NONE;
	f.err = err;
	memset(&f.cmd, 0, sizeof f.cmd);
	obj = json_read(text, &e);
	name = obj != NULL && json_is_object(obj) ? json_str(obj, "cmd")
						  : STR_NONE;
	if (name.len == 0 || (f.level == 1 && str_eqc(name, "0"))) {
		cchat_refuse(&f, f.level == 2 ? 400 : 101,
		    obj == NULL ? "not JSON" : "no cmd", CCHAT_T_NOT_JSON);
		json_decref(obj);
		return;
	}
	cmd = cchat_find(name);
	f.obj = obj;
	f.level = cchat_level(ctx, obj, cmd);
	if (!ctx->in && cmd != NULL && cmd->kind == CMD_LOGIN)
		ctx->level = (uint8_t)f.level;
	buf_init(&f.text, 1024 * 1024);
	if (cchat_read(&f, cmd)) {
		if (f.cmd.kind == CMD_LOGIN)
			ctx->rid_is_num = f.cmd.rid_is_num;
		emit(arg, &f.cmd);
	}
	buf_fini(&f.text);
	json_decref(obj);
}

const struct dialect dialect_cchat = {
    .name = "cchat",
    .index = 0,
    .guess = cchat_guess,
    .decode = cchat_decode,
    .encode = cchat_encode,
    .own = cchat_own,
    .traits = DIALECT_PACE,
};
