/* SPDX-License-Identifier: MIT */
/*
 * The dialect of ChatMeteor: {"type":"ws","class":C,"method":M,"args":{..}} in,
 * {"type":"ws","category":"single"|"group","args":{..}} out. A user is who the
 * client says (setting.bind); group X is the room gX, whose members hear it.
 * What the original only writes into its log this one does too, ten lines a
 * second: the client hears nothing of it and stays. A message is whatever JSON
 * it was: a string is stored as text, anything else as it is.
 *
 * As PHP sees it: an argument that is "", "0", 0, null, false, [] or {} is
 * missing; a class may begin with a small letter, methods are of any case.
 *
 * It is not as the original: who has not bound may not speak, and an id that
 * is no word of ours (base/id.h) is nobody's (shared/OLD_SYSTEMS.md).
 */
#include <stdlib.h>

#include "msg_server/dialect/dialect.h"
#include "msg_server/dialect/php_text.h"
#include "shared/proc/log.h"
#include "shared/proto/push.h"

enum { METEOR_TEXT_MAX = 8192 };

static struct log_limit meteor_limit;

/* one frame while it is read */
struct meteor_frame {
	const json_t *args;
	void (*emit)(void *arg, const struct command *);
	void *arg;
};

static void
meteor_say(unsigned code, const char *why, const char *key)
{
	log_limited(&meteor_limit, LOG_LEVEL_INFO,
	    "meteor: Ws-Dispatcher ===> {\"code\":%u,\"message\":\"%s%s\"}",
	    code, why, key);
}

/* --- in ------------------------------------------------------------------ */

static bool
meteor_has(const struct meteor_frame *f, const char *key)
{
	if (!php_is_empty(json_object_get(f->args, key)))
		return true;
	meteor_say(400, "Argument is not valid: missing ", key);
	return false;
}

/* an id given as text or number; absent: it is no word */
static struct str
meteor_id(const struct meteor_frame *f, const char *key, char tmp[24])
{
	struct str id = json_id(f->args, key, tmp);

	if (str_is_set(id) && id_is_word(id))
		return id;
	meteor_say(400, "Argument is not valid: ", key);
	return STR_NONE;
}

static void
meteor_bind(const struct meteor_frame *f)
{
	struct command cmd = {.kind = CMD_LOGIN, .level = 1, .no_room = true};
	char tmp[24];

	if (!meteor_has(f, "user_id"))
		return;
	cmd.uid = cmd.name = meteor_id(f, "user_id", tmp);
	if (str_is_set(cmd.uid))
		f->emit(f->arg, &cmd);
}

/* what it says into cmd, and away */
static void
meteor_message(const struct meteor_frame *f, struct command *cmd)
{
	const json_t *v = json_object_get(f->args, "message");
	char *text = NULL;

	cmd->kind = CMD_MESSAGE;
	cmd->level = 1;
	if (json_is_string(v)) {
		cmd->msg = str_n(json_string_value(v), json_string_length(v));
	} else {
		text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
		cmd->msg = str_of(text);
		cmd->msg_is_json = true;
	}
	if (!str_is_set(cmd->msg) || cmd->msg.len > METEOR_TEXT_MAX)
		meteor_say(413, "the message is too long", "");
	else
		f->emit(f->arg, cmd);
	free(text);
}

static void
meteor_single(const struct meteor_frame *f)
{
	struct command cmd = {0};
	char tmp[24];

	if (!meteor_has(f, "to_user") || !meteor_has(f, "message"))
		return;
	cmd.tid = meteor_id(f, "to_user", tmp);
	if (str_is_set(cmd.tid))
		meteor_message(f, &cmd);
}

static void
meteor_group(const struct meteor_frame *f)
{
	struct command cmd = {0};
	char tmp[24], rid[ID_MAX + 1] = "g";
	struct str id;

	if (!meteor_has(f, "group_id") || !meteor_has(f, "message"))
		return;
	id = json_id(f->args, "group_id", tmp);
	if (!str_is_set(id) || id.len > ID_MAX - 1) {
		meteor_say(500, "Group is not exists", "");
		return;
	}
	str_copy(rid + 1, sizeof rid - 1, id);
	cmd.rid = str_of(rid);
	if (cmd.rid.len == id.len + 1 && id_is_group(cmd.rid))
		meteor_message(f, &cmd);
	else
		meteor_say(500, "Group is not exists", "");
}

static const struct meteor_call {
	const char *class, *method;
	void (*fn)(const struct meteor_frame *);
} meteor_calls[] = {
    {"Setting", "bind", meteor_bind},
    {"Single", "send", meteor_single},
    {"Group", "send", meteor_group},
};

static void
meteor_dispatch(const json_t *obj, struct meteor_frame *f)
{
	struct str class = json_str(obj, "class");
	struct str method = json_str(obj, "method");
	size_t i;

	f->args = json_object_get(obj, "args");
	for (i = 0; i < ARRAY_LEN(meteor_calls); i++)
		if (php_is_class(class, meteor_calls[i].class) &&
		    str_ieq(method, str_of(meteor_calls[i].method))) {
			meteor_calls[i].fn(f);
			return;
		}
	meteor_say(404, "no such class and method", "");
}

