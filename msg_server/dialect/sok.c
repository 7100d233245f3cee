/* SPDX-License-Identifier: MIT */
/*
 * The clients of the sok push framework. Who it is stands in the query of the
 * handshake (access_token, and token: the device); from then on a client says
 * push objects to one other user and hears those for him. All is private:
 * rooms, presence and history have no words here, and nothing that a client
 * says is answered, not even what is dropped. Tokens and objects are
 * shared/proto/push.h's, credentials msg_server/push's.
 */
#include "msg_server/dialect/dialect.h"
#include "shared/base/digest.h"
#include "shared/base/utf8.h"
#include "shared/proto/http.h"
#include "shared/proto/push.h"

enum {
	SOK_SILENCE_S = 30,
	SOK_DEVICE_BYTES = 16 /* of a device token of ours, in hex */
};

/* as the framework writes it: this one message in escapes */
#define SOK_T_REFUSED                                                 \
	"{\"message\":\"\\u6388\\u6743\\u5931\\u8d25\",\"code\":401," \
	"\"data\":[]}"
#define SOK_T_KICKED                                                      \
	"{\"message\":\"该账号已在别处登录，您被踢下线\"," \
	"\"type\":\"login\",\"code\":441,\"data\":[]}"
#define SOK_T_LOGIN	  "授权成功"
#define SOK_T_LOGIN_OTHER "授权成功,该账号已在别处登录，已被您踢下线。"

/* --- coming ------------------------------------------------------------- */

static bool
sok_at_open(struct str path, struct str query)
{
	struct buf b;
	bool mine;

	(void)path;
	buf_init(&b, 4096);
	mine = http_query(query, "access_token", &b);
	buf_fini(&b);
	return mine;
}

static void
sok_bye(void (*emit)(void *arg, const struct command *), void *arg)
{
	struct command cmd = {.kind = CMD_BYE, .level = 2};

	emit(arg, &cmd);
}

/* what the client calls its device, or a new name for it */
static struct str
sok_device(
    struct str query, struct buf *b, char fresh[2 * SOK_DEVICE_BYTES + 1])
{
	uint8_t raw[SOK_DEVICE_BYTES];

	if (http_query(query, "token", b) && buf_ok(b) &&
	    buf_len(b) >= PUSH_DEVICE_MIN && buf_len(b) <= PUSH_DEVICE_MAX &&
	    utf8_valid(buf_p(b), buf_len(b)) &&
	    memchr(buf_p(b), '\0', buf_len(b)) == NULL)
		return buf_str(b);
	digest_random(raw, sizeof raw);
	digest_hex(raw, sizeof raw, fresh);
	return str_of(fresh);
}

static void
sok_open(struct dialect_ctx *ctx, struct str path, struct str query,
    void (*emit)(void *arg, const struct command *), void *arg, struct buf *err)
{
	struct command cmd = {.kind = CMD_LOGIN,
	    .level = 1,
	    .no_room = true,
	    .by_credentials = true};
	char fresh[2 * SOK_DEVICE_BYTES + 1];
	struct push_token t;
	struct buf text, plain, device;

	(void)path;
	(void)err;
	ctx->level = 1;
	/* who says nothing is told nothing */
	if (query.len == 0) {
		sok_bye(emit, arg);
		return;
	}
	buf_init(&text, 4096);
	buf_init(&plain, 4096);
	buf_init(&device, 4096);
	if (http_query(query, "access_token", &text) &&
	    push_token_read(buf_str(&text), &plain, &t) == 0) {
		cmd.uid = t.uid;
		cmd.token = t.token;
	}
	cmd.dev = sok_device(query, &device, fresh);
	emit(arg, &cmd);
	buf_fini(&text);
	buf_fini(&plain);
	buf_fini(&device);
}

/* --- the way in --------------------------------------------------------- */

