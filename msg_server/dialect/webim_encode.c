/* SPDX-License-Identifier: MIT */
/*
 * Events as PHPWebIM's pages read them, in the order of keys and with the
 * bytes of PHP's json_encode(). Names and avatars are escaped as the release
 * of 2016 does it, for the pages put them into HTML as they come; what was
 * said is not, for the pages escape that. What there are no words for becomes
 * no bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/dialect/number.h"
#include "msg_server/dialect/php_text.h"
#include "msg_server/dialect/webim_priv.h"
#include "shared/proto/push.h"

enum { WEBIM_TEXT_MAX = 64 * 1024 };

/* what the years differ in */
struct webim_year {
	const char *came, *left; /* behind a name */
	bool lines_escaped; /* also in the lines of coming and going, which the
			       pages escape, too */
	bool fd_is_str;
	bool typed; /* an entry of history has its type twice */
};

static const struct webim_year webim_years[] = {
    {"上线鸟。。", "下线了。。", false, false, false},
    {"上线了", "下线了", true, false, true},
    {"上线了", "下线了", true, true, true},
};

enum { WEBIM_2014, WEBIM_2016, WEBIM_2019 };

/* --- values -------------------------------------------------------------- */

static void
webim_fd_as_str(struct jw *w, const char *key, uint64_t cn)
{
	char tmp[24];

	snprintf(tmp, sizeof tmp, "%" PRIu64, cn);
	jw_cstr(w, key, tmp);
}

static void
webim_fd(const struct webim_year *y, struct jw *w, const char *key, uint64_t cn)
{
	if (y->fd_is_str)
		webim_fd_as_str(w, key, cn);
	else
		jw_int(w, key, (int64_t)cn);
}

/* for HTML, then a backslash before what is left of ' " \ and NUL */
static void
webim_escape(struct buf *out, struct str s)
{
	struct buf html;
	struct str h;
	size_t i;

	buf_init(&html, WEBIM_TEXT_MAX);
	php_text_html(&html, s);
	h = buf_str(&html);
	for (i = 0; i < h.len; i++) {
		if (h.p[i] == '\\' || h.p[i] == '\0')
			buf_putc(out, '\\');
		buf_putc(out, h.p[i] == '\0' ? '0' : h.p[i]);
	}
	buf_fini(&html);
}

static void
webim_escaped(struct jw *w, const char *key, struct str s)
{
	struct buf text;

	buf_init(&text, WEBIM_TEXT_MAX);
	webim_escape(&text, s);
	php_text_member(w, key, buf_str(&text));
	buf_fini(&text);
}

static void
webim_person(const struct webim_year *y, struct jw *w, const char *cmd,
    uint64_t cn, struct str name, struct str avatar)
{
	jw_cstr(w, "cmd", cmd);
	webim_fd(y, w, "fd", cn);
	webim_escaped(w, "name", name);
	webim_escaped(w, "avatar", avatar);
}

void
webim_error(struct buf *out, unsigned code, struct str msg)
{
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w, NULL);
	jw_cstr(&w, "cmd", "error");
	jw_int(&w, "code", code);
	php_text_member(&w, "msg", msg);
	jw_obj_end(&w);
}

/* what the line of a system says of somebody */
static void
webim_line(const struct webim_year *y, struct jw *w, struct str name,
    const char *behind)
{
	struct buf text;

	jw_int(w, "from", 0);
	jw_int(w, "channal", 0);
	buf_init(&text, WEBIM_TEXT_MAX);
	if (y->lines_escaped)
		webim_escape(&text, name);
	else
		buf_putstr(&text, name);
	buf_puts(&text, behind);
	php_text_member(w, "data", buf_str(&text));
	buf_fini(&text);
}

/* a line in green, of nobody */
static void
webim_system(const struct webim_year *y, struct jw *w, struct str name,
    const char *behind)
{
	jw_obj(w, NULL);
	jw_cstr(w, "cmd", "fromMsg");
	webim_line(y, w, name, behind);
	jw_obj_end(w);
}

