/* SPDX-License-Identifier: MIT */
/*
 * The dialect of workerman-chat (dialects/workerman-chat.md): login, say and
 * pong in; login, say, logout and ping out. The wording, the order of keys and
 * PHP's escapes are the recorded ones; texts are kept plain in the log and
 * escaped here, each once.
 *
 * It has no words for a refusal: what is no frame, or may not be, is dropped.
 * The room is that of the last login, which the core keeps. A private message
 * is echoed to who said it, wherever it went, by a note that comes back with
 * its answer: the length of the client_id (1 byte) and of the name (1 byte) of
 * whom it is for, both, and the text.
 */
#include <stdio.h>
#include <time.h>

#include "msg_server/dialect/dialect.h"
#include "msg_server/dialect/number.h"
#include "msg_server/dialect/php_text.h"
#include "shared/base/utf8.h"
#include "shared/proc/clock.h"
#include "shared/proto/push.h"

enum {
	WORKERMAN_MSG_MAX = 8192,
	WORKERMAN_NAME_CHARS = 32,
	WORKERMAN_TO_MAX = 64,	 /* of a to_client_id, whatever it is */
	WORKERMAN_TO_NAME = 255, /* the rest of a to_client_name is cut */
	WORKERMAN_PING_S = 15,
	/* a frame that is all of characters that become six, and seven, bytes
	 */
	WORKERMAN_TEXT_MAX = 4 * 1024 * 1024
};

/* never anybody's: the session of who isn't there */
static const uint64_t workerman_nobody = UINT64_MAX;

/* --- in ------------------------------------------------------------------ */

/* one frame while it is read; what the command borrows lives here or in obj */
struct workerman_frame {
	const json_t *obj;
	struct command cmd;
	char rid[24];
	struct buf name, text, note;
};

/* the first n characters of s, in at most NAME_MAX_BYTES */
static struct str
workerman_cut(struct str s, size_t chars)
{
	size_t i, n = utf8_cut(s, NAME_MAX_BYTES);

	for (i = 0; i < n; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80 && chars-- == 0)
			break;
	return str_n(s.p, i);
}

/* as PHP turns a value into a text; false: a list or an object */
static bool
workerman_string(const json_t *v, struct buf *out)
{
	if (json_is_string(v))
		buf_put(out, json_string_value(v), json_string_length(v));
	else if (json_is_integer(v))
		buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_real(v))
		buf_printf(out, "%.14G", json_real_value(v));
	else if (json_is_true(v))
		buf_putc(out, '1');
	return !json_is_array(v) && !json_is_object(v);
}

static bool
workerman_login(struct workerman_frame *f)
{
	struct str rid = json_id(f->obj, "room_id", f->rid);

	/* nobody could be asked to say which: an empty one is the lobby */
	if (!str_is_set(rid) || (rid.len > 0 && !id_is_word(rid)))
		return false;
	f->cmd.rid = rid.len > 0 ? rid : STR_NONE;
	f->cmd.rid_is_num = json_is_integer(json_object_get(f->obj, "room_id"));
	if (!workerman_string(
		json_object_get(f->obj, "client_name"), &f->text) ||
	    utf8_clean_name(buf_str(&f->text), &f->name) != 0)
		return false;
	f->cmd.kind = CMD_LOGIN;
	f->cmd.name = workerman_cut(buf_str(&f->name), WORKERMAN_NAME_CHARS);
	f->cmd.moves = true;
	return true;
}

/* what is echoed to who said it, once his message is kept */
static bool
workerman_private(struct workerman_frame *f, struct str to)
{
	struct str name = json_str(f->obj, "to_client_name");

	if (to.len > WORKERMAN_TO_MAX)
		return false;
	if (!number_of_client_id(to, &f->cmd.to_cn) || f->cmd.to_cn == 0)
		f->cmd.to_cn = workerman_nobody;
	name.len = utf8_cut(name, WORKERMAN_TO_NAME);
	buf_putc(&f->note, (char)to.len);
	buf_putc(&f->note, (char)name.len);
	buf_putstr(&f->note, to);
	buf_putstr(&f->note, name);
	buf_putstr(&f->note, f->cmd.msg);
	f->cmd.note = buf_str(&f->note);
	return buf_ok(&f->note);
}

static bool
workerman_say(struct workerman_frame *f)
{
	struct str to = json_str(f->obj, "to_client_id");

	if (!str_is_set(to) ||
	    !workerman_string(json_object_get(f->obj, "content"), &f->text))
		return false;
	f->cmd.kind = CMD_MESSAGE;
	f->cmd.type = MSG_TEXT;
	f->cmd.msg = buf_str(&f->text);
	if (f->cmd.msg.len > WORKERMAN_MSG_MAX)
		return false;
	return str_eqc(to, "all") || workerman_private(f, to);
}