static void
meteor_decode(struct dialect_ctx *ctx, struct str text,
    void (*emit)(void *arg, const struct command *), void *arg, struct buf *err)
{
	struct meteor_frame f = {.emit = emit, .arg = arg};
	int why;
	json_t *obj = json_read(text, &why);

	(void)ctx;
	(void)err;
	if (php_is_empty(json_object_get(obj, "type")))
		meteor_say(400, "The type can not be null", "");
	else if (!str_eqc(json_str(obj, "type"), "ws"))
		; /* not for here: not a word, not in the log either */
	else if (php_is_empty(json_object_get(obj, "class")))
		meteor_say(400, "The class can not be null", "");
	else if (php_is_empty(json_object_get(obj, "method")))
		meteor_say(400, "The method can not be null", "");
	else
		meteor_dispatch(obj, &f);
	json_decref(obj);
}

static bool
meteor_guess(struct str text)
{
	int why;
	json_t *obj = json_read(text, &why);
	bool mine = str_eqc(json_str(obj, "type"), "ws") &&
		    json_object_get(obj, "class") != NULL &&
		    json_object_get(obj, "method") != NULL;

	json_decref(obj);
	return mine;
}

/* --- out ----------------------------------------------------------------- */

/* JSON as it lies in the log, as PHP writes it */
static void
meteor_recode(struct buf *out, struct str s)
{
	bool in = false; /* a string */
	struct buf run;
	size_t i, n;

	buf_init(&run, s.len * 6 + 2);
	for (i = 0; i < s.len; i += n) {
		n = 1;
		if (in && s.p[i] == '\\' && i + 1 < s.len) {
			n = 2;
		} else if (in && s.p[i] == '/') {
			buf_putc(out, '\\');
		} else if ((unsigned char)s.p[i] >= 0x80) {
			while (
			    i + n < s.len && (unsigned char)s.p[i + n] >= 0x80)
				n++;
			buf_reset(&run);
			php_text_json(&run, str_n(s.p + i, n));
			buf_put(out, buf_p(&run) + 1, buf_len(&run) - 2);
			continue;
		} else if (s.p[i] == '"') {
			in = !in;
		}
		buf_put(out, s.p + i, n);
	}
	buf_fini(&run);
}

static void
meteor_body(struct jw *w, const struct item *it)
{
	struct buf json;

	if (it->flags & ITEM_F_PUSH) {
		/* a back end's, for another system's clients: its words */
		buf_init(&json, 8 * PUSH_BODY_MAX);
		push_text(it->body, &json);
		php_text_member(w, "message", buf_str(&json));
		buf_fini(&json);
		return;
	}
	if (!(it->flags & ITEM_F_JSON)) {
		php_text_member(w, "message", it->body);
		return;
	}
	buf_init(&json, it->body.len * 6 + 1);
	meteor_recode(&json, it->body);
	jw_raw(w, "message", buf_str(&json));
	buf_fini(&json);
}

static void
meteor_begin(struct jw *w, const char *category)
{
	jw_obj(w, NULL);
	jw_cstr(w, "type", "ws");
	jw_cstr(w, "category", category);
	jw_obj(w, "args");
}

static void
meteor_encode(
    const struct event *ev, unsigned level, enum view view, struct buf *out)
{
	const struct item *it = ev->item;
	struct jw w;

	(void)level;
	jw_init(&w, out);
	if (ev->kind == EVENT_ERROR) {
		meteor_say(ev->code, ev->why != NULL ? ev->why : "refused", "");
		return;
	}
	if (ev->kind != EVENT_ITEM || it->kind != ITEM_MESSAGE ||
	    (it->flags & (ITEM_F_GONE | ITEM_F_LOST)))
		return;
	if (str_is_set(ev->tid)) {
		/* what he has sent comes to him only when it is for him */
		if (view == VIEW_SELF && !str_eq(ev->tid, it->uid))
			return;
		meteor_begin(&w, "single");
	} else if (str_is_set(ev->rid) && id_is_group(ev->rid)) {
		meteor_begin(&w, "group");
		jw_str(&w, "from_group", str_n(ev->rid.p + 1, ev->rid.len - 1));
	} else {
		return;
	}
	jw_str(&w, "from_user", str_is_set(it->uid) ? it->uid : STR_LIT(""));
	meteor_body(&w, it);
	jw_obj_end(&w);
	jw_obj_end(&w);
}

const struct dialect dialect_meteor = {
    .name = "meteor",
    .index = 3,
    .guess = meteor_guess,
    .decode = meteor_decode,
    .encode = meteor_encode,
    .traits = DIALECT_OLD | DIALECT_ECHO | DIALECT_GROUPS | DIALECT_WAITS |
	      DIALECT_NO_GRACE | DIALECT_NEWEST,
};
