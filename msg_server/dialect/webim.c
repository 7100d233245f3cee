/* SPDX-License-Identifier: MIT */
/*
 * The dialect of PHPWebIM's pages (dialects/phpwebim.md), reading: login,
 * getOnline, getHistory and message. One room, the setting `lobby`; private
 * messages go to the number of a session. It escapes nothing: that is done
 * where a text goes to such a page (webim_encode.c).
 *
 * There are three of it, which read alike and write apart:
 *	webim      of 2016, the one that is meant where no year is named
 *	webim2014  the classic page: its texts of coming and going
 *	webim2019  WebSocket at /websocket; numbers of sessions are strings
 *
 * Not so as in the original: `from` is the sender's own number whatever he
 * writes, members that the page does not know are dropped, and an image is an
 * address and a small one, for the page evaluates it.
 */
#include "msg_server/dialect/php_text.h"
#include "msg_server/dialect/webim_priv.h"
#include "shared/base/id.h"
#include "shared/base/utf8.h"

enum { WEBIM_NAME_CHARS = 32, WEBIM_NAME_READ = 4096 };

/* one frame while it is read */
struct webim_frame {
	const json_t *obj;
	struct command cmd;
	struct buf tags, text; /* what the command borrows beside obj */
	struct buf *err;
};

/* always false, so that checks can return it */
static bool
webim_refuse(struct webim_frame *f, unsigned code, const char *msg)
{
	webim_error(f->err, code, str_of(msg));
	return false;
}

/* --- whose frame is it? -------------------------------------------------- */

/*
 * CChat's frames have a cmd, too, so nothing that could be one of its own is
 * taken: its login names a room or a version, its message a room or a peer.
 */
static bool
webim_is_mine(const json_t *obj)
{
	struct str cmd = json_str(obj, "cmd");

	if (json_object_get(obj, "rid") != NULL ||
	    json_object_get(obj, "uid") != NULL ||
	    json_object_get(obj, "cid") != NULL ||
	    json_object_get(obj, "v") != NULL)
		return false;
	if (str_eqc(cmd, "login"))
		return json_object_get(obj, "avatar") != NULL;
	return str_eqc(cmd, "message") &&
	       json_object_get(obj, "channal") != NULL;
}

static bool
webim_guess(struct str text)
{
	json_t *obj;
	bool mine;
	int err;

	/* most are logins of CChat: one look for each */
	if (memmem(text.p, text.len, "\"avatar\"", 8) == NULL &&
	    (str_starts(text, STR_LIT("{\"cmd\":\"login\"")) ||
		memmem(text.p, text.len, "\"channal\"", 9) == NULL))
		return false;
	obj = json_read(text, &err);
	mine = obj != NULL && json_is_object(obj) && webim_is_mine(obj);
	json_decref(obj);
	return mine;
}

static bool
webim_guess_none(struct str text)
{
	(void)text;
	return false;
}

static bool
webim_at_open_2019(struct str path, struct str query)
{
	(void)query;
	return str_eqc(path, "/websocket");
}

/* --- values -------------------------------------------------------------- */

/* a text, or a number as PHP prints it; absent: neither */
static struct str
webim_scalar(const json_t *obj, const char *key, char tmp[24])
{
	return json_id(obj, key, tmp);
}

static bool
webim_is_clean(struct str s, const char *bad)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] <= 0x20 || s.p[i] == 0x7f ||
		    strchr(bad, s.p[i]) != NULL)
			return false;
	return true;
}

static bool
webim_is_place(struct str s)
{
	if (str_starts(s, STR_LIT("https://")) ||
	    str_starts(s, STR_LIT("http://")))
		return true;
	return s.len > 0 && s.p[0] == '/' &&
	       (s.len == 1 || (s.p[1] != '/' && s.p[1] != '\\'));
}

bool
webim_is_url(struct str s)
{
	return webim_is_place(s) && webim_is_clean(s, "\"'<>\\`");
}

