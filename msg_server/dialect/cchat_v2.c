/* SPDX-License-Identifier: MIT */
/*
 * Commands of level 2 (protocol.md): each key checked for type, grammar and
 * size, refused with 400 and the frame's cid. Keys that are only hints
 * (avatar, inbox, caps, re) are dropped when they are no good. Sizes that
 * are settings (msg_max) and everything about rights is the handlers'.
 */
#include "msg_server/dialect/cchat_priv.h"
#include "shared/base/utf8.h"

enum { CCHAT_NAME_CHARS = 32, CCHAT_LIMIT_MAX = 200, CCHAT_NEXT_MAX = 160 };

bool
cchat_v2_cid(const json_t *obj, struct str *cid)
{
	const json_t *v = json_object_get(obj, "cid");

	*cid = STR_NONE;
	if (v == NULL || json_is_null(v))
		return true;
	if (!json_is_string(v) || !id_is_cid(json_str(obj, "cid")))
		return false;
	*cid = json_str(obj, "cid");
	return true;
}

/* an optional id: absent and null are fine, anything else must be a word */
static bool
cchat_word(struct cchat_frame *f, const char *key, char tmp[24],
    struct str *out, const char *why)
{
	const json_t *v = json_object_get(f->obj, key);

	*out = STR_NONE;
	if (v == NULL || json_is_null(v))
		return true;
	*out = json_id(f->obj, key, tmp);
	if (json_is_integer(v) && json_integer_value(v) < 0)
		*out = STR_NONE;
	if (!id_is_word(*out))
		return cchat_refuse(f, 400, why, NULL);
	return true;
}

/* rid or tid: which conversation */
bool
cchat_v2_conversation(struct cchat_frame *f)
{
	const json_t *tid = json_object_get(f->obj, "tid");

	if (!cchat_word(f, "rid", f->rid, &f->cmd.rid, "bad rid"))
		return false;
	f->cmd.rid_is_num = json_is_integer(json_object_get(f->obj, "rid"));
	/* "" is level 1's way to say: to the room */
	if (!json_is_string(tid) || json_string_length(tid) > 0)
		if (!cchat_word(f, "tid", f->tid, &f->cmd.tid, "bad tid"))
			return false;
	if (!str_is_set(f->cmd.rid) && !str_is_set(f->cmd.tid))
		return cchat_refuse(f, 400, "rid or tid is missing", NULL);
	return true;
}

bool
cchat_v2_room(struct cchat_frame *f)
{
	if (!cchat_word(f, "rid", f->rid, &f->cmd.rid, "bad rid"))
		return false;
	f->cmd.rid_is_num = json_is_integer(json_object_get(f->obj, "rid"));
	if (!str_is_set(f->cmd.rid))
		return cchat_refuse(f, 400, "rid is missing", NULL);
	return true;
}

bool
cchat_pos_is_ok(const struct pos_arg *a)
{
	size_t i;

	if (!str_eqc(a->rid, "@") && !id_is_word(a->rid))
		return false;
	for (i = 0; i < a->ep.len; i++)
		if (memchr("0123456789abcdef", a->ep.p[i], 16) == NULL)
			return false;
	return a->ep.len == EP_LEN && a->seq <= 1ULL << 53;
}

/* one position: ["ep",seq] */
static bool
cchat_pos(const char *rid, const json_t *v, struct pos_arg *out)
{
	const json_t *ep = json_array_get(v, 0), *seq = json_array_get(v, 1);

	if (!json_is_string(ep) || !json_is_integer(seq) ||
	    json_integer_value(seq) < 0)
		return false;
	out->rid = str_of(rid);
	out->ep = str_n(json_string_value(ep), json_string_length(ep));
	out->seq = (uint64_t)json_integer_value(seq);
	return cchat_pos_is_ok(out);
}

/* login: {"12":["9f3a01c2",845],"@":[...]} */
static bool
cchat_positions(struct cchat_frame *f)
{
	json_t *all = json_object_get(f->obj, "pos"), *v;
	const char *rid;
	size_t n = 0;

	if (all == NULL || json_is_null(all))
		return true;
	if (!json_is_object(all) || json_object_size(all) > POS_MAX)
		return cchat_refuse(f, 400, "bad pos", NULL);
	json_object_foreach(all, rid,
	    v) if (!cchat_pos(rid, v, &f->pos[n++])) return cchat_refuse(f, 400,
	    "bad pos", NULL);
	f->cmd.pos = f->pos;
	f->cmd.n_pos = n;
	return true;
}

static bool
cchat_name(struct cchat_frame *f)
{
	const json_t *v = json_object_get(f->obj, "name");
	struct str name = json_str(f->obj, "name");

	if (v == NULL)
		return true; /* a token may bring it */
	/* 32 characters, and what is cut out of them, can't be longer */
	if (!json_is_string(v) || name.len > 1024 ||
	    utf8_clean_name(name, &f->text) != 0)
		return cchat_refuse(f, 400, "bad name", NULL);
	name = buf_str(&f->text);
	if (name.len == 0 || name.len > NAME_MAX_BYTES ||
	    utf8_count(name) > CCHAT_NAME_CHARS)
		return cchat_refuse(f, 400, "bad name", NULL);
	f->cmd.name = name;
	return true;
}