/* --- what was said ------------------------------------------------------- */

static void
webim_image_data(struct jw *w, struct str url, struct str thumb)
{
	struct buf text;
	struct jw in;

	buf_init(&text, WEBIM_TEXT_MAX);
	jw_init(&in, &text);
	jw_obj(&in, NULL);
	jw_str(&in, "url", url);
	jw_str(&in, "thumb", thumb);
	jw_obj_end(&in);
	php_text_member(w, "data", buf_str(&text));
	buf_fini(&text);
}

/* data and type; the page's type of it */
static const char *
webim_body(struct jw *w, const struct item *it)
{
	struct str url, thumb;
	const char *type = "text";
	struct buf text;

	if (it->flags & ITEM_F_PUSH) {
		buf_init(&text, 8 * PUSH_BODY_MAX);
		push_text(it->body, &text);
		php_text_member(w, "data", buf_str(&text));
		buf_fini(&text);
	} else if ((it->flags & ITEM_F_PIC) &&
		   webim_image(it->body, &url, &thumb)) {
		type = "image";
		webim_image_data(w, url, thumb);
	} else {
		php_text_member(w, "data", it->body);
	}
	jw_cstr(w, "type", type);
	return type;
}

static bool
webim_is_said(const struct item *it)
{
	return it->kind == ITEM_MESSAGE &&
	       !(it->flags & (ITEM_F_GONE | ITEM_F_LOST));
}

/* tid: private, with its uid whose the page is */
static const char *
webim_said(const struct webim_year *y, struct jw *w, const char *cmd,
    const struct item *it, struct str tid)
{
	uint64_t to;

	jw_cstr(w, "cmd", cmd);
	webim_fd(y, w, "from", it->cn);
	if (str_is_set(tid)) {
		if (number_of_uid(tid, &to))
			webim_fd_as_str(w, "to", to);
		else
			php_text_member(w, "to", tid);
	}
	jw_int(w, "channal", str_is_set(tid));
	return webim_body(w, it);
}

static void
webim_history_entry(
    const struct webim_year *y, struct jw *w, const struct item *it)
{
	const char *type;

	jw_obj(w, NULL);
	if (it->cn == 0) {
		jw_bool(w, "user", false);
	} else {
		jw_obj(w, "user");
		webim_person(y, w, "login", it->cn, it->name, it->avatar);
		jw_obj_end(w);
	}
	jw_obj(w, "msg");
	type = webim_said(y, w, "message", it, STR_NONE);
	jw_obj_end(w);
	jw_int(w, "time", it->ts / 1000);
	if (y->typed)
		jw_cstr(w, "type", type);
	jw_obj_end(w);
}

/* --- answers ------------------------------------------------------------- */

/* the page is read from its newest item or its oldest; it is shown so */
static void
webim_history(const struct webim_year *y, struct jw *w, const struct event *ev)
{
	struct item *items = NULL;
	const struct item *it;
	struct str rest = ev->page;
	size_t i, n = 0;

	if (ev->n_items > 0)
		items = xcalloc(ev->n_items, sizeof *items);
	while (n < ev->n_items && frames_page_next(&rest, &items[n]) == 0)
		n++;
	jw_obj(w, NULL);
	jw_cstr(w, "cmd", "getHistory");
	jw_arr(w, "history");
	for (i = 0; i < n; i++) {
		it = &items[ev->reversed ? n - 1 - i : i];
		if (webim_is_said(it))
			webim_history_entry(y, w, it);
	}
	jw_arr_end(w);
	jw_obj_end(w);
	free(items);
}

static uint64_t
webim_cn_of(const json_t *person)
{
	int64_t cn;

	return json_int(person, "cn", &cn) && cn > 0 ? (uint64_t)cn : 0;
}