/* as webim_is_url(), or relative to the page: c.png; it is escaped later */
static struct str
webim_avatar(struct str s)
{
	if (s.len == 0 || s.len > AVATAR_MAX || !webim_is_clean(s, ""))
		return STR_NONE;
	if (webim_is_place(s) ||
	    (s.p[0] != '/' && webim_is_clean(s, ":\\\"'<>`")))
		return s;
	return STR_NONE;
}

/* cut to what a name may be, between two characters */
static struct str
webim_cut(struct str s)
{
	s.len = utf8_cut(s, NAME_MAX_BYTES);
	while (utf8_count(s) > WEBIM_NAME_CHARS)
		s.len = utf8_cut(s, s.len - 1);
	return s;
}

/* --- commands ------------------------------------------------------------ */

static bool
webim_login(struct webim_frame *f)
{
	char tmp[24];
	struct str name = webim_scalar(f->obj, "name", tmp);

	if (name.len > WEBIM_NAME_READ)
		name.len = 0;
	php_text_strip_tags(&f->tags, name);
	if (utf8_clean_name(buf_str(&f->tags), &f->text) != 0)
		buf_reset(&f->text);
	f->cmd.kind = CMD_LOGIN;
	f->cmd.level = 1;
	f->cmd.name = webim_cut(buf_str(&f->text));
	f->cmd.avatar = webim_avatar(json_str(f->obj, "avatar"));
	f->cmd.moves = true;
	return true;
}

bool
webim_image(struct str body, struct str *url, struct str *thumb)
{
	static const size_t mark_len = sizeof WEBIM_THUMB - 1;
	const char *mark = memmem(body.p, body.len, WEBIM_THUMB, mark_len);

	*url = *thumb = body;
	if (mark != NULL) {
		url->len = (size_t)(mark - body.p);
		*thumb = str_n(mark + mark_len, body.len - url->len - mark_len);
	}
	return webim_is_url(*url) && webim_is_url(*thumb);
}

/* {"url":U,"thumb":T,...} as a text in `data` */
static bool
webim_read_image(struct webim_frame *f, struct str data)
{
	struct str url, thumb;
	json_t *obj;
	int err;

	obj = json_read(data, &err);
	url = json_is_object(obj) ? json_str(obj, "url") : STR_NONE;
	thumb = json_is_object(obj) ? json_str(obj, "thumb") : STR_NONE;
	if (!str_is_set(thumb))
		thumb = url;
	buf_putstr(&f->text, url);
	if (!str_eq(url, thumb)) {
		buf_puts(&f->text, WEBIM_THUMB);
		buf_putstr(&f->text, thumb);
	}
	json_decref(obj);
	f->cmd.msg = buf_str(&f->text);
	f->cmd.type = MSG_PIC;
	return webim_image(f->cmd.msg, &url, &thumb) ||
	       webim_refuse(f, WEBIM_E_REFUSED,
		   "an image is an url and a thumb, http(s) or a path");
}

static bool
webim_message(struct webim_frame *f, char tmp[24])
{
	char chan_tmp[24], to_tmp[24];
	struct str data = webim_scalar(f->obj, "data", tmp);
	struct str to = webim_scalar(f->obj, "to", to_tmp);
	struct str chan = webim_scalar(f->obj, "channal", chan_tmp);

	f->cmd.kind = CMD_MESSAGE;
	f->cmd.level = 1;
	if (data.len == 0)
		return webim_refuse(f, WEBIM_E_BAD, "invalid command");
	if (data.len > WEBIM_MSG_MAX)
		return webim_refuse(
		    f, WEBIM_E_NO, "message max length is 1024");
	/* PHP's 0 == null */
	if (str_eqc(chan, "1")) {
		/* whoever is not there hears nothing */
		if (str_u64(to, &f->cmd.to_cn) != 0 || f->cmd.to_cn == 0 ||
		    f->cmd.to_cn > 1ULL << 53)
			return false;
	} else if (str_is_set(chan) && chan.len > 0 && !str_eqc(chan, "0")) {
		return false;
	}
	if (str_eqc(json_str(f->obj, "type"), "image"))
		return webim_read_image(f, data);
	f->cmd.type = MSG_TEXT;
	f->cmd.msg = data;
	return true;
}