static bool
workerman_pong(struct workerman_frame *f)
{
	f->cmd.kind = CMD_PONG;
	f->cmd.level = 2;
	return true;
}

static bool
workerman_read(struct workerman_frame *f)
{
	struct str type;

	if (!json_is_object(f->obj))
		return false;
	type = json_str(f->obj, "type");
	f->cmd.level = 1;
	if (str_eqc(type, "say"))
		return workerman_say(f);
	if (str_eqc(type, "login"))
		return workerman_login(f);
	return str_eqc(type, "pong") && workerman_pong(f);
}

static void
workerman_decode(struct dialect_ctx *ctx, struct str text,
    void (*emit)(void *arg, const struct command *), void *arg, struct buf *err)
{
	struct workerman_frame f;
	json_t *obj;
	int e;

	(void)err;
	obj = json_read(text, &e);
	if (obj == NULL)
		return;
	memset(&f, 0, sizeof f);
	f.obj = obj;
	buf_init(&f.name, 1024 * 1024);
	buf_init(&f.text, 1024 * 1024);
	buf_init(&f.note, NOTE_MAX);
	if (workerman_read(&f)) {
		if (f.cmd.kind == CMD_LOGIN) {
			ctx->level = 1;
			ctx->rid_is_num = f.cmd.rid_is_num;
		}
		emit(arg, &f.cmd);
	}
	buf_fini(&f.name);
	buf_fini(&f.text);
	buf_fini(&f.note);
	json_decref(obj);
}

static bool
workerman_guess(struct str text)
{
	json_t *obj;
	struct str type;
	bool mine = false;
	int e;

	/* most first frames are somebody else's, and are read by him */
	if (str_starts(text, STR_LIT("{\"cmd\"")) ||
	    memmem(text.p, text.len, "\"type\"", 6) == NULL)
		return false;
	obj = json_read(text, &e);
	if (json_is_object(obj)) {
		type = json_str(obj, "type");
		mine = (str_eqc(type, "login") || str_eqc(type, "say") ||
			   str_eqc(type, "pong")) &&
		       json_object_get(obj, "cmd") == NULL &&
		       json_object_get(obj, "class") == NULL;
	}
	json_decref(obj);
	return mine;
}

/* --- out ----------------------------------------------------------------- */

static void
workerman_begin(struct jw *w, const char *type)
{
	jw_obj(w, NULL);
	jw_cstr(w, "type", type);
}

static void
workerman_put_id(struct jw *w, const char *key, uint64_t cn)
{
	char id[NUMBER_CLIENT_ID + 1];

	number_client_id(cn, id);
	jw_cstr(w, key, id);
}

static void
workerman_put_html(struct jw *w, const char *key, struct str s)
{
	struct buf html;

	buf_init(&html, WORKERMAN_TEXT_MAX);
	php_text_html(&html, s);
	php_text_member(w, key, buf_str(&html));
	buf_fini(&html);
}

/* "Y-m-d H:i:s" where the server is; ms 0: now */
static void
workerman_put_time(struct jw *w, int64_t ms)
{
	time_t t = (time_t)((ms > 0 ? ms : clock_wall_ms()) / 1000);
	char text[32] = "";
	struct tm tm;

	if (localtime_r(&t, &tm) != NULL)
		strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
	jw_cstr(w, "time", text);
}

/* somebody comes in: frame 1, and the first part of frame 2 */
static void
workerman_put_login(struct jw *w, const struct event *ev)
{
	workerman_begin(w, "login");
	workerman_put_id(w, "client_id", ev->cn);
	workerman_put_html(w, "client_name", ev->name);
	workerman_put_time(w, 0);
}

static void
workerman_put_person(struct jw *w, uint64_t cn, struct str name)
{
	char id[NUMBER_CLIENT_ID + 1];

	number_client_id(cn, id);
	workerman_put_html(w, id, name);
}

/* who is there, himself at the end */
static void
workerman_put_people(struct jw *w, const struct event *ev)
{
	json_t *list = NULL, *one;
	int64_t cn;
	size_t i;
	int e;

	if (ev->list.len > 0)
		list = json_read(ev->list, &e);
	jw_obj(w, "client_list");
	json_array_foreach(list, i, one)
	{
		if (json_int(one, "cn", &cn) && cn > 0 &&
		    (uint64_t)cn != ev->cn)
			workerman_put_person(
			    w, (uint64_t)cn, json_str(one, "name"));
	}
	workerman_put_person(w, ev->cn, ev->name);
	jw_obj_end(w);
	json_decref(list);
}

/* a text behind what is said before it, both escaped, as lines */
static void
workerman_put_content(struct jw *w, const char *before, struct str to,
    const char *then, struct str text)
{
	struct buf html, out;

	buf_init(&html, WORKERMAN_TEXT_MAX);
	buf_init(&out, WORKERMAN_TEXT_MAX);
	buf_puts(&out, before);
	php_text_html(&out, to);
	buf_puts(&out, then);
	php_text_html(&html, text);
	php_text_nl2br(&out, buf_str(&html));
	php_text_member(w, "content", buf_str(&out));
	buf_fini(&html);
	buf_fini(&out);
}

