/* SPDX-License-Identifier: MIT */
/*
 * The two frames that come all the time: a message of level 2, and the login of
 * level 2 that everybody begins with, many at once after a restart. They are
 * read in place, without a tree, where all strings in them are without escapes.
 * Whatever is not exactly that, or not in order, is left to cchat_v2.c, which
 * also has the words for it; so this file refuses nothing and decides nothing
 * that is not decided there.
 */
#include "msg_server/dialect/cchat_priv.h"
#include "shared/base/utf8.h"

enum {
	FAST_POS = 8, /* more are looked through for one that comes twice */
	FAST_NAME = 32,
	FAST_DIGITS = 15 /* below 2^53 */
};

/* absent: STR_NONE */
struct fast {
	const char *p, *end;
	bool login; /* else a message */
	struct str cmd, rid, cid;
	struct str type, tid, msg;			/* of a message */
	struct str uid, name, token, dev, avatar, from; /* of a login */
	uint64_t v;
	struct pos_arg *pos;
	size_t n_pos;
	bool has_inbox, inbox, has_caps, batch, has_pos;
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

/* the string that a key is for */
static struct str *
fast_member(struct fast *f, struct str key)
{
	static const struct {
		char key[8];
		uint8_t len;
		bool message, login;
		uint16_t at;
	} members[] = {
#define X(key, message, login) \
	{#key, sizeof #key - 1, message, login, offsetof(struct fast, key)}
	    X(cmd, true, true), X(rid, true, true), X(cid, true, true),
	    X(type, true, false), X(msg, true, false), X(tid, true, false),
	    X(uid, false, true), X(name, false, true), X(token, false, true),
	    X(dev, false, true), X(avatar, false, true), X(from, false, true)
#undef X
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (members[i].len == key.len &&
		    (f->login ? members[i].login : members[i].message) &&
		    memcmp(members[i].key, key.p, key.len) == 0)
			return (struct str *)((char *)f + members[i].at);
	return NULL;
}

/* --- what is no string in a login --------------------------------------- */

static bool
fast_number(struct fast *f, uint64_t *out)
{
	unsigned n = 0;
	uint64_t v = 0;

	if (fast_peek(f) == '\0')
		return false;
	for (; f->p < f->end && *f->p >= '0' && *f->p <= '9'; f->p++, n++)
		v = v * 10 + (uint64_t)(*f->p - '0');
	*out = v;
	return n > 0 && n <= FAST_DIGITS && (n == 1 || f->p[-(int)n] != '0');
}

static bool
fast_bool(struct fast *f, bool *out)
{
	struct str rest;

	(void)fast_peek(f);
	rest = str_n(f->p, (size_t)(f->end - f->p));
	*out = str_starts(rest, STR_LIT("true"));
	if (!*out && !str_starts(rest, STR_LIT("false")))
		return false;
	f->p += *out ? 4 : 5;
	return true;
}

/* ["batch",...] */
static bool
fast_caps(struct fast *f)
{
	struct str cap;

	if (!fast_take(f, '['))
		return false;
	if (fast_take(f, ']'))
		return true;
	do {
		if (!fast_string(f, &cap))
			return false;
		f->batch |= str_eqc(cap, "batch");
	} while (fast_take(f, ','));
	return fast_take(f, ']');
}

/* "12":["9f3a01c2",845], none twice */
static bool
fast_position(struct fast *f)
{
	struct pos_arg *a = &f->pos[f->n_pos];
	size_t i;

	if (f->n_pos == FAST_POS || !fast_string(f, &a->rid) ||
	    !fast_take(f, ':') || !fast_take(f, '[') ||
	    !fast_string(f, &a->ep) || !fast_take(f, ',') ||
	    !fast_number(f, &a->seq) || !fast_take(f, ']'))
		return false;
	for (i = 0; i < f->n_pos; i++)
		if (str_eq(f->pos[i].rid, a->rid))
			return false;
	f->n_pos++;
	return cchat_pos_is_ok(a);
}

static bool
fast_positions(struct fast *f)
{
	if (!fast_take(f, '{'))
		return false;
	if (fast_take(f, '}'))
		return true;
	do
		if (!fast_position(f))
			return false;
	while (fast_take(f, ','));
	return fast_take(f, '}');
}

static bool
fast_once(bool *has)
{
	bool first = !*has;

	*has = true;
	return first;
}

static bool
fast_other(struct fast *f, struct str key)
{
	if (str_eqc(key, "v"))
		return f->v == 0 && fast_number(f, &f->v) && f->v > 1;
	if (str_eqc(key, "inbox"))
		return fast_once(&f->has_inbox) && fast_bool(f, &f->inbox);
	if (str_eqc(key, "caps"))
		return fast_once(&f->has_caps) && fast_caps(f);
	if (str_eqc(key, "pos"))
		return fast_once(&f->has_pos) && fast_positions(f);
	return false;
}

/* --- frames ------------------------------------------------------------- */

static bool
fast_value(struct fast *f, struct str key)
{
	struct str value, *member;

	if (f->login && fast_peek(f) != '"')
		return fast_other(f, key);
	member = fast_member(f, key);
	if (member == NULL || str_is_set(*member) || !fast_string(f, &value))
		return false;
	*member = value;
	return true;
}

/* no key twice, none but ours, nothing behind the object */
static bool
fast_object(struct fast *f)
{
	struct str key;

	if (!fast_take(f, '{'))
		return false;
	do
		if (!fast_string(f, &key) || !fast_take(f, ':') ||
		    !fast_value(f, key))
			return false;
	while (fast_take(f, ','));
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

/* "" is as good as none */
static bool
fast_word(struct str *s)
{
	if (s->len == 0)
		*s = STR_NONE;
	return !str_is_set(*s) || id_is_word(*s);
}

/* one that stays as it is when it is cleaned */
static bool
fast_name_is_plain(struct str name)
{
	size_t i;

	for (i = 0; i < name.len; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~')
			return false;
	return name.len > 0 && name.len <= FAST_NAME;
}

bool
cchat_fast_login(struct str text, struct command *cmd, struct pos_arg *pos)
{
	struct fast f = {
	    .p = text.p, .end = text.p + text.len, .login = true, .pos = pos};

	if (!fast_object(&f) || f.v < 2 || !str_eqc(f.cmd, "login") ||
	    !utf8_valid(text.p, text.len))
		return false;
	if ((str_is_set(f.cid) && !id_is_cid(f.cid)) || !id_is_word(f.rid) ||
	    (str_is_set(f.name) && !fast_name_is_plain(f.name)) ||
	    !fast_word(&f.uid) || !fast_word(&f.dev) ||
	    f.token.len > CCHAT_TOKEN_MAX)
		return false;
	memset(cmd, 0, sizeof *cmd);
	cmd->kind = CMD_LOGIN;
	cmd->level = 2;
	cmd->cid = f.cid;
	cmd->uid = f.uid;
	cmd->name = f.name;
	cmd->rid = f.rid;
	cmd->token = f.token.len > 0 ? f.token : STR_NONE;
	cmd->dev = f.dev;
	cmd->avatar = cchat_avatar(f.avatar);
	cmd->from_key = f.from;
	cmd->inbox = f.inbox;
	cmd->batch = f.batch;
	if (f.has_pos) {
		cmd->pos = pos;
		cmd->n_pos = f.n_pos;
	}
	return true;
}