static bool
webim_ask(struct webim_frame *f, enum command_kind kind, unsigned limit)
{
	f->cmd.kind = kind;
	f->cmd.level = 2;
	f->cmd.limit = limit;
	return true;
}

static bool
webim_unknown(struct webim_frame *f, struct str name)
{
	struct buf msg;

	buf_init(&msg, 256);
	buf_puts(&msg, "command cmd_");
	/* a name beyond any sense is not said again */
	buf_putstr(&msg, name.len <= 64 ? name : STR_LIT("..."));
	buf_puts(&msg, " no support.");
	webim_error(f->err, WEBIM_E_NO, buf_str(&msg));
	buf_fini(&msg);
	return false;
}

static bool
webim_read(struct webim_frame *f, char tmp[24])
{
	char cmd_tmp[24];
	struct str cmd = webim_scalar(f->obj, "cmd", cmd_tmp);

	if (cmd.len == 0 || str_eqc(cmd, "0"))
		return webim_refuse(f, WEBIM_E_BAD, "invalid command");
	if (str_ieq(cmd, STR_LIT("login")))
		return webim_login(f);
	if (str_ieq(cmd, STR_LIT("message")))
		return webim_message(f, tmp);
	if (str_ieq(cmd, STR_LIT("getOnline")))
		return webim_ask(f, CMD_GET_ONLINE, 0);
	if (str_ieq(cmd, STR_LIT("getHistory")))
		return webim_ask(f, CMD_GET_HISTORY, WEBIM_HISTORY);
	return webim_unknown(f, cmd);
}

static void
webim_decode(struct dialect_ctx *ctx, struct str text,
    void (*emit)(void *arg, const struct command *), void *arg, struct buf *err)
{
	struct webim_frame f = {.err = err};
	char tmp[24];
	json_t *obj;
	int e;

	(void)ctx;
	obj = json_read(text, &e);
	f.obj = json_is_object(obj) ? obj : NULL;
	buf_init(&f.tags, WEBIM_NAME_READ);
	buf_init(&f.text, WEBIM_NAME_READ);
	if (f.obj == NULL)
		webim_refuse(&f, WEBIM_E_BAD, "invalid command");
	else if (webim_read(&f, tmp))
		emit(arg, &f.cmd);
	buf_fini(&f.tags);
	buf_fini(&f.text);
	json_decref(obj);
}

/* --- the three ----------------------------------------------------------- */

enum {
	WEBIM_TRAITS = DIALECT_OLD | DIALECT_PACE | DIALECT_HEARS_OUT |
		       DIALECT_FD_UID | DIALECT_NO_GRACE | DIALECT_FORMS
};

const struct dialect dialect_webim = {
    .name = "webim",
    .index = 2,
    .traits = WEBIM_TRAITS,
    .guess = webim_guess,
    .decode = webim_decode,
    .encode = webim_encode_2016,
    .also = webim_also,
    .own = webim_own,
};

const struct dialect dialect_webim_2014 = {
    .name = "webim2014",
    .index = 5,
    .traits = WEBIM_TRAITS,
    .guess = webim_guess,
    .decode = webim_decode,
    .encode = webim_encode_2014,
    .also = webim_also_2014,
    .own = webim_own,
};

const struct dialect dialect_webim_2019 = {
    .name = "webim2019",
    .index = 6,
    .traits = WEBIM_TRAITS,
    .guess = webim_guess_none,
    .at_open = webim_at_open_2019,
    .decode = webim_decode,
    .encode = webim_encode_2019,
    .also = webim_also,
    .own = webim_own,
};