static void
workerman_put_from(struct jw *w, uint64_t cn, struct str name)
{
	workerman_put_id(w, "from_client_id", cn);
	workerman_put_html(w, "from_client_name", name);
}

/* to_client_id and content */
static void
workerman_put_said(struct jw *w, const struct event *ev, struct str text)
{
	uint64_t to;

	if (!str_is_set(ev->tid)) {
		jw_cstr(w, "to_client_id", "all");
		workerman_put_content(w, "", STR_NONE, "", text);
		return;
	}
	if (number_of_uid(ev->tid, &to))
		workerman_put_id(w, "to_client_id", to);
	else
		php_text_member(w, "to_client_id", ev->tid);
	workerman_put_content(w, "<b>对你说: </b>", STR_NONE, "", text);
}

static void
workerman_put_item(struct jw *w, const struct event *ev, enum view view)
{
	const struct item *it = ev->item;
	struct buf text;

	if (it->kind != ITEM_MESSAGE ||
	    (it->flags & (ITEM_F_GONE | ITEM_F_LOST)))
		return;
	/* who said it hears of it by his note, but what he tells himself */
	if (str_is_set(ev->tid) && view == VIEW_SELF &&
	    !str_eq(ev->tid, it->uid))
		return;
	workerman_begin(w, "say");
	workerman_put_from(w, it->cn, ev->name);
	if (it->flags & ITEM_F_PUSH) {
		buf_init(&text, WORKERMAN_TEXT_MAX);
		push_text(it->body, &text);
		workerman_put_said(w, ev, buf_str(&text));
		buf_fini(&text);
	} else {
		workerman_put_said(w, ev, it->body);
	}
	workerman_put_time(w, it->ts);
	jw_obj_end(w);
}

/* the note of a private message came back */
static void
workerman_put_note(struct jw *w, const struct event *ev)
{
	struct str note = ev->note, to, name;

	if (note.len < 2)
		return;
	to = str_n(note.p + 2, (uint8_t)note.p[0]);
	name = str_n(to.p + to.len, (uint8_t)note.p[1]);
	if (note.len < 2 + to.len + name.len)
		return;
	note.len -= 2 + to.len + name.len;
	note.p = name.p + name.len;
	workerman_begin(w, "say");
	workerman_put_from(w, ev->cn, ev->name);
	php_text_member(w, "to_client_id", to);
	workerman_put_content(w, "<b>你对", name, "说: </b>", note);
	workerman_put_time(w, ev->ts);
	jw_obj_end(w);
}

static void
workerman_put_logout(struct jw *w, const struct event *ev)
{
	workerman_begin(w, "logout");
	workerman_put_from(w, ev->cn, ev->name);
	workerman_put_time(w, 0);
	jw_obj_end(w);
}

static void
workerman_encode(
    const struct event *ev, unsigned level, enum view view, struct buf *out)
{
	struct jw w;

	(void)level;
	jw_init(&w, out);
	if (ev->kind == EVENT_ITEM) {
		workerman_put_item(&w, ev, view);
	} else if (ev->kind == EVENT_NEW_USER) {
		workerman_put_login(&w, ev);
		jw_obj_end(&w);
	} else if (ev->kind == EVENT_LOGIN) {
		workerman_put_login(&w, ev);
		workerman_put_people(&w, ev);
		jw_obj_end(&w);
	} else if (ev->kind == EVENT_OFFLINE) {
		workerman_put_logout(&w, ev);
	} else if (ev->kind == EVENT_OK ||
		   (ev->kind == EVENT_ERROR && ev->code == 404)) {
		workerman_put_note(&w, ev);
	} else if (ev->kind == EVENT_PING) {
		workerman_begin(&w, "ping");
		jw_obj_end(&w);
	} else if (ev->kind == EVENT_PUSH) {
		buf_putstr(out, ev->text);
	}
}

/* who said it sees what all see */
static void
workerman_own(
    const struct event *ev, unsigned level, struct str other, struct buf *out)
{
	(void)ev;
	(void)level;
	buf_putstr(out, other);
}

const struct dialect dialect_workerman = {
    .name = "workerman",
    .index = 1,
    .traits = DIALECT_OLD | DIALECT_ECHO | DIALECT_HEARS_OUT | DIALECT_PEOPLE |
	      DIALECT_FD_UID | DIALECT_NO_GRACE | DIALECT_NO_KILL,
    .ping_s = WORKERMAN_PING_S,
    .guess = workerman_guess,
    .decode = workerman_decode,
    .encode = workerman_encode,
    .own = workerman_own,
};