struct str
cchat_avatar(struct str a)
{
	size_t i;

	if (a.len == 0 || a.len > AVATAR_MAX)
		return STR_NONE;
	if (!str_starts(a, STR_LIT("https://")) &&
	    !str_starts(a, STR_LIT("http://")) &&
	    (a.p[0] != '/' || (a.len > 1 && a.p[1] == '/')))
		return STR_NONE;
	for (i = 0; i < a.len; i++)
		if ((unsigned char)a.p[i] <= 0x20 || a.p[i] == 0x7f)
			return STR_NONE;
	return a;
}

static bool
cchat_has_cap(const json_t *obj, const char *cap)
{
	const json_t *caps = json_object_get(obj, "caps"), *v;
	size_t i;

	json_array_foreach(
	    caps, i, v) if (json_is_string(v) &&
			    strcmp(json_string_value(v), cap) == 0) return true;
	return false;
}

static bool
cchat_login(struct cchat_frame *f)
{
	const json_t *uid = json_object_get(f->obj, "uid");
	struct str s;

	if (!cchat_name(f) || !cchat_v2_room(f) || !cchat_positions(f))
		return false;
	if (!json_is_string(uid) || json_string_length(uid) > 0)
		if (!cchat_word(f, "uid", f->uid, &f->cmd.uid, "bad uid"))
			return false;
	s = json_str(f->obj, "token");
	if (s.len > CCHAT_TOKEN_MAX)
		return cchat_refuse(f, 400, "bad token", NULL);
	f->cmd.token = s.len > 0 ? s : STR_NONE;
	f->cmd.dev = json_str(f->obj, "dev");
	if (f->cmd.dev.len == 0)
		f->cmd.dev = STR_NONE;
	else if (!id_is_word(f->cmd.dev))
		return cchat_refuse(f, 400, "bad dev", NULL);
	f->cmd.avatar = cchat_avatar(json_str(f->obj, "avatar"));
	f->cmd.from_key = json_str(f->obj, "from");
	f->cmd.inbox = json_bool(f->obj, "inbox", false);
	f->cmd.batch = cchat_has_cap(f->obj, "batch");
	return true;
}

static bool
cchat_join(struct cchat_frame *f)
{
	const json_t *pos = json_object_get(f->obj, "pos");
	const json_t *mine = pos;
	char rid[ID_MAX + 1];

	if (!cchat_v2_room(f))
		return false;
	if (pos == NULL || json_is_null(pos))
		return true;
	/* ["ep",seq], or as in login under the name of the room */
	if (json_is_object(pos)) {
		str_copy(rid, sizeof rid, f->cmd.rid);
		mine = json_object_get(pos, rid);
	}
	if (mine == NULL)
		return true;
	if (!cchat_pos("@", mine, &f->pos[0]))
		return cchat_refuse(f, 400, "bad pos", NULL);
	f->cmd.pos = f->pos;
	f->cmd.n_pos = 1;
	return true;
}

/* an optional count; false when there is one that is none */
static bool
cchat_count(struct cchat_frame *f, const char *key, bool *has, uint64_t *out)
{
	int64_t n;
	const json_t *v = json_object_get(f->obj, key);

	*has = v != NULL && !json_is_null(v);
	if (!*has)
		return true;
	if (!json_int(f->obj, key, &n) || n < 0 || n > 1LL << 53)
		return cchat_refuse(f, 400, "bad number", NULL);
	*out = (uint64_t)n;
	return true;
}

static bool
cchat_limit(struct cchat_frame *f)
{
	bool has;

	if (!cchat_count(f, "limit", &has, &f->cmd.limit))
		return false;
	if (has && (f->cmd.limit < 1 || f->cmd.limit > CCHAT_LIMIT_MAX))
		return cchat_refuse(f, 400, "limit is 1 to 200", NULL);
	return true;
}

static bool
cchat_get_history(struct cchat_frame *f)
{
	struct command *c = &f->cmd;

	return cchat_v2_conversation(f) && cchat_limit(f) &&
	       cchat_count(f, "before", &c->has_before, &c->before) &&
	       cchat_count(f, "after", &c->has_after, &c->after) &&
	       cchat_count(f, "around", &c->has_around, &c->around) &&
	       (c->has_before + c->has_after + c->has_around <= 1 ||
		   cchat_refuse(f, 400, "one of before, after, around", NULL));
}

/* a list of uids, which may be empty */
static bool
cchat_uids(struct cchat_frame *f, const json_t *uids)
{
	const json_t *v;
	size_t i;

	if (json_array_size(uids) > UIDS_MAX)
		return cchat_refuse(f, 400, "too many uids", NULL);
	json_array_foreach(uids, i, v)
	{
		f->uids[i] = str_n(json_string_value(v), json_string_length(v));
		if (!json_is_string(v) || !id_is_word(f->uids[i]))
			return cchat_refuse(f, 400, "bad uid", NULL);
	}
	f->cmd.uids = f->uids;
	f->cmd.n_uids = json_array_size(uids);
	return true;
}