static void
webim_online(const struct webim_year *y, struct jw *w, const struct event *ev)
{
	json_t *list, *v;
	size_t i;
	int err;

	list = json_read(ev->list, &err);
	jw_obj(w, NULL);
	jw_cstr(w, "cmd", "getOnline");
	jw_arr(w, "users");
	json_array_foreach(list, i, v) webim_fd_as_str(w, NULL, webim_cn_of(v));
	jw_arr_end(w);
	jw_arr(w, "list");
	json_array_foreach(list, i, v)
	{
		if (i == WEBIM_LIST)
			break;
		jw_obj(w, NULL);
		webim_person(y, w, "login", webim_cn_of(v), json_str(v, "name"),
		    json_str(v, "avatar"));
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_obj_end(w);
	json_decref(list);
}

static void
webim_refusal(struct buf *out, const struct event *ev)
{
	if (ev->code == 429)
		webim_error(out, WEBIM_E_FAST, STR_LIT("over frequency limit"));
	else if (ev->code == 404)
		return; /* who is not there hears nothing, and that is all */
	else
		webim_error(out, WEBIM_E_REFUSED,
		    str_of(ev->why != NULL ? ev->why : "refused"));
}

static void
webim_encode(
    unsigned year, const struct event *ev, enum view view, struct buf *out)
{
	const struct webim_year *y = &webim_years[year];
	struct jw w;

	jw_init(&w, out);
	if (ev->kind == EVENT_HISTORY) {
		webim_history(y, &w, ev);
	} else if (ev->kind == EVENT_ONLINE) {
		webim_online(y, &w, ev);
	} else if (ev->kind == EVENT_ERROR) {
		webim_refusal(out, ev);
	} else if (ev->kind == EVENT_NOTICE) {
		webim_system(y, &w, ev->text, "");
	} else if (ev->kind == EVENT_ITEM && view == VIEW_OTHER) {
		if (!webim_is_said(ev->item))
			return;
		jw_obj(&w, NULL);
		webim_said(y, &w, "fromMsg", ev->item, ev->tid);
		jw_obj_end(&w);
	} else if (ev->kind == EVENT_LOGIN || ev->kind == EVENT_NEW_USER) {
		jw_obj(&w, NULL);
		webim_person(y, &w,
		    ev->kind == EVENT_LOGIN ? "login" : "newUser", ev->cn,
		    ev->name, ev->avatar);
		jw_obj_end(&w);
	} else if (ev->kind == EVENT_OFFLINE) {
		jw_obj(&w, NULL);
		jw_cstr(&w, "cmd", "offline");
		webim_fd(y, &w, "fd", ev->cn);
		webim_line(y, &w, ev->name, y->left);
		jw_obj_end(&w);
	}
}

static void
webim_said_also(unsigned year, const struct event *ev, struct buf *out)
{
	const struct webim_year *y = &webim_years[year];
	struct jw w;

	jw_init(&w, out);
	if (ev->kind == EVENT_NEW_USER)
		webim_system(y, &w, ev->name, y->came);
}

void
webim_encode_2014(
    const struct event *ev, unsigned level, enum view view, struct buf *out)
{
	(void)level;
	webim_encode(WEBIM_2014, ev, view, out);
}

void
webim_encode_2016(
    const struct event *ev, unsigned level, enum view view, struct buf *out)
{
	(void)level;
	webim_encode(WEBIM_2016, ev, view, out);
}

void
webim_encode_2019(
    const struct event *ev, unsigned level, enum view view, struct buf *out)
{
	(void)level;
	webim_encode(WEBIM_2019, ev, view, out);
}

void
webim_also_2014(
    const struct event *ev, unsigned level, enum view view, struct buf *out)
{
	(void)level;
	(void)view;
	webim_said_also(WEBIM_2014, ev, out);
}

void
webim_also(
    const struct event *ev, unsigned level, enum view view, struct buf *out)
{
	(void)level;
	(void)view;
	webim_said_also(WEBIM_2016, ev, out);
}

void
webim_own(
    const struct event *ev, unsigned level, struct str other, struct buf *out)
{
	(void)ev;
	(void)level;
	(void)other;
	(void)out;
}