/* an object for somebody, of one who should have said before who he is */
static bool
sok_guess(struct str text)
{
	json_t *obj;
	bool mine;
	char tmp[24];
	int err;

	obj = json_read(text, &err);
	mine = str_is_set(push_uid(obj, "to_uid", tmp)) &&
	       json_str(obj, "type").len > 0 && json_str(obj, "cmd").len == 0;
	json_decref(obj);
	return mine;
}

static void
sok_decode(struct dialect_ctx *ctx, struct str text,
    void (*emit)(void *arg, const struct command *), void *arg, struct buf *err)
{
	struct command cmd = {.kind = CMD_MESSAGE, .level = 1};
	struct buf body;
	json_t *obj;
	char tmp[24];
	int e;

	(void)err;
	if (!ctx->in) {
		sok_bye(emit, arg);
		return;
	}
	if (str_eqc(text, "ping")) {
		/* it was heard, and that is all it wants */
		cmd.kind = CMD_PONG;
		cmd.level = 2;
		emit(arg, &cmd);
		return;
	}
	obj = json_read(text, &e);
	cmd.tid = push_uid(obj, "to_uid", tmp);
	buf_init(&body, PUSH_BODY_MAX);
	if (str_is_set(cmd.tid) &&
	    push_body(obj, false, &body, &cmd.msg_is_json) == 0) {
		cmd.msg_is_push = cmd.msg_is_json;
		cmd.msg = buf_str(&body);
		emit(arg, &cmd);
	}
	buf_fini(&body);
	json_decref(obj);
}

/* --- the way out -------------------------------------------------------- */

static const char *
sok_kind(const struct item *it)
{
	if (it->flags & ITEM_F_AUDIO)
		return "audio";
	if (it->flags & ITEM_F_PIC)
		return "pic";
	return it->flags & ITEM_F_FILE ? "file" : "text";
}

static void
sok_item(const struct event *ev, enum view view, struct buf *out)
{
	const struct item *it = ev->item;
	struct push_item p = {.body = it->body,
	    .kind = sok_kind(it),
	    .json = (it->flags & ITEM_F_PUSH) != 0,
	    .whole = it->cn == 0,
	    .uid = it->uid,
	    .to_uid = ev->tid,
	    .ts = it->ts,
	    .seq = it->useq,
	    .unread = ev->missed};

	if (it->kind != ITEM_MESSAGE || !str_is_set(ev->tid) ||
	    (it->flags & (ITEM_F_GONE | ITEM_F_LOST)))
		return;
	/* what he said to others is theirs, on all his devices */
	if (view == VIEW_SELF && !str_eq(ev->tid, it->uid))
		return;
	push_say(&p, out);
}

static void
sok_login(const struct event *ev, struct buf *out)
{
	struct str note = ev->note;
	bool other = note.len > 0 && note.p[0] == '1';

	if (note.len > 0)
		note = str_n(note.p + 1, note.len - 1);
	buf_puts(out, "{\"message\":\"");
	buf_puts(out, other ? SOK_T_LOGIN_OTHER : SOK_T_LOGIN);
	buf_puts(
	    out, "\",\"type\":\"login\",\"code\":200,\"data\":{\"token\":");
	push_put_string(out, note);
	buf_puts(out, "}}");
}

static void
sok_encode(
    const struct event *ev, unsigned level, enum view view, struct buf *out)
{
	(void)level;
	if (ev->kind == EVENT_ITEM)
		sok_item(ev, view, out);
	else if (ev->kind == EVENT_LOGIN)
		sok_login(ev, out);
	else if (ev->kind == EVENT_ERROR && ev->code == 401)
		buf_puts(out, SOK_T_REFUSED);
	else if (ev->kind == EVENT_ERROR && ev->code == 441)
		buf_puts(out, SOK_T_KICKED);
}

const struct dialect dialect_sok = {
    .name = "sok",
    .index = 4,
    .traits = DIALECT_OLD | DIALECT_ECHO | DIALECT_AT_ONCE,
    .silence_s = SOK_SILENCE_S,
    .guess = sok_guess,
    .at_open = sok_at_open,
    .open = sok_open,
    .decode = sok_decode,
    .encode = sok_encode,
};