static bool
cchat_watch(struct cchat_frame *f)
{
	const json_t *uids = json_object_get(f->obj, "uids");

	if (!json_is_array(uids))
		return cchat_refuse(f, 400, "uids is a list", NULL);
	return cchat_uids(f, uids);
}

static bool
cchat_get_online(struct cchat_frame *f)
{
	const json_t *uids = json_object_get(f->obj, "uids");

	if (json_is_array(uids)) {
		if (!cchat_uids(f, uids))
			return false;
		if (f->cmd.n_uids > 0)
			return true;
	}
	f->cmd.next = json_str(f->obj, "next");
	if (str_is_set(f->cmd.next) && !id_is_word(f->cmd.next))
		return cchat_refuse(f, 400, "bad next", NULL);
	return cchat_v2_room(f) && cchat_limit(f);
}

static bool
cchat_inbox(struct cchat_frame *f)
{
	const json_t *v = json_object_get(f->obj, "next");

	f->cmd.next = STR_NONE;
	if (v == NULL || json_is_null(v))
		return true;
	f->cmd.next = json_str(f->obj, "next");
	if (!json_is_string(v) || f->cmd.next.len > CCHAT_NEXT_MAX)
		return cchat_refuse(f, 400, "bad next", NULL);
	return true;
}

static bool
cchat_mark(struct cchat_frame *f)
{
	bool read, recv;

	if (!cchat_v2_conversation(f) ||
	    !cchat_count(f, "read", &read, &f->cmd.read) ||
	    !cchat_count(f, "recv", &recv, &f->cmd.recv))
		return false;
	if (!read && !recv)
		return cchat_refuse(f, 400, "read or recv is missing", NULL);
	return true;
}

static bool
cchat_next(struct cchat_frame *f)
{
	const json_t *v = json_object_get(f->obj, "next");

	f->cmd.next = json_is_null(v) ? STR_NONE : json_str(f->obj, "next");
	if (v != NULL && !json_is_null(v) && !id_is_word(f->cmd.next))
		return cchat_refuse(f, 400, "bad next", NULL);
	return true;
}

static bool
cchat_get_marks(struct cchat_frame *f)
{
	bool has;

	if (!cchat_v2_conversation(f) || !cchat_next(f) ||
	    !cchat_count(f, "seq", &has, &f->cmd.seq))
		return false;
	if (f->cmd.seq == 0)
		return cchat_refuse(f, 400, "seq is missing", NULL);
	return true;
}

static bool
cchat_typing(struct cchat_frame *f)
{
	const json_t *on = json_object_get(f->obj, "on");

	if (on != NULL && !json_is_null(on) && !json_is_boolean(on))
		return cchat_refuse(f, 400, "on is true or false", NULL);
	f->cmd.on = json_bool(f->obj, "on", true);
	return cchat_v2_conversation(f);
}

static bool
cchat_status(struct cchat_frame *f)
{
	f->cmd.status = json_str(f->obj, "st");
	if (!str_eqc(f->cmd.status, "on") && !str_eqc(f->cmd.status, "away"))
		return cchat_refuse(f, 400, "st is on or away", NULL);
	return true;
}

static bool
cchat_auth(struct cchat_frame *f)
{
	f->cmd.token = json_str(f->obj, "token");
	if (f->cmd.token.len == 0 || f->cmd.token.len > CCHAT_TOKEN_MAX)
		return cchat_refuse(f, 400, "bad token", NULL);
	return true;
}

bool
cchat_v2_command(struct cchat_frame *f)
{
	switch (f->cmd.kind) {
	case CMD_LOGIN:
		return cchat_login(f);
	case CMD_MESSAGE:
	case CMD_EDIT:
	case CMD_RECALL:
	case CMD_REACT:
	case CMD_TITLE:
		return cchat_v2_item(f);
	case CMD_JOIN:
		return cchat_join(f);
	case CMD_LEAVE:
		return cchat_v2_room(f);
	case CMD_GET_HISTORY:
		return cchat_get_history(f);
	case CMD_GET_ONLINE:
		return cchat_get_online(f);
	case CMD_INBOX:
		return cchat_inbox(f);
	case CMD_MARK:
		return cchat_mark(f);
	case CMD_GET_MARKS:
		return cchat_get_marks(f);
	case CMD_TYPING:
		return cchat_typing(f);
	case CMD_WATCH:
		return cchat_watch(f);
	case CMD_STATUS:
		return cchat_status(f);
	case CMD_AUTH:
		return cchat_auth(f);
	case CMD_PING:
	case CMD_PONG:
		json_int(f->obj, "t", &f->cmd.t);
		return true;
	case CMD_BYE:
	case CMD_COUNT:
		break;
	}
	return true;
}
